/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * from_arrow.c - which column is which field.
 *
 * The tables are walked, and for each field the column of its name is looked for among the children
 * of what it lies in; so what a schema holds besides costs nothing, however deep it is.
 */
#include "record/from_arrow.h"

#include <string.h>

#include "base/limits.h"
#include "record/from_arrow_internal.h"

enum { UNKNOWN_TOLD = 64 };

struct matcher {
	struct from_arrow *f;
	unsigned depth;
	struct err *e;
};

static bool no_memory(struct err *e)
{
	return err_set(e, "no memory for the columns of the input");
}

static void *allocate(struct from_arrow *f, size_t size)
{
	return arena_zalloc(&f->arena, f->pool, size);
}

/* "a.b"; NULL without memory. */
static const char *join(struct from_arrow *f, const char *outer, const char *key)
{
	const size_t outer_size = strlen(outer), size = strlen(key);
	char *path = allocate(f, outer_size + size + 2), *to = path;

	if (path == NULL)
		return NULL;
	if (outer_size > 0) {
		memcpy(to, outer, outer_size);
		to += outer_size;
		*to++ = '.';
	}
	memcpy(to, key, size);
	return path;
}

static const char *name_of(const struct ArrowSchema *s)
{
	return s == NULL || s->name == NULL ? "" : s->name;
}

/* The child of that name; -1: none, -2: several. */
static int64_t find_child(const struct ArrowSchema *s, const char *key)
{
	int64_t found = -1;

	for (int64_t i = 0; i < s->n_children; i++) {
		if (strcmp(name_of(s->children[i]), key) != 0)
			continue;
		if (found >= 0)
			return -2;
		found = i;
	}
	return found;
}

static bool is_sound(const struct ArrowSchema *s)
{
	if (s == NULL || s->format == NULL || s->release == NULL)
		return false;
	return s->n_children >= 0 && s->n_children <= LIMIT_COLUMNS &&
	       (s->n_children == 0 || s->children != NULL);
}

/* --- columns that no field has the name of -------------------------------------------------- */

static bool has_key(const struct field *table, const char *key)
{
	for (const struct field *t = table; t->key != NULL; t++)
		if (strcmp(t->key, key) == 0)
			return true;
	return false;
}

static bool note_unknown(struct matcher *m, const char *path, const char *key)
{
	struct from_arrow *f = m->f;

	if (f->unknown_count == UNKNOWN_TOLD)
		return true;
	if (f->unknown == NULL)
		f->unknown = allocate(f, (UNKNOWN_TOLD + 1) * sizeof *f->unknown);
	const char *name = f->unknown == NULL ? NULL : join(f, path, key);

	if (name == NULL)
		return no_memory(m->e);
	f->unknown[f->unknown_count++] = name;
	return true;
}

static bool note_strangers(struct matcher *m, const struct ArrowSchema *s,
		const struct field *table, const char *path)
{
	for (int64_t i = 0; i < s->n_children; i++)
		if (!has_key(table, name_of(s->children[i])) &&
				!note_unknown(m, path, name_of(s->children[i])))
			return false;
	return true;
}

/* --- matching -------------------------------------------------------------------------------- */

static bool match_struct(struct matcher *m, const struct ArrowSchema *s, const struct field *table,
		struct column_in *to, struct field **fields);

static bool refuse(const struct matcher *m, const struct column_in *c, const char *format)
{
	static const char *const words[] = { "", "a bool", "a number", "a number", "a number",
		"a number", "a number", "a number", "a number", "a text", "a text", "bytes",
		"an address", "a time", "a number", "a number", "a struct", "a list" };

	return err_set(m->e, "column %s: Arrow type \"%.32s\" cannot be read as %s", c->path,
			format, words[c->type]);
}

/* The words of a dictionary. */
static bool match_words(struct matcher *m, const struct ArrowSchema *s, struct column_in *c)
{
	struct column_in *words = allocate(m->f, sizeof *words);

	if (words == NULL)
		return no_memory(m->e);
	*words = (struct column_in){ .path = c->path, .type = c->type, .owner = m->f };
	if (!is_sound(s->dictionary) || s->dictionary->dictionary != NULL ||
			!from_arrow_lay(s->dictionary->format, words) || !from_arrow_suits(words) ||
			words->lay < LAY_FIXED)
		return refuse(m, c, s->dictionary == NULL ? "" : "dictionary");
	if (c->lay != LAY_SIGNED && c->lay != LAY_UNSIGNED)
		return refuse(m, c, s->format);
	c->words = words;
	return true;
}

static bool match_item(struct matcher *m, const struct ArrowSchema *s, struct column_in *list,
		struct field *copy);

/* The column 'c' has field, path, type and flags already; 'copy': the field in the table of what is
 * there. */
static bool match_column(struct matcher *m, const struct ArrowSchema *s, struct column_in *c,
		struct field *copy)
{
	struct field *sub = NULL;
	bool done = true;

	if (!is_sound(s) || !from_arrow_lay(s->format, c))
		return refuse(m, c, s == NULL || s->format == NULL ? "" : s->format);
	c->children = s->n_children;
	if (s->dictionary != NULL)
		return match_words(m, s, c);
	if (!from_arrow_suits(c))
		return refuse(m, c, s->format);
	if (c->lay == LAY_NULL)
		return true;
	if (++m->depth > LIMIT_RECORD_DEPTH)
		return err_set(m->e, "column %s: lies too deep", c->path);
	if (c->type == FIELD_STRUCT) {
		done = match_struct(m, s, copy->sub, c, &sub);
		copy->sub = sub;
	} else if (c->type == FIELD_LIST) {
		done = match_item(m, s, c, copy);
	}
	m->depth--;
	return done;
}

