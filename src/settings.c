/*
 * settings.c
 *		Every setting: its bounds, its unit and its descriptions.
 *
 * Owns the variables, which other modules read.  Called once from _PG_init.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "access/parallel.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "settings.h"
#include "shmem/shared_settings.h"

#define PREFIX "pool_advisor"

int			padv_sample_interval = 100;
double		padv_connections_per_core = 2.0;
double		padv_cores = PADV_DETECT;
int			padv_spindles = PADV_DETECT;
int			padv_optimal = 0;
char	   *padv_system_root = NULL;
char	   *padv_database = NULL;
int			padv_enforcement = PADV_ENFORCEMENT_ON;
int			padv_gate_enforcement = PADV_ENFORCEMENT_ON;
double		padv_limit_scale = 1.0;
double		padv_queue_share = 0.5;
int			padv_server_max_active = PADV_SERVER_MAX_ACTIVE_OFF;
double		padv_queue_notice_after = 5.0;
double		padv_queue_target = -1.0;
bool		padv_long_lane = true;
PadvQueryLimits padv_query_max_active = {0};
int			padv_trial_at = PADV_NO_TRIAL_OF_DAY;

/* By PadvLimitSetting: those that are numbers, and those that are times in seconds. */
static int	limit_numbers[PADV_LIMIT_SETTINGS];
static double limit_seconds[PADV_LIMIT_SETTINGS];

static char *server_max_active_text = NULL;
static char *query_max_active_text = NULL;
static char *trial_at_text = NULL;

static const struct config_enum_entry enforcements[] = {
	{"on", PADV_ENFORCEMENT_ON, false},
	{"observe", PADV_ENFORCEMENT_OBSERVE, false},
	{"off", PADV_ENFORCEMENT_OFF, false},
	{"true", PADV_ENFORCEMENT_ON, true},
	{"false", PADV_ENFORCEMENT_OFF, true},
	{"yes", PADV_ENFORCEMENT_ON, true},
	{"no", PADV_ENFORCEMENT_OFF, true},
	{"1", PADV_ENFORCEMENT_ON, true},
	{"0", PADV_ENFORCEMENT_OFF, true},
	{NULL, 0, false}
};

/* PADV_DETECT or a positive number. */
static bool
check_cores(double *newval, void **extra pg_attribute_unused(),
			GucSource source pg_attribute_unused())
{
	if (*newval == PADV_DETECT || *newval > 0.0)
		return true;
	GUC_check_errdetail("\"%s.cores\" must be greater than 0, or -1 to detect them.",
						PREFIX);
	return false;
}

/* The root is joined with paths that start with a slash. */
static bool
check_system_root(char **newval, void **extra pg_attribute_unused(),
				  GucSource source pg_attribute_unused())
{
	size_t		length = strlen(*newval);

	if (length > 0 && !is_absolute_path(*newval))
	{
		GUC_check_errdetail("\"%s.system_root\" must be an absolute path or empty.",
							PREFIX);
		return false;
	}
	while (length > 0 && (*newval)[length - 1] == '/')
		(*newval)[--length] = '\0';
	return true;
}

/*
 * Warn about a limit that is set in a session: limits are read from the catalogs, so it
 * has no effect.  A parallel worker only repeats the settings of its leader.
 */
static void
warn_of_session(GucSource source)
{
	if (source == PGC_S_SESSION && !InitializingParallelWorker)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("a limit of pool_advisor has no effect when it is set in a session"),
				 errhint("Use ALTER ROLE ... SET, ALTER DATABASE ... SET or pool_advisor.set_limit().")));
}

static bool
check_number(int *newval pg_attribute_unused(), void **extra pg_attribute_unused(), GucSource source)
{
	warn_of_session(source);
	return true;
}

static bool
check_time(double *newval pg_attribute_unused(), void **extra pg_attribute_unused(), GucSource source)
{
	warn_of_session(source);
	return true;
}

/* With 0 no transaction could ever begin. */
static bool
check_max_active(int *newval, void **extra, GucSource source)
{
	if (*newval != 0)
		return check_number(newval, extra, source);
	GUC_check_errdetail("\"%s.max_active\" must be at least 1, or -1 for no limit.", PREFIX);
	return false;
}

