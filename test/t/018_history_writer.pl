# The process that writes the history's file: while it waits for a disk that stalls
# (t/fsync_shim.c), the worker samples on, oversees the gate and answers barriers; there
# is one at a time; and it comes later where no process can be started.
use strict;
use warnings FATAL => 'all';

use Config;
use FindBin;
use lib $FindBin::RealBin;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $stall = PostgreSQL::Test::Utils::tempdir . '/stall';
my $cannot_start = qr/LOG:  could not start the process that writes the history of pool_advisor/;

# Poll for what no query can tell.
sub until_true
{
	my ($what, $name) = @_;

	foreach (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return pass($name) if $what->();
		select(undef, undef, undef, 0.01);
	}
	return fail($name);
}

# The history writers of a server, by the titles of its children.
sub writers
{
	my ($node) = @_;
	my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
	my @found;

	foreach my $stat (glob '/proc/[0-9]*/stat')
	{
		my ($pid) = $stat =~ /(\d+)/;
		my $line = eval { slurp_file($stat) } // next;
		my $title = eval { slurp_file("/proc/$pid/cmdline") } // next;

		push @found, $pid if $line =~ /\) \S (\d+) / && $1 == $postmaster && $title =~ /pool_advisor history writer/;
	}
	return @found;
}

# Who has synced the file, in order.
sub done
{
	my @pids = -e "$stall.log" ? split(/\n/, slurp_file("$stall.log")) : ();

	return @pids;
}

# Who waits in a sync; its file is there a moment before the number is in it.
sub stuck_pid
{
	my $text = eval { slurp_file("$stall.pid") } // '';

	return $text =~ /^(\d+)\n/ ? $1 : 0;
}

sub grows
{
	my ($node, $name) = @_;
	my $samples = $node->safe_psql('postgres', 'SELECT samples_total FROM pool_advisor.status');

	wait_for($node, "samples_total > $samples + 20 FROM pool_advisor.status", $name);
	return;
}

sub newest
{
	my ($node) = @_;

	return $node->safe_psql('postgres', q{SELECT coalesce(max(sampled_at), '-infinity') FROM pool_advisor.history});
}

# A reset makes the worker write the file, within about a second.
sub reset_and_stall
{
	my ($node) = @_;

	append_to_file($stall, '');
	$node->safe_psql('postgres', q{SELECT pool_advisor.reset('history')});
	until_true(\&stuck_pid, 'after a reset the file is written, and the disk stalls');
	return;
}

my $shim = PostgreSQL::Test::Utils::tempdir . '/fsync_shim.so';
plan skip_all => 'no compiler'
  if system_log($Config{cc}, '-shared', '-fPIC', '-o', $shim, "$FindBin::RealBin/fsync_shim.c", '-ldl') != 0;

$ENV{LD_PRELOAD} = $shim;
$ENV{FSYNC_SHIM} = $stall;
my $node = limits_node('writer', "fsync = on\npool_advisor.sample_interval = '20ms'\n");
my $file = $node->data_dir . '/pg_stat/pool_advisor.history';
delete $ENV{LD_PRELOAD};

server_max_active($node, 1);
wait_for($node, 'count(*) > 2 FROM pool_advisor.history');
reset_and_stall($node);
is_deeply([ writers($node) ], [ stuck_pid() ], 'it is a process of its own');
is( $node->safe_psql('postgres', 'SELECT count(*) FROM pg_stat_activity WHERE pid = ' . stuck_pid()),
	0, 'which is no session');
grows($node, 'the worker samples on');
wait_for($node, 'count(*) > 2 FROM pool_advisor.history', 'and so does the history');

# The gate opens for others than one who is idle in its transaction.
my $idle = client($node, 'app', q{BEGIN; SELECT 'inside';});
says($idle, qr/inside/);
my $other = client($node, 'app', q{SELECT 'let in';});
says($other, qr/let in/);
pass('the worker oversees the gate');
is(stuck_pid() > 0, 1, 'while the disk still stalls');
finish($_) foreach $idle, $other;

