/*
 * test_window.c
 *		The window against its counterpart, and against figures known before.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/window.h"
#include "window_reference.h"

/* Of the sessions that have a connection in use, those that are active. */
static double
busy_ratio(void)
{
	const PadvMinute *minute = &digest.minute;

	return minute->active / (minute->active + minute->held_in_transaction + minute->turnaround);
}

/* A window that is given no sample, or an empty one. */
static void
test_empty(void)
{
	PadvSample	empty = {.taken_at = WALL_START};

	start_over();
	padv_window_digest(window, &digest);
	ok(digest.samples_total == 0 && digest.minute.samples == 0 && digest.nevents == 0 &&
	   digest.nroles == 0 && digest.idle_holder.pid == 0, "nothing before the first sample");
	near(digest.minute.active + digest.minute.demand, 0.0, 0.0, "all else is 0");

	padv_window_add(window, &empty);
	empty.count = -1;
	padv_window_add(window, &empty);
	padv_window_digest(window, &digest);
	ok(digest.samples_total == 2 && digest.minute.samples == 2 && digest.nevents == 0 &&
	   digest.last.sessions == 0, "samples without a session count");
}

/* Commits by their class, and sessions that are idle in a transaction for long. */
static void
test_commits(void)
{
	const int64_t wall = WALL_START;
	PadvSession sessions[] = {
		{.status_index = 0, .state = PADV_STATE_ACTIVE, .wait_class = PADV_WAITING_IO, .commits = 1},
		{.status_index = 1, .state = PADV_STATE_ACTIVE, .wait_class = PADV_WAITING_IO},
		{.status_index = 2, .state = PADV_STATE_ACTIVE, .wait_class = PADV_WAITING_LWLOCK, .commits = 1},
		{.status_index = 3, .state = PADV_STATE_ACTIVE, .wait_class = PADV_WAITING_OTHER, .commits = 1},
		{.status_index = 4, .state = PADV_STATE_IDLE_IN_TRANSACTION, .state_start = wall - 60 * SECOND},
		{.status_index = 5, .state = PADV_STATE_IDLE_IN_TRANSACTION, .state_start = wall - 61 * SECOND},
	};
	PadvSample	sample = {.clock_us = SECOND, .taken_at = wall, .count = 6, .sessions = sessions};
	PadvWindowMeans take;

	start_over();
	padv_window_add(window, &sample);
	ok(padv_window_drain(window, &take) && take.committing == 3.0 && take.committing_io == 1.0 &&
	   take.committing_lwlock == 1.0, "three commit, one of them waits for I/O, one for an internal lock");
	ok(take.idle_in_transaction == 2.0 && take.idle_long == 1.0, "one is idle in a transaction for over a minute");
}