/* "off", "auto" or a number of transactions. */
static bool
check_server_max_active(char **newval, void **extra, GucSource source pg_attribute_unused())
{
	int			limit;
	bool		on;

	if (pg_strcasecmp(*newval, "auto") == 0)
		limit = PADV_SERVER_MAX_ACTIVE_AUTO;
	else if (!parse_int(*newval, &limit, 0, NULL) || limit < 1 || limit > (int) MAX_BACKENDS)
	{
		if (!parse_bool(*newval, &on) || on)
		{
			GUC_check_errdetail("\"%s.server_max_active\" must be \"off\", \"auto\" or a number of transactions from 1 to %d.",
								PREFIX, (int) MAX_BACKENDS);
			return false;
		}
		limit = PADV_SERVER_MAX_ACTIVE_OFF;
	}
	*extra = padv_guc_alloc(sizeof(int));
	if (*extra == NULL)
		return false;
	*(int *) *extra = limit;
	return true;
}

static void
assign_server_max_active(const char *newval pg_attribute_unused(), void *extra)
{
	padv_server_max_active = *(int *) extra;
}

/* The minutes of a time of day as 03:30, or -1. */
static int
parse_time_of_day(const char *text)
{
	int			digits = 0;
	int			hour = 0;
	int			minute = 0;

	for (; *text >= '0' && *text <= '9' && digits < 2; text++, digits++)
		hour = hour * 10 + (*text - '0');
	if (digits == 0 || *text != ':' || hour >= HOURS_PER_DAY)
		return -1;
	digits = 0;
	for (text++; *text >= '0' && *text <= '9' && digits < 2; text++, digits++)
		minute = minute * 10 + (*text - '0');
	return digits == 2 && *text == '\0' && minute < MINS_PER_HOUR ? hour * MINS_PER_HOUR + minute : -1;
}

/* "03:30", or empty for never. */
static bool
check_trial_at(char **newval, void **extra, GucSource source pg_attribute_unused())
{
	int			at = **newval == '\0' ? PADV_NO_TRIAL_OF_DAY : parse_time_of_day(*newval);

	if (**newval != '\0' && at < 0)
	{
		GUC_check_errdetail("\"%s.trial_at\" must be a time of day from \"00:00\" to \"23:59\", or empty for never.",
							PREFIX);
		return false;
	}
	*extra = padv_guc_alloc(sizeof(int));
	if (*extra == NULL)
		return false;
	*(int *) *extra = at;
	return true;
}

static void
assign_trial_at(const char *newval pg_attribute_unused(), void *extra)
{
	padv_trial_at = *(int *) extra;
}

static bool
check_query_max_active(char **newval, void **extra, GucSource source pg_attribute_unused())
{
	PadvQueryLimits limits;
	const char *wrong = padv_query_limits_parse(*newval, &limits);

	if (wrong != NULL)
	{
		GUC_check_errdetail("%s", wrong);
		GUC_check_errhint("Give query IDs of pg_stat_statements and limits, as in \"-2835399305386018931 = 2, 4711 = 8\".");
		return false;
	}
	*extra = padv_guc_alloc(sizeof(limits));
	if (*extra == NULL)
		return false;
	memcpy(*extra, &limits, sizeof(limits));
	return true;
}

static void
assign_query_max_active(const char *newval pg_attribute_unused(), void *extra)
{
	memcpy(&padv_query_max_active, extra, sizeof(padv_query_max_active));
}

/*
 * A timeout that is too long is no error, because it can be right on the server that a
 * dump comes from.  The role that sets it gets a warning.
 */
static bool
check_queue_timeout(double *newval, void **extra, GucSource source)
{
	if (source == PGC_S_TEST && *newval >= AuthenticationTimeout)
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s.queue_timeout\" is not shorter than \"authentication_timeout\" (%d s)",
						PREFIX, AuthenticationTimeout),
				 errdetail("A wait in the queue is part of the login, so it ends shortly before that.")));
	return check_time(newval, extra, source);
}

/*
 * The settings of a limit: for a role, a database, a role in a database, and the default.
 * Times are milliseconds here, with GUC_UNIT_MS.  The DBA gives seconds or a unit, as for
 * set_limit(), so that the same number means the same in both.
 */
