/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * der.h - walk DER (X.690): tag, length, value; values are readers of their own.
 *
 * Lengths may be longer than they need be (BER); indefinite ones and tags above 30 are refused, for
 * no certificate has them.
 */
#pragma once

#include "base/rd.h"

enum { /* tags; context tag n is DER_CONTEXT | n, constructed | DER_CONSTRUCTED */
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_NUMERIC_STRING = 0x12,
	DER_PRINTABLE_STRING = 0x13,
	DER_T61_STRING = 0x14,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_VISIBLE_STRING = 0x1a,
	DER_GENERAL_STRING = 0x1b,
	DER_UNIVERSAL_STRING = 0x1c,
	DER_BMP_STRING = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONSTRUCTED = 0x20,
	DER_CONTEXT = 0x80,
};

struct der {
	uint8_t tag;
	struct rd value;
	struct rd whole; /* with tag and length */
};

/* Takes the next element.  False at the end, and when it does not fit, which makes 'r' fail. */
bool der_next(struct rd *r, struct der *d);

/* Takes the next element, which must have this tag; else 'r' fails and so does what is given. */
struct rd der_take(struct rd *r, uint8_t tag);

/* Takes the next element when it has this tag; a failed reader, and 'r' as it was, when not. */
struct rd der_optional(struct rd *r, uint8_t tag);

/* How many elements there are; those behind one that does not fit do not count. */
uint32_t der_count(struct rd r);

/* Do all elements fit? */
bool der_fits(struct rd r);

/* Significant bits of a number in big-endian bytes. */
uint32_t der_bits(struct rd number);
