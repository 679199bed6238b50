# doc/uninstall.md is done as it stands there: its commands, in its order, leave nothing; and an
# upgrade keeps what it says is kept. What a shell does as root is done in a folder here.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Readme;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my $page = "$top/doc/uninstall.md";
my $root = PostgreSQL::Test::Utils::tempdir;
my $pg_config = $ENV{PG_CONFIG} // 'pg_config';
my $node = limits_node('uninstall');
my $data = $node->data_dir;

sub files_in
{
	my ($folder) = @_;

	return split /\n/, (run_command([ 'find', $folder, '-type', 'f' ]))[0];
}

sub make
{
	my (@target) = @_;
	my ($out, $err);

	# its own settings are not those of the make that runs the tests
	local @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)} = ('', '', '');
	return IPC::Run::run([ 'make', '-s', '-C', $top, "PG_CONFIG=$pg_config", "DESTDIR=$root", @target ],
		'<', \undef, '>', \$out, '2>', \$err);
}

# A block of the page, done.
sub carry_out
{
	my ($block) = @_;
	my $text = join "\n", @{ $block->{lines} };
	my $name = "line $block->{line}: $block->{lines}[0]";

	if ($block->{language} eq 'sql')
	{
		foreach my $database ($text =~ /EXTENSION/ ? qw(postgres shop) : 'postgres')
		{
			my ($code, $out, $err) = $node->psql($database, "$text\n", on_error_stop => 1);

			is($code, 0, "$name, in $database") or diag($err);
		}
		return;
	}
	if ($block->{language} eq '')
	{
		$node->append_conf('postgresql.conf', $text);
		return;
	}
	foreach my $line (@{ $block->{lines} })
	{
		$line =~ s/^sudo //;
		if ($line =~ /^systemctl restart/) { $node->restart }
		elsif ($line =~ /^make ?(.*)/) { ok(make(split / /, $1), $name) }
		else
		{
			local $ENV{PGDATA} = $data;
			is(system('sh', '-c', $line), 0, $name);
		}
	}
	return;
}

sub blocks_of
{
	my ($heading) = @_;
	my @blocks = grep { $_->{heading} eq $heading } readme_blocks($page);

	cmp_ok(scalar(@blocks), '>', 2, "$heading: there is something to do");
	return @blocks;
}

# All that is there, by name; what the page promises to remove.
sub traces
{
	my %trace = (
		limits => $node->safe_psql('postgres', q{SELECT string_agg(setconfig::text, ' ') FROM pg_db_role_setting WHERE setconfig::text ~* 'pool_advisor'}),
		rights => $node->safe_psql('postgres', q{SELECT string_agg(parname, ' ') FROM pg_parameter_acl WHERE parname ~ 'pool_advisor'}),
		settings => join('', grep { /pool_advisor\./ } map { slurp_file("$data/$_") } 'postgresql.auto.conf'),
		history => join(' ', glob "$data/pg_stat/pool_advisor*"),
		library => $node->safe_psql('postgres', 'SHOW shared_preload_libraries'),
		processes => $node->safe_psql('postgres', q{SELECT string_agg(backend_type, ' ') FROM pg_stat_activity WHERE backend_type ~ 'pool_advisor'}),
		files => join(' ', files_in($root)),
	);

	$trace{'foreign servers'} = $node->safe_psql('postgres', q{SELECT string_agg(srvname, ' ') FROM pg_foreign_server WHERE srvname ~ 'pool_advisor'});
	$trace{jobs} = $node->safe_psql('postgres', q{SELECT string_agg(jobname, ' ') FROM cron.job WHERE jobname ~ 'pool_advisor'})
	  if $node->safe_psql('postgres', q{SELECT to_regclass('cron.job') IS NOT NULL}) eq 't';
	foreach my $database (qw(postgres shop))
	{
		$trace{"objects in $database"} = $node->safe_psql($database,
			q{SELECT string_agg(nspname, ' ') FROM pg_namespace WHERE nspname ~ 'pool_advisor'});
	}
	return %trace;
}

sub session_of_app
{
	return try_login($node, 'app');
}

