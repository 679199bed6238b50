/*
 * found_pools.c
 *		The pools that were found in front, in words: why a size, and what to do.
 *
 * Owns the words, when a pool is too large, and how severe what is.  core/model/pools.c owns what kind of pool
 * it is.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/advice/found_pools.h"
#include "core/text/emit.h"

/* A pool is too large with so many times, and so many, connections more than it needs. */
#define FAR_LARGER 2
#define MANY_MORE 10

/* And only after its load was seen for so long. */
#define LONG_ENOUGH_SECONDS 600.0

/* Fewer logins than this cost a server nothing that is worth a change. */
#define LOGINS_FELT_PER_MINUTE 10.0

/* Bursts are what is so many times the mean. */
#define BURSTS 1.5

/* From here on a state is no coincidence any more. */
#define SURE_SECONDS 60.0
#define A_DAY_SECONDS 86400.0

/* --- the reason --------------------------------------------------------------- */

static void
say_kind(const PadvFoundPool *pool, char *text, size_t size)
{
	switch (pool->kind)
	{
		case PADV_POOL_FIXED:
			padv_append(text, size, "It keeps its connections. ");
			break;
		case PADV_POOL_ELASTIC:
			padv_append(text, size, "It closes connections that it does not need. ");
			break;
		case PADV_POOL_PER_REQUEST:
			padv_append(text, size, "%.0f connections a minute end after one request. ", pool->brief_per_minute);
			break;
		case PADV_POOL_LEAKING:
			padv_append(text, size, "It opens connections, and %lld of %lld are not used again. ",
						(long long) pool->leaked, (long long) pool->open);
			break;
		case PADV_POOL_LOCKED_UP:
			padv_append(text, size, "All %lld connections have been idle in a transaction for %.0f s or longer. ",
						(long long) pool->open, pool->stuck_seconds);
			break;
		case PADV_POOL_INTERACTIVE:
			padv_append(text, size, "Few connections with long pauses. ");
			break;
		case PADV_POOL_UNKNOWN:
			break;
	}
}

static void
say_load(const PadvPoolBusiest *busiest, char *text, size_t size)
{
	bool		bursts = busiest->load > BURSTS * busiest->mean;

	padv_append(text, size, "Busiest load: %.4g transactions/s of %.4g ms each%s, so %.4g connections in use",
				busiest->rate, 1e3 * busiest->load / busiest->rate, bursts ? " in bursts" : "", busiest->load);
	if (bursts)
		padv_append(text, size, ", and %.4g on average", busiest->mean);
	padv_append(text, size, ". ");
}

static void
say_size(const PadvFoundPool *pool, char *text, size_t size)
{
	const PadvPoolBusiest *busiest = &pool->busiest;
	double		in_use = padv_pool_in_use(busiest);
	double		active = in_use * busiest->active;

	say_load(busiest, text, size);
	if (busiest->together >= BURSTS * busiest->load)
		padv_append(text, size, "They begin together: while one is in use, so are %.4g others. ", busiest->together);
	if (pool->slows_down)
		padv_append(text, size,
					"%.4g of these were active, and the optimum of the server is %lld: more only slow each other down. So %lld active ones, and %.4g that are held in pauses.",
					active, (long long) pool->optimal, (long long) pool->optimal, in_use - active);
	else if (busiest->together > (double) (pool->suggested - 1))
		padv_append(text, size, "So %lld, and hardly one waits.", (long long) pool->suggested);
	else
		padv_append(text, size,
					"%lld is the smallest size with a mean wait of at most a tenth of that time (M/M/c).",
					(long long) pool->suggested);
	if (!pool->slows_down && busiest->all_in_use && pool->kind == PADV_POOL_FIXED)
		padv_append(text, size, " All connections were in use at a moment, so the load may be larger than was seen.");
}

void
padv_explain_found_pool(const PadvFoundPool *pool, char *text, size_t size)
{
	text[0] = '\0';
	say_kind(pool, text, size);
	switch (pool->size_state)
	{
		case PADV_POOL_SIZED:
			say_size(pool, text, size);
			break;
		case PADV_POOL_NOT_MEASURED:
			padv_append(text, size, "No size: in no minute so far did 20 transactions finish.");
			break;
		case PADV_POOL_PEOPLE:
			padv_append(text, size, "No size: people need no pool.");
			break;
		case PADV_POOL_STUCK:
			padv_append(text, size, "No size by load: with threads that hold several connections each, see deadlock_free_size().");
			break;
		case PADV_POOL_MANY:
			padv_append(text, size, "Sessions beyond %d pools, added up.", PADV_MAX_FOUND_POOLS - 1);
			break;
	}
}

/* --- what there is to say ----------------------------------------------------- */

static bool
is_too_large(const PadvFoundPool *pool)
{
	return (pool->kind == PADV_POOL_FIXED || pool->kind == PADV_POOL_ELASTIC) &&
		pool->size_state == PADV_POOL_SIZED && pool->suggested > 0 &&
		pool->known_seconds >= LONG_ENOUGH_SECONDS &&
		pool->open > 0 && pool->open_lately >= FAR_LARGER * pool->suggested &&
		pool->open_lately >= pool->suggested + MANY_MORE;
}

