/*
 * wait_queue.c
 *		Quotas with a limit, and one queue of those who wait for room.
 *
 * Pure; the caller holds its lock around each call, and what a call does is
 * bounded by a constant and the logarithm of the length of the queue.
 *
 * There is one order, that of ranks.  It is that of arrival, and "came before" means
 * a lower rank, with two exceptions:
 *
 * - Under overload a quota serves the newest first.  Who comes then is of the class
 *	 NEWEST, before all who came in the ordinary way and before the newest so far.
 * - So that the others are not forgotten, now and then the one of a party who has waited
 *	 longest becomes an elder, who goes before all but older elders.
 *
 * Those who wait under the same quotas are a party: the one of the lowest rank leads
 * it, and only the leader is ever looked at.  A party stands at one quota that is full.
 * When a quota gets room it is for the leader there of the lowest rank: who is in now,
 * or finds another quota full, and then goes to stand there with its party.
 *
 * Where quotas cross (a role's and a database's), a leader would go to and
 * fro for ever while others, who need one of the two only, get in.  So when it
 * goes it can claim the quota that it leaves: a request there is counted for it
 * already.  That room is idle meanwhile, so there is one claim for a quota
 * at most; only who will be the first there where it goes may claim; and it
 * does not hold a busy quota for the sake of a slow one (is_worth_claiming).
 *
 * 1. in_use is the number of requests that are in, plus one if there is a claimant.
 *	  Only what the caller forces, or a limit that is lowered, makes it more than
 *	  the limit; the latter takes the claim away.
 * 2. All who wait are in a party.  Its members are in the order of their ranks: elders,
 *	  the newest up to newest_last, ordinary ones.  All stand where the leader does.
 *	  standing is the size of all parties there, whose leaders are its ring.
 * 3. A quota where a party stands has no room, or is on the list of the
 *	  unsettled.  So nobody waits who could be in, once that list is empty.
 * 4. A quota is open to a request that claims it, or that came before its
 *	  claimant, whose claim it then gets; and if there is room, and nobody stands
 *	  there who came before.  Hence the claimant of a quota came before all
 *	  who stand there; and while one stands at a quota nobody who came later
 *	  gets in there.
 * 5. Nobody stands at a quota that it claims.  With 4: who came first of all
 *	  waits for requests that are in, never for a claim.  So claims make no circle,
 *	  in whatever order they are taken.
 *
 * Nobody starves: each who waits is the oldest of its party some time, and an elder or
 * the first soon after.  Whoever is the first of those who share quotas with it is
 * the first wherever it goes, its claims are not taken from it, and after
 * FREE_MOVES each move adds one; so it is in when, at each of its quotas, one
 * has left, and a few more.  Then somebody else is the first.  Who stands at an
 * quota is let in or goes on after those who came before it, and no others.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/leaders.h"
#include "core/policy/wait_queue.h"

/* Parties that go to stand at another quota in one call. */
#define MAX_MOVES 8

/* Unsettled quotas of which the one with the first leader is looked for. */
#define MAX_LOOKS 32

/* Moves without a claim for the reason that the quota is a busy one. */
#define FREE_MOVES 2

/* So many releases are an epoch; the pace of a quota halves with each. */
#define EPOCH_RELEASES 256

/* Ranks: elders have their arrival, others these. */
#define ORDINARY_RANK(arrival) ((UINT64_C(1) << 63) + (arrival))
#define NEWEST_RANK(arrival) ((UINT64_C(1) << 62) - (arrival))

static bool
is_elder(const PadvRequest *request)
{
	return request->rank < UINT64_C(1) << 61;
}

static bool
is_newest(const PadvRequest *request)
{
	return !is_elder(request) && request->rank < UINT64_C(1) << 63;
}

static void
clear_quota(PadvQuota *quota)
{
	quota->in_use = 0;
	quota->waiting = 0;
	quota->linked = 0;
	quota->first = PADV_NONE;
	quota->ring = PADV_NONE;
	quota->newest_first = 0;
	quota->since_oldest = 0;
	quota->claimant = PADV_NONE;
	quota->unsettled = 0;
}

static void
clear_unsettled(PadvWaitQueueHead *head)
{
	head->unsettled = 0;
	head->unsettled_first = PADV_NONE;
	head->unsettled_last = PADV_NONE;
}

