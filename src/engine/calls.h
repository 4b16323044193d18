/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * calls.h - which enabled feature gets which packet.
 *
 * At start-up one list per kind of packet is built from what the features want, so a disabled
 * feature costs nothing.  Behind each flow lie one or two views (bidir=1: one): a set of
 * bits for features that have seen enough, then their states.  Features that can wait have
 * states only when a flow outgrows its journal (feature/journal.h).
 */
#pragma once

#include <string.h>

#include "feature/registry.h"
#include "flow/table.h"

enum { CALL_KINDS = 16 }; /* combinations of WANT_PACKET, WANT_DATA, WANT_TCP, WANT_ICMP */

enum { FETCH_MAX = 32 };

struct call {
	enum verdict (*update)(void *state, const struct feature_env *env, struct flow *flow,
			const struct pkt *pkt);
	size_t offset; /* of the state in a view, or among the states of those that wait */
	uint32_t bit;
	bool later;
	struct feature_env env;
	const struct feature *feature;
	uint64_t stream_bytes;
	size_t reads; /* place of the feature that it reads; its own when it reads none */
};

/* Bits of calls, by kind of packet. */
struct call_lists {
	uint32_t of[CALL_KINDS];
};

struct calls {
	struct call call[REGISTRY_MAX];
	size_t count;
	struct call_lists now, later;
	uint8_t stream[REGISTRY_MAX];
	size_t stream_count;
	uint32_t stream_bits;
	uint8_t leaving[REGISTRY_MAX]; /* those with a leave() */
	size_t leaving_count;
	uint16_t fetch[FETCH_MAX]; /* places of pointers in the (first) view to fetch ahead */
	size_t fetch_count;
	uint8_t fetching[REGISTRY_MAX]; /* those with a fetch() */
	size_t fetching_count;
	uint8_t whole[REGISTRY_MAX]; /* those with a record() */
	size_t whole_count;
	const struct field *tables[REGISTRY_MAX];
	unsigned views;      /* per flow: 1, or 2 with bidir=0 */
	size_t view_size;    /* 0 when no enabled feature keeps state or looks at packets */
	size_t later_size;   /* of the states of those that wait; 0: nobody does */
	uint32_t later_bits; /* their bits */
	struct calls_journal *journal; /* for the record of a flow that did not outgrow its own */
};

void calls_build(struct calls *c, const struct registry *r, struct pool *pool,
		struct arena *scratch);

/* Makes the memory of this worker, behind the last calls_build(); false without memory.
 * What was made stays until calls_free_workers(), which a zeroed struct survives too. */
bool calls_make_workers(struct calls *c, struct err *e);
void calls_free_workers(struct calls *c);
size_t calls_worker_memory(const struct calls *c);

/* feature_env.file from now on; 'file' must live as long as it is that. */
void calls_set_file(struct calls *c, const char *file);

/* Bytes behind each struct flow. */
static inline size_t calls_state_size(const struct calls *c)
{
	return c->view_size * c->views;
}

/* calls_packet() when there is a view. */
void calls_view_packet(const struct calls *c, struct flow *f, struct pkt *pkt, struct pool *pool);

/* Shows a counted packet to every feature that wants it. */
static inline void calls_packet(
		const struct calls *c, struct flow *f, struct pkt *pkt, struct pool *pool)
{
	if (c->view_size > 0)
		calls_view_packet(c, f, pkt, pool);
}

/* What the flow's states point to is fetched ahead of calls_packet() or calls_finish(). */
static inline void calls_fetch(const struct calls *c, const struct flow *f)
{
	const char *states = (const char *)flow_states((struct flow *)(uintptr_t)f);

	for (size_t i = 0; i < c->fetch_count; i++) {
		const char *to;

		memcpy(&to, states + c->fetch[i], sizeof to);
		__builtin_prefetch(to, 1);
	}
}

/* The flow will leave soon: as feature.h says of fetch(). */
void calls_fetch_whole(const struct calls *c, const struct flow *f, bool near);

/* The state of call 'i' in the view of side 'out'; NULL when it waits or memory ran out. */
void *calls_state(const struct calls *c, const struct flow *f, size_t i, unsigned out);

/* Fills 'out', zeroed before, from what call 'i' knows; false: nothing to say. */
bool calls_finish(const struct calls *c, size_t i, const struct flow_view *view, void *out);

/* calls_finish() of each call 'i' to outs[i]; data[i] is that, or NULL when it has nothing to say.
 */
void calls_finish_all(const struct calls *c, const struct flow_view *view, const void **data,
		char *const *outs);

/*
 * Behind calls_finish_all(): those that look at the whole record.
 */
void calls_record(const struct calls *c, const struct flow_view *view, const void **data,
		char *const *outs);

/* The flow's records are written: states give back what is the worker's. */
void calls_leave(const struct calls *c, struct flow *f);
