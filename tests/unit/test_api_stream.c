/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_api_stream.c - records as columns through the interface of libjoy: whole runs, early ends,
 * failures, and what may be asked from outside while a run goes on.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "arrow_kit.h"
#include "joy.h"

enum { FRAME = 14 + 20 + 8 + 4, ETHERNET = 1 };

/* Ethernet, IPv4 10.0.0.1 > 10.0.0.2, UDP 1000 > 2000, four bytes "ping". */
static const uint8_t ping[FRAME] = {
	0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00,               /* Ethernet */
	0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, /* IPv4 */
	0x03, 0xe8, 0x07, 0xd0, 0, 12, 0, 0, 'p', 'i', 'n', 'g',            /* UDP */
};

/* A capture of 'flows' flows of one packet each, and then 'more' bytes of another. */
static void write_capture(char path[40], unsigned flows, size_t more)
{
	const uint32_t head[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, ETHERNET };
	FILE *f;

	snprintf(path, 40, "/tmp/test_stream_XXXXXX");
	f = fdopen(mkstemp(path), "wb");
	assert_non_null(f);
	fwrite(head, sizeof head, 1, f);
	for (unsigned i = 0; i <= flows; i++) {
		const uint32_t record[4] = { 100, i % 1000000, FRAME, FRAME };
		uint8_t all[sizeof record + FRAME];

		memcpy(all, record, sizeof record);
		memcpy(all + sizeof record, ping, FRAME);
		all[16 + 14 + 13] = (uint8_t)(i >> 16); /* the initiator's address */
		all[16 + 14 + 14] = (uint8_t)(i >> 8);
		all[16 + 14 + 15] = (uint8_t)i;
		fwrite(all, i < flows ? sizeof all : more, 1, f);
	}
	assert_int_equal(fclose(f), 0);
}

static void is_ok(struct joy *j, int status)
{
	if (status != JOY_OK)
		fail_msg("status %d: %s", status, joy_error(j));
}

static void fails(struct joy *j, int status, int expected, const char *words)
{
	assert_int_equal(status, expected);
	if (strstr(joy_error(j), words) == NULL)
		fail_msg("'%s' does not say '%s'", joy_error(j), words);
}

static struct ArrowArrayStream stream_of(struct joy *j, const char *path)
{
	struct ArrowArrayStream s;

	is_ok(j, joy_stream(j, JOY_CAPTURES, &path, 1, &s));
	assert_non_null(s.release);
	return s;
}

static void want_rows(struct joy *j, size_t rows)
{
	const struct joy_columns wanted = { .batch_rows = rows };

	is_ok(j, joy_columns(j, &wanted));
}

/* Takes all batches, checks them, and counts rows. */
static int64_t drain(struct ArrowArrayStream *s, int64_t most_rows)
{
	struct ArrowSchema schema;
	int64_t rows = 0;

	assert_int_equal(s->get_schema(s, &schema), 0);
	for (;;) {
		struct ArrowArray batch;

		assert_int_equal(s->get_next(s, &batch), 0);
		if (batch.release == NULL)
			break;
		kit_check(&schema, &batch);
		assert_true(batch.length > 0 && batch.length <= most_rows);
		rows += batch.length;
		batch.release(&batch);
	}
	schema.release(&schema);
	return rows;
}

static void a_run_comes_as_batches(void **state)
{
	struct joy *j = joy_new();
	struct ArrowArrayStream s;
	struct joy_stats stats;
	char path[40], *text;

	(void)state;
	write_capture(path, 1000, 0);
	want_rows(j, 64);
	s = stream_of(j, path);
	assert_int_equal(drain(&s, 64), 1000);
	assert_int_equal(joy_stream_status(j), JOY_OK);
	joy_stats(j, &stats, sizeof stats);
	assert_int_equal(stats.packets, 1000);
	assert_int_equal(stats.records, 1000);
	s.release(&s);
	assert_null(s.release);
	text = joy_text(j, JOY_TEXT_SUMMARY, NULL);
	assert_non_null(text);
	assert_non_null(strstr(text, "{\"summary\":{"));
	assert_non_null(strstr(text, "\"records\":1000"));
	joy_text_free(text);
	joy_free(j);
	unlink(path);
}

/* The first flow's row, by the packet spelled out above. */
static void rows_hold_the_flows(void **state)
{
	static const char *const names[] = { "sa", "da", "pr", "sp", "dp", "num_pkts_out",
		"time_start", "packets.b" };
	const struct joy_columns wanted = { .names = names, .count = 8 };
	struct joy *j = joy_new();
	struct ArrowArrayStream s;
	struct ArrowSchema schema;
	struct ArrowArray batch;
	char path[40], *row;

	(void)state;
	write_capture(path, 1, 0);
	is_ok(j, joy_columns(j, &wanted));
	s = stream_of(j, path);
	assert_int_equal(s.get_schema(&s, &schema), 0);
	assert_int_equal(s.get_next(&s, &batch), 0);
	row = kit_row(&schema, &batch, 0);
	assert_string_equal(row, "{\"sa\":\"10.0.0.0\",\"da\":\"10.0.0.2\",\"pr\":17,\"sp\":1000,"
				 "\"dp\":2000,\"num_pkts_out\":1,\"time_start\":100.000000000,"
				 "\"packets\":[{\"b\":4}]}");
	free(row);
	batch.release(&batch);
	schema.release(&schema);
	s.release(&s);
	joy_free(j);
	unlink(path);
}

