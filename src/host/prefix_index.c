/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prefix_index.c - ranges by address: for IPv4 a table of the upper half, for IPv6 a trie.
 *
 * IPv4: the upper 16 bits lead to a bucket of lower halves, two bytes each, which is searched by
 * halving.  A million addresses are some 30 a bucket: one cache line.
 *
 * IPv6: a node divides the span from its first range to its last into slots of equal size, a power
 * of two each, about one for every A_SLOT ranges.  A slot with few ranges is searched by halving,
 * when all its lines have been asked for; one with many has a node of its own, for the span of
 * these.  So bits in which all ranges agree cost nothing, and how deep it is follows from how
 * evenly they lie: a million addresses take two nodes.  A span at least halves from node to node,
 * so that there are at most 128 on any way.
 */
#include "host/prefix_index.h"

#include <stdlib.h>
#include <string.h>

/* --- IPv4 -------------------------------------------------------------------------------- */

enum { BUCKETS = 65536 };

struct prefix_index4 {
	uint32_t first[BUCKETS + 1]; /* place of each bucket in the two below */
	uint16_t *low;               /* lower half of where a range begins; the first is 0 */
	uint32_t *number;
	size_t room;
};

static void fill_buckets(struct prefix_index4 *x, const struct prefix_ranges *r)
{
	uint32_t count = 0;
	size_t next = 0;

	for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
		x->first[bucket] = count;
		/* the range that goes on from the bucket before */
		if (next == r->count || r->items[next].from.high != (uint64_t)bucket << 48) {
			x->low[count] = 0;
			x->number[count++] = r->items[next - 1].number;
		}
		while (next < r->count && r->items[next].from.high >> 48 == bucket) {
			x->low[count] = (uint16_t)(r->items[next].from.high >> 32);
			x->number[count++] = r->items[next++].number;
		}
	}
	x->first[BUCKETS] = count;
}

struct prefix_index4 *prefix_index4_new(const struct prefix_ranges *r)
{
	struct prefix_index4 *x = calloc(1, sizeof *x);

	if (x == NULL)
		return NULL;
	x->room = r->count + BUCKETS;
	x->low = calloc(x->room, sizeof *x->low);
	x->number = calloc(x->room, sizeof *x->number);
	if (x->low == NULL || x->number == NULL) {
		prefix_index4_free(x);
		return NULL;
	}
	fill_buckets(x, r);
	return x;
}

void prefix_index4_free(struct prefix_index4 *x)
{
	if (x == NULL)
		return;
	free(x->low);
	free(x->number);
	free(x);
}

uint32_t prefix_index4_find(const struct prefix_index4 *x, uint32_t address)
{
	uint32_t bucket = address >> 16, at = x->first[bucket], n = x->first[bucket + 1] - at;
	uint16_t low = (uint16_t)address;

	while (n > 1) {
		uint32_t half = n / 2;

		at += x->low[at + half] <= low ? half : 0;
		n -= half;
	}
	return x->number[at];
}

size_t prefix_index4_memory(const struct prefix_index4 *x)
{
	return sizeof *x + x->room * (sizeof *x->low + sizeof *x->number);
}

/* --- IPv6 -------------------------------------------------------------------------------- */

enum {
	A_SLOT = 8,   /* ranges, about: half as many to twice as many */
	IN_SLOT = 32, /* ranges at most */
	LINES = 4,    /* of the cache, that the usual ones take */
	SLOTS_MIN = 4,
};

struct node {
	struct prefix_key first; /* where its first range begins */
	uint32_t range;          /* the first range */
	uint32_t slot, slots;    /* its slots: the first, and how many */
	uint32_t shift;
};

struct prefix_index6 {
	struct prefix_range *ranges;
	size_t count;
	struct node *nodes;
	size_t node_count, node_room;
	/* the first range that does not begin before the slot; each node has one more, where its
	 * last slot ends */
	uint32_t *slots;
	uint32_t *below; /* of a slot with more than IN_SLOT ranges: its node */
	size_t slot_count, slot_room, below_room;
};

static struct prefix_key minus(struct prefix_key a, struct prefix_key b)
{
	return (struct prefix_key){ a.high - b.high - (a.low < b.low), a.low - b.low };
}

/* Saturates at UINT64_MAX. */
static uint64_t shifted(struct prefix_key k, unsigned shift)
{
	if (shift >= 64)
		return k.high >> (shift - 64);
	if (k.high >> shift != 0)
		return UINT64_MAX;
	return shift == 0 ? k.low : k.high << (64 - shift) | k.low >> shift;
}

/* The array with room for 'more' items, or NULL. */
static void *with_room(void *items, size_t *room, size_t count, size_t more, size_t size)
{
	size_t wanted = *room < 64 ? 64 : *room;
	void *moved;

	if (count + more <= *room)
		return items;
	if (count + more > UINT32_MAX)
		return NULL;
	while (wanted < count + more)
		wanted *= 2;
	moved = reallocarray(items, wanted, size);
	if (moved != NULL)
		*room = wanted;
	return moved;
}

