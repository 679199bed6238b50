/*
 * incident_keys.h
 *		Whose sessions the simulated ones are: several applications with their roles, databases, clients
 *		and queries, and one that brings more than it did.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_INCIDENT_KEYS_H
#define PADV_INCIDENT_KEYS_H

#include "production.h"

#include "core/model/incidents.h"

#define ORIGINS 8
#define ORIGIN_QUERIES 5

/* One application on one client. */
typedef struct Origin
{
	double		weight;			/* of its sessions, as it is now */
	double		io;				/* likewise of those that wait for I/O */
	double		usual;			/* weight is around it */
	double		usual_io;
	uint32_t	role;
	uint32_t	database;
	uint64_t	application;
	uint64_t	client;
	uint64_t	queries[ORIGIN_QUERIES];
} Origin;

/* By what the additional sessions can be told from the others. */
typedef enum NewKey
{
	NEW_NONE,					/* they are as the others */
	NEW_ROLE,					/* and with it all else */
	NEW_APPLICATION,			/* of a role that there is */
	NEW_DATABASE,
	NEW_CLIENT,
	NEW_QUERY,
	KNOWN_ROLE,					/* that had few of the sessions */
	NEW_KEYS
} NewKey;

typedef struct Keys
{
	int			count;
	Origin		origins[ORIGINS];
	NewKey		kind;
	Origin		more;			/* whose the additional sessions are, as far as kind says */
	PadvSession sessions[2 * PRODUCTION_MAX];
	PadvSessionKeys keys[2 * PRODUCTION_MAX];
	PadvKeyNames names;
} Keys;

static void
name_some_key(Keys *keys, uint64_t key, const char *what)
{
	char		name[PADV_KEY_NAME] = "";

	snprintf(name, sizeof(name), "%s %llu", what, (unsigned long long) key);
	padv_key_names_add(&keys->names, key, name, INT64_MAX);
}

static Origin
draw_origin(Keys *keys, Production *p, uint32_t number)
{
	Origin		origin = {
		.usual = production_around(p, 0.05, 1.0), .usual_io = production_around(p, 0.3, 3.0),
		.role = 100 + number % 6, .database = 200 + number % 3, .application = 300 + number, .client = 400 + number % 5,
	};

	for (int i = 0; i < ORIGIN_QUERIES; i++)
		origin.queries[i] = 1000 + 10 * number + (uint64_t) i;
	origin.usual_io *= origin.usual;
	origin.weight = origin.usual;
	origin.io = origin.usual_io;
	name_some_key(keys, origin.application, "application");
	name_some_key(keys, origin.client, "client");
	name_some_key(keys, origin.client + 10, "client");
	return origin;
}

/* The origin that has most of the sessions. */
static const Origin *
main_origin(const Keys *keys)
{
	const Origin *most = &keys->origins[0];

	for (int i = 1; i < keys->count; i++)
		if (keys->origins[i].usual > most->usual)
			most = &keys->origins[i];
	return most;
}

static void
draw_keys(Keys *keys, Production *p, NewKey kind)
{
	double		all = 0.0;

	memset(keys, 0, offsetof(Keys, sessions));
	keys->kind = kind;
	keys->count = 4 + (int) production_between(p, 0.0, ORIGINS - 3.0);
	for (int i = 0; i < keys->count; i++)
	{
		keys->origins[i] = draw_origin(keys, p, (uint32_t) i);
		all += keys->origins[i].usual;
	}
	keys->more = draw_origin(keys, p, 50);
	keys->more.role = 150;
	if (kind == KNOWN_ROLE)
	{
		/* the last one, with up to a third of the sessions */
		keys->more = keys->origins[keys->count - 1];
		keys->more.role = keys->origins[keys->count - 1].role = 150;
		keys->origins[keys->count - 1].usual = fmin(keys->more.usual, 0.5 * (all - keys->more.usual));
		keys->origins[keys->count - 1].usual_io = fmin(keys->more.usual_io, 0.5 * (all - keys->more.usual));
	}
	if (kind == NEW_APPLICATION)
	{
		Origin	   *host = (Origin *) main_origin(keys);

		/* the role has so many that its share cannot grow as that of the application does */
		host->usual = fmax(host->usual, 0.4 * all);
		host->usual_io = fmax(host->usual_io, host->usual);
		keys->more.role = host->role;
		keys->more.database = host->database;
		keys->more.client = host->client;
	}
}

