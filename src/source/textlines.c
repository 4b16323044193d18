/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * textlines.c - files one after the other, unpacked, cut at newlines.
 *
 * A named file that is something else has failed; one that was merely found in a folder is passed
 * over with a warning.  What cannot be opened twice (pipes) stays open from textlines_heads() on,
 * with its first line at hand.
 */
#include "source/textlines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "source/decoder.h"
#include "source/format.h"
#include "source/kind.h"
#include "source/memory.h"
#include "source/paths.h"
#include "source/tell.h"

enum { TOLD = 8 /* lines of a file */, MAGIC = 4, LOOK = 512 };

struct textlines {
	struct textlines_conf conf;
	struct paths paths;
	struct input **held; /* of each path: opened before its turn; NULL */
	struct rd memory;    /* instead of paths */
	size_t memory_step;
	struct source_progress progress;
	uint64_t bytes_before; /* of the files that are done */

	/* the file being read */
	const struct paths_entry *entry;
	struct input *in; /* NULL between files */
	uint64_t offset;  /* of the line that was read last */
	uint64_t lines;   /* handed out */
	uint64_t refused; /* of them */
};

static bool stopped(const struct textlines *t)
{
	return t->conf.stopped != NULL && t->conf.stopped(t->conf.ctx);
}

/* --- telling ------------------------------------------------------------------------------- */

static void tell(struct textlines *t, enum source_trouble what, int64_t offset, const char *format,
		...) __attribute__((format(printf, 4, 5)));

static void tell(struct textlines *t, enum source_trouble what, int64_t offset, const char *format,
		...)
{
	char text[TELL_LINE];
	va_list args;

	va_start(args, format);
	tell_line(text, format, args);
	va_end(args);
	if (!stopped(t)) /* an end that we made is no trouble */
		t->conf.trouble(t->conf.ctx,
				&(struct source_report){ what, tell_name(t->entry), offset, text });
}

static const char *unpacked(const struct textlines *t)
{
	return t->in->below != NULL ? " of the unpacked data" : "";
}

void textlines_refuse(struct textlines *t, size_t at, const char *why)
{
	const uint64_t offset = t->offset + at;

	if (t->refused++ < TOLD)
		tell(t, SOURCE_DAMAGED, (int64_t)offset,
				"%s: %s at offset %llu%s; this line is left out",
				tell_name(t->entry), why, (unsigned long long)offset, unpacked(t));
}

/* What there is to say about a file that was read. */
static void tell_ending(struct textlines *t)
{
	const struct input *fault = input_fault(t->in);
	const char *name = tell_name(t->entry);

	if (t->refused == t->lines && t->lines > 0)
		tell(t, SOURCE_FAILED, -1, "%s holds no %s", name, t->conf.what);
	else if (t->refused > TOLD)
		tell(t, SOURCE_DAMAGED, -1, "%s: %llu of %llu lines are no %s and were left out",
				name, (unsigned long long)t->refused, (unsigned long long)t->lines,
				t->conf.what);
	if (fault != NULL && fault->minor)
		tell(t, SOURCE_WARNING, -1, "%s: %s", name, fault->fault.text);
	else if (fault != NULL)
		tell(t, SOURCE_DAMAGED, (int64_t)input_offset(t->in),
				"%s: %s at offset %llu; the %llu lines before were read", name,
				fault->fault.text, (unsigned long long)input_used(t->in),
				(unsigned long long)t->lines);
}

/* --- one file ------------------------------------------------------------------------------ */

/* A pipe is being waited for. */
static bool wait_stopped(void *ctx)
{
	const struct textlines *t = ctx;

	if (t->conf.idle != NULL)
		t->conf.idle(t->conf.ctx);
	return stopped(t);
}

static struct input *open_bytes(
		struct textlines *t, const struct paths_entry *entry, struct err *why)
{
	struct input_stop stop = { wait_stopped, t };
	struct input *in = NULL;

	if (entry->trouble != NULL)
		err_set(why, "%s", entry->trouble);
	else if (t->memory.p == NULL)
		in = input_open(entry->path, entry->in_folder, &stop, why);
	else if ((in = input_memory(t->memory.p, t->memory.left, t->memory_step)) == NULL)
		err_set(why, "no memory");
	if (in == NULL || decoder_unwrap(&in, why))
		return in;
	input_close(in);
	return NULL;
}

