/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tcp.c - each class of segment, the handshake, and every way a connection ends or begins
 * anew. */
#include "flowtest.h"

#include "flow/tcp.h"

struct conn {
	struct pool *pool;
	struct flow f;
	uint64_t number;
};

static struct conn *conn_new(void)
{
	struct conn *c = calloc(1, sizeof *c);

	c->pool = pool_new();
	c->f.rtt_ns = -1;
	c->f.part = 1;
	c->f.part_number = 1;
	return c;
}

static void conn_free(struct conn *c)
{
	arena_free(&c->f.arena, c->pool);
	pool_free(c->pool);
	free(c);
}

/* As the flow table does it. */
static enum tcp_class send_at(struct conn *c, int64_t ns, bool back, uint16_t flags, uint32_t seq,
		uint32_t ack, uint32_t size)
{
	struct pkt p = flowtest_tcp(back, ns, flags, seq, ack, size);

	p.number = ++c->number;
	p.ip_id = (uint16_t)c->number;
	enum tcp_class class = tcp_track(&c->f, &p, back, c->pool);

	if (c->number == 1)
		c->f.start_ns = ns;
	c->f.side[back].packets++;
	c->f.side[back].last_ns = ns;
	return class;
}

static enum tcp_class send(struct conn *c, bool back, uint16_t flags, uint32_t seq, uint32_t ack,
		uint32_t size)
{
	return send_at(c, (int64_t)(c->number + 1) * SECOND / 100, back, flags, seq, ack, size);
}

static struct conn *connected(uint32_t client_isn, uint32_t server_isn)
{
	struct conn *c = conn_new();

	assert_int_equal(send(c, 0, TCP_SYN, client_isn, 0, 0), TCP_CLASS_NEW);
	assert_int_equal(send(c, 1, TCP_SYN | TCP_ACK, server_isn, client_isn + 1, 0),
			TCP_CLASS_NEW);
	assert_int_equal(send(c, 0, TCP_ACK, client_isn + 1, server_isn + 1, 0), TCP_CLASS_NEW);
	return c;
}

static void handshake_gives_rtt(void **unused)
{
	(void)unused;
	struct conn *c = connected(1000, 5000);

	assert_int_equal(c->f.rtt_ns, SECOND / 100 * 2);
	conn_free(c);

	c = conn_new(); /* a SYN sent twice leaves it open */
	send(c, 0, TCP_SYN, 1000, 0, 0);
	assert_int_equal(send(c, 0, TCP_SYN, 1000, 0, 0), TCP_CLASS_RETRANS);
	send(c, 1, TCP_SYN | TCP_ACK, 5000, 1001, 0);
	send(c, 0, TCP_ACK, 1001, 5001, 0);
	assert_true(c->f.rtt_ns < 0);
	conn_free(c);
}

static void rtt_is_in_flow_time(void **unused)
{
	(void)unused;
	struct conn *c = conn_new();

	send_at(c, SECOND, 0, TCP_SYN, 1000, 0, 0);
	send_at(c, 3 * SECOND, 1, TCP_SYN | TCP_ACK, 5000, 1001, 0);
	send_at(c, 2 * SECOND, 0, TCP_ACK, 1001, 5001, 0); /* the clock was set back */
	assert_int_equal(c->f.rtt_ns, 2 * SECOND);
	send_at(c, 4 * SECOND, 0, TCP_SYN, 1000, 0, 0); /* a late copy leaves it as it is */
	assert_int_equal(c->f.rtt_ns, 2 * SECOND);
	conn_free(c);
}

/* ... and in no part but the first. */
static void a_later_part_has_no_rtt(void **unused)
{
	(void)unused;
	struct conn *c = conn_new(), *next = conn_new();

	send(c, 0, TCP_SYN, 1000, 0, 0);
	send(c, 1, TCP_SYN | TCP_ACK, 5000, 1001, 0);
	next->f.part = 2;
	next->f.rtt_ns = -2;
	next->number = c->number;
	tcp_inherit(&next->f, &c->f, next->pool);
	send(next, 0, TCP_ACK, 1001, 5001, 0);
	assert_int_equal(next->f.rtt_ns, -2);
	conn_free(c);
	conn_free(next);
}