/* What each has varies from minute to minute. */
static void
vary_keys(Keys *keys, Production *p)
{
	for (int i = 0; i < keys->count; i++)
	{
		double		factor = production_around(p, 0.7, 1.4);

		keys->origins[i].weight = keys->origins[i].usual * factor;
		keys->origins[i].io = keys->origins[i].usual_io * factor;
	}
}

static Origin
pick_origin(const Keys *keys, Production *p, bool waits)
{
	double		all = 0.0;
	double		at;
	int			i;

	for (i = 0; i < keys->count; i++)
		all += waits ? keys->origins[i].io : keys->origins[i].weight;
	at = all * production_random(p);
	for (i = 0; i < keys->count - 1; i++)
	{
		at -= waits ? keys->origins[i].io : keys->origins[i].weight;
		if (at < 0.0)
			break;
	}
	return keys->origins[i];
}

/* One of the additional sessions: as any other, but for what is new. */
static Origin
pick_more(const Keys *keys, Production *p, bool waits)
{
	Origin		origin = pick_origin(keys, p, waits);

	switch (keys->kind)
	{
		case NEW_ROLE:
		case NEW_APPLICATION:
		case KNOWN_ROLE:
			return keys->more;
		case NEW_DATABASE:
			origin.database = keys->more.database + 10;
			break;
		case NEW_CLIENT:
			origin.client = keys->more.client + 10;
			break;
		case NEW_QUERY:
			for (int i = 0; i < ORIGIN_QUERIES; i++)
				origin.queries[i] = keys->more.queries[0];
			break;
		case NEW_NONE:
		case NEW_KEYS:
			break;
	}
	return origin;
}

static void
add_session(Keys *keys, Production *p, PadvSample *sample, bool waits, double more)
{
	bool		added = production_random(p) < more;
	Origin		origin = added ? pick_more(keys, p, waits) : pick_origin(keys, p, waits);

	sample->sessions[sample->count] = (PadvSession) {
		.state = PADV_STATE_ACTIVE, .demands = true, .role = origin.role, .database = origin.database,
		.wait_class = waits ? PADV_WAITING_IO : PADV_ON_CPU,
	};
	sample->keys[sample->count++] = (PadvSessionKeys) {
		.application = origin.application, .client = origin.client,
		.query = origin.queries[(int) (production_random(p) * ORIGIN_QUERIES)],
	};
}

/* A sample with so many sessions, of which this share are the additional ones. */
static void
sample_keys(Keys *keys, Production *p, double demand, double waiting, double more, PadvGrowth *growth)
{
	PadvSample	sample = {.sessions = keys->sessions, .keys = keys->keys};
	int			all = (int) fmin(demand + production_random(p), 2 * PRODUCTION_MAX);
	int			waits = (int) (waiting + production_random(p));

	for (int i = 0; i < all; i++)
		add_session(keys, p, &sample, i < waits, more);
	padv_growth_sample(growth, &sample);
}

/* Whether it is the key that is told, or none where there is none. */
static bool
key_is_right(const Keys *keys, const PadvIncident *incident)
{
	char		name[PADV_KEY_NAME] = "";

	switch (keys->kind)
	{
		case NEW_NONE:
		case NEW_KEYS:
			break;
		case NEW_ROLE:
		case KNOWN_ROLE:
			return incident->culprit == PADV_CULPRIT_ROLE && incident->role == keys->more.role;
		case NEW_APPLICATION:
			snprintf(name, sizeof(name), "application %llu", (unsigned long long) keys->more.application);
			return incident->culprit == PADV_CULPRIT_APPLICATION && strcmp(incident->application, name) == 0 &&
				incident->role == keys->more.role;
		case NEW_DATABASE:
			return incident->culprit == PADV_CULPRIT_DATABASE && incident->database == keys->more.database + 10;
		case NEW_CLIENT:
			snprintf(name, sizeof(name), "client %llu", (unsigned long long) keys->more.client + 10);
			return incident->culprit == PADV_CULPRIT_CLIENT && strcmp(incident->application, name) == 0;
		case NEW_QUERY:
			return incident->culprit == PADV_CULPRIT_QUERY && incident->query_id == (int64_t) keys->more.queries[0];
	}
	return incident->culprit == PADV_CULPRIT_NONE;
}

#endif							/* PADV_INCIDENT_KEYS_H */
