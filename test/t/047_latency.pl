# How long transactions take: each is counted once, for the role that logged in, and with the
# time that it took for its client; whoever comes after it in the same place, and whether or not
# the worker is there.  Metrics and the histograms for Prometheus say the same.
#
# No duration is asserted but a least one: of a sleep, or of a wait that the test has seen.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = limits_node('latency', "max_connections = 20\nmax_prepared_transactions = 2\n");

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE batch LOGIN;
CREATE ROLE other LOGIN SUPERUSER;
CREATE ROLE sleeper LOGIN;
CREATE ROLE waiter LOGIN;
CREATE ROLE member;
GRANT member TO app;
CREATE PROCEDURE commits(n int) LANGUAGE plpgsql AS
	$$ BEGIN FOR i IN 1 .. n LOOP PERFORM i; COMMIT; END LOOP; END $$;
SQL

sub value { my ($sql) = @_; return admin($node)->value($sql) }

# A column of a role since the start.
sub total
{
	my ($role, $column) = @_;

	return value("SELECT coalesce(max($column), 0) FROM pool_advisor.latency WHERE period = 'since start' AND rolname = '$role'");
}

# So many transactions, and no more: the worker has looked twice since they were there.
sub counted
{
	my ($role, $expected, $name, $column) = @_;

	$column //= 'transactions';
	wait_for($node, "coalesce(max($column), 0) >= $expected FROM pool_advisor.latency WHERE period = 'since start' AND rolname = '$role'");
	look_again();
	is(total($role, $column), $expected, $name);
	return;
}

# The worker looks once a second: our own transactions were counted, and then the next ones.
sub look_again
{
	my $me = getpwuid($<);

	for (1, 2)
	{
		my $before = total($me, 'transactions');

		sleep 0.1 until total($me, 'transactions') > $before;
	}
	return;
}

#
# Each transaction once, for the role that logged in
#
my $app = wire($node, 'app');
my ($transactions, $rollbacks) = (0, 0);

foreach my $sql ('SELECT 1', 'SELECT 1; SELECT 2', 'SET ROLE member', 'SELECT 3', 'RESET ROLE', 'BEGIN', 'COMMIT')
{
	$app->ask($sql);
	$transactions++ unless $sql eq 'BEGIN';
}
foreach my $sql ('SELECT 1 / 0', 'BEGIN', 'SELECT 1', 'ROLLBACK')
{
	$app->ask($sql);
}
$transactions += 2;
$rollbacks += 2;
$app->ask('CALL commits(10)');
$transactions += 11;
counted('app', $transactions, 'each transaction, also those that SET ROLE began');
counted('app', $rollbacks, 'rolled back ones among them', 'rolled_back');

my $other = wire($node, 'other');
$other->ask($_) foreach 'SET SESSION AUTHORIZATION app', 'SELECT 1', 'RESET SESSION AUTHORIZATION';
counted('other', 3, 'a session that becomes another role stays that of its login');
counted('app', $transactions, 'and is not the other');
$other->ask($_) foreach 'BEGIN', 'CREATE TABLE t (a int)', q{PREPARE TRANSACTION 'x'}, q{ROLLBACK PREPARED 'x'};
counted('other', 5, 'a prepared transaction, and its end');
$_->close foreach $app, $other;

#
# Sessions of several roles follow each other in the same places
#
my $before = total('app', 'transactions');
for (1 .. 40)
{
	for my $login ([ 'app', 1 ], [ 'batch', 2 ])
	{
		my ($role, $count) = @$login;
		my $client = wire($node, $role);

		$client->ask('SELECT 1') foreach 1 .. $count;
		$client->close;
	}
}
counted('app', $before + 40, 'what a session leaves behind is of its role');
counted('batch', 80, 'and the next one has its own');

#
# The worker comes and goes; counts never go down
#
my $script = PostgreSQL::Test::Utils::tempdir . '/select.sql';
append_to_file($script, "SELECT 1;\n");
$before = total('app', 'transactions');
my $load = start_program('pgbench', '-n', '-c', 3, '-t', 3000, '-f', $script, user_of($node, 'app'));
my ($seen, $down) = ($before, 0);

