/* SPDX-License-Identifier: BSD-3-Clause */
/* test_share.c - engine/share.c: every flow has one owner; answers reach who asks, whoever is
 * first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/share.h"

enum { QUESTIONS = 200000, STEP = 3 };

/* Flows of a few hosts; only ports differ between many. */
static struct decode_ends ends_of(uint32_t flow)
{
	return (struct decode_ends){ { 0x0a000001u + flow % 50, 0 }, 443 + flow / 50 };
}

static void one_owner(void **unused)
{
	const struct share s = { .index = 3, .count = 5, .seed = 0x1234567890abcdef };
	size_t kept[5] = { 0 };

	(void)unused;
	for (uint32_t flow = 0; flow < 100000; flow++) {
		const struct decode_ends ends = ends_of(flow);

		assert_in_range(share_of(&s, &ends), 0, 4);
		kept[share_of(&s, &ends)]++;
	}
	for (size_t i = 0; i < 5; i++)
		assert_in_range(kept[i], 19000, 21000);
}

static void key_says_the_same(void **unused)
{
	const struct share s = { .count = 7, .seed = 99 }, alone = { 0 };
	struct flow_key key = { .address = { "ABCDEFGHIJKLMNOP", "abcdefghijklmnop" },
		.port = { 443, 50000 } };
	uint64_t a[2], b[2];

	(void)unused;
	memcpy(a, key.address[0], sizeof a);
	memcpy(b, key.address[1], sizeof b);

	const struct decode_ends ends = { { a[0] + b[0], a[1] + b[1] }, 50443 };

	assert_int_equal(share_of_key(&s, &key), share_of(&s, &ends));
	assert_int_equal(share_of_key(&alone, &key), 0);
}

static bool is_alive(uint64_t number)
{
	return number % 7 < 3;
}

static void *tell_all(void *ctx)
{
	for (uint64_t n = 1; n < QUESTIONS; n += STEP)
		board_tell(ctx, n, is_alive(n), NULL);
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
		assert_int_equal(board_ask(b, n, NULL), is_alive(n));
	pthread_join(thread, NULL);
	board_destroy(b);
	free(b);
}

static void *ask_in_vain(void *ctx)
{
	return board_ask(ctx, 5, NULL) ? ctx : NULL;
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
	board_tell(b, 1, true, NULL);
	board_tell(b, 1 + BOARD_PLACES, true, NULL); /* does not wait */
	board_destroy(b);
	free(b);
}

/* What was to be done before a wait, done by the one who is waited for. */
struct told {
	struct board *board;
	size_t times;
};

static void tell_seven(void *ctx)
{
	struct told *t = ctx;

	if (t->times++ == 0)
		board_tell(t->board, 7, true, NULL);
}

static void before_a_wait_one_says_how_far_one_is(void **unused)
{
	struct board *b = calloc(1, sizeof *b);
	struct told t = { b, 0 };
	const struct board_wait wait = { tell_seven, &t };

	(void)unused;
	board_init(b);
	assert_true(board_ask(b, 7, &wait)); /* would wait for ever without the call */
	assert_int_equal(t.times, 1);
	board_tell(b, 8, false, &wait);
	assert_false(board_ask(b, 8, &wait));
	assert_int_equal(t.times, 1); /* there was nothing to wait for */
	board_destroy(b);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_a_wait_one_says_how_far_one_is),
		cmocka_unit_test(one_owner),
		cmocka_unit_test(key_says_the_same),
		cmocka_unit_test(answers),
		cmocka_unit_test(giving_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
