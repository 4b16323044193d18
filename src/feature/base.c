/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base.c - what every record begins with: who, how much, when, why it ended.
 *
 * All of it stands in the flow already; only records of one direction (bidir=0) need a state, for
 * the time of their own first packet, and community_id for the first ICMP type.
 */
#include <string.h>

#include "feature/community.h"
#include "feature/trail.h"
#include "net/decode.h"

enum { MARKS = 11 };

/* Of the first packet. */
struct base {
	int64_t start_ns;
};

struct out_layer {
	const char *type;
	int64_t id;
	struct field_address sa, da;
};

struct out {
	struct field_address sa, da;
	int32_t sp, dp;
	uint8_t pr, end_reason;
	uint64_t bytes_out, num_pkts_out, bytes_in, num_pkts_in, ip_bytes_out, ip_bytes_in;
	struct field_time time_start, time_end;
	uint64_t flow_id;
	uint32_t part;
	const char *expire_type;
	struct field_text community_id;
	struct field_list vlan, encap, marks;
	int32_t icmp_type, icmp_code, icmp_id;
	int64_t spi;
	uint64_t retrans_out, retrans_in, ooo_out, ooo_in, dup_out, dup_in;
	uint64_t keep_alive_out, keep_alive_in, overlap_out, overlap_in, gaps_out, gaps_in;
	struct field_ms rtt;
	uint64_t icmp_errors_out, icmp_errors_in;
	char community[COMMUNITY_ID_SIZE]; /* the text of community_id */
};

static bool stateless(const struct conf *conf)
{
	return conf->bidir;
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct base *s = state;

	(void)env;
	(void)flow;
	s->start_ns = pkt->now_ns;
	return DONE;
}

/* --- who
 * ------------------------------------------------------------------------------------------ */

static struct field_address address(uint8_t version, const uint8_t *bytes)
{
	struct field_address a = { .version = version };

	memcpy(a.bytes, bytes, version == 4 ? 4 : 16);
	return a;
}

static void fill_key(struct out *o, const struct flow *f, unsigned from)
{
	const struct flow_key *k = &f->key;
	bool ports = flow_has_ports(f);

	o->sa = address(k->ip_version, k->address[from]);
	o->da = address(k->ip_version, k->address[!from]);
	o->pr = k->proto;
	o->sp = ports ? k->port[from] : -1;
	o->dp = ports ? k->port[!from] : -1;
	o->icmp_type = flow_is_icmp(k) ? k->icmp >> 8 : -1;
	o->icmp_code = flow_is_icmp(k) ? k->icmp & 0xff : -1;
	bool spi = k->proto == PROTO_ESP &&
		   !((f->marks & FLOW_NO_PORTS) && k->port[0] == 0 && k->port[1] == 0);

	o->spi = spi ? (int64_t)k->port[0] << 16 | k->port[1] : -1;
}

/* Message types with an identifier: echo, timestamp, information and mask queries, extended echo.
 */
static bool has_icmp_id(const struct flow_key *k)
{
	unsigned type = k->icmp >> 8;

	if (k->proto == PROTO_ICMP)
		return type == 8 || type == 13 || type == 15 || type == 17 || type == 42;
	return k->proto == PROTO_ICMPV6 && (type == 128 || type == 160);
}

static void fill_community_id(
		struct out *o, const struct feature_env *env, const struct flow_view *view)
{
	community_of(view, NULL, (uint16_t)env->conf->community_id_seed, o->community);
	o->community_id = (struct field_text){ o->community, COMMUNITY_ID_SIZE };
}

/* --- outer layers
 * --------------------------------------------------------------------------------- */

static bool has_id(unsigned type)
{
	switch (type) {
	case LAYER_IPIP:
	case LAYER_6IN4:
	case LAYER_4IN6:
	case LAYER_6IN6:
	case LAYER_TEREDO:
	case LAYER_MPLS_UDP:
	case LAYER_ETHERIP:
		return false;
	default:
		return true;
	}
}

static struct out_layer layer(const struct flow_layer *l)
{
	struct out_layer to = { .type = decode_layer_name(l->type), .id = -1 };

	if (has_id(l->type))
		to.id = l->id;
	if (l->ip_version != 0) {
		to.sa = address(l->ip_version, l->address[0]);
		to.da = address(l->ip_version, l->address[1]);
	}
	return to;
}

static void fill_layers(
		struct out *o, const struct feature_env *env, const struct flow_outer *outer)
{
	size_t size = outer->count * (sizeof(struct out_layer) + sizeof(uint16_t));
	struct out_layer *encap = arena_alloc(env->scratch, env->pool, size);
	size_t encaps = 0, vlans = 0;

