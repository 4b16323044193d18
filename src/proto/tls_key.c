/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_key.c - ServerKeyExchange and ClientKeyExchange.
 *
 *   server, DH:     | p <2> | g <2> | Ys <2> | signature |
 *   server, EC:     | curve type 1 | curve 2, or a description | point <1> | signature |
 *   server, PSK:    | identity hint <2> |, then as DH or EC, never signed
 *   server, RSA:    | modulus <2> | exponent <2> | signature |, export suites only
 *   server, SRP:    | N <2> | g <2> | salt <1> | B <2> | signature, if it has a certificate |
 *   signature:      | [ scheme 2, from TLS 1.2 on ] | signature <2> |
 *
 *   client:         | [ PSK identity <2> ] | encrypted premaster <2>, Yc <2> or point <1> |
 *   client, KRB5:   | ticket <2> | authenticator <2> | encrypted premaster <2> |
 *
 * <n> is a block that begins with its size in n bytes.  SSL 3 sends the encrypted premaster bare.
 */
#include "proto/tls_key.h"
#include "proto/tls_hello.h"

/* Bits of an unsigned number without its leading zeros. */
static uint32_t significant_bits(struct rd number)
{
	while (rd_more(&number) && number.p[0] == 0)
		rd_bytes(&number, 1);
	if (!rd_more(&number))
		return 0;

	uint32_t bits = (uint32_t)number.left * 8;

	for (uint8_t first = number.p[0]; !(first & 0x80); first = (uint8_t)(first << 1))
		bits--;
	return bits;
}

static void signature(struct rd *r, uint16_t version, struct tls_server_key *out)
{
	if (tls_version_compare(version, TLS_VERSION_1_2) >= 0)
		out->scheme = rd_u16(r);
	out->signature = rd_block(r, 2);
}

static void server_dh(struct rd *r, struct tls_server_key *out)
{
	out->prime = rd_block(r, 2);
	out->generator = rd_block(r, 2);
	out->public_value = rd_block(r, 2);
	out->bits = significant_bits(out->prime);
	out->public_bits = significant_bits(out->public_value);
}

/* RFC 4492 section 5.4: curves described in full; RFC 8422 took them away. */
static void explicit_curve(struct rd *r, struct tls_server_key *out)
{
	if (out->curve_type == TLS_CURVE_PRIME) {
		out->prime = rd_block(r, 1);
		out->bits = significant_bits(out->prime);
	} else {
		enum { TRINOMIAL = 1, PENTANOMIAL = 2 };

		out->bits = rd_u16(r);

		uint8_t basis = rd_u8(r);

		for (int n = basis == PENTANOMIAL ? 3 : 1; n > 0; n--)
			rd_block(r, 1);
		if (basis != TRINOMIAL && basis != PENTANOMIAL)
			rd_bytes(r, SIZE_MAX);
	}
	for (int n = 0; n < 5; n++) /* a, b, base point, order, cofactor */
		rd_block(r, 1);
}

static void server_ec(struct rd *r, struct tls_server_key *out)
{
	out->curve_type = rd_u8(r);
	if (out->curve_type == TLS_CURVE_NAMED)
		out->curve = rd_u16(r);
	else if (out->curve_type == TLS_CURVE_PRIME || out->curve_type == TLS_CURVE_CHAR2)
		explicit_curve(r, out);
	else
		rd_bytes(r, SIZE_MAX); /* no curve type: fails */
	out->public_value = rd_block(r, 1);
	out->public_bits = (uint32_t)out->public_value.left * 8;
}

static void server_rsa(struct rd *r, struct tls_server_key *out)
{
	out->prime = rd_block(r, 2);
	out->generator = rd_block(r, 2);
	out->bits = significant_bits(out->prime);
}

static void server_srp(struct rd *r, struct tls_server_key *out)
{
	out->prime = rd_block(r, 2);
	out->generator = rd_block(r, 2);
	rd_block(r, 1); /* salt */
	out->public_value = rd_block(r, 2);
	out->bits = significant_bits(out->prime);
	out->public_bits = significant_bits(out->public_value);
}

