/*
 * scalability.c
 *		The scalability curve: throughput by busy connections.
 *
 * Owns the bins, and how evidence ages.  knee.c judges the curve.  Pure.
 *
 * If throughput leaves the curve while the number of busy connections stays the
 * same (other transactions, more data), the level has changed.  All bins are scaled
 * to the new level, and in each bin new evidence soon outweighs the old.  So the
 * shape of the curve remains until it is contradicted.  If throughput is off the
 * curve after a move along it, only the evidence nearby is outdated.
 *
 * Requests usually arrive at a rate of their own.  So the number of busy connections
 * is the product of that rate and the response time: a server that is slow for a
 * moment has more busy connections without more throughput.  Therefore only seconds
 * under pressure are evidence of what lies beyond the peak: no more connections
 * could be busy, or a resource was saturated.  Other seconds give a lower bound of
 * what the server can do.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/model/evidence.h"

#include <math.h>
#include <string.h>

#define BIN_WIDTH 1.1			/* factor */
#define TRIVIAL_BUSY 0.5

/* Bounds of plausible numbers, so that no computation overflows. */
#define MAX_CONNECTIONS 1e6
#define MAX_THROUGHPUT 1e12
#define MAX_LATENCY 1e9

/* An interval counts for at most this long. */
#define MAX_INTERVAL_SECONDS 2.0

/*
 * Detection of a change of level (cumulative sum test, Page 1954).  Deviations up
 * to the slack are noise; the excess must sum up to the threshold.  The limit
 * bounds a single second, so that a short stall is no change.
 */
#define SLACK 0.15
#define LIMIT 0.5
#define THRESHOLD 1.5

/* The slack in mean deviations, and the period of their mean. */
#define SLACK_NOISE 1.25
#define NOISE_SECONDS 60.0

/*
 * Without pressure, a heavier load looks like a slow server: more connections are
 * busy for the same rate.  It counts as another level only after this time.
 */
#define SLOW_SECONDS 60.0

/*
 * A second is under pressure if this share of the cores is used up, or this share of busy
 * connections waits for locks, or in the queue of a disk.
 */
#define CORES_FULL 0.9
#define LOCKED 0.75
#define DISK_QUEUED 0.6

/* A bounded level that is this share of the wanted one makes no difference. */
#define NEARLY 0.9

/* The weights of a new second in recent means. */
#define OF_LATE 0.2
#define NOW 0.05

/* After so many seconds that teach nothing, recent means are no longer recent. */
#define QUIET_SECONDS 60.0

/* The half-life of the highest throughput without pressure. */
#define EASE_HALF_LIFE_SECONDS 600.0

/*
 * An episode of pressure ends after this many seconds without pressure.  In the
 * longer gap the server can show that it was only slow: throughput recovers to this
 * multiple with fewer busy connections.
 */
#define SHORT_GAP_SECONDS 10.0
#define LONG_GAP_SECONDS 60.0
#define TELLING_SECONDS 5.0
#define RECOVERED 1.2

void
padv_scalability_init(PadvScalability *scalability)
{
	memset(scalability, 0, sizeof(*scalability));
}

static int
bin_of(double busy)
{
	double		bin = floor(log(fmax(busy, 1.0)) / log(BIN_WIDTH) + 0.5);

	return bin < PADV_CURVE_BINS ? (int) bin : PADV_CURVE_BINS - 1;
}

static void
forget_deviations(PadvScalability *scalability)
{
	scalability->above = 0.0;
	scalability->below = 0.0;
	if (scalability->off_seconds > 0.0)
		scalability->departures++;
	scalability->off_sum = 0.0;
	scalability->off_seconds = 0.0;
}

/* Whether two numbers of connections are within the smoothing factor. */
static bool
is_near(double a, double b)
{
	return a > 0.0 && b > 0.0 && fabs(log(a / b)) < log(PADV_SMOOTHING);
}

static void
give_way(PadvBin *bin, double busy, int64_t departure)
{
	if (!is_near(bin->busy, busy))
		return;
	if (bin->departure == departure && bin->fresh_seconds >= PADV_CURVE_MIN_SECONDS)
		bin->throughput = bin->fresh_throughput;
	bin->seconds = fmin(bin->seconds, PADV_CURVE_MIN_SECONDS);
	bin->pressed = fmin(bin->pressed, bin->seconds);
}

