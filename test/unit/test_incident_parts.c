/*
 * test_incident_parts.c
 *		The parts that find, keep and tell incidents: ring, file, culprits, roles, what is
 *		usual, words, and the drawing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdlib.h>
#include <string.h>

#include "core/advice/incident_words.h"
#include "core/model/blame.h"
#include "core/model/incident_file.h"
#include "core/model/role_watch.h"
#include "core/render/chart.h"
#include "core/stats/baseline.h"
#include "tap.h"

#define SYSTEM UINT64_C(7500000000000000001)
#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define DAY (1440 * MINUTE)
#define NOW (INT64_C(9600) * DAY + 360 * MINUTE)

static PadvIncidentRing ring;
static PadvIncidentRing other;
static PadvIncident rows[PADV_MAX_INCIDENTS];
static unsigned char bytes[PADV_INCIDENT_MOST_BYTES + 8];

static uint64_t seed = 1;

static int
random_below(int below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int) ((seed >> 33) % (uint64_t) below);
}

static PadvIncident
some_incident(uint64_t number, PadvIncidentKind kind)
{
	return (PadvIncident) {
		.number = number,.began = NOW + (int64_t) number * MINUTE,.ended = NOW + (int64_t) number * MINUTE + 30 * SECOND,
		.seen = NOW + (int64_t) number * MINUTE + 30 * SECOND,.kind = kind,.peak = 12.0,.usual = 1.0,.share = -1.0,
		.held_seconds = -1.0,.throughput = 10.0,.throughput_before = 100.0,.not_done = 2700.0,.optimal = 8.0
	};
}

/* --- ring --- */

static void
fill_ring(int count)
{
	padv_incident_ring_init(&ring);
	for (int i = 1; i <= count; i++)
	{
		PadvIncident incident = some_incident((uint64_t) i, (PadvIncidentKind) (i % PADV_INCIDENT_KINDS));

		padv_incident_ring_put(&ring, &incident);
	}
}

static void
test_ring(void)
{
	PadvIncident incident;

	padv_incident_ring_init(&ring);
	ok(padv_incident_ring_copy(&ring, rows) == 0 && padv_incident_ring_active(&ring) == 0, "an empty ring");
	fill_ring(450);
	ok(padv_incident_ring_copy(&ring, rows) == PADV_MAX_INCIDENTS, "the last 200 are kept");
	ok(rows[0].number == 450 && rows[199].number == 251, "the newest first");
	ok(ring.total[0] == 64 && ring.total[1] == 65, "all are counted");

	incident = rows[5];
	incident.ended = 0;
	incident.peak = 99.0;
	padv_incident_ring_put(&ring, &incident);
	padv_incident_ring_copy(&ring, rows);
	ok(rows[5].peak == 99.0 && padv_incident_ring_active(&ring) == 1, "a new state takes the place of the old one");
	ok(ring.total[incident.kind] == 64 + (incident.kind < 3 && incident.kind > 0), "and is not counted again");
	incident = some_incident(250, PADV_INCIDENT_STALLED);
	padv_incident_ring_put(&ring, &incident);
	ok(padv_incident_ring_copy(&ring, rows) == PADV_MAX_INCIDENTS && rows[199].number == 251, "an old number is ignored");
	padv_incident_ring_end_all(&ring);
	ok(padv_incident_ring_active(&ring) == 0 && ring.rows[445 % PADV_MAX_INCIDENTS].ended == rows[5].seen, "what lasts can be ended");
	padv_incident_ring_forget(&ring);
	ok(padv_incident_ring_copy(&ring, rows) == 0, "all can be forgotten");
	padv_incident_ring_put(&ring, &incident);
	incident.number = 451;
	padv_incident_ring_put(&ring, &incident);
	ok(padv_incident_ring_copy(&ring, rows) == 1 && rows[0].number == 451, "and numbers go on");
	incident.number = 453;
	padv_incident_ring_put(&ring, &incident);
	ok(padv_incident_ring_copy(&ring, rows) == 2, "a number that is left out is no row");
}

/* --- file --- */

static size_t
write_ring(void)
{
	size_t		size = padv_incident_write(&ring, SYSTEM, bytes);

	padv_file_seal(bytes, size);
	return size;
}

