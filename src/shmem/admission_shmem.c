/*
 * admission_shmem.c
 *		The shared memory of admission: slots, accounts and the table of roles.
 *
 * A slot is the postmaster's number for a client backend (MyPMChildSlot), which
 * is not given to another before this one has been reaped.  A process that ends
 * in any other way than by proc_exit makes the server start anew, and this
 * memory with it.  So no place is ever lost.
 *
 * admission_internal.h says which lock guards it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "postmaster/postmaster.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shmem.h"

#include "compat.h"
#include "core/policy/lease.h"
#include "shmem/admission_internal.h"

/* Roles remembered beyond those that have a session. */
#define SPARE_ROLES 1024
#define MAX_ROLES() (padv_admission_slots() + SPARE_ROLES)

StaticAssertDecl(PADV_MAX_PLACE_ACCOUNTS == PADV_MAX_SESSION_CAPS + 1,
				 "a place must take all caps of a session and the server's limit");

Admission  *padv_admission = NULL;
Slot	   *padv_slots = NULL;
Account    *padv_accounts = NULL;
Role	   *padv_role_table = NULL;
PadvLine	padv_line;
PadvLine	padv_turn_line;
Turn	   *padv_turns = NULL;
int32	   *padv_holders = NULL;
int32	   *padv_needed = NULL;
Slot	   *padv_my_slot = NULL;

/* Roles by their number, the first of each chain. */
static int32 *buckets = NULL;

int
padv_admission_slots(void)
{
	return MaxLivePostmasterChildren();
}

int
padv_admission_accounts(void)
{
	return PADV_ROLE_ACCOUNT(MAX_ROLES());
}

/* --- memory -------------------------------------------------------------- */

/* The next part of a block; with block NULL only the size counts. */
static void *
take_part(char *block, Size *used, Size count, Size element)
{
	void	   *part = block ? block + *used : NULL;

	*used = add_size(*used, MAXALIGN(mul_size(count, element)));
	return part;
}

static Size
divide(char *block)
{
	Size		used = 0;

	/* a few accounts are next to the head, so that a login touches one page */
	padv_admission = take_part(block, &used, 1, sizeof(Admission));
	padv_accounts = take_part(block, &used, padv_admission_accounts(), sizeof(Account));
	padv_slots = take_part(block, &used, padv_admission_slots(), sizeof(Slot));
	padv_role_table = take_part(block, &used, MAX_ROLES(), sizeof(Role));
	buckets = take_part(block, &used, MAX_ROLES(), sizeof(int32));
	padv_holders = take_part(block, &used, padv_admission_slots(), sizeof(int32));
	padv_needed = take_part(block, &used, padv_admission_slots(), sizeof(int32));

	/* one more for the alignment */
	padv_turns = (Turn *) TYPEALIGN(PG_CACHE_LINE_SIZE,
									take_part(block, &used, padv_admission_slots() + 1, sizeof(Turn)));
	if (block != NULL)
	{
		padv_line = (PadvLine) {&padv_admission->head,
			(char *) padv_accounts, sizeof(Account), (char *) padv_slots, sizeof(Slot)};
		padv_turn_line = (PadvLine) {&padv_admission->turn_head,
			(char *) padv_accounts + offsetof(Account, active), sizeof(Account),
			(char *) padv_slots + offsetof(Slot, turn), sizeof(Slot)};
	}
	return used;
}

Size
padv_admission_shmem_size(void)
{
	return divide(NULL);
}

void
padv_set_queue_rule(int account, const int32 *value)
{
	padv_accounts[account].transaction_queue_length = value[PADV_TRANSACTION_QUEUE_LENGTH];
	padv_accounts[account].transaction_queue_timeout = value[PADV_TRANSACTION_QUEUE_TIMEOUT];
}

void
padv_set_rule(int account, const int32 *value, PadvEnforcement enforcement)
{
	Account    *rule = &padv_accounts[account];

	rule->max_sessions = value[PADV_MAX_SESSIONS];
	rule->min_sessions = value[PADV_MIN_SESSIONS];
	rule->keepalive = value[PADV_SESSION_IDLE_TIMEOUT];
	rule->queue_length = value[PADV_QUEUE_LENGTH];
	rule->queue_timeout = value[PADV_QUEUE_TIMEOUT];
	rule->closing = 0;
	rule->counts.limit = enforcement == PADV_ENFORCEMENT_ON ? rule->max_sessions : PADV_UNLIMITED;

	/* transactions are observed by another setting, which each session asks */
	rule->max_active = enforcement == PADV_ENFORCEMENT_OFF ? PADV_UNLIMITED : value[PADV_MAX_ACTIVE];
	rule->active.limit = rule->max_active;
	padv_set_queue_rule(account, value);
}

