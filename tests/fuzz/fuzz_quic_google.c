/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_quic_google.c - any bytes as a message and as frames of Google's QUIC.  The first byte is
 * the version and the size of a packet's number.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/quic_google.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Values lie in a row, and together they are as long as the message says. */
static void walk_tags(const struct gquic_message *m)
{
	struct gquic_walk w = { .index = m->index, .values = m->values };
	const uint8_t *next = m->values.p;
	struct rd value;
	uint32_t tag;
	size_t count = 0;
	char text[9];

	while (gquic_tag_next(&w, &tag, &value)) {
		count++;
		gquic_tag_text(tag, text);
		if (strlen(text) > 8)
			abort();
		if (!rd_ok(&value)) {
			if (m->complete)
				abort();
			next = NULL;
			continue;
		}
		if (next == NULL || value.p != next)
			abort();
		next = value.p + value.left;
	}
	if (count > m->count || (m->complete && count != m->count))
		abort();
	if (m->complete && m->size != 8 + 8 * count + m->values.left)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t versions[] = { 0x51303234, 0x51303333, 0x51303335, 0x51303339,
		0x51303433, 0x51303436, 0x51303438, 0x51303530 };
	static const uint8_t sizes[] = { 1, 2, 4, 6 };
	struct rd whole = { data, size }, r;
	uint8_t choice = rd_u8(&whole);
	struct gquic_message m;
	struct gquic_info i;
	struct quic_frame f;

	if (!rd_ok(&whole))
		return 0;
	r = whole;
	while (gquic_frame_next(&r, versions[choice % 8], sizes[choice / 8 % 4], &f)) {
		if (rd_ok(&f.bytes) &&
				(f.bytes.p < whole.p ||
						f.bytes.p + f.bytes.left > whole.p + whole.left))
			abort();
	}
	if (gquic_message_parse(whole, &m)) {
		walk_tags(&m);
		gquic_decode(&m, &i);
		if (i.tag_count > m.count)
			abort();
	}
	return 0;
}
