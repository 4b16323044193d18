/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * measure_all.c - the measures of a whole flow from the list of its packets.
 *
 * They are what measure_add() makes of these packets one by one.  Here it is known that they are
 * few and, unless lengths are huge, that no sum overflows, so what is asked for each packet is done
 * without a branch.
 */
#include "feature/measure.h"

enum { SMALL_LENGTH = 1 << 24 }; /* of so few packets below it 64 bits hold the sum of squares */

_Static_assert((int)JOURNAL_PACKETS < 1 << 14, "(2^24)^2 * 2^14 < 2^63");

/* Of one direction.  'data_least': less 1, so that packets without payload have the greatest. */
struct lane {
	uint64_t n, bytes, squares, least, most;
	uint64_t data_n, data_bytes, data_squares, data_most;
	uint32_t data_least;
	uint32_t small, large;
	uint8_t header_least; /* less 1 */
	int64_t first_ns, last_ns;
	uint64_t gap_least, gap_most;
	moments_wide gap_squares;
};

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void add_sizes(struct lane *l, const struct journal_packet *p)
{
	const uint64_t length = p->ip_len, data = p->payload_len;
	const uint32_t less = p->payload_len - 1;
	const uint8_t header = (uint8_t)(p->transport_len - 1);

	l->bytes += length;
	l->squares += length * length;
	l->least = lesser(l->least, length);
	l->most = greater(l->most, length);
	l->data_n += data > 0;
	l->data_bytes += data;
	l->data_squares += data * data;
	l->data_least = less < l->data_least ? less : l->data_least;
	l->data_most = greater(l->data_most, data);
	l->small += less < MEASURE_SMALL - 1;
	l->large += data > MEASURE_LARGE;
	l->header_least = header < l->header_least ? header : l->header_least;
}

/* The direction's first packet has a gap of 0 here, which counts nowhere. */
static void add_gap(struct lane *l, int64_t now_ns)
{
	const uint64_t gap = (uint64_t)now_ns - (uint64_t)l->last_ns;

	l->gap_squares += (moments_wide)gap * gap;
	l->gap_least = lesser(l->gap_least, l->n > 0 ? gap : UINT64_MAX);
	l->gap_most = greater(l->gap_most, gap);
	l->last_ns = now_ns;
	l->n++;
}

static void end_period(struct measure *t, int64_t gap, int64_t last_ns, int64_t now_ns)
{
	moments_add(&t->idle, (uint64_t)gap);
	moments_add(&t->active, (uint64_t)(last_ns - t->active_start_ns));
	t->active_start_ns = now_ns;
}

static void begin(struct lane lane[2], const struct journal_packet *packets, size_t count)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		size_t i = 0;

		while (i < count && packets[i].dir != dir)
			i++;
		lane[dir] = (struct lane){ .least = UINT64_MAX,
			.data_least = UINT32_MAX,
			.header_least = UINT8_MAX,
			.first_ns = i < count ? packets[i].now_ns : 0,
			.gap_least = UINT64_MAX };
		lane[dir].last_ns = lane[dir].first_ns;
	}
}

static struct moments moments_of(
		uint64_t n, uint64_t sum, uint64_t min, uint64_t max, moments_wide squares)
{
	return (struct moments){ n, sum, n > 0 ? min : 0, max, (uint64_t)squares,
		(uint64_t)(squares >> MOMENTS_WORD) };
}

static void end(struct measure *t, unsigned dir, const struct lane *l)
{
	const uint64_t span = (uint64_t)l->last_ns - (uint64_t)l->first_ns;

	t->ip[dir] = moments_of(l->n, l->bytes, l->least, l->most, l->squares);
	t->payload[dir] = moments_of(l->data_n, l->data_bytes, (uint64_t)l->data_least + 1,
			l->data_most, l->data_squares);
	t->ipt[dir] = moments_of(
			l->n > 0 ? l->n - 1 : 0, span, l->gap_least, l->gap_most, l->gap_squares);
	t->small[dir] = l->small;
	t->large[dir] = l->large;
	t->header_min[dir] = (uint8_t)(l->header_least + 1);
}

/* Directions of the first data packets, and bursts; see add_to_run() in measure.c. */
static void add_runs(struct measure *t, const struct journal_packet *const *data, size_t count)
{
	for (size_t i = 0; i < count && i < MEASURE_FIRST; i++)
		t->first |= (uint8_t)(data[i]->dir << i);
	if (t->payload[0].n < MEASURE_BURST && t->payload[1].n < MEASURE_BURST)
		return;
	for (size_t i = 0, from; i < count;) {
		struct measure_bursts *b = &t->burst[data[i]->dir];
		uint64_t bytes = data[i]->payload_len;

		for (from = i++; i < count && data[i]->dir == data[from]->dir &&
				 data[i]->now_ns - data[i - 1]->now_ns <= MEASURE_PAUSE_NS;
				i++)
			bytes += data[i]->payload_len;
		if (i - from < MEASURE_BURST)
			continue;
		b->n++;
		b->packets += i - from;
		b->bytes += bytes;
		b->ns += (uint64_t)data[i - 1]->now_ns - (uint64_t)data[from]->now_ns;
	}
}

static void add_one_by_one(struct measure *t, const struct journal_packet *packets, size_t count,
		int64_t idle_ns)
{
	for (size_t i = 0; i < count; i++) {
		const struct journal_packet *p = &packets[i];

		measure_add(t,
				&(struct measure_packet){ p->now_ns, p->payload_len, p->ip_len,
						p->dir, p->transport_len },
				idle_ns);
	}
}

void measure_all(struct measure *t, const struct journal_packet *packets, size_t count,
		int64_t idle_ns)
{
	const struct journal_packet *data[JOURNAL_PACKETS];
	struct lane lane[2], all = { .gap_least = UINT64_MAX };
	uint32_t lengths = 0;
	size_t data_count = 0;

	if (count == 0)
		return;
	begin(lane, packets, count);
	all.last_ns = all.first_ns = t->active_start_ns = packets[0].now_ns;
	for (size_t i = 0; i < count; i++) {
		const struct journal_packet *p = &packets[i];
		const int64_t gap = p->now_ns - all.last_ns, last_ns = all.last_ns;

		lengths |= p->ip_len | p->payload_len;
		add_sizes(&lane[p->dir], p);
		add_gap(&lane[p->dir], p->now_ns);
		add_gap(&all, p->now_ns);
		t->pauses += gap > MEASURE_PAUSE_NS;
		if (gap > idle_ns)
			end_period(t, gap, last_ns, p->now_ns);
		data[data_count] = p;
		data_count += p->payload_len > 0;
	}
	if (lengths >= SMALL_LENGTH) {
		*t = (struct measure){ 0 };
		add_one_by_one(t, packets, count, idle_ns);
		return;
	}
	t->last_ns = all.last_ns;
	t->ipt_all = moments_of(all.n - 1, (uint64_t)all.last_ns - (uint64_t)all.first_ns,
			all.gap_least, all.gap_most, all.gap_squares);
	end(t, 0, &lane[0]);
	end(t, 1, &lane[1]);
	add_runs(t, data, data_count);
}
