/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sink_past.c - what a run that died has left: parts cut anywhere, damaged, empty, in use, or
 * no files at all.
 */
#include "series_kit.h"

#include <sys/file.h>
#include <utime.h>

/* --- what a run that died has left --------------------------------------------------------------
 */

/* Runs over a folder with parts; returns how many files there are afterwards. */
static size_t run_again(const char *name, uint64_t count)
{
	struct sink_target target = target_of(name);

	target.split.count = 1000000;
	write_series(&target, count);
	return list();
}

/* A file of 'flushes' times 40 records, as 'part'. */
static struct buf make_part(const char *name, const char *compression, unsigned flushes)
{
	struct sink_target target = target_of(name);
	struct err e = { "" };
	struct buf b;

	target.series = true;

	struct sink *s = open_target(&target);

	assert_true(begin(s, &e));
	for (uint64_t n = 0; n < flushes * UINT64_C(40); n++) {
		assert_true(record(pen, n, &e));
		if (n % 40 == 39)
			assert_true(sink_flush(s, &e));
	}
	assert_true(end(s, &e) && sink_close(s, true, &e));
	free_sink(s);
	list();
	b = content(in_folder(names.name[0]));
	assert_string_equal(compression_of(names.name[0]), compression);
	clear_folder();
	return b;
}

static void put_bytes(const char *name, const char *bytes, size_t size)
{
	FILE *f = fopen(in_folder(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
}

/* Cut at every place: what is left are the first records, whole, and no more is lost than must. */
static void parts_are_cut_to_what_is_whole(void **unused)
{
	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32], given[64], cut[80];
		uint64_t before = 0;

		snprintf(name, sizeof name, "flows.json%s", compressions[c]);
		snprintf(given, sizeof given, "flows-20250101T000000Z-000004.json%s",
				compressions[c]);
		snprintf(cut, sizeof cut, "%s.part", given);

		struct buf whole = make_part(name, compressions[c], 6);

		for (size_t size = 0; size <= whole.size; size += size % 97 == 0 ? 61 : 36) {
			uint64_t records = 0;

			put_bytes(cut, whole.p, size);
			assert_in_range(run_again(name, 0), 1, 2);
			memset(seen, 0, sizeof seen);
			if (names.count == 2) {
				assert_string_equal(names.name[0], given);
				records = records_of(given);
				assert_each_once(records);
				assert_heard("recovered ", 1);
			}
			assert_true(records >= before);
			if (c == 0)
				assert_true(records * 215 + 300 > size);
			before = records;
			clear_folder();
		}
		assert_in_range(before, 200, 240);
		put_bytes(cut, whole.p, whole.size); /* the run died before it gave the name */
		assert_int_equal(run_again(name, 0), 2);
		assert_heard(", 0 bytes cut off", 1);

		struct buf again = content(in_folder(given));

		assert_int_equal(again.size, whole.size);
		assert_memory_equal(again.p, whole.p, whole.size);
		buf_free(&again);
		buf_free(&whole);
		clear_folder();
	}
}

/* A line's end in a quoted cell ends no record. */
static void parts_of_csv(void **unused)
{
	struct sink_target target = target_of("flows.csv");
	const char *const cut = "flows-20250101T000000Z-000004.csv.part";

	(void)unused;
	target.series = true;
	write_series(&target, 20);
	list();

	struct buf whole = content(in_folder(names.name[0]));

	clear_folder();
	for (size_t size = 1; size < whole.size; size += 7) {
		put_bytes(cut, whole.p, size);
		if (run_again("flows.csv", 0) == 2) {
			struct buf b = content(in_folder("flows-20250101T000000Z-000004.csv"));

			assert_true(csv_rows(&b) > 1);
			assert_memory_equal(b.p, whole.p, b.size);
			buf_free(&b);
		}
		clear_folder();
	}
	buf_free(&whole);
}

/* A machine without power may leave zeros where text was to be. */
static void zeros_are_no_lines(void **unused)
{
	static const char text[] =
			"{\"version\":\"1\"}\n{\"n\":0,\"x\":1}\n{\"n\":1\0\0\0}\n{\"n\":2}\n";

	(void)unused;
	put_bytes("flows-20250101T000000Z-000004.json.part", text, sizeof text - 1);
	assert_int_equal(run_again("flows.json", 0), 2);
	assert_int_equal(records_of("flows-20250101T000000Z-000004.json"), 1);
}

static void parts_without_records_go(void **unused)
{
	(void)unused;
	put_file(in_folder("flows-20250101T000000Z-000001.json.part"), "");
	put_file(in_folder("flows-20250101T000000Z-000002.json.part"), "{\"version\":\"1\"}\n");
	put_file(in_folder("flows-20250101T000000Z-000003.json.part"), "{\"versi");
	put_file(in_folder("flows-20250101T000000Z-000004.json.part"), "{\"n\":0,\"x\":1}\n");
	assert_int_equal(run_again("flows.json", 0), 2);
	assert_int_equal(records_of("flows-20250101T000000Z-000004.json"), 1);
	assert_heard("recovered ", 1);
}

/* What is long and cannot be read at all may be somebody's. */
static void what_cannot_be_read_stays(void **unused)
{
	static char bytes[10000];
	const char *const part_name = "flows-20250101T000000Z-000001.json.gz.part";

	(void)unused;
	memset(bytes, '?', sizeof bytes);
	put_bytes(part_name, bytes, sizeof bytes);
	assert_int_equal(run_again("flows.json.gz", 0), 2);
	assert_heard("cannot recover ", 1);
	assert_heard("nothing in it is whole", 1);

	struct buf b = content(in_folder(part_name));

	assert_int_equal(b.size, sizeof bytes);
	buf_free(&b);
}

