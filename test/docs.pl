#!/usr/bin/perl
# What must hold in Markdown. Prints what is wrong.
#   perl test/docs.pl links FILE...: each link leads to a file and a heading that are there, and
#     README.md to each page
#   perl test/docs.pl prose FILE...: sentences are short, and say plainly what is meant
#   perl test/docs.pl words FILE...: how many sentences there are and how long, with the long ones
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

# Pages that README.md leads to.
my %linked;

sub check_links
{
	my ($file) = @_;

	foreach (lines_of($file))
	{
		my ($number, $line) = @$_;

		# a link can begin on one line and end on the next; its target is on one
		foreach my $target ($line =~ /\]\(([^)\s]*)\)/g)
		{
			$linked{ $target =~ s/#.*//r } = 1 if $file eq 'README.md';
			next if $target =~ m{^https?://};
			my ($path, $anchor) = $target =~ /^([^#]*)(?:#(.*))?$/;
			my $to = $path eq '' ? $file : dirname($file) . "/$path";

			if (!-e $to) { print "$file:$number: there is no $target\n" }
			elsif (defined $anchor && !anchors_of($to)->{$anchor}) { print "$file:$number: no heading is called $target\n" }
		}
	}
	return;
}

# What a page says, without tables, headings, code blocks and the marks of Markdown: its
# sentences. A code span is a word. What does not end as a sentence, like a link in a list, is none.
sub sentences_of
{
	my ($file) = @_;
	my ($text, $last) = ('', 0);

	foreach (lines_of($file))
	{
		my ($number, $line) = @$_;

		$text .= "\n\n" if $number > $last + 1 || $line =~ /^(?: *(?:[-*]|\d+\.) |#|\||$)/;
		$text .= "$line\n" unless $line =~ /^(?:#|\||    )/;
		$last = $number;
	}
	$text =~ s/`[^`]*`/code/g;
	$text =~ s/!?\[([^\]]*)\]\([^)]*\)/$1/g;
	$text =~ s/^ *(?:[-*]|\d+\.) //mg;
	$text =~ s/\*\*//g;
	return grep { /\w.*[.!?:]\)?$/ } map { s/\s+/ /gr =~ s/^ | $//gr } map { split /(?<=[.!?])\)?\s+(?=[\w(])/ } split /\n\n+/, $text;
}

sub length_of { return scalar grep { /\w/ } split / /, $_[0] }

# The mean length of the sentences, how many are too long, and all of them.
my $TOO_LONG = 30;

sub measure
{
	my ($file) = @_;
	my @sentences = sentences_of($file);
	my $words = 0;

	$words += length_of($_) foreach @sentences;
	return ($words / (@sentences || 1), [ grep { length_of($_) > $TOO_LONG } @sentences ], @sentences);
}

# Words that hide the actor, or that another word is kept for.
my %PLAIN = (
	qr/\bwho(?:m|ever)?\b/i => 'name the session, backend, waiter or client',
	qr/\bsuch\b/i => 'say which',
	qr/\b(?:of that(?=[.,;:])|but for)\b/i => 'say it directly',
	qr/\bcap(?:s|ped)?\b/i => 'limit',
	qr/\bin line\b/i => 'queue',
	qr/\bturns\b/i => 'slots',
);

sub check_words
{
	my ($file) = @_;

	foreach (lines_of($file))
	{
		my ($number, $line) = @$_;
		my $said = $line =~ s/`[^`]*`/code/gr =~ s/\]\([^)]*\)/]/gr;

		foreach my $pattern (sort keys %PLAIN)
		{
			print "$file:$number: \"$&\": $PLAIN{$pattern}\n" if $said =~ $pattern;
		}
	}
	return;
}

sub check_prose
{
	my ($file) = @_;
	my ($mean, $long, @sentences) = measure($file);

	printf "%s: %.1f words in a sentence on average, over 15\n", $file, $mean if $mean > 15;
	printf "%s: %d of %d sentences have over %d words, 5 %% or more\n", $file, scalar @$long, scalar @sentences, $TOO_LONG
	  if @$long >= 0.05 * @sentences && @$long;
	check_words($file);
	return;
}

sub print_measure
{
	my ($file) = @_;
	my ($mean, $long, @sentences) = measure($file);

	printf "%s: %d sentences of %.1f words, %d over %d\n", $file, scalar @sentences, $mean, scalar @$long, $TOO_LONG;
	print "  $_\n" foreach @$long;
	return;
}

binmode STDOUT, ':encoding(UTF-8)';
my %check = (links => \&check_links, prose => \&check_prose, words => \&print_measure);
my $what = shift // '';

die "usage: $0 links|prose|words FILE...\n" unless $check{$what};
$check{$what}->($_) foreach @ARGV;
if ($what eq 'links')
{
	print "README.md does not lead to $_\n" foreach grep { m{^doc/} && !$linked{$_} } @ARGV;
}