static bool
comes_back(size_t size)
{
	int			count;

	if (padv_incident_parse(bytes, size, SYSTEM, &other) != PADV_FILE_INTACT)
		return false;
	count = padv_incident_ring_copy(&ring, rows);
	for (int i = 0; i < count; i++)
		if (memcmp(&rows[i], &other.rows[rows[i].number % PADV_MAX_INCIDENTS], sizeof(rows[i])) != 0)
			return false;
	return padv_incident_ring_copy(&other, rows) == count && other.newest == (count > 0 ? ring.newest : 0);
}

static void
test_file(void)
{
	PadvIncident incident = some_incident(202, PADV_INCIDENT_LEAK);
	size_t		size;
	int			refused = 0;
	int			sound = 0;

	padv_incident_ring_init(&ring);
	ok(comes_back(write_ring()), "an empty ring comes back from a file");
	fill_ring(3);
	ok(comes_back(write_ring()), "some incidents do");
	fill_ring(201);
	size = write_ring();
	ok(size == PADV_INCIDENT_MOST_BYTES && comes_back(size), "and as many as there can be");
	ok(other.total[3] == 0, "totals begin anew");

	incident.ended = 0;
	padv_incident_ring_put(&ring, &incident);
	(void) padv_incident_parse(bytes, write_ring(), SYSTEM, &other);
	ok(padv_incident_ring_copy(&other, rows) == PADV_MAX_INCIDENTS && rows[0].ended == rows[0].seen, "what lasted has ended");
	ok(padv_incident_parse(bytes, size, SYSTEM + 1, &other) == PADV_FILE_FOREIGN && padv_incident_ring_copy(&other, rows) == 0,
	   "a file of another cluster is refused");

	for (int i = 0; i < 100000; i++)
	{
		size_t		at;

		fill_ring(1 + random_below(4));
		size = write_ring();
		for (int n = random_below(3); n >= 0; n--)
		{
			at = (size_t) random_below((int) size);
			bytes[at] = (unsigned char) (random_below(2) ? random_below(256) : bytes[at] ^ (1 << random_below(8)));
		}
		if (random_below(4) == 0)
			size = (size_t) random_below((int) size + 1);
		if (random_below(4) != 0)
			padv_file_seal(bytes, size);
		if (padv_incident_parse(bytes, size, SYSTEM, &other) != PADV_FILE_INTACT)
		{
			refused++;
			sound += padv_incident_ring_copy(&other, rows) == 0;
			continue;
		}
		for (int n = padv_incident_ring_copy(&other, rows) - 1; n >= 0; n--)
			if (!padv_incident_sound(&rows[n]))
				refused = -1000000;
		sound++;
	}
	ok(sound == 100000 && refused > 1000, "of 100000 bad files nothing unsound is believed (%d refused)", refused);
}

/* --- culprits --- */

static void
see(PadvBlame *blame, int32_t pid, uint32_t role, int64_t blocked, int times)
{
	PadvBlockers blockers = {.count = 1};

	blockers.rows[0] = (PadvBlocker) {.pid = pid,.xid = pid == 0 ? 77 : 0,.role = role,.blocked = blocked,.xact_seconds = (double) blocked,
		.state = PADV_BLOCKER_ACTIVE};
	for (int i = 0; i < times; i++)
		padv_blame_add(blame, &blockers, 1.0);
}

static void
test_blame(void)
{
	PadvBlame	blame;
	PadvBlockers blockers = {.count = 2};
	PadvIncident incident = {0};

	padv_blame_init(&blame);
	padv_blame_name(&blame, 0.5, &incident);
	ok(incident.culprit == PADV_CULPRIT_NONE && incident.share < 0.0, "nobody waited, nobody is to blame");
	for (int i = 0; i < 1000; i++)
	{
		see(&blame, 1000 + i, 10, 4, 1);
		see(&blame, 7, 11, 6, 1);
	}
	padv_blame_name(&blame, 0.5, &incident);
	ok(incident.culprit == PADV_CULPRIT_SESSION && incident.pid == 7 && incident.role == 11 && incident.held_seconds == 6.0,
	   "the session that most waited for, among a thousand");
	near(incident.share, 0.6, 0.01, "with its share");
	padv_blame_name(&blame, 0.7, &incident);
	ok(incident.culprit == PADV_CULPRIT_NONE, "unless more is called for");

	padv_blame_init(&blame);
	for (int i = 0; i < 1000; i++)
		see(&blame, 1000 + i, 10, 4, 1);
	see(&blame, 1, 11, 4, 200);
	padv_blame_name(&blame, 0.5, &incident);
	ok(incident.culprit == PADV_CULPRIT_ROLE && incident.role == 10, "a role, where no session stands out");

	padv_blame_init(&blame);
	see(&blame, 0, 10, 4, 10);
	padv_blame_name(&blame, 0.5, &incident);
	ok(incident.culprit == PADV_CULPRIT_PREPARED && incident.xid == 77, "a prepared transaction");

	padv_blame_init(&blame);
	blockers.rows[0] = (PadvBlocker) {.pid = 5, .role = 12, .blocked = 10, .advisory = true};
	blockers.rows[1] = (PadvBlocker) {.pid = 6, .role = 13, .blocked = 9};
	padv_blame_add(&blame, &blockers, 60.0);
	padv_blame_name(&blame, 0.5, &incident);
	ok(incident.pid == 6 && incident.share >= 1.0, "nobody is blamed for the wait for an advisory lock");
}

