/*
 * test_incidents.c
 *		Days of servers in production: busy ones have no incident, and one that is planted
 *		is found, with its kind and its culprit.
 *
 * Without arguments some quiet days with fixed seeds, and incidents that the time of day draws;
 * SEED alone draws those incidents again.  With the arguments random SEED COUNT it
 * draws so many quiet days, and a third as many incidents of each kind, and reports; with
 * a further argument it tells of each that is wrong.  Thresholds were chosen with seeds
 * below 1000, so use others.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Commits may wait for a standby.  Sessions that are stuck behind a lock are beside those
 * that the simulator knows.
 */
#define PADV_DESCRIBE(take, before, after, interval) \
	(wait_for_standby(take), add_stuck_sessions(take), padv_interval_describe(take, before, after, -1.0, interval))

#include "core/model/health.h"
#include "core/stats/window.h"

static void wait_for_standby(PadvWindowMeans *take);
static void add_stuck_sessions(PadvWindowMeans *take);

#include "production_days.h"

#include "incident_keys.h"
#include "tap.h"

#define HOUR 3600
#define START (INT64_C(828000000) * 1000000)

enum
{
	WEB = 10,					/* a fixed pool */
	API,						/* a connection for each request */
	BATCH,
	CRON,
	ELASTIC,					/* a pool that grows when it must */
	FLEET,						/* pools that come with more servers */
	LEAKER,
	STORMER,
	LOCKER,						/* whose session keeps others waiting */
	ROLES
};

#define CULPRIT_PID 7777

/* --- a server and its clients ------------------------------------------------ */

typedef enum SpellKind
{
	CHECKPOINT,
	STALL,						/* of some seconds */
	BATCH_RUN,
	OTHER_MIX,
	BURST,
	COLD_CACHE,
	CRON_RUN,
	RESTART,					/* of a pool: all its sessions are new */
	SCALE_OUT,
	SHORT_LOCK,
	SPELLS
} SpellKind;

typedef struct Spell
{
	int			from;
	int			to;
	SpellKind	kind;
	double		strength;
	double		scale;			/* of its strength, so that all is done that is asked */
} Spell;

#define MAX_SPELLS 200

/* What is planted; kind is negative in a quiet day. */
typedef struct Planted
{
	int			kind;
	int			from;
	int			to;
	double		strength;
	double		share;
	double		brought;		/* of the sessions, those of the culprit */
	double		as_planted;		/* rate without it */
} Planted;

typedef struct Scene
{
	Production	p;
	int			seconds;
	int			total;			/* sessions of the pool */
	double		best;
	double		low;			/* what is asked, as a share of the best */
	double		high;
	double		growth;
	double		per_request;	/* logins for each transaction */
	bool		standby;		/* that commits wait for, not for the WAL here */
	int			nspells;
	Spell		spells[MAX_SPELLS];
	Planted		planted;

	double		stuck;
	double		stuck_seconds;
	double		transactions;
	double		lately[30];		/* at work */
	double		elastic;
	double		fleet;
	double		leaked;
	double		logins[ROLES];
	double		sessions[ROLES];
	double		unused[ROLES];

	PadvStatus	status;
	PadvBlockers blockers;
	PadvIncidentWatch watch;
	PadvIncidentRing ring;
	PadvCheckStatus worst;		/* of all seconds, of what lasted then */
	Keys		keys;
} Scene;

static Scene scene;

static void
begin_watch(Scene *s)
{
	memset(s, 0, sizeof(*s));
	padv_incident_watch_init(&s->watch, 0);
	padv_incident_ring_init(&s->ring);
}

/* A second is over. */
static void
end_second(Scene *s, PadvIncidentSecond *second)
{
	PadvIncident changed[PADV_INCIDENT_SLOTS];
	PadvIncident lasting[PADV_INCIDENT_SLOTS];
	bool		notable;
	int			count;

	second->seconds = 1.0;
	second->status = &s->status;
	second->blockers = &s->blockers;
	second->names = &s->keys.names;
	count = padv_incident_watch_add(&s->watch, second, changed, &notable);
	for (int i = 0; i < count; i++)
		padv_incident_ring_put(&s->ring, &changed[i]);
	count = padv_incident_ring_lasting(&s->ring, lasting);
	for (int i = 0; i < count; i++)
		if (padv_health_of_incident(&lasting[i]) > s->worst)
			s->worst = padv_health_of_incident(&lasting[i]);
}

static void
wait_for_standby(PadvWindowMeans *take)
{
	if (!scene.standby)
		return;
	take->in_class[PADV_WAITING_IO] -= take->committing_io;
	take->in_class[PADV_WAITING_LWLOCK] -= take->committing_lwlock;
	take->in_class[PADV_WAITING_OTHER] += take->committing;
	take->committing_io = take->committing_lwlock = 0.0;
}

static void
add_stuck_sessions(PadvWindowMeans *take)
{
	take->active += scene.stuck;
	take->demand += scene.stuck;
	take->in_class[PADV_WAITING_LOCK] += scene.stuck;

	/* a batch has sessions of its own */
	take->idle = fmax(0.0, scene.total + scene.p.weather.batch - take->active - take->idle_in_transaction);
}

static void
add_spell(Scene *s, SpellKind kind, double from, double length, double strength)
{
	if (s->nspells < MAX_SPELLS)
		s->spells[s->nspells++] = (Spell) {(int) from, (int) (from + length), kind, strength, 1.0};
}

