/* SPDX-License-Identifier: BSD-3-Clause */
/* test_stream.c - segments in any order, overlapping and repeated, come out in order and once. */
#include "flowtest.h"

#include "flow/stream.h"
#include "flow/tcp.h"

enum { TEXT = 3000, ISN = 0xfffffc00u }; /* wraps in the middle */

struct got {
	uint8_t bytes[2][TEXT];
	uint64_t size[2];
	uint64_t stop_after; /* 0: never */
};

static uint8_t text[TEXT];

static bool take(void *ctx, struct flow *f, const struct pkt *pkt, unsigned dir, struct rd bytes,
		uint64_t offset)
{
	struct got *g = ctx;

	(void)f;
	(void)pkt;
	assert_int_equal(offset, g->size[dir]);
	assert_true(bytes.left > 0 && offset + bytes.left <= TEXT);
	memcpy(g->bytes[dir] + offset, bytes.p, bytes.left);
	g->size[dir] += bytes.left;
	return g->stop_after == 0 || g->size[dir] < g->stop_after;
}

struct line {
	struct pool *pool;
	struct flow f;
	struct got got;
	uint64_t demand;
};

static struct line *line_new(uint64_t demand)
{
	struct line *l = calloc(1, sizeof *l);
	struct pkt syn = flowtest_tcp(0, SECOND, TCP_SYN, ISN, 0, 0);

	l->pool = pool_new();
	l->f.part = 1;
	l->demand = demand;
	tcp_track(&l->f, &syn, 0, l->pool);
	l->f.side[0].packets = 1;
	return l;
}

static void line_free(struct line *l)
{
	arena_free(&l->f.arena, l->pool);
	assert_int_equal(pool_used(l->pool), 0);
	pool_free(l->pool);
	free(l);
}

static void segment(struct line *l, uint32_t from, uint32_t size, const uint8_t *bytes)
{
	struct pkt p = flowtest_tcp(0, 2 * SECOND, TCP_ACK, ISN + 1 + from, 1, size);

	p.payload = (struct rd){ bytes + from, size };
	p.tcp_next = tcp_expected(&l->f, &p, 0);
	p.tcp_class = (uint8_t)tcp_track(&l->f, &p, 0, l->pool);
	stream_packet(&l->f, &p, 0, l->demand, l->pool, take, &l->got);
}

/* An acknowledgement overtakes the SYN and what it carried. */
static void a_late_syn_brings_its_data(void **unused)
{
	(void)unused;
	struct line *l = calloc(1, sizeof *l);
	struct pkt syn = flowtest_tcp(0, SECOND, TCP_SYN, ISN, 0, 10);

	l->pool = pool_new();
	l->f.part = 1;
	l->demand = TEXT;
	segment(l, 20, 0, text);
	syn.payload = (struct rd){ text, 10 };
	syn.tcp_next = tcp_expected(&l->f, &syn, 0);
	syn.tcp_class = (uint8_t)tcp_track(&l->f, &syn, 0, l->pool);
	assert_int_equal(syn.tcp_class, TCP_CLASS_LATE);
	stream_packet(&l->f, &syn, 0, l->demand, l->pool, take, &l->got);
	assert_int_equal(l->got.size[0], 10);
	segment(l, 20, 100, text);
	assert_int_equal(l->got.size[0], 10);
	segment(l, 10, 10, text);
	assert_int_equal(l->got.size[0], 120);
	assert_memory_equal(l->got.bytes[0], text, 120);
	line_free(l);

	l = calloc(1, sizeof *l); /* in a later part its place says nothing */
	l->pool = pool_new();
	l->f.part = 2;
	l->demand = TEXT;
	segment(l, 20, 0, text);
	syn.payload_len = 0;
	syn.payload = (struct rd){ text, 0 };
	syn.tcp_class = (uint8_t)tcp_track(&l->f, &syn, 0, l->pool);
	stream_packet(&l->f, &syn, 0, l->demand, l->pool, take, &l->got);
	segment(l, 20, 100, text);
	assert_int_equal(l->got.size[0], 100);
	line_free(l);
}

/* Without a SYN the first payload begins the stream, whatever empty segments came before. */
static void the_first_payload_begins(void **unused)
{
	(void)unused;
	struct line *l = calloc(1, sizeof *l);

	l->pool = pool_new();
	l->f.part = 1;
	l->demand = TEXT;
	segment(l, 10, 0, text);
	segment(l, 2000, 0, text); /* a gap */
	segment(l, 10, 50, text + 0);
	assert_int_equal(l->got.size[0], 50);
	assert_memory_equal(l->got.bytes[0], text + 10, 50);
	line_free(l);
}

