/* SPDX-License-Identifier: BSD-3-Clause */
/* moves.c - columns compiled into the moves that fill them from structs. */
#include "record/moves.h"

#include <stdlib.h>

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
		return MOVE_NOTHING;
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

static uint32_t place_of(const struct column *c)
{
	return c->words != NULL ? dictionary_number(c->words) * WORDS_SEEN : c->items;
}

/* Appends the move of a column that lies in the group, not of one in its items. */
static bool compile_move(const struct columns *c, const struct column *col, struct moves *to)
{
	struct moves *items = NULL;

	if (col->type == FIELD_STRUCT && !is_marked(col))
		return true;
	if (col->type == FIELD_LIST &&
			!compile_range(c, col->index + 1, col->next, col->items, &items)) {
		moves_free(items);
		return false;
	}
	to->list[to->count++] = (struct move){
		.op = (uint8_t)op_of(col),
		.null = col->nulls == COLUMN_NULLS,
		.optional = (col->flags & FIELD_OPTIONAL) != 0,
		.mark = is_marked(col),
		.column = col->index,
		.offset = col->offset,
		.item_size = col->field != NULL ? col->field->item_size : 0,
		.seen = place_of(col),
		.items = items,
	};
	return true;
}

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
