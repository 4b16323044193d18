/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link.c - the link types of capture files, one step each, and the table that knows them all.
 *
 * Numbers and layouts: https://www.tcpdump.org/linktypes.html.  Radio is in link_80211.c.  Some
 * headers hold numbers in the order of the host that captured; each says how it is told.
 */
#include "net/chain.h"

enum {
	LINK_80211 = 105,
	LINK_RADIOTAP = 127,
	HARDWARE_80211 = 801,
	HARDWARE_RADIOTAP = 803,
	HARDWARE_NETLINK = 824,
};

/*
 * Address families of IP, as the systems number them; 0 when it is none of them.  PF_ and AF_
 * headers say the version with it, but the packet itself says so too.
 */
static bool family_is_ip(uint32_t family)
{
	switch (family) {
	case 2:  /* IPv4 everywhere */
	case 10: /* IPv6 on Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return true;
	default:
		return false;
	}
}

static void ip_family(struct chain *c, uint32_t family)
{
	if (!rd_ok(&c->at.rd))
		chain_short(c, STAGE_LINK);
	else if (family_is_ip(family))
		c->at.next = NEXT_IP;
	else
		chain_not_ip(c, 0);
}

/* Takes 'n' bytes off the end of what was on the wire: a frame check sequence. */
static void cut_end(struct cursor *at, uint64_t n)
{
	uint64_t wire = chain_wire(at);

	chain_bound(at, wire > n ? wire - n : 0);
}

/* Destination 6, source 6, type 2. */
void link_ethernet(struct chain *c)
{
	const uint8_t *h = rd_bytes(&c->at.rd, 14).p;

	if (h == NULL)
		chain_short(c, STAGE_LINK);
	else if (chain_u16(h + 12) == 0x0800) /* most frames: no need to ask further */
		c->at.next = NEXT_IP;
	else
		tags_ethertype(c, chain_u16(h + 12));
}

static void link_raw(struct chain *c)
{
	c->at.next = NEXT_IP;
}

/* An address family in the order of the capturing host: families are small numbers. */
static void link_null(struct chain *c)
{
	uint32_t family = rd_u32(&c->at.rd);

	if (family >> 16 == 0x0f00) { /* Cisco HDLC under a wrong name */
		tags_ethertype(c, (uint16_t)family);
		return;
	}
	ip_family(c, family > 0xffff ? __builtin_bswap32(family) : family);
}

/* Address 1 (0f, or 8f for broadcast), control 1, ethertype 2. */
static void link_cisco_hdlc(struct chain *c)
{
	rd_u16(&c->at.rd);
	uint16_t type = rd_u16(&c->at.rd);

	if (!rd_ok(&c->at.rd))
		chain_short(c, STAGE_LINK);
	else if (type <= 1500)
		chain_not_ip(c, type);
	else
		tags_ethertype(c, type);
}

/* PPP, bare or in HDLC framing; but also Cisco HDLC, whose addresses are no PPP protocols. */
static void link_ppp(struct chain *c)
{
	struct rd r = c->at.rd;
	uint8_t address = rd_u8(&r);

	if (address == 0x0f || address == 0x8f)
		link_cisco_hdlc(c);
	else
		c->at.next = NEXT_PPP;
}

static void link_pppoe(struct chain *c)
{
	c->at.next = NEXT_PPPOE;
}

static void link_llc(struct chain *c)
{
	c->at.next = NEXT_LLC;
}

/* Frame control 1, destination 6, source 6, LLC. */
static void link_fddi(struct chain *c)
{
	rd_bytes(&c->at.rd, 13);
	c->at.next = NEXT_LLC;
}

/* Q.922 address up to a byte with its lowest bit set; then RFC 2427 (03, id) or an ethertype. */
static void link_frame_relay(struct chain *c)
{
	for (unsigned n = 0; (rd_u8(&c->at.rd) & 1) == 0 && rd_ok(&c->at.rd); n++) {
		if (n == 4) {
			chain_end(c, OUTCOME_MALFORMED, STAGE_LINK);
			return;
		}
	}
	struct rd r = c->at.rd;
	if (rd_u8(&r) != 0x03) {
		uint16_t type = rd_u16(&c->at.rd);

		if (!rd_ok(&c->at.rd))
			chain_short(c, STAGE_LINK);
		else if (type <= 1500)
			chain_not_ip(c, type);
		else
			tags_ethertype(c, type);
		return;
	}
	uint8_t id = rd_u8(&r);
	if (id == 0) /* padding */
		id = rd_u8(&r);
	c->at.rd = r;
	if (rd_ok(&r))
		tags_nlpid(c, id);
	else
		chain_short(c, STAGE_LINK);
}

/* ARCNET: type 1, behind the addresses; then, with newer types, a split flag and a sequence. */
static void arcnet(struct chain *c, size_t before_type)
{
	enum { IP_OLD = 240, IP = 212, IP6 = 196, EXCEPTION = 0xff };

	rd_bytes(&c->at.rd, before_type);
	uint8_t type = rd_u8(&c->at.rd);
	if (type == IP || type == IP6) {
		uint8_t flag = rd_u8(&c->at.rd);

		rd_bytes(&c->at.rd, flag == EXCEPTION ? 6 : 2);
	}
	if (!rd_ok(&c->at.rd))
		chain_short(c, STAGE_LINK);
	else if (type == IP || type == IP6 || type == IP_OLD)
		c->at.next = NEXT_IP;
	else
		chain_not_ip(c, 0);
}

static void link_arcnet(struct chain *c)
{
	arcnet(c, 2);
}

static void link_arcnet_linux(struct chain *c)
{
	arcnet(c, 4);
}

/* What a "cooked" header's protocol means depends on the hardware type. */
static void cooked(struct chain *c, uint16_t hardware, uint16_t protocol)
{
	enum { NOVELL = 1, LLC = 4 };

	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_LINK);
	} else if (hardware == HARDWARE_RADIOTAP || hardware == HARDWARE_80211) {
		c->at.type = hardware == HARDWARE_80211 ? LINK_80211 : LINK_RADIOTAP;
		c->at.next = NEXT_LINK;
	} else if (hardware == HARDWARE_NETLINK) {
		chain_not_ip(c, 0);
	} else if (protocol == LLC) {
		c->at.next = NEXT_LLC;
	} else if (protocol <= 1500) {
		chain_not_ip(c, protocol == NOVELL ? 0xff : 0);
	} else {
		tags_ethertype(c, protocol);
	}
}

