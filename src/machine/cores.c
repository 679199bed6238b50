/*
 * cores.c
 *		The number of cores that the server can use.
 *
 * Owns the step from logical CPUs to physical cores, and how affinity mask, cpuset
 * and quota reduce them.  Where /sys and /proc have no information, sysconf(3) is
 * used, and the facts say so.  cgroup.c reads the cgroups.  Called by machine.c.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifdef __linux__
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* sched_getaffinity */
#endif
#include <sched.h>
#endif

#include "machine/machine_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPU_DIRECTORY "/sys/devices/system/cpu"
#define ONLINE_FILE CPU_DIRECTORY "/online"
#define STATUS_FILE "/proc/self/status"
#define CPUINFO_FILE "/proc/cpuinfo"

/* The physical core of each CPU, as the number of the first CPU of the core. */
typedef struct Topology
{
	const char *source;
	int16_t		core[PADV_MAX_CPUS];	/* only for the CPUs asked for */
} Topology;

/* Get the CPUs from sysconf(3); there is at least one. */
static void
read_sysconf(PadvCpuSet *cpus)
{
	long		count = sysconf(_SC_NPROCESSORS_ONLN);

	memset(cpus, 0, sizeof(*cpus));
	for (int cpu = 0; cpu < (count < 1 ? 1 : count) && cpu < PADV_MAX_CPUS; cpu++)
		padv_add_cpu(cpus, cpu);
}

#ifdef __linux__
static bool
read_affinity(PadvCpuSet *cpus)
{
	cpu_set_t	set;

	memset(cpus, 0, sizeof(*cpus));
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return false;
	for (int cpu = 0; cpu < CPU_SETSIZE && cpu < PADV_MAX_CPUS; cpu++)
	{
		if (CPU_ISSET(cpu, &set))
			padv_add_cpu(cpus, cpu);
	}
	return cpus->count > 0;
}
#else
static bool
read_affinity(PadvCpuSet *cpus)
{
	memset(cpus, 0, sizeof(*cpus));
	return false;
}
#endif

/* Get the affinity mask.  Returns its source, or NULL if it is not known. */
static const char *
find_affinity(const char *root, PadvCpuSet *affinity)
{
	char	   *status = padv_read_whole(root, STATUS_FILE);
	const char *list = status ? padv_find_line(status, "Cpus_allowed_list:") : NULL;
	bool		found = list != NULL && padv_parse_cpus(list, affinity);

	free(status);
	if (found)
		return "Cpus_allowed_list in " STATUS_FILE;

	/* with another root, our own affinity mask would be wrong */
	if (root[0] == '\0' && read_affinity(affinity))
		return "sched_getaffinity(2)";
	memset(affinity, 0, sizeof(*affinity));
	return NULL;
}

/* Keep CPUs that are in both sets, unless there are none. */
static bool
narrow_to_set(PadvCpuSet *cpus, const PadvCpuSet *by)
{
	PadvCpuSet	both = *cpus;

	padv_intersect_cpus(&both, by);
	if (both.count > 0)
		*cpus = both;
	return both.count > 0;
}

/* Get the online CPUs.  affinity can be empty. */
static const char *
find_online(const char *root, const PadvCpuSet *affinity, PadvCpuSet *online)
{
	char		list[4096];
	PadvCpuSet	both = *affinity;

	if (padv_read_file(root, ONLINE_FILE, list, sizeof(list)) > 0 &&
		padv_parse_cpus(list, online))
		return ONLINE_FILE;

	/* sysconf knows the number of CPUs, not which ones */
	read_sysconf(online);
	padv_intersect_cpus(&both, online);
	if (both.count == affinity->count)
		return "sysconf(_SC_NPROCESSORS_ONLN)";
	*online = *affinity;
	return "those in affinity, as " ONLINE_FILE " is not readable";
}

/*
 * The first CPU of the core of this CPU; -1 if not known.  core_cpus_list is the
 * newer name of thread_siblings_list.
 */
static int
first_sibling(const char *root, int cpu)
{
	static const char *const files[] = {"core_cpus_list", "thread_siblings_list"};

	for (int i = 0; i < 2; i++)
	{
		char		path[PADV_PATH];
		char		list[1024];
		PadvCpuSet	siblings;

		snprintf(path, sizeof(path), CPU_DIRECTORY "/cpu%d/topology/%s", cpu, files[i]);
		if (padv_read_file(root, path, list, sizeof(list)) <= 0 ||
			!padv_parse_cpus(list, &siblings))
			continue;
		for (int sibling = 0; sibling < PADV_MAX_CPUS; sibling++)
		{
			if (padv_cpu_in(&siblings, sibling))
				return sibling;
		}
	}
	return -1;
}

