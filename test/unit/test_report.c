/*
 * test_report.c
 *		The page: how text is kept from becoming markup, which periods are
 *		shown, and that whatever is told it is one well-formed document of ASCII
 *		whose drawings have numbers in them.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/render/axis.h"
#include "core/render/report.h"
#include "core/render/svg.h"
#include "tap.h"

#define MINUTE (60 * PADV_SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* 2026-11-21 10:00 UTC */
#define MORNING (INT64_C(9821) * DAY + 10 * HOUR)

#define MAX_POINTS 4100
#define MAX_ROLES 600

/* --- what is written ------------------------------------------------------ */

static char written[2 * 1024 * 1024];
static size_t length;

static void
append(void *arg, const char *piece)
{
	size_t		size = strlen(piece);

	(void) arg;
	if (length + size < sizeof(written))
		memcpy(written + length, piece, size + 1);
	length += size;
}

static const PadvHtml html = {append, NULL};

static void
clear(void)
{
	length = 0;
	written[0] = '\0';
}

static bool
same(const char *expected, const char *name)
{
	bool		equal = ok(strcmp(written, expected) == 0, "%s", name);

	if (!equal)
		printf("#   got \"%s\", expected \"%s\"\n", written, expected);
	clear();
	return equal;
}

static int
times(const char *piece)
{
	int			count = 0;

	for (const char *at = written; (at = strstr(at, piece)) != NULL; at++)
		count++;
	return count;
}

/* --- a strict reader ------------------------------------------------------ */

/* What is wrong with the page first; NULL when nothing is. */
typedef struct Reader
{
	const char *at;
	const char *wrong;
	int			depth;
	char		open[64][32];
	char		ids[100][40];
	int			nids;
	int			shapes;			/* numbers read in attributes of drawings */
} Reader;

static void
refuse(Reader *reader, const char *why)
{
	if (reader->wrong == NULL)
		reader->wrong = why;
}

static size_t
read_name(Reader *reader, char *name, size_t size)
{
	size_t		n = 0;

	while (isalnum((unsigned char) *reader->at) || (*reader->at != '\0' && strchr("-_:", *reader->at)))
	{
		if (n + 1 < size)
			name[n++] = *reader->at;
		reader->at++;
	}
	name[n] = '\0';
	if (n == 0)
		refuse(reader, "a name is missing");
	return n;
}

/* One of the five entities, or the number of a character that XML allows. */
static void
read_entity(Reader *reader)
{
	static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
	char	   *end;
	long		code;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(reader->at, known[i], strlen(known[i])) == 0)
		{
			reader->at += strlen(known[i]);
			return;
		}
	if (strncmp(reader->at, "&#", 2) != 0 || !isdigit((unsigned char) reader->at[2]))
	{
		refuse(reader, "an ampersand is no entity");
		reader->at++;
		return;
	}
	code = strtol(reader->at + 2, &end, 10);
	if (*end != ';' || code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0xD800 && code < 0xE000) ||
		(code & 0xFFFE) == 0xFFFE || code > 0x10FFFF)
		refuse(reader, "an entity is no character");
	reader->at = end + (*end == ';');
}

/* Places and lengths are numbers, with a percent sign or without. */
static bool
is_number(const char *text)
{
	char	   *end;
	double		number = strtod(text, &end);

	if (end == text || !isfinite(number) || isalpha((unsigned char) *text))
		return false;
	return *end == '\0' || strcmp(end, "%") == 0;
}

static bool
is_path(const char *text)
{
	while (*text != '\0')
	{
		char	   *end;

		while (*text != '\0' && strchr("MLHVZ, hlv", *text))
			text++;
		if (*text == '\0')
			return true;
		if (isalpha((unsigned char) *text) || !isfinite(strtod(text, &end)) || end == text)
			return false;
		text = end;
	}
	return true;
}

static void
check_attribute(Reader *reader, const char *element, const char *name, const char *value)
{
	static const char *const places[] = {
		"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "dx", "width", "height",
	};

	if (strncmp(name, "on", 2) == 0 || strcmp(name, "href") == 0 || strcmp(name, "style") == 0 ||
		strcmp(name, "src") == 0)
	{
		if (strcmp(name, "href") != 0 || value[0] != '#')
			refuse(reader, "an attribute does or loads something");
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(name, places[i]) == 0)
		{
			reader->shapes++;
			if (!is_number(value))
				refuse(reader, "a place is no number");
		}
	if (strcmp(name, "d") == 0 && (strcmp(element, "path") != 0 || !is_path(value)))
		refuse(reader, "a path is none");
	if (strcmp(name, "id") == 0)
	{
		for (int i = 0; i < reader->nids; i++)
			if (strcmp(reader->ids[i], value) == 0)
				refuse(reader, "an id comes twice");
		if (reader->nids < 100)
			snprintf(reader->ids[reader->nids++], sizeof(reader->ids[0]), "%.39s", value);
	}
}

