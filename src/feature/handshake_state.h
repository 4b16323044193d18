/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_state.h - what is kept of a flow's TLS, DTLS or QUIC handshake while packets come.
 *
 * handshake.c collects it for the features that report (tls.c, quic.c, fingerprint.c): messages
 * raw, as they came; nothing is decoded before the flow's end but what is needed to find the
 * next byte.  A flow without a handshake has struct handshake and nothing else.  All of it lies
 * in the flow's arena, but for certificates, which are held in the worker's store until leave().
 */
#pragma once

#include "base/buf.h"
#include "feature/certs.h"
#include "feature/feature.h"
#include "feature/trail.h"
#include "proto/dtls.h"
#include "proto/quic_crypto.h"
#include "proto/quic_keys.h"
#include "proto/starttls.h"
#include "proto/tls_hello.h"
#include "proto/tls_message.h"

extern const struct feature feature_handshake;

enum hs_carrier { HS_TLS, HS_DTLS, HS_QUIC };

enum { HS_NOBODY = 2 }; /* struct hs.client while nobody has said hello */

/* A handshake message that is kept, in the order in which they were whole. */
struct hs_message {
	struct hs_message *next;
	uint8_t *bytes; /* of the body, often behind this struct; SSLv2: of the record */
	uint32_t size;  /* of the body, by its head */
	uint32_t kept;  /* bytes there */
	uint8_t type;   /* enum tls_handshake_type */
	uint8_t dir;
	bool ssl2;
};

struct hs_certificate {
	struct hs_certificate *next;
	struct cert *cert; /* held; NULL: larger than the store takes, or no room there */
	uint32_t size;
	uint8_t dir;
};

struct hs_alert {
	struct hs_alert *next;
	uint8_t dir, level, description;
	bool clear; /* else encrypted: only that there was one is known */
};

/* One direction. */
struct hs_side {
	struct tls_assembler messages; /* TLS, QUIC */
	uint32_t taken;                /* TLS: bytes of the stream so far */
	uint32_t record;               /* number of the record under way, for struct hs.heads */
	uint32_t message_record;       /* in which the message under way began */
	uint32_t record_left;          /* bytes of the body to come */
	uint32_t heartbeats;
	uint32_t refused; /* records or messages that contradict themselves */
	uint16_t record_size, first_version;
	uint8_t record_type, first_type;
	uint8_t head[TLS_RECORD_HEAD], head_size;
	uint8_t body[3], body_size;   /* the beginning of alerts and heartbeats */
	uint8_t hellos, certificates; /* messages of these kinds that were kept */
	bool started : 1;             /* its first record was found */
	bool ssl2 : 1;                /* the record under way, its first, is one of SSLv2 */
	bool lost : 1;    /* bytes are missing, or are no records: nothing more is read */
	bool changed : 1; /* change_cipher_spec was sent */
	bool skip : 1;    /* the rest of the record is encrypted */
	bool data : 1;    /* application data was sent */
	bool listed : 1;  /* the message under way is in struct hs.heads */
};

_Static_assert(LIMIT_HANDSHAKE_LISTED <= UINT32_MAX, "hs_side.taken");

struct hs_quic;
struct hs_dtls;

struct hs {
	uint8_t carrier;    /* enum hs_carrier */
	uint8_t client;     /* the direction that the client sends, or HS_NOBODY */
	uint8_t initiator;  /* the flow's: 1 with bidir=0 where 0 is what the responder sends */
	uint8_t starttls;   /* enum starttls_protocol that asked for it */
	bool capped;        /* a message, list or certificate met its cap */
	bool renegotiation; /* handshake records behind application data */
	bool heartbeat_overlong; /* one says that it has more payload than it has */
	bool hello_done;         /* server_hello_done was sent */
	uint8_t message_count, alert_count;
	uint16_t head_count;
	uint32_t record_count, tickets, hello_requests;
	struct hs_message *first, *last;
	struct hs_certificate *first_certificate;
	struct hs_alert *first_alert;
	struct trail records; /* size, type << 1 | dir, ns since the record before */
	struct trail heads;   /* of handshake messages: number of its record, type, size */
	int64_t record_ns;    /* flow time of the last record */
	struct hs_side side[2];
	union {                       /* by the carrier */
		struct hs_wait *wait; /* TCP: what came before TLS */
		struct hs_quic *quic;
		struct hs_dtls *dtls;
	};
	/* The first bytes of both lists, as many as a usual handshake needs; none with QUIC. */
	uint8_t lists[];
};

enum { HS_LIST_RECORDS = 40, HS_LIST_HEADS = 24 };

_Static_assert(LIMIT_HANDSHAKE_MESSAGES <= UINT8_MAX && LIMIT_ALERTS <= UINT8_MAX &&
				LIMIT_HANDSHAKE_HEADS <= UINT16_MAX,
		"counts of struct hs");

/* Before TLS has begun in a TCP flow. */
struct hs_wait {
	struct starttls starttls;
	uint8_t first[2][STARTTLS_GUESS_BYTES]; /* first bytes of each direction */
	uint8_t first_size[2];
	bool decided[2]; /* what the first bytes are is known */
};

