/* SPDX-License-Identifier: BSD-3-Clause */
/* explain.c - what explain=NAME prints: the definitions of the fields that a name means. */
#include "base/limits.h"
#include "base/rd.h"
#include "record/plan.h"
#include "record/walk.h"

struct search {
	const char *name;
	struct buf *out;
	bool found;
};

/* Copies a path without the [] of lists, so that people may leave them out. */
static void add_plain(struct buf *out, const char *path, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (path[i] != '[' && path[i] != ']')
			buf_byte(out, path[i]);
	}
}

static bool matches(struct rd path, struct rd name)
{
	if (name.left == 0 || path.left < name.left)
		return false;

	const size_t more = path.left - name.left;
	const bool begins = memcmp(path.p, name.p, name.left) == 0;
	const bool ends = memcmp(path.p + more, name.p, name.left) == 0;

	return (begins && (more == 0 || path.p[name.left] == '.')) ||
	       (ends && more > 0 && path.p[more - 1] == '.');
}

static bool is_meant(const char *name, const struct buf *path)
{
	struct buf plain = buf_new(2 * LIMIT_OPTION_BYTES),
		   wanted = buf_new(2 * LIMIT_OPTION_BYTES);

	add_plain(&plain, path->p, path->size);
	add_plain(&wanted, name, strlen(name));

	const struct rd path_bytes = { (const uint8_t *)plain.p, plain.size };
	const struct rd name_bytes = { (const uint8_t *)wanted.p, wanted.size };
	const bool found = buf_ok(&wanted) && matches(path_bytes, name_bytes);

	buf_free(&plain);
	buf_free(&wanted);
	return found;
}

static void add_line(struct buf *out, const char *label, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_text(out, label);
	buf_text(out, text);
	buf_byte(out, '\n');
}

static void explain(void *ctx, const struct field *f, const struct buf *path)
{
	struct search *s = ctx;

	if (!is_meant(s->name, path))
		return;
	if (s->found)
		buf_byte(s->out, '\n');
	s->found = true;
	buf_bytes(s->out, path->p, path->size);
	buf_text(s->out, "\n  type        ");
	walk_type(f, s->out);
	buf_byte(s->out, '\n');
	add_line(s->out, "  unit        ", f->unit);
	add_line(s->out, "  definition  ", f->text);
	buf_text(s->out, "  null        ");
	walk_null_rule(f, s->out);
	buf_byte(s->out, '\n');
	add_line(s->out, "  source      ", f->source);
	add_line(s->out, "  since       ", f->since == NULL ? "1.0" : f->since);
}

bool plan_explain(
		const struct field *const *tables, size_t count, const char *name, struct buf *out)
{
	struct search s = { name, out, false };

	for (size_t i = 0; i < count; i++)
		walk_fields(tables[i], explain, &s);
	return s.found;
}
