# Limits follow the catalogs: groups, renames, drops, dumps, a standby, reloads;
# and when the catalogs cannot be read, everybody is let in.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('catalog');
my $logged;
my @clients;

# Who is let in now, and who is not.
sub gets_in
{
	my ($role, $name, %options) = @_;
	my $at = $options{node} // $node;
	my ($ret) = try_login($at, $role, $options{database});

	is($ret, $options{refused} ? 2 : 0, $name);
	return;
}

sub is_refused { my ($role, $name, %options) = @_; return gets_in($role, $name, %options, refused => 1); }

# A session that stays, and is in.
sub stay
{
	my ($role, %options) = @_;
	my $client = client($options{node} // $node, $role, 'SELECT 1;', %options);

	$client->{run}->pump until $client->{out} =~ /1/;
	push @clients, $client;
	return $client;
}

# One that has to wait for it.
sub stay_in_line
{
	my ($role) = @_;
	my $client = client($node, $role, 'SELECT 1;');

	wait_for($node, q{sum(queued) = 1 FROM pool_advisor.roles});
	push @clients, $client;
	return $client;
}

sub all_leave
{
	finish($_) foreach @clients;
	@clients = ();
	wait_for($node, q{count(*) = 0 FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
	return;
}

# Nested groups: their members have one limit together, beside their own.
set_limits($node, q{
	CREATE ROLE company; CREATE ROLE team IN ROLE company; CREATE ROLE ann LOGIN IN ROLE team;
	CREATE ROLE ben LOGIN IN ROLE team; CREATE ROLE cleo LOGIN; CREATE ROLE dba LOGIN SUPERUSER IN ROLE team;
	ALTER ROLE team SET pool_advisor.max_sessions = 2; ALTER ROLE company SET pool_advisor.max_sessions = 3;
	ALTER ROLE ann SET pool_advisor.max_sessions = 1; },
	q{count(*) = 3 FROM pool_advisor.limits});
stay('ann');
is_refused('ann', 'a member is under its own limit');
stay('ben');
is_refused('ben', 'and under its group\'s, with the others');
gets_in('dba', 'a superuser is not refused');
stay('dba');
is(in_use($node, q{rolname = 'team'}), 2, 'nor counted');
gets_in('cleo', 'who is no member is not under it');
stay('cleo');
$node->safe_psql('postgres', 'GRANT team TO cleo');
wait_for_limits($node, q{rolname = 'company' AND in_use = 3},
	'a membership that is granted counts at once, for those who are in, too');
is_refused('cleo', 'and refuses');
$node->safe_psql('postgres', 'REVOKE team FROM cleo');
wait_for_limits($node, q{rolname = 'company' AND in_use = 2}, 'one that is revoked no longer does');
gets_in('cleo', 'nor does it refuse');
$node->safe_psql('postgres', 'REVOKE team FROM ben');
wait_for_limits($node, q{rolname = 'team' AND in_use = 1}, 'a session leaves its group');
all_leave();

# A limit of an exempt role has no effect, and takes no connections.
my $server_queue = q{SELECT queue FROM pool_advisor.budget WHERE scope = 'server'};
my $queue_before = $node->safe_psql('postgres', $server_queue);
set_limits($node, q{ALTER ROLE dba SET pool_advisor.max_sessions = 1; ALTER ROLE dba SET pool_advisor.queue_length = 500;
	ALTER ROLE dba IN DATABASE postgres SET pool_advisor.max_sessions = 1},
	q{count(*) = 2 FROM pool_advisor.limits WHERE rolname = 'dba' AND enforcement = 'exempt'});
is($node->safe_psql('postgres', q{SELECT count(*) FROM pool_advisor.budget WHERE name ~ 'dba'}), 0, 'budget leaves out the limit of an exempt role');
is($node->safe_psql('postgres', $server_queue), $queue_before, 'and its queue');
set_limits($node, 'ALTER ROLE dba RESET ALL; ALTER ROLE dba IN DATABASE postgres RESET ALL',
	q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'dba')});

# Rename, drop, the same name again.
stay('ann');
$node->safe_psql('postgres', 'ALTER ROLE ann RENAME TO anna');
is_refused('anna', 'the limit follows a rename, and so does who is in');
all_leave();
set_limits($node, 'DROP ROLE anna; CREATE ROLE ann LOGIN', q{count(*) = 2 FROM pool_advisor.limits});
stay('ann');
gets_in('ann', 'a new role of the same name has no limit');
all_leave();

# Renamed while one of that name waits in the queue: who comes in is who has the name then.
set_limits($node, q{ALTER ROLE ann SET pool_advisor.max_sessions = 1; ALTER ROLE ann SET pool_advisor.queue_length = 1},
	q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'ann')});
