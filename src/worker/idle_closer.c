/*
 * idle_closer.c
 *		The worker's part in closing idle sessions beyond min_sessions.
 *
 * It combines the quotas of each session (admission) with the time since which it is
 * idle (the sample).  It asks the longest idle sessions to close, as many as a quota is
 * above its min_sessions.  The sessions decide themselves.  A session that does not close
 * is asked again the next time.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "shmem/admission.h"
#include "worker/idle_closer.h"
#include "worker/sampler.h"

typedef struct IdleSession
{
	int64		since;			/* as PadvSession.state_start */
	const PadvIdleCandidate *candidate;
} IdleSession;

struct PadvIdleCloser
{
	PadvIdleCandidate *candidates;
	PadvBeyondMin *beyond;
	IdleSession *idle;
	const PadvSession **session_of; /* by index in the status array */
};

PadvIdleCloser *
padv_idle_closer_create(void)
{
	PadvIdleCloser *closer = palloc(sizeof(PadvIdleCloser));

	closer->candidates = palloc(mul_size(padv_admission_backends(), sizeof(PadvIdleCandidate)));
	closer->beyond = palloc(mul_size(padv_admission_quotas(), sizeof(PadvBeyondMin)));
	closer->idle = palloc(mul_size(padv_admission_backends(), sizeof(IdleSession)));
	closer->session_of = palloc(mul_size(padv_sampler_slots(), sizeof(PadvSession *)));
	return closer;
}

static int
compare_idle(const void *a, const void *b)
{
	int64		left = ((const IdleSession *) a)->since;
	int64		right = ((const IdleSession *) b)->since;

	return left < right ? -1 : left > right;
}

/* Find the candidates that are idle, longest first; returns their number. */
static int
find_idle_candidates(PadvIdleCloser *closer, int ncandidates, const PadvSample *sample)
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
	qsort(closer->idle, count, sizeof(IdleSession), compare_idle);
	return count;
}

/*
 * Ask the session to close, for the first quota whose idle timeout it has reached, unless
 * another quota keeps it.
 */
static void
request_close_if_idle(const IdleSession *idle, int64 now, PadvBeyondMin *beyond)
{
	const PadvIdleCandidate *candidate = idle->candidate;
	int64		idle_ms = (now - idle->since) / 1000;
	int			for_quota = -1;

	for (int i = 0; i < candidate->nquotas; i++)
	{
		const PadvBeyondMin *quota = &beyond[candidate->quotas[i]];

		if (quota->sessions == 0)
			return;
		if (for_quota < 0 && quota->idle_timeout > 0 && idle_ms >= quota->idle_timeout)
			for_quota = candidate->quotas[i];
	}
	if (for_quota < 0)
		return;
	padv_admission_ask_to_close(candidate, for_quota);
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
	count = find_idle_candidates(closer, ncandidates, sample);
	for (int i = 0; i < count; i++)
		request_close_if_idle(&closer->idle[i], sample->taken_at, closer->beyond);
}
