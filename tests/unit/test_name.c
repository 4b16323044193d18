/* SPDX-License-Identifier: BSD-3-Clause */
/* test_name.c - host names in one form, and the set of them. */
#include "base/limits.h"
#include "host/name.h"
#include "host/nameset.h"
#include "list_kit.h"

static void becomes(const char *text, const char *want)
{
	char name[NAME_ROOM];
	size_t size = name_normal(text, strlen(text), name);

	if (size != strlen(want) || memcmp(name, want, size) != 0)
		fail_msg("%s became '%.*s', not '%s'", text, (int)size, name, want);
}

static void case_and_dots(void **unused)
{
	(void)unused;
	becomes("WWW.Example.COM.", "www.example.com");
	becomes("localhost", "localhost");
	becomes("_dmarc.example.com", "_dmarc.example.com");
	becomes("*.example.com", "*.example.com");
	becomes("xn--BCHER-kva.example", "xn--bcher-kva.example");
	becomes("a", "a");
}

/* RFC 3492 section 7.1, and names that are in use. */
static void other_alphabets(void **unused)
{
	(void)unused;
	becomes("bücher.example", "xn--bcher-kva.example");
	becomes("BÜCHER.example", "xn--bcher-kva.example");
	becomes("faß.de", "xn--fa-hia.de");
	becomes("例え.テスト", "xn--r8jz45g.xn--zckzah");
	becomes("例え。テスト", "xn--r8jz45g.xn--zckzah");
	becomes("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f");
	becomes("ПРИМЕР.ИСПЫТАНИЕ", "xn--e1afmkfd.xn--80akhbyknj4f");
	becomes("παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp");
	becomes("ΠΑΡΆΔΕΙΓΜΑ.ΔΟΚΙΜΉ", "xn--hxajbheg2az3al.xn--jxalpdlp");
	becomes("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv");
	becomes("उदाहरण.परीक्षा", "xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g");
	becomes("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye");
	becomes("3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b");
	becomes("Pročprostěnemluvíčesky", "xn--proprostnemluvesky-uyb24dma41a");
	becomes("ＥＸＡＭＰＬＥ．ｃｏｍ", "example.com");
	becomes("soft\xc2\xadhyphen.example", "softhyphen.example");
	becomes("😀.example", "xn--e28h.example");
}

static void what_is_no_name(void **unused)
{
	static const char *const bad[] = { "", ".", "..", "a..b", ".a", "a b", "a\tb", "a/b", "a:1",
		"a@b", "\x7f", "\xff.example", "\xc3.example", "\xed\xa0\x80.example", "a,b",
		"\"a\"",
		"0123456789012345678901234567890123456789012345678901234567890123.example" };
	char name[NAME_ROOM], text[400];

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (name_normal(bad[i], strlen(bad[i]), name) != 0)
			fail_msg("'%s' was taken", bad[i]);
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 50 == 49 ? '.' : 'a';
	assert_int_equal(name_normal(text, 253, name), 253);
	assert_int_equal(name_normal(text, 254, name), 0);
	/* a label that is short as text and too long as Punycode */
	for (size_t i = 0; i < 60; i += 3)
		memcpy(text + i, i % 2 ? "中" : "€", 3);
	assert_int_equal(name_normal(text, 60, name) != 0, 1);
	for (size_t i = 0; i < 240; i += 3)
		memcpy(text + i, i % 2 ? "中" : "€", 3);
	assert_int_equal(name_normal(text, 240, name), 0);
}

/* Never writes past its room, whatever comes. */
static void any_bytes(void **unused)
{
	char text[300], name[NAME_ROOM + 1];

	(void)unused;
	for (unsigned round = 0; round < 20000; round++) {
		size_t size = next_random() % sizeof text;

		for (size_t i = 0; i < size; i++)
			text[i] = (char)(next_random() % 4 == 0   ? 0x80 + next_random() % 128
					 : next_random() % 9 == 0 ? '.'
								  : 'a' + next_random() % 26);
		name[NAME_ROOM] = 'x';
		assert_true(name_normal(text, size, name) <= NAME_MAX_SIZE);
		assert_int_equal(name[NAME_ROOM], 'x');
	}
}

