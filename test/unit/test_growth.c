/*
 * test_growth.c
 *		Whose load has grown: by each dimension, beside those who only suffer, with more keys than
 *		there is room for, and by processes without a client.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <string.h>

#include "core/model/growth.h"
#include "tap.h"

#define WEB 10
#define MANY 3000

static PadvGrowth growth;
static PadvKeyNames names;
static PadvSession sessions[MANY];
static PadvSessionKeys keys[MANY];
static PadvSample sample = {.sessions = sessions, .keys = keys};
static PadvIncident incident;

static void
begin(void)
{
	padv_growth_init(&growth);
	memset(&names, 0, sizeof(names));
	sample.count = 0;
	memset(sample.background_io, 0, sizeof(sample.background_io));
}

/* Add sessions that wait for I/O to the sample. */
static void
add(int count, uint32_t role, uint32_t database, uint64_t application, uint64_t client, uint64_t query)
{
	for (int i = 0; i < count; i++)
	{
		sessions[sample.count] = (PadvSession) {.state = PADV_STATE_ACTIVE, .demands = true, .role = role,
		.database = database, .wait_class = PADV_WAITING_IO};
		keys[sample.count++] = (PadvSessionKeys) {.application = application, .client = client, .query = query};
	}
}

static void
pass(int seconds, bool usual)
{
	for (int i = 0; i < seconds; i++)
	{
		padv_growth_sample(&growth, &sample);
		padv_growth_background(&growth, sample.background_io);
		padv_growth_end(&growth, 1.0, usual, !usual);
	}
	sample.count = 0;
}

static PadvCulprit
culprit_of(PadvGrowthOf of)
{
	padv_growth_name(&growth, of, &names, &incident);
	return (PadvCulprit) incident.culprit;
}

static void
name_key(uint64_t key, const char *text)
{
	char		name[PADV_KEY_NAME] = "";

	snprintf(name, sizeof(name), "%s", text);
	padv_key_names_add(&names, key, name, 1);
}

static void
test_dimensions(void)
{
	begin();
	add(4, WEB, 1, 21, 31, 41);
	pass(150, true);
	ok(culprit_of(PADV_GROWTH_DEMAND) == PADV_CULPRIT_NONE, "without a load that goes on there is no culprit");
	add(40, WEB, 1, 21, 31, 41);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_DEMAND) == PADV_CULPRIT_NONE && culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_NONE,
	   "those who only suffer are none");
	padv_growth_clear(&growth);
	add(20, WEB, 1, 21, 31, 41);
	add(20, 11, 1, 22, 32, 42);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_ROLE && incident.role == 11 && fabs(incident.share - 0.5) < 1e-9 &&
	   incident.share_before == 0.0, "a role that brings half of the sessions, though others grow as much");
	padv_growth_clear(&growth);
	add(20, WEB, 1, 21, 31, 41);
	add(20, WEB, 1, 23, 31, 43);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_QUERY && incident.query_id == 43 && incident.role == WEB,
	   "an application without a name that is known is told by its query");
	name_key(23, "crawler");
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_APPLICATION && strcmp(incident.application, "crawler") == 0 &&
	   incident.role == WEB, "and by its name, with its role");
	padv_growth_clear(&growth);
	name_key(33, "10.0.0.5");
	add(20, WEB, 1, 21, 31, 41);
	add(20, WEB, 1, 21, 33, 41);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_CLIENT && strcmp(incident.application, "10.0.0.5") == 0, "a client");
	padv_growth_clear(&growth);
	add(10, WEB, 1, 21, 31, 41);
	for (uint32_t i = 0; i < 20; i++)
		add(1, 50 + i, 7, 60 + i, 0, 0);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_DEMAND) == PADV_CULPRIT_DATABASE && incident.database == 7 && incident.role == 0,
	   "a database, which is of no role");
}

/* Each transaction has another query and another client, and there is no room for all. */
static void
test_many_keys(void)
{
	uint64_t	number = 1000;
	PadvCulprit found;

	begin();
	for (int second = 0; second < 200; second++)
	{
		for (int i = 0; i < 300; i++, number++)
			add(1, 100 + (uint32_t) (number % 500), 1, 2000 + number % 700, number, number);
		pass(1, true);
	}
	for (int second = 0; second < 20; second++)
	{
		for (int i = 0; i < 300; i++, number++)
			add(1, 100 + (uint32_t) (number % 500), 1, 2000 + number % 700, number, number);
		add(300, 99, 1, 0, 0, number);
		pass(1, false);
	}

	/* it comes in within a few samples */
	found = culprit_of(PADV_GROWTH_DEMAND);
	ok(found == PADV_CULPRIT_ROLE && incident.role == 99 && fabs(incident.share - 0.5) < 0.1,
	   "a role is found among more keys than there is room for (%.3f)", incident.share);
}

