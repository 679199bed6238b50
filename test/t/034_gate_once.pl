# Each way through the gate once, with few clients: short enough for memcheck, under
# which instrumented.sh runs it. What holds for many is in 030_gate.pl.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('once', "max_connections = 30\nmax_prepared_transactions = 2\n");
$node->safe_psql('postgres', <<"SQL");
ALTER ROLE app IN DATABASE postgres SET plan_cache_mode = force_generic_plan;
GRANT ALL ON SCHEMA public TO app;
SET ROLE app;
CREATE TABLE t (a int);
$SPIN
SQL

# --- each kind of beginning waits, and goes on ---
my %beginnings = (
	'BEGIN' => 'BEGIN; INSERT INTO t VALUES (1); SELECT 7; COMMIT;',
	'a query' => 'SELECT 7;',
	'repeatable read' => q{SET default_transaction_isolation = 'repeatable read'; SELECT count(*) > 100 FROM t; SELECT 7;},
	'serializable' => q{SET default_transaction_isolation = 'serializable'; INSERT INTO t VALUES (2); SELECT 7;},
	'a cursor' => 'BEGIN; DECLARE c CURSOR FOR SELECT 7; FETCH c; COMMIT;',
	'DO' => q{DO 'BEGIN INSERT INTO t VALUES (3); COMMIT; INSERT INTO t VALUES (3); END'; SELECT 7;},
	'a chain' => 'BEGIN ISOLATION LEVEL REPEATABLE READ; COMMIT AND CHAIN; SELECT 7; COMMIT;',
	'two phases' => q{BEGIN; INSERT INTO t VALUES (4); PREPARE TRANSACTION 'two'; COMMIT PREPARED 'two'; SELECT 7;},
);
server_max_active($node, 1);
fill($node, 1);
my @waiting = map { client($node, 'app', $_) } @beginnings{ sort keys %beginnings };
wait_for_gate($node, 'waiting = ' . keys %beginnings, 'all of these wait: ' . join(', ', sort keys %beginnings));
let_go();
foreach my $client (@waiting)
{
	like(finish($client), qr/7/, 'one that waited is done');
	is($client->{err}, '', 'without an error');
}
nothing_left($node, 'beginnings');

# --- several clients in turn, in each protocol; a turn stays with one for some transactions ---
foreach my $mode ('simple', 'extended', 'prepared')
{
	my $script = $node->basedir . "/$mode.sql";

	append_to_file($script, "SELECT count(*) FROM t;\nINSERT INTO t VALUES (5) RETURNING a \\gset\nEXPLAIN SELECT 1;\n");
	$node->command_like([ 'pgbench', '-n', '-M', $mode, '-c', 4, '-t', 10, '-f', $script, $node->connstr('postgres') . ' user=app' ],
		qr/40\/40/, "four clients through one turn, $mode");
}
nothing_left($node, 'protocols');

# --- waits that end otherwise ---
fill($node, 1);
my %ends = (
	pg_cancel_backend => qr/canceling statement due to user request/,
	pg_terminate_backend => qr/terminating connection due to administrator command/);
foreach my $end (sort keys %ends)
{
	my $client = client($node, 'app', q{SELECT 'waiter';});
	wait_for_gate($node, 'waiting = 1');
	$node->safe_psql('postgres', qq{SELECT $end(pid) FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%waiter%'});
	wait_for_gate($node, 'waiting = 0', "$end ends a wait");
	finish($client);
	like($client->{err}, $ends{$end}, "$end: the client is told");
}
my $gone = client($node, 'app', q{SELECT 'waiter';});
wait_for_gate($node, 'waiting = 1');
hang_up($gone);
wait_for_gate($node, 'waiting = 0', 'a client that is gone does not wait');

# --- limits, limits and enforcement change, and the extension goes, while somebody waits ---
my @line = map { client($node, 'app', 'SELECT spin(1);') } 1 .. 4;
wait_for_gate($node, 'waiting = 4');
server_max_active($node, 3);
wait_for_gate($node, 'running = 3 AND waiting = 2', 'a higher limit lets in');
server_max_active($node, 1);
$node->safe_psql('postgres', q{SELECT pool_advisor.set_limit('app', max_active => 1)});
wait_for_limits($node, q{rolname = 'app' AND max_active = 1});
is(gate($node, 'waiting'), 2, 'a limit of the role lets in nobody');
$node->safe_psql('postgres', q{SELECT pool_advisor.clear_limit('app'); DROP EXTENSION pool_advisor; CREATE EXTENSION pool_advisor});
is(gate($node, 'running'), 3, 'the extension was dropped and is back');
$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.gate_enforcement = 'observe'});
$node->reload;
wait_for_gate($node, 'running = 5 AND waiting = 0', 'gate_enforcement = observe lets in who waits');
$node->safe_psql('postgres', 'SELECT 1', connstr => $node->connstr('postgres') . ' user=app');
cmp_ok(gate($node, 'would_wait_total'), '>', 0, 'and counts who would');
$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.enforcement = 'off'});
$node->reload;
wait_for($node, q{setting = 'off' FROM pg_settings WHERE name = 'pool_advisor.enforcement'});
is($node->safe_psql('postgres', 'SELECT 7', connstr => $node->connstr('postgres') . ' user=app'), 7, 'without enforcement all pass');
$node->safe_psql('postgres', "ALTER SYSTEM RESET pool_advisor.enforcement;\nALTER SYSTEM RESET pool_advisor.gate_enforcement");
$node->reload;
let_go();
finish($_) foreach @line;
wait_for($node, q{setting = 'on' FROM pg_settings WHERE name = 'pool_advisor.enforcement'});
nothing_left($node, 'changes');

# --- nobody waits for those who do nothing; auto ---
my $locker = client($node, 'app', q{BEGIN; LOCK TABLE t; SELECT 'locked';});
says($locker, qr/locked/);
my $blocked = client($node, 'app', q{SELECT count(*) > 0 FROM t; SELECT 'read';});
wait_for($node, q{EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'app' AND wait_event_type = 'Lock')});
is($node->safe_psql('postgres', 'SELECT 7', connstr => $node->connstr('postgres') . ' user=app'), 7, 'the idle and the blocked keep nobody waiting');
goes_on($locker, 'COMMIT;');
like(finish($blocked), qr/read/, 'the blocked one goes on');
finish($locker);
server_max_active($node, 'auto');
wait_for_gate($node, q{state = 'not full'}, 'auto is on');
isnt($node->safe_psql('postgres', 'SELECT pool_advisor.explain()'), '', 'and is explained');
nothing_left($node, 'auto');
$node->stop;

done_testing();
