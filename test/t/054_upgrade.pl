# Every version that was released goes on with this library, and an upgrade from it
# gives what a new installation gives, and keeps what the user has put in.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pool_advisor'");
$node->start;

my $newest = $node->safe_psql('postgres',
	q{SELECT default_version FROM pg_available_extensions WHERE name = 'pool_advisor'});
my @versions = split /\n/, $node->safe_psql('postgres',
	q{SELECT version FROM pg_available_extension_versions WHERE name = 'pool_advisor' ORDER BY 1});

cmp_ok(scalar(grep { $_ eq $newest } @versions), '==', 1, 'default_version is there');

# All that an extension is made of: what its objects are, to whom they are open,
# what is said of them, and which rows a dump takes.
my $OBJECTS = <<'SQL';
WITH member AS (
    SELECT d.classid, d.objid FROM pg_depend d
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
      AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pool_advisor'))
SELECT pg_describe_object(classid, objid, 0) || ' | ' || concat_ws(' | ',
       (SELECT pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '')
        FROM pg_proc p WHERE classid = 'pg_proc'::regclass AND p.oid = objid),
       (SELECT concat_ws(' | ', c.relkind, c.relacl::text,
               CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END,
               (SELECT string_agg(concat_ws(' ', a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                       a.attnotnull, pg_get_expr(f.adbin, f.adrelid), col_description(c.oid, a.attnum)), ', ' ORDER BY a.attnum)
                FROM pg_attribute a LEFT JOIN pg_attrdef f ON (f.adrelid, f.adnum) = (a.attrelid, a.attnum)
                WHERE a.attrelid = c.oid AND a.attnum > 0),
               (SELECT string_agg(pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname)
                FROM pg_constraint k WHERE k.conrelid = c.oid))
        FROM pg_class c WHERE classid = 'pg_class'::regclass AND c.oid = objid),
       obj_description(objid, classid::regclass::name)) AS object
FROM member
UNION ALL
SELECT 'dumped: ' || c.oid::regclass || coalesce(' ' || e.extcondition[o], '')
FROM pg_extension e, unnest(e.extconfig) WITH ORDINALITY u(oid, o) JOIN pg_class c USING (oid)
WHERE e.extname = 'pool_advisor'
ORDER BY 1
SQL

sub fresh_database
{
	my ($name, $version) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, "CREATE EXTENSION pool_advisor VERSION '$version'");
	return;
}

# Each view, and each function that can be called without an argument.
sub reads_all
{
	my ($database, $name) = @_;
	my @sources = split /\n/, $node->safe_psql($database, <<'SQL');
SELECT oid::regclass::text FROM pg_class
WHERE relnamespace = 'pool_advisor'::regnamespace AND relkind IN ('v', 'r')
UNION ALL
SELECT format('pool_advisor.%I()', proname) FROM pg_proc
WHERE pronamespace = 'pool_advisor'::regnamespace AND pronargs = pronargdefaults AND proname !~ '^_|^reset$|set_limit|clear_limit'
SQL
	my @broken = grep {
		my ($code) = $node->psql($database, "SELECT * FROM $_", on_error_stop => 1);
		$code != 0
	} @sources;

	cmp_ok(scalar(@sources), '>', 10, "$name: there is much to read");
	is("@broken", '', "$name: all of it can be read");
	return;
}

fresh_database('fresh', $newest);
my $fresh = $node->safe_psql('fresh', $OBJECTS);
reads_all('fresh', "$newest, new");

# The comparison sees what an upgrade script would forget.
my %forgotten = (
	'a comment' => 'COMMENT ON VIEW pool_advisor.status IS NULL',
	'the comment of a column' => 'COMMENT ON COLUMN pool_advisor.status.active IS NULL',
	'a right' => 'REVOKE SELECT ON pool_advisor.status FROM pg_monitor',
	'a right to execute' => 'GRANT EXECUTE ON FUNCTION pool_advisor.reset(text) TO pg_monitor',
	'a column' => 'ALTER TABLE pool_advisor.declared_pools ADD COLUMN more int',
	'an object' => 'ALTER EXTENSION pool_advisor DROP VIEW pool_advisor.status',
	'the body of a view' =>
	  q{DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW pool_advisor.hardware AS SELECT * FROM (' || rtrim(pg_get_viewdef('pool_advisor.hardware'), ';') || ') h WHERE true'; END $$},
);
foreach my $what (sort keys %forgotten)
{
	my $seen = $node->safe_psql('fresh', "BEGIN; $forgotten{$what}; $OBJECTS; ROLLBACK");

	isnt($seen, $fresh, "$what that is missing is seen");
}

foreach my $version (grep { $_ ne $newest } @versions)
{
	my $database = 'from_' . ($version =~ s/\W/_/gr);

	# between the new library and ALTER EXTENSION UPDATE
	fresh_database($database, $version);
	reads_all($database, "$version with the library of $newest");
	$node->safe_psql($database, q{SELECT pool_advisor.declare_pool('web', 'hikaricp', 4, 10)});

	$node->safe_psql($database, "ALTER EXTENSION pool_advisor UPDATE TO '$newest'");
	is($node->safe_psql($database, $OBJECTS), $fresh, "$version to $newest: as a new installation");
	reads_all($database, "$version to $newest");
	is($node->safe_psql($database, q{SELECT name, max_pool_size FROM pool_advisor.declared_pools}),
		'web|10', "$version to $newest: what was declared is there");
}

$node->stop;
done_testing();
