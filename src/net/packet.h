/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.h - what decoding one frame yields: the innermost IP packet, and what it was wrapped in.
 *
 * A struct pkt owns nothing: its readers point into the frame (or into a reassembled
 * datagram) and live as long as that.
 */
#pragma once

#include "base/limits.h"
#include "base/rd.h"

enum {
	PROTO_ICMP = 1,
	PROTO_IGMP = 2,
	PROTO_IPIP = 4,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_DCCP = 33,
	PROTO_IPV6 = 41,
	PROTO_GRE = 47,
	PROTO_ESP = 50,
	PROTO_AH = 51,
	PROTO_ICMPV6 = 58,
	PROTO_ETHERIP = 97,
	PROTO_L2TP = 115,
	PROTO_SCTP = 132,
	PROTO_UDPLITE = 136,
	PROTO_MPLS = 137,
};

enum {
	TCP_FIN = 0x001,
	TCP_SYN = 0x002,
	TCP_RST = 0x004,
	TCP_PSH = 0x008,
	TCP_ACK = 0x010,
	TCP_URG = 0x020,
	TCP_ECE = 0x040,
	TCP_CWR = 0x080,
	TCP_AE = 0x100, /* accurate ECN, once NS (RFC 9768) */
};

/* What wraps the innermost IP packet, outermost first. */
enum layer_type {
	LAYER_VLAN,  /* 802.1Q, 802.1ad, 0x9100; id = VLAN id */
	LAYER_MPLS,  /* id = label */
	LAYER_PPPOE, /* id = session */
	LAYER_PBB,   /* 802.1ah; id = I-SID */
	LAYER_IPIP,  /* IPv4 in IPv4 */
	LAYER_6IN4,
	LAYER_4IN6,
	LAYER_6IN6,
	LAYER_GRE,    /* id = key, 0 without one */
	LAYER_ERSPAN, /* id = session */
	LAYER_VXLAN,  /* id = VNI */
	LAYER_VXLAN_GPE,
	LAYER_GENEVE, /* id = VNI */
	LAYER_GTPU,   /* id = TEID */
	LAYER_L2TP,   /* v2: id = tunnel << 16 | session; v3: id = session */
	LAYER_TEREDO,
	LAYER_MPLS_UDP,
	LAYER_AH, /* id = SPI */
	LAYER_MPLS_IP,
	LAYER_ETHERIP,
	LAYER_LISP, /* id = instance id, 0 without one */
	LAYER_NSH,  /* id = service path */
	LAYER_CAPWAP,
	LAYER_TYPES
};

struct layer {
	const uint8_t *addresses; /* source, destination of the IP header around it; tags: NULL */
	uint32_t id;
	uint8_t type;       /* enum layer_type */
	uint8_t ip_version; /* of 'addresses': 4 (8 bytes) or 6 (32 bytes); 0 without */
};

/* The part of a frame that an outcome speaks of. */
enum stage { STAGE_LINK, STAGE_NETWORK, STAGE_TUNNEL, STAGE_TRANSPORT, STAGES };

enum outcome {
	OUTCOME_PACKET,    /* an IP packet that belongs to a flow */
	OUTCOME_FRAGMENT,  /* an IP fragment: pkt.fragment, pkt.body */
	OUTCOME_NOT_IP,    /* well-formed, but no IP inside: pkt.ethertype */
	OUTCOME_CUT_SHORT, /* the snaplen took what was needed */
	OUTCOME_MALFORMED, /* contradicts itself or its own length */
	OUTCOME_UNKNOWN,   /* a header type nobody here reads: link type, IP version, too deep */
	OUTCOMES
};

enum {                              /* pkt.marks */
	PKT_TRUNCATED = 1 << 0,     /* bytes of this IP packet were not captured */
	PKT_OFFLOAD = 1 << 1,       /* IP length 0: merged or to be segmented by hardware */
	PKT_BAD_TRANSPORT = 1 << 2, /* transport header contradicts itself: ports, no payload */
	PKT_LAYERS_CAPPED = 1 << 3, /* more than LIMIT_LAYERS outer layers */
	PKT_REASSEMBLED = 1 << 4,   /* payload put together from fragments */
	PKT_FRAGMENT = 1 << 5,      /* a fragment: counts as a packet, payload elsewhere */
	PKT_NO_PORTS = 1 << 6,      /* fragment whose first part never came */
	PKT_NANOSECONDS = 1 << 7,   /* from a source with a clock finer than a microsecond */
	PKT_MORE = 1 << 8,          /* the frame holds further packets (802.11 A-MSDU) */
	PKT_INCOMPLETE = 1 << 10,   /* of a datagram whose fragments did not all come */
};

