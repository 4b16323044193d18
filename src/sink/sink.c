/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sink.c - a sink from its opening to its end: who writes, what stands between records, and the
 * words of a failure.
 */
#include "sink/sink_internal.h"

#include "base/limits.h"
#include "sink/wait.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* --- opening ------------------------------------------------------------------------------------
 */

static enum sink_mode mode_of(const struct sink *s)
{
	if (s->target.batch != NULL)
		return SINK_BATCHES;
	if (s->target.line != NULL)
		return s->target.live ? SINK_POLLED : SINK_INLINE;
	return s->target.live || s->outlet.compression != COMPRESS_NONE ? SINK_THREAD : SINK_INLINE;
}

static uint64_t most_waiting(const struct sink_target *t)
{
	if (t->queue_bytes > 0)
		return t->queue_bytes;
	return t->live ? LIMIT_OUTPUT_QUEUE : LIMIT_OUTPUT_WAIT;
}

struct sink *sink_open(const struct sink_target *target, const struct plan *plan, struct err *e)
{
	struct sink *s = calloc(1, sizeof *s);

	if (s == NULL) {
		err_set(e, "no memory to write records");
		return NULL;
	}
	s->target = *target;
	s->plan = plan;
	says_init(&s->says);
	queue_init(&s->queue, most_waiting(target), !target->live);
	if (target->batch == NULL && !outlet_open(&s->outlet, &s->target, plan, &s->says, e)) {
		sink_free(s);
		return NULL;
	}
	s->target.path = NULL;
	s->mode = mode_of(s);
	return s;
}

/* --- failures -----------------------------------------------------------------------------------
 */

bool sink_has_failed(struct sink *s)
{
	bool failed;

	pthread_mutex_lock(&s->queue.lock);
	failed = s->queue.failed;
	pthread_mutex_unlock(&s->queue.lock);
	return failed;
}

bool sink_out_of_memory(struct sink *s)
{
	queue_fail(&s->queue);
	s->told = true;
	return err_set(&s->why, "cannot write records: no memory");
}

static const char *reason(const struct outlet *o)
{
	if (o->why == 0)
		return "the receiver asked to stop";
	return o->why == ENOMEM ? "no memory" : strerror(o->why);
}

static uint64_t held_by(const struct pen *p)
{
	return p->block != NULL ? p->block->records : batches_rows(p);
}

/* Live pens go on while this is said. */
static uint64_t taken(const struct sink *s)
{
	uint64_t records = s->queue.records + s->queue.lost;

	for (const struct pen *p = s->target.live ? NULL : s->pens; p != NULL; p = p->next)
		records += held_by(p);
	return records;
}

bool sink_tell(struct sink *s, struct err *e)
{
	const struct outlet *o = &s->outlet;

	pthread_mutex_lock(&s->queue.lock);
	if (!s->told && s->mode == SINK_BATCHES)
		err_set(&s->why, "the receiver of columns asked to stop");
	else if (!s->told)
		err_set(&s->why,
				"cannot write %s: %s; %" PRIu64 " of %" PRIu64
				" records are whole there%s",
				outlet_name(o), reason(o), outlet_records(o), taken(s),
				o->split ? " and in the files before" : "");
	s->told = true;
	pthread_mutex_unlock(&s->queue.lock);
	return err_set(e, "%s", s->why.text);
}

/* --- between records ----------------------------------------------------------------------------
 */

static bool hand_on_all(struct sink *s)
{
	bool done = true;

	for (struct pen *p = s->pens; p != NULL; p = p->next)
		done &= pen_hand_on(p, true);
	return done;
}

static bool write_now(struct sink *s, enum block_kind kind, const struct buf *line)
{
	struct block b = { .kind = kind, .bytes = *line };
	bool done = hand_on_all(s) && !sink_has_failed(s) && !s->closed;

	if (done) {
		done = writer_work(s, &b, true);
		if (!done)
			writer_fail(s);
	}
	says_tell(&s->says, &s->target);
	return done;
}

static bool put(struct sink *s, enum block_kind kind, const struct buf *line, struct err *e)
{
	const enum put done = queue_put_line(&s->queue, kind, line);

	if (done == PUT_FULL)
		return err_set(e, "cannot write records: no memory");
	return (done == PUT_DONE && writer_start(s, e)) || sink_tell(s, e);
}

static bool send(struct sink *s, enum block_kind kind, const struct buf *line, struct err *e)
{
	if (!buf_ok(line))
		return err_set(e, "cannot write records: no memory");
	if (s->mode != SINK_INLINE)
		return put(s, kind, line, e);
	return write_now(s, kind, line) || sink_tell(s, e);
}

