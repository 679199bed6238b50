# Several servers at one place: what fleet_config() prints is run on a hub, and shows three nodes as
# each of them shows itself. A node that is down, that never answers, or that answers too late, is a
# row. test/private_server.sh unpacks PL/Proxy and promtool; what it could not get is skipped.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use HAProxy;
use IO::Select;
use IO::Socket::INET;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @VIEWS = qw(status advice roles limits gate);
my $folder = PostgreSQL::Test::Utils::tempdir;

# Servers that have nothing to advise, but for a limit each.
sub node_named
{
	my ($name, $limit) = @_;
	my $node = limits_node($name, "max_connections = 40\npool_advisor.limit_scale = 1\n");

	$node->safe_psql('postgres', 'CREATE ROLE monitoring LOGIN IN ROLE pg_monitor');
	set_limits($node, "ALTER ROLE app SET pool_advisor.max_sessions = $limit");
	wait_for($node, 'samples_total > 2 FROM pool_advisor.status');
	return $node;
}

my %nodes = map { $_ => node_named("fleet_$_", 10 + $_) } 1 .. 3;
my $hub = $nodes{1};

sub conninfo
{
	my ($number) = @_;
	my $node = $nodes{$number};

	return 'host=' . $node->host . ' port=' . $node->port . ' dbname=postgres user=monitoring';
}

