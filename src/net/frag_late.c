/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frag_late.c - the last datagrams that were whole, in a ring: a new one makes the oldest
 * forgotten, whatever their keys, which differ from run to run.
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
	struct late *next; /* older, in its bucket */
	int64_t clock_ns;
	uint32_t count;       /* of prints */
	uint32_t header_size; /* of 'first', then the body */
	uint32_t first_size;
	uint64_t prints[PRINTS];
	uint8_t first[FIRST_MAX];
};

struct late_table {
	struct late *places[PLACES]; /* filled one after the other, and again */
	struct late *buckets[PLACES];
	uint64_t remembered; /* so far */
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

void late_renew(struct late_table *t)
{
	if (t->remembered == 0)
		return;
	for (size_t i = 0; i < PLACES; i++)
		free(t->places[i]);
	*t = (struct late_table){ 0 };
}

/* Offset, more, and the bytes; not the header, in which routers change the hop count. */
static uint64_t print_of(const struct pkt *fragment)
{
	uint64_t seed = (uint64_t)fragment->fragment_offset << 1 | fragment->fragment_more;

	return XXH3_64bits_withSeed(fragment->body.p, fragment->body.left, seed);
}

static void take_out(struct late_table *t, const struct late *late)
{
	struct late **at = &t->buckets[late->key % PLACES];

	while (*at != late)
		at = &(*at)->next;
	*at = late->next;
}

/* The oldest's place, in the bucket of its new key. */
static struct late *place_for(struct late_table *t, uint64_t key)
{
	struct late **place = &t->places[t->remembered % PLACES];

	if (*place != NULL) {
		take_out(t, *place);
	} else {
		*place = malloc(sizeof(**place));
		if (*place == NULL)
			return NULL;
		t->used++;
	}
	t->remembered++;
	(*place)->key = key;
	(*place)->next = t->buckets[key % PLACES];
	return t->buckets[key % PLACES] = *place;
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
	late->clock_ns = clock_ns;
	late->count = (uint32_t)d->count;
	for (size_t i = 0; i < d->count; i++)
		late->prints[i] = print_of(&d->fragments[i]);
	late->header_size = (uint32_t)keep(late, 0, d->header);
	late->first_size = (uint32_t)keep(late, late->header_size, d->whole);
}

/* The newest with that key. */
static const struct late *newest(const struct late_table *t, uint64_t key)
{
	const struct late *late = t->buckets[key % PLACES];

	while (late != NULL && late->key != key)
		late = late->next;
	return late;
}

bool late_find(const struct late_table *t, uint64_t key, const struct pkt *fragment,
		struct frag_datagram *d)
{
	const struct late *late = newest(t, key);
	uint64_t age = late == NULL ? 0 : (uint64_t)fragment->clock_ns - (uint64_t)late->clock_ns;

	if (late == NULL || age > LATE_NS)
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
