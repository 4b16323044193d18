/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sink_disk.c - outputs of live runs on a disk that is full, refuses or is gone: nothing is
 * lost that memory can hold, what is lost is counted, and all is said once.
 */
#include "disk_kit.h"

/* The sum of what the files' own summaries say is lost. */
static uint64_t lost_in_summaries(void)
{
	uint64_t lost = 0;

	list();
	for (size_t i = 0; i < names.count; i++) {
		struct buf b = text_of(names.name[i]);

		for (size_t at = 0; at < b.size; at = next_line(&b, at)) {
			static const char format[] = "{\"summary\":{\"file\":%*u,\"records\":%*u,"
						     "\"lost\":%llu}}";
			unsigned long long n;

			if (sscanf(line_at(&b, at), format, &n) == 1)
				lost += n;
		}
		buf_free(&b);
	}
	return lost;
}

static void assert_none_twice(void)
{
	for (uint64_t n = 0; n < sizeof seen; n++)
		assert_true(seen[n] < 2);
}

/* Blocks that hardly hold anything are put together while they wait. */
static void short_blocks_take_little_room(void **unused)
{
	struct sink_target target = live_target("flows.json");

	(void)unused;
	target.series = true;
	target.queue_bytes = 2 << 20;

	struct sink *s = start(&target);

	disk.room = 0;
	for (uint64_t n = 0; n < 3000; n++) {
		write_some(n, n + 1);
		flush();
	}
	await(s, now.paused);
	assert_int_equal(counts(s).lost, 0);
	assert_true(counts(s).waiting_bytes <= counts(s).queue_bytes);
	assert_true(counts(s).waiting_ns > 0);
	disk.room = INT64_MAX;
	await(s, now.waiting_bytes == 0);
	finish(s);
	free_sink(s);
	assert_int_equal(gather(), 3000);
	assert_each_once(3000);
}

/* --- a full disk --------------------------------------------------------------------------------
 */

static void a_full_disk_is_waited_out(void **unused)
{
	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32], words[80];
		uint64_t n = 0, lost;

		snprintf(name, sizeof name, "flows.json%s", compressions[c]);

		struct sink_target target = live_target(name);

		target.queue_bytes = 1 << 20;
		target.split.count = 1000;

		struct sink *s = start(&target);

		write_some(0, 1500);
		flush();
		await(s, now.files == 1);
		disk.room = 12345;
		for (n = 1500; counts(s).lost < 3000; n++)
			write_some(n, n + 1);
		await(s, now.paused);
		assert_heard(".json", 1);
		assert_heard("cannot write ", 1);
		assert_heard("No space left on device; records wait in memory", 1);
		assert_heard("there is no memory left", 1);
		disk.room = INT64_MAX;
		await(s, !now.paused && now.waiting_bytes == 0 && heard("caught up") > 0);
		lost = counts(s).lost;
		assert_int_equal(said.count, 3);
		snprintf(words, sizeof words, "output has caught up: %llu records were lost",
				(unsigned long long)lost);
		assert_heard(words, 1);
		write_some(n, n + 100);
		n += 100;
		finish(s);
		assert_int_equal(counts(s).lost, lost);
		assert_int_equal(counts(s).records, n - lost);
		free_sink(s);
		assert_int_equal(said.count, 3);
		assert_int_equal(gather(), n - lost);
		assert_none_twice();
		assert_int_equal(lost_in_summaries(), lost);
		clear_folder();
	}
}

/* Full again and again, wherever that strikes: nothing is lost as long as memory lasts. */
static void a_disk_that_is_full_now_and_then(void **unused)
{
	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32];

		snprintf(name, sizeof name, "flows.json%s", compressions[c]);

		struct sink_target target = live_target(name);

		target.tick_ns = MS;
		target.split.count = 333;

		struct sink *s = start(&target);

		disk.room = 100;
		for (uint64_t n = 0; n < 6000; n += 100) {
			write_some(n, n + 100);
			flush();
			nap();
			disk.room += (int64_t)(n * 37 % 9000);
		}
		for (int64_t more = 1; counts(s).waiting_bytes > 0; more = more * 5 % 100003) {
			disk.room += more;
			nap();
		}
		disk.room = INT64_MAX;
		finish(s);
		assert_int_equal(counts(s).lost, 0);
		free_sink(s);
		assert_int_equal(gather(), 6000);
		assert_each_once(6000);
		for (size_t i = 0; i + 1 < names.count; i++)
			assert_int_equal(records_of(names.name[i]), 333);
		clear_folder();
	}
}

/* Notes wait too, but not without end. */
static void notes_wait_for_a_disk(void **unused)
{
	static char object[1000];
	const struct buf note = { .p = object, .size = sizeof object - 1 };
	struct sink_target target = live_target("flows.json");
	struct err e = { "" };

	(void)unused;
	memset(object, 'x', sizeof object);
	object[0] = object[sizeof object - 2] = '"';
	target.series = true;
	target.queue_bytes = 1 << 20;

	struct sink *s = start(&target);

	disk.room = 0;
	for (unsigned i = 0; i < 8000; i++)
		assert_true(sink_note(s, &note, &e));
	await(s, now.paused);
	assert_in_range(counts(s).notes_lost, 2000, 6000);
	assert_in_range(counts(s).waiting_bytes, 5 << 20, 6 << 20);
	disk.room = INT64_MAX;
	finish(s);
	list();

	struct buf b = text_of(names.name[0]);

	assert_int_equal(json_lines(&b), 1 + 8000 - counts(s).notes_lost + 2);
	buf_free(&b);
	free_sink(s);
}