foreach my $round (1 .. 2)
{
	my $worker = value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});

	value("SELECT pg_terminate_backend($worker)");
	wait_for($node, "EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler' AND pid <> $worker)");
	for (1 .. 20)
	{
		my $now = total('app', 'transactions');

		$down++ if $now < $seen;
		$seen = $now;
		sleep 0.02;
	}
}
$load->{run}->finish;
counted('app', $before + 9000, 'no transaction is lost or counted twice when the worker starts anew');
is($down, 0, 'and no count went down');

#
# How long they took
#
my $sleeper = wire($node, 'sleeper');
$sleeper->ask('SELECT pg_sleep(0.25)') foreach 1 .. 4;
$sleeper->ask($_) foreach 'BEGIN', 'SELECT 1';
sleep 0.25;
$sleeper->ask('COMMIT');
counted('sleeper', 5, 'five that take a while');
is(value(q{SELECT count(*) FROM pool_advisor.latency WHERE rolname = 'sleeper' AND transactions = 5 AND mean_seconds >= 0.25
	AND p50_seconds >= 0.25 AND p95_seconds >= p50_seconds AND p99_seconds >= p95_seconds}), 2,
	'from the start of the first statement to the end, also while the client is silent');
is(value(q{SELECT count(*) FROM pool_advisor.latency WHERE length(regexp_replace(p99_seconds::text, '^[0.]+|\.', '', 'g')) > 4
	OR length(regexp_replace(mean_seconds::text, '^[0.]+|\.', '', 'g')) > 4}), 0, 'four digits at most');
{
	my $wide = `psql -X -d '${\$node->connstr('postgres')}' -c 'SELECT * FROM pool_advisor.latency'`;
	is(scalar(grep { length > 120 } split /\n/, $wide), 0, 'the view fits into 120 columns') or diag($wide);
}

# a transaction that waits in the queue
server_max_active($node, 1);
work($node, 1, 'batch');
my $waiter = wire($node, 'waiter');
my $started = time;
$waiter->simple('SELECT 1');
wait_for($node, is_queued($waiter));
sleep 0.2 until time > $started + 1;
stop_work($node);
is($waiter->result->{error}, undef, 'one that waited in the queue gets through');
counted('waiter', 1, 'and is counted');
is(value(q{SELECT min(p50_seconds) >= 0.9 FROM pool_advisor.latency WHERE rolname = 'waiter'}), 't', 'with its wait');
server_max_active($node, 'off');
$_->close foreach $sleeper, $waiter;

#
# Metrics, and histograms for Prometheus
#
is(value(q{SELECT count(*) FROM pool_advisor.metrics WHERE rolname = 'sleeper' AND (name, value) IN
	(('pool_advisor_latency_transactions_total', 5), ('pool_advisor_latency_rolled_back_total', 0))}), 2, 'metrics count the same');
is(value(q{SELECT count(*) FROM pool_advisor.metrics WHERE rolname = 'waiter' AND name = 'pool_advisor_latency_slow_total' AND value = 1}), 1,
	'and those over a second');
wait_for($node, q{bool_and(m.value = l.transactions) FROM pool_advisor.latency AS l JOIN pool_advisor.metrics AS m USING (rolname)
	WHERE name = 'pool_advisor_latency_transactions_total' AND period = 'since start' AND rolname IN ('app', 'batch', 'other', 'sleeper', 'waiter')},
	'of each role');

# The histogram of a role: counts by bound, and the rest.
sub histogram
{
	my ($role) = @_;
	my %found = (bounds => []);

	foreach my $line (split /\n/, $node->safe_psql('postgres', 'SELECT pool_advisor.openmetrics()'))
	{
		next unless $line =~ /^pool_advisor_transaction_duration_seconds_(\w+)\{rolname="$role"(?:,le="([^"]+)")?\} (\S+)$/;
		if ($1 eq 'bucket') { push @{ $found{bounds} }, [ $2, $3 ] }
		else { $found{$1} = $3 }
	}
	return \%found;
}

