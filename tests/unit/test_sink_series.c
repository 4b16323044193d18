/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sink_series.c - files that follow each other: where they are split, what they are called,
 * who is told of them, and what is kept of them.
 */
#include "series_kit.h"

#include <sys/file.h>
#include <utime.h>

#include "sink/series.h"

/* --- splitting ----------------------------------------------------------------------------------
 */

static void a_count_is_exact(void **unused)
{
	static const struct {
		uint64_t records;
		size_t files;
	} cases[] = { { 0, 1 }, { 1, 1 }, { 99, 1 }, { 100, 1 }, { 101, 2 }, { 1000, 10 },
		{ 3001, 31 } };

	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			char name[32];

			snprintf(name, sizeof name, "flows.json%s", compressions[c]);

			struct sink_target target = target_of(name);

			target.split.count = 100;
			write_series(&target, cases[i].records);
			assert_int_equal(gather(), cases[i].records);
			assert_each_once(cases[i].records);
			assert_int_equal(names.count, cases[i].files);
			for (size_t f = 0; f + 1 < names.count; f++)
				assert_int_equal(records_of(names.name[f]), 100);
			clear_folder();
		}
	}
}

/* Each begins with the configuration and ends with a summary; the last one with the run's too. */
static void each_file_stands_by_itself(void **unused)
{
	struct sink_target target = target_of("flows.json");

	(void)unused;
	target.split.count = 1000;
	write_series(&target, 2500);
	assert_int_equal(list(), 3);
	for (size_t i = 0; i < 3; i++) {
		static const char *const summaries[] = {
			"\n{\"summary\":{\"file\":1,\"records\":1000,\"lost\":0}}\n",
			"\n{\"summary\":{\"file\":2,\"records\":1000,\"lost\":0}}\n",
			"\n{\"summary\":{\"file\":3,\"records\":500,\"lost\":0}}\n{\"summary\":{}}"
			"\n",
		};
		struct buf b = content(in_folder(names.name[i]));

		assert_memory_equal(b.p, "{\"version\":\"1\"}\n{\"n\":", 21);
		assert_memory_equal(b.p + b.size - strlen(summaries[i]), summaries[i],
				strlen(summaries[i]));
		buf_free(&b);
	}
}

static void csv_has_its_header_in_each(void **unused)
{
	struct sink_target target = target_of("flows.csv");

	(void)unused;
	target.split.count = 10;
	write_series(&target, 25);
	assert_int_equal(list(), 3);
	for (size_t i = 0; i < 3; i++) {
		struct buf b = content(in_folder(names.name[i]));

		assert_memory_equal(b.p, "n,text\r\n", 8);
		assert_int_equal(csv_rows(&b), i < 2 ? 11 : 6);
		buf_free(&b);
	}
}

/* A plain file ends behind the record that makes it long enough, a packed one somewhat later. */
static void a_size_is_reached_and_no_more(void **unused)
{
	const uint64_t size = 100000;

	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32];

		snprintf(name, sizeof name, "flows.json%s", compressions[c]);

		struct sink_target target = target_of(name);

		target.split.size = size;
		write_series(&target, RECORDS);
		assert_int_equal(gather(), RECORDS);
		assert_each_once(RECORDS);
		assert_true(names.count > 5);
		for (size_t i = 0; i + 1 < names.count; i++) {
			struct buf b = content(in_folder(names.name[i]));

			assert_true(b.size >= size);
			assert_true(b.size < size + (c == 0 ? 400 : 300000));
			buf_free(&b);
		}
		clear_folder();
	}
}

/* By packet time, which stands still, jumps ahead and falls back. */
static void a_time_is_that_of_packets(void **unused)
{
	static const struct {
		int64_t seconds;
		size_t file;
	} records[] = { { 5, 0 }, { 5, 0 }, { 64, 0 }, { 65, 1 }, { 3, 1 }, { 124, 1 }, { 125, 2 },
		{ 10000, 3 }, { 10059, 3 }, { 10060, 4 } };
	struct sink_target target = target_of("flows.json");
	struct err e = { "" };

	(void)unused;
	target.split.interval_ns = 60 * NS;

	struct sink *s = open_target(&target);

	assert_true(pen_wants_time(pen));
	assert_true(begin(s, &e));
	for (uint64_t n = 0; n < 10; n++) {
		pen_time(pen, records[n].seconds * NS);
		assert_true(record(pen, n, &e));
	}
	assert_true(end(s, &e) && sink_close(s, true, &e));
	free_sink(s);
	assert_int_equal(list(), 5);
	for (size_t i = 0; i < 5; i++) {
		memset(seen, 0, sizeof seen);
		records_of(names.name[i]);
		for (size_t n = 0; n < 10; n++)
			assert_int_equal(seen[n], records[n].file == i);
	}
}

