/*
 * leaders.h
 *		The leaders of parties that stand at an account of a line.
 *
 * For core/policy/wait_queue.c only, which says what a party is.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LEADERS_H
#define PADV_LEADERS_H

#include "core/policy/wait_queue.h"

/* One that stands at no account comes to this one; its rank and party are set. */
extern void padv_leaders_add(PadvWaitQueue *line, PadvQuota *account, int32_t number);

/* It stands there no more. */
extern void padv_leaders_remove(PadvWaitQueue *line, PadvQuota *account, int32_t number);

#endif							/* PADV_LEADERS_H */
