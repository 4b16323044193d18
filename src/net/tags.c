/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tags.c - what stands between a link-layer header and the network layer: ethertypes, LLC and
 * SNAP, VLAN tags, MPLS labels, PPPoE and PPP, provider backbone tags, MACsec and smaller ones.
 *
 * Tunnels carry these too, so every step here works anywhere in the chain.
 */
#include "net/chain.h"

enum {
	TYPE_LENGTH_MAX = 1500, /* IEEE 802.3: up to here it is a length, LLC follows */
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_TRILL = 0x22f3,
	TYPE_BRIDGING = 0x6558,
	TYPE_VLAN = 0x8100,
	TYPE_IP6 = 0x86dd,
	TYPE_PPP = 0x880b,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_PPPOE = 0x8864,
	TYPE_JUMBO_LLC = 0x8870,
	TYPE_PROVIDER_VLAN = 0x88a8,
	TYPE_LLDP = 0x88cc,
	TYPE_MACSEC = 0x88e5,
	TYPE_PBB = 0x88e7,
	TYPE_FABRICPATH = 0x8903,
	TYPE_METADATA = 0x8909,
	TYPE_VNTAG = 0x8926,
	TYPE_NSH = 0x894f,
	TYPE_OLD_VLAN = 0x9100,
	TYPE_OLD_VLAN_2 = 0x9200,
	LLC_UI = 3,
	SAP_IP = 0x06,
	SAP_SNAP = 0xaa,
	SAP_ISO = 0xfe,
};

static enum next next_of_type(uint16_t type)
{
	switch (type) {
	case TYPE_IP4:
	case TYPE_IP6:
		return NEXT_IP;
	case TYPE_VLAN:
	case TYPE_PROVIDER_VLAN:
	case TYPE_OLD_VLAN:
	case TYPE_OLD_VLAN_2:
		return NEXT_VLAN;
	case TYPE_MPLS:
	case TYPE_MPLS_MULTICAST:
		return NEXT_MPLS;
	case TYPE_PPPOE:
		return NEXT_PPPOE;
	case TYPE_PPP:
		return NEXT_PPP;
	case TYPE_PBB:
		return NEXT_PBB;
	case TYPE_MACSEC:
		return NEXT_MACSEC;
	case TYPE_FABRICPATH:
		return NEXT_FABRICPATH;
	case TYPE_METADATA:
		return NEXT_METADATA;
	case TYPE_VNTAG:
		return NEXT_VNTAG;
	case TYPE_TRILL:
		return NEXT_TRILL;
	case TYPE_NSH:
		return NEXT_NSH;
	case TYPE_BRIDGING:
		return NEXT_ETHERNET;
	case TYPE_JUMBO_LLC:
		return NEXT_LLC;
	default:
		return NEXT_END;
	}
}

void tags_ethertype(struct chain *c, uint16_t type)
{
	enum next next = next_of_type(type);

	if (type <= TYPE_LENGTH_MAX) {
		chain_bound(&c->at, type);
		next = NEXT_LLC;
	}
	if (next == NEXT_END)
		chain_not_ip(c, type);
	else
		c->at.next = (uint8_t)next;
}

/* Reads an ethertype and goes on with what it announces. */
static void ethertype_follows(struct chain *c)
{
	uint16_t type = rd_u16(&c->at.rd);

	if (rd_ok(&c->at.rd))
		tags_ethertype(c, type);
	else
		chain_short(c, STAGE_LINK);
}

void tags_nlpid(struct chain *c, uint8_t id)
{
	switch (id) {
	case 0xcc:
	case 0x8e:
		c->at.next = NEXT_IP;
		break;
	case 0x80:
		tags_snap(c);
		break;
	case 0xcf:
		c->at.next = NEXT_PPP;
		break;
	default:
		chain_not_ip(c, SAP_ISO);
	}
}

/* SNAP (IEEE 802): organization 3, protocol 2; bridged Ethernet as of RFC 2684. */
void tags_snap(struct chain *c)
{
	uint32_t organization = (uint32_t)rd_uint(&c->at.rd, 3);
	uint16_t protocol = rd_u16(&c->at.rd);

	if (!rd_ok(&c->at.rd))
		chain_short(c, STAGE_LINK);
	else if ((organization == 0 || organization == 0xf8) && protocol > TYPE_LENGTH_MAX)
		tags_ethertype(c, protocol);
	else if (organization == 0x0080c2 && (protocol == 1 || protocol == 7))
		c->at.next = NEXT_ETHERNET;
	else
		chain_not_ip(c, SAP_SNAP);
}

