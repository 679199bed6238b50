-- Limits: what can be set, and what set_limit refuses; TAP tests race for them.
CREATE EXTENSION pool_advisor;
CREATE ROLE regress_padv_app LOGIN;
CREATE ROLE "regress ""; DROP ROLE regress_padv_app; --" LOGIN;
CREATE ROLE regress_padv_super LOGIN SUPERUSER;
CREATE ROLE regress_padv_group;
CREATE ROLE regress_padv_member LOGIN IN ROLE regress_padv_group;

-- what the catalogs hold; the view has it when the commit is known there
CREATE VIEW stored AS
    SELECT coalesce(d.datname, '') AS datname, coalesce(r.rolname, '') AS rolname, s.setconfig
    FROM pg_db_role_setting s
    LEFT JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase
    WHERE setconfig::text LIKE '%pool_advisor%' ORDER BY 1, 2;

SELECT count(*) FROM pool_advisor.limits;

-- every place that can have a limit
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 20, min_sessions => 5,
                              session_idle_timeout => '1 min', queue_length => 10, queue_timeout => '2.5 s');
SELECT * FROM pool_advisor.set_limit('regress "; DROP ROLE regress_padv_app; --', 'postgres', max_sessions => 3);
SELECT * FROM pool_advisor.set_limit('regress_padv_group', max_sessions => 8);
SELECT * FROM pool_advisor.set_limit(database => 'postgres', max_sessions => 30, queue_length => -1);
SELECT * FROM pool_advisor.set_limit(max_sessions => 15);
SELECT * FROM stored;
SELECT comes_true('count(*) = 5 FROM pool_advisor.limits');
SELECT * FROM pool_advisor.limits ORDER BY scope COLLATE "C", rolname, datname;

-- what set_limit says is what the view has then; a default that is not committed yet counts
BEGIN;
SELECT queue_length FROM pool_advisor.set_limit(queue_length => 4);
SELECT * FROM pool_advisor.set_limit('regress_padv_group', min_sessions => 2, session_idle_timeout => '90 s');
COMMIT;
SELECT comes_true($$queue_length = 4 AND min_sessions = 2 FROM pool_advisor.limits WHERE rolname = 'regress_padv_group'$$);
SELECT count(*) AS as_said FROM pool_advisor.limits AS l, pool_advisor.set_limit('regress_padv_group', max_sessions => 8) AS s
WHERE (l.scope, l.rolname, l.max_sessions, l.min_sessions, l.session_idle_timeout, l.queue_length, l.queue_timeout, l.max_active) =
      (s.scope, s.rolname, s.max_sessions, s.min_sessions, s.session_idle_timeout, s.queue_length, s.queue_timeout, s.max_active);
ALTER ROLE ALL RESET pool_advisor.queue_length;
SELECT pool_advisor.clear_limit('regress_padv_group');

-- NULL leaves alone, -1 takes away, and so does clear_limit
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => NULL, min_sessions => -1);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => -1);
SELECT comes_true($$count(*) = 0 FROM pool_advisor.limits WHERE rolname = 'regress_padv_app'$$);
SELECT pool_advisor.clear_limit('regress_padv_app');
SELECT pool_advisor.clear_limit(database => 'postgres');
SELECT * FROM stored;

-- ALTER does the same, and what is set this way is checked
ALTER ROLE regress_padv_app SET pool_advisor.max_sessions = 7;
SELECT comes_true($$max_sessions = 7 FROM pool_advisor.limits WHERE rolname = 'regress_padv_app'$$);
ALTER ROLE regress_padv_app SET pool_advisor.max_sessions = -2;
ALTER ROLE regress_padv_app SET pool_advisor.max_sessions = 'many';
\set VERBOSITY sqlstate
ALTER ROLE regress_padv_app SET pool_advisor.queue_timeout = 0;
\set VERBOSITY default
ALTER ROLE regress_padv_app SET pool_advisor.queue_timeout = '1 min';
ALTER ROLE regress_padv_app SET pool_advisor.max_session = 7;
BEGIN;
ALTER ROLE regress_padv_app SET pool_advisor.max_sessions = 1;
ROLLBACK;
SELECT * FROM stored WHERE rolname = 'regress_padv_app';

