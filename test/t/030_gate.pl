# The line in front of transactions: who waits where, with what in hands, how each
# wait and each turn ends, and that nobody waits for those who do nothing.
#
# A transaction that runs for as long as a test wants spins on a try-lock, so that
# it is on CPU; the superuser who holds the lock is exempt.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('gate', "max_prepared_transactions = 5\nmax_connections = 80\n");
$node->safe_psql('postgres', <<'SQL');
ALTER ROLE app IN DATABASE postgres SET plan_cache_mode = force_generic_plan;
GRANT ALL ON SCHEMA public TO app;
SET ROLE app;
CREATE TABLE t (a int);
CREATE TABLE other (a int);
INSERT INTO t VALUES (1);
CREATE PROCEDURE commit_inside(n int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..n LOOP
		INSERT INTO other VALUES (i);
		COMMIT;
	END LOOP;
END $$;
SQL
$node->safe_psql('postgres', "SET ROLE app; $SPIN");

my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# pgbench runs a script once, in a mode of the protocol
sub pgbench
{
	my ($mode, $name, $script, $transactions, $clients) = @_;
	my $file = $node->basedir . "/$name.sql";
	my %client = (out => '', err => '');

	append_to_file($file, $script);
	$client{run} = IPC::Run::start(
		[ 'pgbench', '-n', '-M', $mode, '-t', $transactions // 1, '-c', $clients // 1, '-j', $clients // 1,
			'-f', $file, $node->connstr('postgres') . ' user=app' ],
		'<', \undef, '>', \$client{out}, '2>', \$client{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%client;
}

is(gate($node, 'state'), 'off', 'at first nothing is limited');
server_max_active($node, 1);
is(gate($node, 'state'), 'fixed', 'then it is');

# --- who waits, and who passes ---
my %statements = (
	'BEGIN' => 'BEGIN; SELECT 7; COMMIT;',
	'a savepoint' => 'BEGIN; SAVEPOINT s; SELECT 7; COMMIT;',
	'PREPARE' => 'PREPARE p AS SELECT 7; EXECUTE p;',
	'a query' => 'SELECT 7;',
	'DO' => q{DO 'BEGIN NULL; END'; SELECT 7;},
	'CALL' => 'CALL commit_inside(2); SELECT 7;',
	'COPY' => "COPY t TO STDOUT; SELECT 7;",
	'CREATE INDEX' => 'CREATE INDEX ON t (a); SELECT 7;',
	'VACUUM' => 'VACUUM t; SELECT 7;',
	'CREATE TABLE AS' => 'CREATE TABLE made AS SELECT 7 AS a; DROP TABLE made; SELECT 7;',
	'EXPLAIN ANALYZE' => 'EXPLAIN ANALYZE SELECT 7; SELECT 7;',
	'a cursor' => 'BEGIN; DECLARE c CURSOR FOR SELECT 7; FETCH c; COMMIT;',
);
fill($node, 1);
my @waiting = map { client($node, 'app', $_) } @statements{ sort keys %statements };
wait_for_gate($node, 'waiting = ' . keys %statements, 'every kind of statement that works waits: ' . join(', ', sort keys %statements));
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND wait_event_type = 'Extension'
	AND backend_xmin IS NOT NULL}), 0, 'who waits holds no snapshot');
wait_for($node, "queued = 12 AND active BETWEEN 1 AND 2 FROM pool_advisor.status", 'status counts them as queued, not as active');
is($node->safe_psql('postgres', q{SELECT queued FROM pool_advisor.roles WHERE rolname = 'app'}), 12, 'and so does the role');
my $passing = client($node, 'app', "SET work_mem = '5MB'; SHOW work_mem; LISTEN news; UNLISTEN news; BEGIN; SAVEPOINT s; ROLLBACK TO s; COMMIT; ROLLBACK; DISCARD TEMP; \\echo passed");
says($passing, qr/passed/);
pass('commands that do no work pass');
finish($passing);
is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), 1, 'a superuser passes');
push @waiting, client($node, $superuser, q{SET SESSION AUTHORIZATION app; SELECT 7;});
wait_for_gate($node, 'waiting = 13', 'but not as somebody else');
let_go();
foreach my $client (@waiting)
{
	like(finish($client), qr/7/, 'one that waited is done');
	is($client->{err}, '', 'without an error');
}
nothing_left($node, 'after statements of each kind');
cmp_ok(gate($node, 'waited_total'), '>=', 10, 'they were counted');
cmp_ok($node->safe_psql('postgres', q{SELECT transactions_queued_total FROM pool_advisor.roles WHERE rolname = 'app'}),
	'>=', 10, 'for their role too');
