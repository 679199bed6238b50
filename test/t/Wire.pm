# A client that speaks the protocol itself, because psql and pgbench do not speak all of it
# and do not go on after each error.  It can send and not wait, so that one test holds many.
package Wire;

use strict;
use warnings FATAL => 'all';

use Carp;
use Errno qw(EINTR);
use IO::Select;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

# Seconds for an answer, as PostgreSQL's own tests have them.
my $patience = $ENV{PG_TEST_TIMEOUT_DEFAULT} || 180;

# Wire->new($node, user => 'app', database => 'postgres', options => '-c work_mem=5MB'); the node is what
# has host() and port(). With later => 1 it does not wait until it is logged in; result() tells.
sub new
{
	my ($class, $node, %options) = @_;
	my $self = bless { buffer => '', patience => $options{patience} // $patience }, $class;
	my %start = (user => $options{user} // 'app', database => $options{database} // 'postgres',
		application_name => $options{name} // 'wire');

	$start{options} = $options{options} if defined $options{options};
	$self->{socket} = IO::Socket::UNIX->new(Peer => $node->host . '/.s.PGSQL.' . $node->port)
	  or croak "could not connect: $!";
	my $body = pack('N', 196608) . join('', map { "$_\0$start{$_}\0" } sort keys %start) . "\0";
	$self->write_bytes(pack('N', 4 + length $body) . $body);
	return $self if $options{later};
	my $welcome = $self->result;
	croak "could not log in: $welcome->{message}" if defined $welcome->{error};
	return $self;
}

# --- what is sent ---

sub write_bytes
{
	my ($self, $bytes) = @_;

	while (length $bytes)
	{
		my $written = syswrite($self->{socket}, $bytes);
		croak "could not send: $!" unless defined $written;
		substr($bytes, 0, $written) = '';
	}
	return $self;
}

sub message
{
	my ($self, $type, $body) = @_;

	return $self->write_bytes($type . pack('N', 4 + length $body) . $body);
}

# Each of these only sends.
sub simple { my ($self, $sql) = @_; return $self->message('Q', "$sql\0"); }
sub parse { my ($self, $sql, $name) = @_; return $self->message('P', ($name // '') . "\0$sql\0" . pack('n', 0)); }
sub sync { my ($self) = @_; return $self->message('S', ''); }

sub bind { my ($self, $name, @values) = @_; return $self->bind_portal('', $name, @values); }

sub bind_portal
{
	my ($self, $portal, $name, @values) = @_;

	return $self->message('B', "$portal\0" . ($name // '') . "\0" .
		pack('nn', 0, scalar @values) . join('', map { pack('N', length) . $_ } @values) . pack('n', 0));
}

sub execute { my ($self, $portal) = @_; return $self->message('E', ($portal // '') . "\0" . pack('N', 0)); }

# A fast-path function call, with text both ways.
sub call
{
	my ($self, $oid, @values) = @_;

	return $self->message('F', pack('Nnn', $oid, 0, scalar @values) . join('', map { pack('N', length) . $_ } @values) . pack('n', 0));
}

# A statement of the extended protocol, without its Sync.
sub extended
{
	my ($self, $sql, @values) = @_;

	return $self->parse($sql)->bind('', @values)->execute;
}

# --- what comes back ---

# Read what is there within so many seconds; false when nothing came.
sub fill_buffer
{
	my ($self, $seconds) = @_;

	return 0 unless IO::Select->new($self->{socket})->can_read($seconds);
	my $got = sysread($self->{socket}, $self->{buffer}, 65536, length $self->{buffer});
	return 1 if !defined $got && $! == EINTR;
	$self->{gone} = 1 unless $got;
	return 1;
}

# The next whole message of the buffer, type and body.
sub next_message
{
	my ($self) = @_;

	return if length $self->{buffer} < 5;
	my ($type, $length) = unpack('aN', $self->{buffer});
	return if length $self->{buffer} < 1 + $length;
	my $body = substr($self->{buffer}, 5, $length - 4);
	substr($self->{buffer}, 0, 1 + $length) = '';
	return ($type, $body);
}

sub take
{
	my ($result, $self, $type, $body) = @_;

	if ($type eq 'D')
	{
		my ($count, @values) = (unpack('n', $body));
		my $at = 2;
		foreach (1 .. $count)
		{
			my $length = unpack('l>', substr($body, $at, 4));
			push @values, $length < 0 ? '' : substr($body, $at + 4, $length);
			$at += 4 + ($length < 0 ? 0 : $length);
		}
		$result->{rows} .= join('|', @values) . "\n";
	}
	elsif ($type eq 'E')
	{
		my %fields = map { substr($_, 0, 1) => substr($_, 1) } grep { length } split /\0/, $body;
		@$result{qw(error message)} = @fields{qw(C M)};
	}
	elsif ($type eq 'V') { $result->{rows} .= substr($body, 4) . "\n"; }
	elsif ($type eq 'N') { $result->{notices} .= join(' ', split /\0/, $body) . "\n"; }
	elsif ($type eq 'C') { push @{ $result->{tags} }, $body =~ s/\0//r; }
	elsif ($type eq 'K') { $self->{pid} = unpack('N', $body); }
	elsif ($type eq 'Z') { $self->{status} = $result->{status} = $body; }
	return;
}

# The answer up to ReadyForQuery, or to the end of the connection: rows as text, error
# (its code), message, tags and status (I, T or E; undef when the connection is gone). Nothing
# when it has not come within so many seconds; what came is kept for the next call.
# Several Syncs have several answers. With until => 'G' it ends with that message, too.
sub result_within
{
	my ($self, $seconds, %options) = @_;
	my $deadline = time + $seconds;
	my $result = $self->{partial} //= { rows => '', notices => '', tags => [] };

	for (;;)
	{
		while (my ($type, $body) = $self->next_message)
		{
			take($result, $self, $type, $body);
			next unless $type eq 'Z' || $type eq ($options{until} // 'Z');
			$self->{partial} = undef;
			return $result;
		}
		if ($self->{gone})
		{
			$self->{partial} = undef;
			return $result;
		}
		my $left = $deadline - time;
		return if !$self->fill_buffer($left > 0 ? $left : 0) && $left <= 0;
	}
}

sub result
{
	my ($self, %options) = @_;
	my $result = $self->result_within($self->{patience}, %options);

	croak 'the server does not answer' unless $result;
	return $result;
}

sub ask { my ($self, $sql) = @_; return $self->simple($sql)->result; }

# The rows of a statement that must not fail.
sub value
{
	my ($self, $sql) = @_;
	my $result = $self->ask($sql);

	croak "$sql: " . ($result->{message} // 'the connection is gone') unless defined $result->{status} && !defined $result->{error};
	return $result->{rows} =~ s/\n\z//r;
}

# A result as one line: its rows, or its error.
sub told
{
	my ($result) = @_;

	return 'no answer' unless $result;
	return "ERROR $result->{error}" if defined $result->{error};
	return join(' ', split /\n/, $result->{rows});
}

# Close the connection, and wait until the session has ended.
sub leave
{
	my ($self) = @_;

	$self->message('X', '');
	$self->result until $self->{gone};
	return $self->close;
}

sub close
{
	my ($self) = @_;

	return unless $self->{socket};
	eval { local $SIG{PIPE} = 'IGNORE'; $self->message('X', ''); };
	close $self->{socket};
	$self->{socket} = undef;
	return;
}

1;
