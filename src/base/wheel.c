/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wheel.c - a hierarchical timer wheel with lazy deadlines.
 *
 * Level k holds deadlines whose tick differs from the present one first in its k-th byte.
 * When the lowest level has gone round, the next slot of the level above is spread over it.
 */
#include "base/wheel.h"

static struct wheel_item *item(const struct wheel *w, uint32_t number)
{
	return (struct wheel_item *)((char *)slab_at(w->slab, number) + w->offset);
}

void wheel_start(struct wheel *w, int64_t now_ns)
{
	w->tick = now_ns >> WHEEL_TICK_SHIFT;
}

void wheel_init(struct wheel *w, const struct slab *slab, size_t offset, int64_t now_ns)
{
	*w = (struct wheel){ .slab = slab, .offset = offset };
	for (unsigned i = 0; i < WHEEL_LEVELS * WHEEL_SLOTS; i++)
		w->first[i] = w->last[i] = SLAB_NONE;
	wheel_start(w, now_ns);
}

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
	struct wheel_item *it = item(w, number);
	uint32_t slot = slot_for(w, it->deadline_ns >> WHEEL_TICK_SHIFT);

	it->slot = slot;
	it->next = SLAB_NONE;
	it->prev = w->last[slot];
	if (it->prev != SLAB_NONE)
		item(w, it->prev)->next = number;
	else
		w->first[slot] = number;
	w->last[slot] = number;
	w->in_level[slot / WHEEL_SLOTS]++;
	w->count++;
}

void wheel_remove(struct wheel *w, uint32_t number)
{
	struct wheel_item *it = item(w, number);

	if (it->prev != SLAB_NONE)
		item(w, it->prev)->next = it->next;
	else
		w->first[it->slot] = it->next;
	if (it->next != SLAB_NONE)
		item(w, it->next)->prev = it->prev;
	else
		w->last[it->slot] = it->prev;
	w->in_level[it->slot / WHEEL_SLOTS]--;
	w->count--;
}

/* Puts every object of a slot where it belongs now. */
static void spread(struct wheel *w, uint32_t slot)
{
	uint32_t number = w->first[slot], next;

	/* Take the whole list first: an object may belong into this very slot again. */
	w->first[slot] = w->last[slot] = SLAB_NONE;
	for (; number != SLAB_NONE; number = next) {
		next = item(w, number)->next;
		w->in_level[slot / WHEEL_SLOTS]--;
		w->count--;
		wheel_add(w, number);
	}
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
			spread(w, level * WHEEL_SLOTS + (uint32_t)(at & (WHEEL_SLOTS - 1)));
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

/* Splits the lowest slot's list: due ones come out, others go where they belong. */
static uint32_t fire(struct wheel *w, uint32_t slot, uint32_t *count)
{
	uint32_t due = SLAB_NONE, number = w->first[slot], next;

	w->first[slot] = w->last[slot] = SLAB_NONE;
	for (; number != SLAB_NONE; number = next) {
		struct wheel_item *it = item(w, number);

		next = it->next;
		w->in_level[0]--;
		w->count--;
		if (it->deadline_ns >> WHEEL_TICK_SHIFT > w->tick) {
			wheel_add(w, number);
			continue;
		}
		it->next = due;
		due = number;
		(*count)++;
	}
	return due;
}

uint32_t wheel_turn(struct wheel *w, int64_t now_ns, uint32_t *count, bool *more)
{
	int64_t limit = now_ns >> WHEEL_TICK_SHIFT;

	*count = 0;
	while (w->tick < limit) {
		uint32_t slot = (uint32_t)((uint64_t)w->tick & (WHEEL_SLOTS - 1));
		uint32_t due = w->first[slot] == SLAB_NONE ? SLAB_NONE : fire(w, slot, count);

		if (due != SLAB_NONE) {
			*more = true;
			return due;
		}
		step(w, limit);
	}
	*more = false;
	return SLAB_NONE;
}

/* The first object of a slot that belongs there; others are put where they belong now. */
static uint32_t first_of(struct wheel *w, uint32_t slot)
{
	uint32_t number;

	while ((number = w->first[slot]) != SLAB_NONE) {
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
