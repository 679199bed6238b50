# Which waiters are let in beyond a limit because others may need them, and that the queue goes on
# without the worker, which decides that.
#
# Each wait is seen before the next step.  That nobody is let in is said after the worker has looked
# around for several samples, which is much longer than those that are let in wait.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('needs', "max_connections = 60\n");
my $admin = admin($node);
my $PATIENCE = $PostgreSQL::Test::Utils::timeout_default;
my $worker = $admin->value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});

$node->safe_psql('postgres', 'GRANT ALL ON SCHEMA public TO app; CREATE TABLE flags AS SELECT false AS done; GRANT ALL ON flags TO app');
$node->safe_psql('postgres', 'CREATE DATABASE second');
server_max_active($node, 1);

# A client with a statement that waits in the queue.
sub waiter
{
	my ($sql, $client) = @_;

	$client //= wire($node);
	$client->simple($sql);
	true_within($node, $PATIENCE, is_queued($client)) or die "$sql: is not in the queue";
	return $client;
}

# A client that has the slot and runs this.
sub holder
{
	my ($sql) = @_;
	my $client = wire($node);

	$client->simple('BEGIN; SELECT 1')->simple($sql);
	die "$sql: has no slot" if defined $client->result->{error};
	true_within($node, $PATIENCE, "state = 'active' AND query LIKE '%LOOP%' FROM pg_stat_activity WHERE pid = $client->{pid}") or die "$sql: is not running";
	return $client;
}

# The worker takes a sample every 100 ms, and looks around ten times as often.
sub some_looks
{
	my $samples = $admin->value('SELECT samples_total FROM pool_advisor.status');

	true_within($node, $PATIENCE, "samples_total > $samples + 8 FROM pool_advisor.status") or die 'the worker takes no samples';
	return;
}

sub overcommitted { return column($node, 'overcommitted_total'); }

# --- a session with an advisory lock is let in when nothing is granted, whoever holds the slot ---
foreach my $shared ('', '_shared')
{
	my $owner = wire($node);
	my @others = map { wire($node) } 1 .. 3;

	$owner->value("SELECT pg_advisory_lock$shared(7)");
	work($node, 1);
	my $before = overcommitted();
	waiter(q{SELECT 'other'}, $_) foreach @others;
	$owner->simple("SELECT pg_advisory_unlock$shared(7)");
	is(Wire::told($owner->result), 't', "the owner of a session-level lock$shared is let in, from the end of the queue");
	some_looks();
	is(column($node, 'waiting'), 3, 'those that hold no lock wait');
	is(overcommitted() - $before, 1, 'and one has been let in');

	# what it needs is over when the lock is released
	waiter(q{SELECT 'again'}, $owner);
	some_looks();
	is(column($node, 'waiting'), 4, 'without the lock the session waits as others do');
	is(overcommitted() - $before, 1, 'and is not let in');
	stop_work($node);
	is(join(' ', map { Wire::told($_->result) } @others, $owner), 'other other other again', 'all are done when the slot is free');
	$_->close foreach @others, $owner;
}
nothing_left($node, 'advisory locks');

# --- the same where the transaction keeps a snapshot, because its statement was prepared before ---
{
	my $owner = wire($node);

	$owner->value('SELECT pg_advisory_lock(7)');
	$owner->parse('SELECT pg_advisory_unlock(7)')->sync->result;
	my $poller = holder(q{DO 'BEGIN WHILE NOT pg_try_advisory_xact_lock(7) LOOP NULL; END LOOP; END'});
	my $before = column($node, 'overcommitted_total');
	$owner->bind('')->execute->sync;
	is(Wire::told(soon($node, $owner, $PATIENCE)), 't', 'snapshot: the owner of the lock is let in');
	is($poller->result->{error}, undef, 'snapshot: and what is polled for is there');
	is(column($node, 'overcommitted_total') - $before, 1, 'snapshot: as one that others need');
	$poller->ask('COMMIT');
	$_->close foreach $poller, $owner;
	nothing_left($node, 'a snapshot and an advisory lock');
}

# --- CREATE INDEX CONCURRENTLY waits for a snapshot, so its owner is let in ---
# It does not wait for those of another database, where the slot is in use.
{
	my $client = wire($node);
	my $index = wire($node, $admin->value('SELECT current_user'));

	my $busy = wire($node, 'app', database => 'second');

	$client->parse('SELECT 1')->sync->result;
	$busy->simple('SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS s');
	ok(true_within($node, $PATIENCE, "running = 1 FROM $GATE"), 'index: the slot is in use');
	setpriority(0, $busy->{pid}, 19);
	my @others = map { waiter('SELECT 2') } 1 .. 3;
	$client->bind('')->execute->sync;
	true_within($node, $PATIENCE, is_queued($client)) or die 'the client is not in the queue';
	like(held_by($node, $client), qr/a snapshot/, 'index: the statement was prepared before, so its snapshot is kept');
	$index->simple('CREATE INDEX CONCURRENTLY ON flags (done)');
	is(soon($node, $index, $PATIENCE)->{error}, undef, 'index: it is built while the slot is in use');
	is(column($node, 'running') . '|' . column($node, 'waiting'), '1|3', 'index: the others wait still');
	is(Wire::told($client->result), '1', 'index: whose snapshot was in the way has run');
	$admin->value("SELECT pg_cancel_backend($busy->{pid})");
	$_->result foreach $busy, @others;
	$_->close foreach $busy, @others, $client, $index;
	nothing_left($node, 'index');
}

