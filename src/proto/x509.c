/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509.c - a certificate from its outside in (RFC 5280 section 4.1).
 *
 *   Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
 *   TBSCertificate ::= SEQUENCE {
 *       [0] version INTEGER DEFAULT 0,  serialNumber INTEGER,  signature AlgorithmIdentifier,
 *       issuer Name,  validity SEQUENCE { Time, Time },  subject Name,  SubjectPublicKeyInfo,
 *       [1] issuerUniqueID OPTIONAL,  [2] subjectUniqueID OPTIONAL,  [3] Extensions OPTIONAL }
 *
 * Hashes by the old functions of libcrypto on purpose: EVP, and with it SHA256(), looks the
 * algorithm up under a lock and allocates each time.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <string.h>

#include "proto/x509_internal.h"

enum { VERSION_TAG = DER_CONTEXT | DER_CONSTRUCTED | 0, EXTENSIONS_TAG = VERSION_TAG | 3 };

/* The parts of a certificate, not yet looked into. */
struct parts {
	struct rd version, serial, algorithm, not_before, not_after;
	struct der issuer, validity, subject, key, outer_algorithm;
	struct rd extensions;
};

static void sha1(struct rd bytes, uint8_t out[SHA_DIGEST_LENGTH])
{
	SHA_CTX c;

	SHA1_Init(&c);
	SHA1_Update(&c, bytes.p, bytes.left);
	SHA1_Final(out, &c);
}

static void sha256(struct rd bytes, uint8_t out[SHA256_DIGEST_LENGTH])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, bytes.p, bytes.left);
	SHA256_Final(out, &c);
}

static bool take_sequence(struct rd *r, struct der *d)
{
	return der_next(r, d) && d->tag == DER_SEQUENCE;
}

static bool split(struct rd *der, struct parts *p)
{
	struct rd certificate = der_take(der, DER_SEQUENCE);
	struct rd r = der_take(&certificate, DER_SEQUENCE), wrapped;
	struct der d;

	if (!take_sequence(&certificate, &p->outer_algorithm))
		return false;
	der_take(&certificate, DER_BIT_STRING);
	wrapped = der_optional(&r, VERSION_TAG);
	p->version = der_take(&wrapped, DER_INTEGER);
	p->serial = der_take(&r, DER_INTEGER);
	p->algorithm = der_take(&r, DER_SEQUENCE);
	if (!take_sequence(&r, &p->issuer) || !take_sequence(&r, &p->validity) ||
			!take_sequence(&r, &p->subject) || !take_sequence(&r, &p->key))
		return false;
	while (der_next(&r, &d)) {
		if (d.tag == EXTENSIONS_TAG)
			p->extensions = d.value;
	}
	return rd_ok(&r) && rd_ok(&certificate);
}

/* The version is one less on the wire; 0 for one that no 4 bytes hold. */
static int64_t read_version(struct rd r)
{
	if (!rd_ok(&r))
		return 1; /* the default */
	return rd_more(&r) && r.left <= 4 ? (int64_t)rd_uint(&r, r.left) + 1 : 0;
}

static void read_serial(struct rd serial, struct x509_info *out)
{
	out->serial_negative = rd_more(&serial) && (serial.p[0] & 0x80) != 0;
	while (serial.left > 1 && serial.p[0] == 0)
		rd_u8(&serial);
	out->serial = serial;
}

/* The hash that RSASSA-PSS names in its parameters: SEQUENCE { [0] AlgorithmIdentifier, ... } */
static int pss_hash(struct x509_memory *m, struct rd parameters)
{
	struct rd r = der_take(&parameters, DER_SEQUENCE);
	struct rd first = der_optional(&r, DER_CONTEXT | DER_CONSTRUCTED | 0);
	struct rd algorithm = der_take(&first, DER_SEQUENCE);
	struct der oid;

	if (!rd_ok(&r))
		return NID_undef;
	return der_next(&algorithm, &oid) ? x509_object(m, oid.whole).nid : NID_sha1;
}

static bool read_signature(struct x509_memory *m, struct rd algorithm, struct x509_info *out)
{
	struct der oid;
	struct x509_object o;
	int hash = NID_undef, key;

	out->signature = "invalid";
	if (!der_next(&algorithm, &oid) || oid.tag != DER_OID)
		return false;
	o = x509_object(m, oid.whole);
	out->signature = o.name;
	if (o.nid == NID_rsassaPss)
		hash = pss_hash(m, algorithm);
	else if (o.nid != NID_undef && OBJ_find_sigid_algs(o.nid, &hash, &key) == 0)
		hash = NID_undef;
	out->signature_hash = hash == NID_undef ? NULL : OBJ_nid2sn(hash);
	return true;
}

static bool read_validity(struct x509_memory *m, struct rd r, struct x509_info *out)
{
	struct der d = { 0 };
	bool sound = der_next(&r, &d);

	out->not_before = x509_time(m, &d);
	d = (struct der){ 0 };
	sound = der_next(&r, &d) && sound;
	out->not_after = x509_time(m, &d);
	return sound && out->not_before.valid && out->not_after.valid;
}

static bool equal(struct rd a, struct rd b)
{
	return a.left == b.left && (a.left == 0 || memcmp(a.p, b.p, a.left) == 0);
}

static bool is_self_signed(const struct x509_info *i)
{
	bool ids = rd_ok(&i->subject_key_id) && rd_ok(&i->authority_key_id);

	return equal(i->subject.der, i->issuer.der) &&
	       (!ids || equal(i->subject_key_id, i->authority_key_id));
}

static void read_parts(struct x509_memory *m, struct parts *p, struct x509_info *out)
{
	bool sound = true;

	out->version = read_version(p->version);
	read_serial(p->serial, out);
	sound &= read_signature(m, p->outer_algorithm.value, out);
	sound &= equal(p->algorithm, p->outer_algorithm.value);
	sound &= x509_name(m, p->issuer.whole, &out->issuer);
	sound &= x509_name(m, p->subject.whole, &out->subject);
	sound &= read_validity(m, p->validity.value, out);
	out->key = p->key.whole;
	sha256(out->key, out->key_sha256);
	sound &= x509_key(m, p->key.whole, out);
	if (rd_ok(&p->extensions)) {
		struct rd list = der_take(&p->extensions, DER_SEQUENCE);

		sound &= rd_ok(&list);
		x509_extensions(m, list, out);
	}
	out->self_signed = is_self_signed(out);
	out->malformed |= !sound;
}

bool x509_parse(struct rd der, struct arena *arena, struct pool *pool, struct x509_info *out)
{
	struct x509_memory m = { .arena = arena, .pool = pool };
	struct parts parts = { 0 };
	struct rd r = der;

	*out = (struct x509_info){ .size = (uint32_t)der.left, .path_length = -1 };
	sha1(der, out->sha1);
	sha256(der, out->sha256);
	if (!split(&r, &parts)) {
		out->damaged = true;
		return false;
	}
	out->trailing = (uint32_t)r.left;
	read_parts(&m, &parts, out);
	out->cut = m.cut;
	return true;
}

const char *x509_key_usage_name(unsigned bit)
{
	static const char *const names[X509_KEY_USAGES] = { "digitalSignature", "nonRepudiation",
		"keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
		"encipherOnly", "decipherOnly" };

	return bit < X509_KEY_USAGES ? names[bit] : NULL;
}