static bool
read_siblings(const char *root, const PadvCpuSet *cpus, Topology *topology)
{
	for (int cpu = 0; cpu < PADV_MAX_CPUS; cpu++)
	{
		int			first;

		if (!padv_cpu_in(cpus, cpu))
			continue;
		first = first_sibling(root, cpu);
		if (first < 0)
			return false;
		topology->core[cpu] = (int16_t) first;
	}
	topology->source = CPU_DIRECTORY "/cpu*/topology, CPUs of one core counted once";
	return true;
}

/*
 * Parse the number after a key in a line of cpuinfo.  Returns false if the line has
 * another key.
 */
static bool
cpuinfo_number(const char *line, const char *key, uint64_t *number)
{
	size_t		length = strlen(key);

	if (strncmp(line, key, length) != 0)
		return false;
	line += length;
	line += strspn(line, "\t ");
	if (*line != ':')
		return false;
	line++;
	return padv_parse_number(&line, number) && *number < UINT32_MAX;
}

/*
 * Parse cpuinfo, which has a paragraph for each CPU with its socket and core.  The
 * place combines both; 0 means none.
 */
static void
parse_cpuinfo(const char *text, uint64_t places[PADV_MAX_CPUS])
{
	uint64_t	cpu = PADV_MAX_CPUS;
	uint64_t	socket = 0;
	uint64_t	core;

	for (const char *line = text; line != NULL && *line != '\0';)
	{
		const char *end = strchr(line, '\n');

		if (cpuinfo_number(line, "processor", &cpu))
			socket = 0;
		else if (!cpuinfo_number(line, "physical id", &socket) &&
				 cpuinfo_number(line, "core id", &core) && cpu < PADV_MAX_CPUS)
			places[cpu] = (socket << 32 | core) + 1;
		line = end ? end + 1 : NULL;
	}
}

static bool
read_cpuinfo(const char *root, const PadvCpuSet *cpus, Topology *topology)
{
	uint64_t   *places = calloc(PADV_MAX_CPUS, sizeof(uint64_t));
	char	   *text = padv_read_whole(root, CPUINFO_FILE);
	bool		known = places != NULL && text != NULL;

	if (known)
		parse_cpuinfo(text, places);
	for (int cpu = 0; known && cpu < PADV_MAX_CPUS; cpu++)
	{
		int			first = 0;

		if (!padv_cpu_in(cpus, cpu))
			continue;
		while (places[first] != places[cpu])
			first++;
		topology->core[cpu] = (int16_t) first;
		known = places[cpu] != 0;
	}
	free(text);
	free(places);
	topology->source = "physical id and core id in " CPUINFO_FILE;
	return known;
}

static void
read_topology(const char *root, const PadvCpuSet *cpus, Topology *topology)
{
	if (read_siblings(root, cpus, topology) || read_cpuinfo(root, cpus, topology))
		return;
	for (int cpu = 0; cpu < PADV_MAX_CPUS; cpu++)
		topology->core[cpu] = (int16_t) cpu;
	topology->source = "no topology is readable, so each CPU counts as a core";
}

static int
count_cores(const Topology *topology, const PadvCpuSet *cpus)
{
	PadvCpuSet	cores = {0};

	for (int cpu = 0; cpu < PADV_MAX_CPUS; cpu++)
	{
		if (padv_cpu_in(cpus, cpu))
			padv_add_cpu(&cores, topology->core[cpu]);
	}
	return cores.count;
}

/* Add a fact like "5 (0-3,8)". */
static void
add_cpus_fact(PadvMachine *machine, const char *fact, const PadvCpuSet *cpus,
			  const char *source)
{
	char		text[PADV_VALUE];
	size_t		length = (size_t) snprintf(text, sizeof(text), "%d (", cpus->count);
	const char *comma = "";

	for (int cpu = 0; cpu < PADV_MAX_CPUS; cpu++)
	{
		int			last = cpu;

		if (!padv_cpu_in(cpus, cpu))
			continue;
		while (last + 1 < PADV_MAX_CPUS && padv_cpu_in(cpus, last + 1))
			last++;

		/* leave room for ",4094-4095", or for ",..." at the end */
		if (length + 16 > sizeof(text))
		{
			length += (size_t) snprintf(text + length, sizeof(text) - length, ",...");
			break;
		}
		length += (size_t) snprintf(text + length, sizeof(text) - length, "%s%d", comma, cpu);
		if (last > cpu)
			length += (size_t) snprintf(text + length, sizeof(text) - length, "-%d", last);
		comma = ",";
		cpu = last;
	}
	snprintf(text + length, sizeof(text) - length, ")");
	padv_add_fact(machine, fact, text, source);
}