my $first = client($node, 'ann', 'SELECT 1;');
wait_for_limits($node, q{rolname = 'ann' AND in_use = 1});
my $renamed = stay_in_line('ann');
set_limits($node, 'ALTER ROLE ann RENAME TO anna; CREATE ROLE ann LOGIN IN ROLE team',
	q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'anna')});
finish($first);
wait_for_limits($node, q{rolname = 'team' AND in_use = 1}, 'who waited is a member of the new role\'s groups');
is(in_use($node, q{rolname = 'anna'}), 0, 'and not counted for the old one');
gets_in('anna', 'which has its place');
all_leave();
set_limits($node, 'DROP ROLE anna', q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'anna')});

# Databases, and a role in one.
$node->safe_psql('postgres', 'CREATE DATABASE crm');
stay('app', database => 'crm');
set_limits($node, q{
	ALTER DATABASE crm SET pool_advisor.max_sessions = 2;
	ALTER ROLE app IN DATABASE crm SET pool_advisor.max_sessions = 1},
	q{count(*) = 2 FROM pool_advisor.limits WHERE datname = 'crm'});
is(in_use($node, q{datname = 'crm' AND rolname = 'app'}), 1, 'who was in before the limit was set is counted');
is_refused('app', 'a role in a database', database => 'crm');
gets_in('app', 'but not elsewhere');
stay('ben', database => 'crm');
is_refused('ben', 'a database, whoever comes', database => 'crm');
all_leave();
set_limits($node, 'ALTER DATABASE crm RENAME TO crm2', q{count(*) = 2 FROM pool_advisor.limits WHERE datname = 'crm2'});
stay('app', database => 'crm2');
is_refused('app', 'the limit follows the database', database => 'crm2');
all_leave();
set_limits($node, 'DROP DATABASE crm2', q{count(*) = 0 FROM pool_advisor.limits WHERE datname IS NOT NULL});

# The privileges of a database, and the password of a group, that are so long that they are in a TOAST table,
# which a login cannot read.
sub told
{
	my ($role, $database) = @_;
	my ($status, undef, $said) = try_login($node, $role, $database);

	return "$status $said";
}
set_limits($node, q{
	CREATE DATABASE crm; CREATE ROLE friends; CREATE ROLE dan LOGIN IN ROLE friends;
	DO $$ BEGIN FOR i IN 1 .. 600 LOOP
		EXECUTE format('CREATE ROLE many%s; GRANT CONNECT ON DATABASE crm TO many%s', i, i);
	END LOOP; END $$;
	SET allow_system_table_mods = on;
	UPDATE pg_authid SET rolpassword = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) AS i) WHERE rolname = 'friends';
	ALTER DATABASE crm SET pool_advisor.max_sessions = 1; ALTER ROLE friends SET pool_advisor.max_sessions = 1},
	q{count(*) = 2 FROM pool_advisor.limits WHERE datname = 'crm' OR rolname = 'friends'});
