/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run.c - one run: open, feed, finish; from files by joy_run(), or with the caller's packets.
 *
 * The configuration object is written with the first packet, because it holds that packet's time.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/handle.h"
#include "base/json.h"

enum { BATCH = 256, LINKS = 16 };

/* --- opening ----------------------------------------------------------------------------- */

static bool on_line(void *ctx, const char *bytes, size_t size)
{
	struct joy *j = ctx;

	j->line_ended = j->line(j->line_ctx, bytes, size) != 0;
	return !j->line_ended;
}

static void on_trouble(void *ctx, enum source_trouble what, const char *text)
{
	struct joy *j = ctx;

	j->damaged += what == SOURCE_DAMAGED;
	j->failed += what == SOURCE_FAILED;
	j->warned |= what == SOURCE_WARNING;
	handle_log(j, what == SOURCE_FAILED ? JOY_LOG_ERROR : JOY_LOG_WARNING, "%s", text);
}

/* Where the output goes: outdir and output as one path, NULL for standard output. */
static const char *output_path(const struct joy *j, char path[static PATH_MAX])
{
	const char *folder = j->registry->core.outdir, *file = j->registry->core.output;

	if (folder == NULL || file == NULL || file[0] == '/' || strcmp(file, "-") == 0)
		return file;
	if (snprintf(path, PATH_MAX, "%s/%s", folder, file) >= PATH_MAX)
		return file;
	return path;
}

static bool open_sink(struct joy *j)
{
	char path[PATH_MAX];
	struct sink_target target = { .path = output_path(j, path) };

	if (j->line != NULL)
		target = (struct sink_target){ .line = on_line, .ctx = j };
	j->sink = sink_open(&target, j->plan, &j->error);
	return j->sink != NULL;
}

/* From here on options are fixed. */
static int open_run(struct joy *j)
{
	struct registry *r = j->registry;

	j->phase = PHASE_OVER;
	if (!registry_settle(r, &j->error))
		return JOY_USAGE;
	j->plan = plan_new(r->tables, r->on_count, r->core.bidir, &j->error);
	if (j->plan == NULL || !open_sink(j))
		return JOY_FAILED;
	j->engine = engine_new(&r->core, r, j->sink, &j->error);
	return j->engine == NULL ? JOY_FAILED : JOY_OK;
}

/* Options whose mistakes show only when all are known; nothing is opened yet. */
static int check_options(struct joy *j)
{
	if (j->phase != PHASE_SETUP)
		return handle_fail(j, JOY_USAGE, "a handle is for one run");
	j->error.text[0] = '\0';
	return conf_settle(&j->registry->sets, &j->registry->core, &j->error) ? JOY_OK : JOY_USAGE;
}

/* --- writing ----------------------------------------------------------------------------- */

static bool begin(struct joy *j, const struct frame *first)
{
	struct buf text = buf_new(LIMIT_TEXT_BYTES);

	j->begun = true;
	configuration_write(j, first, &text);
	bool good = buf_ok(&text) ? sink_begin(j->sink, &text, &j->error)
				  : err_set(&j->error, "no memory for the configuration object");
	buf_free(&text);
	return good;
}

static bool feed(struct joy *j, const struct frame *frames, size_t count)
{
	if (!j->begun && count > 0 && !begin(j, &frames[0]))
		return false;
	return engine_feed(j->engine, frames, count, &j->error);
}

static bool write_summary(struct joy *j)
{
	struct buf text = buf_new(LIMIT_TEXT_BYTES);

	if (j->source != NULL)
		engine_note_filtered(j->engine, source_progress(j->source).filtered);
	configuration_summary(j, &text);
	bool good = buf_ok(&text) ? sink_end(j->sink, &text, &j->error)
				  : err_set(&j->error, "no memory for the summary");
	buf_free(&text);
	return good;
}

static void log_links(const struct joy *j)
{
	uint16_t links[LINKS];
	size_t count = engine_unknown_links(j->engine, links, LINKS);

	for (size_t i = 0; i < count; i++)
		handle_log(j, JOY_LOG_WARNING,
				"link type %u is not known here: its packets are counted as "
				"unknown",
				links[i]);
}

/* The output cannot be finished: whole lines stay under the name with .part, and the counts are
 * told. */
static int give_up(struct joy *j)
{
	const struct engine_stats *s = engine_stats(j->engine);
	struct err ignored;

	j->phase = PHASE_OVER;
	sink_close(j->sink, false, &ignored);
	return handle_fail(j, JOY_FAILED, "%s (after %llu packets, %llu flows, %llu records)",
			j->line_ended ? "the receiver of lines ended the run" : j->error.text,
			(unsigned long long)s->packets, (unsigned long long)s->flows,
			(unsigned long long)sink_records(j->sink));
}

static int finish(struct joy *j)
{
	j->phase = PHASE_OVER;
	if (!j->begun && !begin(j, NULL))
		return give_up(j);
	if (!engine_finish(j->engine, &j->error) || !write_summary(j) ||
			!sink_close(j->sink, true, &j->error))
		return give_up(j);
	log_links(j);
	return JOY_OK;
}

