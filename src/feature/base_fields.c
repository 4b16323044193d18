/* SPDX-License-Identifier: BSD-3-Clause */
/* base_fields.c - what the fields mean that every record begins with. */
#include "feature/base_out.h"

const struct base_mark base_marks[BASE_MARKS] = {
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
	{ 0, "merged" },
};

static const struct field layer_fields[] = {
	FIELD(struct base_layer, type, "type", "",
			"What kind of layer, such as mpls, pppoe, ipip, 6in4, gre, erspan, vxlan, "
			"geneve, gtpu, l2tp, teredo or ah."),
	FIELD(struct base_layer, id, "id", "",
			"MPLS label, PPPoE session, PBB I-SID, GRE key (0 without one), ERSPAN "
			"session, VXLAN or GENEVE VNI, GTP-U TEID, L2TP session (version 2: tunnel "
			"* 65536 + session), AH SPI, LISP instance (0 without one), NSH service "
			"path.",
			.flags = FIELD_NULLABLE | FIELD_OPTIONAL,
			.null_rule = "left out for layers that have no number"),
	FIELD(struct base_layer, sa, "sa", "",
			"Source address of the IP header that carries the layer.",
			.flags = FIELD_IS_ADDRESS | FIELD_OPTIONAL,
			.null_rule = "left out for layers directly on the link (MPLS, PPPoE, PBB)"),
	FIELD(struct base_layer, da, "da", "",
			"Destination address of the IP header that carries the layer.",
			.flags = FIELD_IS_ADDRESS | FIELD_OPTIONAL,
			.null_rule = "left out for layers directly on the link (MPLS, PPPoE, PBB)"),
	{ 0 },
};

#define IN       FIELD_REVERSE
#define MAYBE    (FIELD_OPTIONAL | FIELD_NULLABLE)
#define PORTLESS "left out for protocols without ports and when no fragment with the ports came"
#define TCP_ONLY "left out for protocols other than TCP"

