-- Poll pg_stat_activity for a minute, then compare with what status says of it.
CREATE OR REPLACE FUNCTION pg_temp.poll(seconds float8)
RETURNS TABLE (what text, polled numeric, sampled numeric, difference_percent numeric)
LANGUAGE plpgsql AS $$
DECLARE
    polls bigint := 0;
    active bigint := 0;
    blocked bigint := 0;
    now_active bigint;
    now_blocked bigint;
    due timestamptz := clock_timestamp();
    stop timestamptz := due + seconds * interval '1 s';
BEGIN
    WHILE clock_timestamp() < stop LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT count(*) FILTER (WHERE state = 'active'),
               count(*) FILTER (WHERE state = 'active' AND wait_event_type = 'Lock')
        INTO now_active, now_blocked
        FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid();
        active := active + now_active;
        blocked := blocked + now_blocked;
        polls := polls + 1;
        due := due + interval '10 ms';
        PERFORM pg_sleep(greatest(0, extract(epoch FROM due - clock_timestamp())));
    END LOOP;

    -- this session was active all the time
    RETURN QUERY
    SELECT w, round(p, 3), round(s::numeric, 3), round(100 * (s::numeric / nullif(p, 0) - 1), 1)
    FROM (VALUES
        ('active', active::numeric / polls,
         (SELECT active_avg - 1 FROM pool_advisor.status)),
        ('waiting for a lock', blocked::numeric / polls,
         (SELECT coalesce(sum(active_avg), 0) FROM pool_advisor.waits
          WHERE period = '1 min' AND wait_event_type = 'Lock'))) AS t (w, p, s);
END $$;
SELECT * FROM pg_temp.poll(61);
