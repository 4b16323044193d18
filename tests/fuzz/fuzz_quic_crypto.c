/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_quic_crypto.c - pieces in any order against a model with a flag for each byte.
 *
 *   | room 2 | then for each piece: offset 2 | size 1 |        a piece of size 255 moves the stream
 */
#include <stdlib.h>
#include <string.h>

#include "proto/quic_crypto.h"

enum { ROOM = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model {
	uint8_t bytes[ROOM];
	bool there[ROOM];
	uint32_t room;
	bool overflow;
} model;

static void model_put(uint64_t offset, struct rd piece)
{
	for (size_t i = 0; i < piece.left; i++) {
		if (offset + i >= model.room) {
			model.overflow = true;
		} else if (!model.there[offset + i]) {
			model.there[offset + i] = true;
			model.bytes[offset + i] = piece.p[i];
		}
	}
}

static void compare(const struct quic_stream *s)
{
	uint32_t ready = 0, top = 0;

	while (ready < model.room && model.there[ready])
		ready++;
	for (uint32_t i = 0; i < model.room; i++) {
		if (model.there[i])
			top = i + 1;
		if (model.there[i] && s->bytes[i] != model.bytes[i])
			abort();
	}
	if (s->ready != ready || s->top != top || s->overflow != model.overflow ||
			quic_stream_from(s, 0).left != ready)
		abort();
}

static void start(struct quic_stream *s, uint32_t room)
{
	if (room > ROOM)
		room = ROOM;
	if (s->bytes == NULL) {
		quic_stream_init(s, malloc(quic_stream_memory(room) + !room), room);
	} else if (room >= s->room) {
		uint8_t *old = s->bytes;

		quic_stream_move(s, malloc(quic_stream_memory(room) + !room), room);
		free(old);
	}
	model.room = s->room;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = { data, size };
	struct quic_stream s = { 0 };
	uint8_t piece[256], turn = 0;

	memset(&model, 0, sizeof model);
	start(&s, rd_u16(&r) % 1024);
	while (rd_more(&r) && turn < 200) {
		uint64_t offset = rd_u16(&r) % (ROOM + 64);
		size_t n = rd_u8(&r);

		if (n == 255) {
			start(&s, (uint32_t)offset);
			continue;
		}
		memset(piece, ++turn, sizeof piece);
		if (offset == ROOM)
			offset = UINT64_MAX - 300;

		struct rd part = { piece, n };
		bool fits = offset + n <= model.room || n == 0;

		model_put(offset, part);
		if (quic_stream_put(&s, offset, part) != fits)
			abort();
	}
	compare(&s);
	free(s.bytes);
	return 0;
}
