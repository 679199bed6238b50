# Whatever stands in the catalogs for a role, its limits are what core makes of the same text:
# what was stored while the library was not loaded has been looked at by nobody.  Core's judgement
# is asked for with set_config(), in a session.  Roles without max_sessions and max_active are left out
# of the comparison: the rest does nothing without these.  Core shows six digits of a time.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;

my $ROLES = 300;
my @SETTINGS = qw(max_sessions min_sessions session_idle_timeout queue_length queue_timeout max_active
	transaction_queue_length transaction_queue_timeout active_weight min_active);

my $seed = $ENV{SEED} // int(rand(2**31));

srand $seed;
note "SEED=$seed repeats this run";

my $node = limits_node('stored');

sub one_of { return $_[ rand @_ ] }

# Numbers and all that is nearly one.
sub number
{
	my $digits = join '', map { int rand 10 } 1 .. one_of(1, 2, 5, 6, 9, 10, 11, 20, 400);

	return one_of('', '', '-', '+', '--', ' ')
	  . one_of($digits, $digits, int(rand 100), 0, 1, 262143, 262144, 2147483647, 2147483648, '0x1f', '017', '1e3', '1e400',
		'.5', '2.5', '7.', 'NaN', 'Infinity')
	  . one_of('', '', '', ' ', 's', ' min', 'ms', 'd', ' h', 'us', 'kB', 'MS', 'ss');
}

