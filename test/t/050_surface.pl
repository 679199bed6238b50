# What is shown: whether limits are enforced, wherever limits are; names that the client has
# no characters for; and directories, to those who may know of them.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = limits_node('surface');

sub ask
{
	my ($sql, %options) = @_;

	local $ENV{PGCLIENTENCODING} = $options{encoding} // 'SQL_ASCII';
	my ($code, $out, $err) = $node->psql($options{database} // 'postgres', $sql,
		extra_params => $options{role} ? [ '-U', $options{role} ] : []);

	return $code == 0 ? $out : "$code: $err";
}

#
# Enforcement
#
my $ADVICE = q{SELECT severity, subject, fix FROM pool_advisor.advice WHERE code = 'enforcement_off'};
my $EXPLAINED = q{SELECT * FROM pool_advisor.explain() AS said WHERE said LIKE 'Enforcement:%'};
my $METRICS = q{SELECT string_agg(value::text, ' ' ORDER BY name) FROM pool_advisor.metrics WHERE name ~ 'enforcement$'};
my $HEAD = q{SELECT regexp_matches(pool_advisor.report(), '<p class="stopped">([^<]*)', 'g')};
my $GATE = q{SELECT explanation FROM pool_advisor.gate};
my $NARROW = q{SELECT string_agg(limit_on, ', ' ORDER BY limit_on) FROM
	(SELECT limit_on FROM pool_advisor.limits_brief UNION ALL SELECT 'gate of ' || limit_on FROM pool_advisor.gate_brief) AS narrow};

sub reset_line { return "ALTER SYSTEM RESET pool_advisor.$_[0]; SELECT pg_reload_conf();" }

set_limits($node, 'ALTER ROLE app SET pool_advisor.max_sessions = 5');
wait_for($node, 'samples_total > 0 FROM pool_advisor.status');
server_max_active($node, 30);

# Set both, and wait until the limits say so.
sub state_is
{
	my ($enforcement, $gate, $shown) = @_;

	$node->safe_psql('postgres', $_) foreach ("ALTER SYSTEM SET pool_advisor.enforcement = '$enforcement'",
		"ALTER SYSTEM SET pool_advisor.gate_enforcement = '$gate'");
	$node->reload;
	foreach my $condition ("rolname = 'app'", "scope = 'server'")
	{
		wait_for($node, "enforcement = '$enforcement' AND gate_enforcement = '$shown' FROM pool_advisor.limits WHERE $condition",
			"$enforcement, $gate: limits, $condition");
	}
	wait_for($node, "gate_enforcement = '$shown' FROM pool_advisor.gate", "$enforcement, $gate: gate");
	return;
}

state_is('on', 'on', 'on');
is(ask($ADVICE), '', 'no advice when limits are enforced');
is(ask($EXPLAINED), '', 'nor a sentence');
is(ask($HEAD), '', 'nor a warning in the report');
is(ask($METRICS), '2 2', 'both metrics say on');
unlike(ask($GATE), qr/enforcement/, 'nothing in the words of the gate');
is(ask($NARROW), 'gate of server, role app, server', 'and nothing in the narrow views');

