# What several tests of limits need: clients that stay, clients that wait in
# line, and ways to see both from outside.
package PoolAdvisor;

use strict;
use warnings FATAL => 'all';

use Carp;
use FindBin;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);
use Wire;

our @EXPORT = qw(limits_node try_login one_value client says goes_on finish hang_up wait_for_limits set_limits in_use
  queued waiting_pids wait_for poll comes_true refusals server_max_active gate wait_for_gate
  fill let_go nothing_left $SPIN wire admin true_within work stop_work is_queued column soon
  held_by start_program user_of documented $GATE $ACCOUNTS @TRANSFER balances ways_to_transfer);

# The view gate as one row: the server's row, with the sums over all queues.
our $GATE = '(SELECT '
  . join(', ',
	(map { "max($_) FILTER (WHERE scope = 'server') AS $_" } qw(max_active max_active_effective running long_max_active suspended_total gate_enforcement state)),
	(map { "sum($_) AS $_" } qw(waiting waited_total wait_seconds_total granted_total refused_total timed_out_total
		cancelled_total overcommitted_total newest_first_total would_wait_total)))
  . ' FROM pool_advisor.gate) AS gate';

# A function that keeps its session on CPU while somebody else holds an advisory lock.
our $SPIN = <<'SQL';
CREATE FUNCTION spin(key int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	WHILE NOT pg_try_advisory_xact_lock_shared(key) LOOP NULL; END LOOP;
	RETURN key;
END $$;
SQL

# One login, as psql makes it: its status, output and errors. Nothing is written to psql's standard
# input, as psql may be gone before that when the login is refused.
sub try_login
{
	my ($node, $user, $database) = @_;

	$database //= 'postgres';
	return $node->psql($database, undef, extra_params => [ '-c', 'SELECT 1' ],
		connstr => $node->connstr($database) . " user=$user");
}

# Two accounts, and a transfer between them.
our $ACCOUNTS = <<'SQL';
CREATE TABLE acc (id int PRIMARY KEY, bal int NOT NULL);
INSERT INTO acc VALUES (1, 100), (2, 0);
GRANT ALL ON acc TO app;
SQL
our @TRANSFER = ('BEGIN', 'UPDATE acc SET bal = bal - 50 WHERE id = 1', 'UPDATE acc SET bal = bal + 50 WHERE id = 2', 'COMMIT');

# A server with limits in force; its log names processes and connections.
sub limits_node
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
pool_advisor.queue_notice_after = 0
CONF
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION pool_advisor; CREATE ROLE app LOGIN');
	return $node;
}

# A client that executes $sql and stays until finish(); psql is started but not
# waited for, so that it can stand in the queue.
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

# Until it has written that.
sub says
{
	my ($client, $what) = @_;

	$client->{run}->pump until $client->{out} =~ $what;
	return;
}

