# Applications with a pool, in their own languages (test/pools/), and what the view pools says of them.
# test/private_server.sh unpacks what they need; a test skips those that it could not get.
package Applications;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use File::Copy qw(copy);
use FindBin;
use IPC::Run;
use JSON::PP qw(decode_json);
use PoolAdvisor;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(applications_of package_file runs_here prisma_there build_go start_application stop_application command pool becomes
  comes_about printed next_limit keeps_its_promise);

my $packages = $ENV{PADV_POOLS} // '/nowhere';
my $patience = $PostgreSQL::Test::Utils::timeout_default;
my %applications;
my ($node, %surroundings);

# The server that they use. What is unpacked has to be found where it is, and so have modules of the test.
sub applications_of
{
	($node, my $modules) = @_;
	$modules //= '/nowhere';
	%surroundings = (
		PYTHONPATH => "$packages/usr/lib/python3/dist-packages:$modules",
		NODE_PATH => "$packages/npm/node_modules:$packages/usr/share/nodejs:$modules",
		RUBYLIB => join(':', glob("$packages/usr/lib/{,*-linux-gnu*/}ruby/{vendor_ruby{,/3*},3*}"),
			glob("$packages/usr/share/rubygems-integration/all/gems/*/lib{,/concurrent-ruby}")),
		GEM_PATH => (glob "$packages/usr/share/rubygems-integration/3*")[0] // '',
		LD_LIBRARY_PATH => join(':', glob("$packages/usr/lib/*-linux-gnu*")),
		GOROOT => (glob("{$packages,}/usr/lib/go-1*"))[0] // '',
		GOPATH => "$packages/usr/share/gocode",
		GO111MODULE => 'off',
		GOCACHE => $ENV{GOCACHE} // "$PostgreSQL::Test::Utils::tmp_check/go",
		PGHOST => $node->host,
		PGPORT => $node->port,
		PGDATABASE => 'postgres');
	return;
}

# A file of a package, which may be installed.
sub package_file { return -e "$packages/$_[0]" ? "$packages/$_[0]" : "/$_[0]" }

sub runs_here
{
	my (@probe) = @_;
	my ($out, $err);
	local @ENV{ keys %surroundings } = values %surroundings;

	return eval { IPC::Run::run(\@probe, '>', \$out, '2>', \$err) };
}

# Prisma's client is generated, so that its packages are there is not enough.
sub prisma_there
{
	return runs_here('node', '-e', 'new (require("@prisma/client").PrismaClient)({ adapter: new (require("@prisma/adapter-pg").PrismaPg)({}) })');
}

# The application in Go, which takes a while to compile, with a function that sets up a pool of
# database/sql; nothing when there is no compiler.
sub build_go
{
	my (@settings) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir;

	append_to_file("$folder/settings.go", join("\n", 'package main', 'import ("database/sql"; "time")', 'var _ = time.Second',
		'func configure(db *sql.DB) {', @settings, '}', ''));
	copy("$FindBin::RealBin/../pools/go_app.go", "$folder/go_app.go");
	return runs_here("$surroundings{GOROOT}/bin/go", 'build', '-o', "$folder/go_app", "$folder/go_app.go", "$folder/settings.go")
	  ? "$folder/go_app" : undef;
}

# An application of a role; it goes on until stop_application().
sub start_application
{
	my ($name, $role, @command) = @_;
	my %application = (in => '', out => '', err => '');
	local @ENV{ keys %surroundings, 'PGUSER', 'PGAPPNAME' } = (values %surroundings, $role, $name);

	$application{run} = IPC::Run::start([@command], '<', \$application{in}, '>', \$application{out}, '2>', \$application{err});
	$application{run}->pump_nb;
	$applications{$name} = \%application;
	return;
}

sub stop_application
{
	foreach my $name (@_)
	{
		my $application = delete $applications{$name};
		$application->{run}->kill_kill(grace => 1);
	}
	return;
}

END
{
	my $status = $?;
	stop_application(keys %applications);
	$? = $status;
}

# What an application answers to a command; nothing when it has ended.
sub command
{
	my ($name, $command) = @_;
	my $application = $applications{$name};
	my $timeout = IPC::Run::timer($patience);

	$application->{out} = '';
	$application->{in} .= "$command\n";
	my $answered = eval {
		$timeout->start;
		while ($application->{out} !~ /^\{"done".*\n/m)
		{
			die "no answer\n" unless $application->{run}->pumpable && !$timeout->is_expired;
			$application->{run}->pump_nb;
			sleep 0.01;
		}
		1;
	};
	return $answered ? decode_json($application->{out} =~ /^(\{"done".*)\n/m ? $1 : '') : undef;
}

# --- what the server says of them ---

sub pool
{
	my ($application, $column) = @_;

	return admin($node)->value("SELECT $column FROM pool_advisor.pools WHERE application_name = '$application'");
}

# Whether that comes true, while the application runs.
sub comes_about
{
	my ($application, $condition) = @_;
	my $deadline = time + $patience;

	until ($condition->())
	{
		return 0 if time > $deadline;
		if (my $running = $applications{$application})
		{
			return 0 unless $running->{run}->pumpable;
			$running->{run}->pump_nb;
		}
		sleep 0.1;
	}
	return 1;
}

sub becomes
{
	my ($application, $condition, $name) = @_;

	ok(comes_about($application, sub { pool($application, $condition) eq 't' }), "$application: $name")
	  or diag(admin($node)->value('SELECT * FROM pool_advisor.pools'), "\n", $applications{$application}{err} // '');
	return;
}

# --- what client_config() prints for them ---

# All settings, in order, as pairs.
sub printed
{
	my ($system) = @_;
	my $lines = admin($node)->value(
		"SELECT string_agg(setting || '=' || value, E'\\n') FROM pool_advisor.client_config('$system') WHERE value <> ''");

	return split /[=\n]/, $lines =~ s/\\n/\n/gr;
}

sub next_limit
{
	my ($system) = @_;

	return admin($node)->value("SELECT reason FROM pool_advisor.client_config('$system') WHERE setting = 'next limit'");
}

# Under a load of more callers than connections: as many as were promised, and never more.
sub keeps_its_promise
{
	my ($application, $promised) = @_;

	becomes($application, "open = $promised", "opens the $promised connections that client_config() promises");
	# many transactions are short where a pool tests or resets each connection
	becomes($application, 'hold_p95_seconds BETWEEN 0.008 AND 2 AND suggested_size IS NOT NULL', 'is measured');
	is(pool($application, 'max_open'), $promised, "$application: never more");
	is(pool($application, 'kind'), 'fixed', "$application: which it keeps");
	# the measurement took 10 s or longer, and it is too early to be called per request
	cmp_ok(pool($application, 'churn_per_minute'), '<', 12 * $promised, "$application: and opens no others");
	stop_application($application);
	return;
}

1;
