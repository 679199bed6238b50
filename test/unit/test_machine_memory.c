/*
 * test_machine_memory.c
 *		How much memory a made-up machine has, and how much of it is page tables.
 */
#include "machine/machine.h"
#include "tap.h"
#include "fake_tree.h"

#define GB 1073741824.0

static const PadvFact *
fact(const char *name)
{
	for (int i = 0; i < machine.nfacts; i++)
	{
		if (strcmp(machine.facts[i].fact, name) == 0)
			return &machine.facts[i];
	}
	return NULL;
}

static void
check(const char *name, const char *meminfo, double memory, double page_tables)
{
	tree_begin();
	if (meminfo != NULL)
		plant("/proc/meminfo", meminfo);
	padv_machine_read(&machine, tree_root, "/data");
	ok(is_sound_machine(&machine), "%s: figures fit together", name);
	near(machine.memory, memory, 0, name);
	near(machine.page_tables, page_tables, 0, name);
	ok((fact("memory") != NULL) == (memory >= 0.0), "%s: a fact for memory, if it is known", name);
	ok((fact("page tables") != NULL) == (page_tables >= 0.0), "%s: and for page tables", name);
	tree_end();
}

/* A machine of 64 GB, in a cgroup /pod of which `limits` are set. */
static void
check_cgroup(const char *name, bool v2, const char *limit, const char *limit_above, const char *stat,
			 double memory, double page_tables)
{
	const char *file = v2 ? "memory.max" : "memory.limit_in_bytes";
	char		path[128];

	tree_begin();
	plant("/proc/meminfo", "MemTotal: 67108864 kB\nPageTables: 1048576 kB\n");
	plant("/proc/self/cgroup", v2 ? "0::/box/pod\n" : "4:memory:/box/pod\n3:cpuset:/\n");
	plant("/proc/self/mountinfo",
		  v2 ? "1 0 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n" :
		  "1 0 0:30 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n");
	snprintf(path, sizeof(path), "/sys/fs/cgroup/box/pod/%s", file);
	plant(path, limit);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/box/%s", file);
	plant(path, limit_above);
	plant("/sys/fs/cgroup/box/pod/memory.stat", stat);
	padv_machine_read(&machine, tree_root, "/data");
	ok(is_sound_machine(&machine), "%s: figures fit together", name);
	near(machine.memory, memory, 0, name);
	near(machine.page_tables, page_tables, 0, name);
	ok(fact("memory") != NULL && (memory == 64 * GB) == (strstr(fact("memory")->source, "meminfo") != NULL),
	   "%s: the fact says where the limit is", name);
	tree_end();
}

int
main(void)
{
	check("an ordinary machine",
		  "MemTotal:       24613192 kB\nMemFree:        19501612 kB\nPageTables:      3145728 kB\nSecPageTables:         0 kB\n",
		  24613192.0 * 1024, 3145728.0 * 1024);
	check("no file", NULL, -1, -1);
	check("an empty one", "", -1, -1);
	check("another key that ends so", "SecPageTables:   12 kB\nMemTotal: 1 kB", 1024, -1);
	check("no number", "MemTotal: many kB\nPageTables: -5 kB\n", -1, -1);
	check("cut in the middle", "MemTotal:       246", 246 * 1024, -1);
	check("more than there is", "MemTotal: 99999999999999999999999 kB\nPageTables:\n7 kB\n", -1, -1);
	check_cgroup("a container with a limit", true, "2147483648\n", "max\n",
				 "anon 5\nsec_pagetables 7\npagetables 4096\n", 2 * GB, 4096);
	check_cgroup("a container without", true, "max\n", "max\n", "pagetables 4096\n", 64 * GB, GB);
	check_cgroup("the limit is above", true, "4294967296\n", "1073741824\n", "pagetables 4096\n", GB, -1);
	check_cgroup("a limit that is no limit", true, "137438953472\n", "max\n", "pagetables 4096\n", 64 * GB, GB);
	check_cgroup("no count of page tables", true, "1073741824\n", "max\n", "sec_pagetables 7\n", GB, -1);
	check_cgroup("version 1", false, "1073741824\n", "9223372036854771712\n", "pagetables 4096\n", GB, -1);
	check_cgroup("version 1 without a limit", false, "9223372036854771712\n", "9223372036854771712\n", "", 64 * GB, GB);
	check_cgroup("no number", true, "2 GB\n", "-1\n", "", 64 * GB, GB);
	return tap_end();
}
