# The view gate has a row for each queue: the server's, and one for each limit on transactions.
# A waiter is in the row of the limit that it waits for, and what becomes of it is counted there.
#
# Slots are held by sessions that compute, and each wait is seen before the next step.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('gate_queues', "max_connections = 60\n");
my $admin = admin($node);
my $PATIENCE = $PostgreSQL::Test::Utils::timeout_default;

$node->safe_psql('postgres', 'CREATE ROLE other LOGIN; CREATE ROLE team; CREATE ROLE member LOGIN IN ROLE team; CREATE ROLE watcher LOGIN IN ROLE pg_monitor');

# What is true of the row of a queue.
sub queue_is
{
	my ($queue, $condition, $name) = @_;

	ok(true_within($node, $PATIENCE, "$condition FROM pool_advisor.gate WHERE $queue"), $name)
	  or diag($admin->value("SELECT string_agg(g::text, E'\\n') FROM pool_advisor.gate AS g"));
	return;
}

sub of_queue
{
	my ($queue, $column) = @_;

	return $admin->value("SELECT $column FROM pool_advisor.gate WHERE $queue");
}

sub rows { return $admin->value(q{SELECT string_agg(concat_ws(' ', scope, rolname, datname), ', ') FROM pool_advisor.gate}); }

my $server = q{scope = 'server'};
my $app = q{scope = 'role' AND rolname = 'app'};

# --- which rows there are ---
is(rows(), 'server', 'without a limit the server has a row');
is(of_queue($server, q{concat_ws(' ', max_active, in_use, waiting, longest_wait_seconds, wait_p50_seconds IS NULL, holder_pid IS NULL, state)}),
	'-1 0 0 0 t t off', 'which says so');
server_max_active($node, 3);
$admin->value(q{SELECT pool_advisor.set_limit('app', max_active => 1)});
$admin->value(q{SELECT pool_advisor.set_limit('team', max_active => 2)});
$admin->value(q{SELECT pool_advisor.set_limit(database => 'postgres', max_active => 40)});
$admin->value(q{SELECT pool_advisor.set_limit('other', max_sessions => 30)});
ok(true_within($node, $PATIENCE, q{count(*) = 4 FROM pool_advisor.gate}), 'each limit on transactions has one');
is(rows(), 'server, role app, group team, database postgres', 'the server is first');

# --- a waiter is where it waits ---
work($node, 1, 'app');
queue_is($app, 'running = 1 AND in_use = 1 AND waiting = 0', 'a transaction runs under its limit');
queue_is($server, 'running = 1', 'and under that of the server');
queue_is(q{scope = 'database'}, 'running = 1', 'and of its database');
my @of_app = map { wire($node, 'app')->simple('SELECT 1') } 1 .. 2;
queue_is($app, 'waiting = 2', 'two wait for the limit of the role');
queue_is($server, 'waiting = 0', 'and not for that of the server');
work($node, 2, 'other');
queue_is($server, 'running = 3', 'the server is full');
my @of_other = map { wire($node, 'other')->simple('SELECT 1') } 1 .. 3;
queue_is($server, 'waiting = 3', 'three more wait for the server');
queue_is($app, 'waiting = 2 AND longest_wait_seconds > 0', 'and two for the role');
my $longest = of_queue($app, 'longest_wait_seconds');
queue_is($app, "longest_wait_seconds > $longest", 'their wait grows');