static bool make_room(struct prefix_index6 *x, size_t slots)
{
	struct node *nodes = with_room(x->nodes, &x->node_room, x->node_count, 1, sizeof *x->nodes);
	uint32_t *more = with_room(x->slots, &x->slot_room, x->slot_count, slots, sizeof *x->slots);
	uint32_t *below =
			with_room(x->below, &x->below_room, x->slot_count, slots, sizeof *x->below);

	x->nodes = nodes != NULL ? nodes : x->nodes;
	x->slots = more != NULL ? more : x->slots;
	x->below = below != NULL ? below : x->below;
	return nodes != NULL && more != NULL && below != NULL;
}

/* Number of a new node without contents, or UINT32_MAX. */
static uint32_t add_node(struct prefix_index6 *x, size_t from, size_t to)
{
	struct prefix_key first = x->ranges[from].from, span = minus(x->ranges[to - 1].from, first);
	uint32_t slots = SLOTS_MIN, shift = 0;

	while (slots < (to - from) / A_SLOT)
		slots *= 2;
	while (shifted(span, shift) >= slots)
		shift++;
	if (!make_room(x, slots + 1))
		return UINT32_MAX;
	x->nodes[x->node_count] = (struct node){ first, (uint32_t)from, (uint32_t)x->slot_count,
		slots, shift };
	x->slot_count += slots + 1;
	return (uint32_t)x->node_count++;
}

/* Makes the node of the ranges from 'from' to before 'to', and those below it. */
static uint32_t build_node(struct prefix_index6 *x, size_t from, size_t to)
{
	uint32_t number = add_node(x, from, to);
	size_t at = from;

	if (number == UINT32_MAX)
		return UINT32_MAX;

	const struct node n = x->nodes[number]; /* the arrays may move */

	for (uint32_t s = 0; s < n.slots; s++) {
		size_t first = at;

		while (at < to && shifted(minus(x->ranges[at].from, n.first), n.shift) == s)
			at++;
		x->slots[n.slot + s] = (uint32_t)first;
		if (at - first <= IN_SLOT)
			continue;

		uint32_t below = build_node(x, first, at);

		if (below == UINT32_MAX)
			return UINT32_MAX;
		x->below[n.slot + s] = below;
	}
	x->slots[n.slot + n.slots] = (uint32_t)to;
	return number;
}

struct prefix_index6 *prefix_index6_new(const struct prefix_ranges *r)
{
	struct prefix_index6 *x = calloc(1, sizeof *x);

	if (x == NULL)
		return NULL;
	x->count = r->count;
	x->ranges = calloc(r->count, sizeof *x->ranges);
	if (x->ranges != NULL) {
		memcpy(x->ranges, r->items, r->count * sizeof *x->ranges);
		/* the range at :: is in no node, so that the first begins where subnets do */
		if (r->count == 1 || build_node(x, 1, r->count) != UINT32_MAX)
			return x;
	}
	prefix_index6_free(x);
	return NULL;
}

void prefix_index6_free(struct prefix_index6 *x)
{
	if (x == NULL)
		return;
	free(x->ranges);
	free(x->nodes);
	free(x->slots);
	free(x->below);
	free(x);
}

/* The last range that does not begin behind the address, of that before 'at' and the 'n' from there
 * on. */
static uint32_t halve(const struct prefix_index6 *x, uint32_t at, uint32_t n, struct prefix_key k)
{
	for (at--, n++; n > 1;) {
		uint32_t half = n / 2;

		at += prefix_key_less(k, x->ranges[at + half].from) ? 0 : half;
		n -= half;
	}
	return x->ranges[at].number;
}

uint32_t prefix_index6_find(const struct prefix_index6 *x, struct prefix_key k)
{
	const struct node *n = x->nodes;

	if (n == NULL)
		return x->ranges[0].number;
	for (;;) {
		if (prefix_key_less(k, n->first))
			return x->ranges[n->range - 1].number;

		uint64_t s = shifted(minus(k, n->first), n->shift);
		uint32_t slot = n->slot + (uint32_t)(s < n->slots ? s : n->slots - 1);
		uint32_t at = x->slots[slot], many = x->slots[slot + 1] - at;

		if (many <= IN_SLOT) {
			for (unsigned line = 0; line < LINES; line++)
				__builtin_prefetch((const char *)&x->ranges[at - 1] + 64 * line);
			return halve(x, at, many, k);
		}
		n = &x->nodes[x->below[slot]];
	}
}

size_t prefix_index6_memory(const struct prefix_index6 *x)
{
	return sizeof *x + x->count * sizeof *x->ranges + x->node_room * sizeof *x->nodes +
	       x->slot_room * sizeof *x->slots + x->below_room * sizeof *x->below;
}
