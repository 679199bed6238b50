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
my $SECONDS = 0.2;

my $programs = "$FindBin::RealBin/../pools";
my $node = limits_node('more_pools', "max_connections = 300\npool_advisor.optimal = 5\nlog_statement = none\n");

applications_of($node);
# Pgpool-II keeps no connection to the database postgres
$node->safe_psql('postgres', 'CREATE DATABASE shop');
wait_for($node, 'samples_total > 20 FROM pool_advisor.status');

# What client_config() prints, each setting with its value by that format.
sub lines_of
{
	my ($system, $format) = @_;
	my @pairs = printed($system);

	return map { sprintf $format, @pairs[ 2 * $_, 2 * $_ + 1 ] } 0 .. $#pairs / 2;
}

my $go_app = build_go(lines_of('go', "\tdb.%s(%s)"));
my @python = '/usr/bin/python3';
my @ruby = (package_file('usr/bin/ruby3.1'), "$programs/ruby_app.rb");

# What each is called with, and what settings it has when its limit is tried: one connection, which
# two callers want. Then "error" has the name of the error, and without it callers wait.
my @POOLS = (
	{ name => 'lib/pq', system => 'go', there => $go_app, command => [ $go_app, 'pq' ],
		settings => [], one => ['1'] },
	{ name => 'pgx with database/sql', system => 'go', there => $go_app, command => [ $go_app, 'pgx' ],
		settings => [], one => ['1'] },
	{ name => 'pgxpool', system => 'pgx', there => $go_app, command => [ $go_app, 'pgxpool' ],
		one => ['pool_max_conns=1'], elastic => [ 'pool_min_conns=2', 'pool_max_conns=8', 'pool_max_conn_idle_time=2s', 'pool_health_check_period=1s' ] },
	{ name => 'asyncpg', system => 'asyncpg', there => runs_here(@python, '-c', 'import asyncpg'),
		command => [ @python, "$programs/asyncpg_app.py" ], one => [ 'min_size=1', 'max_size=1', 'timeout=1' ], error => 'TimeoutError' },
	{ name => 'Django', system => 'django_persistent', there => runs_here(@python, '-c', 'import django, gunicorn, psycopg2'),
		command => [ @python, "$programs/django_app.py" ], one => [ 'threads=1', 'CONN_MAX_AGE=600' ] },
	{ name => 'Sequel', system => 'sequel', there => runs_here($ruby[0], '-e', 'require "sequel"; require "pg"'),
		command => [ @ruby, 'sequel' ], one => [ 'max_connections=1', 'pool_timeout=1' ], error => 'Sequel::PoolTimeout' },
	{ name => 'Active Record', system => 'rails', there => runs_here($ruby[0], '-e', 'require "active_record"; require "pg"'),
		command => [ @ruby, 'rails' ], one => [ 'pool=1', 'checkout_timeout=1' ], error => 'ActiveRecord::ConnectionTimeoutError' },
	{ name => 'Knex', system => 'knex', there => runs_here('node', '-e', 'require("knex"); require("pg")'),
		command => [ 'node', "$programs/knex_app.js" ], one => [ 'min=1', 'max=1', 'acquireConnectionTimeout=1000' ], error => 'KnexTimeoutError' },
	{ name => 'Sequelize', system => 'sequelize', there => runs_here('node', '-e', 'require("sequelize"); require("pg")'),
		command => [ 'node', "$programs/sequelize_app.js" ], one => [ 'max=1', 'acquire=1000' ], error => 'SequelizeConnectionAcquireTimeoutError' },
	{ name => 'Prisma', system => 'prisma', there => prisma_there(),
		command => [ 'node', "$programs/prisma_app.js" ], one => [ 'max=1', 'connectionTimeoutMillis=1000' ], error => 'Error' });

# The proxies: the configuration of one, with these lines.
sub bouncer
{
	my ($name, @lines) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir_short;

	append_to_file("$folder/ini", join("\n", '[databases]', '* = host=' . $node->host . ' port=' . $node->port . ' user=app',
		'[pgbouncer]', 'listen_addr =', 'listen_port = 6432', "unix_socket_dir = $folder", 'auth_type = any', "logfile = $folder/log",
		@lines, ''));
	start_application($name, 'app', package_file('usr/sbin/pgbouncer'), '-q', "$folder/ini");
	return ($folder, 6432);
}

