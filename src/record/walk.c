/* SPDX-License-Identifier: BSD-3-Clause */
/* walk.c - walk the field tables for documents. */
#include "record/walk.h"

#include "base/limits.h"

static void visit_table(const struct field *table, struct buf *path, unsigned depth,
		walk_visit *visit, void *ctx)
{
	const size_t outer = path->size;

	if (depth >= LIMIT_RECORD_DEPTH)
		return;
	for (const struct field *f = table; f->key != NULL; f++) {
		buf_text(path, f->key);
		if (f->type == FIELD_LIST)
			buf_text(path, "[]");
		visit(ctx, f, path);
		if (f->sub != NULL) {
			buf_byte(path, '.');
			visit_table(f->sub, path, depth + 1, visit, ctx);
		}
		path->size = outer;
	}
}

void walk_fields(const struct field *table, walk_visit *visit, void *ctx)
{
	struct buf path = buf_new(LIMIT_OPTION_BYTES);

	visit_table(table, &path, 0, visit, ctx);
	buf_free(&path);
}

static const char *type_name(enum field_type type)
{
	switch (type) {
	case FIELD_BOOL:
		return "boolean";
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_I32:
	case FIELD_I64:
		return "integer";
	case FIELD_F64:
	case FIELD_TIME:
	case FIELD_MS:
	case FIELD_S:
		return "number";
	case FIELD_WORD:
		return "word";
	case FIELD_TEXT:
		return "text";
	case FIELD_HEX:
		return "hex";
	case FIELD_ADDRESS:
		return "address";
	default:
		return "object";
	}
}

void walk_type(const struct field *f, struct buf *out)
{
	if (f->type == FIELD_LIST)
		buf_text(out, "list of ");
	buf_text(out, type_name(f->type == FIELD_LIST ? f->item : f->type));
	if (f->type == FIELD_LIST && f->sub != NULL)
		buf_text(out, "s");
}

bool walk_nullable(const struct field *f)
{
	return !(f->flags & FIELD_OPTIONAL) && f->type != FIELD_LIST && f->type != FIELD_STRUCT &&
	       (f->null_rule != NULL || (f->flags & FIELD_NULLABLE));
}

void walk_null_rule(const struct field *f, struct buf *out)
{
	const bool reverse = f->flags & FIELD_REVERSE, optional = f->flags & FIELD_OPTIONAL;

	const bool says_so = f->null_rule != NULL && strstr(f->null_rule, "left out") != NULL;

	if (optional && f->null_rule == NULL)
		buf_text(out, "left out when it has no value");
	if (optional && f->null_rule != NULL && !says_so)
		buf_text(out, "left out: ");
	if (f->null_rule != NULL)
		buf_text(out, f->null_rule);
	else if (!optional)
		buf_text(out, reverse ? "never null" : "never");
	if (reverse)
		buf_text(out, "; only in records of both directions");
}
