/*
 * proc_cpu.h
 *		How much the server's processes run, and wait for a core.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_PROC_CPU_H
#define PADV_PROC_CPU_H

#include "core/stats/load.h"

typedef struct PadvProcCpu PadvProcCpu;

/* All processes have been read after this many calls at the latest. */
#define PADV_PROC_CPU_CALLS 10

/* Allocate the state in the current memory context. */
extern PadvProcCpu *padv_proc_cpu_create(void);

/*
 * Read the next part of the processes below `root`, and write PADV_SERVER_RUN,
 * PADV_SERVER_DELAY, PADV_SESSIONS_RUN and PADV_SESSIONS_DELAY, in seconds.  Up to 128
 * processes are read in one call; all have been read after ten calls.  Takes no lock,
 * allocates nothing, does not raise.
 */
extern void padv_proc_cpu_read(PadvProcCpu *processes, const char *root,
							   PadvCounters *counters);

#endif							/* PADV_PROC_CPU_H */
