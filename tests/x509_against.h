/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_against.h - what x509_parse() says of a certificate, held against OpenSSL's d2i_X509().
 *
 * For unit tests and the fuzz target.  x509_against() gives the name of the first field that
 * differs, or NULL; also for a certificate that only one of the two takes: OpenSSL refuses odd
 * letters and reads BER that is no DER.
 */
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "proto/der.h"
#include "proto/x509.h"

static bool against_bytes(struct rd r, const void *p, int size)
{
	return r.left == (size_t)size && (size == 0 || memcmp(r.p, p, r.left) == 0);
}

static bool against_oid(struct rd r, const ASN1_OBJECT *o)
{
	return against_bytes(r, OBJ_get0_data(o), (int)OBJ_length(o));
}

static bool against_text(const struct x509_attribute *a, const ASN1_STRING *s)
{
	unsigned char *utf8 = NULL;
	int size;
	bool same = true;

	if (a->tag != DER_T61_STRING && a->tag != DER_BMP_STRING && a->tag != DER_UNIVERSAL_STRING)
		return (a->tag & DER_CONSTRUCTED) != 0 || ASN1_STRING_type(s) == V_ASN1_OTHER ||
		       a->tag == DER_BIT_STRING || a->tag == DER_NULL || a->tag == DER_BOOLEAN ||
		       a->tag == DER_INTEGER || a->tag == 10 || a->tag == DER_OID ||
		       against_bytes(a->value.text, ASN1_STRING_get0_data(s),
				       ASN1_STRING_length(s));
	size = ASN1_STRING_to_UTF8(&utf8, s);
	if (size >= 0 && a->value.utf8)
		same = against_bytes(a->value.text, utf8, size);
	OPENSSL_free(utf8);
	return same;
}

static bool against_name(const struct x509_name *n, const X509_NAME *x, bool cut)
{
	int count = X509_NAME_entry_count(x);

	if (!cut && n->count != (uint32_t)count)
		return false;
	for (uint32_t i = 0; i < n->count && (int)i < count; i++) {
		X509_NAME_ENTRY *e = X509_NAME_get_entry(x, (int)i);

		if (!against_oid(n->items[i].oid, X509_NAME_ENTRY_get_object(e)) ||
				!against_text(&n->items[i], X509_NAME_ENTRY_get_data(e)))
			return false;
	}
	return true;
}

static bool against_time(const struct x509_time *t, const ASN1_TIME *x)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(x, &tm) == 0 || tm.tm_year + 1900 < 0 || tm.tm_year + 1900 > 9999)
		return true; /* OpenSSL takes fewer */
	return t->valid && t->seconds == timegm(&tm);
}

static bool against_sans(const struct x509_info *i, GENERAL_NAMES *names)
{
	if (names == NULL || i->cut || i->malformed)
		return true; /* OpenSSL puts strings in pieces together */
	if ((int)i->san_count != sk_GENERAL_NAME_num(names))
		return false;
	for (int n = 0; n < (int)i->san_count; n++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, n);
		const struct x509_san *s = &i->sans[n];

		if (s->type != g->type)
			return false;
		if ((g->type == GEN_DNS || g->type == GEN_EMAIL || g->type == GEN_URI) &&
				!against_bytes(s->value.text, g->d.ia5->data, g->d.ia5->length))
			return false;
		if (g->type == GEN_IPADD &&
				!against_bytes(s->bytes, g->d.ip->data, g->d.ip->length))
			return false;
	}
	return true;
}

static const char *against_values(const struct x509_info *i, X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	BASIC_CONSTRAINTS *basic = X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL);
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(x, NID_key_usage, NULL, NULL);
	EXTENDED_KEY_USAGE *extended = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	const char *wrong = NULL;

	if (!against_sans(i, names))
		wrong = "sans";
	if (basic != NULL && (!i->has_basic_constraints || i->ca != (basic->ca != 0)))
		wrong = "basic constraints";
	if (extended != NULL && !i->cut &&
			(int)i->ext_key_usage_count != sk_ASN1_OBJECT_num(extended))
		wrong = "extended key usage";
	for (int bit = 0; usage != NULL && bit < X509_KEY_USAGES; bit++) {
		if (ASN1_BIT_STRING_get_bit(usage, bit) != (i->key_usage >> bit & 1))
			wrong = "key usage";
	}
	GENERAL_NAMES_free(names);
	BASIC_CONSTRAINTS_free(basic);
	ASN1_BIT_STRING_free(usage);
	EXTENDED_KEY_USAGE_free(extended);
	return wrong;
}

static const char *against_extensions(const struct x509_info *i, X509 *x)
{
	/* What is not DER all through (a SEQUENCE marked as primitive, say) OpenSSL may take for
	 * good. */
	if (i->malformed)
		return NULL;
	if (!i->cut && X509_get_ext_count(x) != (int)i->extension_count)
		return "count of extensions";
	for (int n = 0; n < (int)i->extension_count; n++) {
		X509_EXTENSION *e = X509_get_ext(x, n);

		if (!against_oid(i->extensions[n].oid, X509_EXTENSION_get_object(e)) ||
				i->extensions[n].critical != X509_EXTENSION_get_critical(e))
			return "extension";
	}
	return against_values(i, x);
}

static bool against_key(const struct x509_info *i, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	int type = key == NULL ? NID_undef : EVP_PKEY_base_id(key);

	if (type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS || type == EVP_PKEY_DSA)
		return (int)i->key_bits == EVP_PKEY_bits(key);
	/* OpenSSL counts the bits of the order, which may be one or two fewer than the field's. */
	if (type == EVP_PKEY_EC && i->curve != NULL && strcmp(i->curve, "explicit") != 0)
		return (int)i->key_bits - EVP_PKEY_bits(key) <= 2 &&
		       (int)i->key_bits >= EVP_PKEY_bits(key);
	return true;
}

static const char *against_fields(const struct x509_info *i, X509 *x)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	int nid = X509_get_signature_nid(x);

	if (!i->serial_negative && i->serial.left != 1 &&
			!against_bytes(i->serial, serial->data, serial->length))
		return "serial";
	if (i->serial_negative != (serial->type == V_ASN1_NEG_INTEGER))
		return "sign of the serial";
	if (i->version >= 1 && i->version <= 3 && X509_get_version(x) + 1 != i->version)
		return "version";
	if (!against_name(&i->subject, X509_get_subject_name(x), i->cut))
		return "subject";
	if (!against_name(&i->issuer, X509_get_issuer_name(x), i->cut))
		return "issuer";
	if (!against_time(&i->not_before, X509_get0_notBefore(x)) ||
			!against_time(&i->not_after, X509_get0_notAfter(x)))
		return "validity";
	if (nid != NID_undef && strcmp(i->signature, OBJ_nid2ln(nid)) != 0)
		return "signature";
	if (!against_key(i, x))
		return "key";
	return against_extensions(i, x);
}

static const char *x509_against(struct rd der, const struct x509_info *i)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.left);
	const char *wrong = NULL;

	if (x != NULL && !i->damaged)
		wrong = against_fields(i, x);
	X509_free(x);
	ERR_clear_error();
	return wrong;
}