/* What a day has that is no incident. */
static void
draw_spells(Scene *s, double seconds)
{
	Production *p = &s->p;
	double		period = production_between(p, 200.0, 900.0);
	double		phase = production_between(p, 0.0, 60.0);
	static const double often[SPELLS] = {
		[STALL] = 1500.0,[BATCH_RUN] = 4000.0,[OTHER_MIX] = 5000.0,[BURST] = 1200.0,[COLD_CACHE] = 5000.0,
		[RESTART] = 3000.0,[SCALE_OUT] = 4000.0,[SHORT_LOCK] = 600.0,
	};
	static const double shortest[SPELLS] = {
		[STALL] = 1.0,[BATCH_RUN] = 120.0,[OTHER_MIX] = 200.0,[BURST] = 5.0,[COLD_CACHE] = 30.0,
		[RESTART] = 2.0,[SCALE_OUT] = 60.0,[SHORT_LOCK] = 1.0,
	};
	static const double longest[SPELLS] = {
		[STALL] = 5.0,[BATCH_RUN] = 1500.0,[OTHER_MIX] = 2000.0,[BURST] = 300.0,[COLD_CACHE] = 200.0,
		[RESTART] = 7.0,[SCALE_OUT] = 300.0,[SHORT_LOCK] = 4.0,
	};

	if (production_random(p) < 0.6 && s->planted.kind != PADV_INCIDENT_OVERSUBSCRIPTION)
		for (double at = period; at < seconds; at += period)
			add_spell(s, CHECKPOINT, at, 0.15 * period, production_around(p, 1.3, 4.0));
	if (production_random(p) < 0.5)
		for (double at = phase; at < seconds; at += 60.0)
			add_spell(s, CRON_RUN, at, 2.0, production_between(p, 1.0, 20.0));
	for (int kind = 0; kind < SPELLS; kind++)
		for (double at = 0.0; often[kind] > 0.0;)
		{
			/* a crowd could stay for ever */
			if (s->planted.kind == PADV_INCIDENT_OVERSUBSCRIPTION && kind != RESTART && kind != SCALE_OUT)
				break;
			at += often[kind] * production_between(p, 0.2, 2.0);
			if (at >= seconds)
				break;
			add_spell(s, (SpellKind) kind, at, production_around(p, shortest[kind], longest[kind]),
					  production_around(p, 1.5, kind == STALL ? 20.0 : 5.0));
		}
}

static void
set_sessions(Scene *s, int total)
{
	s->total = s->p.sessions = total;
	s->p.inputs.usable_connections = (int64_t) (total * production_between(&s->p, 1.3, 3.0)) + 60;
	s->p.inputs.max_connections = s->p.inputs.usable_connections + 3;
}

static void
begin_scene(Scene *s, Kind kind, double least, uint64_t seed)
{
	Production *p = &s->p;
	double		busy;

	begin_watch(s);
	draw_day(p, kind, least, seed);
	s->planted.kind = -1;
	s->best = production_best(p, NULL);
	busy = production_between(p, 0.3, 0.78);
	s->high = busy;
	s->low = busy * production_between(p, 0.1, 0.9);
	s->growth = production_random(p) < 0.3 ? production_between(p, 0.0, 0.2) : 0.0;
	s->per_request = production_random(p) < 0.4 ? production_between(p, 0.0, 30.0) / (s->best * busy) : 0.0;
	s->elastic = 5.0;
	s->fleet = production_between(p, 0.0, 20.0);
	draw_keys(&s->keys, p, NEW_NONE);
}

/* --- a second ----------------------------------------------------------------- */

static bool
planted_now(const Scene *s, int kind, int now)
{
	return s->planted.kind == kind && now >= s->planted.from && now < s->planted.to;
}

/* The weather of a second; returns by how much more is asked, and *burst beside that. */
static double
set_weather(Scene *s, int now, double *burst)
{
	Production *p = &s->p;
	ProductionWeather weather = fair_weather;
	bool		planted = s->planted.kind >= 0 && now >= s->planted.from - 700;
	double		asked = 1.0;

	*burst = 1.0;
	weather.mix = 1.0 + floor(20.0 * s->growth * now / s->seconds) / 20.0;
	for (int i = 0; i < s->nspells && !planted; i++)
	{
		const Spell *spell = &s->spells[i];
		double		scaled = 1.0 + (spell->strength - 1.0) * spell->scale;
		double		mixed = 1.0 + floor(20.0 * (fmin(scaled, 3.0) - 1.0) * fmin(1.0, (now - spell->from) / 900.0)) / 20.0;
		double		left;

		if (now < spell->from || now >= spell->to)
			continue;
		left = (double) (spell->to - now) / (spell->to - spell->from);
		if (spell->kind == CHECKPOINT)
			weather.disk *= scaled, weather.commit *= scaled;
		else if (spell->kind == STALL)
			weather.all *= spell->strength;
		else if (spell->kind == BATCH_RUN)
			weather.batch = floor(spell->scale * fmin(8.0, 0.5 * p->server.cores)), weather.cores_taken = weather.batch;
		else if (spell->kind == OTHER_MIX)
			weather.mix *= mixed, asked /= mixed;
		else if (spell->kind == BURST)
			*burst *= fmin(spell->strength, 2.0);
		else if (spell->kind == COLD_CACHE)
			weather.disk *= 1.0 + floor(10.0 * (scaled - 1.0) * left) / 10.0;
	}
	if (planted_now(s, PADV_INCIDENT_IO_FLOOD, now))
		weather.disk *= s->planted.strength, weather.commit *= s->planted.strength;
	if (planted_now(s, PADV_INCIDENT_LOGIN_STORM, now))
		weather.cores_taken = floor(fmin(0.3 * p->server.cores, 0.003 * s->planted.strength));
	p->weather = weather;
	return asked;
}

/* The most that can be done in this weather. */
static double
capacity_now(Production *p)
{
	double		most = 0.0;

	production_solve(p);
	for (int n = 1; n <= p->sessions; n++)
		most = fmax(most, p->points[n].throughput);
	return most;
}

/* What a crowd of all sessions does in this weather. */
static double
crowd_capacity_now(Scene *s)
{
	return fmin(capacity_now(&s->p), s->p.points[s->total].throughput);
}

