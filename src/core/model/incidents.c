/*
 * incidents.c
 *		Incidents, found second by second.
 *
 * Owns what each kind looks like, and when one begins and ends.  Pure; the worker calls
 * it once a second.
 *
 * Work is harmed when fewer transactions are done than before although as many sessions
 * want to work: each of them takes much longer.  A busy server does more than before, and
 * a quiet one has fewer sessions, so neither looks like that.  What is compared with is
 * the mean of the last minutes, and the same time of day in the last two weeks.
 *
 * A symptom must last for a while before an incident begins, and be gone for a while
 * before it ends.  While an incident lasts, another symptom that says more about the
 * cause changes its kind; one that says less is an echo.  So one event is one incident.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/incidents.h"

#include <math.h>
#include <string.h>

#include "core/model/health.h"

#define SECOND 1e6

/* Over how long the present is smoothed, and the flow of transactions. */
#define NOW_SECONDS 5.0
#define FLOW_SECONDS 20.0
#define BEST_FLOW_SECONDS 3600.0

/* For how long a symptom must be seen. */
static const double begin_seconds[PADV_INCIDENT_KINDS] = {
	[PADV_INCIDENT_LOGIN_STORM] = 15.0,
	[PADV_INCIDENT_LEAK] = 1.0,
	[PADV_INCIDENT_OVERLOAD] = 45.0,
	[PADV_INCIDENT_OVERSUBSCRIPTION] = 45.0,
	[PADV_INCIDENT_IO_FLOOD] = 15.0,
	[PADV_INCIDENT_LOCK_STORM] = 15.0,
	[PADV_INCIDENT_STALLED] = 5.0,
};

/* The waiting of sessions behind a lock, in seconds of sessions, that makes a stall. */
#define STALLED_WAITED 30.0

/* An incident ends when its symptom is gone for so long. */
#define END_SECONDS 30.0

/* What begins so soon after the end goes on; a symptom that says less is an echo. */
#define ECHO_SECONDS 120.0

/* After that long a leak is how the role works. */
#define LEAK_LONGEST_SECONDS 86400.0

/*
 * Harm: throughput falls to so much of before, each session takes so many times as long,
 * and as many want to work.  In each pair the second one is enough for an incident that
 * lasts to go on.
 */
static const double harm_throughput[2] = {0.7, 0.85};
static const double harm_latency[2] = {2.5, 1.5};
#define HARM_DEMAND 0.8
#define HARM_LEAST_THROUGHPUT 1.0

/* A class of waits: so many sessions, and so many times as long for each transaction. */
static const double waits_least[2] = {3.0, 2.0};
static const double waits_factor[2] = {3.0, 1.5};
#define WAITS_MORE 2.0
#define WAITS_EASED 0.7
#define IO_SHARE 0.5
#define IO_YOUNG 2.0

/* What is usual at this time of day is no incident, nor is a little more. */
#define USUAL_FACTOR 1.5

/* Overload: so many times the sessions of before, and as slow. */
static const double crowd_demand[2] = {1.5, 1.2};
static const double crowd_latency[2] = {2.0, 1.3};
#define CROWD_USED_UP 0.9
#define CROWD_LEAST 8.0
#define CROWD_OTHERS 3.0

/* Oversubscription: throughput falls to so much of the best that was seen. */
#define COST_THROUGHPUT 0.75
#define COST_GAIN 1.1

/* The share of the waiting that makes a culprit. */
#define CULPRIT_SHARE 0.5
#define ROLE_SHARE 0.6

/* A symptom of so many seconds makes the present suspect, but not for ever. */
#define SUSPECT_SCORE 3.0
#define SUSPECT_LONGEST 300.0

/* After that long an incident becomes what is usual. */
#define NEW_USUAL_SECONDS 21600.0
#define NEW_USUAL_LOGINS_SECONDS 3600.0

void
padv_incident_watch_init(PadvIncidentWatch *watch, uint64_t newest)
{
	memset(watch, 0, sizeof(*watch));
	watch->newest = newest;
	padv_role_watch_init(&watch->roles);
	padv_baseline_init(&watch->baseline);
	padv_blame_init(&watch->blame);
	padv_growth_init(&watch->growth);
}

