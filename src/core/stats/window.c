/*
 * window.c
 *		Samples into counts, averages and per-event, per-role tables.
 *
 * Owns what is counted as what, over which periods.  Pure: no clock, no
 * globals, no allocation.  It trusts no number of a sample, for others write
 * them meanwhile: what is out of range counts as "other".  The worker calls
 * it.  Everything is kept as integer sums, and divided only in the digest;
 * every sample weighs the same, however long it was after the one before.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/window.h"

#include <string.h>

#include "core/stats/ring.h"

#define SECOND_US 1000000

#define STATES (PADV_STATE_QUEUED + 1)

/* What is summed up; the columns of the rings. */
enum
{
	SAMPLES,
	FIRST_STATE,
	IDLE = FIRST_STATE + PADV_STATE_IDLE,
	IDLE_IN_TRANSACTION = FIRST_STATE + PADV_STATE_IDLE_IN_TRANSACTION,
	ACTIVE = FIRST_STATE + PADV_STATE_ACTIVE,
	QUEUED = FIRST_STATE + PADV_STATE_QUEUED,
	SESSIONS = FIRST_STATE + STATES,
	PARALLEL_WORKERS,
	DEMAND,
	HELD_IN_TRANSACTION,
	IDLE_LONG,
	TURNAROUND,
	ROUND_TRIP,
	COMMITTING,
	COMMITTING_IO,
	COMMITTING_LWLOCK,
	ADVISORY,
	FIRST_CLASS,
	/* two for each event: sessions, parallel workers */
	FIRST_EVENT = FIRST_CLASS + PADV_WAIT_CLASSES,
	COLUMNS = FIRST_EVENT + 2 * PADV_MAX_EVENTS
};

/* The rings by the width of a bucket. */
enum
{
	SECONDS,
	TENS,
	MINUTES,
	WIDTHS
};

/* Entries that are never given back: for all others, and on CPU. */
#define FIXED_EVENTS 2
#define FIXED_ROLES 1

/* The idle period in which a session was seen last. */
typedef struct IdlePeriod
{
	int32_t		pid;
	uint32_t	seen;			/* samples that saw it; 0 none */
	int64_t		idle_since;
} IdlePeriod;

struct PadvWindow
{
	int			max_slots;

	/* the sample's clock, and a copy that only goes forward */
	int64_t		clock_us;
	uint64_t	now;
	uint64_t	elapsed_us;		/* since the sample before, or since 0 */
	uint64_t	turnaround_limit;	/* of an idle period, with the slack */

	/* the last sample */
	int64_t		samples_total;
	int64_t		taken_at;
	int64_t		counted[COLUMNS];
	int64_t		logins_waiting;
	int64_t		in_role[STATES][PADV_MAX_ROLES];
	int64_t		oldest_xact;	/* start of the idle holder's; 0 unknown */
	PadvIdleHolder idle_holder;

	/* sums of the columns before those of events, since they were taken */
	int64_t		untaken[FIRST_EVENT];
	int64_t		untaken_max;	/* active sessions */
	int64_t		untaken_connections_max;

	/* who owns which entry, and the columns of those in use */
	PadvKeys	event_keys;
	PadvKeys	role_keys;
	int			nlive;
	uint16_t	live[COLUMNS];

	PadvRing	rings[WIDTHS];
	PadvRing	role_ring;		/* active sessions, by second */
	PadvRecent	recent;			/* active sessions */

	/* what the rings point to */
	int64_t		buckets[WIDTHS][PADV_BUCKETS * COLUMNS];
	int64_t		totals[PADV_PERIODS][COLUMNS];
	int64_t		role_buckets[PADV_BUCKETS * PADV_MAX_ROLES];
	int64_t		role_totals[PADV_MAX_ROLES];

	IdlePeriod	watches[];		/* by slot */
};

#if PADV_MAX_EVENTS > PADV_KEY_ENTRIES || PADV_MAX_ROLES > PADV_KEY_ENTRIES
#error "PADV_KEY_ENTRIES must hold all events, and all roles"
#endif

size_t
padv_window_size(int max_slots)
{
	return offsetof(PadvWindow, watches) +
		(max_slots > 0 ? (size_t) max_slots : 0) * sizeof(IdlePeriod);
}