/* A spell that begins takes no more than is left over. */
static void
scale_spells(Scene *s, int now)
{
	double		burst;

	for (int i = 0; i < s->nspells; i++)
	{
		Spell	   *spell = &s->spells[i];
		bool		takes = spell->kind == CHECKPOINT || spell->kind == BATCH_RUN || spell->kind == COLD_CACHE ||
			spell->kind == OTHER_MIX;

		if (spell->from != now || !takes)
			continue;
		while (spell->scale > 0.05)
		{
			double		asked = set_weather(s, now, &burst) * s->high * s->best;

			/* a crowd of all sessions must get done, too */
			if ((0.85 - 0.6 * s->p.noise) * crowd_capacity_now(s) >= asked)
				return;
			spell->scale *= 0.6;
		}
		spell->scale = 0.0;
	}
}

/* How much is asked: never more than can be done, unless that is planted. */
static double
rate_now(Scene *s, int now)
{
	Production *p = &s->p;
	double		burst;
	double		usual = set_weather(s, now, &burst) * of_day(now, s->seconds, s->low, s->high) * s->best;
	double		most = fmax(usual, (0.85 - 0.6 * p->noise) * crowd_capacity_now(s));

	s->planted.as_planted = usual;
	if (planted_now(s, PADV_INCIDENT_OVERLOAD, now) || planted_now(s, PADV_INCIDENT_OVERSUBSCRIPTION, now))
		return s->planted.strength * s->best;

	/* what the server can do with fewer sessions was seen before */
	if (s->planted.kind == PADV_INCIDENT_OVERSUBSCRIPTION && now >= 300 && now < 420)
		return 0.8 * s->best;
	if (s->planted.kind >= PADV_INCIDENT_IO_FLOOD && now >= s->planted.from && now < s->planted.to)
		return usual;
	return fmin(usual * burst, most);
}

/* Sessions that get stuck behind a lock while it is held. */
static void
let_sessions_stick(Scene *s, double rate, int now)
{
	Production *p = &s->p;
	bool		held = planted_now(s, PADV_INCIDENT_STALLED, now);
	double		share = held ? s->planted.share : 0.0;

	for (int i = 0; i < s->nspells; i++)
		if (s->spells[i].kind == SHORT_LOCK && now >= s->spells[i].from && now < s->spells[i].to && s->planted.kind < 0)
			held = true, share = 0.3;
	if (held)
	{
		s->stuck = fmin(s->stuck + share * rate, s->total - 1.0);
		s->stuck_seconds += 1.0;
	}
	else
	{
		p->backlog += s->stuck;
		s->stuck = s->stuck_seconds = 0.0;
	}
	s->stuck = floor(s->stuck);
	p->sessions = s->total - (int) s->stuck;
	p->backlog = fmin(p->backlog, p->sessions + 10.0 * rate);
}

/* The roots of lock chains, as the worker would find them. */
static void
set_blockers(Scene *s, const PadvWindowMeans *take, int now)
{
	Production *p = &s->p;
	PadvBlocker root = {.pid = 1000 + (int32_t) production_between(p, 0.0, s->total), .role = WEB,
		.state = PADV_BLOCKER_ACTIVE,.xact_seconds = 0.1,.state_seconds = 0.1};
	double		waiting = floor(take->in_class[PADV_WAITING_LOCK] + production_random(p));

	s->blockers.count = 0;
	if (s->stuck > 0.0 || (planted_now(s, PADV_INCIDENT_LOCK_STORM, now) && production_random(p) < s->planted.share))
	{
		root.pid = CULPRIT_PID;
		root.role = LOCKER;
		root.xact_seconds = s->stuck > 0.0 ? s->stuck_seconds : 0.5;
		root.blocking_seconds = s->stuck_seconds;
		root.state = s->stuck > 0.0 ? PADV_BLOCKER_IDLE_IN_TRANSACTION : PADV_BLOCKER_ACTIVE;
		strcpy(root.application, "culprit");
	}
	root.blocked = root.blocked_directly = (int64_t) waiting;
	if (waiting >= 1.0)
		s->blockers.rows[s->blockers.count++] = root;
	padv_stall_update(&s->status.stall, &s->blockers, (int64_t) waiting,
					  s->stuck_seconds >= PADV_STANDING_SECONDS ? (int64_t) s->stuck : 0,
					  (int64_t) (take->demand + 0.5), (int64_t) (now + 1) * 1000000);
}

/* Sessions and logins of each role. */
static void
set_roles(Scene *s, const PadvWindowMeans *take, int now)
{
	Production *p = &s->p;
	double		most = 0.0;

	memset(s->logins, 0, sizeof(s->logins));
	s->lately[now % 30] = take->demand + take->turnaround + take->idle_in_transaction;
	for (int i = 0; i < 30; i++)
		most = fmax(most, s->lately[i]);
	s->sessions[WEB] = s->total;
	s->unused[WEB] = fmax(0.0, floor(s->total - 1.5 * most));
	s->logins[API] = floor(s->per_request * s->transactions + production_random(p));
	s->sessions[API] = floor(s->logins[API] * 0.1 + production_random(p));
	s->sessions[BATCH] = p->weather.batch;
	if (s->elastic < 0.3 * most)
	{
		s->logins[ELASTIC] += ceil(0.3 * most) - floor(s->elastic);
		s->elastic = ceil(0.3 * most);
	}
	s->elastic += (fmax(5.0, 0.3 * most) - s->elastic) / 600.0;
	s->sessions[ELASTIC] = floor(s->elastic);
	s->unused[ELASTIC] = fmax(0.0, floor(s->elastic - 0.5 * most));
	s->sessions[FLEET] = s->unused[FLEET] = floor(s->fleet);
	for (int i = 0; i < s->nspells; i++)
	{
		const Spell *spell = &s->spells[i];

		if (now < spell->from || now >= spell->to)
			continue;
		if (spell->kind == CRON_RUN)
			s->logins[CRON] += floor(spell->strength / 2.0);
		else if (spell->kind == RESTART)
			s->logins[WEB] += floor((double) s->total / (spell->to - spell->from));
		else if (spell->kind == SCALE_OUT && (now - spell->from) % 30 == 0)
		{
			double		more = floor(0.1 / 4.0 * (double) p->inputs.usable_connections);

			s->fleet += more;
			s->logins[FLEET] += more;
			s->unused[FLEET] = fmax(0.0, s->fleet - more);
		}
	}
	if (s->fleet > 0.2 * (double) p->inputs.usable_connections)
		s->fleet *= 0.5;
	if (planted_now(s, PADV_INCIDENT_LOGIN_STORM, now))
	{
		s->logins[STORMER] = floor(s->planted.strength * s->planted.share);
		s->logins[WEB] += floor(s->planted.strength * (1.0 - s->planted.share));
	}
	if (s->planted.kind == PADV_INCIDENT_LEAK && now >= s->planted.from)
	{
		double		before = floor(s->leaked);

		if (now < s->planted.to)
			s->leaked += s->planted.strength;
		else if (now > s->planted.to + 200)
			s->leaked = 0.0;
		s->logins[LEAKER] = fmax(0.0, floor(s->leaked) - before);
	}
	s->sessions[LEAKER] = 5.0 + floor(s->leaked);
	s->unused[LEAKER] = fmax(0.0, floor(s->leaked - 30.0 * s->planted.strength));
	if (s->planted.kind != PADV_INCIDENT_LEAK)
		s->sessions[LEAKER] = s->unused[LEAKER] = 0.0;
}

