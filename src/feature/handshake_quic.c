/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_quic.c - QUIC datagrams: packets, keys of Initials, and what headers alone say
 * (RFC 9000, RFC 9001, RFC 9369).
 *
 * Whoever sends an Initial that its own destination id makes readable is the client.  After a
 * Retry, or when a packet was lost, the client's next destination id is tried.  Initials that come
 * before their keys are known wait, a few of them.
 */
#include "feature/handshake_quic.h"

enum { FIRST_LISTED = 56 }; /* bytes that the list of packets begins with: some eight packets */

static struct quic_way *way_of(const struct hs_in *in)
{
	return &in->hs->quic->way[in->dir];
}

static void set_cid(struct hs_cid *c, struct rd bytes)
{
	*c = (struct hs_cid){ .there = bytes.left <= sizeof c->bytes };
	if (!c->there)
		return;
	c->size = (uint8_t)bytes.left;
	if (bytes.left > 0)
		memcpy(c->bytes, bytes.p, bytes.left);
}

static bool same_cid(const struct hs_cid *c, struct rd bytes)
{
	return c->there && c->size == bytes.left &&
	       (bytes.left == 0 || memcmp(c->bytes, bytes.p, bytes.left) == 0);
}

static struct rd cid_bytes(const struct hs_cid *c)
{
	return (struct rd){ c->bytes, c->size };
}

/* --- Initials ----------------------------------------------------------------------------------
 */

static void see_close(const struct hs_in *in, const struct quic_frame *f)
{
	struct hs_quic *q = in->hs->quic;
	size_t size = f->bytes.left < HS_QUIC_REASON ? f->bytes.left : HS_QUIC_REASON;

	if (q->closed)
		return;
	if (size > 0)
		q->reason = arena_alloc(&in->flow->arena, in->env->pool, size);
	if (size > 0 && q->reason == NULL) {
		in->flow->marks |= FLOW_NO_MEMORY;
		size = 0;
	}
	q->closed = true;
	q->close_application = f->type == QUIC_FRAME_CLOSE_APPLICATION;
	q->close_dir = (uint8_t)in->dir;
	q->close_error = f->error;
	q->reason_size = (uint8_t)size;
	if (size > 0)
		memcpy(q->reason, f->bytes.p, size);
}

static void walk_frames(const struct hs_in *in, const struct quic_packet *p, struct rd frames)
{
	struct quic_frame f;

	while (quic_frame_next(&frames, p, &f)) {
		if (f.type == QUIC_FRAME_CRYPTO)
			hs_quic_crypto(in, f.offset, f.bytes);
		else if (f.type == QUIC_FRAME_CLOSE || f.type == QUIC_FRAME_CLOSE_APPLICATION)
			see_close(in, &f);
	}
	if (!rd_ok(&frames))
		in->hs->side[in->dir].refused++;
}

static enum quic_outcome decrypt(const struct hs_in *in, struct quic_keys *k, bool server,
		const struct quic_packet *p, struct rd *frames)
{
	struct hs_worker *w = in->env->worker;

	return quic_decrypt_initial(w->quic, k, server, p, w->packet, sizeof w->packet, frames);
}

/* Keys of the version in use, from the id that is known. */
static void follow_version(const struct hs_in *in, uint32_t version)
{
	struct hs_quic *q = in->hs->quic;

	if (q->keys.version != version && q->key_cid.there)
		quic_keys_derive(&q->keys, version, cid_bytes(&q->key_cid));
}

/* Tries the packet's own destination id, as a client's first Initial has it. */
static bool try_own_id(const struct hs_in *in, const struct quic_packet *p, struct rd *frames)
{
	struct hs_quic *q = in->hs->quic;
	struct quic_keys keys;

	if (same_cid(&q->key_cid, p->dcid) && q->keys.version == p->version)
		return false;
	if (!quic_keys_derive(&keys, p->version, p->dcid) ||
			decrypt(in, &keys, false, p, frames) != QUIC_READ)
		return false;
	q->keys = keys;
	set_cid(&q->key_cid, p->dcid);
	in->hs->client = (uint8_t)in->dir;
	return true;
}

static void see_token(struct hs_quic *q, const struct quic_packet *p)
{
	if (q->token_size < 0)
		q->token_size = (int32_t)p->token.left;
	else if (q->retry_token_size >= 0 && q->second_token_size < 0 && p->token.left > 0)
		q->second_token_size = (int32_t)p->token.left;
}

