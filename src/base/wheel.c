/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wheel.c - a hierarchical timer wheel with lazy deadlines.
 *
 * Level k holds deadlines whose tick differs from the present one first in its k-th byte.
 * When the lowest level has gone round, the next slot of the level above is spread over it.
 */
#include "base/wheel.h"

_Static_assert(sizeof(struct wheel_block) == 64, "a block is one cache line");

static struct wheel_item *item(const struct wheel *w, uint32_t number)
{
	return (struct wheel_item *)((char *)slab_at(w->slab, number) + w->offset);
}

static struct wheel_block *block_at(const struct wheel *w, uint32_t block)
{
	return slab_at(&w->blocks, block);
}

void wheel_start(struct wheel *w, int64_t now_ns)
{
	w->tick = now_ns >> WHEEL_TICK_SHIFT;
}

bool wheel_init(struct wheel *w, const struct slab *slab, size_t offset, int64_t now_ns)
{
	/* A block has at least one object in it. */
	uint32_t blocks = slab->capacity < SLAB_NONE - 1 ? slab->capacity + 1 : slab->capacity;

	*w = (struct wheel){ .slab = slab, .offset = offset };
	for (unsigned i = 0; i <= WHEEL_OUT; i++)
		w->first[i] = w->last[i] = SLAB_NONE;
	wheel_start(w, now_ns);
	return slab_init(&w->blocks, sizeof(struct wheel_block), blocks);
}

void wheel_renew(struct wheel *w)
{
	slab_renew(&w->blocks);
}

void wheel_destroy(struct wheel *w)
{
	slab_destroy(&w->blocks);
}

/* --- blocks of a slot ---------------------------------------------------------------------------
 */

/* An empty block behind the last. */
static struct wheel_block *append_block(struct wheel *w, uint32_t slot)
{
	uint32_t block = slab_take(&w->blocks);
	struct wheel_block *b = block_at(w, block);

	*b = (struct wheel_block){
		.prev = w->last[slot], .next = SLAB_NONE, .slot = (uint16_t)slot
	};
	if (b->prev != SLAB_NONE)
		block_at(w, b->prev)->next = block;
	else
		w->first[slot] = block;
	w->last[slot] = block;
	return b;
}

static void drop_block(struct wheel *w, uint32_t block)
{
	struct wheel_block *b = block_at(w, block);

	if (b->prev != SLAB_NONE)
		block_at(w, b->prev)->next = b->next;
	else
		w->first[b->slot] = b->next;
	if (b->next != SLAB_NONE)
		block_at(w, b->next)->prev = b->prev;
	else
		w->last[b->slot] = b->prev;
	slab_give(&w->blocks, block);
}

static void add_to_slot(struct wheel *w, uint32_t slot, uint32_t number)
{
	struct wheel_block *b = w->last[slot] == SLAB_NONE ? NULL : block_at(w, w->last[slot]);
	struct wheel_item *it = item(w, number);

	if (b == NULL || b->used == WHEEL_BLOCK)
		b = append_block(w, slot);
	it->block = w->last[slot];
	it->place = b->used;
	b->number[b->used++] = number;
	b->live++;
	w->in_level[slot / WHEEL_SLOTS]++;
}

static void remove_from_slot(struct wheel *w, uint32_t number)
{
	const struct wheel_item *it = item(w, number);
	struct wheel_block *b = block_at(w, it->block);

	b->number[it->place] = SLAB_NONE;
	w->in_level[b->slot / WHEEL_SLOTS]--;
	if (--b->live == 0)
		drop_block(w, it->block);
}

/* The objects of a block will be needed. */
static void fetch_block(const struct wheel *w, uint32_t block)
{
	const struct wheel_block *b;

	if (block == SLAB_NONE)
		return;
	b = block_at(w, block);
	for (unsigned i = 0; i < b->used; i++)
		if (b->number[i] != SLAB_NONE)
			__builtin_prefetch(item(w, b->number[i]), 1);
}

/* --- slots --------------------------------------------------------------------------------------
 */

/* The slot for a tick: the highest byte in which it differs from now chooses the level. */
static uint32_t slot_for(const struct wheel *w, int64_t tick)
{
	uint64_t t = (uint64_t)(tick < w->tick ? w->tick : tick);
	uint64_t differs = t ^ (uint64_t)w->tick;
	uint32_t level = 0;

	while (level < WHEEL_LEVELS - 1 && differs >> (WHEEL_SLOT_SHIFT * (level + 1)) != 0)
		level++;
	/* Behind the next turn-over of the highest level: looked at again then, in its slot 0. */
	if (differs >> (WHEEL_SLOT_SHIFT * WHEEL_LEVELS) != 0)
		return level * WHEEL_SLOTS;
	return level * WHEEL_SLOTS +
	       (uint32_t)(t >> (WHEEL_SLOT_SHIFT * level) & (WHEEL_SLOTS - 1));
}

void wheel_add(struct wheel *w, uint32_t number)
{
	add_to_slot(w, slot_for(w, item(w, number)->deadline_ns >> WHEEL_TICK_SHIFT), number);
	w->count++;
}

void wheel_remove(struct wheel *w, uint32_t number)
{
	remove_from_slot(w, number);
	w->count--;
}

/*
 * Takes a slot's objects: those not due at 'tick' are put where they belong now, the others come
 * out.  Returns how many that are.
 */