sub text
{
	return number() if rand() < 0.8;
	return join '', map { chr(1 + rand 126) } 1 .. one_of(0, 1, 3, 50, 3000) if rand() < 0.5;
	return one_of('', 'off', 'on', 'auto', 'AUTO', 'default', 'äöü', '1=2', '{1,2}', '"', q('), "1\n", "\t5", '5 5', '%s%n');
}

sub quoted
{
	my ($text) = @_;

	$text =~ s/(['\\])/$1$1/g;
	return " E'$text'";
}

# One of "name=value"; names are taken in any case.
sub setting
{
	my $name = "pool_advisor.$_[0]";

	return quoted((rand() < 0.1 ? uc $name : $name) . '=' . text());
}

sub row
{
	my ($number) = @_;
	my @own = map { setting($_) } grep { rand() < 0.5 } @SETTINGS;
	my @others = map { quoted($_) } grep { rand() < 0.1 } ('work_mem=1MB', 'pool_advisor', '=', 'pool_advisor.=1', 'pool_advisor.max=3');

	return "('padv_$number', ARRAY[" . join(',', sort { rand() <=> 0.5 } @own, @others) . "]::text[])";
}

# What a session makes of it, NULL where it refuses.
my $CORE_SAYS = <<'SQL';
CREATE FUNCTION core_says(setting text, of text[]) RETURNS double precision LANGUAGE plpgsql SET client_min_messages = error AS $$
DECLARE
	value text;
BEGIN
	SELECT substr(entry, strpos(entry, '=') + 1) INTO value FROM unnest(of) AS entry
	WHERE lower(split_part(entry, '=', 1)) = 'pool_advisor.' || setting;
	IF value IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('pool_advisor.' || setting, value, true);
	RETURN (SELECT CASE WHEN s.unit IS NULL OR s.setting::double precision = 0 THEN s.setting::double precision
			ELSE greatest(round(1000 * s.setting::double precision), 1) END
		FROM pg_settings s WHERE name = 'pool_advisor.' || core_says.setting);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN NULL;
END $$;
SQL

my $CAPS = <<'SQL';
CREATE VIEW expected AS
	SELECT rolname, coalesce(max_sessions, -1) AS max_sessions, coalesce(min_sessions, -1) AS min_sessions,
		coalesce(session_idle_timeout, 0) AS session_idle_timeout, coalesce(queue_length, 0) AS queue_length,
		coalesce(queue_timeout, 10000) AS queue_timeout, coalesce(max_active, -1) AS max_active,
		coalesce(transaction_queue_length, -1) AS transaction_queue_length,
		coalesce(transaction_queue_timeout, 0) AS transaction_queue_timeout,
		coalesce(active_weight, 1) AS active_weight, coalesce(min_active, 0) AS min_active
	FROM (SELECT setrole::regrole::text AS rolname, core_says('max_sessions', setconfig) AS max_sessions,
			core_says('min_sessions', setconfig) AS min_sessions,
			core_says('session_idle_timeout', setconfig) AS session_idle_timeout,
			core_says('queue_length', setconfig) AS queue_length,
			core_says('queue_timeout', setconfig) AS queue_timeout,
			core_says('max_active', setconfig) AS max_active,
			core_says('transaction_queue_length', setconfig) AS transaction_queue_length,
			core_says('transaction_queue_timeout', setconfig) AS transaction_queue_timeout,
			core_says('active_weight', setconfig) AS active_weight, core_says('min_active', setconfig) AS min_active
		FROM pg_db_role_setting) AS said
	WHERE max_sessions >= 0 OR max_active > 0 OR active_weight > 1 OR min_active > 0;
CREATE VIEW in_force AS
	SELECT rolname::text, max_sessions, min_sessions, (1000 * extract(epoch FROM session_idle_timeout))::bigint AS session_idle_timeout,
		queue_length, (1000 * extract(epoch FROM queue_timeout))::bigint AS queue_timeout, max_active,
		transaction_queue_length, (1000 * extract(epoch FROM transaction_queue_timeout))::bigint AS transaction_queue_timeout,
		active_weight, min_active
	FROM pool_advisor.limits WHERE scope = 'role' AND (max_sessions >= 0 OR max_active > 0 OR active_weight > 1 OR min_active > 0);
SQL

$node->safe_psql('postgres',
	$CORE_SAYS . $CAPS . join '', map { "CREATE ROLE padv_$_;" } 1 .. $ROLES);
$node->safe_psql('postgres',
	'INSERT INTO pg_db_role_setting SELECT 0, rolname::regrole, texts FROM (VALUES '
	  . join(',', map { row($_) } 1 .. $ROLES) . ') AS given (rolname, texts)');
set_limits($node, 'ALTER ROLE app SET pool_advisor.max_sessions = 7');

is($node->safe_psql('postgres', q{
	SELECT e, f FROM expected e FULL JOIN in_force f USING (rolname)
	WHERE (e.max_sessions, e.min_sessions, e.queue_length, e.max_active, e.transaction_queue_length, e.active_weight, e.min_active) IS DISTINCT FROM
		(f.max_sessions, f.min_sessions, f.queue_length, f.max_active, f.transaction_queue_length, f.active_weight, f.min_active)
		OR abs(e.session_idle_timeout - f.session_idle_timeout) > 0.00001 * f.session_idle_timeout
		OR abs(e.transaction_queue_timeout - f.transaction_queue_timeout) > 0.00001 * f.transaction_queue_timeout
		OR abs(e.queue_timeout - f.queue_timeout) > 0.00001 * f.queue_timeout}),
	'', 'limits are what core makes of the texts');
my ($kept, $refused) = split /\|/, $node->safe_psql('postgres', <<'SQL');
SELECT count(*) FILTER (WHERE said IS NOT NULL), count(*) FILTER (WHERE said IS NULL)
FROM pg_db_role_setting, unnest(setconfig) AS entry, split_part(lower(entry), '.', 2) AS name,
	core_says(split_part(name, '=', 1), ARRAY[entry]) AS said
WHERE entry ~* '^pool_advisor\.(max_sessions|core_|session_|queue_|transaction_|max_active|active_weight|min_active)'
SQL
cmp_ok($kept, '>', $ROLES / 5, "many of them are numbers: $kept");
cmp_ok($refused, '>', $ROLES / 5, "many of them are not: $refused");

# Without the library names are stored as they are written. What sets and clears limits finds these, too.
{
	my $stored = q{SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'mixed'::regrole};
	my $store = sub {
		my (@settings) = @_;

		$node->safe_psql('postgres', q{DELETE FROM pg_db_role_setting WHERE setrole = 'mixed'::regrole});
		set_limits($node, q{INSERT INTO pg_db_role_setting VALUES (0, 'mixed'::regrole, ARRAY['} . join(q{','}, @settings) . q{'])},
			q{max_sessions = 1 FROM pool_advisor.limits WHERE rolname = 'mixed'});
	};

	$node->safe_psql('postgres', 'CREATE ROLE mixed');
	$store->('work_mem=1MB', 'Pool_Advisor.Max_Sessions=1', 'POOL_ADVISOR.queue_length=5', 'pool_advisor.min_sessions=0', 'Other.Setting=1');
	is($node->safe_psql('postgres', q{SELECT max_sessions FROM pool_advisor.set_limit('mixed', max_sessions => 3)}), 3, 'set_limit() replaces a name in other letters');
	is($node->safe_psql('postgres', $stored), '{work_mem=1MB,POOL_ADVISOR.queue_length=5,pool_advisor.min_sessions=0,Other.Setting=1,pool_advisor.max_sessions=3}',
		'and nothing else');
	$node->safe_psql('postgres', q{SELECT pool_advisor.clear_limit('mixed')});
	is($node->safe_psql('postgres', $stored), '{work_mem=1MB,Other.Setting=1}', 'clear_limit() removes it, and no other setting');
	wait_for($node, q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'mixed')}, 'the limit is gone');
	$store->('Pool_Advisor.Max_Sessions=1');
	$node->safe_psql('postgres', q{SELECT pool_advisor.clear_limit('mixed')});
	is($node->safe_psql('postgres', $stored), '', 'also where nothing is left');
	wait_for($node, q{NOT EXISTS (SELECT FROM pool_advisor.limits WHERE rolname = 'mixed')});
	$node->safe_psql('postgres', q{SELECT pool_advisor.clear_limit('mixed')});
}

# The server's limit is one word or a number; core says what is a number, and what means off.
subtest 'server_max_active' => sub {
	my $is = 'SELECT core_says($$max_sessions$$, ARRAY[$t$pool_advisor.max_sessions=%s$t$]) > 0';

	for my $text (map { s/[\n\r\$%]//gr } 'off', 'auto', 'AUTO', 'on', 'no', 'false', map { text() } 1 .. 60)
	{
		my $number = $node->safe_psql('postgres', sprintf($is, $text)) eq 't';
		my $word = $text =~ /^(auto|of|off|no?|f|fa|fal|fals|false|0)$/i;
		my ($ret) = $node->psql('postgres', 'ALTER SYSTEM SET pool_advisor.server_max_active =' . quoted($text));

		is($ret == 0, $number || $word, 'server_max_active = ' . substr($text, 0, 40) =~ s/[^ -~]/?/gr);
	}
};

is($node->safe_psql('postgres', 'SELECT worker_running FROM pool_advisor.status'), 't', 'nothing has ended');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP/, 'and nothing crashed');
$node->stop;
done_testing();
