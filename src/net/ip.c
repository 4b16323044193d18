/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ip.c - IPv4 (RFC 791), IPv6 (RFC 8200), their extension headers and AH (RFC 4302).
 *
 * Lengths come from the IP header: what lies behind it in the frame is padding.  A length of
 * 0 is a packet that hardware has still to cut up, unless a jumbo option (RFC 2675) says otherwise.
 */
#include "net/chain.h"

enum {
	IP4_HEADER = 20,
	IP6_HEADER = 40,
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	NO_NEXT = 59,
	DESTINATION = 60,
	MOBILITY = 135,
	HIP = 139,
	SHIM6 = 140,
	TESTING_1 = 253,
	TESTING_2 = 254,
	OPTION_PAD1 = 0,
	OPTION_JUMBO = 0xc2,
};

/* The packet inside a tunnel starts from nothing; what concerns the frame stays. */
static void forget_outer(struct pkt *pkt)
{
	chain_empty_ip(pkt);
	const unsigned of_packet = PKT_TRUNCATED | PKT_OFFLOAD | PKT_BAD_TRANSPORT | PKT_FRAGMENT |
				   PKT_NO_PORTS;
	pkt->marks = (uint16_t)(pkt->marks & ~of_packet);
}

/*
 * Sets what the length field decides, 0 stands for all there is, and moves the cursor behind the
 * fixed part of the header, which has been read, and its options.  False: they are cut.
 */
static bool set_length(struct chain *c, uint64_t len, uint32_t header)
{
	struct pkt *pkt = c->pkt;
	struct cursor at = c->at;

	if (len == 0) {
		len = chain_wire(&at);
		pkt->marks |= PKT_OFFLOAD;
	}
	chain_bound(&at, len);
	pkt->ip = at.rd;
	pkt->ip_len = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
	pkt->ip_header_len = header;
	if (at.rd.left < len)
		pkt->marks |= PKT_TRUNCATED;
	rd_bytes(&at.rd, header);
	c->at = at;
	if (rd_ok(&at.rd))
		return true;
	chain_short(c, STAGE_NETWORK);
	return false;
}

static bool is_fragment(struct chain *c, uint32_t id, uint32_t offset, bool more)
{
	struct pkt *pkt = c->pkt;

	if (offset == 0 && !more)
		return false;
	pkt->fragment_id = id;
	pkt->fragment_offset = offset;
	pkt->fragment_more = more;
	pkt->marks |= PKT_FRAGMENT;
	pkt->body = c->at.rd;
	chain_end(c, OUTCOME_FRAGMENT, STAGE_NETWORK);
	return true;
}

/*
 *  0                   1                   2                   3
 * |Version|  IHL  |Type of Service|          Total Length         |
 * |         Identification        |Flags|      Fragment Offset    |
 * |  Time to Live |    Protocol   |         Header Checksum       |
 * |                 Source Address,  Destination Address          |
 */
static bool ip4_header(struct chain *c)
{
	struct pkt *pkt = c->pkt;
	struct rd r = c->at.rd;
	const uint8_t *h = rd_bytes(&r, IP4_HEADER).p;

	if (h == NULL) {
		chain_short(c, STAGE_NETWORK);
		return false;
	}
	uint32_t header = (h[0] & 15u) * 4;
	uint32_t total = chain_u16(h + 2);

	if (header < IP4_HEADER || (total != 0 && total < header)) {
		chain_end(c, OUTCOME_MALFORMED, STAGE_NETWORK);
		return false;
	}
	if (!set_length(c, total, header))
		return false;
	pkt->ip_version = 4;
	pkt->tos = h[1];
	pkt->ip_id = chain_u16(h + 4);
	pkt->ip_flags = h[6] >> 5;
	pkt->ttl = h[8];
	pkt->proto = h[9];
	memcpy(pkt->address[0], h + 12, 4);
	memcpy(pkt->address[1], h + 16, 4);
	return !is_fragment(c, pkt->ip_id, (chain_u16(h + 6) & 0x1fffu) * 8, h[6] & 0x20) &&
	       ip_extensions(c);
}

/* The length in the jumbo option of a hop-by-hop header; 0 without one. */
static uint32_t jumbo_length(struct rd r)
{
	rd_u8(&r);
	size_t size = rd_u8(&r) * 8u + 6;
	struct rd options = rd_bytes(&r, size);

	while (rd_more(&options)) {
		uint8_t type = rd_u8(&options);

		if (type == OPTION_PAD1)
			continue;
		struct rd value = rd_block(&options, 1);
		if (type == OPTION_JUMBO && value.left == 4)
			return rd_u32(&value);
	}
	return 0;
}

/* The whole packet's length; 0 when the header does not tell. */
static uint64_t ip6_length(const uint8_t *h, struct rd behind, uint64_t wire)
{
	uint32_t payload = chain_u16(h + 4);

	if (payload == 0 && h[6] == HOP_BY_HOP)
		payload = jumbo_length(behind);
	if (payload == 0 && h[6] != NO_NEXT && wire > IP6_HEADER)
		return 0;
	return (uint64_t)IP6_HEADER + payload;
}

