/*
 * stored_settings.c
 *		Limits as the catalogs store them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "stored_settings.h"
#include "settings.h"

/*
 * Check a value as ALTER ROLE does.  A value that was stored while the library was not
 * loaded has not been checked yet.
 */
static bool
is_valid(const char *name, const char *text)
{
	return set_config_option(name, text, PGC_SUSET, PGC_S_DATABASE_USER,
							 GUC_ACTION_SET, false, WARNING, false) != 0;
}

/* Parse one "name=value"; false when it is not a limit, or the value is not valid. */
static bool
parse_setting(char *setting, int32 value[PADV_LIMIT_SETTINGS])
{
	char	   *text = strchr(setting, '=');

	if (text == NULL)
		return false;
	*text++ = '\0';
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		if (pg_strcasecmp(setting, padv_limit_setting_name(i)) == 0)
			return is_valid(setting, text) && padv_parse_limit_setting(i, text, &value[i]);
	return false;
}

bool
padv_parse_stored_settings(ArrayType *settings, int32 value[PADV_LIMIT_SETTINGS])
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	bool		any = false;

	deconstruct_array(settings, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i] && parse_setting(TextDatumGetCString(elements[i]), value))
			any = true;
	return any;
}

/* Whether "name=value" is one of the given limits, but is not written as its name is. */
static bool
is_other_spelling(const char *setting, const int32 given[PADV_LIMIT_SETTINGS])
{
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
	{
		const char *name = padv_limit_setting_name(i);
		size_t		length = strlen(name);

		if (given[i] != PADV_NOT_SET && pg_strncasecmp(setting, name, length) == 0 && setting[length] == '=')
			return strncmp(setting, name, length) != 0;
	}
	return false;
}

ArrayType *
padv_without_other_spellings(ArrayType *settings, const int32 given[PADV_LIMIT_SETTINGS])
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int			kept = 0;

	deconstruct_array(settings, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i] && !is_other_spelling(TextDatumGetCString(elements[i]), given))
			elements[kept++] = elements[i];
	if (kept == count)
		return settings;
	return kept > 0 ? construct_array(elements, kept, TEXTOID, -1, false, TYPALIGN_INT) : NULL;
}
