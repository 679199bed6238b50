# Pools in front, the real ones where Debian has them: each is found, is of the right kind, and with
# the setting that client_config() prints never has more connections than that.
# test/private_server.sh unpacks them; those that it could not get are skipped.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $packages = $ENV{PADV_POOLS} // '/nowhere';
my $programs = "$FindBin::RealBin/../pools";
my $patience = $PostgreSQL::Test::Utils::timeout_default;
my $node = limits_node('real_pools', "max_connections = 200\npool_advisor.optimal = 5\n");
my %applications;

$ENV{PYTHONPATH} = "$packages/usr/lib/python3/dist-packages";
$ENV{NODE_PATH} = "$packages/usr/share/nodejs";

sub runs_here
{
	my (@probe) = @_;
	my ($out, $err);

	return eval { IPC::Run::run(\@probe, '>', \$out, '2>', \$err) };
}

# An application with a pool; it goes on until stop_application().
sub start_application
{
	my ($name, @command) = @_;
	my %application = (in => '', out => '', err => '');
	local @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE PGAPPNAME)} = ($node->host, $node->port, 'app', 'postgres', $name);

	$application{run} = IPC::Run::start([@command], '<', \$application{in}, '>', \$application{out}, '2>', \$application{err});
	$application{run}->pump_nb;
	$applications{$name} = \%application;
	return;
}

sub stop_application
{
	my ($name) = @_;
	my $application = delete $applications{$name};

	$application->{run}->kill_kill(grace => 1);
	return;
}

END
{
	my $status = $?;
	stop_application($_) foreach keys %applications;
	$? = $status;
}

sub pool
{
	my ($application, $column) = @_;

	return admin($node)->value("SELECT $column FROM pool_advisor.pools WHERE application_name = '$application'");
}

sub becomes
{
	my ($application, $condition, $name) = @_;
	my $deadline = time + $patience;
	my $met = '';

	while ($met ne 't' && time < $deadline)
	{
		sleep 0.2;
		$met = pool($application, $condition);
		last if $applications{$application} && !$applications{$application}{run}->pumpable;
	}
	ok($met eq 't', "$application: $name")
	  or diag(admin($node)->value('SELECT * FROM pool_advisor.pools'), "\n", $applications{$application}{err} // '');
	return;
}

# What client_config() prints, as arguments, and the number of connections that it promises.
sub printed
{
	my ($system, $sizes, @other) = @_;
	my %setting = split /[=\n]/, admin($node)->value(
		"SELECT string_agg(setting || '=' || value, E'\\n') FROM pool_advisor.client_config('$system') WHERE value <> ''") =~ s/\\n/\n/gr;
	my $promised = 0;

	$promised += $setting{$_} foreach @$sizes;
	return ($promised, map { "$_=$setting{$_}" } @$sizes, @other);
}

# Under a load of more callers than connections: as many as were promised, and never more.
sub keeps_its_promise
{
	my ($application, $promised) = @_;

	becomes($application, "open = $promised", "opens the $promised connections that client_config() promises");
	becomes($application, 'hold_p50_seconds BETWEEN 0.008 AND 2 AND suggested_size IS NOT NULL', 'is measured');
	is(pool($application, 'max_open'), $promised, "$application: never more");
	is(pool($application, 'kind'), 'fixed', "$application: which it keeps");
	stop_application($application);
	return;
}

wait_for($node, 'samples_total > 20 FROM pool_advisor.status');

SKIP:
{
	my @python = ('/usr/bin/python3', "$programs/sqlalchemy_app.py");

	skip 'SQLAlchemy: python3-sqlalchemy and python3-psycopg2 cannot be had', 9
	  unless runs_here('/usr/bin/python3', '-c', 'import sqlalchemy, psycopg2');
	my ($promised, @settings) = printed('sqlalchemy', [ 'pool_size', 'max_overflow' ], 'pool_timeout');

	start_application('SQLAlchemy', @python, 'work', 3 * $promised, 0.02, @settings);
	keeps_its_promise('SQLAlchemy', $promised);

	start_application('SQLAlchemy leak', @python, 'leak', 1, 0.01, 'pool_size=100');
	start_application('SQLAlchemy lock-up', @python, 'lock', 4, 0.01, 'pool_size=4', 'max_overflow=0', 'pool_timeout=600');
	start_application('SQLAlchemy NullPool', @python, 'connect', 2, 0.01);
	becomes('SQLAlchemy leak', q{kind = 'leaking'}, 'is named');
	becomes('SQLAlchemy lock-up', q{kind = 'locked up' AND open = 4}, 'is named');
	becomes('SQLAlchemy NullPool', q{kind = 'per request' AND suggested_size BETWEEN 1 AND 10}, 'is named');
	is(admin($node)->value(q{SELECT string_agg(code, ' ' ORDER BY code COLLATE "C") FROM pool_advisor.advice WHERE subject LIKE 'SQLAlchemy%'}),
		'pool_leaking pool_locked_up pool_per_request', 'the advice names these three');
	stop_application("SQLAlchemy $_") foreach 'leak', 'lock-up', 'NullPool';
}

SKIP:
{
	my @python = ('/usr/bin/python3', "$programs/psycopg_pool_app.py");

	skip 'psycopg_pool: python3-psycopg-pool cannot be had', 6
	  unless runs_here('/usr/bin/python3', '-c', 'import psycopg_pool');
	my ($promised, @settings) = printed('django', [ 'max_size' ], 'min_size', 'timeout');

	start_application('psycopg_pool', @python, 'work', 3 * $promised, 0.02, @settings, "min_size=$promised");
	keeps_its_promise('psycopg_pool', $promised);

	start_application('psycopg_pool elastic', @python, 'burst', 12, 0.02, 'min_size=2', 'max_size=8', 'max_idle=5');
	start_application('psycopg_pool lock-up', @python, 'lock', 3, 0.02, 'min_size=3', 'max_size=3', 'timeout=600');
	becomes('psycopg_pool lock-up', q{kind = 'locked up'}, 'is named');
	becomes('psycopg_pool elastic', q{kind = 'elastic' AND max_open = 8}, 'is elastic');
	stop_application("psycopg_pool $_") foreach 'elastic', 'lock-up';
}

SKIP:
{
	my @node = ('node', "$programs/node_postgres_app.js");

	skip 'node-postgres: node and the module pg cannot be had', 5 unless runs_here('node', '-e', "require('pg')");
	my ($promised, @settings) = printed('node-postgres', ['max'], 'connectionTimeoutMillis');

	start_application('node-postgres', @node, 'work', 3 * $promised, 0.02, @settings);
	keeps_its_promise('node-postgres', $promised);
	start_application('node-postgres elastic', @node, 'burst', 12, 0.02, 'max=8', 'idleTimeoutMillis=3000');
	becomes('node-postgres elastic', q{kind = 'elastic' AND max_open = 8}, 'is elastic');
	stop_application('node-postgres elastic');
}

$node->stop;
done_testing();
