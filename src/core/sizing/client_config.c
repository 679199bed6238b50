/*
 * client_config.c
 *		The settings of a client-side pool or proxy, each with its reason.
 *
 * Owns how connections are divided among pools, and the text of the reasons.
 * client_systems.c has the settings of each system.  Pure.  The SQL function checks
 * the arguments.
 *
 * The number to divide is pool_size, which is optimal / busy_ratio, because a
 * client also holds its connection while it does not execute.  Workers that keep
 * their connections divide session_pool_size.  Without a measured load there is no
 * size, so users do not paste one that means nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/sizing/client_config.h"
#include "core/sizing/planning.h"
#include "core/text/emit.h"
#include "core/text/names.h"

/*
 * 0.29 * 100 is 28.999999999999996, and must become 29.  Shares have fewer digits
 * than this.
 */
#define ROUNDING 1e-9

/* Queue places per worker: the last request waits ten service times. */
#define QUEUE_PER_WORKER 10

/* A load with a smaller share of the optimum executing is weak evidence. */
#define LIGHT_LOAD 0.1

/* The buffer for a reason. */
typedef struct Reason
{
	char		text[PADV_REASON];
} Reason;

static int64_t
larger_size(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

const PadvClientSystem *
padv_find_client_system(const char *name)
{
	for (const PadvClientSystem *system = padv_client_systems; system->name != NULL; system++)
		if (padv_same_name(system->name, name) || padv_same_name(system->title, name) ||
			(system->also != NULL && padv_same_name(system->also, name)))
			return system;
	return NULL;
}

static int64_t
connections_of(const PadvClientPlan *plan, double percent)
{
	return larger_size((int64_t) percent * plan->max_connections / 100, 1);
}

/*
 * The percentage, rounded down so that the sum stays within the share, or up if it
 * would be below the floor.
 */
static int64_t
percent_of(PadvClientPlan *plan)
{
	double		exact = 100.0 * (double) plan->size / (double) plan->max_connections;
	double		percent = fmin(fmax(floor(exact + ROUNDING), 1.0), 100.0);

	plan->percent_up = connections_of(plan, percent) < plan->floor;
	if (plan->percent_up)
		percent = fmin(ceil(exact - ROUNDING), 100.0);
	return (int64_t) percent;
}

/* The least size without deadlock; 0 if the number of threads is not known. */
static int64_t
deadlock_floor(const PadvClientPlan *plan)
{
	int64_t		size = 0;

	/* here the workers are sized: one of them must get all it needs */
	if (plan->system->holding == PADV_HELD_BY_WORKER)
		return plan->connections_per_thread;
	if (plan->threads > 0)
		(void) padv_deadlock_free_size(plan->threads, plan->connections_per_thread, &size);
	return size;
}

void
padv_plan_client(PadvClientPlan *plan)
{
	plan->divided = plan->system->holding == PADV_HELD_BY_WORKER ? plan->session_pool_size : plan->pool_size;
	plan->share_connections = plan->share * (double) plan->divided;
	plan->allowed = (int64_t) floor(plan->share_connections / (double) plan->processes + ROUNDING);
	plan->crowded = plan->allowed < 1;
	plan->floor = deadlock_floor(plan);
	plan->floor_wins = plan->floor > larger_size(plan->allowed, 1);
	plan->size = larger_size(larger_size(plan->allowed, 1), plan->floor);

	plan->workers = plan->size / plan->connections_per_thread;
	if (plan->system->holding == PADV_HELD_BY_WORKER)
		plan->size = plan->workers * plan->connections_per_thread;
	plan->wanted = plan->size;
	plan->percent = percent_of(plan);
	if (plan->system->lines[0].value == PADV_VALUE_PERCENT)
		plan->size = connections_of(plan, (double) plan->percent);
	plan->sum = plan->processes * plan->size;
}

/* Add the source of the size. */
static void
add_pool_size_step(Reason *reason, const PadvClientPlan *plan)
{
	bool		by_worker = plan->system->holding == PADV_HELD_BY_WORKER;
	double		busy_ratio = by_worker ? (double) plan->optimal / ((double) plan->divided * (1.0 - 1e-12)) : plan->busy_ratio;
	double		needed = ceil((double) plan->optimal / busy_ratio);

	if (plan->stale_seconds > 0.0)
		PADV_APPEND(reason->text, "As of %.0f s ago, when sampling stopped: ", plan->stale_seconds);
	PADV_APPEND(reason->text, "optimal %lld (%s) / busy_ratio %.6g (%s), rounded up %.0f",
				(long long) plan->optimal, plan->method, busy_ratio, plan->busy_source, needed);
	if (needed > (double) plan->divided)
		PADV_APPEND(reason->text, ", but not more than the server has");
	PADV_APPEND(reason->text, " = %s %lld. ", by_worker ? "session_pool_size" : "pool_size", (long long) plan->divided);
}

static void
add_division_step(Reason *reason, const PadvClientPlan *plan)
{
	add_pool_size_step(reason, plan);
	PADV_APPEND(reason->text, "%.6g * %lld = %.6g connections / %lld %s, rounded down = %lld. ",
				plan->share, (long long) plan->divided, plan->share_connections,
				(long long) plan->processes, plan->system->pools, (long long) plan->allowed);
	if (plan->crowded && !plan->floor_wins)
		PADV_APPEND(reason->text,
					"One connection each is the least, and %lld of them are more than the share: put one pool in front of all, or run fewer. ",
					(long long) plan->processes);
	if (plan->floor_wins && plan->system->holding != PADV_HELD_BY_WORKER)
		PADV_APPEND(reason->text, "The deadlock floor %lld is above that, so the floor wins. ",
					(long long) plan->floor);
}

static void
add_holding_step(Reason *reason, const PadvClientPlan *plan)
{
	if (plan->system->holding == PADV_HELD_FOR_TRANSACTION)
		PADV_APPEND(reason->text,
					"The connection is handed on after each transaction, so it is held for the transaction and a round trip, and that is what busy_ratio measures.");
	else
		PADV_APPEND(reason->text,
					"This holds if a caller returns its connection right after the commit.");
}

static void
add_size_step(Reason *reason, const PadvClientPlan *plan)
{
	add_division_step(reason, plan);
	add_holding_step(reason, plan);
}

static void
add_percent_step(Reason *reason, const PadvClientPlan *plan)
{
	add_division_step(reason, plan);
	PADV_APPEND(reason->text, "100 * %lld / max_connections %lld, rounded %s = %lld (at least 1, at most 100), which are %lld connections. ",
				(long long) plan->wanted, (long long) plan->max_connections,
				plan->percent_up ? "up" : "down", (long long) plan->percent, (long long) plan->size);
	if (plan->percent_up && !plan->floor_wins)
		PADV_APPEND(reason->text, "A smaller step would be below the deadlock floor %lld. ", (long long) plan->floor);
	if (plan->size > plan->wanted && !plan->percent_up)
		PADV_APPEND(reason->text, "That is more than the share, and there is no smaller step: a lower max_connections makes the steps smaller. ");
	add_holding_step(reason, plan);
}

static void
add_workers_step(Reason *reason, const PadvClientPlan *plan)
{
	add_division_step(reason, plan);
	PADV_APPEND(reason->text, "%lld connections for each worker: %lld / %lld, rounded down = %lld workers",
				(long long) plan->connections_per_thread,
				(long long) larger_size(plan->size, plan->allowed),
				(long long) plan->connections_per_thread, (long long) plan->workers);
	if (plan->floor_wins)
		PADV_APPEND(reason->text, ", as one worker needs %lld, so the floor wins over the share",
					(long long) plan->floor);
	PADV_APPEND(reason->text, ".");
	if (plan->threads > 0)
		PADV_APPEND(reason->text, " It takes the place of the %lld threads.", (long long) plan->threads);
}

static void
add_queue_step(Reason *reason, const PadvClientPlan *plan)
{
	PADV_APPEND(reason->text,
				"%d * %lld workers: who comes last waits %d service times. -1 would be without limit: nothing is refused, max is never reached, and under overload memory runs out; a bounded queue refuses some and survives.",
				QUEUE_PER_WORKER, (long long) plan->workers, QUEUE_PER_WORKER);
}

typedef struct Emitter
{
	const PadvClientPlan *plan;
	void		(*emit) (void *arg, const char *setting, const char *value,
						 const char *reason);
	void	   *arg;
} Emitter;

/* The value of a setting; writes the reason, too. */
static int64_t
value_of(const PadvClientPlan *plan, const PadvClientLine *line, Reason *reason)
{
	int64_t		value = plan->size;

	switch (line->value)
	{
		case PADV_VALUE_SIZE:
			add_size_step(reason, plan);
			break;
		case PADV_VALUE_PERCENT:
			add_percent_step(reason, plan);
			value = plan->percent;
			break;
		case PADV_VALUE_SAME_PERCENT:
			value = plan->percent;
			break;
		case PADV_VALUE_WORKERS:
			add_workers_step(reason, plan);
			value = plan->workers;
			break;
		case PADV_VALUE_SAME_WORKERS:
			value = plan->workers;
			break;
		case PADV_VALUE_PER_WORKER:
			value = plan->connections_per_thread;
			break;
		case PADV_VALUE_QUEUE:
			add_queue_step(reason, plan);
			value = QUEUE_PER_WORKER * plan->workers;
			break;
		case PADV_VALUE_SAME:
		case PADV_VALUE_LITERAL:
			break;
	}
	return value;
}

static void
emit_line(const Emitter *emitter, const PadvClientLine *line)
{
	const PadvClientPlan *plan = emitter->plan;
	Reason		reason = {0};
	char		number[32] = "";

	if (line->value != PADV_VALUE_LITERAL && plan->divided == 0)
		PADV_APPEND(reason.text, "No size, as no load was measured: see the row caution.");
	else
		snprintf(number, sizeof(number), "%lld", (long long) value_of(plan, line, &reason));
	if (line->reason != NULL)
		PADV_APPEND(reason.text, "%s%s", reason.text[0] != '\0' ? " " : "", line->reason);
	emitter->emit(emitter->arg, line->setting,
				  line->value == PADV_VALUE_LITERAL ? line->literal : number, reason.text);
}

/* Emit the evidence first. */
static void
emit_evidence(const Emitter *emitter)
{
	const PadvClientPlan *plan = emitter->plan;
	Reason		reason = {0};

	if (plan->measured_at != NULL)
		PADV_APPEND(reason.text, "The busiest load that was seen, at %s: %.0f transactions/s by %.1f sessions, %.2f of them executing. ",
					plan->measured_at, plan->throughput, plan->sessions, plan->executing);
	else
		PADV_APPEND(reason.text, "No load was measured. ");
	PADV_APPEND(reason.text, "The optimum %lld is by %s, confidence %s.", (long long) plan->optimal, plan->method, plan->confidence);
	emitter->emit(emitter->arg, "evidence", "", reason.text);
}

static void
emit_caution(const Emitter *emitter)
{
	const PadvClientPlan *plan = emitter->plan;
	Reason		reason = {0};

	if (plan->measured_at != NULL && plan->executing >= LIGHT_LOAD * (double) plan->optimal)
		return;
	if (plan->measured_at != NULL)
		PADV_APPEND(reason.text, "The busiest load that was seen kept only %.2f of %lld connections executing, so the sizes may change under more. ",
					plan->executing, (long long) plan->optimal);
	else if (plan->divided > 0)
		PADV_APPEND(reason.text, "No load was measured, so no pause inside a transaction is counted: the sizes are a starting point. ");
	else
		PADV_APPEND(reason.text, "No load was measured, so the sizes are left empty. All that is known is that about %lld connections can be active together. ",
					(long long) plan->optimal);
	PADV_APPEND(reason.text, "Let the application work for a minute as at its busiest, then ask again.");
	emitter->emit(emitter->arg, "caution", "", reason.text);
}

/* Emit the size for callers that keep a connection for a whole request. */
static void
emit_session_pool(const Emitter *emitter)
{
	const PadvClientPlan *plan = emitter->plan;
	Reason		reason = {0};
	double		share = plan->share * (double) plan->session_pool_size;

	if (plan->system->holding != PADV_HELD_UNTIL_RETURNED || plan->session_pool_size <= plan->pool_size)
		return;
	PADV_APPEND(reason.text,
				"If callers keep a connection for a request, with work of their own between transactions, divide session_pool_size instead: %.6g * %lld = %.6g connections / %lld %s, rounded down = %lld.",
				plan->share, (long long) plan->session_pool_size, share, (long long) plan->processes,
				plan->system->pools,
				(long long) fmax(1.0, floor(share / (double) plan->processes + ROUNDING)));
	emitter->emit(emitter->arg, "session pool", "", reason.text);
}

static void
add_floor_step(Reason *reason, const PadvClientPlan *plan)
{
	int64_t		each = plan->connections_per_thread;

	if (plan->system->holding == PADV_HELD_BY_WORKER && plan->divided == 0)
		PADV_APPEND(reason->text, "One worker needs %lld connections.", (long long) each);
	else if (plan->system->holding == PADV_HELD_BY_WORKER)
		PADV_APPEND(reason->text, "%lld workers * (%lld connections_per_thread - 1) + 1 = %lld; the pool has %lld, %lld for each worker, and none waits for another.",
					(long long) plan->workers, (long long) each,
					(long long) (plan->workers * (each - 1) + 1), (long long) plan->size, (long long) each);
	else
		PADV_APPEND(reason->text, "%lld threads * (%lld connections_per_thread - 1) + 1 = %lld: %s.",
					(long long) plan->threads, (long long) each, (long long) plan->floor,
					plan->divided == 0 ? "with fewer the threads can lock up, all waiting for one more connection" :
					plan->size < plan->floor ? "more than max_connections, so the threads can lock up, all waiting for one more connection" :
					plan->floor_wins ? "with fewer the threads can lock up, all waiting for one more connection" :
					"the pool is not smaller, so the threads cannot lock up");
}

static void
emit_floor(const Emitter *emitter)
{
	const PadvClientPlan *plan = emitter->plan;
	Reason		reason = {0};

	if (plan->floor == 0 || (plan->threads == 0 && plan->connections_per_thread == 1))
		return;
	add_floor_step(&reason, plan);
	if (plan->floor_wins && plan->divided > 0)
		PADV_APPEND(reason.text, " That is more than the share: %lld * %lld = %lld connections, %.3g times the %.6g of the share%s. Let a thread hold fewer at once, or run fewer threads or processes.",
					(long long) plan->processes, (long long) plan->size, (long long) plan->sum,
					fmin((double) plan->sum / plan->share_connections, DBL_MAX), plan->share_connections,
					plan->sum > plan->usable_connections ? ", and more than the server has" :
					", so under full load more sessions work at once than the server is at its best with");
	emitter->emit(emitter->arg, "deadlock floor", "", reason.text);
}

/* Emit what limits requests next. */
static void
emit_next_limit(const Emitter *emitter)
{
	const PadvClientPlan *plan = emitter->plan;
	Reason		reason = {0};

	if (plan->divided > 0 && plan->threads > plan->size && plan->system->holding != PADV_HELD_BY_WORKER)
		PADV_APPEND(reason.text, "Above: of %lld threads %lld wait when all want a connection; ",
					(long long) plan->threads, (long long) (plan->threads - plan->size));
	else
		PADV_APPEND(reason.text, "Above: ");
	PADV_APPEND(reason.text, "%s. Below: ", plan->system->above);
	if (plan->divided > 0)
		PADV_APPEND(reason.text, "%lld * %lld = %lld connections; ", (long long) plan->processes,
					(long long) plan->size, (long long) plan->sum);
	PADV_APPEND(reason.text, "ordinary roles can have %lld (max_connections %lld less %lld reserved)%s.",
				(long long) plan->usable_connections,
				(long long) plan->max_connections,
				(long long) (plan->max_connections - plan->usable_connections),
				plan->divided > 0 && plan->sum > plan->usable_connections ?
				": they do not fit, and the last ones are refused" : ", less what else connects");
	emitter->emit(emitter->arg, "next limit", "", reason.text);
}

void
padv_client_config(const PadvClientPlan *plan,
				   void (*emit) (void *arg, const char *setting,
								 const char *value, const char *reason),
				   void *arg)
{
	const Emitter emitter = {plan, emit, arg};
	Reason		place = {0};

	emit_evidence(&emitter);
	emit_caution(&emitter);
	for (const PadvClientLine *line = plan->system->lines; line->setting != NULL; line++)
		emit_line(&emitter, line);
	PADV_APPEND(place.text, "%s: %s.", plan->system->title, plan->system->where);
	emit(arg, "place", "", place.text);
	emit_session_pool(&emitter);
	emit_floor(&emitter);
	emit_next_limit(&emitter);
}
