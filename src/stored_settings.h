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
 * Parse the limits in pg_db_role_setting.setconfig into `value`, by PadvLimitSetting;
 * elements that are not set do not change.  Returns whether there was any.  An invalid
 * value, set while the library was not loaded, is ignored with a warning.
 */
extern bool padv_parse_stored_settings(ArrayType *settings, int32 value[PADV_LIMIT_SETTINGS]);

/*
 * The settings without limits whose names are in other letters than those of our settings,
 * as far as `given` is not PADV_NOT_SET, by PadvLimitSetting.  Returns `settings` itself
 * if there are none, NULL if nothing is left, or a copy in the current memory context.
 */
extern ArrayType *padv_without_other_spellings(ArrayType *settings, const int32 given[PADV_LIMIT_SETTINGS]);

#endif							/* PADV_STORED_SETTINGS_H */