/* One sample, counted by hand. */
static void
test_by_hand(void)
{
	const int64_t wall = WALL_START;
	PadvSession sessions[] = {
		{.status_index = 0, .pid = 1, .role = 10, .state = PADV_STATE_ACTIVE, .demands = true},
		{.status_index = 1, .pid = 2, .role = 10, .state = PADV_STATE_ACTIVE, .wait_event = 7,
		.wait_class = PADV_WAITING_IO, .demands = true},
		{.status_index = 2, .pid = 3, .role = 11, .state = PADV_STATE_ACTIVE, .wait_event = 8,
		.wait_class = PADV_WAITING_OTHER},
		{.status_index = 3, .pid = 4, .role = 11, .state = PADV_STATE_OTHER},
		{.status_index = 4, .pid = 5, .role = 11, .state = PADV_STATE_QUEUED},
		{.status_index = 5, .pid = 6, .role = 11, .parallel_worker = true, .state = PADV_STATE_ACTIVE,
		.wait_event = 7, .demands = true},
		{.status_index = -1, .pid = 7, .role = 12, .state = PADV_STATE_IDLE},
		{.status_index = SLOTS, .pid = 8, .role = 12, .state = PADV_STATE_IDLE},
		{.status_index = 6, .pid = 9, .role = 12, .database = 5, .state = PADV_STATE_IDLE_IN_TRANSACTION,
			.holds_horizon = true, .xact_start = wall - 90 * SECOND,
		.state_start = wall - 60 * SECOND},
		{.status_index = 7, .pid = 10, .state = PADV_STATE_IDLE_IN_TRANSACTION, .holds_horizon = true},
		{.status_index = 8, .pid = 11, .state = PADV_STATE_IDLE_IN_TRANSACTION, .holds_horizon = true,
		.xact_start = wall - SECOND, .state_start = wall - SECOND},
		{.status_index = 9, .pid = 12, .state = PADV_STATE_IDLE_IN_TRANSACTION, .xact_start = 1},
	};
	PadvSample	sample = {.clock_us = SECOND, .taken_at = wall, .count = sizeof(sessions) / sizeof(sessions[0]), .sessions = sessions, .logins_waiting = 3};
	const PadvCounts *last = &digest.last;

	start_over();
	padv_window_add(window, &sample);
	padv_window_digest(window, &digest);
	ok(last->sessions == 11 && last->active == 3 && last->idle == 2 &&
	   last->idle_in_transaction == 4 && last->queued == 4 && last->logins_waiting == 3,
	   "states, and logins in the queue");
	ok(last->in_class[PADV_ON_CPU] == 1 && last->in_class[PADV_WAITING_IO] == 1 &&
	   last->in_class[PADV_WAITING_OTHER] == 1, "classes");
	ok(last->parallel_workers == 1 && last->demand == 3, "parallel workers and demand");
	ok(digest.idle_holder.holders == 3 && digest.idle_holder.pid == 9 &&
	   digest.idle_holder.role == 12 && digest.idle_holder.database == 5,
	   "the oldest idle holder");
	near(digest.idle_holder.xact_seconds, 90.0, 0.0, "age of its transaction");
	near(digest.idle_holder.idle_seconds, 60.0, 0.0, "how long it has been idle");
	near(digest.minute.held_in_transaction, 1.0, 0.0, "held for up to a second");
	near(digest.minute.io_wait_ratio, 1.0 / 3.0, 1e-12, "io_wait_ratio");
	near(busy_ratio(), 0.75, 1e-12, "busy_ratio");
	ok(digest.nevents == 3 && digest.nroles == 4, "rows");
	near(find_event(7)->parallel_avg[PADV_1_HOUR], 1.0, 0.0, "a parallel worker's event");
	near(find_event(0)->active_avg[PADV_10_SECONDS], 1.0, 0.0, "on CPU");
	ok(find_role(11)->sessions == 3 && find_role(11)->active == 1, "a role");
}

/* One session, after so long, that entered its state and began its statement. */
static void
add_one(int64_t elapsed, PadvState state, int64_t state_start, int64_t statement_start)
{
	PadvSession session = {.pid = 1, .role = 10, .state = (uint8_t) state,
		.state_start = state_start, .statement_start = statement_start,
	.xact_start = statement_start, .holds_horizon = true};

	world.clock_us += elapsed;
	world.wall += elapsed;
	padv_window_add(window, &(PadvSample) {.clock_us = world.clock_us, .taken_at = world.wall, .count = 1, .sessions = &session});
	padv_window_digest(window, &digest);
}

/* Samples of an idle period of two that count, by its length. */
static double
count_turnaround(int64_t length)
{
	int64_t		since = world.wall;

	start_over();
	add_one(SECOND, PADV_STATE_IDLE, since, since);
	add_one(SECOND, PADV_STATE_IDLE, since, since + 1);
	add_one(SECOND / 20, PADV_STATE_ACTIVE, world.wall, since + length);
	return digest.minute.turnaround * 3.0;
}

static void
test_one_session(void)
{
	start_over();
	start_world(0, 1, 1);
	world.clock_us = 0;
	add_one(0, PADV_STATE_IDLE_IN_TRANSACTION, world.wall, world.wall);
	ok(digest.idle_holder.pid == 1, "an idle holder");
	add_one(1, PADV_STATE_ACTIVE, world.wall, world.wall);
	ok(digest.idle_holder.holders == 0 && digest.idle_holder.pid == 0, "and none");

	near(count_turnaround(1), 2.0, 1e-9, "a turn-around");
	near(count_turnaround(150 * MILLISECOND), 2.0, 1e-9, "the longest");
	near(count_turnaround(150 * MILLISECOND + 1), 0.0, 0.0, "a longer pause is none");
	near(count_turnaround(0), 0.0, 0.0, "none where no statement began");
	near(count_turnaround(-HOUR), 0.0, 0.0, "none where the wall clock stepped back");

	/* 570 of 600 are the 95%: losing or adding a single value shows */
	start_over();
	world.clock_us = 0;
	for (int i = 0; i < 600; i++)
		add_one(i == 0 ? 0 : SECOND / 10, i < 570 ? PADV_STATE_IDLE : PADV_STATE_ACTIVE, 0, 0);
	near(digest.minute.active_p95, 0.0, 0.0, "p95 is over all values of the minute");
	add_one(SECOND / 10, PADV_STATE_IDLE, 0, 0);
	near(digest.minute.active_p95, 0.0, 0.0, "and over no older one");
	add_one(SECOND / 10, PADV_STATE_ACTIVE, 0, 0);
	near(digest.minute.active_p95, 1.0, 0.0, "and over the newest");
}

