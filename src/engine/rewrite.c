/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rewrite.c - a row of columns becomes the structs of a record, and these are written as those of a
 * flow are: behind finish() and record() of the data elements that rewrite.
 */
#include "engine/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "feature/base_out.h"
#include "record/pick.h"

struct rewrite {
	const struct registry *r;
	struct from_arrow *from;
	struct pen *pen;
	bool timed;
	bool hides;          /* anonymisation is on */
	struct merge *merge; /* NULL: none */
	struct pool *pool;
	struct arena row, scratch; /* of a record as read, and of what it becomes */
	char *outs;
	size_t outs_size;
	void *read[REGISTRY_MAX];        /* by table of rewrite_tables() */
	const void *found[REGISTRY_MAX]; /* the same */
	size_t table[REGISTRY_MAX];      /* of an 'on': which of these; those of no table: count */
	char *out[REGISTRY_MAX];         /* by 'on' */
	const void *data[REGISTRY_MAX];
	const struct field *fields[REGISTRY_MAX]; /* whole tables */
	bool works[REGISTRY_MAX]; /* it is made ready, and says what it says itself */
	struct feature_env env[REGISTRY_MAX];
	void *workers[REGISTRY_MAX];
	struct rewrite_stats stats;
	bool told_id;
	rewrite_say *say;
	void *ctx;
	struct err *e; /* of the sink */
};

/* --- what is on ------------------------------------------------------------------------------ */

const struct field *const *rewrite_tables(size_t *count)
{
	static const struct field *tables[REGISTRY_MAX];
	size_t n = 0;

	for (size_t i = 0; i < feature_count; i++)
		if (feature_list[i]->fields != NULL)
			tables[n++] = feature_list[i]->fields;
	*count = n;
	return tables;
}

static bool needs(const struct from_arrow *from, const char *const *names, const char *why,
		struct err *e)
{
	for (; *names != NULL; names++)
		if (!from_arrow_has(from, *names))
			return err_set(e, "the records have no column %s, which %s", *names, why);
	return true;
}

static bool has_columns(const struct registry *r, const struct from_arrow *from, struct err *e)
{
	static const char *const key[] = { "sa", "da", "pr", NULL };
	static const char *const id[] = { "sp", "dp", "icmp_type", "icmp_code", NULL };
	static const char *const merge[] = { "flow_id", "part", "end_reason", "time_start",
		"time_end", "sp", "dp", "num_pkts_out", NULL };

	if (!needs(from, key, "is needed to rewrite them", e))
		return false;
	if (from_arrow_has(from, "community_id") &&
			!needs(from, id, "goes into community_id: leave out both or none", e))
		return false;
	return !r->core.merge || needs(from, merge, "is needed to merge them", e);
}

/* A merged record says so, whether the columns have marks or not: 'to' becomes the table of what is
 * there, with them.  False: there are more fields than fit. */
static bool add_marks(const struct field *there, struct field to[static REWRITE_FIELDS])
{
	size_t n = 0;

	for (const struct field *f = base_fields; f->key != NULL && n + 1 < REWRITE_FIELDS; f++) {
		if (strcmp(f->key, "marks") == 0)
			to[n++] = *f;
		if (strcmp(f->key, there->key == NULL ? "" : there->key) != 0)
			continue;
		if (strcmp(f->key, "marks") != 0)
			to[n++] = *there;
		there++;
	}
	to[n] = (struct field){ 0 };
	return there->key == NULL;
}

/* A feature that works says what its own table says; of others there is what the columns have. */
static void set_tables(struct registry *r, const struct from_arrow *from)
{
	size_t table = 0, on = 0;

	for (size_t i = 0; i < feature_count; i++) {
		const bool has_table = feature_list[i]->fields != NULL;

		if (r->is_on[i] && has_table && !r->is_ready[i])
			r->tables[on] = from_arrow_fields(from, table);
		on += r->is_on[i];
		table += has_table;
	}
}

bool rewrite_settle(struct registry *r, const struct from_arrow *from,
		struct field base[static REWRITE_FIELDS], struct err *e)
{
	bool has[REGISTRY_MAX] = { false };
	size_t table = 0;

