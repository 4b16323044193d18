/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_read.c - the kept messages by what they are, hellos parsed, at the flow's end.
 *
 * A message whose end did not come takes part with what is there of it.
 */
#include "feature/handshake_state.h"

bool hs_parse_hello(const struct hs *hs, const struct hs_message *m, struct hs_hello *h)
{
	struct rd body = { m->bytes, m->kept };
	bool dtls = hs->carrier == HS_DTLS, good;

	*h = (struct hs_hello){ .there = true };
	if (m->ssl2)
		good = tls_ssl2_hello_parse(body, &h->hello);
	else if (m->type == TLS_HELLO_RETRY_REQUEST)
		good = tls_retry_parse(body, &h->hello);
	else
		good = tls_hello_parse(body, m->type == TLS_SERVER_HELLO, dtls, &h->hello);
	tls_hello_decode(&h->hello, &h->info);
	h->whole = good && m->kept == m->size;
	return h->hello.ssl2 || rd_ok(&h->hello.random);
}

static void tell_client_hello(const struct hs *hs, const struct hs_message *m, struct hs_told *t)
{
	struct hs_hello h;

	if (!hs_parse_hello(hs, m, &h))
		return;
	if (!t->client_hello.there)
		t->client_hello = h;
	else if (!t->second_client_hello.there)
		t->second_client_hello = h;
}

static void tell_server_hello(const struct hs *hs, const struct hs_message *m, struct hs_told *t)
{
	struct hs_hello h;

	if (!hs_parse_hello(hs, m, &h))
		return;
	if (h.hello.retry && !t->retry.there)
		t->retry = h;
	else if (!h.hello.retry && !t->server_hello.there)
		t->server_hello = h;
}

static void set(const struct hs_message **place, const struct hs_message *m)
{
	if (*place == NULL)
		*place = m;
}

static void tell_message(const struct hs *hs, const struct hs_message *m, struct hs_told *t)
{
	switch (m->type) {
	case TLS_CLIENT_HELLO:
		tell_client_hello(hs, m, t);
		break;
	case TLS_SERVER_HELLO:
	case TLS_HELLO_RETRY_REQUEST:
		tell_server_hello(hs, m, t);
		break;
	case TLS_HELLO_VERIFY_REQUEST:
		set(&t->verify, m);
		break;
	case TLS_SERVER_KEY_EXCHANGE:
		set(&t->server_key, m);
		break;
	case TLS_CLIENT_KEY_EXCHANGE:
		set(&t->client_key, m);
		break;
	case TLS_CERTIFICATE_REQUEST:
		set(&t->request, m);
		break;
	case TLS_CERTIFICATE_VERIFY:
		set(&t->client_verify, m);
		break;
	case TLS_NEW_SESSION_TICKET:
		set(&t->ticket, m);
		break;
	case TLS_CERTIFICATE_STATUS:
		set(&t->status, m);
		break;
	default:
		break;
	}
}

/* The message under way in a direction, which the flow's end left behind. */
static void tell_partial(const struct hs *hs, unsigned dir, struct hs_told *t)
{
	const struct hs_side *s = &hs->side[dir];
	struct hs_message *m = &t->partial[dir];
	struct tls_message under_way;
	bool some = hs->carrier == HS_DTLS ? hs_dtls_partial(hs, dir, &under_way)
					   : tls_assembler_partial(&s->messages, &under_way);

	if (!some || under_way.body.left == 0)
		return;
	*m = (struct hs_message){
		.bytes = (uint8_t *)(uintptr_t)under_way.body.p,
		.size = under_way.size,
		.kept = (uint32_t)under_way.body.left,
		.type = under_way.type,
		.dir = (uint8_t)dir,
		.ssl2 = s->ssl2,
	};
	if (hs->client == HS_NOBODY && m->type == TLS_CLIENT_HELLO)
		t->client = dir;
	else if (hs->client == HS_NOBODY && m->type == TLS_SERVER_HELLO)
		t->client = !dir;
	tell_message(hs, m, t);
}

void hs_tell(const struct hs *hs, struct hs_told *t)
{
	*t = (struct hs_told){ .client = hs_client(hs) };
	for (const struct hs_message *m = hs->first; m != NULL; m = m->next)
		tell_message(hs, m, t);
	for (unsigned dir = 0; dir < 2; dir++)
		tell_partial(hs, dir, t);
	if (t->server_hello.there) {
		struct rd suite = t->server_hello.hello.ciphers;

		t->version = tls_hello_version(&t->server_hello.hello, &t->server_hello.info);
		t->suite = t->server_hello.hello.ssl2 ? 0 : rd_u16(&suite);
	} else if (t->retry.there) {
		t->version = tls_hello_version(&t->retry.hello, &t->retry.info);
	} else if (t->client_hello.there) {
		t->version = tls_hello_version(&t->client_hello.hello, &t->client_hello.info);
	}
}
