/*
 * standby.h
 *		How a standby stands to its primary.
 *
 * In a primary both are false.  Any process may ask; each takes a spinlock of the server.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_STANDBY_H
#define PADV_STANDBY_H

/*
 * Whether the primary sends WAL now.  The state is that of the receiver's last message, so a
 * primary that has gone without a word is noticed after wal_receiver_timeout.
 */
extern bool padv_standby_streams(void);

/* Whether all WAL that was received is replayed. */
extern bool padv_standby_has_replayed_all(void);

#endif							/* PADV_STANDBY_H */
