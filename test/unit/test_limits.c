/*
 * test_limits.c
 *		Which limits a session is under, and what they add up to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/limits.h"
#include "tap.h"

/* Roles and databases by name. */
enum
{
	ALICE = 101, BOB, CAROL, TEAM, ALL_TEAMS, BOSS,
	CRM = 201, SHOP
};

static const int32_t nothing[PADV_LIMIT_SETTINGS] = {
	[PADV_MAX_SESSIONS] = PADV_UNLIMITED,
	[PADV_MIN_SESSIONS] = PADV_UNLIMITED,
	[PADV_QUEUE_TIMEOUT] = 10000,
	[PADV_MAX_ACTIVE] = PADV_UNLIMITED,
	[PADV_TRANSACTION_QUEUE_LENGTH] = PADV_UNLIMITED,
	[PADV_ACTIVE_WEIGHT] = 1,
};
static PadvLimits limits;
static void *block = NULL;
static int32_t found[PADV_MAX_SESSION_LIMITS];

static void
begin(void)
{
	if (block == NULL)
		block = malloc(padv_limits_block_size());
	memset(block, 0x55, padv_limits_block_size());
	padv_limits_init(&limits, block);
	padv_limits_begin(&limits, PADV_ENFORCEMENT_ON, 1.0, nothing);
}

static PadvLimit *
set(uint32_t database, uint32_t role, PadvLimitSetting setting, int32_t value)
{
	PadvLimit    *limit = padv_limits_entry(&limits, database, role);

	limit->value[setting] = value;
	return limit;
}

static void
finish(void)
{
	padv_limits_finish(&limits, NULL, 0);
}

/* How many limits a session is under, and the largest max_sessions among them. */
static int
largest(uint32_t database, uint32_t role, int *count)
{
	int			most = -1;

	*count = padv_limits_of(&limits, database, role, found);
	for (int i = 0; i < *count; i++)
	{
		const PadvLimit *limit = found[i] == PADV_DEFAULT_LIMIT ? &limits.default_limit : &limits.limits[found[i]];

		if (limit->value[PADV_MAX_SESSIONS] > most)
			most = limit->value[PADV_MAX_SESSIONS];
	}
	return most;
}

static bool
is_under(uint32_t database, uint32_t role, int expected_count, int expected_largest)
{
	int			count;
	int			most = largest(database, role, &count);

	if (count == expected_count && most == expected_largest)
		return true;
	printf("#   got %d limits, largest %d\n", count, most);
	return false;
}

static void
test_places(void)
{
	begin();
	finish();
	ok(!padv_limits_any(&limits) && is_under(CRM, ALICE, 0, -1), "without limits there are none");

	begin();
	set(0, ALICE, PADV_MAX_SESSIONS, 5);
	set(CRM, 0, PADV_MAX_SESSIONS, 50);
	set(CRM, ALICE, PADV_MAX_SESSIONS, 3);
	finish();
	ok(padv_limits_any(&limits), "now there are some");
	ok(is_under(CRM, ALICE, 3, 50), "a session is under all that apply");
	ok(is_under(SHOP, ALICE, 1, 5), "elsewhere it is under its role's");
	ok(is_under(CRM, BOB, 1, 50), "another role is under the database's");
	ok(is_under(0, ALICE, 1, 5), "of an unknown database nothing is taken");
	ok(is_under(SHOP, BOB, 0, -1), "and one that nothing is set for, under none");
}

static void
test_default(void)
{
	begin();
	set(0, 0, PADV_MAX_SESSIONS, 10);
	set(0, 0, PADV_QUEUE_LENGTH, 7);
	set(0, ALICE, PADV_QUEUE_LENGTH, 2);
	set(0, BOB, PADV_MAX_SESSIONS, -1);
	set(CRM, 0, PADV_QUEUE_LENGTH, 9);
	set(SHOP, 0, PADV_MAX_SESSIONS, 99);
	finish();
	ok(is_under(0, CAROL, 1, 10) && found[0] == PADV_DEFAULT_LIMIT, "the default is for those who have none");
	ok(is_under(0, ALICE, 1, 10) && limits.limits[found[0]].value[PADV_QUEUE_LENGTH] == 2,
	   "what is not set comes from the default");
	ok(is_under(0, BOB, 0, -1), "-1 on a role is an exemption from the default");
	ok(is_under(CRM, BOB, 0, -1), "the default's number is not for databases");
	ok(is_under(SHOP, BOB, 1, 99) && limits.limits[found[0]].value[PADV_QUEUE_LENGTH] == 7,
	   "but its way of waiting is");

	begin();
	set(0, 0, PADV_MAX_ACTIVE, 8);
	set(0, ALICE, PADV_MAX_ACTIVE, 3);
	set(CRM, 0, PADV_MAX_ACTIVE, 5);
	finish();
	ok(padv_limits_of(&limits, CRM, ALICE, found) == 2 && limits.limits[found[0]].value[PADV_MAX_ACTIVE] == 3 &&
	   limits.limits[found[1]].value[PADV_MAX_ACTIVE] == 5, "a limit on transactions is a limit like the others");
	ok(padv_limits_of(&limits, SHOP, BOB, found) == 1 && found[0] == PADV_DEFAULT_LIMIT, "and has a default for roles");
}

