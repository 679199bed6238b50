# The page that report() writes: of servers with nothing to tell and with much, and
# with names that are markup where they can be; read by a strict parser, and shown
# in a browser. test/private_server.sh unpacks both; without them their tests are skipped.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use HistoryFile;
use JSON::PP;
use POSIX ();
use PoolAdvisor;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $browser_tree = $ENV{PADV_BROWSER} // '/nowhere';
my $folder = PostgreSQL::Test::Utils::tempdir;
my $DAY = 86400;

# Run a program of the tree, or of the system; its status, output and errors.
sub run_program
{
	my ($program, @arguments) = @_;
	my ($path) = grep { -x $_ } "$browser_tree/usr/lib/chromium/$program", "$browser_tree/usr/bin/$program",
	  "/usr/lib/chromium/$program", "/usr/bin/$program";
	my ($out, $err) = ('', '');
	my $libraries = "$browser_tree/usr/lib/" . (POSIX::uname())[4] . '-linux-gnu';
	local $ENV{LD_LIBRARY_PATH} = "$libraries:$libraries/pulseaudio:$browser_tree/usr/lib/chromium"
	  if -d $browser_tree;
	local $ENV{XDG_DATA_HOME} = "$browser_tree/usr/share" if -d "$browser_tree/usr/share/fonts";
	local $ENV{FONTCONFIG_PATH} = "$browser_tree/etc/fonts" if !-d '/etc/fonts' && -d "$browser_tree/etc/fonts";
	local $ENV{HOME} = $folder;

	return (-1, '', '') unless $path;
	my $ran = eval {
		IPC::Run::run([ $path, @arguments ], '<', \undef, '>', \$out, '2>', \$err,
			IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
		1;
	};
	return ($ran ? $? >> 8 : -1, $out, $err);
}

sub browse
{
	my (@arguments) = @_;

	return run_program('chromium-headless-shell', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
		'--hide-scrollbars', '--enable-logging=stderr', @arguments);
}

sub save
{
	my ($name, $text) = @_;

	open my $file, '>:raw', "$folder/$name" or die "$name: $!";
	print $file $text;
	close $file or die "$name: $!";
	return "$folder/$name";
}

# What says that a tool works, and sees what it is for.
my $has_parser = (run_program('xmllint', '--noout', save('good.html', "<p>a</p>\n")))[0] == 0
  && (run_program('xmllint', '--noout', save('bad.html', "<p>a & b</p>\n")))[0] > 0;
my @probe = browse('--dump-dom', 'file://'
	  . save('probe.html', '<!DOCTYPE html><p id="a">x</p><script>document.getElementById("a").id = "seen"; no_such();</script>'));
my $has_browser = $probe[0] == 0 && $probe[1] =~ /id="seen"/ && $probe[2] =~ /CONSOLE.*no_such/;

# In a copy for the test only: which texts touch each other, stick out or are torn,
# which drawings are empty, and how wide the page is.
my $MEASURE = <<'JAVASCRIPT';
<script>
//<![CDATA[
const wrong = [], boxes = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walker.nextNode());) {
  const parent = node.parentElement;
  if (!node.data.trim() || parent.closest('title, desc, script') || !parent.getClientRects().length) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const r of range.getClientRects())
    if (r.width > 0 && r.height > 0)
      boxes.push({node, text: node.data.trim().slice(0, 40), l: r.left, r: r.right, t: r.top + r.height * 0.15, b: r.bottom - r.height * 0.15});
}
// a short word stands on one line
for (const {node} of new Map(boxes.map(box => [box.node, box])).values())
  for (const word of node.data.matchAll(/(?<![^\s(])[A-Za-z]{2,8}(?![^\s,.:;)])/g)) {
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    if (new Set([...range.getClientRects()].map(r => r.top)).size > 1) wrong.push('torn: ' + word[0]);
  }
