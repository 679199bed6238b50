/*
 * admission_shmem.c
 *		The shared memory of admission: slots, quotas and the table of roles.
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
#define MAX_ROLES() (padv_admission_backends() + SPARE_ROLES)

StaticAssertDecl(PADV_MAX_REQUEST_QUOTAS == PADV_MAX_SESSION_LIMITS + 1,
				 "a place must take all limits of a session and the server's limit");

PadvAdmissionShared *padv_admission = NULL;
PadvBackend *padv_backends = NULL;
PadvLimitState *padv_limit_states = NULL;
PadvRoleState *padv_role_table = NULL;
PadvWaitQueue padv_login_queue;
PadvWaitQueue padv_xact_queue;
PadvSlotWord *padv_slot_words = NULL;
int32	   *padv_slot_owners = NULL;
int32	   *padv_needed = NULL;
PadvBackend *padv_my_backend = NULL;

/* Roles by their number, the first of each chain. */
static int32 *buckets = NULL;

int
padv_admission_backends(void)
{
	return MaxLivePostmasterChildren();
}

int
padv_admission_quotas(void)
{
	return PADV_ROLE_QUOTA(MAX_ROLES());
}

/* --- memory -------------------------------------------------------------- */

/* The next part of a block; with block NULL only the size counts. */
static void *
carve(char *block, Size *used, Size count, Size element)
{
	void	   *part = block ? block + *used : NULL;

	*used = add_size(*used, MAXALIGN(mul_size(count, element)));
	return part;
}

static Size
carve_all(char *block)
{
	Size		used = 0;

	/* a few quotas are next to the head, so that a login touches one page */
	padv_admission = carve(block, &used, 1, sizeof(PadvAdmissionShared));
	padv_limit_states = carve(block, &used, padv_admission_quotas(), sizeof(PadvLimitState));
	padv_backends = carve(block, &used, padv_admission_backends(), sizeof(PadvBackend));
	padv_role_table = carve(block, &used, MAX_ROLES(), sizeof(PadvRoleState));
	buckets = carve(block, &used, MAX_ROLES(), sizeof(int32));
	padv_slot_owners = carve(block, &used, padv_admission_backends(), sizeof(int32));
	padv_needed = carve(block, &used, padv_admission_backends(), sizeof(int32));

	/* one more for the alignment */
	padv_slot_words = (PadvSlotWord *) TYPEALIGN(PG_CACHE_LINE_SIZE,
												 carve(block, &used, padv_admission_backends() + 1, sizeof(PadvSlotWord)));
	if (block != NULL)
	{
		padv_login_queue = (PadvWaitQueue) {&padv_admission->head,
			(char *) padv_limit_states, sizeof(PadvLimitState), (char *) padv_backends, sizeof(PadvBackend)};
		padv_xact_queue = (PadvWaitQueue) {&padv_admission->xact_head,
			(char *) padv_limit_states + offsetof(PadvLimitState, active), sizeof(PadvLimitState),
			(char *) padv_backends + offsetof(PadvBackend, xact), sizeof(PadvBackend)};
	}
	return used;
}

Size
padv_admission_shmem_size(void)
{
	return carve_all(NULL);
}

void
padv_limit_state_set_queue(int quota, const int32 *value)
{
	padv_limit_states[quota].transaction_queue_length = value[PADV_TRANSACTION_QUEUE_LENGTH];
	padv_limit_states[quota].transaction_queue_timeout = value[PADV_TRANSACTION_QUEUE_TIMEOUT];
}

void
padv_limit_state_set(int quota, const int32 *value, PadvEnforcement enforcement)
{
	PadvLimitState *rule = &padv_limit_states[quota];

	rule->max_sessions = value[PADV_MAX_SESSIONS];
	rule->min_sessions = value[PADV_MIN_SESSIONS];
	rule->idle_timeout = value[PADV_SESSION_IDLE_TIMEOUT];
	rule->queue_length = value[PADV_QUEUE_LENGTH];
	rule->queue_timeout = value[PADV_QUEUE_TIMEOUT];
	rule->closing = 0;
	rule->counts.limit = enforcement == PADV_ENFORCEMENT_ON ? rule->max_sessions : PADV_UNLIMITED;

	/* transactions are observed by another setting, which each session asks */
	rule->max_active = enforcement == PADV_ENFORCEMENT_OFF ? PADV_UNLIMITED : value[PADV_MAX_ACTIVE];
	rule->active.limit = rule->max_active;
	padv_queue_watch_begin(&rule->watch, 0);
	padv_limit_state_set_queue(quota, value);
}

