# The queue of logins: how much of the server it takes, who may stand in it, and that it
# ends when the server stops or the DBA says so, without the worker too.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('queue', "max_connections = 30\nauthentication_timeout = '600s'\n");
my @clients;

sub stay
{
	my ($role, %options) = @_;
	my $client = client($node, $role, q{SELECT 'in';}, %options);

	says($client, qr/in/);
	push @clients, $client;
	return $client;
}

# One that comes to wait.
sub stand
{
	my ($role, %options) = @_;
	my $before = queued($node);

	push @clients, client($node, $role, q{SELECT 'in';}, %options);
	wait_for($node, 'coalesce(sum(queued), 0) = ' . ($before + 1) . ' FROM pool_advisor.roles');
	return $clients[-1];
}

sub login
{
	my ($role, $database) = @_;
	my ($ret, $out, $err) = $node->psql('postgres', 'SELECT 1',
		connstr => $node->connstr($database // 'postgres') . " user=$role");

	return $ret == 0 ? 'in' : $err;
}

sub all_leave
{
	hang_up($_) foreach @clients;
	@clients = ();
	wait_for($node, q{coalesce(sum(in_use), 0) = 0 FROM pool_advisor.limits WHERE scope <> 'server'});
	wait_for($node, q{coalesce(sum(queued), 0) = 0 FROM pool_advisor.roles});
	return;
}

sub reload
{
	my ($conf) = @_;

	$node->append_conf('postgresql.conf', $conf);
	$node->reload;
	return;
}

# --- one role's queue leaves connections to the others ---
my ($ret, $out, $err) = $node->psql('postgres', q{CREATE ROLE batch LOGIN;
	SELECT pool_advisor.set_limit('batch', max_sessions => 2, queue_length => 100, queue_timeout => '300 s')});
like($err, qr/WARNING:  max_sessions and queue_length together allow more than the 27 connections/,
	'set_limit warns of a queue that is longer than the server has connections');
wait_for_limits($node, q{rolname = 'batch'});
like(slurp_file($node->logfile),
	qr/WARNING:  max_sessions and queue_length of role "batch" together allow more than the 27 connections/,
	'so does the log, however it is set');
is($node->safe_psql('postgres', q{SELECT committed, queue, verdict FROM pool_advisor.budget WHERE name = 'batch'}),
	'2|100|does not fit', 'the budget counts those who wait');

my $logged = -s $node->logfile;
push @clients, map { client($node, 'batch', q{SELECT 'in';}) } 1 .. 40;
wait_for($node, q{sessions = 2 AND queued + refused_total = 38 FROM pool_advisor.roles WHERE rolname = 'batch'});
my $waiting = queued($node);
cmp_ok($waiting, '<=', 12, 'of 25 connections without a session, 12 are for logins that wait');
cmp_ok($waiting, '>=', 10, 'and are used');
is(login('app'), 'in', 'another role gets in');
is($node->safe_psql('postgres', q{SELECT queued_total FROM pool_advisor.roles WHERE rolname = 'batch'}),
	$waiting, 'only those who wait count as queued');
my $log = slurp_file($node->logfile, $logged);
like($log, qr/FATAL:  too many connections for role "batch"\n.*DETAIL:  .* \d+ logins wait, and "pool_advisor\.queue_share" \(0\.5\) allows no more: of the connections that ordinary roles can have, \d+ are without a session\./,
	'the log says why the others are refused');
like($log, qr/HINT:  Lower "pool_advisor\.queue_length", or raise "pool_advisor\.queue_share"\./, 'and what to do');
all_leave();

reload('pool_advisor.queue_share = 0');
wait_for($node, q{setting = '0' FROM pg_settings WHERE name = 'pool_advisor.queue_share'});
stay('batch') foreach 1 .. 2;
like(login('batch'), qr/FATAL:  too many connections for role "batch"/, 'a share of 0 lets nobody wait');
all_leave();
reload('pool_advisor.queue_share = 0.5');
wait_for($node, q{setting = '0.5' FROM pg_settings WHERE name = 'pool_advisor.queue_share'});

# --- who cannot come in does not stand in the queue ---
set_limits($node, q{SELECT pool_advisor.set_limit('app', max_sessions => 1, queue_length => 3, queue_timeout => '300 s');
	CREATE ROLE mallory LOGIN; CREATE ROLE friends; GRANT friends TO mallory; ALTER ROLE mallory NOINHERIT;
	CREATE ROLE friend LOGIN IN ROLE friends; CREATE ROLE nologin; CREATE ROLE zero LOGIN CONNECTION LIMIT 0;
	CREATE ROLE owner LOGIN;
	CREATE DATABASE crm OWNER owner; REVOKE ALL ON DATABASE crm FROM PUBLIC;
	GRANT CONNECT ON DATABASE crm TO app, friends, zero, nologin;
	SELECT pool_advisor.set_limit(database => 'crm', max_sessions => 2, queue_length => 3, queue_timeout => '60 s');
	CREATE DATABASE closed},
	q{EXISTS (SELECT FROM pool_advisor.limits WHERE datname = 'crm')});
if ($node->safe_psql('postgres', 'SHOW server_version_num') >= 160000)
{
	$node->safe_psql('postgres', 'GRANT friends TO mallory WITH INHERIT FALSE');
}
stay('friend', database => 'crm') foreach 1 .. 2;
like(login('mallory', 'crm'), qr/permission denied for database "crm"/,
	'who has no right to connect, as membership alone gives none, is told so at once');
like(login('nologin', 'crm'), qr/role "nologin" is not permitted to log in/, 'so is who cannot log in');
like(login('zero', 'crm'), qr/too many connections for role "zero"/, 'and whose own connection limit is 0');
is(queued($node), 0, 'none of them has waited');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pool_advisor.roles
	WHERE rolname IN ('mallory', 'nologin', 'zero') AND refused_total + queued_total > 0}), 0, 'nor is one counted');
