/* SPDX-License-Identifier: BSD-3-Clause */
/* test_json.c - the writer of JSON values against printf, strtod, inet_ntop and the grammar. */
#include <arpa/inet.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "json_valid.h"

static uint64_t seed = 88172645463325252u;

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* The text a put function wrote, terminated; one at a time. */
static char text[128];

static const char *ended(char *end)
{
	*end = '\0';
	return text;
}

/* --- numbers ------------------------------------------------------------------------------------
 */

static void check_u64(uint64_t v)
{
	char want[32];

	snprintf(want, sizeof want, "%llu", (unsigned long long)v);
	assert_string_equal(ended(json_put_u64(text, v)), want);
	snprintf(want, sizeof want, "%lld", (long long)v);
	assert_string_equal(ended(json_put_i64(text, (int64_t)v)), want);
}

static void whole_numbers(void **unused)
{
	(void)unused;
	for (uint64_t v = 0; v < 20000; v++)
		check_u64(v);
	for (uint64_t power = 1, i = 0; i < 20; i++, power *= 10) {
		check_u64(power - 1);
		check_u64(power);
		check_u64(power + 1);
	}
	check_u64(UINT64_MAX);
	check_u64((uint64_t)INT64_MIN);
	for (int i = 0; i < 200000; i++)
		check_u64(draw() >> (draw() % 64));
}

static void small_numbers_with_their_comma(void **unused)
{
	(void)unused;
	for (unsigned v = 0; v < JSON_SMALL; v++) {
		char want[8] = { 0 };
		const int size = snprintf(want, sizeof want - 1, "%u,", v);

		want[7] = (char)size;
		assert_memory_equal(json_small + 8 * v, want, 8);
	}
}

static void check_f64(double v)
{
	char want[64];
	const char *got = ended(json_put_f64(text, v));
	const bool whole = fabs(v) < 9007199254740992.0 && v == floor(v);

	snprintf(want, sizeof want, whole ? "%.0f" : "%.15g", v == 0 ? 0.0 : v);
	if (fabs(v) < 1e-4 && fabs(v) > 0.9e-5) /* plain here, with an exponent there */
		assert_true(strtod(got, NULL) == strtod(want, NULL));
	else
		assert_string_equal(got, want);
	if (v != 0 && fabs(v) > DBL_MIN)
		assert_true(fabs(strtod(got, NULL) - v) <= fabs(v) * 1e-14);
	assert_true(json_is_valid(got, strlen(got)));
}

static void doubles_as_printf_rounds_them(void **unused)
{
	(void)unused;
	for (int i = 0; i < 1000000; i++) {
		const uint64_t r = draw();
		double v;

		switch (i % 4) {
		case 0: /* any bits */
			memcpy(&v, &r, sizeof v);
			break;
		case 1: /* common sizes */
			v = (double)(int64_t)r / (double)(UINT64_C(1) << draw() % 60);
			break;
		case 2: /* short decimals */
			v = (double)(r % 1000000) / (double)(1 + draw() % 1000);
			break;
		default: /* halves and their like, which fall between two roundings */
			v = (double)(r % 2000000000000000u) / (double)(1u << draw() % 20);
		}
		if (isfinite(v))
			check_f64(v);
	}
}

