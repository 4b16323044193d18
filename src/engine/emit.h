/* SPDX-License-Identifier: BSD-3-Clause */
/* emit.h - from a leaving flow to its record or records. */
#pragma once

#include "engine/calls.h"
#include "sink/lanes.h"
#include "sink/turns.h"

/* Where records go: one of these, or none. */
struct emit_to {
	struct sink *sink;
	struct lane *lane;
	struct turn *turn;
};

struct emit {
	const struct calls *calls;
	struct emit_to to;   /* what of it there is; none: records are only counted */
	struct pen *pen;     /* to the sink */
	struct lane_key key; /* of the flow that leaves, set by the caller */
	bool timed;          /* the pen wants to know the time of records */
	struct arena *scratch;
	struct pool *pool;
	char *outs; /* room for every enabled feature's output struct */
	size_t outs_size;
	char *out[REGISTRY_MAX]; /* where each lies */
	const void **data;       /* one pointer per table */
	uint64_t records;
	bool failed;
	struct err err;
};

bool emit_init(struct emit *m, const struct calls *calls, const struct emit_to *to,
		struct pool *pool, struct arena *scratch, struct err *e);
void emit_destroy(struct emit *m);

/* Writes the flow's records: one, or with bidir=0 one for each direction that sent something. */
void emit_flow(struct emit *m, struct flow *f);