static void
read_attribute(Reader *reader, const char *element)
{
	static char value[200000];
	char		name[32];
	size_t		n = 0;

	read_name(reader, name, sizeof(name));
	if (strncmp(reader->at, "=\"", 2) != 0)
	{
		refuse(reader, "an attribute has no value in quotes");
		return;
	}
	for (reader->at += 2; *reader->at != '"' && *reader->at != '\0';)
	{
		if (*reader->at == '<')
			refuse(reader, "an attribute has markup");
		if (n + 1 < sizeof(value))
			value[n++] = *reader->at;
		if (*reader->at == '&')
			read_entity(reader);
		else
			reader->at++;
	}
	value[n] = '\0';
	if (*reader->at++ != '"')
		refuse(reader, "an attribute does not end");
	check_attribute(reader, element, name, value);
}

static void
read_tag(Reader *reader)
{
	bool		closing = *++reader->at == '/';
	char		element[32];

	reader->at += closing;
	read_name(reader, element, sizeof(element));
	if (strcmp(element, "script") == 0 || strcmp(element, "iframe") == 0 || strcmp(element, "img") == 0 ||
		strcmp(element, "link") == 0 || strcmp(element, "object") == 0)
		refuse(reader, "an element does or loads something");
	while (!closing && *reader->at == ' ' && reader->wrong == NULL)
	{
		reader->at++;
		read_attribute(reader, element);
	}
	if (closing)
	{
		if (reader->depth == 0 || strcmp(reader->open[--reader->depth], element) != 0)
			refuse(reader, "an element is closed that is not open");
	}
	else if (*reader->at == '/')
		reader->at++;
	else if (reader->depth == 64)
		refuse(reader, "too deep");
	else
		snprintf(reader->open[reader->depth++], sizeof(reader->open[0]), "%s", element);
	if (*reader->at++ != '>')
		refuse(reader, "a tag does not end");
}

/* The document is one element, of ASCII, with all that is opened closed. */
static Reader
read_page(void)
{
	static const char doctype[] = "<!DOCTYPE html>\n";
	Reader		reader = {.at = written};

	if (length >= sizeof(written))
		refuse(&reader, "it is too long");
	if (strncmp(reader.at, doctype, strlen(doctype)) != 0)
		refuse(&reader, "it is no HTML");
	reader.at += strlen(doctype);
	while (*reader.at != '\0' && reader.wrong == NULL)
	{
		unsigned char byte = (unsigned char) *reader.at;

		if (byte >= 0x7F || (byte < 0x20 && byte != '\n' && byte != '\t'))
			refuse(&reader, "a byte is not printable ASCII");
		else if (byte == '<')
			read_tag(&reader);
		else if (byte == '&')
			read_entity(&reader);
		else if (byte == '>')
			refuse(&reader, "a bracket closes nothing");
		else
		{
			if (reader.depth == 0 && byte != '\n')
				refuse(&reader, "there is text outside of it");
			reader.at++;
		}
	}
	if (reader.depth > 0)
		refuse(&reader, "an element is not closed");
	return reader;
}

static bool
is_well_formed(const char *name)
{
	Reader		reader = read_page();
	bool		good = ok(reader.wrong == NULL, "%s: well-formed", name);

	if (!good)
		printf("#   %s, at %d: %.200s\n", reader.wrong, (int) (reader.at - written), reader.at);
	return good;
}

/* --- what is told --------------------------------------------------------- */

static PadvHistoryPoint points[PADV_RESOLUTIONS][MAX_POINTS];
static PadvLocalStatus local;
static PadvScalabilityRow rows[PADV_CURVE_BINS];
static PadvRoleBar roles[MAX_ROLES];
static PadvReportKey load[PADV_DIMENSIONS * PADV_LOAD_ROWS];
static PadvMetricsLimit limits[PADV_REPORT_LINES];
static PadvReportFact facts[] = {
	{"disk vda", "rotational", "/sys/block/vda/queue/rotational"},
};
static PadvReport report;

static int64_t
utc(int64_t at)
{
	(void) at;
	return 0;
}

