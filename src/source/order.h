/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * order.h - numbers in the byte order of whoever wrote the capture.
 *
 * A format says once whether a file is big-endian, or whether it is the other way round than this
 * machine, and reads everything with these.
 */
#pragma once

#include <string.h>

#include "base/rd.h"

enum { ORDER_LITTLE_MACHINE = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ };

/* Reads an unsigned number of 'n' bytes, at most 8. */
static inline uint64_t order_uint(struct rd *r, size_t n, bool big)
{
	struct rd part = rd_bytes(r, n);
	uint64_t v = 0;

	for (size_t i = 0; i < part.left; i++)
		v |= (uint64_t)part.p[i] << 8 * (big ? part.left - 1 - i : i);
	return v;
}

/* Four bytes that the caller knows to be there; 'swapped' against this machine's order. */
static inline uint32_t order_u32(const uint8_t *p, bool swapped)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swapped ? __builtin_bswap32(v) : v;
}