/* --- roles --- */

static PadvRoleWatch watch;

/* A second with one role; at which second a leak was seen first, or -1. */
static bool
role_second(uint32_t role, int64_t sessions, int64_t unused, double logins)
{
	padv_role_watch_begin(&watch);
	padv_role_watch_sessions(&watch, role, sessions, unused);
	padv_role_watch_logins(&watch, role, logins);
	padv_role_watch_end(&watch, 1.0, false, 0);
	return padv_role_watch_leak(&watch, 100, sessions >= 90) == role;
}

static int
leak_of(int64_t (*sessions) (int second), int64_t (*unused) (int second), int seconds)
{
	int64_t		before = sessions(0);

	padv_role_watch_init(&watch);
	for (int i = 0; i < seconds; i++)
	{
		int64_t		now = sessions(i);

		if (role_second(5, now, unused(i), now > before ? (double) (now - before) : 0.0))
			return i;
		before = now;
	}
	return -1;
}

static int64_t
leaking(int second)
{
	return 5 + (second < 200 ? 0 : (second - 200) / 4);
}

static int64_t
leaking_unused(int second)
{
	return second < 230 ? 0 : (second - 230) / 4;
}

/* A pool that grows because it must, and keeps what it has for ten minutes. */
static int64_t
elastic(int second)
{
	return 5 + (second < 200 ? 0 : second < 320 ? (second - 200) / 3 : second < 920 ? 40 : 0);
}

static int64_t
elastic_unused(int second)
{
	return second < 350 ? 0 : second < 920 ? 40 : 3;
}

/* Sessions that are opened at once, and kept. */
static int64_t
started(int second)
{
	return second < 200 ? 5 : 60;
}

static int64_t
started_unused(int second)
{
	return second < 230 ? 5 : 58;
}

/* Sessions come and go. */
static int64_t
changing(int second)
{
	return 20 + (second / 10 % 7) * 8;
}

static int64_t
changing_unused(int second)
{
	return changing(second) - 3;
}

static int64_t
exploding(int second)
{
	return second < 200 ? 5 : second < 220 ? 5 + 4 * (second - 200) : 92;
}

static int64_t
exploding_unused(int second)
{
	return second < 230 ? 3 : second < 250 ? 4 * (second - 230) : 88;
}

static void
test_leaks(void)
{
	int			second = leak_of(leaking, leaking_unused, 800);

	ok(second > 250 && second < 600, "a leak of a session every four seconds is seen (%d s after)", second - 200);
	ok(leak_of(elastic, elastic_unused, 2000) == -1, "a pool that grew when it had to is none");
	ok(leak_of(started, started_unused, 2000) == -1, "nor is a pool that started");
	ok(leak_of(changing, changing_unused, 2000) == -1, "nor sessions that come and go");
	second = leak_of(exploding, exploding_unused, 400);
	ok(second > 220 && second < 300, "a role that takes all connections in seconds is one (%d)", second);
}

static void
test_storms(void)
{
	bool		storm = false;

	padv_role_watch_init(&watch);
	for (int i = 0; i < 2000; i++)
	{
		(void) role_second(5, 20, 0, 30.0 + (i % 60 == 0 ? 100.0 : 0.0));
		storm |= padv_role_watch_storm(&watch, 4.0, false);
	}
	ok(!storm, "many logins are no storm when they are usual, nor are bursts");
	for (int i = 0; i < 10; i++)
		(void) role_second(6, 20, 0, 400.0);
	ok(padv_role_watch_storm(&watch, 4.0, false), "ten times as many are");
	ok(!padv_role_watch_storm(&watch, 1000.0, false), "unless the machine is large enough");
}