/* All scales mixed: bursts, pauses up to beyond an hour, steps back. */
static int64_t
at_random(void)
{
	static const int64_t below[] = {MILLISECOND, 250 * MILLISECOND, 250 * MILLISECOND,
	2 * SECOND, 2 * SECOND, 15 * SECOND, 70 * SECOND};
	int64_t		dice = random_below(1000);

	if (dice == 0)
		return random_below(2 * HOUR);
	if (dice < 5)
		return random_below(15 * MINUTE);
	if (dice < 20)
		return -random_below(5 * MINUTE);
	if (dice < 50)
		return 0;
	return random_below(below[random_below(7)]);
}

/* A run against the counterpart; at_random() where the interval is 0. */
static void
run(const char *name, int nsessions, int samples, int every, int64_t interval, int64_t jitter)
{
	start_over();
	start_world(nsessions, 12, 9);
	differences = 0;
	for (int i = 1; i <= samples; i++)
	{
		add_sample(next_sample(interval == 0 ? at_random() : interval + random_below(jitter)));
		if (i % every == 0 || i == samples)
			compare_all();
	}
	ok(differences == 0 && digest.samples_total == samples,
	   "%s: equal to the counterpart", name);
}

static void
test_against_counterpart(void)
{
	run("1 ms for 75 s", 6, 75000, 7500, MILLISECOND - 50, 100);
	run("100 ms for 80 min", 4, 48000, 6000, 98 * MILLISECOND, 5 * MILLISECOND);
	run("1 s for 3 h", 10, 3 * 3600, 480, SECOND, 1);
	run("10 s for a day", 25, 8640, 240, 10 * SECOND, 1);
	run("gaps and steps back", 20, 20000, 199, 0, 0);
}

/* Sessions of one event each, from the first on; each of a role of its own. */
static void
add_distinct(int64_t elapsed, int first, int count)
{
	static PadvSession sessions[SLOTS];

	world.clock_us += elapsed;
	world.wall += elapsed;
	for (int i = 0; i < count; i++)
		sessions[i] = (PadvSession) {.status_index = i, .pid = i + 1, .demands = true,
			.role = ROLE_BASE + (uint32_t) (first + i),
			.state = PADV_STATE_ACTIVE, .wait_event = event_number(first + i)};
	padv_window_add(window, &(PadvSample) {.clock_us = world.clock_us, .taken_at = world.wall, .count = count, .sessions = sessions});
	padv_window_digest(window, &digest);
}

static void
test_overflow(void)
{
	start_over();
	start_world(0, 1, 1);
	add_distinct(SECOND, 1, 2000);
	ok(digest.nevents == PADV_MAX_EVENTS - 1 && digest.nroles == PADV_MAX_ROLES,
	   "the tables are full");
	near(find_event(PADV_OTHER_EVENTS)->active_avg[PADV_1_HOUR],
		 2000 - (PADV_MAX_EVENTS - 2), 1e-9, "other events");
	ok(find_role(0)->active == 2000 - (PADV_MAX_ROLES - 1), "other roles");
	near(sum_roles(), 2000.0, 1e-9, "roles sum up");

	add_distinct(SECOND, 0, 1);
	near(find_event(0)->active_avg[PADV_1_HOUR], 0.5, 0.0, "on CPU finds its place");
	near(sum_events(PADV_10_SECONDS), 2001.0 / 2, 1e-9, "events sum up");

	add_distinct(61 * SECOND, 3000, 1000);
	ok(digest.nroles == 1000 && find_role(0) == NULL && find_role(ROLE_BASE + 3999) != NULL,
	   "after a minute the entries of roles are free");
	near(sum_roles(), 1000.0, 1e-9, "roles sum up again");
	ok(find_event(event_number(3000)) == NULL, "the entries of events are not free yet");
	near(sum_events(PADV_10_SECONDS), 1000.0, 1e-9, "events sum up again");

	add_distinct(61 * MINUTE, 3000, 254);
	ok(digest.nevents == 254 && find_event(PADV_OTHER_EVENTS) == NULL &&
	   find_event(event_number(3253)) != NULL, "after an hour the entries of events are free");
}

