/*
 * agent_check.h
 *		What HAProxy's agent check is told of a server: its weight, and how many
 *		connections it takes.
 *
 * Pure: nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_AGENT_CHECK_H
#define PADV_AGENT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PadvAgentInput
{
	bool		has_sample;		/* there is a recent sample; if not, the next
								 * six are not used */
	double		active;			/* active sessions and parallel workers, mean
								 * of the last 10 s */
	int64_t		waiting;		/* transactions and logins in queues now */
	int64_t		sessions;		/* in the last sample */
	double		busy;			/* those that execute or are in a transaction,
								 * now */
	int64_t		optimal;		/* at least 1 */
	int64_t		pool_size;		/* 0: not measured */
	int64_t		usable_connections;
	int64_t		proxies;		/* processes of HAProxy, at least 1 */
	double		max_lag;		/* seconds; negative: no bound */
	double		lag;			/* seconds; negative: not known */
} PadvAgentInput;

/*
 * How far a standby has replayed.  Ages are in seconds: of what was received last when
 * replay began with it, by the clock of the standby, of the last transaction that was
 * replayed, by that of the primary, and of the moment when the standby had last replayed all
 * that the primary had sent.
 */
typedef struct PadvReplay
{
	bool		streaming;		/* the primary sends WAL now */
	bool		all_replayed;	/* all that it has sent */
	bool		has_chunk;
	bool		has_commit;
	bool		was_current;
	double		chunk_age;
	double		commit_age;
	double		current_age;
} PadvReplay;

/* By how many seconds it lags; negative when it is not known. */
extern double padv_replay_lag(const PadvReplay *replay);

/* Bytes of the longest line, with the NUL. */
#define PADV_AGENT_LINE 64

/* Write the line, without a newline. */
extern void padv_agent_line(const PadvAgentInput *input, char line[PADV_AGENT_LINE]);

#endif							/* PADV_AGENT_CHECK_H */
