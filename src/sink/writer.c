/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * writer.c - the one who writes: works off the queue, waits out a disk that is full, and says so
 * once.
 */
#include "os/thread.h"
#include "sink/sink_internal.h"
#include "sink/wait.h"

#include <errno.h>
#include <inttypes.h>

enum { LAST_TRIES = 2 }; /* at the end of a run */

/* --- one thing at a time ------------------------------------------------------------------------
 */

static bool dispatch(struct outlet *o, struct block *b, bool all)
{
	switch (b->kind) {
	case BLOCK_HEAD:
		return outlet_head(o, b);
	case BLOCK_NOTE:
		return outlet_note(o, b);
	case BLOCK_TURN:
		return outlet_turn(o);
	case BLOCK_END:
		return outlet_end(o, b);
	default:
		return outlet_take(o, b, all);
	}
}

/* What the outlet must know of the others. */
static bool before_work(struct sink *s)
{
	bool rotate;

	pthread_mutex_lock(&s->queue.lock);
	s->outlet.lost = s->queue.lost + s->queue.undone - s->vanished;
	rotate = s->rotate;
	s->rotate = false;
	pthread_mutex_unlock(&s->queue.lock);
	return rotate;
}

/* What the others may ask of the outlet. */
static void after_work(struct sink *s)
{
	const struct outlet *o = &s->outlet;

	pthread_mutex_lock(&s->queue.lock);
	s->files = o->finished;
	s->deleted = o->deleted;
	s->queue.undone += o->vanished - s->vanished;
	pthread_mutex_unlock(&s->queue.lock);
	s->vanished = o->vanished;
}

bool writer_work(struct sink *s, struct block *b, bool all)
{
	struct outlet *o = &s->outlet;
	bool done = !before_work(s) || outlet_turn(o);

	if (done)
		done = b != NULL ? dispatch(o, b, all) : outlet_tick(o);
	after_work(s);
	return done;
}

void writer_fail(struct sink *s)
{
	queue_undo(&s->queue, outlet_give_up(&s->outlet));
	queue_fail(&s->queue);
}

/* --- pauses -------------------------------------------------------------------------------------
 */

static void set_paused(struct sink *s, bool paused)
{
	pthread_mutex_lock(&s->queue.lock);
	s->paused = paused;
	s->queue.stuck = paused;
	pthread_cond_broadcast(&s->queue.emptied);
	pthread_mutex_unlock(&s->queue.lock);
}

static void pause_writing(struct sink *s)
{
	const struct outlet *o = &s->outlet;

	s->retry_ns = wait_clock() + outlet_tick_ns(o);
	if (s->paused)
		return;
	set_paused(s, true);
	if (!s->behind)
		says_add(&s->says, SINK_ERROR, "cannot write %s: %s; records wait in memory",
				outlet_name(o), strerror(o->why));
	s->behind = true;
}

/* Whether nothing waits any more after a time when something was lost or had to wait. */
static bool has_caught_up(struct sink *s, uint64_t *lost)
{
	struct queue *q = &s->queue;
	bool caught_up;

	pthread_mutex_lock(&q->lock);
	caught_up = q->first == NULL && (q->losing || s->behind);
	if (caught_up)
		q->losing = false;
	*lost = q->lost + q->undone - s->lost_said;
	pthread_mutex_unlock(&q->lock);
	return caught_up;
}

static void go_on(struct sink *s, struct block *b)
{
	uint64_t lost;

	if (s->paused)
		set_paused(s, false);
	if (b != NULL)
		queue_done(&s->queue);
	if (!has_caught_up(s, &lost))
		return;
	s->behind = false;
	s->lost_said += lost;
	says_add(&s->says, SINK_WARNING, "output has caught up: %" PRIu64 " records were lost",
			lost);
}

/* False: it has failed for good. */
static bool step(struct sink *s, struct block *b)
{
	if (writer_work(s, b, true)) {
		go_on(s, b);
		return true;
	}
	if (outlet_is_patient(&s->outlet) &&
			!(queue_stops(&s->queue) && ++s->last_tries >= LAST_TRIES)) {
		pause_writing(s);
		return true;
	}
	writer_fail(s);
	return false;
}

/* --- the thread ---------------------------------------------------------------------------------
 */

static void work_off(struct sink *s)
{
	struct block *b;
	bool goes_on = true;

	while (goes_on) {
		if (s->paused)
			queue_sleep(&s->queue, s->retry_ns);
		b = queue_first(&s->queue,
				s->target.live ? outlet_next_tick(&s->outlet) : INT64_MAX);
		if (b != NULL || s->target.live)
			goes_on = step(s, b);
		if (b == NULL && queue_stops(&s->queue))
			goes_on = false;
	}
}

static void *run(void *ctx)
{
	work_off(ctx);
	return NULL;
}

bool writer_start(struct sink *s, struct err *e)
{

	if (s->mode != SINK_THREAD || s->running)
		return true;
	s->running = thread_start(&s->thread, run, s) == 0;
	return s->running || err_set(e, "cannot write records: no thread can be started");
}

void writer_poll(struct sink *s)
{
	struct block *b;
	bool goes_on = true;

	while (goes_on && !sink_has_failed(s)) {
		b = queue_first(&s->queue, INT64_MIN);
		goes_on = b != NULL && step(s, b);
	}
}

void writer_stop(struct sink *s)
{
	queue_stop(&s->queue);
	if (s->running)
		pthread_join(s->thread, NULL);
	else
		writer_poll(s);
	s->running = false;
}

bool writer_finish(struct sink *s, bool whole, struct err *e)
{
	bool done = true;

	if (whole) {
		done = outlet_finish(&s->outlet, e);
		/* a file that has vanished is found only now */
		if (!done && outlet_is_patient(&s->outlet))
			done = outlet_finish(&s->outlet, e);
	}
	after_work(s);
	if (!done)
		writer_fail(s);
	else
		queue_undo(&s->queue, outlet_give_up(&s->outlet));
	return done;
}
