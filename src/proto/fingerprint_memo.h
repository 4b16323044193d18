/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_memo.h - hashes and texts that were made before, by what they were made of.
 *
 * Most clients are the client before: MD5, SHA-256 and sorting are a good part of a fingerprint's
 * cost.  What is remembered is given only when the whole key is the same, so it never shows.
 */
#pragma once

#include "base/limits.h"
#include "proto/fingerprint_text.h"

struct fingerprint_memo {
	uint64_t seed; /* random, so that nobody can make clients share a place */
	struct fingerprint_known {
		uint16_t size;      /* of the key; 0: nothing is here */
		uint16_t text_size; /* of what stands behind the key */
		uint32_t kind;      /* enum fingerprint_kind, or enum fingerprint_algorithm */
		uint8_t hash[FINGERPRINT_HASH];
		char bytes[LIMIT_FINGERPRINT_MEMO_BYTES]; /* key, text */
	} known[LIMIT_FINGERPRINT_MEMO]; /* by the keyed hash of the key; the last one stays */
};

/* Keys that are no texts; numbers behind those of the algorithms. */
enum fingerprint_kind { FINGERPRINT_JA3_PARTS = 16, FINGERPRINT_CIPHERS };

/*
 * The place of a key that has room behind it for 'more' bytes of text; NULL: it is empty or too
 * long.  When 'known' is false the place is the key's from now on, and the caller fills in what
 * belongs to it before the next call.
 */
struct fingerprint_known *fingerprint_memo(
		struct fingerprint_memo *m, unsigned kind, struct rd key, size_t more, bool *known);

/* The same as fingerprint_hash(). */
void fingerprint_recall(struct fingerprint_memo *m, enum fingerprint_algorithm algorithm,
		struct rd text, uint8_t out[FINGERPRINT_HASH]);