static PadvFoundAdvice
judge(const PadvFoundPool *pool)
{
	if (pool->kind == PADV_POOL_LEAKING)
		return PADV_FOUND_LEAKING;
	if (pool->kind == PADV_POOL_LOCKED_UP)
		return PADV_FOUND_LOCKED_UP;
	if (pool->kind == PADV_POOL_PER_REQUEST && pool->brief_per_minute >= LOGINS_FELT_PER_MINUTE)
		return PADV_FOUND_PER_REQUEST;
	return is_too_large(pool) ? PADV_FOUND_TOO_LARGE : PADV_FOUND_NOTHING;
}

static PadvSeverity
severity_of(const PadvFoundPool *pool, PadvFoundAdvice what)
{
	if (what == PADV_FOUND_LOCKED_UP && pool->stuck_seconds >= PADV_LOCKED_UP_CRITICAL_SECONDS)
		return PADV_CRITICAL;
	return what == PADV_FOUND_TOO_LARGE ? PADV_INFO : PADV_WARNING;
}

/* --- advice ------------------------------------------------------------------- */

/* Long names of users are cut, as texts of advice have a fixed size. */
static void
say_who(const PadvNamedPool *pool, char *text, size_t size)
{
	text[0] = '\0';
	padv_append(text, size, "role %.63s, database %.63s", pool->role, pool->database);
	if (pool->application[0] != '\0')
		padv_append(text, size, ", application %.63s", pool->application);
	if (pool->client != NULL)
		padv_append(text, size, ", client %s", pool->client);
}

#define WHO 300

/* A pool that is too large is known when its busiest hours were seen. */
static const char *
confidence(const PadvFoundPool *pool)
{
	if (pool->kind == PADV_POOL_FIXED || pool->kind == PADV_POOL_ELASTIC)
		return pool->known_seconds >= A_DAY_SECONDS ? "high" : "low";
	return pool->kind_seconds >= SURE_SECONDS ? "high" : "medium";
}

static PadvAdvice *
begin_pool(PadvAdvice *advice, PadvSeverity severity, const char *code, const PadvNamedPool *pool)
{
	padv_advice_begin(advice, severity, code, pool->application[0] != '\0' ? pool->application : pool->role);
	return advice;
}

/* A line that does not fit is left out: half a name would be another's. */
static void
__attribute__((format(printf, 2, 3)))
write_line(PadvAdvice *advice, const char *format, ...)
{
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(advice->fix, sizeof(advice->fix), format, args);
	va_end(args);
	if (length < 0 || (size_t) length >= sizeof(advice->fix))
		advice->fix[0] = '\0';
}

static void
advise_leaking(const PadvLocalStatus *local, const PadvNamedPool *named, PadvAdvice *advice)
{
	const PadvFoundPool *pool = &named->pool;
	char		who[WHO];

	begin_pool(advice, PADV_WARNING, "pool_leaking", named);
	say_who(named, who, sizeof(who));
	PADV_WRITE(advice->finding, "%s: %lld connections are open, more than ever before, and %lld of them are not used again.",
			   who, (long long) pool->open, (long long) pool->leaked);
	PADV_WRITE(advice->recommendation,
			   "A part of the application takes connections and does not return them. Each costs a process of the server; when the %lld connections of ordinary roles are used up, all logins fail. Return connections after an error, too (finally, using, with). The fix shows what these connections did last. Ending them with pg_terminate_backend() makes room until then.",
			   (long long) local->status.model.inputs.usable_connections);
	write_line(advice, "SELECT query, count(*) FROM pg_catalog.pg_stat_activity WHERE usename = %s AND application_name = %s AND state LIKE 'idle%%' GROUP BY 1 ORDER BY 2 DESC;",
			   named->role_literal, named->application_literal);
}

static void
advise_locked_up(const PadvNamedPool *named, PadvAdvice *advice)
{
	const PadvFoundPool *pool = &named->pool;
	char		who[WHO];

	begin_pool(advice, severity_of(pool, PADV_FOUND_LOCKED_UP), "pool_locked_up", named);
	say_who(named, who, sizeof(who));
	PADV_WRITE(advice->finding, "%s: all %lld connections have been idle in a transaction for %.0f s or longer. None waits for a lock, and no transaction ends.",
			   who, (long long) pool->open, pool->stuck_seconds);
	PADV_WRITE(advice->recommendation,
			   "Probably each thread holds a connection and waits for a second one, which the pool does not have: the application stands still. Restart it, or end one of the sessions, and give each thread one connection at a time. Otherwise the pool needs the size of the fix, for its number of threads and connections of each.");
	write_line(advice, "SELECT pool_advisor.deadlock_free_size(threads => %lld, connections_per_thread => 2);",
			   (long long) pool->open);
}