const struct field base_fields[] = {
	FIELD(struct base_out, sa, "sa", "",
			"Address of the initiator: the sender of the SYN, or the destination of "
			"the SYN-ACK that comes first; else the sender of the first packet.  It "
			"stays in all parts of a split flow.  In records of one direction "
			"(bidir=0): the sender.",
			.flags = FIELD_IS_ADDRESS, .source = "IANA 8, 27; RFC 5103"),
	FIELD(struct base_out, da, "da", "",
			"Address of the responder.  In records of one direction (bidir=0): the "
			"destination.",
			.flags = FIELD_IS_ADDRESS, .source = "IANA 12, 28; RFC 5103"),
	FIELD(struct base_out, pr, "pr", "",
			"IP protocol number, behind all IPv6 extension headers and AH, of the "
			"innermost IP packet.",
			.source = "IANA 4"),
	FIELD(struct base_out, sp, "sp", "",
			"Port of the side named by sa (TCP, UDP, UDP-Lite, SCTP, DCCP).",
			.flags = MAYBE, .null_rule = PORTLESS, .source = "IANA 7"),
	FIELD(struct base_out, dp, "dp", "",
			"Port of the side named by da (TCP, UDP, UDP-Lite, SCTP, DCCP).",
			.flags = MAYBE, .null_rule = PORTLESS, .source = "IANA 11"),
	FIELD(struct base_out, bytes_out, "bytes_out", "bytes",
			"Sum of the payload lengths on the wire of all packets from sa to da, "
			"retransmissions too: what follows the header of TCP, UDP, UDP-Lite, SCTP "
			"or DCCP, and everything behind the IP headers for other protocols.  "
			"Link-layer padding never counts; a datagram in fragments counts once, "
			"when it is complete.",
			.source = "Joy; IANA 401 without the transport header", .merge = MERGE_SUM),
	FIELD(struct base_out, num_pkts_out, "num_pkts_out", "packets",
			"Packets from sa to da, all of them; each fragment is one.",
			.source = "IANA 86, 298", .merge = MERGE_SUM),
	FIELD(struct base_out, bytes_in, "bytes_in", "bytes", "As bytes_out, from da to sa.",
			.flags = IN, .source = "Joy; RFC 5103", .merge = MERGE_SUM),
	FIELD(struct base_out, num_pkts_in, "num_pkts_in", "packets",
			"As num_pkts_out, from da to sa.", .flags = IN,
			.source = "IANA 86 reverse, 299", .merge = MERGE_SUM),
	FIELD(struct base_out, ip_bytes_out, "ip_bytes_out", "bytes",
			"Sum of the IP lengths of all packets from sa to da: IPv4 total length; 40 "
			"+ IPv6 payload length (or jumbo payload length).  IP length 0 (hardware "
			"offload) counts as the wire length behind the headers in front of IP.",
			.source = "IANA 85", .merge = MERGE_SUM),
	FIELD(struct base_out, ip_bytes_in, "ip_bytes_in", "bytes",
			"As ip_bytes_out, from da to sa.", .flags = IN, .source = "IANA 85 reverse",
			.merge = MERGE_SUM),
	FIELD(struct base_out, time_start, "time_start", "s",
			"Flow time (see time_end) of the first packet in the record (of this part; "
			"bidir=0: of this direction) in the order of capture, in seconds since "
			"1970-01-01 UTC: 6 decimals, or 9 when a packet of the flow came from a "
			"source with a finer clock.",
			.source = "IANA 154, 156", .merge = MERGE_BEGIN),
	FIELD(struct base_out, time_end, "time_end", "s",
			"Flow time of the last packet in the record.  The flow time of a packet is "
			"its own time, or the flow time of the packet before it in the flow "
			"(either direction, same part) where that is later: time that runs "
			"backwards stands still, and the flow has the mark time_backwards.  "
			"Fragments are packets of the flow at the moment their datagram is "
			"complete (or given up), in the order they came.",
			.source = "IANA 155, 157", .merge = MERGE_END),
	FIELD(struct base_out, flow_id, "flow_id", "",
			"Number of the conversation's first packet in the run, counted from 1 over "
			"all packets read (independent=1: over those of the file).  Parts of one "
			"conversation, and its two records with bidir=0, share it.",
			.source = "IANA 148"),
	FIELD(struct base_out, part, "part", "",
			"1, or for a conversation that the active timeout cut the how-manieth part "
			"of it this is.",
			.merge = MERGE_BEGIN),
	FIELD(struct base_out, end_reason, "end_reason", "",
			"Why the flow ended: 1 idle timeout, 2 active timeout, 3 end of flow seen "
			"(TCP: FIN acknowledged both ways, reset, or a new connection on the same "
			"ports), 4 end of the run, 5 lack of resources (memory=).",
			.source = "IANA 136", .merge = MERGE_END),
	FIELD(struct base_out, expire_type, "expire_type", "",
			"\"a\" for end_reason 2, \"i\" for end_reason 1.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out for other reasons", .source = "Joy",
			.merge = MERGE_END),
	FIELD(struct base_out, community_id, "community_id", "",
			"Community ID version 1 of the innermost addresses, protocol and ports, "
			"with community_id_seed: \"1:\" and the Base64 of a SHA-1.",
			.flags = FIELD_OPTIONAL | FIELD_COMMUNITY_ID,
			.null_rule = "left out unless community_id=1",
			.source = "Community ID specification, version 1"),
	FIELD_SCALARS(struct base_out, vlan, "vlan", uint16_t, "",
			"VLAN ids of the flow's first packet, outermost first, those inside "
			"tunnels too; priority tags are 0.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without VLAN tags",
			.source = "IANA 243, 245; IEEE 802.1Q", .merge = MERGE_BEGIN),
	FIELD_LIST_OF(struct base_out, encap, "encap", struct base_layer, layer_fields,
			"Other layers around the innermost IP packet of the flow's first packet, "
			"outermost first; at most 16 with the VLAN tags (more: mark capped).",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without such layers",
			.merge = MERGE_BEGIN),
	FIELD_SCALARS(struct base_out, marks, "marks", const char *, "",
			"What to know before relying on the record: midstream (TCP without a SYN "
			"at the start), truncated (a packet was cut by snaplen), time_backwards, "
			"gap (TCP bytes never came), capped (a list met its limit), offload "
			"(frames merged by hardware), incomplete_datagram (fragments missing), "
			"bad_transport (a header contradicts itself), no_ports (fragments without "
			"the first), sensor_drops (packets were lost before they reached the "
			"program), no_memory, merged (made of the parts of a split flow; see "
			"doc/merge.md).",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when there are none",
			.merge = MERGE_OWN),
	FIELD(struct base_out, icmp_type, "icmp_type", "",
			"ICMP or ICMPv6 type that the flow is keyed by: of a query and its replies "
			"the query's.",
			.flags = MAYBE,
			.null_rule = "left out for other protocols and when no fragment with it "
				     "came",
			.source = "IANA 32, 139"),
	FIELD(struct base_out, icmp_code, "icmp_code", "",
			"ICMP or ICMPv6 code that the flow is keyed by; 0 for replies.",
			.flags = MAYBE,
			.null_rule = "left out for other protocols and when no fragment with it "
				     "came",
			.source = "IANA 32, 139"),
	FIELD(struct base_out, icmp_id, "icmp_id", "",
			"Identifier of ICMP queries and their replies.", .flags = MAYBE,
			.null_rule = "left out for message types without identifier",
			.source = "RFC 792, RFC 4443, RFC 8335"),
	FIELD(struct base_out, spi, "spi", "", "Security parameters index.", .flags = MAYBE,
			.null_rule = "left out for protocols other than ESP and when no fragment "
				     "with it came",
			.source = "RFC 4303"),
	FIELD(struct base_out, retrans_out, "retrans_out", "packets",
			"TCP segments (with payload, SYN or FIN) from sa to da of which every byte "
			"had been seen before, duplicates and keep-alives not counted.",
			.flags = MAYBE, .null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, retrans_in, "retrans_in", "packets",
			"As retrans_out, from da to sa.", .flags = MAYBE | IN,
			.null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, ooo_out, "ooo_out", "packets",
			"TCP segments from sa to da that came late: they begin below the highest "
			"sequence number seen so far, and every byte they have below it had been "
			"missing.",
			.flags = MAYBE, .null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, ooo_in, "ooo_in", "packets", "As ooo_out, from da to sa.",
			.flags = MAYBE | IN, .null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, dup_out, "dup_out", "packets",
			"TCP packets from sa to da that are the packet before them in the same "
			"direction once more (same numbers, flags, window, options, length and IP "
			"identification within 1 ms), as mirror ports make them.",
			.flags = MAYBE, .null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, dup_in, "dup_in", "packets", "As dup_out, from da to sa.",
			.flags = MAYBE | IN, .null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, keep_alive_out, "keep_alive_out", "packets",
			"TCP keep-alives from sa to da: at most one byte of payload, flag ACK "
			"without SYN, FIN and RST, sequence number one below the next one.",
			.flags = MAYBE, .null_rule = TCP_ONLY, .source = "RFC 9293 section 3.8.4",
			.merge = MERGE_SUM),
	FIELD(struct base_out, keep_alive_in, "keep_alive_in", "packets",
			"As keep_alive_out, from da to sa.", .flags = MAYBE | IN,
			.null_rule = TCP_ONLY, .source = "RFC 9293 section 3.8.4",
			.merge = MERGE_SUM),
	FIELD(struct base_out, overlap_out, "overlap_out", "packets",
			"TCP segments from sa to da of which some bytes are new and some had been "
			"seen before.",
			.flags = MAYBE, .null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, overlap_in, "overlap_in", "packets",
			"As overlap_out, from da to sa.", .flags = MAYBE | IN,
			.null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, gaps_out, "gaps_out", "packets",
			"TCP segments from sa to da that begin beyond the highest sequence number "
			"seen so far, whether the missing bytes came later or not.",
			.flags = MAYBE, .null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, gaps_in, "gaps_in", "packets", "As gaps_out, from da to sa.",
			.flags = MAYBE | IN, .null_rule = TCP_ONLY, .merge = MERGE_SUM),
	FIELD(struct base_out, rtt, "rtt_ms", "ms",
			"Round-trip time of the TCP handshake as seen at the capture point: from "
			"the initiator's SYN to the initiator's first packet that acknowledges the "
			"responder's SYN.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out for protocols other than TCP, without the whole "
				     "handshake, when a SYN was sent more than once, and in later "
				     "parts",
			.merge = MERGE_BEGIN),
	FIELD(struct base_out, icmp_errors_out, "icmp_errors_out", "packets",
			"ICMP and ICMPv6 errors that quote a packet from sa to da.  They are "
			"counted here and in no other counter of the record.",
			.flags = MAYBE, .null_rule = "left out when there are none",
			.source = "RFC 792, RFC 4443", .merge = MERGE_SUM),
	FIELD(struct base_out, icmp_errors_in, "icmp_errors_in", "packets",
			"As icmp_errors_out, for packets from da to sa.", .flags = MAYBE | IN,
			.null_rule = "left out when there are none", .source = "RFC 792, RFC 4443",
			.merge = MERGE_SUM),
	{ 0 },
};
