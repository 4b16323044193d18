/* SPDX-License-Identifier: BSD-3-Clause */
/* emit.h - from a leaving flow to its record or records. */
#pragma once

#include "engine/calls.h"
#include "sink/lanes.h"

struct emit {
	const struct calls *calls;
	struct pen *pen;     /* NULL: there is a lane, or records are only counted */
	struct lane *lane;   /* NULL: there is a pen */
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

/* 'sink' or 'lane' may be NULL, or both. */
bool emit_init(struct emit *m, const struct calls *calls, struct sink *sink, struct lane *lane,
		struct pool *pool, struct arena *scratch, struct err *e);
void emit_destroy(struct emit *m);

/* Writes the flow's records: one, or with bidir=0 one for each direction that sent something. */
void emit_flow(struct emit *m, struct flow *f);