sub quoted { return "'" . ($_[0] =~ s/'/''/gr) . "'" }

# The text for an engine and nodes, written to a file.
my $files = 0;

sub printed
{
	my ($engine, @definitions) = @_;
	my $text = $hub->safe_psql('postgres',
		"SELECT pool_advisor.fleet_config('$engine', ARRAY[" . join(', ', map { quoted($_) } @definitions) . '])');
	my $path = "$folder/fleet" . ++$files . '.sql';

	open my $file, '>', $path or die "$path: $!";
	print $file "$text\n";
	close $file or die "$path: $!";
	return $path;
}

# Run the text on the hub; status and errors. The search_path has objects of the same names as those
# that an unqualified text would call.
sub run_on_hub
{
	my ($path) = @_;
	my ($out, $err);

	IPC::Run::run([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $hub->connstr('postgres'), '-f', $path ],
		'<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return ($? >> 8, $err);
}

sub set_up
{
	my ($name, $engine, @definitions) = @_;
	my ($status, $err) = run_on_hub(printed($engine, @definitions));

	is("$status $err", '0 ', "$name: it runs without a word");
	return;
}

sub ask
{
	my ($sql) = @_;

	return $hub->safe_psql('postgres', $sql, extra_params => [ '-U', 'monitoring' ]);
}

sub reachable { return ask(q{SELECT string_agg(node || ' ' || reachable, ', ' ORDER BY node) FROM pool_advisor_fleet.fleet_status}) }

# pg_cron has a library of its own, so the test has its table in an extension without a script.
sub add_pg_cron
{
	$hub->safe_psql('postgres', q{
		SET allow_system_table_mods = on;
		INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
		SELECT 4000000000, 'pg_cron', oid, 'pg_catalog'::regnamespace, false, '1.6' FROM pg_authid WHERE rolname = current_user;
		ALTER EXTENSION pg_cron ADD TABLE cron.job;
		ALTER EXTENSION pg_cron ADD FUNCTION cron.schedule(text, text, text);
		ALTER EXTENSION pg_cron ADD FUNCTION cron.unschedule(bigint)});
	return;
}

sub drop_pg_cron { $hub->safe_psql('postgres', 'DROP EXTENSION pg_cron; DROP SCHEMA cron CASCADE'); return }

# Ask nodes again at once that failed a moment ago.
sub forget_failures { $hub->safe_psql('postgres', q{UPDATE pool_advisor_fleet.nodes SET retry_at = '-infinity'}); return }

# What the views say of the nodes that are up is what these say themselves.
sub agree
{
	my ($name, @up) = @_;

	foreach my $number (@up)
	{
		my $node = $nodes{$number};

		is( ask("SELECT max_connections, usable_connections, optimal, worker_running, samples_total > 0 FROM pool_advisor_fleet.fleet_status WHERE node = 'node$number'"),
			$node->safe_psql('postgres', 'SELECT max_connections, usable_connections, optimal, worker_running, samples_total > 0 FROM pool_advisor.status'),
			"$name: status of node $number");
		is( ask("SELECT scope, rolname, max_sessions, queue_timeout FROM pool_advisor_fleet.fleet_limits WHERE node = 'node$number'"),
			$node->safe_psql('postgres', 'SELECT scope, rolname, max_sessions, queue_timeout FROM pool_advisor.limits'),
			"$name: limits of node $number");
		my $guest = wire($node, 'app');
		wait_for($hub, "EXISTS (SELECT FROM pool_advisor_fleet.fleet_roles WHERE node = 'node$number' AND rolname = 'app' AND sessions = 1)",
			"$name: roles of node $number");
		$guest->close;
	}
	return;
}

# A node that cannot be read is one row without figures in each view.
sub one_row_each
{
	my ($name, $node) = @_;

	foreach my $view (@VIEWS)
	{
		is( ask("SELECT count(*), bool_or(reachable), bool_and(error <> ''), count(age_seconds) FROM pool_advisor_fleet.fleet_$view WHERE node = '$node'"),
			'1|f|t|0', "$name: $node is a row of $view");
	}
	is(ask("SELECT count(max_connections) FROM pool_advisor_fleet.fleet_status WHERE node = '$node'"), '0', "$name: without figures");
	return;
}

#
# Three nodes, through postgres_fdw
#
my @three = map { "node$_=" . conninfo($_) } 1 .. 3;
set_up('postgres_fdw', 'postgres_fdw', @three);
is(reachable(), 'node1 true, node2 true, node3 true', 'all nodes answer');
agree('postgres_fdw', 1 .. 3);
is(ask('SELECT count(DISTINCT node) FROM pool_advisor_fleet.fleet_gate WHERE reachable'), 3, 'the gate of each');
is(ask('SELECT bool_and(age_seconds = 0) FROM pool_advisor_fleet.fleet_status'), 't', 'that was just read');

# the columns of the views are those that the server has
is( $hub->safe_psql('postgres', q{
		SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
		WHERE relnamespace = 'pool_advisor'::regnamespace AND relname IN ('status', 'advice', 'roles', 'limits', 'gate') AND attnum > 0
			AND NOT EXISTS (SELECT FROM pg_attribute b WHERE b.attrelid = ('pool_advisor_fleet.fleet_' || relname)::regclass
				AND b.attname = a.attname AND b.atttypid = a.atttypid)}),
	0, 'no column is missing, or of another type');

# an ordinary role sees nothing; a monitoring role sees no connection
is( $hub->psql('postgres', 'SELECT * FROM pool_advisor_fleet.fleet_status', extra_params => [ '-U', 'app' ]),
	3, 'an ordinary role may not read it');
is($hub->psql('postgres', 'SELECT * FROM pool_advisor_fleet.nodes', extra_params => [ '-U', 'monitoring' ]), 3, 'nor anybody the nodes');
is($hub->psql('postgres', q{SELECT * FROM pool_advisor_fleet._read('node1', 'status')}, extra_params => [ '-U', 'monitoring' ]),
	3, 'nor call what reads them');
is($hub->psql('postgres', q{SELECT * FROM pool_advisor_fleet._ask('nonsense')}, extra_params => [ '-U', 'monitoring' ]),
	3, 'what is no view is an error');
is(reachable(), 'node1 true, node2 true, node3 true', 'of which no node is suspected');

#
# A node is down, and comes back
#
$nodes{3}->stop('immediate');
is(reachable(), 'node1 true, node2 true, node3 false', 'a node is down');
one_row_each('down', 'node3');
agree('one is down', 1, 2);
like(ask(q{SELECT error FROM pool_advisor_fleet.fleet_status WHERE node = 'node3'}), qr/could not connect/, 'and the row says why');
is(ask(q{BEGIN READ ONLY; SELECT count(*) FROM pool_advisor_fleet.fleet_status WHERE NOT reachable; COMMIT}), 1, 'in a transaction that cannot write, too');
is(ask(q{BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM pool_advisor_fleet.fleet_status WHERE NOT reachable; COMMIT}), 1, 'and in a serializable one');
$nodes{3}->start;
forget_failures();
is(reachable(), 'node1 true, node2 true, node3 true', 'it is back');
$hub->safe_psql('postgres', q{UPDATE pool_advisor_fleet.nodes SET noted_at = now() + interval '1 h', retry_at = now() + interval '2 h'});
is(reachable(), 'node1 true, node2 true, node3 true', 'a failure of the future is of a clock that was set back');
forget_failures();

# A connection that is kept in the session of the hub breaks.
{
	my $session = wire($hub, 'monitoring');
	my $count = 'SELECT count(*) FILTER (WHERE reachable) FROM pool_advisor_fleet.fleet_status';

	is($session->value($count), 3, 'a session of the hub has connections');
	$nodes{2}->stop('immediate');
	is($session->value($count), 2, 'one of them breaks');
	$nodes{2}->start;
	forget_failures();
	is($session->value($count), 3, 'and is made anew');
	$session->close;
}

# A session that has noted a failure, and goes on with its transaction, keeps nobody waiting.
{
	my $session = wire($hub, 'monitoring');

	$nodes{3}->stop('immediate');
	$session->value('BEGIN');
	is($session->value('SELECT count(*) FROM pool_advisor_fleet.fleet_status WHERE NOT reachable'), 1, 'noted in a transaction');
	is(reachable(), 'node1 true, node2 true, node3 false', 'another session does not wait for its end');
	$session->value('ROLLBACK');
	$session->close;
	$nodes{3}->start;
	forget_failures();
}

#
# A node that answers too late: its own statement_timeout ends the query
#
{
	my $locker = wire($nodes{3}, scalar getpwuid($<));

	$locker->value('BEGIN');
	$locker->value('LOCK TABLE pool_advisor.status IN ACCESS EXCLUSIVE MODE');
	is(reachable(), 'node1 true, node2 true, node3 false', 'a node answers too late');
	like(ask(q{SELECT error FROM pool_advisor_fleet.fleet_status WHERE node = 'node3'}), qr/statement timeout/, 'and the row says so');
	forget_failures();
	my ($status, $out, $err) = $hub->psql('postgres', q{SET statement_timeout = '100ms'; SELECT * FROM pool_advisor_fleet.fleet_status},
		extra_params => [ '-U', 'monitoring' ]);
	isnt($status, 0, 'a timeout of the hub ends the query');
	like($err, qr/canceling statement due to statement timeout/, 'as any other');
	$locker->value('ROLLBACK');
	$locker->close;
	forget_failures();
}

#
# A node that takes the connection and never says a word. It is asked once, and by no other query
# of any view until some time has passed.
#
{
	my $hole = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1') or die "no socket: $!";
	my $asked = sub {
		my $count = 0;
		while (IO::Select->new($hole)->can_read(0)) { $hole->accept->close; $count++ }
		return $count;
	};

	set_up('a black hole', 'postgres_fdw', @three, 'hole=host=127.0.0.1 port=' . $hole->sockport . ' user=monitoring dbname=postgres');
	is(reachable(), 'hole false, node1 true, node2 true, node3 true', 'a black hole keeps no other node from the view');
	is($asked->(), 1, 'it was asked');
	$hub->safe_psql('postgres', q{UPDATE pool_advisor_fleet.nodes SET retry_at = 'infinity' WHERE name = 'hole'});
	one_row_each('black hole', 'hole');
	is($asked->(), 0, 'and is not asked again for each view');
	forget_failures();
	is(ask('BEGIN READ ONLY; SELECT count(*) FROM pool_advisor_fleet.fleet_status; COMMIT'), 4, 'a transaction that cannot write asks it');
	is($asked->(), 1, 'once');
	is(ask(q{SELECT count(*) FROM pool_advisor_fleet.fleet_status WHERE error IS NOT NULL}), 1, 'as it leaves no note, the next one does, too');
	is($asked->(), 1, 'once again');
	cmp_ok($hub->safe_psql('postgres', q{SELECT retry_at > now() + interval '10 s' FROM pool_advisor_fleet.nodes WHERE name = 'hole'}),
		'eq', 't', 'it is left alone for longer than a refusal');
	$hole->close;
}

#
# Run again: with other nodes, after somebody else's schema, with hostile names around
#
$hub->safe_psql('postgres', 'CREATE VIEW built_on_it AS SELECT node FROM pool_advisor_fleet.fleet_status');
set_up('again', 'postgres_fdw', @three[ 0, 1 ]);
is(reachable(), 'node1 true, node2 true', 'the nodes are those of the last run');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM pg_foreign_server}), 2, 'and so are the servers');
is($hub->safe_psql('postgres', q{SELECT to_regclass('built_on_it') IS NULL}), 't', 'what was built on it is gone');

