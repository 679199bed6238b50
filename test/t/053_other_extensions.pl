# Other extensions hook the same places, loaded before us or after us: each of them sees
# what it would see alone.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my @others = qw(pg_stat_statements auto_explain auth_delay);
my %orders = (first => [ 'pool_advisor', @others ], last => [ @others, 'pool_advisor' ]);

foreach my $place (sort keys %orders)
{
	my $node = limits_node("loaded_$place");
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '" . join(', ', @{ $orders{$place} }) . "'\n" . <<'CONF');
pg_stat_statements.track_planning = on
auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
auth_delay.milliseconds = 10
CONF

	# what is refused there comes to auth_delay, and to us, as a failure
	unlink($node->data_dir . '/pg_hba.conf');
	$node->append_conf('pg_hba.conf', "local all turned_away reject\nlocal all all trust\n");
	$node->restart;
	$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION pg_stat_statements;
CREATE ROLE turned_away LOGIN;
ALTER ROLE app IN DATABASE postgres SET plan_cache_mode = force_generic_plan;
GRANT ALL ON SCHEMA public TO app;
SET ROLE app;
CREATE TABLE t (a int);
$SPIN
SQL
	server_max_active($node, 1);

	fill($node, 1);
	my $logged = -s $node->logfile;
	my @waiting = map { client($node, 'app', $_) } 'SELECT count(*) AS waited FROM t;', 'CREATE TABLE made_in_line ();',
	  'PREPARE p AS SELECT 1 AS prepared; EXECUTE p; EXECUTE p; EXECUTE p;';
	wait_for_gate($node, 'waiting = 3', "loaded $place: they wait");
	let_go();
	finish($_) foreach @waiting;
	is(join('', map { $_->{err} } @waiting), '', "loaded $place: and go on without an error");
	nothing_left($node, "loaded $place");

	is($node->safe_psql('postgres', q{SELECT string_agg(calls || ' ' || rows, ', ' ORDER BY query COLLATE "C")
		FROM pg_stat_statements WHERE query ~ '^(CREATE TABLE made|PREPARE p AS|SELECT count.+ AS waited)'}),
		'1 0, 3 3, 1 1', "loaded $place: pg_stat_statements counts each once");
	my $log = slurp_file($node->logfile, $logged);
	is(scalar(() = $log =~ /Query Text: SELECT count\(\*\) AS waited FROM t/g), 1, "loaded $place: auto_explain logs its plan");
	is(scalar(() = $log =~ /Query Text: PREPARE p/g), 3, "loaded $place: and that of a prepared one");

	set_limits($node, 'ALTER ROLE app SET pool_advisor.max_sessions = 1');
	my ($ret, $out, $err) = try_login($node, 'turned_away');
	like($err, qr/pg_hba.conf rejects connection/, "loaded $place: a login that fails is core's to refuse");
	my $inside = client($node, 'app', q{SELECT 'inside';});
	says($inside, qr/inside/);
	($ret, $out, $err) = try_login($node, 'app');
	like($err, qr/too many connections for role "app"/, "loaded $place: one too many is ours");
	finish($inside);
	wait_for_limits($node, q{rolname = 'app' AND in_use = 0}, "loaded $place: and each place is given back");
	$node->stop;
}

done_testing();