/* --- from files -------------------------------------------------------------------------- */

static void note_paths(struct joy *j, const char *const *paths, size_t count)
{
	buf_byte(&j->paths, '[');
	for (size_t i = 0; i < count; i++) {
		json_comma(&j->paths);
		json_text(&j->paths, paths[i]);
	}
	buf_byte(&j->paths, ']');
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino && S_ISREG(x.st_mode);
}

/* A capture lost to a slip of the fingers cannot be made again. */
static const char *overwritten(const struct joy *j, const char *const *paths, size_t count)
{
	char path[PATH_MAX];
	const char *output = j->line == NULL ? output_path(j, path) : NULL;

	for (size_t i = 0; output != NULL && i < count; i++)
		if (same_file(output, paths[i]))
			return paths[i];
	return NULL;
}

static int open_source(struct joy *j, const char *const *paths, size_t count)
{
	struct source_conf conf = { .bpf = j->registry->core.bpf, .trouble = on_trouble, .ctx = j };
	const char *lost = overwritten(j, paths, count);

	if (lost != NULL)
		return handle_fail(j, JOY_USAGE, "%s is input and output at once", lost);
	note_paths(j, paths, count);
	j->source = source_new(paths, count, &conf, &j->error);
	return j->source == NULL ? JOY_USAGE : JOY_OK;
}

/* Until the end of input, or until the progress callback asks for an end. */
static bool read_all(struct joy *j)
{
	struct frame frames[BATCH];
	bool ok = true;

	for (;;) {
		size_t count = source_read(j->source, frames, BATCH, &ok, &j->error);

		if (!ok)
			return false;
		if (count == 0)
			return true;
		if (!feed(j, frames, count))
			return false;
		if (j->progress != NULL && j->progress(j->progress_ctx) != 0)
			return true;
	}
}

/* Did every file fail, or was none of those in a folder a capture? */
static bool nothing_read(const struct joy *j)
{
	uint64_t files = source_progress(j->source).files_total;

	if (engine_stats(j->engine)->frames > 0)
		return false;
	return (j->failed > 0 && j->failed >= files) ||
	       (j->failed + j->damaged == 0 && j->warned && source_interface(j->source, 0) == NULL);
}

/* The output is whole; what of the input? */
static int judge_input(struct joy *j)
{
	if (nothing_read(j))
		return handle_fail(j, JOY_FAILED, "no input could be read");
	if (j->damaged + j->failed > 0)
		return handle_fail(j, JOY_DAMAGED, "some input was damaged or could not be read");
	return JOY_OK;
}

int joy_reload(struct joy *j)
{
	struct err why;

	if (!registry_reload(j->registry, &why))
		return handle_fail(j, JOY_FAILED, "%s", why.text);
	return JOY_OK;
}

int joy_run(struct joy *j, const char *const *paths, size_t count)
{
	int status = check_options(j);

	if (status == JOY_OK && (paths == NULL || count == 0))
		status = handle_fail(j, JOY_USAGE, "no input");
	if (status == JOY_OK)
		status = open_source(j, paths, count);
	if (status == JOY_OK)
		status = open_run(j);
	if (status != JOY_OK)
		return status;
	if (!read_all(j))
		return give_up(j);
	status = finish(j);
	return status == JOY_OK ? judge_input(j) : status;
}

/* --- with the caller's packets ----------------------------------------------------------- */

int joy_start(struct joy *j)
{
	int status = check_options(j);

	if (status == JOY_OK && j->registry->core.bpf != NULL)
		status = handle_fail(j, JOY_USAGE,
				"bpf is for files: packets that are fed are all taken");
	if (status == JOY_OK)
		status = open_run(j);
	if (status == JOY_OK)
		j->phase = PHASE_FED;
	return status;
}

static struct frame frame_of(const struct joy_packet *p)
{
	return (struct frame){
		.bytes = p->bytes,
		.caplen = p->caplen,
		.wirelen = p->wirelen > p->caplen ? p->wirelen : p->caplen,
		.ns = p->ns,
		.linktype = p->linktype,
		.nanoseconds = p->ns % 1000 != 0,
	};
}

int joy_feed(struct joy *j, const struct joy_packet *packets, size_t count)
{
	struct frame frames[BATCH];

	if (j->phase != PHASE_FED)
		return handle_fail(
				j, JOY_USAGE, "packets come between joy_start() and joy_finish()");
	if (packets == NULL && count > 0)
		return handle_fail(j, JOY_USAGE, "no packets given");
	while (count > 0) {
		size_t some = count < BATCH ? count : BATCH;

		for (size_t i = 0; i < some; i++)
			frames[i] = frame_of(&packets[i]);
		if (!feed(j, frames, some))
			return give_up(j);
		packets += some;
		count -= some;
	}
	return JOY_OK;
}

int joy_finish(struct joy *j)
{
	if (j->phase != PHASE_FED)
		return handle_fail(j, JOY_USAGE, "joy_finish() comes after joy_start()");
	return finish(j);
}
