/*
 * machine_internal.h
 *		Declarations that the files of machine/ share.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_MACHINE_INTERNAL_H
#define PADV_MACHINE_INTERNAL_H

#include "machine/files.h"

/* Bytes for the text of a fact. */
#define PADV_VALUE sizeof(((PadvFact *) 0)->value)
#define PADV_SOURCE sizeof(((PadvFact *) 0)->source)

/* What the control groups of this process allow. */
typedef struct PadvCgroup
{
	double		quota;			/* CPUs' worth of time; negative: no limit */
	char		quota_source[PADV_SOURCE];
	char		usage_file[PADV_USAGE_FILE];	/* CPU time of the group with
												 * the quota, or "" */
	PadvCpuSet	cpuset;			/* count 0: none known */
	char		cpuset_source[PADV_SOURCE];
} PadvCgroup;

extern void padv_read_cgroup(PadvCgroup *cgroup, const char *root);

/* Fill the fields about cores, and their facts. */
extern void padv_read_cores(PadvMachine *machine, const char *root,
							const PadvCgroup *cgroup);

/* Fill the fields about disks, and their facts. */
extern void padv_read_disks(PadvMachine *machine, const char *root,
							const char *data_directory);

/* Fill the fields about memory, and their facts. */
extern void padv_read_memory(PadvMachine *machine, const char *root);

/* Bytes for the path from a device down to its disks, in words. */
#define PADV_CHAIN 512

/*
 * Add the disks at the bottom of a device, given as "major:minor", to the
 * machine's list.  False, and no chain, when /sys does not know the device, or
 * no disk is under it.
 */
extern bool padv_add_device(PadvMachine *machine, const char *root,
							const char *number, bool holds_data,
							char chain[PADV_CHAIN]);

/*
 * The same for the devices that a directory in /sys names, which together are
 * what is called name.
 */
extern bool padv_add_members(PadvMachine *machine, const char *root,
							 const char *name, const char *directory,
							 bool holds_data, char chain[PADV_CHAIN]);

/* Find out which of the disks rotate, count spindles, and add their facts. */
extern void padv_examine_disks(PadvMachine *machine, const char *root);

/*
 * Add a fact; what cannot be printed is replaced, what is too long cut.  When
 * there is no room, it is counted as left out.
 */
extern void padv_add_fact(PadvMachine *machine, const char *fact,
						  const char *value, const char *source);

/* The same with the value made from a format. */
extern void padv_add_fact_value(PadvMachine *machine, const char *fact,
								const char *source, const char *format, ...)
			__attribute__((format(printf, 4, 5)));

/*
 * Copy a path, with dots for its middle when it is longer than size allows:
 * both ends tell more.  size is at least 8.
 */
extern void padv_shorten(char *to, size_t size, const char *path);

#endif							/* PADV_MACHINE_INTERNAL_H */
