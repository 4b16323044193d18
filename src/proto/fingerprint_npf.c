/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_npf.c - Network Protocol Fingerprints (cisco/mercury, doc/npf.md).
 *
 *   tls/(version)(ciphers)((extension)...)         in order; tls/1/ and tls/2/ with [...], sorted
 *   quic/(quic version)(version)(ciphers)[(extension)...]
 *   tcp/(ip version)(id)(ttl)(window)((option)...)
 *
 * A byte string is (hex).  GREASE is 0a0a wherever it stands.  Of most extensions only the type is
 * shown; of some, which say how a client was built, type, length and data.
 */
#include <string.h>

#include "base/limits.h"
#include "proto/fingerprint.h"
#include "proto/fingerprint_text.h"
#include "proto/quic_wire.h"
#include "proto/tcp_options.h"

enum { GREASE = 0x0a0a, UNASSIGNED = 0x003e, PRIVATE = 0xff00 };

static bool listed(const uint16_t *list, size_t count, uint16_t v)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == v)
			return true;
	return false;
}

/* TLS_EXT_FIXED: shown with their data. */
static bool with_data(uint16_t type)
{
	static const uint16_t types[] = { 0x0001, 0x0005, 0x0007, 0x0008, 0x0009, 0x000a, 0x000b,
		0x000d, 0x000f, 0x0010, 0x0011, 0x0018, 0x001b, 0x001c, 0x002b, 0x002d, 0x0032,
		0x5500 };

	return listed(types, sizeof types / sizeof types[0], type);
}

/* TLS_EXT_INCLUDE: shown when extensions are selected.  Below 0x3f all but a few that tell of a
 * connection and not of its client. */
static bool selected(uint16_t type)
{
	static const uint16_t out[] = { 0x0015, 0x0023, 0x0029, 0x002a };
	static const uint16_t in[] = { GREASE, 0x3374, 0x5500, 0x754f, 0x7550, 0xfd00, 0xfe0d,
		0xff00, 0xff01, 0xff03, 0xffa5, 0xffce };

	if (type <= 0x003e)
		return !listed(out, sizeof out / sizeof out[0], type);
	return listed(in, sizeof in / sizeof in[0], type);
}

static uint16_t degreased(uint16_t v)
{
	return tls_is_grease(v) ? GREASE : v;
}

/* ENCODE: what a type becomes before selection. */
static uint16_t encoded(uint16_t type)
{
	uint16_t t = degreased(type);

	if (selected(t) || t <= 0x003e)
		return t;
	return t >= PRIVATE ? PRIVATE : UNASSIGNED;
}

/* --- extensions ----------------------------------------------------------------------------------
 */
static void put_degreased(struct buf *out, struct rd list)
{
	while (list.left >= 2)
		fingerprint_hex_u16(out, degreased(rd_u16(&list)));
	fingerprint_hex(out, list.p, list.left);
}

/* Data whose numbers may be GREASE begins with the length of its list, 'skip' bytes. */
static void put_data(struct buf *out, const struct tls_extension *e, bool server)
{
	struct rd data = e->data, length;
	size_t skip = data.left;

	if (e->type == TLS_EXT_SUPPORTED_GROUPS)
		skip = 2;
	else if (e->type == TLS_EXT_SUPPORTED_VERSIONS)
		skip = server ? 0 : 1;
	length = rd_bytes(&data, skip < data.left ? skip : data.left);
	fingerprint_hex_u16(out, (uint16_t)e->data.left);
	fingerprint_hex(out, length.p, length.left);
	put_degreased(out, data);
}

/* A transport parameter's id as it is on the wire, GREASE made one. */
static struct rd id_at(const struct rd *parameters, uint32_t at)
{
	static const struct rd grease = { (const uint8_t *)"\x1b", 1 };
	struct rd r = *parameters, look;

	rd_bytes(&r, at);
	look = r;
	if (quic_varint(&look) % 31 == 27)
		return grease;
	return rd_first(r, r.left - look.left);
}

static bool id_before(const void *parameters, uint32_t a, uint32_t b)
{
	struct rd x = id_at(parameters, a), y = id_at(parameters, b);
	int order = memcmp(x.p, y.p, x.left < y.left ? x.left : y.left);

	return order != 0 ? order < 0 : x.left < y.left;
}

/* [(id)...]: which transport parameters there are. */
static void put_parameters(struct buf *out, struct rd data)
{
	uint32_t values[LIMIT_FINGERPRINT_VALUES];
	struct rd r = data, value;
	uint32_t at = 0;
	size_t count = 0;
	uint64_t id;

	while (count < LIMIT_FINGERPRINT_VALUES && quic_parameter_next(&r, &id, &value)) {
		values[count++] = at;
		at = (uint32_t)(data.left - r.left);
	}
	fingerprint_sort(values, count, id_before, &data);
	buf_byte(out, '[');
	for (size_t i = 0; i < count; i++) {
		struct rd shown = id_at(&data, values[i]);

		buf_byte(out, '(');
		fingerprint_hex(out, shown.p, shown.left);
		buf_byte(out, ')');
	}
	buf_byte(out, ']');
}

static void put_extension(
		struct buf *out, uint16_t shown, const struct tls_extension *e, bool server)
{
	bool parameters = e->type == TLS_EXT_QUIC_PARAMETERS ||
			  e->type == TLS_EXT_QUIC_PARAMETERS_DRAFT;

	buf_text(out, parameters && !server ? "((" : "(");
	fingerprint_hex_u16(out, shown);
	if (parameters && !server) {
		buf_byte(out, ')');
		put_parameters(out, e->data);
	} else if (with_data(e->type)) {
		put_data(out, e, server);
	}
	buf_byte(out, ')');
}

