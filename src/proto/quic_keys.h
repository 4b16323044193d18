/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_keys.h - keys of QUIC Initial packets, and their decryption (RFC 9001 section 5, RFC 9369
 * section 3.3, and the salts of the drafts and of Google's versions).
 *
 * A quic_env holds what libcrypto needs and is made once for each worker; keys are plain bytes and
 * lie in the flow.  Behind quic_env_new() nothing allocates, fetches or locks.
 */
#pragma once

#include "proto/quic_wire.h"

struct quic_env;

/* NULL without memory, or when libcrypto has no AES-128-GCM. */
struct quic_env *quic_env_new(void);
void quic_env_free(struct quic_env *env);

/* What protects the Initials that one side sends. */
struct quic_side {
	uint8_t key[16], iv[12], header[16];
	bool derived;
	bool read;        /* a packet was authenticated with it */
	uint64_t largest; /* packet number read so far; of use when 'read' */
};

struct quic_keys {
	uint32_t version;   /* 0: none yet */
	uint8_t secret[32]; /* initial_secret; each side is derived when its first packet comes */
	struct quic_side client, server;
};

/*
 * Makes the keys of a connection from the destination id of the client's first Initial, or of its
 * first Initial behind a Retry (= source id of the Retry).  False for a version without a salt
 * here, which leaves version 0.
 *
 * Which id that is: a client keeps its first one until it has heard the server, whose Initials are
 * protected with the same keys.  When a client's Initial has a wrong tag, keys made of its own id
 * open it if a Retry was not seen, or if another connection began between the same ports.
 */
bool quic_keys_derive(struct quic_keys *k, uint32_t version, struct rd dcid);

/* For tests and tools: makes one side's keys now, as quic_decrypt_initial() does when needed. */
void quic_keys_side(struct quic_keys *k, bool server);

enum quic_outcome {
	QUIC_READ,      /* authentic; 'frames' holds what it says */
	QUIC_CUT,       /* not wholly there, so neither decrypted nor authenticated */
	QUIC_NO_KEYS,   /* k->version is 0 or another than the packet's */
	QUIC_WRONG_TAG, /* keys of another connection id or version, or a damaged packet */
	QUIC_NO_ROOM,   /* larger than 'room' */
};

/*
 * Takes the protection off an Initial: 'frames' points into 'scratch', whose 'room' is at least
 * p->payload.left (LIMIT_QUIC_PACKET is enough for any).  The packet number, when authentic, is the
 * side's 'largest' or below.
 */
enum quic_outcome quic_decrypt_initial(struct quic_env *env, struct quic_keys *k, bool server,
		const struct quic_packet *p, uint8_t *scratch, size_t room, struct rd *frames);

/*
 * Says whether a Retry answers the Initial that was sent to 'original' (its destination id): the
 * integrity tag of RFC 9001 section 5.8.  False too for versions without such a tag.
 */
bool quic_retry_authentic(
		struct quic_env *env, struct rd original, const struct quic_packet *retry);
