# Three servers under a real Patroni with etcd, behind HAProxy: the list of nodes comes from Patroni,
# settings go through it, limits stay in force through a switchover and the loss of the primary, and
# HAProxy goes by Patroni's check and by agent_check() on one line. What doc/ shows of that is run
# from there. test/private_server.sh unpacks the programs.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use HAProxy;
use Patroni;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $obstacle = Patroni::obstacle();
plan skip_all => $obstacle if $obstacle;

my @NAMES = qw(node1 node2 node3);
my $folder = PostgreSQL::Test::Utils::tempdir;

# The code block below a heading, of which there can be several; what is indented is code.
sub page_block
{
	my ($page, $heading, $begin) = @_;
	my ($section) = slurp_file("$FindBin::RealBin/../../doc/$page") =~ /^##+ \Q$heading\E\n(.*?)(?=^##|\z)/ms or die "no $heading";
	my ($block) = grep { /$begin/ } $section =~ /((?:^    .*\n)+)/mg or die "no $begin below $heading";

	return $block =~ s/^    //mgr;
}

sub written
{
	my ($name, $text) = @_;

	open my $file, '>', "$folder/$name" or die "$name: $!";
	print $file $text;
	close $file or die "$name: $!";
	return "$folder/$name";
}

my $cluster = Patroni->new(
	{ max_connections => 30, max_worker_processes => 12, autovacuum => 'off', log_connections => 'on', log_line_prefix => '%p: ' }, @NAMES);
my %nodes = map { $_ => $cluster->member($_) } @NAMES;
my $primary = $cluster->leader;
my @standbys = grep { $_ ne $primary } @NAMES;

# --- the library, and settings, as doc/packages.md says ---
sub edit_config
{
	my ($text) = @_;

	$cluster->control('node1', 'edit-config', '--apply', written('edit.yml', $text), '--force');
	return;
}

sub pending
{
	return scalar grep { ($cluster->rest($_, 'GET', '/patroni') // {})->{pending_restart} } @NAMES;
}

edit_config(page_block('packages.md', 'Patroni', 'shared_preload_libraries'));
$cluster->until_so('a pending restart', sub { pending() == 3 });
is(one_value($nodes{$primary}, 'SHOW shared_preload_libraries'), '', 'Patroni restarts nothing by itself');
$cluster->control('node1', 'restart', '--force');
$primary = $cluster->settles(@NAMES);
@standbys = grep { $_ ne $primary } @NAMES;
is(one_value($nodes{$_}, 'SHOW shared_preload_libraries'), 'pool_advisor', "$_ has the library after a restart") foreach @NAMES;

$nodes{$primary}->safe_psql('postgres', q{
	CREATE EXTENSION pool_advisor;
	CREATE ROLE monitoring LOGIN IN ROLE pg_monitor;
	GRANT EXECUTE ON FUNCTION pool_advisor.set_limit TO monitoring;
	CREATE ROLE app LOGIN; CREATE ROLE patient LOGIN; CREATE ROLE pool LOGIN});
wait_for($nodes{$_}, q{EXISTS (SELECT FROM pg_roles WHERE rolname = 'pool') AND (SELECT samples_total > 2 FROM pool_advisor.status)},
	"$_ samples") foreach @NAMES;

my %started = map { $_ => one_value($nodes{$_}, 'SELECT pg_postmaster_start_time()') } @NAMES;
edit_config(page_block('packages.md', 'Patroni', 'server_max_active'));
wait_for($nodes{$_}, "max_active = 20 FROM $GATE", "a setting through Patroni is in force on $_") foreach @NAMES;
$cluster->rest('node1', 'PATCH', '/config', { postgresql => { parameters => { 'pool_advisor.server_max_active' => 9, 'pool_advisor.optimal' => 4 } } });
wait_for($nodes{$_}, "max_active = 9 AND optimal = 4 FROM $GATE, pool_advisor.status", "and one through its REST API on $_") foreach @NAMES;
is(one_value($nodes{$_}, 'SELECT pg_postmaster_start_time()'), $started{$_}, "$_ was not restarted") foreach @NAMES;
is(pending(), 0, 'and no member waits for a restart');
is(one_value($nodes{$primary}, q{SELECT count(*) FROM pg_settings WHERE name LIKE 'pool\_advisor.%' AND context = 'postmaster'}),
	0, 'no setting of ours needs one');

# --- the hub, with the nodes that Patroni knows ---
my $hub = limits_node('hub');
my $printed = page_block('fleet.md', 'Where the list of nodes is known', 'cluster') =~ s/10\.0\.0\.1:8008/'127.0.0.1:' . $cluster->rest_port('node2')/er;
my ($out, $err) = run_command([ 'psql', '-XAt', '-v', 'ON_ERROR_STOP=1', '-d', $hub->connstr('postgres'), '-f', written('nodes.sql', $printed) ]);
is($err, '', 'the list of nodes is read from Patroni');
$hub->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $hub->connstr('postgres'), '-f', written('fleet.sql', "$out\n") ],
	'and makes a hub');