/* A role for each of 1500 sessions, which come and go. */
static void
test_many_roles(void)
{
	padv_role_watch_init(&watch);
	for (int i = 0; i < 400; i++)
	{
		padv_role_watch_begin(&watch);
		for (uint32_t role = 1; role <= 1500; role++)
		{
			padv_role_watch_sessions(&watch, role + (uint32_t) i * 100, 1, 1);
			padv_role_watch_logins(&watch, role + (uint32_t) i * 100, i % 10 == 0 ? 0.1 : 0.0);
		}
		padv_role_watch_end(&watch, 1.0, i > 300, 0);
	}
	ok(padv_role_watch_leak(&watch, 2000, false) == 0, "more roles than there is room for");
	ok(watch.keys.count <= PADV_KEY_ENTRIES && watch.keys.count > 0, "stay within it");
}

/* --- what is usual --- */

static void
test_usual(void)
{
	PadvUsual	usual;
	PadvPace	pace;

	padv_usual_begin(&usual, NOW);
	for (int day = 0; day <= 14; day++)
		for (int minute = -300; minute <= 300; minute += 5)
		{
			PadvHistoryPoint point = {.at = NOW - day * DAY + minute * MINUTE,.active_avg = 2.0f};

			if (minute == 20 && day % 2 == 0)
				point.active_avg = 20.0f;
			if (minute == 20)
				point.in_class[PADV_WAITING_IO] = 8.0f;
			if (minute == 60)
				point.in_class[PADV_WAITING_LOCK] = 50.0f;
			padv_usual_add(&usual, &point);
		}
	pace = padv_usual_pace(&usual);
	ok(pace.io == 8.0, "what happens every day around this time is usual");
	ok(pace.lock == 0.0, "what happens at another time is not");
	ok(pace.demand == 2.0, "nor what happens every other day");

	padv_usual_begin(&usual, NOW);
	for (int day = 1; day <= 2; day++)
		padv_usual_add(&usual, &(PadvHistoryPoint) {.at = NOW - day * DAY,.active_avg = 30.0f});
	ok(padv_usual_pace(&usual).demand == 0.0, "two days are too few to tell");
}

static void
test_baseline(void)
{
	PadvBaseline baseline;
	PadvPace	mean;

	padv_baseline_init(&baseline);
	for (int i = 0; i < 89; i++)
		padv_baseline_add(&baseline, &(PadvPace) {.throughput = 10.0}, 1.0);
	ok(!padv_baseline_mean(&baseline, &mean), "less than a minute is not known");
	padv_baseline_add(&baseline, &(PadvPace) {.throughput = 10.0}, 1.0);
	ok(padv_baseline_mean(&baseline, &mean), "then it is");
	near(mean.throughput, 10.0, 1e-9, "the mean");
	for (int i = 0; i < 30; i++)
		padv_baseline_add(&baseline, &(PadvPace) {.throughput = 1000.0}, 1.0);
	padv_baseline_mean(&baseline, &mean);
	near(mean.throughput, 10.0, 1e-9, "in which the last half minute is not");
	for (int i = 0; i < 2000; i++)
		padv_baseline_add(&baseline, &(PadvPace) {.throughput = 500.0}, 1.0);
	padv_baseline_mean(&baseline, &mean);
	near(mean.throughput, 500.0, 1e-9, "after ten minutes it is another one");
}

/* --- words --- */

