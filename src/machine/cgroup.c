/*
 * cgroup.c
 *		What the control groups of this process allow: CPU time and CPUs.
 *
 * Owns the layout of cgroup v1 and v2, which may both be there (hybrid).  A
 * group's limits hold for all groups below it, so all from ours up to the root
 * of the mount are looked at and the tightest quota wins; what lies above the
 * mount's root, as on a container's host, cannot be seen from here.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/mounts.h"
#include "machine/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a controller's groups are, and which of them is ours. */
typedef struct Hierarchy
{
	bool		found;
	bool		v2;
	char		mount_root[PADV_PATH];	/* which group stands at the point */
	char		mount_point[PADV_PATH];
	char		group[PADV_PATH];
} Hierarchy;

/*
 * Our group in the hierarchy of a v1 controller, or, with an empty name, in
 * that of v2: lines are ID:CONTROLLERS:PATH.
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
			int			names_length = (int) (path - controllers - 1);
			int			path_length = (int) (end - path - 1);

			snprintf(names, sizeof(names), "%.*s", names_length, controllers + 1);
			if ((controller[0] == '\0' ? names_length == 0 : padv_in_list(names, controller)) &&
				path[1] == '/' && path_length < PADV_PATH)
			{
				snprintf(group, PADV_PATH, "%.*s", path_length, path + 1);
				return true;
			}
		}
		text = *end == '\0' ? end : end + 1;
	}
	return false;
}

/* controller is empty for v2 */
static void
find_hierarchy(const char *groups, const char *mounts, const char *controller,
			   Hierarchy *hierarchy)
{
	PadvMount	mount;

	memset(hierarchy, 0, sizeof(*hierarchy));
	hierarchy->v2 = controller[0] == '\0';
	if (!find_group(groups, controller, hierarchy->group))
		return;
	while (!hierarchy->found && padv_next_mount(&mounts, &mount))
	{
		if (hierarchy->v2 ? strcmp(mount.type, "cgroup2") != 0 :
			(strcmp(mount.type, "cgroup") != 0 || !padv_in_list(mount.options, controller)))
			continue;
		hierarchy->found = true;
		padv_join(hierarchy->mount_root, mount.root, "", "");
		padv_join(hierarchy->mount_point, mount.point, "", "");
	}

	/* a group that is not below what is mounted: all we see is the mount */
	if (!padv_is_below(hierarchy->group, hierarchy->mount_root) ||
		strstr(hierarchy->group, "/..") != NULL)
		padv_join(hierarchy->group, hierarchy->mount_root, "", "");
}

/* A file of a group; false when the group is not below the mount. */
static bool
group_file(const Hierarchy *hierarchy, const char *group, const char *file,
		   char path[PADV_PATH])
{
	size_t		skip = strlen(hierarchy->mount_root);
	char		directory[PADV_PATH];

	if (!hierarchy->found || !padv_is_below(group, hierarchy->mount_root))
		return false;
	if (skip > 0 && hierarchy->mount_root[skip - 1] == '/')
		skip--;
	group += skip;
	if (strcmp(group, "/") == 0)
		group = "";
	return padv_join(directory, hierarchy->mount_point, group, "/") &&
		padv_join(path, directory, file, "");
}

/* The group above; false at the root. */
static bool
go_up(char group[PADV_PATH])
{
	char	   *slash = strrchr(group, '/');

	if (slash == NULL || strcmp(group, "/") == 0)
		return false;
	slash[slash == group ? 1 : 0] = '\0';
	return true;
}

/* Quota and period of a group, in microseconds; false when it has no limit. */
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

/*
 * Let the quotas of our group and of those above it count.  usage is the
 * hierarchy that knows how much CPU time a group used.
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
		snprintf(cgroup->quota_source, sizeof(cgroup->quota_source),
				 "%llu us of CPU time every %llu us, %.120s",
				 (unsigned long long) quota, (unsigned long long) period, path);
		cgroup->usage_file[0] = '\0';
		if (group_file(usage, group, usage->v2 ? "cpu.stat" : "cpuacct.usage", path) &&
			strlen(path) < sizeof(cgroup->usage_file))
			memcpy(cgroup->usage_file, path, strlen(path) + 1);
	} while (go_up(group));
}

/* The CPUs of our group: of the nearest that says so. */
static void
apply_cpuset(PadvCgroup *cgroup, const char *root, const Hierarchy *hierarchy)
{
	static const char *const files[] = {
		"cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"
	};
	char		group[PADV_PATH];

	padv_join(group, hierarchy->group, "", "");
	do
	{
		for (int i = 0; i < 3; i++)
		{
			char		path[PADV_PATH];
			char		list[4096];

			if (!group_file(hierarchy, group, files[i], path) ||
				padv_read_file(root, path, list, sizeof(list)) <= 0 ||
				!padv_parse_cpus(list, &cgroup->cpuset))
				continue;
			snprintf(cgroup->cpuset_source, sizeof(cgroup->cpuset_source), "%.190s", path);
			return;
		}
	} while (go_up(group));
}

void
padv_read_cgroup(PadvCgroup *cgroup, const char *root)
{
	char	   *groups = padv_read_whole(root, "/proc/self/cgroup");
	char	   *mounts = padv_read_whole(root, "/proc/self/mountinfo");
	Hierarchy	v2,
				cpu,
				cpuacct,
				cpuset;

	memset(cgroup, 0, sizeof(*cgroup));
	cgroup->quota = -1.0;
	if (groups != NULL && mounts != NULL)
	{
		find_hierarchy(groups, mounts, "", &v2);
		find_hierarchy(groups, mounts, "cpu", &cpu);
		find_hierarchy(groups, mounts, "cpuacct", &cpuacct);
		find_hierarchy(groups, mounts, "cpuset", &cpuset);
		apply_quotas(cgroup, root, &v2, &v2);
		apply_quotas(cgroup, root, &cpu, &cpuacct);
		apply_cpuset(cgroup, root, cpuset.found ? &cpuset : &v2);
	}
	free(groups);
	free(mounts);
}
