/*
 * disks.c
 *		The disks of the data directory, of WAL, and of tablespaces.
 *
 * Owns the step from a directory to its mount and device.  A spindle is a rotating
 * disk with data.  A disk that contains only WAL is shown, but not counted, because
 * reads do not wait for it.  devices.c finds the disks of a device.  Called by
 * machine.c.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/machine_internal.h"
#include "machine/mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif

/* The other half is for disks. */
#define MOST_FACTS_ON_DIRECTORIES (PADV_MAX_FACTS / 2)

/* The most symbolic links in a row, below a root other than "". */
#define MOST_LINKS 8

/* The state of the search of all directories. */
typedef struct Search
{
	PadvMachine *machine;
	const char *root;
	char	   *mounts;			/* NULL: not readable */
} Search;

/*
 * Find the real path of a directory.  With a root other than "", it is searched
 * below root first, including the targets of absolute links.  Otherwise it can be
 * on this machine, if only /proc and /sys are below root.
 */
static void
locate_path(const char *root, const char *directory, char located[PADV_PATH])
{
	char		full[PADV_PATH];
	char		target[PADV_PATH];
	char		real_root[PADV_PATH];

	if (!padv_join(located, directory, "", ""))
		return;
	for (int links = 0; root[0] != '\0' && links < MOST_LINKS; links++)
	{
		ssize_t		length = padv_join(full, root, located, "") ?
			readlink(full, target, sizeof(target) - 1) : -1;

		if (length <= 0 || target[0] != '/')
			break;
		target[length] = '\0';
		padv_join(located, target, "", "");
	}
	padv_join(target, located, "", "");
	padv_resolve(root, target, located);
	if (padv_exists(root, located) || root[0] == '\0')
		return;

	/* the target of a link can include the root */
	padv_resolve("", target, located);
	padv_resolve("", root, real_root);
	if (padv_is_below(located, real_root) && located[strlen(real_root)] == '/')
	{
		padv_join(target, located + strlen(real_root), "", "");
		padv_join(located, target, "", "");
	}
}

/*
 * The mount of a path: the one with the longest mount point, and of equal ones the
 * latest.
 */
static bool
find_mount(const char *mounts, const char *path, PadvMount *found)
{
	size_t		longest = 0;
	PadvMount	mount;

	while (mounts != NULL && padv_next_mount(&mounts, &mount))
	{
		if (!padv_is_below(path, mount.point) || strlen(mount.point) < longest)
			continue;
		longest = strlen(mount.point);
		*found = mount;
	}
	return longest > 0;
}

/*
 * Find the device of a mount, as "major:minor".  A file system on several devices
 * has none (major 0), but its source is one of them; *name is the name of that one,
 * or empty.
 */
static bool
find_number(const char *root, const PadvMount *mount, char number[32], char name[64])
{
	char		source[PADV_PATH];
	char		path[PADV_PATH];

	name[0] = '\0';
	if (mount->major != 0)
	{
		snprintf(number, 32, "%u:%u", mount->major, mount->minor);
		return true;
	}
	if (strncmp(mount->source, "/dev/", 5) != 0)
		return false;

	/* entries of /dev/mapper are links */
	padv_resolve(root, mount->source, source);
	if (strlen(padv_base_name(source)) >= 64 ||
		!padv_join(path, "/sys/class/block/", padv_base_name(source), "/dev") ||
		!padv_read_line(root, path, number, 32))
		return false;
	memcpy(name, padv_base_name(source), strlen(padv_base_name(source)) + 1);
	return strspn(number, "0123456789:") == strlen(number);
}

/* Find the directory with all devices of a btrfs, if there are several. */
static bool
find_btrfs(const char *root, const char *name, char directory[PADV_PATH])
{
	PadvNames  *all = padv_list_directory(root, "/sys/fs/btrfs");
	bool		found = false;

	for (int i = 0; all != NULL && i < all->count && !found; i++)
	{
		char		device[PADV_PATH];
		PadvNames  *members;

		if (!padv_join(directory, "/sys/fs/btrfs/", all->names[i], "/devices") ||
			!padv_join(device, directory, "/", name) || !padv_exists(root, device))
			continue;
		members = padv_list_directory(root, directory);
		found = members != NULL && members->count > 1;
		free(members);
	}
	free(all);
	return found;
}

/* Add the disks of a mount.  Returns false if they cannot be found. */
static bool
add_mount(Search *search, const PadvMount *mount, bool holds_data, char chain[PADV_CHAIN])
{
	char		number[32];
	char		name[64];
	char		directory[PADV_PATH];

	if (!find_number(search->root, mount, number, name))
		return false;
	if (strcmp(mount->type, "btrfs") == 0 && find_btrfs(search->root, name, directory))
		return padv_add_members(search->machine, search->root, "btrfs", directory,
								holds_data, chain);
	return padv_add_device(search->machine, search->root, number, holds_data, chain);
}

