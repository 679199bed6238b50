/*
 * wait_queue.h
 *		Accounts with a limit, and one line of those who wait for room.
 *
 * A place is somebody who wants in: it is under some accounts, and is in when
 * it is counted in each of them.  Plain data in memory that the caller
 * provides and guards; nothing here blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_LINE_H
#define PADV_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Accounts that one place can be under. */
#define PADV_MAX_PLACE_ACCOUNTS 25

#define PADV_NOBODY (-1)

typedef struct PadvAccount
{
	int32_t		limit;			/* -1: none */
	int32_t		in_use;			/* places that are in, and the claim */
	int32_t		waiting;		/* places in line that are under it */
	int32_t		standing;		/* those of them that stand here */
	int32_t		first;			/* the root of the heap of these parties: the
								 * leader that came first; PADV_NOBODY */
	int32_t		claimant;		/* who waits elsewhere and has a place here
								 * counted for it; PADV_NOBODY */
	int32_t		claimed_before; /* the same, before a recount */
	int32_t		pace;			/* how many left lately */
	uint32_t	pace_epoch;		/* as of when */
	int32_t		bucket;			/* parties whose accounts have this hash */
	int32_t		unsettled_next;
	int32_t		unsettled;		/* on the list of those to be looked at? */
} PadvAccount;

typedef enum PadvPlaceState
{
	PADV_PLACE_FREE,			/* nobody's */
	PADV_PLACE_WAITING,
	PADV_PLACE_IN,
} PadvPlaceState;

typedef struct PadvPlace
{
	int32_t		state;			/* PadvPlaceState */
	int32_t		naccounts;
	int32_t		accounts[PADV_MAX_PLACE_ACCOUNTS];

	/* while waiting */
	uint64_t	arrival;		/* who came first has the smaller number */
	int32_t		line_previous;	/* neighbours in the whole line */
	int32_t		line_next;
	int32_t		party_previous; /* neighbours among those under the same
								 * accounts; who has none before it leads */
	int32_t		party_next;

	/* of a leader */
	int32_t		at;				/* the full account where the party stands */
	int32_t		moves;			/* how often it has gone to another */
	int32_t		party_last;
	int32_t		party_size;
	int32_t		bucket_next;
	int32_t		heap_up;		/* in the heap of the account */
	int32_t		heap_left;
	int32_t		heap_right;
	int32_t		heap_rank;
} PadvPlace;

typedef struct PadvLineHead
{
	uint64_t	arrivals;
	int32_t		waiting;
	int32_t		first;
	int32_t		last;
	int32_t		naccounts;		/* so many buckets */
	int32_t		unsettled;		/* accounts to be looked at; see
								 * padv_line_settle */
	int32_t		unsettled_first;
	int32_t		unsettled_last;
	uint32_t	releases;		/* places that have left */
	uint64_t	steps;			/* work done so far, for the tests */
} PadvLineHead;

/* Where the three parts are; the memory is the caller's. */
typedef struct PadvLine
{
	PadvLineHead *head;
	char	   *accounts;		/* PadvAccounts, each at the begin of */
	size_t		account_size;	/* so many bytes; the rest is the caller's */
	char	   *places;			/* PadvPlaces, likewise */
	size_t		place_size;
} PadvLine;

static inline PadvAccount *
padv_line_account(const PadvLine *line, int number)
{
	return (PadvAccount *) (line->accounts + (size_t) number * line->account_size);
}

static inline PadvPlace *
padv_line_place(const PadvLine *line, int number)
{
	return (PadvPlace *) (line->places + (size_t) number * line->place_size);
}

/* Nobody is in, nobody waits, nothing is limited. */
extern void padv_line_init(PadvLine *line, int naccounts, int nplaces);

/*
 * The first account that a free place would have to wait for, or PADV_NOBODY.
 * That is one without room, or where somebody stands already.
 */
extern int	padv_line_full_account(const PadvLine *line, const PadvPlace *place);

/*
 * Count a free place in, whether there is room or not.  It is under the
 * accounts that were put into it.
 */
extern void padv_line_enter(PadvLine *line, PadvPlace *place);

/* Put a free place, for which there is no room, at the end of the line. */
extern void padv_line_stand(PadvLine *line, PadvPlace *place);

/*
 * Take a place out, from inside or from the line; it is free then.  Who can be
 * in now is, first come first served, and is written to `entered`, which has room
 * for PADV_MAX_PLACE_ACCOUNTS.  Returns their number.  One who leaves the line
 * can make room too: what it had claimed.
 *
 * What is too much for one call stays unsettled: see padv_line_settle.
 */
extern int	padv_line_leave(PadvLine *line, PadvPlace *place, int32_t *entered);

/* The number of the place that stands first at this account, or PADV_NOBODY. */
extern int	padv_line_first_at(const PadvLine *line, int number);

/*
 * Change the limit of one account.  Who can be in now is, in turn, and is written
 * to `entered`, `room` of them at most; returns their number.  What is too much
 * for one call stays unsettled.
 */
extern int	padv_line_set_limit(PadvLine *line, int number, int32_t limit,
								int32_t *entered, int room);

/*
 * Go on where the last call stopped, as every call does a bounded part of the work
 * only.  Who is let in is written to `entered`, which has room for
 * PADV_MAX_PLACE_ACCOUNTS; returns their number.  Whoever calls leave, set_limit
 * or settle calls this until padv_line_is_settled; the lock may be let go between
 * two calls, as nobody who comes meanwhile gets before those who stand.
 */
extern int	padv_line_settle(PadvLine *line, int32_t *entered);

/* Let a waiting place in now, whatever the limits say. */
extern void padv_line_grant(PadvLine *line, PadvPlace *place);

/* Who waits and came first of all, or NULL. */
extern PadvPlace *padv_line_first(const PadvLine *line);

/* The account where a waiting place stands. */
extern int	padv_line_standing_at(const PadvLine *line, const PadvPlace *place);

/*
 * Start counting anew, after limits or accounts have changed: the caller calls
 * begin, sets the limits of accounts[0..naccounts), puts the new accounts into
 * every place that is not free, and calls finish with the places that are in.
 * Who waits keeps its turn, and what it has claimed as far as there is room; who
 * can be in now is, and is written to `entered`, which has room for all who waited.
 * Returns their number.  Nothing is unsettled then.
 */
extern void padv_line_recount_begin(PadvLine *line, int naccounts);
extern void padv_line_recount(PadvLine *line, const PadvPlace *place);
extern int	padv_line_recount_finish(PadvLine *line, int32_t *entered);

static inline int
padv_line_number(const PadvLine *line, const PadvPlace *place)
{
	return (int) (((const char *) place - line->places) / (ptrdiff_t) line->place_size);
}

static inline bool
padv_line_is_settled(const PadvLine *line)
{
	return line->head->unsettled == 0;
}

static inline bool
padv_account_has_room(const PadvAccount *account)
{
	return account->limit < 0 || account->in_use < account->limit;
}

/* Those who are in, without the claim. */
static inline int32_t
padv_account_inside(const PadvAccount *account)
{
	return account->in_use - (account->claimant != PADV_NOBODY);
}

#endif							/* PADV_LINE_H */