static void the_same_records_give_the_same_files(void **unused)
{
	struct buf first[8];

	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32];

		snprintf(name, sizeof name, "flows.json%s", compressions[c]);
		for (unsigned round = 0; round < 2; round++) {
			struct sink_target target = target_of(name);

			target.split.count = 2222;
			target.split.size = 300000;
			write_series(&target, 5000);
			assert_in_range(list(), 3, 8);
			for (size_t i = 0; i < names.count; i++) {
				struct buf b = content(in_folder(names.name[i]));

				if (round == 0) {
					first[i] = b;
					continue;
				}
				assert_int_equal(b.size, first[i].size);
				assert_memory_equal(b.p, first[i].p, b.size);
				buf_free(&b);
				buf_free(&first[i]);
			}
			clear_folder();
		}
	}
}

static void another_on_demand(void **unused)
{
	struct sink_target target = target_of("flows.json");
	struct err e = { "" };

	(void)unused;
	target.series = true;

	struct sink *s = open_target(&target);

	assert_true(begin(s, &e));
	assert_true(sink_rotate(s)); /* nothing to end yet */
	for (uint64_t n = 0; n < 6; n++) {
		assert_true(record(pen, n, &e) && sink_flush(s, &e));
		if (n % 2 == 1)
			assert_true(sink_rotate(s));
	}
	assert_true(end(s, &e) && sink_close(s, true, &e));
	free_sink(s);
	assert_int_equal(gather(), 6);
	assert_int_equal(names.count, 4); /* the run's summary needs a file */
	assert_each_once(6);
	clear_folder();

	s = open_sink(in_folder("one.json"));
	assert_false(sink_rotate(s));
	free_sink(s);
}

static void only_files_can_be_split(void **unused)
{
	struct sink_target target = { .path = "-", .split.count = 7 };
	struct err e = { "" };

	(void)unused;
	assert_null(sink_open(&target, plan, &e));
	assert_error(&e, "cannot write -: only files can be split");
	target.path = "/dev/null";
	assert_null(sink_open(&target, plan, &e));
	assert_error(&e, "/dev/null: only files can be split");
	target.path = "/no/such/folder/flows.json";
	assert_null(sink_open(&target, plan, &e));
	assert_error(&e, "/no/such/folder/flows.json: No such file");
	char name[400];

	snprintf(name, sizeof name, "%s/%0240d.json", folder, 1); /* with time, number and .part */
	target.path = name;
	assert_null(sink_open(&target, plan, &e));
	assert_error(&e, "File name too long");
	target.path = "";
	assert_null(sink_open(&target, plan, &e));
	assert_error(&e, "empty");
}

static void a_failure_says_what_is_whole(void **unused)
{
	struct sink_target target = target_of("flows.json");
	struct err e = { "" };

	(void)unused;
	target.split.count = 100;

	struct sink *s = open_target(&target);

	assert_true(begin(s, &e));
	for (uint64_t n = 0; n < 150; n++)
		assert_true(record(pen, n, &e));
	assert_true(sink_flush(s, &e));
	assert_int_equal(list(), 2);
	assert_true(ends(names.name[1], ".part"));
	unlink(in_folder(names.name[1]));
	assert_true(end(s, &e)); /* into a file without a name */
	assert_false(sink_close(s, true, &e));
	assert_error(&e, "No such file or directory; 150 of 150 records are whole there and in the "
			 "files before");
	free_sink(s);
}

/* --- names --------------------------------------------------------------------------------------
 */

static const char *next_name(struct series *s, int64_t seconds)
{
	static char kept[PATH_SIZE];
	char *next = series_next(s, seconds * NS);

	assert_non_null(next);
	snprintf(kept, sizeof kept, "%s", strrchr(next, '/') + 1);
	free(next);
	return kept;
}

