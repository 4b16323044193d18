/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * batch.c - the memory of a batch: cells of columns, values put into them, a row taken back.
 *
 * All cells begin as zeros, and a zero bit means null, so what nobody puts is null.  Offsets of
 * such rows are set when the column's next value comes, or when the batch is handed on.
 */
#include "base/json.h"
#include "base/limits.h"
#include "record/columns_internal.h"

#include <stdlib.h>

enum {
	ROWS = 64,   /* of a group at first */
	TEXTS = 256, /* bytes of a column at first */
	LINE = 64,
	MAPPED = 256 << 10,    /* bytes: a piece that is asked of the system, not of malloc() */
	MOST_HINTED = 1 << 20, /* rows or bytes that the batch before makes expected */
};

static size_t lines(size_t size)
{
	return (size + LINE - 1) / LINE * LINE;
}

/* --- room ---------------------------------------------------------------------------------------
 */

static size_t bits_size(uint32_t rows)
{
	return lines(((size_t)rows + 7) / 8);
}

/* A line more, lest the open row of all columns lies in the same few sets of the caches. */
static size_t values_size(const struct column *c, uint32_t rows)
{
	switch (c->layout) {
	case COLUMN_BITS:
		return bits_size(rows) + LINE;
	case COLUMN_FIXED:
	case COLUMN_WORDS:
		return lines((size_t)c->width * rows) + LINE;
	case COLUMN_BYTES:
	case COLUMN_LIST:
		return lines(4 * ((size_t)rows + 1)) + LINE;
	default:
		return 0;
	}
}

static bool is_table(const struct columns *c, uint32_t group)
{
	return group < c->table_count;
}

/* All that a group needs for so many rows. */
static size_t group_size(const struct columns *c, uint32_t group, uint32_t rows)
{
	const struct group *g = &c->group[group];
	size_t size = is_table(c, group) ? bits_size(rows) : 0;

	for (uint32_t i = g->first; i < g->end; i++) {
		const struct column *col = &c->column[i];

		if (col->group != group)
			continue;
		size += values_size(col, rows);
		size += col->nulls == COLUMN_NULLS ? bits_size(rows) : 0;
	}
	return size;
}

/* Moves what lies at *at to the next place of a piece; behind it come so many zeros, at most. */
static void move(uint8_t **at, size_t old_size, uint8_t **place, size_t size, size_t zeros)
{
	if (*at == NULL)
		old_size = 0;
	if (old_size > 0)
		memcpy(*place, *at, old_size);
	if (zeros > size - old_size)
		zeros = size - old_size;
	memset(*place + old_size, 0, zeros);
	*at = *place;
	*place += size;
}

/* How many bytes must be zeros: of what may stay as it is.  Of offsets only the first, which is
 * moved with others when there are any. */
static size_t zeros_of(const struct columns *c, const struct column *col)
{
	if (col->layout == COLUMN_BYTES || col->layout == COLUMN_LIST)
		return sizeof(uint32_t);
	if (col->layout == COLUMN_BITS || col->nulls != COLUMN_FULL || is_table(c, col->group))
		return SIZE_MAX;
	return 0;
}

static void move_cells(struct batch *b, uint32_t group, uint32_t rows, uint8_t *place)
{
	const struct columns *c = b->head.columns;
	const struct group *g = &b->head.groups[group];
	const size_t old_bits = bits_size(g->room), bits = bits_size(rows);

	if (is_table(c, group))
		move(&b->present[group], old_bits, &place, bits, SIZE_MAX);
	for (uint32_t i = g->first; i < g->end; i++) {
		const struct column *col = &c->column[i];
		struct cells *at = &b->head.cells[i];

		if (col->group != group)
			continue;
		move(&at->values, values_size(col, g->room), &place, values_size(col, rows),
				zeros_of(c, col));
		if (col->nulls == COLUMN_NULLS)
			move(&at->valid, old_bits, &place, bits, SIZE_MAX);
	}
}

static uint32_t next_room(const struct batch *b, uint32_t group, uint32_t rows)
{
	const struct columns *c = b->head.columns;
	const struct group *g = &b->head.groups[group];
	uint64_t room = 4 * (uint64_t)g->room;

	if (g->room == 0)
		room = b->hints[group] + b->hints[group] / 8;
	if (room < ROWS)
		room = ROWS;
	if (is_table(c, group) && room > c->batch_rows)
		room = c->batch_rows;
	if (room < rows)
		room = rows;
	return (uint32_t)(room < INT32_MAX ? room : INT32_MAX);
}

