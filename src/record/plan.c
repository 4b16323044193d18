/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan.c - compile field tables into steps: punctuation prepared, structs flattened, room counted.
 *
 * What is compiled is checked: a key that stands twice at one place, a list of something that no
 * list can hold, or structs without end are errors of a table and end the start.
 */
#include "base/limits.h"
#include "record/step.h"
#include "record/value.h"

#include <stdlib.h>

enum { LINE = 64 };

struct plan_memory {
	struct plan_memory *next;
	char pad[LINE - sizeof(struct plan_memory *)];
	char bytes[];
};

struct compile {
	struct plan *plan;
	struct buf path; /* of the struct being compiled, with a point behind */
	bool both;
	bool in_list; /* has no columns */
	unsigned depth;
	struct err *e;
};

static const char key_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

void *plan_allocate(struct plan *p, size_t size)
{
	const size_t all = (sizeof(struct plan_memory) + size + LINE - 1) / LINE * LINE;
	struct plan_memory *m = aligned_alloc(LINE, all);

	if (m == NULL)
		return NULL;
	memset(m, 0, all);
	m->next = p->memory;
	p->memory = m;
	return m->bytes;
}

static bool no_memory(struct err *e)
{
	return err_set(e, "no memory for the tables of fields");
}

static bool is_used(const struct compile *c, const struct field *f)
{
	return c->both || !(f->flags & FIELD_REVERSE);
}

/* --- checks -------------------------------------------------------------------------------------
 */

static bool is_scalar(enum field_type type)
{
	return type > FIELD_NONE && type < FIELD_STRUCT;
}

static bool check_field(const struct compile *c, const struct field *f)
{
	const bool list = f->type == FIELD_LIST;

	if (strspn(f->key, key_bytes) != strlen(f->key) || f->key[0] == '\0')
		return err_set(c->e, "field %.*s%s: keys are letters, digits, _ and -",
				(int)c->path.size, c->path.size > 0 ? c->path.p : "", f->key);
	if (strlen(f->key) > STEP_KEY_MAX)
		return err_set(c->e, "field %.*s%s: keys have at most %d characters",
				(int)c->path.size, c->path.size > 0 ? c->path.p : "", f->key,
				STEP_KEY_MAX);
	if (list && f->sub == NULL && is_scalar(f->item) && f->item_size > 0)
		return true;
	if (list && f->sub != NULL && f->item_size > 0)
		return true;
	if (is_scalar(f->type) || (f->type == FIELD_STRUCT && f->sub != NULL))
		return true;
	return err_set(c->e, "field %.*s%s: a table gives it a type that cannot be written",
			(int)c->path.size, c->path.size > 0 ? c->path.p : "", f->key);
}

static bool check_size(const struct compile *c, const struct field *f, uint32_t offset)
{
	if (f->offset <= UINT16_MAX - offset && f->item_size <= UINT16_MAX)
		return true;
	return err_set(c->e, "field %.*s%s: structs have at most %d bytes", (int)c->path.size,
			c->path.size > 0 ? c->path.p : "", f->key, UINT16_MAX);
}

/* Whether a key of 'f' and those behind it is also in 'others', up to 'end' or the table's end. */
static bool check_key(const struct compile *c, const struct field *f, const struct field *others,
		const struct field *end)
{
	for (const struct field *o = others; o != end && o->key != NULL; o++) {
		if (strcmp(o->key, f->key) == 0)
			return err_set(c->e, "field %.*s%s: two tables or lines have this key",
					(int)c->path.size, c->path.size > 0 ? c->path.p : "",
					f->key);
	}
	return true;
}

static bool check_tables(const struct compile *c, const struct field *const *tables, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (const struct field *f = tables[i]; f->key != NULL; f++) {
			for (size_t k = 0; k < i; k++) {
				if (!check_key(c, f, tables[k], NULL))
					return false;
			}
		}
	}
	return true;
}

