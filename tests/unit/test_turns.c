/* SPDX-License-Identifier: BSD-3-Clause */
/* test_turns.c - sink/turns.c: one order out of several files, whoever is fast or slow, in bounded
 * memory. */
#include "sink_kit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/limits.h"
#include "sink/turns.h"

enum { WORKERS = 4, FILES = 300, PER_FILE = 50, NOTE_END = TURN_NOTE, TEXT = 4000 };

struct seen {
	struct risen line;
	uint64_t notes;
	bool one; /* file, that is long */
};

/* Behind the last record of its file. */
static bool on_note(void *ctx, unsigned what, const void *bytes, size_t size, struct err *e)
{
	struct seen *s = ctx;
	size_t file;

	(void)e;
	assert_int_equal(what, NOTE_END);
	assert_int_equal(size, sizeof file);
	memcpy(&file, bytes, sizeof file);
	assert_int_equal(file, s->notes++);
	assert_true(s->line.records == 0 || s->one || s->line.last / PER_FILE <= file);
	return true;
}

struct stage {
	struct seen seen;
	struct sink *sink;
	struct turns *all;
};

static void open_stage(struct stage *s, size_t files, size_t ahead)
{
	const struct sink_target t = { .line = rising_line, .ctx = &s->seen.line };
	struct turns_conf conf = {
		.files = files, .note = on_note, .ctx = &s->seen, .ahead = ahead
	};
	struct err e = { "" };

	s->sink = conf.sink = sink_open(&t, plan, &e);
	assert_non_null(s->sink);
	s->all = turns_new(&conf, &e);
	assert_non_null(s->all);
	assert_true(begin(s->sink, &e));
}

static void close_stage(struct stage *s)
{
	turns_free(s->all);
	sink_free(s->sink);
}

static bool add(struct turn *t, uint64_t n, size_t size)
{
	static char text[TEXT];
	const struct data d = { n, { text, size } };
	const void *const data[] = { &d };
	struct err e = { "" };

	return turn_record(t, 0, data, &e);
}

static bool end_file(struct turn *t, size_t file)
{
	struct err e = { "" };

	return turn_note(t, NOTE_END, &file, sizeof file, &e) && turn_end(t, &e);
}

static struct turn *new_turn(struct turns *all)
{
	struct err e = { "" };
	struct turn *t = turn_new(all, &e);

	assert_non_null(t);
	return t;
}

/* --- several workers ----------------------------------------------------------------------- */

struct work {
	struct turns *all;
	size_t text;
	bool slow; /* with the first file */
	bool failed;
};

static void *work(void *ctx)
{
	struct work *w = ctx;
	struct turn *t = new_turn(w->all);
	size_t file;

	while (!w->failed && turn_take(t, &file)) {
		if (w->slow && file == 0)
			usleep(300000);
		turn_enter(t);
		for (uint64_t i = 0; i < file % (PER_FILE + 1) && !w->failed; i++)
			w->failed = !add(t, file * PER_FILE + i, w->text);
		turn_leave(t);
		w->failed = w->failed || !end_file(t, file);
	}
	turn_free(t);
	return NULL;
}

static bool take_all(struct stage *s, size_t *most)
{
	bool over = false;
	struct err e = { "" };

	while (!over) {
		const size_t waits = turns_waiting(s->all);

		*most = waits > *most ? waits : *most;
		if (!turns_write(s->all, &over, &e))
			return false;
		turns_hold(s->all); /* does no harm at any time */
		turns_release(s->all);
	}
	return turns_flush(s->all, &e);
}

static void run(struct stage *s, size_t text, bool slow, size_t ahead, size_t *most)
{
	pthread_t thread[WORKERS];
	struct work works[WORKERS];
	bool good;

	open_stage(s, FILES, ahead);
	for (size_t i = 0; i < WORKERS; i++) {
		works[i] = (struct work){ s->all, text, slow, false };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &works[i]), 0);
	}
	good = take_all(s, most);
	assert_int_equal(good, s->seen.line.stop_at == 0);
	if (!good)
		turns_give_up(s->all);
	for (size_t i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	close_stage(s);
}

static uint64_t all_records(void)
{
	uint64_t sum = 0;

	for (uint64_t file = 0; file < FILES; file++)
		sum += file % (PER_FILE + 1);
	return sum;
}

static void test_order(void **unused)
{
	size_t most = 0;

	(void)unused;
	for (int slow = 0; slow < 2; slow++) {
		struct stage s = { 0 };

		run(&s, 20, slow, 0, &most);
		assert_int_equal(s.seen.line.records, all_records());
		assert_int_equal(s.seen.notes, FILES);
	}
}

