/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_google.c - Google's QUIC before Q050: packet headers, the hash over clear packets, frames.
 *
 *   to Q043:     | flags 1 | cid | version 4 | nonce 0/32 | number 1/2/4/6 | rest |
 *   Q044, Q045:  | 0x80 | type | version 4 | id sizes 1 | dcid | scid | number 4 | nonce | rest |
 *   Q046 on:     | 11 tt .. nn | version 4 | id sizes 1 | dcid | scid | number n + 1 | nonce | rest
 * | rest, clear: | hash 12 | to Q033: private flags 1 | frames |
 *
 * An id size is a nibble: 0, or 3 less than the size.  The nonce of 32 bytes stands in the first
 * packets with real keys that a server sends.  Messages are in quic_google_tags.c.
 */
#include "proto/quic_google.h"

enum {
	FLAG_VERSION = 0x01,
	FLAG_RESET = 0x02,
	FLAG_NONCE = 0x04,
	FLAG_CID = 0x08,
	FLAG_ODD = 0xc0
};
enum { CID = 8, NONCE = 32, HASH = 12 };

/* NNN of a version "QNNN", which is only asked of those. */
static unsigned number_of(uint32_t version)
{
	return 10 * ((version >> 8 & 0xff) - '0') + (version & 0xff) - '0';
}

/* --- the hash ------------------------------------------------------------------------------------
 */
typedef unsigned __int128 u128;

/* FNV-1a of 128 bits: offset basis and prime of draft-eastlake-fnv. */
static u128 fnv(u128 hash, struct rd r)
{
	const u128 prime = (u128)1 << 88 | 0x13b;

	for (size_t i = 0; i < r.left; i++)
		hash = (hash ^ r.p[i]) * prime;
	return hash;
}

static bool same(u128 hash, struct rd wire)
{
	bool right = wire.left == HASH;

	for (size_t i = 0; i < wire.left; i++)
		right = right && wire.p[i] == (uint8_t)(hash >> 8 * i);
	return right;
}

/*
 * Until there are keys the hash stands where later the authentication tag does, so that it tells
 * clear packets from encrypted ones.  From Q037 on the sender's side is hashed too.
 */
static bool hash_right(struct rd header, struct rd hash, struct rd frames)
{
	static const struct rd client = { (const uint8_t *)"Client", 6 };
	static const struct rd server = { (const uint8_t *)"Server", 6 };
	u128 basis = (u128)0x6c62272e07bb0142 << 64 | 0x62b821756295c58d;
	u128 h = fnv(fnv(basis, header), frames);

	return same(fnv(h, client), hash) || same(fnv(h, server), hash) || same(h, hash);
}

/* --- packets -------------------------------------------------------------------------------------
 */
/* Behind the packet number: frames when the hash is right, else it stays whole. */
static void read_rest(struct rd datagram, struct rd *r, struct quic_packet *p)
{
	struct rd header = rd_first(datagram, datagram.left - r->left), body = *r;
	struct rd hash = rd_bytes(&body, HASH);

	p->payload = rd_bytes(r, r->left);
	p->clear = rd_ok(&body) && hash_right(header, hash, body);
	if (p->clear && quic_layout(p->version) == QUIC_LAYOUT_GOOGLE_43 &&
			number_of(p->version) < 34)
		rd_u8(&body);
	if (p->clear && rd_ok(&body))
		p->payload = body;
}

static size_t id_size(unsigned nibble)
{
	return nibble == 0 ? 0 : nibble + 3;
}

static void read_long(struct rd *r, uint8_t first, bool from_server, struct quic_packet *p)
{
	bool old = quic_layout(p->version) == QUIC_LAYOUT_GOOGLE_44;
	bool early = old ? (first & 0x7f) == 0x7c : (first >> 4 & 3) == 1; /* "0-RTT protected" */
	uint8_t sizes = rd_u8(r);

	p->dcid = rd_bytes(r, id_size(sizes >> 4));
	p->scid = rd_bytes(r, id_size(sizes & 15));
	p->number_size = old ? 4 : (uint8_t)((first & 3) + 1);
	rd_bytes(r, p->number_size);
	if (early && from_server)
		rd_bytes(r, NONCE);
}

