/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_read.c - the kept messages by what they are, hellos parsed, at the flow's end.
 *
 * A message whose end did not come takes part with what is there of it.
 */
#include "feature/handshake_state.h"

static const struct hs_hello no_hello;

/* False: it is too short to be one. */
static bool parse_hello(const struct hs *hs, const struct hs_message *m, struct hs_hello *h)
{
	struct rd body = { m->bytes, m->kept };
	bool dtls = hs->carrier == HS_DTLS, good;

	if (m->ssl2)
		good = tls_ssl2_hello_parse(body, &h->hello);
	else if (m->type == TLS_HELLO_RETRY_REQUEST)
		good = tls_retry_parse(body, &h->hello);
	else
		good = tls_hello_parse(body, m->type == TLS_SERVER_HELLO, dtls, &h->hello);
	tls_hello_decode(&h->hello, &h->info);
	h->there = true;
	h->ended = m->kept == m->size;
	h->whole = good && h->ended;
	return h->hello.ssl2 || rd_ok(&h->hello.random);
}

static void tell_client_hello(const struct hs *hs, const struct hs_message *m, struct hs_told *t)
{
	struct hs_hello *h = &t->hello[t->hello_count];

	if (t->second_client_hello->there || !parse_hello(hs, m, h))
		return;
	*(t->client_hello->there ? &t->second_client_hello : &t->client_hello) = h;
	t->hello_count++;
}

static void tell_server_hello(const struct hs *hs, const struct hs_message *m, struct hs_told *t)
{
	struct hs_hello *h = &t->hello[t->hello_count];
	const struct hs_hello **place;

	if ((t->retry->there && t->server_hello->there) || !parse_hello(hs, m, h))
		return;
	place = h->hello.retry ? &t->retry : &t->server_hello;
	if ((*place)->there)
		return;
	*place = h;
	t->hello_count++;
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

/* The version in use, or the highest that was offered. */
static void tell_version(struct hs_told *t)
{
	const struct hs_hello *h = t->server_hello->there ? t->server_hello
				   : t->retry->there      ? t->retry
							  : t->client_hello;

	if (h->there)
		t->version = tls_hello_version(&h->hello, &h->info);
	if (t->server_hello->there && !h->hello.ssl2) {
		struct rd suite = h->hello.ciphers;

		t->suite = rd_u16(&suite);
	}
}

static void tell(const struct hs *hs, struct hs_told *t)
{
	unsigned whole;

	memset(t, 0, offsetof(struct hs_told, hello)); /* hellos are written as they come */
	t->client = hs_client(hs);
	t->client_hello = t->retry = t->second_client_hello = t->server_hello = &no_hello;
	t->hello_count = 0;
	for (const struct hs_message *m = hs->first; m != NULL; m = m->next)
		tell_message(hs, m, t);
	whole = t->hello_count;
	for (unsigned dir = 0; dir < 2; dir++)
		tell_partial(hs, dir, t);
	for (unsigned i = whole; i < t->hello_count; i++)
		t->hello[i].ended = false;
	tell_version(t);
}

const struct hs_told *hs_told(const struct hs *hs, struct hs_worker *w)
{
	if (w->told_of != hs)
		tell(hs, &w->told);
	w->told_of = hs;
	return &w->told;
}
