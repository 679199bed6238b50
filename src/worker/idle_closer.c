/*
 * idle_closer.c
 *		The worker's part in closing idle sessions beyond min_sessions.
 *
 * It brings together who is under which account (admission) and since when
 * each is idle (the sample), and asks the longest idle ones, as many as an
 * account is beyond its core.  They decide themselves; who does not close is
 * asked again the next time.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "shmem/admission.h"
#include "worker/idle_closer.h"
#include "worker/sampler.h"

typedef struct Idle
{
	int64		since;			/* as PadvSession.state_start */
	const PadvIdleCandidate *candidate;
} Idle;

struct PadvKeepalive
{
	PadvIdleCandidate *candidates;
	PadvBeyondCore *beyond;
	Idle	   *idle;
	const PadvSession **session_of; /* by place in the status array */
};

PadvKeepalive *
padv_keepalive_create(void)
{
	PadvKeepalive *keepalive = palloc(sizeof(PadvKeepalive));

	keepalive->candidates = palloc(mul_size(padv_admission_slots(), sizeof(PadvIdleCandidate)));
	keepalive->beyond = palloc(mul_size(padv_admission_accounts(), sizeof(PadvBeyondCore)));
	keepalive->idle = palloc(mul_size(padv_admission_slots(), sizeof(Idle)));
	keepalive->session_of = palloc(mul_size(padv_sampler_slots(), sizeof(PadvSession *)));
	return keepalive;
}

static int
compare_idle(const void *a, const void *b)
{
	int64		left = ((const Idle *) a)->since;
	int64		right = ((const Idle *) b)->since;

	return left < right ? -1 : left > right;
}

/* Those of the candidates that are idle, longest first; returns their number. */
static int
find_idle(PadvKeepalive *keepalive, int ncandidates, const PadvSample *sample)
{
	int			count = 0;

	memset(keepalive->session_of, 0, padv_sampler_slots() * sizeof(PadvSession *));
	for (int i = 0; i < sample->count; i++)
		keepalive->session_of[sample->sessions[i].slot] = &sample->sessions[i];

	for (int i = 0; i < ncandidates; i++)
	{
		const PadvIdleCandidate *candidate = &keepalive->candidates[i];
		const PadvSession *session = keepalive->session_of[candidate->status_index];

		if (session == NULL || session->pid != candidate->pid ||
			session->state != PADV_STATE_IDLE || session->state_start == 0)
			continue;
		keepalive->idle[count].since = session->state_start;
		keepalive->idle[count].candidate = candidate;
		count++;
	}
	qsort(keepalive->idle, count, sizeof(Idle), compare_idle);
	return count;
}

/* Ask on behalf of the first account that has one too many for its keepalive. */
static void
ask_if_too_long(const Idle *idle, int64 now, PadvBeyondCore *beyond)
{
	const PadvIdleCandidate *candidate = idle->candidate;
	int64		idle_ms = (now - idle->since) / 1000;
	int			on_behalf = -1;

	for (int i = 0; i < candidate->naccounts && on_behalf < 0; i++)
	{
		const PadvBeyondCore *account = &beyond[candidate->accounts[i]];

		if (account->sessions > 0 && idle_ms >= account->keepalive)
			on_behalf = candidate->accounts[i];
	}
	if (on_behalf < 0)
		return;
	padv_admission_ask_to_close(candidate, on_behalf);
	for (int i = 0; i < candidate->naccounts; i++)
		beyond[candidate->accounts[i]].sessions--;
}

void
padv_keepalive_run(PadvKeepalive *keepalive, const PadvSample *sample)
{
	int			ncandidates = padv_admission_idle_candidates(keepalive->candidates,
															 keepalive->beyond);
	int			count;

	if (ncandidates == 0)
		return;
	count = find_idle(keepalive, ncandidates, sample);
	for (int i = 0; i < count; i++)
		ask_if_too_long(&keepalive->idle[i], sample->taken_at, keepalive->beyond);
}
