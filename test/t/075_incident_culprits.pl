# Incidents of the load on a real server: an application, a role and commits that come to too much, beside an
# ordinary load, are found with who brought it; and what is said to help ends it.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Incidents;
use PoolAdvisor;
use Test::More;

my $node = incidents_node('culprits', "compute_query_id = on\n", 'batch', '"NightJob"');
my @crowd = ('overload', 'oversubscription');
my $crowd = join ' OR ', map { "kind = '$_'" } @crowd;

sub set
{
	my ($setting) = @_;

	value("ALTER SYSTEM SET $setting");
	value('SELECT pg_reload_conf()');
	return;
}

start_load('shop', 'app', 6, $WORK);
work_to_compare_with();

#
# An application of the role that all have
#
start_load('crawler', 'app', 30, "SELECT count(*) FROM generate_series(1, 30000);\n");
becomes_true(exists_incident("($crowd) AND culprit = 'crawler'"), 'an application that brings too much is found');
is(column_of(q{concat_ws(' ', culprit_dimension, culprit, rolname, application_name, ended IS NULL)}, @crowd),
	'application crawler app crawler t', 'with its name, and the role that it uses');
like(column_of('cause', @crowd),
	qr/^Up to \d+ sessions wanted to work at once, .*, up to \d+ % of them of application crawler \(role app\), against 0 % before/, 'in a sentence');
like(value(q{SELECT state FROM pool_advisor.summary WHERE item = 'verdict'}), qr/; incident: over/, 'the summary says so');
like(value('SELECT message FROM pool_advisor.check_load()'), qr/, incident: over[^)]*\) \|/, 'and the check');
end_load('crawler');
becomes_true(exists_incident("($crowd) AND ended IS NOT NULL"), 'it ends with it');

#
# A role with heavy statements, under a name that must be quoted; what is said to help is done
#
start_load('nightly', 'NightJob', 30, "SELECT count(*) FROM generate_series(1, 1000000);\n");
becomes_true(exists_incident("($crowd) AND culprit = 'NightJob'"), 'a role that brings too much is found');
is(column_of(q{concat_ws(' ', culprit_dimension, rolname, application_name IS NULL)}, @crowd), 'role NightJob t', 'as a role');
my ($remedy) = column_of('would_have_helped', @crowd) =~ /(ALTER ROLE "NightJob" SET pool_advisor\.max_active = \d+)\./;
ok($remedy, 'there is a line for it') or diag(column_of('would_have_helped', @crowd));
value($remedy);
becomes_true(exists_incident("($crowd) AND culprit = 'NightJob' AND ended IS NOT NULL"), 'which ends it, though the load goes on');
cmp_ok(value(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'NightJob' AND state = 'active'}), '>', 20, 'as it waits');
end_load('nightly');
is(value("SELECT count(*) FROM pool_advisor.incidents WHERE $crowd"), 2, 'there were two incidents');

#
# Commits wait for a standby that does not answer
#
set("synchronous_standby_names = 'absent'");
start_load('import', 'batch', 30, $WORK);
becomes_true(exists_incident(q{kind = 'I/O flood' AND culprit = 'batch'}), 'a flood of commits is found, with the role that brought most');
like(column_of('cause', 'I/O flood'),
	qr/^Up to \d+ sessions waited for I\/O or commits at once, against [0-9.]+ before, up to \d+ % of them of role batch, against 0 % before, and [0-9.]+ transactions a second were done instead of [0-9.]+\.$/,
	'in a sentence');
my $plausible = q{transactions_not_done BETWEEN 0 AND
	(SELECT max(transactions_per_second) FROM pool_advisor.history WHERE resolution = '1 s') * (extract(epoch FROM coalesce(ended, now()) - began) + 5)};
is(column_of($plausible, 'I/O flood'), 't', 'what it costs is no more than was done before');
set("synchronous_standby_names = ''");
end_load('import');
becomes_true(exists_incident(q{kind = 'I/O flood' AND ended IS NOT NULL}), 'it ends');

# all stand still now, none more than the others
set("synchronous_standby_names = 'absent'");
becomes_true(exists_incident(q{kind = 'I/O flood' AND ended IS NULL}), 'a flood that nobody brought is found');
is(column_of(q{concat_ws(' ', culprit_dimension, culprit, rolname)}, 'I/O flood'), ' ', 'without a culprit');
set("synchronous_standby_names = ''");
is(value(q{SELECT count(*) FROM pool_advisor.incidents WHERE kind = 'I/O flood'}), 2, 'it is an incident of its own');

end_load('shop');
$node->stop;
done_testing();
