/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_san.c - the names of a subjectAltName (RFC 5280 section 4.2.1.6).
 *
 *   GeneralNames ::= SEQUENCE OF GeneralName, whose context tag says what it is:
 *   0 { type OID, [0] value ANY }   1 IA5String   2 IA5String   3 x400   4 [Name]   5 edi
 *   6 IA5String   7 OCTET STRING of an address   8 content of an OID
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/limits.h"
#include "proto/x509_internal.h"

static const char *const kinds[X509_SAN_TYPES] = { "othername", "email", "dns", "x400", "dirname",
	"edi", "uri", "ip", "rid" };

/* "1.3.6.1.4.1.311.20.2.3:user@example.org" */
static bool other_name(struct x509_memory *m, struct rd r, struct x509_text *out)
{
	struct der type, value;
	struct rd wrapped;

	if (!der_next(&r, &type) || type.tag != DER_OID)
		return false;
	wrapped = der_take(&r, DER_CONTEXT | DER_CONSTRUCTED | 0);
	if (!der_next(&wrapped, &value))
		return false;

	const char *digits = x509_digits(m, type.whole);
	struct x509_text text = x509_text(m, value.tag, value.value);
	size_t word = strlen(digits);
	uint8_t *to = x509_take(m, word + 1 + text.text.left);

	if (to == NULL)
		return true;
	memcpy(to, digits, word);
	to[word] = ':';
	if (text.text.left > 0)
		memcpy(to + word + 1, text.text.p, text.text.left);
	*out = (struct x509_text){ { to, word + 1 + text.text.left }, text.utf8 };
	return true;
}

static bool address(struct x509_memory *m, struct rd bytes, struct x509_text *out)
{
	char *text;

	if (bytes.left != 4 && bytes.left != 16)
		return false;
	text = x509_take(m, INET6_ADDRSTRLEN);
	if (text == NULL)
		return true;
	inet_ntop(bytes.left == 4 ? AF_INET : AF_INET6, bytes.p, text, INET6_ADDRSTRLEN);
	*out = (struct x509_text){ { (const uint8_t *)text, strlen(text) }, true };
	return true;
}

/* The content of an object identifier gets its tag and length back. */
static bool registered_id(struct x509_memory *m, struct rd bytes, struct x509_text *out)
{
	enum { ONE_BYTE_LENGTH = 127 };
	uint8_t whole[2 + ONE_BYTE_LENGTH] = { DER_OID, (uint8_t)bytes.left };
	const char *digits;

	if (bytes.left == 0 || bytes.left > ONE_BYTE_LENGTH)
		return false;
	memcpy(whole + 2, bytes.p, bytes.left);
	digits = x509_digits(m, (struct rd){ whole, bytes.left + 2 });
	*out = (struct x509_text){ { (const uint8_t *)digits, strlen(digits) }, true };
	return true;
}

static bool directory(struct x509_memory *m, struct rd bytes, struct x509_text *out)
{
	struct x509_name name;
	bool sound = x509_name(m, bytes, &name);

	*out = x509_name_text(m, &name);
	return sound;
}

/* Fills 'out' but for a value that is not what it should be: that stays as it is. */
static bool read_san(struct x509_memory *m, const struct der *d, struct x509_san *out)
{
	enum {
		CONSTRUCTED = 1 << X509_SAN_OTHER | 1 << X509_SAN_X400 | 1 << X509_SAN_DIRECTORY |
			      1 << X509_SAN_EDI
	};
	unsigned type = d->tag & 0x1f;

	if ((d->tag & 0xc0) != DER_CONTEXT || type >= X509_SAN_TYPES)
		return false;
	*out = (struct x509_san){ (uint8_t)type, kinds[type], d->value, { d->value, false } };
	if (((d->tag & DER_CONSTRUCTED) != 0) != ((CONSTRUCTED >> type & 1) != 0))
		return false;
	switch (type) {
	case X509_SAN_OTHER:
		return other_name(m, d->value, &out->value);
	case X509_SAN_EMAIL:
	case X509_SAN_DNS:
	case X509_SAN_URI:
		out->value = x509_text(m, DER_IA5_STRING, d->value);
		return true;
	case X509_SAN_DIRECTORY:
		return directory(m, d->value, &out->value);
	case X509_SAN_IP:
		return address(m, d->value, &out->value);
	case X509_SAN_RID:
		return registered_id(m, d->value, &out->value);
	default:
		return true;
	}
}

bool x509_sans(struct x509_memory *m, struct rd list, struct x509_info *out)
{
	uint32_t count = der_count(list);
	struct der d;
	bool sound = der_fits(list);

	if (count > LIMIT_X509_NAMES) {
		count = LIMIT_X509_NAMES;
		m->cut = true;
	}
	out->sans = x509_take(m, count * sizeof *out->sans);
	if (out->sans == NULL)
		return true;
	while (out->san_count < count && der_next(&list, &d)) {
		struct x509_san *san = &out->sans[out->san_count];

		sound &= read_san(m, &d, san);
		out->san_count += san->kind != NULL;
	}
	return sound;
}