static void names_never_go_back(void **unused)
{
	const int64_t noon = NOON / NS;
	struct series s;
	struct err e = { "" };

	(void)unused;
	name_path("a-b.json.gz");
	assert_true(series_init(&s, path, strlen(".json.gz"), &e));
	assert_string_equal(next_name(&s, noon), "a-b-20260131T120000Z-000000.json.gz");
	assert_string_equal(next_name(&s, noon), "a-b-20260131T120000Z-000001.json.gz");
	assert_string_equal(next_name(&s, noon + 61), "a-b-20260131T120101Z-000002.json.gz");
	assert_string_equal(next_name(&s, noon - 3600), "a-b-20260131T120101Z-000003.json.gz");
	series_note(&s, "a-b-20260131T120100Z-000077.json.gz"); /* earlier */
	assert_string_equal(next_name(&s, noon), "a-b-20260131T120101Z-000004.json.gz");
	series_note(&s, "a-b-20270131T120100Z-999998.json.gz.part");
	assert_string_equal(next_name(&s, noon), "a-b-20270131T120100Z-999999.json.gz");
	assert_string_equal(next_name(&s, noon), "a-b-20270131T120101Z-000000.json.gz");
	series_note(&s, "a-b-99991231T235959Z-000005.json.gz");
	assert_string_equal(next_name(&s, INT64_MAX / NS), "a-b-99991231T235959Z-000006.json.gz");
	series_free(&s);
}

static void names_are_told_apart(void **unused)
{
	static const char *const others[] = { "flows.json", "flows-20260131T120000Z-000000.csv",
		"flows-20260131T120000Z-000000.json.gz", "flow-20260131T120000Z-000000.json",
		"flowss-20260131T120000Z-000000.json", "flows-20260131T120000Z-00000.json",
		"flows-20260131T120000Z-0000000.json", "flows-20261331T120000Z-000000.json",
		"flows-20260230T120000Z-000000.json", "flows-20260131T240000Z-000000.json",
		"flows-20260131T120000Z-000000.json.part2", "flows-2026013 T120000Z-000000.json",
		"flows-20260131T120000-0000000.json", "flows-20260131T120000Z-00000x.json",
		"xflows-20260131T120000Z-000000.json", "flows-", "" };
	struct series s;
	struct err e = { "" };

	(void)unused;
	name_path("flows.json");
	assert_true(series_init(&s, path, strlen(".json"), &e));
	assert_int_equal(series_what(&s, "flows-20260131T120000Z-000000.json"), SERIES_FILE);
	assert_int_equal(series_what(&s, "flows-20240229T235959Z-999999.json"), SERIES_FILE);
	assert_int_equal(series_what(&s, "flows-20260131T120000Z-000000.json.part"), SERIES_PART);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(series_what(&s, others[i]), SERIES_OTHER);
	series_free(&s);
}

static void a_second_run_goes_on(void **unused)
{
	struct sink_target target = target_of("flows.json");

	(void)unused;
	target.split.count = 2;
	write_series(&target, 3);
	now_ns -= 3600 * NS; /* the clock was set back */
	write_series(&target, 1);
	assert_int_equal(list(), 3);
	assert_string_equal(names.name[0], "flows-20260131T120000Z-000000.json");
	assert_string_equal(names.name[1], "flows-20260131T120000Z-000001.json");
	assert_string_equal(names.name[2], "flows-20260131T120000Z-000002.json");
	assert_int_equal(records_of(names.name[2]), 1);
}

/* Another program has made a file of that name meanwhile: it stays. */
static void nothing_is_overwritten(void **unused)
{
	struct sink_target target = target_of("flows.json");
	struct err e = { "" };

	(void)unused;
	target.split.count = 5;
	put_file(in_folder("flows-20260131T120000Z-000001.json.part"), "not mine");

	const int other = open(in_folder("flows-20260131T120000Z-000001.json.part"), O_RDWR);

	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);

	struct sink *s = open_target(&target);

	assert_true(begin(s, &e));
	assert_true(record(pen, 0, &e) && sink_flush(s, &e));
	put_file(in_folder("flows-20260131T120000Z-000002.json"), "{\"n\":77,\"x\":0}\n");
	for (uint64_t n = 1; n < 6; n++)
		assert_true(record(pen, n, &e));
	assert_true(end(s, &e) && sink_close(s, true, &e));
	free_sink(s);
	close(other);
	unlink(in_folder("flows-20260131T120000Z-000001.json.part"));
	assert_int_equal(gather(), 7);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.name[0], "flows-20260131T120000Z-000002.json");
	assert_string_equal(names.name[1], "flows-20260131T120000Z-000003.json");
}

static void names_by_address(void **unused)
{
	char name[64];

	(void)unused;
	sink_auto_name("lo", name);
	assert_string_equal(name, "lo.json");
	sink_auto_name("any", name);
	assert_string_equal(name, "any.json");
	sink_auto_name("no/such,eth9", name);
	assert_string_equal(name, "no.json");
	sink_auto_name("auto", name); /* a machine may have nothing but lo */
	assert_true(strlen(name) == 17 || strcmp(name, "auto.json") == 0);
}

