/* SPDX-License-Identifier: BSD-3-Clause */
/* fingerprint_text.h - what the fingerprints share: digits into a buffer, hashes as hex, sorting.
 */
#pragma once

#include "base/buf.h"
#include "base/rd.h"

void fingerprint_decimal(struct buf *b, unsigned v);
void fingerprint_hex(struct buf *b, const uint8_t *bytes, size_t size);
void fingerprint_hex_u16(struct buf *b, uint16_t v);

/* The first 'digits' hex digits of the hash of the buffer's text, and a zero; "" when it failed. */
void fingerprint_md5(const struct buf *text, char *out, size_t digits);
void fingerprint_sha256(const struct buf *text, char *out, size_t digits);

/* Sorts by what 'before' says of two values; equal ones in no special order.  No worse than n^1.34.
 */
void fingerprint_sort(uint32_t *values, size_t count,
		bool (*before)(const void *context, uint32_t a, uint32_t b), const void *context);
