/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * to_arrow.c - structs into columns: prepared moves, one for each field, of one struct or of all
 * items of a list at once.
 *
 * A null is not moved: cells begin as null.  A struct in place that may be null is looked at when
 * its members have been moved: it is there if one of them is.
 */
#include "base/json.h"
#include "base/limits.h"
#include "record/columns_internal.h"
#include "record/value.h"

#include <stdlib.h>

enum move_op {
	MOVE_8, /* always there */
	MOVE_16,
	MOVE_32,
	MOVE_64,
	MOVE_BOOL,
	MOVE_TIME,
	MOVE_MS,
	MOVE_S,
	MOVE_SOME_8, /* null when all bits are set */
	MOVE_SOME_16,
	MOVE_SOME_32,
	MOVE_SOME_64,
	MOVE_SOME_F64,
	MOVE_SOME_MS,
	MOVE_SOME_S,
	MOVE_WORD,   /* dictionary */
	MOVE_STRING, /* a word that is none of a dictionary */
	MOVE_TEXT,
	MOVE_HEX,
	MOVE_ADDRESS, /* as text */
	MOVE_16_BYTES,
	MOVE_LIST,
	MOVE_CLOSE, /* a struct in place, behind its members */
};

struct move {
	uint8_t op;
	bool null;     /* its column has bits */
	bool optional; /* a list: null when empty */
	bool mark;     /* and the value is never null all the same */
	uint32_t column;
	uint32_t offset;
	uint32_t item_size;        /* of a list */
	uint32_t seen;             /* of a dictionary: first of its words seen */
	const struct moves *items; /* of a list */
};

struct moves {
	size_t count;
	struct move list[];
};

static void move_list(struct batch *b, const struct move *m, const uint8_t *from, uint32_t row);

/* --- numbers ------------------------------------------------------------------------------------
 */

static inline void mark_valid(struct cells *at, uint32_t row)
{
	at->valid[row >> 3] |= (uint8_t)(1u << (row & 7));
}

/* 'size' is a constant wherever this is called. */
static inline void move_whole(struct cells *at, size_t size, const uint8_t *from, size_t stride,
		uint32_t count, uint32_t row)
{
	uint8_t *to = at->values + size * row;

	for (uint32_t i = 0; i < count; i++, from += stride, to += size)
		memcpy(to, from, size);
}

static inline void move_some(struct cells *at, size_t size, const uint8_t *from, size_t stride,
		uint32_t count, uint32_t row)
{
	uint8_t *to = at->values + size * row;

	for (uint32_t i = 0; i < count; i++, from += stride, to += size) {
		if (value_load(from, size) == UINT64_MAX >> (64 - 8 * size))
			continue;
		memcpy(to, from, size);
		mark_valid(at, row + i);
	}
}

static inline void move_some_f64(
		struct cells *at, const uint8_t *from, size_t stride, uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++, from += stride) {
		if (value_is_null(FIELD_F64, 0, from))
			continue;
		memcpy(at->values + 8 * ((size_t)row + i), from, 8);
		mark_valid(at, row + i);
	}
}

/* The double nearest to ns / 10^digits, for numbers that are no doubles themselves.  The quotient
 * has at least two bits more than a double, and the last says whether there is a rest. */
static double divide_exactly(int64_t ns, unsigned digits)
{
	const unsigned odd = digits == 6 ? 15625 : 1953125; /* 5^digits */
	const unsigned __int128 n = (unsigned __int128)ns << 32;
	const unsigned __int128 quotient = n / odd | (n % odd != 0);
	double v = (double)quotient / 4294967296.0;

	return v / (digits == 6 ? 64.0 : 512.0); /* 2^digits: exact */
}

static inline double duration(int64_t ns, unsigned digits)
{
	if (ns < 0)
		return 0;
	if (ns >= (int64_t)1 << 53)
		return divide_exactly(ns, digits);
	return (double)ns / (digits == 6 ? 1e6 : 1e9);
}