	for (size_t i = 0; i < feature_count; i++)
		if (feature_list[i]->fields != NULL)
			has[i] = from_arrow_fields(from, table++)[0].key != NULL;
	if (!has_columns(r, from, e) || !registry_settle_records(r, has, e))
		return false;
	set_tables(r, from);
	if (!r->core.merge)
		return true;
	if (!add_marks(r->tables[0], base))
		return err_set(e, "the base of a record has too many fields");
	r->tables[0] = base;
	return true;
}

/* --- making ---------------------------------------------------------------------------------- */

static size_t rounded(size_t size)
{
	return (size + 15) / 16 * 16;
}

/* Room for what is read of each table, then for what each feature says. */
static bool lay_out(struct rewrite *w)
{
	size_t count, at = 0, table = 0;

	rewrite_tables(&count);
	for (size_t i = 0; i < feature_count; i++)
		w->outs_size += rounded(feature_list[i]->out_size);
	w->outs = aligned_alloc(16, w->outs_size + 16);
	for (size_t i = 0, on = 0; w->outs != NULL && i < feature_count; i++) {
		const bool has_table = feature_list[i]->fields != NULL;
		char *to = w->outs + at;

		at += rounded(feature_list[i]->out_size);
		if (has_table)
			w->read[table] = to;
		if (w->r->is_on[i]) {
			w->out[on] = to;
			w->table[on++] = has_table ? table : count;
		}
		table += has_table;
	}
	return w->outs != NULL;
}

static bool make_workers(struct rewrite *w)
{
	static const struct field nothing[] = { { 0 } };

	for (size_t i = 0; i < w->r->on_count; i++) {
		const struct feature *f = w->r->on[i];

		w->fields[i] = f->fields != NULL ? f->fields : nothing;
		w->env[i] = (struct feature_env){ .conf = &w->r->core,
			.options = w->r->on_options[i],
			.pool = w->pool,
			.scratch = &w->scratch };
		w->works[i] = registry_is_ready(w->r, f);
		if (!w->works[i] || f->worker_new == NULL)
			continue;
		w->env[i].worker = w->workers[i] = f->worker_new();
		if (w->workers[i] == NULL)
			return false;
		w->hides |= f->line != NULL;
	}
	return true;
}

static bool write_record(void *ctx, const void **data);

static bool make_merge(struct rewrite *w, struct err *e)
{
	const struct merge_conf conf = { .registry = w->r,
		.memory = w->r->core.memory.bytes,
		.both = from_arrow_has(w->from, "num_pkts_in"),
		.write = write_record,
		.ctx = w };

	if (!w->r->core.merge)
		return true;
	w->merge = merge_new(&conf, e);
	return w->merge != NULL;
}

struct rewrite *rewrite_new(const struct registry *registry, struct from_arrow *from,
		struct sink *sink, rewrite_say *say, void *ctx, struct err *e)
{
	struct rewrite *w = calloc(1, sizeof *w);
	bool good = w != NULL;

	if (good) {
		*w = (struct rewrite){ .r = registry, .from = from, .say = say, .ctx = ctx };
		w->pool = pool_new();
		good = w->pool != NULL && lay_out(w) && make_workers(w);
	}
	if (!good)
		err_set(e, "no memory to rewrite records");
	good = good && make_merge(w, e);
	if (good && sink != NULL) {
		w->pen = pen_new(sink, e);
		good = w->pen != NULL;
		w->timed = good && pen_wants_time(w->pen);
	}
	if (good)
		return w;
	rewrite_free(w);
	return NULL;
}

void rewrite_free(struct rewrite *w)
{
	if (w == NULL)
		return;
	merge_free(w->merge);
	pen_free(w->pen);
	for (size_t i = 0; w->r != NULL && i < w->r->on_count; i++)
		if (w->workers[i] != NULL)
			w->r->on[i]->worker_free(w->workers[i]);
	if (w->pool != NULL) {
		arena_free(&w->row, w->pool);
		arena_free(&w->scratch, w->pool);
	}
	pool_free(w->pool);
	free(w->outs);
	free(w);
}

/* --- a record -------------------------------------------------------------------------------- */

