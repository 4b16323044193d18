/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_api.c - libjoy as a program sees it: packets fed, records by callback, handles side by side,
 * calls out of order, input that is damaged, runs that end early.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "joy.h"

enum { FRAME = 14 + 20 + 8 + 4, ETHERNET = 1, ROOM = 1 << 20 };

/* Ethernet, IPv4 10.0.0.1 > 10.0.0.2, UDP 1000 > 2000, four bytes "ping". */
static const uint8_t ping[FRAME] = {
	0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00,               /* Ethernet */
	0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, /* IPv4 */
	0x03, 0xe8, 0x07, 0xd0, 0, 12, 0, 0, 'p', 'i', 'n', 'g',            /* UDP */
};

/* What came through the callbacks of one handle. */
struct seen {
	char *text; /* all lines */
	size_t size;
	unsigned lines, logs, ticks;
	unsigned last_line; /* the callback ends the run at this one; 0: never */
	unsigned last_tick;
	char log[512];
};

static int on_line(void *ctx, const char *bytes, size_t size)
{
	struct seen *s = ctx;

	assert_true(size > 0 && bytes[size - 1] == '\n');
	assert_true(s->size + size < ROOM);
	memcpy(s->text + s->size, bytes, size);
	s->size += size;
	s->text[s->size] = '\0';
	return ++s->lines == s->last_line;
}

static void on_log(void *ctx, enum joy_level level, const char *text)
{
	struct seen *s = ctx;

	(void)level;
	s->logs++;
	snprintf(s->log, sizeof(s->log), "%s", text);
}

static int on_progress(void *ctx)
{
	struct seen *s = ctx;

	return ++s->ticks == s->last_tick;
}

static struct joy *new_joy(struct seen *s)
{
	struct joy *j = joy_new();

	assert_non_null(j);
	*s = (struct seen){ .text = calloc(1, ROOM) };
	assert_non_null(s->text);
	joy_on_line(j, on_line, s);
	joy_on_log(j, on_log, s);
	joy_on_progress(j, on_progress, s);
	return j;
}

static void end_joy(struct joy *j, struct seen *s)
{
	joy_free(j);
	free(s->text);
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

static void has(const struct seen *s, const char *words)
{
	if (strstr(s->text, words) == NULL)
		fail_msg("no %s in\n%s", words, s->text);
}

static struct joy_packet packet(unsigned n)
{
	return (struct joy_packet){ ping, FRAME, FRAME, INT64_C(1000000000) * (100 + n), ETHERNET };
}

/* A capture of 'count' packets and then 'more' bytes of another; the caller removes it. */
static void write_capture(char path[32], unsigned count, size_t more)
{
	const uint32_t head[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, ETHERNET };

	snprintf(path, 32, "/tmp/test_api_XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, head, sizeof(head)), sizeof(head));
	for (unsigned i = 0; i <= count; i++) {
		const uint32_t record[4] = { 100 + i, 0, FRAME, FRAME };
		uint8_t all[sizeof(record) + FRAME];
		size_t size = i < count ? sizeof(all) : more;

		memcpy(all, record, sizeof(record));
		memcpy(all + sizeof(record), ping, FRAME);
		assert_int_equal(write(fd, all, size), size);
	}
	close(fd);
}

static void feeds_and_gets_lines(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);
	struct joy_packet p[3] = { packet(0), packet(1), packet(2) };
	struct joy_stats stats;

	(void)state;
	is_ok(j, joy_set(j, "bidir", "1"));
	is_ok(j, joy_start(j));
	assert_int_equal(s.lines, 0); /* the first line waits for the first packet's time */
	is_ok(j, joy_feed(j, p, 2));
	is_ok(j, joy_feed(j, p + 2, 1));
	is_ok(j, joy_feed(j, NULL, 0));
	is_ok(j, joy_finish(j));
	assert_int_equal(s.lines, 3);
	has(&s, "{\"version\":\"1");
	has(&s, "\"bidir\":1,");
	has(&s, "\"capture_files\":[],\"link_type\":1,\"start_time\":100.000000}\n");
	has(&s, "\"sa\":\"10.0.0.1\",\"da\":\"10.0.0.2\",\"pr\":17,\"sp\":1000,\"dp\":2000,");
	has(&s, "\"num_pkts_out\":3,");
	has(&s, "\n{\"summary\":{\"packets\":3,");
	joy_stats(j, &stats, sizeof(stats));
	assert_int_equal(stats.packets, 3);
	assert_int_equal(stats.bytes, 3 * FRAME);
	assert_int_equal(stats.flows, 1);
	assert_int_equal(stats.records, 1);
	end_joy(j, &s);
}

static void nothing_fed_is_a_whole_output(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);

	(void)state;
	is_ok(j, joy_start(j));
	is_ok(j, joy_finish(j));
	assert_int_equal(s.lines, 2);
	has(&s, "\"link_type\":null,\"start_time\":null}\n");
	end_joy(j, &s);
}

