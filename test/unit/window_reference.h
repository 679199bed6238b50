/*
 * window_reference.h
 *		A simulated server, and a slow and obvious counterpart of the window.
 *
 * The counterpart keeps every sample of the last hour and counts all of it
 * anew when asked.  It knows the contract (window.h), not the code.  All is
 * deterministic: simulated clocks, a fixed seed.  test_window.c includes it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_WINDOW_COUNTERPART_H
#define PADV_WINDOW_COUNTERPART_H

#include <stdlib.h>
#include <string.h>

#include "core/stats/window.h"
#include "tap.h"

#define MILLISECOND INT64_C(1000)
#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

#define SLOTS 2000
#define ROLE_BASE 16384
#define NAMES 4096				/* events, and roles, told apart here */

/* Where the simulated wall clock begins: some day in 2026. */
#define WALL_START INT64_C(820000000000000)

static uint64_t seed = 1;

static int64_t
random_below(int64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int64_t) ((seed >> 16) % (uint64_t) below);
}

/* Event 0 is on CPU; the others are spread over the server's classes. */
static uint32_t
event_number(int event)
{
	return event == 0 ? 0 : (uint32_t) (1 + event % 9) << 24 | (uint32_t) event;
}

/*
 * The simulated server.  A session goes through idle, active and idle in
 * transaction at random, and a new one takes its slot now and then.
 */
typedef struct World
{
	int64_t		clock_us;
	int64_t		wall;
	int			nsessions;
	int			nevents;
	int			first_event;	/* but 0, which is always there */
	int			nroles;
	PadvSession sessions[SLOTS];
} World;

static World world;

static void
start_session(int slot)
{
	static int32_t last_pid = 0;
	PadvSession *session = &world.sessions[slot];

	memset(session, 0, sizeof(*session));
	session->status_index = slot;
	session->pid = ++last_pid;
	session->role = ROLE_BASE + (uint32_t) random_below(world.nroles);
	session->state = PADV_STATE_IDLE;
	session->state_start = world.wall;
	session->parallel_worker = random_below(8) == 0;
}

static void
start_world(int nsessions, int nevents, int nroles)
{
	world = (World) {.clock_us = 5 * HOUR, .wall = WALL_START,
		.nsessions = nsessions, .nevents = nevents, .nroles = nroles};
	for (int i = 0; i < nsessions; i++)
		start_session(i);
}

/* What may have happened to a session since the last sample. */
static void
move_session(PadvSession *session, int64_t elapsed)
{
	int			event = (int) random_below(world.nevents);

	if (elapsed == 0 || random_below(3) > 0)
		return;
	if (random_below(50) == 0)
		start_session(session->status_index);
	session->statement_start = world.wall - elapsed + random_below(elapsed);
	session->state_start = session->statement_start +
		random_below(world.wall - session->statement_start + 1);
	session->state = (uint8_t) random_below(PADV_STATE_QUEUED + 1);
	session->xact_start = session->statement_start;
	session->holds_horizon = random_below(2) == 0;
	session->local = random_below(2) == 0;
	session->wait_event = event_number(event == 0 ? 0 : world.first_event + event);
	session->wait_class = (uint8_t) (event % PADV_WAIT_CLASSES);
	session->demands = session->state == PADV_STATE_ACTIVE && random_below(4) > 0;
}

/* The next sample, after so long; clocks that step back stand still here. */
static PadvSample
next_sample(int64_t elapsed)
{
	world.clock_us += elapsed;
	if (elapsed > 0)
		world.wall += elapsed;
	for (int i = 0; i < world.nsessions; i++)
		move_session(&world.sessions[i], elapsed > 0 ? elapsed : 0);
	return (PadvSample) {.clock_us = world.clock_us, .taken_at = world.wall,
		.logins_waiting = random_below(4), .count = world.nsessions,
		.sessions = world.sessions};
}

static PadvWindow *window = NULL;
static PadvDigest digest;

/* The row of an event, or NULL. */
static const PadvEventRow *
find_event(uint32_t event)
{
	for (int i = 0; i < digest.nevents; i++)
		if (digest.events[i].wait_event == event)
			return &digest.events[i];
	return NULL;
}

