# More pools in front: of Go, Ruby, asyncpg, Django and npm, and the proxies PgBouncer and Pgpool-II. Each
# is started with the settings that client_config() prints, is found as one pool of the right kind, and
# never has more connections than that. At its limit it does what the row next limit says.
# test/private_server.sh fetches them; those that it could not get are skipped.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Applications;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Callers for each connection, and for how long each of them works.
my $MORE = 3;
my $SECONDS = 0.05;

my $programs = "$FindBin::RealBin/../pools";
my $folder = PostgreSQL::Test::Utils::tempdir_short;
my $node = limits_node('more_pools', "max_connections = 300\npool_advisor.optimal = 5\n");
my $promised = 5;

applications_of($node);
wait_for($node, 'samples_total > 20 FROM pool_advisor.status');

# A file in our folder, with these lines.
sub write_file
{
	my ($name, @lines) = @_;

	append_to_file("$folder/$name", join("\n", @lines, ''));
	return "$folder/$name";
}

# What client_config() prints, each setting with its value by that format.
sub lines_of
{
	my ($system, $format) = @_;
	my @pairs = printed($system);

	return map { sprintf $format, @pairs[ 2 * $_, 2 * $_ + 1 ] } 0 .. $#pairs / 2;
}

# In Go settings are calls of methods; what is printed is compiled into the program.
sub build_go
{
	my $settings = write_file('printed.go', 'package main', 'import ("database/sql"; "time")',
		'func printed(db *sql.DB) {', lines_of('go', "\tdb.%s(%s)"), '}');

	return runs_here(package_file('usr/lib/go-1.19/bin/go'), 'build', '-o', "$folder/go_app", "$programs/go_app.go", $settings);
}

my $has_go = build_go();
my @python = '/usr/bin/python3';
my @ruby = (package_file('usr/bin/ruby3.1'), "$programs/ruby_app.rb");

# What each is called with, and what settings it has when its limit is tried: one connection, which
# two callers want. Then "error" has the name of the error, and without it callers wait.
my @POOLS = (
	{ name => 'lib/pq', system => 'go', there => $has_go, command => [ "$folder/go_app", 'pq' ],
		settings => [], one => ['1'] },
	{ name => 'pgx with database/sql', system => 'go', there => $has_go, command => [ "$folder/go_app", 'pgx' ],
		settings => [], one => ['1'] },
	{ name => 'pgxpool', system => 'pgx', there => $has_go, command => [ "$folder/go_app", 'pgxpool' ],
		one => ['pool_max_conns=1'], elastic => [ 'pool_min_conns=2', 'pool_max_conns=8', 'pool_max_conn_idle_time=2s', 'pool_health_check_period=1s' ] },
	{ name => 'asyncpg', system => 'asyncpg', there => runs_here(@python, '-c', 'import asyncpg'),
		command => [ @python, "$programs/asyncpg_app.py" ], one => [ 'min_size=1', 'max_size=1', 'timeout=1' ], error => 'TimeoutError',
		elastic => [ 'min_size=2', 'max_size=8', 'max_inactive_connection_lifetime=2' ] },
	{ name => 'Django', system => 'django_persistent', there => runs_here(@python, '-c', 'import django, gunicorn, psycopg2'),
		command => [ @python, "$programs/django_app.py" ], one => [ 'threads=1', 'CONN_MAX_AGE=600' ] },
	{ name => 'Sequel', system => 'sequel', there => runs_here($ruby[0], '-e', 'require "sequel"; require "pg"'),
		command => [ @ruby, 'sequel' ], one => [ 'max_connections=1', 'pool_timeout=1' ], error => 'Sequel::PoolTimeout' },
	{ name => 'Active Record', system => 'rails', there => runs_here($ruby[0], '-e', 'require "active_record"; require "pg"'),
		command => [ @ruby, 'rails' ], one => [ 'pool=1', 'checkout_timeout=1' ], error => 'ActiveRecord::ConnectionTimeoutError' },
	{ name => 'Knex', system => 'knex', there => runs_here('node', '-e', 'require("knex"); require("pg")'),
		command => [ 'node', "$programs/knex_app.js" ], one => [ 'min=1', 'max=1', 'acquireConnectionTimeout=1000' ], error => 'KnexTimeoutError',
		elastic => [ 'min=2', 'max=8', 'idleTimeoutMillis=2000' ] },
	{ name => 'Sequelize', system => 'sequelize', there => runs_here('node', '-e', 'require("sequelize"); require("pg")'),
		command => [ 'node', "$programs/sequelize_app.js" ], one => [ 'max=1', 'acquire=1000' ], error => 'SequelizeConnectionAcquireTimeoutError',
		elastic => [ 'min=2', 'max=8', 'idle=2000' ] });

# All side by side: under a load, and two callers of one connection.
foreach my $pool (grep { $_->{there} } @POOLS)
{
	my @settings = $pool->{settings} ? @{ $pool->{settings} } : lines_of($pool->{system}, '%s=%s');

	start_application($pool->{name}, 'app', @{ $pool->{command} }, 'work', $MORE * $promised, $SECONDS, @settings);
	start_application("$pool->{name} full", 'app', @{ $pool->{command} }, 'work', 2, $pool->{error} ? 30 : 0.5, @{ $pool->{one} });
	start_application("$pool->{name} elastic", 'app', @{ $pool->{command} }, 'burst', 12, $SECONDS, @{ $pool->{elastic} })
	  if $pool->{elastic};
}

foreach my $pool (@POOLS)
{
	my $name = $pool->{name};

	SKIP:
	{
		skip "$name cannot be had", 6 unless $pool->{there};
		keeps_its_promise($name, $promised);

		my $report;
		my $limit = comes_about("$name full", sub {
			$report = command("$name full", 'report');
			$report && ($pool->{error} ? keys %{ $report->{errors} } : !grep { !$_ } @{ $report->{done} }); });
		is(join(' ', map { /^(\S+)/ } keys %{ $report->{errors} }), $pool->{error} // '', "$name: at its limit, the error or the wait")
		  or diag(explain($report));
		like(next_limit($pool->{system}), $pool->{error} ? qr/\Q$pool->{error}\E/ : qr/wait/, "$name: which next limit says");
		stop_application("$name full");
	}
}

foreach my $pool (grep { $_->{elastic} } @POOLS)
{
	SKIP:
	{
		skip "$pool->{name} cannot be had", 1 unless $pool->{there};
		becomes("$pool->{name} elastic", q{kind = 'elastic' AND max_open = 8}, 'closes those that it does not need');
		stop_application("$pool->{name} elastic");
	}
}

$node->stop;
done_testing();