/* More than one batch at a time, and lengths that contradict each other. */
static void many_packets_at_once(void **state)
{
	enum { MANY = 1000 };
	struct seen s;
	struct joy *j = new_joy(&s);
	struct joy_packet *p = calloc(MANY, sizeof(*p));
	struct joy_stats stats;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		p[i] = packet(0);
		p[i].wirelen = i % 2 == 0 ? 0 : FRAME;
	}
	is_ok(j, joy_start(j));
	is_ok(j, joy_feed(j, p, MANY));
	is_ok(j, joy_finish(j));
	joy_stats(j, &stats, sizeof(stats));
	assert_int_equal(stats.packets, MANY);
	assert_int_equal(stats.bytes, MANY * FRAME);
	free(p);
	end_joy(j, &s);
}

static void two_handles_share_nothing(void **state)
{
	struct seen s[2];
	struct joy *j[2] = { new_joy(&s[0]), new_joy(&s[1]) };
	struct joy_packet p = packet(0);

	(void)state;
	is_ok(j[0], joy_set(j[0], "num_pkts", "0"));
	is_ok(j[0], joy_set(j[0], "community_id", "0"));
	is_ok(j[1], joy_set(j[1], "community_id", "1"));
	for (int i = 0; i < 2; i++)
		is_ok(j[i], joy_start(j[i]));
	for (int round = 0; round < 10; round++)
		for (int i = 0; i < 2; i++)
			is_ok(j[i], joy_feed(j[i], &p, i == 0 || round < 4 ? 1 : 0));
	fails(j[0], joy_set(j[0], "bidir", "1"), JOY_USAGE, "before the run");
	assert_string_equal(joy_error(j[1]), "");
	is_ok(j[1], joy_finish(j[1]));
	is_ok(j[0], joy_finish(j[0]));
	has(&s[0], "\"num_pkts_out\":10,");
	has(&s[1], "\"num_pkts_out\":4,");
	has(&s[1], "\"community_id\":\"1:");
	assert_null(strstr(s[0].text, "\"1:"));
	assert_null(strstr(s[0].text, "\"packets\":["));
	end_joy(j[0], &s[0]);
	end_joy(j[1], &s[1]);
}

