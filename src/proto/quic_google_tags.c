/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_google_tags.c - messages of Google's handshake: CHLO, REJ, SHLO and their like.
 *
 *   | tag 4 | count 2 | 0 2 | count * (tag 4, end 4) | values |        numbers little-endian
 *
 * 'end' is where the tag's value ends, counted from the first value; each begins where the one
 * before ends.
 */
#include "proto/quic_google.h"

#include <string.h>

#include "base/limits.h"

enum { HEAD = 8, ENTRY = 8 };

#define TAG(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static uint32_t little(struct rd *r, size_t size)
{
	uint32_t v = 0;

	for (size_t i = 0; i < size; i++)
		v |= (uint32_t)rd_u8(r) << 8 * i;
	return v;
}

static bool known_message(uint32_t tag)
{
	static const uint32_t tags[] = { GQUIC_CHLO, GQUIC_REJ, GQUIC_SREJ, GQUIC_SHLO, GQUIC_SCUP,
		GQUIC_PRST, GQUIC_SCFG };

	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
		if (tags[i] == tag)
			return true;
	return false;
}

/* The end of the last value; false when ends run backwards or beyond the cap. */
static bool last_end(struct rd index, uint32_t *end)
{
	*end = 0;
	while (rd_more(&index)) {
		rd_u32(&index);

		uint32_t next = little(&index, 4);

		if (next < *end || next > LIMIT_QUIC_CRYPTO_BYTES)
			return false;
		*end = next;
	}
	return true;
}

bool gquic_message_parse(struct rd r, struct gquic_message *m)
{
	uint32_t end;

	*m = (struct gquic_message){ .tag = rd_u32(&r) };
	m->count = (uint16_t)little(&r, 2);
	rd_bytes(&r, 2);
	if (!rd_ok(&r) || !known_message(m->tag) || m->count > LIMIT_GQUIC_TAGS)
		return false;

	size_t whole = (size_t)m->count * ENTRY, there = r.left < whole ? r.left : whole;

	m->index = rd_bytes(&r, there - there % ENTRY);
	if (!last_end(m->index, &end))
		return false;
	m->complete = there == whole && r.left >= end;
	m->size = there == whole ? HEAD + (uint32_t)whole + end : 0;
	m->values = there == whole ? rd_first(r, end) : (struct rd){ r.p, 0 };
	return true;
}

bool gquic_tag_next(struct gquic_walk *w, uint32_t *tag, struct rd *value)
{
	if (!rd_more(&w->index))
		return false;
	*tag = rd_u32(&w->index);

	uint32_t end = little(&w->index, 4);

	*value = rd_bytes(&w->values, end - w->end); /* fails for good when it is not there whole */
	w->end = end;
	return rd_ok(&w->index);
}

/* Where the values of tags go; others are only counted. */
static const struct {
	uint32_t tag;
	size_t offset; /* of its struct rd */
} places[] = {
	{ TAG('S', 'N', 'I', 0), offsetof(struct gquic_info, sni) },
	{ TAG('U', 'A', 'I', 'D'), offsetof(struct gquic_info, user_agent) },
	{ TAG('V', 'E', 'R', 0), offsetof(struct gquic_info, versions) },
	{ TAG('A', 'E', 'A', 'D'), offsetof(struct gquic_info, aead) },
	{ TAG('K', 'E', 'X', 'S'), offsetof(struct gquic_info, key_exchange) },
	{ TAG('P', 'U', 'B', 'S'), offsetof(struct gquic_info, public_value) },
	{ TAG('P', 'D', 'M', 'D'), offsetof(struct gquic_info, proof_demand) },
	{ TAG('C', 'O', 'P', 'T'), offsetof(struct gquic_info, options) },
	{ TAG('S', 'C', 'I', 'D'), offsetof(struct gquic_info, server_config_id) },
	{ TAG('S', 'C', 'F', 'G'), offsetof(struct gquic_info, server_config) },
	{ TAG('S', 'T', 'K', 0), offsetof(struct gquic_info, source_token) },
	{ TAG('N', 'O', 'N', 'C'), offsetof(struct gquic_info, nonce) },
	{ TAG('S', 'N', 'O', 0), offsetof(struct gquic_info, nonce) },
	{ TAG('P', 'R', 'O', 'F'), offsetof(struct gquic_info, proof) },
	{ TAG('C', 'R', 'T', 0xff), offsetof(struct gquic_info, certificates) },
	{ TAG('R', 'R', 'E', 'J'), offsetof(struct gquic_info, reject_reasons) },
};

static void place(struct gquic_info *i, uint32_t tag, struct rd value)
{
	for (size_t n = 0; n < sizeof places / sizeof places[0]; n++)
		if (places[n].tag == tag)
			memcpy((char *)i + places[n].offset, &value, sizeof value);
}

void gquic_decode(const struct gquic_message *m, struct gquic_info *i)
{
	struct gquic_walk w = { .index = m->index, .values = m->values };
	struct rd value, versions;
	uint32_t tag;

	*i = (struct gquic_info){ 0 };
	while (gquic_tag_next(&w, &tag, &value)) {
		place(i, tag, value);
		if (tag == TAG('I', 'C', 'S', 'L') && value.left == 4) {
			i->has_idle_timeout = true;
			i->idle_timeout_s = little(&value, 4);
		}
		i->tag_count++;
	}
	versions = i->versions;
	i->version = rd_bytes(&versions, 4);
}

void gquic_tag_text(uint32_t tag, char out[9])
{
	static const char digit[] = "0123456789abcdef";
	size_t n = 0;

	for (int shift = 24; shift >= 0; shift -= 8) {
		uint8_t c = (uint8_t)(tag >> shift);

		if (c >= ' ' && c < 0x7f) {
			out[n++] = (char)c;
		} else if (c != 0 || shift > 0) {
			out[n++] = digit[c >> 4];
			out[n++] = digit[c & 15];
		}
	}
	out[n] = '\0';
}
