/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pick.c - compiles field tables into trees of what is wanted, and walks them.
 *
 * Structs in place are flattened, so that a tree has a level for each list of structs only.
 */
#include "record/pick.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"

struct step {
	const struct field *field;
	uint32_t offset;
	char *path;
	struct pick *items; /* of a list of structs; else NULL */
};

struct pick {
	struct step *steps;
	size_t count;
};

struct compiler {
	pick_wants *wants;
	struct buf path;
	unsigned depth;
	struct err *e;
};

static bool compile(struct compiler *c, struct pick *p, const struct field *table, uint32_t offset);

/* --- compiling --------------------------------------------------------------------------- */

static bool add_step(struct compiler *c, struct pick *p, struct step step)
{
	struct step *more = reallocarray(p->steps, p->count + 1, sizeof *more);

	if (more != NULL)
		p->steps = more;
	step.path = buf_ok(&c->path) ? strndup(c->path.p, c->path.size) : NULL;
	if (more == NULL || step.path == NULL) {
		pick_free(step.items);
		free(step.path);
		return err_set(c->e, "no memory for a table of fields");
	}
	p->steps[p->count++] = step;
	return true;
}

static bool compile_list(struct compiler *c, struct pick *p, const struct field *f, uint32_t offset)
{
	struct pick *items = calloc(1, sizeof *items);

	if (items == NULL)
		return err_set(c->e, "no memory for a table of fields");
	if (!compile(c, items, f->sub, 0)) {
		pick_free(items);
		return false;
	}
	if (items->count > 0)
		return add_step(c, p, (struct step){ f, offset + f->offset, NULL, items });
	pick_free(items);
	return true;
}

static bool compile_field(
		struct compiler *c, struct pick *p, const struct field *f, uint32_t offset)
{
	if (f->type == FIELD_STRUCT)
		return compile(c, p, f->sub, offset + f->offset);
	if (f->type == FIELD_LIST && f->sub != NULL)
		return compile_list(c, p, f, offset);
	if (!c->wants(f))
		return true;
	return add_step(c, p, (struct step){ f, offset + f->offset, NULL, NULL });
}

static bool compile(struct compiler *c, struct pick *p, const struct field *table, uint32_t offset)
{
	size_t before = c->path.size;
	bool good = true;

	if (++c->depth > LIMIT_RECORD_DEPTH)
		return err_set(c->e, "structs of a record lie more than %d deep",
				LIMIT_RECORD_DEPTH);
	for (const struct field *f = table; good && f->key != NULL; f++) {
		if (before > 0)
			buf_byte(&c->path, '.');
		buf_text(&c->path, f->key);
		good = compile_field(c, p, f, offset);
		c->path.size = before;
	}
	c->depth--;
	return good;
}

struct pick *pick_new(const struct field *table, pick_wants *wants, struct err *e)
{
	struct compiler c = { .wants = wants, .path = buf_new(4096), .e = e };
	struct pick *p = calloc(1, sizeof *p);
	bool good = p != NULL ? compile(&c, p, table, 0)
			      : err_set(e, "no memory for a table of fields");

	buf_free(&c.path);
	if (good)
		return p;
	pick_free(p);
	return NULL;
}

void pick_free(struct pick *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++) {
		pick_free(p->steps[i].items);
		free(p->steps[i].path);
	}
	free(p->steps);
	free(p);
}

bool pick_is_empty(const struct pick *p)
{
	return p->count == 0;
}

/* --- walking ----------------------------------------------------------------------------- */

/* The items of a list, where they may be changed; NULL when there are none. */
static char *items_of(const struct step *s, const struct pick_walk *walk, struct field_list *list)
{
	size_t size = list->count * s->field->item_size;
	void *copy;

	if (list->count == 0 || walk->copy == NULL)
		return (char *)(uintptr_t)list->items;
	copy = walk->copy(walk->ctx, size);
	if (copy == NULL) {
		*list = (struct field_list){ 0 };
		return NULL;
	}
	memcpy(copy, list->items, size);
	list->items = copy;
	return copy;
}

static void visit_list(const struct step *s, const struct pick_walk *walk, struct field_list *list)
{
	char *items = items_of(s, walk, list);

	for (size_t i = 0; items != NULL && i < list->count; i++) {
		char *item = items + i * s->field->item_size;

		if (s->items != NULL)
			pick_visit(s->items, walk, item); /* as deep as pick_new() allowed */
		else
			walk->visit(walk->ctx, s->field, s->field->item, s->path, item);
	}
}

void pick_visit(const struct pick *p, const struct pick_walk *walk, void *data)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct step *s = &p->steps[i];
		void *at = (char *)data + s->offset;

		if (s->field->type == FIELD_LIST)
			visit_list(s, walk, at);
		else
			walk->visit(walk->ctx, s->field, s->field->type, s->path, at);
	}
}

void pick_null(enum field_type type, void *at)
{
	switch (type) {
	case FIELD_U8:
	case FIELD_BOOL:
		memset(at, type == FIELD_U8 ? 0xff : 0, 1);
		break;
	case FIELD_U16:
		memset(at, 0xff, 2);
		break;
	case FIELD_U32:
	case FIELD_I32:
		memset(at, 0xff, 4);
		break;
	case FIELD_U64:
	case FIELD_I64:
	case FIELD_F64: /* a NaN */
	case FIELD_MS:
	case FIELD_S:
		memset(at, 0xff, 8);
		break;
	case FIELD_WORD:
		*(const char **)at = NULL;
		break;
	case FIELD_TEXT:
		*(struct field_text *)at = (struct field_text){ 0 };
		break;
	case FIELD_HEX:
		*(struct field_hex *)at = (struct field_hex){ 0 };
		break;
	case FIELD_ADDRESS:
		*(struct field_address *)at = (struct field_address){ 0 };
		break;
	default: /* a time is never null; lists and structs are left out by what they hold */
		break;
	}
}
