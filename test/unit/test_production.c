/*
 * test_production.c
 *		Days of servers in production: is a knee named, for a reason, and is the
 *		number good?
 *
 * Without arguments a few days with fixed seeds, which must not go wrong.  With
 * the arguments random SEED COUNT it draws servers and days, and reports.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/stats/interval.h"
#include "core/stats/window.h"

/* What is always so, and has nothing to do with what the server can do. */
typedef enum Always
{
	NOTHING,
	A_ROLE_QUEUES,				/* for its own limit */
	CONNECTS_FOR_EACH,			/* a request; so all sessions are busy */
	CONNECTS_AND_COUNTS,		/* likewise, and logins are counted */
	CORES_TAKEN,				/* by a program of low priority */
} Always;

static Always always;

/* Sessions that wait for one that is idle in a transaction, while other work flows. */
static double stuck;

static bool
describe(PadvWindowMeans *take, const PadvCounters *before, const PadvCounters *after, PadvInterval *interval)
{
	take->active += stuck;
	take->demand += stuck;
	take->in_class[PADV_WAITING_LOCK] += stuck;
	take->stuck += stuck;
	if (always == A_ROLE_QUEUES)
		take->queued = 3.0;
	if (always == CONNECTS_FOR_EACH || always == CONNECTS_AND_COUNTS)
		take->idle = 0.2;
	if (!padv_interval_describe(take, before, after, -1.0, interval))
		return false;
	if (always == CONNECTS_AND_COUNTS)
		interval->logins = interval->transactions;
	if (always == CORES_TAKEN)
		interval->cores_busy = 1.0;
	return true;
}

#define PADV_DESCRIBE(take, before, after, interval) describe(take, before, after, interval)

#include "production_days.h"
#include "tap.h"

static const char *const kind_names[] = {"cores", "row", "disks", "commits", "mixed"};

static Production production;

/* --- the weather ---------------------------------------------------------- */

typedef struct Event
{
	double		from;
	double		to;
	int			what;
	double		strength;
} Event;

#define MAX_EVENTS 64
#define EVENT_KINDS 8

static int	only_event = -1;

typedef struct Forecast
{
	int			n;
	Event		events[MAX_EVENTS];
} Forecast;

static void
draw_weather(Production *p, double seconds, Forecast *forecast)
{
	static const double shortest[EVENT_KINDS] = {15, 10, 2, 60, 30, 300, 600, 20};
	static const double longest[EVENT_KINDS] = {90, 180, 15, 300, 400, 1200, 3000, 120};
	double		period = production_between(p, 200.0, 900.0);

	forecast->n = 0;
	/* checkpoints */
	if (production_random(p) < 0.5 && only_event <= 0)
		for (double at = period; at < seconds && forecast->n < 20; at += period)
			forecast->events[forecast->n++] = (Event) {at, at + 0.15 * period, 0, production_around(p, 1.3, 4.0)};
	for (int i = (int) production_between(p, 0.0, 1.0 + seconds / 1200.0); i > 0; i--)
	{
		int			what = only_event >= 0 ? only_event : (int) production_between(p, 0.0, EVENT_KINDS);
		double		from = production_between(p, 300.0, seconds);
		double		length = production_around(p, shortest[what], longest[what]);
		double		most = what == 1 ? 20.0 : what == 2 ? 20.0 : 5.0;

		forecast->events[forecast->n++] = (Event) {from, from + length, what, production_around(p, 1.5, most)};
	}
}

/* What a moment is like; returns by how much more is asked for than usual. */
static double
weather_at(Production *p, const Forecast *forecast, double now)
{
	ProductionWeather weather = fair_weather;
	double		asked = 1.0;

	for (int i = 0; i < forecast->n; i++)
	{
		const Event *event = &forecast->events[i];

		if (now < event->from || now >= event->to)
			continue;
		switch (event->what)
		{
			case 0:				/* checkpoint */
				weather.disk *= event->strength;
				weather.commit *= event->strength;
				break;
			case 1:				/* a slow replica or disk under the log */
				weather.commit *= event->strength;
				break;
			case 2:				/* stall */
				weather.all *= event->strength;
				break;
			case 3:				/* cold cache, which fills */
				weather.reads *= 1.0 + floor((event->strength - 1.0) * 10.0 * (event->to - now) / (event->to - event->from)) / 10.0;
				break;
			case 5:				/* a batch */
				weather.batch += p->server.cores * (1.0 - 1.0 / event->strength);
				/* FALLTHROUGH */
			case 4:				/* stolen CPU */
				weather.cores_taken += p->server.cores * (1.0 - 1.0 / event->strength);
				break;
			case 6:				/* another mix, of which less is asked */
				weather.mix *= fmin(event->strength, 3.0);
				asked /= fmin(event->strength, 3.0);
				break;
			case 7:				/* a burst */
				asked *= fmin(event->strength, 1.6);
				break;
		}
	}
	weather.cores_taken = fmin(weather.cores_taken, 0.8 * p->server.cores);
	weather.batch = floor(fmin(weather.batch, weather.cores_taken));
	p->weather = weather;
	return asked;
}

