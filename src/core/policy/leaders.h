/*
 * leaders.h
 *		The leaders of the parties that are linked at a quota.
 *
 * Only for core/policy/wait_queue.c, which says what a party is and holds its caller's
 * lock.  Nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LEADERS_H
#define PADV_LEADERS_H

#include "core/policy/wait_queue.h"

/* Link a leader that is linked at no quota; its rank and party are set. */
extern void padv_leaders_add(PadvWaitQueue *queue, PadvQuota *quota, int32_t number);

/* Unlink a leader from this quota. */
extern void padv_leaders_remove(PadvWaitQueue *queue, PadvQuota *quota, int32_t number);

#endif							/* PADV_LEADERS_H */
