/*
 * interval.c
 *		What a second was like, from its samples and from the counters.
 *
 * Owns which session counts as busy, as active.
 * Pure; the worker calls it once a second.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/stats/interval.h"

#include <math.h>

double
padv_unseen_active(double run, double delay, double on_cpu, double waiting_io,
				   double turnaround)
{
	if (run < 0.0 || delay < 0.0)
		return 0.0;
	return fmin(turnaround, fmax(0.0, run + delay - on_cpu - waiting_io));
}

/* How much a counter grew in a second; negative when unknown. */
static double
per_second(const PadvCounters *before, const PadvCounters *after, PadvCounter counter,
		   double seconds)
{
	double		grown;

	return padv_load_growth(before, after, counter, &grown) ? grown / seconds : -1.0;
}

/* The cores granted, and what of them the server has used. */
static void
describe_cores(const PadvCounters *before, const PadvCounters *after, double quota, PadvInterval *interval)
{
	double		group = per_second(before, after, PADV_GROUP_CPU, interval->seconds);
	double		busy = per_second(before, after, PADV_CPU_BUSY, interval->seconds);
	double		idle = per_second(before, after, PADV_CPU_IDLE, interval->seconds);

	interval->cores_busy = padv_load_utilization(before, after, quota);
	interval->server_run = per_second(before, after, PADV_SERVER_RUN, interval->seconds);
	interval->cores = busy >= 0.0 && idle >= 0.0 ? busy + idle : 0.0;
	if (quota > 0.0 && group >= 0.0 && (interval->cores <= 0.0 || quota < interval->cores))
		interval->cores = quota;
}

/* What keeps sessions from doing more. */
static void
describe_pressure(const PadvWindowMeans *means, PadvInterval *interval)
{
	interval->sessions = fmax(0.0, means->active + means->idle + means->idle_in_transaction - interval->stuck);
	interval->queued = means->queued;
	interval->lock = means->in_class[PADV_WAITING_LOCK] - means->advisory - interval->stuck;
	interval->lock_queues = fmax(0.0, means->lock_queues);
	interval->disk = fmax(0.0, means->in_class[PADV_WAITING_IO] - means->committing_io);
	interval->commit = means->committing;
}

bool
padv_interval_describe(const PadvWindowMeans *means, const PadvCounters *before,
					   const PadvCounters *after, double quota, PadvInterval *interval)
{
	double		seconds = (double) (after->clock_us - before->clock_us) / 1e6;
	double		rolled_back,
				inside;

	if (!(seconds > 0.0) ||
		!padv_load_growth(before, after, PADV_COMMITTED, &interval->transactions) ||
		!padv_load_growth(before, after, PADV_ROLLED_BACK, &rolled_back) ||
		!padv_load_growth(before, after, PADV_INSIDE, &inside))
		return false;

	interval->seconds = seconds;
	interval->run = per_second(before, after, PADV_SESSIONS_RUN, seconds);
	interval->ready = per_second(before, after, PADV_SESSIONS_DELAY, seconds);
	interval->ended = fmax(0.0, inside / seconds - fmax(0.0, per_second(before, after, PADV_INSIDE_LONG, seconds)));
	interval->stuck = fmin(fmax(0.0, means->stuck), means->in_class[PADV_WAITING_LOCK] - means->advisory);
	interval->busy = fmax(0.0, means->demand - means->parallel_workers - interval->stuck +
						  means->held_in_transaction + means->turnaround);
	interval->active = means->demand - interval->stuck +
		padv_unseen_active(interval->run, interval->ready, means->in_class[PADV_ON_CPU],
						   means->in_class[PADV_WAITING_IO], means->turnaround);
	interval->held = means->held_in_transaction;
	interval->round_trip = means->round_trip;
	interval->unseen = interval->run < 0.0 || interval->ready < 0.0 ? 0.0 :
		interval->run + interval->ready - means->in_class[PADV_ON_CPU] - means->in_class[PADV_WAITING_IO];
	interval->internal_lock = fmax(0.0, means->in_class[PADV_WAITING_LWLOCK] -
								   means->committing_lwlock);
	interval->inside = fmax(0.0, means->demand - means->parallel_workers -
							(means->in_class[PADV_WAITING_LOCK] - means->advisory) - interval->internal_lock);
	interval->latency = interval->transactions + rolled_back > 0.0 ?
		inside / (interval->transactions + rolled_back) : 0.0;
	describe_pressure(means, interval);
	interval->reading = per_second(before, after, PADV_DISK_READ, seconds);
	interval->reads = per_second(before, after, PADV_DISK_READ_COUNT, seconds) * seconds;
	interval->disk_queue = 0.0;
	interval->slot_queued = 0.0;
	interval->logins = after->value[PADV_LOGINS] > 0.0 ? per_second(before, after, PADV_LOGINS, seconds) : -1.0;
	describe_cores(before, after, quota, interval);
	return true;
}