const room = document.documentElement.clientWidth;
for (const a of boxes)
  if (a.l < -0.5 || a.r > room + 0.5) wrong.push('sticks out: ' + a.text);
boxes.sort((a, b) => a.t - b.t);
for (let i = 0; i < boxes.length; i++)
  for (let j = i + 1; j < boxes.length && boxes[j].t < boxes[i].b; j++) {
    const a = boxes[i], b = boxes[j];
    if (a.node !== b.node && Math.min(a.b, b.b) > Math.max(a.t, b.t) && Math.min(a.r, b.r) - Math.max(a.l, b.l) > 0.5)
      wrong.push('overlap: ' + a.text + ' | ' + b.text);
  }
// labels along an axis need a gap, too
for (const plot of document.querySelectorAll('.plot')) {
  const labels = [...plot.querySelectorAll('.x text')].map(t => t.getBoundingClientRect()).filter(r => r.width > 0).sort((a, b) => a.left - b.left);
  for (let i = 1; i < labels.length; i++)
    if (labels[i].left - labels[i - 1].right < 4) wrong.push('labels are too close');
  if (labels.length < 2) wrong.push('an axis without labels');
  if (![...plot.querySelectorAll('path')].some(p => p.getAttribute('d') !== '') && !plot.querySelector('circle')) wrong.push('an empty drawing');
  if (!plot.querySelector('title').textContent || !plot.querySelector('desc').textContent) wrong.push('a drawing without words');
}
if (document.documentElement.scrollWidth > room) wrong.push('scrolls to the side: ' + document.documentElement.scrollWidth);
const seen = {width: innerWidth, texts: boxes.length, plots: document.querySelectorAll('.plot').length, wrong};
document.body.textContent = 'SEEN' + JSON.stringify(seen) + 'END';
//]]>
</script>
JAVASCRIPT

sub measured
{
	my ($html, $width) = @_;

	$html =~ s{<meta http-equiv="Content-Security-Policy"[^>]*>}{};
	$html =~ s{</body>}{$MEASURE</body>};
	my ($status, $out, $err) = browse("--window-size=$width,3000", '--dump-dom', 'file://' . save('measured.html', $html));
	return { wrong => ["no answer: $status $err"] } unless $out =~ /SEEN(.*)END/s;
	my $json = $1;
	$json =~ s/&lt;/</g;
	$json =~ s/&gt;/>/g;
	$json =~ s/&amp;/&/g;
	return JSON::PP->new->utf8->decode($json);
}

