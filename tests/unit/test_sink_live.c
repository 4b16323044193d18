/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sink_live.c - outputs of live runs: pens of several threads, files that end on time, lines
 * that are no records, and what is no file.
 */
#include "disk_kit.h"

/* --- pens ---------------------------------------------------------------------------------------
 */

enum { THREADS = 4, EACH = 8000 };

struct worker {
	pthread_t thread;
	struct pen *pen;
	uint64_t from;
	bool good;
};

static void *write_its_own(void *ctx)
{
	struct worker *w = ctx;
	struct err e = { "" };

	w->good = true;
	for (uint64_t n = w->from; n < w->from + EACH; n++) {
		w->good &= record(w->pen, n, &e);
		if (n % 512 == 0)
			w->good &= pen_flush(w->pen, &e);
	}
	return NULL;
}

/* Notes, polls, counts and demands come from yet another thread meanwhile. */
static void pens_of_several_threads(void **unused)
{
	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		static char object[] = "{\"drops\":{}}";
		const struct buf note = { .p = object, .size = sizeof object - 1 };
		char name[32];
		struct worker workers[THREADS];
		struct err e = { "" };

		snprintf(name, sizeof name, "flows.json%s", compressions[c]);

		struct sink_target target = live_target(name);

		target.split.count = 777;

		struct sink *s = open_target(&target);

		for (uint64_t i = 0; i < THREADS; i++) {
			workers[i].pen = pen_new(s, &e);
			workers[i].from = i * EACH;
			assert_non_null(workers[i].pen);
		}
		assert_true(begin(s, &e));
		for (size_t i = 0; i < THREADS; i++)
			pthread_create(&workers[i].thread, NULL, write_its_own, &workers[i]);
		for (unsigned i = 0; i < 20; i++) {
			assert_true(sink_note(s, &note, &e));
			assert_true(sink_poll(s, &e));
			assert_true(counts(s).lost == 0);
			if (i % 7 == 0)
				assert_true(sink_rotate(s));
			nap();
		}
		sink_stopping(s);
		for (size_t i = 0; i < THREADS; i++) {
			pthread_join(workers[i].thread, NULL);
			assert_true(workers[i].good);
			pen_free(workers[i].pen);
		}
		finish(s);
		assert_int_equal(counts(s).records, THREADS * EACH);
		assert_int_equal(counts(s).lost + counts(s).waiting_bytes, 0);
		assert_int_equal(gather(), THREADS * EACH);
		assert_each_once(THREADS * EACH);
		assert_int_equal(counts(s).files, names.count);
		for (size_t i = 0; i < names.count; i++)
			assert_true(records_of(names.name[i]) <= 777);
		assert_heard("", 0);
		free_sink(s);
		clear_folder();
	}
}

/* Flows that leave all at once at the end of a run wait for a slow disk. */
static void nothing_is_lost_at_the_end(void **unused)
{
	struct sink_target target = live_target("flows.json");

	(void)unused;
	target.series = true;
	target.queue_bytes = 1 << 20;

	struct sink *s = start(&target);

	disk.slow = true;
	sink_stopping(s);
	write_some(0, 4 * RECORDS);
	finish(s);
	assert_int_equal(counts(s).lost, 0);
	free_sink(s);
	assert_int_equal(gather(), 4 * RECORDS);
	assert_each_once(4 * RECORDS);
}

/* --- time ---------------------------------------------------------------------------------------
 */

static void files_end_on_time_without_traffic(void **unused)
{
	struct sink_target target = live_target("flows.json");

	(void)unused;
	target.split.interval_ns = 30 * MS;

	struct sink *s = start(&target);

	for (unsigned i = 0; i < 50; i++)
		nap();
	assert_int_equal(list(), 0); /* a time without records makes no file */
	write_some(0, 5);
	flush();
	await(s, now.files == 1);
	now_ns -= 3600 * NS; /* whatever becomes of the clock */
	write_some(5, 7);
	flush();
	await(s, now.files == 2);
	for (unsigned i = 0; i < 50; i++)
		nap();
	assert_int_equal(list(), 2);
	finish(s);
	free_sink(s);
	assert_int_equal(list(), 3);
	assert_int_equal(records_of(names.name[0]), 5);
	assert_int_equal(records_of(names.name[1]), 2);
	assert_has(names.name[2], "{\"file\":3,\"records\":0,\"lost\":0}}\n{\"summary\"", true);
}

/* Somebody waits for a file that is full, also when no record follows. */
static void a_full_file_ends_at_once(void **unused)
{
	struct sink_target target = live_target("flows.json");

	(void)unused;
	target.split.count = 50;

	struct sink *s = start(&target);

	write_some(0, 50);
	flush();
	await(s, now.files == 1);
	assert_int_equal(records_of(names.name[list() - 1]), 50);
	finish(s);
	free_sink(s);
	clear_folder();

	target = live_target("flows.json");
	target.split.size = 5000;
	s = start(&target);
	write_some(0, 25);
	flush();
	await(s, now.files == 1);
	finish(s);
	free_sink(s);
}

static void old_files_go_without_traffic(void **unused)
{
	struct sink_target target = live_target("flows.json");

	(void)unused;
	target.split.count = 10;
	target.keep.ns = 3600 * NS;
	now_ns = time(NULL) * NS;

	struct sink *s = start(&target);

	write_some(0, 20);
	flush();
	await(s, now.files == 2);
	now_ns += 3700 * NS;
	await(s, now.deleted == 1);
	assert_int_equal(list(), 1);
	finish(s);
	free_sink(s);
}

