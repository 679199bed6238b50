/*
 * disks.c
 *		Which disks hold the data, its WAL and its tablespaces.
 *
 * Owns the way from a directory over its mount and its device, through
 * partitions, device-mapper and md, down to the disks; and what counts as a
 * spindle: a rotating disk that holds data.  A disk that holds nothing but WAL
 * is shown but not counted, because readers do not wait for it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/mounts.h"
#include "machine/parts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif

/* Stacks are a few layers deep; a loop in a broken tree ends here. */
#define DEEPEST_STACK 8
#define MOST_VISITS 512

/* The descent from a device to its disks. */
typedef struct Descent
{
	PadvMachine *machine;
	const char *root;
	bool		holds_data;
	int			visits;
	int			found;			/* disks reached */
	char		names[128];		/* of these, for the fact */
} Descent;

/*
 * A path without symbolic links, as seen from below root.  What is not there
 * is taken as it is.
 */
static void
resolve(const char *root, const char *path, char resolved[PADV_PATH])
{
	char		full[PADV_PATH];
	char	   *real_root = root[0] == '\0' ? NULL : realpath(root, NULL);
	char	   *real = padv_join(full, root, path, "") ? realpath(full, NULL) : NULL;
	size_t		skip = real_root ? strlen(real_root) : 0;

	if (real != NULL && (root[0] == '\0' ||
						 (real_root != NULL && padv_is_below(real, real_root))))
		padv_join(resolved, real + skip, "", "");
	else
		padv_join(resolved, path, "", "");
	free(real);
	free(real_root);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The mount that a path is on: the longest point, the latest of equal ones. */
static bool
find_mount(const char *root, const char *path, PadvMount *found)
{
	char	   *mounts = padv_read_whole(root, "/proc/self/mountinfo");
	const char *cursor = mounts;
	size_t		longest = 0;
	PadvMount	mount;

	while (cursor != NULL && padv_next_mount(&cursor, &mount))
	{
		if (!padv_is_below(path, mount.point) || strlen(mount.point) < longest)
			continue;
		longest = strlen(mount.point);
		*found = mount;
	}
	free(mounts);
	return longest > 0;
}

/*
 * The device of a mount.  File systems that span devices have none of their
 * own (major 0), but name one as their source.
 */
static bool
mount_device(const char *root, const PadvMount *mount, char device[64])
{
	char		source[PADV_PATH];
	char		path[PADV_PATH];
	char		number[64];
	unsigned	major,
				minor;

	if (mount->major != 0)
	{
		snprintf(device, 64, "%u:%u", mount->major, mount->minor);
		return true;
	}
	if (strncmp(mount->source, "/dev/", 5) != 0)
		return false;
	resolve(root, mount->source, source);
	if (!padv_join(path, "/sys/class/block/", base_name(source), "/dev") ||
		padv_read_file(root, path, number, sizeof(number)) <= 0 ||
		sscanf(number, "%9u:%9u", &major, &minor) != 2)
		return false;
	snprintf(device, 64, "%u:%u", major, minor);
	return true;
}

static bool
exists(const char *root, const char *path)
{
	char		full[PADV_PATH];
	struct stat buffer;

	return padv_join(full, root, path, "") && stat(full, &buffer) == 0;
}

/* Virtual disks say that they rotate when nobody told them otherwise. */
static bool
is_virtual(const char *root, const char *name)
{
	static const char *const vendors[] = {"QEMU", "VMware", "Msft", "Google", "Xen"};
	char		path[PADV_PATH];
	char		vendor[64];

	if (strncmp(name, "vd", 2) == 0 || strncmp(name, "xvd", 3) == 0)
		return true;
	if (!padv_join(path, "/sys/block/", name, "/device/vendor") ||
		padv_read_file(root, path, vendor, sizeof(vendor)) <= 0)
		return false;
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++)
	{
		if (strncmp(vendor, vendors[i], strlen(vendors[i])) == 0)
			return true;
	}
	return false;
}

