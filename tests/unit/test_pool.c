/* SPDX-License-Identifier: BSD-3-Clause */
/* test_pool.c - arenas keep what is written to them, give all back, and respect the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

enum { ARENAS = 20, BLOCKS = 60 };

struct block {
	uint8_t *p;
	size_t size;
	uint8_t fill;
};

static void check(const struct block *b)
{
	for (size_t i = 0; i < b->size; i++)
		assert_int_equal(b->p[i], b->fill);
}

static void blocks_do_not_overlap(void **unused)
{
	(void)unused;
	struct pool *p = pool_new();
	struct arena arena[ARENAS] = { { 0 } };
	struct block block[ARENAS][BLOCKS];
	unsigned seed = 1;

	for (unsigned round = 0; round < 5; round++) {
		for (unsigned k = 0; k < BLOCKS; k++) {
			for (unsigned a = 0; a < ARENAS; a++) {
				struct block *b = &block[a][k];

				seed = seed * 1103515245 + 12345;
				b->size = 1 + (seed >> 16) % (k % 10 == 0 ? 20000 : 600);
				b->fill = (uint8_t)(a * 7 + k);
				b->p = arena_alloc(&arena[a], p, b->size);
				assert_non_null(b->p);
				assert_int_equal((uintptr_t)b->p % 8, 0);
				assert_true(pool_room(b->size) >= b->size);
				memset(b->p, b->fill, b->size);
			}
		}
		for (unsigned a = 0; a < ARENAS; a++)
			for (unsigned k = 0; k < BLOCKS; k++)
				check(&block[a][k]);
		for (unsigned a = 0; a < ARENAS; a++) {
			arena_drop(&arena[a], p, block[a][BLOCKS / 2].p);
			block[a][BLOCKS / 2].size = 0;
			block[a][1].p = arena_move(&arena[a], p, block[a][1].p, block[a][1].size,
					block[a][1].size + 1000);
			check(&block[a][1]);
			check(&block[a][0]);
			arena_free(&arena[a], p);
		}
		assert_int_equal(pool_used(p), 0);
	}
	pool_free(p);
}

static void a_room_is_the_least_that_fits(void **unused)
{
	size_t before = 0;

	(void)unused;
	for (size_t size = 0; size < 4000; size++) {
		const size_t room = pool_room(size);

		assert_true(room >= size && room >= before);
		assert_int_equal(pool_room(room), room);
		assert_true(room == before || size == 0 || size == before + 1);
		before = room;
	}
}

static void vec_grows_to_its_cap(void **unused)
{
	(void)unused;
	struct pool *p = pool_new();
	struct arena a = { 0 };
	struct vec v = { 0 };

	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *x = vec_push(&v, &a, p, sizeof *x, 1000);

		assert_non_null(x);
		*x = i * i;
	}
	assert_null(vec_push(&v, &a, p, sizeof(uint32_t), 1000));
	assert_int_equal(v.count, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(((uint32_t *)v.items)[i], i * i);
	arena_free(&a, p);
	assert_int_equal(pool_used(p), 0);
	pool_free(p);
}

/* What lies on a desk is there again when all is given back; what does not fit is the pool's. */
static void a_desk_is_used_again(void **unused)
{
	enum { DESK = 1024, BLOCK = 100 };
	struct pool *p = pool_new();
	struct arena a = { 0 };
	uint8_t *block[20], *first = NULL;

	(void)unused;
	assert_true(arena_desk(&a, DESK));
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 20; i++) {
			block[i] = arena_alloc(&a, p, BLOCK);
			assert_non_null(block[i]);
			assert_int_equal((uintptr_t)block[i] % 8, 0);
			memset(block[i], (int)i, BLOCK);
		}
#ifndef SLAB_MALLOC
		assert_true(first == NULL || block[0] == first);
		assert_true(pool_used(p) > 0 && pool_used(p) < 20 * BLOCK);
		first = block[0];
