/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_api_records.c - files of records as columns through the interface of libjoy: status, words,
 * counters, callbacks, early ends.
 */
#include "arrow_kit.h"
#include "arrow_text.h"
#include "joy.h"
#include "unit/list_kit.h"

#define HEAD "{\"version\":\"1.0.0\",\"bidir\":0,\"num_pkts\":0}\n"

struct told {
	char text[2000]; /* status, offset and words of each trouble */
	int progress;    /* calls until the end is asked for; 0: never */
};

static void on_trouble(void *ctx, int status, const char *path, int64_t offset, const char *text)
{
	struct told *t = ctx;
	const size_t used = strlen(t->text);

	assert_memory_equal(text, path, strlen(path));
	snprintf(t->text + used, sizeof t->text - used, "%d %lld%s\n", status, (long long)offset,
			text + strlen(path));
}

static int on_progress(void *ctx)
{
	struct told *t = ctx;

	return t->progress > 0 && --t->progress == 0;
}

static struct joy *handle(struct told *told, const char *const *names, size_t count)
{
	const struct joy_columns wanted = { .names = names, .count = count, .batch_rows = 100 };
	struct joy *j = joy_new();

	joy_on_trouble(j, on_trouble, told);
	joy_on_progress(j, on_progress, told);
	assert_int_equal(joy_columns(j, &wanted), JOY_OK);
	return j;
}

/* All rows as text with spaces between; checks each batch. */
static void drain(struct ArrowArrayStream *s, struct buf *text)
{
	struct ArrowSchema schema;
	struct ArrowArray batch;

	assert_int_equal(s->get_schema(s, &schema), 0);
	for (;;) {
		assert_int_equal(s->get_next(s, &batch), 0);
		if (batch.release == NULL)
			break;
		kit_check(&schema, &batch);
		for (int64_t i = 0; i < batch.length; i++) {
			arrow_row(&schema, &batch, (size_t)i, text);
			buf_byte(text, ' ');
		}
		batch.release(&batch);
	}
	buf_byte(text, '\0');
	schema.release(&schema);
}

/* One run over the columns sa and sp. */
static void check(const char *path, const char *rows, int status, const char *told)
{
	static const char *const names[] = { "sa", "sp" };
	struct told t = { .progress = 0 };
	struct joy *j = handle(&t, names, 2);
	struct buf text = buf_new(1 << 20);
	struct ArrowArrayStream s;

	assert_int_equal(joy_stream(j, JOY_RECORDS, &path, 1, &s), JOY_OK);
	drain(&s, &text);
	assert_string_equal(text.p, rows);
	assert_int_equal(joy_stream_status(j), status);
	assert_string_equal(t.text, told);
	s.release(&s);
	buf_free(&text);
	joy_free(j);
}

static void records_are_rows(void **unused)
{
	(void)unused;
	check(file("good", HEAD "{\"sa\":\"192.0.2.1\",\"sp\":1}\n{\"sp\":2}\n{\"summary\":{}}\n"),
			"{sa:\"192.0.2.1\",sp:1} {sa:null,sp:2} ", JOY_OK, "");
}

static void damage_has_its_place(void **unused)
{
	(void)unused;
	check(file("bad", HEAD "{\"sp\":1}\n{\"sp\":}\n{\"sp\":3}\n{\"sp\":4"),
			"{sa:null,sp:1} "
			"{sa:null,sp:3} ",
			JOY_DAMAGED,
			"3 58: a value is missing at offset 58; this line is left out\n"
			"3 69: ends in the middle of a line at offset 69; this line is left out\n");
}

static void odd_members_are_told_at_the_end(void **unused)
{
	(void)unused;
	check(file("odd", HEAD "{\"sp\":1,\"x\":2}\n{\"sp\":\"2\",\"bytes_in\":1}\n"),
			"{sa:null,sp:1} {sa:null,sp:null} ", JOY_OK,
			"0 -1: 2 members that no field has were passed over: x, bytes_in\n"
			"0 -1: 1 values are not of their field's type and are null: sp\n");
}

/* No row, no batch; the schema is there all the same. */
static void nothing_to_read(void **unused)
{
	const char *path = file("empty", ""), *other = file("head", HEAD);
	struct told t = { .progress = 0 };
	struct joy *j = handle(&t, NULL, 0);
	struct ArrowArrayStream s;
	struct ArrowArray batch;

	(void)unused;
	assert_int_equal(joy_stream(j, JOY_RECORDS, &path, 1, &s), JOY_OK);
	assert_int_not_equal(s.get_next(&s, &batch), 0);
	assert_string_equal(s.get_last_error(&s), "no input could be read");
	assert_int_equal(joy_stream_status(j), JOY_FAILED);
	assert_string_equal(
			t.text, "1 -1 holds no JSON lines of records: it is nothing (0 bytes)\n");
	s.release(&s);
	joy_free(j);
	check(other, "", JOY_OK, "");
}

