/* SPDX-License-Identifier: BSD-3-Clause */
/* test_journal.c - what is read from a journal is what was written, for any packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feature/journal.h"
#include "random_kit.h"

enum { PACKETS = 200 };

struct world {
	struct flow flow;
	struct pool *pool;
	struct journal journal;
	struct pkt pkt[PACKETS];
};

static struct world *world_new(uint8_t proto)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->pool = pool_new();
	assert_non_null(w->pool);
	w->flow.key.proto = proto;
	w->flow.start_ns = -5;
	return w;
}

static void world_free(struct world *w)
{
	arena_free(&w->flow.arena, w->pool);
	pool_free(w->pool);
	free(w);
}

/* Writes until it is full; returns how many fitted. */
static size_t write_all(struct world *w, size_t count)
{
	size_t n = 0;

	while (n < count && journal_add(&w->journal, w->pool, &w->flow, &w->pkt[n]))
		n++;
	return n;
}

static void same(const struct pkt *got, const struct pkt *want)
{
	assert_int_equal(got->proto, want->proto);
	assert_int_equal(got->dir, want->dir);
	assert_int_equal(got->now_ns, want->now_ns);
	assert_int_equal(got->payload_len, want->payload_len);
	assert_int_equal(got->ip_len, want->ip_len);
	assert_int_equal(got->transport_len, want->transport_len);
	assert_int_equal(got->marks, want->marks & (PKT_FRAGMENT | PKT_BAD_TRANSPORT));
	assert_int_equal(pkt_is_old(got), pkt_is_old(want));
	if (!pkt_is_segment(want))
		return;
	assert_int_equal(got->tcp_flags, want->tcp_flags);
	assert_int_equal(got->seq, want->seq);
	assert_int_equal(got->ack, want->ack);
}

static void read_all(const struct world *w, size_t count)
{
	struct journal_packet packets[JOURNAL_PACKETS];
	struct pkt pkt;

	assert_int_equal(journal_list(&w->journal, &w->flow, packets), count);
	for (size_t i = 0; i < count; i++) {
		memset(&pkt, 0x5a, sizeof pkt);
		journal_show(&packets[i], w->flow.key.proto, &pkt);
		same(&pkt, &w->pkt[i]);
		assert_int_equal(packets[i].segment, pkt_is_segment(&w->pkt[i]));
		assert_int_equal(packets[i].old, pkt_is_old(&w->pkt[i]));
	}
}

/* An ordinary connection: eight bytes a packet, so that thirty packets are in a journal. */
static void make_usual(struct world *w)
{
	uint32_t next[2] = { 1000, 77000 };
	int64_t now = -5;

	for (size_t i = 0; i < PACKETS; i++) {
		unsigned dir = i % 3 == 1;

		w->pkt[i] = (struct pkt){ .proto = PROTO_TCP,
			.dir = (uint8_t)dir,
			.now_ns = now,
			.payload_len = i % 3 == 0 ? 0 : 1400,
			.transport_len = 32,
			.tcp_flags = TCP_ACK,
			.seq = next[dir],
			.ack = next[!dir] };
		w->pkt[i].ip_len = 20 + 32 + w->pkt[i].payload_len;
		next[dir] += w->pkt[i].payload_len;
		now += 1000000 + (int64_t)(next_random() % 50000000);
	}
}

static void usual_packets_are_small(void **unused)
{
	(void)unused;
	struct world *w = world_new(PROTO_TCP);

	make_usual(w);

	size_t n = write_all(w, PACKETS);

	assert_in_range(n, 28, PACKETS - 1);
	read_all(w, n);
	world_free(w);
}

/* A number of any size, small ones more often. */
static uint32_t some(void)
{
	return (uint32_t)(next_random() >> (32 + next_random() % 32));
}

static struct pkt any_packet(uint8_t proto, int64_t *now)
{
	static const uint16_t marks[] = { 0, 0, PKT_TRUNCATED, PKT_FRAGMENT, PKT_BAD_TRANSPORT };
	struct pkt p = { .proto = proto,
		.dir = next_random() & 1,
		.tcp_class = (uint8_t)(next_random() % TCP_CLASSES),
		.marks = marks[next_random() % 5],
		.payload_len = some(),
		.ip_len = some() };

	*now += (int64_t)(next_random() >> (10 + next_random() % 54));
	p.now_ns = *now;
	if ((proto == PROTO_UDP || proto == PROTO_UDPLITE) &&
			!(p.marks & (PKT_FRAGMENT | PKT_BAD_TRANSPORT)))
		p.transport_len = 8;
	if (pkt_is_segment(&p)) {
		p.transport_len = (uint8_t)(20 + 4 * (next_random() % 11));
		p.tcp_flags = next_random() & 0x1ff;
		p.seq = some();
		p.ack = some();
	}
	return p;
}

static void any_packets_survive(void **unused)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_UDPLITE, PROTO_ICMP };

	(void)unused;
	for (unsigned round = 0; round < 2000; round++) {
		struct world *w = world_new(protos[round % 4]);
		int64_t now = w->flow.start_ns;

		for (size_t i = 0; i < PACKETS; i++)
			w->pkt[i] = any_packet(w->flow.key.proto, &now);
		read_all(w, write_all(w, PACKETS));
		world_free(w);
	}
}

/* Nothing but a direction: so many packets there can be, and no more. */
static void the_smallest_packets(void **unused)
{
	(void)unused;
	struct world *w = world_new(PROTO_ICMP);

	for (size_t i = 0; i < PACKETS; i++)
		w->pkt[i] = (struct pkt){ .proto = PROTO_ICMP, .dir = i & 1, .now_ns = -5 };
	assert_int_equal(write_all(w, PACKETS), JOURNAL_PACKETS);
	read_all(w, JOURNAL_PACKETS);
	world_free(w);
}

static void empty_and_without_memory(void **unused)
{
	(void)unused;
	struct world *w = world_new(PROTO_TCP);

	read_all(w, 0);
	make_usual(w);
	pool_limit(w->pool, 1);
	assert_false(journal_add(&w->journal, w->pool, &w->flow, &w->pkt[0]));
	assert_true(w->flow.marks & FLOW_NO_MEMORY);
	read_all(w, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_packets_are_small),
		cmocka_unit_test(any_packets_survive),
		cmocka_unit_test(the_smallest_packets),
		cmocka_unit_test(empty_and_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
