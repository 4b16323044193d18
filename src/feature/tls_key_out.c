/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_key_out.c - key exchange, certificate request, tickets into the "tls" object.
 *
 * In TLS 1.3 the keys are in the hellos, so that c_key_length and s_key speak of key_share there.
 */
#include "feature/tls_out.h"
#include "proto/tls_key.h"
#include "proto/tls_names.h"

/* --- what the client sends ---------------------------------------------------------------------
 */

static void report_client_key(struct tls_report *r)
{
	const struct hs_told *t = r->told;
	struct tls_client_key key;

	if (t->client_key == NULL || !t->server_hello->there)
		return;
	tls_key_exchange_client(hs_body(t->client_key), tls_cipher_kx(t->suite), t->version, &key);
	if (!rd_ok(&key.value))
		return;
	r->out->c_key_length = (int32_t)key.bits;
	r->out->c_key_exchange = (struct field_hex){ key.value.p, key.value.left };
}

/* The share of the group that the server took. */
static void report_client_share(struct tls_report *r)
{
	const struct hs_told *t = r->told;
	const struct hs_hello *c =
			t->second_client_hello->there ? t->second_client_hello : t->client_hello;
	struct rd shares = c->info.key_shares;
	struct tls_key_share k;

	while (rd_more(&shares) && tls_key_share_next(&shares, &k)) {
		if (k.group != t->server_hello->info.key_share_group)
			continue;
		r->out->c_key_length = (int32_t)k.key.left * 8;
		r->out->c_key_exchange = (struct field_hex){ k.key.p, k.key.left };
		return;
	}
}

/* --- what the server sends ---------------------------------------------------------------------
 */

static void report_server_share(struct tls_report *r)
{
	const struct tls_hello_info *i = &r->told->server_hello->info;
	const struct tls_group *group = tls_group_find(i->key_share_group);
	struct out_server_key *o = &r->out->s_key;

	if (!rd_ok(&i->key_shares))
		return;
	o->type = tls_kx_name(TLS_KX_TLS13);
	o->curve = tls_word(r, tls_group_name(i->key_share_group), i->key_share_group);
	if (group != NULL && group->bits > 0)
		o->length = group->bits;
}

static void report_curve(struct tls_report *r, const struct tls_server_key *key)
{
	const struct tls_group *group = tls_group_find(key->curve);
	struct out_server_key *o = &r->out->s_key;

	if (key->curve_type != TLS_CURVE_NAMED) {
		o->curve = tls_word(r, tls_name(TLS_CURVE_TYPES, key->curve_type), key->curve_type);
		return;
	}
	o->curve = tls_word(r, tls_group_name(key->curve), key->curve);
	if (group != NULL && group->bits > 0)
		o->length = group->bits;
}

static void report_server_key(struct tls_report *r)
{
	const struct hs_told *t = r->told;
	enum tls_kx kx = tls_cipher_kx(t->suite);
	struct out_server_key *o = &r->out->s_key;
	struct tls_server_key key;

	if (t->server_hello->there && !t->server_hello->hello.ssl2)
		o->type = tls_kx_name(kx);
	if (t->server_key == NULL || !t->server_hello->there)
		return;
	tls_key_exchange_server(hs_body(t->server_key), kx, t->version, &key);
	if (key.bits > 0)
		o->length = (int32_t)key.bits;
	if (key.curve_type != 0)
		report_curve(r, &key);
	if (key.scheme != 0)
		o->signature_algorithm = tls_word(r, tls_signature_name(key.scheme), key.scheme);
}

static void report_request(struct tls_report *r)
{
	struct tls_certificate_request request;
	struct out_request *o = &r->out->certificate_request;
	const char **types;
	size_t n = 0;
	struct rd block;

	o->authorities = -1;
	if (r->told->request == NULL)
		return;
	tls_certificate_request_parse(hs_body(r->told->request), r->told->version, &request);
	types = tls_scratch(r, request.types.left, sizeof *types);
	while (types != NULL && rd_more(&request.types)) {
		uint8_t type = rd_u8(&request.types);

		types[n++] = tls_word(r, tls_name(TLS_CLIENT_CERTS, type), type);
	}
	o->types = (struct field_list){ types, n };
	o->signature_algorithms = tls_signature_list(r, request.signature_algorithms);
	o->authorities = 0;
	while (rd_more(&request.authorities) && tls_block_next(&request.authorities, &block))
		o->authorities++;
}

static void report_rest(struct tls_report *r)
{
	const struct hs_told *t = r->told;
	struct rd ticket = hs_body(t->ticket), status = hs_body(t->status);
	struct tls_certificate_verify verify;
	struct dtls_verify_request request;
	struct out_tls *o = r->out;

	o->tickets = (struct out_ticket){ -1, -1, -1 };
	if (r->hs->tickets > 0)
		o->tickets.count = (int32_t)r->hs->tickets;
	if (t->ticket != NULL && t->ticket->kept >= 6) {
		o->tickets.lifetime = rd_u32(&ticket);
		o->tickets.length = rd_u16(&ticket);
	}
	o->ocsp_length = -1;
	if (t->status != NULL && rd_u8(&status) == 1)
		o->ocsp_length = (int32_t)rd_uint(&status, 3);
	if (t->client_verify != NULL &&
			tls_certificate_verify_parse(
					hs_body(t->client_verify), t->version, &verify) &&
			verify.scheme != 0)
		o->c_signature_algorithm =
				tls_word(r, tls_signature_name(verify.scheme), verify.scheme);
	o->verify_cookie_length = -1;
	if (t->verify != NULL && dtls_verify_request_parse(hs_body(t->verify), &request))
		o->verify_cookie_length = (int32_t)request.cookie.left;
}

void tls_report_keys(struct tls_report *r)
{
	const struct hs_told *t = r->told;

	r->out->c_key_length = -1;
	r->out->s_key.length = -1;
	if (t->server_hello->there && tls_version_is_13(t->version)) {
		report_client_share(r);
		report_server_share(r);
	} else {
		report_client_key(r);
		report_server_key(r);
	}
	report_request(r);
	report_rest(r);
}
