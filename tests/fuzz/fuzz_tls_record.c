/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_tls_record.c - any bytes as a stream: a guess holds, and bodies lie inside. */
#include <stdlib.h>

#include "proto/tls_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = { data, size };
	enum tls_guess guess = TLS_MAYBE;
	struct tls_ssl2_record old;
	struct tls_record rec;

	for (size_t n = 0; n <= size; n++) {
		enum tls_guess now = tls_guess(rd_first(r, n));

		if ((guess != TLS_MAYBE && now != guess) ||
				(n >= TLS_GUESS_BYTES && now == TLS_MAYBE))
			abort();
		guess = now;
	}
	if (guess == TLS_YES && !tls_record_head(r, &rec))
		abort();
	if (guess == TLS_SSL2 && !tls_ssl2_record_head(r, &old))
		abort();
	while (tls_record_head(r, &rec)) {
		if (rec.body.p != r.p + TLS_RECORD_HEAD || rec.body.left > rec.size)
			abort();
		rd_bytes(&r, TLS_RECORD_HEAD + (size_t)rec.size);
	}
	return 0;
}
