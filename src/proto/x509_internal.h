/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_internal.h - what the files x509*.c share: memory, objects, texts.
 */
#pragma once

#include "proto/der.h"
#include "proto/x509.h"

struct x509_memory { /* cuts small pieces from blocks of the arena */
	struct arena *arena;
	struct pool *pool;
	char *at;
	size_t left, used;
	bool cut; /* something was left out */
};

/* 'size' zeroed bytes, 8-aligned; NULL, and 'cut', beyond LIMIT_X509_BYTES or without memory. */
void *x509_take(struct x509_memory *m, size_t size);

struct x509_object {
	int nid; /* OpenSSL's number, 0 for an object unknown to it */
	const char *name, *short_name;
};

/* Names the object identifier 'whole' (tag and length too); "invalid" when it is none. */
struct x509_object x509_object(struct x509_memory *m, struct rd whole);

/* The same in digits, "1.2.840.113549". */
const char *x509_digits(struct x509_memory *m, struct rd whole);

/* A string of any type as text. */
struct x509_text x509_text(struct x509_memory *m, uint8_t tag, struct rd value);
bool x509_is_utf8(struct rd r);

/* A Name; false: not one. */
bool x509_name(struct x509_memory *m, struct rd name, struct x509_name *out);

/* "C=US,O=Example" */
struct x509_text x509_name_text(struct x509_memory *m, const struct x509_name *name);

/* A Time. */
struct x509_time x509_time(struct x509_memory *m, const struct der *d);

/* SubjectPublicKeyInfo; false: malformed. */
bool x509_key(struct x509_memory *m, struct rd key, struct x509_info *out);

/* The extensions: the content of the SEQUENCE. */
void x509_extensions(struct x509_memory *m, struct rd list, struct x509_info *out);

/* GeneralNames: the content of the SEQUENCE; false: malformed. */
bool x509_sans(struct x509_memory *m, struct rd list, struct x509_info *out);