void
padv_queue_init(PadvWaitQueue *queue, int nquotas, int nplaces)
{
	queue->head->arrivals = 0;
	queue->head->waiting = 0;
	queue->head->first = PADV_NONE;
	queue->head->last = PADV_NONE;
	queue->head->nquotas = nquotas;
	queue->head->releases = 0;
	queue->head->steps = 0;
	clear_unsettled(queue->head);
	for (int i = 0; i < nquotas; i++)
	{
		PadvQuota  *quota = padv_queue_quota(queue, i);

		clear_quota(quota);
		quota->limit = -1;
		quota->claimed_before = PADV_NONE;
		quota->bucket = PADV_NONE;
		quota->pace = 0;
		quota->pace_epoch = 0;
	}
	for (int i = 0; i < nplaces; i++)
	{
		padv_queue_request(queue, i)->state = PADV_REQUEST_NONE;
		padv_queue_request(queue, i)->nquotas = 0;
		padv_queue_request(queue, i)->at = PADV_NONE;
	}
}

/* --- how busy a quota is --- */

static int32_t
pace_of(const PadvWaitQueue *queue, const PadvQuota *quota)
{
	uint32_t	epochs = queue->head->releases / EPOCH_RELEASES - quota->pace_epoch;

	return epochs > 30 ? 0 : quota->pace >> epochs;
}

static void
note_release(PadvWaitQueue *queue, PadvQuota *quota)
{
	int32_t		pace = pace_of(queue, quota);

	quota->pace = pace + 1;
	quota->pace_epoch = queue->head->releases / EPOCH_RELEASES;
}

/* --- parties --- */

static int32_t *
bucket_of(const PadvWaitQueue *queue, const PadvRequest *request)
{
	uint64_t	hash = (uint64_t) request->nquotas;

	for (int i = 0; i < request->nquotas; i++)
	{
		hash = (hash ^ (uint64_t) request->quotas[i]) * UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 32;
	}
	return &padv_queue_quota(queue, (int) (hash % (uint64_t) queue->head->nquotas))->bucket;
}

static bool
same_quotas(const PadvRequest *a, const PadvRequest *b)
{
	if (a->nquotas != b->nquotas)
		return false;
	for (int i = 0; i < a->nquotas; i++)
		if (a->quotas[i] != b->quotas[i])
			return false;
	return true;
}

/* Where the number of the leader of those under the same quotas is, or would be. */
static int32_t *
find_party(const PadvWaitQueue *queue, const PadvRequest *request)
{
	int32_t    *link = bucket_of(queue, request);

	for (; *link != PADV_NONE; link = &padv_queue_request(queue, *link)->bucket_next)
	{
		queue->head->steps++;
		if (same_quotas(padv_queue_request(queue, *link), request))
			break;
	}
	return link;
}

static bool
leads(const PadvRequest *request)
{
	return request->party_previous == PADV_NONE;
}

static void
link_party(PadvWaitQueue *queue, PadvRequest *leader, int at)
{
	PadvQuota  *quota = padv_queue_quota(queue, at);

	leader->at = at;
	padv_leaders_add(queue, quota, padv_queue_number(queue, leader));
	quota->linked += leader->party_size;
}

static void
unlink_party(PadvWaitQueue *queue, PadvRequest *leader)
{
	PadvQuota  *quota = padv_queue_quota(queue, leader->at);

	padv_leaders_remove(queue, quota, padv_queue_number(queue, leader));
	quota->linked -= leader->party_size;
}

/*
 * Go before the leader of a party, and lead it to stand at `at`: where it stood may be
 * open to this one, by a claim.
 */
static void
take_over_party(PadvWaitQueue *queue, PadvRequest *request, int32_t *party, int at)
{
	int			me = padv_queue_number(queue, request);
	PadvRequest *leader = padv_queue_request(queue, *party);

	unlink_party(queue, leader);
	request->party_next = *party;
	leader->party_previous = me;
	request->party_last = leader->party_last;
	request->party_size = leader->party_size + 1;
	request->newest_last = leader->newest_last;
	request->bucket_next = leader->bucket_next;
	request->moves = leader->moves;
	*party = me;
	link_party(queue, request, at);
}

