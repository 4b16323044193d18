/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_wire.c - packets, frames and transport parameters of QUIC (RFC 8999, RFC 9000, RFC 9369).
 *
 *   long:   | 1 f tt .... | version 4 | block 1: dcid | block 1: scid | by type | payload |
 *             Initial:    | varint block: token | varint length |
 *             0-RTT, Handshake: | varint length |
 *             Retry:      | token | integrity tag 16 |
 *   none:   | 1 ....... | 0 4 | block 1: dcid | block 1: scid | versions 4 * n |
 *   short:  | 0 f s ..... | dcid | payload |
 *
 * What is Google's alone is in quic_google.c.
 */
#include "proto/quic_wire.h"

#include <string.h>

#include "proto/quic_google.h"
#include "proto/quic_version.h"

enum { LONG = 0x80, FIXED = 0x40, SPIN = 0x20, RETRY_TAG = 16 };

uint64_t quic_varint(struct rd *r)
{
	struct rd look = rd_first(*r, 1);
	size_t size = (size_t)1 << (rd_u8(&look) >> 6);

	return rd_uint(r, size) & (UINT64_MAX >> (64 - 8 * size + 2));
}

/* Takes 'size' bytes, or what there is: then the packet is 'cut'. */
static struct rd payload(struct rd *r, uint64_t size, struct quic_packet *p)
{
	p->cut = rd_ok(r) && size > r->left;
	return rd_bytes(r, p->cut ? r->left : (size_t)size);
}

/* Behind the ids of a Retry: up to draft 24 the original id, from draft 25 on a tag at the end. */
static void read_retry(struct rd *r, struct quic_packet *p)
{
	unsigned draft = quic_draft(p->version);

	if (draft > 0 && draft < 25) {
		rd_block(r, 1);
		p->token = rd_bytes(r, r->left);
		p->payload = (struct rd){ r->p, 0 };
		return;
	}
	/* With fewer bytes than a tag has the size is one that nothing has: the reader fails. */
	p->token = rd_bytes(r, r->left - RETRY_TAG);
	p->payload = rd_bytes(r, RETRY_TAG);
}

static void read_by_type(struct rd *r, uint8_t first, struct quic_packet *p)
{
	static const enum quic_packet_type types[] = { QUIC_INITIAL, QUIC_ZERO_RTT, QUIC_HANDSHAKE,
		QUIC_RETRY };
	unsigned bits = first >> 4 & 3;

	if (quic_layout(p->version) == QUIC_LAYOUT_V2)
		bits = (bits + 3) & 3; /* Initial is 1 there, and so on around */
	p->type = types[bits];
	if (p->type == QUIC_RETRY) {
		read_retry(r, p);
		return;
	}
	if (p->type == QUIC_INITIAL)
		p->token = rd_bytes(r, (size_t)quic_varint(r));
	p->payload = payload(r, quic_varint(r), p);
}

/* Behind the version, by the invariants (RFC 8999 section 5.1), then by version. */
static void read_long(struct rd *r, uint8_t first, struct quic_packet *p)
{
	enum quic_layout layout = quic_layout(p->version);

	p->dcid = rd_block(r, 1);
	p->scid = rd_block(r, 1);
	if (p->version == 0) {
		p->type = QUIC_VERSION_NEGOTIATION;
		p->supported_versions = rd_bytes(r, r->left);
		p->payload = (struct rd){ r->p, 0 };
	} else if (layout == QUIC_LAYOUT_UNKNOWN) {
		p->type = QUIC_UNKNOWN_PACKET;
		p->payload = rd_bytes(r, r->left);
	} else if (p->dcid.left > QUIC_CID_MAX || p->scid.left > QUIC_CID_MAX) {
		*r = (struct rd){ NULL, 0 };
	} else {
		read_by_type(r, first, p);
	}
}

static void read_short(struct rd *r, uint8_t first, size_t dcid_size, struct quic_packet *p)
{
	p->type = QUIC_SHORT;
	p->spin = first & SPIN;
	if (dcid_size <= QUIC_CID_MAX)
		p->dcid = rd_bytes(r, dcid_size);
	p->payload = rd_bytes(r, r->left);
}

static bool only_zeros(struct rd r)
{
	size_t n = 0;

	while (n < r.left && r.p[n] == 0)
		n++;
	return n == r.left;
}

