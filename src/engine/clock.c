/* SPDX-License-Identifier: BSD-3-Clause */
/* clock.c - shifts per interface, one clock for all. */
#include "engine/clock.h"

int64_t clock_turn(struct clock *c, uint32_t interface, int64_t ns)
{
	uint32_t i = interface % CLOCK_INTERFACES;
	int64_t shifted;

	if (!c->known[i]) {
		if (!c->known[c->last]) /* the first packet of all */
			c->now_ns = ns;
		else
			c->shift_ns[i] = c->shift_ns[c->last];
		c->known[i] = 1;
	}
	c->last = i;
	if (__builtin_add_overflow(ns, c->shift_ns[i], &shifted))
		shifted = c->now_ns;
	shifted = clock_clamp(shifted);
	if (shifted < c->now_ns - c->jump_ns) {
		c->shift_ns[i] = c->now_ns - ns;
		c->jumps++;
	} else if (shifted > c->now_ns) {
		c->now_ns = shifted;
	}
	return c->now_ns;
}
