# Reads README.md and the pages in doc/: their examples, other fenced blocks and tables. Knows
# nothing of a server; t/056_documentation.pl holds what it finds against one.
package Readme;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use File::Basename qw(basename);

our @EXPORT = qw(readme_blocks readme_tables examples_of statements_of shown_as table_of records_of unfold);

# Every line of the file, as characters, with the heading that it stands under.
sub lines_with_headings
{
	my ($file) = @_;
	my ($heading, $fenced, @lines) = ('', 0);
	my $page = basename($file);

	open my $handle, '<:encoding(UTF-8)', $file or die "$file: $!";
	while (my $line = <$handle>)
	{
		chomp $line;
		$fenced = !$fenced if $line =~ /^```/;
		$heading = $1 if !$fenced && $line =~ /^#+ +(.*)/;
		push @lines, { page => $page, number => $., heading => $heading, text => $line };
	}
	close $handle or die "$file: $!";
	die "$file ends inside of a block" if $fenced;
	return @lines;
}

# Fenced blocks: { language, page, heading, line, lines }.
sub readme_blocks
{
	my ($file) = @_;
	my ($block, @blocks);

	foreach my $line (lines_with_headings($file))
	{
		if ($line->{text} !~ /^```(.*)/)
		{
			push @{ $block->{lines} }, $line->{text} if $block;
			next;
		}
		push @blocks, $block if $block;
		$block = $block ? undef
		  : { language => $1, page => $line->{page}, heading => $line->{heading}, line => $line->{number} + 1, lines => [] };
	}
	return @blocks;
}

# Tables outside of blocks: { page, heading, line, header, rows }, cells without blanks around.
sub readme_tables
{
	my ($file) = @_;
	my ($table, $fenced, @tables) = (undef, 0);

	foreach my $line (lines_with_headings($file))
	{
		$fenced = !$fenced if $line->{text} =~ /^```/;
		if ($fenced || $line->{text} !~ /^\|(.*)\|$/)
		{
			$table = undef;
			next;
		}
		my @cells = map { s/^ +| +$//gr } split /\|/, $1, -1;
		if (!$table)
		{
			push @tables, $table =
			  { page => $line->{page}, heading => $line->{heading}, line => $line->{number}, header => \@cells, rows => [] };
		}
		elsif ($line->{text} !~ /^[|-]+$/)
		{
			push @{ $table->{rows} }, \@cells;
		}
	}
	return @tables;
}

# The examples of a block: { sql, remark, output, page, heading, line }. A statement starts
# with "=> " and ends with a semicolon; its output is what follows.
sub examples_of
{
	my ($block) = @_;
	my ($example, $open, @examples);
	my $number = $block->{line};

	foreach (@{ $block->{lines} })
	{
		my $line = $_;

		if ($line =~ /^=> (.*)/)
		{
			push @examples, $example =
			  { page => $block->{page}, heading => $block->{heading}, line => $number, sql => '', remark => '', output => [] };
			($line, $open) = ($1, 1);
		}
		die "$block->{page}:$number stands before the first example" unless $example;
		if ($open)
		{
			$open = !($line =~ s/;(?:  -- (.*))?$/;/);
			$example->{remark} = $1 // '' unless $open;
			$example->{sql} .= "$line\n";
		}
		else
		{
			push @{ $example->{output} }, $line =~ s/\s+$//r;
		}
		$number++;
	}
	trim_end($_->{output}) foreach @examples;
	return @examples;
}

sub trim_end
{
	my ($lines) = @_;

	pop @$lines while @$lines && $lines->[-1] eq '';
	return;
}

# The statements of SQL text, without comments; no literal in README has a semicolon or two dashes.
sub statements_of
{
	my (@lines) = @_;
	my $text = join "\n", map { s/--.*//r } @lines;

	return grep { /\S/ } map { s/^\s+|\s+$//gr } split /;\s*(?:\n|$)/, $text;
}

# How psql was told to show it.
sub shown_as
{
	my (@lines) = @_;

	return 'nothing' unless @lines;
	return 'errors' if $lines[0] =~ /^ERROR:/;
	return 'records' if $lines[0] =~ /^-\[ RECORD 1 \]/;
	return 'table' if @lines > 1 && $lines[1] =~ /^-[-+]*$/;
	return 'text';
}

# An aligned table: its names, and its rows. A row without its first cell goes on with the
# one before it.
sub table_of
{
	my ($names, $rule, @lines) = @_;
	my (@rows, @places);

	return unless defined $rule;
	push @places, $-[0] + 1 while $rule =~ /(?:^|\+)/g;
	$places[0] = 0;
	foreach my $line ($names, @lines)
	{
		last if $line =~ /^\(\d+ rows?\)$/;
		my @cells = map {
			my $end = $_ < $#places ? $places[ $_ + 1 ] - 1 : length $line;
			$places[$_] < length $line ? substr($line, $places[$_], $end - $places[$_]) =~ s/^ +| +$//gr : '';
		} 0 .. $#places;
		if (@rows && $cells[0] eq '')
		{
			$rows[-1][$_] = unfold($rows[-1][$_], $cells[$_]) foreach 0 .. $#cells;
			next;
		}
		push @rows, \@cells;
	}
	return @rows;
}

# The same of expanded output: names first, then the values of each record.
sub records_of
{
	my (@lines) = @_;
	my (@names, @rows);

	foreach my $line (@lines)
	{
		if ($line =~ /^-\[ RECORD \d+ \]/)
		{
			push @rows, [];
			next;
		}
		my ($name, $value) = $line =~ /^(\S*) *\|(?: (.*))?$/ or die "no line of a record: $line";
		$value = ($value // '') =~ s/\s+$//r;
		if ($name eq '')
		{
			$rows[-1][-1] = unfold($rows[-1][-1], $value);
			next;
		}
		push @names, $name if @rows == 1;
		push @{ $rows[-1] }, $value;
	}
	return (\@names, @rows);
}

# Parts of one text that was folded at blanks.
sub unfold
{
	return join ' ', grep { $_ ne '' } @_;
}

1;