/* The one child of a list. */
static bool match_item(struct matcher *m, const struct ArrowSchema *s, struct column_in *list,
		struct field *copy)
{
	struct column_in *item = allocate(m->f, sizeof *item);

	if (item == NULL)
		return no_memory(m->e);
	if (s->n_children != 1)
		return refuse(m, list, s->format);
	*item = (struct column_in){ .path = list->path,
		.type = copy->sub != NULL ? FIELD_STRUCT : copy->item,
		.flags = list->flags,
		.required = true };
	list->item_size = copy->item_size;
	list->of = item;
	list->count = 1;
	return match_column(m, s->children[0], item, copy);
}

/* A struct, or a list of structs, that has none of the members. */
static bool is_empty(const struct column_in *c)
{
	const struct column_in *s = c->lay == LAY_LIST ? c->of : c;

	return s->type == FIELD_STRUCT && s->lay == LAY_STRUCT && s->count == 0;
}

static bool add_field(struct matcher *m, const struct ArrowSchema *s, int64_t child,
		const struct field *field, struct column_in *to, struct field *fields)
{
	struct column_in *c = &to->of[to->count];
	struct field *copy = &fields[to->count];

	*c = (struct column_in){ .field = field,
		.path = join(m->f, to->path, field->key),
		.type = field->type,
		.flags = field->flags,
		.required = !(field->flags & FIELD_OPTIONAL),
		.offset = field->offset,
		.child = child };
	*copy = *field;
	if (c->path == NULL)
		return no_memory(m->e);
	if (!match_column(m, s->children[child], c, copy))
		return false;
	if (is_empty(c))
		*copy = (struct field){ 0 };
	else
		to->count++;
	return true;
}

static size_t size_of(const struct field *table)
{
	size_t count = 0;

	while (table[count].key != NULL)
		count++;
	return count;
}

static bool match_struct(struct matcher *m, const struct ArrowSchema *s, const struct field *table,
		struct column_in *to, struct field **fields)
{
	const size_t count = size_of(table);

	to->of = allocate(m->f, (count + 1) * sizeof *to->of);
	*fields = allocate(m->f, (count + 1) * sizeof **fields);
	if (to->of == NULL || *fields == NULL)
		return no_memory(m->e);
	for (const struct field *t = table; t->key != NULL; t++) {
		int64_t child = find_child(s, t->key);

		if (child == -2)
			return err_set(m->e, "the input has two columns %s%s%s", to->path,
					to->path[0] != '\0' ? "." : "", t->key);
		if (child >= 0 && !add_field(m, s, child, t, to, *fields))
			return false;
	}
	return to->path[0] == '\0' || note_strangers(m, s, table, to->path);
}

static bool match_tables(
		struct matcher *m, const struct ArrowSchema *s, const struct field *const *tables)
{
	for (size_t i = 0; i < m->f->count; i++) {
		struct column_in *c = &m->f->tables[i];

		*c = (struct column_in){ .path = "", .type = FIELD_STRUCT, .lay = LAY_STRUCT };
		if (!match_struct(m, s, tables[i], c, &m->f->fields[i]))
			return false;
	}
	for (int64_t i = 0; i < s->n_children; i++) {
		bool known = false;

		for (size_t t = 0; t < m->f->count && !known; t++)
			known = has_key(tables[t], name_of(s->children[i]));
		if (!known && !note_unknown(m, "", name_of(s->children[i])))
			return false;
	}
	return true;
}

static struct from_arrow *make(size_t count)
{
	struct pool *pool = pool_new();
	struct arena arena = { NULL };
	struct from_arrow *f = pool == NULL ? NULL : arena_zalloc(&arena, pool, sizeof *f);

	if (f == NULL) {
		pool_free(pool);
		return NULL;
	}
	*f = (struct from_arrow){ .pool = pool, .arena = arena };
	f->count = count;
	f->tables = allocate(f, (count + 1) * sizeof *f->tables);
	f->fields = allocate(f, (count + 1) * sizeof *f->fields);
	if (f->tables != NULL && f->fields != NULL)
		return f;
	from_arrow_free(f);
	return NULL;
}

struct from_arrow *from_arrow_new(const struct ArrowSchema *schema,
		const struct field *const *tables, size_t count, struct err *e)
{
	struct from_arrow *f;
	struct matcher m = { .e = e };

	if (!is_sound(schema) || strcmp(schema->format, "+s") != 0) {
		err_set(e, "the schema of the input is none of records");
		return NULL;
	}
	f = make(count);
	if (f == NULL) {
		no_memory(e);
		return NULL;
	}
	m.f = f;
	f->children = schema->n_children;
	if (match_tables(&m, schema, tables))
		return f;
	from_arrow_free(f);
	return NULL;
}

void from_arrow_free(struct from_arrow *f)
{
	if (f == NULL)
		return;
	struct pool *pool = f->pool;
	struct arena arena = f->arena; /* which 'f' lies in */

	arena_free(&f->batch, pool);
	arena_free(&arena, pool);
	pool_free(pool);
}

const struct field *from_arrow_fields(const struct from_arrow *f, size_t i)
{
	return f->fields[i];
}

static bool has(const struct column_in *c, const char *path)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct column_in *m = &c->of[i];

		if (strcmp(m->path, path) == 0 || (m->type == FIELD_STRUCT && has(m, path)))
			return true;
	}
	return false;
}

bool from_arrow_has(const struct from_arrow *f, const char *path)
{
	for (size_t i = 0; i < f->count; i++)
		if (has(&f->tables[i], path))
			return true;
	return false;
}

const char *from_arrow_unknown(const struct from_arrow *f, size_t i)
{
	return i < f->unknown_count ? f->unknown[i] : NULL;
}
