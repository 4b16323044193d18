/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509.h - what an X.509 certificate says (RFC 5280).
 *
 * The bytes are hostile: whatever is odd in them is told, and nothing is refused but what is no
 * certificate at all, which is "damaged".  They are walked once, by der.h; OpenSSL knows the names
 * of the objects and makes the digests.  d2i_X509() is not used: it refuses a certificate for one
 * odd letter in a name, and spends 100 microseconds on decoding a key that nobody wants to use.
 * The tests hold every field against it.
 *
 * Texts are not terminated, may hold NUL, and lie in 'der' or in the arena.  'utf8' beside one says
 * that it is well-formed UTF-8: BMPString (with surrogate pairs), UniversalString and T61String
 * (as ISO 8859-1, as everybody reads it) are converted; bytes that do not fit their type, and types
 * that are no text, stay as they are.  What is not there has p NULL; empty has p set.
 */
#pragma once

#include "base/pool.h"
#include "base/rd.h"

struct x509_text {
	struct rd text;
	bool utf8;
};

struct x509_attribute {   /* of a distinguished name, in the order of the certificate */
	const char *name; /* "commonName" (RFC 4519 and OpenSSL's long names), else "1.2.3.4" */
	const char *short_name; /* "CN", else as 'name' */
	struct rd oid;          /* content bytes of the type's object identifier */
	uint8_t tag;            /* of the value: DER_UTF8_STRING, ... (der.h) */
	struct x509_text value;
};

struct x509_name {
	struct x509_attribute *items;
	uint32_t count; /* at most LIMIT_X509_ATTRIBUTES */
	struct rd der;  /* the whole name */
};

enum x509_san_type {    /* tags of GeneralName, RFC 5280 section 4.2.1.6 */
	X509_SAN_OTHER, /* text: "1.3.6.1.4.1.311.20.2.3:" and the value; UTF-8, or its bytes */
	X509_SAN_EMAIL,
	X509_SAN_DNS,
	X509_SAN_X400,      /* text: its bytes */
	X509_SAN_DIRECTORY, /* text: "C=US,O=Example" in the order of the certificate, as RFC 4514
			     */
	X509_SAN_EDI,       /* text: its bytes */
	X509_SAN_URI,
	X509_SAN_IP,  /* text: "192.0.2.1", "2001:db8::1"; of other sizes: its bytes */
	X509_SAN_RID, /* text: "1.2.3.4" */
	X509_SAN_TYPES,
};

struct x509_san {
	uint8_t type;     /* enum x509_san_type */
	const char *kind; /* "othername", "email", "dns", "x400", "dirname", "edi", "uri", "ip",
			     "rid" */
	struct rd bytes;  /* as they stand; an IP address: its 4 or 16 bytes */
	struct x509_text value;
};

struct x509_extension {   /* in the order of the certificate */
	const char *name; /* "subjectAltName" (OpenSSL's short names), else "1.2.3.4" */
	struct rd oid;    /* content bytes */
	bool critical;
	struct rd value; /* inside the OCTET STRING */
};

struct x509_time {
	bool valid;      /* an existing moment of the years 0 to 9999 */
	int64_t seconds; /* since 1970, may be negative; 0 when not valid */
	struct rd text;  /* "2026-01-31T12:00:00Z"; not valid: the bytes as they stand */
};

enum { X509_KEY_USAGES = 9 };

struct x509_info {
	bool damaged;                 /* no certificate: only sizes and digests say something */
	uint32_t size, trailing;      /* bytes in all; of these behind the certificate's end */
	uint8_t sha1[20], sha256[32]; /* of all bytes */

	int64_t version;      /* 1 to 3; others as they stand, plus one; 0: beyond 4 bytes */
	bool serial_negative; /* then 'serial' has its two's complement bytes */
	struct rd serial;     /* big-endian, without leading zeros; "\0" for 0 */
	struct x509_name subject, issuer;
	struct x509_time not_before, not_after;

	const char *signature;      /* "sha256WithRSAEncryption", "ecdsa-with-SHA256", else OID */
	const char *signature_hash; /* "SHA256", also for RSASSA-PSS; NULL: none, or not known */
	const char *key_type; /* "rsa", "rsa-pss", "ec", "dsa", "dh", "ed25519", "ML-DSA-44", ...
				 OID */
	uint32_t key_bits;    /* modulus, prime, field of the curve; else 8 times the key's bytes */
	const char *curve;    /* "prime256v1" (OpenSSL's name), else OID; "explicit"; NULL: none */
	struct rd rsa_exponent; /* big-endian; p NULL: no RSA key */
	struct rd key;          /* SubjectPublicKeyInfo, whole */
	uint8_t key_sha256[32]; /* of it: the pin of RFC 7469 */

	bool has_basic_constraints, ca;
	int64_t path_length; /* -1: not there */
	bool has_key_usage;
	uint16_t key_usage;         /* bit i is x509_key_usage_name(i) */
	const char **ext_key_usage; /* "serverAuth" (OpenSSL's short name), else OID */
	uint32_t ext_key_usage_count;
	struct x509_san *sans;
	uint32_t san_count;
	struct x509_text *ocsp, *ca_issuers, *crls; /* URLs */
	uint32_t ocsp_count, ca_issuers_count, crl_count;
	const char **policies; /* OIDs in digits */
	uint32_t policy_count;
	struct rd subject_key_id, authority_key_id; /* p NULL: not there */
	uint32_t sct_count;                         /* embedded timestamps (RFC 6962) */
	bool must_staple;                           /* TLS feature status_request (RFC 7633) */
	bool precertificate;                        /* poisoned (RFC 6962 section 3.1) */
	bool self_signed; /* issuer equals subject, and so do the key ids where both are there */
	struct x509_extension *extensions;
	uint32_t extension_count;

	bool cut;       /* a list met its LIMIT_X509_ cap, or memory ran out: not all is here */
	bool malformed; /* something inside is not what its type asks for; the rest is here */
};

/*
 * Fills 'out'.  'der' and the arena must live as long as it does.  False: damaged.
 */
bool x509_parse(struct rd der, struct arena *arena, struct pool *pool, struct x509_info *out);

/* "digitalSignature" for 0 to "decipherOnly" for 8; NULL beyond. */
const char *x509_key_usage_name(unsigned bit);