/* Beyond this there is no number that is kept. */
#define GREATEST 1e12

/* The part in busy cores, and the time ready to run, relative to running, that make a large part. */
#define OWN_CORES 0.5
#define OWN_READY 0.5

double
padv_interval_cores_used(const PadvInterval *interval)
{
	double		own = interval->server_run / interval->cores;

	if (!(interval->cores > 0.0) || !(interval->server_run >= 0.0) || own >= OWN_CORES * interval->cores_busy ||
		(interval->run > 0.0 && interval->ready >= OWN_READY * interval->run))
		return interval->cores_busy;
	return fmin(own, interval->cores_busy);
}

/* All sessions are busy, if this share of them is; one other session does not count. */
#define ALL_SESSIONS 0.9
#define BYSTANDERS 1.0

/*
 * Sessions that live for less than SHORT_LIFE on average follow the load.  Of those that
 * live for less than SEEN_LIFE less than half of the CPU time is seen.  Seconds.  The mean is
 * that of all sessions.  So frequent logins of one program make it short where few others
 * stay.
 */
#define SHORT_LIFE 3.0
#define SEEN_LIFE 1.0

/* The time constants of the means of sessions and of logins, and when the most has halved. */
#define SESSIONS_SECONDS 10.0
#define LOGINS_SECONDS 60.0
#define MOST_HALVES_SECONDS 3600.0

/*
 * If logins are not counted: all sessions are busy, although they have become fewer by this
 * factor, and so for some seconds.  That is remembered for hours.
 */
#define FELL_TO 0.75
#define FELL_SECONDS 10.0
#define FOLLOW_SECONDS 21600.0

/* An interval counts for at most this long. */
#define LONGEST_SECONDS 2.0

static bool
all_sessions_busy(const PadvInterval *interval)
{
	return interval->busy >= ALL_SESSIONS * (interval->sessions - BYSTANDERS);
}

static bool
live_for_less(const PadvInterval *interval, double seconds)
{
	return interval->sessions < seconds * interval->logins;
}

bool
padv_sessions_follow(const PadvSessionWatch *watch)
{
	return watch->follow_seconds > 0.0;
}

static void
watch_logins(PadvSessionWatch *watch, double logins, double seconds)
{
	watch->logins += (fmin(logins, 1e6) - watch->logins) * (1.0 - exp(-seconds / LOGINS_SECONDS));
	watch->follow_seconds = watch->mean < SHORT_LIFE * watch->logins ? LOGINS_SECONDS : watch->follow_seconds - seconds;
}

static void
watch_sessions(PadvSessionWatch *watch, bool all_busy, double seconds)
{
	bool		fallen = all_busy && watch->mean + BYSTANDERS <= FELL_TO * watch->most;

	watch->fallen_seconds = fallen ? watch->fallen_seconds + seconds : 0.0;
	watch->follow_seconds = watch->fallen_seconds >= FELL_SECONDS ? FOLLOW_SECONDS : watch->follow_seconds - seconds;
}