/* LLC (IEEE 802.2): destination SAP 1, source SAP 1, control 1 or 2. */
void tags_llc(struct chain *c)
{
	struct rd r = c->at.rd;
	uint8_t to = rd_u8(&r);
	uint8_t from = rd_u8(&r);
	uint8_t control = rd_u8(&r);

	if (!rd_ok(&r)) {
		chain_short(c, STAGE_LINK);
		return;
	}
	c->at.rd = r;
	if (control != LLC_UI || to != from)
		chain_not_ip(c, to);
	else if (to == SAP_SNAP)
		tags_snap(c);
	else if (to == SAP_IP)
		c->at.next = NEXT_IP;
	else if (to == SAP_ISO)
		tags_nlpid(c, rd_u8(&c->at.rd));
	else
		chain_not_ip(c, to);
}

/* VLAN tag (IEEE 802.1Q): priority 3, drop eligible 1, VLAN id 12; the type of what follows. */
void tags_vlan(struct chain *c)
{
	uint16_t tag = rd_u16(&c->at.rd);

	if (rd_ok(&c->at.rd))
		chain_tag(c, LAYER_VLAN, tag & 0xfffu);
	ethertype_follows(c);
}

/*
 * What the last label carries is not stated.  4 and 6 are IP's versions; 0 begins a control word
 * (RFC 4385) or a MAC address; 1 an associated channel (RFC 5586), which no flow is made of.
 */
static void below_mpls(struct chain *c)
{
	enum { CONTROL_WORD = 4, ETHERNET_HEADER = 14 };
	struct cursor behind = c->at; /* the control word */
	unsigned nibble = chain_version(&c->at);

	rd_u32(&behind.rd);
	if (!rd_more(&c->at.rd))
		chain_short(c, STAGE_LINK);
	else if (ip_plausible(&c->at))
		c->at.next = NEXT_IP;
	else if (nibble == 0 && tags_ethernet_plausible(&behind)) {
		c->at = behind;
		c->at.next = NEXT_ETHERNET;
	} else if (nibble != 1 && tags_ethernet_plausible(&c->at))
		c->at.next = NEXT_ETHERNET;
	else if (nibble == 4 || nibble == 6)
		c->at.next = NEXT_IP;
	else if (c->at.missing > 0 && c->at.rd.left <= CONTROL_WORD + ETHERNET_HEADER)
		chain_short(c, STAGE_LINK);
	else
		chain_not_ip(c, TYPE_MPLS);
}

/* MPLS label stack entry (RFC 3032): label 20, traffic class 3, bottom of stack 1, TTL 8. */
void tags_mpls(struct chain *c)
{
	uint32_t entry = rd_u32(&c->at.rd);

	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_LINK);
		return;
	}
	chain_tag(c, LAYER_MPLS, entry >> 12);
	if (entry & 0x100)
		below_mpls(c);
	else
		c->at.next = NEXT_MPLS;
}

/* PPPoE (RFC 2516): version 4, type 4, code 1, session 2, length 2; code 0 is data. */
void tags_pppoe(struct chain *c)
{
	struct rd r = c->at.rd;
	uint8_t version = rd_u8(&r);
	uint8_t code = rd_u8(&r);
	uint16_t session = rd_u16(&r);
	uint16_t length = rd_u16(&r);

	if (!rd_ok(&r)) {
		chain_short(c, STAGE_LINK);
		return;
	}
	if (version != 0x11 || code != 0) {
		chain_not_ip(c, TYPE_PPPOE);
		return;
	}
	c->at.rd = r;
	chain_bound(&c->at, length);
	chain_tag(c, LAYER_PPPOE, session);
	c->at.next = NEXT_PPP;
}

/* PPP (RFC 1661, 1662): address and control (ff 03) and the protocol's first 0 may be left out. */
void tags_ppp(struct chain *c)
{
	struct rd r = c->at.rd;

	if (rd_u16(&r) == 0xff03)
		c->at.rd = r;
	uint16_t protocol = rd_u8(&c->at.rd);
	if ((protocol & 1) == 0)
		protocol = (uint16_t)(protocol << 8 | rd_u8(&c->at.rd));
	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_LINK);
		return;
	}
	switch (protocol) {
	case 0x0021:
	case 0x0057:
		c->at.next = NEXT_IP;
		break;
	case 0x0281:
	case 0x0283:
		c->at.next = NEXT_MPLS;
		break;
	default:
		chain_not_ip(c, 0);
	}
}

