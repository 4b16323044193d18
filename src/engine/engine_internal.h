/* SPDX-License-Identifier: BSD-3-Clause */
/* engine_internal.h - the engine's struct, for engine.c, present.c and stats.c alone. */
#pragma once

#include "engine/calls.h"
#include "engine/clock.h"
#include "engine/emit.h"
#include "engine/engine.h"
#include "engine/portion.h"
#include "engine/share.h"
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
	const struct flow *soon; /* the last one that on_soon() was told of and that has not left */
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

	struct share share; /* among the engines of a team */

	size_t batched;
	struct pkt batch[BATCH];
	struct table_ticket ticket[BATCH];
};

/* What an engine is made of. */
struct engine_part {
	const struct conf *conf;
	const struct registry *registry;
	struct emit_to to;
	uint64_t seed; /* of the hash; 0: drawn */
	struct share share;
};
struct engine *engine_make(const struct engine_part *part, struct err *e);

/* As engine_feed(), for an engine of a team. */
bool engine_feed_portion(struct engine *en, const struct portion *b, struct err *e);

/* Behind what was fed: flows whose time has come leave, and the lane is told how far it is. */
void engine_reach(struct engine *en);

/* False: a sink has failed. */
static inline bool engine_well(const struct engine *en, struct err *e)
{
	return !en->emit.failed || err_set(e, "%s", en->emit.err.text);
}

/* Works off what is batched, and lets go of fragments that wait in vain. */
void engine_flush(struct engine *en);
void engine_expire_fragments(struct engine *en, int64_t clock_ns);
