# Monitoring systems, the real ones where Debian has them: what they are told is
# what the views say. test/private_server.sh unpacks the programs; those that it could
# not get are skipped.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $programs = $ENV{PADV_MONITORING} // '/nowhere';
my $python = '/usr/bin/python3';
my $folder = PostgreSQL::Test::Utils::tempdir;
my @started;

# The path of a program that runs here, or undef.
sub program
{
	my ($path, @probe) = @_;

	for my $candidate ("$programs$path", $path)
	{
		my ($out, $err);
		return $candidate
		  if -x $candidate && IPC::Run::run([ $candidate, @probe ], '>', \$out, '2>', \$err);
	}
	return;
}

# Run a command; its status, output and errors.
sub run
{
	my (@command) = @_;
	my ($out, $err);

	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return ($? >> 8, $out, $err);
}

sub start
{
	my ($log, @command) = @_;
	my $in = '';

	push @started, IPC::Run::start(\@command, '<', \$in, '>', "$folder/$log", '2>', "$folder/$log.err");
	return;
}

END
{
	my $status = $?;
	$_->kill_kill(grace => 2) for @started;
	$? = $status;
}

sub save
{
	my ($name, $text) = @_;

	open my $file, '>:raw', "$folder/$name" or die "$name: $!";
	print $file $text;
	close $file or die "$name: $!";
	return "$folder/$name";
}

my $node = limits_node('monitoring', "max_connections = 60\nlogging_collector = off\n");
$node->safe_psql('postgres', q{
	CREATE ROLE monitoring LOGIN IN ROLE pg_monitor;
	ALTER ROLE monitoring SET pool_advisor.max_sessions = -1});

sub ask
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql, extra_params => [ '-U', 'monitoring' ]);
}

# The status of psql; it is given nothing to read, as one that is refused may be
# gone before it can be written to.
sub log_in
{
	my ($role) = @_;

	return (run('psql', '-X', '-d', $node->connstr('postgres') . " user=$role", '-c', 'SELECT 1'))[0];
}

# The text of a configuration, made to find this server.
sub config
{
	my ($system) = @_;
	my $text = ask("SELECT pool_advisor.monitoring_config('$system')") . "\n";
	my ($host, $port) = ($node->host, $node->port);

	$text =~ s{/var/run/postgresql dbname}{$host port=$port dbname}g;
	$text =~ s{host=/var/run/postgresql&}{host=$host&port=$port&}g;
	$text =~ s{-h \$HOSTADDRESS\$}{-h $host -p $port}g;
	$text =~ s{/usr/lib/nagios}{$programs/usr/lib/nagios}g if -d "$programs/usr/lib/nagios";
	return $text;
}