static void
test_groups(void)
{
	PadvGrant	grants[] = {
		{ALICE, TEAM}, {BOB, TEAM}, {TEAM, ALL_TEAMS}, {CAROL, ALL_TEAMS},
		{ALL_TEAMS, TEAM},		/* core forbids circles, but we must end */
		{ALICE, ALL_TEAMS}
	};

	begin();
	set(0, 0, PADV_MAX_SESSIONS, 4);
	set(0, TEAM, PADV_MAX_SESSIONS, 20);
	set(0, ALL_TEAMS, PADV_MAX_SESSIONS, 30);
	padv_limits_add_exempt(&limits, BOSS);
	padv_limits_finish(&limits, grants, sizeof(grants) / sizeof(grants[0]));
	ok(is_under(0, ALICE, 3, 30), "a member is under the default, its group and the group's group");
	ok(is_under(0, CAROL, 3, 30), "by way of others too");
	ok(is_under(0, TEAM, 2, 30), "the group itself is under its own limit once");
	ok(padv_limits_at(&limits, 0, TEAM)->scope == PADV_SCOPE_GROUP, "a role with members is a group");
	ok(padv_limits_at(&limits, 0, TEAM)->value[PADV_MIN_SESSIONS] == PADV_UNLIMITED,
	   "and takes no number from the default");
	ok(is_under(CRM, BOSS, 0, -1) && padv_limits_is_exempt(&limits, BOSS), "an exempt role is under none");
}

/* A grant of a role lifts no number that its own sessions have from the default. */
static void
test_default_of_group(void)
{
	PadvGrant	grants[] = {{BOB, ALICE}, {BOB, TEAM}, {CAROL, BOSS}};
	const PadvLoginRole roles[] = {{ALICE, -1}, {TEAM, -1}, {BOSS, -1}};

	begin();
	limits.scale = 2.0;
	set(0, 0, PADV_MAX_SESSIONS, 2);
	set(0, 0, PADV_QUEUE_LENGTH, 5);
	set(0, ALICE, PADV_MAX_ACTIVE, 50);
	set(0, TEAM, PADV_MAX_SESSIONS, -1);
	set(0, BOSS, PADV_ACTIVE_WEIGHT, 3);
	padv_limits_finish(&limits, grants, 3);
	ok(is_under(0, ALICE, 2, 4) && found[1] == PADV_DEFAULT_LIMIT, "a group that sets another number is under the default itself");
	ok(is_under(0, BOSS, 2, 4), "one that sets a weight, too");
	ok(is_under(0, TEAM, 0, -1), "-1 takes a group out of the default");
	ok(is_under(0, BOB, 2, 4) && found[0] == PADV_DEFAULT_LIMIT, "its members are under their own");
	ok(padv_limits_at(&limits, 0, ALICE)->value[PADV_MAX_SESSIONS] == -1, "which is not the limit of all together");
	padv_limits_commit(&limits, roles, 2);
	ok(limits.unbounded_roles == 1, "the sum of the limits has it");
	padv_limits_commit(&limits, roles, 1);
	ok(limits.committed == 4 && limits.committed_queue == 5, "and its queue");
}