static void tells_classes_apart(void **unused)
{
	(void)unused;
	struct conn *c = connected(1000, 5000);

	assert_int_equal(send(c, 0, TCP_ACK, 1001, 5001, 100), TCP_CLASS_NEW);     /* ..1101 */
	assert_int_equal(send(c, 0, TCP_ACK, 1001, 5001, 100), TCP_CLASS_RETRANS); /* all seen */
	assert_int_equal(send(c, 0, TCP_ACK, 1201, 5001, 100),
			TCP_CLASS_GAP); /* 1101..1201 missing */
	assert_true(c->f.marks & FLOW_GAP);
	assert_int_equal(send(c, 0, TCP_ACK, 1101, 5001, 50), TCP_CLASS_LATE);
	assert_int_equal(send(c, 0, TCP_ACK, 1101, 5001, 100),
			TCP_CLASS_OVERLAP); /* half of it seen */
	assert_false(c->f.marks & FLOW_GAP);
	assert_int_equal(send(c, 0, TCP_ACK, 1251, 5001, 100), TCP_CLASS_OVERLAP); /* ..1351 */
	assert_int_equal(send(c, 0, TCP_ACK, 1350, 5001, 0), TCP_CLASS_KEEP_ALIVE);
	assert_int_equal(send(c, 0, TCP_ACK, 1350, 5001, 1), TCP_CLASS_KEEP_ALIVE);
	assert_int_equal(send(c, 0, TCP_ACK, 1351, 5001, 1), TCP_CLASS_NEW);

	struct flow_trouble t = flow_trouble(&c->f, 0);
	assert_int_equal(t.retrans, 1);
	assert_int_equal(t.gaps, 1);
	assert_int_equal(t.late, 1);
	assert_int_equal(t.overlap, 2);
	assert_int_equal(t.keep_alive, 2);
	assert_int_equal(t.duplicate, 0);
	conn_free(c);
}

static void sequence_numbers_wrap(void **unused)
{
	(void)unused;
	struct conn *c = connected(0xffffffc0, 5000);

	assert_int_equal(send(c, 0, TCP_ACK, 0xffffffc1, 5001, 100), TCP_CLASS_NEW);
	assert_int_equal(send(c, 0, TCP_ACK, 0x25, 5001, 100), TCP_CLASS_NEW);
	assert_int_equal(send(c, 0, TCP_ACK, 0xffffffc1, 5001, 100), TCP_CLASS_RETRANS);
	assert_int_equal(send(c, 0, TCP_ACK, 0x89, 5001, 100), TCP_CLASS_NEW);
	conn_free(c);
}

static void a_copy_is_no_retransmission(void **unused)
{
	(void)unused;
	struct conn *c = connected(1000, 5000);
	struct pkt p = flowtest_tcp(0, SECOND, TCP_ACK, 1001, 5001, 100);

	p.ip_id = 9;
	assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_NEW);
	c->f.side[0].last_ns = p.ns;
	p.ns += 10000;
	assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_DUPLICATE);
	c->f.side[0].last_ns = p.ns;
	p.ns += 3000000; /* the same 3 ms later was sent again */
	assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_RETRANS);
	c->f.side[0].last_ns = p.ns;
	p.ns += 10000;
	p.seq = 1101; /* empty, and the options that could tell were cut */
	p.payload_len = 0;
	p.ip_id = 0;
	p.tcp_options = (struct rd){ (const uint8_t *)"\1\1\5\12........", 12 };
	p.marks = PKT_TRUNCATED;
	assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_NEW);
	assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_NEW);
	p.marks = 0;
	assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_DUPLICATE);
	p.seq = 1001;
	p.payload_len = 100;
	p.tcp_options.left = 0;
	p.ip_id = 10; /* its own identification: another packet */
	assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_RETRANS);
	conn_free(c);
}

/* Options of any size, and each of their bytes. */
static void options_tell_copies(void **unused)
{
	(void)unused;
	uint8_t options[40];
	struct conn *c = connected(1000, 5000);
	struct pkt p = flowtest_tcp(0, SECOND, TCP_ACK, 1001, 5001, 100);

	memset(options, 1, sizeof options);
	p.ip_id = 9;
	tcp_track(&c->f, &p, 0, c->pool);
	c->f.side[0].last_ns = p.ns;
	for (uint32_t size = 0; size <= sizeof options; size += 4) {
		p.tcp_options = (struct rd){ size > 0 ? options : NULL, size };
		tcp_track(&c->f, &p, 0, c->pool);
		assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_DUPLICATE);
		for (uint32_t i = 0; i < size; i++) {
			options[i] ^= 0x10;
			assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_RETRANS);
			assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_DUPLICATE);
			options[i] ^= 0x10;
			assert_int_equal(tcp_track(&c->f, &p, 0, c->pool), TCP_CLASS_RETRANS);
		}
	}
	conn_free(c);
}

