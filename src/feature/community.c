/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * community.c - Community ID version 1.
 *
 * Hashed is { seed 2, source 4/16, destination 4/16, protocol 1, zero 1, [source port 2,
 * destination port 2] }, big-endian, the smaller (address, port) first.
 *
 * The old functions of libcrypto on purpose: EVP fetches, locks and allocates, which is not done
 * between frame and record; these work on the stack, about 100 ns for the one block.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "feature/community.h"

#include <openssl/sha.h>
#include <string.h>

#include "net/packet.h"

enum { HASHED_MAX = 2 + 2 * 16 + 2 + 4, PREFIX = 2 };

/* ICMP types that answer each other: IP version, request, reply. */
static const uint8_t pairs[][3] = {
	{ 4, 8, 0 },
	{ 4, 13, 14 },
	{ 4, 15, 16 },
	{ 4, 17, 18 },
	{ 4, 10, 9 },
	{ 6, 128, 129 },
	{ 6, 130, 131 },
	{ 6, 133, 134 },
	{ 6, 135, 136 },
	{ 6, 139, 140 },
	{ 6, 144, 145 },
};

void community_icmp(struct community_flow *f, uint8_t type, uint8_t code)
{
	uint8_t version = f->proto == PROTO_ICMP ? 4 : 6;

	f->ports = true;
	f->one_way = true;
	f->sp = type;
	f->dp = code;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		const uint8_t *p = pairs[i];

		if (p[0] == version && (p[1] == type || p[2] == type)) {
			f->one_way = false;
			f->dp = p[1] == type ? p[2] : p[1];
			return;
		}
	}
}

static uint8_t *put_u16(uint8_t *to, unsigned v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
	return to + 2;
}

static uint8_t *put_bytes(uint8_t *to, const uint8_t *from, size_t n)
{
	memcpy(to, from, n);
	return to + n;
}

static void base64(char *to, const uint8_t *from, size_t n)
{
	static const char digit[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)from[i] << 16;

		v |= i + 1 < n ? (uint32_t)from[i + 1] << 8 : 0;
		v |= i + 2 < n ? from[i + 2] : 0;
		*to++ = digit[v >> 18];
		*to++ = digit[v >> 12 & 63];
		*to++ = i + 1 < n ? digit[v >> 6 & 63] : '=';
		*to++ = i + 2 < n ? digit[v & 63] : '=';
	}
}

void community_id(const struct community_flow *f, uint16_t seed, char *to)
{
	size_t size = f->ip_version == 4 ? 4 : 16;
	int order = memcmp(f->sa, f->da, size);
	bool swap = !f->one_way && (order > 0 || (order == 0 && f->sp > f->dp));
	uint8_t bytes[HASHED_MAX], *end = bytes, digest[SHA_DIGEST_LENGTH];
	SHA_CTX sha;

	end = put_u16(end, seed);
	end = put_bytes(end, swap ? f->da : f->sa, size);
	end = put_bytes(end, swap ? f->sa : f->da, size);
	end = put_u16(end, (unsigned)f->proto << 8);
	if (f->ports) {
		end = put_u16(end, swap ? f->dp : f->sp);
		end = put_u16(end, swap ? f->sp : f->dp);
	}
	SHA1_Init(&sha);
	SHA1_Update(&sha, bytes, (size_t)(end - bytes));
	SHA1_Final(digest, &sha);
	memcpy(to, "1:", PREFIX);
	base64(to + PREFIX, digest, sizeof digest);
}
