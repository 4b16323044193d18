/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_text.c - tables of digits, sorting and hashes for fingerprints.
 *
 * The old functions of libcrypto on purpose: EVP fetches, locks and allocates, which is not done
 * between frame and record.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "proto/fingerprint_text.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

#define TEN(high)                                                                                  \
	high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high "9"
#define SIXTEEN(high) TEN(high) high "a" high "b" high "c" high "d" high "e" high "f"

const char fingerprint_decimal_pairs[] = TEN("0") TEN("1") TEN("2") TEN("3") TEN("4") TEN("5")
		TEN("6") TEN("7") TEN("8") TEN("9");

const char fingerprint_hex_pairs[] = SIXTEEN("0") SIXTEEN("1") SIXTEEN("2") SIXTEEN("3")
		SIXTEEN("4") SIXTEEN("5") SIXTEEN("6") SIXTEEN("7") SIXTEEN("8") SIXTEEN("9")
				SIXTEEN("a") SIXTEEN("b") SIXTEEN("c") SIXTEEN("d") SIXTEEN("e")
						SIXTEEN("f");

static inline bool smaller(const void *unused, uint64_t a, uint64_t b)
{
	(void)unused;
	return a < b;
}

void fingerprint_sort_numbers(uint64_t *values, size_t count)
{
	fingerprint_sort(values, count, smaller, NULL);
}

void fingerprint_hash(
		enum fingerprint_algorithm algorithm, struct rd text, uint8_t out[FINGERPRINT_HASH])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	if (algorithm == FINGERPRINT_MD5) {
		MD5_CTX c;

		MD5_Init(&c);
		MD5_Update(&c, text.p, text.left);
		MD5_Final(hash, &c);
	} else {
		SHA256_CTX c;

		SHA256_Init(&c);
		SHA256_Update(&c, text.p, text.left);
		SHA256_Final(hash, &c);
	}
	memcpy(out, hash, FINGERPRINT_HASH);
}

void fingerprint_hash_text(const uint8_t hash[FINGERPRINT_HASH], size_t digits, char *out)
{
	fingerprint_put_bytes(out, (struct rd){ hash, digits / 2 });
	out[digits] = '\0';
}