/* A member of as many roles as there may be, of which few are limited; and long chains. */
static void
test_many_groups(void)
{
	enum
	{
		MANY = 20000
	};
	PadvGrant  *grants = calloc(MANY + 2, sizeof(PadvGrant));

	for (uint32_t i = 0; i < MANY; i++)
		grants[i] = (PadvGrant) {ALICE, 1000 + i};
	grants[MANY] = (PadvGrant) {1000 + MANY - 1, 100000};
	grants[MANY + 1] = (PadvGrant) {ALICE, 100001};
	begin();
	set(0, 100000, PADV_MAX_SESSIONS, 1);
	set(0, 100001, PADV_MAX_SESSIONS, 2);
	padv_limits_finish(&limits, grants, MANY + 2);
	ok(is_under(0, ALICE, 2, 2) && !limits.incomplete, "unlimited roles take no room");
	ok(limits.limits[found[0]].role == 100001, "the group that was granted directly goes first");

	for (int down = 0; down < 2; down++)
	{
		for (uint32_t i = 0; i < 2000; i++)
			grants[i] = down ? (PadvGrant) {1000 + i, 1001 + i} : (PadvGrant) {1001 + i, 1000 + i};
		begin();
		set(0, down ? 3000 : 1000, PADV_MAX_SESSIONS, 7);
		padv_limits_finish(&limits, grants, 2000);
		ok(is_under(0, down ? 1000 : 3000, 1, 7), "a member by way of 2000 roles");
	}
	free(grants);
}

/* The limit that says the share of a session, or NULL: it is that of its role. */
static const PadvLimit *
share_of(uint32_t database, uint32_t role)
{
	const PadvLimit *share = NULL;
	int			count = padv_limits_of(&limits, database, role, found);
	int			highest = 0;

	for (int i = 0; i < count; i++)
	{
		const PadvLimit *limit = found[i] == PADV_DEFAULT_LIMIT ? &limits.default_limit : &limits.limits[found[i]];

		if (padv_limit_share_order(limit, &limits.default_limit) > highest)
		{
			share = limit;
			highest = padv_limit_share_order(limit, &limits.default_limit);
		}
	}
	return share;
}

static bool
shares(uint32_t database, uint32_t role, uint32_t of_database, uint32_t of_role, int32_t weight)
{
	const PadvLimit *share = share_of(database, role);

	return share != NULL && share->database == of_database && share->role == of_role &&
		share->value[PADV_ACTIVE_WEIGHT] == weight;
}

static void
test_shares(void)
{
	PadvGrant	grants[] = {{ALICE, TEAM}, {BOB, TEAM}, {BOSS, ALL_TEAMS}};

	begin();
	set(0, ALICE, PADV_ACTIVE_WEIGHT, 3);
	set(0, TEAM, PADV_ACTIVE_WEIGHT, 1);
	set(0, ALL_TEAMS, PADV_MAX_ACTIVE, 5);
	set(CRM, 0, PADV_ACTIVE_WEIGHT, 7);
	set(CRM, ALICE, PADV_ACTIVE_WEIGHT, 9);
	set(SHOP, 0, PADV_MIN_ACTIVE, 2);
	padv_limits_finish(&limits, grants, sizeof(grants) / sizeof(grants[0]));
	ok(padv_limits_any(&limits), "a share is a limit that somebody is under");
	ok(shares(CRM, ALICE, CRM, ALICE, 9), "the share of a role in a database goes before all others");
	ok(shares(0, ALICE, 0, ALICE, 3), "then that of the role");
	ok(shares(CRM, BOB, 0, TEAM, 1), "then that of a group, a weight of 1 too");
	ok(shares(CRM, CAROL, CRM, 0, 7), "then that of the database");
	ok(share_of(0, CAROL) == NULL && share_of(0, BOSS) == NULL, "without any it is that of the role; a group that sets none has none");
	ok(share_of(SHOP, CAROL) != NULL && share_of(SHOP, CAROL)->value[PADV_MIN_ACTIVE] == 2, "a minimum is a share");

	begin();
	limits.scale = 0.5;
	set(0, 0, PADV_ACTIVE_WEIGHT, 4);
	set(0, ALICE, PADV_ACTIVE_WEIGHT, 1);
	set(0, BOB, PADV_MAX_ACTIVE, 10);
	set(0, CAROL, PADV_MIN_ACTIVE, 6);
	finish();
	ok(shares(0, ALICE, 0, ALICE, 1), "the standard weight is one where the default is another");
	ok(share_of(0, BOB) == NULL && padv_limits_at(&limits, 0, BOB)->value[PADV_ACTIVE_WEIGHT] == 4,
	   "a role has the weight of the default, and a share of its own");
	ok(shares(0, CAROL, 0, CAROL, 4) && padv_limits_at(&limits, 0, CAROL)->value[PADV_MIN_ACTIVE] == 3,
	   "a minimum is scaled, a weight is not");
}

