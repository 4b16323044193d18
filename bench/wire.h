/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire.h - packets as they are written into a made capture: Ethernet frames whose addresses,
 * lengths and checksums are put in anew.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WIRE_ETHERNET = 14, /* bytes of its header */
	WIRE_MTU = 1500,
	WIRE_MAX = WIRE_ETHERNET + WIRE_MTU,
	WIRE_COPIES = 1 << 23, /* that get endpoints of their own */
};

struct wire_packet {
	uint64_t us;        /* since the first of its conversation */
	uint8_t *bytes;     /* from the Ethernet header on */
	uint32_t size;      /* of 'bytes' */
	uint16_t transport; /* where its header begins */
	uint8_t proto, ip_version;
	bool server; /* sent by it */
};

/* Who speaks in one copy of a conversation. */
struct wire_ends {
	uint32_t client, server; /* IPv4 addresses, and the ends of IPv6 ones */
	uint16_t port;           /* of the client; 0: as it was */
};

/*
 * The ends of a copy.  No two copies below WIRE_COPIES have the same client; where the client may
 * have another port ('own_port'), clients are 65,536 with many ports each.
 */
struct wire_ends wire_ends_of(uint32_t copy, uint64_t random, bool own_port);

/* Writes the ends into a packet; a destination that is a group or all stays what it was. */
void wire_address(struct wire_packet *p, const struct wire_ends *ends);

/* Writes lengths of IP and UDP, and all checksums. */
void wire_seal(struct wire_packet *p);

/*
 * Makes a TCP segment over IPv4 between ports 'client_port' and 'server_port' in p->bytes, which
 * holds WIRE_MAX.  The payload is of p->size bytes and already lies behind the header, at
 * WIRE_PAYLOAD; a SYN has none.
 */
enum { WIRE_PAYLOAD = WIRE_ETHERNET + 20 + 20 };
struct wire_segment {
	uint16_t client_port, server_port;
	uint32_t seq, ack;
	uint8_t flags;
};
void wire_tcp(struct wire_packet *p, const struct wire_segment *s);
