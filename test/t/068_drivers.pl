# Drivers and their pools while the server refuses, closes, keeps waiting and cancels: each caller goes
# on by itself afterwards, no transaction is half done, and no driver hangs. All of them side by side.
# doc/drivers.md says what an application must set for that; the applications in test/pools/ do.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Applications;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

# Callers and connections of each, and how long a transaction pauses between its two rows.
my $CALLERS = 3;
my $SECONDS = 0.2;

my $programs = "$FindBin::RealBin/../pools";
my $node = limits_node('drivers', "max_connections = 100\nlog_statement = none\n");
my @python = '/usr/bin/python3';
my @ruby = (package_file('usr/bin/ruby3.1'), "$programs/ruby_app.rb");

applications_of($node);
my $go_app = build_go();

# asyncpg before 0.29 loses a connection of its pool when a timeout ends as it becomes free, and callers wait for it.
sub asyncpg_loses { return !runs_here(@python, '-c', 'import asyncpg; assert tuple(map(int, asyncpg.__version__.split(".")[:2])) >= (0, 29)'); }

# Its role, how it is started, with "cancels" whether a caller can end a statement by itself, and with "loses" whether
# the pool may have a connection less.
my @DRIVERS = (
	{ name => 'psycopg2', there => runs_here(@python, '-c', 'import sqlalchemy, psycopg2'), cancels => 1,
		command => [ @python, "$programs/sqlalchemy_app.py" ], settings => [ "pool_size=$CALLERS", 'max_overflow=0', 'pool_pre_ping=1' ] },
	{ name => 'psycopg', there => runs_here(@python, '-c', 'import psycopg_pool'), cancels => 1,
		command => [ @python, "$programs/psycopg_pool_app.py" ], settings => [ "min_size=$CALLERS", "max_size=$CALLERS", 'timeout=2' ] },
	{ name => 'asyncpg', there => runs_here(@python, '-c', 'import asyncpg'), cancels => 1, loses => asyncpg_loses(),
		command => [ @python, "$programs/asyncpg_app.py" ], settings => [ "min_size=$CALLERS", "max_size=$CALLERS", 'timeout=30' ] },
	{ name => 'django', there => runs_here(@python, '-c', 'import django, gunicorn, psycopg2'),
		command => [ @python, "$programs/django_app.py" ], settings => [ "threads=$CALLERS", 'CONN_MAX_AGE=600' ] },
	{ name => 'pq', there => $go_app, cancels => 1, command => [ $go_app, 'pq' ], settings => [$CALLERS] },
	{ name => 'pgx', there => $go_app, cancels => 1, command => [ $go_app, 'pgx' ], settings => [$CALLERS] },
	{ name => 'pgxpool', there => $go_app, cancels => 1, command => [ $go_app, 'pgxpool' ], settings => ["pool_max_conns=$CALLERS"] },
	{ name => 'sequel', there => runs_here($ruby[0], '-e', 'require "sequel"; require "pg"'), cancels => 1,
		command => [ @ruby, 'sequel' ], settings => ["max_connections=$CALLERS"] },
	{ name => 'rails', there => runs_here($ruby[0], '-e', 'require "active_record"; require "pg"'), cancels => 1,
		command => [ @ruby, 'rails' ], settings => ["pool=$CALLERS"] },
	{ name => 'node', there => runs_here('node', '-e', 'require("pg")'), cancels => 1,
		command => [ 'node', "$programs/node_postgres_app.js" ], settings => [ "max=$CALLERS", 'connectionTimeoutMillis=5000' ] },
	{ name => 'knex', there => runs_here('node', '-e', 'require("knex"); require("pg")'), cancels => 1,
		command => [ 'node', "$programs/knex_app.js" ], settings => [ 'min=0', "max=$CALLERS" ] },
	{ name => 'sequelize', there => runs_here('node', '-e', 'require("sequelize"); require("pg")'),
		command => [ 'node', "$programs/sequelize_app.js" ], settings => [ 'min=0', "max=$CALLERS" ] },
	{ name => 'prisma', there => prisma_there(),
		command => [ 'node', "$programs/prisma_app.js" ], settings => [ "max=$CALLERS", 'connectionTimeoutMillis=5000' ] });
my @there = grep { $_->{there} } @DRIVERS;

