/* SPDX-License-Identifier: BSD-3-Clause */
/* test_source_pcapng.c - sections, interfaces, clocks and packet blocks of pcapng, good and bad. */
#include "source_kit.h"

#define SECOND 1000000000

static struct kit_run *read_and_free(struct buf *b, size_t step, size_t batch)
{
	struct kit_run *run = kit_read_memory(b, step, batch);

	buf_free(b);
	return run;
}

static void keeps_each_interface_with_its_link_and_clock(void **unused)
{
	static const struct {
		int resolution;
		int64_t offset;
		uint64_t units;
		int64_t ns;
		bool fine;
	} clocks[] = {
		{ -1, 0, 1700000000123456, 1700000000123456000, false },
		{ 6, 0, 1700000000123456, 1700000000123456000, false },
		{ 0, 0, 1700000000, 1700000000 * (int64_t)SECOND, false },
		{ 3, 5, 1500, 6 * (int64_t)SECOND + 500000000, false },
		{ 9, -10, 1, 1 - 10 * (int64_t)SECOND, true },
		{ 12, 0, 5999, 5, true },
		{ 28, 0, UINT64_MAX, 1, true },
		{ 40, 0, UINT64_MAX, 0, true },
		{ 0x80 | 10, 0, 1536, 1500000000, false },
		{ 0x80 | 30, 0, (7ull << 30) + (1 << 29), 7500000000, true },
		{ 0x80 | 127, 0, UINT64_MAX, 0, true },
	};
	enum { COUNT = sizeof(clocks) / sizeof(clocks[0]) };

	(void)unused;
	for (int big = 0; big < 2; big++) {
		struct buf b = buf_new(1 << 20);

		kit_section(&b, big, -1);
		for (uint32_t i = 0; i < COUNT; i++)
			kit_interface(&b, big, (uint16_t)(100 + i), 0, clocks[i].resolution,
					clocks[i].offset);
		for (uint32_t i = 0; i < COUNT; i++)
			kit_enhanced(&b, big, i, clocks[i].units, 60 + i, 1000);
		struct kit_run *run = read_and_free(&b, 0, 4);
		assert_int_equal(run->count, COUNT);
		for (uint32_t i = 0; i < COUNT; i++) {
			const struct frame *f = &run->frames[i];

			assert_int_equal(f->ns, clocks[i].ns);
			assert_int_equal(f->nanoseconds, clocks[i].fine);
			assert_int_equal(f->linktype, 100 + i);
			assert_int_equal(f->interface, i);
			assert_int_equal(f->caplen, 60 + i);
			assert_int_equal(f->wirelen, 1000);
			assert_true(kit_is_payload(f, 60 + i));
		}
		assert_string_equal(run->all_troubles, "");
		assert_int_equal(run->progress.comments, 1);
		kit_run_free(run);
	}
}

static void keeps_names_of_interfaces(void **unused)
{
	struct source_conf conf = { 0 };
	struct buf b = buf_new(10000);
	struct frame frame;
	struct err e;
	bool ok;

	(void)unused;
	kit_section(&b, true, -1);
	kit_interface(&b, true, 1, 96, 9, 0);
	kit_enhanced(&b, true, 0, 1, 60, 60);
	struct source *s = source_new_memory(b.p, b.size, 0, &conf, &e);
	assert_non_null(s);
	assert_int_equal(source_read(s, &frame, 1, &ok, &e), 1);
	const struct source_interface *i = source_interface(s, frame.interface);
	assert_non_null(i);
	assert_string_equal(i->name, "eth7");
	assert_string_equal(i->description, "the uplink");
	assert_int_equal(i->snaplen, 96);
	assert_int_equal(i->linktype, 1);
	assert_null(source_interface(s, 1));
	source_free(s);
	buf_free(&b);
}

