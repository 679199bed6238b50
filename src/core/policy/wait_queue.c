/*
 * wait_queue.c
 *		Quotas with a limit, and one queue of the requests that wait for them.
 *
 * Pure; the caller holds its lock around each call.  The work of a call is bounded by a
 * constant times the logarithm of the length of the queue.
 *
 * Waiters are served in the order of their ranks.  That is the order of arrival, with
 * two exceptions.  Below, "before" means a lower rank.
 *
 * - Under overload a quota serves the newest first.  A request that comes then is of the
 *	 class NEWEST.  It is before all ordinary requests and before the newest so far.
 * - So that the others do not starve, now and then the request of a party that has
 *	 waited longest becomes an elder.  It is before all requests but older elders.
 *
 * Two quotas can be shared by flows.  There flows come first and ranks second: the first
 * of the flow that goes next is served (core/policy/shares.c).  This order changes with
 * each grant, while ranks stay.  So these quotas are never claimed, and what is said about
 * claims below is about the other ones.
 *
 * The waiters of a flow under the same quotas are a party.  The one of the lowest rank is
 * its leader, and only leaders are examined.  A party is linked at one full quota.  When a
 * quota gets room, the linked leader of the lowest rank is examined: it is granted, or
 * it finds another of its quotas full, and then moves there with its party.
 *
 * Where quotas cross (a role's and a database's), a leader could move to and fro for
 * ever, while requests that need only one of the two quotas are granted.  So a leader
 * that moves can claim the quota that it leaves: it is counted there already.  The
 * claimed unit is idle meanwhile.  So a quota has at most one claim, a leader claims only
 * if it is the first where it moves to, and it does not claim a busy quota for the sake of
 * a slow one (is_worth_claiming).
 *
 * Invariants:
 *
 * 1. in_use is the number of granted requests, plus one if there is a claimant.  It
 *	  exceeds the limit only by a forced grant or after the limit was lowered; lowering
 *	  revokes the claim.
 * 2. Each waiter is in a party.  The members are in the order of their ranks: elders, the
 *	  newest up to newest_last, ordinary ones.  All are linked where the leader is.
 *	  linked is the size of all parties there, whose leaders are its ring.
 * 3. A quota where a party is linked has no room, or is on the list of unsettled quotas.
 *	  So no waiter could be granted once that list is empty.
 * 4. A quota is open to its claimant, and to a request before the claimant, which then
 *	  gets the claim.  It is also open if it has room and no request linked there is
 *	  before this one.  Hence the claimant is before all requests that are linked there;
 *	  and no request is granted before those that are linked there and have a lower rank.
 * 5. No request is linked at a quota that it claims.  With 4: the first of all waiters
 *	  waits for granted requests, never for a claim.  So claims cannot form a cycle, in
 *	  whatever order they are made.
 * 6. At a shared quota each flow has a heap of its leaders.  The flows with a leader
 *	  there form a heap, and quota->first is the first leader of the flow at its top.
 *	  A request waits there for granted requests, never for a claim.
 *
 * No waiter starves.  Each waiter is the oldest of its party some time, and soon after an
 * elder or the first.  The first of all requests that share quotas with it is the first
 * wherever it moves, and keeps its claims.  After FREE_MOVES each move adds a claim.  So
 * it is granted after a few releases at each of its quotas.  Then another waiter is the
 * first.  A linked request is granted or moves after those before it, and no others.
 * Where flows share a quota, each of them goes next after the others have used it for some
 * time, and the first of its flow keeps its claims on other quotas until then.  A request
 * that has moved from the inner shared quota to the outer one claims neither.  But those
 * under both are of one flow at the outer one.  So only requests of a lower rank are
 * granted before it there, and after each move these are fewer.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "core/policy/leaders.h"
#include "core/policy/shares.h"
#include "core/policy/wait_queue.h"

/* At most so many parties move to another quota in one call. */
#define MAX_MOVES 8

/* At most so many unsettled quotas are searched for the first leader. */
#define MAX_LOOKS 32

/* Moves of a leader that may leave a busy quota without a claim. */
#define FREE_MOVES 2

/* So many releases are an epoch; the pace of a quota halves with each epoch. */
#define EPOCH_RELEASES 256