#endif
		block[3] = arena_move(&a, p, block[3], BLOCK, 2 * BLOCK);
		block[19] = arena_move(&a, p, block[19], BLOCK, 2 * BLOCK);
		arena_drop(&a, p, block[5]);
		arena_drop(&a, p, block[18]);
		for (unsigned i = 0; i < 20; i++)
			for (unsigned k = 0; k < BLOCK && i != 5 && i != 18; k++)
				assert_int_equal(block[i][k], i);
		arena_free(&a, p);
		assert_int_equal(pool_used(p), 0);
	}
	arena_desk_free(&a, p);
	arena_desk_free(&a, p);
	pool_free(p);
}

/* What was given back is taken by the next smaller size too; what is fresh is left to its own. */
static void holes_are_filled_by_the_next_smaller_size(void **unused)
{
	(void)unused;
#ifndef SLAB_MALLOC
	enum { SMALL = 40, LARGER = 56, COUNT = 5000, HOLES = 100 };
	struct pool *p = pool_new();
	struct arena a = { 0 };
	void *larger[HOLES];
	size_t before;

	assert_true(pool_room(SMALL) == SMALL && pool_room(SMALL + 1) == LARGER);
	for (unsigned i = 0; i < HOLES; i++)
		larger[i] = arena_alloc(&a, p, LARGER);
	for (unsigned i = 0; i < COUNT; i++)
		assert_non_null(arena_alloc(&a, p, SMALL));
	assert_int_equal(pool_used(p), HOLES * (LARGER + 8) + COUNT * (SMALL + 8));
	for (unsigned i = 1; i < HOLES; i++) /* not all, or the chunk would be free for any size */
		arena_drop(&a, p, larger[i]);
	before = pool_memory(p);
	for (unsigned i = 0; i < COUNT; i++)
		assert_non_null(arena_alloc(&a, p, SMALL));
	assert_int_equal(
			pool_used(p), HOLES * (LARGER + 8) + (2 * COUNT - HOLES + 1) * (SMALL + 8));
	assert_true(pool_memory(p) - before < (COUNT + 1000) * (SMALL + 8));
	arena_free(&a, p);
	pool_free(p);
#endif
}

static void limit_is_kept(void **unused)
{
	(void)unused;
	struct pool *p = pool_new();
	struct arena a = { 0 };
	size_t n = 0;

	pool_limit(p, 1 << 20);
	while (arena_alloc(&a, p, 1000) != NULL)
		n++;
	assert_true(n >= 500 && n < 1100);
	assert_true(pool_memory(p) <= 1 << 20);
	assert_true(pool_starved(p));
	assert_true(pool_starved(p)); /* there still is nothing left */
	arena_free(&a, p);
	assert_false(pool_starved(p));
	/* what was in blocks of one size is there for any other */
	for (size_t i = 0; i < n / 2; i++)
		assert_non_null(arena_alloc(&a, p, 1 + i % 1500));
	assert_false(pool_starved(p));
	arena_free(&a, p);
	pool_free(p);
}

static void a_renewed_pool_is_empty_and_unlimited(void **unused)
{
	(void)unused;
	struct pool *p = pool_new();
	struct arena a = { 0 };

	pool_renew(p); /* that of nothing */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pool_memory(p), 0);
		for (size_t n = 0; n < 20000; n++)
			memset(arena_alloc(&a, p, 500), 1, 500);
		assert_true(pool_memory(p) >= 10000000);
		pool_limit(p, 1 << 20);
		assert_true(pool_starved(p));
		arena_free(&a, p);
		pool_renew(p);
		assert_false(pool_starved(p));
	}
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_do_not_overlap),
		cmocka_unit_test(a_room_is_the_least_that_fits),
		cmocka_unit_test(vec_grows_to_its_cap),
		cmocka_unit_test(a_desk_is_used_again),
		cmocka_unit_test(holes_are_filled_by_the_next_smaller_size),
		cmocka_unit_test(limit_is_kept),
		cmocka_unit_test(a_renewed_pool_is_empty_and_unlimited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
