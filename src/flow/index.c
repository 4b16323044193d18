/* SPDX-License-Identifier: BSD-3-Clause */
/* index.c - bucketed open addressing with tags, compared sixteen at a time where the machine can.
 */
#include "flow/index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "flow/key.h"

_Static_assert(sizeof(struct index_bucket) == 64, "a bucket is one cache line");

/* --- memory: zeros that cost nothing before they are touched, given back in pieces -------------
 */

enum {
	GROWTH = 4, /* times as many buckets: an entry is moved a third of a time on average */
	PIECE = 32 * 1024, /* buckets; a huge page of them */
	HUGE_PAGE = PIECE * 64,
};

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

static void array_clear(const struct index_array *a)
{
	memset(a->bucket, 0, ((size_t)a->mask + 1) * sizeof(struct index_bucket));
}

static void use_small_pages(const struct index_array *a)
{
	(void)a;
}

static void give_back(struct index_bucket *b, size_t buckets)
{
	(void)b;
	(void)buckets;
}

#else

/* Huge pages: every search is somewhere else, and would wait for the page's address too. */
static struct index_bucket *map_huge(size_t size)
{
	char *p = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	size_t before = (size_t)(-(uintptr_t)p & (HUGE_PAGE - 1));

	if (p == MAP_FAILED)
		return MAP_FAILED;
	if (before > 0)
		munmap(p, before);
	munmap(p + before + size, HUGE_PAGE - before);
	madvise(p + before, size, MADV_HUGEPAGE);
	return (struct index_bucket *)(void *)(p + before);
}

static bool array_new(struct index_array *a, uint32_t buckets)
{
	const size_t size = buckets * sizeof(struct index_bucket);
	struct index_bucket *b =
			buckets >= PIECE ? map_huge(size)
					 : mmap(NULL, size, PROT_READ | PROT_WRITE,
							   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

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

static void use_small_pages(const struct index_array *a)
{
	madvise(a->bucket, ((size_t)a->mask + 1) * sizeof(struct index_bucket), MADV_NOHUGEPAGE);
}

static void give_back(struct index_bucket *b, size_t buckets)
{
	madvise(b, buckets * sizeof *b, MADV_DONTNEED);
}

static void array_clear(const struct index_array *a)
{
	give_back(a->bucket, (size_t)a->mask + 1);
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
	small.small_pages = x->small_pages;
	index_destroy(x);
	*x = small;
}

void index_destroy(struct index *x)
{
	array_free(&x->now);
	array_free(&x->old);
	*x = (struct index){ 0 };
}

void index_clear(struct index *x)
{
	array_free(&x->old);
	array_clear(&x->now);
	x->count = 0;
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
	uint8_t tag = index_tag(hash);

	for (uint32_t n = 0; n <= a->mask; n++) {
		for (unsigned m = index_matches(b, tag); m != 0; m &= m - 1) {
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

static void add_to(struct index_array *a, uint32_t hash, uint32_t number)
{
	struct index_bucket *b = index_home(a, hash);
	unsigned room;

	while ((room = index_matches(b, 0)) == 0) {
		if (b->passed < INDEX_PASSED_MAX)
			b->passed++;
		b = behind(a, b);
	}

	unsigned i = (unsigned)__builtin_ctz(room);

	b->tag[i] = index_tag(hash);
	b->number[i] = number;
}

/* The entry in this bucket, or INDEX_ENTRIES. */
static unsigned entry_of(const struct index_bucket *b, uint8_t tag, uint32_t number)
{
	unsigned m = index_matches(b, tag);

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
		if ((*at = entry_of(b, index_tag(hash), number)) < INDEX_ENTRIES)
			return b;
		if (b->passed == 0)
			break;
		b = behind(a, b);
	}
	return NULL;
}

/* Frees entry 'at' of a bucket, of a flow of that hash. */
static inline void free_entry(
		const struct index_array *a, uint32_t hash, struct index_bucket *of, unsigned at)
{
	for (struct index_bucket *b = index_home(a, hash); b != of; b = behind(a, b))
		if (b->passed < INDEX_PASSED_MAX)
			b->passed--;
	of->tag[at] = 0;
}

static bool remove_from(struct index_array *a, uint32_t hash, uint32_t number)
{
	unsigned at;
	struct index_bucket *found = bucket_of(a, hash, number, &at);

	if (found != NULL)
		free_entry(a, hash, found, at);
	return found != NULL;
}

/* --- growing ------------------------------------------------------------------------------------
 */

bool index_grow(struct index *x)
{
	struct index_array larger;

	if (!array_new(&larger, GROWTH * (x->now.mask + 1)))
		return false;
	if (x->small_pages)
		use_small_pages(&larger);
	x->old = x->now;
	x->now = larger;
	x->moved = 0;
	return true;
}

/*
 * Entries lie cold: those of the bucket after the next are fetched.  Without the empty asm GCC
 * takes this for a function that does nothing, and leaves out the call.
 */
static inline void fetch_entries(const struct index *x, const struct slab *flows)
{
	__asm__ volatile("");

	const struct index_bucket *b = &x->old.bucket[(x->moved + 2) & x->old.mask];

	for (unsigned i = 0; i < INDEX_ENTRIES; i++)
		if (b->tag[i] != 0)
			__builtin_prefetch(
					&((const struct flow *)slab_at(flows, b->number[i]))->hash);
}

static void move_bucket(struct index *x, const struct slab *flows)
{
	struct index_bucket *b = &x->old.bucket[x->moved];

	fetch_entries(x, flows);
	for (unsigned i = 0; i < INDEX_ENTRIES; i++) {
		if (b->tag[i] == 0)
			continue;

		const uint32_t hash = ((const struct flow *)slab_at(flows, b->number[i]))->hash;

		add_to(&x->now, hash, b->number[i]);
		free_entry(&x->old, hash, b, i);
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
