/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wheel.h - a hierarchical timer wheel over the objects of a slab.
 *
 * Four levels of 256 slots; a slot of the lowest is 2^24 ns (17 ms).  An object whose deadline
 * moves later is simply given the new deadline: when its old slot comes up it is put where it
 * now belongs.  A deadline that moves earlier needs wheel_move().
 *
 * Objects leave slot by slot; within a slot the owner sorts them by deadline, so the order in which
 * objects leave depends on their deadlines alone and not on when the wheel was turned.
 */
#pragma once

#include "base/slab.h"

struct wheel_item {
	int64_t deadline_ns;
	uint32_t next, prev; /* numbers in the slab; SLAB_NONE at the ends */
	uint32_t slot;       /* level * 256 + slot */
};

enum { WHEEL_LEVELS = 4, WHEEL_SLOTS = 256, WHEEL_TICK_SHIFT = 24, WHEEL_SLOT_SHIFT = 8 };

struct wheel {
	const struct slab *slab;
	size_t offset; /* of struct wheel_item in an object */
	int64_t tick;  /* the slot of the lowest level not yet fired: time >> WHEEL_TICK_SHIFT */
	uint32_t count;
	uint32_t first[WHEEL_LEVELS * WHEEL_SLOTS], last[WHEEL_LEVELS * WHEEL_SLOTS];
	uint32_t in_level[WHEEL_LEVELS];
};

void wheel_init(struct wheel *w, const struct slab *slab, size_t offset, int64_t now_ns);

/* Only an empty wheel may be set to another time. */
void wheel_start(struct wheel *w, int64_t now_ns);

void wheel_add(struct wheel *w, uint32_t number);
void wheel_remove(struct wheel *w, uint32_t number);

static inline void wheel_move(struct wheel *w, uint32_t number)
{
	wheel_remove(w, number);
	wheel_add(w, number);
}

/*
 * Turns the wheel by at most one lowest slot that has objects and lies wholly before 'now_ns'.  The
 * due objects of that slot come out unlinked, as a list through 'next' with SLAB_NONE at its end
 * (unsorted); *count says how many.  SLAB_NONE with *more false: nothing is left before 'now_ns'.
 */
uint32_t wheel_turn(struct wheel *w, int64_t now_ns, uint32_t *count, bool *more);

/* The first moment at which wheel_turn() would have work. */
static inline int64_t wheel_due(const struct wheel *w)
{
	return (w->tick + 1) << WHEEL_TICK_SHIFT;
}

/* Unlinks the object that would leave first, give or take a slot's order; SLAB_NONE when empty. */
uint32_t wheel_soonest(struct wheel *w);
