/*
 * test_limits.c
 *		Which caps a session is under, and what they add up to.
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

static const int32_t nothing[PADV_CAP_SETTINGS] = {PADV_UNLIMITED, PADV_UNLIMITED, 0, 0, 10000, PADV_UNLIMITED, PADV_UNLIMITED, 0};
static PadvCaps caps;
static void *block = NULL;
static int32_t found[PADV_MAX_SESSION_CAPS];

static void
begin(void)
{
	if (block == NULL)
		block = malloc(padv_caps_block_size());
	memset(block, 0x55, padv_caps_block_size());
	padv_caps_init(&caps, block);
	padv_caps_begin(&caps, PADV_ENFORCEMENT_ON, 1.0, nothing);
}

static PadvCap *
set(uint32_t database, uint32_t role, PadvCapSetting setting, int32_t value)
{
	PadvCap    *cap = padv_caps_place(&caps, database, role);

	cap->value[setting] = value;
	return cap;
}

static void
finish(void)
{
	padv_caps_finish(&caps, NULL, 0);
}

/* How many caps a session is under, and the largest max_sessions among them. */
static int
largest(uint32_t database, uint32_t role, int *count)
{
	int			most = -1;

	*count = padv_caps_of(&caps, database, role, found);
	for (int i = 0; i < *count; i++)
	{
		const PadvCap *cap = found[i] == PADV_DEFAULT_CAP ? &caps.fallback : &caps.caps[found[i]];

		if (cap->value[PADV_MAX_SESSIONS] > most)
			most = cap->value[PADV_MAX_SESSIONS];
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
	printf("#   got %d caps, largest %d\n", count, most);
	return false;
}

static void
test_places(void)
{
	begin();
	finish();
	ok(!padv_caps_any(&caps) && is_under(CRM, ALICE, 0, -1), "without caps there are none");

	begin();
	set(0, ALICE, PADV_MAX_SESSIONS, 5);
	set(CRM, 0, PADV_MAX_SESSIONS, 50);
	set(CRM, ALICE, PADV_MAX_SESSIONS, 3);
	finish();
	ok(padv_caps_any(&caps), "now there are some");
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
	ok(is_under(0, CAROL, 1, 10) && found[0] == PADV_DEFAULT_CAP, "the default is for those who have none");
	ok(is_under(0, ALICE, 1, 10) && caps.caps[found[0]].value[PADV_QUEUE_LENGTH] == 2,
	   "what is not set comes from the default");
	ok(is_under(0, BOB, 0, -1), "-1 on a role is an exemption from the default");
	ok(is_under(CRM, BOB, 0, -1), "the default's number is not for databases");
	ok(is_under(SHOP, BOB, 1, 99) && caps.caps[found[0]].value[PADV_QUEUE_LENGTH] == 7,
	   "but its way of waiting is");

	begin();
	set(0, 0, PADV_MAX_ACTIVE, 8);
	set(0, ALICE, PADV_MAX_ACTIVE, 3);
	set(CRM, 0, PADV_MAX_ACTIVE, 5);
	finish();
	ok(padv_caps_of(&caps, CRM, ALICE, found) == 2 && caps.caps[found[0]].value[PADV_MAX_ACTIVE] == 3 &&
	   caps.caps[found[1]].value[PADV_MAX_ACTIVE] == 5, "a cap on transactions is a cap like the others");
	ok(padv_caps_of(&caps, SHOP, BOB, found) == 1 && found[0] == PADV_DEFAULT_CAP, "and has a default for roles");
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
	padv_caps_add_exempt(&caps, BOSS);
	padv_caps_finish(&caps, grants, sizeof(grants) / sizeof(grants[0]));
	ok(is_under(0, ALICE, 3, 30), "a member is under the default, its group and the group's group");
	ok(is_under(0, CAROL, 3, 30), "by way of others too");
	ok(is_under(0, TEAM, 2, 30), "the group itself is under its own cap once");
	ok(padv_caps_at(&caps, 0, TEAM)->scope == PADV_SCOPE_GROUP, "a role with members is a group");
	ok(padv_caps_at(&caps, 0, TEAM)->value[PADV_MIN_SESSIONS] == PADV_UNLIMITED,
	   "and takes no number from the default");
	ok(is_under(CRM, BOSS, 0, -1) && padv_caps_is_exempt(&caps, BOSS), "an exempt role is under none");
}

static void
test_scale(void)
{
	begin();
	caps.scale = 0.5;
	set(0, 0, PADV_MAX_SESSIONS, 9);
	set(0, ALICE, PADV_MAX_SESSIONS, 1);
	set(0, BOB, PADV_MAX_SESSIONS, 0);
	set(0, CAROL, PADV_QUEUE_LENGTH, 8);
	set(CRM, 0, PADV_MAX_SESSIONS, INT32_MAX);
	set(CRM, 0, PADV_MIN_SESSIONS, 10);
	finish();
	ok(caps.fallback.value[PADV_MAX_SESSIONS] == 4, "numbers are scaled and rounded down");
	ok(padv_caps_at(&caps, 0, ALICE)->value[PADV_MAX_SESSIONS] == 1, "but one stays one");
	ok(padv_caps_at(&caps, 0, BOB)->value[PADV_MAX_SESSIONS] == 0, "and none stays none");
	ok(padv_caps_at(&caps, 0, CAROL)->value[PADV_MAX_SESSIONS] == 4, "the default is scaled once");
	ok(padv_caps_at(&caps, 0, CAROL)->value[PADV_QUEUE_LENGTH] == 8, "a line is not scaled");
	ok(padv_caps_at(&caps, CRM, 0)->value[PADV_MIN_SESSIONS] == 5, "min_sessions is");

	begin();
	caps.scale = 1000.0;
	set(0, ALICE, PADV_MAX_SESSIONS, INT32_MAX);
	finish();
	ok(padv_caps_at(&caps, 0, ALICE)->value[PADV_MAX_SESSIONS] == INT32_MAX, "nothing overflows");
}

static void
test_copy(void)
{
	PadvCaps	copy;
	PadvGrant	grants[] = {{ALICE, TEAM}};
	uint32_t	database;

	padv_caps_init(&copy, malloc(padv_caps_block_size()));
	begin();
	set(0, TEAM, PADV_MAX_SESSIONS, 20);
	set(CRM, 0, PADV_MAX_SESSIONS, 20);
	padv_caps_add_database(&caps, CRM, "crm");
	padv_caps_add_database(&caps, SHOP, "shop");
	padv_caps_add_exempt(&caps, BOSS);
	padv_caps_finish(&caps, grants, 1);
	padv_caps_copy(&copy, &caps);
	ok(padv_caps_equal(&copy, &caps), "a copy is equal");
	copy.memberships[0].member = BOB;
	ok(!padv_caps_equal(&copy, &caps), "another member makes a difference");
	padv_caps_copy(&copy, &caps);
	copy.caps[1].value[PADV_QUEUE_TIMEOUT]++;
	ok(!padv_caps_equal(&copy, &caps), "so does any setting");
	padv_caps_copy(&copy, &caps);
	copy.enforcement = PADV_ENFORCEMENT_OBSERVE;
	ok(!padv_caps_equal(&copy, &caps), "and enforcement");
	padv_caps_copy(&copy, &caps);
	copy.databases[0].name[0]++;
	ok(!padv_caps_equal(&copy, &caps), "and a database's name");

	padv_caps_copy(&copy, &caps);
	ok(padv_caps_database(&copy, "crm", &database) && database == CRM &&
	   padv_caps_database(&copy, "shop", &database) && database == SHOP,
	   "databases are found by name");
	ok(!padv_caps_database(&copy, "crm2", &database) && database == 0, "a new name is not known");
	begin();
	set(0, TEAM, PADV_MAX_SESSIONS, 20);
	padv_caps_add_database(&caps, CRM, "crm");
	finish();
	ok(padv_caps_database(&caps, "crm2", &database) && database == 0,
	   "without a cap on any, names do not matter");
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
			padv_caps_add_database(&caps, 300, planted);
		padv_caps_add_database(&caps, CRM, "crm");
		padv_caps_add_database(&caps, SHOP, "shop");
		if (!before)
			padv_caps_add_database(&caps, 300, planted);
		finish();
		ok(padv_caps_database(&caps, "crm", &database) && database == CRM,
		   "a name of the same hash does not hide another, listed %s it", before ? "before" : "after");
		ok(padv_caps_database(&caps, planted, &database) && database == 300, "and is found itself");
	}

	/* more databases than are kept: each is the right one, or not known */
	begin();
	set(CRM, 0, PADV_MAX_SESSIONS, 2);
	set(CRM, ALICE, PADV_MAX_SESSIONS, 1);
	for (uint32_t i = 0; i < PADV_MAX_CAPS; i++)
	{
		snprintf(name, sizeof(name), "d%u", (unsigned) i);
		padv_caps_add_database(&caps, 1000 + i, name);
	}
	padv_caps_add_database(&caps, CRM, "crm");
	finish();
	ok(!padv_caps_database(&caps, "crm", &database), "a database too many is not known, and not taken for another");
	for (uint32_t i = 0; i < PADV_MAX_CAPS; i++)
	{
		snprintf(name, sizeof(name), "d%u", (unsigned) i);
		good = good && padv_caps_database(&caps, name, &database) && database == 1000 + i;
	}
	ok(good, "those that are kept are found");

	begin();
	set(CRM, 0, PADV_MAX_SESSIONS, 2);
	memset(longest, 'x', PADV_NAME_SIZE);
	padv_caps_add_database(&caps, SHOP, longest);
	longest[PADV_NAME_SIZE - 1] = '\0';
	padv_caps_add_database(&caps, CRM, longest);
	finish();
	ok(padv_caps_database(&caps, longest, &database) && database == CRM, "the longest name is found");
	longest[PADV_NAME_SIZE - 1] = 'x';
	ok(!padv_caps_database(&caps, longest, &database), "a longer one is not known");
}

