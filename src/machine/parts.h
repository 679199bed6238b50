/*
 * parts.h
 *		What the files of this room offer each other.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_PARTS_H
#define PADV_PARTS_H

#include "machine/files.h"

/* What the control groups of this process allow. */
typedef struct PadvCgroup
{
	double		quota;			/* CPUs' worth of time; negative: no limit */
	char		quota_source[192];
	char		usage_file[256];	/* CPU time of the group with the quota */
	PadvCpuSet	cpuset;			/* count 0: none known */
	char		cpuset_source[192];
} PadvCgroup;

extern void padv_read_cgroup(PadvCgroup *cgroup, const char *root);

/* Fill the fields about cores, and their facts. */
extern void padv_read_cores(PadvMachine *machine, const char *root,
							const PadvCgroup *cgroup);

/* Fill the fields about disks, and their facts. */
extern void padv_read_disks(PadvMachine *machine, const char *root,
							const char *data_directory);

/* Add a fact; what cannot be printed is replaced, what is too long cut. */
extern void padv_add_fact(PadvMachine *machine, const char *fact,
						  const char *value, const char *source);

/* The same with the value, or the source, made from a format. */
extern void padv_add_fact_value(PadvMachine *machine, const char *fact,
								const char *source, const char *format,...)
			__attribute__((format(printf, 4, 5)));

#endif							/* PADV_PARTS_H */
