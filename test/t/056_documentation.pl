# README.md and the pages in doc/ say that their outputs are real. Each example is run on a
# server in the state that its text tells, and held against what is printed there.
#
# An output that no rule below says otherwise about must be the same to the letter, trailing
# blanks aside. What depends on the machine or the moment is held by its form: names, order,
# and words must be the same, numbers are numbers. A sentence that only another state calls
# for must be one that the source can say. So a figure of such an output is not held: that 64
# sessions were seen somewhere once cannot be.
#
# So only the form is held of status, optimal, waits, history, gate, metrics, hardware,
# advice, explain(), check_load(), roles with averages, and of charts but for that of
# scalability; and in these what a rule names under "same" is held to the letter.
#
# The curve of README's view scalability is put into the server as it stands there; its fit,
# the drawing and the chosen number must then be README's. History before the start is made up.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Encode qw(decode encode);
use HistoryFile;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Readme;
use ReadmeJudge;
use Test::More;
use Time::HiRes qw(usleep);

my $top = "$FindBin::RealBin/../..";
my $readme = "$top/README.md";

# t/055_uninstall.pl does what that page says
my @pages = ($readme, grep { !/uninstall/ } glob "$top/doc/*.md");
my @blocks = map { readme_blocks($_) } @pages;
my @examples = map { examples_of($_) } grep { is_of_examples($_) } @blocks;
my $folder = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('readme');
my @clients;

$ENV{PGUSER} = 'postgres';
$ENV{PGAPPNAME} = 'psql';
$ENV{PGCLIENTENCODING} = 'UTF8';
$ENV{PGTZ} = 'UTC';
$ENV{TERM} = 'vt100';

