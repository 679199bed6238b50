-- Sizes from arguments alone.
CREATE EXTENSION pool_advisor;

-- the published examples
SELECT cores, spindles, pool_advisor.formula_size(cores, spindles) AS size
FROM (VALUES (4, 1), (8, 0), (16, 8), (2, 0)) AS t (cores, spindles);
SELECT pool_advisor.formula_size(8, 0, 4) AS newer_multiplier;
SELECT pool_advisor.formula_size(core_count => 1.5, effective_spindle_count => 0) AS container,
       pool_advisor.formula_size(0.1, 0) AS at_least_one,
       pool_advisor.formula_size(4, 0.4) AS rounded_down,
       pool_advisor.formula_size(4, 0.5) AS rounded_up;
SELECT pool_advisor.formula_size(NULL, 1) IS NULL AS strict;

-- the floor of a pool whose threads hold several connections
SELECT threads, each, pool_advisor.deadlock_free_size(threads, each) AS size
FROM (VALUES (3, 4), (8, 3), (1, 1), (100, 1), (1, 5)) AS t (threads, each);
SELECT pool_advisor.deadlock_free_size(9223372036854775806, 2) AS largest,
       pool_advisor.deadlock_free_size(1, NULL) IS NULL AS strict;

-- fleets: .NET has a pool for each module, Java one for all of them
SELECT stack, f.*
FROM (VALUES ('.NET, 10 modules, at rest', 2, 10, 1, 100, 1, 0, 1),
             ('.NET, 200 modules, at rest', 2, 200, 1, 100, 2, 0, 1),
             ('.NET, one module busy', 2, 200, 1, 100, 2, 50, 1),
             ('.NET, peak', 2, 200, 1, 100, 2, 150, 1),
             ('Java, at rest', 2, 1, 10, 100, 2, 0, 5),
             ('Java, one module busy', 2, 1, 10, 100, 2, 50, 5),
             ('Java, peak', 2, 1, 10, 100, 2, 150, 5))
     AS t (stack, front_ends, pools, min, max, databases, requests, free),
     pool_advisor.fleet_connections(front_ends, pools, min, max, databases, requests, free) AS f;
SELECT * FROM pool_advisor.fleet_connections(front_ends => 3, pools => 2, min_pool_size => 0,
                                             max_pool_size => 20, databases => 1);

-- arguments that make no sense
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never
SELECT pool_advisor.formula_size(0, 0);
SELECT pool_advisor.formula_size(-1, 0);
SELECT pool_advisor.formula_size(4, -1);
SELECT pool_advisor.formula_size(4, 1, 0);
SELECT pool_advisor.formula_size('NaN', 0);
SELECT pool_advisor.formula_size(4, 'Infinity');
SELECT pool_advisor.formula_size(4, 1, 'NaN');
SELECT pool_advisor.formula_size(1e300, 0);
SELECT pool_advisor.formula_size(1e300, 1e300, 1e300);
SELECT pool_advisor.deadlock_free_size(0, 1);
SELECT pool_advisor.deadlock_free_size(1, 0);
SELECT pool_advisor.deadlock_free_size(-9223372036854775808, 2);
SELECT pool_advisor.deadlock_free_size(9223372036854775807, 2);
SELECT pool_advisor.deadlock_free_size(4000000000, 4000000000);
SELECT pool_advisor.fleet_connections(0, 1, 1, 10, 1);
SELECT pool_advisor.fleet_connections(1, 0, 1, 10, 1);
SELECT pool_advisor.fleet_connections(1, 1, -1, 10, 1);
SELECT pool_advisor.fleet_connections(1, 1, 0, 0, 1);
SELECT pool_advisor.fleet_connections(1, 1, 1, 10, 0);
SELECT pool_advisor.fleet_connections(1, 1, 1, 10, 1, -1);
SELECT pool_advisor.fleet_connections(1, 1, 1, 10, 1, 0, -1);
SELECT pool_advisor.fleet_connections(1, 1, 11, 10, 1);
SELECT pool_advisor.fleet_connections(1, 1, 1, 10, 1, 5, 2);
SELECT pool_advisor.fleet_connections(4000000000, 1, 1, 10, 4000000000);
SELECT pool_advisor.fleet_connections(1, 9223372036854775807, 2, 10, 1);
SELECT pool_advisor.fleet_connections(1, 9223372036854775807, 1, 10, 1, 1);
\set VERBOSITY default

-- what is said then
SELECT pool_advisor.deadlock_free_size(0, 1);
SELECT pool_advisor.deadlock_free_size(9223372036854775807, 3);
SELECT pool_advisor.fleet_connections(1, 1, -1, 10, 1);
SELECT pool_advisor.fleet_connections(1, 1, 11, 10, 1);
SELECT pool_advisor.fleet_connections(1, 1, 1, 10, 1, 5, 2);

DROP EXTENSION pool_advisor;
