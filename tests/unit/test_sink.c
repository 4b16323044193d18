/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sink.c - outputs: names only when whole, every format and compression read back, what is
 * written to directly, and what is refused.
 */
#include "sink_kit.h"

/* --- whole files --------------------------------------------------------------------------------
 */

static void every_format_and_compression(void **unused)
{
	static const char *const formats[] = { ".json", ".jsonl", "", ".csv", ".JSON" };

	(void)unused;
	for (size_t f = 0; f < 5; f++) {
		struct buf plain = { .p = NULL };

		for (size_t c = 0; c < COMPRESSIONS; c++) {
			char name[32];

			snprintf(name, sizeof name, "flows%s%s", formats[f], compressions[c]);
			name_path(name);
			write_file(COUNT);

			struct buf b = unpacked(path, compressions[c]);

			assert_int_equal(f == 3 ? csv_rows(&b) : json_lines(&b),
					COUNT + (f == 3 ? 1 : 2));
			if (c == 0) {
				plain = b;
			} else {
				assert_int_equal(b.size, plain.size);
				assert_memory_equal(b.p, plain.p, b.size);
				buf_free(&b);
			}
			unlink(path);
		}
		buf_free(&plain);
	}
}

static void the_same_records_give_the_same_bytes(void **unused)
{
	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32];
		struct buf one, two;

		snprintf(name, sizeof name, "same.json%s", compressions[c]);
		name_path(name);
		write_file(COUNT);
		one = content(path);
		write_file(COUNT);
		two = content(path);
		assert_int_equal(one.size, two.size);
		assert_memory_equal(one.p, two.p, one.size);
		if (c == 1) /* gzip: no flags, so no name; no time */
			assert_memory_equal(one.p, "\x1f\x8b\x08\0\0\0\0\0", 8);
		buf_free(&one);
		buf_free(&two);
		unlink(path);
	}
}

static void nothing_but_a_configuration(void **unused)
{
	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32];

		snprintf(name, sizeof name, "none.json%s", compressions[c]);
		name_path(name);
		write_file(0);

		struct buf b = unpacked(path, compressions[c]);

		assert_int_equal(json_lines(&b), 2);
		buf_free(&b);
		unlink(path);
	}
}

static void what_is_not_whole_keeps_its_other_name(void **unused)
{
	(void)unused;
	for (size_t c = 0; c < COMPRESSIONS; c++) {
		char name[32];
		struct err e = { "" };

		snprintf(name, sizeof name, "old.json%s", compressions[c]);
		name_path(name);
		put_file(path, "old");

		struct sink *s = open_sink(path);

		assert_true(begin(s, &e));
		for (uint64_t n = 0; n < COUNT; n++)
			assert_true(record(pen, n, &e));
		assert_true(sink_close(s, false, &e));
		free_sink(s);

		struct buf old = content(path), b = unpacked(part, compressions[c]);

		assert_memory_equal(old.p, "old", 3);
		assert_int_equal(old.size, 3);
		assert_int_equal(json_lines(&b), COUNT + 1);
		buf_free(&old);
		buf_free(&b);

		write_file(1); /* takes over the part, and replaces the old file */
		b = unpacked(path, compressions[c]);
		assert_int_equal(json_lines(&b), 3);
		buf_free(&b);
		unlink(path);
	}
}

static void a_sink_freed_without_close_is_not_whole(void **unused)
{
	struct err e = { "" };

	(void)unused;
	name_path("freed.json");

	struct sink *s = open_sink(path);

	assert_true(record(pen, 1, &e));
	free_sink(s);
	sink_free(NULL);
	assert_false(exists(path));

	struct buf b = content(part);

	assert_int_equal(json_lines(&b), 1);
	buf_free(&b);
	unlink(part);
}

static void a_flush_can_be_read(void **unused)
{
	struct err e = { "" };

	(void)unused;
	name_path("flush.json");

	struct sink *s = open_sink(path);

	assert_true(begin(s, &e));
	assert_true(record(pen, 1, &e));
	assert_true(sink_flush(s, &e));

	struct buf b = content(part);

	assert_int_equal(json_lines(&b), 2);
	assert_true(counts(s).bytes > 0 && counts(s).bytes < b.size);
	buf_free(&b);
	free_sink(s);
	unlink(part);
}

/* --- what cannot be opened ----------------------------------------------------------------------
 */

static void refuse(const char *name, const char *words)
{
	const struct sink_target target = { .path = name };
	struct err e = { "" };

	assert_null(sink_open(&target, plan, &e));
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, e.text);
}

static void names_that_do_not_work(void **unused)
{
	char sub[PATH_SIZE + 16];

	(void)unused;
	refuse("flows.xml",
			"unknown suffix .xml; there are .json, .jsonl, .csv, each also with .gz");
	refuse("/somewhere/flows.ipfix", "unknown suffix .ipfix");
	refuse("flows.parquet.gz", "unknown suffix .parquet");
	refuse("", "empty");
	refuse(folder, "it is a folder");
	snprintf(sub, sizeof sub, "%s/", folder);
	refuse(sub, "it is a folder");
	snprintf(sub, sizeof sub, "%s/no/flows.json", folder);
	refuse(sub, "No such file");
	refuse("/dev/no-such-device", "No such file");
	assert_false(exists("/dev/no-such-device.part"));
}

static void dates_and_versions_are_no_suffixes(void **unused)
{
	static const char *const names[] = { "flows.2024-01-31", "v1.0", ".hidden", "a.b/flows" };

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		name_path(names[i]);
		write_file(1);

		struct buf b = content(path);

		assert_int_equal(json_lines(&b), 3);
		buf_free(&b);
		unlink(path);
	}
}

