#!/usr/bin/perl
# What must hold in Markdown: perl test/docs.pl links FILE...: each link leads to a file and a
# heading that are there. Prints what is wrong.
use strict;
use warnings FATAL => 'all';

use File::Basename qw(dirname);

# Lines outside of fenced blocks, with their numbers.
sub lines_of
{
	my ($file) = @_;
	my ($fenced, @lines) = (0);

	open my $in, '<:encoding(UTF-8)', $file or die "could not read $file: $!\n";
	while (my $line = <$in>)
	{
		chomp $line;
		$fenced = !$fenced if $line =~ /^```/;
		push @lines, [ $., $line ] unless $fenced || $line =~ /^```/;
	}
	return @lines;
}

# Names of the headings in a file, as forges make them; the second of a name has -1 behind it.
my %anchors;

sub anchors_of
{
	my ($file) = @_;

	return $anchors{$file} //= do
	{
		my (%there, %seen);
		my $before = '';

		foreach (map { $_->[1] } lines_of($file))
		{
			my $heading = /^#+ +(.*)/ ? $1 : /^(?:-+|=+)$/ ? $before : '';

			$before = $_;
			next if $heading eq '';
			my $name = lc($heading) =~ s/[^\w\- ]//gr =~ s/ /-/gr;
			$there{ $name . ($seen{$name} ? "-$seen{$name}" : '') } = 1;
			$seen{$name}++;
		}
		\%there;
	};
}

sub check_links
{
	my ($file) = @_;

	foreach (lines_of($file))
	{
		my ($number, $line) = @$_;

		# a link can begin on one line and end on the next; its target is on one
		foreach my $target ($line =~ /\]\(([^)\s]*)\)/g)
		{
			next if $target =~ m{^https?://};
			my ($path, $anchor) = $target =~ /^([^#]*)(?:#(.*))?$/;
			my $to = $path eq '' ? $file : dirname($file) . "/$path";

			if (!-e $to) { print "$file:$number: there is no $target\n" }
			elsif (defined $anchor && !anchors_of($to)->{$anchor}) { print "$file:$number: no heading is called $target\n" }
		}
	}
	return;
}

my %check = (links => \&check_links);
my $what = shift // '';

die "usage: $0 links FILE...\n" unless $check{$what};
$check{$what}->($_) foreach @ARGV;
