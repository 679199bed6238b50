# 500 callers of a database that is to have 64 connections, as of an OMERO.server at its busiest. Without a
# queue 436 are refused. Through the queue of logins, and through that of transactions, all are served, none
# is refused, and there are never more than 64 at once.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $CALLERS = 500;
my $PLACES = 64;
my $WAITING = $CALLERS - $PLACES;

# waiting logins take connections, too, and none may be given up on a busy machine
my $node = limits_node('many_callers', <<'CONF');
max_connections = 520
shared_buffers = 16MB
log_connections = off
authentication_timeout = '10min'
pool_advisor.optimal = 64
pool_advisor.queue_share = 1
CONF

# An invocation computes for longer than the kernel lets it at a time, so that many overlap, and then tells how
# many there are just now: a judge that knows nothing of our counts. Core's CONNECTION LIMIT is another one.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION invocation() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock_shared(42);
	FOR i IN 1..2000000 LOOP NULL; END LOOP;
	RETURN (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND granted);
END $$;
SQL

sub callers { return map { wire($node, 'app', later => 1) } 1 .. $CALLERS }

sub sessions_of_role { return admin($node)->value(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'}) }

sub of_role { return admin($node)->value("SELECT $_[0] FROM pool_advisor.roles WHERE rolname = 'app'") }

#
# What client_config() says
#
is(admin($node)->value(q{SELECT value FROM pool_advisor.client_config('omero') WHERE setting = 'omero.db.poolsize'}), $PLACES,
	"client_config('omero') prints $PLACES connections");
like(admin($node)->value("SELECT reason FROM pool_advisor.client_config('omero', threads => $CALLERS) WHERE setting = 'next limit'"),
	qr/of $CALLERS threads $WAITING wait/, "and that of $CALLERS threads $WAITING wait");

#
# Without a queue
#
$node->safe_psql('postgres', "ALTER ROLE app CONNECTION LIMIT $PLACES");
{
	my @callers = callers();
	my %answers;

	$answers{ $_->result->{error} // 'in' }++ foreach @callers;
	is_deeply(\%answers, { in => $PLACES, 53300 => $WAITING }, "without a queue $WAITING of $CALLERS are refused");
	$_->close foreach @callers;
	wait_for($node, q{NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'app')});
}

#
# The queue of logins, with core's limit of the same number as a judge
#
set_limits($node, "SELECT pool_advisor.set_limit('app', max_sessions => $PLACES, queue_length => $WAITING, queue_timeout => '9 min')",
	"max_sessions = $PLACES FROM pool_advisor.limits WHERE rolname = 'app'");
{
	my @waiting = callers();
	my ($most, @refused);

	wait_for($node, "sessions = $PLACES AND queued = $WAITING FROM pool_advisor.roles WHERE rolname = 'app'",
		"$PLACES callers are in, and $WAITING logins wait");
	$most = sessions_of_role();
	while (@waiting)
	{
		my @still;

		foreach my $caller (@waiting)
		{
			my $welcome = $caller->result_within(0);
			my $failed = $welcome && ($welcome->{error} // $caller->ask('SELECT 1')->{error});

			push @refused, $failed if $failed;
			$welcome ? $caller->close : push @still, $caller;
		}
		my $now = sessions_of_role();
		$most = $now if $now > $most;
		sleep 0.05 if @still == @waiting;
		@waiting = @still;
	}
	is(join(' ', @refused), '', "all $CALLERS are served, and none is refused");
	is($most, $PLACES, "there were $PLACES sessions, and never more");
	is(of_role(q{queued_total || ' ' || refused_total || ' ' || timed_out_total}), "$WAITING 0 0", 'roles counts those that waited');
	note("queue of logins: $CALLERS served, ", scalar @refused, " refused, at most $most sessions");
}

#
# The queue of transactions, with all callers connected
#
$node->safe_psql('postgres', 'ALTER ROLE app CONNECTION LIMIT -1');
set_limits($node, "SELECT pool_advisor.clear_limit('app'); SELECT pool_advisor.set_limit('app', max_active => $PLACES)",
	"max_active = $PLACES AND max_sessions = -1 FROM pool_advisor.limits WHERE rolname = 'app'");
{
	my @callers = callers();
	my ($most, $beyond) = (0);
	my @failed = grep { defined } map { $_->result->{error} } @callers;

	is(join(' ', @failed), '', "all $CALLERS are connected");
	$_->simple('SELECT invocation()') foreach @callers;
	foreach my $caller (@callers)
	{
		my $answer = $caller->result;

		push @failed, $answer->{error} if defined $answer->{error};
		$most = $1 if $answer->{rows} =~ /^(\d+)/ && $1 > $most;
	}
	is(join(' ', @failed), '', "all $CALLERS invocations are served, and none is refused");
	# a holder that waits for more than a lock leaves its slot to another one, which is counted
	$beyond = column($node, 'overcommitted_total');
	cmp_ok($most, '<=', $PLACES + $beyond, "never more than $PLACES at once");
	is(column($node, qq{(waited_total > $CALLERS / 2) || ' ' || waited_total - granted_total || ' ' || refused_total || ' ' || timed_out_total}),
		'true 0 0 0', 'most had to wait, and gate says that all of these were let in');
	note("queue of transactions: $CALLERS served, ", scalar @failed, " refused, at most $most at once ($beyond let in beyond the limit), ", column($node, 'waited_total'), ' waited');
	$_->close foreach @callers;
}

$node->stop('fast');
done_testing();
