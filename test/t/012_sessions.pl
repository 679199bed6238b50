# Every session is counted, once, and in its state.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor qw(poll);
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('sessions');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_advisor'
max_connections = 340
pool_advisor.sample_interval = '20ms'
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_advisor;
CREATE TABLE t (a int);
CREATE ROLE "odd ""role"" 'name'" LOGIN SUPERUSER;
CREATE TABLE big AS SELECT g AS a, repeat('x', 100) AS b FROM generate_series(1, 200000) g;
SQL

# A session that stays: what is sent is executed, and the client stays there.
my @held;

sub hold
{
	my ($sql, %options) = @_;
	my %session = (in => "$sql\n", out => '', err => '');

	$session{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=0',
			'-d', $node->connstr('postgres') . ($options{conn} // '') ],
		'<', \$session{in}, '>', \$session{out}, '2>', \$session{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$session{run}->pump while length $session{in};
	push @held, \%session;
	return \%session;
}

# What to execute next, or the end of its data
sub send_more
{
	my ($session, $text) = @_;

	$session->{in} .= "$text\n";
	$session->{run}->pump while length $session->{in};
}

# The condition is one on status, which a sample must come to fulfil.  The
# session that asks is active itself while it does, unless its query falls
# between two samples; so conditions are on states it is never in, or on roles.
sub status_becomes
{
	my ($condition, $name) = @_;

	ok(poll($node, "SELECT $condition FROM pool_advisor.status"), $name)
	  or diag($node->safe_psql('postgres', 'SELECT * FROM pool_advisor.status'));
}

status_becomes('samples_total > 3 AND idle = 0 AND idle_in_transaction = 0', 'nobody is there');

my $idle = hold('SELECT 1;');
status_becomes('idle = 1', 'an idle session');

my $open = hold('BEGIN; SELECT 1;');
status_becomes('idle = 1 AND idle_in_transaction = 1', 'one idle in transaction');

my $aborted = hold('BEGIN; SELECT 1 / 0;');
status_becomes('idle = 1 AND idle_in_transaction = 2', 'one idle in an aborted transaction');

my $sleeping = hold('SELECT pg_sleep(1000);');
status_becomes(
	q{waiting_other = 1 AND idle = 1 AND EXISTS (SELECT FROM pool_advisor.waits
	  WHERE period = '10 s' AND wait_event_type = 'Timeout' AND wait_event = 'PgSleep' AND active_avg > 0)},
	'one in pg_sleep is active');

# psql sends nothing more while its standard input gives nothing
my $copying = hold('COPY t FROM STDIN;');
status_becomes(
	q{waiting_other = 2 AND idle = 1 AND EXISTS (SELECT FROM pool_advisor.waits
	  WHERE period = '10 s' AND wait_event_type = 'Client' AND wait_event = 'ClientRead' AND active_avg > 0)},
	'one that waits for its client inside COPY is active');
ok( poll($node, q{SELECT active_avg > 1 AND demand_avg < 0.5 * active_avg FROM pool_advisor.status}),
	'but neither demands anything');

# and it is no longer active when it is over
send_more($copying, '\.');
status_becomes('waiting_other = 1 AND idle = 2', 'COPY ends when its client says so');

# What a session does not tell is inferred.
my $silent = hold('SET track_activities = off;');
status_becomes('idle = 3 AND idle_in_transaction >= 2', 'a silent session that is idle');
send_more($silent, 'BEGIN; SELECT 1;');
status_becomes('idle = 2 AND idle_in_transaction >= 3', 'a silent session idle in transaction');
send_more($silent, 'COMMIT; SELECT pg_sleep(1000);');
status_becomes('waiting_other = 2 AND idle = 2', 'a silent session in pg_sleep');

# Who holds back the vacuum horizon, and who does not
is( $node->safe_psql('postgres', q{SELECT count(*) FROM pool_advisor.advice WHERE code = 'idle_in_transaction'}),
	'0', 'no advice on transactions that are idle for moments');

# A role with a name that needs care
my $odd = hold('SELECT 1;', conn => q{ user='odd "role" \'name\''});
ok( poll($node, q{SELECT sessions = 1 AND idle = 1 FROM pool_advisor.roles WHERE rolname = 'odd "role" ''name'''}),
	'a role with an odd name is counted under it');

# Parallel workers are not sessions, but demand cores.
my $parallel = hold(<<'SQL');
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off;
SELECT count(*) FROM big a, (SELECT * FROM big LIMIT 100000) b WHERE a.a + b.a < 0;
SQL
status_becomes('parallel_workers >= 1 AND demand_avg > 0', 'parallel workers are counted apart');
ok( poll($node, q{SELECT sum(parallel_avg) > 0 FROM pool_advisor.waits WHERE period = '10 s'}),
	'and stand beside the sessions in waits');

foreach my $session (@held)
{
	$session->{run}->kill_kill;
}
$node->safe_psql('postgres', q{
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
status_becomes('idle = 0 AND idle_in_transaction = 0 AND waiting_other = 0 AND parallel_workers = 0',
	'all are gone when they are gone');

# A walk of sessions that come, go and change their state in any order, against what the test
# knows of them.  The sampler keeps what it has read of those that have not changed, by their place
# in the sample, which moves when others come and go.
my @ROLES = map { "walker_$_" } 1 .. 5;
my $seed = $ENV{SEED} // int(rand(2**31));
my %walkers;    # by number: role, state and session

sub walk
{
	my ($number) = @_;
	my $walker = $walkers{$number};

	if (!$walker)
	{
		my $role = $ROLES[ rand @ROLES ];
		my $sql = rand() < 0.2 ? 'SET track_activities = off;' : 'SELECT 1;';

		$walkers{$number} = { role => $role, state => 'idle', session => hold($sql, conn => " user=$role") };
	}
	elsif (rand() < 0.4)
	{
		$walker->{session}{run}->kill_kill(grace => 0);
		delete $walkers{$number};
	}
	else
	{
		my $begins = $walker->{state} eq 'idle';

		$walker->{state} = $begins ? 'idle_in_transaction' : 'idle';
		send_more($walker->{session}, $begins ? 'BEGIN; SELECT 1;' : 'COMMIT;');
	}
	return;
}

# Of each role: sessions, idle and idle in transaction.
sub walkers_by_role
{
	my %count = map { $_ => { sessions => 0, idle => 0, idle_in_transaction => 0 } } @ROLES;

	foreach my $walker (values %walkers)
	{
		$count{ $walker->{role} }{$_}++ foreach 'sessions', $walker->{state};
	}
	return map { "('$_', $count{$_}{sessions}, $count{$_}{idle}, $count{$_}{idle_in_transaction})" } @ROLES;
}

srand $seed;
note "SEED=$seed repeats this walk";
$node->safe_psql('postgres', join '', map { "CREATE ROLE $_ LOGIN SUPERUSER;" } @ROLES);
foreach my $round (1 .. 30)
{
	walk(int rand 25) foreach 1 .. 8;
	my $known = join ',', walkers_by_role();

	ok( poll($node, qq{
			SELECT count(*) = 0 FROM (VALUES $known) AS k (rolname, sessions, idle, idle_in_transaction)
			LEFT JOIN pool_advisor.roles r USING (rolname)
			WHERE (k.sessions, k.idle, k.idle_in_transaction) IS DISTINCT FROM
				(coalesce(r.sessions, 0), coalesce(r.idle, 0), coalesce(r.idle_in_transaction, 0))}),
		"step $round of the walk: all in their states")
	  or last;
}
$_->{session}{run}->kill_kill(grace => 0) foreach values %walkers;

# 300 sessions, counted exactly, and like pg_stat_activity counts them
my $script = $node->basedir . '/hold.sql';
append_to_file($script, "SELECT 1;\n\\sleep 1000 s\n");
my ($in, $out, $err) = ('', '', '');
my $crowd = IPC::Run::start(
	[ 'pgbench', '-n', '-c', '300', '-j', '1', '-t', '1', '-f', $script,
		'-h', $node->host, '-p', $node->port, 'postgres' ],
	'<', \$in, '>', \$out, '2>', \$err);
status_becomes('idle = 300 AND sessions BETWEEN 300 AND 301', '300 sessions are counted exactly');
ok( poll($node, q{
	SELECT (s.sessions, s.active, s.idle, s.idle_in_transaction) =
	       (SELECT count(*), count(*) FILTER (WHERE state = 'active'),
	               count(*) FILTER (WHERE state = 'idle'),
	               count(*) FILTER (WHERE state LIKE 'idle in transaction%')
	        FROM pg_stat_activity WHERE backend_type = 'client backend')
	FROM pool_advisor.status s, pg_sleep(0.1)}),
	'pg_stat_activity counts the same');
ok( poll($node, q{SELECT count(*) = 1 FROM pool_advisor.advice WHERE code = 'idle_connections'}),
	'idle connections by the hundred call for advice');
$crowd->kill_kill;
status_becomes('sessions <= 1', 'and they are gone when they are gone');

$node->stop;
done_testing();
