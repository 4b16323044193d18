/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream.h - the bytes of one output, plain or compressed, and how to end them well after a
 * failure.  Private to the room.
 *
 * A write may fail half way and be tried again: stream_push() goes on where it was, or the block is
 * given again.  When that is given up, stream_give_up() goes back to the last point where all that
 * was written was whole.
 */
#pragma once

#include "sink/block.h"
#include "sink/compress.h"
#include "sink/file.h"

/* A state of the output that can be come back to. */
struct point {
	struct compress_mark mark;
	uint64_t size;    /* bytes of the output then */
	uint64_t records; /* whole in it: last.records is what the file holds for sure */
	bool valid;
};

struct stream {
	struct file file;
	enum compress_kind kind;
	struct compress *compress; /* NULL: plain */
	struct buf pending;        /* to be written before anything else */
	size_t pushed;             /* of it */
	uint64_t size;             /* bytes written */
	uint64_t cached;           /* bytes of a plain file before it goes past the page cache */
	uint64_t fresh;            /* records in what is pending */
	bool ended;                /* the end of a compressed stream is pending or written */
	struct point last, before;
	int why; /* errno of the last failure; ENOMEM: for good */
};

/* Makes ready for the bytes of a file that the caller has opened; false: no memory. */
bool stream_begin(struct stream *st, enum compress_kind kind, uint64_t cached);

/* Writes what is pending; false: not all, 'why' says why.  It must be done before the next three,
 * which take what they get, whether it can be written or becomes pending. */
bool stream_push(struct stream *st);

/* Writes lines that are no records; false: not all yet. */
bool stream_line(struct stream *st, const struct buf *line);

/*
 * Writes a block from b->written up to 'end', where a record ends.  Not 'all': the last bytes may
 * stay, for want of a whole page.  False: not all yet; what was taken is noted in the block.
 */
bool stream_block(struct stream *st, struct block *b, size_t end, bool all);

/* Puts the end of a compressed stream behind all, once; false: not all yet. */
bool stream_end(struct stream *st);

/* Cuts the output to what is whole and ends it; returns the records that are in it. */
uint64_t stream_give_up(struct stream *st);

/* For the next file; the file itself is closed by the caller. */
void stream_reset(struct stream *st);
void stream_free(struct stream *st);
