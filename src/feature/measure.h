/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * measure.h - adding up the packets of a flow for its statistics.
 *
 * A measure depends only on the packets added and their order, so it may be made while they come or
 * later from a list of them.  Starts as { 0 }.
 */
#pragma once

#include "feature/journal.h"
#include "feature/moments.h"

enum {
	MEASURE_SMALL = 60,  /* payload below this is small (YAF smallPacketCount) */
	MEASURE_LARGE = 225, /* payload above this is large (YAF largePacketCount) */
	MEASURE_BURST = 3,   /* data packets that make a burst */
	MEASURE_FIRST = 8,   /* data packets whose directions are kept */
};

#define MEASURE_PAUSE_NS                                                                           \
	((int64_t)1000 * 1000 * 1000) /* a longer gap ends a burst, and a subflow */

struct measure_packet {
	int64_t ns; /* never less than that of the packet before */
	uint32_t payload_len, ip_len;
	uint8_t dir;
	uint8_t header; /* bytes of the TCP or UDP header; 0: unknown */
};

struct measure_bursts {
	uint64_t n, packets, bytes, ns;
};

struct measure {
	struct moments payload[2];      /* of packets with payload */
	struct moments ip[2];           /* of all */
	struct moments ipt[2], ipt_all; /* ns */
	struct moments active, idle;    /* ns; active without the period that is still going on */
	struct measure_bursts burst[2];
	uint64_t small[2], large[2];
	uint64_t pauses; /* gaps longer than MEASURE_PAUSE_NS */
	int64_t last_ns, last_dir_ns[2], last_data_ns;
	int64_t active_start_ns;    /* of the period that is going on */
	uint64_t run_bytes, run_ns; /* of the run of data packets, not yet in 'burst' */
	uint8_t run, run_dir;       /* length of that run, at most MEASURE_BURST */
	uint8_t first; /* direction of the first data packets, the first in the lowest bit */
	uint8_t header_min[2];
};

/* 'idle_ns': a longer gap ends an active period. */
void measure_add(struct measure *t, const struct measure_packet *p, int64_t idle_ns);

/* As measure_add() of each to a measure that is { 0 }. */
void measure_all(struct measure *t, const struct journal_packet *packets, size_t count,
		int64_t idle_ns);

/* All active periods, with the one that is going on. */
struct moments measure_active(const struct measure *t);
