# What the machine is said to be is what its /proc and /sys say: a server that
# is shown a made-up machine takes it for real.
use strict;
use warnings FATAL => 'all';

use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
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

ok( $node->poll_query_until('postgres', 'SELECT optimal = 3 FROM pool_advisor.status'),
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
ok( $node->poll_query_until('postgres', 'SELECT optimal = 16 FROM pool_advisor.status'),
	'the setting is taken');
like(
	$node->safe_psql('postgres', q{SELECT finding FROM pool_advisor.advice WHERE code = 'hyper_threads_counted'}),
	qr/pool_advisor.cores is 8, but the server may use 4 physical cores/,
	'and doubted');

# Nothing is readable: the library's own answer is used, and says so.
$node->append_conf('postgresql.conf',
	"pool_advisor.cores = -1\npool_advisor.system_root = '$root/nowhere'");
$node->reload;
ok( $node->poll_query_until('postgres', q{
	SELECT source LIKE 'sysconf%' FROM pool_advisor.hardware WHERE fact = 'logical CPUs'}),
	'without /proc and /sys sysconf is asked');
ok( $node->poll_query_until('postgres', 'SELECT optimal >= 2 FROM pool_advisor.status'),
	'and there is still a number');
is(fact('spindles'),
	'unknown | no disk was found; pool_advisor.spindles can say how many there are',
	'disks are not guessed');

# The real machine again
$node->append_conf('postgresql.conf', "pool_advisor.system_root = ''");
$node->reload;
ok( $node->poll_query_until('postgres', 'SELECT cpu_utilization >= 0 FROM pool_advisor.status'),
	'the real machine is read again');

$node->stop;
done_testing();
