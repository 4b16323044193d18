/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * to_json.c - a record as one JSON object: prepared keys and values, one after the other.
 *
 * Every member is written with a comma behind, and the last comma becomes the bracket.  Room is
 * asked for once per object; behind each step there is always step.rest left for the others, so
 * only texts and lists ask again.  A function that meets a full buffer returns NULL.
 */
#include "base/digits.h"
#include "base/json_16.h"
#include "base/limits.h"
#include "record/step.h"
#include "record/value.h"

enum {
	PIECE = 1024, /* bytes of a text that room is made for at once */
	CHUNK = 256,  /* items of a list */
};

static inline char *put_prefix(const struct step *s, char *to)
{
	const size_t size = s->prefix_size; /* read before any char is stored */

	to -= s->back;
	memcpy(to, s->prefix, STEP_PREFIX);
	return to + size;
}

/* The bracket in place of the last comma, or behind the opening bracket, and a comma. */
static inline char *put_end(char bracket, char *to)
{
	if (to[-1] == ',')
		to--;
	to[0] = bracket;
	to[1] = ',';
	return to + 2;
}

/* --- whole numbers, with a comma behind ---------------------------------------------------------
 */

static inline char *put_small(uint64_t v, char *to)
{
	memcpy(to, json_small + 8 * v, 8);
	return to + json_small[8 * v + 7];
}

static char *put_count(uint64_t v, char *to)
{
	to = json_put_u64(to, v);
	*to = ',';
	return to + 1;
}

/* Most are small. */
static inline char *put_whole(uint64_t v, char *to)
{
	return v < JSON_SMALL ? put_small(v, to) : put_count(v, to);
}

/* --- values without a limit to their size -------------------------------------------------------
 */

static char *put_long_text(const void *bytes, size_t size, uint32_t rest, char *to, struct buf *out)
{
	struct rd r = { bytes, size };

	*to++ = '"';
	do {
		const size_t piece = r.left < PIECE ? r.left : PIECE;

		to = step_room(out, to, JSON_ROOM_BYTE * (piece + 3) + rest);
		if (to == NULL)
			return NULL;
		to = json_put_text(to, &r, piece);
	} while (rd_more(&r));
	*to++ = '"';
	return to;
}

/* Where it can be seen at once that all is plain, no room is asked for. */
static inline char *put_text(
		const void *bytes, size_t size, uint32_t rest, char *to, struct buf *out)
{
	if (size - 1 < STEP_SHORT && json_may_read(bytes, STEP_SHORT) &&
			json_copy_32(to + 1, bytes) >= size) {
		to[0] = to[1 + size] = '"';
		return to + size + 2;
	}
	return put_long_text(bytes, size, rest, to, out);
}

static char *put_long_hex(
		const uint8_t *bytes, size_t size, uint32_t rest, char *to, struct buf *out)
{
	*to++ = '"';
	for (size_t piece; size > 0; bytes += piece, size -= piece) {
		piece = size < PIECE ? size : PIECE;
		to = step_room(out, to, 2 * piece + 2 + rest);
		if (to == NULL)
			return NULL;
		to = json_put_hex(to, bytes, piece);
	}
	*to++ = '"';
	return to;
}

static inline char *put_hex(
		const uint8_t *bytes, size_t size, uint32_t rest, char *to, struct buf *out)
{
	if (size - 1 < JSON_SIXTEEN && json_may_read(bytes, JSON_SIXTEEN)) {
		json_hex_16(to + 1, bytes);
		to[0] = to[1 + 2 * size] = '"';
		return to + 2 * size + 2;
	}
	return put_long_hex(bytes, size, rest, to, out);
}

/* Words are short and plain, and tell their size only by their end. */
static inline char *put_word(const char *word, uint32_t rest, char *to, struct buf *out)
{
	if (json_may_read(word, STEP_SHORT)) {
		const size_t size = json_copy_32(to + 1, word);

		if (size < STEP_SHORT && word[size] == '\0') {
			to[0] = to[1 + size] = '"';
			return to + size + 2;
		}
	}
	return put_long_text(word, strlen(word), rest, to, out);
}