static void
test_scale(void)
{
	begin();
	limits.scale = 0.5;
	set(0, 0, PADV_MAX_SESSIONS, 9);
	set(0, ALICE, PADV_MAX_SESSIONS, 1);
	set(0, BOB, PADV_MAX_SESSIONS, 0);
	set(0, CAROL, PADV_QUEUE_LENGTH, 8);
	set(CRM, 0, PADV_MAX_SESSIONS, INT32_MAX);
	set(CRM, 0, PADV_MIN_SESSIONS, 10);
	finish();
	ok(limits.default_limit.value[PADV_MAX_SESSIONS] == 4, "numbers are scaled and rounded down");
	ok(padv_limits_at(&limits, 0, ALICE)->value[PADV_MAX_SESSIONS] == 1, "but one stays one");
	ok(padv_limits_at(&limits, 0, BOB)->value[PADV_MAX_SESSIONS] == 0, "and none stays none");
	ok(padv_limits_at(&limits, 0, CAROL)->value[PADV_MAX_SESSIONS] == 4, "the default is scaled once");
	ok(padv_limits_at(&limits, 0, CAROL)->value[PADV_QUEUE_LENGTH] == 8, "a line is not scaled");
	ok(padv_limits_at(&limits, CRM, 0)->value[PADV_MIN_SESSIONS] == 5, "min_sessions is");

	begin();
	limits.scale = 1000.0;
	set(0, ALICE, PADV_MAX_SESSIONS, INT32_MAX);
	finish();
	ok(padv_limits_at(&limits, 0, ALICE)->value[PADV_MAX_SESSIONS] == INT32_MAX, "nothing overflows");
}

static void
test_copy(void)
{
	PadvLimits	copy;
	PadvGrant	grants[] = {{ALICE, TEAM}};
	uint32_t	database;

	padv_limits_init(&copy, malloc(padv_limits_block_size()));
	begin();
	set(0, TEAM, PADV_MAX_SESSIONS, 20);
	set(CRM, 0, PADV_MAX_SESSIONS, 20);
	padv_limits_add_database(&limits, CRM, "crm");
	padv_limits_add_database(&limits, SHOP, "shop");
	padv_limits_add_exempt(&limits, BOSS);
	padv_limits_finish(&limits, grants, 1);
	padv_limits_copy(&copy, &limits);
	ok(padv_limits_equal(&copy, &limits), "a copy is equal");
	copy.memberships[0].member = BOB;
	ok(!padv_limits_equal(&copy, &limits), "another member makes a difference");
	padv_limits_copy(&copy, &limits);
	copy.limits[1].value[PADV_QUEUE_TIMEOUT]++;
	ok(!padv_limits_equal(&copy, &limits), "so does any setting");
	padv_limits_copy(&copy, &limits);
	copy.enforcement = PADV_ENFORCEMENT_OBSERVE;
	ok(!padv_limits_equal(&copy, &limits), "and enforcement");
	padv_limits_copy(&copy, &limits);
	copy.databases[0].name[0]++;
	ok(!padv_limits_equal(&copy, &limits), "and a database's name");

	padv_limits_copy(&copy, &limits);
	ok(padv_limits_database(&copy, "crm", &database) && database == CRM &&
	   padv_limits_database(&copy, "shop", &database) && database == SHOP,
	   "databases are found by name");
	ok(!padv_limits_database(&copy, "crm2", &database) && database == 0, "a new name is not known");
	begin();
	set(0, TEAM, PADV_MAX_SESSIONS, 20);
	padv_limits_add_database(&limits, CRM, "crm");
	finish();
	ok(padv_limits_database(&limits, "crm2", &database) && database == 0,
	   "without a limit on any, names do not matter");
	free(copy.block);
}

