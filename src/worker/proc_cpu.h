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

/* In the current memory context. */
extern PadvProcCpu *padv_proc_cpu_create(void);

/*
 * Read the next part of the processes, and write PADV_SERVER_RUN, PADV_SERVER_DELAY,
 * PADV_SESSIONS_RUN and PADV_SESSIONS_DELAY.  It comes round with every call where
 * there are up to 128 processes, and after ten calls at the latest.
 */
extern void padv_proc_cpu_read(PadvProcCpu *processes, const char *root,
							   PadvCounters *counters);

#endif							/* PADV_PROC_CPU_H */