/* Stand in the party behind this one. */
static void
follow(PadvWaitQueue *queue, PadvRequest *request, PadvRequest *leader, int previous)
{
	int			me = padv_queue_number(queue, request);
	int			next = padv_queue_request(queue, previous)->party_next;

	request->party_previous = previous;
	request->party_next = next;
	padv_queue_request(queue, previous)->party_next = me;
	if (next == PADV_NONE)
		leader->party_last = me;
	else
		padv_queue_request(queue, next)->party_previous = me;
	leader->party_size++;
	padv_queue_quota(queue, leader->at)->linked++;
}

/*
 * Follow the party, if there is one; else lead one, which stands at `at`.  Of the class
 * NEWEST it goes before all but the elder, who leads; that there are more elders, or that
 * others of the class are before it, is only in a recount, in which who joins is the last.
 */
static void
join_party(PadvWaitQueue *queue, PadvRequest *request, int32_t *party, int at)
{
	int			me = padv_queue_number(queue, request);
	bool		lonely = *party == PADV_NONE;
	PadvRequest *leader = lonely ? request : padv_queue_request(queue, *party);
	bool		last = !lonely && padv_queue_request(queue, leader->party_last)->rank < request->rank;

	request->party_next = PADV_NONE;
	request->party_previous = PADV_NONE;
	if (lonely)
	{
		*party = me;
		request->bucket_next = PADV_NONE;
		request->party_last = me;
		request->party_size = 1;
		request->newest_last = PADV_NONE;
		link_party(queue, request, at);
	}
	else if (last)
		follow(queue, request, leader, leader->party_last);
	else if (request->rank > leader->rank)
		follow(queue, request, leader, *party);
	else
	{
		take_over_party(queue, request, party, at);
		leader = request;
	}
	if (is_newest(request) && (last || leader->newest_last == PADV_NONE))
		leader->newest_last = me;
}

/* Who comes next leads, and stands where the leader stood. */
static void
hand_over_party(PadvWaitQueue *queue, PadvRequest *leader, int32_t *party)
{
	PadvRequest *next;

	unlink_party(queue, leader);
	if (leader->party_next == PADV_NONE)
	{
		*party = leader->bucket_next;
		return;
	}
	next = padv_queue_request(queue, leader->party_next);
	*party = leader->party_next;
	next->bucket_next = leader->bucket_next;
	next->newest_last = leader->newest_last == padv_queue_number(queue, leader) ?
		PADV_NONE : leader->newest_last;
	next->party_previous = PADV_NONE;
	next->party_last = leader->party_last;
	next->party_size = leader->party_size - 1;
	next->moves = 0;
	link_party(queue, next, leader->at);
}

static void
leave_party(PadvWaitQueue *queue, PadvRequest *request)
{
	int32_t    *party = find_party(queue, request);
	PadvRequest *leader = padv_queue_request(queue, *party);

	if (leads(request))
	{
		hand_over_party(queue, request, party);
		return;
	}
	if (leader->newest_last == padv_queue_number(queue, request))
		leader->newest_last = is_newest(padv_queue_request(queue, request->party_previous)) ?
			request->party_previous : PADV_NONE;
	padv_queue_request(queue, request->party_previous)->party_next = request->party_next;
	if (request->party_next == PADV_NONE)
		leader->party_last = request->party_previous;
	else
		padv_queue_request(queue, request->party_next)->party_previous = request->party_previous;
	leader->party_size--;
	padv_queue_quota(queue, leader->at)->linked--;
}

/* --- the whole queue --- */

static void
count_waiting(PadvWaitQueue *queue, const PadvRequest *request, int one)
{
	for (int i = 0; i < request->nquotas; i++)
		padv_queue_quota(queue, request->quotas[i])->waiting += one;
}

static void
dequeue(PadvWaitQueue *queue, PadvRequest *request)
{
	PadvWaitQueueHead *head = queue->head;

	if (request->queue_previous == PADV_NONE)
		head->first = request->queue_next;
	else
		padv_queue_request(queue, request->queue_previous)->queue_next = request->queue_next;
	if (request->queue_next == PADV_NONE)
		head->last = request->queue_previous;
	else
		padv_queue_request(queue, request->queue_next)->queue_previous = request->queue_previous;
	head->waiting--;
	count_waiting(queue, request, -1);
}

