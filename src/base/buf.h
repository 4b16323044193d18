/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * buf.h - a byte buffer that grows up to a cap named when it is made.
 *
 * Appending past the cap (or without memory) makes a buffer fail: it keeps what
 * it has, ignores later appends, and buf_ok() is false.  A writer appends
 * straight through and asks once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *p;     /* the bytes; not terminated */
	size_t size; /* bytes in use */
	size_t room; /* bytes allocated */
	size_t cap;  /* never more than this */
	bool failed;
};

static inline struct buf buf_new(size_t cap)
{
	return (struct buf){ .cap = cap };
}

void buf_free(struct buf *b);

static inline bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

/* Makes room for 'n' more bytes; slow path of buf_reserve(). */
bool buf_grow(struct buf *b, size_t n);

/* Where the next 'n' bytes may be written, or NULL; buf_commit() says how many were. */
static inline char *buf_reserve(struct buf *b, size_t n)
{
	if (b->failed || (b->room - b->size < n && !buf_grow(b, n)))
		return NULL;
	return b->p + b->size;
}

static inline void buf_commit(struct buf *b, size_t n)
{
	b->size += n;
}

static inline void buf_bytes(struct buf *b, const void *bytes, size_t n)
{
	char *to = n > 0 ? buf_reserve(b, n) : NULL;

	if (to != NULL) {
		memcpy(to, bytes, n);
		b->size += n;
	}
}

static inline void buf_text(struct buf *b, const char *text)
{
	buf_bytes(b, text, strlen(text));
}

static inline void buf_byte(struct buf *b, char c)
{
	char *to = buf_reserve(b, 1);

	if (to != NULL) {
		*to = c;
		b->size++;
	}
}

void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Empties the buffer and forgives a failure; the memory stays. */
static inline void buf_clear(struct buf *b)
{
	b->size = 0;
	b->failed = false;
}
