# A statement that waits is made anew only from what it is: rules that come while it waits, rules
# that make several statements of it, prepared statements that Bind analyzes, and string literals
# that were read before a setting changed.
#
# Slots are held by sessions that compute, and each wait is seen before anything is changed.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $node = limits_node('statements', "max_connections = 300\n");
my $admin = admin($node);
my $PATIENCE = $PostgreSQL::Test::Utils::timeout_default;

$node->safe_psql('postgres', <<'SQL');
GRANT ALL ON SCHEMA public TO app;
CREATE TABLE log (a int);
GRANT ALL ON log TO app;
SQL
server_max_active($node, 1);

# A table for one case, without rows, and nothing in the log.
sub new_table
{
	$admin->value('SET client_min_messages = error; DROP TABLE IF EXISTS r CASCADE');
	$admin->value('CREATE TABLE r (a int)');
	$admin->value('GRANT ALL ON r TO app');
	no_rows();
	$admin->value($_) foreach @_;
	return;
}

# TRUNCATE would make the plans of prepared statements invalid.
sub no_rows { return $admin->value('DELETE FROM r; DELETE FROM log'); }

sub rows { return $admin->value(q{SELECT (SELECT count(*) FROM r) || ' in r, ' || (SELECT count(*) FROM log) || ' in the log'}); }

# A client sends its statement, which waits.
sub stands
{
	my ($client, $send) = @_;

	work($node, 1);
	$send->($client);
	true_within($node, $PATIENCE, is_queued($client)) or die 'the client is not in the queue';
	return;
}

# What a client is told whose statement has waited while that was changed.
sub told_after
{
	my ($client, $send, @changes) = @_;

	stands($client, $send);
	$admin->value("SET lock_timeout = '10s'");
	$admin->value($_) foreach @changes;
	$admin->value('RESET lock_timeout');
	is(column($node, 'waiting'), 1, 'it waits until all is changed');
	stop_work($node);
	return Wire::told($client->result);
}

# Each of these has a statement that is ready before it waits, and sends it.
sub ready
{
	my ($way, $sql) = @_;
	my $client = wire($node, 'app', options => $way =~ /(custom|generic)/ ? "-c plan_cache_mode=force_$1_plan" : undef);
	my $send;

	if ($way =~ /^prepared/)
	{
		$client->parse($sql, 's')->sync->result;
		$send = sub { $_[0]->bind('s')->execute->sync };
	}
	elsif ($way =~ /^EXECUTE/)
	{
		$client->value("PREPARE s AS $sql");
		$send = sub { $_[0]->simple('EXECUTE s') };
	}
	else
	{
		$send = $way eq 'extended' ? sub { $_[0]->extended($sql)->sync } : sub { $_[0]->simple($sql) };
	}

	# a plan that is run again has been found in the cache
	foreach (1 .. 2)
	{
		$send->($client);
		die "$way: could not run $sql" if defined $client->result->{error};
	}
	return ($client, $send);
}

# Sends invalidation messages that concern no statement of ours.
my @NOISE = ("CREATE FUNCTION noise() RETURNS int LANGUAGE sql AS 'SELECT 1'", 'DROP FUNCTION noise()');

my @ways = ('simple', 'extended', 'prepared, custom', 'prepared, generic', 'EXECUTE, custom', 'EXECUTE, generic');

# --- a rule is created on the table while a statement waits ---
# name => [ the rule's action, what is there when the statement has been executed under it ]
my %rules = (
	'INSTEAD NOTHING' => [ 'INSTEAD NOTHING', '0 in r, 0 in the log' ],
	'INSTEAD of the same kind' => [ 'INSTEAD INSERT INTO log VALUES (NEW.a)', '0 in r, 1 in the log' ],
	'INSTEAD of another kind' => [ 'INSTEAD DELETE FROM log', '0 in r, 0 in the log' ],
	'INSTEAD a command' => [ 'INSTEAD NOTIFY news', '0 in r, 0 in the log' ],
	'ALSO' => [ 'ALSO INSERT INTO log VALUES (NEW.a)', '1 in r, 1 in the log' ],
	'ALSO a command' => [ 'ALSO NOTIFY news', '1 in r, 0 in the log' ]);