/* What lies behind a slow file: some of 29 MB, and the files behind it wait. */
static void test_bound(void **unused)
{
	enum { AHEAD = 1 << 20 };
	struct stage s = { 0 };
	size_t most = 0;

	(void)unused;
	run(&s, TEXT, true, AHEAD, &most);
	assert_int_equal(s.seen.line.records, all_records());
	assert_true(most > AHEAD / 2);
	assert_true(most <= AHEAD + LIMIT_OUTPUT_TURN);
}

static void test_failure(void **unused)
{
	struct stage s = { .seen.line.stop_at = 100 };
	size_t most = 0;

	(void)unused;
	run(&s, TEXT, false, 1 << 20, &most);
	assert_int_equal(s.seen.line.records, 100);
}

/* --- one file that is long ----------------------------------------------------------------- */

static void *write_much(void *ctx)
{
	struct turn *t = ctx;

	for (uint64_t n = 0; n < 5000; n++)
		assert_true(add(t, n, TEXT));
	assert_true(end_file(t, 0));
	return NULL;
}

/* The file whose turn it is waits for the writer. */
static void test_turn_is_bounded(void **unused)
{
	struct stage s = { .seen.one = true };
	struct turn *t;
	pthread_t thread;
	size_t file, most = 0;

	(void)unused;
	open_stage(&s, 1, 0);
	t = new_turn(s.all);
	assert_true(turn_take(t, &file));
	assert_int_equal(pthread_create(&thread, NULL, write_much, t), 0);
	usleep(200000);
	most = turns_waiting(s.all);
	assert_true(most > LIMIT_OUTPUT_TURN / 2 && most <= LIMIT_OUTPUT_TURN);
	assert_true(take_all(&s, &most));
	pthread_join(thread, NULL);
	assert_int_equal(s.seen.line.records, 5000);
	turn_free(t);
	close_stage(&s);
}

/* --- stopping and holding ------------------------------------------------------------------ */

/* Files that are taken are written, no others. */
static void test_stop(void **unused)
{
	struct stage s = { 0 };
	struct turn *t[3];
	size_t file, most = 0;

	(void)unused;
	open_stage(&s, FILES, 0);
	for (size_t i = 0; i < 3; i++) {
		t[i] = new_turn(s.all);
		assert_true(turn_take(t[i], &file));
		assert_int_equal(file, i);
	}
	turns_stop(s.all);
	for (size_t i = 3; i-- > 0;) {
		assert_true(add(t[i], i * PER_FILE, 10));
		assert_true(end_file(t[i], i));
		assert_false(turn_take(t[i], &file));
	}
	assert_true(take_all(&s, &most));
	assert_int_equal(s.seen.line.records, 3);
	for (size_t i = 0; i < 3; i++)
		turn_free(t[i]);
	close_stage(&s);
}

struct held {
	struct turn *t;
	atomic_int entered, left;
};

static void *enter_and_leave(void *ctx)
{
	struct held *h = ctx;

	for (int i = 0; i < 3; i++) {
		turn_enter(h->t);
		h->entered++;
		usleep(20000);
		h->left++;
		turn_leave(h->t);
	}
	return NULL;
}

static void test_hold(void **unused)
{
	struct stage s = { 0 };
	struct held h = { 0 };
	pthread_t thread;

	(void)unused;
	open_stage(&s, 1, 0);
	h.t = new_turn(s.all);
	assert_int_equal(pthread_create(&thread, NULL, enter_and_leave, &h), 0);
	while (h.entered == 0)
		usleep(100);
	turns_hold(s.all);
	turns_hold(s.all);
	const int entered = h.entered;

	assert_int_equal(entered, h.left);
	turns_release(s.all);
	usleep(50000);
	assert_int_equal(entered, h.entered);
	turns_release(s.all);
	pthread_join(thread, NULL);
	assert_int_equal(h.left, 3);
	turn_free(h.t);
	close_stage(&s);
}

/* A record that is too long is counted, and the others stay. */
static void test_too_long(void **unused)
{
	static char text[LIMIT_RECORD_BYTES];
	const struct data d = { 7, { text, sizeof text } };
	const void *const data[] = { &d };
	struct stage s = { 0 };
	struct err e = { "" };
	struct turn *t;
	size_t file, most = 0;

	(void)unused;
	open_stage(&s, 1, 0);
	t = new_turn(s.all);
	assert_true(turn_take(t, &file));
	assert_true(turn_record(t, 0, data, &e));
	assert_true(add(t, 8, 10));
	assert_true(end_file(t, 0));
	assert_true(take_all(&s, &most));
	assert_int_equal(s.seen.line.records, 1);
	assert_int_equal(counts(s.sink).refused, 1);
	turn_free(t);
	close_stage(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_turn_is_bounded),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
