/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flow.h - one flow as features see it.
 *
 * A flow is a biflow (RFC 5103): side[0] is what the initiator sent, side[1] what the responder
 * sent.  The counters include the packet that is being shown.
 */
#pragma once

#include "base/pool.h"
#include "net/packet.h"

/* Canonical: both directions have the same key (the smaller endpoint first). */
struct flow_key {
	uint8_t address[2][16];
	uint16_t port[2]; /* ICMP: identifier, 0; ESP: SPI high, low; without ports: 0 */
	uint8_t proto;
	uint8_t ip_version;
	uint16_t icmp;  /* type << 8 | code, of the request where there is one */
	uint64_t vlans; /* outermost five VLAN ids, 12 bits each from the low end; count in the top 4 bits */
};

enum flow_end { /* IANA flowEndReason (136) */
	FLOW_END_NONE = 0,
	FLOW_END_IDLE = 1,
	FLOW_END_ACTIVE = 2,
	FLOW_END_DETECTED = 3,
	FLOW_END_FORCED = 4,
	FLOW_END_RESOURCES = 5,
};

enum { /* flow.marks */
	FLOW_MIDSTREAM = 1 << 0,  /* TCP: no SYN or SYN-ACK seen */
	FLOW_TRUNCATED = 1 << 1,  /* a packet was cut by snaplen */
	FLOW_BACKWARDS = 1 << 2,  /* a packet's time was before the one before it */
	FLOW_GAP = 1 << 3,        /* TCP bytes that were acknowledged or skipped never came */
	FLOW_CAPPED = 1 << 4,     /* a list or state met its cap */
	FLOW_OFFLOAD = 1 << 5,    /* frames merged by hardware or the kernel */
	FLOW_INCOMPLETE_DATAGRAM = 1 << 6, /* fragments were missing */
	FLOW_BAD_TRANSPORT = 1 << 7, /* transport header contradicts itself */
	FLOW_NANOSECONDS = 1 << 8,   /* times come from a clock finer than a microsecond */
	FLOW_SENSOR_DROPS = 1 << 9,  /* the sensor lost packets meanwhile */
	FLOW_NO_PORTS = 1 << 10,     /* fragments whose first part never came */
	FLOW_REVERSED = 1 << 11,     /* initiator is the key's second endpoint */
	FLOW_CLOSED = 1 << 12,       /* TCP: closed, in its linger */
	FLOW_GONE = 1 << 13,         /* no longer in the table; waits for its turn to be written */
	FLOW_NO_MEMORY = 1 << 14,    /* state could not be allocated */
};

struct flow_side {
	uint64_t packets;
	uint64_t payload_bytes; /* L4 payload on the wire */
	uint64_t ip_bytes;      /* IP lengths */
	int64_t last_ns;        /* time of the last packet; meaningless while packets is 0 */
};

enum { /* flow_tcp.seen */
	TCP_SEEN_ANY = 1 << 0,      /* 'next' is valid */
	TCP_SEEN_SYN = 1 << 1,      /* 'isn' is valid */
	TCP_SEEN_FIN = 1 << 2,      /* 'fin' is valid: sequence number behind the FIN */
	TCP_SEEN_FIN_ACKED = 1 << 3,
	TCP_SEEN_RST = 1 << 4,
	TCP_SEEN_ACK = 1 << 5,      /* 'acked' is valid: highest acknowledgement sent */
	TCP_SEEN_SYN_TWICE = 1 << 6,
	TCP_SEEN_SCALE = 1 << 7,    /* window scale option in the SYN */
};

/* One direction's sequence space. */
struct flow_tcp {
	uint32_t isn;   /* of the first SYN */
	uint32_t next;  /* highest sequence number seen, plus its length */
	uint32_t acked; /* highest acknowledgement number sent */
	uint32_t fin;
	uint32_t print; /* hash of the segment before, to know duplicates */
	uint16_t window; /* last, not scaled */
	uint8_t seen;   /* TCP_SEEN_... */
	uint8_t scale;
	uint32_t retrans, late, duplicate, keep_alive, overlap, gaps; /* segments */
	struct tcp_holes *holes; /* ranges not seen below 'next'; NULL while there are none */
};

struct flow {
	/* first line: what look-up and life need */
	struct flow_key key;
	int64_t deadline_ns; /* on the engine's clock */
	uint32_t hash;
	uint32_t wheel_next, wheel_prev;
	uint32_t marks; /* FLOW_... */

	/* second line: what every packet changes */
	struct flow_side side[2];

	/* now and then */
	int64_t start_ns;  /* of this part */
	int64_t active_ns; /* engine's clock at the start of this part */
	uint64_t number;   /* of the conversation's first packet: the flow id */
	uint64_t part_number; /* of this part's first packet */
	struct arena arena;
	struct flow_outer *outer; /* outer layers of the first packet; NULL without */
	struct flow_stream *stream; /* reassembly; NULL until needed */
	int64_t syn_ns;    /* of the initiator's last SYN before the answer; 0 while unknown */
	int64_t rtt_ns;    /* handshake: SYN to the ACK that ends it; -1 while unknown */
	uint64_t done;     /* one bit a feature (and view) that has seen enough */
	uint32_t icmp_errors[2]; /* ICMP errors that quote a packet sent by side 0, 1 */
	uint32_t part;     /* from 1 */
	uint8_t end;       /* enum flow_end */
	uint8_t slot_level; /* of the timer wheel */
	uint16_t slot;
	struct flow_tcp tcp[2];
	/* the features' states follow */
};

/* Outer layers, copied from the flow's first packet. */
struct flow_outer {
	uint8_t count;
	bool capped;
	struct flow_layer {
		uint8_t type, ip_version;
		uint32_t id;
		uint8_t address[2][16];
	} layer[];
};

/* A record's view of a flow. */
struct flow_view {
	struct flow *flow;
	unsigned out; /* which side is "out" in this record: 0, or 1 in the reverse record of bidir=0 */
	bool both;    /* the other side is in the record too */
};

/* The address and port of the side's sender: side 0 is the initiator. */
static inline unsigned flow_endpoint(const struct flow *f, unsigned side)
{
	return side ^ ((f->marks & FLOW_REVERSED) != 0);
}
