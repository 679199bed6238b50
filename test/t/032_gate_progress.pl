# The queue never stands still: slots are for work, no circle of waits goes through the queue, DDL
# does not wait for it, monitoring is answered, and there is a way out that needs nobody.
#
# At the end random graphs of sessions that wait for each other in all ways are let loose; each
# must come to its end as it does on a server without a limit.  PADV_SEED and PADV_GRAPHS choose.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;
use Time::HiRes qw(sleep time);

# What must come "within a moment" is given so many seconds, as the machine may be busy.
my $PATIENCE = 10;

my $node = limits_node('progress', <<'CONF');
max_connections = 150
archive_mode = on
archive_command = 'false'
max_parallel_workers = 4
deadlock_timeout = 500ms
CONF
my $admin = admin($node);
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
my $parallel = $admin->value(q{SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});
my $has_links = $admin->value(q{SELECT count(*) = 2 FROM pg_available_extensions WHERE name IN ('dblink', 'postgres_fdw')}) eq 't';
my $version = $admin->value(q{SELECT current_setting('server_version_num')});

$node->safe_psql('postgres', <<'SQL');
GRANT ALL ON SCHEMA public TO app;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
CREATE TABLE t (a int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t SELECT generate_series(1, 100);
CREATE TABLE u (a int);
INSERT INTO u SELECT generate_series(1, 1000);
CREATE TABLE flags (id int PRIMARY KEY, done boolean NOT NULL DEFAULT false);
INSERT INTO flags SELECT generate_series(1, 20);
CREATE TABLE own (a int);
GRANT ALL ON t, u, flags, own TO app;
GRANT SELECT ON own TO watcher;
-- works for so many milliseconds
CREATE FUNCTION compute(ms int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE until timestamptz := clock_timestamp() + ms * interval '1 ms';
BEGIN
	WHILE clock_timestamp() < until LOOP NULL; END LOOP;
	RETURN ms;
END $$;
-- parallel workers wait in these
CREATE FUNCTION reads_u(a int) RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS
	$$ BEGIN PERFORM count(*) FROM u; RETURN a; END $$;
CREATE FUNCTION passes_lock(a int, key int) RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS
	$$ BEGIN PERFORM pg_advisory_xact_lock_shared(key); RETURN a; END $$;
SQL
if ($has_links)
{
	(my $host = $node->host) =~ s/'/''/g;
	my $port = $node->port;
	my ($app, $exempt) = map { "host=$host port=$port dbname=postgres user=$_" } 'app', $superuser;
	$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION dblink;
CREATE EXTENSION postgres_fdw;
-- a session of this server, as the role in the queue, and one of another server, which is stood in for by one that is exempt
CREATE FUNCTION link_to_here(sql text) RETURNS text LANGUAGE sql SECURITY DEFINER AS
	\$\$ SELECT a FROM dblink('$app', sql) AS d (a text) \$\$;
CREATE FUNCTION link_elsewhere(sql text) RETURNS text LANGUAGE sql SECURITY DEFINER AS
	\$\$ SELECT a FROM dblink('$exempt', sql) AS d (a text) \$\$;
CREATE FUNCTION link_and_poll(sql text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS \$\$
DECLARE answer text;
BEGIN
	PERFORM dblink_connect('c', '$app');
	PERFORM dblink_send_query('c', sql);
	WHILE dblink_is_busy('c') = 1 LOOP NULL; END LOOP;
	SELECT a INTO answer FROM dblink_get_result('c') AS d (a text);
	PERFORM dblink_disconnect('c');
	RETURN answer;
END \$\$;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
CREATE USER MAPPING FOR app SERVER elsewhere OPTIONS (user '$superuser', password_required 'false');
CREATE VIEW slow AS SELECT pg_sleep(1000)::text AS a;
CREATE FOREIGN TABLE far (a text) SERVER elsewhere OPTIONS (table_name 'slow');
GRANT SELECT ON far TO app;
SQL
}
else
{
	diag('dblink and postgres_fdw are not installed: what goes through them is NOT tested');
}

# End clients that wait for something, whatever it is.
sub dismiss
{
	foreach my $client (@_)
	{
		$admin->value("SELECT pg_terminate_backend($client->{pid})") unless $client->{gone};
		$client->close;
	}
	true_within($node, $PATIENCE, "NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid IN (0, " . join(', ', map { $_->{pid} } @_) . '))');
	return;
}

# A part of this test. Where it cannot go on it has failed, and the next one finds nobody there.
sub part
{
	my ($name, $code) = @_;

	return if eval { $code->(); 1 };
	fail("$name: $@");
	$admin->value(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'});
	stop_work($node);
	wait_for($node, q{count(*) = 0 FROM pg_stat_activity WHERE usename IN ('app', 'watcher')});
	return;
}

# Start a statement and wait until the session is seen so.
sub started
{
	my ($client, $sql, $condition) = @_;

	$client->simple($sql);
	true_within($node, $PATIENCE, "EXISTS (SELECT FROM pg_stat_activity WHERE pid = $client->{pid} AND $condition)")
	  or die "$sql: is not $condition, but " . $admin->value("SELECT coalesce(wait_event, '-') || ' ' || state FROM pg_stat_activity WHERE pid = $client->{pid}");
	return $client;
}

sub queue
{
	my ($sql, $role) = @_;
	my $client = wire($node, $role);

	$client->simple($sql);
	true_within($node, $PATIENCE, is_queued($client)) or die "$sql: is not in the queue";
	return $client;
}

# --- slots are for work: whoever waits for something outside does not count ---
server_max_active($node, 2);
my %holders = (
	'pg_sleep' => sub { started(wire($node), 'SELECT pg_sleep(1000)', q{wait_event = 'PgSleep'}) },
	'idle in transaction' => sub { my $c = wire($node); $c->value($_) foreach 'BEGIN', 'INSERT INTO own VALUES (1)'; $c },
	'COPY FROM STDIN' => sub { started(wire($node), 'COPY own FROM STDIN', q{wait_event = 'ClientRead'}) },
	'COPY FROM STDIN in a block' => sub { my $c = wire($node); $c->value('BEGIN'); started($c, 'COPY own FROM STDIN', q{wait_event = 'ClientRead'}) },
	'a client that does not read' => sub { started(wire($node), q{SELECT repeat('x', 1000) FROM generate_series(1, 100000)}, q{wait_event = 'ClientWrite'}) },
	'LISTEN and a block' => sub { my $c = wire($node); $c->ask($_) foreach 'LISTEN x', 'BEGIN', 'SELECT 1'; $c });
if ($has_links)
{
	$holders{'dblink to another server'} = sub { started(wire($node), q{SELECT link_elsewhere('SELECT pg_sleep(1000)')}, q{state = 'active'}) };
	$holders{'postgres_fdw'} = sub { started(wire($node), 'SELECT * FROM far', q{state = 'active'}) };
}

# Three holders at a limit of two, and two must be able to compute beside them.
sub are_not_counted
{
	my ($name, $holder, @more) = @_;

	part($name, sub { not_counted($name, map { $holder->($more[$_]) } 0 .. 2) });
	return;
}

sub not_counted
{
	my ($name, @three) = @_;
	my @computing = map { wire($node) } 1 .. 3;

	$_->simple('SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS s') foreach @computing;
	my $pids = join(', ', map { $_->{pid} } @computing);
	# one that is about to wait is seen at work, too
	ok(settles(<<"SQL", '2 1'),
SELECT count(*) FILTER (WHERE state = 'active' AND wait_event IS NULL) || ' ' || count(*) FILTER (WHERE wait_event_type = 'Extension')
FROM pg_stat_activity WHERE pid IN ($pids)
SQL
		"$name: two compute beside three of these at a limit of two, and a third waits");
	dismiss(@computing, @three);
	return;
}

# Whether a value that has been reached is still there in most of some looks.
sub stays_so
{
	my ($sql, $value) = @_;
	my $right = 0;

	foreach (1 .. 20)
	{
		$right++ if $admin->value($sql) eq $value;
		sleep 0.01;
	}
	return $right >= 15;
}

# Whether a value comes and stays.
sub settles
{
	my ($sql, $value) = @_;
	my $until = time + $PATIENCE;

	until (stays_so($sql, $value))
	{
		return 0 if time > $until;
	}
	return 1;
}

foreach my $name (sort keys %holders)
{
	are_not_counted($name, $holders{$name});
}

# a standby that does not confirm
$node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = 'nobody'});
$node->reload;
wait_for($node, q{setting = 'nobody' FROM pg_settings WHERE name = 'synchronous_standby_names'});
are_not_counted('synchronous replication', sub { started(wire($node), 'INSERT INTO own VALUES (2)', q{wait_event = 'SyncRep'}) });
$node->safe_psql('postgres', q{SET synchronous_commit = local; ALTER SYSTEM RESET synchronous_standby_names});
$node->reload;

# a segment that cannot be archived
$node->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION pg_backup_start, pg_backup_stop TO app');
are_not_counted('pg_backup_stop', sub { started($_[0], 'SELECT pg_backup_stop()', q{wait_event ~ 'BackupWaitWalArchive'}) },
	map { my $c = wire($node); $c->value(q{SELECT pg_backup_start('b', true)}); $c } 1 .. 3);

# a checkpoint that does not come; the role that may ask for it is there from 15 on
{
	my $checkpointer = $admin->value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'});

	$node->safe_psql('postgres', 'GRANT pg_checkpoint TO app');
	kill 'STOP', $checkpointer;
	are_not_counted('CHECKPOINT', sub { started(wire($node), 'CHECKPOINT', q{wait_event ~ 'Checkpoint'}) });
	kill 'CONT', $checkpointer;
}
nothing_left($node, 'slots are for work');

# --- holders that wait for locks count, and only whoever they wait for comes in ---
part('deadlock', sub {
	my @two = map { wire($node) } 1 .. 2;
	my $from = -s $node->logfile;

	# each wants the row of the other: nobody can help but the deadlock detector
	$two[$_]->value('BEGIN') foreach 0, 1;
	$two[$_]->value('UPDATE t SET n = n + 1 WHERE a = ' . ($_ + 1)) foreach 0, 1;
	$two[$_]->simple('UPDATE t SET n = n + 1 WHERE a = ' . (2 - $_)) foreach 0, 1;
	my $third = wire($node);
	$third->simple(q{DO 'BEGIN RAISE LOG $q$the third runs$q$; END'});
	ok(soon($node, $third, $PATIENCE), 'deadlock: the third comes in');
	my @results = map { soon($node, $_, $PATIENCE) } @two;
	is(join(' ', sort map { $_ && $_->{error} // '' } @results), ' 40P01', 'deadlock: core ends it');
	like(slurp_file($node->logfile, $from), qr/deadlock detected.*the third runs/s, 'deadlock: and only then') ;
	dismiss(@two, $third);
});

# one that works, and one that waits for it: the third waits, as two are inside
part('locks', sub {
	my ($first, $second) = map { wire($node) } 1 .. 2;

	$first->value($_) foreach 'BEGIN', 'UPDATE t SET n = n + 1 WHERE a = 3';
	started($first, 'SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS s', q{state = 'active'});
	started($second, 'UPDATE t SET n = n + 1 WHERE a = 3', q{wait_event_type = 'Lock'});
	my $third = queue('SELECT 1');
	ok(stays_so("SELECT count(*) FROM pg_stat_activity WHERE pid = $third->{pid} AND wait_event_type = 'Extension'", 1),
		'locks: beside one that works and one that waits for it a third waits');
	dismiss($first);
	ok(soon($node, $third, $PATIENCE), 'locks: and gets in when there is room');
	dismiss($second, $third);
});

# holders that are blocked from outside stop to count
part('blocked from outside', sub {
	my $outside = wire($node, $superuser);

	$outside->value($_) foreach 'BEGIN', 'UPDATE t SET n = n + 1 WHERE a = 4';
	my @blocked = map { started(wire($node), 'UPDATE t SET n = n + 1 WHERE a = 4', q{wait_event_type = 'Lock'}) } 1 .. 3;
	are_not_counted('blocked by a session outside', sub { $_[0] }, @blocked);
	dismiss($outside);
});

# the limit holds where transactions deadlock all the time
part('thrash', sub {
	my $file = $node->basedir . '/thrash.sql';

	server_max_active($node, 2);
	$node->safe_psql('postgres', q{ALTER ROLE app SET deadlock_timeout = '200ms'});
	append_to_file($file, <<'SCRIPT');
\set a random(1, 8)
\set b random(1, 8)
BEGIN\;
UPDATE t SET n = n + 1 WHERE a = :a\;
SELECT compute(1)\;
UPDATE t SET n = n + 1 WHERE a = :b\;
COMMIT;
SCRIPT
	my $before = $admin->value('SELECT sum(n) FROM t');
	my $pgbench = start_program('pgbench', '-n', '-M', 'simple', '--max-tries', 1000, '-c', 16, '-j', 4, '-t', 25, '-f', $file, user_of($node));

	# who has written and not ended, in so many looks; a slot is handed over just before its locks are released
	my (%looks, $most);
	$most = 0;
	while ($pgbench->{run}->pumpable)
	{
		my @inside = split /\n/, $admin->value(q{SELECT DISTINCT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
			WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted AND usename = 'app'});
		%looks = map { $_ => 1 + ($looks{$_} // 0) } @inside;
		my $inside = grep { $_ >= 5 } values %looks;
		$most = $inside if $inside > $most;
		sleep 0.01;
		$pgbench->{run}->pump_nb;
	}
	$pgbench->{run}->finish;
	$node->safe_psql('postgres', q{ALTER ROLE app RESET deadlock_timeout});
	cmp_ok($most, '<=', 2, 'thrash: never more than the limit inside, while they deadlock');
	note($pgbench->{err});
	like($pgbench->{out}, qr/number of transactions actually processed: 400/, 'thrash: all are done');
	is($admin->value('SELECT sum(n) FROM t') - $before, 800, 'thrash: and each once');
	nothing_left($node, 'thrash');
});

# --- no circle goes through the queue ---
# parallel workers wait for what a session in the queue holds
server_max_active($node, 1);
part('parallel query', sub {
	my $reader = wire($node);
	my $leader = wire($node);
	my $ddl = wire($node, $superuser);
	my @settings = ("SET $parallel = on", 'SET parallel_leader_participation = off');

	$leader->value($_) foreach @settings;
	$admin->value('SELECT pg_advisory_lock(6)');
	started($leader, 'SELECT max(reads_u(passes_lock(a, 6))) FROM t', q{wait_event_type = 'IPC'});
	$reader->simple('SELECT count(*) FROM u');
	true_within($node, 0.3, is_queued($reader));
	$ddl->simple('ALTER TABLE u ADD COLUMN more int');
	my $altered = $ddl->result_within(0.1);
	$admin->value('SELECT pg_advisory_unlock(6)');
	$altered //= soon($node, $ddl, $PATIENCE);
	is(join(' ', map { Wire::told($_) } $altered, map { soon($node, $_, $PATIENCE) } $reader, $leader), ' 1000 100', 'parallel workers, a command and a reader in the queue');

	my $holder = wire($node);
	$holder->value('SELECT pg_advisory_lock(4)');
	started($leader, 'SELECT max(passes_lock(a, 4)) FROM t', q{wait_event_type IN ('IPC', 'Lock')});
	$holder->simple('SELECT pg_advisory_unlock(4)');
	is(join(' ', map { Wire::told(soon($node, $_, $PATIENCE)) } $holder, $leader), 't 100', 'parallel workers wait for a lock of a session in the queue');
	dismiss($reader, $leader, $ddl, $holder);
});
nothing_left($node, 'parallel query');

# one that works for long must not keep those who wait from the one they wait for
server_max_active($node, 2);
part('convoy', sub {
	my ($holder, $waiter) = map { wire($node) } 1 .. 2;

	$holder->value('SELECT pg_advisory_lock(5)');
	work($node, 1);
	started($waiter, 'SELECT pg_advisory_lock(5)', q{wait_event = 'advisory'});
	$holder->simple('SELECT pg_advisory_unlock(5)');
	is(join(' ', map { Wire::told(soon($node, $_, $PATIENCE)) } $holder, $waiter), 't ', 'beside one that works for long, the one whom others wait for gets in');
	stop_work($node);
	dismiss($holder, $waiter);
});

# polling is waiting, with a sleep and without one
my %pollers = (
	'a loop without a sleep' => q{DO 'BEGIN WHILE NOT pg_try_advisory_lock(7) LOOP NULL; END LOOP; PERFORM pg_advisory_unlock(7); END'},
	'a loop that works and sleeps' => q{DO 'BEGIN WHILE NOT pg_try_advisory_lock(7) LOOP PERFORM compute(20), pg_sleep(0.005); END LOOP; PERFORM pg_advisory_unlock(7); END'},
	'a loop with short sleeps' => q{DO 'BEGIN WHILE NOT pg_try_advisory_lock(7) LOOP PERFORM pg_sleep(0.002); END LOOP; PERFORM pg_advisory_unlock(7); END'});
foreach my $limit (1, 2)
{
	server_max_active($node, $limit);
	foreach my $name (sort keys %pollers)
	{
		part("$name, limit $limit", sub {
			my @pollers = map { wire($node) } 1 .. $limit;
			my $holder = wire($node);

			$holder->value('SELECT pg_advisory_lock(7)');
			started($_, $pollers{$name}, q{state = 'active'}) foreach @pollers;
			$holder->simple('SELECT pg_advisory_unlock(7)');
			is(join(' ', map { Wire::told(soon($node, $_, $PATIENCE)) } $holder, @pollers), 't' . ' ' x $limit, "$name polls for what a session in the queue holds, limit $limit");
			dismiss($holder, @pollers);
		});
	}
}

# a flag in a table, and a client that asks again and again in its transaction
server_max_active($node, 1);
part('pollers', sub {
	my ($poller, $setter) = map { wire($node) } 1 .. 2;

	started($poller, q{DO 'BEGIN LOOP EXIT WHEN (SELECT done FROM flags WHERE id = 1); END LOOP; END'}, q{state = 'active'});
	$setter->simple('UPDATE flags SET done = true WHERE id = 1');
	is(join(' ', map { Wire::told(soon($node, $_, $PATIENCE)) } $setter, $poller), ' ', 'a loop polls for a row that a session in the queue would change');

	$setter->value('SELECT pg_advisory_lock(8)');
	$poller->ask('BEGIN');
	$poller->value('SELECT pg_try_advisory_lock(8)');
	$setter->simple('SELECT pg_advisory_unlock(8)');
	my $deadline = time + $PATIENCE;
	my $had = 'f';
	while ($had ne 't' && time < $deadline)
	{
		sleep 0.008;
		$had = $poller->value('SELECT pg_try_advisory_lock(8)');
	}
	is($had, 't', 'a client polls in its transaction for what a session in the queue holds');
	$poller->ask('COMMIT');
	soon($node, $setter, $PATIENCE);
	dismiss($poller, $setter);
});
nothing_left($node, 'pollers');

# the holder behind many who wait for it: it comes in at once, not after all of them
server_max_active($node, 2);
part('many waiters', sub {
	my $holder = wire($node);

	# all are connected before the first one waits: while the holder wants nothing, others are let in
	my @waiters = map { wire($node) } 1 .. 60;
	$holder->value('SELECT pg_advisory_lock(9)');
	$_->simple('SELECT pg_advisory_lock_shared(9), pg_advisory_unlock_shared(9)') foreach @waiters;
	$holder->simple(q{SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 9 AND NOT granted), pg_advisory_unlock(9)});
	my $told = Wire::told(soon($node, $holder, $PATIENCE));
	my ($waited) = $told =~ /^(\d+)\|t$/;
	cmp_ok($waited // 1000, '<', 20, 'one whom 60 wait for comes in before they all have');
	is((grep { Wire::told(soon($node, $_, $PATIENCE)) eq '|t' } @waiters), 60, 'and all of them are done');
	dismiss($holder, @waiters);
});
nothing_left($node, 'many waiters');

# one session waits for another of its own program, through the server
SKIP:
{
	skip 'dblink is not installed', 3 unless $has_links;
	part('dblink', sub {
		my @clients = map { wire($node) } 1 .. 2;

		$_->simple(q{SELECT link_to_here('SELECT 7')}) foreach @clients;
		is(join(' ', map { Wire::told(soon($node, $_, $PATIENCE)) } @clients), '7 7', 'dblink to this server, from each slot');
		$_->simple(q{SELECT link_and_poll('SELECT 8')}) foreach @clients;
		is(join(' ', map { Wire::told(soon($node, $_, $PATIENCE)) } @clients), '8 8', 'dblink to this server, asked again and again');
		server_max_active($node, 1);
		$clients[0]->simple(q{SELECT link_to_here('SELECT link_to_here($q$SELECT 9$q$)')});
		is(Wire::told(soon($node, $clients[0], $PATIENCE)), '9', 'dblink in dblink');
		dismiss(@clients);
		nothing_left($node, 'dblink');
	});
}

# --- DDL beside a long queue, of the server and of a role that is held down ---
my @ddl = ('LOCK TABLE u IN ACCESS EXCLUSIVE MODE', 'ALTER TABLE u ADD COLUMN again int', 'ALTER TABLE u DROP COLUMN again',
	'CREATE INDEX u_a ON u (a)', 'DROP INDEX u_a', 'TRUNCATE u', 'ALTER TABLE u RENAME TO v', 'ALTER TABLE v RENAME TO u');
foreach my $whose ('the server', 'a role')
{
	if ($whose eq 'a role')
	{
		server_max_active($node, 'off');
		$node->safe_psql('postgres', q{SELECT pool_advisor.set_limit('app', max_active => 2)});
		wait_for_limits($node, q{rolname = 'app' AND max_active = 2});
	}
	else
	{
		server_max_active($node, 2);
	}
	part("DDL, $whose", sub {
		work($node, 2);
		my @queue = map { my $c = wire($node); $c->ask('BEGIN') if $_ % 2; $c->simple($_ % 3 ? 'SELECT sum(a) FROM u' : 'UPDATE u SET a = a + 1'); $c } 1 .. 60;
		true_within($node, $PATIENCE, "waiting = 60 FROM $GATE");
		my @failed;
		foreach (@ddl)
		{
			my $result = $admin->ask("SET lock_timeout = '5s'; BEGIN; $_; COMMIT");
			push @failed, "$_: $result->{message}" if defined $result->{error};
			$admin->ask('ROLLBACK; SET lock_timeout = 0');
		}
		is("@failed", '', "DDL does not wait for the queue of $whose");
		is(column($node, 'waiting'), 60, 'and nobody had to be let in for it');
		$admin->ask('DROP TABLE IF EXISTS v');
		stop_work($node);
		my @errors;
		while (@queue)
		{
			my $client = shift @queue;
			my $result = $client->result_within(0.05);
			if (!$result) { push @queue, $client; next; }
			push @errors, $result->{message} if defined $result->{error};
			$client->close;
		}
		is("@errors", '', 'all are done');
	});
	nothing_left($node, "the queue of $whose");
}
$node->safe_psql('postgres', q{SELECT pool_advisor.clear_limit('app')});
wait_for($node, q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'app' AND max_active > 0)});

# --- monitoring has its answer while the gate is full ---
server_max_active($node, 1);
part('monitoring', sub {
	my $watcher = wire($node, 'watcher');
	my @views = map { "SELECT * FROM pool_advisor.$_" } split /\n/, $admin->value(q{SELECT viewname FROM pg_views WHERE schemaname = 'pool_advisor' ORDER BY 1});
	my @stuck;

	work($node, 1);
	foreach my $sql (@views, 'SELECT * FROM pool_advisor.check_load()', 'SELECT pool_advisor.openmetrics()', 'SELECT * FROM pool_advisor.explain()',
		'SELECT waiting, count(*) OVER () FROM pool_advisor.gate WHERE running > 0 ORDER BY 1', 'BEGIN', 'SELECT running FROM pool_advisor.gate', 'COMMIT')
	{
		foreach my $way ('simple', 'extended')
		{
			$way eq 'simple' ? $watcher->simple($sql) : $watcher->extended($sql)->sync;
			push @stuck, "$sql ($way)" unless soon($node, $watcher, $PATIENCE);
			last if @stuck;
		}
		last if @stuck;
	}
	is("@stuck", '', 'a member of pg_monitor is answered from all views and functions while the gate is full');

	# but is not let past for another statement, whichever was analyzed last
	my $sly = wire($node, 'watcher');
	$sly->parse('SELECT count(*) FROM generate_series(1, 10)')->sync->result;
	$sly->parse('SELECT count(*) FROM pool_advisor.gate', 'looks')->sync->result;
	$sly->bind('')->execute->sync;
	ok(true_within($node, $PATIENCE, is_queued($sly)), 'its unnamed statement waits, whatever was prepared by name since');
	my $plain = wire($node, 'watcher');
	$plain->parse('SELECT count(*) > 0 FROM pool_advisor.gate')->sync->result;
	$plain->parse('SELECT 1', 'other')->sync->result;
	is(Wire::told(soon($node, $plain->bind('')->execute->sync, $PATIENCE)), 't', 'and an unnamed one that reads views does not');
	$admin->value("SELECT pg_cancel_backend($sly->{pid})");
	$sly->result;
	$_->close foreach $sly, $plain;
	$watcher->simple('SELECT count(*) FROM own');
	ok(true_within($node, $PATIENCE, is_queued($watcher)), 'but waits with a table of its own');
	stop_work($node);
	ok(soon($node, $watcher, $PATIENCE), 'and reads it then');
	$watcher->close;
});

# --- whoever may cancel a session can do so while the gate is full ---
part('canceling', sub {
	my $other = wire($node);

	work($node, 1);
	foreach my $way ('simple', 'extended', 'a parameter', 'a subquery')
	{
		my ($waiter) = queue('SELECT sum(a) FROM t');
		my $call = 'SELECT pg_cancel_backend(' . ($way eq 'a parameter' ? '$1' : $way eq 'a subquery' ? "(SELECT $waiter->{pid})" : $waiter->{pid}) . ')';

		$way eq 'simple' || $way eq 'a subquery' ? $other->simple($call) : $other->extended($call, $way eq 'a parameter' ? $waiter->{pid} : ())->sync;
		if ($way eq 'a subquery')
		{
			ok(true_within($node, $PATIENCE, is_queued($other)), 'what is more than a call waits');
			$admin->value("SELECT pg_cancel_backend($_->{pid})") foreach $other, $waiter;
			$other->result;
		}
		else
		{
			ok(soon($node, $other, $PATIENCE), "a session of the same role cancels another one, $way");
		}
		is(soon($node, $waiter, $PATIENCE)->{error}, '57014', "$way: which ends");
		$waiter->close;
	}
	# what comes with the call, and a statement that was analyzed before another one passed, wait
	foreach my $sql ('WITH x AS (DELETE FROM t WHERE false RETURNING a) SELECT pg_cancel_backend(0)',
		'SELECT pg_cancel_backend(0) HAVING (SELECT count(*) FROM t) > 0', 'SELECT pg_cancel_backend(0) WHERE EXISTS (SELECT FROM t)',
		'SELECT pg_cancel_backend(0) LIMIT (SELECT count(*) FROM t)', 'SELECT pg_cancel_backend(0) FROM t',
		'SELECT pg_cancel_backend(0) GROUP BY (SELECT count(*) FROM t)', 'SELECT pg_cancel_backend(0) ORDER BY (SELECT count(*) FROM t)')
	{
		$other->simple($sql);
		ok(true_within($node, $PATIENCE, is_queued($other)), "it waits: $sql");
		$admin->value("SELECT pg_cancel_backend($other->{pid})");
		$other->result;
	}
	stop_work($node);
	$other->parse('SELECT sum(a) FROM t')->sync->result;
	work($node, 1);
	ok($other->parse('SELECT pg_cancel_backend(0)', 'cancel')->sync && soon($node, $other, $PATIENCE), 'a call is prepared');
	ok($other->bind('cancel')->execute->sync && soon($node, $other, $PATIENCE), 'and executed');
	$other->bind('')->execute->sync;
	ok(true_within($node, $PATIENCE, is_queued($other)), 'a statement prepared before waits');
	stop_work($node);
	ok(soon($node, $other, $PATIENCE), 'and has its turn');
	$other->close;
});

# --- the way out works for those who wait, while the worker hangs ---
my $worker = $admin->value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
foreach my $way ([ 'gate_enforcement', 'observe' ], [ 'gate_enforcement', 'off' ], [ 'enforcement', 'off' ])
{
	my ($setting, $value) = @$way;
	my $name = "$setting = $value";
	part($name, sub {
		my $inside = wire($node);

		work($node, 1);
		my @waiting = (queue('SELECT 1'), queue('SELECT sum(a) FROM t'));
		my $block = wire($node);
		$block->simple('BEGIN; SELECT 2; COMMIT');
		push @waiting, $block;
		true_within($node, $PATIENCE, "waiting = 3 FROM $GATE");
		my $would = column($node, 'would_wait_total');
		kill 'STOP', $worker;
		my $died = !eval {
			$admin->value("ALTER SYSTEM SET pool_advisor.$setting = '$value'");
			$admin->value('SELECT pg_reload_conf()');
			is((grep { soon($node, $_, $PATIENCE) } @waiting), 3, "$name lets in who waits, while the worker hangs");
			$inside->simple('SELECT 3');
			is(Wire::told(soon($node, $inside, $PATIENCE)), '3', "$name: and who comes later");
			1;
		};
		kill 'CONT', $worker;
		die $@ if $died;
		$inside->simple('SELECT 4');
		ok(soon($node, $inside, $PATIENCE), "$name: the same when it goes on");
		ok(true_within($node, $PATIENCE, "would_wait_total > $would FROM $GATE"), "$name counts who would wait") if $value eq 'observe';
		$admin->value("ALTER SYSTEM RESET pool_advisor.$setting");
		$admin->value('SELECT pg_reload_conf()');
		my $again = wire($node);
		my $returns;
		foreach (1 .. 100)
		{
			$again->simple('SELECT 5');
			$returns = !$again->result_within(0.1);
			last if $returns;
		}
		ok($returns, "$name: afterwards the limit is in force again");
		stop_work($node);
		soon($node, $again, $PATIENCE) if $returns;
		dismiss(@waiting, $inside, $again);
	});
	$admin->value("ALTER SYSTEM RESET pool_advisor.$setting");
	$admin->value('SELECT pg_reload_conf()');
	nothing_left($node, $name);
}

# --- random graphs ---
# Sessions of few kinds, each a list of steps; a step is a statement, a pause, or a loop of the client until
# a statement says t.  Whatever waits for whatever, the graph comes to an end without a limit: those
# who poll hold nothing, and what others hold the deadlock detector sees.
my $seed = $ENV{PADV_SEED} || int(rand(1000000));
my $graphs = $ENV{PADV_GRAPHS} || 12;
my $bound = 20;

sub pick { return $_[ int(rand(@_)) ]; }

# role, steps: [ sql ], [ pause => ms ], [ until => sql ]
my @kinds = (
	sub { my ($k) = @_; [ 'rows', 'app', 'BEGIN', "SELECT a FROM t WHERE a = $k FOR UPDATE", [ pause => pick(0, 5, 40) ],
		'UPDATE t SET n = n + 1 WHERE a = ' . (1 + int(rand(4))), 'COMMIT' ] },
	sub { my ($k) = @_; [ 'rows in one message', 'app', "BEGIN; UPDATE t SET n = n + 1 WHERE a = $k; SELECT compute(10); UPDATE t SET n = n + 1 WHERE a = " . (1 + int(rand(4))) . '; COMMIT' ] },
	sub { my ($k) = @_; [ 'session lock', 'app', "SELECT pg_advisory_lock($k)", [ pause => pick(0, 10, 60) ], 'SELECT count(*) FROM u', "SELECT pg_advisory_unlock($k)" ] },
	sub { my ($k) = @_; [ 'two session locks', 'app', "SELECT pg_advisory_lock($k)", 'SELECT pg_advisory_lock(' . (1 + $k % 4) . ')', 'SELECT 1', 'SELECT pg_advisory_unlock_all()' ] },
	sub { my ($k) = @_; [ 'transaction lock', 'app', 'BEGIN', "SELECT pg_advisory_xact_lock($k)", [ pause => pick(0, 30) ], 'SELECT count(*) FROM t', 'COMMIT' ] },
	sub { my ($k) = @_; [ 'poller without a sleep', 'app', "DO 'BEGIN WHILE NOT pg_try_advisory_lock($k) LOOP NULL; END LOOP; PERFORM pg_advisory_unlock($k); END'" ] },
	sub { my ($k) = @_; [ 'poller that sleeps', 'app', "DO 'BEGIN WHILE NOT pg_try_advisory_lock($k) LOOP PERFORM compute(" . pick(0, 5, 20) . '), pg_sleep(' . pick('0.001', '0.005', '0.02') . "); END LOOP; PERFORM pg_advisory_unlock($k); END'" ] },
	sub { my ($k) = @_; [ 'polling client', 'app', 'BEGIN', [ until => "SELECT pg_try_advisory_xact_lock($k)" ], 'COMMIT' ] },
	sub { my ($k) = @_; [ 'flag', 'app', [ pause => pick(0, 20, 80) ], "UPDATE flags SET done = true WHERE id = $k" ] },
	sub { my ($k) = @_; [ 'flag poller', 'app', "DO 'BEGIN LOOP EXIT WHEN (SELECT done FROM flags WHERE id = $k); " . pick('', 'PERFORM pg_sleep(0.003);') . " END LOOP; END'" ] },
	sub { [ 'DDL', $superuser, [ pause => pick(0, 20) ], pick('ALTER TABLE u ADD COLUMN x int; ALTER TABLE u DROP COLUMN x', 'BEGIN; LOCK TABLE u, t; COMMIT', 'CREATE INDEX gi ON u (a); DROP INDEX gi') ] },
	sub { [ 'DDL in the queue', 'app', [ pause => pick(0, 20) ], 'BEGIN; LOCK TABLE u IN ACCESS EXCLUSIVE MODE; COMMIT' ] },
	sub { my ($k) = @_; [ 'parallel', 'app', "SET $parallel = on", "SET parallel_leader_participation = " . pick('on', 'off'), pick('SELECT max(reads_u(a)) FROM t', "SELECT max(passes_lock(a, $k)) FROM t") ] },
	sub { [ 'sleeper', 'app', 'SELECT pg_sleep(' . pick('0.05', '0.3') . ')' ] },
	sub { [ 'reader', 'app', pick('BEGIN', 'BEGIN ISOLATION LEVEL REPEATABLE READ'), 'SELECT count(*) FROM u', [ pause => pick(0, 40) ], 'SELECT count(*) FROM t', 'COMMIT' ] },
	sub { [ 'work', 'app', 'SELECT compute(' . pick(5, 50, 150) . ')' ] },
	sub { my ($k) = @_; [ 'dblink', 'app', pick("SELECT link_to_here('SELECT count(*) FROM t')", "SELECT link_to_here('SELECT pg_advisory_xact_lock($k)::text')", "SELECT link_and_poll('UPDATE t SET n = n + 1 WHERE a = $k RETURNING a')") ] });
pop @kinds unless $has_links;

sub make_graph
{
	my @graph = map { pick(@kinds)->(1 + int(rand(4))) } 1 .. 4 + int(rand(8));

	# whoever polls for a flag must have one who sets it
	push @graph, map { [ 'flag', 'app', [ pause => 30 ], "UPDATE flags SET done = true WHERE id = $_" ] } 1 .. 4
	  if grep { $_->[0] eq 'flag poller' } @graph;
	return @graph;
}

# The next step of an actor; whether it has taken one.
sub take_step
{
	my ($actor) = @_;
	my $now = time;

	return 0 if $actor->{pause} && $now < $actor->{pause};
	$actor->{pause} = undef;
	if ($actor->{asked})
	{
		my $result = $actor->{client}->result_within(0) or return 0;

		$actor->{asked} = 0;
		if ($actor->{until})
		{
			if (Wire::told($result) eq 'f')
			{
				$actor->{pause} = $now + 0.001 * pick(1, 5, 12);
				unshift @{ $actor->{steps} }, [ until => $actor->{until} ];
			}
			$actor->{until} = undef;
		}
		# the victim of a deadlock lets go of all it has
		push @{ $actor->{errors} }, $result->{message} if defined $result->{error} && $result->{error} ne '40P01';
		$actor->{steps} = [ 'ROLLBACK', 'SELECT pg_advisory_unlock_all()' ] if defined $result->{error};
		return 1;
	}
	my $step = shift @{ $actor->{steps} };
	if (!defined $step)
	{
		$actor->{client}->close;
		$actor->{done} = 1;
		return 1;
	}
	if (ref $step && $step->[0] eq 'pause')
	{
		$actor->{pause} = $now + 0.001 * $step->[1];
		return 1;
	}
	$actor->{until} = ref $step ? $step->[1] : undef;
	$actor->{client}->simple(ref $step ? $step->[1] : $step);
	$actor->{asked} = 1;
	return 1;
}

# Whether a graph comes to its end; who has not.
sub run_graph
{
	my @actors = map {
		my ($name, $role, @steps) = @$_;
		{ name => $name, client => wire($node, $role), steps => [@steps], errors => [] }
	} @_;
	my $deadline = time + $bound;

	$admin->value('UPDATE flags SET done = false');
	while (grep { !$_->{done} } @actors)
	{
		my $moved = 0;
		$moved += take_step($_) foreach grep { !$_->{done} } @actors;
		sleep 0.001 unless $moved;
		last if time > $deadline;
	}
	my @left = grep { !$_->{done} } @actors;
	my @errors = map { my $name = $_->{name}; map { "$name: $_" } @{ $_->{errors} } } @actors;
	my $told = join('; ', (map { "$_->{name} has not ended" } @left), @errors);
	diag($admin->value(q{SELECT string_agg(format('%s %s %s %s', pid, state, wait_event, left(query, 80)), E'\n') FROM pg_stat_activity WHERE usename = 'app' OR wait_event_type = 'Lock'})) if @left;
	dismiss(map { $_->{client} } @left) if @left;
	return $told;
}

diag("random graphs: PADV_SEED=$seed");
foreach my $n (1 .. $graphs)
{
	srand($seed + $n);
	my @graph = make_graph();
	my $limit = pick(1, 1, 2);
	my $kinds = join(', ', sort map { $_->[0] } @graph);

	server_max_active($node, 'off');
	my $before = time;
	my $alone = run_graph(@graph);
	my $without = time - $before;
	if ($alone ne '')
	{
		diag("graph $n of seed $seed does not end without a limit: $alone ($kinds)");
		next;
	}
	server_max_active($node, $limit);
	$before = time;
	is(run_graph(@graph), '', "graph $n, limit $limit: all come to their end ($kinds)");
	note(sprintf 'graph %d: %.2f s, and %.2f s without a limit', $n, time - $before, $without);
	server_max_active($node, 'off') if column($node, 'waiting') > 0;
}
server_max_active($node, 1);
nothing_left($node, 'graphs');

# --- the limit of the server needs no database to be read ---
$node->append_conf('postgresql.conf', "pool_advisor.database = 'nowhere'\n");
my $from = -s $node->logfile;
$node->restart;
$admin = admin($node, 'anew');
$node->wait_for_log(qr/The database that "pool_advisor.database" names does not exist/, $from);
part('no database', sub {
	work($node, 1);
	my $waiting = wire($node);
	$waiting->simple('SELECT 1');
	ok(true_within($node, $PATIENCE, is_queued($waiting)), 'without its database the limit of the server stays in force');
	is($admin->value("SELECT max_active = 1 AND max_active_effective = 1 FROM $GATE"), 't', 'and the view says so');
	stop_work($node);
	is(Wire::told(soon($node, $waiting, $PATIENCE)), '1', 'a waiting session gets in in its turn');
	$waiting->close;
});
$node->append_conf('postgresql.conf', "pool_advisor.database = 'postgres'\n");
$node->reload;

# --- smart shutdown: who is in ends his work, who waits to log in is refused ---
set_limits($node, q{SELECT pool_advisor.set_limit('watcher', max_sessions => 1, queue_length => 5, queue_timeout => '50 s')},
	q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'watcher' AND max_sessions = 1)});
part('smart shutdown', sub {
	my $session = wire($node, 'watcher');
	my @logins = map { client($node, 'watcher', q{SELECT 'logged in';}) } 1 .. 2;

	wait_for($node, q{coalesce(sum(queued), 0) = 2 FROM pool_advisor.roles WHERE rolname = 'watcher'});
	work($node, 1);
	my @waiting = (queue('SELECT 1'), queue('UPDATE t SET n = 7 WHERE a = 99 RETURNING n'));
	my $stop = start_program('pg_ctl', '-D', $node->data_dir, '-m', 'smart', '-t', 100, 'stop');
	my @ended = map { $_->result_within($PATIENCE) } @waiting;
	is(join(', ', map { Wire::told($_) } @ended), '1, 7', 'a smart shutdown lets all transactions in that wait, while a slot is in use');
	is(Wire::told($waiting[0]->ask('SELECT n FROM t WHERE a = 99')), 7, 'and these sessions can go on');
	foreach my $login (@logins)
	{
		my $deadline = time + $PATIENCE;
		eval { $login->{run}->pump_nb; 1 } && sleep 0.01 while $login->{run}->pumpable && time < $deadline;
		ok(!$login->{run}->pumpable && $login->{out} !~ /logged in/, 'and ends the queue at the login');
	}
	stop_work($node);
	$_->close foreach $session, @waiting, $admin;
	finish($_) foreach @logins;
	my $stopped = $stop->{run}->finish;
	ok($stopped, 'and when the sessions have ended the server stops');
	$node->_update_pid(0) if $stopped;
});

done_testing();
