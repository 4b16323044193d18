/* SPDX-License-Identifier: BSD-3-Clause */
/* wire.c - addresses, lengths and checksums (RFC 1071) of frames in a made capture. */
#include "wire.h"

#include <string.h>

#include "net/packet.h"

enum { V4_ADDRESSES = WIRE_ETHERNET + 12, V6_ADDRESSES = WIRE_ETHERNET + 8 };

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* --- addresses -------------------------------------------------------------------------------- */

struct wire_ends wire_ends_of(uint32_t copy, uint64_t random, bool own_port)
{
	uint32_t known = (uint32_t)(random >> 40) & 0x1ffff;
	struct wire_ends e = { .server = 198u << 24 | 18u << 16 }; /* 198.18.0.0/15, RFC 2544 */

	e.server += (uint32_t)((uint64_t)known * known >> 17); /* some servers have more guests */
	if (own_port) {
		e.client = 10u << 24 | (copy * 40503u & 0xffff); /* 10.0.0.0/16; odd: a bijection */
		e.port = (uint16_t)(0x8000 + (copy >> 16) * 211u % 0x7fff);
	} else {
		e.client = 10u << 24 | 1u << 23 |
			   (copy * 2654435761u & 0x7fffff); /* 10.128.0.0/9 */
	}
	return e;
}

static void put_address(uint8_t *to, uint8_t ip_version, bool server, uint32_t address)
{
	static const uint8_t prefix[2][12] = { "\x20\x01\x0d\xb8\0\x0c", "\x20\x01\x0d\xb8\0\x05" };

	if (to[0] >= (ip_version == 4 ? 224 : 0xff))
		return;
	if (ip_version == 6) {
		memcpy(to, prefix[server], sizeof prefix[server]);
		to += sizeof prefix[server];
	}
	put32(to, address);
}

void wire_address(struct wire_packet *p, const struct wire_ends *ends)
{
	uint8_t *source = p->bytes + (p->ip_version == 4 ? V4_ADDRESSES : V6_ADDRESSES);
	uint8_t *destination = source + (p->ip_version == 4 ? 4 : 16);

	put_address(source, p->ip_version, p->server, p->server ? ends->server : ends->client);
	put_address(destination, p->ip_version, !p->server,
			p->server ? ends->client : ends->server);
	if (ends->port != 0)
		put16(p->bytes + p->transport + (p->server ? 2 : 0), ends->port);
	memcpy(p->bytes, p->server ? "\2\0\0\0\0\1\2\0\0\0\0\2" : "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
}

/* --- checksums -------------------------------------------------------------------------------- */

/* Adds 32 bits at a time: the sum of 16-bit words, folded later, is the same. */
static uint64_t sum(const uint8_t *p, size_t size, uint64_t so_far)
{
	uint32_t word;

	for (; size >= sizeof word; p += sizeof word, size -= sizeof word) {
		memcpy(&word, p, sizeof word);
		so_far += word;
	}
	word = 0;
	memcpy(&word, p, size);
	return so_far + word;
}

static uint16_t checksum(uint64_t sum_of_words)
{
	while (sum_of_words >> 16 != 0)
		sum_of_words = (sum_of_words & 0xffff) + (sum_of_words >> 16);
	return (uint16_t)~sum_of_words;
}

static void put_checksum(uint8_t *at, const uint8_t *p, size_t size, uint64_t so_far, bool never_0)
{
	uint16_t c;

	memset(at, 0, sizeof c);
	c = checksum(sum(p, size, so_far));
	if (never_0 && c == 0)
		c = 0xffff;
	memcpy(at, &c, sizeof c);
}

/* Addresses, length, protocol: what the checksums of TCP, UDP and ICMPv6 cover besides. */
static uint64_t pseudo_header(const struct wire_packet *p, size_t size)
{
	bool v4 = p->ip_version == 4;
	uint8_t rest[8] = { 0 };

	put32(rest, (uint32_t)size);
	rest[7] = p->proto;
	return sum(p->bytes + (v4 ? V4_ADDRESSES : V6_ADDRESSES), v4 ? 8 : 32,
			sum(rest, sizeof rest, 0));
}

void wire_seal(struct wire_packet *p)
{
	uint8_t *ip = p->bytes + WIRE_ETHERNET, *t = p->bytes + p->transport;
	size_t size = p->size - p->transport;

	if (p->ip_version == 4) {
		put16(ip + 2, p->size - WIRE_ETHERNET);
		put_checksum(ip + 10, ip, (ip[0] & 15u) * 4u, 0, false);
	} else {
		put16(ip + 4, p->size - WIRE_ETHERNET - 40);
	}
	if (p->proto == PROTO_TCP) {
		put_checksum(t + 16, t, size, pseudo_header(p, size), false);
	} else if (p->proto == PROTO_UDP) {
		put16(t + 4, size);
		put_checksum(t + 6, t, size, pseudo_header(p, size), true);
	} else {
		put_checksum(t + 2, t, size, p->proto == PROTO_ICMPV6 ? pseudo_header(p, size) : 0,
				false);
	}
}

/* --- TCP -------------------------------------------------------------------------------------- */

void wire_tcp(struct wire_packet *p, const struct wire_segment *s)
{
	static const uint8_t mss[4] = { 2, 4, 1460 >> 8, 1460 & 0xff };
	uint8_t *ip = p->bytes + WIRE_ETHERNET, *t = ip + 20;
	bool syn = s->flags & TCP_SYN;

	memset(p->bytes, 0, WIRE_PAYLOAD);
	p->bytes[12] = 8;
	p->ip_version = 4;
	p->proto = PROTO_TCP;
	p->transport = WIRE_ETHERNET + 20;
	memcpy(ip, "\x45\0\0\0\0\0\x40\0\x40\x06", 10); /* do not fragment, TTL 64 */
	put16(t, p->server ? s->server_port : s->client_port);
	put16(t + 2, p->server ? s->client_port : s->server_port);
	put32(t + 4, s->seq);
	put32(t + 8, s->ack);
	t[12] = syn ? 6 << 4 : 5 << 4;
	t[13] = s->flags;
	put16(t + 14, 64240);
	if (syn) {
		memcpy(t + 20, mss, sizeof mss);
		p->size = sizeof mss;
	}
	p->size += WIRE_PAYLOAD;
}