	if (encap == NULL)
		return;

	uint16_t *vlan = (uint16_t *)(encap + outer->count);

	for (unsigned i = 0; i < outer->count; i++) {
		if (outer->layer[i].type == LAYER_VLAN)
			vlan[vlans++] = (uint16_t)outer->layer[i].id;
		else
			encap[encaps++] = layer(&outer->layer[i]);
	}
	o->vlan = (struct field_list){ vlan, vlans };
	o->encap = (struct field_list){ encap, encaps };
}

/* --- how much, when, how good
 * --------------------------------------------------------------------- */

static void fill_marks(struct out *o, const struct feature_env *env, const struct flow *f)
{
	static const struct {
		uint32_t mark;
		const char *word;
	} names[MARKS] = {
		{ FLOW_MIDSTREAM, "midstream" },
		{ FLOW_TRUNCATED, "truncated" },
		{ FLOW_BACKWARDS, "time_backwards" },
		{ FLOW_GAP, "gap" },
		{ FLOW_CAPPED, "capped" },
		{ FLOW_OFFLOAD, "offload" },
		{ FLOW_INCOMPLETE_DATAGRAM, "incomplete_datagram" },
		{ FLOW_BAD_TRANSPORT, "bad_transport" },
		{ FLOW_NO_PORTS, "no_ports" },
		{ FLOW_SENSOR_DROPS, "sensor_drops" },
		{ FLOW_NO_MEMORY, "no_memory" },
	};
	const char **words = arena_alloc(env->scratch, env->pool, sizeof(char *) * MARKS);
	size_t count = 0;

	for (size_t i = 0; i < MARKS && words != NULL; i++)
		if (f->marks & names[i].mark)
			words[count++] = names[i].word;
	o->marks = (struct field_list){ words, count };
}

static void fill_trouble(struct out *o, const struct flow *f, unsigned out)
{
	uint64_t none = f->key.proto == PROTO_TCP ? 0 : UINT64_MAX;
	struct flow_trouble a = flow_trouble(f, out), b = flow_trouble(f, !out);

	o->retrans_out = a.retrans | none;
	o->retrans_in = b.retrans | none;
	o->ooo_out = a.late | none;
	o->ooo_in = b.late | none;
	o->dup_out = a.duplicate | none;
	o->dup_in = b.duplicate | none;
	o->keep_alive_out = a.keep_alive | none;
	o->keep_alive_in = b.keep_alive | none;
	o->overlap_out = a.overlap | none;
	o->overlap_in = b.overlap | none;
	o->gaps_out = a.gaps | none;
	o->gaps_in = b.gaps | none;
}

static void fill_counters(struct out *o, const struct flow *f, unsigned out)
{
	const struct flow_side *a = &f->side[out], *b = &f->side[!out];
	uint32_t errors_out = flow_icmp_errors(f, out), errors_in = flow_icmp_errors(f, !out);

	o->bytes_out = a->payload_bytes;
	o->bytes_in = b->payload_bytes;
	o->num_pkts_out = a->packets;
	o->num_pkts_in = b->packets;
	o->ip_bytes_out = a->ip_bytes;
	o->ip_bytes_in = b->ip_bytes;
	o->icmp_errors_out = errors_out > 0 ? errors_out : UINT64_MAX;
	o->icmp_errors_in = errors_in > 0 ? errors_in : UINT64_MAX;
}

static void fill_times(struct out *o, const struct base *s, const struct flow_view *view)
{
	const struct flow *f = view->flow;
	const struct flow_side *a = &f->side[view->out], *b = &f->side[!view->out];
	int64_t start = view->both ? f->start_ns : s->start_ns, end = start;

	if (a->packets > 0 && a->last_ns > end)
		end = a->last_ns;
	if (view->both && b->packets > 0 && b->last_ns > end)
		end = b->last_ns;
	o->time_start = (struct field_time){ start, (f->marks & FLOW_NANOSECONDS) != 0 };
	o->time_end = (struct field_time){ end, o->time_start.nanoseconds };
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct flow *f = view->flow;
	unsigned from = flow_endpoint(f, view->out);
	struct out *o = out;

	fill_key(o, f, from);
	fill_counters(o, f, view->out);
	fill_times(o, state, view);
	fill_trouble(o, f, view->out);
	o->icmp_id = has_icmp_id(&f->key) ? f->key.port[0] : -1;
	o->flow_id = flow_id(f);
	o->part = f->part;
	o->end_reason = f->end;
	o->expire_type = f->end == FLOW_END_ACTIVE ? "a" : f->end == FLOW_END_IDLE ? "i" : NULL;
	o->rtt.ns = f->key.proto == PROTO_TCP && f->rtt_ns >= 0 ? f->rtt_ns : -1;
	if (flow_outer(f) != NULL)
		fill_layers(o, env, flow_outer(f));
	if (f->marks != 0)
		fill_marks(o, env, f);
	if (env->conf->community_id)
		fill_community_id(o, env, view);
	return true;
}

