# Declared pools belong to the user: a dump has them, and brings them back.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('declared');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pool_advisor'");
$node->start;

$node->safe_psql('postgres', q{
	CREATE EXTENSION pool_advisor;
	CREATE ROLE web LOGIN;
	SELECT pool_advisor.declare_pool('web', 'hikaricp', 4, 10, 'web', 'postgres');
	SELECT pool_advisor.declare_pool(E'it''s\na "batch"', 'go', 1, 5);
});
my $rows = q{SELECT string_agg(p::text, ';' ORDER BY name) FROM pool_advisor.declared_pools p};
my $before = $node->safe_psql('postgres', $rows);

my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, 'postgres' ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-f', $dump, 'restored' ],
	'the dump is restored');
is($node->safe_psql('restored', $rows), $before, 'with the declared pools');
is( $node->safe_psql('restored', q{SELECT committed FROM pool_advisor.budget WHERE scope = 'pools'}),
	'45', 'and the budget has them');
is( $node->safe_psql('restored', q{
	SELECT has_table_privilege('pg_monitor', 'pool_advisor.declared_pools', 'SELECT'),
	       has_table_privilege('pg_monitor', 'pool_advisor.declared_pools', 'INSERT'),
	       has_function_privilege('pg_monitor', 'pool_advisor.forget_pool(text)', 'EXECUTE')}),
	't|f|f', 'and the rights are as they were');

# They are of one database.
is($node->safe_psql('restored', q{SELECT pool_advisor.forget_pool('web'); } . 'SELECT count(*) FROM pool_advisor.declared_pools'),
	"\n1", 'one is forgotten there');
is($node->safe_psql('postgres', $rows), $before, 'and not here');
$node->stop;
done_testing();
