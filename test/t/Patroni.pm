# A cluster of real servers under Patroni, with etcd: started, asked by REST and patronictl, and ended,
# whatever happens. The programs are those that test/private_server.sh unpacks, or installed ones.
# All listen on free ports of 127.0.0.1; their data, sockets and logs are in the test's folders.
package Patroni;

use strict;
use warnings FATAL => 'all';

use Carp;
use HTTP::Tiny;
use JSON::PP ();
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time sleep);

my $PROGRAMS = $ENV{PADV_FLEET} // '/nowhere';
my $SCOPE = 'fleet';

sub program
{
	my ($name) = @_;
	my ($path) = grep { -x } map { ("$_/usr/bin/$name", "$_/usr/sbin/$name") } $PROGRAMS, '';

	return $path;
}

# What makes it impossible to run it; nothing if it can be run.
sub obstacle
{
	foreach my $name (qw(etcd patroni patronictl curl))
	{
		return "$name is not there" unless program($name);
	}
	$ENV{PATH} .= ":$PROGRAMS/usr/bin";
	$ENV{PYTHONPATH} = join ':', "$PROGRAMS/usr/lib/python3/dist-packages", $ENV{PYTHONPATH} // ();
	$ENV{LD_LIBRARY_PATH} = join ':', glob("$PROGRAMS/usr/lib/*-linux-gnu"), $ENV{LD_LIBRARY_PATH} // ();
	return 'the Python modules of Patroni are not there'
	  if system('python3 -c "import patroni, etcd, psycopg2" >/dev/null 2>&1') != 0;
	return;
}

# --- processes ---

my %running;    # pid => what it is
my @members;

# Start a program with its output in a log; its pid.
sub start_logged
{
	my ($name, @command) = @_;
	my $pid = fork // croak "no process: $!";

	if ($pid == 0)
	{
		open STDOUT, '>>', "$PostgreSQL::Test::Utils::log_path/$name.log" or POSIX::_exit(126);
		open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
		open STDIN, '<', '/dev/null' or POSIX::_exit(126);
		no warnings 'exec';
		exec @command or POSIX::_exit(127);
	}
	$running{$pid} = $name;
	return $pid;
}

sub end
{
	my ($pid, $signal) = @_;

	return unless defined $pid && delete $running{$pid};
	kill $signal // 'KILL', $pid;
	waitpid $pid, 0;
	return;
}