/* --- who wants to know --------------------------------------------------------------------------
 */

static struct told {
	char part[16][PATH_SIZE];
	size_t count;
	bool refuse;
} told;

/* The file is whole, and has not its final name yet. */
static bool be_told(void *ctx, const char *name, struct err *e)
{
	struct buf b = unpacked(name, "");

	(void)ctx;
	assert_true(ends(name, ".json.part"));
	assert_true(b.size > 0 && b.p[b.size - 1] == '\n');
	buf_free(&b);
	snprintf(told.part[told.count++ % 16], PATH_SIZE, "%s", name);
	return !told.refuse || err_set(e, "no, thanks");
}

static void whole_files_are_told_of(void **unused)
{
	struct sink_target target = target_of("flows.json");

	(void)unused;
	told.count = 0;
	told.refuse = false;
	target.finished = be_told;
	target.split.count = 10;
	write_series(&target, 25);
	assert_int_equal(told.count, 3);
	assert_string_equal(told.part[2], in_folder("flows-20260131T120000Z-000002.json.part"));
	assert_heard("", 0);
	told.refuse = true;
	write_series(&target, 5);
	assert_heard("no, thanks", 1);
	assert_int_equal(list(), 4); /* it gets its name all the same */
	clear_folder();

	target = target_of("one.json");
	target.finished = be_told;
	target.live = true;
	told.refuse = false;
	told.count = 0;
	write_series(&target, 5);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.part[0], in_folder("one.json.part"));
}

/* --- retention ----------------------------------------------------------------------------------
 */

static void put_aged(const char *name, int64_t age_s)
{
	struct utimbuf times = { NOON / NS - age_s, NOON / NS - age_s };

	put_file(in_folder(name), "{\"n\":1,\"x\":1}\n");
	assert_int_equal(utime(in_folder(name), &times), 0);
}

static void the_oldest_go_when_all_are_too_large(void **unused)
{
	struct sink_target target = target_of("flows.json");

	(void)unused;
	target.split.count = 100; /* about 21 KB */
	target.keep.size = 100000;
	put_file(in_folder("flows.json"), "mine");
	put_file(in_folder("flows-20200101T000000Z-000000.csv"), "mine");
	put_file(in_folder("other-20200101T000000Z-000000.json"), "mine");
	write_series(&target, 1000);
	assert_int_equal(list(), 3 + 4);
	assert_string_equal(names.name[2], "flows-20260131T120000Z-000007.json");
	assert_true(exists(in_folder("flows.json")));
	assert_true(exists(in_folder("flows-20200101T000000Z-000000.csv")));
	assert_true(exists(in_folder("other-20200101T000000Z-000000.json")));
	assert_heard("deleted ", 6);
	assert_heard(": keep_size", 6);
}

static void old_files_go_but_the_newest_stays(void **unused)
{
	struct sink_target target = target_of("flows.json");

	(void)unused;
	target.split.count = 100;
	target.keep.ns = 3600 * NS;
	put_aged("flows-20260131T080000Z-000001.json", 14400);
	put_aged("flows-20260131T105900Z-000002.json", 3601);
	put_aged("flows-20260131T110000Z-000003.json", 3599);
	now_ns = NOON;
	write_series(&target, 0);
	assert_int_equal(list(), 2);
	assert_string_equal(names.name[0], "flows-20260131T110000Z-000003.json");
	assert_heard(": keep_time", 2);
	now_ns = NOON + 86400 * 400 * NS; /* later than the file system's own clock */
	clear_folder();
	put_aged("flows-20260131T110000Z-000003.json", 3599);
	target.keep.size = 1;
	write_series(&target, 1);
	assert_int_equal(list(), 1);
	assert_int_equal(records_of(names.name[0]), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_count_is_exact),
		TEST(each_file_stands_by_itself),
		TEST(csv_has_its_header_in_each),
		TEST(a_size_is_reached_and_no_more),
		TEST(a_time_is_that_of_packets),
		TEST(the_same_records_give_the_same_files),
		TEST(another_on_demand),
		TEST(only_files_can_be_split),
		TEST(a_failure_says_what_is_whole),
		TEST(names_never_go_back),
		TEST(names_are_told_apart),
		TEST(a_second_run_goes_on),
		TEST(nothing_is_overwritten),
		TEST(names_by_address),
		TEST(whole_files_are_told_of),
		TEST(the_oldest_go_when_all_are_too_large),
		TEST(old_files_go_but_the_newest_stays),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