-- nothing is half set
SELECT * FROM pool_advisor.set_limit('regress_padv_nobody', max_sessions => 1);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', 'regress_padv_nowhere', max_sessions => 1);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 5, queue_length => -2);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 5, min_sessions => 6);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', min_sessions => 8);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 2147483647);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', session_idle_timeout => '-1 s');
SELECT * FROM pool_advisor.set_limit('regress_padv_app', session_idle_timeout => '1 year');
SELECT * FROM pool_advisor.set_limit('regress_padv_app', queue_timeout => '0');
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 5, max_active => 0);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 5, max_active => -2);
ALTER ROLE regress_padv_app SET pool_advisor.max_active = 0;
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 5, active_weight => 0);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 5, active_weight => -1);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 5, active_weight => 1001);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 5, min_active => -1);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 5, max_active => 2, min_active => 3);
ALTER ROLE regress_padv_app SET pool_advisor.active_weight = 0;
SELECT * FROM pool_advisor.set_limit('pg_monitor', max_sessions => 5);
SELECT pool_advisor.clear_limit('regress_padv_nobody');
SELECT * FROM stored WHERE rolname = 'regress_padv_app';

-- a number without a unit is seconds wherever it is given
SELECT queue_timeout FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 7, queue_length => 1, queue_timeout => '30');
ALTER ROLE regress_padv_app SET pool_advisor.queue_timeout = '31';
SELECT queue_timeout FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 7);
ALTER ROLE regress_padv_app SET pool_advisor.queue_timeout = 0.25;
SELECT queue_timeout FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 7);
ALTER ROLE regress_padv_app SET pool_advisor.session_idle_timeout = '0.0001';
SELECT session_idle_timeout FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 7, min_sessions => 0);

-- shares of the server's slots: of a role, which has them from the default; of others if they are set
BEGIN;
SELECT scope, rolname, datname, active_weight, min_active FROM pool_advisor.set_limit(active_weight => 2);
SELECT scope, rolname, datname, active_weight, min_active FROM pool_advisor.set_limit('regress_padv_app', min_active => 1);
SELECT scope, rolname, datname, active_weight, min_active FROM pool_advisor.set_limit('regress_padv_group', max_active => 9);
SELECT scope, rolname, datname, active_weight, min_active FROM pool_advisor.set_limit('regress_padv_group', min_active => 9);
SELECT scope, rolname, datname, active_weight, min_active FROM pool_advisor.set_limit(database => 'postgres', active_weight => 1000);
ROLLBACK;

-- in a session it does nothing, and says so; nothing is said at login
SET pool_advisor.max_sessions = 3;
SET pool_advisor.queue_timeout = '3 s';
SET pool_advisor.max_active = 3;
SELECT set_config('pool_advisor.min_sessions', '3', false);
RESET pool_advisor.max_sessions;
\c -

-- warnings: it is done, but does not do what one may think
SELECT * FROM pool_advisor.set_limit();
SELECT * FROM pool_advisor.set_limit('regress_padv_group');
BEGIN;
SELECT max_sessions FROM pool_advisor.set_limit(max_sessions => 0);
SELECT max_sessions FROM pool_advisor.set_limit('regress_padv_group', max_sessions => 0);
SELECT max_sessions FROM pool_advisor.set_limit('regress_padv_group', 'postgres', max_sessions => 0);
SELECT max_sessions FROM pool_advisor.set_limit(max_sessions => 5);
SELECT max_active FROM pool_advisor.set_limit(max_active => 5);
ROLLBACK;
BEGIN;
SELECT pool_advisor.clear_limit('regress_padv_app');
SELECT pool_advisor.clear_limit();
SELECT queue_length FROM pool_advisor.set_limit('regress_padv_app', queue_length => 100);
SELECT queue_timeout FROM pool_advisor.set_limit('regress_padv_app', queue_timeout => '1 s');
SELECT queue_timeout FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 2, queue_length => 0, queue_timeout => '1 s');
SELECT session_idle_timeout FROM pool_advisor.set_limit('regress_padv_app', session_idle_timeout => '1 min');
SELECT min_sessions FROM pool_advisor.set_limit(database => 'postgres', min_sessions => 1);
SELECT min_sessions FROM pool_advisor.set_limit('regress_padv_app', min_sessions => 1);
ROLLBACK;
SELECT * FROM pool_advisor.set_limit('regress_padv_super', max_sessions => 1);
SELECT * FROM pool_advisor.set_limit('regress_padv_app', queue_timeout => '1 hour');

