/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_textlines.c - lines of files as one stream: cut anywhere, packed, damaged; first lines
 * before all others.
 */
#include <fcntl.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "source/textlines.h"
#include "unit/list_kit.h"

enum { ROOM = 4096 };

struct run {
	char text[ROOM]; /* lines, each with a bar behind; a star before the bar: not ended */
	char told[ROOM]; /* troubles: kind, offset, words */
	char heads[ROOM];
	uint64_t last_offset;
	struct source_progress progress;
};

static void note(char *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(char *to, const char *format, ...)
{
	size_t used = strlen(to);
	va_list args;

	va_start(args, format);
	vsnprintf(to + used, ROOM - used, format, args);
	va_end(args);
}

static void on_trouble(void *ctx, const struct source_report *r)
{
	static const char *const names[] = { "warning", "damaged", "failed" };
	struct run *run = ctx;

	assert_memory_equal(r->text, r->file, strlen(r->file)); /* the words begin with it */
	note(run->told, "%s %lld%s\n", names[r->what], (long long)r->offset,
			r->text + strlen(r->file));
}

static void on_head(void *ctx, struct rd line)
{
	struct run *run = ctx;

	note(run->heads, "%.*s|", (int)line.left, (const char *)line.p);
}

/* Lines that begin with an exclamation mark are refused at their second byte. */
static void read_all(struct run *run, struct textlines *t)
{
	struct textline line;

	while (textlines_next(t, &line)) {
		if (line.bytes.left < 100)
			note(run->text, "%.*s", (int)line.bytes.left, (const char *)line.bytes.p);
		else
			note(run->text, "%zu", line.bytes.left);
		note(run->text, "%s|", line.ended ? "" : "*");
		run->last_offset = line.offset;
		if (line.bytes.p[0] == '!')
			textlines_refuse(t, 1, "no good");
	}
	assert_false(textlines_next(t, &line));
	run->progress = textlines_progress(t);
	textlines_free(t);
}

static struct textlines_conf conf_of(struct run *run)
{
	*run = (struct run){ .progress = { 0 } };
	return (struct textlines_conf){
		.what = "JSON lines", .opens = '{', .trouble = on_trouble, .ctx = run
	};
}

static void read_memory(struct run *run, const char *text, size_t step)
{
	const struct textlines_conf conf = conf_of(run);
	const size_t size = strlen(text);
	char *exact = memcpy(malloc(size + 1), text, size);

	exact = realloc(exact, size + !size);
	read_all(run, textlines_new_memory(exact, size, step, &conf, NULL));
	free(exact);
}

static void read_paths(struct run *run, const char *const *paths, size_t count)
{
	const struct textlines_conf conf = conf_of(run);
	struct textlines *t = textlines_new(paths, count, &conf, NULL);

	assert_non_null(t);
	textlines_heads(t, on_head, run);
	read_all(run, t);
}

static void read_path(struct run *run, const char *path)
{
	read_paths(run, &path, 1);
}

static void cuts_at_newlines(void **unused)
{
	struct run run;

	(void)unused;
	for (size_t step = 0; step < 20; step++) {
		read_memory(&run, "{a}\n{bb}\r\n\n  \t\r\n{c}\n", step);
		assert_string_equal(run.text, "{a}|{bb}\r|{c}|");
		assert_int_equal(run.last_offset, 16);
		assert_string_equal(run.told, "");
	}
	assert_int_equal(run.progress.packets, 3);
}

static void the_last_may_have_no_end(void **unused)
{
	struct run run;

	(void)unused;
	read_memory(&run, "{a}\n{b", 1);
	assert_string_equal(run.text, "{a}|{b*|");
}

static void passes_over_a_byte_order_mark(void **unused)
{
	struct run run;

	(void)unused;
	read_memory(&run, "\xef\xbb\xbf{a}\n", 1);
	assert_string_equal(run.text, "{a}|");
	assert_int_equal(run.last_offset, 3);
}

static void tells_what_is_refused(void **unused)
{
	struct run run;

	(void)unused;
	read_memory(&run, "{a}\n!bad\n{c}\n", 0);
	assert_string_equal(run.text, "{a}|!bad|{c}|");
	assert_string_equal(run.told, "damaged 5: no good at offset 5; this line is left out\n");
}

/* Damage without end has few lines in the log, and a sum. */
static void sums_up(void **unused)
{
	struct run run;
	char text[200] = "{a}\n";
	size_t lines = 0;

	(void)unused;
	for (int i = 0; i < 20; i++)
		note(text, "!\n");
	read_memory(&run, text, 0);
	for (const char *p = run.told; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, 9);
	assert_non_null(strstr(run.told, "damaged -1: 20 of 21 lines are no JSON lines and were "
					 "left out\n"));
}

static void nothing_but_refused_lines_is_no_file_of_them(void **unused)
{
	struct run run;

	(void)unused;
	read_memory(&run, "!\n", 0);
	assert_non_null(strstr(run.told, "failed -1 holds no JSON lines\n"));
}

static void other_files_have_failed(void **unused)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *told;
	} cases[] = {
		{ "", 0, "failed -1 holds no JSON lines: it is nothing (0 bytes)\n" },
		{ "\x89PNG\r\n\x1a\n", 8, "failed -1 holds no JSON lines: it is a PNG image\n" },
		{ "\xd4\xc3\xb2\xa1\2\0\4\0", 8,
				"failed -1 holds no JSON lines: it is a capture\n" },
	};
	struct run run;

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		read_path(&run, file_bytes("other", cases[i].bytes, cases[i].size));
		assert_string_equal(run.text, "");
		assert_string_equal(run.told, cases[i].told);
	}
	read_path(&run, "/nowhere/at/all");
	assert_string_equal(run.told, "failed -1 cannot be opened: No such file or directory\n");
	assert_string_equal(run.heads, "");
}

