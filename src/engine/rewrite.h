/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rewrite.h - records that are columns already go through what rewrites records (labels, lists,
 * anonymisation, merging of parts) and on to a sink.
 */
#pragma once

#include "engine/merge.h"
#include "record/from_arrow.h"
#include "sink/sink.h"

struct rewrite;

enum { REWRITE_FIELDS = 128 }; /* more than every record begins with */

struct rewrite_stats {
	uint64_t read;     /* rows */
	uint64_t left_out; /* of these: could not be rewritten */
	uint64_t records;  /* written */
	uint64_t damaged;  /* batches that were left out as a whole */
	struct merge_stats merge;
};

/* Tells what was found odd, in words. */
typedef void rewrite_say(void *ctx, const char *text);

/*
 * The tables that records are read by, and the features they are of: all that have some, in their
 * order.  'count' is how many.
 */
const struct field *const *rewrite_tables(size_t *count);

/* Settles the registry: on is what the columns have, and what options switch on; the tables of
 * registry->tables are those of what is there.  'base': room for one of them.  False: columns are
 * missing without which nothing can be rewritten, or an option is wrong. */
bool rewrite_settle(struct registry *r, const struct from_arrow *from,
		struct field base[static REWRITE_FIELDS], struct err *e);

/* 'registry' is settled, 'from' and 'sink' (NULL: none) stay the caller's. */
struct rewrite *rewrite_new(const struct registry *registry, struct from_arrow *from,
		struct sink *sink, rewrite_say *say, void *ctx, struct err *e);
void rewrite_free(struct rewrite *w);

/* All rows of a batch, which is not needed afterwards.  False: the sink failed. */
bool rewrite_batch(struct rewrite *w, const struct ArrowArray *batch, struct err *e);

/* What waits for other parts is written, and all is handed on. */
bool rewrite_finish(struct rewrite *w, struct err *e);

const struct rewrite_stats *rewrite_stats(struct rewrite *w);
