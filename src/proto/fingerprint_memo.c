/* SPDX-License-Identifier: BSD-3-Clause */
/* fingerprint_memo.c - one place for each key, where it is or another. */
#include "proto/fingerprint_memo.h"

#include "base/hash.h"

_Static_assert((LIMIT_FINGERPRINT_MEMO & (LIMIT_FINGERPRINT_MEMO - 1)) == 0, "a power of two");

_Static_assert(LIMIT_FINGERPRINT_MEMO_BYTES <= UINT16_MAX, "fingerprint_known.size");

struct fingerprint_known *fingerprint_memo(
		struct fingerprint_memo *m, unsigned kind, struct rd key, size_t more, bool *known)
{
	struct fingerprint_known *k;

	*known = false;
	if (key.left == 0 || key.left + more > LIMIT_FINGERPRINT_MEMO_BYTES)
		return NULL;
	k = &m->known[hash_bytes(key.p, key.left, m->seed) & (LIMIT_FINGERPRINT_MEMO - 1)];
	*known = k->size == key.left && k->kind == kind && memcmp(k->bytes, key.p, key.left) == 0;
	if (!*known) {
		k->size = (uint16_t)key.left;
		k->text_size = 0;
		k->kind = kind;
		memcpy(k->bytes, key.p, key.left);
	}
	return k;
}

void fingerprint_recall(struct fingerprint_memo *m, enum fingerprint_algorithm algorithm,
		struct rd text, uint8_t out[FINGERPRINT_HASH])
{
	bool known;
	struct fingerprint_known *k = fingerprint_memo(m, algorithm, text, 0, &known);

	if (!known)
		fingerprint_hash(algorithm, text, k == NULL ? out : k->hash);
	if (k != NULL)
		memcpy(out, k->hash, FINGERPRINT_HASH);
}