bool batch_room(struct batch *b, uint32_t group, uint32_t rows)
{
	struct group *g = &b->head.groups[group];
	uint8_t *piece;
	uint32_t room;
	size_t size;

	if (rows <= g->room)
		return true;
	if (rows > INT32_MAX - 1)
		return false;
	room = next_room(b, group, rows);
	size = group_size(b->head.columns, group, room);
	piece = aligned_alloc(LINE, lines(size + LINE));
	if (piece == NULL)
		return false;
	move_cells(b, group, room, piece);
	free(b->pieces[group]);
	b->pieces[group] = piece;
	g->room = room;
	return true;
}

struct cells *batch_grow(struct batch *b, const struct column *c, uint32_t row)
{
	if (row < UINT32_MAX && batch_room(b, c->group, row + 1))
		return &b->head.cells[c->index];
	b->head.failed = true;
	return NULL;
}

bool batch_text_room(struct batch *b, const struct column *c, struct cells *at, size_t size)
{
	size_t room = at->room > 0 ? 2 * at->room : b->text_hints[c->index];
	char *bytes;

	if (room < TEXTS)
		room = TEXTS;
	if (room < at->size + size)
		room = at->size + size;
	if (size > INT32_MAX || room > INT32_MAX)
		return false;
	room = lines(room);
	bytes = aligned_alloc(LINE, room);
	if (bytes == NULL)
		return false;
	if (at->size > 0)
		memcpy(bytes, at->bytes, at->size);
	free(at->bytes);
	at->bytes = bytes;
	at->room = room;
	return true;
}

void batch_fill(struct cells *at, uint32_t rows)
{
	uint32_t *offsets = (uint32_t *)(void *)at->values;
	const uint32_t end = offsets[at->filled];

	while (at->filled < rows)
		offsets[++at->filled] = end;
}

static void set_offset(struct cells *at, uint32_t row, size_t end)
{
	((uint32_t *)(void *)at->values)[row + 1] = (uint32_t)end;
	at->filled = row + 1;
	cells_valid(at, row);
}

/* --- values -------------------------------------------------------------------------------------
 */

/* Where 'size' bytes of a row may be written; NULL: no memory. */
static char *begin_bytes(struct batch *b, const struct column *c, uint32_t row, size_t size)
{
	struct cells *at = batch_cells(b, c, row);

	if (at == NULL)
		return NULL;
	if (at->room - at->size < size && !batch_text_room(b, c, at, size)) {
		b->head.failed = true;
		return NULL;
	}
	batch_fill(at, row);
	return at->bytes + at->size;
}

static void end_bytes(struct batch *b, const struct column *c, uint32_t row, const char *end)
{
	struct cells *at = &b->head.cells[c->index];
	const size_t size = (size_t)(end - at->bytes);

	b->head.bytes += size - at->size;
	at->size = size;
	set_offset(at, row, size);
}

void batch_put_bytes(
		struct batch *b, const struct column *c, uint32_t row, const void *p, size_t size)
{
	char *to = begin_bytes(b, c, row, size + 1);

	if (to == NULL)
		return;
	if (size > 0)
		memcpy(to, p, size);
	end_bytes(b, c, row, to + size);
}

static void put_word(
		struct batch *b, const struct column *c, uint32_t row, const char *p, size_t size)
{
	struct cells *at = batch_cells(b, c, row);
	uint32_t index;

	if (at == NULL)
		return;
	if (dictionary_find(c->words, p, size, &index))
		cells_number(c, at, row, index);
	else
		b->head.failed = true;
}

/* The words of a dictionary are UTF-8 too. */
static void put_strange_word(
		struct batch *b, const struct column *c, uint32_t row, const char *p, size_t size)
{
	char *copy = size < LIMIT_DICTIONARY_BYTES ? malloc(2 * size + 8) : NULL;

	if (copy == NULL) {
		b->head.failed = true;
		return;
	}
	put_word(b, c, row, copy, (size_t)(utf8_put(copy, p, size) - copy));
	free(copy);
}

