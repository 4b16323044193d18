/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_text.h - what the fingerprints share: digits, sorting, hashes.
 *
 * A fingerprint_put_*() writes where it is told to and returns what is behind; its caller has
 * reserved the room.
 */
#pragma once

#include <string.h>

#include "base/buf.h"
#include "base/rd.h"

/* --- digits --------------------------------------------------------------------------------------
 */
extern const char fingerprint_hex_pairs[2 * 256 + 1];     /* "00" to "ff" */
extern const char fingerprint_decimal_pairs[2 * 100 + 1]; /* "00" to "99" */

static inline char *fingerprint_put_u8(char *to, uint8_t v)
{
	memcpy(to, fingerprint_hex_pairs + 2 * (size_t)v, 2);
	return to + 2;
}

static inline char *fingerprint_put_u16(char *to, uint16_t v)
{
	return fingerprint_put_u8(fingerprint_put_u8(to, (uint8_t)(v >> 8)), (uint8_t)v);
}

/* Twice as many digits as there are bytes. */
static inline char *fingerprint_put_bytes(char *to, struct rd bytes)
{
	for (size_t i = 0; i < bytes.left; i++)
		to = fingerprint_put_u8(to, bytes.p[i]);
	return to;
}

static inline char *fingerprint_put_pair(char *to, unsigned v)
{
	memcpy(to, fingerprint_decimal_pairs + 2 * (size_t)v, 2);
	return to + 2;
}

/* At most 5 digits. */
static inline char *fingerprint_put_decimal(char *to, uint16_t v)
{
	unsigned high = v / 100u;

	if (v >= 10000) {
		*to++ = (char)('0' + high / 100);
		to = fingerprint_put_pair(to, high % 100);
	} else if (v >= 1000) {
		to = fingerprint_put_pair(to, high);
	} else if (v >= 100) {
		*to++ = (char)('0' + high);
	} else if (v < 10) {
		*to++ = (char)('0' + v);
		return to;
	}
	return fingerprint_put_pair(to, v % 100u);
}

/* --- sorting -------------------------------------------------------------------------------------
 */
typedef bool fingerprint_before(const void *context, uint64_t a, uint64_t b);

/*
 * Sorts by what 'before' says of two values; equal ones in no special order.  No worse than n^1.34:
 * Shell's sort with Sedgewick's steps is insertion for a few and bounded for a hostile many.
 * Inlined, so that no comparison is a call.
 */
static inline __attribute__((always_inline)) void fingerprint_sort(
		uint64_t *values, size_t count, fingerprint_before *before, const void *context)
{
	static const size_t steps[] = { 16577, 4193, 1073, 281, 77, 23, 8, 1 };

	for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
		const size_t step = steps[k];

		for (size_t i = step; i < count; i++) {
			uint64_t v = values[i];
			size_t j = i;

			for (; j >= step && before(context, v, values[j - step]); j -= step)
				values[j] = values[j - step];
			values[j] = v;
		}
	}
}

/* The same by their size. */
void fingerprint_sort_numbers(uint64_t *values, size_t count);

/* --- hashes --------------------------------------------------------------------------------------
 */
enum { FINGERPRINT_HASH = 16 }; /* bytes of a hash that somebody shows, at most */

enum fingerprint_algorithm { FINGERPRINT_MD5, FINGERPRINT_SHA256 };

/* The first FINGERPRINT_HASH bytes of the hash of a text. */
void fingerprint_hash(enum fingerprint_algorithm algorithm, struct rd text,
		uint8_t out[FINGERPRINT_HASH]);

/* The first 'digits' hex digits of a hash, an even number of them, and a zero. */
void fingerprint_hash_text(const uint8_t hash[FINGERPRINT_HASH], size_t digits, char *out);
