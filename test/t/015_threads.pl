# A session whose extension works in threads of its own is active: the gate lets nobody
# in beside it. One whose threads all sleep is not.
use strict;
use warnings FATAL => 'all';

use Config;
use FindBin;
use lib $FindBin::RealBin;
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir;
my $module = "$folder/threads.so";
my $busy = "$folder/busy";
my $config = $ENV{PG_CONFIG} || 'pg_config';

chomp(my $include = `$config --includedir-server`);
plan skip_all => 'no compiler'
  if system_log($Config{cc}, '-shared', '-fPIC', "-I$include", '-o', $module, "$FindBin::RealBin/threads.c", '-lpthread') != 0;

my $node = limits_node('threads');

$node->safe_psql('postgres', "CREATE FUNCTION in_thread(text, boolean) RETURNS boolean LANGUAGE c AS '$module'");
server_max_active($node, 1);

append_to_file($busy, '');
my $works = client($node, 'app', "SELECT 'worked', in_thread('$busy', true);");
wait_for_gate($node, 'running = 1');
my $waits = client($node, 'app', q{SELECT 'let in';});
wait_for_gate($node, 'waiting = 1');

# the stall monitor looks a hundred times a second, samples are fewer
my $samples = $node->safe_psql('postgres', 'SELECT samples_total FROM pool_advisor.status');
wait_for($node, "samples_total > $samples + 10 FROM pool_advisor.status");
is($node->safe_psql('postgres', 'SELECT running, waiting, max_active_effective FROM pool_advisor.gate'),
	'1|1|1', 'a thread burns a core: nobody is let in beside it');
unlink $busy or die $!;
like(finish($works), qr/worked\|t/, 'it ends');
like(finish($waits), qr/let in/, 'and the next one goes on');

append_to_file($busy, '');
$works = client($node, 'app', "SELECT 'worked', in_thread('$busy', false);");
wait_for_gate($node, 'running = 1');
$waits = client($node, 'app', q{SELECT 'let in';});
says($waits, qr/let in/);
pass('all threads sleep: another one is let in');
unlink $busy or die $!;
like(finish($works), qr/worked\|t/, 'and the first goes on');
finish($waits);
$node->stop;

done_testing();
