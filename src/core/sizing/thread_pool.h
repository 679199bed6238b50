/*
 * thread_pool.h
 *		What a thread pool with a core size, a maximum and a queue does under a
 *		load.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_THREAD_POOL_H
#define PADV_THREAD_POOL_H

#include <stdbool.h>
#include <stdint.h>

/* Everything is a long-run average. */
typedef struct PadvThreadPoolForecast
{
	double		threads;		/* alive; those of the core always are */
	double		busy;			/* executing a task */
	double		queued;			/* tasks; infinite when not stable */
	double		wait_seconds;	/* mean, of those not refused; likewise */
	double		refused_ratio;	/* of the tasks that come */
	double		max_reached_ratio;	/* share of the time in which as many
									 * threads as there may be are executing */
	bool		stable;			/* the queue does not grow without bound */
} PadvThreadPoolForecast;

/*
 * The rule of java.util.concurrent.ThreadPoolExecutor: a task starts a thread
 * while there are fewer than core; then it queues; only when the queue is full
 * it starts a thread, up to max; then it is refused.  A thread beyond the core
 * ends as soon as it finds the queue empty (a keepalive of 0).
 *
 * Arrivals are Poisson, service times exponential.  The rate is finite and not
 * negative, the service time finite and positive; 1 <= core <= max <=
 * PADV_MAX_SERVERS; queue_length is 0..PADV_MAX_QUEUE or PADV_UNBOUNDED.
 */
extern void padv_thread_pool_forecast(double arrival_rate, double service_time_seconds,
									  int64_t core, int64_t max, int64_t queue_length,
									  PadvThreadPoolForecast *forecast);

#endif							/* PADV_THREAD_POOL_H */