/* Damage that a checksum would find cannot be found where the stream is cut. */
static void damaged_parts(void **unused)
{
	(void)unused;
	for (size_t c = 1; c < COMPRESSIONS; c++) {
		char name[32], given[64], cut[80];

		snprintf(name, sizeof name, "flows.json%s", compressions[c]);
		snprintf(given, sizeof given, "flows-20250101T000000Z-000004.json%s",
				compressions[c]);
		snprintf(cut, sizeof cut, "%s.part", given);

		struct buf whole = make_part(name, compressions[c], 6);

		for (size_t at = 0; at < whole.size; at += 331) {
			whole.p[at] = (char)(whole.p[at] ^ 0x55);
			put_bytes(cut, whole.p, whole.size);
			whole.p[at] = (char)(whole.p[at] ^ 0x55);
			run_again(name, 0);
			if (exists(in_folder(given))) {
				struct buf b = text_of(given); /* a stream with an end */

				assert_true(b.size > 0 && b.p[b.size - 1] == '\n');
				buf_free(&b);
			}
			clear_folder();
		}
		buf_free(&whole);
	}
}

static void living_parts_and_other_things_are_left_alone(void **unused)
{
	const char *const living = "flows-20250101T000000Z-000001.json.part";

	(void)unused;
	put_file(in_folder(living), "{\"n\":5,\"x\":1}\n{\"n\":");

	const int other = open(in_folder(living), O_RDWR);

	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	put_file(in_folder("flows.json.part"), "{\"n\":6");
	put_file(in_folder("other-20250101T000000Z-000001.json.part"), "{\"n\":7");
	assert_int_equal(symlink("flows.json.part",
					 in_folder("flows-20250101T000000Z-000002.json.part")),
			0);
	assert_int_equal(mkfifo(in_folder("flows-20250101T000000Z-000003.json.part"), 0600), 0);
	assert_int_equal(run_again("flows.json", 3), 6);
	assert_heard("cannot recover ", 2); /* the link and the pipe */

	struct buf b = content(in_folder(living));

	assert_int_equal(b.size, 19);
	buf_free(&b);
	b = content(in_folder("flows.json.part"));
	assert_int_equal(b.size, 6);
	buf_free(&b);
	close(other);
}

static void a_name_that_is_taken_is_not_recovered_over(void **unused)
{
	(void)unused;
	put_file(in_folder("flows-20250101T000000Z-000001.json"), "{\"n\":1,\"x\":1}\n");
	put_file(in_folder("flows-20250101T000000Z-000001.json.part"), "{\"n\":2,\"x\":1}\n");
	assert_int_equal(run_again("flows.json", 0), 3);
	assert_heard("cannot recover ", 1);
	assert_has("flows-20250101T000000Z-000001.json", "\"n\":1", true);
}

/* A live run without a series: what stands where its file will is kept under another name. */
static void a_live_file_replaces_nothing(void **unused)
{
	struct sink_target target = target_of("one.json");
	struct utimbuf times = { NOON / NS - 7200, NOON / NS - 7200 };

	(void)unused;
	target.live = true;
	put_file(in_folder("one.json"), "{\"n\":0,\"x\":1}\n");
	put_file(in_folder("one.json.part"), "{\"version\":1}\n{\"n\":1,\"x\":1}\n{\"n\":2");
	assert_int_equal(utime(in_folder("one.json"), &times), 0);
	times.modtime += 3600;
	assert_int_equal(utime(in_folder("one.json.part"), &times), 0);

	struct sink *s = open_target(&target);
	struct err e = { "" };

	assert_true(begin(s, &e) && record(pen, 2, &e) && end(s, &e) && sink_close(s, true, &e));
	free_sink(s);
	assert_int_equal(gather(), 3);
	assert_each_once(3);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.name[0], "one-20260131T100000Z-000000.json");
	assert_string_equal(names.name[1], "one-20260131T110000Z-000001.json");
	assert_string_equal(names.name[2], "one.json");
	assert_heard("recovered ", 1);
}

/* A link stays one, to the file behind it. */
static void a_live_file_behind_a_link(void **unused)
{
	struct sink_target target = target_of("link.json");
	struct err e = { "" };
	struct stat st;

	(void)unused;
	target.live = true;
	put_file(in_folder("real"), "{\"n\":0,\"x\":1}\n");
	assert_int_equal(symlink("real", path), 0);

	struct sink *s = open_target(&target);

	assert_true(begin(s, &e) && record(pen, 1, &e) && end(s, &e) && sink_close(s, true, &e));
	free_sink(s);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(list(), 3);
	assert_int_equal(records_of("real"), 1);
	assert_int_equal(records_of(names.name[2]), 1); /* real-2026...: the one before */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parts_are_cut_to_what_is_whole),
		TEST(parts_of_csv),
		TEST(zeros_are_no_lines),
		TEST(parts_without_records_go),
		TEST(what_cannot_be_read_stays),
		TEST(damaged_parts),
		TEST(living_parts_and_other_things_are_left_alone),
		TEST(a_name_that_is_taken_is_not_recovered_over),
		TEST(a_live_file_replaces_nothing),
		TEST(a_live_file_behind_a_link),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
