/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wheel.h - a hierarchical timer wheel over the objects of a slab.
 *
 * Four levels of 256 slots; a slot of the lowest is 2^24 ns (17 ms).  An object whose deadline
 * moves later is simply given the new deadline: when its old slot comes up it is put where it
 * now belongs.  A deadline that moves earlier needs wheel_move().
 *
 * Objects leave slot by slot; within a slot the owner sorts them by deadline, so the order in which
 * objects leave depends on their deadlines alone and not on when the wheel was turned.  It turns in
 * steps of a block at most, so nobody waits for a slot that holds many; objects may be added and
 * removed between two steps.
 *
 * A slot is a list of blocks with the numbers of its objects, so that walking it touches few
 * lines, and the objects can be fetched ahead.
 */
#pragma once

#include "base/slab.h"

enum { WHEEL_LEVELS = 4, WHEEL_SLOTS = 256, WHEEL_TICK_SHIFT = 24, WHEEL_SLOT_SHIFT = 8 };

enum {
	WHEEL_BLOCK = 13,   /* numbers in a block */
	WHEEL_PASSED = 256, /* empty slots that a step passes, at most */
};

struct wheel_item {
	int64_t deadline_ns;
	uint32_t block; /* where its number stands */
	uint32_t place; /* in it */
};

/* One cache line. */
struct wheel_block {
	uint32_t prev, next; /* blocks of the slot; SLAB_NONE at the ends */
	uint16_t slot;
	uint8_t used; /* places; those behind are free */
	uint8_t live; /* of them; the others were removed and hold SLAB_NONE */
	uint32_t number[WHEEL_BLOCK];
};

struct wheel {
	const struct slab *slab;
	size_t offset; /* of struct wheel_item in an object */
	int64_t tick;  /* the slot of the lowest level not yet fired: time >> WHEEL_TICK_SHIFT */
	uint32_t count;
	uint32_t level; /* whose present slot is being handed down; 0: none */
	uint32_t left;  /* objects that may be in it still */
	bool fires;     /* the lowest slot is being dealt out */
	uint32_t in_level[WHEEL_LEVELS];
	uint32_t first[WHEEL_LEVELS * WHEEL_SLOTS], last[WHEEL_LEVELS * WHEEL_SLOTS]; /* blocks */
	struct slab blocks;
};

/* Objects that have come out. */
struct wheel_out {
	uint32_t count;
	uint32_t number[WHEEL_BLOCK];
};

/* For as many objects as the slab has capacity for.  False when their blocks cannot be reserved. */
bool wheel_init(struct wheel *w, const struct slab *slab, size_t offset, int64_t now_ns);
void wheel_destroy(struct wheel *w);

/* Only an empty wheel may be set to another time. */
void wheel_start(struct wheel *w, int64_t now_ns);

/* Of an empty wheel, which then takes no memory. */
void wheel_renew(struct wheel *w);

void wheel_add(struct wheel *w, uint32_t number);
void wheel_remove(struct wheel *w, uint32_t number);

static inline void wheel_move(struct wheel *w, uint32_t number)
{
	wheel_remove(w, number);
	wheel_add(w, number);
}

enum wheel_turned {
	WHEEL_RESTS, /* nothing is left to do before that moment */
	WHEEL_TURNS,
	WHEEL_FIRED, /* all that is due of a lowest slot has come out by now */
};

/*
 * A step towards 'now_ns': deals out one block of a slot, or passes empty slots.  Due objects of a
 * lowest slot that lies wholly before 'now_ns' come out, unsorted; none of the slot behind it
 * before WHEEL_FIRED.
 */
enum wheel_turned wheel_turn(struct wheel *w, int64_t now_ns, struct wheel_out *out);

/* A block of any objects comes out; false: there are none.  *slot is 0 at first, then left alone.
 */
bool wheel_empty(struct wheel *w, uint32_t *slot, struct wheel_out *out);

/* The first moment at which wheel_turn() would have work. */
static inline int64_t wheel_due(const struct wheel *w)
{
	return w->level > 0 ? INT64_MIN : (w->tick + 1) << WHEEL_TICK_SHIFT;
}

/*
 * Takes the object that would leave first, give or take a slot's order; SLAB_NONE when empty. Looks
 * at *tries objects at most whose deadline has moved meanwhile, and counts them down; then any must
 * do.
 */
uint32_t wheel_soonest(struct wheel *w, uint32_t *tries);

static inline size_t wheel_memory(const struct wheel *w)
{
	return slab_memory(&w->blocks);
}
