/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal.h - what the headers of a flow's first packets said, for features that can wait.
 *
 * Features that only list or add up headers (struct feature: 'later') keep nothing while a flow is
 * short: its packets are written down here once, about eight bytes each, and shown to them when the
 * flow ends, or when the journal is full.  Most flows are short, so most of these features see a
 * flow as a whole, and have no state at all.
 */
#pragma once

#include "feature/feature.h"

/* What the next packet is compared with; the same when writing and when reading. */
struct journal_last {
	int64_t now_ns;
	uint32_t seq[2]; /* expected next, by direction */
	uint32_t ip_header;
	uint16_t tcp[2]; /* flags, and words of options, by direction */
};

enum {
	JOURNAL_BYTES = 264, /* about 30 packets */
	JOURNAL_ITEM = 2,    /* bytes of the smallest item */
	JOURNAL_SLACK = 4,   /* bytes behind the last item that may be touched */
	JOURNAL_PACKETS = (JOURNAL_BYTES - (int)sizeof(struct journal_last) - JOURNAL_SLACK) /
			  JOURNAL_ITEM, /* in one at most */
};

/* Starts as { 0 }.  Every flow pays for it, so it has one pointer: what is in the block comes
 * first. */
struct journal {
	uint8_t *p; /* a struct journal_last, then the items; NULL: no packet yet */
	uint16_t size, room;
	uint32_t tag; /* the keeper's own */
};

/* A packet, as far as features that can wait look at one (struct pkt has the same words for it). */
struct journal_packet {
	int64_t now_ns;
	uint32_t payload_len, ip_len;
	uint32_t seq, ack;  /* of segments, else 0 */
	uint16_t tcp_flags; /* of segments, else 0 */
	uint16_t marks;     /* PKT_FRAGMENT and PKT_BAD_TRANSPORT */
	uint8_t dir;
	uint8_t transport_len;
	bool segment; /* pkt_is_segment() */
	bool old;     /* pkt_is_old() */
};

/* False when the packet does not fit any more, or without memory (then the flow is marked). */
bool journal_add(struct journal *j, struct pool *pool, struct flow *flow, const struct pkt *pkt);

/* Writes all packets to 'to', which has room for JOURNAL_PACKETS; returns how many. */
size_t journal_list(const struct journal *j, const struct flow *flow, struct journal_packet *to);

/* As features see it that come late: of the classes that bring nothing new tcp_class is
 * TCP_CLASS_RETRANS, of the others TCP_CLASS_NEW. */
void journal_show(const struct journal_packet *p, uint8_t proto, struct pkt *pkt);
