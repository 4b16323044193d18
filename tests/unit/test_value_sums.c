/* SPDX-License-Identifier: BSD-3-Clause */
/* test_value_sums.c - sums over counts equal those of a plain loop, up to the limits of lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "feature/value_sums.h"
#include "unit/random_kit.h"

enum { VALUES = 256 };

static void check(const struct value_sums *is, const uint64_t count[VALUES])
{
	struct value_sums s = { 0 };

	for (uint64_t v = 0; v < VALUES; v++) {
		s.n += count[v];
		s.most = count[v] > s.most ? count[v] : s.most;
		s.sum += v * count[v];
		s.squares += v * v * count[v];
	}
	assert_int_equal(is->n, s.n);
	assert_int_equal(is->most, s.most);
	assert_int_equal(is->sum, s.sum);
	assert_int_equal(is->squares, s.squares);
}

static void check_any(const uint64_t count[VALUES])
{
	struct value_sums s = value_sums_of(count);

	check(&s, count);
}

static void check_16(const uint16_t from[VALUES], uint32_t bound)
{
	uint64_t count[VALUES];
	struct value_sums s = value_sums_of_16(from, bound, count);

	for (unsigned v = 0; v < VALUES; v++)
		assert_int_equal(count[v], from[v]);
	check(&s, count);
	check_any(count);
}

static void check_8(const uint8_t from[VALUES])
{
	uint64_t count[VALUES];
	struct value_sums s = value_sums_of_8(from, count);

	for (unsigned v = 0; v < VALUES; v++)
		assert_int_equal(count[v], from[v]);
	check(&s, count);
}

static void each_value_alone(void **unused)
{
	static const uint16_t tops[] = { 1, 255, 256, INT16_MAX, INT16_MAX + 1, UINT16_MAX };

	(void)unused;
	for (unsigned v = 0; v < VALUES; v++) {
		for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
			uint16_t from[VALUES] = { 0 };
			uint8_t narrow[VALUES] = { 0 };

			from[v] = tops[i];
			check_16(from, tops[i]);
			narrow[v] = (uint8_t)tops[i];
			check_8(narrow);
		}
	}
}

/* As many as lanes can hold and more, of values whose products are highest and lowest. */
static void all_at_their_limits(void **unused)
{
	static const uint16_t tops[] = { 255, 1023, 1024, INT16_MAX, UINT16_MAX };

	(void)unused;
	for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
		for (unsigned n = 1; n <= VALUES; n++) {
			uint16_t low[VALUES] = { 0 }, high[VALUES] = { 0 };

			for (unsigned v = 0; v < n; v++)
				low[v] = high[VALUES - 1 - v] = tops[i];
			check_16(low, tops[i]);
			check_16(high, tops[i]);
		}
	}
}

static void any_counts(void **unused)
{
	(void)unused;
	for (unsigned turn = 0; turn < 3000; turn++) {
		const unsigned bits = turn % 47 % 39;
		uint16_t from[VALUES];
		uint8_t narrow[VALUES];
		uint64_t count[VALUES];

		for (unsigned v = 0; v < VALUES; v++) {
			count[v] = next_random() >> 8 & ((1ULL << bits) - 1);
			from[v] = (uint16_t)count[v];
			narrow[v] = (uint8_t)count[v];
		}
		check_any(count);
		check_16(from, UINT16_MAX);
		check_8(narrow);
		for (unsigned v = 0; v < VALUES; v++)
			from[v] &= INT16_MAX;
		check_16(from, INT16_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_alone),
		cmocka_unit_test(all_at_their_limits),
		cmocka_unit_test(any_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
