/*
 * test_machine_cores.c
 *		How many cores a made-up machine grants, and why it says so.
 */
#include "tap.h"
#include "fake_tree.h"

#define TOPOLOGY "/sys/devices/system/cpu/cpu*/topology, CPUs of one core counted once"
#define STATUS "Cpus_allowed_list in /proc/self/status"
#define V2 "30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static void
read_cores(const char *name)
{
	read_machine(name, "/pgdata");
}

/* 4 cores with 2 hyper-threads each; nothing limits anybody. */
static void
test_laptop(void)
{
	tree_begin();
	plant_cpus(8);
	plant("/proc/self/status", "Name:\tpostgres\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\nMems_allowed_list:\t0\n");
	plant("/proc/self/cgroup", "0::/system.slice/postgresql.service\n");
	plant("/proc/self/mountinfo", V2);
	plant("/sys/fs/cgroup/system.slice/postgresql.service/cpu.max", "max 100000\n");
	plant("/sys/fs/cgroup/system.slice/cpu.max", "max 50000\n");
	plant("/sys/fs/cgroup/cpuset.cpus.effective", "0-7\n");
	read_cores("laptop");
	count_is(machine.logical_cpus, 8, "logical CPUs");
	count_is(machine.physical_cores, 4, "physical cores");
	count_is(machine.allowed_cpus, 8, "allowed CPUs");
	count_is(machine.allowed_cores, 4, "allowed cores");
	count_is(machine.cpu_allowed[0], 0xff, "bit map");
	count_is(machine.cpu_allowed[1], 0, "rest of the bit map");
	ok(machine.quota < 0, "no quota");
	near(machine.cores, 4, 0, "cores granted");
	ok(machine.cgroup_usage_file[0] == '\0', "without a quota no usage is watched");
	fact_is("logical CPUs", "8 (0-7)", "/sys/devices/system/cpu/online");
	fact_is("physical cores", "4", TOPOLOGY);
	fact_is("CPUs in affinity", "8 (0-7)", STATUS);
	fact_is("CPUs in cpuset", "8 (0-7)", "/sys/fs/cgroup/cpuset.cpus.effective");
	fact_is("physical cores allowed", "4", TOPOLOGY);
	fact_is("CPU quota", "none", "no cgroup of this process limits CPU time");
	fact_is("cores granted", "4", "4 physical cores allowed, and no quota");
	tree_end();
}

/* Two sockets of 16 cores with 2 hyper-threads each. */
static void
test_server(void)
{
	tree_begin();
	plant_cpus(64);
	plant("/proc/self/status", "Cpus_allowed_list:\t0-63\n");
	read_cores("server");
	count_is(machine.logical_cpus, 64, "logical CPUs");
	count_is(machine.physical_cores, 32, "physical cores");
	near(machine.cores, 32, 0, "cores granted");

	/* affinity and the CPUs online may name CPUs that the other does not */
	plant("/proc/self/status", "Cpus_allowed_list:\t0-1,32,64-255\n");
	read_cores("server, bound to three CPUs");
	count_is(machine.allowed_cpus, 3, "allowed CPUs");
	count_is(machine.allowed_cores, 2, "allowed cores");
	fact_is("CPUs in affinity", "3 (0-1,32)", STATUS);
	tree_end();
}

