/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_extension.c - decode the extensions of hellos; tls_hello.h says what becomes of each.
 *
 *   | type 2 | data <2> |, one behind the other
 *
 * Most extensions are one list, a number, or nothing at all: a row of a table describes them.  The
 * others have a function.  Clients send lists where servers send their choice.
 */
#include "proto/tls_hello.h"

bool tls_name_next(struct rd *list, struct rd *name)
{
	*name = (struct rd){ NULL, 0 };
	if (rd_more(list))
		*name = rd_block(list, 1);
	return rd_ok(name);
}

bool tls_key_share_next(struct rd *list, struct tls_key_share *k)
{
	if (!rd_more(list))
		return false;
	k->group = rd_u16(list);
	k->key = rd_block(list, 2);
	return rd_ok(list);
}

bool tls_psk_next(struct rd *list, struct tls_psk *p)
{
	if (!rd_more(list))
		return false;
	p->identity = rd_block(list, 2);
	p->age = rd_u32(list);
	return rd_ok(list);
}

/* The data were read, and nothing is left of them. */
static bool whole(const struct rd *r)
{
	return rd_ok(r) && !rd_more(r);
}

/* --- extensions with a function: false when malformed ------------------------------------------
 */
typedef bool decode(struct rd data, const struct tls_hello *h, struct tls_hello_info *i);

/* list <2> of: | type 1 | name <2> | */
static bool server_name(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	enum { HOST_NAME = 0 };

	i->has_sni = true;
	if (h->server && !rd_more(&data))
		return true;

	struct rd list = rd_block(&data, 2);

	while (rd_more(&list)) {
		uint8_t type = rd_u8(&list);
		struct rd name = rd_block(&list, 2);

		if (type == HOST_NAME && !rd_ok(&i->sni))
			i->sni = name;
	}
	return whole(&data) && rd_ok(&list) && rd_ok(&i->sni);
}

/* client: | type 1 | responders <2> | extensions <2> |, or anything for another type than OCSP */
static bool status_request(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	i->has_status_request = true;
	if (h->server)
		return true; /* empty; in a Certificate of TLS 1.3 the response */
	i->status_type = rd_u8(&data);
	return rd_ok(&data);
}

/* client: shares <2>; server: one share; retry: a group alone */
static bool key_share(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	struct rd list = h->server ? data : rd_block(&data, 2), walk = list;
	struct tls_key_share share = { 0 };

	if (h->server && data.left == 2) {
		i->key_share_group = rd_u16(&data);
		i->key_shares = data;
		return true;
	}
	if (h->server) {
		tls_key_share_next(&walk, &share);
		i->key_share_group = share.group;
		i->key_shares = whole(&walk) ? list : (struct rd){ NULL, 0 };
		return whole(&walk);
	}
	while (tls_key_share_next(&walk, &share))
		;
	if (!whole(&data) || !rd_ok(&walk))
		return false;
	i->key_shares = list;
	return true;
}

/* client: identities <2> of | identity <2> | age 4 |, binders <2>; server: the selected one's index
 */
static bool pre_shared_key(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	i->has_psk = true;
	if (h->server) {
		i->psk_selected = rd_u16(&data);
		return whole(&data);
	}

	struct rd list = rd_block(&data, 2), walk = list;
	struct tls_psk psk;
	uint16_t count = 0;

	rd_block(&data, 2);
	while (tls_psk_next(&walk, &psk))
		count++;
	if (!whole(&data) || !rd_ok(&walk))
		return false;
	i->psk_identities = list;
	i->psk_count = count;
	return true;
}

/* client: u16 list <1>; server: the selected one */
static bool supported_versions(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	struct rd list = h->server ? rd_bytes(&data, 2) : rd_block(&data, 1);

	if (!whole(&data) || list.left % 2 != 0)
		return false;
	i->versions = list;
	return true;
}

/* profiles <2> | mki <1> */
static bool use_srtp(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	struct rd profiles = rd_block(&data, 2), mki = rd_block(&data, 1);

	(void)h;
	if (!whole(&data) || profiles.left % 2 != 0)
		return false;
	i->srtp_profiles = profiles;
	i->srtp_mki = mki;
	return true;
}

