/*
 * devices.c
 *		The disks below a block device.
 *
 * Owns the block devices in /sys: partitions, device-mapper, md, the members of a
 * file system, and whether a disk rotates.  The number of steps is bounded, also if
 * the tree contains a cycle.  Called by disks.c.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/machine_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Real stacks have up to eight layers and some hundred members. */
#define DEEPEST_STACK 12
#define MOST_VISITS 1024

/* The search from a device down to its disks. */
typedef struct Descent
{
	PadvMachine *machine;
	const char *root;
	bool		holds_data;
	int			visits;
	char		layers[DEEPEST_STACK + 1][PADV_VALUE];	/* names by depth */
	char		disks[PADV_VALUE];	/* names of disks found */
} Descent;

/* Append a name to a list, if it is new.  Dots replace what does not fit. */
static void
append_name(char list[PADV_VALUE], const char *name)
{
	size_t		length = strlen(list);
	size_t		name_length = strlen(name);
	const char *at;

	if (length >= 3 && strcmp(list + length - 3, "...") == 0)
		return;
	for (at = strstr(list, name); at != NULL; at = strstr(at + 1, name))
	{
		if ((at == list || at[-1] == ' ') && (at[name_length] == ',' || at[name_length] == '\0'))
			return;
	}

	/* there must be room for the name, a separator, and dots */
	if (length + name_length + 8 > PADV_VALUE)
		name = "...";
	snprintf(list + length, PADV_VALUE - length, "%s%s", length > 0 ? ", " : "", name);
}

/* Add a disk to the machine, if it is new. */
static void
add_disk(Descent *descent, const char *name)
{
	PadvMachine *machine = descent->machine;
	PadvDisk   *disk;

	append_name(descent->disks, name);
	for (int i = 0; i < machine->ndisks; i++)
	{
		if (strcmp(machine->disks[i].name, name) == 0)
		{
			machine->disks[i].holds_data |= descent->holds_data;
			return;
		}
	}
	if (machine->ndisks >= PADV_MAX_DISKS || strlen(name) >= sizeof(disk->name))
		return;
	disk = &machine->disks[machine->ndisks++];
	memset(disk, 0, sizeof(*disk));
	memcpy(disk->name, name, strlen(name) + 1);
	disk->holds_data = descent->holds_data;
}

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Read the first line of a file of a device; empty if there is none. */
static void
read_attribute(const char *root, const char *device, const char *file,
			   char *line, size_t size)
{
	char		path[PADV_PATH];

	if (!padv_join(path, device, "/", file) || !padv_read_line(root, path, line, size))
		line[0] = '\0';
}

/* Whether a device is a dm-multipath device: several paths to one disk. */
static bool
is_multipath(const char *root, const char *device)
{
	char		uuid[64];

	read_attribute(root, device, "dm/uuid", uuid, sizeof(uuid));
	return has_prefix(uuid, "mpath-");
}

/* Describe a device by name and kind. */
static void
describe_device(const char *root, const char *device, char text[PADV_VALUE])
{
	char		uuid[64];
	char		name[48];
	char		level[24];

	read_attribute(root, device, "dm/uuid", uuid, sizeof(uuid));
	read_attribute(root, device, "dm/name", name, sizeof(name));
	read_attribute(root, device, "md/level", level, sizeof(level));
	if (name[0] != '\0')
		snprintf(text, PADV_VALUE, "%.40s (%s%s)", padv_base_name(device),
				 has_prefix(uuid, "LVM-") ? "LVM " :
				 has_prefix(uuid, "CRYPT-") ? "encrypted " :
				 has_prefix(uuid, "mpath-") ? "multipath " : "", name);
	else if (level[0] != '\0')
		snprintf(text, PADV_VALUE, "%.40s (%s)", padv_base_name(device), level);
	else
		snprintf(text, PADV_VALUE, "%.60s", padv_base_name(device));
}

