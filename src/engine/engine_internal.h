/* SPDX-License-Identifier: BSD-3-Clause */
/* engine_internal.h - the engine's struct, for engine.c, present.c and stats.c alone. */
#pragma once

#include "engine/calls.h"
#include "engine/clock.h"
#include "engine/emit.h"
#include "engine/engine.h"
#include "flow/table.h"
#include "net/decode.h"

enum {
	BATCH = 32,
	UNKNOWN_LINKS = 64, /* different link types named in the log */
	INNER_BYTES = 65536,
};

struct engine {
	struct decode_rules rules;
	struct calls calls;
	struct table *table;
	struct frag_table *frag;
	struct clock clock;
	struct arena scratch;
	struct emit emit;
	unsigned nested;
	int64_t table_due_ns;     /* when the table next has to let flows go */
	int64_t fragments_due_ns; /* when the first held datagram is given up */
	int64_t lost_ns;          /* the clock when the sensor last lost packets; or INT64_MIN */
	uint8_t *inner;           /* fragments found inside datagrams */

	uint64_t *ethertypes; /* packets by type; NULL before the first */
	uint16_t unknown_link[UNKNOWN_LINKS];
	size_t unknown_links;
	struct engine_stats stats;
	uint64_t number, number_step; /* of the packet before, and from it to the next */

	struct team *team; /* who takes packets in place of the table; NULL: the table does */

	size_t batched;
	struct pkt batch[BATCH];
	struct table_ticket ticket[BATCH];
};

/* What an engine is made of. */
struct engine_part {
	const struct conf *conf;
	const struct registry *registry;
	struct sink *sink; /* or a lane, or neither */
	struct lane *lane;
	uint64_t seed; /* of the hash; 0: drawn */
};
struct engine *engine_make(const struct engine_part *part, struct err *e);

/* --- for workers of a team: packets that another engine has decoded, in batches ----------------
 */

enum { ENGINE_AHEAD = 32 }; /* packets before their turn: their place in the index is fetched */

static inline bool engine_is_icmp(const struct pkt *pkt)
{
	return pkt->proto == PROTO_ICMP || pkt->proto == PROTO_ICMPV6;
}

/* Fetches what packet 'i' of a batch, and those soon behind it, will need. */
void engine_fetch_index(const struct engine *en, const struct table_ticket *ticket);
void engine_fetch(struct engine *en, struct table_ticket *ticket, size_t i, size_t count);

/* A packet of a flow; an ICMP error that may quote one of this engine's. */
void engine_take(struct engine *en, struct pkt *pkt, const struct table_ticket *ticket);

/* A packet that is no such error. */
void engine_packet(struct engine *en, struct pkt *pkt, const struct table_ticket *ticket);

/* Whether the flow that an ICMP error quotes, by its ticket, is alive; then the error is counted.
 */
bool engine_quoted(struct engine *en, const struct pkt *pkt, const struct table_ticket *quoted);

/* The time is 'clock_ns'. */
void engine_reach(struct engine *en, int64_t clock_ns);

/* All flows leave. */
void engine_end(struct engine *en, int64_t clock_ns);

/* Whether records could be written: the reason. */
bool engine_well(const struct engine *en, struct err *e);

/* Works off what is batched, and lets go of fragments that wait in vain. */
void engine_flush(struct engine *en);
void engine_expire_fragments(struct engine *en, int64_t clock_ns);
