-- The pools in front that are found: the view, and what it says of our own session.
CREATE EXTENSION pool_advisor;
SET application_name = 'regress_pools';
SELECT comes_true($$open = 1 FROM pool_advisor.pools WHERE application_name = 'regress_pools'$$);
SELECT role = session_user AS role, database = current_database() AS database, max_open,
       max_in_use <= max_open AS in_use, busy BETWEEN 0 AND 1 AS busy, reason <> '' AS reason
FROM pool_advisor.pools WHERE application_name = 'regress_pools';

-- figures that are not known are NULL, and no ratio is out of range
SELECT bool_and(open >= 0 AND open <= open_lately AND open_lately <= max_open AND max_in_use <= max_open) AS counts,
       bool_and(coalesce(busy BETWEEN 0 AND 1, true)) AS busy,
       bool_and(coalesce(hold_p50_seconds <= hold_p95_seconds, true)) AS hold,
       bool_and(churn_per_minute >= 0) AS churn,
       bool_and(coalesce(suggested_size > 0, true)) AS size
FROM pool_advisor.pools;

-- one connection is no pool of the budget
SELECT count(*) FROM pool_advisor.budget WHERE name ~ 'regress_pools';

-- all sessions of the server are in one of the pools
SELECT comes_true($$(SELECT sum(open) FROM pool_advisor.pools) = sessions FROM pool_advisor.status$$);

-- a reset takes what was learned of the load, and the most connections
SELECT pool_advisor.reset('all');
SELECT comes_true($$open = 1 AND max_open = 1 FROM pool_advisor.pools WHERE application_name = 'regress_pools'$$);
RESET application_name;
DROP EXTENSION pool_advisor;
