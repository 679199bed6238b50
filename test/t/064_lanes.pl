# Long transactions have a lane of their own within server_max_active, so that short ones move.
#
# Clients of a role compute for some milliseconds, others for a second, all the time.  What is
# looked at are counts in the view, and ratios of what both have done, with wide margins.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('lanes', "max_connections = 80\ncompute_query_id = on\npool_advisor.long_lane = on\n");
my $admin = admin($node);
my $PATIENCE = $PostgreSQL::Test::Utils::timeout_default;
my %programs;

# A short one takes about a millisecond, beside long ones several; a report as long as 1500 of them.
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE reports LOGIN;
CREATE SEQUENCE done_short; GRANT ALL ON SEQUENCE done_short TO app, reports;
CREATE SEQUENCE done_long; GRANT ALL ON SEQUENCE done_long TO app, reports;
CREATE FUNCTION burn(thousands int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. thousands * 1000 LOOP NULL; END LOOP;
END $$;
SQL
server_max_active($node, 4);

sub start
{
	my ($name, $role, $clients, $sql) = @_;
	my $script = $node->basedir . "/$name.sql";

	open my $file, '>', $script or die "could not write $script: $!";
	print {$file} "$sql\n";
	close $file or die "could not write $script: $!";
	$programs{$name} = start_program('pgbench', '-n', '-c', $clients, '-j', 2, '-T', 100000, '-h', $node->host, '-p', $node->port,
		'-U', $role, '-f', $script, 'postgres');
	return;
}

# Returns once they have done something.
sub start_short
{
	my ($role, $clients) = @_;
	my $before = $admin->value('SELECT last_value FROM done_short');

	start('short', $role, $clients, q{SELECT nextval('done_short'), burn(20);});
	true_within($node, $PATIENCE, "last_value > $before + 100 FROM done_short") or die 'no short one ends';
	return;
}

sub start_long { my ($role, $clients) = @_; return start('long', $role, $clients, q{SELECT burn(30000), nextval('done_long');}); }

sub stop
{
	my (@names) = @_;

	(delete $programs{$_})->{run}->kill_kill foreach @names;
	return;
}

sub stop_all
{
	stop(sort keys %programs);
	$admin->value(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pgbench'});
	ok(true_within($node, $PATIENCE, "running = 0 AND waiting = 0 FROM $GATE"), 'all have gone');
	return;
}

sub set
{
	my ($setting, $value) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET $setting = $value");
	$node->reload;
	ok(true_within($node, $PATIENCE, "current_setting('$setting') = '$value'"), "$setting = $value");
	return;
}

sub server_is
{
	my ($condition, $name) = @_;

	return ok(true_within($node, $PATIENCE, "EXISTS (SELECT FROM pool_advisor.gate WHERE scope = 'server' AND $condition)"), $name);
}

# How many short transactions end while so many long ones do.
sub shorts_while
{
	my ($longs) = @_;
	my ($short, $long) = map { $admin->value("SELECT last_value FROM done_$_") } qw(short long);

	true_within($node, $PATIENCE, "last_value >= $long + $longs FROM done_long") or die 'no long one ends';
	my ($short_now, $long_now) = map { $admin->value("SELECT last_value FROM done_$_") } qw(short long);
	my $ratio = ($short_now - $short) / ($long_now - $long);

	note sprintf('%.1f short ones for each long one', $ratio);
	return $ratio;
}

# Of so many looks, those with more long transactions than that at a time.
sub looks_with_more
{
	my ($most) = @_;
	my $more = 0;

	foreach (1 .. 40)
	{
		$more++ if $admin->value("SELECT long_running > $most FROM pool_advisor.gate WHERE scope = 'server'") eq 't';
		$admin->value('SELECT pg_sleep(0.02)');
	}
	note "$more of 40 looks found more than $most";
	return $more;
}

# --- one role, known by their queries ---
set('pool_advisor.long_lane', 'off');
start_short('app', 20);
start_long('app', 8);
server_is('long_max_active = -1 AND waiting > 15', 'both wait in one queue');
shorts_while(10);
my $without = shorts_while(16);
set('pool_advisor.long_lane', 'on');
server_is('long_max_active = 1 AND long_waiting = 7 AND long_running = 1', 'long ones are found, and one of four slots is theirs');
my $with = shorts_while(3);
cmp_ok($with, '>', 3 * $without, 'short ones move while long ones run');
cmp_ok(looks_with_more(1), '<=', 10, 'hardly ever two long ones run');
is($admin->value(q{SELECT long_running + long_waiting <= running + waiting FROM pool_advisor.gate WHERE scope = 'server'}), 't', 'they are part of all');

# --- what one lane does not use goes to the other ---
stop('short');
server_is('running = 4 AND waiting = 4 AND long_max_active = -1', 'without short ones long ones have all slots');
start_short('app', 20);
server_is('long_running = 1 AND long_max_active = 1', 'and give them back when they end');
stop('long');
server_is('long_running = 0 AND running = 4', 'short ones have all slots');
stop_all();

# --- another limit ---
server_max_active($node, 1);
start_short('app', 10);
start_long('app', 4);
server_is('long_waiting >= 3', 'both want the only slot');
cmp_ok(shorts_while(4), '>', 1, 'and both get it');
stop_all();
server_max_active($node, 2);
start_short('app', 10);
start_long('app', 4);
server_is('long_running = 1 AND long_waiting = 3 AND long_max_active = 1', 'of two slots one is theirs');
stop_all();

# --- without query IDs ---
set('compute_query_id', 'off');
server_max_active($node, 4);
start_short('app', 20);
start_long('reports', 8);
server_is('long_running = 1 AND long_waiting = 7', 'a role of its own is enough');
stop_all();
start_short('app', 20);
start_long('app', 8);
server_is('long_running >= 1', 'else a long one is known by its age');
shorts_while(2);
stop_all();

# --- min_active goes first ---
set('compute_query_id', 'on');
$admin->value(q{SELECT pool_advisor.set_limit('reports', min_active => 3)});
wait_for_limits($node, q{rolname = 'reports' AND min_active = 3});
start_short('app', 20);
start_long('reports', 8);
ok(true_within($node, $PATIENCE, <<'SQL'), 'slots that a role has for sure are not of the lane');
count(*) >= 3 FROM pg_stat_activity WHERE usename = 'reports' AND state = 'active' AND wait_event_type IS NULL
SQL
shorts_while(3);
stop_all();
done_testing();
