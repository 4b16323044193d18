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
	for (unsigned i = 0; i < WHEEL_LEVELS * WHEEL_SLOTS; i++)
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
 * Takes the first block of a slot: objects not due at 'tick' are put where they belong now, behind
 * the others if that is this very slot; those due come out.
 */
static void deal_out(struct wheel *w, uint32_t slot, int64_t tick, struct wheel_out *out)
{
	const uint32_t block = w->first[slot];
	const struct wheel_block b = *block_at(w, block);

	drop_block(w, block);
	fetch_block(w, w->first[slot]);
	w->in_level[slot / WHEEL_SLOTS] -= b.live;
	w->count -= b.live;
	for (unsigned i = 0; i < b.used; i++) {
		const uint32_t number = b.number[i];

		if (number == SLAB_NONE)
			continue;
		if (item(w, number)->deadline_ns >> WHEEL_TICK_SHIFT > tick)
			wheel_add(w, number);
		else
			out->number[out->count++] = number;
	}
}

/* The slot of a level that the present tick lies in. */
static uint32_t slot_now(const struct wheel *w, uint32_t level)
{
	uint64_t at = (uint64_t)w->tick >> (WHEEL_SLOT_SHIFT * level);

	return level * WHEEL_SLOTS + (uint32_t)(at & (WHEEL_SLOTS - 1));
}

/* The levels from 'level' down are to hand down their present slots, highest first. */
static void begin_level(struct wheel *w, uint32_t level)
{
	while (level > 0 && w->in_level[level] == 0)
		level--;
	w->level = level;
	w->left = w->in_level[level];
	if (level > 0)
		fetch_block(w, w->first[slot_now(w, level)]);
}

/* A block of it; false: there was none. */
static bool hand_down(struct wheel *w)
{
	const uint32_t slot = slot_now(w, w->level);
	struct wheel_out none = { 0 };

	if (w->first[slot] == SLAB_NONE || w->left == 0) {
		begin_level(w, w->level - 1);
		return false;
	}

	const uint32_t live = block_at(w, w->first[slot])->live;

	w->left -= live < w->left ? live : w->left;
	deal_out(w, slot, INT64_MIN, &none);
	return true;
}

/* Steps over empty stretches: to the next slot, or where a level above has to hand down. */
static void step(struct wheel *w, int64_t limit)
{
	uint32_t level = 0, top = 0;

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
	while (top < WHEEL_LEVELS - 1 &&
			((uint64_t)w->tick & ((1ULL << (WHEEL_SLOT_SHIFT * (top + 1))) - 1)) == 0)
		top++;
	begin_level(w, top);
	fetch_block(w, w->first[slot_now(w, 0)]);
}

enum wheel_turned wheel_turn(struct wheel *w, int64_t now_ns, struct wheel_out *out)
{
	const int64_t limit = now_ns >> WHEEL_TICK_SHIFT;

	out->count = 0;
	for (unsigned passed = 0; passed < WHEEL_PASSED; passed++) {
		if (w->level > 0 && hand_down(w))
			return WHEEL_TURNS;
		if (w->level > 0)
			continue;
		if (w->tick >= limit)
			return WHEEL_RESTS;

		const uint32_t slot = slot_now(w, 0);

		if (w->first[slot] != SLAB_NONE) {
			deal_out(w, slot, w->tick, out);
			w->fires = true;
			if (w->first[slot] != SLAB_NONE)
				return WHEEL_TURNS;
		}
		if (w->fires) {
			w->fires = false;
			return WHEEL_FIRED;
		}
		step(w, limit);
	}
	return WHEEL_TURNS;
}

bool wheel_empty(struct wheel *w, uint32_t *slot, struct wheel_out *out)
{
	out->count = 0;
	w->level = 0;
	w->fires = false;
	if (w->count == 0)
		return false;
	while (w->first[*slot] == SLAB_NONE)
		++*slot;
	deal_out(w, *slot, INT64_MAX, out);
	return true;
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

/*
 * The first object of a slot that belongs there, or would leave sooner still; others are put where
 * they belong now.
 */
static uint32_t first_of(struct wheel *w, uint32_t slot, uint32_t *tries)
{
	while (w->first[slot] != SLAB_NONE) {
		const uint32_t number = first_in(w, slot);
		const struct wheel_item *it = item(w, number);

		if (it->place == 0)
			fetch_block(w, block_at(w, it->block)->next);

		const uint32_t its = slot_for(w, it->deadline_ns >> WHEEL_TICK_SHIFT);

		wheel_remove(w, number);
		if (its == slot || its / WHEEL_SLOTS < slot / WHEEL_SLOTS || *tries == 0)
			return number;
		--*tries;
		wheel_add(w, number);
	}
	return SLAB_NONE;
}

static uint32_t first_of_level(struct wheel *w, uint32_t level, uint32_t *tries)
{
	const uint32_t at = slot_now(w, level);
	uint32_t number = SLAB_NONE;

	for (uint32_t i = 0; w->in_level[level] > 0 && i < WHEEL_SLOTS && number == SLAB_NONE; i++)
		number = first_of(w, level * WHEEL_SLOTS + (at + i) % WHEEL_SLOTS, tries);
	return number;
}

uint32_t wheel_soonest(struct wheel *w, uint32_t *tries)
{
	uint32_t number = SLAB_NONE;

	/* A second round only if an object's deadline moved earlier without wheel_move(). */
	for (unsigned round = 0; w->count > 0 && round < 2 && number == SLAB_NONE; round++)
		for (uint32_t level = 0; level < WHEEL_LEVELS && number == SLAB_NONE; level++)
			number = first_of_level(w, level, tries);
	return number;
}