static void calls_out_of_order(void **state)
{
	const char *const none[] = { "/nonexistent" };
	struct seen s;
	struct joy *j = new_joy(&s);
	struct joy_packet p = packet(0);

	(void)state;
	fails(j, joy_feed(j, &p, 1), JOY_USAGE, "between joy_start() and joy_finish()");
	fails(j, joy_finish(j), JOY_USAGE, "after joy_start()");
	fails(j, joy_run(j, NULL, 0), JOY_USAGE, "no input");
	fails(j, joy_set(j, "bidir", NULL), JOY_USAGE, "a name and a value");
	fails(j, joy_load(j, NULL), JOY_USAGE, "no configuration file");
	is_ok(j, joy_start(j));
	fails(j, joy_start(j), JOY_USAGE, "one run");
	fails(j, joy_run(j, none, 1), JOY_USAGE, "one run");
	fails(j, joy_load(j, "/nonexistent"), JOY_USAGE, "before the run");
	fails(j, joy_feed(j, NULL, 1), JOY_USAGE, "no packets");
	is_ok(j, joy_finish(j));
	fails(j, joy_finish(j), JOY_USAGE, "after joy_start()");
	fails(j, joy_feed(j, &p, 1), JOY_USAGE, "between");
	fails(j, joy_start(j), JOY_USAGE, "one run");
	assert_int_equal(s.lines, 2);
	end_joy(j, &s);
	joy_free(NULL);
	joy_text_free(NULL);
}

/* A mistake that shows before anything is opened can be put right. */
static void options_that_contradict(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);

	(void)state;
	fails(j, joy_set(j, "bidri", "1"), JOY_USAGE, "the nearest is 'bidir'");
	fails(j, joy_set(j, "type", "9"), JOY_USAGE, "from 1 to 2");
	is_ok(j, joy_set(j, "features", "entropi"));
	fails(j, joy_start(j), JOY_USAGE, "the nearest is 'entropy'");
	is_ok(j, joy_set(j, "features", "entropy"));
	is_ok(j, joy_set(j, "bpf", "tcp"));
	fails(j, joy_start(j), JOY_USAGE, "bpf is for files");
	is_ok(j, joy_set(j, "bpf", "none"));
	is_ok(j, joy_start(j));
	is_ok(j, joy_finish(j));
	has(&s, "\"entropy\":1,");
	end_joy(j, &s);
}

static void tells_what_is_set(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);

	(void)state;
	is_ok(j, joy_set(j, "idle_timeout", "0.50"));
	char *text = joy_get(j, "idle_timeout");
	assert_string_equal(text, "0.5");
	joy_text_free(text);
	text = joy_get(j, "output");
	assert_string_equal(text, "none");
	joy_text_free(text);
	assert_null(joy_get(j, "nothing"));
	assert_null(joy_get(j, NULL));
	end_joy(j, &s);
}

/* A program that was built when struct joy_stats was shorter. */
static void stats_of_an_older_program(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);
	struct joy_packet p = packet(0);
	uint64_t old[3] = { 7, 7, 7 };

	(void)state;
	joy_stats(j, (struct joy_stats *)(void *)old, 2 * sizeof(uint64_t));
	assert_int_equal(old[0], 0);
	is_ok(j, joy_start(j));
	is_ok(j, joy_feed(j, &p, 1));
	joy_stats(j, (struct joy_stats *)(void *)old, 2 * sizeof(uint64_t));
	assert_int_equal(old[0], 1);
	assert_int_equal(old[1], FRAME);
	assert_int_equal(old[2], 7);
	end_joy(j, &s); /* in the middle of a run */
}

static void a_line_can_end_the_run(void **state)
{
	(void)state;
	for (unsigned last = 1; last <= 3; last++) {
		struct seen s;
		struct joy *j = new_joy(&s);
		struct joy_packet p = packet(0);

		s.last_line = last;
		is_ok(j, joy_start(j));
		int status = joy_feed(j, &p, 1);
		if (status == JOY_OK)
			status = joy_finish(j);
		fails(j, status, JOY_FAILED, "the receiver of lines ended the run");
		assert_int_equal(s.lines, last);
		end_joy(j, &s);
	}
}

static void runs_over_a_file(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);
	char path[32];

	(void)state;
	write_capture(path, 5, 0);
	is_ok(j, joy_run(j, (const char *[]){ path }, 1));
	assert_int_equal(s.lines, 3);
	assert_int_equal(s.logs, 0);
	assert_true(s.ticks > 0);
	has(&s, "\"num_pkts_out\":5,");
	has(&s, "\"input\":{\"files\":1,\"damaged\":0,\"failed\":0,");
	fails(j, joy_run(j, (const char *[]){ path }, 1), JOY_USAGE, "one run");
	unlink(path);
	end_joy(j, &s);
}

