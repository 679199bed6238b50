/*
 * memory.c
 *		The amount of memory, and of page tables.
 *
 * Reads /proc/meminfo, which describes the whole machine, in a container, too.  A
 * smaller limit of the cgroup goes before it; page tables are then those of the cgroup.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/machine_internal.h"

#define MEMINFO "/proc/meminfo"
#define UNKNOWN (-1.0)

/* Read a size in bytes; the file has kB, independent of the page size. */
static double
read_size(const char *text, const char *key)
{
	uint64_t	kilobytes;
	const char *rest = padv_find_line(text, key);

	return rest != NULL && padv_parse_number(&rest, &kilobytes) ? (double) kilobytes * 1024.0 : UNKNOWN;
}

static void
add_size(PadvMachine *machine, const char *fact, double bytes, const char *source)
{
	if (bytes >= 0.0)
		padv_add_fact_value(machine, fact, source, "%.0f MB", bytes / 1048576.0);
}

/* The limit of the cgroup, where it is less than the machine has. */
static void
apply_limit(PadvMachine *machine, const PadvCgroup *cgroup)
{
	machine->memory = cgroup->memory;
	machine->page_tables = cgroup->page_tables;
	add_size(machine, "memory", machine->memory, cgroup->memory_source);
	add_size(machine, "page tables", machine->page_tables,
			 "memory.stat of the cgroup, pagetables; large ones call for huge pages");
}

void
padv_read_memory(PadvMachine *machine, const char *root, const PadvCgroup *cgroup)
{
	char		text[8192];

	if (padv_read_file(root, MEMINFO, text, sizeof(text)) < 0)
		text[0] = '\0';
	machine->memory = read_size(text, "MemTotal:");
	if (cgroup->memory >= 0.0 && (machine->memory < 0.0 || cgroup->memory < machine->memory))
	{
		apply_limit(machine, cgroup);
		return;
	}
	machine->page_tables = read_size(text, "PageTables:");
	add_size(machine, "memory", machine->memory, MEMINFO ", MemTotal");
	add_size(machine, "page tables", machine->page_tables,
			 MEMINFO ", PageTables: of all processes; large ones call for huge pages");
}
