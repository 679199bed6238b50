# Limits on transactions by their first statement: exactly so many run, the others wait, and no other
# statement does; a session that alternates has the slot of the one that it runs; limits change while
# transactions run and wait.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('queries', "max_connections = 60\ncompute_query_id = on\n");
my $PATIENCE = $PostgreSQL::Test::Utils::timeout_default;
my $admin = admin($node);

$node->safe_psql('postgres', $SPIN);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE hot AS SELECT 1 AS a;
CREATE TABLE warm AS SELECT 1 AS a;
CREATE TABLE cold AS SELECT 1 AS a;
GRANT SELECT ON hot, warm, cold TO app;
CREATE ROLE boss LOGIN SUPERUSER;
SQL

# Spins until the lock of its number is free, which the superuser holds.
sub spins { my ($table, $lock) = @_; return "SELECT spin($lock) FROM $table" }

sub hold { my ($lock) = @_; return $admin->value("SELECT pg_advisory_lock($lock)") }
sub free { my ($lock) = @_; return $admin->value("SELECT pg_advisory_unlock($lock)") }

# The ID of a statement, as the server computes it for a session.
sub query_id_of
{
	my ($table) = @_;
	my $client = wire($node);

	hold(99);
	$client->simple(spins($table, 99));
	true_within($node, $PATIENCE, "query_id IS NOT NULL FROM pg_stat_activity WHERE pid = $client->{pid} AND state = 'active'");
	my $id = $admin->value("SELECT query_id FROM pg_stat_activity WHERE pid = $client->{pid}");
	free(99);
	$client->result;
	$client->close;
	return $id;
}

my %id = map { $_ => query_id_of($_) } qw(hot warm cold);
is(scalar keys %{ { map { $_ => 1 } values %id } }, 3, 'three statements have three IDs');

sub set
{
	my ($setting, $value) = @_;

	$admin->value("ALTER SYSTEM SET $setting = '$value'");
	$node->reload;
	ok(true_within($node, $PATIENCE, "current_setting('$setting') = '$value'"), "$setting = $value");
	return;
}

# The limits of queries, in force.
sub limit_queries
{
	my (%limits) = @_;
	my $count = keys %limits;
	my $rows = join(' + ', 0, map { "count(*) FILTER (WHERE query_id = $id{$_} AND max_active = $limits{$_})" } sort keys %limits);

	set('pool_advisor.query_max_active', join(', ', map { "$id{$_} = $limits{$_}" } sort keys %limits));
	ok(true_within($node, $PATIENCE, "$rows = $count AND count(*) FILTER (WHERE scope = 'query') = $count FROM pool_advisor.gate"), 'it is in force');
	return;
}

sub becomes
{
	my ($table, $condition, $name) = @_;

	ok(true_within($node, $PATIENCE, "EXISTS (SELECT FROM pool_advisor.gate WHERE scope = 'query' AND query_id = $id{$table} AND $condition)"), $name)
	  or diag($admin->value('SELECT string_agg(g::text, chr(10)) FROM pool_advisor.gate AS g'));
	return;
}

sub runs
{
	my ($client, $name) = @_;

	ok(true_within($node, $PATIENCE, "EXISTS (SELECT FROM pg_stat_activity WHERE pid = $client->{pid} AND state = 'active' AND wait_event IS NULL)"), $name);
	return;
}

sub waits { my ($client, $name) = @_; return ok(true_within($node, $PATIENCE, is_queued($client)), $name) }

# Clients that spin, and are seen doing so or waiting.
sub spinners
{
	my ($table, $lock, $count) = @_;
	my @clients = map { wire($node) } 1 .. $count;

	$_->simple(spins($table, $lock)) foreach @clients;
	return @clients;
}

sub all_end
{
	my ($name, @clients) = @_;

	is(join(' ', map { Wire::told($_->result_within($PATIENCE)) } @clients), join(' ', (1) x @clients), $name);
	$_->close foreach @clients;
	return;
}

# --- one limit, and no other ---

limit_queries(hot => 1);
hold(1);
my @hot = spinners('hot', 1, 3);
my @cold = spinners('cold', 1, 3);
becomes('hot', 'running = 1 AND waiting = 2', 'one runs, two wait');
runs($_, 'another statement does not wait') foreach @cold;

my $boss = wire($node, 'boss');
$boss->simple(spins('hot', 1));
runs($boss, 'nor does a superuser');
becomes('hot', 'running = 1 AND waiting = 2 AND max_active_effective = 1', 'and it is not counted');
my $pid = wire($node);
is($pid->value('SELECT 1'), 1, 'nor does one of the same role');
$pid->close;

# other limits change: all are counted again
$admin->value('ALTER ROLE app SET pool_advisor.max_active = 20');
ok(true_within($node, $PATIENCE, "EXISTS (SELECT FROM pool_advisor.gate WHERE scope = 'role' AND running = 4)"), 'a limit of the role counts all that run')
  or diag($admin->value('SELECT string_agg(g::text, chr(10)) FROM pool_advisor.gate AS g'));
