/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dtls.c - records, fragments and the putting together of messages of DTLS.
 *
 *   record:    | type 1 | version 2 | epoch 2 | sequence 6 | [ connection id ] | size 2 | body |
 *   DTLS 1.3:  | 0 0 1 C S L E E | [ connection id, C ] | sequence 1, or 2 with S |
 *              | [ size 2, L ] | body |
 *   fragment:  | type 1 | size 3 | sequence 2 | offset 3 | fragment size 3 | body |
 *
 * The connection id of the first form is there in records of type 25 only; its size is nowhere
 * said.
 */
#include <string.h>

#include "proto/dtls.h"
#include "proto/tls_message.h"

static bool version_plausible(uint16_t version)
{
	return version == TLS_VERSION_DTLS_1_0 || version == TLS_VERSION_DTLS_1_2 ||
	       version == TLS_VERSION_DTLS_1_3 || version == TLS_VERSION_DTLS_OLD;
}

/* Takes the body; a cut one as far as it goes, and the reader fails. */
static struct rd body_or_part(struct rd *r, size_t size)
{
	struct rd part = rd_first(*r, size);

	rd_bytes(r, size);
	return part;
}

/* All that is left, in a datagram whose size is not said. */
static uint16_t rest(const struct rd *r)
{
	return r->left < UINT16_MAX ? (uint16_t)r->left : UINT16_MAX;
}

static bool unified_record(struct rd *r, size_t cid_size, struct dtls_record *rec)
{
	enum { HAS_CID = 0x10, LONG_SEQUENCE = 0x08, HAS_SIZE = 0x04, EPOCH = 0x03 };
	uint8_t flags = rd_u8(r);

	*rec = (struct dtls_record){ .type = TLS_APPLICATION_DATA,
		.unified = true,
		.epoch = flags & EPOCH,
		.cid_unknown = (flags & HAS_CID) && cid_size == 0 };
	if (rec->cid_unknown) {
		rec->size = rest(r);
		rec->body = rd_bytes(r, rec->size);
		return rd_ok(r);
	}
	if (flags & HAS_CID)
		rec->cid = rd_bytes(r, cid_size);
	rec->sequence = rd_uint(r, flags & LONG_SEQUENCE ? 2 : 1);
	rec->size = flags & HAS_SIZE ? rd_u16(r) : rest(r);

	bool plausible = rd_ok(r) && rec->size <= TLS_RECORD_MAX;

	rec->body = body_or_part(r, plausible ? rec->size : SIZE_MAX);
	return plausible;
}

static bool plain_record(struct rd *r, size_t cid_size, struct dtls_record *rec)
{
	*rec = (struct dtls_record){ .type = rd_u8(r), .version = rd_u16(r), .epoch = rd_u16(r) };
	rec->sequence = rd_uint(r, 6);
	rec->cid_unknown = rec->type == TLS_CID && cid_size == 0;
	if (rec->type == TLS_CID && cid_size > 0)
		rec->cid = rd_bytes(r, cid_size);
	rec->size = rec->cid_unknown ? (uint16_t)r->left : rd_u16(r);

	bool plausible = rd_ok(r) && rec->type >= TLS_CHANGE_CIPHER_SPEC && rec->type <= TLS_ACK &&
			 version_plausible(rec->version) && rec->size <= TLS_RECORD_MAX;

	rec->body = body_or_part(r, plausible ? rec->size : SIZE_MAX);
	return plausible;
}

bool dtls_record_next(struct rd *datagram, size_t cid_size, struct dtls_record *rec)
{
	enum { UNIFIED_MASK = 0xe0, UNIFIED = 0x20 };

	if (!rd_more(datagram))
		return false;
	if ((datagram->p[0] & UNIFIED_MASK) == UNIFIED)
		return unified_record(datagram, cid_size, rec);
	return plain_record(datagram, cid_size, rec);
}

bool dtls_guess(struct rd datagram)
{
	enum { UNIFIED_LOWEST = 0x20 };
	struct dtls_record rec;
	struct dtls_fragment f;

	if (!rd_more(&datagram) || datagram.p[0] >= UNIFIED_LOWEST ||
			!dtls_record_next(&datagram, 0, &rec) || rec.size == 0)
		return false;
	if (rec.type != TLS_HANDSHAKE || rec.epoch > 0 || rec.body.left < DTLS_FRAGMENT_HEAD)
		return true;
	return dtls_fragment_next(&rec.body, &f) && tls_message_plausible(f.type, f.size);
}