/* --- the set ----------------------------------------------------------------------------- */

static void add(struct nameset *s, const char *name, uint32_t value)
{
	struct err e;

	assert_true(nameset_add(s, name, strlen(name), value, &e));
}

static uint32_t find(const struct nameset *s, const char *name)
{
	return nameset_find(s, name, strlen(name));
}

static void has_text(const struct nameset *s, uint32_t entry, const char *want)
{
	size_t size;
	const char *text = nameset_text(s, entry, &size);

	assert_int_equal(size, strlen(want));
	assert_memory_equal(text, want, size);
}

static void names_and_what_is_below_them(void **unused)
{
	static const char name[] = "www.bad.example.com";
	struct nameset *s = nameset_new();
	uint32_t entries[8];
	struct err e;

	(void)unused;
	add(s, "example.com", 1);
	add(s, "bad.example.com", 2);
	add(s, "com", 3);
	add(s, "xample.com", 4);
	add(s, "other.example", 5);
	assert_true(nameset_build(s, &e));
	assert_int_equal(nameset_match(s, name, strlen(name), entries, 8), 3);
	has_text(s, entries[0], "bad.example.com");
	has_text(s, entries[1], "example.com");
	has_text(s, entries[2], "com");
	assert_int_equal(nameset_value(s, entries[0]), 2);
	assert_int_equal(nameset_match(s, name, strlen(name), entries, 1), 1);
	assert_int_equal(nameset_match(s, "notexample.net", 14, entries, 8), 0);
	assert_int_equal(nameset_match(s, "", 0, entries, 8), 0);
	assert_int_equal(find(s, "www.example.com"), NAMESET_NONE);
	assert_true(nameset_memory(s) > 0);
	nameset_free(s);
}

static void the_same_name_has_several_values(void **unused)
{
	struct nameset *s = nameset_new();
	uint32_t entry;
	struct err e;

	(void)unused;
	add(s, "a.example", 4);
	add(s, "a.example", 2);
	add(s, "a.example", 4);
	add(s, "a.example", 9);
	add(s, "a.example", 2);
	assert_true(nameset_build(s, &e));
	entry = find(s, "a.example");
	assert_int_equal(nameset_value(s, entry), 4);
	entry = nameset_same(s, entry);
	assert_int_equal(nameset_value(s, entry), 2);
	entry = nameset_same(s, entry);
	assert_int_equal(nameset_value(s, entry), 9);
	assert_int_equal(nameset_same(s, entry), NAMESET_NONE);
	nameset_free(s);
}

static void many_names(void **unused)
{
	enum { MANY = 20000 };
	struct nameset *s = nameset_new();
	char name[64];
	struct err e;

	(void)unused;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "host%u.%s.example", i, i % 2 ? "a" : "bb");
		add(s, name, i);
	}
	assert_true(nameset_build(s, &e));
	assert_int_equal(nameset_count(s), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "host%u.%s.example", i, i % 2 ? "a" : "bb");
		assert_int_equal(nameset_value(s, find(s, name)), i);
		snprintf(name, sizeof name, "host%u.%s.example", i, i % 2 ? "bb" : "a");
		assert_int_equal(find(s, name), NAMESET_NONE);
	}
	nameset_free(s);
}

static void an_empty_set(void **unused)
{
	struct nameset *s = nameset_new();
	struct err e;

	(void)unused;
	assert_true(nameset_build(s, &e));
	assert_int_equal(find(s, "example"), NAMESET_NONE);
	nameset_free(s);
	nameset_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_and_dots),
		cmocka_unit_test(other_alphabets),
		cmocka_unit_test(what_is_no_name),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(names_and_what_is_below_them),
		cmocka_unit_test(the_same_name_has_several_values),
		cmocka_unit_test(many_names),
		cmocka_unit_test(an_empty_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