#
# Much to be removed: limits on every place, one of them without effect.
#
$node->safe_psql('postgres', $_) foreach (
	'CREATE DATABASE shop', 'CREATE ROLE "Odd "" name" LOGIN', 'CREATE ROLE setter',
	'ALTER SYSTEM SET pool_advisor.server_max_active = 50', 'ALTER SYSTEM SET pool_advisor.limit_scale = 1',
	'GRANT SET ON PARAMETER pool_advisor.max_sessions TO setter WITH GRANT OPTION', 'CREATE ROLE helper',
	'SET SESSION AUTHORIZATION setter; GRANT SET ON PARAMETER pool_advisor.max_sessions TO helper WITH GRANT OPTION',
	'SET SESSION AUTHORIZATION helper; GRANT SET ON PARAMETER pool_advisor.max_sessions TO app',
	'ALTER ROLE app SET pool_advisor.queue_notice_after = 1', 'ALTER ROLE ALL IN DATABASE shop SET pool_advisor.queue_notice_after = 2',

	# as they can be stored while the library is not loaded
	q{INSERT INTO pg_db_role_setting SELECT 0, 'helper'::regrole, ARRAY['Pool_Advisor.Max_Active=3', 'Pool_Advisor.Nonsense=5', 'work_mem=6MB']});
$node->safe_psql('shop', 'CREATE EXTENSION pool_advisor');
$node->safe_psql('shop', q{SELECT pool_advisor.declare_pool('web', 'hikaricp', 4, 10)});
set_limits($node, q{
	ALTER ROLE app SET pool_advisor.max_sessions = 0;
	ALTER ROLE app IN DATABASE shop SET pool_advisor.max_active = 3;
	ALTER ROLE "Odd "" name" SET pool_advisor.max_sessions = 2;
	ALTER ROLE setter SET pool_advisor.queue_length = 5;
	ALTER DATABASE shop SET pool_advisor.max_sessions = 9;
	ALTER DATABASE postgres SET pool_advisor.queue_timeout = '9 s';
	ALTER ROLE app SET work_mem = '5MB';
	ALTER ROLE ALL SET pool_advisor.max_sessions = 30}, '7 = count(*) FROM pool_advisor.limits WHERE scope <> $$server$$');
isnt(session_of_app(), 0, 'a limit is in force');
$node->restart;
ok(-e "$data/pg_stat/pool_advisor.history", 'there is a history');

#
# An upgrade keeps limits.
#
my $LIMITS = q{SELECT scope, rolname, datname, max_sessions, queue_length, queue_timeout, max_active, enforcement, gate_enforcement
	FROM pool_advisor.limits ORDER BY 1, 2, 3};

wait_for($node, '7 = count(*) FROM pool_advisor.limits WHERE scope <> $$server$$');
my $limits = $node->safe_psql('postgres', $LIMITS);
my $stored = { traces() }->{limits};
carry_out($_) foreach blocks_of('Upgrade');
wait_for($node, '7 = count(*) FROM pool_advisor.limits WHERE scope <> $$server$$');
is($node->safe_psql('postgres', $LIMITS), $limits, 'after an upgrade the limits are the same');
is({ traces() }->{limits}, $stored, 'and so is what is stored');
isnt(session_of_app(), 0, 'they are in force');
is($node->safe_psql('shop', 'SELECT name FROM pool_advisor.declared_pools'), 'web', 'declared pools are there');

#
# Nothing is left, neither of incidents nor of a hub; for jobs a table stands in for pg_cron.
#
append_to_file("$data/pg_stat/pool_advisor.incidents", 'x');
$node->safe_psql('postgres', $_) foreach (
	'CREATE SCHEMA cron',
	'CREATE TABLE cron.job (jobid bigint, jobname text)',
	q{CREATE FUNCTION cron.unschedule(id bigint) RETURNS bool LANGUAGE sql
		AS 'WITH gone AS (DELETE FROM cron.job WHERE jobid = id RETURNING 1) SELECT count(*) = 1 FROM gone'},
	$node->safe_psql('postgres', q{SELECT pool_advisor.fleet_config('postgres_fdw', ARRAY['one=host=127.0.0.1 user=u password=p'])}),
	'CREATE SERVER of_others FOREIGN DATA WRAPPER postgres_fdw',
	q{INSERT INTO cron.job VALUES (1, 'pool_advisor_fleet_one'), (2, 'of others')});
my %before = traces();

isnt($before{$_}, '', "before: $_") foreach sort keys %before;
carry_out($_) foreach blocks_of('Uninstall');
my %after = traces();

is($after{$_}, '', "after: $_") foreach sort keys %after;
is(session_of_app(), 0, 'nobody is limited any more');
is($node->safe_psql('postgres', q{SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'app'::regrole}),
	'{work_mem=5MB}', 'other settings of the role are as they were');
is($node->safe_psql('postgres', q{SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'helper'::regrole}),
	'{work_mem=6MB}', 'also where names are in other letters');
is($node->safe_psql('postgres', 'SELECT srvname FROM pg_foreign_server UNION ALL SELECT jobname FROM cron.job'),
	"of_others\nof others", 'and so are servers and jobs of others');
$node->stop;
done_testing();
