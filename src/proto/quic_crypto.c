/* SPDX-License-Identifier: BSD-3-Clause */
/* quic_crypto.c - the CRYPTO stream: bytes at their offsets, and which of them are there. */
#include "proto/quic_crypto.h"

#include <string.h>

#include "base/limits.h"

enum { WORD = 64 };

static uint64_t *bits(const struct quic_stream *s)
{
	return (uint64_t *)(void *)(s->bytes + s->room);
}

/* 'count' bits set from bit 'from' of a word on. */
static uint64_t run(unsigned from, unsigned count)
{
	return (UINT64_MAX >> (WORD - count)) << from;
}

void quic_stream_init(struct quic_stream *s, void *memory, uint32_t room)
{
	if (room > LIMIT_QUIC_CRYPTO_BYTES)
		room = LIMIT_QUIC_CRYPTO_BYTES;
	*s = (struct quic_stream){ .bytes = memory, .room = (room + WORD - 1) / WORD * WORD };
	memset(bits(s), 0, s->room / 8);
}

void quic_stream_move(struct quic_stream *s, void *memory, uint32_t room)
{
	struct quic_stream old = *s;

	quic_stream_init(s, memory, room > old.room ? room : old.room);
	if (old.bytes != NULL) {
		memcpy(s->bytes, old.bytes, old.top);
		memcpy(bits(s), bits(&old), old.room / 8);
	}
	s->ready = old.ready;
	s->top = old.top;
	s->overflow = old.overflow;
}

/* Copies what lies within one word of bits; what was there before stays. */
static void put_word(struct quic_stream *s, uint32_t at, const uint8_t *from, unsigned count)
{
	uint64_t *word = &bits(s)[at / WORD], want = run(at % WORD, count), fresh = want & ~*word;

	if (fresh == want) {
		memcpy(s->bytes + at, from, count);
	} else {
		for (unsigned i = 0; fresh != 0 && i < count; i++)
			if (fresh >> (at % WORD + i) & 1)
				s->bytes[at + i] = from[i];
	}
	*word |= want;
}

/* Moves 'ready' to the first byte that is not there. */
static void advance(struct quic_stream *s)
{
	while (s->ready < s->top) {
		uint64_t missing = ~bits(s)[s->ready / WORD] >> s->ready % WORD;

		if (missing != 0) {
			s->ready += (uint32_t)__builtin_ctzll(missing);
			return;
		}
		s->ready += WORD - s->ready % WORD;
	}
}

bool quic_stream_put(struct quic_stream *s, uint64_t offset, struct rd piece)
{
	if (!rd_more(&piece))
		return true;

	bool whole = offset < s->room && piece.left <= s->room - offset;

	s->overflow = s->overflow || !whole;
	if (offset >= s->room)
		return false;

	uint32_t at = (uint32_t)offset;
	struct rd r = rd_first(piece, s->room - at);

	while (rd_more(&r)) {
		struct rd part = rd_first(r, WORD - at % WORD);

		put_word(s, at, part.p, (unsigned)part.left);
		rd_bytes(&r, part.left);
		at += (uint32_t)part.left;
	}
	if (at > s->top)
		s->top = at;
	advance(s);
	return whole;
}
