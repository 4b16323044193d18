/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pen.c - one worker's end of a sink: records are written straight into its block.
 *
 * A block that is full enough is handed on, so each write begins and ends with a record.  A pen
 * that found no room keeps its block, and counts as lost what cannot go behind it.
 */
#include "base/limits.h"
#include "sink/sink_internal.h"

#include <stdlib.h>

enum {
	LINES = 16 * FILE_PAGE, /* in a block at once: more than fit into what stays there */
	ROOM = BLOCK_LONG + LIMIT_RECORD_BYTES + BLOCK_SPARE,
};

static struct block *block_for(const struct sink *s)
{
	return s->mode == SINK_INLINE ? block_new(LINES, ROOM, ROOM)
				      : block_new(BLOCK_LINES, BLOCK_BYTES + BLOCK_SPARE, ROOM);
}

static bool prepare(struct pen *p, const struct sink *s, struct err *e)
{
	if (s->mode == SINK_BATCHES) {
		p->batch = batch_new(s->target.columns, e);
		return p->batch != NULL;
	}
	p->block = block_for(s);
	if (p->block == NULL)
		return err_set(e, "no memory to write records");
	p->format = s->outlet.format->record;
	p->due = outlet_due(&s->outlet);
	return true;
}

struct pen *pen_new(struct sink *s, struct err *e)
{
	struct pen *p = NULL;

	if (s->pens == NULL || s->target.live)
		p = calloc(1, sizeof *p);
	if (p == NULL) {
		err_set(e, "no memory to write records");
		return NULL;
	}
	if (!prepare(p, s, e)) {
		free(p);
		return NULL;
	}
	p->sink = s;
	p->plan = s->plan;
	p->next = s->pens;
	s->pens = p;
	p->turn_ns = pen_wants_time(p) ? INT64_MIN : INT64_MAX;
	return p;
}

void pen_free(struct pen *p)
{
	struct pen **at;

	if (p == NULL)
		return;
	pen_hand_on(p, true);
	for (at = &p->sink->pens; *at != p;)
		at = &(*at)->next;
	*at = p->next;
	block_free(p->block);
	batches_free(p);
	free(p);
}

/* --- handing on ---------------------------------------------------------------------------------
 */

static bool write_now(struct pen *p, bool all)
{
	struct sink *s = p->sink;
	struct block *b = p->block;
	const bool done = writer_work(s, b, all);

	pthread_mutex_lock(&s->queue.lock);
	s->queue.records += b->whole;
	s->queue.text += b->written;
	pthread_mutex_unlock(&s->queue.lock);
	block_shift(b);
	p->due = outlet_due(&s->outlet);
	if (!done)
		writer_fail(s);
	if (!s->target.threaded)
		says_tell(&s->says, &s->target);
	return done;
}

static bool put(struct pen *p)
{
	struct sink *s = p->sink;
	const enum put done = queue_put(&s->queue, &p->block);

	p->stuck = done != PUT_DONE;
	if (done == PUT_FULL && !s->target.live)
		return sink_out_of_memory(s);
	return done != PUT_FAILED && writer_start(s, &s->why);
}

bool pen_hand_on(struct pen *p, bool all)
{
	if (p->batch != NULL)
		return batches_hand_on(p);
	if (p->block->bytes.size == 0)
		return true;
	if (p->sink->closed || sink_has_failed(p->sink))
		p->stuck = true;
	else if (p->sink->mode != SINK_INLINE)
		return put(p);
	else
		p->stuck = !write_now(p, all);
	return !p->stuck;
}

bool pen_flush(struct pen *p, struct err *e)
{
	if (p->batch != NULL)
		return batches_flush(p, e);
	return pen_hand_on(p, true) || sink_tell(p->sink, e);
}

/* --- records ------------------------------------------------------------------------------------
 */

/* The block is full. */
bool pen_lose(struct pen *p, struct err *e)
{
	struct sink *s = p->sink;

	if (sink_has_failed(s))
		return sink_tell(s, e);
	if (queue_lose(&s->queue))
		says_add(&s->says, SINK_ERROR,
				"there is no memory left for records that wait to be written: "
				"they are lost");
	return true;
}

void pen_refused(struct pen *p)
{
	pthread_mutex_lock(&p->sink->queue.lock);
	p->sink->refused++;
	pthread_mutex_unlock(&p->sink->queue.lock);
}

/* The record that 'begin' bytes were in the block before cannot be. */
static bool refuse(struct pen *p, size_t begin)
{
	p->block->bytes.failed = false;
	p->block->bytes.size = begin;
	pen_refused(p);
	return true;
}

/* A record more is in the block. */
static bool added(struct pen *p, struct err *e)
{
	struct block *b = p->block;

	b->ends[b->records++] = (uint32_t)b->bytes.size;
	if (b->bytes.size < p->due && b->records < b->lines)
		return true;
	return pen_hand_on(p, false) || sink_tell(p->sink, e);
}

void pen_format(const struct pen *p, const void *const *data, struct buf *out)
{
	p->format(p->plan, data, out);
}

bool pen_line(struct pen *p, const char *bytes, size_t size, struct err *e)
{
	if (p->stuck && (!pen_hand_on(p, false) || p->stuck))
		return pen_lose(p, e);
	buf_bytes(&p->block->bytes, bytes, size);
	return buf_ok(&p->block->bytes) ? added(p, e) : err_set(e, "no memory to write records");
}

bool pen_record(struct pen *p, const void *const *data, struct err *e)
{
	struct block *b;
	size_t begin;

	if (p->batch != NULL)
		return batches_record(p, data, e);
	if (p->stuck && (!pen_hand_on(p, false) || p->stuck))
		return pen_lose(p, e);
	b = p->block;
	begin = b->bytes.size;
	p->format(p->plan, data, &b->bytes);
	if (!buf_ok(&b->bytes) || b->bytes.size - begin > LIMIT_RECORD_BYTES)
		return refuse(p, begin);
	return added(p, e);
}

/* --- time ---------------------------------------------------------------------------------------
 */

bool pen_wants_time(const struct pen *p)
{
	return !p->sink->target.live && p->sink->target.split.interval_ns > 0;
}

void pen_time(struct pen *p, int64_t ns)
{
	const int64_t interval_ns = p->sink->target.split.interval_ns;

	if (ns < p->turn_ns)
		return;
	if (p->turn_ns != INT64_MIN)
		p->stuck = !sink_turn(p->sink);
	p->turn_ns = ns > INT64_MAX - interval_ns ? INT64_MAX : ns + interval_ns;
}
