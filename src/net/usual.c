/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * usual.c - the shape that nearly every packet has, decoded in one piece.
 *
 * Ethernet, then IPv4 without options or IPv6 without extension headers, then TCP or UDP without
 * a tunnel; captured whole, with lengths that agree.  What differs in anything is left to the
 * walk from header to header in decode.c, and the two must say the same: tests and the fuzz target
 * hold them against each other.
 *
 * Most of the time of decoding goes by here, so it reads without struct rd.  Every read lies below
 * 'total', which usual_network() has held against what was captured.
 */
#include "net/chain.h"

enum {
	LINK_ETHERNET = 1,
	ETHERNET_HEADER = 14,
	TYPE_IP4 = 0x0800,
	TYPE_IP6 = 0x86dd,
	IP4_HEADER = 20,
	IP4_PLAIN = 0x45, /* version 4, no options */
	IP4_FRAGMENT = 0x3fff,
	IP6_HEADER = 40,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	USUAL_DEPTH = 2, /* steps of the walk: link, IP */
};

/*
 * An IPv4 address lies in front of zeros.  Stored as one piece, since the key is made of it in
 * large pieces, and a processor waits when it loads what it has just stored in smaller ones.
 */
static inline void set_ip4_address(uint8_t *to, const uint8_t *from)
{
	uint32_t __attribute__((vector_size(16))) piece = { 0 };
	uint32_t address;

	memcpy(&address, from, sizeof address);
	piece[0] = address;
	memcpy(to, &piece, sizeof piece);
}

static inline void set_ip4(struct pkt *pkt, const uint8_t *h)
{
	set_ip4_address(pkt->address[0], h + 12);
	set_ip4_address(pkt->address[1], h + 16);
	pkt->ip_header_len = IP4_HEADER;
	pkt->ip_version = 4;
	pkt->tos = h[1];
	pkt->ip_id = chain_u16(h + 4);
	pkt->ip_flags = h[6] >> 5;
	pkt->ttl = h[8];
	pkt->proto = h[9];
	pkt->flow_label = 0;
}

static inline void set_ip6(struct pkt *pkt, const uint8_t *h)
{
	memcpy(pkt->address, h + 8, sizeof(pkt->address));
	pkt->ip_header_len = IP6_HEADER;
	pkt->ip_version = 6;
	pkt->tos = (uint8_t)(chain_u16(h) >> 4);
	pkt->ip_id = 0;
	pkt->ip_flags = 0;
	pkt->ttl = h[7];
	pkt->proto = h[6];
	pkt->flow_label = chain_u32(h) & 0xfffff;
}

/* The length of the IP packet, or 0 when it is not the usual one. */
static inline uint32_t usual_network(const struct frame *frame)
{
	const uint8_t *h = frame->bytes + ETHERNET_HEADER;
	uint32_t total, left = frame->caplen - ETHERNET_HEADER;

	if (frame->linktype != LINK_ETHERNET || frame->caplen < ETHERNET_HEADER + IP4_HEADER)
		return 0;
	switch (chain_u16(h - 2)) {
	case TYPE_IP4:
		total = chain_u16(h + 2);
		if (h[0] != IP4_PLAIN || (chain_u16(h + 6) & IP4_FRAGMENT) != 0 || total > left)
			return 0;
		return total;
	case TYPE_IP6:
		if (left < IP6_HEADER || h[0] >> 4 != 6)
			return 0;
		total = IP6_HEADER + (uint32_t)chain_u16(h + 4);
		return total == IP6_HEADER || total > left ? 0 : total;
	default:
		return 0;
	}
}

/* Of a TCP segment of that size, its header's; or 0. */
static inline uint32_t tcp_header(const uint8_t *t, uint32_t size)
{
	uint32_t header = size < TCP_HEADER ? 0 : (t[12] >> 4) * 4u;

	return header < TCP_HEADER || header > size ? 0 : header;
}

/* Of a UDP datagram in so many bytes, its own, unless it is a tunnel's; or 0. */
static inline uint32_t udp_length(
		const uint8_t *t, uint32_t size, const uint16_t port[2], bool outermost)
{
	uint32_t length = size < UDP_HEADER ? 0 : chain_u16(t + 4);

	if (length < UDP_HEADER || length > size)
		return 0;
	return outermost || !tunnel_may_be(port) || tunnel_of_ports(port) == NEXT_END ? length : 0;
}

/* In one piece, as addresses are. */
static inline void set_ports(struct pkt *pkt, const uint8_t *t)
{
	const uint32_t both = chain_u32(t);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint32_t ports = both << 16 | both >> 16;
#else
	const uint32_t ports = both;
#endif

	memcpy(pkt->port, &ports, sizeof ports);
}

