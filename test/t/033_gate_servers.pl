# The gate and what else a server does: a standby that confirms late or not at all,
# waits for WAL, parallel workers, locks of buffers, autovacuum, subscriptions, triggers at login, a standby
# of its own that is promoted.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('primary', "wal_level = logical\nautovacuum_naptime = 1s\nmax_parallel_workers = 4\nmax_standby_streaming_delay = 200ms\n");
my $app = $node->connstr('postgres') . ' user=app';
$node->safe_psql('postgres', <<"SQL");
GRANT ALL ON SCHEMA public TO app;
SET ROLE app;
CREATE TABLE t AS SELECT generate_series(1, 20000) AS a;
CREATE TABLE in_the_way ();
$SPIN
SQL
server_max_active($node, 1);

# --- synchronous replication: a commit that waits for a standby that is not there ---
$node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = 'nobody'});
$node->reload;
my @committing;
for my $number (1 .. 2)
{
	push @committing, client($node, 'app', "INSERT INTO t VALUES ($number); SELECT 'confirmed';");
	wait_for($node, qq{count(*) = $number FROM pg_stat_activity WHERE usename = 'app' AND wait_event = 'SyncRep'},
		"commit $number waits for a standby, and has let in who came after it");
}
is($node->safe_psql('postgres', 'SELECT count(*) > 0 FROM t', connstr => $app), 't', 'who only reads gets in and is done');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET synchronous_standby_names');
$node->reload;
like(finish($_), qr/confirmed/, 'the commits end when nobody needs to confirm them') foreach @committing;
nothing_left($node, 'synchronous replication');
wait_for_gate($node, 'max_active_effective = 1', 'the limit is what it was');

# --- who waits for WAL that others have to write does nothing ---
SKIP:
{
	skip 'WAIT FOR is there from PostgreSQL 19 on', 3
	  if $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')::int < 190000}) eq 't';
	my $wait = q{WAIT FOR LSN 'FFFFFFFF/0' WITH (MODE 'primary_flush');};
	my $waiters = q{FROM pg_stat_activity WHERE usename = 'app' AND wait_event = 'WaitForWalFlush'};

	my $in_block = client($node, 'app', "BEGIN; $wait");
	wait_for($node, "count(*) = 1 $waiters");
	is($node->safe_psql('postgres', 'SELECT 7', connstr => $app), 7, 'nobody waits for one that waits for WAL');
	fill($node, 1);
	my $alone = client($node, 'app', $wait);
	wait_for($node, "count(*) = 2 $waiters", 'one that only waits for WAL needs no turn');
	$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) $waiters");
	let_go();
	finish($_) foreach $in_block, $alone;
	nothing_left($node, 'WAL');
}

# --- parallel query: the workers of a query are no transactions of their own ---
my $parallel = join('', map { "SET $_;\n" } 'parallel_setup_cost = 0', 'parallel_tuple_cost = 0',
	'min_parallel_table_scan_size = 0', 'max_parallel_workers_per_gather = 2');
my $plan = $node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT sum(a) FROM t", connstr => $app);
like($plan, qr/Workers Launched: 2/, 'a query with two workers runs under a limit of one');
fill($node, 1);
my @parallel = map { client($node, 'app', "$parallel SELECT sum(a) FROM t WHERE a > 2;") } 1 .. 3;
wait_for_gate($node, 'waiting = 3', 'three of them wait, as three');
let_go();
like(finish($_), qr/^200009997$/m, 'and are done') foreach @parallel;
nothing_left($node, 'parallel query');

