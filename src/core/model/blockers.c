/*
 * blockers.c
 *		Sessions that other sessions wait for: the roots of lock chains.
 *
 * Owns the graph of waits, and the rule that says when work stands still.  Pure: no
 * clock, no server, no allocation.  lock_chains.c fills the graph.
 *
 * A graph of processes would have an edge for each pair of waiters of a lock, because each
 * waits for those ahead with a conflicting mode.  So the graph keeps the locks instead.
 * One pass over the queue of a lock, with the modes held and awaited so far, finds all
 * waiters that wait for processes found before.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdlib.h>
#include <string.h>

#include "core/model/blockers.h"

#define NONE (-1)

typedef struct Share
{
	PadvLockShare is;
	int			lock;
	int			process;		/* its place */
	int			next;			/* of the same process */
} Share;

typedef struct Lock
{
	int			first;			/* share */
	int			count;
	bool		listed;			/* is to be looked at */
} Lock;

typedef struct Process
{
	int64_t		number;
	int			first;			/* share, or NONE */
	bool		waits;
	uint32_t	found;			/* in this search, if it is of the same number */
	bool		behind;			/* waits behind a root */
	uint32_t	counted;		/* likewise: blocked directly */
	uint32_t	walked;			/* likewise: on the way to a circle */
} Process;

struct PadvLockGraph
{
	int			most;			/* shares, and so locks and processes */
	int			nshares;
	int			nlocks;
	int			nprocesses;
	int			nlisted;
	int			buckets;		/* a power of two */
	uint32_t	search;
	Share	   *shares;
	Lock	   *locks;
	Process    *processes;
	int		   *listed;			/* locks */
	int		   *table;			/* processes by number; NONE is free */
};

static int
buckets_for(int most)
{
	int			buckets = 16;

	while (buckets < 2 * most)
		buckets *= 2;
	return buckets;
}

size_t
padv_lock_graph_size(int most_shares)
{
	size_t		most = (size_t) most_shares;

	return sizeof(PadvLockGraph) + most * (sizeof(Share) + sizeof(Lock) + 2 * sizeof(Process) + sizeof(int)) +
		(size_t) buckets_for(2 * most_shares) * sizeof(int) + 64;
}

/* The next part of the block, aligned for anything. */
static void *
carve_block(char **rest, size_t size)
{
	char	   *part = *rest;

	*rest += (size + 7) / 8 * 8;
	return part;
}

PadvLockGraph *
padv_lock_graph_init(void *block, int most_shares)
{
	char	   *rest = block;
	PadvLockGraph *graph = carve_block(&rest, sizeof(PadvLockGraph));
	size_t		most = (size_t) most_shares;

	memset(graph, 0, sizeof(*graph));
	graph->most = most_shares;
	graph->buckets = buckets_for(2 * most_shares);
	graph->shares = carve_block(&rest, most * sizeof(Share));
	graph->locks = carve_block(&rest, most * sizeof(Lock));
	graph->processes = carve_block(&rest, 2 * most * sizeof(Process));
	graph->listed = carve_block(&rest, most * sizeof(int));
	graph->table = carve_block(&rest, (size_t) graph->buckets * sizeof(int));
	padv_lock_graph_clear(graph);
	return graph;
}

void
padv_lock_graph_clear(PadvLockGraph *graph)
{
	graph->nshares = graph->nlocks = graph->nprocesses = graph->nlisted = 0;
	graph->search = 0;
	for (int i = 0; i < graph->buckets; i++)
		graph->table[i] = NONE;
}

/* The hash chain link to a process, or where it would be. */
static int *
find_bucket(const PadvLockGraph *graph, int64_t number)
{
	uint64_t	hash = (uint64_t) number * UINT64_C(0x9E3779B97F4A7C15);
	int			bucket = (int) (hash >> 33) & (graph->buckets - 1);

	while (graph->table[bucket] != NONE &&
		   graph->processes[graph->table[bucket]].number != number)
		bucket = (bucket + 1) & (graph->buckets - 1);
	return &graph->table[bucket];
}

