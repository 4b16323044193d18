/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tunnel_udp.c - tunnels known by their UDP port: Teredo (RFC 4380), VXLAN (RFC 7348) and its
 * generic form, GENEVE (RFC 8926), GTP-U (3GPP TS 29.281), LISP (RFC 9300), MPLS (RFC 7510),
 * CAPWAP (RFC 5415).
 *
 * A port is only a hint: each step ends the chain when the payload is not what the port promises,
 * and the UDP packet then stands for itself.
 */
#include "net/chain.h"

enum {
	PORT_L2TP = 1701,
	PORT_GTPU = 2152,
	PORT_TEREDO = 3544,
	PORT_LISP = 4341,
	PORT_GRE = 4754,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_CAPWAP = 5247,
	PORT_GENEVE = 6081,
	PORT_MPLS = 6635,
	PORT_VXLAN_LINUX = 8472, /* before one was assigned */
};

_Static_assert((int)PORT_L2TP == (int)TUNNEL_PORT_FIRST &&
				(int)PORT_VXLAN_LINUX == (int)TUNNEL_PORT_LAST,
		"tunnel_may_be() knows where the ports lie");

static enum next tunnel_of_port(uint16_t port)
{
	switch (port) {
	case PORT_L2TP:
		return NEXT_L2TP_UDP;
	case PORT_GTPU:
		return NEXT_GTPU;
	case PORT_TEREDO:
		return NEXT_TEREDO;
	case PORT_LISP:
		return NEXT_LISP;
	case PORT_GRE:
		return NEXT_GRE;
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return NEXT_VXLAN;
	case PORT_VXLAN_GPE:
		return NEXT_VXLAN_GPE;
	case PORT_CAPWAP:
		return NEXT_CAPWAP;
	case PORT_GENEVE:
		return NEXT_GENEVE;
	case PORT_MPLS:
		return NEXT_MPLS_TUNNEL;
	default:
		return NEXT_END;
	}
}

enum next tunnel_of_ports(const uint16_t port[2])
{
	enum next next = tunnel_of_port(port[1]);

	if (next != NEXT_END)
		return next;
	switch (port[0]) { /* the others choose their source port by the inner flow */
	case PORT_L2TP:
	case PORT_GTPU:
	case PORT_TEREDO:
	case PORT_CAPWAP:
		return tunnel_of_port(port[0]);
	default:
		return NEXT_END;
	}
}

/* Indicators in front of the IPv6 packet, each at most once: 0001 authentication, 0000 origin. */
void tunnel_teredo(struct chain *c)
{
	struct rd r = c->at.rd;

	if (rd_u16(&r) == 1) {
		uint8_t id_size = rd_u8(&r);
		uint8_t value_size = rd_u8(&r);

		rd_bytes(&r, id_size + value_size + 9u); /* nonce 8, confirmation 1 */
		c->at.rd = r;
	}
	r = c->at.rd;
	if (rd_u16(&r) == 0) {
		rd_bytes(&r, 6); /* port, address */
		c->at.rd = r;
	}
	if (!rd_more(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
	} else if (chain_version(&c->at) != 6 || !ip_plausible(&c->at)) {
		chain_not_ip(c, 0);
	} else {
		chain_tunnel(c, LAYER_TEREDO, 0);
		c->at.next = NEXT_IP;
	}
}

/* |G R R R I R R R| reserved, group policy 24 |  VNI 24  | reserved 8 | */
void tunnel_vxlan(struct chain *c)
{
	uint8_t flags = rd_u8(&c->at.rd);

	rd_uint(&c->at.rd, 3);
	uint32_t vni = rd_u32(&c->at.rd);
	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
	} else if (!(flags & 0x08) || vni & 0xff) {
		chain_not_ip(c, 0);
	} else {
		chain_tunnel(c, LAYER_VXLAN, vni >> 8);
		c->at.next = NEXT_ETHERNET;
	}
}

/* |R R version 2 I P B O|  reserved 16  | next protocol 8 |  VNI 24  | reserved 8 | */
void tunnel_vxlan_gpe(struct chain *c)
{
	static const uint8_t nexts[] = { NEXT_END, NEXT_IP, NEXT_IP, NEXT_ETHERNET, NEXT_NSH,
		NEXT_MPLS };
	uint8_t flags = rd_u8(&c->at.rd);

	rd_u16(&c->at.rd);
	uint8_t protocol = rd_u8(&c->at.rd);
	uint32_t vni = rd_u32(&c->at.rd);
	uint8_t next = NEXT_ETHERNET; /* without P it is plain VXLAN */
	if (flags & 0x04)
		next = protocol < sizeof(nexts) ? nexts[protocol] : NEXT_END;
	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
	} else if (flags & 0x30 || next == NEXT_END) {
		chain_not_ip(c, 0);
	} else {
		chain_tunnel(c, LAYER_VXLAN_GPE, vni >> 8);
		c->at.next = next;
	}
}

