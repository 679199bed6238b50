# Transactions are counted exactly, and no knee is named that was not seen.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('measured', "max_connections = 50\nmax_prepared_transactions = 2\n");
my $total = q{SELECT transactions_total FROM pool_advisor.status};
my $rollbacks = q{SELECT rollbacks_total FROM pool_advisor.status};

# How much a total grows by a piece of work.  Our own queries are transactions,
# too: one for each look, and a few from before that had not been counted yet.
sub grows_by
{
	my ($sql, $expected, $name, $work) = @_;
	my $before = $node->safe_psql('postgres', $sql);
	my ($after, $looks) = ($before, 0);

	$work->();
	while ($after < $before + $expected && $looks++ < 1800)
	{
		select(undef, undef, undef, 0.1);
		$after = $node->safe_psql('postgres', $sql);
	}
	cmp_ok($after - $before, '>=', $expected, $name);
	cmp_ok($after - $before, '<=', $expected + $looks + 30, "$name, and no more");
	return;
}

sub script
{
	my ($text) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir . '/script.sql';

	append_to_file($file, $text);
	return $file;
}

$node->safe_psql('postgres', 'CREATE TABLE t (i int)');

foreach my $protocol (qw(simple extended prepared))
{
	my $file = script("SELECT 1;\n");

	grows_by($total, 4000, "single statements, $protocol",
		sub { $node->command_ok([ 'pgbench', '-n', '-M', $protocol, '-c', 4, '-t', 1000, '-f', $file, 'postgres' ], 'pgbench') });
}
my $block = script("BEGIN;\nINSERT INTO t VALUES (1);\nSAVEPOINT s;\nINSERT INTO t VALUES (2);\nRELEASE s;\nSELECT 1;\nCOMMIT;\n");
grows_by($total, 500, 'a block is one transaction, whatever is in it',
	sub { $node->command_ok([ 'pgbench', '-n', '-c', 5, '-t', 100, '-f', $block, 'postgres' ], 'pgbench') });
grows_by($total, 11, 'a procedure that commits', sub {
	$node->safe_psql('postgres', q{DO $$ BEGIN FOR i IN 1 .. 10 LOOP INSERT INTO t VALUES (i); COMMIT; END LOOP; END $$}) });
grows_by($total, 2, 'two-phase commit: PREPARE and COMMIT PREPARED', sub {
	$node->safe_psql('postgres', "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'x'");
	$node->safe_psql('postgres', "COMMIT PREPARED 'x'") });
grows_by($rollbacks, 3, 'rolled back: by the client, by an error, by its end', sub {
	$node->safe_psql('postgres', 'BEGIN; INSERT INTO t VALUES (1); ROLLBACK');
	$node->psql('postgres', 'SELECT 1 / 0');
	$node->psql('postgres', 'BEGIN; INSERT INTO t VALUES (1)') });

# One to four clients: a curve, but no knee. A busy machine needs more rounds to show it.
foreach my $round (1 .. 5)
{
	foreach my $clients (1, 2, 4)
	{
		$node->command_ok([ 'pgbench', '-n', '-M', 'prepared', '-c', $clients, '-T', 6, '-f', script("SELECT 1;\n"), 'postgres' ],
			"$clients clients");
	}
	last if $node->safe_psql('postgres', 'SELECT count(*) >= 3 FROM pool_advisor.scalability') eq 't';
}
wait_for($node, q{count(*) >= 3 FROM pool_advisor.scalability}, 'each number of connections at work has its bin');
is($node->safe_psql('postgres', q{SELECT bool_and(connections < 5 AND seconds > 0 AND transactions_per_second > 0
		AND latency_seconds > 0 AND active BETWEEN 0 AND connections + 1) FROM pool_advisor.scalability}),
	't', 'which makes sense');
is($node->safe_psql('postgres', q{SELECT state FROM pool_advisor.scalability_fit}), 'knee not observed yet', 'the law says no more');
is($node->safe_psql('postgres', q{SELECT peak_connections IS NULL AND lambda > 0 FROM pool_advisor.scalability_fit}), 't', 'nor where the peak is');
is($node->safe_psql('postgres', q{SELECT not_available_because FROM pool_advisor.optimal WHERE method = 'scalability'}),
	'knee not observed yet', 'and so says the method');
is($node->safe_psql('postgres', q{SELECT optimal_method IN ('wait_ratio', 'formula') AND confidence IN ('low', 'formula')
		AND optimal >= 1 AND pool_size >= optimal FROM pool_advisor.status}), 't', 'the number comes from elsewhere, with low confidence');
is($node->safe_psql('postgres', q{SELECT count(*) = 1 FROM pool_advisor.explain() e WHERE e LIKE 'Method scalability: not available, knee not observed yet%'}),
	't', 'and explain() says so');

# Do that, and wait until the file is there that it makes the worker write.
sub until_written
{
	my ($sql) = @_;

	unlink($node->data_dir . '/pg_stat/pool_advisor.history') or die "cannot unlink: $!";
	$node->safe_psql('postgres', $sql);
	wait_for($node, q{(pg_stat_file('pg_stat/pool_advisor.history', true)).size > 0}, "$sql is in the file");
	return;
}

# What was learned outlives a restart, and is forgotten when asked, also in the file.
my $learned = q{SELECT count(*) FROM pool_advisor.scalability};
my $bins = $node->safe_psql('postgres', $learned);
my $pools = q{SELECT concat_ws(' ', pool_size, session_pool_size, pool_size_as_of) FROM pool_advisor.status};
my $sizes = $node->safe_psql('postgres', $pools);
like($sizes, qr/^\d+ \d+ \d{4}-/, 'sizes of pools are known by the load that was');
$node->restart;
wait_for($node, qq{(($learned) >= $bins)}, 'the curve is there after a restart');
# the optimum is computed anew, and in the first hour sizes follow it; the load is the same
my $as_of = (split / /, $sizes, 3)[2];
like($node->safe_psql('postgres', $pools), qr/^\d+ \d+ \Q$as_of\E$/, 'and so are sizes of pools, by the same load');
until_written(q{SELECT pool_advisor.reset('history')});
cmp_ok($node->safe_psql('postgres', $learned), '>=', $bins, 'and after the history is forgotten');
until_written(q{SELECT pool_advisor.reset('scalability')});
wait_for($node, qq{(($learned) < 3)}, 'it can be forgotten');
is($node->safe_psql('postgres', $pools), '', 'and with it the sizes of pools');
is($node->safe_psql('postgres', q{SELECT state FROM pool_advisor.scalability_fit}), 'too little data', 'then nothing is known');
$node->stop('immediate');
$node->start;
wait_for($node, 'samples_total > 0 FROM pool_advisor.status');
is($node->safe_psql('postgres', qq{SELECT ($learned) < 3}), 't', 'nor does it come back');
is($node->safe_psql('postgres', $pools), '', 'nor do they');

# Counters of roles.
set_limits($node, q{ALTER ROLE app SET pool_advisor.max_sessions = 0});
my ($ret) = try_login($node, 'app');
is($ret, 2, 'a refusal');
is($node->safe_psql('postgres', q{SELECT refused_total FROM pool_advisor.roles WHERE rolname = 'app'}), 1, 'is counted');
$node->safe_psql('postgres', q{SELECT pool_advisor.reset('counters')});
is($node->safe_psql('postgres', q{SELECT coalesce(sum(refused_total), 0) FROM pool_advisor.roles}), 0, 'until it is reset');

$node->stop;
done_testing();
