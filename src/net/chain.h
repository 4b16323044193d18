/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chain.h - private to net: the walk from header to header that decode.c drives.
 *
 * A step reads one header at the cursor, moves the cursor behind it and names what comes
 * next, or ends the chain with an outcome.  Steps of a tunnel may end it in any way: an IP packet
 * already decoded around the tunnel is what the frame then yields.
 */
#pragma once

#include <string.h>

#include "net/decode.h"

enum next {
	NEXT_END,
	NEXT_LINK, /* by cursor.type: a LINKTYPE_ number */
	NEXT_ETHERNET,
	NEXT_LLC,
	NEXT_VLAN,
	NEXT_MPLS,
	NEXT_PPPOE,
	NEXT_PPP,
	NEXT_PBB,
	NEXT_MACSEC,
	NEXT_METADATA, /* Cisco's security group tag */
	NEXT_VNTAG,
	NEXT_TRILL,
	NEXT_FABRICPATH,
	NEXT_NSH,
	NEXT_IP, /* either version, by its first four bits */
	NEXT_GRE,
	NEXT_ETHERIP,
	NEXT_L2TP_IP,
	NEXT_L2TP_UDP,
	NEXT_TEREDO,
	NEXT_VXLAN,
	NEXT_VXLAN_GPE,
	NEXT_GENEVE,
	NEXT_GTPU,
	NEXT_LISP,
	NEXT_MPLS_TUNNEL, /* in UDP or IP */
	NEXT_CAPWAP,
	NEXT_80211_SWAPPED, /* as Cisco puts it into CAPWAP */
	NEXT_COUNT
};

struct cursor {
	struct rd rd;     /* what is left, as far as captured */
	uint32_t missing; /* bytes behind it that were on the wire but not captured */
	uint16_t type;    /* of NEXT_LINK */
	uint8_t next;     /* enum next */
};

struct chain {
	struct cursor at;
	const struct decode_rules *rules;
	struct pkt *pkt;
	enum outcome outcome; /* once at.next is NEXT_END */
	bool wrapped;         /* 'outer' is an IP packet around what is being walked */
	struct pkt outer;     /* up to its layers; those are only ever added to */
};

/* The steps, each in the file of its name. */
void link_type(struct chain *c);
void link_ethernet(struct chain *c);
void link_80211(struct chain *c);
void link_80211_swapped(struct chain *c);
void link_80211_radiotap(struct chain *c);
void link_80211_ppi(struct chain *c);
void link_80211_prism(struct chain *c);
void link_80211_avs(struct chain *c);
void tags_llc(struct chain *c);
void tags_snap(struct chain *c);
void tags_vlan(struct chain *c);
void tags_mpls(struct chain *c);
void tags_pppoe(struct chain *c);
void tags_ppp(struct chain *c);
void tags_pbb(struct chain *c);
void tags_macsec(struct chain *c);
void tags_metadata(struct chain *c);
void tags_vntag(struct chain *c);
void tags_trill(struct chain *c);
void tags_fabricpath(struct chain *c);
void tags_nsh(struct chain *c);
void ip_packet(struct chain *c);
void transport_header(struct chain *c);
void gre_header(struct chain *c);
void gre_etherip(struct chain *c);
void l2tp_ip(struct chain *c);
void l2tp_udp(struct chain *c);
void tunnel_teredo(struct chain *c);
void tunnel_vxlan(struct chain *c);
void tunnel_vxlan_gpe(struct chain *c);
void tunnel_geneve(struct chain *c);
void tunnel_gtpu(struct chain *c);
void tunnel_lisp(struct chain *c);
void tunnel_mpls(struct chain *c);
void tunnel_capwap(struct chain *c);

/* Takes the next A-MSDU subframe out of pkt->rest and puts the cursor on its LLC header. */
void link_80211_subframe(struct chain *c);

/* Goes on with what an ethertype announces; a length (up to 1500) announces LLC. */
void tags_ethertype(struct chain *c, uint16_t type);

/* Goes on with what an ISO network layer id announces (RFC 2427 and others). */
void tags_nlpid(struct chain *c, uint8_t id);

/* Is this an Ethernet frame whose type and first bytes agree? For payloads of unstated type. */
bool tags_ethernet_plausible(const struct cursor *at);

/* Is this an IP packet whose lengths agree with themselves and with what was on the wire? */
bool ip_plausible(const struct cursor *at);

/*
 * Reads the IP header at the cursor and all extension headers into c->pkt.  False: the chain has
 * ended, be it with OUTCOME_FRAGMENT.
 */
bool ip_headers(struct chain *c);

/* Walks extension headers from pkt->proto on: the second half of ip_headers(). */
bool ip_extensions(struct chain *c);

/* Which tunnel a UDP payload may be, by its ports; NEXT_END for none. */
enum next tunnel_of_ports(const uint16_t port[2]);

enum { TUNNEL_PORT_FIRST = 1701, TUNNEL_PORT_LAST = 8472 };

/* False for ports that tunnel_of_ports() need not be asked about: most. */
static inline bool tunnel_may_be(const uint16_t port[2])
{
	const unsigned span = TUNNEL_PORT_LAST - TUNNEL_PORT_FIRST;

	return (unsigned)port[0] - TUNNEL_PORT_FIRST <= span ||
	       (unsigned)port[1] - TUNNEL_PORT_FIRST <= span;
}