static void
feed_roles(Scene *s)
{
	padv_role_watch_begin(&s->watch.roles);
	for (uint32_t role = WEB; role < ROLES; role++)
	{
		padv_role_watch_sessions(&s->watch.roles, role, (int64_t) s->sessions[role], (int64_t) s->unused[role]);
		padv_role_watch_logins(&s->watch.roles, role, s->logins[role]);
	}
}

/* How long the row must take so that so much can be done. */
static void
set_row(Scene *s, int now)
{
	static double usual;

	if (s->planted.kind != PADV_INCIDENT_LOCK_STORM)
		return;
	if (now == s->planted.from)
	{
		usual = s->p.server.row;
		s->p.server.row = fmax(usual, 1.0 / (s->planted.strength * of_day(now, s->seconds, s->low, s->high) * s->best));
		s->p.solved_for.cpu = -1.0;
	}
	else if (now == s->planted.to)
	{
		s->p.server.row = usual;
		s->p.solved_for.cpu = -1.0;
	}
}

/*
 * Requests come at a rate, as in production_open_second, but a step is not the least time
 * that a request takes: many may come and go in it.
 */
static void
open_second(Production *p, double rate)
{
	const double step = 1.0 / PRODUCTION_STEPS;
	ProductionPoint mean = {0};
	double		busy = 0.0;
	double		done = 0.0;
	double		balance;

	production_new_second(p);
	rate = fmax(0.0, rate + production_normal(p) * sqrt(rate));
	balance = production_fewest(p, rate);
	for (int i = 0; i < PRODUCTION_STEPS; i++)
	{
		ProductionPoint point = production_at(p->points, p->sessions, fmin(p->backlog, p->sessions));
		double		finished = point.throughput * p->speed;

		if (p->backlog <= balance && isfinite(balance))
		{
			finished = rate;
			p->backlog = balance;
		}
		else if (finished > rate && (p->backlog - balance) <= (finished - rate) * step)
		{
			finished = rate + (p->backlog - balance) / step;
			p->backlog = balance;
		}
		else
			p->backlog = fmin(p->backlog + (rate - finished) * step, p->sessions + 10.0 * rate);
		point = production_at(p->points, p->sessions, fmin(p->backlog, p->sessions));
		busy += fmin(p->backlog, p->sessions) * step;
		done += finished * step;
		production_add(&mean, &point, step);
	}
	production_tell(p, busy, done, &mean);
}

/* Whose the sessions are; those that have come to too many are there until they are done. */
static void
set_keys(Scene *s, const PadvIncidentSecond *second, double rate, int now)
{
	bool		crowd = planted_now(s, PADV_INCIDENT_OVERLOAD, now) || planted_now(s, PADV_INCIDENT_OVERSUBSCRIPTION, now);
	double		more = planted_now(s, PADV_INCIDENT_IO_FLOOD, now) ? s->planted.brought :
		crowd ? fmax(0.0, 1.0 - s->planted.as_planted / rate) : 0.0;

	if (now % MINUTE == 0)
		vary_keys(&s->keys, &s->p);
	sample_keys(&s->keys, &s->p, second->means->demand, second->io_young, more, &s->watch.growth);
}

static void
run_second(Scene *s, int now)
{
	Production *p = &s->p;
	PadvIncidentSecond second = {.at = START + (int64_t) now * 1000000};
	double		done = p->counters.value[PADV_COMMITTED];
	double		rate;

	p->sessions = s->total;
	set_row(s, now);
	scale_spells(s, now);
	rate = rate_now(s, now);
	production_solve(p);
	let_sessions_stick(s, rate, now);
	open_second(p, rate);
	p->sessions = s->total;
	second.means = &p->minute[(p->second - 1) % MINUTE];
	s->transactions = second.transactions = p->counters.value[PADV_COMMITTED] - done;
	second.io_young = second.means->in_class[PADV_WAITING_IO] + second.means->committing - second.means->committing_io;
	set_blockers(s, second.means, now);
	set_roles(s, second.means, now);
	feed_roles(s);
	set_keys(s, &second, rate, now);
	s->status.clock_us = (int64_t) (now + 1) * 1000000;
	s->status.taken_at = second.at;
	if (p->second % JUDGE_SECONDS == 0)
		s->status.model = p->model;
	s->status.load = p->load;
	s->status.last.sessions = 0;
	for (int role = 0; role < ROLES; role++)
		s->status.last.sessions += (int64_t) s->sessions[role];
	end_second(s, &second);
}

static void
run_scene(Scene *s)
{
	for (int now = 0; now < s->seconds; now++)
		run_second(s, now);
}

