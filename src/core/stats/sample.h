/*
 * sample.h
 *		A sample of all sessions of the server, as plain data.
 *
 * The sampler fills it from the server's process tables, and the window reads it.  Role,
 * database and wait event are the server's numbers, which are not interpreted here.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SAMPLE_H
#define PADV_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum PadvState
{
	PADV_STATE_OTHER,			/* logging in: a session, but in no state yet */
	PADV_STATE_IDLE,
	PADV_STATE_IDLE_IN_TRANSACTION, /* aborted transactions included */
	PADV_STATE_ACTIVE,			/* executing a statement or fast-path call */
	PADV_STATE_QUEUED,			/* waits for a transaction slot */
} PadvState;

/* What an active session does; each active session is in one class. */
typedef enum PadvWaitClass
{
	PADV_ON_CPU,
	PADV_WAITING_IO,
	PADV_WAITING_LOCK,
	PADV_WAITING_LWLOCK,
	PADV_WAITING_OTHER,
} PadvWaitClass;

#define PADV_WAIT_CLASSES (PADV_WAITING_OTHER + 1)

/* Processes that are no sessions, but can take the disks. */
typedef enum PadvBackground
{
	PADV_BACKGROUND_AUTOVACUUM, /* its workers */
	PADV_BACKGROUND_CHECKPOINTER,
	PADV_BACKGROUND_WRITER,
	PADV_BACKGROUND_WAL_WRITER,
	PADV_BACKGROUND_WAL_SENDER, /* base backups, too */
	PADV_BACKGROUND_STARTUP,	/* recovery */
	PADV_BACKGROUND_WORKER,		/* of logical replication, or an extension */
} PadvBackground;

#define PADV_BACKGROUNDS (PADV_BACKGROUND_WORKER + 1)

/*
 * A client session or a parallel worker.  Times are microseconds on the
 * server's wall clock, comparable with each other only; 0 means never.
 */
typedef struct PadvSession
{
	int32_t		status_index;	/* index in the server's status array, below
								 * max_slots of the window */
	int32_t		pid;
	uint32_t	role;
	uint32_t	database;
	uint32_t	wait_event;		/* the server's number; 0 is on CPU */
	uint8_t		state;			/* PadvState */
	uint8_t		wait_class;		/* PadvWaitClass, where active */
	bool		parallel_worker;	/* not a session, but uses a core */
	uint8_t		commits;		/* 1: active, and waiting for the log to be
								 * flushed or replicated, as a group does at
								 * once */
	bool		demands;		/* active, and neither asleep on purpose nor
								 * waiting for its client or an advisory lock */
	bool		holds_horizon;	/* has a transaction ID or a snapshot */
	bool		local;			/* its client is on this machine */
	uint16_t	pool;			/* the found pool that it is of (pools.h) */
	int64_t		statement_start;	/* of the latest statement */
	int64_t		state_start;	/* when its state began */
	int64_t		xact_start;
} PadvSession;

/*
 * Who a session is and what it executes, beside its role and database, as 64-bit keys; 0 is
 * none.  Only those of active sessions are read.
 */
typedef struct PadvSessionKeys
{
	uint64_t	origin;			/* of role, database, application and client
								 * together */
	uint64_t	application;
	uint64_t	client;
	uint64_t	query;			/* the query ID */
} PadvSessionKeys;

typedef struct PadvSample
{
	int64_t		clock_us;		/* monotonic clock, for the rings */
	int64_t		taken_at;		/* the server's wall clock */
	int			count;
	PadvSession *sessions;
	int64_t		logins_waiting; /* logins in the queue, which are no sessions
								 * yet */
	int64_t		io_workers;		/* that work, without those that a session
								 * waits for */
	PadvSessionKeys *keys;		/* of each session; NULL: not read */
	int64_t		background_io[PADV_BACKGROUNDS];	/* of each kind, processes
													 * that wait for I/O */
} PadvSample;

#endif							/* PADV_SAMPLE_H */