static void
advise_per_request(const PadvNamedPool *named, PadvAdvice *advice)
{
	const PadvFoundPool *pool = &named->pool;
	char		who[WHO];

	begin_pool(advice, PADV_WARNING, "pool_per_request", named);
	say_who(named, who, sizeof(who));
	PADV_WRITE(advice->finding, "%s: %.0f connections a minute end after one request.",
			   who, pool->brief_per_minute);
	PADV_WRITE(advice->recommendation,
			   "Each login starts a process, checks a password, and begins with empty caches, which takes longer than most requests.");
	if (pool->size_state == PADV_POOL_SIZED && pool->suggested > 0)
		PADV_APPEND(advice->recommendation, " A pool of %lld would do the same work.", (long long) pool->suggested);
	PADV_APPEND(advice->recommendation, " Use the pool of the driver, or put PgBouncer in front; the fix shows its settings.");
	write_line(advice, "SELECT setting, value, reason FROM pool_advisor.client_config('pgbouncer');");
}

static void
advise_too_large(const PadvNamedPool *named, PadvAdvice *advice)
{
	const PadvFoundPool *pool = &named->pool;
	char		who[WHO];

	begin_pool(advice, PADV_INFO, "pool_too_large", named);
	say_who(named, who, sizeof(who));
	PADV_WRITE(advice->finding, "%s: up to %lld connections were open in the last minutes; at most %lld were ever in use at once, and %lld do for the busiest load of the %.1f hours that it was seen.",
			   who, (long long) pool->open_lately, (long long) pool->max_in_use, (long long) pool->suggested,
			   pool->known_seconds / 3600.0);
	PADV_WRITE(advice->recommendation,
			   "The others cost a process each, and when all are used at once, work waits inside the server instead of in the pool. If callers return a connection after each transaction, set the pool to %lld. Look at the busiest hours first.",
			   (long long) pool->suggested);
	write_line(advice, "SELECT suggested_size, reason FROM pool_advisor.pools WHERE role = %s AND application_name = %s;",
			   named->role_literal, named->application_literal);
}

static void
advise_pool(const PadvLocalStatus *local, const PadvNamedPool *named, PadvFoundAdvice what, PadvAdvice *advice)
{
	switch (what)
	{
		case PADV_FOUND_NOTHING:
			return;
		case PADV_FOUND_LEAKING:
			advise_leaking(local, named, advice);
			break;
		case PADV_FOUND_LOCKED_UP:
			advise_locked_up(named, advice);
			break;
		case PADV_FOUND_PER_REQUEST:
			advise_per_request(named, advice);
			break;
		case PADV_FOUND_TOO_LARGE:
			advise_too_large(named, advice);
			break;
	}
	padv_advice_conclude(advice, &local->status.model, confidence(&named->pool), PADV_GAIN_UNKNOWN);
}

int
padv_advise_found_pools(const PadvLocalStatus *local, const PadvNamedPool *pools, int count,
						PadvAdvice advice[PADV_MAX_FOUND_ADVICE])
{
	int			found = 0;

	for (PadvSeverity severity = PADV_CRITICAL; severity <= PADV_INFO; severity++)
		for (int i = 0; i < count && found < PADV_MAX_FOUND_ADVICE; i++)
		{
			PadvFoundAdvice what = judge(&pools[i].pool);

			if (what != PADV_FOUND_NOTHING && severity_of(&pools[i].pool, what) == severity)
				advise_pool(local, &pools[i], what, &advice[found++]);
		}
	return found;
}

const char *
padv_found_advice_code(PadvFoundAdvice what)
{
	static const char *const codes[] = {
		"", "pool_leaking", "pool_locked_up", "pool_per_request", "pool_too_large",
	};

	return codes[what];
}

/* Rows beyond the room there is are not in the view. */
static void
cut_to_room(int64_t advice[3])
{
	int64_t		room = PADV_MAX_FOUND_ADVICE;

	for (PadvSeverity severity = PADV_CRITICAL; severity <= PADV_INFO; severity++)
	{
		if (advice[severity] > room)
			advice[severity] = room;
		room -= advice[severity];
	}
}

void
padv_count_found_advice(const PadvFoundPool *pools, int count, PadvFoundCounts *counts)
{
	PadvSeverity worst = PADV_INFO;

	memset(counts, 0, sizeof(*counts));
	for (int i = 0; i < count; i++)
	{
		PadvFoundAdvice what = judge(&pools[i]);
		PadvSeverity severity = severity_of(&pools[i], what);

		if (what == PADV_FOUND_NOTHING)
			continue;
		counts->advice[severity]++;
		counts->leaking += what == PADV_FOUND_LEAKING;
		if (what == PADV_FOUND_LOCKED_UP)
		{
			counts->locked_up++;
			counts->locked_up_seconds = fmax(counts->locked_up_seconds, pools[i].stuck_seconds);
		}
		if (counts->worst == PADV_FOUND_NOTHING || severity < worst)
		{
			worst = severity;
			counts->worst = what;
		}
	}
	cut_to_room(counts->advice);
}
