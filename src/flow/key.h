/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * key.h - which flow a packet belongs to.
 *
 * Both directions make the same key: the smaller (address, port) comes first.  ICMP queries and
 * their replies share the request's type and the identifier; ESP is keyed by SPI.
 */
#pragma once

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/hash.h"
#include "flow/flow.h"

static inline uint64_t key_word(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t key_big_endian(const uint8_t *p)
{
	return __builtin_bswap64(key_word(p));
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
 * Stores eight bytes of both endpoints' addresses.  'second' is as good as random, so nothing
 * branches on it; and the words stay in registers for the hash.
 */
static inline void key_set_words(
		struct flow_key *key, size_t at, const struct pkt *pkt, uint64_t second)
{
	const uint64_t s = key_word(pkt->address[0] + at), d = key_word(pkt->address[1] + at);
	const uint64_t swap = (s ^ d) & -second;
	const uint64_t first = s ^ swap, other = d ^ swap;

	memcpy(key->address[0] + at, &first, sizeof first);
	memcpy(key->address[1] + at, &other, sizeof other);
}

/* Ports, protocol and version: a word, too. */
static inline void key_set_middle(struct flow_key *key, const struct pkt *pkt, bool second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint32_t ports;

	memcpy(&ports, pkt->port, sizeof ports);

	const uint32_t swap = (ports ^ (ports << 16 | ports >> 16)) & -(uint32_t)second;
	const uint64_t all = (ports ^ swap) | (uint64_t)pkt->proto << 32 |
			     (uint64_t)pkt->ip_version << 40;

	memcpy(&key->port, &all, sizeof all);
#else
	key->port[0] = pkt->port[second];
	key->port[1] = pkt->port[!second];
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

	key_set_words(key, 0, pkt, second);
	key_set_words(key, 8, pkt, second);
	key_set_middle(key, pkt, second);
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

/* Keys that are compared are equal, or differ anywhere: one question is asked, not one for each
 * part. */
static inline bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
#ifdef __SSE2__
	const __m128i *x = (const void *)a, *y = (const void *)b;
	__m128i same = _mm_cmpeq_epi8(_mm_loadu_si128(x), _mm_loadu_si128(y));

	for (size_t i = 1; i < sizeof *a / sizeof *x; i++)
		same = _mm_and_si128(same,
				_mm_cmpeq_epi8(_mm_loadu_si128(x + i), _mm_loadu_si128(y + i)));
	return _mm_movemask_epi8(same) == 0xffff;
#else
	return memcmp(a, b, sizeof *a) == 0;
#endif
}

/* What a table's seed makes of itself: a number for each word of a key. */
enum { KEY_WORDS = sizeof(struct flow_key) / sizeof(uint64_t) };

struct key_secret {
	uint64_t word[KEY_WORDS];
};

/* Whoever does not know the seed knows nothing of it. */
struct key_secret key_secret(uint64_t seed);

/* Both halves of a product, on top of each other. */
static inline uint64_t key_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * Never 0.  As XXH3 does it for keys of this size, without what such a one does for keys of others:
 * each word is hidden by a secret one, and pairs of them are multiplied.
 */
static inline uint32_t key_hash(const struct flow_key *key, const struct key_secret *secret)
{
	uint64_t h = 0;

	for (size_t i = 0; i < KEY_WORDS; i += 2)
		h += key_fold(key_word((const char *)key + 8 * i) ^ secret->word[i],
				key_word((const char *)key + 8 * i + 8) ^ secret->word[i + 1]);
	h = key_fold(h, 0x9e3779b97f4a7c15u) >> 32;
	return h == 0 ? 1 : (uint32_t)h;
}

/* The request type that belongs to a reply type of ICMP or ICMPv6; the type itself otherwise. */
uint8_t key_icmp_request(uint8_t ip_version, uint8_t type);