# Both need an answer of each process that has a database, or reached the catalogs.
$node->safe_psql('postgres', 'CREATE DATABASE barrier');
$node->safe_psql('postgres', 'DROP DATABASE barrier');
is(stuck_pid() > 0, 1, 'the worker answers barriers');

# What is asked for meanwhile is written afterwards, by one process at a time.
my $stuck = stuck_pid();
$node->safe_psql('postgres', q{SELECT pool_advisor.reset('history')});
grows($node, 'another reset');
is_deeply([ writers($node) ], [$stuck], 'starts no other one');

# Nor does another worker.
my $logged = -s $node->logfile;
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
$node->wait_for_log(qr/history of pool_advisor was not written when its worker ended/, $logged);
wait_for($node, 'worker_running FROM pool_advisor.status', 'a worker that ends does not wait for it forever');
grows($node, 'the next worker samples');
is_deeply([ writers($node) ], [$stuck], 'and starts no other one');
is(scalar(done()), 0, 'until now nothing is written');
unlink $stall or die $!;
until_true(sub { done() == 2 }, 'when the disk goes on, the file is written twice');
my @done = done();
is($done[0], $stuck, 'once by the one that was stuck');
isnt($done[1], $stuck, 'and once more, for the reset that came meanwhile');
until_true(sub { !writers($node) }, 'then nobody is left');
ok(-s $file && !-e "$file.tmp", 'and there is one file');

# A shutdown waits for the one that is at it, and writes what is newer.
reset_and_stall($node);
wait_for($node, 'count(*) > 2 FROM pool_advisor.history');
my $newest = newest($node);
$logged = -s $node->logfile;
my $mender = IPC::Run::start(
	[ $^X, '-e', 'do { select undef, undef, undef, 0.02; open $f, "<", $ARGV[0]; seek $f, $ARGV[1], 0; local $/; $_ = <$f> } until /fast shutdown request/; unlink $ARGV[2]',
		$node->logfile, $logged, $stall ]);
$node->stop;
$mender->finish;
ok(!-e "$file.tmp", 'after a shutdown there is one file');
$node->start;
is($node->safe_psql('postgres', "SELECT count(*) FROM pool_advisor.history WHERE sampled_at = '$newest' AND resolution = '1 s'"),
	1, 'with all there was');
unlike(slurp_file($node->logfile), qr/PANIC|could not/, 'nothing went wrong');

# No slot is free: one other process can be started, and a query has it.
$node->append_conf('postgresql.conf', <<'CONF');
max_worker_processes = 2
max_logical_replication_workers = 0
CONF
$node->restart;
server_max_active($node, 'off');
$node->safe_psql('postgres', q{
	CREATE TABLE wide AS SELECT g FROM generate_series(1, 10000) g;
	ALTER TABLE wide SET (parallel_workers = 1)});
my $hog = client($node, $node->safe_psql('postgres', 'SELECT current_user'), q{
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SELECT count(pg_sleep(1000)) FROM wide;});
wait_for($node, q{count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'parallel worker'}, 'a query has the last slot');
$logged = -s $node->logfile;
my $inode = (stat $file)[1];
$node->safe_psql('postgres', q{SELECT pool_advisor.reset('history')});
$node->wait_for_log($cannot_start, $logged);
pass('it is said that no process could be started');
grows($node, 'the worker goes on');
is((stat $file)[1], $inode, 'nothing is written');
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1000)%' AND pid <> pg_backend_pid()});
finish($hog);
$node->wait_for_log(qr/keeps its history in file .* again/, $logged);
pass('as soon as there is a slot, the file is written');
isnt((stat $file)[1], $inode, 'as can be seen');
is(scalar(() = slurp_file($node->logfile, $logged) =~ /$cannot_start/g), 1, 'the first was said once');
$node->stop;

done_testing();
