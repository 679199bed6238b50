# What changed between two periods: a history that somebody made up, with two days that are alike
# and one on which transactions wait for a lock.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use HistoryFile;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = limits_node('compare', "pool_advisor.sample_interval = '10s'\n");
my $HOUR = 3600;
my $DAY = 24 * $HOUR;
my $now = time;
my $end = $now - $now % 300 - $HOUR;

# Between -1 and 1, always the same.
my $state = 20;

sub noise
{
	$state = ($state * 1103515245 + 12345) % 2**31;
	return 2 * $state / 2**31 - 1;
}

# A server with 8 sessions at work; on the last day of the points half of them wait for a lock.
sub point_at
{
	my ($at) = @_;
	my $locked = $at > $end - $DAY;
	my $load = 1 + 0.1 * noise();
	my @classes = map { $_ * $load * (1 + 0.05 * noise()) } $locked ? (5, 3, 8, 0, 0) : (5, 3, 0, 0, 0);
	my $active = 0;

	$active += $_ foreach @classes;
	return { at => $at, active => $active, most => $active + 1, classes => \@classes, optimal => 4,
		cpu => 0.5 + 0.02 * noise(), tps => ($locked ? 700 : 1000) * $load };
}

sub points
{
	my ($count, $every) = @_;

	return [ map { point_at($end - $_ * $every) } reverse 0 .. $count - 1 ];
}

my $system = $node->safe_psql('postgres', 'SELECT system_identifier FROM pg_control_system()');
$node->stop;
write_history($node->data_dir . '/pg_stat/pool_advisor.history', $system, [ [], points(2000, 10), points(4000, 300) ]);
$node->start;
wait_for($node, q{count(*) > 5000 FROM pool_advisor.history});

# compare(), with its periods as [begin, end] in seconds before the end of the points.
sub compare
{
	my ($columns, @periods) = @_;
	my $times = join ', ', map { 'to_timestamp(' . ($end - $_) . ')' } @periods;

	return $node->safe_psql('postgres', "SELECT $columns FROM pool_advisor.compare($times) WHERE measure <> 'load'");
}

# two hours of the day before, and of the last day
my @apart = (28 * $HOUR, 26 * $HOUR, 4 * $HOUR, 2 * $HOUR);
is(compare('count(*)', @apart), 12, 'a row for each measure');
is(compare(q{string_agg(measure, ' ' ORDER BY measure) FILTER (WHERE more_than_noise)}, @apart),
	'active_avg io_wait_ratio seconds_per_transaction transactions_per_second waiting_lock', 'what has changed')
  or diag compare('*', @apart);
is((split /\n/, compare('measure', @apart))[0], 'seconds_per_transaction', 'the largest change first');
is($node->safe_psql('postgres', sprintf q{SELECT change_ratio BETWEEN -0.4 AND -0.2 AND before BETWEEN 900 AND 1100
		AND after BETWEEN 600 AND 800 FROM pool_advisor.compare(%s) WHERE measure = 'transactions_per_second'},
		join ', ', map { 'to_timestamp(' . ($end - $_) . ')' } @apart),
	't', 'by how much');
is(compare(q{bool_and(more_than_noise IS NULL OR measure <> 'waiting_lock' OR change_ratio IS NULL)}, @apart), 't',
	'nothing is not divided by');
is(compare('count(*) FILTER (WHERE more_than_noise)', 100 * $HOUR, 98 * $HOUR, 76 * $HOUR, 74 * $HOUR), 0,
	'two days that are alike');
is(compare('count(*) FILTER (WHERE more_than_noise IS NULL)', 28 * $HOUR, 27.7 * $HOUR, 4 * $HOUR, 2 * $HOUR), 12, 'too short to tell');

# ten minutes have only two points of 5 minutes, but sixty of 10 s
is(compare('count(*) FILTER (WHERE more_than_noise IS NOT NULL)', $HOUR, $HOUR - 600, 600, 0), 12, 'the finest points are taken');
like(compare('why', $HOUR, $HOUR - 600, 600, 0), qr/by 60 and 60 points/, 'all of them');
like(compare('why', @apart), qr/by 24 and \d+ points/, 'and longer ones where there are no others');

# one digit more than four is none
is(compare(q{count(*) FILTER (WHERE length(regexp_replace(before::text, '^[0.]+|\.', '', 'g')) > 4
	AND before::text ~ '\.')}, @apart), 0, 'four digits at most');

# whose load it was is not in a file
like($node->safe_psql('postgres', sprintf q{SELECT why FROM pool_advisor.compare(%s) WHERE measure = 'load'},
		join ', ', map { 'to_timestamp(' . ($end - $_) . ')' } @apart),
	qr/^whose load it was is not known of the periods: it is kept since the server started/, 'whose load it was is not kept over a restart');

# before and after the history
my ($code, $out, $err) = $node->psql('postgres',
	q{SELECT pool_advisor.compare('2001-01-01', '2001-01-02', now() - interval '1 day', now())});
like($err, qr/ERROR:  the period from 2001-01-01 .* until 2001-01-02 .* is before the history\nDETAIL:  The history begins at \d+-.*\.\nHINT:  Choose a period/,
	'an error for a period before the history');
($code, $out, $err) = $node->psql('postgres',
	q{SELECT pool_advisor.compare(now() - interval '1 day', now(), now() + interval '1 day', now() + interval '2 days')});
like($err, qr/is in the future/, 'and for one that is not there yet');

# Sessions of a role come, in two times of 15 s since the server started.
$node->safe_psql('postgres', q{ALTER SYSTEM SET pool_advisor.sample_interval = '50ms'; SELECT pg_reload_conf()});
sub now { return $node->safe_psql('postgres', 'SELECT clock_timestamp()') }
sub wait_until { my ($moment) = @_; wait_for($node, "sampled_at > '$moment'::timestamptz + interval '16 s' FROM pool_advisor.status"); return; }

my $idle = now();
wait_until($idle);
my @sleepers = map { client($node, 'app', 'SELECT pg_sleep(600);') } 1 .. 5;
wait_for($node, q{waiting_other = 5 FROM pool_advisor.status});
my $busy = now();
wait_until($busy);
my $keyed = sprintf q{pool_advisor.compare('%s', '%s'::timestamptz + interval '15 s', '%s', '%s'::timestamptz + interval '15 s')}, $idle, $idle, $busy, $busy;
is($node->safe_psql('postgres', "SELECT before < 0.5, round(after), more_than_noise FROM $keyed WHERE dimension = 'role' AND key = 'app' AND measure = 'active_avg'"),
	't|5|t', 'a role whose load is new');
is($node->safe_psql('postgres', "SELECT count(*) FROM $keyed WHERE key = 'app' AND measure = 'blame'"), 0, 'it blocks nobody');
is($node->safe_psql('postgres', "SELECT count(*) FROM $keyed WHERE dimension = ''"), 12, 'beside the measures');
hang_up($_) foreach @sleepers;

$node->stop;
done_testing();
