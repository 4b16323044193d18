/* SPDX-License-Identifier: BSD-3-Clause */
/* queue.c - a list of blocks under a lock, and two conditions: something is there, room is there.
 */
#include "sink/queue.h"

#include "base/limits.h"
#include "sink/wait.h"

#include <stdlib.h>

enum { SPARES = 4, ROOM = BLOCK_BYTES + BLOCK_SPARE, GROWN = ROOM + 2 * LIMIT_RECORD_BYTES };

void queue_init(struct queue *q, uint64_t most, bool waits)
{
	*q = (struct queue){ .most = most, .waits = waits, .merges = !waits };
	pthread_mutex_init(&q->lock, NULL);
	wait_init(&q->filled);
	wait_init(&q->emptied);
}

static void free_list(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;

		block_free(b);
		b = next;
	}
}

void queue_destroy(struct queue *q)
{
	free_list(q->first);
	free_list(q->spare);
	pthread_cond_destroy(&q->filled);
	pthread_cond_destroy(&q->emptied);
	pthread_mutex_destroy(&q->lock);
}

/* --- blocks -------------------------------------------------------------------------------------
 */

static uint64_t memory(const struct block *b)
{
	return b->bytes.room + b->lines * sizeof *b->ends;
}

static struct block *take_spare(struct queue *q)
{
	struct block *b = q->spare;

	if (b == NULL)
		return block_new(BLOCK_LINES, ROOM, GROWN);
	q->spare = b->next;
	q->spares--;
	block_clear(b);
	return b;
}

static void give_back(struct queue *q, struct block *b)
{
	if (q->spares == SPARES || b->bytes.room != ROOM || b->lines != BLOCK_LINES) {
		block_free(b);
		return;
	}
	b->next = q->spare;
	q->spare = b;
	q->spares++;
}

static void append(struct queue *q, struct block *b)
{
	b->next = NULL;
	b->put_ns = wait_clock();
	if (q->last != NULL)
		q->last->next = b;
	else
		q->first = b;
	q->last = b;
	q->bytes += memory(b);
	q->records += b->records;
	q->text += b->kind == BLOCK_RECORDS ? b->bytes.size : 0;
	pthread_cond_signal(&q->filled);
}

/* --- pens ---------------------------------------------------------------------------------------
 */

/* Puts a short block behind the last that waits, if there it has room. */
static bool merge(struct queue *q, struct block *b)
{
	struct block *to = q->last;

	if (!q->merges || to == NULL || to->kind != BLOCK_RECORDS || (q->busy && to == q->first) ||
			to->bytes.size + b->bytes.size > BLOCK_BYTES ||
			to->records + b->records > to->lines)
		return false;
	for (size_t i = 0; i < b->records; i++)
		to->ends[to->records++] = (uint32_t)to->bytes.size + b->ends[i];
	buf_bytes(&to->bytes, b->bytes.p, b->bytes.size);
	q->records += b->records;
	q->text += b->bytes.size;
	block_clear(b);
	return true;
}

static bool has_room(const struct queue *q, const struct block *b)
{
	return q->first == NULL || q->bytes + memory(b) <= q->most;
}

static enum put put(struct queue *q, struct block **b)
{
	struct block *empty;

	while (!q->failed && !has_room(q, *b) && q->waits && !q->stuck)
		pthread_cond_wait(&q->emptied, &q->lock);
	if (q->failed)
		return PUT_FAILED;
	if (merge(q, *b))
		return PUT_DONE;
	empty = has_room(q, *b) ? take_spare(q) : NULL;
	if (empty == NULL)
		return PUT_FULL;
	append(q, *b);
	*b = empty;
	return PUT_DONE;
}

enum put queue_put(struct queue *q, struct block **b)
{
	enum put done;

	pthread_mutex_lock(&q->lock);
	done = put(q, b);
	pthread_mutex_unlock(&q->lock);
	return done;
}