/* Let new evidence near a number of connections outweigh the old. */
static void
change_shape(PadvScalability *scalability, double busy)
{
	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		give_way(&scalability->bins[i], busy, scalability->departures);
		give_way(&scalability->episode.bins[i], busy, scalability->departures);
	}
}

/* Scale a bin to the new level, unless its evidence is of that level already. */
static void
move_bin(PadvBin *bin, double level, int64_t departure)
{
	bin->latency = fmin(bin->latency / level, MAX_LATENCY);
	if (bin->departure == departure && bin->fresh_seconds >= PADV_CURVE_MIN_SECONDS)
	{
		bin->throughput = bin->fresh_throughput;
		bin->seconds = fmin(bin->seconds, bin->fresh_seconds);
		bin->pressed = fmin(bin->pressed, bin->seconds);
	}
	else
		bin->throughput = fmin(bin->throughput * level, MAX_THROUGHPUT);
}

/* The highest throughput of evidence. */
static double
highest_throughput(const PadvScalability *scalability)
{
	double		highest = 0.0;

	for (int i = 0; i < PADV_CURVE_BINS; i++)
		highest = fmax(highest, fmax(scalability->bins[i].throughput,
									 scalability->episode.bins[i].throughput));
	return highest;
}

/* Keep the evidence of a bin as a lower bound of what the server can do. */
static void
doubt_bin(PadvBin *bin, PadvBin *of_episode)
{
	bin->pressed = 0.0;
	padv_bin_merge(bin, of_episode, false);
	memset(of_episode, 0, sizeof(*of_episode));
}

/*
 * Scale all evidence from before throughput left the curve, but to no more than was ever
 * done.  If that bounds the level, nobody has seen whether the old shape is that of the
 * present load, so that it tells nothing of what lies beyond the peak.
 */
static void
change_level(PadvScalability *scalability)
{
	double		wanted = exp(scalability->off_sum / scalability->off_seconds);
	double		highest = highest_throughput(scalability);
	double		level = highest > 0.0 ? fmin(wanted, fmax(1.0, scalability->most / highest)) : wanted;
	bool		unseen = level < NEARLY * wanted;

	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		move_bin(&scalability->bins[i], level, scalability->departures);
		move_bin(&scalability->episode.bins[i], level, scalability->departures);
		if (unseen)
			doubt_bin(&scalability->bins[i], &scalability->episode.bins[i]);
	}
	scalability->ease_best = fmin(scalability->ease_best * level, MAX_THROUGHPUT);
	scalability->episode.ease_throughput = fmin(scalability->episode.ease_throughput * level,
												MAX_THROUGHPUT);
	scalability->level++;
}

/* Throughput was off the curve for long enough: change the level or the shape. */
static void
take_leave(PadvScalability *scalability, double busy, bool pressed)
{
	bool		stayed = is_near(scalability->consistent_at, busy);
	bool		more = scalability->above > THRESHOLD;

	if (!stayed && !pressed && !more && scalability->off_seconds < SLOW_SECONDS)
		return;
	if (stayed || !pressed)
		change_level(scalability);
	else
		change_shape(scalability, busy);
	forget_deviations(scalability);
}

/* Compare throughput with the curve, and detect a lasting deviation. */
static void
compare_with_curve(PadvScalability *scalability, const PadvInterval *interval, bool pressed)
{
	PadvEvidence evidence;
	PadvAround	expected;
	double		off;
	double		slack = fmax(SLACK, SLACK_NOISE * scalability->noise);

	padv_collect_evidence(scalability, &evidence);
	expected = padv_look_around(&evidence, interval->busy);
	if (expected.seconds < PADV_CURVE_MIN_SECONDS ||
		interval->transactions < PADV_CURVE_MIN_TRANSACTIONS)
		return;
	off = log(interval->transactions / interval->seconds / expected.throughput);
	scalability->noise += (fmin(fabs(off), LIMIT) - scalability->noise) / NOISE_SECONDS;
	scalability->above = fmax(0.0, scalability->above + fmin(off, LIMIT) - slack);
	scalability->below = fmax(0.0, scalability->below + fmin(-off, LIMIT) - slack);
	if (scalability->above <= 0.0 && scalability->below <= 0.0)
	{
		forget_deviations(scalability);
		scalability->consistent_at = interval->busy;
		return;
	}
	scalability->off_sum += off;
	scalability->off_seconds += 1.0;
	if (scalability->above > THRESHOLD || scalability->below > THRESHOLD)
		take_leave(scalability, interval->busy, pressed);
}

