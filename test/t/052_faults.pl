# What can go wrong around us: servers of the smallest and a large size, no room for locks,
# processes that are killed, a clock that steps, objects and roles dropped while in use. No
# place is lost, nothing counted wrong, nobody stuck.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Config;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

sub app
{
	my ($node) = @_;
	return $node->connstr('postgres') . ' user=app';
}

# Let a server with the shim have another wall clock.
sub step
{
	my ($node, $file, $days) = @_;

	append_to_file("$file.new", $days * 86400 . "\n");
	rename("$file.new", $file) or die "cannot rename: $!";
	wait_for($node, 'abs(extract(epoch FROM clock_timestamp()) - ' . (time + $days * 86400) . ') < 3600');
	return;
}

# --- the smallest server whose locks suffice for CREATE EXTENSION, and no room for more of them ---
my $small = limits_node('small', <<'CONF');
max_connections = 5
superuser_reserved_connections = 2
max_wal_senders = 0
wal_level = minimal
max_locks_per_transaction = 16
max_worker_processes = 3
max_replication_slots = 0
CONF
server_max_active($small, 1);
my @full = map { client($small, 'app', q{SELECT 'in';}) } 1 .. 3;
says($_, qr/in/) foreach @full;
wait_for($small, q{sessions >= 4 AND max_connections = 5 FROM pool_advisor.status}, 'five connections are sampled');
my ($ret, $out, $err) = $small->psql('postgres', 'SELECT 1', connstr => app($small));
like($err, qr/remaining connection slots|too many clients/, 'one more is refused by core');
finish($_) foreach @full;
wait_for($small, q{sessions = 1 FROM pool_advisor.status}, 'and has left nothing behind');
nothing_left($small, 'five connections');
($ret, $out, $err) = $small->psql('postgres', 'BEGIN; SELECT count(pg_advisory_lock(i)) FROM generate_series(1, 100000) i; COMMIT', connstr => app($small));
like($err, qr/out of shared memory/, 'a transaction finds no room for its locks');
nothing_left($small, 'no room for locks');
is($small->safe_psql('postgres', 'SELECT 7', connstr => app($small)), 7, 'the next one runs');
$small->stop;

# --- a large one ---
my $large = limits_node('large', "max_connections = 5000\nshared_buffers = 16MB\n");
$large->safe_psql('postgres', "GRANT ALL ON SCHEMA public TO app; SET ROLE app; $SPIN");
wait_for($large, q{max_connections = 5000 AND samples_total > 0 FROM pool_advisor.status}, '5000 connections: there is room for all');
server_max_active($large, 2);
fill($large, 2);
my @waiting = map { client($large, 'app', 'SELECT 7;') } 1 .. 5;
wait_for_gate($large, 'waiting = 5', '5000 connections: the gate holds');
let_go();
is(join('', map { finish($_) } @waiting), "7\n" x 5, '5000 connections: and lets in');
nothing_left($large, '5000 connections');