static const PadvRoleRow *
find_role(uint32_t role)
{
	for (int i = 0; i < digest.nroles; i++)
		if (digest.roles[i].role == role)
			return &digest.roles[i];
	return NULL;
}

/* The sum over all rows. */
static double
sum_events(PadvPeriod period)
{
	double		sum = 0.0;

	for (int i = 0; i < digest.nevents; i++)
		sum += digest.events[i].active_avg[period];
	return sum;
}

static double
sum_roles(void)
{
	double		sum = 0.0;

	for (int i = 0; i < digest.nroles; i++)
		sum += digest.roles[i].active_avg;
	return sum;
}

/* The counterpart: samples, as they were. */
typedef struct Record
{
	int64_t		now;			/* the clock, without its steps back */
	int64_t		elapsed;
	int64_t		turnaround;
	bool		for_p95;
	PadvSample	sample;
} Record;

typedef struct Tally
{
	int64_t		samples;
	int64_t		max;
	int64_t		held;
	int64_t		advisory;
	int64_t		turnaround;
	int64_t		demand;
	int64_t		workers;
	int64_t		logins;
	int64_t		by_state[PADV_STATE_QUEUED + 1];
	int64_t		by_class[PADV_WAIT_CLASSES];
	int64_t		by_event[NAMES];
	int64_t		by_worker_event[NAMES];
	int64_t		by_role[NAMES]; /* active sessions */
} Tally;

#define MAX_RECORDS 80000

static Record records[MAX_RECORDS];
static int	nrecords = 0;
static int64_t p95_due = 0;

static void
start_over(void)
{
	for (int i = 0; i < nrecords; i++)
		free(records[i].sample.sessions);
	nrecords = 0;
	p95_due = 0;
	padv_window_reset(window);
}

/*
 * Since when a session had been idle then; 0 if it was not, or its slot had
 * another one.  The world never leaves a slot empty.
 */
static int64_t
idle_since(const Record *record, const PadvSession *session)
{
	const PadvSession *then = &record->sample.sessions[session->status_index];

	return then->pid == session->pid && then->state == PADV_STATE_IDLE ? then->state_start : 0;
}

/* How many samples saw the idle period that a session has come out of. */
static int64_t
find_turnaround(const Record *last, const PadvSession *session)
{
	int64_t		limit = 100 * MILLISECOND;
	int64_t		slack = last->elapsed < limit ? last->elapsed : limit;
	int64_t		since = last > records ? idle_since(last - 1, session) : 0;
	int64_t		seen = 0;

	if (since == 0 || idle_since(last, session) == since ||
		session->statement_start <= since || session->statement_start - since > limit + slack)
		return 0;
	for (const Record *record = last - 1; record >= records; record--)
	{
		if (idle_since(record, session) != since)
			break;
		seen++;
	}
	return seen;
}

/* Into the window, and into the records. */
static void
add_sample(PadvSample sample)
{
	size_t		bytes = (size_t) sample.count * sizeof(PadvSession);
	Record	   *record;

	padv_window_add(window, &sample);

	if (nrecords == MAX_RECORDS)
	{
		for (int i = 0; i < MAX_RECORDS / 2; i++)
			free(records[i].sample.sessions);
		memmove(records, records + MAX_RECORDS / 2, sizeof(Record) * (MAX_RECORDS / 2));
		nrecords = MAX_RECORDS / 2;
	}
	record = &records[nrecords];
	*record = (Record) {.now = sample.clock_us, .sample = sample};
	if (nrecords > 0)
	{
		record->elapsed = sample.clock_us - record[-1].sample.clock_us;
		if (record->elapsed < 0)
			record->elapsed = 0;
		record->now = record[-1].now + record->elapsed;
	}
	record->sample.sessions = memcpy(malloc(bytes + 1), sample.sessions, bytes);
	nrecords++;

	for (int i = 0; i < sample.count; i++)
		if (!sample.sessions[i].parallel_worker)
			record->turnaround += find_turnaround(record, &record->sample.sessions[i]);
	record->for_p95 = record->now >= p95_due;
	if (record->for_p95)
		p95_due = record->now - p95_due >= 100 * MILLISECOND ?
			record->now + 100 * MILLISECOND : p95_due + 100 * MILLISECOND;
}

