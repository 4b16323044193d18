/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frag_late.c - a table with one place for each value of a few bits of the key: a datagram
 * remembered makes the one before it in its place forgotten.
 */
#include "net/frag_late.h"

#include <xxhash.h>

enum {
	PLACES = 256,
	PRINTS = 64,     /* fragments of a datagram that is worth remembering */
	FIRST_MAX = 2048 /* bytes of the first fragment kept */
};

#define LATE_NS INT64_C(1000000000) /* copies come soon, and identifications come again */

struct late {
	uint64_t key;
	int64_t clock_ns;
	uint32_t count;       /* of prints; 0: the place is free */
	uint32_t header_size; /* of 'first', then the body */
	uint32_t first_size;
	uint64_t prints[PRINTS];
	uint8_t first[FIRST_MAX];
};

struct late_table {
	struct late *places[PLACES];
	size_t used;
};

struct late_table *late_new(void)
{
	return calloc(1, sizeof(struct late_table));
}

void late_free(struct late_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < PLACES; i++)
		free(t->places[i]);
	free(t);
}

/* Offset, more, and the bytes; not the header, in which routers change the hop count. */
static uint64_t print_of(const struct pkt *fragment)
{
	uint64_t seed = (uint64_t)fragment->fragment_offset << 1 | fragment->fragment_more;

	return XXH3_64bits_withSeed(fragment->body.p, fragment->body.left, seed);
}

static struct late *place_for(struct late_table *t, uint64_t key)
{
	struct late **place = &t->places[key % PLACES];

	if (*place == NULL) {
		*place = malloc(sizeof(**place));
		t->used += *place != NULL;
	}
	return *place;
}

static size_t keep(struct late *late, size_t at, struct rd r)
{
	r = rd_first(r, FIRST_MAX - at);
	if (r.left > 0)
		memcpy(late->first + at, r.p, r.left);
	return at + r.left;
}

void late_remember(
		struct late_table *t, uint64_t key, int64_t clock_ns, const struct frag_datagram *d)
{
	struct late *late = d->count <= PRINTS ? place_for(t, key) : NULL;

	if (late == NULL)
		return;
	late->key = key;
	late->clock_ns = clock_ns;
	late->count = (uint32_t)d->count;
	for (size_t i = 0; i < d->count; i++)
		late->prints[i] = print_of(&d->fragments[i]);
	late->header_size = (uint32_t)keep(late, 0, d->header);
	late->first_size = (uint32_t)keep(late, late->header_size, d->whole);
}

bool late_find(const struct late_table *t, uint64_t key, const struct pkt *fragment,
		struct frag_datagram *d)
{
	const struct late *late = t->places[key % PLACES];

	uint64_t age = late == NULL ? 0 : (uint64_t)fragment->clock_ns - (uint64_t)late->clock_ns;

	if (late == NULL || late->key != key || age > LATE_NS)
		return false;
	uint64_t print = print_of(fragment);
	for (uint32_t i = 0; i < late->count; i++) {
		if (late->prints[i] != print)
			continue;
		d->header = (struct rd){ late->first, late->header_size };
		d->whole = (struct rd){ late->first + late->header_size,
			late->first_size - late->header_size };
		return true;
	}
	return false;
}

size_t late_memory(const struct late_table *t)
{
	return sizeof(*t) + t->used * sizeof(struct late);
}