# What is not the same everywhere: in which scene it is asked for, and how it is judged. In
# "rows", same are the columns that are held to the letter, in README's order of rows unless
# sorted; more allows rows that README does not have, unless leaves out some of README's, rows
# holds the first ones only, and any is a column that only must have something. All other cells
# are held by their form. "set" is a setting of pool_advisor.
my @RULES = (
	[ qr/\.fleet_status/, 'fleet', \&rows, same => 'node reachable' ],
	[ qr/agent_check/, 'blocked', \&same_form ],
	[ qr/my_share/, 'contended', \&rows ],
	[ qr/client_config\('pgbouncer'/, 'alone', \&exact, set => 'optimal = 16' ],
	[ qr/client_config\('hikaricp', processes => 2\) WHERE/, 'alone', \&exact, set => 'optimal = 4' ],
	[ qr/client_config\('hikari/, 'alone', \&rows, set => 'optimal = 19', same => 'setting value' ],
	[ qr/client_config\(system/, 'alone', \&exact, set => 'optimal = 19' ],
	[ qr/declare_pool|budget;/, 'alone', \&exact, heading => qr/^declare_pool/ ],
	[ qr/subject = 'pools'/, 'alone', \&rows, same => 'severity code subject fix' ],
	[ qr/\.scalability;/, 'learned', \&close_to ],
	[ qr/\.scalability_fit/, 'learned', \&close_to ],
	[ qr/chart\('scalability'/, 'learned', \&exact ],
	[ qr/chart\('(?:load|waits)'/, 'learned', \&chart ],
	[ qr/\* FROM pool_advisor\.status/, 'busy', \&rows,
		same => 'worker_running optimal optimal_low optimal_high optimal_method confidence busy_ratio pool_size verdict' ],
	[ qr/\.optimal;/, 'busy', \&rows, set => 'spindles = 0',
		same => 'method connections low high confidence chosen not_available_because' ],
	[ qr/explain\(\)/, 'busy', \&sentences, set => 'spindles = -1', but_for => qr/^Cores: pool_advisor.cores overrides/ ],
	[ qr/\.roles;/, 'sessions', \&exact, heading => qr/^roles/, but => qr/active_avg/ ],
	[ qr/\.budget WHERE/, 'sessions', \&exact, heading => qr/^budget/ ],
	[ qr/\.limits_brief/, 'limits', \&rows, same => 'limit_on max_sessions queue_length max_active' ],
	[ qr/\.limits/, 'limits', \&rows,
		same => 'scope rolname datname max_sessions min_sessions session_idle_timeout queue_length queue_timeout max_active' ],
	[ qr/would_wait_total FROM pool_advisor\.gate/, 'gate', \&rows, set => 'gate_enforcement = observe',
		same => 'gate_enforcement' ],
	[ qr/wait_p99_seconds FROM pool_advisor\.gate/, 'gate', \&rows ],
	[ qr/long_waiting FROM pool_advisor\.gate/, 'gate', \&rows ],
	[ qr/\.gate/, 'gate', \&rows, same => 'server_max_active' ],
	[ qr/\.trials/, 'tried', \&rows, same => 'state limit_a limit_b verdict' ],
	[ qr/verdict FROM pool_advisor\.status/, 'contended', \&rows, same => 'verdict' ],
	[ qr/\.summary/, 'contended', \&rows, heading => qr/^The first queries/, same => 'item', any => 'state' ],
	[ qr/\.advice LIMIT 1/, 'contended', \&rows, heading => qr/^The first queries/, same => 'severity code subject' ],
	[ qr/\.advice LIMIT 1/, 'blocked', \&rows, same => 'severity code recommendation' ],
	[ qr/\.advice_brief/, 'blocked', \&same_words ],
	[ qr/\.blockers/, 'blocked', \&rows, same => 'rolname state blocked_directly blocked' ],
	[ qr/\.summary/, 'blocked', \&rows, same => 'item', any => 'state' ],
	[ qr/\.load/, 'blocked', \&rows, same => 'dimension key' ],
	# no time for each transaction where the first period has none
	[ qr/\.compare/, 'contended', sub { rows($_[0], [ grep { !/^ *seconds_per_transaction/ } @{ $_[1] } ]) } ],
	[ qr/\.latency/, 'contended', \&rows, same => 'rolname period' ],
	# psql goes by the name of this test here
	[ qr/FROM pool_advisor\.pools/, 'blocked', sub { rows($_[0], [ map { s/056_documentation\.pl/psql                /r } @{ $_[1] } ]) } ],
	[ qr/'pool_per_request'/, 'blocked', \&rows, same => 'severity code fix', any => 'subject' ],
	[ qr/\.waits/, 'blocked', \&rows, same => 'period wait_event_type', rows => 1 ],
	[ qr/\.roles;/, 'blocked', \&rows, same => 'rolname', sorted => 1, more => 1 ],
	[ qr/\.history/, 'blocked', \&rows ],
	[ qr/\.metrics/, 'blocked', \&rows, same => 'name kind rolname wait_class', sorted => 1 ],
	# not every machine has such a disk, tells of pressure, or knows what disks do
	[ qr/\.hardware/, 'blocked', \&rows, same => 'fact',
		unless => { fact => qr/^disk |pressure$|^reads / }, more => 1, any => 'value' ],
	[ qr/chart\('roles'/, 'blocked', \&chart ],
	[ qr/chart\('incidents'/, 'blocked', \&chart ],
	[ qr/\.incidents/, 'blocked', \&rows, same => 'kind culprit_dimension rolname peak_what' ],
	[ qr/openmetrics/, 'blocked', \&some_lines ],
	[ qr/check_load/, 'blocked', \&rows, same => 'status' ],
);

# What the scenes need, in this order; what is in none is run in the last.
my @SCENES = (
	[ alone => \&set_scene_alone ],
	[ learned => \&set_scene_learned ],
	[ busy => \&set_scene_busy ],
	[ sessions => \&set_scene_sessions ],
	[ limits => \&set_scene_limits ],
	[ gate => sub { server_max_active($node, 'auto') } ],
	[ tried => \&set_scene_tried ],
	[ contended => \&set_scene_contended ],
	[ blocked => \&set_scene_blocked ],
	[ fleet => \&set_scene_fleet ],
);

# --- the server -----------------------------------------------------------------

sub set_to
{
	my ($setting) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET pool_advisor.$setting");
	$node->reload;
	return;
}

sub visitors
{
	my ($count, $role, $sql) = @_;

	push @clients, map { client($node, $role, $sql) } 1 .. $count;
	return;
}

# Visitors that do nothing, until the view roles has them.
sub come
{
	my ($role, $count, $condition) = @_;

	visitors($count, $role, '');
	wait_for($node, "$condition FROM pool_advisor.roles WHERE rolname = '$role'");
	return;
}

sub send_home
{
	hang_up($_) foreach @clients;
	@clients = ();
	wait_for($node, q{count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'});
	return;
}

# The bins of README's view scalability, as the file of the history has them: under pressure,
# as all clients of pgbench are at work all the time, and from two on with all cores busy.
sub readme_curve
{
	my ($example) = grep { $_->{sql} =~ /\.scalability;/ } @examples;
	my ($names, @rows) = table_of(@{ $example->{output} });
	my @bins = map { [ (0) x 12 ] } 0 .. 99;

	foreach (@rows)
	{
		my %bin;

		@bin{@$names} = @$_;
		my $place = int(log($bin{connections} < 1 ? 1 : $bin{connections}) / log(1.1) + 0.5);
		my $cores_busy = $bin{connections} > 1.5 ? 1 : 0.5;
		$bins[$place] = [ @bin{qw(seconds connections active transactions_per_second latency_seconds seconds)},
			1, $cores_busy, (0) x 4 ];
	}
	return [ 2, 0, map { @$_ } @bins ];
}

# The library is loaded as README tells.
sub start_server
{
	my ($conf) = grep { $_->{heading} eq 'Install' && "@{ $_->{lines} }" =~ /^shared_preload/ } @blocks;
	my $now = time;

	$node->init(extra => [ '-U', 'postgres', '-E', 'UTF8', '--locale=C' ]);
	$node->append_conf('postgresql.conf', join "\n", @{ $conf->{lines} }, <<'CONF');

autovacuum = off
max_connections = 100
authentication_timeout = 600
pool_advisor.cores = 2
CONF
	my ($system) = run_log_out('pg_controldata', $node->data_dir) =~ /system identifier: +(\d+)/;
	write_history($node->data_dir . '/pg_stat/pool_advisor.history', $system,
		[ [ map { made_up_point($_) } $now - 400 .. $now - 1 ] ], readme_curve());
	$node->start;
	$node->safe_psql('postgres', "CREATE EXTENSION pool_advisor; CREATE DATABASE readme; $SPIN");

	# pauses between these statements would be in the last minute, and so in pool_size
	$node->restart;
	return;
}

sub made_up_point
{
	my ($at) = @_;
	my $load = 3 + ($at % 90) / 9;

	return { at => $at, active => $load, most => 2 * $load, optimal => 4,
		classes => [ 0.3 * $load, 0.1 * $load, 0.4 * $load, 0.1 * $load, 0.1 * $load ] };
}

sub run_log_out
{
	my ($out, $err) = run_command([@_]);

	return $out;
}

# The extension alone, with three sessions of the superuser.
sub set_scene_alone
{
	come(postgres => 3, 'sessions = 3');
	return;
}

# Alone again, with what is remembered of a load.
sub set_scene_learned
{
	send_home();
	$node->safe_psql('postgres', q{SELECT pool_advisor.forget_pool(name) FROM pool_advisor.declared_pools});
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET pool_advisor.optimal');
	$node->reload;
	return;
}

# More run than there are cores, until it is known what they do.
sub set_scene_busy
{
	visitors(1, 'postgres', 'SELECT pg_advisory_lock(1), 1;');
	says($clients[0], qr/1/);
	visitors(20, 'postgres', 'SELECT spin(1);');
	wait_for($node, q{verdict = 'oversubscribed' FROM pool_advisor.status});
	wait_for($node, q{connections > 0 FROM pool_advisor.optimal WHERE method = 'wait_ratio'});
	return;
}

sub set_scene_sessions
{
	send_home();
	$node->safe_psql('postgres', $_) foreach (
		'CREATE ROLE app LOGIN', 'CREATE ROLE bench', 'CREATE ROLE batch LOGIN', 'CREATE ROLE staff',
		'CREATE ROLE ann LOGIN IN ROLE staff', 'CREATE ROLE ben LOGIN IN ROLE staff', 'CREATE DATABASE crm');
	set_limits($node, q{
		ALTER ROLE app SET pool_advisor.max_sessions = 20;
		ALTER ROLE app SET pool_advisor.queue_length = 30;
		ALTER ROLE app SET pool_advisor.queue_timeout = '5 min';
		ALTER ROLE batch SET pool_advisor.max_sessions = 4;
		ALTER ROLE staff SET pool_advisor.max_sessions = 10;
		ALTER DATABASE crm SET pool_advisor.max_sessions = 30;
		ALTER ROLE ALL SET pool_advisor.max_sessions = 15}, '5 = count(*) FROM pool_advisor.limits');
	come(app => 23, 'sessions = 20 AND queued = 3');
	come(batch => 6, 'sessions = 4 AND refused_total = 2');
	come(ann => 2, 'sessions = 2');
	come(ben => 1, 'sessions = 1');
	return;
}

sub set_scene_limits
{
	send_home();
	$node->safe_psql('postgres', "ALTER ROLE $_ RESET ALL") foreach qw(app batch staff ALL);
	$node->safe_psql('postgres', $_) foreach ('ALTER DATABASE crm RESET ALL', 'ALTER ROLE bench LOGIN');
	server_max_active($node, 16);
	set_limits($node, q{
		SELECT pool_advisor.set_limit('bench', max_sessions => 250, queue_length => 100, max_active => 20),
			pool_advisor.set_limit('batch', max_active => 2)}, '3 = count(*) FROM pool_advisor.limits');
	return;
}

# A trial has found that 16 transactions at a time do more than 4.
sub set_scene_tried
{
	my $script = "$folder/sleep.sql";

	append_to_file($script, "SELECT pg_sleep(0.01);\n");
	set_to('gate_enforcement = on');
	server_max_active($node, 4);
	wait_for($node, q{gate_enforcement = 'on' FROM pool_advisor.gate WHERE scope = 'server'});
	forget_curve();
	my $load = start_program('pgbench', '-n', '-c', 16, '-j', 1, '-T', 3600, '-f', $script, user_of($node));
	wait_for($node, q{count(*) = 16 FROM pg_stat_activity WHERE usename = 'app'});
	$node->safe_psql('postgres', q{SELECT pool_advisor.trial('30 s', 16)});
	wait_for($node, q{0 = count(*) FILTER (WHERE state = 'running') FROM pool_advisor.trials});
	$load->{run}->kill_kill(grace => 0);
	wait_for($node, q{0 = count(*) FROM pg_stat_activity WHERE usename = 'app'});
	return;
}

# So the optimum is the formula's, or that of the ratio of waiting to running.
sub forget_curve
{
	$node->safe_psql('postgres', q{SELECT pool_advisor.reset('scalability')});
	wait_for($node, q{count(*) = 0 FROM pool_advisor.scalability});
	return;
}

# As many sessions as README has update one row and commit, over and over. After a restart the
# last minute is of this scene only.
sub set_scene_contended
{
	server_max_active($node, 'off');
	set_to('gate_enforcement = on');
	$node->safe_psql('postgres', 'CREATE TABLE hot AS SELECT 1 AS a; GRANT ALL ON hot TO app');
	$node->restart;
	forget_curve();
	visitors(64, 'app', 'DO $$ BEGIN LOOP UPDATE hot SET a = a + 1; PERFORM pg_sleep(0.002); COMMIT; END LOOP; END $$;');
	wait_for($node, q{verdict = 'contention' AND load_ratio > 4 AND sessions >= 64 AND pool_size IS NOT NULL
		FROM pool_advisor.status});
	return;
}

# Row locks are what nearly all wait for, and the session that has them does nothing. After a restart the last minute, and what is counted
# of roles, is of this scene only.
sub set_scene_blocked
{
	$node->safe_psql('postgres', q{
		CREATE ROLE web LOGIN; CREATE ROLE reports LOGIN; GRANT ALL ON hot TO web;
		SELECT pool_advisor.clear_limit('bench'), pool_advisor.set_limit('batch', max_sessions => 3, max_active => -1),
			pool_advisor.set_limit('web', max_sessions => 20, queue_length => 1, queue_timeout => '5 min')});
	$node->restart;
	send_home();
	forget_curve();
	visitors(1, 'web', 'BEGIN; UPDATE hot SET a = 2; SELECT 1;');
	says($clients[0], qr/1/);
	visitors(20, 'web', 'UPDATE hot SET a = 3;');
	wait_for($node, q{queued = 1 FROM pool_advisor.roles WHERE rolname = 'web'});
	come(batch => 5, 'refused_total = 2');
	come(reports => 2, 'sessions = 2');
	come(postgres => 1, 'sessions > 0');
	set_limits($node, q{SELECT pool_advisor.set_limit('batch', max_sessions => 20)},
		'max_sessions = 20 FROM pool_advisor.limits WHERE rolname = $$batch$$');
	wait_for($node, q{verdict = 'stalled' AND load_ratio > 3 FROM pool_advisor.status});
	wait_for($node, q{EXISTS (SELECT FROM pool_advisor.incidents WHERE kind = 'stalled' AND ended IS NULL)});
	# each question of this test is a connection
	wait_for($node, q{EXISTS (SELECT FROM pool_advisor.advice WHERE code = 'pool_per_request')});
	return;
}

# The server is two nodes of a fleet, and a third one is not there.
sub set_scene_fleet
{
	my $self = 'host=' . $node->host . ' port=' . $node->port . ' dbname=postgres user=monitoring';

	$node->safe_psql('postgres', 'CREATE ROLE monitoring LOGIN IN ROLE pg_monitor');
	$node->safe_psql('postgres', $node->safe_psql('postgres',
		"SELECT pool_advisor.fleet_config('postgres_fdw', '{node1=$self,node2=$self,node3=host=/nowhere}')"));
	return;
}

# --- examples -------------------------------------------------------------------

sub is_of_examples { return $_[0]{language} eq '' && $_[0]{lines}[0] =~ /^=> / }

sub rule_of
{
	my ($example) = @_;

	foreach (@RULES)
	{
		my ($sql, $scene, $judge, %rule) = @$_;

		next unless $example->{sql} =~ $sql;
		next if $rule{heading} && $example->{heading} !~ $rule{heading};
		next if $rule{but} && $example->{sql} =~ $rule{but};
		return ($scene, $judge, %rule);
	}
	return ('blocked', \&exact);
}

# For how many seconds an example may be wrong. What does not depend on the load is right as soon as a
# setting is in force, and in the last scene at once.
sub patience
{
	my ($judge, $scene) = @_;

	return $PostgreSQL::Test::Utils::timeout_default unless $judge == \&exact || $judge == \&close_to;
	return $scene eq 'blocked' ? 0 : 10;
}

# Asked in psql, in the manner in which README shows it; lines without trailing blanks.
sub ask
{
	my ($sql, $shown, @expected) = @_;
	my %options = (records => ['-x'], text => [ (grep { !/^ / } @expected) ? '-At' : '-t' ]);
	my ($out, $err);

	IPC::Run::run([ 'psql', '-X', @{ $options{$shown} // [] }, '-d', $node->connstr('postgres'), '-c', encode('UTF-8', $sql) ],
		'<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	my @lines = map { s/\s+$//r } split /\n/, decode('UTF-8', $shown eq 'errors' ? $err : $out . $err);
	pop @lines while @lines && $lines[-1] eq '';
	return @lines;
}

sub check_example
{
	my ($example) = @_;
	my ($scene, $judge, %rule) = rule_of($example);
	my @expected = @{ $example->{output} };
	my $shown = shown_as(@expected);
	my $name = "$example->{page}:$example->{line}, $example->{heading}: " . (split /\n/, $example->{sql})[0];
	my ($wrong, @got);

	set_to($rule{set}) if $rule{set};
	$judge = \&nothing if $shown eq 'nothing';
	is($example->{remark} =~ /\\x/ ? 'records' : 'no records', $shown eq 'records' ? 'records' : 'no records',
		"$example->{page}:$example->{line}: \\x is told where it is needed");
	for (my $deadline = time + patience($judge, $scene);; usleep(100_000))
	{
		@got = ask($example->{sql}, $shown, @expected);
		$wrong = $judge->(\@expected, \@got, %rule);
		last if $wrong eq '' || time >= $deadline;
	}
	is(encode('UTF-8', $wrong), '', encode('UTF-8', $name)) or diag(encode 'UTF-8', join "\n",
		'The server prints:', @got, '', 'README has:', @expected, '',
		'Put the real output there, or, if it cannot be the same everywhere, a rule into test/t/056_documentation.pl.');
	return;
}

# --- other blocks ---------------------------------------------------------------

# Statements in blocks of SQL: they run, in this order, in a database without the extension. Pages
# can create the same role.
sub check_sql_blocks
{
	foreach my $block (grep { $_->{language} eq 'sql' } @blocks)
	{
		foreach my $statement (statements_of(@{ $block->{lines} }))
		{
			$node->safe_psql('postgres', "DROP ROLE IF EXISTS $1") if $statement =~ /^CREATE ROLE (\w+)/;
			my ($code, $out, $err) = $node->psql('readme', $statement);

			is("$code $err", '0 ', "$block->{page}:$block->{line}, $block->{heading}: " . (split /\n/, $statement)[0]);
		}
	}
	my ($code, $out) = $node->psql('readme', 'SELECT count(*) FROM pool_advisor.status',
		extra_params => [ '-U', 'monitoring' ]);
	is($out, '1', 'the role of monitoring may read');
	return;
}

# What is to be typed in a shell. What builds and installs is left to who does so.
sub check_shell_blocks
{
	my $run = "cd $folder && PGHOST='" . $node->host . "' PGPORT=" . $node->port . ' PGDATABASE=postgres';

	foreach my $block (grep { $_->{language} eq 'sh' } @blocks)
	{
		foreach (grep { !/^(?:sudo )?(?:make|apt-get)\b/ } @{ $block->{lines} })
		{
			my ($out, $err) = run_command([ 'sh', '-c', "$run $_" ]);

			is($err, '', encode 'UTF-8', "$block->{page}:$block->{line}, $block->{heading}: $_");
			ok($out ne '' || (/> (\S+)$/ && -s "$folder/$1"), '  it writes something');
		}
	}
	return;
}

# Parts of configurations, with "..." for what is left out: as they are printed for a system
# of the table.
sub check_configurations
{
	my ($table) = grep { $_->{header}[1] eq 'what is printed' } map { readme_tables($_) } @pages;
	my %printed = map { $_ => join "\n", ask("SELECT pool_advisor.monitoring_config('$_')", 'text', '') }
	  map { $_->[0] =~ /(\w+)/ } @{ $table->{rows} };

	unlike($printed{$_}, qr/^$|^ERROR/, "$table->{page}:$table->{line}: $_ is printed") foreach sort keys %printed;
	foreach my $block (@blocks)
	{
		my @lines = @{ $block->{lines} };

		next unless $block->{language} =~ /^(?:yaml|toml)$/ || ($lines[0] =~ /^UserParameter|^define/);
		my $pattern = join '', map { /^ *\.\.\.$/ ? '(?:.*\n)*?' : quotemeta($_) . '\n' } @lines;
		my @systems = grep { "$printed{$_}\n" =~ /^$pattern/m } sort keys %printed;
		cmp_ok(scalar @systems, '>=', 1, "$block->{page}:$block->{line}, $block->{heading}: as it is printed");
		$block->{held} = 1;
	}
	return;
}

# Programs: other tests run them, and scripts that need more than a server must be such.
my %run_by = (js => 't/070_my_share.pl', java => 't/065_java_pools.pl');

sub check_programs
{
	foreach my $block (grep { $_->{language} =~ /^(?:js|java|bash)$/ } @blocks)
	{
		my $name = "$block->{page}:$block->{line}, $block->{heading}";

		$block->{held} = 1;
		if ($block->{language} eq 'bash')
		{
			my ($out, $err) = run_command([ 'bash', '-n', '-c', join "\n", @{ $block->{lines} } ]);

			is($err, '', "$name: a script");
			next;
		}
		my $test = $run_by{ $block->{language} };
		like(slurp_file("$FindBin::RealBin/../$test"), qr/documented\('$block->{language}'/, "$name: $test has it");
	}
	return;
}

# The page of report() in the shell, and what the query for check_pgactivity gives.
sub check_other_blocks
{
	my ($define) = grep { $_->{lines}[0] =~ /^define/ } @blocks;
	my @columns = split /, /, ("@{ $define->{lines} }" =~ /AS compared, (.*?) FROM/)[0];

	foreach my $block (grep { $_->{language} !~ /^(?:sql|sh)$/ && !is_of_examples($_) && !$_->{held} } @blocks)
	{
		my ($first, @rest) = @{ $block->{lines} };
		my $name = "$block->{page}:$block->{line}, $block->{heading}";

		if ($first =~ /^\$ (sed .*)/)
		{
			my ($out) = run_command([ 'sh', '-c', "cd $folder && $1" ]);

			is(masked($out), masked(join "\n", @rest), "$name: the page begins so");
		}
		elsif ($first =~ /^POSTGRES_CUSTOM_QUERY OK: .* \| (.*)/)
		{
			is(join(', ', map { s/=.*//r } split / /, $1), join(', ', @columns), "$name: figures of the query");
		}
		else
		{
			is($first, q{shared_preload_libraries = 'pool_advisor'}, "$name: what the server was started with; nobody judges another one");
		}
	}
	return;
}

# --- settings -------------------------------------------------------------------

my %MS = (ms => 1, s => 1000, min => 60_000, days => 86_400_000);

sub takes
{
	my ($setting, $value) = @_;
	my ($code) = $node->psql('postgres', "ALTER SYSTEM SET $setting = '" . ($value =~ s/ days/ d/r) . "'");

	$node->safe_psql('postgres', "ALTER SYSTEM RESET $setting");
	return $code == 0 ? 'taken' : 'refused';
}

# What README's words for a range say of values: { value => taken or refused }.
sub values_of
{
	my ($range, $type, $default) = @_;
	return ('4711 = 8, -12 = 1' => 'taken', '4711 = 0' => 'refused', 4711 => 'refused') if $range =~ /`QUERY_ID = LIMIT`/;
	my ($low, $high) = $range =~ /^(?:.*, )?(?:(-?[\d.]+(?: ms)?) )?(?:up )?to ([\d.]+(?: \w+)?)/;
	my $step = $type eq 'real' ? 0.0001 : 1;
	my %say = map { $_ => 'taken' } $range =~ /`(\w+)`/g, $range =~ /or (-\d+)/g, $low // (), $high // ();

	%say = (%say, neither => 'refused') if %say && $type =~ /^(?:enum|string)$/;
	%say = (%say, 0 => 'refused', 0.001 => 'taken') if $range eq 'over 0';
	%say = (%say, '/somewhere' => 'taken', somewhere => 'refused') if $range eq 'an absolute path';
	%say = (%say, postgres => 'taken') if $range eq 'a database';
	%say = ('03:30' => 'taken', '24:00' => 'refused') if $range =~ /^a time of day/;
	$say{ in_base($low) - $step } = 'refused' if defined $low && $type ne 'string' && in_base($low) - $step ne $default;
	$say{ beyond($high, $step) } = 'refused' if defined $high;
	return %say;
}

# A number in the unit that a setting has without one, which is milliseconds or is told here.
my $unit = 1;

sub in_base
{
	my ($words) = @_;

	return $words =~ /^(-?[\d.]+)(?: (\w+))?$/ ? $1 * ($2 ? $MS{$2} / $unit : 1) : $words eq 'empty' ? '' : $words;
}

sub beyond
{
	my ($high, $step) = @_;

	return $high =~ /^(\d+) days$/ ? $1 + 1 . ' days' : in_base($high) + $step;
}

sub check_settings
{
	foreach my $table (grep { $_->{header}[0] eq 'setting' } map { readme_tables($_) } @pages)
	{
		foreach (@{ $table->{rows} })
		{
			my ($setting, $default, $range) = map { s/`//gr } @$_[ 0 .. 1 ], $_->[2] =~ s/`//gr;
			my ($boot, $type, $base) = split /\|/, $node->safe_psql('postgres',
				"SELECT boot_val, vartype, unit FROM pg_settings WHERE name = '$setting'"), -1;
			$unit = $base eq '' ? 1 : $MS{$base};
			my %say = values_of($_->[2], $type, in_base($default));

			is(in_base($boot), $default =~ /\d/ ? in_base($default) + 0 : in_base($default), "$setting: default $default");
			cmp_ok(scalar(keys %say), '>', 0, "$setting: it is known what \"$range\" means");
			is(takes($setting, $_), $say{$_}, "$setting, $range: $_ is $say{$_}") foreach sort keys %say;
		}
	}
	return;
}

# The headings of functions have their arguments.
sub check_headings
{
	foreach (map { slurp_file($_) =~ /^##+ (\w+\(.*?\))/mg } @pages)
	{
		my ($function, $arguments) = /(\w+)\((.*)\)/;

		is($node->safe_psql('postgres', qq{
			SELECT string_agg(name, ', ' ORDER BY n)
			FROM pg_proc, unnest(proargnames, proargmodes) WITH ORDINALITY AS a (name, mode, n)
			WHERE oid = 'pool_advisor.$function'::regproc AND coalesce(mode, 'i') = 'i'}),
			$arguments, "arguments of $function()");
	}
	return;
}

my $judged = 0;

start_server();
foreach (@SCENES)
{
	my ($scene, $set) = @$_;

	$set->();
	$judged += map { check_example($_); 1 } grep { (rule_of($_))[0] eq $scene } @examples;
}
is($judged, scalar(() = join('', map { slurp_file($_) } @pages) =~ /^=> /mg), 'every example was judged');
check_shell_blocks();
check_configurations();
check_programs();
check_other_blocks();
check_settings();
check_headings();
check_sql_blocks();
$node->stop;
done_testing();
