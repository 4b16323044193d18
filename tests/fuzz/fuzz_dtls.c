/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_dtls.c - any bytes as a datagram: records and fragments lie inside; fragments are put
 * together as marks for each byte say.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/dtls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE = 256, ROOM = 200 };

/* Each pair of bytes is a fragment: where it begins, how long it is. */
static void assemble(const uint8_t *data, size_t size)
{
	static const uint8_t zeros[SIZE];
	struct dtls_fragment f = { .type = 1, .size = SIZE };
	uint8_t room[ROOM], marks[SIZE + 1] = { 0 };
	struct dtls_assembler a;

	memset(room, 1, sizeof room);
	dtls_assembler_begin(&a, &f, room, ROOM);
	for (size_t i = 0; i + 1 < size; i += 2) {
		uint16_t refused = a.refused;

		f.offset = data[i];
		f.fragment_size = data[i + 1] % (SIZE - f.offset);
		f.body = (struct rd){ zeros, f.fragment_size };

		bool whole = dtls_assembler_add(&a, &f);

		if (a.refused == refused)
			memset(marks + f.offset, 1, f.fragment_size);
		if (whole != (memchr(marks, 0, SIZE) == NULL))
			abort();
	}

	size_t begun = (size_t)((uint8_t *)memchr(marks, 0, SIZE + 1) - marks);

	if (dtls_assembler_body(&a).left != (begun < ROOM ? begun : ROOM))
		abort();
	for (size_t i = 0; i < ROOM; i++) {
		if (room[i] == marks[i])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = { data + (size > 0), size - (size > 0) };
	size_t cid_size = size > 0 ? data[0] % 8 : 0;
	const uint8_t *end = data + size;
	struct dtls_verify_request v;
	struct dtls_fragment f;
	struct dtls_record rec;

	if (dtls_guess(r) &&
			(!dtls_record_next(&(struct rd){ r.p, r.left }, 0, &rec) || rec.unified))
		abort();
	while (dtls_record_next(&r, cid_size, &rec)) {
		struct rd body = rec.body;

		if (rec.body.left > rec.size || rec.body.p + rec.body.left > end)
			abort();
		dtls_verify_request_parse(rec.body, &v);
		while (dtls_fragment_next(&body, &f)) {
			if (f.body.left > f.fragment_size || f.offset + f.fragment_size > f.size ||
					f.body.p + f.body.left > end)
				abort();
		}
	}
	assemble(data, size);
	return 0;
}
