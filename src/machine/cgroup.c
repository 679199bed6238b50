/*
 * cgroup.c
 *		The limits of the cgroups of this process: CPU time, CPUs and memory.
 *
 * Owns the layout of cgroup v1 and v2, which can exist together (hybrid).  The
 * limits of a cgroup apply to all cgroups below it, so the tightest quota, and limit of memory,
 * from ours up to the root of the mount counts.  Cgroups above the root of the mount, as on
 * the host of a container, are not visible.  Called by machine.c.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/machine_internal.h"
#include "machine/mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The hierarchy of a controller, and our cgroup in it. */
typedef struct Hierarchy
{
	bool		found;
	bool		v2;
	char		mount_root[PADV_PATH];	/* cgroup at the mount point */
	char		mount_point[PADV_PATH];
	char		group[PADV_PATH];	/* our cgroup; the mount's root or below
									 * it */
} Hierarchy;

/*
 * Find our cgroup in the hierarchy of a v1 controller, or of v2 with an empty name.
 * Lines are ID:CONTROLLERS:PATH.
 */
static bool
find_group(const char *text, const char *controller, char group[PADV_PATH])
{
	while (*text != '\0')
	{
		size_t		length = strcspn(text, "\n");
		const char *end = text + length;
		const char *controllers = memchr(text, ':', length);
		const char *path = controllers ?
			memchr(controllers + 1, ':', (size_t) (end - controllers - 1)) : NULL;

		if (path != NULL)
		{
			char		names[256];
			size_t		names_length = (size_t) (path - controllers - 1);
			size_t		path_length = (size_t) (end - path - 1);

			if (names_length < sizeof(names) && path_length < PADV_PATH && path[1] == '/')
			{
				memcpy(names, controllers + 1, names_length);
				names[names_length] = '\0';
				memcpy(group, path + 1, path_length);
				group[path_length] = '\0';
				if (controller[0] == '\0' ? names_length == 0 : padv_in_list(names, controller))
					return true;
			}
		}
		text = *end == '\0' ? end : end + 1;
	}
	return false;
}

/* Whether a path contains "..". */
static bool
goes_up(const char *path)
{
	for (const char *at = strstr(path, "/.."); at != NULL; at = strstr(at + 1, "/.."))
	{
		if (at[3] == '\0' || at[3] == '/')
			return true;
	}
	return false;
}

/*
 * Whether our cgroup is below the root of a mount.  Both paths are relative to the
 * root of our cgroup namespace; "/.." is above it.
 */
static bool
group_is_below(const char *group, const char *mount_root)
{
	size_t		length = strlen(mount_root);

	return padv_is_below(group, mount_root) &&
		!goes_up(group + (length > 1 ? length : 0));
}

/*
 * Find the mount of a controller; the name is empty for v2.  A mount that shows our
 * cgroup is preferred.  Without one, as when the mount was made outside of our
 * cgroup namespace, its root stands for our cgroup, which is somewhere below it.
 * Only a cgroup that left our namespace is not below any mount.
 */
static void
find_hierarchy(const char *groups, const char *mounts, const char *controller,
			   Hierarchy *hierarchy)
{
	PadvMount	mount;
	bool		below = false;

	memset(hierarchy, 0, sizeof(*hierarchy));
	hierarchy->v2 = controller[0] == '\0';
	if (!find_group(groups, controller, hierarchy->group))
		return;
	while (!below && padv_next_mount(&mounts, &mount))
	{
		if (hierarchy->v2 ? strcmp(mount.type, "cgroup2") != 0 :
			(strcmp(mount.type, "cgroup") != 0 || !padv_in_list(mount.options, controller)))
			continue;
		below = group_is_below(hierarchy->group, mount.root);
		if (!below && (hierarchy->found || goes_up(hierarchy->group)))
			continue;
		hierarchy->found = true;
		padv_join(hierarchy->mount_root, mount.root, "", "");
		padv_join(hierarchy->mount_point, mount.point, "", "");
	}
	if (!below)
		padv_join(hierarchy->group, hierarchy->mount_root, "", "");
}

/*
 * Make the path of a file of a cgroup.  Returns false if the cgroup is not below
 * the mount.
 */
static bool
group_file(const Hierarchy *hierarchy, const char *group, const char *file,
		   char path[PADV_PATH])
{
	size_t		skip = strlen(hierarchy->mount_root);
	char		directory[PADV_PATH];

	if (!hierarchy->found || !group_is_below(group, hierarchy->mount_root))
		return false;
	if (skip > 0 && hierarchy->mount_root[skip - 1] == '/')
		skip--;
	group += skip;
	if (strcmp(group, "/") == 0)
		group = "";
	return padv_join(directory, hierarchy->mount_point, group, "/") &&
		padv_join(path, directory, file, "");
}

/* Go to the parent cgroup.  Returns false at the root. */
static bool
go_up(char group[PADV_PATH])
{
	char	   *slash = strrchr(group, '/');

	if (slash == NULL || strcmp(group, "/") == 0)
		return false;
	slash[slash == group ? 1 : 0] = '\0';
	return true;
}

/*
 * Read quota and period of a cgroup, in microseconds, and the name of the file with
 * the quota.  Returns false if there is no limit ("max", or -1).
 */
static bool
read_quota(const char *root, const Hierarchy *hierarchy, const char *group,
		   uint64_t *quota, uint64_t *period, char path[PADV_PATH])
{
	char		buffer[64];
	const char *at = buffer;
	char		period_path[PADV_PATH];

	if (hierarchy->v2)
		return group_file(hierarchy, group, "cpu.max", path) &&
			padv_read_file(root, path, buffer, sizeof(buffer)) > 0 &&
			padv_parse_number(&at, quota) && padv_parse_number(&at, period) &&
			*quota > 0 && *period > 0;
	return group_file(hierarchy, group, "cpu.cfs_period_us", period_path) &&
		group_file(hierarchy, group, "cpu.cfs_quota_us", path) &&
		padv_read_number(root, path, quota) &&
		padv_read_number(root, period_path, period) &&
		*quota > 0 && *period > 0;
}

