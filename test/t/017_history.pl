# The history: what its points say, and how it is kept: over restarts, crashes,
# files of all kinds of badness, and a folder that cannot be written.
use strict;
use warnings FATAL => 'all';

use POSIX ();
use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor qw(poll);
use Test::More;

my $node = new_node('history', allows_streaming => 1);
my $dir = $node->data_dir . '/pg_stat';
my $file = "$dir/pool_advisor.history";

sub new_node
{
	my ($name, %options) = @_;
	my $new = PostgreSQL::Test::Cluster->new($name);

	$new->init(%options);
	$new->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_advisor'
pool_advisor.sample_interval = '20ms'
restart_after_crash = on
autovacuum = off
CONF
	$new->start;
	$new->safe_psql('postgres', 'CREATE EXTENSION pool_advisor');
	return $new;
}

sub comes_true
{
	my ($on, $condition, $name) = @_;

	ok(poll($on, "SELECT $condition"), $name);
	return;
}

# The moment of the newest point of one second.
sub newest
{
	my ($on) = @_;

	return $on->safe_psql('postgres',
		q{SELECT coalesce(max(sampled_at), '-infinity') FROM pool_advisor.history WHERE resolution = '1 s'});
}

# All points up to a moment, in one value.
sub points_until
{
	my ($on, $moment) = @_;

	return $on->safe_psql('postgres', qq{
		SELECT count(*) || ' ' || md5(string_agg(h::text, ' ' ORDER BY resolution, sampled_at))
		FROM pool_advisor.history h WHERE resolution = '1 s' AND sampled_at <= '$moment'});
}

sub grows
{
	my ($on, $name) = @_;
	my $last = newest($on);

	comes_true($on, "EXISTS (SELECT FROM pool_advisor.history
		WHERE resolution = '1 s' AND sampled_at > '$last')", $name);
	return;
}

# In the order of the view, and right in themselves.
sub is_consistent
{
	my ($on, $name) = @_;

	is( $on->safe_psql('postgres', q{
		SELECT bool_and(sampled_at > before IS NOT false AND sampled_at <= clock_timestamp()),
		       bool_and(abs(active_avg - on_cpu - waiting_io - waiting_lock - waiting_lwlock
		                    - waiting_other) < 0.01),
		       bool_and(active_max >= active_avg - 0.01 AND optimal >= 1
		                AND io_wait_ratio BETWEEN 0 AND 1
		                AND cpu_utilization BETWEEN 0 AND 1 IS NOT false
		                AND transactions_per_second >= 0 IS NOT false)
		FROM (SELECT *, lag(sampled_at) OVER (PARTITION BY resolution ORDER BY n) AS before
		      FROM (SELECT *, row_number() OVER () AS n FROM pool_advisor.history) numbered) h}),
		't|t|t', $name);
	return;
}

sub worker_pid
{
	return $node->safe_psql('postgres', q{
		SELECT coalesce(max(pid), 0) FROM pg_stat_activity
		WHERE backend_type = 'pool_advisor sampler'});
}

# The worker ends, which makes it write the file; another one takes its place.
sub replace_worker
{
	my $old = worker_pid();

	$node->safe_psql('postgres', "SELECT pg_terminate_backend($old)");
	poll($node, qq{
		SELECT count(*) = 1 FROM pg_stat_activity
		WHERE backend_type = 'pool_advisor sampler' AND pid <> $old}) or die 'no other worker';
	poll($node, 'SELECT worker_running FROM pool_advisor.status')
	  or die 'no worker running';
	return;
}

sub times_logged
{
	my ($on, $pattern, $from) = @_;
	my $log = slurp_file($on->logfile, $from);

	return scalar(() = $log =~ /$pattern/g);
}

sub write_file
{
	my ($name, $content) = @_;

	open my $handle, '>:raw', $name or die "could not open $name: $!";
	print $handle $content;
	close $handle or die "could not write $name: $!";
	return;
}

my $begins_anew = qr/LOG:  could not use history file/;
my $cannot_write = qr/LOG:  could not (?:create|write|fsync|close|rename) (?:file|directory)/;

# What points say.
comes_true($node, q{count(*) >= 2 FROM pool_advisor.history WHERE resolution = '1 s'},
	'a point for each second');
grows($node, 'and one more');
comes_true($node, q{pg_sleep(0.5)::text = '' AND EXISTS (
	SELECT FROM pool_advisor.history
	WHERE waiting_other > 0 AND active_avg >= waiting_other - 0.01 AND active_max >= 1)},
	'a session that sleeps is in it');