int
padv_queue_queued_at(const PadvWaitQueue *queue, const PadvRequest *request)
{
	return padv_queue_request(queue, *find_party(queue, request))->at;
}

/* --- room --- */

/* Invariant 4; the request waits, or has just come. */
static bool
is_open(const PadvWaitQueue *queue, const PadvRequest *request, const PadvQuota *quota)
{
	if (quota->claimant != PADV_NONE &&
		padv_queue_request(queue, quota->claimant)->rank >= request->rank)
		return true;
	return padv_quota_has_room(quota) &&
		(quota->first == PADV_NONE ||
		 padv_queue_request(queue, quota->first)->rank >= request->rank);
}

/*
 * Of the quotas that are not open to the request, the one that is left by the
 * fewest, so that the others are not claimed for longer than need be; or
 * PADV_NONE.
 */
static int
find_closed(const PadvWaitQueue *queue, const PadvRequest *request)
{
	int			closed = PADV_NONE;
	int32_t		slowest = 0;

	for (int i = 0; i < request->nquotas; i++)
	{
		PadvQuota  *quota = padv_queue_quota(queue, request->quotas[i]);
		int32_t		pace;

		queue->head->steps++;
		if (is_open(queue, request, quota))
			continue;
		pace = pace_of(queue, quota);
		if (closed == PADV_NONE || pace < slowest)
		{
			closed = request->quotas[i];
			slowest = pace;
		}
	}
	return closed;
}

/* Whether one who comes now would have to wait for it. */
static bool
is_full(const PadvQuota *quota)
{
	return quota->linked > 0 || !padv_quota_has_room(quota);
}

int
padv_queue_first_full(const PadvWaitQueue *queue, const PadvRequest *request)
{
	for (int i = 0; i < request->nquotas; i++)
		if (is_full(padv_queue_quota(queue, request->quotas[i])))
			return request->quotas[i];
	return PADV_NONE;
}

void
padv_queue_acquire(PadvWaitQueue *queue, PadvRequest *request)
{
	request->state = PADV_REQUEST_GRANTED;
	for (int i = 0; i < request->nquotas; i++)
		padv_queue_quota(queue, request->quotas[i])->in_use++;
}

/* Whether all that it has to wait for serve the newest first. */
static bool
goes_first(const PadvWaitQueue *queue, const PadvRequest *request)
{
	bool		first = false;

	for (int i = 0; i < request->nquotas; i++)
	{
		const PadvQuota *quota = padv_queue_quota(queue, request->quotas[i]);

		if (!is_full(quota))
			continue;
		if (!quota->newest_first)
			return false;
		first = true;
	}
	return first;
}

/*
 * The quota where one who has just come is to stand; its rank is set.  Who goes before
 * others can find all open to it: a quota with room that is not settled yet, or
 * another's claim.  It is not its turn to take them, so it is an ordinary one then.
 */
static int
find_stand(PadvWaitQueue *queue, PadvRequest *request)
{
	int			closed = PADV_NONE;

	if (goes_first(queue, request))
	{
		request->rank = NEWEST_RANK(request->arrival);
		closed = find_closed(queue, request);
	}
	if (closed == PADV_NONE)
	{
		request->rank = ORDINARY_RANK(request->arrival);
		closed = find_closed(queue, request);
	}
	return closed;
}

bool
padv_queue_enqueue(PadvWaitQueue *queue, PadvRequest *request)
{
	PadvWaitQueueHead *head = queue->head;
	int			me = padv_queue_number(queue, request);
	int			at;

	request->state = PADV_REQUEST_WAITING;
	request->arrival = head->arrivals++;
	request->moves = 0;
	at = find_stand(queue, request);
	request->queue_previous = head->last;
	request->queue_next = PADV_NONE;
	if (head->last == PADV_NONE)
		head->first = me;
	else
		padv_queue_request(queue, head->last)->queue_next = me;
	head->last = me;
	head->waiting++;
	count_waiting(queue, request, 1);
	join_party(queue, request, find_party(queue, request), at);
	return is_newest(request);
}

