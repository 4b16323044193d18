/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fresh.c - where the randoms of a handshake lie, and QUIC's Initials opened and sealed again.
 *
 * Bytes are changed by exclusive or with a mask that the copy's number makes: so a second hello has
 * the random of the first, and a session that is resumed its id.
 */
#include "fresh.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "proto/quic_keys.h"
#include "proto/tls_hello.h"
#include "proto/tls_message.h"

enum {
	STREAM = 65536, /* bytes of each direction that are looked at */
	SPOTS = 64,
	RANDOM = 24,   /* bytes: the last 8 of a server may say that it would do better */
	RANDOM_AT = 6, /* in a handshake message */
	SESSION = 32,
	SIGNATURE = 8, /* the last bytes of a certificate */
	TAG = 16,
	SAMPLE_AT = 4,
};

struct spot { /* bytes of a TCP stream */
	bool server, certificate;
	uint32_t offset, size;
};

struct fresh {
	enum fresh_kind kind;
	uint32_t first_seq[2]; /* TCP, client and server */
	struct spot spots[SPOTS];
	size_t count;
	struct rd dcid; /* QUIC, of the client's first packet */
};

/* --- masks ------------------------------------------------------------------------------------ */

/* The bytes from 'skip' on of the mask of a number (splitmix64). */
static void mask_bytes(uint64_t number, size_t skip, uint8_t *bytes, size_t size)
{
	for (size_t i = skip; i < skip + size; i++) {
		uint64_t z = (number << 8 | i / 8) * 0x9e3779b97f4a7c15u;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		bytes[i - skip] ^= (uint8_t)((z ^ z >> 31) >> i % 8 * 8);
	}
}

/* Changes what of [offset, offset + size) lies in the bytes that begin at 'at'. */
static void change(uint64_t number, uint64_t offset, size_t size, uint64_t at, uint8_t *bytes,
		size_t count)
{
	uint64_t from = offset > at ? offset : at;
	uint64_t to = offset + size < at + count ? offset + size : at + count;

	if (from < to)
		mask_bytes(number, from - offset, bytes + (from - at), to - from);
}

/* --- TLS -------------------------------------------------------------------------------------- */

struct stream {
	uint8_t bytes[STREAM];
	size_t size;
};

static void add_spot(struct fresh *f, const struct stream *s, bool server, struct rd at,
		size_t size, bool certificate)
{
	if (f->count < SPOTS && at.left >= size)
		f->spots[f->count++] = (struct spot){ server, certificate,
			(uint32_t)(at.p - s->bytes), (uint32_t)size };
}

static void look_at_hello(struct fresh *f, const struct stream *s, struct rd body, bool server)
{
	struct tls_hello h;
	struct tls_hello_info info;

	if (!tls_hello_parse(body, server, false, &h) || h.retry)
		return;
	add_spot(f, s, server, h.random, RANDOM, false);
	if (h.session_id.left == SESSION)
		add_spot(f, s, server, h.session_id, SESSION, false);
	if (!server)
		return;
	tls_hello_decode(&h, &info);
	f->kind = tls_hello_version(&h, &info) == TLS_VERSION_1_3   ? FRESH_TLS13
		  : tls_hello_version(&h, &info) == TLS_VERSION_1_2 ? FRESH_TLS12
								    : FRESH_NONE;
}

static void look_at_certificates(
		struct fresh *f, const struct stream *s, struct rd body, bool server)
{
	struct rd list, der;

	if (!tls_certificate_list(body, false, &list))
		return;
	while (tls_certificate_next(&list, false, &der)) {
		if (der.left < SIGNATURE)
			continue;
		add_spot(f, s, server, (struct rd){ der.p + der.left - SIGNATURE, SIGNATURE },
				SIGNATURE, true);
	}
}

