/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_tls.c - TLS records of a TCP stream, cut into segments anywhere (RFC 8446 section 5.1).
 *
 *   record:  | type 1 | version 2 | size 2 | body |
 *
 * Handshake records behind change_cipher_spec are encrypted up to TLS 1.2.  In TLS 1.3, where those
 * come as application data, a second ClientHello or a ServerHello behind HelloRetryRequest is
 * clear: it fills its record exactly, which a first message of encrypted bytes does not.  In a
 * connection under way change_cipher_spec may not have been seen, but application data, or the head
 * of a message that is never clear, says the same.
 */
#include "feature/handshake_state.h"

enum { SSL2_HEAD = 4, SSL2_CLIENT_HELLO = 1, HEARTBEAT_PADDING = 16, HEARTBEAT_HEAD = 3 };

static struct hs_side *side_of(const struct hs_in *in)
{
	return &in->hs->side[in->dir];
}

bool hs_tls_head(const struct hs_in *in, const struct tls_message *m)
{
	struct hs_side *s = side_of(in);
	bool hello = m->type == TLS_CLIENT_HELLO || m->type == TLS_SERVER_HELLO;
	bool encrypts = s->changed || s->data;

	if (encrypts ? hello && m->size + TLS_MESSAGE_HEAD == s->record_size
		     : hello || tls_message_plausible(m->type, m->size))
		return true;
	s->skip = true;
	in->hs->renegotiation |= s->data;
	return false;
}

static void lose(const struct hs_in *in)
{
	struct hs_side *s = side_of(in);

	s->lost = true;
	s->refused += s->refused < UINT32_MAX;
}

static void begin_record(const struct hs_in *in, const struct tls_record *r)
{
	struct hs_side *s = side_of(in);

	if (s->first_type == 0) {
		s->first_type = r->type;
		s->first_version = r->version;
	}
	s->record_type = r->type;
	s->record_size = r->size;
	s->record_left = r->size;
	s->body_size = 0;
	s->skip = false;
	s->record = hs_record(in, r->type, r->size);
	s->data |= r->type == TLS_APPLICATION_DATA;
	if (r->type == TLS_CHANGE_CIPHER_SPEC) {
		s->changed = true;
		hs_drop_message(in);
	}
}

static void see_heartbeat(const struct hs_in *in)
{
	struct hs_side *s = side_of(in);
	uint32_t payload = (uint32_t)s->body[1] << 8 | s->body[2];

	s->heartbeats++;
	if (!s->changed && s->body_size == HEARTBEAT_HEAD &&
			HEARTBEAT_HEAD + payload + HEARTBEAT_PADDING > s->record_size)
		in->hs->heartbeat_overlong = true;
}

static void end_record(const struct hs_in *in)
{
	struct hs_side *s = side_of(in);

	if (s->record_type == TLS_ALERT)
		hs_alert(in, (struct rd){ s->body, s->body_size }, s->record_size);
	else if (s->record_type == TLS_HEARTBEAT)
		see_heartbeat(in);
}

static void record_bytes(const struct hs_in *in, struct rd part)
{
	struct hs_side *s = side_of(in);

	s->record_left -= (uint32_t)part.left;
	if (s->record_type == TLS_HANDSHAKE) {
		if (!s->skip)
			hs_bytes(in, part);
		return;
	}
	if (s->record_type == TLS_APPLICATION_DATA)
		return;
	while (rd_more(&part) && s->body_size < sizeof s->body)
		s->body[s->body_size++] = rd_u8(&part);
}

/* Takes bytes of a head of 'size'; false while it is not whole. */
static bool gather_head(struct hs_side *s, struct rd *bytes, uint8_t size)
{
	while (s->head_size < size && rd_more(bytes))
		s->head[s->head_size++] = rd_u8(bytes);
	return s->head_size == size;
}

/*
 * The head of an SSLv2 hello.  The record goes, head and all, through the assembler as if it were
 * the body of a message.
 */
static void begin_ssl2(const struct hs_in *in, struct rd *bytes)
{
	struct hs_side *s = side_of(in);
	struct tls_ssl2_record r;

	if (!gather_head(s, bytes, SSL2_HEAD))
		return;

	struct rd head = { s->head, SSL2_HEAD };

	if (!tls_ssl2_record_head(head, &r) || r.head + r.size < SSL2_HEAD) {
		lose(in);
		return;
	}

	bool client = s->head[r.head] == SSL2_CLIENT_HELLO;
	uint32_t size = (uint32_t)r.head + r.size;

	begin_record(in, &(struct tls_record){ TLS_HANDSHAKE, TLS_VERSION_SSL2, r.size, { 0 } });
	s->record_left = size;
	s->message_record = s->record;
	s->messages = (struct tls_assembler){
		.head = { client ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO, 0, (uint8_t)(size >> 8),
				(uint8_t)size },
		.head_size = TLS_MESSAGE_HEAD
	};
	record_bytes(in, head);
}

static void begin_tls(const struct hs_in *in, struct rd *bytes)
{
	struct hs_side *s = side_of(in);
	struct tls_record r;

	if (s->head_size == 0 && bytes->left >= TLS_RECORD_HEAD) { /* as nearly always */
		memcpy(s->head, rd_bytes(bytes, TLS_RECORD_HEAD).p, TLS_RECORD_HEAD);
		s->head_size = TLS_RECORD_HEAD;
	} else if (!gather_head(s, bytes, TLS_RECORD_HEAD)) {
		return;
	}
	if (tls_record_head((struct rd){ s->head, TLS_RECORD_HEAD }, &r))
		begin_record(in, &r);
	else
		lose(in);
}

static bool head_is_whole(const struct hs_side *s)
{
	return s->head_size == (s->ssl2 ? SSL2_HEAD : TLS_RECORD_HEAD);
}

void hs_tls_bytes(const struct hs_in *in, struct rd bytes)
{
	struct hs_side *s = side_of(in);

	while (rd_more(&bytes) && !s->lost) {
		if (!head_is_whole(s)) {
			if (s->ssl2)
				begin_ssl2(in, &bytes);
			else
				begin_tls(in, &bytes);
		} else {
			struct rd part = rd_first(bytes, s->record_left);

			rd_bytes(&bytes, part.left);
			record_bytes(in, part);
		}
		if (!s->lost && head_is_whole(s) && s->record_left == 0) {
			end_record(in);
			s->ssl2 = false;
			s->head_size = 0;
		}
	}
}
