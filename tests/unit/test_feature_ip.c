/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_ip.c - TTL, identifications, DSCP, ECN and flags of each direction. */
#include <stdio.h>

#include "unit/feature_kit.h"

extern const struct feature feature_ip;

static void start(struct kit *k)
{
	kit_start(k, &feature_ip, 0);
	k->pkt.ip_version = 4;
	k->pkt.ttl = 64;
}

static void first_least_and_greatest_ttl(void **unused)
{
	static const uint8_t ttl[] = { 64, 255, 1, 60 };
	struct kit k;

	(void)unused;
	start(&k);
	for (size_t i = 0; i < sizeof ttl; i++) {
		k.pkt.ttl = ttl[i];
		kit_packet(&k, 0, 0, 1);
	}
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "ip.out.ttl"), 64);
	assert_int_equal(kit_int(&k, "ip.out.ttl_min"), 1);
	assert_int_equal(kit_int(&k, "ip.out.ttl_max"), 255);
	assert_int_equal(kit_int(&k, "ip.in.ttl"), -1);
	assert_int_equal(kit_count_of(&k, "ip.in.dscps"), 0);
	assert_int_equal(kit_int(&k, "ip.in.df"), -1);
	kit_free(&k);
}

/* Two lists in one block, growing towards each other. */
static void identifications_in_order(void **unused)
{
	char path[32];
	struct kit k;

	(void)unused;
	start(&k);
	k.conf.num_pkts = 300;
	for (unsigned i = 0; i < 1000; i++) {
		k.pkt.ip_id = (uint16_t)(i * 7);
		kit_packet(&k, i % 3 == 0, 0, 1);
	}
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "ip.out.id"), 300);
	assert_int_equal(kit_count_of(&k, "ip.in.id"), 300);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(path, sizeof path, "ip.in.id.%u", i);
		assert_int_equal(kit_int(&k, path), (uint16_t)(i * 3 * 7));
		snprintf(path, sizeof path, "ip.out.id.%u", i);
		assert_int_equal(kit_int(&k, path), (uint16_t)((i + i / 2 + 1) * 7));
	}
	kit_free(&k);
}

static void no_identifications_without_num_pkts(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	k.conf.num_pkts = 0;
	kit_packet(&k, 0, 0, 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "ip.out.id"), 0);
	kit_free(&k);
}

static void codepoints_each_once_and_sorted(void **unused)
{
	static const uint8_t dscp[] = { 46, 0, 63, 46, 10 };
	struct kit k;

	(void)unused;
	start(&k);
	for (size_t i = 0; i < sizeof dscp; i++) {
		k.pkt.tos = (uint8_t)((unsigned)dscp[i] << 2 | (i & 3));
		kit_packet(&k, 1, 0, 1);
	}
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "ip.in.dscp"), 46);
	assert_int_equal(kit_count_of(&k, "ip.in.dscps"), 4);
	assert_int_equal(kit_int(&k, "ip.in.dscps.0"), 0);
	assert_int_equal(kit_int(&k, "ip.in.dscps.1"), 10);
	assert_int_equal(kit_int(&k, "ip.in.dscps.2"), 46);
	assert_int_equal(kit_int(&k, "ip.in.dscps.3"), 63);
	assert_int_equal(kit_int(&k, "ip.in.ecn.not_ect"), 2);
	assert_int_equal(kit_int(&k, "ip.in.ecn.ect_1"), 1);
	assert_int_equal(kit_int(&k, "ip.in.ecn.ect_0"), 1);
	assert_int_equal(kit_int(&k, "ip.in.ecn.ce"), 1);
	kit_free(&k);
}

static void flags_past_a_byte(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	for (unsigned i = 0; i < 700; i++) {
		k.pkt.ip_flags = (uint8_t)(i < 600 ? 2 : 5);
		kit_packet(&k, 0, 0, 1);
	}
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "ip.out.df"), 600);
	assert_int_equal(kit_int(&k, "ip.out.mf"), 100);
	assert_int_equal(kit_int(&k, "ip.out.reserved"), 100);
	assert_int_equal(kit_int(&k, "ip.out.ecn.not_ect"), 700);
	assert_int_equal(kit_int(&k, "ip.out.flow_label"), -1);
	kit_free(&k);
}

static void version_6_has_a_label_and_no_flags(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	k.flow.key.ip_version = k.pkt.ip_version = 6;
	k.pkt.flow_label = 0xfffff;
	kit_packet(&k, 0, 0, 1);
	k.pkt.flow_label = 1;
	kit_packet(&k, 0, 0, 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "ip.out.flow_label"), 0xfffff);
	assert_int_equal(kit_int(&k, "ip.out.df"), -1);
	assert_int_equal(kit_count_of(&k, "ip.out.id"), 0);
	assert_int_equal(kit_int(&k, "ip.in.flow_label"), -1);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_least_and_greatest_ttl),
		cmocka_unit_test(identifications_in_order),
		cmocka_unit_test(no_identifications_without_num_pkts),
		cmocka_unit_test(codepoints_each_once_and_sorted),
		cmocka_unit_test(flags_past_a_byte),
		cmocka_unit_test(version_6_has_a_label_and_no_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
