# Drawings of what sessions really do, under names that nobody would choose.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

use FindBin;
use lib $FindBin::RealBin;
use PoolAdvisor;

my $node = PostgreSQL::Test::Cluster->new('chart');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_advisor'
pool_advisor.optimal = 7
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE app LOGIN;
CREATE DATABASE utf8 TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C';
CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';
SQL
$node->safe_psql($_, 'CREATE EXTENSION pool_advisor') foreach qw(utf8 latin1);

# Lines as bytes; the client takes UTF-8.
sub chart
{
	my ($arguments, $database) = @_;
	local $ENV{PGCLIENTENCODING} = 'UTF8';

	return $node->safe_psql($database // 'utf8', "SELECT pool_advisor.chart($arguments)");
}

# Drawn again until it looks like this.
sub chart_becomes
{
	my ($arguments, $pattern, $name) = @_;
	my $drawn;

	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$drawn = chart($arguments);
		return pass($name) if $drawn =~ $pattern;
		usleep(100_000);
	}
	fail($name);
	diag($drawn);
}

# Names with controls, quotes, wide characters, and bytes that are no UTF-8.
my %roles = (
	control => "odd\x1B[31m\trole",
	quotes => "a 'b' \"c\"",
	wide => "\xE6\x97\xA5\xE6\x9C\xAC",
	right_to_left => "x\xE2\x80\xAEy",
	latin1 => "caf\xE9",
	long => 'l' x 63,
);
foreach my $name (values %roles)
{
	my $quoted = $name =~ s/"/""/gr;

	$node->safe_psql('ascii', qq{CREATE ROLE "$quoted" LOGIN});
}
$node->safe_psql('postgres', 'ALTER ROLE "' . $roles{wide} . '" SET pool_advisor.max_sessions = 12');

sub hold_session
{
	my ($name, $sql) = @_;
	my $user = $name =~ s/([\\'])/\\$1/gr;

	return client($node, "'$user'", $sql, database => 'postgres');
}
my @clients = map { hold_session($_, 'SELECT pg_sleep(1000);') } values %roles;

chart_becomes(q{'roles', height => 20}, qr/^odd\?\[31m\?role +[01][.\d]* /m, 'controls are not printed');
chart_becomes(q{'roles', height => 20}, qr/^a 'b' "c" +[01][.\d]* /m, 'quotes are');
chart_becomes(q{'roles', height => 20}, qr/^\xE6\x97\xA5\xE6\x9C\xAC +[01][.\d]* .* 1 \/ 12$/m,
	'wide characters are, and the limit');
chart_becomes(q{'roles', height => 20}, qr/^x\?y +[01][.\d]* /m, 'what turns the direction is not');
chart_becomes(q{'roles', height => 20}, qr/^caf\? +[01][.\d]* /m, 'bytes of another encoding are not');
chart_becomes(q{'roles', height => 20}, qr/^l{25}\xE2\x80\xA6 +[01][.\d]* /m, 'a long name is cut');
chart_becomes(q{'roles', height => 6}, qr/^\([45] others\) +\d/m,
	'those that there is no room for are summed up');
my $latin1 = chart(q{'roles', height => 20}, 'latin1');
like($latin1, qr/^caf\? /m, 'another encoding has ASCII');
like($latin1, qr/^l{23}\.\.\. /m, 'for what is cut, too');
unlike($latin1, qr/[^ -~\n]/, 'and nothing else');

# Sessions of ours wait for nothing; two that wait for a lock are seen as such.
my $holder = client($node, 'app', 'SELECT pg_advisory_lock(1); SELECT pg_sleep(1000);');
poll($node, q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted})
  or die 'nobody holds the lock';
push @clients, $holder, map { client($node, 'app', 'SELECT pg_advisory_lock(1);') } 1 .. 2;
chart_becomes(q{'waits', '30 s'}, qr/lock (?:[1-9]|0\.[1-9])/, 'what sessions wait for is drawn');
like(chart(q{'waits'}), qr/< optimum 7$/m, 'with the optimum');
chart_becomes(q{'load', '30 s'}, qr/mean [1-9].*optimum 7$/m, 'the load is drawn with the optimum');
chart_becomes(q{'load', '1 s'}, qr/^    8 \xE2\x94\xA4.*mean (?:9|9\.\d+|10)  /ms,
	'nine sessions are active in the last second');

# The worker ends: the last roles stay, and time goes on.
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
hang_up($_) foreach @clients;
$node->restart;
foreach my $kind (qw(load waits))
{
	like(chart("'$kind'"), qr/^Nothing was sampled in the last 10 min\./, "without a worker there is no $kind");
}
like(chart(q{'roles'}), qr/^No role has a session/, 'and no role');
like(chart(q{'scalability'}), qr/^There is no curve yet/, 'and no curve');

$node->stop;
done_testing();
