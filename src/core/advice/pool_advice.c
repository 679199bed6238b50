/*
 * pool_advice.c
 *		Advice on declared pools.
 *
 * Owns the thresholds and the texts.  Pure.  Called by the SQL function of the view
 * advice.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/advice/pool_advice.h"

/*
 * Pools are rarely saturated at the same time, so some more connections are
 * harmless.  From this factor on they are probably a mistake.
 */
#define FAR_LARGER 2

#define WRITE(field, ...) snprintf(field, sizeof(field), __VA_ARGS__)

/*
 * The fix for the largest pool if each pool keeps its share.  The share is rounded
 * down, so that the sum is not exceeded.  The statement does not contain the name
 * of a pool, which can have line breaks.
 */
static void
write_pool_fix(PadvAdvice *advice, const PadvDeclared *declared)
{
	double		share = (double) declared->largest_connections / (double) declared->connections;

	share = fmax(floor(share * 1e4) / 1e4, 1e-4);
	WRITE(advice->fix, "SELECT setting, value FROM pool_advisor.client_config('%s', %lld, %.4g);",
		  declared->largest_system, (long long) declared->largest_processes, share);
}

int
padv_advise_pools(const PadvLocalStatus *local, const PadvDeclared *declared,
				  PadvAdvice advice[PADV_MAX_POOL_ADVICE])
{
	const PadvModel *model = &local->status.model;
	int64_t		usable = model->inputs.usable_connections;
	PadvAdvice *next;
	int			count = 0;

	/* nothing is known before the first sample */
	if (local->status.taken_at == 0)
		return 0;
	if (declared->connections > usable)
	{
		next = padv_advice_begin(&advice[count++], PADV_WARNING, "pools_exceed_connections", "pools");
		WRITE(next->finding,
			  "Declared pools: %lld; they may open %lld connections together, but ordinary roles can have %lld.",
			  (long long) declared->pools, (long long) declared->connections, (long long) usable);
		WRITE(next->recommendation,
			  "If all are at their maximum, some logins fail because there is no connection left. Make them smaller until they fit, the largest, \"%s\", first; the view budget shows the sum. The fix shows its settings if each pool keeps its share of %lld connections.",
			  declared->largest, (long long) padv_model_pool_or_optimal(model));
		padv_advice_conclude(next, model, PADV_CERTAIN, PADV_GAIN_NONE);
		write_pool_fix(next, declared);
	}
	if (model->pool_size > 0 &&
		(double) declared->connections > FAR_LARGER * (double) model->pool_size)
	{
		next = padv_advice_begin(&advice[count++], PADV_INFO, "pools_larger_than_helps", "pools");
		WRITE(next->finding,
			  "Declared pools: %lld; they may open %lld connections together, %.1f times the %lld that keep the optimum of %lld active.",
			  (long long) declared->pools, (long long) declared->connections,
			  (double) declared->connections / (double) model->pool_size,
			  (long long) model->pool_size, (long long) padv_model_chosen(model)->connections);
		WRITE(next->recommendation,
			  "More work waits inside the server instead of in the queues of the pools, and slows down what is executing. The fix shows the settings of the largest pool, \"%s\", if each pool keeps its share; use client_config() for the others.",
			  declared->largest);
		padv_advice_conclude(next, model, padv_advice_confidence(model), PADV_GAIN_BY_CURVE);
		write_pool_fix(next, declared);
	}
	return count;
}
