/* SPDX-License-Identifier: BSD-3-Clause */
/* portion.c - whose frames are, and when. */
#include "engine/portion.h"

void portion_fill(struct portion *b, const struct frame *frames, size_t count,
		const struct decode_rules *rules, const struct share *share, struct clock *clock)
{
	struct decode_ends ends;

	b->count = count;
	b->sums = (struct portion_sums)PORTION_SUMS_NONE;
	for (size_t i = 0; i < count; i++) {
		const struct frame *frame = &frames[i];
		const int64_t ns = clock_clamp(frame->ns);

		b->frame[i] = *frame;
		b->clock_ns[i] = clock_at(clock, frame->interface, ns);
		b->owner[i] = decode_ends(rules, frame, &ends) ? (uint8_t)share_of(share, &ends)
							       : PORTION_ALL;
		portion_add(&b->sums, frame, ns);
	}
	b->now_ns = clock->now_ns;
	b->jumps = clock->jumps;
}
