/* SPDX-License-Identifier: BSD-3-Clause */
/* index.c - bucketed open addressing with tags, compared sixteen at a time where the machine can.
 */
#include "flow/index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "flow/key.h"

_Static_assert(sizeof(struct index_bucket) == 64, "a bucket is one cache line");

static uint8_t tag_of(uint32_t hash)
{
	return (uint8_t)(hash & 0xff) == 0 ? 1 : (uint8_t)hash;
}

#ifdef __SSE2__
#include <emmintrin.h>

/* A bit for each entry whose tag is 'tag'. */
static unsigned matches(const struct index_bucket *b, uint8_t tag)
{
	__m128i tags = _mm_load_si128((const __m128i *)(const void *)b->tag);

	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag))) & 0xfff;
}
#else
static unsigned matches(const struct index_bucket *b, uint8_t tag)
{
	unsigned found = 0;

	for (unsigned i = 0; i < INDEX_ENTRIES; i++)
		found |= (unsigned)(b->tag[i] == tag) << i;
	return found;
}
#endif

/* --- memory: zeros that cost nothing before they are touched, given back in pieces -------------
 */

enum { PIECE = 1024 }; /* buckets; a whole number of pages */

#ifdef SLAB_MALLOC

static bool array_new(struct index_array *a, uint32_t buckets)
{
	const size_t size = buckets * sizeof(struct index_bucket);
	struct index_bucket *b = aligned_alloc(64, size);

	if (b == NULL)
		return false;
	memset(b, 0, size);
	*a = (struct index_array){ b, buckets - 1 };
	return true;
}

static void array_free(struct index_array *a)
{
	free(a->bucket);
	*a = (struct index_array){ 0 };
}

static void give_back(struct index_bucket *b, size_t buckets)
{
	(void)b;
	(void)buckets;
}

#else

static bool array_new(struct index_array *a, uint32_t buckets)
{
	const size_t size = buckets * sizeof(struct index_bucket);
	void *b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		return false;
	*a = (struct index_array){ b, buckets - 1 };
	return true;
}

static void array_free(struct index_array *a)
{
	if (a->bucket != NULL)
		munmap(a->bucket, ((size_t)a->mask + 1) * sizeof(struct index_bucket));
	*a = (struct index_array){ 0 };
}

static void give_back(struct index_bucket *b, size_t buckets)
{
	madvise(b, buckets * sizeof *b, MADV_DONTNEED);
}

#endif

bool index_init(struct index *x, uint32_t buckets)
{
	*x = (struct index){ 0 };
	return array_new(&x->now, buckets);
}

void index_renew(struct index *x, uint32_t buckets)
{
	struct index small;

	if ((x->now.mask + 1 == buckets && !index_grows(x)) || !index_init(&small, buckets))
		return; /* without memory it stays large */
	index_destroy(x);
	*x = small;
}

void index_destroy(struct index *x)
{
	array_free(&x->now);
	array_free(&x->old);
	*x = (struct index){ 0 };
}

/* --- one array ----------------------------------------------------------------------------------
 */

static inline struct index_bucket *behind(const struct index_array *a, const struct index_bucket *b)
{
	return &a->bucket[(size_t)(b - a->bucket + 1) & a->mask];
}

static inline uint32_t find_in(const struct index_array *a, const struct slab *flows, uint32_t hash,
		const struct flow_key *key)
{
	const struct index_bucket *b = index_home(a, hash);
	uint8_t tag = tag_of(hash);

	for (uint32_t n = 0; n <= a->mask; n++) {
		for (unsigned m = matches(b, tag); m != 0; m &= m - 1) {
			uint32_t number = b->number[__builtin_ctz(m)];
			const struct flow *f = slab_at(flows, number);

			if (f->hash == hash && key_equal(&f->key, key))
				return number;
		}
		if (b->passed == 0)
			break;
		b = behind(a, b);
	}
	return SLAB_NONE;
}

static inline uint32_t guess_in(const struct index_array *a, uint32_t hash)
{
	const struct index_bucket *b = index_home(a, hash);
	unsigned m = matches(b, tag_of(hash));

	return m == 0 ? SLAB_NONE : b->number[__builtin_ctz(m)];
}

static void add_to(struct index_array *a, uint32_t hash, uint32_t number)
{
	struct index_bucket *b = index_home(a, hash);
	unsigned room;

	while ((room = matches(b, 0)) == 0) {
		if (b->passed < INDEX_PASSED_MAX)
			b->passed++;
		b = behind(a, b);
	}

	unsigned i = (unsigned)__builtin_ctz(room);

	b->tag[i] = tag_of(hash);
	b->number[i] = number;
}

