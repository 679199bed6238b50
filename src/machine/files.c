/*
 * files.c
 *		Bounded readers of small files, like those of /proc and /sys.
 *
 * Owns reading and parsing.  A file may be missing, empty, truncated, huge, or have
 * any content.  Used in machine/ only.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Most files fit into USUAL_FILE.  /proc/cpuinfo with PADV_MAX_CPUS fits into
 * LARGEST_FILE.
 */
#define USUAL_FILE (16 * 1024)
#define LARGEST_FILE (16 * 1024 * 1024)

#define MOST_NAMES 4096

bool
padv_join(char path[PADV_PATH], const char *a, const char *b, const char *c)
{
	int			length = snprintf(path, PADV_PATH, "%s%s%s", a, b, c);

	if (length >= 0 && length < PADV_PATH)
		return true;
	path[0] = '\0';
	return false;
}

static int
open_file(const char *root, const char *path)
{
	char		full[PADV_PATH];

	/* O_NONBLOCK, because opening a FIFO could block */
	return padv_join(full, root, path, "") ?
		open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
}

/* Read until the end, or size bytes.  Returns the length, or -1. */
static int
read_bytes(int fd, char *buffer, size_t size)
{
	size_t		length = 0;

	while (length < size)
	{
		ssize_t		got = read(fd, buffer + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		length += (size_t) got;
	}
	return (int) length;
}

int
padv_read_file(const char *root, const char *path, char *buffer, size_t size)
{
	int			fd = open_file(root, path);
	int			length = -1;

	if (fd >= 0)
	{
		length = read_bytes(fd, buffer, size - 1);
		close(fd);
	}
	buffer[length < 0 ? 0 : length] = '\0';
	return length;
}

/* Read the rest of an open file into memory that the caller frees. */
static char *
read_growing(int fd)
{
	size_t		size = USUAL_FILE;
	size_t		length = 0;
	char	   *buffer = malloc(size + 1);

	while (buffer != NULL)
	{
		int			got = read_bytes(fd, buffer + length, size - length);
		char	   *larger;

		if (got < 0)
			break;
		length += (size_t) got;
		if (length < size || size >= LARGEST_FILE)
		{
			buffer[length] = '\0';
			return buffer;
		}
		size *= 2;
		larger = realloc(buffer, size + 1);
		if (larger == NULL)
			break;
		buffer = larger;
	}
	free(buffer);
	return NULL;
}

char *
padv_read_whole(const char *root, const char *path)
{
	int			fd = open_file(root, path);
	char	   *text;

	if (fd < 0)
		return NULL;
	text = read_growing(fd);
	close(fd);
	return text;
}

bool
padv_read_number(const char *root, const char *path, uint64_t *number)
{
	char		buffer[64];
	const char *text = buffer;
	uint64_t	parsed;
	int			length = padv_read_file(root, path, buffer, sizeof(buffer));

	if (length <= 0 || !padv_parse_number(&text, &parsed))
		return false;
	text += strspn(text, " \t\n");
	if (text != buffer + length)
		return false;
	*number = parsed;
	return true;
}

bool
padv_read_line(const char *root, const char *path, char *line, size_t size)
{
	if (padv_read_file(root, path, line, size) <= 0)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return line[0] != '\0';
}

bool
padv_exists(const char *root, const char *path)
{
	char		full[PADV_PATH];
	struct stat buffer;

	return padv_join(full, root, path, "") && stat(full, &buffer) == 0;
}

void
padv_resolve(const char *root, const char *path, char resolved[PADV_PATH])
{
	char		full[PADV_PATH];
	char	   *real_root = root[0] == '\0' ? NULL : realpath(root, NULL);
	char	   *real = padv_join(full, root, path, "") ? realpath(full, NULL) : NULL;
	size_t		skip = real_root ? strlen(real_root) : 0;
	bool		inside = real != NULL && (root[0] == '\0' || real_root != NULL) &&
		(skip <= 1 || (strncmp(real, real_root, skip) == 0 && real[skip] == '/'));

	/* a root of "/" is the slash at the beginning of the path */
	if (skip == 1)
		skip = 0;

	if (!inside || !padv_join(resolved, real + skip, "", ""))
		padv_join(resolved, path, "", "");
	free(real);
	free(real_root);
}

const char *
padv_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* sdz before sdaa, 9 before 10 */
static int
compare_names(const void *a, const void *b)
{
	size_t		length_a = strlen(a);
	size_t		length_b = strlen(b);

	if (length_a != length_b)
		return length_a < length_b ? -1 : 1;
	return strcmp(a, b);
}

/* Make room for one more name.  Returns NULL, and frees the list, if that fails. */
static PadvNames *
make_room(PadvNames *list, int *room)
{
	PadvNames  *larger;

	if (list != NULL && list->count < *room)
		return list;
	larger = realloc(list, sizeof(PadvNames) + (size_t) *room * 2 * sizeof(list->names[0]));
	if (larger == NULL)
		free(list);
	else if (list == NULL)
		larger->count = 0;
	*room *= 2;
	return larger;
}

PadvNames *
padv_list_directory(const char *root, const char *path)
{
	char		full[PADV_PATH];
	DIR		   *directory = padv_join(full, root, path, "") ? opendir(full) : NULL;
	PadvNames  *list;
	struct dirent *item;
	int			room = 8;

	if (directory == NULL)
		return NULL;
	list = make_room(NULL, &room);
	while (list != NULL && list->count < MOST_NAMES && (item = readdir(directory)) != NULL)
	{
		size_t		length = strlen(item->d_name);

		if (item->d_name[0] == '.' || length >= sizeof(list->names[0]))
			continue;
		list = make_room(list, &room);
		if (list != NULL)
			memcpy(list->names[list->count++], item->d_name, length + 1);
	}
	closedir(directory);
	if (list != NULL)
		qsort(list->names, (size_t) list->count, sizeof(list->names[0]), compare_names);
	return list;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_end(char c)
{
	return c == '\0' || c == ' ' || c == '\t' || c == '\n';
}

bool
padv_parse_number(const char **text, uint64_t *number)
{
	const char *at = *text + strspn(*text, " \t");
	uint64_t	value = 0;

	if (!is_digit(*at))
		return false;
	for (; is_digit(*at); at++)
	{
		uint64_t	digit = (uint64_t) (*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (!is_end(*at))
		return false;
	*text = at;
	*number = value;
	return true;
}

const char *
padv_find_line(const char *text, const char *key)
{
	size_t		length = strlen(key);

	while (*text != '\0')
	{
		const char *end = strchr(text, '\n');

		if (strncmp(text, key, length) == 0)
			return text + length;
		if (end == NULL)
			break;
		text = end + 1;
	}
	return NULL;
}

bool
padv_cpu_in(const PadvCpuSet *cpus, int cpu)
{
	return (cpus->map[cpu / 8] & (1 << (cpu % 8))) != 0;
}

void
padv_add_cpu(PadvCpuSet *cpus, int cpu)
{
	if (padv_cpu_in(cpus, cpu))
		return;
	cpus->map[cpu / 8] |= (uint8_t) (1 << (cpu % 8));
	cpus->count++;
}

void
padv_intersect_cpus(PadvCpuSet *cpus, const PadvCpuSet *other)
{
	PadvCpuSet	both = {0};

	for (int cpu = 0; cpu < PADV_MAX_CPUS; cpu++)
	{
		if (padv_cpu_in(cpus, cpu) && padv_cpu_in(other, cpu))
			padv_add_cpu(&both, cpu);
	}
	*cpus = both;
}

/* Parse a number, bounded by PADV_MAX_CPUS. */
static bool
parse_cpu(const char **at, int *cpu)
{
	int			value = 0;

	if (!is_digit(**at))
		return false;
	for (; is_digit(**at); (*at)++)
	{
		value = value * 10 + (**at - '0');
		if (value > PADV_MAX_CPUS)
			value = PADV_MAX_CPUS;
	}
	*cpu = value;
	return true;
}

static bool
parse_cpu_list(const char *at, PadvCpuSet *cpus)
{
	at += strspn(at, " \t");

	/* a valid list has at most PADV_MAX_CPUS ranges */
	for (int ranges = 0; ranges < PADV_MAX_CPUS; ranges++)
	{
		int			first,
					last;

		if (!parse_cpu(&at, &first))
			return false;
		last = first;
		if (*at == '-' && (at++, !parse_cpu(&at, &last)))
			return false;
		if (last < first)
			return false;
		for (int cpu = first; cpu <= last && cpu < PADV_MAX_CPUS; cpu++)
			padv_add_cpu(cpus, cpu);
		if (*at != ',')
			return is_end(*at) && cpus->count > 0;
		at++;
	}
	return false;
}

bool
padv_parse_cpus(const char *text, PadvCpuSet *cpus)
{
	memset(cpus, 0, sizeof(*cpus));
	if (parse_cpu_list(text, cpus))
		return true;
	memset(cpus, 0, sizeof(*cpus));
	return false;
}
