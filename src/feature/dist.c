/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dist.c - how often each byte value occurs in the payload: distribution, mean, entropy.
 *
 * Counts once for three switches: dist=1 (256 counts, mean, standard deviation), cdist=
 * (counts in 16 bins), entropy=1.  All are worked out at flow end from exact counts (histogram.h).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "feature/compact_map.h"
#include "feature/feature.h"
#include "feature/histogram.h"

enum {
	VALUES = 256,
	LOGS = 4096,    /* n log2 n is looked up below this */
	SUMS_BITS = 47, /* sums are exact of less than 2 to this bytes */
	LANES = 4,      /* sums at a time, so that additions do not wait for each other */
	STEP = 8,       /* values for each turn of a loop */
};

struct dist_options {
	bool dist, entropy;
	uint32_t bytes; /* of each direction that are counted; 0: all */
	char *cdist;
	/* made by prepare() */
	bool compact;
	uint8_t sorted[VALUES];          /* the byte values, bin after bin */
	uint16_t ends[COMPACT_BINS + 1]; /* where in 'sorted' bin b begins, and b + 1 */
	double *n_log2_n;                /* LOGS of them; NULL without entropy=1 */
};

struct dist_out {
	struct field_list byte_dist;
	double byte_dist_mean, byte_dist_std;
	struct field_list compact_byte_dist;
	double entropy, total_entropy;
	uint64_t bin[COMPACT_BINS]; /* the items of compact_byte_dist */
};

struct dist_state {
	struct histogram histogram;
	uint32_t taken[2]; /* bytes of each direction, up to dist_bytes */
};

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	const struct dist_options *o = env->options;
	struct dist_state *s = state;
	size_t size = pkt->payload.left;

	if (o->bytes > 0) {
		const uint32_t left = o->bytes - s->taken[pkt->dir];

		size = size < left ? size : left;
		s->taken[pkt->dir] += (uint32_t)size;
	}
	if (!histogram_add(&s->histogram, &flow->arena, env->pool, pkt->payload.p, size))
		flow->marks |= FLOW_NO_MEMORY;
	return o->bytes > 0 && s->taken[0] == o->bytes && s->taken[1] == o->bytes ? DONE : MORE;
}

static void fetch(const void *state, bool near)
{
	if (!near)
		histogram_fetch(&((const struct dist_state *)state)->histogram);
}

static void moments(const struct value_sums *s, struct dist_out *out)
{
	const double n = (double)s->n;

	out->byte_dist_mean = (double)s->sum / n;
	if (s->n > 1) {
		unsigned __int128 spread = (unsigned __int128)s->n * s->squares -
					   (unsigned __int128)s->sum * s->sum;

		out->byte_dist_std = sqrt((double)spread / n / (double)(s->n - 1));
	}
}

/* c log2 c.  'table' may be NULL. */
static double log_of(const double *table, uint64_t c)
{
	if (c < 2)
		return 0;
	return c < LOGS && table != NULL ? table[c] : (double)c * log2((double)c);
}

