/*
 * overseer.h
 *		The worker's part in the line for turns.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_OVERSEER_H
#define PADV_OVERSEER_H

#include "postgres.h"

typedef struct PadvOverseer PadvOverseer;

/* In the current memory context. */
extern PadvOverseer *padv_overseer_create(void);

/*
 * See to it that who waits is not kept waiting by sessions that do nothing.
 * Costs nothing while nobody waits.  Takes the spinlock of admission for
 * moments; allocates nothing.
 */
extern void padv_overseer_run(PadvOverseer *overseer, int64 now);

/* Whether it is to run every few milliseconds; else every now and then will do. */
extern bool padv_overseer_has_work(const PadvOverseer *overseer);

/* For how many microseconds somebody has waited, since it was created. */
extern int64 padv_overseer_waited_us(const PadvOverseer *overseer);

#endif							/* PADV_OVERSEER_H */
