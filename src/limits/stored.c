/*
 * stored.c
 *		Caps as the catalogs store them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "limits/stored.h"
#include "settings.h"

/* One "name=value"; false when it is not a cap's. */
static bool
take_setting(char *setting, int32 value[PADV_CAP_SETTINGS])
{
	char	   *text = strchr(setting, '=');

	if (text == NULL)
		return false;
	*text++ = '\0';
	for (int i = 0; i < PADV_CAP_SETTINGS; i++)
	{
		const char *hint;
		int			number;

		if (pg_strcasecmp(setting, padv_cap_setting_name(i)) != 0)
			continue;
		if (parse_int(text, &number, padv_cap_setting_is_time(i) ? GUC_UNIT_MS : 0, &hint) &&
			number >= padv_cap_setting_minimum(i) && (i != PADV_MAX_ACTIVE || number != 0))
		{
			value[i] = number;
			return true;
		}
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ignoring invalid value \"%s\" of \"%s\"", text, setting)));
	}
	return false;
}

bool
padv_read_stored(ArrayType *settings, int32 value[PADV_CAP_SETTINGS])
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	bool		any = false;

	deconstruct_array(settings, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i] && take_setting(TextDatumGetCString(elements[i]), value))
			any = true;
	return any;
}
