-- compare(): what it says of a short history, and which periods it refuses; real changes are in
-- test/t/048_compare.pl.
CREATE EXTENSION pool_advisor;

SELECT comes_true($$count(*) >= 2 FROM pool_advisor.history$$);

-- every measure has a row, and too few points say nothing
SELECT measure, more_than_noise, regexp_replace(why, '[0-9]+', 'N', 'g') AS why
FROM pool_advisor.compare(now() - interval '3 s', now() - interval '2 s', now() - interval '2 s', now() - interval '1 s')
WHERE key = '' AND measure <> 'load'
ORDER BY measure COLLATE "C";
SELECT count(*) FROM pool_advisor.compare("from" => now() - interval '1 hour', until => now(), from2 => now() - interval '1 hour', until2 => now())
WHERE key = '' AND measure <> 'load';

-- before the history, and in the future
\set VERBOSITY sqlstate
SELECT count(*) FROM pool_advisor.compare('2000-01-01', '2000-01-02', now() - interval '1 min', now());
SELECT count(*) FROM pool_advisor.compare(now() - interval '1 min', now(), now() + interval '1 day', now() + interval '2 days');
\set VERBOSITY default
SELECT count(*) FROM pool_advisor.compare(now(), now(), now(), now());
SELECT count(*) FROM pool_advisor.compare(now() - interval '1 hour', now(), now(), now() - interval '1 hour');
SELECT count(*) FROM pool_advisor.compare('-infinity', now(), now() - interval '1 hour', now());
SELECT count(*) FROM pool_advisor.compare(now() - interval '1 hour', now(), now() - interval '1 hour', 'infinity');
SELECT count(*) FROM pool_advisor.compare(NULL, now(), now() - interval '1 hour', now());
SELECT count(*) FROM pool_advisor.compare(now() - interval '1 hour', now(), now() - interval '1 hour', NULL);
-- the ends of what a timestamptz can be
SELECT count(*) FROM pool_advisor.compare('4713-01-01 00:00:00+00 BC', '294276-12-31', '4713-01-01 00:00:00+00 BC', '294276-12-31');

DROP EXTENSION pool_advisor;
