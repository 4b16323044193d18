/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * transport.c - what follows the IP headers: ports, flags, payload; and whether that is a tunnel.
 *
 * A header that the IP length has no room for is marked (PKT_BAD_TRANSPORT) and still is an IP
 * packet of its flow; one that only the snaplen cut is OUTCOME_CUT_SHORT.
 */
#include "net/chain.h"

enum { TCP_HEADER = 20, UDP_HEADER = 8, SCTP_HEADER = 12, DCCP_HEADER = 12 };

/* Bytes behind the IP headers, by the IP length. */
static uint32_t body_len(const struct pkt *pkt)
{
	return pkt->ip_len > pkt->ip_header_len ? pkt->ip_len - pkt->ip_header_len : 0;
}

static void packet(struct chain *c)
{
	chain_end(c, OUTCOME_PACKET, STAGE_TRANSPORT);
}

static void bad(struct chain *c)
{
	c->pkt->marks |= PKT_BAD_TRANSPORT;
	c->pkt->payload = rd_first(c->at.rd, 0);
	packet(c);
}

/* The first 'size' bytes of the body, or NULL: then the chain has ended. */
static const uint8_t *header(struct chain *c, size_t size)
{
	struct rd r = c->at.rd;
	const uint8_t *h = rd_bytes(&r, size).p;

	if (h != NULL)
		return h;
	if (c->at.missing > 0 && body_len(c->pkt) >= size)
		chain_end(c, OUTCOME_CUT_SHORT, STAGE_TRANSPORT);
	else
		bad(c);
	return NULL;
}

/* Bytes 'from' to 'from' + 'len' of what was captured, or what there is of them. */
static struct rd part(struct rd r, uint32_t from, uint32_t len)
{
	rd_bytes(&r, r.left < from ? r.left : from);
	return rd_first(r, len);
}

/* The payload begins 'from' bytes into the body and has 'len' bytes on the wire. */
static void set_payload(struct chain *c, uint32_t from, uint32_t len)
{
	c->pkt->payload = part(c->at.rd, from, len);
	c->pkt->payload_len = len;
}

static void set_ports(struct pkt *pkt, struct rd r)
{
	const uint8_t *h = rd_bytes(&r, 4).p;

	if (h == NULL)
		return;
	pkt->port[0] = chain_u16(h);
	pkt->port[1] = chain_u16(h + 2);
}

/*
 * |          Source Port          |       Destination Port        |
 * |                        Sequence Number                        |
 * |                    Acknowledgment Number                      |
 * | Offset|  Res. |A C E U A P R S F|            Window           |
 * |           Checksum            |         Urgent Pointer        |
 */
static void tcp(struct chain *c)
{
	struct pkt *pkt = c->pkt;
	const uint8_t *h = header(c, TCP_HEADER);

	if (h == NULL)
		return;
	uint32_t size = (h[12] >> 4) * 4u;
	if (size < TCP_HEADER || size > body_len(pkt)) {
		bad(c);
		return;
	}
	pkt->seq = chain_u32(h + 4);
	pkt->ack = chain_u32(h + 8);
	pkt->tcp_flags = chain_u16(h + 12) & 0x1ff;
	pkt->window = chain_u16(h + 14);
	pkt->tcp_options = part(c->at.rd, TCP_HEADER, size - TCP_HEADER);
	pkt->transport_len = (uint8_t)size;
	set_payload(c, size, body_len(pkt) - size);
	packet(c);
}

/* |  Source Port  |  Destination Port  |  Length (UDP-Lite: checksum coverage)  |  Checksum  | */
static void udp(struct chain *c)
{
	struct pkt *pkt = c->pkt;
	const uint8_t *h = header(c, UDP_HEADER);

	if (h == NULL)
		return;
	uint32_t body = body_len(pkt);
	uint32_t length = chain_u16(h + 4);

	if (length > 0 && length < UDP_HEADER) {
		bad(c);
		return;
	}
	if (length == 0 || length > body) /* 0: longer than 65535, or cut up later by hardware */
		length = body;
	pkt->udp_checksum = chain_u16(h + 6);
	pkt->transport_len = UDP_HEADER;
	set_payload(c, UDP_HEADER, length - UDP_HEADER);
	enum next next = c->rules->outermost ? NEXT_END : tunnel_of_ports(pkt->port);
	if (next == NEXT_END) {
		packet(c);
		return;
	}
	chain_enter(c, next);
	rd_bytes(&c->at.rd, UDP_HEADER);
	chain_bound(&c->at, length - UDP_HEADER);
}

