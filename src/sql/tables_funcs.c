/*
 * tables_funcs.c
 *		SQL functions with a row for each fact, wait event or role.
 *
 * Copies the published tables out and gives names to their numbers.  Never
 * waits for the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "settings.h"
#include "shmem/admission.h"
#include "shmem/limits_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/limit_usage.h"
#include "sql/rows.h"
#include "sql/server_status.h"
#include "sql/tables.h"

PG_FUNCTION_INFO_V1(pool_advisor_hardware);
PG_FUNCTION_INFO_V1(pool_advisor_waits);
PG_FUNCTION_INFO_V1(pool_advisor_roles);

/* What stands for the roles beyond the window's table. */
#define OTHER_ROLES "(other roles)"

/* Where facts go, one after another. */
typedef struct FactTeller
{
	PadvTellFact tell;
	void	   *arg;
} FactTeller;

/* A measured figure of the last minute; left out when it cannot be read. */
static void
tell_figure(const FactTeller *teller, const char *fact, double value,
			const char *unit, const char *source)
{
	if (value >= 0.0)
		teller->tell(teller->arg, fact, psprintf("%.3g%s", value, unit), source);
}

static void
tell_load(const FactTeller *teller, const PadvStatus *status)
{
	const PadvLoad *load = &status->load;

	teller->tell(teller->arg, "effective spindles",
				 psprintf("%.2f", status->model.effective_spindles),
				 psprintf("spindles: %lld; working time in reads that reach a disk: %.0f%%, which counts in steps of half a spindle or more",
						  (long long) status->model.spindles,
						  100.0 * status->model.disk_share));
	tell_figure(teller, "CPU utilization", 100.0 * load->cpu_utilization, " %",
				"/proc/stat of the CPUs allowed, or the cgroup's use of its quota; last minute");
	tell_figure(teller, "CPU used by the server", load->server_cores, " cores",
				"/proc/PID/schedstat and stat of the server's processes; last minute");
	tell_figure(teller, "run-queue delay of the server", 100.0 * load->run_queue_ratio, " %",
				"/proc/PID/schedstat of the server's processes, share of runnable time; last minute");
	tell_figure(teller, "I/O wait of the machine", 100.0 * load->cpu_iowait, " %",
				"/proc/stat of the CPUs allowed; last minute");
	tell_figure(teller, "reads outstanding at the disks", load->disk_reads, "",
				"/sys/block/*/stat of the disks that hold data; last minute");
	tell_figure(teller, "CPU pressure", 100.0 * load->pressure_cpu, " %",
				"/proc/pressure/cpu, some; last minute");
	tell_figure(teller, "I/O pressure", 100.0 * load->pressure_io, " %",
				"/proc/pressure/io, some; last minute");
}

/*
 * Whether the current user may know where the data directory is, as core has it
 * for the setting of that name.
 */
static bool
may_see_directories(void)
{
	return superuser() || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_SETTINGS);
}

/* What a fact about a directory calls it, when its path is not to be told. */
static const char *
directory_words(const char *fact)
{
	if (strcmp(fact, "data directory") == 0 || strcmp(fact, "WAL") == 0)
		return psprintf("the %s", fact);
	return strncmp(fact, "tablespace ", strlen("tablespace ")) == 0 ? "the tablespace" : NULL;
}

/* The text with what stands for a path wherever the path is. */
static const char *
without_path(const char *text, const char *path, const char *words)
{
	StringInfoData result;
	const char *at;

	if (path == NULL || path[0] == '\0' || strcmp(path, "/") == 0 || strstr(text, path) == NULL)
		return text;
	initStringInfo(&result);
	while ((at = strstr(text, path)) != NULL)
	{
		appendBinaryStringInfo(&result, text, at - text);
		appendStringInfoString(&result, words);
		text = at + strlen(path);
	}
	appendStringInfoString(&result, text);
	return result.data;
}

/* Words of machine/disks.c between the path of a directory and its mount point. */
#define IS_ON " is on "

