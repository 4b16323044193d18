/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_record.c - heads of TLS and SSLv2 records, and what a stream that begins with one looks like.
 *
 *   TLS:    | type 1 | version 2 | size 2 | body |
 *   SSLv2:  | 1 size 15 bits | body |
 *           | 0 escape 1 size 14 bits | padding 1 | body and padding |
 */
#include "proto/tls_record.h"
#include "proto/tls_message.h"

enum { SSL2_CLIENT_HELLO = 1, SSL2_SERVER_HELLO = 4, SSL2_ID = 16, SSL2_CHALLENGE_MAX = 32 };

static bool version_plausible(uint16_t version)
{
	return (version >= TLS_VERSION_SSL3 && version <= TLS_VERSION_1_3) ||
	       version == TLS_VERSION_TLCP;
}

bool tls_record_head(struct rd r, struct tls_record *rec)
{
	*rec = (struct tls_record){ .type = rd_u8(&r), .version = rd_u16(&r), .size = rd_u16(&r) };
	rec->body = rd_first(r, rec->size);
	return rd_ok(&r) && rec->type >= TLS_CHANGE_CIPHER_SPEC && rec->type <= TLS_HEARTBEAT &&
	       version_plausible(rec->version) && rec->size <= TLS_RECORD_MAX;
}

bool tls_ssl2_record_head(struct rd r, struct tls_ssl2_record *rec)
{
	uint16_t word = rd_u16(&r);

	*rec = (struct tls_ssl2_record){ .head = 2, .size = word & 0x7fff };
	if (!(word & 0x8000)) {
		rec->head = 3;
		rec->size = word & 0x3fff;
		rec->padding = rd_u8(&r);
	}
	rec->body = rd_first(r, rec->size);
	return rd_ok(&r) && rec->size > rec->padding;
}

/* The next byte lies within the bounds, or is not there yet. */
static bool next_within(struct rd *r, uint8_t low, uint8_t high)
{
	uint8_t byte = rd_more(r) ? rd_u8(r) : low;

	return byte >= low && byte <= high;
}

/* A head that is not whole yet: nothing speaks against the bytes that are there. */
static bool head_possible(struct rd r)
{
	bool type = next_within(&r, TLS_CHANGE_CIPHER_SPEC, TLS_HEARTBEAT);
	bool tlcp = rd_more(&r) && r.p[0] == TLS_VERSION_TLCP >> 8;
	bool major = next_within(&r, tlcp ? 1 : 3, tlcp ? 1 : 3);
	bool minor = next_within(&r, tlcp ? 1 : 0, tlcp ? 1 : 4);

	return type && major && minor && next_within(&r, 0, TLS_RECORD_MAX >> 8);
}

/*
 * A handshake record's body: a message that may begin a stream, in the bytes that are there.  Of
 * one that is encrypted nothing is known but that it is no shorter than a Finished.
 */
static enum tls_guess guess_handshake(const struct tls_record *rec)
{
	enum { SHORTEST_ENCRYPTED = 32 };
	struct rd body = rd_first(rec->body, 6);
	size_t needed = rec->size < 6 ? rec->size : 6;
	bool hello = rd_more(&body) &&
		     (body.p[0] == TLS_CLIENT_HELLO || body.p[0] == TLS_SERVER_HELLO);

	if (rec->size == 0)
		return TLS_NO;
	if (body.left < needed)
		return TLS_MAYBE;
	if (rec->size < TLS_MESSAGE_HEAD)
		return tls_message_plausible(body.p[0], 0) ? TLS_YES : TLS_NO;

	uint8_t type = rd_u8(&body);
	uint32_t size = (uint32_t)rd_uint(&body, 3);
	bool version = body.left < 2 || body.p[0] <= 3 || body.p[0] == 0x7f;

	if (tls_message_plausible(type, size) && (!hello || version))
		return TLS_YES;
	return rec->size >= SHORTEST_ENCRYPTED ? TLS_YES : TLS_NO;
}

/* Change cipher spec is the byte 1; an alert of two bytes begins with level 1 or 2. */
static enum tls_guess guess_in_the_clear(const struct tls_record *rec)
{
	struct rd body = rec->body;

	if (!rd_more(&body))
		return TLS_MAYBE;
	return next_within(&body, 1, (uint8_t)rec->size) ? TLS_YES : TLS_NO;
}

static enum tls_guess guess_tls(struct rd r)
{
	struct tls_record rec;

	if (r.left < TLS_RECORD_HEAD)
		return head_possible(r) ? TLS_MAYBE : TLS_NO;
	if (!tls_record_head(r, &rec))
		return TLS_NO;
	if (rec.type == TLS_HANDSHAKE)
		return guess_handshake(&rec);
	if (rec.type == TLS_CHANGE_CIPHER_SPEC && rec.size != 1)
		return TLS_NO;
	if (rec.type == TLS_CHANGE_CIPHER_SPEC || (rec.type == TLS_ALERT && rec.size == 2))
		return guess_in_the_clear(&rec);
	return rec.size > 1 ? TLS_YES : TLS_NO;
}

/* ClientHello: | 1 | version 2 | ciphers 2 | session id 2 | challenge 2 | those three |, in sizes
 */
static bool ssl2_client_plausible(struct rd r, uint16_t size)
{
	uint16_t version = rd_u16(&r);
	uint16_t ciphers = rd_u16(&r), id = rd_u16(&r), challenge = rd_u16(&r);

	return rd_ok(&r) && (version == TLS_VERSION_SSL2 || version_plausible(version)) &&
	       ciphers > 0 && ciphers % 3 == 0 && (id == 0 || id == SSL2_ID) &&
	       challenge >= SSL2_ID && challenge <= SSL2_CHALLENGE_MAX &&
	       9 + ciphers + id + challenge == size;
}

/* ServerHello: | 4 | session id hit 1 | certificate type 1 | version 2 | sizes of three, 2 each |
 */
static bool ssl2_server_plausible(struct rd r, uint16_t size)
{
	uint8_t hit = rd_u8(&r), certificate_type = rd_u8(&r);
	uint16_t version = rd_u16(&r), certificate = rd_u16(&r);

	return rd_ok(&r) && hit <= 1 && certificate_type == !hit && version == TLS_VERSION_SSL2 &&
	       11 + certificate <= size;
}

static enum tls_guess guess_ssl2(struct rd r)
{
	struct rd look = r;
	struct tls_ssl2_record rec;

	if (!next_within(&look, 0x80, 0xff))
		return TLS_NO;
	rd_bytes(&look, 1);
	if (rd_more(&look) && *look.p != SSL2_CLIENT_HELLO && *look.p != SSL2_SERVER_HELLO)
		return TLS_NO;
	if (r.left < TLS_GUESS_BYTES)
		return TLS_MAYBE;
	if (!tls_ssl2_record_head(r, &rec))
		return TLS_NO;

	bool client = rd_u8(&rec.body) == SSL2_CLIENT_HELLO;
	bool plausible = client ? ssl2_client_plausible(rec.body, rec.size)
				: ssl2_server_plausible(rec.body, rec.size);

	return plausible ? TLS_SSL2 : TLS_NO;
}

enum tls_guess tls_guess(struct rd first_bytes)
{
	struct rd r = rd_first(first_bytes, TLS_GUESS_BYTES);

	if (!rd_more(&r))
		return TLS_MAYBE;
	return r.p[0] & 0x80 ? guess_ssl2(r) : guess_tls(r);
}
