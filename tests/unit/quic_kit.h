/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_kit.h - makes protected Initials for tests and fuzz targets, and bytes from hexadecimal
 * text.
 *
 * Sealing is written against libcrypto alone, so that what src/proto opens was not closed by
 * itself.
 */
#pragma once

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/quic_keys.h"

/* Bytes of hexadecimal text in a buffer of exactly their size; the caller frees. */
static inline struct rd kit_hex(const char *text)
{
	size_t size = strlen(text) / 2;
	uint8_t *bytes = malloc(size + !size);

	for (size_t i = 0; i < size; i++) {
		char pair[3] = { text[2 * i], text[2 * i + 1], '\0' };

		bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return (struct rd){ bytes, size };
}

/* A copy of exactly 'size' bytes, so that a sanitizer sees each read past them. */
static inline uint8_t *kit_copy(const void *from, size_t size)
{
	uint8_t *copy = malloc(size + !size);

	if (size > 0)
		memcpy(copy, from, size);
	return copy;
}

struct kit_initial {
	uint32_t version;
	struct rd dcid, scid, token;
	uint64_t number;
	size_t number_size; /* 1 to 4 */
	struct rd frames;   /* at least 4 - number_size bytes */
};

static inline size_t kit_put(uint8_t *to, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(v >> 8 * (size - 1 - i));
	return size;
}

static inline size_t kit_block(uint8_t *to, struct rd r)
{
	to[0] = (uint8_t)r.left;
	if (r.left > 0)
		memcpy(to + 1, r.p, r.left);
	return 1 + r.left;
}

static inline size_t kit_varint2(uint8_t *to, size_t v)
{
	return kit_put(to, 0x4000 | v, 2);
}

/* The header of an Initial up to and with its number, its lengths written in two bytes. */
static inline size_t kit_header(const struct kit_initial *k, uint8_t *to)
{
	uint8_t type = k->version == QUIC_V2 ? 0xd0 : 0xc0;
	size_t n = kit_put(to, type | (k->number_size - 1), 1);

	n += kit_put(to + n, k->version, 4);
	n += kit_block(to + n, k->dcid);
	n += kit_block(to + n, k->scid);
	n += kit_varint2(to + n, k->token.left);
	if (k->token.left > 0)
		memcpy(to + n, k->token.p, k->token.left);
	n += k->token.left;
	n += kit_varint2(to + n, k->number_size + k->frames.left + 16);
	return n + kit_put(to + n, k->number, k->number_size);
}

/* Seals 'text' behind 'header', which is in 'out' already; gives the size of the packet. */
static inline size_t kit_protect(const struct quic_side *side, uint8_t *out, size_t header,
		size_t number_size, uint64_t number, struct rd text)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t nonce[12], mask[32], *sealed = out + header;
	int n;

	memcpy(nonce, side->iv, sizeof nonce);
	for (size_t i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(number >> 8 * i);
	EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, side->key, nonce);
	EVP_EncryptUpdate(c, NULL, &n, out, (int)header);
	EVP_EncryptUpdate(c, sealed, &n, text.p, (int)text.left);
	EVP_EncryptFinal_ex(c, sealed + text.left, &n);
	EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, sealed + text.left);
	EVP_CIPHER_CTX_reset(c);
	EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, side->header, NULL);
	EVP_EncryptUpdate(c, mask, &n, sealed + 4 - number_size, 16);
	EVP_CIPHER_CTX_free(c);
	out[0] ^= mask[0] & 0x0f;
	for (size_t i = 0; i < number_size; i++)
		out[header - number_size + i] ^= mask[1 + i];
	return header + text.left + 16;
}

/* A whole protected Initial; 'out' has room for 64 bytes more than token and frames. */
static inline size_t kit_initial(
		const struct kit_initial *k, const struct quic_side *side, uint8_t *out)
{
	return kit_protect(side, out, kit_header(k, out), k->number_size, k->number, k->frames);
}
