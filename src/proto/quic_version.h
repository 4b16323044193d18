/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_version.h - what differs between versions of QUIC besides the layout: salts, labels, and the
 * keys of Retry integrity tags.  For quic_keys.c; others ask quic_wire.h.
 */
#pragma once

#include "proto/quic_wire.h"

/* How the Initials of a version are protected. */
struct quic_protection {
	uint8_t salt[20]; /* of HKDF-Extract (RFC 9001 section 5.2) */
	bool v2_labels;   /* "quicv2 key" instead of "quic key" (RFC 9369 section 3.3) */
	bool retry_tag;   /* Retry packets carry a tag made with what follows */
	uint8_t retry_key[16], retry_nonce[12]; /* RFC 9001 section 5.8 */
};

/* NULL for a version without keys here. */
const struct quic_protection *quic_protection(uint32_t version);

/* The number of an IETF draft (22 to 34) that the version is or is built like; 0 for others. */
unsigned quic_draft(uint32_t version);
