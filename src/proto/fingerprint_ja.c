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

#include "proto/fingerprint_work.h"

/* --- JA3 -----------------------------------------------------------------------------------------
 */
static char *put_u16_list(char *to, struct rd list)
{
	const char *first = to;

	while (list.left >= 2) {
		uint16_t v = rd_u16(&list);

		if (tls_is_grease(v))
			continue;
		if (to > first)
			*to++ = '-';
		to = fingerprint_put_decimal(to, v);
	}
	return to;
}

static char *put_u8_list(char *to, struct rd list)
{
	for (size_t i = 0; i < list.left; i++) {
		if (i > 0)
			*to++ = '-';
		to = fingerprint_put_decimal(to, list.p[i]);
	}
	return to;
}

static char *put_types(char *to, const struct fingerprint_work *w)
{
	const char *first = to;

	for (size_t i = 0; i < w->count; i++) {
		if (tls_is_grease(w->extension[i].type))
			continue;
		if (to > first)
			*to++ = '-';
		to = fingerprint_put_decimal(to, w->extension[i].type);
	}
	return to;
}

void ja3_text(const struct fingerprint_work *w, struct buf *out)
{
	enum { U8 = sizeof "255", U16 = sizeof "65535", COMMAS = 4 };
	const struct tls_hello *h = w->hello;
	char *begin, *to;

	if (h->ssl2)
		return;
	begin = buf_reserve(out, COMMAS + U16 * (1 + h->ciphers.left / 2 + w->count) +
						 U16 * (w->groups.left / 2) + U8 * w->formats.left);
	if (begin == NULL)
		return;
	to = fingerprint_put_decimal(begin, h->legacy_version);
	*to++ = ',';
	to = put_u16_list(to, h->ciphers);
	*to++ = ',';
	to = put_types(to, w);
	if (!h->server) {
		*to++ = ',';
		to = put_u16_list(to, w->groups);
		*to++ = ',';
		to = put_u8_list(to, w->formats);
	}
	buf_commit(out, (size_t)(to - begin));
}

/* The first digits of the hash of a part of a text. */
static void put_hash(struct fingerprint_work *w, enum fingerprint_algorithm algorithm,
		const char *text, size_t size, size_t digits, char *out)
{
	uint8_t hash[FINGERPRINT_HASH];

	fingerprint_recall(&w->memo, algorithm, (struct rd){ (const uint8_t *)text, size }, hash);
	fingerprint_hash_text(hash, digits, out);
}

static uint8_t *put_number(uint8_t *to, uint16_t v)
{
	memcpy(to, &v, sizeof v);
	return to + sizeof v;
}

/* Unless it is GREASE; without a branch, for GREASE comes and goes. */
static uint8_t *put_plain(uint8_t *to, uint16_t v)
{
	uint8_t *end = put_number(to, v);

	return tls_is_grease(v) ? to : end;
}

static uint8_t *put_plain_list(uint8_t *to, struct rd list)
{
	while (list.left >= 2)
		to = put_plain(to, rd_u16(&list));
	return to;
}

/* All that goes into a JA3, and where one part ends and the next begins; into an empty buffer. */
static void ja3_parts(const struct fingerprint_work *w, struct buf *out)
{
	enum { VALUE = sizeof(uint16_t), PARTS = 5 };
	const struct tls_hello *h = w->hello;
	uint8_t *begin = (uint8_t *)buf_reserve(out,
			VALUE * (PARTS + h->ciphers.left / 2 + w->count + w->groups.left / 2 + 1) +
					w->formats.left);
	uint8_t *head = begin, *to = begin + PARTS * VALUE;

	if (begin == NULL)
		return;
	head = put_number(put_number(head, h->legacy_version), h->server);
	to = put_plain_list(to, h->ciphers);
	head = put_number(head, (uint16_t)(to - begin));
	for (size_t i = 0; i < w->count; i++)
		to = put_plain(to, w->extension[i].type);
	head = put_number(head, (uint16_t)(to - begin));
	to = put_plain_list(to, w->groups);
	put_number(head, (uint16_t)(to - begin));
	if (w->formats.left > 0)
		memcpy(to, w->formats.p, w->formats.left);
	buf_commit(out, (size_t)(to - begin) + w->formats.left);
}