#
# Something to show: a limit that is full, with a refusal and a login in the queue, and
# one with names that break what is not quoted.
#
# from 19 on a name cannot have the end of a line in it
my $HOSTILE = 'we"ird\\ na' . ($node->pg_version->major < 19 ? "\n" : "'") . 'me}';
my $ESCAPED = ($HOSTILE =~ s/([\\"])/\\$1/gr) =~ s/\n/\\n/gr;
$node->safe_psql('postgres', 'CREATE ROLE ' . quoted($HOSTILE) . ' LOGIN; CREATE DATABASE ' . quoted($HOSTILE));
set_limits($node, 'ALTER ROLE app SET pool_advisor.max_sessions = 2');
set_limits($node, 'ALTER ROLE ' . quoted($HOSTILE) . ' IN DATABASE ' . quoted($HOSTILE) . ' SET pool_advisor.max_sessions = 9',
	q{EXISTS (SELECT FROM pool_advisor.limits WHERE scope = 'role in database')});
# a name that is no text in a database with UTF8
$node->safe_psql('postgres', q{CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('bytes', q{DO $$BEGIN
	EXECUTE format('CREATE ROLE %I', E'caf\\xe9');
	EXECUTE format('ALTER ROLE %I SET pool_advisor.max_sessions = 8', E'caf\\xe9'); END$$});
wait_for_limits($node, 'max_sessions = 8');
my @inside = map { client($node, 'app', '') } 1 .. 2;
wait_for($node, q{(SELECT in_use = 2 FROM pool_advisor.limits WHERE rolname = 'app')});
is(log_in('app'), 2, 'a login is refused');

sub quoted
{
	my ($name) = @_;

	$name =~ s/"/""/g;
	return "\"$name\"";
}

#
# The view, and the text, which is read here by what the standard says.
#
# Returns the series of a text as a hash from name{labels} to value, and what is
# wrong with it.
sub read_openmetrics
{
	my ($text) = @_;
	my (%series, %seen, %type, $family, @wrong);
	my @lines = split /\n/, $text, -1;

	push @wrong, 'no EOF' unless pop @lines eq '# EOF';
	for (@lines)
	{
		if (/^# TYPE (\S+) (gauge|counter|info|histogram)$/)
		{
			push @wrong, "$1 comes twice" if $seen{$1}++;
			($family, $type{$1}) = ($1, $2);
		}
		elsif (/^# UNIT (\S+) (\S+)$/)
		{
			push @wrong, "unit of $1" unless $1 eq $family && $1 =~ /_$2$/;
		}
		elsif (/^# HELP (\S+) [^\\"]+$/)
		{
			push @wrong, "help of $1" unless $1 eq $family;
		}
		elsif (/^(\w+?)(?:\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)$/)
		{
			my ($name, $labels, $value) = ($1, $2 // '', $3);
			my %suffix = (gauge => '', counter => '_total', info => '_info');
			push @wrong, "$name in the family $family"
			  unless $type{$family} eq 'histogram' ? $name =~ /^${family}_(?:bucket|sum|count)$/ : $name eq $family . $suffix{ $type{$family} };
			push @wrong, "$name: $value" unless $value =~ /^-?\d+(\.\d+)?(e[-+]\d+)?$/;
			push @wrong, "$name\{$labels} twice" if exists $series{"$name\{$labels}"};
			$series{"$name\{$labels}"} = $value unless $type{$family} eq 'histogram';
		}
		else
		{
			push @wrong, "line: $_";
		}
	}
	return (\%series, @wrong);
}

# The same from the view.
my $VIEW = q{SELECT json_object_agg(name || '{' || concat_ws(',',
	CASE WHEN rolname <> '' THEN 'rolname="' || e(rolname) || '"' END,
	CASE WHEN datname <> '' THEN 'datname="' || e(datname) || '"' END,
	CASE WHEN wait_class <> '' THEN 'wait_class="' || wait_class || '"' END,
	CASE WHEN incident <> '' THEN 'incident="' || incident || '"' END,
	CASE WHEN kind = 'info' THEN 'version="' || extversion || '"' END) || '}', value)
	FROM pool_advisor.metrics, pg_extension WHERE extname = 'pool_advisor'};
$node->safe_psql('postgres', q{CREATE FUNCTION e(text) RETURNS text LANGUAGE sql
	AS $$SELECT replace(replace(replace($1, E'\\\\', E'\\\\\\\\'), '"', E'\\\\"'), E'\n', E'\\\\n')$$});

# Those that move by themselves are compared by their names only.
my $MOVES = qr/age_seconds|samples_total|sample_cost|_avg|_ratio|active|idle|(?<!max_)sessions\{|role_queued|advice|latency_/;

# A sample between the two may bring a role; so they are read again if they differ.
sub agree
{
	my ($name) = @_;
	my ($text, $view, $series, @wrong);

	for (1 .. 5)
	{
		($text, $view) = split /\x{1}/, ask("SELECT pool_advisor.openmetrics() || E'\\x01' || ($VIEW)");
		$view = JSON::PP->new->utf8->decode($view);
		($series, @wrong) = read_openmetrics($text);
		last if join("\n", sort keys %$series) eq join("\n", sort keys %$view);
	}
	is_deeply(\@wrong, [], "$name: the text is OpenMetrics");
	is_deeply([ sort keys %$series ], [ sort keys %$view ], "$name: the view has the same series");
	is_deeply(
		[ map { "$_ $series->{$_}" } grep { !/$MOVES/ } sort keys %$series ],
		[ map { "$_ $view->{$_}" } grep { !/$MOVES/ } sort keys %$view ],
		"$name: and the same values");
	return ($text, $series);
}

ok( poll($node, q{SELECT sessions = 2 FROM pool_advisor.roles WHERE rolname = 'app'}),
	'the sessions are sampled');
my ($text, $series) = agree('a limit');
is($series->{'pool_advisor_limit_in_use{rolname="app"}'}, 2, 'sessions under a limit');
is($series->{'pool_advisor_role_max_sessions{rolname="app"}'}, 2, 'the limit of a role');
is($series->{qq[pool_advisor_limit_max_sessions{rolname="$ESCAPED",datname="$ESCAPED"}]},
	9, 'names that break what is not quoted');
is($series->{'pool_advisor_limit_max_sessions{rolname="caf?"}'}, 8, 'a name of another encoding');
is($series->{'pool_advisor_admission_refused_total{rolname="app"}'}, 1, 'the refusal, of the role');
is($series->{'pool_advisor_logins_refused_total{}'}, 1, 'and of all');
is($series->{'pool_advisor_limits_full{}'}, 1, 'a limit is full');
cmp_ok($series->{'pool_advisor_samples_total{}'}, '>', 0, 'samples are counted');
is($series->{'pool_advisor_worker_running{}'}, 1, 'the worker runs');

#
# promtool: the format by the parser of Prometheus, the names by its rules
#
my $promtool = program('/usr/bin/promtool', '--version');
SKIP:
{
	skip 'promtool is not there', 4 unless $promtool;
	my $stamped = $text;
	$stamped =~ s/^([^#].*)$/$1 1700000000/mg;
	my ($status, $out, $err) = run($promtool, 'tsdb', 'create-blocks-from', 'openmetrics',
		save('stamped.om', "$stamped\n"), "$folder/blocks");
	is($status, 0, 'promtool reads the text as OpenMetrics') or diag $err;

	# check metrics reads the older format, where a counter is called as its samples
	my $old = $text;
	my %old_name = (pool_advisor => 'pool_advisor_info', map { ($_ => "${_}_total") } $text =~ /^# TYPE (\S+) counter$/mg);
	$old =~ s/^(# (?:TYPE|HELP) )(\S+)/$1 . ($old_name{$2} \/\/ $2)/mge;
	$old =~ s/ info$/ gauge/m;
	($status, $out, $err) = run('sh', '-c', "$promtool check metrics <" . save('old.prom', "$old\n"));
	is("$status$out$err", '0', 'and finds nothing wrong with the names');

	save('alerts.yml', config('prometheus_rules'));
	save('alerts_test.yml', slurp_file("$FindBin::RealBin/../monitoring/alerts_test.yml"));
	($status, $out, $err) = run($promtool, 'check', 'rules', "$folder/alerts.yml");
	is($status, 0, 'the alert rules are valid') or diag $err;
	($status, $out, $err) = run($promtool, 'test', 'rules', "$folder/alerts_test.yml");
	is($status, 0, 'and fire when they must') or diag $out . $err;
}

# A second reader, that takes the standard by its words.
$ENV{PYTHONPATH} = "$programs/usr/lib/python3/dist-packages";
my $can_python = (run($python, '-c', 'import tomllib, yaml, prometheus_client'))[0] == 0;
SKIP:
{
	skip 'no python3 with tomllib, yaml and prometheus_client', 1 unless $can_python;
	my ($status, $out, $err) = run($python, '-c', <<'PYTHON', save('strict.om', "$text\n"));
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(open(sys.argv[1]).read()))
print(len(families) > 50)
PYTHON
	is("$out$err", "True\n", 'the reader of prometheus_client takes it, too');
}

#
# Exporters and Prometheus itself, all with the printed configurations
#
# Answers each request by the printed script, as systemd would.
sub serve
{
	my ($port, $script) = @_;
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 10, ReuseAddr => 1)
	  or die "port $port: $!";

	push @started, IPC::Run::start(sub {
		while (my $client = $socket->accept)
		{
			my $pid = fork;
			if ($pid == 0)
			{
				open STDIN, '<&', $client or die $!;
				open STDOUT, '>&', $client or die $!;
				exec 'sh', $script or die $!;
			}
			close $client;
			waitpid $pid, 0;
		}
	});
	return;
}

# The value of each job for an expression, as Prometheus has it.
sub ask_prometheus
{
	my ($port, $expression) = @_;
	my $answer = HTTP::Tiny->new->post_form("http://127.0.0.1:$port/api/v1/query", { query => $expression });

	return {} unless $answer->{success};
	my $found = JSON::PP->new->utf8->decode($answer->{content})->{data}{result};
	return { map { ($_->{metric}{job} => $_->{value}[1]) } @$found };
}

# An exporter may take no queries one day; what it collects itself is left out, as
# it ends at the name of a role that is not in UTF-8 (0.19.1).
my @jobs = qw(openmetrics postgres_exporter sql_exporter);

sub help_of
{
	my ($exporter) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ $exporter, '--help' ], '>', \$out, '2>', \$err);
	return "$out$err";
}

sub comes_to_be
{
	my ($port, $expression, $expected, $name) = @_;
	my $got;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$got = ask_prometheus($port, $expression);
		last if join(',', map { "$_=$got->{$_}" } sort keys %$got) eq
		  join(',', map { "$_=$expected" } @jobs);
		select undef, undef, undef, 0.1;
	}
	is_deeply($got, { map { ($_ => $expected) } @jobs }, $name);
	return;
}

# Every query of the dashboard, as Grafana would send it. What the view knows, it finds.
sub check_dashboard
{
	my ($port) = @_;
	my $dashboard = JSON::PP->new->utf8->decode(ask(q{SELECT pool_advisor.monitoring_config('grafana')}));
	my %known = map { $_ => 1 } split /\n/, ask('SELECT DISTINCT name FROM pool_advisor.metrics');
	my @queries = map { map { $_->{expr} } @{ $_->{targets} } } @{ $dashboard->{panels} };
	my (@refused, @nothing, @answers);

	foreach my $query (@queries)
	{
		my $expression = $query =~ s/\$instance/.+/gr =~ s/\$__rate_interval/1m/gr;
		my $answer = HTTP::Tiny->new->post_form("http://127.0.0.1:$port/api/v1/query", { query => $expression });

		push @refused, $expression unless $answer->{success};
		next unless $query =~ /^(pool_advisor_\w+)(?:\{[^}]*\})?$/ && $known{$1};
		push @answers, $expression;
		push @nothing, $expression unless %{ ask_prometheus($port, $expression) };
	}
	cmp_ok(scalar @queries, '>', 40, 'the dashboard has queries');
	is_deeply(\@refused, [], 'Prometheus takes each of them');
	cmp_ok(scalar @answers, '>', 25, 'many of them ask for a series that the view has');
	is_deeply(\@nothing, [], 'and find it');
	return;
}

my $prometheus = program('/usr/bin/prometheus', '--version');
my $postgres_exporter = program('/usr/bin/prometheus-postgres-exporter', '--version');
my $sql_exporter = program('/usr/bin/prometheus-sql-exporter', '-version');
SKIP:
{
	skip 'prometheus or one of its exporters is not there', 13
	  unless $prometheus && $postgres_exporter && $sql_exporter;
	my %port = map { ($_ => PostgreSQL::Test::Cluster::get_free_port()) } @jobs, 'prometheus';

	serve($port{openmetrics}, save('serve.sh', config('prometheus')));
  SKIP:
	{
		my $help = help_of($postgres_exporter);
		my @collectors = $help =~ /--(?:\[no-\])?collector\.(\w+)(?=\s)/g;

		if ($help !~ /--extend\.query-path/)
		{
			@jobs = grep { $_ ne 'postgres_exporter' } @jobs;
			skip 'this postgres_exporter takes no queries', 1;
		}
		local $ENV{DATA_SOURCE_NAME} = 'host=' . $node->host . ' port=' . $node->port . ' user=monitoring dbname=postgres sslmode=disable';
		start('postgres_exporter', $postgres_exporter, '--disable-default-metrics', '--disable-settings-metrics',
			(map { "--no-collector.$_" } @collectors),
			'--extend.query-path=' . save('postgres_exporter.yml', config('postgres_exporter')),
			"--web.listen-address=127.0.0.1:$port{postgres_exporter}");
		pass('postgres_exporter takes queries');
	}
	my $config = config('sql_exporter');
	$config =~ s/interval: 15s/interval: 1s/;
	start('sql_exporter', $sql_exporter, '-config.file', save('sql_exporter.yml', $config),
		'-web.listen-address', "127.0.0.1:$port{sql_exporter}");

	# what its comment says belongs into the scrape configuration
	my ($relabel) = $config =~ /^#   (metric_relabel_configs:\n(?:#   .*\n)+)/m;
	$relabel =~ s/^#   /    /mg;
	my $jobs = join '', map { "  - job_name: $_\n    static_configs:\n    - targets: ['127.0.0.1:$port{$_}']\n" } @jobs;
	save('prometheus.yml', "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [alerts.yml]\nscrape_configs:\n$jobs    $relabel");
	start('prometheus', $prometheus, "--config.file=$folder/prometheus.yml", "--storage.tsdb.path=$folder/data",
		"--web.listen-address=127.0.0.1:$port{prometheus}");

	my $P = $port{prometheus};
	comes_to_be($P, 'pool_advisor_limit_in_use{rolname="app"}', 2, 'Prometheus has a limit from all three');
	comes_to_be($P, 'pool_advisor_logins_refused_total', 1, 'a counter');
	comes_to_be($P, 'pool_advisor_admission_refused_total{rolname="app"}', 1, 'a counter of a role');
	comes_to_be($P, 'count by (job) (pool_advisor_wait_class_sessions)', 5, 'the wait classes');
	comes_to_be($P, 'pool_advisor_usable_connections', ask('SELECT usable_connections FROM pool_advisor.status'), 'a gauge');
	comes_to_be($P, qq[pool_advisor_limit_max_sessions{rolname="$ESCAPED",datname="$ESCAPED"}], 9, 'names as they are');

	check_dashboard($P);

	# another refusal: the counters move
	is(log_in('app'), 2, 'another login is refused');
	comes_to_be($P, 'pool_advisor_logins_refused_total', 2, 'and everybody hears of it');
}

#
# check_pgactivity and the plugin for Nagios
#
work($node, 1, scalar getpwuid($<));
wait_for($node, q{(SELECT load_ratio > 0.002 FROM pool_advisor.check_load())}, 'there is load');

sub commands
{
	my ($warning, $critical) = @_;
	my @lines = config('check_pgactivity') =~ /command_line +(.+)$/mg;

	s/-w \S+ -c \S+/-w $warning -c $critical/ for $lines[0];
	return @lines;
}

my $plugin = save('check_pool_advisor', config('nagios'));
for ([ 1000, 2000, 0, 'OK' ], [ 0.001, 2000, 1, 'WARNING' ], [ 0.001, 0.002, 2, 'CRITICAL' ])
{
	my ($warning, $critical, $expected, $word) = @$_;
	my ($status, $out) = run('sh', $plugin, $warning, $critical);
	is($status, $expected, "the plugin's status: $word");
	like($out, qr/^POOL_ADVISOR $word - \d+\.\d sessions want to work, optimum \d+ \([a-z ]+\) \| load_ratio=0\.\d+;[\d.]+;[\d.]+;0( \w+=[\d.]+s?;;;0(;\d+)?){6}$/,
		'and its line');
  SKIP:
	{
		skip 'check_pgactivity is not there', 2
		  unless program('/usr/lib/nagios/plugins/check_pgactivity', '--version');
		($status, $out) = run('sh', '-c', (commands($warning, $critical))[0]);
		is($status, $expected, "check_pgactivity: $word");
		like($out, qr/^POSTGRES_CUSTOM_QUERY $word: .* \| load_ratio=0\.\d+ demand_avg=[\d.]+ active_avg=[\d.]+ optimal=\d+ sessions=\d+ queued=0 usable_connections=\d+ sample_age_seconds=[\d.]+$/,
			'and its line');
	}
}
my ($status, $out) = run('sh', $plugin);
is($status, 0, 'without thresholds the plugin goes by the rule');
like($out, qr/^POOL_ADVISOR OK - .* \| load_ratio=[\d.]+;;;0 /, 'and prints none');
# as psql does after an upgrade of the operating system, for example
my $talking = save('psql', "#!/bin/sh\necho 'WARNING:  database has a collation version mismatch' >&2\nPATH=\${PATH#*:}\nexec psql \"\$@\"\n");
chmod 0755, $talking or die "$talking: $!";
{
	local $ENV{PATH} = "$folder:$ENV{PATH}";
	($status, $out) = run('sh', $plugin);
	is($status, 0, 'a warning of the server is not the answer of the plugin');
	like($out, qr/^POOL_ADVISOR OK - .*\n\z/, 'and is not printed');
	my $command = (config('zabbix') =~ /^UserParameter=pool_advisor\.server,(.*)/m)[0];
	($status, $out) = run('sh', '-c', "{ $command; } 2>&1");
	ok(eval { JSON::PP->new->utf8->decode($out)->{pool_advisor_worker_running} == 1 }, 'nor the one of Zabbix') or diag($out);
}
for my $threshold ("1'; SELECT 1; --", 'x', '-1')
{
	($status, $out) = run('sh', $plugin, $threshold);
	is("$status $out", "3 POOL_ADVISOR UNKNOWN - a threshold is a number\n", "$threshold is no threshold");
}
($status, $out) = run('sh', $plugin, 2, 1);
is($status, 3, 'the plugin does not know what to do with a bad threshold');
like($out, qr/^POOL_ADVISOR UNKNOWN - ERROR:  argument "critical" must not be less than "warning"/, 'and says why');
stop_work($node);

#
# Zabbix' agent
#
SKIP:
{
	my $agent = program('/usr/sbin/zabbix_agent2', '--version');
	skip 'zabbix_agent2 is not there', 2 unless $agent;
	my $conf = save('zabbix.conf', "LogType=console\nServer=127.0.0.1\nHostname=test\nTimeout=30\n" . config('zabbix'));

	my (undef, $server) = run($agent, '-c', $conf, '-t', 'pool_advisor.server');
	my ($json) = $server =~ /\[s\|(.*)\]\s*$/s;
	is(decode_json($json)->{pool_advisor_limit_in_use} // decode_json($json)->{pool_advisor_max_connections},
		60, 'the agent has the figures of the server');
	my (undef, $list) = run($agent, '-c', $conf, '-t', 'pool_advisor.series');
	($json) = $list =~ /\[s\|(.*)\]\s*$/s;
	my ($limit) = grep { $_->{name} eq 'pool_advisor_limit_max_sessions' && $_->{rolname} eq $HOSTILE } @{ decode_json($json) };
	is($limit->{value}, 9, 'and the series');
}

#
# Systems that Debian does not have: the file is valid, and its queries return
# what it says.
#
SKIP:
{
	skip 'no python3 with tomllib, yaml and prometheus_client', 14 unless $can_python;
	save("$_.conf", config($_)) for qw(datadog pgwatch telegraf sql_exporter_collector opentelemetry cloudnativepg);
	my ($status, $out, $err) = run($python, '-c', <<'PYTHON', $folder);
import json, sys, tomllib, yaml
folder = sys.argv[1]
read = lambda name: yaml.safe_load(open(f'{folder}/{name}.conf'))
queries = []
for q in read('datadog')['instances'][0]['custom_queries']:
    queries.append(['datadog', q['query'], [c['name'] for c in q['columns']],
                    [c['name'] for c in q['columns'] if c['type'] == 'tag']])
pgwatch = read('pgwatch')
assert list(pgwatch['presets']['pool_advisor']['metrics']) == list(pgwatch['metrics'])
for m in pgwatch['metrics'].values():
    queries.append(['pgwatch', m['sqls'][15], m.get('gauges', []), []])
telegraf = tomllib.load(open(f'{folder}/telegraf.conf', 'rb'))
for q in telegraf['inputs']['postgresql_extensible'][0]['query']:
    tags = [t for t in q['tagvalue'].split(',') if t]
    queries.append(['telegraf', q['sqlquery'], tags, tags])
for m in read('sql_exporter_collector')['metrics']:
    queries.append(['sql_exporter_collector', m['query'], m.get('key_labels', []) + m['values'], m.get('key_labels', [])])
for q in read('opentelemetry')['receivers']['sqlquery/pool_advisor']['queries']:
    tags = q['metrics'][0].get('attribute_columns', [])
    assert all(m['value_type'] == 'double' and m.get('attribute_columns', []) == tags for m in q['metrics'])
    queries.append(['opentelemetry', q['sql'], tags + [m['value_column'] for m in q['metrics']], tags])
for q in yaml.safe_load(read('cloudnativepg')['data']['custom-queries']).values():
    columns = {name: of['usage'] for m in q['metrics'] for name, of in m.items()}
    queries.append(['cloudnativepg', q['query'], list(columns), [c for c in columns if columns[c] == 'LABEL']])
print(json.dumps(queries))
PYTHON
	is($status, 0, 'the files are valid') or diag $err;
	my (%queries, %missing, %wrong_type);
	for (@{ decode_json($out) })
	{
		my ($system, $sql, $columns, $tags) = @$_;
		$queries{$system}++;
		# by name: what is there, and of which type
		$node->safe_psql('postgres', "DROP VIEW IF EXISTS probe; CREATE VIEW probe AS $sql");
		my %type = map { split /=/ } split /\n/,
		  $node->safe_psql('postgres', q{SELECT attname || '=' || format_type(atttypid, -1) FROM pg_attribute
			WHERE attrelid = 'probe'::regclass AND attnum > 0});
		push @{ $missing{$system} }, grep { !exists $type{$_} } @$columns;
		my %is_tag = map { ($_ => 1) } @$tags, grep { /^tag_/ } keys %type;
		push @{ $wrong_type{$system} }, grep { $system ne 'sql_exporter_collector' && $type{$_} ne ($is_tag{$_} ? 'text' : 'double precision') } keys %type;
	}
	for my $system (qw(datadog pgwatch telegraf sql_exporter_collector opentelemetry cloudnativepg))
	{
		cmp_ok($queries{$system}, '>=', 5, "$system has queries");
		is_deeply([ @{ $missing{$system} // [] }, @{ $wrong_type{$system} // [] } ], [],
			'that return the columns it names, labels as text and figures as numbers');
	}
	$node->safe_psql('postgres', 'DROP VIEW probe');
}

#
# More roles than have series: the first to be refused keep theirs, the others
# are one sum, and nothing ever goes down.
#
$node->safe_psql('postgres', q{
	DO $$BEGIN FOR n IN 1..60 LOOP EXECUTE format('CREATE ROLE many_%s LOGIN', n); END LOOP; END$$;
	ALTER ROLE ALL SET pool_advisor.max_sessions = 0});
wait_for_limits($node, q{scope = 'default' AND max_sessions = 0});

sub refused
{
	return { map { split /=/ } split /\n/, ask(q{
		SELECT rolname || '=' || value FROM pool_advisor.metrics WHERE name = 'pool_advisor_admission_refused_total'}) };
}

my $before = refused();
my $others = $before->{pg_other_roles};
for my $n (reverse 1 .. 60)
{
	log_in("many_$n");
}
my $after = refused();
my $shown = grep { /^many_/ } keys %$after;
is(scalar(keys %$after), 51, '50 roles and the others have series');
is($shown, 49, 'the first 49, as one was refused before');
is($after->{pg_other_roles}, $others + 11, 'the others are added up');
log_in($_) for qw(many_60 many_1 many_1);
my $later = refused();
is_deeply([ sort keys %$later ], [ sort keys %$after ], 'the same roles have series later');
is($later->{many_60}, 2, 'a shown role is counted by itself');
is($later->{pg_other_roles}, $others + 13, 'another one with the others');
is( ask(q{SELECT sum(value) FILTER (WHERE name = 'pool_advisor_admission_refused_total')
		= sum(value) FILTER (WHERE name = 'pool_advisor_logins_refused_total') FROM pool_advisor.metrics}),
	't', 'and all of them are the total');
agree('many roles');

# A dropped role does not make the others jump.
$node->safe_psql('postgres', 'DROP ROLE many_60');
is(refused()->{pg_other_roles}, $others + 13, 'what was counted for a dropped role is not of the others');
finish($_) for @inside;

#
# Without a worker: what does not need a sample is there, counters start anew.
#
$node->safe_psql('postgres', 'ALTER ROLE ALL RESET pool_advisor.max_sessions');
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
($text, $series) = agree('no worker');
is($series->{'pool_advisor_worker_running{}'}, 0, 'the worker is known not to run');
is($series->{'pool_advisor_logins_refused_total{}'}, 0, 'counters are 0 after a restart');
ok(!exists $series->{'pool_advisor_sessions{}'}, 'what is not known is left out');
is(ask('SELECT count(*) FROM pool_advisor.metrics WHERE value IS NULL'), '0', 'and never NULL');
($status, $out) = run('sh', $plugin);
is("$status $out", "3 POOL_ADVISOR UNKNOWN - no sample has been taken since the server started\n", 'the plugin does not know');
SKIP:
{
	skip 'check_pgactivity is not there', 3
	  unless program('/usr/lib/nagios/plugins/check_pgactivity', '--version');
	my @lines = commands(1, 2);
	is((run('sh', '-c', $lines[0]))[0], 3, 'nor does check_pgactivity');
	is((run('sh', '-c', $lines[1]))[0], 3, 'of the status neither');
	is((run('sh', '-c', $lines[2]))[0], 2, 'and the other check is critical');
}
$node->stop('immediate');
done_testing();
