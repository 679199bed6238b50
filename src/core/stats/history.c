/*
 * history.c
 *		The history of the last two weeks, in three resolutions.
 *
 * Owns three rings of points in one block, and how points of one second become
 * those of longer intervals.  Pure: no clock, no globals, no allocation.  The
 * caller owns the block and protects it with a lock (history_shmem.c).
 *
 * There are no sums in progress: an interval that has ended is computed from the points of
 * one second in it.  So only points have to be kept over a restart, or corrected when
 * the clock steps.
 *
 * Points go by number, not by age: after a gap the rings reach further back.
 * By age, a clock that is wrong for a moment would cost the whole history.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/history.h"

#include <math.h>
#include <string.h>

#define SECOND INT64_C(1000000)

/* The figures of a point, in their order. */
#define FIRST_FIGURE offsetof(PadvHistoryPoint, active_avg)
#define FIGURES ((sizeof(PadvHistoryPoint) - FIRST_FIGURE) / sizeof(float))

enum
{
	ACTIVE_AVG,
	ACTIVE_MAX,
	FIRST_CLASS = 5,
	IO_WAIT_RATIO = FIRST_CLASS + PADV_WAIT_CLASSES,
	CPU_UTILIZATION,
};

/* files hold points as they are, so there must be no gap in one */
typedef char point_has_no_gap[FIGURES == CPU_UTILIZATION + 3 &&
							  sizeof(PadvHistoryPoint) == FIRST_FIGURE + FIGURES * sizeof(float) ? 1 : -1];

static const struct
{
	const char *name;
	int64_t		us;
	int			first;			/* where its points begin */
	int			size;
}			resolutions[PADV_RESOLUTIONS] = {
	{"1 s", SECOND, 0, PADV_HISTORY_SECONDS},
	{"10 s", 10 * SECOND, PADV_HISTORY_SECONDS, PADV_HISTORY_TENS},
	{"5 min", 300 * SECOND, PADV_HISTORY_SECONDS + PADV_HISTORY_TENS, PADV_HISTORY_FIVE_MINUTES},
};

void
padv_history_init(PadvHistory *history)
{
	memset(history, 0, sizeof(*history));
}

void
padv_history_forget(PadvHistory *history)
{
	memset(history->rings, 0, sizeof(history->rings));
}

int
padv_history_size(PadvResolution resolution)
{
	return resolutions[resolution].size;
}

const char *
padv_resolution_name(PadvResolution resolution)
{
	return resolutions[resolution].name;
}

int64_t
padv_resolution_us(PadvResolution resolution)
{
	return resolutions[resolution].us;
}

static void
get_figures(const PadvHistoryPoint *point, float *figures)
{
	memcpy(figures, (const char *) point + FIRST_FIGURE, FIGURES * sizeof(float));
}

static void
set_figures(PadvHistoryPoint *point, const float *figures)
{
	memcpy((char *) point + FIRST_FIGURE, figures, FIGURES * sizeof(float));
}

/* The comparisons are false for what is not a number. */
static bool
is_sound_figure(size_t figure, float value)
{
	bool		ratio = figure == IO_WAIT_RATIO || figure == CPU_UTILIZATION;

	return value >= -1.0f && value <= (ratio ? 1.0f : PADV_HISTORY_GREATEST);
}

static bool
is_sound_time(int64_t at)
{
	return at >= -PADV_HISTORY_LATEST && at <= PADV_HISTORY_LATEST;
}

bool
padv_history_sound(const PadvHistoryPoint *point)
{
	float		figures[FIGURES];
	bool		sound = is_sound_time(point->at);

	get_figures(point, figures);
	for (size_t i = 0; i < FIGURES; i++)
		sound = sound && is_sound_figure(i, figures[i]);
	return sound;
}

bool
padv_history_mend(PadvHistoryPoint *point)
{
	float		figures[FIGURES];

	get_figures(point, figures);
	for (size_t i = 0; i < FIGURES; i++)
		if (!is_sound_figure(i, figures[i]))
			figures[i] = -1.0f;
	set_figures(point, figures);
	return is_sound_time(point->at);
}

/*
 * Of the means, so that it is the share of the interval, in which a second with
 * little to do weighs little; 0 when nothing was active, as in PadvMinute.
 */
static float
io_wait_ratio(const float *figures)
{
	float		active = figures[ACTIVE_AVG];
	float		io = figures[FIRST_CLASS + PADV_WAITING_IO];

	if (active < 0.0f || io < 0.0f)
		return -1.0f;
	if (!(active > 0.0f))
		return 0.0f;
	return io < active ? io / active : 1.0f;
}

void
padv_history_describe(const PadvWindowMeans *means, double cpu_utilization,
					  double transactions_per_second, int64_t optimal,
					  PadvHistoryPoint *point)
{
	float		figures[FIGURES];

	point->at = means->taken_at;
	point->active_avg = (float) means->active;
	point->active_max = (float) means->active_max;
	point->idle = (float) means->idle;
	point->idle_in_transaction = (float) means->idle_in_transaction;
	point->queued = (float) means->queued;
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		point->in_class[class] = (float) means->in_class[class];
	point->io_wait_ratio = -1.0f;
	point->cpu_utilization = (float) cpu_utilization;
	point->transactions_per_second = (float) transactions_per_second;
	point->optimal = (float) optimal;

	get_figures(point, figures);
	point->io_wait_ratio = io_wait_ratio(figures);
}

/* Where the point with a number is, or goes. */
static int
ring_index(PadvResolution resolution, uint64_t number)
{
	return resolutions[resolution].first +
		(int) (number % (uint64_t) resolutions[resolution].size);
}