static struct rd bytes_of(const struct buf *b)
{
	return (struct rd){ (const uint8_t *)b->p, b->size };
}

void ja3(struct fingerprint_work *w, struct buf *scratch, char out[JA3_SIZE])
{
	struct fingerprint_known *k, none;
	bool known;

	out[0] = '\0';
	buf_clear(scratch);
	if (w->hello->ssl2)
		return;
	ja3_parts(w, scratch);
	if (!buf_ok(scratch))
		return;
	k = fingerprint_memo(&w->memo, FINGERPRINT_JA3_PARTS, bytes_of(scratch), 0, &known);
	k = k == NULL ? &none : k;
	if (!known) {
		buf_clear(scratch);
		ja3_text(w, scratch);
		fingerprint_hash(FINGERPRINT_MD5, bytes_of(scratch), k->hash);
	}
	if (buf_ok(scratch))
		fingerprint_hash_text(k->hash, JA3_SIZE - 1, out);
	else
		k->size = 0;
}

/* --- JA4 -----------------------------------------------------------------------------------------
 */
enum { HEAD = 10, PART = 12 };

/* A value of a list, which end_list() ends. */
static char *put_value(char *to, uint16_t v)
{
	to = fingerprint_put_u16(to, v);
	*to++ = ',';
	return to;
}

static char *end_list(const char *begin, char *end)
{
	return end > begin ? end - 1 : end;
}

static char *put_values(char *to, struct rd list)
{
	char *begin = to;
	uint16_t v;

	while (tls_u16_next(&list, &v))
		if (!tls_is_grease(v))
			to = put_value(to, v);
	return end_list(begin, to);
}

static char *put_sorted(char *to, struct rd list, uint64_t *scratch)
{
	char *begin = to;
	size_t count = 0;
	uint16_t v;

	while (count < LIMIT_FINGERPRINT_VALUES && tls_u16_next(&list, &v))
		if (!tls_is_grease(v))
			scratch[count++] = v;
	fingerprint_sort_numbers(scratch, count);
	for (size_t i = 0; i < count; i++)
		to = put_value(to, (uint16_t)scratch[i]);
	return end_list(begin, to);
}

/* The sorted ciphersuites, with their hash. */
static char *put_sorted_ciphers(
		char *to, struct fingerprint_work *w, uint8_t hash[FINGERPRINT_HASH])
{
	enum { VALUE = sizeof "ffff" };
	struct rd list = w->hello->ciphers, key = { (const uint8_t *)w->scratch, 0 };
	struct fingerprint_known *k;
	char *begin = to;
	bool known;

	key.left = (size_t)(put_plain_list((uint8_t *)w->scratch, list) - key.p);
	k = fingerprint_memo(&w->memo, FINGERPRINT_CIPHERS, key, key.left / 2 * VALUE, &known);
	if (known) {
		memcpy(to, k->bytes + k->size, k->text_size);
		to += k->text_size;
		memcpy(hash, k->hash, FINGERPRINT_HASH);
		return to;
	}
	to = put_sorted(to, list, w->scratch);
	fingerprint_hash(FINGERPRINT_SHA256,
			(struct rd){ (const uint8_t *)begin, (size_t)(to - begin) }, hash);
	if (k != NULL) {
		k->text_size = (uint16_t)(to - begin);
		memcpy(k->bytes + k->size, begin, k->text_size);
		memcpy(k->hash, hash, FINGERPRINT_HASH);
	}
	return to;
}

/* Sorted, server name and ALPN are left out: they say where a client goes, not what it is. */
static char *put_extensions(char *to, const struct fingerprint_work *w, bool sorted)
{
	char *begin = to;

	for (size_t i = 0; i < w->count; i++) {
		uint16_t type = sorted ? fingerprint_sorted_type(w->sorted[i])
				       : w->extension[i].type;
		bool address = type == TLS_EXT_SERVER_NAME || type == TLS_EXT_ALPN;

		if (!tls_is_grease(type) && !(sorted && address))
			to = put_value(to, type);
	}
	return end_list(begin, to);
}

