/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream.c - a run in a thread of its own, whose records wait as batches of columns until somebody
 * asks for them: the Arrow C stream interface.
 *
 * The stream belongs to the handle; releasing what the reader holds only ends the run.  What both
 * threads see is guarded by one lock.
 */
#include "api/records.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/limits.h"
#include "os/clock.h"
#include "os/thread.h"

enum {
	AHEAD = 4,        /* batches of files that wait for the reader */
	AHEAD_LIVE = 256, /* and of a live capture, which cannot wait */
	NOTE_LIVE = 20,   /* every so many looks of the watch, the counters are noted */
};

struct waiting {
	struct waiting *next;
	struct ArrowArray batch;
};

struct drain {
	struct joy *j;
	const struct drain_run *run;
	pthread_t thread;
	bool opened;  /* the run is the thread's business from now on */
	bool started; /* the thread is not joined yet */
	struct buf configuration;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct waiting *first, **last;
	unsigned count;
	bool ending;   /* an orderly end is asked for */
	bool released; /* nobody wants more */
	bool running;  /* the thread is, and this it is */
	pthread_t self;
	bool done; /* the run is over */
	int status;
	struct err error;
	struct joy_stats stats;

	unsigned looks; /* the run's: since the counters were noted */
	char said[512]; /* the reader's: get_last_error() */
};

/* --- batches that wait ------------------------------------------------------------------------ */

static bool has_room(const struct drain *s, bool wait)
{
	return s->count < (wait || s->j->sensor == NULL ? AHEAD : AHEAD_LIVE);
}

static void append(struct drain *s, struct waiting *w, const struct ArrowArray *batch)
{
	w->next = NULL;
	w->batch = *batch;
	*s->last = w;
	s->last = &w->next;
	s->count++;
	pthread_cond_broadcast(&s->changed);
}

enum sink_take drain_put(void *ctx, struct ArrowArray *batch, bool wait)
{
	struct drain *s = ((struct joy *)ctx)->stream;
	struct waiting *w = malloc(sizeof *w);
	enum sink_take took = SINK_FULL;

	if (w == NULL)
		return wait ? SINK_ENDED : SINK_FULL;
	pthread_mutex_lock(&s->lock);
	while (wait && !s->released && !has_room(s, wait))
		pthread_cond_wait(&s->changed, &s->lock);
	if (s->released)
		took = SINK_ENDED;
	else if (has_room(s, wait))
		took = SINK_TAKEN;
	if (took == SINK_TAKEN)
		append(s, w, batch);
	pthread_mutex_unlock(&s->lock);
	if (took != SINK_TAKEN)
		free(w);
	return took;
}

/* The first that waits; the lock is held. */
static bool take(struct drain *s, struct ArrowArray *out)
{
	struct waiting *w = s->first;

	if (w == NULL)
		return false;
	*out = w->batch;
	s->first = w->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->count--;
	free(w);
	pthread_cond_broadcast(&s->changed);
	return true;
}

/* --- the run's side --------------------------------------------------------------------------- */

bool drain_ends(const struct joy *j)
{
	struct drain *s = j->stream;
	bool ends;

	if (s == NULL)
		return false;
	pthread_mutex_lock(&s->lock);
	ends = s->ending || s->released;
	pthread_mutex_unlock(&s->lock);
	return ends;
}

void drain_note(struct joy *j)
{
	struct drain *s = j->stream;
	struct joy_stats now;

	if (s == NULL || (j->sensor != NULL && s->looks++ % NOTE_LIVE != 0))
		return;
	handle_stats(j, &now);
	pthread_mutex_lock(&s->lock);
	s->stats = now;
	pthread_mutex_unlock(&s->lock);
}