void
padv_incident_watch_forget(PadvIncidentWatch *watch)
{
	memset(watch->symptoms, 0, sizeof(watch->symptoms));
	memset(watch->slots, 0, sizeof(watch->slots));
	padv_blame_init(&watch->blame);
	padv_growth_clear(&watch->growth);
}

int64_t
padv_incident_io_young(const PadvSample *sample)
{
	int64_t		count = 0;

	for (int i = 0; i < sample->count; i++)
	{
		const PadvSession *session = &sample->sessions[i];

		count += session->state == PADV_STATE_ACTIVE && (session->wait_class == PADV_WAITING_IO || session->commits) &&
			sample->taken_at - session->statement_start < 60 * INT64_C(1000000);
	}
	return count;
}

static PadvIncidentSlot
slot_of(PadvIncidentKind kind)
{
	if (kind == PADV_INCIDENT_LOGIN_STORM)
		return PADV_SLOT_LOGINS;
	return kind == PADV_INCIDENT_LEAK ? PADV_SLOT_LEAK : PADV_SLOT_WORK;
}

/* 1 for a kind that lasts: what it needs to go on. */
static int
eased(const PadvIncidentWatch *watch, PadvIncidentKind kind)
{
	const PadvOpenIncident *slot = &watch->slots[slot_of(kind)];

	return slot->open && slot->incident.kind == kind;
}

/* --- the present and before ------------------------------------------------ */

static void
follow(double *mean, double value, double seconds, double over)
{
	*mean += (value - *mean) * (1.0 - exp(-seconds / over));
}

/* Commits wait for I/O in whatever class: of the log here, or of a synchronous standby. */
static PadvPace
pace_of(const PadvIncidentSecond *second)
{
	const PadvWindowMeans *means = second->means;

	return (PadvPace) {
		.throughput = fmax(second->transactions, 0.0),
		.demand = means->demand,
		.lock = means->in_class[PADV_WAITING_LOCK] - means->advisory,
		.io = means->in_class[PADV_WAITING_IO] + means->committing - means->committing_io,
	};
}

static void
follow_best_flow(PadvIncidentWatch *watch, double seconds)
{
	watch->best_flow_seconds += seconds;
	if (watch->best_flow_seconds >= BEST_FLOW_SECONDS)
	{
		watch->best_flow_before = watch->best_flow;
		watch->best_flow = 0.0;
		watch->best_flow_seconds = 0.0;
	}
	watch->best_flow = fmax(watch->best_flow, watch->flow);
}

static void
follow_present(PadvIncidentWatch *watch, const PadvPace *pace, const PadvIncidentSecond *second)
{
	follow(&watch->now.throughput, pace->throughput, second->seconds, NOW_SECONDS);
	follow(&watch->now.demand, pace->demand, second->seconds, NOW_SECONDS);
	follow(&watch->now.lock, pace->lock, second->seconds, NOW_SECONDS);
	follow(&watch->now.io, pace->io, second->seconds, NOW_SECONDS);
	follow(&watch->io_young, second->io_young, second->seconds, NOW_SECONDS);
	follow(&watch->flow, pace->throughput, second->seconds, FLOW_SECONDS);
	watch->cautious = (PadvPace) {
		.throughput = fmax(pace->throughput, watch->now.throughput),
		.demand = fmin(pace->demand, watch->now.demand),
		.lock = fmin(pace->lock, watch->now.lock),
		.io = fmin(pace->io, watch->now.io),
	};
	follow_best_flow(watch, second->seconds);
}

/* Whether an incident lasts, and not for so long that it is usual by now. */
static bool
lasts_since(const PadvIncidentWatch *watch, const PadvOpenIncident *slot, double longest_seconds)
{
	return slot->open && watch->clock - slot->began < longest_seconds;
}

/* Whether something may be going on, so that the present does not count as usual. */
static bool
is_suspect(const PadvIncidentWatch *watch)
{
	bool		seen = false;

	for (int kind = PADV_INCIDENT_OVERLOAD; kind < PADV_INCIDENT_KINDS; kind++)
		seen |= watch->symptoms[kind].score >= SUSPECT_SCORE;
	return lasts_since(watch, &watch->slots[PADV_SLOT_WORK], NEW_USUAL_SECONDS) ||
		(seen && !watch->slots[PADV_SLOT_WORK].open && watch->suspect_seconds < SUSPECT_LONGEST);
}

