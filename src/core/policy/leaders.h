/*
 * leaders.h
 *		The leaders of parties that stand at an quota of a queue.
 *
 * For core/policy/wait_queue.c only, which says what a party is.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LEADERS_H
#define PADV_LEADERS_H

#include "core/policy/wait_queue.h"

/* One that stands at no quota comes to this one; its rank and party are set. */
extern void padv_leaders_add(PadvWaitQueue *queue, PadvQuota *quota, int32_t number);

/* It stands there no more. */
extern void padv_leaders_remove(PadvWaitQueue *queue, PadvQuota *quota, int32_t number);

#endif							/* PADV_LEADERS_H */