static void
test_background(void)
{
	begin();
	add(2, WEB, 1, 21, 31, 41);
	pass(150, true);
	add(20, WEB, 1, 21, 31, 41);
	sample.background_io[PADV_BACKGROUND_AUTOVACUUM] = 2;
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_BACKGROUND && incident.state == PADV_BACKGROUND_AUTOVACUUM &&
	   incident.share == 1.0 && incident.share_before == 0.0 && incident.role == 0, "autovacuum that was not there before");
	ok(culprit_of(PADV_GROWTH_DEMAND) == PADV_CULPRIT_NONE, "which brings no sessions");
	padv_growth_clear(&growth);
	add(20, WEB, 1, 21, 31, 41);
	add(30, 11, 1, 22, 32, 42);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_ROLE, "sessions go before it");

	begin();
	add(2, WEB, 1, 21, 31, 41);
	sample.background_io[PADV_BACKGROUND_CHECKPOINTER] = 1;
	pass(150, true);
	add(20, WEB, 1, 21, 31, 41);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_NONE, "a checkpointer that always waits for I/O is none");
}

/* A batch goes, and all others stand still. */
static void
test_one_leaves(void)
{
	begin();
	add(3, WEB, 1, 21, 31, 41);
	add(3, 11, 1, 22, 32, 42);
	pass(150, true);
	add(20, WEB, 1, 21, 31, 41);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_DEMAND) == PADV_CULPRIT_NONE && culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_NONE,
	   "that one has left makes none of those who stay");
}

/* Add sessions that are idle. */
static void
add_idle(int count, uint32_t role, uint32_t database)
{
	for (int i = 0; i < count; i++)
	{
		sessions[sample.count] = (PadvSession) {.state = PADV_STATE_IDLE, .role = role, .database = database};
		keys[sample.count++] = (PadvSessionKeys) {0};
	}
}

/* So many at work of 50, of two roles with a pool each and an application, and of 5. */
static void
add_pools(int large, int small)
{
	add(large, WEB, 1, 21, 31, 41);
	add_idle(50 - large, WEB, 1);
	add(small, 11, 1, 22, 32, 42);
	add_idle(5 - small, 11, 1);
}

/* A disk is slow, and all wait for it: the larger pool has more that can wait. */
static void
test_full_pools(void)
{
	begin();
	name_key(21, "web");
	name_key(22, "batch");
	add_pools(2, 2);
	pass(150, true);
	add_pools(47, 5);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_NONE && culprit_of(PADV_GROWTH_DEMAND) == PADV_CULPRIT_NONE,
	   "where all pools are full the larger one has brought nothing");

	begin();
	name_key(21, "web");
	add_pools(2, 2);
	pass(150, true);
	add_pools(40, 2);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_ROLE && incident.role == WEB, "where the other one has room it has");

	begin();
	add_pools(0, 2);
	pass(150, true);
	add_pools(40, 5);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_ROLE && incident.role == WEB, "so has one that did nothing before");

	begin();
	add_pools(2, 2);
	pass(150, true);
	add(20, 11, 1, 22, 32, 42);
	add_pools(20, 5);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_NONE || incident.role == 11, "and sessions that have come are never those of another");
	add(60, 11, 1, 22, 32, 42);
	add_pools(20, 5);
	pass(60, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_ROLE && incident.role == 11, "but of whom they are");
}

/* The signs of a load come later than the load. */
static void
test_late_signs(void)
{
	begin();
	add(4, WEB, 1, 21, 31, 41);
	pass(150, true);
	add(10, WEB, 1, 21, 31, 41);
	add(40, 11, 1, 22, 32, 42);
	pass(55, true);
	add(10, WEB, 1, 21, 31, 41);
	add(40, 11, 1, 22, 32, 42);
	pass(15, false);
	ok(culprit_of(PADV_GROWTH_DEMAND) == PADV_CULPRIT_ROLE && incident.role == 11 && incident.share_before == 0.0,
	   "what came a minute before the signs is not usual");
}

/* Short statements are often seen before they have their query ID, and long ones never. */
static void
test_short_statements(void)
{
	begin();
	add(3, WEB, 1, 21, 31, 41);
	add(3, WEB, 1, 21, 31, 0);
	pass(150, true);
	add(30, WEB, 1, 21, 31, 41);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_NONE, "a query that was half of what was seen, and all that had an ID");
}

/* A server that was all but idle: what was never seen at work was there all the same. */
static void
test_idle_server(void)
{
	begin();
	for (int i = 0; i < 200; i++)
	{
		add(6, WEB, 1, 21, 31, 41);
		for (int j = 0; j < sample.count; j++)
		{
			sessions[j].state = PADV_STATE_IDLE;
			sessions[j].demands = false;
		}
		pass(1, true);
	}
	add(6, WEB, 1, 21, 31, 41);
	add(24, 11, 1, 22, 31, 41);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_ROLE && incident.role == 11, "neither the only database nor the only query");
	padv_growth_clear(&growth);
	add(6, WEB, 1, 21, 31, 41);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_IO) == PADV_CULPRIT_NONE, "nor the only role");
}

static void
test_little_known(void)
{
	begin();
	add(4, WEB, 1, 21, 31, 41);
	pass(80, true);
	add(30, 11, 1, 22, 32, 42);
	pass(20, false);
	ok(culprit_of(PADV_GROWTH_DEMAND) == PADV_CULPRIT_NONE, "before a minute has passed nothing is usual");
}

int
main(void)
{
	test_dimensions();
	test_many_keys();
	test_background();
	test_one_leaves();
	test_full_pools();
	test_late_signs();
	test_short_statements();
	test_idle_server();
	test_little_known();
	return tap_end();
}