/* The index of a process, which is added if it is new; NONE when the table is full. */
static int
process_index_of(PadvLockGraph *graph, int64_t number)
{
	int		   *bucket = find_bucket(graph, number);

	if (*bucket == NONE && graph->nprocesses < 2 * graph->most)
	{
		*bucket = graph->nprocesses++;
		graph->processes[*bucket] = (Process) {.number = number, .first = NONE};
	}
	return *bucket;
}

void
padv_lock_graph_begin(PadvLockGraph *graph)
{
	if (graph->nlocks < graph->most)
		graph->locks[graph->nlocks++] = (Lock) {.first = graph->nshares};
}

bool
padv_lock_graph_add(PadvLockGraph *graph, const PadvLockShare *share)
{
	int			place = graph->nshares < graph->most && graph->nlocks > 0 ?
		process_index_of(graph, share->process) : NONE;
	Process    *process;

	if (place == NONE)
		return false;
	process = &graph->processes[place];
	graph->shares[graph->nshares] = (Share) {
		.is = *share, .lock = graph->nlocks - 1, .process = place, .next = process->first};
	process->first = graph->nshares++;
	process->waits |= share->awaited != 0;
	graph->locks[graph->nlocks - 1].count++;
	return true;
}

void
padv_lock_graph_waits(PadvLockGraph *graph, int64_t process)
{
	int			place = process_index_of(graph, process);

	if (place != NONE)
		graph->processes[place].waits = true;
}

/* --- searching waiters --- */

static void
list_lock(PadvLockGraph *graph, int number)
{
	if (graph->locks[number].listed)
		return;
	graph->locks[number].listed = true;
	graph->listed[graph->nlisted++] = number;
}

/*
 * A process is found.  Its locks must be searched, because others may wait there for it.
 * The lock that is being searched needs that only for what the process holds: the pass
 * already considers what it awaits.
 */
static void
process_is_found(PadvLockGraph *graph, int place, int in_lock)
{
	Process    *process = &graph->processes[place];

	process->found = graph->search;
	for (int i = process->first; i != NONE; i = graph->shares[i].next)
		if (graph->shares[i].lock != in_lock || graph->shares[i].is.held != 0)
			list_lock(graph, graph->shares[i].lock);
}

static bool
is_found(const PadvLockGraph *graph, const Share *share)
{
	return graph->processes[share->process].found == graph->search;
}

/* Find the processes that wait in this lock for a found one. */
static void
search_lock(PadvLockGraph *graph, int number)
{
	const Lock *lock = &graph->locks[number];
	const Share *shares = &graph->shares[lock->first];
	uint32_t	modes = 0;

	for (int i = 0; i < lock->count; i++)
		if (is_found(graph, &shares[i]))
			modes |= shares[i].is.held;
	for (int i = 0; i < lock->count; i++)
	{
		if (shares[i].is.awaited == 0)
			continue;
		if (!is_found(graph, &shares[i]) && (shares[i].is.conflicts & modes) != 0)
			process_is_found(graph, shares[i].process, number);
		if (is_found(graph, &shares[i]))
			modes |= shares[i].is.awaited;
	}
}

static void
search_on(PadvLockGraph *graph)
{
	while (graph->nlisted > 0)
	{
		int			number = graph->listed[--graph->nlisted];

		graph->locks[number].listed = false;
		search_lock(graph, number);
	}
}

/* Find a process, and all that wait for it, directly or not. */
static void
search_from(PadvLockGraph *graph, int place)
{
	graph->search++;
	process_is_found(graph, place, NONE);
	search_on(graph);
}

/* Whether a process waits for anything but an advisory lock. */
static bool
waits_for_data(const PadvLockGraph *graph, const Process *process)
{
	for (int i = process->first; i != NONE; i = graph->shares[i].next)
		if (graph->shares[i].is.awaited != 0 && !graph->shares[i].is.advisory)
			return true;
	return false;
}