PadvWindow *
padv_window_init(void *block, int max_slots)
{
	PadvWindow *window = block;

	window->max_slots = max_slots > 0 ? max_slots : 0;
	padv_window_reset(window);
	return window;
}

/* Which columns may hold something: all but those of events not in use. */
static void
list_live_columns(PadvWindow *window)
{
	const PadvKeys *keys = &window->event_keys;
	int			n = 0;

	for (int column = 0; column < FIRST_EVENT; column++)
		window->live[n++] = (uint16_t) column;
	for (int i = 0; i < keys->count; i++)
	{
		window->live[n++] = (uint16_t) (FIRST_EVENT + 2 * keys->order[i]);
		window->live[n++] = (uint16_t) (FIRST_EVENT + 2 * keys->order[i] + 1);
	}
	window->nlive = n;
}

void
padv_window_reset(PadvWindow *window)
{
	static const uint64_t bucket_us[WIDTHS] = {SECOND_US, 10 * SECOND_US, 60 * SECOND_US};
	int			max_slots = window->max_slots;
	PadvRing   *rings = window->rings;

	memset(window, 0, padv_window_size(max_slots));
	window->max_slots = max_slots;

	padv_keys_init(&window->event_keys, PADV_MAX_EVENTS, PADV_OTHER_EVENTS);
	(void) padv_keys_entry(&window->event_keys, 0);
	padv_keys_init(&window->role_keys, PADV_MAX_ROLES, 0);
	list_live_columns(window);

	for (int i = 0; i < WIDTHS; i++)
		padv_ring_init(&rings[i], bucket_us[i], COLUMNS, window->buckets[i]);
	padv_ring_total(&rings[SECONDS], 10, window->totals[PADV_10_SECONDS]);
	padv_ring_total(&rings[SECONDS], 60, window->totals[PADV_1_MINUTE]);
	padv_ring_total(&rings[TENS], 60, window->totals[PADV_10_MINUTES]);
	padv_ring_total(&rings[MINUTES], 60, window->totals[PADV_1_HOUR]);

	padv_ring_init(&window->role_ring, SECOND_US, PADV_MAX_ROLES, window->role_buckets);
	padv_ring_total(&window->role_ring, 60, window->role_totals);
	padv_recent_init(&window->recent);
}

/* From one time to another; 0 if that is not later. */
static uint64_t
time_between(int64_t from, int64_t to)
{
	return to > from ? (uint64_t) to - (uint64_t) from : 0;
}

/* The other periods lie within the hour. */
static void
drop_unseen_events(PadvWindow *window)
{
	PadvKeys   *keys = &window->event_keys;
	const int64_t *hour = &window->totals[PADV_1_HOUR][FIRST_EVENT];

	for (int i = keys->count - 1; i >= FIXED_EVENTS; i--)
	{
		int			entry = keys->order[i];

		if (hour[2 * entry] == 0 && hour[2 * entry + 1] == 0)
			padv_keys_drop(keys, i);
	}
}

/* Its sessions in the last sample. */
static int64_t
role_sessions(const PadvWindow *window, int entry)
{
	int64_t		sessions = 0;

	for (int state = 0; state < STATES; state++)
		sessions += window->in_role[state][entry];
	return sessions;
}

static void
drop_unseen_roles(PadvWindow *window)
{
	PadvKeys   *keys = &window->role_keys;

	for (int i = keys->count - 1; i >= FIXED_ROLES; i--)
	{
		int			entry = keys->order[i];

		if (window->role_totals[entry] == 0 && role_sessions(window, entry) == 0)
			padv_keys_drop(keys, i);
	}
}

/* Let the time pass that lies between the sample before and this one. */
static void
advance(PadvWindow *window, int64_t clock_us)
{
	bool		minute_ended = false;

	window->elapsed_us = time_between(window->clock_us, clock_us);
	window->now += window->elapsed_us;
	window->clock_us = clock_us;
	window->turnaround_limit = PADV_TURNAROUND_LIMIT_US +
		(window->elapsed_us < PADV_TURNAROUND_SLACK_US ?
		 window->elapsed_us : PADV_TURNAROUND_SLACK_US);

	for (int i = 0; i < WIDTHS; i++)
		minute_ended = padv_ring_advance(&window->rings[i], window->now,
										 window->live, window->nlive);
	if (minute_ended)
		drop_unseen_events(window);
	if (padv_ring_advance(&window->role_ring, window->now,
						  window->role_keys.order, window->role_keys.count))
		drop_unseen_roles(window);
}