/* The run would fill the queue and wait for ever. */
static void can_be_released_early(void **state)
{
	(void)state;
	for (int taken = 0; taken < 3; taken++) {
		struct joy *j = joy_new();
		struct ArrowArrayStream s;
		struct ArrowArray batch[3];
		char path[40];

		write_capture(path, 1000, 0);
		want_rows(j, 10);
		s = stream_of(j, path);
		for (int i = 0; i < taken; i++)
			assert_int_equal(s.get_next(&s, &batch[i]), 0);
		s.release(&s);
		assert_int_equal(joy_stream_status(j), JOY_OK);
		joy_free(j);
		for (int i = 0; i < taken; i++) { /* they outlive stream and handle */
			assert_int_equal(batch[i].length, 10);
			batch[i].release(&batch[i]);
		}
		unlink(path);
	}
}

/* All flows that were seen leave, and come. */
static void ends_orderly_when_asked(void **state)
{
	struct joy *j = joy_new();
	struct ArrowArrayStream s;
	struct joy_stats stats;
	char path[40];
	int64_t rows;

	(void)state;
	write_capture(path, 200000, 0);
	is_ok(j, joy_set(j, "idle_timeout", "0.001"));
	want_rows(j, 100);
	s = stream_of(j, path);
	assert_int_equal(joy_stream_wait(j, 10000), 1);
	joy_stream_end(j);
	rows = drain(&s, 100);
	assert_true(rows > 0 && rows < 200000);
	assert_int_equal(joy_stream_status(j), JOY_OK);
	joy_stats(j, &stats, sizeof stats);
	assert_int_equal(stats.records, rows);
	s.release(&s);
	joy_free(j);
	unlink(path);
}

static void tells_at_once_what_cannot_be(void **state)
{
	static const char *const missing = "/nonexistent/file";
	static const char *const names[] = { "sa", "dp.x" };
	struct joy_columns wanted = { .names = names, .count = 2 };
	struct ArrowArrayStream s;
	struct joy *j;
	char path[40];

	(void)state;
	write_capture(path, 1, 0);
	j = joy_new();
	fails(j, joy_stream(j, JOY_CAPTURES, &missing, 1, &s), JOY_FAILED,
			"/nonexistent/file cannot be opened: No such file");
	assert_null(s.release);
	joy_free(j);

	j = joy_new();
	fails(j, joy_stream(j, JOY_CAPTURES, NULL, 0, &s), JOY_USAGE, "no input");
	assert_int_equal(joy_stream_status(j), JOY_USAGE);
	joy_free(j);

	j = joy_new();
	is_ok(j, joy_columns(j, &wanted));
	fails(j, joy_stream(j, JOY_CAPTURES, &(const char *){ path }, 1, &s), JOY_USAGE, "'dp.x'");
	joy_free(j);

	j = joy_new();
	wanted.names = (const char *const[]){ "entropy" };
	wanted.count = 1;
	is_ok(j, joy_columns(j, &wanted));
	fails(j, joy_stream(j, JOY_CAPTURES, &(const char *){ path }, 1, &s), JOY_USAGE,
			"switch that on with");
	joy_free(j);

	j = joy_new();
	is_ok(j, joy_set(j, "bpf", "port and host"));
	assert_int_equal(joy_stream(j, JOY_CAPTURES, &(const char *){ path }, 1, &s), JOY_USAGE);
	fails(j, joy_stream(j, JOY_CAPTURES, &(const char *){ path }, 1, &s), JOY_USAGE, "one run");
	joy_free(j);
	unlink(path);
}

struct trouble {
	int status;
	int64_t offset;
	char file[64], text[512];
};

static void on_trouble(void *ctx, int status, const char *file, int64_t offset, const char *text)
{
	struct trouble *t = ctx;

	t->status = status;
	t->offset = offset;
	snprintf(t->file, sizeof t->file, "%s", file);
	snprintf(t->text, sizeof t->text, "%s", text);
}

static void damage_is_no_failure(void **state)
{
	struct trouble t = { 0 };
	struct joy *j = joy_new();
	struct ArrowArrayStream s;
	char path[40];

	(void)state;
	write_capture(path, 5, 20);
	joy_on_trouble(j, on_trouble, &t);
	s = stream_of(j, path);
	assert_int_equal(drain(&s, 8192), 5);
	assert_int_equal(joy_stream_status(j), JOY_DAMAGED);
	assert_int_equal(t.status, JOY_DAMAGED);
	assert_string_equal(t.file, path);
	assert_int_equal(t.offset, 24 + 5 * (16 + FRAME));
	assert_non_null(strstr(t.text, "ends in the middle of a packet"));
	s.release(&s);
	joy_free(j);
	unlink(path);
}

