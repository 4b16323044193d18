/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_keep.c - what is kept of handshake messages, records and alerts, whatever carried them.
 *
 * A message that reports need is copied to the flow's arena, in order of arrival; others are only
 * counted.  Memory for a message grows with the bytes that came, not with what its head promises.
 */
#include "feature/cert_decompress.h"
#include "feature/handshake_state.h"

enum {
	ROOM_FIRST = 256, /* bytes for the beginning of a message in pieces */
	TICKET_KEPT = 6,  /* of a NewSessionTicket: lifetime and size */
	STATUS_KEPT = 4,  /* of a CertificateStatus: type and size */
	HELLOS_KEPT = 2,  /* of a direction: behind HelloRetryRequest comes a second one */
};

static struct hs_side *side_of(const struct hs_in *in)
{
	return &in->hs->side[in->dir];
}

static void no_memory(const struct hs_in *in)
{
	in->flow->marks |= FLOW_NO_MEMORY;
}

void hs_capped(const struct hs_in *in)
{
	in->flow->marks |= FLOW_CAPPED;
	in->hs->capped = true;
}

/* --- records and heads -------------------------------------------------------------------------
 */

static bool lies_in(const struct hs *hs, const struct trail *t)
{
	const uintptr_t at = (uintptr_t)t->p, from = (uintptr_t)hs->lists;

	return at >= from && at <= from + HS_LIST_RECORDS;
}

/* Out of the block of the handshake, which stays: a trail gives back what it outgrew. */
static bool move_out(const struct hs_in *in, struct trail *t, size_t more)
{
	const size_t room = pool_room(t->size + t->size / 2 + more);
	uint8_t *p = arena_alloc(&in->flow->arena, in->env->pool, room);

	if (p == NULL) {
		no_memory(in);
		return false;
	}
	memcpy(p, t->p, t->size);
	*t = (struct trail){ p, t->size, (uint32_t)room };
	return true;
}

static bool list(const struct hs_in *in, struct trail *t, const uint8_t *bytes, size_t n)
{
	if (t->room - t->size < n && lies_in(in->hs, t) && !move_out(in, t, n))
		return false;
	return trail_add(t, in->env, in->flow, bytes, n);
}

uint32_t hs_record(const struct hs_in *in, uint8_t type, uint32_t size)
{
	struct hs *hs = in->hs;
	uint8_t bytes[3 * TRAIL_NUMBER], *end = bytes;
	int64_t now = trail_now(in->flow);

	if (hs->record_count >= in->env->conf->num_pkts)
		return UINT32_MAX;
	end = trail_put(end, size);
	end = trail_put(end, (uint64_t)type << 1 | in->dir);
	end = trail_put(end, hs->record_count == 0 ? 0 : (uint64_t)(now - hs->record_ns));
	if (!list(in, &hs->records, bytes, (size_t)(end - bytes)))
		return UINT32_MAX;
	hs->record_ns = now;
	return hs->record_count++;
}

void hs_head(const struct hs_in *in, uint32_t record, uint8_t type, uint32_t size)
{
	struct hs *hs = in->hs;
	uint8_t bytes[3 * TRAIL_NUMBER], *end = bytes;

	if (record == UINT32_MAX)
		return;
	if (hs->head_count == LIMIT_HANDSHAKE_HEADS) {
		hs_capped(in);
		return;
	}
	end = trail_put(end, record);
	end = trail_put(end, type);
	end = trail_put(end, size);
	if (list(in, &hs->heads, bytes, (size_t)(end - bytes)))
		hs->head_count++;
}

void hs_alert(const struct hs_in *in, struct rd body, uint32_t size)
{
	struct hs *hs = in->hs;
	struct tls_alert told = { 0 };
	bool clear = size == 2 && tls_alert_parse(body, &told);
	struct hs_alert *a, **last = &hs->first_alert;

	if (hs->alert_count == LIMIT_ALERTS) {
		hs_capped(in);
		return;
	}
	a = arena_alloc(&in->flow->arena, in->env->pool, sizeof *a);
	if (a == NULL) {
		no_memory(in);
		return;
	}
	hs->alert_count++;
	*a = (struct hs_alert){ NULL, (uint8_t)in->dir, told.level, told.description, clear };
	while (*last != NULL)
		last = &(*last)->next;
	*last = a;
}

