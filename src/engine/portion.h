/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * portion.h - frames of a team, with what is the same for all its engines and therefore worked out
 * once, by who reads them.
 */
#pragma once

#include "engine/clock.h"
#include "engine/share.h"
#include "net/decode.h"

enum {
	PORTION_FRAMES = 256,
	PORTION_ALL = 255, /* in place of an engine's index: each must look */
};

/* What is counted of frames, whatever they hold. */
struct portion_sums {
	uint64_t frames, bytes, truncated;
	int64_t first_ns, last_ns;
};
#define PORTION_SUMS_NONE                                                                          \
	{                                                                                          \
		.first_ns = INT64_MAX, .last_ns = INT64_MIN                                        \
	}

struct portion {
	size_t count;
	int64_t now_ns; /* the clock behind the last frame */
	uint64_t jumps; /* of the clock, so far */
	struct portion_sums sums;
	struct frame frame[PORTION_FRAMES];
	int64_t clock_ns[PORTION_FRAMES];
	uint8_t owner[PORTION_FRAMES]; /* of a frame with one packet: its flow's engine */
};

/* Takes frames, at most PORTION_FRAMES. */
void portion_fill(struct portion *b, const struct frame *frames, size_t count,
		const struct decode_rules *rules, const struct share *share, struct clock *clock);

/* Counts a frame of that (clamped) time. */
static inline void portion_add(struct portion_sums *sums, const struct frame *frame, int64_t ns)
{
	sums->frames++;
	sums->bytes += frame->wirelen;
	sums->truncated += frame->caplen < frame->wirelen;
	if (ns < sums->first_ns)
		sums->first_ns = ns;
	if (ns > sums->last_ns)
		sums->last_ns = ns;
}
