/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_message.h - handshake messages other than hellos, alerts and heartbeats (RFC 8446 section 4,
 * RFC 5246 section 7.4, RFC 6520), and putting messages together that come in pieces.
 *
 * Pure: readers point into what was passed in, or into room that the caller gave.  Key exchange
 * messages stand in tls_key.h.
 */
#pragma once

#include "base/rd.h"

enum tls_handshake_type { /* IANA, TLS HandshakeType, and two that were never registered */
	TLS_HELLO_REQUEST = 0,
	TLS_CLIENT_HELLO = 1,
	TLS_SERVER_HELLO = 2,
	TLS_HELLO_VERIFY_REQUEST = 3, /* DTLS */
	TLS_NEW_SESSION_TICKET = 4,
	TLS_END_OF_EARLY_DATA = 5,
	TLS_HELLO_RETRY_REQUEST = 6, /* drafts of TLS 1.3 up to 21 */
	TLS_ENCRYPTED_EXTENSIONS = 8,
	TLS_REQUEST_CONNECTION_ID = 9,
	TLS_NEW_CONNECTION_ID = 10,
	TLS_CERTIFICATE = 11,
	TLS_SERVER_KEY_EXCHANGE = 12,
	TLS_CERTIFICATE_REQUEST = 13,
	TLS_SERVER_HELLO_DONE = 14,
	TLS_CERTIFICATE_VERIFY = 15,
	TLS_CLIENT_KEY_EXCHANGE = 16,
	TLS_CLIENT_CERTIFICATE_REQUEST = 17,
	TLS_FINISHED = 20,
	TLS_CERTIFICATE_URL = 21,
	TLS_CERTIFICATE_STATUS = 22,
	TLS_SUPPLEMENTAL_DATA = 23,
	TLS_KEY_UPDATE = 24,
	TLS_COMPRESSED_CERTIFICATE = 25,
	TLS_EKT_KEY = 26,
	TLS_NEXT_PROTOCOL = 67, /* NPN */
	TLS_CHANNEL_ID = 203,   /* Google */
	TLS_MESSAGE_HASH = 254, /* never on the wire */
};

enum { TLS_MESSAGE_HEAD = 4 };

struct tls_message {
	uint8_t type;
	uint32_t size;  /* of the body, as the head says: up to 2^24 - 1 */
	struct rd body; /* what of it is there: body.left <= size */
};

/* Takes the next whole message.  False at the end, and at a cut one, which makes 'r' fail. */
bool tls_message_next(struct rd *r, struct tls_message *m);

/* A type that appears in the clear before encryption starts, of a size that it can have. */
bool tls_message_plausible(uint8_t type, uint32_t size);

/*
 * One direction's handshake messages out of pieces (bodies of records, CRYPTO bytes) in order, cut
 * anywhere.  A message that lies whole in a piece is given as it lies there.  The body of another
 * is copied to room that the caller gives once the head is known, or only counted.  Nothing but the
 * head is kept before that.  Begins zeroed; becomes zero again by being zeroed, as behind a gap.
 */
struct tls_assembler {
	uint8_t *room;      /* the caller's: body of the message under way */
	uint32_t room_size; /* 0: the body is only counted */
	uint32_t kept;      /* bytes in 'room' */
	uint32_t seen;      /* bytes of the body that have passed */
	uint8_t head[TLS_MESSAGE_HEAD];
	uint8_t head_size; /* bytes of the head that have passed */
	bool counting;     /* no more room was given */
};

enum tls_step {
	TLS_STEP_END,     /* the piece is used up */
	TLS_STEP_MESSAGE, /* *m is a message that has passed; body.left < size when not all was kept
			   */
	TLS_STEP_ROOM,    /* *m, not yet whole, is 'body' so far and needs (more) room, if wanted */
};

/*
 * Goes on to the next event of a piece; call again until TLS_STEP_END.  At TLS_STEP_ROOM, call
 * tls_assembler_room() or leave it: then no more of this message's body is kept, and it is counted
 * up to its end. A message's body is valid until the piece or the room goes away; room may be used
 * again once its message has passed.  Time is linear in the bytes, whatever the cut.
 */
enum tls_step tls_assemble(struct tls_assembler *a, struct rd *piece, struct tls_message *m);

/* Gives 'size' bytes of room, more than was given before; what was kept is copied there. */
void tls_assembler_room(struct tls_assembler *a, uint8_t *room, uint32_t size);

/* The message under way, as far as it was kept (for the end of a flow); false without one. */
bool tls_assembler_partial(const struct tls_assembler *a, struct tls_message *m);

/*
 * The list of a Certificate message, for tls_certificate_next().  With 'tls13' a context stands
 * before it (not kept: empty from servers).  False when the body does not read as one; a cut list
 * is given as far as it goes.
 */
bool tls_certificate_list(struct rd body, bool tls13, struct rd *list);

/* Takes the next certificate (X.509 DER); false at the end, and at a cut one (list has failed). */
bool tls_certificate_next(struct rd *list, bool tls13, struct rd *der);

struct tls_compressed_certificate { /* RFC 8879 */
	uint16_t algorithm;         /* IANA: 1 zlib, 2 brotli, 3 zstd */
	uint32_t size;              /* of the Certificate message's body, when decompressed */
	struct rd data;
};

bool tls_compressed_certificate_parse(struct rd body, struct tls_compressed_certificate *c);

struct tls_certificate_request {
	struct rd types;                /* u8 list, up to TLS 1.2 */
	struct rd signature_algorithms; /* u16 list, from TLS 1.2 on */
	struct rd authorities;          /* of distinguished names with 2-byte lengths */
	struct rd context, extensions;  /* TLS 1.3 */
};

/* 'version' is the negotiated one: forms differ before 1.2, in 1.2 and in 1.3 (also of DTLS). */
bool tls_certificate_request_parse(
		struct rd body, uint16_t version, struct tls_certificate_request *out);

/* Takes the next block with two bytes of length (authorities, timestamps); false at the end. */
bool tls_block_next(struct rd *list, struct rd *block);

struct tls_certificate_status { /* RFC 6066 section 8 */
	uint8_t type;           /* 1: OCSP, 2: several (RFC 6961) */
	struct rd response;     /* DER; type 2: list of responses with 3-byte lengths */
};

bool tls_certificate_status_parse(struct rd body, struct tls_certificate_status *s);

struct tls_ticket { /* NewSessionTicket, RFC 5077 and RFC 8446 section 4.6.1 */
	uint32_t lifetime_s;
	struct rd ticket;
	uint32_t age_add;            /* TLS 1.3 */
	struct rd nonce, extensions; /* TLS 1.3 */
};

bool tls_ticket_parse(struct rd body, bool tls13, struct tls_ticket *t);

struct tls_certificate_verify {
	uint16_t scheme; /* from TLS 1.2 on, else 0 */
	struct rd signature;
};

bool tls_certificate_verify_parse(
		struct rd body, uint16_t version, struct tls_certificate_verify *v);

struct tls_alert {
	uint8_t level;       /* 1 warning, 2 fatal */
	uint8_t description; /* IANA, TLS Alerts */
};

/* An alert in the clear: two bytes with a level that exists.  False for everything else. */
bool tls_alert_parse(struct rd body, struct tls_alert *a);

struct tls_heartbeat {         /* RFC 6520 */
	uint8_t type;          /* 1 request, 2 response */
	uint16_t payload_size; /* as it says */
	bool overlong;         /* it says more than there is (with 16 bytes of padding) */
};

/* A heartbeat in the clear; false when cut or of another type. */
bool tls_heartbeat_parse(struct rd body, struct tls_heartbeat *h);
