/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_icmp.c - types, sequence numbers, and which reply answers which request. */
#include <math.h>

#include "unit/feature_kit.h"

extern const struct feature feature_icmp;

static void start(struct kit *k)
{
	kit_start(k, &feature_icmp, 0);
	k->flow.key.proto = k->pkt.proto = PROTO_ICMP;
}

static void send(struct kit *k, unsigned dir, uint8_t type, uint16_t seq, int64_t ns)
{
	uint8_t message[8] = { type, 0, 0, 0, 0, 1, (uint8_t)(seq >> 8), (uint8_t)seq };

	k->pkt.icmp_type = type;
	k->pkt.body = k->pkt.payload = (struct rd){ message, sizeof message };
	kit_packet(k, dir, sizeof message, ns);
}

static void times_echoes(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	for (uint16_t i = 0; i < 3; i++) {
		send(&k, 0, 8, (uint16_t)(0xff00 + i), i * 100 * KIT_MS);
		send(&k, 1, 0, (uint16_t)(0xff00 + i), (i * 100 + 10 * (i + 1)) * KIT_MS);
	}
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "icmp.out.n"), 3);
	assert_int_equal(kit_int(&k, "icmp.out.requests"), 3);
	assert_int_equal(kit_int(&k, "icmp.out.replies"), 0);
	assert_int_equal(kit_int(&k, "icmp.out.first_seq"), 0xff00);
	assert_int_equal(kit_int(&k, "icmp.out.last_seq"), 0xff02);
	assert_int_equal(kit_int(&k, "icmp.in.replies"), 3);
	assert_int_equal(kit_count_of(&k, "icmp.in.types"), 1);
	assert_int_equal(kit_int(&k, "icmp.in.types.0.n"), 3);
	assert_int_equal(kit_int(&k, "icmp.rtt.n"), 3);
	assert_int_equal(kit_int(&k, "icmp.rtt.min_ms"), 10 * KIT_MS);
	assert_int_equal(kit_int(&k, "icmp.rtt.max_ms"), 30 * KIT_MS);
	assert_true(kit_double(&k, "icmp.rtt.mean_ms") == 20);
	assert_true(fabs(kit_double(&k, "icmp.rtt.std_ms") - 10) < 1e-12);
	kit_free(&k);
}

static void a_reply_counts_once_and_for_the_other_side(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	send(&k, 0, 8, 1, 0);
	send(&k, 0, 0, 1, 1); /* same direction */
	send(&k, 1, 0, 2, 2); /* other number */
	send(&k, 1, 0, 1, 5);
	send(&k, 1, 0, 1, 6); /* duplicate */
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "icmp.rtt.n"), 1);
	assert_int_equal(kit_int(&k, "icmp.rtt.max_ms"), 5);
	assert_true(isnan(kit_double(&k, "icmp.rtt.std_ms")));
	kit_free(&k);
}

static void the_latest_request_is_answered(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	send(&k, 0, 8, 1, 0);
	send(&k, 0, 8, 1, 100);
	send(&k, 1, 0, 1, 110);
	send(&k, 1, 0, 1, 120);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "icmp.rtt.n"), 2);
	assert_int_equal(kit_int(&k, "icmp.rtt.min_ms"), 10);
	assert_int_equal(kit_int(&k, "icmp.rtt.max_ms"), 120);
	kit_free(&k);
}

static void the_last_32_requests_are_remembered(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	for (uint16_t i = 0; i < 100; i++)
		send(&k, 0, 8, i, i);
	send(&k, 1, 0, 67, 1000);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "icmp.rtt.n"), 0);
	assert_int_equal(kit_int(&k, "icmp.rtt.min_ms"), -1);
	send(&k, 1, 0, 68, 1000);
	send(&k, 1, 0, 99, 1000);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "icmp.rtt.n"), 2);
	assert_int_equal(kit_int(&k, "icmp.rtt.max_ms"), 1000 - 68);
	assert_int_equal(k.flow.marks, 0);
	kit_free(&k);
}

static void time_never_runs_backwards(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	send(&k, 0, 8, 1, 100);
	send(&k, 1, 0, 1, 50);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "icmp.rtt.min_ms"), 0);
	kit_free(&k);
}

static void version_6_has_other_numbers(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	k.pkt.proto = PROTO_ICMPV6;
	send(&k, 0, 128, 9, 0);
	send(&k, 1, 129, 9, 7);
	send(&k, 1, 0, 9, 8);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "icmp.out.requests"), 1);
	assert_int_equal(kit_int(&k, "icmp.in.replies"), 1);
	assert_int_equal(kit_int(&k, "icmp.rtt.n"), 1);
	kit_free(&k);
}

static void kinds_are_capped_and_the_cap_is_marked(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	for (unsigned i = 0; i < LIMIT_ICMP_TYPES; i++)
		send(&k, 0, (uint8_t)(40 + i), 0, 1);
	assert_int_equal(k.flow.marks, 0);
	send(&k, 0, 99, 0, 1);
	send(&k, 0, 41, 0, 1);
	assert_true(kit_finish(&k));
	assert_true(k.flow.marks & FLOW_CAPPED);
	assert_int_equal(kit_int(&k, "icmp.out.n"), LIMIT_ICMP_TYPES + 2);
	assert_int_equal(kit_count_of(&k, "icmp.out.types"), LIMIT_ICMP_TYPES);
	assert_int_equal(kit_int(&k, "icmp.out.types.1.type"), 41);
	assert_int_equal(kit_int(&k, "icmp.out.types.1.n"), 2);
	assert_int_equal(kit_int(&k, "icmp.out.first_seq"), -1);
	kit_free(&k);
}

static void cut_echoes_and_fragments(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	k.pkt.icmp_type = 8;
	k.pkt.body = (struct rd){ (const uint8_t *)"\x08\0\0\0\0\x01\0", 7 };
	kit_packet(&k, 0, 64, 1);
	k.pkt.marks = PKT_FRAGMENT;
	kit_packet(&k, 0, 64, 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "icmp.out.n"), 1);
	assert_int_equal(kit_int(&k, "icmp.out.requests"), 1);
	assert_int_equal(kit_int(&k, "icmp.out.first_seq"), -1);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_echoes),
		cmocka_unit_test(a_reply_counts_once_and_for_the_other_side),
		cmocka_unit_test(the_latest_request_is_answered),
		cmocka_unit_test(the_last_32_requests_are_remembered),
		cmocka_unit_test(time_never_runs_backwards),
		cmocka_unit_test(version_6_has_other_numbers),
		cmocka_unit_test(kinds_are_capped_and_the_cap_is_marked),
		cmocka_unit_test(cut_echoes_and_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
