/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_work.h - a hello as fingerprint_read.c leaves it, for the files that write
 * fingerprints.
 *
 * Only what was written is valid; nothing is cleared between hellos.
 */
#pragma once

#include "base/limits.h"
#include "proto/fingerprint.h"
#include "proto/fingerprint_memo.h"

enum { FINGERPRINT_GREASE = 0x0a0a }; /* what NPF makes of all GREASE values */

struct fingerprint_work {
	const struct tls_hello *hello;
	struct rd groups, formats; /* insides of what JA3 wants, the last of each */
	struct buf pieces; /* what NPF shows: (version)(ciphers), then each extension in order */
	size_t count;      /* of extensions */
	struct fingerprint_extension {
		uint16_t type;  /* on the wire */
		uint16_t at;    /* where it begins in the hello's extensions */
		uint32_t piece; /* where its text begins; behind the last: where that ends */
	} extension[LIMIT_FINGERPRINT_EXTENSIONS + 1];

	/* By type, then size, then data: type, GREASE made one, size of the data, and index in
	 * 'extension', of 16 bits each. */
	uint64_t sorted[LIMIT_FINGERPRINT_EXTENSIONS];

	uint64_t scratch[LIMIT_FINGERPRINT_VALUES]; /* of whoever writes */
	struct fingerprint_memo memo;
};

static inline uint16_t fingerprint_degreased(uint16_t v)
{
	return tls_is_grease(v) ? FINGERPRINT_GREASE : v;
}

static inline uint16_t fingerprint_sorted_type(uint64_t v)
{
	return (uint16_t)(v >> 32);
}

static inline const struct fingerprint_extension *fingerprint_sorted_extension(
		const struct fingerprint_work *w, uint64_t v)
{
	return &w->extension[v & 0xffff];
}

/* Makes values like those of 'sorted' so. */
void fingerprint_sort_extensions(const struct fingerprint_work *w, uint64_t *values, size_t count);