/* What fails while it runs comes as an error of the stream, again and again. */
static void a_failure_is_the_stream_s(void **state)
{
	struct trouble t = { 0 };
	struct joy *j = joy_new();
	struct ArrowArrayStream s;
	struct ArrowArray batch;
	char path[40];

	(void)state;
	write_capture(path, 0, 0);
	assert_int_equal(truncate(path, 0), 0);
	joy_on_trouble(j, on_trouble, &t);
	s = stream_of(j, path);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(s.get_next(&s, &batch), EIO);
		assert_null(batch.release);
		assert_string_equal(s.get_last_error(&s), "no input could be read");
	}
	assert_int_equal(joy_stream_status(j), JOY_FAILED);
	assert_int_equal(t.status, JOY_FAILED);
	assert_int_equal(t.offset, -1);
	s.release(&s);
	joy_free(j);
	unlink(path);
}

/* --- from outside, meanwhile ------------------------------------------------------------------ */

struct watcher {
	struct joy *j;
	pthread_mutex_t lock;
	bool over;
	uint64_t looks, most;
};

static bool is_over(struct watcher *w)
{
	bool over;

	pthread_mutex_lock(&w->lock);
	over = w->over;
	pthread_mutex_unlock(&w->lock);
	return over;
}

static void *watch(void *ctx)
{
	struct watcher *w = ctx;
	struct joy_stats stats;

	while (!is_over(w)) {
		joy_stats(w->j, &stats, sizeof stats);
		assert_true(stats.packets >= w->most); /* never backwards */
		w->most = stats.packets;
		assert_true(strlen(joy_error(w->j)) < 512);
		joy_stream_wait(w->j, 1);
		w->looks++;
	}
	return NULL;
}

static int on_progress(void *ctx)
{
	struct joy_stats stats;

	joy_stats(ctx, &stats, sizeof stats); /* in the run's thread */
	return 0;
}

static void can_be_watched_from_another_thread(void **state)
{
	struct watcher w = { .j = joy_new(), .lock = PTHREAD_MUTEX_INITIALIZER };
	struct ArrowArrayStream s;
	pthread_t thread;
	char path[40];

	(void)state;
	write_capture(path, 50000, 0);
	want_rows(w.j, 500);
	joy_on_progress(w.j, on_progress, w.j);
	s = stream_of(w.j, path);
	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	assert_int_equal(drain(&s, 500), 50000);
	pthread_mutex_lock(&w.lock);
	w.over = true;
	pthread_mutex_unlock(&w.lock);
	pthread_join(thread, NULL);
	assert_true(w.looks > 0 && w.most <= 50000);
	s.release(&s);
	joy_free(w.j);
	unlink(path);
}

/* --- what is there to be had ------------------------------------------------------------------ */

static void the_schema_follows_options(void **state)
{
	struct joy *j = joy_new();
	struct ArrowSchema some, all;

	(void)state;
	is_ok(j, joy_set(j, "entropy", "1"));
	is_ok(j, joy_schema(j, 0, &some));
	is_ok(j, joy_schema(j, 1, &all));
	assert_non_null(kit_field(&some, "entropy"));
	assert_null(kit_field(&some, "tls"));
	assert_non_null(kit_field(&all, "tls"));
	assert_true(all.n_children > some.n_children);
	kit_has_metadata(kit_field(&some, "sa"), "options", NULL);
	kit_has_metadata(kit_field(&some, "sa"), "feature", "base");
	kit_has_metadata(kit_field(&all, "tls"), "options", "tls");
	kit_has_metadata(kit_field(&all, "entropy"), "options", "dist,cdist,entropy");
	kit_has_metadata(kit_field(&all, "sa_labels"), "options", "label");
	kit_has_metadata(kit_field(&all, "packets"), "options", "num_pkts");
	some.release(&some);
	all.release(&all);
	is_ok(j, joy_set(j, "entropy", "0")); /* it is still before the run */
	joy_free(j);
}

static void the_table_of_options_is_json(void **state)
{
	struct joy *j = joy_new();
	char *text = joy_text(j, JOY_TEXT_OPTION_TABLE, NULL);

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "{\"name\":\"num_pkts\",\"type\":\"integer\",\"value\":\"N\","
				     "\"default\":\"50\",\"minimum\":0,\"maximum\":"));
	assert_non_null(strstr(text, "{\"name\":\"tls\",\"type\":\"bool\",\"value\":\"0|1\","
				     "\"default\":\"0\",\"flags\":[\"feature\"],\"on\":\"1\","));
	joy_text_free(text);
	assert_null(joy_text(j, JOY_TEXT_SUMMARY, NULL)); /* nothing has run */
	joy_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_comes_as_batches),
		cmocka_unit_test(rows_hold_the_flows),
		cmocka_unit_test(can_be_released_early),
		cmocka_unit_test(ends_orderly_when_asked),
		cmocka_unit_test(tells_at_once_what_cannot_be),
		cmocka_unit_test(damage_is_no_failure),
		cmocka_unit_test(a_failure_is_the_stream_s),
		cmocka_unit_test(can_be_watched_from_another_thread),
		cmocka_unit_test(the_schema_follows_options),
		cmocka_unit_test(the_table_of_options_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
