/*
 * worker.h
 *		The background worker that samples the server.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_WORKER_H
#define PADV_WORKER_H

/* Register the worker with the postmaster; from _PG_init. */
extern void padv_worker_register(void);

#endif							/* PADV_WORKER_H */