state_is('on', 'observe', 'observe');
is(ask($ADVICE), 'info|pool_advisor.gate_enforcement|' . reset_line('gate_enforcement'), 'a trial of the gate');
like(ask($EXPLAINED), qr/^Enforcement: pool_advisor.gate_enforcement is observe: [^\n]*$/, 'a sentence');
like(ask($HEAD), qr/^\{"pool_advisor.gate_enforcement is observe: [^\n]*$/, 'a line in the head of the report');
is(ask($METRICS), '2 1', 'its metric says observe');
is(ask($NARROW), 'gate of server (observe), role app (gate observe), server (observe)', 'so do the narrow views');
like(ask($GATE), qr/limit.*pool_advisor.gate_enforcement is observe|set by the DBA.*pool_advisor.gate_enforcement is observe/, 'the words of the gate');

state_is('observe', 'off', 'off');
is(ask($ADVICE), 'warning|pool_advisor.gate_enforcement|' . reset_line('gate_enforcement')
	. "\ninfo|pool_advisor.enforcement|" . reset_line('enforcement'), 'each setting, the worse first');
is(ask($NARROW), 'gate of server (off), role app (observe), server (off)', 'each in the narrow views');
is(ask($METRICS), '1 0', 'the metrics tell them apart');

state_is('off', 'on', 'off');
is(ask($ADVICE), 'warning|pool_advisor.enforcement|' . reset_line('enforcement'), 'the emergency exit');
like(ask($EXPLAINED), qr/^Enforcement: pool_advisor.enforcement is off: [^\n]*$/, 'is said once');
like(ask($HEAD), qr/^\{"pool_advisor.enforcement is off: [^\n]*$/, 'in the report, too');
is(ask($METRICS), '0 0', 'it turns off both');
like(ask($GATE), qr/pool_advisor.enforcement is off/, 'as the gate says');

# what the advice says to run ends it
$node->safe_psql('postgres', $_) foreach split /;/, ask('SELECT fix FROM pool_advisor.advice WHERE code = $$enforcement_off$$');
wait_for($node, q{enforcement = 'on' AND gate_enforcement = 'on' FROM pool_advisor.limits WHERE rolname = 'app'}, 'the fix ends it');
is(ask($ADVICE), '', 'and the advice with it');

#
# Names
#
$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE template0 ENCODING '$_' LOCALE 'C'") foreach qw(euc_jp sql_ascii latin1 utf8);
my @databases = qw(euc_jp sql_ascii latin1 utf8);

# a role for each: bytes that are EUC_JP without a character, text in UTF-8, text in LATIN1
my $number = 0;

foreach my $bytes ('fec3', 'c3bc', 'e38182', 'fc', '8fa2b7', 'f09f9880', 'c0', 'a4a2')
{
	$number++;
	ask(qq{DO \$\$ BEGIN EXECUTE 'CREATE ROLE "odd${number}_' || convert_from('\\x$bytes', 'SQL_ASCII') || '"'; END \$\$},
		database => 'sql_ascii');
}
is(ask(q{SELECT count(*) FROM pg_roles WHERE rolname ~ '^odd'}, database => 'sql_ascii'), $number, 'roles with odd names');
is(ask(q{DO $$
	DECLARE r name;
	BEGIN
		FOR r IN SELECT rolname FROM pg_roles WHERE rolname ~ '^odd' LOOP
			EXECUTE format('ALTER ROLE %I SET pool_advisor.max_sessions = 3', r);
		END LOOP;
	END $$}, database => 'sql_ascii'), '', 'with limits');
wait_for($node, "count(*) = $number FROM pool_advisor.limits WHERE max_sessions = 3");

foreach my $database (@databases)
{
	ask('CREATE EXTENSION pool_advisor', database => $database);
	foreach my $encoding (qw(UTF8 EUC_JP LATIN1 SQL_ASCII))
	{
		# core has no conversion between these
		next if "$database $encoding" =~ /^(euc_jp LATIN1|latin1 EUC_JP)$/;

		my $text = ask('SELECT pool_advisor.openmetrics()', database => $database, encoding => $encoding);
		my $count = () = $text =~ /^pool_advisor_limit_max_sessions\{rolname="odd\d_[^"]+"\} 3$/mg;

		like($text, qr/\n# EOF$/, "$database, $encoding: the whole text");
		is($count, $number, "$database, $encoding: every name has a series");
		is(ask(q{SELECT count(*) FROM (SELECT rolname FROM pool_advisor.metrics OFFSET 0) AS m WHERE rolname ~ '^odd'},
			database => $database, encoding => $encoding), 2 * $number, "$database, $encoding: the view, too");
	}
}
# Views that show names. One of the roles has a session, and databases with such names have limits, too.
ask(q{DO $$
	DECLARE r name;
	BEGIN
		FOR r IN SELECT rolname FROM pg_roles WHERE rolname ~ '^odd4' LOOP EXECUTE format('ALTER ROLE %I LOGIN', r); END LOOP;
	END $$}, database => 'sql_ascii');
my $session = client($node, "odd4_\xfc", 'SELECT 1;');
says($session, qr/1/);
wait_for($node, q{EXISTS (SELECT FROM pool_advisor.roles WHERE rolname ~ '^odd4' AND sessions = 1)});
my @odd_databases = map { "convert_from('\\x$_', 'SQL_ASCII')" } 'fc', 'c3bc';
foreach my $name (@odd_databases)
{
	ask(qq{SELECT format('CREATE DATABASE %I', 'base_' || $name), format('ALTER DATABASE %I SET pool_advisor.max_sessions = 7', 'base_' || $name) \\gexec},
		database => 'sql_ascii');
}
wait_for($node, 'count(*) = 2 FROM pool_advisor.limits WHERE max_sessions = 7');
foreach my $database (@databases)
{
	foreach my $encoding (qw(UTF8 EUC_JP LATIN1 SQL_ASCII))
	{
		next if "$database $encoding" =~ /^(euc_jp LATIN1|latin1 EUC_JP)$/;

		foreach my $view (qw(limits limits_brief budget budget_brief))
		{
			cmp_ok(ask("SELECT count(*) FROM (SELECT v FROM pool_advisor.$view AS v OFFSET 0) AS v WHERE v::text ~ 'odd'",
				database => $database, encoding => $encoding), '==', $number, "$database, $encoding: $view has every role");
		}
		foreach my $view (qw(roles roles_brief load load_brief pools pools_brief gate latency latency_brief blockers_brief advice_brief summary))
		{
			unlike(ask("SELECT * FROM pool_advisor.$view", database => $database, encoding => $encoding), qr/ERROR/, "$database, $encoding: $view");
		}
	}
}
finish($session);
like(ask('SELECT pool_advisor.openmetrics()', database => 'euc_jp', encoding => 'UTF8'),
	qr/rolname="odd8_\xe3\x81\x82"/, 'what there is a character for is that character');
$node->safe_psql('sql_ascii', q{DO $$
	DECLARE r name;
	BEGIN
		FOR r IN SELECT rolname FROM pg_roles WHERE rolname ~ '^odd' LOOP EXECUTE format('DROP ROLE %I', r); END LOOP;
	END $$});

#
# Directories
#
my $data = $node->data_dir;
my $DIRECTORIES = q{SELECT fact, source FROM pool_advisor.hardware WHERE fact IN ('data directory', 'WAL') OR fact ~ '^tablespace'};
my $space = PostgreSQL::Test::Utils::tempdir;

$node->safe_psql('postgres', "CREATE TABLESPACE space LOCATION '$space'");
$node->safe_psql('postgres', 'CREATE ROLE stats LOGIN IN ROLE pg_read_all_stats; CREATE ROLE monitoring LOGIN IN ROLE pg_monitor');
$node->restart;
wait_for($node, q{EXISTS (SELECT FROM pool_advisor.hardware WHERE fact ~ '^tablespace')});
foreach my $reader ([ monitoring => 1 ], [ stats => 0 ])
{
	my ($role, $may) = @$reader;
	my $core = ask('SHOW data_directory', role => $role) eq $data;

	is($core, $may == 1, "$role: core shows the data directory, or not");
	foreach my $sql ($DIRECTORIES, 'SELECT pool_advisor.report()')
	{
		my $shown = ask($sql, role => $role);
		my ($name) = $data =~ m{([^/]+/[^/]+)$};

		# long paths are shortened in the middle
		is(index($shown, $name) >= 0, $may == 1, "$role: so does " . substr($sql, 0, 40));
		is(index($shown, $space =~ s{.*/}{}r) >= 0, $may == 1, '  and the tablespace');
		like($shown, qr/(the data directory|$name) is (on \/|a mount of its own)|stat\(2\)/, '  the device is told');
	}
}
$node->stop;
done_testing();