static void
fade(PadvScalability *scalability, double seconds)
{
	double		left = exp2(-seconds / PADV_CURVE_HALF_LIFE_SECONDS);

	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		scalability->bins[i].seconds *= left;
		scalability->bins[i].pressed *= left;
	}
}

static void
approach(double *mean, double value, double share)
{
	*mean += (value - *mean) * share;
}

/* Make a bin of one interval. */
static PadvBin
bin_of_interval(const PadvInterval *interval, double seconds, int64_t level)
{
	double		share = 1.0 / interval->busy;
	PadvBin		bin = {
		.seconds = seconds,
		.busy = interval->busy,
		.active = interval->active,
		.throughput = interval->transactions / interval->seconds,
		.latency = interval->latency,
		.use = {
			[PADV_RESOURCE_CORES] = padv_interval_cores_used(interval),
			[PADV_RESOURCE_LOCKS] = interval->lock * share,
			[PADV_RESOURCE_INTERNAL_LOCKS] = interval->internal_lock * share,
			[PADV_RESOURCE_DISKS] = interval->disk * share,
			[PADV_RESOURCE_COMMITS] = interval->commit * share,
		},
		.disk_queue = interval->disk_queue * share,
		.level = level,
	};

	for (int i = 0; i < PADV_RESOURCES; i++)
		bin.use[i] = bin.use[i] > 0.0 ? fmin(bin.use[i], 1.0) : 0.0;
	bin.disk_queue = bin.disk_queue > 0.0 ? fmin(bin.disk_queue, 1.0) : 0.0;
	return bin;
}

/* Update the mean since throughput left the curve. */
static void
note_departure(const PadvScalability *scalability, PadvBin *bin, const PadvBin *second)
{
	if (scalability->off_seconds <= 0.0)
		return;
	if (bin->departure != scalability->departures)
		bin->fresh_seconds = bin->fresh_throughput = 0.0;
	bin->departure = scalability->departures;
	bin->fresh_seconds += second->seconds;
	approach(&bin->fresh_throughput, second->throughput, second->seconds / bin->fresh_seconds);
}

static void
learn(PadvScalability *scalability, const PadvInterval *interval, double seconds, bool pressed)
{
	int			place = bin_of(interval->busy);
	PadvBin    *bin = pressed ? &scalability->episode.bins[place] : &scalability->bins[place];
	PadvBin		second = bin_of_interval(interval, seconds, scalability->level);

	note_departure(scalability, bin, &second);
	padv_bin_merge(bin, &second, pressed);
}

/* --- pressure ------------------------------------------------------------- */

/*
 * Whether the server bounds throughput.  Sessions that wait for a limit of their role, or
 * to log in, do not tell: the others could do more.
 */
static bool
is_pressed(const PadvInterval *interval, bool sessions_used_up)
{
	return sessions_used_up || interval->slot_queued >= 1.0 ||
		padv_interval_cores_used(interval) >= CORES_FULL ||
		(interval->lock >= LOCKED * interval->busy && padv_interval_locks_move(interval)) ||
		interval->disk_queue >= DISK_QUEUED * interval->busy;
}

/* End the episode, and merge its evidence. */
static void
end_episode(PadvScalability *scalability)
{
	PadvEpisode *episode = &scalability->episode;
	bool		counts = padv_episode_counts(episode);

	for (int i = 0; i < PADV_CURVE_BINS; i++)
		padv_bin_merge(&scalability->bins[i], &episode->bins[i], counts);
	memset(episode, 0, sizeof(*episode));
}

