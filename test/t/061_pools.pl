# Pools in front, found from their sessions: applications of known shapes, each with its kind, its
# figures, its advice, and its place in the budget.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = limits_node('pools', "max_connections = 200\n");
my $patience = $PostgreSQL::Test::Utils::timeout_default;
my $folder = PostgreSQL::Test::Utils::tempdir;
my (@programs, %held);

# A column of the view for an application, empty when there is no row.
sub pool
{
	my ($application, $column) = @_;

	return admin($node)->value("SELECT $column FROM pool_advisor.pools WHERE application_name = '$application'");
}

# Whether that comes true of an application, while $work is done again and again.
sub becomes
{
	my ($application, $condition, $name, $work) = @_;
	my $deadline = time + $patience;
	my $met = '';

	while ($met ne 't' && time < $deadline)
	{
		$work->() if $work;
		sleep 0.1;
		$met = pool($application, $condition);
	}
	ok($met eq 't', $name) or diag(admin($node)->value("SELECT * FROM pool_advisor.pools"));
	return;
}

# Open a connection of an application, and use it.
sub open_one
{
	my ($application, @statements) = @_;
	my $client = wire($node, 'app', name => $application);

	$client->value($_) foreach @statements;
	push @{ $held{$application} }, $client;
	return $client;
}

sub close_some
{
	my ($application, $left) = @_;

	(pop @{ $held{$application} })->close while @{ $held{$application} } > $left;
	return;
}

# pgbench as an application, until the end.
sub bench
{
	my ($application, @options) = @_;
	local $ENV{PGAPPNAME} = $application;

	push @programs, start_program('pgbench', '-n', '-T', 10 * $patience, '-f', "$folder/sleep.sql", @options, user_of($node));
	return;
}

append_to_file("$folder/sleep.sql", "SELECT pg_sleep(0.02);\n");
wait_for($node, 'samples_total > 20 FROM pool_advisor.status');

#
# Programs and a person
#
bench('fixed pool', '-c', 6, '-R', 60);
bench('per request', '-C', '-c', 2, '-R', 10);
open_one('a person', 'SELECT 1');
open_one('elastic', 'SELECT 1') foreach 1 .. 8;
my $elastic_since = time;
open_one('') foreach 1 .. 3;

becomes('fixed pool', q{kind = 'fixed' AND open = 6 AND max_open = 6}, 'pgbench keeps its connections');
becomes('', 'open = 3', 'sessions without a name that execute nothing are one pool, too');
becomes('a person', q{kind = 'interactive' AND open = 1 AND suggested_size IS NULL AND reason LIKE '%people%'}, 'one with a pause is a person');
is(pool('a person', q{role || ' ' || database || ' ' || (client_addr IS NULL)}), 'app postgres true', 'role, database, and a Unix socket');
becomes('per request', q{kind = 'per request' AND churn_per_minute > 60}, 'a connection for each transaction');
becomes('fixed pool', q{hold_p50_seconds BETWEEN 0.016 AND 1 AND hold_p95_seconds >= hold_p50_seconds}, 'transactions take what they sleep, or longer');
becomes('fixed pool', q{suggested_size BETWEEN 1 AND 60 AND reason LIKE '%M/M/c%'}, 'its size by its load');
becomes('fixed pool', q{max_in_use BETWEEN 1 AND 6 AND busy BETWEEN 0.01 AND 1}, 'some are in use at once');
becomes('fixed pool', 'churn_per_minute = 0', 'it opens none');
becomes('per request', q{hold_p50_seconds BETWEEN 0.016 AND 1 AND suggested_size >= 1}, 'those that no sample has seen are counted when they end');

# exactly: sessions that begin and end between two looks
my $before = pool('per request', 'count(*)');
is($before, '1', 'one row for all of them');

