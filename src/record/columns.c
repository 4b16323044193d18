/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * columns.c - field tables compiled into the tree of columns: which are wanted, what lies where,
 * who can be null.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "base/rd.h"
#include "record/columns_internal.h"

#include <stdlib.h>

enum {
	ROWS = 8192, /* of a batch */
	BYTES = 8 << 20,
	MOST_ROWS = 1 << 24,
	MOST_BYTES = 1 << 29,
};

/* A wanted name without the [] of lists. */
struct wanted {
	char *path;
	bool found;
};

struct compile {
	struct columns *c;
	const struct columns_conf *conf;
	struct wanted *wanted; /* NULL: all */
	struct buf path;       /* of the fields being compiled, with a point behind */
	unsigned depth;
	uint16_t table;
	struct err *e;
};

/* Where fields lie, and what becomes of one that its table never leaves out. */
struct place {
	uint32_t group;
	uint32_t offset;
	enum column_nulls nulls;
};

static bool no_memory(struct err *e)
{
	return err_set(e, "no memory for columns");
}

/* --- names --------------------------------------------------------------------------------------
 */

static char *plain_path(const char *name)
{
	char *path = malloc(strlen(name) + 1), *to = path;

	if (path == NULL)
		return NULL;
	for (; *name != '\0'; name++) {
		if (*name != '[' && *name != ']')
			*to++ = *name;
	}
	*to = '\0';
	return path;
}

static bool take_names(struct compile *k)
{
	const struct columns_conf *conf = k->conf;

	if (conf->names == NULL)
		return true;
	k->wanted = calloc(conf->name_count + 1, sizeof *k->wanted);
	if (k->wanted == NULL)
		return no_memory(k->e);
	for (size_t i = 0; i < conf->name_count; i++) {
		k->wanted[i].path = plain_path(conf->names[i]);
		if (k->wanted[i].path == NULL)
			return no_memory(k->e);
	}
	return true;
}

static void drop_names(struct compile *k)
{
	for (size_t i = 0; k->wanted != NULL && i < k->conf->name_count; i++)
		free(k->wanted[i].path);
	free(k->wanted);
}

/* Whether one of two paths is the other, or lies in it. */
static bool is_within(struct rd a, struct rd b)
{
	const size_t size = a.left < b.left ? a.left : b.left;
	const struct rd longer = a.left < b.left ? b : a;

	return memcmp(a.p, b.p, size) == 0 && (longer.left == size || longer.p[size] == '.');
}

/* Whether the field whose path stands in k->path is wanted, or something in it. */
static bool is_wanted(struct compile *k)
{
	const struct rd path = { (const uint8_t *)k->path.p, k->path.size };
	bool wanted = k->wanted == NULL;

	for (size_t i = 0; k->wanted != NULL && i < k->conf->name_count; i++) {
		struct wanted *w = &k->wanted[i];
		const struct rd name = { (const uint8_t *)w->path, strlen(w->path) };

		if (!is_within(path, name))
			continue;
		wanted = true;
		w->found |= name.left <= path.left;
	}
	return wanted;
}

static bool check_names(const struct compile *k)
{
	for (size_t i = 0; k->wanted != NULL && i < k->conf->name_count; i++) {
		if (!k->wanted[i].found)
			return err_set(k->e, "no column has the name '%.64s'", k->conf->names[i]);
	}
	return true;
}

/* --- columns ------------------------------------------------------------------------------------
 */

/* A place for one more of an array's items; the array may move. */
static bool more(void **items, uint32_t count, uint32_t *room, size_t size)
{
	const uint32_t larger = *room == 0 ? 64 : 2 * *room;
	void *moved;

	if (count < *room)
		return true;
	moved = realloc(*items, larger * size);
	if (moved == NULL)
		return false;
	*items = moved;
	*room = larger;
	return true;
}

static struct column *add_column(struct compile *k, struct column column)
{
	struct columns *c = k->c;

	if (!more((void **)&c->column, c->count, &c->room, sizeof column)) {
		no_memory(k->e);
		return NULL;
	}
	column.index = c->count;
	column.table = k->table;
	c->column[c->count] = column;
	return &c->column[c->count++];
}

static bool add_group(struct compile *k, uint32_t *number)
{
	struct columns *c = k->c;

	if (!more((void **)&c->group, c->groups, &c->group_room, sizeof *c->group))
		return no_memory(k->e);
	c->group[c->groups] = (struct group){ .first = c->count, .width = 1 };
	*number = c->groups++;
	return true;
}

/* Whether a value of a scalar type, or of a struct or list with these flags, can be null. */
static bool can_be_null(unsigned type, unsigned flags)
{
	switch (type) {
	case FIELD_BOOL:
	case FIELD_TIME:
		return false;
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_I32:
	case FIELD_I64:
		return (flags & FIELD_NULLABLE) != 0;
	case FIELD_STRUCT:
	case FIELD_LIST:
		return (flags & FIELD_OPTIONAL) != 0;
	default:
		return (flags & (FIELD_OPTIONAL | FIELD_NULLABLE)) != 0;
	}
}