stay('ben', database => 'crm');
stay('dan');
$logged = -s $node->logfile;
like(told('app', 'crm'), qr/^2 .*too many connections for database "crm"/s, 'a database with many privileges refuses as any other');
like(told('dan', 'postgres'), qr/^2 .*too many connections for role "dan"/s, 'and so does a group');
like(slurp_file($node->logfile, $logged), qr/limit of database "crm" is full.*limit of role "friends" and its members is full/s, 'the log names them');
set_limits($node, q{ALTER DATABASE crm SET pool_advisor.queue_length = 1; ALTER DATABASE crm SET pool_advisor.queue_timeout = '100ms'},
	q{queue_length = 1 FROM pool_advisor.limits WHERE datname = 'crm'});
like(told('app', 'crm'), qr/^2 .*too many connections for database "crm"/s, 'also after a wait');
$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.enforcement = 'observe'; SELECT pg_reload_conf()});
wait_for_limits($node, q{datname = 'crm' AND enforcement = 'observe'});
gets_in('app', 'and lets in where limits are observed', database => 'crm');
gets_in('dan', 'as a group does');
$node->safe_psql('postgres', q{ALTER SYSTEM RESET pool_advisor.enforcement; SELECT pg_reload_conf()});
wait_for_limits($node, q{datname = 'crm' AND enforcement = 'on'});
all_leave();
set_limits($node, q{DROP DATABASE crm; DROP ROLE friends;
	DO $$ BEGIN FOR i IN 1 .. 600 LOOP EXECUTE format('DROP ROLE many%s', i); END LOOP; END $$},
	q{count(*) = 0 FROM pool_advisor.limits WHERE datname IS NOT NULL OR rolname = 'friends'});

# The default of all, from the configuration file and from ALTER ROLE ALL.
$node->append_conf('postgresql.conf', 'pool_advisor.max_sessions = 2');
$node->reload;
wait_for_limits($node, q{scope = 'default' AND max_sessions = 2});
stay('app');
stay('app');
is_refused('app', 'the default in the configuration file is for each role');
gets_in('ben', 'each has its own');
set_limits($node, q{ALTER ROLE ALL SET pool_advisor.max_sessions = 3},
	q{max_sessions = 3 FROM pool_advisor.limits WHERE scope = 'default'});
gets_in('app', 'ALTER ROLE ALL overrides it');
set_limits($node, q{ALTER ROLE ben SET pool_advisor.max_sessions = 4},
	q{max_sessions = 4 FROM pool_advisor.limits WHERE rolname = 'ben'});
stay('ben') foreach 1 .. 4;
is_refused('ben', 'and a role its own');
all_leave();

# A grant of a role does not take its own sessions out of the default, whatever else is set on it.
foreach my $number (qw(max_active active_weight))
{
	set_limits($node, "ALTER ROLE app SET pool_advisor.$number = 50; GRANT app TO ben",
		q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'app' AND scope = 'group')});
	stay('app') foreach 1 .. 3;
	is_refused('app', "a role with members and $number is under the default");
	is($node->safe_psql('postgres', q{SELECT max_sessions FROM pool_advisor.roles WHERE rolname = 'app'}), 3, 'and is shown so');
	is(in_use($node, q{scope = 'default'}), 3, 'and counted so');
	stay('ben');
	all_leave();
	set_limits($node, 'ALTER ROLE app SET pool_advisor.max_sessions = 4', q{max_sessions = 4 FROM pool_advisor.limits WHERE rolname = 'app'});
	stay('app') foreach 1 .. 4;
	is_refused('ben', 'its own number is for all members together');
	all_leave();
	set_limits($node, 'REVOKE app FROM ben; ALTER ROLE app RESET ALL', q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'app')});
}

# Nobody is thrown out when a limit goes below what is in use.
set_limits($node, q{ALTER ROLE app SET pool_advisor.max_sessions = 5},
	q{max_sessions = 5 FROM pool_advisor.limits WHERE rolname = 'app'});
stay('app') foreach 1 .. 5;
set_limits($node, q{ALTER ROLE app SET pool_advisor.max_sessions = 2},
	q{max_sessions = 2 FROM pool_advisor.limits WHERE rolname = 'app'});