static int64_t
count_session(Tally *tally, const Record *record, const PadvSession *session)
{
	int			name = (int) (session->wait_event % NAMES);

	tally->demand += session->demands;
	if (session->parallel_worker)
	{
		tally->workers++;
		tally->by_worker_event[name]++;
		return 0;
	}
	tally->by_state[session->state]++;
	if (session->state == PADV_STATE_IDLE_IN_TRANSACTION &&
		record->sample.taken_at - session->state_start <= SECOND)
		tally->held++;
	if (session->state != PADV_STATE_ACTIVE)
		return 0;
	tally->by_class[session->wait_class]++;
	tally->advisory += session->wait_class == PADV_WAITING_LOCK && !session->demands;
	tally->by_event[name]++;
	tally->by_role[session->role - ROLE_BASE]++;
	return 1;
}

/* Count the newest buckets of a width. */
static void
count_period(Tally *tally, int64_t width, int buckets)
{
	int64_t		newest = records[nrecords - 1].now / width;

	memset(tally, 0, sizeof(*tally));
	for (int i = nrecords - 1; i >= 0 && newest - records[i].now / width < buckets; i--)
	{
		const PadvSample *sample = &records[i].sample;
		int64_t		active = 0;

		tally->logins += sample->logins_waiting;
		for (int s = 0; s < sample->count; s++)
			active += count_session(tally, &records[i], &sample->sessions[s]);
		tally->samples++;
		tally->turnaround += records[i].turnaround;
		if (active > tally->max)
			tally->max = active;
	}
}

