/*
 * admission_shmem.c
 *		The shared memory of admission: backends, quotas and the role table.
 *
 * A backend's entry is numbered by MyPMChildSlot.  The postmaster does not reuse that
 * number before it has reaped the process.  A process that ends without proc_exit makes
 * the server restart with new shared memory.  So no entry is ever lost.
 *
 * admission_internal.h says which lock protects it.
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

/* Entries of the role table beyond the number of backends. */
#define SPARE_ROLES 1024
#define MAX_ROLES() (padv_admission_backends() + SPARE_ROLES)

StaticAssertDecl(PADV_MAX_REQUEST_QUOTAS == PADV_MAX_SESSION_LIMITS + 3,
				 "a request must take all limits of a session, of its query, the lane and the server's limit");

PadvAdmissionShared *padv_admission = NULL;
PadvBackend *padv_backends = NULL;
PadvLimitState *padv_limit_states = NULL;
PadvQueueStats *padv_queue_stats = NULL;
PadvRoleState *padv_role_table = NULL;
PadvWaitQueue padv_login_queue;
PadvWaitQueue padv_xact_queue;
PadvSlotWord *padv_slot_words = NULL;
int32	   *padv_slot_owners = NULL;
int32	   *padv_needed = NULL;
PadvBackend *padv_my_backend = NULL;

/* The hash table of roles: the first entry of each chain, or -1. */
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

/* The next part of a block; with block NULL only *used is advanced. */
static void *
carve_part(char *block, Size *used, Size count, Size element)
{
	void	   *part = block ? block + *used : NULL;

	*used = add_size(*used, MAXALIGN(mul_size(count, element)));
	return part;
}