static inline char *put_field_word(const uint8_t *at, uint32_t rest, char *to, struct buf *out)
{
	const char *word = value_word(at);

	return word == NULL ? value_null(to) : put_word(word, rest, to, out);
}

static inline char *put_field_text(const uint8_t *at, uint32_t rest, char *to, struct buf *out)
{
	struct field_text text;

	memcpy(&text, at, sizeof text);
	return text.p == NULL ? value_null(to) : put_text(text.p, text.size, rest, to, out);
}

static inline char *put_field_hex(const uint8_t *at, uint32_t rest, char *to, struct buf *out)
{
	struct field_hex hex;

	memcpy(&hex, at, sizeof hex);
	return hex.p == NULL ? value_null(to) : put_hex(hex.p, hex.size, rest, to, out);
}

/* --- lists --------------------------------------------------------------------------------------
 */

static char *put_structs(
		const struct step *s, const struct field_list *list, char *to, struct buf *out);

/* Four numbers of one digit. */
static inline char *put_digits(uint64_t v0, uint64_t v1, uint64_t v2, uint64_t v3, char *to)
{
	const uint64_t digits_and_commas = UINT64_C(0x2c302c302c302c30);

	digits_store(to, (v0 | v1 << 16 | v2 << 32 | v3 << 48) + digits_and_commas);
	return to + 8;
}

/* Counts of a distribution: most are small.  Four share a branch. */
static inline char *put_four(const uint8_t *item, char *to)
{
	const uint64_t v0 = value_load(item, 8), v1 = value_load(item + 8, 8);
	const uint64_t v2 = value_load(item + 16, 8), v3 = value_load(item + 24, 8);
	const uint64_t any = v0 | v1 | v2 | v3; /* no less than any of them */

	if (any < 10)
		return put_digits(v0, v1, v2, v3, to);
	if (any < JSON_SMALL)
		return put_small(v3, put_small(v2, put_small(v1, put_small(v0, to))));
	return put_count(v3, put_count(v2, put_count(v1, put_count(v0, to))));
}

static char *put_counts(const uint8_t *item, size_t count, char *to)
{
	for (; count >= 4; count -= 4, item += 32)
		to = put_four(item, to);
	for (; count > 0; count--, item += 8)
		to = put_count(value_load(item, 8), to);
	return to;
}

/* One of a list; NULL when the buffer failed. */
static inline char *put_item(
		const struct step *s, const uint8_t *item, uint32_t rest, char *to, struct buf *out)
{
	switch (s->item) {
	case FIELD_WORD:
		return put_field_word(item, rest, to, out);
	case FIELD_TEXT:
		return put_field_text(item, rest, to, out);
	case FIELD_HEX:
		return put_field_hex(item, rest, to, out);
	default:
		return value_put(s->item, s->flags, item, true, to);
	}
}

static char *put_scalars(
		const struct step *s, const uint8_t *item, size_t count, char *to, struct buf *out)
{
	const uint32_t rest = CHUNK * VALUE_ROOM + STEP_SLACK; /* for the items of this chunk */

	for (size_t i = 0; i < count && to != NULL; i++, item += s->item_size) {
		to = put_item(s, item, rest, to, out);
		if (to != NULL)
			*to++ = ',';
	}
	return to;
}

static char *put_chunks(
		const struct step *s, const struct field_list *list, char *to, struct buf *out)
{
	const bool counts = s->item == FIELD_U64 && !(s->flags & FIELD_NULLABLE);
	const uint8_t *item = list->items;

	for (size_t left = list->count, chunk; left > 0 && to != NULL;
			left -= chunk, item += chunk * s->item_size) {
		chunk = left < CHUNK ? left : CHUNK;
		to = step_room(out, to, chunk * VALUE_ROOM + STEP_SLACK);
		if (to == NULL)
			return NULL;
		to = counts ? put_counts(item, chunk, to) : put_scalars(s, item, chunk, to, out);
	}
	return to;
}