/* End the episode, and discard its evidence: the server was only slow. */
static void
drop_episode(PadvScalability *scalability)
{
	memset(&scalability->episode, 0, sizeof(PadvEpisode));
}

/*
 * Returns whether all sessions are busy, and their number bounds the load.  When the
 * number turns out to follow the load, the present episode was none.
 */
static bool
watch_sessions(PadvScalability *scalability, const PadvInterval *interval)
{
	bool		followed = padv_sessions_follow(&scalability->sessions);
	bool		used_up = padv_sessions_are_used_up(&scalability->sessions, interval);

	if (!followed && padv_sessions_follow(&scalability->sessions))
		drop_episode(scalability);
	return used_up;
}

static void
press(PadvScalability *scalability, const PadvInterval *interval, double seconds)
{
	PadvEpisode *episode = &scalability->episode;
	double		throughput = interval->transactions / interval->seconds;

	if (episode->seconds <= 0.0)
	{
		episode->ease_throughput = scalability->ease_best;
		episode->busy = interval->busy;
		episode->throughput = throughput;
	}
	episode->seconds += seconds;
	episode->gap = 0.0;
	episode->work += throughput * seconds;
	episode->ease_throughput *= exp2(-seconds / EASE_HALF_LIFE_SECONDS);
	approach(&episode->busy, interval->busy, OF_LATE);
	approach(&episode->throughput, throughput, OF_LATE);
	scalability->ease_throughput = 0.0;
}

static void
ease(PadvScalability *scalability, double busy, double throughput, double seconds)
{
	PadvEpisode *episode = &scalability->episode;

	scalability->ease_best *= exp2(-seconds / EASE_HALF_LIFE_SECONDS);
	if (scalability->ease_throughput <= 0.0)
		scalability->ease_throughput = throughput;
	approach(&scalability->ease_throughput, throughput, OF_LATE);
	if (episode->seconds <= 0.0)
	{
		scalability->ease_best = fmax(scalability->ease_best, scalability->ease_throughput);
		return;
	}
	episode->gap += seconds;
	if (episode->gap >= TELLING_SECONDS && busy < episode->busy &&
		scalability->ease_throughput >= RECOVERED * episode->throughput)
		drop_episode(scalability);
	else if (episode->gap >= LONG_GAP_SECONDS ||
			 (episode->gap >= SHORT_GAP_SECONDS && !padv_episode_counts(episode)))
		end_episode(scalability);
}

static bool
between(double value, double low, double high)
{
	return value >= low && value <= high;	/* false for NaN */
}

static bool
is_sound(const PadvInterval *interval)
{
	return between(interval->seconds, 1e-3, 1e6) &&
		between(interval->busy, TRIVIAL_BUSY, MAX_CONNECTIONS) &&
		between(interval->active, 0.0, MAX_CONNECTIONS) &&
		between(interval->transactions / interval->seconds, 1e-6, MAX_THROUGHPUT) &&
		between(interval->latency, 0.0, MAX_LATENCY);
}

/*
 * The weight of an interval.  While the number of busy connections changes, an
 * interval belongs to no bin, so its weight is lower.
 */
static double
steadiness(PadvScalability *scalability, double busy)
{
	double		change = (busy - scalability->previous_busy) / (1.0 + 0.2 * busy);

	scalability->previous_busy = busy;
	return 1.0 / (1.0 + 4.0 * change * change);
}

static void
note_now(PadvScalability *scalability, const PadvInterval *interval)
{
	double		throughput = interval->transactions / interval->seconds;

	if (!is_near(scalability->now_busy, interval->busy))
	{
		scalability->now_busy = interval->busy;
		scalability->now_throughput = throughput;
	}
	approach(&scalability->now_busy, interval->busy, NOW);
	approach(&scalability->now_throughput, throughput, NOW);
	scalability->quiet_seconds = 0.0;
}

/* A second that teaches nothing: after a minute of them nothing is known of now. */
static void
note_quiet(PadvScalability *scalability, double seconds)
{
	scalability->quiet_seconds += seconds;
	if (scalability->quiet_seconds >= QUIET_SECONDS)
		scalability->now_busy = scalability->now_throughput = 0.0;
}

