/*
 * shared_settings.c
 *		Settings that all processes see as the postmaster has read them.
 *
 * A backend must not read the configuration file in the middle of a login or a
 * statement, and the worker may be stopped or gone.  The postmaster reads the file
 * first, and then signals the other processes.  So its assign hooks store the values in
 * shared memory, where a waiting backend finds them.
 *
 * Owns three atomic words.  Only the postmaster writes them, all processes read them,
 * without a lock.  Each is read by itself and does not depend on other memory, so no
 * barrier is needed: the signal that follows orders write and read.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#include "core/policy/enforcement.h"
#include "settings.h"
#include "shmem/shared_settings.h"

typedef struct SharedSettings
{
	pg_atomic_uint32 enforcement;	/* PadvEnforcement */
	pg_atomic_uint32 gate_enforcement;	/* likewise */
	pg_atomic_uint32 gate_in_force; /* what both mean for transactions; each
									 * transaction reads it */
} SharedSettings;

static SharedSettings *shared_settings = NULL;

Size
padv_settings_shmem_size(void)
{
	return MAXALIGN(sizeof(SharedSettings));
}

int
padv_enforcement_now(void)
{
	return (int) pg_atomic_read_u32(&shared_settings->enforcement);
}

int
padv_gate_enforcement_now(void)
{
	return (int) pg_atomic_read_u32(&shared_settings->gate_enforcement);
}

static void
update_gate_in_force(void)
{
	PadvEnforcement in_force = padv_effective_gate_enforcement(padv_enforcement_now(), padv_gate_enforcement_now());

	pg_atomic_write_u32(&shared_settings->gate_in_force, (uint32) in_force);
}

/* After a crash this runs again, and the postmaster still has the values. */
void
padv_settings_shmem_init(void)
{
	bool		found;

	shared_settings = ShmemInitStruct("pool_advisor settings", padv_settings_shmem_size(), &found);
	if (found)
		return;
	pg_atomic_init_u32(&shared_settings->enforcement, (uint32) padv_enforcement);
	pg_atomic_init_u32(&shared_settings->gate_enforcement, (uint32) padv_gate_enforcement);
	pg_atomic_init_u32(&shared_settings->gate_in_force, 0);
	update_gate_in_force();
}

/*
 * Whether this process stores its values.  Only the postmaster does: a child would store
 * inherited values.  While settings are defined there is no shared memory yet.
 */
static bool
stores_settings(void)
{
	return shared_settings != NULL && IsPostmasterEnvironment && !IsUnderPostmaster;
}

void
padv_assign_enforcement(int newval, void *extra pg_attribute_unused())
{
	if (!stores_settings())
		return;
	pg_atomic_write_u32(&shared_settings->enforcement, (uint32) newval);
	update_gate_in_force();
}

void
padv_assign_gate_enforcement(int newval, void *extra pg_attribute_unused())
{
	if (!stores_settings())
		return;
	pg_atomic_write_u32(&shared_settings->gate_enforcement, (uint32) newval);
	update_gate_in_force();
}

int
padv_gate_enforcement_in_force(void)
{
	return (int) pg_atomic_read_u32(&shared_settings->gate_in_force);
}