/* Backbone service instance tag (IEEE 802.1ah): flags 8, I-SID 24; the customer's frame follows. */
void tags_pbb(struct chain *c)
{
	uint32_t tag = rd_u32(&c->at.rd);

	if (!rd_ok(&c->at.rd)) {
		chain_short(c, STAGE_LINK);
		return;
	}
	chain_tag(c, LAYER_PBB, tag & 0xffffff);
	c->at.next = NEXT_ETHERNET;
}

/* MACsec (IEEE 802.1AE): V ES SC SCB E C AN, short length 1, packet number 4, SCI 8 if SC. */
void tags_macsec(struct chain *c)
{
	enum { VERSION = 0x80, HAS_SCI = 0x20, ENCRYPTED = 0x08, CHANGED = 0x04 };
	uint8_t flags = rd_u8(&c->at.rd);

	rd_bytes(&c->at.rd, flags & HAS_SCI ? 13 : 5);
	if (!rd_ok(&c->at.rd))
		chain_short(c, STAGE_LINK);
	else if (flags & (VERSION | ENCRYPTED | CHANGED))
		chain_not_ip(c, TYPE_MACSEC);
	else
		ethertype_follows(c);
}

/* Cisco metadata: version 1, count of options 1, options of 4 bytes. */
void tags_metadata(struct chain *c)
{
	rd_u8(&c->at.rd);
	rd_bytes(&c->at.rd, rd_u8(&c->at.rd) * 4u);
	ethertype_follows(c);
}

/* VN-tag: direction, pointer, interfaces: 4. */
void tags_vntag(struct chain *c)
{
	rd_u32(&c->at.rd);
	ethertype_follows(c);
}

/* TRILL (RFC 6325): version 2, reserved 2, multi 1, option words 5, hops 6; egress, ingress. */
void tags_trill(struct chain *c)
{
	uint16_t first = rd_u16(&c->at.rd);

	rd_u32(&c->at.rd);
	rd_bytes(&c->at.rd, (first >> 6 & 0x1fu) * 4);
	if (!rd_ok(&c->at.rd))
		chain_short(c, STAGE_LINK);
	else if (first >> 14 != 0)
		chain_not_ip(c, TYPE_TRILL);
	else
		c->at.next = NEXT_ETHERNET;
}

/* Cisco FabricPath: tree 10, hops 6; the frame follows. */
void tags_fabricpath(struct chain *c)
{
	rd_u16(&c->at.rd);
	if (rd_ok(&c->at.rd))
		c->at.next = NEXT_ETHERNET;
	else
		chain_short(c, STAGE_LINK);
}

/* NSH (RFC 8300): version 2 ... words 6; metadata type 8; next protocol 8; path 24, index 8. */
void tags_nsh(struct chain *c)
{
	static const uint8_t nexts[] = { NEXT_END, NEXT_IP, NEXT_IP, NEXT_ETHERNET, NEXT_NSH,
		NEXT_MPLS };
	struct rd r = c->at.rd;
	uint16_t first = rd_u16(&r);
	uint16_t protocol = rd_u16(&r) & 0xff;
	uint32_t path = rd_u32(&r);
	uint32_t size = (first & 0x3fu) * 4;

	rd_bytes(&c->at.rd, size);
	if (!rd_ok(&c->at.rd) || !rd_ok(&r)) {
		chain_short(c, STAGE_LINK);
		return;
	}
	if (first >> 14 != 0 || size < 8 || protocol >= sizeof(nexts) ||
			nexts[protocol] == NEXT_END) {
		chain_not_ip(c, TYPE_NSH);
		return;
	}
	chain_tag(c, LAYER_NSH, path >> 8);
	c->at.next = nexts[protocol];
}

bool tags_ethernet_plausible(const struct cursor *at)
{
	struct cursor behind = *at;

	rd_bytes(&behind.rd, 12);
	uint16_t type = rd_u16(&behind.rd);
	if (!rd_ok(&behind.rd))
		return false;
	switch (type) {
	case TYPE_IP4:
		return chain_version(&behind) == 4;
	case TYPE_IP6:
		return chain_version(&behind) == 6;
	case TYPE_ARP:
	case TYPE_LLDP:
		return true;
	default:
		return type <= TYPE_LENGTH_MAX ? type >= 3 && type <= chain_wire(&behind)
					       : next_of_type(type) != NEXT_END;
	}
}
