# Trials of two limits on a real server under load: the better one is found, a loss ends the
# trial, and the limit of arm B is never left behind: not by a request, a change of settings, the
# end of the worker, a restart or a crash.
#
# Each transaction of the load sleeps for 10 ms, so throughput is as many times 100 transactions/s
# as the limit lets run.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = limits_node('trial', <<'CONF');
max_connections = 60
restart_after_crash = on
log_statement = none
CONF
my $script = PostgreSQL::Test::Utils::tempdir . '/sleep.sql';
my $load;

append_to_file($script, "SELECT pg_sleep(0.01);\n");

sub value { my ($sql) = @_; return admin($node)->value($sql); }

sub trials { my ($columns) = @_; return value("SELECT concat_ws(' ', $columns) FROM pool_advisor.trials LIMIT 1"); }

sub set_to
{
	my ($setting) = @_;

	value("ALTER SYSTEM SET $setting");
	value('SELECT pg_reload_conf()');
	return;
}

# Clients that have one transaction after the other until they are stopped.
sub start_load
{
	my ($clients) = @_;

	$load = start_program('pgbench', '-n', '-c', $clients, '-j', 1, '-T', 3600, '-f', $script, user_of($node));
	wait_for($node, "count(*) = $clients FROM pg_stat_activity WHERE usename = 'app'");
	return;
}

sub stop_load
{
	$load->{run}->kill_kill(grace => 0);
	wait_for($node, q{0 = count(*) FROM pg_stat_activity WHERE usename = 'app'});
	return;
}