/* Messages that lie in one record each; encrypted ones are of no type here. */
static void look_at_stream(struct fresh *f, const struct stream *s, bool server)
{
	struct rd r = { s->bytes, s->size };
	struct tls_record rec;
	struct tls_message m;

	while (tls_record_head(r, &rec) && rec.body.left == rec.size) {
		while (rec.type == TLS_HANDSHAKE && tls_message_next(&rec.body, &m)) {
			if (m.type == (server ? TLS_SERVER_HELLO : TLS_CLIENT_HELLO))
				look_at_hello(f, s, m.body, server);
			else if (m.type == TLS_CERTIFICATE)
				look_at_certificates(f, s, m.body, server);
		}
		rd_bytes(&r, TLS_RECORD_HEAD + (size_t)rec.size);
	}
}

static void look_at_tcp(struct fresh *f, const struct fresh_part *parts, size_t count)
{
	struct stream *s = calloc(2, sizeof *s);

	for (size_t i = 0; s != NULL && i < count; i++) {
		const struct fresh_part *p = &parts[i];
		struct stream *to = &s[p->server];

		if (p->syn)
			f->first_seq[p->server] = p->seq + 1;

		size_t at = p->seq - f->first_seq[p->server];

		if (p->syn || p->size == 0 || at > to->size || at + p->size > STREAM)
			continue;
		memcpy(to->bytes + at, p->bytes, p->size);
		to->size = at + p->size > to->size ? at + p->size : to->size;
	}
	for (unsigned server = 0; s != NULL && server < 2; server++)
		look_at_stream(f, &s[server], server);
	free(s);
}

static void make_tcp(const struct fresh *f, uint64_t copy, uint64_t certificate,
		const struct fresh_part *p)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct spot *s = &f->spots[i];

		if (s->server == p->server && !p->syn)
			change(s->certificate ? certificate : copy, s->offset, s->size,
					p->seq - f->first_seq[p->server], p->bytes, p->size);
	}
}

/* --- QUIC ------------------------------------------------------------------------------------- */

/* An Initial under way between two protections. */
struct initial {
	struct quic_packet packet;
	uint8_t *first, *number, *text; /* text: of 'size' bytes, then the tag */
	size_t size;
};

static bool put_header_mask(struct initial *in, const struct quic_side *side, bool on)
{
	static EVP_CIPHER_CTX *c;
	uint8_t mask[TAG];
	int n;

	if (c == NULL)
		c = EVP_CIPHER_CTX_new();
	if (!EVP_EncryptInit_ex2(c, EVP_aes_128_ecb(), side->header, NULL, NULL) ||
			!EVP_EncryptUpdate(c, mask, &n, in->number + SAMPLE_AT, TAG))
		return false;

	unsigned size = (*in->first & 3u) + 1; /* of the number, by the byte without its mask */

	*in->first ^= mask[0] & 0x0f;
	if (!on)
		size = (*in->first & 3u) + 1;
	for (unsigned i = 0; i < size; i++)
		in->number[i] ^= mask[1 + i];
	in->text = in->number + size;
	in->size = (size_t)(in->packet.whole.p + in->packet.whole.left - in->text) - TAG;
	return true;
}

static bool crypt(struct initial *in, const struct quic_side *side, bool seal)
{
	static EVP_CIPHER_CTX *c;
	uint8_t nonce[sizeof side->iv];
	size_t number_size = (size_t)(in->text - in->number);
	int n, head = (int)(in->text - in->first);

	if (c == NULL)
		c = EVP_CIPHER_CTX_new();
	memcpy(nonce, side->iv, sizeof nonce);
	for (size_t i = 0; i < number_size; i++)
		nonce[sizeof nonce - number_size + i] ^= in->number[i];
	return EVP_CipherInit_ex2(c, EVP_aes_128_gcm(), side->key, nonce, seal, NULL) &&
	       (seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, in->text + in->size)) &&
	       EVP_CipherUpdate(c, NULL, &n, in->first, head) &&
	       EVP_CipherUpdate(c, in->text, &n, in->text, (int)in->size) &&
	       EVP_CipherFinal_ex(c, in->text + in->size, &n) > 0 &&
	       (!seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, in->text + in->size));
}

static struct quic_side side_of(uint32_t version, struct rd dcid, bool server)
{
	struct quic_keys k;

	if (quic_keys_derive(&k, version, dcid))
		quic_keys_side(&k, server);
	return server ? k.server : k.client;
}