static void calls_that_are_wrong(void **unused)
{
	const char *const missing = "/nowhere/at/all", *const wrong[] = { "tls.sni" };
	const char *good = file("good", HEAD "{\"sp\":1}\n");
	struct told t = { .progress = 0 };
	struct ArrowArrayStream s;
	struct joy *j;

	(void)unused;
	j = handle(&t, NULL, 0);
	assert_int_equal(joy_stream(j, JOY_RECORDS, NULL, 0, &s), JOY_USAGE);
	assert_string_equal(joy_error(j), "no input");
	assert_int_equal(joy_stream(j, JOY_RECORDS, &good, 1, &s), JOY_USAGE);
	joy_free(j);
	j = handle(&t, NULL, 0);
	assert_int_equal(joy_stream(j, JOY_RECORDS, &missing, 1, &s), JOY_FAILED);
	assert_non_null(strstr(joy_error(j), "/nowhere/at/all cannot be opened: "));
	assert_null(s.release);
	joy_free(j);
	j = handle(&t, wrong, 1);
	assert_int_equal(joy_stream(j, JOY_RECORDS, &good, 1, &s), JOY_USAGE);
	assert_non_null(strstr(joy_error(j), "tls.sni"));
	joy_free(j);
}

/* A file of 1000 records. */
static const char *thousand(void)
{
	struct buf text = buf_new(1 << 20);
	const char *path;

	buf_text(&text, HEAD);
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "{\"sa\":\"192.0.2.1\",\"sp\":%d}\n", i);
	path = file_bytes("thousand", text.p, text.size);
	buf_free(&text);
	return path;
}

static void counters_and_summary(void **unused)
{
	const char *path = thousand();
	struct told t = { .progress = 0 };
	struct joy *j = handle(&t, NULL, 0);
	struct buf text = buf_new(1 << 24);
	struct ArrowArrayStream s;
	struct joy_stats stats;
	struct stat st;
	char *summary, expected[200];

	(void)unused;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(joy_stream(j, JOY_RECORDS, &path, 1, &s), JOY_OK);
	drain(&s, &text);
	joy_stats(j, &stats, sizeof stats);
	assert_int_equal(stats.records, 1000);
	assert_int_equal(stats.input_read, st.st_size);
	assert_int_equal(stats.input_total, st.st_size);
	summary = joy_text(j, JOY_TEXT_SUMMARY, NULL);
	snprintf(expected, sizeof expected,
			"{\"summary\":{\"records\":1000,\"input\":{\"files\":1,\"damaged\":0,"
			"\"failed\":0,\"bytes\":%lld},\"runs\":[]}}\n",
			(long long)st.st_size);
	assert_string_equal(summary, expected);
	joy_text_free(summary);
	s.release(&s);
	buf_free(&text);
	joy_free(j);
}

/* It is asked behind every 256 lines; what was read until then comes. */
static void progress_ends_a_run(void **unused)
{
	const char *path = thousand();
	struct told t = { .progress = 2 };
	struct joy *j = handle(&t, NULL, 0);
	struct buf text = buf_new(1 << 24);
	struct ArrowArrayStream s;
	struct joy_stats stats;

	(void)unused;
	assert_int_equal(joy_stream(j, JOY_RECORDS, &path, 1, &s), JOY_OK);
	drain(&s, &text);
	assert_int_equal(joy_stream_status(j), JOY_OK);
	joy_stats(j, &stats, sizeof stats);
	assert_int_equal(stats.records, 511); /* and the configuration */
	s.release(&s);
	buf_free(&text);
	joy_free(j);
}

static void a_stream_may_be_left(void **unused)
{
	const char *path = thousand();
	struct told t = { .progress = 0 };
	struct ArrowArrayStream s;
	struct ArrowArray batch;

	(void)unused;
	for (int taken = 0; taken < 3; taken++) {
		struct joy *j = handle(&t, NULL, 0);

		assert_int_equal(joy_stream(j, JOY_RECORDS, &path, 1, &s), JOY_OK);
		for (int i = 0; i < taken; i++) {
			assert_int_equal(s.get_next(&s, &batch), 0);
			assert_int_equal(batch.length, 100);
			batch.release(&batch);
		}
		s.release(&s);
		joy_free(j);
	}
	assert_string_equal(t.text, "");
}

/* What runs said about themselves is handed on. */
static void runs_are_told(void **unused)
{
	const char *paths[] = {
		file("one", HEAD "{\"sp\":1}\n{\"summary\":{\"drops\":3,\"x\":{\"y\":[]}}}\n"),
		file("two", HEAD "{\"summary\":{\"file\":1}}\r\n{\"drops\":{}}\n{\"sp\":2}\n"
				 "{\"summary\":{\"drops\":4}"),
	};
	struct told t = { .progress = 0 };
	struct joy *j = handle(&t, NULL, 0);
	struct buf text = buf_new(1 << 20);
	struct ArrowArrayStream s;
	char *summary;

	(void)unused;
	assert_int_equal(joy_stream(j, JOY_RECORDS, paths, 2, &s), JOY_OK);
	drain(&s, &text);
	summary = joy_text(j, JOY_TEXT_SUMMARY, NULL);
	assert_non_null(strstr(
			summary, ",\"runs\":[{\"drops\":3,\"x\":{\"y\":[]}},{\"file\":1}]}}\n"));
	joy_text_free(summary);
	s.release(&s);
	buf_free(&text);
	joy_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_rows),
		cmocka_unit_test(damage_has_its_place),
		cmocka_unit_test(odd_members_are_told_at_the_end),
		cmocka_unit_test(nothing_to_read),
		cmocka_unit_test(calls_that_are_wrong),
		cmocka_unit_test(counters_and_summary),
		cmocka_unit_test(runs_are_told),
		cmocka_unit_test(progress_ends_a_run),
		cmocka_unit_test(a_stream_may_be_left),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
