/* SPDX-License-Identifier: BSD-3-Clause */
/* gquic_kit.h - makes messages, frames and clear packets of Google's QUIC for tests. */
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/rd.h"

struct gquic_bytes {
	size_t size;
	uint8_t at[2048];
};

static inline void gquic_put(struct gquic_bytes *b, const void *bytes, size_t size)
{
	memcpy(b->at + b->size, bytes, size);
	b->size += size;
}

static inline void gquic_little(struct gquic_bytes *b, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		b->at[b->size++] = (uint8_t)(v >> 8 * i);
}

static inline void gquic_big(struct gquic_bytes *b, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		b->at[b->size++] = (uint8_t)(v >> 8 * (size - 1 - i));
}

struct gquic_pair {
	const char *tag; /* 4 characters */
	const char *value;
};

/* A message: its tag of 4 characters, then pairs. */
static inline struct gquic_bytes gquic_make(
		const char *tag, const struct gquic_pair *pairs, size_t count)
{
	struct gquic_bytes b = { 0 };
	size_t end = 0;

	gquic_put(&b, tag, 4);
	gquic_little(&b, count, 2);
	gquic_little(&b, 0, 2);
	for (size_t i = 0; i < count; i++) {
		end += strlen(pairs[i].value);
		gquic_put(&b, pairs[i].tag, 4);
		gquic_little(&b, end, 4);
	}
	for (size_t i = 0; i < count; i++)
		gquic_put(&b, pairs[i].value, strlen(pairs[i].value));
	return b;
}

/* FNV-1a of 128 bits by long multiplication; 'hash' is little-endian. */
static inline void gquic_fnv(uint8_t hash[16], const uint8_t *bytes, size_t size)
{
	for (size_t n = 0; n < size; n++) {
		uint8_t product[16] = { 0 };
		unsigned carry = 0;

		hash[0] ^= bytes[n];
		/* times 2^88 + 0x13b */
		for (size_t i = 0; i < 16; i++) {
			unsigned v = carry + hash[i] * 0x3bu;

			if (i >= 1)
				v += hash[i - 1]; /* times 0x100 */
			if (i >= 11)
				v += hash[i - 11];
			product[i] = (uint8_t)v;
			carry = v >> 8;
		}
		memcpy(hash, product, sizeof product);
	}
}

static const uint8_t gquic_basis[16] = { 0x8d, 0xc5, 0x95, 0x62, 0x75, 0x21, 0xb8, 0x62, 0x42, 0x01,
	0xbb, 0x07, 0x2e, 0x27, 0x62, 0x6c };

/* A clear packet: header, hash, frames. */
static inline struct gquic_bytes gquic_packet(
		struct gquic_bytes header, struct gquic_bytes frames, const char *side)
{
	struct gquic_bytes b = header;
	uint8_t hash[16];

	memcpy(hash, gquic_basis, sizeof hash);
	gquic_fnv(hash, header.at, header.size);
	gquic_fnv(hash, frames.at, frames.size);
	gquic_fnv(hash, (const uint8_t *)side, strlen(side));
	gquic_put(&b, hash, 12);
	gquic_put(&b, frames.at, frames.size);
	return b;
}