/* Behind extensions; without them there is nothing, whatever the signatures are. */
static char *put_signatures(char *to, const struct tls_hello_info *i)
{
	char *end = put_values(to + 1, i->signature_algorithms);

	*to = '_';
	return end == to + 1 ? to : end;
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

static void two_digits(char out[2], size_t count)
{
	fingerprint_put_pair(out, count > 99 ? 99 : (unsigned)count);
}

static void ja4_head(const struct tls_hello *h, const struct tls_hello_info *i,
		enum ja4_transport transport, size_t ciphers, char out[HEAD])
{
	out[0] = (char)transport;
	memcpy(out + 1, version_text(ja4_version(h, i, transport)), 2);
	out[3] = i->has_sni ? 'd' : 'i';
	two_digits(out + 4, ciphers);
	two_digits(out + 6, (size_t)(i->extension_count - i->grease_count));
	ja4_alpn(i->alpn, out + 8);
}

/* Where its parts begin in a JA4_r or JA4_ro. */
struct ja4_parts {
	size_t ciphers, extensions;
	uint8_t ciphers_hash[FINGERPRINT_HASH]; /* of a JA4_r */
};

static struct ja4_parts ja4_raw(struct fingerprint_work *w, const struct tls_hello_info *i,
		enum ja4_transport transport, bool sorted, struct buf *out)
{
	enum { VALUE = sizeof "ffff", LINES = 3 };
	struct rd ciphers = w->hello->ciphers;
	size_t values = ciphers.left / 2 + w->count + i->signature_algorithms.left / 2;
	char *begin = buf_reserve(out, HEAD + LINES + VALUE * values), *to = begin, *first;
	struct ja4_parts parts = { 0, 0, { 0 } };

	if (begin == NULL)
		return parts;
	to += HEAD;
	*to++ = '_';
	first = to;
	to = sorted ? put_sorted_ciphers(to, w, parts.ciphers_hash) : put_values(to, ciphers);
	/* Every value is as long as the others. */
	ja4_head(w->hello, i, transport, ((size_t)(to - first) + 1) / VALUE, begin);
	*to++ = '_';
	parts.ciphers = (size_t)(first - out->p);
	parts.extensions = (size_t)(to - out->p);
	first = to;
	to = put_extensions(to, w, sorted);
	if (to > first)
		to = put_signatures(to, i);
	buf_commit(out, (size_t)(to - begin));
	return parts;
}

static const char no_part[PART + 1] = "000000000000";

void ja4(struct fingerprint_work *w, const struct tls_hello_info *i, enum ja4_transport transport,
		struct buf *scratch, char out[JA4_SIZE])
{
	struct ja4_parts parts;
	char *to = out;

	out[0] = '\0';
	buf_clear(scratch);
	if (w->hello->ssl2)
		return;
	parts = ja4_raw(w, i, transport, true, scratch);
	if (!buf_ok(scratch))
		return;
	memcpy(to, scratch->p, HEAD + 1);
	to += HEAD + 1;
	if (parts.extensions - 1 > parts.ciphers)
		fingerprint_hash_text(parts.ciphers_hash, PART, to);
	else
		memcpy(to, no_part, PART);
	to += PART;
	*to++ = '_';
	if (scratch->size > parts.extensions)
		put_hash(w, FINGERPRINT_SHA256, scratch->p + parts.extensions,
				scratch->size - parts.extensions, PART, to);
	else
		memcpy(to, no_part, PART + 1);
}

void ja4_r(struct fingerprint_work *w, const struct tls_hello_info *i, enum ja4_transport transport,
		struct buf *out)
{
	if (!w->hello->ssl2)
		ja4_raw(w, i, transport, true, out);
}

void ja4_ro(struct fingerprint_work *w, const struct tls_hello_info *i,
		enum ja4_transport transport, struct buf *out)
{
	if (!w->hello->ssl2)
		ja4_raw(w, i, transport, false, out);
}
