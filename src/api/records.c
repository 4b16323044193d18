/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * records.c - a run over records that were written before: lines of JSON become the columns of a
 * stream.
 *
 * Which columns there are say the configuration objects at the files' beginnings (heads.c).
 */
#include "api/records.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/heads.h"
#include "os/clock.h"
#include "record/from_json.h"
#include "source/textlines.h"

enum { LOOK = 256 /* lines between two looks at who wants what */ };

#define AGE_NS ((int64_t)1000 * 1000 * 1000) /* at which a pipe's batch goes, however short */

struct records {
	struct joy *j;
	struct textlines *lines;
	struct heads heads;
	struct from_json *from;
	struct batch *batch;
	int64_t since_ns; /* when its first row came */
	uint64_t records;
	struct buf summaries;              /* the summary objects met, with commas between them */
	bool headless;                     /* a first line was not understood, for want of memory */
	bool ended;                        /* it is asked for while a pipe is waited for */
	bool refused;                      /* the reader wants no more */
	const char *unknown_in, *wrong_in; /* the first files with odd members */
};

void records_free(struct records *r)
{
	if (r == NULL)
		return;
	textlines_free(r->lines);
	heads_free(&r->heads);
	from_json_free(r->from);
	batch_free(r->batch);
	buf_free(&r->summaries);
	free(r);
}

struct source_progress records_progress(const struct records *r)
{
	return r->lines != NULL ? textlines_progress(r->lines) : (struct source_progress){ 0 };
}

void records_summaries(const struct records *r, struct buf *out)
{
	buf_byte(out, '[');
	buf_bytes(out, r->summaries.p, r->summaries.size);
	buf_byte(out, ']');
}

void records_stats(const struct records *r, struct joy_stats *out)
{
	const struct source_progress p = records_progress(r);

	out->records = r->records;
	out->input_read = p.bytes_read;
	out->input_total = p.bytes_total;
}

/* --- opening ----------------------------------------------------------------------------- */

static bool hand_on(struct records *r);

static void on_trouble(void *ctx, const struct source_report *report)
{
	const struct records *r = ctx;

	run_trouble(r->j, report);
}

static bool on_stopped(void *ctx)
{
	const struct records *r = ctx;

	return r->refused || r->ended || drain_ends(r->j);
}

static bool goes_on(struct joy *j)
{
	drain_note(j);
	return !drain_ends(j) && (j->progress == NULL || j->progress(j->progress_ctx) == 0);
}

/* A slow pipe: what came so far is not kept from the reader. */
static void on_idle(void *ctx)
{
	struct records *r = ctx;

	r->ended |= !goes_on(r->j);
	if (r->batch != NULL && batch_rows(r->batch) > 0 &&
			clock_steady_ns() - r->since_ns >= AGE_NS)
		hand_on(r);
}

static void on_head(void *ctx, struct rd line)
{
	struct records *r = ctx;

	r->headless |= !heads_add(&r->heads, line, &r->j->error);
}

static bool open_lines(struct records *r, const struct drain_paths *in)
{
	const struct textlines_conf conf = { .what = "JSON lines of records",
		.opens = '{',
		.trouble = on_trouble,
		.stopped = on_stopped,
		.idle = on_idle,
		.ctx = r };

	r->lines = textlines_new(in->paths, in->count, &conf, &r->j->error);
	if (r->lines == NULL)
		return false;
	textlines_heads(r->lines, on_head, r);
	if (r->ended)
		return err_set(&r->j->error, "the run was ended before a first line came");
	heads_end(&r->heads);
	return !r->headless;
}

/* The columns of what the files have, as if the handle's options had switched that on. */
static bool open_columns(struct records *r)
{
	const struct field *tables[REGISTRY_MAX];
	struct joy *j = r->j;
	size_t count = 0;

	for (size_t i = 0; i < feature_count; i++) {
		j->registry->is_on[i] = r->heads.on[i];
		if (r->heads.on[i] && feature_list[i]->fields != NULL)
			tables[count++] = feature_list[i]->fields;
	}
	j->registry->core.bidir = r->heads.both;
	if (!columns_make(j, false, true, &j->columns))
		return false;
	r->from = from_json_new(j->columns, tables, count, r->heads.both, &j->error);
	if (r->from != NULL)
		r->batch = batch_new(j->columns, &j->error);
	return r->batch != NULL;
}

