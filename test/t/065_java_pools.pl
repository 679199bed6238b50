# Java's pools in front: HikariCP, DBCP 2, Tomcat's JDBC pool and c3p0 with PostgreSQL's JDBC driver, in
# one real program. Each is found, is of the right kind, keeps what client_config() promises, and recovers
# from all that limits do to its connections. A ThreadPoolExecutor does what thread_pool_forecast() says,
# also with the workers and the data source of client_config('wso2').
# test/private_server.sh unpacks them, and Java where none is installed; what it could not get is skipped.
#
# All run side by side, because it takes more than a minute until a pool is known to be elastic.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $packages = $ENV{PADV_JAVA} // '/nowhere';
my $program = "$FindBin::RealBin/../pools/java_pools_app.java";
my $patience = $PostgreSQL::Test::Utils::timeout_default;
my $folder = PostgreSQL::Test::Utils::tempdir;

#
# What is there
#
my ($java) = grep { -x $_ } '/usr/bin/java', glob("$packages/usr/lib/jvm/*/bin/java");
my @names = qw(HikariCP slf4j-api slf4j-nop commons-dbcp2 commons-pool2 commons-logging tomcat*-jdbc tomcat*-juli c3p0 postgresql);
my %jar = map { $_ => (sort glob("$packages/usr/share/java/$_.jar"))[0] } @names;
my @missing = grep { !defined $jar{$_} || !-e $jar{$_} } @names;
my ($modules, $errors);

unshift @missing, 'Java with a compiler'
  unless $java && IPC::Run::run([ $java, '--list-modules' ], '>', \$modules, '2>', \$errors) && $modules =~ /jdk\.compiler/;
plan skip_all => "Java's pools: what cannot be had is " . join(', ', @missing) if @missing;

#
# What the documentation shows for HikariCP is a program
#
{
	my $source = "$folder/Documented.java";
	my $output;

	append_to_file($source, "import com.zaxxer.hikari.*;\nimport java.sql.*;\nclass Documented {\n" . documented('java') . "}\n");
	my $compiles = IPC::Run::run([ $java, '--module', 'jdk.compiler/com.sun.tools.javac.Main', '-d', $folder, '-cp', $jar{HikariCP}, $source ],
		'>&', \$output);
	ok($compiles, 'what the documentation shows for HikariCP compiles') or diag($output);
}

#
# A server that JDBC can reach, as its driver knows no Unix sockets, but no superuser can
#
my @systems = qw(hikaricp dbcp2 tomcat c3p0);
my @transfers = map { "transfer $_" } @systems;
my %title = (hikaricp => 'HikariCP', dbcp2 => 'DBCP2', tomcat => 'Tomcat', c3p0 => 'c3p0');
my $node = limits_node('java_pools', <<'CONF');
listen_addresses = '127.0.0.1'
max_connections = 400
pool_advisor.optimal = 5
pool_advisor.queue_notice_after = '100ms'
CONF

{
	my $rules = slurp_file($node->data_dir . '/pg_hba.conf') =~ s/^host\s.*\n//gmr;

	unlink $node->data_dir . '/pg_hba.conf';
	append_to_file($node->data_dir . '/pg_hba.conf', "${rules}host postgres app," . join(',', @systems) . " 127.0.0.1/32 trust\n");
}
$node->reload;
$node->safe_psql('postgres', <<'SQL' . join(' ', map { "CREATE ROLE $_ LOGIN IN ROLE jdbc;" } @systems, 'worker'));
CREATE ROLE jdbc;
CREATE TABLE account (pool text, number int, balance int NOT NULL, PRIMARY KEY (pool, number));
CREATE TABLE journal (pool text);
GRANT ALL ON account, journal TO jdbc;
INSERT INTO account SELECT pool, number, 0 FROM unnest(ARRAY['transfer hikaricp', 'transfer dbcp2', 'transfer tomcat', 'transfer c3p0']) AS pool, generate_series(0, 5) AS number;
SQL
wait_for($node, 'samples_total > 20 FROM pool_advisor.status');

