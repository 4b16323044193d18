/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gre.c - GRE (RFC 2784, 2890), its PPTP form (RFC 2637), what it carries (ERSPAN, WCCP), and
 * EtherIP (RFC 3378).
 */
#include "net/chain.h"

enum {
	HAS_CHECKSUM = 0x8000,
	HAS_ROUTING = 0x4000,
	HAS_KEY = 0x2000,
	HAS_SEQUENCE = 0x1000,
	HAS_ACK = 0x0080,
	CARRIES_WCCP = 0x883e,
	CARRIES_ERSPAN = 0x88be,
	CARRIES_ERSPAN_3 = 0x22eb,
	CARRIES_PPP = 0x880b,
};

/* Types II and III begin: version 4, VLAN 12, COS 3, encapsulation 2, truncated 1, session 10. */
static void erspan(struct chain *c, unsigned version)
{
	enum { FRAME_ETHERNET = 0, FRAME_IP = 2 };
	uint32_t first = rd_u32(&c->at.rd);
	uint32_t frame_type = FRAME_ETHERNET;

	if (version == 2) {
		rd_u32(&c->at.rd); /* timestamp */
		uint32_t last = rd_u32(&c->at.rd);

		frame_type = last >> 10 & 0x1f;
		if (last & 1) /* platform specific */
			rd_uint(&c->at.rd, 8);
	} else {
		rd_u32(&c->at.rd); /* index */
	}
	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
		return;
	}
	if (first >> 28 != version || (frame_type != FRAME_ETHERNET && frame_type != FRAME_IP)) {
		chain_not_ip(c, 0);
		return;
	}
	chain_tunnel(c, LAYER_ERSPAN, first & 0x3ff);
	c->at.next = frame_type == FRAME_IP ? NEXT_IP : NEXT_ETHERNET;
}

static void carried(struct chain *c, uint16_t type, bool sequence)
{
	if (type == CARRIES_ERSPAN_3) {
		erspan(c, 2);
	} else if (type == CARRIES_ERSPAN && sequence) {
		erspan(c, 1);
	} else if (type == CARRIES_ERSPAN) { /* type I has no header of its own */
		chain_tunnel(c, LAYER_ERSPAN, 0);
		c->at.next = NEXT_ETHERNET;
	} else if (type == CARRIES_WCCP) { /* version 2 puts a redirect header in front */
		if (chain_version(&c->at) != 4)
			rd_u32(&c->at.rd);
		c->at.next = NEXT_IP;
	} else if (type < 0x600) { /* no length: keep-alives, OSI */
		chain_not_ip(c, type);
	} else {
		tags_ethertype(c, type);
	}
}

/* PPTP's: key is payload length 2, call id 2; without a sequence number it only acknowledges. */
static void enhanced(struct chain *c, uint16_t flags, uint16_t type)
{
	uint16_t length = rd_u16(&c->at.rd);
	uint16_t call = rd_u16(&c->at.rd);

	if (flags & HAS_SEQUENCE)
		rd_u32(&c->at.rd);
	if (flags & HAS_ACK)
		rd_u32(&c->at.rd);
	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
		return;
	}
	if (!(flags & HAS_KEY) || !(flags & HAS_SEQUENCE) || type != CARRIES_PPP) {
		chain_not_ip(c, 0);
		return;
	}
	chain_bound(&c->at, length);
	chain_tunnel(c, LAYER_GRE, call);
	c->at.next = NEXT_PPP;
}

/* |C R K S s recur A flags version|  Protocol Type  |  Checksum, Offset  |  Key  |  Sequence | */
void gre_header(struct chain *c)
{
	uint16_t flags = rd_u16(&c->at.rd);
	uint16_t type = rd_u16(&c->at.rd);
	uint32_t key = 0;

	if (rd_ok(&c->at.rd) && (flags & 7) == 1) {
		enhanced(c, flags, type);
		return;
	}
	if (flags & HAS_CHECKSUM)
		rd_u32(&c->at.rd);
	if (flags & HAS_KEY)
		key = rd_u32(&c->at.rd);
	if (flags & HAS_SEQUENCE)
		rd_u32(&c->at.rd);
	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
		return;
	}
	if ((flags & 7) != 0 || flags & HAS_ROUTING) {
		chain_not_ip(c, 0);
		return;
	}
	chain_tunnel(c, LAYER_GRE, key);
	carried(c, type, flags & HAS_SEQUENCE);
}

/* EtherIP: version 4 (3), reserved 12; an Ethernet frame. */
void gre_etherip(struct chain *c)
{
	uint16_t version = rd_u16(&c->at.rd);

	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
		return;
	}
	if (version != 0x3000) {
		chain_not_ip(c, 0);
		return;
	}
	chain_tunnel(c, LAYER_ETHERIP, 0);
	c->at.next = NEXT_ETHERNET;
}
