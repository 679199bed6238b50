# A limit for all servers of a fleet: the hub divides it, and at no moment can all of them together
# have more sessions, whatever is changed, down or promoted meanwhile. The judge is this process,
# which holds all sessions itself and tries for more all the time.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $TOTAL = 12;
my $folder = PostgreSQL::Test::Utils::tempdir;

# "hub" is a node, too; "standby" is one of "primary".
my %nodes = map { $_ => limits_node("limit_$_", "max_connections = 60\npool_advisor.optimal = 1\n") } 'hub', 'primary';
plan skip_all => 'dblink and postgres_fdw are not installed'
  if $nodes{hub}->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name IN ('dblink', 'postgres_fdw')}) < 2;
$_->safe_psql('postgres', 'CREATE ROLE monitoring LOGIN IN ROLE pg_monitor') foreach values %nodes;
$nodes{primary}->backup('backup');
$nodes{standby} = PostgreSQL::Test::Cluster->new('limit_standby');
$nodes{standby}->init_from_backup($nodes{primary}, 'backup', has_streaming => 1);
$nodes{standby}->start;
my $hub = $nodes{hub};

sub conninfo
{
	my ($name) = @_;

	return "$name=host=" . $nodes{$name}->host . ' port=' . $nodes{$name}->port . ' dbname=postgres user=monitoring';
}

# Make the hub, with these nodes.
sub make_hub
{
	my (@names) = @_;
	my $text = $hub->safe_psql('postgres',
		q{SELECT pool_advisor.fleet_config('postgres_fdw', ARRAY['} . join(q{', '}, map { conninfo($_) } @names) . q{'])});
	my $path = "$folder/" . join('_', @names) . '.sql';

	unlink $path;
	append_to_file($path, "$text\n");
	$hub->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $hub->connstr('postgres'), '-f', $path ],
		"the hub of @names is made");
	return;
}

make_hub(qw(hub primary standby));

# --- the sessions of app, all of them ---
my @held;
my $most = 0;

# Try for one more; a server that is down or full has none.
sub try_more
{
	my ($name) = @_;
	my $client = eval { wire($nodes{$name}) } or return 0;

	push @held, [ $name, $client ];
	$most = @held if @held > $most;
	return 1;
}

sub let_go_of
{
	my ($which) = @_;

	(splice @held, $which, 1)->[1]->close;
	return;
}

sub take_all
{
	foreach my $name (@_)
	{
		while (try_more($name)) { die 'there is no limit' if @held > 100; }
	}
	return;
}

# A session that has ended is gone for the test at once, and for its server a moment later.
sub drop_all
{
	let_go_of(0) while @held;
	foreach my $node (values %nodes)
	{
		next unless defined $node->{_pid};
		wait_for($node, q{count(*) = 0 FROM pg_stat_activity WHERE usename = 'app'});
	}
	return;
}

# Sessions of a server that has been stopped are gone.
sub forget
{
	my ($name) = @_;

	@held = grep { $_->[0] ne $name } @held;
	return;
}

# Set the limit, while sessions come and go everywhere; what was said.
sub set_to
{
	my ($total, %options) = @_;
	my $patience = $options{patience} // '60 s';
	my $call = start_program('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $hub->connstr('postgres'),
		'-c', "CALL pool_advisor_fleet.fleet_limit('app', $total, '$patience')");

	srand(1);
	while ($call->{run}->pumpable)
	{
		try_more($_) foreach keys %nodes;
		let_go_of(int(rand @held)) if @held && !$options{stay};
		$call->{run}->pump_nb;
		select undef, undef, undef, 0.01;
	}
	eval { $call->{run}->finish };
	return $call->{err};
}

sub in_force
{
	my (@names) = @_;

	return join ' ', map { "$_ " . $nodes{$_}->safe_psql('postgres', q{SELECT max_sessions FROM pool_advisor.limits WHERE rolname = 'app'}) } @names;
}