#
# Configuration files. Each has what client_config() prints, or what the pool is to be made ill with.
#
my %where = (
	hikaricp => { url => 'jdbcUrl', user => 'username' },
	dbcp2 => { url => 'url', user => 'username', driverClassName => 'org.postgresql.Driver' },
	tomcat => { url => 'url', user => 'username', driverClassName => 'org.postgresql.Driver' },
	c3p0 => { url => 'jdbcUrl', user => 'user', driverClass => 'org.postgresql.Driver' },
	none => { url => 'url', user => 'username' });
my $c3p0 = '';

# The settings of client_config(), with some changed.
sub printed
{
	my ($system, $arguments, %changed) = @_;
	my %setting = split /[=\n]/, admin($node)->value(
		"SELECT string_agg(setting || '=' || value, E'\\n') FROM pool_advisor.client_config('$system'$arguments) WHERE value <> ''") =~ s/\\n/\n/gr;

	return (%setting, %changed);
}

# The configuration of a pool, which is to log in as a role under its own name.
sub configure
{
	my ($name, $system, $role, %setting) = @_;
	my %where = %{ $where{$system} };
	my $url = 'jdbc:postgresql://127.0.0.1:' . $node->port . '/postgres?connectTimeout=10&socketTimeout=60&tcpKeepAlive=true'
	  . '&ApplicationName=' . $name =~ s/ /%20/gr;

	$setting{ delete $where{url} } = $url;
	$setting{ delete $where{user} } = $role;
	%setting = (%setting, %where);
	if ($system eq 'c3p0')
	{
		my $properties = join '', map { qq(<property name="$_">) . $setting{$_} =~ s/&/&amp;/gr . '</property>' } sort keys %setting;
		$c3p0 .= qq(<named-config name="$name">$properties</named-config>\n);
		return;
	}
	append_to_file("$folder/$name.properties", join('', map { "$_=$setting{$_}\n" } sort keys %setting));
	return;
}

my %wait = (hikaricp => 'connectionTimeout', dbcp2 => 'maxWaitMillis', tomcat => 'maxWait', c3p0 => 'checkoutTimeout');
my %size = (hikaricp => 'maximumPoolSize', dbcp2 => 'maxTotal', tomcat => 'maxActive', c3p0 => 'maxPoolSize');
my %elastic = (
	hikaricp => { maximumPoolSize => 8, minimumIdle => 2, idleTimeout => 10000 },
	dbcp2 => { maxTotal => 8, maxIdle => 2 },
	tomcat => { maxActive => 8, maxIdle => 8, minIdle => 2, initialSize => 2, minEvictableIdleTimeMillis => 3000,
		timeBetweenEvictionRunsMillis => 1000, factory => 'org.apache.tomcat.jdbc.pool.DataSourceFactory' },
	c3p0 => { maxPoolSize => 8, minPoolSize => 2, initialPoolSize => 2, maxIdleTimeExcessConnections => 5 });
my (%promised, @starts);

