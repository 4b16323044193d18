/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats_merge.c - the statistics of two parts of a flow as those of both.
 *
 * Numbers of which records give number, mean and spread go back to sums and are added up; so does
 * the one gap between the parts.  What hangs on packets that no record tells of (the times within a
 * direction across the gap, periods and bursts that may have gone on) is left out, but for how many
 * there are.
 */
#include "feature/stats_out.h"

#define MS_NS 1e6

struct merging {
	const struct stats_values *a, *b;
	struct stats_values *o;
	int64_t gap_ns, idle_ns;
};

static struct moments from_sizes(const struct stats_sizes *s)
{
	return moments_from(s->n, s->min, s->max, s->mean, s->std, 1);
}

static struct moments from_times(const struct stats_times *t)
{
	return moments_from(t->n, (uint64_t)t->min.ns, (uint64_t)t->max.ns, t->mean, t->std, MS_NS);
}

static struct stats_sizes sizes(const struct stats_sizes *a, const struct stats_sizes *b)
{
	const struct moments x = from_sizes(a), y = from_sizes(b), all = moments_both(&x, &y);

	return stats_sizes_of(&all);
}

static struct stats_size_group size_group(
		const struct stats_size_group *a, const struct stats_size_group *b)
{
	return (struct stats_size_group){ sizes(&a->out, &b->out), sizes(&a->in, &b->in),
		sizes(&a->all, &b->all) };
}

static struct stats_times unknown(uint64_t n)
{
	return (struct stats_times){ n, { -1 }, (double)NAN, (double)NAN, { -1 } };
}

/* Of what was merged before. */
static bool is_unknown(const struct stats_times *t)
{
	return t->n > 0 && t->min.ns < 0;
}

static struct stats_times times(
		const struct stats_times *a, const struct stats_times *b, const int64_t *more_ns)
{
	if (is_unknown(a) || is_unknown(b))
		return unknown(a->n + b->n + (more_ns != NULL));

	const struct moments x = from_times(a), y = from_times(b);
	struct moments all = moments_both(&x, &y);

	if (more_ns != NULL)
		moments_add(&all, (uint64_t)*more_ns);
	return stats_times_of(&all);
}

/* Times within a direction: of both parts, and one from part to part, which is the gap only when no
 * other direction has packets. */
static struct stats_times direction(const struct merging *m, const struct stats_times *a,
		uint64_t a_packets, const struct stats_times *b, uint64_t b_packets)
{
	const uint64_t all = m->a->ip.all.n + m->b->ip.all.n;

	if (a_packets == 0 || b_packets == 0)
		return times(a, b, NULL);
	return a_packets + b_packets == all ? times(a, b, &m->gap_ns) : unknown(a->n + b->n + 1);
}

static void merge_times(const struct merging *m)
{
	const struct stats_time_group *a = &m->a->ipt, *b = &m->b->ipt;

	m->o->ipt = (struct stats_time_group){
		.out = direction(m, &a->out, m->a->ip.out.n, &b->out, m->b->ip.out.n),
		.in = direction(m, &a->in, m->a->ip.in.n, &b->in, m->b->ip.in.n),
		.all = times(&a->all, &b->all, &m->gap_ns),
	};
}

/* Without an idle gap the last period of one part and the first of the other are one. */
static void merge_periods(const struct merging *m)
{
	const struct stats_times *a = &m->a->active, *b = &m->b->active;
	struct moments one = { 0 };

	if (m->gap_ns > m->idle_ns) {
		m->o->active = times(a, b, NULL);
		m->o->idle = times(&m->a->idle, &m->b->idle, &m->gap_ns);
		return;
	}
	m->o->idle = times(&m->a->idle, &m->b->idle, NULL);
	if (a->n == 1 && b->n == 1) {
		moments_add(&one, (uint64_t)m->o->duration.ns);
		m->o->active = stats_times_of(&one);
	} else {
		m->o->active = unknown(a->n + b->n - 1);
	}
}