/* Forget the counts of the last sample. */
static void
begin_sample(PadvWindow *window)
{
	const PadvKeys *roles = &window->role_keys;

	for (int i = 0; i < window->nlive; i++)
		window->counted[window->live[i]] = 0;
	for (int state = 0; state < STATES; state++)
		for (int i = 0; i < roles->count; i++)
			window->in_role[state][roles->order[i]] = 0;
	memset(&window->idle_holder, 0, sizeof(window->idle_holder));
}

static int
event_column(PadvWindow *window, uint32_t wait_event)
{
	return FIRST_EVENT + 2 * padv_keys_entry(&window->event_keys, wait_event);
}

static void
count_active(PadvWindow *window, const PadvSession *session)
{
	int			class = session->wait_class < PADV_WAIT_CLASSES ?
		session->wait_class : PADV_WAITING_OTHER;

	window->counted[FIRST_CLASS + class]++;
	window->counted[COMMITTING] += session->commits != 0;
	window->counted[COMMITTING_IO] += session->commits != 0 && class == PADV_WAITING_IO;
	window->counted[COMMITTING_LWLOCK] += session->commits != 0 && class == PADV_WAITING_LWLOCK;
	window->counted[ADVISORY] += class == PADV_WAITING_LOCK && !session->demands;
	window->counted[event_column(window, session->wait_event)]++;
}

static void
count_idle_in_transaction(PadvWindow *window, const PadvSession *session)
{
	PadvIdleHolder *holder = &window->idle_holder;
	uint64_t	idle_us = time_between(session->state_start, window->taken_at);
	int64_t		start = session->xact_start;

	if (idle_us <= PADV_HELD_LIMIT_US)
		window->counted[HELD_IN_TRANSACTION]++;
	window->counted[IDLE_LONG] += idle_us > PADV_IDLE_LONG_US;
	if (!session->holds_horizon)
		return;

	/* a start that is not known is not taken for the oldest */
	if (holder->holders++ > 0 &&
		(start == 0 || (window->oldest_xact != 0 && start >= window->oldest_xact)))
		return;
	window->oldest_xact = start;
	holder->pid = session->pid;
	holder->role = session->role;
	holder->database = session->database;
	holder->xact_seconds = start == 0 ? 0.0 :
		(double) time_between(start, window->taken_at) / SECOND_US;
	holder->idle_seconds = session->state_start == 0 ? 0.0 :
		(double) idle_us / SECOND_US;
}

/*
 * Whether an idle period was a turn-around shows when it is over, by the start
 * of the latest statement.  The samples that saw it are counted then, in the
 * bucket of that time.  Where the wall clock steps, the periods it falls into
 * are lost or misjudged, but no others.
 *
 * Sessions go from one case to another at random, so branches would be
 * predicted wrongly, and that would double the cost of a sample: hence the
 * conditions as factors.
 */
static void
watch_idle_period(PadvWindow *window, const PadvSession *session, bool idle)
{
	IdlePeriod *watch;
	uint32_t	seen;
	uint64_t	length;
	bool		over;
	bool		turnaround;

	if (session->status_index < 0 || session->status_index >= window->max_slots)
		return;
	watch = &window->watches[session->status_index];
	seen = watch->seen * (watch->pid == session->pid);
	over = !idle | (session->state_start != watch->idle_since);

	/* no statement since then, length 0 or wrapped, is too long as well */
	length = (uint64_t) session->statement_start - (uint64_t) watch->idle_since;
	turnaround = over & (length - 1 < window->turnaround_limit);
	window->counted[TURNAROUND] += (int64_t) seen * turnaround;

	/* wraps after weeks of a period that is not going to count */
	watch->seen = over ? idle : seen + 1;
	watch->pid = session->pid;
	watch->idle_since = session->state_start;
}

static void
count_idle(PadvWindow *window, const PadvSession *session)
{
	uint64_t	limit = session->local ? PADV_LOCAL_ROUND_TRIP_US : PADV_ROUND_TRIP_US;

	window->counted[ROUND_TRIP] += time_between(session->state_start, window->taken_at) <= limit;
}

