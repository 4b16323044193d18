/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run.c - one run: open, feed, finish; from files by joy_run(), or with the caller's packets.
 *
 * The configuration object is written with the first packet, because it holds that packet's time.
 */

#include <string.h>

#include "api/stream.h"
#include "base/json.h"

enum {
	BATCH = 256,
	LINKS = 16,
};

/* --- opening ----------------------------------------------------------------------------- */

void run_trouble(struct joy *j, const struct source_report *r)
{
	static const int statuses[] = { [SOURCE_WARNING] = JOY_OK,
		[SOURCE_DAMAGED] = JOY_DAMAGED,
		[SOURCE_FAILED] = JOY_FAILED };

	j->damaged += r->what == SOURCE_DAMAGED;
	j->failed += r->what == SOURCE_FAILED;
	j->warned |= r->what == SOURCE_WARNING;
	handle_log(j, r->what == SOURCE_FAILED ? JOY_LOG_ERROR : JOY_LOG_WARNING, "%s", r->text);
	if (j->trouble != NULL)
		j->trouble(j->trouble_ctx, statuses[r->what], r->file, r->offset, r->text);
}

static void on_trouble(void *ctx, const struct source_report *r)
{
	run_trouble(ctx, r);
}

/* A pipe may make a reader wait that nobody needs any more. */
static bool on_stopped(void *ctx)
{
	return drain_ends(ctx);
}

struct source_conf run_source_conf(struct joy *j)
{
	return (struct source_conf){ .bpf = j->registry->core.bpf,
		.trouble = on_trouble,
		.stopped = j->stream != NULL ? on_stopped : NULL,
		.ctx = j };
}

int run_prepare(struct joy *j)
{
	struct registry *r = j->registry;

	j->phase = PHASE_OVER;
	if (!registry_settle(r, &j->error))
		return JOY_USAGE;
	if (j->stream != NULL && !columns_make(j, false, false, &j->columns))
		return JOY_USAGE;
	j->plan = plan_new(r->tables, r->on_count, r->core.bidir, &j->error);
	return j->plan != NULL ? JOY_OK : JOY_FAILED;
}

/* From here on options are fixed. */
static int open_run(struct joy *j)
{
	struct registry *r = j->registry;
	int status = run_prepare(j);

	if (status != JOY_OK)
		return status;
	if (!output_open(j))
		return JOY_FAILED;
	if (workers_are_apart(j))
		j->apart = workers_apart(j);
	else if (workers_count(j) > 1)
		j->team = team_new(&r->core, r, j->sink, workers_count(j), &j->error);
	else
		j->engine = engine_new(&r->core, r, j->sink, &j->error);
	return j->engine == NULL && j->team == NULL && j->apart == NULL ? JOY_FAILED : JOY_OK;
}

int run_check(struct joy *j)
{
	if (j->phase != PHASE_SETUP)
		return handle_fail(j, JOY_USAGE, "a handle is for one run");
	j->error.text[0] = '\0';
	return conf_settle(&j->registry->sets, &j->registry->core, &j->error) ? JOY_OK : JOY_USAGE;
}

static int check_options(struct joy *j)
{
	int status = run_check(j);

	if (status == JOY_OK && j->registry->core.merge)
		return handle_fail(j, JOY_USAGE,
				"merge is for records that are written already, not for packets");
	return status;
}

/* --- writing ----------------------------------------------------------------------------- */

bool run_configuration(struct joy *j, const struct frame *first, struct buf *out)
{
	configuration_write(j, first, out);
	return buf_ok(out) ? registry_line(j->registry, out, &j->error)
			   : err_set(&j->error, "no memory for the configuration object");
}

bool run_begin(struct joy *j, const struct frame *first)
{
	struct buf text = buf_new(LIMIT_TEXT_BYTES);

	j->begun = true;
	bool good = run_configuration(j, first, &text) && sink_begin(j->sink, &text, &j->error);
	buf_free(&text);
	return good;
}

static bool begin(struct joy *j, const struct frame *first)
{
	return run_begin(j, first) && (j->team == NULL || team_start(j->team, &j->error));
}

static bool feed(struct joy *j, const struct frame *frames, size_t count)
{
	if (!j->begun && count > 0 && !begin(j, &frames[0]))
		return false;
	if (j->team != NULL)
		return team_feed(j->team, frames, count, &j->error);
	return engine_feed(j->engine, frames, count, &j->error);
}

int joy_rotate(struct joy *j)
{
	if (j->sink == NULL)
		return handle_fail(j, JOY_USAGE, "nothing runs");
	if (!sink_rotate(j->sink))
		return handle_fail(j, JOY_USAGE,
				"the output is one file: count, rotate, rotate_size or output=auto "
				"split it");
	return JOY_OK;
}