# more turns than a session looks at: all but one are stalled, and that one is kept for nobody
server_max_active($large, 258);
my $lock = client($large, $large->safe_psql('postgres', 'SELECT current_user'), 'SELECT pg_advisory_lock(2), 1;');
says($lock, qr/1/);
my $script = $large->basedir . '/stalled.sql';
append_to_file($script, "SELECT pg_advisory_xact_lock_shared(2);\n");
my $stalled = IPC::Run::start([ 'pgbench', '-n', '-t', 1, '-c', 257, '-f', $script, app($large) ],
	'<', \undef, '>', \my $stalled_out, '2>', \my $stalled_err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
wait_for_gate($large, 'running = 257', '257 transactions run, and wait for a lock');
my $keeper = client($large, 'app', q{SELECT 'kept';});
says($keeper, qr/kept/);
my $last = client($large, 'app', q{SELECT 'had it';});
says($last, qr/had it/);
pass('a turn that is kept for nobody is found behind hundreds that are stalled');
finish($_) foreach $lock, $keeper, $last;
$stalled->finish;
like($stalled_out, qr/257\/257/, 'all of those were done');
nothing_left($large, '257 stalled');
$large->stop;

# --- processes that are killed: the one that runs, one that waits, the worker ---
my $node = limits_node('faults', "restart_after_crash = on\nmax_connections = 20\n");
$node->safe_psql('postgres', "GRANT ALL ON SCHEMA public TO app; SET ROLE app; CREATE TABLE t (a int); $SPIN");
server_max_active($node, 1);
set_limits($node, 'ALTER ROLE app SET pool_advisor.max_sessions = 4; ALTER ROLE app SET pool_advisor.queue_length = 5');
my %victims = (
	'who runs' => q{SELECT pid FROM pg_stat_activity WHERE query = 'SELECT spin(1);'},
	'who waits for a turn' => q{SELECT min(pid) FROM pg_stat_activity WHERE query LIKE 'INSERT%'},
	'the worker' => q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
foreach my $victim (sort keys %victims)
{
	fill($node, 1);
	my @line = map { client($node, 'app', 'INSERT INTO t VALUES (1);') } 1 .. 3;
	wait_for_gate($node, 'waiting = 3');
	my $login = client($node, 'app', q{SELECT 'late';});
	wait_for($node, q{queued >= 4 FROM pool_advisor.roles WHERE rolname = 'app'});
	my $before = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time(), samples_total FROM pool_advisor.status');
	my $pid = $node->safe_psql('postgres', $victims{$victim});
	kill 'KILL', $pid;

	# the lock stays until those in the queue are gone: the server ends them some moments later
	finish($_) foreach @line, $login;
	let_go();
	ok(comes_true($node, 'worker_running AND samples_total > 0 FROM pool_advisor.status'),
		"killed $victim: the server and the worker are back");
	wait_for_gate($node, 'max_active = 1 AND running = 0 AND waiting = 0', "killed $victim: nobody is inside, and the limit is in force");
	wait_for_limits($node, q{rolname = 'app' AND max_sessions = 4 AND in_use = 0}, "killed $victim: so is the limit");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), 0, "killed $victim: who waited had done nothing");
}
unlike(slurp_file($node->logfile), qr/PANIC/, 'no panic in all this');

# --- the worker ends while it has raised a limit: the next one lowers it ---
my $holds = client($node, $node->safe_psql('postgres', 'SELECT current_user'), q{SELECT pg_advisory_lock(2), 'held';});
says($holds, qr/held/);
my $waits = client($node, 'app', 'SELECT pg_advisory_lock(2);');
wait_for_gate($node, 'running = 1');
fill($node, 1);
my $behind = client($node, 'app', 'SELECT 1;');
wait_for_gate($node, 'waiting = 1 AND max_active_effective = 2', 'a limit is raised');
kill 'TERM', $node->safe_psql('postgres', $victims{'the worker'});
wait_for($node, 'NOT worker_running FROM pool_advisor.status');
let_go();
finish($_) foreach $holds, $waits, $behind;
wait_for_gate($node, 'max_active_effective = 1', 'when the worker is back, it is no more');
wait_for($node, 'worker_running FROM pool_advisor.status');

