# Whose load it is: sessions of known shares, by role, database, application, client and query;
# who is to blame for waits; and that it survives the worker, dropped roles and a reset.
#
# Sessions that sleep are active and use no CPU, so averages are known exactly, however slow the
# machine is.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('load', <<'CONF');
listen_addresses = '127.0.0.1'
max_connections = 60
compute_query_id = on
CONF
my %sleepers;

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE a LOGIN;
CREATE ROLE b LOGIN;
CREATE ROLE c LOGIN;
CREATE ROLE batch LOGIN;
CREATE DATABASE other;
CREATE TABLE t (a int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t VALUES (1);
GRANT ALL ON t TO app, batch;
SQL

sub value { my ($sql) = @_; return admin($node)->value($sql); }

# Sessions that sleep until they are terminated.
sub sleepers
{
	my ($count, $role, $name, $sql, %options) = @_;

	push @{ $sleepers{$name} }, map { wire($node, $role, name => $name, %options)->simple($sql) } 1 .. $count;
	return;
}

sub terminate
{
	my (@names) = @_;

	foreach my $sleeper (map { @{ delete $sleepers{$_} } } @names)
	{
		value("SELECT pg_terminate_backend($sleeper->{pid})");
		$sleeper->close;
	}
	return;
}

# The rows of a dimension as one text; the sessions of this test itself are left out.
sub shares
{
	my ($dimension, $period) = @_;

	return <<"SQL";
(SELECT string_agg(key || ' ' || round(active_avg::numeric, 1), ', ' ORDER BY active_avg DESC, key)
	FROM pool_advisor.load WHERE period = '$period' AND dimension = '$dimension'
	AND key NOT IN ('(others)', 'admin', 'psql', 'worker') AND key <> current_user AND active_avg > 0.5)
SQL
}

sub shows
{
	my ($dimension, $expected, $period) = @_;
	$period //= '10 s';

	wait_for($node, shares($dimension, $period) . " = '$expected'", "by $dimension over $period: $expected");
	return;
}

sub load_of
{
	my ($column, $dimension, $key) = @_;

	return "(SELECT coalesce(sum($column), 0) FROM pool_advisor.load WHERE period = '10 s' AND dimension = '$dimension' AND key = '$key')";
}

#
# Known shares
#
sleepers(1, 'a', 'alpha', 'SELECT pg_sleep(100000)');
sleepers(2, 'b', 'beta', 'SELECT pg_sleep(100000), 1');
sleepers(4, 'c', 'gamma', 'SELECT pg_sleep(100000), 1, 2', database => 'other');
my $remote = client($node, 'c host=127.0.0.1', q{SET application_name = 'delta'; SELECT pg_sleep(100000), 1, 2;});

shows('role', 'c 5.0, b 2.0, a 1.0');
shows('application', 'gamma 4.0, beta 2.0, alpha 1.0, delta 1.0');
wait_for($node, load_of('active_avg', 'database', 'other') . ' = 4', 'by database');
wait_for($node, load_of('active_avg', 'client', '127.0.0.1') . ' = 1 AND ' . load_of('active_avg', 'client', 'local') . ' BETWEEN 7 AND 9',
	'by client');
wait_for($node, <<'SQL', 'by query');
5 = (SELECT sum(active_avg) FROM pool_advisor.load WHERE period = '10 s' AND dimension = 'query'
	AND key IN (SELECT query_id::text FROM pg_stat_activity WHERE usename = 'c'))
SQL
is(value(q{SELECT count(DISTINCT query_id) FROM pg_stat_activity WHERE usename IN ('a', 'b', 'c')}), 3, 'three statements');
is(value('SELECT ' . load_of('waiting_other', 'role', 'c')), 5, 'by wait class');

# sums; all that one call shows is of the same seconds
wait_for($node, <<'SQL', 'in each period all dimensions have the same sum');
(SELECT bool_and(least - most > -0.002 * most AND dimensions = 5 AND most > 0) AND count(*) = 6
	FROM (SELECT period, min(sum) AS least, max(sum) AS most, count(*) AS dimensions
		FROM (SELECT period, dimension, sum(active_avg) FROM pool_advisor.load GROUP BY 1, 2) AS s GROUP BY 1) AS p)
SQL
wait_for($node, <<'SQL', 'which is that of the waits');
(SELECT abs((SELECT sum(active_avg) FROM pool_advisor.load WHERE period = '10 s' AND dimension = 'role')
	- (SELECT sum(active_avg) FROM pool_advisor.waits WHERE period = '10 s')) < 0.5)
SQL
is(value(q{SELECT count(*) FROM pool_advisor.load WHERE abs(active_avg - on_cpu - waiting_io - waiting_lock - waiting_lwlock - waiting_other) > 0.002 * active_avg}),
	0, 'and wait classes add up to the average');

# shares stay what they are in longer periods, from when all were there
value(q{SELECT pool_advisor.reset('history')});
wait_for($node, <<'SQL', 'the same share in all periods');
(SELECT bool_and(c.active_avg = 5 AND b.active_avg = 2) AND count(*) = 6 FROM pool_advisor.load AS c JOIN pool_advisor.load AS b USING (period, dimension)
	WHERE dimension = 'role' AND c.key = 'c' AND b.key = 'b')
SQL

like(value(q{SELECT string_agg(explain, E'\n') FROM pool_advisor.explain()}),
	qr/^The largest parts of the active sessions: \d+% role c, \d+% database postgres, \d+% application gamma, \d+% client local and \d+% query -?\d+\.$/m,
	'explain() says it');
like(value('SELECT pool_advisor.report()'), qr/id="who".*<bdi>gamma</s, 'and so does the report');

#
# A session of another name, and of another application_name
#
{
	my $changing = wire($node, 'a', name => 'first');

	$changing->simple(q{SET application_name = 'second'; SELECT pg_sleep(100000)});
	wait_for($node, load_of('active_avg', 'application', 'second') . ' > 0.2', 'a session that changes its name');
	is(value('SELECT ' . load_of('active_avg', 'application', 'first')), 0, 'is counted by that');
	value("SELECT pg_cancel_backend($changing->{pid})");
	$changing->result;
	$changing->simple(q{SET application_name = ''; SELECT pg_sleep(100000)});
	wait_for($node, load_of('active_avg', 'application', '(none)') . ' > 0.2', 'one without a name');
	value("SELECT pg_terminate_backend($changing->{pid})");
	$changing->close;
}

#
# The worker ends, and another one goes on
#
{
	my $before = value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});

	value("SELECT pg_terminate_backend($before)");
	is(value(q{SELECT active_avg FROM pool_advisor.load WHERE period = '14 days' AND dimension = 'role' AND key = 'b'}), 2,
		'what was known is shown while there is no worker');
	wait_for($node, "EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler' AND pid <> $before)");
	shows('application', 'gamma 4.0, beta 2.0, alpha 1.0, delta 1.0');
	is(value(q{SELECT active_avg FROM pool_advisor.load WHERE period = '14 days' AND dimension = 'role' AND key = 'b'}), 2,
		'and kept for the next one');
}