-- a superuser is under no limit, and the views do not say that it is
SELECT comes_true($$count(*) = 1 FROM pool_advisor.limits WHERE rolname = 'regress_padv_super'$$);
SELECT scope, rolname, max_sessions, in_use, headroom, enforcement, gate_enforcement
FROM pool_advisor.limits WHERE rolname = 'regress_padv_super';
SELECT count(*) FROM pool_advisor.metrics WHERE rolname = 'regress_padv_super' AND name ~ '_cap_';

-- a role without the right changes nothing, not even for itself; it can be granted
SET ROLE regress_padv_app;
SELECT * FROM pool_advisor.set_limit('regress_padv_app', max_sessions => 100);
ALTER ROLE regress_padv_app SET pool_advisor.max_sessions = 100;
SET pool_advisor.max_sessions = 100;
RESET ROLE;
GRANT EXECUTE ON FUNCTION pool_advisor.set_limit TO regress_padv_app;
SET ROLE regress_padv_app;
SELECT * FROM pool_advisor.set_limit('regress_padv_member', max_sessions => 2);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION pool_advisor.set_limit FROM regress_padv_app;
SELECT comes_true($$max_sessions = 2 FROM pool_advisor.limits WHERE rolname = 'regress_padv_member'$$);

-- a search path of the caller's changes nothing
CREATE SCHEMA regress_padv_hijack;
CREATE FUNCTION regress_padv_hijack.int4eq(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT false';
SET search_path = regress_padv_hijack, pg_catalog;
SELECT * FROM pool_advisor.set_limit('regress_padv_member', max_sessions => 3);
RESET search_path;
DROP SCHEMA regress_padv_hijack CASCADE;

-- limits follow a rename, and go with the role
ALTER ROLE regress_padv_member RENAME TO regress_padv_renamed;
SELECT comes_true($$max_sessions = 3 FROM pool_advisor.limits WHERE rolname = 'regress_padv_renamed'$$);
DROP ROLE regress_padv_renamed;
SELECT comes_true('count(*) = 0 FROM pool_advisor.limits WHERE max_sessions = 3 AND datname IS NULL');

-- the budget: what may connect against what can
SELECT comes_true($$verdict = 'fits' FROM pool_advisor.budget WHERE name = 'regress_padv_app'$$);
ALTER ROLE regress_padv_app CONNECTION LIMIT 4;
SELECT comes_true($$committed = 4 FROM pool_advisor.budget WHERE name = 'regress_padv_app'$$);
ALTER ROLE regress_padv_app SET pool_advisor.max_sessions = 10000;
ALTER ROLE regress_padv_app CONNECTION LIMIT -1;
SELECT comes_true($$committed = 10000 FROM pool_advisor.budget WHERE name = 'regress_padv_app'$$);
SELECT scope, name, committed, available, verdict FROM pool_advisor.budget
WHERE name IN ('', 'regress_padv_app') ORDER BY scope COLLATE "C";
SELECT comes_true($$EXISTS (SELECT FROM pool_advisor.advice WHERE code = 'limits_exceed_connections')$$);

SELECT pool_advisor.clear_limit();
SELECT pool_advisor.clear_limit('regress_padv_super');
DROP ROLE regress_padv_app, regress_padv_super, regress_padv_group,
    "regress ""; DROP ROLE regress_padv_app; --";
SELECT comes_true('count(*) = 0 FROM pool_advisor.limits');
SELECT * FROM stored;
DROP VIEW stored;
DROP EXTENSION pool_advisor;
