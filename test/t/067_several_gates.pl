# Gates of several servers, whose sessions wait for each other: dblink and postgres_fdw in all
# directions, transactions in two phases, and several connections of one distributed transaction.
# Each circle of waits is closed for sure before it is judged, and must open as if no server
# had a limit.  At the end the same with a lane, which can keep a slot free for short transactions.
# The last resort of the gate comes after twice deadlock_timeout, and so never here.
# How long a circle was closed is a note.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;
use Time::HiRes qw(time);

my @NAMES = qw(a b c);
my %nodes = map { $_ => limits_node("gate_$_", <<'CONF') } @NAMES;
max_connections = 120
max_prepared_transactions = 40
deadlock_timeout = 600s
pool_advisor.long_lane = off
CONF

if (admin($nodes{a})->value(q{SELECT count(*) FROM pg_available_extensions WHERE name IN ('dblink', 'postgres_fdw')}) < 2)
{
	plan skip_all => 'dblink and postgres_fdw are not installed';
}

# A path is the names of the servers that a query still has to visit, each from the one before.
my @PATHS = ('', @NAMES, 'ab', 'ba', 'bc', 'ca', 'aba', 'bab', 'abc', 'bca', 'cab');

sub conninfo
{
	my ($name) = @_;

	return 'host=' . $nodes{$name}->host . ' port=' . $nodes{$name}->port . ' dbname=postgres user=app';
}

