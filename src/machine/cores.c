/*
 * cores.c
 *		How many cores the server may use.
 *
 * Owns the step from logical CPUs to physical cores, and the order in which
 * affinity, cpuset and quota narrow them.  Where the kernel does not tell,
 * sysconf(3) does, and says so in the facts.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifdef __linux__
#define _GNU_SOURCE				/* sched_getaffinity */
#include <sched.h>
#endif

#include "machine/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ONLINE_FILE "/sys/devices/system/cpu/online"
#define STATUS_FILE "/proc/self/status"
#define CPUINFO_FILE "/proc/cpuinfo"

/* What sysconf(3) says; at least one CPU runs this. */
static void
ask_sysconf(PadvCpuSet *cpus)
{
	long		count = sysconf(_SC_NPROCESSORS_ONLN);

	memset(cpus, 0, sizeof(*cpus));
	for (int cpu = 0; cpu < (count < 1 ? 1 : count) && cpu < PADV_MAX_CPUS; cpu++)
		padv_add_cpu(cpus, cpu);
}

static const char *
find_online(const char *root, PadvCpuSet *online)
{
	char		list[4096];

	if (padv_read_file(root, ONLINE_FILE, list, sizeof(list)) > 0 &&
		padv_parse_cpus(list, online))
		return ONLINE_FILE;
	ask_sysconf(online);
	return "sysconf(_SC_NPROCESSORS_ONLN)";
}

#ifdef __linux__
static bool
ask_scheduler(PadvCpuSet *cpus)
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
ask_scheduler(PadvCpuSet *cpus)
{
	(void) cpus;
	return false;
}
#endif

/* The source, or NULL when it is not known which CPUs we may run on. */
static const char *
find_affinity(const char *root, PadvCpuSet *allowed)
{
	char	   *status = padv_read_whole(root, STATUS_FILE);
	const char *list = status ? padv_find_line(status, "Cpus_allowed_list:") : NULL;
	bool		found = list != NULL && padv_parse_cpus(list, allowed);

	free(status);
	if (found)
		return "Cpus_allowed_list in " STATUS_FILE;

	/* another root is another machine: ours would be a wrong answer */
	if (root[0] == '\0' && ask_scheduler(allowed))
		return "sched_getaffinity(2)";
	return NULL;
}

/*
 * The first of the hyper-threads that share a core with this CPU; -1 when not
 * known.  core_cpus_list is the newer name of thread_siblings_list.
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

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, files[i]);
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

/* Physical cores among the CPUs by their topology; 0 when not known. */
static int
count_by_topology(const char *root, const PadvCpuSet *cpus)
{
	PadvCpuSet	firsts = {0};

	for (int cpu = 0; cpu < PADV_MAX_CPUS; cpu++)
	{
		int			first;

		if (!padv_cpu_in(cpus, cpu))
			continue;
		first = first_sibling(root, cpu);
		if (first < 0)
			return 0;
		padv_add_cpu(&firsts, first);
	}
	return firsts.count;
}

/* The number behind a key of cpuinfo; false when the line is another one. */
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
	return padv_parse_number(&line, number);
}

/*
 * The same by /proc/cpuinfo, where each CPU has a paragraph with the number of
 * its socket and that of its core in it; 0 when not known.
 */
static int
count_by_cpuinfo(const char *root, const PadvCpuSet *cpus)
{
	char	   *text = padv_read_whole(root, CPUINFO_FILE);
	PadvCpuSet	cores = {0};
	uint64_t	cpu = PADV_MAX_CPUS;
	uint64_t	socket = 0;

	for (const char *line = text; line != NULL && *line != '\0';)
	{
		const char *end = strchr(line, '\n');
		uint64_t	core;

		if (cpuinfo_number(line, "processor", &cpu))
			socket = 0;
		else if (!cpuinfo_number(line, "physical id", &socket) &&
				 cpuinfo_number(line, "core id", &core) &&
				 cpu < PADV_MAX_CPUS && padv_cpu_in(cpus, (int) cpu) &&
				 socket < 16 && core < PADV_MAX_CPUS / 16)
			padv_add_cpu(&cores, (int) (socket * (PADV_MAX_CPUS / 16) + core));
		line = end ? end + 1 : NULL;
	}
	free(text);
	return cores.count;
}