# What hub, primary and standby weigh.
sub weigh
{
	my (%weights) = @_;

	foreach my $name (keys %weights)
	{
		$nodes{$name}->safe_psql('postgres', "ALTER SYSTEM SET pool_advisor.optimal = $weights{$name}; SELECT pg_reload_conf()");

		# what this test does can be a load, which adds to the number
		$nodes{$name}->safe_psql('postgres', q{SELECT pool_advisor.reset('scalability')});
		wait_for($nodes{$name}, "optimal = $weights{$name} AND pool_size = $weights{$name} FROM pool_advisor.status");
	}
	return;
}

# --- who may set it ---
my ($status, $out, $err) = $hub->psql('postgres', "CALL pool_advisor_fleet.fleet_limit('app', $TOTAL)");
like($err, qr/extension "dblink" is not installed/, 'dblink is needed');
$hub->safe_psql('postgres', 'CREATE EXTENSION dblink');
($status, $out, $err) = $hub->psql('postgres', "CALL pool_advisor_fleet.fleet_limit('app', $TOTAL, '0 s')");
is($status, 0, 'a node that cannot be told is no error');
like($err, qr/WARNING:.*permission denied for function set_limit/s, 'but a warning says why');
($status, $out, $err) = $hub->psql('postgres', "CALL pool_advisor_fleet.fleet_limit('app', $TOTAL, '1 s')");
like($err, qr/WARNING:.*permission denied for function set_limit/s, 'and still says why after some more attempts');
is($hub->psql('postgres', "CALL pool_advisor_fleet.fleet_limit('app', $TOTAL)", extra_params => [ '-U', 'monitoring' ]), 3,
	'a monitoring role may not call it');
$_->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION pool_advisor.set_limit TO monitoring') foreach @nodes{qw(hub primary)};
foreach my $bad ("NULL, $TOTAL", "'app', 2", q{'app', NULL})
{
	($status, $out, $err) = $hub->psql('postgres', "CALL pool_advisor_fleet.fleet_limit($bad)");
	like($err, qr/a number of sessions are needed.*The fleet has 3 nodes/s, "fleet_limit($bad) is refused");
}

