/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_hello.c - the fixed part of hellos, and versions; extensions are decoded in tls_extension.c.
 *
 *   ClientHello:  | version 2 | random 32 | session id <1> | [ cookie <1>, DTLS ] | ciphers <2> |
 *                 | compressions <1> | [ extensions <2> ] |
 *   ServerHello:  | version 2 | random 32 | session id <1> | cipher 2 | compression 1 |
 *                 | [ extensions <2> ] |
 *   ServerHello, drafts of TLS 1.3 up to 21:  | version 2 | random 32 | cipher 2 | extensions <2> |
 *   HelloRetryRequest of those:  | version 2 | [ cipher 2, from draft 19 on ] | extensions <2> |
 *   SSLv2 ClientHello:  | 1 | version 2 | sizes of the three, 2 each | ciphers | session id |
 *                 | challenge |
 *   SSLv2 ServerHello:  | 4 | session id hit 1 | certificate type 1 | version 2 |
 *                 | sizes of the three, 2 each | certificate | ciphers | connection id |
 *
 * <n> is a block that begins with its size in n bytes.
 */
#include <string.h>

#include "proto/tls_hello.h"

enum { RANDOM = 32, DRAFT = 0x7f00, DRAFT_FACEBOOK = 0xfb00, LAST_SHORT_DRAFT = DRAFT | 21 };

/* SHA-256 of "HelloRetryRequest", RFC 8446 section 4.1.3 */
static const uint8_t retry_random[RANDOM] = {
	0xcf,
	0x21,
	0xad,
	0x74,
	0xe5,
	0x9a,
	0x61,
	0x11,
	0xbe,
	0x1d,
	0x8c,
	0x02,
	0x1e,
	0x65,
	0xb8,
	0x91,
	0xc2,
	0xa2,
	0x11,
	0x16,
	0x7a,
	0xbb,
	0x8c,
	0x5e,
	0x07,
	0x9e,
	0x09,
	0xe2,
	0xc8,
	0xa8,
	0x33,
	0x9c,
};

/* Extensions end a hello and may be missing; of cut ones those bytes are given that are there. */
static struct rd extensions(struct rd *r)
{
	if (!rd_more(r))
		return (struct rd){ NULL, 0 };

	size_t size = rd_u16(r);
	struct rd part = rd_first(*r, size);

	rd_bytes(r, size);
	return part;
}

static bool whole(const struct rd *r)
{
	return rd_ok(r) && !rd_more(r);
}

static bool client_hello(struct rd r, bool dtls, struct tls_hello *h)
{
	h->session_id = rd_block(&r, 1);
	if (dtls)
		h->cookie = rd_block(&r, 1);
	h->ciphers = rd_block(&r, 2);
	h->compressions = rd_block(&r, 1);
	h->extensions = extensions(&r);
	return whole(&r) && h->ciphers.left % 2 == 0;
}

static bool server_hello(struct rd r, struct tls_hello *h)
{
	bool short_form = h->legacy_version > DRAFT && h->legacy_version <= LAST_SHORT_DRAFT;

	h->retry = rd_ok(&h->random) && memcmp(h->random.p, retry_random, RANDOM) == 0;
	if (!short_form)
		h->session_id = rd_block(&r, 1);
	h->ciphers = rd_bytes(&r, 2);
	if (!short_form)
		h->compressions = rd_bytes(&r, 1);
	h->extensions = extensions(&r);
	return whole(&r);
}

bool tls_hello_parse(struct rd body, bool server, bool dtls, struct tls_hello *h)
{
	*h = (struct tls_hello){ .server = server, .legacy_version = rd_u16(&body) };
	h->random = rd_bytes(&body, RANDOM);
	return server ? server_hello(body, h) : client_hello(body, dtls, h);
}

