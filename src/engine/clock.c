/* SPDX-License-Identifier: BSD-3-Clause */
/* clock.c - shifts per interface, one clock for all; the live clock. */
#include "engine/clock.h"

void clock_present(struct clock *c, int64_t real_ns, int64_t boot_ns)
{
	if (!c->live) {
		c->base_ns = real_ns - boot_ns;
		c->now_ns = real_ns;
		c->live = true;
	}
	c->present_ns = c->base_ns + boot_ns;
	c->step_ns = real_ns - c->present_ns;
}

void clock_reach(struct clock *c, int64_t ns)
{
	if (ns > c->now_ns)
		c->now_ns = ns;
}

/* Packets stamped before the host's clock was set may come after it: they count as of now. */
static int64_t live_at(struct clock *c, int64_t ns)
{
	int64_t at;

	if (__builtin_sub_overflow(ns, c->step_ns, &at) || at > c->present_ns)
		at = c->present_ns;
	clock_reach(c, at);
	return c->now_ns;
}

int64_t clock_turn(struct clock *c, uint32_t interface, int64_t ns)
{
	uint32_t i = interface % CLOCK_INTERFACES;
	int64_t shifted;

	if (c->live)
		return live_at(c, ns);
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