static void
test_words(void)
{
	char		text[PADV_INCIDENT_SENTENCE];
	bool		good = true;

	for (int kind = 0; kind < PADV_INCIDENT_KINDS; kind++)
		for (int culprit = 0; culprit < PADV_CULPRITS; culprit++)
			for (int state = 0; state < (culprit == PADV_CULPRIT_BACKGROUND ? PADV_BACKGROUNDS : PADV_BLOCKER_UNKNOWN + 1); state++)
			{
				PadvNamedIncident named = {.incident = some_incident(1, (PadvIncidentKind) kind),.role = "web",.role_quoted = "web",
		.database = "shop",.database_quoted = "shop"};

				named.incident.culprit = (uint32_t) culprit;
				named.incident.state = (uint32_t) state;
				strcpy(named.incident.application, "nightly");
				padv_incident_cause(&named, text, sizeof(text));
				good &= strlen(text) > 20 && text[strlen(text) - 1] == '.' && strchr(text, '%') == strstr(text, "% of");
				padv_incident_remedy(&named, text, sizeof(text));
				good &= strlen(text) > 20 && text[strlen(text) - 1] == '.';
				padv_incident_culprit(&named, text, sizeof(text));
				good &= (text[0] == '\0') == (culprit == PADV_CULPRIT_NONE);
				good &= padv_incident_peak_what((PadvIncidentKind) kind)[0] != '\0';
			}
	ok(good, "each incident has its sentences");
	for (int kind = 0; kind < PADV_INCIDENT_KINDS; kind++)
		for (int state = 0; state <= PADV_BLOCKER_UNKNOWN; state++)
			for (int dropped = 0; dropped < 2; dropped++)
			{
				PadvNamedIncident named = {.incident = some_incident(1, (PadvIncidentKind) kind),
				.role = dropped ? "unknown (OID=5)" : "",.role_quoted = "",
				.database = "",.database_quoted = ""};

				named.incident.culprit = PADV_CULPRIT_SESSION;
				named.incident.state = (uint32_t) state;
				padv_incident_remedy(&named, text, sizeof(text));
				good &= strstr(text, "ALTER ROLE") == NULL && strlen(text) > 20 && text[strlen(text) - 1] == '.';
			}
	ok(good, "without a known role nothing is set for one, or for all");
	{
		PadvNamedIncident named = {.incident = some_incident(1, PADV_INCIDENT_STALLED),.role = "",.role_quoted = "",
		.database = "",.database_quoted = ""};

		named.incident.culprit = PADV_CULPRIT_SESSION;
		named.incident.state = PADV_BLOCKER_SERVER;
		padv_incident_remedy(&named, text, sizeof(text));
		ok(strstr(text, "on the primary") != NULL && strstr(text, "statement_timeout") == NULL, "a process of the server: %s", text);
		named.incident.state = PADV_BLOCKER_QUEUED;
		padv_incident_remedy(&named, text, sizeof(text));
		ok(strstr(text, "in the queue") != NULL, "one in the queue: %s", text);
		named.incident.state = PADV_BLOCKER_UNKNOWN;
		padv_incident_remedy(&named, text, sizeof(text));
		ok(strstr(text, "track_activities") != NULL, "one that tells no state: %s", text);
	}

	{
		PadvNamedIncident named = {.incident = some_incident(1, PADV_INCIDENT_IO_FLOOD),.role = "Night",.role_quoted = "\"Night\"",
		.database = "",.database_quoted = ""};

		named.incident.culprit = PADV_CULPRIT_ROLE;
		named.incident.share = 0.87;
		named.incident.share_before = 0.02;
		padv_incident_cause(&named, text, sizeof(text));
		ok(strcmp(text, "Up to 12 sessions waited for I/O or commits at once, against 1 before, up to 87 % of them of role Night, against 2 % before, and 10 transactions a second were done instead of 100.") == 0,
		   "a flood of I/O: %s", text);
		padv_incident_remedy(&named, text, sizeof(text));
		ok(strstr(text, "ALTER ROLE \"Night\" SET pool_advisor.max_active = 4. ") != NULL, "the others keep their room: %s", text);
		named.incident.culprit = PADV_CULPRIT_APPLICATION;
		padv_incident_remedy(&named, text, sizeof(text));
		ok(strstr(text, "ALTER") == NULL && strstr(text, ": pool_advisor.max_active = 4 for a role of its own, as others use role Night, too. ") != NULL,
		   "no limit for those who share its role: %s", text);
		named.incident.culprit = PADV_CULPRIT_ROLE;
		named.standby = true;
		padv_incident_remedy(&named, text, sizeof(text));
		ok(strstr(text, "ALTER ROLE \"Night\" SET pool_advisor.max_active = 4 on the primary. ") != NULL, "on a standby: %s", text);
		named.exempt = true;
		for (PadvCulprit culprit = PADV_CULPRIT_ROLE; culprit <= PADV_CULPRIT_QUERY; culprit++)
		{
			named.incident.culprit = culprit;
			padv_incident_remedy(&named, text, sizeof(text));
			ok(strstr(text, "ALTER") == NULL && strstr(text, "role Night is") != NULL && strstr(text, "exempt from limits") != NULL,
			   "no limit is set where none would hold: %s", text);
		}
		for (PadvIncidentKind kind = PADV_INCIDENT_LOGIN_STORM; kind <= PADV_INCIDENT_LEAK; kind++)
		{
			named.incident.kind = kind;
			padv_incident_remedy(&named, text, sizeof(text));
			ok(strstr(text, "ALTER") == NULL && strstr(text, "role Night is exempt from limits") != NULL, "nor of sessions: %s", text);
		}
		named.incident.kind = PADV_INCIDENT_IO_FLOOD;
		named.incident.culprit = PADV_CULPRIT_BACKGROUND;
		named.incident.state = PADV_BACKGROUND_CHECKPOINTER;
		padv_incident_cause(&named, text, sizeof(text));
		ok(strstr(text, ", beside the checkpointer, which waited for I/O 87 % of the time, against 2 % before, and") != NULL,
		   "a process without a client: %s", text);
	}

	{
		PadvNamedIncident named = {.incident = some_incident(1, PADV_INCIDENT_STALLED),.role = "web",.role_quoted = "web",
		.database = "shop",.database_quoted = "shop"};

		named.incident.culprit = PADV_CULPRIT_SESSION;
		named.incident.pid = 4711;
		named.incident.peak = 19.0;
		named.incident.held_seconds = 45.2;
		named.incident.state = PADV_BLOCKER_IDLE_IN_TRANSACTION;
		strcpy(named.incident.application, "billing");
		padv_incident_cause(&named, text, sizeof(text));
		ok(strcmp(text, "Up to 19 sessions stood still behind a lock of process 4711 (role web, application billing), idle in transaction, with a transaction up to 45 s old, and 10 transactions a second were done instead of 100.") == 0,
		   "a stall: %s", text);
		named.incident.kind = PADV_INCIDENT_LOCK_STORM;
		named.incident.share = 0.87;
		padv_incident_cause(&named, text, sizeof(text));
		ok(strcmp(text, "Up to 19 sessions waited for locks at once, 87 % of the time for process 4711 (role web, application billing), and 10 transactions a second were done instead of 100.") == 0,
		   "a lock storm: %s", text);
		named.incident.kind = PADV_INCIDENT_LOGIN_STORM;
		named.incident.culprit = PADV_CULPRIT_ROLE;
		padv_incident_cause(&named, text, sizeof(text));
		ok(strcmp(text, "Up to 19 logins a second came, against 1 before, 87 % of them of role web.") == 0, "a login storm: %s", text);
	}
}

