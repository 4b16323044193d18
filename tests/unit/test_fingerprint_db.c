/* SPDX-License-Identifier: BSD-3-Clause */
/* test_fingerprint_db.c - the file of labels: what is found, and what is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "feature/fingerprint_db.h"

static char path[] = "/tmp/test_fingerprint_db.XXXXXX";

static struct fingerprint_db *load(const char *text, struct err *e)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	e->text[0] = '\0';
	return fingerprint_db_load(path, e);
}

static const struct field_text *find(
		const struct fingerprint_db *db, const char *kind, const char *value, size_t *count)
{
	return fingerprint_db_find(
			db, kind, (struct rd){ (const uint8_t *)value, strlen(value) }, count);
}

static void assert_label(const struct field_text *t, const char *want)
{
	assert_int_equal(t->size, strlen(want));
	assert_memory_equal(t->p, want, t->size);
}

static void labels_are_found(void **unused)
{
	struct err e;
	size_t n;
	struct fingerprint_db *db =
			load("{\"kind\":\"ja3\",\"value\":\"00ff\",\"labels\":[\"curl\","
			     "\"a \\\"b\\\" \\u00fc\\n\"]}\n"
			     "\n"
			     "  { \"labels\" : \"one\" , \"since\" : [1, {\"x\": \"]}\"}], "
			     "\"value\":\"t13\",\"kind\":\"ja4\", \"n\": -1.5e3 }\r\n"
			     "{\"kind\":\"ja3\",\"value\":\"00ff\",\"labels\":[\"more\"]}\n"
			     "{\"kind\":\"ja4\",\"value\":\"00ff\",\"labels\":[]}",
					&e);
	const struct field_text *t;

	(void)unused;
	assert_non_null(db);
	t = find(db, "ja3", "00ff", &n);
	assert_int_equal(n, 3);
	assert_label(&t[0], "curl");
	assert_label(&t[1], "a \"b\" \xc3\xbc\n");
	assert_label(&t[2], "more");
	t = find(db, "ja4", "t13", &n);
	assert_int_equal(n, 1);
	assert_label(t, "one");
	find(db, "ja4", "00ff", &n);
	assert_int_equal(n, 0);
	assert_null(find(db, "ja4", "t1", &n));
	assert_int_equal(n, 0);
	fingerprint_db_free(db);
}

static void many(void **unused)
{
	enum { MANY = 5000, LINE = 80 };
	char *text = malloc(MANY * LINE + 1), *end = text, value[16];
	struct fingerprint_db *db;
	struct err e;
	size_t n;

	(void)unused;
	assert_non_null(text);
	*end = '\0';
	for (unsigned i = 0; i < MANY; i++)
		end += snprintf(end, LINE,
				"{\"kind\":\"ja3\",\"value\":\"v%u\",\"labels\":[\"l%u\"]}\n", i,
				i);
	db = load(text, &e);
	assert_non_null(db);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(value, sizeof value, "v%u", i);
		assert_non_null(find(db, "ja3", value, &n));
		assert_int_equal(n, 1);
	}
	assert_null(find(db, "ja3", "v5000", &n));
	fingerprint_db_free(db);
	free(text);
}

static void nothing_is_fine(void **unused)
{
	struct err e;
	size_t n;
	struct fingerprint_db *db = load("", &e);

	(void)unused;
	assert_non_null(db);
	assert_null(find(db, "ja3", "", &n));
	fingerprint_db_free(db);
	fingerprint_db_free(NULL);
}

static void mistakes_are_told_with_their_line(void **unused)
{
	static const char *const bad[] = {
		"ja3 00ff curl",
		"{\"kind\":\"ja3\"}",
		"{\"kind\":\"ja3\",\"value\":1}",
		"{\"kind\":\"ja3\",\"value\":\"x\"} x",
		"{\"kind\":\"ja3\",\"value\":\"x\",}",
		"{\"kind\":\"ja3\",\"value\":\"x\",\"labels\":[\"a\"",
		"{\"kind\":\"ja3\",\"value\":\"x\",\"labels\":[1]}",
		"{\"kind\":\"ja3\",\"value\":\"x\\q\"}",
		"{\"kind\":\"ja3\",\"value\":\"x\\u12\"}",
		"{\"kind\":\"ja3\",\"value\":\"x",
		"{\"kind\":\"ja3\",\"value\":\"x\",\"n\":[[}",
		"[]",
		"{",
	};
	char text[200];
	struct err e;

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text, "{\"kind\":\"a\",\"value\":\"b\"}\n%s\n", bad[i]);
		assert_null(load(text, &e));
		if (strstr(e.text, ":2:") == NULL)
			fail_msg("%s: %s", bad[i], e.text);
	}
	assert_null(fingerprint_db_load("/nonexistent/file", &e));
	assert_non_null(strstr(e.text, "/nonexistent/file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_found),
		cmocka_unit_test(many),
		cmocka_unit_test(nothing_is_fine),
		cmocka_unit_test(mistakes_are_told_with_their_line),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
