/*
 * hardware_funcs.c
 *		SQL function with a row for each fact about the machine.
 *
 * Copies the published facts out, and leaves out the paths that the current user may
 * not see.  Never waits for the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "compat.h"
#include "settings.h"
#include "shmem/status_shmem.h"
#include "sql/rows.h"
#include "sql/server_status.h"
#include "sql/tables.h"

PG_FUNCTION_INFO_V1(pool_advisor_hardware);

/* Where facts go, one after another. */
typedef struct FactTeller
{
	PadvTellFact tell;
	void	   *arg;
} FactTeller;

/* A measured figure of the last minute; left out when it cannot be read. */
static void
add_figure_row(const FactTeller *teller, const char *fact, double value,
			   const char *unit, const char *source)
{
	if (value >= 0.0)
		teller->tell(teller->arg, fact, psprintf("%.3g%s", value, unit), source);
}

static void
add_load_rows(const FactTeller *teller, const PadvStatus *status)
{
	const PadvLoad *load = &status->load;

	teller->tell(teller->arg, "effective spindles",
				 psprintf("%.2f", status->model.effective_spindles),
				 psprintf("spindles: %lld; working time in reads that reach a disk: %.0f%%, which counts in steps of half a spindle or more",
						  (long long) status->model.spindles,
						  100.0 * status->model.disk_share));
	add_figure_row(teller, "CPU utilization", 100.0 * load->cpu_utilization, " %",
				   "/proc/stat of the CPUs allowed, or the cgroup's use of its quota; last minute");
	add_figure_row(teller, "CPU used by the server", load->server_cores, " cores",
				   "/proc/PID/schedstat and stat of the server's processes; last minute");
	add_figure_row(teller, "run-queue delay of the server", 100.0 * load->run_queue_ratio, " %",
				   "/proc/PID/schedstat of the server's processes, share of runnable time; last minute");
	add_figure_row(teller, "I/O wait of the machine", 100.0 * load->cpu_iowait, " %",
				   "/proc/stat of the CPUs allowed; last minute");
	add_figure_row(teller, "reads outstanding at the disks", load->disk_reads, "",
				   "/sys/block/*/stat of the disks that hold data; last minute");
	add_figure_row(teller, "CPU pressure", 100.0 * load->pressure_cpu, " %",
				   "/proc/pressure/cpu, some; last minute");
	add_figure_row(teller, "I/O pressure", 100.0 * load->pressure_io, " %",
				   "/proc/pressure/io, some; last minute");
}

/*
 * Whether the current user may see the path of the data directory, as for the setting
 * data_directory.
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

/* Emit a fact for a role that may not see directories. */
static void
add_facts_without_paths(const FactTeller *teller, const PadvFact *fact, const char *data_directory)
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
			add_facts_without_paths(&teller, &facts[i], data_directory);
	if (status->taken_at != 0)
		add_load_rows(&teller, status);
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
