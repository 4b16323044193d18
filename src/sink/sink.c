/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sink.c - records into a buffer of whole lines, the buffer into a file, pipe or callback.
 *
 * Records are written straight into the buffer, which is handed on when it is full enough, so each
 * write begins and ends with a line.  When a write fails half way, a regular file is cut back to
 * its last whole line; a compressed one to the last flush, where it gets a proper end.
 */
#include "sink/sink.h"

#include "base/limits.h"
#include "sink/file.h"
#include "sink/suffix.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
	DRAIN_BYTES = 256 << 10, /* handed on at once, at least */
	FIRST_ROOM = DRAIN_BYTES + (128 << 10),
};

/* A state of the output that can be come back to. */
struct point {
	struct compress_mark mark;
	size_t bytes;   /* written since the point before */
	uint64_t lines; /* whole in the output */
	bool valid;
};

struct sink {
	struct sink_target target;
	const struct plan *plan;
	const struct format *format;
	enum compress_kind compression;
	struct compress *compress; /* NULL: plain */
	struct file file;
	struct buf out;    /* whole lines, not yet handed on */
	struct buf packed; /* what compressing them gave */
	uint64_t records, bytes, refused;
	uint64_t lines; /* accepted */
	uint64_t head;  /* of them before the first record: configuration or CSV's header */
	struct point last, before;
	bool failed;
	struct err why;
};

/* --- opening ------------------------------------------------------------------------------------
 */

static bool open_file(struct sink *s, const char *path, struct err *e)
{
	struct suffix suffix;

	if (path == NULL)
		path = "-";
	if (!suffix_parse(path, file_what(path) != FILE_REGULAR, &suffix, e))
		return false;
	s->format = suffix.format;
	s->compression = suffix.compression;
	if (s->compression != COMPRESS_NONE) {
		s->compress = compress_new(s->compression, e);
		if (s->compress == NULL)
			return false;
	}
	return file_open(&s->file, path, e);
}

struct sink *sink_open(const struct sink_target *target, const struct plan *plan, struct err *e)
{
	struct sink *s = calloc(1, sizeof *s);

	if (s == NULL) {
		err_set(e, "no memory to write records");
		return NULL;
	}
	*s = (struct sink){ .target = *target,
		.plan = plan,
		.format = format_list[0],
		.file = { .fd = -1 },
		.out = buf_new(FIRST_ROOM + (size_t)LIMIT_RECORD_BYTES),
		.packed = buf_new(FIRST_ROOM + 2 * (size_t)LIMIT_RECORD_BYTES) };
	s->target.path = NULL;
	if (target->line == NULL && !open_file(s, target->path, e)) {
		sink_free(s);
		return NULL;
	}
	if (buf_reserve(&s->out, FIRST_ROOM) == NULL) {
		err_set(e, "no memory to write records");
		sink_free(s);
		return NULL;
	}
	return s;
}

/* --- handing on ---------------------------------------------------------------------------------
 */

static bool tell(const struct sink *s, struct err *e)
{
	return err_set(e, "%s", s->why.text);
}

/* Records among the first 'lines' lines. */
static uint64_t records_in(const struct sink *s, uint64_t lines)
{
	const uint64_t records = lines > s->head ? lines - s->head : 0;

	return records < s->records ? records : s->records;
}

/* The first failure stays. */
static bool fail(struct sink *s, const char *reason, uint64_t lines, struct err *e)
{
	const char *name = s->target.line != NULL ? "records" : file_name(&s->file);

	s->failed = true;
	err_set(&s->why, "cannot write %s: %s; %" PRIu64 " of %" PRIu64 " records are whole there",
			name, reason, records_in(s, lines), s->records);
	return tell(s, e);
}

/* Keeps the whole lines among the 'written' bytes of the buffer; returns how many lines that makes.
 */
static uint64_t keep_lines(struct sink *s, size_t written)
{
	uint64_t lines;
	const size_t whole = s->format->whole(s->out.p, written, &lines);

	file_cut(&s->file, written - whole);
	return s->last.lines + lines;
}

/* Goes back to a point and ends the stream there. */
static bool end_at(struct sink *s, const struct point *point)
{
	s->packed.size = 0;
	compress_tail(s->compression, point->mark, &s->packed);

	const size_t written = file_write(&s->file, s->packed.p, s->packed.size);

	if (written == s->packed.size)
		return true;
	file_cut(&s->file, written);
	return false;
}

/* Cuts a compressed file, of which 'written' bytes are behind the last point; returns its lines. */
static uint64_t keep_points(struct sink *s, size_t written)
{
	if (!file_cut(&s->file, written) || !s->last.valid)
		return s->last.lines;
	if (end_at(s, &s->last))
		return s->last.lines;
	/* not even the end fits: give up what came last */
	if (s->before.valid && file_cut(&s->file, s->last.bytes)) {
		end_at(s, &s->before);
		return s->before.lines;
	}
	return s->last.lines;
}