/* Whether a member of an md array has no data: a spare or faulty one. */
static bool
is_unused_member(const char *root, const char *device, const char *member)
{
	char		file[PADV_PATH];
	char		state[128];

	if (!padv_join(file, "md/dev-", member, "/state"))
		return false;
	read_attribute(root, device, file, state, sizeof(state));
	return strstr(state, "spare") != NULL || strstr(state, "faulty") != NULL;
}

/* Find the directory of a device in /sys by name. */
static bool
find_device(const char *root, const char *name, char device[PADV_PATH])
{
	char		link[PADV_PATH];

	if (!(padv_join(link, "/sys/class/block/", name, "") && padv_exists(root, link)) &&
		!(padv_join(link, "/sys/block/", name, "") && padv_exists(root, link)))
		return false;
	padv_resolve(root, link, device);
	return true;
}

static bool add_slave_devices(Descent *descent, const char *device, int depth);

/*
 * Descend to the devices in a directory.  Returns false if there are none.
 * *reached is set if a disk was found.
 */
static bool
descend_to_members(Descent *descent, const char *device, const char *directory,
				   int depth, bool *reached)
{
	PadvNames  *members = padv_list_directory(descent->root, directory);
	bool		only_one = is_multipath(descent->root, device);
	bool		any = members != NULL && members->count > 0;

	*reached = false;
	for (int i = 0; any && i < members->count && !(only_one && *reached); i++)
	{
		char		member[PADV_PATH];

		if (!is_unused_member(descent->root, device, members->names[i]) &&
			find_device(descent->root, members->names[i], member))
			*reached |= add_slave_devices(descent, member, depth + 1);
	}
	free(members);
	return any;
}

/*
 * Descend from a device, given as its directory in /sys without links.  Returns
 * true if a disk was found.
 */
static bool
add_slave_devices(Descent *descent, const char *device, int depth)
{
	char		path[PADV_PATH];
	char		name[PADV_VALUE];
	bool		reached;

	if (device[0] != '/' || depth > DEEPEST_STACK || ++descent->visits > MOST_VISITS)
		return false;
	if (padv_join(path, device, "/partition", "") && padv_exists(descent->root, path))
	{
		/* further down the name of the disk is enough */
		if (depth == 0)
			append_name(descent->layers[depth], padv_base_name(device));
		padv_join(path, device, "", "");
		*strrchr(path, '/') = '\0';
		return add_slave_devices(descent, path, depth + 1);
	}
	if (padv_join(path, device, "/slaves", "") &&
		descend_to_members(descent, device, path, depth, &reached))
	{
		describe_device(descent->root, device, name);
		append_name(descent->layers[depth], name);
		return reached;
	}
	add_disk(descent, padv_base_name(device));
	return true;
}

/*
 * Format a chain like "sda1 on sda", or "dm-0 (LVM vg-data) on md0 (raid10) on sda,
 * sdb".  Lists as many whole names of disks as fit.
 */
static void
print_chain(const Descent *descent, char chain[PADV_CHAIN])
{
	const char *disks = descent->disks;
	size_t		length = 0;
	size_t		shown = 0;

	chain[0] = '\0';
	for (int depth = 0; depth <= DEEPEST_STACK && length < PADV_CHAIN; depth++)
	{
		if (descent->layers[depth][0] != '\0')
			length += (size_t) snprintf(chain + length, PADV_CHAIN - length, "%s on ",
										descent->layers[depth]);
	}
	if (length + strlen(disks) < PADV_VALUE)
	{
		snprintf(chain + length, PADV_CHAIN - length, "%s", disks);
		return;
	}
	for (size_t i = 0; disks[i] != '\0' && length + i + 6 <= PADV_VALUE; i++)
	{
		if (disks[i] == ',')
			shown = i + 2;
	}
	if (length < PADV_CHAIN)
		snprintf(chain + length, PADV_CHAIN - length, "%.*s...", (int) shown, disks);
}