static bool is_ascii(const char *p, size_t size)
{
	const uint64_t tops = UINT64_C(0x8080808080808080);
	uint64_t all = 0, word;
	size_t i = 0;

	for (; size - i >= sizeof word; i += sizeof word) {
		memcpy(&word, p + i, sizeof word);
		all |= word;
	}
	for (; i < size; i++)
		all |= (uint8_t)p[i];
	return (all & tops) == 0;
}

void batch_put_text(
		struct batch *b, const struct column *c, uint32_t row, const char *p, size_t size)
{
	char *to;

	if (c->layout == COLUMN_WORDS && is_ascii(p, size)) {
		put_word(b, c, row, p, size);
		return;
	}
	if (c->layout == COLUMN_WORDS) {
		put_strange_word(b, c, row, p, size);
		return;
	}
	to = begin_bytes(b, c, row, 2 * size + 8);
	if (to != NULL)
		end_bytes(b, c, row, utf8_put(to, p, size));
}

void batch_put_address(struct batch *b, const struct column *c, uint32_t row,
		const struct field_address *a)
{
	uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };
	struct cells *at;
	char *to;

	if (c->layout == COLUMN_BYTES) {
		to = begin_bytes(b, c, row, JSON_ROOM_ADDRESS);
		if (to == NULL)
			return;
		to = a->version == 4 ? json_put_ipv4(to, a->bytes) : json_put_ipv6(to, a->bytes);
		end_bytes(b, c, row, to);
		return;
	}
	at = batch_cells(b, c, row);
	if (at == NULL)
		return;
	if (a->version == 4)
		memcpy(bytes + 12, a->bytes, 4);
	cells_16(at, row, a->version == 4 ? bytes : a->bytes);
}

uint32_t batch_items(struct batch *b, const struct column *list, uint32_t count)
{
	struct group *g = &b->head.groups[list->items];
	const uint32_t first = g->rows;

	if (b->head.failed || b->head.bytes - b->begun > LIMIT_RECORD_BYTES ||
			count > UINT32_MAX - first || !batch_room(b, list->items, first + count)) {
		b->head.failed = true;
		return UINT32_MAX;
	}
	b->head.bytes += (uint64_t)g->width * count;
	g->rows += count;
	return first;
}

uint32_t batch_item(struct batch *b, const struct column *list)
{
	return batch_items(b, list, 1);
}

void batch_list(struct batch *b, const struct column *list, uint32_t row)
{
	struct cells *at = batch_cells(b, list, row);

	if (at == NULL)
		return;
	batch_fill(at, row);
	set_offset(at, row, b->head.groups[list->items].rows);
}

void batch_struct(struct batch *b, const struct column *c, uint32_t row)
{
	struct cells *at = batch_cells(b, c, row);

	if (at != NULL)
		cells_valid(at, row);
}

/* --- taking back --------------------------------------------------------------------------------
 */

static void clear_bits(uint8_t *bits, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		bits[i >> 3] &= (uint8_t) ~(1u << (i & 7));
}

static void take_back(struct batch *b, uint32_t group, uint32_t from, uint32_t to);

/* Offsets beyond row 'from' are not true any more; what they led to goes. */
static void take_back_offsets(struct batch *b, const struct column *c, uint32_t from)
{
	struct cells *at = &b->head.cells[c->index];
	const uint32_t *offsets = (const uint32_t *)(const void *)at->values;
	uint32_t keep;
	struct group *items;

	if (at->filled > from)
		at->filled = from;
	keep = offsets != NULL ? offsets[at->filled] : 0;
	if (c->layout == COLUMN_BYTES) {
		at->size = keep;
		return;
	}
	items = &b->head.groups[c->items];
	take_back(b, c->items, keep, items->rows);
	items->rows = keep;
}

/* The rows of a group from 'from' on, of which there are less than 'to', are null again. */
static void take_back(struct batch *b, uint32_t group, uint32_t from, uint32_t to)
{
	const struct columns *c = b->head.columns;
	const struct group *g = &b->head.groups[group];

	if (to > g->room)
		to = g->room;
	for (uint32_t i = g->first; i < g->end; i++) {
		const struct column *col = &c->column[i];
		struct cells *at = &b->head.cells[i];

		if (col->group != group)
			continue;
		if (at->valid != NULL)
			clear_bits(at->valid, from, to);
		if (col->layout == COLUMN_BITS && at->values != NULL)
			clear_bits(at->values, from, to);
		if (col->layout == COLUMN_BYTES || col->layout == COLUMN_LIST)
			take_back_offsets(b, col, from);
	}
}