static void two_runs_do_not_mix(void **unused)
{
	(void)unused;
	name_path("busy.json");

	struct sink *s = open_sink(path);

	refuse(path, "another run is writing it");
	free_sink(s);
	unlink(part);
}

static void parts_that_are_no_files_are_refused(void **unused)
{
	char victim[PATH_SIZE];

	(void)unused;
	name_path("trap.json");
	snprintf(victim, sizeof victim, "%s/victim", folder);
	put_file(victim, "precious");
	assert_int_equal(symlink(victim, part), 0);
	refuse(path, "trap.json.part");
	unlink(part);
	assert_int_equal(mkfifo(part, 0600), 0);
	refuse(path, "trap.json.part");
	unlink(part);

	struct buf b = content(victim);

	assert_int_equal(b.size, 8);
	buf_free(&b);
	unlink(victim);
}

static void links_stay_links(void **unused)
{
	char real[PATH_SIZE];

	(void)unused;
	snprintf(real, sizeof real, "%s/real.json", folder);
	name_path("link.json");
	put_file(real, "old");
	assert_int_equal(symlink("real.json", path), 0);

	struct sink *s = open_sink(path);
	struct err e = { "" };
	struct stat st;

	write_all(s, 3);
	assert_true(sink_close(s, true, &e));
	free_sink(s);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));

	struct buf b = content(real);

	assert_int_equal(json_lines(&b), 5);
	buf_free(&b);
	unlink(path);
	unlink(real);
}

/* --- written to directly ------------------------------------------------------------------------
 */

static void devices_and_pipes_keep_their_names(void **unused)
{
	char bytes[4096];
	struct err e = { "" };

	(void)unused;

	struct sink *s = open_sink("/dev/null");

	write_all(s, 10);
	assert_true(sink_close(s, true, &e));
	free_sink(s);
	assert_false(exists("/dev/null.part"));

	name_path("pipe.any"); /* the suffix of what is no file means nothing */
	assert_int_equal(mkfifo(path, 0600), 0);

	const int reader = open(path, O_RDONLY | O_NONBLOCK);

	assert_true(reader >= 0);
	s = open_sink(path);
	write_all(s, 2);
	assert_true(sink_close(s, true, &e));
	free_sink(s);

	struct buf b = { .p = bytes, .size = (size_t)read(reader, bytes, sizeof bytes) };

	assert_int_equal(json_lines(&b), 4);
	assert_int_equal(read(reader, bytes, sizeof bytes), 0);
	close(reader);
	unlink(path);
}

/* Standard output into a file by the shell: nothing is renamed, what is there stays. */
static void standard_output(void **unused)
{
	struct err e = { "" };

	(void)unused;
	name_path("stdout");
	fflush(stdout);

	const int saved = dup(STDOUT_FILENO), fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(saved >= 0 && fd >= 0);
	assert_int_equal(write(fd, "{}\n", 3), 3);
	dup2(fd, STDOUT_FILENO);

	const struct sink_target target = { .path = NULL };
	struct sink *s = open_target(&target);
	bool done = s != NULL && begin(s, &e) && record(pen, 1, &e) && end(s, &e) &&
		    sink_close(s, true, &e);

	free_sink(s);
	done &= write(STDOUT_FILENO, "{}\n", 3) == 3; /* still open */
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fd);
	assert_true(done);

	struct buf b = content(path);

	assert_int_equal(json_lines(&b), 5);
	buf_free(&b);
	unlink(path);
}

/* --- callback -----------------------------------------------------------------------------------
 */

struct receiver {
	uint64_t lines, stop_at;
};

static bool receive(void *ctx, const char *bytes, size_t size)
{
	struct receiver *r = ctx;

	assert_int_equal(bytes[size - 1], '\n');
	assert_null(memchr(bytes, '\n', size - 1));
	assert_true(json_is_valid(bytes, size));
	return ++r->lines != r->stop_at;
}

static void lines_by_callback(void **unused)
{
	struct receiver r = { 0, 0 };
	const struct sink_target target = { .line = receive, .ctx = &r };
	struct err e = { "" };

	(void)unused;

	struct sink *s = open_target(&target);

	assert_non_null(s);
	assert_true(begin(s, &e));
	assert_int_equal(r.lines, 1); /* at once */
	for (uint64_t n = 0; n < 5; n++)
		assert_true(record(pen, n, &e));
	assert_true(end(s, &e));
	assert_int_equal(r.lines, 7);
	assert_true(sink_close(s, true, &e));
	free_sink(s);

	r = (struct receiver){ 0, 4 };
	s = open_target(&target);
	assert_true(begin(s, &e));
	assert_true(record(pen, 0, &e) && record(pen, 1, &e));
	assert_false(record(pen, 2, &e));
	assert_error(&e, "asked to stop; 2 of 3 records");
	assert_false(record(pen, 3, &e));
	assert_int_equal(r.lines, 4);
	assert_false(sink_close(s, true, &e));
	free_sink(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_and_compression),
		cmocka_unit_test(the_same_records_give_the_same_bytes),
		cmocka_unit_test(nothing_but_a_configuration),
		cmocka_unit_test(what_is_not_whole_keeps_its_other_name),
		cmocka_unit_test(a_sink_freed_without_close_is_not_whole),
		cmocka_unit_test(a_flush_can_be_read),
		cmocka_unit_test(names_that_do_not_work),
		cmocka_unit_test(dates_and_versions_are_no_suffixes),
		cmocka_unit_test(two_runs_do_not_mix),
		cmocka_unit_test(parts_that_are_no_files_are_refused),
		cmocka_unit_test(links_stay_links),
		cmocka_unit_test(devices_and_pipes_keep_their_names),
		cmocka_unit_test(standard_output),
		cmocka_unit_test(lines_by_callback),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