/* Flags and length take part in the comparison each by itself. */
static void data_behind_its_acknowledgement_is_no_copy(void **unused)
{
	(void)unused;
	for (uint32_t isn = 0; isn < 64; isn++) {
		for (uint32_t size = 1; size < 64; size++) {
			struct conn *c = connected(isn, 5000);
			struct pkt ack = flowtest_tcp(0, SECOND, TCP_ACK, isn + 1, 5001, 0);
			struct pkt data = flowtest_tcp(
					0, SECOND, TCP_ACK | TCP_PSH, isn + 1, 5001, size);

			ack.ip_id = data.ip_id = 7;
			tcp_track(&c->f, &ack, 0, c->pool);
			assert_int_equal(tcp_track(&c->f, &data, 0, c->pool), TCP_CLASS_NEW);
			conn_free(c);
		}
	}
}

static void too_many_gaps_are_marked(void **unused)
{
	(void)unused;
	struct conn *c = connected(1000, 5000);

	for (uint32_t i = 0; i < LIMIT_TCP_HOLES + 5; i++)
		assert_int_equal(send(c, 0, TCP_ACK, 1001 + 100 + 200 * i, 5001, 100),
				TCP_CLASS_GAP);
	assert_true(c->f.marks & FLOW_CAPPED);
	assert_true(c->f.marks & FLOW_GAP);
	/* the last ones are remembered */
	assert_int_equal(send(c, 0, TCP_ACK, 1001 + 200 * (LIMIT_TCP_HOLES + 4), 5001, 100),
			TCP_CLASS_LATE);
	/* the middle of a hole, with the list full */
	for (uint32_t i = 0; i < LIMIT_TCP_HOLES; i++)
		send(c, 0, TCP_ACK, 100001 + 1000 * i, 5001, 100);
	assert_int_equal(send(c, 0, TCP_ACK, 114501, 5001, 100), TCP_CLASS_LATE);
	assert_int_equal(send(c, 0, TCP_ACK, 114501, 5001, 100), TCP_CLASS_RETRANS);
	conn_free(c);
}

static void fin_both_ways_closes(void **unused)
{
	(void)unused;
	struct conn *c = connected(1000, 5000);

	send(c, 0, TCP_FIN | TCP_ACK, 1001, 5001, 0);
	send(c, 1, TCP_ACK, 5001, 1002, 0);
	assert_false(c->f.marks & FLOW_CLOSED); /* half closed */
	send(c, 1, TCP_ACK, 5001, 1002, 1000);
	send(c, 0, TCP_ACK, 1002, 6001, 0);
	send(c, 1, TCP_FIN | TCP_ACK, 6001, 1002, 0);
	assert_false(c->f.marks & FLOW_CLOSED);
	send(c, 0, TCP_ACK, 1002, 6002, 0);
	assert_true(c->f.marks & FLOW_CLOSED);
	conn_free(c);
}

static void an_overtaken_fin_closes(void **unused)
{
	(void)unused;
	struct conn *c = connected(1000, 5000);

	send(c, 0, TCP_FIN | TCP_ACK, 1001, 5001, 0);
	send(c, 1, TCP_ACK, 5001, 1002, 0);
	send(c, 0, TCP_ACK, 1002, 5002, 0); /* acknowledges what comes next */
	assert_false(c->f.marks & FLOW_CLOSED);
	send(c, 1, TCP_FIN | TCP_ACK, 5001, 1002, 0);
	assert_true(c->f.marks & FLOW_CLOSED);
	conn_free(c);
}

static void reset_in_window_closes(void **unused)
{
	(void)unused;
	struct conn *c = connected(1000, 5000);

	send(c, 1, TCP_RST, 5001 + 2000000, 0, 0); /* blind, far off */
	assert_false(c->f.marks & FLOW_CLOSED);
	send(c, 1, TCP_RST, 4000, 0, 0); /* old */
	assert_false(c->f.marks & FLOW_CLOSED);
	send(c, 1, TCP_RST, 5001, 0, 0);
	assert_true(c->f.marks & FLOW_CLOSED);
	conn_free(c);

	c = conn_new(); /* a closed port answers */
	send(c, 0, TCP_SYN, 1000, 0, 0);
	send(c, 1, TCP_RST | TCP_ACK, 0, 999, 0);
	assert_false(c->f.marks & FLOW_CLOSED);
	send(c, 1, TCP_RST | TCP_ACK, 0, 1001, 0);
	assert_true(c->f.marks & FLOW_CLOSED);
	conn_free(c);
}