/* The entry in this bucket, or INDEX_ENTRIES. */
static unsigned entry_of(const struct index_bucket *b, uint8_t tag, uint32_t number)
{
	unsigned m = matches(b, tag);

	while (m != 0 && b->number[__builtin_ctz(m)] != number)
		m &= m - 1;
	return m == 0 ? (unsigned)INDEX_ENTRIES : (unsigned)__builtin_ctz(m);
}

/* The bucket that has the entry, and where; NULL: none has. */
static struct index_bucket *bucket_of(
		const struct index_array *a, uint32_t hash, uint32_t number, unsigned *at)
{
	struct index_bucket *b = index_home(a, hash);

	for (uint32_t n = 0; n <= a->mask; n++) {
		if ((*at = entry_of(b, tag_of(hash), number)) < INDEX_ENTRIES)
			return b;
		if (b->passed == 0)
			break;
		b = behind(a, b);
	}
	return NULL;
}

static bool remove_from(struct index_array *a, uint32_t hash, uint32_t number)
{
	unsigned at;
	struct index_bucket *found = bucket_of(a, hash, number, &at);

	if (found == NULL)
		return false;
	for (struct index_bucket *b = index_home(a, hash); b != found; b = behind(a, b))
		if (b->passed < INDEX_PASSED_MAX)
			b->passed--;
	found->tag[at] = 0;
	return true;
}

/* --- growing ------------------------------------------------------------------------------------
 */

bool index_grow(struct index *x)
{
	struct index_array larger;

	if (!array_new(&larger, 2 * (x->now.mask + 1)))
		return false;
	x->old = x->now;
	x->now = larger;
	x->moved = 0;
	return true;
}

/* Entries lie cold: those of the bucket after the next are fetched. */
static void fetch_entries(const struct index *x, const struct slab *flows)
{
	const struct index_bucket *b = &x->old.bucket[(x->moved + 2) & x->old.mask];

	for (unsigned i = 0; i < INDEX_ENTRIES; i++)
		if (b->tag[i] != 0)
			__builtin_prefetch(
					&((const struct flow *)slab_at(flows, b->number[i]))->hash);
}

static void move_bucket(struct index *x, const struct slab *flows)
{
	const struct index_bucket *b = &x->old.bucket[x->moved];

	fetch_entries(x, flows);
	for (unsigned i = 0; i < INDEX_ENTRIES; i++) {
		const uint32_t number = b->number[i];
		const struct flow *f = b->tag[i] == 0 ? NULL : slab_at(flows, number);

		if (f == NULL)
			continue;
		remove_from(&x->old, f->hash, number);
		add_to(&x->now, f->hash, number);
	}
	x->moved++;
	/* one piece later: searches may still begin there, for entries that passed on from it */
	if (x->moved % PIECE == 0 && x->moved >= 2 * PIECE)
		give_back(&x->old.bucket[x->moved - 2 * PIECE], PIECE);
}

void index_step(struct index *x, const struct slab *flows, uint32_t buckets)
{
	while (buckets-- > 0 && index_grows(x)) {
		move_bucket(x, flows);
		if (x->moved > x->old.mask)
			array_free(&x->old);
	}
}

/* --- both ---------------------------------------------------------------------------------------
 */

uint32_t index_find(const struct index *x, const struct slab *flows, uint32_t hash,
		const struct flow_key *key)
{
	uint32_t number = find_in(&x->now, flows, hash, key);

	if (number == SLAB_NONE && __builtin_expect(index_grows(x), false))
		number = find_in(&x->old, flows, hash, key);
	return number;
}

uint32_t index_guess(const struct index *x, uint32_t hash)
{
	uint32_t number = guess_in(&x->now, hash);

	if (number == SLAB_NONE && __builtin_expect(index_grows(x), false))
		number = guess_in(&x->old, hash);
	return number;
}

void index_add(struct index *x, uint32_t hash, uint32_t number)
{
	add_to(&x->now, hash, number);
	x->count++;
}

void index_remove(struct index *x, uint32_t hash, uint32_t number)
{
	if (!remove_from(&x->now, hash, number))
		remove_from(&x->old, hash, number);
	x->count--;
}

static void each_of(
		const struct index_array *a, void (*each)(void *ctx, uint32_t number), void *ctx)
{
	for (uint32_t b = 0; a->bucket != NULL && b <= a->mask; b++)
		for (unsigned i = 0; i < INDEX_ENTRIES; i++)
			if (a->bucket[b].tag[i] != 0)
				each(ctx, a->bucket[b].number[i]);
}

void index_each(const struct index *x, void (*each)(void *ctx, uint32_t number), void *ctx)
{
	each_of(&x->old, each, ctx);
	each_of(&x->now, each, ctx);
}
