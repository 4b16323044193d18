/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * from_json_tree.c - the field tables as a tree of keys, each with the column that it fills.
 *
 * Nodes lie in preorder, as columns do.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "record/from_json_internal.h"

static bool no_memory(struct err *e)
{
	return err_set(e, "no memory for the keys of records");
}

static bool add_words(struct node *n)
{
	if (n->column == NULL || n->column->layout != COLUMN_WORDS)
		return true;
	n->words = calloc(NODE_WORDS, sizeof *n->words);
	return n->words != NULL;
}

/* Appends a node; its place, or UINT32_MAX without memory. */
static uint32_t add_node(struct from_json *f, uint32_t up, const char *key, enum field_type type,
		unsigned flags, const struct column *column)
{
	struct node n = { .type = (uint8_t)type, .flags = (uint16_t)flags, .up = up };

	if (f->count == f->room) {
		const uint32_t room = f->room > 0 ? 2 * f->room : 64;
		struct node *nodes = reallocarray(f->nodes, room, sizeof *nodes);

		if (nodes == NULL)
			return UINT32_MAX;
		f->nodes = nodes;
		f->room = room;
	}
	if (key != NULL && !json_key_make(&n.key, key)) /* plan_new() refuses shorter ones */
		return UINT32_MAX;
	n.is_count = type >= FIELD_U8 && type <= FIELD_U64;
	n.column = column;
	if (!add_words(&n))
		return UINT32_MAX;
	f->nodes[f->count] = n;
	return f->count++;
}

static bool add_table(struct from_json *f, const struct field *table, uint32_t up, bool both);

/* What lies in a struct or list. */
static bool add_inner(struct from_json *f, const struct field *field, uint32_t at, bool both)
{
	const struct column *list = f->nodes[at].column, *item = NULL;

	if (field->type == FIELD_LIST) {
		if (list != NULL)
			item = columns_at(f->columns, list->index + 1);
		at = add_node(f, at, NULL, field->sub != NULL ? FIELD_STRUCT : field->item, 0,
				item);
	}
	if (at == UINT32_MAX || (field->sub != NULL && !add_table(f, field->sub, at, both)))
		return false;
	f->nodes[at].next = f->count;
	return true;
}

static bool add_field(struct from_json *f, const struct field *field, uint32_t up, bool both)
{
	const struct column *of = f->nodes[up].column, *column = NULL;
	uint32_t at;

	if (of != NULL)
		column = columns_child(f->columns, of, field->key, strlen(field->key));
	at = add_node(f, up, field->key, field->type, field->flags, column);
	if (at == UINT32_MAX || !add_inner(f, field, at, both))
		return false;
	f->nodes[at].next = f->count;
	return true;
}

/* As deep as columns_new() allowed. */
static bool add_table(struct from_json *f, const struct field *table, uint32_t up, bool both)
{
	for (const struct field *field = table; field->key != NULL; field++)
		if ((both || !(field->flags & FIELD_REVERSE)) && !add_field(f, field, up, both))
			return false;
	return true;
}

static bool build(struct from_json *f, const struct field *const *tables, size_t count, bool both)
{
	const uint32_t root = add_node(f, 0, NULL, FIELD_STRUCT, 0, columns_at(f->columns, 0));

	if (root == UINT32_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!add_table(f, tables[i], root, both))
			return false;
	f->nodes[root].next = f->count;
	return true;
}

struct from_json *from_json_new(const struct columns *c, const struct field *const *tables,
		size_t count, bool both, struct err *e)
{
	struct from_json *f = calloc(1, sizeof *f);

	if (f == NULL) {
		no_memory(e);
		return NULL;
	}
	f->columns = c;
	f->scratch = buf_new(LIMIT_RECORD_BYTES);
	if (build(f, tables, count, both))
		return f;
	from_json_free(f);
	no_memory(e);
	return NULL;
}

void from_json_free(struct from_json *f)
{
	if (f == NULL)
		return;
	for (uint32_t i = 0; i < f->count; i++)
		free(f->nodes[i].words);
	free(f->nodes);
	buf_free(&f->scratch);
	free(f);
}