/* A server that does not know the version lists those that it knows. */
static bool only_versions(struct rd r)
{
	size_t count = 0;

	for (; rd_more(&r); count++)
		if (quic_layout(rd_u32(&r)) < QUIC_LAYOUT_GOOGLE_50)
			return false;
	return rd_ok(&r) && count > 0;
}

/* To Q032 the flags of id and nonce together were the size of the id. */
static bool old_flags(uint32_t version)
{
	return quic_layout(version) == QUIC_LAYOUT_GOOGLE_43 && number_of(version) < 33;
}

static void read_public(struct rd *r, uint8_t flags, bool from_server, struct quic_packet *p)
{
	static const uint8_t sizes[] = { 1, 2, 4, 6 }, old_ids[] = { 0, 1, 4, CID };

	if (old_flags(p->version))
		p->dcid = rd_bytes(r, old_ids[flags >> 2 & 3]);
	else if (flags & FLAG_CID)
		p->dcid = rd_bytes(r, CID);
	if (flags & FLAG_RESET) {
		p->type = QUIC_GOOGLE_RESET;
		p->payload = rd_bytes(r, r->left);
		return;
	}
	if (flags & FLAG_VERSION && only_versions(*r)) {
		p->type = QUIC_VERSION_NEGOTIATION;
		p->version = 0;
		p->supported_versions = rd_bytes(r, r->left);
		return;
	}
	if (flags & FLAG_VERSION)
		p->version = rd_u32(r);
	else if (flags & FLAG_NONCE && from_server && !old_flags(p->version))
		rd_bytes(r, NONCE);
	p->number_size = sizes[flags >> 4 & 3];
	rd_bytes(r, p->number_size);
}

bool gquic_public_header(struct rd datagram)
{
	uint8_t flags = rd_u8(&datagram);

	rd_bytes(&datagram, CID);

	uint32_t word = rd_u32(&datagram);

	if (flags & FLAG_ODD || !(flags & FLAG_CID) || !rd_ok(&datagram))
		return false;
	if (flags & FLAG_RESET)
		return word == GQUIC_PRST;
	return flags & FLAG_VERSION && quic_layout(word) >= QUIC_LAYOUT_GOOGLE_50;
}

bool quic_google_packet(
		struct rd datagram, uint32_t version, bool from_server, struct quic_packet *p)
{
	struct rd r = datagram;
	uint8_t first = rd_u8(&r);

	*p = (struct quic_packet){ .type = QUIC_GOOGLE, .version = version };
	p->long_header = first & 0x80;
	p->fixed_bit = first & 0x40;
	if (p->long_header) {
		p->version = rd_u32(&r);
		read_long(&r, first, from_server, p);
	} else {
		read_public(&r, first, from_server, p);
	}
	if (p->type == QUIC_GOOGLE)
		read_rest(datagram, &r, p);
	p->whole = datagram;
	return rd_ok(&r);
}

/* --- frames --------------------------------------------------------------------------------------
 */
/*
 *   1fdooossb  STREAM:  | id ss + 1 | offset 0, or ooo + 1 | d: size 2 | data |
 *   01ntllmm   ACK:     | largest ll | delay 2 | n: count 1 | first mm | count * (gap 1, mm) |
 *                       | times 1 | times > 0: 1 + 4, then times - 1 of 1 + 2 |
 *   to Q033:            | entropy 1 | largest ll | delay 2 | times as above |
 *                       | n: count 1 | count * (mm, range 1) | revived 1 | revived * ll |
 *   others by number; ll and mm are 1, 2, 4 or 6 bytes
 */
enum {
	FRAME_PADDING = 0,
	FRAME_RESET = 1,
	FRAME_CLOSE = 2,
	FRAME_GOAWAY = 3,
	FRAME_WINDOW = 4,
	FRAME_BLOCKED = 5,
	FRAME_STOP_WAITING = 6,
	FRAME_PING = 7,
	FRAME_CRYPTO = 8,
};

/* A reader with the version's byte order for numbers of frames. */
struct frames {
	struct rd *r;
	unsigned number; /* NNN of the version; 50 for T050 and T051 */
};