static uint32_t deal_out(struct wheel *w, uint32_t slot, int64_t tick)
{
	uint32_t out = 0, block = w->first[slot], next;

	/* Take the whole list first: an object may belong into this very slot again. */
	w->first[slot] = w->last[slot] = SLAB_NONE;
	for (fetch_block(w, block); block != SLAB_NONE; block = next) {
		struct wheel_block b = *block_at(w, block);

		next = b.next;
		fetch_block(w, next);
		slab_give(&w->blocks, block);
		w->in_level[slot / WHEEL_SLOTS] -= b.live;
		for (unsigned i = 0; i < b.used; i++) {
			uint32_t number = b.number[i];

			if (number == SLAB_NONE)
				continue;
			w->count--;
			if (item(w, number)->deadline_ns >> WHEEL_TICK_SHIFT > tick) {
				wheel_add(w, number);
				continue;
			}
			add_to_slot(w, WHEEL_OUT, number);
			out++;
		}
	}
	return out;
}

/* The levels whose lower neighbour has just gone round hand down their present slot, highest first.
 */
static void cascade(struct wheel *w)
{
	uint32_t top = 0;

	while (top < WHEEL_LEVELS - 1 &&
			((uint64_t)w->tick & ((1ULL << (WHEEL_SLOT_SHIFT * (top + 1))) - 1)) == 0)
		top++;
	for (uint32_t level = top; level > 0; level--) {
		uint64_t at = (uint64_t)w->tick >> (WHEEL_SLOT_SHIFT * level);

		if (w->in_level[level] > 0)
			deal_out(w, level * WHEEL_SLOTS + (uint32_t)(at & (WHEEL_SLOTS - 1)),
					INT64_MIN);
	}
}

/* Steps over empty stretches: to the next slot, or where a level above has to hand down. */
static void step(struct wheel *w, int64_t limit)
{
	uint32_t level = 0;

	while (level < WHEEL_LEVELS - 1 && w->in_level[level] == 0)
		level++;

	uint64_t span = 1ULL << (WHEEL_SLOT_SHIFT * level);
	int64_t next = (int64_t)(((uint64_t)w->tick & ~(span - 1)) + span);

	if (w->count == 0 || next > limit) {
		w->tick = limit;
		/* No boundary of a level in use lies between, so there is nothing to hand down. */
		return;
	}
	w->tick = next;
	cascade(w);
}

uint32_t wheel_turn(struct wheel *w, int64_t now_ns)
{
	int64_t limit = now_ns >> WHEEL_TICK_SHIFT;

	while (w->tick < limit) {
		uint32_t slot = (uint32_t)((uint64_t)w->tick & (WHEEL_SLOTS - 1));
		uint32_t out = w->first[slot] == SLAB_NONE ? 0 : deal_out(w, slot, w->tick);

		if (out > 0)
			return out;
		step(w, limit);
	}
	return 0;
}

uint32_t wheel_empty(struct wheel *w)
{
	uint32_t out = 0;

	for (uint32_t slot = 0; w->count > 0 && slot < WHEEL_OUT; slot++)
		out += deal_out(w, slot, INT64_MAX);
	return out;
}

/* --- taking -------------------------------------------------------------------------------------
 */

/* The first object of a slot, which has one. */
static uint32_t first_in(const struct wheel *w, uint32_t slot)
{
	const struct wheel_block *b = block_at(w, w->first[slot]);
	unsigned i = 0;

	while (b->number[i] == SLAB_NONE)
		i++;
	return b->number[i];
}

uint32_t wheel_take(struct wheel *w)
{
	uint32_t number;

	if (w->first[WHEEL_OUT] == SLAB_NONE)
		return SLAB_NONE;
	number = first_in(w, WHEEL_OUT);
	remove_from_slot(w, number);
	return number;
}

/* The first object of a slot that belongs there; others are put where they belong now. */
static uint32_t first_of(struct wheel *w, uint32_t slot)
{
	while (w->first[slot] != SLAB_NONE) {
		uint32_t number = first_in(w, slot);
		int64_t tick = item(w, number)->deadline_ns >> WHEEL_TICK_SHIFT;
		bool stays = slot_for(w, tick) == slot;

		wheel_remove(w, number);
		if (stays)
			return number;
		wheel_add(w, number);
	}
	return SLAB_NONE;
}

static uint32_t first_of_level(struct wheel *w, uint32_t level)
{
	uint64_t at = (uint64_t)w->tick >> (WHEEL_SLOT_SHIFT * level);
	uint32_t number = SLAB_NONE;

	for (uint32_t i = 0; w->in_level[level] > 0 && i < WHEEL_SLOTS && number == SLAB_NONE; i++)
		number = first_of(
				w, level * WHEEL_SLOTS + (uint32_t)((at + i) & (WHEEL_SLOTS - 1)));
	return number;
}

uint32_t wheel_soonest(struct wheel *w)
{
	uint32_t number = SLAB_NONE;

	/* A second round only if an object's deadline moved earlier without wheel_move(). */
	for (unsigned round = 0; w->count > 0 && round < 2 && number == SLAB_NONE; round++)
		for (uint32_t level = 0; level < WHEEL_LEVELS && number == SLAB_NONE; level++)
			number = first_of_level(w, level);
	return number;
}
