/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tally.c - counters of one byte that carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feature/tally.h"

enum { COUNTS = 3 };

static void counts_past_a_byte(void **unused)
{
	struct pool *pool = pool_new();
	struct flow flow = { .marks = 0 };
	uint8_t low[COUNTS] = { 0 };
	uint64_t *high = NULL;

	(void)unused;
	for (unsigned i = 0; i < 255; i++)
		tally_add(low, &high, COUNTS, 1, &flow, pool);
	assert_null(high);
	assert_int_equal(tally_read(low, high, 1), 255);
	tally_add(low, &high, COUNTS, 1, &flow, pool);
	assert_non_null(high);
	assert_int_equal(tally_read(low, high, 1), 256);
	for (unsigned i = 0; i < 100000; i++)
		tally_add(low, &high, COUNTS, 2, &flow, pool);
	assert_int_equal(tally_read(low, high, 0), 0);
	assert_int_equal(tally_read(low, high, 1), 256);
	assert_int_equal(tally_read(low, high, 2), 100000);
	assert_int_equal(flow.marks, 0);
	arena_free(&flow.arena, pool);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(counts_past_a_byte) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
