/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sink.c - records into a buffer of whole lines, the buffer into a file, pipe or callback.
 *
 * Records are written straight into the buffer, which is handed on when it is full enough, so each
 * write begins and ends with a line.  Only a long plain file is written in whole pages behind its
 * beginning, past the page cache; its last part goes through the cache again.  When a write fails
 * half way, a regular file is cut back to its last whole line; a compressed one to the last flush,
 * where it gets a proper end.
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
	DIRECT_BYTES = 1 << 20,  /* the same, past the page cache */
	CACHED_BYTES = 16 << 20, /* of a plain file: short ones stay near for who reads them next */
	LINES = 4 * FILE_PAGE,   /* in the buffer at once: more than fit into what stays there */
	SPARE_BYTES = 128 << 10, /* what a format may ask for beyond what it then needs */
	ROOM = DIRECT_BYTES + LIMIT_RECORD_BYTES + SPARE_BYTES,
	PACKED_ROOM = DRAIN_BYTES + SPARE_BYTES + 2 * LIMIT_RECORD_BYTES,
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
	struct buf out;       /* not yet handed on; at a page's start, and never moves */
	struct buf packed;    /* what compressing it gave */
	uint32_t ends[LINES]; /* where lines end in 'out' */
	size_t end_count;
	uint64_t records, refused;
	uint64_t handed; /* bytes handed on */
	size_t half;     /* of them behind the last whole line */
	uint64_t head;   /* lines before the first record: configuration or CSV's header */
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
		.out = { .p = aligned_alloc(FILE_PAGE, ROOM), .room = ROOM, .cap = ROOM },
		.packed = buf_new(PACKED_ROOM) };
	s->target.path = NULL;
	if (target->cached == 0)
		s->target.cached = CACHED_BYTES;
	if (target->line == NULL && !open_file(s, target->path, e)) {
		sink_free(s);
		return NULL;
	}
	if (s->out.p == NULL) {
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

/* The first 'size' bytes of the buffer are handed on: the lines that end in them are whole there.
 */
static void hand_on(struct sink *s, size_t size)
{
	size_t lines = 0;

	while (lines < s->end_count && s->ends[lines] <= size)
		lines++;
	s->half = lines > 0 ? size - s->ends[lines - 1] : s->half + size;
	s->last.lines += lines;
	s->end_count -= lines;
	for (size_t i = 0; i < s->end_count; i++)
		s->ends[i] = s->ends[i + lines] - (uint32_t)size;
	s->handed += size;
	s->out.size -= size;
	memmove(s->out.p, s->out.p + size, s->out.size);
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

static bool write_plain(struct sink *s, size_t size, struct err *e)
{
	const size_t written = file_write(&s->file, s->out.p, size);
	const int why = errno;

	hand_on(s, written);
	if (written == size)
		return true;
	file_cut(&s->file, s->half);
	return fail(s, strerror(why), s->last.lines, e);
}

/* Past the page cache go whole pages; 'all': the rest follows, through the cache. */
static bool write_pages(struct sink *s, bool all, struct err *e)
{
	const size_t rest = (s->handed + s->out.size) % FILE_PAGE;

	if (s->handed % FILE_PAGE != 0)
		file_direct(&s->file, false);
	if (rest < s->out.size && !write_plain(s, s->out.size - rest, e))
		return false;
	if (!all || s->out.size == 0)
		return true;
	file_direct(&s->file, false);
	return write_plain(s, s->out.size, e);
}

static bool drain_plain(struct sink *s, bool all, struct err *e)
{
	if (s->handed + s->out.size <= s->target.cached || !file_direct(&s->file, true))
		return write_plain(s, s->out.size, e);
	return write_pages(s, all, e);
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
	s->last.mark = compress_mark(s->compress);
	s->last.bytes = s->packed.size;
	s->last.valid = true;
	hand_on(s, s->out.size);
	return true;
}

static bool call_back(struct sink *s, struct err *e)
{
	if (!s->target.line(s->target.ctx, s->out.p, s->out.size))
		return fail(s, "the receiver asked to stop", s->last.lines, e);
	hand_on(s, s->out.size);
	return true;
}

/* Hands on what is in the buffer; not 'all': less than a page may stay. */
static bool drain(struct sink *s, bool all, struct err *e)
{
	if (s->out.size == 0)
		return true;
	if (s->target.line != NULL)
		return call_back(s, e);
	return s->compress != NULL ? write_compressed(s, e) : drain_plain(s, all, e);
}

/* A callback gets every line by itself, and who watches a terminal wants it now. */
static bool drain_if_due(struct sink *s, struct err *e)
{
	const size_t due = s->file.direct ? DIRECT_BYTES : DRAIN_BYTES;

	if (s->out.size < due && s->end_count < LINES && s->target.line == NULL &&
			!s->file.terminal)
		return true;
	return drain(s, false, e);
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
	if (s->out.size > begin)
		s->ends[s->end_count++] = (uint32_t)s->out.size;
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

bool sink_record(struct sink *s, const void *const *data, struct err *e)
{
	const size_t begin = s->out.size;

	if (s->failed)
		return tell(s, e);
	s->format->record(s->plan, data, &s->out);
	if (!buf_ok(&s->out) || s->out.size - begin > LIMIT_RECORD_BYTES) {
		s->out.failed = false;
		s->out.size = begin;
		s->refused++;
		return true;
	}
	s->records++;
	return end_line(s, begin, e);
}

bool sink_flush(struct sink *s, struct err *e)
{
	return s->failed ? tell(s, e) : drain(s, true, e);
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
	if (!drain(s, true, e))
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
	return s->handed + s->out.size;
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