void
padv_line_set_newest_first(PadvWaitQueue *queue, int number, bool newest_first)
{
	padv_queue_quota(queue, number)->newest_first = newest_first;
}

int
padv_queue_first_at(const PadvWaitQueue *queue, int number)
{
	return padv_queue_quota(queue, number)->first;
}

/*
 * Let in one who waits.  Where there is no room its own claim is used, or that
 * of one who came later; if there is none, more are in than may be.
 */
void
padv_queue_grant(PadvWaitQueue *queue, PadvRequest *request)
{
	int			me = padv_queue_number(queue, request);

	request->at = padv_queue_queued_at(queue, request);
	leave_party(queue, request);
	dequeue(queue, request);
	request->state = PADV_REQUEST_GRANTED;
	for (int i = 0; i < request->nquotas; i++)
	{
		PadvQuota  *quota = padv_queue_quota(queue, request->quotas[i]);
		int			claimant = quota->claimant;

		if (claimant == me ||
			(claimant != PADV_NONE && !padv_quota_has_room(quota) &&
			 padv_queue_request(queue, claimant)->rank > request->rank))
			quota->claimant = PADV_NONE;
		else
			quota->in_use++;
	}
}

/* --- who can be in now --- */

/* To be looked at, if it has got room for somebody. */
static void
note_room(PadvWaitQueue *queue, int number)
{
	PadvWaitQueueHead *head = queue->head;
	PadvQuota  *quota = padv_queue_quota(queue, number);

	if (quota->unsettled || quota->first == PADV_NONE || !padv_quota_has_room(quota))
		return;
	quota->unsettled = 1;
	quota->unsettled_next = PADV_NONE;
	if (head->unsettled_last == PADV_NONE)
		head->unsettled_first = number;
	else
		padv_queue_quota(queue, head->unsettled_last)->unsettled_next = number;
	head->unsettled_last = number;
	head->unsettled++;
}

/* Take the quota after `previous` off the list; returns the one after it. */
static int32_t
note_settled(PadvWaitQueue *queue, int32_t previous, int32_t number)
{
	PadvWaitQueueHead *head = queue->head;
	PadvQuota  *quota = padv_queue_quota(queue, number);

	if (previous == PADV_NONE)
		head->unsettled_first = quota->unsettled_next;
	else
		padv_queue_quota(queue, previous)->unsettled_next = quota->unsettled_next;
	if (head->unsettled_last == number)
		head->unsettled_last = previous;
	head->unsettled--;
	quota->unsettled = 0;
	return quota->unsettled_next;
}

/*
 * The one who came first of those who stand at unsettled quotas, or NULL.  What
 * has no room any more is taken off the list; if that was all that was looked at,
 * the rest is for the next call.
 */
static PadvRequest *
find_candidate(PadvWaitQueue *queue)
{
	PadvRequest *candidate = NULL;
	int32_t		previous = PADV_NONE;
	int32_t		number = queue->head->unsettled_first;

	for (int looks = 0; number != PADV_NONE && looks < MAX_LOOKS; looks++)
	{
		PadvQuota  *quota = padv_queue_quota(queue, number);
		PadvRequest *request;

		queue->head->steps++;
		if (quota->first == PADV_NONE || !padv_quota_has_room(quota))
		{
			number = note_settled(queue, previous, number);
			continue;
		}
		request = padv_queue_request(queue, quota->first);
		if (candidate == NULL || request->rank < candidate->rank)
			candidate = request;
		previous = number;
		number = quota->unsettled_next;
	}
	return candidate;
}

/*
 * Whether to claim the quota that a leader leaves to stand at another one.  Not
 * where there is a claimant, who came before by invariant 4; nor in order to stand
 * behind others, nor for a door that is shut.  A quota that many leave soon has
 * room again, and is not held for one that few leave; but not for ever, as both
 * may change.
 */
static bool
is_worth_claiming(const PadvWaitQueue *queue, const PadvRequest *leader,
				  const PadvQuota *left, const PadvQuota *next)
{
	if (left->limit < 0 || next->limit == 0 || left->claimant != PADV_NONE ||
		(next->first != PADV_NONE &&
		 padv_queue_request(queue, next->first)->rank < leader->rank))
		return false;
	return leader->moves >= FREE_MOVES || pace_of(queue, left) / 2 <= pace_of(queue, next);
}

