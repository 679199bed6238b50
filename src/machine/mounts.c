/*
 * mounts.c
 *		The lines of /proc/self/mountinfo.
 *
 * Owns their format (proc(5)): numbered fields, then optional ones up to a
 * dash, then type, source and options; white space as octal escapes.  A line
 * that is cut off, or has a field that does not fit, is passed over.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/mounts.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_LINE 4096

static bool
is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* A field with its escapes undone. */
static bool
copy_field(char *to, size_t size, const char *field)
{
	size_t		length = 0;

	while (*field != '\0')
	{
		if (length + 1 >= size)
			return false;
		if (field[0] == '\\' && field[1] >= '0' && field[1] <= '3' &&
			is_octal(field[2]) && is_octal(field[3]))
		{
			to[length++] = (char) ((field[1] - '0') * 64 + (field[2] - '0') * 8 + (field[3] - '0'));
			field += 4;
		}
		else
			to[length++] = *field++;
	}
	to[length] = '\0';
	return true;
}

/* The next word of a line, or NULL; the line is cut up. */
static char *
next_word(char **line)
{
	char	   *word = *line + strspn(*line, " ");
	char	   *end = word + strcspn(word, " ");

	if (*word == '\0')
		return NULL;
	*line = *end == '\0' ? end : end + 1;
	*end = '\0';
	return word;
}

static bool
parse_mount(char *line, PadvMount *mount)
{
	char	   *fields[6];
	char	   *type,
			   *source,
			   *options,
			   *word;
	char		rest;

	/* ID, parent, device, root, mount point, options of the mount */
	for (int i = 0; i < 6; i++)
	{
		fields[i] = next_word(&line);
		if (fields[i] == NULL)
			return false;
	}
	do
		word = next_word(&line);
	while (word != NULL && strcmp(word, "-") != 0);
	type = next_word(&line);
	source = next_word(&line);
	options = next_word(&line);

	return options != NULL &&
		sscanf(fields[2], "%9u:%9u%c", &mount->major, &mount->minor, &rest) == 2 &&
		copy_field(mount->root, sizeof(mount->root), fields[3]) &&
		copy_field(mount->point, sizeof(mount->point), fields[4]) &&
		copy_field(mount->type, sizeof(mount->type), type) &&
		copy_field(mount->source, sizeof(mount->source), source) &&
		copy_field(mount->options, sizeof(mount->options), options);
}

bool
padv_next_mount(const char **cursor, PadvMount *mount)
{
	while (**cursor != '\0')
	{
		const char *end = strchr(*cursor, '\n');
		size_t		length = end ? (size_t) (end - *cursor) : strlen(*cursor);
		char		line[LONGEST_LINE];

		if (length < sizeof(line))
		{
			memcpy(line, *cursor, length);
			line[length] = '\0';
		}
		else
			line[0] = '\0';
		*cursor += end ? length + 1 : length;
		if (parse_mount(line, mount))
			return true;
	}
	return false;
}

bool
padv_is_below(const char *path, const char *prefix)
{
	size_t		length = strlen(prefix);

	if (length > 0 && prefix[length - 1] == '/')
		length--;
	return strncmp(path, prefix, length) == 0 &&
		(path[length] == '\0' || path[length] == '/');
}

bool
padv_in_list(const char *list, const char *word)
{
	size_t		length = strlen(word);

	while (*list != '\0')
	{
		size_t		item = strcspn(list, ",");

		if (item == length && strncmp(list, word, length) == 0)
			return true;
		list += item;
		if (*list == ',')
			list++;
	}
	return false;
}
