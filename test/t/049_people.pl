# What people read: under load, with names as long as those that are in use, each view fits into 120
# columns of psql or has a narrow view beside it that does; summary fits into 80; and no view has
# more than four significant digits of an average.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $ROLE = 'orders_reporting_service_rw';
my $DATABASE = 'orders_production_eu_west_1';
my $APPLICATION = 'orders-api-worker-7f9c6d5b4-x2x8q (batch)';
# for programs: a row of 42 columns, whose narrow view is summary; and series
my %wide = map { $_ => 1 } qw(status metrics);

my $node = limits_node('people', <<'CONF');
max_connections = 40
max_prepared_transactions = 5
compute_query_id = on
pool_advisor.server_max_active = 30
CONF
$node->safe_psql('postgres', <<SQL);
CREATE ROLE $ROLE LOGIN IN ROLE pg_monitor;
CREATE ROLE everybody_of_the_orders_team;
GRANT everybody_of_the_orders_team TO $ROLE;
CREATE DATABASE $DATABASE;
SELECT pool_advisor.declare_pool('orders-api of the cluster in eu-west-1, read and write', 'hikaricp', 12, 30, '$ROLE');
SQL
$node->safe_psql($DATABASE, <<SQL);
CREATE TABLE t (a int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t SELECT generate_series(1, 10);
GRANT ALL ON t TO $ROLE;
SQL
set_limits($node, <<SQL, "EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = '$ROLE')");
ALTER ROLE $ROLE SET pool_advisor.max_sessions = 40;
ALTER ROLE $ROLE SET pool_advisor.max_active = 25;
ALTER ROLE $ROLE IN DATABASE $DATABASE SET pool_advisor.max_active = 20;
ALTER ROLE everybody_of_the_orders_team SET pool_advisor.max_sessions = 50;
ALTER DATABASE $DATABASE SET pool_advisor.max_sessions = 60;
ALTER DATABASE $DATABASE SET pool_advisor.max_active = 22;
ALTER ROLE ALL SET pool_advisor.max_sessions = 80;
ALTER ROLE ALL SET pool_advisor.max_active = 70;
SQL

# What psql prints for that, in lines.
sub printed
{
	my ($view) = @_;
	my $out = '';

	IPC::Run::run([ 'psql', '-X', '-P', 'pager=off', '-d', $node->connstr('postgres'), '-c', "TABLE pool_advisor.$view" ],
		'>', \$out);
	return map { s/ +$//r } split /\n/, $out;
}

sub width_of
{
	my ($widest) = sort { $b <=> $a } map { length } @_;

	return $widest;
}

# Sessions that work for a moment, then one that others wait for, and a prepared transaction.
my %programs;
{
	local $ENV{PGAPPNAME} = $APPLICATION;
	my $folder = PostgreSQL::Test::Utils::tempdir;

	append_to_file("$folder/work.sql", "\\set a random(2, 10)\nUPDATE t SET n = n + 1 WHERE a = :a;\n");
	$node->command_ok([ 'pgbench', '-n', '-c', 6, '-T', 5, '-f', "$folder/work.sql", '-U', $ROLE, $DATABASE ], 'a load');
	$node->safe_psql($DATABASE, "BEGIN; UPDATE t SET n = 0 WHERE a = 2; PREPARE TRANSACTION 'orders-transaction-manager-0001'",
		extra_params => [ '-U', $ROLE ]);
	$programs{holder} = client($node, $ROLE, 'BEGIN; UPDATE t SET n = 0 WHERE a = 1;', database => $DATABASE);
	wait_for($node, q{(SELECT idle_in_transaction = 1 FROM pool_advisor.status)});
	$programs{"waiter $_"} = client($node, $ROLE, 'UPDATE t SET n = 1 WHERE a = ' . ($_ % 4 ? 1 : 2) . ';', database => $DATABASE)
	  foreach 1 .. 8;
}
$node->safe_psql('postgres', q{SELECT pool_advisor.trial('10 min', 20)});
wait_for($node, q{(SELECT verdict = 'stalled' FROM pool_advisor.status) AND EXISTS (SELECT FROM pool_advisor.incidents)
	AND (SELECT count(*) > 1 FROM pool_advisor.blockers) AND EXISTS (SELECT FROM pool_advisor.trials)});

my @views = split /\n/, $node->safe_psql('postgres', q{
	SELECT relname FROM pg_class WHERE relnamespace = 'pool_advisor'::regnamespace AND relkind = 'v' ORDER BY 1});
cmp_ok(scalar(grep { /_brief$/ } @views), '>', 10, 'there are narrow views');
my %lines = map { $_ => [ printed($_) ] } @views;

foreach my $view (@views)
{
	my $width = width_of(@{ $lines{$view} });

	if ($view =~ /_brief$/ || !$lines{"${view}_brief"} && !$wide{$view})
	{
		cmp_ok($width, '<=', 120, "$view fits into 120 columns") or diag(join "\n", @{ $lines{$view} });
		cmp_ok(scalar @{ $lines{$view} }, '>', 3, 'with a row') or diag(join "\n", @{ $lines{$view} });
	}
}

my @summary = @{ $lines{summary} };
is(scalar @summary, 8 + 3, 'the summary has eight rows');
cmp_ok(width_of(@summary), '<=', 80, 'in 80 columns') or diag(join "\n", @summary);
like("@summary", qr/stalled for \d+ s: \d of \d wait behind a lock/, 'of a server that stands still');

like(join("\n", @{ $lines{advice_brief} }), qr/^ critical \| blocked_by: \d+ sessions wait for process .*\n.*\| SELECT pg_catalog\.pg_terminate_backend\(\d+\);$/ms,
	'the line to run ends the advice');
like(join("\n", @{ $lines{limits_brief} }), qr/^ role orders_reporting_service_rw +\|.*^ role orders_repor\.\. in orders_produ\.\. /ms,
	'a name that is too long is cut');
like(join("\n", @{ $lines{blockers_brief} }), qr/prepared 'orders-tr\w*\.\./, 'likewise of a prepared transaction');

# Figures, not totals, whose differences matter.
my $long = $node->safe_psql('postgres', sprintf q{
	SELECT string_agg(DISTINCT figure, ', ') FROM (%s) AS f (figure, value)
	WHERE length(ltrim(replace(regexp_replace(value, 'e.*', ''), '.', ''), '0')) > 4 AND value ~ '\.'},
	$node->safe_psql('postgres', q{
		SELECT string_agg(format('SELECT %L, %I::text FROM pool_advisor.%I', table_name || '.' || column_name, column_name, table_name), ' UNION ALL ')
		FROM information_schema.columns WHERE table_schema = 'pool_advisor' AND data_type IN ('double precision', 'numeric')
			AND table_name <> 'metrics' AND column_name !~ '_total$'}));
is($long, '', 'four digits at most');

# The longest names that there can be, as far as they stand for themselves.
my $longest = 'w' x 63;
$node->safe_psql('postgres', qq{CREATE ROLE $longest LOGIN; CREATE DATABASE x$longest;
	ALTER ROLE $longest SET pool_advisor.max_sessions = 7; ALTER ROLE $longest SET pool_advisor.max_active = 7});
$programs{longest} = client($node, $longest, 'BEGIN; SELECT pg_advisory_lock(1);', database => 'postgres');
$programs{other} = client($node, $longest, 'SELECT pg_advisory_lock(1);', database => 'postgres');
wait_for($node, q{EXISTS (SELECT FROM pool_advisor.blockers WHERE rolname ~ '^www') AND EXISTS (SELECT FROM pool_advisor.load WHERE key ~ '^www')});
foreach my $view (qw(blockers load roles latency limits gate pools budget))
{
	cmp_ok(width_of(printed("${view}_brief")), '<=', 120, "${view}_brief with the longest names");
}

# Likewise with what stands behind them when they are not enforced, and of a limited statement.
$node->safe_psql('postgres', $_) foreach ("ALTER SYSTEM SET pool_advisor.gate_enforcement = 'observe'",
	"ALTER SYSTEM SET pool_advisor.query_max_active = '-9223372036854775807 = 2'");
$node->reload;
wait_for($node, q{EXISTS (SELECT FROM pool_advisor.gate_brief WHERE limit_on = 'query -922337203685.. (observe)')});
cmp_ok(width_of(printed("${_}_brief")), '<=', 120, "${_}_brief under observe") foreach qw(limits gate);

is($node->safe_psql('postgres', q{SELECT max(length(line)) FROM
	regexp_split_to_table(pool_advisor._wrap('in ' || repeat('x', 120) || ' it is', 50), E'\n') AS line}), '50', 'a word that is longer than a line is broken');

hang_up($_) foreach values %programs;
$node->safe_psql($DATABASE, q{ROLLBACK PREPARED 'orders-transaction-manager-0001'});
$node->stop;
done_testing();
