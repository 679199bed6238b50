/*
 * mounts.c
 *		Parser for /proc/self/mountinfo.
 *
 * Owns the format (proc(5)): fields are separated by one blank; optional fields
 * from the seventh on end with a dash; type, source and options follow.  White
 * space in a field is an octal escape.  Truncated lines, and lines with too long
 * paths, are skipped.  Called by cgroup.c and disks.c.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/mounts.h"

#include <string.h>

/* A part of the text. */
typedef struct Word
{
	const char *text;
	size_t		length;
} Word;

static bool
is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/*
 * Copy a field and decode its escapes.  Returns false if it is truncated or
 * contains a NUL.
 */
static bool
copy_field(char *to, size_t size, Word field)
{
	const char *at = field.text;
	const char *end = field.text + field.length;
	size_t		length = 0;

	while (at < end && length + 1 < size)
	{
		char		c = *at++;

		if (c == '\\' && end - at >= 3 && at[0] >= '0' && at[0] <= '3' &&
			is_octal(at[1]) && is_octal(at[2]))
		{
			c = (char) ((at[0] - '0') * 64 + (at[1] - '0') * 8 + (at[2] - '0'));
			at += 3;
		}
		if (c == '\0')
			break;
		to[length++] = c;
	}
	to[length] = '\0';
	return at == end;
}

/*
 * Get the next field of a line.  A field can be empty, as the source of a mount of
 * "" is.  Returns false at the end.
 */
static bool
next_word(Word *line, Word *word)
{
	const char *blank;

	if (line->text == NULL)
		return false;
	blank = memchr(line->text, ' ', line->length);
	*word = *line;
	if (blank == NULL)
	{
		line->text = NULL;
		return true;
	}
	word->length = (size_t) (blank - line->text);
	line->text = blank + 1;
	line->length -= word->length + 1;
	return true;
}

static bool
is_word(Word word, const char *text)
{
	return word.length == strlen(text) && memcmp(word.text, text, word.length) == 0;
}

/* Parse digits up to a character, which is consumed, too, or up to the end of *word. */
static bool
parse_number(Word *word, char up_to, unsigned *number)
{
	size_t		digits = 0;

	*number = 0;
	while (digits < word->length && word->text[digits] >= '0' && word->text[digits] <= '9')
	{
		*number = *number * 10 + (unsigned) (word->text[digits++] - '0');
		if (*number > 0xffffff)
			return false;
	}
	if (digits == 0 || digits + (up_to != '\0') > word->length ||
		(up_to != '\0' && word->text[digits] != up_to))
		return false;
	word->text += digits + (up_to != '\0');
	word->length -= digits + (up_to != '\0');
	return true;
}

static bool
parse_mount(Word line, PadvMount *mount)
{
	/* ID, parent, device, root, mount point, mount options */
	Word		fields[6];
	Word		word,
				type,
				source,
				options;

	for (int i = 0; i < 6; i++)
	{
		if (!next_word(&line, &fields[i]))
			return false;
	}
	do
	{
		if (!next_word(&line, &word))
			return false;
	} while (!is_word(word, "-"));
	if (!next_word(&line, &type) || !next_word(&line, &source) || !next_word(&line, &options))
		return false;

	/*
	 * Ignore truncation.  The options of overlay can be long, but are not
	 * used; those of cgroup are short.
	 */
	(void) copy_field(mount->options, sizeof(mount->options), options);
	return parse_number(&fields[2], ':', &mount->major) &&
		parse_number(&fields[2], '\0', &mount->minor) && fields[2].length == 0 &&
		copy_field(mount->root, sizeof(mount->root), fields[3]) &&
		copy_field(mount->point, sizeof(mount->point), fields[4]) &&
		mount->point[0] == '/' &&
		copy_field(mount->type, sizeof(mount->type), type) &&
		copy_field(mount->source, sizeof(mount->source), source);
}

bool
padv_next_mount(const char **cursor, PadvMount *mount)
{
	while (**cursor != '\0')
	{
		Word		line = {*cursor, strcspn(*cursor, "\n")};

		*cursor += line.length;
		if (**cursor == '\n')
			(*cursor)++;
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