/* What a TCP segment is to the sequence space its sender has shown so far. */
enum tcp_class {
	TCP_CLASS_NEW,        /* in order, or the first of its direction */
	TCP_CLASS_GAP,        /* begins behind bytes that were not seen */
	TCP_CLASS_LATE,       /* out of order: fills (part of) a gap */
	TCP_CLASS_OVERLAP,    /* partly seen before, partly new */
	TCP_CLASS_RETRANS,    /* all of it seen before */
	TCP_CLASS_KEEP_ALIVE, /* at most one byte, just before what comes next (RFC 9293 3.8.4) */
	TCP_CLASS_DUPLICATE,  /* the packet before it once more, as a mirror port makes them */
	TCP_CLASSES
};

struct pkt {
	/* when, and where in the run; set by the engine */
	int64_t ns;       /* packet time since 1970 */
	int64_t clock_ns; /* latest packet time so far: never runs backwards */
	uint64_t number;  /* of the packet in the run, from 1 */

	/* the innermost IP packet */
	struct rd ip;          /* from its header on, as far as captured, padding removed */
	struct rd body;        /* what follows the IP headers: transport header and payload */
	struct rd payload;     /* behind the header of a protocol with ports; else the body */
	struct rd tcp_options; /* raw, as far as captured */
	uint32_t ip_len;       /* IP header and all behind it, by its own length field */
	uint32_t payload_len;  /* of 'payload' on the wire */
	uint8_t transport_len; /* header of TCP, UDP, UDP-Lite; of others, fragments, bad ones: 0 */
	uint32_t ip_header_len; /* from 'ip' to 'body': with options, extension headers, AH */
	uint8_t ip_version;     /* 4 or 6 */
	uint8_t proto;          /* behind all extension headers and AH */
	uint8_t ttl;            /* or hop limit */
	uint8_t tos;            /* DSCP << 2 | ECN */
	uint16_t ip_id;         /* IPv4 */
	uint8_t ip_flags;       /* IPv4: 4 reserved, 2 don't fragment, 1 more fragments */
	uint32_t flow_label;    /* IPv6 */

	/* key material, in the packet's own direction */
	uint8_t address[2][16]; /* source, destination; IPv4 in the first 4 bytes, rest 0 */
	uint16_t port[2];       /* TCP, UDP, UDP-Lite, SCTP, DCCP; else 0 */

	/* TCP */
	uint32_t seq, ack;
	uint16_t tcp_flags; /* TCP_FIN ... TCP_AE */
	uint16_t window;    /* not scaled */

	/* UDP */
	uint16_t udp_checksum;

	/* outside */
	uint16_t marks; /* PKT_... */
	uint8_t stage;  /* enum stage, of every outcome but OUTCOME_PACKET */
	uint8_t depth;  /* headers walked so far, against LIMIT_DEPTH */

	/* what most packets do not have: side by side, and with them the readers */
	uint16_t icmp_id; /* identifier of an ICMP query */
	uint8_t icmp_type, icmp_code;
	bool fragment_more;
	uint8_t layer_count;
	uint16_t ethertype; /* of OUTCOME_NOT_IP; below 0x600: an LLC DSAP; 0 when there is none */
	uint32_t spi;       /* ESP */
	uint32_t fragment_id;
	uint32_t fragment_offset; /* bytes */
	struct rd rest;           /* with PKT_MORE: the A-MSDU subframes not yet decoded */

	/* its place in the flow; set when the flow is known, before features see it */
	uint8_t dir;       /* 0 from the initiator, 1 to it */
	uint8_t tcp_class; /* enum tcp_class */
	uint32_t tcp_next; /* sequence number that was to come next in its direction */
	int64_t now_ns;    /* in flow time: never before that of a packet of the flow before it */

	struct layer layer[LIMIT_LAYERS]; /* last: most packets have none */
};

/* A TCP segment whose header can be believed: not one fragment of it, and no contradiction. */
static inline bool pkt_is_segment(const struct pkt *pkt)
{
	return pkt->proto == PROTO_TCP && !(pkt->marks & (PKT_BAD_TRANSPORT | PKT_FRAGMENT));
}

/* A segment of which nothing is new: retransmission, duplicate, keep-alive. */
static inline bool pkt_is_old(const struct pkt *pkt)
{
	return pkt->proto == PROTO_TCP &&
	       (pkt->tcp_class == TCP_CLASS_RETRANS || pkt->tcp_class == TCP_CLASS_DUPLICATE ||
			       pkt->tcp_class == TCP_CLASS_KEEP_ALIVE);
}