static void
describe_quota(PadvCgroup *cgroup, uint64_t quota, uint64_t period, const char *path)
{
	int			length = snprintf(cgroup->quota_source, PADV_SOURCE,
								  "%llu us of CPU time every %llu us, ",
								  (unsigned long long) quota, (unsigned long long) period);

	padv_shorten(cgroup->quota_source + length, PADV_SOURCE - (size_t) length, path);
}

/*
 * Apply the quotas of our cgroup and of its parents.  usage is the hierarchy with
 * the CPU time that a cgroup used.
 */
static void
apply_quotas(PadvCgroup *cgroup, const char *root, const Hierarchy *hierarchy,
			 const Hierarchy *usage)
{
	char		group[PADV_PATH];

	padv_join(group, hierarchy->group, "", "");
	do
	{
		char		path[PADV_PATH];
		uint64_t	quota,
					period;
		double		cpus;

		if (!read_quota(root, hierarchy, group, &quota, &period, path))
			continue;
		cpus = (double) quota / (double) period;
		if (cgroup->quota >= 0.0 && cpus >= cgroup->quota)
			continue;
		cgroup->quota = cpus;
		describe_quota(cgroup, quota, period, path);
		cgroup->usage_file[0] = '\0';
		if (group_file(usage, group, usage->v2 ? "cpu.stat" : "cpuacct.usage", path) &&
			strlen(path) < sizeof(cgroup->usage_file))
			memcpy(cgroup->usage_file, path, strlen(path) + 1);
	} while (go_up(group));
}

/* Read the cpuset of the nearest cgroup that has one. */
static void
apply_cpuset(PadvCgroup *cgroup, const char *root, const Hierarchy *hierarchy)
{
	static const char *const v2_files[] = {"cpuset.cpus.effective", NULL};
	static const char *const v1_files[] = {"cpuset.effective_cpus", "cpuset.cpus", NULL};
	char		group[PADV_PATH];

	padv_join(group, hierarchy->group, "", "");
	do
	{
		for (const char *const *file = hierarchy->v2 ? v2_files : v1_files; *file; file++)
		{
			char		path[PADV_PATH];
			char		list[4096];

			if (!group_file(hierarchy, group, *file, path) ||
				padv_read_file(root, path, list, sizeof(list)) <= 0 ||
				!padv_parse_cpus(list, &cgroup->cpuset))
				continue;
			padv_shorten(cgroup->cpuset_source, sizeof(cgroup->cpuset_source), path);
			return;
		}
	} while (go_up(group));
}

/* Page tables in a cgroup, in bytes; only v2 counts them. */
static double
read_page_tables(const char *root, const Hierarchy *hierarchy, const char *group)
{
	char		path[PADV_PATH];
	char		text[8192];
	const char *rest;
	uint64_t	bytes;

	if (!hierarchy->v2 || !group_file(hierarchy, group, "memory.stat", path) ||
		padv_read_file(root, path, text, sizeof(text)) <= 0)
		return -1.0;
	rest = padv_find_line(text, "pagetables ");
	return rest != NULL && padv_parse_number(&rest, &bytes) ? (double) bytes : -1.0;
}

/* Apply the limits on memory of our cgroup and of its parents.  Without one v1 has a huge number. */
static void
apply_memory_limits(PadvCgroup *cgroup, const char *root, const Hierarchy *hierarchy)
{
	char		group[PADV_PATH];

	padv_join(group, hierarchy->group, "", "");
	do
	{
		char		path[PADV_PATH];
		uint64_t	bytes;

		if (!group_file(hierarchy, group, hierarchy->v2 ? "memory.max" : "memory.limit_in_bytes", path) ||
			!padv_read_number(root, path, &bytes) ||
			(cgroup->memory >= 0.0 && (double) bytes >= cgroup->memory))
			continue;
		cgroup->memory = (double) bytes;
		cgroup->page_tables = read_page_tables(root, hierarchy, group);
		padv_shorten(cgroup->memory_source, sizeof(cgroup->memory_source), path);
	} while (go_up(group));
}

void
padv_read_cgroup(PadvCgroup *cgroup, const char *root)
{
	char	   *groups = padv_read_whole(root, "/proc/self/cgroup");
	char	   *mounts = padv_read_whole(root, PADV_MOUNTS_FILE);
	Hierarchy	hierarchy,
				usage;

	memset(cgroup, 0, sizeof(*cgroup));
	cgroup->quota = cgroup->memory = cgroup->page_tables = -1.0;
	if (groups != NULL && mounts != NULL)
	{
		find_hierarchy(groups, mounts, "cpu", &hierarchy);
		find_hierarchy(groups, mounts, "cpuacct", &usage);
		apply_quotas(cgroup, root, &hierarchy, &usage);
		find_hierarchy(groups, mounts, "cpuset", &hierarchy);
		apply_cpuset(cgroup, root, &hierarchy);
		find_hierarchy(groups, mounts, "memory", &hierarchy);
		apply_memory_limits(cgroup, root, &hierarchy);

		/* each controller is in one of the two versions only */
		find_hierarchy(groups, mounts, "", &hierarchy);
		apply_quotas(cgroup, root, &hierarchy, &hierarchy);
		apply_memory_limits(cgroup, root, &hierarchy);
		if (cgroup->cpuset.count == 0)
			apply_cpuset(cgroup, root, &hierarchy);
	}
	free(groups);
	free(mounts);
}