/* False: no key fits. */
static bool read_initial(const struct hs_in *in, const struct quic_packet *p)
{
	struct hs_quic *q = in->hs->quic;
	struct hs_worker *w = in->env->worker;
	bool known = in->hs->client != HS_NOBODY, client = in->hs->client == in->dir;
	struct rd frames;

	if (w->quic == NULL || p->cut)
		return false;
	follow_version(in, p->version);
	if (!(known && decrypt(in, &q->keys, !client, p, &frames) == QUIC_READ) &&
			!((client || !known) && try_own_id(in, p, &frames)))
		return false;
	if (in->hs->client == in->dir)
		see_token(q, p);
	walk_frames(in, p, frames);
	return true;
}

static void keep_early(const struct hs_in *in, const struct quic_packet *p)
{
	struct hs_quic *q = in->hs->quic;
	struct hs_early *e = NULL;

	if (q->early_count < HS_QUIC_EARLY && p->whole.left <= HS_QUIC_EARLY_SIZE && !p->cut) {
		e = arena_alloc(&in->flow->arena, in->env->pool, sizeof *e);
		in->flow->marks |= e == NULL ? FLOW_NO_MEMORY : 0;
	}
	if (e == NULL) {
		q->undecrypted++;
		return;
	}
	e->dir = (uint8_t)in->dir;
	e->size = (uint16_t)p->whole.left;
	memcpy(e->bytes, p->whole.p, p->whole.left);
	q->early[q->early_count++] = e;
}

static void replay_early(const struct hs_in *in)
{
	struct hs_quic *q = in->hs->quic;
	uint8_t count = q->early_count;

	q->early_count = 0;
	for (uint8_t i = 0; i < count; i++) {
		struct rd bytes = { q->early[i]->bytes, q->early[i]->size };
		struct hs_in early = *in;
		struct quic_packet p;

		early.dir = q->early[i]->dir;
		if (quic_packet_next(&bytes, QUIC_CID_UNKNOWN, &p) && !read_initial(&early, &p))
			q->undecrypted++;
		arena_drop(&in->flow->arena, in->env->pool, q->early[i]);
	}
}

static void take_initial(const struct hs_in *in, const struct quic_packet *p)
{
	struct hs_quic *q = in->hs->quic;
	bool known = in->hs->client != HS_NOBODY;

	if (!quic_version_readable(p->version))
		q->undecrypted++;
	else if (read_initial(in, p))
		replay_early(in);
	else if (known && in->hs->client == in->dir)
		q->undecrypted++;
	else
		keep_early(in, p);
}

/* --- other packets -----------------------------------------------------------------------------
 */

static void take_retry(const struct hs_in *in, const struct quic_packet *p)
{
	struct hs_quic *q = in->hs->quic;
	struct hs_worker *w = in->env->worker;

	if (q->retry_token_size >= 0)
		return;
	q->retry_token_size = (int32_t)p->token.left;
	q->retry_authentic = w->quic != NULL && q->dcid.there &&
			     quic_retry_authentic(w->quic, cid_bytes(&q->dcid), p);
	if (w->quic == NULL || !q->retry_authentic)
		return;
	if (quic_keys_derive(&q->keys, p->version, p->scid))
		set_cid(&q->key_cid, p->scid);
}

static void take_negotiation(const struct hs_in *in, const struct quic_packet *p)
{
	struct hs_quic *q = in->hs->quic;
	struct rd list = p->supported_versions;

	if (q->version_count > 0)
		return;
	if (q->versions == NULL)
		q->versions = arena_alloc(&in->flow->arena, in->env->pool,
				HS_QUIC_VERSIONS * sizeof q->versions[0]);
	if (q->versions == NULL)
		in->flow->marks |= FLOW_NO_MEMORY;
	while (q->versions != NULL && list.left >= sizeof q->versions[0] &&
			q->version_count < HS_QUIC_VERSIONS)
		q->versions[q->version_count++] = rd_u32(&list);
	hs_quic_restart(in);
}