static uint64_t number(const struct frames *f, size_t size)
{
	uint64_t v = rd_uint(f->r, size), turned = 0;

	if (f->number >= 39)
		return v;
	for (size_t i = 0; i < size; i++)
		turned |= (v >> 8 * i & 0xff) << 8 * (size - 1 - i);
	return turned;
}

static void read_stream(const struct frames *s, uint8_t type, struct quic_frame *f)
{
	size_t offset_size = type >> 2 & 7;
	uint64_t id = number(s, (type & 3) + (size_t)1);

	if (offset_size > 0)
		f->offset = number(s, offset_size + 1);
	f->bytes = rd_bytes(s->r, type & 0x20 ? (size_t)number(s, 2) : s->r->left);
	if (id == 1)
		f->type = QUIC_FRAME_CRYPTO;
}

static void skip_times(struct rd *r)
{
	size_t times = rd_u8(r);

	if (times > 0)
		rd_bytes(r, 1 + 4 + (times - 1) * 3);
}

static void skip_ack(const struct frames *s, uint8_t type)
{
	static const uint8_t sizes[] = { 1, 2, 4, 6 };
	size_t largest = sizes[type >> 2 & 3], block = sizes[type & 3];
	bool more = type & 0x20;

	if (s->number >= 34) {
		rd_bytes(s->r, largest + 2);

		size_t count = more ? rd_u8(s->r) : 0;

		rd_bytes(s->r, block + count * (1 + block));
		skip_times(s->r);
		return;
	}
	rd_bytes(s->r, 1 + largest + 2);
	skip_times(s->r);
	if (more) {
		rd_bytes(s->r, rd_u8(s->r) * (block + 1));
		rd_bytes(s->r, rd_u8(s->r) * largest);
	}
}

static void read_padding(const struct frames *s, struct quic_frame *f)
{
	size_t n = 0;

	/* To Q037 padding was all there is up to the end. */
	while (n < s->r->left && (s->r->p[n] == 0 || s->number < 38))
		n++;
	f->type = QUIC_FRAME_PADDING;
	f->bytes = rd_bytes(s->r, n);
}

static void read_close(const struct frames *s, bool goaway, struct quic_frame *f)
{
	f->error = number(s, 4);
	if (goaway)
		number(s, 4); /* last good stream */
	f->bytes = rd_bytes(s->r, (size_t)number(s, 2));
	if (!goaway)
		f->type = QUIC_FRAME_CLOSE;
}

static void read_plain(
		const struct frames *s, uint8_t type, size_t number_size, struct quic_frame *f)
{
	switch (type) {
	case FRAME_PADDING:
		read_padding(s, f);
		break;
	case FRAME_RESET:
		rd_bytes(s->r, 4 + 8 + 4);
		break;
	case FRAME_CLOSE:
	case FRAME_GOAWAY:
		read_close(s, type == FRAME_GOAWAY, f);
		break;
	case FRAME_WINDOW:
		rd_bytes(s->r, 4 + 8);
		break;
	case FRAME_BLOCKED:
		rd_bytes(s->r, 4);
		break;
	case FRAME_STOP_WAITING:
		rd_bytes(s->r, number_size + (s->number < 34));
		break;
	case FRAME_PING:
		break;
	case FRAME_CRYPTO:
		f->type = QUIC_FRAME_CRYPTO;
		f->offset = quic_varint(s->r);
		f->bytes = rd_bytes(s->r, (size_t)quic_varint(s->r));
		break;
	default:
		*s->r = (struct rd){ NULL, 0 };
	}
}

bool gquic_frame_next(struct rd *frames, uint32_t version, size_t number_size, struct quic_frame *f)
{
	struct frames s = { frames, number_of(version) };

	*f = (struct quic_frame){ .type = QUIC_FRAME_PING };
	if (!rd_more(frames))
		return false;

	uint8_t type = rd_u8(frames);

	if (type & 0x80)
		read_stream(&s, type, f);
	else if (type & 0x40)
		skip_ack(&s, type);
	else
		read_plain(&s, type, number_size, f);
	return rd_ok(frames);
}