bool
padv_sessions_are_used_up(PadvSessionWatch *watch, const PadvInterval *interval)
{
	double		seconds = fmin(interval->seconds, LONGEST_SECONDS);
	bool		all_busy = all_sessions_busy(interval);

	if (!(seconds > 0.0) || !(interval->sessions > 0.0) || !(interval->sessions <= 1e6))
		return all_busy;
	watch->mean += (interval->sessions - watch->mean) * (1.0 - exp(-seconds / SESSIONS_SECONDS));
	watch->most = fmax(watch->mean, watch->most * exp2(-seconds / MOST_HALVES_SECONDS));
	if (interval->logins >= 0.0)
		watch_logins(watch, interval->logins, seconds);
	else
		watch_sessions(watch, all_busy, seconds);
	return all_busy && !padv_sessions_follow(watch);
}

/* Fewer reads do not tell a mean latency. */
#define ENOUGH_READS 50.0

/* The time constant of the means. */
#define LATENCY_SECONDS 10.0

/* A shorter latency counts by this share at once; a longer one doubles the shortest in an hour. */
#define SHORTER_SHARE 0.3
#define LATENCY_DOUBLES_SECONDS 3600.0

/*
 * No device takes longer for a read that finds no queue: a disk of 5400 revolutions per minute
 * needs 12 ms for the way of its head and 5.6 ms for half a turn.  So a device that is
 * saturated from the first second on is seen as such.
 */
#define LONGEST_UNQUEUED 0.02

/* A longer latency than the shortest by a smaller part is no queue.  The most servers of the last hours halve in a day. */
#define LEAST_QUEUE 0.1
#define SERVERS_HALVE_SECONDS 86400.0

/* A queue of this share of the seconds, with this time constant, is not a slow spell. */
#define MOSTLY_QUEUED 0.5
#define QUEUED_SECONDS 600.0

/* A saturated device completes this share of its best rate, which halves in an hour. */
#define FULL_RATE 0.85
#define RATE_HALVES_SECONDS 3600.0

static bool disks_are_saturated(const PadvInterval *interval);

static bool
add_reads(PadvReadLatency *latency, const PadvInterval *interval)
{
	double		left = exp(-interval->seconds / LATENCY_SECONDS);

	if (!(interval->reads >= 0.0) || !(interval->reading >= 0.0) || !isfinite(interval->reads) ||
		!isfinite(interval->reading))
		return false;
	latency->seconds = latency->seconds * left + interval->seconds;
	latency->reads = latency->reads * left + interval->reads;
	latency->read_seconds = latency->read_seconds * left + interval->reading * interval->seconds;
	return latency->reads >= ENOUGH_READS && latency->read_seconds > 0.0;
}

/*
 * How many reads can be under way at once, by the queue before saturation.  With c servers,
 * and a reads under way that take s each, a read waits for s * (a / c) / (c - a) (Seidmann,
 * Schweitzer and Shalev-Oren 1987).  Of slow spells the result is too small, so the largest
 * one of the last hours counts.  Without a queue it is too small, too, and only bounds that.
 */
static void
update_servers(PadvReadLatency *latency, double present, double seconds)
{
	double		served = latency->reads / latency->seconds * latency->shortest;
	double		queue = fmax(LEAST_QUEUE, present / latency->shortest - 1.0);
	double		servers = 0.5 * (served + sqrt(served * served + 4.0 * served / queue));

	latency->servers = fmax(servers, latency->servers * exp2(-seconds / SERVERS_HALVE_SECONDS));
}

/* Whether reads queue, and have done so for most of the time with this rate. */
static bool
watch_queue(PadvReadLatency *latency, double present, double seconds)
{
	bool		queued = present >= (1.0 + LEAST_QUEUE) * latency->shortest;

	latency->queued += ((queued ? 1.0 : 0.0) - latency->queued) * fmin(1.0, seconds / QUEUED_SECONDS);
	return queued && latency->queued >= MOSTLY_QUEUED;
}