static void put_in_order(struct buf *out, struct rd extensions, bool server)
{
	struct tls_extension e;

	buf_byte(out, '(');
	while (tls_extension_next(&extensions, &e))
		put_extension(out, degreased(e.type), &e, server);
	buf_byte(out, ')');
}

/* A sorted extension is its type as shown and where it stands, both of 16 bits. */
static struct tls_extension extension_at(const struct rd *extensions, uint32_t v)
{
	struct rd r = *extensions;
	struct tls_extension e = { 0 };

	rd_bytes(&r, v & 0xffff);
	tls_extension_next(&r, &e);
	return e;
}

/* By type; of the same type the shorter first, then by data. */
static bool extension_before(const void *extensions, uint32_t a, uint32_t b)
{
	if (a >> 16 != b >> 16)
		return a >> 16 < b >> 16;

	struct rd x = extension_at(extensions, a).data, y = extension_at(extensions, b).data;

	if (x.left != y.left)
		return x.left < y.left;
	return x.left > 0 && memcmp(x.p, y.p, x.left) < 0;
}

static void put_sorted(struct buf *out, struct rd extensions, bool only_selected)
{
	uint32_t values[LIMIT_FINGERPRINT_VALUES];
	struct rd r = extensions;
	struct tls_extension e;
	size_t count = 0, at = 0;

	while (count < LIMIT_FINGERPRINT_VALUES && tls_extension_next(&r, &e)) {
		uint16_t shown = only_selected ? encoded(e.type) : degreased(e.type);

		if (!only_selected || selected(shown))
			values[count++] = (uint32_t)shown << 16 | (uint32_t)at;
		at = extensions.left - r.left;
	}
	fingerprint_sort(values, count, extension_before, &extensions);
	buf_byte(out, '[');
	for (size_t i = 0; i < count; i++) {
		e = extension_at(&extensions, values[i]);
		put_extension(out, (uint16_t)(values[i] >> 16), &e, false);
	}
	buf_byte(out, ']');
}

/* --- whole fingerprints --------------------------------------------------------------------------
 */
static void put_u16(struct buf *out, uint16_t v)
{
	buf_byte(out, '(');
	fingerprint_hex_u16(out, v);
	buf_byte(out, ')');
}

static void put_u8(struct buf *out, uint8_t v)
{
	buf_byte(out, '(');
	fingerprint_hex(out, &v, 1);
	buf_byte(out, ')');
}

static void put_hello(struct buf *out, const struct tls_hello *h)
{
	put_u16(out, h->legacy_version);
	buf_byte(out, '(');
	put_degreased(out, h->ciphers);
	buf_byte(out, ')');
}

void npf_tls(const struct tls_hello *h, bool dtls, enum npf_format format, struct buf *out)
{
	static const char *const rules[] = { "", "1/", "2/" };

	if (h->ssl2)
		return;
	buf_text(out, dtls ? "dtls/" : "tls/");
	buf_text(out, rules[format]);
	put_hello(out, h);
	if (format == NPF_PLAIN)
		put_in_order(out, h->extensions, false);
	else
		put_sorted(out, h->extensions, format == NPF_SELECTED);
}

void npf_quic(const struct tls_hello *h, uint32_t version, enum npf_format format, struct buf *out)
{
	uint8_t number[] = { (uint8_t)(version >> 24), (uint8_t)(version >> 16),
		(uint8_t)(version >> 8), (uint8_t)version };

	buf_text(out, format == NPF_PLAIN ? "quic/(" : "quic/1/(");
	fingerprint_hex(out, number, sizeof number);
	buf_byte(out, ')');
	put_hello(out, h);
	put_sorted(out, h->extensions, format != NPF_PLAIN);
}

void npf_server(const struct tls_hello *h, bool dtls, struct buf *out)
{
	if (h->ssl2)
		return;
	buf_text(out, dtls ? "dtls_server/" : "tls_server/");
	put_u16(out, h->legacy_version);
	buf_byte(out, '(');
	fingerprint_hex(out, h->ciphers.p, h->ciphers.left);
	buf_byte(out, ')');
	put_in_order(out, h->extensions, true);
}

void npf_tcp(const struct npf_syn *syn, struct buf *out)
{
	struct rd r = syn->options;
	struct tcp_option o;

	buf_text(out, "tcp/");
	put_u8(out, (uint8_t)(syn->ip_version << 4));
	buf_text(out, syn->id_zero ? "(00)" : "()");
	put_u8(out, syn->ttl & 0xe0);
	put_u16(out, syn->window);
	buf_byte(out, '(');
	while (tcp_option_next(&r, &o)) {
		buf_byte(out, '(');
		fingerprint_hex(out, &o.kind, 1);
		if (o.kind == TCP_OPTION_MSS || o.kind == TCP_OPTION_WINDOW_SCALE) {
			fingerprint_hex(out, (uint8_t[]){ (uint8_t)(o.value.left + 2) }, 1);
			fingerprint_hex(out, o.value.p, o.value.left);
		}
		buf_byte(out, ')');
	}
	buf_byte(out, ')');
}

void npf_hash(const struct buf *text, struct buf *out)
{
	const char *paren = text->size > 0 ? memchr(text->p, '(', text->size) : NULL;
	char hash[NPF_HASH_SIZE];

	if (paren == NULL || !buf_ok(text))
		return;
	fingerprint_sha256(text, hash, NPF_HASH_SIZE - 1);
	buf_bytes(out, text->p, (size_t)(paren - text->p));
	buf_text(out, hash);
}
