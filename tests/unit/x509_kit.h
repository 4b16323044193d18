/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_kit.h - certificates for tests, built from the inside out, with whatever is odd in them.
 *
 * A builder writes DER: open an element, put others into it, close it.  A recipe is a certificate
 * whose parts are sound until a test puts others in their place.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/der.h"
#include "proto/x509.h"

struct builder {
	uint8_t bytes[1 << 18];
	size_t size;
	size_t opened[16];
	unsigned depth;
};

static inline void raw(struct builder *b, const void *bytes, size_t size)
{
	if (size > sizeof b->bytes - b->size)
		abort();
	memcpy(b->bytes + b->size, bytes, size);
	b->size += size;
}

static inline void open_tag(struct builder *b, uint8_t tag)
{
	raw(b, &tag, 1);
	b->opened[b->depth++] = b->size;
}

/* Writes the length before what was put in since the element was opened. */
static inline void close_tag(struct builder *b)
{
	size_t start = b->opened[--b->depth], size = b->size - start;
	uint8_t head[4] = { 0x83, (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size };
	size_t skip = size < 0x80      ? 3
		      : size < 0x100   ? 2
		      : size < 0x10000 ? 1
				       : 0,
	       length = 4 - skip;

	if (skip < 3)
		head[skip] = (uint8_t)(0x83 - skip);
	raw(b, head, length);
	memmove(b->bytes + start + length, b->bytes + start, size);
	memcpy(b->bytes + start, head + skip, length);
}

static inline void put(struct builder *b, uint8_t tag, const void *bytes, size_t size)
{
	open_tag(b, tag);
	raw(b, bytes, size);
	close_tag(b);
}

/* Literals: PUT(b, DER_OID, "\x55\x04\x03") */
#define PUT(b, tag, literal) put(b, tag, literal, sizeof(literal) - 1)
#define RAW(b, literal)      raw(b, literal, sizeof(literal) - 1)
#define RD(literal)          ((struct rd)RD_(literal))
#define RD_(literal)                                                                               \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	} /* in an initialiser */

#define OID_CN           "\x55\x04\x03"
#define OID_EC_KEY       "\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_P256         "\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define OID_ECDSA_SHA256 "\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define OID_RSA          "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"

/* One attribute in a set of its own. */
static inline void attribute(struct builder *b, uint8_t tag, const void *value, size_t size)
{
	open_tag(b, DER_SET);
	open_tag(b, DER_SEQUENCE);
	PUT(b, DER_OID, OID_CN);
	put(b, tag, value, size);
	close_tag(b);
	close_tag(b);
}

struct recipe {                                   /* every part with its tag; p NULL: the usual */
	struct rd version, serial;                /* version 3, number 1 */
	struct rd algorithm, outer;               /* ecdsa-with-SHA256; outer: as the inner one */
	struct rd issuer, validity, subject, key; /* CN=issuer, 2026, CN=subject, P-256 */
	struct rd extensions;                     /* none; the list without its wrapping */
};

static inline void part(struct builder *b, struct rd given, const void *usual, size_t size)
{
	if (given.p != NULL)
		raw(b, given.p, given.left);
	else
		raw(b, usual, size);
}
#define PART(b, given, usual) part(b, given, usual, sizeof(usual) - 1)

#define USUAL_ALGORITHM       "\x30\x0a\x06\x08" OID_ECDSA_SHA256
#define USUAL_NAME(word)      "\x30\x11\x31\x0f\x30\x0d\x06\x03" OID_CN "\x0c\x06" word
#define USUAL_VALIDITY                                                                             \
	"\x30\x1e\x17\x0d"                                                                         \
	"260101000000Z\x17\x0d"                                                                    \
	"270101000000Z"

static inline void usual_key(struct builder *b)
{
	uint8_t point[66] = { 0, 4 };

	open_tag(b, DER_SEQUENCE);
	open_tag(b, DER_SEQUENCE);
	PUT(b, DER_OID, OID_EC_KEY);
	PUT(b, DER_OID, OID_P256);
	close_tag(b);
	put(b, DER_BIT_STRING, point, sizeof point);
	close_tag(b);
}

static inline struct rd cook(struct builder *b, const struct recipe *r)
{
	b->size = 0;
	open_tag(b, DER_SEQUENCE);
	open_tag(b, DER_SEQUENCE);
	PART(b, r->version, "\xa0\x03\x02\x01\x02");
	PART(b, r->serial, "\x02\x01\x01");
	PART(b, r->algorithm, USUAL_ALGORITHM);
	PART(b, r->issuer, USUAL_NAME("issuer"));
	PART(b, r->validity, USUAL_VALIDITY);
	PART(b, r->subject, USUAL_NAME("person"));
	if (r->key.p != NULL)
		raw(b, r->key.p, r->key.left);
	else
		usual_key(b);
	if (r->extensions.p != NULL) {
		open_tag(b, DER_CONTEXT | DER_CONSTRUCTED | 3);
		put(b, DER_SEQUENCE, r->extensions.p, r->extensions.left);
		close_tag(b);
	}
	close_tag(b);
	part(b, r->outer.p != NULL ? r->outer : r->algorithm, USUAL_ALGORITHM,
			sizeof USUAL_ALGORITHM - 1);
	PUT(b, DER_BIT_STRING, "\0\x30\x06\x02\x01\x01\x02\x01\x01");
	close_tag(b);
	return (struct rd){ b->bytes, b->size };
}

static inline struct rd built(const struct builder *b)
{
	return (struct rd){ b->bytes, b->size };
}