# All that must be true of every page.
sub check_page
{
	my ($html, $name, $plots) = @_;
	my $file = save('page.html', $html);

	ok($html =~ /^<!DOCTYPE html>\n<html lang="en" / && $html =~ m{</html>\n*$} && $html !~ /[^\n\t -~]/,
		"$name: a document of ASCII");
	my ($style) = $html =~ m{<style>(.*?)</style>}s;
	my $tags = join ' ', $html =~ /<[^>]*>/g;
	ok($tags !~ m{<(?:script|img|link|iframe|object|embed)\b|\s(?:on\w+|src|style)=|javascript:|href="(?!\#)}i
		  && $style !~ m{url\((?!\#)|\@import} && $tags !~ m{https?://(?!www\.w3\.org/1999/xhtml")},
		'without script, and nothing from elsewhere');
	cmp_ok(length($html), '<', 300_000, 'not too long');
  SKIP:
	{
		skip 'no xmllint', 1 unless $has_parser;
		my ($status, undef, $err) = run_program('xmllint', '--noout', '--nonet', $file);
		is($status, 0, 'well-formed') or diag($err);
	}
  SKIP:
	{
		skip 'no browser', 3 unless $has_browser;
		my ($status, undef, $err) = browse('--dump-dom', "file://$file");
		ok($status == 0 && $err !~ /CONSOLE/, 'shown without a complaint') or diag($err);
		foreach my $width (1280, 400)
		{
			my $seen = measured($html, $width);

			is_deeply([ $seen->{width}, $seen->{plots}, @{ $seen->{wrong} } ], [ $width, $plots ],
				"$plots drawings at $width pixels: nothing overlaps, is cut or empty")
			  or diag(join '; ', @{ $seen->{wrong} });
		}
	}
	return;
}

my $node = PostgreSQL::Test::Cluster->new('report');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pool_advisor'
pool_advisor.enforcement = 'observe'
max_worker_processes = 0
autovacuum = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pool_advisor;
CREATE ROLE monitoring LOGIN IN ROLE pg_monitor;
CREATE ROLE stats LOGIN IN ROLE pg_read_all_stats;
CREATE ROLE ordinary LOGIN;
CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';
CREATE DATABASE euc TEMPLATE template0 ENCODING 'EUC_JP' LOCALE 'C';
CREATE DATABASE utf8 TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
SQL
$node->safe_psql($_, 'CREATE EXTENSION pool_advisor') foreach qw(latin1 euc utf8);

sub report
{
	my ($role, $database) = @_;

	return $node->safe_psql($database // 'postgres', 'SELECT pool_advisor.report()',
		extra_params => [ '-U', $role // 'monitoring' ]);
}

# Without the worker nothing is known, and that is said.
my $html = report();
check_page($html, 'without a worker', 0);
like($html, qr{<h1>Nothing is known yet\.</h1>}, 'it says so');
like($html, qr{Sampling has stopped}, 'and why');
like($html, qr{<dt>Cluster</dt><dd>report</dd>}, 'it has the name of the cluster');
my $host = quotemeta((POSIX::uname())[1]);
my $port = $node->port;
like($html, qr{<dt>Host</dt><dd>$host, port $port</dd>}, 'and of the host, with the port');
like($html, qr{<title>pool_advisor: no sample yet, report, $host:$port</title>}, 'also in the title');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pool_advisor.limits'), 0, 'what has not been read is no limit');
like($html, qr{No role has a session.*No limit on sessions}s, 'no role and no limit');
is(scalar(() = $html =~ /Nothing was sampled in the last 15 min\./g), 2, 'no load and no waits');
like($html, qr{There is no curve yet}, 'and no curve');

# Who may.
like(report('stats'), qr/^<!DOCTYPE html>/, 'a member of pg_read_all_stats may');
isnt($node->psql('postgres', 'SELECT pool_advisor.report()', extra_params => [ '-U', 'ordinary' ]), 0, 'others may not');

# Names of all kinds, first those that only some databases can read.
sub create_capped
{
	my ($database, $names) = @_;

	foreach my $name (@$names)
	{
		my $quoted = $name =~ s/"/""/gr;

		$node->safe_psql($database, qq{CREATE ROLE "$quoted" LOGIN; ALTER ROLE "$quoted" SET pool_advisor.max_sessions = 0},
			extra_params => [ '-v', 'ON_ERROR_STOP=1' ]);
	}
	return;
}
{
	local $ENV{PGCLIENTENCODING} = 'LATIN1';
	create_capped('latin1', ["caf\xE9"]);
	local $ENV{PGCLIENTENCODING} = 'EUC_JP';
	create_capped('euc', [ "ab\xA9\xA1c", "\xC6\xFC\xCB\xDC" ]);
}
my $two_lines = $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')::int < 190000}) eq 't'
  ? "two\nlines" : "two\tcolumns";    # from 19 on no name has two lines
my @hostile = (
	'<script>alert(1)</script>', q{a "b" & 'c' &lt;}, ']]></td></table><!--', $two_lines, "\xF0\x9F\x90\x98 elephant",
	'" onload="alert(1)', '</style><style>*{display:none}', "turn\xE2\x80\xAEed", 'w' x 63);
my @others = map { "<role & '$_'>" } 1 .. 490;
{
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	create_capped('utf8', \@hostile);
	$node->safe_psql('utf8', join ';', map {
		my $quoted = qq{"$_"};
		"CREATE ROLE $quoted LOGIN", "ALTER ROLE $quoted SET pool_advisor.max_sessions = 0" } @others);
}

# With a worker: everybody comes for a moment, which is counted.
$node->stop;
$node->append_conf('postgresql.conf', 'max_worker_processes = 8');
$node->start;
wait_for($node, q{(SELECT count(*) > 500 FROM pool_advisor.limits) AND (SELECT count(*) >= 3 FROM pool_advisor.history WHERE resolution = '1 s')});
$html = report();
check_page($html, 'in its first minute', 2);
like($html, qr{<figcaption><b>Last (?:15 s|30 s|1 min)</b>}, 'it shows a minute at most');
{
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	$node->safe_psql('utf8', join "\n", map {
		my $user = s/"/""/gr;
		qq{\\connect - "$user"} } grep { !/\n/ } @hostile, @others);
}

# Two weeks, and a session that has been idle in a transaction.
sub points
{
	my ($from, $to, $step) = @_;

	return [ map {
		my $load = 4 + 3 * sin($_ * $step / 5000);
		{
			at => $_ * $step,
			active => $load,
			most => int($load * 2),
			optimal => 6,
			classes => [ map { $_ * $load } 0.4, 0.2, 0.2, 0.1, 0.1 ]
		}
	} int($from / $step) + 1 .. int($to / $step) ];
}

sub restart_with
{
	my ($days) = @_;
	my $now = time;
	my $system = $node->safe_psql('postgres', 'SELECT system_identifier FROM pg_control_system()');

	$node->stop;
	write_history($node->data_dir . '/pg_stat/pool_advisor.history', $system,
		[ points($now - 900, $now, 1), points($now - 6 * 3600, $now, 10), points($now - $days * $DAY, $now, 300) ],
		curve(map { [ $_, 5000 * $_ / (1 + 0.1 * ($_ - 1) + 0.02 * $_ * ($_ - 1)) ] } 1, 2, 3, 4, 6, 8, 12, 16, 24, 40, 64));
	$node->start;
	wait_for($node, q{(SELECT state = 'fitted' FROM pool_advisor.scalability_fit)
		AND (SELECT count(*) > 500 FROM pool_advisor.limits)});
	return;
}

# those who came in a row, before the first restart that forgets them
$html = report();
like($html, qr{\((?:4\d\d) other roles\)}, 'of 500 roles that were counted some are summed up');
check_page($html, 'with 500 roles', 2);

restart_with(1);
my $sleeper = client($node, "''", 'SELECT 1', database => 'utf8');
finish($sleeper);
my $holder = client($node, q{'" onload="alert(1)'}, 'BEGIN; SELECT pg_current_xact_id();', database => 'utf8');
wait_for($node, q{(SELECT idle_in_transaction = 1 FROM pool_advisor.status)});
$html = report();
check_page($html, 'with a day', 7);
like($html, qr{<b>Last 24 h</b>}, 'it shows a day');

restart_with(14);
$html = report();
check_page($html, 'with two weeks', 7);
like($html, qr{<b>Last 15 min</b>.*<b>Last 6 h</b>.*<b>Last 14 days</b>}s, 'it shows two weeks');
unlike($html, qr{turn&\#8238;ed}, 'what turns the direction is left out');

# In which database it is written matters for names of other encodings only.
my %seen = map { $_ => report('monitoring', $_) } qw(utf8 latin1 euc);
like($seen{latin1}, qr{<bdi>caf&\#233;</bdi>}, 'a name of LATIN1 in LATIN1');
like($seen{utf8}, qr{<bdi>caf\?</bdi>}, 'and elsewhere');
like($seen{euc}, qr{<bdi>&\#26085;&\#26412;</bdi>}, 'a name of EUC_JP in EUC_JP');
like($seen{euc}, qr{<bdi>ab\?c</bdi>}, 'with a character that has no other name');
foreach my $escaped ('&lt;script&gt;alert(1)&lt;/script&gt;', 'a &quot;b&quot; &amp; &#39;c&#39; &amp;lt;',
	']]&gt;&lt;/td&gt;&lt;/table&gt;&lt;!--', $two_lines, '&#128024; elephant', '&quot; onload=&quot;alert(1)',
	'&lt;/style&gt;&lt;style&gt;*{display:none}', 'turn?ed', 'w' x 63)
{
	ok(index($seen{utf8}, "<bdi>$escaped</bdi>") > 0, "as text: " . $escaped =~ s/\s/ /r);
}

# Pictures of it, in both schemes.
SKIP:
{
	skip 'no browser', 4 unless $has_browser;
	my $file = save('page.html', $html);
	my %pictures;

	foreach my $width (1280, 400)
	{
		foreach my $scheme (0, 1)
		{
			my $name = (qw(dark light))[$scheme];
			my $picture = "$PostgreSQL::Test::Utils::log_path/report-$width-$name.png";

			browse("--window-size=$width,6000", "--blink-settings=preferredColorScheme=$scheme",
				"--screenshot=$picture", "file://$file");
			my $bytes = -e $picture ? slurp_file($picture) : '';
			ok($bytes =~ /^\x89PNG/ && unpack('x16 N', $bytes) == $width && !$pictures{$bytes}++,
				"a picture of $width pixels, unlike the others");
		}
	}
}

# On paper: the text of each page in the order of the document, without white space.
sub squeeze
{
	my ($text) = @_;

	$text =~ s{<(title|desc)\b.*?</\1>|<[^>]*>}{}gs;
	$text =~ s/&#173;|\xAD|\xC2\xAD//g;
	$text =~ s/&#(\d+);/chr $1/ge;
	$text =~ s/&lt;/</g;
	$text =~ s/&gt;/>/g;
	$text =~ s/&quot;/"/g;
	$text =~ s/&amp;/&/g;
	return $text =~ s/\s+//gr;
}

sub pages_of
{
	my ($html, $name) = @_;
	my $file = save('paper.html', $html);
	my $pdf = "$PostgreSQL::Test::Utils::log_path/report-$name.pdf";

	browse("--print-to-pdf=$pdf", '--no-pdf-header-footer', "file://$file");
	return -e $pdf ? map { squeeze($_) } split /\f/, (run_program('pdftotext', '-raw', '-enc', 'UTF-8', $pdf, '-'))[1] : ();
}

SKIP:
{
	my $has_reader = (run_program('pdftotext', '-v'))[0] == 0;

	skip 'no browser, or nothing that reads a PDF', 2 unless $has_browser && $has_reader;
	# the names that are not ASCII have other glyphs
	my $plain = report('monitoring', 'postgres') =~ s/&#\d{3,};/?/gr;
	my @pages = pages_of($plain, 'paper');
	my @headings = map { squeeze($_) } $plain =~ m{<h2>(.*?)</h2>}gs;
	my @captions = map { squeeze($_) } $plain =~ m{<(?:caption|figcaption)>(.*?)</(?:caption|figcaption)>}gs;

	cmp_ok(scalar @pages, '>', 4, 'a report of some pages');
	is_deeply([ grep { my $page = $_; grep { $page =~ /\Q$_\E$/ } @headings, @captions } @pages ], [],
		'none ends with a heading');
}

# On a standby, which has had no sample of the primary's.
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
unlink $standby->data_dir . '/pg_stat/pool_advisor.history';
$standby->start;
$node->wait_for_catchup($standby);
wait_for($standby, q{(SELECT count(*) >= 3 FROM pool_advisor.history WHERE resolution = '1 s')});
$html = $standby->safe_psql('postgres', 'SELECT pool_advisor.report()', extra_params => [ '-U', 'monitoring' ]);
check_page($html, 'of a standby', 2);
like($html, qr/, a standby</, 'it says that it is one');
$standby->stop;
$node->stop;
done_testing();