foreach my $rule (sort keys %rules)
{
	my ($action, $expected) = @{ $rules{$rule} };

	foreach my $way (@ways)
	{
		new_table();
		my ($client, $send) = ready($way, 'INSERT INTO r VALUES (1)');
		no_rows();
		my $told = told_after($client, $send, "CREATE RULE comes AS ON INSERT TO r DO $action");
		if ($told =~ /^ERROR/)
		{
			# the client of a prepared statement may have to send it again
			is("$way: $told", ($way =~ /^prepared/ ? $way : 'prepared') . ': ERROR 0A000', "$way, $rule: it can be refused");
			is(rows(), '0 in r, 0 in the log', "$way, $rule: and nothing is done then");
			$send->($client);
			$told = Wire::told($client->result);
		}
		is($told, '', "$way, $rule: it is executed");
		is(rows(), $expected, "$way, $rule: with the rule");
		$client->close;
	}
}

# the rule that goes is not applied any more
foreach my $way (@ways)
{
	new_table('CREATE RULE goes AS ON INSERT TO r DO INSTEAD INSERT INTO log VALUES (NEW.a)');
	my ($client, $send) = ready($way, 'INSERT INTO r VALUES (1)');
	no_rows();
	is(told_after($client, $send, 'DROP RULE goes ON r'), '', "$way: a statement without its rule");
	is(rows(), '1 in r, 0 in the log', "$way: is executed without it");
	$client->close;
}

