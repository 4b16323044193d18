/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rewrite.c - joy_rewrite(): records that are columns go through what rewrites records, and out as
 * those of a run do.
 *
 * How the records were made is said by the metadata of the schema (joy.configuration).  It goes on
 * into the output, and what rewriting needs of it is taken over where the caller has not set it.
 */
#include <stdlib.h>
#include <string.h>

#include "api/heads.h"
#include "api/stream.h"
#include "record/arrow.h"

enum { METADATA_PAIRS = 1024 };

/* --- what the records were made with --------------------------------------------------------- */

static int32_t metadata_number(const char **at)
{
	int32_t v;

	memcpy(&v, *at, sizeof v);
	*at += sizeof v;
	return v;
}

/* The value of a key in the metadata of a schema. */
static bool metadata_find(const char *metadata, const char *key, struct rd *value)
{
	const char *at = metadata;
	int32_t pairs = metadata == NULL ? 0 : metadata_number(&at);

	for (int32_t i = 0; i < pairs && i < METADATA_PAIRS; i++) {
		const int32_t key_size = metadata_number(&at);
		const char *name = at;

		if (key_size < 0)
			return false;
		at += key_size;

		const int32_t size = metadata_number(&at);

		if (size < 0)
			return false;
		if ((size_t)key_size == strlen(key) && memcmp(name, key, (size_t)key_size) == 0) {
			*value = (struct rd){ (const uint8_t *)at, (size_t)size };
			return true;
		}
		at += size;
	}
	return false;
}

/* An option's value as conf_set() takes it goes from one registry to another. */
static bool copy_option(
		const struct registry *from, struct registry *to, const char *name, struct err *e)
{
	const struct option_set *in = NULL;
	const struct option *o = conf_find(&from->sets, name, &in);
	struct buf value = buf_new(LIMIT_OPTION_BYTES);
	bool good = o != NULL;

	if (good)
		conf_value(o, in->base, &value);
	buf_byte(&value, '\0');
	good = good && buf_ok(&value) && conf_set(&to->sets, name, value.p, e);
	buf_free(&value);
	return good;
}

/* What this run was told stands above what the records were made with. */
static bool put_own(const struct joy *j, struct registry *told, struct err *e)
{
	const struct option_sets *sets = &j->registry->sets;

	for (size_t i = 0; i < sets->count; i++)
		for (const struct option *o = sets->set[i].table; o->name != NULL; o++)
			if (conf_rank_of(sets, o->name) != CONF_INITIAL &&
					!copy_option(j->registry, told, o->name, e))
				return false;
	return true;
}