static int
count_cores(const char *root, const PadvCpuSet *cpus, const char **source)
{
	int			count = count_by_topology(root, cpus);

	*source = "/sys/devices/system/cpu/cpu*/topology, CPUs of one core counted once";
	if (count > 0)
		return count;
	*source = "physical id and core id in " CPUINFO_FILE;
	count = count_by_cpuinfo(root, cpus);
	if (count > 0)
		return count;
	*source = "no topology is readable, so each CPU counts as a core";
	return cpus->count;
}

/* Narrow allowed by another set, unless nothing would be left. */
static void
narrow(PadvCpuSet *allowed, const PadvCpuSet *by)
{
	PadvCpuSet	both = *allowed;

	padv_intersect_cpus(&both, by);
	if (both.count > 0)
		*allowed = both;
}

/* A list like "0-3,8" of the CPUs, for a fact. */
static void
print_cpus(const PadvCpuSet *cpus, char *text, size_t size)
{
	size_t		length = (size_t) snprintf(text, size, "%d (", cpus->count);
	const char *comma = "";

	for (int cpu = 0; cpu < PADV_MAX_CPUS && length + 16 < size; cpu++)
	{
		int			last = cpu;

		if (!padv_cpu_in(cpus, cpu))
			continue;
		while (last + 1 < PADV_MAX_CPUS && padv_cpu_in(cpus, last + 1))
			last++;
		if (last > cpu)
			length += (size_t) snprintf(text + length, size - length, "%s%d-%d", comma, cpu, last);
		else
			length += (size_t) snprintf(text + length, size - length, "%s%d", comma, cpu);
		comma = ",";
		cpu = last;
	}
	snprintf(text + length, size - length, ")");
}

static void
add_cpus_fact(PadvMachine *machine, const char *fact, const PadvCpuSet *cpus,
			  const char *source)
{
	char		text[128];

	print_cpus(cpus, text, sizeof(text));
	padv_add_fact(machine, fact, text, source);
}

/* The smaller of physical cores and quota, and how that came about. */
static void
grant_cores(PadvMachine *machine, const PadvCgroup *cgroup)
{
	char		source[192];

	machine->quota = cgroup->quota;
	machine->cores = machine->allowed_cores;
	memcpy(machine->cgroup_usage_file, cgroup->usage_file, sizeof(machine->cgroup_usage_file));
	if (cgroup->quota >= 0.0)
	{
		padv_add_fact_value(machine, "CPU quota", cgroup->quota_source,
							"%.4g CPUs", cgroup->quota);
		snprintf(source, sizeof(source), "the smaller of %d physical cores allowed and the quota of %.4g CPUs",
				 machine->allowed_cores, cgroup->quota);
		if (cgroup->quota < machine->cores)
			machine->cores = cgroup->quota;
	}
	else
	{
		padv_add_fact(machine, "CPU quota", "none", "no cgroup of this process limits CPU time");
		snprintf(source, sizeof(source), "%d physical cores allowed, and no quota",
				 machine->allowed_cores);
	}
	padv_add_fact_value(machine, "cores granted", source, "%.4g", machine->cores);
}

void
padv_read_cores(PadvMachine *machine, const char *root, const PadvCgroup *cgroup)
{
	PadvCpuSet	online,
				allowed,
				affinity;
	const char *source;

	source = find_online(root, &online);
	machine->logical_cpus = online.count;
	add_cpus_fact(machine, "logical CPUs", &online, source);
	machine->physical_cores = count_cores(root, &online, &source);
	padv_add_fact_value(machine, "physical cores", source, "%d", machine->physical_cores);

	allowed = online;
	source = find_affinity(root, &affinity);
	if (source != NULL)
	{
		narrow(&allowed, &affinity);
		add_cpus_fact(machine, "CPUs in affinity", &affinity, source);
	}
	else
		padv_add_fact(machine, "CPUs in affinity", "all", "not readable");
	if (cgroup->cpuset.count > 0)
	{
		narrow(&allowed, &cgroup->cpuset);
		add_cpus_fact(machine, "CPUs in cpuset", &cgroup->cpuset, cgroup->cpuset_source);
	}
	else
		padv_add_fact(machine, "CPUs in cpuset", "all", "no cpuset found");

	machine->allowed_cpus = allowed.count;
	memcpy(machine->cpu_allowed, allowed.map, sizeof(machine->cpu_allowed));
	machine->allowed_cores = count_cores(root, &allowed, &source);
	padv_add_fact_value(machine, "physical cores allowed", source, "%d",
						machine->allowed_cores);
	grant_cores(machine, cgroup);
}
