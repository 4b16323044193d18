/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * index.h - from a flow key to the flow's number: open addressing in buckets of one cache line.
 *
 * A bucket holds twelve entries, each a one-byte tag of the hash and the number of a flow.
 * A full bucket sends newcomers to the next one and remembers how many passed on, so that a search
 * knows when to stop and nothing needs tombstones.
 *
 * It grows without a pause: newcomers go into buckets twice as many, and the entries of the old
 * ones are moved bucket by bucket, as index_step() is called; meanwhile both are searched.
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

struct index_array {
	struct index_bucket *bucket; /* NULL: there are none */
	uint32_t mask;               /* buckets - 1 */
};

struct index {
	struct index_array now, old; /* old: none but while it grows */
	uint32_t moved;              /* buckets of the old ones that are empty now */
	uint32_t count;
};

bool index_init(struct index *x, uint32_t buckets);
void index_destroy(struct index *x);

/* Of an empty one: as many buckets again as it was made with. */
void index_renew(struct index *x, uint32_t buckets);

/* The number of the flow with that key, or SLAB_NONE. */
uint32_t index_find(const struct index *x, const struct slab *flows, uint32_t hash,
		const struct flow_key *key);

void index_add(struct index *x, uint32_t hash, uint32_t number);
void index_remove(struct index *x, uint32_t hash, uint32_t number);

/* True when it should be made larger before more is added. */
static inline bool index_full(const struct index *x)
{
	return x->count >= (uint64_t)(x->now.mask + 1) * INDEX_ENTRIES * 3 / 4;
}

/* Begins to grow; false without memory, and all is as before.  Not while it grows. */
bool index_grow(struct index *x);

static inline bool index_grows(const struct index *x)
{
	return x->old.bucket != NULL;
}

/*
 * Moves the entries of at most 'buckets' old buckets.  With one for each entry that is added it is
 * done long before the new ones are full.
 */
void index_step(struct index *x, const struct slab *flows, uint32_t buckets);

static inline size_t index_memory(const struct index *x)
{
	const size_t old = index_grows(x) ? (size_t)x->old.mask + 1 - x->moved : 0;

	return ((size_t)x->now.mask + 1 + old) * sizeof(struct index_bucket);
}

/* Calls for every entry. */
void index_each(const struct index *x, void (*each)(void *ctx, uint32_t number), void *ctx);

static inline struct index_bucket *index_home(const struct index_array *a, uint32_t hash)
{
	return &a->bucket[(hash >> 8) & a->mask];
}

/* Fetches what index_find() will look at first. */
static inline void index_prefetch(const struct index *x, uint32_t hash)
{
	__builtin_prefetch(index_home(&x->now, hash));
	if (__builtin_expect(index_grows(x), false))
		__builtin_prefetch(index_home(&x->old, hash));
}

/* First flow whose tag matches, for prefetching; SLAB_NONE without. */
uint32_t index_guess(const struct index *x, uint32_t hash);
