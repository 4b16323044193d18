/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_hash.c - HMAC-SHA256 (RFC 2104) for names.
 *
 * The old functions of libcrypto on purpose: EVP fetches, locks and allocates, which is not done
 * between frame and record; these work on the stack.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <string.h>

#include "host/anon_internal.h"

/* The state behind the first block, which is the key and a constant. */
static void keyed(SHA256_CTX *sha, const uint8_t *key, size_t size, uint8_t with)
{
	uint8_t block[SHA256_CBLOCK];

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (uint8_t)((i < size ? key[i] : 0) ^ with);
	SHA256_Init(sha);
	SHA256_Update(sha, block, sizeof block);
	explicit_bzero(block, sizeof block);
}

static void set_key(struct anon *a, const uint8_t *key, size_t size)
{
	keyed(&a->inner, key, size, 0x36);
	keyed(&a->outer, key, size, 0x5c);
}

void anon_hash_key(struct anon *a, const uint8_t *key, size_t size)
{
	static const char purpose[] = "names";
	uint8_t of_names[ANON_HASH];

	set_key(a, key, size);
	anon_hash(a, purpose, sizeof purpose - 1, of_names);
	set_key(a, of_names, sizeof of_names);
	explicit_bzero(of_names, sizeof of_names);
}

void anon_hash(const struct anon *a, const void *bytes, size_t size, uint8_t out[static ANON_HASH])
{
	SHA256_CTX sha = a->inner;

	SHA256_Update(&sha, bytes, size);
	SHA256_Final(out, &sha);
	sha = a->outer;
	SHA256_Update(&sha, out, ANON_HASH);
	SHA256_Final(out, &sha);
}
