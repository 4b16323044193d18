/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_npf.c - Network Protocol Fingerprints (cisco/mercury, doc/npf.md).
 *
 *   tls/(version)(ciphers)((extension)...)         in order; tls/1/ and tls/2/ with [...], sorted
 *   quic/(quic version)(version)(ciphers)[(extension)...]
 *   tcp/(ip version)(id)(ttl)(window)((option)...)
 *
 * A byte string is (hex).  What an extension looks like is in fingerprint_read.c; the forms differ
 * in which are shown and in what order.
 */
#include "proto/fingerprint_work.h"
#include "proto/tcp_options.h"

enum { UNASSIGNED = 0x003e, PRIVATE = 0xff00 };

/* TLS_EXT_INCLUDE: shown when extensions are selected.  Below 0x3f all but a few that tell of a
 * connection and not of its client. */
static bool selected(uint16_t type)
{
	static const uint64_t out = 1ULL << 0x15 | 1ULL << 0x23 | 1ULL << 0x29 | 1ULL << 0x2a;

	if (type <= UNASSIGNED)
		return !(out >> type & 1);
	switch (type) {
	case FINGERPRINT_GREASE:
	case 0x3374:
	case 0x5500:
	case 0x754f:
	case 0x7550:
	case 0xfd00:
	case 0xfe0d:
	case 0xff00:
	case 0xff01:
	case 0xff03:
	case 0xffa5:
	case 0xffce:
		return true;
	default:
		return false;
	}
}

/* ENCODE: what a type becomes before selection. */
static uint16_t encoded(uint16_t type)
{
	if (selected(type) || type <= UNASSIGNED)
		return type;
	return type >= PRIVATE ? PRIVATE : UNASSIGNED;
}

/* --- extensions ----------------------------------------------------------------------------------
 */
static char *put_piece(char *to, const struct fingerprint_work *w, uint64_t v)
{
	const struct fingerprint_extension *x = fingerprint_sorted_extension(w, v);
	size_t size = x[1].piece - x[0].piece;

	memcpy(to, w->pieces.p + x->piece, size);
	return to + size;
}

static char *put_in_order(char *to, const struct fingerprint_work *w)
{
	size_t first = w->extension[0].piece, size = w->pieces.size - first;

	*to++ = '(';
	memcpy(to, w->pieces.p + first, size);
	to += size;
	*to++ = ')';
	return to;
}

static char *put_sorted(char *to, const struct fingerprint_work *w)
{
	*to++ = '[';
	for (size_t i = 0; i < w->count; i++)
		to = put_piece(to, w, w->sorted[i]);
	*to++ = ']';
	return to;
}

static char *put_selected(char *to, struct fingerprint_work *w)
{
	uint64_t *values = w->scratch;
	size_t count = 0;
	bool renamed = false;

	for (size_t i = 0; i < w->count; i++) {
		uint16_t was = fingerprint_sorted_type(w->sorted[i]), type = encoded(was);

		if (!selected(type))
			continue;
		renamed |= type != was;
		values[count++] = (uint64_t)type << 32 | (w->sorted[i] & 0xffffffff);
	}
	if (renamed) /* else they are sorted as they were */
		fingerprint_sort_extensions(w, values, count);
	*to++ = '[';
	for (size_t i = 0; i < count; i++) {
		char *piece = to;
		uint16_t type = fingerprint_sorted_type(values[i]);

		to = put_piece(to, w, values[i]);
		if (type == UNASSIGNED || type == PRIVATE) /* of these nothing but the type */
			fingerprint_put_u16(piece + 1, type);
	}
	*to++ = ']';
	return to;
}

/* --- whole fingerprints --------------------------------------------------------------------------
 */
static char *put_text(char *to, const char *text)
{
	size_t size = strlen(text);

	memcpy(to, text, size);
	return to + size;
}

static char *put_u8(char *to, uint8_t v)
{
	*to++ = '(';
	to = fingerprint_put_u8(to, v);
	*to++ = ')';
	return to;
}

static char *put_u16(char *to, uint16_t v)
{
	*to++ = '(';
	to = fingerprint_put_u16(to, v);
	*to++ = ')';
	return to;
}