/* --- certificates ------------------------------------------------------------------------------
 */

static void add_certificate(const struct hs_in *in, struct rd der)
{
	struct hs *hs = in->hs;
	struct hs_worker *w = in->env->worker;
	struct hs_certificate *c, **last = &hs->first_certificate;

	if (side_of(in)->certificates == LIMIT_CERTIFICATES) {
		hs_capped(in);
		return;
	}
	c = arena_alloc(&in->flow->arena, in->env->pool, sizeof *c);
	if (c == NULL) {
		no_memory(in);
		return;
	}
	*c = (struct hs_certificate){ NULL, certs_hold(w->certs, der), (uint32_t)der.left,
		(uint8_t)in->dir };
	if (c->cert == NULL)
		hs_capped(in);
	side_of(in)->certificates++;
	while (*last != NULL)
		last = &(*last)->next;
	*last = c;
}

static void take_certificates(const struct hs_in *in, struct rd body, bool tls13)
{
	struct rd list, der;

	if (side_of(in)->certificates > 0) /* another chain of a second handshake */
		return;
	if (!tls_certificate_list(body, tls13, &list))
		side_of(in)->refused++;
	while (tls_certificate_next(&list, tls13, &der))
		add_certificate(in, der);
}

/* A chain that came compressed (RFC 8879) is the Certificate message of TLS 1.3 when unpacked. */
static void take_compressed(const struct hs_in *in, struct rd body)
{
	struct hs_worker *w = in->env->worker;
	struct tls_compressed_certificate c;

	if (!tls_compressed_certificate_parse(body, &c)) {
		side_of(in)->refused++;
		return;
	}
	if (!cert_decompress_knows(c.algorithm))
		return;
	if (cert_decompress(c.algorithm, c.data, c.size, w->unpacked))
		take_certificates(in, (struct rd){ w->unpacked, c.size }, true);
	else
		side_of(in)->refused++;
}

/* --- messages ----------------------------------------------------------------------------------
 */

uint32_t hs_wanted(const struct hs_in *in, uint8_t type, uint32_t size)
{
	uint32_t most = 0;

	switch (type) {
	case TLS_CLIENT_HELLO:
	case TLS_SERVER_HELLO:
	case TLS_HELLO_RETRY_REQUEST:
		most = side_of(in)->hellos < HELLOS_KEPT ? LIMIT_HELLO_BYTES : 0;
		break;
	case TLS_CERTIFICATE:
	case TLS_COMPRESSED_CERTIFICATE:
		most = side_of(in)->certificates == 0 ? LIMIT_CERT_MESSAGE : 0;
		break;
	case TLS_HELLO_VERIFY_REQUEST:
	case TLS_SERVER_KEY_EXCHANGE:
	case TLS_CERTIFICATE_REQUEST:
	case TLS_CLIENT_KEY_EXCHANGE:
	case TLS_CERTIFICATE_VERIFY:
		most = LIMIT_KEY_EXCHANGE_BYTES;
		break;
	case TLS_NEW_SESSION_TICKET:
		most = TICKET_KEPT;
		break;
	case TLS_CERTIFICATE_STATUS:
		most = STATUS_KEPT;
		break;
	default:
		break;
	}
	return size < most ? size : most;
}

/* Adds a message to the list.  Its bytes lie in the arena at 'room', or are copied there. */
static void add(const struct hs_in *in, const struct tls_message *m, uint8_t *room, uint32_t kept)
{
	struct hs *hs = in->hs;
	const size_t behind = room == NULL ? kept : 0;
	struct hs_message *k = arena_alloc(&in->flow->arena, in->env->pool, sizeof *k + behind);

	if (k == NULL) {
		no_memory(in);
		return;
	}
	if (behind > 0)
		room = memcpy(k + 1, m->body.p, kept);
	*k = (struct hs_message){ NULL, room, m->size, kept, m->type, (uint8_t)in->dir,
		side_of(in)->ssl2 };
	hs->message_count++;
	if (hs->last == NULL)
		hs->first = k;
	else
		hs->last->next = k;
	hs->last = k;
}

static void count_hello(const struct hs_in *in)
{
	uint8_t *count = &side_of(in)->hellos;

	if (*count < UINT8_MAX)
		++*count;
}

