# What an ordinary role can try against the gate and the extension: work before the first
# statement, waits whose end is caught, cursors, chained transactions, functions of its own
# in our schema, all worker processes.  A bare client, because psql and pgbench do not speak all of the protocol.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use IO::Socket::UNIX;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('hostile', "max_connections = 40\n");
$node->safe_psql('postgres', <<'SQL');
GRANT ALL ON SCHEMA public TO app;
SET ROLE app;
CREATE TABLE t (a int);
INSERT INTO t VALUES (1);

-- catches an error, and evaluates nothing before and after that
CREATE FUNCTION tolerates(int, OUT ok boolean) LANGUAGE plpgsql STABLE AS $$
BEGIN
	BEGIN
		ok := true;
		PERFORM count(*) FROM t;
		RAISE EXCEPTION 'of its own';
	EXCEPTION WHEN raise_exception THEN NULL;
	END;
END $$;
CREATE DOMAIN tolerant AS int CHECK (tolerates(VALUE));

-- catches a cancel, and works
CREATE FUNCTION goes_on(int, OUT ok boolean) LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		PERFORM count(*) FROM t;
	EXCEPTION WHEN query_canceled THEN
		RAISE NOTICE 'caught';
	END;
	PERFORM count(*) FROM t;
	ok := true;
END $$;
CREATE DOMAIN stubborn AS int CHECK (goes_on(VALUE));

-- opens a large object, without a statement once it has a plan
CREATE FUNCTION opens(id int, OUT ok boolean) LANGUAGE plpgsql AS $$
BEGIN
	ok := lo_open(id::oid, 262144) >= 0;
END $$;
CREATE DOMAIN opened AS int CHECK (opens(VALUE));
SELECT lo_create(7);
SQL
$node->safe_psql('postgres', "SET ROLE app; $SPIN");
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
server_max_active($node, 1);

sub send_message
{
	my ($client, $type, $body) = @_;

	$client->syswrite($type . pack('N', 4 + length $body) . $body) or die "could not send: $!";
	return;
}

sub read_bytes
{
	my ($client, $count) = @_;
	my $bytes = '';

	while (length $bytes < $count)
	{
		sysread($client, $bytes, $count - length $bytes, length $bytes) or die 'the server has gone';
	}
	return $bytes;
}

# All messages up to one of this type whose body matches.
sub read_until
{
	my ($client, $last, $what) = @_;
	my $all = '';

	local $SIG{ALRM} = sub { die 'the server does not answer' };
	alarm $PostgreSQL::Test::Utils::timeout_default;
	for (;;)
	{
		my ($type, $length) = unpack('aN', read_bytes($client, 5));
		my $body = read_bytes($client, $length - 4);

		$all .= "$type $body\n";
		last if $type eq $last && $body =~ $what;
	}
	alarm 0;
	return $all;
}

# A client of the role app with a prepared statement; its turn is not needed any more.
sub bare_client
{
	my ($sql) = @_;
	my $client = IO::Socket::UNIX->new(Peer => $node->host . '/.s.PGSQL.' . $node->port) or die "could not connect: $!";
	my $start = pack('N', 196608) . "user\0app\0database\0postgres\0\0";

	$client->syswrite(pack('N', 4 + length $start) . $start) or die "could not send: $!";
	my ($pid) = read_until($client, 'Z', qr/./) =~ /^K (....)/ms;
	send_message($client, 'P', "s\0$sql\0" . pack('n', 0));
	send_message($client, 'S', '');
	read_until($client, 'Z', qr/./);
	return ($client, unpack('N', $pid));
}

sub execute
{
	my ($client) = @_;

	send_message($client, 'B', "\0s\0" . pack('nnNa*n', 0, 1, 1, '7', 0));
	send_message($client, 'E', "\0" . pack('N', 0));
	send_message($client, 'S', '');
	return;
}

sub call_function
{
	my ($client, $function) = @_;
	my $oid = $node->safe_psql('postgres', "SELECT '$function'::regproc::oid");

	send_message($client, 'F', pack('NnnNa*n', $oid, 0, 1, 1, '7', 0));
	return;
}

# --- Bind calls a function that catches an error: no snapshot may be missed afterwards ---
my ($client, $pid) = bare_client('SELECT $1::tolerant');
foreach my $time ('analyzes its statements', 'has plans')
{
	fill($node, 1);
	execute($client);
	wait_for_gate($node, 'waiting = 1', "Bind waits in a function that $time");
	let_go();
	my $answer = read_until($client, 'Z', qr/./);
	like($answer, qr/^D .*7$/m, 'and goes on');
	unlike($answer, qr/^E /m, 'without an error');
}
close $client;
nothing_left($node, 'Bind with functions');

# --- nor one of a large object that it opened ---
foreach my $isolation ('read committed', 'repeatable read', 'serializable')
{
	$node->safe_psql('postgres', "ALTER ROLE app SET default_transaction_isolation = '$isolation'");
	($client, $pid) = bare_client('SELECT $1::opened');
	foreach my $time ('first', 'second')
	{
		fill($node, 1);
		execute($client);
		wait_for_gate($node, 'waiting = 1', "$isolation: Bind waits for the $time time in a function that opens a large object");
		let_go();
		unlike(read_until($client, 'Z', qr/./), qr/^E /m, 'and goes on');
	}
	close $client;
}
$node->safe_psql('postgres', 'ALTER ROLE app RESET default_transaction_isolation');
nothing_left($node, 'Bind with large objects');