bool dtls_fragment_next(struct rd *record_body, struct dtls_fragment *f)
{
	if (!rd_more(record_body))
		return false;
	f->type = rd_u8(record_body);
	f->size = (uint32_t)rd_uint(record_body, 3);
	f->sequence = rd_u16(record_body);
	f->offset = (uint32_t)rd_uint(record_body, 3);
	f->fragment_size = (uint32_t)rd_uint(record_body, 3);

	bool inside = rd_ok(record_body) && f->offset + f->fragment_size <= f->size;

	f->body = body_or_part(record_body, inside ? f->fragment_size : SIZE_MAX);
	return inside;
}

void dtls_assembler_begin(struct dtls_assembler *a, const struct dtls_fragment *f, uint8_t *room,
		uint32_t room_size)
{
	*a = (struct dtls_assembler){ .room = room,
		.room_size = room_size,
		.size = f->size,
		.sequence = f->sequence,
		.type = f->type };
}

/* Copies the bytes from..to of the message, out of a fragment that begins at 'offset'. */
static void keep(
		struct dtls_assembler *a, const struct dtls_fragment *f, uint32_t from, uint32_t to)
{
	if (to > a->room_size)
		to = a->room_size;
	if (from < to)
		memcpy(a->room + from, f->body.p + (from - f->offset), to - from);
}

/* Puts from..to in place of the 'gone' ranges at 'at', all of which it touches. */
static void replace(struct dtls_assembler *a, size_t at, size_t gone, uint32_t from, uint32_t to)
{
	size_t behind = a->range_count - at - gone;

	memmove(a->ranges + at + 1, a->ranges + at + gone, behind * sizeof a->ranges[0]);
	a->ranges[at] = (struct dtls_range){ from, to };
	a->range_count = (uint8_t)(a->range_count + 1 - gone);
}

/* Adds the range of a fragment; bytes that are in no range yet are kept.  False: no range is left.
 */
static bool add_range(struct dtls_assembler *a, const struct dtls_fragment *f)
{
	uint32_t from = f->offset, to = from + (uint32_t)f->body.left, next = from;
	size_t at = 0, end;

	while (at < a->range_count && a->ranges[at].to < from)
		at++;
	if (a->range_count == LIMIT_DTLS_RANGES &&
			(at == LIMIT_DTLS_RANGES || a->ranges[at].from > to))
		return false;
	for (end = at; end < a->range_count && a->ranges[end].from <= to; end++) {
		if (next < a->ranges[end].from)
			keep(a, f, next, a->ranges[end].from);
		if (next < a->ranges[end].to)
			next = a->ranges[end].to;
	}
	if (next < to)
		keep(a, f, next, to);
	if (end > at) {
		from = from < a->ranges[at].from ? from : a->ranges[at].from;
		to = to > a->ranges[end - 1].to ? to : a->ranges[end - 1].to;
	}
	replace(a, at, end - at, from, to);
	return true;
}

static bool complete(const struct dtls_assembler *a)
{
	return a->size == 0 ||
	       (a->range_count == 1 && a->ranges[0].from == 0 && a->ranges[0].to == a->size);
}

bool dtls_assembler_add(struct dtls_assembler *a, const struct dtls_fragment *f)
{
	bool fits = f->type == a->type && f->sequence == a->sequence && f->size == a->size;

	if (!fits || (f->body.left > 0 && !add_range(a, f)))
		a->refused = (uint16_t)(a->refused + (a->refused < UINT16_MAX));
	return complete(a);
}

struct rd dtls_assembler_body(const struct dtls_assembler *a)
{
	bool begun = a->range_count > 0 && a->ranges[0].from == 0;
	uint32_t n = begun ? a->ranges[0].to : 0;

	return (struct rd){ a->room, n < a->room_size ? n : a->room_size };
}

bool dtls_verify_request_parse(struct rd body, struct dtls_verify_request *v)
{
	v->version = rd_u16(&body);
	v->cookie = rd_block(&body, 1);
	return rd_ok(&body) && !rd_more(&body);
}