/*
 *  0                   1                   2                   3
 * |Version| Traffic Class |           Flow Label                  |
 * |         Payload Length        |  Next Header  |   Hop Limit   |
 * |               Source Address,  Destination Address            |
 */
static bool ip6_header(struct chain *c)
{
	struct pkt *pkt = c->pkt;
	struct rd r = c->at.rd;
	const uint8_t *h = rd_bytes(&r, IP6_HEADER).p;

	if (h == NULL) {
		chain_short(c, STAGE_NETWORK);
		return false;
	}
	if (!set_length(c, ip6_length(h, r, chain_wire(&c->at)), IP6_HEADER))
		return false;
	pkt->ip_version = 6;
	pkt->tos = (uint8_t)(chain_u16(h) >> 4);
	pkt->flow_label = chain_u32(h) & 0xfffff;
	pkt->proto = h[6];
	pkt->ttl = h[7];
	memcpy(pkt->address, h + 8, 32);
	return ip_extensions(c);
}

static bool is_extension(const struct pkt *pkt)
{
	switch (pkt->proto) {
	case PROTO_AH:
		return true;
	case HOP_BY_HOP:
	case ROUTING:
	case FRAGMENT:
	case DESTINATION:
	case MOBILITY:
	case HIP:
	case SHIM6:
	case TESTING_1:
	case TESTING_2:
		return pkt->ip_version == 6;
	default:
		return false;
	}
}

/* Fragment header: next header, reserved, offset 13 | reserved 2 | more 1, identification. */
static bool ip6_fragment(struct chain *c)
{
	struct pkt *pkt = c->pkt;
	struct rd r = rd_bytes(&c->at.rd, 8);

	if (!rd_ok(&r)) {
		chain_short(c, STAGE_NETWORK);
		return false;
	}
	pkt->proto = rd_u8(&r);
	rd_u8(&r);
	uint16_t offset = rd_u16(&r);

	pkt->ip_header_len += 8;
	return !is_fragment(c, rd_u32(&r), offset & 0xfff8u, offset & 1);
}

/* Next header, length: of 8 bytes beyond the first 8; AH counts words beyond the first two. */
static bool ip_extension(struct chain *c)
{
	struct pkt *pkt = c->pkt;
	bool ah = pkt->proto == PROTO_AH;
	struct rd r = c->at.rd;
	uint8_t next = rd_u8(&r);
	uint32_t size = rd_u8(&r) * (ah ? 4u : 8u) + 8;

	rd_u16(&r);
	uint32_t spi = rd_u32(&r);
	rd_bytes(&c->at.rd, size);
	if (!rd_ok(&r) || !rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_NETWORK);
		return false;
	}
	if (ah)
		chain_tunnel(c, LAYER_AH, spi);
	pkt->ip_header_len += size;
	pkt->proto = next;
	return true;
}

/* Mobility, HIP and Shim6 headers with nothing behind them are messages in their own right. */
static bool is_message(const struct pkt *pkt, struct rd r)
{
	return (pkt->proto == MOBILITY || pkt->proto == HIP || pkt->proto == SHIM6) &&
	       rd_u8(&r) == NO_NEXT;
}

bool ip_extensions(struct chain *c)
{
	struct pkt *pkt = c->pkt;

	for (unsigned n = 0; is_extension(pkt) && !is_message(pkt, c->at.rd); n++) {
		if (n == LIMIT_V6_EXTENSIONS) {
			chain_end(c, OUTCOME_UNKNOWN, STAGE_NETWORK);
			return false;
		}
		bool fragment = pkt->proto == FRAGMENT && pkt->ip_version == 6;
		if (!(fragment ? ip6_fragment(c) : ip_extension(c)))
			return false;
	}
	return true;
}

bool ip_headers(struct chain *c)
{
	if (c->wrapped)
		forget_outer(c->pkt);
	switch (chain_version(&c->at)) {
	case 4:
		return ip4_header(c);
	case 6:
		return ip6_header(c);
	default:
		if (rd_more(&c->at.rd))
			chain_end(c, OUTCOME_UNKNOWN, STAGE_NETWORK);
		else
			chain_short(c, STAGE_NETWORK);
		return false;
	}
}

void ip_packet(struct chain *c)
{
	if (ip_headers(c))
		transport_header(c);
}

bool ip_plausible(const struct cursor *at)
{
	struct rd r = at->rd;
	uint64_t wire = chain_wire(at);
	uint8_t first = rd_u8(&r);

	rd_u8(&r);
	uint16_t length = rd_u16(&r);
	uint16_t payload = rd_u16(&r);

	if (!rd_ok(&r))
		return false;
	if (first >> 4 == 4)
		return (first & 15) >= 5 && length >= (first & 15) * 4 && length <= wire;
	return first >> 4 == 6 && wire >= IP6_HEADER && payload <= wire - IP6_HEADER;
}
