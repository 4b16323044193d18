/* SPDX-License-Identifier: BSD-3-Clause */
/* measure.c - adding up the packets of a flow.  What each number means stands in the tables of
 * stats.c. */
#include "feature/measure.h"

static uint64_t packets(const struct measure *t)
{
	return t->ip[0].n + t->ip[1].n;
}

static void add_sizes(struct measure *t, const struct measure_packet *p)
{
	uint64_t data = t->payload[0].n + t->payload[1].n;

	moments_add(&t->ip[p->dir], p->ip_len);
	if (p->header > 0 && (t->header_min[p->dir] == 0 || p->header < t->header_min[p->dir]))
		t->header_min[p->dir] = p->header;
	if (p->payload_len == 0)
		return;
	moments_add(&t->payload[p->dir], p->payload_len);
	t->small[p->dir] += p->payload_len < MEASURE_SMALL;
	t->large[p->dir] += p->payload_len > MEASURE_LARGE;
	if (data < MEASURE_FIRST)
		t->first |= (uint8_t)(p->dir << data);
}

/* Before the packet is counted in 'ip'. */
static void add_times(struct measure *t, const struct measure_packet *p, int64_t idle_ns)
{
	int64_t gap = p->ns - t->last_ns;

	if (packets(t) == 0) {
		t->active_start_ns = p->ns;
	} else {
		moments_add(&t->ipt_all, (uint64_t)gap);
		t->pauses += gap > MEASURE_PAUSE_NS;
		if (gap > idle_ns) {
			moments_add(&t->idle, (uint64_t)gap);
			moments_add(&t->active, (uint64_t)(t->last_ns - t->active_start_ns));
			t->active_start_ns = p->ns;
		}
	}
	if (t->ip[p->dir].n > 0)
		moments_add(&t->ipt[p->dir], (uint64_t)(p->ns - t->last_dir_ns[p->dir]));
	t->last_ns = t->last_dir_ns[p->dir] = p->ns;
}

/* A run counts as a burst from its third packet on, then with all of them. */
static void add_to_run(struct measure *t, const struct measure_packet *p)
{
	struct measure_bursts *b = &t->burst[p->dir];
	int64_t gap = p->ns - t->last_data_ns;

	if (t->run == 0 || t->run_dir != p->dir || gap > MEASURE_PAUSE_NS) {
		t->run = 0;
		t->run_bytes = t->run_ns = 0;
		t->run_dir = p->dir;
	} else {
		t->run_ns += (uint64_t)gap;
	}
	t->run_bytes += p->payload_len;
	t->last_data_ns = p->ns;
	if (t->run == MEASURE_BURST) {
		b->packets++;
	} else if (++t->run == MEASURE_BURST) {
		b->n++;
		b->packets += MEASURE_BURST;
	} else {
		return;
	}
	b->bytes += t->run_bytes;
	b->ns += t->run_ns;
	t->run_bytes = t->run_ns = 0;
}

void measure_add(struct measure *t, const struct measure_packet *p, int64_t idle_ns)
{
	add_times(t, p, idle_ns);
	add_sizes(t, p);
	if (p->payload_len > 0)
		add_to_run(t, p);
}

struct moments measure_active(const struct measure *t)
{
	struct moments m = t->active;

	if (packets(t) > 0)
		moments_add(&m, (uint64_t)(t->last_ns - t->active_start_ns));
	return m;
}
