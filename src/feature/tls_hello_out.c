/* SPDX-License-Identifier: BSD-3-Clause */
/* tls_hello_out.c - hellos into the "tls" object: numbers become names, lists become lists. */
#include "feature/tls_out.h"
#include "proto/tls_names.h"

static struct field_hex hex(struct rd r)
{
	return (struct field_hex){ r.p, r.left };
}

static struct field_text text(struct rd r)
{
	return (struct field_text){ (const char *)r.p, r.left };
}

/* --- lists of numbers as words -----------------------------------------------------------------
 */

static struct field_list some_words(const struct tls_report *r, enum tls_registry registry,
		struct rd list, size_t width)
{
	const char **items = tls_scratch(r, list.left / width, sizeof *items);
	size_t n = 0;

	while (items != NULL && list.left >= width) {
		unsigned value = (unsigned)rd_uint(&list, width);

		items[n++] = tls_word(r, tls_name(registry, value), value);
	}
	return (struct field_list){ items, n };
}

/* Names of the numbers of 'width' bytes in a list; most lists are not there. */
static inline struct field_list words(const struct tls_report *r, enum tls_registry registry,
		struct rd list, size_t width)
{
	return list.left < width ? (struct field_list){ NULL, 0 }
				 : some_words(r, registry, list, width);
}

struct field_list tls_signature_list(const struct tls_report *r, struct rd list)
{
	return words(r, TLS_SIGNATURES, list, 2);
}

/* Protocol names, each behind a byte of length. */
static struct field_list names(const struct tls_report *r, struct rd list)
{
	struct field_text *items = tls_scratch(r, list.left, sizeof *items);
	struct rd name;
	size_t n = 0;

	while (items != NULL && tls_name_next(&list, &name))
		items[n++] = text(name);
	return (struct field_list){ items, n };
}

static struct field_list key_shares(const struct tls_report *r, struct rd list)
{
	enum { SMALLEST = 4 };
	struct out_key_share *items = tls_scratch(r, list.left / SMALLEST + 1, sizeof *items);
	struct tls_key_share k;
	size_t n = 0;

	while (items != NULL && rd_more(&list) && tls_key_share_next(&list, &k))
		items[n++] = (struct out_key_share){ tls_word(r, tls_group_name(k.group), k.group),
			(uint32_t)k.key.left };
	return (struct field_list){ items, n };
}

static struct field_list ciphers(const struct tls_report *r, const struct tls_hello *h)
{
	size_t width = h->ssl2 ? 3 : 2;
	struct rd list = h->ciphers;
	struct field_hex *items = tls_scratch(r, list.left / width, sizeof *items);
	size_t n = 0;

	while (items != NULL && list.left >= width)
		items[n++] = hex(rd_bytes(&list, width));
	return (struct field_list){ items, n };
}

static struct field_list extensions(const struct tls_report *r, const struct hs_hello *h)
{
	struct rd list = h->hello.extensions;
	struct out_extension *items = tls_scratch(r, h->info.extension_count, sizeof *items);
	struct tls_extension e;
	size_t n = 0;

	while (items != NULL && n < h->info.extension_count && tls_extension_next(&list, &e))
		items[n++] = (struct out_extension){ e.type, tls_extension_name(e.type),
			hex(e.data) };
	return (struct field_list){ items, n };
}

static int32_t count_blocks(struct rd list)
{
	struct rd block;
	int32_t n = rd_ok(&list) ? 0 : -1;

	while (rd_more(&list) && tls_block_next(&list, &block))
		n++;
	return n;
}

/* --- one hello ---------------------------------------------------------------------------------
 */

static int32_t size_of(struct rd r)
{
	return rd_ok(&r) ? (int32_t)r.left : -1;
}

static int32_t unless_zero(uint32_t v)
{
	return v == 0 ? -1 : (int32_t)v;
}

