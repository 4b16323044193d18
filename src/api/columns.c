/* SPDX-License-Identifier: BSD-3-Clause */
/* columns.c - which columns a stream has: what is wanted, by names, out of the features that are
 * on.
 */
#include <stdlib.h>
#include <string.h>

#include "api/stream.h"
#include "base/limits.h"

struct tables {
	struct columns_table list[REGISTRY_MAX];
	const struct field *fields[REGISTRY_MAX]; /* of those that have any */
	struct buf options[REGISTRY_MAX];
	size_t count, filled;
};

/* --- what is wanted --------------------------------------------------------------------------- */

void wanted_free(struct wanted *w)
{
	for (size_t i = 0; w->names != NULL && i < w->count; i++)
		free(w->names[i]);
	free(w->names);
	*w = (struct wanted){ 0 };
}

static bool copy_names(struct wanted *w, const char *const *names, size_t count)
{
	if (names == NULL)
		return true;
	w->names = calloc(count + 1, sizeof(char *));
	if (w->names == NULL)
		return false;
	for (; w->count < count; w->count++) {
		w->names[w->count] = strdup(names[w->count]);
		if (w->names[w->count] == NULL)
			return false;
	}
	return true;
}

int joy_columns(struct joy *j, const struct joy_columns *wanted)
{
	if (j->phase != PHASE_SETUP)
		return handle_fail(j, JOY_USAGE, "columns are to be named before the run");
	if (wanted == NULL)
		return handle_fail(j, JOY_USAGE, "no columns given");
	wanted_free(&j->wanted);
	if (!copy_names(&j->wanted, wanted->names, wanted->count)) {
		wanted_free(&j->wanted);
		return handle_fail(j, JOY_FAILED, "no memory for the names of columns");
	}
	j->wanted.batch_rows = wanted->batch_rows;
	j->wanted.batch_bytes = wanted->batch_bytes;
	j->wanted.binary_addresses = wanted->binary_addresses != 0;
	return JOY_OK;
}

/* --- what there is ---------------------------------------------------------------------------- */

static void add_option(struct buf *out, const char *name)
{
	if (out->size > 0)
		buf_byte(out, ',');
	buf_text(out, name);
}

/* The options that switch a feature on, with commas between; none for what is always there. */
static void options_of(const struct feature *f, struct buf *out)
{
	if (f->always && f->enabled == NULL)
		return;
	for (const struct option *o = f->options; o != NULL && o->name != NULL; o++) {
		if (o->flags & OPTION_FEATURE)
			add_option(out, o->name);
	}
	if (f->switched_by != NULL)
		add_option(out, f->switched_by);
	else if (out->size == 0 && f->options != NULL) /* one that names files: by the first */
		add_option(out, f->options->name);
}

static bool add_table(struct tables *t, const struct feature *f, const struct field *fields)
{
	struct buf *options = &t->options[t->count];

	*options = buf_new(LIMIT_OPTION_BYTES);
	options_of(f, options);
	if (options->size > 0)
		buf_byte(options, '\0');
	t->list[t->count++] = (struct columns_table){ fields, f->name, options->p };
	if (fields != NULL)
		t->fields[t->filled++] = fields;
	return buf_ok(options);
}

/* The table that a feature has in the run; its own before that is settled. */
static const struct field *table_of(const struct registry *r, const struct feature *f)
{
	for (size_t i = 0; i < r->on_count; i++)
		if (r->on[i] == f)
			return r->tables[i];
	return f->fields;
}

static bool collect(const struct registry *r, bool all, struct tables *t)
{
	bool done = true;

	*t = (struct tables){ 0 };
	for (size_t i = 0; i < feature_count && done; i++) {
		const struct feature *f = feature_list[i];

		/* those of a rewriting run may have less than the feature's own table */
		if (!all && r->is_on[i])
			done = add_table(t, f, f->fields == NULL ? NULL : table_of(r, f));
		else if (all)
			done = add_table(t, f, f->fields);
	}
	return done;
}

