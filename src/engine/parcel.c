/* SPDX-License-Identifier: BSD-3-Clause */
/* parcel.c - parcels, and bytes that must outlive the front's. */
#include "engine/parcel.h"

#include <stdlib.h>

enum { EXTRA = 64 << 10 };

struct parcel_bytes {
	struct parcel_bytes *next;
	size_t left;
	uint8_t *at;
};

struct parcel *parcel_new(void)
{
	struct parcel *b = aligned_alloc(64, (sizeof *b + 63) / 64 * 64);

	if (b != NULL) {
		b->next = NULL;
		b->extra = NULL;
		parcel_clear(b);
	}
	return b;
}

static void free_extra(struct parcel *b)
{
	while (b->extra != NULL) {
		struct parcel_bytes *next = b->extra->next;

		free(b->extra);
		b->extra = next;
	}
}

void parcel_free(struct parcel *b)
{
	while (b != NULL) {
		struct parcel *next = b->next;

		free_extra(b);
		free(b);
		b = next;
	}
}

void parcel_clear(struct parcel *b)
{
	free_extra(b);
	b->next = NULL;
	b->room = NULL;
	b->last = false;
	b->count = b->used = 0;
}

static uint8_t *extra(struct parcel *b, size_t size)
{
	struct parcel_bytes *x = b->extra;

	if (x == NULL || x->left < size) {
		const size_t room = size > EXTRA ? size : EXTRA;

		x = malloc(sizeof *x + room);
		if (x == NULL)
			return NULL;
		*x = (struct parcel_bytes){ b->extra, room, (uint8_t *)(x + 1) };
		b->extra = x;
	}
	x->at += size;
	x->left -= size;
	return x->at - size;
}

static bool keep(struct parcel *b, const uint8_t **p, size_t size)
{
	uint8_t *to = *p == NULL ? NULL : extra(b, size);

	if (to != NULL)
		memcpy(to, *p, size);
	const bool good = to != NULL || *p == NULL;

	*p = to;
	return good;
}

static bool keep_rd(struct parcel *b, struct rd *r)
{
	if (keep(b, &r->p, r->left))
		return true;
	r->left = 0;
	return false;
}

/* Each by itself: only fragments come here. */
bool parcel_keep(struct parcel *b, struct pkt *pkt)
{
	bool good = keep_rd(b, &pkt->ip) & keep_rd(b, &pkt->body) & keep_rd(b, &pkt->payload) &
		    keep_rd(b, &pkt->tcp_options);

	for (unsigned i = 0; i < pkt->layer_count; i++)
		good &= keep(b, &pkt->layer[i].addresses, pkt->layer[i].ip_version == 4 ? 8 : 32);
	return good;
}
