/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flow.h - one flow as features see it.
 *
 * A flow is a biflow (RFC 5103): side[0] is what the initiator sent, side[1] what the responder
 * sent.  The counters include the packet that is being shown.
 */
#pragma once

#include "base/pool.h"
#include "base/wheel.h"
#include "net/packet.h"

/* Canonical: both directions have the same key (the smaller endpoint first). */
struct flow_key {
	uint8_t address[2][16];
	uint16_t port[2]; /* ICMP: identifier, 0; ESP: SPI high, low; without ports: 0 */
	uint8_t proto;
	uint8_t ip_version;
	uint16_t icmp;  /* type << 8 | code, of the request where there is one */
	uint64_t vlans; /* outermost five VLAN ids, 12 bits each from the low end; count in the top
			   4 bits */
};

enum { FLOW_ICMP_UNKNOWN = 0xffff }; /* flow_key.icmp of fragments without the first one */

enum flow_end { /* IANA flowEndReason (136) */
	FLOW_END_NONE = 0,
	FLOW_END_IDLE = 1,
	FLOW_END_ACTIVE = 2,
	FLOW_END_DETECTED = 3,
	FLOW_END_FORCED = 4,
	FLOW_END_RESOURCES = 5,
};

enum {                           /* flow.marks */
	FLOW_MIDSTREAM = 1 << 0, /* TCP: no SYN or SYN-ACK seen */
	FLOW_TRUNCATED = 1 << 1, /* a packet was cut by snaplen */
	FLOW_BACKWARDS = 1 << 2, /* a packet's time was before the one before it */
	FLOW_GAP = 1 << 3,       /* TCP bytes that were acknowledged or skipped never came */
	FLOW_CAPPED = 1 << 4,    /* a list or state met its cap */
	FLOW_OFFLOAD = 1 << 5,   /* frames merged by hardware or the kernel */
	FLOW_INCOMPLETE_DATAGRAM = 1 << 6, /* fragments were missing */
	FLOW_BAD_TRANSPORT = 1 << 7,       /* transport header contradicts itself */
	FLOW_NANOSECONDS = 1 << 8,         /* times come from a clock finer than a microsecond */
	FLOW_SENSOR_DROPS = 1 << 9,        /* the sensor lost packets meanwhile */
	FLOW_NO_PORTS = 1 << 10,           /* fragments whose first part never came */
	FLOW_REVERSED = 1 << 11,           /* initiator is the key's second endpoint */
	FLOW_CLOSED = 1 << 12,             /* TCP: closed, in its linger */
	FLOW_GONE = 1 << 13,      /* no longer in the table; waits for its turn to be written */
	FLOW_NO_MEMORY = 1 << 14, /* state could not be allocated */
	FLOW_ANSWERS = 1 << 15,   /* ICMP: the initiator sent the reply, not the request */
};

struct flow_side {
	uint64_t packets;
	uint64_t payload_bytes; /* L4 payload on the wire */
	uint64_t ip_bytes;      /* IP lengths */
	int64_t last_ns;        /* time of the last packet; meaningless while packets is 0,
				   but in the table then before all times */
};

enum {                         /* flow_tcp.seen */
	TCP_SEEN_ANY = 1 << 0, /* 'next' is valid */
	TCP_SEEN_SYN = 1 << 1, /* 'isn' is valid */
	TCP_SEEN_FIN = 1 << 2, /* 'fin' is valid: sequence number behind the FIN */
	TCP_SEEN_FIN_ACKED = 1 << 3,
	TCP_SEEN_ANSWER = 1 << 4, /* the peer's SYN-ACK: 'isn' is that of the SYN it answers */
	TCP_SEEN_ACK = 1 << 5,    /* 'acked' is valid: highest acknowledgement sent */
	TCP_SEEN_SYN_TWICE = 1 << 6,
	TCP_SEEN_BOTH = 1 << 7, /* of side 0: both SYNs, and an acknowledgement will tell rtt_ns */
};