# --- who waits for the lock of a buffer is at work; a scan that spins in the comparison of an
# index holds one, as long as somebody else holds the advisory lock ---
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION slowly(a int, b int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('compare.slowly', true) = 'yes' THEN
		RAISE NOTICE 'compares';
		PERFORM spin(2);
	END IF;
	RETURN sign(a - b);
END $$;
CREATE OPERATOR CLASS slow_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
	OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 slowly(int, int);
CREATE TABLE compared AS SELECT 1 AS a;
CREATE INDEX ON compared (a slow_ops);
GRANT ALL ON compared TO app;
SQL
my $holder = client($node, $superuser, q{SELECT pg_advisory_lock(2), 'held';});
says($holder, qr/held/);
my $scan = client($node, $superuser, q{SET compare.slowly = 'yes'; SET enable_seqscan = off; SELECT count(*) FROM compared WHERE a = 1;});
$scan->{run}->pump until $scan->{err} =~ /compares/;
my $busy = client($node, 'app', q{INSERT INTO compared VALUES (1); SELECT 'inserted';});
wait_for($node, q{count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO compared%'
	AND (wait_event_type = 'Buffer' OR wait_event_type = 'LWLock' AND wait_event = 'BufferContent')},
	'an insert waits for the lock of a buffer');
my $overcommitted = gate($node, 'overcommitted_total');
my $behind = client($node, 'app', q{SELECT 'behind';});
wait_for_gate($node, 'waiting = 1');
my $samples = $node->safe_psql('postgres', 'SELECT samples_total FROM pool_advisor.status');
wait_for($node, "samples_total > $samples + 10 AND waiting_lwlock = 1 FROM pool_advisor.status", 'and is counted so');
is($node->safe_psql('postgres', "SELECT waiting, overcommitted_total - $overcommitted FROM pool_advisor.gate"), '1|0',
	'nobody is let in for that');
finish($holder);
like(finish($busy), qr/inserted/, 'it goes on');
finish($_) foreach $scan, $behind;
nothing_left($node, 'the lock of a buffer');

# --- processes of the server do not stand in the queue ---
fill($node, 1);
$node->safe_psql('postgres', 'ALTER TABLE t SET (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
	ALTER SYSTEM SET autovacuum = on; DELETE FROM t WHERE a < 100');
$node->reload;
wait_for($node, q{autovacuum_count > 0 FROM pg_stat_user_tables WHERE relname = 't'}, 'autovacuum works while the gate is full');
let_go();
$node->safe_psql('postgres', 'ALTER SYSTEM SET autovacuum = off');
$node->reload;
nothing_left($node, 'autovacuum');

# nor does what a subscription sends and receives, whose role is an ordinary one
$node->safe_psql('postgres', <<'SQL');
ALTER ROLE app REPLICATION;
CREATE TABLE published AS SELECT generate_series(1, 100) AS a;
GRANT SELECT ON published TO app;
CREATE PUBLICATION sent FOR TABLE published;
CREATE DATABASE subscriber;
SQL
$node->safe_psql('postgres', q{SELECT pg_create_logical_replication_slot('received', 'pgoutput')});
$node->safe_psql('subscriber', 'CREATE TABLE published (a int)');
my $waited = gate($node, 'waited_total');
fill($node, 1);
$node->safe_psql('subscriber', "CREATE SUBSCRIPTION received CONNECTION \$\$$app\$\$ PUBLICATION sent WITH (create_slot = false)");
ok($node->poll_query_until('subscriber', 'SELECT count(*) = 100 FROM published'), 'a subscription copies its table while the gate is full');
$node->safe_psql('postgres', 'INSERT INTO published VALUES (101)');
ok($node->poll_query_until('subscriber', 'SELECT count(*) = 101 FROM published'), 'and receives what is committed');
is(gate($node, 'waiting + waited_total'), $waited, 'and no process of it has waited');
let_go();
$node->safe_psql('subscriber', 'DROP SUBSCRIPTION received');
$node->safe_psql('postgres', 'DROP DATABASE subscriber');
$node->safe_psql('postgres', 'ALTER ROLE app NOREPLICATION; DROP TABLE published');
nothing_left($node, 'a subscription');

# --- a login does not, whatever its triggers do ---
SKIP:
{
	skip 'event triggers at login are there from PostgreSQL 17 on', 5
	  if $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')}) < 170000;
	$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION at_login() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM count(*) FROM public.t; END';
CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION at_login();
SQL
	fill($node, 1);
	my $client = wire($node, 'app', patience => 20);
	is($client->value('SHOW work_mem'), '4MB', 'a trigger works at login while the gate is full');
	$client->simple('SELECT 1');
	wait_for_gate($node, 'waiting = 1', 'and the first statement waits');
	let_go();
	is($client->result->{rows}, "1\n", 'until there is a slot');
	$client->close;
	$node->safe_psql('postgres', 'DROP EVENT TRIGGER at_login');
	nothing_left($node, 'a trigger at login');
}

# --- a standby has a gate of its own ---
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);

# what the primary removes must not end the statements that hold slots here
$standby->append_conf('postgresql.conf', 'hot_standby_feedback = on');
$standby->start;
wait_for($node, 'count(*) = 1 FROM pg_stat_replication WHERE backend_xmin IS NOT NULL');
$node->wait_for_catchup($standby);
wait_for_gate($standby, 'max_active = 1', 'a standby has the limit of its configuration');
fill($standby, 1);
my $reader = client($standby, 'app', q{SELECT count(*) > 0 FROM in_the_way;});
wait_for_gate($standby, 'waiting = 1', 'who reads there waits there');
$node->safe_psql('postgres', 'DROP TABLE in_the_way');
$node->wait_for_catchup($standby);
is(gate($standby, 'waiting'), 1, 'recovery that needs its table does not wait for it');
let_go();
finish($reader);
unlike(slurp_file($standby->logfile), qr/conflict with recovery/, 'nor end any statement');
like($reader->{err}, qr/relation "in_the_way" does not exist/, 'it finds what is there after the wait');

# Waiters that keep a lock or a snapshot are let in when the replay of WAL waits for it, as for
# a session.  The one that works has neither.
$node->safe_psql('postgres', 'CREATE TABLE read_there AS SELECT 1 AS a; GRANT SELECT ON read_there TO app');
$standby->safe_psql('postgres', $_) foreach 'ALTER SYSTEM SET max_standby_streaming_delay = -1', 'ALTER SYSTEM SET hot_standby_feedback = off';
$standby->reload;
wait_for($node, 'count(*) = 1 FROM pg_stat_replication WHERE backend_xmin IS NULL');
foreach my $case ([ 'ALTER TABLE', 'ALTER TABLE read_there ADD COLUMN b int' ], [ 'VACUUM', 'DELETE FROM read_there', 'VACUUM (TRUNCATE off) read_there' ])
{
	my ($name, @changes) = @$case;
	my @readers = map { wire($standby) } 1 .. 5;
	my $working = wire($standby);

	$node->wait_for_catchup($standby);

	# a statement without a name that an earlier transaction has prepared
	$_->parse('SELECT count(*) FROM read_there')->sync->result foreach @readers;
	$working->simple(q{DO 'BEGIN COMMIT; LOOP NULL; END LOOP; END'});
	wait_for_gate($standby, 'running = 1');
	$_->bind->execute->sync foreach @readers;
	wait_for_gate($standby, 'waiting = 5', "$name: five wait");
	is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
		WHERE relation = 'read_there'::regclass AND backend_xmin IS NOT NULL}), 5, "$name: each keeps a lock and a snapshot");
	$node->safe_psql('postgres', $_) foreach @changes;
	$node->wait_for_catchup($standby);
	is(gate($standby, 'running'), 1, "$name: recovery goes on while the only slot is in use");
	is(join(' ', map { Wire::told($_->result) } @readers), '1 1 1 1 1', "$name: the five have been let in");
	$standby->safe_psql('postgres', "SELECT pg_cancel_backend($working->{pid})");
	is($working->result->{error}, '57014', "$name: the one with the slot worked all the time");
	$_->close foreach @readers, $working;
	nothing_left($standby, $name);
}
$standby->safe_psql('postgres', 'ALTER SYSTEM RESET max_standby_streaming_delay');
$standby->reload;
fill($standby, 1);

my @waiting = map { client($standby, 'app', q{SELECT pg_is_in_recovery(), 'read';}) } 1 .. 3;
wait_for_gate($standby, 'waiting = 3', 'others wait');
$standby->promote;
wait_for_gate($standby, 'waiting = 3 AND running = 1', 'through a promotion');
my $writer = client($standby, 'app', q{BEGIN; INSERT INTO t VALUES (-1); COMMIT; SELECT 'written';});
wait_for_gate($standby, 'waiting = 4', 'after it writers wait too');
let_go();
like(finish($_), qr/^f\|read$/m, 'who began to wait before it is done') foreach @waiting;
like(finish($writer), qr/written/, 'and who came after it');
nothing_left($standby, 'promotion');

done_testing();
