/* SPDX-License-Identifier: BSD-3-Clause */
/* test_lanes.c - sink/lanes.c: one order out of several, whoever is fast or slow. */
#include "sink_kit.h"

#include <pthread.h>

#include "sink/lanes.h"

enum { LANES = 5, RECORDS = 40000 };

static struct sink *open_lined(struct risen *s)
{
	const struct sink_target t = { .line = rising_line, .ctx = s, .threaded = true };
	struct err e = { "" };
	struct sink *sink = sink_open(&t, plan, &e);

	assert_non_null(sink);
	return sink;
}

struct work {
	struct lanes *all;
	size_t i;
	int64_t (*leaves)(uint64_t n);
	size_t text;
	pthread_mutex_t *gate; /* held by who lets it begin */
	bool failed;
};

static bool add(struct lane *lane, uint64_t n, int64_t leaves, size_t size)
{
	static char text[4096];
	const struct data d = { n, { text, size } };
	const void *const data[] = { &d };
	const struct lane_key key = { leaves, n, 0 };
	struct err e = { "" };

	return lane_record(lane, &key, data, &e);
}

/* Of every LANES records one. */
static void *write_lane(void *ctx)
{
	struct work *w = ctx;
	struct lane *lane = lanes_lane(w->all, w->i);

	if (w->gate != NULL) {
		pthread_mutex_lock(w->gate);
		pthread_mutex_unlock(w->gate);
	}
	for (uint64_t n = w->i; n < RECORDS && !w->failed; n += LANES) {
		w->failed = !add(lane, n, w->leaves(n), w->text);
		if (n % 7 == 0)
			lane_reach(lane, w->leaves(n));
		if (n % 1013 == 0)
			lane_rest(lane);
	}
	lane_end(lane);
	return NULL;
}

static int64_t each_its_own(uint64_t n)
{
	return (int64_t)n;
}

static int64_t many_at_once(uint64_t n)
{
	return (int64_t)n / 10000;
}

static void run(struct risen *s, int64_t (*leaves)(uint64_t n), size_t text, bool slow)
{
	struct sink *sink = open_lined(s);
	struct err e = { "" };
	struct lanes *all = lanes_new(sink, LANES, &e);
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread[LANES];
	struct work work[LANES];
	bool good;

	assert_non_null(all);
	assert_true(begin(sink, &e));
	assert_true(lanes_start(all, &e));
	pthread_mutex_lock(&gate);
	for (size_t i = 0; i < LANES; i++) {
		work[i] = (struct work){ all, i, leaves, text, slow && i == 2 ? &gate : NULL,
			false };
		assert_int_equal(pthread_create(&thread[i], NULL, write_lane, &work[i]), 0);
	}
	pthread_mutex_unlock(&gate);
	for (size_t i = 0; i < LANES; i++)
		pthread_join(thread[i], NULL);
	good = lanes_finish(all, &e);
	assert_int_equal(good, s->stop_at == 0);
	if (!good)
		if (strstr(e.text, "asked to stop; 99 of") == NULL)
			fail_msg("%s", e.text);
	lanes_free(all);
	sink_free(sink);
}

static void test_order(void **unused)
{
	(void)unused;
	for (int slow = 0; slow < 2; slow++) {
		struct risen s = { 0 };

		run(&s, each_its_own, 20, slow);
		assert_int_equal(s.records, RECORDS);
		s = (struct risen){ 0 };
		run(&s, many_at_once, 20, slow);
		assert_int_equal(s.records, RECORDS);
	}
}

/* More than lanes may hold: 80 MB of them. */
static void test_much(void **unused)
{
	struct risen s = { 0 };

	(void)unused;
	run(&s, each_its_own, 2000, true);
	assert_int_equal(s.records, RECORDS);
}

/* Two lanes, and what came out of them. */
struct two {
	struct risen seen;
	struct sink *sink;
	struct lanes *all;
	struct lane *lane[2];
};

static void open_two(struct two *t)
{
	struct err e = { "" };

	*t = (struct two){ .sink = open_lined(&t->seen) };
	t->all = lanes_new(t->sink, 2, &e);
	assert_true(begin(t->sink, &e));
	assert_true(lanes_start(t->all, &e));
	for (size_t i = 0; i < 2; i++)
		t->lane[i] = lanes_lane(t->all, i);
}

/* All records came out. */
static void close_two(struct two *t)
{
	struct err e = { "" };

	lane_end(t->lane[1]);
	lane_end(t->lane[0]);
	assert_true(lanes_finish(t->all, &e));
	assert_int_equal(t->seen.records, RECORDS);
	lanes_free(t->all);
	sink_free(t->sink);
}

/* A lane that says nothing but how far it has come lets the others go on; one that is done does not
 * count. */
static void test_passing(void **unused)
{
	struct two t;

	(void)unused;
	open_two(&t);
	for (uint64_t n = 0; n < RECORDS; n++) {
		assert_true(add(t.lane[0], n, (int64_t)n, 400));
		lane_reach(t.lane[1], (int64_t)n);
		if (n % 100 == 0)
			lane_rest(t.lane[1]);
	}
	close_two(&t);
}

/*
 * Records of flows that leave for lack of memory come just before the moment that all have passed.
 * The lane that is waited for says nothing meanwhile, and need not.
 */
static void test_evicted(void **unused)
{
	enum { MOMENT = 1000 };
	struct two t;

	(void)unused;
	alarm(120); /* in place of waiting for ever */
	open_two(&t);
	for (size_t i = 0; i < 2; i++) {
		lane_reach(t.lane[i], MOMENT);
		lane_rest(t.lane[i]);
	}
	for (uint64_t n = 0; n < RECORDS; n++)
		assert_true(add(t.lane[1], n, MOMENT - 1, 2000));
	close_two(&t);
	alarm(0);
}

static void test_failure(void **unused)
{
	struct risen s = { .stop_at = 100 };

	(void)unused;
	run(&s, each_its_own, 2000, false);
	assert_int_equal(s.records, 100);
}

/* Lanes may go without an end. */
static void test_give_up(void **unused)
{
	struct risen s = { 0 };
	struct sink *sink = open_lined(&s);
	struct err e = { "" };
	struct lanes *all = lanes_new(sink, 2, &e);

	(void)unused;
	assert_true(begin(sink, &e));
	assert_true(lanes_start(all, &e));
	for (uint64_t n = 0; n < 10; n++)
		assert_true(add(lanes_lane(all, 0), n, 5, 10));
	lanes_free(all);
	assert_int_equal(s.records, 0);
	sink_free(sink);
}

static void test_too_long(void **unused)
{
	static char text[LIMIT_RECORD_BYTES];
	const struct data d = { 7, { text, sizeof text } };
	const void *const data[] = { &d };
	const struct lane_key key = { 1, 1, 0 };
	struct risen s = { 0 };
	struct sink *sink = open_lined(&s);
	struct err e = { "" };
	struct lanes *all = lanes_new(sink, 1, &e);

	(void)unused;
	assert_true(begin(sink, &e));
	assert_true(lanes_start(all, &e));
	assert_true(lane_record(lanes_lane(all, 0), &key, data, &e));
	assert_true(add(lanes_lane(all, 0), 8, 2, 10));
	lane_end(lanes_lane(all, 0));
	assert_true(lanes_finish(all, &e));
	assert_int_equal(s.records, 1);
	assert_int_equal(counts(sink).refused, 1);
	lanes_free(all);
	sink_free(sink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_much),
		cmocka_unit_test(test_passing),
		cmocka_unit_test(test_evicted),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_give_up),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
