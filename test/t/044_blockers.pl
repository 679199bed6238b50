# Who keeps others waiting: the roots of lock chains, as pg_blocking_pids() has them; what is
# said and advised while work stands still; and that check_load() goes by the same rule.
#
# Each wait is seen before the next step.  The deadlock detector is slow here, so that circles
# stay.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('blockers', <<'CONF');
max_connections = 160
max_prepared_transactions = 5
compute_query_id = on
deadlock_timeout = 1h
CONF
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
my %clients;

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE batch LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
CREATE TABLE t (a int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t SELECT generate_series(1, 100);
CREATE TABLE wide (a int);
CREATE TABLE narrow (a int);
GRANT ALL ON SCHEMA public TO batch, app;
GRANT ALL ON t, wide, narrow TO batch, app;
CREATE FUNCTION passes_lock(a int, key int) RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS
	$$ BEGIN PERFORM pg_advisory_xact_lock_shared(key); RETURN a; END $$;
SQL

sub value { my ($sql) = @_; return admin($node)->value($sql); }

# A client by its name, which logs in when it is new.
sub who
{
	my ($name, $role) = @_;

	return $clients{$name} //= wire($node, $role // 'app', name => $name);
}

sub does
{
	my ($name, $sql) = @_;
	my $result = who($name)->ask($sql);

	die "$sql: $result->{message}" if defined $result->{error};
	return;
}

# Send it, and wait until it waits for a lock.
sub waits
{
	my ($name, $sql) = @_;

	who($name)->simple($sql);
	wait_for($node, "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '$name' AND wait_event_type = 'Lock')");
	return;
}

sub update { my ($row) = @_; return "UPDATE t SET n = n + 1 WHERE a = $row"; }

# End all clients, and wait until they are gone.
sub all_leave
{
	value(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
	$_->close foreach values %clients;
	%clients = ();
	wait_for($node, q{0 = count(*) FROM pool_advisor.blockers});
	return;
}

# The view against all edges that core knows; processes only, and where there is no circle.
my $EDGES = q{
	WITH RECURSIVE edge AS (
		SELECT a.pid, b FROM pg_stat_activity AS a, unnest(pg_blocking_pids(a.pid)) AS b WHERE wait_event_type = 'Lock'),
	chain AS (SELECT pid, b FROM edge UNION SELECT chain.pid, edge.b FROM chain JOIN edge ON edge.pid = chain.b)
	SELECT b, count(DISTINCT pid), (SELECT count(DISTINCT pid) FROM edge WHERE edge.b = chain.b)
	FROM chain WHERE b NOT IN (SELECT pid FROM edge) GROUP BY b ORDER BY 1};

sub agrees
{
	my ($name, $expected) = @_;

	wait_for($node, "'$expected' = string_agg(application_name || ' ' || blocked_directly || '/' || blocked, ', ' ORDER BY blocked DESC, application_name) FROM pool_advisor.blockers",
		"$name: $expected");
	is($node->safe_psql('postgres', 'SELECT pid, blocked, blocked_directly FROM pool_advisor.blockers ORDER BY 1'),
		$node->safe_psql('postgres', $EDGES), "$name: as pg_blocking_pids() has it");
	return;
}

sub advice { my ($column, $code) = @_; return value("SELECT $column FROM pool_advisor.advice WHERE code = '$code'") // ''; }

is(value('SELECT count(*) FROM pool_advisor.blockers'), 0, 'nobody blocks');
is(value(q{SELECT count(*) FROM pool_advisor.summary}), 8, 'the summary has its rows');

#
# One that is idle in its transaction, and twelve that update the same row
#
$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.optimal = 2});
$node->reload;
who('root', 'batch');
does('root', 'BEGIN');
does('root', update(1));
waits("w$_", update(1)) foreach 1 .. 12;
agrees('twelve updates of a row', 'root 1/12');
is(value(q{SELECT concat_ws(' ', rolname, datname, state, gid) FROM pool_advisor.blockers}), 'batch postgres idle in transaction', 'who it is');
is(value(q{SELECT b.query_id = a.query_id AND a.query_id IS NOT NULL FROM pool_advisor.blockers AS b JOIN pg_stat_activity AS a USING (pid)}), 't',
	'its last statement, by number');
wait_for($node, q{longest_wait_seconds > 0 AND longest_wait_seconds <= xact_seconds FROM pool_advisor.blockers}, 'waits begin after its transaction');

wait_for($node, q{verdict = 'stalled' AND demand_avg > 4 FROM pool_advisor.status}, 'work stands still');
is(value('SELECT severity || code FROM pool_advisor.advice LIMIT 1'), 'criticalblocked_by', 'that comes first');
is(advice('subject', 'blocked_by'), who('root')->{pid}, 'with the process');
like(advice('finding', 'blocked_by'), qr/^12 sessions wait for process \d+ \(role batch, database postgres, idle in transaction for \d+ s, transaction \d+ s old\), 1 of them directly/, 'and who it is');
is(value(q{SELECT count(*) FROM pool_advisor.advice WHERE code IN ('oversubscribed', 'lock_bound')}), 0, 'a pool would not help, and nothing says so');
cmp_ok(value('SELECT status FROM pool_advisor.check_load()'), '>=', 1, 'the check warns');
cmp_ok(value('SELECT status FROM pool_advisor.check_load(1000, 1000)'), '>=', 1, 'whatever the load');
like(value('SELECT message FROM pool_advisor.check_load()'), qr/\(stalled, 12 sessions blocked by pid \d+ for \d+ s\) \| load_ratio=/, 'and says who');
is(value(q{SELECT count(*) FROM pool_advisor.metrics WHERE (name, value) IN (('pool_advisor_verdict', 5), ('pool_advisor_blockers', 1), ('pool_advisor_blocked_sessions', 12), ('pool_advisor_oversubscribed', 0))}), 4, 'metrics');
is(value(q{SELECT count(*) FROM pool_advisor.metrics WHERE name IN ('pool_advisor_stalled_seconds', 'pool_advisor_idle_blocker_seconds', 'pool_advisor_blocked_longest_wait_seconds') AND value >= 5}), 3, 'with times');
like(value(q{SELECT string_agg(state, E'\n') FROM pool_advisor.summary}), qr/^stalled for \d+ s: .*\npid \d+, idle in transaction, \d+ s: 12 wait\ncritical: blocked_by/, 'the summary');
like($node->safe_psql('postgres', 'SELECT pool_advisor.report()'), qr/Most of the work stands still/, 'the report');
{
	my $wide = `psql -X -d '${\$node->connstr('postgres')}' -c 'SELECT * FROM pool_advisor.summary'`;
	is(scalar(grep { length > 80 } split /\n/, $wide), 0, 'the summary fits into 80 columns') or diag($wide);
}

# what is advised ends it; the averages of the last minute still have those that waited
$node->safe_psql('postgres', advice('fix', 'blocked_by'));
$_->result foreach map { who("w$_") } 1 .. 12;
wait_for($node, q{verdict <> 'stalled' FROM pool_advisor.status}, 'the fix ends it');
wait_for($node, q{0 = count(*) FROM pool_advisor.blockers}, 'nobody blocks');
is(value(q{SELECT verdict_is.demand_avg > 2.5 AND NOT EXISTS (SELECT FROM pool_advisor.advice WHERE code IN ('oversubscribed', 'blocked_by')) FROM pool_advisor.status AS verdict_is}), 't',
	'nothing is advised for the averages that it leaves');
$node->safe_psql('postgres', q{ALTER SYSTEM RESET pool_advisor.optimal});
$node->reload;
all_leave();

#
# Trees, queues and several roots
#
does('tree', 'BEGIN');
does('tree', update($_)) foreach 10, 11;
does('branch', 'BEGIN');
does('branch', update(20));
waits('branch', update(10));
waits("leaf$_", update(20)) foreach 1, 2;
waits('leaf3', update(11));
agrees('a tree', 'tree 2/4');

# a reader behind a table's lock that is only asked for; the other reader has it
does('reader', 'BEGIN');
does('reader', 'SELECT count(*) FROM wide');
who('alter', $superuser);
waits('alter', 'ALTER TABLE wide ADD COLUMN b int');
waits("read$_", 'SELECT count(*) FROM wide') foreach 1 .. 3;
agrees('a queue of locks of a table', 'reader 1/4, tree 2/4');

# one waits for two
does($_, 'BEGIN') foreach 'left', 'right', 'both';
does($_, 'LOCK TABLE narrow IN ROW SHARE MODE') foreach 'left', 'right';
waits('both', 'LOCK TABLE narrow IN EXCLUSIVE MODE');
agrees('two holders', 'reader 1/4, tree 2/4, left 1/1, right 1/1');
all_leave();

# a parallel worker that waits is its leader, which waits for it
my $parallel = value(q{SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});

does('keeper', 'SELECT pg_advisory_lock(5)');
does('leader', "SET $parallel = on");
who('leader')->simple('SELECT passes_lock(1, 5)');
wait_for($node, q{EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND wait_event_type = 'Lock')});
wait_for($node, q{application_name = 'keeper' AND blocked = 1 AND state = 'idle' FROM pool_advisor.blockers}, 'a parallel worker waits');