void
padv_scalability_add(PadvScalability *scalability, const PadvInterval *interval)
{
	double		length = fmin(interval->seconds, MAX_INTERVAL_SECONDS);
	double		seconds;
	bool		sessions_used_up = watch_sessions(scalability, interval);
	bool		pressed;

	if (!is_sound(interval))
	{
		scalability->previous_busy = 0.0;
		if (length > 0.0)
		{
			ease(scalability, 0.0, 0.0, length);
			note_quiet(scalability, length);
		}
		return;
	}
	pressed = is_pressed(interval, sessions_used_up);
	if (pressed)
		press(scalability, interval, length);
	else
		ease(scalability, interval->busy, interval->transactions / interval->seconds, length);
	note_now(scalability, interval);
	scalability->most = fmax(scalability->most, interval->transactions / interval->seconds);
	seconds = length * steadiness(scalability, interval->busy);
	compare_with_curve(scalability, interval, pressed);
	fade(scalability, seconds);
	learn(scalability, interval, seconds, pressed);
}

/* --- keeping -------------------------------------------------------------- */

/* The version of the format. */
#define FORM 2.0

/* The rounding error of a mean at the edge of its bin. */
#define ROUNDING 1e-9

#define OF_BIN 6
#define BIN_NUMBERS (OF_BIN + PADV_RESOURCES)

#if PADV_CURVE_NUMBERS != 2 + 12 * PADV_CURVE_BINS
#error "the numbers of a bin have changed"
#endif

void
padv_scalability_keep(const PadvScalability *scalability, double numbers[PADV_CURVE_NUMBERS])
{
	double	   *next = numbers;

	*next++ = FORM;
	*next++ = scalability->held;
	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		const PadvBin bin = padv_bin_with_episode(scalability, i);
		const double kept[OF_BIN] = {bin.seconds, bin.busy, bin.active,
		bin.throughput, bin.latency, bin.pressed};

		memcpy(next, kept, sizeof(kept));
		memcpy(next + OF_BIN, bin.use, sizeof(bin.use));
		next += BIN_NUMBERS;
	}
}

static bool
uses_are_sound(const double *use)
{
	bool		sound = true;

	for (int i = 0; i < PADV_RESOURCES; i++)
		sound = sound && between(use[i], 0.0, 1.0);
	return sound;
}

static bool
bin_is_sound(const PadvBin *bin, int place)
{
	return between(bin->seconds, 0.0, PADV_CURVE_MEMORY_SECONDS) &&
		between(bin->busy, TRIVIAL_BUSY, MAX_CONNECTIONS) &&
		bin_of(bin->busy * (1.0 - ROUNDING)) <= place &&
		bin_of(bin->busy * (1.0 + ROUNDING)) >= place &&
		between(bin->active, 0.0, MAX_CONNECTIONS) &&
		between(bin->throughput, 0.0, MAX_THROUGHPUT) && between(bin->latency, 0.0, MAX_LATENCY) &&
		between(bin->pressed, 0.0, bin->seconds) && uses_are_sound(bin->use);
}

bool
padv_scalability_restore(PadvScalability *scalability, const double *numbers, size_t count)
{
	PadvScalability kept;

	if (count != PADV_CURVE_NUMBERS || numbers[0] != FORM ||
		!between(numbers[1], 0.0, MAX_CONNECTIONS))
		return false;
	padv_scalability_init(&kept);
	kept.held = numbers[1];
	for (int i = 0; i < PADV_CURVE_BINS; i++)
	{
		const double *from = numbers + 2 + i * BIN_NUMBERS;
		PadvBin    *bin = &kept.bins[i];

		if (from[0] == 0.0)
			continue;
		*bin = (PadvBin)
		{
			.seconds = from[0], .busy = from[1], .active = from[2], .throughput = from[3],
				.latency = from[4], .pressed = from[5]
		};
		memcpy(bin->use, from + OF_BIN, sizeof(bin->use));
		if (!bin_is_sound(bin, i))
			return false;
	}
	kept.most = highest_throughput(&kept);
	*scalability = kept;
	return true;
}
