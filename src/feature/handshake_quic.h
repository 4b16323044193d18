/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handshake_quic.h - what is kept of a QUIC connection beside its handshake messages.
 *
 * handshake_quic.c walks packets, handshake_quic_crypto.c puts CRYPTO bytes in order, quic.c
 * reports.
 */
#pragma once

#include "feature/handshake_state.h"
#include "proto/quic_google.h"

enum {
	HS_QUIC_EARLY = 4,         /* Initials kept until their keys are known */
	HS_QUIC_EARLY_SIZE = 2048, /* bytes of one */
	HS_QUIC_VERSIONS = 16,     /* kept of a version negotiation */
	HS_QUIC_REASON = 64,       /* bytes kept of why a connection was closed */
};

struct hs_cid {
	bool there;
	uint8_t size;
	uint8_t bytes[QUIC_CID_MAX];
};

struct hs_early {
	uint8_t dir;
	uint16_t size;
	uint8_t bytes[HS_QUIC_EARLY_SIZE];
};

struct hs_quic {
	struct quic_keys keys;
	struct hs_cid key_cid; /* the keys are made of it */
	struct hs_cid dcid;    /* of the client's first packet */
	uint32_t version;      /* of the first long header */
	uint32_t *versions;    /* that the server offers instead */
	uint8_t version_count, reason_size, early_count, close_dir;
	bool retry_authentic, closed, close_application;
	int32_t retry_token_size;  /* -1: no Retry */
	int32_t token_size;        /* of the client's first Initial that was read */
	int32_t second_token_size; /* of the first one behind a Retry */
	uint32_t undecrypted;      /* Initials that no key fits, or that are cut */
	uint32_t packet_count, zero_rtt;
	int64_t packet_ns;
	struct trail packets; /* size, type << 1 | dir, ns since the packet before */
	uint64_t close_error;
	uint8_t *reason;
	struct hs_early *early[HS_QUIC_EARLY];
	struct quic_way { /* one direction */
		struct hs_cid scid, last_dcid;
		uint32_t version;          /* of its last long header */
		uint32_t read;             /* bytes of the CRYPTO stream taken in order */
		struct quic_stream stream; /* behind a hole; Google: all of it */
		uint32_t cid_changes, spin_changes, short_packets;
		bool spin;
	} way[2];
};

/* handshake_quic_crypto.c: a piece of the CRYPTO stream (or of Google's handshake stream). */
void hs_quic_crypto(const struct hs_in *in, uint64_t offset, struct rd bytes);

/* Begins both streams anew, for a handshake with another version. */
void hs_quic_restart(const struct hs_in *in);

/* True of versions whose handshake is Google's own, not TLS. */
static inline bool hs_quic_is_google(uint32_t version)
{
	return version >> 24 == 'Q';
}