/* The last place of these words, as a path may have them in it; or NULL. */
static const char *
last_place(const char *text, const char *words)
{
	const char *place = NULL;

	for (const char *next = strstr(text, words); next != NULL; next = strstr(next + 1, words))
		place = next;
	return place;
}

/*
 * The source of a fact about a directory: its path stands in front of the mount
 * point that it is below, and may be the mount point; or behind "stat(2) of".
 */
static const char *
hide_directory(const char *source, const char *words)
{
	const char *mount = last_place(source, IS_ON);
	const char *rest = last_place(source, " is not found in ");
	size_t		length = mount ? mount - source : 0;

	if (strncmp(source, "stat(2) of ", strlen("stat(2) of ")) == 0)
	{
		rest = last_place(source, ": device ");
		return psprintf("stat(2) of %s%s", words, rest ? rest : "");
	}
	if (mount != NULL && strncmp(mount + strlen(IS_ON), source, length) == 0 &&
		mount[strlen(IS_ON) + length] == ' ')
		return psprintf("%s is a mount of its own%s", words, mount + strlen(IS_ON) + length);
	if (mount == NULL)
		mount = rest;
	return mount ? psprintf("%s%s", words, mount) : words;
}

/* The data directory as its fact has it, with links resolved; or NULL. */
static char *
real_data_directory(const PadvFact *facts, int count)
{
	for (int i = 0; i < count; i++)
	{
		const char *end = last_place(facts[i].source, IS_ON);

		if (strcmp(facts[i].fact, "data directory") == 0 && end != NULL)
			return pnstrdup(facts[i].source, end - facts[i].source);
	}
	return NULL;
}

/* One fact, for a reader who may not know where directories are. */
static void
tell_without_paths(const FactTeller *teller, const PadvFact *fact, const char *data_directory)
{
	const char *words = directory_words(fact->fact);
	const char *source = words ? hide_directory(fact->source, words) : fact->source;

	source = without_path(source, data_directory, "the data directory");
	source = without_path(source, DataDir, "the data directory");
	source = without_path(source, padv_system_root, "");
	teller->tell(teller->arg, fact->fact, fact->value, source);
}

/*
 * The machine as found, then what it is doing.
 */
void
padv_tell_hardware(const PadvStatus *status, PadvTellFact tell, void *arg)
{
	const FactTeller teller = {tell, arg};
	PadvFact   *facts;
	int			count = padv_status_copy_facts(&facts);
	char	   *data_directory = real_data_directory(facts, count);
	bool		paths_too = may_see_directories();

	for (int i = 0; i < count; i++)
		if (paths_too)
			tell(arg, facts[i].fact, facts[i].value, facts[i].source);
		else
			tell_without_paths(&teller, &facts[i], data_directory);
	if (status->taken_at != 0)
		tell_load(&teller, status);
}

static void
store_fact(void *arg, const char *fact, const char *value, const char *source)
{
	PadvRow		row = {0};

	padv_row_text(&row, fact);
	padv_row_text(&row, value);
	padv_row_text(&row, source);
	padv_row_store(&row, (FunctionCallInfo) arg);
}

/*
 * A row for each fact.
 */
Datum
pool_advisor_hardware(PG_FUNCTION_ARGS)
{
	PadvStatus	status;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_status_copy(&status);
	padv_tell_hardware(&status, store_fact, fcinfo);
	return (Datum) 0;
}

static void
add_event_names(PadvRow *row, uint32 wait_event)
{
	const char *type = "CPU";
	const char *event = "CPU";

	if (wait_event == PADV_OTHER_EVENTS)
		type = event = "Other";
	else if (wait_event != 0)
	{
		type = pgstat_get_wait_event_type(wait_event);
		event = pgstat_get_wait_event(wait_event);
	}
	padv_row_text(row, type ? type : "???");
	padv_row_text(row, event ? event : "unknown wait event");
}

/*
 * Where the time went: a row for each period and event with anything in it.
 */