/* | version 2, option words 6 | O C reserved 6 |  protocol 16  |  VNI 24  | reserved 8 | */
void tunnel_geneve(struct chain *c)
{
	uint8_t first = rd_u8(&c->at.rd);

	rd_u8(&c->at.rd);
	uint16_t type = rd_u16(&c->at.rd);
	uint32_t vni = rd_u32(&c->at.rd);
	rd_bytes(&c->at.rd, (first & 0x3fu) * 4);
	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
	} else if (first >> 6 != 0 || type < 0x600) {
		chain_not_ip(c, type);
	} else {
		chain_tunnel(c, LAYER_GENEVE, vni >> 8);
		tags_ethertype(c, type);
	}
}

/* Extension headers: length in words 1, content, type of the next 1. False: cut or without end. */
static bool skip_gtpu_extensions(struct rd *r, uint8_t type)
{
	for (unsigned n = 0; type != 0; n++) {
		size_t size = rd_u8(r) * 4u;

		if (n == LIMIT_DEPTH || size < 4)
			return false;
		rd_bytes(r, size - 2);
		type = rd_u8(r);
	}
	return rd_ok(r);
}

/* | version 3 PT R E S PN | type 8 | length 16 | TEID 32 | if E S PN: sequence 16, N-PDU 8, next 8
 * | */
void tunnel_gtpu(struct chain *c)
{
	enum { VERSION_1 = 0x30, DATA = 255, OPTIONAL = 7, EXTENDED = 4 };
	uint8_t flags = rd_u8(&c->at.rd);
	uint8_t type = rd_u8(&c->at.rd);
	uint16_t length = rd_u16(&c->at.rd);
	uint32_t teid = rd_u32(&c->at.rd);
	bool ok = true;

	if (rd_ok(&c->at.rd) && ((flags & 0xf0) != VERSION_1 || type != DATA)) {
		chain_not_ip(c, 0);
		return;
	}
	chain_bound(&c->at, length);
	if (flags & OPTIONAL) {
		rd_uint(&c->at.rd, 3);
		uint8_t next = rd_u8(&c->at.rd);

		ok = !(flags & EXTENDED) || skip_gtpu_extensions(&c->at.rd, next);
	}
	if (!ok || !rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
		return;
	}
	chain_tunnel(c, LAYER_GTPU, teid);
	c->at.next = NEXT_IP;
}

/* |N L E V I R K K|  nonce or map versions 24  |  instance id 24, status 8 if I | */
void tunnel_lisp(struct chain *c)
{
	uint8_t flags = rd_u8(&c->at.rd);

	rd_uint(&c->at.rd, 3);
	uint32_t id = rd_u32(&c->at.rd);
	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
	} else if (flags & 3 || !ip_plausible(&c->at)) {
		chain_not_ip(c, 0);
	} else {
		chain_tunnel(c, LAYER_LISP, flags & 0x08 ? id >> 8 : 0);
		c->at.next = NEXT_IP;
	}
}

/* Labels follow at once, in UDP or in IP (RFC 4023). */
void tunnel_mpls(struct chain *c)
{
	chain_tunnel(c, c->pkt->proto == PROTO_UDP ? LAYER_MPLS_UDP : LAYER_MPLS_IP, 0);
	c->at.next = NEXT_MPLS;
}

/*
 * | version 4, type 4 | header words 5, radio 5, binding 5, T F L W M K, 3 | fragment 32 | ...
 * T: the frame is the binding's own (1 is 802.11), else Ethernet; F: a fragment; K: keep-alive.
 */
void tunnel_capwap(struct chain *c)
{
	enum { NATIVE = 0x100, FRAGMENT = 0x80, KEEP_ALIVE = 0x08, BINDING_80211 = 1 };
	struct rd r = c->at.rd;
	uint8_t preamble = rd_u8(&r);
	uint32_t flags = (uint32_t)rd_uint(&r, 3);
	uint32_t size = (flags >> 19) * 4;

	rd_bytes(&c->at.rd, size);
	if (!rd_ok(&r) || !rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
		return;
	}
	if (preamble != 0 || size < 8 || flags & (FRAGMENT | KEEP_ALIVE) ||
			(flags & NATIVE && (flags >> 9 & 0x1f) != BINDING_80211)) {
		chain_not_ip(c, 0);
		return;
	}
	chain_tunnel(c, LAYER_CAPWAP, 0);
	c->at.next = flags & NATIVE ? NEXT_80211_SWAPPED : NEXT_ETHERNET;
}