static void doubles_at_the_edges(void **unused)
{
	static const struct {
		double v;
		const char *want;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "0" },
		{ 1, "1" },
		{ -3, "-3" },
		{ 0.1, "0.1" },
		{ -2.5, "-2.5" },
		{ 100, "100" },
		{ 1e-5, "0.00001" },
		{ 1.5e-5, "0.000015" },
		{ 9.9e-6, "9.9e-06" },
		{ 1e15, "1000000000000000" },
		{ 123456789012345.6, "123456789012346" },
		{ 999999999999999.9, "1e+15" },
		{ 0.99999999999999999, "1" },
		{ 9007199254740991.0, "9007199254740991" },
		{ 9007199254740992.0, "9.00719925474099e+15" },
		{ 1.0 / 3, "0.333333333333333" },
		{ DBL_MAX, "1.79769313486232e+308" },
		{ DBL_MIN, "2.2250738585072e-308" },
		{ 5e-324, "4.94065645841247e-324" },
		{ HUGE_VAL, "null" },
		{ -HUGE_VAL, "null" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(ended(json_put_f64(text, cases[i].v)), cases[i].want);
	assert_string_equal(ended(json_put_f64(text, (double)NAN)), "null");
}

static void durations_and_times(void **unused)
{
	(void)unused;
	assert_string_equal(ended(json_put_ms(text, 0)), "0");
	assert_string_equal(ended(json_put_ms(text, 1)), "0.000001");
	assert_string_equal(ended(json_put_ms(text, 29695000)), "29.695");
	assert_string_equal(ended(json_put_ms(text, 120000000)), "120");
	assert_string_equal(ended(json_put_ms(text, -1500000)), "-1.5");
	assert_string_equal(ended(json_put_ms(text, INT64_MAX)), "9223372036854.775807");
	assert_string_equal(ended(json_put_s(text, 0)), "0");
	assert_string_equal(ended(json_put_s(text, 1)), "0.000000001");
	assert_string_equal(ended(json_put_s(text, 1000002000)), "1.000002");
	assert_string_equal(ended(json_put_s(text, 30000000000)), "30");
	assert_string_equal(ended(json_put_s(text, INT64_MIN)), "-9223372036.854775808");
	assert_string_equal(ended(json_put_time(text, 1700000000123456000, false)),
			"1700000000.123456");
	assert_string_equal(ended(json_put_time(text, 1700000000000000001, true)),
			"1700000000.000000001");
	assert_string_equal(ended(json_put_time(text, 0, false)), "0.000000");
	assert_string_equal(ended(json_put_time(text, -1, true)), "-0.000000001");
	assert_string_equal(ended(json_put_time(text, -1, false)), "-0.000001");
	assert_string_equal(ended(json_put_time(text, -1500000000, false)), "-1.500000");
	assert_string_equal(ended(json_put_time(text, INT64_MIN, true)), "-9223372036.854775808");
}

static void durations_are_exact(void **unused)
{
	char want[64];

	(void)unused;
	for (int i = 0; i < 200000; i++) {
		const unsigned long long v = draw() >> (1 + draw() % 63);
		size_t size;

		snprintf(want, sizeof want, "%llu.%09llu", v / 1000000000, v % 1000000000);
		assert_string_equal(ended(json_put_time(text, (int64_t)v, true)), want);
		for (size = strlen(want); want[size - 1] == '0'; size--)
			;
		want[want[size - 1] == '.' ? size - 1 : size] = '\0';
		assert_string_equal(ended(json_put_s(text, (int64_t)v)), want);

		snprintf(want, sizeof want, "%llu.%06llu", v / 1000000, v % 1000000);
		for (size = strlen(want); want[size - 1] == '0'; size--)
			;
		want[want[size - 1] == '.' ? size - 1 : size] = '\0';
		assert_string_equal(ended(json_put_ms(text, (int64_t)v)), want);
	}
}

/* --- addresses ----------------------------------------------------------------------------------
 */

static void addresses_of_rfc_5952(void **unused)
{
	static const char *const cases[] = { "::", "::1", "1::", "2001:db8::1",
		"2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "fe80::1:0:0:1", "::ffff:192.0.2.33",
		"1:2:3:4:5:6:7:8", "2001:db8::1:0:0:1", "64:ff9b::c000:221", "0:1::", "::1:0" };
	uint8_t bytes[16];

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(inet_pton(AF_INET6, cases[i], bytes), 1);
		assert_string_equal(ended(json_put_ipv6(text, bytes)), cases[i]);
	}
	assert_string_equal(ended(json_put_ipv4(text, (const uint8_t[]){ 10, 0, 255, 9 })),
			"10.0.255.9");
}

static void addresses_as_the_library_prints_them(void **unused)
{
	(void)unused;
	for (int i = 0; i < 200000; i++) {
		char want[INET6_ADDRSTRLEN];
		uint8_t bytes[16];

		for (size_t k = 0; k < 16; k++)
			bytes[k] = (uint8_t)(draw() % 3 ? 0 : draw() >> draw() % 8);
		if (bytes[0] == 0) /* keep off the old form ::1.2.3.4 */
			bytes[0] = 0x20;
		inet_ntop(AF_INET6, bytes, want, sizeof want);
		assert_string_equal(ended(json_put_ipv6(text, bytes)), want);
		inet_ntop(AF_INET, bytes, want, sizeof want);
		assert_string_equal(ended(json_put_ipv4(text, bytes)), want);
	}
}

/* --- strings ------------------------------------------------------------------------------------
 */