/* Codes 1 to 4 are 512 to 4096 bytes. */
static int32_t fragment_length(uint8_t code)
{
	enum { CODES = 4, SMALLEST = 256 };

	return code == 0 || code > CODES ? -1 : SMALLEST << code;
}

static struct out_ech report_ech(const struct tls_report *r, const struct tls_ech *e)
{
	struct out_ech o = { .config_id = -1, .enc_length = -1, .payload_length = -1 };

	if (!e->present)
		return o;
	o.type = e->type == TLS_ECH_OUTER ? "outer" : "inner";
	if (e->type != TLS_ECH_OUTER)
		return o;
	o.kdf = tls_word(r, tls_hpke_kdf_name(e->kdf), e->kdf);
	o.aead = tls_word(r, tls_hpke_aead_name(e->aead), e->aead);
	o.config_id = e->config_id;
	o.enc_length = e->enc_size;
	o.payload_length = e->payload_size;
	return o;
}

static void report_lists(
		const struct tls_report *r, const struct tls_hello_info *i, struct out_hello *o)
{
	o->versions = words(r, TLS_VERSIONS, i->versions, 2);
	o->alpn = names(r, i->alpn);
	o->groups = words(r, TLS_GROUPS, i->groups, 2);
	o->key_shares = key_shares(r, i->key_shares);
	o->point_formats = words(r, TLS_POINT_FORMATS, i->point_formats, 1);
	o->signature_algorithms = tls_signature_list(r, i->signature_algorithms);
	o->signature_algorithms_cert = tls_signature_list(r, i->signature_algorithms_cert);
	o->delegated_credentials = tls_signature_list(r, i->delegated_credentials);
	o->certificate_compression = words(r, TLS_COMPRESS, i->compress_certificate, 2);
	o->psk_modes = words(r, TLS_PSK_MODES, i->psk_modes, 1);
	o->alps = names(r, i->alps);
	o->srtp_profiles = words(r, TLS_SRTP_PROFILES, i->srtp_profiles, 2);
	o->client_certificate_types = words(r, TLS_CERT_TYPES, i->client_certificate_types, 1);
	o->server_certificate_types = words(r, TLS_CERT_TYPES, i->server_certificate_types, 1);
}

static struct field_list faults(const struct tls_report *r, const struct hs_hello *h)
{
	enum { FAULTS = 3 };
	const char **items = tls_scratch(r, FAULTS, sizeof *items);
	size_t n = 0;

	if (items == NULL)
		return (struct field_list){ 0 };
	if (!h->whole)
		items[n++] = "cut_or_malformed";
	if (h->info.malformed > 0)
		items[n++] = "malformed_extension";
	if (h->info.duplicate)
		items[n++] = "duplicate_extension";
	return (struct field_list){ items, n };
}

static void report_hello(const struct tls_report *r, const struct hs_hello *h, struct out_hello *o)
{
	const struct tls_hello_info *i = &h->info;
	bool server = h->hello.server;

	report_lists(r, i, o);
	o->psk_identities = i->has_psk && !server ? i->psk_count : -1;
	o->psk_selected = i->has_psk && server ? i->psk_selected : -1;
	o->record_size_limit = unless_zero(i->record_size_limit);
	o->max_fragment_length = fragment_length(i->max_fragment_length);
	o->session_ticket_length = size_of(i->session_ticket);
	o->renegotiation_info_length = size_of(i->renegotiation);
	o->cookie_length = rd_ok(&h->hello.cookie) ? size_of(h->hello.cookie) : size_of(i->cookie);
	o->padding_length = i->has_padding ? i->padding_size : -1;
	o->certificate_authorities = count_blocks(i->certificate_authorities);
	o->sct_count = server ? count_blocks(i->scts) : -1;
	o->heartbeat_mode = i->heartbeat == 1   ? "peer_allowed_to_send"
			    : i->heartbeat == 2 ? "peer_not_allowed_to_send"
						: NULL;
	if (i->has_status_request && !server)
		o->status_type = tls_word(
				r, tls_name(TLS_CERT_STATUS, i->status_type), i->status_type);
	o->connection_id = hex(i->connection_id);
	o->ech = report_ech(r, &i->ech);
	o->extension_count = rd_ok(&h->hello.extensions) ? i->extension_count : -1;
	o->grease_extensions = rd_ok(&h->hello.extensions) ? i->grease_count : -1;
	o->faults = faults(r, h);
}