# --- a wait whose end is caught is taken up again ---
($client, $pid) = bare_client('SELECT $1::stubborn');
fill($node, 1);
execute($client);
wait_for_gate($node, 'waiting = 1', 'Bind waits');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
like(read_until($client, 'N', qr/caught/), qr/caught/, 'the cancel is caught');
wait_for($node, qq{EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid AND wait_event_type = 'Extension') FROM pool_advisor.gate
	WHERE waiting = 1}, 'it waits again, as it has no turn');
let_go();
unlike(read_until($client, 'Z', qr/./), qr/^E /m, 'and goes on when it has one');
close $client;
nothing_left($node, 'Bind');

# --- a fast-path call waits before its function runs, which so has no end of it to catch ---
($client, $pid) = bare_client('SELECT 1');
fill($node, 1);
call_function($client, 'goes_on');
wait_for_gate($node, 'waiting = 1', 'a fast-path call waits');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
my $answer = read_until($client, 'Z', qr/./);
like($answer, qr/^E .*C57014/m, 'a cancel ends the call');
unlike($answer, qr/caught/, 'and the function has not run');
call_function($client, 'goes_on');
wait_for_gate($node, 'waiting = 1', 'the next call waits like the first');
let_go();
unlike(read_until($client, 'Z', qr/./), qr/^E /m, 'and goes on when it has a turn');
close $client;
nothing_left($node, 'a fast-path call');

# --- a cursor that is fetched from after its turn was given back takes part again ---
my $cursor = client($node, 'app', q{BEGIN; DECLARE c CURSOR FOR SELECT spin(1); SELECT 'declared';});
says($cursor, qr/declared/);
my $lock = client($node, $superuser, 'SELECT pg_advisory_lock(1), 1;');
says($lock, qr/1/);
my $suspended = gate($node, 'suspended_total');
my $spinner = client($node, 'app', 'SELECT spin(1);');
wait_for_gate($node, "suspended_total > $suspended AND running = 1", 'the turn of an idle cursor goes to another');
goes_on($cursor, 'FETCH c; COMMIT;');
wait_for_gate($node, 'running = 2', 'FETCH is counted');
finish($_) foreach $lock, $cursor, $spinner;
is($cursor->{err}, '', 'and fetches');
nothing_left($node, 'cursor');

# --- a chained transaction keeps the snapshot that it imported ---
my $exporter = client($node, $superuser, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_export_snapshot();');
says($exporter, qr/\S+\n/);
(my $snapshot = $exporter->{out}) =~ s/\s//g;
my $importer = client($node, 'app', <<"SQL");
BEGIN ISOLATION LEVEL REPEATABLE READ;
COMMIT AND CHAIN;
\\echo chained
SQL
says($importer, qr/chained/);
fill($node, 1);
goes_on($importer, qq{SET TRANSACTION SNAPSHOT '$snapshot'; SELECT 'rows: ' || count(*) FROM t; COMMIT;});
wait_for_gate($node, 'waiting = 1');
$node->safe_psql('postgres', 'INSERT INTO t VALUES (2)');
let_go();
like(finish($importer), qr/rows: 1$/m, 'a chained transaction keeps the snapshot that it imported');
is($importer->{err}, '', 'without an error');
finish($exporter);
nothing_left($node, 'chained');
server_max_active($node, 'off');

# --- the owner of a database puts functions in our schema before us ---
$node->safe_psql('postgres', 'CREATE DATABASE crm OWNER app');
$node->safe_psql('crm', <<'SQL');
SET ROLE app;
CREATE SCHEMA pool_advisor;
CREATE FUNCTION pool_advisor.array_position(text[], text) RETURNS int LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$;
SQL
my (undef, undef, $refusal) = $node->psql('crm', 'CREATE EXTENSION pool_advisor');
like($refusal, qr/schema "pool_advisor" is there already, and app can create objects in it/, 'a schema of another is refused');
$node->safe_psql('crm', <<'SQL');
ALTER SCHEMA pool_advisor OWNER TO CURRENT_USER;
CREATE EXTENSION pool_advisor;
SELECT pool_advisor.declare_pool('a', 'go', 1000, 1000);
SQL
is($node->safe_psql('crm', q{SELECT count(*) FROM pool_advisor.advice WHERE code = 'pools_exceed_connections'}), 1,
	'functions left in one that was taken over are not called by our views');

# --- a role that takes all worker processes does not lift the limits ---
my $parallel = $node->safe_psql('postgres', q{SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});
set_limits($node, 'CREATE ROLE kept_out LOGIN; ALTER ROLE kept_out SET pool_advisor.max_sessions = 0',
	q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'kept_out')});
my @takers = map { client($node, 'app', "SET $parallel = on; SELECT pg_sleep(1000);") } 1 .. 8;
wait_for($node, q{count(*) = 8 FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%pg_sleep%'
	AND backend_type = 'client backend'});
my $from = -s $node->logfile;
$node->safe_psql('postgres', q{ALTER ROLE app SET work_mem = '5MB'}, connstr => $node->connstr('postgres') . ' user=app');
$node->wait_for_log(qr/The limits that were read last remain in force/, $from);
my ($status, $out, $err) = try_login($node, 'kept_out');
like($err, qr/too many connections for role "kept_out"/, 'a role that takes all worker processes does not lift the limits');
hang_up($_) foreach @takers;
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'});
$node->reload;
set_limits($node, 'SELECT pool_advisor.set_limit(role => $$kept_out$$, max_sessions => 1)',
	q{EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'kept_out' AND max_sessions = 1)});
is($node->safe_psql('postgres', 'SELECT 1', connstr => $node->connstr('postgres') . ' user=kept_out'), 1,
	'and when they are free, limits are read again');

done_testing();
