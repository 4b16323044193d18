/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_hash.c - HMAC-SHA256 (RFC 2104) for names.
 *
 * The old functions of libcrypto on purpose: EVP fetches, locks and allocates, which is not done
 * between frame and record; these work on the stack.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <string.h>

#include "host/anon_internal.h"

static void keyed(SHA256_CTX *sha, const uint8_t *key, uint8_t with)
{
	uint8_t block[SHA256_CBLOCK];

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (uint8_t)((i < ANON_HASH ? key[i] : 0) ^ with);
	SHA256_Init(sha);
	SHA256_Update(sha, block, sizeof block);
}

void anon_hash(const struct anon *a, const void *bytes, size_t size, uint8_t out[static ANON_HASH])
{
	uint8_t inner[ANON_HASH]; /* 'out' may be the key */
	SHA256_CTX sha;

	keyed(&sha, a->name_key, 0x36);
	SHA256_Update(&sha, bytes, size);
	SHA256_Final(inner, &sha);
	keyed(&sha, a->name_key, 0x5c);
	SHA256_Update(&sha, inner, ANON_HASH);
	SHA256_Final(out, &sha);
}
