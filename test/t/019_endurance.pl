# Ten thousand samples do not make the worker grow.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor qw(poll);
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('endurance');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_advisor'
pool_advisor.sample_interval = '1ms'
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');

my $pid = $node->safe_psql('postgres',
	q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});

plan skip_all => 'needs /proc' unless -r "/proc/$pid/status";

# Private memory: shared pages come in as they are touched, which is no leak.
sub private_kilobytes
{
	return slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m ? $1 : die 'no RssAnon';
}

sub samples_taken
{
	return $node->safe_psql('postgres', 'SELECT samples_total FROM pool_advisor.status');
}

# Sessions, roles, databases and waits come and go meanwhile.
sub take_samples
{
	my ($count) = @_;
	my $until = samples_taken() + $count;
	my $round = 0;

	while (samples_taken() < $until)
	{
		$round++;
		$node->safe_psql('postgres', <<"SQL");
CREATE ROLE padv_$round LOGIN SUPERUSER;
CREATE DATABASE padv_$round;
SQL
		$node->safe_psql("padv_$round", 'CREATE TABLE t AS SELECT g FROM generate_series(1, 100) g',
			extra_params => [ '-U', "padv_$round" ]);
		$node->safe_psql('postgres', "DROP DATABASE padv_$round");
		$node->safe_psql('postgres', "DROP ROLE padv_$round");
	}
	return $round;
}

# what is allocated lazily is there after the first thousand
take_samples(1000);
my $before = private_kilobytes();
my $rounds = take_samples(10000);
my $after = private_kilobytes();

note("$before kB before, $after kB after $rounds rounds");
cmp_ok($rounds, '>', 3, 'sessions, roles and databases came and went');
cmp_ok($after - $before, '<', 256, 'the worker did not grow');
is( $node->safe_psql('postgres',
		q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'}),
	$pid, 'it is still the same process');

# The worker must not hold up those that wait for all processes to catch up.
$node->safe_psql('postgres', <<'SQL');
DO $$
BEGIN
    FOR i IN 1..3000 LOOP
        EXECUTE 'CREATE TEMP TABLE padv_temp (a int, b text)';
        EXECUTE 'DROP TABLE padv_temp';
        COMMIT;
    END LOOP;
END $$;
SQL
ok( poll($node, 'SELECT worker_running AND sample_age_seconds < 60 FROM pool_advisor.status'),
	'it survives many invalidations');

$node->stop;
done_testing();
