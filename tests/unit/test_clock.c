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

/* The host's clock is set an hour on and an hour back: timeouts do not notice. */
static void a_live_clock_goes_by_the_time_since_boot(void **unused)
{
	(void)unused;
	struct clock c = clock_new();
	const int64_t start = 1700000000 * SECOND, hour = 3600 * SECOND;

	clock_present(&c, start, 5 * SECOND);
	assert_int_equal(clock_at(&c, 0, start), start);
	clock_present(&c, start + hour + SECOND, 6 * SECOND);
	assert_int_equal(clock_at(&c, 0, start + hour + SECOND), start + SECOND);
	clock_present(&c, start - hour + 2 * SECOND, 7 * SECOND);
	assert_int_equal(clock_at(&c, 0, start - hour + 2 * SECOND), start + 2 * SECOND);
	assert_int_equal(c.jumps, 0);
}

static void a_live_clock_is_never_ahead_of_the_present(void **unused)
{
	(void)unused;
	struct clock c = clock_new();
	const int64_t start = 1700000000 * SECOND;

	clock_present(&c, start, 0);
	/* stamped before the clock was set back an hour, or by an adapter with a clock of its own
	 */
	assert_int_equal(clock_at(&c, 0, start + 3600 * SECOND), start);
	assert_int_equal(clock_at(&c, 0, INT64_MAX), start);
	/* stamped before it was set forward, or late; or before the start */
	clock_present(&c, start + SECOND, SECOND);
	assert_int_equal(clock_at(&c, 0, start - 3600 * SECOND), start);
	assert_int_equal(clock_at(&c, 0, INT64_MIN), start);
}

static void a_live_clock_begins_at_its_start(void **unused)
{
	(void)unused;
	struct clock c = clock_new();
	const int64_t start = 1700000000 * SECOND;

	clock_present(&c, start, 0);
	clock_present(&c, start + 3601 * SECOND, SECOND); /* set before the first packet was seen */
	assert_int_equal(clock_at(&c, 0, start), start);
}

static void a_live_clock_goes_on_without_packets(void **unused)
{
	(void)unused;
	struct clock c = clock_new();
	const int64_t start = 1700000000 * SECOND;

	clock_present(&c, start, 0);
	clock_at(&c, 0, start);
	clock_present(&c, start + 10 * SECOND, 10 * SECOND);
	clock_reach(&c, start + 9 * SECOND);
	assert_int_equal(c.now_ns, start + 9 * SECOND);
	assert_int_equal(clock_at(&c, 0, start + 8 * SECOND), start + 9 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_falls_are_waited_out),
		cmocka_unit_test(a_deep_fall_shifts),
		cmocka_unit_test(interfaces_with_their_own_time),
		cmocka_unit_test(extremes_do_not_overflow),
		cmocka_unit_test(a_live_clock_goes_by_the_time_since_boot),
		cmocka_unit_test(a_live_clock_is_never_ahead_of_the_present),
		cmocka_unit_test(a_live_clock_begins_at_its_start),
		cmocka_unit_test(a_live_clock_goes_on_without_packets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
