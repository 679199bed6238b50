-- Who may see other roles' sessions.

-- the schema must be nobody else's; DROP EXTENSION leaves it
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS pool_advisor;
RESET client_min_messages;
CREATE ROLE regress_padv_stranger;
\set SHOW_CONTEXT never
CREATE SCHEMA pool_advisor AUTHORIZATION regress_padv_stranger;
CREATE EXTENSION pool_advisor;
ALTER SCHEMA pool_advisor OWNER TO CURRENT_USER;
GRANT USAGE, CREATE ON SCHEMA pool_advisor TO PUBLIC;
CREATE EXTENSION pool_advisor;
REVOKE CREATE ON SCHEMA pool_advisor FROM PUBLIC;
CREATE EXTENSION pool_advisor;
DROP ROLE regress_padv_stranger;

CREATE ROLE regress_padv_ordinary;
CREATE ROLE regress_padv_monitor IN ROLE pg_monitor;
CREATE ROLE regress_padv_stats IN ROLE pg_read_all_stats;
CREATE ROLE regress_padv_createrole CREATEROLE;

-- what a role may read or call, by trying each view, table and function
CREATE FUNCTION tries(who name) RETURNS TABLE (object text, allowed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    statement text;
BEGIN
    FOR object, statement IN
        SELECT CASE relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || relname,
               format('SELECT * FROM pool_advisor.%I', relname)
        FROM pg_class WHERE relnamespace = 'pool_advisor'::regnamespace AND relkind IN ('v', 'r')
        UNION ALL
        SELECT 'function ' || proname,
               format('SELECT * FROM pool_advisor.%I(%s)', proname,
                      array_to_string(ARRAY(SELECT CASE type WHEN 'timestamptz'::regtype THEN '''now''' ELSE '''1''' END
                            FROM unnest(proargtypes) WITH ORDINALITY AS a (type, n) WHERE n <= pronargs - pronargdefaults ORDER BY n), ', '))
        FROM pg_proc WHERE pronamespace = 'pool_advisor'::regnamespace
        ORDER BY 1
    LOOP
        PERFORM set_config('role', who, true);
        BEGIN
            EXECUTE statement;
            allowed := true;
        EXCEPTION WHEN insufficient_privilege THEN
            allowed := false;
        WHEN invalid_parameter_value OR invalid_text_representation THEN
            allowed := true;
        END;
        PERFORM set_config('role', 'none', true);
        RETURN NEXT;
    END LOOP;
END $$;

SELECT o.object, o.allowed AS ordinary, c.allowed AS createrole,
       m.allowed AS pg_monitor, s.allowed AS pg_read_all_stats
FROM tries('regress_padv_ordinary') o
JOIN tries('regress_padv_createrole') c USING (object)
JOIN tries('regress_padv_monitor') m USING (object)
JOIN tries('regress_padv_stats') s USING (object)
ORDER BY o.object COLLATE "C";

-- what an ordinary role is told
\set VERBOSITY sqlstate
SET ROLE regress_padv_ordinary;
SELECT * FROM pool_advisor.status;
SELECT * FROM pool_advisor.explain();
SELECT pool_advisor.formula_size(4, 1);
ALTER SYSTEM SET pool_advisor.optimal = 5;
SHOW pool_advisor.system_root;
RESET ROLE;

-- one view for one role, with its function
GRANT SELECT ON pool_advisor.summary TO regress_padv_ordinary;
GRANT EXECUTE ON FUNCTION pool_advisor._summary() TO regress_padv_ordinary;
SET ROLE regress_padv_ordinary;
SELECT count(*) FROM pool_advisor.summary;
RESET ROLE;
DROP OWNED BY regress_padv_ordinary;
\set VERBOSITY default

DROP FUNCTION tries;
DROP ROLE regress_padv_ordinary, regress_padv_monitor, regress_padv_stats, regress_padv_createrole;
DROP EXTENSION pool_advisor;