/* Logins that may wait, beside the sessions. */
static void
test_queues(void)
{
	PadvLoginRole roles[] = {{ALICE, -1}, {BOB, -1}, {CAROL, -1}};
	PadvCap    *cap;

	begin();
	set(0, ALICE, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = 100;
	set(CRM, 0, PADV_MAX_SESSIONS, 10)->value[PADV_QUEUE_LENGTH] = 5;
	set(SHOP, 0, PADV_MIN_SESSIONS, 1)->value[PADV_QUEUE_LENGTH] = 7;
	finish();
	padv_caps_commit(&caps, roles, 3);
	ok(caps.committed_queue == 105, "all queues are added up, but those without a number of sessions");
	begin();
	caps.fallback.value[PADV_MAX_SESSIONS] = 3;
	caps.fallback.value[PADV_QUEUE_LENGTH] = 4;
	set(0, ALICE, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = 0;
	finish();
	padv_caps_commit(&caps, roles, 3);
	ok(caps.committed_queue == 8, "each role under the default has its queue");
	begin();
	set(0, ALICE, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = -1;
	set(0, BOB, PADV_MAX_SESSIONS, 2)->value[PADV_QUEUE_LENGTH] = 4;
	finish();
	padv_caps_commit(&caps, roles, 3);
	ok(caps.committed_queue == -1, "one without an end has no sum");

	begin();
	cap = set(0, ALICE, PADV_MAX_SESSIONS, 20);
	cap->value[PADV_QUEUE_LENGTH] = 77;
	ok(!padv_cap_queue_above(cap, 97), "20 sessions and 77 who wait are not above 97 connections");
	cap->value[PADV_QUEUE_LENGTH] = 78;
	ok(padv_cap_queue_above(cap, 97), "78 are");
	cap->value[PADV_QUEUE_LENGTH] = -1;
	ok(padv_cap_queue_above(cap, 97), "so is any number");
	cap->value[PADV_QUEUE_LENGTH] = 0;
	cap->value[PADV_MAX_SESSIONS] = 1000;
	ok(!padv_cap_queue_above(cap, 97), "without a queue there is nothing to say");
	cap->value[PADV_QUEUE_LENGTH] = 1000;
	cap->value[PADV_MAX_SESSIONS] = -1;
	ok(!padv_cap_queue_above(cap, 97), "nor without a number of sessions, as nobody waits");
}

static void
test_commit(void)
{
	PadvGrant	grants[] = {{ALICE, TEAM}, {BOB, TEAM}};
	PadvLoginRole roles[] = {{ALICE, 5}, {BOB, -1}, {CAROL, -1}};

	begin();
	set(0, TEAM, PADV_MAX_SESSIONS, 20);
	padv_caps_finish(&caps, grants, 2);
	padv_caps_commit(&caps, roles, 3);
	ok(caps.committed == -1 && caps.unbounded_roles == 1, "a role without a bound has none");
	padv_caps_commit(&caps, roles, 2);
	ok(caps.committed == 20, "a group counts with its cap when a member has no bound");
	roles[1].core_limit = 3;
	padv_caps_commit(&caps, roles, 2);
	ok(caps.committed == 8, "or with what its members have, if that is less");

	begin();
	set(0, 0, PADV_MAX_SESSIONS, 10);
	set(0, CAROL, PADV_MAX_SESSIONS, 40)->core_limit = 30;
	finish();
	padv_caps_commit(&caps, (PadvLoginRole[]) {{ALICE, -1}, {BOB, 2}, {CAROL, 30}}, 3);
	ok(caps.committed == 42, "default, CONNECTION LIMIT below it, and both (%lld)",
	   (long long) caps.committed);
	ok(padv_cap_bound(padv_caps_at(&caps, 0, CAROL)) == 30, "the smaller one is the bound");
}

/* Too much of everything: what does not fit is left out, and said so. */
static void
test_full(void)
{
	PadvGrant  *grants = calloc(2 * PADV_MAX_MEMBERSHIPS, sizeof(PadvGrant));
	int			count;

	begin();
	for (uint32_t i = 1; i <= PADV_MAX_CAPS; i++)
		set(0, i, PADV_MAX_SESSIONS, 5);
	ok(!caps.incomplete && padv_caps_place(&caps, 0, PADV_MAX_CAPS + 1) == NULL && caps.incomplete,
	   "one cap too many is not taken");
	for (int i = 0; i < 2 * PADV_MAX_MEMBERSHIPS; i++)
		grants[i] = (PadvGrant) {100000 + (uint32_t) i, 1};
	padv_caps_finish(&caps, grants, 2 * PADV_MAX_MEMBERSHIPS);
	ok(caps.nmemberships == PADV_MAX_MEMBERSHIPS && caps.incomplete, "nor too many members");
	ok(padv_caps_of(&caps, 0, 100000, found) == 1 && padv_caps_of(&caps, 0, PADV_MAX_CAPS, found) == 1,
	   "those that fit are there");

	for (int many = 25; many <= 300; many += 275)
	{
		for (int i = 0; i < many; i++)
			grants[i] = (PadvGrant) {ALICE, (uint32_t) i + 1000};
		begin();
		for (uint32_t i = 0; i < (uint32_t) many; i++)
			set(0, i + 1000, PADV_MAX_SESSIONS, 5);
		padv_caps_finish(&caps, grants, (size_t) many);
		count = padv_caps_of(&caps, 0, ALICE, found);
		ok(count == PADV_MAX_SESSION_CAPS && caps.incomplete, "a member of %d groups is under some", many);
	}

	begin();
	for (uint32_t i = 0; i < PADV_MAX_EXEMPT + 5; i++)
		padv_caps_add_exempt(&caps, i + 1);
	finish();
	ok(caps.nexempt == PADV_MAX_EXEMPT && caps.incomplete, "too many exempt roles");
	free(grants);
}

/* What nobody has read yet limits nobody, and is not shown as if it did. */
static void
test_unread(void)
{
	PadvCaps	unread;
	int32_t		found[PADV_MAX_SESSION_CAPS];
	void	   *memory = malloc(padv_caps_block_size());

	padv_caps_init(&unread, memory);
	ok(!padv_caps_any(&unread), "there is no cap before any was read");
	ok(!padv_cap_limits(&unread.fallback) && padv_cap_bound(&unread.fallback) < 0, "and no default");
	ok(padv_caps_of(&unread, 1, 10, found) == 0, "for no session");
	free(memory);
}

int
main(void)
{
	test_unread();
	test_places();
	test_default();
	test_groups();
	test_scale();
	test_copy();
	test_names();
	test_queues();
	test_commit();
	test_full();
	free(block);
	return tap_end();
}
