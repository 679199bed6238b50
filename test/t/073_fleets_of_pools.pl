# Fleets of front ends with real connections: as many as fleet_connections() says, by all that the server shows.
# Two front ends of an OutSystems application, each a process (test/pools/front_end.pl), have pools by the
# rules of .NET or of Java, with modules at rest, busy and at their peak.
#
# The figures are OutSystems' own: .NET with 10 and with 200 modules, Java with one pool for all.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Applications;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @FRONT_ENDS = ('front end 1', 'front end 2');
my $BUSY = 7;     # the module that gets requests
my $OTHERS = 1;   # and the one whose requests go on all the time

my $node = limits_node('fleets', <<'CONF');
max_connections = 1300
shared_buffers = 16MB
log_connections = off
CONF
my @row;

applications_of($node);
$node->safe_psql('postgres', 'CREATE DATABASE second');

sub start_front_ends
{
	my ($stack, $modules, @databases) = @_;

	start_application($_, 'app', $^X, "-I$FindBin::RealBin", "$FindBin::RealBin/../pools/front_end.pl", $stack, $modules, @databases)
	  foreach @FRONT_ENDS;
	return;
}

# Requests of a module at each front end: for each of them and each database, how many have a connection
# and how many wait.
sub order
{
	my ($command, $module, $count) = @_;
	my @counts;

	foreach my $front_end (@FRONT_ENDS)
	{
		my $answer = command($front_end, "$command $module $count") or die "$front_end has ended";
		push @counts, map { "$answer->{done}{$_} $answer->{waiting}{$_}" } sort keys %{ $answer->{done} };
	}
	return @counts;
}

sub request { return order('request', @_) }

# That front ends of a database have so many of each.
sub all_have
{
	my ($held, $waiting, $name, @counts) = @_;

	is(join(', ', @counts), join(', ', ("$held $waiting") x @counts), $name);
	return;
}

# That the server has as many as was published and is predicted. A database has a pool of each front end in
# the view, since all modules log in by the same name.
sub comes_to
{
	my ($name, $connections, $unserved, %fleet) = @_;
	my $arguments = join(', ', map { "$_ => $fleet{$_}" } sort keys %fleet);
	my $rows = $fleet{front_ends} * $fleet{databases};

	is(admin($node)->value("SELECT * FROM pool_advisor.fleet_connections($arguments)"), "$connections|$unserved",
		"$name: fleet_connections() predicts $connections connections and $unserved unserved requests");
	wait_for($node, "sessions = $connections FROM pool_advisor.roles WHERE rolname = 'app'", "$name: as many sessions in roles");
	wait_for($node, "count(*) = $rows AND sum(open) = $connections AND min(open) = max(open) AND sum(max_open) = $connections
		FROM pool_advisor.pools WHERE role = 'app'", "$name: as many in $rows equal rows of pools, and never more");
	wait_for($node, "committed = $connections FROM pool_advisor.budget WHERE scope = 'found pools'", "$name: as many in budget");
	push @row, "$name: predicted $connections, seen " . admin($node)->value(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'});
	return;
}

# The end of the front ends, and of what was found of them.
sub end_of_fleet
{
	stop_application(@FRONT_ENDS);
	wait_for($node, q{NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'app')});
	admin($node)->value(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'});
	wait_for($node, q{NOT EXISTS (SELECT FROM pool_advisor.pools WHERE role = 'app') AND worker_running FROM pool_advisor.status});
	return;
}

#
# .NET: a pool for each module and database
#
my %dotnet = (front_ends => 2, pools => 10, min_pool_size => 1, max_pool_size => 100, databases => 1, requests => 0, free => 1);

start_front_ends('dotnet', 10, 'postgres');
all_have(0, 0, 'modules at rest hold nothing', request($BUSY, 0));
comes_to('.NET, 10 modules at rest', 20, 0, %dotnet);
end_of_fleet();

%dotnet = (%dotnet, pools => 200, databases => 2);
start_front_ends('dotnet', 200, 'postgres', 'second');
all_have(0, 0, 'and 200 modules neither', request($BUSY, 0));
comes_to('.NET, 200 modules at rest', 800, 0, %dotnet);
all_have(50, 0, '50 requests of one module at each front end and database have a connection', request($BUSY, 50));
comes_to('.NET, one module busy', 996, 0, %dotnet, requests => 50);
all_have(100, 50, 'of 150 requests 100 have one, and 50 wait', request($BUSY, 100));
comes_to('.NET, one module at its peak', 1196, 50, %dotnet, requests => 150);
is(admin($node)->value(q{SELECT idle_in_transaction FROM pool_advisor.roles WHERE rolname = 'app'}), 400, 'and 400 are in use');
all_have(100, 10, 'a connection that is returned goes to a request that waits', order('return', $BUSY, 40));
is(admin($node)->value(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'}), 1196, 'so there are no more for that');

# what is declared is what may come, and not what is there
admin($node)->value(q{SELECT pool_advisor.declare_pool('modules', 'outsystems', processes => 2 * 200 * 2, max_pool_size => 100, role => 'app')});
is(admin($node)->value(q{SELECT sessions, committed, verdict FROM pool_advisor.budget WHERE name = 'modules'}), '1196|80000|does not fit',
	'declared: all pools at their maximum would be 80000');
admin($node)->value(q{SELECT pool_advisor.forget_pool('modules')});
end_of_fleet();

#
# Java: a pool for each database
#
my %java = (front_ends => 2, pools => 1, min_pool_size => 10, max_pool_size => 100, databases => 2, requests => 0, free => 5);

start_front_ends('java', 200, 'postgres', 'second');
all_have(5, 0, 'requests of other modules hold half of the minimum', request($OTHERS, 5));
comes_to('Java at rest', 40, 0, %java);
all_have(55, 0, '50 more have a connection', request($BUSY, 50));
comes_to('Java, one module busy', 220, 0, %java, requests => 50);
all_have(100, 55, 'of 150 more, 55 wait', request($BUSY, 100));
comes_to('Java at its peak', 400, 55, %java, requests => 150);
end_of_fleet();

note($_) foreach @row;
$node->stop('fast');
done_testing();