my $histogram = histogram('waiter');
is(join(' ', map { $_->[0] } @{ $histogram->{bounds} }), '0.0005 0.001 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1.0 2.5 10.0 +Inf', 'bounds');
is(join(' ', map { $_->[1] } grep { $_->[0] ne '+Inf' && $_->[0] <= 1 } @{ $histogram->{bounds} }), '0 0 0 0 0 0 0 0 0 0',
	'a second of waiting is above the bounds below a second');
is($histogram->{bounds}[-1][1], 1, 'and below the last');
is($histogram->{count}, 1, 'as the count says');
cmp_ok($histogram->{sum}, '>=', 1, 'and the sum');
foreach my $role ('app', 'batch', 'sleeper', 'pg_other_roles')
{
	my @counts = map { $_->[1] } @{ histogram($role)->{bounds} };

	is(scalar(grep { $counts[ $_ - 1 ] > $counts[$_] } 1 .. $#counts), 0, "$role: a larger bound has no fewer");
}

#
# Roles beyond the room are added up, and a reset
#
$node->safe_psql('postgres', q{DO $$ BEGIN FOR i IN 1 .. 60 LOOP EXECUTE 'CREATE ROLE many_' || i || ' LOGIN'; END LOOP; END $$});
for my $i (1 .. 60)
{
	my $client = wire($node, "many_$i");

	$client->ask('SELECT 1');
	$client->close;
}
wait_for($node, q{sum(transactions) = 60 FROM pool_advisor.latency WHERE period = 'since start' AND rolname ~ '^many|^\(other'});
cmp_ok(total('(other roles)', 'transactions'), '>', 10, 'later roles are added up');
is(value(q{SELECT count(DISTINCT rolname) FROM pool_advisor.latency}), 51, 'fifty have rows of their own');
is(histogram('pg_other_roles')->{count}, total('(other roles)', 'transactions'), 'in the histograms, too');

#
# Roles that are dropped: their counts do not move to the others, and their places are given again
#
my $others = histogram('pg_other_roles')->{count};
cmp_ok(total('many_1', 'transactions') + total('many_2', 'transactions'), '>', 0, 'roles that are to be dropped have counts');
$node->safe_psql('postgres', q{DO $$ BEGIN FOR i IN 1 .. 60 LOOP EXECUTE 'DROP ROLE many_' || i; END LOOP; END $$});
is(histogram('pg_other_roles')->{count}, $others, 'counts of dropped roles are not those of the others');
wait_for($node, q{count(*) = 0 FROM pool_advisor.latency WHERE rolname ~ '^(unknown|many)'}, 'they have no rows');
is(histogram('pg_other_roles')->{count}, $others, 'then, too');
$node->safe_psql('postgres', 'CREATE ROLE newcomer LOGIN');
my $newcomer = wire($node, 'newcomer');
$newcomer->ask('SELECT 1') for 1 .. 3;
counted('newcomer', 3, 'a new role has a row of its own');
$node->safe_psql('postgres', 'DROP ROLE newcomer');
wait_for($node, q{count(*) = 0 FROM pool_advisor.latency WHERE rolname ~ '^(unknown|newcomer)'});
$node->safe_psql('postgres', 'CREATE ROLE successor LOGIN');
my $successor = wire($node, 'successor');
$newcomer->ask('SELECT 1');
$successor->ask('SELECT 1');
counted('successor', 1, 'and does not count what a session of a dropped role goes on with');
$newcomer->close;
$successor->close;

value(q{SELECT pool_advisor.reset('counters')});
is(total('app', 'transactions'), 0, 'reset() forgets them');
$app = wire($node, 'app');
$app->ask('SELECT 1');
counted('app', 1, 'and counts on from there');
$app->close;

$node->stop;
done_testing();