static inline bool usual_tcp(struct pkt *pkt, const uint8_t *t, uint32_t size)
{
	const uint32_t header = tcp_header(t, size);

	if (header == 0)
		return false;
	pkt->seq = chain_u32(t + 4);
	pkt->ack = chain_u32(t + 8);
	pkt->tcp_flags = chain_u16(t + 12) & 0x1ff;
	pkt->window = chain_u16(t + 14);
	pkt->tcp_options = (struct rd){ t + TCP_HEADER, header - TCP_HEADER };
	pkt->payload = (struct rd){ t + header, size - header };
	pkt->payload_len = size - header;
	pkt->transport_len = (uint8_t)header;
	pkt->udp_checksum = 0;
	return true;
}

static inline bool usual_udp(struct pkt *pkt, const uint8_t *t, uint32_t size, bool outermost)
{
	const uint32_t length = udp_length(t, size, pkt->port, outermost);

	if (length == 0)
		return false;
	pkt->seq = pkt->ack = 0;
	pkt->tcp_flags = pkt->window = 0;
	pkt->tcp_options = (struct rd){ NULL, 0 };
	pkt->payload = (struct rd){ t + UDP_HEADER, length - UDP_HEADER };
	pkt->payload_len = length - UDP_HEADER;
	pkt->transport_len = UDP_HEADER;
	pkt->udp_checksum = chain_u16(t + 6);
	return true;
}

/* What such a packet does not have. */
static inline void set_rest(struct pkt *pkt, bool nanoseconds)
{
	pkt->marks = (uint16_t)(nanoseconds * PKT_NANOSECONDS);
	pkt->stage = STAGE_TRANSPORT;
	pkt->depth = USUAL_DEPTH;
	pkt->icmp_id = 0;
	pkt->icmp_type = pkt->icmp_code = 0;
	pkt->fragment_more = false;
	pkt->layer_count = 0;
	pkt->ethertype = 0;
	pkt->spi = 0;
	pkt->fragment_id = pkt->fragment_offset = 0;
	pkt->rest = (struct rd){ NULL, 0 };
}

bool decode_usual(const struct decode_rules *rules, const struct frame *frame, struct pkt *pkt)
{
	const uint8_t *h = frame->bytes + ETHERNET_HEADER, *t;
	uint32_t total = usual_network(frame);

	if (total == 0)
		return false;
	if (h[0] == IP4_PLAIN)
		set_ip4(pkt, h);
	else
		set_ip6(pkt, h);
	pkt->ip = (struct rd){ h, total };
	pkt->ip_len = total;
	if (total < pkt->ip_header_len + 4 || (pkt->proto != PROTO_TCP && pkt->proto != PROTO_UDP))
		return false;
	t = pkt->ip.p + pkt->ip_header_len;
	total -= pkt->ip_header_len;
	pkt->body = (struct rd){ t, total };
	set_ports(pkt, t);
	if (!(pkt->proto == PROTO_TCP ? usual_tcp(pkt, t, total)
				      : usual_udp(pkt, t, total, rules->outermost)))
		return false;
	set_rest(pkt, frame->nanoseconds);
	return true;
}

static inline uint64_t piece(const uint8_t *p, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

static inline void set_ends(
		const uint8_t *h, bool ip4, const uint16_t port[2], struct decode_ends *ends)
{
	ends->address[0] = ip4 ? piece(h + 12, 4) + piece(h + 16, 4)
			       : piece(h + 8, 8) + piece(h + 24, 8);
	ends->address[1] = ip4 ? 0 : piece(h + 16, 8) + piece(h + 32, 8);
	ends->ports = (uint32_t)port[0] + port[1];
}

bool decode_ends(const struct decode_rules *rules, const struct frame *frame,
		struct decode_ends *ends)
{
	const uint8_t *h = frame->bytes + ETHERNET_HEADER, *t;
	const uint32_t total = usual_network(frame);
	const bool ip4 = total > 0 && h[0] == IP4_PLAIN;
	const uint32_t header = ip4 ? IP4_HEADER : IP6_HEADER;
	uint8_t proto;

	if (total < header + 4)
		return false;
	t = h + header;
	proto = ip4 ? h[9] : h[6];

	const uint16_t port[2] = { chain_u16(t), chain_u16(t + 2) };

	set_ends(h, ip4, port, ends);
	if (proto == PROTO_TCP)
		return tcp_header(t, total - header) > 0;
	return proto == PROTO_UDP && udp_length(t, total - header, port, rules->outermost) > 0;
}
