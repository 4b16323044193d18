/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trail.h - a list of numbers in a flow's arena, each in as few bytes as it needs.
 *
 * Lists of packets are most of what a flow keeps.  A number takes one byte for each 7 bits
 * (LEB128), signed ones are folded so that small magnitudes stay small, and features write
 * differences.  A trail starts as { 0 }.  Only what this program wrote is read back, so reading
 * checks nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "feature/feature.h"

enum { TRAIL_NUMBER = 10 }; /* bytes of the largest number */

struct trail {
	uint8_t *p;
	uint32_t size, room;
};

/* Makes room for 'n' more bytes; slow path of trail_add(). */
bool trail_grow(struct trail *t, const struct feature_env *env, struct flow *flow, uint32_t n);

/*
 * Appends 'n' bytes.  False at LIMIT_TRAIL_BYTES (the flow is marked as capped) or without memory
 * (marked too); the trail is as it was.
 */
static inline bool trail_add(struct trail *t, const struct feature_env *env, struct flow *flow,
		const uint8_t *bytes, size_t n)
{
	if (n == 0)
		return true;
	if (t->room - t->size < n && !trail_grow(t, env, flow, (uint32_t)n))
		return false;
	memcpy(t->p + t->size, bytes, n);
	t->size += (uint32_t)n;
	return true;
}

/* Writes a number; returns where the next one goes. */
static inline uint8_t *trail_put(uint8_t *to, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		*to++ = (uint8_t)(v | 0x80);
	*to++ = (uint8_t)v;
	return to;
}

/* Reads a number and moves on behind it. */
static inline uint64_t trail_get(const uint8_t **from)
{
	uint64_t v = 0;
	unsigned shift = 0;

	for (; **from & 0x80; shift += 7)
		v |= (uint64_t)(*(*from)++ & 0x7f) << shift;
	return v | (uint64_t) * (*from)++ << shift;
}

/* A signed number, here as its bits, with the sign moved to the lowest one. */
static inline uint64_t trail_fold(uint64_t v)
{
	return v << 1 ^ (0 - (v >> 63));
}

static inline uint64_t trail_unfold(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

/*
 * The time of the packet being shown, as the flow counts it: the packet's own, or that of an
 * earlier packet of the flow when the clock went backwards.  Differences of these are never
 * negative.
 */
static inline int64_t trail_now(const struct flow *f)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];

	if (a->packets == 0 || (b->packets > 0 && b->last_ns > a->last_ns))
		return b->last_ns;
	return a->last_ns;
}
