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

enum { HASHED_MAX = 2 + 2 * 16 + 2 + 4, PREFIX = 2, END_MARK = 1, LENGTH = 8 };

_Static_assert(HASHED_MAX + END_MARK + LENGTH <= SHA_CBLOCK, "one block of SHA-1 is enough");

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

/* Of a digest, whose last two bytes make three digits. */
static void base64(char *to, const uint8_t *from)
{
	static const char digit[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v;

	for (size_t i = 0; i < SHA_DIGEST_LENGTH - 2; i += 3) {
		v = (uint32_t)from[i] << 16 | (uint32_t)from[i + 1] << 8 | from[i + 2];
		*to++ = digit[v >> 18];
		*to++ = digit[v >> 12 & 63];
		*to++ = digit[v >> 6 & 63];
		*to++ = digit[v & 63];
	}
	v = (uint32_t)from[SHA_DIGEST_LENGTH - 2] << 8 | from[SHA_DIGEST_LENGTH - 1];
	*to++ = digit[v >> 10];
	*to++ = digit[v >> 4 & 63];
	*to++ = digit[v << 2 & 63];
	*to = '=';
}

/*
 * What is hashed always fits one block of SHA-1 with its end mark and length (FIPS 180-4 section
 * 5.1.1), so it is handed to the compression function as that block.
 */
static void sha1_block(uint8_t *block, size_t size, uint8_t *digest)
{
	SHA_CTX sha;
	const SHA_LONG *word[] = { &sha.h0, &sha.h1, &sha.h2, &sha.h3, &sha.h4 };

	block[size] = 0x80;
	put_u16(block + SHA_CBLOCK - 2, (unsigned)size * 8);
	SHA1_Init(&sha);
	SHA1_Transform(&sha, block);
	for (size_t i = 0; i < SHA_DIGEST_LENGTH / 4; i++)
		put_u16(put_u16(digest + 4 * i, *word[i] >> 16), *word[i]);
}

void community_id(const struct community_flow *f, uint16_t seed, char *to)
{
	size_t size = f->ip_version == 4 ? 4 : 16;
	int order = memcmp(f->sa, f->da, size);
	bool swap = !f->one_way && (order > 0 || (order == 0 && f->sp > f->dp));
	uint8_t block[SHA_CBLOCK] = { 0 }, *end = block, digest[SHA_DIGEST_LENGTH];

	end = put_u16(end, seed);
	end = put_bytes(end, swap ? f->da : f->sa, size);
	end = put_bytes(end, swap ? f->sa : f->da, size);
	end = put_u16(end, (unsigned)f->proto << 8);
	if (f->ports) {
		end = put_u16(end, swap ? f->dp : f->sp);
		end = put_u16(end, swap ? f->sp : f->dp);
	}
	sha1_block(block, (size_t)(end - block), digest);
	memcpy(to, "1:", PREFIX);
	base64(to + PREFIX, digest);
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
