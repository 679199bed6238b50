# However a session or a wait ends, its place is given back; and what a refused
# client and the log are told.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('ends', "authentication_timeout = '20s'\nrestart_after_crash = on\nlog_error_verbosity = verbose\npool_advisor.queue_share = 1\n");
set_limits($node, q{SELECT pool_advisor.set_limit('app', max_sessions => 2, queue_length => 3,
	queue_timeout => '15 s'); CREATE DATABASE forbidden; REVOKE CONNECT ON DATABASE forbidden FROM PUBLIC});

# Everybody inside and in the queue, gone again at the end of each case.
my @inside;
my @waiting;

sub take_all
{
	@inside = map { client($node, 'app', 'SELECT pg_backend_pid();') } 1 .. 2;
	wait_for_limits($node, q{rolname = 'app' AND in_use = 2});
	@waiting = map { client($node, 'app', 'SELECT pg_backend_pid();') } 1 .. 2;
	wait_for($node, q{queued = 2 FROM pool_advisor.roles WHERE rolname = 'app'});
	until_pid($_) foreach @inside;
	return;
}

sub until_pid
{
	my ($client) = @_;

	$client->{run}->pump until $client->{out} =~ /^\d+$/m;
	return;
}

sub pid_of
{
	my ($client) = @_;

	until_pid($client);
	return $client->{out} =~ /^(\d+)$/m ? $1 : die 'no pid';
}

sub empty
{
	my ($name) = @_;

	finish($_) foreach @inside, @waiting;
	wait_for($node, q{in_use = 0 FROM pool_advisor.limits WHERE rolname = 'app'}, "$name: all places are free");
	is(queued($node), 0, "$name: nobody is in the queue");
	return;
}

# One inside ends in some way; the first in the queue comes in.
sub one_ends
{
	my ($name, $how) = @_;

	take_all();
	$how->(shift @inside);
	wait_for($node, q{queued = 1 FROM pool_advisor.roles WHERE rolname = 'app'}, "$name: the next comes in");
	is(in_use($node), 2, "$name: and takes the place");
	empty($name);
	return;
}

one_ends('quit', sub { finish($_[0]) });
one_ends('client killed', sub { hang_up($_[0]) });
one_ends('terminated', sub {
	my $pid = pid_of($_[0]);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	finish($_[0]);
});

# One in the queue ends in some way; the others stay there and come in.
sub one_gives_up
{
	my ($name, $how) = @_;

	take_all();
	$how->();
	wait_for($node, q{queued = 1 FROM pool_advisor.roles WHERE rolname = 'app'}, "$name: one is left in the queue");
	is(in_use($node), 2, "$name: nobody lost a place");
	finish(shift @inside);
	wait_for($node, q{queued = 0 FROM pool_advisor.roles WHERE rolname = 'app'}, "$name: which comes in");
	empty($name);
	return;
}

one_gives_up('waiting client killed', sub { hang_up(shift @waiting) });
one_gives_up('waiting process terminated', sub { kill 'TERM', (waiting_pids($node))[0] });
one_gives_up('waiting process cancelled', sub { kill 'INT', (waiting_pids($node))[0] });

# A login that we let in but core does not.
my ($ret, $out, $err) = try_login($node, 'app', 'forbidden');
like($err, qr/permission denied for database/, 'a login without the right to connect fails');
($ret, $out, $err) = try_login($node, 'app', 'nowhere');
like($err, qr/database "nowhere" does not exist/, 'so does one to a database that is not there');
($ret, $out, $err) = try_login($node, 'nobody_knows');
like($err, qr/role "nobody_knows" does not exist/, 'and one of an unknown role');
wait_for($node, q{in_use = 0 FROM pool_advisor.limits WHERE rolname = 'app'}, 'neither keeps a place');

# A full line refuses at once, in core's words; the log has the limit.
take_all();
push @waiting, client($node, 'app', 'SELECT pg_backend_pid();');
wait_for($node, q{queued = 3 FROM pool_advisor.roles WHERE rolname = 'app'});
wait_for($node, q{sessions BETWEEN 2 AND 3 AND queued = 3 FROM pool_advisor.status},
	'those in the queue are no sessions yet: there are two, and ours');
my $logged = -s $node->logfile;
($ret, $out, $err) = try_login($node, 'app');
is($ret, 2, 'a full line refuses');
like($err, qr/FATAL:  too many connections for role "app"$/m, 'in the words of core');
unlike($err, qr/queue|max_sessions|line|DETAIL|HINT/, 'and nothing else');
like(slurp_file($node->logfile, $logged),
	qr/DETAIL:  The limit of role "app" is full: max_sessions 2, in use 2, queue_length 3, waiting 3\./,
	'the log has role, limit and line');
like(slurp_file($node->logfile, $logged), qr/53300: /, 'and the SQLSTATE is 53300');
empty('full line');

# Waiting keeps no row from being removed.  A process that is in no database
# could only do so in catalogs that all databases share.
take_all();
$node->safe_psql('postgres', 'CREATE ROLE gone; DROP ROLE gone');
($ret, $out, $err) = $node->psql('postgres', 'VACUUM (VERBOSE) pg_authid');
like($err, qr/tuples: \d+ removed, \d+ remain, 0 are dead but not yet removable/, 'VACUUM tells what it removes');
unlike($err, qr/ [1-9]\d* are dead but not yet removable/, 'a login in the queue holds back no horizon');
empty('horizon');