cmp_ok(gate($node, 'wait_seconds_total'), '>', 0, 'and their time was');

# --- the snapshot is of after the wait, in each protocol and isolation level ---
my $rows = 1;
$node->safe_psql('postgres', 'DELETE FROM other');
foreach my $isolation ('read committed', 'repeatable read', 'serializable')
{
	$node->safe_psql('postgres', "ALTER ROLE app SET default_transaction_isolation = '$isolation'");
	foreach my $mode ('simple', 'extended', 'prepared')
	{
		my $name = "$isolation, $mode";
		(my $file = $name) =~ s/\W/_/g;
		fill($node, 1);
		my $reader = pgbench($mode, $file, <<'SCRIPT');
UPDATE t SET a = a WHERE a = 1 RETURNING (SELECT count(*) FROM t) AS n \gset
INSERT INTO other VALUES (:n);
SCRIPT
		wait_for_gate($node, 'waiting = 1');
		is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND query NOT LIKE '%spin%' AND backend_xmin IS NOT NULL}),
			0, "$name: no snapshot is held in the queue");
		$node->safe_psql('postgres', 'INSERT INTO t VALUES (2); UPDATE t SET a = 1 WHERE a = 1');
		$rows++;
		let_go();
		$reader->{run}->finish;
		unlike($reader->{err}, qr/ERROR|abort/, "$name: no error after the wait");
		is($node->safe_psql('postgres', 'SELECT max(a) FROM other'), $rows, "$name: it sees what was committed while it waited");
	}
}

# A plan that is cached already is met at the start of the executor, or of the portal. It
# runs often enough for the limit to be what it was before the wait for the lock.
my %first = (
	'a query' => "SELECT count(*) AS n FROM t \\gset\nINSERT INTO other VALUES (:n) RETURNING a \\gset\n",
	'RETURNING' => "INSERT INTO other SELECT count(*) FROM t RETURNING a \\gset\n");
foreach my $case (map { my $isolation = $_; map { [ $isolation, $_ ] } sort keys %first }
	'read committed', 'repeatable read', 'serializable')
{
	my ($isolation, $first) = @$case;
	$node->safe_psql('postgres', "ALTER ROLE app SET default_transaction_isolation = '$isolation'; DELETE FROM other");
	my $lock = client($node, $superuser, 'SELECT pg_advisory_lock(3), 1;');
	says($lock, qr/1/);
	my $name = "cached plan, $isolation, $first";
	(my $file = $name) =~ s/\W/_/g;
	my $reader = pgbench('prepared', $file, $first{$first} . <<'SCRIPT', 200);
UPDATE t SET a = a WHERE a = 1;
SELECT pg_advisory_lock_shared(3), pg_advisory_unlock_shared(3);
\sleep 2 ms
SCRIPT
	wait_for($node, q{EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'app' AND wait_event = 'advisory')});
	fill($node, 1);
	finish($lock);
	wait_for_gate($node, 'waiting = 1');

	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND query NOT LIKE '%spin%' AND backend_xmin IS NOT NULL}),
		0, "$name: no snapshot is held in the queue");
	$node->safe_psql('postgres', 'INSERT INTO t VALUES (2); UPDATE t SET a = 1 WHERE a = 1');
	$rows++;
	let_go();
	$reader->{run}->finish;
	unlike($reader->{err}, qr/ERROR|abort/, "$name: no error after the wait");
	is($node->safe_psql('postgres', 'SELECT max(a) FROM other'), $rows, "$name: it sees what was committed while it waited");
}
$node->safe_psql('postgres', 'ALTER ROLE app RESET default_transaction_isolation');
nothing_left($node, 'after the protocols');

# --- but not one that was asked for, or that a fast-path call has read with ---
my $exporter = client($node, $superuser, q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'snapshot ' || pg_export_snapshot();});
says($exporter, qr/snapshot \S+\n/);
my ($snapshot) = $exporter->{out} =~ /snapshot (\S+)/;
my $counted = $node->safe_psql('postgres', 'SELECT count(*) FROM t');
my $object = $node->safe_psql('postgres', q{SET ROLE app; SELECT lo_from_bytea(0, 'x')});
# the first time psql looks the functions up with a statement
my $chained = client($node, 'app', "\\lo_export $object /dev/null\nBEGIN ISOLATION LEVEL REPEATABLE READ; COMMIT AND CHAIN;\n\\lo_export $object /dev/null\n\\echo exported");
says($chained, qr/exported/);

