/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * key.h - which flow a packet belongs to.
 *
 * Both directions make the same key: the smaller (address, port) comes first.  ICMP queries and
 * their replies share the request's type and the identifier; ESP is keyed by SPI.
 */
#pragma once

#include <string.h>

#include "base/hash.h"
#include "flow/flow.h"

static inline uint64_t key_big_endian(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v);
}

/* Source behind destination in (address, port) order? */
static inline bool key_source_is_second(const struct pkt *pkt)
{
	uint64_t s = key_big_endian(pkt->address[0]), d = key_big_endian(pkt->address[1]);

	if (s == d) {
		s = key_big_endian(pkt->address[0] + 8);
		d = key_big_endian(pkt->address[1] + 8);
	}
	return s != d ? s > d : pkt->port[0] > pkt->port[1];
}

/* VLAN ids in front of the first layer that IP carries; priority tags (id 0) name no VLAN. */
uint64_t key_vlans(const struct pkt *pkt);

/* Protocols without ports put what tells their flows apart where the ports stand. */
bool key_portless(const struct pkt *pkt, bool second, struct flow_key *key);

/*
 * Ports, protocol and version.  Stored as one piece where that is easy to say, since the hash loads
 * them at once, and a processor waits when it loads what it has just stored in smaller pieces.
 */
static inline void key_set_middle(
		struct flow_key *key, uint16_t first, uint16_t second, const struct pkt *pkt)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t all = first | (uint64_t)second << 16 | (uint64_t)pkt->proto << 32 |
		       (uint64_t)pkt->ip_version << 40;

	memcpy(&key->port, &all, sizeof all);
#else
	key->port[0] = first;
	key->port[1] = second;
	key->proto = pkt->proto;
	key->ip_version = pkt->ip_version;
	key->icmp = 0;
#endif
}

_Static_assert(offsetof(struct flow_key, proto) == offsetof(struct flow_key, port) + 4 &&
				offsetof(struct flow_key, ip_version) ==
						offsetof(struct flow_key, port) + 5 &&
				offsetof(struct flow_key, icmp) ==
						offsetof(struct flow_key, port) + 6,
		"key_set_middle() stores them at once");

/*
 * Makes the key of 'pkt'.  True when the packet's source is the key's second endpoint.
 * 'vlan_key': VLAN ids seen at the observation point (in front of any tunnel) are part of it.
 */
static inline bool key_make(const struct pkt *pkt, bool vlan_key, struct flow_key *key)
{
	bool second = key_source_is_second(pkt);

	memcpy(key->address[0], pkt->address[second], 16);
	memcpy(key->address[1], pkt->address[!second], 16);
	key_set_middle(key, pkt->port[second], pkt->port[!second], pkt);
	key->vlans = vlan_key && pkt->layer_count > 0 ? key_vlans(pkt) : 0;
	switch (pkt->proto) {
	case PROTO_ESP:
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return key_portless(pkt, second, key);
	default:
		return second;
	}
}

static inline bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* Never 0. */
static inline uint32_t key_hash(const struct flow_key *key, uint64_t seed)
{
	uint32_t h = (uint32_t)(hash_bytes(key, sizeof *key, seed) >> 32);

	return h + (h == 0);
}

/* The request type that belongs to a reply type of ICMP or ICMPv6; the type itself otherwise. */
uint8_t key_icmp_request(uint8_t ip_version, uint8_t type);
