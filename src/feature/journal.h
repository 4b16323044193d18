/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal.h - what the headers of a flow's first packets said, for features that can wait.
 *
 * Features that only list or add up headers (struct feature: 'later') keep nothing while a flow is
 * short: its packets are written down here once, about eight bytes each, and shown to them when the
 * flow ends, or when the journal is full.  Most flows are short, so most of the states of these
 * features exist only for the moment in which the record is written.
 */
#pragma once

#include "feature/trail.h"

/* What the next packet is compared with; the same when writing and when reading. */
struct journal_last {
	int64_t now_ns;
	uint32_t seq[2]; /* expected next, by direction */
	uint32_t ip_header;
	uint16_t tcp[2]; /* flags, and words of options, by direction */
};

/* Starts as { 0 }.  Every flow pays for it, so it has one pointer: what is in the block comes
 * first. */
struct journal {
	uint8_t *p; /* a struct journal_last, then the items; NULL: no packet yet */
	uint16_t size, room;
	uint32_t tag; /* the keeper's own */
};

struct journal_reader {
	const uint8_t *at, *end;
	struct journal_last last;
	uint8_t proto;
};

/* False when the packet does not fit any more, or without memory (then the flow is marked). */
bool journal_add(struct journal *j, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt);

struct journal_reader journal_read(const struct journal *j, const struct flow *flow);

/*
 * The next packet, as far as features that can wait look at one: proto, dir, now_ns, payload_len,
 * ip_len, transport_len; tcp_flags, seq and ack of segments; whether tcp_class is one of those that
 * bring nothing new (then it is TCP_CLASS_RETRANS, else TCP_CLASS_NEW); of the marks PKT_FRAGMENT
 * and PKT_BAD_TRANSPORT.  False at the end.
 */
bool journal_next(struct journal_reader *r, struct pkt *pkt);
