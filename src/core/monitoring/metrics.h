/*
 * metrics.h
 *		The metrics for monitoring systems: names, types, and where their values are.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_METRICS_H
#define PADV_METRICS_H

#include <stddef.h>

#include "core/model/incident.h"
#include "core/model/status.h"
#include "core/stats/latency.h"

/* Of the library; the same as default_version in pool_advisor.control. */
#define PADV_VERSION "1.0"

/* At most so many roles, and so many limits, have their own series. */
#define PADV_MAX_SHOWN 50

/*
 * The label of all other roles.  No role can have this name, because the server reserves
 * the prefix.
 */
#define PADV_OTHER_ROLES "pg_other_roles"

/* An integer that is not known; a real number is unknown when it is negative. */
#define PADV_NOT_KNOWN INT64_MIN

typedef enum PadvMetricKind
{
	PADV_METRIC_GAUGE,
	PADV_METRIC_COUNTER,
	PADV_METRIC_INFO,
} PadvMetricKind;

/* What a metric has a series for, and the struct with its values. */
typedef enum PadvMetricScope
{
	PADV_BY_SERVER,				/* PadvMetricsServer */
	PADV_BY_SAMPLE,				/* the same, once there is a sample */
	PADV_BY_WAIT_CLASS,			/* the same; an array */
	PADV_BY_INCIDENT,			/* PadvMetricsServer; an array by kind */
	PADV_BY_ROLE,				/* PadvMetricsRole */
	PADV_BY_DATABASE,			/* PadvMetricsDatabase */
	PADV_BY_COUNTED_ROLE,		/* PadvMetricsCounted */
	PADV_BY_LATENCY,			/* PadvMetricsLatency */
	PADV_BY_LIMIT,				/* PadvMetricsLimit */
} PadvMetricScope;

#define PADV_METRIC_SCOPES (PADV_BY_LIMIT + 1)

typedef struct PadvMetric
{
	const char *name;			/* as a sample has it; NULL after the last */
	PadvMetricKind kind;
	const char *unit;			/* the end of the name, before _total; empty:
								 * a number of something */
	const char *help;			/* without quotes, backslashes and newlines */
	PadvMetricScope scope;
	bool		is_real;		/* a double, or an int64_t */
	bool		no_sum;			/* its sum over series has no meaning */
	size_t		offset;			/* in the struct of the scope */
} PadvMetric;

/* Series with the same labels are next to each other, by scope. */
extern const PadvMetric padv_metrics[];

/* All names of a scope start with its prefix; labels[] ends with a NULL. */
typedef struct PadvMetricGroup
{
	const char *prefix;
	const char *labels[3];
} PadvMetricGroup;

extern const PadvMetricGroup padv_metric_groups[PADV_METRIC_SCOPES];

/* Counters of limits, for a role or for all. */
typedef struct PadvMetricsCounts
{
	int64_t		refused;
	int64_t		queued;
	int64_t		timed_out;
	int64_t		would_refuse;
	int64_t		closed_idle;
	double		queue_wait_seconds;
	int64_t		transactions_queued;
	double		transactions_wait_seconds;
} PadvMetricsCounts;

typedef struct PadvMetricsServer
{
	PadvLocalStatus local;
	int64_t		max_connections;
	int64_t		usable_connections;
	int64_t		logins_waiting;
	int64_t		enforcement;	/* PadvEnforcement */
	int64_t		gate_enforcement;	/* likewise, of transactions */
	int64_t		limits;			/* in force, without the default */
	int64_t		limits_full;	/* those that are reached */
	int64_t		default_max_sessions;
	int64_t		default_in_use; /* the most of one role */
	PadvMetricsCounts total;
	int64_t		server_max_active;	/* transactions that may run; -1: no limit */
	int64_t		transactions_waiting;
	double		transactions_wait_seconds;
	int64_t		incidents[PADV_INCIDENT_KINDS]; /* begun, by kind */
	int64_t		incident_active;

	/* these are set by padv_metrics_prepare */
	int64_t		one;
	int64_t		worker_running;
	int64_t		limits_unreadable;
	int64_t		history_unwritten;
	int64_t		optimal;
	int64_t		optimal_low;
	int64_t		optimal_high;
	int64_t		method;
	int64_t		confidence;
	int64_t		verdict;
	int64_t		pool_size;
	int64_t		session_pool_size;
	double		pool_size_age;	/* seconds */
	int64_t		incidents_status[PADV_INCIDENT_KINDS];	/* PadvCheckStatus of
														 * what lasts */
	int64_t		health;			/* PadvCheckStatus */
	int64_t		oversubscribed;
	int64_t		advice[3];		/* by PadvSeverity */
} PadvMetricsServer;

