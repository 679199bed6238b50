/*
 * proc_cpu.c
 *		How much the server's processes run, and wait for a core.
 *
 * Owns the sums of the kernel's scheduler figures over the server's processes.  To open
 * a file for each of a thousand processes takes milliseconds.  So each call reads at most
 * FILES_A_CALL, or a tenth of them.  The worker calls it once a second.
 *
 * The pids come from the PGPROC array, one word each, read without a lock.  A process that
 * has ended meanwhile has no file and adds nothing.  What a process used after its last
 * reading is lost when it ends: at most ten seconds, or one second with no more than
 * FILES_A_CALL processes.  While sessions live briefly, the core makes no wait ratio of it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "compat.h"
#include "machine/machine.h"
#include "worker/proc_cpu.h"

/* The files of a process take about ten microseconds. */
#define FILES_A_CALL 128

#define NANOSECONDS 1e9

/* The entry has not been read yet. */
#define UNSEEN (-1)

/* The last reading of the process in an entry of the PGPROC array. */
typedef struct CpuReading
{
	int			pid;			/* UNSEEN; 0: the entry was free */
	uint64		run_ns;
	uint64		delay_ns;
} CpuReading;

/* CpuSums so far. */
typedef struct CpuSums
{
	double		run_seconds;
	double		delay_seconds;
} CpuSums;

struct PadvProcCpu
{
	int			slots;
	int			next;			/* the entry to read next */
	int			found;			/* processes found in this round so far */
	int			in_use;			/* processes found in the round before */
	CpuSums		server;
	CpuSums		sessions;		/* the part of client sessions, and of I/O
								 * workers */
	CpuReading	last[FLEXIBLE_ARRAY_MEMBER];
};

PadvProcCpu *
padv_proc_cpu_create(void)
{
	int			slots = MaxBackends + NUM_AUXILIARY_PROCS;
	PadvProcCpu *processes = palloc0(add_size(offsetof(PadvProcCpu, last),
											  mul_size(slots, sizeof(CpuReading))));

	processes->slots = slots;
	for (int i = 0; i < slots; i++)
		processes->last[i].pid = UNSEEN;
	return processes;
}

/*
 * The first entries of the PGPROC array are for clients.  I/O workers do the work of
 * sessions, so that their time counts for these: what they copy from the cache of the
 * operating system would be taken for time in which sessions sleep.
 */
static bool
works_for_clients(int slot)
{
	return slot < MaxConnections ||
		(slot >= MaxBackends && slot < MaxBackends + PADV_IO_WORKER_ENTRIES &&
		 padv_is_io_worker((volatile PgBackendStatus *) MyBEEntry - padv_my_status_index() + slot));
}

static void
add_process_time(CpuSums *sums, const CpuReading *from, const CpuReading *to)
{
	sums->run_seconds += (double) (to->run_ns - from->run_ns) / NANOSECONDS;
	sums->delay_seconds += (double) (to->delay_ns - from->delay_ns) / NANOSECONDS;
}

/*
 * Add what the process in an entry has used since its last reading.  All of a new process
 * counts.  False when there is no process.
 */
static bool
read_proc_entry(PadvProcCpu *processes, int slot, const char *root)
{
	volatile PGPROC *proc = &ProcGlobal->allProcs[slot];
	CpuReading *last = &processes->last[slot];
	CpuReading	now = {padv_proc_pid(proc), 0, 0};
	bool		unseen = last->pid == UNSEEN;
	CpuReading	since = {0, 0, 0};

	if (now.pid != 0 &&
		!padv_process_read_schedule(root, now.pid, &now.run_ns, &now.delay_ns))
		now.pid = 0;
	if (now.delay_ns == PADV_DELAY_UNKNOWN)
		now.delay_ns = 0;

	if (last->pid == now.pid && last->run_ns <= now.run_ns &&
		last->delay_ns <= now.delay_ns)
		since = *last;
	*last = now;
	if (now.pid == 0)
		return false;
	if (!unseen)
	{
		add_process_time(&processes->server, &since, &now);
		if (works_for_clients(slot))
			add_process_time(&processes->sessions, &since, &now);
	}
	return true;
}

/* Read the share of one call, from where the last call ended. */
static void
read_proc_part(PadvProcCpu *processes, const char *root)
{
	int			files = Max(FILES_A_CALL, (processes->in_use + PADV_PROC_CPU_CALLS - 1) / PADV_PROC_CPU_CALLS);

	while (files > 0 && processes->next < processes->slots)
	{
		if (read_proc_entry(processes, processes->next++, root))
		{
			files--;
			processes->found++;
		}
	}
	if (processes->next == processes->slots)
	{
		processes->in_use = processes->found;
		processes->found = 0;
		processes->next = 0;
	}
}

void
padv_proc_cpu_read(PadvProcCpu *processes, const char *root,
				   PadvCounters *counters)
{
	uint64		run_ns,
				delay_ns;
	bool		known = padv_process_read_schedule(root, MyProcPid, &run_ns, &delay_ns);

	bool		delay_known = known && delay_ns != PADV_DELAY_UNKNOWN;

	/* if our own file is not readable, no other is */
	if (known)
		read_proc_part(processes, root);
	counters->value[PADV_SERVER_RUN] = known ? processes->server.run_seconds : -1.0;
	counters->value[PADV_SERVER_DELAY] = delay_known ? processes->server.delay_seconds : -1.0;
	counters->value[PADV_SESSIONS_RUN] = known ? processes->sessions.run_seconds : -1.0;
	counters->value[PADV_SESSIONS_DELAY] = delay_known ? processes->sessions.delay_seconds : -1.0;
}
