/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rd.h - read untrusted bytes from front to back, never past the end.
 *
 * Asking for more than is left makes a reader fail: it becomes { NULL, 0 } and
 * every later read gives 0 or a failed reader.  So a parser reads straight
 * through and asks rd_ok() once.  A reader owns nothing and is copied freely:
 * pass it by value to look, by pointer to consume.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
	const uint8_t *p; /* next byte; NULL once failed */
	size_t left;      /* bytes that may be read from p */
};

static inline bool rd_ok(const struct rd *r)
{
	return r->p != NULL;
}

static inline bool rd_more(const struct rd *r)
{
	return r->left > 0;
}

/* Takes the next 'n' bytes as a reader of their own, which cannot see past them. */
static inline struct rd rd_bytes(struct rd *r, size_t n)
{
	struct rd part = { r->p, n };

	if (r->p == NULL || n > r->left)
		return *r = (struct rd){ NULL, 0 };
	*r = (struct rd){ r->p + n, r->left - n };
	return part;
}

/* Reads an unsigned big-endian number of 'n' bytes, at most 8. */
static inline uint64_t rd_uint(struct rd *r, size_t n)
{
	struct rd part = rd_bytes(r, n);
	uint64_t v = 0;

	for (size_t i = 0; i < part.left; i++)
		v = v << 8 | part.p[i];
	return v;
}

static inline uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)rd_uint(r, 1);
}

static inline uint16_t rd_u16(struct rd *r)
{
	return (uint16_t)rd_uint(r, 2);
}

static inline uint32_t rd_u32(struct rd *r)
{
	return (uint32_t)rd_uint(r, 4);
}

/* Takes a block that starts with its own length in 'n' bytes. */
static inline struct rd rd_block(struct rd *r, size_t n)
{
	return rd_bytes(r, (size_t)rd_uint(r, n));
}

/* The first 'n' bytes, or all there are when fewer are left; consumes nothing. */
static inline struct rd rd_first(struct rd r, size_t n)
{
	return (struct rd){ r.p, r.left < n ? r.left : n };
}
