# A standby samples like a primary, through promotion too.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;
use Time::HiRes qw(sleep);

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "shared_preload_libraries = 'pool_advisor'");
$primary->start;
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'pool_advisor.connections_per_core = 4');
$standby->start;

$primary->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');
$primary->wait_for_catchup($standby);

sub sampling_goes_on
{
	my ($name) = @_;
	my $now = $standby->safe_psql('postgres', 'SELECT clock_timestamp()');

	ok( poll($standby, "SELECT worker_running AND sampled_at > '$now' FROM pool_advisor.status"),
		$name);
}

sampling_goes_on('a standby samples');
# the session that asks stays active long enough to be seen
ok( poll($standby, q{
	SELECT pg_sleep(0.2)::text = '' AND (SELECT active_max >= 1 FROM pool_advisor.status)}),
	'its own sessions');
is( $standby->safe_psql('postgres',
		'SELECT count(*) FROM pool_advisor.optimal WHERE explanation LIKE $$% * 4 connections per core%$$'),
	'1', 'with its own settings');
is( $primary->safe_psql('postgres', q{
	SELECT count(*) FROM pg_stat_replication r
	WHERE (SELECT sessions FROM pool_advisor.status) >= 0}),
	'1', 'the standby is connected');
ok( poll($primary, 'SELECT idle = 0 FROM pool_advisor.status'),
	'but its walsender is no session of the primary');
$standby->psql('postgres', 'SELECT * FROM pool_advisor.advice');
is( $standby->safe_psql('postgres', q{
	SELECT (SELECT count(*) FROM pool_advisor.hardware) > 0
	   AND (SELECT count(*) FROM pool_advisor.explain()) > 8
	   AND (SELECT count(*) FROM pool_advisor.metrics) > 50
	   AND (SELECT pool_advisor.openmetrics()) LIKE '%# EOF'
	   AND (SELECT status FROM pool_advisor.check_load(1000, 1000)) = 0
	   AND (SELECT count(*) FROM pool_advisor.advice WHERE code = 'sampling_stopped') = 0}),
	't', 'every view can be read');

# one transaction of the primary writes for long, and replay stops under it
my $writer = admin($primary);
$writer->ask('BEGIN');
$writer->ask('CREATE TABLE pile (number int)');
foreach (1 .. 25)
{
	$writer->ask('INSERT INTO pile SELECT generate_series(1, 500)');
	sleep(0.2);
}
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$writer->ask('INSERT INTO pile SELECT generate_series(1, 5000)');
wait_for($standby, 'pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()');
unlike($standby->safe_psql('postgres', 'SELECT pool_advisor.agent_check(4)'), qr/^up 0%/,
	'5 s without a commit of the primary are no lag');
wait_for($standby, q{pool_advisor.agent_check(4) LIKE 'up 0\%%'}, 'replay that stops is');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
wait_for($standby, q{pool_advisor.agent_check(4) NOT LIKE 'up 0\%%'}, 'until it goes on');
$writer->ask('ROLLBACK');

my $pid = $standby->safe_psql('postgres',
	q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
$standby->promote;
sampling_goes_on('promotion does not stop it');
is( $standby->safe_psql('postgres',
		q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'}),
	$pid, 'nor start another worker');

$standby->stop;
$primary->stop;
done_testing();