static void check_string(const char *bytes, size_t size, const char *want)
{
	struct buf b = buf_new(1 << 20);

	json_string(&b, bytes, size);
	assert_true(buf_ok(&b));
	assert_int_equal(b.size, strlen(want));
	assert_memory_equal(b.p, want, b.size);
	assert_true(json_is_valid(b.p, b.size));
	buf_free(&b);
}

static void hexadecimal_of_any_size(void **unused)
{
	uint8_t bytes[3 * 16 + 8];
	char out[2 * sizeof bytes], want[2 * sizeof bytes + 1];

	(void)unused;
	for (size_t size = 0; size <= sizeof bytes; size++) {
		for (size_t i = 0; i < size; i++) {
			bytes[i] = (uint8_t)draw();
			snprintf(want + 2 * i, 3, "%02x", bytes[i]);
		}
		assert_ptr_equal(json_put_hex(out, bytes, size), out + 2 * size);
		assert_memory_equal(out, want, 2 * size);
	}
}

static void strings(void **unused)
{
	(void)unused;
	check_string("", 0, "\"\"");
	check_string("plain text", 10, "\"plain text\"");
	check_string("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	check_string("\b\t\n\v\f\r\0\x1f\x7f", 9, "\"\\b\\t\\n\\u000b\\f\\r\\u0000\\u001f\x7f\"");
	check_string("gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\"");
	check_string("\xe2\x82\xac \xf0\x9f\x98\x80", 8, "\"\xe2\x82\xac \xf0\x9f\x98\x80\"");
	check_string("\xe2\x80\xa8\xe2\x80\xa9", 6, "\"\xe2\x80\xa8\xe2\x80\xa9\"");
}

static void strings_that_are_not_utf8(void **unused)
{
	(void)unused;
	check_string("\xff", 1, "\"\\u00ff\"");
	check_string("gr\xfc\xdf", 4, "\"gr\\u00fc\\u00df\"");
	check_string("\xc3", 1, "\"\\u00c3\"");                       /* cut */
	check_string("\xc3\"", 2, "\"\\u00c3\\\"\"");                 /* cut by a quote */
	check_string("\xe2\x82", 2, "\"\\u00e2\\u0082\"");            /* cut */
	check_string("\xf0\x9f\x98", 3, "\"\\u00f0\\u009f\\u0098\""); /* cut */
	check_string("\xc0\xaf", 2, "\"\\u00c0\\u00af\"");            /* overlong */
	check_string("\xe0\x80\xaf", 3, "\"\\u00e0\\u0080\\u00af\""); /* overlong */
	check_string("\xed\xa0\x80", 3, "\"\\u00ed\\u00a0\\u0080\""); /* surrogate */
	check_string("\xf4\x90\x80\x80", 4, "\"\\u00f4\\u0090\\u0080\\u0080\""); /* past U+10FFFF */
	check_string("\x80"
		     "abcdefgh",
			9, "\"\\u0080abcdefgh\"");
}

/* Every byte at every place of a word, so that the fast path sees each. */
static void strings_of_every_byte_at_every_place(void **unused)
{
	(void)unused;
	for (unsigned c = 0; c < 256; c++) {
		for (size_t at = 0; at < 20; at++) {
			char bytes[20];
			struct buf b = buf_new(4096);

			memset(bytes, 'x', sizeof bytes);
			bytes[at] = (char)c;
			json_string(&b, bytes, sizeof bytes);
			assert_true(json_is_valid(b.p, b.size));
			assert_int_equal(b.size == sizeof bytes + 2, json_plain[c]);
			buf_free(&b);
		}
	}
}

/* Characters across the pieces that a long text is written in. */
static void long_strings_keep_their_characters(void **unused)
{
	enum { SIZE = 6000 };
	char *bytes = malloc(SIZE);

	(void)unused;
	for (size_t shift = 0; shift < 4; shift++) {
		struct buf b = buf_new(1 << 20);

		memset(bytes, 'a', shift);
		for (size_t i = shift; i < SIZE; i++)
			bytes[i] = "\xf0\x9f\x98\x80"[(i - shift) % 4];
		json_string(&b, bytes, shift + (SIZE - shift) / 4 * 4);
		assert_true(json_is_valid(b.p, b.size));
		assert_null(memchr(b.p, '\\', b.size));
		buf_free(&b);
	}
	free(bytes);
}