$node->safe_psql('postgres', "CREATE ROLE drivers; CREATE TABLE entry (owner name DEFAULT current_user, amount int);"
	  . 'GRANT INSERT, SELECT ON entry TO drivers;'
	  . join('', map { "CREATE ROLE $_->{name} LOGIN IN ROLE drivers;" } @there));

# --- what happens to all of them ---

sub each_driver { my ($sql) = @_; $node->safe_psql('postgres', join('', map { $sql =~ s/ROLE_NAME/$_->{name}/gr } @there)); return; }

sub counts { my ($driver) = @_; return command($driver->{name}, 'report'); }

sub instruct { my ($what, @drivers) = @_; command($_->{name}, $what) foreach @drivers ? @drivers : @there; return; }

# How often callers got an error like this.
sub errors_like
{
	my ($counts, $error) = @_;
	my $sum = 0;

	$sum += $counts->{errors}{$_} foreach grep { /$error/ } keys %{ $counts->{errors} };
	return $sum;
}

sub remember { $_->{before} = counts($_) // { done => [ (0) x $CALLERS ], errors => {} } foreach @there; return; }

# Whether each caller of each ends calls well again.
sub all_go_on
{
	my ($after) = @_;
	my %start = map { $_->{name} => counts($_) // { done => [ (0) x $CALLERS ] } } @there;
	my @stuck;

	foreach my $driver (@there)
	{
		my $counts;
		next if comes_about($driver->{name}, sub {
			$counts = counts($driver) or return 0;
			return !grep { $counts->{done}[$_] <= $start{ $driver->{name} }{done}[$_] } 0 .. $CALLERS - 1; });
		push @stuck, join(' ', "$driver->{name}:", explain($counts // 'has ended'));
	}
	is("@stuck", '', "$after: each caller of each driver goes on");
	return;
}

# Errors since remember(), with the driver.
sub new_errors
{
	return join ' ', map {
		my $count = errors_like(counts($_), '.') - errors_like($_->{before}, '.');
		$count ? "$_->{name} $count" : () } grep { !$_->{loses} } @there;
}

# Whether callers of each of these get the error, while something is done again and again. remember() was called before.
sub get_errors
{
	my ($error, $name, $again, @drivers) = @_;
	my @without;

	foreach my $driver (@drivers)
	{
		my $counts;
		next if comes_about($driver->{name}, sub {
			$again->();
			$counts = counts($driver) or return 0;
			return errors_like($counts, $error) > errors_like($driver->{before}, $error); });
		push @without, join(' ', "$driver->{name}:", explain($counts));
	}
	is("@without", '', $name);
	return;
}

sub nothing { return; }

my $OURS = q{usename IN (SELECT rolname FROM pg_roles WHERE pg_has_role(oid, 'drivers', 'MEMBER') AND NOT rolsuper)};

# Whether each has a connection for each caller again.
sub all_connect
{
	my ($after) = @_;
	my $lossy = join(',', map { "'$_->{name}'" } grep { $_->{loses} } @there) || 'NULL';
	my $missing = "coalesce(string_agg(usename || ' ' || count, ', ' ORDER BY usename), '') FROM (SELECT rolname AS usename, count(pid)"
	  . " FROM pg_roles LEFT JOIN pg_stat_activity ON usename = rolname WHERE pg_has_role(rolname, 'drivers', 'MEMBER')"
	  . " AND NOT rolsuper AND rolcanlogin GROUP BY rolname HAVING count(pid) < $CALLERS - CASE WHEN rolname IN ($lossy) THEN 1 ELSE 0 END) AS short";

	comes_about('', sub { admin($node)->value("SELECT $missing") eq '' });
	is(admin($node)->value("SELECT $missing"), '', "$after: each has all its connections");
	return;
}

# The sessions of each driver, a line for each.
sub pids
{
	return split /\\n|\n/, admin($node)->value("SELECT string_agg(line, E'\\n' ORDER BY line) FROM (SELECT usename || ' ' || string_agg(pid::text, ' ' ORDER BY pid)"
		  . " AS line FROM pg_stat_activity WHERE $OURS GROUP BY usename) AS lines");
}

# Each driver has a transaction in the queue.
sub wait_for_queue { wait_for($node, "count(DISTINCT usename) = " . @there . " FROM pg_stat_activity WHERE $OURS AND wait_event_type = 'Extension'"); return; }

SKIP:
{
	skip 'no driver can be had', 1 unless @there;
	start_application($_->{name}, $_->{name}, @{ $_->{command} }, 'transfer', $CALLERS, $SECONDS, @{ $_->{settings} }) foreach @there;
	all_go_on('at the start');

	#
	# Logins: one session may be, one may wait, the third is refused
	#
	each_driver(q{ALTER ROLE ROLE_NAME SET pool_advisor.max_sessions = 1; ALTER ROLE ROLE_NAME SET pool_advisor.queue_length = 1;
		ALTER ROLE ROLE_NAME SET pool_advisor.queue_timeout = '300ms';});
	wait_for($node, "count(*) = " . @there . q{ FROM pool_advisor.limits WHERE max_sessions = 1});
	remember();
	admin($node)->value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE $OURS");
	# psycopg_pool logs in again by itself, and its callers share what it has meanwhile
	get_errors('53300|too many connections|[Tt]imeout', 'logins that are refused are errors', \&nothing, grep { $_->{name} ne 'psycopg' } @there);
	each_driver('SELECT pool_advisor.clear_limit(\'ROLE_NAME\');');
	wait_for($node, 'count(*) = 0 FROM pool_advisor.limits');
	all_go_on('after refused logins');
	all_connect('after refused logins');

	#
	# The server closes idle sessions
	#
	instruct('pause');
	each_driver(q{ALTER ROLE ROLE_NAME SET pool_advisor.min_sessions = 0; ALTER ROLE ROLE_NAME SET pool_advisor.session_idle_timeout = '500ms';});
	wait_for($node, "count(*) = 0 FROM pg_stat_activity WHERE $OURS AND state = 'idle'");
	each_driver('SELECT pool_advisor.clear_limit(\'ROLE_NAME\');');
	wait_for($node, 'count(*) = 0 FROM pool_advisor.limits');
	remember();
	instruct('resume');
	all_go_on('after idle sessions were closed');
	foreach my $driver (@there)
	{
		my $errors = errors_like(counts($driver), '.') - errors_like($driver->{before}, '.');
		note "$driver->{name}: $errors errors";
		cmp_ok($errors, '<=', 2 * $CALLERS, "$driver->{name}: hardly more errors than closed connections");
	}

	#
	# The queue of transactions: refused (the server keeps the connection, some pools do not), with a notice, cancelled, given up
	#
	all_connect('after idle sessions were closed');
	my %pids = map { $_ => 1 } pids();
	server_max_active($node, 1);
	work($node, 1);
	remember();
	$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.transaction_queue_timeout = '300ms'});
	$node->reload;
	get_errors('53300', 'a transaction that is refused is an error', \&nothing, @there);
	note 'with other connections afterwards: ', join(' ', map { /^(\S+)/ && !$pids{$_} ? $1 : () } pids());
	$node->safe_psql('postgres', q{ALTER SYSTEM RESET pool_advisor.transaction_queue_timeout; ALTER SYSTEM SET pool_advisor.queue_notice_after = '100ms'});
	$node->reload;
	wait_for_queue();
	wait_for($node, 'min(longest_wait_seconds) > 0.3 FROM pool_advisor.gate');
	# the last ones that were refused have told their callers
	comes_about('', sub { remember(); sleep 1; new_errors() eq '' });
	stop_work($node);
	all_go_on('after a wait in the queue');
	is(new_errors(), '', 'with a notice, and no error');

	work($node, 1);
	wait_for_queue();
	remember();
	# again and again: SQLAlchemy and Active Record test a connection first, and when that is cancelled they open another
	get_errors('57014|canceling', 'a wait that is cancelled is an error',
		sub { admin($node)->value("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE $OURS AND wait_event_type = 'Extension'") }, @there);
	stop_work($node);
	all_go_on('after cancelled waits');

	my @cancelling = grep { $_->{cancels} } @there;
	# first the deadline, because a call that waits already has none
	remember();
	instruct('deadline 0.5', @cancelling);
	work($node, 1);
	get_errors('57014|[Tt]imeout|[Dd]eadline', 'a caller gives up', \&nothing, @cancelling);
	instruct('deadline 0', @cancelling);
	stop_work($node);
	all_go_on('after callers gave up');

	#
	# In the end
	#
	foreach my $driver (@there)
	{
		my $counts = counts($driver);

		note "$driver->{name}: ", explain($counts);
		is(admin($node)->value("SELECT sum(amount) FROM entry WHERE owner = '$driver->{name}'"), 0, "$driver->{name}: no transaction is half done");
	}
}

$node->stop;
done_testing();