/* Whether more is asked of the server than it can do at once. */
static bool
load_matters(const PadvIncidentWatch *watch)
{
	bool		matters = false;

	for (int kind = PADV_INCIDENT_OVERLOAD; kind <= PADV_INCIDENT_IO_FLOOD; kind++)
		matters |= watch->symptoms[kind].score > 0.0 || eased(watch, kind);
	return matters;
}

static void
update_growth(PadvIncidentWatch *watch, double seconds, bool usual)
{
	bool		matters = load_matters(watch);

	if (!matters && watch->growth.now_seconds > 0.0)
		padv_growth_clear(&watch->growth);
	padv_growth_end(&watch->growth, seconds, usual, matters);
}

static void
learn_before(PadvIncidentWatch *watch, const PadvPace *pace, double seconds)
{
	bool		suspect = is_suspect(watch);

	watch->suspect_seconds = suspect ? watch->suspect_seconds + seconds :
		fmax(0.0, watch->suspect_seconds - seconds);
	update_growth(watch, seconds, !suspect);
	if (suspect)
	{
		padv_baseline_skip(&watch->baseline);
		return;
	}
	padv_baseline_add(&watch->baseline, pace, seconds);
	watch->before_known = padv_baseline_mean(&watch->baseline, &watch->before);
}

/* --- symptoms --------------------------------------------------------------- */

/*
 * Each session takes so many times as long as before.  By Little's law that is demand
 * over throughput; written without a division, as throughput may be 0.
 */
static bool
is_slower(const PadvIncidentWatch *watch, const PadvPace *now, double factor)
{
	return now->demand * watch->before.throughput >= factor * watch->before.demand * now->throughput;
}

/*
 * What a symptom is looked for in.  A peak of a second is over at once, but not in a mean
 * over some seconds; so both must show it, unless it has lasted already.
 */
static const PadvPace *
present(const PadvIncidentWatch *watch, int ease)
{
	return ease ? &watch->now : &watch->cautious;
}

static bool
is_harmed(const PadvIncidentWatch *watch, int ease)
{
	const PadvPace *now = present(watch, ease);
	double		lost = watch->before.throughput - now->throughput;

	if (!watch->before_known || watch->before.throughput < HARM_LEAST_THROUGHPUT ||
		now->throughput > harm_throughput[ease] * watch->before.throughput ||
		now->demand < HARM_DEMAND * watch->before.demand || !is_slower(watch, now, harm_latency[ease]))
		return false;

	/* not by chance: beyond three times the noise of so many arrivals */
	return ease || lost * NOW_SECONDS >= 3.0 * sqrt(watch->before.throughput * NOW_SECONDS) + NOW_SECONDS;
}

/* Whether nearly all sessions that there are want to work, so that requests wait outside. */
static bool
is_exhausted(const PadvIncidentWatch *watch, const PadvWindowMeans *means)
{
	return watch->now.demand >= CROWD_LEAST &&
		watch->now.demand >= CROWD_USED_UP * (means->active + means->idle + means->idle_in_transaction);
}

/*
 * A class of waits that has grown out of what it was: more sessions are in it, or all that
 * there are, and by Little's law each transaction spends far more time in it.
 */
static bool
has_grown(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, double waiting, double before, double usual, int ease)
{
	return waiting >= waits_least[ease] && waiting >= USUAL_FACTOR * usual &&
		(ease || waiting >= WAITS_MORE * before || is_exhausted(watch, second->means)) &&
		waiting * watch->before.throughput >= waits_factor[ease] * before * present(watch, ease)->throughput;
}

static bool
sees_locks(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, int ease)
{
	const PadvPace *now = present(watch, ease);

	/* the history has those that wait for advisory locks, too */
	double		usual = fmax(0.0, second->usual.lock - second->means->advisory);

	return padv_model_is_contended(now->lock, now->demand * (ease ? WAITS_EASED : 1.0)) &&
		has_grown(watch, second, now->lock, watch->before.lock, usual, ease) && is_harmed(watch, ease);
}

static bool
sees_io(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, int ease)
{
	const PadvPace *now = present(watch, ease);

	return now->io >= IO_SHARE * (ease ? WAITS_EASED : 1.0) * now->demand && (ease || watch->io_young >= IO_YOUNG) &&
		has_grown(watch, second, now->io, watch->before.io, second->usual.io, ease) && is_harmed(watch, ease);
}