static PadvHistoryPoint
point_at(int64_t at, float active)
{
	PadvHistoryPoint point = {
		.at = at, .active_avg = active, .active_max = active + 2, .optimal = 4,
		.in_class = {active / 2, 0, active / 4, 0, active / 4},
	};

	return point;
}

static const int64_t intervals[PADV_RESOLUTIONS] = {PADV_SECOND, 10 * PADV_SECOND, 5 * MINUTE};

/* So many points of a resolution, the newest at MORNING. */
static void
set_points(int resolution, int count)
{
	for (int i = 0; i < count; i++)
		points[resolution][i] = point_at(MORNING - (count - 1 - i) * intervals[resolution], (float) (i % 7));
	report.timelines[resolution] = (PadvTimeline) {
		.points = points[resolution], .count = count, .interval = intervals[resolution],
		.until = MORNING, .utc_offset = utc,
	};
}

/* A server that has a load and is well. */
static void
set_up(void)
{
	memset(&local, 0, sizeof(local));
	padv_model_init(&local.status.model);
	local.status.taken_at = MORNING;
	local.worker_running = true;
	local.enforcement = local.gate_enforcement = PADV_ENFORCEMENT_ON;
	local.status.model.inputs.sample_interval_ms = 100;
	local.status.model.inputs.usable_connections = 97;
	local.status.model.inputs.max_connections = 100;
	local.status.model.estimates[PADV_METHOD_FORMULA] = (PadvEstimate) {
		.available = true, .connections = 4, .low = 2, .high = 8,
	};
	local.status.model.pool_size = 5;
	local.status.model.demand = 3.0;
	local.status.model.load_ratio = 0.75;
	local.status.model.verdict = PADV_VERDICT_WITHIN;
	report = (PadvReport) {
		.local = &local, .server_version = "15.20", .cluster_name = "", .host = "db1", .port = 5432,
		.usable_connections = 97, .zone = "Etc/UTC", .written_at = "2026-11-21 10:00:01 UTC",
		.sampled_at = "2026-11-21 10:00:00 UTC", .started_at = "2026-11-20 08:00:00 UTC",
		.rows = rows, .roles = roles, .load = load, .limits = limits, .default_max_sessions = -1,
		.facts = facts, .nfacts = 1,
	};
	for (int i = 0; i < PADV_RESOLUTIONS; i++)
		set_points(i, 0);
}

static void
write_page(void)
{
	clear();
	padv_report(&report, append, NULL);
}

/* --- tests ---------------------------------------------------------------- */

