/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_ja.c - JA3 and JA3S (salesforce/ja3), JA4 (FoxIO, JA4.md).
 *
 *   JA3:   version,ciphers,extensions,groups,point formats       decimal, '-' within a list
 *   JA3S:  version,cipher,extensions
 *   JA4:   t13d1516h2 _ SHA-256 of sorted ciphers _ SHA-256 of sorted extensions _ signatures
 *
 * GREASE counts nowhere.
 */
#include <string.h>

#include "base/limits.h"
#include "proto/fingerprint.h"
#include "proto/fingerprint_text.h"

/* --- JA3 -----------------------------------------------------------------------------------------
 */
/* A part of a list; 'first' is what its buffer's size was when the list began. */
static void ja3_value(struct buf *out, size_t first, unsigned v)
{
	if (out->size > first)
		buf_byte(out, '-');
	fingerprint_decimal(out, v);
}

/* Numbers of 'size' bytes, 1 or 2. */
static void ja3_list(struct buf *out, struct rd list, size_t size)
{
	size_t first = out->size;

	while (list.left >= size) {
		uint16_t v = (uint16_t)rd_uint(&list, size);

		if (size == 1 || !tls_is_grease(v))
			ja3_value(out, first, v);
	}
}

/* Appends the types; of a client's lists that JA3 wants gives the insides. */
static void ja3_extensions(
		struct buf *out, struct rd extensions, struct rd *groups, struct rd *formats)
{
	size_t first = out->size;
	struct tls_extension e;

	while (tls_extension_next(&extensions, &e)) {
		if (e.type == TLS_EXT_SUPPORTED_GROUPS)
			*groups = rd_block(&e.data, 2);
		else if (e.type == TLS_EXT_EC_POINT_FORMATS)
			*formats = rd_block(&e.data, 1);
		if (!tls_is_grease(e.type))
			ja3_value(out, first, e.type);
	}
}

void ja3_text(const struct tls_hello *h, struct buf *out)
{
	struct rd groups = { NULL, 0 }, formats = { NULL, 0 };

	if (h->ssl2)
		return;
	fingerprint_decimal(out, h->legacy_version);
	buf_byte(out, ',');
	ja3_list(out, h->ciphers, 2);
	buf_byte(out, ',');
	ja3_extensions(out, h->extensions, &groups, &formats);
	if (h->server)
		return;
	buf_byte(out, ',');
	ja3_list(out, groups, 2);
	buf_byte(out, ',');
	ja3_list(out, formats, 1);
}

void ja3(const struct tls_hello *h, struct buf *scratch, char out[JA3_SIZE])
{
	buf_clear(scratch);
	ja3_text(h, scratch);
	fingerprint_md5(scratch, out, h->ssl2 ? 0 : JA3_SIZE - 1);
}

/* --- JA4 -----------------------------------------------------------------------------------------
 */
enum { HEAD = 10, PART = 12 };

static bool smaller(const void *unused, uint32_t a, uint32_t b)
{
	(void)unused;
	return a < b;
}

/* "002f,0035,...": a list of numbers, sorted or not. */
static void ja4_values(struct buf *out, uint32_t *values, size_t count, bool sorted)
{
	if (sorted)
		fingerprint_sort(values, count, smaller, NULL);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_byte(out, ',');
		fingerprint_hex_u16(out, (uint16_t)values[i]);
	}
}

static size_t no_grease(struct rd list, uint32_t values[LIMIT_FINGERPRINT_VALUES])
{
	size_t count = 0;
	uint16_t v;

	while (count < LIMIT_FINGERPRINT_VALUES && tls_u16_next(&list, &v))
		if (!tls_is_grease(v))
			values[count++] = v;
	return count;
}

static void ja4_ciphers(const struct tls_hello *h, bool sorted, struct buf *out)
{
	uint32_t values[LIMIT_FINGERPRINT_VALUES];
	size_t count = no_grease(h->ciphers, values);

	ja4_values(out, values, count, sorted);
}

/* Sorted, server name and ALPN are left out: they say where a client goes, not what it is. */
static void ja4_extensions(const struct tls_hello *h, const struct tls_hello_info *i, bool sorted,
		struct buf *out)
{
	uint32_t values[LIMIT_FINGERPRINT_VALUES];
	struct rd extensions = h->extensions;
	struct tls_extension e;
	size_t count = 0;

