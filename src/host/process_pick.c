/* SPDX-License-Identifier: BSD-3-Clause */
/* process_pick.c - ranks the sockets that may have had a flow. */
#include "host/process_pick.h"

enum { OWN = 16, FROM_START = 8, OPENED_LATER = 4, CLOSED_BEFORE = 2, NATIVE = 1 };

#define NEAR_NS (INT64_C(5) * 1000 * 1000)         /* clocks of packets and sockets */
#define LAST_NS (INT64_C(60) * 1000 * 1000 * 1000) /* the last retransmissions */

/* Ends do not overflow: a time is far from the ends of its range unless it is one of them. */
static int64_t later(int64_t ns, int64_t by)
{
	return ns > INT64_MAX - by ? INT64_MAX : ns + by;
}

static int rank_in_time(const struct pick *p, const struct process_socket *s)
{
	const struct process_flow *f = p->flow;
	const int64_t near = f->slack_ns + NEAR_NS;

	if (later(s->close_ns, near) < f->start_ns)
		return f->midstream && !p->by_port && later(s->close_ns, LAST_NS) >= f->start_ns
				       ? CLOSED_BEFORE
				       : 0;
	if (s->open_ns <= later(f->start_ns, near))
		return FROM_START;
	return s->open_ns <= later(f->end_ns, near) && !p->by_port ? OPENED_LATER : 0;
}

static bool is_better(const struct pick *p, const struct process_socket *s, int rank)
{
	if (rank != p->rank)
		return rank > p->rank;
	if (rank & OPENED_LATER)
		return s->open_ns < p->best.open_ns;
	if (rank & CLOSED_BEFORE)
		return s->close_ns > p->best.close_ns;
	return s->open_ns > p->best.open_ns;
}

static bool is_in_question(const struct pick *p, const struct process_socket *s)
{
	return s->netns == 0 ? !p->foreign : !p->by_port && !p->own_only;
}

void pick_offer(struct pick *p, const struct process_socket *s, bool mapped)
{
	int rank = rank_in_time(p, s);

	if (rank == 0 || !is_in_question(p, s))
		return;
	rank |= (s->netns == 0 ? OWN : 0) | (mapped ? 0 : NATIVE);
	if (p->rank != 0 && !((rank | p->rank) & OWN) && s->netns != p->best.netns)
		p->ambiguous = true;
	if (p->rank != 0 && !is_better(p, s, rank))
		return;
	p->best = *s;
	p->rank = rank;
}

struct process_match pick_match(const struct pick *p)
{
	struct process_match m = { .slot = p->best.process,
		.generation = p->best.process_generation,
		.confidence = (uint8_t)p->best.confidence };

	if (p->rank == 0 || (p->ambiguous && !(p->rank & OWN)))
		return (struct process_match){ 0 };
	if ((p->by_port || p->foreign || (p->rank & CLOSED_BEFORE)) && m.confidence > PROCESS_GUESS)
		m.confidence = PROCESS_GUESS;
	return m;
}
