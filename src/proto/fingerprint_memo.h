/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_memo.h - hashes that were made before, by their text.
 *
 * Most clients are the client before: MD5 and SHA-256 are a good part of a fingerprint's cost.  A
 * hash is given only when the whole text is the same, so what is remembered never shows.
 */
#pragma once

#include "base/limits.h"
#include "proto/fingerprint_text.h"

struct fingerprint_memo {
	uint64_t seed; /* random, so that nobody can make clients share a place */
	struct fingerprint_known {
		uint32_t size;      /* of the text; 0: nothing is here */
		uint32_t algorithm; /* enum fingerprint_algorithm */
		uint8_t hash[FINGERPRINT_HASH];
		char text[LIMIT_FINGERPRINT_MEMO_BYTES];
	} known[LIMIT_FINGERPRINT_MEMO]; /* by the keyed hash of the text; the last one stays */
};

/* The same as fingerprint_hash(). */
void fingerprint_recall(struct fingerprint_memo *m, enum fingerprint_algorithm algorithm,
		struct rd text, uint8_t out[FINGERPRINT_HASH]);
