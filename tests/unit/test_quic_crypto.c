/* SPDX-License-Identifier: BSD-3-Clause */
/* test_quic_crypto.c - the CRYPTO stream in order, from every cut and every order of its pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "proto/quic_crypto.h"

enum { SIZE = 300 };
static uint8_t text[SIZE];

static struct quic_stream fresh(uint32_t room)
{
	struct quic_stream s;

	quic_stream_init(&s, malloc(quic_stream_memory(room)), room);
	return s;
}

static void put(struct quic_stream *s, size_t from, size_t to)
{
	uint8_t *piece = malloc(to - from + 1);

	memcpy(piece, text + from, to - from);
	assert_true(quic_stream_put(s, from, (struct rd){ piece, to - from }));
	free(piece);
}

static void assert_whole(const struct quic_stream *s)
{
	struct rd r = quic_stream_from(s, 0);

	assert_int_equal(s->ready, SIZE);
	assert_int_equal(s->top, SIZE);
	assert_false(s->overflow);
	assert_int_equal(r.left, SIZE);
	assert_memory_equal(r.p, text, SIZE);
	assert_int_equal(quic_stream_from(s, 100).left, SIZE - 100);
	assert_int_equal(quic_stream_from(s, SIZE).left, 0);
}

/* Two cuts at every pair of places, the three pieces in each of their six orders. */
static void takes_every_cut_in_every_order(void **unused)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
		{ 2, 0, 1 }, { 2, 1, 0 } };

	(void)unused;
	for (size_t a = 0; a <= SIZE; a++) {
		for (size_t b = a; b <= SIZE; b += 7) {
			const size_t cuts[] = { 0, a, b, SIZE };
			const uint8_t *order = orders[(a + b) % 6];
			struct quic_stream s = fresh(SIZE);

			for (size_t i = 0; i < 3; i++)
				put(&s, cuts[order[i]], cuts[order[i] + 1]);
			assert_whole(&s);
			free(s.bytes);
		}
	}
}

/* Single bytes: every other one forwards, the rest backwards, all of them twice. */
static void takes_any_number_of_pieces(void **unused)
{
	struct quic_stream s = fresh(SIZE);

	(void)unused;
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 1; i < SIZE; i += 2)
			put(&s, i, i + 1);
		assert_int_equal(s.ready, turn == 0 ? 0 : SIZE);
		for (size_t i = SIZE; i-- > 0;)
			if (i % 2 == 0)
				put(&s, i, i + 1);
	}
	assert_whole(&s);
	free(s.bytes);
}

static void keeps_what_was_there_first(void **unused)
{
	struct quic_stream s = fresh(64);

	(void)unused;
	assert_true(quic_stream_put(&s, 2, (struct rd){ (const uint8_t *)"BB", 2 }));
	assert_int_equal(quic_stream_from(&s, 0).left, 0);
	assert_true(quic_stream_put(&s, 0, (struct rd){ (const uint8_t *)"aaaaaa", 6 }));
	assert_int_equal(s.ready, 6);
	assert_memory_equal(s.bytes, "aaBBaa", 6);
	assert_true(quic_stream_put(&s, 3, (struct rd){ (const uint8_t *)"", 0 }));
	free(s.bytes);
}

static void leaves_out_what_has_no_room(void **unused)
{
	struct quic_stream s = fresh(10); /* rounded up to 64 */
	uint8_t piece[100] = { 7 };

	(void)unused;
	assert_int_equal(s.room, 64);
	assert_true(quic_stream_put(&s, 0, (struct rd){ piece, 10 }));
	assert_false(quic_stream_put(&s, 64, (struct rd){ piece, 1 }));
	assert_true(s.overflow);
	assert_false(quic_stream_put(&s, UINT64_MAX, (struct rd){ piece, 100 }));
	assert_false(quic_stream_put(&s, ((uint64_t)1 << 32) + 1, (struct rd){ piece, 100 }));
	assert_int_equal(s.ready, 10);
	assert_false(quic_stream_put(&s, 5, (struct rd){ piece, 100 }));
	assert_int_equal(s.ready, 64);
	free(s.bytes);

	quic_stream_init(&s, malloc(quic_stream_memory(LIMIT_QUIC_CRYPTO_BYTES)), UINT32_MAX);
	assert_int_equal(s.room, LIMIT_QUIC_CRYPTO_BYTES);
	free(s.bytes);
}

static void goes_on_in_larger_memory(void **unused)
{
	struct quic_stream s = fresh(64);
	uint8_t *old = s.bytes;

	(void)unused;
	put(&s, 20, 60);
	quic_stream_move(&s, malloc(quic_stream_memory(SIZE)), SIZE);
	free(old);
	put(&s, 50, SIZE);
	put(&s, 0, 21);
	assert_whole(&s);
	free(s.bytes);

	s = (struct quic_stream){ 0 };
	assert_false(quic_stream_put(&s, 0, (struct rd){ text, 1 }));
	quic_stream_move(&s, malloc(quic_stream_memory(SIZE)), SIZE);
	put(&s, 0, SIZE);
	assert_true(s.overflow);
	free(s.bytes);
}

static int fill(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < SIZE; i++)
		text[i] = (uint8_t)(i * 7 + i / 256);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_cut_in_every_order),
		cmocka_unit_test(takes_any_number_of_pieces),
		cmocka_unit_test(keeps_what_was_there_first),
		cmocka_unit_test(leaves_out_what_has_no_room),
		cmocka_unit_test(goes_on_in_larger_memory),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
