/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_extensions.c - the extensions of a certificate (RFC 5280 section 4.2).
 *
 *   Extensions ::= SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE,
 *                                         OCTET STRING of the value, whose type the object tells }
 */
#include <openssl/objects.h>
#include <string.h>

#include "base/limits.h"
#include "proto/x509_internal.h"

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
static bool basic_constraints(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	struct rd r = der_take(&value, DER_SEQUENCE);
	struct rd ca = der_optional(&r, DER_BOOLEAN), path = der_optional(&r, DER_INTEGER);

	(void)m;
	out->has_basic_constraints = rd_ok(&r);
	out->ca = rd_u8(&ca) != 0;
	if (rd_more(&path) && path.left <= 4 && path.p[0] < 0x80)
		out->path_length = (int64_t)rd_uint(&path, path.left);
	return rd_ok(&r);
}

/* KeyUsage ::= BIT STRING */
static bool key_usage(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	struct rd r = der_take(&value, DER_BIT_STRING);
	uint8_t unused = rd_u8(&r); /* bits of the last byte */
	size_t bits = r.left * 8 - (r.left > 0 && unused < 8 ? unused : 0);

	(void)m;
	out->has_key_usage = rd_ok(&r);
	for (unsigned bit = 0; bit < X509_KEY_USAGES && bit < bits; bit++) {
		if ((r.p[bit / 8] & 0x80 >> bit % 8) != 0)
			out->key_usage |= (uint16_t)(1 << bit);
	}
	return rd_ok(&r) && unused < 8;
}

/* Room for as many items as 'list' has elements, at most LIMIT_X509_ITEMS; NULL without. */
static void *take_items(struct x509_memory *m, struct rd list, size_t size, uint32_t *count)
{
	*count = der_count(list);
	if (*count > LIMIT_X509_ITEMS) {
		*count = LIMIT_X509_ITEMS;
		m->cut = true;
	}
	return x509_take(m, *count * size);
}

/* ExtKeyUsageSyntax ::= SEQUENCE OF OBJECT IDENTIFIER */
static bool ext_key_usage(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	struct rd r = der_take(&value, DER_SEQUENCE);
	bool sound = der_fits(r);
	struct der d;
	uint32_t room;

	out->ext_key_usage = take_items(m, r, sizeof *out->ext_key_usage, &room);
	if (out->ext_key_usage == NULL)
		return sound;
	while (out->ext_key_usage_count < room && der_next(&r, &d))
		out->ext_key_usage[out->ext_key_usage_count++] = x509_object(m, d.whole).short_name;
	return sound;
}

/* CertificatePolicies ::= SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER, ... } */
static bool policies(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	struct rd r = der_take(&value, DER_SEQUENCE);
	bool sound = der_fits(r);
	struct der d, oid;
	uint32_t room;

	out->policies = take_items(m, r, sizeof *out->policies, &room);
	if (out->policies == NULL)
		return sound;
	while (out->policy_count < room && der_next(&r, &d)) {
		if (!der_next(&d.value, &oid))
			return false;
		out->policies[out->policy_count++] = x509_digits(m, oid.whole);
	}
	return sound;
}

static bool subject_alt_name(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	struct rd r = der_take(&value, DER_SEQUENCE);

	return x509_sans(m, r, out) && rd_ok(&r);
}

/* AuthorityInfoAccess ::= SEQUENCE OF SEQUENCE { method OBJECT IDENTIFIER, GeneralName } */
static bool authority_access(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	struct rd r = der_take(&value, DER_SEQUENCE);
	bool sound = der_fits(r);
	struct der d, method, name;
	uint32_t room;

	out->ocsp = take_items(m, r, sizeof *out->ocsp, &room);
	out->ca_issuers = take_items(m, r, sizeof *out->ca_issuers, &room);
	if (out->ocsp == NULL || out->ca_issuers == NULL)
		return sound;
	for (uint32_t i = 0; i < room && der_next(&r, &d); i++) {
		if (!der_next(&d.value, &method) || !der_next(&d.value, &name))
			return false;
		if (name.tag != (DER_CONTEXT | X509_SAN_URI))
			continue;

		int nid = x509_object(m, method.whole).nid;
		struct x509_text url = x509_text(m, DER_IA5_STRING, name.value);

		if (nid == NID_ad_OCSP)
			out->ocsp[out->ocsp_count++] = url;
		else if (nid == NID_ad_ca_issuers)
			out->ca_issuers[out->ca_issuers_count++] = url;
	}
	return sound;
}

/*
 * CRLDistributionPoints ::= SEQUENCE OF SEQUENCE {
 *     [0] { [0] fullName GeneralNames } OPTIONAL, ... }
 */
