/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_hd.c - constant bits and counting bytes of payload headers. */
#include "unit/feature_kit.h"

extern const struct feature feature_hd;

static void start(struct kit *k, uint32_t bytes)
{
	kit_start(k, &feature_hd, 0);
	k->pkt.proto = PROTO_UDP;
	memcpy(k->options, &bytes, sizeof bytes);
}

static void show(struct kit *k, unsigned dir, const char *text, size_t size)
{
	char *exact = memcpy(malloc(size), text, size); /* a sanitizer sees any overread */

	k->pkt.payload = (struct rd){ (const uint8_t *)exact, size };
	kit_packet(k, dir, (uint32_t)size, 1);
	free(exact);
}

static void finds_constant_bits(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 4);
	show(&k, 0, "AxyZ...", 7);
	show(&k, 0, "AzyZ", 4);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "hd.bytes"), 4);
	assert_int_equal(kit_int(&k, "hd.out.n"), 2);
	assert_true(kit_is(&k, "hd.out.const_mask", "\xff\xfd\xff\xff"));
	/* x and z differ in one bit, which is 0 in x */
	assert_true(kit_is(&k, "hd.out.const_value", "AxyZ"));
	assert_int_equal(kit_int(&k, "hd.in.n"), 0);
	assert_true(kit_absent(&k, "hd.in.const_mask"));
	kit_free(&k);
}

static void finds_what_counts_up(void **unused)
{
	static const char packets[][6] = { "\xfe\x01\x10zz", "\xff\x02\x11zz", "\x00\x03\x13zz" };
	struct kit k;

	(void)unused;
	start(&k, 5);
	for (size_t i = 0; i < 3; i++) {
		show(&k, 1, packets[i], 5);
		show(&k, 0, "12345", 5);
	}
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "hd.in.n"), 3);
	assert_int_equal(kit_count_of(&k, "hd.in.seq"), 2);
	assert_int_equal(kit_int(&k, "hd.in.seq.0"), 0);
	assert_int_equal(kit_int(&k, "hd.in.seq.1"), 1);
	assert_int_equal(kit_count_of(&k, "hd.out.seq"), 0);
	kit_free(&k);
}

static void one_packet_is_constant_and_counts_nothing(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 64);
	show(&k, 0, "0123456789012345678901234567890123456789012345678901234567890123", 64);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "hd.out.n"), 1);
	assert_int_equal(kit_count_of(&k, "hd.out.seq"), 0);
	assert_true(kit_is(&k, "hd.out.const_value",
			"0123456789012345678901234567890123456789012345678901234567890123"));
	kit_free(&k);
}

static void leaves_out_short_and_repeated_packets(void **unused)
{
	static const uint8_t classes[] = { TCP_CLASS_RETRANS, TCP_CLASS_DUPLICATE,
		TCP_CLASS_KEEP_ALIVE };
	struct kit k;

	(void)unused;
	start(&k, 4);
	show(&k, 0, "abc", 3);
	k.pkt.proto = PROTO_TCP;
	for (size_t i = 0; i < sizeof classes; i++) {
		k.pkt.tcp_class = classes[i];
		show(&k, 0, "abcd", 4);
	}
	assert_false(kit_finish(&k));
	k.pkt.tcp_class = TCP_CLASS_LATE;
	show(&k, 0, "abcd", 4);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "hd.out.n"), 1);
	kit_free(&k);
}

/* Counting and standing bytes at each place of each width, past 255 and after a slip. */
static void says_the_same_at_any_width(void **unused)
{
	enum { PACKETS = 300 };

	(void)unused;
	for (uint32_t n = 1; n <= 64; n++) {
		uint8_t bytes[64];
		struct kit k;

		start(&k, n);
		for (unsigned i = 0; i < PACKETS; i++) {
			for (uint32_t at = 0; at < n; at++)
				bytes[at] = at % 3 == 0 ? (uint8_t)(at + i) : (uint8_t)(3 * at);
			if (n > 9 && i >= 200)
				bytes[9]++;
			show(&k, 0, (const char *)bytes, n);
		}
		assert_true(kit_finish(&k));
		assert_int_equal(kit_int(&k, "hd.out.n"), PACKETS);
		assert_int_equal(kit_count_of(&k, "hd.out.seq"), (n + 2) / 3 - (n > 9));
		for (uint32_t at = 0; at < n; at++)
			bytes[at] = at % 3 == 0 ? 0 : 0xff;
		assert_memory_equal(
				((const struct field_hex *)kit_at(&k, "hd.out.const_mask").at)->p,
				bytes, n);
		kit_free(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_constant_bits),
		cmocka_unit_test(finds_what_counts_up),
		cmocka_unit_test(one_packet_is_constant_and_counts_nothing),
		cmocka_unit_test(says_the_same_at_any_width),
		cmocka_unit_test(leaves_out_short_and_repeated_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