/*
 * Events and roles come and go; at no time there are more than the tables
 * hold, so none may end up among the others.
 */
static void
test_reuse(void)
{
	bool		right = true;

	start_over();
	start_world(0, 1, 1);
	for (int minute = 0; minute < 400; minute++)
	{
		int			first = 1 + minute * 4 % (NAMES - 100);

		for (int i = 0; i < 4; i++)
		{
			add_distinct(15 * SECOND, first, 4);
			right = right && find_event(PADV_OTHER_EVENTS) == NULL && find_role(0) == NULL &&
				find_event(event_number(first + 3)) != NULL && digest.nevents <= 4 * 61 &&
				fabs(sum_events(PADV_1_HOUR) - 4.0) < 1e-9;
		}
	}
	ok(right, "entries are used again");

	start_over();
	start_world(30, 90, NAMES);
	differences = 0;
	for (int i = 1; i <= 12000; i++)
	{
		if (i % 4000 == 0)
			world.first_event += 90;
		add_sample(next_sample(SECOND + random_below(MILLISECOND)));
		if (i % 400 == 0)
			compare_all();
	}
	ok(differences == 0, "entries used again hold nothing of their past");
}

/* An event leaves each period in time, and its row with the last. */
static void
test_expiry(void)
{
	static const int64_t length[PADV_PERIODS] = {10 * SECOND, MINUTE, 10 * MINUTE, HOUR};
	static const int64_t bucket[PADV_PERIODS] = {SECOND, SECOND, 10 * SECOND, MINUTE};
	bool		right = true;
	int64_t		age = 0;

	start_over();
	start_world(0, 1, 1);
	add_distinct(SECOND / 2, 5, 1);
	for (; age <= 2 * HOUR; age += SECOND)
	{
		const PadvEventRow *row = find_event(event_number(5));

		for (int period = 0; period < PADV_PERIODS; period++)
		{
			bool		there = row != NULL && row->active_avg[period] > 0.0;

			if (age > length[period])
				right = right && !there;
			else if (age < length[period] - bucket[period])
				right = right && there;
		}
		right = right && (age > HOUR ? row == NULL : age < HOUR - MINUTE ? row != NULL : true);
		add_distinct(SECOND, 6, 1);
	}
	ok(right, "each period forgets in time");
}

/* A client that executes for a while, pauses for a while, and so on. */
typedef struct Client
{
	int64_t		statement_start;
	int64_t		pause_start;
	int64_t		next_start;
} Client;

/* Within a fifth of the mean, so that clients and samples do not go in step. */
static int64_t
about(int64_t mean)
{
	return mean == 0 ? 0 : mean - mean / 5 + random_below(2 * mean / 5 + 1);
}

/* busy_ratio after 70 s of clients that pause in a state. */
static double
simulate(int nclients, int64_t execute, int64_t pause, PadvState state, int64_t interval)
{
	static Client clients[SLOTS];
	static PadvSession sessions[SLOTS];

	start_over();
	for (int i = 0; i < nclients; i++)
		clients[i] = (Client) {.next_start = WALL_START + random_below(execute + pause)};

	for (int64_t at = interval; at < 70 * SECOND; at += interval)
	{
		int64_t		wall = WALL_START + at + random_below(interval / 20);

		for (int i = 0; i < nclients; i++)
		{
			Client	   *client = &clients[i];
			bool		pausing;

			while (client->next_start <= wall)
			{
				client->statement_start = client->next_start;
				client->pause_start = client->statement_start + 1 + about(execute);
				client->next_start = client->pause_start + 1 + about(pause);
			}
			pausing = client->pause_start <= wall;
			sessions[i] = (PadvSession) {.status_index = i, .pid = i + 1, .role = 10,
				.state = (uint8_t) (pausing ? state : PADV_STATE_ACTIVE), .demands = !pausing,
				.statement_start = client->statement_start,
				.xact_start = client->statement_start,
			.state_start = pausing ? client->pause_start : client->statement_start};
		}
		padv_window_add(window, &(PadvSample) {.clock_us = wall - WALL_START, .taken_at = wall, .count = nclients, .sessions = sessions});
	}
	padv_window_digest(window, &digest);
	return busy_ratio();
}