$hub->safe_psql('postgres', 'CREATE EXTENSION dblink; CREATE ROLE monitoring LOGIN IN ROLE pg_monitor');

sub fleet { return $hub->safe_psql('postgres', "SELECT string_agg($_[0], ' ' ORDER BY node) FROM pool_advisor_fleet.fleet_status") }

is(fleet(q{node || ' ' || reachable || ' ' || max_connections}), 'node1 true 30 node2 true 30 node3 true 30', 'it shows the members');
is($hub->safe_psql('postgres', q{SELECT string_agg(node || ' ' || max_active, ' ' ORDER BY node) FROM pool_advisor_fleet.fleet_gate WHERE scope = 'server'}),
	'node1 9 node2 9 node3 9', 'and their gates');

# --- limits ---
# Sessions of app and pool, by node, all held by this process.
my %held;

# Try for as many more; how many came in.
sub log_in
{
	my ($name, $role, $count) = @_;
	my @in = map { eval { wire($nodes{$name}, $role) } // () } 1 .. $count;

	push @{ $held{$role}{$name} }, @in;
	return scalar @in;
}

sub let_all_go
{
	my ($role, @names) = @_;

	foreach my $name (@names)
	{
		$_->close foreach @{ delete $held{$role}{$name} // [] };
		wait_for($nodes{$name}, "count(*) = 0 FROM pg_stat_activity WHERE usename = '$role'");
	}
	return;
}

# Those of a server that has been stopped are gone.
sub forget { my ($name) = @_; delete $held{$_}{$name} foreach keys %held; return }

sub fleet_limit
{
	my ($total) = @_;
	my ($code, undef, $said) = $hub->psql('postgres', "CALL pool_advisor_fleet.fleet_limit('app', $total, '60 s')");

	return "$code $said";
}

sub in_force
{
	my (@names) = @_;

	return join ' ', map { one_value($nodes{$_}, q{SELECT max_sessions || '/' || in_use FROM pool_advisor.limits WHERE rolname = 'app'}) } @names;
}

is(fleet_limit(9), '0 ', 'a limit for all members');
$nodes{$primary}->safe_psql('postgres', q{SELECT pool_advisor.set_limit('patient', max_sessions => 1, queue_length => 5, queue_timeout => '10 min')});
wait_for_limits($nodes{$_}, q{rolname = 'patient' AND max_sessions = 1}, "limits are in force on $_") foreach @NAMES;
is(in_force(@NAMES), '3/0 3/0 3/0', 'each has a third');
is(log_in($_, 'app', 5), 3, "as many sessions get in on $_") foreach @NAMES;
is(in_force(@NAMES), '3/3 3/3 3/3', 'and are counted');

# A login beyond the limit waits, and is let in when the one before it has gone.
sub waits_in_line
{
	my ($name, $what) = @_;
	my $node = $nodes{$name};
	my $first = wire($node, 'patient');
	my $second = client($node, 'patient', 'SELECT pg_backend_pid();');

	wait_for($node, q{in_use = 1 AND queued = 1 FROM pool_advisor.limits JOIN pool_advisor.roles USING (rolname) WHERE rolname = 'patient'}, "$what: a login waits");
	$first->close;
	says($second, qr/\d/);
	wait_for($node, q{in_use = 1 AND queued = 0 FROM pool_advisor.limits JOIN pool_advisor.roles USING (rolname) WHERE rolname = 'patient'}, "$what: and comes in");
	finish($second);
	return;
}

waits_in_line($standbys[0], 'a standby');

# --- switchover ---
my $before = $primary;
my ($candidate, $other) = @standbys;
pop(@{ $held{app}{$candidate} })->close;
wait_for($nodes{$candidate}, q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'app' AND in_use = 2)});
my $sampler = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'};
my $role = q{SELECT substring(pool_advisor.report() FROM 'PostgreSQL [^,<]*, (a standby|a primary)')};
my $pid = one_value($nodes{$candidate}, $sampler);

