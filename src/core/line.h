/*
 * line.h
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
	int32_t		in_use;			/* places that are in */
	int32_t		waiting;		/* places in line that are under it */
	int32_t		standing;		/* those of them that stand here */
	int32_t		first;			/* these, by arrival; PADV_NOBODY */
	int32_t		last;
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
	int32_t		at;				/* the full account where it stands */
	int32_t		previous;		/* neighbours there */
	int32_t		next;
	int32_t		line_previous;	/* neighbours in the whole line */
	int32_t		line_next;
} PadvPlace;

typedef struct PadvLineHead
{
	uint64_t	arrivals;
	int32_t		waiting;
	int32_t		first;
	int32_t		last;
} PadvLineHead;

/*
 * Where the three parts are; the memory is the caller's.
 *
 * Invariant: who waits stands at an account that is full.  So nobody waits
 * who could be in.
 */
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

/* The first of the place's accounts that has no room, or PADV_NOBODY. */
extern int	padv_line_full_account(const PadvLine *line, const PadvPlace *place);

/*
 * Count a free place in, whether there is room or not.  It is under the
 * accounts that were put into it.
 */
extern void padv_line_enter(PadvLine *line, PadvPlace *place);

/* Put a free place, for which there is no room, at the end of the line. */
extern void padv_line_stand(PadvLine *line, PadvPlace *place);

/*
 * Take a place out, from inside or from the line; it is free then.  Who can be in
 * now is, first come first served, and is written to `entered`, which has room for
 * PADV_MAX_PLACE_ACCOUNTS.  Returns their number.  Each account that got room takes in
 * one at most, unless its limit is just being raised; those who are left over then
 * come in with padv_line_set_limit.
 *
 * It looks at those who stand at the accounts left.  One who has to wait for
 * another account goes to stand there.
 */
extern int	padv_line_leave(PadvLine *line, PadvPlace *place, int32_t *entered);

/* Let in a place that waits, whatever the limits say. */
extern void padv_line_grant(PadvLine *line, PadvPlace *place);

/* The number of the place that stands first at this account, or PADV_NOBODY. */
extern int	padv_line_first_at(const PadvLine *line, int number);

/*
 * Change the limit of one account.  Who can be in now is, in turn, and is written
 * to `entered`, `room` of them at most; returns their number.  While that is
 * `room`, call it again: there may be more.
 */
extern int	padv_line_set_limit(PadvLine *line, int number, int32_t limit,
								int32_t *entered, int room);

/*
 * Start counting anew, after limits or accounts have changed: the caller calls
 * begin, sets the limits of accounts[0..naccounts), puts the new accounts into
 * every place that is not free, and calls finish with the places that are in.
 * Who waits keeps its turn; who can be in now is, and is written to `entered`,
 * which has room for all who waited.  Returns their number.
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
padv_account_has_room(const PadvAccount *account)
{
	return account->limit < 0 || account->in_use < account->limit;
}

#endif							/* PADV_LINE_H */