# Start a trial, and wait until arm B has been in force.
sub start_trial
{
	my ($limit, $duration) = @_;

	value(sprintf q{SELECT pool_advisor.trial('%s', %d)}, $duration // '1 h', $limit);
	wait_for_gate($node, "state = 'trial' AND max_active = $limit");
	return;
}

sub ended
{
	my ($state, $name) = @_;

	wait_for($node, q{count(*) > 0 AND 0 = count(*) FILTER (WHERE ended IS NULL) FROM pool_advisor.trials});
	is(trials('state'), $state, $name);
	return;
}

# The limit that holds, and that no trial sets it.
sub holds
{
	my ($limit, $name) = @_;

	wait_for_gate($node, "max_active = $limit AND state <> 'trial'", "$name: $limit holds");
	return;
}

# --- results ---

is(value('SELECT count(*) FROM pool_advisor.trials'), 0, 'there was no trial yet');
start_load(16);
start_trial(2);
is(trials('limit_a, limit_b, ended IS NULL, verdict IS NULL'), '-1 2 t t', 'what is compared, while it runs');
like(value('SELECT explanation FROM pool_advisor.gate WHERE scope = $$server$$'), qr/^a trial compares two limits/, 'the view gate says so');
ended('stopped: B does 20 % less than A', 'a limit that is much too low');
holds(-1, 'afterwards');
is(trials('verdict'), 'A is better', 'no limit is better');
is(value(q{SELECT ratio < 0.8 AND ratio_low <= ratio AND ratio_high < 1 AND transactions_per_second_b < transactions_per_second_a
	AND seconds_a > 0 AND seconds_b > 0 AND ended < until FROM pool_advisor.trials LIMIT 1}), 't', 'by its figures too');
is(value(q{SELECT count(*) FROM pool_advisor.optimal WHERE method = 'trial' AND connections IS NOT NULL}), 0,
	'that no limit is better names no number');

server_max_active($node, 2);
start_trial(12, '30 s');
wait_for($node, q{seconds_a > 0 AND seconds_b > 0 AND ratio IS NULL FROM pool_advisor.trials LIMIT 1}, 'figures while it runs');
ended('finished', 'with a better limit it goes on to its end');
holds(2, 'which changes no setting');
is(trials('verdict'), 'B is better', 'a higher limit is better');
is(value(q{SELECT ratio > 1.5 AND ratio_low > 1 AND ratio_low <= ratio AND ratio <= ratio_high
	AND latency_ratio < 1 AND transactions_per_second_b > transactions_per_second_a FROM pool_advisor.trials LIMIT 1}), 't',
	'several times as much, with less time in the queue');
like(trials('explanation'), qr/^B, a limit of 12, did .* times .* the transactions\/s of A, a limit of 2, in \d+ pairs of slots\./, 'in words');
wait_for($node, q{optimal_method = 'trial' AND optimal BETWEEN 1 AND 12 AND confidence IN ('medium', 'high')
	AND optimal_low <= optimal AND optimal <= optimal_high FROM pool_advisor.status}, 'it is evidence for the optimum');
like(value(q{SELECT string_agg(s, ' ') FROM pool_advisor.explain() AS s}), qr/Method trial: a trial that ended .* The better limit, 12, times the busy ratio of/,
	'as explain() says');

# --- ends ---

start_trial(12);
is(value('SELECT pool_advisor.trial_stop()'), 't', 'it can be stopped');
ended('stopped: on request', 'on request');
holds(2, 'on request');
is(value('SELECT pool_advisor.trial_stop()'), 'f', 'and then none runs');

start_trial(12);
set_to(q{work_mem = '5MB'});
wait_for_gate($node, q{state = 'trial' AND max_active = 2}, 'another setting does not end it');
wait_for_gate($node, q{state = 'trial' AND max_active = 12}, 'it goes on');
set_to('pool_advisor.server_max_active = 3');
ended('stopped: server_max_active has changed', 'another limit');
holds(3, 'another limit');

foreach my $enforcement (qw(gate_enforcement enforcement))
{
	my $loose = $enforcement eq 'enforcement' ? 'off' : 'observe';

	start_trial(12);
	set_to("pool_advisor.$enforcement = $loose");
	ended('stopped: limits on transactions are not enforced', "$enforcement = $loose");
	holds(3, "$enforcement = $loose");
	my $result = admin($node)->ask('SELECT pool_advisor.trial()');
	is($result->{error}, '55000', 'and none can be started');
	set_to("pool_advisor.$enforcement = on");
	wait_for_gate($node, q{gate_enforcement = 'on'});
}

# Sessions see at once what the worker sets when it ends, and not when it is back.
my $worker = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'};
my $pid = value($worker);
start_trial(12);
value("SELECT pg_terminate_backend($pid, 60000)");
is(value('SELECT max_active FROM pool_advisor.gate WHERE scope = $$server$$'), 3, 'the worker ends: 3 holds');
is(trials('state'), 'stopped: the worker has ended', 'and the trial with it');
wait_for($node, q{worker_running FROM pool_advisor.status});
holds(3, 'the next worker');
is(trials('state'), 'stopped: the worker has ended', 'which leaves it at that');

# With auto the base of its search is arm A; the search goes on afterwards.
server_max_active($node, 'auto');
wait_for_gate($node, q{max_active >= 2 AND state <> 'fixed'});
start_trial(40);
is(value(q{SELECT limit_a BETWEEN 2 AND 39 FROM pool_advisor.trials LIMIT 1}), 't', 'auto: its limit is arm A');
value('SELECT pool_advisor.trial_stop()');
ended('stopped: on request', 'auto: on request');
wait_for_gate($node, q{state IN ('not full', 'searching', 'settled') AND max_active BETWEEN 2 AND 39}, 'auto goes on');
server_max_active($node, 3);

# --- restarts ---

my $count = value('SELECT count(*) FROM pool_advisor.trials');
start_trial(12);
stop_load();
$node->restart;
admin($node, 1);
wait_for($node, q{worker_running FROM pool_advisor.status});
holds(3, 'a restart');
is(trials('state'), 'stopped: the worker has ended', 'a restart ends a trial');
is(value('SELECT count(*) FROM pool_advisor.trials'), $count + 1, 'results are kept over it');
wait_for($node, q{connections > 0 FROM pool_advisor.optimal WHERE method = 'trial'}, 'and what they say of the optimum');

start_load(8);
start_trial(12);
value('CHECKPOINT');
kill 'KILL', wire($node)->{pid};
wait_for($node, q{worker_running AND sampled_at IS NOT NULL FROM pool_advisor.status});
admin($node, 1);
holds(3, 'a crash');
is(value(q{SELECT count(*) FILTER (WHERE state = 'running') FROM pool_advisor.trials}), 0, 'no trial runs after it');

# --- a time of day ---

# A time zone in which it is 03:28, and so two minutes before the time of day at most.
my ($s, $m, $h) = gmtime;
my $west = ($h * 60 + $m - (3 * 60 + 28)) % (24 * 60);
value(sprintf q{ALTER SYSTEM SET timezone = '<T>%02d:%02d'}, $west / 60, $west % 60);
set_to(q{pool_advisor.trial_at = '03:30'});
wait_for($node, q{state = 'running' AND limit_a = 3 AND until - began = '5 min' FROM pool_advisor.trials LIMIT 1},
	'a trial begins at the time of day');
value('SELECT pool_advisor.trial_stop()');
ended('stopped: on request', 'and ends like others');

done_testing();