/* --- fields
 * --------------------------------------------------------------------------------------- */

static const struct field layer_fields[] = {
	FIELD(struct out_layer, type, "type", "",
			"What kind of layer, such as mpls, pppoe, ipip, 6in4, gre, erspan, vxlan, "
			"geneve, gtpu, l2tp, teredo or ah."),
	FIELD(struct out_layer, id, "id", "",
			"MPLS label, PPPoE session, PBB I-SID, GRE key (0 without one), ERSPAN "
			"session, VXLAN or GENEVE VNI, GTP-U TEID, L2TP session (version 2: tunnel "
			"* 65536 + session), AH SPI, LISP instance (0 without one), NSH service "
			"path.",
			.flags = FIELD_NULLABLE | FIELD_OPTIONAL,
			.null_rule = "left out for layers that have no number"),
	FIELD(struct out_layer, sa, "sa", "",
			"Source address of the IP header that carries the layer.",
			.flags = FIELD_IS_ADDRESS | FIELD_OPTIONAL,
			.null_rule = "left out for layers directly on the link (MPLS, PPPoE, PBB)"),
	FIELD(struct out_layer, da, "da", "",
			"Destination address of the IP header that carries the layer.",
			.flags = FIELD_IS_ADDRESS | FIELD_OPTIONAL,
			.null_rule = "left out for layers directly on the link (MPLS, PPPoE, PBB)"),
	{ 0 },
};

#define IN       FIELD_REVERSE
#define MAYBE    (FIELD_OPTIONAL | FIELD_NULLABLE)
#define PORTLESS "left out for protocols without ports and when no fragment with the ports came"
#define TCP_ONLY "left out for protocols other than TCP"

