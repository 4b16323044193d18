/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_dtls.c - DTLS datagrams: records, and handshake messages out of fragments in any order
 * (RFC 6347, RFC 9147).
 *
 * Messages are told apart by their numbers.  A few of each direction may be under way at a time;
 * one that was whole before is a retransmission and passed over.  Records of epochs behind the
 * first are encrypted.
 */
#include "feature/handshake_state.h"

enum {
	ROOM_FIRST = 512, /* bytes for the first fragment of a message */
	UNDER_WAY = 4,    /* messages of a direction in pieces at a time */
	REMEMBERED = 64,  /* message numbers from 0 on that are known to be whole */
};

struct hs_dtls {
	struct dtls_side {
		struct dtls_assembler message[UNDER_WAY]; /* 'size' 0: free */
		uint64_t whole;                           /* numbers of messages that passed */
	} side[2];
};

static struct hs_side *side_of(const struct hs_in *in)
{
	return &in->hs->side[in->dir];
}

static struct dtls_side *dtls_of(const struct hs_in *in)
{
	return &in->hs->dtls->side[in->dir];
}

static bool passed(const struct hs_in *in, uint16_t sequence)
{
	return sequence >= REMEMBERED || (dtls_of(in)->whole >> sequence & 1);
}

/* The others were cut by the sensor, so that their end tells nothing. */
static bool is_whole(const struct dtls_record *r)
{
	return r->body.left == r->size;
}

/* A message is whole. */
static void pass(const struct hs_in *in, const struct tls_message *m, uint16_t sequence,
		uint8_t *room)
{
	dtls_of(in)->whole |= (uint64_t)1 << sequence;
	hs_message(in, m, room);
}

static struct dtls_assembler *find(const struct hs_in *in, const struct dtls_fragment *f)
{
	struct dtls_assembler *free_one = NULL;

	for (unsigned i = 0; i < UNDER_WAY; i++) {
		struct dtls_assembler *a = &dtls_of(in)->message[i];

		if (a->size > 0 && a->sequence == f->sequence)
			return a;
		if (a->size == 0 && free_one == NULL)
			free_one = a;
	}
	return free_one;
}

/*
 * Room up to the end of a fragment, at least twice what there was.  Unlike in TCP a message's last
 * bytes may come first, so that its head alone can cost up to the cap.
 */
static void make_room(
		const struct hs_in *in, struct dtls_assembler *a, const struct dtls_fragment *f)
{
	uint32_t wanted = hs_wanted(in, a->type, a->size), size = f->offset + f->fragment_size;
	uint8_t *room, *old = a->room;

	wanted = wanted < LIMIT_DTLS_MESSAGE ? wanted : LIMIT_DTLS_MESSAGE;
	if (size <= a->room_size || wanted <= a->room_size)
		return;
	size = size > 2 * a->room_size ? size : 2 * a->room_size;
	size = size > ROOM_FIRST ? size : ROOM_FIRST;
	size = size < wanted ? size : wanted;
	room = arena_zalloc(&in->flow->arena, in->env->pool, size);
	if (room == NULL) {
		in->flow->marks |= FLOW_NO_MEMORY;
		return;
	}
	if (old != NULL)
		memcpy(room, old, a->room_size);
	a->room = room;
	a->room_size = size;
	arena_drop(&in->flow->arena, in->env->pool, old);
}

static void take_fragment(const struct hs_in *in, const struct dtls_fragment *f)
{
	struct tls_message m = { f->type, f->size, f->body };
	struct dtls_assembler *a;

	if (passed(in, f->sequence))
		return;
	if (f->offset == 0 && f->body.left == f->size) {
		pass(in, &m, f->sequence, NULL);
		return;
	}
	a = find(in, f);
	if (a == NULL) {
		hs_capped(in);
		return;
	}
	if (a->size == 0)
		dtls_assembler_begin(a, f, NULL, 0);
	if (f->type != a->type || f->size != a->size) {
		side_of(in)->refused++;
		return;
	}
	make_room(in, a, f);

	bool whole = dtls_assembler_add(a, f);

	if (a->refused > 0) /* no range is left */
		hs_capped(in);
	if (!whole)
		return;
	m.body = dtls_assembler_body(a);
	pass(in, &m, a->sequence, a->room);
	*a = (struct dtls_assembler){ 0 };
}

static void take_handshake(const struct hs_in *in, const struct dtls_record *r, uint32_t record)
{
	struct rd body = r->body;
	struct dtls_fragment f;

	while (dtls_fragment_next(&body, &f)) {
		if (f.offset == 0)
			hs_head(in, record, f.type, f.size);
		take_fragment(in, &f);
	}
	if (!rd_ok(&body) && is_whole(r))
		side_of(in)->refused++;
}

static void see_heartbeat(const struct hs_in *in, const struct dtls_record *r)
{
	struct tls_heartbeat h;

	side_of(in)->heartbeats++;
	if (is_whole(r) && tls_heartbeat_parse(r->body, &h))
		in->hs->heartbeat_overlong |= h.overlong;
}

static void take_record(const struct hs_in *in, const struct dtls_record *r)
{
	struct hs_side *s = side_of(in);
	uint32_t record = hs_record(in, r->type, r->size);
	bool clear = !r->unified && r->epoch == 0;

	if (s->first_type == 0) {
		s->first_type = r->type;
		s->first_version = r->version;
	}
	if (r->type == TLS_HANDSHAKE && clear)
		take_handshake(in, r, record);
	else if (r->type == TLS_HANDSHAKE)
		in->hs->renegotiation |= s->data && !r->unified && r->epoch > 1;
	else if (r->type == TLS_ALERT)
		hs_alert(in, r->body, clear ? r->size : UINT32_MAX);
	else if (r->type == TLS_HEARTBEAT && clear)
		see_heartbeat(in, r);
	else if (r->type == TLS_CHANGE_CIPHER_SPEC)
		s->changed = true;
	s->data |= r->type == TLS_APPLICATION_DATA;
}

/* DTLS, STUN and RTP share a flow; the first byte tells them apart (RFC 9443). */
static bool is_dtls(struct rd datagram)
{
	uint8_t first = rd_u8(&datagram);

	return first >= TLS_CHANGE_CIPHER_SPEC && first <= 63;
}

void hs_dtls_datagram(const struct hs_in *in, struct rd datagram)
{
	struct hs *hs = in->hs;
	struct dtls_record r;

	if (hs->dtls == NULL)
		hs->dtls = arena_zalloc(&in->flow->arena, in->env->pool, sizeof *hs->dtls);
	if (hs->dtls == NULL) {
		in->flow->marks |= FLOW_NO_MEMORY;
		return;
	}
	if (!is_dtls(datagram))
		return;
	/* Connection ids are on encrypted records only, of which no more than the size counts. */
	while (rd_more(&datagram) && dtls_record_next(&datagram, 0, &r))
		take_record(in, &r);
}

bool hs_dtls_partial(const struct hs *hs, unsigned dir, struct tls_message *m)
{
	const struct dtls_assembler *first = NULL;

	for (unsigned i = 0; hs->dtls != NULL && i < UNDER_WAY; i++) {
		const struct dtls_assembler *a = &hs->dtls->side[dir].message[i];

		if (a->room != NULL && (first == NULL || a->sequence < first->sequence))
			first = a;
	}
	if (first != NULL)
		*m = (struct tls_message){ first->type, first->size, dtls_assembler_body(first) };
	return first != NULL;
}
