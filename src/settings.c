/*
 * settings.c
 *		Every setting: its bounds, its unit and its words.
 *
 * Owns the variables and nothing else; other rooms read them.  Called once
 * from _PG_init.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "utils/guc.h"

#include "compat.h"
#include "settings.h"

#define PREFIX "pool_advisor"

int			padv_sample_interval = 100;
double		padv_connections_per_core = 2.0;
double		padv_cores = PADV_DETECT;
int			padv_spindles = PADV_DETECT;
int			padv_optimal = 0;
char	   *padv_system_root = NULL;

/* PADV_DETECT or a positive number; nothing can run on no core. */
static bool
check_cores(double *newval, void **extra pg_attribute_unused(),
			GucSource source pg_attribute_unused())
{
	if (*newval == PADV_DETECT || *newval > 0.0)
		return true;
	GUC_check_errdetail("\"%s.cores\" must be greater than 0, or -1 to detect them.",
						PREFIX);
	return false;
}

/* The root is joined with paths that start with a slash. */
static bool
check_system_root(char **newval, void **extra pg_attribute_unused(),
				  GucSource source pg_attribute_unused())
{
	size_t		length = strlen(*newval);

	if (length > 0 && !is_absolute_path(*newval))
	{
		GUC_check_errdetail("\"%s.system_root\" must be an absolute path or empty.",
							PREFIX);
		return false;
	}
	while (length > 0 && (*newval)[length - 1] == '/')
		(*newval)[--length] = '\0';
	return true;
}

void
padv_define_settings(void)
{
	DefineCustomIntVariable(PREFIX ".sample_interval",
							"Sets the time between two samples of all sessions.",
							NULL,
							&padv_sample_interval,
							100, 1, 10000,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomRealVariable(PREFIX ".connections_per_core",
							 "Sets how many active connections the formula counts for each core.",
							 NULL,
							 &padv_connections_per_core,
							 2.0, 0.1, 100.0,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);

	DefineCustomRealVariable(PREFIX ".cores",
							 "Sets how many cores the server may use.",
							 "-1 detects them: physical cores inside affinity, cpuset and cgroup quota.",
							 &padv_cores,
							 PADV_DETECT, PADV_DETECT, 65536.0,
							 PGC_SIGHUP, 0,
							 check_cores, NULL, NULL);

	DefineCustomIntVariable(PREFIX ".spindles",
							"Sets how many rotating disks hold the data.",
							"-1 detects them.",
							&padv_spindles,
							PADV_DETECT, PADV_DETECT, 65536,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable(PREFIX ".optimal",
							"Sets the optimal number of active connections.",
							"0 computes it.",
							&padv_optimal,
							0, 0, MAX_BACKENDS,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomStringVariable(PREFIX ".system_root",
							   "Sets the directory below which /proc and /sys are read.",
							   "Empty is the machine's own; in a container it can be where the host's are mounted.",
							   &padv_system_root,
							   "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_system_root, NULL, NULL);

	MarkGUCPrefixReserved(PREFIX);
}