static const struct LimitSetting
{
	const char *name;
	const char *what;
	const char *note;
	const char *counted;		/* what a number is of; NULL for a time */
	int			lowest;			/* that set_limit() takes, beside -1 of a
								 * number */
	int			standard;
	int			minimum;
	int			maximum;
	int			flags;
	GucIntCheckHook check;		/* of a number; define_time has those of times */
}			limit_settings[PADV_LIMIT_SETTINGS] = {

	[PADV_MAX_SESSIONS] = {
		.name = PREFIX ".max_sessions",
		.what = "Sets how many sessions there can be.",
		.note = "Set it for a role, a database or a role in a database. -1 is no limit.",
		.counted = "sessions",
		.lowest = 0,
		.standard = PADV_UNLIMITED,
		.minimum = PADV_UNLIMITED,
		.maximum = MAX_BACKENDS,
	},
	[PADV_MIN_SESSIONS] = {
		.name = PREFIX ".min_sessions",
		.what = "Sets how many sessions are kept when they are idle for session_idle_timeout.",
		.note = "Set it for a role, a database or a role in a database. -1 keeps all.",
		.counted = "sessions",
		.lowest = 0,
		.standard = PADV_UNLIMITED,
		.minimum = PADV_UNLIMITED,
		.maximum = MAX_BACKENDS,
	},
	[PADV_SESSION_IDLE_TIMEOUT] = {
		.name = PREFIX ".session_idle_timeout",
		.what = "Sets how long sessions beyond min_sessions can be idle before they are closed.",
		.note = "Set it for a role, a database or a role in a database. 0 closes none.",
		.lowest = 0,
		.standard = 0,
		.minimum = 0,
		.maximum = INT_MAX,
		.flags = GUC_UNIT_MS,
	},
	[PADV_QUEUE_LENGTH] = {
		.name = PREFIX ".queue_length",
		.what = "Sets how many logins wait in the queue when max_sessions is reached.",
		.note = "Set it for a role, a database or a role in a database. -1 is no limit.",
		.counted = "logins",
		.lowest = 0,
		.standard = 0,
		.minimum = PADV_UNLIMITED,
		.maximum = MAX_BACKENDS,
	},
	[PADV_QUEUE_TIMEOUT] = {
		.name = PREFIX ".queue_timeout",
		.what = "Sets how long a login waits in the queue before it is refused.",
		.note = "Set it for a role, a database or a role in a database. It ends before authentication_timeout does.",
		.lowest = 1,
		.standard = 10000,
		.minimum = 1,
		.maximum = INT_MAX,
		.flags = GUC_UNIT_MS,
	},
	[PADV_MAX_ACTIVE] = {
		.name = PREFIX ".max_active",
		.what = "Sets how many transactions can run at a time; others wait in the queue.",
		.note = "Set it for a role, a database or a role in a database. -1 is no limit.",
		.counted = "transactions",
		.lowest = 1,
		.standard = PADV_UNLIMITED,
		.minimum = PADV_UNLIMITED,
		.maximum = MAX_BACKENDS,
		.check = check_max_active,
	},
	[PADV_TRANSACTION_QUEUE_LENGTH] = {
		.name = PREFIX ".transaction_queue_length",
		.what = "Sets how many transactions wait in the queue when max_active is reached.",
		.note = "Set it for a role, a database or a role in a database. -1 is no bound, 0 lets none wait.",
		.counted = "transactions",
		.lowest = 0,
		.standard = PADV_UNLIMITED,
		.minimum = PADV_UNLIMITED,
		.maximum = MAX_BACKENDS,
	},
	[PADV_TRANSACTION_QUEUE_TIMEOUT] = {
		.name = PREFIX ".transaction_queue_timeout",
		.what = "Sets how long a transaction waits in the queue before it is refused.",
		.note = "Set it for a role, a database or a role in a database. 0 is as long as it takes.",
		.lowest = 0,
		.standard = 0,
		.minimum = 0,
		.maximum = INT_MAX,
		.flags = GUC_UNIT_MS,
	},
	[PADV_ACTIVE_WEIGHT] = {
		.name = PREFIX ".active_weight",
		.what = "Sets the share of server_max_active while transactions wait for it.",
		.note = "Set it for a role, a group, a database or a role in a database. A role with 2 has twice the slots of one with 1.",
		.counted = "shares",
		.lowest = 1,
		.standard = 1,
		.minimum = 1,
		.maximum = 1000,
	},
	[PADV_MIN_ACTIVE] = {
		.name = PREFIX ".min_active",
		.what = "Sets how many transactions get a slot before those of others, while some wait.",
		.note = "Set it for a role, a group, a database or a role in a database. 0 is none.",
		.counted = "transactions",
		.lowest = 0,
		.standard = 0,
		.minimum = 0,
		.maximum = MAX_BACKENDS,
	},
};

