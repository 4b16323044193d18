/* SPDX-License-Identifier: BSD-3-Clause */
/* sensor_worker.c - what a worker does from its start to its end, and how it is told to. */
#include "engine/sensor_worker.h"

#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/thread.h"

#define FLUSH_NS ((int64_t)1000 * 1000 * 1000) /* records wait at most so long */

enum { FRAMES = 256, WAIT_MS = 100 };

/* --- the worker's side
 * ----------------------------------------------------------------------------- */

static void fail(struct worker *w, const struct err *why)
{
	struct crew *c = w->crew;

	pthread_mutex_lock(&c->lock);
	if (!c->fails)
		c->why = *why;
	c->fails = true;
	pthread_mutex_unlock(&c->lock);
}

static void stand_still(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	c->still++;
	pthread_cond_broadcast(&c->moved);
	while (c->holders > 0)
		pthread_cond_wait(&c->moved, &c->lock);
	c->still--;
	pthread_mutex_unlock(&c->lock);
}

static void mark_losses(struct worker *w)
{
	const uint64_t losses = w->crew->losses;

	if (losses == w->losses)
		return;
	w->losses = losses;
	engine_lost(w->engine);
}

/* Hands records on when nothing else is to be done, and in any case now and then. */
static bool flush(struct worker *w, bool idle, int64_t boot_ns, struct err *e)
{
	if (!idle && boot_ns - w->flushed_ns < FLUSH_NS)
		return true;
	w->flushed_ns = boot_ns;
	return engine_flush_records(w->engine, e);
}

/*
 * A batch, or the time that passed without one; flows that wait to leave do so between batches that
 * are not full.  *ok false: nothing can come any more.
 */
static bool step(struct worker *w, bool *ok, struct err *e)
{
	struct frame frames[FRAMES];
	const bool behind = engine_is_behind(w->engine);
	const size_t n = live_read(
			w->crew->live, w->ring, frames, FRAMES, behind ? 0 : WAIT_MS, ok, e);
	const int64_t boot_ns = clock_boot_ns();

	engine_present(w->engine, clock_real_ns(), boot_ns);
	mark_losses(w);
	if (n > 0 && !engine_feed(w->engine, frames, n, e))
		return false;
	if (n == 0 && !engine_idle(w->engine, e))
		return false;
	if (n > 0 && n < FRAMES && behind && !engine_catch_up(w->engine, e))
		return false;
	return flush(w, n == 0 && !engine_is_behind(w->engine), boot_ns, e);
}

/* Losses up to the very end are counted before the last flows leave. */
static void await_end(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	while (!c->ends && !c->gives_up)
		pthread_cond_wait(&c->moved, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

static bool work(struct worker *w, struct err *e)
{
	struct crew *c = w->crew;
	bool ok = true;

	while (ok && !c->gives_up) {
		if (c->holds)
			stand_still(c);
		else if (!step(w, &ok, e))
			return false;
	}
	if (!ok && !c->stops)
		return false;
	await_end(c);
	mark_losses(w);
	return c->gives_up || (engine_finish(w->engine, e) && engine_flush_records(w->engine, e));
}

static void *run(void *argument)
{
	struct worker *w = argument;
	struct err why = { "" };

	if (!work(w, &why))
		fail(w, &why);
	pthread_mutex_lock(&w->crew->lock);
	w->crew->gone++;
	pthread_cond_broadcast(&w->crew->moved);
	pthread_mutex_unlock(&w->crew->lock);
	return NULL;
}

/* --- the watching side
 * ------------------------------------------------------------------------------ */

bool crew_init(struct crew *c, struct engine *const *engines, size_t count, struct live *live,
		struct err *e)
{
	c->worker = calloc(count, sizeof *c->worker);
	if (c->worker == NULL)
		return err_set(e, "no memory for workers");
	c->count = count;
	c->live = live;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->moved, NULL);
	for (size_t i = 0; i < count; i++)
		c->worker[i] = (struct worker){
			.crew = c, .engine = engines[i], .ring = (unsigned)i
		};
	return true;
}

static void join(struct crew *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->worker[i].started)
			pthread_join(c->worker[i].thread, NULL);
		c->worker[i].started = false;
	}
}

bool crew_start(struct crew *c, struct err *e)
{
	const int64_t real_ns = clock_real_ns(), boot_ns = clock_boot_ns();
	int error = 0;

	for (size_t i = 0; i < c->count && error == 0; i++) {
		engine_present(c->worker[i].engine, real_ns, boot_ns);
		c->worker[i].flushed_ns = boot_ns;
		error = thread_start(&c->worker[i].thread, run, &c->worker[i]);
		c->worker[i].started = error == 0;
	}
	return error == 0 || err_set(e, "cannot start a worker: %s", strerror(error));
}

bool crew_well(struct crew *c, struct err *e)
{
	if (!c->fails)
		return true;
	pthread_mutex_lock(&c->lock);
	err_set(e, "%s", c->why.text);
	pthread_mutex_unlock(&c->lock);
	return false;
}

void crew_lost(struct crew *c)
{
	c->losses++;
}

static size_t running(const struct crew *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->worker[i].started;
	return n;
}

void crew_hold(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	c->holders++;
	c->holds = true;
	live_wake(c->live);
	while (c->still + c->gone < running(c))
		pthread_cond_wait(&c->moved, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

void crew_release(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	c->holders--;
	c->holds = c->holders > 0;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
}

void crew_stop(struct crew *c)
{
	c->stops = true;
	live_stop(c->live);
}

static void end(struct crew *c, atomic_bool *how)
{
	pthread_mutex_lock(&c->lock);
	*how = true;
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->lock);
	live_wake(c->live);
	join(c);
}

bool crew_finish(struct crew *c, struct err *e)
{
	end(c, &c->ends);
	return crew_well(c, e);
}

void crew_destroy(struct crew *c)
{
	if (c->worker == NULL)
		return;
	end(c, &c->gives_up);
	pthread_cond_destroy(&c->moved);
	pthread_mutex_destroy(&c->lock);
	free(c->worker);
	c->worker = NULL;
}