bool tls_retry_parse(struct rd body, struct tls_hello *h)
{
	struct rd look = body;

	*h = (struct tls_hello){ .server = true, .retry = true, .legacy_version = rd_u16(&body) };
	rd_bytes(&look, 4);
	if (rd_u16(&look) == look.left && rd_ok(&look))
		h->ciphers = rd_bytes(&body, 2);
	h->extensions = extensions(&body);
	return whole(&body) && rd_ok(&h->extensions);
}

static bool ssl2_client_hello(struct rd r, struct tls_hello *h)
{
	h->legacy_version = rd_u16(&r);

	uint16_t ciphers = rd_u16(&r), id = rd_u16(&r), challenge = rd_u16(&r);

	h->ciphers = rd_bytes(&r, ciphers);
	h->session_id = rd_bytes(&r, id);
	h->random = rd_bytes(&r, challenge);
	return whole(&r) && ciphers % 3 == 0;
}

static bool ssl2_server_hello(struct rd r, struct tls_hello *h)
{
	rd_bytes(&r, 2); /* session id hit, certificate type */
	h->server = true;
	h->legacy_version = rd_u16(&r);

	uint16_t certificate = rd_u16(&r), ciphers = rd_u16(&r), id = rd_u16(&r);

	h->certificate = rd_bytes(&r, certificate);
	h->ciphers = rd_bytes(&r, ciphers);
	h->random = rd_bytes(&r, id);
	return whole(&r) && ciphers % 3 == 0;
}

bool tls_ssl2_hello_parse(struct rd record, struct tls_hello *h)
{
	enum { CLIENT_HELLO = 1, SERVER_HELLO = 4 };
	struct tls_ssl2_record rec;

	*h = (struct tls_hello){ .ssl2 = true };
	if (!tls_ssl2_record_head(record, &rec) || rec.body.left < 1)
		return false;

	struct rd body = rd_first(rec.body, (size_t)rec.size - rec.padding);
	uint8_t type = rd_u8(&body);

	if (type == CLIENT_HELLO)
		return ssl2_client_hello(body, h);
	return type == SERVER_HELLO && ssl2_server_hello(body, h);
}

/* The draft of TLS 1.3 that a version number stands for; 0 when it is none. */
static unsigned draft(uint16_t version)
{
	unsigned high = version & 0xff00u;

	return high == DRAFT || high == DRAFT_FACEBOOK ? version & 0xffu : 0;
}

bool tls_version_is_13(uint16_t version)
{
	return version == TLS_VERSION_1_3 || version == TLS_VERSION_DTLS_1_3 || draft(version) > 0;
}

/* Ages in one row, 256 between versions of TLS; DTLS 1.0 is made of TLS 1.1 and as old. */
static int age(uint16_t version)
{
	enum { STEP = 0x100 };

	if (version == TLS_VERSION_SSL2)
		return 1;
	if (version == TLS_VERSION_TLCP)
		return 2;
	if (version >= 0x0300 && version <= 0x03ff)
		return (version - 0x02ff) * STEP;
	if (draft(version) > 0)
		return age(TLS_VERSION_1_2) + (int)draft(version);
	if (version == TLS_VERSION_DTLS_OLD)
		return age(TLS_VERSION_1_1) - 1;
	if (version == TLS_VERSION_DTLS_1_0)
		return age(TLS_VERSION_1_1);
	if (version >> 8 == 0xfe) /* 0xfefd: 1.2, 0xfefc: 1.3 */
		return age((uint16_t)(0x0400 - (version & 0xff)));
	return 0;
}

int tls_version_compare(uint16_t a, uint16_t b)
{
	return age(a) - age(b);
}

uint16_t tls_hello_version(const struct tls_hello *h, const struct tls_hello_info *i)
{
	struct rd list = i->versions;
	uint16_t best = h->legacy_version, v;
	bool any = false;

	while (tls_u16_next(&list, &v)) {
		if (tls_is_grease(v))
			continue;
		if (!any || tls_version_compare(v, best) > 0)
			best = v;
		any = true;
	}
	return best;
}
