/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_message.c - handshake messages that are not hellos, alerts and heartbeats.
 *
 *   message:      | type 1 | size 3 | body |
 *   Certificate:  [ context <1>, TLS 1.3 ] list <3> of: certificate <3> [ extensions <2>, TLS 1.3 ]
 *
 * <n> is a block that begins with its size in n bytes.
 */
#include "proto/tls_message.h"
#include "proto/tls_hello.h"

bool tls_message_next(struct rd *r, struct tls_message *m)
{
	if (!rd_more(r))
		return false;
	m->type = rd_u8(r);
	m->size = (uint32_t)rd_uint(r, 3);
	m->body = rd_bytes(r, m->size);
	return rd_ok(r);
}

bool tls_message_plausible(uint8_t type, uint32_t size)
{
	enum { LARGEST = 1 << 20, LARGE = 1 << 18, SMALL = 1 << 16, KEY = 1 << 14 };
	static const uint32_t largest[] = {
		[TLS_CLIENT_HELLO] = LARGE,
		[TLS_SERVER_HELLO] = SMALL,
		[TLS_HELLO_VERIFY_REQUEST] = 258,
		[TLS_NEW_SESSION_TICKET] = LARGE,
		[TLS_HELLO_RETRY_REQUEST] = SMALL,
		[TLS_CERTIFICATE] = LARGEST,
		[TLS_SERVER_KEY_EXCHANGE] = LARGE,
		[TLS_CERTIFICATE_REQUEST] = LARGE,
		[TLS_CERTIFICATE_VERIFY] = KEY,
		[TLS_CLIENT_KEY_EXCHANGE] = LARGE,
		[TLS_CERTIFICATE_URL] = SMALL,
		[TLS_CERTIFICATE_STATUS] = LARGEST,
		[TLS_SUPPLEMENTAL_DATA] = LARGE,
		[TLS_COMPRESSED_CERTIFICATE] = LARGE,
	};

	if (type == TLS_HELLO_REQUEST || type == TLS_SERVER_HELLO_DONE)
		return size == 0;
	return type < sizeof largest / sizeof largest[0] && size <= largest[type] &&
	       largest[type] > 0;
}

/* A list behind 'n' bytes of size: cut, as much of it as there is. */
static struct rd list_or_part(struct rd *r, size_t n)
{
	size_t size = (size_t)rd_uint(r, n);
	struct rd part = rd_first(*r, size);

	rd_bytes(r, size);
	return part;
}

bool tls_certificate_list(struct rd body, bool tls13, struct rd *list)
{
	if (tls13)
		rd_block(&body, 1);
	*list = list_or_part(&body, 3);
	return rd_ok(&body) && !rd_more(&body);
}

bool tls_certificate_next(struct rd *list, bool tls13, struct rd *der)
{
	*der = (struct rd){ NULL, 0 };
	if (!rd_more(list))
		return false;
	*der = rd_block(list, 3);
	if (!tls13)
		return rd_ok(list);

	/* The certificate is whole even when its extensions are cut. */
	rd_block(list, 2);
	return rd_ok(der);
}

bool tls_compressed_certificate_parse(struct rd body, struct tls_compressed_certificate *c)
{
	c->algorithm = rd_u16(&body);
	c->size = (uint32_t)rd_uint(&body, 3);
	c->data = rd_block(&body, 3);
	return rd_ok(&body) && !rd_more(&body);
}

static void request_13(struct rd *body, struct tls_certificate_request *out)
{
	struct tls_hello hello = { 0 };
	struct tls_hello_info info;

	out->context = rd_block(body, 1);
	out->extensions = hello.extensions = rd_block(body, 2);
	tls_hello_decode(&hello, &info);
	out->signature_algorithms = info.signature_algorithms;
	out->authorities = info.certificate_authorities;
}

bool tls_certificate_request_parse(
		struct rd body, uint16_t version, struct tls_certificate_request *out)
{
	*out = (struct tls_certificate_request){ 0 };
	if (tls_version_is_13(version)) {
		request_13(&body, out);
	} else {
		out->types = rd_block(&body, 1);
		if (tls_version_compare(version, TLS_VERSION_1_2) >= 0)
			out->signature_algorithms = rd_block(&body, 2);
		out->authorities = list_or_part(&body, 2);
	}
	return rd_ok(&body) && !rd_more(&body);
}

bool tls_block_next(struct rd *list, struct rd *block)
{
	*block = (struct rd){ NULL, 0 };
	if (rd_more(list))
		*block = rd_block(list, 2);
	return rd_ok(block);
}

bool tls_certificate_status_parse(struct rd body, struct tls_certificate_status *s)
{
	s->type = rd_u8(&body);
	s->response = rd_block(&body, 3);
	return rd_ok(&body) && !rd_more(&body) && (s->type == 1 || s->type == 2);
}

bool tls_ticket_parse(struct rd body, bool tls13, struct tls_ticket *t)
{
	*t = (struct tls_ticket){ .lifetime_s = rd_u32(&body) };
	if (tls13) {
		t->age_add = rd_u32(&body);
		t->nonce = rd_block(&body, 1);
	}
	t->ticket = rd_block(&body, 2);
	if (tls13)
		t->extensions = rd_block(&body, 2);
	return rd_ok(&body) && !rd_more(&body);
}

bool tls_certificate_verify_parse(
		struct rd body, uint16_t version, struct tls_certificate_verify *v)
{
	*v = (struct tls_certificate_verify){ 0 };
	if (tls_version_compare(version, TLS_VERSION_1_2) >= 0)
		v->scheme = rd_u16(&body);
	v->signature = rd_block(&body, 2);
	return rd_ok(&body) && !rd_more(&body);
}

bool tls_alert_parse(struct rd body, struct tls_alert *a)
{
	a->level = rd_u8(&body);
	a->description = rd_u8(&body);
	return rd_ok(&body) && !rd_more(&body) && (a->level == 1 || a->level == 2);
}

bool tls_heartbeat_parse(struct rd body, struct tls_heartbeat *h)
{
	enum { PADDING = 16 };

	h->type = rd_u8(&body);
	h->payload_size = rd_u16(&body);
	h->overlong = (size_t)h->payload_size + PADDING > body.left;
	return rd_ok(&body) && (h->type == 1 || h->type == 2);
}
