/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * community.h - Community ID version 1: one name for a flow in every tool that sees it.
 *
 * Base64 of the SHA-1 of seed, ordered endpoints and protocol.  Source: the Community ID
 * specification.
 */
#pragma once

#include "flow/flow.h"

enum { COMMUNITY_ID_SIZE = 30 };

struct community_flow {
	const uint8_t *sa, *da; /* 4 or 16 bytes */
	uint8_t ip_version, proto;
	bool ports;   /* the protocol has them, and they are known */
	bool one_way; /* the endpoints are not to be put in order */
	uint16_t sp, dp;
};

/* For ICMP and ICMPv6: 'type' and 'code' of what sa sends to da become the ports, as the
 * specification wants. */
void community_icmp(struct community_flow *f, uint8_t type, uint8_t code);

/* Writes COMMUNITY_ID_SIZE characters. */
void community_id(const struct community_flow *f, uint16_t seed, char *to);

/* The same for a record's flow, with other addresses than those of its key if 'address' is not
 * NULL. */
void community_of(const struct flow_view *view, const uint8_t (*address)[16], uint16_t seed,
		char *to);
