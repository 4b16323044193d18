/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * index.h - from a flow key to the flow's number: open addressing in buckets of one cache line.
 *
 * A bucket holds twelve entries, each a one-byte tag of the hash and the number of a flow.
 * A full bucket sends newcomers to the next one and remembers how many passed on, so that a search
 * knows when to stop and nothing needs tombstones.
 *
 * It grows without a pause: newcomers go into four times as many buckets, and the entries of the
 * old ones are moved bucket by bucket, as index_step() is called; meanwhile both are searched.
 */
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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
	bool small_pages; /* for who cannot wait for large ones to be filled with zeros */
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

/* Forgets all entries at once. */
void index_clear(struct index *x);

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

static inline uint8_t index_tag(uint32_t hash)
{
	return (uint8_t)hash == 0 ? 1 : (uint8_t)hash;
}

/* A bit for each entry of the bucket whose tag is 'tag'. */
static inline unsigned index_matches(const struct index_bucket *b, uint8_t tag)
{
#ifdef __SSE2__
	const __m128i tags = _mm_load_si128((const __m128i *)(const void *)b->tag);

	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag))) & 0xfff;
#else
	unsigned found = 0;

	for (unsigned i = 0; i < INDEX_ENTRIES; i++)
		found |= (unsigned)(b->tag[i] == tag) << i;
	return found;
#endif
}

static inline uint32_t index_guess_in(const struct index_array *a, uint32_t hash)
{
	const struct index_bucket *b = index_home(a, hash);
	const unsigned m = index_matches(b, index_tag(hash));

	return m == 0 ? SLAB_NONE : b->number[__builtin_ctz(m)];
}

/* First flow whose tag matches, for prefetching; SLAB_NONE without. */
static inline uint32_t index_guess(const struct index *x, uint32_t hash)
{
	uint32_t number = index_guess_in(&x->now, hash);

	if (number == SLAB_NONE && __builtin_expect(index_grows(x), false))
		number = index_guess_in(&x->old, hash);
	return number;
}
