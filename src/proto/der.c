/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * der.c - DER elements.
 *
 *   | tag | length | value |
 *           0..127: one byte;  0x80 | n: n bytes of length follow
 */
#include "proto/der.h"

enum { TAG_LONG = 0x1f, LENGTH_LONG = 0x80, LENGTH_BYTES = 8 };

bool der_next(struct rd *r, struct der *d)
{
	const struct rd before = *r;
	size_t length;

	if (!rd_more(r))
		return false;
	d->tag = rd_u8(r);
	length = rd_u8(r);
	if ((length & LENGTH_LONG) != 0) {
		size_t bytes = length & ~(size_t)LENGTH_LONG;

		/* An indefinite length has no bytes: as a size it is one that nothing has. */
		length = bytes == 0 || bytes > LENGTH_BYTES ? SIZE_MAX : rd_uint(r, bytes);
	}
	if ((d->tag & TAG_LONG) == TAG_LONG)
		length = SIZE_MAX;
	d->value = rd_bytes(r, length);
	d->whole = rd_ok(r) ? rd_first(before, before.left - r->left) : *r;
	return rd_ok(r);
}

struct rd der_take(struct rd *r, uint8_t tag)
{
	struct der d;

	if (!der_next(r, &d) || d.tag != tag)
		return *r = (struct rd){ NULL, 0 };
	return d.value;
}

struct rd der_optional(struct rd *r, uint8_t tag)
{
	if (rd_more(r) && r->p[0] == tag)
		return der_take(r, tag);
	return (struct rd){ NULL, 0 };
}

uint32_t der_count(struct rd r)
{
	struct der d;
	uint32_t n = 0;

	while (der_next(&r, &d))
		n++;
	return n;
}

bool der_fits(struct rd r)
{
	struct der d;

	while (der_next(&r, &d))
		;
	return rd_ok(&r);
}

uint32_t der_bits(struct rd number)
{
	uint32_t bits = 0;

	while (rd_more(&number) && number.p[0] == 0)
		rd_u8(&number);
	if (rd_more(&number)) {
		for (uint8_t first = number.p[0]; first != 0; first >>= 1)
			bits++;
		bits += (uint32_t)(number.left - 1) * 8;
	}
	return bits;
}