static void
move_on(PadvWaitQueue *queue, PadvRequest *leader, int closed)
{
	PadvQuota  *left = padv_queue_quota(queue, leader->at);

	unlink_party(queue, leader);
	if (is_worth_claiming(queue, leader, left, padv_queue_quota(queue, closed)))
	{
		left->in_use++;
		left->claimant = padv_queue_number(queue, leader);
	}
	if (leader->moves < FREE_MOVES)
		leader->moves++;
	link_party(queue, leader, closed);
}

/* --- who has waited longest --- */

/* Of a party, but elders; or NULL.  Each of the other two classes is in order. */
static PadvRequest *
find_oldest(const PadvWaitQueue *queue, PadvRequest *leader)
{
	PadvRequest *newest = leader->newest_last == PADV_NONE ? NULL : padv_queue_request(queue, leader->newest_last);
	int32_t		number = newest != NULL ? newest->party_next :
		is_elder(leader) ? leader->party_next : padv_queue_number(queue, leader);
	PadvRequest *ordinary = number == PADV_NONE ? NULL : padv_queue_request(queue, number);

	if (newest == NULL || ordinary == NULL)
		return newest == NULL ? ordinary : newest;
	return newest->arrival < ordinary->arrival ? newest : ordinary;
}

/* A claim goes back if it is of one who goes after this request, which stands here. */
static void
revoke_claim(PadvWaitQueue *queue, int number, const PadvRequest *request)
{
	PadvQuota  *quota = padv_queue_quota(queue, number);

	if (quota->claimant == PADV_NONE || padv_queue_request(queue, quota->claimant)->rank < request->rank)
		return;
	quota->claimant = PADV_NONE;
	quota->in_use--;
	note_room(queue, number);
}

/* The next party at this quota has its oldest preferred, unless it has an elder. */
static void
prefer_oldest(PadvWaitQueue *queue, int number)
{
	PadvQuota  *quota = padv_queue_quota(queue, number);
	PadvRequest *leader;
	PadvRequest *oldest;

	quota->since_oldest = 0;
	if (quota->ring == PADV_NONE)
		return;
	leader = padv_queue_request(queue, quota->ring);
	quota->ring = leader->ring_next;
	oldest = is_elder(leader) ? NULL : find_oldest(queue, leader);
	if (oldest == NULL)
		return;
	leave_party(queue, oldest);
	oldest->rank = oldest->arrival;
	join_party(queue, oldest, find_party(queue, oldest), number);
	revoke_claim(queue, number, oldest);
}

/* One who stood at this quota has been let in. */
static void
note_let_in(PadvWaitQueue *queue, int number)
{
	PadvQuota  *quota = padv_queue_quota(queue, number);

	if (quota->newest_first && ++quota->since_oldest >= PADV_NEWEST_FOR_ONE_OLDEST)
		prefer_oldest(queue, number);
}

static int
settle(PadvWaitQueue *queue, int32_t *granted, int room)
{
	PadvRequest *candidate;
	int			moves = 0;
	int			count = 0;

	while ((candidate = find_candidate(queue)) != NULL && count < room && moves < MAX_MOVES)
	{
		int			closed = find_closed(queue, candidate);

		if (closed == PADV_NONE)
		{
			padv_queue_grant(queue, candidate);
			granted[count++] = padv_queue_number(queue, candidate);
			note_let_in(queue, candidate->at);
		}
		else
		{
			move_on(queue, candidate, closed);
			moves++;
		}
	}
	return count;
}

int
padv_queue_settle(PadvWaitQueue *queue, int32_t *granted)
{
	return settle(queue, granted, PADV_MAX_REQUEST_QUOTAS);
}

static void
drop_claims(PadvWaitQueue *queue, const PadvRequest *request)
{
	int			me = padv_queue_number(queue, request);

	for (int i = 0; i < request->nquotas; i++)
	{
		PadvQuota  *quota = padv_queue_quota(queue, request->quotas[i]);

		if (quota->claimant != me)
			continue;
		quota->claimant = PADV_NONE;
		quota->in_use--;
		note_room(queue, request->quotas[i]);
	}
}