static Size
carve_all(char *block)
{
	Size		used = 0;

	/* the first quotas follow the head, so that a login touches one page */
	padv_admission = carve_part(block, &used, 1, sizeof(PadvAdmissionShared));
	padv_limit_states = carve_part(block, &used, padv_admission_quotas(), sizeof(PadvLimitState));
	padv_backends = carve_part(block, &used, padv_admission_backends(), sizeof(PadvBackend));
	padv_queue_stats = carve_part(block, &used, padv_admission_quotas(), sizeof(PadvQueueStats));
	padv_role_table = carve_part(block, &used, MAX_ROLES(), sizeof(PadvRoleState));
	buckets = carve_part(block, &used, MAX_ROLES(), sizeof(int32));
	padv_slot_owners = carve_part(block, &used, padv_admission_backends(), sizeof(int32));
	padv_needed = carve_part(block, &used, padv_admission_backends(), sizeof(int32));

	/* one more for the alignment */
	padv_slot_words = (PadvSlotWord *) TYPEALIGN(PG_CACHE_LINE_SIZE,
												 carve_part(block, &used, padv_admission_backends() + 1, sizeof(PadvSlotWord)));
	if (block != NULL)
	{
		padv_login_queue = (PadvWaitQueue) {
			.head = &padv_admission->head,
			.quotas = (char *) padv_limit_states,
			.quota_size = sizeof(PadvLimitState),
			.requests = (char *) padv_backends,
			.request_size = sizeof(PadvBackend),
		};
		padv_xact_queue = (PadvWaitQueue) {
			.head = &padv_admission->xact_head,
			.quotas = (char *) padv_limit_states + offsetof(PadvLimitState, active),
			.quota_size = sizeof(PadvLimitState),
			.requests = (char *) padv_backends + offsetof(PadvBackend, xact),
			.request_size = sizeof(PadvBackend),
			.flows[PADV_OUTER] = (char *) padv_limit_states + offsetof(PadvLimitState, flow),
			.flows[PADV_INNER] = (char *) padv_limit_states + offsetof(PadvLimitState, lane_flow),
			.flow_size = sizeof(PadvLimitState),
		};
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
	int32	   *own = padv_limit_states[quota].value;

	own[PADV_TRANSACTION_QUEUE_LENGTH] = value[PADV_TRANSACTION_QUEUE_LENGTH];
	own[PADV_TRANSACTION_QUEUE_TIMEOUT] = value[PADV_TRANSACTION_QUEUE_TIMEOUT];
}

void
padv_limit_state_set(int quota, const int32 *value, PadvEnforcement enforcement)
{
	PadvLimitState *state = &padv_limit_states[quota];
	bool		off = enforcement == PADV_ENFORCEMENT_OFF;

	/*
	 * each session checks gate_enforcement itself, so observe needs no case
	 * here
	 */
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		state->value[i] = i == PADV_MAX_ACTIVE && off ? PADV_UNLIMITED : value[i];
	state->from_default = 0;
	state->closing = 0;
	state->counts.limit = enforcement == PADV_ENFORCEMENT_ON ? value[PADV_MAX_SESSIONS] : PADV_UNLIMITED;
	state->active.limit = state->value[PADV_MAX_ACTIVE];
	padv_queue_watch_begin(&state->watch, 0);
	padv_queue_watch_begin(&state->flow_watch, 0);
}

void
padv_limit_state_set_share(int quota, const int32 *value, int share_order)
{
	int32		weight = Max(value[PADV_ACTIVE_WEIGHT], 1);

	padv_queue_set_flow(&padv_xact_queue, PADV_OUTER, quota, weight, Max(value[PADV_MIN_ACTIVE], 0));
	padv_queue_set_flow(&padv_xact_queue, PADV_INNER, quota, weight, 0);
	padv_limit_states[quota].share_order = share_order;
}

void
padv_admission_shmem_init(void)
{
	int32		no_limit[PADV_LIMIT_SETTINGS];
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
	padv_queue_set_shared(&padv_xact_queue, PADV_OUTER, PADV_SERVER_QUOTA);
	padv_queue_set_shared(&padv_xact_queue, PADV_INNER, PADV_LANE_QUOTA);

	/* none is in force yet; a time below 0 is never, like 0 */
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		no_limit[i] = PADV_UNLIMITED;
	for (int i = 0; i < padv_admission_quotas(); i++)
	{
		padv_limit_state_set(i, no_limit, PADV_ENFORCEMENT_OFF);
		padv_limit_states[i].stats = i;
	}

	/* waits in the lane are waits at the server's limit */
	padv_limit_states[PADV_LANE_QUOTA].stats = PADV_SERVER_QUOTA;
	for (int i = 0; i < padv_admission_backends(); i++)
	{
		pg_atomic_init_u32(&padv_backends[i].asked_by, PADV_NO_QUOTA);
		pg_atomic_init_u64(&padv_slot_words[i].word, SLOT_WORD(SLOT_NONE, 0));
		pg_atomic_init_u32(&padv_slot_words[i].polls, 0);
		pg_atomic_init_u32(&padv_slot_words[i].turned_long, 0);
		pg_atomic_init_u64(&padv_slot_words[i].query_id, 0);
		padv_backends[i].needed = PADV_NOT_NEEDED;
		padv_backends[i].client = PADV_NO_CLIENT;
	}
	for (int i = 0; i < MAX_ROLES(); i++)
		buckets[i] = -1;
}

/* --- roles; these are called with the mutex held --- */

static int32 *
role_bucket(Oid role)
{
	return &buckets[role % MAX_ROLES()];
}

/* Add the counters of a role to those of entry 0, and remove it from the hash table. */
static void
evict_role(int number)
{
	PadvRoleCounters *others = &padv_role_table[0].counters;
	PadvRoleCounters *evicted = &padv_role_table[number].counters;
	int32	   *link = role_bucket(evicted->role);

	padv_role_counters_add(others, evicted);
	padv_admission->tracked -= evicted->tracked;
	while (*link != number)
		link = &padv_role_table[*link].next;
	*link = padv_role_table[number].next;
}

/*
 * A free entry, or one that is evicted.  The table has more entries than backends, so
 * at least one has no session.
 */
static int
get_free_role(void)
{
	if (padv_admission->nroles < MAX_ROLES())
		return padv_admission->nroles++;
	do
	{
		padv_admission->next_victim = padv_admission->next_victim % (MAX_ROLES() - 1) + 1;
	} while (padv_role_table[padv_admission->next_victim].sessions > 0);
	evict_role(padv_admission->next_victim);
	return padv_admission->next_victim;
}

void
padv_queue_stats_begin(int quota, Oid role, Oid database)
{
	PadvQueueStats *stats = &padv_queue_stats[padv_limit_states[quota].stats];

	memset(stats, 0, sizeof(PadvQueueStats));
	stats->role = role;
	stats->database = database;
}

/* Copy the settings of the default limit from entry 0, but keep the counts. */
static void
copy_default_limit(int number)
{
	PadvLimitState *quota = &padv_limit_states[PADV_ROLE_QUOTA(number)];
	PadvQuota	counts = quota->counts;
	PadvQuota	active = quota->active;
	PadvFlow	flow = quota->flow;
	PadvFlow	lane_flow = quota->lane_flow;
	int32		stats = quota->stats;

	*quota = padv_limit_states[PADV_ROLE_QUOTA(0)];
	counts.limit = quota->counts.limit;
	quota->counts = counts;
	active.limit = quota->active.limit;
	quota->active = active;
	quota->flow = flow;
	quota->lane_flow = lane_flow;
	quota->stats = stats;
	padv_limit_state_set_share(PADV_ROLE_QUOTA(number), quota->value, 0);
}

static int
find_or_create_role(Oid role)
{
	int32	   *bucket = role_bucket(role);
	int			number;

	for (number = *bucket; number >= 0; number = padv_role_table[number].next)
		if (padv_role_table[number].counters.role == role)
			return number;

	number = get_free_role();
	memset(&padv_role_table[number], 0, sizeof(PadvRoleState));
	padv_role_table[number].counters.role = role;
	padv_role_table[number].next = *bucket;
	copy_default_limit(number);
	padv_queue_stats_begin(PADV_ROLE_QUOTA(number), role, InvalidOid);
	*bucket = number;
	return number;
}

PadvRoleState *
padv_backend_role(PadvBackend *backend)
{
	if (backend->role_number < 0)
	{
		backend->role_number = find_or_create_role(backend->role);
		padv_role_table[backend->role_number].sessions++;
	}
	return &padv_role_table[backend->role_number];
}

PadvRoleCounters *
padv_backend_counters(PadvBackend *backend)
{
	PadvRoleCounters *counters = &padv_backend_role(backend)->counters;

	/*
	 * A role that was counted among the others stays there, or their sum
	 * would go down.
	 */
	if (!counters->tracked && !padv_has_counted(counters) &&
		padv_admission->tracked < PADV_ROLES_TRACKED)
	{
		counters->tracked = true;
		padv_admission->tracked++;
	}
	return counters;
}

/*
 * The quota of the default limit for the role of a backend.  `group` is the quota of the
 * role's own limit, or PADV_NO_QUOTA; of the default only the numbers hold that it does not
 * set.  A rebuild sets all of them again.
 */
static int
role_default_quota(PadvBackend *backend, int group)
{
	uint32		held = group == PADV_NO_QUOTA ? ~(uint32) 0 : padv_limit_states[group].from_default;
	PadvLimitState *state;

	(void) padv_backend_role(backend);
	state = &padv_limit_states[PADV_ROLE_QUOTA(backend->role_number)];
	for (int i = 0; i < PADV_LIMIT_SETTINGS; i++)
		if (padv_limit_setting_is_number(i) && (held & (1U << i)) == 0)
			state->value[i] = PADV_UNLIMITED;
	if (state->value[PADV_MAX_SESSIONS] < 0)
		state->counts.limit = PADV_UNLIMITED;
	if (state->value[PADV_MAX_ACTIVE] < 0)
		state->active.limit = PADV_UNLIMITED;
	return PADV_ROLE_QUOTA(backend->role_number);
}

void
padv_backend_identify(PadvBackend *backend, Oid role, Oid database, const int32 *limits, int nlimits)
{
	PadvRequest *request = &backend->login;

	if (backend->role != role && backend->role_number >= 0)
	{
		padv_role_table[backend->role_number].sessions--;
		backend->role_number = -1;
	}
	backend->role = role;
	backend->database = database;
	request->nquotas = nlimits;
	for (int i = 0; i < nlimits; i++)
		request->quotas[i] = limits[i] != PADV_DEFAULT_LIMIT ? limits[i] :
			role_default_quota(backend, i > 0 ? limits[i - 1] : PADV_NO_QUOTA);
}

void
padv_backend_end_wait(PadvBackend *backend, int64 now)
{
	PadvRoleCounters *counters = padv_backend_counters(backend);

	counters->waiting--;
	counters->count[PADV_ROLE_QUEUE_WAIT_US] += now - backend->waiting_since;
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
