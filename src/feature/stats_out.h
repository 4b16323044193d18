/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats_out.h - what the statistics of a flow look like in a record, and how measures become that.
 */
#pragma once

#include "feature/feature.h"
#include "feature/measure.h"

struct stats_options {
	bool on;
	struct option_seconds idle;
};

struct stats_sizes {
	uint64_t n, min;
	double mean, std;
	uint64_t max;
};

struct stats_times {
	uint64_t n;
	struct field_ms min;
	double mean, std;
	struct field_ms max;
};

struct stats_bursts {
	uint64_t n, pkts, bytes;
	double mean;
	struct field_ms duration;
	double bytes_per_s;
};

struct stats_out {
	struct stats_values {
		struct field_ms duration;
		struct stats_size_group {
			struct stats_sizes out, in, all;
		} payload, segment, ip;
		struct stats_time_group {
			struct stats_times out, in, all;
		} ipt;
		double bytes_per_s, ip_bytes_per_s, pkts_per_s, pkts_per_s_out, pkts_per_s_in;
		double down_up_ratio;
		uint64_t small_out, small_in, large_out, large_in;
		uint8_t header_min_out, header_min_in;
		struct field_text first_dirs;
		uint64_t subflows;
		struct stats_times active, idle;
		struct stats_burst_group {
			struct stats_bursts out, in;
		} burst;
	} stats;
	char first_dirs[MEASURE_FIRST]; /* the text of it */
};

extern const struct field stats_fields[]; /* of struct stats_out */

/* Fills 'out' from whole measures. */
void stats_fill(struct stats_out *out, const struct measure *t);

/* stats_merge.c: the merge() of the feature. */
bool stats_merge(struct feature_join *join, const void *before, const void *next, void *out);

/* What a record says of numbers; of 'count' in 'ns'. */
struct stats_sizes stats_sizes_of(const struct moments *m);
struct stats_times stats_times_of(const struct moments *m);
struct stats_bursts stats_bursts_of(const struct measure_bursts *b);
double stats_rate(uint64_t count, uint64_t ns);
