/* SPDX-License-Identifier: BSD-3-Clause */
/* test_source_pcap.c - the classic capture file in all its variants, and cut short everywhere. */
#include "source_kit.h"

static void reads_each_magic_in_both_orders(void **unused)
{
	static const struct {
		uint32_t magic;
		int64_t unit;
	} magics[] = { { 0xa1b2c3d4, 1000 }, { 0xa1b23c4d, 1 } };

	(void)unused;
	for (int i = 0; i < 4; i++) {
		bool big = i & 1;
		struct buf b = buf_new(10000);

		kit_pcap_header(&b, big, magics[i / 2].magic, 4, 113);
		kit_pcap_packet(&b, big, 1700000000, 123456, 60, 1500);
		kit_pcap_packet(&b, big, 4294967295, 7, 0, 0);
		struct kit_run *run = kit_read_memory(&b, 0, 64);
		assert_int_equal(run->count, 2);
		assert_int_equal(run->frames[0].ns,
				1700000000000000000 + 123456 * magics[i / 2].unit);
		assert_int_equal(run->frames[1].ns, 4294967295000000000 + 7 * magics[i / 2].unit);
		assert_int_equal(run->frames[0].caplen, 60);
		assert_int_equal(run->frames[0].wirelen, 1500);
		assert_int_equal(run->frames[0].linktype, 113);
		assert_int_equal(run->frames[0].nanoseconds, i / 2 == 1);
		assert_false(run->frames[0].untimed);
		assert_true(kit_is_payload(&run->frames[0], 1700000000));
		assert_string_equal(run->all_troubles, "");
		kit_run_free(run);
		buf_free(&b);
	}
}

/* magic 0xa1b2cd34: interface number 4, protocol 2, kind 1, padding 1 behind the usual header */
static void reads_the_modified_form(void **unused)
{
	(void)unused;
	for (int big = 0; big < 2; big++) {
		struct buf b = buf_new(10000);

		kit_pcap_header(&b, big, 0xa1b2cd34, 4, 1);
		for (uint32_t i = 1; i < 4; i++) {
			kit_uint(&b, big, 4, i);
			kit_uint(&b, big, 4, 5);
			kit_uint(&b, big, 4, 40 + i);
			kit_uint(&b, big, 4, 40 + i);
			kit_uint(&b, big, 8, 0x0102030405060708);
			kit_payload(&b, i, 40 + i);
		}
		struct kit_run *run = kit_read_memory(&b, 0, 64);
		assert_int_equal(run->count, 3);
		for (uint32_t i = 1; i < 4; i++) {
			assert_int_equal(run->frames[i - 1].ns, i * 1000000000 + 5000);
			assert_int_equal(run->frames[i - 1].caplen, 40 + i);
			assert_true(kit_is_payload(&run->frames[i - 1], i));
		}
		kit_run_free(run);
		buf_free(&b);
	}
}

static void takes_link_type_without_its_upper_bits(void **unused)
{
	struct buf b = buf_new(10000);

	(void)unused;
	kit_pcap_header(&b, false, 0xa1b2c3d4, 4,
			0x24030000 | 105); /* FCS of 4 bytes, some class */
	kit_pcap_packet(&b, false, 1, 1, 60, 60);
	struct kit_run *run = kit_read_memory(&b, 0, 64);
	assert_int_equal(run->frames[0].linktype, 105);
	kit_run_free(run);
	buf_free(&b);
}

static void never_says_less_on_the_wire_than_captured(void **unused)
{
	struct buf b = buf_new(10000);

	(void)unused;
	kit_pcap_header(&b, false, 0xa1b2c3d4, 4, 1);
	kit_pcap_packet(&b, false, 1, 1, 60, 20);
	struct kit_run *run = kit_read_memory(&b, 0, 64);
	assert_int_equal(run->count, 1);
	assert_int_equal(run->frames[0].caplen, 60);
	assert_int_equal(run->frames[0].wirelen, 60);
	kit_run_free(run);
	buf_free(&b);
}

/* Before version 2.3 the original length stood first; in 2.3 some writers did so. */
static void turns_lengths_of_old_versions(void **unused)
{
	static const struct {
		uint16_t minor;
		uint32_t first, second;
	} cases[] = { { 2, 90, 50 }, { 3, 90, 50 }, { 3, 50, 90 } };

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		struct buf b = buf_new(10000);

		kit_pcap_header(&b, false, 0xa1b2c3d4, cases[i].minor, 1);
		kit_uint(&b, false, 8, 1);
		kit_uint(&b, false, 4, cases[i].first);
		kit_uint(&b, false, 4, cases[i].second);
		kit_payload(&b, 1, 50);
		struct kit_run *run = kit_read_memory(&b, 0, 64);
		assert_int_equal(run->count, 1);
		assert_int_equal(run->frames[0].caplen, 50);
		assert_int_equal(run->frames[0].wirelen, 90);
		assert_string_equal(run->all_troubles, "");
		kit_run_free(run);
		buf_free(&b);
	}
}

