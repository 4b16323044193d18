/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * index.h - from a flow key to the flow's number: open addressing in buckets of one cache line.
 *
 * A bucket holds twelve entries, each a one-byte tag of the hash and the number of a flow.
 * A full bucket sends newcomers to the next one and remembers how many passed on, so that a search
 * knows when to stop and nothing needs tombstones.
 */
#pragma once

#include "base/slab.h"
#include "flow/flow.h"

enum { INDEX_ENTRIES = 12, INDEX_PASSED_MAX = 255 };

struct index_bucket {
	uint8_t tag[INDEX_ENTRIES]; /* 0: free */
	uint8_t passed;             /* entries that found it full; sticks at INDEX_PASSED_MAX */
	uint8_t pad[3];
	uint32_t number[INDEX_ENTRIES];
};

struct index {
	struct index_bucket *bucket;
	uint32_t mask; /* buckets - 1 */
	uint32_t count;
};

bool index_init(struct index *x, uint32_t buckets);
void index_destroy(struct index *x);

/* The number of the flow with that key, or SLAB_NONE. */
uint32_t index_find(const struct index *x, const struct slab *flows, uint32_t hash,
		const struct flow_key *key);

void index_add(struct index *x, uint32_t hash, uint32_t number);
void index_remove(struct index *x, uint32_t hash, uint32_t number);

/* True when it should be made larger before more is added. */
static inline bool index_full(const struct index *x)
{
	return x->count >= (uint64_t)(x->mask + 1) * INDEX_ENTRIES * 3 / 4;
}

static inline size_t index_memory(const struct index *x)
{
	return ((size_t)x->mask + 1) * sizeof *x->bucket;
}

static inline struct index_bucket *index_home(const struct index *x, uint32_t hash)
{
	return &x->bucket[(hash >> 8) & x->mask];
}

/* First flow whose tag matches, for prefetching; SLAB_NONE without. */
uint32_t index_guess(const struct index *x, uint32_t hash);
