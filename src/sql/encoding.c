/*
 * encoding.c
 *		Names that can be sent to the client whatever is in them.
 *
 * A role or a database may have been named in a database of another encoding, so
 * its name need not be text in this one; and what is text here need not have a
 * character in the client's encoding, or in the UTF-8 that monitoring systems
 * want.  One such name in an answer would cost all of it.
 *
 * Asks the client's encoding, which a parallel worker does not know.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/string.h"
#include "mb/pg_wchar.h"

#include "sql/encoding.h"

/* Mark each byte that belongs to no character. */
static void
mark_invalid(char *name, int encoding)
{
	for (;;)
	{
		int			length = strlen(name);
		int			valid = pg_encoding_verifymbstr(encoding, name, length);

		if (valid == length)
			return;
		name[valid] = '?';
		name += valid + 1;
	}
}

/* How many bytes from the start on can be converted. */
static int
convertible_length(const char *text, int from, int to, Oid conversion)
{
	int			length = strlen(text);
	int			room = length * MAX_CONVERSION_GROWTH + 1;
	char	   *result = palloc(room);
	int			done = pg_do_encoding_conversion_buf(conversion, from, to, (unsigned char *) text,
													 length, (unsigned char *) result, room, true);

	pfree(result);
	return done;
}

bool
padv_mark_unconvertible(char *text, int from, int to)
{
	Oid			conversion;

	if (from == to || to == PG_SQL_ASCII)
		return true;
	conversion = FindDefaultConversionProc(from, to);
	if (!OidIsValid(conversion))
		return false;
	for (;;)
	{
		int			width;

		text += convertible_length(text, from, to, conversion);
		if (*text == '\0')
			return true;
		width = Min(Max(pg_encoding_mblen(from, text), 1), (int) strlen(text));
		*text++ = '?';
		memmove(text, text + width - 1, strlen(text + width - 1) + 1);
	}
}

char *
padv_clean_name(char *name)
{
	int			encoding = GetDatabaseEncoding();
	int			client = pg_get_client_encoding();

	if (name == NULL || pg_is_ascii(name))
		return name;

	/*
	 * from such a database bytes go to the client as they are, and are
	 * verified
	 */
	if (encoding == PG_SQL_ASCII)
	{
		mark_invalid(name, client == PG_SQL_ASCII ? PG_UTF8 : client);
		return name;
	}
	mark_invalid(name, encoding);
	(void) padv_mark_unconvertible(name, encoding, PG_UTF8);
	(void) padv_mark_unconvertible(name, encoding, client);
	return name;
}

const char *
padv_clean_text(const char *text)
{
	return pg_is_ascii(text) ? text : padv_clean_name(pstrdup(text));
}