/* --- days ----------------------------------------------------------------- */

typedef struct Tally
{
	double		judged;
	double		named;			/* a knee */
	double		high;			/* named with confidence high */
	double		high_good;
	double		named_good;
	double		good;			/* the number, however found */
	double		regret;			/* of the number */
	double		named_regret;
	double		oversubscribed;
	int			days;
	int			days_named;		/* once at least */
	int			in_time;		/* overload: seen after five minutes */
	int			in_time_good;
	int			knee_in_time;
	int			knee_in_time_good;
	int			recovered;
	double		seconds_to_name;
} Tally;

static double
percent(double part, double whole)
{
	return whole > 0.0 ? 100.0 * part / whole : 0.0;
}

/* How far the number is off under overload, by kind and by the method that it is of. */
typedef struct Errors
{
	int			days;
	int			low;			/* less than 90 % of the best: too few */
	int			high;			/* too many */
	double		off;			/* sum of the logarithms by which it is off */
	double		ratio;			/* sum of the logarithms of number / fewest */
} Errors;

static Errors errors[KINDS][PADV_METHODS];
static Kind kind_of_day;

static void
note_error(const Production *p)
{
	Errors	   *e = &errors[kind_of_day][p->model.chosen];
	double		number = (double) padv_model_chosen(&p->model)->connections;
	bool		bad = production_regret(p, number) > 0.1;
	double		low;
	double		high;

	production_range(p, &low, &high);
	e->days++;
	e->ratio += log(number / low);
	if (!bad)
		return;
	e->low += number < high;
	e->high += number >= high;
	e->off += number < high ? log(low / number) : log(number / high);
}

static void
report_errors(void)
{
	printf("\n%-9s %-12s %5s %8s %8s %10s %14s\n", "overload", "number by", "days", "too few", "too many",
		   "off by", "/ fewest good");
	for (Kind kind = COMPUTES; kind < KINDS; kind++)
		for (PadvMethod method = 0; method < PADV_METHODS; method++)
		{
			const Errors *e = &errors[kind][method];

			if (e->days > 0)
				printf("%-9s %-12s %5d %7.0f%% %7.0f%% %9.2fx %13.2fx\n", kind_names[kind], padv_method_name(method), e->days,
					   percent(e->low, e->days), percent(e->high, e->days),
					   e->low + e->high > 0 ? exp(e->off / (e->low + e->high)) : 1.0, exp(e->ratio / e->days));
		}
	printf("\n");
}

static void
add_up(Tally *tally, const Production *p, bool *named)
{
	double		regret = production_regret(p, (double) padv_model_chosen(&p->model)->connections);
	bool		knee = p->curve.state == PADV_CURVE_FITTED;
	bool		high = padv_model_chosen(&p->model)->confidence == PADV_CONFIDENCE_HIGH;

	tally->judged++;
	tally->regret += regret;
	tally->good += regret <= 0.1;
	tally->oversubscribed += padv_model_oversubscribed(&p->model);
	tally->named += knee;
	tally->high += high;
	tally->high_good += high && regret <= 0.1;
	tally->named_good += knee && regret <= 0.1;
	tally->named_regret += knee ? regret : 0.0;
	*named = *named || knee;
}

/* A day that never asks for more than 80 % of what the server can do. */
static void
calm_day(Production *p, int seconds, Tally *tally)
{
	Forecast	forecast;
	double		best = production_best(p, NULL);
	double		most = production_between(p, 0.3, 0.78);
	double		least = most * production_between(p, 0.1, 0.9);
	double		growth = production_random(p) < 0.3 ? production_between(p, 0.0, 0.5) : 0.0;
	bool		named = false;

	limit_sessions(p);
	draw_weather(p, seconds, &forecast);
	for (int now = 0; now < seconds; now++)
	{
		double		asked = of_day(now, seconds / 2.0, least, most) * weather_at(p, &forecast, now);

		/* more data: everything takes longer, up to the end of the day */
		asked = fmin(asked, 0.78 / p->weather.mix);
		p->weather.mix *= 1.0 + floor(20.0 * growth * now / seconds) / 20.0;
		asked = fmin(asked, 0.78 / p->weather.mix);
		production_open_second(p, asked * best);
		if (p->second % JUDGE_SECONDS == 0)
			add_up(tally, p, &named);
	}
	tally->days++;
	tally->days_named += named;
}