static bool write_plain(struct sink *s, struct err *e)
{
	const size_t written = file_write(&s->file, s->out.p, s->out.size);
	const int why = errno;

	return written == s->out.size || fail(s, strerror(why), keep_lines(s, written), e);
}

/* Writes s->packed. */
static bool write_packed(struct sink *s, struct err *e)
{
	const size_t written = file_write(&s->file, s->packed.p, s->packed.size);
	const int why = errno;

	return written == s->packed.size || fail(s, strerror(why), keep_points(s, written), e);
}

static bool write_compressed(struct sink *s, struct err *e)
{
	s->packed.size = 0;
	if (!compress_add(s->compress, s->out.p, s->out.size, &s->packed))
		return fail(s, "no memory", keep_points(s, 0), e);
	if (!write_packed(s, e))
		return false;
	s->before = s->last;
	s->last = (struct point){ compress_mark(s->compress), s->packed.size, s->lines, true };
	return true;
}

/* Hands on what is in the buffer: whole lines. */
static bool drain(struct sink *s, struct err *e)
{
	if (s->out.size == 0)
		return true;
	if (s->target.line != NULL) {
		if (!s->target.line(s->target.ctx, s->out.p, s->out.size))
			return fail(s, "the receiver asked to stop", s->last.lines, e);
	} else if (s->compress != NULL) {
		if (!write_compressed(s, e))
			return false;
	} else if (!write_plain(s, e)) {
		return false;
	}
	s->last.lines = s->lines;
	s->out.size = 0;
	return true;
}

/* A callback gets every line by itself, and who watches a terminal wants it now. */
static bool drain_if_due(struct sink *s, struct err *e)
{
	if (s->out.size < DRAIN_BYTES && s->target.line == NULL && !s->file.terminal)
		return true;
	return drain(s, e);
}

/* --- lines --------------------------------------------------------------------------------------
 */

/* The line that 'begin' bytes were in the buffer before is done. */
static bool end_line(struct sink *s, size_t begin, struct err *e)
{
	if (!buf_ok(&s->out)) {
		s->out.failed = false;
		s->out.size = begin;
		return fail(s, "no memory", s->last.lines, e);
	}
	s->bytes += s->out.size - begin;
	s->lines += s->out.size > begin;
	return drain_if_due(s, e);
}

bool sink_begin(struct sink *s, const struct buf *configuration, struct err *e)
{
	const size_t begin = s->out.size;

	if (s->failed)
		return tell(s, e);
	s->format->begin(s->plan, configuration, &s->out);
	s->head = s->out.size > begin;
	return end_line(s, begin, e);
}

/* A record that did not fit: memory or its size?  If room for the longest can be had, it was its
 * size. */
static bool refuse(struct sink *s, struct err *e)
{
	if (buf_reserve(&s->out, LIMIT_RECORD_BYTES) == NULL) {
		s->out.failed = false;
		return fail(s, "no memory", s->last.lines, e);
	}
	s->refused++;
	return true;
}

bool sink_record(struct sink *s, const void *const *data, struct err *e)
{
	const size_t begin = s->out.size;

	if (s->failed)
		return tell(s, e);
	s->format->record(s->plan, data, &s->out);
	if (!buf_ok(&s->out)) {
		s->out.failed = false;
		s->out.size = begin;
		return refuse(s, e);
	}
	s->records++;
	return end_line(s, begin, e);
}

bool sink_flush(struct sink *s, struct err *e)
{
	return s->failed ? tell(s, e) : drain(s, e);
}

bool sink_end(struct sink *s, const struct buf *summary, struct err *e)
{
	const size_t begin = s->out.size;

	if (s->failed)
		return tell(s, e);
	s->format->end(summary, &s->out);
	return end_line(s, begin, e);
}

/* --- closing ------------------------------------------------------------------------------------
 */

static bool finish(struct sink *s, struct err *e)
{
	if (s->failed)
		return tell(s, e);
	if (!drain(s, e))
		return false;
	if (s->compress == NULL)
		return true;
	s->packed.size = 0;
	if (!compress_end(s->compress, &s->packed))
		return fail(s, "no memory", s->last.lines, e);
	return write_packed(s, e);
}

bool sink_close(struct sink *s, bool whole, struct err *e)
{
	const bool is_open = s->file.fd >= 0 || s->target.line != NULL;
	const bool done = !is_open || finish(s, e);

	return file_close(&s->file, whole && done, done ? e : NULL) && done;
}

uint64_t sink_records(const struct sink *s)
{
	return s->records;
}

uint64_t sink_bytes(const struct sink *s)
{
	return s->bytes;
}

uint64_t sink_refused(const struct sink *s)
{
	return s->refused;
}

void sink_free(struct sink *s)
{
	if (s == NULL)
		return;
	sink_close(s, false, NULL);
	file_free(&s->file);
	compress_free(s->compress);
	buf_free(&s->out);
	buf_free(&s->packed);
	free(s);
}