static void
test_text(void)
{
	static const struct
	{
		const char *text;
		const char *expected;
	}			cases[] = {
		{"plain", "plain"},
		{"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
		{"a \"b\" 'c' & d", "a &quot;b&quot; &#39;c&#39; &amp; d"},
		{"]]><!--", "]]&gt;&lt;!--"},
		{"&lt;", "&amp;lt;"},
		{"two\nlines\tand a tab", "two\nlines\tand a tab"},
		{"\x01\x1B[31m\r\x7F", "??[31m??"},
		{"M\xC3\xBCller", "M&#252;ller"},
		{"\xF0\x9F\x90\x98", "&#128024;"},
		{"\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9", "&#128104;&#8205;&#128105;"},
		{"caf\xE9", "caf?"},
		{"cut\xE6\x97", "cut??"},
		{"\xC0\xBCscript>", "??script&gt;"},
		{"x\xE2\x80\xAEy", "x?y"},
		{"\xE2\x81\xA6\xEF\xBB\xBF\xEF\xBF\xBE\xF4\x8F\xBF\xBF", "????"},
		{"\xED\xA0\x80", "?"},
		{"", ""},
	};
	char		name[1000];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		clear();
		padv_html_text(&html, cases[i].text);
		same(cases[i].expected, "text");
	}
	memset(name, '<', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	padv_html_text(&html, name);
	ok(length == 4 * (sizeof(name) - 1) && times("&lt;") == (int) sizeof(name) - 1, "a long text");
	clear();
}

static void
test_number(void)
{
	static const struct
	{
		double		number;
		const char *expected;
	}			cases[] = {
		{0, "0"}, {1, "1"}, {12.34, "12.3"}, {99.96, "100"}, {-0.04, "0"}, {-3.5, "-3.5"},
		{NAN, "0"}, {INFINITY, "0"}, {-INFINITY, "0"}, {1e9, "0"}, {1e-300, "0"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		clear();
		padv_html_number(&html, cases[i].number);
		same(cases[i].expected, "number");
	}
}

/* What fits_periods has, and how it is called. */
static void
shows(const char *const periods[], int count, const char *name)
{
	bool		all = true;

	write_page();
	for (int i = 0; i < count; i++)
	{
		char		caption[60];

		snprintf(caption, sizeof(caption), "<figcaption><b>Last %s</b>", periods[i]);
		all = all && times(caption) == 2;
	}
	if (!ok(all && times("<figcaption><b>Last") == 2 * count, "%s", name))
		for (const char *at = written; (at = strstr(at, "<figcaption>")) != NULL; at++)
			printf("#   %.60s\n", at);
	is_well_formed(name);
}

static void
test_periods(void)
{
	set_up();
	shows(NULL, 0, "no point: no chart");
	ok(times("Nothing was sampled in the last 15 min.") == 2, "but a sentence");
	set_points(0, 1);
	shows(NULL, 0, "one point: no chart");
	set_points(0, 3);
	shows((const char *const[]) {"15 s"}, 1, "three points");
	set_points(0, 60);
	shows((const char *const[]) {"1 min"}, 1, "a minute");
	set_points(1, 6);
	shows((const char *const[]) {"1 min"}, 1, "a minute, also of tens");
	set_points(0, 900);
	set_points(1, 92);
	shows((const char *const[]) {"15 min"}, 1, "a quarter of an hour");
	set_points(1, 400);
	set_points(2, 12);
	shows((const char *const[]) {"15 min", "1 h"}, 2, "an hour and a bit");
	ok(times("a step is the mean of 2 s") == 2 && times("a step is the mean of 10 s") == 2, "in round steps");
	set_points(1, 2160);
	set_points(2, 4032);
	shows((const char *const[]) {"15 min", "6 h", "14 days"}, 3, "all there can be");
	ok(times("a step is the mean of 1 min") == 2 && times("a step is the mean of 1 h") == 2, "in round steps");
	set_points(0, 0);
	shows((const char *const[]) {"6 h", "14 days"}, 2, "nothing lately");
}

/* Stairs of three columns, to the letter. */
static void
test_path(void)
{
	PadvTimeline timeline = {
		.points = points[0], .count = 3, .interval = 10 * PADV_SECOND, .from = MORNING,
		.until = MORNING + 60 * PADV_SECOND, .utc_offset = utc,
	};

	clear();
	points[0][0] = point_at(MORNING + 10 * PADV_SECOND, 1);
	points[0][1] = point_at(MORNING + 20 * PADV_SECOND, 1);
	points[0][2] = point_at(MORNING + 40 * PADV_SECOND, 2);
	padv_svg_load(&html, "a", &timeline, 6, "Etc/UTC");
	ok(times("<path class=\"mean\" d=\"M0,200V150H240V200ZM360,200V100H480V200Z\"/>") == 1,
	   "steps with a gap");
	ok(times("<path class=\"most\" d=\"M0,200V50H240V200ZM360,200V0H480V200Z\"/>") == 1, "and their maxima");
	ok(times("<path class=\"optimum\" d=\"M0,0V0H240M360,0V0H480\"/>") == 1, "and the optimum");
	ok(times("<path class=\"pnone\" d=\"M240,0H360V200H240Z\"/>") == 1 &&
	   times("<path class=\"pnone\" d=\"M480,0H720V200H480Z\"/>") == 1 && times("nothing sampled") == 1,
	   "and where nothing was sampled");
	ok(times("<text x=\"0%\" y=\"220\">10:00:00</text>") == 1 && times("<text x=\"50%\" y=\"220\">10:00:30</text>") == 1,
	   "and the time");
	if (times("M0,200V150H240V200ZM360,200V100H480V200Z") != 1)
		printf("# %s\n", written);

	clear();
	timeline.count = 0;
	padv_svg_waits(&html, "a", &timeline, 6, "Etc/UTC");
	ok(times("<svg") == 0 && times("Nothing was sampled in the last 1 min.") == 1, "no point, no frame");
	clear();
}

/* Labels that stay where there is little room: two at least, whenever it is. */
static void
test_clocks(void)
{
	static const int64_t periods[] = {
		15, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600, 7200, 10800, 14400, 21600, 28800,
		43200, 64800, 86400, 129600, 172800, 259200, 345600, 432000, 604800, 864000, 1209600,
	};
	int			good = 0;
	int			tried = 0;

	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
	{
		for (int shift = 0; shift < 20; shift++, tried++)
		{
			int64_t		until = MORNING + shift * 7919 * PADV_SECOND / 10;
			PadvTimeline timeline = {
				.points = points[0], .count = 1, .interval = 1 + periods[i] * PADV_SECOND,
				.from = until - periods[i] * PADV_SECOND, .until = until, .utc_offset = utc,
			};
			int			few;
			int			many;

			points[0][0] = point_at(until, 1);
			clear();
			padv_svg_load(&html, "a", &timeline, 15 + shift * 20, "Etc/UTC");
			few = times("<g class=\"x\">");
			many = few + times("<g class=\"x wide\">");
			if (few < 2 || few > 6 || many > 11)
				printf("#   %d s: %d of %d\n", (int) periods[i], few, many);
			good += few >= 2 && few <= 6 && many <= 11;
		}
	}
	ok(good == tried, "%d of %d clocks have two labels on any page, and not too many", good, tried);
	clear();
}

/* What is queued stands on what is active, and cannot press that flat. */
static void
test_queue(void)
{
	PadvTimeline timeline = {
		.points = points[0], .count = 4, .interval = 10 * PADV_SECOND, .from = MORNING,
		.until = MORNING + 40 * PADV_SECOND, .utc_offset = utc,
	};

	for (int i = 0; i < 4; i++)
	{
		points[0][i] = point_at(MORNING + (i + 1) * 10 * PADV_SECOND, 2);
		points[0][i].queued = i < 2 ? 2 : 0;
	}
	clear();
	padv_svg_load(&html, "a", &timeline, 4, "Etc/UTC");
	ok(times("<path class=\"pqueued\" d=\"M0,200V0H360V100H720V200Z\"/>") == 1 &&
	   times("<path class=\"mean\" d=\"M0,200V100H720V200Z\"/>") == 1, "a queue is drawn on top of the mean");
	ok(times("queued 1</li>") == 1 && times("On average 1 more were queued.") == 1, "and named");

	points[0][0].queued = 1002;
	clear();
	padv_svg_load(&html, "a", &timeline, 4, "Etc/UTC");
	ok(times("queued (beyond the scale) 251</li>") == 1 && times(">20</text>") == 1 && times(">1000</text>") == 0,
	   "a long one is beyond the scale");
	clear();
}

/* One bar is no chart. */
static void
test_few(void)
{
	set_up();
	set_points(0, 2);
	write_page();
	ok(times("class=\"plot\"") == 0 && times("The history has just begun: there are charts from 3 points on.") == 2,
	   "two points are no chart");
	set_points(0, 3);
	write_page();
	ok(times("class=\"plot\"") == 2, "three are");

	roles[0] = (PadvRoleBar) {.name = "app", .active_avg = 3, .limit = -1};
	load[0] = (PadvReportKey) {.dimension = PADV_DIMENSION_ROLE, .name = "app", .row.active_avg = 3};
	report.nroles = report.nload = 1;
	write_page();
	ok(times("<td class=\"bar\"><span>3</span></td>") == 2, "a role alone has no bar, nor has a key");
	ok(times("<dt>Host</dt><dd>db1, port 5432</dd>") == 1 && times("<title>pool_advisor: within, db1:5432</title>") == 1,
	   "the host and its port");
	is_well_formed("few things");
}

static void
test_verdict(void)
{
	static const char *const headlines[] = {
		"There is next to nothing to do.", "There is room for more.", "The server is at its best.",
		"More sessions want to work than help.", "Sessions wait for each other&#39;s locks.",
		"Most of the work stands still.",
	};
	char		heading[100];

	for (int verdict = 0; verdict <= PADV_VERDICT_STALLED; verdict++)
	{
		set_up();
		local.status.model.verdict = (PadvVerdict) verdict;
		write_page();
		snprintf(heading, sizeof(heading), "<h1>%s</h1>", headlines[verdict]);
		ok(times(heading) == 1 && times("Sampling has stopped") == 0, "%s", headlines[verdict]);
	}
	ok(times("the load is 0.75 times the optimum") == 1, "the load in words");
	ok(strstr(written, "<h1>") < strstr(written, "id=\"advice\"") &&
	   strstr(written, "id=\"advice\"") < strstr(written, "id=\"incidents\"") &&
	   strstr(written, "id=\"incidents\"") < strstr(written, "id=\"load\"") &&
	   strstr(written, "id=\"load\"") < strstr(written, "id=\"waits\"") &&
	   strstr(written, "id=\"waits\"") < strstr(written, "id=\"who\"") &&
	   strstr(written, "id=\"who\"") < strstr(written, "id=\"scalability\"") &&
	   strstr(written, "id=\"scalability\"") < strstr(written, "id=\"roles\"") &&
	   strstr(written, "id=\"roles\"") < strstr(written, "id=\"method\""), "the verdict first, the method last");

	set_up();
	write_page();
	ok(times("enforcement") == 0, "nothing is said of limits that are enforced");
	local.gate_enforcement = PADV_ENFORCEMENT_OBSERVE;
	write_page();
	ok(times("pool_advisor.gate_enforcement is observe: ") == 2 &&
	   strstr(written, "pool_advisor.gate_enforcement is observe") < strstr(written, "class=\"figures\""),
	   "limits that are observed only are told in the head, and in the advice");
	local.enforcement = PADV_ENFORCEMENT_OFF;
	write_page();
	ok(times("pool_advisor.enforcement is off: ") == 2, "and those that are off");

	set_up();
	local.worker_running = false;
	write_page();
	ok(times("Sampling has stopped") == 1 && times("<h1>There is room for more.</h1>") == 1,
	   "sampling that has stopped is said");
	local.status.taken_at = 0;
	report.nfacts = 0;
	write_page();
	ok(times("<h1>Nothing is known yet.</h1>") == 1 && times("class=\"figures\"") == 0, "no sample, no figures");
	is_well_formed("no sample");
}

static void
test_load(void)
{
	set_up();
	write_page();
	ok(times("Who the load is") == 1 && times("Nothing was active in the last ten minutes.") == 1, "nobody is the load");
	for (int i = 0; i < 14; i++)
		load[i] = (PadvReportKey) {
			.dimension = i < 7 ? PADV_DIMENSION_ROLE : PADV_DIMENSION_APPLICATION, .name = i == 8 ? "<b>" : "somebody",
			.row = {.active_avg = i % 7 == 0 ? 30.0 : 5.0, .in_class[PADV_WAITING_LOCK] = 1.5, .blame = i == 0 ? 0.25 : 0.0},
		};
	report.nload = 14;
	write_page();
	ok(times("<tr><th scope=\"row\">role <bdi>somebody</bdi>") == PADV_REPORT_KEYS &&
	   times("<tr><th scope=\"row\">application <bdi>") == PADV_REPORT_KEYS, "some keys of each dimension");
	ok(times("<span>30</span>") == 2 && times("width=\"50\"") == 2, "with a bar for their share");
	ok(times("<td class=\"n\">0.25</td>") == 1, "and the blame");
	is_well_formed("the load by key");
}

static void
test_roles(void)
{
	char		names[MAX_ROLES][40];

	set_up();
	write_page();
	ok(times("No role has a session") == 1 && times("No limit on sessions is in force.") == 1, "no roles, no limits");

	for (int i = 0; i < 500; i++)
	{
		snprintf(names[i], sizeof(names[i]), "role \"%03d\" <b>&amp;", i);
		roles[i] = (PadvRoleBar) {
			.name = names[i], .active_avg = i, .sessions = 2, .limit = i % 2 ? 20 : -1, .refused = 1,
		};
	}
	for (int i = 0; i < PADV_REPORT_LINES; i++)
		limits[i] = (PadvMetricsLimit) {
			.labels = {names[i], i % 2 ? "<i>" : NULL}, .in_use = 3, .max_sessions = 3,
		};
	report.nroles = 500;
	report.nlimits = PADV_REPORT_LINES;
	report.all_limits = 500;
	write_page();
	is_well_formed("500 roles");
	ok(length < 300 * 1024, "and less than 300 kB: %d", (int) length);
	ok(times("role &quot;499&quot; &lt;b&gt;&amp;amp;") == 1 && times("role &quot;450&quot;") == 1 &&
	   times("role &quot;449&quot;") == 0, "50 of them, the most active");
	ok(times("(450 other roles)") == 1 && times(">900<") == 1 && times(">450<") == 2, "the others in one line");
	ok(times("And 450 more, which the view limits shows.") == 1, "of the limits, too");
	ok(times("<b>&amp;amp;") == 0 && times("<i>") == 0, "no name is markup");
}

/* --- random data ---------------------------------------------------------- */

static uint64_t state = 1;

static uint64_t
random_bits(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 32) ^ (state << 32);
}

static int
random_below(int limit)
{
	return (int) ((random_bits() >> 33) % (uint64_t) limit);
}

/* Sensible, tiny, huge, unknown, or any bits at all. */
static double
random_figure(void)
{
	uint64_t	bits = random_bits();
	double		figure;

	switch (random_below(9))
	{
		case 0:
			return -1;
		case 1:
			return 1e-6 * random_below(100);
		case 2:
			return 1e9 * random_below(1000);
		case 3:
			memcpy(&figure, &bits, sizeof(figure));
			return figure;
		default:
			return random_below(1000) / 10.0;
	}
}

static const char *
random_name(char *name, int size)
{
	static const char *const pieces[] = {
		"<script>", "\"", "'", "&", "]]>", "-->", "\n", "\xF0\x9F\x90\x98", "\xE9", "x", "</td>", "<![CDATA[",
		" onload=", "\x01", "url(", "&#60;", "\xE2\x80\xAE", "{}", ";",
	};
	int			used = 0;
	int			count = random_below(8);

	name[0] = '\0';
	for (int i = 0; i < count && used < size; i++)
		used += snprintf(name + used, (size_t) (size - used), "%s",
						 pieces[random_below((int) (sizeof(pieces) / sizeof(pieces[0])))]);
	return name;
}

static void
randomize_points(int resolution)
{
	int			count = random_below(3) ? random_below(200) : random_below(MAX_POINTS);

	set_points(resolution, count);
	for (int i = 0; i < count; i++)
	{
		PadvHistoryPoint *point = &points[resolution][i];

		if (random_below(50) == 0)
			point->at = (int64_t) random_bits() >> random_below(30);
		point->active_avg = (float) random_figure();
		point->active_max = (float) random_figure();
		point->optimal = (float) random_figure();
		point->queued = (float) random_figure();
		for (int class = 0; class < PADV_WAIT_CLASSES; class++)
			point->in_class[class] = (float) random_figure();
	}
}

static void
randomize_picture(void)
{
	PadvModel  *model = &local.status.model;

	model->verdict = (PadvVerdict) random_below(5);
	model->load_ratio = random_figure();
	model->demand = random_figure();
	model->pool_size = (int64_t) random_bits();
	model->chosen = (PadvMethod) random_below(PADV_METHODS);
	for (int method = 0; method < PADV_METHODS; method++)
		model->estimates[method] = (PadvEstimate) {
			random_below(2), (int64_t) random_bits(), (int64_t) random_bits(), (int64_t) random_bits(),
			(PadvConfidence) random_below(4),
		};
	model->curve = (PadvCurve) {
		.state = (PadvCurveState) random_below(3), .fit_known = random_below(2),
		.busy = {random_figure(), random_figure(), random_figure()},
		.throughput = random_figure(),
		.fit = {random_figure(), random_figure(), random_figure(), 0},
	};
	local.age_seconds = random_figure();
	local.status.minute.active = random_figure();
	local.status.idle_holder.holders = random_below(2);
	local.status.idle_holder.idle_seconds = random_figure();
	local.status.taken_at = random_below(10) ? MORNING : 0;
}

static void
randomize_tables(void)
{
	static char names[3 * MAX_ROLES][70];
	int			n = 0;

	report.nrows = random_below(PADV_CURVE_BINS + 1);
	for (int i = 0; i < report.nrows; i++)
		rows[i] = (PadvScalabilityRow) {
			.connections = random_figure(), .throughput = random_figure(), .seconds = random_figure(),
		};
	report.nroles = random_below(MAX_ROLES);
	for (int i = 0; i < report.nroles; i++)
		roles[i] = (PadvRoleBar) {
			random_name(names[n++], 70), random_figure(), (int64_t) random_bits(), (int64_t) random_bits(),
			(int64_t) random_bits(), (int64_t) random_bits(), random_below(100),
		};
	report.nload = random_below(20);
	for (int i = 0; i < report.nload; i++)
		load[i] = (PadvReportKey) {
			.dimension = (PadvDimension) random_below(PADV_DIMENSIONS), .name = random_name(names[n++], 70),
			.row = {.active_avg = random_figure(), .in_class = {random_figure()}, .blame = random_figure()},
		};
	report.nlimits = random_below(PADV_REPORT_LINES + 1);
	report.all_limits = report.nlimits + random_below(2);
	for (int i = 0; i < report.nlimits; i++)
		limits[i] = (PadvMetricsLimit) {
			.labels = {random_below(2) ? random_name(names[n++], 70) : NULL,
			random_below(2) ? random_name(names[n++], 70) : NULL},
			.in_use = random_below(100), .max_sessions = random_below(100) - 10, .is_group = random_below(2),
		};
	report.default_max_sessions = random_below(100) - 50;
	report.cluster_name = random_name(names[n++], 70);
	report.host = random_name(names[n++], 70);
	facts[0].value = random_name(names[n++], 70);
	local.holder_role = random_name(names[n++], 70);
	local.holder_role_quoted = random_name(names[n++], 70);
	local.holder_database = random_name(names[n++], 70);
}

static void
test_random(void)
{
	int			good = 0;
	size_t		longest = 0;
	int			shapes = 0;

	for (int i = 0; i < 400; i++)
	{
		Reader		reader;

		set_up();
		for (int resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
			randomize_points(resolution);
		randomize_picture();
		randomize_tables();
		write_page();
		reader = read_page();
		if (reader.wrong && good == i)
			printf("#   %s: %.200s\n", reader.wrong, reader.at > written + 100 ? reader.at - 100 : written);
		good += reader.wrong == NULL;
		shapes += reader.shapes;
		if (length > longest)
			longest = length;
	}
	ok(good == 400, "%d of 400 random pages are well-formed, with numbers for places", good);
	ok(shapes > 40000, "and they have drawings in them: %d places", shapes);
	ok(longest < 300 * 1024, "none is longer than 300 kB: %d", (int) longest);
}

/* As much as there can be of everything, and no two steps of the same height. */
static void
test_fullest(void)
{
	static const int counts[PADV_RESOLUTIONS] = {
		PADV_HISTORY_SECONDS, PADV_HISTORY_TENS, PADV_HISTORY_FIVE_MINUTES,
	};
	char		name[64];

	set_up();
	for (int i = 0; i < 62; i += 2)
		memcpy(name + i, "\xD1\x84", 3);
	for (int resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
	{
		set_points(resolution, counts[resolution]);
		for (int i = 0; i < counts[resolution]; i++)
		{
			PadvHistoryPoint *point = &points[resolution][i];

			point->active_avg = (float) random_below(1000);
			point->active_max = 1000.0f + (float) random_below(1000);
			point->optimal = (float) random_below(1000) + 1.0f;
			point->queued = (float) random_below(1000);
			for (int class = 0; class < PADV_WAIT_CLASSES; class++)
				point->in_class[class] = (float) random_below(200);
		}
	}
	for (int i = 0; i < PADV_CURVE_BINS; i++)
		rows[i] = (PadvScalabilityRow) {.connections = i + 1, .throughput = 1000 + i, .seconds = 10};
	for (int i = 0; i < MAX_ROLES; i++)
		roles[i] = (PadvRoleBar) {name, i, 999999, 999999, 999999, 999999, 999999};
	for (int i = 0; i < PADV_REPORT_LINES; i++)
		limits[i] = (PadvMetricsLimit) {.labels = {name, name}, .in_use = 999999, .max_sessions = 999999};
	for (int i = 0; i < PADV_DIMENSIONS * PADV_LOAD_ROWS; i++)
		load[i] = (PadvReportKey) {.dimension = (PadvDimension) (i / PADV_LOAD_ROWS), .name = name, .row.active_avg = 1234.5};
	report.nload = PADV_DIMENSIONS * PADV_LOAD_ROWS;
	report.nrows = PADV_CURVE_BINS;
	report.nroles = MAX_ROLES;
	report.nlimits = PADV_REPORT_LINES;
	report.all_limits = 2048;
	write_page();
	ok(length < 300 * 1024, "the fullest page has less than 300 kB: %d", (int) length);
	is_well_formed("the fullest page");
}

/* The reader sees what it is for. */
static void
test_reader(void)
{
	static const char *const bad[] = {
		"<p>", "</p>", "<p></b>", "<p>a & b</p>", "<p>&nbsp;</p>", "<p>&#1;</p>", "<p>a > b</p>",
		"<p class=x></p>", "<p class=\"<\"></p>", "<svg><rect width=\"nan\"/></svg>", "<svg><rect width=\"inf%\"/></svg>",
		"<svg><path d=\"M0,nan\"/></svg>", "<p onload=\"x\"></p>", "<script></script>", "<a href=\"http://x\"></a>",
		"<p>\xC3\xBC</p>", "<p>\x01</p>", "text", "<p id=\"a\"><b id=\"a\"></b></p>",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		clear();
		append(NULL, "<!DOCTYPE html>\n");
		append(NULL, bad[i]);
		ok(read_page().wrong != NULL, "the reader refuses case %d", (int) i);
	}
	clear();
}

int
main(void)
{
	test_reader();
	test_text();
	test_number();
	test_path();
	test_periods();
	test_clocks();
	test_queue();
	test_few();
	test_verdict();
	test_load();
	test_roles();
	test_random();
	test_fullest();
	return tap_end();
}