bool
padv_find_device(const char *root, const char *number, char device[PADV_PATH])
{
	static const char *const all = "/sys/class/block/";
	char		path[PADV_PATH];
	PadvNames  *names;
	bool		found;

	found = padv_join(path, "/sys/dev/block/", number, "") && padv_exists(root, path);
	names = found ? NULL : padv_list_directory(root, all);
	for (int i = 0; names != NULL && !found && i < names->count; i++)
	{
		char		its_number[32];

		if (!padv_join(path, all, names->names[i], ""))
			continue;
		read_attribute(root, path, "dev", its_number, sizeof(its_number));
		found = strcmp(its_number, number) == 0;
	}
	free(names);
	if (found)
		padv_resolve(root, path, device);
	return found;
}

bool
padv_add_device(PadvMachine *machine, const char *root, const char *number,
				bool holds_data, char chain[PADV_CHAIN])
{
	Descent		descent;
	char		device[PADV_PATH];

	memset(&descent, 0, sizeof(descent));
	descent.machine = machine;
	descent.root = root;
	descent.holds_data = holds_data;
	if (!padv_find_device(root, number, device) ||
		!add_slave_devices(&descent, device, 0))
		return false;
	print_chain(&descent, chain);
	return true;
}

bool
padv_add_members(PadvMachine *machine, const char *root, const char *name,
				 const char *directory, bool holds_data, char chain[PADV_CHAIN])
{
	Descent		descent;
	bool		reached;

	memset(&descent, 0, sizeof(descent));
	descent.machine = machine;
	descent.root = root;
	descent.holds_data = holds_data;
	append_name(descent.layers[0], name);
	descend_to_members(&descent, directory, directory, 0, &reached);
	print_chain(&descent, chain);
	return reached;
}

/* Whether a disk is virtual.  Virtual disks usually report that they rotate. */
static bool
is_virtual(const char *root, const char *disk)
{
	static const char *const files[] = {"device/vendor", "device/model"};
	static const char *const words[] = {
		"QEMU", "VBOX", "VMware", "Virtual", "Msft", "Google", "Xen"
	};

	if (has_prefix(disk, "vd") || has_prefix(disk, "xvd"))
		return true;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
	{
		char		device[PADV_PATH];
		char		line[64];

		if (!padv_join(device, "/sys/block/", disk, ""))
			continue;
		read_attribute(root, device, files[i], line, sizeof(line));
		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
		{
			if (strstr(line, words[j]) != NULL)
				return true;
		}
	}
	return false;
}

/* Detect whether a disk rotates, and add a fact. */
static void
examine_disk(PadvMachine *machine, const char *root, PadvDisk *disk)
{
	char		path[PADV_PATH];
	char		fact[PADV_CHAIN];
	char		source[PADV_CHAIN];
	uint64_t	number = 0;
	bool		known = padv_join(path, "/sys/block/", disk->name, "/queue/rotational") &&
		padv_read_number(root, path, &number);

	disk->rotational = known && number != 0;
	if (known && disk->holds_data)
		machine->disks_known = true;
	if (disk->rotational && disk->holds_data)
		machine->spindles++;

	snprintf(fact, sizeof(fact), "disk %s", disk->name);
	snprintf(source, sizeof(source), "/sys/block/%s/queue/rotational%s%s", disk->name,
			 !known ? "; not readable, so not a spindle" :
			 disk->rotational && is_virtual(root, disk->name) ?
			 "; the hypervisor reports it, which may be untrue: pool_advisor.spindles overrides" : "",
			 disk->holds_data ? "" : "; holds WAL only");
	padv_add_fact(machine, fact,
				  !known ? "unknown" : disk->rotational ? "rotational" : "not rotational",
				  source);
}

void
padv_examine_disks(PadvMachine *machine, const char *root)
{
	for (int i = 0; i < machine->ndisks; i++)
		examine_disk(machine, root, &machine->disks[i]);
}