static int
compare(const void *a, const void *b)
{
	int64_t		x = *(const int64_t *) a;
	int64_t		y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

static int64_t
find_p95(void)
{
	static int64_t values[600];
	static Tally one;
	int			n = 0;

	for (int i = nrecords - 1; i >= 0 && n < 600 &&
		 records[nrecords - 1].now - records[i].now < MINUTE; i--)
	{
		if (!records[i].for_p95)
			continue;
		values[n] = 0;
		for (int s = 0; s < records[i].sample.count; s++)
			values[n] += count_session(&one, &records[i], &records[i].sample.sessions[s]);
		n++;
	}
	qsort(values, (size_t) n, sizeof(int64_t), compare);
	return values[(int) ceil(0.95 * n) - 1];
}

static int	differences = 0;

static void
same(double got, double expected, const char *what)
{
	if (fabs(got - expected) <= 1e-9 * fabs(expected))
		return;
	if (differences++ < 5)
		printf("#   %s: got %.10g, expected %.10g\n", what, got, expected);
}

static void
compare_minute(const Tally *tally)
{
	const PadvMinute *minute = &digest.minute;
	double		n = (double) tally->samples;
	double		active = (double) tally->by_state[PADV_STATE_ACTIVE];
	int64_t		sessions = 0;

	for (int state = 0; state <= PADV_STATE_QUEUED; state++)
		sessions += tally->by_state[state];
	same((double) minute->samples, n, "samples");
	same(minute->sessions, (double) sessions / n, "sessions");
	same(minute->active, active / n, "active");
	same(minute->idle, (double) tally->by_state[PADV_STATE_IDLE] / n, "idle");
	same(minute->idle_in_transaction,
		 (double) tally->by_state[PADV_STATE_IDLE_IN_TRANSACTION] / n, "idle in transaction");
	same(minute->queued, (double) (tally->by_state[PADV_STATE_QUEUED] + tally->logins) / n,
		 "queued");
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		same(minute->in_class[class], (double) tally->by_class[class] / n, "class");
	same(minute->parallel_workers, (double) tally->workers / n, "parallel workers");
	same(minute->demand, (double) tally->demand / n, "demand");
	same(minute->held_in_transaction, (double) tally->held / n, "held");
	same(minute->turnaround, (double) tally->turnaround / n, "turnaround");
	same(minute->advisory, (double) tally->advisory / n, "advisory");
	same((double) minute->active_max, (double) tally->max, "max");
	same(minute->active_p95, (double) find_p95(), "p95");
	same(minute->io_wait_ratio,
		 active > 0 ? (double) tally->by_class[PADV_WAITING_IO] / active : 0.0, "io wait ratio");
}

/* The rows of a period must be right, and none may be missing. */
static void
compare_events(int period, const Tally *tally)
{
	double		n = (double) tally->samples;
	double		active = 0.0;
	double		workers = 0.0;

	for (int i = 0; i < digest.nevents; i++)
	{
		const PadvEventRow *row = &digest.events[i];
		uint32_t	name = row->wait_event % NAMES;

		active += row->active_avg[period];
		workers += row->parallel_avg[period];
		same(row->active_avg[period], (double) tally->by_event[name] / n, "event");
		same(row->parallel_avg[period], (double) tally->by_worker_event[name] / n, "worker event");
		if (period == PADV_1_HOUR && tally->by_event[name] + tally->by_worker_event[name] == 0)
			same(1, 0, "row of an event that was not seen");
	}
	same(active, (double) tally->by_state[PADV_STATE_ACTIVE] / n, "sum of events");
	same(workers, (double) tally->workers / n, "sum of workers' events");
}

static void
compare_roles(const Tally *tally)
{
	const Record *last = &records[nrecords - 1];
	double		samples = (double) tally->samples;
	double		active = 0.0;
	int64_t		sessions = 0;

	for (int i = 0; i < digest.nroles; i++)
	{
		const PadvRoleRow *row = &digest.roles[i];
		int64_t		n[PADV_STATE_QUEUED + 1] = {0};

		for (int s = 0; s < last->sample.count; s++)
		{
			const PadvSession *session = &last->sample.sessions[s];

			if (!session->parallel_worker && session->role == row->role)
				n[session->state]++;
		}
		same((double) row->active, (double) n[PADV_STATE_ACTIVE], "role's active");
		same((double) row->idle, (double) n[PADV_STATE_IDLE], "role's idle");
		same((double) row->idle_in_transaction, (double) n[PADV_STATE_IDLE_IN_TRANSACTION],
			 "role's idle in transaction");
		same((double) row->queued, (double) n[PADV_STATE_QUEUED], "role's queued");
		same((double) (row->sessions - n[PADV_STATE_OTHER]),
			 (double) (row->active + row->idle + row->idle_in_transaction + row->queued),
			 "role's sessions");
		same(row->active_avg, (double) tally->by_role[row->role - ROLE_BASE] / samples,
			 "role's average");
		if (row->sessions == 0 && row->active_avg <= 0.0)
			same(1, 0, "row of a role that was not seen");
		active += row->active_avg;
		sessions += row->sessions;
	}
	same(active, digest.minute.active, "sum of roles");
	same((double) sessions, (double) digest.last.sessions, "sum of roles' sessions");
}

static void
compare_holder(void)
{
	const PadvSample *sample = &records[nrecords - 1].sample;
	const PadvSession *oldest = NULL;
	int64_t		holders = 0;

	for (int s = 0; s < sample->count; s++)
	{
		const PadvSession *session = &sample->sessions[s];

		if (session->parallel_worker || session->state != PADV_STATE_IDLE_IN_TRANSACTION ||
			!session->holds_horizon)
			continue;
		holders++;
		if (oldest == NULL || session->xact_start < oldest->xact_start)
			oldest = session;
	}
	same((double) digest.idle_holder.holders, (double) holders, "idle holders");
	same(digest.idle_holder.pid, oldest != NULL ? oldest->pid : 0, "idle holder");
}

/* What the window says now, against the records. */
static void
compare_all(void)
{
	static const int64_t width[PADV_PERIODS] = {SECOND, SECOND, 10 * SECOND, MINUTE};
	static const int buckets[PADV_PERIODS] = {10, 60, 60, 60};
	static Tally tally;

	padv_window_digest(window, &digest);
	for (int period = 0; period < PADV_PERIODS; period++)
	{
		count_period(&tally, width[period], buckets[period]);
		compare_events(period, &tally);
		if (period != PADV_1_MINUTE)
			continue;
		compare_minute(&tally);
		compare_roles(&tally);
		compare_holder();
	}
}

#endif							/* PADV_WINDOW_COUNTERPART_H */
