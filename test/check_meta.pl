#!/usr/bin/perl
# META.json against PGXN's specification, version 1.0, and against what is here:
# the files it names, the version of the control file. Prints what is wrong.
use strict;
use warnings FATAL => 'all';

use JSON::PP;

my $file = shift // 'META.json';
my $wrong = 0;

my $number = qr/(?:0|[1-9][0-9]*)/;
my $version = qr/$number\.$number\.$number(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?/;
my $range = qr/0|(?:(?:[=!]=|[<>]=?)\s*)?$version(?:,\s*(?:[=!]=|[<>]=?)?\s*$version)*/;
my $term = qr{[^/\\\s[:cntrl:]]{2,}};

sub slurp
{
	open my $in, '<:raw', $_[0] or die "could not read $_[0]: $!\n";
	local $/;
	return scalar <$in>;
}

# the prototype makes a match that fails false, and not nothing
sub must($$)
{
	my ($true, $what) = @_;

	return if $true;
	print "$file: $what\n";
	$wrong = 1;
	return;
}

sub is_text { return defined $_[0] && !ref $_[0] && $_[0] =~ /\S/; }

sub only_keys
{
	my ($object, $where, @known) = @_;
	my %known = map { $_ => 1 } @known;

	must($known{$_} || /^[xX]_./, "unknown key \"$_\" in $where") for sort keys %$object;
	return;
}

my $meta = decode_json(slurp($file));
my ($default) = slurp('pool_advisor.control') =~ /^default_version = '([0-9.]+)'/m;

only_keys($meta, 'the whole', qw(name version abstract description maintainer license provides
	  meta-spec tags no_index prereqs release_status resources generated_by));
must(is_text($meta->{$_}), "no $_") for qw(name version abstract maintainer license generated_by);
must($meta->{name} =~ /^$term$/, 'name is not a term');
must($meta->{version} =~ /^$version$/, 'version is not a semantic one');
must($meta->{version} eq "$default.0", 'version is not default_version of the control file and ".0"');
must($meta->{license} eq 'postgresql', 'license is not that of LICENSE');
must(grep({ ($meta->{release_status} // 'stable') eq $_ } qw(stable testing unstable)), 'unknown release_status');

must(($meta->{'meta-spec'}{version} // '') =~ /^1\.0\.[0-9]+$/, 'meta-spec has another version');
must($meta->{'meta-spec'}{url} eq 'https://pgxn.org/meta/spec.txt', 'meta-spec has another url');
only_keys($meta->{'meta-spec'}, 'meta-spec', qw(version url));

must(ref $meta->{provides} eq 'HASH' && exists $meta->{provides}{$meta->{name}}, 'provides not what it is called');
for my $name (sort keys %{ $meta->{provides} })
{
	my $extension = $meta->{provides}{$name};

	only_keys($extension, "provides.$name", qw(file version abstract docfile));
	must(-e "$name.control", "$name has no control file");
	must(($extension->{version} // '') =~ /^$version$/, "$name has no semantic version");
	must($extension->{version} eq $meta->{version}, "$name has another version");
	must(is_text($extension->{$_}) && $extension->{$_} !~ m{^/|(?:^|/)\.\.(?:/|$)} && -e $extension->{$_},
		"$name has no $_ that is there") for qw(file docfile);
}

for my $phase (sort keys %{ $meta->{prereqs} // {} })
{
	must(grep({ $phase eq $_ } qw(configure build test runtime develop)), "unknown phase \"$phase\"");
	for my $relation (sort keys %{ $meta->{prereqs}{$phase} })
	{
		my $needed = $meta->{prereqs}{$phase}{$relation};

		must(grep({ $relation eq $_ } qw(requires recommends suggests conflicts)), "unknown relation \"$relation\"");
		must($needed->{$_} =~ /^(?:$range)$/, "the version of $_ is no range") for sort keys %$needed;
	}
}

must(ref $meta->{tags} eq 'ARRAY' && @{ $meta->{tags} } > 0, 'no tags');
must(m{^[^/\\[:cntrl:]]{2,255}$}, "tag \"$_\" has something that a tag cannot have") for @{ $meta->{tags} // [] };
exit $wrong;
