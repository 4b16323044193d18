/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * l2tp.c - data packets of L2TP version 2 (RFC 2661) and 3 (RFC 3931).
 *
 * Version 3 says neither how long its cookie is (0, 4 or 8) nor whether a sublayer of 4 bytes
 * follows nor what is carried: that was agreed in packets nobody kept. So every
 * possible place is tried and the first that looks like a frame is taken.
 */
#include "net/chain.h"

enum {
	IS_CONTROL = 0x8000,
	HAS_LENGTH = 0x4000,
	HAS_SEQUENCE = 0x0800,
	HAS_OFFSET = 0x0200,
	VERSION = 0x000f,
};

/* ff 03 and a protocol of PPP, or 0f 00 / 8f 00 and an ethertype of Cisco HDLC. */
static bool hdlc_plausible(struct cursor at)
{
	uint16_t address = rd_u16(&at.rd);
	uint16_t protocol = rd_u16(&at.rd);

	if (!rd_ok(&at.rd) || !ip_plausible(&at))
		return false;
	return (address == 0xff03 && (protocol == 0x0021 || protocol == 0x0057)) ||
	       ((address == 0x0f00 || address == 0x8f00) &&
			       (protocol == 0x0800 || protocol == 0x86dd));
}

/* The cursor is behind the session id. */
static void version_3(struct chain *c, uint32_t session)
{
	static const uint8_t offsets[] = { 0, 4, 8, 12 };

	for (size_t i = 0; i < sizeof(offsets); i++) {
		struct cursor at = c->at;
		struct rd skipped = rd_bytes(&at.rd, offsets[i]);
		bool hdlc = hdlc_plausible(at);

		if (!rd_ok(&skipped) || !(hdlc || tags_ethernet_plausible(&at)))
			continue;
		if (hdlc)
			rd_u32(&at.rd);
		c->at = at;
		c->at.next = hdlc ? NEXT_IP : NEXT_ETHERNET;
		chain_tunnel(c, LAYER_L2TP, session);
		return;
	}
	chain_not_ip(c, 0);
}

void l2tp_ip(struct chain *c)
{
	uint32_t session = rd_u32(&c->at.rd);

	if (!rd_ok(&c->at.rd))
		chain_short(c, STAGE_TUNNEL);
	else if (session == 0) /* a control message */
		chain_not_ip(c, 0);
	else
		version_3(c, session);
}

/* |T L x x S x O P x x x x version|  Length  |  Tunnel, Session  |  Ns, Nr  |  Offset size | */
static void version_2(struct chain *c, uint16_t flags)
{
	if (flags & HAS_LENGTH) {
		uint16_t length = rd_u16(&c->at.rd);

		chain_bound(&c->at, length > 4 ? length - 4u : 0);
	}
	uint32_t id = rd_u32(&c->at.rd);
	if (flags & HAS_SEQUENCE)
		rd_u32(&c->at.rd);
	if (flags & HAS_OFFSET)
		rd_block(&c->at.rd, 2);
	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
		return;
	}
	chain_tunnel(c, LAYER_L2TP, id);
	c->at.next = NEXT_PPP;
}

void l2tp_udp(struct chain *c)
{
	uint16_t flags = rd_u16(&c->at.rd);

	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_TUNNEL);
	} else if (flags & IS_CONTROL) {
		chain_not_ip(c, 0);
	} else if ((flags & VERSION) == 2) {
		version_2(c, flags);
	} else if ((flags & VERSION) == 3) {
		rd_u16(&c->at.rd);
		l2tp_ip(c);
	} else {
		chain_not_ip(c, 0);
	}
}
