# Judges of what psql prints, beside what README.md has: each says what is wrong, or
# nothing (''). Takes lines without trailing blanks, and knows nothing of a server.
package ReadmeJudge;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use FindBin;
use PostgreSQL::Test::Utils;
use Readme;

our @EXPORT = qw(exact same_form same_words close_to rows sentences chart some_lines nothing masked);

my $top = "$FindBin::RealBin/../..";

# Numbers are all alike.
sub masked
{
	my ($text) = @_;

	return $text =~ s/(?<![A-Za-z_\d])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?/#/gr =~ s/\s+/ /gr;
}

# What a cell looks like: numbers do not matter, and of a single word only that it is one.
sub form
{
	my ($cell) = @_;

	return '' if $cell eq '';
	return 'boolean' if $cell =~ /^[tf]$/;
	return 'path' if $cell =~ m{^/\S+$};
	return masked($cell) if $cell =~ /\d/ || $cell =~ / .* /;
	return 'word';
}

# Literals of the source as patterns: everything that can be said.
my @patterns;

sub read_source
{
	my %seen;

	foreach my $file (glob "$top/src/*.[ch] $top/src/*/*.[ch] $top/src/*/*/*.[ch]")
	{
		my $code = slurp_file($file) =~ s{/\*.*?\*/}{}gsr =~ s/'"'//gr;

		$code =~ s/"\s+(?:PRI\w+\s+)?"//g;
		$seen{$_} = 1 foreach $code =~ /"((?:[^"\\\n]|\\.)*)"/g;
	}
	foreach my $literal (keys %seen)
	{
		my $words = $literal =~ s/\\"/"/gr =~ s/^[\s.,;]+|\s*%s\.?$|[\s.,;]+$//gr =~ s/%%/\0/gr;

		next unless $words =~ m{[a-z]{2}} && $words =~ m{^/| };
		$words = join '', map { !/^%./ ? quotemeta : /s$/ ? '\S.{0,60}?' : '[-+]?[\d.]+(?:e[-+]?\d+)?' }
		  split /(%[-+ #0]*[\d.*]*[hlz]*[a-z])/, $words;
		push @patterns, $words =~ s/\0/%/gr;
	}
	return;
}

# Whether a text is nothing but what the source can say, one after the other.
sub can_be_said
{
	my ($text) = @_;

	read_source() unless @patterns;
	return 1 if $text =~ /^[\s.;,]*$/;
	foreach my $pattern (@patterns)
	{
		return 1 if $text =~ /^[\s.;,]*$pattern(?![A-Za-z\d])/ && can_be_said(substr $text, $+[0]);
	}
	return 0;
}

# The same words, or such as another state would call for.
sub said
{
	my ($expected, $got) = @_;

	return 1 if masked($expected) eq masked($got);
	return $expected =~ / .* .* / && can_be_said($expected);
}

# To the letter; README may have folded lines, and goes on two columns to the right.
sub exact
{
	my ($expected, $got) = @_;
	my @whole;

	foreach (@$expected)
	{
		if (@whole && /^  (\S.*)/) { $whole[-1] .= " $1" }
		else { push @whole, $_ }
	}
	return '' if join("\n", @$expected) eq join("\n", @$got) || join("\n", @whole) eq join("\n", @$got);
	return 'the server prints something else';
}

# The same but for numbers.
sub same_form
{
	my ($expected, $got) = @_;

	return masked("@$expected") eq masked("@$got") ? '' : "it prints @$got";
}

# The same but for numbers, and where the lines of a cell end.
sub same_words
{
	my ($expected, $got) = @_;

	return same_form(map { [ grep { /[^ |+]/ } map { s/^ *\|//r =~ s/ *\+$//r } @$_ ] } $expected, $got);
}

sub read_cells
{
	my ($lines) = @_;

	return shown_as(@$lines) eq 'records' ? records_of(@$lines) : table_of(@$lines);
}

# Figures that are computed from others: to nine digits, as libraries of mathematics differ.
sub close_to
{
	my ($expected, $got) = @_;
	my @expected = map { @$_ } read_cells($expected);
	my @got = map { @$_ } read_cells($got);

	return 'there are more or fewer rows or columns' unless @expected == @got;
	foreach (0 .. $#expected)
	{
		my ($a, $b) = map { /^[-\d.]+(?:e[-+]?\d+)?$/ ? sprintf('%.8e', $_) : $_ } $expected[$_], $got[$_];

		return "$expected[$_] is $got[$_]" unless $a eq $b;
	}
	return '';
}

sub identity
{
	my ($row, $same) = @_;

	return join ' | ', map { $row->[$_] } @$same;
}

# Rows of a table or of expanded output; t/056_documentation.pl says what the rules mean.
sub rows
{
	my ($expected, $got, %rule) = @_;
	my ($names, @expected) = read_cells($expected);
	my ($got_names, @got) = read_cells($got);
	my %place = map { $names->[$_] => $_ } 0 .. $#$names;
	my @same = map { $place{$_} // return "README has no column $_" } split / /, $rule{same} // '';

	return "the columns are @$got_names" unless "@$names" eq "@$got_names";
	return 'there is no row' unless @got;
	@expected = @expected[ 0 .. $rule{rows} - 1 ] if $rule{rows};
	foreach my $column (keys %{ $rule{unless} // {} })
	{
		@expected = grep { $_->[ $place{$column} ] !~ $rule{unless}{$column} } @expected;
	}
	return rows_by_form($names, \@expected, \@got) unless @same;
	@$_ = sort { identity($a, \@same) cmp identity($b, \@same) } @$_ foreach $rule{sorted} ? (\@expected, \@got) : ();
	foreach my $row (@expected)
	{
		my $wanted = identity($row, \@same);

		shift @got while ($rule{more} && @got && identity($got[0], \@same) ne $wanted);
		return "no row, or not in this order: $wanted" unless @got && identity($got[0], \@same) eq $wanted;
		my $wrong = cells_by_form($names, $row, shift @got, $rule{any} // '');
		return "$wanted: $wrong" if $wrong;
	}
	return $rule{more} || $rule{rows} || !@got ? '' : 'README has no row: ' . identity($got[0], \@same);
}

sub cells_by_form
{
	my ($names, $expected, $got, $any) = @_;

	foreach (0 .. $#$names)
	{
		next if $names->[$_] eq $any && $got->[$_] ne '';
		next if form($expected->[$_]) eq form($got->[$_]) || said($expected->[$_], $got->[$_]);
		return "$names->[$_] is: $got->[$_]";
	}
	return '';
}

# Rows that nothing identifies: each cell looks like one of README in that column.
sub rows_by_form
{
	my ($names, $expected, $got) = @_;

	foreach my $column (0 .. $#$names)
	{
		my %forms = map { form($_->[$column]) => 1 } @$expected;
		my ($strange) = grep { !$forms{ form($_->[$column]) } } @$got;

		return "$names->[$column] is: $strange->[$column]" if $strange;
	}
	return '';
}

# Sentences of explain(), in README's order, each with the same words before its colon.
sub sentences
{
	my ($expected, $got, %rule) = @_;
	my @expected = map { s/\n  / /gr } split /\n(?!  )/, join "\n", @$expected;

	$got = [ grep { $_ !~ $rule{but_for} } @$got ];
	foreach (0 .. ($#expected > $#$got ? $#expected : $#$got))
	{
		return "README leaves out: $got->[$_]" if $_ > $#expected;
		return "not said: $expected[$_]" if $_ > $#$got || !said($expected[$_], $got->[$_])
			|| ($expected[$_] =~ /^([\w ]+:)/ ? $1 : '') ne ($got->[$_] =~ /^([\w ]+:)/ ? $1 : '');
	}
	return '';
}

# Ends of lines in drawings.
my $SIDE = "\x{2524}\x{2502}";
my $BOTTOM = "\x{2500}\x{252C}";

# The outlines: titles, scales and legends are README's but for the numbers; bars are not held.
sub outlines
{
	my %seen;

	return join "\n", grep { !$seen{$_}++ } map { masked($_) =~ s/ +$//r }
	  map {
		s/^ *[\d.]*[kM]? *[$SIDE].*/side/r =~ s/^ *[A-Za-z\/ ]+ [$SIDE].*/kind/r =~ s/[$BOTTOM]+$/bottom/r =~ s/^[ \d:]+:\d\d$/times/r
		  =~ s/^[a-z]\S* +[\d.]+ .* \d+(?: \/ \d+)?$/role/r
	  } @_;
}

sub chart
{
	my ($expected, $got) = @_;
	my ($wide) = grep { length > 80 } @$got;

	return "more than 80 columns: $wide" if $wide;
	return '' if outlines(@$expected) eq outlines(@$got);
	return "the outlines are\n" . outlines(@$got) . "\nnot\n" . outlines(@$expected);
}

# Some lines of a longer text, in order, but for roles; the value at the end is a number.
sub some_lines
{
	my ($expected, $got) = @_;
	my @got = without_values(@$got);

	foreach (without_values(@$expected))
	{
		shift @got while @got && $got[0] ne $_;
		return "no line, or not in this order: $_" unless @got;
	}
	return '';
}

sub without_values
{
	my (@lines, @series);

	foreach (@_)
	{
		push @series, "$1 #" if /^([^#].*) [-\d.]+(?:e[-+]?\d+)?$/;
		push @lines, sort(splice @series), $_ if /^#/;
	}
	return (@lines, sort @series);
}

# README leaves out what a function that returns nothing prints.
sub nothing
{
	my ($expected, $got) = @_;

	return @$got == 4 && $got->[2] eq '' && $got->[3] eq '(1 row)' ? '' : 'it prints something';
}

1;