static void forgets_interfaces_with_each_section(void **unused)
{
	struct buf b = buf_new(100000);

	(void)unused;
	for (int i = 0; i < 4; i++) {
		bool big = i & 1;

		kit_section(&b, big, i < 2 ? -1 : 1000);
		kit_interface(&b, big, (uint16_t)(1 + i), 0, 9, 0);
		kit_enhanced(&b, big, 0, (uint64_t)i, 50, 50);
	}
	kit_section(&b, false, -1);
	kit_enhanced(&b, false, 0, 9, 50, 50); /* of no interface */
	struct kit_run *run = read_and_free(&b, 0, 64);
	assert_int_equal(run->count, 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(run->frames[i].linktype, 1 + i);
		assert_int_equal(run->frames[i].interface, i);
		assert_int_equal(run->frames[i].ns, i);
	}
	assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
	assert_int_equal(run->progress.comments, 5);
	kit_run_free(run);
}

/* A simple packet has as many bytes as the first interface's snaplen lets it, and no time. */
static void reads_simple_packets(void **unused)
{
	struct buf b = buf_new(100000), body = buf_new(1000);

	(void)unused;
	kit_section(&b, false, -1);
	kit_interface(&b, false, 1, 30, 9, 0);
	kit_uint(&body, false, 4, 100);
	kit_payload(&body, 5, 30);
	kit_block(&b, false, 3, &body);
	kit_enhanced(&b, false, 0, 77, 20, 20);
	kit_block(&b, false, 3, &body);
	kit_block(&b, false, 3, &body);
	struct kit_run *run = read_and_free(&b, 0, 2);
	assert_int_equal(run->count, 4);
	assert_true(run->frames[0].untimed);
	assert_int_equal(run->frames[0].ns, 0);
	assert_int_equal(run->frames[0].caplen, 30);
	assert_int_equal(run->frames[0].wirelen, 100);
	assert_true(kit_is_payload(&run->frames[0], 5));
	assert_false(run->frames[1].untimed);
	assert_true(run->frames[2].untimed);
	assert_int_equal(run->frames[2].ns, 77);
	assert_int_equal(run->frames[3].ns, 77);
	kit_run_free(run);
	buf_free(&body);
}

static void reads_obsolete_packets(void **unused)
{
	(void)unused;
	for (int big = 0; big < 2; big++) {
		struct buf b = buf_new(100000), body = buf_new(1000);

		kit_section(&b, big, -1);
		kit_interface(&b, big, 1, 0, -1, 0);
		kit_interface(&b, big, 101, 0, -1, 0);
		kit_uint(&body, big, 2, 1);      /* interface */
		kit_uint(&body, big, 2, 0xffff); /* drops */
		kit_uint(&body, big, 4, 1);
		kit_uint(&body, big, 4, 2);
		kit_uint(&body, big, 4, 33);
		kit_uint(&body, big, 4, 44);
		kit_payload(&body, 9, 33);
		kit_uint(&body, big, 3, 0);
		kit_option(&body, big, 1, "why", 3);
		kit_block(&b, big, 2, &body);
		struct kit_run *run = read_and_free(&b, 0, 64);
		assert_int_equal(run->count, 1);
		assert_int_equal(run->frames[0].linktype, 101);
		assert_int_equal(run->frames[0].ns, ((1ll << 32) + 2) * 1000);
		assert_int_equal(run->frames[0].caplen, 33);
		assert_int_equal(run->frames[0].wirelen, 44);
		assert_true(kit_is_payload(&run->frames[0], 9));
		assert_int_equal(run->progress.comments, 2);
		kit_run_free(run);
		buf_free(&body);
	}
}

static void passes_over_other_blocks(void **unused)
{
	static const uint32_t types[] = { 4, 5, 10, 0x80000001, 0xbad, 0x40000bad, 0 };
	struct buf b = buf_new(100000), body = buf_new(1000);

	(void)unused;
	kit_section(&b, false, -1);
	kit_interface(&b, false, 1, 0, 9, 0);
	kit_payload(&body, 1, 37);
	for (uint32_t i = 0; i < 7; i++) {
		kit_block(&b, false, types[i], &body);
		kit_enhanced(&b, false, 0, i, 50 + i, 60);
	}
	struct kit_run *run = read_and_free(&b, 0, 3);
	assert_int_equal(run->count, 7);
	assert_string_equal(run->all_troubles, "");
	kit_run_free(run);
	buf_free(&body);
}