/* After a calm morning more is asked for than the server can do, and then less. */
static void
overload_day(Production *p, Tally *tally)
{
	Forecast	forecast;
	double		best = production_best(p, NULL);
	double		usual = production_between(p, 0.3, 0.8);
	double		most = production_between(p, 1.05, 1.8);
	int			morning = (int) production_between(p, 600.0, 2400.0);
	int			ramp = production_random(p) < 0.5 ? (int) production_around(p, 1.0, 30.0) : (int) production_around(p, 60.0, 900.0);
	int			rush = (int) production_between(p, 600.0, 1500.0);
	int			since = -1;
	int			crowded = 0;
	bool		named = false;
	bool		checked = false;
	bool		recovered = false;

	draw_weather(p, morning, &forecast);
	for (int now = 0; now < morning + ramp + rush + 600; now++)
	{
		double		asked = usual;
		bool		rushing = now >= morning && now < morning + ramp + rush;

		if (now < morning)
			asked *= fmin(weather_at(p, &forecast, now), 1.0 / usual);
		else
			p->weather = fair_weather;
		if (rushing)
			asked += (most - usual) * fmin(1.0, (now - morning) / (double) ramp);
		production_open_second(p, asked * best);
		if (rushing && asked > 1.0 && since < 0)
			since = now;
		if (p->second % JUDGE_SECONDS != 0 || since < 0)
			continue;
		if (rushing)
		{
			add_up(tally, p, &named);
			if (crowded == 0 && padv_model_oversubscribed(&p->model))
				crowded = now - since;
		}
		if (rushing && !checked && now - since >= 300)
		{
			bool		good = production_regret(p, (double) padv_model_chosen(&p->model)->connections) <= 0.1;
			bool		knee = p->curve.state == PADV_CURVE_FITTED;
			bool		seen = padv_model_oversubscribed(&p->model) || p->model.verdict == PADV_VERDICT_CONTENTION;

			checked = true;
			note_error(p);
			tally->in_time += seen;
			tally->in_time_good += good;
			tally->knee_in_time += knee;
			tally->knee_in_time_good += knee && good;
		}
		recovered = !rushing && (!padv_model_oversubscribed(&p->model) || p->backlog >= p->sessions);
	}
	tally->days++;
	tally->days_named += named;
	tally->recovered += recovered;
	tally->seconds_to_name += crowded;
}

/* More and more clients, each as fast as it can. */
static void
ladder(Production *p, double factor, int seconds, Tally *tally)
{
	bool		named = false;

	for (double clients = 1.0; clients <= p->sessions; clients *= factor)
	{
		int			sessions = p->sessions;

		for (int i = 0; i < seconds; i++)
		{
			p->idle = sessions - (int) clients;
			production_closed_second(p, (int) clients, 0.0);
		}
	}
	add_up(tally, p, &named);
	p->idle = 0;
	tally->days++;
	tally->days_named += named;
}

/*
 * Clients that wait for their answers, for hours: some more or fewer of them every few
 * minutes.  So what is called high has much evidence.
 */
static void
closed_day(Production *p, int seconds, Tally *tally)
{
	Forecast	forecast;
	bool		stormy = production_random(p) < 0.5;
	double		clients = 1.0;
	bool		named = false;

	draw_weather(p, seconds, &forecast);
	for (int now = 0; now < seconds; now++)
	{
		if (stormy)
			(void) weather_at(p, &forecast, now);
		p->weather.mix = 1.0;
		if (now % 300 == 0)
			clients = production_around(p, 1.0, p->sessions);
		p->idle = p->sessions - (int) clients;
		production_closed_second(p, (int) clients, 0.0);
		if (p->second % JUDGE_SECONDS == 0)
			add_up(tally, p, &named);
	}
	p->idle = 0;
	tally->days++;
	tally->days_named += named;
}

/* --- reports -------------------------------------------------------------- */

static void
report_line(const char *name, const char *kind, const Tally *t)
{
	printf("%-9s %-8s %5d %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f\n", name, kind, t->days,
		   percent(t->days_named, t->days), percent(t->named, t->judged), percent(t->high, t->judged),
		   percent(t->high_good, t->high), percent(t->named_good, t->named),
		   percent(t->good, t->judged), percent(t->regret, t->judged));
}

