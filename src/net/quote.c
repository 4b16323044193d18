/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quote.c - the packet that an ICMP (RFC 792) or ICMPv6 (RFC 4443) error quotes.
 *
 * The quotation may end behind the first 8 bytes of the transport header, which is enough for
 * the key of its flow.
 */
#include "net/chain.h"

enum { ICMP_HEADER = 8 };

static bool is_error(const struct pkt *pkt)
{
	uint8_t type = pkt->icmp_type;

	if (pkt->proto == PROTO_ICMPV6) /* unreachable, too big, time exceeded, bad parameter */
		return type >= 1 && type <= 4;
	/* unreachable, quench, redirect, time exceeded, bad parameter */
	return pkt->proto == PROTO_ICMP &&
	       (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

/* The part of the transport header that is in a flow's key. */
static bool transport_key(struct pkt *quoted, struct rd r)
{
	if (transport_has_ports(quoted->proto)) {
		quoted->port[0] = rd_u16(&r);
		quoted->port[1] = rd_u16(&r);
	} else if (quoted->proto == PROTO_ICMP || quoted->proto == PROTO_ICMPV6) {
		quoted->icmp_type = rd_u8(&r);
		quoted->icmp_code = rd_u8(&r);
		rd_u16(&r);
		if (transport_icmp_has_id(quoted->proto, quoted->icmp_type))
			quoted->icmp_id = rd_u16(&r);
	} else if (quoted->proto == PROTO_ESP) {
		quoted->spi = rd_u32(&r);
	}
	return rd_ok(&r);
}

/* The quoted packet's headers; of a fragmented packet the first fragment will do. */
static bool quoted_headers(struct chain *c)
{
	if (ip_headers(c))
		return true;
	return c->outcome == OUTCOME_FRAGMENT && c->pkt->fragment_offset == 0 && ip_extensions(c);
}

bool decode_icmp_quote(const struct pkt *pkt, struct pkt *quoted)
{
	static const struct decode_rules rules = { .outermost = true };
	struct chain c;

	if (!is_error(pkt) || pkt->marks & PKT_BAD_TRANSPORT)
		return false;
	chain_empty(quoted);
	memcpy(quoted->layer, pkt->layer, pkt->layer_count * sizeof(pkt->layer[0]));
	quoted->layer_count = pkt->layer_count;
	c.at = (struct cursor){ .rd = pkt->body, .missing = 0 };
	c.rules = &rules;
	c.pkt = quoted;
	c.outcome = OUTCOME_MALFORMED;
	c.wrapped = false;
	rd_bytes(&c.at.rd, ICMP_HEADER);
	return quoted_headers(&c) && transport_key(quoted, c.at.rd);
}
