/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * schema.c - doc/schema.json: JSON Schema 2020-12 of a record.
 *
 * The keys of a data element come together or not at all, so at the top the first table's fields
 * are required and the others' by dependentRequired: one key of a table asks for the table's first
 * sure field, and that one for all sure ones.  Within objects it is plain "required".
 */
#include "base/json.h"
#include "base/limits.h"
#include "record/plan.h"
#include "record/walk.h"

static void new_line(struct buf *out, unsigned depth)
{
	buf_byte(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_byte(out, '\t');
}

/* A key on a line of its own. */
static void add_key(struct buf *out, unsigned depth, const char *key)
{
	json_comma(out);
	new_line(out, depth);
	json_text(out, key);
	buf_text(out, ": ");
}

static void add_pair(struct buf *out, unsigned depth, const char *key, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	add_key(out, depth, key);
	json_text(out, text);
}

/* Always there and never null. */
static bool is_sure(const struct field *f)
{
	return !(f->flags & (FIELD_OPTIONAL | FIELD_NULLABLE | FIELD_REVERSE)) &&
	       f->null_rule == NULL;
}

static const struct field *next_sure(const struct field *f)
{
	while (f->key != NULL && !is_sure(f))
		f++;
	return f->key == NULL ? NULL : f;
}

/* A list of the keys of all sure fields from 'f' on. */
static void add_sure(struct buf *out, const struct field *f)
{
	buf_byte(out, '[');
	for (f = next_sure(f); f != NULL; f = next_sure(f + 1)) {
		json_comma(out);
		json_text(out, f->key);
	}
	buf_byte(out, ']');
}

/* --- one field ----------------------------------------------------------------------------------
 */

static const char *json_type(enum field_type type)
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
	case FIELD_STRUCT:
		return "object";
	case FIELD_LIST:
		return "array";
	default:
		return "string";
	}
}

static const char *constraint(enum field_type type)
{
	switch (type) {
	case FIELD_U8:
		return "\"minimum\": 0, \"maximum\": 255";
	case FIELD_U16:
		return "\"minimum\": 0, \"maximum\": 65535";
	case FIELD_U32:
		return "\"minimum\": 0, \"maximum\": 4294967295";
	case FIELD_U64:
	case FIELD_MS:
	case FIELD_S:
		return "\"minimum\": 0";
	case FIELD_HEX:
		return "\"pattern\": \"^([0-9a-f]{2})*$\"";
	case FIELD_ADDRESS:
		return "\"anyOf\": [{\"format\": \"ipv4\"}, {\"format\": \"ipv6\"}]";
	default:
		return NULL;
	}
}

static void add_type(struct buf *out, unsigned depth, enum field_type type, bool nullable)
{
	const char *more = constraint(type);

	add_key(out, depth, "type");
	if (nullable)
		buf_byte(out, '[');
	json_text(out, json_type(type));
	if (nullable)
		buf_text(out, ", \"null\"]");
	if (more == NULL)
		return;
	json_comma(out);
	new_line(out, depth);
	buf_text(out, more);
}

static void add_object(struct buf *out, unsigned depth, const struct field *table);

static void add_items(struct buf *out, unsigned depth, const struct field *f)
{
	add_key(out, depth, "items");
	buf_byte(out, '{');
	add_type(out, depth + 1, f->sub != NULL ? FIELD_STRUCT : f->item,
			f->flags & FIELD_NULLABLE);
	if (f->sub != NULL)
		add_object(out, depth + 1, f->sub);
	new_line(out, depth);
	buf_byte(out, '}');
}

static void add_field(struct buf *out, unsigned depth, const struct field *f)
{
	add_key(out, depth, f->key);
	buf_byte(out, '{');
	add_pair(out, depth + 1, "description", f->text);
	add_type(out, depth + 1, f->type, walk_nullable(f));
	if (f->type == FIELD_STRUCT)
		add_object(out, depth + 1, f->sub);
	if (f->type == FIELD_LIST)
		add_items(out, depth + 1, f);
	add_pair(out, depth + 1, "x-unit", f->unit);
	add_pair(out, depth + 1, "x-null", f->null_rule);
	add_pair(out, depth + 1, "x-source", f->source);
	add_pair(out, depth + 1, "x-since", f->since);
	new_line(out, depth);
	buf_byte(out, '}');
}

/* The "properties" and "required" of a struct. */
static void add_object(struct buf *out, unsigned depth, const struct field *table)
{
	if (depth > 4 * LIMIT_RECORD_DEPTH)
		return;
	add_key(out, depth, "properties");
	buf_byte(out, '{');
	for (const struct field *f = table; f->key != NULL; f++)
		add_field(out, depth + 1, f);
	new_line(out, depth);
	buf_byte(out, '}');
	if (next_sure(table) != NULL) {
		add_key(out, depth, "required");
		add_sure(out, table);
	}
}

/* --- the record ---------------------------------------------------------------------------------
 */

static void add_dependent(struct buf *out, const struct field *table)
{
	const struct field *first = next_sure(table);

	if (first == NULL)
		return;
	for (const struct field *f = table; f->key != NULL; f++) {
		if (f == first && next_sure(f + 1) == NULL)
			continue;
		add_key(out, 2, f->key);
		if (f == first) {
			add_sure(out, f + 1);
			continue;
		}
		buf_byte(out, '[');
		json_text(out, first->key);
		buf_byte(out, ']');
	}
}

static void add_properties(struct buf *out, const struct field *const *tables, size_t count)
{
	add_key(out, 1, "properties");
	buf_byte(out, '{');
	for (size_t i = 0; i < count; i++) {
		for (const struct field *f = tables[i]; f->key != NULL; f++)
			add_field(out, 2, f);
	}
	new_line(out, 1);
	buf_byte(out, '}');
}

static void add_requirements(struct buf *out, const struct field *const *tables, size_t count)
{
	if (count > 0 && next_sure(tables[0]) != NULL) {
		add_key(out, 1, "required");
		add_sure(out, tables[0]);
	}
	add_key(out, 1, "dependentRequired");
	buf_byte(out, '{');
	for (size_t i = 1; i < count; i++)
		add_dependent(out, tables[i]);
	new_line(out, 1);
	buf_byte(out, '}');
}

/* Which keys belong to which data element. */
static void add_tables(struct buf *out, const struct field *const *tables, const char *const *names,
		size_t count)
{
	add_key(out, 1, "x-tables");
	buf_byte(out, '{');
	for (size_t i = 0; i < count; i++) {
		add_key(out, 2, names[i]);
		buf_byte(out, '[');
		for (const struct field *f = tables[i]; f->key != NULL; f++) {
			json_comma(out);
			json_text(out, f->key);
		}
		buf_byte(out, ']');
	}
	new_line(out, 1);
	buf_byte(out, '}');
}

void plan_schema(const struct field *const *tables, const char *const *names, size_t count,
		struct buf *out)
{
	buf_byte(out, '{');
	add_pair(out, 1, "$schema", "https://json-schema.org/draft/2020-12/schema");
	add_pair(out, 1, "title", "flow record");
	add_pair(out, 1, "description",
			"One record of pcap2flow: one line of its JSON output that has neither the "
			"key "
			"version nor the key summary. Made from the field tables in the source.");
	add_pair(out, 1, "type", "object");
	add_properties(out, tables, count);
	add_requirements(out, tables, count);
	add_tables(out, tables, names, count);
	buf_text(out, "\n}\n");
}