sub pgpool
{
	my ($name, @lines) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir_short;

	append_to_file("$folder/conf", join("\n", q{listen_addresses = ''}, q{pcp_listen_addresses = ''}, 'port = 9999', q{pool_passwd = ''},
		(map { "$_ = '$folder'" } qw(socket_dir pcp_socket_dir logdir)), "pid_file_name = '$folder/pid'", q{backend_clustering_mode = 'raw'},
		q{backend_hostname0 = '} . $node->host . q{'}, 'backend_port0 = ' . $node->port, @lines, ''));
	start_application($name, 'app', package_file('usr/sbin/pgpool'), '-n', '-f', "$folder/conf", '-F', '/dev/null');
	return ($folder, 9999);
}

my @PROXIES = (
	{ name => 'PgBouncer', system => 'pgbouncer', size => 'default_pool_size', start => \&bouncer, probe => 'pgbouncer',
		one => [ 'default_pool_size = 1', 'max_db_connections = 1', 'query_wait_timeout = 1' ], error => 'query_wait_timeout' },
	{ name => 'Pgpool-II', system => 'pgpool', size => 'num_init_children', start => \&pgpool, probe => 'pgpool', load => [ '-C', '-j', 100 ],
		one => ['num_init_children = 1'] });

sub at
{
	my ($folder, $port, @command) = @_;

	return ('env', "PGHOST=$folder", "PGPORT=$port", 'PGDATABASE=shop', @command);
}

# All side by side: under a load, and two callers of one connection. Sizes are printed before anything
# runs; later they are divided by another load.
foreach my $pool (@POOLS)
{
	$pool->{settings} //= [ lines_of($pool->{system}, '%s=%s') ];
	$pool->{promised} = (printed($pool->{system}))[1];
}
foreach my $proxy (@PROXIES)
{
	$proxy->{lines} = [ lines_of($proxy->{system}, '%s = %s') ];
	$proxy->{promised} = { printed($proxy->{system}) }->{ $proxy->{size} };
}
foreach my $pool (grep { $_->{there} } @POOLS)
{
	start_application($pool->{name}, 'app', @{ $pool->{command} }, 'work', $MORE * $pool->{promised}, $SECONDS, @{ $pool->{settings} });
	start_application("$pool->{name} full", 'app', @{ $pool->{command} }, 'work', 2, $pool->{error} ? 30 : 0.5, @{ $pool->{one} });
	start_application("$pool->{name} elastic", 'app', @{ $pool->{command} }, 'burst', 12, 0.05, @{ $pool->{elastic} })
	  if $pool->{elastic};
}

foreach my $pool (@POOLS)
{
	my $name = $pool->{name};

	SKIP:
	{
		skip "$name cannot be had", 7 unless $pool->{there};
		keeps_its_promise($name, $pool->{promised});

		my ($report, %names);
		comes_about("$name full", sub {
			$report = command("$name full", 'report') or return 0;
			%names = map { (split / /)[0] => 1 } keys %{ $report->{errors} };
			return $pool->{error} ? %names : !grep { !$_ } @{ $report->{done} }; });
		is(join(' ', keys %names), $pool->{error} // '', "$name: at its limit, the error or the wait") or diag(explain($report));
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

foreach my $proxy (@PROXIES)
{
	my $name = $proxy->{name};

	SKIP:
	{
		skip "$name cannot be had", 8 unless runs_here(package_file("usr/sbin/$proxy->{probe}"), '--version');
		my @server = $proxy->{start}->("$name server", @{ $proxy->{lines} });
		my @full = $proxy->{start}->("$name full", @{ $proxy->{lines} }, @{ $proxy->{one} });
		my $script = PostgreSQL::Test::Utils::tempdir . '/work.sql';

		append_to_file($script, "SELECT pg_sleep($SECONDS);\n");
		ok(comes_about("$name server", sub { -S "$server[0]/.s.PGSQL.$server[1]" && -S "$full[0]/.s.PGSQL.$full[1]" }), "$name starts");
		start_application($name, 'app', at(@server, 'pgbench', '-n', '-T', 600, '-c', $MORE * $proxy->{promised}, @{ $proxy->{load} // [] }, '-f', $script));
		start_application("$name holder", 'app', at(@full, 'psql', '-XAtc', 'SELECT pg_sleep(' . ($proxy->{error} ? 600 : 5) . ')'));
		comes_about("$name full", sub { pool("$name holder", 'open') eq '1' });
		my $answer = runs_here(at(@full, 'psql', '-XAtc', 'SELECT 1', '-U', 'app'));
		is($answer ? 'waits' : 'error', $proxy->{error} ? 'error' : 'waits', "$name: at its limit, the error or the wait");
		like(next_limit($proxy->{system}), $proxy->{error} ? qr/$proxy->{error}/ : qr/wait/, "$name: which next limit says");
		keeps_its_promise($name, $proxy->{promised});
		stop_application("$name holder", "$name full", "$name server");
	}
}

$node->stop;
done_testing();