/* Explain why a mount has no disk. */
static void
explain_mount(const char *root, const PadvMount *mount, char chain[PADV_CHAIN])
{
	static const struct
	{
		const char *type;
		const char *words;
	}			kinds[] = {
		{"tmpfs", "in memory"},
		{"ramfs", "in memory"},
		{"nfs", "over the network"},
		{"nfs4", "over the network"},
		{"cifs", "over the network"},
		{"smb3", "over the network"},
		{"ceph", "over the network"},
		{"fuse.ceph", "over the network"},
		{"fuse.glusterfs", "over the network"},
		{"lustre", "over the network"},
		{"9p", "from the host of this virtual machine"},
		{"virtiofs", "from the host of this virtual machine"},
		{"zfs", "which does not tell its disks"},
		{"overlay", "which does not tell its disks"},
	};
	const char *words = "no disk found";
	char		number[32];
	char		device[PADV_PATH];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		if (strcmp(mount->type, kinds[i].type) == 0)
			words = kinds[i].words;
	}
	if (mount->major == 0)
	{
		snprintf(chain, PADV_CHAIN, "%s, %s", mount->type, words);
		return;
	}
	snprintf(number, sizeof(number), "%u:%u", mount->major, mount->minor);
	snprintf(chain, PADV_CHAIN, "device %s, %s", number,
			 padv_find_device(root, number, device) ? "with no disk under it" : "unknown to /sys");
}

/* Without mountinfo, use the device number of stat(2). */
static bool
stat_device(const char *root, const char *path, char number[32])
{
#ifdef __linux__
	struct stat buffer;

	if (root[0] == '\0' && stat(path, &buffer) == 0)
	{
		snprintf(number, 32, "%u:%u", major(buffer.st_dev), minor(buffer.st_dev));
		return true;
	}
#else
	(void) root;
	(void) path;
	(void) number;
#endif
	return false;
}

/* Add the fact of a directory, and its disks. */
static void
add_directory(Search *search, const char *fact, const char *directory, bool holds_data)
{
	PadvMachine *machine = search->machine;
	char		path[PADV_PATH];
	char		short_path[81];
	char		short_point[51];
	char		number[32];
	char		chain[PADV_CHAIN] = "unknown";
	char		source[PADV_CHAIN];
	PadvMount	mount;

	locate_path(search->root, directory, path);
	padv_shorten(short_path, sizeof(short_path), path);
	if (find_mount(search->mounts, path, &mount))
	{
		padv_shorten(short_point, sizeof(short_point), mount.point);
		snprintf(source, sizeof(source), "%s is on %s (%.20s), " PADV_MOUNTS_FILE,
				 short_path, short_point, mount.type);
		if (!add_mount(search, &mount, holds_data, chain))
			explain_mount(search->root, &mount, chain);
	}
	else if (stat_device(search->root, path, number) &&
			 padv_add_device(machine, search->root, number, holds_data, chain))
		snprintf(source, sizeof(source), "stat(2) of %s: device %s", short_path, number);
	else
		snprintf(source, sizeof(source), "%s is not found in " PADV_MOUNTS_FILE, short_path);

	if (machine->nfacts < MOST_FACTS_ON_DIRECTORIES)
		padv_add_fact(machine, fact, chain, source);
	else
		machine->facts_left_out++;
}

static void
add_tablespaces(Search *search, const char *data_directory)
{
	char		directory[PADV_PATH];
	PadvNames  *tablespaces;

	if (!padv_join(directory, data_directory, "/pg_tblspc", ""))
		return;
	tablespaces = padv_list_directory(search->root, directory);

	/* if only /proc and /sys are below root, the data is on this machine */
	if (tablespaces == NULL)
		tablespaces = padv_list_directory("", directory);
	for (int i = 0; tablespaces != NULL && i < tablespaces->count; i++)
	{
		char		path[PADV_PATH];
		char		fact[PADV_VALUE];

		if (!padv_join(path, directory, "/", tablespaces->names[i]))
			continue;
		snprintf(fact, sizeof(fact), "tablespace %s", tablespaces->names[i]);
		add_directory(search, fact, path, true);
	}
	free(tablespaces);
}

void
padv_read_disks(PadvMachine *machine, const char *root, const char *data_directory)
{
	Search		search = {machine, root, padv_read_whole(root, PADV_MOUNTS_FILE)};
	char		data[PADV_PATH];
	char		wal[PADV_PATH];

	locate_path(root, data_directory, data);
	add_directory(&search, "data directory", data, true);
	if (padv_join(wal, data, "/pg_wal", ""))
		add_directory(&search, "WAL", wal, false);
	add_tablespaces(&search, data);
	free(search.mounts);

	padv_examine_disks(machine, root);
	if (!machine->disks_known)
		padv_add_fact(machine, "spindles", "unknown", machine->ndisks == 0 ?
					  "no disk was found; pool_advisor.spindles can say how many there are" :
					  "no disk under the data tells whether it rotates; "
					  "pool_advisor.spindles can say how many there are");
	else if (machine->spindles == 0)
		padv_add_fact(machine, "spindles", "0",
					  "no disk that holds data is rotational");
	else
		padv_add_fact_value(machine, "spindles",
							"rotational disks that hold data; what a hypervisor or a RAID controller "
							"hides is not seen: pool_advisor.spindles overrides",
							"%d", machine->spindles);
}