static void drop(struct tables *t)
{
	for (size_t i = 0; i < t->count; i++)
		buf_free(&t->options[i]);
}

/* --- names that nothing has ------------------------------------------------------------------- */

static bool has_field(const struct field *table, const char *name)
{
	const size_t size = strcspn(name, ".");
	const size_t key = strcspn(name, ".[");

	for (const struct field *f = table; f->key != NULL; f++) {
		if (strncmp(f->key, name, key) != 0 || f->key[key] != '\0')
			continue;
		return name[size] == '\0' || (f->sub != NULL && has_field(f->sub, name + size + 1));
	}
	return false;
}

static bool has_any(const struct tables *t, const char *name)
{
	for (size_t i = 0; i < t->filled; i++) {
		if (has_field(t->fields[i], name))
			return true;
	}
	return false;
}

/* 'written': the records were made before, and switching on is too late. */
static bool tell_feature(const struct tables *all, const char *name, bool written, struct err *e)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct columns_table *t = &all->list[i];

		if (t->fields == NULL || t->options == NULL || !has_field(t->fields, name))
			continue;
		if (written)
			return err_set(e,
					"column '%.64s' is of %s, without which these records "
					"were made",
					name, t->feature);
		return err_set(e, "column '%.64s' is of %s: switch that on with %s", name,
				t->feature, t->options);
	}
	return err_set(e, "column '%.64s' is not in these records", name);
}

/* Says why a name is no column; false. */
static bool explain(const char *name, bool written, struct err *e)
{
	struct tables all;
	char nearest[256];

	if (!collect(NULL, true, &all))
		err_set(e, "no column has the name '%.64s'", name);
	else if (has_any(&all, name))
		tell_feature(&all, name, written, e);
	else if (explain_nearest(all.fields, all.filled, name, nearest))
		err_set(e, "no column has the name '%.64s': the nearest is '%s'", name, nearest);
	drop(&all);
	return false;
}

static bool check_names(const struct joy *j, const struct tables *on, struct err *e)
{
	for (size_t i = 0; i < j->wanted.count; i++) {
		if (!has_any(on, j->wanted.names[i]))
			return explain(j->wanted.names[i], j->records != NULL, e);
	}
	return true;
}

/* --- making ----------------------------------------------------------------------------------- */

static struct columns *compile(struct joy *j, const struct tables *t, bool both, bool loose)
{
	const struct wanted *w = &j->wanted;
	const struct columns_conf conf = {
		.tables = t->list,
		.count = t->count,
		.both = both,
		.loose = loose,
		.binary_addresses = w->binary_addresses,
		.names = (const char *const *)w->names,
		.name_count = w->count,
		.batch_rows = w->batch_rows,
		.batch_bytes = w->batch_bytes,
	};

	return columns_new(&conf, &j->error);
}

bool columns_make(struct joy *j, bool all, bool loose, struct columns **out)
{
	struct tables t;

	*out = NULL;
	if (!collect(j->registry, all, &t))
		err_set(&j->error, "no memory for columns");
	else if (check_names(j, &t, &j->error))
		*out = compile(j, &t, all || j->from != NULL || j->registry->core.bidir, loose);
	drop(&t);
	return *out != NULL;
}

int joy_schema(struct joy *j, int all, struct ArrowSchema *out)
{
	struct columns *c = NULL;
	struct buf text = buf_new(LIMIT_TEXT_BYTES);
	bool done;

	*out = (struct ArrowSchema){ 0 };
	if (j->phase == PHASE_SETUP && !registry_preview(j->registry, &j->error))
		return JOY_USAGE;
	done = columns_make(j, all != 0, false, &c);
	configuration_write(j, NULL, &text);
	done = done && (buf_ok(&text) || err_set(&j->error, "no memory for a schema"));
	done = done && columns_schema(c, text.p, text.size, out, &j->error);
	buf_free(&text);
	columns_free(c);
	return done ? JOY_OK : JOY_USAGE;
}