/*
 * Whether more sessions want to work than help.  A derived number counts only where the
 * cores are used up.
 */
static bool
is_oversubscribed(const PadvIncidentWatch *watch, const PadvIncidentSecond *second)
{
	const PadvStatus *status = second->status;
	const PadvModel *model = &status->model;

	return padv_model_oversubscribed(model) && watch->now.demand > (double) padv_model_chosen(model)->high &&
		!padv_health_stalled_lately(status) &&
		(!padv_model_is_derived(model) || padv_health_cores_used_up(status));
}

/* Many more sessions want to work than before, more than help or nearly all. */
static bool
sees_crowd(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, int ease)
{
	const PadvPace *now = present(watch, ease);

	return watch->before_known && now->demand >= crowd_demand[ease] * watch->before.demand &&
		now->demand >= USUAL_FACTOR * second->usual.demand && is_slower(watch, now, crowd_latency[ease]) &&
		(is_oversubscribed(watch, second) || is_exhausted(watch, second->means));
}

/* Who brought the load. */
static void
find_growth(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncident *incident)
{
	padv_growth_name(&watch->growth, incident->kind == PADV_INCIDENT_IO_FLOOD ? PADV_GROWTH_IO : PADV_GROWTH_DEMAND,
					 second->names, incident);
}

/*
 * Whether all sessions that there are want to work, and not because of those alone that have
 * come: many more of the others want to than before.  Then more is asked for than is done,
 * though it can happen to be as much as before.
 */
static bool
crowds_out_others(const PadvIncidentWatch *watch, const PadvIncidentSecond *second)
{
	PadvIncident who = {.kind = PADV_INCIDENT_OVERSUBSCRIPTION};
	double		others,
				before;

	if (!is_exhausted(watch, second->means))
		return false;
	find_growth(watch, second, &who);
	others = watch->now.demand * (1.0 - fmax(who.share, 0.0));
	before = watch->before.demand * (1.0 - fmax(who.share_before, 0.0));
	return others >= crowd_latency[0] * before && others >= before + CROWD_OTHERS;
}

/* The best throughput that was measured with fewer sessions. */
static double
best_throughput(const PadvIncidentWatch *watch, const PadvModel *model)
{
	return model->curve.state == PADV_CURVE_FITTED ? fmax(model->curve.throughput, watch->before.throughput) :
		fmax(watch->best_flow, watch->best_flow_before);
}

static bool
sees_cost(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, int ease)
{
	const PadvModel *model = &second->status->model;
	double		gain,
				low,
				high;

	if (!sees_crowd(watch, second, ease))
		return false;
	if (ease)
		return true;
	if (padv_model_is_contended(watch->now.lock, watch->now.demand) ||
		watch->now.io >= IO_SHARE * watch->now.demand ||
		(padv_incident_does_as_before(watch->flow, watch->before.throughput, FLOW_SECONDS) &&
		 !crowds_out_others(watch, second)))
		return false;
	return watch->flow <= COST_THROUGHPUT * best_throughput(watch, model) ||
		(padv_model_gain(model, &gain, &low, &high) && low >= COST_GAIN);
}

static bool
sees(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind)
{
	const PadvStatus *status = second->status;
	const PadvModel *model = &status->model;
	int			ease = eased(watch, kind);
	uint32_t	leaking = watch->slots[PADV_SLOT_LEAK].incident.role;

	switch (kind)
	{
		case PADV_INCIDENT_LOGIN_STORM:
			return padv_role_watch_storm(&watch->roles, model->cores, ease);
		case PADV_INCIDENT_LEAK:
			if (ease)
				return padv_role_watch_leaks_still(&watch->roles, leaking);
			return padv_role_watch_leak(&watch->roles, model->inputs.usable_connections,
										padv_health_nearly_full(status, padv_health_connections_taken(status))) != 0;
		case PADV_INCIDENT_OVERLOAD:
			return sees_crowd(watch, second, ease);
		case PADV_INCIDENT_OVERSUBSCRIPTION:
			return sees_cost(watch, second, ease);
		case PADV_INCIDENT_IO_FLOOD:
			return sees_io(watch, second, ease);
		case PADV_INCIDENT_LOCK_STORM:
			return sees_locks(watch, second, ease);
		case PADV_INCIDENT_STALLED:
			return padv_health_stalled(status);
	}
	return false;
}

