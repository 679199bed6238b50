/*
 * processes.c
 *		How much the server's processes run, and wait for a core.
 *
 * Owns the sums of the kernel's scheduler figures over the server's processes.
 * Opening a file for each of a thousand processes takes milliseconds, so each
 * call reads a part of them only.  The worker calls it once a second.
 *
 * The pids come from the server's process table, a word each, read without a
 * lock; a process that ended meanwhile has no file and adds nothing.  What a
 * process used after its last reading is lost when it ends: at most ten
 * seconds of it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "compat.h"
#include "machine/machine.h"
#include "processes.h"

/* The processes are read in this many parts. */
#define PARTS 10

#define NANOSECONDS 1e9

/* Before the first look at a slot. */
#define UNSEEN (-1)

/* What was read of the process in a slot of the server's table. */
typedef struct Reading
{
	int			pid;			/* UNSEEN; 0: the slot was free */
	uint64		run_ns;
	uint64		delay_ns;
} Reading;

struct PadvProcesses
{
	int			slots;
	int			part;			/* the one to read next */
	double		run_seconds;	/* sums so far */
	double		delay_seconds;
	Reading		last[FLEXIBLE_ARRAY_MEMBER];
};

PadvProcesses *
padv_processes_create(void)
{
	int			slots = MaxBackends + NUM_AUXILIARY_PROCS;
	PadvProcesses *processes = palloc0(add_size(offsetof(PadvProcesses, last),
												mul_size(slots, sizeof(Reading))));

	processes->slots = slots;
	for (int i = 0; i < slots; i++)
		processes->last[i].pid = UNSEEN;
	return processes;
}

/*
 * Add what the process in a slot used since the last look.  One that was not
 * there then is new, so all it used counts.
 */
static void
read_slot(PadvProcesses *processes, int slot, const char *root)
{
	volatile PGPROC *proc = &ProcGlobal->allProcs[slot];
	Reading    *last = &processes->last[slot];
	Reading		now = {proc->pid, 0, 0};
	bool		unseen = last->pid == UNSEEN;
	Reading		since = {0, 0, 0};

	if (now.pid != 0 &&
		!padv_process_read_schedule(root, now.pid, &now.run_ns, &now.delay_ns))
		now.pid = 0;

	if (last->pid == now.pid && last->run_ns <= now.run_ns &&
		last->delay_ns <= now.delay_ns)
		since = *last;
	*last = now;
	if (unseen || now.pid == 0)
		return;
	processes->run_seconds += (double) (now.run_ns - since.run_ns) / NANOSECONDS;
	processes->delay_seconds += (double) (now.delay_ns - since.delay_ns) / NANOSECONDS;
}

void
padv_processes_read(PadvProcesses *processes, const char *root,
					PadvCounters *counters)
{
	uint64		run_ns,
				delay_ns;

	/* where our own file is not readable, no other is */
	if (!padv_process_read_schedule(root, MyProcPid, &run_ns, &delay_ns))
	{
		counters->value[PADV_SERVER_RUN] = -1.0;
		counters->value[PADV_SERVER_DELAY] = -1.0;
		return;
	}

	for (int slot = processes->part; slot < processes->slots; slot += PARTS)
		read_slot(processes, slot, root);
	processes->part = (processes->part + 1) % PARTS;

	counters->value[PADV_SERVER_RUN] = processes->run_seconds;
	counters->value[PADV_SERVER_DELAY] = processes->delay_seconds;
}
