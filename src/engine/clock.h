/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clock.h - packet time that never runs backwards.
 *
 * The clock is the latest packet time so far.  When an interface's time falls back by more than
 * 'jump' (captures read in the wrong order, a clock that was set back), it is that interface's
 * times that are shifted, so that timeouts go on working; records keep the packets' own times.
 * The decision depends on the packets alone, so every run makes the same.
 *
 * A live clock goes by the time since boot instead, which nobody sets: clock_present() tells it,
 * and how far the clock that stamps packets was set meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_INTERFACES = 256 }; /* interfaces beyond share shifts with earlier ones */

struct clock {
	int64_t now_ns, jump_ns;
	uint64_t jumps;
	uint32_t last; /* interface of the packet before: a new one starts with its shift */
	int64_t shift_ns[CLOCK_INTERFACES];
	uint8_t known[CLOCK_INTERFACES]; /* all 0 in a live clock: each packet takes clock_turn() */
	bool live;
	int64_t base_ns;    /* live: what 1970 is on the clock since boot */
	int64_t present_ns; /* live: no packet can be later */
	int64_t step_ns;    /* live: how far the host's clock was set since the start */
};

#define CLOCK_LIMIT ((int64_t)1 << 62)

/* Times further from 1970 than 146 years are brought to that limit: differences then fit 64 bits.
 */
static inline int64_t clock_clamp(int64_t ns)
{
	if (ns >= CLOCK_LIMIT)
		return CLOCK_LIMIT - 1;
	return ns <= -CLOCK_LIMIT ? 1 - CLOCK_LIMIT : ns;
}

/* clock_at() for an interface that is new, or whose time does not simply go on. */
int64_t clock_turn(struct clock *c, uint32_t interface, int64_t ns);

/* Live: what the host's clock and the time since boot say now. */
void clock_present(struct clock *c, int64_t real_ns, int64_t boot_ns);

/* Live: no packet before 'ns' is to be expected any more. */
void clock_reach(struct clock *c, int64_t ns);

/* The clock at a packet of (clamped) time 'ns' from 'interface'. */
static inline int64_t clock_at(struct clock *c, uint32_t interface, int64_t ns)
{
	uint32_t i = interface % CLOCK_INTERFACES;

	if (!c->known[i] || c->shift_ns[i] != 0 || ns < c->now_ns)
		return clock_turn(c, interface, ns);
	c->last = i;
	return c->now_ns = ns;
}