static void
count_session(PadvWindow *window, const PadvSession *session)
{
	int			state = session->state < STATES ? session->state : PADV_STATE_OTHER;
	int			role = padv_keys_entry(&window->role_keys, session->role);

	window->counted[SESSIONS]++;
	window->counted[FIRST_STATE + state]++;
	window->in_role[state][role]++;
	if (state == PADV_STATE_ACTIVE)
		count_active(window, session);
	else if (state == PADV_STATE_IDLE_IN_TRANSACTION)
		count_idle_in_transaction(window, session);
	else if (state == PADV_STATE_IDLE)
		count_idle(window, session);
	watch_idle_period(window, session, state == PADV_STATE_IDLE);
}

void
padv_window_add(PadvWindow *window, const PadvSample *sample)
{
	int64_t    *counted = window->counted;

	advance(window, sample->clock_us);
	begin_sample(window);
	window->taken_at = sample->taken_at;

	for (int i = 0; i < sample->count; i++)
	{
		const PadvSession *session = &sample->sessions[i];

		counted[DEMAND] += session->demands;
		if (session->parallel_worker)
		{
			counted[PARALLEL_WORKERS]++;
			counted[event_column(window, session->wait_event) + 1]++;
		}
		else
			count_session(window, session);
	}
	counted[DEMAND] += sample->io_workers;
	counted[PARALLEL_WORKERS] += sample->io_workers;
	window->logins_waiting = sample->logins_waiting;
	counted[QUEUED] += sample->logins_waiting;
	counted[SAMPLES] = 1;
	window->samples_total++;

	list_live_columns(window);
	for (int i = 0; i < WIDTHS; i++)
		padv_ring_add(&window->rings[i], window->live, window->nlive, counted);
	padv_ring_note(&window->rings[SECONDS], counted[ACTIVE]);
	padv_ring_add(&window->role_ring, window->role_keys.order,
				  window->role_keys.count, window->in_role[PADV_STATE_ACTIVE]);
	padv_recent_offer(&window->recent, window->now, window->elapsed_us,
					  counted[ACTIVE]);

	for (int column = 0; column < FIRST_EVENT; column++)
		window->untaken[column] += counted[column];
	if (counted[ACTIVE] > window->untaken_max)
		window->untaken_max = counted[ACTIVE];
	if (counted[SESSIONS] + sample->logins_waiting > window->untaken_connections_max)
		window->untaken_connections_max = counted[SESSIONS] + sample->logins_waiting;
}

static void
digest_counts(const PadvWindow *window, PadvCounts *counts)
{
	const int64_t *counted = window->counted;

	counts->sessions = counted[SESSIONS];
	counts->active = counted[ACTIVE];
	counts->idle = counted[IDLE];
	counts->idle_in_transaction = counted[IDLE_IN_TRANSACTION];
	counts->queued = counted[QUEUED];
	counts->logins_waiting = window->logins_waiting;
	counts->parallel_workers = counted[PARALLEL_WORKERS];
	counts->demand = counted[DEMAND];
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		counts->in_class[class] = counted[FIRST_CLASS + class];
}

static void
digest_minute(const PadvWindow *window, PadvMinute *minute)
{
	const int64_t *total = window->totals[PADV_1_MINUTE];
	double		samples = (double) total[SAMPLES];

	memset(minute, 0, sizeof(*minute));
	if (total[SAMPLES] == 0)
		return;

	minute->samples = total[SAMPLES];
	minute->sessions = (double) total[SESSIONS] / samples;
	minute->active = (double) total[ACTIVE] / samples;
	minute->idle = (double) total[IDLE] / samples;
	minute->idle_in_transaction = (double) total[IDLE_IN_TRANSACTION] / samples;
	minute->queued = (double) total[QUEUED] / samples;
	minute->parallel_workers = (double) total[PARALLEL_WORKERS] / samples;
	minute->demand = (double) total[DEMAND] / samples;
	minute->held_in_transaction = (double) total[HELD_IN_TRANSACTION] / samples;
	minute->turnaround = (double) total[TURNAROUND] / samples;
	minute->committing = (double) total[COMMITTING] / samples;
	minute->committing_lwlock = (double) total[COMMITTING_LWLOCK] / samples;
	minute->advisory = (double) total[ADVISORY] / samples;
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		minute->in_class[class] = (double) total[FIRST_CLASS + class] / samples;

	minute->active_p95 = (double) padv_recent_percentile(&window->recent, 95);
	minute->active_max = padv_ring_greatest(&window->rings[SECONDS]);
	if (total[ACTIVE] > 0)
		minute->io_wait_ratio = minute->in_class[PADV_WAITING_IO] / minute->active;
}

