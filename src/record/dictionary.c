/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dictionary.c - the words of a column, numbered in the order they came.
 *
 * All batches of a stream share it: a number means the same word in each.  Words are only added, so
 * an array that was handed on goes on pointing at the same memory; when that is full, the words
 * move to a larger one and the old stays until the last such array is released.
 */
#include "base/hash.h"
#include "base/limits.h"
#include "record/columns_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { WORDS = 64, BYTES = 1024 };

struct store {
	atomic_uint holders;
	uint32_t words_room, bytes_room;
	int32_t *offsets;
	char *bytes;
};

/* Words are told apart by 128 bits that nobody can foresee: that two have the same does not happen.
 */
struct slot {
	XXH128_hash_t hash;
	uint32_t word; /* its place + 1; 0: free */
};

struct dictionary {
	pthread_mutex_t lock;
	uint32_t number;
	struct store *store;
	uint32_t words, bytes;
	struct slot *slots;
	uint32_t slot_mask;
	uint64_t seed;
};

/* What an array holds. */
struct held {
	struct store *store;
	const void *buffers[3];
};

/* --- words --------------------------------------------------------------------------------------
 */

static void store_drop(struct store *s)
{
	if (s == NULL || atomic_fetch_sub(&s->holders, 1) > 1)
		return;
	free(s->offsets);
	free(s->bytes);
	free(s);
}

static struct store *store_new(uint32_t words, uint32_t bytes)
{
	struct store *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	atomic_init(&s->holders, 1);
	s->words_room = words;
	s->bytes_room = bytes;
	s->offsets = aligned_alloc(64, ((words + 1) * sizeof *s->offsets + 63) / 64 * 64);
	s->bytes = aligned_alloc(64, (bytes + 63) / 64 * 64);
	if (s->offsets == NULL || s->bytes == NULL) {
		store_drop(s);
		return NULL;
	}
	s->offsets[0] = 0;
	return s;
}

/* Room for one more word. */
static bool make_room(struct dictionary *d, size_t size)
{
	struct store *s = d->store, *larger;
	uint32_t words = s->words_room, bytes = s->bytes_room;

	if (size > LIMIT_DICTIONARY_BYTES - d->bytes)
		return false;
	while (words < d->words + 1)
		words *= 2;
	while (bytes < d->bytes + size)
		bytes *= 2;
	if (words == s->words_room && bytes == s->bytes_room)
		return true;
	larger = store_new(words, bytes);
	if (larger == NULL)
		return false;
	memcpy(larger->offsets, s->offsets, (d->words + 1) * sizeof *s->offsets);
	memcpy(larger->bytes, s->bytes, d->bytes);
	d->store = larger;
	store_drop(s);
	return true;
}

/* The slot that has a word, or that is free for it. */
static struct slot *slot_of(const struct dictionary *d, XXH128_hash_t hash)
{
	uint32_t i = (uint32_t)hash.low64 & d->slot_mask;

	while (d->slots[i].word != 0 && !XXH128_isEqual(d->slots[i].hash, hash))
		i = (i + 1) & d->slot_mask;
	return &d->slots[i];
}

/* Twice as many slots. */
static bool grow_slots(struct dictionary *d)
{
	const uint32_t before = d->slot_mask;
	struct slot *old = d->slots, *slots = calloc(2 * ((size_t)before + 1), sizeof *slots);

	if (slots == NULL)
		return false;
	d->slots = slots;
	d->slot_mask = 2 * before + 1;
	for (uint32_t i = 0; i <= before; i++) {
		if (old[i].word != 0)
			*slot_of(d, old[i].hash) = old[i];
	}
	free(old);
	return true;
}

static bool add(struct dictionary *d, XXH128_hash_t hash, const char *p, size_t size)
{
	if (!make_room(d, size) || (d->words > d->slot_mask / 2 && !grow_slots(d)))
		return false;
	if (size > 0)
		memcpy(d->store->bytes + d->bytes, p, size);
	d->bytes += (uint32_t)size;
	d->store->offsets[++d->words] = (int32_t)d->bytes;
	*slot_of(d, hash) = (struct slot){ hash, d->words };
	return true;
}

bool dictionary_find(struct dictionary *d, const char *p, size_t size, uint32_t *index)
{
	const XXH128_hash_t hash = XXH3_128bits_withSeed(p, size, d->seed);
	const struct slot *slot;
	bool done = true;

	pthread_mutex_lock(&d->lock);
	slot = slot_of(d, hash);
	if (slot->word != 0) {
		*index = slot->word - 1;
	} else {
		*index = d->words;
		done = add(d, hash, p, size);
	}
	pthread_mutex_unlock(&d->lock);
	return done;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

struct dictionary *dictionary_new(uint32_t number)
{
	struct dictionary *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	pthread_mutex_init(&d->lock, NULL);
	d->number = number;
	d->seed = hash_seed();
	d->store = store_new(WORDS, BYTES);
	d->slots = calloc(2 * WORDS, sizeof *d->slots);
	d->slot_mask = 2 * WORDS - 1;
	if (d->store != NULL && d->slots != NULL)
		return d;
	dictionary_free(d);
	return NULL;
}

void dictionary_free(struct dictionary *d)
{
	if (d == NULL)
		return;
	store_drop(d->store);
	free(d->slots);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

uint32_t dictionary_number(const struct dictionary *d)
{
	return d->number;
}

static void release(struct ArrowArray *array)
{
	struct held *held = array->private_data;

	store_drop(held->store);
	free(held);
	array->release = NULL;
}

bool dictionary_export(struct dictionary *d, struct ArrowArray *out)
{
	struct held *held = calloc(1, sizeof *held);

	if (held == NULL)
		return false;
	pthread_mutex_lock(&d->lock);
	held->store = d->store;
	atomic_fetch_add(&d->store->holders, 1);
	*out = (struct ArrowArray){ .length = d->words, .n_buffers = 3, .release = release };
	pthread_mutex_unlock(&d->lock);
	held->buffers[1] = held->store->offsets;
	held->buffers[2] = held->store->bytes;
	out->buffers = held->buffers;
	out->private_data = held;
	return true;
}