is($node->safe_psql('postgres', q{SELECT in_use || ' ' || headroom FROM pool_advisor.limits WHERE rolname = 'app'}),
	'5 0', 'a limit below what is in use throws nobody out');
finish(shift @clients) foreach 1 .. 3;
wait_for_limits($node, q{rolname = 'app' AND in_use = 2});
is_refused('app', 'and lets nobody in until there is room');
finish(shift @clients);
wait_for_limits($node, q{rolname = 'app' AND in_use = 1});
gets_in('app', 'then it does');
all_leave();

# Observe: all is counted, nobody refused; off: nothing is done.
$node->append_conf('postgresql.conf', "pool_advisor.enforcement = observe");
$node->reload;
$logged = -s $node->logfile;
wait_for($node, q{count(*) = 1 FROM pool_advisor.limits WHERE rolname = 'app'});
stay('app') foreach 1 .. 2;
wait_for($node, q{pg_sleep(0.5) IS NOT NULL});
my $refused = q{SELECT refused_total FROM pool_advisor.roles WHERE rolname = 'app'};
my $would_refuse = q{SELECT would_refuse_total FROM pool_advisor.roles WHERE rolname = 'app'};
my $refused_before = $node->safe_psql('postgres', $refused);
my $would_before = $node->safe_psql('postgres', $would_refuse);
gets_in('app', "observe lets in session $_ of 30 beyond the limit") foreach 1 .. 30;
is($node->safe_psql('postgres', $would_refuse) - $would_before, 30, 'but counts them');
is($node->safe_psql('postgres', $refused), $refused_before, 'as not refused');
my $reports = () = slurp_file($node->logfile, $logged) =~ /would be refused, but limits are only observed/g;
cmp_ok($reports, '>=', 1, 'the log says so');
cmp_ok($reports, '<=', 15, 'but not each time');
$node->append_conf('postgresql.conf', "pool_advisor.enforcement = off");
$node->reload;
wait_for($node, q{pg_sleep(0.5) IS NOT NULL});
gets_in('app', 'off refuses nobody');
is($node->safe_psql('postgres', $would_refuse) - $would_before, 30, 'and counts nobody');
$node->append_conf('postgresql.conf', "pool_advisor.enforcement = on");
$node->reload;
wait_for($node, q{pg_sleep(0.5) IS NOT NULL});
is_refused('app', 'on again, those who came meanwhile count');
all_leave();

# A dump has all limits.
my $dump = PostgreSQL::Test::Utils::tempdir . '/globals.sql';
command_ok([ 'pg_dumpall', '-h', $node->host, '-p', $node->port, '--globals-only', '-f', $dump ], 'pg_dumpall');
my $limits = q{SELECT string_agg(l::text, E'\n' ORDER BY l::text) FROM
	(SELECT scope, rolname, datname, max_sessions FROM pool_advisor.limits) l};
my $before = $node->safe_psql('postgres', $limits);
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->append_conf('postgresql.conf', "shared_preload_libraries = 'pool_advisor'\npool_advisor.max_sessions = 2");
$other->start;
$other->command_ok([ 'psql', '-Xq', '-d', $other->connstr('postgres'), '-f', $dump ], 'the dump is loaded');
$other->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');
$before =~ s/^.*default.*$//m;
my @expected = grep { $_ ne '' } split /\n/, $before;
poll($other, 'SELECT count(*) >= ' . @expected . ' FROM pool_advisor.limits');
my @after = grep { !/default/ } split /\n/, $other->safe_psql('postgres', $limits);
is_deeply([ sort @after ], [ sort @expected ], 'and has every limit');
$other->stop;

