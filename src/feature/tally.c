/* SPDX-License-Identifier: BSD-3-Clause */
/* tally.c - the carries of counters that passed 255. */
#include "feature/tally.h"

bool tally_need(uint64_t **high, size_t count, struct flow *flow, struct pool *pool)
{
	if (*high == NULL)
		*high = arena_zalloc(&flow->arena, pool, count * sizeof **high);
	if (*high == NULL)
		flow->marks |= FLOW_NO_MEMORY;
	return *high != NULL;
}

void tally_carry(uint64_t **high, size_t count, size_t i, struct flow *flow, struct pool *pool)
{
	if (tally_need(high, count, flow, pool))
		(*high)[i] += 256;
}