/* version 2 | key parameters <1> */
static bool token_binding(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	(void)h;
	rd_bytes(&data, 2);
	i->has_token_binding = true;
	i->token_binding = rd_block(&data, 1);
	return whole(&data);
}

/* client: u8 list <1>; server: the selected one */
static bool certificate_types(struct rd data, const struct tls_hello *h, struct rd *types)
{
	struct rd list = h->server ? rd_bytes(&data, 1) : rd_block(&data, 1);

	if (whole(&data))
		*types = list;
	return whole(&data);
}

static bool client_types(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	return certificate_types(data, h, &i->client_certificate_types);
}

static bool server_types(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	return certificate_types(data, h, &i->server_certificate_types);
}

/* client: empty; server: timestamps <2> */
static bool sct(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	i->has_sct = true;
	if (h->server)
		i->scts = rd_block(&data, 2);
	return whole(&data);
}

/* client: empty; server: names, without a size of their own */
static bool next_protocol(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	(void)h;
	i->npn = data;
	return true;
}

static bool padding(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	(void)h;
	i->has_padding = true;
	i->padding_size = (uint16_t)data.left;
	return true;
}

static bool quic_draft(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	(void)h;
	i->quic_parameters_draft = !rd_ok(&i->quic_parameters);
	if (i->quic_parameters_draft)
		i->quic_parameters = data;
	return true;
}

static bool names(struct rd data, struct rd *list)
{
	struct rd block = rd_block(&data, 2), walk = block, name;

	while (tls_name_next(&walk, &name))
		;
	if (!whole(&data) || !rd_ok(&walk))
		return false;
	*list = block;
	return true;
}

/* names <2>; server: one name */
static bool alpn(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	(void)h;
	return names(data, &i->alpn);
}

static bool alps(struct tls_hello_info *i, uint16_t type, struct rd data)
{
	struct rd list = { NULL, 0 };

	if (!names(data, &list))
		return false;
	if (!rd_ok(&i->alps) || type == TLS_EXT_ALPS) {
		i->alps_type = type;
		i->alps = list;
	}
	return true;
}

static bool alps_old(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	(void)h;
	return alps(i, TLS_EXT_ALPS_OLD, data);
}

static bool alps_new(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	(void)h;
	return alps(i, TLS_EXT_ALPS, data);
}

/* outer: | 0 | kdf 2 | aead 2 | config id 1 | enc <2> | payload <2> |; inner: | 1 |; retry: 8 bytes
 */
static bool encrypted_hello(struct rd data, const struct tls_hello *h, struct tls_hello_info *i)
{
	struct tls_ech ech = { .present = true };

	i->ech.present = true;
	if (h->server) {
		i->ech.confirmation = data;
		return !h->retry || data.left == 8;
	}
	ech.type = rd_u8(&data);
	if (ech.type == TLS_ECH_OUTER) {
		ech.kdf = rd_u16(&data);
		ech.aead = rd_u16(&data);
		ech.config_id = rd_u8(&data);
		ech.enc_size = (uint16_t)rd_block(&data, 2).left;
		ech.payload_size = (uint16_t)rd_block(&data, 2).left;
	}
	if (!whole(&data) || ech.type > TLS_ECH_INNER)
		return false;
	i->ech = ech;
	return true;
}

/* --- extensions that a row describes ------------------------------------------------------------
 */
enum shape {
	UNKNOWN,
	LIST,   /* a list of 'unit' bytes an element behind 'prefix' bytes of size, to a reader */
	DATA,   /* all of the data, to a reader */
	NUMBER, /* of 'unit' bytes, to an integer of that size */
	FLAG,   /* being there is all, to a bool */
	CODE,   /* by a function */
};

struct row {
	uint16_t type;
	uint8_t shape; /* enum shape */
	uint8_t prefix, unit;
	uint16_t offset; /* in struct tls_hello_info */
	decode *decode;
};

#define TO(member) .offset = offsetof(struct tls_hello_info, member)

