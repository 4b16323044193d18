/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * block.h - lines on their way from a pen to the output.  Private to the room.
 *
 * A block of records knows where each of them ends, so that files can be split between any two.
 * What has been written of it is noted in it: writing that failed goes on where it was.
 */
#pragma once

#include "base/buf.h"

enum block_kind {
	BLOCK_RECORDS,
	BLOCK_HEAD, /* what files begin with from now on */
	BLOCK_NOTE, /* one line that is no record */
	BLOCK_TURN, /* nothing: the present file ends here */
	BLOCK_END,  /* the run's summary, or nothing for CSV */
};

struct block {
	struct block *next;
	enum block_kind kind;
	struct buf bytes;
	uint32_t *ends; /* where records end in 'bytes' */
	size_t records; /* that are in it */
	size_t lines;   /* that 'ends' has room for */
	size_t written; /* bytes, from the beginning */
	size_t whole;   /* records that end in them */
	int64_t put_ns; /* when it began to wait */
};

enum {
	BLOCK_BYTES = 256 << 10, /* handed on at once, at least */
	BLOCK_LONG = 4 << 20,    /* likewise past the page cache, where each write waits */
	BLOCK_SPARE = 128 << 10, /* what a format may ask for beyond what it then needs */
	BLOCK_LINES = 4096,
};

/* Room for 'lines' records, and for 'room' bytes at a page's start; it never moves when 'cap' is as
 * large, else it may grow up to that.  NULL: no memory. */
struct block *block_new(size_t lines, size_t room, size_t cap);
void block_free(struct block *b);

/* Takes the bytes written out of it, so that what is left stands at its beginning. */
void block_shift(struct block *b);

void block_clear(struct block *b);

/* Notes that 'size' more bytes are written; returns how many records that made whole. */
size_t block_advance(struct block *b, size_t size);

/* Goes back to the beginning of the record that is half written. */
void block_rewind(struct block *b);