# --- a lock of the transaction is none that is polled for while it waits: it has not been taken ---
{
	my $client = wire($node);

	$client->ask('BEGIN');
	work($node, 1);
	my $before = overcommitted();
	waiter('SELECT pg_advisory_xact_lock(7), pg_advisory_lock_shared(8)', $client);
	some_looks();
	is(overcommitted() - $before, 0, 'a session that would take locks is not let in for that');
	stop_work($node);
	is(defined $client->result->{error}, '', 'it takes them with a slot');
	$client->ask('COMMIT');
	$client->close;
}
nothing_left($node, 'locks to come');

# --- pollers, for what a session outside of the queue has: which are counted ---
# Each polls until the advisory lock is free, or the flag set.
my %pollers = (
	'a loop without a query' => [ q{DO 'BEGIN WHILE NOT pg_try_advisory_xact_lock(7) LOOP NULL; END LOOP; END'}, 'is counted' ],
	'a loop with short sleeps' => [ q{DO 'BEGIN WHILE NOT pg_try_advisory_xact_lock(7) LOOP PERFORM pg_sleep(0.003); END LOOP; END'}, 'is not counted' ],
	'a loop with a long sleep' => [ q{DO 'BEGIN WHILE NOT pg_try_advisory_xact_lock(7) LOOP PERFORM pg_sleep(0.2); END LOOP; END'}, 'is not counted' ],
	'a loop of one query' => [ q{DO 'BEGIN LOOP EXIT WHEN (SELECT done FROM flags); END LOOP; END'}, 'is not counted' ]);
foreach my $name (sort keys %pollers)
{
	my ($sql, $counted) = @{ $pollers{$name} };

	$admin->value('SELECT pg_advisory_lock(7); UPDATE flags SET done = false');
	my $poller = holder($sql);
	my $client = wire($node);
	my $before = overcommitted();
	$client->simple(q{SELECT 'work'});
	if ($counted eq 'is counted')
	{
		true_within($node, $PATIENCE, is_queued($client)) or die 'the client is not in the queue';
		some_looks();
		is(column($node, 'waiting') . ' waits, let in ' . (overcommitted() - $before), '1 waits, let in 0', "$name $counted: others wait");
	}
	else
	{
		is(Wire::told($client->result), 'work', "$name $counted: others come in");
	}
	is($poller->result_within(0), undef, "$name: while it polls");
	$admin->value('UPDATE flags SET done = true; SELECT pg_advisory_unlock(7)');
	is($poller->result->{error}, undef, "$name: it ends when it has what it polled for");
	is(Wire::told($client->result), 'work', "$name: then others come in") if $counted eq 'is counted';
	$poller->ask('COMMIT');
	$_->close foreach $poller, $client;
	nothing_left($node, $name);
}

# the same for what a session in the queue has, which comes in alone
foreach my $name ('a loop without a query', 'a loop with short sleeps')
{
	my $owner = wire($node);

	$owner->value('SELECT pg_advisory_lock(7)');
	my $poller = holder($pollers{$name}[0]);
	$owner->simple('SELECT pg_advisory_unlock(7)');
	is(Wire::told($owner->result), 't', "$name: the owner of the lock comes in");
	is($poller->result->{error}, undef, "$name: and what it polled for is there");
	$poller->ask('COMMIT');
	$_->close foreach $poller, $owner;
	nothing_left($node, "$name, an owner in the queue");
}

# --- a fast-path call takes the slot again that was suspended while the session was idle ---
{
	my $client = wire($node);
	my $caller = $node->safe_psql('postgres', q{CREATE FUNCTION calls() RETURNS bigint LANGUAGE sql AS
		'SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS s'; SELECT 'calls'::regproc::oid});

	$client->value($_) foreach 'BEGIN', 'SELECT 1';
	my $other = wire($node);
	is(Wire::told($other->ask('SELECT 2')), '2', 'call: the slot of an idle transaction is for others');
	my $before = column($node, 'running');
	$client->call($caller);
	ok(true_within($node, $PATIENCE, "state = 'fastpath function call' AND wait_event IS NULL FROM pg_stat_activity WHERE pid = $client->{pid}"),
		'call: the transaction goes on with a fast-path call');
	ok(true_within($node, $PATIENCE, "running = $before + 1 FROM $GATE"), 'call: which is counted');
	$admin->value("SELECT pg_cancel_backend($client->{pid})");
	is($client->result->{error}, '57014', 'call: until it ends');
	$client->ask('ROLLBACK');
	$_->close foreach $client, $other;
	nothing_left($node, 'call');
}

