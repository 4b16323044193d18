/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arrow_schema.c - what the columns are, as an ArrowSchema: types, and the words of the field
 * tables as metadata.
 *
 * Each node owns its texts and its children; so a child may be moved out and outlive its parent.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "record/columns_internal.h"

#include <stdlib.h>

struct node {
	struct buf metadata;
	struct ArrowSchema *children; /* and behind them the dictionary */
	struct ArrowSchema *pointers[];
};

static const char *const type_names[] = {
	[FIELD_BOOL] = "bool",
	[FIELD_U8] = "u8",
	[FIELD_U16] = "u16",
	[FIELD_U32] = "u32",
	[FIELD_U64] = "u64",
	[FIELD_I32] = "i32",
	[FIELD_I64] = "i64",
	[FIELD_F64] = "f64",
	[FIELD_WORD] = "word",
	[FIELD_TEXT] = "text",
	[FIELD_HEX] = "hex",
	[FIELD_ADDRESS] = "address",
	[FIELD_TIME] = "time",
	[FIELD_MS] = "ms",
	[FIELD_S] = "s",
	[FIELD_STRUCT] = "struct",
	[FIELD_LIST] = "list",
};

/* --- metadata -----------------------------------------------------------------------------------
 */

static void add_bytes(struct buf *b, const void *p, size_t size)
{
	const int32_t n = (int32_t)size;

	buf_bytes(b, &n, sizeof n);
	buf_bytes(b, p, size);
}

/* The count stands at the beginning; what has no text is left out. */
static void add_pair(struct buf *b, const char *key, const char *value, size_t size)
{
	int32_t count = 0;

	if (value == NULL || size == 0)
		return;
	if (b->size == 0)
		buf_bytes(b, &count, sizeof count);
	add_bytes(b, key, strlen(key));
	add_bytes(b, value, size);
	if (!buf_ok(b))
		return;
	memcpy(&count, b->p, sizeof count);
	count++;
	memcpy(b->p, &count, sizeof count);
}

static void add_text(struct buf *b, const char *key, const char *value)
{
	add_pair(b, key, value, value != NULL ? strlen(value) : 0);
}

static void describe(const struct columns *c, const struct column *col, struct buf *b)
{
	const struct field *f = col->field;
	const struct columns_table *t = &c->tables[col->table];

	if (f != NULL) {
		add_text(b, "unit", f->unit);
		add_text(b, "definition", f->text);
		add_text(b, "null_rule", f->null_rule);
		add_text(b, "source", f->source);
		add_text(b, "since", f->since != NULL ? f->since : "1.0");
	}
	add_text(b, "type", type_names[col->type]);
	if (f == NULL || !columns_is_outermost(c, col))
		return;
	add_text(b, "feature", t->feature);
	add_text(b, "options", t->options);
}

/* --- nodes --------------------------------------------------------------------------------------
 */

static void release_all(struct ArrowSchema *s)
{
	for (int64_t i = 0; i < s->n_children; i++) {
		if (s->children[i]->release != NULL)
			s->children[i]->release(s->children[i]);
	}
	if (s->dictionary != NULL && s->dictionary->release != NULL)
		s->dictionary->release(s->dictionary);
}

static void release(struct ArrowSchema *s)
{
	struct node *n = s->private_data;

	release_all(s);
	buf_free(&n->metadata);
	free(n->children);
	free(n);
	s->release = NULL;
}

/* A schema with room for its children, which are released as yet. */
static struct node *node_new(struct ArrowSchema *s, size_t children, bool dictionary)
{
	struct node *n = calloc(1, sizeof *n + (children + 1) * sizeof(struct ArrowSchema *));

	if (n == NULL)
		return NULL;
	n->metadata = buf_new(LIMIT_TEXT_BYTES);
	n->children = calloc(children + 1, sizeof *n->children);
	if (n->children == NULL) {
		free(n);
		return NULL;
	}
	for (size_t i = 0; i <= children; i++)
		n->pointers[i] = &n->children[i];
	*s = (struct ArrowSchema){ .n_children = (int64_t)children,
		.children = children > 0 ? n->pointers : NULL,
		.dictionary = dictionary ? n->pointers[children] : NULL,
		.release = release,
		.private_data = n };
	return n;
}

static const char *format_of(const struct column *c)
{
	static const char *const formats[] = {
		[FIELD_BOOL] = "b",
		[FIELD_U8] = "C",
		[FIELD_U16] = "S",
		[FIELD_U32] = "I",
		[FIELD_U64] = "L",
		[FIELD_I32] = "i",
		[FIELD_I64] = "l",
		[FIELD_F64] = "g",
		[FIELD_WORD] = "u",
		[FIELD_TEXT] = "u",
		[FIELD_HEX] = "z",
		[FIELD_ADDRESS] = "u",
		[FIELD_TIME] = "tsn:UTC",
		[FIELD_MS] = "g",
		[FIELD_S] = "g",
		[FIELD_STRUCT] = "+s",
		[FIELD_LIST] = "+l",
	};

	if (c->layout == COLUMN_WORDS)
		return "i";
	if (c->type == FIELD_ADDRESS && c->layout == COLUMN_FIXED)
		return "w:16";
	return formats[c->type];
}

static size_t count_children(const struct columns *c, const struct column *of)
{
	size_t count = 0;

	for (uint32_t i = of->index + 1; i < of->next; i = c->column[i].next)
		count++;
	return count;
}

static bool add_dictionary(struct ArrowSchema *s)
{
	if (s->dictionary == NULL)
		return true;
	if (node_new(s->dictionary, 0, false) == NULL)
		return false;
	s->dictionary->format = "u";
	s->dictionary->name = "";
	return true;
}

static bool add_column(const struct columns *c, const struct column *col, struct ArrowSchema *s);

static bool add_children(const struct columns *c, const struct column *of, struct ArrowSchema *s)
{
	size_t n = 0;

	for (uint32_t i = of->index + 1; i < of->next; i = c->column[i].next) {
		if (!add_column(c, &c->column[i], s->children[n++]))
			return false;
	}
	return true;
}

/* False: out of memory, and what is there is to be released. */
static bool add_column(const struct columns *c, const struct column *col, struct ArrowSchema *s)
{
	struct node *n = node_new(s, count_children(c, col), col->layout == COLUMN_WORDS);

	if (n == NULL)
		return false;
	s->format = format_of(col);
	s->name = col->key;
	s->flags = col->nulls != COLUMN_FULL ? ARROW_FLAG_NULLABLE : 0;
	if (col->index > 0)
		describe(c, col, &n->metadata);
	s->metadata = n->metadata.p;
	return buf_ok(&n->metadata) && add_dictionary(s) && add_children(c, col, s);
}

bool columns_schema(const struct columns *c, const char *configuration, size_t size,
		struct ArrowSchema *out, struct err *e)
{
	struct node *n;
	bool done;

	*out = (struct ArrowSchema){ 0 };
	done = add_column(c, &c->column[0], out);
	if (done) {
		n = out->private_data;
		add_text(&n->metadata, "joy.version", JOY_VERSION);
		add_pair(&n->metadata, "joy.configuration", configuration, size);
		out->metadata = n->metadata.p;
		done = buf_ok(&n->metadata);
	}
	if (done)
		return true;
	if (out->release != NULL)
		out->release(out);
	return err_set(e, "no memory for a schema");
}
