/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_json_read.c - JSON read back: the grammar against another reader of it, values exactly,
 * faults with their place.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "json_valid.h"

#define SPACES "                                        "

static struct rd rd_of(const char *text)
{
	return (struct rd){ (const uint8_t *)text, strlen(text) };
}

/* Reads all of a text, out of a block of its exact size. */
static struct json_reader whole(const void *bytes, size_t size)
{
	uint8_t *exact = memcpy(malloc(size + !size), bytes, size);
	struct json_reader j = json_read_begin((struct rd){ exact, size });
	const struct json_value v = json_read(&j);

	json_read_pass(&j, &v);
	json_read_end(&j);
	free(exact);
	return j;
}

static bool reads(const char *text)
{
	const struct json_reader j = whole(text, strlen(text));

	return j.fault == NULL;
}

static void takes_what_is_json(void **unused)
{
	static const char *const good[] = { "{}", "[]", " { } ", "[ ]", "null", "true", "false",
		"0", "-0", "-0.0e-0", "1E+5", "12.5", "\"\"",
		"\"a\\u00e9\\n\\\"\\\\\\/\\b\\f\\r\\t\"", "[1,2 , 3]",
		"{\"a\":1,\"b\":[{},[],{\"c\":null}]}", "\t\r\n[\t\r\n1\t\r\n]\t\r\n",
		"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80 \xc3\xa9 \xe2\x82\xac\"" };

	(void)unused;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(json_is_valid(good[i], strlen(good[i])) && reads(good[i]));
}

static void refuses_what_is_none(void **unused)
{
	static const char *const bad[] = { "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]",
		"[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{\"a\":1 \"b\":2}",
		"{1:2}", "[}", "{]", "[1}", "{\"a\":1]", "01", "-", "-a", "1.", "1.e5", "1e", "1e+",
		".5", "+1", "nul", "nulll", "tru", "fals", "\"", "\"\\\"", "\"\\x\"", "\"\\u12g4\"",
		"\"\\u123", "\"\n\"", "\"\x01\"", "\"\x80\"", "\"\xc3\"", "\"\xed\xa0\x80\"",
		"\"\xc0\x80\"", "\"\xf4\x90\x80\x80\"", "1 2", "{} {}", "NaN", "Infinity", "'a'",
		"[1]]", "\\", "{\"a\":1}x" };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(json_is_valid(bad[i], strlen(bad[i])) || reads(bad[i]));
}

/* A zero is no end, in whatever place. */
static void zeros_are_no_json(void **unused)
{
	static const char text[] = "{\"a\":[1,\"b\",true]}";

	(void)unused;
	for (size_t i = 0; i < sizeof text; i++) {
		char with[sizeof text];

		memcpy(with, text, i);
		with[i] = '\0';
		memcpy(with + i + 1, text + i, sizeof text - 1 - i);
		assert_non_null(whole(with, sizeof text).fault);
	}
}

/* Half a pair names no character. */
static void refuses_surrogates_alone(void **unused)
{
	static const char *const bad[] = { "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ude00\"",
		"\"\\ud83d\\n\"", "\"\\ud83d\\u0041\"", "\"\\ud83d\\ud83d\"", "\"\\ud83d\\u",
		"\"\\ud83d\\\"" };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(reads(bad[i]));
}

/* Texts made of pieces of JSON, good and bad ones: both readers agree on each. */
static void agrees_with_another_reader(void **unused)
{
	static const char *const piece[] = { "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00",
		"41\"", "1", "0", "-", ".", "e", "null", "true", " ", "\"", "\\", "\xc3\xa9",
		"\xc3" };
	uint64_t state = 1, good = 0;
	char text[64];

	(void)unused;
	for (int n = 0; n < 300000; n++) {
		size_t size = 0, count = (size_t)n % 8 + 1;

		for (size_t i = 0; i < count; i++) {
			const char *p = piece[(state >> 33) % (sizeof piece / sizeof piece[0])];

			state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
			memcpy(text + size, p, strlen(p));
			size += strlen(p);
		}
		const bool is = whole(text, size).fault == NULL;

		assert_int_equal(is, json_is_valid(text, size));
		good += is;
	}
	assert_true(good > 1000);
}