# to wait for an advisory lock can be what it is for
wait_for($node, q{blocking_seconds > 6 FROM pool_advisor.blockers}, 'it does so for long');
is(value(q{SELECT verdict <> 'stalled' FROM pool_advisor.status}), 't', 'that is not taken for a stall');
is(advice('severity', 'blocked_by'), '', 'nor advised about');
all_leave();

# nor does it count as demand, so it does not hide a stall
$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.optimal = 2});
$node->reload;
does('elected', 'SELECT pg_advisory_lock(7)');
waits("candidate$_", 'SELECT pg_advisory_lock(7)') foreach 1 .. 10;
wait_for($node, q{active_avg > 9 FROM pool_advisor.status}, 'sessions wait to become the leader');
is(value(q{SELECT (verdict, waiting_lock) FROM pool_advisor.status WHERE demand_avg < 1}), '(idle,10)', 'they want nothing of the server');
is(value(q{SELECT string_agg(code, ' ') FROM pool_advisor.advice WHERE code IN ('lock_bound', 'oversubscribed', 'blocked_by')}), '', 'nothing is advised about them');
is(value('SELECT status FROM pool_advisor.check_load()'), 0, 'and the check is content');
like(value('SELECT pool_advisor.agent_check()'), qr/^up [5-9]\d% /, 'new connections may come');
does('root', 'BEGIN');
does('root', update(1));
waits("w$_", update(1)) foreach 1 .. 3;
wait_for($node, q{verdict = 'stalled' FROM pool_advisor.status}, 'a stall beside them is seen');
is(advice('subject', 'blocked_by'), who('root')->{pid}, 'with its root');
all_leave();
$node->safe_psql('postgres', q{ALTER SYSTEM RESET pool_advisor.optimal});
$node->reload;

