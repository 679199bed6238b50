# Many clients race for few places: never one too many inside, never a free
# place while somebody waits, first come first served, nobody refused.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('race', "max_connections = 620\nlog_connections = off\npool_advisor.queue_share = 1\n");
my $scripts = PostgreSQL::Test::Utils::tempdir;

# Two judges inside the server that know nothing of our counts.  Core's own
# limit counts processes at each login, under its lock, and would refuse; and
# each session holds a lock for as long as it is there, and the table of locks
# shows one consistent picture of all.
sub race
{
	my ($name, $clients, $places, $rounds, $pause) = @_;
	my $logged = -s $node->logfile;

	append_to_file("$scripts/$name.sql", <<"SQL");
SELECT pg_advisory_lock_shared(42);
SELECT pg_sleep($pause);
SELECT 1 / (count(*) <= $places)::int FROM pg_locks
WHERE locktype = 'advisory' AND objid = 42 AND granted;
SQL
	set_limits($node, "SELECT pool_advisor.set_limit('app', max_sessions => $places,
		queue_length => $clients, queue_timeout => '55 s')",
		"max_sessions = $places FROM pool_advisor.limits WHERE rolname = 'app'");
	$node->safe_psql('postgres', "ALTER ROLE app CONNECTION LIMIT $places");

	# all places are taken when they come, and then get free one by one: so there is a line
	# to look at however slow logins are
	my $plug = q{SELECT pg_advisory_lock_shared(42), 'in';};
	my @plugs = map { client($node, 'app', $plug) } 1 .. $places;
	says($_, qr/in/) foreach @plugs;

	# a thread for each client, as a login blocks the whole thread
	my %pgbench = (out => '', err => '');
	my $run = IPC::Run::start(
		[   'pgbench', '-n', '-C', '-c', $clients, '-j', $clients, '-t', $rounds,
			'-U', 'app', '-h', $node->host, '-p', $node->port,
			'-f', "$scripts/$name.sql", 'postgres' ],
		'>', \$pgbench{out}, '2>', \$pgbench{err}, IPC::Run::timeout(600));

	# its first connection is for itself; let that one by
	wait_for($node, q{queued = 1 FROM pool_advisor.roles WHERE rolname = 'app'});
	push @plugs, client($node, 'app', $plug);
	wait_for($node, q{queued = 2 FROM pool_advisor.roles WHERE rolname = 'app'});
	finish(shift @plugs);
	says($plugs[-1], qr/in/);
	wait_for($node, q{queued > 40 FROM pool_advisor.roles WHERE rolname = 'app'});
	my ($looks, $gaps) = (0, 0);
	while ($run->pumpable)
	{
		my ($before, $in, $after) = split /\|/, one_value($node, q{
			SELECT (SELECT queued FROM pool_advisor.roles WHERE rolname = 'app'),
			       (SELECT in_use FROM pool_advisor.limits WHERE rolname = 'app'),
			       (SELECT queued FROM pool_advisor.roles WHERE rolname = 'app')});

		# with a line this long, it cannot have been empty in between
		if (($before || 0) > 20 && ($after || 0) > 20)
		{
			$looks++;
			$gaps++ if $in != $places;
		}
		finish(pop @plugs) if @plugs;
		$run->pump_nb;
	}
	$run->finish;

	# where looks are slow, some of those who came first are there still
	finish($_) foreach @plugs;
	my $transactions = $clients * $rounds;
	like($pgbench{out}, qr{processed: $transactions/$transactions\n}, "$name: everybody got in, all rounds")
	  or diag($pgbench{err});
	is(refusals($node, $logged), 0, "$name: neither core nor we refused anybody");
	cmp_ok($looks, '>', 0, "$name: there was a line to look at, $looks times");
	is($gaps, 0, "$name: no place was free while somebody waited");
	wait_for($node, "in_use = 0 FROM pool_advisor.limits WHERE rolname = 'app'",
		"$name: no place is lost");
	return;
}

race('crowd', 200, 10, 25, 0);
race('invocations', 500, 64, 2, 0.3);

# First come, first served: they come one after the other, behind one inside.
set_limits($node, q{SELECT pool_advisor.set_limit('app', max_sessions => 1);
	CREATE TABLE served (n int, place serial); GRANT ALL ON served, served_place_seq TO app},
	q{max_sessions = 1 FROM pool_advisor.limits WHERE rolname = 'app'});
my $first = client($node, 'app', 'SELECT 1;');
wait_for($node, q{in_use = 1 FROM pool_advisor.limits WHERE rolname = 'app'});
my @line;
foreach my $n (1 .. 20)
{
	push @line, client($node, 'app', "INSERT INTO served (n) VALUES ($n); \\q");
	wait_for($node, "queued = $n FROM pool_advisor.roles WHERE rolname = 'app'");
}
finish($first);
finish($_) foreach @line;
is($node->safe_psql('postgres', 'SELECT count(*), bool_and(n = place) FROM served'),
	'20|t', 'first come, first served');
my $waited = $node->safe_psql('postgres',
	q{SELECT queue_wait_seconds_total > 0 AND queued_total > 20 AND refused_total = 0
	  FROM pool_advisor.roles WHERE rolname = 'app'});
is($waited, 't', 'the wait is counted');

$node->stop;
done_testing();