bool sink_begin(struct sink *s, const struct buf *configuration, struct err *e)
{
	struct buf line = buf_new(LIMIT_RECORD_BYTES);
	bool done;

	if (s->mode == SINK_BATCHES)
		return true; /* columns have no place for it */
	s->outlet.format->begin(s->plan, configuration, &line);
	done = send(s, BLOCK_HEAD, &line, e);
	buf_free(&line);
	return done;
}

static bool send_line(struct sink *s, enum block_kind kind, const struct buf *object, struct err *e)
{
	struct buf line = buf_new(LIMIT_RECORD_BYTES);
	bool done;

	if (s->mode == SINK_BATCHES)
		return true;
	s->outlet.format->end(object, &line);
	done = send(s, kind, &line, e);
	buf_free(&line);
	return done;
}

bool sink_note(struct sink *s, const struct buf *object, struct err *e)
{
	return send_line(s, BLOCK_NOTE, object, e);
}

bool sink_end(struct sink *s, const struct buf *summary, struct err *e)
{
	if (!hand_on_all(s))
		return sink_tell(s, e);
	return send_line(s, BLOCK_END, summary, e);
}

bool sink_turn(struct sink *s)
{
	const struct buf nothing = buf_new(0);

	return hand_on_all(s) && send(s, BLOCK_TURN, &nothing, NULL);
}

bool sink_rotate(struct sink *s)
{
	if (!s->outlet.split)
		return false;
	pthread_mutex_lock(&s->queue.lock);
	s->rotate = true;
	pthread_mutex_unlock(&s->queue.lock);
	queue_poke(&s->queue);
	return true;
}

/* --- waiting ------------------------------------------------------------------------------------
 */

bool sink_poll(struct sink *s, struct err *e)
{
	if (s->mode == SINK_POLLED)
		writer_poll(s);
	says_tell(&s->says, &s->target);
	return !sink_has_failed(s) || sink_tell(s, e);
}

void sink_stopping(struct sink *s)
{
	queue_be_patient(&s->queue);
}

bool sink_flush(struct sink *s, struct err *e)
{
	bool done = hand_on_all(s);

	if (done && !s->target.live && s->mode == SINK_THREAD)
		queue_wait(&s->queue);
	return (done && !sink_has_failed(s)) || sink_tell(s, e);
}

/* --- closing ------------------------------------------------------------------------------------
 */

static bool finish(struct sink *s, bool whole, struct err *e)
{
	struct err why = { "" };

	if (writer_finish(s, whole, &why))
		return true;
	if (why.text[0] != '\0') {
		s->why = why;
		s->told = true;
	}
	return sink_tell(s, e);
}

static bool close_batches(struct sink *s, struct err *e)
{
	s->closed = true;
	says_tell(&s->says, &s->target);
	return !sink_has_failed(s) || sink_tell(s, e);
}

bool sink_close(struct sink *s, bool whole, struct err *e)
{
	bool done = true;

	if (s->closed)
		return true;
	hand_on_all(s);
	if (s->mode == SINK_BATCHES)
		return close_batches(s, e);
	writer_stop(s);
	done = sink_has_failed(s) ? sink_tell(s, e) : finish(s, whole, e);
	outlet_give_up(&s->outlet);
	s->closed = true;
	says_tell(&s->says, &s->target);
	return done;
}

uint64_t sink_records(struct sink *s)
{
	uint64_t records;

	pthread_mutex_lock(&s->queue.lock);
	records = s->queue.records;
	pthread_mutex_unlock(&s->queue.lock);
	for (const struct pen *p = s->pens; p != NULL; p = p->next)
		records += held_by(p);
	return records;
}

void sink_counts(struct sink *s, struct sink_counts *out)
{
	const struct queue *q = &s->queue;

	pthread_mutex_lock(&s->queue.lock);
	*out = (struct sink_counts){
		.records = q->records - q->undone,
		.bytes = q->text,
		.lost = q->lost + q->undone,
		.refused = s->refused,
		.notes_lost = q->notes_lost,
		.files = s->files,
		.deleted = s->deleted,
		.waiting_bytes = q->bytes,
		.queue_bytes = q->most,
		.waiting_ns = q->first != NULL ? wait_clock() - q->first->put_ns : 0,
		.paused = s->paused,
	};
	pthread_mutex_unlock(&s->queue.lock);
}

void sink_free(struct sink *s)
{
	if (s == NULL)
		return;
	sink_close(s, false, NULL);
	if (s->mode != SINK_BATCHES)
		outlet_free(&s->outlet);
	queue_destroy(&s->queue);
	says_destroy(&s->says);
	free(s);
}