becomes('hot', 'running = 1 AND waiting = 2', 'and that of the query goes on');
free(1);
all_end('all end', @hot, @cold, $boss);
becomes('hot', 'running = 0 AND waiting = 0 AND waited_total = 2', 'two have waited');

# --- limits that change ---

hold(1);
@hot = spinners('hot', 1, 4);
becomes('hot', 'running = 1 AND waiting = 3', 'one runs again');
limit_queries(hot => 3);
becomes('hot', 'running = 3 AND waiting = 1', 'more are let in when it is raised');
limit_queries(hot => 2, warm => 1);
becomes('hot', 'running = 3 AND waiting = 1', 'nobody has to go when it is lowered');
my @warm = spinners('warm', 1, 2);
becomes('warm', 'running = 1 AND waiting = 1', 'each query has its own');
becomes('hot', 'running = 3 AND waiting = 1', 'and no part in the other');
limit_queries(warm => 1);
runs($_, 'without it all run') foreach @hot;
becomes('warm', 'running = 1 AND waiting = 1', 'but for those of the other');
limit_queries(hot => 1, warm => 1);
my @later = spinners('hot', 1, 2);
becomes('hot', 'running = 1 AND waiting = 1', 'those that run without a limit are not under the next one');
free(1);
all_end('all end', @hot, @warm, @later);

# more changes than there are places, while one transaction holds its place
hold(1);
@hot = spinners('hot', 1, 1);
becomes('hot', 'running = 1', 'one runs');
for my $round (1 .. 6)
{
	my $list = join(', ', map { 1000 * $round + $_ . ' = 1' } 1 .. 16);

	set('pool_advisor.query_max_active', $list);
	ok(true_within($node, $PATIENCE, "count(*) = 16 AND min(query_id) = 1000 * $round + 1 FROM pool_advisor.gate WHERE scope = 'query'"), 'sixteen others are in force');
}
limit_queries(hot => 1);
free(1);
all_end('it ends', @hot);

# --- a session that alternates ---

my $one = wire($node);
is($one->value('SELECT a FROM cold'), 1, 'a session runs what has no limit');
hold(1);
@hot = spinners('hot', 1, 1);
becomes('hot', 'running = 1', 'another one has the only slot');
$one->simple(spins('hot', 1));
waits($one, 'it waits, though it has retained a slot');
free(1);
is(Wire::told($one->result_within($PATIENCE)), 1, 'and gets it');
all_end('as the other one has ended', @hot);
hold(1);
$one->simple(spins('cold', 1));
runs($one, 'it runs what has no limit');
@hot = spinners('hot', 1, 1);
becomes('hot', 'running = 1 AND waiting = 0', 'and has given up the slot of the query');
free(1);
all_end('all end', $one, @hot);

# the first statement counts, and a transaction never waits after it
my $two = wire($node);
$two->value('BEGIN');
$two->value('SELECT a FROM cold');
hold(1);
@hot = spinners('hot', 1, 1);
becomes('hot', 'running = 1', 'the slot is taken');
is($two->value('SELECT a FROM hot'), 1, 'a transaction that has begun with another statement goes on');
$two->value('COMMIT');
free(1);
all_end('all end', @hot);
$two->close;

# --- a command that executes the statement counts as the statement ---

limit_queries(hot => 1);
my %commands = (
	'EXECUTE' => 'EXECUTE p',
	'EXECUTE with a comment of its own' => 'EXECUTE /* 1 */ p',
	'a cursor' => 'BEGIN; DECLARE c CURSOR FOR ' . spins('hot', 1) . '; FETCH 1 FROM c; COMMIT',
	'CREATE TABLE AS' => 'CREATE TEMP TABLE made AS ' . spins('hot', 1),
	'CREATE TABLE AS EXECUTE' => 'CREATE TEMP TABLE made AS EXECUTE p',
	'SELECT INTO' => 'SELECT spin(1) INTO TEMP made FROM hot',
	'EXPLAIN ANALYZE' => 'EXPLAIN (ANALYZE, COSTS OFF) ' . spins('hot', 1),
	'EXPLAIN ANALYZE EXECUTE' => 'EXPLAIN (ANALYZE on) EXECUTE p');
foreach my $name (sort keys %commands)
{
	foreach my $protocol ('simple', 'extended')
	{
		next if $protocol eq 'extended' && $name eq 'a cursor';
		my @clients = map { wire($node) } 1 .. 3;

		$_->value('PREPARE p AS ' . spins('hot', 1)) foreach @clients;
		hold(1);
		$protocol eq 'simple' ? $_->simple($commands{$name}) : $_->extended($commands{$name})->sync foreach @clients;
		becomes('hot', 'running = 1 AND waiting = 2', "$name, $protocol: one runs, two wait");
		free(1);
		is(scalar(grep { !defined $_->result->{error} } @clients), 3, "$name, $protocol: all end");
		$_->close foreach @clients;
	}
}

