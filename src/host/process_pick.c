/* SPDX-License-Identifier: BSD-3-Clause */
/* process_pick.c - ranks the sockets that may have had a flow. */
#include "host/process_pick.h"

enum { OWN = 16, IN_TIME = 8, SOON_AFTER = 4, SHORTLY_BEFORE = 2, NATIVE = 1 };

#define CLOSE_NS (INT64_C(5) * 1000 * 1000)                /* clocks of packets and sockets */
#define AROUND_NS (INT64_C(60) * 1000 * 1000 * 1000)       /* handshakes, last retransmissions */

/* Ends do not overflow: a time is far from the ends of its range unless it is one of them. */
static int64_t later(int64_t ns, int64_t by)
{
	return ns > INT64_MAX - by ? INT64_MAX : ns + by;
}

static int rank_in_time(const struct pick *p, const struct process_socket *s)
{
	const int64_t near = p->slack_ns + CLOSE_NS;

	if (s->open_ns <= later(p->start_ns, near) && later(s->close_ns, near) >= p->start_ns)
		return IN_TIME;
	if (p->by_port)
		return 0;
	if (s->open_ns > p->start_ns && s->open_ns <= later(p->start_ns, near + AROUND_NS))
		return SOON_AFTER;
	if (s->close_ns < p->start_ns && later(s->close_ns, near + AROUND_NS) >= p->start_ns)
		return SHORTLY_BEFORE;
	return 0;
}

static bool is_better(const struct pick *p, const struct process_socket *s, int rank)
{
	if (rank != p->rank)
		return rank > p->rank;
	if (rank & SOON_AFTER)
		return s->open_ns < p->best.open_ns;
	if (rank & SHORTLY_BEFORE)
		return s->close_ns > p->best.close_ns;
	return s->open_ns > p->best.open_ns;
}

void pick_offer(struct pick *p, const struct process_socket *s, bool mapped)
{
	int rank = rank_in_time(p, s);

	if (rank == 0 || ((p->by_port || p->own_only) && s->netns != 0))
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
	if (p->by_port && m.confidence > PROCESS_GUESS)
		m.confidence = PROCESS_GUESS;
	return m;
}