const char *
padv_limit_setting_name(PadvLimitSetting setting)
{
	return limit_settings[setting].name;
}

bool
padv_limit_setting_is_time(PadvLimitSetting setting)
{
	return limit_settings[setting].flags == GUC_UNIT_MS;
}

const char *
padv_limit_setting_counted(PadvLimitSetting setting)
{
	return limit_settings[setting].counted;
}

int32
padv_limit_setting_lowest(PadvLimitSetting setting)
{
	return limit_settings[setting].lowest;
}

int32
padv_limit_setting_highest(PadvLimitSetting setting)
{
	return limit_settings[setting].maximum;
}

bool
padv_limit_setting_can_be_unlimited(PadvLimitSetting setting)
{
	return limit_settings[setting].minimum == PADV_UNLIMITED;
}

/* A value above 0 is never rounded to 0, which can mean no timeout. */
static int32
in_milliseconds(double seconds)
{
	double		result = rint(seconds * 1000.0);

	if (seconds > 0.0 && result < 1.0)
		return 1;
	return result < INT_MAX ? (int32) result : INT_MAX;
}

void
padv_limit_defaults(int32 value[PADV_LIMIT_SETTINGS])
{
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		value[i] = padv_limit_setting_is_time(i) ? in_milliseconds(limit_seconds[i]) : limit_numbers[i];
}

bool
padv_parse_limit_setting(PadvLimitSetting setting, const char *text, int32 *value)
{
	double		seconds;

	if (!padv_limit_setting_is_time(setting))
		return parse_int(text, value, 0, NULL);
	if (!parse_real(text, &seconds, GUC_UNIT_S, NULL))
		return false;
	*value = in_milliseconds(seconds);
	return true;
}

static void
define_time(int i)
{
	const struct LimitSetting *setting = &limit_settings[i];

	DefineCustomRealVariable(setting->name, setting->what, setting->note,
							 &limit_seconds[i],
							 setting->standard / 1000.0, setting->minimum / 1000.0,
							 setting->maximum / 1000.0,
							 PGC_SUSET, GUC_UNIT_S,
							 i == PADV_QUEUE_TIMEOUT ? check_queue_timeout : check_time, NULL, NULL);
}

static void
define_limit_settings(void)
{
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
	{
		const struct LimitSetting *setting = &limit_settings[i];

		if (padv_limit_setting_is_time(i))
			define_time(i);
		else
			DefineCustomIntVariable(setting->name, setting->what, setting->note,
									&limit_numbers[i],
									setting->standard, setting->minimum, setting->maximum,
									PGC_SUSET, setting->flags,
									setting->check ? setting->check : check_number, NULL, NULL);
	}
}

