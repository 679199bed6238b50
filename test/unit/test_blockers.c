/*
 * test_blockers.c
 *		Roots of lock chains, against a slow counterpart, and when work stands
 *		still.
 */
#include <stdlib.h>
#include <string.h>

#include "core/model/blockers.h"
#include "tap.h"

/* Modes, as in a server: shared ones go together, an exclusive one with none. */
#define SHARED 0x02u
#define EXCLUSIVE 0x04u

static PadvLockGraph *graph;

#define MOST 4096

static bool
add(int64_t process, uint32_t held, uint32_t awaited, int64_t start)
{
	PadvLockShare share = {
		.process = process, .held = held, .awaited = awaited,
		.conflicts = awaited == SHARED ? EXCLUSIVE : awaited == EXCLUSIVE ? SHARED | EXCLUSIVE : 0,
		.wait_start = start,
	};

	return padv_lock_graph_add(graph, &share);
}

static void
begin(void)
{
	padv_lock_graph_begin(graph);
}

static PadvRoot roots[PADV_MAX_BLOCKERS];
static int64_t blocked;

static int
find(void)
{
	return padv_lock_graph_roots(graph, 1000, roots, PADV_MAX_BLOCKERS, &blocked);
}

static void
test_shapes(void)
{
	int64_t		both[] = {10, 90};

	padv_lock_graph_clear(graph);
	ok(find() == 0 && blocked == 0, "no lock, no root");

	/* twelve update a row that 10 has: one waits for its transaction, the others for that one */
	begin();
	add(10, EXCLUSIVE, 0, 0);
	add(20, 0, EXCLUSIVE, 400);
	begin();
	add(20, EXCLUSIVE, 0, 0);
	for (int i = 21; i < 32; i++)
		add(i, 0, EXCLUSIVE, 500 + i);
	ok(find() == 1 && roots[0].process == 10 && !roots[0].deadlock, "a chain has one root");
	ok(roots[0].blocked_directly == 1 && roots[0].blocked == 12 && blocked == 12, "one waits for it, and eleven behind");
	ok(roots[0].longest_wait_us == 600, "the longest of all waits");

	/* another, with more behind it directly */
	begin();
	add(90, SHARED, 0, 0);
	add(91, 0, EXCLUSIVE, 900);
	add(92, 0, SHARED, 910);
	add(93, 0, SHARED, 920);
	ok(find() == 2 && roots[0].process == 10 && roots[1].process == 90, "two roots, the larger first");
	ok(roots[1].blocked_directly == 1 && roots[1].blocked == 3, "who asks for what goes together waits for the one ahead");
	ok(blocked == 15 && padv_lock_graph_behind(graph, both, 2) == 15 && padv_lock_graph_behind(graph, both + 1, 1) == 3,
	   "behind some of them");

	/* one waiter behind two roots is counted once */
	padv_lock_graph_clear(graph);
	begin();
	add(1, SHARED, 0, 0);
	add(2, SHARED, 0, 0);
	add(3, 0, EXCLUSIVE, 0);
	ok(find() == 2 && roots[0].blocked == 1 && roots[1].blocked == 1 && blocked == 1, "two hold what one waits for");
	ok(roots[0].longest_wait_us == 0, "a wait that has just begun has no start");

	/* an order of waits that the queue decides */
	padv_lock_graph_clear(graph);
	begin();
	add(1, SHARED, 0, 0);
	add(2, 0, SHARED, 100);
	add(3, 0, EXCLUSIVE, 200);
	ok(find() == 1 && roots[0].blocked == 1 && roots[0].blocked_directly == 1,
	   "who waits ahead without need is nobody's");

	/* a holder that waits to have more of the same, and is not its own blocker */
	padv_lock_graph_clear(graph);
	begin();
	add(1, SHARED, 0, 0);
	add(2, SHARED, EXCLUSIVE, 100);
	add(3, 0, EXCLUSIVE, 200);
	ok(find() == 1 && roots[0].process == 1 && roots[0].blocked == 2 && roots[0].blocked_directly == 2,
	   "an upgrade waits for the other holder only");

	/* advisory locks are the application's */
	padv_lock_graph_clear(graph);
	begin();
	add(10, EXCLUSIVE, 0, 0);
	padv_lock_graph_add(graph, &(PadvLockShare) {
		.process = 11, .awaited = EXCLUSIVE, .conflicts = EXCLUSIVE, .advisory = true});
	ok(find() == 1 && roots[0].advisory && roots[0].blocked == 1 && padv_lock_graph_behind(graph, both, 1) == 0,
	   "who waits for an advisory lock is told of, and does not stand");
	begin();
	add(11, EXCLUSIVE, 0, 0);
	add(12, 0, EXCLUSIVE, 0);
	ok(find() == 1 && !roots[0].advisory && roots[0].blocked == 2 && padv_lock_graph_behind(graph, both, 1) == 1,
	   "who waits for data behind it does");

	/* one that waits for what was not asked is no root */
	padv_lock_graph_clear(graph);
	begin();
	add(1, EXCLUSIVE, 0, 0);
	add(2, 0, EXCLUSIVE, 100);
	padv_lock_graph_waits(graph, 1);
	ok(find() == 0 && blocked == 2, "who waits elsewhere is no root");
}

