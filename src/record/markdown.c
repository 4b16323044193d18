/* SPDX-License-Identifier: BSD-3-Clause */
/* markdown.c - doc/fields.md: all fields of all tables, made from the tables themselves. */
#include "record/plan.h"
#include "record/walk.h"

static const char intro[] =
		"# Fields of a flow record\n"
		"\n"
		"This page is made from the field tables in the source; do not edit it by hand.\n"
		"A record is one JSON object with the fields below, in this order. Those of a "
		"section are "
		"there when\n"
		"its data element is switched on and had something to say about the flow. `a.b` is "
		"field "
		"`b` of the\n"
		"object `a`, `a[].b` field `b` of each object in the list `a`. `out` is from the "
		"initiator "
		"to the\n"
		"responder, `in` the way back. In CSV an object becomes one column for each of its "
		"fields, "
		"a list\n"
		"stands in one cell as JSON text.  A field without a value is left out; in CSV its "
		"cell is "
		"empty.\n"
		"\n"
		"Types: *integer* and *number* are JSON numbers (no NaN, no infinity); *text* "
		"comes from "
		"the wire, with\n"
		"bytes that are not UTF-8 read as Latin-1; *word* is one of the program's own; "
		"*hex* is "
		"bytes as pairs\n"
		"of lower-case hexadecimal digits; *address* is IPv4 or IPv6 (RFC 5952).\n";

/* A cell of a table must stay on its line and keep to its column. */
static void add_cell(struct buf *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '|')
			buf_text(out, "\\|");
		else if (text[i] == '<')
			buf_text(out, "&lt;");
		else
			buf_byte(out, text[i] == '\n' ? ' ' : text[i]);
	}
	buf_text(out, " | ");
}

static void add_text(struct buf *out, const char *text)
{
	add_cell(out, text, strlen(text));
}

static void add_row(void *ctx, const struct field *f, const struct buf *path)
{
	struct buf *out = ctx;
	struct buf words = buf_new(path->cap);

	buf_text(out, "| `");
	buf_bytes(out, path->p, path->size);
	buf_text(out, "` | ");
	walk_type(f, &words);
	add_cell(out, words.p, words.size);
	add_text(out, f->unit == NULL ? "" : f->unit);
	add_text(out, f->text == NULL ? "" : f->text);
	buf_clear(&words);
	walk_null_rule(f, &words);
	add_cell(out, words.p, words.size);
	add_text(out, f->source == NULL ? "" : f->source);
	buf_text(out, f->since == NULL ? "1.0 |\n" : f->since);
	if (f->since != NULL)
		buf_text(out, " |\n");
	buf_free(&words);
}

void plan_markdown(const struct field *const *tables, const char *const *names, size_t count,
		struct buf *out)
{
	buf_text(out, intro);
	for (size_t i = 0; i < count; i++) {
		buf_text(out, "\n## ");
		buf_text(out, names[i]);
		buf_text(out, "\n\n| field | type | unit | definition | null | source | since |\n");
		buf_text(out, "|---|---|---|---|---|---|---|\n");
		walk_fields(tables[i], add_row, out);
	}
}
