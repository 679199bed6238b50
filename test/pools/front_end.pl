# A front end of a web application, with the pools of one of two stacks; t/073_fleets_of_pools.pl starts it.
#
#     perl -I test/t test/pools/front_end.pl STACK MODULES DATABASE...
#
# dotnet: ADO.NET has a pool for each connection string, and each module has its own. So there is a pool for
# each module and database, with 1 to 100 connections. java: one pool for each database, which all modules
# share, with 10 to 100 connections. The connections are real ones, by the variables PGHOST and so on.
#
# A line of the standard input is a command, for each database:
#
#     request MODULE COUNT    so many requests of a module begin, and hold a connection each
#     return MODULE COUNT     so many of them end
#
# The answer to each is a line of JSON: "done" has the requests that hold a connection, and "waiting" those
# that have found their pool full, by database.
use strict;
use warnings FATAL => 'all';

use JSON::PP;
use Wire;

# The server, as Wire wants to be told of it.
package Server;

sub host { return $ENV{PGHOST} }
sub port { return $ENV{PGPORT} }

# A pool: a request takes an idle connection. If there is none, it opens one while the pool has fewer than
# its maximum. If it has that many, the request waits for one that is returned.
package ConnectionPool;

sub new
{
	my ($class, $database, $min, $max) = @_;
	my $self = bless { database => $database, max => $max, size => 0, idle => [], held => [], waiting => 0 }, $class;

	push @{ $self->{idle} }, $self->another foreach 1 .. $min;
	return $self;
}

sub another
{
	my ($self) = @_;

	return if $self->{size} == $self->{max};
	$self->{size}++;
	return Wire->new('Server', user => $ENV{PGUSER}, database => $self->{database}, name => $ENV{PGAPPNAME});
}

sub begin
{
	my ($self, $connection) = @_;

	$connection->ask($_) foreach 'BEGIN', 'SELECT 1';
	push @{ $self->{held} }, $connection;
	return;
}

sub request
{
	my ($self) = @_;
	my $connection = shift @{ $self->{idle} } // $self->another;

	$connection ? $self->begin($connection) : $self->{waiting}++;
	return;
}

sub give_back
{
	my ($self) = @_;
	my $connection = shift @{ $self->{held} };

	$connection->ask('COMMIT');
	return push @{ $self->{idle} }, $connection unless $self->{waiting};
	$self->{waiting}--;
	return $self->begin($connection);
}

package DotNetStack;

sub new
{
	my ($class, $database, @modules) = @_;

	return bless { map { $_ => ConnectionPool->new($database, 1, 100) } @modules }, $class;
}

sub pools { my ($self) = @_; return values %$self }
sub pool_of { my ($self, $module) = @_; return $self->{$module} }

package JavaStack;

sub new
{
	my ($class, $database) = @_;

	return bless { pool => ConnectionPool->new($database, 10, 100) }, $class;
}

sub pools { my ($self) = @_; return $self->{pool} }
sub pool_of { my ($self) = @_; return $self->{pool} }

package main;

my ($name, $modules, @databases) = @ARGV;
my $class = { dotnet => 'DotNetStack', java => 'JavaStack' }->{$name} or die "no stack $name\n";
my %stack = map { $_ => $class->new($_, 1 .. $modules) } @databases;
my %verb = (request => 'request', return => 'give_back');

# Sums over the pools of a database.
sub count
{
	my ($database, $what) = @_;
	my $sum = 0;

	$sum += ref $_->{$what} ? @{ $_->{$what} } : $_->{$what} foreach $stack{$database}->pools;
	return $sum;
}

STDOUT->autoflush(1);
while (my $line = <STDIN>)
{
	my ($command, $module, $count) = split ' ', $line;

	foreach my $pool (map { $_->pool_of($module) } values %stack)
	{
		$pool->can($verb{$command})->($pool) foreach 1 .. $count;
	}
	print JSON::PP->new->canonical->encode({ done => { map { $_ => count($_, 'held') } @databases },
		waiting => { map { $_ => count($_, 'waiting') } @databases } }), "\n";
}
