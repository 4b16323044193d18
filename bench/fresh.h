/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fresh.h - makes a copy of a captured handshake one of its own.
 *
 * TLS: other randoms and session ids, and certificates that are alike only in copies with the same
 * number.  QUIC: another connection id, so other keys, and Initials sealed with them; other
 * randoms. All sizes stay.  What was equal within a handshake stays equal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fresh_kind { FRESH_NONE, FRESH_TLS12, FRESH_TLS13, FRESH_QUIC, FRESH_KINDS };

/* One packet's transport payload, which lies in the caller's frame. */
struct fresh_part {
	bool tcp, syn, server; /* 'server': sent by it */
	uint32_t seq;          /* of the first byte (TCP) */
	uint8_t *bytes;
	size_t size;
};

struct fresh;

/*
 * Finds the handshake of a conversation, whose first packet the client has sent.  NULL without a
 * whole pair of hellos of a kind above.  Lives as long as the program.
 */
struct fresh *fresh_look(const struct fresh_part *parts, size_t count, enum fresh_kind *kind);

/* Changes a packet of the copy with this number; certificates: of 'certificate'. */
void fresh_make(const struct fresh *f, uint64_t copy, uint64_t certificate,
		const struct fresh_part *part);