/* The parameters; false for a key exchange whose message is not known. */
static bool server_parameters(struct rd *r, enum tls_kx kx, struct tls_server_key *out)
{
	switch (kx) {
	case TLS_KX_RSA: /* export keys under a suite of full strength */
	case TLS_KX_RSA_EXPORT:
		server_rsa(r, out);
		return true;
	case TLS_KX_DH:
	case TLS_KX_DHE:
	case TLS_KX_DH_ANON:
	case TLS_KX_DHE_PSK:
		server_dh(r, out);
		return true;
	case TLS_KX_ECDH:
	case TLS_KX_ECDHE:
	case TLS_KX_ECDH_ANON:
	case TLS_KX_ECDHE_PSK:
	case TLS_KX_SM2_ECDHE:
		server_ec(r, out);
		return true;
	case TLS_KX_SRP:
	case TLS_KX_SRP_SIGNED:
		server_srp(r, out);
		return true;
	case TLS_KX_PSK:
	case TLS_KX_RSA_PSK:
	case TLS_KX_SM2:
		return true; /* a hint or a signature alone */
	default:
		return false;
	}
}

static bool has_identity(enum tls_kx kx)
{
	return kx == TLS_KX_PSK || kx == TLS_KX_RSA_PSK || kx == TLS_KX_DHE_PSK ||
	       kx == TLS_KX_ECDHE_PSK;
}

static bool is_signed(enum tls_kx kx)
{
	return !has_identity(kx) && kx != TLS_KX_DH_ANON && kx != TLS_KX_ECDH_ANON &&
	       kx != TLS_KX_SRP;
}

bool tls_key_exchange_server(
		struct rd body, enum tls_kx kx, uint16_t version, struct tls_server_key *out)
{
	*out = (struct tls_server_key){ 0 };
	if (has_identity(kx))
		out->hint = rd_block(&body, 2);
	if (!server_parameters(&body, kx, out))
		return false;
	if (is_signed(kx))
		signature(&body, version, out);
	return rd_ok(&body) && !rd_more(&body);
}

/* A curve stands before the point that a client of TLCP sends. */
static struct rd tlcp_point(struct rd *r)
{
	rd_bytes(r, 3);
	return rd_block(r, 1);
}

static struct rd client_value(struct rd *r, enum tls_kx kx, uint16_t version)
{
	switch (kx) {
	case TLS_KX_RSA:
	case TLS_KX_RSA_EXPORT:
		return version == TLS_VERSION_SSL3 ? rd_bytes(r, r->left) : rd_block(r, 2);
	case TLS_KX_DH:
	case TLS_KX_DHE:
	case TLS_KX_DH_ANON:
	case TLS_KX_DHE_PSK:
	case TLS_KX_RSA_PSK:
	case TLS_KX_SRP:
	case TLS_KX_SRP_SIGNED:
	case TLS_KX_SM2:
	case TLS_KX_KRB5:
		return rd_block(r, 2);
	case TLS_KX_ECDH:
	case TLS_KX_ECDHE:
	case TLS_KX_ECDH_ANON:
	case TLS_KX_ECDHE_PSK:
		return rd_block(r, 1);
	case TLS_KX_SM2_ECDHE:
		return tlcp_point(r);
	case TLS_KX_PSK: /* the identity is all */
		return rd_bytes(r, 0);
	default: /* GOST is one piece of ASN.1 */
		return rd_bytes(r, r->left);
	}
}

static bool is_dh(enum tls_kx kx)
{
	return kx == TLS_KX_DH || kx == TLS_KX_DHE || kx == TLS_KX_DH_ANON ||
	       kx == TLS_KX_DHE_PSK || kx == TLS_KX_SRP || kx == TLS_KX_SRP_SIGNED;
}

/* Key exchanges whose ClientKeyExchange is read, or taken as a whole. */
static bool is_known(enum tls_kx kx)
{
	return kx >= TLS_KX_RSA && kx <= TLS_KX_SM2_ECDHE;
}

bool tls_key_exchange_client(
		struct rd body, enum tls_kx kx, uint16_t version, struct tls_client_key *out)
{
	bool implicit = !rd_more(&body) && rd_ok(&body) &&
			(kx == TLS_KX_DH || kx == TLS_KX_DHE || kx == TLS_KX_ECDH ||
					kx == TLS_KX_ECDHE);

	*out = (struct tls_client_key){ 0 };
	if (implicit) {
		out->value = body;
		return true;
	}
	if (has_identity(kx) || kx == TLS_KX_KRB5)
		out->identity = rd_block(&body, 2);
	if (kx == TLS_KX_KRB5)
		rd_block(&body, 2); /* authenticator */
	out->value = client_value(&body, kx, version);
	out->bits = is_dh(kx) ? significant_bits(out->value) : (uint32_t)out->value.left * 8;
	return rd_ok(&body) && !rd_more(&body) && is_known(kx);
}
