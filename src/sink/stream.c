/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream.c - blocks into a file: as they are, past the page cache, or compressed.
 *
 * Only a long plain file is written in whole pages behind its beginning, past the page cache; its
 * last part goes through the cache again.  What is compressed is flushed after each block, so that
 * it can be cut there and given a proper end.
 */
#include "sink/stream.h"

#include "base/limits.h"

#include <errno.h>

enum { PENDING_BYTES = BLOCK_BYTES + BLOCK_SPARE + 2 * LIMIT_RECORD_BYTES };

bool stream_begin(struct stream *st, enum compress_kind kind, uint64_t cached)
{
	const struct file file = st->file;
	struct err ignored;

	stream_reset(st);
	st->file = file;
	st->kind = kind;
	st->cached = cached;
	st->pending.cap = PENDING_BYTES;
	st->last.valid = kind == COMPRESS_NONE;
	if (kind != COMPRESS_NONE) {
		st->compress = compress_new(kind, &ignored);
		st->why = ENOMEM;
	}
	return kind == COMPRESS_NONE || st->compress != NULL;
}

/* All that was compressed so far is written: the output can be cut here. */
static void note_flush(struct stream *st)
{
	st->before = st->last;
	st->last = (struct point){ compress_mark(st->compress), st->size,
		st->last.records + st->fresh, true };
	st->fresh = 0;
}

bool stream_push(struct stream *st)
{
	const size_t size = st->pending.size - st->pushed;

	if (size == 0)
		return true;

	const size_t n = file_write(&st->file, st->pending.p + st->pushed, size);

	st->why = errno;
	st->size += n;
	st->pushed += n;
	if (n < size)
		return false;
	buf_clear(&st->pending);
	st->pushed = 0;
	if (st->compress == NULL)
		st->last.size = st->size;
	else if (!st->ended)
		note_flush(st);
	return true;
}

static bool no_memory(struct stream *st)
{
	st->why = ENOMEM;
	return false;
}

/* --- plain --------------------------------------------------------------------------------------
 */

static bool write_some(struct stream *st, struct block *b, size_t size)
{
	const size_t n = file_write(&st->file, b->bytes.p + b->written, size);

	st->why = errno;
	st->size += n;

	const size_t records = block_advance(b, n);

	if (records > 0) {
		st->last.size = st->size - (b->written - b->ends[b->whole - 1]);
		st->last.records += records;
	}
	return n == size;
}

/* Past the page cache go whole pages; 'all': the rest follows, through the cache. */
static bool write_pages(struct stream *st, struct block *b, size_t size, bool all)
{
	const size_t rest = (st->size + size) % FILE_PAGE;

	if (st->size % FILE_PAGE != 0)
		file_direct(&st->file, false);
	if (rest < size && !write_some(st, b, size - rest))
		return false;
	if (!all || rest == 0)
		return true;
	file_direct(&st->file, false);
	return write_some(st, b, rest < size ? rest : size);
}

static bool write_plain(struct stream *st, struct block *b, size_t size, bool all)
{
	if (st->size + size <= st->cached || !file_direct(&st->file, true))
		return write_some(st, b, size);
	return write_pages(st, b, size, all);
}

/* --- either -------------------------------------------------------------------------------------
 */

/* The block counts as written when it is compressed: what the disk does not take is pending. */
static bool write_packed(struct stream *st, struct block *b, size_t size)
{
	if (!compress_add(st->compress, b->bytes.p + b->written, size, &st->pending))
		return no_memory(st);
	st->fresh += block_advance(b, size);
	return stream_push(st);
}

bool stream_block(struct stream *st, struct block *b, size_t end, bool all)
{
	const size_t size = end - b->written;

	return st->compress != NULL ? write_packed(st, b, size) : write_plain(st, b, size, all);
}

bool stream_line(struct stream *st, const struct buf *line)
{
	if (line->size == 0)
		return true;
	if (st->compress != NULL) {
		if (!compress_add(st->compress, line->p, line->size, &st->pending))
			return no_memory(st);
		return stream_push(st);
	}
	buf_bytes(&st->pending, line->p, line->size);
	return buf_ok(&st->pending) ? stream_push(st) : no_memory(st);
}

bool stream_end(struct stream *st)
{
	if (st->compress == NULL)
		return true;
	st->ended = true;
	return compress_end(st->compress, &st->pending) ? stream_push(st) : no_memory(st);
}

/* --- giving up ----------------------------------------------------------------------------------
 */

static bool go_back(struct stream *st, const struct point *to)
{
	const uint64_t behind = st->size - to->size;

	/* a write that failed may have made the file longer all the same */
	if (!file_cut(&st->file, (size_t)behind) && behind > 0)
		return false;
	st->size = to->size;
	return true;
}

/* Puts the end of the compressed stream behind a point, or nothing. */
static bool end_at(struct stream *st, const struct point *point)
{
	buf_clear(&st->pending);
	compress_tail(st->kind, point->mark, &st->pending);

	const size_t n = file_write(&st->file, st->pending.p, st->pending.size);

	if (n == st->pending.size)
		return true;
	file_cut(&st->file, n);
	return false;
}

uint64_t stream_give_up(struct stream *st)
{
	if (!go_back(st, &st->last) || st->compress == NULL || !st->last.valid)
		return st->last.records;
	if (end_at(st, &st->last))
		return st->last.records;
	/* not even the end fits: give up what came last */
	if (st->before.valid && go_back(st, &st->before)) {
		end_at(st, &st->before);
		return st->before.records;
	}
	return st->last.records;
}

void stream_reset(struct stream *st)
{
	compress_free(st->compress);
	buf_clear(&st->pending);
	*st = (struct stream){ .file = { .fd = -1 }, .pending = st->pending };
}

void stream_free(struct stream *st)
{
	compress_free(st->compress);
	buf_free(&st->pending);
	*st = (struct stream){ .file = { .fd = -1 } };
}
