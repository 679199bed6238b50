# HAProxy and agents for its checks: processes of this test, which end with it, whatever happens.
package HAProxy;

use strict;
use warnings FATAL => 'all';

use Carp;
use Exporter 'import';
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(haproxy_program agent_port start_haproxy stop_haproxy server_becomes);

my $PROGRAMS = $ENV{PADV_FLEET} // '/nowhere';
my $folder = PostgreSQL::Test::Utils::tempdir;
my $socket = PostgreSQL::Test::Utils::tempdir_short . '/haproxy';
my (@agents, $proxy);

# The program, with its libraries to be found; undef if it is not there.
sub haproxy_program
{
	my ($path) = grep { -x } "$PROGRAMS/usr/sbin/haproxy", '/usr/sbin/haproxy';

	$ENV{LD_LIBRARY_PATH} = join ':', glob("$PROGRAMS/usr/lib/*-linux-gnu"), $ENV{LD_LIBRARY_PATH} // ();
	return $path;
}

# An agent in a process of its own, as systemd or inetd would start it: a command for each connection.
sub agent_port
{
	my (@command) = @_;
	my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1') or croak "no socket: $!";
	my $pid = fork // croak "no process: $!";

	if ($pid == 0)
	{
		local ($SIG{TERM}, $SIG{INT}, $SIG{CHLD}) = ('DEFAULT', 'DEFAULT', 'IGNORE');
		while (1)
		{
			my $client = $listener->accept or next;
			if (fork == 0)
			{
				open STDOUT, '>&', $client or POSIX::_exit(126);
				no warnings 'exec';
				exec @command or POSIX::_exit(127);
			}
			close $client;
		}
	}
	push @agents, $pid;
	return $listener->sockport;
}

# Start it with these sections.
sub start_haproxy
{
	my ($sections) = @_;
	my $program = haproxy_program();

	open my $file, '>', "$folder/haproxy.cfg" or croak "haproxy.cfg: $!";
	print $file "global\n    stats socket $socket\n$sections";
	close $file or croak "haproxy.cfg: $!";
	$proxy = fork // croak "no process: $!";
	if ($proxy == 0)
	{
		no warnings 'exec';
		exec $program, '-db', '-f', "$folder/haproxy.cfg" or POSIX::_exit(127);
	}
	return;
}

sub end_processes
{
	my @pids = @_;

	kill 'KILL', @pids;
	waitpid $_, 0 foreach @pids;
	return;
}

sub stop_haproxy
{
	end_processes($proxy // (), @agents);
	undef $proxy;
	@agents = ();
	return;
}

END
{
	my $status = $?;
	stop_haproxy();
	$? = $status;
}

# What it knows of a server: whether it is up, its weight, and how many connections it takes.
sub known_of
{
	my ($section, $server) = @_;
	my $stats = IO::Socket::UNIX->new(Peer => $socket) or return '';

	print $stats "show stat\n";
	my ($header, @lines) = map { s/^# //r } <$stats>;
	my @names = split /,/, $header;
	foreach (grep { /^\Q$section,$server,\E/ } @lines)
	{
		my %of;
		@of{@names} = split /,/;
		return "$of{status} $of{weight} $of{slim}";
	}
	return '';
}

# Wait until it knows that of a server.
sub server_becomes
{
	my ($section, $server, $what, $name) = @_;

	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last if known_of($section, $server) =~ $what;
		select undef, undef, undef, 0.1;
	}
	like(known_of($section, $server), $what, $name);
	return;
}

1;