static void
digest_events(const PadvWindow *window, PadvDigest *digest)
{
	const PadvKeys *keys = &window->event_keys;
	const int64_t *hour = window->totals[PADV_1_HOUR];

	digest->nevents = 0;
	for (int i = 0; i < keys->count; i++)
	{
		int			column = FIRST_EVENT + 2 * keys->order[i];
		PadvEventRow *row = &digest->events[digest->nevents];

		if (hour[column] == 0 && hour[column + 1] == 0)
			continue;
		row->wait_event = keys->key[keys->order[i]];
		for (int period = 0; period < PADV_PERIODS; period++)
		{
			const int64_t *total = window->totals[period];
			double		samples = (double) total[SAMPLES];

			row->active_avg[period] = (double) total[column] / samples;
			row->parallel_avg[period] = (double) total[column + 1] / samples;
		}
		digest->nevents++;
	}
}

static void
digest_roles(const PadvWindow *window, PadvDigest *digest)
{
	const PadvKeys *keys = &window->role_keys;
	const int64_t *total = window->totals[PADV_1_MINUTE];

	digest->nroles = 0;
	for (int i = 0; i < keys->count; i++)
	{
		int			entry = keys->order[i];
		PadvRoleRow *row = &digest->roles[digest->nroles];

		row->role = keys->key[entry];
		row->sessions = role_sessions(window, entry);
		if (row->sessions == 0 && window->role_totals[entry] == 0)
			continue;
		row->active = window->in_role[PADV_STATE_ACTIVE][entry];
		row->idle = window->in_role[PADV_STATE_IDLE][entry];
		row->idle_in_transaction = window->in_role[PADV_STATE_IDLE_IN_TRANSACTION][entry];
		row->queued = window->in_role[PADV_STATE_QUEUED][entry];
		row->active_avg = (double) window->role_totals[entry] / (double) total[SAMPLES];
		digest->nroles++;
	}
}

void
padv_window_digest(PadvWindow *window, PadvDigest *digest)
{
	digest->taken_at = window->taken_at;
	digest->samples_total = window->samples_total;
	digest->idle_holder = window->idle_holder;
	digest_counts(window, &digest->last);
	digest_minute(window, &digest->minute);
	digest_events(window, digest);
	digest_roles(window, digest);
}

bool
padv_window_drain(PadvWindow *window, PadvWindowMeans *means)
{
	const int64_t *sum = window->untaken;
	double		samples = (double) sum[SAMPLES];

	if (sum[SAMPLES] == 0)
		return false;

	means->samples = sum[SAMPLES];
	means->taken_at = window->taken_at;
	means->sessions = (double) sum[SESSIONS] / samples;
	means->connections_max = window->untaken_connections_max;
	means->active = (double) sum[ACTIVE] / samples;
	means->active_max = window->untaken_max;
	means->idle = (double) sum[IDLE] / samples;
	means->idle_in_transaction = (double) sum[IDLE_IN_TRANSACTION] / samples;
	means->queued = (double) sum[QUEUED] / samples;
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		means->in_class[class] = (double) sum[FIRST_CLASS + class] / samples;
	means->parallel_workers = (double) sum[PARALLEL_WORKERS] / samples;
	means->demand = (double) sum[DEMAND] / samples;
	means->held_in_transaction = (double) sum[HELD_IN_TRANSACTION] / samples;
	means->idle_long = (double) sum[IDLE_LONG] / samples;
	means->turnaround = (double) sum[TURNAROUND] / samples;
	means->round_trip = (double) sum[ROUND_TRIP] / samples;
	means->committing = (double) sum[COMMITTING] / samples;
	means->committing_io = (double) sum[COMMITTING_IO] / samples;
	means->committing_lwlock = (double) sum[COMMITTING_LWLOCK] / samples;
	means->advisory = (double) sum[ADVISORY] / samples;
	means->stuck = means->lock_queues = 0.0;

	memset(window->untaken, 0, sizeof(window->untaken));
	window->untaken_max = 0;
	window->untaken_connections_max = 0;
	return true;
}