/* Add up the found processes, except the one where the search began. */
static void
count_found(const PadvLockGraph *graph, int from, int64_t now, PadvRoot *root)
{
	root->advisory = true;
	for (int i = 0; i < graph->nprocesses; i++)
	{
		const Process *process = &graph->processes[i];

		if (process->found != graph->search || i == from)
			continue;
		root->blocked++;
		root->advisory &= !waits_for_data(graph, process);
		for (int share = process->first; share != NONE; share = graph->shares[share].next)
		{
			int64_t		start = graph->shares[share].is.wait_start;

			if (graph->shares[share].is.awaited != 0 && start > 0 && now - start > root->longest_wait_us)
				root->longest_wait_us = now - start;
		}
	}
}

/*
 * Whether `other` waits for `share` in their lock: for what it holds, or because it
 * stands ahead.
 */
static bool
waits_for(const Share *other, const Share *share)
{
	if (other->is.awaited == 0 || other->process == share->process)
		return false;
	return (other->is.conflicts & share->is.held) != 0 ||
		(share < other && (other->is.conflicts & share->is.awaited) != 0);
}

/* The number of processes that wait for this one directly. */
static int64_t
count_direct(PadvLockGraph *graph, int place)
{
	int64_t		count = 0;

	graph->search++;
	for (int i = graph->processes[place].first; i != NONE; i = graph->shares[i].next)
	{
		const Lock *lock = &graph->locks[graph->shares[i].lock];

		for (int j = lock->first; j < lock->first + lock->count; j++)
		{
			Process    *other = &graph->processes[graph->shares[j].process];

			if (other->counted == graph->search || !waits_for(&graph->shares[j], &graph->shares[i]))
				continue;
			other->counted = graph->search;
			count++;
		}
	}
	return count;
}

/* A process that this one waits for and that was not found, or NONE. */
static int
next_of_circle(const PadvLockGraph *graph, int place)
{
	for (int i = graph->processes[place].first; i != NONE; i = graph->shares[i].next)
	{
		const Lock *lock = &graph->locks[graph->shares[i].lock];

		for (int j = lock->first; j < lock->first + lock->count; j++)
		{
			const Share *share = &graph->shares[j];

			if (graph->processes[share->process].waits && !graph->processes[share->process].behind &&
				waits_for(&graph->shares[i], share))
				return share->process;
		}
	}
	return NONE;
}

/*
 * The process of the smallest number in the cycle that this one waits for or is in, or
 * NONE when there is no cycle.
 */
static int
find_circle(PadvLockGraph *graph, int place)
{
	int			smallest;

	graph->search++;
	while (place != NONE && graph->processes[place].walked != graph->search)
	{
		graph->processes[place].walked = graph->search;
		place = next_of_circle(graph, place);
	}
	if (place == NONE)
		return NONE;
	smallest = place;
	for (int other = next_of_circle(graph, place); other != place; other = next_of_circle(graph, other))
		if (graph->processes[other].number < graph->processes[smallest].number)
			smallest = other;
	return smallest;
}

/* --- roots --- */

static int
compare_roots(const void *a, const void *b)
{
	const PadvRoot *left = a;
	const PadvRoot *right = b;

	if (left->blocked != right->blocked)
		return left->blocked > right->blocked ? -1 : 1;
	if (left->longest_wait_us != right->longest_wait_us)
		return left->longest_wait_us > right->longest_wait_us ? -1 : 1;
	return left->process < right->process ? -1 : left->process > right->process;
}

/* Whether a root is to be left out sooner than another one. */
static bool
matters_less(const PadvRoot *root, const PadvRoot *other)
{
	return root->advisory != other->advisory ? root->advisory : compare_roots(root, other) > 0;
}

/* Keep the roots that matter most. */
static int
keep_root(PadvRoot *roots, int count, int most, const PadvRoot *root)
{
	int			least = 0;

	if (count < most)
	{
		roots[count] = *root;
		return count + 1;
	}
	for (int i = 1; i < count; i++)
		if (matters_less(&roots[i], &roots[least]))
			least = i;
	if (count > 0 && matters_less(&roots[least], root))
		roots[least] = *root;
	return count;
}

/* Describe a root, and leave all that wait for it found. */
static PadvRoot
describe_root(PadvLockGraph *graph, int place, int64_t now)
{
	PadvRoot	root = {.process = graph->processes[place].number, .blocked_directly = count_direct(graph, place)};

	if (root.blocked_directly > 0)
	{
		search_from(graph, place);
		count_found(graph, place, now, &root);
	}
	return root;
}

