# Idle sessions beyond min_sessions are closed, longest idle first; one that
# is executing, or in a transaction, never.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('idle_closer', "max_connections = 60\nlog_connections = off\n");

# A session that is idle from now on, after those that were started before.
sub idle_session
{
	my ($sql, %options) = @_;
	my $session = client($node, 'app', ($sql // '') . 'SELECT pg_backend_pid();', %options);

	$session->{run}->pump until $session->{out} =~ /^(\d+)$/m;
	$session->{pid} = $1;
	return $session;
}

sub alive
{
	my (@sessions) = @_;
	my $pids = join ',', map { $_->{pid} } @sessions;

	return $node->safe_psql('postgres',
		"SELECT string_agg(pid::text, ',' ORDER BY backend_start) FROM pg_stat_activity WHERE pid IN ($pids)");
}

# Six idle ones, and two that must not be closed although they are the oldest.
my $open = idle_session('BEGIN;');
my $busy = client($node, 'app', 'SELECT pg_sleep(1000);');
wait_for($node, q{count(*) = 1 FROM pg_stat_activity WHERE usename = 'app' AND wait_event = 'PgSleep'});
my @idle = map { idle_session() } 1 .. 6;
my $logged = -s $node->logfile;
set_limits($node, q{SELECT pool_advisor.set_limit('app', max_sessions => 20, min_sessions => 5,
	session_idle_timeout => '1 s')});
wait_for_limits($node, q{rolname = 'app' AND in_use = 5}, 'sessions beyond the core are closed');
wait_for($node, q{pg_sleep(2.5) IS NOT NULL});
is(in_use($node), 5, 'but not those of the core');
is(alive(@idle), join(',', map { $_->{pid} } @idle[3 .. 5]), 'the longest idle went first');
is($node->safe_psql('postgres',
		q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state <> 'idle'}),
	2, 'one in a transaction and one that executes were left alone');
is($node->safe_psql('postgres', q{SELECT closed_idle_total FROM pool_advisor.roles WHERE rolname = 'app'}),
	3, 'those closed are counted');
like(slurp_file($node->logfile, $logged),
	qr/FATAL:  terminating connection due to pool_advisor session idle timeout/, 'the log says why');

# Observe closes nobody.
$node->append_conf('postgresql.conf', 'pool_advisor.enforcement = observe');
$node->reload;
set_limits($node, q{SELECT pool_advisor.set_limit('app', min_sessions => 1)},
	q{min_sessions = 1 FROM pool_advisor.limits WHERE rolname = 'app'});
wait_for($node, q{pg_sleep(2.5) IS NOT NULL});
is(in_use($node), 5, 'observe closes nobody');
$node->append_conf('postgresql.conf', 'pool_advisor.enforcement = on');
$node->reload;
wait_for_limits($node, q{rolname = 'app' AND in_use = 2}, 'on does, but still only idle ones');
is($node->safe_psql('postgres',
		q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state <> 'idle'}),
	2, 'those that work are left, the core or not');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'});
finish($_) foreach @idle, $open, $busy;

# A limit does not close what another one keeps.
set_limits($node, q{CREATE DATABASE crm; SELECT pool_advisor.set_limit('app', min_sessions => 3, session_idle_timeout => '1 hour');
	SELECT pool_advisor.set_limit(database => 'crm', min_sessions => 0, session_idle_timeout => '1 s')},
	q{count(*) = 2 FROM pool_advisor.limits WHERE rolname = 'app' AND min_sessions = 3 OR datname = 'crm'});
@idle = map { idle_session('', database => 'crm') } 1 .. 5;
wait_for_limits($node, q{datname = 'crm' AND in_use = 3}, 'a database closes sessions beyond min_sessions of the role');
wait_for($node, q{pg_sleep(2.5) IS NOT NULL});
is(alive(@idle), join(',', map { $_->{pid} } @idle[2 .. 4]), 'and no others');
set_limits($node, q{SELECT pool_advisor.set_limit('app', min_sessions => 1)}, q{min_sessions = 1 FROM pool_advisor.limits WHERE rolname = 'app'});
wait_for_limits($node, q{datname = 'crm' AND in_use = 1}, 'as soon as the role keeps fewer, more are closed');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'});
finish($_) foreach @idle;
set_limits($node, q{DROP DATABASE crm; SELECT pool_advisor.set_limit('app', session_idle_timeout => '1 s')},
	q{count(*) = 0 FROM pool_advisor.limits WHERE datname IS NOT NULL});

# A statement that is on its way when its session is asked to close is executed.
# The session is stopped until both have arrived.
set_limits($node, q{SELECT pool_advisor.set_limit('app', min_sessions => 0)},
	q{min_sessions = 0 FROM pool_advisor.limits WHERE rolname = 'app'});
my $late = idle_session();
kill 'STOP', $late->{pid};
wait_for($node, q{pg_sleep(2.5) IS NOT NULL});
$late->{in} .= "SELECT 'executed';\n";
foreach (1 .. 10)
{
	$late->{run}->pump_nb;
	wait_for($node, q{pg_sleep(0.1) IS NOT NULL});
}
kill 'CONT', $late->{pid};
$late->{run}->pump until $late->{out} =~ /executed/ || !$late->{run}->pumpable;
like($late->{out}, qr/executed/, 'a statement on its way is executed');
wait_for_limits($node, q{rolname = 'app' AND in_use = 0}, 'and the session is closed when it is idle again');
finish($late);

# A storm of short transactions, with pauses, in many more sessions than the core.
set_limits($node, q{SELECT pool_advisor.set_limit('app', max_sessions => 40, min_sessions => 2);
	CREATE TABLE work (n int); GRANT ALL ON work TO app},
	q{min_sessions = 2 FROM pool_advisor.limits WHERE rolname = 'app'});
my $script = PostgreSQL::Test::Utils::tempdir . '/storm.sql';
append_to_file($script, <<'SQL');
\set pause random(0, 100)
BEGIN;
INSERT INTO work VALUES (:client_id);
SELECT count(*) FROM pg_class;
INSERT INTO work VALUES (:client_id);
COMMIT;
\sleep :pause ms
SQL
my ($out, $err) = ('', '');
IPC::Run::run(
	[   'pgbench', '-n', '-c', '30', '-j', '2', '-T', '8', '-U', 'app', '-h', $node->host,
		'-p', $node->port, '-f', $script, 'postgres' ],
	'>', \$out, '2>', \$err);
like($out, qr/number of failed transactions: 0 /, 'a storm of short transactions: none failed') or diag($err);
unlike($err, qr/terminating|aborted/, 'nor was a client disconnected');
is($node->safe_psql('postgres', 'SELECT count(*) % 2 FROM work'), 0, 'no transaction was cut in half');

$node->stop;
done_testing();
