/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_idp.c - the first bytes of the first data packet. */
#include "unit/feature_kit.h"

extern const struct feature feature_idp;

static void start(struct kit *k, uint32_t bytes)
{
	kit_start(k, &feature_idp, 0);
	memcpy(k->options, &bytes, sizeof bytes);
}

static void show(struct kit *k, unsigned dir, const char *ip, uint32_t payload_len)
{
	k->pkt.ip = (struct rd){ (const uint8_t *)ip, strlen(ip) };
	kit_packet(k, dir, payload_len, 1);
}

static void takes_the_first_with_payload(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 8);
	show(&k, 0, "syn", 0);
	show(&k, 0, "header+data", 4);
	show(&k, 0, "another", 4);
	assert_false(k.done);
	show(&k, 1, "short", 1);
	assert_true(k.done);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "idp_out", "header+d"));
	assert_int_equal(kit_int(&k, "idp_len_out"), 8);
	assert_true(kit_is(&k, "idp_in", "short"));
	assert_int_equal(kit_int(&k, "idp_len_in"), 5);
	kit_free(&k);
}

static void copies_what_it_keeps(void **unused)
{
	struct kit k;
	char bytes[] = "volatile";

	(void)unused;
	start(&k, 1300);
	show(&k, 0, bytes, 4);
	memset(bytes, 'x', sizeof bytes - 1);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "idp_out", "volatile"));
	assert_true(kit_absent(&k, "idp_in"));
	assert_int_equal(kit_int(&k, "idp_len_in"), UINT32_MAX); /* null */
	kit_free(&k);
}

static void passes_over_fragments(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 8);
	k.pkt.marks = PKT_REASSEMBLED;
	show(&k, 0, "stale", 4);
	assert_false(kit_finish(&k));
	k.pkt.marks = 0;
	show(&k, 0, "whole", 4);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "idp_out", "whole"));
	kit_free(&k);
}

static void one_direction_is_done_after_one(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 8);
	k.conf.bidir = false;
	show(&k, 0, "packet", 4);
	assert_true(k.done);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_first_with_payload),
		cmocka_unit_test(copies_what_it_keeps),
		cmocka_unit_test(passes_over_fragments),
		cmocka_unit_test(one_direction_is_done_after_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
