/* SPDX-License-Identifier: BSD-3-Clause */
/* flow.c - what a flow takes over from its first packet, and from each. */
#include "flow/flow.h"

#include <string.h>

struct flow_extra *flow_need_extra(struct flow *f, struct pool *pool)
{
	if (f->extra == NULL)
		f->extra = arena_zalloc(&f->arena, pool, sizeof *f->extra);
	if (f->extra == NULL)
		f->marks |= FLOW_NO_MEMORY;
	return f->extra;
}

/* Outer layers of the first packet, kept for the record. */
static void keep_layers(struct flow *f, const struct pkt *pkt, struct pool *pool)
{
	struct flow_extra *x = flow_need_extra(f, pool);
	struct flow_outer *outer;
	size_t size = sizeof *outer + pkt->layer_count * sizeof outer->layer[0];

	if (x == NULL || (x->outer = outer = arena_zalloc(&f->arena, pool, size)) == NULL) {
		f->marks |= FLOW_NO_MEMORY;
		return;
	}
	outer->count = pkt->layer_count;
	outer->capped = (pkt->marks & PKT_LAYERS_CAPPED) != 0;
	for (unsigned i = 0; i < pkt->layer_count; i++) {
		const struct layer *from = &pkt->layer[i];
		struct flow_layer *to = &outer->layer[i];
		size_t n = from->ip_version == 4 ? 4 : 16;

		to->type = from->type;
		to->ip_version = from->ip_version;
		to->id = from->id;
		if (from->addresses != NULL) {
			memcpy(to->address[0], from->addresses, n);
			memcpy(to->address[1], from->addresses + n, n);
		}
	}
}

/* Who opened the conversation: the sender, but the destination of a SYN-ACK. */
static void set_initiator(struct flow *f, const struct pkt *pkt, bool second)
{
	unsigned handshake = pkt_is_segment(pkt) ? pkt->tcp_flags & (TCP_SYN | TCP_ACK) : 0;

	if (second != (handshake == (TCP_SYN | TCP_ACK)))
		f->marks |= FLOW_REVERSED;
	if (pkt->proto == PROTO_TCP && !(handshake & TCP_SYN))
		f->marks |= FLOW_MIDSTREAM;
	if ((pkt->proto == PROTO_ICMP || pkt->proto == PROTO_ICMPV6) &&
			pkt->icmp_type != f->key.icmp >> 8)
		f->marks |= FLOW_ANSWERS;
}

void flow_begin(struct flow *f, const struct pkt *pkt, bool second, struct pool *pool)
{
	f->part_number = pkt->number;
	set_initiator(f, pkt, second);
	if (pkt->layer_count > 0)
		keep_layers(f, pkt, pool);
}

uint32_t flow_marks_of(const struct pkt *pkt)
{
	uint32_t marks = 0;

	if (pkt->marks & PKT_TRUNCATED)
		marks |= FLOW_TRUNCATED;
	if (pkt->marks & PKT_OFFLOAD)
		marks |= FLOW_OFFLOAD;
	if (pkt->marks & PKT_BAD_TRANSPORT)
		marks |= FLOW_BAD_TRANSPORT;
	if (pkt->marks & PKT_LAYERS_CAPPED)
		marks |= FLOW_CAPPED;
	if (pkt->marks & PKT_NO_PORTS)
		marks |= FLOW_NO_PORTS;
	if (pkt->marks & (PKT_NO_PORTS | PKT_INCOMPLETE))
		marks |= FLOW_INCOMPLETE_DATAGRAM;
	if (pkt->marks & PKT_NANOSECONDS)
		marks |= FLOW_NANOSECONDS;
	return marks;
}

bool flow_has_ports(const struct flow *f)
{
	switch (f->key.proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_UDPLITE:
	case PROTO_SCTP:
	case PROTO_DCCP:
		return !(f->marks & FLOW_NO_PORTS) || f->key.port[0] != 0 || f->key.port[1] != 0;
	default:
		return false;
	}
}

bool flow_is_icmp(const struct flow_key *k)
{
	return (k->proto == PROTO_ICMP || k->proto == PROTO_ICMPV6) && k->icmp != FLOW_ICMP_UNKNOWN;
}
