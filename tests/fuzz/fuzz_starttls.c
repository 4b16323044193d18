/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_starttls.c - any bytes as a session (protocol, then pieces of side and size): any cut of a
 * side gives the same answer at the same byte.
 */
#include <stdlib.h>

#include "proto/starttls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where TLS begins (or the size, or one more when never), in pieces of 'n' bytes. */
static size_t feed(struct starttls *s, bool from_server, struct rd r, size_t n)
{
	size_t passed = 0;

	while (passed < r.left) {
		struct rd piece = rd_first((struct rd){ r.p + passed, r.left - passed }, n);
		struct rd rest = piece;
		enum starttls_verdict verdict = starttls_feed(s, from_server, &rest);

		passed += piece.left - rest.left;
		if (!rd_ok(&rest) || (verdict == STARTTLS_WAIT && rd_more(&rest)))
			abort();
		if (verdict == STARTTLS_NEVER)
			return r.left + 1;
		if (verdict == STARTTLS_TLS)
			break;
	}
	return passed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;

	struct rd client = { data + 2, (size - 2) * data[1] / 255 };
	struct rd server = { client.p + client.left, size - 2 - client.left };
	uint8_t protocol = data[0] % (STARTTLS_TEXT + 1);
	struct starttls whole = { .protocol = protocol }, cut = { .protocol = protocol };
	bool maybe = false;

	for (size_t n = 0; n <= client.left; n++) {
		starttls_guess(rd_first(client, n), false, &maybe);
		starttls_guess(rd_first(client, n), true, &maybe);
		if (maybe && n >= STARTTLS_GUESS_BYTES)
			abort();
	}
	if (feed(&whole, false, client, SIZE_MAX) != feed(&cut, false, client, 1) ||
			feed(&whole, true, server, SIZE_MAX) != feed(&cut, true, server, 1))
		abort();
	return 0;
}
