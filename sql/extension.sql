-- What CREATE EXTENSION brings: names, types, comments.
CREATE EXTENSION pool_advisor;

-- it has a schema of its own, wherever the search path points
SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE extname = 'pool_advisor';
ALTER EXTENSION pool_advisor SET SCHEMA public;

SELECT table_name, column_name, data_type
FROM information_schema.columns
WHERE table_schema = 'pool_advisor'
ORDER BY table_name, ordinal_position;

SELECT p.oid::regprocedure AS function, pg_get_function_result(p.oid) AS result
FROM pg_proc p
WHERE pronamespace = 'pool_advisor'::regnamespace AND proname !~ '^_'
ORDER BY p.proname COLLATE "C";

-- every object says what it is
SELECT pg_describe_object(classid, objid, 0) AS undocumented
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pool_advisor')
  AND classid IN ('pg_class'::regclass, 'pg_proc'::regclass)
  AND obj_description(objid, classid::regclass::name) IS NULL;

-- every column does too
SELECT attrelid::regclass AS relation, attname AS undocumented FROM pg_attribute
WHERE attrelid IN (SELECT oid FROM pg_class
                   WHERE relnamespace = 'pool_advisor'::regnamespace AND relkind IN ('r', 'v'))
  AND attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL
ORDER BY 1, attnum;

-- the worker is connected to no database, so none is in its way
CREATE DATABASE regress_padv_database;
CREATE DATABASE regress_padv_copy TEMPLATE regress_padv_database;
DROP DATABASE regress_padv_database;
DROP DATABASE regress_padv_copy;

DROP EXTENSION pool_advisor;