static uint8_t width_of(unsigned type)
{
	static const uint8_t widths[FIELD_LIST + 1] = {
		[FIELD_U8] = 1,
		[FIELD_U16] = 2,
		[FIELD_U32] = 4,
		[FIELD_U64] = 8,
		[FIELD_I32] = 4,
		[FIELD_I64] = 8,
		[FIELD_F64] = 8,
		[FIELD_WORD] = 4,
		[FIELD_TEXT] = 4,
		[FIELD_HEX] = 4,
		[FIELD_ADDRESS] = 4,
		[FIELD_TIME] = 8,
		[FIELD_MS] = 8,
		[FIELD_S] = 8,
		[FIELD_LIST] = 4,
	};

	return type <= FIELD_LIST ? widths[type] : 0;
}

/* Words of which there are many different ones, one for each host, are no dictionary. */
static bool is_dictionary(unsigned type, unsigned flags)
{
	return type == FIELD_WORD && !(flags & (FIELD_NAMES_OWNER | FIELD_IS_NAME));
}

static void set_layout(const struct columns *c, struct column *col)
{
	col->width = width_of(col->type);
	switch (col->type) {
	case FIELD_BOOL:
		col->layout = COLUMN_BITS;
		return;
	case FIELD_STRUCT:
		col->layout = COLUMN_STRUCT;
		return;
	case FIELD_LIST:
		col->layout = COLUMN_LIST;
		return;
	case FIELD_ADDRESS:
		col->layout = c->binary_addresses ? COLUMN_FIXED : COLUMN_BYTES;
		col->width = c->binary_addresses ? 16 : 4;
		return;
	case FIELD_WORD:
		col->layout = is_dictionary(col->type, col->flags) ? COLUMN_WORDS : COLUMN_BYTES;
		return;
	case FIELD_TEXT:
	case FIELD_HEX:
		col->layout = COLUMN_BYTES;
		return;
	default:
		col->layout = COLUMN_FIXED;
	}
}

static bool set_words(struct compile *k, struct column *col)
{
	if (col->layout != COLUMN_WORDS)
		return true;
	col->words = dictionary_new(k->c->dictionaries);
	if (col->words == NULL)
		return no_memory(k->e);
	k->c->dictionaries++;
	return true;
}

static void count_width(struct columns *c, const struct column *col)
{
	c->group[col->group].width += col->width;
}

static bool compile_fields(struct compile *k, const struct field *table, struct place in);

/* Behind the children: a struct with a member that is always there is always there itself. */
static void close_struct(struct compile *k, uint32_t index, enum column_nulls nulls)
{
	struct columns *c = k->c;
	struct column *col = &c->column[index];

	col->next = c->count;
	if (k->conf->loose || !(col->flags & FIELD_OPTIONAL))
		return;
	for (uint32_t i = index + 1; i < c->count; i = c->column[i].next) {
		if (c->column[i].nulls != COLUMN_NULLS)
			col->nulls = (uint8_t)nulls;
	}
}

/* The column of a list's items. */
static bool compile_item(struct compile *k, const struct field *f, uint32_t group)
{
	const unsigned type = f->sub != NULL ? FIELD_STRUCT : f->item;
	const bool loose = k->conf->loose && f->sub == NULL;
	const struct place in = { group, 0, COLUMN_FULL };
	struct column *col;
	uint32_t index;
	/* what JSON has no way to leave out is null there */
	unsigned flags = f->flags | FIELD_OPTIONAL;

	col = add_column(
			k, (struct column){ .key = "item", .type = (uint8_t)type, .group = group });
	if (col == NULL)
		return false;
	index = col->index;
	col->flags = f->flags;
	col->nulls = loose || (f->sub == NULL && can_be_null(type, flags)) ? COLUMN_NULLS
									   : COLUMN_FULL;
	set_layout(k->c, col);
	if (!set_words(k, col))
		return false;
	count_width(k->c, col);
	if (f->sub != NULL && !compile_fields(k, f->sub, in))
		return false;
	k->c->column[index].next = k->c->count;
	return true;
}

static bool compile_list(struct compile *k, const struct field *f, uint32_t index)
{
	uint32_t group;

	if (!add_group(k, &group))
		return false;
	k->c->column[index].items = group;
	if (!compile_item(k, f, group))
		return false;
	k->c->group[group].end = k->c->count;
	k->c->column[index].next = k->c->count;
	return true;
}