static void
add_tally(Tally *sum, const Tally *t)
{
	sum->judged += t->judged;
	sum->named += t->named;
	sum->high += t->high;
	sum->high_good += t->high_good;
	sum->named_good += t->named_good;
	sum->good += t->good;
	sum->regret += t->regret;
	sum->named_regret += t->named_regret;
	sum->oversubscribed += t->oversubscribed;
	sum->days += t->days;
	sum->days_named += t->days_named;
	sum->in_time += t->in_time;
	sum->in_time_good += t->in_time_good;
	sum->knee_in_time += t->knee_in_time;
	sum->knee_in_time_good += t->knee_in_time_good;
	sum->recovered += t->recovered;
	sum->seconds_to_name += t->seconds_to_name;
}

#define DAYS 4

static void
simulate(uint64_t seed, int count)
{
	Tally		sums[DAYS] = {{0}};
	Tally		all = {0};
	static const char *const days[DAYS] = {"calm", "overload", "ladder", "closed"};

	printf("%-9s %-8s %5s %8s %8s %8s %8s %8s %8s %8s\n", "day", "kind", "days", "named,d", "named,t",
		   "high,t", "high ok", "named ok", "ok", "regret");
	for (int day = 0; day < DAYS; day++)
	{
		for (Kind kind = COMPUTES; kind < KINDS; kind++)
		{
			Tally		tally = {0};

			kind_of_day = kind;
			for (int i = 0; i < count; i++)
			{
				draw_day(&production, kind, day >= 2 ? 4.0 : 1.5, seed + UINT64_C(1000003) * (uint64_t) (i * 15 + day * 5 + (int) kind + (day == 3 ? 7919 : 0)));
				if (day == 0)
					calm_day(&production, 10800, &tally);
				else if (day == 1)
					overload_day(&production, &tally);
				else if (day == 2)
					ladder(&production, 2.0, 15, &tally);
				else
					closed_day(&production, 21600, &tally);
			}
			report_line(days[day], kind_names[kind], &tally);
			if (day == 1)
				printf("    after 5 min: crowded %.0f%%, number good %.0f%%, knee %.0f%%, good %.0f%%; to 'oversubscribed' %.0f s; recovered %.0f%%\n",
					   percent(tally.in_time, tally.days), percent(tally.in_time_good, tally.days),
					   percent(tally.knee_in_time, tally.days),
					   percent(tally.knee_in_time_good, tally.knee_in_time),
					   tally.seconds_to_name / tally.days, percent(tally.recovered, tally.days));
			add_tally(&sums[day], &tally);
			add_tally(&all, &tally);
		}
		report_line(days[day], "all", &sums[day]);
		if (day == 1)
			printf("    after 5 min: crowded %.0f%%, number good %.0f%%, knee %.0f%%, good %.0f%%; to 'oversubscribed' %.0f s; recovered %.0f%%\n",
				   percent(sums[1].in_time, sums[1].days), percent(sums[1].in_time_good, sums[1].days),
				   percent(sums[1].knee_in_time, sums[1].days),
				   percent(sums[1].knee_in_time_good, sums[1].knee_in_time),
				   sums[1].seconds_to_name / sums[1].days, percent(sums[1].recovered, sums[1].days));
	}
	report_line("all", "all", &all);
	report_errors();
}

#ifndef PADV_OLD_RULE
/* --- what must not go wrong ----------------------------------------------- */

static void
test_days(void)
{
	Tally		calm = {0};
	Tally		crowded = {0};
	Tally		stairs = {0};

	for (int i = 0; i < 10; i++)
	{
		draw_day(&production, (Kind) (i % KINDS), 1.5, UINT64_C(7000) + (uint64_t) i);
		calm_day(&production, 7200, &calm);
		draw_day(&production, (Kind) (i % KINDS), 1.5, UINT64_C(8000) + (uint64_t) i);
		overload_day(&production, &crowded);
		draw_day(&production, (Kind) (i % KINDS), 4.0, UINT64_C(9000) + (uint64_t) i);
		ladder(&production, 2.0, 15, &stairs);
	}
	ok(calm.named <= 0.05 * calm.judged, "calm days: hardly ever a knee (%.1f%%)",
	   percent(calm.named, calm.judged));
	ok(calm.high <= 0.02 * calm.judged, "and hardly ever with confidence high (%.1f%%)",
	   percent(calm.high, calm.judged));
	ok(crowded.high_good >= 0.95 * crowded.high, "under overload high is right");
	ok(stairs.named >= 6, "more and more clients: the knee is named (%.0f of 10)", stairs.named);
	ok(stairs.regret <= 0.05 * stairs.judged, "and good: %.1f%% of the best is lost",
	   percent(stairs.regret, stairs.judged));
}

