/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * to_json.c - a record as one JSON object: prepared keys and values, one after the other.
 *
 * Every member is written with a comma behind, and the last comma becomes the bracket.  Room is
 * asked for once per object; behind each step there is always step.rest left for the others, so
 * only texts and lists ask again.  A function that meets a full buffer returns NULL.
 *
 * Each step knows the function that writes it, which ends by calling that of the next one: the
 * compiler makes a jump of it, and each kind of step has a jump of its own to be foretold.
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

static char *put_count(uint64_t v, char *to)
{
	to = json_put_u64(to, v);
	*to = ',';
	return to + 1;
}

/* Most are small. */
static inline char *put_whole(uint64_t v, char *to)
{
	return v < JSON_SMALL ? json_put_small(to, v) : put_count(v, to);
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

/* Where a word ends that is short and plain, as nearly all are, and has been written; else NULL. */
static inline char *put_short_word(const char *word, char *to)
{
	if (json_may_read(word, STEP_SHORT)) {
		const size_t size = json_copy_32(to + 1, word);

		if (size < STEP_SHORT && word[size] == '\0') {
			to[0] = to[1 + size] = '"';
			return to + size + 2;
		}
	}
	return NULL;
}

static char *put_long_word(const char *word, uint32_t rest, char *to, struct buf *out)
{
	return put_long_text(word, strlen(word), rest, to, out);
}

static char *put_field_word(const uint8_t *at, uint32_t rest, char *to, struct buf *out)
{
	const char *word = value_word(at);
	char *behind;

	if (word == NULL)
		return value_null(to);
	behind = put_short_word(word, to);
	return behind != NULL ? behind : put_long_word(word, rest, to, out);
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
		return json_put_small(
				json_put_small(json_put_small(json_put_small(to, v0), v1), v2), v3);
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

static inline char *go_on(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return s[1].put(s + 1, base, to, out);
}

/* The comma behind the value, and the next step; 'to' is NULL when the buffer failed. */
static inline char *go_on_behind(
		const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return to == NULL ? NULL : go_on(s, base, put_comma(to), out);
}

static char *put_members(const struct object *o, const uint8_t *base, char *to, struct buf *out)
{
	to = step_room(out, to, o->room);
	return to == NULL ? NULL : o->steps->put(o->steps, base, to, out);
}

static char *member_end(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	(void)s;
	(void)base;
	(void)out;
	return to;
}

/* A member of a type whose size has a limit, by the long way. */
static char *member_other(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	const uint8_t *at = base + s->offset;

	if ((s->flags & FIELD_OPTIONAL) && value_is_null(s->type, s->flags, at))
		return go_on(s, base, to, out);
	to = value_put(s->type, s->flags, at, true, put_prefix(s, to));
	return go_on_behind(s, base, to, out);
}

/* --- whole numbers as members -------------------------------------------------------------------
 */

/* Numbers that are not small, apart, so that the others need no registers to be saved. */
static __attribute__((noinline)) char *member_count(
		const struct step *s, const uint8_t *base, char *to, struct buf *out, uint64_t v)
{
	return go_on(s, base, put_count(v, put_prefix(s, to)), out);
}

static inline char *member_whole(
		const struct step *s, const uint8_t *base, char *to, struct buf *out, uint64_t v)
{
	if (v >= JSON_SMALL)
		return member_count(s, base, to, out, v);
	return go_on(s, base, json_put_small(put_prefix(s, to), v), out);
}

/* Left out when all of its bits, which 'all' has, are set. */
static inline char *member_some(const struct step *s, const uint8_t *base, char *to,
		struct buf *out, uint64_t v, uint64_t all)
{
	return v == all ? go_on(s, base, to, out) : member_whole(s, base, to, out, v);
}

static char *member_u8(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_whole(s, base, to, out, base[s->offset]);
}

static char *member_u16(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_whole(s, base, to, out, value_load(base + s->offset, 2));
}

static char *member_u32(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_whole(s, base, to, out, value_load(base + s->offset, 4));
}

static char *member_u64(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_whole(s, base, to, out, value_load(base + s->offset, 8));
}

static char *member_some_u8(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_some(s, base, to, out, base[s->offset], UINT8_MAX);
}

static char *member_some_u16(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_some(s, base, to, out, value_load(base + s->offset, 2), UINT16_MAX);
}

static char *member_some_u32(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_some(s, base, to, out, value_load(base + s->offset, 4), UINT32_MAX);
}

static char *member_some_u64(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_some(s, base, to, out, value_load(base + s->offset, 8), UINT64_MAX);
}

static __attribute__((noinline)) char *member_negative(
		const struct step *s, const uint8_t *base, char *to, struct buf *out, uint64_t v)
{
	to = put_prefix(s, to);
	*to = '-';
	return go_on(s, base, put_count(0 - v, to + 1), out);
}

/* -1 is none. */
static inline char *member_signed(
		const struct step *s, const uint8_t *base, char *to, struct buf *out, int64_t v)
{
	if (v < -1)
		return member_negative(s, base, to, out, (uint64_t)v);
	return member_some(s, base, to, out, (uint64_t)v, UINT64_MAX);
}

static char *member_i32(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_signed(s, base, to, out, (int32_t)value_load(base + s->offset, 4));
}

static char *member_i64(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return member_signed(s, base, to, out, (int64_t)value_load(base + s->offset, 8));
}

static inline char *put_run_member(const struct step *s, uint64_t v, char *to)
{
	if (v == UINT64_MAX && (s->flags & FIELD_NULLABLE))
		return to;
	return put_whole(v, put_prefix(s, to));
}

/* Whole numbers one behind the other, in memory too; often all are 0, and mostly small. */
static char *member_run(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	const struct step_run *run = s->run;
	const uint8_t *at = base + s->offset;
	uint64_t any = 0; /* no less than any of them */

	for (size_t i = 0; i < run->count; i++)
		any |= value_load(at + 8 * i, 8);
	if (any == 0) {
		memcpy(to, run->zeros, run->zeros_size);
		to += run->zeros_size;
	} else if (any < JSON_SMALL) {
		for (size_t i = 0; i < run->count; i++)
			to = json_put_small(put_prefix(s + i, to), value_load(at + 8 * i, 8));
	} else {
		for (size_t i = 0; i < run->count; i++)
			to = put_run_member(s + i, value_load(at + 8 * i, 8), to);
	}
	return go_on(s + run->count - 1, base, to, out);
}

/* --- other numbers as members -------------------------------------------------------------------
 */

static char *member_ms(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	const int64_t ns = (int64_t)value_load(base + s->offset, 8);

	if (ns < 0 && (s->flags & FIELD_OPTIONAL))
		return go_on(s, base, to, out);
	to = put_prefix(s, to);
	to = ns < 0 ? value_null(to) : json_put_ms(to, ns);
	return go_on(s, base, put_comma(to), out);
}

static __attribute__((noinline)) char *member_finite(
		const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	to = put_comma(value_f64(base + s->offset, put_prefix(s, to)));
	return go_on(s, base, to, out);
}

static char *member_f64(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	if (value_is_null(FIELD_F64, 0, base + s->offset))
		return go_on(s, base, to, out);
	return member_finite(s, base, to, out);
}

static char *member_time(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	to = put_comma(value_time(base + s->offset, put_prefix(s, to)));
	return go_on(s, base, to, out);
}

/* --- what lies elsewhere ------------------------------------------------------------------------
 */

/* A member that begins with a pointer is left out when that is NULL. */
static inline bool is_absent(const struct step *s, const uint8_t *at)
{
	return value_word(at) == NULL && (s->flags & FIELD_OPTIONAL);
}

/* Null that is written, or longer than most. */
static __attribute__((noinline)) char *member_long_word(
		const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	to = put_field_word(base + s->offset, s->rest, put_prefix(s, to), out);
	return go_on_behind(s, base, to, out);
}

static char *member_word(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	const uint8_t *at = base + s->offset;
	const char *word = value_word(at);
	char *behind;

	if (is_absent(s, at))
		return go_on(s, base, to, out);
	behind = word == NULL ? NULL : put_short_word(word, put_prefix(s, to));
	if (behind == NULL)
		return member_long_word(s, base, to, out);
	return go_on(s, base, put_comma(behind), out);
}

static __attribute__((noinline)) char *member_some_text(
		const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	to = put_field_text(base + s->offset, s->rest, put_prefix(s, to), out);
	return go_on_behind(s, base, to, out);
}

static char *member_text(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	if (is_absent(s, base + s->offset))
		return go_on(s, base, to, out);
	return member_some_text(s, base, to, out);
}

static __attribute__((noinline)) char *member_some_hex(
		const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	to = put_field_hex(base + s->offset, s->rest, put_prefix(s, to), out);
	return go_on_behind(s, base, to, out);
}

static char *member_hex(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	if (is_absent(s, base + s->offset))
		return go_on(s, base, to, out);
	return member_some_hex(s, base, to, out);
}

static __attribute__((noinline)) char *member_items(
		const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	struct field_list list;

	memcpy(&list, base + s->offset, sizeof list);
	to = put_items(s, &list, s->rest, put_prefix(s, to), out);
	return to == NULL ? NULL : go_on(s, base, to, out);
}

static char *member_list(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	const uint8_t *count = base + s->offset + offsetof(struct field_list, count);

	if (value_load(count, sizeof(size_t)) == 0 && (s->flags & FIELD_OPTIONAL))
		return go_on(s, base, to, out);
	return member_items(s, base, to, out);
}

static char *member_open(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return go_on(s, base, put_prefix(s, to), out);
}

static char *member_close(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	if (to[-1] == '{' && (s->flags & FIELD_OPTIONAL))
		to -= s->item_size; /* as if it had not been opened */
	else
		to = put_end('}', to);
	return go_on(s, base, to, out);
}

/* --- objects ------------------------------------------------------------------------------------
 */

static step_put *const members[] = {
	[OP_END] = member_end,
	[OP_OTHER] = member_other,
	[OP_U8] = member_u8,
	[OP_U16] = member_u16,
	[OP_U32] = member_u32,
	[OP_U64] = member_u64,
	[OP_RUN] = member_run,
	[OP_SOME_U8] = member_some_u8,
	[OP_SOME_U16] = member_some_u16,
	[OP_SOME_U32] = member_some_u32,
	[OP_SOME_U64] = member_some_u64,
	[OP_I32] = member_i32,
	[OP_I64] = member_i64,
	[OP_MS] = member_ms,
	[OP_F64] = member_f64,
	[OP_TIME] = member_time,
	[OP_WORD] = member_word,
	[OP_TEXT] = member_text,
	[OP_HEX] = member_hex,
	[OP_LIST] = member_list,
	[OP_OPEN] = member_open,
	[OP_CLOSE] = member_close,
};

/* The prefix begins before the end of what is written. */
static char *member_before(const struct step *s, const uint8_t *base, char *to, struct buf *out)
{
	return members[s->op](s, base, to - s->back, out);
}

void step_bind(struct object *o)
{
	for (struct step *s = o->steps; s <= o->steps + o->count; s++)
		s->put = s->back > 0 ? member_before : members[s->op];
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