bool quic_packet_next(struct rd *datagram, size_t short_dcid_size, struct quic_packet *p)
{
	struct rd start = *datagram, look = start;
	uint8_t first = rd_u8(&look);

	*p = (struct quic_packet){ .fixed_bit = first & FIXED, .long_header = first & LONG };
	if (!rd_more(datagram) || only_zeros(start)) {
		rd_bytes(datagram, datagram->left);
		return false;
	}
	if (p->long_header)
		p->version = rd_u32(&look);

	enum quic_layout layout = p->long_header ? quic_layout(p->version) : QUIC_LAYOUT_UNKNOWN;

	if (layout == QUIC_LAYOUT_GOOGLE_44 || layout == QUIC_LAYOUT_GOOGLE_46 ||
			gquic_public_header(start)) {
		rd_bytes(datagram, datagram->left);
		return quic_google_packet(start, 0, false, p);
	}
	if (p->long_header)
		read_long(&look, first, p);
	else
		read_short(&look, first, short_dcid_size, p);
	*datagram = look;
	p->whole = rd_bytes(&start, start.left - look.left);
	return rd_ok(datagram);
}

/* --- is it QUIC? -------------------------------------------------------------------------------
 */
static bool plausible_negotiation(const struct quic_packet *p)
{
	struct rd r = p->supported_versions;
	bool known = false;

	while (rd_more(&r)) {
		uint32_t version = rd_u32(&r);

		known = known || quic_version_name(version) != NULL;
	}
	return rd_ok(&r) && known && p->dcid.left <= QUIC_CID_MAX && p->scid.left <= QUIC_CID_MAX;
}

/* A version without a layout here: must look like a client's Initial of version 1 in every length.
 */
static bool plausible_unknown(const struct quic_packet *p, size_t size)
{
	enum { INITIAL_DATAGRAM = 1200, CLIENT_CID_MIN = 8 };
	struct rd r = p->payload;

	rd_bytes(&r, (size_t)quic_varint(&r)); /* token */
	rd_bytes(&r, (size_t)quic_varint(&r));
	return rd_ok(&r) && p->fixed_bit && size >= INITIAL_DATAGRAM &&
	       p->dcid.left >= CLIENT_CID_MIN && p->dcid.left <= QUIC_CID_MAX &&
	       p->scid.left <= QUIC_CID_MAX;
}

bool quic_guess(struct rd datagram)
{
	size_t size = datagram.left;
	struct quic_packet p;

	if (!quic_packet_next(&datagram, QUIC_CID_UNKNOWN, &p))
		return false;
	switch (p.type) {
	case QUIC_SHORT:
		return false;
	case QUIC_VERSION_NEGOTIATION:
		return plausible_negotiation(&p);
	case QUIC_UNKNOWN_PACKET:
		return plausible_unknown(&p, size);
	case QUIC_GOOGLE:
	case QUIC_GOOGLE_RESET:
		return true;
	default:
		return p.fixed_bit && (p.dcid.left > 0 || p.scid.left > 0);
	}
}

const char *quic_packet_name(enum quic_packet_type type)
{
	static const char *const names[] = {
		[QUIC_INITIAL] = "initial",
		[QUIC_ZERO_RTT] = "0-rtt",
		[QUIC_HANDSHAKE] = "handshake",
		[QUIC_RETRY] = "retry",
		[QUIC_VERSION_NEGOTIATION] = "version_negotiation",
		[QUIC_SHORT] = "1-rtt",
		[QUIC_GOOGLE] = "google",
		[QUIC_GOOGLE_RESET] = "google_reset",
		[QUIC_UNKNOWN_PACKET] = "unknown",
	};

	return names[type];
}

/* --- frames (RFC 9000 section 19) ---------------------------------------------------------------
 */
/*
 *   ACK:     | largest | delay | count | first range | count * (gap, length) | 0x03: ECN counts 3 |
 *   CRYPTO:  | offset | varint block: bytes |
 *   CLOSE:   | error | 0x1c: frame type | varint block: reason |           each a varint
 */
static void read_ack(struct rd *r, bool ecn)
{
	quic_varint(r);
	quic_varint(r);
	/* Each range takes two bytes at least, so that a false count ends with the bytes. */
	for (uint64_t count = quic_varint(r) + 1; count > 0 && rd_ok(r); count--) {
		quic_varint(r);
		if (count > 1)
			quic_varint(r);
	}
	for (int i = 0; ecn && i < 3; i++)
		quic_varint(r);
}

static void read_close(struct rd *r, struct quic_frame *f)
{
	f->error = quic_varint(r);
	if (f->type == QUIC_FRAME_CLOSE)
		f->frame_type = quic_varint(r);
	f->bytes = rd_bytes(r, (size_t)quic_varint(r));
}

static void read_padding(struct rd *r, struct quic_frame *f)
{
	size_t n = 0;
	uint64_t word; /* most of an Initial is padding */

	for (; r->left - n >= sizeof word; n += sizeof word) {
		memcpy(&word, r->p + n, sizeof word);
		if (word != 0)
			break;
	}
	while (n < r->left && r->p[n] == 0)
		n++;
	f->bytes = rd_bytes(r, n);
}