# The line does not take the connections that are reserved for superusers, even where it
# may have all others; and who finds none to wait in has not waited.
my $counted = q{SELECT queued_total FROM pool_advisor.roles WHERE rolname = 'app'};
my $queued_before = $node->safe_psql('postgres', $counted);
set_limits($node, "SELECT pool_advisor.set_limit('app', queue_length => -1, queue_timeout => '300 s')",
	"queue_length = -1 FROM pool_advisor.limits WHERE rolname = 'app'");
$logged = -s $node->logfile;
@inside = ();
@waiting = map { client($node, 'app', 'SELECT pg_backend_pid();') } 1 .. 60;
$node->wait_for_log(qr/No connection is left to wait in the queue with|queue_share" \(1\) allows no more/, $logged);
wait_for($node, qq{queued > 0 AND queued_total - $queued_before = queued FROM pool_advisor.roles WHERE rolname = 'app'},
	'only those who wait count as queued');
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'a superuser gets in past an endless line');
hang_up($_) foreach @waiting;
@waiting = ();
empty('endless line');
set_limits($node, "SELECT pool_advisor.set_limit('app', queue_length => 3)",
	"queue_length = 3 FROM pool_advisor.limits WHERE rolname = 'app'");

# Nor is a login refused for their sake where none are reserved.
my $unreserved = limits_node('unreserved', "superuser_reserved_connections = 0\n");
set_limits($unreserved, q{SELECT pool_advisor.set_limit('app', max_sessions => 1, queue_length => 1,
	queue_timeout => '50 s')});
my $first = client($unreserved, 'app', q{SELECT 'in';});
says($first, qr/in/);
my $second = client($unreserved, 'app', q{SELECT 'next';});
wait_for($unreserved, q{queued_total + refused_total = 1 FROM pool_advisor.roles WHERE rolname = 'app'});
is($unreserved->safe_psql('postgres', q{SELECT queued_total FROM pool_advisor.roles WHERE rolname = 'app'}),
	1, 'without reserved connections a login waits in the queue');
finish($first);
is(finish($second), "next\n", 'and comes in');
$unreserved->stop;

# A wait that takes too long, for its own timeout and for core's.
foreach my $case ([ '300 ms', 'its own timeout' ], [ '1 hour', 'authentication_timeout' ])
{
	my ($timeout, $name) = @$case;

	$node->append_conf('postgresql.conf', "authentication_timeout = '2s'");
	$node->reload;
	set_limits($node, "SELECT pool_advisor.set_limit('app', queue_timeout => '$timeout')",
		"queue_timeout = '$timeout' FROM pool_advisor.limits WHERE rolname = 'app'");
	@inside = map { client($node, 'app', 'SELECT 1;') } 1 .. 2;
	@waiting = ();
	wait_for_limits($node, q{rolname = 'app' AND in_use = 2});
	$logged = -s $node->logfile;
	($ret, $out, $err) = try_login($node, 'app');
	like($err, qr/FATAL:  too many connections for role "app"$/m, "$name: a wait that takes too long is refused");
	like(slurp_file($node->logfile, $logged), qr/This login waited in the queue for \d+ ms\./,
		"$name: the log says how long it was");
	empty($name);
}
is($node->safe_psql('postgres', q{SELECT timed_out_total FROM pool_advisor.roles WHERE rolname = 'app'}),
	2, 'both are counted');
$node->append_conf('postgresql.conf', "authentication_timeout = '20s'");
$node->reload;
set_limits($node, "SELECT pool_advisor.set_limit('app', queue_timeout => '15 s')",
	"queue_timeout = '15 s' FROM pool_advisor.limits WHERE rolname = 'app'");

# A crash of a backend, inside or in the queue, starts all anew; nobody slips past
# the limit in the first moments after it.
foreach my $whom ('inside', 'in the queue')
{
	take_all();
	my $victim = $whom eq 'inside' ? pid_of($inside[0]) : (waiting_pids($node))[0];
	kill 'KILL', $victim;
	finish($_) foreach @inside, @waiting;

	my @clients = map { client($node, 'app', 'SELECT 1;') } 1 .. 12;
	ok(comes_true($node, 'true'), "killed $whom: the server comes back");
	push @clients, map { client($node, 'app', 'SELECT 1;') } 1 .. 12;
	wait_for($node, q{count(*) = 1 FROM pool_advisor.limits WHERE rolname = 'app'});
	cmp_ok(in_use($node), '<=', 2, "killed $whom: nobody slips past the limit");
	hang_up($_) foreach @clients;
	wait_for($node, q{in_use = 0 FROM pool_advisor.limits WHERE rolname = 'app'},
		"killed $whom: all places are free");
}

# So does an immediate shutdown, and a start with everybody at the door.
foreach my $mode ('immediate', 'fast')
{
	take_all();
	$node->stop($mode);
	finish($_) foreach @inside, @waiting;
	$node->start;
	my @clients = map { client($node, 'app', 'SELECT pg_backend_pid();') } 1 .. 30;
	wait_for($node, q{count(*) >= 2 FROM pg_stat_activity WHERE usename = 'app'});
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'}),
		2, "stop in mode $mode: two are in after the start");
	hang_up($_) foreach @clients;
	wait_for($node, q{in_use = 0 FROM pool_advisor.limits WHERE rolname = 'app'},
		"stop in mode $mode: all places are free");
}

# A shutdown does not wait for those in the queue.
take_all();
$node->stop('fast');
finish($_) foreach @inside, @waiting;
unlike(slurp_file($node->logfile), qr/PANIC/, 'no panic in all this');
done_testing();
