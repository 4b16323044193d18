/* SPDX-License-Identifier: BSD-3-Clause */
/* fingerprint_memo.c - one place for each text, where it is or another. */
#include "proto/fingerprint_memo.h"

#include "base/hash.h"

_Static_assert((LIMIT_FINGERPRINT_MEMO & (LIMIT_FINGERPRINT_MEMO - 1)) == 0, "a power of two");

void fingerprint_recall(struct fingerprint_memo *m, enum fingerprint_algorithm algorithm,
		struct rd text, uint8_t out[FINGERPRINT_HASH])
{
	if (text.left == 0 || text.left > LIMIT_FINGERPRINT_MEMO_BYTES) {
		fingerprint_hash(algorithm, text, out);
		return;
	}

	uint64_t place = hash_bytes(text.p, text.left, m->seed) & (LIMIT_FINGERPRINT_MEMO - 1);
	struct fingerprint_known *k = &m->known[place];

	if (k->size != text.left || k->algorithm != (uint32_t)algorithm ||
			memcmp(k->text, text.p, text.left) != 0) {
		k->size = (uint32_t)text.left;
		k->algorithm = (uint32_t)algorithm;
		memcpy(k->text, text.p, text.left);
		fingerprint_hash(algorithm, text, k->hash);
	}
	memcpy(out, k->hash, FINGERPRINT_HASH);
}
