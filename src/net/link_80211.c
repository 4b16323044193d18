/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link_80211.c - IEEE 802.11 data frames, and the headers that capture tools put in front of them:
 * radiotap, PPI, Prism, AVS.
 *
 * Only data frames that are not encrypted lead to IP.  An aggregated frame (A-MSDU) holds several
 * packets: the first is decoded, the others wait in pkt->rest for decode_rest().
 */
#include "net/chain.h"

enum {
	LINK_80211 = 105,
	FCS = 4,
	SUBFRAME_HEADER = 14,
	AVS_MAGIC = 0x80211000, /* and a version in the low 12 bits */
};

/* How a capture header says the frame was stored. */
struct storage {
	bool fcs;     /* four bytes behind the frame */
	bool padded;  /* the body starts at a multiple of 4 */
	bool swapped; /* numbers may be big-endian; frame control tells, its version is always 0 */
};

/* Frame control, as one little-endian number. */
enum {
	TYPE_MASK = 0x000c,
	TYPE_DATA = 0x0008,
	NO_DATA = 0x0040,
	QOS = 0x0080,
	TO_DS = 0x0100,
	FROM_DS = 0x0200,
	PROTECTED = 0x4000,
	HT_CONTROL = 0x8000,
	QOS_AMSDU = 0x80,
};

void link_80211_subframe(struct chain *c)
{
	struct rd r = c->at.rd;

	rd_bytes(&r, 12); /* destination, source */
	size_t size = rd_u16(&r);
	struct cursor llc = { .rd = r, .missing = c->at.missing, .next = NEXT_LLC };

	c->pkt->marks &= (uint16_t)~PKT_MORE;
	c->pkt->rest = (struct rd){ NULL, 0 };
	if (!rd_ok(&r)) {
		chain_short(c, STAGE_LINK);
		return;
	}
	rd_bytes(&r, size);
	rd_bytes(&r, -(SUBFRAME_HEADER + size) & 3);
	if (r.left >= SUBFRAME_HEADER) {
		c->pkt->rest = r;
		c->pkt->marks |= PKT_MORE;
	}
	chain_bound(&llc, size);
	c->at = llc;
}

/* Length of the MAC header that this frame control announces. */
static size_t header_size(unsigned control)
{
	size_t size = 24;

	if ((control & TO_DS) && (control & FROM_DS))
		size += 6;
	if (control & QOS)
		size += control & HT_CONTROL ? 6 : 2;
	return size;
}

/*
 * Frame control 2, duration 2, addresses 6 each (three, or four), sequence 2 before the
 * fourth; QoS control 2; HT control 4.
 */
static void data_80211(struct chain *c, struct storage how, unsigned control)
{
	size_t size = header_size(control);
	struct rd header = rd_bytes(&c->at.rd, size);

	if (how.padded)
		rd_bytes(&c->at.rd, -size & 3);
	rd_bytes(&header, 22);
	unsigned fragment = (how.swapped ? rd_u16(&header) : chain_le(&header, 2)) & 0xf;
	if ((control & TO_DS) && (control & FROM_DS))
		rd_bytes(&header, 6);
	bool aggregate = (control & QOS) && (rd_u8(&header) & QOS_AMSDU);

	if (!rd_ok(&c->at.rd))
		chain_short(c, STAGE_LINK);
	else if (fragment != 0) /* a later part of a frame */
		chain_not_ip(c, 0);
	else if (!aggregate)
		c->at.next = NEXT_LLC;
	else if (c->wrapped) /* only one of its packets could stand for the tunnel's */
		chain_not_ip(c, 0);
	else
		link_80211_subframe(c);
}

static void frame_80211(struct chain *c, struct storage how)
{
	if (how.fcs)
		chain_bound(&c->at, chain_wire(&c->at) > FCS ? chain_wire(&c->at) - FCS : 0);
	struct rd r = c->at.rd;
	unsigned control = chain_le(&r, 2);

	how.swapped = how.swapped && (control & 3) != 0 && (control >> 8 & 3) == 0;
	if (how.swapped)
		control = (control & 0xff) << 8 | control >> 8;
	if (!rd_ok(&r))
		chain_short(c, STAGE_LINK);
	else if ((control & TYPE_MASK) != TYPE_DATA || control & (NO_DATA | PROTECTED))
		chain_not_ip(c, 0);
	else
		data_80211(c, how, control);
}