static void random_bytes_are_valid_strings(void **unused)
{
	static const char likely[] = "\xe2\x82\xac\\\"a\xed\xf4";

	(void)unused;
	for (int i = 0; i < 20000; i++) {
		const size_t size = draw() % 64;
		char *bytes = malloc(size + !size); /* exact size: a sanitizer sees any overread */
		struct buf b = buf_new(4096);

		for (size_t k = 0; k < size; k++)
			bytes[k] = draw() % 2 ? (char)draw() : likely[draw() % 8];
		json_string(&b, bytes, size);
		assert_true(json_is_valid(b.p, b.size));
		buf_free(&b);
		free(bytes);
	}
}

/* --- buffers ------------------------------------------------------------------------------------
 */

static void values_in_a_buffer(void **unused)
{
	static const char want[] =
			"{\"n\":7,\"i\":-7,\"f\":0.5,\"t\":true,\"z\":null,\"ms\":1.5,\"s\":2,"
			"\"at\":1.000000,\"hex\":\"00ff\",\"a\":\"1.2.3.4\",\"w\":\"x\","
			"\"no\":null,\"l\":[1,2],\"o\":{}}";
	struct buf b = buf_new(4096);

	(void)unused;
	buf_byte(&b, '{');
	json_key(&b, "n"), json_u64(&b, 7);
	json_key(&b, "i"), json_i64(&b, -7);
	json_key(&b, "f"), json_f64(&b, 0.5);
	json_key(&b, "t"), json_bool(&b, true);
	json_key(&b, "z"), json_null(&b);
	json_key(&b, "ms"), json_ms(&b, 1500000);
	json_key(&b, "s"), json_s(&b, 2000000000);
	json_key(&b, "at"), json_time(&b, 1000000000, false);
	json_key(&b, "hex"), json_hex(&b, (const uint8_t[]){ 0, 255 }, 2);
	json_key(&b, "a"), json_ipv4(&b, (const uint8_t[]){ 1, 2, 3, 4 });
	json_key(&b, "w"), json_text(&b, "x");
	json_key(&b, "no"), json_text(&b, NULL);
	json_key(&b, "l"), buf_byte(&b, '[');
	for (uint64_t i = 1; i < 3; i++)
		json_comma(&b), json_u64(&b, i);
	buf_byte(&b, ']');
	json_key(&b, "o"), buf_text(&b, "{}");
	buf_byte(&b, '}');
	assert_int_equal(b.size, strlen(want));
	assert_memory_equal(b.p, want, b.size);
	assert_true(json_is_valid(b.p, b.size));
	buf_free(&b);
}

static void full_buffers_fail(void **unused)
{
	static const char long_text[1000];
	struct buf b = buf_new(512);

	(void)unused;
	json_string(&b, long_text, sizeof long_text);
	assert_false(buf_ok(&b));
	assert_true(b.size <= 512);
	buf_clear(&b);
	json_hex(&b, (const uint8_t *)long_text, 600);
	assert_false(buf_ok(&b));
	buf_free(&b);
}

static void the_judge_refuses_what_is_no_json(void **unused)
{
	static const char *const bad[] = { "", "01", "1.", ".5", "1e", "-", "nul", "{\"a\":}",
		"{a:1}", "[1,]", "[1 2]", "{\"a\":1,}", "\"\\x\"", "\"\\u12g4\"", "\"\n\"",
		"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"open", "1 2", "NaN",
		"\"\xe2\x82\"" };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(json_is_valid(bad[i], strlen(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(small_numbers_with_their_comma),
		cmocka_unit_test(doubles_as_printf_rounds_them),
		cmocka_unit_test(doubles_at_the_edges),
		cmocka_unit_test(durations_and_times),
		cmocka_unit_test(durations_are_exact),
		cmocka_unit_test(addresses_of_rfc_5952),
		cmocka_unit_test(addresses_as_the_library_prints_them),
		cmocka_unit_test(hexadecimal_of_any_size),
		cmocka_unit_test(strings),
		cmocka_unit_test(strings_that_are_not_utf8),
		cmocka_unit_test(strings_of_every_byte_at_every_place),
		cmocka_unit_test(long_strings_keep_their_characters),
		cmocka_unit_test(random_bytes_are_valid_strings),
		cmocka_unit_test(values_in_a_buffer),
		cmocka_unit_test(full_buffers_fail),
		cmocka_unit_test(the_judge_refuses_what_is_no_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
