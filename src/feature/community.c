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

enum { HASHED_MAX = 2 + 2 * 16 + 2 + 4, PREFIX = 2, END_MARK = 0x80, LENGTH = 8 };

_Static_assert(HASHED_MAX + 1 + LENGTH <= SHA_CBLOCK, "one block of SHA-1 is enough");

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

static uint8_t *put_address(uint8_t *to, const uint8_t *from, bool ip4)
{
	memcpy(to, from, ip4 ? 4 : 16);
	return to + (ip4 ? 4 : 16);
}

static char *put_digits(char *to, uint32_t v)
{
	static const char digit[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	to[0] = digit[v >> 18 & 63];
	to[1] = digit[v >> 12 & 63];
	to[2] = digit[v >> 6 & 63];
	to[3] = digit[v & 63];
	return to + 4;
}

/* Base64 of a digest's 160 bits, 24 at a time; the last 16 make three digits. */
static void put_base64(char *to, const SHA_CTX *sha)
{
	to = put_digits(to, sha->h0 >> 8);
	to = put_digits(to, sha->h0 << 16 | sha->h1 >> 16);
	to = put_digits(to, sha->h1 << 8 | sha->h2 >> 24);
	to = put_digits(to, sha->h2);
	to = put_digits(to, sha->h3 >> 8);
	to = put_digits(to, sha->h3 << 16 | sha->h4 >> 16);
	put_digits(to, sha->h4 << 8);
	to[3] = '=';
}

static bool is_behind(const struct community_flow *f)
{
	const int order = f->ip_version == 4 ? memcmp(f->sa, f->da, 4) : memcmp(f->sa, f->da, 16);

	return order > 0 || (order == 0 && f->sp > f->dp);
}

/*
 * What is hashed always fits one block of SHA-1 with its end mark and length (FIPS 180-4 section
 * 5.1.1), so it is handed to the compression function as that block.
 */
void community_id(const struct community_flow *f, uint16_t seed, char *to)
{
	const bool swap = !f->one_way && is_behind(f), ip4 = f->ip_version == 4;
	uint8_t block[SHA_CBLOCK] = { 0 }, *end = block;
	SHA_CTX sha;

	end = put_u16(end, seed);
	end = put_address(end, swap ? f->da : f->sa, ip4);
	end = put_address(end, swap ? f->sa : f->da, ip4);
	end = put_u16(end, (unsigned)f->proto << 8);
	if (f->ports) {
		end = put_u16(end, swap ? f->dp : f->sp);
		end = put_u16(end, swap ? f->sp : f->dp);
	}
	end[0] = END_MARK;
	put_u16(block + SHA_CBLOCK - 2, (unsigned)(end - block) * 8);
	SHA1_Init(&sha);
	SHA1_Transform(&sha, block);
	memcpy(to, "1:", PREFIX);
	put_base64(to + PREFIX, &sha);
}

/* For ICMP it matters who sent which type: the key does not say whether a reply came first. */
void community_of(
		const struct flow_view *view, const uint8_t (*address)[16], uint16_t seed, char *to)
{
	const struct flow_key *k = &view->flow->key;
	unsigned from = flow_endpoint(view->flow, view->out);
	struct community_flow c = { NULL, NULL, k->ip_version, k->proto, flow_has_ports(view->flow),
		false, k->port[from], k->port[!from] };

	if (flow_is_icmp(k)) {
		community_icmp(&c, (uint8_t)(k->icmp >> 8), (uint8_t)k->icmp);
		if (!c.one_way) /* the key has the type of the request: its sender comes first */
			from = flow_endpoint(view->flow, (view->flow->marks & FLOW_ANSWERS) != 0);
	}
	c.sa = address != NULL ? address[from] : k->address[from];
	c.da = address != NULL ? address[!from] : k->address[!from];
	community_id(&c, seed, to);
}