# --- when owners that do not count have ended, no more slots are retained than the limit ---
foreach my $round (1 .. 6)
{
	my @sleepers = map { wire($node) } 1 .. 8;

	$_->simple('SELECT pg_sleep(0.1)') foreach @sleepers;
	$_->result foreach @sleepers;
	ok(true_within($node, $PATIENCE, "in_use <= 1 AND waiting = 0 FROM pool_advisor.gate WHERE scope = 'server'"), "round $round: the limit holds for retained slots");
	$_->close foreach @sleepers;
}
nothing_left($node, 'sleepers');

# --- without the worker slots are handed over by the sessions ---
my %absent = (
	'stopped' => [ sub { kill 'STOP', $worker }, sub { kill 'CONT', $worker } ],
	'terminated' => [
		sub {
			$admin->value("SELECT pg_terminate_backend($worker)");
			true_within($node, $PATIENCE, "NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $worker)") or die 'the worker does not end';
		},
		sub {
			true_within($node, $PATIENCE, q{EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler')}) or die 'there is no worker';
			$worker = $admin->value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
		}
	]);
my $script = $node->basedir . '/short.sql';
append_to_file($script, "BEGIN;\nSELECT count(*) FROM flags;\nCOMMIT;\nSELECT 1;\n");
foreach my $how (sort keys %absent)
{
	my ($goes, $returns) = @{ $absent{$how} };
	my $keeper = wire($node);
	my @clients = map { wire($node) } 1 .. 6;

	work($node, 1);
	waiter('BEGIN; SELECT 1; COMMIT; SELECT 2', $_) foreach @clients;
	$goes->();
	eval {
		stop_work($node);
		is(join(' ', map { Wire::told($_->result) } @clients), join(' ', ('1 2') x 6), "the worker is $how: those that wait get slots from those that end");

		# a slot that is only kept is taken away
		is(Wire::told($keeper->ask('SELECT 3')), '3', "$how: a session takes a slot");
		is(Wire::told($clients[0]->ask('SELECT 4')), '4', "$how: and another one after it");
		my $pgbench = start_program('pgbench', '-n', '-c', 6, '-j', 6, '-t', 50, '-f', $script, user_of($node));
		$pgbench->{run}->finish;
		like($pgbench->{out}, qr/300\/300/, "$how: many transactions go through one slot");
		is(column($node, 'waiting'), 0, "$how: nobody is left in the queue");

		# a wait that ends in the queue leaves it in order
		work($node, 1);
		waiter('SELECT 5', $_) foreach @clients[ 0 .. 2 ];
		$admin->value("SELECT pg_cancel_backend($clients[0]{pid})");
		is($clients[0]->result->{error}, '57014', "$how: a waiter is canceled");
		stop_work($node);
		is(join(' ', map { Wire::told($_->result) } @clients[ 1, 2 ]), '5 5', "$how: and those behind it get their slots");
		1;
	} or fail("the worker is $how: $@");
	$returns->();
	nothing_left($node, "the worker is $how");
	$_->close foreach @clients, $keeper;
}

# the way out: a session asks for itself whether it has to wait
{
	my @clients = map { wire($node) } 1 .. 3;

	work($node, 1);
	waiter('SELECT 6', $_) foreach @clients;
	kill 'STOP', $worker;
	eval {
		$admin->value(q{ALTER SYSTEM SET pool_advisor.gate_enforcement = 'off'});
		$admin->value('SELECT pg_reload_conf()');
		is(join(' ', map { Wire::told($_->result) } @clients), '6 6 6', 'gate_enforcement = off lets the waiters go while the worker is stopped and the slot is in use');
		1;
	} or fail("the way out: $@");
	kill 'CONT', $worker;
	$admin->value('ALTER SYSTEM RESET pool_advisor.gate_enforcement');
	$admin->value('SELECT pg_reload_conf()');
	wait_for_gate($node, q{gate_enforcement = 'on'});
	stop_work($node);
	$_->close foreach @clients;
	nothing_left($node, 'the way out');
}

# a limit that a worker had raised is set back by the next one
{
	my $sleeper = wire($node);
	my $working = wire($node);

	$sleeper->simple('SELECT pg_sleep(1000)');
	true_within($node, $PATIENCE, "wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $sleeper->{pid}") or die 'it does not sleep';
	work($node, 1);
	my $waiting = waiter('SELECT 7', $working);
	wait_for_gate($node, 'max_active_effective = 2', 'a holder that sleeps is not counted');
	$absent{terminated}[0]->();
	$admin->value("SELECT pg_cancel_backend($sleeper->{pid})");
	is($sleeper->result->{error}, '57014', 'the holder ends while there is no worker');
	is(Wire::told($waiting->result), '7', 'and its slot goes to the waiter');
	$absent{terminated}[1]->();
	wait_for_gate($node, 'max_active_effective = 1 AND max_active = 1', 'the next worker sets the limit back');
	my $held = waiter('SELECT 8');
	some_looks();
	is(column($node, 'waiting'), 1, 'which holds');
	stop_work($node);
	is(Wire::told($held->result), '8', 'until the slot is free');
	$_->close foreach $sleeper, $working, $held;
	nothing_left($node, 'a raised limit');
}

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
done_testing();
