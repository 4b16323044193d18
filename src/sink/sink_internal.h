/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sink_internal.h - what pens, the writer and the sink itself share.  Private to the room.
 *
 * The outlet belongs to whoever writes: the pen's own thread, the writer thread, or who calls
 * sink_poll(); after sink_close() has joined the thread, to who calls that.
 */
#pragma once

#include "sink/outlet.h"
#include "sink/queue.h"

enum sink_mode {
	SINK_INLINE, /* the one pen's thread writes */
	SINK_THREAD,
	SINK_POLLED,  /* who calls sink_poll() writes */
	SINK_BATCHES, /* pens hand on columns; there is no outlet */
};

struct sink {
	struct sink_target target;
	const struct plan *plan;
	enum sink_mode mode;
	struct says says;
	struct outlet outlet;
	struct queue queue; /* its counts are for all modes */
	struct pen *pens;
	pthread_t thread;
	bool running, closed;
	bool told; /* 'why' is written */
	struct err why;

	/* guarded by the queue's lock */
	bool rotate;
	uint64_t refused;
	uint64_t files, deleted;
	bool paused;

	/* the writer's */
	unsigned last_tries;
	int64_t retry_ns;
	uint64_t vanished;  /* records, told to the queue */
	uint64_t lost_said; /* records, in log lines */
	bool behind;        /* it was paused, and has not caught up since */
};

struct pen {
	struct pen *next;
	struct sink *sink;
	const struct plan *plan;
	void (*format)(const struct plan *plan, const void *const *data, struct buf *out);
	struct block *block;
	size_t due;      /* bytes that are handed on */
	bool stuck;      /* the block is full, and there is no room for it; or all has failed */
	int64_t turn_ns; /* packet time at which the present file ends; INT64_MIN: no record yet */

	/* SINK_BATCHES */
	struct batch *batch;
	struct ArrowArray held; /* found no room; released: none */
	uint64_t held_rows, held_bytes;
	int64_t since_ns; /* by wait_clock(): when the batch began, live */
};

/* --- writer.c -----------------------------------------------------------------------------------
 */

/* Does what a block says (NULL: what time brings), in the thread that writes; not 'all': some bytes
 * may stay in it.  False: it has failed, for now or for good. */
bool writer_work(struct sink *s, struct block *b, bool all);

/* Fails for good: what waits is lost. */
void writer_fail(struct sink *s);

/* Starts the thread, unless it runs or is not wanted. */
bool writer_start(struct sink *s, struct err *e);

/* Works off what waits, in the caller's thread. */
void writer_poll(struct sink *s);

/* Works off all that waits, and ends the thread. */
void writer_stop(struct sink *s);

/* The last file gets its name, or stays a part; behind writer_stop().  False, perhaps with words:
 * it has failed for good. */
bool writer_finish(struct sink *s, bool whole, struct err *e);

/* --- pen.c --------------------------------------------------------------------------------------
 */

/* Hands on what a pen holds; not 'all': some bytes may stay.  False: the sink has failed. */
bool pen_hand_on(struct pen *p, bool all);

/* --- batches.c ----------------------------------------------------------------------------------
 */

/* The same three for columns. */
bool batches_record(struct pen *p, const void *const *data, struct err *e);
bool batches_flush(struct pen *p, struct err *e);
bool batches_hand_on(struct pen *p);

/* Records that a pen holds; frees them as lost. */
uint64_t batches_rows(const struct pen *p);
void batches_free(struct pen *p);

/* --- pen.c for both -----------------------------------------------------------------------------
 */

/* There is no room for a record. */
bool pen_lose(struct pen *p, struct err *e);

/* What pen_record() would add to its block, and counting one that has become too long; any thread.
 */
void pen_format(const struct pen *p, const void *const *data, struct buf *out);
void pen_refused(struct pen *p);

/* A record that is formatted already. */
bool pen_line(struct pen *p, const char *bytes, size_t size, struct err *e);

/* --- sink.c -------------------------------------------------------------------------------------
 */

/* Whether the sink has failed for good. */
bool sink_has_failed(struct sink *s);

/* The sink's pens hand on all, and the present file ends there; false: it has failed. */
bool sink_turn(struct sink *s);

/* Fails for a pen without memory; returns false. */
bool sink_out_of_memory(struct sink *s);

/* Writes the words of the failure and returns false. */
bool sink_tell(struct sink *s, struct err *e);
