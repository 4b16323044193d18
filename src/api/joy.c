/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * joy.c - the handle of joy.h: making it, its options and callbacks, its counters.
 *
 * Nothing here is kept outside the handle.
 */
#include "joy.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api/records.h"

enum { LOG_LINE = 1024 };

const char *joy_version(void)
{
	return JOY_VERSION;
}

struct joy *joy_new(void)
{
	struct joy *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->registry = registry_new(&j->error);
	if (j->registry == NULL) {
		free(j);
		return NULL;
	}
	j->paths = buf_new(LIMIT_TEXT_BYTES);
	return j;
}

void joy_free(struct joy *j)
{
	if (j == NULL)
		return;
	drain_free(j->stream);
	sensor_free(j->sensor);
	live_free(j->live);
	engine_free(j->engine);
	rewrite_free(j->rewrite);
	from_arrow_free(j->from);
	registry_free(j->told);
	rewrite_release(j);
	team_free(j->team);
	apart_free(j->apart);
	sink_free(j->sink);
	upload_stop(j->upload, 0);
	records_free(j->records);
	columns_free(j->columns);
	wanted_free(&j->wanted);
	plan_free(j->plan);
	source_free(j->source);
	registry_free(j->registry);
	buf_free(&j->paths);
	free(j);
}

void handle_log(const struct joy *j, enum joy_level level, const char *format, ...)
{
	char text[LOG_LINE];
	va_list args;

	if (j->log == NULL)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	j->log(j->log_ctx, level, text);
}

int handle_fail(struct joy *j, int status, const char *format, ...)
{
	struct err e; /* aside, since an argument may be the old text */
	va_list args;

	va_start(args, format);
	vsnprintf(e.text, sizeof(e.text), format, args);
	va_end(args);
	j->error = e;
	return status;
}

const char *joy_error(const struct joy *j)
{
	if (j == NULL)
		return "no memory";
	return drain_is_elsewhere(j) ? drain_error(j) : j->error.text;
}

int joy_set(struct joy *j, const char *name, const char *value)
{
	if (j->phase != PHASE_SETUP)
		return handle_fail(j, JOY_USAGE, "options are to be set before the run");
	if (name == NULL || value == NULL)
		return handle_fail(j, JOY_USAGE, "an option needs a name and a value");
	return conf_set(&j->registry->sets, name, value, &j->error) ? JOY_OK : JOY_USAGE;
}

int joy_load(struct joy *j, const char *path)
{
	if (j->phase != PHASE_SETUP)
		return handle_fail(
				j, JOY_USAGE, "a configuration file is to be read before the run");
	if (path == NULL)
		return handle_fail(j, JOY_USAGE, "no configuration file given");
	return conf_load(&j->registry->sets, path, &j->error) ? JOY_OK : JOY_USAGE;
}

char *joy_get(struct joy *j, const char *name)
{
	const struct option_set *in = NULL;
	const struct option *o = name == NULL ? NULL : conf_find(&j->registry->sets, name, &in);
	struct buf b = buf_new(LIMIT_OPTION_BYTES + 1);

	if (o == NULL) {
		handle_fail(j, JOY_USAGE, "unknown option '%.64s'", name == NULL ? "" : name);
		return NULL;
	}
	conf_value(o, in->base, &b);
	buf_byte(&b, '\0');
	if (!buf_ok(&b)) {
		handle_fail(j, JOY_FAILED, "no memory for the value of '%s'", o->name);
		buf_free(&b);
	}
	return b.p;
}

void joy_on_line(struct joy *j, int (*line)(void *ctx, const char *bytes, size_t size), void *ctx)
{
	j->line = line;
	j->line_ctx = ctx;
}

void joy_on_log(struct joy *j, void (*log)(void *ctx, enum joy_level level, const char *text),
		void *ctx)
{
	j->log = log;
	j->log_ctx = ctx;
}

void joy_on_trouble(struct joy *j,
		void (*trouble)(void *ctx, int status, const char *file, int64_t offset,
				const char *text),
		void *ctx)
{
	j->trouble = trouble;
	j->trouble_ctx = ctx;
}

void joy_on_progress(struct joy *j, int (*progress)(void *ctx), void *ctx)
{
	j->progress = progress;
	j->progress_ctx = ctx;
}

void joy_on_ready(struct joy *j, int (*ready)(void *ctx), void *ctx)
{
	j->ready = ready;
	j->ready_ctx = ctx;
}

static void engine_part(const struct joy *j, struct joy_stats *out)
{
	const struct engine_stats all = run_stats(j), *s = &all;

	out->packets = s->packets;
	out->bytes = s->bytes;
	out->ip_packets = s->ip_packets;
	out->not_ip = s->not_ip;
	out->cut_short = s->cut_short;
	out->malformed = s->malformed;
	out->unknown = s->unknown;
	out->truncated = s->truncated;
	out->drops = s->drops;
	out->flows = s->flows;
	out->records = s->records;
	out->memory = s->memory;
	out->memory_peak = s->memory_peak;
}

void handle_stats(const struct joy *j, struct joy_stats *out)
{
	*out = (struct joy_stats){ 0 };
	engine_part(j, out);
	if (j->rewrite != NULL)
		out->records = rewrite_stats(j->rewrite)->records;
	if (j->source != NULL) {
		struct source_progress p = source_progress(j->source);

		out->input_read = p.bytes_read;
		out->input_total = p.bytes_total;
	}
	if (j->records != NULL)
		records_stats(j->records, out);
}

void joy_stats(const struct joy *j, struct joy_stats *out, size_t size)
{
	struct joy_stats all = { 0 };

	if (drain_is_elsewhere(j))
		drain_stats(j, &all);
	else
		handle_stats(j, &all);
	memset(out, 0, size);
	memcpy(out, &all, size < sizeof(all) ? size : sizeof(all));
}