static const struct out_hello no_hello = {
	.psk_identities = -1,
	.psk_selected = -1,
	.record_size_limit = -1,
	.max_fragment_length = -1,
	.session_ticket_length = -1,
	.renegotiation_info_length = -1,
	.cookie_length = -1,
	.padding_length = -1,
	.certificate_authorities = -1,
	.sct_count = -1,
	.ech = { .config_id = -1, .enc_length = -1, .payload_length = -1 },
	.extension_count = -1,
	.grease_extensions = -1,
};

/* --- all of them -------------------------------------------------------------------------------
 */

static void report_client(struct tls_report *r)
{
	const struct hs_hello *h = r->told->client_hello;
	struct out_tls *o = r->out;

	if (!h->there)
		return;
	o->c_version = h->hello.legacy_version;
	o->c_version_name = tls_word(
			r, tls_version_name(h->hello.legacy_version), h->hello.legacy_version);
	o->sni = text(h->info.sni);
	o->c_random = hex(h->hello.random);
	o->c_sid = hex(h->hello.session_id);
	o->cs = ciphers(r, &h->hello);
	o->c_compressions = hex(h->hello.compressions);
	o->c_extensions = extensions(r, h);
	report_hello(r, h, &o->client);
}

static void report_cipher(struct tls_report *r, const struct tls_hello *h)
{
	struct rd suite = h->ciphers;
	const struct tls_name *name;
	struct out_tls *o = r->out;

	if (h->ssl2 || suite.left < 2)
		return;
	o->scs = hex(rd_first(suite, 2));
	name = tls_name_find(TLS_CIPHERS, rd_u16(&suite));
	if (name == NULL)
		return;
	o->scs_name = name->name;
	o->scs_recommended = name->recommended == 'Y'   ? "Y"
			     : name->recommended == 'N' ? "N"
			     : name->recommended == 'D' ? "D"
							: NULL;
}

static void report_server(struct tls_report *r)
{
	const struct hs_hello *h = r->told->server_hello;
	struct rd alpn = h->info.alpn, first;
	struct out_tls *o = r->out;

	if (!h->there)
		return;
	o->s_version = h->hello.legacy_version;
	o->s_version_name = tls_word(
			r, tls_version_name(h->hello.legacy_version), h->hello.legacy_version);
	if (rd_more(&alpn) && tls_name_next(&alpn, &first))
		o->alpn = text(first);
	o->s_random = hex(h->hello.random);
	o->s_sid = hex(h->hello.session_id);
	report_cipher(r, &h->hello);
	o->s_compression = hex(h->hello.compressions);
	o->s_extensions = extensions(r, h);
	report_hello(r, h, &o->server);
}

static void report_retry(struct tls_report *r)
{
	const struct hs_hello *s = r->told->retry, *c = r->told->second_client_hello;
	struct out_retry *o = &r->out->retry;

	o->client = o->server = no_hello;
	if (s->there) {
		unsigned group = s->info.key_share_group;

		o->scs = hex(s->hello.ciphers);
		if (group != 0)
			o->group = tls_word(r, tls_group_name((uint16_t)group), group);
		o->s_extensions = extensions(r, s);
		report_hello(r, s, &o->server);
	}
	if (c->there) {
		o->c_random = hex(c->hello.random);
		o->c_extensions = extensions(r, c);
		report_hello(r, c, &o->client);
	}
}

void tls_report_hellos(struct tls_report *r)
{
	struct out_tls *o = r->out;

	o->c_version = o->s_version = -1;
	o->client = o->server = no_hello;
	report_client(r);
	report_server(r);
	report_retry(r);
}