$hub->safe_psql('postgres', q{
	CREATE SCHEMA hijack;
	CREATE FUNCTION hijack.starts_with(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT 1 / 0 > 0';
	CREATE FUNCTION hijack.format(text, name) RETURNS text LANGUAGE sql AS 'SELECT 1 / 0 || $1';
	CREATE FUNCTION hijack.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now() + 1 / 0 * interval ''1 s''';
	CREATE TYPE hijack.text AS ENUM ('no');
	ALTER DATABASE postgres SET search_path = hijack, pg_catalog});
set_up('another search_path', 'postgres_fdw', @three);
is(reachable(), 'node1 true, node2 true, node3 true', 'a search_path changes nothing');
$hub->safe_psql('postgres', 'ALTER DATABASE postgres RESET search_path; DROP SCHEMA hijack CASCADE');

$hub->safe_psql('postgres', 'DROP SCHEMA pool_advisor_fleet CASCADE; CREATE SCHEMA pool_advisor_fleet; CREATE TABLE pool_advisor_fleet.mine ()');
my ($status, $err) = run_on_hub(printed('postgres_fdw', @three));
is($status, 3, 'a schema that is somebody else\'s is not dropped');
like($err, qr/schema "pool_advisor_fleet" is there already/, 'and it is said');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM pool_advisor_fleet.mine}), 0, 'it is as it was');
$hub->safe_psql('postgres', 'DROP SCHEMA pool_advisor_fleet CASCADE');

# The hub's database belongs to an ordinary role, which has made what the text looks for. Nothing of it is
# called by the superuser who runs the text.
my @many = map { "many$_=" . conninfo(1 + $_ % 3) } 1 .. 32;
$hub->safe_psql('postgres', 'CREATE ROLE tenant LOGIN; GRANT CREATE ON DATABASE postgres TO tenant');
$hub->safe_psql('postgres', q{
	CREATE SCHEMA cron;
	CREATE TABLE cron.job (jobid bigint, jobname text);
	INSERT INTO cron.job VALUES (1, 'pool_advisor_fleet_x');
	CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN ALTER ROLE tenant SUPERUSER; RETURN true; END$$;
	CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE plpgsql AS $$BEGIN ALTER ROLE tenant SUPERUSER; RETURN 1; END$$;
	CREATE SCHEMA pool_advisor_fleet;
	COMMENT ON SCHEMA pool_advisor_fleet IS 'views of several servers, made by fleet_config() of pool_advisor';
	CREATE TABLE pool_advisor_fleet.mine ()}, extra_params => [ '-U', 'tenant' ]);
my $tenant = q{SELECT rolsuper FROM pg_roles WHERE rolname = 'tenant'};
($status, $err) = run_on_hub(printed('postgres_fdw', @three));
like("$status $err", qr/^3 .*schema "pool_advisor_fleet" is there already/s, 'a schema of an ordinary role is not dropped, whatever its comment says');
$hub->safe_psql('postgres', 'DROP SCHEMA pool_advisor_fleet CASCADE');
set_up('a schema cron of an ordinary role', 'postgres_fdw', @three);
is($hub->safe_psql('postgres', $tenant), 'f', 'it is not used');
($status, $err) = run_on_hub(printed('postgres_fdw', @many));
like("$status $err", qr/^3 .*extension "pg_cron" is not installed in this database/s, 'what needs the jobs does not run without pg_cron');
is($hub->safe_psql('postgres', $tenant), 'f', 'nor is it used for jobs');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM pool_advisor_fleet.nodes}), 3, 'and what was there is as it was');
add_pg_cron();
($status, $err) = run_on_hub(printed('postgres_fdw', @many));
like("$status $err", qr/^3 .*extension "pg_cron" is not installed in this database/s, 'the extension does not make it safe');
is($hub->safe_psql('postgres', $tenant), 'f', 'which nobody uses');
drop_pg_cron();

# A password goes to the mapping, and a server's options tell nothing.
set_up('a password', 'postgres_fdw', "node1=" . conninfo(1) . q{ password='it\\'s \\\\ secret'});
is($hub->safe_psql('postgres', q{SELECT umoptions FROM pg_user_mappings}), q({user=monitoring,"password=it's \\\\ secret"}), 'is in the mapping');
is( $hub->safe_psql('postgres', 'SELECT count(*) FROM pg_user_mappings WHERE umoptions IS NOT NULL', extra_params => [ '-U', 'monitoring' ]),
	0, 'which a monitoring role cannot see');
is($hub->safe_psql('postgres', q{SELECT count(*) FROM pg_foreign_server WHERE srvoptions::text ~ 'secret|password'}), 0, 'and in no server');

#
# More nodes than are read one after the other: jobs of pg_cron, which are run here by hand
#
$hub->safe_psql('postgres', q{
	CREATE SCHEMA cron;
	CREATE TABLE cron.job (jobid bigserial, jobname text UNIQUE, schedule text, command text);
	CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql
		AS 'INSERT INTO cron.job (jobname, schedule, command) VALUES ($1, $2, $3) RETURNING jobid';
	CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE sql AS 'DELETE FROM cron.job WHERE jobid = $1 RETURNING true';
	INSERT INTO cron.job (jobname, command) VALUES ('mine', 'SELECT 1')});
add_pg_cron();
set_up('32 nodes', 'postgres_fdw', @many);
is(ask('SELECT count(*), count(*) FILTER (WHERE reachable), min(error) FROM pool_advisor_fleet.fleet_status'), '32|0|not read yet', 'nothing is read yet');
my $run_jobs = sub {
	foreach my $command (split /\n/, $hub->safe_psql('postgres', q{SELECT command FROM cron.job WHERE jobname <> 'mine'}))
	{
		$hub->safe_psql('postgres', $command);
	}
};
$run_jobs->();
is(ask('SELECT count(*), count(*) FILTER (WHERE reachable), min(error) FROM pool_advisor_fleet.fleet_status'), '32|32|', 'the jobs have read all');
is(ask('SELECT count(DISTINCT node) FROM pool_advisor_fleet.fleet_limits WHERE max_sessions IS NOT NULL'), 32, 'of all views');
is(ask('SELECT bool_and(age_seconds > 0) FROM pool_advisor_fleet.fleet_status'), 't', 'with an age');
$nodes{3}->stop('immediate');
$run_jobs->();
is(ask(q{SELECT count(*) FILTER (WHERE NOT reachable), bool_and(error <> '') FILTER (WHERE NOT reachable),
		count(age_seconds), count(max_connections) FROM pool_advisor_fleet.fleet_status}),
	'11|t|32|21', 'nodes that are down have the age of what was read last, and no figures');
$nodes{3}->start;
$run_jobs->();
is(ask('SELECT count(*) FILTER (WHERE reachable), min(error) FROM pool_advisor_fleet.fleet_status'), '32|', 'they are back');
set_up('fewer nodes', 'postgres_fdw', @three);
is($hub->safe_psql('postgres', 'SELECT string_agg(jobname, $$,$$) FROM cron.job'), 'mine', 'fewer nodes need no jobs');
drop_pg_cron();

#
# PL/Proxy
#
SKIP:
{
	skip 'PL/Proxy is not there', 10
	  unless $hub->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'plproxy'});
	set_up('PL/Proxy', 'plproxy', @three);
	is(reachable(), 'node1 true, node2 true, node3 true', 'all nodes answer');
	agree('PL/Proxy', 1 .. 3);
	$nodes{3}->stop('immediate');
	is(reachable(), 'node1 true, node2 true, node3 false', 'a node is down');
	one_row_each('PL/Proxy', 'node3');
	$nodes{3}->start;
	forget_failures();
	is(reachable(), 'node1 true, node2 true, node3 true', 'it is back');
}

#
# Rules for Prometheus, by its own parser
#
SKIP:
{
	my ($promtool) = grep { -x } ($ENV{PADV_MONITORING} // '/nowhere') . '/usr/bin/promtool', '/usr/bin/promtool';
	skip 'promtool is not there', 2 unless $promtool;
	my ($out, $err) = run_command([ $promtool, 'check', 'rules', printed('prometheus', @three, 'a.b-c=host=h') ]);
	like($out, qr/SUCCESS: 21 rules found/, 'promtool takes the rules') or diag "$out$err";
	my ($out2, $err2) = run_command([ $promtool, 'test', 'rules', fleet_alerts_test(printed('prometheus', @three)) ]);
	like("$out2$err2", qr/SUCCESS/, 'and they fire when they must') or diag "$out2$err2";
}

# The test of the alerts beside the rules that it is about.
sub fleet_alerts_test
{
	my ($rules) = @_;
	my $test = slurp_file("$FindBin::RealBin/../monitoring/fleet_alerts_test.yml") =~ s/^- RULES$/- $rules/mr;
	my $path = "$folder/fleet_alerts_test.yml";

	open my $file, '>', $path or die "$path: $!";
	print $file $test;
	close $file or die "$path: $!";
	return $path;
}

#
# HAProxy goes by agent_check(): new connections go where there is room
#
my $haproxy = haproxy_program();

SKIP:
{
	skip 'HAProxy is not there', 10 unless $haproxy;
	my $printed = $hub->safe_psql('postgres', q{SELECT pool_advisor.monitoring_config('haproxy')}) . "\n";
	my $save = sub {
		my ($name, $text) = @_;
		open my $file, '>', "$folder/$name" or die "$name: $!";
		print $file $text;
		close $file or die "$name: $!";
		return "$folder/$name";
	};
	my ($out, $err) = run_command([ $haproxy, '-c', '-f', $save->('printed.cfg', $printed) ]);
	is($?, 0, 'HAProxy takes the printed section') or diag "$out$err";
	unlike("$out$err", qr/WARNING/, 'without a warning');

	# node 2 and 3, and a server of which the answer is known
	my $answer = $save->('answer', "up 40% maxconn:7\n");
	my $front = PostgreSQL::Test::Cluster::get_free_port();
	my %agent = map { $_ => agent_port('psql', '-XAtq', '-d', $nodes{$_}->connstr('postgres') . ' user=monitoring', '-c', 'SELECT pool_advisor.agent_check(5)') } 2, 3;
	$agent{4} = agent_port('cat', $answer);
	my %socket = map { $_ => 'unix@' . $nodes{$_ == 4 ? 1 : $_}->host . '/.s.PGSQL.' . $nodes{$_ == 4 ? 1 : $_}->port } 2 .. 4;
	my $servers = join '', map { "    server node$_ $socket{$_} agent-addr 127.0.0.1 agent-port $agent{$_}\n" } 2 .. 4;
	my $section = $printed =~ s/^    server .*\n//mgr =~ s/ check port 8008 inter 2s fall 3 rise 2//r
	  =~ s/^    option httpchk.*\n//mr =~ s/ agent-port 9632 agent-inter 2s on-marked-down shutdown-sessions/ agent-inter 1s/r
	  =~ s/bind :5433/bind 127.0.0.1:$front/r;
	start_haproxy("$section$servers");
	my $becomes = sub { server_becomes('pool_advisor_readers', @_); return };

	$becomes->('node4', qr/^\S.* 40 7$/, 'weight and connections are those of the agent');
	$save->('answer', "up 0% maxconn:7\n");
	$becomes->('node4', qr/ 0 7$/, 'the weight 0 takes a server out');
	$save->('answer', "up 100% maxconn:9\n");
	$becomes->('node4', qr/ 100 9$/, 'and the next answer brings it back');
	$save->('answer', "up 1% maxconn:9\n");

	$_->safe_psql('postgres', "ALTER SYSTEM SET pool_advisor.optimal = 4; SELECT pg_reload_conf()") foreach @nodes{ 2, 3 };
	$becomes->('node2', qr/^\S.* (?:[5-9]\d|100) \d+$/, 'a server with nothing to do gets most of its weight');
	# eight at work that need no core, as HAProxy gives the agent no longer than the time between two checks
	my $holder = wire($nodes{2}, scalar getpwuid($<));
	$holder->ask($_) foreach 'CREATE TABLE held (a int)', 'GRANT SELECT ON held TO app', 'BEGIN', 'LOCK TABLE held';
	my @busy = map { wire($nodes{2}, 'app')->simple('SELECT FROM held') } 1 .. 8;
	$becomes->('node2', qr/^\S.* 1 \d+$/, 'a busy one the least, and is not taken out');
	$becomes->('node4', qr/^\S.* 1 9$/, 'the other one too');
	my @readers = map { start_program('psql', '-XAtq', '-d', "host=127.0.0.1 port=$front dbname=postgres user=monitoring application_name=reader", '-c', 'SELECT pg_sleep(3600)') } 1 .. 15;
	my $readers_of = sub { return $_[0]->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reader'}) };
	wait_for($nodes{3}, q{count(*) >= 12 FROM pg_stat_activity WHERE application_name = 'reader'}, 'readers go to the one with room');
	cmp_ok($readers_of->($nodes{2}), '<=', 2, 'and not to the busy one');
	$_->{run}->kill_kill(grace => 0) foreach @readers;
	$_->close foreach $holder, @busy;
	stop_haproxy();

	# no server is known to be up to date: those of the lines with "backup" take the readers
	$save->('answer', "up 0% maxconn:7\n");
	my $lags = agent_port('cat', $answer);
	start_haproxy($section . join '', map { "    server node$_ $socket{$_} agent-addr 127.0.0.1 agent-port $lags\n    server node${_}_late $socket{$_} backup no-agent-check\n" } 2, 3);
	$becomes->("node$_", qr/ 0 7$/, "node$_ lags") foreach 2, 3;
	my @through = map { (run_command([ 'psql', '-XAtq', '-d', "host=127.0.0.1 port=$front dbname=postgres user=monitoring connect_timeout=20", '-c', q{SELECT current_setting('port')} ]))[0] } 1 .. 4;
	is(join(' ', sort @through), join(' ', sort map { ($_) x 2 } map { $nodes{$_}->port } 2, 3), 'readers go to all of them when all lag');
	$save->('answer', "up 50% maxconn:7\n");
	$becomes->('node2', qr/ 50 7$/, 'one does not any more');
	stop_haproxy();
}

#
# Processes of a role share what is for the role, however many they are
#
{
	my $node = $nodes{2};
	my $script = "$folder/select.sql";
	my $alone = q{count(*) = 0 FROM pg_stat_activity WHERE usename = 'app'};

	open my $file, '>', $script or die "$script: $!";
	print $file "SELECT 1;\n";
	close $file or die "$script: $!";
	$node->safe_psql('postgres', q{
		ALTER ROLE app RESET pool_advisor.max_sessions;
		ALTER SYSTEM SET pool_advisor.optimal = 30;
		SELECT pg_reload_conf()});
	wait_for($node, q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'app')});
	my $load = start_program('pgbench', '-n', '-c', '2', '-T', '100000', '-f', $script, user_of($node));
	wait_for($node, 'pool_size >= 30 FROM pool_advisor.status');
	$load->{run}->kill_kill(grace => 0);
	my $share = $node->safe_psql('postgres', 'SELECT least(pool_size, floor(0.9 * usable_connections)) FROM pool_advisor.status');
	foreach my $count (3, 12, 3, 1)
	{
		wait_for($node, $alone);
		my @processes = map { wire($node, 'app', name => "process $_") } 1 .. $count;
		my @shares = map { $_->value('SELECT connections FROM pool_advisor.my_share()') } @processes;
		my ($least, $most) = (sort { $a <=> $b } @shares)[ 0, -1 ];
		my $sum = 0;

		$sum += $_ foreach @shares;
		cmp_ok(abs($sum - $share), '<=', 0.1 * $share, "$count processes share $share connections");
		cmp_ok($most - $least, '<=', 1, 'evenly');
		$_->close foreach @processes;
	}
	my @alike = map { wire($node, 'app', name => 'same name') } 1 .. 5;
	is($alike[0]->value(q{SELECT reason ~ 'processes: 1\.$' FROM pool_advisor.my_share()}), 't', 'sessions with one name are one process');
	$_->close foreach @alike;
}

#
# A standby that lags, and a failover: as many are refused as was said
#
{
	my $primary = limits_node('fleet_primary', "max_connections = 20\nmax_wal_senders = 3\n");
	$primary->backup('backup');
	my $standby = PostgreSQL::Test::Cluster->new('fleet_standby');
	$standby->init_from_backup($primary, 'backup', has_streaming => 1);
	$standby->start;
	my $line = sub { my ($node) = @_; return $node->safe_psql('postgres', 'SELECT pool_advisor.agent_check(0)') };
	my $lags = q{pool_advisor.agent_check(0) LIKE 'up 0\%%'};

	wait_for($standby, 'samples_total > 2 FROM pool_advisor.status');
	unlike($line->($primary), qr/^up 0%/, 'a primary does not lag');
	wait_for($standby, "NOT $lags", 'nor does a standby that has replayed all it got');
	$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
	wait_for($standby, q{pg_get_wal_replay_pause_state() = 'paused'});
	$primary->safe_psql('postgres', 'CREATE TABLE news ()');
	wait_for($standby, $lags, 'one that has not lags');
	$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
	wait_for($standby, "NOT $lags", 'until it has');

	my $budget = sub {
		my ($situation, $what) = @_;
		return $standby->safe_psql('postgres',
			"SELECT $what FROM pool_advisor.fleet_budget(app_servers => 4, pools => 1, max_pool_size => 3, nodes => 2, read_pools => 1) WHERE situation = '$situation' AND node = 2");
	};
	is($budget->('now', 'connections, usable, refused, verdict'), '12|17|0|fits', 'readers fit on the standby');
	is($budget->('primary moved', 'connections, usable, refused, verdict'), '24|17|7|refuses', 'but not with those that write');
	my @readers = map { wire($standby, 'app') } 1 .. 12;
	wait_for($standby, q{clock_timestamp() - pg_last_xact_replay_timestamp() > interval '3 s'});
	my $between = $standby->safe_psql('postgres', q{SELECT clock_timestamp()});
	wait_for($standby, "sampled_at > '$between'::timestamptz + interval '3 s' FROM pool_advisor.status");
	$primary->stop('immediate');
	wait_for($standby, $lags, 'a standby without a primary is not known to be up to date');
	is( $standby->safe_psql('postgres', "SELECT pool_advisor.agent_check(extract(epoch FROM clock_timestamp() - '$between'::timestamptz)) LIKE 'up 0%'"),
		'f', 'but to have what the primary had a moment ago, though its last transaction is older');
	$standby->promote;
	wait_for($standby, "NOT $lags", 'until it is a primary');
	my @writers = map { eval { wire($standby, 'app') } // () } 1 .. 12;
	is(12 - @writers, $budget->('primary moved', 'refused'), 'the failover refuses as many as was said');
	$_->close foreach @readers, @writers;
	$standby->stop;
}

$_->stop foreach values %nodes;
done_testing();