#
# A role that is dropped
#
my $oid = value(q{SELECT 'a'::regrole::oid});
terminate('alpha');
value('DROP ROLE a');
ok(value(qq{SELECT count(*) FROM pool_advisor.load WHERE dimension = 'role' AND key = 'unknown (OID=$oid)'}) > 0, 'a dropped role is shown by its OID');

#
# Blame
#
my $holder = wire($node, 'batch', name => 'holder');
$holder->ask('BEGIN');
$holder->ask('UPDATE t SET n = n + 1');
sleepers(5, 'app', 'blocked', 'UPDATE t SET n = n + 1');
wait_for($node, load_of('blame', 'application', 'holder') . ' = 5', 'one that blocks five has the blame, although it is idle');
wait_for($node, load_of('blame', 'role', 'batch') . ' = 5 AND ' . load_of('waiting_lock', 'role', 'app') . ' = 5', 'by role, too');
is(value('SELECT ' . load_of('active_avg', 'role', 'batch')), 0, 'it is not active');
is(value('SELECT ' . load_of('blame', 'role', 'app')), 0, 'those that wait have no blame');
is(value(q{SELECT count(*) FROM (SELECT sum(blame) FROM pool_advisor.load WHERE period = '10 s' GROUP BY dimension HAVING sum(blame) = 5) AS s}),
	5, 'the blame adds up in each dimension');
is(value(qq{SELECT blame FROM pool_advisor.load JOIN pg_stat_activity ON key = query_id::text WHERE period = '10 s' AND dimension = 'query' AND pid = $holder->{pid}}),
	5, 'its last statement has it');
$holder->ask('COMMIT');
wait_for($node, load_of('blame', 'role', 'batch') . ' < 5', 'and it goes down when nobody waits any more');
$_->result foreach @{ $sleepers{blocked} };

#
# Advice
#
$node->safe_psql('postgres', 'ALTER SYSTEM SET pool_advisor.optimal = 1');
$node->reload;
terminate('beta', 'gamma', 'blocked');
finish($remote) if value(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'delta'});
value(q{SELECT pool_advisor.reset('history')});
work($node, 3, 'batch');
wait_for($node, q{EXISTS (SELECT FROM pool_advisor.advice WHERE code = 'oversubscribed' AND finding ~ 'It is \d+% role batch, .*\d+% application work')},
	'who it is that is too much');
stop_work($node);

$node->stop;
done_testing();
