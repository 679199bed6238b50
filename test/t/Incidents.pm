# A server on which incidents are planted, and asked for, twice a second with one connection: a psql for
# each look would be logins.
package Incidents;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Utils;
use PoolAdvisor;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(incidents_node value becomes_true start_load end_load column_of exists_incident work_to_compare_with $WORK);

# An ordinary transaction of the table of incidents_node.
our $WORK = "\\set a random(1, 1000)\nUPDATE t SET n = n + 1 WHERE a = :a;\n\\sleep 10 ms\n";

my $node;
my %programs;

# A server with the table t and these roles, which all can use it.
sub incidents_node
{
	my ($name, $conf, @roles) = @_;

	$node = limits_node($name, "max_connections = 120\nlog_connections = off\n$conf");
	$node->safe_psql('postgres', join "\n", (map { "CREATE ROLE $_ LOGIN;" } @roles),
		'CREATE TABLE t (a int PRIMARY KEY, n int NOT NULL DEFAULT 0);', 'INSERT INTO t SELECT generate_series(1, 1000);',
		'GRANT ALL ON t TO PUBLIC;');
	return $node;
}

sub value { my ($sql) = @_; return admin($node)->value($sql); }

# Poll until it is true; meanwhile something may be done again and again.
sub becomes_true
{
	my ($condition, $name, $meanwhile) = @_;
	my $deadline = time + 2 * $PostgreSQL::Test::Utils::timeout_default;

	while (value("SELECT ($condition)") ne 't')
	{
		return fail($name) if time > $deadline;
		$meanwhile->() if $meanwhile;
		sleep 0.5;
	}
	return pass($name);
}

# A load of pgbench that runs until it is ended.
sub start_load
{
	my ($name, $role, $clients, $script, @options) = @_;
	my $script_file = PostgreSQL::Test::Utils::tempdir . "/$name.sql";

	append_to_file($script_file, $script);
	local $ENV{PGAPPNAME} = $name;
	$programs{$name} = start_program('pgbench', '-n', '-c', $clients, '-j', 1, '-T', 100000, '-f', $script_file,
		@options, user_of($node, $role));
	return;
}

sub end_load
{
	my ($name) = @_;

	hang_up(delete $programs{$name});
	return;
}

# Of the newest incident of these kinds.
sub column_of
{
	my ($column, @kinds) = @_;
	my $kinds = join ', ', map { "'$_'" } @kinds;

	return value("SELECT $column FROM pool_advisor.incidents WHERE kind IN ($kinds) LIMIT 1");
}

sub exists_incident { my ($condition) = @_; return "EXISTS (SELECT FROM pool_advisor.incidents WHERE $condition)"; }

sub work_to_compare_with
{
	return becomes_true(q{(SELECT count(*) FROM pool_advisor.history WHERE resolution = '1 s' AND transactions_per_second > 2) > 120},
		'there is work to compare with');
}

1;