comes_true($node, q{EXISTS (SELECT FROM pool_advisor.history WHERE resolution = '10 s')
	AND (SELECT count(*) FROM pool_advisor.history WHERE resolution = '1 s') > 10},
	'a point for ten seconds');
is( $node->safe_psql('postgres', q{
	WITH h AS MATERIALIZED (SELECT * FROM pool_advisor.history)
	SELECT bool_and(extract(epoch FROM t.sampled_at)::numeric % 10 = 0),
	       bool_and(abs(t.active_avg - m.active) < 0.01 AND abs(t.waiting_other - m.other) < 0.01
	                AND t.active_max = m.most)
	FROM h t, LATERAL (
		SELECT avg(active_avg) AS active, avg(waiting_other) AS other, max(active_max) AS most
		FROM h WHERE h.resolution = '1 s' AND h.sampled_at <= t.sampled_at
		AND h.sampled_at > t.sampled_at - interval '10 s') m
	WHERE t.resolution = '10 s'}),
	't|t', 'at a multiple of ten seconds, the mean of the seconds in it');
is_consistent($node, 'points are consistent and in order');

# Over a restart.
my $moment = newest($node);
my $before = points_until($node, $moment);
$node->restart;
grows($node, 'after a restart it goes on');
is(points_until($node, $moment), $before, 'with all that was there');
is_consistent($node, 'and consistent');

# A worker that is started again finds it in memory, and reads no file.
my $logged = -s $node->logfile;
$moment = newest($node);
$before = points_until($node, $moment);
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . worker_pid() . ')');
comes_true($node, 'NOT worker_running FROM pool_advisor.status', 'the worker ends');
rename $file, "$dir/saved" or die $!;
write_file($file, 'not to be read');
grows($node, 'another worker goes on');
is(points_until($node, $moment), $before, 'with all that was there');
is_consistent($node, 'and consistent');
rename "$dir/saved", $file or die $!;

# What a server that crashed has, is the file that the worker wrote at its end.
kill('KILL', worker_pid());
ok(poll($node, 'SELECT worker_running FROM pool_advisor.status'),
	'the server comes back after KILL of the worker');
grows($node, 'the history goes on');
is(points_until($node, $moment), $before, 'from the file');
$node->stop('immediate');
$node->start;
grows($node, 'likewise after an immediate stop');
is(points_until($node, $moment), $before, 'from the file');
is_consistent($node, 'and consistent');
is(times_logged($node, $begins_anew, $logged) + times_logged($node, qr/PANIC/, $logged),
	0, 'nothing is said of all that');

# A file of another cluster, of the same kind.
my $other = new_node('other');
grows($other, 'another cluster has a history');
$other->stop;
my $foreign = slurp_file($other->data_dir . '/pg_stat/pool_advisor.history');

$node->stop;
my $good = slurp_file($file);
cmp_ok(length($good), '>', 1000, 'the file is written at a stop');
ok(!-e "$file.tmp", 'and no other is left');

# Each makes something bad of the file.
my @bad = (
	[ 'cut short', sub { write_file($file, substr($good, 0, length($good) - 100)) } ],
	[ 'with a byte flipped', sub {
			my $bytes = $good;
			substr($bytes, 500, 1) ^= "\x10";
			write_file($file, $bytes);
	} ],
	[ 'of another cluster', sub { write_file($file, $foreign) }, qr/another database cluster/ ],
	[ 'of a newer version', sub {
			my $bytes = $good;
			substr($bytes, 8, 4) = pack('L', 2);
			write_file($file, $bytes . 'and more');
	}, qr/newer version/ ],
	[ 'full of garbage', sub { write_file($file, join('', map { chr(($_ * 7919) % 251) } 1 .. 600000)) },
		qr/another kind of file/ ],
	[ 'empty', sub { write_file($file, '') }, qr/too short/ ],
	[ 'that is a folder', sub { mkdir $file or die $! }, qr/not an ordinary file/ ],
	[ 'that is a pipe', sub { POSIX::mkfifo($file, 0600) or die $! }, qr/not an ordinary file/ ],
	[ 'that cannot be read', sub {
			write_file($file, $good);
			chmod 0, $file;
	}, qr/Permission denied/ ]);