#
# A leak: each request opens a connection that nobody uses again
#
becomes('leaking', q{kind = 'leaking'}, 'connections that are not used again', sub {
	open_one('leaking', 'SELECT 1') if @{ $held{leaking} // [] } < 120;
	sleep 0.3;
});
my $leak = admin($node)->value(q{SELECT severity || '|' || subject || '|' || fix FROM pool_advisor.advice WHERE code = 'pool_leaking'});
like($leak, qr/^warning\|leaking\|SELECT query/, 'there is advice');
wait_for($node, q{max(value) FILTER (WHERE name ~ 'pools_leaking') = 1 AND max(value) FILTER (WHERE name ~ 'advice_warning') >= 2
	FROM pool_advisor.metrics}, 'and in the metrics');
my $status = admin($node)->value('SELECT status FROM pool_advisor.check_load()');
cmp_ok($status, '>=', 1, 'check_load() warns');
isnt(admin($node)->value(q{SELECT state FROM pool_advisor.summary WHERE item = 'advice'}), 'none', 'and the summary has advice');
like(admin($node)->value($leak =~ s/^.*?\|.*?\|//r), qr/^SELECT 1\|\d+/m, 'whose line tells what they did last');
close_some('leaking', 0);
becomes('leaking', q{kind <> 'leaking'}, 'it ends with them');

#
# A lock-up: all connections are in a transaction, and each thread waits for one more
#
open_one('locked', 'BEGIN', 'SELECT 1') foreach 1 .. 4;
becomes('locked', q{kind = 'locked up' AND open = 4}, 'all connections idle in a transaction');
is(pool('locked', q{suggested_size IS NULL AND reason LIKE '%deadlock_free_size%'}), 't', 'which a size by load does not help');
my $fix = admin($node)->value(q{SELECT fix FROM pool_advisor.advice WHERE code = 'pool_locked_up'});
is(admin($node)->value($fix), '5', 'the line of the advice says what does');
$_->value('COMMIT') foreach @{ $held{locked} };
becomes('locked', q{kind <> 'locked up'}, 'it ends with their transactions');

#
# An elastic pool: closes what it does not need
#
open_one('elastic') while @{ $held{elastic} } < 8;
becomes('elastic', 'open = 8 AND max_open = 8', 'eight are open');
sleep 0.1 while time - $elastic_since < 11;
close_some('elastic', 2);
becomes('elastic', q{kind = 'elastic' AND open = 2}, 'six are closed, two stay');

#
# The budget
#
is(admin($node)->value(q{SELECT string_agg(name, ', ' ORDER BY name) FROM pool_advisor.budget WHERE scope = 'found pool' AND name !~ 'psql'}),
	'app@postgres, app@postgres elastic, app@postgres fixed pool, app@postgres locked, app@postgres per request',
	'the budget has all pools, and no person, and no pool that has ended');
is(admin($node)->value(q{SELECT sessions || ' ' || committed FROM pool_advisor.budget WHERE name = 'app@postgres fixed pool'}), '6 6', 'with their connections');
is(admin($node)->value(q{SELECT (SELECT sum(committed) FROM pool_advisor.budget WHERE scope = 'found pool') = committed FROM pool_advisor.budget WHERE scope = 'found pools'}),
	't', 'and their sum');
admin($node)->value(q{SELECT pool_advisor.declare_pool('web', 'hikaricp', 1, 10, 'app', 'template1')});
is(admin($node)->value(q{SELECT count(*) FROM pool_advisor.budget WHERE name ~ '^app@postgres'}), '5', 'one that is declared elsewhere is another');
is(admin($node)->value(q{SELECT (SELECT sum(committed) FROM pool_advisor.budget WHERE scope IN ('pools', 'found pools')) = committed FROM pool_advisor.budget WHERE scope = 'all pools'}),
	't', 'both together');
admin($node)->value(q{SELECT pool_advisor.declare_pool('web', 'hikaricp', 1, 10, 'app', 'postgres')});
is(admin($node)->value(q{SELECT count(*) FROM pool_advisor.budget WHERE name ~ '^app@postgres'}), '0', 'one that is declared is not counted twice');

#
# report(), and who may see it
#
like(admin($node)->value('SELECT pool_advisor.report()'), qr{Pools in front.*fixed pool.*per request}s, 'the page has them');
is(wire($node, 'app')->ask('SELECT * FROM pool_advisor.pools')->{error}, '42501', 'only monitoring may see other sessions');
$node->safe_psql('postgres', 'CREATE ROLE watcher LOGIN IN ROLE pg_monitor');
is(wire($node, 'watcher')->value(q{SELECT count(*) FROM pool_advisor.pools WHERE application_name = 'fixed pool'}), '1', 'it may');

#
# A name that changes is another pool
#
my $renamed = open_one('first name', 'SELECT 1');
becomes('first name', 'open = 1', 'a session');
$renamed->value(q{SET application_name = 'it''s another'});
becomes(q{it''s another}, 'open = 1', 'it goes by its name of now');
is(pool('first name', 'open'), '0', 'and is not in the other pool');

#
# Without the worker's memory: figures begin anew, and are right
#
admin($node)->value(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
my $new_worker_since = time;
becomes('elastic', 'max_open = 2', 'a new worker finds what is there');
becomes('fixed pool', q{kind = 'fixed' AND open = 6 AND churn_per_minute <= 6 AND hold_p50_seconds BETWEEN 0.016 AND 1}, 'and takes nothing for new');

# the load of 60 transactions/s is measured anew over 10 s, and not that of all the time before
sleep 0.1 while time - $new_worker_since < 22;
becomes('fixed pool', q{reason ~ 'Busiest load' AND substring(reason FROM 'load: ([0-9.e+]+) transactions')::float8 < 150},
	'what sessions did before is not of this load');

foreach my $program (@programs)
{
	$program->{run}->signal('TERM');
	eval { $program->{run}->finish; };
}
close_some($_, 0) foreach keys %held;
$node->stop;
done_testing();
