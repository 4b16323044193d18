/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_packets.c - which packets SPLT lists, and their times. */
#include "unit/feature_kit.h"

extern const struct feature feature_packets;

static void lists_data_packets_of_both_directions(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_packets, 1000);
	kit_packet(&k, 0, 0, 1000);
	kit_packet(&k, 0, 100, 5000);
	kit_packet(&k, 1, 0, 6000);
	kit_packet(&k, 1, 70000, 7000000123);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "packets"), 2);
	assert_int_equal(kit_int(&k, "packets.0.b"), 100);
	assert_true(kit_is(&k, "packets.0.dir", ">"));
	assert_int_equal(kit_int(&k, "packets.0.ipt"), 0);
	assert_int_equal(kit_int(&k, "packets.1.b"), 70000);
	assert_true(kit_is(&k, "packets.1.dir", "<"));
	assert_int_equal(kit_int(&k, "packets.1.ipt"), 7000000123 - 5000);
	kit_free(&k);
}

static void zeros_adds_empty_packets_but_no_fragments(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_packets, 0);
	k.conf.zeros = true;
	kit_packet(&k, 0, 0, 1);
	k.pkt.marks = PKT_FRAGMENT;
	kit_packet(&k, 0, 0, 2);
	k.pkt.marks = PKT_REASSEMBLED;
	kit_packet(&k, 0, 3000, 3);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "packets"), 2);
	assert_int_equal(kit_int(&k, "packets.0.b"), 0);
	assert_int_equal(kit_int(&k, "packets.1.b"), 3000);
	assert_int_equal(kit_int(&k, "packets.1.ipt"), 2);
	kit_free(&k);
}

static size_t listed(uint8_t class, bool retrans, uint8_t proto)
{
	struct kit k;
	size_t n;

	kit_start(&k, &feature_packets, 0);
	k.conf.retrans = retrans;
	k.pkt.tcp_class = class;
	k.pkt.proto = proto;
	kit_packet(&k, 0, 10, 1);
	assert_true(kit_finish(&k));
	n = kit_count_of(&k, "packets");
	kit_free(&k);
	return n;
}

static void leaves_out_what_brings_nothing_new(void **unused)
{
	static const uint8_t old[] = { TCP_CLASS_RETRANS, TCP_CLASS_DUPLICATE,
		TCP_CLASS_KEEP_ALIVE };
	static const uint8_t new[] = { TCP_CLASS_NEW, TCP_CLASS_GAP, TCP_CLASS_LATE,
		TCP_CLASS_OVERLAP };

	(void)unused;
	for (size_t i = 0; i < sizeof old; i++) {
		assert_int_equal(listed(old[i], false, PROTO_TCP), 0);
		assert_int_equal(listed(old[i], true, PROTO_TCP), 1);
		assert_int_equal(listed(old[i], false, PROTO_UDP), 1);
	}
	for (size_t i = 0; i < sizeof new; i++)
		assert_int_equal(listed(new[i], false, PROTO_TCP), 1);
}

static void stops_at_num_pkts(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_packets, 0);
	k.conf.num_pkts = 1000;
	for (uint32_t i = 0; i < 1500; i++) {
		assert_int_equal(k.done, i >= 1000);
		kit_packet(&k, i % 3 == 0, i * 100003 + 1, i * INT64_C(123456789));
	}
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "packets"), 1000);
	assert_int_equal(kit_int(&k, "packets.999.b"), 999 * 100003 + 1);
	assert_true(kit_is(&k, "packets.999.dir", "<"));
	assert_true(kit_is(&k, "packets.998.dir", ">"));
	assert_int_equal(kit_int(&k, "packets.999.ipt"), 123456789);
	kit_free(&k);
}

static void time_never_runs_backwards(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_packets, 100);
	kit_packet(&k, 0, 1, 100);
	kit_packet(&k, 1, 1, 40);
	kit_packet(&k, 0, 1, 130);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "packets.1.ipt"), 0);
	assert_int_equal(kit_int(&k, "packets.2.ipt"), 30);
	kit_free(&k);
}

static void is_on_for_type_1_only(void **unused)
{
	struct conf conf = { .num_pkts = 50, .type = 1 };

	(void)unused;
	assert_true(feature_packets.enabled(&conf, NULL));
	conf.type = 2;
	assert_false(feature_packets.enabled(&conf, NULL));
	conf = (struct conf){ .num_pkts = 0, .type = 1 };
	assert_false(feature_packets.enabled(&conf, NULL));
}

static void is_empty_without_data(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_packets, 0);
	kit_packet(&k, 0, 0, 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "packets"), 0);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_data_packets_of_both_directions),
		cmocka_unit_test(zeros_adds_empty_packets_but_no_fragments),
		cmocka_unit_test(leaves_out_what_brings_nothing_new),
		cmocka_unit_test(stops_at_num_pkts),
		cmocka_unit_test(time_never_runs_backwards),
		cmocka_unit_test(is_on_for_type_1_only),
		cmocka_unit_test(is_empty_without_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
