/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_wire.h - QUIC packets, frames and transport parameters as they lie in a datagram (RFC 8999,
 * RFC 9000 sections 16 to 19, RFC 9369), and the packet headers of Google's QUIC up to Q050.
 *
 * Pure: readers point into what was passed in.  Every walk ends: each step consumes at least a
 * byte.  Nothing here decrypts: that is quic_keys.h.
 */
#pragma once

#include "base/rd.h"

enum {
	QUIC_CID_MAX = 20, /* RFC 9000 section 17.2; the invariants alone allow 255 */
	QUIC_CID_UNKNOWN = 255
};

enum {
	QUIC_V1 = 0x00000001,
	QUIC_V2 = 0x6b3343cf,
};

/* How the packets of a version are laid out and which frames stand in them. */
enum quic_layout {
	QUIC_LAYOUT_UNKNOWN,   /* a version not known here: nothing but the invariants is read */
	QUIC_LAYOUT_IETF,      /* version 1, drafts 23 to 34 and what is built like them */
	QUIC_LAYOUT_V2,        /* the same with other type bits (RFC 9369 section 3.2) */
	QUIC_LAYOUT_GOOGLE_50, /* Q049, Q050, T050, T051: IETF packets, Google's CRYPTO frame */
	QUIC_LAYOUT_GOOGLE_46, /* Q046 to Q048: a long header without lengths, clear payload */
	QUIC_LAYOUT_GOOGLE_44, /* Q044, Q045: the same with older type numbers */
	QUIC_LAYOUT_GOOGLE_43, /* to Q043: the public header, clear payload */
};

enum quic_layout quic_layout(uint32_t version);

/* "1", "2", "draft-29", "Q046", "T051", "mvfst-2", "grease", ... or NULL for one without a name. */
const char *quic_version_name(uint32_t version);

/* True when there are Initial keys for the version: quic_keys_derive() will take it. */
bool quic_version_readable(uint32_t version);

/* A version of the form 0x?a?a?a?a, kept free to force version negotiation (RFC 9000 section 15).
 */
static inline bool quic_is_grease(uint32_t version)
{
	return (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}

enum quic_packet_type {
	QUIC_INITIAL,
	QUIC_ZERO_RTT,
	QUIC_HANDSHAKE,
	QUIC_RETRY,
	QUIC_VERSION_NEGOTIATION,
	QUIC_SHORT,          /* 1-RTT; whatever has no long header and no Google public header */
	QUIC_GOOGLE,         /* Google QUIC with a clear payload: frames of quic_google.h */
	QUIC_GOOGLE_RESET,   /* its public reset: a PRST message in 'payload' */
	QUIC_UNKNOWN_PACKET, /* long header of an unknown version: ids only */
};

/* "initial", "0-rtt", "handshake", "retry", "version_negotiation", "1-rtt", ... */
const char *quic_packet_name(enum quic_packet_type type);

struct quic_packet {
	enum quic_packet_type type;
	uint32_t version; /* 0: of a version negotiation, or not said (short header) */
	bool long_header;
	bool fixed_bit;      /* as it is on the wire, set or not */
	bool spin;           /* short header only (RFC 9000 section 17.4) */
	bool clear;          /* Google, to Q048: not encrypted, and the hash over it is right */
	uint8_t number_size; /* Google, to Q048: bytes of the packet number; 0 before decryption */
	bool cut; /* says that it is longer than the datagram: captured in part, or a lie */
	struct rd dcid, scid;
	struct rd token;              /* of an Initial, or of a Retry without its integrity tag */
	struct rd supported_versions; /* of a version negotiation: numbers of 4 bytes */
	/* Behind the header: packet number and protected bytes; Retry: the 16-byte integrity tag
	 * (none before draft-25); QUIC_GOOGLE: when 'clear' the frames, else what is behind the
	 * number. */
	struct rd payload;
	struct rd whole; /* from first byte to the end of the payload */
};

/*
 * Takes the next of the packets that share a datagram (RFC 9000 section 12.2).  'short_dcid_size'
 * is the size of the ids that the receiver has chosen, needed since a short header does not say it;
 * QUIC_CID_UNKNOWN leaves dcid empty.  False at the end, and at a header that does not fit, which
 * makes 'datagram' fail.  A packet longer than the datagram is given with what there is, 'cut'.
 * Zeros up to the end are padding, not a packet.
 */
bool quic_packet_next(struct rd *datagram, size_t short_dcid_size, struct quic_packet *p);

/*
 * Reads a datagram of a connection that is known to speak Google QUIC with a public header or (from
 * the server, whose packets do not repeat the version) any of its clear layouts.
 */
bool quic_google_packet(
		struct rd datagram, uint32_t version, bool from_server, struct quic_packet *p);

/*
 * Looks like the first packet of a connection: a long header of a known, greased or plausible
 * version whose lengths fit, or a Google public header with a version.  Never true of short
 * headers.
 */
bool quic_guess(struct rd datagram);

/* --- frames --------------------------------------------------------------------------------------
 */
enum { /* RFC 9000 section 19 */
	QUIC_FRAME_PADDING = 0x00,
	QUIC_FRAME_PING = 0x01,
	QUIC_FRAME_ACK = 0x02,
	QUIC_FRAME_ACK_ECN = 0x03,
	QUIC_FRAME_CRYPTO = 0x06,
	QUIC_FRAME_CLOSE = 0x1c,
	QUIC_FRAME_CLOSE_APPLICATION = 0x1d,
};

struct quic_frame {
	uint64_t type;   /* QUIC_FRAME_CRYPTO also for Google's own number of it */
	uint64_t offset; /* CRYPTO: of 'bytes' in the stream */
	struct rd bytes; /* CRYPTO: the data; CLOSE: the reason phrase; PADDING: the run of it */
	uint64_t error;  /* CLOSE */
	uint64_t frame_type; /* CLOSE: the frame that was at fault, 0 when unknown */
};

/*
 * Takes the next frame of the deciphered payload of Initial 'p', or of the payload of a clear
 * Google packet.  False at the end, and at a frame that does not fit or has no place there, which
 * makes 'frames' fail.  A run of padding is one frame.  Google's frames come as their like: data of
 * its stream 1 as CRYPTO, its close as CLOSE; what says nothing of the handshake as PING.
 */
bool quic_frame_next(struct rd *frames, const struct quic_packet *p, struct quic_frame *f);

/* Takes frames until the next CRYPTO frame; false as quic_frame_next(). */
bool quic_crypto_next(
		struct rd *frames, const struct quic_packet *p, uint64_t *offset, struct rd *bytes);

/* --- numbers and transport parameters ------------------------------------------------------------
 */

/* Reads a number of 1, 2, 4 or 8 bytes (RFC 9000 section 16). */
uint64_t quic_varint(struct rd *r);

/*
 * Takes the next transport parameter (RFC 9000 section 18).  False at the end, or at one that does
 * not fit, which makes 'r' fail.
 */
bool quic_parameter_next(struct rd *r, uint64_t *id, struct rd *value);

/* "max_idle_timeout", ... ; "grease" for 31 * N + 27; NULL for one without a name here. */
const char *quic_parameter_name(uint64_t id);

/* True when the parameter's value is one varint (RFC 9000 section 18.2). */
bool quic_parameter_is_number(uint64_t id);