/* Topology told by other files. */
static void
test_topology(void)
{
	char		siblings[32];

	tree_begin();
	plant("/sys/devices/system/cpu/online", "0-3\n");
	for (int cpu = 0; cpu < 4; cpu++)
	{
		/* older kernels, and threads numbered side by side */
		snprintf(siblings, sizeof(siblings), "%d-%d\n", cpu & ~1, cpu | 1);
		plant_at(siblings, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
	}
	read_cores("old kernel");
	count_is(machine.physical_cores, 2, "physical cores by thread_siblings_list");

	plant("/sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "what?\n");
	read_cores("one list is garbage");
	fact_is("physical cores", "4", "no topology is readable, so each CPU counts as a core");

	plant("/proc/cpuinfo",
		  "processor\t: 0\nphysical id\t: 0\ncore id\t\t: 0\n\nprocessor\t: 1\nphysical id\t: 0\ncore id\t\t: 0\n\n"
		  "processor\t: 2\nphysical id\t: 201\ncore id\t\t: 0\n\nprocessor\t: 3\nphysical id\t: 201\ncore id\t\t: 701\n");
	read_cores("cpuinfo");
	fact_is("physical cores", "3", "physical id and core id in /proc/cpuinfo");

	plant("/proc/cpuinfo", "processor\t: 0\ncore id\t\t: 0\n\nprocessor\t: 2\ncore id\t\t: 1\n");
	read_cores("cpuinfo with CPUs missing");
	count_is(machine.physical_cores, 4, "logical CPUs instead of half a truth");
	tree_end();
}

/* A container with 1.5 CPUs inside one with 4, on half of a machine. */
static void
test_nested_quota(void)
{
	static const FakeFile files[] = {
		{"/proc/self/status", "Cpus_allowed_list:\t0-7\n"},
		{"/proc/self/cgroup", "0::/outer/inner\n"},
		{"/proc/self/mountinfo", V2},
		{"/sys/fs/cgroup/cpuset.cpus.effective", "0-15\n"},
		{"/sys/fs/cgroup/outer/cpu.max", "400000 100000\n"},
		{"/sys/fs/cgroup/outer/cpu.stat", "usage_usec 1\n"},
		{"/sys/fs/cgroup/outer/cpuset.cpus.effective", "0-7\n"},
		{"/sys/fs/cgroup/outer/inner/cpu.max", "75000 50000\n"},
		{"/sys/fs/cgroup/outer/inner/cpu.stat", "usage_usec 1\n"},
		{NULL, NULL}
	};

	tree_begin();
	plant_cpus(16);
	plant_all(files);
	read_cores("nested groups");
	near(machine.quota, 1.5, 0, "the inner quota, by its own period");
	near(machine.cores, 1.5, 0, "cores granted");
	count_is(machine.allowed_cpus, 8, "allowed CPUs");
	count_is(machine.allowed_cores, 8, "allowed cores");
	ok(strcmp(machine.cgroup_usage_file, "/sys/fs/cgroup/outer/inner/cpu.stat") == 0,
	   "usage of the inner group");
	fact_is("CPU quota", "1.5 CPUs",
			"75000 us of CPU time every 50000 us, /sys/fs/cgroup/outer/inner/cpu.max");
	fact_is("CPUs in cpuset", "8 (0-7)", "/sys/fs/cgroup/outer/cpuset.cpus.effective");
	fact_is("cores granted", "1.5", "the smaller of 8 physical cores allowed and the quota of 1.5 CPUs");

	plant("/sys/fs/cgroup/outer/cpu.max", "150000 100000\n");
	read_cores("both groups grant the same");
	ok(strcmp(machine.cgroup_usage_file, "/sys/fs/cgroup/outer/inner/cpu.stat") == 0,
	   "usage of the inner group");

	plant("/sys/fs/cgroup/outer/cpu.max", "100000 100000\n");
	read_cores("the outer group is the tightest");
	near(machine.quota, 1, 0, "the outer quota");
	ok(strcmp(machine.cgroup_usage_file, "/sys/fs/cgroup/outer/cpu.stat") == 0,
	   "usage of the outer group");
	fact_is("CPU quota", "1 CPU", "100000 us of CPU time every 100000 us, /sys/fs/cgroup/outer/cpu.max");

	plant("/sys/fs/cgroup/outer/cpu.max", "4000000 100000\n");
	plant("/sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
	read_cores("a quota above the cores");
	near(machine.quota, 40, 0, "the quota is told");
	near(machine.cores, 8, 0, "and grants no more than there is");
	fact_is("cores granted", "8", "the smaller of 8 physical cores allowed and the quota of 40 CPUs");
	tree_end();
}

/* cgroup v1 as docker sets it up: what is mounted is the container's group. */
static void
test_v1(void)
{
	static const FakeFile files[] = {
		{"/proc/self/status", "Cpus_allowed_list:\t0-15\n"},
		{"/proc/self/cgroup",
			"12:cpuset:/docker/c0ffee\n5:cpuacct:/docker/c0ffee\n4:cpu:/docker/c0ffee/db\n1:name=systemd:/docker/c0ffee\n"},
		{"/proc/self/mountinfo",
			"41 40 0:36 /docker/c0ffee /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n"
			"42 40 0:37 /docker/c0ffee /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
		"43 40 0:38 /docker/c0ffee /sys/fs/cgroup/cpuacct ro - cgroup cgroup rw,cpuacct\n"},
		{"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n"},
		{"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"},
		{"/sys/fs/cgroup/cpu/db/cpu.cfs_quota_us", "-1\n"},
		{"/sys/fs/cgroup/cpu/db/cpu.cfs_period_us", "100000\n"},
		{"/sys/fs/cgroup/cpuset/cpuset.cpus", "4-7\n"},
		{NULL, NULL}
	};

	tree_begin();
	plant_cpus(16);
	plant_all(files);
	read_cores("docker with cgroup v1");
	near(machine.quota, 2.5, 0, "quota");
	count_is(machine.allowed_cores, 4, "allowed cores");
	near(machine.cores, 2.5, 0, "cores granted");
	ok(strcmp(machine.cgroup_usage_file, "/sys/fs/cgroup/cpuacct/cpuacct.usage") == 0,
	   "usage in the other hierarchy");
	fact_is("CPU quota", "2.5 CPUs",
			"250000 us of CPU time every 100000 us, /sys/fs/cgroup/cpu/cpu.cfs_quota_us");
	fact_is("CPUs in cpuset", "4 (4-7)", "/sys/fs/cgroup/cpuset/cpuset.cpus");

	plant("/sys/fs/cgroup/cpuset/cpuset.effective_cpus", "4-5\n");
	read_cores("docker with cgroup v1, effective_cpus");
	fact_is("CPUs in cpuset", "2 (4-5)", "/sys/fs/cgroup/cpuset/cpuset.effective_cpus");

	plant("/sys/fs/cgroup/cpu/db/cpu.cfs_quota_us", "10000\n");
	plant("/sys/fs/cgroup/cpu/db/cpu.cfs_period_us", "20000\n");
	read_cores("the inner v1 group is the tightest");
	near(machine.cores, 0.5, 0, "cores granted");
	ok(strcmp(machine.cgroup_usage_file, "/sys/fs/cgroup/cpuacct/db/cpuacct.usage") == 0,
	   "usage at the same path");
	fact_is("CPU quota", "0.5 CPUs",
			"10000 us of CPU time every 20000 us, /sys/fs/cgroup/cpu/db/cpu.cfs_quota_us");

	/* a usage that is not shown, or that of one group only */
	plant("/proc/self/mountinfo", "42 40 0:37 /docker/c0ffee /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
	read_cores("no cpuacct");
	near(machine.quota, 0.5, 0, "quota");
	ok(machine.cgroup_usage_file[0] == '\0', "no usage");
	plant("/proc/self/cgroup", "5:cpuacct:/docker/c0ffee/db\n4:cpu:/docker/c0ffee/db\n");
	plant("/proc/self/mountinfo",
		  "42 40 0:37 /docker/c0ffee /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
		  "43 40 0:38 /docker/c0ffee/db /cpuacct ro - cgroup cgroup rw,cpuacct\n");
	plant("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "25000\n");
	read_cores("cpuacct of the inner group only");
	near(machine.quota, 0.25, 0, "quota");
	ok(machine.cgroup_usage_file[0] == '\0', "no usage of the outer one");
	tree_end();
}

/* v1 controllers beside an empty v2 hierarchy, as systemd mounted them. */
static void
test_hybrid(void)
{
	tree_begin();
	plant_cpus(8);
	plant("/proc/self/cgroup", "3:cpu,cpuacct:/system.slice/pg\n2:cpuset:/\n0::/system.slice/pg\n");
	plant("/proc/self/mountinfo",
		  "31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		  "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
		  "34 30 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
	plant("/sys/fs/cgroup/cpu,cpuacct/system.slice/cpu.cfs_quota_us", "300000\n");
	plant("/sys/fs/cgroup/cpu,cpuacct/system.slice/cpu.cfs_period_us", "100000\n");
	plant("/sys/fs/cgroup/cpuset/cpuset.effective_cpus", "0-3\n");
	read_cores("hybrid");
	near(machine.cores, 3, 0, "cores granted");
	count_is(machine.allowed_cpus, 4, "allowed CPUs");
	ok(strcmp(machine.cgroup_usage_file, "/sys/fs/cgroup/cpu,cpuacct/system.slice/cpuacct.usage") == 0,
	   "usage in v1");

	/* where v2 has the controllers, it is v2's word */
	plant("/sys/fs/cgroup/unified/system.slice/pg/cpu.max", "200000 100000");
	plant("/sys/fs/cgroup/unified/system.slice/pg/cpuset.cpus.effective", "0-1");
	plant("/sys/fs/cgroup/cpuset/cpuset.effective_cpus", "\n");
	read_cores("hybrid, the other way");
	near(machine.quota, 2, 0, "the tightest of both");
	count_is(machine.allowed_cpus, 2, "allowed CPUs");
	ok(strcmp(machine.cgroup_usage_file, "/sys/fs/cgroup/unified/system.slice/pg/cpu.stat") == 0,
	   "usage in v2");
	tree_end();
}

/* Where the mount does not show our group as /proc/self/cgroup names it. */
static void
test_namespaces(void)
{
	tree_begin();
	plant_cpus(8);
	plant("/sys/fs/cgroup/cpu.max", "50000 100000\n");
	plant("/sys/fs/cgroup/own/cpu.max", "40000 100000\n");
	plant("/host/own/cpu.max", "30000 100000\n");

	plant("/proc/self/cgroup", "0::/\n");
	plant("/proc/self/mountinfo", V2);
	read_cores("namespace");
	near(machine.quota, 0.5, 0, "our group is the mount's root");

	plant("/proc/self/mountinfo", "30 25 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	read_cores("a mount from outside of the namespace");
	near(machine.quota, 0.5, 0, "its root is above us");

	plant("/proc/self/cgroup", "0::/../own\n");
	plant("/proc/self/mountinfo", "30 25 0:26 /.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	read_cores("a mount and a group outside of the namespace");
	near(machine.quota, 0.4, 1e-12, "our group is below the mount");

	plant("/proc/self/mountinfo", V2);
	read_cores("a group outside of the namespace");
	ok(machine.quota < 0, "what is mounted is not ours");

	plant("/proc/self/cgroup", "0::/own\n");
	plant("/proc/self/mountinfo",
		  "29 25 0:26 /other /elsewhere rw - cgroup2 cgroup2 rw\n"
		  "30 25 0:26 / /host rw - cgroup2 cgroup2 rw\n" V2);
	read_cores("several mounts");
	near(machine.quota, 0.3, 1e-12, "the first that shows our group");

	plant("/proc/self/mountinfo",
		  "29 25 0:26 /other /host/own rw - cgroup2 cgroup2 rw\n"
		  "30 25 0:26 /else /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	read_cores("several mounts, and none shows our group");
	near(machine.quota, 0.3, 1e-12, "the first");

	plant("/proc/self/cgroup", "garbage\n0::own\n0::/own/gone (deleted)\n");
	plant("/proc/self/mountinfo", V2);
	read_cores("a group that was removed");
	near(machine.quota, 0.4, 1e-12, "the one above it holds");
	tree_end();
}

/* A path of a rootless container, and a name: they do not fit into a fact. */
static void
test_long_path(void)
{
#define LONG_GROUP "/user.slice/user-1000.slice/user@1000.service/user.slice" \
	"/user-libpod_pod_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.slice" \
	"/libpod-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope/container"

	tree_begin();
	plant_cpus(8);
	plant("/proc/self/cgroup", "0::" LONG_GROUP "\n");
	plant("/proc/self/mountinfo", V2);
	plant("/sys/fs/cgroup" LONG_GROUP "/cpu.max", "12345 100000\n");
	plant("/pgdata/pg_tblspc/0123456789012345678901234567890123456789012345678901234567890", NULL);
	read_cores("long path");
	near(machine.quota, 0.12345, 1e-12, "quota");
	ok(strcmp(machine.cgroup_usage_file, "/sys/fs/cgroup" LONG_GROUP "/cpu.stat") == 0,
	   "the file of the usage is whole");
	fact_is("CPU quota", "0.12345 CPUs",
			"12345 us of CPU time every 100000 us, /sys/fs/cgroup/user.slice/user-1000.slice/user@100...lice"
			"/libpod-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope/container/cpu.max");
	ok(find_fact("tablespace 0123456789012345678901234567890123456789012345678...")->value[0] != '\0',
	   "a name that was cut says so");
	tree_end();
#undef LONG_GROUP
}

/* Affinity, cpuset and the CPUs online disagree. */
static void
test_sets(void)
{
	tree_begin();
	plant_cpus(8);
	plant("/proc/self/cgroup", "0::/\n");
	plant("/proc/self/mountinfo", V2);
	plant("/proc/self/status", "Cpus_allowed_list:\t2-3\n");
	plant("/sys/fs/cgroup/cpuset.cpus.effective", "0-5\n");
	read_cores("affinity narrower than the cpuset");
	count_is(machine.allowed_cpus, 2, "allowed CPUs");
	count_is(machine.cpu_allowed[0], 0x0c, "bit map");
	fact_is("CPUs in affinity", "2 (2-3)", STATUS);
	fact_is("CPUs in cpuset", "6 (0-5)", "/sys/fs/cgroup/cpuset.cpus.effective");

	plant("/proc/self/status", "Cpus_allowed_list:\t0-1,6\n");
	read_cores("affinity and cpuset overlap");
	count_is(machine.cpu_allowed[0], 0x03, "bit map");

	/* cores are 0,4 1,5 2,6 3,7: two whole ones and two halves */
	plant("/proc/self/status", "Cpus_allowed_list:\t0-7\n");
	read_cores("hyper-thread pairs cut by the cpuset");
	count_is(machine.allowed_cpus, 6, "allowed CPUs");
	count_is(machine.allowed_cores, 4, "allowed cores");

	plant("/sys/fs/cgroup/cpuset.cpus.effective", "0-3\n");
	read_cores("one half of each pair");
	count_is(machine.allowed_cpus, 4, "allowed CPUs");
	count_is(machine.allowed_cores, 4, "allowed cores");

	plant("/sys/fs/cgroup/cpuset.cpus.effective", "0,4\n");
	read_cores("one pair");
	count_is(machine.allowed_cores, 1, "allowed cores");
	fact_is("cores granted", "1", "1 physical core allowed, and no quota");

	/* the second threads are switched off, and the fourth core */
	plant("/sys/devices/system/cpu/online", "0-2\n");
	plant("/sys/fs/cgroup/cpuset.cpus.effective", "0-7\n");
	read_cores("offline CPUs");
	count_is(machine.logical_cpus, 3, "logical CPUs");
	count_is(machine.physical_cores, 3, "physical cores");
	fact_is("CPUs in affinity", "3 (0-2)", STATUS);
	fact_is("CPUs in cpuset", "3 (0-2)", "/sys/fs/cgroup/cpuset.cpus.effective");

	/* a container that numbers its CPUs itself */
	plant("/proc/self/status", "Cpus_allowed_list:\t12-14\n");
	read_cores("another numbering");
	count_is(machine.allowed_cpus, 3, "allowed CPUs");
	fact_is("CPUs in affinity", "3 (12-14)", STATUS "; not applied, as no CPU would be left");
	tree_end();
}

/* What is not a list, and what is not a quota, counts as not told. */
static void
test_garbage(void)
{
	static const char *const lists[] = {
		"", "\n", ",", "0-", "-3", "5-2", "0,5-2", "0,,1", "99999999999999999999", "0-3x", "\377\1\2"
	};
	static const char *const quotas[] = {
		"", "max", "max max", "-1 100000", "100000 -1", "0 100000", "100000 0", "100000", "x 100000",
		"99999999999999999999 100000", "100000 99999999999999999999", "1.5 1", "90000 100000x"
	};
	char		status[64];

	tree_begin();
	plant_cpus(8);
	plant("/proc/self/cgroup", "0::/\n1:cpu:/\n");
	plant("/proc/self/mountinfo", V2 "31 25 0:27 / /v1 rw - cgroup cgroup rw,cpu\n");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
	{
		snprintf(status, sizeof(status), "Cpus_allowed_list:\t%s\nMems_allowed_list:\t0\n", lists[i]);
		plant("/proc/self/status", status);
		plant("/sys/fs/cgroup/cpuset.cpus.effective", lists[i]);
		read_cores("garbage for a list");
		ok(machine.allowed_cpus == 8 && machine.allowed_cores == 4, "list %d", (int) i);
		ok(strcmp(find_fact("CPUs in affinity")->value, "all") == 0 &&
		   strcmp(find_fact("CPUs in cpuset")->value, "all") == 0, "and told so");
	}
	for (size_t i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++)
	{
		plant("/sys/fs/cgroup/cpu.max", quotas[i]);
		plant("/v1/cpu.cfs_quota_us", quotas[i]);
		plant("/v1/cpu.cfs_period_us", i % 2 ? quotas[i] : "100000\n");
		read_cores("garbage for a quota");
		ok(machine.quota < 0 || (i == 7 && machine.quota == 1), "quota %d", (int) i);
		near(machine.cores, i == 7 ? 1 : 4, 0, "cores granted");
	}
	plant("/v1/cpu.cfs_quota_us", "100000\n");
	plant("/v1/cpu.cfs_period_us", "0\n");
	read_cores("no period");
	ok(machine.quota < 0, "is no quota");
	tree_end();
}

/* There is always an answer, and it says where it comes from. */
static void
test_nothing_readable(void)
{
	long		cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char		list[512];
	size_t		length;

	tree_begin();
	read_cores("nothing readable");
	count_is(machine.logical_cpus, (int) cpus, "logical CPUs");
	near(machine.cores, (double) cpus, 0, "cores granted");
	ok(strcmp(find_fact("logical CPUs")->source, "sysconf(_SC_NPROCESSORS_ONLN)") == 0, "by sysconf");
	fact_is("CPUs in affinity", "all", "/proc/self/status is not readable");
	fact_is("CPUs in cpuset", "all", "no cgroup of this process names CPUs");
	ok(!machine.disks_known, "no disk is known");
	fact_is("spindles", "unknown", "no disk was found; pool_advisor.spindles can say how many there are");

	/* sysconf does not know which CPUs there are */
	plant("/proc/self/status", "Cpus_allowed_list:\t4090-4095,5000\n");
	read_cores("only affinity is readable");
	count_is(machine.logical_cpus, 6, "logical CPUs");
	count_is(machine.allowed_cpus, 6, "allowed CPUs");
	count_is(machine.cpu_allowed[PADV_MAX_CPUS / 8 - 1], 0xfc, "bit map");
	fact_is("logical CPUs", "6 (4090-4095)",
			"those in affinity, as /sys/devices/system/cpu/online is not readable");

	/* more ranges than the fact has room for */
	length = (size_t) snprintf(list, sizeof(list), "Cpus_allowed_list:\t0");
	for (int cpu = 102; cpu < 200; cpu += 2)
		length += (size_t) snprintf(list + length, sizeof(list) - length, ",%d", cpu);
	plant("/proc/self/status", list);
	read_cores("many ranges");
	fact_is("CPUs in affinity",
			"50 (0,102,104,106,108,110,112,114,116,118,120,122,124,126,128,130,132,134,136,138,140,142,144,146,148,150,152,154,...)",
			STATUS);
	tree_end();
}

int
main(void)
{
	test_laptop();
	test_server();
	test_topology();
	test_nested_quota();
	test_v1();
	test_hybrid();
	test_namespaces();
	test_long_path();
	test_sets();
	test_garbage();
	test_nothing_readable();
	return tap_end();
}
