/* SPDX-License-Identifier: BSD-3-Clause */
/* test_share.c - engine/share.c: every hash has one owner; answers reach who asks, whoever is
 * first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/share.h"

enum { QUESTIONS = 200000, STEP = 3 };

static void one_owner(void **unused)
{
	size_t kept[5] = { 0 };

	(void)unused;
	for (uint32_t hash = 1; hash < 100000; hash++) {
		unsigned owners = 0;

		for (size_t i = 0; i < 5; i++) {
			const struct share s = { .index = i, .count = 5 };

			owners += share_is_mine(&s, hash * 2654435761u);
			kept[i] += share_is_mine(&s, hash * 2654435761u);
		}
		assert_int_equal(owners, 1);
	}
	for (size_t i = 0; i < 5; i++)
		assert_in_range(kept[i], 19000, 21000);
	assert_true(share_is_mine(&(const struct share){ 0 }, 77));
}

static bool is_alive(uint64_t number)
{
	return number % 7 < 3;
}

static void *tell_all(void *ctx)
{
	for (uint64_t n = 1; n < QUESTIONS; n += STEP)
		board_tell(ctx, n, is_alive(n));
	return NULL;
}

/* More answers than there are places: who tells waits. */
static void answers(void **unused)
{
	struct board *b = malloc(sizeof *b);
	pthread_t thread;

	(void)unused;
	board_init(b);
	assert_int_equal(pthread_create(&thread, NULL, tell_all, b), 0);
	for (uint64_t n = 1; n < QUESTIONS; n += STEP)
		assert_int_equal(board_ask(b, n), is_alive(n));
	pthread_join(thread, NULL);
	board_destroy(b);
	free(b);
}

static void *ask_in_vain(void *ctx)
{
	return board_ask(ctx, 5) ? ctx : NULL;
}

static void giving_up(void **unused)
{
	struct board *b = malloc(sizeof *b);
	pthread_t thread;
	void *said;

	(void)unused;
	board_init(b);
	assert_int_equal(pthread_create(&thread, NULL, ask_in_vain, b), 0);
	board_give_up(b);
	pthread_join(thread, &said);
	assert_null(said);
	board_tell(b, 1, true);
	board_tell(b, 1 + BOARD_PLACES, true); /* does not wait */
	board_destroy(b);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_owner),
		cmocka_unit_test(answers),
		cmocka_unit_test(giving_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