# it has a slot, which it gives back to the first that needs one
$node->safe_psql('postgres', 'SELECT 1', connstr => $node->connstr('postgres') . ' user=app');
wait_for_gate($node, 'running = 0');
fill($node, 1);
$node->safe_psql('postgres', 'INSERT INTO t VALUES (2)');
my $importer = client($node, 'app', "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ\\; SET TRANSACTION SNAPSHOT '$snapshot'\\; SELECT 'rows', count(*) FROM t;");
goes_on($chained, q{SELECT 'rows', count(*) FROM t; COMMIT;});
wait_for_gate($node, 'waiting = 1');
let_go();
like(finish($importer), qr/rows\|$counted\n/, 'a snapshot that was imported is the one that is used after the wait');
like(finish($chained), qr/rows\|$counted\n/, 'a transaction that a fast-path call began goes on with its snapshot');
finish($exporter);
nothing_left($node, 'snapshots that are kept');

# --- however a wait ends, the gate is as before ---
my %ends = (
	'a cancel' => q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%waiter%'},
	'a termination' => q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%waiter%'},
);
foreach my $end (sort keys %ends)
{
	fill($node, 1);
	my $before = gate($node, 'cancelled_total');
	my $client = client($node, 'app', q{SELECT 'waiter';});
	wait_for_gate($node, 'waiting = 1');
	$node->safe_psql('postgres', $ends{$end});
	wait_for_gate($node, 'waiting = 0', "$end ends a wait");
	finish($client);
	like($client->{err}, qr/canceling statement due to user request|terminating connection due to administrator command/, "$end: the client is told");
	is(gate($node, 'cancelled_total'), $before + 1, "$end is counted");
	let_go();
	nothing_left($node, $end);
}
fill($node, 1);
my $client = client($node, 'app', q{SET statement_timeout = '200ms'; SELECT 'late'; BEGIN; SELECT 'also late';});
finish($client);
like($client->{err}, qr/statement timeout.*statement timeout/s, 'statement_timeout ends a wait, of a statement and of BEGIN');
$client = client($node, 'app', q{SELECT 'waiter';});
wait_for_gate($node, 'waiting = 1');
hang_up($client);
wait_for_gate($node, 'waiting = 0', 'a client that is gone does not wait');
let_go();
nothing_left($node, 'disconnect');

# --- who runs and ends in some way gives the turn back ---
foreach my $end (
	'SELECT 1/0;', 'BEGIN; SELECT 1; ROLLBACK;', q{BEGIN; SELECT 1; PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x';},
	'BEGIN; SELECT 1/0; SELECT 2; COMMIT;', 'SELECT pg_terminate_backend(pg_backend_pid());',
	'BEGIN; SAVEPOINT s; SELECT 1/0; ROLLBACK TO s; COMMIT AND CHAIN; SELECT 2; COMMIT;',
	"SELECT 1\\; SELECT 2\\; SET work_mem = '4MB'\\; SELECT 3;", q{LISTEN x; BEGIN; NOTIFY x; COMMIT;})
{
	finish(client($node, 'app', $end));
	nothing_left($node, $end);
}
finish(client($node, 'app', 'CALL commit_inside(100);'));
nothing_left($node, 'a procedure that commits inside');

# a procedure keeps its turn through the commits inside
my @callers = map { client($node, 'app', "CALL commit_inside(200); SELECT 'called';") } 1 .. 4;
like(finish($_), qr/called/, 'a procedure that commits inside, beside others') foreach @callers;
nothing_left($node, 'procedures beside each other');

# --- nobody waits for those who do nothing ---
my $idle = client($node, 'app', q{BEGIN; INSERT INTO other VALUES (0); SELECT 'idle';});
says($idle, qr/idle/);
is($node->safe_psql('postgres', 'SELECT 1', connstr => $node->connstr('postgres') . ' user=app'), 1,
	'one that is idle in its transaction keeps nobody waiting');
cmp_ok(gate($node, 'suspended_total'), '>=', 1, 'its turn was given to another');
fill($node, 1);
goes_on($idle, q{SELECT 'again'; COMMIT; SELECT 'out';});
says($idle, qr/again/);
pass('it goes on without waiting');
wait_for_gate($node, 'waiting = 1', 'and waits with its next transaction');
let_go();
finish($idle);
nothing_left($node, 'idle in transaction');

# the one who could go on stands in the queue behind the one who waits for him
my $locker = client($node, 'app', q{BEGIN; LOCK TABLE t; SELECT 'locked';});
says($locker, qr/locked/);
my @blocked = map { client($node, 'app', q{SELECT count(*) > 0 FROM t; SELECT 'read';}) } 1 .. 3;
wait_for($node, q{count(*) >= 1 FROM pg_stat_activity WHERE usename = 'app' AND wait_event_type = 'Lock'});
is($node->safe_psql('postgres', 'SELECT 1', connstr => $node->connstr('postgres') . ' user=app'), 1,
	'those who wait for a lock keep nobody else waiting');
goes_on($locker, q{COMMIT;});
like(finish($_), qr/read/, 'they go on when the lock is free') foreach @blocked;
finish($locker);
cmp_ok(gate($node, 'overcommitted_total'), '>=', 1, 'somebody was let in beyond the limit');
nothing_left($node, 'locks');
is(gate($node, 'max_active_effective'), 1, 'the limit is what it was') if gate($node, 'waiting') == 0;

# a command that needs a strong lock, with a reader in the queue who holds a weak one
fill($node, 1);
my $alter = client($node, 'app', q{ALTER TABLE t ADD COLUMN b int; SELECT 'altered';});
wait_for_gate($node, 'waiting = 1');
my $reader = client($node, 'app', q{SELECT count(*) > 0 FROM t; SELECT 'read';});
wait_for_gate($node, 'waiting = 2');
let_go();
like(finish($alter), qr/altered/, 'a strong lock behind a reader in the queue is had');
like(finish($reader), qr/read/, 'and the reader reads');
nothing_left($node, 'strong lock');

# one program with two connections: the second in the queue behind the first
my $first = client($node, 'app', q{BEGIN; SELECT pg_advisory_lock(5), 'first';});
says($first, qr/first/);
my $second = client($node, 'app', q{SELECT pg_advisory_lock(5); SELECT 'second';});
wait_for($node, q{EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'advisory')});
goes_on($first, q{SELECT pg_advisory_unlock(5); COMMIT;});
says($second, qr/second/);
pass('advisory locks across connections of one program');
finish($_) foreach $first, $second;
nothing_left($node, 'advisory locks');