void
padv_read_latency_update(PadvReadLatency *latency, PadvInterval *interval)
{
	double		present;
	double		rate;

	interval->disk_queue = interval->disk_served = interval->disk_servers = 0.0;
	interval->disk_tells = false;
	if (!add_reads(latency, interval))
		return;
	present = latency->read_seconds / latency->reads;
	if (latency->shortest <= 0.0)
		latency->shortest = fmin(present, LONGEST_UNQUEUED);
	else if (present < latency->shortest)
		latency->shortest += SHORTER_SHARE * (present - latency->shortest);
	rate = latency->reads / latency->seconds;
	latency->best_rate = fmax(rate, latency->best_rate * exp2(-interval->seconds / RATE_HALVES_SECONDS));
	if (rate >= FULL_RATE * latency->best_rate)
		interval->disk_queue = fmin(interval->disk, interval->reading) *
			fmax(0.0, 1.0 - latency->shortest / present);

	update_servers(latency, present, interval->seconds);
	interval->disk_served = fmin(interval->disk, interval->reading) * fmin(1.0, latency->shortest / present);
	interval->disk_servers = latency->servers;
	if (rate >= FULL_RATE * latency->best_rate)
		interval->disk_tells = watch_queue(latency, present, interval->seconds);

	/* a queue that lasts for hours says nothing about the device without it */
	if (present > latency->shortest && !(interval->sessions > 0.0 && disks_are_saturated(interval)))
		latency->shortest = fmin(fmin(present, LONGEST_UNQUEUED),
								 latency->shortest * exp2(interval->seconds / LATENCY_DOUBLES_SECONDS));
}

void
padv_read_latency_keep(const PadvReadLatency *latency, double numbers[PADV_READ_LATENCY_NUMBERS])
{
	numbers[0] = fmin(latency->shortest, GREATEST);
	numbers[1] = fmin(latency->best_rate, GREATEST);
}

bool
padv_read_latency_restore(PadvReadLatency *latency, const double *numbers, size_t count)
{
	if (count != PADV_READ_LATENCY_NUMBERS || !(numbers[0] >= 0.0 && numbers[0] <= GREATEST) ||
		!(numbers[1] >= 0.0 && numbers[1] <= GREATEST))
		return false;
	*latency = (PadvReadLatency) {.shortest = numbers[0], .best_rate = numbers[1]};
	return true;
}

/*
 * A resource is saturated if at least this share of the sessions that want to work queues
 * for it, and one session at least.
 */
#define QUEUED_SHARE 0.5
#define QUEUED_SESSIONS 1.0

/*
 * A longer mean wait for locks, in seconds, is not a queue that moves, but a session that
 * holds a lock and does nothing.  The caller tells these waiters as stuck where it can, and
 * they are few beside a load that flows.  So is a lock that most wait for while less than
 * this many sessions execute, or hold a lock in a short pause.
 */
#define LONGEST_MEAN_WAIT 5.0
#define LEAST_HOLDERS 0.8

/* The time constants of the means, in seconds.  Thrashing lowers `through` later on. */
#define SHARE_SECONDS 30.0
#define THROUGH_RISES_SECONDS 10.0
#define THROUGH_FALLS_SECONDS 300.0

static bool
most_queue(const PadvInterval *interval, double queue)
{
	return queue >= QUEUED_SESSIONS &&
		queue >= QUEUED_SHARE * (interval->lock + interval->internal_lock + interval->inside);
}

bool
padv_interval_locks_move(const PadvInterval *interval)
{
	return interval->inside + interval->internal_lock + interval->held >= LEAST_HOLDERS &&
		interval->transactions * LONGEST_MEAN_WAIT >= interval->lock * interval->seconds;
}

static bool
locks_are_saturated(const PadvInterval *interval)
{
	return most_queue(interval, interval->lock) && padv_interval_locks_move(interval);
}

/* If more sessions could queue for the disks, these only have become slow. */
static bool
disks_are_saturated(const PadvInterval *interval)
{
	bool		used_up = all_sessions_busy(interval) && !live_for_less(interval, SHORT_LIFE);

	return most_queue(interval, interval->disk_queue) && (interval->slot_queued >= 1.0 || used_up);
}

static void
approach(double *mean, double value, double share)
{
	*mean += (value - *mean) * share;
}

static void
approach_passage(PadvPassage *mean, const PadvPassage *passage, double share)
{
	approach(&mean->users, passage->users, share);
	approach(&mean->through, passage->through, share);
	approach(&mean->queued, passage->queued, share);
	approach(&mean->paused, passage->paused, share);
}

