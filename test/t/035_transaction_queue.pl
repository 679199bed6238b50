# The queue of transactions has bounds: what is beyond transaction_queue_length or waits for longer
# than transaction_queue_timeout is refused with 53300, which aborts its transaction and keeps the
# session.  Nobody is refused who is exempt, who works already, or while limits are only observed.
#
# Slots are held by sessions that compute, and each wait is seen before the next step.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('transaction_queue', "max_connections = 60\npool_advisor.queue_target = 0\n");
my $admin = admin($node);
my $PATIENCE = $PostgreSQL::Test::Utils::timeout_default;

# So long is never reached, and so short soon.
my $LONG = 'transaction_queue_timeout => \'1 hour\'';
my $SHORT = 'transaction_queue_timeout => \'50 ms\'';

$node->safe_psql('postgres', $ACCOUNTS . <<'SQL');
CREATE ROLE other LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
CREATE ROLE team;
CREATE ROLE member LOGIN IN ROLE team;
CREATE DATABASE second;
GRANT ALL ON SCHEMA public TO app;
-- goes on after an error; called by Bind
CREATE FUNCTION tries(int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	PERFORM count(*) FROM pg_class;
	RETURN true;
EXCEPTION WHEN too_many_connections THEN
	PERFORM count(*) FROM pg_class;
	RETURN false;
END $$;
CREATE DOMAIN trying AS int CHECK (tries(VALUE));
SQL

# A limit of a place, in force.
sub limit
{
	my ($condition, $arguments) = @_;
	my ($length) = $arguments =~ /transaction_queue_length => (-?\d+)/;
	my ($timeout) = $arguments =~ /transaction_queue_timeout => ('[^']+')/;

	$admin->value("SELECT pool_advisor.set_limit($arguments)");
	wait_for_limits($node, $condition
		  . (defined $length ? " AND transaction_queue_length = $length" : '')
		  . (defined $timeout ? " AND transaction_queue_timeout = $timeout" : ''));
	return;
}

sub no_limits
{
	$admin->value('SELECT pool_advisor.clear_limit()');
	$admin->value("SELECT pool_advisor.clear_limit('$_')") foreach qw(app other team);
	$admin->value(q{SELECT pool_advisor.clear_limit(database => 'second')});
	$admin->value(q{SELECT pool_advisor.clear_limit('app', 'second')});
	wait_for($node, q{count(*) = 0 FROM pool_advisor.limits WHERE scope <> 'server'});
	return;
}

# One that works has the only slot.
sub occupy
{
	work($node, 1, @_);
	ok(true_within($node, $PATIENCE, "running = 1 AND waiting = 0 FROM $GATE"), 'the slot is in use');
	return;
}

# A client whose transaction waits in the queue.
sub waiter
{
	my ($role, %options) = @_;
	my $client = wire($node, $role, %options);
	my $before = column($node, 'waiting');

	$client->simple('SELECT 1');
	ok(true_within($node, $PATIENCE, "waiting = $before + 1 FROM $GATE"), "$role: one waits");
	return $client;
}

sub refused
{
	my ($client, $name, $message) = @_;
	my $result = $client->ask('SELECT 1');

	is(Wire::told($result), 'ERROR 53300', "$name: is refused");
	like($result->{message} // '', $message // qr/^too many transactions waiting for role "\w+"$/, "$name: and told so");
	is($result->{status}, 'I', "$name: the session is kept");
	return;
}

# --- a refusal leaves an aborted block, and the script that goes on is harmless ---

my %ways = ways_to_transfer(@TRANSFER);

# Do all that while the limit of the role cannot be met; the errors that were seen.
sub try_transfer
{
	my ($way, $name) = @_;
	my $client = wire($node);
	my @steps = $ways{$way}->($client);
	my ($errors, $status) = ('', '');

	occupy();
	foreach my $i (0 .. $#steps)
	{
		$steps[$i]->($client);
		my $result = $client->result;
		$status = $result->{status} if ($result->{error} // '') eq '53300';
		$errors .= ' ' . $result->{error} if defined $result->{error};
	}
	like($errors, qr/^ 53300(?: 25P02)*$/, "$way, $name: refused once, then aborted");
	is($status, 'E', "$way, $name: the block is aborted");
	is(balances($node), '100 and 0', "$way, $name: nothing of it is done");
	$client->ask('ROLLBACK');
	stop_work($node);
	is($client->value('SELECT sum(bal) FROM acc'), '100', "$way, $name: the session goes on");
	$client->close;
	return;
}

foreach my $bound ([ 'length', "transaction_queue_length => 0, $LONG", 'refused_total' ],
	[ 'timeout', "transaction_queue_length => -1, $SHORT", 'timed_out_total' ])
{
	my ($name, $arguments, $counter) = @$bound;

	limit(q{rolname = 'app' AND max_active = 1}, "'app', max_active => 1, $arguments");
	foreach my $way (sort keys %ways)
	{
		my $before = column($node, $counter);

		try_transfer($way, $name);
		is(column($node, $counter), $before + 1, "$way, $name: it is counted");
	}

	# psql goes on after each error
	my $file = $node->basedir . "/$name.sql";
	append_to_file($file, "$TRANSFER[1];\n$TRANSFER[2];\n");
	foreach my $options ([ '-1', '-f', $file ], [ '-f', $file ])
	{
		occupy();
		my $psql = start_program('psql', '-XAtq', '-d', user_of($node), @$options);
		$psql->{run}->finish;
		like($psql->{err}, qr/ERROR: .*(?:too many transactions waiting for role "app"|waited too long for a slot)/, "psql @$options[0], $name: is refused");
		is(balances($node), '100 and 0', "psql @$options[0], $name: nothing of it is done");
		stop_work($node);
	}
	no_limits();
}
is(column($node, 'cancelled_total'), column($node, 'timed_out_total'), 'a wait that timed out is one that was given up');

# --- whose queue it is ---

my $log = -s $node->logfile;
limit(q{rolname = 'app' AND max_active = 1}, "'app', max_active => 1, transaction_queue_length => 2");
occupy();
{
	my @waiting = map { waiter('app') } 1 .. 2;

	refused(wire($node), 'a role');
	is(wire($node, 'other')->value('SELECT 1'), '1', 'another role is not refused');
	stop_work($node);
	is($_->result->{error}, undef, 'who waited goes on') foreach @waiting;
}
like(slurp_file($node->logfile, $log), qr/DETAIL:  The limit of role "app" is reached: max_active 1, in use 1, transaction_queue_length 2, .*waiting 2\./,
	'the log says which limit it is');
no_limits();

foreach my $place ([ 'a database', q{datname = 'second' AND rolname IS NULL}, q{database => 'second'}, 'app', 'second' ],
	[ 'a role in a database', q{datname = 'second' AND rolname = 'app'}, q{'app', 'second'}, 'app', 'second' ],
	[ 'a group', q{rolname = 'team'}, q{'team'}, 'member', 'postgres' ],
	[ 'the default', q{scope = 'default'}, q{}, 'other', 'postgres' ])
{
	my ($name, $condition, $arguments, $role, $database) = @$place;
	my $client = wire($node, $role, database => $database);
	my $holder = wire($node, $role, database => $database);

	limit("$condition AND max_active = 1", join(', ', grep { length } $arguments, 'max_active => 1', 'transaction_queue_length => 1'));
	$holder->simple('SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS s');
	true_within($node, $PATIENCE, "running = 1 AND waiting = 0 FROM $GATE");
	my $waiting = waiter($role, database => $database);
	refused($client, $name);
	$admin->value("SELECT pg_cancel_backend($holder->{pid})");
	$holder->result;
	is($waiting->result->{error}, undef, "$name: who waited goes on");
	no_limits();
}

# of the server, as the default says
server_max_active($node, 1);
limit(q{scope = 'server'}, 'transaction_queue_length => 1');
occupy('other');
{
	my $waiting = waiter('app');

	refused(wire($node, 'member'), 'the server');
	refused(wire($node, 'other'), 'the server, another role');

	# who must get in when nobody else can
	is($admin->value('SELECT 1'), '1', 'a superuser is not refused');
	is(wire($node, 'watcher')->value('SELECT count(*) FROM pool_advisor.gate'), '1', 'nor is monitoring');

	# what passes the gate passes
	my $passing = wire($node);
	is($passing->ask($_)->{error}, undef, "$_ passes") foreach 'BEGIN', 'SHOW work_mem', 'COMMIT';

	# limits that change while one waits
	limit(q{scope = 'server'}, $SHORT);
	my $result = $waiting->result;
	is($result->{error}, '53300', 'a timeout that is set while one waits ends the wait');
	like($result->{message}, qr/^transaction of role "app" waited too long for a slot$/, 'and is told so');
	limit(q{scope = 'server'}, $LONG);
	$waiting = waiter('app');
	refused(wire($node), 'the queue is full again');
	$admin->value('SELECT pool_advisor.set_limit(transaction_queue_length => 3)');
	wait_for_limits($node, q{scope = 'server' AND transaction_queue_length = 3});
	my $second = waiter('app');

	# observed only
	$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.gate_enforcement = 'observe'});
	limit(q{scope = 'server'}, 'transaction_queue_length => 0');
	$node->reload;
	wait_for($node, "gate_enforcement = 'observe' FROM $GATE");
	is($_->result->{error}, undef, 'observe lets in who waits') foreach $waiting, $second;
	is(wire($node)->value('SELECT 1'), '1', 'observe refuses nobody');
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET pool_advisor.gate_enforcement');
	$node->reload;
	wait_for($node, "gate_enforcement = 'on' FROM $GATE");
	refused(wire($node), 'enforced again');
}
stop_work($node);

# --- length 0 refuses nobody while a slot is only kept ---
{
	my @clients = map { wire($node, $_) } qw(app other app other);
	my $before = column($node, 'refused_total');
	my $errors = 0;

	foreach my $i (1 .. 200)
	{
		$errors += defined $clients[ $i % 4 ]->ask('SELECT 1')->{error};
	}
	is($errors, 0, 'one after the other, nobody is refused');
	is(column($node, 'refused_total'), $before, 'nor is any counted');

	# a transaction that works already never is
	$clients[0]->ask('BEGIN');
	$clients[0]->value('SELECT 1');
	is($clients[0]->ask('SELECT 1')->{error}, undef, 'nor one that works already') foreach 1 .. 3;
	$clients[0]->ask('COMMIT');
}

# --- a function that catches the refusal has to ask again ---
{
	my $client = wire($node);

	$client->parse('SELECT $1::trying', 'tries')->sync->result;
	occupy('other');
	my $result = $client->bind('tries', '1')->execute->sync->result;
	is($result->{error}, '53300', 'who catches a refusal is refused again');
	is(column($node, 'running'), 1, 'and gets no slot by that');
	stop_work($node);
	is(Wire::told($client->bind('tries', '1')->execute->sync->result), '1', 'it runs when there is one');
}

# --- a wait that ends in an error has left the queue, also in a savepoint ---
{
	my @clients = map { wire($node) } 1 .. 3;

	limit(q{scope = 'server'}, "transaction_queue_length => -1, $LONG");
	occupy('other');
	foreach my $client (@clients)
	{
		$client->value($_) foreach 'BEGIN', 'SAVEPOINT s';
		$client->simple('SELECT 1');
		ok(true_within($node, $PATIENCE, is_queued($client)), 'savepoint: the first statement waits');
		$admin->value("SELECT pg_cancel_backend($client->{pid})");
		is(Wire::told($client->result), 'ERROR 57014', 'savepoint: until it is cancelled');
		is(column($node, 'waiting'), 0, 'savepoint: and nobody waits');
		is($client->ask('ROLLBACK TO s')->{status}, 'T', 'savepoint: the transaction goes on');
	}
	is(column($node, 'waiting') . '|' . column($node, 'running'), '0|1', 'savepoint: who is in its transaction without a slot does not wait');

	# the next statement waits anew, as others do, and no longer than it may
	limit(q{scope = 'server'}, 'transaction_queue_length => 1');
	$clients[0]->simple(q{SELECT 'anew'});
	ok(true_within($node, $PATIENCE, is_queued($clients[0])), 'savepoint: the next statement waits');
	is(Wire::told($clients[1]->ask('SELECT 1')), 'ERROR 53300', 'savepoint: one waits, so the next is refused');
	stop_work($node);
	is(Wire::told($clients[0]->result), 'anew', 'savepoint: and the one that waits gets the slot');
	is($_->ask('ROLLBACK')->{status}, 'I', 'savepoint: each ends') foreach @clients;
	$_->close foreach @clients;
	nothing_left($node, 'savepoint');
}

# --- who waits for long is told, at once and once ---
limit(q{scope = 'server'}, "transaction_queue_length => -1, $LONG");
{
	my ($told, $silent) = (wire($node, 'app'), wire($node, 'other'));

	$told->ask(q{SET pool_advisor.queue_notice_after = '20ms'});
	$silent->ask('SET pool_advisor.queue_notice_after = 0');
	occupy('other');
	$told->simple('SELECT 1');
	$silent->simple('SELECT 1');
	foreach (1 .. 10 * $PATIENCE)
	{
		last if $told->result_within(0.1) || $told->{partial}{notices} ne '';
	}
	like($told->{partial}{notices} // '', qr/NOTICE.*waiting for a transaction slot .*transactions? (?:is|are) waiting/, 'a NOTICE comes while it waits');
	is(column($node, 'waiting'), 2, 'it still waits');
	stop_work($node);
	my $result = $told->result;
	is(scalar(() = $result->{notices} =~ /waiting for a transaction slot/g), 1, 'there is one');
	is($result->{rows}, "1\n", 'and the statement goes on');
	is($silent->result->{notices}, '', 'queue_notice_after = 0 tells nothing');
}

# --- many at once ---
limit(q{scope = 'server'}, 'transaction_queue_length => 3');
{
	my @clients = map { wire($node, $_ % 2 ? 'app' : 'other') } 1 .. 20;
	my ($refused, $done) = (column($node, 'refused_total'), 0);

	occupy('other');
	$_->simple('SELECT 1') foreach @clients;
	true_within($node, $PATIENCE, "waiting = 3 AND refused_total = $refused + 17 FROM $GATE");
	is($admin->value("SELECT waiting, refused_total - $refused FROM $GATE"), '3|17', 'as many wait as may');
	stop_work($node);
	$done += !defined $_->result->{error} foreach @clients;
	is($done, 3, 'and those run');
}

# --- who would be ended in the queue is refused at once, when that is known ---

# Clients that always wait, one after the other; the queue that they stand in is long.
sub crowd
{
	my ($clients, $role) = @_;
	my $file = $node->basedir . '/crowd.sql';

	append_to_file($file, 'SELECT count(*) FROM generate_series(1, 20000);');
	my $run = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-T', 100 * $PATIENCE, '-f', $file,
		'-h', $node->host, '-p', $node->port, '-U', $role, 'postgres' ], '<', \undef, '>', '/dev/null', '2>', '/dev/null');
	ok(true_within($node, $PATIENCE, "waiting > $clients / 2 FROM $GATE"), 'there is a queue');
	return $run;
}

limit(q{scope = 'server'}, "transaction_queue_length => -1, $LONG");
{
	my ($short, $block, $patient, $long) = map { wire($node) } 1 .. 4;
	my ($before, $told, $result) = (column($node, 'refused_total'), 0);
	my $late = qr/^transaction of role "app" would wait too long for a slot$/;

	$_->ask(q{SET statement_timeout = '50ms'}) foreach $short, $block;
	$long->ask(q{SET statement_timeout = '1h'});
	my $crowd = crowd(40, 'app');

	# until then its statement_timeout ends it
	foreach (1 .. 20 * $PATIENCE)
	{
		$result = $short->ask('SELECT 1');
		last if ($result->{error} // '') eq '53300';
	}
	is(Wire::told($result), 'ERROR 53300', 'who would be ended in the queue is refused');
	like($result->{message}, $late, 'and told so');
	is($result->{status}, 'I', 'the session is kept');
	is($block->ask('BEGIN')->{error}, undef, 'BEGIN passes');
	$result = $block->ask('SELECT 1');
	is("$result->{error} $result->{status}", '53300 E', 'a block is aborted by it');
	is($patient->value('SELECT 1'), '1', 'who has no statement_timeout is served');
	is($long->value('SELECT 1'), '1', 'and who has a long one');
	is(column($node, 'refused_total'), $before + 2, 'they are counted');
	my $other = wire($node, 'other');
	$other->ask(q{SET statement_timeout = '1min'});
	is($other->value('SELECT 1'), '1', 'another role has its share, and does not wait behind the crowd');
	$crowd->kill_kill(grace => 0);
	$admin->value(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgbench'});
	ok(true_within($node, $PATIENCE, "waiting = 0 AND running = 0 FROM $GATE"), 'the queue is empty');
	$block->ask('ROLLBACK');
	unlike($_->ask('SELECT 1')->{message} // '', $late, 'nobody is refused then') foreach $short, $block;
	occupy('other');
	is($short->ask('SELECT 1')->{error}, '57014', 'in a queue of which nothing is known the statement is ended as ever');
	stop_work($node);
}

# --- nothing is done for a client that has gone, when its slot comes ---
$node->safe_psql('postgres', 'CREATE SEQUENCE done; GRANT ALL ON done TO app');
{
	my $client = wire($node);

	occupy('other');
	$client->simple(q{SELECT nextval('done')});
	ok(true_within($node, $PATIENCE, "waiting = 1 FROM $GATE"), 'it waits');

	# it cannot look before both have happened, the slot first
	kill 'STOP', $client->{pid};
	stop_work($node);
	ok(true_within($node, $PATIENCE, "waiting = 0 AND running = 1 FROM $GATE"), 'it has a slot');
	close $client->{socket};
	kill 'CONT', $client->{pid};
	ok(true_within($node, $PATIENCE, "count(*) = 0 FROM pg_stat_activity WHERE pid = $client->{pid}"), 'and ends');
	is($admin->value('SELECT is_called FROM done'), 'f', 'without having done anything');
}

# --- with queue_target the newest go first when all wait for longer ---
sub queue_target
{
	$node->safe_psql('postgres', "ALTER SYSTEM SET pool_advisor.queue_target = '$_[0]'");
	$node->reload;
	ok(true_within($node, $PATIENCE, "current_setting('pool_advisor.queue_target') = '$_[0]'"), "queue_target = $_[0]");
	return;
}

is(column($node, 'newest_first_total'), '0', 'without a target nobody is put before others');
queue_target('1ms');
{
	my @clients = map { wire($node) } 1 .. 2;
	my $crowd = crowd(20, 'other');
	my $served = 0;

	ok(true_within($node, $PATIENCE, "newest_first_total > 100 FROM $GATE"), 'under overload they are');
	$served += $_->value('SELECT 1') foreach @clients;
	is($served, 2, 'who comes then is served');

	my $before = column($node, 'newest_first_total');
	ok(true_within($node, $PATIENCE, "newest_first_total > $before + 200 FROM $GATE"), 'it goes on');
	my $now = $admin->value('SELECT clock_timestamp()');
	ok(true_within($node, $PATIENCE, "count(*) = 20 AND min(query_start) > '$now' FROM pg_stat_activity WHERE usename = 'other'"),
		'and the others are not forgotten');
	queue_target('0');
	$before = column($node, 'newest_first_total');
	my $waited = column($node, 'waited_total');
	ok(true_within($node, $PATIENCE, "waited_total > $waited + 2000 FROM $GATE"), 'the queue moves');
	$before = column($node, 'newest_first_total');
	$waited = column($node, 'waited_total');
	ok(true_within($node, $PATIENCE, "waited_total > $waited + 200 FROM $GATE"), 'and on');
	is(column($node, 'newest_first_total'), $before, 'first come, first served again');
	$crowd->kill_kill(grace => 0);
	$admin->value(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'other'});
}

nothing_left($node, 'at the end');
is($admin->value('SELECT count(*) FROM pg_locks WHERE NOT granted'), '0', 'no lock is waited for');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
done_testing();
