/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * to_arrow.c - structs into columns: prepared moves, one for each field, of one struct or of all
 * items of a list at once.
 *
 * A null is not moved: cells begin as null.  Whether a struct in place is there, its members tell
 * when the batch is handed on.
 */
#include "base/json.h"
#include "base/limits.h"
#include "record/moves.h"
#include "record/value.h"

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

	return &b->seen[m->seen + ((p ^ p >> 7 ^ p >> 14) & (WORDS_SEEN - 1))];
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

/* --- texts, of 'count' structs one after the other ----------------------------------------------
 */

static inline void put_text(
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

static void move_texts(struct batch *b, const struct move *m, const uint8_t *from, size_t stride,
		uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++, from += stride) {
		struct field_text text;

		memcpy(&text, from, sizeof text);
		put_text(b, m, text.p, text.size, row + i);
	}
}

static void move_strings(struct batch *b, const struct move *m, const uint8_t *from, size_t stride,
		uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++, from += stride) {
		const char *word;

		memcpy(&word, from, sizeof word);
		put_text(b, m, word, word == NULL ? 0 : strlen(word), row + i);
	}
}

static void move_hexes(struct batch *b, const struct move *m, const uint8_t *from, size_t stride,
		uint32_t count, uint32_t row)
{
	struct cells *at = &b->head.cells[m->column];

	for (uint32_t i = 0; i < count; i++, from += stride) {
		struct field_hex hex;
		char *to;

		memcpy(&hex, from, sizeof hex);
		to = hex.p == NULL ? NULL : text_begin(b, m, at, row + i, hex.size + 1);
		if (to == NULL)
			continue;
		memcpy(to, hex.p, hex.size);
		text_end(b, at, row + i, to + hex.size);
	}
}

static void move_addresses(struct batch *b, const struct move *m, const uint8_t *from,
		size_t stride, uint32_t count, uint32_t row)
{
	struct cells *at = &b->head.cells[m->column];

	for (uint32_t i = 0; i < count; i++, from += stride) {
		char *to;

		if (value_is_null(FIELD_ADDRESS, 0, from))
			continue;
		to = text_begin(b, m, at, row + i, JSON_ROOM_ADDRESS);
		if (to != NULL)
			text_end(b, at, row + i, value_address(from, false, to));
	}
}

static void move_16_bytes(struct batch *b, const struct move *m, const uint8_t *from, size_t stride,
		uint32_t count, uint32_t row)
{
	const struct column *c = &b->head.columns->column[m->column];

	for (uint32_t i = 0; i < count; i++, from += stride) {
		struct field_address a;

		memcpy(&a, from, sizeof a);
		if (!value_is_null(FIELD_ADDRESS, 0, from))
			batch_put_address(b, c, row + i, &a);
		else
			memset(b->head.cells[m->column].values + 16 * ((size_t)row + i), 0, 16);
	}
}

/* --- structs and lists --------------------------------------------------------------------------
 */

static void mark_all(struct batch *b, const struct move *m, uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++)
		mark_valid(&b->head.cells[m->column], row + i);
}

static void move_lists(struct batch *b, const struct move *m, const uint8_t *from, size_t stride,
		uint32_t count, uint32_t row)
{
	for (uint32_t i = 0; i < count; i++, from += stride)
		move_list(b, m, from, row + i);
}

/* What is no number. */
static inline void move_other(struct batch *b, const struct move *m, const uint8_t *from,
		size_t stride, uint32_t count, uint32_t row)
{
	switch ((enum move_op)m->op) {
	case MOVE_WORD:
		for (uint32_t i = 0; i < count; i++, from += stride)
			move_word(b, m, from, row + i);
		break;
	case MOVE_TEXT:
		move_texts(b, m, from, stride, count, row);
		break;
	case MOVE_STRING:
		move_strings(b, m, from, stride, count, row);
		break;
	case MOVE_HEX:
		move_hexes(b, m, from, stride, count, row);
		break;
	case MOVE_ADDRESS:
		move_addresses(b, m, from, stride, count, row);
		break;
	case MOVE_16_BYTES:
		move_16_bytes(b, m, from, stride, count, row);
		break;
	case MOVE_NOTHING:
		break;
	default:
		move_lists(b, m, from, stride, count, row);
	}
}

/* The field of 'count' structs, each 'stride' bytes behind the one before. */
static inline void move_field(struct batch *b, const struct move *m, const uint8_t *from,
		size_t stride, uint32_t count, uint32_t row)
{
	if (!move_number(&b->head.cells[m->column], m, from, stride, count, row))
		move_other(b, m, from, stride, count, row);
	if (m->mark)
		mark_all(b, m, count, row);
}

static inline void end_list(struct cells *at, uint32_t row, uint32_t end)
{
	if (at->filled < row)
		batch_fill(at, row);
	((uint32_t *)(void *)at->values)[row + 1] = end;
	at->filled = row + 1;
	cells_valid(at, row);
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
	end_list(&b->head.cells[m->column], row, g->rows);
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
