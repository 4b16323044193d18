/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_key.c - what kind of public key a certificate has, and how large it is.
 *
 *   SubjectPublicKeyInfo ::= SEQUENCE {
 *       algorithm  SEQUENCE { OBJECT IDENTIFIER, parameters ANY OPTIONAL },
 *       key        BIT STRING }                              RFC 5280 section 4.1, RFC 3279, RFC
 * 5480
 */
#include <openssl/objects.h>
#include <string.h>

#include "proto/x509_internal.h"

enum kind { KIND_OTHER, KIND_RSA, KIND_EC, KIND_PRIME };

static const struct {
	int nid;
	enum kind kind;
	const char *word;
} types[] = {
	{ NID_rsaEncryption, KIND_RSA, "rsa" },
	{ NID_rsassaPss, KIND_RSA, "rsa-pss" },
	{ NID_rsaesOaep, KIND_RSA, "rsa-oaep" },
	{ NID_rsa, KIND_RSA, "rsa" },
	{ NID_X9_62_id_ecPublicKey, KIND_EC, "ec" },
	{ NID_dsa, KIND_PRIME, "dsa" },
	{ NID_dhKeyAgreement, KIND_PRIME, "dh" },
	{ NID_dhpublicnumber, KIND_PRIME, "dh" },
	{ NID_ED25519, KIND_OTHER, "ed25519" },
	{ NID_ED448, KIND_OTHER, "ed448" },
	{ NID_X25519, KIND_OTHER, "x25519" },
	{ NID_X448, KIND_OTHER, "x448" },
	{ NID_id_GostR3410_94, KIND_OTHER, "gost94" },
	{ NID_id_GostR3410_2001, KIND_OTHER, "gost2001" },
	{ NID_id_GostR3410_2012_256, KIND_OTHER, "gost2012_256" },
	{ NID_id_GostR3410_2012_512, KIND_OTHER, "gost2012_512" },
};

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
static bool rsa_key(struct rd key, struct x509_info *out)
{
	struct rd r = der_take(&key, DER_SEQUENCE);
	struct rd modulus = der_take(&r, DER_INTEGER), exponent = der_take(&r, DER_INTEGER);

	out->key_bits = der_bits(modulus);
	while (exponent.left > 1 && exponent.p[0] == 0)
		rd_u8(&exponent);
	out->rsa_exponent = exponent;
	return rd_ok(&r);
}

/* Dss-Parms, DHParameter: SEQUENCE { p INTEGER, ... } */
static bool prime_key(struct rd parameters, struct x509_info *out)
{
	struct rd r = der_take(&parameters, DER_SEQUENCE);

	out->key_bits = der_bits(der_take(&r, DER_INTEGER));
	return rd_ok(&r);
}

/* The bits of the field, which every name of a curve has in it: the first number above 99. */
static uint32_t bits_in_name(const char *name)
{
	uint32_t n = 0;

	for (; *name != '\0'; name++) {
		if (*name >= '0' && *name <= '9')
			n = n * 10 + (uint32_t)(*name - '0');
		else if (n > 99)
			return n;
		else
			n = 0;
	}
	return n > 99 ? n : 0;
}

/*
 * SpecifiedECDomain ::= SEQUENCE { version INTEGER, fieldID SEQUENCE { type, parameters }, ... }
 * where the parameters are a prime, or SEQUENCE { m INTEGER, ... }
 */
static bool explicit_curve(struct rd r, struct x509_info *out)
{
	struct rd field;
	struct der d;

	out->curve = "explicit";
	der_take(&r, DER_INTEGER);
	field = der_take(&r, DER_SEQUENCE);
	der_take(&field, DER_OID);
	if (!der_next(&field, &d))
		return false;
	if (d.tag == DER_INTEGER) {
		out->key_bits = der_bits(d.value);
	} else {
		struct rd m = der_take(&d.value, DER_INTEGER);

		out->key_bits = m.left <= 4 ? (uint32_t)rd_uint(&m, m.left) : 0;
	}
	return true;
}

/* ECParameters ::= CHOICE { namedCurve OID, implicitCurve NULL, specifiedCurve SEQUENCE } */
static bool ec_key(
		struct x509_memory *m, struct rd parameters, struct rd key, struct x509_info *out)
{
	struct der d;

	if (!der_next(&parameters, &d))
		return false;
	if (d.tag == DER_SEQUENCE)
		return explicit_curve(d.value, out);
	if (d.tag != DER_OID)
		return d.tag == DER_NULL;

	struct x509_object o = x509_object(m, d.whole);

	out->curve = o.short_name;
	if (o.nid != NID_undef)
		out->key_bits = bits_in_name(o.short_name);
	if (out->key_bits == 0 && key.left > 1) /* a point: a byte and two coordinates */
		out->key_bits = (uint32_t)(key.left - 1) / 2 * 8;
	return true;
}

bool x509_key(struct x509_memory *m, struct rd key, struct x509_info *out)
{
	struct rd r = der_take(&key, DER_SEQUENCE), algorithm = der_take(&r, DER_SEQUENCE);
	struct rd bits = der_take(&r, DER_BIT_STRING);
	struct der oid = { 0 };
	struct x509_object o;
	enum kind kind = KIND_OTHER;

	rd_u8(&bits); /* bits of the last byte that do not count */
	if (!der_next(&algorithm, &oid) || oid.tag != DER_OID)
		return false;
	o = x509_object(m, oid.whole);
	out->key_type = o.nid != NID_undef ? o.short_name : o.name;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (types[i].nid == o.nid) {
			out->key_type = types[i].word;
			kind = types[i].kind;
		}
	}
	if (kind == KIND_RSA)
		return rsa_key(bits, out);
	if (kind == KIND_EC)
		return ec_key(m, algorithm, bits, out) && rd_ok(&bits);
	if (kind == KIND_PRIME)
		return prime_key(algorithm, out) && rd_ok(&bits);
	out->key_bits = (uint32_t)bits.left * 8;
	return rd_ok(&bits);
}