/* A Community ID made with another seed, or of other addresses, cannot be made anew. */
static void check_id(struct rewrite *w, struct base_out *b, struct flow *flow)
{
	if (!w->hides || base_knows_community_id(b, (uint16_t)w->r->core.community_id_seed, flow))
		return;
	b->community_id = (struct field_text){ 0 };
	if (!w->told_id && w->say != NULL)
		w->say(w->ctx, "a community_id was made with another community_id_seed than this "
			       "run has: such are left out, since they may give addresses away");
	w->told_id = true;
}

/* What features say that work on records; 'data' by 'on'. */
static void run_features(struct rewrite *w, const struct flow_view *view, const void **data)
{
	const struct registry *r = w->r;
	const struct feature_record record = { w->fields, data, r->on_count };

	for (size_t i = 0; i < r->on_count; i++) {
		const struct feature *f = r->on[i];

		if (!w->works[i] || f->finish == NULL)
			continue;
		memset(w->out[i], 0, f->out_size);
		data[i] = f->finish(NULL, &w->env[i], view, w->out[i]) ? w->out[i] : NULL;
	}
	for (size_t i = 0; i < r->on_count; i++) {
		const struct feature *f = r->on[i];

		if (!w->works[i] || f->record == NULL)
			continue;
		memset(w->out[i], 0, f->out_size);
		data[i] = f->record(&w->env[i], view, &record, w->out[i]) ? w->out[i] : NULL;
	}
}

/* data[0] is of the base and may be changed, as all that is in it. */
static bool write_record(void *ctx, const void **data)
{
	struct rewrite *w = ctx;
	struct base_out *b = (struct base_out *)(uintptr_t)data[0];
	struct flow flow;
	const struct flow_view view = { &flow, 0, true };
	bool good = true;

	base_flow(b, &flow);
	check_id(w, b, &flow);
	run_features(w, &view, data);
	if (w->timed)
		pen_time(w->pen, b->time_end.ns);
	if (w->pen != NULL)
		good = pen_record(w->pen, data, w->e);
	w->stats.records++;
	arena_free(&w->scratch, w->pool);
	return good;
}

/* The first of its kind is told; the others are counted. */
static void leave_out(struct rewrite *w, const char *why)
{
	char text[600];

	if (w->stats.left_out++ > 0 || w->say == NULL)
		return;
	snprintf(text, sizeof text, "record %llu cannot be rewritten and is left out: %s",
			(unsigned long long)w->stats.read, why);
	w->say(w->ctx, text);
}

static bool read_row(struct rewrite *w, int64_t row, struct err *why)
{
	struct flow flow;
	size_t count;

	rewrite_tables(&count);
	memset(w->outs, 0, w->outs_size);
	if (!from_arrow_row(w->from, row, w->read, w->found, &w->row, w->pool, why))
		return false;
	for (size_t i = 0; i < w->r->on_count; i++)
		w->data[i] = w->table[i] < count && !w->works[i] ? w->found[w->table[i]] : NULL;
	if (w->data[0] == NULL || !base_flow(w->read[0], &flow))
		return err_set(why,
				"column sa, column da: two addresses of one version are needed");
	return true;
}

static bool take_row(struct rewrite *w, int64_t row)
{
	struct err why;
	bool good = true;

	w->stats.read++;
	if (!read_row(w, row, &why))
		leave_out(w, why.text);
	else
		good = w->merge != NULL ? merge_take(w->merge, w->data) : write_record(w, w->data);
	arena_free(&w->row, w->pool);
	return good;
}

bool rewrite_batch(struct rewrite *w, const struct ArrowArray *batch, struct err *e)
{
	struct err why;
	bool good = true;

	w->e = e;
	if (!from_arrow_batch(w->from, batch, &why)) {
		w->stats.damaged++;
		if (w->say != NULL)
			w->say(w->ctx, why.text);
		return true;
	}
	for (int64_t row = 0; row < batch->length && good; row++)
		good = take_row(w, row);
	from_arrow_batch(w->from, NULL, NULL);
	return good;
}

bool rewrite_finish(struct rewrite *w, struct err *e)
{
	w->e = e;
	if (w->merge != NULL && !merge_finish(w->merge))
		return false;
	return w->pen == NULL || pen_flush(w->pen, e);
}

const struct rewrite_stats *rewrite_stats(struct rewrite *w)
{
	if (w->merge != NULL)
		w->stats.merge = *merge_stats(w->merge);
	return &w->stats;
}