static void udplite(struct chain *c)
{
	struct pkt *pkt = c->pkt;
	const uint8_t *h = header(c, UDP_HEADER);

	if (h == NULL)
		return;
	uint32_t covered = chain_u16(h + 4); /* 0: all */
	if ((covered > 0 && covered < UDP_HEADER) || covered > body_len(pkt)) {
		bad(c);
		return;
	}
	pkt->udp_checksum = chain_u16(h + 6);
	pkt->transport_len = UDP_HEADER;
	set_payload(c, UDP_HEADER, body_len(pkt) - UDP_HEADER);
	packet(c);
}

static void sctp(struct chain *c)
{
	if (body_len(c->pkt) < SCTP_HEADER) {
		bad(c);
		return;
	}
	if (header(c, 4) == NULL)
		return;
	set_payload(c, SCTP_HEADER, body_len(c->pkt) - SCTP_HEADER);
	packet(c);
}

/* DCCP's fifth byte is the length of its header in words (RFC 4340 section 5.1). */
static void dccp(struct chain *c)
{
	const uint8_t *h = header(c, 5);

	if (h == NULL)
		return;
	uint32_t size = h[4] * 4u;
	if (size < DCCP_HEADER || size > body_len(c->pkt)) {
		bad(c);
		return;
	}
	set_payload(c, size, body_len(c->pkt) - size);
	packet(c);
}

bool transport_icmp_has_id(uint8_t proto, uint8_t type)
{
	if (proto == PROTO_ICMPV6) /* echo, extended echo (RFC 8335) */
		return type == 128 || type == 129 || type == 160 || type == 161;
	return type == 0 || type == 8 || (type >= 13 && type <= 18) || type == 42 || type == 43;
}

/* |  Type  |  Code  |  Checksum  |  Identifier of queries  |  Sequence  | */
static void icmp(struct chain *c)
{
	struct pkt *pkt = c->pkt;
	const uint8_t *h = header(c, 4);

	if (h == NULL)
		return;
	pkt->icmp_type = h[0];
	pkt->icmp_code = h[1];
	if (transport_icmp_has_id(pkt->proto, h[0])) {
		h = header(c, 8);
		if (h == NULL)
			return;
		pkt->icmp_id = chain_u16(h + 4);
	}
	set_payload(c, 0, body_len(pkt));
	packet(c);
}

static void esp(struct chain *c)
{
	const uint8_t *h = header(c, 8); /* security parameters index, sequence number */

	if (h == NULL)
		return;
	c->pkt->spi = chain_u32(h);
	set_payload(c, 0, body_len(c->pkt));
	packet(c);
}

static enum next tunnel_of_proto(uint8_t proto)
{
	switch (proto) {
	case PROTO_IPIP:
	case PROTO_IPV6:
		return NEXT_IP;
	case PROTO_GRE:
		return NEXT_GRE;
	case PROTO_ETHERIP:
		return NEXT_ETHERIP;
	case PROTO_L2TP:
		return NEXT_L2TP_IP;
	case PROTO_MPLS:
		return NEXT_MPLS_TUNNEL;
	default:
		return NEXT_END;
	}
}

/* IP in IP: the protocol number names the version that must follow. */
static void tunnel_ip(struct chain *c)
{
	static const enum layer_type layers[2][2] = { { LAYER_IPIP, LAYER_6IN4 },
		{ LAYER_4IN6, LAYER_6IN6 } };
	bool inner6 = c->pkt->proto == PROTO_IPV6;

	if (chain_version(&c->at) == (inner6 ? 6 : 4))
		chain_tunnel(c, layers[c->pkt->ip_version == 6][inner6], 0);
	else
		chain_end(c, OUTCOME_MALFORMED, STAGE_TUNNEL);
}

static void other(struct chain *c)
{
	enum next next = c->rules->outermost ? NEXT_END : tunnel_of_proto(c->pkt->proto);

	set_payload(c, 0, body_len(c->pkt));
	if (next == NEXT_END) {
		packet(c);
		return;
	}
	chain_enter(c, next);
	if (next == NEXT_IP)
		tunnel_ip(c);
}

void transport_header(struct chain *c)
{
	struct pkt *pkt = c->pkt;

	pkt->body = rd_first(c->at.rd, SIZE_MAX);
	if (transport_has_ports(pkt->proto))
		set_ports(pkt, c->at.rd);
	switch (pkt->proto) {
	case PROTO_TCP:
		tcp(c);
		break;
	case PROTO_UDP:
		udp(c);
		break;
	case PROTO_UDPLITE:
		udplite(c);
		break;
	case PROTO_SCTP:
		sctp(c);
		break;
	case PROTO_DCCP:
		dccp(c);
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		icmp(c);
		break;
	case PROTO_ESP:
		esp(c);
		break;
	default:
		other(c);
	}
}