static inline void move_duration(struct cells *at, unsigned digits, const uint8_t *from,
		size_t stride, uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++, from += stride) {
		const double v = duration((int64_t)value_load(from, 8), digits);

		memcpy(at->values + 8 * ((size_t)row + i), &v, 8);
	}
}

static inline void move_some_duration(struct cells *at, unsigned digits, const uint8_t *from,
		size_t stride, uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++, from += stride) {
		if ((int64_t)value_load(from, 8) < 0)
			continue;
		move_duration(at, digits, from, stride, 1, row + i);
		mark_valid(at, row + i);
	}
}

static inline void move_bool(
		struct cells *at, const uint8_t *from, size_t stride, uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++, from += stride)
		at->values[(row + i) >> 3] |= (uint8_t)((*from != 0) << ((row + i) & 7));
}

/* As JSON says them: microseconds where the source had no more. */
static inline void move_time(
		struct cells *at, const uint8_t *from, size_t stride, uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++, from += stride) {
		struct field_time t;
		int64_t rest;

		memcpy(&t, from, sizeof t);
		rest = t.nanoseconds ? 0 : t.ns % 1000;
		t.ns -= rest < 0 ? rest + 1000 : rest;
		memcpy(at->values + 8 * ((size_t)row + i), &t.ns, 8);
	}
}

/* False: it is none of these. */
static inline bool move_number(struct cells *at, const struct move *m, const uint8_t *from,
		size_t stride, uint32_t count, uint32_t row)
{
	switch ((enum move_op)m->op) {
	case MOVE_8:
		return move_whole(at, 1, from, stride, count, row), true;
	case MOVE_16:
		return move_whole(at, 2, from, stride, count, row), true;
	case MOVE_32:
		return move_whole(at, 4, from, stride, count, row), true;
	case MOVE_64:
		return move_whole(at, 8, from, stride, count, row), true;
	case MOVE_SOME_8:
		return move_some(at, 1, from, stride, count, row), true;
	case MOVE_SOME_16:
		return move_some(at, 2, from, stride, count, row), true;
	case MOVE_SOME_32:
		return move_some(at, 4, from, stride, count, row), true;
	case MOVE_SOME_64:
		return move_some(at, 8, from, stride, count, row), true;
	case MOVE_SOME_F64:
		return move_some_f64(at, from, stride, count, row), true;
	case MOVE_MS:
		return move_duration(at, 6, from, stride, count, row), true;
	case MOVE_S:
		return move_duration(at, 9, from, stride, count, row), true;
	case MOVE_SOME_MS:
		return move_some_duration(at, 6, from, stride, count, row), true;
	case MOVE_SOME_S:
		return move_some_duration(at, 9, from, stride, count, row), true;
	case MOVE_BOOL:
		return move_bool(at, from, stride, count, row), true;
	case MOVE_TIME:
		return move_time(at, from, stride, count, row), true;
	default:
		return false;
	}
}

/* --- words --------------------------------------------------------------------------------------
 */

static inline struct word_seen *seen_at(struct batch *b, const struct move *m, const char *word)
{
	const uintptr_t p = (uintptr_t)word;

	return &b->seen[m->seen + ((p ^ p >> 5 ^ p >> 10) & (WORDS_SEEN - 1))];
}

/* Words may lie in memory that is used again, so where one lies says nothing alone. */
static inline bool is_seen(const struct word_seen *s, const char *word)
{
	if (s->p != word)
		return false;
	for (size_t i = 0; i < WORD_SEEN_BYTES; i++) {
		if (s->text[i] != word[i])
			return false;
		if (word[i] == '\0')
			return true;
	}
	return false;
}

static void look_up(struct batch *b, const struct move *m, const char *word, uint32_t row)
{
	const struct column *c = &b->head.columns->column[m->column];
	struct word_seen *s = seen_at(b, m, word);
	const size_t size = strlen(word);
	uint32_t index;

	batch_put_text(b, c, row, word, size);
	if (b->head.failed || size >= WORD_SEEN_BYTES)
		return;
	memcpy(&index, b->head.cells[m->column].values + 4 * (size_t)row, sizeof index);
	s->p = word;
	s->index = index;
	memcpy(s->text, word, size + 1);
}

