/* SPDX-License-Identifier: BSD-3-Clause */
/* index.c - bucketed open addressing with tags, compared sixteen at a time where the machine can.
 */
#include "flow/index.h"

#include <stdlib.h>
#include <string.h>

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

bool index_init(struct index *x, uint32_t buckets)
{
	size_t size = buckets * sizeof(struct index_bucket);
	struct index_bucket *b = aligned_alloc(64, size);

	if (b == NULL)
		return false;
	memset(b, 0, size);
	*x = (struct index){ .bucket = b, .mask = buckets - 1 };
	return true;
}

void index_destroy(struct index *x)
{
	free(x->bucket);
	*x = (struct index){ 0 };
}

uint32_t index_find(const struct index *x, const struct slab *flows, uint32_t hash,
		const struct flow_key *key)
{
	const struct index_bucket *b = index_home(x, hash);
	uint8_t tag = tag_of(hash);

	for (uint32_t n = 0; n <= x->mask; n++) {
		for (unsigned m = matches(b, tag); m != 0; m &= m - 1) {
			uint32_t number = b->number[__builtin_ctz(m)];
			const struct flow *f = slab_at(flows, number);

			if (f->hash == hash && key_equal(&f->key, key))
				return number;
		}
		if (b->passed == 0)
			break;
		b = &x->bucket[(size_t)(b - x->bucket + 1) & x->mask];
	}
	return SLAB_NONE;
}

uint32_t index_guess(const struct index *x, uint32_t hash)
{
	const struct index_bucket *b = index_home(x, hash);
	unsigned m = matches(b, tag_of(hash));

	return m == 0 ? SLAB_NONE : b->number[__builtin_ctz(m)];
}

void index_add(struct index *x, uint32_t hash, uint32_t number)
{
	struct index_bucket *b = index_home(x, hash);
	unsigned room;

	while ((room = matches(b, 0)) == 0) {
		if (b->passed < INDEX_PASSED_MAX)
			b->passed++;
		b = &x->bucket[(size_t)(b - x->bucket + 1) & x->mask];
	}

	unsigned i = (unsigned)__builtin_ctz(room);

	b->tag[i] = tag_of(hash);
	b->number[i] = number;
	x->count++;
}

/* The entry in this bucket, or INDEX_ENTRIES. */
static unsigned entry_of(const struct index_bucket *b, uint8_t tag, uint32_t number)
{
	unsigned m = matches(b, tag);

	while (m != 0 && b->number[__builtin_ctz(m)] != number)
		m &= m - 1;
	return m == 0 ? (unsigned)INDEX_ENTRIES : (unsigned)__builtin_ctz(m);
}

void index_remove(struct index *x, uint32_t hash, uint32_t number)
{
	struct index_bucket *b = index_home(x, hash);
	uint8_t tag = tag_of(hash);
	unsigned i;

	while ((i = entry_of(b, tag, number)) == INDEX_ENTRIES) {
		if (b->passed < INDEX_PASSED_MAX)
			b->passed--;
		b = &x->bucket[(size_t)(b - x->bucket + 1) & x->mask];
	}
	b->tag[i] = 0;
	x->count--;
}
