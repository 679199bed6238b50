-- The page that report() writes, as far as it is the same on every machine.
CREATE EXTENSION pool_advisor;

-- one document of ASCII, whatever comes into it
CREATE ROLE "regress_padv <b>&""role""" LOGIN;
ALTER ROLE "regress_padv <b>&""role""" SET pool_advisor.max_sessions = 3;
SELECT comes_true($$EXISTS (SELECT FROM pool_advisor.limits) AND EXISTS (SELECT FROM pool_advisor.history)
    AND (SELECT samples_total > 0 FROM pool_advisor.status)$$);
SELECT page ^@ '<!DOCTYPE html>' AS begins, right(page, 8) = E'</html>\n' AS ends,
       page !~ '[^\n\t -~]' AS ascii, page !~ '<script|<img|<link' AS by_itself,
       page LIKE '%<bdi>regress_padv &lt;b&gt;&amp;&quot;role&quot;</bdi>%' AS escaped, page LIKE '%<b>&"role"%' AS not_escaped
FROM pool_advisor.report() AS page;

-- what it has, in order
SELECT array_agg(part[1] ORDER BY n) AS parts
FROM pool_advisor.report() AS page, regexp_matches(page, '<section id="(\w+)">', 'g') WITH ORDINALITY AS m (part, n);

-- what it says is what the views say
SELECT comes_true($$(SELECT page ~ format('>%s</b> active connections, range %s to %s<', optimal, optimal_low, optimal_high)
        AND page LIKE format('%%<b>%s</b>, as %%', verdict)
        AND page LIKE format('%%</b> of %s that ordinary roles can have<%%', usable_connections)
    FROM pool_advisor.status, pool_advisor.report() AS page)$$);
SELECT comes_true($$(SELECT bool_and(page LIKE '%<bdi>' || fact || '</bdi>%')
    FROM pool_advisor.hardware, pool_advisor.report() AS page)$$);
SELECT comes_true($$(SELECT bool_and(page LIKE '%</span> ' || code || ' <span%') IS NOT false
    FROM pool_advisor.advice, pool_advisor.report() AS page)$$);

-- it holds no lock on anything of ours, nor of the user's
BEGIN;
SELECT length(pool_advisor.report()) > 10000 AS a_page;
SELECT relation::regclass FROM pg_locks
WHERE pid = pg_backend_pid() AND locktype = 'relation' AND relation::regclass::text !~ '^pg_';
SELECT pg_current_xact_id_if_assigned() IS NULL AS wrote_nothing;
COMMIT;

-- in a transaction that can write nothing
BEGIN TRANSACTION READ ONLY;
SELECT length(pool_advisor.report()) > 10000 AS a_page;
COMMIT;

-- moments are in the time zone of the session
SET TimeZone = 'Asia/Tokyo';
SELECT page LIKE '% JST</dd>%' AS moments FROM pool_advisor.report() AS page;
SELECT comes_true($$(SELECT page LIKE '%<p class="unit end">time (Asia/Tokyo)</p>%' FROM pool_advisor.report() AS page)$$) AS axes;
RESET TimeZone;

DROP ROLE "regress_padv <b>&""role""";
DROP EXTENSION pool_advisor;