foreach my $case (@bad)
{
	my ($name, $make, $why) = @$case;

	unlink $file or die $!;
	$make->();
	my $inode = (lstat $file)[1];
	$logged = -s $node->logfile;
	$node->start;
	my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
	comes_true($node, q{count(*) > 0 FROM pool_advisor.history}, "a file $name: a new history");
	is( $node->safe_psql('postgres',
			"SELECT count(*) FROM pool_advisor.history WHERE sampled_at < '$started'"),
		0, 'with nothing of the old one');
	is(times_logged($node, $begins_anew, $logged), 1, 'one line says so');
	like(slurp_file($node->logfile, $logged), $why // qr/It is damaged/, 'and why');
	is((lstat "$file.bad")[1], $inode, 'the file is put aside, in place of the last one');
	$node->stop;
	is(times_logged($node, qr/PANIC|$cannot_write/, $logged), 0, 'and a good one takes its place');
}

# Files that are put aside replace one another, but not a folder with something in it.
unlink "$file.bad" or die $!;
mkdir "$file.bad" or die $!;
write_file("$file.bad/keep", 'something');
write_file($file, 'bad');
$logged = -s $node->logfile;
$node->start;
grows($node, 'a bad file that cannot be put aside: a new history');
is(times_logged($node, $begins_anew, $logged), 1, 'one line says so');
$node->stop;
is(substr(slurp_file($file), 0, 8), 'PADVHIST', 'and a good file takes its place');
unlink "$file.bad/keep";
rmdir "$file.bad";

# A link is read, and replaced rather than written through.
rename $file, "$dir/elsewhere" or die $!;
symlink 'elsewhere', $file or die $!;
symlink "$dir/precious", "$file.tmp" or die $!;
$before = slurp_file("$dir/elsewhere");
$logged = -s $node->logfile;
$node->start;
comes_true($node, q{count(*) > 0 FROM pool_advisor.history}, 'a link to a file is followed');
grows($node, 'and its history goes on');
$node->stop;
is(times_logged($node, qr/$begins_anew|$cannot_write/, $logged), 0, 'without a word');
ok(!-l $file && -s $file > length($before), 'the new file has the points of the old one');
is(slurp_file("$dir/elsewhere"), $before, 'which is as it was');
ok(!-e "$dir/precious", 'and nothing is written through a link');

# A folder that cannot be written: said once, tried again.
$node->start;
grows($node, 'the server runs');
$logged = -s $node->logfile;
chmod 0500, $dir or die $!;
replace_worker();
replace_worker();
is(times_logged($node, $cannot_write, $logged), 1, 'a folder that cannot be written: one line');
grows($node, 'the history goes on');
chmod 0700, $dir or die $!;
comes_true($node, q{EXISTS (SELECT FROM pool_advisor.advice WHERE code = 'history_unwritten')}, 'advice says so');
like($node->safe_psql('postgres', 'SELECT message FROM pool_advisor.check_load()'), qr/ WARNING - .*, history_unwritten\)/, 'and check_load() warns');
is(times_logged($node, qr/keeps its history .* again/, $logged), 0, 'until it can be written');
replace_worker();
is(times_logged($node, qr/keeps its history .* again/, $logged), 1, 'which is said too');
is(times_logged($node, $cannot_write, $logged), 1, 'and no more');
comes_true($node, q{NOT EXISTS (SELECT FROM pool_advisor.advice WHERE code = 'history_unwritten')}, 'and the advice is gone');

# No folder at all.
$node->stop;
rename $dir, "$dir.away" or die $!;
$logged = -s $node->logfile;
$node->start;
grows($node, 'without the folder it begins anew');
$node->stop;
is(times_logged($node, $begins_anew, $logged), 0, 'as if there had been no file');
is(times_logged($node, $cannot_write, $logged), 1, 'and cannot be kept');
rename "$dir.away", $dir or die $!;

# A standby: its own history, in its own file.
$node->start;
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
unlink $standby->data_dir . '/pg_stat/pool_advisor.history';
$standby->start;
$node->wait_for_catchup($standby);
my $started = $standby->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
grows($standby, 'a standby has a history');
is( $standby->safe_psql('postgres',
		"SELECT count(*) FROM pool_advisor.history WHERE sampled_at < '$started'"),
	0, 'of its own');
$moment = newest($standby);
$before = points_until($standby, $moment);
$standby->restart;
grows($standby, 'which goes on after a restart');
is(points_until($standby, $moment), $before, 'with all that was there');
is_consistent($standby, 'and consistent');
$standby->stop;
$node->stop;

done_testing();