/* Whether a disk rotates, and its fact. */
static void
examine_disk(PadvMachine *machine, const char *root, PadvDisk *disk)
{
	char		path[PADV_PATH];
	char		fact[80];
	char		source[192];
	uint64_t	rotational = 0;
	bool		known = padv_join(path, "/sys/block/", disk->name, "/queue/rotational") &&
		padv_read_number(root, path, &rotational);

	disk->rotational = known && rotational != 0;
	snprintf(fact, sizeof(fact), "disk %s", disk->name);
	snprintf(source, sizeof(source), "/sys/block/%s/queue/rotational%s", disk->name,
			 !known ? ", not readable; not counted as a spindle" :
			 disk->rotational && is_virtual(root, disk->name) ?
			 ", as the hypervisor says; if untrue, set pool_advisor.spindles" : "");
	padv_add_fact(machine, fact,
				  !known ? "unknown" : disk->rotational ? "rotational" : "not rotational",
				  source);
}

/* A disk that the descent arrived at; it may have been met before. */
static void
add_disk(Descent *descent, const char *disk)
{
	PadvMachine *machine = descent->machine;
	const char *name = base_name(disk);
	size_t		length = strlen(descent->names);
	PadvDisk   *entry;

	snprintf(descent->names + length, sizeof(descent->names) - length, "%s%s",
			 length > 0 ? ", " : "", name);
	descent->found++;

	for (int i = 0; i < machine->ndisks; i++)
	{
		if (strcmp(machine->disks[i].name, name) == 0)
		{
			machine->disks[i].holds_data |= descent->holds_data;
			return;
		}
	}
	if (machine->ndisks >= PADV_MAX_DISKS || strlen(name) >= sizeof(entry->name))
		return;
	entry = &machine->disks[machine->ndisks++];
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->name, name, strlen(name) + 1);
	entry->holds_data = descent->holds_data;
}

/* A member of an md array that holds nothing: waiting to stand in, or broken. */
static bool
is_unused_member(const char *root, const char *device, const char *member)
{
	char		path[PADV_PATH];
	char		state[128];
	char		file[PADV_PATH];

	if (!padv_join(file, "/md/dev-", member, "/state") ||
		!padv_join(path, device, file, "") ||
		padv_read_file(root, path, state, sizeof(state)) <= 0)
		return false;
	return strstr(state, "spare") != NULL || strstr(state, "faulty") != NULL;
}

static void descend(Descent *descent, const char *device, int depth);

/* Go down to the devices that this one is made of; false if there are none. */
static bool
descend_to_members(Descent *descent, const char *device, int depth)
{
	char		slaves[PADV_PATH];
	char		full[PADV_PATH];
	DIR		   *directory;
	struct dirent *item;
	bool		any = false;

	if (!padv_join(slaves, device, "/slaves", "") ||
		!padv_join(full, descent->root, slaves, ""))
		return false;
	directory = opendir(full);
	if (directory == NULL)
		return false;
	while ((item = readdir(directory)) != NULL)
	{
		char		link[PADV_PATH];
		char		member[PADV_PATH];

		if (item->d_name[0] == '.')
			continue;
		any = true;
		if (is_unused_member(descent->root, device, item->d_name) ||
			!padv_join(link, slaves, "/", item->d_name))
			continue;
		resolve(descent->root, link, member);
		descend(descent, member, depth + 1);
	}
	closedir(directory);
	return any;
}

/* device is its directory in /sys, without links */
static void
descend(Descent *descent, const char *device, int depth)
{
	char		path[PADV_PATH];

	if (device[0] != '/' || depth > DEEPEST_STACK || ++descent->visits > MOST_VISITS)
		return;
	if (padv_join(path, device, "/partition", "") && exists(descent->root, path))
	{
		char		disk[PADV_PATH];

		padv_join(disk, device, "", "");
		*strrchr(disk, '/') = '\0';
		descend(descent, disk, depth + 1);
		return;
	}
	if (!descend_to_members(descent, device, depth))
		add_disk(descent, device);
}

/* The name of a device, with that of a device-mapper volume beside it. */
static void
describe_device(const char *root, const char *device, char *text, size_t size)
{
	char		path[PADV_PATH];
	char		name[64];

	if (padv_join(path, device, "/dm/name", "") &&
		padv_read_file(root, path, name, sizeof(name)) > 0)
		snprintf(text, size, "%.40s (%.*s)", base_name(device),
				 (int) strcspn(name, "\n"), name);
	else
		snprintf(text, size, "%.60s", base_name(device));
}