/* --- scenes --------------------------------------------------------------------- */

static void
quiet_scene(Scene *s, int seconds, uint64_t seed)
{
	begin_scene(s, (Kind) (seed % KINDS), 1.5, seed);
	s->standby = seed / KINDS % 2 == 1;
	limit_sessions(&s->p);
	set_sessions(s, s->p.sessions);
	s->seconds = seconds;
	draw_spells(s, seconds);
	run_scene(s);
}

/* By how much I/O must be slower so that so little can be done. */
static double
slow_enough(Scene *s, double most)
{
	ProductionPoint *points = s->p.points;
	ProductionWeather weather = fair_weather;
	double		factor = 1.0;
	double		done = INFINITY;

	while (done > most && factor < 1e6)
	{
		factor *= 1.3;
		weather.disk = weather.commit = factor;
		production_curve(&s->p.server, &weather, s->p.sessions, points);
		done = 0.0;
		for (int n = 1; n <= s->p.sessions; n++)
			done = fmax(done, points[n].throughput);
	}
	s->p.solved_for.cpu = -1.0;
	return factor;
}

/* Whether throughput with all sessions at work is in this share of the best. */
static bool
crowd_does(Scene *s, double least, double most)
{
	double		share = s->p.points[s->p.sessions].throughput / s->best;

	return share >= least && share <= most;
}

/* Draw a server on which this kind can happen. */
static void
draw_scene(Scene *s, int kind, uint64_t seed)
{
	static const Kind with_io[] = {READS, COMMITS};
	Kind		server = (Kind) (seed % KINDS);

	for (uint64_t try = 0;; try++)
	{
		uint64_t	number = seed * 1000 + try;

		if (kind == PADV_INCIDENT_IO_FLOOD)
			server = with_io[seed % 2];
		else if (kind == PADV_INCIDENT_OVERSUBSCRIPTION)
			server = COMPUTES;
		else if (kind == PADV_INCIDENT_OVERLOAD)
			server = number % 2 == 0 ? COMPUTES : READS;
		else if (kind == PADV_INCIDENT_LOCK_STORM)
			server = (Kind) (number % KINDS);
		begin_scene(s, server, kind == PADV_INCIDENT_OVERSUBSCRIPTION || kind == PADV_INCIDENT_OVERLOAD ? 6.0 : 2.0, number);
		s->standby = seed / 2 % 2 == 1;
		if (kind == PADV_INCIDENT_OVERSUBSCRIPTION ? crowd_does(s, 0.0, 0.55) :
			kind == PADV_INCIDENT_OVERLOAD ? crowd_does(s, 0.97, 1.0) : crowd_does(s, 0.85, 1.0))
			break;
	}
	set_sessions(s, s->p.sessions);
}

static void
planted_scene(Scene *s, int kind, uint64_t seed)
{
	Production *p = &s->p;
	Planted    *planted = &s->planted;
	double		usable;

	draw_scene(s, kind, seed);
	usable = (double) p->inputs.usable_connections;
	s->growth = 0.0;
	*planted = (Planted) {.kind = kind,.from = (int) production_between(p, 900.0, 2400.0)};
	planted->to = planted->from + (int) production_around(p, 60.0, 900.0);
	planted->share = production_between(p, 0.7, 1.0);
	s->low = s->high * production_between(p, 0.6, 0.95);
	if (kind == PADV_INCIDENT_OVERSUBSCRIPTION)
		p->noise = fmin(p->noise, 0.02);
	if (kind == PADV_INCIDENT_LOCK_STORM)
		planted->strength = production_between(p, 0.05, 0.5);
	else if (kind == PADV_INCIDENT_IO_FLOOD)
		planted->strength = slow_enough(s, production_between(p, 0.1, 0.5) * s->low * s->best);
	else if (kind == PADV_INCIDENT_OVERLOAD || kind == PADV_INCIDENT_OVERSUBSCRIPTION)
	{
		planted->strength = production_between(p, 1.15, 1.8);
		planted->to = planted->from + (int) production_between(p, 300.0, 1200.0);
	}
	else if (kind == PADV_INCIDENT_LOGIN_STORM)
		planted->strength = production_around(p, 1.5, 6.0) * fmax(20.0, 3.0 * p->server.cores) + 300.0 * (s->per_request > 0.0);
	else if (kind == PADV_INCIDENT_LEAK)
	{
		planted->strength = 1.0 / production_around(p, 1.0, 30.0);
		planted->strength = fmin(planted->strength, 0.5 * usable / 150.0);
		planted->to = planted->from + (int) (production_between(p, 0.45, 0.6) * usable / planted->strength);
	}
	planted->brought = production_between(p, 0.35, 0.95);
	draw_keys(&s->keys, p, (NewKey) (seed / 3 % NEW_KEYS));
	s->seconds = planted->to + 400;
	draw_spells(s, s->seconds);
	run_scene(s);
}

/* --- what was found --------------------------------------------------------------- */

typedef struct Tally
{
	int			scenes;
	int			right;			/* kind and culprit */
	int			kind_right;
	int			alone;			/* and nothing else */
	int			others;			/* incidents beside it */
	int			implausible;	/* that cost more than what was done before */
	int			judged[PADV_CHECK_UNKNOWN]; /* scenes by what they are worth */
	double		delay;			/* seconds from the beginning to what is told */
} Tally;

static bool
culprit_is_right(const Keys *keys, const PadvIncident *incident)
{
	switch ((PadvIncidentKind) incident->kind)
	{
		case PADV_INCIDENT_STALLED:
		case PADV_INCIDENT_LOCK_STORM:
			return incident->culprit == PADV_CULPRIT_SESSION && incident->pid == CULPRIT_PID && incident->role == LOCKER &&
				strcmp(incident->application, "culprit") == 0;
		case PADV_INCIDENT_LOGIN_STORM:
			return incident->culprit == PADV_CULPRIT_ROLE && incident->role == STORMER;
		case PADV_INCIDENT_LEAK:
			return incident->culprit == PADV_CULPRIT_ROLE && incident->role == LEAKER;
		case PADV_INCIDENT_OVERLOAD:
		case PADV_INCIDENT_OVERSUBSCRIPTION:
		case PADV_INCIDENT_IO_FLOOD:
			return key_is_right(keys, incident);
	}
	return false;
}

