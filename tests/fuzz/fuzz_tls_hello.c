/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_tls_hello.c - any bytes as a hello of some kind (the first byte says which): what is decoded
 * lies inside the message, and a cut message says nothing else than the whole one.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct rd part, struct rd whole)
{
	if (!rd_ok(&part) && part.left > 0)
		abort();
	if (rd_ok(&part) && (part.p < whole.p || part.p + part.left > whole.p + whole.left))
		abort();
}

static bool parse(struct rd r, uint8_t kind, struct tls_hello *h)
{
	if (kind % 5 == 0)
		return tls_ssl2_hello_parse(r, h);
	if (kind % 5 == 1)
		return tls_retry_parse(r, h);
	return tls_hello_parse(r, kind % 5 == 2, kind % 5 == 3, h);
}

static void walk_lists(const struct tls_hello_info *i, struct rd whole)
{
	struct rd names = i->alpn, shares = i->key_shares, psks = i->psk_identities, name;
	struct tls_key_share share;
	struct tls_psk psk;
	size_t count = 0;

	while (tls_name_next(&names, &name))
		inside(name, whole);
	while (tls_key_share_next(&shares, &share))
		inside(share.key, whole);
	for (; tls_psk_next(&psks, &psk); count++)
		inside(psk.identity, whole);
	if (count != i->psk_count || rd_ok(&i->psk_identities) != rd_ok(&psks))
		abort();
	if (rd_ok(&i->alpn) != rd_ok(&names) || i->groups.left % 2 != 0 ||
			i->versions.left % 2 != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t kind = size > 0 ? data[0] : 0;
	struct rd whole = { data + (size > 0), size - (size > 0) };
	struct tls_hello_info i, cut_info;
	struct tls_hello h, cut;
	bool sound = parse(whole, kind, &h);

	inside(h.random, whole);
	inside(h.session_id, whole);
	inside(h.ciphers, whole);
	inside(h.compressions, whole);
	inside(h.extensions, whole);
	inside(h.certificate, whole);
	tls_hello_decode(&h, &i);
	inside(i.sni, whole);
	walk_lists(&i, whole);
	if (sound && rd_ok(&h.extensions) && i.sound && i.extension_count > h.extensions.left / 4)
		abort();
	if (tls_version_compare(tls_hello_version(&h, &i), h.legacy_version) != 0 &&
			!rd_ok(&i.versions))
		abort();
	if (kind % 5 < 2)
		return 0; /* a draft's retry is told by its size */
	parse(rd_first(whole, size / 2), kind, &cut);
	tls_hello_decode(&cut, &cut_info);
	if (rd_ok(&cut_info.sni) && (cut_info.sni.p != i.sni.p || cut_info.sni.left != i.sni.left))
		abort();
	return 0;
}
