/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_fingerprint.c - any bytes as a hello: text is well formed, and what is sorted is the same
 * for the extensions turned around.  The first byte says whose hello it is.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/fingerprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf text, turned;
static struct fingerprint_work *work, *turned_work;

/* Every bracket closes the one that was opened last. */
static void balanced(const struct buf *b)
{
	int depth = 0;

	if (!buf_ok(b))
		abort();
	for (size_t i = 0; i < b->size; i++) {
		depth += b->p[i] == '(' || b->p[i] == '[';
		depth -= b->p[i] == ')' || b->p[i] == ']';
		if (depth < 0)
			abort();
	}
	if (depth != 0)
		abort();
}

/* The extensions that are there whole, last one first. */
static struct rd turn_around(struct rd extensions, uint8_t *to)
{
	struct rd r = extensions;
	struct tls_extension e;
	size_t at = extensions.left, before = extensions.left;

	while (tls_extension_next(&r, &e)) {
		size_t size = before - r.left;

		at -= size;
		memcpy(to + at, e.data.p - 4, size);
		before = r.left;
	}
	return (struct rd){ to + at, extensions.left - at };
}

static void sorted_forms(bool dtls)
{
	for (enum npf_format f = NPF_PLAIN; f <= NPF_SELECTED; f++) {
		buf_clear(&text);
		buf_clear(&turned);
		npf_quic(work, 1, f, &text);
		npf_quic(turned_work, 1, f, &turned);
		balanced(&text);
		if (text.size != turned.size || memcmp(text.p, turned.p, text.size) != 0)
			abort();
		buf_clear(&text);
		npf_tls(work, dtls, f, &text);
		balanced(&text);
	}
}

static void fixed_forms(const struct tls_hello *h)
{
	struct tls_hello_info i;
	char md5[JA3_SIZE], four[JA4_SIZE];

	tls_hello_decode(h, &i);
	ja3(work, &text, md5);
	if (strlen(md5) != 32)
		abort();
	ja4(work, &i, JA4_QUIC, &text, four);
	if (strlen(four) != 36 && memchr(four + 8, '\0', 2) == NULL)
		abort();
	buf_clear(&text);
	ja4_r(work, &i, JA4_TLS, &text);
	if (!buf_ok(&text) || text.size < 12 || memcmp(text.p + 1, four + 1, 9) != 0)
		abort();
	buf_clear(&text);
	ja4_ro(work, &i, JA4_DTLS, &text);
	buf_clear(&text);
	npf_server(work, false, &text);
	balanced(&text);
	buf_clear(&turned);
	npf_hash(&text, &turned);
	if (turned.size != strlen("tls_server/") + 32)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[1 << 16];
	struct rd r = { data, size };
	uint8_t kind = rd_u8(&r);
	struct tls_hello h, back;
	struct npf_syn syn = { .ip_version = 4, .options = r };

	if (!rd_ok(&r) || r.left > sizeof memory)
		return 0;
	if (text.cap == 0) {
		text = fingerprint_buf();
		turned = fingerprint_buf();
		work = fingerprint_work_new();
		turned_work = fingerprint_work_new();
	}
	tls_hello_parse(r, kind & 1, kind & 2, &h);
	back = h;
	back.extensions = turn_around(h.extensions, memory);
	fingerprint_read(work, &h);
	fingerprint_read(turned_work, &back);
	fixed_forms(&h);
	sorted_forms(h.cookie.left > 0);
	buf_clear(&text);
	npf_tcp(&syn, &text);
	balanced(&text);
	return 0;
}