void
padv_admission_shmem_init(void)
{
	static const int32 nothing[PADV_LIMIT_SETTINGS] = {PADV_UNLIMITED, PADV_UNLIMITED, 0, 0, 0, PADV_UNLIMITED, PADV_UNLIMITED, 0};
	bool		found;
	Size		size = padv_admission_shmem_size();
	char	   *block = ShmemInitStruct("pool_advisor admission", size, &found);

	carve_all(block);
	if (found)
		return;
	memset(block, 0, size);
	SpinLockInit(&padv_admission->mutex);
	padv_admission->nroles = 1;
	padv_admission->server_max_active = PADV_UNLIMITED;
	pg_atomic_init_u32(&padv_admission->limits_version, 0);
	pg_atomic_init_u64(&padv_admission->reclaim_due, 0);
	pg_atomic_init_u32(&padv_admission->retain_us, PADV_RETAIN_US);
	pg_atomic_init_u32(&padv_admission->wait_event, PG_WAIT_EXTENSION);
	pg_atomic_init_u32(&padv_admission->stall_monitor, 0);
	padv_queue_init(&padv_login_queue, padv_admission_quotas(), padv_admission_backends());
	padv_queue_init(&padv_xact_queue, padv_admission_quotas(), padv_admission_backends());
	for (int i = 0; i < padv_admission_quotas(); i++)
		padv_limit_state_set(i, nothing, PADV_ENFORCEMENT_OFF);
	for (int i = 0; i < padv_admission_backends(); i++)
	{
		pg_atomic_init_u32(&padv_backends[i].asked_by, PADV_NO_QUOTA);
		pg_atomic_init_u64(&padv_slot_words[i].word, SLOT_WORD(SLOT_NONE, 0));
		pg_atomic_init_u32(&padv_slot_words[i].polls, 0);
		padv_backends[i].needed = PADV_NOT_NEEDED;
		padv_backends[i].client = PADV_NO_CLIENT;
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
	padv_admission->tracked -= gone->tracked;
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
	PadvLimitState *quota = &padv_limit_states[PADV_ROLE_QUOTA(number)];
	PadvQuota	counts = quota->counts;
	PadvQuota	active = quota->active;

	*quota = padv_limit_states[PADV_ROLE_QUOTA(0)];
	counts.limit = quota->counts.limit;
	quota->counts = counts;
	active.limit = quota->active.limit;
	quota->active = active;
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
	memset(&padv_role_table[number], 0, sizeof(PadvRoleState));
	padv_role_table[number].counters.role = role;
	padv_role_table[number].next = *bucket;
	copy_rule(number);
	*bucket = number;
	return number;
}

PadvRoleState *
padv_backend_role(PadvBackend *backend)
{
	if (backend->role_number < 0)
	{
		backend->role_number = find_role(backend->role);
		padv_role_table[backend->role_number].sessions++;
	}
	return &padv_role_table[backend->role_number];
}

PadvRoleCounters *
padv_backend_counters(PadvBackend *backend)
{
	PadvRoleCounters *counters = &padv_backend_role(backend)->counters;

	/*
	 * one that was counted among the others stays there, or their sum would
	 * go down
	 */
	if (!counters->tracked && !padv_has_counted(counters) &&
		padv_admission->tracked < PADV_ROLES_TRACKED)
	{
		counters->tracked = true;
		padv_admission->tracked++;
	}
	return counters;
}

static int
default_quota(PadvBackend *backend)
{
	(void) padv_backend_role(backend);
	return PADV_ROLE_QUOTA(backend->role_number);
}

void
padv_backend_identify(PadvBackend *backend, Oid role, Oid database, const int32 *limits, int nlimits)
{
	PadvRequest *place = &backend->login;

	if (backend->role != role && backend->role_number >= 0)
	{
		padv_role_table[backend->role_number].sessions--;
		backend->role_number = -1;
	}
	backend->role = role;
	backend->database = database;
	place->nquotas = nlimits;
	for (int i = 0; i < nlimits; i++)
		place->quotas[i] = limits[i] == PADV_DEFAULT_LIMIT ? default_quota(backend) : limits[i];
}

void
padv_backend_end_wait(PadvBackend *backend, int64 now)
{
	PadvRoleCounters *counters = &padv_backend_role(backend)->counters;

	counters->waiting--;
	counters->waited_us += now - backend->waiting_since;
}

void
padv_logins_note_granted(const int32 *granted_list, int count, int64 now, int32 *procnos)
{
	for (int i = 0; i < count; i++)
	{
		padv_backend_end_wait(&padv_backends[granted_list[i]], now);
		procnos[i] = padv_backends[granted_list[i]].procno;
	}
	padv_admission->inside += count;
}

void
padv_backends_wake(const int32 *procnos, int count)
{
	for (int i = 0; i < count; i++)
		SetLatch(&GetPGProcByNumber(procnos[i])->procLatch);
}