static void
test_busy_ratio(void)
{
	static const int64_t intervals[] = {10 * MILLISECOND, 100 * MILLISECOND};
	static const int64_t pauses[] = {0, 1, 10, 50};
	const PadvState idle = PADV_STATE_IDLE;
	const PadvState in_transaction = PADV_STATE_IDLE_IN_TRANSACTION;

	for (int i = 0; i < 2; i++)
	{
		int64_t		interval = intervals[i];
		int			ms = (int) (interval / MILLISECOND);
		int			nclients = 20 + 2 * ms;

		for (int p = 0; p < 4; p++)
		{
			int64_t		pause = pauses[p] * MILLISECOND;
			double		ratio = 1.0 / (1.0 + (double) pauses[p]);

			near(simulate(nclients, MILLISECOND, pause, idle, interval),
				 ratio, 0.05 * ratio, "busy_ratio of clients without think time");
			near(simulate(nclients, MILLISECOND, pause, in_transaction, interval),
				 ratio, 0.05 * ratio, "busy_ratio of clients that pause in transactions");
		}
		near(simulate(nclients, 20 * MILLISECOND, 20 * MILLISECOND, idle, interval), 0.5, 0.02,
			 "busy_ratio of longer statements");
		near(simulate(nclients, 300 * MILLISECOND, 50 * MILLISECOND, idle, interval),
			 6.0 / 7.0, 0.02, "busy_ratio of long statements");
		near(simulate(nclients, 50 * MILLISECOND, 5 * SECOND, idle, interval), 1.0, 0.0,
			 "busy_ratio of clients that think");
		ok(digest.minute.active > 0.0 && digest.minute.turnaround <= 0.0,
		   "thinking is no turn-around");
		near(simulate(nclients, MILLISECOND, 500 * MILLISECOND, in_transaction, interval),
			 1.0 / 501.0, 0.0002, "busy_ratio of clients that hardly execute");
	}
}

/* Ten years at a sample a day, and then a clock that stands still. */
static void
test_long_run(void)
{
	start_over();
	start_world(8, 12, 9);
	differences = 0;
	for (int i = 1; i <= 10 * 365; i++)
	{
		add_sample(next_sample(24 * HOUR - 5 + random_below(10)));
		if (i % 100 == 0)
			compare_all();
	}
	for (int i = 1; i <= 2 * 3600; i++)
		add_sample(next_sample(SECOND));
	compare_all();
	for (int i = 1; i <= 20000; i++)
		add_sample(next_sample(0));
	compare_all();
	ok(differences == 0, "ten years, and then as before");
}

static void
fill_with_garbage(PadvSession *session)
{
	static const int64_t times[] = {INT64_MIN, -1, 0, 1, WALL_START, INT64_MAX};

	for (size_t i = 0; i < sizeof(*session); i++)
		((unsigned char *) session)[i] = (unsigned char) random_below(256);
	session->status_index = random_below(4) == 0 ? session->status_index : (int32_t) random_below(SLOTS);
	session->pid = (int32_t) random_below(2);
	session->state = (uint8_t) random_below(random_below(2) == 0 ? 6 : 256);
	session->parallel_worker = random_below(2) == 0;
	session->demands = random_below(2) == 0;
	session->holds_horizon = random_below(2) == 0;
	session->local = random_below(2) == 0;
	session->statement_start = times[random_below(6)];
	session->state_start = times[random_below(6)];
	session->xact_start = times[random_below(6)];
}

static void
test_garbage(void)
{
	static const int64_t clocks[] = {INT64_MIN, -HOUR, -1, 0, 1, SECOND, HOUR, INT64_MAX};
	static PadvSession sessions[20];
	bool		right = true;

	start_over();
	for (int i = 0; i < 5000; i++)
	{
		PadvSample	sample = {.clock_us = clocks[random_below(8)], .sessions = sessions,
			.taken_at = clocks[random_below(8)], .count = (int) random_below(21)};
		const PadvMinute *minute = &digest.minute;

		for (int s = 0; s < sample.count; s++)
			fill_with_garbage(&sessions[s]);
		padv_window_add(window, &sample);
		padv_window_digest(window, &digest);
		right = right && minute->samples > 0 && minute->sessions <= 20.0 &&
			minute->held_in_transaction >= 0.0 && minute->turnaround >= 0.0 &&
			minute->active_max <= 20 && minute->active_p95 <= (double) minute->active_max &&
			fabs(sum_events(PADV_1_MINUTE) - minute->active) < 1e-9 &&
			fabs(sum_roles() - minute->active) < 1e-9 &&
			digest.idle_holder.xact_seconds >= 0.0 &&
			digest.idle_holder.idle_seconds >= 0.0 && minute->turnaround >= 0.0;
	}
	ok(right, "garbage is counted, and does no harm");
}

