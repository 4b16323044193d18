/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_key.h - ServerKeyExchange and ClientKeyExchange (RFC 5246, 8422, 4279, 5489, 5054, 2246 with
 * its export suites), whose shape only the ciphersuite tells.
 *
 * Pure: readers point into the message.  TLS 1.3 has neither: its keys are in the hellos.
 */
#pragma once

#include "base/rd.h"

enum tls_kx {
	TLS_KX_UNKNOWN,
	TLS_KX_NONE, /* TLS_NULL_WITH_NULL_NULL and signalling values */
	TLS_KX_RSA,
	TLS_KX_RSA_EXPORT,
	TLS_KX_DH, /* key in the certificate */
	TLS_KX_DHE,
	TLS_KX_DH_ANON,
	TLS_KX_ECDH, /* key in the certificate */
	TLS_KX_ECDHE,
	TLS_KX_ECDH_ANON,
	TLS_KX_PSK,
	TLS_KX_RSA_PSK,
	TLS_KX_DHE_PSK,
	TLS_KX_ECDHE_PSK,
	TLS_KX_SRP,
	TLS_KX_SRP_SIGNED, /* SRP with a certificate */
	TLS_KX_KRB5,
	TLS_KX_GOST,
	TLS_KX_SM2,       /* TLCP: ECC and IBC suites */
	TLS_KX_SM2_ECDHE, /* TLCP: ECDHE and IBSDH suites */
	TLS_KX_FORTEZZA,
	TLS_KX_PWD,    /* RFC 8492 */
	TLS_KX_JPAKE,  /* EC J-PAKE, Thread */
	TLS_KX_CECPQ1, /* Google's experiment of 2016 */
	TLS_KX_TLS13,  /* agreed on outside the ciphersuite */
};

/* The key exchange of a ciphersuite; TLS_KX_UNKNOWN for numbers without one. */
enum tls_kx tls_cipher_kx(uint16_t suite);

/* A short lower-case name ("ecdhe", "rsa_export"), "unknown" for TLS_KX_UNKNOWN. */
const char *tls_kx_name(enum tls_kx kx);

enum tls_curve_type { TLS_CURVE_PRIME = 1, TLS_CURVE_CHAR2 = 2, TLS_CURVE_NAMED = 3 };

struct tls_server_key {
	struct rd hint;         /* PSK identity hint */
	uint8_t curve_type;     /* enum tls_curve_type; 0 without a curve */
	uint16_t curve;         /* named curve (IANA, TLS Supported Groups) */
	uint32_t bits;          /* of the prime, RSA modulus or explicit curve; 0: named curve */
	struct rd prime;        /* DH and SRP; explicit curve's field; RSA_EXPORT: modulus */
	struct rd generator;    /* DH and SRP; RSA_EXPORT: exponent */
	struct rd public_value; /* DH: Ys; EC: the point; SRP: B */
	uint32_t public_bits;   /* DH, SRP: significant bits of it; EC: 8 times its bytes */
	uint16_t scheme;        /* signature scheme, from TLS 1.2 on; else 0 */
	struct rd signature;    /* not there in anonymous and PSK suites */
};

/*
 * Reads a ServerKeyExchange; 'version' is the negotiated one (TLS, DTLS or TLCP).  False when it
 * does not read as the key exchange has it, or has none that is known; what was read stays in *out.
 */
bool tls_key_exchange_server(
		struct rd body, enum tls_kx kx, uint16_t version, struct tls_server_key *out);

struct tls_client_key {
	struct rd identity; /* PSK suites; KRB5: the ticket */
	struct rd value; /* encrypted premaster secret, Yc or point; GOST, unknown: all of the body
			  */
	uint32_t bits;   /* 8 times the bytes of 'value'; DH: without leading zero bits */
};

/*
 * Reads a ClientKeyExchange likewise.  An implicit one (the key is in the client's certificate) has
 * an empty value.  Of key exchanges that are not known the whole body is the value, and it is
 * false.
 */
bool tls_key_exchange_client(
		struct rd body, enum tls_kx kx, uint16_t version, struct tls_client_key *out);
