# Writes the file of a history, with points and a curve that somebody made up, as
# src/core/stats/history_file.h has it; for tests that cannot wait two weeks.
package HistoryFile;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';

our @EXPORT = qw(write_history curve);

my @CRC = map {
	my $crc = $_;
	$crc = $crc & 1 ? ($crc >> 1) ^ 0x82F63B78 : $crc >> 1 for 1 .. 8;
	$crc;
} 0 .. 255;

sub crc32c
{
	my ($bytes) = @_;
	my $crc = 0xFFFFFFFF;

	$crc = $CRC[($crc ^ $_) & 0xFF] ^ ($crc >> 8) for unpack 'C*', $bytes;
	return $crc ^ 0xFFFFFFFF;
}

# A point ends at a Unix time; what is not given is 0.
sub point
{
	my ($point) = @_;
	my @classes = map { $_ // 0 } @{ $point->{classes} // [ $point->{active} // 0 ] }[ 0 .. 4 ];

	return pack 'q f14', ($point->{at} - 946684800) * 1_000_000, $point->{active} // 0,
	  $point->{most} // 0, 0, 0, 0, @classes, 0, $point->{cpu} // 0, $point->{tps} // 0, $point->{optimal} // 0;
}

# Bins of a curve from [connections, throughput] pairs, each seen for a while under pressure: all
# sessions are at work, and from two connections on the cores are busy.
sub curve
{
	my (@pairs) = @_;
	my %bins = map { int(log($_->[0] < 1 ? 1 : $_->[0]) / log(1.1) + 0.5) => $_ } @pairs;

	# the form, and the peak that was named last
	return [ 2, 0, map {
		my $bin = $bins{$_};
		$bin ? (60, $bin->[0], $bin->[0], $bin->[1], 0.001, 60, 1, $bin->[0] >= 2 ? 1 : 0.5, (0) x 4) : (0) x 12
	} 0 .. 99 ];
}

# The three resolutions are lists of points in order of time.
sub write_history
{
	my ($file, $system_identifier, $resolutions, $curve) = @_;
	my $bytes = 'PADVHIST' . pack('L L Q L L', 1, 0x01020304, $system_identifier, 64, 4);

	foreach my $number (0 .. 2)
	{
		my $points = $resolutions->[$number] // [];

		$bytes .= pack('L L', $number, scalar @$points) . join '', map { point($_) } @$points;
	}
	$bytes .= pack('L L d*', 3, scalar @{ $curve // [] }, @{ $curve // [] });
	open my $handle, '>:raw', $file or die "could not open $file: $!";
	print $handle $bytes, pack('L', crc32c($bytes));
	close $handle or die "could not write $file: $!";
	return;
}

1;
