/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake.c - finds TLS, DTLS and QUIC in a flow, by content, and collects their handshake for
 * the features that report it (handshake_state.h).
 *
 * Until something is found a flow has 16 bytes.  TCP: the first bytes of either direction tell,
 * or, behind another protocol, its request for TLS (starttls.h); a flow that was under way when the
 * capture began is looked at again with each of its first pieces.  UDP: each of the first datagrams
 * is looked at, because DTLS may come behind STUN.
 */
#include <stdlib.h>

#include "feature/handshake_state.h"

enum {
	HS_TRIES = 8,      /* pieces of a TCP flow under way that are looked at */
	HS_DATAGRAMS = 64, /* of UDP: a call may begin with many STUN checks */
	HS_FETCHED = 512,  /* bytes of the first message that are fetched ahead: a usual hello */
};

/* --- the block of a flow ---------------------------------------------------------------------- */

static struct hs *found(struct handshake *s, const struct hs_in *in, enum hs_carrier carrier)
{
	struct hs_wait *wait = s->phase == HS_WAITING ? s->at.wait : NULL;
	const uint32_t records = carrier == HS_QUIC ? 0 : HS_LIST_RECORDS;
	const uint32_t heads = carrier == HS_QUIC ? 0 : HS_LIST_HEADS;
	struct hs *hs = arena_zalloc(&in->flow->arena, in->env->pool, sizeof *hs + records + heads);

	s->at.hs = hs;
	s->phase = hs == NULL ? HS_GIVEN_UP : HS_FOUND;
	if (hs == NULL) {
		in->flow->marks |= FLOW_NO_MEMORY;
		return NULL;
	}
	hs->records = (struct trail){ hs->lists, 0, records };
	hs->heads = (struct trail){ hs->lists + records, 0, heads };
	hs->carrier = (uint8_t)carrier;
	hs->client = HS_NOBODY;
	hs->initiator = in->pkt->dir != in->dir;
	if (carrier == HS_TLS)
		hs->wait = wait;
	return hs;
}

/* --- TCP ---------------------------------------------------------------------------------------
 */

/* The first byte of this direction that was sent is the first of its stream. */
static bool from_the_start(const struct hs_in *in)
{
	return in->flow->part == 1 &&
	       (in->flow->tcp[in->pkt->dir].seen & (TCP_SEEN_SYN | TCP_SEEN_ANSWER));
}

/* TLS begins here in this direction; 'ssl2': with a hello of SSLv2. */
static void begin(struct handshake *s, struct hs_in *in, struct rd bytes, bool ssl2)
{
	in->hs = s->phase == HS_FOUND ? s->at.hs : found(s, in, HS_TLS);
	if (in->hs == NULL)
		return;
	if (in->hs->wait != NULL)
		in->hs->starttls = in->hs->wait->starttls.protocol;
	in->hs->side[in->dir].started = true;
	in->hs->side[in->dir].ssl2 = ssl2;
	hs_tls_bytes(in, bytes);
}

/* This direction has no TLS, nor a protocol that can ask for it. */
static void give_up(struct handshake *s, const struct hs_in *in)
{
	if (s->phase == HS_FOUND)
		s->at.hs->side[in->dir].lost = true;
	else if (from_the_start(in) || ++s->tries >= HS_TRIES)
		s->phase = HS_GIVEN_UP;
}

/* Where TLS begins: types of records are small, heads of SSLv2 have the highest bit set. */
static bool is_ssl2(struct rd bytes)
{
	return (rd_u8(&bytes) & 0x80) != 0;
}

/* Goes on with the protocol that may ask for TLS. */
static void feed_starttls(struct handshake *s, struct hs_in *in, struct hs_wait *w, struct rd bytes)
{
	switch (starttls_feed(&w->starttls, in->pkt->dir == 1, &bytes)) {
	case STARTTLS_TLS:
		begin(s, in, bytes, is_ssl2(bytes));
		break;
	case STARTTLS_NEVER:
		if (s->phase == HS_FOUND)
			s->at.hs->side[in->dir].lost = true;
		else
			s->phase = HS_GIVEN_UP;
		break;
	default:
		break;
	}
}