sub goes_on
{
	my ($client, $sql) = @_;

	$client->{in} .= "$sql\n";
	$client->{run}->pump_nb while length $client->{in};
	return;
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

# The rows of a statement. The connection is a new one, as psql would make it, and has ended afterwards.
sub ask_once
{
	my ($node, $database, $sql, $name) = @_;
	my $asking = wire($node, $ENV{PGUSER} // getpwuid($<), database => $database, name => $name, options => $ENV{PGOPTIONS});
	my $rows = $asking->value($sql);

	$asking->leave;
	return $rows;
}

# Of a condition that is asked for over and over: the rows, or undef, and the error.
sub answer
{
	my ($node, $sql) = @_;
	my $answer = eval { ask_once($node, 'postgres', $sql, 'psql') };

	return ($answer, $@);
}

# psql takes 60 ms of CPU time, nearly all of it to start, and the tests ask for much. So a single
# statement needs none. More than one go to psql, because to the server they would be one transaction.
{
	my $by_psql = \&PostgreSQL::Test::Cluster::safe_psql;

	no warnings 'redefine';
	*PostgreSQL::Test::Cluster::safe_psql = sub {
		my ($node, $database, $sql, %options) = @_;

		return $by_psql->(@_) if %options || $sql =~ /;\s*\S|\\|^\s*COPY\b/i || defined $ENV{PGTZ} || defined $ENV{PGCLIENTENCODING};
		return ask_once($node, $database, $sql, $ENV{PGAPPNAME});
	};
}

sub one_value
{
	my ($node, $sql) = @_;
	my ($answer, $error) = answer($node, $sql);

	croak $error unless defined $answer;
	return $answer;
}

# Poll until a query says that it is so, also while the server comes back.
sub poll
{
	my ($node, $sql) = @_;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

	for (;;)
	{
		my ($answer, $error) = answer($node, $sql);

		return 1 if ($answer // '') eq 't';
		if (time > $deadline)
		{
			diag("never came true: $sql\nlast: " . ($answer // $error));
			return 0;
		}
		sleep 0.1;
	}
}

sub comes_true
{
	my ($node, $condition) = @_;

	return poll($node, "SELECT $condition");
}

sub wait_for
{
	my ($node, $condition, $name) = @_;
	my $met = comes_true($node, $condition);

	ok($met, $name) if defined $name;
	die "never came true: $condition" unless $met;
	return;
}

# Run SQL that changes limits, and wait until the view has them.
sub set_limits
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

	return one_value($node, "SELECT in_use FROM pool_advisor.limits WHERE $condition");
}

sub queued
{
	my ($node) = @_;

	return one_value($node, 'SELECT coalesce(sum(queued), 0) FROM pool_advisor.roles');
}

# Processes of logins in the queue; pg_stat_activity does not have them yet.
sub waiting_pids
{
	my ($node) = @_;
	my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];

	return map { /^\s*(\d+)\s+\Q$postmaster\E\s.*waiting for session slot/ ? $1 : () }
	  split /\n/, `ps -eo pid=,ppid=,args=`;
}

# pool_advisor.server_max_active, in force.
sub server_max_active
{
	my ($node, $limit) = @_;
	my $number = $limit eq 'off' ? -1 : $limit;

	one_value($node, "ALTER SYSTEM SET pool_advisor.server_max_active = '$limit'");
	$node->reload;
	wait_for($node, "max_active = $number FROM $GATE") unless $limit eq 'auto';
	return;
}

sub gate
{
	my ($node, $column) = @_;

	return one_value($node, "SELECT $column FROM $GATE");
}

sub wait_for_gate
{
	my ($node, $condition, $name) = @_;

	wait_for($node, "$condition FROM $GATE", $name);
	return;
}

sub nothing_left
{
	my ($node, $name) = @_;

	wait_for_gate($node, 'running = 0 AND waiting = 0', "$name: nobody runs and nobody waits");
	unlike(slurp_file($node->logfile), qr/WARNING:.*\bleak/, "$name: no transaction has left anything open");
	return;
}

# Processes that compute to be seen computing, and for nothing else, give way to all others.
sub give_way
{
	setpriority(0, $_, 19) foreach @_;
	return;
}

# Fill the gate with spinners of a role, until let_go(). The first of these holds the lock
# that keeps the others going; a superuser, who is exempt.
my @spinners;

sub fill
{
	my ($node, $count, $role) = @_;
	my $running = gate($node, 'running') + $count;

	@spinners = client($node, $node->safe_psql('postgres', 'SELECT current_user'), 'SELECT pg_advisory_lock(1), 1;');
	says($spinners[0], qr/1/);
	push @spinners, client($node, $role // 'app', 'SELECT spin(1);') foreach 1 .. $count;
	wait_for_gate($node, "running = $running");
	give_way(split /\n/, one_value($node, q{SELECT pid FROM pg_stat_activity WHERE query = 'SELECT spin(1);' AND state = 'active'}));
	return;
}

sub let_go
{
	finish($_) foreach @spinners;
	@spinners = ();
	return;
}

# --- clients of the protocol, for tests that hold many or must be quick ---

my %admins;
my @workers;

sub wire
{
	my ($node, $user, %options) = @_;

	return Wire->new($node, user => $user // 'app', %options);
}

# A superuser's connection, which is kept; superusers are exempt. After a restart it is made anew.
sub admin
{
	my ($node, $anew) = @_;
	my $name = $node->name;

	delete $admins{$name} if $anew;
	return $admins{$name} //= wire($node, scalar getpwuid($<), name => 'admin');
}

# Whether a condition comes true within so many seconds; looks often.
sub true_within
{
	my ($node, $seconds, $condition) = @_;
	my $deadline = time + $seconds;

	for (;;)
	{
		return 1 if admin($node)->value("SELECT $condition") eq 't';
		return 0 if time > $deadline;
		sleep 0.005;
	}
}

# The condition that a session waits in the queue for transactions.
sub is_queued
{
	my ($client) = @_;

	return "EXISTS (SELECT FROM pg_stat_activity WHERE pid = $client->{pid} AND state = 'active' AND wait_event_type = 'Extension')";
}

# A column of $GATE, without a new connection.
sub column
{
	my ($node, $name) = @_;

	return admin($node)->value("SELECT $name FROM $GATE");
}

# The answer of a client that must have it within so many seconds; one that has none is canceled.
sub soon
{
	my ($node, $client, $seconds) = @_;
	my $result = $client->result_within($seconds);

	return $result if $result;
	admin($node)->value("SELECT pg_cancel_backend($client->{pid})");
	$client->result;
	return;
}

# What sessions hold that could be in the way of others.
sub held_by
{
	my ($node, @clients) = @_;
	my $pids = join(', ', map { $_->{pid} } @clients);

	return admin($node)->value(<<"SQL");
SELECT coalesce(string_agg(DISTINCT application_name || ' ' || what, '; '), '') FROM (
	SELECT pid, mode || ' on ' || relation::regclass AS what FROM pg_locks WHERE relation IS NOT NULL AND pid IN ($pids)
	UNION ALL SELECT pid, 'a snapshot' FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid IN ($pids)) AS h
JOIN pg_stat_activity USING (pid)
SQL
}

# What doc/fleet.md shows in a language for a pool that follows my_share().
sub documented
{
	my ($language) = @_;
	my ($code) = slurp_file("$FindBin::RealBin/../../doc/fleet.md") =~ /^### Follow the share.*?^```$language\n(.*?)^```/ms or die "no $language";

	return $code;
}

# The connection string of a role.
sub user_of
{
	my ($node, $role) = @_;

	return $node->connstr('postgres') . ' user=' . ($role // 'app');
}

# A program that is not waited for: its run, and what it has written.
sub start_program
{
	my (@command) = @_;
	my %program = (out => '', err => '');

	$program{run} = IPC::Run::start([@command], '<', \undef, '>', \$program{out}, '2>', \$program{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%program;
}

sub balances
{
	my ($node) = @_;

	return admin($node)->value(q{SELECT string_agg(bal::text, ' and ' ORDER BY id) FROM acc});
}

# By name, how a client sends statements: given the client, a list of what sends the next
# part that has an answer of its own.
sub ways_to_transfer
{
	my (@statements) = @_;

	return (
		'simple' => sub { map { my $sql = $_; sub { $_[0]->simple($sql) } } @statements },
		'extended' => sub { map { my $sql = $_; sub { $_[0]->extended($sql)->sync } } @statements },
		'prepared' => sub {
			my ($client) = @_;
			$client->parse($statements[$_], "s$_")->sync->result foreach 0 .. $#statements;
			return map { my $name = "s$_"; sub { $_[0]->bind($name)->execute->sync } } 0 .. $#statements;
		},
		'in one message' => sub { my $sql = join('; ', @statements); return sub { $_[0]->simple($sql) } },
		'pipeline with one Sync' => sub { return sub { my ($client) = @_; $client->extended($_) foreach @statements; $client->sync } });
}

# Start so many sessions of a role that compute, and hold a slot each, until stop_work().
# They poll for nothing, take no lock and wait for nobody, and the limit must have room. What
# is seen of a statement does not tell whether it has its slot yet, so one before it does.
sub work
{
	my ($node, $count, $role) = @_;

	foreach (1 .. $count)
	{
		my $worker = wire($node, $role, name => 'work');

		$worker->simple('BEGIN; SELECT 1')->simple('SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS s');
		push @workers, $worker;
		croak 'a worker does not get to work' if defined $worker->result->{error}
		  || !true_within($node, $PostgreSQL::Test::Utils::timeout_default,
			"state = 'active' AND wait_event IS NULL AND query LIKE '%generate_series%' FROM pg_stat_activity WHERE pid = $worker->{pid}");
		give_way($worker->{pid});
	}
	return;
}

sub stop_work
{
	my ($node) = @_;

	foreach my $worker (@workers)
	{
		admin($node)->value("SELECT pg_cancel_backend($worker->{pid})");
		my $result = $worker->result;
		is($result->{error}, '57014', 'work was at it until it was stopped') unless ($result->{error} // '') =~ /^57(014|P01)$/;
		$worker->close;
	}
	@workers = ();
	return;
}

# How many logins the log says were refused, from an offset on.
sub refusals
{
	my ($node, $from) = @_;
	my $log = slurp_file($node->logfile, $from // 0);

	return scalar(() = $log =~ /FATAL:  too many connections for/g);
}

1;