/* How bad it is now, and how it was before. */
static double
measure(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind, uint32_t role,
		double *before)
{
	const PadvWatchedRole *watched;

	switch (kind)
	{
		case PADV_INCIDENT_LOGIN_STORM:
			*before = watch->roles.usual;
			return watch->roles.rate;
		case PADV_INCIDENT_LEAK:
			watched = padv_role_watch_find(&watch->roles, role);
			*before = watched ? fmin((double) watched->base, watched->low) : -1.0;
			return watched ? (double) watched->sessions : 0.0;
		case PADV_INCIDENT_OVERLOAD:
		case PADV_INCIDENT_OVERSUBSCRIPTION:
			*before = watch->before.demand;
			return watch->now.demand;
		case PADV_INCIDENT_IO_FLOOD:
			*before = watch->before.io;
			return watch->now.io;
		case PADV_INCIDENT_LOCK_STORM:
			*before = watch->before.lock;
			return watch->now.lock;
		case PADV_INCIDENT_STALLED:
			break;
	}
	*before = watch->before_known ? watch->before.lock : -1.0;
	return (double) second->status->stall.standing;
}

/*
 * What would be done in a second without what goes on.  Of a crowd that is the peak of the
 * curve, if that was measured.  The best of the last hours may be of other transactions, so it tells
 * that there is a crowd, but not what it costs.
 */
static double
expected_throughput(const PadvIncidentWatch *watch, const PadvModel *model, PadvIncidentKind kind)
{
	return kind == PADV_INCIDENT_OVERSUBSCRIPTION && model->curve.state == PADV_CURVE_FITTED ?
		best_throughput(watch, model) : watch->before.throughput;
}

/*
 * Transactions that were missed in a second, which can be less than 0.  While logins take
 * nothing from the others, a load that ends is none of them.
 */
static double
missed(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind)
{
	double		expected = expected_throughput(watch, &second->status->model, kind);

	if (kind == PADV_INCIDENT_LOGIN_STORM && !is_harmed(watch, 1))
		return 0.0;
	return (expected - fmax(second->transactions, 0.0)) * second->seconds;
}

/* What a stall has cost before it was called one. */
static void
begin_symptom(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind,
			  PadvSymptom *symptom)
{
	double		already = kind == PADV_INCIDENT_STALLED ? second->status->stall.stalled_seconds : second->seconds;

	*symptom = (PadvSymptom) {.since = watch->clock - already};
	symptom->seconds = already - second->seconds;
	symptom->done = fmax(second->transactions, 0.0) * symptom->seconds;
	symptom->not_done = (watch->before.throughput - fmax(second->transactions, 0.0)) * symptom->seconds;
}

static void
update_symptom(PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind)
{
	PadvSymptom *symptom = &watch->symptoms[kind];
	bool		on = sees(watch, second, kind);
	double		before;

	if (on && symptom->score <= 0.0)
		begin_symptom(watch, second, kind, symptom);
	symptom->on = on;
	symptom->score = fmin(symptom->score + (on ? second->seconds : -2.0 * second->seconds), 2.0 * begin_seconds[kind]);
	if (symptom->score <= 0.0)
	{
		*symptom = (PadvSymptom) {0};
		return;
	}
	symptom->seconds += second->seconds;
	symptom->done += fmax(second->transactions, 0.0) * second->seconds;
	symptom->not_done += missed(watch, second, kind);
	symptom->peak = fmax(symptom->peak, measure(watch, second, kind, 0, &before));
}

static void
update_symptoms(PadvIncidentWatch *watch, const PadvIncidentSecond *second)
{
	for (int kind = 0; kind < PADV_INCIDENT_KINDS; kind++)
		update_symptom(watch, second, kind);
}

/* Whether anything about locks is going on. */
static bool
locks_matter(const PadvIncidentWatch *watch)
{
	return watch->symptoms[PADV_INCIDENT_LOCK_STORM].score > 0.0 || watch->symptoms[PADV_INCIDENT_STALLED].score > 0.0 ||
		eased(watch, PADV_INCIDENT_LOCK_STORM) || eased(watch, PADV_INCIDENT_STALLED);
}