static bool anew(struct conn *c, bool back, uint16_t flags, uint32_t seq, uint32_t ack)
{
	struct pkt p = flowtest_tcp(back, SECOND, flags, seq, ack, 0);

	return tcp_starts_anew(&c->f, &p, back);
}

static void syn_starts_anew(void **unused)
{
	(void)unused;
	struct conn *c = connected(1000, 5000);

	assert_false(anew(c, 0, TCP_SYN, 1000, 0)); /* sent again */
	assert_true(anew(c, 0, TCP_SYN, 9000, 0));
	assert_false(anew(c, 1, TCP_SYN | TCP_ACK, 5000, 1001));
	assert_true(anew(c, 1, TCP_SYN | TCP_ACK, 5500, 1001));
	conn_free(c);

	c = connected(1000, 5000); /* after the close even with the same number */
	send(c, 0, TCP_RST, 1001, 0, 0);
	assert_true(c->f.marks & FLOW_CLOSED);
	assert_true(anew(c, 0, TCP_SYN, 1000, 0));
	assert_false(anew(c, 1, TCP_SYN | TCP_ACK, 5000, 1001));
	assert_true(anew(c, 1, TCP_SYN | TCP_ACK, 6000, 1001));
	conn_free(c);

	c = conn_new(); /* SYN-ACK first, then the SYN it answered */
	send(c, 1, TCP_SYN | TCP_ACK, 5000, 1001, 0);
	assert_false(anew(c, 0, TCP_SYN, 1000, 0));
	assert_true(anew(c, 0, TCP_SYN, 2000, 0));
	send(c, 0, TCP_ACK, 1001, 5001, 100);
	send(c, 1, TCP_ACK, 5001, 1101, 0); /* the SYN is late, but it is that SYN */
	assert_false(anew(c, 0, TCP_SYN, 1000, 0));
	assert_true(anew(c, 0, TCP_SYN, 1100, 0));
	conn_free(c);

	c = conn_new(); /* the SYN carried ten bytes, and its answer acknowledges them */
	send(c, 1, TCP_SYN | TCP_ACK, 5000, 1011, 0);
	struct pkt fast = flowtest_tcp(0, 0, TCP_SYN, 1000, 0, 10);
	assert_false(tcp_starts_anew(&c->f, &fast, 0));
	fast.payload_len = 9;
	assert_true(tcp_starts_anew(&c->f, &fast, 0));
	conn_free(c);

	c = conn_new(); /* simultaneous open */
	send(c, 0, TCP_SYN, 1000, 0, 0);
	assert_false(anew(c, 1, TCP_SYN, 5000, 0));
	conn_free(c);

	c = conn_new(); /* the same, the second SYN behind other segments */
	send(c, 0, TCP_SYN, 1000, 0, 0);
	send(c, 0, TCP_ACK, 1001, 7777, 0);
	assert_false(anew(c, 1, TCP_SYN, 5000, 0));
	send(c, 0, TCP_SYN | TCP_ACK, 1000, 5001, 0);
	assert_false(anew(c, 1, TCP_SYN, 5000, 0));
	assert_true(anew(c, 1, TCP_SYN, 6000, 0));
	conn_free(c);

	c = conn_new(); /* in the middle of another connection */
	send(c, 0, TCP_ACK, 1000, 5000, 10);
	assert_true(anew(c, 0, TCP_SYN, 7000, 0));
	conn_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake_gives_rtt),
		cmocka_unit_test(rtt_is_in_flow_time),
		cmocka_unit_test(a_later_part_has_no_rtt),
		cmocka_unit_test(tells_classes_apart),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(a_copy_is_no_retransmission),
		cmocka_unit_test(options_tell_copies),
		cmocka_unit_test(data_behind_its_acknowledgement_is_no_copy),
		cmocka_unit_test(too_many_gaps_are_marked),
		cmocka_unit_test(fin_both_ways_closes),
		cmocka_unit_test(an_overtaken_fin_closes),
		cmocka_unit_test(reset_in_window_closes),
		cmocka_unit_test(syn_starts_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