static void *run(void *ctx)
{
	struct drain *s = ctx;
	struct joy_stats stats;
	int status;

	pthread_mutex_lock(&s->lock);
	s->running = true;
	s->self = pthread_self();
	pthread_mutex_unlock(&s->lock);
	status = s->run->go(s->j);
	handle_stats(s->j, &stats);
	pthread_mutex_lock(&s->lock);
	if (!s->released) { /* an end that the reader makes is no failure */
		s->status = status;
		s->error = s->j->error;
	}
	s->stats = stats;
	s->done = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* --- the other side --------------------------------------------------------------------------- */

bool drain_is_elsewhere(const struct joy *j)
{
	struct drain *s = j->stream;
	bool elsewhere;

	if (s == NULL || !s->opened)
		return false;
	pthread_mutex_lock(&s->lock);
	elsewhere = !s->done && !(s->running && pthread_equal(pthread_self(), s->self));
	pthread_mutex_unlock(&s->lock);
	return elsewhere;
}

void drain_stats(const struct joy *j, struct joy_stats *out)
{
	struct drain *s = j->stream;

	pthread_mutex_lock(&s->lock);
	*out = s->stats;
	pthread_mutex_unlock(&s->lock);
}

const char *drain_error(const struct joy *j)
{
	(void)j;
	return ""; /* nothing has failed while it runs */
}

/* Waits for a batch, the end, or the time.  The lock is held. */
static bool wait_for_batch(struct drain *s, const struct timespec *until)
{
	int failed = 0;

	while (s->first == NULL && !s->done && failed == 0)
		failed = until == NULL ? pthread_cond_wait(&s->changed, &s->lock)
				       : pthread_cond_timedwait(&s->changed, &s->lock, until);
	return s->first != NULL || s->done;
}

int joy_stream_wait(struct joy *j, int ms)
{
	struct drain *s = j->stream;
	struct timespec until;
	int64_t ns;
	bool there;

	if (s == NULL)
		return 1;
	ns = clock_steady_ns() + (int64_t)(ms > 0 ? ms : 0) * 1000000;
	until.tv_sec = (time_t)(ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	pthread_mutex_lock(&s->lock);
	there = wait_for_batch(s, &until);
	pthread_mutex_unlock(&s->lock);
	return there;
}

int joy_stream_status(struct joy *j)
{
	struct drain *s = j->stream;
	int status;

	if (s == NULL)
		return handle_fail(j, JOY_USAGE, "there is no stream");
	pthread_mutex_lock(&s->lock);
	while (!s->done)
		pthread_cond_wait(&s->changed, &s->lock);
	status = s->status;
	pthread_mutex_unlock(&s->lock);
	return status;
}

void joy_stream_end(struct joy *j)
{
	struct drain *s = j->stream;

	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_mutex_unlock(&s->lock);
}

/* --- the Arrow stream ------------------------------------------------------------------------- */

static int say(struct drain *s, int number, const char *text)
{
	snprintf(s->said, sizeof s->said, "%s", text);
	return number;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
	struct drain *s = stream->private_data;
	struct err why;

	if (columns_schema(s->j->columns, s->configuration.p, s->configuration.size, out, &why))
		return 0;
	return say(s, ENOMEM, why.text);
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
	struct drain *s = stream->private_data;
	bool failed;

	*out = (struct ArrowArray){ 0 };
	pthread_mutex_lock(&s->lock);
	wait_for_batch(s, NULL);
	failed = !take(s, out) && s->status != JOY_OK && s->status != JOY_DAMAGED;
	pthread_mutex_unlock(&s->lock);
	return failed ? say(s, EIO, s->error.text) : 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
	const struct drain *s = stream->private_data;

	return s->said[0] != '\0' ? s->said : NULL;
}

/* Nobody wants more: the run ends, and what waits is dropped. */
static void end(struct drain *s)
{
	struct ArrowArray batch;

	pthread_mutex_lock(&s->lock);
	s->released = true;
	while (take(s, &batch))
		batch.release(&batch);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (s->started)
		pthread_join(s->thread, NULL);
	s->started = false;
}

static void release(struct ArrowArrayStream *stream)
{
	end(stream->private_data);
	stream->release = NULL;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void init_lock(struct drain *s)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
#ifndef __APPLE__
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
#endif
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static struct drain *drain_new(struct joy *j, const struct drain_run *how)
{
	struct drain *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->j = j;
	s->run = how;
	s->last = &s->first;
	s->configuration = buf_new(LIMIT_TEXT_BYTES);
	init_lock(s);
	return s;
}

void drain_free(struct drain *s)
{
	if (s == NULL)
		return;
	end(s);
	buf_free(&s->configuration);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static bool describe(struct drain *s)
{
	struct joy *j = s->j;

	if (s->run->configuration != NULL)
		return s->run->configuration(j, &s->configuration);
	return run_configuration(j, NULL, &s->configuration);
}

static int start(struct drain *s)
{
	s->opened = true;
	s->started = thread_start(&s->thread, run, s) == 0;
	s->opened = s->started;
	return s->started ? JOY_OK
			  : handle_fail(s->j, JOY_FAILED, "no thread can be started for the run");
}

/* Without a thread there is no run; what was opened goes with the handle. */
static int give_up(struct joy *j, int status)
{
	j->phase = PHASE_OVER;
	j->stream->done = true;
	j->stream->status = status;
	j->stream->error = j->error;
	return status;
}

int drain_open(struct joy *j, const struct drain_run *how, const void *input,
		struct ArrowArrayStream *out)
{
	int status;

	*out = (struct ArrowArrayStream){ 0 };
	if (j->phase != PHASE_SETUP || j->stream != NULL)
		return handle_fail(j, JOY_USAGE, "a handle is for one run");
	j->stream = drain_new(j, how);
	if (j->stream == NULL)
		return handle_fail(j, JOY_FAILED, "no memory for a stream");
	status = how->open(j, input);
	if (status == JOY_OK && !describe(j->stream))
		status = JOY_FAILED;
	if (status == JOY_OK)
		status = start(j->stream);
	if (status != JOY_OK)
		return give_up(j, status);
	*out = (struct ArrowArrayStream){ .get_schema = get_schema,
		.get_next = get_next,
		.get_last_error = get_last_error,
		.release = release,
		.private_data = j->stream };
	return JOY_OK;
}

/* --- captures --------------------------------------------------------------------------------- */

bool drain_missing(struct joy *j, const struct drain_paths *in)
{
	struct stat st;

	for (size_t i = 0; i < in->count; i++) {
		if (strcmp(in->paths[i], "-") == 0 || stat(in->paths[i], &st) == 0)
			return false;
	}
	if (in->count == 0)
		return false;
	handle_fail(j, JOY_FAILED, "%s cannot be opened: %s", in->paths[0], strerror(errno));
	if (j->trouble != NULL)
		j->trouble(j->trouble_ctx, JOY_FAILED, in->paths[0], -1, j->error.text);
	return true;
}

static int open_captures(struct joy *j, const void *input)
{
	const struct drain_paths *in = input;

	return drain_missing(j, in) ? JOY_FAILED : run_open(j, in->paths, in->count);
}

static const struct drain_run captures_run = { .open = open_captures, .go = run_go };

int joy_stream(struct joy *j, enum joy_input what, const char *const *paths, size_t count,
		struct ArrowArrayStream *out)
{
	const struct drain_paths in = { paths, count };

	if (what == JOY_CAPTURES)
		return drain_open(j, &captures_run, &in, out);
	if (what == JOY_RECORDS)
		return drain_open(j, &records_run, &in, out);
	*out = (struct ArrowArrayStream){ 0 };
	return handle_fail(j, JOY_USAGE, "there is no input %d", (int)what);
}