# --- who holds the slots ---
my $holder = $admin->value(q{SELECT pid FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%generate_series%'});
is(of_queue($app, 'holder_pid'), $holder, 'the holder of the slot of the role');
is(of_queue($app, 'holder_role'), 'app', 'its role');
is(of_queue($server, 'holder_pid'), $holder, 'it has had a slot of the server for longest');
queue_is($server, 'holder_seconds > 0 AND holder_seconds < 3600', 'and for how long');
is(of_queue(q{scope = 'group'}, 'holder_pid IS NULL AND holder_role IS NULL AND holder_seconds IS NULL'), 't', 'a limit without transactions has none');

# --- what is counted ---
my @counters = qw(waited_total granted_total refused_total timed_out_total cancelled_total);
is($admin->value('SELECT ' . join(' + ', map { "sum($_)" } @counters) . ' FROM pool_advisor.gate'), 0, 'nothing is counted while they wait');
$admin->value("SELECT pg_cancel_backend($of_other[0]{pid})");
is($of_other[0]->result->{error}, '57014', 'a wait is canceled');
queue_is($server, 'cancelled_total = 1 AND waiting = 2', 'and counted where it waited');
$admin->value(q{SELECT pool_advisor.set_limit('app', transaction_queue_length => 2)});
wait_for_limits($node, q{rolname = 'app' AND transaction_queue_length = 2});
is(wire($node, 'app')->simple('SELECT 1')->result->{error}, '53300', 'a third is refused');
queue_is($app, 'refused_total = 1 AND waiting = 2', 'and counted there');
$admin->value(q{SELECT pool_advisor.set_limit('app', transaction_queue_timeout => '50 ms')});
is($of_app[0]->result->{error}, '53300', 'a wait times out');
is($of_app[1]->result->{error}, '53300', 'and another');
queue_is($app, 'timed_out_total = 2 AND cancelled_total = 2 AND refused_total = 1', 'counted there; a change of limits has not cleared the rest');
is(of_queue($server, q{concat_ws(' ', refused_total, timed_out_total)}), '0 0', 'and nowhere else');
$admin->value(q{SELECT pool_advisor.set_limit('app', transaction_queue_timeout => '0')});
wait_for_limits($node, q{rolname = 'app' AND transaction_queue_timeout = interval '0'});
@of_app = map { wire($node, 'app')->simple('SELECT 1') } 1 .. 2;
queue_is($app, 'waiting = 2', 'two wait again');

# limits before and behind it in the list come and go
$admin->value(qq{CREATE ROLE "$_"; SELECT pool_advisor.set_limit('$_', max_active => 7)}) foreach qw(more and_more);
$admin->value(q{SELECT pool_advisor.clear_limit('team')});
ok(true_within($node, $PATIENCE, 'count(*) = 5 FROM pool_advisor.gate'), 'other limits come and go');
queue_is($app, 'timed_out_total = 2 AND cancelled_total = 2 AND refused_total = 1 AND waiting = 2', 'its counters stay with it');
is($admin->value(q{SELECT sum(refused_total + cancelled_total) FROM pool_advisor.gate WHERE rolname IN ('more', 'and_more')}), '0', 'new ones begin at 0');
stop_work($node);
is($_->result->{error}, undef, 'a waiter runs') foreach @of_app, @of_other[ 1, 2 ];
is($admin->value('SELECT sum(waiting), sum(waited_total), sum(wait_seconds_total) > 0 FROM pool_advisor.gate'), '0|4|t', 'that is counted once');
is($admin->value('SELECT bool_or(wait_p50_seconds > 0) AND bool_and(wait_p99_seconds >= wait_p50_seconds) FROM pool_advisor.gate'), 't', 'and what they waited');
is($admin->value('SELECT bool_and(in_use = running + retained) FROM pool_advisor.gate'), 't', 'slots are in use by transactions or retained');

# --- the default: a queue for each role ---
$admin->value("SELECT pool_advisor.clear_limit('$_')") foreach qw(app other more and_more);
$admin->value(q{SELECT pool_advisor.clear_limit(database => 'postgres')});
server_max_active($node, 'off');
$admin->value('SELECT pool_advisor.set_limit(max_active => 1)');
wait_for_limits($node, q{scope = 'default' AND max_active = 1});
work($node, 1, 'app');
my $waiting = wire($node, 'app')->simple('SELECT 1');
queue_is(q{scope = 'default' AND rolname = 'app'}, 'running = 1 AND waiting = 1', 'the default has a queue for each role');
my $member = wire($node, 'member');
is($member->value('SELECT 1'), '1', 'another role');
queue_is(q{scope = 'default' AND rolname = 'member'}, 'waiting = 0 AND max_active = 1', 'has its own');
is($admin->value(q{SELECT count(*) FROM pool_advisor.gate WHERE rolname = current_user}), '0', 'a superuser has none');
stop_work($node);
is($waiting->result->{error}, undef, 'the waiter runs');

# --- reset, and who may look ---
$admin->value(q{SELECT pool_advisor.reset()});
is($admin->value('SELECT sum(waited_total + granted_total + cancelled_total + refused_total + timed_out_total) FROM pool_advisor.gate'), '0', 'reset() clears the counters');
is($admin->value('SELECT count(wait_p50_seconds) FROM pool_advisor.gate'), '0', 'and the waits');
is(wire($node, 'watcher')->value(q{SELECT max_active FROM pool_advisor.gate WHERE scope = 'server'}), '-1', 'pg_monitor may look');
is(wire($node, 'member')->simple('SELECT * FROM pool_advisor.gate')->result->{error}, '42501', 'others may not');
done_testing();