enum hs_phase { HS_LOOKING, HS_WAITING, HS_FOUND, HS_GIVEN_UP };

/* The state in every flow. */
struct handshake {
	union {
		struct hs *hs;        /* HS_FOUND */
		struct hs_wait *wait; /* HS_WAITING */
	} at;
	uint8_t phase; /* enum hs_phase */
	uint8_t tries; /* pieces or datagrams that began with no handshake */
};

_Static_assert(sizeof(struct handshake) <= 16, "paid by every flow");

/* Without a hello the initiator is taken for the client. */
static inline unsigned hs_client(const struct hs *hs)
{
	return hs->client == HS_NOBODY ? hs->initiator : hs->client;
}

/* What came, and where: the arguments that everybody passes on. */
struct hs_in {
	struct hs *hs;
	const struct feature_env *env;
	struct flow *flow;
	const struct pkt *pkt;
	unsigned dir;    /* 0 throughout with bidir=0 */
	uint64_t offset; /* of the bytes, in their direction's stream */
};

/* --- handshake.c: whatever the carrier ---------------------------------------------------------
 */

/* A cap was met: marks flow and handshake. */
void hs_capped(const struct hs_in *in);

/* Lists a record; returns its number. */
uint32_t hs_record(const struct hs_in *in, uint8_t type, uint32_t size);

/* A message's head was seen. */
void hs_head(const struct hs_in *in, uint32_t record, uint8_t type, uint32_t size);

/*
 * Keeps what reports need of a message that has passed.  'room': it lies in the arena there, which
 * is now the message's or given back; NULL: it lies in the packet.
 */
void hs_message(const struct hs_in *in, const struct tls_message *m, uint8_t *room);

/* How many bytes of a message's body are worth keeping; 0: it is only counted. */
uint32_t hs_wanted(const struct hs_in *in, uint8_t type, uint32_t size);

/* In-order bytes of handshake messages. */
void hs_bytes(const struct hs_in *in, struct rd bytes);

/* Forgets the message under way. */
void hs_drop_message(const struct hs_in *in);

/* An alert record of 'size' bytes: clear when it has two, as no cipher leaves it. */
void hs_alert(const struct hs_in *in, struct rd body, uint32_t size);

/* --- the carriers ------------------------------------------------------------------------------
 */

/* handshake_tls.c: in-order bytes behind those taken before. */
void hs_tls_bytes(const struct hs_in *in, struct rd bytes);

/* A message's head is whole; false: it is none, because the record is encrypted. */
bool hs_tls_head(const struct hs_in *in, const struct tls_message *m);

/* Whether a datagram begins a QUIC connection of a version that has a name. */
bool hs_quic_guess(struct rd datagram);

/* DTLS: the first message that a direction has left unfinished, as far as it goes. */
bool hs_dtls_partial(const struct hs *hs, unsigned dir, struct tls_message *m);

/* handshake_dtls.c, handshake_quic.c: a datagram. */
void hs_dtls_datagram(const struct hs_in *in, struct rd datagram);
void hs_quic_datagram(const struct hs_in *in, struct rd datagram);

/* --- handshake_read.c: at the flow's end -------------------------------------------------------
 */

struct hs_hello { /* a hello, parsed; 'there' is false without one */
	bool there;
	bool ended; /* all bytes of the message came and were kept */
	bool whole; /* the same, and none is left over */
	struct tls_hello hello;
	struct tls_hello_info info;
};

enum { HS_HELLOS = 4 };

/* The messages that reports speak of; those that were not seen are NULL, but hellos never are. */
struct hs_told {
	unsigned client; /* direction of the client; without any hello that of the initiator */
	const struct hs_hello *client_hello, *retry, *second_client_hello, *server_hello;
	const struct hs_message *verify, *server_key, *client_key, *request, *client_verify;
	const struct hs_message *ticket, *status;
	uint16_t version; /* negotiated; without a ServerHello the highest offered; 0: no hello */
	uint16_t suite;   /* selected; only with 'server_hello.there' */
	struct hs_message partial[2];
	struct hs_hello hello[HS_HELLOS]; /* what was parsed: hello_count of them */
	unsigned hello_count;
};

/* Memory of a worker: env->worker of the collector, env->read_worker of those that read it. */
struct hs_worker {
	struct certs *certs;
	struct quic_env *quic;                /* NULL: libcrypto lacks what Initials need */
	uint8_t packet[LIMIT_QUIC_PACKET];    /* a decrypted one */
	uint8_t unpacked[LIMIT_CERT_MESSAGE]; /* a Certificate message */
	const struct hs *told_of;             /* whose handshake 'told' is of; NULL: nobody's */
	struct hs_told told;
};

/*
 * What is told of a handshake, in the memory of the collector's worker: made for the first who
 * asks, and the same for those behind until leave().
 */
const struct hs_told *hs_told(const struct hs *hs, struct hs_worker *w);

static inline struct rd hs_body(const struct hs_message *m)
{
	return m == NULL ? (struct rd){ NULL, 0 } : (struct rd){ m->bytes, m->kept };
}