void batch_undo(struct batch *b)
{
	const uint32_t row = b->head.rows;

	for (uint32_t i = 0; i < b->head.columns->table_count; i++) {
		take_back(b, i, row, row + 1);
		if (row < b->head.groups[i].room)
			clear_bits(b->present[i], row, row + 1);
	}
	b->head.bytes = b->begun;
	b->head.failed = false;
}

bool batch_end_row(struct batch *b)
{
	if (b->head.failed || b->head.bytes - b->begun > LIMIT_RECORD_BYTES) {
		batch_undo(b);
		return false;
	}
	b->head.rows++;
	b->begun = b->head.bytes;
	return true;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

void batch_reset(struct batch *b)
{
	const struct columns *c = b->head.columns;

	for (uint32_t i = 0; i < c->count; i++) {
		const size_t size = b->head.cells[i].size;

		if (size > 0)
			b->text_hints[i] = size < MOST_HINTED ? size + size / 8 : MOST_HINTED;
		b->head.cells[i] = (struct cells){ 0 };
	}
	for (uint32_t i = 0; i < c->groups; i++) {
		const uint32_t rows = is_table(c, i) ? b->head.rows : b->head.groups[i].rows;

		b->hints[i] = rows < MOST_HINTED ? rows : MOST_HINTED;
		b->head.groups[i] = c->group[i];
		b->pieces[i] = NULL;
	}
	for (size_t i = 0; i < c->table_count; i++)
		b->present[i] = NULL;
	b->head.bytes = 0;
	b->head.rows = 0;
	b->begun = 0;
}

static void free_cells(struct batch *b)
{
	const struct columns *c = b->head.columns;

	for (uint32_t i = 0; b->head.cells != NULL && i < c->count; i++)
		free(b->head.cells[i].bytes);
	for (uint32_t i = 0; b->pieces != NULL && i < c->groups; i++)
		free(b->pieces[i]);
}

void batch_drop(struct batch *b)
{
	free_cells(b);
	batch_reset(b);
}

/* Each in a cache line of its own. */
static struct word_seen *seen_new(uint32_t dictionaries)
{
	const size_t size = ((size_t)dictionaries * WORDS_SEEN + 1) * sizeof(struct word_seen);
	struct word_seen *seen = aligned_alloc(LINE, lines(size));

	if (seen != NULL)
		memset(seen, 0, size);
	return seen;
}

struct batch *batch_new(const struct columns *c, struct err *e)
{
	struct batch *b = calloc(1, sizeof *b);

	if (b == NULL) {
		err_set(e, "no memory for columns");
		return NULL;
	}
	b->head.columns = c;
	b->head.cells = calloc(c->count, sizeof *b->head.cells);
	b->head.groups = calloc(c->groups + 1, sizeof *b->head.groups);
	b->present = calloc(c->table_count + 1, sizeof(uint8_t *));
	b->pieces = calloc(c->groups + 1, sizeof(uint8_t *));
	b->hints = calloc(c->groups + 1, sizeof *b->hints);
	b->text_hints = calloc(c->count, sizeof *b->text_hints);
	b->seen = seen_new(c->dictionaries);
	if (b->head.cells == NULL || b->head.groups == NULL || b->present == NULL ||
			b->pieces == NULL || b->hints == NULL || b->text_hints == NULL ||
			b->seen == NULL) {
		batch_free(b);
		err_set(e, "no memory for columns");
		return NULL;
	}
	batch_reset(b);
	return b;
}

void batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	free_cells(b);
	free(b->head.cells);
	free(b->head.groups);
	free(b->present);
	free(b->pieces);
	free(b->hints);
	free(b->text_hints);
	free(b->seen);
	free(b);
}

uint32_t batch_rows(const struct batch *b)
{
	return b->head.rows;
}

uint64_t batch_bytes(const struct batch *b)
{
	return b->head.bytes;
}

bool batch_full(const struct batch *b)
{
	const struct columns *c = b->head.columns;

	return b->head.rows >= c->batch_rows || b->head.bytes >= c->batch_bytes;
}