/* Sessions of a sample that have been idle for at most a round trip. */
static int
count_round_trips(const PadvSample *sample)
{
	int			count = 0;

	for (int i = 0; i < sample->count; i++)
	{
		const PadvSession *session = &sample->sessions[i];
		int64_t		limit = session->local ? 100 : MILLISECOND;

		count += session->state == PADV_STATE_IDLE && !session->parallel_worker &&
			sample->taken_at - session->state_start <= limit;
	}
	return count;
}

static int64_t
count_advisory(const PadvSample *sample)
{
	int64_t		count = 0;

	for (int i = 0; i < sample->count; i++)
	{
		const PadvSession *session = &sample->sessions[i];

		count += !session->parallel_worker && session->state == PADV_STATE_ACTIVE &&
			session->wait_class == PADV_WAITING_LOCK && !session->demands;
	}
	return count;
}

/* What was added since the last take, and only that. */
static void
test_take(void)
{
	PadvWindowMeans	take;
	int			wrong = 0;
	int			takes = 0;

	start_over();
	ok(!padv_window_drain(window, &take), "nothing to take before the first sample");
	start_world(30, 12, 9);
	while (takes < 300)
	{
		double		active = 0.0;
		double		idle = 0.0;
		double		held = 0.0;
		double		queued = 0.0;
		double		io = 0.0;
		double		trips = 0.0;
		double		advisory = 0.0;
		int64_t		max = 0;
		int64_t		connections = 0;
		int			samples = 1 + (int) random_below(12);

		for (int i = 0; i < samples; i++)
		{
			PadvSample	sample = next_sample(SECOND / 10);

			padv_window_add(window, &sample);
			padv_window_digest(window, &digest);
			active += (double) digest.last.active;
			idle += (double) digest.last.idle;
			held += (double) digest.last.idle_in_transaction;
			queued += (double) digest.last.queued;
			io += (double) digest.last.in_class[PADV_WAITING_IO];
			advisory += (double) count_advisory(&sample);
			max = digest.last.active > max ? digest.last.active : max;
			trips += (double) count_round_trips(&sample);
			if (digest.last.sessions + sample.logins_waiting > connections)
				connections = digest.last.sessions + sample.logins_waiting;
		}
		takes++;
		if (!padv_window_drain(window, &take) || take.samples != samples ||
			take.taken_at != world.wall || take.active_max != max ||
			take.connections_max != connections ||
			fabs(take.round_trip - trips / samples) > 1e-9 ||
			fabs(take.advisory - advisory / samples) > 1e-9 ||
			fabs(take.active - active / samples) > 1e-9 ||
			fabs(take.idle - idle / samples) > 1e-9 ||
			fabs(take.idle_in_transaction - held / samples) > 1e-9 ||
			fabs(take.queued - queued / samples) > 1e-9 ||
			fabs(take.in_class[PADV_WAITING_IO] - io / samples) > 1e-9)
			wrong++;
	}
	ok(wrong == 0, "300 takes, each of the samples since the one before");
	ok(!padv_window_drain(window, &take), "no sample is taken twice");
}

int
main(void)
{
	static const int too_few[] = {-1, 0, 1};

	for (int i = 0; i < 3; i++)
	{
		window = padv_window_init(malloc(padv_window_size(too_few[i])), too_few[i]);
		start_world(10, 12, 9);
		add_sample(next_sample(SECOND));
		padv_window_digest(window, &digest);
		ok(digest.samples_total == 1, "%d slots", too_few[i]);
		free(window);
	}
	window = padv_window_init(malloc(padv_window_size(SLOTS)), SLOTS);
	test_empty();
	test_by_hand();
	test_commits();
	test_one_session();
	test_against_counterpart();
	test_overflow();
	test_reuse();
	test_expiry();
	test_busy_ratio();
	test_long_run();
	test_garbage();
	test_take();
	start_over();
	free(window);
	return tap_end();
}