/* Updates of single rows that wait for a log that is slow for 20 s now and then. */
static void
test_slow_commits(void)
{
	ProductionServer server = {.cores = 2, .disks = 1, .cpu = 0.00007, .commit = 0.01, .turnaround = 0.0001};
	int			named = 0;

	production_begin(&production, &server, 60, 1);
	for (int now = 0; now < 1200; now++)
	{
		production.weather = fair_weather;
		if (now % 300 >= 280)
			production.weather.commit = 10.0;
		production_open_second(&production, 300.0);
		named += production.curve.state == PADV_CURVE_FITTED;
	}
	ok(named == 0, "slow commits are no knee");
}

/*
 * A seventh of what the server can do, and commits are slow for three minutes now and then.
 * Nothing is ever saturated, whatever is always so beside it.
 */
static void
test_slow_spells(void)
{
	static const char *const what[] = {
		"nothing", "a role in the queue of its limit", "a connection for each request", "the same, with logins counted",
		"cores that another program takes"
	};
	ProductionServer server = {.cores = 4, .disks = 1, .cpu = 0.002, .commit = 0.008, .turnaround = 0.0003};

	for (always = NOTHING; always <= CORES_TAKEN; always++)
	{
		int			named = 0;
		int			high = 0;

		production_begin(&production, &server, 200, 77);
		production.noise = 0.05;
		for (int now = 0; now < 7200; now++)
		{
			production.weather = fair_weather;
			if (now % 1200 >= 1020)
				production.weather.commit = 8.0;
			production_open_second(&production, 300.0 * (0.7 + 0.3 * sin(now / 600.0)));
			named += production.curve.state == PADV_CURVE_FITTED;
			high += padv_model_chosen(&production.model)->confidence == PADV_CONFIDENCE_HIGH;
		}
		ok(named <= 216 && high == 0, "slow spells are no knee, with %s (%d s of 7200)", what[always], named);
	}
	always = NOTHING;
}

/* One session is idle in a transaction, and thirty wait for it; all others go on. */
static void
test_blocker(void)
{
	ProductionServer server = {.cores = 64, .disks = 1, .cpu = 0.001, .commit = 0.001};
	int64_t		before;
	int64_t		after;

	production_begin(&production, &server, 300, 3);
	for (int i = 0; i < 1200; i++)
		production_open_second(&production, 3000.0);
	before = padv_model_chosen(&production.model)->connections;
	for (int i = 0; i < 150; i++)
	{
		stuck = fmin(30.0, i);
		production_open_second(&production, 3000.0);
	}
	stuck = 0.0;
	after = padv_model_chosen(&production.model)->connections;
	ok(llabs(after - before) * 10 < before, "sessions behind an idle one are no saturated lock");
	ok(production.curve.seen_to < 12.0, "and no busy connections");
}

/* Row locks on a large machine: the server could have more, but it would not help. */
static void
test_large_machine(void)
{
	ProductionServer server = {.cores = 64, .disks = 1, .cpu = 0.0001, .row = 0.002, .thrash = 0.1};
	const Production *p = &production;
	bool		fell;

	production_begin(&production, &server, 97, 2);
	for (int clients = 1; clients <= 97; clients = clients < 64 ? 2 * clients : clients + 33)
		for (int i = 0; i < 30; i++)
		{
			production.idle = 97 - clients;
			production_closed_second(&production, clients, 0.0);
		}
	fell = p->curve.state == PADV_CURVE_FITTED && p->curve.saturated == PADV_RESOURCE_LOCKS;
	ok(fell, "64 cores with 97 connections: a knee that was seen is named, and why");
	ok(production_regret(p, (double) padv_model_chosen(&p->model)->connections) < 0.1, "and it is good");
	ok(p->model.estimates[PADV_METHOD_FORMULA].connections <= p->inputs.usable_connections,
	   "the formula says no more than the server can have");
}

#endif

int
main(int argc, char **argv)
{
	if (argc == 5)
		only_event = atoi(argv[4]);
	if (argc >= 4 && strcmp(argv[1], "random") == 0)
	{
		simulate(strtoull(argv[2], NULL, 10), atoi(argv[3]));
		return 0;
	}
#ifndef PADV_OLD_RULE
	test_days();
	test_slow_commits();
	test_slow_spells();
	test_blocker();
	test_large_machine();
#endif
	return tap_end();
}
