# Incidents on a real server: a leak of connections, a lock storm, two stalls and a login storm are
# planted one after another, and found with their culprits; they are kept over a crash and a
# restart, and a bad file is not believed.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Incidents;
use PoolAdvisor;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = incidents_node('incidents', "restart_after_crash = on\n", qw(batch leaky storm));
my $file = $node->data_dir . '/pg_stat/pool_advisor.incidents';

sub write_bytes
{
	my ($name, $content) = @_;

	open my $handle, '>:raw', $name or die "could not open $name: $!";
	print $handle $content;
	close $handle or die "could not write $name: $!";
	return;
}

# The status of the check for an incident of this kind that lasts.
sub worth_of
{
	my ($kind) = @_;

	return value("SELECT value FROM pool_advisor.metrics WHERE name = 'pool_advisor_incidents_status' AND incident = '$kind'");
}

is(value('SELECT count(*) FROM pool_advisor.incidents'), 0, 'a new server has none');

#
# A leak, beside an ordinary load
#
start_load('shop', 'app', 6, $WORK);
my @leaked;
my $last = 0;
becomes_true(exists_incident(q{kind = 'connection leak'}), 'a role that opens sessions and does not use them is found', sub {
	return if time - $last < 2 || @leaked >= 100;
	$last = time;
	push @leaked, wire($node, 'leaky', name => 'leak');
});
is(column_of(q{concat_ws(' ', ended IS NULL, culprit_dimension, culprit, rolname, transactions_not_done IS NULL)}, 'connection leak'),
	't role leaky leaky t', 'with its name, as long as it lasts');
like(column_of('cause', 'connection leak'), qr/^The sessions of role leaky grew from \d+ to \d+ although/, 'in a sentence');
like(column_of('would_have_helped', 'connection leak'), qr/ALTER ROLE leaky SET pool_advisor\.session_idle_timeout/, 'with what would have helped');
is(value(q{SELECT value FROM pool_advisor.metrics WHERE name = 'pool_advisor_incident_active'}), 1, 'it is in the metrics');
is(worth_of('connection_leak'), 1, 'as a warning');
$_->close foreach @leaked;
becomes_true(exists_incident(q{kind = 'connection leak' AND ended IS NOT NULL AND ended >= began}), 'it ends when the sessions are gone');

#
# A lock storm: a session locks the table again and again, and work flows slowly
#
work_to_compare_with();
start_load('hog', 'batch', 1, "BEGIN;\nLOCK TABLE t IN EXCLUSIVE MODE;\nSELECT pg_sleep(0.6);\nCOMMIT;\n");
becomes_true(exists_incident(q{kind = 'lock storm' AND culprit_dimension = 'session'}), 'a lock storm is found');
is(column_of('culprit', 'lock storm'), value(q{SELECT pid FROM pg_stat_activity WHERE application_name = 'hog'}), 'with the session that causes it');
is(column_of(q{concat_ws(' ', rolname, application_name, peak_what)}, 'lock storm'), 'batch hog sessions that wait for locks', 'its role and application');
like(column_of('cause', 'lock storm'), qr/^Up to \d+ sessions waited for locks at once, \d+ % of the time for process \d+ \(role batch, application hog\), and [0-9.]+ transactions a second were done instead of [0-9.]+\.$/, 'in a sentence');
cmp_ok(column_of('transactions_not_done', 'lock storm'), '>', 0, 'and what it costs');
cmp_ok(worth_of('lock_storm'), '>=', 1, 'it is worth a warning');
is(value(q{SELECT concat_ws(' ', status >= 1, message ~ ', incident: lock storm') FROM pool_advisor.check_load()}), 't t', 'of the check');
is(value('SELECT status FROM pool_advisor.check_load(1e5, 1e6)'), 0, 'but for a caller with thresholds of the load');
like(value(q{SELECT concat_ws(' ', severity, subject, finding, recommendation) FROM pool_advisor.advice WHERE code = 'incident'}),
	qr/^(?:warning|critical) lock storm Up to \d+ sessions waited for locks .*application hog.*ALTER ROLE batch SET /, 'and of advice, in the same words');
end_load('hog');
becomes_true(exists_incident(q{kind = 'lock storm' AND ended IS NOT NULL}), 'it ends');
is(value(q{SELECT count(*) FROM pool_advisor.incidents WHERE kind = 'lock storm'}), 1, 'and was one');

#
# A stall: the owner of a lock does nothing
#
my $owner = wire($node, 'batch', name => 'billing');
$owner->ask($_) foreach 'BEGIN', 'LOCK TABLE t IN EXCLUSIVE MODE';
becomes_true(exists_incident(q{kind = 'stalled' AND ended IS NULL}), 'a stall is found');
is(column_of(q{concat_ws(' ', culprit_dimension, culprit, rolname, application_name, peak)}, 'stalled'), "session $owner->{pid} batch billing 6", 'with the owner of the lock');
like(column_of('cause', 'stalled'), qr/^Up to 6 sessions stood still behind a lock of process $owner->{pid} \(role batch, application billing\), idle in transaction/, 'and what it does');
like(column_of('would_have_helped', 'stalled'), qr/ALTER ROLE batch SET idle_in_transaction_session_timeout/, 'and what would have helped');
is(value(q{SELECT string_agg(incident || ' ' || value, ', ' ORDER BY incident) FROM pool_advisor.metrics WHERE name = 'pool_advisor_incidents_total' AND value > 0}),
	'connection_leak 1, lock_storm 1, stalled 1', 'each is counted once');
