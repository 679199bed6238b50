/*
 * standby.c
 *		How a standby stands to its primary.
 *
 * Reads what the WAL receiver and the startup process share.  Owns nothing, and never blocks.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "replication/walreceiver.h"
#include "storage/spin.h"

#include "standby.h"

bool
padv_standby_streams(void)
{
	bool		result;

	if (!RecoveryInProgress())
		return false;
	SpinLockAcquire(&WalRcv->mutex);
	result = WalRcv->walRcvState == WALRCV_STREAMING;
	SpinLockRelease(&WalRcv->mutex);
	return result;
}

bool
padv_standby_has_replayed_all(void)
{
	return RecoveryInProgress() && GetXLogReplayRecPtr(NULL) >= GetWalRcvFlushRecPtr(NULL, NULL);
}