is(one_value($nodes{$candidate}, $role), 'a standby', 'report() says what a standby is');
$cluster->control('node1', 'switchover', '--leader', $before, '--candidate', $candidate, '--force');
$primary = $cluster->settles(@NAMES);
is($primary, $candidate, 'a switchover');
forget($before);
admin($nodes{$_}, 1) foreach @NAMES;

# The new primary is the process that it was, and samples on.
sub is_a_primary
{
	my ($name, $worker, $what) = @_;
	my $node = $nodes{$name};
	my $now = one_value($node, 'SELECT clock_timestamp()');

	wait_for($node, "worker_running AND sampled_at > '$now' FROM pool_advisor.status", "$what: the new primary samples on");
	is(one_value($node, $sampler), $worker, "$what: in the same process");
	is(one_value($node, $role), 'a primary', "$what: and says that it is a primary");
	return;
}

is_a_primary($primary, $pid, 'switchover');
is(in_force($primary, $other), '3/2 3/3', 'sessions that stay through a switchover are counted');
is(log_in($primary, 'app', 3), 1, 'and leave room for the rest');
wait_for($nodes{$before}, q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'app' AND max_sessions = 3 AND in_use = 0)},
	'the old primary counts none of its sessions before');
is(log_in($before, 'app', 5), 3, 'and has the limit as a standby');
waits_in_line($primary, 'a new primary');
is(fleet_limit(12), '0 ', 'the hub finds the new primary');
is(in_force(@NAMES), '4/3 4/3 4/3', 'and gives more');
is(fleet_limit(9), '0 ', 'and less');

# --- HAProxy: Patroni's check and the agent on one line ---
my $haproxy = haproxy_program();
my %front = map { $_ => PostgreSQL::Test::Cluster::get_free_port() } qw(primary readers);

# Where its connections lead to, in recovery or not; empty if it has no server.
sub through
{
	my ($section) = @_;
	my ($answer) = run_command([ 'psql', '-XAtq', '-d', "host=127.0.0.1 port=$front{$section} dbname=postgres user=monitoring connect_timeout=8",
			'-c', q{SELECT current_setting('port') || ' ' || pg_is_in_recovery()} ]);

	return $answer;
}

# Readers that stay. A server notices the end of a client that waits for an answer only if it looks for that.
sub readers
{
	my ($count) = @_;

	return map {
		start_program('psql', '-XAtq', '-d', "host=127.0.0.1 port=$front{readers} dbname=postgres user=monitoring application_name=reader"
			  . " options='-c client_connection_check_interval=1s'", '-c', 'SELECT pg_sleep(3600)') } 1 .. $count;
}

sub no_readers
{
	$_->{run}->kill_kill(grace => 0) foreach @_;
	foreach my $name (grep { defined Patroni::postmaster($nodes{$_}) } @NAMES)
	{
		wait_for($nodes{$name}, q{count(*) = 0 FROM pg_stat_activity WHERE application_name = 'reader'});
	}
	return;
}

sub readers_become
{
	my ($name, $what, $why) = @_;

	server_becomes('pool_advisor_readers', $name, $what, $why);
	return;
}

