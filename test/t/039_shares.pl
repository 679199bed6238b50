# While transactions wait for the server's slots, roles share these by active_weight, min_active
# goes before that, and what one role does not use goes to the others.
#
# Sixty clients of one role and ten of others do the same work all the time.  Only ratios of what
# they have done are looked at, with wide margins, after enough was done to tell.  Slots are shared
# by time, so a transaction takes longer than a session needs to wake up, and than a lease.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('shares', "max_connections = 120\n");
my $admin = admin($node);
my $PATIENCE = $PostgreSQL::Test::Utils::timeout_default;
my @ROLES = qw(many few member other);
my @programs;

$node->safe_psql('postgres', 'CREATE ROLE team; CREATE DATABASE second; ' . join('; ', map { "CREATE ROLE $_ LOGIN" } @ROLES) . '; GRANT team TO member, other');
foreach my $database ('postgres', 'second')
{
	$node->safe_psql($database, <<'SQL' . join('', map { "CREATE SEQUENCE done_$_; GRANT ALL ON SEQUENCE done_$_ TO $_;" } @ROLES));
CREATE FUNCTION burn() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 1000000 LOOP NULL; END LOOP;
END $$;
SQL
}
server_max_active($node, 2);

# Clients of a role that work until stop().
sub start
{
	my ($role, $clients, $database) = @_;
	my $script = $node->basedir . "/$role.sql";

	open my $file, '>', $script or die "could not write $script: $!";
	print {$file} "SELECT nextval('done_$role'), burn();\n";
	close $file or die "could not write $script: $!";
	push @programs, start_program('pgbench', '-n', '-c', $clients, '-j', 4, '-T', 100000, '-h', $node->host, '-p', $node->port,
		'-U', $role, '-f', $script, $database // 'postgres');
	return;
}

sub stop
{
	$_->{run}->kill_kill foreach @programs;
	@programs = ();
	ok(true_within($node, $PATIENCE, q{running = 0 AND waiting = 0 FROM } . $GATE), 'all have gone');
	return;
}

# What a role has done so far.
sub done
{
	my ($role) = @_;

	return $admin->value("SELECT last_value FROM done_$role");
}

# The work of these roles, as a multiple of that of others, while enough is done.
sub ratio
{
	my ($enough, $these, $others) = @_;
	my ($before_these, $before_others) = map { my $sum = 0; $sum += done($_) foreach @$_; $sum } $these, $others;
	my $sum_these = join(' + ', map { "(SELECT last_value FROM done_$_)" } @$these);
	my $sum_others = join(' + ', map { "(SELECT last_value FROM done_$_)" } @$others);

	true_within($node, $PATIENCE, "$sum_these - $before_these + $sum_others - $before_others > $enough") or die 'nothing is done';
	my ($now_these, $now_others) = split /\|/, $admin->value("SELECT $sum_these, $sum_others");
	my $ratio = ($now_these - $before_these) / ($now_others - $before_others || 1);
	note sprintf('%s have done %.2f times as much as %s', $these->[0], $ratio, $others->[0]);
	return $ratio;
}

sub is_about
{
	my ($ratio, $expected, $name) = @_;

	cmp_ok($ratio, '>', $expected * 0.5, "$name: not much less than $expected");
	cmp_ok($ratio, '<', $expected / 0.5, "$name: not much more than $expected");
	return;
}

sub share
{
	my ($condition, $arguments) = @_;

	$admin->value("SELECT pool_advisor.set_limit($arguments)");
	wait_for_limits($node, $condition);
	return;
}

# --- roles are equal ---
start('many', 60);
ok(true_within($node, $PATIENCE, "waiting > 40 FROM $GATE"), 'the queue is full');
start('few', 10);
ok(true_within($node, $PATIENCE, "waiting > 60 FROM $GATE"), 'ten more clients come');
ratio(100, ['few'], ['many']);
is_about(ratio(600, ['few'], ['many']), 1, 'ten clients of one role and sixty of another');

# --- weights ---
share(q{rolname = 'few' AND active_weight = 4}, q{'few', active_weight => 4});
ratio(100, ['few'], ['many']);
is_about(ratio(600, ['few'], ['many']), 4, 'with a weight of 4');
share(q{rolname = 'many' AND active_weight = 1000}, q{'many', active_weight => 1000});
ratio(100, ['few'], ['many']);
cmp_ok(ratio(600, ['few'], ['many']), '<', 0.2, 'with a weight of 4 beside 1000');

# --- a minimum ---
share(q{rolname = 'few' AND min_active = 1}, q{'few', min_active => 1});
ratio(100, ['few'], ['many']);
is_about(ratio(600, ['few'], ['many']), 1, 'with one of two slots for sure');

# --- what one does not use ---
$programs[0]{run}->kill_kill;
shift @programs;
ok(true_within($node, $PATIENCE, q{count(*) = 0 FROM pg_stat_activity WHERE usename = 'many'}), 'the many go');
my $before = done('few');
ok(true_within($node, $PATIENCE, "last_value > $before + 200 FROM done_few"), 'the others have all');
is($admin->value(q{SELECT running FROM pool_advisor.gate WHERE scope = 'server'}) <= 2, 1, 'and no more than there is');
stop();

# --- groups and databases ---
$admin->value("SELECT pool_advisor.clear_limit('$_')") foreach qw(few many);
share(q{rolname = 'team' AND scope = 'group' AND active_weight = 1}, q{'team', active_weight => 1});
start('many', 20);
start($_, 20) foreach qw(member other);
ok(true_within($node, $PATIENCE, "waiting > 50 FROM $GATE"), 'a group and another role');
ratio(100, ['member', 'other'], ['many']);
is_about(ratio(600, ['member', 'other'], ['many']), 1, 'a group with a weight has one share');
$admin->value(q{SELECT pool_advisor.clear_limit('team')});
ok(true_within($node, $PATIENCE, q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'team')}), 'without it');
ratio(100, ['member', 'other'], ['many']);
is_about(ratio(600, ['member', 'other'], ['many']), 2, 'each member has its own');
stop();

# --- what is not taken ---
foreach my $bad ([ q{'few', active_weight => 0}, '22023' ], [ q{'few', active_weight => -1}, '22023' ], [ q{'few', active_weight => 1001}, '22003' ],
	[ q{'few', min_active => -1}, '22023' ], [ q{'few', max_active => 2, min_active => 3}, '22023' ])
{
	is($admin->simple("SELECT pool_advisor.set_limit($bad->[0])")->result->{error}, $bad->[1], "$bad->[0] is an error");
}
done_testing();
