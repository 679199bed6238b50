# The queue and whole transactions: BEGIN passes, the first statement that works waits, an error
# there leaves an aborted block, a waiting session holds nothing, and nothing is stale afterwards.
#
# Slots are held by sessions that compute.  What is right after a wait is not written here: a
# second session of the same kind is asked the same after the change, and both must be told the same.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;
use Time::HiRes qw(sleep);

my $node = limits_node('transactions', "max_prepared_transactions = 5\nmax_connections = 100\n");
my $admin = admin($node);
my $version = $admin->value(q{SELECT current_setting('server_version_num')});

# How long a command may wait for the queue before that counts as a fault, in seconds.
my $PATIENCE = 5;

$node->safe_psql('postgres', $ACCOUNTS . <<'SQL');
GRANT ALL ON SCHEMA public TO app;
CREATE TABLE t (a int);
INSERT INTO t VALUES (1);
CREATE TABLE held (a int PRIMARY KEY);
INSERT INTO held SELECT generate_series(1, 1000);
CREATE SEQUENCE counted;
GRANT ALL ON t, held, counted TO app;
CREATE PROCEDURE commit_inside(n int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..n LOOP
		INSERT INTO t VALUES (100 + i);
		COMMIT;
	END LOOP;
END $$;
-- reads in Bind: a nested statement, whose locks cannot be released while it waits
CREATE FUNCTION is_read(int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	PERFORM count(*) FROM held;
	RETURN true;
END $$;
CREATE DOMAIN reading AS int CHECK (is_read(VALUE));
SQL
server_max_active($node, 1);

# A file for psql or pgbench
sub script
{
	my ($name, $text) = @_;
	my $file = $node->basedir . "/$name.sql";

	append_to_file($file, $text);
	return $file;
}

# --- what passes while the queue does not move ---
my @passing = ('BEGIN', 'COMMIT', 'START TRANSACTION ISOLATION LEVEL REPEATABLE READ', 'ROLLBACK', 'BEGIN',
	'SAVEPOINT s', 'ROLLBACK TO s', 'RELEASE s', 'SET LOCAL work_mem = 4096', 'SET CONSTRAINTS ALL DEFERRED',
	'COMMIT AND CHAIN', 'ROLLBACK', q{SET work_mem = '5MB'}, 'SHOW work_mem', 'RESET work_mem', 'LISTEN news', 'NOTIFY news',
	'UNLISTEN news', 'DEALLOCATE ALL', 'DISCARD PLANS', 'DISCARD TEMP', '', q{SET TRANSACTION ISOLATION LEVEL SERIALIZABLE});
{
	my $client = wire($node);
	my @stuck;

	work($node, 1);
	foreach my $sql (@passing)
	{
		push @stuck, "$sql, simple" unless $client->simple($sql)->result_within($PATIENCE);
		last if @stuck;
		push @stuck, "$sql, extended" unless $client->extended($sql)->sync->result_within($PATIENCE);
		last if @stuck;
	}
	is("@stuck", '', 'BEGIN, SAVEPOINT, SET, SHOW, LISTEN and the like pass a full gate');
	is($admin->value("SELECT waited_total + cancelled_total FROM $GATE"), 0, 'and none of them has waited');
	stop_work($node);
	$client->result if @stuck;
	$client->close;
}

# --- a wait that ends in an error leaves an aborted block, and the script that goes on is harmless ---
my @transfer = @TRANSFER;
$transfer[2] = 'UPDATE acc SET bal = bal + 50/(id - 2) WHERE id = 2';
my %ways = (
	ways_to_transfer(@transfer),
	'pipeline with four Syncs' => sub {
		return (sub { my ($client) = @_; $client->extended($_)->sync foreach @transfer }, (undef) x 3);
	});
my %ends = (
	'cancel' => sub { $admin->value("SELECT pg_cancel_backend($_[0]{pid})") },
	'statement_timeout' => sub { },
	'termination' => sub { $admin->value("SELECT pg_terminate_backend($_[0]{pid})") });
foreach my $way (sort keys %ways)
{
	foreach my $end (sort keys %ends)
	{
		my $client = wire($node);
		my @steps = $ways{$way}->($client);
		my ($ended, $status, @told) = (0, '');

		$client->ask('SET statement_timeout = 100') if $end eq 'statement_timeout';
		work($node, 1);
		foreach my $step (@steps)
		{
			last if $client->{gone};
			$step->($client) if $step;
			my $result = $client->result_within($ended || $end eq 'statement_timeout' ? $PATIENCE : 0.05);
			if (!$result)
			{
				true_within($node, $PATIENCE, is_queued($client)) or last;
				$ends{$end}->($client);
				$result = $client->result;
			}
			if (!$ended && defined $result->{error})
			{
				$ended = 1;
				$status = $result->{status} // 'gone';

				# the rest is not to be held up by the queue
				$client->simple('SET statement_timeout = 0')->result if $end eq 'statement_timeout' && $way !~ /pipeline/;
				stop_work($node);
			}
			push @told, Wire::told($result);
		}
		stop_work($node) unless $ended;
		is($status, $end eq 'termination' ? 'gone' : 'E', "$way, $end: the block is aborted");
		is(balances($node), '100 and 0', "$way, $end: nothing of it is done") or diag("told: @told");
		$client->close;
		$admin->value('UPDATE acc SET bal = 100 * (2 - id)');
	}
}

# transaction_timeout ends the session, as anywhere in a transaction
SKIP:
{
	skip 'transaction_timeout is there from PostgreSQL 17 on', 1 if $version < 170000;
	my $client = wire($node);

	$client->ask('SET transaction_timeout = 200');
	work($node, 1);
	$client->ask('BEGIN');
	my $result = $client->ask($transfer[1]);
	is($result->{error}, '25P04', 'transaction_timeout ends the wait, and the session');
	stop_work($node);
}

# psql goes on after each error
my $transfer = script('transfer', join('', map { "$_;\n" } @transfer));
my $updates = script('updates', "$transfer[1];\n$transfer[2];\n");
foreach my $way ([ 'psql -f', '-f', $transfer ], [ 'psql -1 -f', '-1', '-f', $updates ])
{
	my ($name, @options) = @$way;

	work($node, 1);
	my $psql = start_program('psql', '-XAtq', '-d', user_of($node), @options);
	true_within($node, $PATIENCE, "waiting = 1 FROM $GATE");
	my $cancelled = $admin->value("SELECT cancelled_total FROM $GATE");
	$admin->value(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND state = 'active' AND application_name <> 'work'});
	true_within($node, $PATIENCE, "cancelled_total > $cancelled FROM $GATE");
	stop_work($node);
	$psql->{run}->finish;
	like($psql->{err}, qr/canceling statement due to user request/, "$name: the wait was canceled");
	is(balances($node), '100 and 0', "$name: the rest of the script does nothing");
	$admin->value('UPDATE acc SET bal = 100 * (2 - id)');
}

# many scripts that run into a timeout anywhere: the sum stays what it is
{
	my $once = q{BEGIN; SELECT count(*) FROM generate_series(1, 20000); UPDATE acc SET bal = bal - 1 WHERE id = 1; }
	  . qq{UPDATE acc SET bal = bal + 1 WHERE id = 2; COMMIT;\n};
	my $many = script('many', "\\o /dev/null\n" . $once x 60);

	local $ENV{PGOPTIONS} = '-c statement_timeout=15';
	my @clients = map { start_program('psql', '-XAtq', '-d', user_of($node), '-f', $many) } 1 .. 6;
	$_->{run}->finish foreach @clients;
	my $timeouts = () = join('', map { $_->{err} } @clients) =~ /statement timeout/g;
	note("$timeouts timeouts, balances " . balances($node));
	is($admin->value('SELECT sum(bal) FROM acc'), 100, 'scripts with a short statement_timeout lose no money');
	$admin->value('UPDATE acc SET bal = 100 * (2 - id)');
}
nothing_left($node, 'scripts');

# --- an error before, in or after the wait, in a savepoint ---
my %sending = (
	'simple' => sub { $_[0]->simple('SELECT 1') },
	'extended' => sub { $_[0]->extended('SELECT 1')->sync },
	'prepared' => sub { $_[0]->bind('one')->execute->sync },
	'fast path' => sub { $_[0]->call($admin->value(q{SELECT 'pg_backend_pid'::regproc::oid})) });

# A session in a savepoint of a transaction that has done nothing, while one that works has the only slot.
sub in_savepoint
{
	my $client = wire($node);

	$client->parse('SELECT 1', 'one')->sync->result;
	$client->value($_) foreach @_;
	work($node, 1);
	$client->value($_) foreach 'BEGIN', 'SAVEPOINT s';
	return $client;
}

# The transaction goes on without a slot, and waits with its next work.
sub waits_anew
{
	my ($client, $way, $name) = @_;

	is(column($node, 'waiting') . '|' . column($node, 'running'), '0|1', "$name: nobody waits, and only the one that works has a slot");
	is($client->ask('ROLLBACK TO s')->{status}, 'T', "$name: the transaction goes on");
	$sending{$way}->($client);
	ok(true_within($node, $PATIENCE, "waiting = 1 FROM $GATE"), "$name: its next work waits, $way");
	stop_work($node);
	is($client->result->{error}, undef, "$name: and is done with a slot");
	is(column($node, 'running'), 1, "$name: which is the transaction's");
	is($client->ask('COMMIT')->{status}, 'I', "$name: until it ends");
	$client->close;
	nothing_left($node, $name);
	return;
}

# The transaction has its slot, and needs no other one.
sub keeps_slot
{
	my ($client, $name) = @_;

	is(column($node, 'waiting') . '|' . column($node, 'running'), '0|1', "$name: nobody waits, and the transaction has its slot");
	is($client->ask('ROLLBACK TO s')->{status}, 'T', "$name: it goes on");
	is($client->value('SELECT 1'), 1, "$name: with its slot");
	is($client->ask('COMMIT')->{status}, 'I', "$name: until it ends");
	$client->close;
	nothing_left($node, $name);
	return;
}

foreach my $way (sort keys %sending)
{
	foreach my $end ([ 'cancel', '57014' ], [ 'transaction_queue_timeout', '53300' ])
	{
		my ($name, $error) = @$end;
		my $client = in_savepoint();
		my $timeout = $name eq 'cancel' ? '0' : '0.1 s';

		$admin->value("SELECT pool_advisor.set_limit(transaction_queue_timeout => '$timeout')");
		wait_for_limits($node, "scope = 'server' AND transaction_queue_timeout = '$timeout'");
		$sending{$way}->($client);
		if ($name eq 'cancel')
		{
			true_within($node, $PATIENCE, "waiting = 1 FROM $GATE");
			$admin->value("SELECT pg_cancel_backend($client->{pid})");
		}
		is(Wire::told($client->result), "ERROR $error", "$name in a savepoint, $way: ends the wait");
		$admin->value('SELECT pool_advisor.clear_limit()');
		wait_for_limits($node, q{scope = 'server' AND transaction_queue_timeout = '0'});
		waits_anew($client, $way, "$name in a savepoint, $way");
	}
}

# A slot has been requested, and the statement is analyzed once more for its parameters. The
# literal has a domain whose check fails the second time.
$node->safe_psql('postgres', <<'SQL');
CREATE DOMAIN read_once AS int CHECK (set_config('test.reads', (current_setting('test.reads')::int + 1)::text, false)::int <= VALUE);
CREATE TYPE has_read_once AS (a read_once);
SQL
foreach my $way (sort keys %sending)
{
	my $client = in_savepoint();

	$client->value('SET test.reads = 0');
	is(Wire::told($client->extended(q{SELECT '(1)'::has_read_once, $1::int}, 1)->sync->result), 'ERROR 23514', 'analysis in a savepoint: fails before the wait');
	waits_anew($client, $way, 'analysis in a savepoint');
}

# the slot has been granted, and the statement fails before it is executed
{
	my $client = in_savepoint();

	$client->extended('INSERT INTO t VALUES ($1)', 1)->sync;
	true_within($node, $PATIENCE, "waiting = 1 FROM $GATE");
	$admin->value('ALTER TABLE t ALTER a TYPE bigint');
	stop_work($node);
	is(Wire::told($client->result), 'ERROR 40001', 'changed types in a savepoint: the statement is refused after the wait');
	keeps_slot($client, 'changed types in a savepoint');
	$admin->value('ALTER TABLE t ALTER a TYPE int');
}
foreach my $way ('simple', 'extended', 'prepared')
{
	foreach my $end ('lock_timeout', 'deadlock')
	{
		my $name = "$end in a savepoint, $way";
		my $blocker = wire($node, $admin->value('SELECT current_user'), options => '-c deadlock_timeout=1h');
		my $client = in_savepoint('SELECT pg_advisory_lock(7)', 'PREPARE counts AS SELECT count(*) FROM t');

		$client->value(q{SET LOCAL lock_timeout = '0.1 s'}) if $end eq 'lock_timeout';
		$way eq 'simple' ? $client->simple('SELECT count(*) FROM t') :
		  $way eq 'extended' ? $client->extended('SELECT count(*) FROM t')->sync : $client->bind('counts')->execute->sync;
		true_within($node, $PATIENCE, "waiting = 1 FROM $GATE");
		$blocker->value($_) foreach 'BEGIN', 'LOCK TABLE t';
		$blocker->simple('SELECT pg_advisory_lock(7)') if $end eq 'deadlock';
		stop_work($node);
		is(Wire::told($client->result), $end eq 'deadlock' ? 'ERROR 40P01' : 'ERROR 55P03', "$name: the statement takes its locks again, and fails");
		keeps_slot($client, $name);
		$blocker->result if $end eq 'deadlock';
		$blocker->leave;
	}
}

# --- two phases: the second never waits, nor does the first of a transaction that has worked ---
{
	my $client = wire($node);
	my $suspended = $admin->value("SELECT suspended_total FROM $GATE");

	$client->value($_) foreach 'BEGIN', 'INSERT INTO t VALUES (2)';
	work($node, 1);
	cmp_ok($admin->value("SELECT suspended_total FROM $GATE"), '>', $suspended, 'the slot of an idle transaction goes to another');
	foreach my $sql (q{PREPARE TRANSACTION 'two'}, q{COMMIT PREPARED 'two'})
	{
		my $result = $client->simple($sql)->result_within($PATIENCE);
		ok($result && !defined $result->{error}, "$sql passes a full gate");
	}
	my ($begin, $nothing) = map { $client->ask($_) } 'BEGIN', q{PREPARE TRANSACTION 'empty'};
	is(Wire::told($nothing), '', 'so does PREPARE TRANSACTION of one that has done nothing');
	is(Wire::told($client->ask(q{ROLLBACK PREPARED 'empty'})), '', 'and ROLLBACK PREPARED');
	is(column($node, 'waiting'), 0, 'none of these stood in the queue');
	stop_work($node);
	is($admin->value('SELECT count(*) FROM t WHERE a = 2'), 1, 'the row of the prepared transaction is there');
	$client->close;
}

# --- procedures that commit inside ---
{
	my @clients = map { wire($node) } 1 .. 2;

	work($node, 1);
	$_->simple('CALL commit_inside(3)') foreach @clients;
	ok(true_within($node, $PATIENCE, "waiting = 2 FROM $GATE"), 'CALL waits');
	$ends{cancel}->($clients[0]);
	is($clients[0]->result->{error}, '57014', 'and is canceled there');
	stop_work($node);
	is(Wire::told($clients[1]->result), '', 'the other is done');
	is($admin->value('SELECT count(*) FROM t WHERE a > 100'), 3, 'and only that one has worked');
	is(Wire::told($clients[1]->ask(q{DO 'BEGIN CALL commit_inside(2); COMMIT; CALL commit_inside(2); END'})), '', 'a DO that commits inside is done');
	$_->close foreach @clients;
	nothing_left($node, 'procedures');
}

# --- who waits holds nothing ---
# Each of these stands in the queue with the first statement of its transaction.
my @ways = ('simple', 'in a block', 'repeatable read', 'serializable', 'in one message', 'extended',
	'prepared, custom', 'prepared, generic', 'EXECUTE, custom', 'EXECUTE, generic');
my %begins = ('in a block' => 'BEGIN', 'repeatable read' => 'BEGIN ISOLATION LEVEL REPEATABLE READ',
	'serializable' => 'BEGIN ISOLATION LEVEL SERIALIZABLE');

sub kind_of_client
{
	my ($way) = @_;

	return wire($node, 'app', name => $way, options => $way =~ /(custom|generic)/ ? "-c plan_cache_mode=force_$1_plan" : undef);
}

sub make_ready
{
	my ($client, $way, $sql, $name) = @_;
	my $result;

	$result = $client->parse($sql, $name)->sync->result if $way =~ /^prepared/;
	$result = $client->ask("PREPARE $name AS $sql") if $way =~ /^EXECUTE/ && $sql =~ /^(SELECT|INSERT|UPDATE|DELETE|WITH)/;
	die "$way, $sql: $result->{message}" if $result && defined $result->{error};
	return;
}

sub send_first
{
	my ($client, $way, $sql, $name) = @_;

	$client->ask($begins{$way}) if $begins{$way};
	return $client->bind($name)->execute->sync if $way =~ /^prepared/;
	return $client->simple("EXECUTE $name") if $way =~ /^EXECUTE/;
	return $client->extended($sql)->sync if $way eq 'extended';
	return $client->simple("BEGIN; $sql; COMMIT") if $way eq 'in one message';
	return $client->simple($sql);
}

sub end_first
{
	my ($client) = @_;

	$client->ask('ROLLBACK') if ($client->{status} // 'I') ne 'I';
	return;
}

# Name and result of each client, in the order that they are done: each may keep locks until the
# end of its block that others need.
sub results_of
{
	my (@left) = @_;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
	my @done;

	while (@left)
	{
		my @still;

		foreach my $client (@left)
		{
			my $result = $client->[1]->result_within(0.002);
			if ($result)
			{
				push @done, [ $client->[0], $result ];
				end_first($client->[1]);
			}
			else
			{
				push @still, $client;
			}
		}
		die 'no answer from ' . join(', ', map { $_->[0] } @still) if @still && time > $deadline;
		@left = @still;
	}
	return @done;
}

my %statements = (
	'SELECT' => 'SELECT sum(a) FROM held WHERE a < 10',
	'SELECT FOR UPDATE' => 'SELECT a FROM held WHERE a = 11 FOR UPDATE',
	'INSERT RETURNING' => 'INSERT INTO held SELECT max(a) + 1 FROM held RETURNING a',
	'WITH' => 'WITH gone AS (UPDATE held SET a = a WHERE a = 12 RETURNING a) SELECT count(*) FROM gone',
	'UPDATE' => 'UPDATE held SET a = a WHERE a = 13',
	'DELETE' => 'DELETE FROM held WHERE a = 14',
	'EXPLAIN ANALYZE' => 'EXPLAIN (ANALYZE, COSTS off) SELECT count(*) FROM held',
	'COPY' => 'COPY held TO STDOUT',
	'DECLARE' => 'DECLARE c CURSOR WITH HOLD FOR SELECT a FROM held',
	'LOCK' => 'LOCK TABLE held IN SHARE MODE',
	'ANALYZE' => 'ANALYZE held');
my @in_the_way = (
	'LOCK TABLE held IN ACCESS EXCLUSIVE MODE',
	'ALTER TABLE held ADD COLUMN more int',
	'ALTER TABLE held DROP COLUMN more',
	'CREATE INDEX held_again ON held (a)',
	'DROP INDEX held_again');
foreach my $kind (sort keys %statements)
{
	my @clients;

	foreach my $way (@ways)
	{
		next if $kind =~ /EXPLAIN|COPY|DECLARE|LOCK|ANALYZE/ && $way =~ /^EXECUTE/;
		next if $kind eq 'LOCK' && $way !~ /block|repeatable|serial|message/;
		next if $kind eq 'ANALYZE' && $begins{$way};
		my $client = kind_of_client($way);
		$client->{way} = $way;
		make_ready($client, $way, $statements{$kind}, 'first');
		push @clients, $client;
	}
	work($node, 1);
	send_first($_, $_->{way}, $statements{$kind}, 'first') foreach @clients;
	ok(true_within($node, $PATIENCE, 'waiting = ' . @clients . " FROM $GATE"), "$kind waits in each protocol: " . @clients);
	is(held_by($node, @clients), '', "$kind: no lock and no snapshot is held in the queue");
	$admin->value("SET lock_timeout = '${PATIENCE}s'");
	my @blocked = map { my $answer = $admin->ask("BEGIN; $_; COMMIT"); $admin->ask('ROLLBACK'); defined $answer->{error} ? "$_: $answer->{message}" : () }
	  @in_the_way[ 0 .. ($kind eq 'SELECT' ? $#in_the_way : 0) ];
	$admin->value('SET lock_timeout = 0');
	is("@blocked", '', "$kind: LOCK TABLE" . ($kind eq 'SELECT' ? ', ALTER TABLE and CREATE INDEX do' : ' does') . ' not wait for the queue');
	is(column($node, 'waiting'), scalar @clients, "$kind: for which nobody had to be let in");
	stop_work($node);
	my @failed = map { "$_->[0]: $_->[1]{message}" }
	  grep { defined $_->[1]{error} && $_->[1]{error} ne '40001' } results_of(map { [ $_->{way}, $_ ] } @clients);
	is("@failed", '', "$kind: all are done");
	$_->close foreach @clients;
}
nothing_left($node, 'who holds nothing');

# --- who does hold something goes first when somebody waits for it ---
{
	my @others = map { wire($node) } 1 .. 5;
	my $holder = wire($node);
	my $reader = wire($node);
	my $waiter = wire($node, $node->safe_psql('postgres', 'SELECT current_user'));

	$holder->value('SELECT pg_advisory_lock(5)');
	$reader->parse('SELECT $1::reading')->sync->result;
	work($node, 1);
	foreach (@others)
	{
		$_->simple(q{SELECT 'other'});
		true_within($node, $PATIENCE, is_queued($_));
	}
	$holder->simple('SELECT pg_advisory_unlock(5)');
	true_within($node, $PATIENCE, is_queued($holder));
	$waiter->simple('SELECT pg_advisory_lock(5)');
	ok(soon($node, $waiter, $PATIENCE), 'the holder of a session-level advisory lock goes first when somebody waits for it');
	ok(soon($node, $holder, $PATIENCE), 'and is done');
	$reader->bind('', 7)->execute->sync;
	true_within($node, $PATIENCE, is_queued($reader));
	$waiter->ask('BEGIN');
	$waiter->simple('LOCK TABLE held IN ACCESS EXCLUSIVE MODE');
	ok(soon($node, $waiter, $PATIENCE), 'and so does one that waits in Bind, in a function that has locked a table');
	$waiter->ask('ROLLBACK');
	is(column($node, 'waiting'), 5, 'the others wait as before');
	stop_work($node);
	is(Wire::told($_->result), 'other', 'and are done in their turn') foreach @others;
	$_->close foreach @others, $holder, $reader, $waiter;
	nothing_left($node, 'who holds something');
}

# --- nothing is stale after the wait ---
# name => [ what is there first, the statement, what is changed while it waits ]; with same => 1 the
# answer does not change.
my @changes = (
	[ 'REVOKE on a table', [ 'CREATE TABLE c (a int)', 'INSERT INTO c VALUES (1)', 'GRANT SELECT ON c TO app' ],
		'SELECT a FROM c', [ 'REVOKE SELECT ON c FROM app', 'INSERT INTO c VALUES (2)' ] ],
	[ 'REVOKE on a column', [ 'CREATE TABLE c (a int)', 'INSERT INTO c VALUES (1)', 'GRANT SELECT (a) ON c TO app' ],
		'SELECT a FROM c', [ 'REVOKE SELECT (a) ON c FROM app' ] ],
	[ 'REVOKE on a function', [ 'CREATE FUNCTION c_f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$' ],
		'SELECT c_f()', [ 'REVOKE EXECUTE ON FUNCTION c_f() FROM PUBLIC' ] ],
	[ 'REVOKE of a membership', [ 'DROP ROLE IF EXISTS readers', 'CREATE ROLE readers', 'CREATE TABLE c (a int)', 'GRANT SELECT ON c TO readers', 'GRANT readers TO app' ],
		'SELECT count(*) FROM c', [ 'REVOKE readers FROM app' ] ],
	[ 'REVOKE on a schema', [ 'CREATE SCHEMA c_s', 'GRANT USAGE ON SCHEMA c_s TO app', 'CREATE VIEW c_s.v AS SELECT 1 AS a', 'GRANT SELECT ON c_s.v TO app' ],
		'SELECT a FROM c_s.v', [ 'REVOKE USAGE ON SCHEMA c_s FROM app' ] ],
	[ 'row security is enabled', [ 'CREATE TABLE c AS SELECT generate_series(1, 4) AS a', 'GRANT SELECT ON c TO app' ],
		'SELECT count(*) FROM c', [ 'CREATE POLICY few ON c USING (a = 1)', 'ALTER TABLE c ENABLE ROW LEVEL SECURITY' ] ],
	[ 'a policy is changed', [ 'CREATE TABLE c AS SELECT generate_series(1, 4) AS a', 'GRANT SELECT ON c TO app', 'CREATE POLICY few ON c USING (a <= 3)', 'ALTER TABLE c ENABLE ROW LEVEL SECURITY' ],
		'SELECT count(*) FROM c', [ 'ALTER POLICY few ON c USING (a = 2)' ] ],
	[ 'ATTACH PARTITION, INSERT', [ 'CREATE TABLE c (a int) PARTITION BY LIST (a)', 'CREATE TABLE c_d PARTITION OF c DEFAULT', 'CREATE TABLE c_1 (a int)', 'GRANT ALL ON c TO app' ],
		'INSERT INTO c VALUES (1) RETURNING tableoid::regclass', [ 'DELETE FROM c', 'ALTER TABLE c ATTACH PARTITION c_1 FOR VALUES IN (1)' ] ],
	[ 'ATTACH PARTITION, SELECT', [ 'CREATE TABLE c (a int) PARTITION BY LIST (a)', 'CREATE TABLE c_1 AS SELECT 1 AS a', 'GRANT ALL ON c TO app' ],
		'SELECT count(*) FROM c', [ 'ALTER TABLE c ATTACH PARTITION c_1 FOR VALUES IN (1)' ] ],
	[ 'DETACH PARTITION', [ 'CREATE TABLE c (a int) PARTITION BY LIST (a)', 'CREATE TABLE c_1 PARTITION OF c FOR VALUES IN (1)', 'INSERT INTO c VALUES (1)', 'GRANT ALL ON c TO app' ],
		'SELECT count(*) FROM c', [ 'ALTER TABLE c DETACH PARTITION c_1' ] ],
	[ 'CREATE OR REPLACE FUNCTION', [ 'CREATE FUNCTION c_f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$' ],
		'SELECT c_f()', [ 'CREATE OR REPLACE FUNCTION c_f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 2; END$$' ] ],
	[ 'CREATE OR REPLACE of an SQL function', [ 'CREATE FUNCTION c_f() RETURNS int LANGUAGE sql AS $$SELECT 1$$' ],
		'SELECT c_f()', [ 'CREATE OR REPLACE FUNCTION c_f() RETURNS int LANGUAGE sql AS $$SELECT 2$$' ] ],
	[ 'DROP and CREATE of a function', [ 'CREATE FUNCTION c_f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$' ],
		'SELECT c_f()', [ 'DROP FUNCTION c_f()', 'CREATE FUNCTION c_f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 2; END$$' ] ],
	[ 'a closer overload', [ 'CREATE FUNCTION c_f(numeric) RETURNS text LANGUAGE sql AS $f$SELECT $1 || $$ numeric$$$f$' ],
		'SELECT c_f(1)', [ 'CREATE FUNCTION c_f(int) RETURNS text LANGUAGE sql AS $f$SELECT $1 || $$ int$$$f$' ] ],
	[ 'DROP and CREATE of a table', [ 'CREATE TABLE c AS SELECT 1 AS a', 'GRANT ALL ON c TO app' ],
		'SELECT a FROM c', [ 'DROP TABLE c', 'CREATE TABLE c AS SELECT 2 AS a', 'GRANT ALL ON c TO app' ] ],
	[ 'RENAME, and another of that name', [ 'CREATE TABLE c AS SELECT 1 AS a', 'GRANT ALL ON c TO app' ],
		'UPDATE c SET a = a + 10 RETURNING a', [ 'ALTER TABLE c RENAME TO c_old', 'CREATE TABLE c AS SELECT -1000 AS a', 'GRANT ALL ON c TO app' ] , differs => 1 ],
	[ 'ALTER TYPE ADD VALUE', [ q{CREATE TYPE c_mood AS ENUM ('a', 'b')} ],
		'SELECT enum_range(NULL::c_mood)', [ q{ALTER TYPE c_mood ADD VALUE 'aa' BEFORE 'b'} ] ],
	[ 'the type of a column', [ 'CREATE TABLE c AS SELECT 1 AS a', 'GRANT ALL ON c TO app' ],
		'SELECT a::text FROM c', [ 'ALTER TABLE c ALTER a TYPE numeric(5, 2)' ] ],
	[ 'the type of a column, in a result', [ 'CREATE TABLE c AS SELECT 1 AS a', 'GRANT ALL ON c TO app' ],
		'SELECT a FROM c', [ 'ALTER TABLE c ALTER a TYPE numeric(5, 2)' ] ],
	[ 'ADD COLUMN', [ 'CREATE TABLE c AS SELECT 1 AS a', 'GRANT ALL ON c TO app' ],
		'SELECT * FROM c', [ 'ALTER TABLE c ADD COLUMN b int DEFAULT 7' ] ],
	[ 'DROP COLUMN', [ 'CREATE TABLE c AS SELECT 1 AS a, 2 AS b', 'GRANT ALL ON c TO app' ],
		'SELECT b FROM c', [ 'ALTER TABLE c DROP COLUMN b' ] ],
	[ 'SET DEFAULT', [ 'CREATE TABLE c (a int DEFAULT 1)', 'GRANT ALL ON c TO app' ],
		'INSERT INTO c DEFAULT VALUES RETURNING a', [ 'ALTER TABLE c ALTER a SET DEFAULT 2' ] ],
	[ 'CHECK', [ 'CREATE TABLE c (a int)', 'GRANT ALL ON c TO app' ],
		'INSERT INTO c VALUES (1) RETURNING a', [ 'DELETE FROM c', 'ALTER TABLE c ADD CHECK (a > 1)' ] ],
	[ 'a trigger', [ 'CREATE TABLE c (a int)', 'GRANT ALL ON c TO app', 'CREATE FUNCTION c_f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.a := 2; RETURN NEW; END$$' ],
		'INSERT INTO c VALUES (1) RETURNING a', [ 'CREATE TRIGGER changes BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION c_f()' ] ],
	[ 'CREATE OR REPLACE VIEW', [ 'CREATE VIEW c_v AS SELECT 1 AS a', 'GRANT ALL ON c_v TO app' ],
		'SELECT a FROM c_v', [ 'CREATE OR REPLACE VIEW c_v AS SELECT 2 AS a' ] ],
	[ 'a domain', [ 'CREATE DOMAIN c_d AS int', 'CREATE TABLE c AS SELECT 1 AS a', 'GRANT ALL ON c TO app' ],
		'SELECT a::c_d FROM c', [ 'ALTER DOMAIN c_d ADD CHECK (VALUE > 1)' ] ],
	[ 'TRUNCATE', [ 'CREATE TABLE c AS SELECT generate_series(1, 5) AS a', 'GRANT ALL ON c TO app' ],
		'SELECT count(*) FROM c', [ 'TRUNCATE c' ] ],
	[ 'an index comes and goes', [ 'CREATE TABLE c (a int PRIMARY KEY)', 'INSERT INTO c SELECT generate_series(1, 1000)', 'ANALYZE c', 'CREATE INDEX c_i ON c ((a * 2))', 'GRANT ALL ON c TO app' ],
		'SELECT a FROM c WHERE a * 2 = 10', [ 'DROP INDEX c_i', 'CREATE INDEX c_j ON c ((a * 2), a)' ], same => 1 ],
	[ 'a table before it in the search path', [ 'CREATE TABLE c AS SELECT 1 AS a', 'GRANT ALL ON c TO app' ],
		'SELECT a FROM c', [ 'CREATE SCHEMA app', 'GRANT USAGE ON SCHEMA app TO app', 'CREATE TABLE app.c AS SELECT 2 AS a', 'GRANT ALL ON app.c TO app' ] ],
);

my %waiting = map { $_ => kind_of_client($_) } @ways;
my %reference = map { $_ => kind_of_client($_) } @ways;
my $number = 0;

sub told_after
{
	my ($client, $way, $sql, $name) = @_;
	my $result = send_first($client, $way, $sql, $name)->result;

	end_first($client);
	return Wire::told($result);
}

foreach my $change (@changes)
{
	my ($name, $first, $sql, $then, %options) = @$change;
	my $prepared = 'change_' . $number++;
	my (%before, %waited, %after, @failed);

	$admin->value($_) foreach @$first;
	foreach my $way (@ways)
	{
		foreach my $client ($waiting{$way}, $reference{$way})
		{
			make_ready($client, $way, $sql, $prepared);
			# a plan that is run again has been found in the cache
			$before{$way} = told_after($client, $way, $sql, $prepared) foreach 1, 2;
		}
	}
	work($node, 1);
	send_first($waiting{$_}, $_, $sql, $prepared) foreach @ways;
	true_within($node, $PATIENCE, 'waiting = ' . @ways . " FROM $GATE") or push @failed, 'not all wait';
	$admin->value("SET lock_timeout = '${PATIENCE}s'");
	foreach (@$then)
	{
		my $result = $admin->ask($_);
		next unless defined $result->{error};
		push @failed, "$_: $result->{message}";
		last;
	}
	$admin->value('SET lock_timeout = 0');
	is("@failed", '', "$name: the change does not wait for the queue");
	stop_work($node);
	$waited{ $_->[0] } = Wire::told($_->[1]) foreach results_of(map { [ $_, $waiting{$_} ] } @ways);
	$after{$_} = told_after($reference{$_}, $_, $sql, $prepared) foreach @ways;
	if (!@failed)
	{
		isnt($after{simple}, $before{simple}, "$name: the change shows") unless $options{same};
		if ($options{differs})
		{
			# each adds to the same row
			is((grep { !/^-/ && !/^ERROR 40001/ } values %waited), 0, "$name: after the wait it is another table");
		}
		else
		{
			is(join("\n", map { "$_: $waited{$_}" } @ways), join("\n", map { "$_: $after{$_}" } @ways), "$name: after the wait each is told what it would be told now");
		}
	}
	$admin->value('DROP OWNED BY readers; DROP ROLE readers') if $name =~ /membership/;
	$admin->value(<<'SQL');
SET client_min_messages = error;
DROP SCHEMA IF EXISTS app, c_s CASCADE;
DROP VIEW IF EXISTS c_v;
DROP TABLE IF EXISTS c, c_old, c_1, c_d CASCADE;
DROP FUNCTION IF EXISTS c_f(), c_f(int), c_f(numeric) CASCADE;
DROP TYPE IF EXISTS c_mood;
DROP DOMAIN IF EXISTS c_d
SQL
}
$_->close foreach values %waiting, values %reference;
nothing_left($node, 'changes');

# --- what is analyzed anew is executed once, with the settings that it began with ---
{
	my @clients = map { wire($node) } 1 .. 4;

	$clients[0]->ask('SET search_path = pg_catalog, public');
	$admin->value('CREATE TABLE once (a int, n int)');
	$admin->value('GRANT ALL ON once TO app');
	work($node, 1);
	$clients[0]->simple(q{INSERT INTO once VALUES (1, nextval('counted')); SELECT current_setting('search_path')});
	$clients[1]->simple(q{INSERT INTO once VALUES (2, nextval('counted')), (3, nextval('counted')); SELECT 2});
	$clients[2]->extended(q{INSERT INTO once SELECT $1, nextval('counted')}, 4)->extended('SELECT $1 || $2', 'a', 'b')->sync;
	$clients[3]->simple('CREATE TABLE made AS SELECT 1 AS a; INSERT INTO made VALUES (2); SELECT count(*) FROM made; DROP TABLE made');
	ok(true_within($node, $PATIENCE, "waiting = 4 FROM $GATE"), 'several statements in a message wait with the first');
	$admin->ask("SET lock_timeout = '${PATIENCE}s'; ALTER TABLE once ALTER n TYPE bigint; SET lock_timeout = 0");
	stop_work($node);
	is(join(' / ', map { Wire::told($_->result) } @clients), 'pg_catalog, public / 2 / ab / 2', 'they are done, with their search path and their parameters');
	is($admin->value(q{SELECT count(*) || ' ' || max(n) || ' ' || (SELECT last_value FROM counted) FROM once}), '4 4 4', 'each once');
	$_->close foreach @clients;
}

# --- pgbench in each protocol, with a pipeline, beside a table that changes ---
# A client with a thread of its own, as a thread waits for the answer when it prepares a statement.
{
	my $pipeline = script('pipeline', "\\startpipeline\nBEGIN;\nUPDATE acc SET bal = bal - 1 WHERE id = 1;\nUPDATE acc SET bal = bal + 1 WHERE id = 2;\nSELECT * FROM t LIMIT 1;\nEND;\n\\endpipeline\n");
	my $block = script('block', "BEGIN;\nUPDATE acc SET bal = bal - 1 WHERE id = 1;\nUPDATE acc SET bal = bal + 1 WHERE id = 2;\nEND;\nSELECT count(*) FROM t;\n");

	foreach my $case ([ 'simple', $block ], [ 'extended', $block ], [ 'prepared', $block ], [ 'extended', $pipeline ], [ 'prepared', $pipeline ])
	{
		my ($mode, $file) = @$case;
		my $name = "pgbench -M $mode" . ($file eq $pipeline ? ', a pipeline' : '');
		my $pgbench = start_program('pgbench', '-n', '-M', $mode, '-c', 8, '-j', 8, '-t', 60, '-f', $file, user_of($node));

		foreach my $n (1 .. 5)
		{
			$admin->value("CREATE INDEX more_$n ON t (a)");
			$admin->value("DROP INDEX more_$n");
		}
		$pgbench->{run}->finish;
		unlike($pgbench->{err}, qr/ERROR|abort/, "$name: no error");
		like($pgbench->{out}, qr/480\/480/, "$name: all are done");
	}
	is($admin->value('SELECT sum(bal) FROM acc'), 100, 'no money is lost');
	nothing_left($node, 'pgbench');
}

done_testing();