# more roots than there are rows; the one that matters has one waiter, and a queue behind that
foreach my $key (101 .. 133)
{
	does("leader$key", "SELECT pg_advisory_lock($key)");
	who("follower$_-$key")->simple("SELECT pg_advisory_lock($key)") foreach 1, 2;
}
does('reader', $_) foreach 'BEGIN', 'SELECT count(*) FROM wide';
who('alter', $superuser);
waits('alter', 'ALTER TABLE wide ADD COLUMN c int');
waits("read$_", 'SELECT count(*) FROM wide') foreach 1 .. 3;
wait_for($node, q{(32, 'reader', 4) = (count(*), min(application_name) FILTER (WHERE blocked > 2), max(blocked)) FROM pool_advisor.blockers}, 'the root that blocks most is there');
wait_for($node, q{verdict = 'stalled' FROM pool_advisor.status}, 'and the stall');
is(advice('subject', 'blocked_by'), who('reader')->{pid}, 'with its root');
all_leave();

#
# A prepared transaction
#
does('lost', 'BEGIN');
does('lost', update(30));
does('lost', q{PREPARE TRANSACTION 'it''s lost'});
waits('after', update(30));
wait_for($node, q{pid = 0 AND gid = 'it''s lost' AND rolname = 'app' AND datname = 'postgres' AND state = 'prepared' AND blocked = 1 FROM pool_advisor.blockers},
	'a prepared transaction is a root');
wait_for($node, q{EXISTS (SELECT FROM pool_advisor.advice WHERE code = 'blocked_by')});
is(advice('subject', 'blocked_by'), q{'it''s lost'}, 'advice names it');
is(advice('fix', 'blocked_by'), q{ROLLBACK PREPARED 'it''s lost';}, 'with the line that ends it');
like(value(q{SELECT state FROM pool_advisor.summary WHERE item = 'blocked by'}), qr/^prepared transaction \d+, \d+ s: 1 wait$/, 'in the summary, too');

