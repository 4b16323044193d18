/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tcp_options.c - the walk over TCP options: what a real stack sends, then wrong lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/tcp_options.h"

/* Linux SYN: MSS 1460, SACK permitted, timestamps 0x01020304 / 0, NOP, window scale 7 */
static const uint8_t linux_syn[] = "\x02\x04\x05\xb4"
				   "\x04\x02"
				   "\x08\x0a\x01\x02\x03\x04\0\0\0\0"
				   "\x01"
				   "\x03\x03\x07";
enum { LINUX = sizeof linux_syn - 1 };

static void walks_in_order(void **unused)
{
	static const uint8_t kinds[] = { 2, 4, 8, 1, 3 };
	struct rd r = { linux_syn, LINUX };
	struct tcp_option o;
	size_t n = 0;

	(void)unused;
	while (tcp_option_next(&r, &o)) {
		assert_true(n < sizeof kinds);
		assert_int_equal(o.kind, kinds[n++]);
	}
	assert_int_equal(n, sizeof kinds);
	assert_true(rd_ok(&r));
}

static void reads_values(void **unused)
{
	struct tcp_options t;

	(void)unused;
	tcp_options_parse((struct rd){ linux_syn, LINUX }, &t);
	assert_true(t.sound && t.has_mss && t.has_scale && t.has_timestamps && t.sack_permitted);
	assert_int_equal(t.mss, 1460);
	assert_int_equal(t.scale, 7);
	assert_int_equal(t.ts_value, 0x01020304);
	assert_int_equal(t.ts_echo, 0);
}

static void stops_at_the_end_option(void **unused)
{
	static const uint8_t bytes[] = { 1, 0, 2, 4, 9, 9 };
	struct rd r = { bytes, sizeof bytes };
	struct tcp_option o;

	(void)unused;
	assert_true(tcp_option_next(&r, &o));
	assert_true(tcp_option_next(&r, &o));
	assert_int_equal(o.kind, TCP_OPTION_END);
	assert_int_equal(o.value.left, 4);
	assert_false(tcp_option_next(&r, &o));
	assert_true(rd_ok(&r));
}

static void refuses_lengths_that_do_not_fit(void **unused)
{
	(void)unused;
	for (unsigned length = 0; length < 256; length++) {
		uint8_t *bytes = malloc(4); /* exact size: a sanitizer sees any overread */
		struct rd r = { bytes, 4 };
		struct tcp_option o;

		memcpy(bytes, (uint8_t[]){ 99, (uint8_t)length, 1, 1 }, 4);
		assert_int_equal(tcp_option_next(&r, &o), length >= 2 && length <= 4);
		assert_int_equal(rd_ok(&r), length >= 2 && length <= 4);
		free(bytes);
	}
}

static void ignores_wrong_sizes_of_known_kinds(void **unused)
{
	static const uint8_t bytes[] = { 2, 3, 5, 3, 2, 4, 3, 0, 8, 4, 0, 0 };
	struct tcp_options t;

	(void)unused;
	tcp_options_parse((struct rd){ bytes, sizeof bytes }, &t);
	assert_true(t.sound);
	assert_false(t.has_mss || t.has_scale || t.has_timestamps || t.sack_permitted);
}

static void takes_any_cut(void **unused)
{
	(void)unused;
	for (size_t n = 0; n < LINUX; n++) {
		uint8_t *cut = memcpy(malloc(n + !n), linux_syn, n);
		struct tcp_options t;
		bool between = n == 0 || n == 4 || n == 6 || n == 16 || n == 17;

		tcp_options_parse((struct rd){ cut, n }, &t);
		assert_int_equal(t.sound, between);
		assert_int_equal(t.has_mss, n >= 4);
		free(cut);
	}
}

static void names_every_kind(void **unused)
{
	(void)unused;
	for (unsigned kind = 0; kind < 256; kind++)
		assert_non_null(tcp_option_name((uint8_t)kind));
	assert_string_equal(tcp_option_name(2), "mss");
	assert_string_equal(tcp_option_name(255), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_in_order),
		cmocka_unit_test(reads_values),
		cmocka_unit_test(stops_at_the_end_option),
		cmocka_unit_test(refuses_lengths_that_do_not_fit),
		cmocka_unit_test(ignores_wrong_sizes_of_known_kinds),
		cmocka_unit_test(takes_any_cut),
		cmocka_unit_test(names_every_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
