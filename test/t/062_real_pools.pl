# Pools in front, the real ones where Debian has them: each is found, is of the right kind, and with
# the setting that client_config() prints never has more connections than that.
# test/private_server.sh unpacks them; those that it could not get are skipped.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Applications;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $programs = "$FindBin::RealBin/../pools";
my $node = limits_node('real_pools', "max_connections = 200\npool_advisor.optimal = 5\n");

# What client_config() prints for these settings, as arguments, and the number of connections that it promises.
sub arguments
{
	my ($system, $size, @other) = @_;
	my %setting = printed($system);

	return ($setting{$size} + ($setting{max_overflow} // 0), map { "$_=$setting{$_}" } $size, @other);
}

applications_of($node);
wait_for($node, 'samples_total > 20 FROM pool_advisor.status');

SKIP:
{
	my @python = ('/usr/bin/python3', "$programs/sqlalchemy_app.py");

	skip 'SQLAlchemy: python3-sqlalchemy and python3-psycopg2 cannot be had', 10
	  unless runs_here('/usr/bin/python3', '-c', 'import sqlalchemy, psycopg2');
	my ($promised, @settings) = arguments('sqlalchemy', 'pool_size', 'max_overflow', 'pool_timeout');

	start_application('SQLAlchemy', 'app', @python, 'work', 3 * $promised, 0.02, @settings);
	keeps_its_promise('SQLAlchemy', $promised);

	start_application('SQLAlchemy leak', 'app', @python, 'leak', 1, 0.01, 'pool_size=100');
	start_application('SQLAlchemy lock-up', 'app', @python, 'lock', 4, 0.01, 'pool_size=4', 'max_overflow=0', 'pool_timeout=600');
	start_application('SQLAlchemy NullPool', 'app', @python, 'connect', 2, 0.01);
	becomes('SQLAlchemy leak', q{kind = 'leaking'}, 'is named');
	becomes('SQLAlchemy lock-up', q{kind = 'locked up' AND open = 4}, 'is named');
	becomes('SQLAlchemy NullPool', q{kind = 'per request' AND suggested_size BETWEEN 1 AND 10}, 'is named');
	is(admin($node)->value(q{SELECT string_agg(code, ' ' ORDER BY code COLLATE "C") FROM pool_advisor.advice WHERE subject LIKE 'SQLAlchemy%'}),
		'pool_leaking pool_locked_up pool_per_request', 'the advice names these three');
	stop_application(map { "SQLAlchemy $_" } 'leak', 'lock-up', 'NullPool');
}

SKIP:
{
	my @python = ('/usr/bin/python3', "$programs/psycopg_pool_app.py");

	skip 'psycopg_pool: python3-psycopg-pool cannot be had', 7
	  unless runs_here('/usr/bin/python3', '-c', 'import psycopg_pool');
	my ($promised, @settings) = arguments('django', 'max_size', 'min_size', 'timeout');

	start_application('psycopg_pool', 'app', @python, 'work', 3 * $promised, 0.02, @settings);
	keeps_its_promise('psycopg_pool', $promised);

	start_application('psycopg_pool elastic', 'app', @python, 'burst', 12, 0.02, 'min_size=2', 'max_size=8', 'max_idle=5');
	start_application('psycopg_pool lock-up', 'app', @python, 'lock', 3, 0.02, 'min_size=3', 'max_size=3', 'timeout=600');
	becomes('psycopg_pool lock-up', q{kind = 'locked up'}, 'is named');
	becomes('psycopg_pool elastic', q{kind = 'elastic' AND max_open = 8}, 'is elastic');
	stop_application(map { "psycopg_pool $_" } 'elastic', 'lock-up');
}

SKIP:
{
	my @node = ('node', "$programs/node_postgres_app.js");

	skip 'node-postgres: node and the module pg cannot be had', 6 unless runs_here('node', '-e', "require('pg')");
	my ($promised, @settings) = arguments('node-postgres', 'max', 'connectionTimeoutMillis');

	start_application('node-postgres', 'app', @node, 'work', 3 * $promised, 0.02, @settings);
	keeps_its_promise('node-postgres', $promised);
	start_application('node-postgres elastic', 'app', @node, 'burst', 12, 0.02, 'max=8', 'idleTimeoutMillis=3000');
	becomes('node-postgres elastic', q{kind = 'elastic' AND max_open = 8}, 'is elastic');
	stop_application('node-postgres elastic');
}

$node->stop;
done_testing();
