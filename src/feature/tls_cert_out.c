/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_cert_out.c - certificates of the store into the "tls" object, and what their fields mean.
 *
 * What the store has parsed is pointed to; only lists are made anew.
 */
#include "feature/tls_out.h"

static struct field_hex hex(struct rd r)
{
	return (struct field_hex){ r.p, r.left };
}

static struct field_text text(struct rd r)
{
	return (struct field_text){ (const char *)r.p, r.left };
}

static struct field_list name_list(const struct tls_report *r, const struct x509_name *name)
{
	struct out_attribute *items = tls_scratch(r, name->count, sizeof *items);
	size_t n = 0;

	while (items != NULL && n < name->count) {
		items[n] = (struct out_attribute){ name->items[n].name,
			text(name->items[n].value.text), hex(name->items[n].oid) };
		n++;
	}
	return (struct field_list){ items, n };
}

static struct field_list san_list(const struct tls_report *r, const struct x509_info *i)
{
	struct out_san *items = tls_scratch(r, i->san_count, sizeof *items);
	size_t n = 0;

	while (items != NULL && n < i->san_count) {
		items[n] = (struct out_san){ i->sans[n].kind, text(i->sans[n].value.text) };
		n++;
	}
	return (struct field_list){ items, n };
}

static struct field_list usage_list(const struct tls_report *r, const struct x509_info *i)
{
	const char **items = tls_scratch(r, X509_KEY_USAGES, sizeof *items);
	size_t n = 0;

	for (unsigned bit = 0; items != NULL && bit < X509_KEY_USAGES; bit++)
		if (i->key_usage >> bit & 1)
			items[n++] = x509_key_usage_name(bit);
	return (struct field_list){ items, n };
}

static struct field_list text_list(
		const struct tls_report *r, const struct x509_text *texts, size_t count)
{
	struct field_text *items = tls_scratch(r, count, sizeof *items);
	size_t n = 0;

	while (items != NULL && n < count) {
		items[n] = text(texts[n].text);
		n++;
	}
	return (struct field_list){ items, n };
}

static struct field_list extension_list(const struct tls_report *r, const struct x509_info *i)
{
	struct out_cert_extension *items = tls_scratch(r, i->extension_count, sizeof *items);
	size_t n = 0;

	while (items != NULL && n < i->extension_count) {
		const struct x509_extension *e = &i->extensions[n];

		items[n++] = (struct out_cert_extension){ e->name, hex(e->oid), e->critical };
	}
	return (struct field_list){ items, n };
}

static void report_key(const struct x509_info *i, struct out_certificate *o)
{
	o->key_type = i->key_type;
	o->key_length = i->key_bits > 0 ? (int32_t)i->key_bits : -1;
	o->curve = i->curve;
	o->signature_algorithm = i->signature;
	o->key_sha256 = (struct field_hex){ i->key_sha256, sizeof i->key_sha256 };
}

static void report_extensions(
		const struct tls_report *r, const struct x509_info *i, struct out_certificate *o)
{
	o->sans = san_list(r, i);
	o->key_usage = usage_list(r, i);
	o->ext_key_usage = (struct field_list){ i->ext_key_usage, i->ext_key_usage_count };
	o->extensions = extension_list(r, i);
	o->ocsp = text_list(r, i->ocsp, i->ocsp_count);
	if (i->has_basic_constraints)
		o->ca = i->ca ? "yes" : "no";
	o->path_length = i->path_length;
	o->sct_count = (int32_t)i->sct_count;
}

static void report_info(
		const struct tls_report *r, const struct x509_info *i, struct out_certificate *o)
{
	o->damaged = i->damaged;
	o->sha1 = (struct field_hex){ i->sha1, sizeof i->sha1 };
	o->sha256 = (struct field_hex){ i->sha256, sizeof i->sha256 };
	if (i->damaged)
		return;
	o->version = i->version > 0 && i->version <= INT32_MAX ? (int32_t)i->version : -1;
	o->serial = hex(i->serial);
	o->subject = name_list(r, &i->subject);
	o->issuer = name_list(r, &i->issuer);
	o->not_before = text(i->not_before.text);
	o->not_after = text(i->not_after.text);
	o->not_before_s = i->not_before.valid ? i->not_before.seconds : -1;
	o->not_after_s = i->not_after.valid ? i->not_after.seconds : -1;
	report_key(i, o);
	report_extensions(r, i, o);
	o->self_signed = i->self_signed;
	o->malformed = i->malformed;
}