/* --- lines that are no records ------------------------------------------------------------------
 */

static void notes_are_no_records(void **unused)
{
	static char object[] = "{\"drops\":{\"interface\":\"eth0\"}}";
	const struct buf note = { .p = object, .size = sizeof object - 1 };
	struct sink_target target = live_target("flows.json");
	struct err e = { "" };

	(void)unused;
	target.split.count = 3;

	struct sink *s = start(&target);

	assert_true(sink_note(s, &note, &e)); /* makes a file */
	await(s, list() == 1);
	for (uint64_t n = 0; n < 6; n++) {
		write_some(n, n + 1);
		flush();
		assert_true(sink_note(s, &note, &e));
	}
	finish(s);
	assert_int_equal(counts(s).records, 6);
	free_sink(s);
	assert_int_equal(gather(), 6);
	assert_int_equal(names.count, 3); /* the last note comes behind a full file */
	assert_has(names.name[0], object, true);
	assert_has(names.name[2], object, true);
	clear_folder();

	target = live_target("flows.csv");
	target.series = true;
	s = start(&target);
	assert_true(sink_note(s, &note, &e));
	write_some(0, 1);
	finish(s);
	free_sink(s);
	assert_int_equal(list(), 1);

	struct buf b = content(in_folder(names.name[0]));

	assert_int_equal(csv_rows(&b), 2);
	assert_false(has(&b, "drops"));
	buf_free(&b);
}

static void a_configuration_that_changes(void **unused)
{
	static char object[] = "{\"version\":\"2\"}";
	const struct buf other = { .p = object, .size = sizeof object - 1 };
	struct sink_target target = live_target("flows.json");
	struct err e = { "" };

	(void)unused;
	target.split.count = 5;

	struct sink *s = start(&target);

	write_some(0, 2);
	flush();
	assert_true(sink_begin(s, &other, &e));
	write_some(2, 7);
	finish(s);
	free_sink(s);
	assert_int_equal(gather(), 7);
	assert_int_equal(names.count, 2);
	assert_has(names.name[0], "\"2\"}\n{\"n\"", false);
	assert_has(names.name[1], "\"2\"}\n{\"n\"", true);
}

/* --- what is no file ----------------------------------------------------------------------------
 */

struct receiver {
	pthread_t thread;
	uint64_t lines, stop_at;
};

static bool receive(void *ctx, const char *bytes, size_t size)
{
	struct receiver *r = ctx;

	assert_true(pthread_equal(r->thread, pthread_self()));
	assert_int_equal(bytes[size - 1], '\n');
	assert_null(memchr(bytes, '\n', size - 1));
	return ++r->lines != r->stop_at;
}

static void *write_100(void *ctx)
{
	struct err e = { "" };

	(void)ctx;
	for (uint64_t n = 0; n < 100; n++)
		if (!record(pen, n, &e))
			return NULL;
	return pen;
}

/* Lines come in the thread that polls, whatever thread the pens are in. */
static void lines_by_callback(void **unused)
{
	struct receiver r = { pthread_self(), 0, 0 };
	struct sink_target target = { .line = receive, .ctx = &r, .live = true };
	struct sink *s = start(&target);
	struct err e = { "" };
	pthread_t worker;
	void *done;

	(void)unused;
	good_disk();
	pthread_create(&worker, NULL, write_100, NULL);
	await(s, r.lines >= 101);
	pthread_join(worker, &done);
	assert_non_null(done);
	assert_int_equal(r.lines, 101);
	write_some(0, 1);
	finish(s);
	assert_int_equal(r.lines, 103);
	free_sink(s);

	r = (struct receiver){ pthread_self(), 0, 3 };
	s = start(&target);
	write_some(0, 5);
	assert_false(sink_poll(s, &e));
	assert_error(&e, "asked to stop; 1 of 5 records");
	assert_false(record(pen, 5, &e));
	assert_false(sink_close(s, true, &e));
	assert_int_equal(r.lines, 3);
	assert_int_equal(counts(s).records + counts(s).lost, 5);
	free_sink(s);
}

static void a_pipe_without_reader(void **unused)
{
	struct sink_target target = live_target("pipe");
	struct err e = { "" };
	const time_t stop = time(NULL) + SECONDS;

	(void)unused;
	assert_int_equal(mkfifo(path, 0600), 0);
	signal(SIGPIPE, SIG_DFL); /* the writer thread has its own mind */

	const int reader = open(path, O_RDONLY | O_NONBLOCK);
	struct sink *s = start(&target);
	char bytes[64];

	while (syscall(SYS_read, reader, bytes, sizeof bytes) <= 0) /* the configuration, at once */
		nap();
	close(reader);
	write_some(0, 5);
	flush();
	while (sink_poll(s, &e) && time(NULL) < stop)
		nap();
	assert_error(&e, "Broken pipe; 0 of 5 records");
	assert_false(record(pen, 5, &e) && pen_flush(pen, &e));
	assert_false(sink_close(s, true, &e));
	assert_int_equal(counts(s).lost, 5);
	free_sink(s);
	signal(SIGPIPE, SIG_IGN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pens_of_several_threads),
		TEST(nothing_is_lost_at_the_end),
		TEST(files_end_on_time_without_traffic),
		TEST(a_full_file_ends_at_once),
		TEST(old_files_go_without_traffic),
		TEST(notes_are_no_records),
		TEST(a_configuration_that_changes),
		TEST(lines_by_callback),
		TEST(a_pipe_without_reader),
	};

	good_disk();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
