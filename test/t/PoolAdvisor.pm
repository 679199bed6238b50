# What several tests of caps need: clients that stay, clients that wait in
# line, and ways to see both from outside.
package PoolAdvisor;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(caps_node client finish hang_up wait_for_limits set_caps in_use queued
  waiting_pids wait_for refusals);

# A server with caps in force; its log names processes and connections.
sub caps_node
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 1);
	$node->append_conf('postgresql.conf', <<'CONF' . ($conf // ''));
shared_preload_libraries = 'pool_advisor'
log_line_prefix = '%p: '
log_connections = on
autovacuum = off
max_worker_processes = 8
CONF
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION pool_advisor; CREATE ROLE app LOGIN');
	return $node;
}

# A client that executes $sql and stays until finish(); psql is started but not
# waited for, so that it can stand in line.
sub client
{
	my ($node, $role, $sql, %options) = @_;
	my %client = (in => $sql ? "$sql\n" : '', out => '', err => '');

	$client{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr($options{database} // 'postgres') . " user=$role" ],
		'<', \$client{in}, '>', \$client{out}, '2>', \$client{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));

	# one that is refused at once does not read what it is given
	eval { $client{run}->pump_nb; };
	return \%client;
}

# Its end, in the ordinary way if it is still there; what it has written.
sub finish
{
	my ($client) = @_;

	eval { $client->{run}->finish; };
	return $client->{out};
}

# Its end without a word to the server.
sub hang_up
{
	my ($client) = @_;

	$client->{run}->kill_kill(grace => 0);
	return;
}

sub wait_for
{
	my ($node, $condition, $name) = @_;
	my $met = $node->poll_query_until('postgres', "SELECT $condition");

	ok($met, $name) if defined $name;
	die "never came true: $condition" unless $met;
	return;
}

# Run SQL that changes caps, and wait until the view has them.
sub set_caps
{
	my ($node, $sql, $condition) = @_;

	$node->safe_psql('postgres', $sql);
	wait_for($node, $condition // q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'app')});
	return;
}

sub wait_for_limits
{
	my ($node, $condition, $name) = @_;

	wait_for($node, "EXISTS (SELECT FROM pool_advisor.limits WHERE $condition)", $name);
	return;
}

sub in_use
{
	my ($node, $condition) = @_;
	$condition //= q{rolname = 'app' AND datname IS NULL};

	return $node->safe_psql('postgres', "SELECT in_use FROM pool_advisor.limits WHERE $condition");
}

sub queued
{
	my ($node) = @_;

	return $node->safe_psql('postgres',
		q{SELECT coalesce(sum(queued), 0) FROM pool_advisor.roles});
}

# Processes of logins in line; pg_stat_activity does not have them yet.
sub waiting_pids
{
	my ($node) = @_;
	my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];

	return map { /^\s*(\d+)\s+\Q$postmaster\E\s.*waiting in line/ ? $1 : () }
	  split /\n/, `ps -eo pid=,ppid=,args=`;
}

# How many logins the log says were refused, from an offset on.
sub refusals
{
	my ($node, $from) = @_;
	my $log = slurp_file($node->logfile, $from // 0);

	return scalar(() = $log =~ /FATAL:  too many connections for/g);
}

1;