# found again after a restart, when it has another number
all_leave_for_restart();
waits('after', update(30));
wait_for($node, q{pid = 0 AND gid = 'it''s lost' AND blocked = 1 FROM pool_advisor.blockers}, 'a restart does not hide it');
wait_for($node, q{EXISTS (SELECT FROM pool_advisor.advice WHERE code = 'blocked_by')});
$node->safe_psql('postgres', advice('fix', 'blocked_by'));
is(who('after')->result->{error}, undef, 'the fix lets the waiter go on');
all_leave();

sub all_leave_for_restart
{
	$_->close foreach values %clients;
	%clients = ();
	$node->restart;
	admin($node, 1);
	return;
}

#
# A circle
#
does($_, 'BEGIN') foreach 'one', 'two';
does('one', update(40));
does('two', update(41));
waits('one', update(41));
waits('two', update(40));
waits('three', update(40));
wait_for($node, q{state = 'deadlock' AND blocked = 2 AND application_name IN ('one', 'two') FROM pool_advisor.blockers}, 'a circle has one row');
is(value('SELECT count(*) FROM pool_advisor.blockers'), 1, 'and no more');
value("SELECT pg_cancel_backend(${\who('one')->{pid}})");
wait_for($node, q{application_name = 'two' AND state = 'idle in transaction' AND blocked = 1 FROM pool_advisor.blockers}, 'it is no circle any more');
all_leave();

#
# The queue for transactions
#
who($_, $superuser) foreach 'holder', 'blocked', 'preparer', 'behind';
does('preparer', $_) foreach 'BEGIN', update(60), q{PREPARE TRANSACTION 'half'};
waits('behind', update(60));
does('holder', 'BEGIN');
does('holder', update(50));
waits('blocked', update(50));
server_max_active($node, 1);
work($node, 1, 'batch');
who('queued', 'app')->simple('SELECT 1');
wait_for($node, is_queued(who('queued')));
agrees('one that is queued does not wait for a lock', 'holder 1/1');
wait_for($node, q{state LIKE '1 transactions (longest%' FROM pool_advisor.summary WHERE item = 'queue'}, 'it is in the summary');
wait_for($node, q{EXISTS (SELECT FROM pool_advisor.advice WHERE code = 'blocked_by')});
wait_for($node, q{value > 0 FROM pool_advisor.metrics WHERE name = 'pool_advisor_transactions_longest_wait_seconds'}, 'and in the metrics');
is(who('watcher', 'watcher')->value(q{SELECT gid FROM pool_advisor.blockers WHERE pid = 0}), 'half', 'the names of prepared transactions are read past the queue');
like(who('watcher')->value(q{SELECT string_agg(code, ' ') FROM pool_advisor.advice}), qr/blocked_by/, 'and so is advice');
is(gate($node, 'waiting'), 1, 'which the other still stands in');
stop_work($node);
is(who('queued')->result->{error}, undef, 'it goes on');
does('preparer', q{ROLLBACK PREPARED 'half'});
server_max_active($node, 'off');
all_leave();

#
# The check at the optimum
#
$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.optimal = 10});
$node->reload;
who('keeper')->simple('BEGIN; LOCK TABLE wide; SELECT pg_sleep(3600)');
wait_for($node, q{EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'keeper' AND wait_event = 'PgSleep')});
waits("reader$_", 'SELECT count(*) FROM wide') foreach 1 .. 5;
work($node, 6, 'batch');
wait_for($node, q{verdict = 'at the optimum' AND load_ratio > 1.01 FROM pool_advisor.status}, 'a little more than the optimum');
is(value('SELECT status FROM pool_advisor.check_load()'), 0, 'is at the optimum, which is OK');
is(value('SELECT status FROM pool_advisor.check_load(1.0, 2.0)'), 1, 'but for a caller with a threshold');
is(value('SELECT status FROM pool_advisor.check_load(critical => 2.0)'), 0, 'one of them is enough');
is(value('SELECT status FROM pool_advisor.check_load(warning => 1.0)'), 1, 'the other, too');
is(value(q{SELECT value FROM pool_advisor.metrics WHERE name = 'pool_advisor_health'}), 0, 'its metric is as the check without any');
stop_work($node);
all_leave();

$node->stop;
done_testing();
