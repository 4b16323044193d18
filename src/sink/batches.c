/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * batches.c - a pen that fills columns: what is full is handed on in the pen's own thread.
 *
 * Of files, the receiver makes it wait.  A live pen keeps a batch that finds no room, goes on with
 * the next, and when that is full too, loses records.
 */
#include "sink/sink_internal.h"
#include "sink/wait.h"

#define AGE_NS                                                                                     \
	((int64_t)500 * 1000 * 1000) /* at which a live batch goes; a look comes each second */

static bool is_patient(struct sink *s)
{
	bool waits;

	pthread_mutex_lock(&s->queue.lock);
	waits = s->queue.waits;
	pthread_mutex_unlock(&s->queue.lock);
	return waits;
}

static void count(struct pen *p)
{
	struct queue *q = &p->sink->queue;

	pthread_mutex_lock(&q->lock);
	q->records += p->held_rows;
	q->text += p->held_bytes;
	q->losing = false;
	pthread_mutex_unlock(&q->lock);
	p->held_rows = 0;
	p->held_bytes = 0;
}

/* What found no room before. */
static enum sink_take give_held(struct pen *p)
{
	struct sink *s = p->sink;
	enum sink_take took;

	if (p->held.release == NULL)
		return SINK_TAKEN;
	took = s->target.batch(s->target.ctx, &p->held, is_patient(s));
	if (took == SINK_TAKEN) {
		p->held.release = NULL;
		count(p);
	}
	if (took == SINK_ENDED)
		queue_fail(&s->queue);
	return took;
}

/* SINK_FULL: the batch of columns waits for its turn. */
static enum sink_take give_batch(struct pen *p)
{
	if (batch_rows(p->batch) == 0)
		return SINK_TAKEN;
	p->held_rows = batch_rows(p->batch);
	p->held_bytes = batch_bytes(p->batch);
	if (!batch_export(p->batch, &p->held, NULL)) {
		queue_undo(&p->sink->queue, p->held_rows);
		count(p);
		return SINK_TAKEN;
	}
	return give_held(p);
}

/* All that a pen holds.  False: the sink has failed. */
bool batches_hand_on(struct pen *p)
{
	enum sink_take took;

	if (p->sink->closed || sink_has_failed(p->sink))
		return false;
	took = give_held(p);
	if (took == SINK_TAKEN)
		took = give_batch(p);
	p->stuck = took == SINK_ENDED;
	return !p->stuck;
}

/* Whether a live batch is too young to go. */
static bool is_young(const struct pen *p)
{
	const int64_t tick_ns = p->sink->target.tick_ns;

	return batch_rows(p->batch) == 0 ||
	       wait_clock() - p->since_ns < (tick_ns > 0 ? tick_ns : AGE_NS);
}

bool batches_flush(struct pen *p, struct err *e)
{
	struct sink *s = p->sink;

	if (s->target.live && p->held.release == NULL && !is_patient(s) && is_young(p))
		return true;
	return batches_hand_on(p) || sink_tell(s, e);
}

static void refuse(struct sink *s)
{
	pthread_mutex_lock(&s->queue.lock);
	s->refused++;
	pthread_mutex_unlock(&s->queue.lock);
}

bool batches_record(struct pen *p, const void *const *data, struct err *e)
{
	struct sink *s = p->sink;

	if (p->stuck || (batch_full(p->batch) && !batches_hand_on(p)))
		return sink_tell(s, e);
	if (batch_full(p->batch))
		return pen_lose(p, e);
	if (s->target.live && batch_rows(p->batch) == 0)
		p->since_ns = wait_clock();
	if (!batch_append(p->batch, data))
		refuse(s);
	return !batch_full(p->batch) || batches_hand_on(p) || sink_tell(s, e);
}

uint64_t batches_rows(const struct pen *p)
{
	return p->held_rows + batch_rows(p->batch);
}

void batches_free(struct pen *p)
{
	if (p->held.release != NULL)
		p->held.release(&p->held);
	batch_free(p->batch);
}
