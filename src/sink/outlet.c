/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outlet.c - one output after another: when a file begins, what it begins and ends with, when it
 * is full, and how it gets its name.
 *
 * A file that is full ends with the next record, so that the run's summary finds it open; live it
 * ends at once, for somebody waits for it.  Ending goes by steps, each of which may fail and be
 * tried again.
 */
#include "sink/outlet.h"

#include "base/json.h"
#include "base/limits.h"
#include "os/clock.h"
#include "sink/suffix.h"
#include "sink/wait.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NS INT64_C(1000000000)

enum {
	CACHED_BYTES = 16 << 20, /* of a plain file: short ones stay near for who reads them next */
	NAMES = 1000,            /* tried before it is said that all are taken */
};

/* --- opening ------------------------------------------------------------------------------------
 */

static bool is_split(const struct sink_target *t)
{
	return t->series || t->split.count > 0 || t->split.interval_ns > 0 || t->split.size > 0;
}

static bool open_one(struct outlet *o, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	struct suffix suffix;

	if (!suffix_parse(path, true, &suffix, e) || !series_init(&o->series, path, suffix.size, e))
		return false;
	o->path = series_path(&o->series, slash == NULL ? path : slash + 1);
	return o->path != NULL || err_set(e, "cannot write %s: no memory", path);
}

/* Where a file stands by itself, a link to it is followed. */
static bool open_lazy(struct outlet *o, const char *path, size_t suffix, struct err *e)
{
	char *real;
	bool done;

	if (path[0] == '\0')
		return err_set(e, "cannot write: the output's name is empty");
	if (o->split)
		return series_init(&o->series, path, suffix, e);
	real = realpath(path, NULL);
	done = open_one(o, real != NULL ? real : path, e);
	free(real);
	return done;
}

static bool open_now(struct outlet *o, const char *path, struct err *e)
{
	const uint64_t cached = o->target->cached > 0 ? o->target->cached : CACHED_BYTES;

	if (!file_open(&o->stream.file, path, e))
		return false;
	o->open = true;
	return stream_begin(&o->stream, o->compression, cached) ||
	       err_set(e, "cannot compress: no memory");
}

static bool open_path(struct outlet *o, const char *path, struct err *e)
{
	const enum file_what what = file_what(path);
	struct suffix suffix;

	if (!suffix_parse(path, what != FILE_REGULAR, &suffix, e))
		return false;
	o->format = suffix.format;
	o->compression = suffix.compression;
	if (o->split && what == FILE_DIRECT)
		return err_set(e, "cannot write %s: only files can be split", path);
	o->lazy = what == FILE_REGULAR && (o->split || o->target->live);
	return o->lazy ? open_lazy(o, path, suffix.size, e) : open_now(o, path, e);
}

bool outlet_open(struct outlet *o, const struct sink_target *target, const struct plan *plan,
		struct says *says, struct err *e)
{
	*o = (struct outlet){
		.target = target,
		.plan = plan,
		.format = format_list[0],
		.says = says,
		.split = is_split(target) && target->line == NULL,
		.stream = { .file = { .fd = -1 } },
		.head = buf_new(LIMIT_RECORD_BYTES),
		.line = buf_new(LIMIT_TEXT_BYTES),
		.begins = true,
		.keep_ns = INT64_MIN,
	};
	return target->line != NULL || open_path(o, target->path != NULL ? target->path : "-", e);
}

bool outlet_is_patient(const struct outlet *o)
{
	return o->target->live && o->lazy && o->why != ENOMEM;
}

const char *outlet_name(const struct outlet *o)
{
	if (o->target->line != NULL)
		return "records";
	if (o->open)
		return file_name(&o->stream.file);
	if (o->path != NULL)
		return o->path;
	return o->lazy ? o->series.folder : "output";
}

size_t outlet_due(const struct outlet *o)
{
	if (o->target->line != NULL || o->stream.file.terminal)
		return 0;
	return o->stream.file.direct ? BLOCK_LONG : BLOCK_BYTES;
}

int64_t outlet_clock(const struct outlet *o)
{
	return o->target->clock != NULL ? o->target->clock(o->target->ctx) : clock_real_ns();
}