/* The sum of c log2 c. */
static double sum_of_logs(const double *table, const uint64_t count[VALUES], uint64_t most)
{
	double sum[LANES] = { 0 };

	const bool small = most < LOGS && table != NULL;

#pragma GCC unroll 4
	for (unsigned v = 0; v < VALUES && small; v += LANES) {
		sum[0] += table[count[v]];
		sum[1] += table[count[v + 1]];
		sum[2] += table[count[v + 2]];
		sum[3] += table[count[v + 3]];
	}
	for (unsigned v = 0; v < VALUES && !small; v++)
		sum[v % LANES] += log_of(table, count[v]);
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/*
 * n times the entropy: the sum of c log2(n / c).  A value with more than half of the bytes would
 * lose digits in a difference of logarithms; it is taken out and goes through log1p.
 */
static double information(const double *table, uint64_t count[VALUES], const struct value_sums *s)
{
	const uint64_t n = s->n, most = s->most;

	if (most <= n - most)
		return (double)n * log2((double)n) - sum_of_logs(table, count, most);

	uint64_t rest = n - most;
	double first = (double)most * log1p((double)rest / (double)most) / M_LN2;
	unsigned at = 0;

	while (count[at] != most)
		at++;
	count[at] = 0;

	double others = (double)rest * log2((double)n) - sum_of_logs(table, count, rest);

	count[at] = most;
	return first + others;
}

static void compact(
		const struct dist_options *o, const uint64_t count[VALUES], struct dist_out *out)
{
	uint64_t sum = 0, before[VALUES + 1]; /* counts of so many of the sorted values */

	for (unsigned i = 0; i < VALUES; i += STEP) {
		for (unsigned k = 0; k < STEP; k++) {
			before[i + k] = sum;
			sum += count[o->sorted[i + k]];
		}
	}
	before[VALUES] = sum;
	for (unsigned b = 0; b < COMPACT_BINS; b++)
		out->bin[b] = before[o->ends[b + 1]] - before[o->ends[b]];
	out->compact_byte_dist = (struct field_list){ out->bin, COMPACT_BINS };
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *to)
{
	const struct dist_options *o = env->options;
	const struct histogram *h = &((const struct dist_state *)state)->histogram;
	struct dist_out *out = to;
	uint64_t *count;

	(void)view;
	if (h->counts == NULL)
		return false;
	count = arena_alloc(env->scratch, env->pool, VALUES * sizeof *count);
	if (count == NULL)
		return false;

	const struct value_sums sums = histogram_read(h, count);

	out->byte_dist_mean = out->byte_dist_std = out->entropy = out->total_entropy = (double)NAN;
	if (o->dist) {
		out->byte_dist = (struct field_list){ count, VALUES };
		moments(&sums, out);
	}
	if (o->compact)
		compact(o, count, out);
	if (o->entropy) {
		out->total_entropy = information(o->n_log2_n, count, &sums);
		out->entropy = out->total_entropy / (double)sums.n;
	}
	return true;
}

/* --- parts of a split flow ------------------------------------------------------------------- */

static uint64_t counted(const struct dist_out *d)
{
	const struct field_list *list =
			d->byte_dist.count > 0 ? &d->byte_dist : &d->compact_byte_dist;
	uint64_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		n += ((const uint64_t *)list->items)[i];
	return n;
}

/*
 * With dist_bytes=N each part has counted the first N bytes of each direction anew.  Together these
 * are the flow's first ones when they are no more than N at all.
 */
static bool is_sum(
		const struct feature_join *join, const struct dist_out *a, const struct dist_out *b)
{
	const struct dist_options *o = join->options;

	return o->bytes == 0 || counted(a) + counted(b) <= o->bytes;
}

/* Both directions have all N. */
static bool is_full(const struct feature_join *join, const struct dist_out *a)
{
	const struct dist_options *o = join->options;

	return o->bytes > 0 && counted(a) == (uint64_t)(join->both ? 2 : 1) * o->bytes;
}

/* All is worked out anew from the sum of the distributions; without them it is not known. */
static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	struct dist_out *o = out;
	const struct dist_out had = *o;
	struct value_sums sums;
	uint64_t *count;

	if (before == NULL || next == NULL)
		return true;
	if (is_full(join, before)) {
		*o = *(const struct dist_out *)before;
		return true;
	}
	if (!is_sum(join, before, next))
		return false;
	o->byte_dist_mean = o->byte_dist_std = o->entropy = o->total_entropy = (double)NAN;
	count = arena_alloc(join->arena, join->pool, VALUES * sizeof *count);
	if (o->byte_dist.count != VALUES || count == NULL)
		return o->byte_dist.count > 0 || o->compact_byte_dist.count > 0;
	memcpy(count, o->byte_dist.items, VALUES * sizeof *count);
	sums = value_sums_of(count);
	if (sums.n == 0 || sums.n >> SUMS_BITS != 0)
		return true;
	if (!isnan(had.byte_dist_mean))
		moments(&sums, o);
	if (isnan(had.entropy))
		return true;
	o->total_entropy = information(NULL, count, &sums);
	o->entropy = o->total_entropy / (double)sums.n;
	return true;
}

static void sort_values(struct dist_options *o, const uint8_t bin[VALUES])
{
	uint16_t n = 0;

	for (unsigned b = 0; b < COMPACT_BINS; b++) {
		for (unsigned v = 0; v < VALUES; v++)
			if (bin[v] == b)
				o->sorted[n++] = (uint8_t)v;
		o->ends[b + 1] = n;
	}
}

static bool prepare(void *options, const struct conf *conf, struct err *e)
{
	struct dist_options *o = options;
	uint8_t bin[VALUES];

	(void)conf;
	if (o->cdist != NULL && strcmp(o->cdist, "0") != 0) {
		bool built_in = strcmp(o->cdist, "1") == 0;

		if (!built_in && !compact_map_load(o->cdist, bin, e))
			return false;
		sort_values(o, built_in ? compact_map : bin);
		o->compact = true;
	}
	if (!o->entropy)
		return true;
	o->n_log2_n = calloc(LOGS, sizeof *o->n_log2_n);
	if (o->n_log2_n == NULL)
		return err_set(e, "no memory for entropy=1");
	for (unsigned n = 2; n < LOGS; n++)
		o->n_log2_n[n] = n * log2(n);
	return true;
}