# a wait that the server knows nothing of: for another session of its own, in the queue
my $psql = $node->config_data('--bindir') . '/psql';
$node->safe_psql('postgres', 'GRANT pg_execute_server_program TO app');
my $outer = client($node, 'app', qq{COPY other FROM PROGRAM \$\$$psql -XAtq -d "} . $node->connstr('postgres') . qq{ user=app" -c 'SELECT 7'\$\$; SELECT 'came back';});
says($outer, qr/came back/);
pass('a command that waits for a session in the queue gets it, though it has no wait event');
finish($outer);
nothing_left($node, 'a wait outside');

# --- limits of roles, groups and databases ---
server_max_active($node, 'off');
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE team NOLOGIN; CREATE ROLE one LOGIN IN ROLE team; CREATE ROLE two LOGIN IN ROLE team;
GRANT ALL ON SCHEMA public TO one, two;
SELECT pool_advisor.set_limit('app', max_active => 2);
SELECT pool_advisor.set_limit('team', max_active => 3);
SELECT pool_advisor.set_limit('one', max_active => 2);
SQL
wait_for_limits($node, q{rolname = 'one' AND max_active = 2});
is($node->safe_psql('postgres', q{SELECT max_active FROM pool_advisor.limits WHERE rolname = 'team'}), 3, 'limits has max_active');
fill($node, 2);
my $mine = client($node, 'app', q{SELECT 'mine';});
my $theirs = client($node, 'two', q{SELECT 'theirs';});
says($theirs, qr/theirs/);
wait_for_gate($node, 'waiting = 1', 'a role waits under its own limit, and others do not');
is($node->safe_psql('postgres', q{SELECT active_in_use FROM pool_advisor.limits WHERE rolname = 'app'}), 2, 'limits shows what runs under it');
let_go();
finish($_) foreach $mine, $theirs;
fill($node, 2, 'one');
my @more = map { client($node, $_, q{SELECT spin(1);}) } 'one', 'two', 'two';
wait_for_gate($node, 'running = 3 AND waiting = 2', 'a group bounds its members together, beside their own limits');
let_go();
finish($_) foreach @more;
nothing_left($node, 'groups');
$node->safe_psql('postgres', q{SELECT pool_advisor.clear_limit('app'); SELECT pool_advisor.clear_limit('team');
	SELECT pool_advisor.clear_limit('one'); SELECT pool_advisor.set_limit(database => 'postgres', max_active => 1)});
