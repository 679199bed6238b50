/*
 * test_machine_memory.c
 *		How much memory a made-up machine has, and how much of it is page tables.
 */
#include "machine/machine.h"
#include "tap.h"
#include "fake_tree.h"

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
	return tap_end();
}
