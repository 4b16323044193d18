/* SPDX-License-Identifier: BSD-3-Clause */
/* test_clock.c - the clock never runs backwards, and goes on after a fall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/clock.h"

#define SECOND ((int64_t)1000000000)

static struct clock clock_new(void)
{
	struct clock c;

	memset(&c, 0, sizeof c);
	c.jump_ns = 120 * SECOND;
	return c;
}

static void small_falls_are_waited_out(void **unused)
{
	(void)unused;
	struct clock c = clock_new();

	assert_int_equal(clock_at(&c, 0, -5 * SECOND), -5 * SECOND);
	assert_int_equal(clock_at(&c, 0, 100 * SECOND), 100 * SECOND);
	assert_int_equal(clock_at(&c, 0, 50 * SECOND), 100 * SECOND);
	assert_int_equal(clock_at(&c, 0, 101 * SECOND), 101 * SECOND);
	assert_int_equal(c.jumps, 0);
}

static void a_deep_fall_shifts(void **unused)
{
	(void)unused;
	struct clock c = clock_new();

	clock_at(&c, 0, 1000000 * SECOND);
	assert_int_equal(clock_at(&c, 0, 10 * SECOND), 1000000 * SECOND);
	assert_int_equal(clock_at(&c, 0, 13 * SECOND), 1000003 * SECOND);
	assert_int_equal(c.jumps, 1);
	/* the next file is a new interface: it goes on with the same shift */
	assert_int_equal(clock_at(&c, 1, 14 * SECOND), 1000004 * SECOND);
	assert_int_equal(c.jumps, 1);
}

static void interfaces_with_their_own_time(void **unused)
{
	(void)unused;
	struct clock c = clock_new();
	int64_t year = 365 * 86400 * SECOND;

	clock_at(&c, 0, year);
	clock_at(&c, 1, 2 * year);
	for (int64_t s = 1; s < 50; s++) {
		assert_int_equal(clock_at(&c, 0, year + s * SECOND), 2 * year + (s - 1) * SECOND);
		assert_int_equal(clock_at(&c, 1, 2 * year + s * SECOND), 2 * year + s * SECOND);
	}
	assert_int_equal(c.jumps, 1);
}

static void extremes_do_not_overflow(void **unused)
{
	(void)unused;
	struct clock c = clock_new();
	int64_t last = INT64_MIN;
	static const int64_t times[] = { INT64_MIN, INT64_MAX, 0, INT64_MAX, INT64_MIN, 1,
		INT64_MAX };

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		int64_t now = clock_at(&c, 0, clock_clamp(times[i]));

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_falls_are_waited_out),
		cmocka_unit_test(a_deep_fall_shifts),
		cmocka_unit_test(interfaces_with_their_own_time),
		cmocka_unit_test(extremes_do_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