static struct field_list chain(const struct tls_report *r, unsigned dir)
{
	const struct hs *hs = r->hs;
	struct hs_worker *w = r->env->worker;
	struct out_certificate *items = tls_scratch(r, hs->side[dir].certificates, sizeof *items);
	size_t n = 0;

	for (const struct hs_certificate *c = hs->first_certificate; items != NULL && c != NULL;
			c = c->next) {
		if (c->dir != dir)
			continue;
		items[n] = (struct out_certificate){ .length = c->size,
			.version = -1,
			.not_before_s = -1,
			.not_after_s = -1,
			.key_length = -1,
			.path_length = -1,
			.sct_count = -1 };
		if (c->cert != NULL)
			report_info(r, certs_info(w->certs, c->cert), &items[n]);
		n++;
	}
	return (struct field_list){ items, n };
}

void tls_report_certificates(struct tls_report *r)
{
	r->out->c_cert = chain(r, r->told->client);
	r->out->s_cert = chain(r, !r->told->client);
}

/* --- words -------------------------------------------------------------------------------------
 */

#define NULLABLE        (FIELD_NULLABLE | FIELD_OPTIONAL)
#define DAMAGED         "left out when the certificate is damaged"
#define DAMAGED_OR_ANON DAMAGED ", and with anon_names=1"

static const struct field attribute_fields[] = {
	FIELD(struct out_attribute, name, "name", "",
			"Name of the attribute (\"commonName\", \"organizationName\"), or its "
			"object identifier with dots."),
	FIELD(struct out_attribute, value, "value", "",
			"Its value as UTF-8; bytes that are no text stay as they are.",
			.flags = FIELD_PERSONAL | FIELD_IS_ADDRESS | FIELD_NAMES_OWNER),
	FIELD(struct out_attribute, oid, "oid", "",
			"Content bytes of its object identifier (DER): 550403 for commonName."),
	{ 0 },
};

static const struct field extension_fields[] = {
	FIELD(struct out_cert_extension, name, "name", "",
			"Short name (\"subjectAltName\"), or the object identifier with dots."),
	FIELD(struct out_cert_extension, oid, "oid", "",
			"Content bytes of its object identifier (DER)."),
	FIELD(struct out_cert_extension, critical, "critical", "", "Marked as critical."),
	{ 0 },
};

static const struct field san_fields[] = {
	FIELD(struct out_san, type, "type", "",
			"dns, ip, email, uri, dirname, othername, rid, x400 or edi."),
	FIELD(struct out_san, value, "value", "",
			"The name; an address as text, a directory name as \"C=US,O=Example\".",
			.flags = FIELD_PERSONAL | FIELD_IS_ADDRESS | FIELD_IS_NAME),
	{ 0 },
};