static void goes_on_after_packets_that_make_no_sense(void **unused)
{
	struct buf b = buf_new(100000), body = buf_new(1000);

	(void)unused;
	kit_section(&b, false, -1);
	kit_interface(&b, false, 1, 0, 9, 0);
	kit_enhanced(&b, false, 0, 1, 50, 50);
	kit_enhanced(&b, false, 7, 2, 50, 50); /* of an interface that is not there */
	kit_uint(&body, false, 8, 0);
	kit_uint(&body, false, 4, 3);
	kit_uint(&body, false, 4, 51); /* more than the block holds */
	kit_uint(&body, false, 4, 51);
	kit_payload(&body, 0, 48);
	kit_block(&b, false, 6, &body);
	kit_enhanced(&b, false, 0, 4, 50, 50);
	struct kit_run *run = read_and_free(&b, 0, 64);
	assert_int_equal(run->count, 2);
	assert_int_equal(run->frames[1].ns, 4);
	assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
	assert_non_null(strstr(run->last_trouble, "interface"));
	assert_non_null(strstr(run->last_trouble, "2 such"));
	kit_run_free(run);
	buf_free(&body);
}

/* Writers that forget the padding, with the trailer right behind the body or after the gap. */
static void tolerates_lengths_without_padding(void **unused)
{
	(void)unused;
	for (size_t gap = 0; gap <= 2; gap += 2) {
		struct buf b = buf_new(100000);

		kit_section(&b, false, -1);
		kit_interface(&b, false, 1, 0, 9, 0);
		for (int i = 0; i < 3; i++) {
			kit_uint(&b, false, 4, 6);
			kit_uint(&b, false, 4, 32 + 62);
			kit_uint(&b, false, 8, 0);
			kit_uint(&b, false, 4, 1);
			kit_uint(&b, false, 4, 62);
			kit_uint(&b, false, 4, 62);
			kit_payload(&b, 4, 62);
			kit_uint(&b, false, gap, 0);
			kit_uint(&b, false, 4, 32 + 62);
		}
		struct kit_run *run = read_and_free(&b, 0, 64);
		assert_string_equal(run->all_troubles, "");
		assert_int_equal(run->count, 3);
		assert_true(kit_is_payload(&run->frames[2], 4));
		kit_run_free(run);
	}
}

static void stops_at_broken_blocks(void **unused)
{
	static const struct {
		size_t at; /* from the second packet's block */
		uint32_t value;
	} breaks[] = { { 4, 8 }, { 4, 0 }, { 4, 0xfffffff0 }, { 4, UINT32_MAX },
		{ 28 + 48, 12345 } };

	(void)unused;
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		struct buf b = buf_new(100000);

		kit_section(&b, false, -1);
		kit_interface(&b, false, 1, 0, 9, 0);
		kit_enhanced(&b, false, 0, 1, 48, 48);
		size_t second = b.size;
		kit_enhanced(&b, false, 0, 2, 48, 48);
		kit_enhanced(&b, false, 0, 3, 48, 48);
		memcpy(b.p + second + breaks[i].at, &breaks[i].value, 4);
		struct kit_run *run = read_and_free(&b, 0, 64);
		char words[32];
		snprintf(words, sizeof(words), "offset %zu", second);
		assert_int_equal(run->count, 1);
		assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
		assert_non_null(strstr(run->last_trouble, words));
		assert_int_equal(run->last_offset, second);
		kit_run_free(run);
	}
}

