/*
 * proc_cpu.h
 *		How much the server's processes run, and wait for a core.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_PROCESSES_H
#define PADV_PROCESSES_H

#include "core/stats/load.h"

typedef struct PadvProcesses PadvProcesses;

/* In the current memory context. */
extern PadvProcesses *padv_processes_create(void);

/*
 * Read the next part of the processes, and write PADV_SERVER_RUN, PADV_SERVER_DELAY,
 * PADV_SESSIONS_RUN and PADV_SESSIONS_DELAY.  It comes round with every call where
 * there are up to 128 processes, and after ten calls at the latest.
 */
extern void padv_processes_read(PadvProcesses *processes, const char *root,
								PadvCounters *counters);

#endif							/* PADV_PROCESSES_H */