/* Asks what the first bytes are; false: not known yet. */
static bool decide(struct handshake *s, struct hs_in *in, struct hs_wait *w)
{
	struct rd first = { w->first[in->dir], w->first_size[in->dir] };
	enum tls_guess guess = tls_guess(first);
	bool maybe = false;

	if (guess == TLS_MAYBE)
		return false;
	if (guess != TLS_NO) {
		begin(s, in, first, guess == TLS_SSL2);
		return true;
	}
	if (w->starttls.protocol == STARTTLS_NONE)
		w->starttls.protocol = (uint8_t)starttls_guess(first, in->pkt->dir == 1, &maybe);
	maybe = maybe && first.left < sizeof w->first[0];
	if (w->starttls.protocol != STARTTLS_NONE) {
		w->decided[in->dir] = true;
		feed_starttls(s, in, w, first);
	} else if (!maybe) {
		w->first_size[in->dir] = 0;
		give_up(s, in);
	}
	return !maybe;
}

static void tcp_bytes(struct handshake *s, struct hs_in *in, struct rd bytes);

/* First bytes of a direction are gathered until they say what they are. */
static void wait_bytes(struct handshake *s, struct hs_in *in, struct hs_wait *w, struct rd bytes)
{
	while (!w->decided[in->dir] && rd_more(&bytes)) {
		w->first[in->dir][w->first_size[in->dir]++] = rd_u8(&bytes);
		if (!decide(s, in, w))
			continue;
		if (w->first_size[in->dir] > 0)
			tcp_bytes(s, in, bytes); /* those behind them */
		return;
	}
	if (rd_more(&bytes))
		feed_starttls(s, in, w, bytes);
}

/* The first piece of a direction while nothing is known. */
static void look(struct handshake *s, struct hs_in *in, struct rd bytes)
{
	enum tls_guess guess = tls_guess(bytes);
	bool maybe = false;

	if (guess == TLS_YES || guess == TLS_SSL2) {
		begin(s, in, bytes, guess == TLS_SSL2);
		return;
	}
	if (guess == TLS_NO && starttls_guess(bytes, in->pkt->dir == 1, &maybe) == STARTTLS_NONE &&
			!maybe) {
		give_up(s, in);
		return;
	}
	s->at.wait = arena_zalloc(&in->flow->arena, in->env->pool, sizeof *s->at.wait);
	s->phase = s->at.wait == NULL ? HS_GIVEN_UP : HS_WAITING;
	if (s->phase == HS_WAITING)
		wait_bytes(s, in, s->at.wait, bytes);
}

/* TLS was found in the other direction. */
static void begin_other(struct handshake *s, struct hs_in *in, struct rd bytes)
{
	struct hs *hs = s->at.hs;

	if (hs->wait != NULL && (hs->wait->starttls.protocol != STARTTLS_NONE ||
						hs->wait->first_size[in->dir] > 0))
		wait_bytes(s, in, hs->wait, bytes);
	else if (from_the_start(in) || tls_guess(bytes) != TLS_NO)
		begin(s, in, bytes, is_ssl2(bytes));
}

static void tcp_bytes(struct handshake *s, struct hs_in *in, struct rd bytes)
{
	if (!rd_more(&bytes))
		return;
	if (s->phase == HS_LOOKING) {
		look(s, in, bytes);
	} else if (s->phase == HS_WAITING) {
		wait_bytes(s, in, s->at.wait, bytes);
	} else if (s->phase == HS_FOUND) {
		in->hs = s->at.hs;
		if (in->hs->side[in->dir].started)
			hs_tls_bytes(in, bytes);
		else if (!in->hs->side[in->dir].lost)
			begin_other(s, in, bytes);
	}
}

/* --- UDP ---------------------------------------------------------------------------------------
 */

static void datagram(struct handshake *s, struct hs_in *in, struct rd bytes)
{
	if (s->phase == HS_LOOKING && dtls_guess(bytes))
		found(s, in, HS_DTLS);
	else if (s->phase == HS_LOOKING && hs_quic_guess(bytes))
		found(s, in, HS_QUIC);
	if (s->phase == HS_LOOKING && ++s->tries >= HS_DATAGRAMS)
		s->phase = HS_GIVEN_UP;
	if (s->phase != HS_FOUND)
		return;
	in->hs = s->at.hs;
	if (in->hs->carrier == HS_DTLS)
		hs_dtls_datagram(in, bytes);
	else
		hs_quic_datagram(in, bytes);
}