/* The items with commas behind, and the end; the bracket before them is written. */
static char *put_items(const struct step *s, const struct field_list *list, uint32_t rest, char *to,
		struct buf *out)
{
	to = s->items != NULL ? put_structs(s, list, to, out) : put_chunks(s, list, to, out);
	if (to == NULL)
		return NULL;
	return step_room(out, put_end(']', to), rest);
}

char *step_list(const struct step *s, const struct field_list *list, uint32_t rest, char *to,
		struct buf *out)
{
	to = step_room(out, to, STEP_SLACK);
	if (to == NULL)
		return NULL;
	*to++ = '[';
	to = put_items(s, list, rest, to, out);
	return to == NULL ? NULL : to - 1; /* without the comma */
}

/* --- members ------------------------------------------------------------------------------------
 */

/* Behind each of these stands a comma. */
static inline char *put_comma(char *to)
{
	*to = ',';
	return to + 1;
}

static inline bool is_empty(const struct step *s, const uint8_t *at)
{
	struct field_list list;

	memcpy(&list, at, sizeof list);
	return list.count == 0 && (s->flags & FIELD_OPTIONAL);
}

static char *put_list(const struct step *s, const uint8_t *at, char *to, struct buf *out)
{
	struct field_list list;

	memcpy(&list, at, sizeof list);
	return put_items(s, &list, s->rest, put_prefix(s, to), out);
}

static inline char *put_close(const struct step *s, char *to)
{
	if (to[-1] == '{' && (s->flags & FIELD_OPTIONAL))
		return to - s->item_size; /* as if it had not been opened */
	return put_end('}', to);
}

/* A member of a type whose size has a limit, by the long way. */
static char *put_member(const struct step *s, const uint8_t *at, char *to)
{
	if ((s->flags & FIELD_OPTIONAL) && value_is_null(s->type, s->flags, at))
		return to;
	return put_comma(value_put(s->type, s->flags, at, true, put_prefix(s, to)));
}

/* 'none' is left out where it means that there is no value. */
static inline char *put_member_whole(const struct step *s, uint64_t v, uint64_t none, char *to)
{
	if (v == none && (s->flags & FIELD_NULLABLE))
		return to;
	return put_whole(v, put_prefix(s, to));
}

static inline char *put_member_signed(const struct step *s, int64_t v, char *to)
{
	if (v == -1)
		return to;
	to = put_prefix(s, to);
	if (v >= 0)
		return put_whole((uint64_t)v, to);
	*to = '-';
	return put_whole(0 - (uint64_t)v, to + 1);
}

/* Whole numbers one behind the other, in memory too; often all are 0. */
static inline char *put_run(const struct step *s, const uint8_t *at, char *to)
{
	const struct step_run *run = s->run;
	uint64_t any = 0;

	for (size_t i = 0; i < run->count; i++)
		any |= value_load(at + 8 * i, 8);
	if (any == 0) {
		memcpy(to - s->back, run->zeros, run->zeros_size);
		return to - s->back + run->zeros_size;
	}
	for (size_t i = 0; i < run->count; i++)
		to = put_member_whole(s + i, value_load(at + 8 * i, 8), UINT64_MAX, to);
	return to;
}

static inline char *put_member_ms(const struct step *s, const uint8_t *at, char *to)
{
	const int64_t ns = (int64_t)value_load(at, 8);

	if (ns < 0 && (s->flags & FIELD_OPTIONAL))
		return to;
	to = put_prefix(s, to);
	if (ns == 0)
		return put_small(0, to);
	return put_comma(ns < 0 ? value_null(to) : json_put_ms(to, ns));
}

static inline char *put_member_f64(const struct step *s, const uint8_t *at, char *to)
{
	if (value_is_null(FIELD_F64, 0, at))
		return to;
	return put_comma(value_f64(at, put_prefix(s, to)));
}