static void refuses_versions_it_does_not_know(void **unused)
{
	struct buf b = kit_pcap(1);

	(void)unused;
	b.p[4] = 3;
	struct kit_run *run = kit_read_memory(&b, 0, 64);
	assert_int_equal(run->count, 0);
	assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
	assert_non_null(strstr(run->last_trouble, "version"));
	kit_run_free(run);
	buf_free(&b);
}

/* Cut at every byte: all whole packets come, and trouble exactly when the cut is inside one. */
static void gives_what_is_whole_of_a_cut_file(void **unused)
{
	struct buf b = kit_pcap(5);
	size_t ends[6] = { 24 };

	(void)unused;
	for (size_t i = 1; i <= 5; i++)
		ends[i] = ends[i - 1] + 16 + 40 + i;
	assert_int_equal(ends[5], b.size);
	for (size_t cut = 0; cut <= b.size; cut++) {
		struct buf part = { .p = b.p, .size = cut };
		struct kit_run *run = kit_read_memory(
				&part, cut % 3 == 0 ? 0 : cut % 17 + 1, cut % 4 + 1);
		size_t whole = 0;
		bool clean = false;

		for (size_t i = 1; i <= 5; i++)
			whole += cut >= ends[i];
		for (size_t i = 0; i <= 5; i++)
			clean |= cut == ends[i];
		assert_int_equal(run->count, whole);
		/* from its magic number on it is a capture, and a damaged one */
		assert_int_equal(run->troubles[SOURCE_FAILED], cut < 4);
		assert_int_equal(run->troubles[SOURCE_DAMAGED], cut >= 4 && !clean);
		for (size_t i = 0; i < whole; i++)
			assert_true(kit_is_payload(&run->frames[i], (uint32_t)i + 1));
		kit_run_free(run);
	}
	buf_free(&b);
}

static void names_offset_of_a_cut(void **unused)
{
	struct buf b = kit_pcap(2);
	size_t second = 24 + 16 + 41;

	(void)unused;
	b.size -= 3;
	struct kit_run *run = kit_read_memory(&b, 0, 64);
	char words[64];
	snprintf(words, sizeof(words), "offset %zu (55 of 58 bytes); the 1 packets", second);
	assert_non_null(strstr(run->last_trouble, words));
	assert_non_null(strstr(run->last_trouble, "standard input"));
	assert_int_equal(run->last_offset, second);
	kit_run_free(run);
	buf_free(&b);
}

static void stops_at_a_length_that_cannot_be(void **unused)
{
	static const uint32_t lengths[] = { 262145, 16 << 20, UINT32_MAX };

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		struct buf b = kit_pcap(3);

		kit_uint(&b, false, 8, 9);
		kit_uint(&b, false, 4, lengths[i]);
		kit_uint(&b, false, 4, lengths[i]);
		kit_payload(&b, 0, 300000);
		struct kit_run *run = kit_read_memory(&b, 0, 64);
		assert_int_equal(run->count, 3);
		assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
		kit_run_free(run);
		buf_free(&b);
	}
}

/* A snapshot length above the usual one allows packets up to it. */
static void believes_a_large_snaplen(void **unused)
{
	struct buf b = buf_new(4 << 20);

	(void)unused;
	kit_pcap_header(&b, false, 0xa1b2c3d4, 4, 1);
	memcpy(b.p + 16, "\0\0\x10\0", 4); /* 1 MiB */
	kit_pcap_packet(&b, false, 1, 0, 1 << 20, 1 << 20);
	kit_pcap_packet(&b, false, 2, 0, (1 << 20) + 1, (1 << 20) + 1);
	struct kit_run *run = kit_read_memory(&b, 1000, 64);
	assert_int_equal(run->count, 1);
	assert_int_equal(run->frames[0].caplen, 1 << 20);
	assert_true(kit_is_payload(&run->frames[0], 1));
	assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
	kit_run_free(run);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_magic_in_both_orders),
		cmocka_unit_test(reads_the_modified_form),
		cmocka_unit_test(takes_link_type_without_its_upper_bits),
		cmocka_unit_test(never_says_less_on_the_wire_than_captured),
		cmocka_unit_test(turns_lengths_of_old_versions),
		cmocka_unit_test(refuses_versions_it_does_not_know),
		cmocka_unit_test(gives_what_is_whole_of_a_cut_file),
		cmocka_unit_test(names_offset_of_a_cut),
		cmocka_unit_test(stops_at_a_length_that_cannot_be),
		cmocka_unit_test(believes_a_large_snaplen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
