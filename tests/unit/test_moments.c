/* SPDX-License-Identifier: BSD-3-Clause */
/* test_moments.c - exact sums: where doubles lose digits, where 128 bits end, and joining two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "feature/moments.h"
#include "random_kit.h"

static struct moments of(const uint64_t *v, size_t n)
{
	struct moments m = { 0 };

	for (size_t i = 0; i < n; i++)
		moments_add(&m, v[i]);
	return m;
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-14 * fabs(b);
}

static void nothing_and_one(void **unused)
{
	struct moments m = { 0 };

	(void)unused;
	assert_true(isnan(moments_mean(&m, 1)));
	assert_true(isnan(moments_std(&m, 1)));
	moments_add(&m, 0);
	assert_int_equal(m.min, 0);
	assert_true(moments_mean(&m, 1) == 0);
	assert_true(isnan(moments_std(&m, 1)));
	moments_add(&m, 0);
	assert_true(moments_std(&m, 1) == 0);
}

static void small_spread_far_from_zero(void **unused)
{
	const uint64_t v[] = { 1000000000000000001, 1000000000000000002, 1000000000000000003 };
	struct moments m = of(v, 3);

	(void)unused;
	assert_true(moments_std(&m, 1) == 1.0); /* sums of squares in doubles give 0 or NaN */
	assert_int_equal(m.min, v[0]);
	assert_int_equal(m.max, v[2]);
}

static void numerator_beyond_128_bits(void **unused)
{
	struct moments m = { 0 };

	(void)unused;
	for (int i = 0; i < 2; i++) {
		moments_add(&m, 0);
		moments_add(&m, UINT64_C(1) << 62);
	}
	/* mean 2^61, each 2^61 away: variance 4 * 2^122 / 3 */
	assert_true(near(moments_std(&m, 1), 0x1p62 / sqrt(3)));
	assert_true(moments_mean(&m, 0x1p61) == 1.0);
}

static void what_does_not_fit_is_not_a_number(void **unused)
{
	struct moments m = { 0 }, small = { 0 };

	(void)unused;
	moments_add(&m, UINT64_MAX);
	moments_add(&m, 1); /* the sum is 2^64 */
	assert_true(isnan(moments_mean(&m, 1)));
	assert_true(isnan(moments_std(&m, 1)));
	assert_int_equal(m.n, 2);
	assert_int_equal(m.min, 1);
	moments_add(&small, 3);
	m = moments_both(&small, &m);
	assert_true(isnan(moments_mean(&m, 1)));
	moments_add(&m, 0);
	assert_true(isnan(moments_mean(&m, 1)));
}

static void both_is_as_if_added_to_one(void **unused)
{
	const uint64_t v[] = { 7, 3, 900, 41, 5 };

	(void)unused;
	for (size_t cut = 0; cut <= 5; cut++) {
		struct moments a = of(v, cut), b = of(v + cut, 5 - cut), all = of(v, 5);
		struct moments both = moments_both(&a, &b);

		assert_memory_equal(&both, &all, sizeof all);
	}
}

/* The short ways say what the long division of 64 bits does. */
static void one_rounding_is_as_two(void **unused)
{
	(void)unused;
	for (unsigned round = 0; round < 1000000; round++) {
		const struct moments m = { .n = 1 + next_random() % 1023,
			.sum = next_random() >> (11 + next_random() % 53) };

		assert_true(moments_mean(&m, 1) == (double)((long double)m.sum / (long double)m.n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_and_one),
		cmocka_unit_test(small_spread_far_from_zero),
		cmocka_unit_test(numerator_beyond_128_bits),
		cmocka_unit_test(what_does_not_fit_is_not_a_number),
		cmocka_unit_test(one_rounding_is_as_two),
		cmocka_unit_test(both_is_as_if_added_to_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