/* The input of a file at its first byte, opened now or before. */
static struct input *open_entry(struct textlines *t, size_t i, struct err *why)
{
	struct input *in = t->held[i];

	t->held[i] = NULL;
	return in != NULL ? in : open_bytes(t, &t->paths.list[i], why);
}

/* Some editors begin a text with it. */
static void pass_byte_order_mark(struct input *in)
{
	if (input_need(in, 3) >= 3 && memcmp(in->at, "\xef\xbb\xbf", 3) == 0)
		in->at += 3;
}

static bool begins_well(const struct textlines *t, struct input *in)
{
	struct rd r;

	input_need(in, 1);
	for (r = rd_first(input_rd(in), LOOK); rd_more(&r); rd_bytes(&r, 1))
		if (strchr(" \t\r\n", *r.p) == NULL)
			return *r.p == (uint8_t)t->conf.opens;
	return false;
}

/* Is it a file that may hold what was expected?  False: 'why' says what it is. */
static bool is_expected(const struct textlines *t, struct input *in, struct err *why)
{
	const struct input *fault = input_fault(in);
	char kind[KIND_TEXT];

	if (begins_well(t, in))
		return true;
	if (fault != NULL && input_at_hand(in) == 0)
		return err_set(why, "cannot be read: %s", fault->fault.text);
	input_need(in, MAGIC);
	if (format_find(rd_first(input_rd(in), MAGIC)) != NULL)
		return err_set(why, "holds no %s: it is a capture", t->conf.what);
	/* text that was named may be one whose beginning is lost */
	if (!t->entry->in_folder && input_at_hand(in) > 0 && kind_is_text(in))
		return true;
	kind_describe(in, kind);
	return err_set(why, "holds no %s: it is %s", t->conf.what, kind);
}

static void file_done(struct textlines *t)
{
	t->progress.files_done++;
	t->in = NULL;
}

static bool open_file(struct textlines *t)
{
	const size_t i = t->progress.files_done;
	struct err why = { "" };

	t->entry = &t->paths.list[i];
	t->progress.file = tell_name(t->entry);
	t->lines = t->refused = 0;
	t->in = open_entry(t, i, &why);
	if (t->in != NULL) {
		pass_byte_order_mark(t->in);
		if (is_expected(t, t->in, &why))
			return true;
	}
	if (t->in != NULL && t->entry->in_folder)
		tell(t, SOURCE_WARNING, -1, "%s %s; passed over", t->progress.file, why.text);
	else
		tell(t, SOURCE_FAILED, -1, "%s %s", t->progress.file, why.text);
	t->bytes_before += t->entry->size;
	input_close(t->in);
	file_done(t);
	return false;
}

static void close_file(struct textlines *t)
{
	tell_ending(t);
	t->bytes_before += t->entry->size > 0 ? t->entry->size : input_used(t->in);
	input_close(t->in);
	file_done(t);
}

/* --- lines --------------------------------------------------------------------------------- */

/*
 * Brings a whole line to hand and says how many bytes it has, with its newline; 0 at the end.
 * Longer ones than a record may be come in pieces.
 */
static size_t line_size(struct input *in)
{
	for (size_t looked = 0;;) {
		const struct rd r = input_rd(in);
		const uint8_t *end = memchr(r.p + looked, '\n', r.left - looked);

		if (end != NULL)
			return (size_t)(end - r.p) + 1;
		looked = r.left;
		if (looked > LIMIT_RECORD_BYTES || input_need(in, looked + 1) == looked)
			return looked;
	}
}

static bool is_blank(struct rd r)
{
	while (rd_more(&r) && (*r.p == ' ' || *r.p == '\t' || *r.p == '\r'))
		rd_bytes(&r, 1);
	return !rd_more(&r);
}

/* Passes over the rest of a line whose beginning is too long. */
static void refuse_long(struct textlines *t)
{
	t->lines++;
	textlines_refuse(t, 0, "a line is longer than 64 MiB");
	for (size_t size; (size = line_size(t->in)) > 0;) {
		t->in->at += size;
		if (t->in->at[-1] == '\n')
			return;
	}
}