static void
update_blame(PadvIncidentWatch *watch, const PadvIncidentSecond *second)
{
	if (locks_matter(watch))
		padv_blame_add(&watch->blame, second->blockers, second->seconds);
	else if (watch->blame.waited > 0.0)
		padv_blame_init(&watch->blame);
}

/* --- incidents -------------------------------------------------------------- */

/* The role that logs in too often, or 0. */
static uint32_t
storming_role(const PadvIncidentWatch *watch, double *share)
{
	uint32_t	role = padv_role_watch_worst(&watch->roles, share);

	return *share >= ROLE_SHARE ? role : 0;
}

/*
 * As it stood out most: a crowd can stay when those that brought it are gone, and is still
 * theirs.
 */
static void
name_growth(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncident *incident)
{
	PadvIncident named = *incident;

	find_growth(watch, second, &named);
	if (incident->culprit == PADV_CULPRIT_NONE ||
		named.share - named.share_before > incident->share - incident->share_before)
		*incident = named;
}

static void
name_culprit(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncident *incident)
{
	switch ((PadvIncidentKind) incident->kind)
	{
		case PADV_INCIDENT_LOGIN_STORM:
			incident->role = storming_role(watch, &incident->share);
			incident->culprit = incident->role != 0 ? PADV_CULPRIT_ROLE : PADV_CULPRIT_NONE;
			return;
		case PADV_INCIDENT_LEAK:
			incident->culprit = PADV_CULPRIT_ROLE;
			return;
		case PADV_INCIDENT_LOCK_STORM:
		case PADV_INCIDENT_STALLED:
			padv_blame_name(&watch->blame, CULPRIT_SHARE, incident);
			return;
		case PADV_INCIDENT_IO_FLOOD:
		case PADV_INCIDENT_OVERLOAD:
		case PADV_INCIDENT_OVERSUBSCRIPTION:
			name_growth(watch, second, incident);
			return;
	}
}

/* Whether the cost in transactions can be said: in an overload nobody knows what was asked for. */
static bool
has_cost(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind)
{
	return second->transactions >= 0.0 && watch->before_known && kind != PADV_INCIDENT_OVERLOAD &&
		kind != PADV_INCIDENT_LEAK;
}

static void
note_figures(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvOpenIncident *slot)
{
	PadvIncident *incident = &slot->incident;
	double		before;
	double		now = measure(watch, second, incident->kind, incident->role, &before);

	incident->peak = fmax(incident->peak, now);
	incident->throughput = slot->seconds > 0.0 && second->transactions >= 0.0 ? slot->done / slot->seconds : -1.0;
	name_culprit(watch, second, incident);
}

/* Take over what the symptom has gathered; the kind of an incident that lasts changes. */
static void
adopt_symptom(PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind, PadvOpenIncident *slot)
{
	const PadvSymptom *symptom = &watch->symptoms[kind];
	PadvIncident *incident = &slot->incident;

	incident->kind = kind;
	incident->peak = symptom->peak;
	padv_incident_clear_culprit(incident);
	incident->optimal = (double) padv_model_chosen(&second->status->model)->connections;
	if (kind == PADV_INCIDENT_LEAK)
		incident->role = padv_role_watch_leak(&watch->roles, second->status->model.inputs.usable_connections, true);
	(void) measure(watch, second, kind, incident->role, &incident->usual);
	incident->throughput_before = !watch->before_known ? -1.0 :
		kind == PADV_INCIDENT_OVERSUBSCRIPTION ? best_throughput(watch, &second->status->model) : watch->before.throughput;
	if (incident->not_done < 0.0)
		incident->not_done = has_cost(watch, second, kind) ? fmax(symptom->not_done, 0.0) : -1.0;
}

static bool
is_about_locks(uint32_t kind)
{
	return kind == PADV_INCIDENT_LOCK_STORM || kind == PADV_INCIDENT_STALLED;
}

/*
 * Whether what sessions wait for now can be what they waited for in an incident that has
 * ended.  A session can be one of a role that was the culprit.
 */
