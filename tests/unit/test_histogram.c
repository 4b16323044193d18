/* SPDX-License-Identifier: BSD-3-Clause */
/* test_histogram.c - counts equal those of a plain loop for any sizes and through every width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feature/histogram.h"

enum { BYTES = 70000 };

struct pair {
	struct pool *pool;
	struct arena arena;
	struct histogram h;
	uint64_t plain[256];
};

static struct pair *pair_new(void)
{
	struct pair *p = calloc(1, sizeof *p);

	p->pool = pool_new();
	return p;
}

static void pair_free(struct pair *p)
{
	arena_free(&p->arena, p->pool);
	pool_free(p->pool);
	free(p);
}

static void pair_add(struct pair *p, const uint8_t *bytes, size_t size)
{
	uint8_t *exact = calloc(1, size + !size); /* a sanitizer sees any overread */

	if (size > 0)
		memcpy(exact, bytes, size);
	assert_true(histogram_add(&p->h, &p->arena, p->pool, exact, size));
	for (size_t i = 0; i < size; i++)
		p->plain[exact[i]]++;
	free(exact);
}

static void pair_check(const struct pair *p)
{
	uint64_t counts[256], sum = 0, top = 0, moment = 0, squares = 0;
	struct value_sums is = histogram_read(&p->h, counts);

	assert_memory_equal(counts, p->plain, sizeof counts);
	for (size_t i = 0; i < 256; i++) {
		sum += counts[i];
		top = counts[i] > top ? counts[i] : top;
		moment += i * counts[i];
		squares += i * i * counts[i];
	}
	assert_int_equal(is.n, sum);
	assert_int_equal(is.most, top);
	assert_int_equal(is.sum, moment);
	assert_int_equal(is.squares, squares);
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Bytes of which 'of' in 256 are 'common', the rest any. */
static void fill(uint8_t *bytes, size_t size, unsigned of, uint8_t common, uint64_t *seed)
{
	for (size_t i = 0; i < size; i++) {
		uint64_t r = next(seed);

		bytes[i] = (r >> 40 & 255) < of ? common : (uint8_t)(r >> 20);
	}
}

static void nothing_is_nothing(void **unused)
{
	struct pair *p = pair_new();

	(void)unused;
	pair_add(p, NULL, 0);
	assert_int_equal(p->h.width, 0);
	pair_check(p);
	pair_free(p);
}

static void a_short_payload_is_kept(void **unused)
{
	static const size_t sizes[] = { 1, 23, 100, 44, 1, 255 };
	static const uint8_t widths[] = { 0, 0, 0, 0, 1, 2 };
	static uint8_t bytes[256];
	struct pair *p = pair_new();

	(void)unused;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		bytes[i] = (uint8_t)i;
		pair_add(p, bytes, sizes[i]);
		assert_int_equal(p->h.width, widths[i]);
		pair_check(p);
	}
	pair_free(p);
}

static void any_size_counts_right(void **unused)
{
	uint8_t *bytes = malloc(BYTES);
	uint64_t seed = 88172645463325252u;
	struct pair *p = pair_new();

	(void)unused;
	fill(bytes, BYTES, 40, 'e', &seed);
	for (size_t size = 0; size < 2100; size++)
		pair_add(p, bytes + size, size);
	pair_add(p, bytes, BYTES);
	pair_check(p);
	pair_free(p);
	free(bytes);
}

static void stays_narrow_while_it_can(void **unused)
{
	uint8_t bytes[256];
	struct pair *p = pair_new();

	(void)unused;
	for (size_t i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < 255; i++)
		pair_add(p, bytes, 256);
	assert_int_equal(p->h.width, 1);
	pair_check(p);
	pair_add(p, bytes, 256);
	assert_int_equal(p->h.width, 2);
	pair_check(p);
	pair_free(p);
}

static void widens_exactly(void **unused)
{
	static uint8_t zeros[BYTES];
	static const size_t sizes[] = { 254, 1, 1, 65278, 1, 1, 65535, 1016, 160 };
	static const uint8_t widths[] = { 1, 1, 2, 2, 2, 8, 8, 8, 8 };
	struct pair *p = pair_new();

	(void)unused;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		pair_add(p, zeros, sizes[i]);
		assert_int_equal(p->h.width, widths[i]);
		pair_check(p);
	}
	pair_free(p);
}

static void random_flows_count_right(void **unused)
{
	uint8_t *bytes = malloc(BYTES);
	uint64_t seed = 4711;

	(void)unused;
	for (unsigned flow = 0; flow < 200; flow++) {
		struct pair *p = pair_new();
		unsigned packets = (unsigned)(next(&seed) % 60);

		for (unsigned i = 0; i < packets; i++) {
			size_t size = next(&seed) % (i % 7 == 0 ? 9000 : 400);

			fill(bytes, size, (unsigned)(next(&seed) % 257), (uint8_t)flow, &seed);
			pair_add(p, bytes, size);
		}
		pair_check(p);
		pair_free(p);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(a_short_payload_is_kept),
		cmocka_unit_test(any_size_counts_right),
		cmocka_unit_test(stays_narrow_while_it_can),
		cmocka_unit_test(widens_exactly),
		cmocka_unit_test(random_flows_count_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
