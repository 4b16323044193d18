/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_record.h - heads of TLS records (RFC 8446 section 5.1) and of SSLv2 records, and whether a
 * stream of bytes begins with one.
 *
 * Pure: readers point into what was passed in.  Nothing here looks at a port.
 */
#pragma once

#include "base/rd.h"

enum tls_content_type { /* IANA, TLS ContentType */
	TLS_CHANGE_CIPHER_SPEC = 20,
	TLS_ALERT = 21,
	TLS_HANDSHAKE = 22,
	TLS_APPLICATION_DATA = 23,
	TLS_HEARTBEAT = 24,
	TLS_CID = 25, /* DTLS 1.2 with connection id, RFC 9146 */
	TLS_ACK = 26, /* DTLS 1.3 */
};

enum { /* as they stand on the wire; the drafts of TLS 1.3 are 0x7f00 | draft, Facebook's 0xfb.. */
	TLS_VERSION_SSL2 = 0x0002,
	TLS_VERSION_TLCP = 0x0101, /* GB/T 38636, SSL 3 in shape, with two certificates */
	TLS_VERSION_SSL3 = 0x0300,
	TLS_VERSION_1_0 = 0x0301,
	TLS_VERSION_1_1 = 0x0302,
	TLS_VERSION_1_2 = 0x0303,
	TLS_VERSION_1_3 = 0x0304,
	TLS_VERSION_DTLS_OLD = 0x0100, /* before RFC 4347, still sent by some VPNs */
	TLS_VERSION_DTLS_1_0 = 0xfeff,
	TLS_VERSION_DTLS_1_2 = 0xfefd,
	TLS_VERSION_DTLS_1_3 = 0xfefc,
};

enum {
	TLS_RECORD_HEAD = 5,
	TLS_RECORD_MAX = 16384 + 2048, /* body of an encrypted record up to TLS 1.2 */
	TLS_GUESS_BYTES = 11,          /* so many are enough for tls_guess() */
};

struct tls_record {
	uint8_t type;
	uint16_t version;
	uint16_t size;  /* of the body, as the head says */
	struct rd body; /* what of it is there: body.left <= size */
};

/*
 * Reads the head of the record that 'r' begins with.  False when the head is cut (fewer than
 * TLS_RECORD_HEAD bytes) or not plausible: type 20 to 24, version 3.0 to 3.4 or TLCP, size up to
 * TLS_RECORD_MAX.
 */
bool tls_record_head(struct rd r, struct tls_record *rec);

enum tls_guess {
	TLS_NO,
	TLS_MAYBE, /* too few bytes yet, and nothing against it */
	TLS_YES,
	TLS_SSL2, /* an SSLv2 ClientHello (it may offer more than SSLv2) or ServerHello */
};

/*
 * Whether a stream (either direction) begins like TLS.  Handshake records are looked into; of
 * records of a connection under way (application data, alerts) the head alone has to do, so that
 * a flow whose beginning was not captured is found.  TLS_GUESS_BYTES always suffice.
 */
enum tls_guess tls_guess(struct rd first_bytes);

struct tls_ssl2_record {
	uint8_t head;    /* bytes of the head: 2, or 3 with padding */
	uint8_t padding; /* bytes at the body's end */
	uint16_t size;   /* of the body with its padding, as the head says */
	struct rd body;  /* what of it is there */
};

/* Reads the head of an SSLv2 record; false when it is cut or empty.  Any bytes look like one. */
bool tls_ssl2_record_head(struct rd r, struct tls_ssl2_record *rec);