/* Ranks; the rank of an elder is its arrival. */
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
padv_queue_init(PadvWaitQueue *queue, int nquotas, int nrequests)
{
	queue->head->arrivals = 0;
	queue->head->waiting = 0;
	queue->head->first = PADV_NONE;
	queue->head->last = PADV_NONE;
	queue->head->nquotas = nquotas;
	queue->head->releases = 0;
	queue->head->steps = 0;
	queue->head->now = 0;
	for (int which = 0; which < PADV_SHARED_QUOTAS; which++)
		queue->head->shared[which] = (PadvShared) {.quota = PADV_NONE};
	clear_unsettled(queue->head);
	padv_shares_clear(queue, nquotas);
	for (int i = 0; i < nquotas; i++)
	{
		PadvQuota  *quota = padv_queue_quota(queue, i);

		clear_quota(quota);
		quota->limit = -1;
		quota->claimed_before = PADV_NONE;
		quota->bucket = PADV_NONE;
		quota->pace = 0;
		quota->pace_epoch = 0;
		for (int which = 0; which < PADV_SHARED_QUOTAS && queue->flows[which] != NULL; which++)
		{
			padv_queue_flow(queue, which, i)->weight = 1;
			padv_queue_flow(queue, which, i)->min_granted = 0;
		}
	}
	for (int i = 0; i < nrequests; i++)
	{
		PadvRequest *request = padv_queue_request(queue, i);

		request->state = PADV_REQUEST_NONE;
		request->nquotas = 0;
		request->flows[PADV_OUTER] = request->flows[PADV_INNER] = 0;
		request->at = PADV_NONE;
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
party_bucket(const PadvWaitQueue *queue, const PadvRequest *request)
{
	uint64_t	hash = (uint64_t) request->nquotas + ((uint64_t) (uint32_t) request->flows[PADV_OUTER] << 8) +
		((uint64_t) (uint32_t) request->flows[PADV_INNER] << 32);

	for (int i = 0; i < request->nquotas; i++)
	{
		hash = (hash ^ (uint64_t) request->quotas[i]) * UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 32;
	}
	return &padv_queue_quota(queue, (int) (hash % (uint64_t) queue->head->nquotas))->bucket;
}

/* Whether two requests are of one party. */
static bool
same_quotas(const PadvRequest *a, const PadvRequest *b)
{
	if (a->nquotas != b->nquotas || a->flows[PADV_OUTER] != b->flows[PADV_OUTER] ||
		a->flows[PADV_INNER] != b->flows[PADV_INNER])
		return false;
	for (int i = 0; i < a->nquotas; i++)
		if (a->quotas[i] != b->quotas[i])
			return false;
	return true;
}

/* The link to the leader of the request's party, or where it would be. */
static int32_t *
find_party(const PadvWaitQueue *queue, const PadvRequest *request)
{
	int32_t    *link = party_bucket(queue, request);

	for (; *link != PADV_NONE; link = &padv_queue_request(queue, *link)->bucket_next)
	{
		queue->head->steps++;
		if (same_quotas(padv_queue_request(queue, *link), request))
			break;
	}
	return link;
}

static bool
is_leader(const PadvRequest *request)
{
	return request->party_previous == PADV_NONE;
}

/* Count requests as linked where the leader of their party is, or not any more. */
static void
count_linked(PadvWaitQueue *queue, const PadvRequest *leader, int32_t more)
{
	PadvQuota  *quota = padv_queue_quota(queue, leader->at);
	PadvFlow   *flow = padv_flow_at(queue, quota, leader);

	quota->linked += more;
	if (flow != NULL)
		flow->linked += more;
}

static void
link_party(PadvWaitQueue *queue, PadvRequest *leader, int at)
{
	leader->at = at;
	padv_leaders_add(queue, padv_queue_quota(queue, at), padv_queue_number(queue, leader));
	count_linked(queue, leader, leader->party_size);
}

static void
unlink_party(PadvWaitQueue *queue, PadvRequest *leader)
{
	padv_leaders_remove(queue, padv_queue_quota(queue, leader->at), padv_queue_number(queue, leader));
	count_linked(queue, leader, -leader->party_size);
}

/*
 * Become the leader of a party, before its leader so far, and link the party at `at`.
 * The quota where it was linked may be open to this request, by a claim.
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

/* Insert a request into a party after `previous`. */
static void
insert_into_party(PadvWaitQueue *queue, PadvRequest *request, PadvRequest *leader, int previous)
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
	count_linked(queue, leader, 1);
}

/*
 * Join the party, if there is one; else begin one, linked at `at`.  A request of the
 * class NEWEST goes before all members but an elder, which leads.  Only in a rebuild can
 * there be more elders, or members of its class before it; there it is the last.
 */
static void
join_party(PadvWaitQueue *queue, PadvRequest *request, int32_t *party, int at)
{
	int			me = padv_queue_number(queue, request);
	bool		alone = *party == PADV_NONE;
	PadvRequest *leader = alone ? request : padv_queue_request(queue, *party);
	bool		last = !alone && padv_queue_request(queue, leader->party_last)->rank < request->rank;

	request->party_next = PADV_NONE;
	request->party_previous = PADV_NONE;
	if (alone)
	{
		*party = me;
		request->bucket_next = PADV_NONE;
		request->party_last = me;
		request->party_size = 1;
		request->newest_last = PADV_NONE;
		link_party(queue, request, at);
	}
	else if (last)
		insert_into_party(queue, request, leader, leader->party_last);
	else if (request->rank > leader->rank)
		insert_into_party(queue, request, leader, *party);
	else
	{
		take_over_party(queue, request, party, at);
		leader = request;
	}
	if (is_newest(request) && (last || leader->newest_last == PADV_NONE))
		leader->newest_last = me;
}

/* Make the next member the leader, linked at the same quota, and remove the leader. */
static void
pass_on_party(PadvWaitQueue *queue, PadvRequest *leader, int32_t *party)
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

	if (is_leader(request))
	{
		pass_on_party(queue, request, party);
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
	count_linked(queue, leader, -1);
}

/* --- the whole queue --- */

static void
count_waiting(PadvWaitQueue *queue, const PadvRequest *request, int one)
{
	for (int i = 0; i < request->nquotas; i++)
		padv_queue_quota(queue, request->quotas[i])->waiting += one;
}

static void
unlink_waiter(PadvWaitQueue *queue, PadvRequest *request)
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

/* --- room in quotas --- */

/* Invariant 4; the request waits, or is about to. */
static bool
is_open(const PadvWaitQueue *queue, const PadvRequest *request, const PadvQuota *quota)
{
	int			which = padv_shared_number(queue, quota);

	if (which != PADV_NONE)
		return padv_quota_has_room(quota) && padv_goes_first(queue, which, request);
	if (quota->claimant != PADV_NONE &&
		padv_queue_request(queue, quota->claimant)->rank >= request->rank)
		return true;
	return padv_quota_has_room(quota) &&
		(quota->first == PADV_NONE ||
		 padv_queue_request(queue, quota->first)->rank >= request->rank);
}

/*
 * The quota with the fewest recent releases of those that are not open to the request,
 * or PADV_NONE.  So the other quotas are not claimed for longer than needed.
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

/* Whether a new request would have to wait for this quota. */
static bool
quota_is_full(const PadvQuota *quota)
{
	return quota->linked > 0 || !padv_quota_has_room(quota);
}

int
padv_queue_first_full(const PadvWaitQueue *queue, const PadvRequest *request)
{
	for (int i = 0; i < request->nquotas; i++)
		if (quota_is_full(padv_queue_quota(queue, request->quotas[i])))
			return request->quotas[i];
	return PADV_NONE;
}

void
padv_queue_acquire(PadvWaitQueue *queue, PadvRequest *request)
{
	request->state = PADV_REQUEST_GRANTED;
	for (int i = 0; i < request->nquotas; i++)
		padv_queue_quota(queue, request->quotas[i])->in_use++;
	padv_shares_begin(queue, request, false);
}

/* Whether this request would be served before others at one of its quotas. */
static bool
serves_newest_first(const PadvWaitQueue *queue, const PadvRequest *request, int number)
{
	const PadvQuota *quota = padv_queue_quota(queue, number);
	const PadvFlow *flow = padv_flow_at(queue, quota, request);

	return flow != NULL ? flow->newest_first : quota->newest_first;
}

/* Whether all quotas that the request has to wait for serve the newest first. */
static bool
is_served_first(const PadvWaitQueue *queue, const PadvRequest *request)
{
	bool		first = false;

	for (int i = 0; i < request->nquotas; i++)
	{
		const PadvQuota *quota = padv_queue_quota(queue, request->quotas[i]);

		if (!quota_is_full(quota))
			continue;
		if (!serves_newest_first(queue, request, request->quotas[i]))
			return false;
		first = true;
	}
	return first;
}

/*
 * Set the rank of a new waiter, and return the quota where it is to be linked.  With the
 * rank of the newest all quotas could be open to it: one with room that is not settled
 * yet, or one with another's claim.  Waiters are entitled to these, so the request gets
 * an ordinary rank then.  A shared quota with room that is not settled yet can be open to
 * it even so, because its flow goes next.  Then it is linked there until that is settled.
 */
static int
set_rank(PadvWaitQueue *queue, PadvRequest *request)
{
	int			closed = PADV_NONE;

	if (is_served_first(queue, request))
	{
		request->rank = NEWEST_RANK(request->arrival);
		closed = find_closed(queue, request);
	}
	if (closed == PADV_NONE)
	{
		request->rank = ORDINARY_RANK(request->arrival);
		closed = find_closed(queue, request);
	}
	return closed != PADV_NONE ? closed : padv_queue_first_full(queue, request);
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
	at = set_rank(queue, request);
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
padv_queue_set_newest_first(PadvWaitQueue *queue, int number, bool newest_first)
{
	padv_queue_quota(queue, number)->newest_first = newest_first;
}

void
padv_queue_set_shared(PadvWaitQueue *queue, PadvSharedQuota which, int number)
{
	queue->head->shared[which].quota = number;
}

void
padv_queue_set_flow(PadvWaitQueue *queue, PadvSharedQuota which, int number,
					int32_t weight, int32_t min_granted)
{
	PadvFlow   *flow = padv_queue_flow(queue, which, number);

	flow->weight = weight;
	flow->min_granted = min_granted;
	if (flow->granted == 0 && flow->first == PADV_NONE)
		padv_flow_begin(queue, which, number);
	else
		padv_flow_changed(queue, which, number);
}

void
padv_queue_set_flow_newest_first(PadvWaitQueue *queue, PadvSharedQuota which, int flow, bool newest_first)
{
	padv_queue_flow(queue, which, flow)->newest_first = newest_first;
}

int
padv_queue_first_at(const PadvWaitQueue *queue, int number)
{
	return padv_queue_quota(queue, number)->first;
}

/*
 * Grant a waiter.  Where there is no room its own claim is used, or that of a request
 * with a higher rank.  Without one, in_use exceeds the limit.
 */
void
padv_queue_grant(PadvWaitQueue *queue, PadvRequest *request)
{
	int			me = padv_queue_number(queue, request);

	request->at = padv_queue_queued_at(queue, request);
	leave_party(queue, request);
	unlink_waiter(queue, request);
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
	padv_shares_begin(queue, request, true);
}

/* --- granting waiters --- */

/* Put the quota on the list of unsettled ones, if it has room and a waiter. */
static void
add_unsettled(PadvWaitQueue *queue, int number)
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

/* Remove the quota after `previous` from the list; returns the one after it. */
static int32_t
remove_unsettled(PadvWaitQueue *queue, int32_t previous, int32_t number)
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
 * The leader of the lowest rank at unsettled quotas, or NULL.  Removes quotas without
 * room from the list.  If it has seen only those, the next call sees the rest.
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
			number = remove_unsettled(queue, previous, number);
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
 * Whether a leader claims the quota that it leaves to move to another one.  It does not
 * if that is a shared one; if there is a claimant, which is before it by invariant 4; if
 * it is not the first at the other quota, unless that is a shared one, where the first
 * changes; nor if the other has a limit of 0.  A quota with many releases soon has
 * room again, so it is not claimed for one with few; but after FREE_MOVES it is, because
 * both may change.
 */
static bool
is_worth_claiming(const PadvWaitQueue *queue, const PadvRequest *leader,
				  const PadvQuota *left, const PadvQuota *next)
{
	if (left->limit < 0 || next->limit == 0 || left->claimant != PADV_NONE ||
		padv_shared_number(queue, left) != PADV_NONE ||
		(next->first != PADV_NONE && padv_shared_number(queue, next) == PADV_NONE &&
		 padv_queue_request(queue, next->first)->rank < leader->rank))
		return false;
	return leader->moves >= FREE_MOVES || pace_of(queue, left) / 2 <= pace_of(queue, next);
}

static void
move_party(PadvWaitQueue *queue, PadvRequest *leader, int closed)
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

/* --- the oldest waiters --- */

/*
 * The member of a party that has waited longest and is no elder, or NULL.  The members of
 * each of the other two classes are in the order of arrival, or its reverse.
 */
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

/* Revoke the claim on a quota if this request, which is linked there, is before it. */
static void
revoke_claim(PadvWaitQueue *queue, int number, const PadvRequest *request)
{
	PadvQuota  *quota = padv_queue_quota(queue, number);

	if (quota->claimant == PADV_NONE || padv_queue_request(queue, quota->claimant)->rank < request->rank)
		return;
	quota->claimant = PADV_NONE;
	quota->in_use--;
	add_unsettled(queue, number);
}

/* Make an elder of the oldest of the next party here, unless the party has an elder. */
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

/* Count a grant of this request at the quota where it was linked. */
static void
count_grant(PadvWaitQueue *queue, const PadvRequest *request)
{
	PadvQuota  *quota = padv_queue_quota(queue, request->at);

	if (serves_newest_first(queue, request, request->at) && ++quota->since_oldest >= PADV_NEWEST_FOR_ONE_OLDEST)
		prefer_oldest(queue, request->at);
}

static int
grant_waiters(PadvWaitQueue *queue, int32_t *granted, int max)
{
	PadvRequest *candidate;
	int			moves = 0;
	int			count = 0;

	while ((candidate = find_candidate(queue)) != NULL && count < max && moves < MAX_MOVES)
	{
		int			closed = find_closed(queue, candidate);

		if (closed == PADV_NONE)
		{
			padv_queue_grant(queue, candidate);
			granted[count++] = padv_queue_number(queue, candidate);
			count_grant(queue, candidate);
		}
		else
		{
			move_party(queue, candidate, closed);
			moves++;
		}
	}
	return count;
}

int
padv_queue_settle(PadvWaitQueue *queue, int32_t *granted)
{
	return grant_waiters(queue, granted, PADV_MAX_REQUEST_QUOTAS);
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
		add_unsettled(queue, request->quotas[i]);
	}
}

int
padv_queue_release(PadvWaitQueue *queue, PadvRequest *request, int32_t *granted)
{
	if (request->state == PADV_REQUEST_WAITING)
	{
		leave_party(queue, request);
		unlink_waiter(queue, request);
		drop_claims(queue, request);
	}
	else if (request->state == PADV_REQUEST_GRANTED)
	{
		queue->head->releases++;
		padv_shares_end(queue, request);
		for (int i = 0; i < request->nquotas; i++)
		{
			PadvQuota  *quota = padv_queue_quota(queue, request->quotas[i]);

			quota->in_use--;
			note_release(queue, quota);
			add_unsettled(queue, request->quotas[i]);
		}
	}
	request->state = PADV_REQUEST_NONE;
	request->nquotas = 0;
	return grant_waiters(queue, granted, PADV_MAX_REQUEST_QUOTAS);
}

int
padv_queue_set_limit(PadvWaitQueue *queue, int number, int32_t limit, int32_t *granted, int max)
{
	PadvQuota  *quota = padv_queue_quota(queue, number);

	quota->limit = limit;
	if (limit >= 0 && quota->in_use > limit && quota->claimant != PADV_NONE)
	{
		quota->claimant = PADV_NONE;
		quota->in_use--;
	}
	add_unsettled(queue, number);
	return grant_waiters(queue, granted, max);
}

/* --- rebuild --- */

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
	padv_shares_clear(queue, nquotas);
}

