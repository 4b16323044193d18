/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prefix.c - subnets in order, flattened into ranges; prefix_index.c finds an address among these.
 *
 * Sorted by address, then length, an outer subnet stands before those inside it.  One sweep over
 * them gives each its outer one, and the places where another subnet becomes the longest.
 */
#include "host/prefix.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "host/prefix_index.h"

struct item {
	struct prefix_key first;
	uint32_t value;
	uint32_t outer;
	uint8_t version, length;
};

struct prefix_table {
	struct item *items;
	size_t count, room;
	struct prefix_ranges ranges; /* while it is built */
	struct prefix_index4 *index4;
	struct prefix_index6 *index6;
};

struct prefix_table *prefix_new(void)
{
	return calloc(1, sizeof(struct prefix_table));
}

void prefix_free(struct prefix_table *t)
{
	if (t == NULL)
		return;
	free(t->items);
	free(t->ranges.items);
	prefix_index4_free(t->index4);
	prefix_index6_free(t->index6);
	free(t);
}

/* --- addresses as numbers ---------------------------------------------------------------- */

static uint64_t load(const uint8_t *bytes, unsigned count)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < count; i++)
		v = v << 8 | bytes[i];
	return v;
}

static struct prefix_key key_of(uint8_t version, const uint8_t *bytes)
{
	if (version == 4)
		return (struct prefix_key){ load(bytes, 4) << 32, 0 };
	return (struct prefix_key){ load(bytes, 8), load(bytes + 8, 8) };
}

/* --- building ---------------------------------------------------------------------------- */

static bool grow(struct prefix_table *t)
{
	size_t room = t->room == 0 ? 1024 : 2 * t->room;
	struct item *more = reallocarray(t->items, room, sizeof *more);

	if (more == NULL)
		return false;
	t->items = more;
	t->room = room;
	return true;
}

bool prefix_add(struct prefix_table *t, const struct prefix *p, struct err *e)
{
	struct prefix_key k = key_of(p->version, p->bytes), mask = prefix_mask(p->length);

	if (t->count == LIMIT_LIST_ENTRIES)
		return err_set(e, "more than %d subnets", LIMIT_LIST_ENTRIES);
	if (t->count == t->room && !grow(t))
		return err_set(e, "no memory for %zu subnets", t->count + 1);
	t->items[t->count++] = (struct item){
		{ k.high & mask.high, k.low & mask.low },
		p->value,
		PREFIX_NONE,
		p->version,
		p->length,
	};
	return true;
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int by = order(a->version, b->version);

	if (by == 0)
		by = order(a->first.high, b->first.high);
	if (by == 0)
		by = order(a->first.low, b->first.low);
	if (by == 0)
		by = order(a->length, b->length);
	return by != 0 ? by : order(a->value, b->value);
}

static void drop_duplicates(struct prefix_table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++)
		if (kept == 0 || compare(&t->items[kept - 1], &t->items[i]) != 0)
			t->items[kept++] = t->items[i];
	t->count = kept;
}

/* From 'at' on the longest subnet is 'number'; it begins there, or (length 0) goes on. */
static bool add_range(
		struct prefix_ranges *r, struct prefix_key at, uint32_t number, uint8_t length)
{
	if (r->count > 0 && prefix_key_equal(r->items[r->count - 1].from, at))
		r->count--;
	if (r->count == r->room) {
		size_t room = r->room == 0 ? 1024 : 2 * r->room;
		struct prefix_range *more = reallocarray(r->items, room, sizeof *more);

		if (more == NULL)
			return false;
		r->items = more;
		r->room = room;
	}
	r->items[r->count++] = (struct prefix_range){ at, number, length };
	return true;
}

/* The address behind a subnet; 0 when there is none. */
static struct prefix_key behind(const struct item *p)
{
	if (p->version == 6)
		return prefix_behind6(p->first, p->length);
	/* minus the mask is the size */
	return (struct prefix_key){ p->first.high - prefix_mask(p->length).high, 0 };
}

/* Leaves the subnets that end at or before 'until' (NULL: all); behind each its outer one goes on.
 */
static bool leave(struct prefix_table *t, const struct prefix_key *until, uint32_t *open)
{
	const struct prefix_key end = { 0, 0 };

	while (*open != PREFIX_NONE) {
		struct prefix_key next = behind(&t->items[*open]);

		if (until != NULL && (prefix_key_equal(next, end) || prefix_key_less(*until, next)))
			return true;
		*open = t->items[*open].outer;
		if (!prefix_key_equal(next, end) && !add_range(&t->ranges, next, *open, 0))
			return false;
	}
	return true;
}

/* The ranges of items[first] to before items[to], all of one version. */
static bool sweep(struct prefix_table *t, size_t first, size_t to)
{
	uint32_t open = PREFIX_NONE;

	t->ranges.count = 0;
	if (!add_range(&t->ranges, (struct prefix_key){ 0, 0 }, PREFIX_NONE, 0))
		return false;
	for (size_t i = first; i < to; i++) {
		if (!leave(t, &t->items[i].first, &open))
			return false;
		t->items[i].outer = open;
		open = (uint32_t)i;
		if (!add_range(&t->ranges, t->items[i].first, open, t->items[i].length))
			return false;
	}
	return leave(t, NULL, &open);
}

bool prefix_build(struct prefix_table *t, struct err *e)
{
	size_t v4 = 0;
	bool good = true;

	if (t->count > 0)
		qsort(t->items, t->count, sizeof *t->items, compare);
	drop_duplicates(t);
	while (v4 < t->count && t->items[v4].version == 4)
		v4++;
	if (v4 > 0)
		good = sweep(t, 0, v4) && (t->index4 = prefix_index4_new(&t->ranges)) != NULL;
	if (good && v4 < t->count)
		good = sweep(t, v4, t->count) &&
		       (t->index6 = prefix_index6_new(&t->ranges)) != NULL;
	free(t->ranges.items);
	t->ranges = (struct prefix_ranges){ 0 };
	return good || err_set(e, "no memory for %zu subnets", t->count);
}

/* --- asking ------------------------------------------------------------------------------ */

uint32_t prefix_find(const struct prefix_table *t, uint8_t version, const uint8_t *address)
{
	struct prefix_key k = key_of(version, address);

	if (version == 4)
		return t->index4 == NULL ? PREFIX_NONE
					 : prefix_index4_find(t->index4, (uint32_t)(k.high >> 32));
	return t->index6 == NULL ? PREFIX_NONE : prefix_index6_find(t->index6, k);
}

uint32_t prefix_outer(const struct prefix_table *t, uint32_t number)
{
	return t->items[number].outer;
}

struct prefix prefix_at(const struct prefix_table *t, uint32_t number)
{
	const struct item *from = &t->items[number];
	struct prefix p = {
		.version = from->version, .length = from->length, .value = from->value
	};

	for (unsigned i = 0; i < 8; i++) {
		p.bytes[i] = (uint8_t)(from->first.high >> (56 - 8 * i));
		p.bytes[8 + i] = (uint8_t)(from->first.low >> (56 - 8 * i));
	}
	return p;
}

uint32_t prefix_value(const struct prefix_table *t, uint32_t number)
{
	return t->items[number].value;
}

size_t prefix_count(const struct prefix_table *t)
{
	return t->count;
}

size_t prefix_memory(const struct prefix_table *t)
{
	size_t bytes = sizeof *t + t->room * sizeof *t->items;

	if (t->index4 != NULL)
		bytes += prefix_index4_memory(t->index4);
	if (t->index6 != NULL)
		bytes += prefix_index6_memory(t->index6);
	return bytes;
}