static int
second_of(int64_t at)
{
	return (int) ((at - START) / 1000000);
}

static void
tell(const Scene *s, const char *what, uint64_t seed)
{
	PadvIncident rows[PADV_MAX_INCIDENTS];
	int			count = padv_incident_ring_copy(&s->ring, rows);

	printf("# %s, seed %llu", what, (unsigned long long) seed);
	if (s->planted.kind >= 0)
		printf(", planted %s %d to %d, strength %g", padv_incident_kind_name((PadvIncidentKind) s->planted.kind),
			   s->planted.from, s->planted.to, s->planted.strength);
	printf("; %d cores, %d sessions, usable %lld, best %.0f, asked %.2f to %.2f, noise %.2f, row %g, disk %g, commit %g, spin %g\n",
		   s->p.server.cores, s->total, (long long) s->p.inputs.usable_connections, s->best, s->low, s->high,
		   s->p.noise, s->p.server.row, s->p.server.disk, s->p.server.commit, s->p.server.spin);
	for (int i = 0; i < count; i++)
		printf("#    %s %d to %d, culprit %u (of %d) pid %u role %u %s share %.2f before %.2f, peak %.1f usual %.2f, tps %.1f of %.1f, not done %.0f\n",
			   padv_incident_kind_name((PadvIncidentKind) rows[i].kind), second_of(rows[i].began),
			   rows[i].ended ? second_of(rows[i].ended) : -1, rows[i].culprit, (int) s->keys.kind, rows[i].pid, rows[i].role,
			   rows[i].application, rows[i].share, rows[i].share_before,
			   rows[i].peak, rows[i].usual, rows[i].throughput, rows[i].throughput_before, rows[i].not_done);
	for (int i = 0; i < s->nspells && s->planted.kind < 0; i++)
		for (int j = 0; j < count; j++)
			if (s->spells[i].kind != CRON_RUN && s->spells[i].from <= second_of(rows[j].began) + 60 &&
				s->spells[i].to >= second_of(rows[j].began) - 60)
				printf("#    spell %d, %d to %d, strength %g\n", s->spells[i].kind, s->spells[i].from, s->spells[i].to,
					   s->spells[i].strength);
}

static bool
cost_is_plausible(const Scene *s, const PadvIncident *incident)
{
	int			seconds = (incident->ended != 0 ? second_of(incident->ended) : s->seconds) - second_of(incident->began) + 2;

	return incident->not_done <= incident->throughput_before * seconds && incident->throughput_before <= 1.1 * s->best;
}

static void
add_up(Tally *tally, const Scene *s, bool verbose, uint64_t seed)
{
	PadvIncident rows[PADV_MAX_INCIDENTS];
	int			count = padv_incident_ring_copy(&s->ring, rows);
	bool		kind_right = false;
	bool		right = false;

	for (int i = 0; i < count; i++)
		tally->implausible += !cost_is_plausible(s, &rows[i]);
	for (int i = 0; i < count; i++)
		if ((int) rows[i].kind == s->planted.kind && second_of(rows[i].began) >= s->planted.from - 30 &&
			second_of(rows[i].began) < s->planted.to + 60)
		{
			kind_right = true;
			right |= culprit_is_right(&s->keys, &rows[i]);
		}
	tally->scenes++;
	tally->judged[s->worst]++;
	tally->kind_right += kind_right;
	tally->right += right;
	tally->alone += right && count == 1;
	tally->others += count - right;
	if (verbose && !(right && count == 1))
		tell(s, right ? "more than one" : "not found", seed);
}

static void
add_tally(Tally *all, const Tally *tally)
{
	all->scenes += tally->scenes;
	all->right += tally->right;
	all->kind_right += tally->kind_right;
	all->alone += tally->alone;
	all->others += tally->others;
	all->implausible += tally->implausible;
	for (int status = PADV_CHECK_OK; status < PADV_CHECK_UNKNOWN; status++)
		all->judged[status] += tally->judged[status];
}

static void
run_planted(int kind, uint64_t first, int count, bool verbose, Tally *tally)
{
	for (int i = 0; i < count; i++)
	{
		uint64_t	seed = (first * 100 + (uint64_t) kind) * 10000 + (uint64_t) i;

		planted_scene(&scene, kind, seed);
		add_up(tally, &scene, verbose, seed);
	}
}

/* The number of days with an incident; and of those that the check calls a warning, or worse. */
static int
run_quiet(uint64_t first, int count, int seconds, bool verbose, int *incidents, int *warned)
{
	int			wrong = 0;

	*incidents = *warned = 0;

	for (int i = 0; i < count; i++)
	{
		uint64_t	seed = first * 1000000 + (uint64_t) i;

		quiet_scene(&scene, seconds, seed);
		*incidents += (int) scene.ring.newest;
		wrong += scene.ring.newest > 0;
		*warned += scene.worst != PADV_CHECK_OK;
		if (verbose && scene.ring.newest > 0)
			tell(&scene, "quiet", seed);
	}
	return wrong;
}

static void
print_tally(const char *name, const Tally *tally)
{
	printf("%-18s %7d %7d %7d %7d %7d %7d %7d %7d\n", name, tally->scenes, tally->kind_right, tally->right, tally->alone,
		   tally->others, tally->judged[PADV_CHECK_OK], tally->judged[PADV_CHECK_WARNING], tally->judged[PADV_CHECK_CRITICAL]);
	fflush(stdout);
}