void link_80211(struct chain *c)
{
	frame_80211(c, (struct storage){ 0 });
}

void link_80211_swapped(struct chain *c)
{
	frame_80211(c, (struct storage){ .swapped = true });
}

/*
 * Little-endian: version 1, padding 1, length 2, present 4 (again while bit 31 is set); then fields
 * in the order of the bits, each aligned to its size: time 8, flags 1, ...
 */
void link_80211_radiotap(struct chain *c)
{
	enum { HAS_TIME = 1 << 0, HAS_FLAGS = 1 << 1, FLAG_FCS = 0x10, FLAG_PADDED = 0x20 };
	struct rd r = c->at.rd;

	rd_u16(&r);
	size_t size = chain_le(&r, 2);
	struct rd header = rd_bytes(&c->at.rd, size);

	rd_u32(&header);
	uint32_t present = chain_le(&header, 4);
	for (uint32_t more = present; more >> 31;)
		more = chain_le(&header, 4);
	if (!rd_ok(&c->at.rd) || !rd_ok(&header)) {
		chain_short(c, STAGE_LINK);
		return;
	}
	if (present & HAS_TIME)
		rd_bytes(&header, 8 + ((size - header.left) & 4));
	unsigned flags = present & HAS_FLAGS ? rd_u8(&header) : 0;
	frame_80211(c, (struct storage){ .fcs = flags & FLAG_FCS, .padded = flags & FLAG_PADDED });
}

/* Does PPI's 802.11-common field (type 2: time 8, flags 2, ...) announce a check sequence? */
static bool ppi_fcs(struct rd fields)
{
	enum { COMMON_80211 = 2 };

	while (rd_more(&fields)) {
		uint32_t type = chain_le(&fields, 2);
		struct rd field = rd_bytes(&fields, chain_le(&fields, 2));

		if (type != COMMON_80211)
			continue;
		rd_bytes(&field, 8);
		return chain_le(&field, 2) & 1;
	}
	return false;
}

/* Little-endian: version 1, flags 1, length 2, link type 4; fields: type 2, length 2, value. */
void link_80211_ppi(struct chain *c)
{
	struct rd r = c->at.rd;

	rd_u16(&r);
	size_t size = chain_le(&r, 2);
	struct rd header = rd_bytes(&c->at.rd, size);

	rd_u32(&header);
	uint32_t type = chain_le(&header, 4);
	if (!rd_ok(&c->at.rd) || !rd_ok(&header)) {
		chain_short(c, STAGE_LINK);
	} else if (type == LINK_80211) {
		frame_80211(c, (struct storage){ .fcs = ppi_fcs(header) });
	} else {
		c->at.type = type > UINT16_MAX ? UINT16_MAX : (uint16_t)type;
		c->at.next = NEXT_LINK;
	}
}

/* Big-endian: magic 4, length 4, and more that is skipped. */
void link_80211_avs(struct chain *c)
{
	struct rd r = c->at.rd;

	rd_u32(&r);
	size_t size = rd_u32(&r);
	if (rd_ok(&r) && size < 8) {
		chain_end(c, OUTCOME_MALFORMED, STAGE_LINK);
		return;
	}
	rd_bytes(&c->at.rd, size);
	if (rd_ok(&r) && rd_ok(&c->at.rd))
		frame_80211(c, (struct storage){ 0 });
	else
		chain_short(c, STAGE_LINK);
}

/* Host order: message code 4, length 4 (always 144), device 16, items.  Some files hold AVS. */
void link_80211_prism(struct chain *c)
{
	enum { PRISM_SIZE = 144 };
	struct rd r = c->at.rd;

	if ((rd_u32(&r) & 0xfffff000) == AVS_MAGIC) {
		link_80211_avs(c);
		return;
	}
	rd_bytes(&c->at.rd, PRISM_SIZE);
	if (rd_ok(&c->at.rd))
		frame_80211(c, (struct storage){ 0 });
	else
		chain_short(c, STAGE_LINK);
}