# --- a node whose database has a search_path with objects of the same names ---
$nodes{primary}->safe_psql('postgres', q{
	CREATE SCHEMA hijack;
	GRANT USAGE ON SCHEMA hijack TO PUBLIC;
	CREATE FUNCTION hijack.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS 'SELECT (1 / 0)::text::jsonb';
	CREATE FUNCTION hijack.equal(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT 1 / 0 > 0';
	CREATE FUNCTION hijack.equal(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT 1 / 0 > 0';
	CREATE OPERATOR hijack.= (FUNCTION = hijack.equal, LEFTARG = name, RIGHTARG = name);
	CREATE OPERATOR hijack.= (FUNCTION = hijack.equal, LEFTARG = text, RIGHTARG = text);
	CREATE TYPE hijack.text AS ENUM ('no');
	ALTER DATABASE postgres SET search_path = hijack, pg_catalog});

# --- it is divided by weight ---
weigh(hub => 2);
is(set_to($TOTAL), '', 'it is set without a word');
$nodes{primary}->safe_psql('template1', 'ALTER DATABASE postgres RESET search_path');
$nodes{primary}->safe_psql('postgres', 'DROP SCHEMA hijack CASCADE');
is(in_force(qw(hub primary standby)), 'hub 6 primary 3 standby 3', 'and divided: the half for the one with half of the weight');
drop_all();
$most = 0;
take_all(keys %nodes);
is(scalar @held, $TOTAL, 'as many sessions are there as there may be');

# --- a node that answers too late, or never ---
{
	my $call = "CALL pool_advisor_fleet.fleet_limit('app', $TOTAL, '0 s')";
	my $locker = wire($nodes{primary}, scalar getpwuid($<));
	my $caller = wire($hub, scalar getpwuid($<));

	$locker->ask($_) foreach 'BEGIN', 'LOCK TABLE pool_advisor.status IN ACCESS EXCLUSIVE MODE';
	($status, $out, $err) = $hub->psql('postgres', $call);
	is($status, 0, 'a node that answers too late is no error');
	like($err, qr/WARNING:.*primary: canceling statement due to statement timeout/s, 'and the warning says so');
	$hub->safe_psql('postgres', 'ALTER SERVER pool_advisor_fleet_primary OPTIONS (DROP options)');
	($status, $out, $err) = $hub->psql('postgres', $call);
	is($status, 0, 'a node that never answers is no error');
	like($err, qr/WARNING:.*primary: it did not answer within 5 s/s, 'it is given up');
	$caller->value(q{SET statement_timeout = '1s'});
	like(eval { $caller->value($call); '' } // $@, qr/canceling statement due to statement timeout/, 'the call can be cancelled meanwhile');
	is($caller->value('SELECT dblink_get_connections() IS NULL'), 't', 'and leaves no connection');
	$locker->close;
	$hub->safe_psql('postgres', q{ALTER SERVER pool_advisor_fleet_primary OPTIONS (ADD options '-c statement_timeout=2000')});
	$caller->close;
}

# --- other weights, while sessions come and go ---
weigh(hub => 1, primary => 2, standby => 2);
is(set_to($TOTAL), '', 'other weights');
is(in_force(qw(hub primary standby)), 'hub 3 primary 4 standby 4', 'nodes of one system have the same, within what is theirs');
cmp_ok($most, '<=', $TOTAL, 'at no moment there were more');
cmp_ok(scalar @held, '>', 0, 'while there were sessions');

# sessions that stay keep the others from getting more
take_all(qw(primary standby hub));
weigh(hub => 8, primary => 1, standby => 1);
like(set_to($TOTAL, stay => 1, patience => '10 s'), qr/WARNING:.*limit of role "app" is not divided.*primary: it shows 2 and has 4 sessions/s,
	'what sessions still take is not given away');
is(in_force(qw(primary standby)), 'primary 2 standby 2', 'nodes that get less have less at once');
cmp_ok($most, '<=', $TOTAL, 'there are not more');
is(set_to($TOTAL), '', 'when sessions end the rest is given');
is(in_force('hub'), 'hub 8', 'to the one that weighs more');
cmp_ok($most, '<=', $TOTAL, 'and there were not more in between');

# a scale of its own for the standby
$nodes{standby}->safe_psql('postgres', 'ALTER SYSTEM SET pool_advisor.limit_scale = 0.5; SELECT pg_reload_conf()');
weigh(hub => 1, primary => 2, standby => 1);
is(set_to($TOTAL), '', 'a standby with half of the scale');
is(in_force(qw(hub primary standby)), 'hub 3 primary 6 standby 3', 'has half of it');
$nodes{standby}->safe_psql('postgres', 'ALTER SYSTEM RESET pool_advisor.limit_scale; SELECT pg_reload_conf()');
wait_for_limits($nodes{standby}, q{rolname = 'app' AND max_sessions = 6});
is(set_to($TOTAL), '', 'a scale that has grown is seen');
is(in_force(qw(hub primary standby)), 'hub 3 primary 4 standby 4', 'and the limit is lowered');
drop_all();
$most = 0;

# scales above 1, of which a small limit leaves nothing
$_->safe_psql('postgres', 'ALTER SYSTEM SET pool_advisor.limit_scale = 3; SELECT pg_reload_conf()') foreach values %nodes;
wait_for_limits($_, q{rolname = 'app' AND max_sessions >= 9}) foreach values %nodes;
is(set_to(10), '', 'scales of 3');
is(in_force(qw(hub primary standby)), 'hub 3 primary 3 standby 3', 'each node has the smallest limit that there is');
is($hub->safe_psql('postgres', 'SELECT sum(at_most) FROM pool_advisor_fleet.shares'), 9, 'which is within the limit');
like(set_to(8), qr/WARNING:.*hub: it admits no session, as limit_scale 3 makes 3 of a limit of 1, and its share is 2/s,
	'a node whose share is too small for its scale is named');
cmp_ok($hub->safe_psql('postgres', 'SELECT sum(at_most) FROM pool_advisor_fleet.shares'), '<=', 8, 'and there are not more');
take_all(keys %nodes);
cmp_ok(scalar @held, '<=', 8, 'nor sessions');
drop_all();
$_->safe_psql('postgres', 'ALTER SYSTEM RESET pool_advisor.limit_scale; SELECT pg_reload_conf()') foreach values %nodes;
is(set_to($TOTAL), '', 'without them');
drop_all();
$most = 0;

# --- two sessions, and one that ended between the note and the command ---
{
	my $other = wire($hub, scalar getpwuid($<));

	$other->value(q{SELECT pg_advisory_lock(hashtextextended('pool_advisor_fleet.fleet_limit', 0))});
	($status, $out, $err) = $hub->psql('postgres', "CALL pool_advisor_fleet.fleet_limit('app', $TOTAL)");
	like($err, qr/another session sets limits/, 'two sessions do not set it at once');
	$other->close;
	wait_for($hub, q{NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')});
}

# --- calls that fail, in a session that stays ---
{
	my $failed = wire($hub, scalar getpwuid($<));
	my $call = "CALL pool_advisor_fleet.fleet_limit('app', $TOTAL)";
	my $fails = sub {
		my ($how, $name) = @_;
		my $said = eval { $failed->value($call); '' } // $@;
		like($said, $how, "$name: the call fails");
		is($hub->safe_psql('postgres', q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), 0, 'and leaves no lock');
		return;
	};

	$hub->safe_psql('postgres', 'DROP EXTENSION dblink');
	$fails->(qr/extension "dblink" is not installed/, 'without dblink');
	$hub->safe_psql('postgres', 'CREATE EXTENSION dblink');
	$failed->value('BEGIN');
	$fails->(qr/invalid transaction termination/, 'in a transaction block');
	$failed->value('ROLLBACK');
	take_all(qw(primary standby hub));
	weigh(hub => 8, primary => 1, standby => 1);
	$failed->value(q{SET statement_timeout = '1s'});
	$fails->(qr/canceling statement due to statement timeout/, 'with a timeout');
	$failed->close;
	is(set_to($TOTAL), '', 'another session sets the limit');
	drop_all();
}
weigh(hub => 8, primary => 1, standby => 1);
$hub->safe_psql('postgres', "SELECT pool_advisor_fleet._plan('app', $TOTAL, true)");
weigh(hub => 1, primary => 8, standby => 8);
is(set_to($TOTAL), '', 'a command that was noted and never given is no obstacle');
is(in_force(qw(hub primary standby)), 'hub 2 primary 5 standby 5', 'the next call is');
cmp_ok($most, '<=', $TOTAL, 'and there were not more');

# --- commands that have not ended, and limits that have not been replayed ---
# What the hub knows that a node can have.
sub at_most
{
	my ($name) = @_;

	return $hub->safe_psql('postgres', "SELECT at_most FROM pool_advisor_fleet.shares WHERE node = '$name'");
}

weigh(hub => 1, primary => 1, standby => 1);
is(set_to($TOTAL), '', 'equal weights');
is(in_force(qw(hub primary standby)), 'hub 4 primary 4 standby 4', 'and shares');
{
	my $earlier = wire($nodes{primary}, 'monitoring');

	$earlier->ask($_) foreach 'BEGIN', q{SELECT pg_advisory_xact_lock(hashtextextended('pool_advisor_fleet.set_limit', 0))};
	like(set_to(18, patience => '0 s'), qr/WARNING:.*primary: canceling statement due to statement timeout/s, 'a command waits for an earlier one');
	like(set_to($TOTAL, patience => '0 s'), qr/WARNING/, 'which may not be over');
	is(at_most('primary'), 6, 'so what was told is possible, whatever the limit in force is');
	$earlier->close;
	is(set_to($TOTAL), '', 'when it has ended');
	is(at_most('primary'), 4, 'the limit in force is final');
}
$nodes{standby}->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
wait_for($nodes{standby}, q{pg_get_wal_replay_pause_state() = 'paused'});
like(set_to(18, patience => '2 s'), qr/WARNING:.*standby: it shows 4/s, 'a standby has not replayed its new limit');
like(set_to($TOTAL, patience => '2 s'), qr/WARNING/, 'nor that it is the old one again');
is(in_force('standby'), 'standby 4', 'which it shows all the time');
is(at_most('standby'), 6, 'but it will have the other one in between');
$nodes{standby}->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
is(set_to($TOTAL), '', 'when it has replayed both');
is(at_most('standby'), 4, 'its limit is final');
$nodes{standby}->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
wait_for($nodes{standby}, q{pg_get_wal_replay_pause_state() = 'paused'});
$nodes{primary}->safe_psql('postgres', qq{SELECT pool_advisor.set_limit('app', max_sessions => $_)}) foreach 9, 4;
wait_for_limits($nodes{primary}, q{rolname = 'app' AND max_sessions = 4});
like(set_to($TOTAL, patience => '2 s'), qr/WARNING.*can have any number of sessions now/s, 'of limits that others have set nothing is known until they are replayed');
$nodes{standby}->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
is(set_to($TOTAL), '', 'and then all is');
drop_all();

# a standby whose primary is no node
make_hub(qw(hub standby));
is(set_to($TOTAL), '', 'a standby whose primary is no node');
is(at_most('standby'), 4, 'counts with the limit that it shows');
make_hub(qw(hub primary standby));
drop_all();
weigh(hub => 1, primary => 8, standby => 8);
is(set_to($TOTAL), '', 'the weights of before');
$most = 0;

# --- a node is down ---
drop_all();
$nodes{standby}->stop('immediate');
weigh(hub => 20, primary => 1);
like(set_to($TOTAL), qr/WARNING:.*standby: could not/s, 'a node is down');
is(in_force(qw(hub primary)), 'hub 5 primary 2', 'what it can have when it is back is not given to others');
take_all(qw(hub primary));
$nodes{standby}->start;
take_all('standby');
cmp_ok($most, '<=', $TOTAL, 'it is back, and there are not more');
drop_all();

# --- failover ---
weigh(hub => 1, primary => 1, standby => 1);
is(set_to($TOTAL), '', 'all are there');
is(in_force(qw(hub primary standby)), 'hub 4 primary 4 standby 4', 'with the same share each');
take_all(keys %nodes);
$nodes{primary}->stop('immediate');
forget('primary');
$nodes{standby}->promote;
wait_for($nodes{standby}, 'NOT pg_is_in_recovery()');
take_all(qw(hub standby));
is(scalar @held, 8, 'a failover: the new primary has the share that it had as a standby');
weigh(hub => 20);
like(set_to($TOTAL), qr/WARNING:.*primary: could not/s, 'the limit is divided anew');
is(in_force(qw(hub standby)), 'hub 7 standby 1', 'without what the lost node can have');
take_all(qw(hub standby));
$nodes{primary}->start;
take_all('primary');
cmp_ok($most, '<=', $TOTAL, 'the old primary comes back as it was, and there are not more');
is(set_to($TOTAL), '', 'it is divided among all again');
cmp_ok($most, '<=', $TOTAL, 'and there were not more');

# two primaries of one system, of which one has less
my $all = in_force(qw(hub primary standby));
foreach my $less (qw(primary standby))
{
	$nodes{$less}->safe_psql('postgres', q{SELECT pool_advisor.set_limit('app', max_sessions => 0)});
	wait_for_limits($nodes{$less}, q{rolname = 'app' AND max_sessions = 0});
	is(set_to($TOTAL), '', "$less has less than the other primary of its system");
	is(in_force(qw(hub primary standby)), $all, 'and gets what is its share');
}

# --- a hub that is gone ---
drop_all();
my $before = in_force(qw(primary standby));
$hub->stop('immediate');
is(in_force(qw(primary standby)), $before, 'a hub that is gone changes no limit');
my $expected = 0;
$expected += $_ foreach $before =~ /(\d+)/g;
take_all(qw(primary standby));
is(scalar @held, $expected, 'and the others keep theirs');

done_testing();