int
padv_queue_release(PadvWaitQueue *queue, PadvRequest *request, int32_t *granted)
{
	if (request->state == PADV_REQUEST_WAITING)
	{
		leave_party(queue, request);
		dequeue(queue, request);
		drop_claims(queue, request);
	}
	else if (request->state == PADV_REQUEST_GRANTED)
	{
		queue->head->releases++;
		for (int i = 0; i < request->nquotas; i++)
		{
			PadvQuota  *quota = padv_queue_quota(queue, request->quotas[i]);

			quota->in_use--;
			note_release(queue, quota);
			note_room(queue, request->quotas[i]);
		}
	}
	request->state = PADV_REQUEST_NONE;
	request->nquotas = 0;
	return settle(queue, granted, PADV_MAX_REQUEST_QUOTAS);
}

int
padv_queue_set_limit(PadvWaitQueue *queue, int number, int32_t limit, int32_t *granted, int room)
{
	PadvQuota  *quota = padv_queue_quota(queue, number);

	quota->limit = limit;
	if (limit >= 0 && quota->in_use > limit && quota->claimant != PADV_NONE)
	{
		quota->claimant = PADV_NONE;
		quota->in_use--;
	}
	note_room(queue, number);
	return settle(queue, granted, room);
}

/* --- counting anew --- */

void
padv_queue_rebuild_begin(PadvWaitQueue *queue, int nquotas)
{
	for (int i = 0; i < nquotas; i++)
	{
		PadvQuota  *quota = padv_queue_quota(queue, i);

		quota->claimed_before = quota->claimant;
		clear_quota(quota);
	}
	for (int i = 0; i < queue->head->nquotas; i++)
		padv_queue_quota(queue, i)->bucket = PADV_NONE;
	clear_unsettled(queue->head);
}

void
padv_queue_rebuild_add(PadvWaitQueue *queue, const PadvRequest *request)
{
	if (request->state == PADV_REQUEST_GRANTED)
		for (int i = 0; i < request->nquotas; i++)
			padv_queue_quota(queue, request->quotas[i])->in_use++;
	else if (request->state == PADV_REQUEST_WAITING)
		count_waiting(queue, request, 1);
}

/* Claim again what there is room in, so that a recount sets nobody back. */
static void
claim_again(PadvWaitQueue *queue, const PadvRequest *leader)
{
	int			me = padv_queue_number(queue, leader);

	for (int i = 0; i < leader->nquotas; i++)
	{
		PadvQuota  *quota = padv_queue_quota(queue, leader->quotas[i]);

		if (quota->claimed_before != me || quota->limit < 0 ||
			!is_open(queue, leader, quota))
			continue;
		quota->claimant = me;
		quota->in_use++;
	}
}

/* Put one who waits where it belongs; true when it is in. */
static bool
place_again(PadvWaitQueue *queue, PadvRequest *request)
{
	int			closed = find_closed(queue, request);

	if (closed != PADV_NONE)
	{
		join_party(queue, request, find_party(queue, request), closed);
		if (leads(request) && padv_queue_quota(queue, closed)->limit != 0)
			claim_again(queue, request);
		return false;
	}
	dequeue(queue, request);
	request->at = PADV_NONE;
	padv_queue_acquire(queue, request);
	return true;
}

/*
 * In the order of ranks.  Elders are ordinary ones again, before most of these, as parties
 * may be others and have one elder each at most.
 */
int
padv_queue_rebuild_finish(PadvWaitQueue *queue, int32_t *granted)
{
	int			count = 0;
	int			next;

	for (int i = queue->head->last; i != PADV_NONE; i = next)
	{
		PadvRequest *request = padv_queue_request(queue, i);

		next = request->queue_previous;
		if (is_elder(request))
			request->rank = ORDINARY_RANK(request->arrival);
		if (is_newest(request) && place_again(queue, request))
			granted[count++] = i;
	}
	for (int i = queue->head->first; i != PADV_NONE; i = next)
	{
		PadvRequest *request = padv_queue_request(queue, i);

		next = request->queue_next;
		if (!is_newest(request) && place_again(queue, request))
			granted[count++] = i;
	}
	return count;
}
