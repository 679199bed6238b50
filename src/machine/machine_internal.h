/*
 * machine_internal.h
 *		Declarations that the files of machine/ share.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_MACHINE_INTERNAL_H
#define PADV_MACHINE_INTERNAL_H

#include "machine/files.h"

/* The sizes of the strings of a fact. */
#define PADV_VALUE sizeof(((PadvFact *) 0)->value)
#define PADV_SOURCE sizeof(((PadvFact *) 0)->source)

/* The limits of the cgroups of this process. */
typedef struct PadvCgroup
{
	double		quota;			/* in CPUs; negative: no limit */
	char		quota_source[PADV_SOURCE];
	char		usage_file[PADV_USAGE_FILE];	/* CPU time of the cgroup with
												 * the quota, or "" */
	PadvCpuSet	cpuset;			/* count 0: not known */
	char		cpuset_source[PADV_SOURCE];
	double		memory;			/* bytes that it may use; negative: no limit */
	char		memory_source[PADV_SOURCE];
	double		page_tables;	/* bytes, in the cgroup with the limit;
								 * negative: not known */
} PadvCgroup;

extern void padv_read_cgroup(PadvCgroup *cgroup, const char *root);

/* Set the fields about cores, and add their facts. */
extern void padv_read_cores(PadvMachine *machine, const char *root,
							const PadvCgroup *cgroup);

/* Set the fields about disks, and add their facts. */
extern void padv_read_disks(PadvMachine *machine, const char *root,
							const char *data_directory);

/* Set the fields about memory, and add their facts. */
extern void padv_read_memory(PadvMachine *machine, const char *root,
							 const PadvCgroup *cgroup);

/* The size of a text that describes a device and its disks. */
#define PADV_CHAIN 512

/*
 * Find a block device, given as "major:minor", in /sys/dev/block, or by name: some containers
 * hide the former.  Returns false if it is in neither.
 */
extern bool padv_find_device(const char *root, const char *number,
							 char device[PADV_PATH]);

/*
 * Add the disks below a device, given as "major:minor".  Returns false, with an
 * empty chain, if the device is not in /sys or has no disks.
 */
extern bool padv_add_device(PadvMachine *machine, const char *root,
							const char *number, bool holds_data,
							char chain[PADV_CHAIN]);

/*
 * Add the disks below all devices in a directory of /sys, which together form the
 * device called name.
 */
extern bool padv_add_members(PadvMachine *machine, const char *root,
							 const char *name, const char *directory,
							 bool holds_data, char chain[PADV_CHAIN]);

/* Detect which disks rotate, count spindles, and add their facts. */
extern void padv_examine_disks(PadvMachine *machine, const char *root);

/*
 * Add a fact.  Unprintable characters are replaced, and long strings truncated.  If
 * there is no room, it is counted as left out.
 */
extern void padv_add_fact(PadvMachine *machine, const char *fact,
						  const char *value, const char *source);

/* Add a fact with a formatted value. */
extern void padv_add_fact_value(PadvMachine *machine, const char *fact,
								const char *source, const char *format, ...)
			__attribute__((format(printf, 4, 5)));

/* Copy a path; if it is too long, dots replace its middle.  size is at least 8. */
extern void padv_shorten(char *to, size_t size, const char *path);

#endif							/* PADV_MACHINE_INTERNAL_H */
