/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_packet.c - the beginning of an IP packet, without what may tell whose it is.
 *
 *   IPv4, 20 bytes: version and length, service, total length, id, fragment, TTL, protocol,
 *   checksum at 10, source at 12, destination at 16 (RFC 791); options behind are zeroed.
 *   IPv6, 40 bytes: ..., next header at 6, hop limit, source at 8, destination at 24 (RFC 8200); of
 *   each extension header next header and length stay.
 *   TCP: 20 bytes stay but for the checksum at 16, UDP 8 (6), SCTP 12 (8), ICMP type and code.
 */
#include <string.h>

#include "host/anon_internal.h"
#include "net/packet.h"

enum {
	V4_HEADER = 20,
	V6_HEADER = 40,
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	DESTINATION = 60,
	MOBILITY = 135,
	HIP = 139,
	SHIM6 = 140,
	PROTO_NONE = 59, /* no header follows */
};

static void zero(uint8_t *bytes, size_t size, size_t from)
{
	if (from < size)
		memset(bytes + from, 0, size - from);
}

/* A checksum of 'width' bytes at 'at', and all from 'fixed' on. */
static void keep_fixed(uint8_t *bytes, size_t size, size_t fixed, size_t at, size_t width)
{
	zero(bytes, size, fixed);
	for (size_t i = at; i < at + width && i < size; i++)
		bytes[i] = 0;
}

static void clean_transport(uint8_t proto, uint8_t *bytes, size_t size)
{
	switch (proto) {
	case PROTO_TCP:
		keep_fixed(bytes, size, 20, 16, 2);
		break;
	case PROTO_UDP:
	case PROTO_UDPLITE:
		keep_fixed(bytes, size, 8, 6, 2);
		break;
	case PROTO_SCTP:
		keep_fixed(bytes, size, 12, 8, 4);
		break;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		zero(bytes, size, 2);
		break;
	default:
		zero(bytes, size, 0);
		break;
	}
}

/* RFC 1071 over the header, of which the checksum is 0. */
static void checksum_v4(uint8_t *bytes, size_t header)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < header; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	bytes[10] = (uint8_t)(~sum >> 8);
	bytes[11] = (uint8_t)~sum;
}

static enum anon_outcome address_at(const struct anon *a, struct anon_worker *w, uint8_t version,
		uint8_t *bytes, size_t size, size_t at, enum anon_outcome so_far)
{
	size_t width = version == 4 ? 4 : 16;
	enum anon_outcome one = ANON_CHANGED;

	if (at + width <= size)
		one = anon_address(a, w, version, bytes + at);
	else
		zero(bytes, size, at); /* cut: not all of it could be replaced */
	return one > so_far ? one : so_far;
}

static enum anon_outcome clean_v4(
		const struct anon *a, struct anon_worker *w, uint8_t *bytes, size_t size)
{
	size_t header = 4u * (bytes[0] & 15);
	enum anon_outcome outcome = ANON_CHANGED;
	bool first = size >= 8 && ((bytes[6] & 0x1f) | bytes[7]) == 0;

	outcome = address_at(a, w, 4, bytes, size, 12, outcome);
	outcome = address_at(a, w, 4, bytes, size, 16, outcome);
	if (size < V4_HEADER || header < V4_HEADER) {
		zero(bytes, size, 10);
		return outcome;
	}
	zero(bytes, header < size ? header : size, V4_HEADER);
	bytes[10] = bytes[11] = 0;
	if (header <= size) {
		checksum_v4(bytes, header);
		clean_transport(first ? bytes[9] : PROTO_NONE, bytes + header, size - header);
	}
	return outcome;
}

static bool is_extension(uint8_t next)
{
	return next == HOP_BY_HOP || next == ROUTING || next == DESTINATION || next == FRAGMENT ||
	       next == PROTO_AH || next == MOBILITY || next == HIP || next == SHIM6;
}

static size_t extension_size(uint8_t type, uint8_t length)
{
	if (type == FRAGMENT)
		return 8;
	return type == PROTO_AH ? 4u * (length + 2u) : 8u * (length + 1u);
}

static void clean_extensions(uint8_t next, uint8_t *bytes, size_t size)
{
	while (is_extension(next) && size >= 8) {
		size_t header = extension_size(next, bytes[1]);
		uint8_t behind = bytes[0];

		if (next == FRAGMENT && ((bytes[2] << 8 | bytes[3]) & 0xfff8) != 0)
			behind = PROTO_NONE; /* not the first: no header is in it */
		if (header >= size) {
			zero(bytes, size, next == FRAGMENT ? 8 : 2);
			return;
		}
		if (next != FRAGMENT)
			memset(bytes + 2, 0, header - 2);
		bytes += header;
		size -= header;
		next = behind;
	}
	clean_transport(is_extension(next) ? PROTO_NONE : next, bytes, size);
}

static enum anon_outcome clean_v6(
		const struct anon *a, struct anon_worker *w, uint8_t *bytes, size_t size)
{
	enum anon_outcome outcome = ANON_CHANGED;

	outcome = address_at(a, w, 6, bytes, size, 8, outcome);
	outcome = address_at(a, w, 6, bytes, size, 24, outcome);
	if (size > V6_HEADER)
		clean_extensions(bytes[6], bytes + V6_HEADER, size - V6_HEADER);
	return outcome;
}

enum anon_outcome anon_packet(
		const struct anon *a, struct anon_worker *w, uint8_t *bytes, size_t size)
{
	if (size > 0 && bytes[0] >> 4 == 4)
		return clean_v4(a, w, bytes, size);
	if (size > 0 && bytes[0] >> 4 == 6)
		return clean_v6(a, w, bytes, size);
	zero(bytes, size, 0);
	return ANON_CHANGED;
}
