# Processes of two roles follow my_share() with the code that doc/fleet.md shows, while they become more and
# fewer: soon after each change their pools have the role's share together, and nobody is refused.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Applications;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $POOL_SIZE = 40;
my $node = limits_node('share', <<"CONF");
max_connections = 60
pool_advisor.optimal = $POOL_SIZE
CONF
my $modules = PostgreSQL::Test::Utils::tempdir;
my $folder = "$FindBin::RealBin/../pools";

$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');

append_to_file("$modules/share.js", documented('js') . "\nmodule.exports = followShare;\n");
applications_of($node, $modules);

# How many connections a role has, and how many processes have some.
sub sessions { return split ' ', admin($node)->value(
	"SELECT concat_ws(' ', count(*), count(DISTINCT application_name)) FROM pg_stat_activity WHERE usename = '$_[0]'") }

# Whether a role has its share for three seconds in a row.
sub settled
{
	my ($role, $processes, $share) = @_;
	my $begun = time;
	my $good = 0;
	my @now;

	while ($good < 3 && time - $begun < $PostgreSQL::Test::Utils::timeout_default)
	{
		@now = sessions($role);
		$good = $now[1] == $processes && abs($now[0] - $share) <= 0.1 * $share ? $good + 1 : 0;
		sleep 1;
	}
	note sprintf '%s: %d processes have %d connections after %.0f s', $role, @now[ 1, 0 ], time - $begun - $good;
	is($good, 3, "$role: $processes processes have a share of $share together") or diag("$role: $now[1] processes have $now[0] connections");
	return;
}

# Callers that want more connections than there are.
sub start
{
	my ($role, $program, @numbers) = @_;

	foreach my $number (@numbers)
	{
		my $name = "$role-$number";

		start_application($name, $role, @$program);
		isnt(command($name, 'report'), undef, "$name runs");
	}
	return;
}

sub errors_of
{
	my (@names) = @_;

	return join ' ', map { my $answer = command($_, 'report'); $answer ? %{ $answer->{errors} } : 'gone' } @names;
}

sub processes
{
	my ($role, @numbers) = @_;

	start($role, [ 'node', "$folder/node_postgres_app.js", 'share', 60, 0.05, 'max=1' ], @numbers);
	return;
}

SKIP:
{
	skip('node-postgres cannot be had here', 1) unless runs_here('node', '-e', 'require("pg")');

	processes('app', 1 .. 3);
	settled('app', 3, $POOL_SIZE);
	processes('app', 4 .. 12);
	settled('app', 12, $POOL_SIZE);
	is(errors_of(map { "app-$_" } 1 .. 12), '', '12 processes: no call failed');
	stop_application(map { "app-$_" } 4 .. 12);
	settled('app', 3, $POOL_SIZE);

	# another role wants as much: each has a half
	processes('shop', 1 .. 2);
	settled('shop', 2, $POOL_SIZE / 2);
	settled('app', 3, $POOL_SIZE / 2);
	is(errors_of(qw(app-1 app-2 app-3 shop-1 shop-2)), '', 'two roles: no call failed');
	unlike(slurp_file($node->logfile), qr/FATAL:  (?!connection to client lost)/, 'no login was refused');
}

done_testing();