static void release(void *options)
{
	struct dist_options *o = options;

	free(o->n_log2_n);
	o->n_log2_n = NULL;
}

#define NO_BYTES "left out when no payload byte was captured"

static const struct field fields[] = {
	FIELD_SCALARS(struct dist_out, byte_dist, "byte_dist", uint64_t, "bytes",
			"256 counts: how often each byte value, 0 to 255 in this order, occurs in "
			"the captured L4 payload (UDP, UDP-Lite and TCP; of other protocols all "
			"that follows the IP headers) of the packets in the directions of this "
			"record.  Each packet counts as seen, retransmissions and duplicates too; "
			"the bytes of a fragmented datagram count once, when it is whole.  Bytes "
			"that the snaplen cut off are not there to be counted.  With dist_bytes=N "
			"only the first N of these bytes in each direction, in the order of "
			"capture.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_BYTES " or without dist=1",
			.merge = MERGE_SUM),
	FIELD(struct dist_out, byte_dist_mean, "byte_dist_mean", "",
			"Mean of the byte values (0 to 255) counted in byte_dist: sum of value "
			"times count, divided by the number of bytes.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_BYTES " or without dist=1",
			.merge = MERGE_OWN),
	FIELD(struct dist_out, byte_dist_std, "byte_dist_std", "",
			"Sample standard deviation (n - 1) of the byte values counted in "
			"byte_dist.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when fewer than two payload bytes were captured or "
				     "without dist=1",
			.merge = MERGE_OWN),
	FIELD_SCALARS(struct dist_out, compact_byte_dist, "compact_byte_dist", uint64_t, "bytes",
			"16 counts: byte_dist with the counts of all byte values of a bin added; "
			"which value is in which bin is said by the file that cdist= names, or "
			"with cdist=1 by data/compact_bd_mapping.txt.",
			.flags = FIELD_OPTIONAL,
			.null_rule = NO_BYTES " or without cdist=", .merge = MERGE_SUM),
	FIELD(struct dist_out, entropy, "entropy", "bits per byte",
			"Shannon entropy of byte_dist, 0 to 8: the sum over all values with count "
			"c > 0 of c/n * log2(n/c), where n is the number of bytes.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_BYTES " or without entropy=1",
			.source = "C. Shannon, A Mathematical Theory of Communication, 1948",
			.merge = MERGE_OWN),
	FIELD(struct dist_out, total_entropy, "total_entropy", "bits",
			"entropy times the number of bytes counted.", .flags = FIELD_OPTIONAL,
			.null_rule = NO_BYTES " or without entropy=1", .merge = MERGE_OWN),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct dist_options, dist, "dist",
			"give the distribution of byte values, with mean and std",
			.flags = OPTION_FEATURE, .on = "1"),
	OPTION(struct dist_options, cdist, "cdist",
			"give the distribution of byte values in 16 bins",
			.flags = OPTION_FEATURE | OPTION_FILE, .on = "1", .value = "FILE",
			.more = "FILE has 256 numbers from 0 to 15, the bin of each byte value in "
				"order, with white space or commas between them; # begins a "
				"comment.  cdist=1 takes the built-in bins, which are those of "
				"data/compact_bd_mapping.txt."),
	OPTION(struct dist_options, entropy, "entropy", "give the entropy of byte values",
			.flags = OPTION_FEATURE, .on = "1"),
	OPTION(struct dist_options, bytes, "dist_bytes",
			"bytes of each direction that dist, cdist and entropy count",
			.initial = "0", .value = "N", .maximum = UINT32_MAX,
			.more = "The first N of each direction; 0: all."),
	{ 0 },
};

_Static_assert(offsetof(struct dist_state, histogram.counts) == 0, ".pointers");

const struct feature feature_dist = {
	.name = "dist",
	.help = "byte distribution and entropy",
	.wants = WANT_DATA,
	.size = sizeof(struct dist_state),
	.pointers = 1,
	.out_size = sizeof(struct dist_out),
	.update = update,
	.fetch = fetch,
	.finish = finish,
	.merge = merge,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct dist_options),
	.prepare = prepare,
	.release = release,
};
