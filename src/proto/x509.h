/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509.h - what an X.509 certificate says (RFC 5280), parsed with OpenSSL.
 *
 * The certificate's bytes are hostile: whatever is odd in them is told, nothing of it is refused
 * but what is no certificate at all, which is "damaged".  Memory comes from an arena of the
 * caller's; OpenSSL's own is given back before x509_parse() returns.
 *
 * Texts are readers over bytes of the arena (or constants), not terminated, and may hold NUL.
 * 'utf8' beside one says that it is well-formed UTF-8: BMPString, UniversalString and T61String
 * (read as ISO 8859-1) are converted; bytes that do not fit their type stay as they are.
 * A text that is not there has p NULL; one that is there and empty has p set.
 */
#pragma once

#include "base/pool.h"
#include "base/rd.h"

struct x509_text {
	struct rd text;
	bool utf8;
};

struct x509_attribute {   /* of a distinguished name, in the order of the certificate */
	const char *name; /* OpenSSL's short name, "CN", "O", "emailAddress"; else "1.2.3.4" */
	struct rd oid;    /* content bytes of the type's object identifier */
	struct x509_text value;
};

struct x509_name {
	struct x509_attribute *items;
	uint32_t count; /* at most LIMIT_X509_ATTRIBUTES */
};

enum x509_san_type {    /* tags of GeneralName, RFC 5280 section 4.2.1.6 */
	X509_SAN_OTHER, /* text: "1.3.6.1.4.1.311.20.2.3:" and the value */
	X509_SAN_EMAIL,
	X509_SAN_DNS,
	X509_SAN_X400,      /* text: its bytes */
	X509_SAN_DIRECTORY, /* text: "C=US,O=Example" in the order of the certificate */
	X509_SAN_EDI,       /* text: its bytes */
	X509_SAN_URI,
	X509_SAN_IP,  /* text: "192.0.2.1", "2001:db8::1"; of other sizes: its bytes */
	X509_SAN_RID, /* text: "1.2.3.4" */
};

struct x509_san {
	uint8_t type;     /* enum x509_san_type */
	const char *kind; /* "dns", "ip", "email", "uri", "dirname", "othername", "rid", "x400",
			     "edi" */
	struct rd bytes;  /* an IP address: its 4 or 16 bytes; else p NULL */
	struct x509_text value;
};

struct x509_extension {   /* in the order of the certificate */
	const char *name; /* OpenSSL's short name, "subjectAltName"; else "1.2.3.4" */
	struct rd oid;    /* content bytes */
	bool critical;
	uint32_t size; /* bytes of its value */
};

struct x509_time {
	bool valid;      /* an existing moment; else 'text' has the bytes as they stand */
	int64_t seconds; /* since 1970; years 0 to 9999, so it may be negative and beyond 2262 */
	struct rd text;  /* "2026-01-31T12:00:00Z" */
};

/* Bits of keyUsage, bit 0 of RFC 5280 first. */
enum { X509_KEY_USAGES = 9 };

struct x509_info {
	bool damaged;                 /* no certificate: only size, sha1 and sha256 say something */
	uint32_t size, trailing;      /* bytes in all; of these behind the certificate's end */
	uint8_t sha1[20], sha256[32]; /* of all bytes */

	int32_t version; /* 1 to 3; as it stands plus one */
	bool serial_negative;
	struct rd serial; /* magnitude, big-endian, without leading zeros ("\0" for 0) */
	struct x509_name subject, issuer;
	struct x509_time not_before, not_after;

	const char *signature; /* "RSA-SHA256", "ecdsa-with-SHA256", "RSASSA-PSS", "ED25519", OID */
	const char *signature_hash; /* "SHA256" also for RSASSA-PSS; NULL: none or not known */
	const char *key_type; /* "rsa", "rsa-pss", "ec", "dsa", "dh", "ed25519", "ml-dsa-44"..., OID
			       */
	uint32_t key_bits;    /* modulus, field of the curve; 0: not known */
	const char *curve;    /* "prime256v1" (OpenSSL's name) or OID; "explicit"; NULL: no curve */
	struct rd rsa_exponent; /* big-endian; p NULL: no RSA key */
	uint8_t key_sha256[32]; /* of SubjectPublicKeyInfo (RFC 7469's pin) */

	bool has_basic_constraints, ca;
	int64_t path_length; /* -1: not there */
	bool has_key_usage;
	uint16_t key_usage;         /* bit i is x509_key_usage_name(i) */
	const char **ext_key_usage; /* "serverAuth" (OpenSSL's short name) or OID */
	uint32_t ext_key_usage_count;
	struct x509_san *sans;
	uint32_t san_count;
	struct x509_text *ocsp, *ca_issuers, *crls; /* URLs */
	uint32_t ocsp_count, ca_issuers_count, crl_count;
	const char **policies; /* OIDs */
	uint32_t policy_count;
	struct rd subject_key_id, authority_key_id; /* p NULL: not there */
	uint32_t sct_count;  /* embedded signed certificate timestamps (RFC 6962) */
	bool must_staple;    /* TLS feature status_request (RFC 7633) */
	bool precertificate; /* poisoned (RFC 6962 section 3.1) */
	bool self_signed; /* issuer equals subject, and the key ids, where both are there, are equal
			   */
	struct x509_extension *extensions;
	uint32_t extension_count;

	bool cut;       /* a list met its LIMIT_X509_ cap, or memory ran out: not all is here */
	bool malformed; /* an extension's value is not what its type asks for; the rest is here */
};

/*
 * Fills 'out'; 'arena' owns what it points to, 'der' is not needed afterwards.  False: damaged.
 */
bool x509_parse(struct rd der, struct arena *arena, struct pool *pool, struct x509_info *out);

/* "digitalSignature" for 0 to "decipherOnly" for 8; NULL beyond. */
const char *x509_key_usage_name(unsigned bit);