static void
report(uint64_t seed, int count, bool verbose)
{
	int			incidents,
				warned;
	int			wrong = run_quiet(seed, count, 2 * HOUR, verbose, &incidents, &warned);
	Tally		all = {0};

	printf("quiet: %d of %d days of two hours have an incident (%d in all), %d a warning\n", wrong, count, incidents, warned);
	printf("%-18s %7s %7s %7s %7s %7s %7s %7s %7s\n", "planted", "scenes", "kind", "right", "alone", "others", "ok", "warning", "crit");
	for (int kind = 0; kind < PADV_INCIDENT_KINDS; kind++)
	{
		Tally		tally = {0};

		run_planted(kind, seed, (count + 2) / 3, verbose, &tally);
		print_tally(padv_incident_kind_name((PadvIncidentKind) kind), &tally);
		add_tally(&all, &tally);
	}
	print_tally("all", &all);
}

/* --- what must not go wrong ------------------------------------------------------- */

static void
test_quiet_days(void)
{
	int			incidents,
				warned;
	int			wrong = run_quiet(1, 15, HOUR, true, &incidents, &warned);

	ok(wrong == 0, "15 days that are steady or busy: no incident (%d)", incidents);
	ok(warned == 0, "nor anything that is worth a warning (%d)", warned);
}

/* Scenes that nobody has seen before; the seed tells which. */
static void
test_planted(uint64_t seed)
{
	Tally		all = {0};

	printf("# scenes of seed %llu\n", (unsigned long long) seed);
	for (int kind = 0; kind < PADV_INCIDENT_KINDS; kind++)
	{
		Tally		tally = {0};

		run_planted(kind, seed, 30, true, &tally);
		ok(tally.right >= 0.8 * tally.scenes, "%s: of %d scenes %d with the right kind, %d with the right culprit, too",
		   padv_incident_kind_name((PadvIncidentKind) kind), tally.scenes, tally.kind_right, tally.right);
		ok(kind == PADV_INCIDENT_LOGIN_STORM || kind == PADV_INCIDENT_STALLED || tally.judged[PADV_CHECK_OK] <= 0.1 * tally.scenes,
		   "%d of them are worth a warning, and %d are critical", tally.judged[PADV_CHECK_WARNING], tally.judged[PADV_CHECK_CRITICAL]);
		add_tally(&all, &tally);
	}
	ok(all.kind_right >= 0.95 * all.scenes, "together: of %d scenes %d with the right kind", all.scenes, all.kind_right);
	ok(all.right >= 0.95 * all.scenes, "and %d with the right culprit, too", all.right);
	ok(all.others <= 0.1 * all.scenes, "and each event is one incident (%d others)", all.others);
	ok(all.implausible == 0, "which never costs more than what was done before (%d)", all.implausible);
}

/* Commits that wait for a slow standby wait for I/O, and no session keeps them from it. */
static void
test_standby(void)
{
	Tally		tally = {0};

	for (uint64_t seed = 3; seed < 24; seed += 4)
	{
		planted_scene(&scene, PADV_INCIDENT_IO_FLOOD, seed);
		add_up(&tally, &scene, true, seed);
	}
	ok(tally.alone == tally.scenes, "a slow synchronous standby: %d of %d are floods of I/O, and nothing else",
	   tally.alone, tally.scenes);
}

/* A second of a load that comes with more or less than it, without roles and locks. */
static void
plain_second(Scene *s, double rate)
{
	Production *p = &s->p;
	PadvIncidentSecond second = {.at = START + (int64_t) p->second * 1000000};
	double		done = p->counters.value[PADV_COMMITTED];

	open_second(p, rate);
	second.means = &p->minute[(p->second - 1) % MINUTE];
	second.transactions = p->counters.value[PADV_COMMITTED] - done;
	s->status.model = p->model;
	s->status.load = p->load;
	s->status.clock_us = (int64_t) p->second * 1000000;
	padv_role_watch_begin(&s->watch.roles);
	sample_keys(&s->keys, p, second.means->demand, 0.0, p->weather.batch / fmax(second.means->demand, 1.0), &s->watch.growth);
	end_second(s, &second);
}

/*
 * Transactions become few in the evening, and then a batch takes the cores.  It keeps none of
 * them from being done, though many more were done by day; also where the pool has closed its
 * idle connections, so that nearly all sessions are of the batch.
 */
static void
test_night(int connected)
{
	Scene	   *s = &scene;
	ProductionServer server = {.cores = 4, .disks = 1, .cpu = 0.0006, .commit = 0.0006, .turnaround = 0.0002};
	PadvIncident rows[PADV_MAX_INCIDENTS];
	int			count;
	int			wrong = 0;

	begin_watch(s);
	production_begin(&s->p, &server, 60, 9);
	draw_keys(&s->keys, &s->p, NEW_ROLE);
	for (int now = 0; now < 3 * HOUR; now++)
	{
		s->total = now < 5000 ? 60 : connected;
		s->p.weather = fair_weather;
		if (now >= 9000 && now < 10200)
		{
			s->p.weather.batch = 12.0;
			s->p.weather.cores_taken = 3.7;
		}
		plain_second(s, now < 5000 ? 3500.0 : 50.0);
	}
	count = padv_incident_ring_copy(&s->ring, rows);
	for (int i = 0; i < count; i++)
		wrong += rows[i].kind == PADV_INCIDENT_OVERSUBSCRIPTION || rows[i].not_done > 1000.0;
	if (wrong > 0 || s->worst != PADV_CHECK_OK)
		tell(s, "a night", 9);
	ok(wrong == 0 && s->worst == PADV_CHECK_OK, "a batch in the evening keeps nothing from being done, beside %d sessions (%d of %d)",
	   connected, wrong, count);
}

/* --- one after another ------------------------------------------------------------ */

static int64_t clock_step;