like($node->safe_psql('postgres', q{SELECT string_agg(line, E'\n') FROM pool_advisor.chart('incidents', '15 min') AS line}),
	qr/^Incidents, last 15 min; .*\n +stalled .+\n +lock storm .+\n +connection leak .+\n(?:.*\n)+\S+ 3 in all, 1 of them now$/, 'they are drawn');
like($node->safe_psql('postgres', 'SELECT pool_advisor.report()'),
	qr/id="advice".*id="incidents".*<span class="severity">now<\/span> stalled.*billing.*lock storm.*connection leak.*id="load"/s, 'and in the report, after the advice');

#
# Soon after it another session does the same
#
$owner->ask('ROLLBACK');
becomes_true(exists_incident(q{kind = 'stalled' AND ended IS NOT NULL}), 'the stall ends');
my $second = wire($node, 'leaky', name => 'harmless');
$second->ask($_) foreach 'BEGIN', 'LOCK TABLE t IN EXCLUSIVE MODE';
becomes_true(exists_incident(q{kind = 'stalled' AND ended IS NULL}), 'a stall begins anew');
is(value(q{SELECT string_agg(concat_ws(' ', culprit, rolname, application_name), ', ' ORDER BY began) FROM pool_advisor.incidents WHERE kind = 'stalled'}),
	"$owner->{pid} batch billing, $second->{pid} leaky harmless", 'which has a row and a culprit of its own');

#
# A crash, and a restart
#
my $before = value(q{SELECT string_agg(concat_ws(' ', began, kind, culprit), ', ') FROM pool_advisor.incidents});
ok(-s $file > 3 * 200, 'the file has them') or diag(-s $file);
kill('KILL', value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'}));
end_load('shop');
wait_for($node, 'worker_running FROM pool_advisor.status', 'after a crash the worker is there');
admin($node, 1);
is(value(q{SELECT string_agg(concat_ws(' ', began, kind, culprit), ', ') FROM pool_advisor.incidents}), $before, 'and all incidents');
is(value(q{SELECT count(*) FROM pool_advisor.incidents WHERE ended IS NULL}), 0, 'what lasted has ended');

#
# A login storm
#
# what comes from the start would be usual
becomes_true(q{(SELECT samples_total FROM pool_advisor.status) > 700}, 'a minute passes in which it is quiet');
start_load('reconnects', 'storm', 4, "SELECT 1;\n", '-C');
becomes_true(exists_incident(q{kind = 'login storm'}), 'a login storm is found');
is(column_of(q{concat_ws(' ', culprit_dimension, culprit, peak_what)}, 'login storm'), 'role storm logins a second', 'with the role that logs in');
is(worth_of('login_storm'), 0, 'which takes nothing from others, and wakes nobody');
is(value(q{SELECT severity FROM pool_advisor.advice WHERE code = 'incident' AND subject = 'login storm'}), 'info', 'though advice has it');
end_load('reconnects');

#
# A restart, a bad file, and reset
#
becomes_true(exists_incident(q{kind = 'login storm' AND ended IS NOT NULL}), 'it ends');
$before = value(q{SELECT md5(string_agg(i::text, ' ')) FROM pool_advisor.incidents AS i});
$node->restart;
admin($node, 1);
becomes_true('(SELECT worker_running FROM pool_advisor.status)', 'after a restart the worker is there');
is(value(q{SELECT md5(string_agg(i::text, ' ')) FROM pool_advisor.incidents AS i}), $before, 'and all incidents as they were');

$node->stop;
my $logged = -s $node->logfile;
my $bytes = slurp_file($file);
substr($bytes, 100, 1) = chr(ord(substr($bytes, 100, 1)) ^ 1);
write_bytes($file, $bytes);
$node->start;
admin($node, 1);
becomes_true('(SELECT worker_running FROM pool_advisor.status)', 'with a bad file the worker is there');
is(value('SELECT count(*) FROM pool_advisor.incidents'), 0, 'none of it is believed');
is(scalar(() = slurp_file($node->logfile, $logged) =~ /could not use incidents file/g), 1, 'which is said once');
ok(-e "$file.bad", 'the file is kept for a look');

$node->stop;
substr($bytes, 100, 1) = chr(ord(substr($bytes, 100, 1)) ^ 1);
write_bytes($file, $bytes);
$node->start;
admin($node, 1);
becomes_true('5 = (SELECT count(*) FROM pool_advisor.incidents)', 'as it was, it is read');
value(q{SELECT pool_advisor.reset('incidents')});
is(value('SELECT count(*) FROM pool_advisor.incidents'), 0, 'a reset forgets them');
$node->restart;
admin($node, 1);
becomes_true('(SELECT worker_running FROM pool_advisor.status)', 'after one more restart');
is(value('SELECT count(*) FROM pool_advisor.incidents'), 0, 'they stay forgotten');

$node->stop;
done_testing();