bool quic_frame_next(struct rd *frames, const struct quic_packet *p, struct quic_frame *f)
{
	enum quic_layout layout = quic_layout(p->version);

	if (layout != QUIC_LAYOUT_IETF && layout != QUIC_LAYOUT_V2)
		return gquic_frame_next(frames, p->version, p->number_size, f);
	*f = (struct quic_frame){ 0 };
	if (!rd_more(frames))
		return false;
	f->type = quic_varint(frames);
	switch (f->type) {
	case QUIC_FRAME_PADDING:
		read_padding(frames, f);
		break;
	case QUIC_FRAME_PING:
		break;
	case QUIC_FRAME_ACK:
	case QUIC_FRAME_ACK_ECN:
		read_ack(frames, f->type == QUIC_FRAME_ACK_ECN);
		break;
	case QUIC_FRAME_CRYPTO:
		f->offset = quic_varint(frames);
		f->bytes = rd_bytes(frames, (size_t)quic_varint(frames));
		break;
	case QUIC_FRAME_CLOSE:
	case QUIC_FRAME_CLOSE_APPLICATION:
		read_close(frames, f);
		break;
	default:
		*frames = (struct rd){ NULL, 0 };
	}
	return rd_ok(frames);
}

bool quic_crypto_next(
		struct rd *frames, const struct quic_packet *p, uint64_t *offset, struct rd *bytes)
{
	struct quic_frame f;

	while (quic_frame_next(frames, p, &f)) {
		if (f.type == QUIC_FRAME_CRYPTO) {
			*offset = f.offset;
			*bytes = f.bytes;
			return true;
		}
	}
	return false;
}

/* --- transport parameters (RFC 9000 section 18): varint id, varint block -------------------------
 */
bool quic_parameter_next(struct rd *r, uint64_t *id, struct rd *value)
{
	if (!rd_more(r))
		return false;
	*id = quic_varint(r);
	*value = rd_bytes(r, (size_t)quic_varint(r));
	return rd_ok(r);
}

static const struct parameter {
	uint64_t id;
	const char *name;
	bool number;
} parameters[] = {
	{ 0x00, "original_destination_connection_id", false }, { 0x01, "max_idle_timeout", true },
	{ 0x02, "stateless_reset_token", false }, { 0x03, "max_udp_payload_size", true },
	{ 0x04, "initial_max_data", true }, { 0x05, "initial_max_stream_data_bidi_local", true },
	{ 0x06, "initial_max_stream_data_bidi_remote", true },
	{ 0x07, "initial_max_stream_data_uni", true }, { 0x08, "initial_max_streams_bidi", true },
	{ 0x09, "initial_max_streams_uni", true }, { 0x0a, "ack_delay_exponent", true },
	{ 0x0b, "max_ack_delay", true }, { 0x0c, "disable_active_migration", false },
	{ 0x0d, "preferred_address", false }, { 0x0e, "active_connection_id_limit", true },
	{ 0x0f, "initial_source_connection_id", false },
	{ 0x10, "retry_source_connection_id", false },
	{ 0x11, "version_information", false },    /* RFC 9368 */
	{ 0x20, "max_datagram_frame_size", true }, /* RFC 9221 */
	{ 0x173e, "discard", false },              /* from tests of multi-packet hellos */
	{ 0x1057, "loss_bits", true }, { 0x2ab2, "grease_quic_bit", false }, /* RFC 9287 */
	{ 0x3127, "initial_rtt", true },                                     /* Google */
	{ 0x3128, "google_connection_options", false }, { 0x3129, "user_agent", false },
	{ 0x4752, "google_version", false }, { 0x7157, "min_ack_delay", true },
	{ 0x7158, "enable_timestamp", true },
	{ 0xff04de1a, "min_ack_delay", true }, /* draft-ietf-quic-ack-frequency-00 */
	{ 0xff04de1b, "min_ack_delay", true },
	{ 0xff73db, "version_information", false }, /* its draft's number */
};

static const struct parameter *parameter_find(uint64_t id)
{
	for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
		if (parameters[i].id == id)
			return &parameters[i];
	return NULL;
}

const char *quic_parameter_name(uint64_t id)
{
	const struct parameter *p = parameter_find(id);

	if (p != NULL)
		return p->name;
	return id % 31 == 27 ? "grease" : NULL;
}

bool quic_parameter_is_number(uint64_t id)
{
	const struct parameter *p = parameter_find(id);

	return p != NULL && p->number;
}