/* A minute or two by hand, in which so many sessions stand behind a lock of this one, or of none. */
static void
stand(Scene *s, int seconds, int32_t pid, int64_t count)
{
	PadvWindowMeans means = {.samples = 10};

	s->blockers.count = pid != 0;
	s->blockers.rows[0] = (PadvBlocker) {.pid = pid, .role = (uint32_t) pid, .blocked = count,
		.state = pid == 7 ? PADV_BLOCKER_IDLE_IN_TRANSACTION : PADV_BLOCKER_ACTIVE, .xact_seconds = 60.0};
	snprintf(s->blockers.rows[0].application, PADV_APPLICATION_NAME, "%d", pid);
	for (int i = 0; i < seconds; i++, s->seconds++)
	{
		PadvIncidentSecond second = {.at = START + clock_step + (int64_t) s->seconds * 1000000, .means = &means};

		s->status.stall.standing = pid != 0 ? count : 0;
		s->status.stall.stalled_seconds = pid != 0 ? PADV_STANDING_SECONDS + i : 0.0;
		means.demand = means.active = means.in_class[PADV_WAITING_LOCK] = (double) s->status.stall.standing;
		padv_role_watch_begin(&s->watch.roles);
		end_second(s, &second);
	}
}

static void
test_two_stalls(void)
{
	Scene	   *s = &scene;
	PadvIncident rows[PADV_MAX_INCIDENTS];

	begin_watch(s);
	stand(s, 30, 0, 0);
	stand(s, 25, 7, 30);
	stand(s, 65, 0, 0);
	stand(s, 30, 8, 2);
	ok(padv_incident_ring_copy(&s->ring, rows) == 2 && rows[1].pid == 7 && rows[1].peak == 30.0 && rows[1].ended != 0 &&
	   rows[1].state == PADV_BLOCKER_IDLE_IN_TRANSACTION, "a stall behind another session keeps its culprit");
	ok(rows[0].pid == 8 && rows[0].peak == 2.0 && rows[0].began > rows[1].ended && strcmp(rows[0].application, "8") == 0,
	   "and is followed by one of its own");

	stand(s, 65, 0, 0);
	stand(s, 30, 8, 40);
	ok(padv_incident_ring_copy(&s->ring, rows) == 2 && rows[0].pid == 8 && rows[0].ended == 0 && rows[0].peak == 40.0,
	   "what begins again behind the same session goes on");
	stand(s, 20, 0, 0);
	stand(s, 20, 7, 5);
	ok(padv_incident_ring_copy(&s->ring, rows) == 2 && rows[0].pid == 8 && rows[0].role == 8 && strcmp(rows[0].application, "8") == 0,
	   "while it lasts, the culprit is by all that was waited for");
	stand(s, 70, 0, 0);
	stand(s, 300, 7, 5);
	stand(s, 70, 0, 0);
	stand(s, 20, 7, 5);
	stand(s, 10, 8, 50);
	ok(padv_incident_ring_copy(&s->ring, rows) == 3 && rows[0].pid == 7, "also of what was before it went on");
}

static void
test_clock_steps(void)
{
	Scene	   *s = &scene;
	PadvIncident rows[PADV_MAX_INCIDENTS];
	const int64_t day = INT64_C(86400000000);

	begin_watch(s);
	stand(s, 30, 0, 0);
	stand(s, 30, 7, 30);
	stand(s, 40, 0, 0);
	clock_step = -day;
	stand(s, 300, 0, 0);
	stand(s, 30, 7, 30);
	ok(padv_incident_ring_copy(&s->ring, rows) == 2 && rows[0].began == START - day + 395 * INT64_C(1000000) &&
	   rows[1].ended == START + 59 * INT64_C(1000000), "a clock that was set back does not join two incidents");
	clock_step = -2 * day;
	stand(s, 10, 7, 30);
	stand(s, 40, 0, 0);
	ok(padv_incident_ring_copy(&s->ring, rows) == 2 && rows[0].ended == rows[0].began,
	   "nor does one end before it began");
	clock_step = day;
	stand(s, 30, 7, 30);
	ok(padv_incident_ring_copy(&s->ring, rows) == 2 && rows[0].ended == 0, "one that is set forward does not part them");
	clock_step = 0;
}

/* Seconds in which a role logs in so often. */
static void
log_in(Scene *s, int seconds, uint32_t role, double logins)
{
	PadvWindowMeans means = {.samples = 10};

	s->blockers.count = 0;
	s->status.stall.standing = 0;
	s->status.stall.stalled_seconds = 0.0;
	s->status.model.cores = 4.0;
	for (int i = 0; i < seconds; i++, s->seconds++)
	{
		PadvIncidentSecond second = {.at = START + (int64_t) s->seconds * 1000000, .means = &means};

		padv_role_watch_begin(&s->watch.roles);
		padv_role_watch_logins(&s->watch.roles, role, logins);
		end_second(s, &second);
	}
}

static void
test_two_storms(void)
{
	Scene	   *s = &scene;
	PadvIncident rows[PADV_MAX_INCIDENTS];

	begin_watch(s);
	log_in(s, 300, WEB, 1.0);
	log_in(s, 60, STORMER, 200.0);
	log_in(s, 60, WEB, 1.0);
	log_in(s, 60, API, 100.0);
	ok(padv_incident_ring_copy(&s->ring, rows) == 2 && rows[1].role == STORMER && rows[0].role == API,
	   "a login storm of another role is another incident");
	log_in(s, 60, WEB, 1.0);
	log_in(s, 60, API, 100.0);
	ok(padv_incident_ring_copy(&s->ring, rows) == 2 && rows[0].role == API && rows[0].ended == 0, "one of the same role goes on");
}

int
main(int argc, char **argv)
{
	if (argc >= 4 && strcmp(argv[1], "random") == 0)
	{
		report(strtoull(argv[2], NULL, 10), atoi(argv[3]), argc > 4);
		return 0;
	}
	test_quiet_days();
	test_planted(argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t) time(NULL) % 100000);
	test_standby();
	test_night(60);
	test_night(1);
	test_two_stalls();
	test_clock_steps();
	test_two_storms();
	return tap_end();
}