static struct measure_bursts from_bursts(const struct stats_bursts *b)
{
	if (b->n == 0)
		return (struct measure_bursts){ 0 };
	return (struct measure_bursts){ b->n, b->pkts, b->bytes, (uint64_t)b->duration.ns };
}

static struct stats_bursts bursts(
		const struct stats_bursts *a, const struct stats_bursts *b, bool apart)
{
	struct measure_bursts x = from_bursts(a), y = from_bursts(b);

	if (!apart || a->n == UINT64_MAX || b->n == UINT64_MAX)
		return (struct stats_bursts){ UINT64_MAX, UINT64_MAX, UINT64_MAX, (double)NAN,
			{ -1 }, (double)NAN };
	x = (struct measure_bursts){ x.n + y.n, x.packets + y.packets, x.bytes + y.bytes,
		x.ns + y.ns };
	return stats_bursts_of(&x);
}

static void merge_bursts(const struct merging *m)
{
	const bool apart = m->gap_ns > MEASURE_PAUSE_NS || m->a->payload.all.n == 0 ||
			   m->b->payload.all.n == 0;

	m->o->burst = (struct stats_burst_group){ bursts(&m->a->burst.out, &m->b->burst.out, apart),
		bursts(&m->a->burst.in, &m->b->burst.in, apart) };
}

static void merge_rates(const struct merging *m)
{
	struct stats_values *o = m->o;
	const uint64_t ns = (uint64_t)o->duration.ns, out = o->ip.out.n, in = o->ip.in.n;
	const struct moments payload = from_sizes(&o->payload.all), ip = from_sizes(&o->ip.all);

	o->bytes_per_s = stats_rate(payload.sum, ns);
	o->ip_bytes_per_s = stats_rate(ip.sum, ns);
	o->pkts_per_s = stats_rate(o->ip.all.n, ns);
	o->pkts_per_s_out = stats_rate(out, ns);
	o->pkts_per_s_in = stats_rate(in, ns);
	o->down_up_ratio = out > 0 ? (double)in / (double)out : (double)NAN;
}

static uint8_t least(uint8_t a, uint8_t b)
{
	return a < b ? a : b; /* no header is as long as the null */
}

static void merge_counts(const struct merging *m)
{
	struct stats_values *o = m->o;

	o->small_out += m->b->small_out;
	o->small_in += m->b->small_in;
	o->large_out += m->b->large_out;
	o->large_in += m->b->large_in;
	o->header_min_out = least(o->header_min_out, m->b->header_min_out);
	o->header_min_in = least(o->header_min_in, m->b->header_min_in);
	o->subflows += m->b->subflows - 1 + (m->gap_ns > MEASURE_PAUSE_NS);
}

static void merge_first_dirs(const struct merging *m, struct stats_out *out)
{
	const struct field_text a = m->a->first_dirs, b = m->b->first_dirs;
	size_t n = 0;

	for (size_t i = 0; i < a.size && n < MEASURE_FIRST; i++)
		out->first_dirs[n++] = a.p[i];
	for (size_t i = 0; i < b.size && n < MEASURE_FIRST; i++)
		out->first_dirs[n++] = b.p[i];
	m->o->first_dirs = (struct field_text){ out->first_dirs, n };
}

bool stats_merge(struct feature_join *join, const void *before, const void *next, void *to)
{
	const struct stats_options *options = join->options;
	const struct stats_out *a = before, *b = next;
	struct stats_out *out = to;
	struct merging m = {
		.o = &out->stats, .gap_ns = feature_gap(join), .idle_ns = options->idle.ns
	};

	if (a == NULL || b == NULL) /* of one of them memory ran out */
		return false;
	m.a = &a->stats;
	m.b = &b->stats;
	m.o->duration.ns = join->next.end_ns - join->before.start_ns;
	m.o->payload = size_group(&m.a->payload, &m.b->payload);
	m.o->segment = size_group(&m.a->segment, &m.b->segment);
	m.o->ip = size_group(&m.a->ip, &m.b->ip);
	merge_times(&m);
	merge_periods(&m);
	merge_bursts(&m);
	merge_rates(&m);
	merge_counts(&m);
	merge_first_dirs(&m, out);
	return true;
}