enum { LOW_TYPES = 64 };

static const struct row low[LOW_TYPES] = {
	[TLS_EXT_SERVER_NAME] = { .shape = CODE, .decode = server_name },
	[TLS_EXT_MAX_FRAGMENT_LENGTH] = { .shape = NUMBER, .unit = 1, TO(max_fragment_length) },
	[TLS_EXT_TRUNCATED_HMAC] = { .shape = FLAG, TO(has_truncated_hmac) },
	[TLS_EXT_STATUS_REQUEST] = { .shape = CODE, .decode = status_request },
	[TLS_EXT_SUPPORTED_GROUPS] = { .shape = LIST, .prefix = 2, .unit = 2, TO(groups) },
	[TLS_EXT_EC_POINT_FORMATS] = { .shape = LIST, .prefix = 1, .unit = 1, TO(point_formats) },
	[TLS_EXT_SRP] = { .shape = LIST, .prefix = 1, .unit = 1, TO(srp_user) },
	[TLS_EXT_SIGNATURE_ALGORITHMS] = { .shape = LIST,
			.prefix = 2,
			.unit = 2,
			TO(signature_algorithms) },
	[TLS_EXT_USE_SRTP] = { .shape = CODE, .decode = use_srtp },
	[TLS_EXT_HEARTBEAT] = { .shape = NUMBER, .unit = 1, TO(heartbeat) },
	[TLS_EXT_ALPN] = { .shape = CODE, .decode = alpn },
	[TLS_EXT_STATUS_REQUEST_V2] = { .shape = FLAG, TO(has_status_request_v2) },
	[TLS_EXT_SCT] = { .shape = CODE, .decode = sct },
	[TLS_EXT_CLIENT_CERTIFICATE_TYPE] = { .shape = CODE, .decode = client_types },
	[TLS_EXT_SERVER_CERTIFICATE_TYPE] = { .shape = CODE, .decode = server_types },
	[TLS_EXT_PADDING] = { .shape = CODE, .decode = padding },
	[TLS_EXT_ENCRYPT_THEN_MAC] = { .shape = FLAG, TO(has_encrypt_then_mac) },
	[TLS_EXT_EXTENDED_MASTER_SECRET] = { .shape = FLAG, TO(has_extended_master_secret) },
	[TLS_EXT_TOKEN_BINDING] = { .shape = CODE, .decode = token_binding },
	[TLS_EXT_COMPRESS_CERTIFICATE] = { .shape = LIST,
			.prefix = 1,
			.unit = 2,
			TO(compress_certificate) },
	[TLS_EXT_RECORD_SIZE_LIMIT] = { .shape = NUMBER, .unit = 2, TO(record_size_limit) },
	[TLS_EXT_DELEGATED_CREDENTIAL] = { .shape = LIST,
			.prefix = 2,
			.unit = 2,
			TO(delegated_credentials) },
	[TLS_EXT_SESSION_TICKET] = { .shape = DATA, TO(session_ticket) },
	[TLS_EXT_KEY_SHARE_DRAFT] = { .shape = CODE, .decode = key_share },
	[TLS_EXT_PRE_SHARED_KEY] = { .shape = CODE, .decode = pre_shared_key },
	[TLS_EXT_EARLY_DATA] = { .shape = FLAG, TO(has_early_data) },
	[TLS_EXT_SUPPORTED_VERSIONS] = { .shape = CODE, .decode = supported_versions },
	[TLS_EXT_COOKIE] = { .shape = LIST, .prefix = 2, .unit = 1, TO(cookie) },
	[TLS_EXT_PSK_KEY_EXCHANGE_MODES] = { .shape = LIST, .prefix = 1, .unit = 1, TO(psk_modes) },
	[TLS_EXT_CERTIFICATE_AUTHORITIES] = { .shape = LIST,
			.prefix = 2,
			.unit = 1,
			TO(certificate_authorities) },
	[TLS_EXT_POST_HANDSHAKE_AUTH] = { .shape = FLAG, TO(has_post_handshake_auth) },
	[TLS_EXT_SIGNATURE_ALGORITHMS_CERT] = { .shape = LIST,
			.prefix = 2,
			.unit = 2,
			TO(signature_algorithms_cert) },
	[TLS_EXT_KEY_SHARE] = { .shape = CODE, .decode = key_share },
	[TLS_EXT_CONNECTION_ID] = { .shape = LIST, .prefix = 1, .unit = 1, TO(connection_id) },
	[TLS_EXT_QUIC_PARAMETERS] = { .shape = DATA, TO(quic_parameters) },
};

