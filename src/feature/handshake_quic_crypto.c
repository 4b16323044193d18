/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_quic_crypto.c - CRYPTO frames into handshake messages (RFC 9000 section 19.6).
 *
 * Bytes that come in order go straight on to the messages.  From a hole on they are held in a
 * stream in the flow's arena, which grows with what came, up to LIMIT_QUIC_CRYPTO_BYTES, and is
 * given back when the hole is filled.  Google's handshake is always held, since it is read as a
 * whole at the flow's end.
 */
#include "feature/handshake_quic.h"

static struct quic_way *way_of(const struct hs_in *in)
{
	return &in->hs->quic->way[in->dir];
}

/* Memory for a stream of at least 'size' bytes, which the cap allows; false without. */
static bool make_room(const struct hs_in *in, struct quic_stream *s, uint64_t size)
{
	uint32_t more = s->room + s->room / 2, room = size > more ? (uint32_t)size : more;
	uint8_t *old = s->bytes, *memory;

	if (size <= s->room)
		return true;
	memory = arena_alloc(&in->flow->arena, in->env->pool, quic_stream_memory(room));
	if (memory == NULL) {
		in->flow->marks |= FLOW_NO_MEMORY;
		return false;
	}
	if (old == NULL)
		quic_stream_init(s, memory, room);
	else
		quic_stream_move(s, memory, room);
	arena_drop(&in->flow->arena, in->env->pool, old);
	return true;
}

/* Bytes that went on before there was a stream: their place is taken, what they were is over. */
static void mark_read(struct quic_way *w)
{
	static const uint8_t nothing[256];

	for (uint32_t at = 0; at < w->read;) {
		uint32_t n = w->read - at < sizeof nothing ? w->read - at : sizeof nothing;

		quic_stream_put(&w->stream, at, (struct rd){ nothing, n });
		at += n;
	}
}

static void drop(const struct hs_in *in, struct quic_way *w)
{
	arena_drop(&in->flow->arena, in->env->pool, w->stream.bytes);
	w->stream = (struct quic_stream){ 0 };
}

static void hold(const struct hs_in *in, uint64_t offset, struct rd bytes)
{
	struct quic_way *w = way_of(in);
	bool fresh = w->stream.room == 0;

	if (!make_room(in, &w->stream, offset + bytes.left))
		return;
	if (fresh)
		mark_read(w);
	quic_stream_put(&w->stream, offset, bytes);
}

/* What of the bytes lies below the cap, so that it does not show how frames are cut. */
static struct rd below_cap(const struct hs_in *in, uint64_t offset, struct rd bytes)
{
	uint64_t room = offset < LIMIT_QUIC_CRYPTO_BYTES ? LIMIT_QUIC_CRYPTO_BYTES - offset : 0;

	if (bytes.left > room)
		hs_capped(in);
	return rd_first(bytes, (size_t)room);
}

void hs_quic_crypto(const struct hs_in *in, uint64_t offset, struct rd bytes)
{
	struct quic_way *w = way_of(in);

	bytes = below_cap(in, offset, bytes);
	if (!rd_more(&bytes))
		return;
	if (hs_quic_is_google(in->hs->quic->version)) {
		hold(in, offset, bytes);
		return;
	}
	if (w->stream.room == 0 && offset <= w->read) {
		if (w->read - offset >= bytes.left)
			return;
		rd_bytes(&bytes, (size_t)(w->read - offset));
		w->read += (uint32_t)bytes.left;
		hs_bytes(in, bytes);
		return;
	}
	hold(in, offset, bytes);

	struct rd ready = quic_stream_from(&w->stream, w->read);

	w->read += (uint32_t)ready.left;
	hs_bytes(in, ready);
	if (w->read == w->stream.top)
		drop(in, w);
}

void hs_quic_restart(const struct hs_in *in)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		struct hs_in other = *in;
		struct quic_way *w = &in->hs->quic->way[dir];

		other.dir = dir;
		hs_drop_message(&other);
		drop(&other, w);
		w->read = 0;
	}
}
