/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * histogram.h - exact counts of the 256 byte values, in as few bytes as they need.
 *
 * The first 168 bytes are kept as they are.  Then counters are made: of 8 bits (256 bytes) until
 * one would pass 255, then of 16 bits (512 bytes) until one would pass 65,535, then of 64, with
 * tables that spare long flows the adding up (4,096 bytes).  No count is ever lost or rounded.  All
 * lies in the arena of the flow; a zeroed struct is an empty histogram.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "feature/value_sums.h"

struct histogram {
	void *counts;   /* 256 of 'width' bytes, or the bytes themselves; NULL while empty */
	uint32_t bound; /* how many bytes are kept; no counter of 8 or 16 bits is above this; of
			 * 64: how many bytes are in the tables */
	uint8_t width;  /* of a counter; 0 while the bytes are kept, then 1, 2, 8 */
	uint8_t room;   /* for bytes that are kept */
};

/* Counts the 'size' bytes at 'p'.  False without memory: then none of the rest was counted. */
bool histogram_add(struct histogram *h, struct arena *a, struct pool *pool, const uint8_t *p,
		size_t size);

/* Fetches what histogram_read() reads into the cache, but for its first line. */
void histogram_fetch(const struct histogram *h);

/* Writes the 256 counts; returns what they come to. */
struct value_sums histogram_read(const struct histogram *h, uint64_t counts[256]);