sub application
{
	my ($name, $system, $command, $settings, $role) = @_;

	configure($name, $system, $role // 'app', %$settings);
	push @starts, join("\t", ref $command ? ($command->[0], $name, $system, @$command[ 1 .. $#$command ]) : ('start', $name, $system, split(/ /, $command)));
	return;
}

foreach my $system (@systems)
{
	my %as_printed = printed($system, '');

	$promised{$system} = $as_printed{ $size{$system} };
	application($title{$system}, $system, 'work ' . 3 * $promised{$system} . ' 0.1', \%as_printed);
	application("$title{$system} elastic", $system, 'burst 12 0.1', $elastic{$system});
	application("$title{$system} limit", $system, "limit $promised{$system} 0", { printed($system, '', $wait{$system} => 1000) });
	application("transfer $system", $system, 'transfer 3 0', { printed($system, ', share => 0.6', $wait{$system} => 3000) }, $system);
}
application('DBCP2 leak', 'dbcp2', 'leak 1 0.01', { maxTotal => 100, maxIdle => 100 });
application('HikariCP lock-up', 'hikaricp', 'lock 4 0.01', { maximumPoolSize => 4, connectionTimeout => 600000 });
application('no pool', 'none', 'work 2 0.1', {});

# Requests at their own rate, with a load of 4, on pools of several sizes; and executors.
my %wso2 = printed('wso2', '');
my %executor = (bounded => [ 3, 8, 5 ], refusing => [ 2, 4, 5 ], unbounded => [ 3, 8, -1 ],
	WSO2 => [ @wso2{ map { "worker_pool_$_" } qw(size_core size_max queue_length) } ]);

application("open $_", 'hikaricp', [ 'open', 40, 0.1 ], { maximumPoolSize => $_ }) foreach 5 .. 8, 20;
application("executor $_", 'hikaricp', [ 'executor', @{ $executor{$_} }, 40, 0.1 ], { maximumPoolSize => 8 }) foreach qw(bounded refusing unbounded);
# a data source of WSO2: Tomcat's pool, which tests with a query and in the background, and keeps idle connections
application('executor WSO2', 'tomcat', [ 'executor', @{ $executor{WSO2} }, 40, 0.1 ],
	{ factory => 'org.apache.tomcat.jdbc.pool.DataSourceFactory', (map { $_ => $wso2{maxActive} } qw(maxActive maxIdle minIdle initialSize)),
		testOnBorrow => 'true', validationQuery => 'SELECT 1', validationInterval => 1000, testWhileIdle => 'true',
		timeBetweenEvictionRunsMillis => 1000, maxWait => 60000 });

# Spring Boot cannot be had: it gives HikariCP's properties other names.
sub settings_of
{
	return admin($node)->value("SELECT string_agg(setting || '=' || value, ' ') FROM pool_advisor.client_config('$_[0]') WHERE value <> ''");
}
is(settings_of('spring_boot') =~ s/spring\.datasource\.hikari\.//gr =~ s/-(.)/\u$1/gr, settings_of('hikaricp'), 'the names of Spring Boot are those of HikariCP');

#
# The program
#
my %app = (in => join("\n", @starts, ''), out => '', err => '');

append_to_file("$folder/c3p0-config.xml", "<c3p0-config>\n$c3p0</c3p0-config>\n");
$app{run} = IPC::Run::start(
	[ $java, '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dcom.zaxxer.hikari.housekeeping.periodMs=2000',
		"-Dcom.mchange.v2.c3p0.cfg.xml=$folder/c3p0-config.xml", '-cp', join(':', map { $jar{$_} } @names), $program, $folder ],
	'<', \$app{in}, '>', \$app{out}, '2>', \$app{err});
$app{run}->pump_nb;

END
{
	my $status = $?;
	$app{run}->kill_kill(grace => 1) if $app{run};
	$? = $status;
}

# Whether that comes true of the program, while it is listened to.
sub comes
{
	my ($condition) = @_;
	my $deadline = time + $patience;

	while (time < $deadline)
	{
		$app{run}->pump_nb;
		return 1 if $condition->();
		last if !$app{run}->pumpable;
		sleep 0.1;
	}
	return 0;
}

sub order
{
	my (@words) = @_;

	$app{in} .= join("\t", @words) . "\n";
	$app{run}->pump_nb while length $app{in};
	return;
}

# A line of the program with these two words, without them.
sub line_of
{
	my ($what, $name) = @_;
	my $line;

	comes(sub { ($line) = $app{out} =~ /^$what\t\Q$name\E\t(.*)\n/m; defined $line }) or die "no line $what of $name: $app{out}$app{err}";
	$app{out} =~ s/^$what\t\Q$name\E\t.*\n//m;
	return $line;
}

# What an application has counted, and its columns of the view.
sub report
{
	my ($name) = @_;

	order('report', $name);
	return { split /[ =]/, line_of('report', $name) };
}

sub pool
{
	my ($application, $column) = @_;

	return admin($node)->value("SELECT $column FROM pool_advisor.pools WHERE application_name = '$application'");
}

sub becomes
{
	my ($application, $condition, $name) = @_;

	ok(comes(sub { pool($application, $condition) eq 't' }), "$application: $name")
	  or diag(admin($node)->value('SELECT * FROM pool_advisor.pools'), "\n", $app{out}, $app{err});
	return;
}

#
# What limits do to the connections of transfers. Each pool has a role of its own.
#
sub limit_each
{
	my ($limits) = @_;

	admin($node)->value("SELECT pool_advisor.set_limit('$_', $limits)") foreach @systems;
	wait_for_limits($node, "rolname = 'c3p0'");
	return;
}

sub no_limits
{
	admin($node)->value("SELECT pool_advisor.clear_limit('$_')") foreach @systems;
	wait_for($node, q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'c3p0')});
	return;
}

sub end_sessions
{
	return admin($node)->value(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename IN ('} . join(q{', '}, @systems) . q{')});
}

# What a transfer has counted, other than what is no error.
sub errors_of
{
	my ($counts) = @_;

	return join(' ', map { "$_=$counts->{$_}" } grep { !/^(done|NOTICE)$/ } sort keys %$counts);
}

# That each pool counts so many more of one thing.
sub each_counts
{
	my ($more, $what, $name) = @_;
	my %before = map { $_ => report($_)->{$what} // 0 } @transfers;
	my %short = %before;

	comes(sub {
		delete @short{ grep { (report($_)->{$what} // 0) >= $before{$_} + $more } keys %short };
		!%short;
	});
	is(join(' ', sort keys %short), '', $name) or diag(map { "$_: " . errors_of(report($_)) . "\n" } @transfers);
	return;
}

# That transfers go on without an error, of any pool.
sub all_is_well
{
	my ($name) = @_;
	my %before;

	ok(comes(sub {
		%before = map { $_ => report($_) } @transfers;
		comes(sub { !grep { (report($_)->{done} // 0) < ($before{$_}{done} // 0) + 5 } @transfers })
		  && !grep { errors_of(report($_)) ne errors_of($before{$_}) } @transfers;
	}), $name) or diag(map { "$_: " . errors_of(report($_)) . "\n" } @transfers);
	return;
}

becomes("$title{$_} elastic", 'max_open = 8', 'opens eight in a burst') foreach @systems;
order('quiet');
order('pause', 100);
becomes($_, 'open = 3', 'transfers have three connections') foreach @transfers;
all_is_well('transfers run');

limit_each(q{max_sessions => 2, queue_length => 1, queue_timeout => '1 s'});
end_sessions();
wait_for($node, "(SELECT count(*) = 4 FROM pool_advisor.roles WHERE rolname IN ('hikaricp', 'dbcp2', 'tomcat', 'c3p0') AND queued_total > 0 AND refused_total + timed_out_total > 0)",
	'all sessions are ended: the third login of each pool waits in the queue, and is refused');
each_counts(20, 'done', 'with two connections each goes on');
is(admin($node)->value(q{SELECT count(*) FROM pool_advisor.limits WHERE in_use > max_sessions AND max_sessions >= 0}), '0', 'and has no more');
no_limits();
becomes($_, 'open = 3', 'the third comes back by itself') foreach @transfers;

all_is_well('after that no caller gets an error');
order('pause', 3000);
limit_each(q{min_sessions => 0, session_idle_timeout => '1 s'});
wait_for($node, "(SELECT min(closed_idle_total) > 3 FROM pool_advisor.roles WHERE rolname IN ('hikaricp', 'dbcp2', 'tomcat', 'c3p0'))",
	'idle connections are closed by the server');
each_counts(6, 'done', 'transfers go on');
no_limits();
order('pause', 100);
all_is_well('and no caller gets an error');

#
# The queue for transactions: one that computes has the only slot of all
#
admin($node)->value(q{SELECT pool_advisor.set_limit('jdbc', max_active => 1)});
wait_for_limits($node, q{rolname = 'jdbc'});
work($node, 1, 'worker');
admin($node)->value(q{SELECT pool_advisor.set_limit('jdbc', transaction_queue_length => 0)});
wait_for_limits($node, q{rolname = 'jdbc' AND transaction_queue_length = 0});
each_counts(3, '53300', 'a transaction is refused where none may wait: 53300');
admin($node)->value(q{SELECT pool_advisor.set_limit('jdbc', transaction_queue_length => -1, transaction_queue_timeout => '300 ms')});
wait_for_limits($node, q{rolname = 'jdbc' AND transaction_queue_length = -1});
each_counts(3, '53300', 'or waits too long: 53300');
each_counts(3, 'NOTICE', 'after a NOTICE, which is a warning of the statement');
order('timeout', 1);
admin($node)->value(q{SELECT pool_advisor.set_limit('jdbc', transaction_queue_timeout => '0')});
wait_for_limits($node, q{rolname = 'jdbc' AND transaction_queue_timeout = '0'});
each_counts(3, '57014', 'setQueryTimeout() cancels one that waits: 57014');
order('timeout', 0);
admin($node)->value("ALTER ROLE $_ SET statement_timeout = '500ms'") foreach @systems;
end_sessions();
each_counts(3, '57014', 'statement_timeout ends one that waits: 57014');
stop_work($node);
admin($node)->value("ALTER ROLE $_ RESET statement_timeout") foreach @systems;
admin($node)->value(q{SELECT pool_advisor.clear_limit('jdbc')});
end_sessions();
all_is_well('then all is well');

#
# No transaction is half done
#
order('stop', $_) foreach @transfers;
my %at_last = map { $_ => { split /[ =]/, line_of('stopped', $_) } } @transfers;
foreach my $transfer (@transfers)
{
	note("$transfer: ", errors_of($at_last{$transfer}));
	unlike(errors_of($at_last{$transfer}), qr/(?:^| )(?!53300=|57014=|57P01=|57P05=|08\w\w\w=|unknown=|SQLTransientConnectionException=)/, "$transfer: no caller gets another error");
}
foreach my $transfer (@transfers)
{
	my ($done, $unknown) = ($at_last{$transfer}{done}, $at_last{$transfer}{unknown} // 0);
	my $journal = admin($node)->value("SELECT count(*) FROM journal WHERE pool = '$transfer'");

	cmp_ok($journal, '>=', $done, "$transfer: what the driver called done is done");
	cmp_ok($journal, '<=', $done + $unknown, "$transfer: and nothing else");
	is(admin($node)->value("SELECT -sum(balance) FILTER (WHERE number % 2 = 0) || ' ' || sum(balance) FILTER (WHERE number % 2 = 1) FROM account WHERE pool = '$transfer'"),
		"$journal $journal", "$transfer: no transfer is half done");
}

#
# What the pools look like from inside
#
foreach my $system (@systems)
{
	my $title = $title{$system};
	my ($refusal, $waited, $then) = split /\t/, line_of('limit', "$title limit");
	my $next = admin($node)->value("SELECT reason FROM pool_advisor.client_config('$system') WHERE setting = 'next limit'");

	becomes($title, "open = $promised{$system}", "opens the $promised{$system} connections that client_config() promises");
	# half of the transactions are short where a pool tests each connection before it gives it out
	becomes($title, 'hold_p95_seconds BETWEEN 0.08 AND 2 AND suggested_size IS NOT NULL', 'is measured');
	is(pool($title, "max_open || ' ' || kind"), "$promised{$system} fixed", "$title: never more, and fixed");
	like($next, qr/wait for $wait{$system}, then get an? $refusal\b/, "$title: the next limit is a wait, then $refusal");
	cmp_ok($waited, '>=', 900, "$title: it waits that long");
	is($then, 'served', "$title: and is served when a connection is returned");
	is(pool("$title limit", 'max_open'), $promised{$system}, "$title: there are no more for that");
}
becomes('DBCP2 leak', q{kind = 'leaking'}, 'is named');
becomes('HikariCP lock-up', q{kind = 'locked up' AND open = 4}, 'is named');
becomes('no pool', q{kind = 'per request' AND suggested_size BETWEEN 1 AND 10}, 'is named');
# this test connects with psql for each query itself
is(admin($node)->value(q{SELECT string_agg(subject || ' ' || code, ', ' ORDER BY subject COLLATE "C") FROM pool_advisor.advice WHERE code ~ 'pool_(leak|lock|per)' AND subject <> 'psql'}),
	'DBCP2 leak pool_leaking, HikariCP lock-up pool_locked_up, no pool pool_per_request', 'the advice names these three, and no other');

#
# The suggested size, against the smallest that was measured to be enough
#
my %ratio = map { my ($size) = ($_); $size => line_of('open', "open $size") =~ /wait_ratio=(\S+)/ } 5 .. 8, 20;
my ($smallest) = ((grep { $ratio{$_} <= 0.1 } 5 .. 8), 9);
my $suggested = pool('open 20', 'suggested_size');
# requests that come late come together
my $busy = $ratio{20} > 0.02 ? 'the machine is so busy that callers of a pool of 20 wait' : '';
note(join(', ', map { "wait of size $_: $ratio{$_} of the service" } sort { $a <=> $b } keys %ratio), "; suggested: $suggested");
SKIP:
{
	skip $busy, 1 if $busy;
	cmp_ok(abs($suggested - $smallest), '<=', 1, "the suggested size $suggested is within 1 of the smallest with a mean wait of a tenth, $smallest");
}

#
# ThreadPoolExecutor
#
foreach my $name (sort keys %executor)
{
	my %seen = split /[ =]/, line_of('executor', "executor $name");
	my ($core, $max, $queue) = @{ $executor{$name} };
	my $tasks = $seen{accepted} + $seen{refused};
	my $forecast = sub { admin($node)->value("SELECT $_[0] FROM pool_advisor.thread_pool_forecast($tasks / 60.0, $seen{service}, $core, $max, $queue)") };

	note("$name: ", join(' ', map { "$_=$seen{$_}" } sort keys %seen), '; forecast: ',
		$forecast->(q{'threads=' || threads || ' max_reached=' || max_reached_ratio || ' wait=' || coalesce(wait_seconds, -1) || ' refused=' || refused_ratio}));
	SKIP:
	{
		skip $busy, 2 if $busy;
		cmp_ok(abs($seen{threads} - $forecast->('threads')), '<=', 0.5, "$name: as many threads as was forecast");
		cmp_ok(abs($seen{refused} / $tasks - $forecast->('refused_ratio')), '<=', 0.1, "$name: as many refused");
		# with max like core, all threads are there from the start
		cmp_ok(abs($seen{max_reached} - $forecast->('max_reached_ratio')), '<=', 0.15, "$name: max is reached as often") if $core != $max;
	}
}
is(pool('executor WSO2', "max_open || ' ' || kind"), "$wso2{maxActive} fixed", 'the data source of WSO2: as many connections as printed, never more, and fixed');

becomes("$title{$_} elastic", q{kind = 'elastic' AND max_open = 8}, 'is elastic by its own settings') foreach @systems;
is(admin($node)->value(q{SELECT count(*) FROM pool_advisor.pools WHERE role IN ('app', 'hikaricp', 'dbcp2', 'tomcat', 'c3p0')}),
	scalar @starts, 'each is one pool, and there is no other')
  or diag(admin($node)->value('SELECT * FROM pool_advisor.pools'));

$app{run}->kill_kill(grace => 1);
delete $app{run};
$node->stop;
done_testing();