/* --- the drawing --- */

static int64_t
no_offset(int64_t at)
{
	(void) at;
	return 0;
}

static bool
draws(int width, int height, const PadvIncident *incidents, int count, const char *expected)
{
	static PadvCanvas canvas;
	static char drawn[PADV_CANVAS_MAX_HEIGHT * PADV_CANVAS_LINE];
	PadvTimeline timeline = {.from = NOW,.until = NOW + 60 * MINUTE,.interval = SECOND,.utc_offset = no_offset};
	char		line[PADV_CANVAS_LINE];

	padv_canvas_init(&canvas, width, height, false);
	padv_chart_incidents(&canvas, &timeline, incidents, count);
	drawn[0] = '\0';
	for (int row = 0; row < padv_canvas_rows(&canvas); row++)
	{
		padv_canvas_line(&canvas, row, line);
		strcat(strcat(drawn, line), "\n");
	}
	if (strcmp(drawn, expected) == 0)
		return true;
	printf("%s", drawn);
	return false;
}

static void
test_chart(void)
{
	PadvIncident incidents[3] = {
		some_incident(50, PADV_INCIDENT_LOCK_STORM), some_incident(10, PADV_INCIDENT_STALLED), some_incident(1, PADV_INCIDENT_LEAK)
	};

	incidents[0].ended = 0;
	incidents[1].ended = incidents[1].began + 8 * MINUTE;
	incidents[2].began -= 3 * DAY;
	incidents[2].ended -= 3 * DAY;
	ok(draws(80, 16, NULL, 0, "There was no incident in the last 1 h.\n"), "no incident");
	ok(draws(60, 16, incidents, 3,
			 "Incidents, last 1 h; a column is 1.5 min\n"
			 "         stalled +      #######\n"
			 "      lock storm +                                  #######\n"
			 "                 ++---------+---------+---------+----------\n"
			 "                06:00     06:15     06:30     06:45\n"
			 "# 2 in all, 1 of them now\n"), "two of them in the period");
	ok(draws(60, 5, incidents, 3,
			 "         stalled +      #######\n"
			 "      lock storm +                                  #######\n"
			 "                 ++---------+---------+---------+----------\n"
			 "                06:00     06:15     06:30     06:45\n"
			 "# 2 in all, 1 of them now\n"), "without a title where there is no room");
}

int
main(void)
{
	test_ring();
	test_file();
	test_blame();
	test_leaks();
	test_storms();
	test_many_roles();
	test_usual();
	test_baseline();
	test_words();
	test_chart();
	return tap_end();
}