/* --- steps --------------------------------------------------------------------------------------
 */

static size_t count_steps(const struct compile *c, const struct field *table, unsigned depth)
{
	size_t count = 0;

	for (const struct field *f = table; f->key != NULL && depth < LIMIT_RECORD_DEPTH; f++) {
		count++;
		if (f->type == FIELD_STRUCT && f->sub != NULL && is_used(c, f))
			count += 1 + count_steps(c, f->sub, depth + 1);
	}
	return count;
}

/* The key needs no escapes and fits: check_field() has seen to that. */
static void set_prefix(const struct field *f, struct step *s)
{
	size_t size = strlen(f->key);

	s->prefix[0] = '"';
	memcpy(s->prefix + 1, f->key, size++);
	s->prefix[size++] = '"';
	s->prefix[size++] = ':';
	if (f->type == FIELD_STRUCT || f->type == FIELD_LIST)
		s->prefix[size++] = f->type == FIELD_LIST ? '[' : '{';
	s->prefix_size = (uint8_t)size;
}

static void add_column(struct compile *c, const struct field *f)
{
	struct buf *header = &c->plan->header;

	if (c->in_list || f->type == FIELD_STRUCT)
		return;
	if (header->size > 0)
		buf_byte(header, ',');
	buf_bytes(header, c->path.p, c->path.size);
	buf_text(header, f->key);
}

static bool compile_object(struct compile *c, const struct field *table, struct object *o);

static bool compile_items(struct compile *c, const struct field *f, struct step *s)
{
	struct object *o = plan_allocate(c->plan, sizeof *o);
	const bool in_list = c->in_list;

	if (o == NULL)
		return no_memory(c->e);
	c->in_list = true;
	c->depth++;
	s->items = o;

	bool done = compile_object(c, f->sub, o);

	c->depth--;
	c->in_list = in_list;
	return done;
}

static bool compile_fields(
		struct compile *c, const struct field *table, uint32_t offset, struct object *o);

/* Whether one of its members is always written. */
static bool has_sure_member(const struct compile *c, const struct field *table)
{
	for (const struct field *f = table; f->key != NULL; f++)
		if (is_used(c, f) && !(f->flags & FIELD_OPTIONAL) && f->type != FIELD_STRUCT)
			return true;
	return false;
}

/* A struct in place: its members' steps, then the step that closes it. */
static bool compile_struct(
		struct compile *c, const struct field *f, const struct step *open, struct object *o)
{
	struct step close = { .type = STEP_CLOSE, .op = OP_CLOSE, .flags = open->flags };
	const size_t path = c->path.size, before = o->count;

	buf_text(&c->path, f->key);
	buf_byte(&c->path, '.');
	c->depth++;

	bool done = compile_fields(c, f->sub, open->offset, o);

	c->depth--;
	c->path.size = path;
	if (o->count == before) /* all its members are of the other direction */
		close.flags |= FIELD_OPTIONAL;
	close.filled = has_sure_member(c, f->sub);
	close.item_size = open->prefix_size;
	o->steps[o->count++] = close;
	return done;
}

/* The short way to write a field, if there is one. */
static enum step_op op_of(const struct field *f)
{
	const bool optional = f->flags & FIELD_OPTIONAL, nullable = f->flags & FIELD_NULLABLE;
	const unsigned size = f->type - FIELD_U8; /* of a whole number: 0, 1, 2, 3 */

	switch (f->type) {
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
		if (!nullable)
			return OP_U8 + size;
		return optional ? OP_SOME_U8 + size : OP_OTHER;
	case FIELD_I32:
		return optional && nullable ? OP_I32 : OP_OTHER;
	case FIELD_I64:
		return optional && nullable ? OP_I64 : OP_OTHER;
	case FIELD_MS:
		return OP_MS;
	case FIELD_F64:
		return optional ? OP_F64 : OP_OTHER;
	case FIELD_TIME:
		return OP_TIME;
	case FIELD_WORD:
		return OP_WORD;
	case FIELD_TEXT:
		return OP_TEXT;
	case FIELD_HEX:
		return OP_HEX;
	case FIELD_LIST:
		return OP_LIST;
	case FIELD_STRUCT:
		return OP_OPEN;
	default:
		return OP_OTHER;
	}
}