static int open_records(struct joy *j, const void *input)
{
	const struct drain_paths *in = input;
	struct records *r;

	j->phase = PHASE_OVER;
	if (in->paths == NULL || in->count == 0)
		return handle_fail(j, JOY_USAGE, "no input");
	if (drain_missing(j, in))
		return JOY_FAILED;
	r = j->records = calloc(1, sizeof *r);
	if (r == NULL)
		return handle_fail(j, JOY_FAILED, "no memory for a run");
	r->j = j;
	r->summaries = buf_new(LIMIT_TEXT_BYTES / 4);
	r->heads = heads_new();
	if (!open_lines(r, in))
		return JOY_FAILED;
	if (!open_columns(r))
		return JOY_USAGE;
	if (j->ready != NULL && j->ready(j->ready_ctx) != 0)
		return handle_fail(j, JOY_FAILED, "the caller was not ready");
	return JOY_OK;
}

static bool configuration(struct joy *j, struct buf *out)
{
	const struct buf *text = &j->records->heads.configuration;

	buf_bytes(out, text->p, text->size);
	return buf_ok(out) || err_set(&j->error, "no memory for the configuration object");
}

/* --- running ----------------------------------------------------------------------------- */

/* False: there is no memory, or the reader wants no more. */
static bool hand_on(struct records *r)
{
	struct ArrowArray batch;

	if (!batch_export(r->batch, &batch, &r->j->error)) {
		r->refused = true;
		return false;
	}
	if (drain_put(r->j, &batch, true) == SINK_TAKEN)
		return true;
	batch.release(&batch);
	r->refused = true;
	return err_set(&r->j->error, "no memory for a batch of columns");
}

static void note_odd(struct records *r, const char *file)
{
	const struct from_json_odd *odd = from_json_odd(r->from);

	if (r->unknown_in == NULL && odd->unknown > 0)
		r->unknown_in = file;
	if (r->wrong_in == NULL && odd->wrong > 0)
		r->wrong_in = file;
}

/* What runs have said about themselves, {"summary":{...}}, as long as it fits. */
static void note_summary(struct records *r, struct rd line)
{
	static const char begin[] = "{\"summary\":{";
	const size_t before = r->summaries.size, lead = sizeof begin - 2;

	while (line.left > 0 && (line.p[line.left - 1] == '\n' || line.p[line.left - 1] == '\r'))
		line.left--;
	if (line.left <= lead + 1 || memcmp(line.p, begin, sizeof begin - 1) != 0)
		return;
	if (before > 0)
		buf_byte(&r->summaries, ',');
	buf_bytes(&r->summaries, line.p + lead, line.left - lead - 1);
	if (!buf_ok(&r->summaries)) {
		r->summaries.failed = false;
		r->summaries.size = before;
	}
}

/* False: the run is at its end. */
static bool take(struct records *r, const struct textline *line)
{
	const char *why;
	size_t at;

	if (batch_rows(r->batch) == 0)
		r->since_ns = clock_steady_ns();
	switch (from_json_line(r->from, r->batch, line->bytes, &why, &at)) {
	case FROM_JSON_RECORD:
		r->records++;
		note_odd(r, line->file);
		return !batch_full(r->batch) || hand_on(r);
	case FROM_JSON_DAMAGED:
		if (line->ended)
			textlines_refuse(r->lines, at, why);
		else
			textlines_refuse(r->lines, 0, "ends in the middle of a line");
		return true;
	default:
		note_summary(r, line->bytes);
		return true;
	}
}

static void read_all(struct records *r)
{
	struct textline line;

	for (uint64_t n = 1; textlines_next(r->lines, &line); n++)
		if (!take(r, &line) || (n % LOOK == 0 && !goes_on(r->j)))
			return;
}

static void tell_odd(struct records *r, const char *file, uint64_t count, const char *what,
		const char *names)
{
	char text[1024];

	if (count == 0)
		return;
	snprintf(text, sizeof text, "%.400s: %llu %s: %s", file, (unsigned long long)count, what,
			names);
	run_trouble(r->j, &(struct source_report){ SOURCE_WARNING, file, -1, text });
}

/* Every file failed, or none of those in a folder had records. */
static bool nothing_read(const struct records *r)
{
	const struct joy *j = r->j;
	const struct source_progress p = textlines_progress(r->lines);

	if (r->records > 0)
		return false;
	return (j->failed > 0 && j->failed >= p.files_total) ||
	       (j->failed + j->damaged == 0 && j->warned && p.packets == 0);
}

static int go(struct joy *j)
{
	struct records *r = j->records;
	const struct from_json_odd *odd = from_json_odd(r->from);

	read_all(r);
	if (batch_rows(r->batch) > 0 && !r->refused)
		hand_on(r);
	if (r->refused && !drain_ends(j))
		return JOY_FAILED;
	if (nothing_read(r))
		return run_judge(j, true);
	tell_odd(r, r->unknown_in, odd->unknown, "members that no field has were passed over",
			odd->unknown_names);
	tell_odd(r, r->wrong_in, odd->wrong, "values are not of their field's type and are null",
			odd->wrong_names);
	return run_judge(j, false);
}

const struct drain_run records_run = {
	.open = open_records, .go = go, .configuration = configuration
};