static void
test_circles(void)
{
	padv_lock_graph_clear(graph);
	begin();
	add(7, EXCLUSIVE, 0, 0);
	add(8, 0, EXCLUSIVE, 100);
	begin();
	add(8, EXCLUSIVE, 0, 0);
	add(7, 0, EXCLUSIVE, 300);
	add(9, 0, EXCLUSIVE, 400);
	ok(find() == 1 && roots[0].process == 7 && roots[0].deadlock, "a circle has one that stands for it");
	ok(roots[0].blocked == 2 && blocked == 3, "it waits itself; the others are behind it");

	/* a circle, and a chain beside it */
	begin();
	add(-5, EXCLUSIVE, 0, 0);
	add(6, 0, EXCLUSIVE, 100);
	ok(find() == 2 && roots[0].deadlock && roots[1].process == -5 && !roots[1].deadlock && blocked == 4,
	   "beside a chain whose root is no process");

	/* a circle that waits for a root as well goes on when that does */
	padv_lock_graph_clear(graph);
	begin();
	add(1, SHARED, 0, 0);
	add(2, SHARED, EXCLUSIVE, 100);
	add(3, SHARED, EXCLUSIVE, 100);
	ok(find() == 1 && roots[0].process == 1 && roots[0].blocked == 2, "a circle behind a root is the root's");
}

static void
test_room(void)
{
	int			added = 0;
	int			wrong = 0;

	padv_lock_graph_clear(graph);
	ok(!add(1, EXCLUSIVE, 0, 0), "a share needs a lock");
	begin();
	for (int i = 0; i < MOST + 10; i++)
		added += add(i + 1, i == 0 ? EXCLUSIVE : 0, i == 0 ? 0 : EXCLUSIVE, 10);
	ok(added == MOST, "what has no room is left out");
	ok(find() == 1 && roots[0].blocked == MOST - 1 && roots[0].blocked_directly == MOST - 1, "a long queue");

	padv_lock_graph_clear(graph);
	for (int i = 0; i < 100; i++)
	{
		begin();
		add(1000 + i, EXCLUSIVE, 0, 0);
		for (int j = 0; j < 1 + i % 50; j++)
			add(2000 + 100 * i + j, 0, EXCLUSIVE, 10);
	}
	ok(find() == PADV_MAX_BLOCKERS && roots[0].blocked == 50 && roots[31].blocked >= 34 &&
	   blocked == 2550, "of many roots those that block most, and all that wait");

	/* many that have more directly behind them, and one with a long queue behind its waiter */
	padv_lock_graph_clear(graph);
	begin();
	add(500, SHARED, 0, 0);
	add(501, 0, EXCLUSIVE, 10);
	for (int i = 0; i < 90; i++)
		add(600 + i, 0, SHARED, 20 + i);
	for (int i = 0; i < 100; i++)
	{
		begin();
		add(1000 + i, EXCLUSIVE, 0, 0);
		for (int j = 0; j < 2; j++)
			padv_lock_graph_add(graph, &(PadvLockShare) {
				.process = 2000 + 2 * i + j, .awaited = EXCLUSIVE, .conflicts = EXCLUSIVE, .advisory = i % 2 == 0, .wait_start = 10});
	}
	ok(find() == PADV_MAX_BLOCKERS && roots[0].process == 500 && roots[0].blocked_directly == 1 && roots[0].blocked == 91,
	   "all that wait for a root count, not only those that do directly");
	for (int i = 1; i < PADV_MAX_BLOCKERS; i++)
		wrong += roots[i].advisory || roots[i].blocked != 2;
	ok(wrong == 0, "roots of advisory locks are left out first");

	/* readers of one table, which all block the same */
	padv_lock_graph_clear(graph);
	begin();
	for (int i = 0; i < 100; i++)
		add(100 + i, SHARED, 0, 0);
	add(500, 0, EXCLUSIVE, 10);
	add(501, 0, SHARED, 20);
	begin();
	add(150, EXCLUSIVE, 0, 0);
	add(600, 0, EXCLUSIVE, 10);
	ok(find() == PADV_MAX_BLOCKERS && roots[0].process == 150 && roots[0].blocked == 3 && roots[1].blocked == 2 &&
	   roots[1].blocked_directly == 1 && roots[31].blocked == 2, "one of many readers has another lock");
}