/* Packet type 2, hardware 2, address length 2, address 8, protocol 2. */
static void link_sll(struct chain *c)
{
	rd_u16(&c->at.rd);
	uint16_t hardware = rd_u16(&c->at.rd);

	rd_bytes(&c->at.rd, 10);
	cooked(c, hardware, rd_u16(&c->at.rd));
}

/* Protocol 2, reserved 2, interface 4, hardware 2, packet type 1, address length 1, address 8. */
static void link_sll2(struct chain *c)
{
	uint16_t protocol = rd_u16(&c->at.rd);

	rd_bytes(&c->at.rd, 6);
	uint16_t hardware = rd_u16(&c->at.rd);

	rd_bytes(&c->at.rd, 10);
	cooked(c, hardware, protocol);
}

/*
 * Family 1, version 1, resource 2, then items: length 2 (with these four), type 2, value, padding
 * to
 * 4.  Items are in the order of the capturing host; types are below 256.
 */
static void link_nflog(struct chain *c)
{
	enum { PACKET_HEADER = 1, PAYLOAD = 9, FAMILY_BRIDGE = 7 };
	uint8_t family = rd_u8(&c->at.rd);
	uint16_t ethertype = 0;

	rd_uint(&c->at.rd, 3);
	while (rd_more(&c->at.rd)) {
		uint16_t size = rd_u16(&c->at.rd);
		uint16_t type = rd_u16(&c->at.rd);

		if (type >= 256) {
			size = __builtin_bswap16(size);
			type = __builtin_bswap16(type);
		}
		if (!rd_ok(&c->at.rd) || size < 4)
			break;
		size = (uint16_t)(size - 4);
		if (type == PAYLOAD) {
			chain_bound(&c->at, size);
			if (family == FAMILY_BRIDGE)
				tags_ethertype(c, ethertype);
			else
				ip_family(c, family);
			return;
		}
		struct rd value = rd_bytes(&c->at.rd, size);
		if (type == PACKET_HEADER)
			ethertype = rd_u16(&value);
		rd_bytes(&c->at.rd, -size & 3);
	}
	chain_short(c, STAGE_LINK);
}