# what does not execute it, and another statement
hold(1);
@hot = spinners('hot', 1, 1);
becomes('hot', 'running = 1', 'one runs');
my $three = wire($node);
like($three->value('EXPLAIN ' . spins('hot', 1)), qr/hot/, 'EXPLAIN alone does not wait');
is($three->value('PREPARE p AS ' . spins('hot', 1)), '', 'nor does PREPARE');
is($three->value('PREPARE other AS SELECT a FROM cold; EXECUTE other'), 1, 'nor the EXECUTE of another statement');
is($three->ask('EXECUTE nothing')->{error}, '26000', 'nor that of none');
free(1);
all_end('all end', @hot, $three->simple('SELECT 1'));

# the ID of the command itself can have the limit
my @own = map { wire($node) } 1 .. 2;
$_->value('PREPARE p AS ' . spins('hot', 1)) foreach @own;
hold(1);
$own[0]->simple('EXECUTE p');
true_within($node, $PATIENCE, "query_id IS NOT NULL FROM pg_stat_activity WHERE pid = $own[0]{pid} AND state = 'active'");
$id{execute} = $admin->value("SELECT query_id FROM pg_stat_activity WHERE pid = $own[0]{pid}");
free(1);
$own[0]->result;
isnt($id{execute}, $id{hot}, 'EXECUTE has an ID of its own');
limit_queries(execute => 1);
hold(1);
$_->simple('EXECUTE p') foreach @own;
becomes('execute', 'running = 1 AND waiting = 1', 'which can have a limit, too');
free(1);
all_end('all end', @own);

# --- beside the server's limit ---

server_max_active($node, 3);
limit_queries(hot => 2);
hold(1);
@hot = spinners('hot', 1, 4);
becomes('hot', 'running = 2 AND waiting = 2', 'two run under a limit of the server of three');
@cold = spinners('cold', 1, 2);
ok(true_within($node, $PATIENCE, "running = 3 AND max_active = 3 FROM $GATE"), 'and one of the others');
is(scalar(grep { $admin->value('SELECT ' . is_queued($_)) eq 't' } @cold), 1, 'whose other one waits');
free(1);
all_end('all end', @hot, @cold);
server_max_active($node, 'off');

# --- bounded, and observed ---

limit_queries(hot => 1);
set('pool_advisor.transaction_queue_length', 1);
hold(1);
@hot = spinners('hot', 1, 2);
becomes('hot', 'running = 1 AND waiting = 1', 'the queue is full');
my $logged = -s $node->logfile;
my $refused;
for (1 .. 200)
{
	my $late = wire($node);
	$late->simple(spins('hot', 1));
	true_within($node, $PATIENCE, is_queued($late) . " OR NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $late->{pid} AND state = 'active')");
	if ($admin->value('SELECT ' . is_queued($late)) eq 't')
	{
		$admin->value("SELECT pg_terminate_backend($late->{pid})");
		next;
	}
	$refused = $late->result_within($PATIENCE)->{error};
	$late->close;
	last;
}
is($refused, '53300', 'one more is refused');
like(slurp_file($node->logfile, $logged), qr/The limit of query $id{hot} is reached: query_max_active 1, in use 1, waiting 1;/, 'the log has the query');
set('pool_advisor.gate_enforcement', 'observe');
my @observed = spinners('hot', 1, 1);
runs($_, 'with observe nobody waits') foreach @observed;
becomes('hot', 'would_wait_total >= 1', 'but it is counted');
set('pool_advisor.gate_enforcement', 'on');
free(1);
all_end('all end', @hot, @observed);

# --- what is wrong ---

foreach my $wrong ('1', '1 = 0', '0 = 1', '1 = 1, 1 = 2', '1 = x', join(', ', map { "$_ = 1" } 1 .. 17))
{
	my $answer = $admin->ask("ALTER SYSTEM SET pool_advisor.query_max_active = '$wrong'");

	is($answer->{error}, '22023', "\"$wrong\" is refused");
}
$logged = -s $node->logfile;
set('compute_query_id', 'off');
set('pool_advisor.query_max_active', '1 = 1');
ok(poll($node, q{SELECT count(*) = 1 FROM pool_advisor.gate WHERE scope = 'query'}), 'a limit without query IDs');
like(slurp_file($node->logfile, $logged), qr/WARNING:  "pool_advisor.query_max_active" has no effect, because the server computes no query IDs/,
	'the log says so');
set('compute_query_id', 'on');
set('pool_advisor.query_max_active', '');
ok(true_within($node, $PATIENCE, q{count(*) = 0 FROM pool_advisor.gate WHERE scope = 'query'}), 'an empty list is no limit');

done_testing();
