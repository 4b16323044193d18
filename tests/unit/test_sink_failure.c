/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sink_failure.c - full disks, closed pipes and records too long: errors that name and count,
 * and never a half line that looks whole.
 */
#include <sys/resource.h>

#include "sink_kit.h"

/* --- failures -----------------------------------------------------------------------------------
 */

static void a_full_device(void **unused)
{
	struct err e = { "" }, again = { "" };
	uint64_t n = 0;

	(void)unused;

	struct sink *s = open_sink("/dev/full");

	assert_true(begin(s, &e));
	while (n < 100000 && record(pen, n, &e))
		n++;
	assert_error(&e, "/dev/full: No space left on device; 0 of ");
	assert_error(&e, " records are whole");
	assert_false(record(pen, n, &again));
	assert_string_equal(again.text, e.text);
	assert_false(sink_flush(s, &again));
	assert_false(end(s, &again));
	again.text[0] = '\0';
	assert_false(sink_close(s, true, &again));
	assert_string_equal(again.text, e.text);
	free_sink(s);

	s = open_sink("/dev/full"); /* little enough to stay in the buffer until the end */
	write_records(s, 3);
	assert_false(end(s, &e));
	assert_error(&e, "No space left on device; 0 of 3 records");
	assert_false(sink_close(s, true, &again));
	assert_string_equal(again.text, e.text);
	free_sink(s);
}

static void a_closed_pipe(void **unused)
{
	struct err e = { "" };
	uint64_t n = 0;

	(void)unused;
	name_path("closed");
	assert_int_equal(mkfifo(path, 0600), 0);

	const int reader = open(path, O_RDONLY | O_NONBLOCK);
	struct sink *s = open_sink(path);

	assert_true(begin(s, &e));
	close(reader);
	while (n < 100000 && record(pen, n, &e))
		n++;
	assert_error(&e, "Broken pipe; 0 of ");
	assert_error(&e, path);
	assert_false(sink_close(s, true, &e));
	free_sink(s);
	unlink(path);
}

/* Files may grow to 'size' bytes and no further, as on a disk that is full. */
static void limit_files(rlim_t size)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* Writes until it fails; returns how many records the error says are whole. */
static unsigned long long fill_disk(rlim_t size)
{
	struct err e = { "" };
	struct sink *s = open_sink(path);
	unsigned long long whole = 0, all = 0;
	bool going;
	const char *counts;

	limit_files(size);
	going = begin(s, &e);
	for (uint64_t n = 0; n < 100000 && going; n++)
		going = record(pen, n, &e);

	const bool closed = sink_close(s, true, &e);

	limit_files(RLIM_INFINITY);
	assert_false(going || closed);
	assert_error(&e, part);
	assert_error(&e, "File too large");
	counts = strstr(e.text, "; ");
	assert_non_null(counts);
	assert_int_equal(sscanf(counts, "; %llu of %llu records", &whole, &all), 2);
	assert_int_equal(all, sink_records(s));
	assert_true(whole < all);
	free_sink(s);
	assert_false(exists(path));
	return whole;
}

static void a_full_disk_leaves_whole_lines(void **unused)
{
	static const rlim_t sizes[] = { 0, 1, 20, 300, 262144, 300001, 655360, 800000, 1000003 };

	(void)unused;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buf b;
		unsigned long long whole;

		name_path("full.json");
		whole = fill_disk(sizes[i]);
		b = content(part);
		assert_int_equal(json_lines(&b), b.size > 0 ? whole + 1 : 0);
		assert_true(b.size + 300 > sizes[i]); /* no more is lost than needs to be */
		buf_free(&b);
		unlink(part);

		name_path("full.csv");
		whole = fill_disk(sizes[i]);
		b = content(part);
		if (b.size > 0)
			assert_int_equal(csv_rows(&b), whole + 1);
		buf_free(&b);
		unlink(part);
	}
}

static void a_full_disk_leaves_streams_with_an_end(void **unused)
{
	(void)unused;
	for (size_t c = 1; c < COMPRESSIONS; c++) {
		char name[32];
		unsigned long long most = 0;

		snprintf(name, sizeof name, "full.json%s", compressions[c]);
		name_path(name);
		for (rlim_t size = 230000; size < 900000; size += 33333) {
			const unsigned long long whole = fill_disk(size);
			struct buf packed = content(part);

			if (packed.size > 0) {
				struct buf b = unpacked(part, compressions[c]);

				assert_int_equal(json_lines(&b), whole + 1);
				buf_free(&b);
			}
			most = whole > most ? whole : most;
			buf_free(&packed);
			unlink(part);
		}
		assert_true(most > 1000);
	}
}

/* The limit falls right behind a flush, so that there is no room for the end: one flush more goes.
 */
static void a_full_disk_right_behind_a_flush(void **unused)
{
	(void)unused;
	for (size_t c = 1; c < COMPRESSIONS; c++) {
		char name[32];
		struct err e = { "" };
		struct stat st;

		snprintf(name, sizeof name, "tight.json%s", compressions[c]);
		name_path(name);

		struct sink *s = open_sink(path);

		for (uint64_t n = 0; n < 20; n++)
			assert_true(record(pen, n, &e));
		assert_true(sink_flush(s, &e));
		for (uint64_t n = 20; n < 40; n++)
			assert_true(record(pen, n, &e));
		assert_true(sink_flush(s, &e));
		assert_int_equal(stat(part, &st), 0);
		assert_true(record(pen, 40, &e));
		limit_files((rlim_t)st.st_size);

		const bool flushed = sink_flush(s, &e);

		limit_files(RLIM_INFINITY);
		assert_false(flushed);
		assert_error(&e, "20 of 41 records are whole");
		free_sink(s);

		struct buf b = unpacked(part, compressions[c]);

		assert_int_equal(json_lines(&b), 20);
		buf_free(&b);
		unlink(part);
	}
}

static void a_record_too_long_is_left_out_and_counted(void **unused)
{
	const size_t size = LIMIT_RECORD_BYTES + 1000000;
	char *bytes = malloc(size);
	const struct data d = { 7, { bytes, size } };
	const void *const data[] = { &d };
	struct err e = { "" };

	(void)unused;
	assert_non_null(bytes);
	memset(bytes, 'x', size);
	name_path("long.json");

	struct sink *s = open_sink(path);

	assert_true(record(pen, 1, &e));
	assert_true(pen_record(pen, data, &e));
	assert_true(record(pen, 2, &e));
	assert_int_equal(sink_records(s), 2);
	assert_int_equal(counts(s).refused, 1);
	assert_true(sink_close(s, true, &e));
	free_sink(s);

	struct buf b = content(path);

	assert_int_equal(json_lines(&b), 2);
	buf_free(&b);
	free(bytes);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_device),
		cmocka_unit_test(a_closed_pipe),
		cmocka_unit_test(a_full_disk_leaves_whole_lines),
		cmocka_unit_test(a_full_disk_leaves_streams_with_an_end),
		cmocka_unit_test(a_full_disk_right_behind_a_flush),
		cmocka_unit_test(a_record_too_long_is_left_out_and_counted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