_Static_assert(LIMIT_RECORD_BYTES == 64 << 20, "refuse_long() says so");

/* The next line of the file; false at its end. */
static bool next_in_file(struct textlines *t, struct textline *line)
{
	for (size_t size; (size = line_size(t->in)) > 0;) {
		struct rd r = rd_first(input_rd(t->in), size);

		t->offset = input_offset(t->in);
		t->in->at += size;
		line->ended = r.p[size - 1] == '\n';
		if (!line->ended && size > LIMIT_RECORD_BYTES) {
			refuse_long(t);
			continue;
		}
		if (!line->ended && input_fault(t->in) != NULL && !input_fault(t->in)->minor)
			return false; /* what is wrong is told at the end */
		r.left -= line->ended;
		if (is_blank(r))
			continue;
		line->bytes = r;
		line->offset = t->offset;
		return true;
	}
	return false;
}

bool textlines_next(struct textlines *t, struct textline *line)
{
	for (;;) {
		if (t->in == NULL) {
			if (t->progress.files_done == t->paths.count || stopped(t))
				return false;
			if (!open_file(t))
				continue;
		}
		if (next_in_file(t, line)) {
			line->file = t->progress.file;
			t->lines++;
			t->progress.packets++;
			return true;
		}
		close_file(t);
	}
}

/* --- the run ------------------------------------------------------------------------------- */

static struct textlines *prepare(struct textlines *t, const char *const *paths, size_t count,
		const struct textlines_conf *conf, struct err *e)
{
	if (t == NULL) {
		err_set(e, "no memory for a list of files");
		return NULL;
	}
	t->conf = *conf;
	if (!paths_expand(&t->paths, paths, count, e)) {
		free(t);
		return NULL;
	}
	t->held = calloc(t->paths.count + 1, sizeof(*t->held));
	if (t->held == NULL) {
		err_set(e, "no memory for a list of files");
		textlines_free(t);
		return NULL;
	}
	t->progress.files_total = t->paths.count;
	t->progress.bytes_total = t->paths.endless ? 0 : t->paths.bytes;
	return t;
}

struct textlines *textlines_new(const char *const *paths, size_t count,
		const struct textlines_conf *conf, struct err *e)
{
	return prepare(calloc(1, sizeof(struct textlines)), paths, count, conf, e);
}

struct textlines *textlines_new_memory(const void *bytes, size_t size, size_t step,
		const struct textlines_conf *conf, struct err *e)
{
	static const char *const name = "-";
	struct textlines *t = textlines_new(&name, 1, conf, e);

	if (t != NULL) {
		t->memory = (struct rd){ bytes, size };
		t->memory_step = step;
	}
	return t;
}

void textlines_free(struct textlines *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; t->held != NULL && i < t->paths.count; i++)
		input_close(t->held[i]);
	free(t->held);
	input_close(t->in);
	paths_destroy(&t->paths);
	free(t);
}

/* Of a file that is open and at its beginning; nothing is taken. */
static struct rd first_line(struct input *in)
{
	size_t size;

	pass_byte_order_mark(in);
	size = line_size(in);
	return rd_first(input_rd(in), size);
}

void textlines_heads(struct textlines *t, void (*head)(void *ctx, struct rd first_line), void *ctx)
{
	for (size_t i = 0; i < t->paths.count; i++) {
		const struct paths_entry *entry = &t->paths.list[i];
		struct err why; /* told when it is read */
		struct input *in = open_bytes(t, entry, &why);
		struct rd line;

		if (in == NULL)
			continue;
		line = first_line(in);
		if (rd_more(&line))
			head(ctx, line);
		if (entry->size == 0 && !entry->in_folder)
			t->held[i] = in;
		else
			input_close(in);
	}
}

struct source_progress textlines_progress(const struct textlines *t)
{
	struct source_progress p = t->progress;

	p.bytes_read = t->bytes_before;
	if (t->in != NULL)
		p.bytes_read += input_used(t->in);
	return p;
}
