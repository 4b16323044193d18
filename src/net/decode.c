/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * decode.c - drives the chain of headers from the link layer to the innermost IP packet.
 *
 * Each step of the table below reads one header and names the next (chain.h); this loop bounds
 * their number.  When the inside of a tunnel comes to nothing, the IP packet that carried
 * the tunnel is the answer.
 */
#include "net/chain.h"

static void (*const steps[NEXT_COUNT])(struct chain *c) = {
	[NEXT_LINK] = link_type,
	[NEXT_ETHERNET] = link_ethernet,
	[NEXT_LLC] = tags_llc,
	[NEXT_VLAN] = tags_vlan,
	[NEXT_MPLS] = tags_mpls,
	[NEXT_PPPOE] = tags_pppoe,
	[NEXT_PPP] = tags_ppp,
	[NEXT_PBB] = tags_pbb,
	[NEXT_MACSEC] = tags_macsec,
	[NEXT_METADATA] = tags_metadata,
	[NEXT_VNTAG] = tags_vntag,
	[NEXT_TRILL] = tags_trill,
	[NEXT_FABRICPATH] = tags_fabricpath,
	[NEXT_NSH] = tags_nsh,
	[NEXT_IP] = ip_packet,
	[NEXT_GRE] = gre_header,
	[NEXT_ETHERIP] = gre_etherip,
	[NEXT_L2TP_IP] = l2tp_ip,
	[NEXT_L2TP_UDP] = l2tp_udp,
	[NEXT_TEREDO] = tunnel_teredo,
	[NEXT_VXLAN] = tunnel_vxlan,
	[NEXT_VXLAN_GPE] = tunnel_vxlan_gpe,
	[NEXT_GENEVE] = tunnel_geneve,
	[NEXT_GTPU] = tunnel_gtpu,
	[NEXT_LISP] = tunnel_lisp,
	[NEXT_MPLS_TUNNEL] = tunnel_mpls,
	[NEXT_CAPWAP] = tunnel_capwap,
	[NEXT_80211_SWAPPED] = link_80211_swapped,
};

static enum outcome chain_run(struct chain *c)
{
	while (c->at.next != NEXT_END) {
		if (c->pkt->depth++ == LIMIT_DEPTH)
			chain_end(c, OUTCOME_UNKNOWN, STAGE_LINK);
		else
			steps[c->at.next](c);
	}
	if (c->outcome == OUTCOME_PACKET || c->outcome == OUTCOME_FRAGMENT || !c->wrapped)
		return c->outcome;
	memcpy(c->pkt, &c->outer, offsetof(struct pkt, layer));
	return OUTCOME_PACKET;
}

static void chain_begin(struct chain *c, const struct decode_rules *rules, struct pkt *pkt)
{
	c->rules = rules;
	c->pkt = pkt;
	c->wrapped = false;
}

static uint32_t missing(const struct frame *frame)
{
	return frame->wirelen > frame->caplen ? frame->wirelen - frame->caplen : 0;
}

enum outcome decode_walk(
		const struct decode_rules *rules, const struct frame *frame, struct pkt *pkt)
{
	struct chain c;

	chain_empty(pkt);
	if (frame->nanoseconds)
		pkt->marks = PKT_NANOSECONDS;
	chain_begin(&c, rules, pkt);
	c.at.rd = (struct rd){ frame->bytes, frame->caplen };
	c.at.missing = missing(frame);
	c.at.type = frame->linktype;
	c.at.next = NEXT_LINK;
	return chain_run(&c);
}

enum outcome decode_frame(
		const struct decode_rules *rules, const struct frame *frame, struct pkt *pkt)
{
	return decode_usual(rules, frame, pkt) ? OUTCOME_PACKET : decode_walk(rules, frame, pkt);
}

enum outcome decode_rest(
		const struct decode_rules *rules, const struct frame *frame, struct pkt *pkt)
{
	struct rd rest = pkt->rest;
	struct chain c;

	chain_empty(pkt);
	if (frame->nanoseconds)
		pkt->marks = PKT_NANOSECONDS;
	chain_begin(&c, rules, pkt);
	c.at.rd = rest;
	c.at.missing = missing(frame);
	link_80211_subframe(&c);
	return chain_run(&c);
}

enum outcome decode_datagram(const struct decode_rules *rules, struct pkt *pkt)
{
	struct chain c;
	uint64_t len = (uint64_t)pkt->ip_header_len + pkt->body.left;

	if (pkt->ip_len < len)
		pkt->ip_len = (uint32_t)len;
	pkt->marks &= (uint16_t) ~(PKT_FRAGMENT | PKT_TRUNCATED);
	pkt->marks |= PKT_REASSEMBLED | (pkt->ip_len > len ? PKT_TRUNCATED : 0);
	chain_begin(&c, rules, pkt);
	c.at.rd = pkt->body;
	c.at.missing = (uint32_t)(pkt->ip_len - len);
	if (ip_extensions(&c))
		transport_header(&c);
	return chain_run(&c);
}