/* One direction's sequence space. */
struct flow_tcp {
	uint32_t isn;    /* of the first SYN; until it is seen, what the peer's SYN-ACK answers */
	uint32_t next;   /* highest sequence number seen, plus its length */
	uint32_t acked;  /* highest acknowledgement number sent */
	uint32_t fin;    /* sequence number behind the FIN */
	uint32_t print;  /* hash of the segment before, to know duplicates */
	uint16_t window; /* last, not scaled */
	uint8_t seen;    /* TCP_SEEN_... */
	uint8_t scale;
};

/* Segments of one direction that were not simply the next one; see enum tcp_class. */
struct flow_trouble {
	uint32_t retrans, late, duplicate, keep_alive, overlap, gaps;
	struct tcp_holes
			*holes; /* ranges not seen below flow_tcp.next; NULL while there are none */
};

/* What few flows need: made when first needed, from the flow's arena. */
struct flow_extra {
	uint64_t number; /* of the conversation's first packet, in parts behind the first */
	struct flow_outer *outer;
	struct flow_stream *stream; /* reassembly */
	struct flow_trouble trouble[2];
	uint32_t icmp_errors[2]; /* ICMP errors that quote a packet sent by side 0, 1 */
};

/*
 * Four cache lines.  Packets write the first three: what a flow is found by, its counters, its
 * sequence space.  Of the fourth they read the active timeout; the rest is for the record.
 */
struct flow {
	struct flow_key key;
	struct wheel_item timer; /* deadline on the engine's clock, and its place in the wheel */

	struct flow_side side[2];

	struct flow_tcp tcp[2];
	uint32_t marks; /* FLOW_... */
	uint32_t hash;
	int64_t seen_ns; /* engine's clock at the last packet */

	int64_t start_ns;     /* time of this part's first packet */
	int64_t active_ns;    /* engine's clock at that packet */
	uint64_t part_number; /* number of that packet */
	struct arena arena;
	struct flow_extra *extra; /* NULL until needed */
	int64_t rtt_ns; /* from the SYN to the ACK that ends the handshake; < 0: not known */
	uint32_t part;  /* from 1 */
	uint8_t end;    /* enum flow_end */
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

/* The flow id: number of the conversation's first packet, the same in all its parts. */
static inline uint64_t flow_id(const struct flow *f)
{
	return f->part > 1 && f->extra != NULL ? f->extra->number : f->part_number;
}

/* Has it ports, as far as was seen? */
bool flow_has_ports(const struct flow *f);

/* Is it keyed by an ICMP type and code? */
bool flow_is_icmp(const struct flow_key *k);

/* Outer layers, or NULL. */
static inline const struct flow_outer *flow_outer(const struct flow *f)
{
	return f->extra == NULL ? NULL : f->extra->outer;
}

/* The trouble of one side; all 0 when there was none. */
static inline struct flow_trouble flow_trouble(const struct flow *f, unsigned side)
{
	return f->extra == NULL ? (struct flow_trouble){ 0 } : f->extra->trouble[side];
}

static inline uint32_t flow_icmp_errors(const struct flow *f, unsigned side)
{
	return f->extra == NULL ? 0 : f->extra->icmp_errors[side];
}

/* The extra part, made if need be; NULL (and FLOW_NO_MEMORY) without memory. */
struct flow_extra *flow_need_extra(struct flow *f, struct pool *pool);

/*
 * Takes over from the first packet who opened the conversation and what it was wrapped in.
 * 'second': the packet's source is the key's second endpoint.
 */
void flow_begin(struct flow *f, const struct pkt *pkt, bool second, struct pool *pool);

/* A packet's marks that are marks of its flow too. */
uint32_t flow_marks_of(const struct pkt *pkt);

/* A record's view of a flow. */
struct flow_view {
	struct flow *flow;
	unsigned out; /* which side is "out" in this record: 0, or 1 in the reverse record of
			 bidir=0 */
	bool both;    /* the other side is in the record too */
};

/* The address and port of the side's sender: side 0 is the initiator. */
static inline unsigned flow_endpoint(const struct flow *f, unsigned side)
{
	return side ^ ((f->marks & FLOW_REVERSED) != 0);
}