static void fin_ends_the_stream(void **unused)
{
	(void)unused;
	for (unsigned gap = 0; gap < 2; gap++) {
		struct line *l = line_new(TEXT);
		struct pkt fin = flowtest_tcp(0, SECOND, TCP_FIN | TCP_ACK, ISN + 1 + 100, 1, 0);

		if (gap)
			segment(l, 50, 10, text);
		segment(l, 0, 100, text);
		fin.tcp_next = tcp_expected(&l->f, &fin, 0);
		fin.tcp_class = (uint8_t)tcp_track(&l->f, &fin, 0, l->pool);
		stream_packet(&l->f, &fin, 0, l->demand, l->pool, take, &l->got);
		segment(l, 90, 300, text);
		assert_int_equal(l->got.size[0], 100);
		line_free(l);
	}
}

/* The SYN of a connection on the same ports was lost: a FIN from before is not its FIN. */
static void an_old_fin_ends_nothing(void **unused)
{
	(void)unused;
	struct line *l = calloc(1, sizeof *l);
	struct pkt fin = flowtest_tcp(0, SECOND, TCP_FIN | TCP_ACK, ISN - 5000, 1, 0);

	l->pool = pool_new();
	l->f.part = 1;
	l->demand = TEXT;
	tcp_track(&l->f, &fin, 0, l->pool);
	segment(l, 0, 100, text);
	assert_int_equal(l->got.size[0], 100);
	line_free(l);
}

static unsigned seed = 1;

static unsigned roll(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static void any_order_gives_the_text(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < 300; round++) {
		struct line *l = line_new(TEXT);
		bool covered[TEXT] = { false };
		size_t missing = TEXT;

		while (missing > 0) {
			uint32_t from = roll(TEXT), size = 1 + roll(round % 2 ? 30 : 700);

			if (from + size > TEXT)
				size = TEXT - from;
			segment(l, from, size, text);
			for (uint32_t i = from; i < from + size; i++) {
				missing -= !covered[i];
				covered[i] = true;
			}
		}
		assert_int_equal(l->got.size[0], TEXT);
		assert_memory_equal(l->got.bytes[0], text, TEXT);
		line_free(l);
	}
}

static void the_first_copy_stays(void **unused)
{
	(void)unused;
	static uint8_t other[TEXT];
	struct line *l = line_new(TEXT);

	memset(other, '!', TEXT);
	segment(l, 100, 100, text);
	segment(l, 50, 200, other); /* 50..100 and 200..250 are new */
	segment(l, 0, 300, other);
	assert_int_equal(l->got.size[0], 300);
	assert_memory_equal(l->got.bytes[0] + 100, text + 100, 100);
	assert_memory_equal(l->got.bytes[0], other, 100);
	assert_memory_equal(l->got.bytes[0] + 200, other, 100);
	line_free(l);
}

static void demand_and_done_end_it(void **unused)
{
	(void)unused;
	struct line *l = line_new(1000);

	segment(l, 2000, 500, text); /* beyond the demand: not even held */
	segment(l, 0, 900, text);
	segment(l, 900, 500, text);
	segment(l, 1400, 600, text);
	assert_int_equal(l->got.size[0], 1000);
	assert_memory_equal(l->got.bytes[0], text, 1000);
	line_free(l);

	l = line_new(TEXT);
	l->got.stop_after = 10;
	segment(l, 20, 20, text);
	segment(l, 0, 20, text);
	segment(l, 40, 20, text);
	assert_int_equal(l->got.size[0], 20);
	line_free(l);
}

static void waiting_bytes_are_bounded(void **unused)
{
	(void)unused;
	static uint8_t much[LIMIT_STREAM_PENDING + 70000];
	struct line *l = line_new(UINT64_MAX);

	for (uint32_t from = 1; from < LIMIT_STREAM_PENDING + 60000; from += 1000)
		segment(l, from, 1000, much);
	assert_true(l->f.marks & FLOW_CAPPED);
	segment(l, 0, 1, much);
	assert_int_equal(l->got.size[0], 0);
	line_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_syn_brings_its_data),
		cmocka_unit_test(the_first_payload_begins),
		cmocka_unit_test(fin_ends_the_stream),
		cmocka_unit_test(an_old_fin_ends_nothing),
		cmocka_unit_test(any_order_gives_the_text),
		cmocka_unit_test(the_first_copy_stays),
		cmocka_unit_test(demand_and_done_end_it),
		cmocka_unit_test(waiting_bytes_are_bounded),
	};

	for (unsigned i = 0; i < TEXT; i++)
		text[i] = (uint8_t)(i * 7 + i / 256);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
