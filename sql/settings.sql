-- Settings: defaults, units, bounds, and who may set them where.
SELECT name, boot_val, unit, context, vartype, min_val, max_val
FROM pg_settings WHERE name LIKE 'pool\_advisor.%' ORDER BY name COLLATE "C";

-- the words for a value out of range differ between versions
\set VERBOSITY sqlstate
ALTER SYSTEM SET pool_advisor.sample_interval = 0;
ALTER SYSTEM SET pool_advisor.sample_interval = '11s';
ALTER SYSTEM SET pool_advisor.sample_interval = 'soon';
ALTER SYSTEM SET pool_advisor.connections_per_core = 0;
ALTER SYSTEM SET pool_advisor.connections_per_core = 'NaN';
ALTER SYSTEM SET pool_advisor.cores = 0;
ALTER SYSTEM SET pool_advisor.cores = -0.5;
ALTER SYSTEM SET pool_advisor.cores = -2;
ALTER SYSTEM SET pool_advisor.cores = 'NaN';
ALTER SYSTEM SET pool_advisor.spindles = -2;
ALTER SYSTEM SET pool_advisor.optimal = -1;
ALTER SYSTEM SET pool_advisor.optimal = 1000000;
ALTER SYSTEM SET pool_advisor.system_root = 'relative';
ALTER SYSTEM SET pool_advisor.server_max_active = -1;
ALTER SYSTEM SET pool_advisor.server_max_active = 'on';
ALTER SYSTEM SET pool_advisor.server_max_active = '4 s';
ALTER SYSTEM SET pool_advisor.server_max_active = '99999999999';
ALTER SYSTEM SET pool_advisor.server_max_active = '';
ALTER SYSTEM SET pool_advisor.max_active = 0;
\set VERBOSITY default

-- they belong to the server, not to a session
SET pool_advisor.sample_interval = '1s';
SET pool_advisor.optimal = 5;

-- the prefix is reserved, so a misspelt name is an error
SET pool_advisor.sample_intervall = '1s';
