/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.h - the flows of one worker: find or start, count, and let go in their order.
 *
 * A flow leaves at its deadline on the packet clock, not when somebody noticed, and flows are
 * handed to 'leave' in the order of (leaving time, number of first packet).  See doc/flows.md for
 * the rules of timeouts, parts, TCP close and budget.
 */
#pragma once

#include "base/err.h"
#include "flow/flow.h"

struct table;

struct table_conf {
	int64_t idle_ns, active_ns, linger_ns;
	bool vlan_key;
	bool live;         /* packets do not wait: no pauses, even if all takes longer */
	size_t memory;     /* budget in bytes for flows, index and pool */
	uint64_t seed;     /* of the hash; 0: the table draws one */
	size_t state_size; /* bytes of feature state behind each struct flow */
	/* A flow (with at least one packet) leaves; its memory is gone when this returns. */
	void (*leave)(void *ctx, struct flow *f);
	/* A flow will leave soon: what it points to may be fetched.  NULL: nothing is. */
	void (*soon)(void *ctx, const struct flow *f);
	void *ctx;
};

struct table_stats {
	uint64_t flows;     /* conversations started; parts are not counted */
	uint64_t parts;     /* parts begun behind the first */
	uint64_t evicted;   /* left for lack of resources */
	uint64_t refused;   /* packets for which there was no memory at all */
	uint64_t backwards; /* packets whose time was before the one before in their flow */
	uint64_t alive;     /* flows that have not left */
	size_t memory, memory_peak;
};

struct table *table_new(const struct table_conf *conf, struct err *e);
void table_free(struct table *t);
struct pool *table_pool(struct table *t);

/* What can be worked out before the packet's turn comes. */
struct table_ticket {
	struct flow_key key;
	uint32_t hash;
	uint32_t guess; /* of the flow's number, for table_packet() to try first; or SLAB_NONE */
	bool second;    /* the packet's source is the key's second endpoint */
};
void table_ticket(const struct table *t, const struct pkt *pkt, struct table_ticket *ticket);

/*
 * Fetches what table_packet() will touch for these tickets: first all lines of the index, then all
 * flows.  A processor that has to look for an address holds back what follows, even behind a
 * prefetch; in short loops it looks for several at once.
 */
void table_prefetch(const struct table *t, struct table_ticket *tickets, size_t count);

/*
 * The flow that a ticket was prefetched for, to fetch ahead what its states point to; it may have
 * been given back meanwhile, so nothing else is to be believed of it.  NULL: not known.
 */
const struct flow *table_guess(const struct table *t, const struct table_ticket *ticket);

/*
 * The clock says 'clock_ns': a few of the flows whose deadline lies wholly before it leave, more
 * than a packet starts, and in bounded time.  Before each packet.
 */
void table_advance(struct table *t, int64_t clock_ns);

/* The same when there is time for more, 'flows' at most.  False: all have left. */
bool table_catch_up(struct table *t, int64_t clock_ns, uint32_t flows);

/* No flow that leaves from now on leaves before that moment; INT64_MIN before table_advance(). */
int64_t table_passed(const struct table *t);

/* Before that moment table_advance() has nothing to do. */
int64_t table_due(const struct table *t);

/*
 * The flow of the packet, behind table_advance() to its clock; the flow now includes it in its
 * counters; sets pkt->dir, tcp_class and the times since.  NULL when there is no memory for a new
 * flow.
 */
struct flow *table_packet(struct table *t, struct pkt *pkt, const struct table_ticket *ticket);

/* The live flow of a ticket, unchanged, at 'clock_ns'; NULL when there is none, or none with a
 * packet. */
struct flow *table_peek(struct table *t, const struct table_ticket *ticket, int64_t clock_ns);

/* Shows every flow that has not left. */
void table_each(const struct table *t, void (*each)(void *ctx, struct flow *f), void *ctx);

/* The end of the input: everything leaves. */
void table_finish(struct table *t, int64_t clock_ns);

/* Behind that: as if it were new, but for its counters; other packets may come, of any time. */
void table_renew(struct table *t);

const struct table_stats *table_stats(struct table *t);

/* The features' states of a flow. */
static inline void *flow_states(struct flow *f)
{
	return f + 1;
}
