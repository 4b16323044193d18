/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * merge.h - records of the parts of split flows wait for each other and become one.
 *
 * A part with end_reason 2 waits for the next one: the same flow_id, addresses, protocol and ports,
 * the next number, and no time before the end of what there is.  (Other runs may have used the same
 * flow_id, so anything else ends the waiting.)  What waits longest leaves first when memory is
 * short.  A record that is not part of more passes through.
 */
#pragma once

#include "base/err.h"
#include "feature/registry.h"

struct merge;

struct merge_stats {
	uint64_t parts;  /* that went into merged records */
	uint64_t merged; /* these records */
	uint64_t alone;  /* written without some parts: these never came, or did not fit */
	uint64_t early;  /* of these: for lack of memory */
};

struct merge_conf {
	const struct registry *registry; /* settled; its features' structs are what a record is */
	uint64_t memory;                 /* most that waiting records take */
	bool both;                       /* records are of both directions */
	/* A record is whole. data[] is changed by who gets it, but not kept.  False ends all. */
	bool (*write)(void *ctx, const void **data);
	void *ctx;
};

struct merge *merge_new(const struct merge_conf *conf, struct err *e);
void merge_free(struct merge *m);

/* A record in the order of the input, which begins with a struct base_out.  False: write() said
 * so. */
bool merge_take(struct merge *m, const void **data);

/* No more will come: what waits is written, in the order in which it came. */
bool merge_finish(struct merge *m);

const struct merge_stats *merge_stats(const struct merge *m);