/* Options that say how records were made, and that rewriting goes by. */
static bool take_over(struct joy *j)
{
	static const char *const names[] = { "num_pkts", "community_id_seed", "stats_idle",
		"dist_bytes" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (conf_rank_of(&j->registry->sets, names[i]) == CONF_INITIAL &&
				!copy_option(j->told, j->registry, names[i], &j->error))
			return false;
	return true;
}

/* The options of the run that made the records, and of this one. */
static bool read_told(struct joy *j, const struct ArrowSchema *schema)
{
	struct rd text;

	j->told = registry_new(&j->error);
	if (j->told == NULL)
		return false;
	if (metadata_find(schema->metadata, "joy.configuration", &text))
		heads_options(j->told, text);
	return put_own(j, j->told, &j->error) && take_over(j);
}

static bool switch_on(struct registry *told, const struct feature *f, struct err *e)
{
	for (const struct option *o = f->options; o != NULL && o->name != NULL; o++)
		if ((o->flags & OPTION_FEATURE) &&
				!conf_set(&told->sets, o->name, o->on == NULL ? "1" : o->on, e))
			return false;
	return true;
}

/* Nobody told of features whose columns are there, of records that others kept. */
static bool tell_features(struct joy *j)
{
	const bool both = from_arrow_has(j->from, "num_pkts_in");

	if (both != j->told->core.bidir &&
			!conf_set(&j->told->sets, "bidir", both ? "1" : "0", &j->error))
		return false;
	if (!registry_preview(j->told, &j->error))
		return false;
	for (size_t i = 0; i < feature_count; i++)
		if (j->registry->is_on[i] && !j->told->is_on[i] &&
				!switch_on(j->told, feature_list[i], &j->error))
			return false;
	return true;
}

/* --- the input ------------------------------------------------------------------------------- */

static int input_failed(struct joy *j, struct ArrowArrayStream *in, int status)
{
	const char *why = in->get_last_error == NULL ? NULL : in->get_last_error(in);

	return handle_fail(j, JOY_FAILED, "the input failed: %s",
			why != NULL ? why : strerror(status));
}

static void tell_unknown(struct joy *j)
{
	const char *name;

	for (size_t i = 0; (name = from_arrow_unknown(j->from, i)) != NULL; i++)
		handle_log(j, JOY_LOG_WARNING,
				"column %s is none of a record, or not of this version: left out",
				name);
}

static int match_columns(struct joy *j, const struct ArrowSchema *schema)
{
	size_t count;
	const struct field *const *tables = rewrite_tables(&count);

	j->from = from_arrow_new(schema, tables, count, &j->error);
	if (j->from == NULL)
		return JOY_FAILED;
	tell_unknown(j);
	if (!read_told(j, schema) ||
			!rewrite_settle(j->registry, j->from, j->rewrite_base, &j->error) ||
			!tell_features(j))
		return JOY_USAGE;
	if (j->stream != NULL && !columns_make(j, false, false, &j->columns))
		return JOY_USAGE;
	j->plan = plan_new(j->registry->tables, j->registry->on_count, true, &j->error);
	return j->plan != NULL ? JOY_OK : JOY_FAILED;
}

static int match(struct joy *j, struct ArrowArrayStream *in)
{
	struct ArrowSchema schema = { .release = NULL };
	int status = in->get_schema(in, &schema);

	if (status != 0)
		return input_failed(j, in, status);
	status = match_columns(j, &schema);
	if (schema.release != NULL)
		schema.release(&schema);
	return status;
}

static void say(void *ctx, const char *text)
{
	handle_log(ctx, JOY_LOG_WARNING, "%s", text);
}

/* --- the run --------------------------------------------------------------------------------- */

static int open_rewrite(struct joy *j, const void *input)
{
	int status = run_check(j);

	(void)input; /* it is the handle's by now */
	if (status != JOY_OK)
		return status;
	if (j->registry->core.interface != NULL)
		return handle_fail(j, JOY_USAGE, "input is interface= or records, not both");
	j->phase = PHASE_OVER;
	status = match(j, &j->input);
	if (status != JOY_OK)
		return status;
	if (!output_open(j))
		return JOY_FAILED;
	j->rewrite = rewrite_new(j->registry, j->from, j->sink, say, j, &j->error);
	return j->rewrite != NULL ? JOY_OK : JOY_FAILED;
}

static bool has_ended(struct joy *j)
{
	drain_note(j);
	if (j->upload != NULL)
		upload_poll(j->upload);
	return drain_ends(j) || (j->progress != NULL && j->progress(j->progress_ctx) != 0);
}

/* All batches, or as many as somebody wants. */
static int rewrite_all(struct joy *j, struct ArrowArrayStream *in)
{
	struct ArrowArray batch = { .release = NULL };
	int status;

	while (!has_ended(j)) {
		status = in->get_next(in, &batch);
		if (status != 0)
			return input_failed(j, in, status);
		if (batch.release == NULL)
			return JOY_OK;

		bool good = rewrite_batch(j->rewrite, &batch, &j->error);

		batch.release(&batch);
		if (!good)
			return JOY_FAILED;
	}
	return JOY_OK;
}

/* Done, but for what could not be. */
static int judge(struct joy *j)
{
	const struct rewrite_stats *s = rewrite_stats(j->rewrite);

	if (s->left_out + s->damaged == 0)
		return JOY_OK;
	return handle_fail(j, JOY_DAMAGED,
			"%llu of %llu records and %llu batches could not be rewritten and are left "
			"out",
			(unsigned long long)s->left_out, (unsigned long long)s->read,
			(unsigned long long)s->damaged);
}

static int go_rewrite(struct joy *j)
{
	int status;

	if (j->ready != NULL && j->ready(j->ready_ctx) != 0)
		return handle_fail(j, JOY_FAILED, "the caller was not ready");
	if (!run_begin(j, NULL))
		return run_give_up(j);
	status = rewrite_all(j, &j->input);
	if (status != JOY_OK || !rewrite_finish(j->rewrite, &j->error))
		return run_give_up(j);
	status = run_end(j);
	rewrite_release(j);
	return status == JOY_OK ? judge(j) : status;
}

void rewrite_release(struct joy *j)
{
	if (j->input.release != NULL)
		j->input.release(&j->input);
	j->input.release = NULL;
}

/* The struct moves into the handle; the caller's is released, whatever comes of it. */
static int take_input(struct joy *j, struct ArrowArrayStream *in)
{
	if (in == NULL || in->release == NULL)
		return handle_fail(j, JOY_USAGE, "no input given");
	if (j->phase != PHASE_SETUP || j->stream != NULL) {
		in->release(in);
		return handle_fail(j, JOY_USAGE, "a handle is for one run");
	}
	j->input = *in;
	in->release = NULL;
	return JOY_OK;
}

int joy_rewrite(struct joy *j, struct ArrowArrayStream *in)
{
	int status = take_input(j, in);

	if (status != JOY_OK)
		return status;
	status = open_rewrite(j, NULL);
	if (status == JOY_OK)
		status = go_rewrite(j);
	rewrite_release(j);
	return status;
}

int joy_stream_rewrite(struct joy *j, struct ArrowArrayStream *in, struct ArrowArrayStream *out)
{
	static const struct drain_run rewrite_run = { .open = open_rewrite, .go = go_rewrite };
	int status = take_input(j, in);

	*out = (struct ArrowArrayStream){ 0 };
	if (status != JOY_OK)
		return status;
	status = drain_open(j, &rewrite_run, NULL, out);
	if (status != JOY_OK)
		rewrite_release(j);
	return status;
}