static void says_where(void **unused)
{
	static const struct {
		const char *text, *why;
		size_t at;
	} bad[] = {
		{ "{\"a\":tru}", "a value is missing", 5 },
		{ "{\"a\":1 \"b\"}", "a comma or } is missing", 7 },
		{ "[1, 2", "a comma or ] is missing", 5 },
		{ "{\"a\" 1}", "a colon is missing", 5 },
		{ "{\"a\":1, 2}", "a key is missing", 8 },
		{ "[\"ab", "a string does not end", 4 },
		{ "[\"ab\\q\"]", "an escape is wrong", 4 },
		{ "[\"abcdefghijk\xff\"]", "a string is not UTF-8", 13 },
		{ "[\"abc\x1f\"]", "a control character stands in a string", 5 },
		{ "[1.x]", "a digit is missing", 3 },
		{ "[001]", "a number begins with 0", 1 },
		{ "{} 1", "something follows the value", 3 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const struct json_reader j = whole(bad[i].text, strlen(bad[i].text));

		assert_string_equal(j.fault, bad[i].why);
		assert_int_equal(j.fault_at, bad[i].at);
		assert_int_equal(json_read_at(&j), bad[i].at);
	}
}

static void counts_brackets(void **unused)
{
	char text[2 * LIMIT_JSON_DEPTH + 4] = "";

	(void)unused;
	memset(text, '[', LIMIT_JSON_DEPTH);
	memset(text + LIMIT_JSON_DEPTH, ']', LIMIT_JSON_DEPTH);
	assert_true(reads(text));
	memset(text, '[', LIMIT_JSON_DEPTH + 1);
	memset(text + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
	assert_false(reads(text));
}

static bool expected(struct json_reader *j, const char *key)
{
	struct json_key k;

	assert_true(json_key_make(&k, key));
	json_read_comma(j);
	return json_read_expected(j, &k);
}

static void fails_for_good(void **unused)
{
	struct json_reader j = json_read_begin(rd_of("[x, 1]"));
	struct json_value v = json_read(&j), key;

	(void)unused;
	assert_true(json_read_item(&j));
	assert_int_equal(json_read(&j).kind, JSON_BAD);
	assert_false(json_read_item(&j));
	assert_false(json_read_member(&j, &key));
	assert_false(expected(&j, "a"));
	assert_int_equal(json_read(&j).kind, JSON_BAD);
	json_read_pass(&j, &v);
	assert_false(json_read_end(&j));
	assert_string_equal(j.fault, "a value is missing");
}

/* The short way for members in the order that is expected, mixed with the long one. */
static void takes_expected_members(void **unused)
{
	struct json_reader j = json_read_begin(
			rd_of("{\"a\":1,\"b\":{\"c\":2}, \"d\" : 3,\"e\":4}" SPACES));
	struct json_value key;

	(void)unused;
	assert_int_equal(json_read(&j).kind, JSON_OBJECT);
	assert_false(expected(&j, "b"));
	assert_true(expected(&j, "a"));
	assert_int_equal(json_read(&j).kind, JSON_NUMBER);
	assert_false(expected(&j, "c"));
	assert_true(json_read_member(&j, &key));
	assert_memory_equal(key.text.p, "b", 1);

	const struct json_value v = json_read(&j);

	assert_int_equal(v.kind, JSON_OBJECT);
	json_read_pass(&j, &v);
	assert_false(expected(&j, "d")); /* a space is before it */
	assert_true(json_read_member(&j, &key));
	assert_memory_equal(key.text.p, "d", 1);
	assert_int_equal(json_read(&j).kind, JSON_NUMBER);
	assert_true(expected(&j, "e"));
	assert_int_equal(json_read(&j).kind, JSON_NUMBER);
	assert_false(json_read_member(&j, &key));
	assert_true(json_read_end(&j));
}

/* The whole key is compared, and only what has all its bytes at hand. */
static void expected_keys_are_whole(void **unused)
{
	static const char *const keys[] = { "a", "abcde", "abcdef", "abcdefghijkl",
		"a_key_with_twenty_eight_bytes" };
	struct json_key k;

	(void)unused;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		char text[100];
		const int size = snprintf(text, sizeof text, "{\"%s\":1" SPACES, keys[i]);

		for (int at = 1; at < size - 41; at++) {
			struct json_reader j = json_read_begin(rd_of(text));

			json_read(&j);
			text[at] ^= 1;
			assert_false(expected(&j, keys[i]));
			text[at] ^= 1;
			assert_true(expected(&j, keys[i]));
			assert_int_equal(json_read(&j).kind, JSON_NUMBER);
		}
	}
	assert_false(json_key_make(&k, "a key that is longer than there is room for"));
}

static void small_numbers(void **unused)
{
	static const struct {
		const char *text;
		size_t count; /* taken by the short way */
	} cases[] = { { "[1,22,333]", 3 }, { "[0,0]", 2 }, { "[1, 2]", 1 }, { "[ 1,2]", 0 },
		{ "[1,2.5]", 1 }, { "[1,02]", 1 }, { "[1,-2]", 1 }, { "[1,2e1]", 1 }, { "[]", 0 },
		{ "[1,]", 1 }, { "[1,2", 1 }, { "[999999999999999999]", 1 },
		{ "[9999999999999999999]", 0 }, { "[1,\"2\"]", 1 }, { "[1,2,3,4,5,6]", 4 } };
	uint64_t v[4];

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const size_t size = strlen(cases[i].text);
		struct json_reader j = json_read_begin(rd_of(cases[i].text));
		bool good = json_is_valid(cases[i].text, size);

		assert_int_equal(json_read(&j).kind, JSON_LIST);
		assert_int_equal(json_read_smalls(&j, v, 4), cases[i].count);
		while (json_read_item(&j))
			json_read(&j);
		assert_int_equal(json_read_end(&j), good);
	}
	assert_int_equal(v[0], 1);
	assert_int_equal(v[3], 4);
}