	while (count < LIMIT_FINGERPRINT_VALUES && tls_extension_next(&extensions, &e)) {
		bool address = e.type == TLS_EXT_SERVER_NAME || e.type == TLS_EXT_ALPN;

		if (!tls_is_grease(e.type) && !(sorted && address))
			values[count++] = e.type;
	}
	ja4_values(out, values, count, sorted);
	/* Without extensions there is nothing, whatever the signatures are. */
	if (count > 0 && rd_more(&i->signature_algorithms)) {
		size_t signatures = no_grease(i->signature_algorithms, values);

		if (signatures > 0)
			buf_byte(out, '_');
		ja4_values(out, values, signatures, false);
	}
}

/*
 * The highest version offered, by its number (of DTLS the lowest, that being the newest): a draft
 * stands above 1.3 then, and has no digits of its own.
 */
static uint16_t ja4_version(const struct tls_hello *h, const struct tls_hello_info *i,
		enum ja4_transport transport)
{
	struct rd list = i->versions;
	uint16_t best = 0, v;

	if (!rd_ok(&list))
		return h->legacy_version;
	while (tls_u16_next(&list, &v)) {
		bool better = transport == JA4_DTLS && best != 0 ? v < best : v > best;

		if (!tls_is_grease(v) && better)
			best = v;
	}
	return best;
}

static const char *version_text(uint16_t version)
{
	switch (version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	case 0xfeff:
		return "d1";
	case 0xfefd:
		return "d2";
	case 0xfefc:
		return "d3";
	default:
		return "00";
	}
}

static bool alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last character of the first protocol, or of its hex form when either is odd. */
static void ja4_alpn(struct rd alpn, char out[2])
{
	static const char digit[] = "0123456789abcdef";
	struct rd name;

	memcpy(out, "00", 2);
	if (!tls_name_next(&alpn, &name) || name.left == 0)
		return;

	uint8_t first = name.p[0], last = name.p[name.left - 1];

	if (alphanumeric(first) && alphanumeric(last)) {
		out[0] = (char)first;
		out[1] = (char)last;
	} else {
		out[0] = digit[first >> 4];
		out[1] = digit[last & 15];
	}
}

static void two_digits(char out[2], unsigned count)
{
	unsigned shown = count > 99 ? 99 : count;

	out[0] = (char)('0' + shown / 10);
	out[1] = (char)('0' + shown % 10);
}

static void ja4_head(const struct tls_hello *h, const struct tls_hello_info *i,
		enum ja4_transport transport, char out[HEAD])
{
	struct rd ciphers = h->ciphers;
	unsigned count = 0;
	uint16_t v;

	while (tls_u16_next(&ciphers, &v))
		count += !tls_is_grease(v);
	out[0] = (char)transport;
	memcpy(out + 1, version_text(ja4_version(h, i, transport)), 2);
	out[3] = i->has_sni ? 'd' : 'i';
	two_digits(out + 4, count);
	two_digits(out + 6, (unsigned)i->extension_count - i->grease_count);
	ja4_alpn(i->alpn, out + 8);
}

static void hashed(const struct buf *text, char out[PART + 1])
{
	if (text->size == 0 && buf_ok(text))
		memcpy(out, "000000000000", PART + 1);
	else
		fingerprint_sha256(text, out, PART);
}

void ja4(const struct tls_hello *h, const struct tls_hello_info *i, enum ja4_transport transport,
		struct buf *scratch, char out[JA4_SIZE])
{
	out[0] = '\0';
	if (h->ssl2)
		return;
	ja4_head(h, i, transport, out);
	out[HEAD] = '_';
	buf_clear(scratch);
	ja4_ciphers(h, true, scratch);
	hashed(scratch, out + HEAD + 1);
	out[HEAD + 1 + PART] = '_';
	buf_clear(scratch);
	ja4_extensions(h, i, true, scratch);
	hashed(scratch, out + HEAD + 1 + PART + 1);
	if (!buf_ok(scratch))
		out[0] = '\0';
}

static void ja4_raw(const struct tls_hello *h, const struct tls_hello_info *i,
		enum ja4_transport transport, bool sorted, struct buf *out)
{
	char head[HEAD];

	if (h->ssl2)
		return;
	ja4_head(h, i, transport, head);
	buf_bytes(out, head, HEAD);
	buf_byte(out, '_');
	ja4_ciphers(h, sorted, out);
	buf_byte(out, '_');
	ja4_extensions(h, i, sorted, out);
}

void ja4_r(const struct tls_hello *h, const struct tls_hello_info *i, enum ja4_transport transport,
		struct buf *out)
{
	ja4_raw(h, i, transport, true, out);
}

void ja4_ro(const struct tls_hello *h, const struct tls_hello_info *i, enum ja4_transport transport,
		struct buf *out)
{
	ja4_raw(h, i, transport, false, out);
}
