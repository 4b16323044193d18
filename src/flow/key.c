/* SPDX-License-Identifier: BSD-3-Clause */
/* key.c - canonical flow keys (biflow, RFC 5103). */
#include "flow/key.h"

#include <string.h>

enum { KEY_VLANS = 5, VLAN_BITS = 12, VLAN_COUNT_SHIFT = 60 };

_Static_assert(sizeof(struct flow_key) == 48,
		"the key has no padding: it is hashed and compared whole");

struct key_secret key_secret(uint64_t seed)
{
	struct key_secret s;

	for (uint64_t i = 0; i < KEY_WORDS; i++)
		s.word[i] = hash_bytes(&i, sizeof i, seed);
	return s;
}

uint8_t key_icmp_request(uint8_t ip_version, uint8_t type)
{
	if (ip_version == 4) {
		switch (type) {
		case 0: /* echo reply */
			return 8;
		case 14: /* timestamp reply */
		case 16: /* information reply */
		case 18: /* address mask reply */
			return (uint8_t)(type - 1);
		case 9: /* router advertisement */
			return 10;
		default:
			return type;
		}
	}
	switch (type) {
	case 129: /* echo reply */
	case 131: /* multicast listener report */
	case 134: /* router advertisement */
	case 136: /* neighbour advertisement */
	case 140: /* node information response */
	case 145: /* home agent address discovery reply */
		return (uint8_t)(type - 1);
	default:
		return type;
	}
}

uint64_t key_vlans(const struct pkt *pkt)
{
	uint64_t ids = 0, count = 0;

	for (unsigned i = 0; i < pkt->layer_count && count < KEY_VLANS; i++) {
		const struct layer *l = &pkt->layer[i];

		if (l->addresses != NULL)
			break;
		if (l->type == LAYER_VLAN && l->id != 0)
			ids |= (uint64_t)(l->id & 0xfff) << (VLAN_BITS * count++);
	}
	return ids | count << VLAN_COUNT_SHIFT;
}

bool key_portless(const struct pkt *pkt, bool second, struct flow_key *key)
{
	if (pkt->proto == PROTO_ESP) {
		key->port[0] = (uint16_t)(pkt->spi >> 16);
		key->port[1] = (uint16_t)pkt->spi;
	} else if (pkt->marks & PKT_NO_PORTS) {
		key->icmp = FLOW_ICMP_UNKNOWN;
	} else if (pkt->proto == PROTO_ICMP || pkt->proto == PROTO_ICMPV6) {
		uint8_t request = key_icmp_request(pkt->ip_version, pkt->icmp_type);
		bool reply = request != pkt->icmp_type;

		key->port[0] = pkt->icmp_id;
		key->icmp = (uint16_t)(request << 8 | (reply ? 0 : pkt->icmp_code));
		/* To oneself: the addresses do not tell the direction, the type does. */
		if (memcmp(pkt->address[0], pkt->address[1], 16) == 0)
			return reply;
	}
	return second;
}