/* Who may create a database may choose its name. */
static void
test_names(void)
{
	/* the same 64-bit FNV-1a hash as that of "crm" */
	static const char planted[] =
		"\x65\x72\x64\x73\x6a\x72\x76\x66\x03\x09\x0d\x38\x0a\x0b\x03\x1e\x1a\x7f\x06\x02\x0e\x06\x0f\x15";
	char		longest[PADV_NAME_SIZE + 1] = "";
	char		name[PADV_NAME_SIZE];
	uint32_t	database;
	bool		good = true;

	for (int before = 0; before < 2; before++)
	{
		begin();
		set(CRM, 0, PADV_MAX_SESSIONS, 2);
		set(SHOP, ALICE, PADV_MAX_SESSIONS, 1);
		if (before)
			padv_limits_add_database(&limits, 300, planted);
		padv_limits_add_database(&limits, CRM, "crm");
		padv_limits_add_database(&limits, SHOP, "shop");
		if (!before)
			padv_limits_add_database(&limits, 300, planted);
		finish();
		ok(padv_limits_database(&limits, "crm", &database) && database == CRM,
		   "a name of the same hash does not hide another, listed %s it", before ? "before" : "after");
		ok(padv_limits_database(&limits, planted, &database) && database == 300, "and is found itself");
	}

	/* more databases than are kept: each is the right one, or not known */
	begin();
	set(CRM, 0, PADV_MAX_SESSIONS, 2);
	set(CRM, ALICE, PADV_MAX_SESSIONS, 1);
	for (uint32_t i = 0; i < PADV_MAX_LIMITS; i++)
	{
		snprintf(name, sizeof(name), "d%u", (unsigned) i);
		padv_limits_add_database(&limits, 1000 + i, name);
	}
	padv_limits_add_database(&limits, CRM, "crm");
	finish();
	ok(!padv_limits_database(&limits, "crm", &database), "a database too many is not known, and not taken for another");
	for (uint32_t i = 0; i < PADV_MAX_LIMITS; i++)
	{
		snprintf(name, sizeof(name), "d%u", (unsigned) i);
		good = good && padv_limits_database(&limits, name, &database) && database == 1000 + i;
	}
	ok(good, "those that are kept are found");

	begin();
	set(CRM, 0, PADV_MAX_SESSIONS, 2);
	memset(longest, 'x', PADV_NAME_SIZE);
	padv_limits_add_database(&limits, SHOP, longest);
	longest[PADV_NAME_SIZE - 1] = '\0';
	padv_limits_add_database(&limits, CRM, longest);
	finish();
	ok(padv_limits_database(&limits, longest, &database) && database == CRM, "the longest name is found");
	longest[PADV_NAME_SIZE - 1] = 'x';
	ok(!padv_limits_database(&limits, longest, &database), "a longer one is not known");
}