static bool
may_wait_for_same(const PadvIncidentWatch *watch, const PadvIncident *last)
{
	PadvIncident now = {0};

	padv_blame_name(&watch->blame, CULPRIT_SHARE, &now);
	if (now.culprit == PADV_CULPRIT_NONE || last->culprit == PADV_CULPRIT_NONE)
		return true;
	if (now.culprit == PADV_CULPRIT_ROLE || last->culprit == PADV_CULPRIT_ROLE)
		return now.role == last->role;
	return now.pid == last->pid && now.xid == last->xid;
}

/* Whether those who bring the load now brought that of an incident that has ended. */
static bool
may_bring_same(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, const PadvIncident *last)
{
	PadvIncident now = {.kind = last->kind};

	find_growth(watch, second, &now);
	return now.culprit == last->culprit && now.role == last->role && now.database == last->database &&
		now.query_id == last->query_id && now.state == last->state && strcmp(now.application, last->application) == 0;
}

static bool
may_have_same_culprit(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, const PadvIncident *last)
{
	double		share;

	switch ((PadvIncidentKind) last->kind)
	{
		case PADV_INCIDENT_LOCK_STORM:
		case PADV_INCIDENT_STALLED:
			return may_wait_for_same(watch, last);
		case PADV_INCIDENT_LOGIN_STORM:
			return storming_role(watch, &share) == last->role;
		case PADV_INCIDENT_LEAK:
			return last->role == padv_role_watch_leak(&watch->roles, second->status->model.inputs.usable_connections, true);
		case PADV_INCIDENT_IO_FLOOD:
		case PADV_INCIDENT_OVERLOAD:
		case PADV_INCIDENT_OVERSUBSCRIPTION:
			return may_bring_same(watch, second, last);
	}
	return true;
}

static bool
is_same(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind,
		const PadvOpenIncident *slot)
{
	const PadvIncident *last = &slot->incident;

	return last->number != 0 && last->kind == kind && watch->symptoms[kind].since - slot->seen <= ECHO_SECONDS &&
		may_have_same_culprit(watch, second, last);
}

/* It lasts.  Where the wall clock was set back, it does not end before it began. */
static void
note_seen(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvOpenIncident *slot)
{
	slot->seen = watch->clock;
	slot->incident.seen = second->at > slot->incident.began ? second->at : slot->incident.began;
}

static void
begin_incident(PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind)
{
	PadvOpenIncident *slot = &watch->slots[slot_of(kind)];
	const PadvSymptom *symptom = &watch->symptoms[kind];

	/* two that share a slot follow one another */
	double		began = slot->incident.number != 0 ? fmax(symptom->since, slot->seen) : symptom->since;

	if (is_same(watch, second, kind, slot))
	{
		slot->incident.ended = 0;
		if (is_about_locks(kind))
			padv_blame_add_all(&watch->blame, &watch->ended_blame);
	}
	else
	{
		*slot = (PadvOpenIncident) {
			.incident = {.number = ++watch->newest, .began = second->at - (int64_t) ((watch->clock - began) * SECOND),
				.not_done = -1.0},
			.began = began, .seconds = symptom->seconds, .done = symptom->done};
		adopt_symptom(watch, second, kind, slot);
	}
	slot->open = true;
	slot->off = 0.0;
	note_seen(watch, second, slot);
	note_figures(watch, second, slot);
}

/* What comes now is no part of the incident, unless that goes on. */
static void
end_blame(PadvIncidentWatch *watch)
{
	watch->ended_blame = watch->blame;
	padv_blame_init(&watch->blame);
}

/* An incident that lasts, or may have ended. */
static bool
continue_incident(PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvOpenIncident *slot)
{
	PadvIncident *incident = &slot->incident;

	slot->off = watch->symptoms[incident->kind].on ? 0.0 : slot->off + second->seconds;
	if (slot->off >= END_SECONDS ||
		(incident->kind == PADV_INCIDENT_LEAK && watch->clock - slot->began > LEAK_LONGEST_SECONDS))
	{
		incident->ended = incident->seen;
		slot->open = false;
		if (is_about_locks(incident->kind))
			end_blame(watch);
		return true;
	}
	if (slot->off > 0.0)
		return false;
	note_seen(watch, second, slot);
	slot->seconds += second->seconds;
	slot->done += fmax(second->transactions, 0.0) * second->seconds;
	if (incident->not_done >= 0.0)
		incident->not_done = fmax(0.0, incident->not_done + missed(watch, second, incident->kind));
	note_figures(watch, second, slot);
	return false;
}

