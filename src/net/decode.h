/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * decode.h - from a frame to the IP packet of its flow.  Pure: no allocation, no state.
 *
 * A frame walks down a chain of headers (link, tags, tunnels, IP) until it meets the
 * innermost IP packet, a fragment, or an end.  Every header is read through struct rd;
 * the chain is at most LIMIT_DEPTH long.
 */
#pragma once

#include "net/frame.h"
#include "net/packet.h"

struct decode_rules {
	bool outermost; /* stop at the first IP header: tunnel=outer */
};

/*
 * Decodes one frame.  Every field of 'pkt' is set but ns, clock_ns, number and those of its place
 * in the flow; of a fragment, those that its own IP header tells.  'marks' carries PKT_NANOSECONDS
 * when the frame does.  With PKT_MORE in 'marks' the caller goes on with
 * decode_rest() until that is gone.
 */
enum outcome decode_frame(
		const struct decode_rules *rules, const struct frame *frame, struct pkt *pkt);

/*
 * Its two halves.  Of a frame of the usual shape the first is true, and 'pkt' holds what the second
 * would have made it: one packet, without PKT_MORE.  False: 'pkt' holds anything.
 */
bool decode_usual(const struct decode_rules *rules, const struct frame *frame, struct pkt *pkt);
enum outcome decode_walk(
		const struct decode_rules *rules, const struct frame *frame, struct pkt *pkt);

/*
 * What tells the flow of a frame that holds one TCP or UDP packet of the usual shape: sums over
 * source and destination, so both directions have the same.  False: decode_frame() has to look.
 */
struct decode_ends {
	uint64_t address[2]; /* of the first and of the last eight bytes, as they lie in memory */
	uint32_t ports;
};
bool decode_ends(const struct decode_rules *rules, const struct frame *frame,
		struct decode_ends *ends);

/* Decodes the next subframe of an A-MSDU: consumes from pkt->rest. */
enum outcome decode_rest(
		const struct decode_rules *rules, const struct frame *frame, struct pkt *pkt);

/*
 * Goes on where reassembly left off: 'pkt' is the packet of the fragment with offset 0, whose
 * 'body' now is the whole datagram, whose 'ip_len' is its 'ip_header_len' and the datagram's
 * length, and whose 'ip' are bytes that live as long (frag_packet() makes one).  May find a tunnel
 * in it, and in the tunnel another fragment.  Sets PKT_REASSEMBLED, clears PKT_FRAGMENT.
 */
enum outcome decode_datagram(const struct decode_rules *rules, struct pkt *pkt);

/*
 * The packet that an ICMP or ICMPv6 error quotes: fills address, port, proto, ip_version,
 * icmp_type/code/id, spi of 'quoted' as far as a flow key needs them (the quoted packet's own
 * direction); layers are copied from 'pkt'.  False when 'pkt' is no ICMP error or too little is
 * quoted.
 */
bool decode_icmp_quote(const struct pkt *pkt, struct pkt *quoted);

/* "ethernet" and the like for messages; NULL for a link type this program does not decode. */
const char *decode_link_name(uint16_t linktype);

/* "vlan", "gre", ... for records. */
const char *decode_layer_name(enum layer_type type);