static inline void move_word(
		struct batch *b, const struct move *m, const uint8_t *from, uint32_t row)
{
	struct cells *at = &b->head.cells[m->column];
	const struct word_seen *s;
	const char *word;

	memcpy(&word, from, sizeof word);
	if (word == NULL && m->null)
		return;
	if (word == NULL)
		word = "";
	s = seen_at(b, m, word);
	if (!is_seen(s, word)) {
		look_up(b, m, word, row);
		return;
	}
	memcpy(at->values + 4 * (size_t)row, &s->index, sizeof s->index);
	cells_valid(at, row);
}

/* --- texts --------------------------------------------------------------------------------------
 */

/* Where so many bytes of a row may be written. */
static inline char *text_begin(
		struct batch *b, const struct move *m, struct cells *at, uint32_t row, size_t size)
{
	if (at->room - at->size < size &&
			!batch_text_room(b, &b->head.columns->column[m->column], at, size)) {
		b->head.failed = true;
		return NULL;
	}
	if (at->filled < row)
		batch_fill(at, row);
	return at->bytes + at->size;
}

static inline void text_end(struct batch *b, struct cells *at, uint32_t row, const char *end)
{
	const size_t size = (size_t)(end - at->bytes);

	b->head.bytes += size - at->size;
	at->size = size;
	((uint32_t *)(void *)at->values)[row + 1] = (uint32_t)size;
	at->filled = row + 1;
	cells_valid(at, row);
}

static void move_text(
		struct batch *b, const struct move *m, const char *p, size_t size, uint32_t row)
{
	struct cells *at = &b->head.cells[m->column];
	char *to;

	if (p == NULL)
		return;
	to = text_begin(b, m, at, row, 2 * size + 8);
	if (to != NULL)
		text_end(b, at, row, utf8_put(to, p, size));
}

static void move_hex(struct batch *b, const struct move *m, const uint8_t *from, uint32_t row)
{
	struct cells *at = &b->head.cells[m->column];
	struct field_hex hex;
	char *to;

	memcpy(&hex, from, sizeof hex);
	if (hex.p == NULL)
		return;
	to = text_begin(b, m, at, row, hex.size + 1);
	if (to == NULL)
		return;
	memcpy(to, hex.p, hex.size);
	text_end(b, at, row, to + hex.size);
}

static void move_address(struct batch *b, const struct move *m, const uint8_t *from, uint32_t row)
{
	struct cells *at = &b->head.cells[m->column];
	char *to;

	if (value_is_null(FIELD_ADDRESS, 0, from))
		return;
	to = text_begin(b, m, at, row, JSON_ROOM_ADDRESS);
	if (to != NULL)
		text_end(b, at, row, value_address(from, false, to));
}

/* A value of a type that takes its time. */
static void move_slow(struct batch *b, const struct move *m, const uint8_t *from, uint32_t row)
{
	struct field_text text;
	struct field_address address;
	const char *word;

	switch ((enum move_op)m->op) {
	case MOVE_TEXT:
		memcpy(&text, from, sizeof text);
		move_text(b, m, text.p, text.size, row);
		break;
	case MOVE_STRING:
		memcpy(&word, from, sizeof word);
		move_text(b, m, word, word == NULL ? 0 : strlen(word), row);
		break;
	case MOVE_HEX:
		move_hex(b, m, from, row);
		break;
	case MOVE_ADDRESS:
		move_address(b, m, from, row);
		break;
	case MOVE_16_BYTES:
		memcpy(&address, from, sizeof address);
		if (!value_is_null(FIELD_ADDRESS, 0, from))
			batch_put_address(b, &b->head.columns->column[m->column], row, &address);
		break;
	default:
		move_list(b, m, from, row);
	}
}

/* --- structs and lists --------------------------------------------------------------------------
 */