# A standby has the same limits, with a scale of its own, within a second.
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
# no transaction on a standby is serializable, which a client has to know
$standby->append_conf('postgresql.conf', "pool_advisor.limit_scale = 0.5\ndefault_transaction_isolation = 'serializable'");
$standby->start;
$node->wait_for_catchup($standby);
$ENV{PGOPTIONS} = '-c default_transaction_isolation=repeatable\ read';
wait_for($standby, q{max_sessions = 1 FROM pool_advisor.limits WHERE rolname = 'app'}, 'a standby scales a limit');
my $there = client($standby, 'app', 'SELECT 1;');
$there->{run}->pump until $there->{out} =~ /1/;
is_refused('app', 'and enforces it', node => $standby);
$node->safe_psql('postgres', 'ALTER ROLE app SET pool_advisor.max_sessions = 4');
wait_for($standby, q{max_sessions = 2 FROM pool_advisor.limits WHERE rolname = 'app'}, 'a change is replayed');
gets_in('app', 'and lets in', node => $standby);
delete $ENV{PGOPTIONS};
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT in_use FROM pool_advisor.limits WHERE rolname = 'app'}),
	1, 'promotion loses no count');
finish($there);
$standby->stop;

# Unreadable: the database of the setting is not there.
$node->append_conf('postgresql.conf', "pool_advisor.database = 'nowhere'");
$logged = -s $node->logfile;
$node->restart;
gets_in('app', "without the database, session $_ is let in") foreach 1 .. 3;
stay('app') foreach 1 .. 5;
my @said = slurp_file($node->logfile, $logged) =~ /All sessions are admitted/g;
is(scalar @said, 1, 'the log says so once');
wait_for($node, q{EXISTS (SELECT FROM pool_advisor.advice WHERE code = 'limits_unreadable')}, 'and so does advice');
$node->safe_psql('postgres', 'CREATE DATABASE nowhere');
wait_for_limits($node, q{rolname = 'app' AND in_use = 5}, 'when it is there, all are counted');
is_refused('app', 'and limits are in force');
all_leave();
$node->append_conf('postgresql.conf', "pool_advisor.database = 'postgres'");
$node->reload;
$node->safe_psql('postgres', 'DROP DATABASE nowhere');

# The way out needs no catalog: here nobody can connect to the setting's database.
set_limits($node, q{CREATE DATABASE held; ALTER ROLE app SET pool_advisor.max_sessions = 1},
	q{max_sessions = 1 FROM pool_advisor.limits WHERE rolname = 'app'});
my $holder = client($node, 'dba', 'BEGIN; ALTER DATABASE held RENAME TO still_held; SELECT 1;');
$holder->{run}->pump until $holder->{out} =~ /1/;
stay('app');
is_refused('app', 'a limit is in force');
$logged = -s $node->logfile;
$node->append_conf('postgresql.conf', "pool_advisor.database = 'held'\npool_advisor.enforcement = off");
$node->reload;
{
	local $ENV{PGUSER} = 'app';
	ok(poll($node, 'SELECT true'),
		'enforcement = off lets in although nothing can be read');
}
unlike(slurp_file($node->logfile, $logged), qr/All sessions are admitted/, 'not because nothing can be read');
finish($holder);
all_leave();
$node->append_conf('postgresql.conf', "pool_advisor.database = 'postgres'\npool_advisor.enforcement = on");
$node->reload;

# Unreadable: no worker slot.  Ours takes the only one.
$node->append_conf('postgresql.conf', "max_worker_processes = 1\nmax_logical_replication_workers = 0");
$logged = -s $node->logfile;
$node->restart;
gets_in('app', 'without a worker slot, a session is let in');
stay('app') foreach 1 .. 5;
@said = slurp_file($node->logfile, $logged) =~ /All sessions are admitted/g;
is(scalar @said, 1, 'the log says so once');
all_leave();

# Nor one for the worker itself; only the first waits for it.
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$logged = -s $node->logfile;
$node->restart;
gets_in('dba', 'without a worker, a superuser gets in');
gets_in('app', "and so does session $_") foreach 1 .. 3;
@said = slurp_file($node->logfile, $logged) =~ /All sessions are admitted/g;
is(scalar @said, 1, 'the log says so once');
$node->stop;
done_testing();