/* Notes may come for days while a disk is full: they share blocks. */
static bool merge_note(struct queue *q, const struct block *b)
{
	struct block *to = q->last;

	if (b->kind != BLOCK_NOTE || to == NULL || to->kind != BLOCK_NOTE ||
			(q->busy && to == q->first) ||
			to->bytes.size + b->bytes.size > to->bytes.room)
		return false;
	buf_bytes(&to->bytes, b->bytes.p, b->bytes.size);
	return true;
}

/* False: it is not kept. */
static bool put_line(struct queue *q, struct block *b)
{
	if (q->failed || merge_note(q, b))
		return false;
	if (b->kind == BLOCK_NOTE && q->bytes > q->most + LIMIT_OUTPUT_NOTES) {
		q->notes_lost++;
		return false;
	}
	append(q, b);
	return true;
}

enum put queue_put_line(struct queue *q, enum block_kind kind, const struct buf *line)
{
	struct block *b = block_new(0, line->size + 1, line->size + 1);
	bool kept, failed;

	if (b == NULL)
		return PUT_FULL;
	b->kind = kind;
	buf_bytes(&b->bytes, line->p, line->size);
	pthread_mutex_lock(&q->lock);
	kept = put_line(q, b);
	failed = q->failed;
	pthread_mutex_unlock(&q->lock);
	if (!kept)
		block_free(b);
	return failed ? PUT_FAILED : PUT_DONE;
}

bool queue_lose(struct queue *q)
{
	bool first;

	pthread_mutex_lock(&q->lock);
	first = !q->losing;
	q->losing = true;
	q->lost++;
	pthread_mutex_unlock(&q->lock);
	return first;
}

void queue_wait(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	while (q->first != NULL && !q->failed)
		pthread_cond_wait(&q->emptied, &q->lock);
	pthread_mutex_unlock(&q->lock);
}

void queue_be_patient(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->waits = true;
	pthread_mutex_unlock(&q->lock);
}

/* --- the writer ---------------------------------------------------------------------------------
 */

struct block *queue_first(struct queue *q, int64_t until_ns)
{
	struct block *b;

	pthread_mutex_lock(&q->lock);
	while (q->first == NULL && !q->stop && !q->poked && wait_clock() < until_ns)
		wait_until(&q->filled, &q->lock, until_ns);
	q->poked = false;
	q->busy = q->first != NULL;
	b = q->first;
	pthread_mutex_unlock(&q->lock);
	return b;
}

void queue_done(struct queue *q)
{
	struct block *b;

	pthread_mutex_lock(&q->lock);
	b = q->first;
	q->first = b->next;
	if (q->first == NULL)
		q->last = NULL;
	q->busy = false;
	q->bytes -= memory(b);
	give_back(q, b);
	pthread_cond_broadcast(&q->emptied);
	pthread_mutex_unlock(&q->lock);
}

void queue_sleep(struct queue *q, int64_t until_ns)
{
	pthread_mutex_lock(&q->lock);
	while (!q->stop && wait_clock() < until_ns)
		wait_until(&q->filled, &q->lock, until_ns);
	pthread_mutex_unlock(&q->lock);
}

bool queue_stops(struct queue *q)
{
	bool stops;

	pthread_mutex_lock(&q->lock);
	stops = q->stop;
	pthread_mutex_unlock(&q->lock);
	return stops;
}

void queue_stop(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->stop = true;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

void queue_poke(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->poked = true;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

void queue_undo(struct queue *q, uint64_t records)
{
	pthread_mutex_lock(&q->lock);
	q->undone += records;
	pthread_mutex_unlock(&q->lock);
}

void queue_fail(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->failed = true;
	for (const struct block *b = q->first; b != NULL; b = b->next)
		q->undone += b->records - b->whole;
	pthread_cond_broadcast(&q->emptied);
	pthread_mutex_unlock(&q->lock);
}