/* A struct is there when one of its members is. */
static void move_close(struct batch *b, const struct move *m, uint32_t count, uint32_t row)
{
	const struct columns *c = b->head.columns;
	const struct column *of = &c->column[m->column];
	struct cells *at = &b->head.cells[m->column];

	for (uint32_t k = of->index + 1; k < of->next; k = c->column[k].next) {
		const uint8_t *valid = b->head.cells[k].valid;

		for (uint32_t i = row; i < row + count; i++)
			at->valid[i >> 3] |= (uint8_t)(valid[i >> 3] & 1u << (i & 7));
	}
}

static void mark_all(struct batch *b, const struct move *m, uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++)
		mark_valid(&b->head.cells[m->column], row + i);
}

/* The field of 'count' structs, each 'stride' bytes behind the one before. */
static inline void move_field(struct batch *b, const struct move *m, const uint8_t *from,
		size_t stride, uint32_t count, uint32_t row)
{
	if (!move_number(&b->head.cells[m->column], m, from, stride, count, row)) {
		if (m->op == MOVE_CLOSE)
			move_close(b, m, count, row);
		for (uint32_t i = 0; i < count && m->op != MOVE_CLOSE; i++, from += stride) {
			if (m->op == MOVE_WORD)
				move_word(b, m, from, row + i);
			else
				move_slow(b, m, from, row + i);
		}
	}
	if (m->mark)
		mark_all(b, m, count, row);
}

static bool items_room(struct batch *b, uint32_t group, size_t count)
{
	struct group *g = &b->head.groups[group];
	const uint64_t left = b->begun + LIMIT_RECORD_BYTES - b->head.bytes;

	if (b->head.failed || count > left / g->width ||
			!batch_room(b, group, g->rows + (uint32_t)count))
		return false;
	b->head.bytes += count * g->width;
	return true;
}

static void move_list(struct batch *b, const struct move *m, const uint8_t *from, uint32_t row)
{
	const struct column *c = &b->head.columns->column[m->column];
	struct group *g = &b->head.groups[c->items];
	const uint32_t first = g->rows;
	struct field_list list;

	memcpy(&list, from, sizeof list);
	if (list.count == 0 && m->optional)
		return;
	if (!items_room(b, c->items, list.count)) {
		b->head.failed = true;
		return;
	}
	g->rows += (uint32_t)list.count;
	for (size_t i = 0; i < m->items->count && list.count > 0; i++) {
		const struct move *item = &m->items->list[i];

		move_field(b, item, (const uint8_t *)list.items + item->offset, m->item_size,
				(uint32_t)list.count, first);
	}
	batch_list(b, c, row);
}

static void move_table(struct batch *b, size_t table, const uint8_t *base)
{
	const struct moves *moves = b->head.columns->moves[table];
	const struct move *end = moves->list + moves->count;
	const uint32_t row = b->head.rows;
	struct group *g = &b->head.groups[table];

	if (row >= g->room && !batch_room(b, (uint32_t)table, row + 1)) {
		b->head.failed = true;
		return;
	}
	b->present[table][row >> 3] |= (uint8_t)(1u << (row & 7));
	b->head.bytes += g->width;
	for (const struct move *m = moves->list; m < end; m++)
		move_field(b, m, base + m->offset, 0, 1, row);
}

bool batch_append(struct batch *b, const void *const *data)
{
	const struct columns *c = b->head.columns;

	for (size_t i = 0; i < c->table_count; i++) {
		if (data[i] != NULL && c->moves[i] != NULL)
			move_table(b, i, data[i]);
	}
	return batch_end_row(b);
}

/* --- compiling ----------------------------------------------------------------------------------
 */

static bool can_null(const struct column *c)
{
	if (c->type >= FIELD_U8 && c->type <= FIELD_I64)
		return (c->flags & FIELD_NULLABLE) != 0;
	return true;
}