# The postmaster of a member, which is no child of ours: by its lock file, and only if it works in that folder.
sub postmaster
{
	my ($member) = @_;
	my $folder = $member->data_dir;

	open my $file, '<', "$folder/postmaster.pid" or return;
	my ($pid) = (<$file> // '') =~ /^(\d+)$/ or return;
	return (readlink("/proc/$pid/cwd") // '') eq $folder ? $pid : undef;
}

sub end_postmaster
{
	my ($member, $signal) = @_;
	my $pid = postmaster($member) or return;

	kill $signal, $pid;
	sleep 0.05 while -e "/proc/$pid/cwd" && (readlink("/proc/$pid/cwd") // '') eq $member->data_dir;
	return;
}

# First those that would start others again.
END
{
	my $status = $?;
	end($_) foreach keys %running;
	end_postmaster($_, 'QUIT') foreach @members;
	$? = $status;
}

# --- the cluster ---

# Patroni->new('node1', 'node2', ...): started, with a leader that all others follow. parameters are
# of PostgreSQL.
sub new
{
	my ($class, $parameters, @names) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir;
	my ($client, $peer) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 2;
	my $self = bless { folder => $folder, etcd => "127.0.0.1:$client" }, $class;
	my $peer_url = "http://127.0.0.1:$peer";

	# so that what is started is also ended when the test is
	$SIG{$_} = sub { die "ended by a signal\n" } foreach qw(TERM INT HUP);
	start_logged('etcd', program('etcd'), '--name', 'only', '--data-dir', "$folder/etcd",
		'--listen-client-urls', "http://$self->{etcd}", '--advertise-client-urls', "http://$self->{etcd}",
		'--listen-peer-urls', $peer_url, '--initial-advertise-peer-urls', $peer_url, '--initial-cluster', "only=$peer_url");
	foreach my $name (@names)
	{
		my $member = $self->{members}{$name} = PostgreSQL::Test::Cluster->new($name);

		push @members, $member;
		$self->{rest}{$name} = PostgreSQL::Test::Cluster::get_free_port();
		$self->configure($name, $parameters, {});
		$self->start($name);
	}
	$self->settles(@names);
	return $self;
}

sub config_of { my ($self, $name) = @_; return "$self->{folder}/$name.yml" }
sub member { my ($self, $name) = @_; return $self->{members}{$name} }
sub rest_port { my ($self, $name) = @_; return $self->{rest}{$name} }

# JSON is YAML.
sub configure
{
	my ($self, $name, $parameters, $tags) = @_;
	my $member = $self->{members}{$name};
	my $rest = "127.0.0.1:$self->{rest}{$name}";
	my ($bindir) = run_command([ 'pg_config', '--bindir' ]);
	my $address = '127.0.0.1:' . $member->port;

	open my $file, '>', $self->config_of($name) or croak $self->config_of($name) . ": $!";
	print $file JSON::PP->new->canonical->pretty->encode({
		scope => $SCOPE,
		name => $name,
		restapi => { listen => $rest, connect_address => $rest },
		etcd3 => { host => $self->{etcd} },
		bootstrap => {
			dcs => { ttl => 20, loop_wait => 1, retry_timeout => 9,
				postgresql => { use_pg_rewind => JSON::PP::true, parameters => $parameters } },
			initdb => [ { encoding => 'UTF8' }, { locale => 'C' }, 'no-sync' ] },
		postgresql => {
			listen => $address, connect_address => $address, use_unix_socket => JSON::PP::true,
			data_dir => $member->data_dir, bin_dir => $bindir, pgpass => "$self->{folder}/$name.pgpass",
			authentication => { superuser => { username => scalar getpwuid($<) }, replication => { username => 'replicator' } },
			parameters => { unix_socket_directories => $member->host },
			pg_hba => [ map { "$_ trust" } 'local all all', 'host all all 127.0.0.1/32', 'host replication all 127.0.0.1/32' ] },
		tags => $tags });
	close $file or croak $self->config_of($name) . ": $!";
	return;
}

sub start
{
	my ($self, $name) = @_;

	$self->{pid}{$name} = start_logged("patroni_$name", program('patroni'), $self->config_of($name));
	return;
}

# A machine that is lost: Patroni and its server, without a word.
sub lose
{
	my ($self, $name) = @_;

	end($self->{pid}{$name});
	end_postmaster($self->{members}{$name}, 'KILL');
	return;
}

# --- asking it ---

# The answer of a member to a request, decoded; undef when there is none.
sub rest
{
	my ($self, $name, $method, $path, $content) = @_;
	my $answer = HTTP::Tiny->new(timeout => 10)->request($method, "http://127.0.0.1:$self->{rest}{$name}$path",
		defined $content ? { content => JSON::PP::encode_json($content) } : {});

	return eval { JSON::PP::decode_json($answer->{content}) };
}

# The members by name, as the first one that answers has them.
sub cluster
{
	my ($self) = @_;

	foreach my $name (sort keys %{ $self->{rest} })
	{
		my $answer = $self->rest($name, 'GET', '/cluster') // next;
		return map { $_->{name} => $_ } @{ $answer->{members} };
	}
	return;
}

sub leader
{
	my ($self) = @_;
	my %cluster = $self->cluster;
	my ($leader) = grep { $cluster{$_}{role} eq 'leader' } keys %cluster;

	return $leader;
}

# Wait until something is so; the last thing known of the cluster if it never is.
sub until_so
{
	my ($self, $what, $condition) = @_;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

	until ($condition->())
	{
		croak "$what never came true: " . JSON::PP::encode_json({ $self->cluster }) if time > $deadline;
		sleep 0.2;
	}
	return;
}

# Wait for a leader, and that all of these run and follow it; its name.
sub settles
{
	my ($self, @names) = @_;
	my $leader;

	$self->until_so("a cluster of @names", sub {
		my %cluster = $self->cluster;
		my @up = grep { ($cluster{$_}{state} // '') =~ /^(running|streaming)$/ } @names;
		my @leaders = grep { $cluster{$_}{role} eq 'leader' } @up;
		return 0 if @up < @names || @leaders != 1;
		$leader = $leaders[0];
		my $walsenders = eval { PoolAdvisor::one_value($self->{members}{$leader},
			q{SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND NOT pg_is_in_recovery()}) };
		return ($walsenders // -1) == @names - 1;
	});
	return $leader;
}

# patronictl, on the configuration of a member: its output, after it has ended well.
sub control
{
	my ($self, $name, $command, @arguments) = @_;
	my ($out, $err) = run_command([ program('patronictl'), '-c', $self->config_of($name), $command, $SCOPE, @arguments ]);

	croak "patronictl $command: $out$err" if $? != 0;
	return $out;
}

1;
