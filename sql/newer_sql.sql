-- SQL that is newer than the library: an error, not a crash.
CREATE EXTENSION pool_advisor;

-- each C function that returns columns, with one more
CREATE FUNCTION asks_for_more() RETURNS TABLE (function text, outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.proname, p.prosrc, p.proretset, pg_get_function_arguments(p.oid) AS arguments,
               array_to_string(ARRAY(SELECT CASE type WHEN 'timestamptz'::regtype THEN '''now''' ELSE '''1''' END
                     FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, n) WHERE n <= p.pronargs - p.pronargdefaults ORDER BY n), ', ') AS call
        FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE p.pronamespace = 'pool_advisor'::regnamespace AND l.lanname = 'c' AND p.prorettype = 'record'::regtype
        ORDER BY p.proname COLLATE "C"
    LOOP
        EXECUTE format('CREATE FUNCTION more(%s, OUT one_more text) RETURNS %s record AS ''$libdir/pool_advisor'', %L LANGUAGE C',
                       f.arguments, CASE WHEN f.proretset THEN 'SETOF' END, f.prosrc);
        function := f.proname;
        BEGIN
            EXECUTE format('SELECT * FROM more(%s)', f.call);
            outcome := 'no row, or nothing to say';
        EXCEPTION WHEN OTHERS THEN
            outcome := sqlstate;
        END;
        RETURN NEXT;
        DROP FUNCTION more;
    END LOOP;
END $$;

SELECT outcome, count(*) > 0 AS some FROM asks_for_more()
WHERE outcome NOT IN ('no row, or nothing to say', '22023') GROUP BY outcome ORDER BY outcome;
SELECT outcome FROM asks_for_more() WHERE function IN ('_status', '_gate', '_optimal') ORDER BY function;

-- the words
SELECT pg_get_function_arguments('pool_advisor._gate'::regproc) AS gate_columns \gset
CREATE FUNCTION more_of_gate(:gate_columns, OUT one_more text)
RETURNS SETOF record AS '$libdir/pool_advisor', 'pool_advisor_gate' LANGUAGE C;
\set VERBOSITY default
SELECT * FROM more_of_gate();

DROP FUNCTION asks_for_more, more_of_gate;
DROP EXTENSION pool_advisor;
