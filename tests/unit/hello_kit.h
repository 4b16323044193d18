/* SPDX-License-Identifier: BSD-3-Clause */
/* hello_kit.h - makes ClientHello and ServerHello bodies from lists of hexadecimal text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/tls_hello.h"

struct hello_extension {
	uint16_t type;
	const char *hex; /* its data */
};

struct hello_bytes {
	size_t size;
	uint8_t at[4096];
	struct tls_hello hello; /* readers point into 'at' */
	struct tls_hello_info info;
};

static inline void hello_number(struct hello_bytes *b, size_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		b->at[b->size++] = (uint8_t)(v >> 8 * (size - 1 - i));
}

static inline void hello_hex(struct hello_bytes *b, const char *hex)
{
	for (; hex[0] != '\0'; hex += 2) {
		char pair[3] = { hex[0], hex[1], '\0' };

		b->at[b->size++] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

enum hello_kind { HELLO_CLIENT, HELLO_SERVER, HELLO_DTLS };

/* Makes the body and reads it; extensions end at one with hex NULL, 'extensions' NULL: no block. */
static inline void hello_make(struct hello_bytes *b, enum hello_kind kind, uint16_t version,
		const char *ciphers, const struct hello_extension *extensions)
{
	b->size = 0;
	hello_number(b, version, 2);
	memset(b->at + b->size, 'R', 32);
	b->size += 32;
	hello_number(b, 0, kind == HELLO_DTLS ? 2 : 1); /* no session id; no cookie */
	if (kind != HELLO_SERVER)
		hello_number(b, strlen(ciphers) / 2, 2);
	hello_hex(b, ciphers);
	if (kind != HELLO_SERVER)
		hello_number(b, 1, 1);
	hello_number(b, 0, 1); /* no compression */
	if (extensions != NULL) {
		size_t start = b->size;

		b->size += 2;
		for (; extensions->hex != NULL; extensions++) {
			hello_number(b, extensions->type, 2);
			hello_number(b, strlen(extensions->hex) / 2, 2);
			hello_hex(b, extensions->hex);
		}

		size_t end = b->size;

		b->size = start;
		hello_number(b, end - start - 2, 2);
		b->size = end;
	}
	assert_true(tls_hello_parse((struct rd){ b->at, b->size }, kind == HELLO_SERVER,
			kind == HELLO_DTLS, &b->hello));
	tls_hello_decode(&b->hello, &b->info);
}