# --- the extension and the role go while both are in use ---
fill($node, 1);
my $counted = client($node, 'app', q{INSERT INTO t VALUES (2); SELECT 'done';});
wait_for_gate($node, 'waiting = 1');
my $view = client($node, $node->safe_psql('postgres', 'SELECT current_user'), q{BEGIN; SELECT count(*) FROM pool_advisor.status; DECLARE c CURSOR FOR SELECT * FROM pool_advisor.history; FETCH c;});
says($view, qr/1/);
my $drop = client($node, $node->safe_psql('postgres', 'SELECT current_user'), q{DROP EXTENSION pool_advisor; SELECT 'dropped';});
wait_for($node, q{EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DROP EXTENSION%')});
goes_on($view, q{COMMIT;});
says($drop, qr/dropped/);
pass('the extension is dropped when nobody reads it any more');
finish($_) foreach $view, $drop;
let_go();
like(finish($counted), qr/done/, 'who waits for a turn knows nothing of it');
$node->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');
wait_for_gate($node, 'max_active = 1 AND running = 0 AND waiting = 0', 'limits are in force without it, and seen again with it');

$node->safe_psql('postgres', q{CREATE ROLE leaver LOGIN; ALTER ROLE leaver SET pool_advisor.max_sessions = 2; ALTER ROLE leaver SET pool_advisor.max_active = 1});
wait_for_limits($node, q{rolname = 'leaver' AND max_active = 1});
my @leavers = map { client($node, 'leaver', "SELECT 'in';") } 1 .. 2;
says($_, qr/in/) foreach @leavers;
wait_for_limits($node, q{rolname = 'leaver' AND in_use = 2});
$node->safe_psql('postgres', 'DROP ROLE leaver');
wait_for($node, q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'leaver' OR scope = 'role' AND rolname IS NULL)}, 'a role that is dropped has no limit');
goes_on($_, "SELECT 'still here';") foreach @leavers;
says($_, qr/still here/) foreach @leavers;
pass('its sessions go on');
finish($_) foreach @leavers;
nothing_left($node, 'a role that is gone');
$node->stop;

# --- a clock that steps ---
SKIP:
{
	skip 'the server is not built to be given a library', 1 if $ENV{LD_PRELOAD} || $ENV{ASAN_OPTIONS};
	my $shim = $node->basedir . '/clock_shim.so';
	my $offset = $node->basedir . '/clock_offset';

	skip 'no compiler', 1 if system_log($Config{cc}, '-shared', '-fPIC', '-o', $shim, "$FindBin::RealBin/clock_shim.c", '-ldl') != 0;
	append_to_file($offset, "0\n");
	local $ENV{LD_PRELOAD} = $shim;
	local $ENV{CLOCK_SHIM} = $offset;
	my $clock = limits_node('clock');
	delete local $ENV{LD_PRELOAD};
	$clock->safe_psql('postgres', "GRANT ALL ON SCHEMA public TO app; SET ROLE app; $SPIN");
	server_max_active($clock, 1);
	wait_for($clock, q{samples_total > 20 AND (SELECT count(*) FROM pool_advisor.history) > 0 FROM pool_advisor.status});

	foreach my $days (30, -60)
	{
		my $name = sprintf('%+d days', $days);
		fill($clock, 1);
		my $waiter = client($clock, 'app', q{SELECT 'waited';});
		wait_for_gate($clock, 'waiting = 1');
		my $samples = $clock->safe_psql('postgres', 'SELECT samples_total FROM pool_advisor.status');
		my $waited = gate($clock, 'wait_seconds_total');

		step($clock, $offset, $days);
		wait_for($clock, "samples_total > $samples + 20 AND sample_age_seconds BETWEEN 0 AND 60 FROM pool_advisor.status", "$name: sampling goes on, as of now");
		is($clock->safe_psql('postgres', q{SELECT count(*) FROM pool_advisor.status WHERE active_avg >= 0 AND coalesce(cpu_utilization, 0) BETWEEN 0 AND 1}), 1, "$name: figures are sound");
		is($clock->safe_psql('postgres', q{SELECT count(*) FROM pool_advisor.history WHERE sampled_at > clock_timestamp() + interval '1 hour'}), 0, "$name: nothing was in the future");
		let_go();
		like(finish($waiter), qr/waited/, "$name: who waits is let in");

		my $idle = client($clock, 'app', q{BEGIN; SELECT 'idle';});
		says($idle, qr/idle/);
		step($clock, $offset, 1.5 * $days);
		my $late = client($clock, 'app', q{SELECT 'past the idle one';});
		says($late, qr/past the idle one/);
		pass("$name: one that is idle in its transaction keeps nobody waiting");
		finish($_) foreach $late, $idle;
		nothing_left($clock, $name);
		cmp_ok(gate($clock, 'wait_seconds_total') - $waited, '<', 3600, "$name: no wait was counted with the step");
	}
	$clock->stop;
}

done_testing();
