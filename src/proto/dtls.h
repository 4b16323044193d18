/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dtls.h - records and handshake fragments of DTLS 1.0 to 1.3 (RFC 4347, 6347, 9147), connection
 * ids (RFC 9146), HelloVerifyRequest, and putting fragments together.
 *
 * Pure: readers point into the datagram, or into room that the caller gave.  Hellos stand in
 * tls_hello.h, other messages in tls_message.h: their bodies are those of TLS.
 */
#pragma once

#include "base/limits.h"
#include "base/rd.h"
#include "proto/tls_record.h"

struct dtls_record {
	uint8_t type;      /* enum tls_content_type; unified: TLS_APPLICATION_DATA (it is hidden) */
	bool unified;      /* the short head of DTLS 1.3: always encrypted */
	bool cid_unknown;  /* it has a connection id, and the caller gave no size for it */
	uint16_t version;  /* unified: 0 */
	uint16_t epoch;    /* unified: its two low bits */
	uint64_t sequence; /* unified: 8 or 16 bits, themselves encrypted */
	uint16_t size;     /* of the body, as the head says (without one: what is left) */
	struct rd cid;     /* connection id; not there without one */
	struct rd body;    /* what of it is there: body.left <= size */
};

/*
 * Takes the next record of a datagram.  'cid_size' is the size of the connection ids that this
 * direction carries, 0 when none or not known; then a record with one takes the rest of the
 * datagram, id included.  False at the end, and at what is no record, which makes the reader fail.
 * A record whose body is cut is given, and makes the reader fail too.
 */
bool dtls_record_next(struct rd *datagram, size_t cid_size, struct dtls_record *rec);

/*
 * Whether a datagram begins with a DTLS record whose head says so: type 20 to 26, version of DTLS,
 * and a size that fits.  The short head of DTLS 1.3 says too little to be recognised by.
 */
bool dtls_guess(struct rd datagram);

enum { DTLS_RECORD_HEAD = 13, DTLS_FRAGMENT_HEAD = 12 };

struct dtls_fragment {
	uint8_t type;           /* enum tls_handshake_type */
	uint16_t sequence;      /* of the message */
	uint32_t size;          /* of the whole message's body */
	uint32_t offset;        /* of this fragment in it; offset + fragment_size <= size */
	uint32_t fragment_size; /* as the head says */
	struct rd body;         /* what of it is there: body.left <= fragment_size */
};

/*
 * Takes the next fragment of a handshake record's body.  False at the end, and at one that reaches
 * past its own message or whose head is cut, which makes the reader fail.  One whose body is cut
 * is given, and makes the reader fail too.
 */
bool dtls_fragment_next(struct rd *record_body, struct dtls_fragment *f);

/*
 * A message out of fragments in any order, doubled or overlapping: of bytes that come twice the
 * first ones count.  A message in one fragment needs none of this.
 */
struct dtls_assembler {
	uint8_t *room;      /* the caller's */
	uint32_t room_size; /* bytes from there on are counted, not kept */
	uint32_t size;      /* of the whole body */
	uint16_t sequence;
	uint8_t type;
	uint8_t range_count;
	uint16_t refused; /* fragments that contradict the first one, or found no range left */
	struct dtls_range {
		uint32_t from, to; /* 'to' is one behind; in order, never touching */
	} ranges[LIMIT_DTLS_RANGES];
};

/* Begins the message that 'f' belongs to (without adding 'f'), in room for 'room_size' bytes. */
void dtls_assembler_begin(struct dtls_assembler *a, const struct dtls_fragment *f, uint8_t *room,
		uint32_t room_size);

/* Adds a fragment; true when the whole message has been seen. */
bool dtls_assembler_add(struct dtls_assembler *a, const struct dtls_fragment *f);

/* What is there from the message's first byte on, up to the first hole or the end of the room. */
struct rd dtls_assembler_body(const struct dtls_assembler *a);

struct dtls_verify_request { /* RFC 6347 section 4.2.1 */
	uint16_t version;
	struct rd cookie;
};

bool dtls_verify_request_parse(struct rd body, struct dtls_verify_request *v);
