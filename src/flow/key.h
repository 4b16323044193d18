/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * key.h - which flow a packet belongs to.
 *
 * Both directions make the same key: the smaller (address, port) comes first.  ICMP queries and
 * their replies share the request's type and the identifier; ESP is keyed by SPI.
 */
#pragma once

#include "base/hash.h"
#include "flow/flow.h"

/*
 * Makes the key of 'pkt'.  True when the packet's source is the key's second endpoint.
 * 'vlan_key': VLAN ids seen at the observation point (in front of any tunnel) are part of it.
 */
bool key_make(const struct pkt *pkt, bool vlan_key, struct flow_key *key);

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