/*
 * The only share of a process, or NULL.  The same sessions wait for all roots that hold the
 * same of one lock and nothing else, such as the many readers of a table.
 */
static const Share *
only_share(const PadvLockGraph *graph, int place)
{
	int			first = graph->processes[place].first;

	return first != NONE && graph->shares[first].next == NONE ? &graph->shares[first] : NULL;
}

static bool
blocks_the_same(const Share *share, const Share *other)
{
	return share != NULL && other != NULL && share->lock == other->lock && share->is.held == other->is.held;
}

/* Mark all found processes: they wait for a root. */
static void
note_behind(PadvLockGraph *graph)
{
	for (int i = 0; i < graph->nprocesses; i++)
		if (graph->processes[i].found == graph->search)
			graph->processes[i].behind = true;
}

static int
find_roots(PadvLockGraph *graph, int64_t now, PadvRoot *roots, int most)
{
	const Share *last = NULL;
	PadvRoot	root = {0};
	int			count = 0;

	for (int i = 0; i < graph->nprocesses; i++)
	{
		const Share *share = only_share(graph, i);

		if (graph->processes[i].waits)
			continue;
		if (blocks_the_same(share, last))
			root.process = graph->processes[i].number;
		else
			root = describe_root(graph, i, now);
		last = share;
		if (root.blocked_directly > 0)
			count = keep_root(roots, count, most, &root);
	}

	/* mark all that wait for the roots, in one search */
	graph->search++;
	for (int i = 0; i < graph->nprocesses; i++)
		if (!graph->processes[i].waits)
			process_is_found(graph, i, NONE);
	search_on(graph);
	note_behind(graph);
	return count;
}

/*
 * A process that waits for no root waits for one outside the graph, or in a cycle.
 * Processes that wait for a lock outside the graph are searched like roots, but not
 * reported.
 */
static void
find_unknown(PadvLockGraph *graph)
{
	graph->search++;
	for (int i = 0; i < graph->nprocesses; i++)
		if (graph->processes[i].waits && !graph->processes[i].behind &&
			next_of_circle(graph, i) == NONE)
			process_is_found(graph, i, NONE);
	search_on(graph);
	note_behind(graph);
}

static int
find_circles(PadvLockGraph *graph, int64_t now, PadvRoot *roots, int count, int most)
{
	for (int i = 0; i < graph->nprocesses; i++)
	{
		int			place = graph->processes[i].waits && !graph->processes[i].behind ?
			find_circle(graph, i) : NONE;
		PadvRoot	root;

		if (place == NONE)
			continue;
		root = describe_root(graph, place, now);
		root.deadlock = true;
		note_behind(graph);
		count = keep_root(roots, count, most, &root);
	}
	return count;
}

int
padv_lock_graph_roots(PadvLockGraph *graph, int64_t now, PadvRoot *roots, int most, int64_t *blocked)
{
	int			count;

	for (int i = 0; i < graph->nprocesses; i++)
		graph->processes[i].behind = false;
	count = find_roots(graph, now, roots, most);
	find_unknown(graph);
	count = find_circles(graph, now, roots, count, most);
	*blocked = 0;
	for (int i = 0; i < graph->nprocesses; i++)
		*blocked += graph->processes[i].waits && graph->processes[i].behind;
	qsort(roots, (size_t) count, sizeof(PadvRoot), compare_roots);
	return count;
}

int64_t
padv_lock_graph_behind(PadvLockGraph *graph, const int64_t *processes, int count)
{
	int64_t		result = 0;

	graph->search++;
	for (int i = 0; i < count; i++)
	{
		int			place = *find_bucket(graph, processes[i]);

		if (place != NONE)
			process_is_found(graph, place, NONE);
	}
	search_on(graph);
	for (int i = 0; i < graph->nprocesses; i++)
		result += graph->processes[i].found == graph->search && waits_for_data(graph, &graph->processes[i]);
	return result;
}

/* --- stalls --- */