SKIP:
{
	skip 'HAProxy is not there', 15 unless $haproxy;
	my %agent = map { $_ => agent_port('psql', '-XAtq', '-d', user_of($nodes{$_}, 'monitoring'), '-c', 'SELECT pool_advisor.agent_check(5)') } @NAMES;
	my $readers = $hub->safe_psql('postgres', q{SELECT pool_advisor.monitoring_config('haproxy')}) . "\n";
	my $sections = $readers . page_block('fleet.md', 'HAProxy in front of Patroni', 'listen primary');

	like($readers, qr/agent-check/, 'HAProxy is given an agent');
	$sections =~ s/bind :5433/bind 127.0.0.1:$front{readers}/;
	$sections =~ s/bind :5432/bind 127.0.0.1:$front{primary}/;
	$sections =~ s{server (node\d)(_late)? 10\.0\.0\.\d:5432}{join('', "server $1", $2 // (), ' 127.0.0.1:', $nodes{$1}->port, ' port ', $cluster->rest_port($1)) . " agent-port $agent{$1}"}ge;
	start_haproxy($sections);
	readers_become($_, qr/^UP (?:[5-9]\d|100) \d+$/, "$_ is a reader with the weight of its agent") foreach $before, $other;
	readers_become($primary, qr/^DOWN (?:[5-9]\d|100) \d+$/, 'the primary is none, though its agent says up');
	server_becomes('primary', $primary, qr/^UP/, 'but the one that is written to');
	server_becomes('primary', $_, qr/^DOWN/, "which $_ is not") foreach $before, $other;
	is(through('primary'), $nodes{$primary}->port . ' false', 'connections for the primary lead there');
	like(through('readers'), qr/ true$/, 'and those of readers to a standby');

	# a standby with much to do, which is still up
	# (the lock of the primary's transaction is theirs when the next commit is)
	my $holder = wire($nodes{$primary}, scalar getpwuid($<));
	$holder->ask($_) foreach 'CREATE TABLE held (a int)', 'GRANT SELECT ON held TO pool', 'BEGIN', 'LOCK TABLE held';
	$nodes{$primary}->safe_psql('postgres', 'CREATE TABLE after_held ()');
	wait_for($nodes{$other}, q{EXISTS (SELECT FROM pg_locks WHERE relation = to_regclass('held') AND mode = 'AccessExclusiveLock')});
	my @busy = map { wire($nodes{$other}, 'pool')->simple('SELECT FROM held') } 1 .. 8;
	readers_become($other, qr/^UP 1 \d+$/, 'a busy standby gets the least weight');
	# the first one can go to either, as both have none then
	my @first = readers(4);
	wait_for($nodes{$before}, q{count(*) >= 3 FROM pg_stat_activity WHERE application_name = 'reader'}, 'so readers go to the other one');
	no_readers(@first);

	# Patroni takes the other one out; its agent knows nothing of that
	$cluster->configure($before, {}, { noloadbalance => JSON::PP::true });
	$cluster->rest($before, 'POST', '/reload');
	readers_become($before, qr/^DOWN (?:[5-9]\d|100) \d+$/, 'a standby that Patroni takes out is down with its weight');
	is(through('readers'), $nodes{$other}->port . ' true', 'and readers go to the busy one');
	$cluster->configure($before, {}, {});
	$cluster->rest($before, 'POST', '/reload');
	readers_become($before, qr/^UP (?:[5-9]\d|100) \d+$/, 'it is back with its weight');
	$_->close foreach $holder, @busy;
	readers_become($other, qr/^UP (?:[5-9]\d|100) \d+$/, 'the other one has nothing to do any more');
}

# --- the primary is lost ---
let_all_go('app', @NAMES);
is(log_in($_, 'app', 5), 3, "$_ is full") foreach @NAMES;
foreach my $name ($before, $other)
{
	is(log_in($name, 'pool', 10), 10, "readers of a pool on $name");
	pop(@{ $held{app}{$name} })->close;
}
my %workers = map { $_ => one_value($nodes{$_}, $sampler) } $before, $other;
my @readers = readers($haproxy ? 2 : 0);
SKIP:
{
	skip 'HAProxy is not there', 2 unless $haproxy;
	wait_for($nodes{$_}, q{count(*) = 1 FROM pg_stat_activity WHERE application_name = 'reader'}, "a reader on $_") foreach $before, $other;
}

my $lost = $primary;
$cluster->lose($lost);
forget($lost);
SKIP:
{
	skip 'HAProxy is not there', 2 unless $haproxy;
	my @answers;

	# until one is promoted; agents give all standbys the weight 0 some seconds before that
	push @answers, through('readers') until grep { (eval { one_value($nodes{$_}, 'SELECT pg_is_in_recovery()') } // '') eq 'f' } $before, $other;
	cmp_ok(scalar @answers, '>', 0, 'HAProxy: there is no primary for a while');
	is(scalar(grep { $_ eq '' } @answers), 0, 'HAProxy: and readers find a server all the time');
}
$primary = $cluster->settles($before, $other);
my ($standby) = grep { $_ ne $primary } $before, $other;
isnt($primary, $lost, 'a failover');
admin($nodes{$_}, 1) foreach $primary, $standby;
is_a_primary($primary, $workers{$primary}, 'failover');
is(in_force($primary, $standby), '3/2 3/2', 'limits are in force, and sessions that stayed are counted');
is(log_in($_, 'app', 3), 1, "so one more gets in on $_") foreach $primary, $standby;
waits_in_line($primary, 'failover');
like(fleet_limit(9), qr/WARNING:.*$lost: could not/s, 'a node is down');
is(in_force($primary, $standby), '3/3 3/3', 'and keeps its part of the limit for all');

SKIP:
{
	skip 'HAProxy is not there', 7 unless $haproxy;
	readers_become($primary, qr/^DOWN/, 'HAProxy: the new primary is no reader any more');
	readers_become($lost, qr/^DOWN/, 'HAProxy: nor is the lost one');
	readers_become($standby, qr/^UP [1-9]\d* \d+$/, 'HAProxy: the remaining standby is, with its weight');
	server_becomes('primary', $primary, qr/^UP/, 'HAProxy: writers have the new primary');
	is(through('primary'), $nodes{$primary}->port . ' false', 'and get there');
	is(through('readers'), $nodes{$standby}->port . ' true', 'as readers get to the standby');
	wait_for($nodes{$primary}, q{count(*) = 0 FROM pg_stat_activity WHERE application_name = 'reader'},
		'readers were taken from the server that is the primary now');
	no_readers(@readers);
	stop_haproxy();
}

# --- as many writers are refused as fleet_budget() says ---
let_all_go('app', $primary, $standby);
wait_for($nodes{$primary}, q{NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename IN ('monitoring', 'patient'))});
my $exempt = one_value($nodes{$primary}, q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename = current_user AND pid <> pg_backend_pid()});
my $refused = one_value($nodes{$primary}, qq{
	SELECT connections || ' ' || refused FROM pool_advisor.fleet_budget(app_servers => 5, pools => 1, max_pool_size => 4, nodes => 3, read_pools => 1,
		usable_connections => ARRAY[(SELECT usable_connections - $exempt FROM pool_advisor.status)]::int[])
	WHERE situation = 'primary moved' AND node = 2});
cmp_ok($exempt, '>', 0, 'Patroni takes connections, too');
is('30 ' . (20 - log_in($primary, 'pool', 20)), $refused, 'a failover refuses as many as was said');
let_all_go('pool', $primary, $standby);

# --- the lost one comes back ---
$cluster->start($lost);
is($cluster->settles(@NAMES), $primary, 'the lost one is a standby now');
wait_for($nodes{$lost}, q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'app' AND max_sessions = 3 AND in_use = 0)},
	'it has the limit, and counts no session of before');
is(log_in($_, 'app', 5), 3, "as many as before get in on $_") foreach @NAMES;
is(fleet_limit(9), '0 ', 'the hub reaches all');
is(fleet(q{node || ' ' || reachable}), 'node1 true node2 true node3 true', 'and shows them');
let_all_go('app', @NAMES);

# the gate of the new primary is that of Patroni's settings
$cluster->rest($standby, 'PATCH', '/config', { postgresql => { parameters => { 'pool_advisor.server_max_active' => 2 } } });
wait_for($nodes{$_}, "max_active = 2 FROM $GATE", "a setting is in force on $_ after a failover") foreach @NAMES;
{
	work($nodes{$primary}, 2, 'pool');
	my $waiter = wire($nodes{$primary}, 'pool')->simple('SELECT 1');
	wait_for($nodes{$primary}, is_queued($waiter), 'and a transaction beyond it waits');
	stop_work($nodes{$primary});
	is($waiter->result->{rows}, "1\n", 'until there is room');
	$waiter->close;
}

$hub->stop;
done_testing();