/* Does the protocol begin with two port numbers? */
static inline bool transport_has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_UDPLITE ||
	       proto == PROTO_SCTP || proto == PROTO_DCCP;
}

/* Does this ICMP or ICMPv6 message carry an identifier in its bytes 4 and 5? */
bool transport_icmp_has_id(uint8_t proto, uint8_t type);

/*
 * Empties what one IP packet tells.  Member by member, since compilers make of a memset() of this
 * size something that takes longer than the rest of decoding.
 */
static inline void chain_empty_ip(struct pkt *pkt)
{
	const struct rd nothing = { NULL, 0 };

	pkt->ip = nothing;
	pkt->body = nothing;
	pkt->payload = nothing;
	pkt->tcp_options = nothing;
	pkt->ip_len = pkt->payload_len = pkt->ip_header_len = 0;
	pkt->transport_len = 0;
	pkt->ip_version = pkt->proto = pkt->ttl = pkt->tos = 0;
	pkt->ip_id = 0;
	pkt->ip_flags = pkt->icmp_type = pkt->icmp_code = 0;
	pkt->flow_label = 0;
	memset(pkt->address, 0, sizeof(pkt->address));
	pkt->port[0] = pkt->port[1] = 0;
	pkt->icmp_id = 0;
	pkt->spi = pkt->seq = pkt->ack = 0;
	pkt->tcp_flags = pkt->window = 0;
	pkt->fragment_id = pkt->fragment_offset = 0;
	pkt->fragment_more = false;
	pkt->udp_checksum = 0;
}

/* ... and what the frame around it tells; layer_count empties the layers. */
static inline void chain_empty(struct pkt *pkt)
{
	chain_empty_ip(pkt);
	pkt->marks = pkt->ethertype = 0;
	pkt->stage = pkt->layer_count = pkt->depth = 0;
	pkt->rest = (struct rd){ NULL, 0 };
}

static inline void chain_end(struct chain *c, enum outcome outcome, enum stage stage)
{
	c->at.next = NEXT_END;
	c->outcome = outcome;
	c->pkt->stage = (uint8_t)stage;
}

/* A header is longer than what is left: the snaplen is to blame, or the packet. */
static inline void chain_short(struct chain *c, enum stage stage)
{
	chain_end(c, c->at.missing > 0 ? OUTCOME_CUT_SHORT : OUTCOME_MALFORMED, stage);
}

static inline void chain_not_ip(struct chain *c, uint16_t ethertype)
{
	c->pkt->ethertype = ethertype;
	chain_end(c, OUTCOME_NOT_IP, STAGE_LINK);
}

static inline void chain_add_layer(struct chain *c, enum layer_type type, uint32_t id,
		const uint8_t *addresses, uint8_t ip_version)
{
	struct pkt *pkt = c->pkt;

	if (pkt->layer_count == LIMIT_LAYERS) {
		pkt->marks |= PKT_LAYERS_CAPPED;
		return;
	}
	pkt->layer[pkt->layer_count++] = (struct layer){
		.addresses = addresses, .id = id, .type = (uint8_t)type, .ip_version = ip_version
	};
}

/* A tag below or between IP headers. */
static inline void chain_tag(struct chain *c, enum layer_type type, uint32_t id)
{
	chain_add_layer(c, type, id, NULL, 0);
}

/* A tunnel header carried by the IP packet that pkt holds. */
static inline void chain_tunnel(struct chain *c, enum layer_type type, uint32_t id)
{
	const struct pkt *pkt = c->pkt;
	size_t at = pkt->ip_version == 4 ? 12 : 8;

	if (pkt->ip.left >= at)
		chain_add_layer(c, type, id, pkt->ip.p + at, pkt->ip_version);
	else /* a caller of decode_datagram() that has the body only */
		chain_tag(c, type, id);
}

/* Keeps the IP packet just decoded as what the frame yields if nothing comes of the tunnel. */
static inline void chain_enter(struct chain *c, enum next next)
{
	memcpy(&c->outer, c->pkt, offsetof(struct pkt, layer));
	c->wrapped = true;
	c->at.next = (uint8_t)next;
}

/* Bytes from the cursor on, as they were on the wire. */
static inline uint64_t chain_wire(const struct cursor *at)
{
	return (uint64_t)at->rd.left + at->missing;
}

/* Removes what lies more than 'len' bytes ahead: padding, trailers. */
static inline void chain_bound(struct cursor *at, uint64_t len)
{
	uint64_t wire = chain_wire(at);

	if (len >= wire)
		return;
	at->rd = rd_first(at->rd, (size_t)len);
	at->missing = (uint32_t)(len - at->rd.left);
}

/* The IP version the next byte announces; 0 when there is none. */
static inline unsigned chain_version(const struct cursor *at)
{
	struct rd r = at->rd;

	return rd_u8(&r) >> 4;
}

/* Reads an unsigned little-endian number of 'n' bytes, at most 4. */
static inline uint32_t chain_le(struct rd *r, size_t n)
{
	struct rd part = rd_bytes(r, n);
	uint32_t v = 0;

	for (size_t i = part.left; i > 0; i--)
		v = v << 8 | part.p[i - 1];
	return v;
}

/* Numbers inside a header of fixed size that rd_bytes() has already given as a whole. */
static inline uint16_t chain_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t chain_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
