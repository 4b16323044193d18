/* SPDX-License-Identifier: BSD-3-Clause */
/* utf8.c - a text as UTF-8: what is none stands for the characters of the same number, as in JSON.
 */
#include "base/json.h"
#include "record/columns_internal.h"

/* Copies what is ASCII at the beginning; returns how many bytes. */
static size_t put_ascii(char *to, const uint8_t *p, size_t size)
{
	const uint64_t tops = UINT64_C(0x8080808080808080);
	size_t i = 0;

	for (uint64_t word; size - i >= sizeof word; i += sizeof word) {
		memcpy(&word, p + i, sizeof word);
		if (word & tops)
			break;
		memcpy(to + i, &word, sizeof word);
	}
	for (; i < size && p[i] < 0x80; i++)
		to[i] = (char)p[i];
	return i;
}

char *utf8_put(char *to, const char *p, size_t size)
{
	struct rd r = { (const uint8_t *)p, size };

	for (;;) {
		const size_t plain = put_ascii(to, r.p, r.left);
		size_t more;

		to += plain;
		r = (struct rd){ r.p + plain, r.left - plain };
		if (r.left == 0)
			return to;
		more = json_utf8_size(r);
		if (more == 0) {
			*to++ = (char)(0xc0 | r.p[0] >> 6);
			*to++ = (char)(0x80 | (r.p[0] & 0x3f));
			more = 1;
		} else {
			memcpy(to, r.p, more);
			to += more;
		}
		r = (struct rd){ r.p + more, r.left - more };
	}
}