/* What waits at the end is lost and counted; what was written is recovered. */
static void a_disk_that_is_full_at_the_end(void **unused)
{
	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32];
		struct err e = { "" };
		uint64_t whole;

		snprintf(name, sizeof name, "flows.json%s", compressions[c]);

		struct sink_target target = live_target(name);

		target.split.count = 100000;

		struct sink *s = start(&target);

		write_some(0, 4000);
		flush();
		await(s, now.waiting_bytes == 0);
		disk.room = 77777;
		write_some(4000, RECORDS);
		assert_true(end(s, &e));
		assert_false(sink_close(s, true, &e));
		assert_error(&e, ".part: No space left on device; ");
		whole = counts(s).records;
		assert_int_equal(whole + counts(s).lost, RECORDS);
		/* a stream's end needs room too: one flush may go for it */
		assert_in_range(whole, c == 0 ? 4000 : 2000, RECORDS);
		free_sink(s);

		s = start(&target); /* a disk with room again */
		good_disk();
		finish(s);
		free_sink(s);
		assert_int_equal(gather(), whole);
		assert_each_once(whole);
		clear_folder();
	}
}

/* --- files and folders that go ------------------------------------------------------------------
 */

static void a_file_that_vanishes(void **unused)
{
	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32];

		snprintf(name, sizeof name, "flows.json%s", compressions[c]);

		struct sink_target target = live_target(name);

		target.series = true;

		struct sink *s = start(&target);

		write_some(0, 70);
		flush();
		await(s, now.waiting_bytes == 0);
		assert_int_equal(list(), 1);
		unlink(in_folder(names.name[0]));
		await(s, now.lost == 70);
		assert_heard("has vanished: 70 records are lost in it", 1);
		write_some(0, 30);
		finish(s);
		assert_int_equal(counts(s).records, 30);
		free_sink(s);
		assert_int_equal(gather(), 30);
		assert_each_once(30);
		assert_int_equal(lost_in_summaries(), 70);
		clear_folder();
	}
}

static void a_folder_that_goes_and_comes_back(void **unused)
{
	struct sink_target target = live_target("flows.json");
	char away[PATH_SIZE];

	(void)unused;
	target.split.count = 100;

	struct sink *s = start(&target);

	snprintf(away, sizeof away, "%s.away", folder);
	write_some(0, 100);
	flush();
	await(s, now.files == 1);
	assert_int_equal(syscall(SYS_renameat2, AT_FDCWD, folder, AT_FDCWD, away, 0), 0);
	write_some(100, 150);
	flush();
	await(s, now.paused);
	assert_heard(": No such file or directory; records wait in memory", 1);
	write_some(150, 250);
	flush();
	assert_int_equal(syscall(SYS_renameat2, AT_FDCWD, away, AT_FDCWD, folder, 0), 0);
	await(s, heard("output has caught up: 0 records were lost") == 1);
	finish(s);
	free_sink(s);
	assert_int_equal(gather(), 250);
	assert_each_once(250);
}

static void a_folder_that_refuses(void **unused)
{
	struct sink_target target = live_target("flows.json.gz");

	(void)unused;
	target.split.count = 100;
	disk.rename = EACCES;

	struct sink *s = start(&target);

	write_some(0, 50);
	flush();
	await(s, list() == 1);
	write_some(50, 100);
	flush();
	await(s, now.paused);
	assert_heard("000000.json.gz.part: Permission denied; records wait in memory", 1);
	write_some(100, 250);
	flush();
	assert_int_equal(list(), 1);
	disk.rename = 0;
	await(s, now.files == 2 && heard("caught up: 0") == 1);
	finish(s);
	free_sink(s);
	assert_int_equal(gather(), 250);
	assert_each_once(250);
	assert_string_equal(names.name[0], "flows-20260131T120000Z-000000.json.gz");
	assert_string_equal(names.name[2], "flows-20260131T120000Z-000002.json.gz");
}

/* After a failed sync nobody knows what is on the disk: the file keeps its other name. */
static void a_sync_that_fails(void **unused)
{
	struct sink_target target = live_target("flows.json");

	(void)unused;
	target.split.count = 100;
	disk.sync = EIO;

	struct sink *s = start(&target);

	write_some(0, 100);
	flush();
	await(s, heard("cannot sync ") == 1);
	assert_heard("000000.json.part: Input/output error; it is left as it is", 1);
	assert_int_equal(finished_files(), 0);
	disk.sync = 0;
	write_some(100, 150);
	finish(s);
	assert_int_equal(counts(s).files, 1);
	free_sink(s);
	assert_int_equal(list(), 2);
	s = start(&target);
	finish(s);
	free_sink(s);
	assert_int_equal(gather(), 150);
	assert_each_once(150);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(short_blocks_take_little_room),
		TEST(a_full_disk_is_waited_out),
		TEST(a_disk_that_is_full_now_and_then),
		TEST(notes_wait_for_a_disk),
		TEST(a_disk_that_is_full_at_the_end),
		TEST(a_file_that_vanishes),
		TEST(a_folder_that_goes_and_comes_back),
		TEST(a_folder_that_refuses),
		TEST(a_sync_that_fails),
	};

	good_disk();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
