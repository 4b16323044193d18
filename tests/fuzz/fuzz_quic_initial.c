/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_quic_initial.c - any bytes as the frames of an Initial, sealed with its real keys first, so
 * that fuzzing gets behind the encryption.
 *
 *   | version | number size and side | number | id size | id ... | frames ... |
 */
#include <stdlib.h>

#include "base/limits.h"
#include "proto/quic_crypto.h"
#include "proto/quic_google.h"
#include "unit/quic_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_frames(struct rd frames, const struct quic_packet *p)
{
	static uint64_t memory[(4096 + 4096 / 8) / 8];
	struct quic_stream s;
	struct gquic_message m;
	struct quic_frame f;

	quic_stream_init(&s, memory, 4096);
	while (quic_frame_next(&frames, p, &f)) {
		if (f.type == QUIC_FRAME_CRYPTO)
			quic_stream_put(&s, f.offset, f.bytes);
		if (s.ready > s.top || s.top > s.room)
			abort();
	}
	if (gquic_message_parse(quic_stream_from(&s, 0), &m)) {
		struct gquic_info i;

		gquic_decode(&m, &i);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t versions[] = { QUIC_V1, QUIC_V2, 0xff000017, 0xff00001d, 0x51303530,
		0x54303531 };
	static struct quic_env *env;
	static uint8_t out[LIMIT_QUIC_PACKET + 1024], scratch[LIMIT_QUIC_PACKET];
	struct rd r = { data, size };
	uint8_t version = rd_u8(&r), side = rd_u8(&r);
	struct kit_initial made = {
		.version = versions[version % 6], .number = rd_u8(&r), .number_size = side % 4 + 1
	};
	bool server = side & 4;
	struct quic_keys k, mine;
	struct quic_packet p;
	struct rd text;

	if (env == NULL)
		env = quic_env_new();
	made.dcid = rd_bytes(&r, rd_u8(&r) % (QUIC_CID_MAX + 1));
	if (!rd_ok(&r) || r.left < 4 || r.left > 8000) /* lengths of two bytes in the kit */
		return 0;
	made.frames = r;
	if (!quic_keys_derive(&k, made.version, made.dcid))
		abort();
	mine = k;
	quic_keys_side(&k, server);
	r = (struct rd){ out, kit_initial(&made, server ? &k.server : &k.client, out) };

	uint8_t *exact = kit_copy(out, r.left);

	r.p = exact;
	if (!quic_packet_next(&r, QUIC_CID_UNKNOWN, &p) || p.type != QUIC_INITIAL || p.cut)
		abort();
	if (quic_decrypt_initial(env, &mine, server, &p, scratch, sizeof scratch, &text) !=
			QUIC_READ)
		abort();
	if (text.left != made.frames.left || memcmp(text.p, made.frames.p, text.left) != 0 ||
			(server ? &mine.server : &mine.client)->largest != made.number)
		abort();
	text.p = kit_copy(text.p, text.left);
	read_frames(text, &p);
	free((void *)text.p);
	free(exact);
	return 0;
}