static bool compile_field(struct compile *k, const struct field *f, struct place in)
{
	const bool null = k->conf->loose || can_be_null(f->type, f->flags);
	struct column *col = add_column(k, (struct column){ .key = f->key,
							   .field = f,
							   .type = (uint8_t)f->type,
							   .flags = f->flags,
							   .offset = in.offset + f->offset,
							   .group = in.group });
	uint32_t index;

	if (col == NULL)
		return false;
	index = col->index;
	col->nulls = null ? COLUMN_NULLS : (uint8_t)in.nulls;
	col->next = index + 1;
	set_layout(k->c, col);
	if (!set_words(k, col))
		return false;
	if (f->type == FIELD_LIST && !compile_list(k, f, index))
		return false;
	if (f->type == FIELD_STRUCT) {
		in.offset += f->offset;
		if (!compile_fields(k, f->sub, in))
			return false;
		close_struct(k, index, in.nulls);
	}
	count_width(k->c, &k->c->column[index]);
	return true;
}

static bool compile_fields(struct compile *k, const struct field *table, struct place in)
{
	const size_t size = k->path.size;
	bool done = true;

	if (k->depth >= LIMIT_RECORD_DEPTH)
		return err_set(k->e, "field %.*s: more than %d structs within each other",
				(int)size, size > 0 ? k->path.p : "", LIMIT_RECORD_DEPTH);
	k->depth++;
	for (const struct field *f = table; f->key != NULL && done; f++) {
		if ((f->flags & FIELD_REVERSE) && !k->conf->both)
			continue;
		buf_text(&k->path, f->key);
		if (is_wanted(k)) {
			buf_byte(&k->path, '.');
			done = compile_field(k, f, in);
		}
		k->path.size = size;
	}
	k->depth--;
	return done && (buf_ok(&k->path) || no_memory(k->e));
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static bool compile_tables(struct compile *k)
{
	struct columns *c = k->c;
	const struct columns_conf *conf = k->conf;
	uint32_t number;

	for (size_t i = 0; i < conf->count; i++) {
		if (!add_group(k, &number))
			return false;
	}
	if (add_column(k, (struct column){ .key = "",
					  .type = FIELD_STRUCT,
					  .layout = COLUMN_STRUCT }) == NULL)
		return false;
	for (size_t i = 0; i < conf->count; i++) {
		const struct columns_table *t = &conf->tables[i];
		const struct place in = { (uint32_t)i, 0,
			t->options == NULL ? COLUMN_FULL : COLUMN_OF_TABLE };

		k->table = (uint16_t)i;
		c->group[i].first = c->count;
		if (t->fields != NULL && !compile_fields(k, t->fields, in))
			return false;
		c->group[i].end = c->count;
	}
	c->column[0].next = c->count;
	return check_names(k) && moves_compile(c, k->e);
}

static bool copy_conf(struct columns *c, const struct columns_conf *conf)
{
	const size_t rows = conf->batch_rows > 0 ? conf->batch_rows : ROWS;
	const uint64_t bytes = conf->batch_bytes > 0 ? conf->batch_bytes : BYTES;

	c->batch_rows = (uint32_t)(rows < MOST_ROWS ? rows : MOST_ROWS);
	c->batch_bytes = bytes < MOST_BYTES ? bytes : MOST_BYTES;
	c->binary_addresses = conf->binary_addresses;
	c->tables = calloc(conf->count + 1, sizeof *c->tables);
	c->moves = calloc(conf->count + 1, sizeof(struct moves *));
	if (c->tables == NULL || c->moves == NULL)
		return false;
	for (; c->table_count < conf->count; c->table_count++) {
		struct columns_table *t = &c->tables[c->table_count];

		*t = conf->tables[c->table_count];
		if (t->options != NULL && (t->options = strdup(t->options)) == NULL)
			return false;
	}
	return true;
}

struct columns *columns_new(const struct columns_conf *conf, struct err *e)
{
	struct columns *c = calloc(1, sizeof *c);
	struct compile k = { .c = c, .conf = conf, .path = buf_new(LIMIT_OPTION_BYTES), .e = e };
	bool done;

	if (c == NULL) {
		no_memory(e);
		return NULL;
	}
	done = copy_conf(c, conf) || no_memory(e);
	done = done && take_names(&k) && compile_tables(&k);
	drop_names(&k);
	buf_free(&k.path);
	if (done)
		return c;
	columns_free(c);
	return NULL;
}

void columns_free(struct columns *c)
{
	if (c == NULL)
		return;
	for (uint32_t i = 0; i < c->count; i++)
		dictionary_free(c->column[i].words);
	for (size_t i = 0; i < c->table_count; i++)
		moves_free(c->moves[i]);
	for (size_t i = 0; i < c->table_count; i++)
		free((char *)c->tables[i].options);
	free(c->moves);
	free(c->tables);
	free(c->column);
	free(c->group);
	free(c);
}

const struct column *columns_at(const struct columns *c, uint32_t index)
{
	return &c->column[index];
}

uint32_t columns_count(const struct columns *c)
{
	return c->count;
}

const struct column *columns_child(
		const struct columns *c, const struct column *of, const char *key, size_t size)
{
	for (uint32_t i = of->index + 1; i < of->next; i = c->column[i].next) {
		const struct column *child = &c->column[i];

		if (strncmp(child->key, key, size) == 0 && child->key[size] == '\0')
			return child;
	}
	return NULL;
}