Datum
pool_advisor_waits(PG_FUNCTION_ARGS)
{
	static const char *const periods[PADV_PERIODS] = {"10 s", "1 min", "10 min", "1 h"};
	PadvEventRow *events;
	PadvRow		row = {0};
	int			count;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	count = padv_status_copy_events(&events);

	for (int period = 0; period < PADV_PERIODS; period++)
	{
		for (int i = 0; i < count; i++)
		{
			double		active = events[i].active_avg[period];
			double		parallel = events[i].parallel_avg[period];

			if (active == 0.0 && parallel == 0.0)
				continue;
			padv_row_text(&row, periods[period]);
			add_event_names(&row, events[i].wait_event);
			padv_row_float(&row, active);
			padv_row_float(&row, parallel);
			padv_row_store(&row, fcinfo);
		}
	}
	return (Datum) 0;
}

const char *
padv_role_row_name(const PadvRoleRow *role)
{
	return role->role == InvalidOid ? OTHER_ROLES : padv_role_name(role->role);
}

static void
store_role(void *arg, const PadvRoleRow *role, const PadvRoleCounters *counters,
		   const PadvLimits *limits)
{
	FunctionCallInfo fcinfo = arg;
	PadvRow		row = {0};
	NameData	name;

	namestrcpy(&name, padv_role_row_name(role));
	padv_row_add(&row, NameGetDatum(&name), false);
	padv_row_int(&row, role->sessions);
	padv_row_int(&row, role->active);
	padv_row_int(&row, role->idle);
	padv_row_int(&row, role->idle_in_transaction);
	padv_row_int(&row, role->queued + counters->waiting);
	padv_row_float(&row, role->active_avg);
	padv_row_int(&row, padv_role_limit(limits, role->role, PADV_MAX_SESSIONS));
	padv_row_int(&row, padv_role_limit(limits, role->role, PADV_MAX_ACTIVE));
	padv_row_int(&row, counters->count[PADV_ROLE_REFUSED]);
	padv_row_int(&row, counters->count[PADV_ROLE_QUEUED]);
	padv_row_int(&row, counters->count[PADV_ROLE_TIMED_OUT]);
	padv_row_int(&row, counters->count[PADV_ROLE_WOULD_REFUSE]);
	padv_row_int(&row, counters->count[PADV_ROLE_CLOSED_IDLE]);
	padv_row_float(&row, (double) counters->count[PADV_ROLE_QUEUE_WAIT_US] / 1e6);
	padv_row_int(&row, counters->count[PADV_ROLE_XACTS_QUEUED]);
	padv_row_float(&row, (double) counters->count[PADV_ROLE_XACT_WAIT_US] / 1e6);
	padv_row_store(&row, fcinfo);
}

/*
 * Each role that has a session, or had an active one in the last minute, or has
 * been refused, queued or closed.
 */
void
padv_tell_roles(PadvTellRole tell, void *arg)
{
	static const PadvRoleCounters nothing = {0};
	PadvRoleRow *roles;
	PadvRoleCounters *counters;
	PadvLimits *limits;
	int			nroles;
	int			ncounters;

	nroles = padv_status_copy_roles(&roles);
	ncounters = padv_admission_copy_counters(&counters);
	limits = padv_limits_shmem_copy(NULL);

	for (int i = 0; i < nroles; i++)
	{
		PadvRoleCounters *mine = padv_role_counters_find(counters, ncounters, roles[i].role);

		tell(arg, &roles[i], mine ? mine : &nothing, limits);
		if (mine)
			*mine = (PadvRoleCounters) {.role = mine->role}; /* told */
	}
	for (int i = 0; i < ncounters; i++)
	{
		PadvRoleRow absent = {.role = counters[i].role};

		if (padv_has_counted(&counters[i]))
			tell(arg, &absent, &counters[i], limits);
	}
}

/*
 * A row for each of them.
 */
Datum
pool_advisor_roles(PG_FUNCTION_ARGS)
{
	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	padv_tell_roles(store_role, fcinfo);
	return (Datum) 0;
}