/* Each row starts with its labels; NULL is an unknown name. */
typedef struct PadvMetricsLabels
{
	const char *rolname;
	const char *datname;
} PadvMetricsLabels;

typedef struct PadvMetricsRole
{
	PadvMetricsLabels labels;	/* must be first */
	uint32_t	role;
	int64_t		sessions;
	int64_t		active;
	int64_t		idle;
	int64_t		idle_in_transaction;
	int64_t		queued;
	double		active_avg;
	double		blame_avg;
	int64_t		max_sessions;	/* its own limit, or the default; -1: none */
} PadvMetricsRole;

/* A database with a share of the load of the last minute that is worth a series. */
typedef struct PadvMetricsDatabase
{
	PadvMetricsLabels labels;	/* must be first */
	double		active_avg;
	double		blame_avg;
} PadvMetricsDatabase;

typedef struct PadvMetricsCounted
{
	PadvMetricsLabels labels;	/* must be first */
	uint32_t	role;
	bool		tracked;		/* may have series of its own, see
								 * PADV_ROLES_TRACKED */
	PadvMetricsCounts counts;
} PadvMetricsCounted;

/* Durations of the transactions of a role. */
typedef struct PadvMetricsLatency
{
	PadvMetricsLabels labels;	/* must be first */
	bool		tracked;		/* one role, and not all others */
	PadvLatency total;			/* since the server started */
	PadvLatency minute;			/* the last one */

	/* these are set by padv_metrics_fold_latency, the last four of the minute */
	int64_t		transactions;
	int64_t		rolled_back;
	int64_t		slow;			/* longer than PADV_SLOW_US */
	double		seconds;
	double		mean;			/* negative: there was none */
	double		p50;
	double		p95;
	double		p99;
} PadvMetricsLatency;

/* Above this a transaction is slow, for the alert on latency. */
#define PADV_SLOW_US 1000000

typedef struct PadvMetricsLimit
{
	PadvMetricsLabels labels;	/* must be first */
	uint32_t	role;
	uint32_t	database;
	int64_t		in_use;
	int64_t		max_sessions;	/* -1: no limit */
	bool		is_group;		/* of a role and its members together */
} PadvMetricsLimit;

typedef struct PadvMetricsInput
{
	PadvMetricsServer server;
	int			nroles;
	int			ndatabases;		/* at most PADV_MAX_SHOWN, with known names */
	int			ncounted;
	int			nlatency;
	int			nlimits;
	PadvMetricsRole *roles;
	PadvMetricsDatabase *databases;
	PadvMetricsCounted *counted;
	PadvMetricsLatency *latency;
	PadvMetricsLimit *limits;
} PadvMetricsInput;

/* Set the fields that follow from the status. */
extern void padv_metrics_prepare(PadvMetricsServer *server);

/*
 * Sort the rows that get their own series to the front, and return their number, at most
 * PADV_MAX_SHOWN: the roles with most active sessions, the tracked roles, and the
 * fullest limits.
 */
extern int	padv_metrics_choose_roles(PadvMetricsRole *roles, int count);
extern int	padv_metrics_choose_counted(PadvMetricsCounted *counted, int count);
extern int	padv_metrics_choose_limits(PadvMetricsLimit *limits, int count);

/*
 * Add up all rows after the first `shown`, and rows with an unknown or a duplicate name,
 * to one row PADV_OTHER_ROLES at the end.  A tracked role whose name is unknown is left out
 * of the sum of counters: what it has counted was never part of that.  The array must have
 * count + 1 elements.  Returns the number of rows now.
 */
extern int	padv_metrics_fold_roles(PadvMetricsRole *roles, int shown, int count);
extern int	padv_metrics_fold_counted(PadvMetricsCounted *counted, int shown, int count);

/* The same for durations, all of which are shown; also sets the fields that follow. */
extern int	padv_metrics_fold_latency(PadvMetricsLatency *latency, int count);

typedef struct PadvSeries
{
	const PadvMetric *metric;
	const char *rolname;		/* the labels; empty where one does not apply */
	const char *datname;
	const char *wait_class;
	const char *incident;
	double		value;
} PadvSeries;

/* Call `emit` for each series with a known value, in the order of padv_metrics. */
extern void padv_metrics_walk(const PadvMetricsInput *input,
							  void (*emit) (void *arg, const PadvSeries *series),
							  void *arg);

#endif							/* PADV_METRICS_H */