wait_for_limits($node, q{scope = 'database' AND max_active = 1});
fill($node, 1, 'one');
my $same = client($node, 'two', q{SELECT 'same';});
wait_for_gate($node, 'waiting = 1', 'a database bounds all its sessions');
my $elsewhere = client($node, 'two', q{SELECT 'elsewhere';}, database => 'template1');
says($elsewhere, qr/elsewhere/);
pass('and not those of another');
let_go();
finish($_) foreach $same, $elsewhere;
$node->safe_psql('postgres', q{SELECT pool_advisor.clear_limit(database => 'postgres'); SELECT pool_advisor.set_limit(max_active => 1)});
wait_for_limits($node, q{scope = 'default' AND max_active = 1});
fill($node, 1, 'one');
my @own = map { client($node, $_, q{SELECT 'own';}) } 'one', 'two';
says($own[1], qr/own/);
wait_for_gate($node, 'waiting = 1', 'the default bounds each role by itself');
$node->safe_psql('postgres', q{SELECT pool_advisor.clear_limit()});
says($own[0], qr/own/);
pass('a limit that is taken away lets in who waits');
let_go();
finish($_) foreach @own;
nothing_left($node, 'the default');

# --- limits that change while somebody waits ---
server_max_active($node, 1);
fill($node, 1);
my @line = map { wire($node)->simple('SELECT spin(1)') } 1 .. 40;
wait_for_gate($node, 'waiting = 40');
server_max_active($node, 3);
wait_for_gate($node, 'running = 3 AND waiting = 38', 'a higher limit lets in as many more');
server_max_active($node, 2);
is(gate($node, 'running'), 3, 'a lower one ends nobody');
server_max_active($node, 36);
wait_for_gate($node, 'running = 36 AND waiting = 5', 'a much higher one lets many in');
server_max_active($node, 'off');
wait_for_gate($node, 'waiting = 0', 'without a limit all run');
let_go();
is($_->result->{error}, undef, 'changes: each is done') foreach @line;
$_->close foreach @line;
nothing_left($node, 'changes');

server_max_active($node, 1);
fill($node, 1);
my $stuck = client($node, 'app', q{SELECT 'through';});
wait_for_gate($node, 'waiting = 1');
$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.gate_enforcement = 'observe'});
$node->reload;
says($stuck, qr/through/);
pass('gate_enforcement = observe lets in who waits');
finish($stuck);
my $would = gate($node, 'would_wait_total');
$node->safe_psql('postgres', q{SELECT 1}, connstr => $node->connstr('postgres') . ' user=app');
cmp_ok(gate($node, 'would_wait_total'), '>', $would, 'and counts who would wait');
$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.enforcement = 'off'});
$node->reload;
$node->safe_psql('postgres', q{SELECT 1}, connstr => $node->connstr('postgres') . ' user=app');
pass('enforcement = off lets everybody through');
$node->safe_psql('postgres', q{ALTER SYSTEM RESET pool_advisor.enforcement;
ALTER SYSTEM RESET pool_advisor.gate_enforcement});
$node->reload;
let_go();
nothing_left($node, 'enforcement');

# --- never more than the limit, never fewer while somebody waits, first come first served ---
# One message for each transaction: a client that is slow between two is idle, and would
# give its turn to others.
wait_for($node, q{setting = 'on' FROM pg_settings WHERE name = 'pool_advisor.enforcement'});
server_max_active($node, 3);
my $race = pgbench('simple', 'race', <<'SCRIPT', 200, 30);
BEGIN\;
SELECT pg_advisory_lock_shared(77) FROM generate_series(1, 1)\;
SELECT 1 / (count(*) <= 3)::int FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND granted\;
SELECT pg_advisory_unlock_shared(77)\;
COMMIT;
SCRIPT
$race->{run}->finish;
unlike($race->{err}, qr/ERROR|abort/, '30 clients in 6000 transactions: never more than 3 inside');
like($race->{out}, qr/6000\/6000/, 'and all are done');
nothing_left($node, 'the race');

# --- after a crash nobody is inside ---
fill($node, 3);
my $pid = $node->safe_psql('postgres', q{SELECT min(pid) FROM pg_stat_activity WHERE query LIKE '%spin%' AND usename = 'app'});
$node->safe_psql('postgres', 'ALTER SYSTEM SET restart_after_crash = on');
$node->reload;
kill 'KILL', $pid;
let_go();
poll($node, 'SELECT true');
wait_for_gate($node, 'max_active = 3 AND running = 0 AND waiting = 0', 'after a crash nobody is inside, and the limit is in force');

done_testing();
