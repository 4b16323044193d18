/* SPDX-License-Identifier: BSD-3-Clause */
/* test_trail.c - numbers go in and come out; growth, and its end. */
#include "unit/feature_kit.h"

#include "feature/trail.h"

static const uint64_t numbers[] = { 0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX,
	UINT64_MAX };

enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

static void numbers_come_back(void **unused)
{
	uint8_t bytes[NUMBERS * TRAIL_NUMBER], *to = bytes;
	const uint8_t *from = bytes;

	(void)unused;
	for (size_t i = 0; i < NUMBERS; i++) {
		uint8_t *end = trail_put(to, numbers[i]);

		assert_true(end > to && end <= to + TRAIL_NUMBER);
		to = end;
	}
	for (size_t i = 0; i < NUMBERS; i++)
		assert_true(trail_get(&from) == numbers[i]);
	assert_ptr_equal(from, to);
}

static void signs_fold(void **unused)
{
	(void)unused;
	assert_int_equal(trail_fold(0), 0);
	assert_int_equal(trail_fold((uint64_t)-1), 1);
	assert_int_equal(trail_fold(1), 2);
	for (size_t i = 0; i < NUMBERS; i++)
		assert_true(trail_unfold(trail_fold(numbers[i])) == numbers[i]);
}

static void grows_and_keeps(void **unused)
{
	struct feature_env env = { .pool = pool_new() };
	struct flow flow = { .part = 1 };
	struct trail t = { 0 };

	(void)unused;
	for (unsigned i = 0; i < 3000; i++) {
		uint8_t bytes[3] = { (uint8_t)i, (uint8_t)(i >> 8), 0xee };

		assert_true(trail_add(&t, &env, &flow, bytes, sizeof bytes));
	}
	assert_int_equal(t.size, 9000);
	for (unsigned i = 0; i < 3000; i++) {
		assert_int_equal(t.p[3 * i], (uint8_t)i);
		assert_int_equal(t.p[3 * i + 1], i >> 8);
	}
	assert_int_equal(flow.marks, 0);
	arena_free(&flow.arena, env.pool);
	pool_free(env.pool);
}

static void meeting_the_cap_is_marked(void **unused)
{
	struct feature_env env = { .pool = pool_new() };
	struct flow flow = { .part = 1 };
	uint8_t byte = 0;
	struct trail t = { &byte, LIMIT_TRAIL_BYTES, LIMIT_TRAIL_BYTES };

	(void)unused;
	assert_false(trail_add(&t, &env, &flow, &byte, 1));
	assert_int_equal(flow.marks, FLOW_CAPPED);
	assert_int_equal(t.size, LIMIT_TRAIL_BYTES);
	pool_free(env.pool);
}

static void flow_time_is_the_latest(void **unused)
{
	struct flow flow = { .part = 1 };

	(void)unused;
	flow.side[1] = (struct flow_side){ .packets = 1, .last_ns = -5 };
	assert_int_equal(trail_now(&flow), -5);
	flow.side[0] = (struct flow_side){ .packets = 1, .last_ns = -7 };
	assert_int_equal(trail_now(&flow), -5);
	flow.side[0].last_ns = 3;
	assert_int_equal(trail_now(&flow), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(signs_fold),
		cmocka_unit_test(grows_and_keeps),
		cmocka_unit_test(meeting_the_cap_is_marked),
		cmocka_unit_test(flow_time_is_the_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