/* The point that so many came after, or NULL. */
static const PadvHistoryPoint *
point_back(const PadvHistory *history, PadvResolution resolution, uint32_t back)
{
	const PadvHistoryRing *ring = &history->rings[resolution];

	if (back >= ring->count)
		return NULL;
	return &history->points[ring_index(resolution, ring->end - 1 - back)];
}

void
padv_history_append(PadvHistory *history, PadvResolution resolution,
					const PadvHistoryPoint *point)
{
	PadvHistoryRing *ring = &history->rings[resolution];

	history->points[ring_index(resolution, ring->end)] = *point;
	ring->end++;
	if (ring->count < (uint32_t) resolutions[resolution].size)
		ring->count++;
}

/*
 * Forget what is not before a time.  Each point is forgotten once only, so this
 * is O(1) over all additions.
 */
static void
forget_from(PadvHistory *history, PadvResolution resolution, int64_t at)
{
	PadvHistoryRing *ring = &history->rings[resolution];
	const PadvHistoryPoint *newest;

	while ((newest = point_back(history, resolution, 0)) != NULL && newest->at >= at)
	{
		ring->end--;
		ring->count--;
	}
}

/* The end of the interval that a time is in: the multiple not before it. */
static int64_t
interval_end(PadvResolution resolution, int64_t at)
{
	int64_t		length = resolutions[resolution].us;
	int64_t		rest = at % length;

	if (rest > 0)
		return at - rest + length;
	return at - rest;
}

/* The mean of the points of one second that are later than a time. */
static void
average_points(const PadvHistory *history, int64_t after, PadvHistoryPoint *mean)
{
	double		sum[FIGURES] = {0.0};
	int			known[FIGURES] = {0};
	float		max = -1.0f;
	float		figures[FIGURES];
	const PadvHistoryPoint *point;

	for (uint32_t back = 0;
		 (point = point_back(history, PADV_HISTORY_1_SECOND, back)) != NULL && point->at > after;
		 back++)
	{
		get_figures(point, figures);
		for (size_t i = 0; i < FIGURES; i++)
		{
			if (figures[i] < 0.0f)
				continue;
			sum[i] += figures[i];
			known[i]++;
		}
		if (figures[ACTIVE_MAX] > max)
			max = figures[ACTIVE_MAX];
	}

	for (size_t i = 0; i < FIGURES; i++)
		figures[i] = known[i] > 0 ? (float) (sum[i] / known[i]) : -1.0f;
	figures[ACTIVE_MAX] = max;
	figures[IO_WAIT_RATIO] = io_wait_ratio(figures);
	set_figures(mean, figures);
}

/*
 * Tell the interval that the newest point of one second is in, if a time is
 * beyond its end and it has not been told yet.
 */
static void
end_interval(PadvHistory *history, PadvResolution resolution, int64_t at)
{
	const PadvHistoryPoint *newest = point_back(history, PADV_HISTORY_1_SECOND, 0);
	const PadvHistoryPoint *told = point_back(history, resolution, 0);
	PadvHistoryPoint mean;

	if (newest == NULL)
		return;
	mean.at = interval_end(resolution, newest->at);
	if (mean.at >= at || (told != NULL && told->at >= mean.at))
		return;
	average_points(history, mean.at - resolutions[resolution].us, &mean);
	padv_history_append(history, resolution, &mean);
}

void
padv_history_add(PadvHistory *history, const PadvHistoryPoint *point)
{
	PadvHistoryPoint mended = *point;

	if (!padv_history_mend(&mended))
		return;

	for (PadvResolution resolution = 0; resolution < PADV_RESOLUTIONS; resolution++)
		forget_from(history, resolution, mended.at);
	end_interval(history, PADV_HISTORY_10_SECONDS, mended.at);
	end_interval(history, PADV_HISTORY_5_MINUTES, mended.at);
	padv_history_append(history, PADV_HISTORY_1_SECOND, &mended);
}

int
padv_history_copy(const PadvHistory *history, PadvResolution resolution,
				  uint64_t *cursor, PadvHistoryPoint *points, int max)
{
	const PadvHistoryRing *ring = &history->rings[resolution];
	const PadvHistoryPoint *base = &history->points[resolutions[resolution].first];
	int			size = resolutions[resolution].size;
	int			from;
	int			count;
	int			straight;

	if (*cursor < ring->end - ring->count)
		*cursor = ring->end - ring->count;
	if (*cursor >= ring->end)
		return 0;

	count = ring->end - *cursor < (uint64_t) max ? (int) (ring->end - *cursor) : max;
	from = (int) (*cursor % (uint64_t) size);
	straight = count < size - from ? count : size - from;
	memcpy(points, base + from, (size_t) straight * sizeof(*points));
	memcpy(points + straight, base, (size_t) (count - straight) * sizeof(*points));
	*cursor += (uint64_t) count;
	return count;
}

bool
padv_history_curve_sound(const double *curve, size_t count)
{
	if (count > PADV_HISTORY_MAX_CURVE)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!isfinite(curve[i]))
			return false;
	return true;
}

bool
padv_history_set_curve(PadvHistory *history, const double *curve, size_t count)
{
	if (!padv_history_curve_sound(curve, count))
		return false;
	if (count > 0)
		memcpy(history->curve, curve, count * sizeof(double));
	history->ncurve = (uint32_t) count;
	return true;
}

size_t
padv_history_get_curve(const PadvHistory *history, double *curve)
{
	memcpy(curve, history->curve, history->ncurve * sizeof(double));
	return history->ncurve;
}