stand('owner', database => 'crm');
stand('friend', database => 'crm');
stand('app', database => 'crm');
is(queued($node), 3, 'those stand there who may: an owner, a member, one who was named');
like(login('friend', 'crm'), qr/too many connections for database "crm"/, 'until it is full');
all_leave();
stay('app');
like(login('app', 'nowhere'), qr/database "nowhere" does not exist/, 'a database that is not there is worth no wait');
$node->safe_psql('postgres', 'ALTER DATABASE closed ALLOW_CONNECTIONS false');
like(login('app', 'closed'), qr/database "closed" is not currently accepting connections/, 'nor is one that is closed');
is(in_use($node), 1, 'and neither counts');
all_leave();

# --- a queue is for those who wait because of its limit ---
set_limits($node, q{CREATE ROLE staff; CREATE ROLE ann LOGIN IN ROLE staff; CREATE ROLE ben LOGIN IN ROLE staff;
	CREATE ROLE carl LOGIN IN ROLE staff;
	SELECT pool_advisor.set_limit('staff', max_sessions => 3, queue_length => 1, queue_timeout => '300 s');
	SELECT pool_advisor.set_limit('ann', max_sessions => 1, queue_length => 20, queue_timeout => '300 s')},
	q{count(*) = 2 FROM pool_advisor.limits WHERE rolname IN ('ann', 'staff')});
stay('ann');
stand('ann') foreach 1 .. 4;
stay('ben') foreach 1 .. 2;
my $carl = stand('carl');
pass('one waits for the group, though others of it wait for themselves');
like(login('ben'), qr/too many connections for role "ben"/, 'the next one is one too many');
finish($clients[5]);
says($carl, qr/in/);
all_leave();

# --- names that change meanwhile ---
my $gone = stay('ann');
my $renamed = stand('ann');
set_limits($node, q{ALTER ROLE ann RENAME TO anna; CREATE ROLE ann LOGIN; SELECT pool_advisor.set_limit('ann', max_sessions => 0)},
	q{max_sessions = 0 FROM pool_advisor.limits WHERE rolname = 'ann'});
finish($gone);
finish($renamed);
like($renamed->{err}, qr/too many connections for role "ann"/, 'who has waited is asked as who has the name now');
all_leave();

set_limits($node, q{CREATE DATABASE new_crm; SELECT pool_advisor.set_limit(database => 'new_crm', max_sessions => 0);
	GRANT CONNECT ON DATABASE new_crm TO app}, q{max_sessions = 0 FROM pool_advisor.limits WHERE datname = 'new_crm'});
$gone = stay('app');
my $moved = stand('app', database => 'crm');
set_limits($node, q{ALTER DATABASE crm RENAME TO old_crm; ALTER DATABASE new_crm RENAME TO crm},
	q{max_sessions = 0 FROM pool_advisor.limits WHERE datname = 'crm'});
finish($gone);
finish($moved);
like($moved->{err}, qr/too many connections for database "crm"/, 'and for the database that has the name now');
all_leave();
$node->safe_psql('postgres', 'DROP DATABASE crm');
$node->safe_psql('postgres', 'ALTER DATABASE old_crm RENAME TO crm');

# --- a database whose name has the FNV-1a hash of another's ---
$node->safe_psql('postgres', q{SELECT convert_from('\x6366666971667669061f0b020f077f7c060104050601050b', 'UTF8') AS name \gset
CREATE DATABASE :"name"});
wait_for_limits($node, q{datname = 'crm'});
stay('friend', database => 'crm') foreach 1 .. 2;
stand('friend', database => 'crm') foreach 1 .. 3;
like(login('friend', 'crm'), qr/too many connections for database "crm"/, 'takes it out of no limit');
is(in_use($node, q{datname = 'crm'}), 2, 'nobody slipped past');
all_leave();

# --- the emergency exit needs no worker ---
my $worker = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
foreach my $to ('off', 'observe')
{
	my @waiting;

	stay('app');
	push @waiting, stand('app') foreach 1 .. 2;
	kill 'STOP', $worker;
	reload("pool_advisor.enforcement = $to");
	says($_, qr/in/) foreach @waiting;
	pass("enforcement = $to lets in who waits, though the worker is stopped");
	stay('app');
	pass('and who comes');
	reload('pool_advisor.enforcement = on');
	kill 'CONT', $worker;
	wait_for_limits($node, q{rolname = 'app' AND in_use = 4}, 'all of them count, when it is on again');
	stand('app');
	pass('and the next one waits');
	all_leave();
}

# --- a smart shutdown does not wait for the queue ---
stay('app');
stand('app') foreach 1 .. 3;
my ($inside, @line) = @clients;
$logged = -s $node->logfile;
command_ok([ 'pg_ctl', 'stop', '-D', $node->data_dir, '-m', 'smart', '-W' ], 'a smart shutdown');
finish($_) foreach @line;
is(scalar(grep { $_->{err} =~ /FATAL:  the database system is shutting down/ && $_->{out} eq '' } @line), 3,
	'those who wait are told so, while a session is still there');
goes_on($inside, q{SELECT 'still ' || 'in';});
says($inside, qr/still in/);
unlike(slurp_file($node->logfile, $logged), qr/connection authorized: user=app/, 'and none of them becomes a session');
$node->stop('fast');
finish($inside);
done_testing();
