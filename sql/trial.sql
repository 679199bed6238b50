-- Trials of limits: what can be asked for, and how one ends. Results under load are in
-- test/t/060_trial.pl.
CREATE EXTENSION pool_advisor;
SELECT pool_advisor.reset('scalability');

-- the worker has taken its first sample, and none runs
SELECT comes_true($$sampled_at IS NOT NULL FROM pool_advisor.status$$);
SELECT pool_advisor.trial_stop();

-- what makes no sense
SELECT pool_advisor.trial(NULL);
SELECT pool_advisor.trial('19 s');
SELECT pool_advisor.trial('-1 day');
SELECT pool_advisor.trial('61 min');
SELECT pool_advisor.trial('178000000 years');
SELECT pool_advisor.trial(max_active => 0);
SELECT pool_advisor.trial(max_active => -2);
SELECT pool_advisor.trial(max_active => 2147483647);
SELECT count(*) FROM pool_advisor.trials WHERE state = 'running';

-- one at a time
SELECT state, until - now() BETWEEN '20 s' AND '1 min' AS until, limit_a, limit_b
FROM pool_advisor.trial('20 s', 5);
SELECT pool_advisor.trial();
SELECT comes_true($$state = 'trial' FROM pool_advisor.gate WHERE scope = 'server'$$);
SELECT ended, state, limit_a, limit_b, ratio, verdict FROM pool_advisor.trials WHERE ended IS NULL;
SELECT pool_advisor.trial_stop();
SELECT comes_true($$0 = count(*) FROM pool_advisor.trials WHERE state = 'running'$$);
SELECT ended > began AS ended, state, limit_a, limit_b, ratio, verdict, explanation
FROM pool_advisor.trials LIMIT 1;
SELECT state, max_active FROM pool_advisor.gate WHERE scope = 'server';
SELECT pool_advisor.trial_stop();

-- the default is what a pool needs, or the optimum
SELECT t.limit_b = coalesce(s.pool_size, s.optimal) AS limit_b
FROM pool_advisor.trial() t, pool_advisor.status s;
SELECT pool_advisor.trial_stop();
SELECT comes_true($$0 = count(*) FROM pool_advisor.trials WHERE state = 'running'$$);

-- they are forgotten with the curve
SELECT pool_advisor.reset('scalability');
SELECT comes_true($$0 = count(*) FROM pool_advisor.trials$$);

-- a time of day
\set VERBOSITY sqlstate
ALTER SYSTEM SET pool_advisor.trial_at = '24:00';
ALTER SYSTEM SET pool_advisor.trial_at = '3:5';
ALTER SYSTEM SET pool_advisor.trial_at = '03:60';
ALTER SYSTEM SET pool_advisor.trial_at = '03:30:00';
ALTER SYSTEM SET pool_advisor.trial_at = 'noon';
ALTER SYSTEM SET pool_advisor.trial_at = ':30';
\set VERBOSITY default
ALTER SYSTEM SET pool_advisor.trial_at = '3:05';
ALTER SYSTEM SET pool_advisor.trial_at = '';
ALTER SYSTEM RESET pool_advisor.trial_at;

DROP EXTENSION pool_advisor;