static void cuts_times_far_away(void **unused)
{
	struct buf b = buf_new(100000);

	(void)unused;
	kit_section(&b, false, -1);
	kit_interface(&b, false, 1, 0, 6, 0);
	kit_interface(&b, false, 1, 0, 0, INT64_MIN);
	kit_interface(&b, false, 1, 0, 0, INT64_MAX);
	kit_enhanced(&b, false, 0, UINT64_MAX, 48, 48);
	kit_enhanced(&b, false, 1, 1, 48, 48);
	kit_enhanced(&b, false, 2, UINT64_MAX, 48, 48);
	struct kit_run *run = read_and_free(&b, 0, 64);
	assert_int_equal(run->count, 3);
	assert_int_equal(run->frames[0].ns, (1ll << 62) - 1);
	assert_int_equal(run->frames[1].ns, 1 - (1ll << 62));
	assert_int_equal(run->frames[2].ns, (1ll << 62) - 1);
	assert_int_equal(run->troubles[SOURCE_WARNING], 1);
	kit_run_free(run);
}

/* Cut at every byte, at several paces: whole packets come, and trouble unless between blocks. */
static void gives_what_is_whole_of_a_cut_file(void **unused)
{
	struct buf b = buf_new(100000);
	size_t ends[8], count = 0, packets[8] = { 0 };

	(void)unused;
	for (int i = 0; i < 2; i++) {
		kit_section(&b, i, -1);
		packets[count] = 2 * (size_t)i, ends[count++] = b.size;
		kit_interface(&b, i, 1, 0, 9, 0);
		packets[count] = 2 * (size_t)i, ends[count++] = b.size;
		kit_enhanced(&b, i, 0, 1, 33, 33);
		packets[count] = 2 * (size_t)i + 1, ends[count++] = b.size;
		kit_enhanced(&b, i, 0, 2, 34, 34);
		packets[count] = 2 * (size_t)i + 2, ends[count++] = b.size;
	}
	for (size_t cut = 0; cut <= b.size; cut++) {
		struct buf part = { .p = b.p, .size = cut };
		struct kit_run *run = kit_read_memory(
				&part, cut % 3 == 0 ? 0 : cut % 23 + 1, cut % 3 + 1);
		size_t whole = 0;
		bool clean = false;

		for (size_t i = 0; i < count; i++) {
			whole = cut >= ends[i] ? packets[i] : whole;
			clean |= cut == ends[i];
		}
		assert_int_equal(run->count, whole);
		assert_int_equal(run->troubles[SOURCE_FAILED], cut < 4);
		assert_int_equal(run->troubles[SOURCE_DAMAGED], cut >= 4 && !clean);
		kit_run_free(run);
	}
	buf_free(&b);
}

static void shares_the_last_number_beyond_the_cap(void **unused)
{
	struct buf b = buf_new(64 << 20);

	(void)unused;
	for (int section = 0; section < 2; section++) {
		kit_section(&b, false, -1);
		for (int i = 0; i < 40000; i++)
			kit_interface(&b, false, 1, 0, 9, 0);
		kit_enhanced(&b, false, 39999, 1, 48, 48);
	}
	struct kit_run *run = read_and_free(&b, 0, 64);
	assert_int_equal(run->count, 2);
	assert_int_equal(run->frames[0].interface, 39999);
	assert_int_equal(run->frames[1].interface, 65535);
	assert_int_equal(run->troubles[SOURCE_WARNING], 1);
	kit_run_free(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_each_interface_with_its_link_and_clock),
		cmocka_unit_test(keeps_names_of_interfaces),
		cmocka_unit_test(forgets_interfaces_with_each_section),
		cmocka_unit_test(reads_simple_packets),
		cmocka_unit_test(reads_obsolete_packets),
		cmocka_unit_test(passes_over_other_blocks),
		cmocka_unit_test(goes_on_after_packets_that_make_no_sense),
		cmocka_unit_test(tolerates_lengths_without_padding),
		cmocka_unit_test(stops_at_broken_blocks),
		cmocka_unit_test(cuts_times_far_away),
		cmocka_unit_test(gives_what_is_whole_of_a_cut_file),
		cmocka_unit_test(shares_the_last_number_beyond_the_cap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
