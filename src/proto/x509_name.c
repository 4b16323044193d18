/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_name.c - object identifiers and distinguished names.
 *
 *   Name ::= SEQUENCE OF SET OF SEQUENCE { type OBJECT IDENTIFIER, value ANY }
 */
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#include "base/limits.h"
#include "proto/x509_internal.h"

/* Objects younger than OpenSSL 3.0: NIST's 2.16.840.1.101.3.4.3.17 to 46 (FIPS 204, 205). */
static const char *young_name(struct rd whole)
{
	static const uint8_t arc[] = { DER_OID, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03 };
	static const char *const names[] = {
		"ML-DSA-44",
		"ML-DSA-65",
		"ML-DSA-87",
		"SLH-DSA-SHA2-128s",
		"SLH-DSA-SHA2-128f",
		"SLH-DSA-SHA2-192s",
		"SLH-DSA-SHA2-192f",
		"SLH-DSA-SHA2-256s",
		"SLH-DSA-SHA2-256f",
		"SLH-DSA-SHAKE-128s",
		"SLH-DSA-SHAKE-128f",
		"SLH-DSA-SHAKE-192s",
		"SLH-DSA-SHAKE-192f",
		"SLH-DSA-SHAKE-256s",
		"SLH-DSA-SHAKE-256f",
		"HASH-ML-DSA-44-WITH-SHA512",
		"HASH-ML-DSA-65-WITH-SHA512",
		"HASH-ML-DSA-87-WITH-SHA512",
	};
	enum { FIRST = 17, COUNT = sizeof names / sizeof names[0] };

	if (whole.left != sizeof arc + 1 || memcmp(whole.p, arc, sizeof arc) != 0)
		return NULL;

	unsigned last = whole.p[sizeof arc];

	return last >= FIRST && last < FIRST + COUNT ? names[last - FIRST] : NULL;
}

/* OpenSSL's view of an object identifier, to be freed; NULL when it is none. */
static ASN1_OBJECT *object_of(struct rd whole)
{
	const unsigned char *p = whole.p;
	ASN1_OBJECT *o = rd_ok(&whole) ? d2i_ASN1_OBJECT(NULL, &p, (long)whole.left) : NULL;

	if (o == NULL)
		ERR_clear_error();
	return o;
}

static const char *digits_of(struct x509_memory *m, const ASN1_OBJECT *o)
{
	char text[256];
	int size = OBJ_obj2txt(text, sizeof text, o, 1);
	char *kept;

	if (size <= 0)
		return "invalid";
	if ((size_t)size >= sizeof text) {
		m->cut = true;
		size = sizeof text - 1;
	}
	kept = x509_take(m, (size_t)size + 1);
	return kept == NULL ? "" : memcpy(kept, text, (size_t)size);
}

const char *x509_digits(struct x509_memory *m, struct rd whole)
{
	ASN1_OBJECT *o = object_of(whole);
	const char *text = o == NULL ? "invalid" : digits_of(m, o);

	ASN1_OBJECT_free(o);
	return text;
}

struct x509_object x509_object(struct x509_memory *m, struct rd whole)
{
	struct x509_object out = { 0, "invalid", "invalid" };
	const char *young = rd_ok(&whole) ? young_name(whole) : NULL;

	if (young != NULL)
		return (struct x509_object){ 0, young, young };

	ASN1_OBJECT *o = object_of(whole);

	if (o != NULL) {
		out.nid = OBJ_obj2nid(o);
		if (out.nid == NID_undef) {
			out.name = out.short_name = digits_of(m, o);
		} else {
			out.name = OBJ_nid2ln(out.nid);
			out.short_name = OBJ_nid2sn(out.nid);
		}
	}
	ASN1_OBJECT_free(o);
	return out;
}

static bool read_attribute(struct x509_memory *m, struct rd r, struct x509_attribute *out)
{
	struct der type, value;
	struct x509_object o;

	if (!der_next(&r, &type) || type.tag != DER_OID || !der_next(&r, &value) || rd_more(&r))
		return false;
	o = x509_object(m, type.whole);
	*out = (struct x509_attribute){ o.name, o.short_name, type.value, value.tag,
		x509_text(m, value.tag, value.value) };
	return true;
}

/* How many attributes there are in all sets. */
static uint32_t count_attributes(struct rd sets)
{
	struct der set;
	uint32_t n = 0;

	while (n <= LIMIT_X509_ATTRIBUTES && der_next(&sets, &set))
		n += der_count(set.value);
	return n;
}

bool x509_name(struct x509_memory *m, struct rd name, struct x509_name *out)
{
	struct rd r = name, sets = der_take(&r, DER_SEQUENCE);
	uint32_t count = count_attributes(sets);
	struct der set, one;
	bool sound = der_fits(sets);

	*out = (struct x509_name){ .der = name };
	if (count > LIMIT_X509_ATTRIBUTES) {
		count = LIMIT_X509_ATTRIBUTES;
		m->cut = true;
	}
	out->items = x509_take(m, count * sizeof *out->items);
	if (out->items == NULL)
		return sound;
	while (out->count < count && der_next(&sets, &set)) {
		sound &= set.tag == DER_SET && der_fits(set.value);
		while (out->count < count && der_next(&set.value, &one)) {
			if (one.tag == DER_SEQUENCE &&
					read_attribute(m, one.value, &out->items[out->count]))
				out->count++;
			else
				sound = false;
		}
	}
	return sound;
}

/* Copies a value with a backslash before what RFC 4514 wants one; gives how many bytes it was. */
static size_t put_escaped(uint8_t *to, struct rd value)
{
	size_t n = 0;

	for (size_t i = 0; i < value.left; i++) {
		if (value.p[i] != '\0' && strchr(",+\"\\<>;", value.p[i]) != NULL)
			to[n++] = '\\';
		to[n++] = value.p[i];
	}
	return n;
}

struct x509_text x509_name_text(struct x509_memory *m, const struct x509_name *name)
{
	struct x509_text out = { { name->der.p, 0 }, true };
	size_t room = 0, size = 0;
	uint8_t *to;

	for (uint32_t i = 0; i < name->count; i++)
		room += strlen(name->items[i].short_name) + 2 * name->items[i].value.text.left + 2;
	to = x509_take(m, room);
	if (to == NULL)
		return out;
	for (uint32_t i = 0; i < name->count; i++) {
		const struct x509_attribute *a = &name->items[i];
		size_t word = strlen(a->short_name);

		if (i > 0)
			to[size++] = ',';
		memcpy(to + size, a->short_name, word);
		size += word;
		to[size++] = '=';
		size += put_escaped(to + size, a->value.text);
		out.utf8 &= a->value.utf8;
	}
	out.text = (struct rd){ to, size };
	return out;
}
