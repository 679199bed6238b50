/*
 * fake_tree.h
 *		A made-up /proc and /sys in a temporary folder, from compact tables.
 *
 * The unit tests of the machine include it once, after tap.h.  tree_begin()
 * makes an empty tree at tree_root, tree_end() removes it.  The links in
 * /sys are laid as the kernel lays them.
 */
#ifndef PADV_FAKE_TREE_H
#define PADV_FAKE_TREE_H

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/machine.h"
#include "sound_machine.h"

/*
 * A row of a tree: a file with its content, a symbolic link ("-> target"), or
 * a directory (no content).  A row without a path ends the table.
 */
typedef struct FakeFile
{
	const char *path;
	const char *content;
} FakeFile;

static char tree_root[64];

/* One machine at a time; it is too large for the stack. */
static PadvMachine machine;

static void
fail(const char *what, const char *path)
{
	printf("Bail out! could not %s %s\n", what, path);
	exit(1);
}

static void
tree_begin(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(tree_root, sizeof(tree_root), "%.40s/padv_tree_XXXXXX", base ? base : "/tmp");
	if (mkdtemp(tree_root) == NULL)
		fail("create", tree_root);
}

static void
remove_below(const char *path)
{
	DIR		   *directory = opendir(path);
	struct dirent *item;

	while (directory != NULL && (item = readdir(directory)) != NULL)
	{
		char		inner[2048];
		struct stat buffer;

		if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, item->d_name);
		if (lstat(inner, &buffer) == 0 && S_ISDIR(buffer.st_mode))
			remove_below(inner);
		else
			unlink(inner);
	}
	if (directory != NULL)
		closedir(directory);
	rmdir(path);
}

static void
tree_end(void)
{
	remove_below(tree_root);
}

/* What the tree has no more. */
static inline void
uproot(const char *path)
{
	char		full[2048];

	snprintf(full, sizeof(full), "%s%s", tree_root, path);
	remove_below(full);
}

static inline void
tree_write(const char *path, const void *content, size_t length)
{
	char		full[2048];
	FILE	   *file;

	snprintf(full, sizeof(full), "%s%s", tree_root, path);
	for (char *slash = strchr(full + strlen(tree_root) + 1, '/'); slash != NULL;
		 slash = strchr(slash + 1, '/'))
	{
		*slash = '\0';
		mkdir(full, 0777);
		*slash = '/';
	}
	if (content == NULL)
		mkdir(full, 0777);
	else if (strncmp(content, "-> ", 3) == 0)
	{
		unlink(full);
		if (symlink((const char *) content + 3, full) != 0)
			fail("link", full);
	}
	else
	{
		file = fopen(full, "w");
		if (file == NULL || fwrite(content, 1, length, file) != length)
			fail("write", full);
		fclose(file);
	}
}

static inline void
plant(const char *path, const char *content)
{
	tree_write(path, content, content ? strlen(content) : 0);
}

static inline void
plant_all(const FakeFile *files)
{
	for (; files->path != NULL; files++)
		plant(files->path, files->content);
}

/* The same with the path made from a format. */
static inline void __attribute__((format(printf, 2, 3)))
plant_at(const char *content, const char *format,...)
{
	char		path[1024];
	va_list		args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	plant(path, content);
}

/*
 * CPUs 0 .. cpus - 1 on cores of two hyper-threads each, numbered as the
 * firmware does: the second threads after all the first ones.
 */
static inline void
plant_cpus(int cpus)
{
	char		text[64];

	snprintf(text, sizeof(text), "0-%d\n", cpus - 1);
	plant("/sys/devices/system/cpu/online", text);
	for (int cpu = 0; cpu < cpus; cpu++)
	{
		snprintf(text, sizeof(text), "%d,%d\n", cpu % (cpus / 2), cpu % (cpus / 2) + cpus / 2);
		plant_at(text, "/sys/devices/system/cpu/cpu%d/topology/core_cpus_list", cpu);
	}
}

/* The links that make a device in /sys known by its number and its name. */
static inline void
plant_links(const char *number, const char *name, const char *device, bool whole)
{
	char		target[256];

	snprintf(target, sizeof(target), "-> ../../devices/%s", device);
	plant_at(target, "/sys/dev/block/%s", number);
	plant_at(target, "/sys/class/block/%s", name);
	plant_at(number, "/sys/devices/%s/dev", device);
	snprintf(target, sizeof(target), "-> ../devices/%s", device);
	if (whole)
		plant_at(target, "/sys/block/%s", name);
}

/* A disk; NULL for rotational leaves that unknown. */
static inline void
plant_disk(const char *number, const char *name, const char *rotational)
{
	char		device[128];

	snprintf(device, sizeof(device), "pci0000:00/host0/block/%s", name);
	plant_links(number, name, device, true);
	plant_at(NULL, "/sys/devices/%s/slaves", device);
	if (rotational != NULL)
		plant_at(rotational, "/sys/devices/%s/queue/rotational", device);
}

static inline void
plant_partition(const char *number, const char *name, const char *disk)
{
	char		device[128];

	snprintf(device, sizeof(device), "pci0000:00/host0/block/%s/%s", disk, name);
	plant_links(number, name, device, false);
	plant_at("1\n", "/sys/devices/%s/partition", device);
}

/* A device made of others, whose names blanks separate. */
static inline void
plant_stack(const char *number, const char *name, const char *members)
{
	char		device[128];
	char		member[64];
	char		target[256];
	int			length;

	snprintf(device, sizeof(device), "virtual/block/%s", name);
	plant_links(number, name, device, true);

	/* what the kernel says of a stack must not be counted itself */
	plant_at("1\n", "/sys/devices/%s/queue/rotational", device);
	for (; sscanf(members, "%63s%n", member, &length) == 1; members += length)
	{
		snprintf(target, sizeof(target), "-> ../../../../../class/block/%s", member);
		plant_at(target, "/sys/devices/%s/slaves/%s", device, member);
	}
}

/* The first fact of a name, or one that is empty. */
static inline const PadvFact *
find_fact(const char *fact)
{
	static const PadvFact none;

	for (int i = 0; i < machine.nfacts; i++)
	{
		if (strcmp(machine.facts[i].fact, fact) == 0)
			return &machine.facts[i];
	}
	return &none;
}

static inline void
fact_is(const char *fact, const char *value, const char *source)
{
	const PadvFact *found = find_fact(fact);

	if (!ok(strcmp(found->value, value) == 0 && strcmp(found->source, source) == 0,
			"%s: %s", fact, value))
		printf("#   got      %s | %s\n#   expected %s | %s\n",
			   found->value, found->source, value, source);
}

static inline void
count_is(int got, int expected, const char *name)
{
	if (!ok(got == expected, "%s: %d", name, expected))
		printf("#   got %d\n", got);
}

static inline void
check_sound(const char *name)
{
	ok(is_sound_machine(&machine), "%s: figures fit together, facts are printable", name);
}

static inline void
read_machine(const char *name, const char *data_directory)
{
	memset(&machine, 0x5a, sizeof(machine));
	padv_machine_read(&machine, tree_root, data_directory);
	check_sound(name);
}

#endif							/* PADV_FAKE_TREE_H */