bool
padv_blocker_is_idle(const PadvBlocker *blocker)
{
	return blocker->state == PADV_BLOCKER_IDLE_IN_TRANSACTION ||
		blocker->state == PADV_BLOCKER_ABORTED || blocker->state == PADV_BLOCKER_IDLE ||
		blocker->state == PADV_BLOCKER_PREPARED;
}

/*
 * The place of the root that blocks most, of those that have blocked for long; or NONE.  The
 * rows are sorted, so it is the first one.
 */
static int
find_worst(const PadvBlocker *rows, int count)
{
	for (int i = 0; i < count; i++)
		if (!rows[i].advisory && rows[i].blocking_seconds >= PADV_STANDING_SECONDS)
			return i;
	return NONE;
}

/* The place of the idle root that has blocked for longest, or NONE. */
static int
find_idle(const PadvBlocker *rows, int count)
{
	int			idle = NONE;

	for (int i = 0; i < count; i++)
		if (!rows[i].advisory && padv_blocker_is_idle(&rows[i]) && rows[i].blocking_seconds > 0.0 &&
			(idle == NONE || rows[i].blocking_seconds > rows[idle].blocking_seconds))
			idle = i;
	return idle;
}

/* The place of the root with the longest wait, or NONE. */
static int
find_longest_wait(const PadvBlocker *rows, int count)
{
	int			longest = NONE;

	for (int i = 0; i < count; i++)
		if (longest == NONE || rows[i].longest_wait_seconds > rows[longest].longest_wait_seconds)
			longest = i;
	return longest;
}

/* Add a place to the first ones, unless it is there, or there is no room. */
static int
add_place(int *places, int count, int place)
{
	int			at = count;

	for (int i = 0; i < count; i++)
		if (places[i] == place)
			return count;
	if (place == NONE || count == PADV_MAX_BLOCKERS)
		return count;
	while (at > 0 && places[at - 1] > place)
	{
		places[at] = places[at - 1];
		at--;
	}
	places[at] = place;
	return count + 1;
}

int
padv_blockers_choose(const PadvBlocker *all, int count, int places[PADV_MAX_BLOCKERS])
{
	int			chosen = add_place(places, 0, find_worst(all, count));

	chosen = add_place(places, chosen, find_idle(all, count));
	chosen = add_place(places, chosen, find_longest_wait(all, count));
	for (int i = 0; i < count; i++)
		if (!all[i].advisory)
			chosen = add_place(places, chosen, i);
	for (int i = 0; i < count; i++)
		chosen = add_place(places, chosen, i);
	return chosen;
}

static void
note_rows(PadvStall *stall, const PadvBlockers *blockers)
{
	const PadvBlocker *rows = blockers->rows;
	int			worst = find_worst(rows, blockers->count);
	int			idle = find_idle(rows, blockers->count);
	int			longest = find_longest_wait(rows, blockers->count);

	stall->blockers = blockers->count;
	stall->any = worst != NONE;
	if (stall->any)
		stall->worst = rows[worst];
	if (idle != NONE)
		stall->idle = rows[idle];
	stall->idle_blocker_seconds = idle == NONE ? 0.0 : rows[idle].blocking_seconds;
	stall->longest_wait_seconds = longest == NONE ? 0.0 : rows[longest].longest_wait_seconds;
}

void
padv_stall_update(PadvStall *stall, const PadvBlockers *blockers, int64_t blocked,
				  int64_t standing, int64_t demand, int64_t now_us)
{
	int64_t		weight = stall->since_us != 0 ? 4 : 2;

	note_rows(stall, blockers);
	stall->blocked = blocked;
	stall->standing = standing;
	if (standing < 1 || weight * standing < demand)
	{
		if (stall->since_us != 0)
			stall->ended_us = now_us;
		stall->since_us = 0;
	}
	else if (stall->since_us == 0)
		stall->since_us = now_us;
	stall->stalled_seconds = stall->since_us == 0 ? 0.0 :
		(double) (now_us - stall->since_us) / 1e6 + PADV_STANDING_SECONDS;
}

const char *
padv_blocker_state_name(PadvBlockerState state)
{
	static const char *const names[] = {
		"active", "idle in transaction", "idle in transaction (aborted)", "idle",
		"queued", "prepared", "deadlock", "server", "unknown"
	};

	return names[state];
}
