/*
 * idle_closer.c
 *		The worker's part in closing idle sessions beyond min_sessions.
 *
 * It brings together who is under which quota (admission) and since when
 * each is idle (the sample), and asks the longest idle ones, as many as an
 * quota is beyond its core.  They decide themselves; who does not close is
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

struct PadvIdleCloser
{
	PadvIdleCandidate *candidates;
	PadvBeyondMin *beyond;
	Idle	   *idle;
	const PadvSession **session_of; /* by place in the status array */
};

PadvIdleCloser *
padv_idle_closer_create(void)
{
	PadvIdleCloser *closer = palloc(sizeof(PadvIdleCloser));

	closer->candidates = palloc(mul_size(padv_admission_backends(), sizeof(PadvIdleCandidate)));
	closer->beyond = palloc(mul_size(padv_admission_quotas(), sizeof(PadvBeyondMin)));
	closer->idle = palloc(mul_size(padv_admission_backends(), sizeof(Idle)));
	closer->session_of = palloc(mul_size(padv_sampler_slots(), sizeof(PadvSession *)));
	return closer;
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
find_idle(PadvIdleCloser *closer, int ncandidates, const PadvSample *sample)
{
	int			count = 0;

	memset(closer->session_of, 0, padv_sampler_slots() * sizeof(PadvSession *));
	for (int i = 0; i < sample->count; i++)
		closer->session_of[sample->sessions[i].status_index] = &sample->sessions[i];

	for (int i = 0; i < ncandidates; i++)
	{
		const PadvIdleCandidate *candidate = &closer->candidates[i];
		const PadvSession *session = closer->session_of[candidate->status_index];

		if (session == NULL || session->pid != candidate->pid ||
			session->state != PADV_STATE_IDLE || session->state_start == 0)
			continue;
		closer->idle[count].since = session->state_start;
		closer->idle[count].candidate = candidate;
		count++;
	}
	qsort(closer->idle, count, sizeof(Idle), compare_idle);
	return count;
}

/* Ask on behalf of the first quota that has one too many for its keepalive. */
static void
ask_if_too_long(const Idle *idle, int64 now, PadvBeyondMin *beyond)
{
	const PadvIdleCandidate *candidate = idle->candidate;
	int64		idle_ms = (now - idle->since) / 1000;
	int			on_behalf = -1;

	for (int i = 0; i < candidate->nquotas && on_behalf < 0; i++)
	{
		const PadvBeyondMin *quota = &beyond[candidate->quotas[i]];

		if (quota->sessions > 0 && idle_ms >= quota->idle_timeout)
			on_behalf = candidate->quotas[i];
	}
	if (on_behalf < 0)
		return;
	padv_admission_ask_to_close(candidate, on_behalf);
	for (int i = 0; i < candidate->nquotas; i++)
		beyond[candidate->quotas[i]].sessions--;
}

void
padv_idle_closer_run(PadvIdleCloser *closer, const PadvSample *sample)
{
	int			ncandidates = padv_admission_idle_candidates(closer->candidates,
															 closer->beyond);
	int			count;

	if (ncandidates == 0)
		return;
	count = find_idle(closer, ncandidates, sample);
	for (int i = 0; i < count; i++)
		ask_if_too_long(&closer->idle[i], sample->taken_at, closer->beyond);
}