static enum move_op op_of_number(const struct column *c, bool some)
{
	switch (c->type) {
	case FIELD_U8:
		return some ? MOVE_SOME_8 : MOVE_8;
	case FIELD_U16:
		return some ? MOVE_SOME_16 : MOVE_16;
	case FIELD_U32:
	case FIELD_I32:
		return some ? MOVE_SOME_32 : MOVE_32;
	case FIELD_F64:
		return some ? MOVE_SOME_F64 : MOVE_64;
	case FIELD_MS:
		return some ? MOVE_SOME_MS : MOVE_MS;
	case FIELD_S:
		return some ? MOVE_SOME_S : MOVE_S;
	default:
		return some ? MOVE_SOME_64 : MOVE_64;
	}
}

static enum move_op op_of(const struct column *c)
{
	switch (c->type) {
	case FIELD_BOOL:
		return MOVE_BOOL;
	case FIELD_TIME:
		return MOVE_TIME;
	case FIELD_WORD:
		return c->layout == COLUMN_WORDS ? MOVE_WORD : MOVE_STRING;
	case FIELD_TEXT:
		return MOVE_TEXT;
	case FIELD_HEX:
		return MOVE_HEX;
	case FIELD_ADDRESS:
		return c->layout == COLUMN_BYTES ? MOVE_ADDRESS : MOVE_16_BYTES;
	case FIELD_LIST:
		return MOVE_LIST;
	case FIELD_STRUCT:
		return MOVE_CLOSE;
	default:
		return op_of_number(c, c->nulls == COLUMN_NULLS && can_null(c));
	}
}

/* Whether a value is always there, although the column has bits. */
static bool is_marked(const struct column *c)
{
	if (c->nulls != COLUMN_NULLS)
		return false;
	if (c->type == FIELD_STRUCT)
		return (c->flags & FIELD_OPTIONAL) == 0;
	return c->type == FIELD_BOOL || c->type == FIELD_TIME || !can_null(c);
}

static bool compile_range(const struct columns *c, uint32_t first, uint32_t end, uint32_t group,
		struct moves **out);

/* Appends the move of a column that lies in the group, not of one in its items. */
static bool compile_move(const struct columns *c, const struct column *col, struct moves *to)
{
	struct moves *items = NULL;

	if (col->type == FIELD_STRUCT && col->nulls != COLUMN_NULLS)
		return true;
	if (col->type == FIELD_LIST &&
			!compile_range(c, col->index + 1, col->next, col->items, &items))
		return false;
	to->list[to->count++] = (struct move){
		.op = (uint8_t)op_of(col),
		.null = col->nulls == COLUMN_NULLS,
		.optional = (col->flags & FIELD_OPTIONAL) != 0,
		.mark = is_marked(col),
		.column = col->index,
		.offset = col->offset,
		.item_size = col->field != NULL ? col->field->item_size : 0,
		.seen = col->words != NULL ? dictionary_number(col->words) * WORDS_SEEN : 0,
		.items = items,
	};
	return true;
}

/* Members before their struct, so that it can see whether there are any. */
static bool compile_columns(const struct columns *c, uint32_t first, uint32_t end, struct moves *to)
{
	for (uint32_t i = first; i < end; i = c->column[i].next) {
		const struct column *col = &c->column[i];

		if (col->type == FIELD_STRUCT && !compile_columns(c, i + 1, col->next, to))
			return false;
		if (!compile_move(c, col, to))
			return false;
	}
	return true;
}

static bool compile_range(const struct columns *c, uint32_t first, uint32_t end, uint32_t group,
		struct moves **out)
{
	size_t count = 0;

	for (uint32_t i = first; i < end; i++)
		count += c->column[i].group == group;
	*out = calloc(1, sizeof **out + (count + 1) * sizeof(struct move));
	return *out != NULL && compile_columns(c, first, end, *out);
}

bool moves_compile(struct columns *c, struct err *e)
{
	for (uint32_t i = 0; i < c->table_count; i++) {
		const struct group *g = &c->group[i];

		if (!compile_range(c, g->first, g->end, i, &c->moves[i]))
			return err_set(e, "no memory for columns");
	}
	return true;
}

void moves_free(struct moves *m)
{
	for (size_t i = 0; m != NULL && i < m->count; i++)
		moves_free((struct moves *)m->list[i].items);
	free(m);
}