static void count(const struct hs_in *in, const struct tls_message *m)
{
	struct hs *hs = in->hs;

	switch (m->type) {
	case TLS_CLIENT_HELLO:
		hs->client = (uint8_t)in->dir;
		count_hello(in);
		break;
	case TLS_SERVER_HELLO:
	case TLS_HELLO_RETRY_REQUEST:
	case TLS_HELLO_VERIFY_REQUEST:
		hs->client = hs->client == HS_NOBODY ? !in->dir : hs->client;
		count_hello(in);
		break;
	case TLS_NEW_SESSION_TICKET:
		hs->tickets++;
		break;
	case TLS_HELLO_REQUEST:
		hs->hello_requests++;
		break;
	case TLS_SERVER_HELLO_DONE:
		hs->hello_done = true;
		break;
	default:
		break;
	}
}

static bool is_cut(const struct tls_message *m, uint32_t kept)
{
	return kept < m->size && m->type != TLS_NEW_SESSION_TICKET &&
	       m->type != TLS_CERTIFICATE_STATUS;
}

void hs_message(const struct hs_in *in, const struct tls_message *m, uint8_t *room)
{
	uint32_t wanted = hs_wanted(in, m->type, m->size);
	uint32_t kept = wanted < m->body.left ? wanted : (uint32_t)m->body.left;
	struct arena *arena = &in->flow->arena;
	bool compressed = m->type == TLS_COMPRESSED_CERTIFICATE;
	bool certificate = m->type == TLS_CERTIFICATE || compressed;

	if (wanted > 0 && (is_cut(m, kept) || in->hs->message_count >= LIMIT_HANDSHAKE_MESSAGES))
		hs_capped(in);
	if (compressed && wanted > 0)
		take_compressed(in, m->body);
	else if (certificate && wanted > 0)
		take_certificates(in, m->body, false);
	count(in, m);
	if (wanted == 0 || certificate || in->hs->message_count >= LIMIT_HANDSHAKE_MESSAGES) {
		arena_drop(arena, in->env->pool, room);
		return;
	}
	add(in, m, room, kept);
}

/* More room for the message under way: twice as much as it has, or what has come. */
static void give_room(const struct hs_in *in, const struct tls_message *m, size_t coming)
{
	struct tls_assembler *a = &side_of(in)->messages;
	uint32_t wanted = hs_wanted(in, m->type, m->size);
	size_t size = a->kept + (coming > a->kept ? coming : a->kept);
	uint8_t *old = a->room, *room;

	size = pool_room(size < ROOM_FIRST ? ROOM_FIRST : size);
	size = size < wanted ? size : wanted;
	if (size <= a->room_size)
		return;
	room = arena_alloc(&in->flow->arena, in->env->pool, size);
	if (room == NULL) {
		no_memory(in);
		return;
	}
	tls_assembler_room(a, room, (uint32_t)size);
	arena_drop(&in->flow->arena, in->env->pool, old);
}

void hs_drop_message(const struct hs_in *in)
{
	struct hs_side *s = side_of(in);

	arena_drop(&in->flow->arena, in->env->pool, s->messages.room);
	s->messages = (struct tls_assembler){ 0 };
	s->listed = false;
}

/* A head is whole: the message is listed, once. */
static bool see_head(const struct hs_in *in, const struct tls_message *m)
{
	struct hs_side *s = side_of(in);

	if (s->listed)
		return true;
	if (in->hs->carrier == HS_TLS && !hs_tls_head(in, m))
		return false;
	hs_head(in, s->message_record, m->type, m->size);
	s->listed = true;
	return true;
}

void hs_bytes(const struct hs_in *in, struct rd bytes)
{
	struct hs_side *s = side_of(in);
	struct tls_assembler *a = &s->messages;

	while (rd_more(&bytes)) {
		struct tls_message m = { 0 };
		uint8_t *room = a->room;

		if (a->head_size == 0)
			s->message_record = s->record;

		enum tls_step step = tls_assemble(a, &bytes, &m);

		if (step == TLS_STEP_END && a->head_size < TLS_MESSAGE_HEAD)
			return;
		if (!see_head(in, &m)) {
			hs_drop_message(in);
			return;
		}
		if (step == TLS_STEP_ROOM)
			give_room(in, &m, bytes.left);
		if (step != TLS_STEP_MESSAGE)
			continue;
		s->listed = false;
		hs_message(in, &m, room);
	}
}