static bool crl_points(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	enum { FIRST = DER_CONTEXT | DER_CONSTRUCTED };
	struct rd r = der_take(&value, DER_SEQUENCE), points = r;
	struct der d, name;
	uint32_t names = 0;

	while (der_next(&points, &d)) {
		struct rd point = der_optional(&d.value, FIRST);

		names += der_count(der_optional(&point, FIRST));
	}
	if (names > LIMIT_X509_ITEMS) {
		names = LIMIT_X509_ITEMS;
		m->cut = true;
	}
	out->crls = x509_take(m, names * sizeof *out->crls);
	if (out->crls == NULL)
		return rd_ok(&r);
	while (der_next(&r, &d)) {
		struct rd point = der_optional(&d.value, FIRST), full = der_optional(&point, FIRST);

		while (out->crl_count < names && der_next(&full, &name)) {
			if (name.tag == (DER_CONTEXT | X509_SAN_URI))
				out->crls[out->crl_count++] =
						x509_text(m, DER_IA5_STRING, name.value);
		}
	}
	return rd_ok(&r);
}

static bool subject_key(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	(void)m;
	out->subject_key_id = der_take(&value, DER_OCTET_STRING);
	return rd_ok(&value);
}

/* AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OPTIONAL, ... } */
static bool authority_key(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	struct rd r = der_take(&value, DER_SEQUENCE);

	(void)m;
	out->authority_key_id = der_optional(&r, DER_CONTEXT | 0);
	return rd_ok(&r);
}

/* An OCTET STRING of a list with two bytes of length, of timestamps with two each. */
static bool timestamps(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	struct rd r = der_take(&value, DER_OCTET_STRING), list = rd_block(&r, 2);

	(void)m;
	while (rd_more(&list)) {
		rd_block(&list, 2);
		out->sct_count += rd_ok(&list);
	}
	return rd_ok(&list) && rd_ok(&r);
}

/* Features ::= SEQUENCE OF INTEGER: numbers of extensions of TLS */
static bool features(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	enum { STATUS_REQUEST = 5 };
	struct rd r = der_take(&value, DER_SEQUENCE);
	struct der d;

	(void)m;
	while (der_next(&r, &d)) {
		if (d.value.left == 1 && d.value.p[0] == STATUS_REQUEST)
			out->must_staple = true;
	}
	return rd_ok(&r);
}

static bool poison(struct x509_memory *m, struct rd value, struct x509_info *out)
{
	(void)m;
	(void)value;
	out->precertificate = true;
	return true;
}

static const struct {
	int nid;
	bool (*read)(struct x509_memory *m, struct rd value, struct x509_info *out);
} readers[] = {
	{ NID_basic_constraints, basic_constraints },
	{ NID_key_usage, key_usage },
	{ NID_ext_key_usage, ext_key_usage },
	{ NID_subject_alt_name, subject_alt_name },
	{ NID_certificate_policies, policies },
	{ NID_info_access, authority_access },
	{ NID_crl_distribution_points, crl_points },
	{ NID_subject_key_identifier, subject_key },
	{ NID_authority_key_identifier, authority_key },
	{ NID_ct_precert_scts, timestamps },
	{ NID_tlsfeature, features },
	{ NID_ct_precert_poison, poison },
};
enum { READERS = sizeof readers / sizeof readers[0] };

/* Reads an extension's value the first time that it is there; a second one is malformed. */
static bool read_value(struct x509_memory *m, int nid, struct rd value, unsigned *seen,
		struct x509_info *out)
{
	for (unsigned i = 0; i < READERS; i++) {
		if (readers[i].nid != nid)
			continue;
		if ((*seen & 1u << i) != 0)
			return false;
		*seen |= 1u << i;
		return readers[i].read(m, value, out);
	}
	return true;
}

static bool read_extension(
		struct x509_memory *m, struct rd r, unsigned *seen, struct x509_info *out)
{
	struct x509_extension *e = &out->extensions[out->extension_count];
	struct x509_object o;
	struct rd critical;
	struct der oid;

	if (!der_next(&r, &oid) || oid.tag != DER_OID)
		return false;
	o = x509_object(m, oid.whole);
	critical = der_optional(&r, DER_BOOLEAN);
	*e = (struct x509_extension){ o.short_name, oid.value, rd_u8(&critical) != 0,
		der_take(&r, DER_OCTET_STRING) };
	out->extension_count++;
	return rd_ok(&e->value) && read_value(m, o.nid, e->value, seen, out);
}

void x509_extensions(struct x509_memory *m, struct rd list, struct x509_info *out)
{
	uint32_t room = der_count(list);
	unsigned seen = 0;
	struct der d;

	if (room > LIMIT_X509_EXTENSIONS) {
		room = LIMIT_X509_EXTENSIONS;
		m->cut = true;
	}
	out->malformed |= !der_fits(list);
	out->extensions = x509_take(m, room * sizeof *out->extensions);
	if (out->extensions == NULL)
		return;
	while (out->extension_count < room && der_next(&list, &d)) {
		if (d.tag != DER_SEQUENCE || !read_extension(m, d.value, &seen, out))
			out->malformed = true;
	}
}