static bool write_summary(struct joy *j)
{
	struct buf text = buf_new(LIMIT_TEXT_BYTES);

	size_t count;

	if (j->source != NULL)
		engine_note_filtered(*run_engines(j, &count), source_progress(j->source).filtered);
	configuration_summary(j, &text);
	bool good = buf_ok(&text) ? sink_end(j->sink, &text, &j->error)
				  : err_set(&j->error, "no memory for the summary");
	buf_free(&text);
	return good;
}

/* Into a list in rising order that has each number once, and room for LINKS; how many it has. */
static size_t put_in(uint16_t *list, size_t count, uint16_t link)
{
	size_t at = 0;

	while (at < count && list[at] < link)
		at++;
	if (at == LINKS || (at < count && list[at] == link))
		return count;
	if (count < LINKS)
		count++;
	memmove(&list[at + 1], &list[at], (count - at - 1) * sizeof(list[0]));
	list[at] = link;
	return count;
}

/* Those that any engine has met. */
static void log_links(const struct joy *j)
{
	uint16_t links[LINKS], all[LINKS];
	size_t count, met = 0;
	struct engine *const *engines = run_engines(j, &count);

	for (size_t i = 0; i < count; i++)
		for (size_t n = engine_unknown_links(engines[i], links, LINKS); n > 0; n--)
			met = put_in(all, met, links[n - 1]);
	for (size_t i = 0; i < met; i++)
		handle_log(j, JOY_LOG_WARNING,
				"link type %u is not known here: its packets are counted as "
				"unknown",
				all[i]);
}

/* The output cannot be finished: whole lines stay under the name with .part, and the counts are
 * told. */
int run_give_up(struct joy *j)
{
	const struct engine_stats s = run_stats(j);
	struct err ignored;

	j->phase = PHASE_OVER;
	if (j->team != NULL)
		team_stop(j->team);
	if (j->apart != NULL)
		apart_stop(j->apart);
	sink_close(j->sink, false, &ignored);
	return handle_fail(j, JOY_FAILED, "%s (after %llu packets, %llu flows, %llu records)",
			j->line_ended ? "the receiver of lines ended the run" : j->error.text,
			(unsigned long long)s.packets, (unsigned long long)s.flows,
			(unsigned long long)sink_records(j->sink));
}

int run_end(struct joy *j)
{
	if (!write_summary(j) || !sink_close(j->sink, true, &j->error))
		return run_give_up(j);
	output_upload(j);
	log_links(j);
	return JOY_OK;
}

static bool end_engines(struct joy *j)
{
	if (j->team != NULL)
		return team_finish(j->team, &j->error);
	if (j->apart != NULL)
		return apart_finish(j->apart, &j->error);
	return engine_finish(j->engine, &j->error) && engine_flush_records(j->engine, &j->error);
}

static int finish(struct joy *j)
{
	j->phase = PHASE_OVER;
	if (!j->begun && !begin(j, NULL))
		return run_give_up(j);
	if (!end_engines(j))
		return run_give_up(j);
	return run_end(j);
}

/* --- the engines ------------------------------------------------------------------------- */

struct engine *const *run_engines(const struct joy *j, size_t *count)
{
	if (j->sensor != NULL)
		return sensor_engines(j->sensor, count);
	if (j->team != NULL)
		return team_engines(j->team, count);
	if (j->apart != NULL)
		return apart_engines(j->apart, count);
	*count = j->engine != NULL;
	return &j->engine;
}

void run_hold(const struct joy *j)
{
	if (j->sensor != NULL)
		sensor_hold(j->sensor);
	if (j->team != NULL)
		team_rest(j->team);
	if (j->apart != NULL)
		apart_hold(j->apart);
}

void run_release(const struct joy *j)
{
	if (j->sensor != NULL)
		sensor_release(j->sensor);
	if (j->apart != NULL)
		apart_release(j->apart);
}

struct engine_stats run_stats(const struct joy *j)
{
	struct engine_stats all = { .first_ns = INT64_MAX, .last_ns = INT64_MIN };
	size_t count;
	struct engine *const *engines = run_engines(j, &count);