sub set_up
{
	my ($name) = @_;
	my $paths = join ', ', map { "('$_')" } @PATHS;

	$nodes{$name}->safe_psql('postgres', <<"SQL");
CREATE EXTENSION dblink;
CREATE EXTENSION postgres_fdw;
CREATE TABLE own (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO own SELECT generate_series(1, 100);
CREATE TABLE loaded (a int);
CREATE TABLE paths AS SELECT path FROM (VALUES $paths) AS p (path);
CREATE TABLE links (name text PRIMARY KEY, conninfo text NOT NULL);
GRANT ALL ON own, loaded, paths TO app;

CREATE FUNCTION link(name text, sql text) RETURNS text LANGUAGE sql SECURITY DEFINER AS
	\$\$ SELECT a FROM dblink((SELECT conninfo FROM links AS l WHERE l.name = \$1), \$2) AS d (a text) \$\$;
CREATE FUNCTION through_dblink(path text) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	RETURN CASE WHEN path = '' THEN '$name' ELSE '$name' || link(left(path, 1), format('SELECT through_dblink(%L)', substr(path, 2))) END;
END \$\$;
CREATE FUNCTION through_postgres_fdw(path text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE answer text := '';
BEGIN
	IF path <> '' THEN
		EXECUTE format('SELECT h.answer FROM public.hops_%s AS h WHERE h.path = %L', left(path, 1), substr(path, 2)) INTO STRICT answer;
	END IF;
	RETURN '$name' || answer;
END \$\$;
CREATE VIEW hops AS SELECT path, through_postgres_fdw(path) AS answer FROM paths;
GRANT SELECT ON hops TO app;

-- adds 1 to a row of two servers, in two phases
CREATE FUNCTION in_two_phases(id int, gid text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS \$\$
DECLARE server text;
BEGIN
	FOREACH server IN ARRAY ARRAY['a', 'b'] LOOP
		PERFORM dblink_connect(server, (SELECT conninfo FROM links WHERE name = server));
		PERFORM dblink_exec(server, 'BEGIN');
		PERFORM dblink_exec(server, format('UPDATE own SET n = n + 1 WHERE id = %s', id));
		PERFORM dblink_exec(server, format('PREPARE TRANSACTION %L', gid));
	END LOOP;
	FOREACH server IN ARRAY ARRAY['a', 'b'] LOOP
		PERFORM dblink_exec(server, format('COMMIT PREPARED %L', gid));
		PERFORM dblink_disconnect(server);
	END LOOP;
	RETURN gid;
END \$\$;
SQL
	foreach my $other (@NAMES)
	{
		my ($host, $port) = ($nodes{$other}->host, $nodes{$other}->port);
		my $conninfo = conninfo($other);

		$nodes{$name}->safe_psql('postgres', <<"SQL");
INSERT INTO links VALUES ('$other', '$conninfo');
CREATE SERVER $other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
CREATE USER MAPPING FOR app SERVER $other OPTIONS (user 'app', password_required 'false');
CREATE FOREIGN TABLE hops_$other (path text, answer text) SERVER $other OPTIONS (table_name 'hops');
CREATE FOREIGN TABLE own_$other (id int, n int) SERVER $other OPTIONS (table_name 'own');
GRANT ALL ON hops_$other, own_$other TO app;
SQL
	}
	return;
}

set_up($_) foreach @NAMES;

# A session of app that has a slot of its server.
sub holder
{
	my ($name) = @_;
	my $client = wire($nodes{$name});

	$client->value('BEGIN');
	$client->value('SELECT 1');
	return $client;
}

# What all clients are told, in order; notes how long the last one waited for it.
my $asked_at;

sub answers
{
	my ($name, @clients) = @_;
	my @told = map { Wire::told($_->result_within($PostgreSQL::Test::Utils::timeout_default)) } @clients;

	note sprintf '%s: all have answers after %.0f ms', $name, 1000 * (time - $asked_at);
	return join ' ', @told;
}

# Send a statement by each client; clients and statements alternate.
sub send_all
{
	my (@pairs) = @_;
	my @clients;

	$asked_at = time;
	while (my ($client, $sql) = splice @pairs, 0, 2)
	{
		push @clients, $client->simple($sql);
	}
	return @clients;
}

sub leave
{
	my (@clients) = @_;

	foreach (@clients)
	{
		$_->ask('ROLLBACK') unless $_->{gone};
		$_->close;
	}
	nothing_left($nodes{$_}, 'at the end') foreach @NAMES;
	return;
}

# All slots of some servers, less those that are free for short transactions, are taken by sessions
# that then each follow a path.
sub circle
{
	my ($name, $limit, $way, %paths) = @_;
	my @starts = map { ($_) x $limit } sort keys %paths;
	my @clients = map { holder($_) } @starts;

	$name = "limit $limit, $way, $name";
	is(join(' ', map { gate($nodes{$_}, q{CASE WHEN long_max_active < 0 THEN running ELSE max_active END}) } sort keys %paths),
		join(' ', ($limit) x keys %paths), "$name: no slot is left");
	send_all(map { ($clients[$_], "SELECT through_$way('$paths{$starts[$_]}')") } 0 .. $#starts);
	is(answers($name, @clients), join(' ', map { "$_$paths{$_}" } @starts), "$name: all come to their end");
	leave(@clients);
	return;
}

sub circles
{
	my ($limit) = @_;

	foreach my $way (qw(dblink postgres_fdw))
	{
		circle('two servers', $limit, $way, a => 'b', b => 'a');
		circle('there and back', $limit, $way, a => 'bab', b => 'aba');
		circle('three servers', $limit, $way, a => 'bca', b => 'cab', c => 'abc');
	}
	return;
}

# Clients of a server that wait for the same row, in all slots.
sub blocked
{
	my ($node, $count, $row) = @_;
	my @blocked = map { wire($node, 'app', name => 'blocked') } 1 .. $count;

	$_->simple("UPDATE own SET n = n + 1 WHERE id = $row RETURNING 'updated'") foreach @blocked;
	wait_for($node, "count(*) = $count FROM pg_stat_activity WHERE application_name = 'blocked' AND wait_event_type = 'Lock'");
	return @blocked;
}

foreach my $limit (1, 2)
{
	server_max_active($nodes{$_}, $limit) foreach @NAMES;

	#
	# Sessions with a slot wait for a session of another server, which waits for a slot
	#
	circles($limit);

	# the same with rows that are locked on both sides
	foreach my $way ('postgres_fdw', 'dblink')
	{
		my $remote = sub {
			my ($name, $id) = @_;
			return "UPDATE own_$name SET n = n + 1 WHERE id = $id RETURNING 'updated'" if $way eq 'postgres_fdw';
			return "SELECT link('$name', 'UPDATE own SET n = n + 1 WHERE id = $id RETURNING ''updated''')";
		};
		my @pairs = map { my $k = $_; map { [ $_, holder($_), $k ] } 'a', 'b' } 1 .. $limit;

		# rows 10 and above are of transactions of a, rows 20 and above of those of b
		my %first = (a => 10, b => 20);
		$_->[1]->value('UPDATE own SET n = n + 1 WHERE id = ' . ($first{ $_->[0] } + $_->[2])) foreach @pairs;
		my @clients = send_all(map { ($_->[1], $remote->($_->[0] eq 'a' ? 'b' : 'a', $first{ $_->[0] } + $_->[2])) } @pairs);
		is(answers("limit $limit, $way, rows of both", @clients), join(' ', ('updated') x @clients),
			"limit $limit, $way, rows of both servers: all come to their end");
		$_->value('COMMIT') foreach @clients;
		leave(@clients);
	}

	#
	# Several connections of one distributed transaction to a server, as Citus has them
	#
	my @parts = map { wire($nodes{b}, 'app', name => 'citus_internal gpid=10000000042') } 1 .. 4;
	my $two_phases = sub {
		my ($name) = @_;
		my $told = sub { join ' ', map { $_->{error} // @{ $_->{tags} } } @_ };

		send_all(map { ($parts[$_], "PREPARE TRANSACTION 'part_$_'") } 0 .. $#parts);
		is($told->(map { $_->result } @parts), join(' ', ('PREPARE TRANSACTION') x @parts), "$name: all are prepared");
		send_all(map { ($parts[$_], "COMMIT PREPARED 'part_$_'") } 0 .. $#parts);
		is($told->(map { $_->result } @parts), join(' ', ('COMMIT PREPARED') x @parts), "$name: and committed");
		return;
	};

	$_->value('BEGIN') foreach @parts;
	send_all(map { ($parts[$_], 'UPDATE own SET n = n + 1 WHERE id = ' . (30 + $_) . q{ RETURNING 'part'}) } 0 .. $#parts);
	is(answers("limit $limit, four connections", @parts), 'part part part part', "limit $limit, four connections: each works before one ends");
	$two_phases->("limit $limit, four connections");

	# each waits for its data, which the coordinator sends when all are open
	$_->value('BEGIN') foreach @parts;
	send_all(map { ($_, 'COPY loaded FROM STDIN') } @parts);
	ok($_->result(until => 'G'), "limit $limit, COPY: one more is open") foreach @parts;
	note sprintf 'limit %d, COPY: all are open after %.0f ms', $limit, 1000 * (time - $asked_at);
	$_->message('d', "$limit\n")->message('c', '')->result foreach @parts;
	$two_phases->("limit $limit, COPY");

	# other sessions hold all slots, and wait for a row of the first connection
	{
		$_->value('BEGIN') foreach @parts;
		$parts[0]->value('UPDATE own SET n = n + 1 WHERE id = 40');
		my @blocked = blocked($nodes{b}, $limit, 40);
		my @rest = @parts[ 1 .. $#parts ];
		send_all(map { ($rest[$_], 'UPDATE own SET n = n + 1 WHERE id = ' . (41 + $_) . q{ RETURNING 'part'}) } 0 .. $#rest);
		is(answers("limit $limit, holders blocked by a part", @rest), 'part part part', "limit $limit, holders wait for a row of the first: the others work");
		$two_phases->("limit $limit, holders wait for a row");
		is(join(' ', map { Wire::told($_->result) } @blocked), join(' ', ('updated') x @blocked), "limit $limit, holders wait for a row: and go on");
		leave(@blocked);
	}
	leave(@parts);

	# the same between servers: postgres_fdw has the row, and dblink needs a slot
	{
		my $client = holder('a');
		$client->value('UPDATE own_b SET n = n + 1 WHERE id = 50');
		my @blocked = blocked($nodes{b}, $limit, 50);
		send_all($client, q{SELECT through_dblink('b')});
		is(answers("limit $limit, a row and a slot", $client), 'ab', "limit $limit, a session holds a row of another server and needs a slot there");
		$client->value('COMMIT');
		is(join(' ', map { Wire::told($_->result) } @blocked), join(' ', ('updated') x @blocked), "limit $limit, a row and a slot: those that waited for it go on");
		leave($client, @blocked);
	}

	# on both sides: the holders of each server wait for a row of a session that works for a client
	# of the other one, and these clients need slots where they are
	{
		my %link = (a => 'b', b => 'a');
		my %client = map { $_ => wire($nodes{$_}, 'app', name => 'starts') } keys %link;
		my $connect = sub { my ($name) = @_; return "SELECT open_link('$link{$name}')" };

		$nodes{$_}->safe_psql('postgres', <<'SQL') foreach keys %link;
CREATE OR REPLACE FUNCTION open_link(name text) RETURNS text LANGUAGE sql SECURITY DEFINER AS
	$$ SELECT dblink_connect('kept', (SELECT conninfo FROM links AS l WHERE l.name = $1)) $$;
CREATE OR REPLACE FUNCTION use_link(sql text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT dblink_exec('kept', sql) $$;
SQL
		foreach my $name (sort keys %link)
		{
			$client{$name}->value($connect->($name));
			$client{$name}->value(q{SELECT use_link('BEGIN; UPDATE own SET n = n + 1 WHERE id = 60')});
		}
		my @blocked = map { blocked($nodes{$_}, $limit, 60) } sort keys %link;
		my @clients = send_all(map { ($client{$_}, q{SELECT use_link('COMMIT')}) } sort keys %link);
		is(answers("limit $limit, rows of both and slots of both", @clients), 'COMMIT COMMIT', "limit $limit, holders of both servers wait for clients of the other one");
		is(join(' ', map { Wire::told($_->result) } @blocked), join(' ', ('updated') x @blocked), "limit $limit, holders of both servers go on");
		leave(@clients, @blocked);
	}

	#
	# Transactions in two phases, which coordinators of all servers make at once, for the same rows
	#
	{
		my $before = admin($nodes{a})->value('SELECT sum(n) FROM own WHERE id > 90');
		my @starts = (@NAMES) x 4;
		my @clients = map { wire($nodes{$_}) } @starts;

		send_all(map { ($clients[$_], 'SELECT in_two_phases(' . (91 + $_ % 2) . ", 'g$_')") } 0 .. $#starts);
		is(answers("limit $limit, two phases", @clients), join(' ', map { "g$_" } 0 .. $#starts), "limit $limit, two phases: all coordinators end");
		is(join(' ', map { admin($nodes{$_})->value('SELECT sum(n) FROM own WHERE id > 90') - $before } 'a', 'b'),
			@starts . ' ' . @starts, "limit $limit, two phases: each adds to both");
		is(admin($nodes{$_})->value('SELECT count(*) FROM pg_prepared_xacts'), 0, "limit $limit, two phases: nothing stays prepared") foreach 'a', 'b';
		leave(@clients);
	}

	# all slots wait for a row of a prepared transaction, and its coordinator looks for it first
	{
		my $client = wire($nodes{a});

		$client->ask($_) foreach 'BEGIN', 'UPDATE own SET n = n + 1 WHERE id = 70', q{PREPARE TRANSACTION 'in_doubt'};
		my @blocked = blocked($nodes{a}, $limit, 70);
		send_all($client, 'SELECT gid FROM pg_prepared_xacts');
		is(answers("limit $limit, in doubt", $client), 'in_doubt', "limit $limit, holders wait for a prepared transaction: it can be found");
		is(join(' ', @{ $client->ask(q{COMMIT PREPARED 'in_doubt'})->{tags} }), 'COMMIT PREPARED', "limit $limit, in doubt: and ended");
		is(join(' ', map { Wire::told($_->result) } @blocked), join(' ', ('updated') x @blocked), "limit $limit, in doubt: those that waited go on");
		leave($client, @blocked);
	}

	# many clients on both sides, each of which needs a slot of both
	foreach my $way (qw(dblink postgres_fdw))
	{
		my %clients = map { my $name = $_; $name => [ map { wire($nodes{$name}) } 1 .. 25 ] } 'a', 'b';
		my %path = (a => 'b', b => 'a');

		send_all(map { my $name = $_; map { ($_, "SELECT through_$way('$path{$name}')") } @{ $clients{$name} } } 'a', 'b');
		is(answers("limit $limit, $way, 50 clients", map { @{ $clients{$_} } } 'a', 'b'), join(' ', ('ab') x 25, ('ba') x 25),
			"limit $limit, $way, 50 clients: all come to their end");
		leave(map { @{ $clients{$_} } } 'a', 'b');
	}
}

foreach (@NAMES)
{
	one_value($nodes{$_}, 'ALTER SYSTEM SET pool_advisor.long_lane = on');
	$nodes{$_}->reload;
}
circles(2);

done_testing();