static const char *gzip_file(const char *name, const char *text)
{
	static char path[300];
	gzFile f;

	snprintf(path, sizeof path, "%s/%s", list_folder, name);
	f = gzopen(path, "wb");
	assert_non_null(f);
	gzwrite(f, text, (unsigned)strlen(text));
	gzclose(f);
	return path;
}

static void several_files_are_one_stream(void **unused)
{
	const char *paths[] = { file("one", "{1}\n{2}"), gzip_file("two.gz", "{3}\n{4}\n"),
		"/nowhere/at/all", file("three", "{5}\n") };
	struct run run;

	(void)unused;
	read_paths(&run, paths, 4);
	assert_string_equal(run.text, "{1}|{2}*|{3}|{4}|{5}|");
	assert_string_equal(run.heads, "{1}\n|{3}\n|{5}\n|");
	assert_int_equal(run.progress.files_done, 4);
	assert_int_equal(run.progress.bytes_read, run.progress.bytes_total);
}

static void packed_files_that_end_early(void **unused)
{
	char text[ROOM] = "", packed[ROOM];
	const char *path;
	struct run run;
	size_t size;
	FILE *f;

	(void)unused;
	for (int i = 0; i < 300; i++)
		note(text, "{%d}\n", i * i * 7919 % 10007);
	f = fopen(gzip_file("cut.gz", text), "r");
	size = fread(packed, 1, sizeof packed, f);
	fclose(f);
	path = file_bytes("cut.gz", packed, size - 40);
	read_path(&run, path);
	assert_non_null(strstr(run.told, ": gzip data ends too early at offset "));
	assert_memory_equal(run.told, "damaged ", 8);
	assert_memory_equal(run.text, "{0}|{7919}|", 11);
	assert_null(strchr(run.text, '*')); /* half a line is not handed out */
}

/* What stands in the folder beside the records is passed over. */
static void folders_hold_other_files_too(void **unused)
{
	struct run run;
	char folder[300];
	const char *path = folder;

	(void)unused;
	snprintf(folder, sizeof folder, "%s/folder", list_folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	file("folder/a.json", "{1}\n");
	file("folder/b.log", "a log\n");
	file("folder/c.json", "{2}\n");
	read_path(&run, path);
	assert_string_equal(run.text, "{1}|{2}|");
	assert_string_equal(run.heads, "{1}\n|a log\n|{2}\n|");
	assert_string_equal(run.told, "warning -1 holds no JSON lines: it is text; passed over\n");
}

/* A pipe is opened once: its first line is shown and then read. */
static void pipes_show_their_first_line(void **unused)
{
	const int before = dup(STDIN_FILENO);
	struct run run;
	int ends[2];

	(void)unused;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "{1}\n{2}\n", 8), 8);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	read_path(&run, "-");
	dup2(before, STDIN_FILENO);
	close(before);
	assert_string_equal(run.heads, "{1}\n|");
	assert_string_equal(run.text, "{1}|{2}|");
}

static void held_files_are_closed(void **unused)
{
	struct run run;
	const struct textlines_conf conf = conf_of(&run);
	struct textlines *t = textlines_new_memory("{1}\n", 4, 0, &conf, NULL);

	(void)unused;
	textlines_heads(t, on_head, &run);
	textlines_free(t);
	textlines_free(NULL);
}

static void lines_may_be_long(void **unused)
{
	const size_t sizes[] = { 262143, 262144, 262145, 3000000, LIMIT_RECORD_BYTES - 1 };
	struct run run;

	(void)unused;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char *text = malloc(sizes[i] + 6), expected[64];

		memset(text, '{', sizes[i]);
		memcpy(text + sizes[i], "\n{b}\n", 6);
		read_memory(&run, text, 100000);
		snprintf(expected, sizeof expected, "%zu|{b}|", sizes[i]);
		assert_string_equal(run.text, expected);
		free(text);
	}
}

static void lines_without_end_are_refused(void **unused)
{
	const size_t size = 3 * (size_t)LIMIT_RECORD_BYTES;
	char *text = malloc(size + 6);
	struct run run;

	(void)unused;
	memset(text, '{', size);
	memcpy(text + size, "\n{b}\n", 6);
	read_memory(&run, text, 0);
	assert_string_equal(run.text, "{b}|");
	assert_string_equal(run.told, "damaged 0: a line is longer than 64 MiB at offset 0; this "
				      "line is left out\n");
	free(text);
}

static bool always(void *ctx)
{
	(void)ctx;
	return true;
}

static void ends_when_asked(void **unused)
{
	const struct textlines_conf conf = { .what = "x", .opens = '{', .stopped = always };
	struct textlines *t = textlines_new_memory("{1}\n", 4, 0, &conf, NULL);
	struct textline line;

	(void)unused;
	assert_false(textlines_next(t, &line));
	textlines_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_at_newlines),
		cmocka_unit_test(the_last_may_have_no_end),
		cmocka_unit_test(passes_over_a_byte_order_mark),
		cmocka_unit_test(tells_what_is_refused),
		cmocka_unit_test(sums_up),
		cmocka_unit_test(nothing_but_refused_lines_is_no_file_of_them),
		cmocka_unit_test(other_files_have_failed),
		cmocka_unit_test(several_files_are_one_stream),
		cmocka_unit_test(packed_files_that_end_early),
		cmocka_unit_test(folders_hold_other_files_too),
		cmocka_unit_test(pipes_show_their_first_line),
		cmocka_unit_test(held_files_are_closed),
		cmocka_unit_test(lines_may_be_long),
		cmocka_unit_test(lines_without_end_are_refused),
		cmocka_unit_test(ends_when_asked),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
