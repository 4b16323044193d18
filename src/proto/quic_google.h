/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_google.h - the handshake of Google QUIC before it had TLS (Q024 to Q050): frames of its
 * clear packets, and the messages CHLO, REJ, SHLO, which are lists of tags and values.
 *
 * Sources: "QUIC Crypto" (Langley, Chang) and "QUIC Wire Layout Specification for Q043".  Numbers
 * of messages are little-endian, those of packets and frames big-endian (to Q038 little-endian).
 * Pure: readers point into what was passed in.
 */
#pragma once

#include "proto/quic_wire.h"

/* A tag as its four characters read from first to last, so that 'CHLO' is 0x43484c4f. */
enum {
	GQUIC_CHLO = 0x43484c4f,
	GQUIC_REJ = 0x52454a00,
	GQUIC_SREJ = 0x5352454a,
	GQUIC_SHLO = 0x53484c4f,
	GQUIC_SCUP = 0x53435550, /* server config update */
	GQUIC_PRST = 0x50525354, /* public reset */
	GQUIC_SCFG = 0x53434647, /* server config, a message within REJ */
};

/*
 * Takes the next of Google's frames of 'version', as quic_frame_next() does for a packet;
 * 'number_size' is the size of the packet's number, which one old frame needs.
 */
bool gquic_frame_next(
		struct rd *frames, uint32_t version, size_t number_size, struct quic_frame *f);

/* Begins with a public header that says its version, or with a public reset. */
bool gquic_public_header(struct rd datagram);

struct gquic_message {
	uint32_t tag;
	uint16_t count;   /* of tags, as the message says */
	struct rd index;  /* pairs of tag and end offset, as many as are there */
	struct rd values; /* as much as is there */
	uint32_t size;    /* of the whole message; 0 when the index is not there whole */
	bool complete;    /* index and values are there */
};

/*
 * Reads a message from the start of the handshake stream (bytes in order so far).  False when it is
 * none: too short for its head, an unknown tag, or offsets that run backwards or beyond a cap.
 */
bool gquic_message_parse(struct rd r, struct gquic_message *m);

/* What a walk over a message remembers; begins as { .index = m.index, .values = m.values }. */
struct gquic_walk {
	struct rd index, values;
	uint32_t end; /* of the value before */
};

/* Takes the next tag.  False at the end; a value that is not there whole is a failed reader. */
bool gquic_tag_next(struct gquic_walk *w, uint32_t *tag, struct rd *value);

/* What everybody asks of a message; readers are failed ({ NULL, 0 }) where there is no such tag. */
struct gquic_info {
	struct rd sni;              /* SNI: server name */
	struct rd user_agent;       /* UAID */
	struct rd versions;         /* VER: 4 bytes each, as text */
	struct rd version;          /* the first of them: what the client wanted most */
	struct rd aead;             /* AEAD: 4 characters each */
	struct rd key_exchange;     /* KEXS: 4 characters each */
	struct rd public_value;     /* PUBS */
	struct rd proof_demand;     /* PDMD: 4 characters each */
	struct rd options;          /* COPT: connection options, 4 characters each */
	struct rd server_config_id; /* SCID */
	struct rd server_config;    /* SCFG */
	struct rd source_token;     /* STK: source address token */
	struct rd nonce;            /* NONC of a client, SNO of a server */
	struct rd proof;            /* PROF: signature */
	struct rd certificates;     /* CRT\xff: compressed chain */
	struct rd reject_reasons;   /* RREJ: little-endian numbers of 4 bytes */
	bool has_idle_timeout;
	uint32_t idle_timeout_s; /* ICSL */
	uint32_t tag_count;      /* walked over */
};

void gquic_decode(const struct gquic_message *m, struct gquic_info *i);

/* Writes a tag as text: "CHLO", "REJ", "CRT\xff" as "CRTff"; always terminated. */
void gquic_tag_text(uint32_t tag, char out[9]);