static void
add_bottleneck(PadvBottleneck *bottleneck, bool saturated, const PadvPassage *now, double seconds)
{
	double		constant = now->through > bottleneck->saturated.through ? THROUGH_RISES_SECONDS : THROUGH_FALLS_SECONDS;
	double		share;

	seconds = fmin(seconds, SHARE_SECONDS);
	share = bottleneck->saturated.through > 0.0 ? fmin(1.0, seconds / constant) : 1.0;
	if (saturated)
		approach_passage(&bottleneck->saturated, now, share);
	approach(&bottleneck->share, saturated ? 1.0 : 0.0, seconds / SHARE_SECONDS);
	if (!saturated && bottleneck->share < 0.01)
		bottleneck->saturated = (PadvPassage) {0};
}

/* Sessions that pause with a connection held. */
static double
paused_sessions(const PadvInterval *interval)
{
	return interval->held + fmax(0.0, interval->round_trip - fmax(0.0, interval->unseen));
}

/*
 * Expectations: the time constant of their means, and the seconds of a load with nearly as
 * many sessions and no queue after which they are forgotten.
 */
#define EXPECT_SECONDS 60.0
#define QUIET_LOAD 0.9
#define QUIET_SECONDS 600.0

/* Note what goes through a resource that is used by this part, 0..1. */
static void
expect_passage(PadvBottleneck *bottleneck, double used, PadvPassage now, double seconds)
{
	double		share = bottleneck->expected.through > 0.0 ? fmin(1.0, seconds / EXPECT_SECONDS) : 1.0;

	now.through /= used;
	now.paused /= used;
	approach_passage(&bottleneck->expected, &now, share);
	bottleneck->expected_age = bottleneck->quiet_seconds = 0.0;
}

/* Note a second in which no queue told. */
static void
note_no_queue(PadvBottleneck *bottleneck, double inside, double seconds)
{
	bottleneck->expected_age += seconds;
	if (inside >= QUIET_LOAD * bottleneck->expected.through)
		bottleneck->quiet_seconds += seconds;
	if (bottleneck->quiet_seconds >= QUIET_SECONDS)
		bottleneck->expected = (PadvPassage) {0};
}

/* The parts in use from which on the queue before a resource tells how much it is used. */
#define TELLING_USE 0.6
#define TELLING_LOCK_USE 0.5

/* Fewer locks than one: the same few sessions keep it for long. */
#define LEAST_LOCKS 0.8

/* The time constant of the means.  Queues are looked at once a second. */
#define QUEUES_SECONDS 120.0

static void
note_lock_queues(PadvLockQueues *means, const PadvInterval *interval)
{
	double		share;

	if (interval->lock > 0.0 && !padv_interval_locks_move(interval))
		return;
	means->seconds = fmin(means->seconds + interval->seconds, QUEUES_SECONDS);
	share = fmin(1.0, interval->seconds / means->seconds);
	approach(&means->queues, interval->lock_queues, share);
	approach(&means->waiting, interval->lock, share);
	approach(&means->inside, interval->inside, share);
	approach(&means->paused, paused_sessions(interval), share);
}

/*
 * How much of the time a lock is held, 0..1, by the queues.  A lock that is held for a share
 * u of the time has a queue for u * u of it, of 1 / (1 - u) sessions on average (M/M/1).
 */
static double
lock_use(const PadvLockQueues *means)
{
	return means->waiting > means->queues ? 1.0 - means->queues / means->waiting : 0.0;
}

/* So many locks that are used alike have these queues; 0 if not known. */
static double
count_locks(const PadvLockQueues *means)
{
	double		used = lock_use(means);

	return used > 0.0 ? means->queues / (used * used) : 0.0;
}

/* Whether the queues are those of locks that are passed on all the time, and tell their use. */
static bool
locks_tell(const PadvLockQueues *means)
{
	return lock_use(means) >= TELLING_LOCK_USE && count_locks(means) >= LEAST_LOCKS;
}

static double
disk_use(const PadvInterval *interval)
{
	double		used = interval->disk_servers > 0.0 ? fmin(1.0, interval->disk_served / interval->disk_servers) : 0.0;

	return interval->disk_tells && used >= TELLING_USE ? used : 0.0;
}

