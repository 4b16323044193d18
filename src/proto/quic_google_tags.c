/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_google_tags.c - messages of Google's handshake: CHLO, REJ, SHLO and their like.
 *
 *   | tag 4 | count 2 | 0 2 | count * (tag 4, end 4) | values |        numbers little-endian
 *
 * 'end' is where the tag's value ends, counted from the first value; each begins where the one
 * before ends.
 */
#include "base/limits.h"
#include "proto/quic_google.h"

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

/* Where the value of a tag goes, NULL for tags that are only counted. */
static struct rd *place(struct gquic_info *i, uint32_t tag)
{
	switch (tag) {
	case TAG('S', 'N', 'I', 0):
		return &i->sni;
	case TAG('U', 'A', 'I', 'D'):
		return &i->user_agent;
	case TAG('V', 'E', 'R', 0):
		return &i->versions;
	case TAG('A', 'E', 'A', 'D'):
		return &i->aead;
	case TAG('K', 'E', 'X', 'S'):
		return &i->key_exchange;
	case TAG('P', 'U', 'B', 'S'):
		return &i->public_value;
	case TAG('P', 'D', 'M', 'D'):
		return &i->proof_demand;
	case TAG('C', 'O', 'P', 'T'):
		return &i->options;
	case TAG('S', 'C', 'I', 'D'):
		return &i->server_config_id;
	case TAG('S', 'C', 'F', 'G'):
		return &i->server_config;
	case TAG('S', 'T', 'K', 0):
		return &i->source_token;
	case TAG('N', 'O', 'N', 'C'):
	case TAG('S', 'N', 'O', 0):
		return &i->nonce;
	case TAG('P', 'R', 'O', 'F'):
		return &i->proof;
	case TAG('C', 'R', 'T', 0xff):
		return &i->certificates;
	case TAG('R', 'R', 'E', 'J'):
		return &i->reject_reasons;
	default:
		return NULL;
	}
}

void gquic_decode(const struct gquic_message *m, struct gquic_info *i)
{
	struct gquic_walk w = { .index = m->index, .values = m->values };
	struct rd value, versions;
	uint32_t tag;

	*i = (struct gquic_info){ 0 };
	while (gquic_tag_next(&w, &tag, &value)) {
		struct rd *to = place(i, tag);

		if (to != NULL)
			*to = value;
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
