/*
 * pool_advisor.c
 *		What happens when the library is loaded; a table of contents.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "hooks/login_hook.h"
#include "hooks/xact_hooks.h"
#include "settings.h"
#include "shmem/status_shmem.h"
#include "worker/worker.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	/*
	 * Shared memory and the worker can only be had while the server starts.
	 * Loaded later, by CREATE EXTENSION or LOAD, the library stays inert and
	 * each of its functions says what to do.
	 */
	if (!process_shared_preload_libraries_in_progress)
		return;

	padv_define_settings();
	padv_status_shmem_install_hooks();
	padv_login_hook_install();
	padv_xact_hooks_install();
	padv_worker_register();
}