/* Logins that may wait, beside the sessions. */
static void
test_queues(void)
{
	PadvLoginRole roles[] = {{ALICE, -1}, {BOB, -1}, {CAROL, -1}};
	PadvLimit    *limit;

	begin();
	set(0, ALICE, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = 100;
	set(CRM, 0, PADV_MAX_SESSIONS, 10)->value[PADV_QUEUE_LENGTH] = 5;
	set(SHOP, 0, PADV_MIN_SESSIONS, 1)->value[PADV_QUEUE_LENGTH] = 7;
	finish();
	padv_limits_commit(&limits, roles, 3);
	ok(limits.committed_queue == 105, "all queues are added up, but those without a number of sessions");
	begin();
	set(0, ALICE, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = 100;
	set(CRM, ALICE, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = 10;
	set(CRM, BOB, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = 3;
	padv_limits_add_exempt(&limits, ALICE);
	finish();
	padv_limits_commit(&limits, roles + 1, 2);
	ok(limits.committed_queue == 3, "those of an exempt role are not");
	begin();
	limits.default_limit.value[PADV_MAX_SESSIONS] = 3;
	limits.default_limit.value[PADV_QUEUE_LENGTH] = 4;
	set(0, ALICE, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = 0;
	finish();
	padv_limits_commit(&limits, roles, 3);
	ok(limits.committed_queue == 8, "each role under the default has its queue");
	begin();
	set(0, ALICE, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = -1;
	set(0, BOB, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = 4;
	finish();
	padv_limits_commit(&limits, roles, 3);
	ok(limits.committed_queue == -1, "one without an end has no sum");

	begin();
	limit = set(0, ALICE, PADV_MAX_SESSIONS, 20);
	limit->value[PADV_QUEUE_LENGTH] = 77;
	ok(!padv_limit_queue_above(limit, 97), "20 sessions and 77 who wait are not above 97 connections");
	limit->value[PADV_QUEUE_LENGTH] = 78;
	ok(padv_limit_queue_above(limit, 97), "78 are");
	limit->value[PADV_QUEUE_LENGTH] = -1;
	ok(padv_limit_queue_above(limit, 97), "so is any number");
	limit->value[PADV_QUEUE_LENGTH] = 0;
	limit->value[PADV_MAX_SESSIONS] = 1000;
	ok(!padv_limit_queue_above(limit, 97), "without a queue there is nothing to say");
	limit->value[PADV_QUEUE_LENGTH] = 1000;
	limit->value[PADV_MAX_SESSIONS] = -1;
	ok(!padv_limit_queue_above(limit, 97), "nor without a number of sessions, as nobody waits");
}

static void
test_commit(void)
{
	PadvGrant	grants[] = {{ALICE, TEAM}, {BOB, TEAM}};
	PadvLoginRole roles[] = {{ALICE, 5}, {BOB, -1}, {CAROL, -1}};

	begin();
	set(0, TEAM, PADV_MAX_SESSIONS, 20);
	padv_limits_finish(&limits, grants, 2);
	padv_limits_commit(&limits, roles, 3);
	ok(limits.committed == -1 && limits.unbounded_roles == 1, "a role without a bound has none");
	padv_limits_commit(&limits, roles, 2);
	ok(limits.committed == 20, "a group counts with its limit when a member has no bound");
	roles[1].connection_limit = 3;
	padv_limits_commit(&limits, roles, 2);
	ok(limits.committed == 8, "or with what its members have, if that is less");

	begin();
	set(0, 0, PADV_MAX_SESSIONS, 10);
	set(0, CAROL, PADV_MAX_SESSIONS, 40)->connection_limit = 30;
	finish();
	padv_limits_commit(&limits, (PadvLoginRole[]) {{ALICE, -1}, {BOB, 2}, {CAROL, 30}}, 3);
	ok(limits.committed == 42, "default, CONNECTION LIMIT below it, and both (%lld)",
	   (long long) limits.committed);
	ok(padv_limit_bound(padv_limits_at(&limits, 0, CAROL)) == 30, "the smaller one is the bound");
}

/* Too much of everything: what does not fit is left out, and said so. */
static void
test_full(void)
{
	PadvGrant  *grants = calloc(2 * PADV_MAX_MEMBERSHIPS, sizeof(PadvGrant));
	int			count;

	begin();
	for (uint32_t i = 1; i <= PADV_MAX_LIMITS; i++)
		set(0, i, PADV_MAX_SESSIONS, 5);
	ok(!limits.incomplete && padv_limits_entry(&limits, 0, PADV_MAX_LIMITS + 1) == NULL && limits.incomplete,
	   "one limit too many is not taken");
	for (int i = 0; i < 2 * PADV_MAX_MEMBERSHIPS; i++)
		grants[i] = (PadvGrant) {100000 + (uint32_t) i, 1};
	padv_limits_finish(&limits, grants, 2 * PADV_MAX_MEMBERSHIPS);
	ok(limits.nmemberships == PADV_MAX_MEMBERSHIPS && limits.incomplete, "nor too many members");
	ok(padv_limits_of(&limits, 0, 100000, found) == 1 && padv_limits_of(&limits, 0, PADV_MAX_LIMITS, found) == 1,
	   "those that fit are there");

	for (int many = 25; many <= 300; many += 275)
	{
		for (int i = 0; i < many; i++)
			grants[i] = (PadvGrant) {ALICE, (uint32_t) i + 1000};
		begin();
		for (uint32_t i = 0; i < (uint32_t) many; i++)
			set(0, i + 1000, PADV_MAX_SESSIONS, 5);
		padv_limits_finish(&limits, grants, (size_t) many);
		count = padv_limits_of(&limits, 0, ALICE, found);
		ok(count == PADV_MAX_SESSION_LIMITS && limits.incomplete, "a member of %d groups is under some", many);
	}

	begin();
	for (uint32_t i = 0; i < PADV_MAX_EXEMPT + 5; i++)
		padv_limits_add_exempt(&limits, i + 1);
	finish();
	ok(limits.nexempt == PADV_MAX_EXEMPT && limits.incomplete, "too many exempt roles");
	free(grants);
}

/* What nobody has read yet limits nobody, and is not shown as if it did. */
static void
test_unread(void)
{
	PadvLimits	unread;
	int32_t		found[PADV_MAX_SESSION_LIMITS];
	void	   *memory = malloc(padv_limits_block_size());

	padv_limits_init(&unread, memory);
	ok(!padv_limits_any(&unread), "there is no limit before any was read");
	ok(!padv_limit_is_set(&unread.default_limit) && padv_limit_bound(&unread.default_limit) < 0, "and no default");
	ok(padv_limits_of(&unread, 1, 10, found) == 0, "for no session");
	free(memory);
}

int
main(void)
{
	test_unread();
	test_places();
	test_default();
	test_groups();
	test_default_of_group();
	test_many_groups();
	test_shares();
	test_scale();
	test_copy();
	test_names();
	test_queues();
	test_commit();
	test_full();
	free(block);
	return tap_end();
}
