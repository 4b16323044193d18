/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cells.h - putting values into the open row of a batch, for who has no structs but texts.
 *
 *	struct cells *at = batch_cells(b, column, row);
 *	if (at != NULL)
 *		cells_u64(column, at, row, v);
 *	...
 *	if (!batch_end_row(b)) ... the record is left out
 *
 * 'row' is batch_rows() for columns of the record, and that of its item for columns in a list.  A
 * value is put once at most, rows in their order.  Without memory, or when a record is too large,
 * values are dropped, and batch_end_row() fails and drops the row; so does batch_undo().
 *
 * A list:
 *
 *	for each item:
 *		uint32_t item = batch_item(b, list);
 *		... values of the item's columns, at 'item' ...
 *	batch_list(b, list, row);      -- also for an empty list that is not null
 *
 * A struct that holds a value is there by that; batch_struct() says so of an empty one.
 */
#pragma once

#include "record/columns.h"

#include <string.h>

/* A column's values in a batch. */
struct cells {
	uint8_t *values; /* COLUMN_BITS, _FIXED, _WORDS: one for each row; else offsets */
	uint8_t *valid;  /* a bit for each row; NULL unless COLUMN_NULLS */
	char *bytes;     /* COLUMN_BYTES */
	size_t size, room;
	uint32_t filled; /* offsets: those of so many rows stand */
};

struct group {
	uint32_t rows; /* items that are complete; of a table's group: not used */
	uint32_t room;
	uint32_t first, end; /* its columns lie between, with others */
	uint32_t width;      /* bytes of a row */
};

struct batch_head { /* what struct batch begins with */
	const struct columns *columns;
	struct cells *cells;
	struct group *groups;
	uint64_t bytes;
	uint32_t rows;
	bool failed; /* since the open row began */
};

/* Makes room for a row in a column's group; NULL: no memory. */
struct cells *batch_grow(struct batch *b, const struct column *c, uint32_t row);

static inline struct cells *batch_cells(struct batch *b, const struct column *c, uint32_t row)
{
	const struct batch_head *h = (const struct batch_head *)b;

	return row < h->groups[c->group].room ? &h->cells[c->index] : batch_grow(b, c, row);
}

static inline void cells_valid(struct cells *at, uint32_t row)
{
	if (at->valid != NULL)
		at->valid[row >> 3] |= (uint8_t)(1u << (row & 7));
}

/* COLUMN_FIXED, of the width that the column has; U8 to U64, I32, I64, TIME (ns since 1970). */
static inline void cells_number(const struct column *c, struct cells *at, uint32_t row, uint64_t v)
{
	switch (c->width) {
	case 1:
		at->values[row] = (uint8_t)v;
		break;
	case 2:
		memcpy(at->values + 2 * (size_t)row, &(uint16_t){ (uint16_t)v }, 2);
		break;
	case 4:
		memcpy(at->values + 4 * (size_t)row, &(uint32_t){ (uint32_t)v }, 4);
		break;
	default:
		memcpy(at->values + 8 * (size_t)row, &v, 8);
		break;
	}
	cells_valid(at, row);
}

/* F64, MS, S. */
static inline void cells_f64(struct cells *at, uint32_t row, double v)
{
	memcpy(at->values + 8 * (size_t)row, &v, 8);
	cells_valid(at, row);
}

static inline void cells_bool(struct cells *at, uint32_t row, bool v)
{
	at->values[row >> 3] |= (uint8_t)((unsigned)v << (row & 7));
	cells_valid(at, row);
}

/* ADDRESS as 16 bytes. */
static inline void cells_16(struct cells *at, uint32_t row, const uint8_t bytes[16])
{
	memcpy(at->values + 16 * (size_t)row, bytes, 16);
	cells_valid(at, row);
}

/* COLUMN_BYTES as they are: binary, or what is known to be UTF-8. */
void batch_put_bytes(
		struct batch *b, const struct column *c, uint32_t row, const void *p, size_t size);

/* COLUMN_BYTES or COLUMN_WORDS: a text; bytes that are no UTF-8 become the characters of the same
 * number. */
void batch_put_text(
		struct batch *b, const struct column *c, uint32_t row, const char *p, size_t size);

/* An address, whatever the column's layout. */
void batch_put_address(struct batch *b, const struct column *c, uint32_t row,
		const struct field_address *a);

/* One more item of a list, which counts at once: its row.  Without memory UINT32_MAX, for which
 * batch_cells() has nothing. */
uint32_t batch_item(struct batch *b, const struct column *list);
/* The same for several: the row of the first. */
uint32_t batch_items(struct batch *b, const struct column *list, uint32_t count);
/* The list of 'row' holds all items since the last list. */
void batch_list(struct batch *b, const struct column *list, uint32_t row);
void batch_struct(struct batch *b, const struct column *c, uint32_t row);

/* The open row is complete.  False: it was too large or there was no memory, and it is dropped. */
bool batch_end_row(struct batch *b);
void batch_undo(struct batch *b);