static bool
is_ready(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentKind kind)
{
	const PadvSymptom *symptom = &watch->symptoms[kind];
	const PadvStall *stall = &second->status->stall;

	return symptom->on && symptom->score >= begin_seconds[kind] &&
		(kind != PADV_INCIDENT_STALLED ||
		 symptom->peak * stall->stalled_seconds >= STALLED_WAITED);
}

/* Whether a kind of work would be an echo of what lasts, or has just ended. */
static bool
is_echo(const PadvIncidentWatch *watch, PadvIncidentKind kind)
{
	const PadvOpenIncident *work = &watch->slots[PADV_SLOT_WORK];
	const PadvOpenIncident *logins = &watch->slots[PADV_SLOT_LOGINS];
	bool		after_work = work->incident.number != 0 &&
		(work->open || watch->clock - work->seen <= ECHO_SECONDS);

	switch (slot_of(kind))
	{
		case PADV_SLOT_LOGINS:
			/* clients that connect anew, because they got no answer */
			return after_work && work->began <= watch->symptoms[kind].since;
		case PADV_SLOT_WORK:
			return (after_work && kind < (PadvIncidentKind) work->incident.kind) ||
				(kind <= PADV_INCIDENT_OVERSUBSCRIPTION && logins->open);
		case PADV_SLOT_LEAK:
			break;
	}
	return false;
}

/* Something that says more may be behind it: wait for it. */
static bool
is_premature(const PadvIncidentWatch *watch, PadvIncidentKind kind)
{
	for (int other = kind + 1; kind >= PADV_INCIDENT_OVERLOAD && other < PADV_INCIDENT_KINDS; other++)
		if (watch->symptoms[other].on && watch->symptoms[other].score >= SUSPECT_SCORE)
			return true;
	return false;
}

/* The kind that begins in a slot, or that its incident becomes; or none. */
static int
choose_kind(const PadvIncidentWatch *watch, const PadvIncidentSecond *second, PadvIncidentSlot slot)
{
	const PadvOpenIncident *open = &watch->slots[slot];

	for (int kind = PADV_INCIDENT_KINDS - 1; kind >= 0; kind--)
	{
		if (slot_of(kind) != slot || !is_ready(watch, second, kind))
			continue;
		if (open->open && kind <= (int) open->incident.kind)
			return -1;
		if (!is_echo(watch, kind) && !is_premature(watch, kind))
			return kind;
	}
	return -1;
}

int
padv_incident_watch_add(PadvIncidentWatch *watch, const PadvIncidentSecond *second,
						PadvIncident *changed, bool *notable)
{
	const PadvPace pace = pace_of(second);
	const PadvOpenIncident *logins = &watch->slots[PADV_SLOT_LOGINS];
	const PadvOpenIncident *leak = &watch->slots[PADV_SLOT_LEAK];
	bool		storm = logins->open ? lasts_since(watch, logins, NEW_USUAL_LOGINS_SECONDS) :
		watch->symptoms[PADV_INCIDENT_LOGIN_STORM].score > 0.0;
	int			count = 0;

	*notable = false;
	watch->clock += second->seconds;
	padv_role_watch_end(&watch->roles, second->seconds, storm, leak->open ? leak->incident.role : 0);
	follow_present(watch, &pace, second);
	update_symptoms(watch, second);
	update_blame(watch, second);
	for (PadvIncidentSlot i = 0; i < PADV_INCIDENT_SLOTS; i++)
	{
		PadvOpenIncident *slot = &watch->slots[i];
		int			kind = choose_kind(watch, second, i);
		bool		was_open = slot->open;

		if (was_open && kind < 0)
			*notable |= continue_incident(watch, second, slot);
		else if (was_open)
		{
			adopt_symptom(watch, second, kind, slot);
			*notable |= continue_incident(watch, second, slot);
		}
		else if (kind >= 0)
		{
			begin_incident(watch, second, kind);
			*notable = true;
		}
		if (was_open || slot->open)
			changed[count++] = slot->incident;
	}
	learn_before(watch, &pace, second->seconds);
	return count;
}