void
padv_admission_shmem_init(void)
{
	static const int32 nothing[PADV_CAP_SETTINGS] = {PADV_UNLIMITED, PADV_UNLIMITED, 0, 0, 0, PADV_UNLIMITED, PADV_UNLIMITED, 0};
	bool		found;
	Size		size = padv_admission_shmem_size();
	char	   *block = ShmemInitStruct("pool_advisor admission", size, &found);

	divide(block);
	if (found)
		return;
	memset(block, 0, size);
	SpinLockInit(&padv_admission->mutex);
	padv_admission->nroles = 1;
	padv_admission->server_max_active = PADV_UNLIMITED;
	pg_atomic_init_u32(&padv_admission->turn_rules, 0);
	pg_atomic_init_u64(&padv_admission->reclaim_due, 0);
	pg_atomic_init_u32(&padv_admission->grace_us, PADV_GRACE_US);
	pg_atomic_init_u32(&padv_admission->wait_event, PG_WAIT_EXTENSION);
	pg_atomic_init_u32(&padv_admission->stall_monitor, 0);
	padv_line_init(&padv_line, padv_admission_accounts(), padv_admission_slots());
	padv_line_init(&padv_turn_line, padv_admission_accounts(), padv_admission_slots());
	for (int i = 0; i < padv_admission_accounts(); i++)
		padv_set_rule(i, nothing, PADV_ENFORCEMENT_OFF);
	for (int i = 0; i < padv_admission_slots(); i++)
	{
		pg_atomic_init_u32(&padv_slots[i].asked_by, NO_ACCOUNT);
		pg_atomic_init_u64(&padv_turns[i].word, TURN_WORD(TURN_OUT, 0));
		pg_atomic_init_u32(&padv_turns[i].polls, 0);
		padv_slots[i].needed = NOT_NEEDED;
		padv_slots[i].client = NO_CLIENT;
	}
	for (int i = 0; i < MAX_ROLES(); i++)
		buckets[i] = -1;
}

/* --- roles; the mutex is held --- */

static int32 *
bucket_of(Oid role)
{
	return &buckets[role % MAX_ROLES()];
}

/* Add what was counted for a role to those without a place, and take it out. */
static void
forget_role(int number)
{
	PadvRoleCounters *others = &padv_role_table[0].counters;
	PadvRoleCounters *gone = &padv_role_table[number].counters;
	int32	   *link = bucket_of(gone->role);

	others->refused += gone->refused;
	others->queued += gone->queued;
	others->timed_out += gone->timed_out;
	others->would_refuse += gone->would_refuse;
	others->closed_idle += gone->closed_idle;
	others->waited_us += gone->waited_us;
	others->turns_waited += gone->turns_waited;
	others->turns_waited_us += gone->turns_waited_us;
	padv_admission->told_apart -= gone->told_apart;
	while (*link != number)
		link = &padv_role_table[*link].next;
	*link = padv_role_table[number].next;
}

/* A free element; there are more than sessions, so one is nobody's. */
static int
free_role(void)
{
	if (padv_admission->nroles < MAX_ROLES())
		return padv_admission->nroles++;
	do
	{
		padv_admission->next_victim = padv_admission->next_victim % (MAX_ROLES() - 1) + 1;
	} while (padv_role_table[padv_admission->next_victim].sessions > 0);
	forget_role(padv_admission->next_victim);
	return padv_admission->next_victim;
}

/* The default, as the first role has it. */
static void
copy_rule(int number)
{
	Account    *account = &padv_accounts[PADV_ROLE_ACCOUNT(number)];
	PadvAccount counts = account->counts;
	PadvAccount active = account->active;

	*account = padv_accounts[PADV_ROLE_ACCOUNT(0)];
	counts.limit = account->counts.limit;
	account->counts = counts;
	active.limit = account->active.limit;
	account->active = active;
}

static int
find_role(Oid role)
{
	int32	   *bucket = bucket_of(role);
	int			number;

	for (number = *bucket; number >= 0; number = padv_role_table[number].next)
		if (padv_role_table[number].counters.role == role)
			return number;

	number = free_role();
	memset(&padv_role_table[number], 0, sizeof(Role));
	padv_role_table[number].counters.role = role;
	padv_role_table[number].next = *bucket;
	copy_rule(number);
	*bucket = number;
	return number;
}

Role *
padv_role_of(Slot *slot)
{
	if (slot->role_number < 0)
	{
		slot->role_number = find_role(slot->role);
		padv_role_table[slot->role_number].sessions++;
	}
	return &padv_role_table[slot->role_number];
}

PadvRoleCounters *
padv_counters_of(Slot *slot)
{
	PadvRoleCounters *counters = &padv_role_of(slot)->counters;

	/*
	 * one that was counted among the others stays there, or their sum would
	 * go down
	 */
	if (!counters->told_apart && !padv_has_counted(counters) &&
		padv_admission->told_apart < PADV_ROLES_TOLD_APART)
	{
		counters->told_apart = true;
		padv_admission->told_apart++;
	}
	return counters;
}

static int
default_account(Slot *slot)
{
	(void) padv_role_of(slot);
	return PADV_ROLE_ACCOUNT(slot->role_number);
}

void
padv_identify_slot(Slot *slot, Oid role, Oid database, const int32 *caps, int ncaps)
{
	PadvPlace  *place = &slot->place;

	if (slot->role != role && slot->role_number >= 0)
	{
		padv_role_table[slot->role_number].sessions--;
		slot->role_number = -1;
	}
	slot->role = role;
	slot->database = database;
	place->naccounts = ncaps;
	for (int i = 0; i < ncaps; i++)
		place->accounts[i] = caps[i] == PADV_DEFAULT_CAP ? default_account(slot) : caps[i];
}

void
padv_account_for_wait(Slot *slot, int64 now)
{
	PadvRoleCounters *counters = &padv_role_of(slot)->counters;

	counters->waiting--;
	counters->waited_us += now - slot->waiting_since;
}

void
padv_note_entered(const int32 *entered, int count, int64 now, int32 *procnos)
{
	for (int i = 0; i < count; i++)
	{
		padv_account_for_wait(&padv_slots[entered[i]], now);
		procnos[i] = padv_slots[entered[i]].procno;
	}
	padv_admission->inside += count;
}

void
padv_wake(const int32 *procnos, int count)
{
	for (int i = 0; i < count; i++)
		SetLatch(&GetPGProcByNumber(procnos[i])->procLatch);
}