/* The devices do more than what was expected of them. */
static void
raise_users(PadvPassage *expected, double users)
{
	if (!(expected->users > 0.0) || users <= expected->users)
		return;
	expected->through *= users / expected->users;
	expected->users = users;
}

/*
 * Locks.  Once they are saturated, their holders can take longer, as all wait for each other
 * (thrashing), so nothing is expected from these seconds.
 */
static void
add_locks(PadvWaits *waits, const PadvInterval *interval)
{
	PadvBottleneck *locks = &waits->locks;
	const PadvLockQueues *means = &waits->lock_queues;
	bool		saturated = locks_are_saturated(interval);
	PadvPassage now = {.through = interval->inside, .queued = interval->lock, .paused = paused_sessions(interval)};
	PadvPassage lately;

	note_lock_queues(&waits->lock_queues, interval);
	now.users = fmax(1.0, count_locks(means));
	lately = (PadvPassage) {now.users, means->inside, means->waiting, means->paused};
	add_bottleneck(locks, saturated, &now, interval->seconds);
	if (saturated || !locks_tell(means))
		note_no_queue(locks, saturated ? 0.0 : interval->inside, interval->seconds);
	else
		expect_passage(locks, lock_use(means), lately, interval->seconds);
}

static void
add_disks(PadvWaits *waits, const PadvInterval *interval)
{
	PadvBottleneck *disks = &waits->disks;
	double		reading = fmin(interval->disk, interval->reading);
	PadvPassage now = {.users = reading - interval->disk_queue, .through = interval->inside - interval->disk_queue,
	.queued = interval->disk_queue, .paused = paused_sessions(interval)};
	PadvPassage lately = {.users = interval->disk_servers, .through = interval->inside - reading + interval->disk_served,
	.queued = interval->disk_queue, .paused = now.paused};
	double		used = disk_use(interval);

	add_bottleneck(disks, disks_are_saturated(interval), &now, interval->seconds);
	raise_users(&disks->expected, interval->disk_servers);
	if (used > 0.0)
		expect_passage(disks, used, lately, interval->seconds);
	else
		note_no_queue(disks, lately.through, interval->seconds);
}

/* The weight of a second with this utilization of the cores. */
#define CORES_SATURATED 0.9
#define SATURATED_WEIGHT 0.5

void
padv_waits_add(PadvWaits *waits, const PadvInterval *interval)
{
	double		weight = interval->cores_busy >= CORES_SATURATED ? SATURATED_WEIGHT : 1.0;
	double		seconds = interval->seconds * weight;
	double		run = interval->run * seconds;
	double		ready = interval->ready * seconds;
	double		left;

	if (!(run > 0.0) || !(ready >= 0.0) || !isfinite(run) || !isfinite(ready))
		return;
	add_locks(waits, interval);
	add_disks(waits, interval);
	if (live_for_less(interval, SEEN_LIFE))
		return;
	left = exp2(-fmin(run / PADV_WAITS_HALF_LIFE, seconds / PADV_WAITS_LEAST_SECONDS));
	waits->run = waits->run * left + run;
	waits->ready = waits->ready * left + ready;
	waits->asleep = waits->asleep * left +
		fmax(0.0, (interval->inside - interval->disk_queue) * seconds - run - ready);
	waits->held = waits->held * left + interval->held * seconds;
	waits->round_trip = waits->round_trip * left + interval->round_trip * seconds;
	waits->unseen = waits->unseen * left + interval->unseen * seconds;
}

void
padv_waits_keep(const PadvWaits *waits, double numbers[PADV_WAITS_NUMBERS])
{
	numbers[0] = fmin(waits->run, GREATEST);
	numbers[1] = fmin(waits->ready, GREATEST);
	numbers[2] = fmin(waits->asleep, GREATEST);
}

bool
padv_waits_restore(PadvWaits *waits, const double *numbers, size_t count)
{
	if (count != PADV_WAITS_NUMBERS)
		return false;
	for (int i = 0; i < PADV_WAITS_NUMBERS; i++)
		if (!(numbers[i] >= 0.0 && numbers[i] <= GREATEST))
			return false;
	*waits = (PadvWaits) {.run = numbers[0], .ready = numbers[1], .asleep = numbers[2]};
	return true;
}