/* What is measured, and by which assumptions the optimum is computed. */
static void
define_machine_settings(void)
{
	DefineCustomIntVariable(PREFIX ".sample_interval",
							"Sets the time between two samples of all sessions.",
							NULL,
							&padv_sample_interval,
							100, 1, 10000,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);

	DefineCustomRealVariable(PREFIX ".connections_per_core",
							 "Sets how many active connections the formula counts for each core.",
							 NULL,
							 &padv_connections_per_core,
							 2.0, 0.1, 100.0,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);

	DefineCustomRealVariable(PREFIX ".cores",
							 "Sets how many cores the server may use.",
							 "-1 detects them: physical cores inside affinity, cpuset and cgroup quota.",
							 &padv_cores,
							 PADV_DETECT, PADV_DETECT, 65536.0,
							 PGC_SIGHUP, 0,
							 check_cores, NULL, NULL);

	DefineCustomIntVariable(PREFIX ".spindles",
							"Sets how many rotating disks hold the data.",
							"-1 detects them.",
							&padv_spindles,
							PADV_DETECT, PADV_DETECT, 65536,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomIntVariable(PREFIX ".optimal",
							"Sets the optimal number of active connections.",
							"0 computes it.",
							&padv_optimal,
							0, 0, MAX_BACKENDS,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomStringVariable(PREFIX ".system_root",
							   "Sets the directory below which /proc and /sys are read.",
							   "Empty is the machine's own; in a container it can be where the host's are mounted.",
							   &padv_system_root,
							   "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_system_root, NULL, NULL);
}

/* Whether limits hold, and where they are read. */
static void
define_enforcement_settings(void)
{
	DefineCustomStringVariable(PREFIX ".database",
							   "Sets the database in which catalogs are read for limits.",
							   "They are the same in each; it needs to exist, and is connected to for moments only.",
							   &padv_database,
							   "postgres",
							   PGC_SIGHUP, 0,
							   NULL, NULL, NULL);

	DefineCustomEnumVariable(PREFIX ".enforcement",
							 "Sets whether limits are enforced.",
							 "\"observe\" counts and logs what would be refused, and lets it pass.",
							 &padv_enforcement,
							 PADV_ENFORCEMENT_ON, enforcements,
							 PGC_SIGHUP, 0,
							 NULL, padv_assign_enforcement, NULL);

	DefineCustomEnumVariable(PREFIX ".gate_enforcement",
							 "Sets whether limits on transactions are enforced.",
							 "\"observe\" counts what would wait, and lets it pass.",
							 &padv_gate_enforcement,
							 PADV_ENFORCEMENT_ON, enforcements,
							 PGC_SIGHUP, 0,
							 NULL, padv_assign_gate_enforcement, NULL);

	DefineCustomRealVariable(PREFIX ".limit_scale",
							 "Sets this node's factor on the sessions and transactions of limits on roles and databases.",
							 NULL,
							 &padv_limit_scale,
							 1.0, 0.001, 1000.0,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);
}

/* How many can wait, and in which order. */
static void
define_queue_settings(void)
{
	DefineCustomRealVariable(PREFIX ".queue_share",
							 "Sets the share of the free connections that logins in the queue can take together.",
							 "Free are the connections that ordinary roles can have and that no session has.",
							 &padv_queue_share,
							 0.5, 0.0, 1.0,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);

	DefineCustomRealVariable(PREFIX ".queue_notice_after",
							 "Sets after how long a client is told that its transaction waits in the queue.",
							 "0 tells none.",
							 &padv_queue_notice_after,
							 5.0, 0.0, INT_MAX / 1000.0,
							 PGC_USERSET, GUC_UNIT_S,
							 NULL, NULL, NULL);

	DefineCustomRealVariable(PREFIX ".queue_target",
							 "Sets how long transactions may wait in a queue before it serves the newest first.",
							 "-1 serves the newest first only while that makes a long queue shorter. "
							 "0 always serves first come, first served.",
							 &padv_queue_target,
							 -1.0, -1.0, INT_MAX / 1000.0,
							 PGC_SIGHUP, GUC_UNIT_S,
							 NULL, NULL, NULL);

	DefineCustomBoolVariable(PREFIX ".long_lane",
							 "Sets whether long transactions leave slots of server_max_active to short ones.",
							 NULL,
							 &padv_long_lane,
							 true,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);
}

/* Limits on transactions that are not of a role or database. */
static void
define_xact_settings(void)
{
	DefineCustomStringVariable(PREFIX ".server_max_active",
							   "Sets how many transactions of the whole server can run at a time; others wait in the queue.",
							   "\"off\" is no limit, \"auto\" finds and follows the number with the best throughput.",
							   &server_max_active_text,
							   "off",
							   PGC_SIGHUP, 0,
							   check_server_max_active, assign_server_max_active, NULL);

	DefineCustomStringVariable(PREFIX ".query_max_active",
							   "Sets limits on running transactions whose first statement has a certain query ID.",
							   "A list of QUERY_ID = LIMIT, with commas between. Needs query IDs (compute_query_id).",
							   &query_max_active_text,
							   "",
							   PGC_SIGHUP, 0,
							   check_query_max_active, assign_query_max_active, NULL);

	DefineCustomStringVariable(PREFIX ".trial_at",
							   "Sets the time of day at which a trial of limits on transactions begins.",
							   "As 03:30, in the time zone of the server. Empty begins none.",
							   &trial_at_text,
							   "",
							   PGC_SIGHUP, 0,
							   check_trial_at, assign_trial_at, NULL);
}

void
padv_define_settings(void)
{
	define_machine_settings();
	define_enforcement_settings();
	define_queue_settings();
	define_xact_settings();
	define_limit_settings();
	MarkGUCPrefixReserved(PREFIX);
}