static bool compile_field(
		struct compile *c, const struct field *f, uint32_t offset, struct object *o)
{
	struct step *s = &o->steps[o->count++];

	if (!check_field(c, f) || !check_size(c, f, offset))
		return false;
	*s = (struct step){ .type = (uint8_t)f->type,
		.item = (uint8_t)f->item,
		.op = (uint8_t)op_of(f),
		.flags = f->flags,
		.offset = (uint16_t)(offset + f->offset),
		.item_size = (uint16_t)f->item_size };
	set_prefix(f, s);
	add_column(c, f);
	if (f->type == FIELD_STRUCT)
		return compile_struct(c, f, s, o);
	return f->type != FIELD_LIST || f->sub == NULL || compile_items(c, f, s);
}

static bool compile_fields(
		struct compile *c, const struct field *table, uint32_t offset, struct object *o)
{
	if (c->depth >= LIMIT_RECORD_DEPTH)
		return err_set(c->e, "field %.*s: more than %d structs within each other",
				(int)c->path.size, c->path.size > 0 ? c->path.p : "",
				LIMIT_RECORD_DEPTH);
	for (const struct field *f = table; f->key != NULL; f++) {
		if (!check_key(c, f, table, f))
			return false;
		if (is_used(c, f) && !compile_field(c, f, offset, o))
			return false;
	}
	return true;
}

static bool compile_object(struct compile *c, const struct field *table, struct object *o)
{
	o->steps = plan_allocate(c->plan, (count_steps(c, table, c->depth) + 1) * sizeof *o->steps);
	if (o->steps == NULL)
		return no_memory(c->e);
	if (!compile_fields(c, table, 0, o))
		return false;

	step_merge(o);
	o->steps[o->count] = (struct step){ .op = OP_END };
	if (!step_find_runs(c->plan, o))
		return no_memory(c->e);
	step_bind(o);
	o->room = STEP_SLACK;
	for (size_t i = o->count; i > 0; i--) {
		o->steps[i - 1].rest = o->room;
		o->room += STEP_PREFIX + VALUE_ROOM;
	}
	return true;
}

static bool compile_tables(struct compile *c, const struct field *const *tables, size_t count)
{
	if (!check_tables(c, tables, count))
		return false;
	c->plan->tables = plan_allocate(c->plan, (count + 1) * sizeof *c->plan->tables);
	if (c->plan->tables == NULL)
		return no_memory(c->e);
	c->plan->count = count;
	for (size_t i = 0; i < count; i++) {
		if (!compile_object(c, tables[i], &c->plan->tables[i]))
			return false;
	}
	return (buf_ok(&c->path) && buf_ok(&c->plan->header)) || no_memory(c->e);
}

struct plan *plan_new(const struct field *const *tables, size_t count, bool both, struct err *e)
{
	struct plan *p = calloc(1, sizeof *p);
	struct compile c = { .plan = p, .path = buf_new(LIMIT_OPTION_BYTES), .both = both, .e = e };

	if (p == NULL) {
		no_memory(e);
		return NULL;
	}
	p->header = buf_new(LIMIT_RECORD_BYTES);

	bool done = compile_tables(&c, tables, count);

	buf_free(&c.path);
	if (!done) {
		plan_free(p);
		return NULL;
	}
	return p;
}

void plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	while (p->memory != NULL) {
		struct plan_memory *next = p->memory->next;

		free(p->memory);
		p->memory = next;
	}
	buf_free(&p->header);
	free(p);
}

size_t plan_tables(const struct plan *p)
{
	return p->count;
}