/* Of more roots than are reported. */
static void
test_choice(void)
{
	PadvBlocker all[100];
	int			places[PADV_MAX_BLOCKERS];
	int			wrong = 0;

	for (int i = 0; i < 100; i++)
		all[i] = (PadvBlocker) {.pid = i + 1, .blocked = 200 - i, .advisory = i < 10, .longest_wait_seconds = i == 99 ? 9 : 1};
	all[60].blocking_seconds = 6;
	all[70].blocking_seconds = 65;
	all[80].blocking_seconds = 66;
	all[80].state = PADV_BLOCKER_PREPARED;
	ok(padv_blockers_choose(all, 100, places) == PADV_MAX_BLOCKERS && places[0] == 10 && places[27] == 37,
	   "those that block most");
	ok(places[28] == 38 && places[29] == 60 && places[30] == 80 && places[31] == 99,
	   "and those that a stall, an idle blocker and the longest wait are told by");
	ok(padv_blockers_choose(all, 20, places) == 20, "all of them where there is room");
	for (int i = 0; i < 20; i++)
		wrong += places[i] != i;
	ok(wrong == 0, "in order");
	ok(padv_blockers_choose(all, 0, places) == 0, "none of none");
}

/* --- the counterpart: every edge, as pg_blocking_pids has it --- */

#define SMALL 8
#define LOCKS 5

static struct Edge
{
	uint32_t	held,
				awaited,
				conflicts;
	int			process;
}			table[LOCKS][SMALL];
static int	counts[LOCKS];
static bool edge[SMALL][SMALL];

static bool
waits(int process)
{
	for (int i = 0; i < LOCKS; i++)
		for (int j = 0; j < counts[i]; j++)
			if (table[i][j].process == process && table[i][j].awaited)
				return true;
	return false;
}

static void
find_edges(void)
{
	memset(edge, 0, sizeof(edge));
	for (int i = 0; i < LOCKS; i++)
		for (int j = 0; j < counts[i]; j++)
			for (int k = 0; k < counts[i]; k++)
				if (j != k && table[i][j].awaited &&
					((table[i][j].conflicts & table[i][k].held) ||
					 (k < j && (table[i][j].conflicts & table[i][k].awaited))))
					edge[table[i][j].process][table[i][k].process] = true;
}

/* Whether a waits for b in the end. */
static void
close_edges(bool closed[SMALL][SMALL])
{
	memcpy(closed, edge, sizeof(edge));
	for (int k = 0; k < SMALL; k++)
		for (int i = 0; i < SMALL; i++)
			for (int j = 0; j < SMALL; j++)
				closed[i][j] |= closed[i][k] && closed[k][j];
}

static void
make_locks(void)
{
	bool		waiting[SMALL] = {false};

	padv_lock_graph_clear(graph);
	for (int i = 0; i < LOCKS; i++)
	{
		begin();
		counts[i] = 0;
		for (int process = 0; process < SMALL; process++)
		{
			uint32_t	held = rand() % 4 == 0 ? (rand() % 2 ? SHARED : EXCLUSIVE) : 0;
			uint32_t	awaited = 0;

			if (!waiting[process] && rand() % 5 == 0)
				awaited = rand() % 3 == 0 ? SHARED : EXCLUSIVE;
			if (held == 0 && awaited == 0)
				continue;
			waiting[process] |= awaited != 0;
			table[i][counts[i]++] = (struct Edge) {
				held, awaited,
				awaited == SHARED ? EXCLUSIVE : awaited == EXCLUSIVE ? SHARED | EXCLUSIVE : 0, process
			};
			add(process + 1, held, awaited, 1);
		}
	}
}