static void take_short(const struct hs_in *in, const struct quic_packet *p)
{
	struct quic_way *w = way_of(in);

	if (w->short_packets++ > 0 && w->spin != p->spin)
		w->spin_changes++;
	w->spin = p->spin;
	if (rd_ok(&p->dcid) && p->dcid.left > 0) {
		if (w->last_dcid.there && !same_cid(&w->last_dcid, p->dcid))
			w->cid_changes++;
		set_cid(&w->last_dcid, p->dcid);
	}
}

static void list_packet(const struct hs_in *in, const struct quic_packet *p)
{
	struct hs_quic *q = in->hs->quic;
	uint8_t bytes[3 * TRAIL_NUMBER], *end = bytes;
	int64_t now = trail_now(in->flow);

	if (q->packet_count >= in->env->conf->num_pkts)
		return;
	end = trail_put(end, p->whole.left);
	end = trail_put(end, (uint64_t)p->type << 1 | in->dir);
	end = trail_put(end, q->packet_count == 0 ? 0 : (uint64_t)(now - q->packet_ns));
	if (q->packets.room == 0 && !trail_grow(&q->packets, in->env, in->flow, FIRST_LISTED))
		return;
	q->packet_ns = now;
	q->packet_count += trail_add(&q->packets, in->env, in->flow, bytes, (size_t)(end - bytes));
}

static void see_long(const struct hs_in *in, const struct quic_packet *p)
{
	struct hs_quic *q = in->hs->quic;
	struct quic_way *w = way_of(in);

	if (p->version == 0)
		return;
	w->version = p->version;
	if (!q->dcid.there) {
		q->version = p->version;
		set_cid(&q->dcid, p->dcid);
		if (hs_quic_is_google(p->version)) /* nothing else tells who is who */
			in->hs->client = in->pkt->dir;
	}
	if (!w->scid.there)
		set_cid(&w->scid, p->scid);
}

static void take_packet(const struct hs_in *in, const struct quic_packet *p)
{
	list_packet(in, p);
	see_long(in, p);
	switch (p->type) {
	case QUIC_INITIAL:
		take_initial(in, p);
		break;
	case QUIC_ZERO_RTT:
		in->hs->quic->zero_rtt++;
		break;
	case QUIC_RETRY:
		take_retry(in, p);
		break;
	case QUIC_VERSION_NEGOTIATION:
		take_negotiation(in, p);
		break;
	case QUIC_GOOGLE:
		if (p->clear)
			walk_frames(in, p, p->payload);
		break;
	case QUIC_SHORT:
		take_short(in, p);
		break;
	default:
		break;
	}
}

/* --- datagrams ---------------------------------------------------------------------------------
 */

bool hs_quic_guess(struct rd datagram)
{
	struct rd rest = datagram;
	struct quic_packet p;

	return quic_guess(datagram) && quic_packet_next(&rest, QUIC_CID_UNKNOWN, &p) &&
	       p.type != QUIC_VERSION_NEGOTIATION &&
	       (quic_version_name(p.version) != NULL || p.type == QUIC_UNKNOWN_PACKET);
}

static struct hs_quic *quic_new(const struct hs_in *in)
{
	struct hs_quic *q = arena_zalloc(&in->flow->arena, in->env->pool, sizeof *q);

	if (q == NULL) {
		in->flow->marks |= FLOW_NO_MEMORY;
		return NULL;
	}
	q->retry_token_size = q->token_size = q->second_token_size = -1;
	in->hs->side[0].record = in->hs->side[1].record = UINT32_MAX;
	return q;
}

/* Google's versions up to Q043 have a header that only those who know the version can read. */
static bool is_old_google(const struct hs_quic *q)
{
	return q->version != 0 && quic_layout(q->version) >= QUIC_LAYOUT_GOOGLE_46;
}

void hs_quic_datagram(const struct hs_in *in, struct rd datagram)
{
	struct hs *hs = in->hs;
	struct quic_packet p;

	if (hs->quic == NULL)
		hs->quic = quic_new(in);
	if (hs->quic == NULL)
		return;
	if (is_old_google(hs->quic)) {
		if (quic_google_packet(datagram, hs->quic->version, hs->client == !in->dir, &p))
			take_packet(in, &p);
		return;
	}

	const struct hs_cid *receiver = &hs->quic->way[!in->dir].scid;
	size_t size = receiver->there ? receiver->size : (size_t)QUIC_CID_UNKNOWN;

	while (rd_more(&datagram) && quic_packet_next(&datagram, size, &p))
		take_packet(in, &p);
}