/* --- the feature -------------------------------------------------------------------------------
 */

static bool over(const struct handshake *s)
{
	const struct hs *hs = s->at.hs;

	return s->phase == HS_GIVEN_UP ||
	       (s->phase == HS_FOUND && hs->side[0].lost && hs->side[1].lost);
}

/* Bytes of TCP come in order; a gap, or the sequence space once more from its beginning, ends it.
 */
static void check_order(struct handshake *s, const struct hs_in *in, struct rd bytes)
{
	struct hs_side *side = s->phase == HS_FOUND ? &s->at.hs->side[in->dir] : NULL;

	if (side == NULL)
		return;
	side->lost |= side->started && side->taken > 0 && side->taken != in->offset;
	side->taken = (uint32_t)(in->offset + bytes.left);
}

static enum verdict stream(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt, unsigned dir, struct rd bytes, uint64_t offset)
{
	struct handshake *s = state;
	struct hs_in in = { NULL, env, flow, pkt, dir, offset };

	if (pkt->proto == PROTO_TCP) {
		check_order(s, &in, bytes);
		tcp_bytes(s, &in, bytes);
	} else if (pkt->proto == PROTO_UDP) {
		datagram(s, &in, bytes);
	} else {
		return DONE;
	}
	return over(s) ? DONE : MORE;
}

static uint64_t stream_bytes(const struct feature_env *env)
{
	uint64_t records = (uint64_t)env->conf->num_pkts * (TLS_RECORD_HEAD + TLS_RECORD_MAX);
	uint64_t most = LIMIT_HANDSHAKE_LISTED;

	if (records > most)
		return most;
	return records > LIMIT_HANDSHAKE_STREAM ? records : LIMIT_HANDSHAKE_STREAM;
}

static void leave(void *state, const struct feature_env *env)
{
	struct handshake *s = state;
	struct hs_worker *w = env->worker;

	w->told_of = NULL;
	if (s->phase != HS_FOUND)
		return;
	for (struct hs_certificate *c = s->at.hs->first_certificate; c != NULL; c = c->next)
		certs_release(w->certs, c->cert);
}

static void fetch_bytes(const void *at, size_t size)
{
	enum { LINE = 64 };

	for (size_t i = 0; i < size; i += LINE)
		__builtin_prefetch((const char *)at + i, 1);
}

static void fetch(const void *state, bool near)
{
	const struct handshake *s = state;
	const struct hs *hs = s->at.hs;

	if (s->phase != HS_FOUND)
		return;
	if (!near) {
		fetch_bytes(hs, sizeof *hs + HS_LIST_RECORDS + HS_LIST_HEADS);
		return;
	}
	__builtin_prefetch(hs->first_certificate);
	fetch_bytes(hs->records.p, hs->records.size);
	fetch_bytes(hs->heads.p, hs->heads.size);
	fetch_bytes(hs->first, hs->first == NULL ? 0 : HS_FETCHED);
	__builtin_prefetch(hs->quic);
}

static size_t worker_memory(const void *worker)
{
	const struct hs_worker *w = worker;

	return sizeof *w + certs_memory(w->certs);
}

static void worker_free(void *worker)
{
	struct hs_worker *w = worker;

	if (w == NULL)
		return;
	certs_free(w->certs);
	quic_env_free(w->quic);
	free(w);
}

static void *worker_new(void)
{
	struct hs_worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->certs = certs_new();
	w->quic = quic_env_new();
	if (w->certs == NULL) {
		worker_free(w);
		return NULL;
	}
	return w;
}

const struct feature feature_handshake = {
	.name = "handshake",
	.help = "collects what tls, quic and fingerprint report",
	.wants = WANT_STREAM,
	.size = sizeof(struct handshake),
	.stream = stream,
	.stream_bytes = stream_bytes,
	.fetch = fetch,
	.leave = leave,
	.worker_new = worker_new,
	.worker_free = worker_free,
	.worker_memory = worker_memory,
};