/* Whether what was found is what the counterpart says. */
static bool
agrees(void)
{
	bool		closed[SMALL][SMALL];
	int			count = find();
	int			expected = 0;

	find_edges();
	close_edges(closed);
	for (int p = 0; p < SMALL; p++)
	{
		int			direct = 0,
					all = 0;
		bool		told = false;

		for (int q = 0; q < SMALL; q++)
		{
			direct += edge[q][p];
			all += closed[q][p];
		}
		if (waits(p) || direct == 0)
			continue;
		expected++;
		for (int i = 0; i < count; i++)
			told |= roots[i].process == p + 1 && !roots[i].deadlock &&
				roots[i].blocked_directly == direct && roots[i].blocked == all;
		if (!told)
			return false;
	}
	for (int i = 0; i < count; i++)
		if (roots[i].deadlock)
		{
			int			p = (int) roots[i].process - 1;

			expected++;
			if (!closed[p][p])
				return false;
			for (int q = 0; q < SMALL; q++)
				if (closed[p][q] && !waits(q))
					return false;
		}
	return expected == count;
}

/* Waits for what is not there, as if its lock had not been asked about. */
static bool
is_lost(int process)
{
	for (int q = 0; q < SMALL; q++)
		if (edge[process][q])
			return false;
	return waits(process);
}

/* Who waits for a circle and for nobody else has a circle told of in front of it. */
static bool
all_circles_told(void)
{
	bool		closed[SMALL][SMALL];
	int			count = find();

	find_edges();
	close_edges(closed);
	for (int p = 0; p < SMALL; p++)
	{
		bool		told = !closed[p][p];

		for (int i = 0; i < count; i++)
			told |= closed[p][roots[i].process - 1];
		for (int q = 0; q < SMALL; q++)
			told |= closed[p][q] && is_lost(q);
		if (!told)
			return false;
	}
	return true;
}

static void
test_random(void)
{
	int			agreed = 0;
	int			circles = 0;
	int			tries = 20000;

	srand(1);
	for (int i = 0; i < tries; i++)
	{
		make_locks();
		agreed += agrees();
		circles += all_circles_told();
	}
	ok(agreed == tries, "%d of %d random graphs as each edge says", agreed, tries);
	ok(circles == tries, "%d of %d have a root or a circle before all that wait in one", circles, tries);
}

/* --- whether work stands still --- */

static PadvStall stall;
static PadvBlockers blockers;

static void
look(int64_t standing, int64_t demand, int64_t seconds)
{
	padv_stall_update(&stall, &blockers, standing, standing, demand, seconds * 1000000);
}

static void
test_stall(void)
{
	memset(&stall, 0, sizeof(stall));
	look(0, 0, 1);
	ok(stall.stalled_seconds == 0 && !stall.any, "nothing blocks");
	look(0, 100, 2);
	ok(stall.stalled_seconds == 0, "demand is no stall");

	blockers.count = 2;
	blockers.rows[0] = (PadvBlocker) {.pid = 1, .blocked = 9, .blocking_seconds = 1, .longest_wait_seconds = 3};
	blockers.rows[1] = (PadvBlocker) {
		.pid = 2, .blocked = 4, .blocking_seconds = 7, .longest_wait_seconds = 8, .state = PADV_BLOCKER_PREPARED};
	blockers.count = 3;
	blockers.rows[2] = (PadvBlocker) {
		.pid = 3, .blocked = 2, .blocking_seconds = 99, .state = PADV_BLOCKER_IDLE, .advisory = true};
	look(4, 9, 10);
	ok(stall.stalled_seconds == 0, "less than half of the demand stands");
	ok(stall.any && stall.worst.pid == 2, "the worst is the one that has blocked for long");
	ok(stall.longest_wait_seconds == 8 && stall.idle_blocker_seconds == 7 && stall.idle.pid == 2, "figures of all");
	look(4, 8, 11);
	ok(stall.stalled_seconds >= PADV_STANDING_SECONDS, "half of it does");
	look(4, 16, 71);
	near(stall.stalled_seconds, 60 + PADV_STANDING_SECONDS, 1e-6, "a quarter is still a stall that was one");
	look(4, 17, 72);
	ok(stall.stalled_seconds == 0 && stall.ended_us == 72000000, "less is not");
	look(4, 16, 73);
	ok(stall.stalled_seconds == 0, "and does not begin one");
}

static void
test_names(void)
{
	ok(strcmp(padv_blocker_state_name(PADV_BLOCKER_IDLE_IN_TRANSACTION), "idle in transaction") == 0 &&
	   strcmp(padv_blocker_state_name(PADV_BLOCKER_UNKNOWN), "unknown") == 0, "names of states");
}

int
main(void)
{
	void	   *block = malloc(padv_lock_graph_size(MOST));

	graph = padv_lock_graph_init(block, MOST);
	test_shapes();
	test_circles();
	test_room();
	test_random();
	test_choice();
	test_stall();
	test_names();
	free(block);
	return tap_end();
}
