#!/usr/bin/perl
# The layout of the source, held against PostgreSQL's pgindent, which Debian's
# postgresql-server-dev has from 17 on. Prints a diff, nothing when all is well.
# Not of the tests: pgindent breaks box drawings.
#
#     pgindent.pl            print the diff
#     pgindent.pl --apply    change the files
#     pgindent.pl --there    whether it can be done here; if not, why
#
# Two things that pg_bsd_indent does not understand are hidden from it: compound
# literals, which it takes for blocks, and the blank in front of the name in an
# initializer like {.a = 1, .b = 2}. Before 19 it takes away that of ", ..." too.
use strict;
use warnings FATAL => 'all';

use Cwd;
use File::Basename;
use File::Find;
use File::Path 'make_path';
use File::Temp 'tempdir';

chdir dirname(__FILE__) . '/..' or die "cannot find the source: $!\n";
my $wish = shift // '';

# The place of pgindent, its typedefs; PGINDENT names another pg_bsd_indent.
sub find_tools
{
	my $config = $ENV{PG_CONFIG} || 'pg_config';
	my @pairs = map { [ dirname($_), $_ =~ s{/lib/postgresql/([^/]+)/.*}{/share/postgresql/$1}r ] }
	  reverse sort glob '/usr/lib/postgresql/*/bin/pgindent';

	if (`$config --version 2>/dev/null`)
	{
		chomp(my $bin = `$config --bindir`);
		chomp(my $share = `$config --sharedir`);
		unshift @pairs, [ $bin, $share ];
	}
	for my $pair (@pairs)
	{
		my ($bin, $share) = @$pair;
		my $indent = $ENV{PGINDENT} || "$bin/pg_bsd_indent";

		next unless -e "$bin/pgindent" && -x $indent && -e "$share/typedefs.list";
		return { perl => "$bin/pgindent", indent => $indent, types => "$share/typedefs.list" };
	}
	return;
}

sub slurp
{
	open my $in, '<:raw', $_[0] or die "could not read $_[0]: $!\n";
	local $/;
	return scalar <$in>;
}

sub spill
{
	open my $out, '>:raw', $_[0] or die "could not write $_[0]: $!\n";
	print $out $_[1];
	close $out or die "could not write $_[0]: $!\n";
	return;
}

# The server has a type "text", we have variables of that name.
sub write_types
{
	my ($from, $to, @texts) = @_;
	my %types = map { $_ => 1 } split /\n/, slurp($from);

	delete $types{text};
	$types{"${_}_t"} = 1 for 'size', map { ("int$_", "uint$_") } 8, 16, 32, 64;
	for my $text (@texts)
	{
		$types{$1} = 1 while $text =~ /^\} *(\w+);/mg;
		$types{$1} = 1 while $text =~ /^typedef [^;{}()]*?(\w+);/mg;
	}
	spill($to, join '', map { "$_\n" } sort keys %types);
	return;
}

my @literals;

sub keep_literal
{
	push @literals, $_[0];
	return "padv_literal_$#literals";
}

sub hide
{
	my ($text) = @_;

	$text =~ s/(\((?:const )?[A-Za-z]\w*(?:\[\])?\) (\{(?:[^{}]|(?2))*\}))/keep_literal($1)/eg;
	return $text;
}

sub show
{
	my ($text) = @_;

	$text =~ s/,(?=\.[a-z_]|\.\.\.\))/, /g;
	1 while $text =~ s/\bpadv_literal_(\d+)/$literals[$1]/g;
	return $text;
}

my $tools = find_tools();
if (!$tools)
{
	print "there is no pgindent; postgresql-server-dev-17 or later has it\n";
	exit 1;
}
exit 0 if $wish eq '--there';

my (@files, %texts);
find(sub { push @files, $File::Find::name if /\.[ch]$/ }, 'src');
$texts{$_} = slurp($_) for @files;

my $folder = tempdir('pool_advisor.layout.XXXXXX', TMPDIR => 1, CLEANUP => 1);
write_types($tools->{types}, "$folder/types", values %texts);
for my $file (@files)
{
	make_path(dirname("$folder/$file"));
	spill("$folder/$file", hide($texts{$file}));
}

# it leaves backups where it is
my $top = getcwd();
chdir $folder or die "cannot go to $folder: $!\n";
system($^X, $tools->{perl}, "--indent=$tools->{indent}", '--typedefs=types', @files) == 0
  or die "pgindent failed\n";
chdir $top or die "cannot go to $top: $!\n";

my $different = 0;
for my $file (sort @files)
{
	my $wanted = show(slurp("$folder/$file"));

	next if $wanted eq $texts{$file};
	$different = 1;
	if ($wish eq '--apply')
	{
		spill($file, $wanted);
		next;
	}
	spill("$folder/$file", $wanted);
	system 'diff', '-u', '--label', $file, '--label', 'pgindent', $file, "$folder/$file";
}
exit($different && $wish ne '--apply' ? 1 : 0);