static void a_cut_file_is_damaged(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);
	char path[32];

	(void)state;
	write_capture(path, 5, 30);
	fails(j, joy_run(j, (const char *[]){ path }, 1), JOY_DAMAGED, "damaged");
	assert_int_equal(s.lines, 3);
	assert_int_equal(s.logs, 1);
	assert_non_null(strstr(s.log, path));
	has(&s, "\"num_pkts_out\":5,");
	has(&s, "\"damaged\":1,");
	unlink(path);
	end_joy(j, &s);
}

static void nothing_to_read_fails(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);
	char path[32];

	(void)state;
	fails(j, joy_run(j, (const char *[]){ "/nonexistent/a", "/nonexistent/b" }, 2), JOY_FAILED,
			"no input could be read");
	assert_int_equal(s.lines, 2); /* and yet a whole output */
	assert_int_equal(s.logs, 2);
	end_joy(j, &s);

	j = new_joy(&s);
	write_capture(path, 1, 0);
	assert_int_equal(joy_run(j, (const char *[]){ "/nonexistent/a", path }, 2), JOY_DAMAGED);
	assert_int_equal(s.lines, 3);
	unlink(path);
	end_joy(j, &s);
}

static void progress_can_end_the_run(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);
	struct joy_stats stats;
	char path[32];

	(void)state;
	write_capture(path, 5000, 0);
	s.last_tick = 2;
	is_ok(j, joy_run(j, (const char *[]){ path }, 1));
	joy_stats(j, &stats, sizeof(stats));
	assert_true(stats.packets > 0 && stats.packets < 5000);
	assert_int_equal(s.ticks, 2);
	has(&s, "\n{\"summary\":{");
	assert_true(stats.input_read > 0);
	unlink(path);
	end_joy(j, &s);
}

enum { COPIES = 400 };

/* A run over many files that are one and the same, by several threads. */
static struct joy *independent_joy(struct seen *s, char path[32], const char *paths[COPIES])
{
	struct joy *j = new_joy(s);

	write_capture(path, 5000, 0);
	for (size_t i = 0; i < COPIES; i++)
		paths[i] = path;
	is_ok(j, joy_set(j, "independent", "1"));
	is_ok(j, joy_set(j, "threads", "3"));
	is_ok(j, joy_set(j, "num_pkts", "0"));
	return j;
}

static struct joy *looked_into;
static pthread_t looks_from;

/* All that a progress callback may do. */
static int look(void *ctx)
{
	struct seen *s = ctx;
	struct joy_stats stats;
	char *text = joy_text(looked_into, JOY_TEXT_STATS, NULL);

	assert_true(pthread_equal(pthread_self(), looks_from));
	assert_non_null(strstr(text, "\"packets\""));
	joy_text_free(text);
	joy_stats(looked_into, &stats, sizeof(stats));
	assert_true(stats.flows <= COPIES && stats.input_read <= stats.input_total);
	is_ok(looked_into, joy_reload(looked_into));
	return on_progress(s);
}

static void files_side_by_side(void **state)
{
	struct seen s;
	struct joy_stats stats;
	const char *paths[COPIES];
	char path[32];
	struct joy *j = independent_joy(&s, path, paths);

	(void)state;
	looked_into = j;
	looks_from = pthread_self();
	joy_on_progress(j, look, &s);
	is_ok(j, joy_run(j, paths, COPIES));
	joy_stats(j, &stats, sizeof(stats));
	assert_true(s.ticks > 10);
	assert_int_equal(stats.packets, COPIES * 5000);
	assert_int_equal(stats.flows, COPIES);
	assert_int_equal(stats.input_read, stats.input_total);
	assert_int_equal(s.lines, stats.records + 2);
	unlink(path);
	end_joy(j, &s);
}