/* Format a quota, like "1.5 CPUs". */
static void
print_quota(char *text, size_t size, double quota)
{
	snprintf(text, size, "%.6g CPU%s", quota, quota == 1.0 ? "" : "s");
}

/* Compute the usable cores: the smaller of physical cores and quota. */
static void
grant_cores(PadvMachine *machine, const PadvCgroup *cgroup)
{
	char		source[PADV_SOURCE];
	char		quota[32];

	machine->quota = cgroup->quota;
	machine->cores = machine->allowed_cores;
	memcpy(machine->cgroup_usage_file, cgroup->usage_file, sizeof(machine->cgroup_usage_file));
	if (cgroup->quota < 0.0)
	{
		padv_add_fact(machine, "CPU quota", "none", "no cgroup of this process limits CPU time");
		snprintf(source, sizeof(source), "%d physical core%s allowed, and no quota",
				 machine->allowed_cores, machine->allowed_cores == 1 ? "" : "s");
	}
	else
	{
		print_quota(quota, sizeof(quota), cgroup->quota);
		padv_add_fact(machine, "CPU quota", quota, cgroup->quota_source);
		snprintf(source, sizeof(source), "the smaller of %d physical core%s allowed and the quota of %s",
				 machine->allowed_cores, machine->allowed_cores == 1 ? "" : "s", quota);
		if (cgroup->quota < machine->cores)
			machine->cores = cgroup->quota;
	}
	padv_add_fact_value(machine, "cores granted", source, "%.6g", machine->cores);
}

/*
 * Reduce the allowed CPUs by a set, and add a fact.  A set without any allowed CPU
 * has other numbers, as in a container that shows its own CPUs, so it is ignored.
 */
static void
apply_set(PadvMachine *machine, PadvCpuSet *allowed, const PadvCpuSet *online,
		  const char *fact, const PadvCpuSet *set, const char *source)
{
	PadvCpuSet	shown = *set;
	char		text[PADV_SOURCE];

	if (narrow_to_set(allowed, set))
	{
		/* a set can contain offline CPUs */
		(void) narrow_to_set(&shown, online);
		add_cpus_fact(machine, fact, &shown, source);
		return;
	}
	snprintf(text, sizeof(text), "%.140s; not applied, as no CPU would be left", source);
	add_cpus_fact(machine, fact, set, text);
}

void
padv_read_cores(PadvMachine *machine, const char *root, const PadvCgroup *cgroup)
{
	PadvCpuSet	online,
				allowed,
				affinity;
	Topology	topology;
	const char *affinity_source = find_affinity(root, &affinity);
	const char *online_source = find_online(root, &affinity, &online);

	read_topology(root, &online, &topology);
	machine->logical_cpus = online.count;
	machine->physical_cores = count_cores(&topology, &online);
	add_cpus_fact(machine, "logical CPUs", &online, online_source);
	padv_add_fact_value(machine, "physical cores", topology.source, "%d",
						machine->physical_cores);

	allowed = online;
	if (affinity_source != NULL)
		apply_set(machine, &allowed, &online, "CPUs in affinity", &affinity, affinity_source);
	else
		padv_add_fact(machine, "CPUs in affinity", "all", STATUS_FILE " is not readable");
	if (cgroup->cpuset.count > 0)
		apply_set(machine, &allowed, &online, "CPUs in cpuset", &cgroup->cpuset,
				  cgroup->cpuset_source);
	else
		padv_add_fact(machine, "CPUs in cpuset", "all", "no cgroup of this process names CPUs");

	machine->allowed_cpus = allowed.count;
	machine->allowed_cores = count_cores(&topology, &allowed);
	memcpy(machine->cpu_allowed, allowed.map, sizeof(machine->cpu_allowed));
	padv_add_fact_value(machine, "physical cores allowed", topology.source, "%d",
						machine->allowed_cores);
	grant_cores(machine, cgroup);
}
