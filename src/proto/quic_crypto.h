/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_crypto.h - put the bytes of a CRYPTO stream in order (RFC 9000 section 19.6).
 *
 * Pieces come in any order, twice, and overlapping; what was there first stays.  Memory is the
 * caller's: the bytes and behind them a bit for each, so that no number of pieces is too many and
 * each costs what it is long.  A message that lies whole in one frame needs none of this: look at
 * the frame first.
 */
#pragma once

#include "base/rd.h"

struct quic_stream {
	uint8_t *bytes; /* 'room' bytes, then room / 8 bytes of bits; NULL: no room yet */
	uint32_t room;  /* a multiple of 64; at most LIMIT_QUIC_CRYPTO_BYTES */
	uint32_t ready; /* bytes from the start of the stream without a hole */
	uint32_t top;   /* end of the last byte held; ready < top: there is a hole */
	bool overflow;  /* some piece reached beyond 'room' and was left out there */
};

/* Bytes of memory for a stream of 'room' bytes (rounded up to a multiple of 64). */
static inline size_t quic_stream_memory(uint32_t room)
{
	size_t rounded = ((size_t)room + 63) / 64 * 64;

	return rounded + rounded / 8;
}

/* Begins an empty stream on quic_stream_memory(room) bytes, aligned to 8. */
void quic_stream_init(struct quic_stream *s, void *memory, uint32_t room);

/* Goes on in other, larger memory; the old is not used again. */
void quic_stream_move(struct quic_stream *s, void *memory, uint32_t room);

/* Adds a piece; false, and 'overflow', when part of it lies beyond the room. */
bool quic_stream_put(struct quic_stream *s, uint64_t offset, struct rd piece);

/* The bytes in order from 'from' on (0: all); empty when there are none yet. */
static inline struct rd quic_stream_from(const struct quic_stream *s, uint32_t from)
{
	return from < s->ready ? (struct rd){ s->bytes + from, s->ready - from }
			       : (struct rd){ (const uint8_t *)"", 0 };
}