/* A member that begins with a pointer is left out when that is NULL. */
static inline bool is_absent(const struct step *s, const uint8_t *at)
{
	return value_word(at) == NULL && (s->flags & FIELD_OPTIONAL);
}

/* What lies elsewhere: put_field_word() and the like. */
typedef char *put_bytes(const uint8_t *at, uint32_t rest, char *to, struct buf *out);

/* Inline, so that 'put' is known. */
static inline __attribute__((always_inline)) char *put_member_bytes(
		const struct step *s, const uint8_t *at, char *to, struct buf *out, put_bytes *put)
{
	if (is_absent(s, at))
		return to;
	to = put(at, s->rest, put_prefix(s, to), out);
	return to == NULL ? NULL : put_comma(to);
}

/*
 * All members with commas behind.  Leaves STEP_SLACK bytes of room; NULL when the buffer failed.
 * Inline, so that what repeats in the items of lists is not mixed up with the rest.
 */
static inline __attribute__((always_inline)) char *put_members(
		const struct object *o, const uint8_t *base, char *to, struct buf *out)
{
	to = step_room(out, to, o->room);
	for (const struct step *s = o->steps; to != NULL; s++) {
		const uint8_t *at = base + s->offset;

		switch ((enum step_op)s->op) {
		case OP_END:
			return to;
		case OP_U8:
			to = put_member_whole(s, *at, UINT8_MAX, to);
			continue;
		case OP_U16:
			to = put_member_whole(s, value_load(at, 2), UINT16_MAX, to);
			continue;
		case OP_U32:
			to = put_member_whole(s, value_load(at, 4), UINT32_MAX, to);
			continue;
		case OP_U64:
			to = put_member_whole(s, value_load(at, 8), UINT64_MAX, to);
			continue;
		case OP_RUN:
			to = put_run(s, at, to);
			s += s->run->count - 1;
			continue;
		case OP_I32:
			to = put_member_signed(s, (int32_t)value_load(at, 4), to);
			continue;
		case OP_I64:
			to = put_member_signed(s, (int64_t)value_load(at, 8), to);
			continue;
		case OP_MS:
			to = put_member_ms(s, at, to);
			continue;
		case OP_F64:
			to = put_member_f64(s, at, to);
			continue;
		case OP_TIME:
			to = put_comma(value_time(at, put_prefix(s, to)));
			continue;
		case OP_WORD:
			to = put_member_bytes(s, at, to, out, put_field_word);
			continue;
		case OP_TEXT:
			to = put_member_bytes(s, at, to, out, put_field_text);
			continue;
		case OP_HEX:
			to = put_member_bytes(s, at, to, out, put_field_hex);
			continue;
		case OP_LIST:
			to = is_empty(s, at) ? to : put_list(s, at, to, out);
			continue;
		case OP_OPEN:
			to = put_prefix(s, to);
			continue;
		case OP_CLOSE:
			to = put_close(s, to);
			continue;
		case OP_OTHER:
			to = put_member(s, at, to);
			continue;
		default:
			__builtin_unreachable();
		}
	}
	return NULL;
}

static char *put_structs(
		const struct step *s, const struct field_list *list, char *to, struct buf *out)
{
	const uint8_t *item = list->items;

	for (size_t i = 0; i < list->count; i++, item += s->item_size) {
		*to++ = '{';
		to = put_members(s->items, item, to, out);
		if (to == NULL)
			return NULL;
		to = put_end('}', to);
	}
	return to;
}

void plan_json(const struct plan *p, const void *const *data, struct buf *out)
{
	const size_t begin = out->size;
	char *to = buf_reserve(out, STEP_SLACK);

	if (to == NULL)
		return;
	*to++ = '{';
	for (size_t i = 0; i < p->count && to != NULL; i++) {
		if (data[i] != NULL)
			to = put_members(&p->tables[i], data[i], to, out);
	}
	out->size = to == NULL ? begin : (size_t)(put_end('}', to) - 1 - out->p);
}