/* From a device number to the disks; false when /sys does not know it. */
static bool
add_device(PadvMachine *machine, const char *root, const char *fact,
		   const char *number, const char *source, bool holds_data)
{
	Descent		descent = {machine, root, holds_data, 0, 0, ""};
	char		link[PADV_PATH];
	char		device[PADV_PATH];
	char		name[128];

	padv_join(link, "/sys/dev/block/", number, "");
	if (!exists(root, link))
		return false;
	resolve(root, link, device);
	describe_device(root, device, name, sizeof(name));
	descend(&descent, device, 0);
	if (descent.found == 0)
		return false;
	if (strcmp(name, descent.names) == 0)
		padv_add_fact(machine, fact, name, source);
	else
		padv_add_fact_value(machine, fact, source, "%s on %s", name, descent.names);
	machine->disks_known = true;
	return true;
}

/* Without a table of mounts there is still the number that stat(2) gives. */
static bool
stat_device(const char *root, const char *path, char device[64])
{
#ifdef __linux__
	struct stat buffer;

	if (root[0] == '\0' && stat(path, &buffer) == 0 && major(buffer.st_dev) != 0)
	{
		snprintf(device, 64, "%u:%u", major(buffer.st_dev), minor(buffer.st_dev));
		return true;
	}
#else
	(void) root;
	(void) path;
	(void) device;
#endif
	return false;
}

/* One directory: its fact, and the disks under it. */
static void
add_directory(PadvMachine *machine, const char *root, const char *fact,
			  const char *directory, bool holds_data)
{
	char		path[PADV_PATH];
	char		device[64];
	char		source[192];
	PadvMount	mount;

	resolve(root, directory, path);
	if (!find_mount(root, path, &mount))
	{
		snprintf(source, sizeof(source), "device of %.150s, by stat(2)", path);
		if (!stat_device(root, path, device) ||
			!add_device(machine, root, fact, device, source, holds_data))
			padv_add_fact(machine, fact, "unknown", "/proc/self/mountinfo does not tell its mount");
		return;
	}
	snprintf(source, sizeof(source), "%.90s, mounted at %.60s (%.20s)", path, mount.point, mount.type);
	if (!mount_device(root, &mount, device))
		padv_add_fact_value(machine, fact, source, "no disk found under %s", mount.type);
	else if (!add_device(machine, root, fact, device, source, holds_data))
		padv_add_fact_value(machine, fact, source, "device %s, unknown to /sys", device);
}

static void
add_tablespaces(PadvMachine *machine, const char *root, const char *data_directory)
{
	char		tablespaces[PADV_PATH];
	char		full[PADV_PATH];
	DIR		   *directory;
	struct dirent *item;

	if (!padv_join(tablespaces, data_directory, "/pg_tblspc", "") ||
		!padv_join(full, root, tablespaces, ""))
		return;
	directory = opendir(full);

	/* where only /proc and /sys are below root, the data is not */
	if (directory == NULL)
		directory = opendir(tablespaces);
	while (directory != NULL && (item = readdir(directory)) != NULL)
	{
		char		path[PADV_PATH];
		char		fact[64];

		if (item->d_name[0] == '.' || !padv_join(path, tablespaces, "/", item->d_name))
			continue;
		snprintf(fact, sizeof(fact), "tablespace %.50s", item->d_name);
		add_directory(machine, root, fact, path, true);
	}
	if (directory != NULL)
		closedir(directory);
}

void
padv_read_disks(PadvMachine *machine, const char *root, const char *data_directory)
{
	char		wal[PADV_PATH];

	add_directory(machine, root, "data directory", data_directory, true);
	if (padv_join(wal, data_directory, "/pg_wal", ""))
		add_directory(machine, root, "WAL", wal, false);
	add_tablespaces(machine, root, data_directory);

	for (int i = 0; i < machine->ndisks; i++)
	{
		examine_disk(machine, root, &machine->disks[i]);
		machine->spindles += machine->disks[i].rotational && machine->disks[i].holds_data;
	}
	if (machine->disks_known)
		padv_add_fact_value(machine, "spindles",
							"rotational disks under the data directory and the tablespaces",
							"%d", machine->spindles);
	else
		padv_add_fact(machine, "spindles", "unknown",
					  "no disk was found; pool_advisor.spindles can say how many there are");
}
