/*
 * stored_settings.h
 *		Limits as the catalogs store them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STORED_SETTINGS_H
#define PADV_STORED_SETTINGS_H

#include "core/policy/limits.h"
#include "utils/array.h"

/*
 * Take our settings out of pg_db_role_setting.setconfig; what is not there is
 * left as it is in `value`.  Returns whether there was any.  One that does not
 * parse is ignored with a warning: it was set while the library was not loaded.
 */
extern bool padv_parse_stored_settings(ArrayType *settings, int32 value[PADV_LIMIT_SETTINGS]);

#endif							/* PADV_STORED_SETTINGS_H */
