# What the machine is said to be is what its /proc and /sys say: a server that
# is shown a made-up machine takes it for real.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('machine');
my $root = PostgreSQL::Test::Utils::tempdir;

sub machine_file
{
	my ($path, $content) = @_;

	(my $folder = "$root$path") =~ s{/[^/]*$}{};
	make_path($folder);
	append_to_file("$root$path", $content);
}

# 4 cores with two hyper-threads each, in a container with 1.5 CPUs' time
machine_file('/sys/devices/system/cpu/online', "0-7\n");
foreach my $cpu (0 .. 7)
{
	machine_file("/sys/devices/system/cpu/cpu$cpu/topology/core_cpus_list",
		sprintf("%d,%d\n", $cpu % 4, $cpu % 4 + 4));
}
machine_file('/proc/self/status', "Name:\tpostgres\nCpus_allowed_list:\t0-7\n");
machine_file('/proc/self/cgroup', "0::/box\n");
machine_file('/proc/self/mountinfo',
	"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
machine_file('/sys/fs/cgroup/box/cpu.max', "150000 100000\n");

$node->init;
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'pool_advisor'
pool_advisor.system_root = '$root/'
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');

sub fact
{
	my ($fact) = @_;
	return $node->safe_psql('postgres',
		"SELECT value || ' | ' || source FROM pool_advisor.hardware WHERE fact = '$fact'");
}

ok( poll($node, 'SELECT optimal = 3 FROM pool_advisor.status'),
	'the formula takes the quota: 1.5 * 2');
is(fact('physical cores'),
	'4 | /sys/devices/system/cpu/cpu*/topology, CPUs of one core counted once',
	'hyper-threads are counted once');
is(fact('CPU quota'),
	'1.5 CPUs | 150000 us of CPU time every 100000 us, /sys/fs/cgroup/box/cpu.max',
	'the quota has quota, period and file');
is(fact('cores granted'),
	'1.5 | the smaller of 4 physical cores allowed and the quota of 1.5 CPUs',
	'and what follows from them');
like(fact('data directory'), qr{^device 8:1, unknown to /sys \|}, 'a device that is not there is named');
is($node->safe_psql('postgres', 'SELECT cpu_utilization, run_queue_ratio FROM pool_advisor.status'),
	'|', 'what cannot be read is NULL');

# A DBA who counts hyper-threads is told.
$node->append_conf('postgresql.conf', 'pool_advisor.cores = 8');
$node->reload;
ok( poll($node, 'SELECT optimal = 16 FROM pool_advisor.status'),
	'the setting is taken');
like(
	$node->safe_psql('postgres', q{SELECT finding FROM pool_advisor.advice WHERE code = 'hyper_threads_counted'}),
	qr/pool_advisor.cores is 8, but the server can use 4 physical cores/,
	'and doubted');

# Nothing is readable: the library's own answer is used, and says so.
$node->append_conf('postgresql.conf',
	"pool_advisor.cores = -1\npool_advisor.system_root = '$root/nowhere'");
$node->reload;
ok( poll($node, q{
	SELECT source LIKE 'sysconf%' FROM pool_advisor.hardware WHERE fact = 'logical CPUs'}),
	'without /proc and /sys sysconf is asked');
ok( poll($node, 'SELECT optimal >= 2 FROM pool_advisor.status'),
	'and there is still a number');
is(fact('spindles'),
	'unknown | no disk was found; pool_advisor.spindles can say how many there are',
	'disks are not guessed');

# A process that has the pid of a session that is gone is not ours, whatever it does.
my $processes = PostgreSQL::Test::Utils::tempdir;

sub runs_for
{
	my ($pid, $seconds) = @_;

	make_path("$processes/proc/$pid");
	append_to_file("$processes/proc/$pid/new", "${seconds}000000000 0 1\n");
	rename("$processes/proc/$pid/new", "$processes/proc/$pid/schedstat") or die "cannot rename: $!";
	return;
}

sub cores
{
	my ($condition) = @_;
	return "$condition FROM (SELECT split_part(value, ' ', 1)::float8 AS cores"
	  . q{ FROM pool_advisor.hardware WHERE fact = 'CPU used by the server') AS f};
}

$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
my @sessions = map { client($node, 'app', q{SELECT pg_backend_pid() || ' is it';}) } 0 .. 5;
says($_, qr/is it/) foreach @sessions;
my ($stays, @gone) = map { $_->{out} =~ /(\d+)/ } @sessions;
finish($_) foreach @sessions[ 1 .. 5 ];
my $worker = $node->safe_psql('postgres',
	q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
runs_for($_, 1) foreach $worker, $stays, @gone;
$node->append_conf('postgresql.conf', "pool_advisor.system_root = '$processes'");
$node->reload;
wait_for($node, cores('cores = 0'));
runs_for($_, 1000001) foreach @gone;
runs_for($stays, 2);
wait_for($node, cores('cores > 0'));
is($node->safe_psql('postgres', 'SELECT ' . cores('cores < 100')), 't',
	'processes with the pids of sessions that are gone do not count');
finish($sessions[0]);

# The real machine again
$node->append_conf('postgresql.conf', "pool_advisor.system_root = ''");
$node->reload;
ok( poll($node, 'SELECT cpu_utilization >= 0 FROM pool_advisor.status'),
	'the real machine is read again');

$node->stop;
done_testing();
