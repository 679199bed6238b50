/*
 * settings.h
 *		The values of pool_advisor's settings.
 *
 * settings.c owns the variables; all other modules only read them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SETTINGS_H
#define PADV_SETTINGS_H

#include "core/policy/limits.h"
#include "core/policy/query_limits.h"
#include "core/policy/slot_stats.h"

/* The value of cores and spindles that means: detect it. */
#define PADV_DETECT (-1)

/* The value of trial_at that means: never. */
#define PADV_NO_TRIAL_OF_DAY (-1)

extern int	padv_sample_interval;	/* milliseconds */
extern double padv_connections_per_core;
extern double padv_cores;		/* PADV_DETECT */
extern int	padv_spindles;		/* PADV_DETECT */
extern int	padv_optimal;		/* 0: compute */
extern char *padv_system_root;	/* "" is the real root */
extern char *padv_database;		/* in which the limits are read */
extern int	padv_enforcement;	/* PadvEnforcement, of sessions */
extern int	padv_gate_enforcement;	/* PadvEnforcement, of transactions */
extern double padv_limit_scale;
extern double padv_queue_share; /* of the free connections, for logins that
								 * wait */
extern int	padv_server_max_active; /* transactions, or as
									 * core/policy/slot_stats.h names it */
extern double padv_queue_notice_after;	/* seconds; 0: never */
extern double padv_queue_target;	/* seconds; 0: waits may have any length;
									 * negative: newest first while that
									 * drains the queue */
extern bool padv_long_lane;		/* whether long transactions have a lane */
extern PadvQueryLimits padv_query_max_active;	/* by query ID */
extern int	padv_trial_at;		/* minutes of the day; negative: never */

/*
 * Write the settings of the default limit, by PadvLimitSetting.  Only a process without a
 * database finds the configured values.  In a session these are the values of its role and
 * database.
 */
extern void padv_limit_defaults(int32 value[PADV_LIMIT_SETTINGS]);

/* Parse a value as it is stored in a catalog; false if it is not valid. */
extern bool padv_parse_limit_setting(PadvLimitSetting setting, const char *text, int32 *value);

/* The full name of a limit's setting, as pool_advisor.max_sessions. */
extern const char *padv_limit_setting_name(PadvLimitSetting setting);

/* Whether the setting is a time, in milliseconds. */
extern bool padv_limit_setting_is_time(PadvLimitSetting setting);

/*
 * What its number is of, as "sessions"; the lowest and the highest that set_limit() takes;
 * and whether it also takes -1, which is no limit.
 */
extern const char *padv_limit_setting_counted(PadvLimitSetting setting);
extern int32 padv_limit_setting_lowest(PadvLimitSetting setting);
extern int32 padv_limit_setting_highest(PadvLimitSetting setting);
extern bool padv_limit_setting_can_be_unlimited(PadvLimitSetting setting);

/* Define all settings; only while shared_preload_libraries is processed. */
extern void padv_define_settings(void);

#endif							/* PADV_SETTINGS_H */