static void change_hellos(const struct initial *in, uint64_t copy)
{
	struct rd frames = { in->text, in->size };
	struct quic_frame f;

	while (quic_frame_next(&frames, &in->packet, &f))
		if (f.type == QUIC_FRAME_CRYPTO)
			change(copy, RANDOM_AT, RANDOM, f.offset, in->text + (f.bytes.p - in->text),
					f.bytes.left);
}

static bool same(struct rd a, struct rd b)
{
	return a.left == b.left && memcmp(a.p, b.p, a.left) == 0;
}

/* A datagram with another connection id; false when an Initial could not be opened. */
static bool make_quic(const struct fresh *f, uint64_t copy, const struct fresh_part *part)
{
	struct rd datagram = { part->bytes, part->size };
	uint8_t dcid[QUIC_CID_MAX];
	struct rd fresh = { dcid, f->dcid.left };
	struct initial in = { 0 };

	memcpy(dcid, f->dcid.p, f->dcid.left);
	mask_bytes(copy, 0, dcid, f->dcid.left);
	while (quic_packet_next(&datagram, QUIC_CID_UNKNOWN, &in.packet) && in.packet.long_header) {
		const struct quic_packet *p = &in.packet;
		bool initial = p->type == QUIC_INITIAL && p->payload.left > SAMPLE_AT + TAG;
		struct quic_side before = side_of(p->version, f->dcid, part->server);
		struct quic_side after = side_of(p->version, fresh, part->server);

		in.first = part->bytes + (p->whole.p - part->bytes);
		in.number = part->bytes + (p->payload.p - part->bytes);
		if (initial && (!put_header_mask(&in, &before, false) ||
					       !crypt(&in, &before, false)))
			return false;
		if (!part->server && same(p->dcid, f->dcid))
			memcpy(part->bytes + (p->dcid.p - part->bytes), dcid, f->dcid.left);
		if (!initial)
			continue;
		change_hellos(&in, copy);
		if (!crypt(&in, &after, true) || !put_header_mask(&in, &after, true))
			return false;
	}
	return true;
}

/* Retry and version negotiation depend on the connection id in ways of their own: left out. */
static bool plain(struct rd datagram)
{
	struct quic_packet p;

	while (quic_packet_next(&datagram, QUIC_CID_UNKNOWN, &p))
		if (p.type != QUIC_INITIAL && p.type != QUIC_ZERO_RTT && p.type != QUIC_HANDSHAKE &&
				p.type != QUIC_SHORT)
			return false;
	return true;
}

static void look_at_udp(struct fresh *f, const struct fresh_part *parts, size_t count)
{
	struct rd first = { parts[0].bytes, parts[0].size };
	uint8_t copy[STREAM];
	struct quic_packet p;
	bool answered = false;

	if (!quic_guess(first) || !quic_packet_next(&first, QUIC_CID_UNKNOWN, &p) ||
			p.type != QUIC_INITIAL || p.dcid.left > QUIC_CID_MAX)
		return;
	f->dcid = p.dcid;
	for (size_t i = 0; i < count; i++) {
		struct fresh_part part = parts[i];

		memcpy(copy, part.bytes, part.size);
		part.bytes = copy;
		answered |= part.server;
		if (!plain((struct rd){ copy, part.size }) || !make_quic(f, 1, &part))
			return;
	}
	f->kind = answered ? FRESH_QUIC : FRESH_NONE;
}

/* --- both ------------------------------------------------------------------------------------- */

struct fresh *fresh_look(const struct fresh_part *parts, size_t count, enum fresh_kind *kind)
{
	struct fresh *f = calloc(1, sizeof *f);

	*kind = FRESH_NONE;
	if (f == NULL || count == 0)
		return NULL;
	if (parts[0].tcp)
		look_at_tcp(f, parts, count);
	else
		look_at_udp(f, parts, count);
	*kind = f->kind;
	if (f->kind != FRESH_NONE)
		return f;
	free(f);
	return NULL;
}

void fresh_make(const struct fresh *f, uint64_t copy, uint64_t certificate,
		const struct fresh_part *part)
{
	if (part->tcp)
		make_tcp(f, copy, certificate, part);
	else
		make_quic(f, copy, part);
}