/* Length 1 (without its padding to 4), family 1, and more that is skipped. */
static void link_pflog(struct chain *c)
{
	struct rd r = c->at.rd;
	size_t size = rd_u8(&r);
	uint8_t family = rd_u8(&r);

	if (rd_ok(&r) && size < 4) {
		chain_end(c, OUTCOME_MALFORMED, STAGE_LINK);
		return;
	}
	rd_bytes(&c->at.rd, (size + 3) & ~(size_t)3);
	ip_family(c, family);
}

/*
 * Little-endian: length 4, record type 4, link type 4, name 24, flags 4, family 4, header 4,
 * trailer 4, and more that is skipped.
 */
static void link_pktap(struct chain *c)
{
	enum { IS_PACKET = 1 };
	struct rd r = c->at.rd;
	uint32_t size = chain_le(&r, 4);
	uint32_t record = chain_le(&r, 4);
	uint32_t type = chain_le(&r, 4);

	rd_bytes(&r, 24 + 4 + 4 + 4);
	uint32_t trailer = chain_le(&r, 4);
	rd_bytes(&c->at.rd, size);
	if (!rd_ok(&r) || !rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_LINK);
	} else if (record != IS_PACKET || size < 52) {
		chain_not_ip(c, 0);
	} else {
		cut_end(&c->at, trailer);
		c->at.type = type > UINT16_MAX ? UINT16_MAX : (uint16_t)type;
		c->at.next = NEXT_LINK;
	}
}

/* Destination 20, source 20 (in the capture only), ethertype 2, reserved 2. */
static void link_ipoib(struct chain *c)
{
	rd_bytes(&c->at.rd, 40);
	uint16_t type = rd_u16(&c->at.rd);

	rd_u16(&c->at.rd);
	if (!rd_ok(&c->at.rd))
		chain_short(c, STAGE_LINK);
	else
		tags_ethertype(c, type);
}

static const struct link {
	uint16_t number;
	const char *name;
	void (*step)(struct chain *c);
} links[] = {
	{ 0, "null", link_null },
	{ 1, "ethernet", link_ethernet },
	{ 7, "arcnet", link_arcnet },
	{ 9, "ppp", link_ppp },
	{ 10, "fddi", link_fddi },
	{ 12, "raw ip", link_raw },
	{ 14, "raw ip", link_raw },
	{ 50, "ppp in hdlc framing", link_ppp },
	{ 51, "pppoe", link_pppoe },
	{ 100, "llc over atm", link_llc },
	{ 101, "raw ip", link_raw },
	{ 104, "cisco hdlc", link_cisco_hdlc },
	{ LINK_80211, "802.11", link_80211 },
	{ 107, "frame relay", link_frame_relay },
	{ 108, "loop", link_null },
	{ 113, "linux cooked", link_sll },
	{ 117, "pflog", link_pflog },
	{ 119, "802.11 with prism header", link_80211_prism },
	{ LINK_RADIOTAP, "802.11 with radiotap header", link_80211_radiotap },
	{ 129, "linux arcnet", link_arcnet_linux },
	{ 149, "pktap", link_pktap },
	{ 163, "802.11 with avs header", link_80211_avs },
	{ 192, "ppi", link_80211_ppi },
	{ 228, "raw ipv4", link_raw },
	{ 229, "raw ipv6", link_raw },
	{ 239, "nflog", link_nflog },
	{ 242, "ip over infiniband", link_ipoib },
	{ 258, "pktap", link_pktap },
	{ 276, "linux cooked 2", link_sll2 },
};

static const struct link *link_find(uint16_t number)
{
	size_t low = 0, high = sizeof(links) / sizeof(links[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (links[middle].number == number)
			return &links[middle];
		if (links[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *decode_link_name(uint16_t linktype)
{
	const struct link *link = link_find(linktype);

	return link == NULL ? NULL : link->name;
}

void link_type(struct chain *c)
{
	if (c->at.type == 1) {
		link_ethernet(c);
		return;
	}
	const struct link *link = link_find(c->at.type);
	if (link == NULL)
		chain_end(c, OUTCOME_UNKNOWN, STAGE_LINK);
	else
		link->step(c);
}
