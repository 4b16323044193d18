/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_quic_datagram.c - any bytes as a datagram of QUIC: packets lie inside it one behind the
 * other, and deciphering one never reads past it.  The first byte is the size of short headers'
 * ids.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "proto/quic_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct rd part, struct rd whole)
{
	if (rd_ok(&part) && (part.p < whole.p || part.p + part.left > whole.p + whole.left))
		abort();
}

static void walk_frames(struct rd frames, const struct quic_packet *p)
{
	struct rd whole = frames;
	struct quic_frame f;
	size_t left = frames.left;

	while (quic_frame_next(&frames, p, &f)) {
		inside(f.bytes, whole);
		if (frames.left >= left)
			abort();
		left = frames.left;
	}
}

static void look_at(struct quic_env *env, const struct quic_packet *p, struct rd datagram)
{
	static uint8_t scratch[LIMIT_QUIC_PACKET];
	struct quic_keys k;
	struct rd frames;

	inside(p->whole, datagram);
	inside(p->dcid, p->whole);
	inside(p->scid, p->whole);
	inside(p->token, p->whole);
	inside(p->supported_versions, p->whole);
	inside(p->payload, p->whole);
	if (quic_packet_name(p->type) == NULL)
		abort();
	if (p->clear)
		walk_frames(p->payload, p);
	if (p->type == QUIC_RETRY)
		quic_retry_authentic(env, p->dcid, p);
	if (p->type != QUIC_INITIAL || !quic_keys_derive(&k, p->version, p->dcid))
		return;
	if (quic_decrypt_initial(env, &k, false, p, scratch, sizeof scratch, &frames) == QUIC_READ)
		walk_frames(frames, p);
	quic_decrypt_initial(env, &k, true, p, scratch, 64, &frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct quic_env *env;
	struct rd datagram = { data, size }, r;
	size_t cid = rd_u8(&datagram) % 24, used = 0;
	struct quic_packet p;

	if (env == NULL)
		env = quic_env_new();
	r = datagram;
	quic_guess(r);
	while (quic_packet_next(&r, cid, &p)) {
		if (p.whole.left == 0 || p.whole.p != datagram.p + used)
			abort();
		used += p.whole.left;
		look_at(env, &p, datagram);
	}
	if (rd_ok(&r) && rd_more(&r))
		abort();
	for (unsigned v = 0; v < 5; v++) {
		static const uint32_t versions[] = { 0x51303234, 0x51303335, 0x51303433, 0x51303434,
			0x51303436 };

		if (rd_more(&datagram) && quic_google_packet(datagram, versions[v], size % 2, &p))
			look_at(env, &p, datagram);
	}
	return 0;
}