# --- a rule that makes several statements of one: none of them runs without its locks ---
my $LOCKED = q{SELECT string_agg(relation::regclass::text, ' ' ORDER BY 1) FROM (SELECT DISTINCT relation FROM pg_locks
	WHERE mode = 'RowExclusiveLock' AND granted AND relation::regclass::text IN ('r', 'log') AND pid = };
foreach my $way (@ways)
{
	new_table('CREATE RULE also AS ON INSERT TO r DO ALSO INSERT INTO log VALUES (NEW.a)');
	my ($client, $send) = ready($way, 'INSERT INTO r VALUES (1)');
	no_rows();
	$client->value('BEGIN');
	stands($client, $send);
	my $held = $admin->value("$LOCKED $client->{pid}) AS l");
	is($held, $way =~ /^prepared/ ? 'log r' : '', "$way: it keeps all of its locks while it waits, or none");
	$admin->value($_) foreach @NOISE;
	stop_work($node);
	is(Wire::told($client->result), '', "$way: it is executed after the wait");
	is($admin->value("$LOCKED $client->{pid}) AS l"), 'log r', "$way: and has locked both tables");
	$client->value('COMMIT');
	is(rows(), '1 in r, 1 in the log', "$way: both statements are done, once");
	$client->close;
}

# what is kept is given when somebody waits for it
{
	new_table('CREATE RULE also AS ON INSERT TO r DO ALSO INSERT INTO log VALUES (NEW.a)');
	my ($client, $send) = ready('prepared, generic', 'INSERT INTO r VALUES (1)');
	my $other = wire($node, $admin->value('SELECT current_user'));

	no_rows();
	stands($client, $send);
	$other->value('BEGIN');
	$other->simple('LOCK TABLE log IN ACCESS EXCLUSIVE MODE');
	is(Wire::told($client->result), '', 'a waiter that keeps a lock is let in when a session waits for the lock');
	is(Wire::told($other->result), '', 'and the session does not wait for the queue');
	$other->value('COMMIT');
	stop_work($node);
	is(rows(), '1 in r, 1 in the log', 'and is done, once');
	$_->close foreach $client, $other;
}

# --- Bind analyzes a statement that PREPARE has made ---
foreach my $plan ('custom', 'generic')
{
	new_table('INSERT INTO r VALUES (1)');
	my $client = wire($node, 'app', options => "-c plan_cache_mode=force_${plan}_plan");
	my $send = sub { $_[0]->bind('s')->execute->sync };

	$client->value(q{PREPARE s AS SELECT 'count', count(*) FROM r});
	$client->value('EXECUTE s');
	$admin->value('ALTER TABLE r ADD COLUMN b int');	# Bind has to analyze it anew
	is(told_after($client, $send, @NOISE),
		'count|1', "Bind analyzes what PREPARE has made, $plan: it is executed, not prepared again");
	foreach (1 .. 2)
	{
		$send->($client);
		is(Wire::told($client->result), 'count|1', "$plan: and later too");
		is(Wire::told($client->ask('EXECUTE s')), 'count|1', "$plan: as by EXECUTE");
	}
	$client->close;
}

# --- literals stay what they were read as ---
SKIP:
{
	my $settable = wire($node)->ask('SET standard_conforming_strings = off');

	skip 'standard_conforming_strings cannot be off in this PostgreSQL', 7 if defined $settable->{error};
	new_table('INSERT INTO r VALUES (1)');
	foreach my $read_with ('on', 'off')
	{
		my $other = $read_with eq 'on' ? 'off' : 'on';
		my $options = "-c standard_conforming_strings=$read_with -c escape_string_warning=off -c plan_cache_mode=force_custom_plan";
		my $client = wire($node, 'app', options => $options);
		my $literal = q{SELECT length('a\\tbc'), count(*) FROM r};
		my $expected = $read_with eq 'on' ? '5|1' : '4|1';

		# all of a message is read before its first statement is executed
		is(told_after($client, sub { $_[0]->simple("SET standard_conforming_strings = $other; $literal") }, @NOISE),
			$expected, "a literal that was read with standard_conforming_strings = $read_with, in one message");
		$client->close;

		# a prepared statement was read when it was prepared
		$client = wire($node, 'app', options => $options);
		$client->parse($literal, 's')->sync->result;
		$client->value("SET standard_conforming_strings = $other");
		$admin->value('ALTER TABLE r ADD COLUMN c' . ($read_with eq 'on' ? 1 : 2) . ' int');
		is(told_after($client, sub { $_[0]->bind('s')->execute->sync }, @NOISE),
			$expected, "a literal that was read with $read_with, prepared and analyzed by Bind");
		$client->close;
	}
}

# --- what a statement is warned of is said once, however often it is analyzed ---
{
	my $long = 'x' x 70;
	my $cut = 'x' x 63;
	my $identifier = "identifier \"$long\" will be truncated to \"$cut\"";
	my %statements = (
		'a name that is too long' => [ "SELECT count(*) AS $long FROM r", $identifier ],
		'with a parameter' => [ "SELECT count(*) AS $long FROM r WHERE a = \$1", $identifier ],
		'a literal of a domain' => [ q{SELECT count(*), '{x}'::noisy[] FROM r}, 'noisy' ]);

	new_table(q{DROP DOMAIN IF EXISTS noisy}, <<'SQL', q{CREATE DOMAIN noisy AS text CHECK (says(VALUE))});
CREATE OR REPLACE FUNCTION says(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE NOTICE ''noisy''; RETURN true; END'
SQL
	foreach my $name (sort keys %statements)
	{
		my ($sql, $notice) = @{ $statements{$name} };

		foreach my $way ('simple', 'extended')
		{
			next if $way eq 'simple' && $name eq 'with a parameter';
			my $client = wire($node);
			my $send = $way eq 'simple' ? sub { $_[0]->simple($sql) } : sub { $_[0]->parse($sql)->sync };
			my $notices = $send->($client)->result->{notices};
			my $result;

			like($notices, qr/\Q$notice\E/, "$way, $name: it is said without a wait");
			stands($client, $send);
			$admin->value($_) foreach @NOISE;
			stop_work($node);
			$result = $client->result;
			is($result->{error}, undef, "$way, $name: it is executed");
			is($result->{notices}, $notices, "$way, $name: it is said once");
			$client->close;
		}
	}
}

# --- Bind analyzes anew: the statement waits without its locks, unless its literals have escapes ---
# name => [ how it is prepared, which locks it has while it waits ]
my %prepared = (
	'a named statement' => [ sub { $_[0]->parse('SELECT count(*), max(a) FROM r', 's')->sync->result }, 0 ],
	'what PREPARE has made' => [ sub { $_[0]->value('PREPARE s AS SELECT count(*), max(a) FROM r') }, 0 ],
	'what PREPARE has made inside a message' =>
	  [ sub { $_[0]->value('SET work_mem = 4096; PREPARE s AS SELECT count(*), max(a) FROM r ; SET work_mem = 8192') }, 0 ],
	'one with an escape' => [ sub { $_[0]->parse(q{SELECT count(*), max(a) FROM r WHERE '\\' <> 'x'}, 's')->sync->result }, 1 ],
	'one with Unicode escapes' => [ sub { $_[0]->parse(q{SELECT count(*), max(a) FROM r WHERE U&'!0061' UESCAPE '!' = 'a'}, 's')->sync->result }, 1 ]);
foreach my $name (sort keys %prepared)
{
	my ($prepare, $locks) = @{ $prepared{$name} };

	new_table('INSERT INTO r VALUES (1)');
	my @clients = map { wire($node) } 1 .. 3;
	foreach my $client (@clients)
	{
		$prepare->($client);
		$client->bind('s')->execute->sync->result;
	}
	$admin->value('ANALYZE r');
	work($node, 1);
	$_->bind('s')->execute->sync foreach @clients;
	true_within($node, $PATIENCE, is_queued($_)) or die "$name: is not in the queue" foreach @clients;
	is($admin->value(q{SELECT count(DISTINCT pid) FROM pg_locks WHERE relation = 'r'::regclass AND granted}),
		$locks * @clients, "$name: so many waiters hold a lock on the table that was analyzed");
	$admin->value("SET lock_timeout = '20s'");
	$admin->value('ALTER TABLE r ALTER a TYPE bigint; INSERT INTO r VALUES (3000000000)');
	$admin->value('RESET lock_timeout');
	is(column($node, 'waiting'), $locks ? 0 : 3, "$name: those that hold one are let in, and no others");
	stop_work($node);
	is(Wire::told($_->result), $locks ? '1|1' : 'ERROR 0A000', "$name: it is executed as PostgreSQL does it then") foreach @clients;
	$_->close foreach @clients;
}

# the table changes, and the statement's result does not
foreach my $name ('a named statement', 'what PREPARE has made', 'what PREPARE has made inside a message')
{
	new_table('INSERT INTO r VALUES (1)');
	my $client = wire($node);
	my $send = sub { $_[0]->bind('s')->execute->sync };

	$prepared{$name}[0]->($client);
	$send->($client);
	$client->result;
	$admin->value('ANALYZE r');
	is(told_after($client, $send, 'ALTER TABLE r RENAME TO old', 'CREATE TABLE r (b text, a int)', 'GRANT ALL ON r TO app', q{INSERT INTO r VALUES ('x', 7), ('y', 8)}),
		'2|8', "$name: it reads the table that has the name after the wait");
	$send->($client);
	is(Wire::told($client->result), '2|8', "$name: and later too");
	$admin->value('DROP TABLE old');
	$client->close;
}

# --- a portal that is bound and not executed: its locks stay ---
foreach my $way ('Parse', 'a portal', 'Bind')
{
	new_table();
	my $client = wire($node);

	$client->parse('INSERT INTO r VALUES (1)', 'insert')->parse('SELECT count(*) FROM log', 'count')->sync->result;
	$client->bind($_)->execute->sync->result foreach ('insert') x 6, ('count') x 6;
	no_rows();
	$admin->value('ANALYZE log') if $way eq 'Bind';
	work($node, 1);
	$client->bind_portal('p', 'insert');
	$way eq 'Parse' ? $client->parse('SELECT 2') : $client->bind_portal('q', 'count');
	$client->message('H', '');
	true_within($node, $PATIENCE, is_queued($client)) or die "$way: is not in the queue";
	is($admin->value("$LOCKED $client->{pid}) AS l"), 'r', "$way waits: what is bound keeps its lock");
	$admin->value($_) foreach @NOISE;
	stop_work($node);
	$client->execute('p')->sync;
	my $result = $client->result;
	is(Wire::told($result), '', "$way: and is executed");
	is($result->{notices}, '', "$way: without a warning");
	is(rows(), '1 in r, 0 in the log', "$way: once");
	$client->close;
}

# a cursor of an earlier transaction looks the same
{
	my $client = wire($node);

	$client->value($_) foreach 'BEGIN', 'DECLARE kept CURSOR WITH HOLD FOR SELECT generate_series(1, 3)', 'COMMIT';
	stands($client, sub { $_[0]->simple('SELECT 1') });
	stop_work($node);
	my $result = $client->result;
	is(Wire::told($result), '1', 'WITH HOLD: the statement is executed after its wait');
	is($result->{notices}, '', 'WITH HOLD: without a warning');
	is($client->value('FETCH 2 FROM kept'), "1\n2", 'WITH HOLD: and the cursor is there');
	$client->close;
}
nothing_left($node, 'portals');

# --- an advisory lock that the input of a value has taken for the transaction stays ---
$node->safe_psql('postgres', <<'SQL');
CREATE DOMAIN locking AS bigint CHECK (pg_try_advisory_xact_lock(VALUE));
CREATE TYPE has_locking AS (a locking);
SQL
foreach my $way ('Bind', 'simple')
{
	my $client = wire($node);
	my $locks = "SELECT coalesce(string_agg(objid::text, ' ' ORDER BY objid), '') FROM pg_locks WHERE locktype = 'advisory' AND pid = $client->{pid}";
	my $send = $way eq 'Bind' ? sub { $_[0]->bind('s', 9)->execute->sync } : sub { $_[0]->simple(q{SELECT '(9)'::has_locking}) };

	$client->parse('SELECT $1::locking', 's')->sync->result;
	$client->value($_) foreach 'SELECT pg_advisory_lock(8)', 'BEGIN';
	stands($client, $send);
	is($admin->value($locks), '8 9', "$way: a waiter keeps advisory locks, the session's and the transaction's");
	stop_work($node);
	like(Wire::told($client->result), qr/9/, "$way: it is executed");
	is($admin->value($locks), '8 9', "$way: with its locks");
	$client->value($_) foreach 'SELECT pg_advisory_unlock(8)';
	is($admin->value($locks), '9', "$way: the session's ends when it says so");
	$client->value('COMMIT');
	is($admin->value($locks), '', "$way: and the transaction's with it");
	$client->close;
}
nothing_left($node, 'advisory locks');

# --- many waiters that keep their locks do not keep a session waiting one after the other ---
{
	new_table('INSERT INTO r VALUES (1)');
	my @clients = map { wire($node) } 1 .. 250;

	# a statement without a name that an earlier transaction has prepared
	$_->parse('SELECT count(*) FROM r')->sync->result foreach @clients;
	work($node, 1);
	$_->bind->execute->sync foreach @clients;
	true_within($node, $PATIENCE, 'waiting = 250 FROM ' . $GATE) or die 'they are not in the queue';
	is($admin->value(q{SELECT count(DISTINCT pid) FROM pg_locks WHERE relation = 'r'::regclass AND granted}), 250, '250 waiters hold a lock');

	# let in in one look each they would need 2.5 s or longer
	$admin->value("SET lock_timeout = '2s'");
	is(Wire::told($admin->ask('ALTER TABLE r ADD COLUMN b int')), '', 'they are let in many at a time when a session waits for the lock');
	$admin->value('RESET lock_timeout');
	is(join(' ', map { Wire::told($_->result) } @clients), join(' ', (1) x 250), 'and all are executed');
	stop_work($node);
	$_->close foreach @clients;
}

# --- types of parameters that the first analysis has inferred ---
foreach my $case ([ 'bigint', 3000000000 ], [ 'text', '007' ])
{
	my ($type, $value) = @$case;

	foreach my $sql ('INSERT INTO r VALUES ($1) RETURNING a', 'INSERT INTO r VALUES ($1), ($1) RETURNING a', 'UPDATE r SET a = $1 RETURNING a',
		'SELECT a FROM r WHERE a = $1', 'SELECT coalesce(max(a), $1) FROM r', 'WITH w AS (SELECT a FROM r WHERE a IN ($1, $2)) SELECT a FROM w')
	{
		new_table();
		my $client = wire($node);
		my @values = ($value) x ($sql =~ /\$2/ ? 2 : 1);
		my $expected = $sql =~ /^INSERT.*,/ ? "$value $value" : $sql =~ /INSERT|max/ ? $value : '';
		my $send = sub { $_[0]->extended($sql, @values)->sync };

		is(told_after($client, $send, "ALTER TABLE r ALTER a TYPE $type"), 'ERROR 40001', "$sql: a column becomes $type, it is refused");
		is(rows(), '0 in r, 0 in the log', 'and has done nothing');
		$send->($client);
		is(Wire::told($client->result), $expected, 'it is executed when it is sent again');
		$client->close;
	}
}

# other changes do not matter, however the query looks
foreach my $sql ('INSERT INTO r SELECT $1', 'SELECT $1', 'SELECT $1 UNION SELECT $2', 'SELECT coalesce($1, $2)', 'VALUES ($1), ($2)', 'INSERT INTO r VALUES ($1), ($2)')
{
	new_table();
	my $client = wire($node);

	unlike(told_after($client, sub { $_[0]->extended($sql, $sql =~ /\$2/ ? (1, 2) : 1)->sync }, @NOISE), qr/ERROR/, "$sql: is executed");
	$client->close;
}
foreach my $change ('ALTER TABLE r ADD COLUMN b int', 'CREATE INDEX ON r (a)', 'ALTER TABLE r ALTER a SET NOT NULL', 'ANALYZE r')
{
	new_table('INSERT INTO r VALUES (7)');
	my $client = wire($node);

	is(told_after($client, sub { $_[0]->extended('SELECT a, $1 || $2 FROM r WHERE a = $3 LIMIT $4', 'x', 'y', 7, 1)->sync }, $change),
		'7|xy', "$change: a statement with parameters is executed");
	$client->close;
}
{
	my $client = wire($node);

	new_table('INSERT INTO r VALUES (7)');
	is(told_after($client, sub { $_[0]->extended('SELECT a FROM r WHERE a = $1', 7)->sync }, 'ALTER TABLE r DROP COLUMN a'),
		'ERROR 42703', 'an error that has nothing to do with parameters is as PostgreSQL says it');
	$client->close;
}

# --- a fast-path call: what was looked up and allowed before the wait ---
# what changes meanwhile => [ how, what the client is told, and when it calls again ]
my $MADE = 'CREATE OR REPLACE FUNCTION deep.f() RETURNS text LANGUAGE';
my %calls = (
	'nothing changes' => [ [], 'old', 'old' ],
	'EXECUTE is revoked' => [ [ 'REVOKE EXECUTE ON FUNCTION deep.f() FROM PUBLIC', "$MADE sql AS \$\$ SELECT 'secret' \$\$" ], 'ERROR 42501', 'ERROR 42501' ],
	'USAGE is revoked' => [ ['REVOKE USAGE ON SCHEMA deep FROM app'], 'ERROR 42501', 'ERROR 42501' ],
	'it is granted anew' => [ ['GRANT EXECUTE ON FUNCTION deep.f() TO app WITH GRANT OPTION'], 'old', 'old' ],
	'the body is replaced' => [ ["$MADE sql AS \$\$ SELECT 'new' \$\$"], 'new', 'new' ],
	'the language is replaced' => [ ["$MADE plpgsql AS \$\$ BEGIN RETURN 'new'; END \$\$"], 'ERROR 40001', 'new' ],
	'it runs as its owner from now on' => [ ['ALTER FUNCTION deep.f() SECURITY DEFINER'], 'ERROR 40001', 'old' ],
	'it gets a setting' => [ ['ALTER FUNCTION deep.f() SET work_mem = 4096'], 'ERROR 40001', 'old' ],
	'it is dropped' => [ ['DROP FUNCTION deep.f()'], 'ERROR 42883', 'ERROR 42883' ]);

sub calls_after
{
	my ($name, $changes, $waited, $again) = @_;
	my $client = wire($node);
	my $oid = $admin->value(q{SELECT 'deep.f'::regproc::oid});

	work($node, 1);
	$client->call($oid);
	true_within($node, $PATIENCE, "waiting = 1 FROM $GATE") or die "$name: the call is not in the queue";
	$admin->value($_) foreach @$changes;
	stop_work($node);
	is(Wire::told($client->result), $waited, "a fast-path call waits, $name");
	like(Wire::told($client->call($oid)->result), ref $again ? $again : qr/^\Q$again\E\z/, "$name: it is called again");
	$client->close;
	return;
}

$admin->value($_) foreach 'CREATE SCHEMA deep', 'SET client_min_messages = error';
foreach my $name (sort keys %calls)
{
	$admin->value($_) foreach 'GRANT USAGE ON SCHEMA deep TO app', 'DROP FUNCTION IF EXISTS deep.f()', "$MADE sql AS \$\$ SELECT 'old' \$\$";
	calls_after($name, @{ $calls{$name} });
}
$admin->value($_) foreach 'GRANT USAGE ON SCHEMA deep TO app', 'DROP FUNCTION IF EXISTS deep.f()', "$MADE internal AS 'pgsql_version'";
calls_after('another internal function comes', ["$MADE internal AS 'timeofday'"], 'ERROR 40001', qr/^\w+ \w+ \d+/);

nothing_left($node, 'at the end');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing crashed');
done_testing();
