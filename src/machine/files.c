/*
 * files.c
 *		Small, bounded readers of what the kernel shows as files.
 *
 * Owns reading and parsing, not meaning.  Nothing read is trusted: a file may
 * be missing, empty, cut off, huge, or hold anything.  Used in this room only.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGEST_FILE (1024 * 1024)

bool
padv_join(char path[PADV_PATH], const char *a, const char *b, const char *c)
{
	int			length = snprintf(path, PADV_PATH, "%s%s%s", a, b, c);

	if (length >= 0 && length < PADV_PATH)
		return true;
	path[0] = '\0';
	return false;
}

/* Up to size bytes; the length, or -1. */
static int
read_bytes(const char *root, const char *path, char *buffer, size_t size)
{
	char		full[PADV_PATH];
	size_t		length = 0;
	int			fd;

	if (!padv_join(full, root, path, ""))
		return -1;
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;

	while (length < size)
	{
		ssize_t		got = read(fd, buffer + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
		{
			close(fd);
			return -1;
		}
		if (got == 0)
			break;
		length += (size_t) got;
	}
	close(fd);
	return (int) length;
}

int
padv_read_file(const char *root, const char *path, char *buffer, size_t size)
{
	int			length = read_bytes(root, path, buffer, size - 1);

	buffer[length < 0 ? 0 : length] = '\0';
	return length;
}

char *
padv_read_whole(const char *root, const char *path)
{
	char	   *buffer = malloc(LARGEST_FILE + 1);
	char	   *smaller;
	int			length;

	if (buffer == NULL)
		return NULL;
	length = read_bytes(root, path, buffer, LARGEST_FILE);
	if (length < 0)
	{
		free(buffer);
		return NULL;
	}
	buffer[length] = '\0';
	smaller = realloc(buffer, (size_t) length + 1);
	return smaller ? smaller : buffer;
}

bool
padv_read_number(const char *root, const char *path, uint64_t *number)
{
	char		buffer[64];
	const char *text = buffer;

	return padv_read_file(root, path, buffer, sizeof(buffer)) > 0 &&
		padv_parse_number(&text, number);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

bool
padv_parse_number(const char **text, uint64_t *number)
{
	const char *at = *text;
	uint64_t	value = 0;

	while (is_space(*at))
		at++;
	if (!is_digit(*at))
		return false;
	for (; is_digit(*at); at++)
	{
		uint64_t	digit = (uint64_t) (*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (*at != '\0' && !is_space(*at))
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

/* A decimal number at *at, at most PADV_MAX_CPUS; false when there is none. */
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
	while (is_space(*at))
		at++;
	for (;;)
	{
		int			first,
					last;

		if (!parse_cpu(&at, &first))
			return false;
		last = first;
		if (*at == '-' && (at++, !parse_cpu(&at, &last)))
			return false;
		for (int cpu = first; cpu <= last && cpu < PADV_MAX_CPUS; cpu++)
			padv_add_cpu(cpus, cpu);
		if (*at != ',')
			break;
		at++;
	}
	return (*at == '\0' || is_space(*at)) && cpus->count > 0;
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