void
padv_queue_rebuild_add(PadvWaitQueue *queue, PadvRequest *request)
{
	if (request->state == PADV_REQUEST_GRANTED)
		padv_queue_acquire(queue, request);
	else if (request->state == PADV_REQUEST_WAITING)
		count_waiting(queue, request, 1);
}

/* Restore claims where there is room, so that a rebuild does not delay a waiter. */
static void
restore_claims(PadvWaitQueue *queue, const PadvRequest *leader)
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

/* Grant a waiter (true), or link it at a full quota (false). */
static bool
relink_waiter(PadvWaitQueue *queue, PadvRequest *request)
{
	int			closed = find_closed(queue, request);

	if (closed != PADV_NONE)
	{
		join_party(queue, request, find_party(queue, request), closed);
		if (is_leader(request) && padv_queue_quota(queue, closed)->limit != 0)
			restore_claims(queue, request);
		return false;
	}
	unlink_waiter(queue, request);
	request->at = PADV_NONE;
	padv_queue_acquire(queue, request);
	return true;
}

/*
 * Visits the waiters in the order of ranks.  Elders become ordinary requests again,
 * which are before most others, because parties may change and may have only one elder.
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
		if (is_newest(request) && relink_waiter(queue, request))
			granted[count++] = i;
	}
	for (int i = queue->head->first; i != PADV_NONE; i = next)
	{
		PadvRequest *request = padv_queue_request(queue, i);

		next = request->queue_next;
		if (!is_newest(request) && relink_waiter(queue, request))
			granted[count++] = i;
	}
	return count;
}