/* Nor does the short way pass over a comma that is missing. */
static void a_comma_before_a_key(void **unused)
{
	struct json_reader j = json_read_begin(rd_of("{\"a\":1\"b\":2}" SPACES));
	struct json_value key;

	(void)unused;
	json_read(&j);
	assert_true(expected(&j, "a"));
	json_read(&j);
	assert_false(expected(&j, "b"));
	assert_false(json_read_member(&j, &key));
	assert_string_equal(j.fault, "a comma or } is missing");
}

static void no_comma_before_a_bracket(void **unused)
{
	struct json_reader j = json_read_begin(rd_of("{\"a\":1,}" SPACES));
	struct json_value key;

	(void)unused;
	json_read(&j);
	assert_true(expected(&j, "a"));
	json_read(&j);
	assert_false(expected(&j, "b"));
	assert_false(json_read_member(&j, &key));
	assert_string_equal(j.fault, "a key is missing");
}

static void unpacks_strings(void **unused)
{
	static const struct {
		const char *json, *text;
		size_t size;
	} cases[] = {
		{ "\"\"", "", 0 },
		{ "\"plain and longer than eight\"", "plain and longer than eight", 27 },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
		{ "\"\\u0000x\\u0041\"", "\0xA", 3 },
		{ "\"\\u00e9\\u20AC\"", "\xc3\xa9\xe2\x82\xac", 5 },
		{ "\"a\\ud83d\\ude00b\"",
				"a\xf0\x9f\x98\x80"
				"b",
				6 },
		{ "\"\\u07ff\\u0800\\uffff\"", "\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 8 },
		{ "\"\xc3\xa9\\t\xc3\xa9\"", "\xc3\xa9\t\xc3\xa9", 5 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json_reader j = json_read_begin(rd_of(cases[i].json));
		const struct json_value v = json_read(&j);
		char *to = malloc(v.text.left + 1);

		assert_int_equal(v.kind, JSON_STRING);
		assert_int_equal(v.escaped, strchr(cases[i].json, '\\') != NULL);
		assert_int_equal(json_to_text(&v, to), cases[i].size);
		assert_memory_equal(to, cases[i].text, cases[i].size);
		free(to);
	}
}

/* Whatever byte a text has, its escaped form reads as that character. */
static void reads_what_is_written(void **unused)
{
	struct buf b = buf_new(4096);
	char to[4096];

	(void)unused;
	for (unsigned c = 0; c < 256; c++) {
		const char text[] = { 'a', (char)c, 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i' };
		struct json_reader j;
		struct json_value v;
		size_t size;

		buf_clear(&b);
		json_string(&b, text, sizeof text);
		j = json_read_begin((struct rd){ (const uint8_t *)b.p, b.size });
		v = json_read(&j);
		assert_true(json_read_end(&j));
		size = json_to_text(&v, to);
		assert_int_equal(size, c < 0x80 ? 10 : 11);
		if (c < 0x80)
			assert_int_equal((uint8_t)to[1], c);
		else
			assert_int_equal((to[1] & 3) << 6 | (to[2] & 0x3f), c);
	}
	buf_free(&b);
}

static void hex_is_bytes(void **unused)
{
	uint8_t to[4];

	(void)unused;
	assert_true(json_to_hex(rd_of("00ff1aB9"), to));
	assert_memory_equal(to, "\x00\xff\x1a\xb9", 4);
	assert_true(json_to_hex(rd_of(""), to));
	assert_false(json_to_hex(rd_of("0"), to));
	assert_false(json_to_hex(rd_of("0g"), to));
	assert_false(json_to_hex(rd_of("g0"), to));
	assert_false(json_to_hex(rd_of("\xc3\xa9"), to));
}

static void whole_numbers_are_exact(void **unused)
{
	uint64_t u;
	int64_t i;

	(void)unused;
	assert_true(json_to_u64(rd_of("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_true(json_to_u64(rd_of("9007199254740993"), &u) && u == 9007199254740993);
	assert_true(json_to_u64(rd_of("0"), &u) && u == 0);
	assert_true(json_to_u64(rd_of("-0"), &u) && u == 0);
	assert_true(json_to_u64(rd_of("443.0"), &u) && u == 443);
	assert_false(json_to_u64(rd_of("18446744073709551616"), &u));
	assert_false(json_to_u64(rd_of("184467440737095516150"), &u));
	assert_false(json_to_u64(rd_of("-1"), &u));
	assert_false(json_to_u64(rd_of("1.5"), &u));
	assert_false(json_to_u64(rd_of("1e3"), &u));
	assert_false(json_to_u64(rd_of("1e0"), &u));
	assert_true(json_to_i64(rd_of("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_true(json_to_i64(rd_of("9223372036854775807"), &i) && i == INT64_MAX);
	assert_false(json_to_i64(rd_of("9223372036854775808"), &i));
	assert_false(json_to_i64(rd_of("-9223372036854775809"), &i));
}

static void times_are_exact(void **unused)
{
	int64_t ns;

	(void)unused;
	assert_true(json_to_scaled(rd_of("1795480223.218886"), 9, &ns) &&
			ns == 1795480223218886000);
	assert_true(json_to_scaled(rd_of("1795480223.218886123"), 9, &ns) &&
			ns == 1795480223218886123);
	assert_true(json_to_scaled(rd_of("-0.000000001"), 9, &ns) && ns == -1);
	assert_true(json_to_scaled(rd_of("5"), 9, &ns) && ns == 5000000000);
	assert_true(json_to_scaled(rd_of("1.5000000000"), 9, &ns) && ns == 1500000000);
	assert_true(json_to_scaled(rd_of("9223372036.854775807"), 9, &ns) && ns == INT64_MAX);
	assert_false(json_to_scaled(rd_of("9223372036.854775808"), 9, &ns));
	assert_false(json_to_scaled(rd_of("18446744074"), 9, &ns));
	assert_false(json_to_scaled(rd_of("0.0000000001"), 9, &ns));
	assert_false(json_to_scaled(rd_of("1e9"), 9, &ns));
}

/* Both conversions give what the C library's does. */
static void doubles_are_the_nearest(void **unused)
{
	static const char *const texts[] = { "0", "-0", "0.1", "-2.5", "4.71231614014994",
		"20545.6983710538", "9007199254740993", "9007199254740992", "1e22", "1e23", "1E-7",
		"1.7976931348623157e308", "5e-324", "2.2250738585072011e-308", "0.000000000000001",
		"123456789012345678901234567890", "17.003", "1795480223.178435",
		"3.14159265358979323846264338327950288", "1e-400", "100000000000000000000000.5" };
	double v;

	(void)unused;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_true(json_to_f64(rd_of(texts[i]), &v));
		assert_true(v == strtod(texts[i], NULL));
		assert_int_equal(signbit(v), texts[i][0] == '-');
	}
	assert_false(json_to_f64(rd_of("1e309"), &v));
	assert_false(json_to_f64(rd_of("-1e999999999999"), &v));
}

/* A duration in ms reads as ns / 10^6, rounded once. */
static void durations_are_the_nearest(void **unused)
{
	struct buf b = buf_new(64);
	uint64_t state = 7;
	double v;

	(void)unused;
	for (int n = 0; n < 100000; n++) {
		const int64_t ns = (int64_t)(state >> (12 + n % 50));

		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		buf_clear(&b);
		json_ms(&b, ns);
		assert_true(json_to_f64((struct rd){ (const uint8_t *)b.p, b.size }, &v));
		assert_true(v == (double)ns / 1e6); /* ns < 2^52 is a double */
	}
	buf_free(&b);
}

/* What is written of a double, 15 digits, is read as the double that these are nearest to. */
static void written_doubles_come_back(void **unused)
{
	struct buf b = buf_new(64);
	uint64_t state = 3;
	char text[40];
	double v, back;

	(void)unused;
	for (int n = 0; n < 100000; n++) {
		memcpy(&v, &state, sizeof v);
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		if (!isfinite(v) || fabs(v) > 1e300 || fabs(v) < 1e-300)
			continue;
		buf_clear(&b);
		json_f64(&b, v);
		/* whole numbers keep all their digits */
		snprintf(text, sizeof text,
				fabs(v) < 9007199254740992 && v == trunc(v) ? "%.0f" : "%.14e", v);
		assert_true(json_to_f64((struct rd){ (const uint8_t *)b.p, b.size }, &back));
		assert_true(back == strtod(text, NULL));
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_json),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(zeros_are_no_json),
		cmocka_unit_test(refuses_surrogates_alone),
		cmocka_unit_test(agrees_with_another_reader),
		cmocka_unit_test(says_where),
		cmocka_unit_test(counts_brackets),
		cmocka_unit_test(fails_for_good),
		cmocka_unit_test(takes_expected_members),
		cmocka_unit_test(expected_keys_are_whole),
		cmocka_unit_test(small_numbers),
		cmocka_unit_test(a_comma_before_a_key),
		cmocka_unit_test(no_comma_before_a_bracket),
		cmocka_unit_test(unpacks_strings),
		cmocka_unit_test(reads_what_is_written),
		cmocka_unit_test(hex_is_bytes),
		cmocka_unit_test(whole_numbers_are_exact),
		cmocka_unit_test(times_are_exact),
		cmocka_unit_test(doubles_are_the_nearest),
		cmocka_unit_test(durations_are_the_nearest),
		cmocka_unit_test(written_doubles_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
