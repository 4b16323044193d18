/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue.h - blocks that wait for the writer, bounded in bytes.  Private to the room.
 *
 * The first block stays in the queue while it is worked on, so that all that is not written counts.
 * The lock also guards what the sink counts.
 */
#pragma once

#include "sink/block.h"

#include <pthread.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	struct block *first, *last;
	struct block *spare; /* to be used again */
	unsigned spares;
	uint64_t bytes, most; /* memory of the blocks that wait */
	bool busy;            /* the first block is being worked on */
	bool waits;           /* a pen waits for room; else it is refused */
	bool merges;          /* blocks may be put together: where they were cut does not show */
	bool stuck;           /* writing is paused: there is nothing to wait for */
	bool failed;          /* for good: nothing is taken any more */
	bool stop;            /* the writer is to end when there is nothing left */
	bool poked;           /* the writer is to look up */

	uint64_t records, text; /* taken, and their bytes */
	uint64_t lost;          /* records for which there was no room */
	uint64_t undone;        /* records that were taken, and lost all the same */
	uint64_t notes_lost;
	bool losing; /* and the writer has not caught up since */
};

void queue_init(struct queue *q, uint64_t most, bool waits);
void queue_destroy(struct queue *q);

/* --- pens ---------------------------------------------------------------------------------------
 */

enum put { PUT_DONE, PUT_FULL, PUT_FAILED };

/* Takes a block and gives an empty one back in its place. */
enum put queue_put(struct queue *q, struct block **b);

/* Takes a line, or nothing, even when there is no room; too many notes are counted as lost. */
enum put queue_put_line(struct queue *q, enum block_kind kind, const struct buf *line);

/* Counts a record as lost; true: the first since the writer has last caught up. */
bool queue_lose(struct queue *q);

/* Until all is written, or it has failed. */
void queue_wait(struct queue *q);

/* From now on pens wait for room while writing goes on. */
void queue_be_patient(struct queue *q);

/* --- the writer ---------------------------------------------------------------------------------
 */

/* The first block, which stays; NULL: there was none until then, or somebody asks for the end, or
 * for attention. */
struct block *queue_first(struct queue *q, int64_t until_ns);

/* It is done. */
void queue_done(struct queue *q);

/* Waits until the time, or for who asks for the end. */
void queue_sleep(struct queue *q, int64_t until_ns);

bool queue_stops(struct queue *q);
void queue_stop(struct queue *q);
void queue_poke(struct queue *q);

/* Records that were taken are lost. */
void queue_undo(struct queue *q, uint64_t records);

/* Nothing is taken any more, and what waits is lost. */
void queue_fail(struct queue *q);