int64_t outlet_tick_ns(const struct outlet *o)
{
	return o->target->tick_ns > 0 ? o->target->tick_ns : NS;
}

static bool fail(struct outlet *o, int why)
{
	o->why = why;
	return false;
}

/* --- callback -----------------------------------------------------------------------------------
 */

static bool call(struct outlet *o, const char *bytes, size_t size)
{
	return size == 0 || o->target->line(o->target->ctx, bytes, size) || fail(o, 0);
}

static bool deliver(struct outlet *o, struct block *b)
{
	while (b->whole < b->records) {
		const size_t size = b->ends[b->whole] - b->written;

		if (!call(o, b->bytes.p + b->written, size))
			return false;
		block_advance(b, size);
		o->whole++;
	}
	return true;
}

/* --- a file begins ------------------------------------------------------------------------------
 */

static uint64_t in_file(const struct outlet *o)
{
	return o->stream.last.records + o->stream.fresh;
}

/* Creates the next of the series, under a name that nobody has. */
static bool create_next(struct outlet *o)
{
	const int64_t ns = outlet_clock(o);
	const struct series before = o->series;

	for (size_t i = 0; i < NAMES; i++) {
		char *path = series_next(&o->series, ns);
		const bool done = path != NULL && file_create(&o->stream.file, path);
		const int why = path != NULL ? errno : ENOMEM;

		free(path);
		if (done)
			return true;
		if (why != EEXIST) {
			o->series = before;
			return fail(o, why);
		}
	}
	return fail(o, EEXIST);
}

/* Another run may be writing it. */
static bool create_one(struct outlet *o)
{
	return file_create(&o->stream.file, o->path) || fail(o, errno == EEXIST ? EBUSY : errno);
}

static bool open_next(struct outlet *o)
{
	if (o->split ? !create_next(o) : !create_one(o))
		return false;
	o->open = true;
	o->turning = false;
	o->ending = ENDING_BODY;
	o->begun++;
	o->due_ns = wait_clock() + o->target->split.interval_ns;
	if (!stream_begin(&o->stream, o->compression, UINT64_MAX) ||
			!stream_line(&o->stream, &o->head))
		return fail(o, o->stream.why);
	return true;
}

/* --- a file ends --------------------------------------------------------------------------------
 */

void outlet_announce(struct outlet *o, const struct file *f)
{
	const struct sink_target *t = o->target;
	struct err why = { "" };

	if (t->finished != NULL && !t->finished(t->ctx, f->part, &why))
		says_add(o->says, SINK_ERROR, "%s", why.text);
}

/* Somebody may have taken the name meanwhile: then another. */
static bool choose_name(struct outlet *o)
{
	struct file *f = &o->stream.file;

	for (size_t i = 0; i < NAMES && o->split && file_is_taken(f); i++) {
		char *path = series_next(&o->series, outlet_clock(o));
		const bool done = path != NULL && file_change_part(f, path);
		const int why = path != NULL ? errno : ENOMEM;

		free(path);
		if (!done)
			return fail(o, why);
		o->ending = ENDING_SYNCED;
	}
	return true;
}

/* The present file is closed, under the name that it has. */
static void let_go(struct outlet *o)
{
	o->whole += o->stream.last.records;
	file_free(&o->stream.file);
	stream_reset(&o->stream);
	o->open = false;
	o->turning = false;
}

/* After a failed fsync() nobody knows what is on the disk, and a second one may not say. */
static bool not_synced(struct outlet *o)
{
	if (!o->target->live)
		return fail(o, errno);
	says_add(o->says, SINK_ERROR, "cannot sync %s: %s; it is left as it is", outlet_name(o),
			strerror(errno));
	let_go(o);
	return true;
}

static bool write_line(struct outlet *o, const struct buf *line)
{
	return stream_line(&o->stream, line) || fail(o, o->stream.why);
}

static uint64_t lost(const struct outlet *o)
{
	return o->lost + o->vanished;
}