static const struct field fields[] = {
	FIELD(struct out, sa, "sa", "",
			"Address of the initiator: the sender of the SYN, or the destination of "
			"the SYN-ACK that comes first; else the sender of the first packet.  It "
			"stays in all parts of a split flow.  In records of one direction "
			"(bidir=0): the sender.",
			.flags = FIELD_IS_ADDRESS, .source = "IANA 8, 27; RFC 5103"),
	FIELD(struct out, da, "da", "",
			"Address of the responder.  In records of one direction (bidir=0): the "
			"destination.",
			.flags = FIELD_IS_ADDRESS, .source = "IANA 12, 28; RFC 5103"),
	FIELD(struct out, pr, "pr", "",
			"IP protocol number, behind all IPv6 extension headers and AH, of the "
			"innermost IP packet.",
			.source = "IANA 4"),
	FIELD(struct out, sp, "sp", "",
			"Port of the side named by sa (TCP, UDP, UDP-Lite, SCTP, DCCP).",
			.flags = MAYBE, .null_rule = PORTLESS, .source = "IANA 7"),
	FIELD(struct out, dp, "dp", "",
			"Port of the side named by da (TCP, UDP, UDP-Lite, SCTP, DCCP).",
			.flags = MAYBE, .null_rule = PORTLESS, .source = "IANA 11"),
	FIELD(struct out, bytes_out, "bytes_out", "bytes",
			"Sum of the payload lengths on the wire of all packets from sa to da, "
			"retransmissions too: what follows the header of TCP, UDP, UDP-Lite, SCTP "
			"or DCCP, and everything behind the IP headers for other protocols.  "
			"Link-layer padding never counts; a datagram in fragments counts once, "
			"when it is complete.",
			.source = "Joy; IANA 401 without the transport header"),
	FIELD(struct out, num_pkts_out, "num_pkts_out", "packets",
			"Packets from sa to da, all of them; each fragment is one.",
			.source = "IANA 86, 298"),
	FIELD(struct out, bytes_in, "bytes_in", "bytes", "As bytes_out, from da to sa.",
			.flags = IN, .source = "Joy; RFC 5103"),
	FIELD(struct out, num_pkts_in, "num_pkts_in", "packets", "As num_pkts_out, from da to sa.",
			.flags = IN, .source = "IANA 86 reverse, 299"),
	FIELD(struct out, ip_bytes_out, "ip_bytes_out", "bytes",
			"Sum of the IP lengths of all packets from sa to da: IPv4 total length; 40 "
			"+ IPv6 payload length (or jumbo payload length).  IP length 0 (hardware "
			"offload) counts as the wire length behind the headers in front of IP.",
			.source = "IANA 85"),
	FIELD(struct out, ip_bytes_in, "ip_bytes_in", "bytes", "As ip_bytes_out, from da to sa.",
			.flags = IN, .source = "IANA 85 reverse"),
	FIELD(struct out, time_start, "time_start", "s",
			"Flow time (see time_end) of the first packet in the record (of this part; "
			"bidir=0: of this direction) in the order of capture, in seconds since "
			"1970-01-01 UTC: 6 decimals, or 9 when a packet of the flow came from a "
			"source with a finer clock.",
			.source = "IANA 154, 156"),
	FIELD(struct out, time_end, "time_end", "s",
			"Flow time of the last packet in the record.  The flow time of a packet is "
			"its own time, or the flow time of the packet before it in the flow "
			"(either direction, same part) where that is later: time that runs "
			"backwards stands still, and the flow has the mark time_backwards.  "
			"Fragments are packets of the flow at the moment their datagram is "
			"complete (or given up), in the order they came.",
			.source = "IANA 155, 157"),
	FIELD(struct out, flow_id, "flow_id", "",
			"Number of the conversation's first packet in the run, counted from 1 over "
			"all packets read.  Parts of one conversation, and its two records with "
			"bidir=0, share it.",
			.source = "IANA 148"),
	FIELD(struct out, part, "part", "",
			"1, or for a conversation that the active timeout cut the how-manieth part "
			"of it this is."),
	FIELD(struct out, end_reason, "end_reason", "",
			"Why the flow ended: 1 idle timeout, 2 active timeout, 3 end of flow seen "
			"(TCP: FIN acknowledged both ways, reset, or a new connection on the same "
			"ports), 4 end of the run, 5 lack of resources (memory=).",
			.source = "IANA 136"),
	FIELD(struct out, expire_type, "expire_type", "",
			"\"a\" for end_reason 2, \"i\" for end_reason 1.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out for other reasons", .source = "Joy"),
	FIELD(struct out, community_id, "community_id", "",
			"Community ID version 1 of the innermost addresses, protocol and ports, "
			"with community_id_seed: \"1:\" and the Base64 of a SHA-1.",
			.flags = FIELD_OPTIONAL | FIELD_COMMUNITY_ID,
			.null_rule = "left out unless community_id=1",
			.source = "Community ID specification, version 1"),
	FIELD_SCALARS(struct out, vlan, "vlan", uint16_t, "",
			"VLAN ids of the flow's first packet, outermost first, those inside "
			"tunnels too; priority tags are 0.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without VLAN tags",
			.source = "IANA 243, 245; IEEE 802.1Q"),
	FIELD_LIST_OF(struct out, encap, "encap", struct out_layer, layer_fields,
			"Other layers around the innermost IP packet of the flow's first packet, "
			"outermost first; at most 16 with the VLAN tags (more: mark capped).",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without such layers"),
	FIELD_SCALARS(struct out, marks, "marks", const char *, "",
			"What to know before relying on the record: midstream (TCP without a SYN "
			"at the start), truncated (a packet was cut by snaplen), time_backwards, "
			"gap (TCP bytes never came), capped (a list met its limit), offload "
			"(frames merged by hardware), incomplete_datagram (fragments missing), "
			"bad_transport (a header contradicts itself), no_ports (fragments without "
			"the first), sensor_drops (packets were lost before they reached the "
			"program), no_memory.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when there are none"),
	FIELD(struct out, icmp_type, "icmp_type", "",
			"ICMP or ICMPv6 type that the flow is keyed by: of a query and its replies "
			"the query's.",
			.flags = MAYBE,
			.null_rule = "left out for other protocols and when no fragment with it "
				     "came",
			.source = "IANA 32, 139"),
	FIELD(struct out, icmp_code, "icmp_code", "",
			"ICMP or ICMPv6 code that the flow is keyed by; 0 for replies.",
			.flags = MAYBE,
			.null_rule = "left out for other protocols and when no fragment with it "
				     "came",
			.source = "IANA 32, 139"),
	FIELD(struct out, icmp_id, "icmp_id", "", "Identifier of ICMP queries and their replies.",
			.flags = MAYBE,
			.null_rule = "left out for message types without identifier",
			.source = "RFC 792, RFC 4443, RFC 8335"),
	FIELD(struct out, spi, "spi", "", "Security parameters index.", .flags = MAYBE,
			.null_rule = "left out for protocols other than ESP and when no fragment "
				     "with it came",
			.source = "RFC 4303"),
	FIELD(struct out, retrans_out, "retrans_out", "packets",
			"TCP segments (with payload, SYN or FIN) from sa to da of which every byte "
			"had been seen before, duplicates and keep-alives not counted.",
			.flags = MAYBE, .null_rule = TCP_ONLY),
	FIELD(struct out, retrans_in, "retrans_in", "packets", "As retrans_out, from da to sa.",
			.flags = MAYBE | IN, .null_rule = TCP_ONLY),
	FIELD(struct out, ooo_out, "ooo_out", "packets",
			"TCP segments from sa to da that came late: they begin below the highest "
			"sequence number seen so far, and every byte they have below it had been "
			"missing.",
			.flags = MAYBE, .null_rule = TCP_ONLY),
	FIELD(struct out, ooo_in, "ooo_in", "packets", "As ooo_out, from da to sa.",
			.flags = MAYBE | IN, .null_rule = TCP_ONLY),
	FIELD(struct out, dup_out, "dup_out", "packets",
			"TCP packets from sa to da that are the packet before them in the same "
			"direction once more (same numbers, flags, window, options, length and IP "
			"identification within 1 ms), as mirror ports make them.",
			.flags = MAYBE, .null_rule = TCP_ONLY),
	FIELD(struct out, dup_in, "dup_in", "packets", "As dup_out, from da to sa.",
			.flags = MAYBE | IN, .null_rule = TCP_ONLY),
	FIELD(struct out, keep_alive_out, "keep_alive_out", "packets",
			"TCP keep-alives from sa to da: at most one byte of payload, flag ACK "
			"without SYN, FIN and RST, sequence number one below the next one.",
			.flags = MAYBE, .null_rule = TCP_ONLY, .source = "RFC 9293 section 3.8.4"),
	FIELD(struct out, keep_alive_in, "keep_alive_in", "packets",
			"As keep_alive_out, from da to sa.", .flags = MAYBE | IN,
			.null_rule = TCP_ONLY, .source = "RFC 9293 section 3.8.4"),
	FIELD(struct out, overlap_out, "overlap_out", "packets",
			"TCP segments from sa to da of which some bytes are new and some had been "
			"seen before.",
			.flags = MAYBE, .null_rule = TCP_ONLY),
	FIELD(struct out, overlap_in, "overlap_in", "packets", "As overlap_out, from da to sa.",
			.flags = MAYBE | IN, .null_rule = TCP_ONLY),
	FIELD(struct out, gaps_out, "gaps_out", "packets",
			"TCP segments from sa to da that begin beyond the highest sequence number "
			"seen so far, whether the missing bytes came later or not.",
			.flags = MAYBE, .null_rule = TCP_ONLY),
	FIELD(struct out, gaps_in, "gaps_in", "packets", "As gaps_out, from da to sa.",
			.flags = MAYBE | IN, .null_rule = TCP_ONLY),
	FIELD(struct out, rtt, "rtt_ms", "ms",
			"Round-trip time of the TCP handshake as seen at the capture point: from "
			"the initiator's SYN to the initiator's first packet that acknowledges the "
			"responder's SYN.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out for protocols other than TCP, without the whole "
				     "handshake, when a SYN was sent more than once, and in later "
				     "parts"),
	FIELD(struct out, icmp_errors_out, "icmp_errors_out", "packets",
			"ICMP and ICMPv6 errors that quote a packet from sa to da.  They are "
			"counted here and in no other counter of the record.",
			.flags = MAYBE, .null_rule = "left out when there are none",
			.source = "RFC 792, RFC 4443"),
	FIELD(struct out, icmp_errors_in, "icmp_errors_in", "packets",
			"As icmp_errors_out, for packets from da to sa.", .flags = MAYBE | IN,
			.null_rule = "left out when there are none", .source = "RFC 792, RFC 4443"),
	{ 0 },
};

const struct feature feature_base = {
	.name = "base",
	.help = "who, how much, when",
	.wants = WANT_PACKET,
	.size = sizeof(struct base),
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.fields = fields,
	.always = true,
	.stateless = stateless,
};