	run_hold(j);
	for (size_t i = 0; i < count; i++)
		engine_stats_add(&all, engine_stats(engines[i]));
	run_release(j);
	if (j->sensor != NULL)
		all.drops = sensor_drops(j->sensor);
	return all;
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

static int open_source(struct joy *j, const char *const *paths, size_t count)
{
	const struct source_conf conf = run_source_conf(j);
	const char *lost = output_overwrites(j, paths, count);

	if (lost != NULL)
		return handle_fail(j, JOY_USAGE, "%s is input and output at once", lost);
	note_paths(j, paths, count);
	j->source = source_new(paths, count, &conf, &j->error);
	return j->source == NULL ? JOY_USAGE : JOY_OK;
}

bool run_ends_early(struct joy *j)
{
	return drain_ends(j) || (j->progress != NULL && j->progress(j->progress_ctx) != 0);
}

/* Until the end of input, or until somebody asks for an end: 'early'. */
static bool read_all(struct joy *j, bool *early)
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
		if (j->upload != NULL)
			upload_poll(j->upload);
		drain_note(j);
		if (j->team != NULL && !sink_poll(j->sink, &j->error))
			return false;
		if ((*early = run_ends_early(j)))
			return true;
	}
}

/* One file after the other, each for itself. */
static bool read_each(struct joy *j)
{
	const uint64_t files = source_progress(j->source).files_total;
	bool early = false, good = true;
	size_t count;
	struct engine *const *engines = run_engines(j, &count);

	for (uint64_t file = 0; file < files && !early && good; file++) {
		const char *path = source_choose(j->source, file);

		good = file == 0 || engine_finish(j->engine, &j->error);
		for (size_t i = 0; i < count; i++)
			engine_begin(engines[i], path);
		good = good && read_all(j, &early);
	}
	return good;
}

static bool read_input(struct joy *j)
{
	bool early;

	if (j->apart != NULL)
		return workers_read_apart(j);
	return j->registry->core.independent ? read_each(j) : read_all(j, &early);
}

/* Did every file fail, or was none of those in a folder a capture? */
static bool nothing_read(const struct joy *j)
{
	uint64_t files = source_progress(j->source).files_total;

	if (run_stats(j).frames > 0)
		return false;
	return (j->failed > 0 && j->failed >= files) ||
	       (j->failed + j->damaged == 0 && j->warned && !source_progress(j->source).interfaces);
}

int run_judge(struct joy *j, bool nothing)
{
	if (nothing)
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
	run_hold(j);
	registry_swap(j->registry);
	run_release(j);
	return JOY_OK;
}

static int open_files(struct joy *j, const char *const *paths, size_t count)
{
	int status = open_source(j, paths, count);

	if (status == JOY_OK)
		status = open_run(j);
	if (j->team != NULL)
		source_use_rooms(j->source, team_rooms(j->team));
	if (status == JOY_OK && j->ready != NULL && j->ready(j->ready_ctx) != 0)
		status = handle_fail(j, JOY_FAILED, "the caller was not ready");
	return status;
}

static int read_files(struct joy *j)
{
	int status;

	if (!read_input(j))
		return run_give_up(j);
	status = finish(j);
	return status == JOY_OK ? run_judge(j, nothing_read(j)) : status;
}

/* Paths win over a configuration file that is a sensor's: over its interface, and what goes with
 * it. */
static bool prefer_paths(struct joy *j)
{
	static const char *const names[] = { "interface", "count", "rotate", "rotate_size",
		"keep_size", "keep_time", "upload" };

	if (conf_rank_of(&j->registry->sets, "interface") != CONF_FILE)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!conf_forget(&j->registry->sets, names[i], &j->error))
			return false;
	return true;
}

int run_open(struct joy *j, const char *const *paths, size_t count)
{
	int status = check_options(j);
	const char *interface;

	if (status != JOY_OK)
		return status;
	if (count > 0 && !prefer_paths(j))
		return JOY_FAILED;
	interface = j->registry->core.interface;
	if (interface != NULL && count > 0)
		return handle_fail(j, JOY_USAGE, "input is interface=%s or files, not both",
				interface);
	if (interface != NULL && j->registry->core.independent)
		return handle_fail(j, JOY_USAGE,
				"independent is for files: what interface= captures is one input");
	if (interface == NULL && (paths == NULL || count == 0))
		return handle_fail(j, JOY_USAGE, "no input");
	return interface != NULL ? live_open(j) : open_files(j, paths, count);
}

int run_go(struct joy *j)
{
	return j->sensor != NULL ? live_go(j) : read_files(j);
}

int joy_run(struct joy *j, const char *const *paths, size_t count)
{
	int status = run_open(j, paths, count);

	return status == JOY_OK ? run_go(j) : status;
}

/* --- with the caller's packets ----------------------------------------------------------- */

int joy_start(struct joy *j)
{
	int status = check_options(j);

	if (status == JOY_OK && j->registry->core.bpf != NULL)
		status = handle_fail(j, JOY_USAGE,
				"bpf is for files: packets that are fed are all taken");
	if (status == JOY_OK && j->registry->core.independent)
		status = handle_fail(j, JOY_USAGE,
				"independent is for files: packets that are fed are one input");
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
			return run_give_up(j);
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
