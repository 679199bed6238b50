/*
 * shared_settings.c
 *		Settings that every process sees as the postmaster does, without reading them.
 *
 * A backend in the middle of a login or a statement must not read the configuration
 * file, and the worker that could tell it what is in there may be stopped or gone.
 * The postmaster reads the file first, and only then signals the others.  So its
 * assign hooks store the values in shared memory, where a backend that waits finds
 * them.
 *
 * Owns three atomic words.  Only the postmaster writes them, anybody reads them; there
 * is no lock.  They are whole numbers that are read one at a time, independent of all
 * other memory, so no barrier is needed: the signal that follows orders write and read.
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
	pg_atomic_uint32 gate_in_force; /* what both mean for transactions, which
									 * each of them reads */
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
combine(void)
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
	combine();
}

/*
 * Whether this process is the one whose values count.  It is not while the settings
 * are defined, when there is no shared memory yet, nor in a child, which would store
 * what it inherited.
 */
static bool
is_to_be_shared(void)
{
	return shared_settings != NULL && IsPostmasterEnvironment && !IsUnderPostmaster;
}

void
padv_assign_enforcement(int newval, void *extra pg_attribute_unused())
{
	if (!is_to_be_shared())
		return;
	pg_atomic_write_u32(&shared_settings->enforcement, (uint32) newval);
	combine();
}

void
padv_assign_gate_enforcement(int newval, void *extra pg_attribute_unused())
{
	if (!is_to_be_shared())
		return;
	pg_atomic_write_u32(&shared_settings->gate_enforcement, (uint32) newval);
	combine();
}

int
padv_gate_enforcement_in_force(void)
{
	return (int) pg_atomic_read_u32(&shared_settings->gate_in_force);
}
