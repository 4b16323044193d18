/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tally.h - many exact 64-bit counters of which most stay small.
 *
 * Each counter has one byte in the feature's state.  When one passes 255 the carry goes to a block
 * of 64-bit words, made in the flow's arena the first time this happens.
 */
#pragma once

#include "feature/feature.h"

/* Adds 256 to counter 'i' of 'count'; slow path of tally_add(). */
void tally_carry(uint64_t **high, size_t count, size_t i, struct flow *flow, struct pool *pool);

/* Makes the block of 'count' words; false (and the flow is marked) without memory. */
bool tally_need(uint64_t **high, size_t count, struct flow *flow, struct pool *pool);

static inline void tally_add(uint8_t *low, uint64_t **high, size_t count, size_t i,
		struct flow *flow, struct pool *pool)
{
	if (++low[i] == 0)
		tally_carry(high, count, i, flow, pool);
}

static inline uint64_t tally_read(const uint8_t *low, const uint64_t *high, size_t i)
{
	return low[i] + (high == NULL ? 0 : high[i]);
}
