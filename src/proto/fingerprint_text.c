/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_text.c - digits, hashes and sorting for fingerprints.
 *
 * The old functions of libcrypto on purpose: EVP fetches, locks and allocates, which is not done
 * between frame and record.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "proto/fingerprint_text.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

static const char digit[] = "0123456789abcdef";

void fingerprint_decimal(struct buf *b, unsigned v)
{
	char text[10];
	size_t n = sizeof text;

	do {
		text[--n] = digit[v % 10];
		v /= 10;
	} while (v > 0);
	buf_bytes(b, text + n, sizeof text - n);
}

void fingerprint_hex(struct buf *b, const uint8_t *bytes, size_t size)
{
	char *to = buf_reserve(b, 2 * size);

	if (to == NULL)
		return;
	for (size_t i = 0; i < size; i++) {
		to[2 * i] = digit[bytes[i] >> 4];
		to[2 * i + 1] = digit[bytes[i] & 15];
	}
	buf_commit(b, 2 * size);
}

void fingerprint_hex_u16(struct buf *b, uint16_t v)
{
	fingerprint_hex(b, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static void hash_text(const uint8_t *hash, char *out, size_t digits)
{
	for (size_t i = 0; i < digits; i++)
		out[i] = digit[hash[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
	out[digits] = '\0';
}

void fingerprint_md5(const struct buf *text, char *out, size_t digits)
{
	uint8_t hash[MD5_DIGEST_LENGTH];
	MD5_CTX c;

	MD5_Init(&c);
	MD5_Update(&c, text->p, text->size);
	MD5_Final(hash, &c);
	hash_text(hash, out, buf_ok(text) ? digits : 0);
}

void fingerprint_sha256(const struct buf *text, char *out, size_t digits)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, text->p, text->size);
	SHA256_Final(hash, &c);
	hash_text(hash, out, buf_ok(text) ? digits : 0);
}

void fingerprint_sort(uint32_t *values, size_t count,
		bool (*before)(const void *context, uint32_t a, uint32_t b), const void *context)
{
	/* Shell's sort with Sedgewick's steps: insertion for a few, bounded for a hostile many. */
	static const size_t steps[] = { 16577, 4193, 1073, 281, 77, 23, 8, 1 };

	for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
		for (size_t i = steps[k]; i < count; i++) {
			uint32_t v = values[i];
			size_t j = i;

			for (; j >= steps[k] && before(context, v, values[j - steps[k]]);
					j -= steps[k])
				values[j] = values[j - steps[k]];
			values[j] = v;
		}
	}
}
