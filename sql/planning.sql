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
\set VERBOSITY default

DROP EXTENSION pool_advisor;