static const struct row high[] = {
	{ TLS_EXT_NEXT_PROTOCOL, .shape = CODE, .decode = next_protocol },
	{ TLS_EXT_ALPS_OLD, .shape = CODE, .decode = alps_old },
	{ TLS_EXT_ALPS, .shape = CODE, .decode = alps_new },
	{ TLS_EXT_CHANNEL_ID, .shape = FLAG, TO(has_channel_id) },
	{ TLS_EXT_ECH, .shape = CODE, .decode = encrypted_hello },
	{ TLS_EXT_RENEGOTIATION, .shape = LIST, .prefix = 1, .unit = 1, TO(renegotiation) },
	{ TLS_EXT_QUIC_PARAMETERS_DRAFT, .shape = CODE, .decode = quic_draft },
	{ TLS_EXT_ESNI, .shape = DATA, TO(esni) },
};

static const struct row *find_row(uint16_t type)
{
	if (type < LOW_TYPES)
		return low[type].shape == UNKNOWN ? NULL : &low[type];
	for (size_t i = 0; i < sizeof high / sizeof high[0]; i++) {
		if (high[i].type == type)
			return &high[i];
	}
	return NULL;
}

static bool list_to(const struct row *row, struct rd data, struct rd *to)
{
	struct rd list = rd_block(&data, row->prefix);

	if (!whole(&data) || list.left % row->unit != 0)
		return false;
	*to = list;
	return true;
}

static bool number_to(const struct row *row, struct rd data, void *to)
{
	if (data.left != row->unit)
		return false;
	if (row->unit == 1)
		*(uint8_t *)to = rd_u8(&data);
	else
		*(uint16_t *)to = rd_u16(&data);
	return true;
}

static bool decode_row(const struct row *row, struct rd data, const struct tls_hello *h,
		struct tls_hello_info *i)
{
	void *to = (char *)i + row->offset;

	switch ((enum shape)row->shape) {
	case LIST:
		return list_to(row, data, to);
	case DATA:
		*(struct rd *)to = data;
		return true;
	case NUMBER:
		return number_to(row, data, to);
	case FLAG:
		*(bool *)to = true;
		return true;
	case CODE:
		return row->decode(data, h, i);
	case UNKNOWN:
		break;
	}
	return true;
}

/* Types seen so far: exact below 64, and for the first others. */
struct seen {
	uint64_t low;
	uint16_t high[LOW_TYPES];
	size_t count;
};

static bool seen_before(struct seen *s, uint16_t type)
{
	if (type < LOW_TYPES) {
		bool before = s->low >> type & 1;

		s->low |= (uint64_t)1 << type;
		return before;
	}
	for (size_t i = 0; i < s->count; i++) {
		if (s->high[i] == type)
			return true;
	}
	if (s->count < LOW_TYPES)
		s->high[s->count++] = type;
	return false;
}

void tls_hello_decode(const struct tls_hello *h, struct tls_hello_info *i)
{
	struct rd walk = h->extensions;
	struct tls_extension e;
	struct seen seen;

	seen.low = 0;
	seen.count = 0;
	*i = (struct tls_hello_info){ 0 };
	while (tls_extension_next(&walk, &e)) {
		const struct row *row = find_row(e.type);

		i->extension_count++;
		i->grease_count = (uint16_t)(i->grease_count + tls_is_grease(e.type));
		if (seen_before(&seen, e.type))
			i->duplicate = true;
		else if (row != NULL && !decode_row(row, e.data, h, i))
			i->malformed++;
	}
	i->sound = rd_ok(&walk) || !rd_ok(&h->extensions);
}
