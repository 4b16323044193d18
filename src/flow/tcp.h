/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp.h - what each TCP segment is to its connection (RFC 9293).
 *
 * Each direction remembers the highest sequence number it has shown and the ranges below it that
 * were never seen.  From these a segment is told to be new, behind a gap, late, overlapping,
 * retransmitted, a keep-alive or a duplicate, and the connection to be open or closed. doc/flows.md
 * has the definitions.
 */
#pragma once

#include "flow/flow.h"

/* Before the packet is counted: does this SYN (or SYN-ACK) start another connection on the same
 * key? */
bool tcp_starts_anew(const struct flow *f, const struct pkt *pkt, unsigned dir);

/* Takes a segment: counts it by class, follows handshake, FIN and RST; sets FLOW_CLOSED when it
 * closes the connection. */
enum tcp_class tcp_track(struct flow *f, const struct pkt *pkt, unsigned dir, struct pool *pool);

/* What was to come next in the packet's direction; of the first packet, its own first byte. */
static inline uint32_t tcp_expected(const struct flow *f, const struct pkt *pkt, unsigned dir)
{
	const struct flow_tcp *t = &f->tcp[dir];

	return t->seen & TCP_SEEN_ANY ? t->next : pkt->seq + ((pkt->tcp_flags & TCP_SYN) != 0);
}

/* Carries the sequence state of 'from' into the next part of the same conversation; counters begin
 * anew. */
void tcp_inherit(struct flow *to, const struct flow *from, struct pool *pool);