static void own_summary(struct outlet *o, struct buf *out)
{
	struct buf object = buf_new(256);

	buf_printf(&object,
			"{\"summary\":{\"file\":%" PRIu64 ",\"records\":%" PRIu64
			",\"lost\":%" PRIu64 "}}",
			o->begun, in_file(o), lost(o) - o->lost_told);
	o->lost_told = lost(o);
	buf_clear(out);
	o->format->end(&object, out);
	buf_free(&object);
}

static bool end_body(struct outlet *o)
{
	if (!o->open || o->ending != ENDING_BODY)
		return true;
	o->ending = ENDING_SUMMARY;
	if (!o->split)
		return true;
	own_summary(o, &o->line);
	return write_line(o, &o->line);
}

static bool end_stream(struct outlet *o)
{
	if (o->ending != ENDING_SUMMARY)
		return true;
	o->ending = ENDING_STREAM;
	return stream_end(&o->stream) || fail(o, o->stream.why);
}

static bool end_file(struct outlet *o)
{
	if (!end_body(o) || !end_stream(o))
		return false;
	if (o->ending == ENDING_STREAM && !file_sync(&o->stream.file))
		return not_synced(o);
	if (o->ending == ENDING_STREAM)
		o->ending = ENDING_SYNCED;
	if (!choose_name(o))
		return false;
	if (o->ending == ENDING_SYNCED)
		outlet_announce(o, &o->stream.file);
	o->ending = ENDING_TOLD;
	if (!file_rename(&o->stream.file))
		return fail(o, errno);
	o->finished++;
	let_go(o);
	keep_tidy(o, false);
	return true;
}

/* --- going on -----------------------------------------------------------------------------------
 */

static void look_for_file(struct outlet *o)
{
	if (!o->open || !o->lazy || !o->target->live || file_is_there(&o->stream.file))
		return;
	says_add(o->says, SINK_ERROR, "%s has vanished: %" PRIu64 " records are lost in it",
			outlet_name(o), in_file(o));
	o->vanished += in_file(o);
	o->stream.last.records = 0;
	let_go(o);
}

static void look_now_and_then(struct outlet *o)
{
	const int64_t now_ns = o->target->live ? wait_clock() : 0;

	if (now_ns < o->look_ns || !o->target->live)
		return;
	o->look_ns = now_ns + outlet_tick_ns(o);
	look_for_file(o);
}

/* What a failure left to do, and the end of a file that is full. */
static bool resume(struct outlet *o)
{
	bool done = true;

	if (!o->open)
		return true;
	if (!stream_push(&o->stream))
		done = fail(o, o->stream.why);
	if (done && o->turning)
		done = end_file(o);
	if (!done)
		look_for_file(o);
	return done;
}

static bool is_full(const struct outlet *o)
{
	const struct sink_target *t = o->target;
	const uint64_t records = in_file(o);

	return o->split && o->open &&
	       ((t->split.count > 0 && records >= t->split.count) ||
			       (t->split.size > 0 && records > 0 &&
					       o->stream.size >= t->split.size) ||
			       (t->live && t->split.interval_ns > 0 && wait_clock() >= o->due_ns));
}

static bool turn_if_full(struct outlet *o)
{
	o->turning |= is_full(o);
	return resume(o);
}

/* What is not lazy has its head before anything else. */
static bool head_first(struct outlet *o)
{
	const bool due = o->head_due;

	o->head_due = false;
	return !due || write_line(o, &o->head);
}

/* A file is open, and has room.  A record that is half in a file that vanished is written anew. */
static bool ready(struct outlet *o, struct block *b)
{
	if (!turn_if_full(o))
		return false;
	if (o->open)
		return head_first(o);
	block_rewind(b);
	return open_next(o);
}

/* A line that is taken once, however often it is tried. */
static bool take_line(struct outlet *o, struct block *b)
{
	if (b->written == b->bytes.size)
		return true;
	b->written = b->bytes.size;
	return write_line(o, &b->bytes);
}

bool outlet_head(struct outlet *o, struct block *b)
{
	const bool begins = o->begins;

	o->begins = false;
	buf_clear(&o->head);
	buf_bytes(&o->head, b->bytes.p, b->bytes.size);
	if (o->target->line != NULL)
		return !begins || call(o, o->head.p, o->head.size);
	if (o->lazy && begins)
		past_recover(o);
	o->head_due = !o->lazy && begins;
	/* somebody is watching */
	return !(o->stream.file.terminal || o->target->live) || head_first(o);
}

