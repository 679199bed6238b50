# Without shared_preload_libraries, or the library itself, nothing works, and everything says so.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor qw(poll);
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('not_preloaded');
$node->init;
$node->start;

$node->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');
my @functions = split /\n/, $node->safe_psql('postgres', q{
	SELECT format('%s(%s)', proname,
	              array_to_string(ARRAY(SELECT CASE type WHEN 'timestamptz'::regtype THEN '''now''' WHEN 'text[]'::regtype THEN '''{1}''' ELSE '''1''' END
					FROM unnest(proargtypes) WITH ORDINALITY AS a (type, n) WHERE n <= pronargs - pronargdefaults ORDER BY n), ', '))
	FROM pg_proc WHERE pronamespace = 'pool_advisor'::regnamespace
		AND proname NOT IN ('_cut', '_wrap', '_limit_on', '_limit_in_force') -- which make texts of their arguments
	ORDER BY 1});
cmp_ok(scalar(@functions), '>', 5, 'there are functions');

foreach my $function (@functions)
{
	my ($code, $out, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\nSELECT * FROM pool_advisor.$function;");

	like($err, qr/55000.*pool_advisor must be loaded via "shared_preload_libraries".*HINT:.*"shared_preload_libraries"/s,
		"$function says that the library is not preloaded");
}

# Loading it late is no error, and does not make it work.
my ($code, $out, $err) = $node->psql('postgres',
	"LOAD 'pool_advisor'; SELECT count(*) FROM pool_advisor.status;");
like($err, qr/must be loaded via "shared_preload_libraries"/, 'LOAD is not enough');

# The library has been removed, here by another name: functions name the file, and the extension
# can still be dropped.
$node->safe_psql('postgres',
	q{UPDATE pg_proc SET probin = '$libdir/pool_advisor_gone' WHERE probin = '$libdir/pool_advisor'});
foreach my $query ('SELECT * FROM pool_advisor.status', 'SELECT pool_advisor.formula_size(4, 1)')
{
	my ($gone, $rows, $words) = $node->psql('postgres', "\\set VERBOSITY verbose\n$query");

	like($words, qr/58P01.*could not access file.*pool_advisor_gone/, "$query without its library");
}

# The extension can be dropped, with the library preloaded and without, and without the file.
$node->safe_psql('postgres', 'DROP EXTENSION pool_advisor');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pool_advisor'");
$node->restart;
$node->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');
ok( poll($node, 'SELECT samples_total > 0 FROM pool_advisor.status'),
	'preloaded, it works');
$node->safe_psql('postgres', 'DROP EXTENSION pool_advisor');
$node->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');
ok( poll($node, 'SELECT samples_total > 0 FROM pool_advisor.status'),
	'sampling does not depend on the extension');

# No worker process to be had: the server starts, and the views say so.
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
is( $node->safe_psql('postgres', q{
	SELECT worker_running, sampled_at IS NULL, sessions IS NULL, optimal IS NULL,
	       max_connections = current_setting('max_connections')::int
	FROM pool_advisor.status}),
	'f|t|t|t|t', 'without a worker, status has its row');
is($node->safe_psql('postgres', 'SELECT string_agg(code, $$ $$) FROM pool_advisor.advice'),
	'sampling_stopped', 'advice says that sampling stopped');
is($node->safe_psql('postgres', 'SELECT count(*), count(connections) FROM pool_advisor.optimal'),
	'5|0', 'optimal has no number');
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM pool_advisor.waits) + (SELECT count(*) FROM pool_advisor.roles) + (SELECT count(*) FROM pool_advisor.hardware)'),
	'0', 'the other views are empty');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pool_advisor.explain()'),
	'1', 'explain says that there is nothing to explain');

$node->stop;
done_testing();
