/*
 * thread_pool.h
 *		Forecast for a thread pool with a core size, a maximum size and a queue.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_THREAD_POOL_H
#define PADV_THREAD_POOL_H

#include <stdbool.h>
#include <stdint.h>

/* Long-run averages. */
typedef struct PadvThreadPoolForecast
{
	double		threads;		/* existing threads; core threads always exist */
	double		busy;			/* executing a task */
	double		queued;			/* tasks in the queue; infinite if not stable */
	double		wait_seconds;	/* mean of the tasks that are not refused;
								 * likewise */
	double		refused_ratio;	/* share of all tasks */
	double		max_reached_ratio;	/* share of time in which max threads are
									 * executing */
	bool		stable;			/* the queue does not grow without bound */
} PadvThreadPoolForecast;

/*
 * Compute a forecast for the rule of java.util.concurrent.ThreadPoolExecutor.  A
 * task starts a thread while there are fewer than core threads; then it is queued.
 * Only if the queue is full, it starts a thread, up to max; then it is refused.  A
 * thread beyond core ends as soon as the queue is empty (keepalive 0).
 *
 * Arrivals are a Poisson process, service times are exponential.  The rate is
 * finite and not negative; the service time is finite and positive; 0 <= core <=
 * max, 1 <= max <= PADV_MAX_SERVERS; queue_length is 0..PADV_MAX_QUEUE or
 * PADV_UNBOUNDED.
 */
extern void padv_thread_pool_forecast(double arrival_rate, double service_time_seconds,
									  int64_t core, int64_t max, int64_t queue_length,
									  PadvThreadPoolForecast *forecast);

#endif							/* PADV_THREAD_POOL_H */