/* Up to where a block goes into the present file. */
static size_t reach(const struct outlet *o, const struct block *b)
{
	const struct sink_target *t = o->target;
	uint64_t most = b->records - b->whole;
	size_t i = b->whole;

	if (!o->split)
		return b->bytes.size;
	if (t->split.count > 0 && t->split.count - in_file(o) < most)
		most = t->split.count - in_file(o);
	if (t->split.size == 0 || o->compression != COMPRESS_NONE)
		return b->ends[b->whole + most - 1];
	while (i + 1 < b->whole + most &&
			o->stream.size + (b->ends[i] - b->written) < t->split.size)
		i++;
	return b->ends[i];
}

bool outlet_take(struct outlet *o, struct block *b, bool all)
{
	if (o->target->line != NULL)
		return deliver(o, b);
	look_now_and_then(o);
	while (b->written < b->bytes.size) {
		if (!ready(o, b))
			return false;

		const size_t end = reach(o, b);

		if (!stream_block(&o->stream, b, end, all)) {
			fail(o, o->stream.why);
			look_for_file(o);
			return false;
		}
		if (b->written < end)
			return true;
	}
	return o->target->live ? turn_if_full(o) : resume(o);
}

bool outlet_note(struct outlet *o, struct block *b)
{
	if (o->target->line != NULL)
		return call(o, b->bytes.p, b->bytes.size);
	if (b->bytes.size == 0)
		return true;
	return ready(o, b) && take_line(o, b);
}

bool outlet_turn(struct outlet *o)
{
	o->turning = o->open && o->split;
	return resume(o);
}

bool outlet_end(struct outlet *o, struct block *b)
{
	if (o->target->line != NULL)
		return call(o, b->bytes.p, b->bytes.size);
	if (!resume(o))
		return false;
	if (!o->open && (b->bytes.size > 0 || o->begun == 0) && !open_next(o))
		return false;
	return !o->open || (head_first(o) && end_body(o) && take_line(o, b));
}

/* --- time ---------------------------------------------------------------------------------------
 */

bool outlet_tick(struct outlet *o)
{
	look_now_and_then(o);
	keep_tidy(o, false);
	return turn_if_full(o);
}

int64_t outlet_next_tick(const struct outlet *o)
{
	int64_t next_ns = o->look_ns;

	if (o->open && o->split && o->target->split.interval_ns > 0 && o->due_ns < next_ns)
		next_ns = o->due_ns;
	return next_ns;
}

/* --- closing ------------------------------------------------------------------------------------
 */

static bool finish_direct(struct outlet *o, struct err *e)
{
	if (!head_first(o) || !end_body(o) || !end_stream(o))
		return false;
	o->whole += o->stream.last.records;
	o->stream.last.records = 0;
	o->open = false;
	return file_close(&o->stream.file, true, e);
}

bool outlet_finish(struct outlet *o, struct err *e)
{
	if (!resume(o))
		return false;
	if (o->open && !o->lazy)
		return finish_direct(o, e);
	o->turning = o->open;
	if (!resume(o))
		return false;
	keep_tidy(o, true);
	return true;
}

uint64_t outlet_give_up(struct outlet *o)
{
	const uint64_t taken = in_file(o);
	uint64_t kept;

	if (!o->open || o->given_up)
		return 0;
	o->given_up = true;
	kept = stream_give_up(&o->stream);
	o->stream.last.records = kept;
	o->stream.fresh = 0;
	file_close(&o->stream.file, false, NULL);
	return taken - kept;
}

uint64_t outlet_records(const struct outlet *o)
{
	return o->whole + o->stream.last.records;
}

void outlet_free(struct outlet *o)
{
	outlet_give_up(o);
	file_free(&o->stream.file);
	stream_free(&o->stream);
	series_free(&o->series);
	free(o->path);
	buf_free(&o->head);
	buf_free(&o->line);
}
