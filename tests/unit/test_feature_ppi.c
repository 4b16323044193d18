/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_ppi.c - per-packet header facts of TCP. */
#include "unit/feature_kit.h"

extern const struct feature feature_ppi;

static void show(struct kit *k, unsigned dir, uint16_t flags, uint32_t seq, uint32_t ack,
		uint32_t payload_len, int64_t ns)
{
	k->pkt.tcp_flags = flags;
	k->pkt.seq = seq;
	k->pkt.ack = ack;
	kit_packet(k, dir, payload_len, ns);
}

static void numbers_are_relative(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_ppi, 1000);
	k.pkt.transport_len = 40;
	show(&k, 0, TCP_SYN, 0xffffffff, 77, 0, 1000);
	show(&k, 1, TCP_SYN | TCP_ACK, 5000, 0, 0, 3000);
	k.pkt.transport_len = 20;
	show(&k, 0, TCP_ACK, 0, 5001, 0, 4000);
	show(&k, 0, TCP_PSH | TCP_ACK, 0, 5001, 1000000, 5000);
	show(&k, 1, TCP_ACK | TCP_ECE, 4000, 1000000, 1, 4500);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "ppi"), 5);
	assert_int_equal(kit_int(&k, "ppi.0.seq"), 0);
	assert_int_equal(kit_int(&k, "ppi.0.ack"), -1); /* null: no ACK flag */
	assert_int_equal(kit_int(&k, "ppi.0.olen"), 20);
	assert_true(kit_is(&k, "ppi.0.flags", "S"));
	assert_true(kit_is(&k, "ppi.0.dir", ">"));
	assert_int_equal(kit_int(&k, "ppi.0.t"), 0);
	assert_int_equal(kit_int(&k, "ppi.1.seq"), 0);
	assert_int_equal(kit_int(&k, "ppi.1.ack"), 1);
	assert_true(kit_is(&k, "ppi.1.flags", "SA"));
	assert_true(kit_is(&k, "ppi.1.dir", "<"));
	assert_int_equal(kit_int(&k, "ppi.1.t"), 2000);
	assert_int_equal(kit_int(&k, "ppi.2.seq"), 1);
	assert_int_equal(kit_int(&k, "ppi.2.ack"), 1);
	assert_int_equal(kit_int(&k, "ppi.2.olen"), 0);
	assert_int_equal(kit_int(&k, "ppi.3.b"), 1000000);
	assert_true(kit_is(&k, "ppi.3.flags", "PA"));
	assert_int_equal(kit_int(&k, "ppi.4.seq"), UINT32_MAX - 999);
	assert_int_equal(kit_int(&k, "ppi.4.ack"), 1000001);
	assert_true(kit_is(&k, "ppi.4.flags", "AE"));
	assert_int_equal(kit_int(&k, "ppi.4.t"), 4000); /* never back */
	kit_free(&k);
}

static void all_flags_have_a_letter(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_ppi, 0);
	show(&k, 0, 0x1ff, 1, 2, 0, 1);
	show(&k, 0, 0, 1, 2, 0, 1);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "ppi.0.flags", "FSRPAUECN"));
	assert_true(kit_is(&k, "ppi.1.flags", ""));
	kit_free(&k);
}

static void without_the_other_direction_no_ack(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_ppi, 0);
	show(&k, 0, TCP_ACK, 900, 2, 0, 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "ppi.0.seq"), 0);
	assert_int_equal(kit_int(&k, "ppi.0.ack"), -1);
	kit_free(&k);
}

static void stops_at_num_pkts(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_ppi, 0);
	k.conf.num_pkts = 3;
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(k.done, i >= 3);
		show(&k, 0, TCP_ACK, i * 0x40000000, i, i * 1000, i);
	}
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "ppi"), 3);
	assert_int_equal(kit_int(&k, "ppi.2.seq"), 0x80000000);
	assert_int_equal(kit_int(&k, "ppi.2.b"), 2000);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_relative),
		cmocka_unit_test(all_flags_have_a_letter),
		cmocka_unit_test(without_the_other_direction_no_ack),
		cmocka_unit_test(stops_at_num_pkts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
