/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * due.h - flows that are to leave, in their order: by the moment, then by the flow's first packet.
 *
 * They are added in any order, then sealed, then taken.  Each of these takes a bounded number of
 * steps, and few when they come nearly in order.
 */
#pragma once

#include "base/slab.h"

struct due {
	int64_t leaves_ns;
	uint64_t number; /* of the first packet */
	uint32_t flow;   /* whose turn it is: a number of the table's */
};

struct due_queue {
	struct slab runs;         /* stretches of flows in order */
	struct slab groups;       /* of the heap of those stretches' first flows; */
	struct due first;         /* its top */
	uint32_t heads;           /* how many are in it */
	uint32_t filling, filled; /* the stretch being made, and the one before it; or SLAB_NONE */
};

/* For 'capacity' flows; false when there are not the addresses for them. */
bool due_init(struct due_queue *q, uint32_t capacity);
void due_destroy(struct due_queue *q);

/* Of an empty one, which then takes no memory. */
void due_renew(struct due_queue *q);

/* False: no memory.  Not between due_seal() and the last due_take(). */
bool due_add(struct due_queue *q, const struct due *d);

/* All have been added. */
void due_seal(struct due_queue *q);

/* The next one; false: that was the last. */
bool due_take(struct due_queue *q, struct due *d);

static inline size_t due_memory(const struct due_queue *q)
{
	return slab_memory(&q->runs) + slab_memory(&q->groups);
}
