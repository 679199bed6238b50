# The life of the worker: it is there from the start, comes back when it ends,
# takes a reload, and goes with the server.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor qw(poll);
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('worker');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_advisor'
restart_after_crash = on
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');

sub worker_pid
{
	return $node->safe_psql('postgres',
		q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
}

# A sample that was taken after now.
sub sampling_goes_on
{
	my ($name) = @_;
	my $now = $node->safe_psql('postgres', 'SELECT clock_timestamp()');

	ok( poll($node, "SELECT worker_running AND sampled_at > '$now' FROM pool_advisor.status"),
		$name);
}

sampling_goes_on('samples are taken after a start');
is( $node->safe_psql('postgres',
		q{SELECT datname IS NULL FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'}),
	't', 'the worker is connected to no database');

# Ended by a DBA: the postmaster starts it again.
my $pid = worker_pid();
my $logged = -s $node->logfile;
is($node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)"), 't', 'cancel sent');
is($node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)"), 't', 'terminate sent');
ok( poll($node, q{SELECT NOT worker_running FROM pool_advisor.status}),
	'a worker that is gone is not said to run');
like(
	$node->safe_psql('postgres', 'SELECT string_agg(code, $$ $$) FROM pool_advisor.advice'),
	qr/sampling_stopped/, 'and advice says so');
cmp_ok(
	$node->safe_psql('postgres', 'SELECT sessions FROM pool_advisor.status'),
	'>=', 0, 'the last sample can still be read');
sampling_goes_on('samples are taken after TERM');
isnt(worker_pid(), $pid, 'by another process');
unlike(slurp_file($node->logfile, $logged), qr/crash|PANIC/, 'which was no crash');

# A crash of the worker is a crash of the server, which recovers.
$pid = worker_pid();
kill('KILL', $pid);
ok( poll($node, qq{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler' AND pid <> $pid}),
	'the server comes back after KILL');
sampling_goes_on('samples are taken after KILL');
isnt(worker_pid(), $pid, 'by another process');

# A reload takes effect at once, also when the interval was long.
$node->append_conf('postgresql.conf', "pool_advisor.sample_interval = '10s'");
$node->reload;
ok( poll($node, q{SELECT explain LIKE '%looked at every 10000 ms%' FROM pool_advisor.explain() LIMIT 1}),
	'a longer interval is taken');
$node->append_conf('postgresql.conf', "pool_advisor.sample_interval = '20ms'");
$node->reload;
ok( poll($node, q{SELECT explain LIKE '%looked at every 20 ms%' FROM pool_advisor.explain() LIMIT 1}),
	'and a shorter one, without waiting the longer one out');

# A bad value is refused and the old one stays.
$node->append_conf('postgresql.conf', "pool_advisor.sample_interval = '1h'");
$logged = -s $node->logfile;
$node->reload;
$node->wait_for_log(qr/invalid value for parameter|outside the valid range/, $logged);
is($node->safe_psql('postgres', 'SHOW pool_advisor.sample_interval'), '20ms', 'a bad value is refused');
sampling_goes_on('and sampling goes on');
$node->adjust_conf('postgresql.conf', 'pool_advisor.sample_interval', '100ms');

# 'fast' and 'immediate' stops do not wait for the worker.
foreach my $mode ('fast', 'immediate')
{
	$node->stop($mode);
	$node->start;
	sampling_goes_on("samples are taken after a stop in mode $mode");
}
$node->stop('smart');
unlike(slurp_file($node->logfile), qr/PANIC/, 'no panic in all this');

done_testing();