/* Room for a whole fingerprint; NULL without it. */
static char *reserve(const struct fingerprint_work *w, struct buf *out)
{
	enum { REST = 64 }; /* name, version of QUIC, brackets */

	out->failed |= !buf_ok(&w->pieces);
	return buf_reserve(out, REST + w->pieces.size);
}

static void commit_to(struct buf *out, const char *end)
{
	buf_commit(out, (size_t)(end - (out->p + out->size)));
}

/* Version and ciphersuites. */
static char *put_head(char *to, const struct fingerprint_work *w)
{
	memcpy(to, w->pieces.p, w->extension[0].piece);
	return to + w->extension[0].piece;
}

void npf_tls(struct fingerprint_work *w, bool dtls, enum npf_format format, struct buf *out)
{
	static const char *const names[2][3] = { { "tls/", "tls/1/", "tls/2/" },
		{ "dtls/", "dtls/1/", "dtls/2/" } };
	char *to = w->hello->ssl2 ? NULL : reserve(w, out);

	if (to == NULL)
		return;
	to = put_head(put_text(to, names[dtls][format]), w);
	if (format == NPF_PLAIN)
		to = put_in_order(to, w);
	else if (format == NPF_SORTED)
		to = put_sorted(to, w);
	else
		to = put_selected(to, w);
	commit_to(out, to);
}

void npf_quic(struct fingerprint_work *w, uint32_t version, enum npf_format format, struct buf *out)
{
	char *to = reserve(w, out);

	if (to == NULL)
		return;
	to = put_text(to, format == NPF_PLAIN ? "quic/(" : "quic/1/(");
	to = fingerprint_put_u16(to, (uint16_t)(version >> 16));
	to = fingerprint_put_u16(to, (uint16_t)version);
	*to++ = ')';
	to = put_head(to, w);
	to = format == NPF_PLAIN ? put_sorted(to, w) : put_selected(to, w);
	commit_to(out, to);
}

void npf_server(const struct fingerprint_work *w, bool dtls, struct buf *out)
{
	char *to = w->hello->ssl2 ? NULL : reserve(w, out);

	if (to == NULL)
		return;
	to = put_text(to, dtls ? "dtls_server/" : "tls_server/");
	commit_to(out, put_in_order(put_head(to, w), w));
}

/* (kind), and of some the size and the data. */
static char *put_option(char *to, const struct tcp_option *o)
{
	*to++ = '(';
	to = fingerprint_put_u8(to, o->kind);
	if (o->kind == TCP_OPTION_MSS || o->kind == TCP_OPTION_WINDOW_SCALE) {
		to = fingerprint_put_u8(to, (uint8_t)(o->value.left + 2));
		to = fingerprint_put_bytes(to, o->value);
	}
	*to++ = ')';
	return to;
}

void npf_tcp(const struct npf_syn *syn, struct buf *out)
{
	enum { REST = 64, OPTION = 6 }; /* six for one of a byte whose size is not there */
	struct rd r = syn->options;
	struct tcp_option o;
	char *to = buf_reserve(out, REST + OPTION * r.left);

	if (to == NULL)
		return;
	to = put_u8(put_text(to, "tcp/"), (uint8_t)(syn->ip_version << 4));
	to = put_text(to, syn->id_zero ? "(00)" : "()");
	to = put_u8(to, syn->ttl & 0xe0);
	to = put_u16(to, syn->window);
	*to++ = '(';
	while (tcp_option_next(&r, &o))
		to = put_option(to, &o);
	*to++ = ')';
	commit_to(out, to);
}

void npf_hash(const struct buf *text, struct buf *out)
{
	const char *paren = text->size > 0 ? memchr(text->p, '(', text->size) : NULL;
	char digits[NPF_HASH_SIZE];
	uint8_t hash[FINGERPRINT_HASH];

	if (paren == NULL || !buf_ok(text))
		return;
	fingerprint_hash(FINGERPRINT_SHA256, (struct rd){ (const uint8_t *)text->p, text->size },
			hash);
	fingerprint_hash_text(hash, NPF_HASH_SIZE - 1, digits);
	buf_bytes(out, text->p, (size_t)(paren - text->p));
	buf_text(out, digits);
}