/* Files that were begun have whole records of what was read of them. */
static void progress_can_end_files_side_by_side(void **state)
{
	struct seen s;
	struct joy_stats stats;
	const char *paths[COPIES];
	char path[32];
	struct joy *j = independent_joy(&s, path, paths);

	(void)state;
	s.last_tick = 1;
	is_ok(j, joy_run(j, paths, COPIES));
	joy_stats(j, &stats, sizeof(stats));
	assert_true(stats.packets > 0 && stats.packets < COPIES * 5000);
	assert_int_equal(s.lines, stats.records + 2);
	has(&s, "\n{\"summary\":{");
	unlink(path);
	end_joy(j, &s);
}

static void a_line_can_end_files_side_by_side(void **state)
{
	struct seen s;
	const char *paths[COPIES];
	char path[32];
	struct joy *j = independent_joy(&s, path, paths);

	(void)state;
	s.last_line = 5;
	fails(j, joy_run(j, paths, COPIES), JOY_FAILED, "receiver of lines ended the run");
	assert_int_equal(s.lines, 5);
	unlink(path);
	end_joy(j, &s);
}

static void independent_is_for_files(void **state)
{
	struct joy *j = joy_new();

	(void)state;
	is_ok(j, joy_set(j, "independent", "1"));
	fails(j, joy_start(j), JOY_USAGE, "independent is for files");
	joy_free(j);
}

static void never_writes_over_its_input(void **state)
{
	struct joy *j = joy_new();
	char path[32];

	(void)state;
	write_capture(path, 1, 0);
	is_ok(j, joy_set(j, "output", path));
	fails(j, joy_run(j, (const char *[]){ path }, 1), JOY_USAGE, "input and output at once");
	assert_int_equal(access(path, R_OK), 0);
	unlink(path);
	joy_free(j);
}

static void texts(void **state)
{
	struct seen s;
	struct joy *j = new_joy(&s);

	(void)state;
	for (int what = JOY_TEXT_HELP; what <= JOY_TEXT_OPTIONS; what++) {
		char *text = joy_text(j, (enum joy_text)what, "entropy");

		if (text == NULL)
			fail_msg("text %d: %s", what, joy_error(j));
		assert_true(strlen(text) > 50);
		joy_text_free(text);
	}
	assert_null(joy_text(j, (enum joy_text)99, NULL));
	assert_null(joy_text(j, JOY_TEXT_EXPLAIN, NULL));
	assert_null(joy_text(j, JOY_TEXT_EXPLAIN, "entropi"));
	assert_non_null(strstr(joy_error(j), "the nearest is 'entropy'"));
	assert_null(joy_text(j, JOY_TEXT_EXPLAIN, "ip.out.tll"));
	assert_non_null(strstr(joy_error(j), "the nearest is 'ip.out.ttl'"));
	assert_true(strlen(joy_version()) >= 5);
	end_joy(j, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feeds_and_gets_lines),
		cmocka_unit_test(nothing_fed_is_a_whole_output),
		cmocka_unit_test(many_packets_at_once),
		cmocka_unit_test(two_handles_share_nothing),
		cmocka_unit_test(calls_out_of_order),
		cmocka_unit_test(options_that_contradict),
		cmocka_unit_test(tells_what_is_set),
		cmocka_unit_test(stats_of_an_older_program),
		cmocka_unit_test(a_line_can_end_the_run),
		cmocka_unit_test(runs_over_a_file),
		cmocka_unit_test(a_cut_file_is_damaged),
		cmocka_unit_test(nothing_to_read_fails),
		cmocka_unit_test(progress_can_end_the_run),
		cmocka_unit_test(files_side_by_side),
		cmocka_unit_test(progress_can_end_files_side_by_side),
		cmocka_unit_test(a_line_can_end_files_side_by_side),
		cmocka_unit_test(independent_is_for_files),
		cmocka_unit_test(never_writes_over_its_input),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
