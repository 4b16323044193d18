/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * to_json.c - a record as one JSON object: prepared keys and values, one after the other.
 *
 * Every member is written with a comma behind, and the last comma becomes the bracket.  Room is
 * asked for once per object; behind each step there is always step.rest left for the others, so
 * only texts and lists ask again.  A function that meets a full buffer returns NULL.
 */
#include "base/limits.h"
#include "record/step.h"
#include "record/value.h"

enum {
	PIECE = 1024, /* bytes of a text that room is made for at once */
	CHUNK = 256,  /* items of a list */
	ITEM_ROOM = STEP_SHORT + VALUE_ROOM,
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

static char *put_text(const void *bytes, size_t size, uint32_t rest, char *to, struct buf *out)
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

static char *put_hex(const uint8_t *bytes, size_t size, uint32_t rest, char *to, struct buf *out)
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

/* Words are short and plain; there is room for STEP_SHORT bytes of them. */
static inline char *put_word(const char *word, uint32_t rest, char *to, struct buf *out)
{
	size_t i = 0;

	for (*to = '"'; i < STEP_SHORT && json_plain[(uint8_t)word[i]]; i++)
		to[1 + i] = word[i];
	if (i == STEP_SHORT || word[i] != '\0')
		return put_text(word, strlen(word), rest, to, out);
	to[1 + i] = '"';
	return to + i + 2;
}

static inline char *put_field_word(const uint8_t *at, uint32_t rest, char *to, struct buf *out)
{
	const char *word;

	memcpy(&word, at, sizeof word);
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

/* A value of one of the three types above; NULL when the buffer failed. */
static char *put_open_ended(
		unsigned type, const uint8_t *at, uint32_t rest, char *to, struct buf *out)
{
	if (type == FIELD_WORD)
		return put_field_word(at, rest, to, out);
	if (type == FIELD_TEXT)
		return put_field_text(at, rest, to, out);
	return put_field_hex(at, rest, to, out);
}

/* --- lists --------------------------------------------------------------------------------------
 */

static char *put_members(const struct object *o, const uint8_t *base, char *to, struct buf *out);

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

static inline char *put_four(const uint8_t *item, char *to)
{
	const uint64_t v0 = value_load(item, 8), v1 = value_load(item + 8, 8);
	const uint64_t v2 = value_load(item + 16, 8), v3 = value_load(item + 24, 8);

	if ((v0 | v1 | v2 | v3) < JSON_SMALL)
		return put_small(v3, put_small(v2, put_small(v1, put_small(v0, to))));
	return put_count(v3, put_count(v2, put_count(v1, put_count(v0, to))));
}

/* Eight counts that may all be 0. */
static inline bool are_zero(const uint8_t *item)
{
	uint64_t any = 0;

	for (size_t i = 0; i < 8; i++)
		any |= value_load(item + 8 * i, 8);
	return any == 0;
}

/* Counts of a distribution: most are small, and of few bytes most are 0.  Four share a branch. */
static char *put_counts(const uint8_t *item, size_t count, char *to)
{
	for (; count >= 8; count -= 8, item += 64) {
		if (are_zero(item)) {
			memcpy(to, "0,0,0,0,0,0,0,0,", 16);
			to += 16;
			continue;
		}
		to = put_four(item + 32, put_four(item, to));
	}
	for (; count > 0; count--, item += 8)
		to = put_count(value_load(item, 8), to);
	return to;
}

static char *put_scalars(
		const struct step *s, const uint8_t *item, size_t count, char *to, struct buf *out)
{
	const uint32_t rest = CHUNK * ITEM_ROOM + STEP_SLACK; /* for the items of this chunk */

	for (size_t i = 0; i < count && to != NULL; i++, item += s->item_size) {
		char *end = value_put(s->item, s->flags, item, true, to);

		to = end != NULL ? end : put_open_ended(s->item, item, rest, to, out);
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
		to = step_room(out, to, chunk * ITEM_ROOM + STEP_SLACK);
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

/* 'to' is behind the prefix. */
static char *put_list(const struct step *s, const uint8_t *at, char *to, struct buf *out)
{
	struct field_list list;

	memcpy(&list, at, sizeof list);
	if (list.count == 0 && (s->flags & FIELD_OPTIONAL))
		return to - s->prefix_size;
	return put_items(s, &list, s->rest, to, out);
}

static char *put_close(const struct step *s, char *to)
{
	if (to[-1] == '{' && (s->flags & FIELD_OPTIONAL))
		return to - s->item_size; /* as if it had not been opened */
	return put_end('}', to);
}

/* A member that is no small value; 'to' is behind the prefix. */
static char *put_other(const struct step *s, const uint8_t *at, char *to, struct buf *out)
{
	switch (s->type) {
	case FIELD_STRUCT:
		return to;
	case STEP_CLOSE:
		return put_close(s, to);
	case FIELD_LIST:
		return put_list(s, at, to, out);
	default:
		to = put_open_ended(s->type, at, s->rest, to, out);
		if (to != NULL)
			*to++ = ',';
		return to;
	}
}

/* A member of any type; 'to' is behind the prefix. */
static char *put_value(const struct step *s, const uint8_t *at, char *to, struct buf *out)
{
	char *behind = value_put(s->type, s->flags, at, true, to);

	if (behind == NULL)
		return put_other(s, at, to, out);
	*behind = ',';
	return behind + 1;
}

/* Any member, by the long way. */
static char *put_member(const struct step *s, const uint8_t *at, char *to, struct buf *out)
{
	if ((s->flags & FIELD_OPTIONAL) && value_is_null(s->type, s->flags, at))
		return to;
	return put_value(s, at, put_prefix(s, to), out);
}

static inline char *put_member_whole(const struct step *s, uint64_t v, char *to)
{
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

static inline char *put_member_ms(const struct step *s, const uint8_t *at, char *to)
{
	const int64_t ns = (int64_t)value_load(at, 8);

	to = put_prefix(s, to);
	if (ns == 0)
		return put_small(0, to);
	to = ns < 0 ? value_null(to) : json_put_ms(to, ns);
	*to = ',';
	return to + 1;
}

static inline char *put_member_f64(const struct step *s, const uint8_t *at, char *to)
{
	if (value_is_null(FIELD_F64, 0, at))
		return to;
	to = value_f64(at, put_prefix(s, to));
	*to = ',';
	return to + 1;
}

static inline char *put_member_word(
		const struct step *s, const uint8_t *at, char *to, struct buf *out)
{
	const char *word;

	memcpy(&word, at, sizeof word);
	if (word == NULL && (s->flags & FIELD_OPTIONAL))
		return to;
	to = put_prefix(s, to);
	to = word == NULL ? value_null(to) : put_word(word, s->rest, to, out);
	if (to == NULL)
		return NULL;
	*to = ',';
	return to + 1;
}

/* A member, by the short way if it has one. */
static inline char *put_step(const struct step *s, const uint8_t *at, char *to, struct buf *out)
{
	switch ((enum step_op)s->op) {
	case OP_SOME_U8:
		return *at == UINT8_MAX ? to : put_member_whole(s, *at, to);
	case OP_U8:
		return put_member_whole(s, *at, to);
	case OP_SOME_U16:
		if (value_load(at, 2) == UINT16_MAX)
			return to;
		/* fallthrough */
	case OP_U16:
		return put_member_whole(s, value_load(at, 2), to);
	case OP_SOME_U32:
		if (value_load(at, 4) == UINT32_MAX)
			return to;
		/* fallthrough */
	case OP_U32:
		return put_member_whole(s, value_load(at, 4), to);
	case OP_SOME_U64:
		if (value_load(at, 8) == UINT64_MAX)
			return to;
		/* fallthrough */
	case OP_U64:
		return put_member_whole(s, value_load(at, 8), to);
	case OP_SOME_I32:
		return put_member_signed(s, (int32_t)value_load(at, 4), to);
	case OP_SOME_I64:
		return put_member_signed(s, (int64_t)value_load(at, 8), to);
	case OP_SOME_MS:
		return (int64_t)value_load(at, 8) < 0 ? to : put_member_ms(s, at, to);
	case OP_MS:
		return put_member_ms(s, at, to);
	case OP_SOME_F64:
		return put_member_f64(s, at, to);
	case OP_WORD:
		return put_member_word(s, at, to, out);
	case OP_OTHER:
		break;
	default:
		__builtin_unreachable();
	}
	return put_member(s, at, to, out);
}

/* All members with commas behind.  Leaves STEP_SLACK bytes of room. */
static char *put_members(const struct object *o, const uint8_t *base, char *to, struct buf *out)
{
	const struct step *end = o->steps + o->count;

	to = step_room(out, to, o->room);
	for (const struct step *s = o->steps; s < end && to != NULL; s++)
		to = put_step(s, base + s->offset, to, out);
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