const struct field tls_certificate_fields[] = {
	FIELD(struct out_certificate, length, "length", "bytes", "Size of the certificate (DER)."),
	FIELD(struct out_certificate, sha1, "sha1", "", "SHA-1 of all its bytes.",
			.flags = FIELD_OPTIONAL | FIELD_NAMES_OWNER,
			.null_rule = "left out of one that is larger than is kept, and with "
				     "anon_names=1"),
	FIELD(struct out_certificate, sha256, "sha256", "", "SHA-256 of all its bytes.",
			.flags = FIELD_OPTIONAL | FIELD_NAMES_OWNER,
			.null_rule = "left out of one that is larger than is kept, and with "
				     "anon_names=1"),
	FIELD(struct out_certificate, damaged, "damaged", "",
			"It does not read as an X.509 certificate: only its length and hashes are "
			"given."),
	FIELD(struct out_certificate, version, "version", "", "X.509 version: 1 to 3.",
			.flags = NULLABLE, .null_rule = DAMAGED, .source = "RFC 5280 section 4.1"),
	FIELD(struct out_certificate, serial, "serial", "",
			"Magnitude of the serial number, without leading zeros.",
			.flags = FIELD_OPTIONAL | FIELD_NAMES_OWNER, .null_rule = DAMAGED_OR_ANON,
			.source = "RFC 5280 section 4.1.2.2"),
	FIELD_LIST_OF(struct out_certificate, subject, "subject", struct out_attribute,
			attribute_fields, "Attributes of the subject, in order.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when empty"),
	FIELD_LIST_OF(struct out_certificate, issuer, "issuer", struct out_attribute,
			attribute_fields, "Attributes of the issuer, in order.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when empty"),
	FIELD(struct out_certificate, not_before, "not_before", "",
			"Beginning of validity (RFC 3339); of a moment that does not exist its "
			"bytes.",
			.flags = FIELD_OPTIONAL, .null_rule = DAMAGED),
	FIELD(struct out_certificate, not_after, "not_after", "", "End of validity likewise.",
			.flags = FIELD_OPTIONAL, .null_rule = DAMAGED),
	FIELD(struct out_certificate, not_before_s, "not_before_s", "s",
			"not_before in seconds since 1970.", .flags = NULLABLE,
			.null_rule = "left out when it is no moment"),
	FIELD(struct out_certificate, not_after_s, "not_after_s", "s",
			"not_after in seconds since 1970.", .flags = NULLABLE,
			.null_rule = "left out when it is no moment"),
	FIELD(struct out_certificate, key_type, "key_type", "",
			"Algorithm of the public key: rsa, ec, ed25519, dsa, ... or an object "
			"identifier.",
			.flags = FIELD_OPTIONAL, .null_rule = DAMAGED),
	FIELD(struct out_certificate, key_length, "key_length", "bits",
			"Size of the key: of the modulus or of the curve's field.",
			.flags = NULLABLE, .null_rule = "left out when it is not known"),
	FIELD(struct out_certificate, curve, "curve", "", "Curve of an elliptic key.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out of other keys"),
	FIELD(struct out_certificate, signature_algorithm, "signature_algorithm", "",
			"How the issuer signed it: RSA-SHA256, ecdsa-with-SHA256, ... or an object "
			"identifier.",
			.flags = FIELD_OPTIONAL, .null_rule = DAMAGED),
	FIELD(struct out_certificate, key_sha256, "key_sha256", "",
			"SHA-256 of SubjectPublicKeyInfo.",
			.flags = FIELD_OPTIONAL | FIELD_NAMES_OWNER, .null_rule = DAMAGED_OR_ANON,
			.source = "RFC 7469"),
	FIELD_LIST_OF(struct out_certificate, sans, "sans", struct out_san, san_fields,
			"Subject alternative names.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out without any", .source = "RFC 5280 section 4.2.1.6"),
	FIELD_SCALARS(struct out_certificate, key_usage, "key_usage", const char *, "",
			"What the key is for: digitalSignature, keyCertSign, ...",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without the extension",
			.source = "RFC 5280 section 4.2.1.3"),
	FIELD_SCALARS(struct out_certificate, ext_key_usage, "ext_key_usage", const char *, "",
			"Extended key usage: serverAuth, clientAuth, ...", .flags = FIELD_OPTIONAL,
			.null_rule = "left out without the extension",
			.source = "RFC 5280 section 4.2.1.12"),
	FIELD(struct out_certificate, ca, "ca", "",
			"Basic constraints: yes, it may sign certificates; no.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without the extension",
			.source = "RFC 5280 section 4.2.1.9"),
	FIELD(struct out_certificate, path_length, "path_length", "",
			"Basic constraints: most certificates between it and the last one.",
			.flags = NULLABLE, .null_rule = "left out when it sets none"),
	FIELD_SCALARS(struct out_certificate, ocsp, "ocsp", struct field_text, "",
			"Addresses of OCSP responders.",
			.flags = FIELD_OPTIONAL | FIELD_IS_ADDRESS | FIELD_NAMES_OWNER,
			.null_rule = "left out without any", .source = "RFC 5280 section 4.2.2.1"),
	FIELD(struct out_certificate, sct_count, "sct_count", "",
			"Signed certificate timestamps in it.", .flags = NULLABLE,
			.null_rule = DAMAGED, .source = "RFC 6962"),
	FIELD_LIST_OF(struct out_certificate, extensions, "extensions", struct out_cert_extension,
			extension_fields, "All extensions, in order.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out without any", .source = "RFC 5280 section 4.2"),
	FIELD(struct out_certificate, self_signed, "self_signed", "",
			"Issuer and subject are the same, and so are the key identifiers where "
			"both are there; false when it is damaged."),
	FIELD(struct out_certificate, malformed, "malformed", "",
			"An extension's value is not what its type asks for."),
	{ 0 },
};
