/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream.h - a run in a thread of its own that gives columns, for the files of this room: whoever
 * has another kind of input brings the two halves of its run, and gets the stream.
 */
#pragma once

#include "api/handle.h"
#include "record/columns.h"

struct drain_run {
	/*
	 * All that can fail at once, in the caller's thread: JOY_OK, or the status with j->error.
	 * What it has to make is j->columns (columns_make()); records go to a sink that
	 * output_open() opens, or by drain_put().
	 */
	int (*open)(struct joy *j, const void *input);
	/* The run, in the stream's thread, to its end or until drain_ends(): its status. */
	int (*go)(struct joy *j);
	/* Text of joy.configuration; NULL: the options of the handle. */
	bool (*configuration)(struct joy *j, struct buf *out);
};

/* Opens a run and begins it; JOY_OK, or the status with j->error, and then *out is released. */
int drain_open(struct joy *j, const struct drain_run *run, const void *input,
		struct ArrowArrayStream *out);

/* Whether somebody has asked for the end; false without a stream. */
bool drain_ends(const struct joy *j);

/* A batch for the reader: sink_target.batch, ctx is the handle. */
enum sink_take drain_put(void *ctx, struct ArrowArray *batch, bool wait);

/* The counters as they are now, for joy_stats() from other threads. */
void drain_note(struct joy *j);

/* Whether these are to be had from the stream: it runs, and this is not its thread. */
bool drain_is_elsewhere(const struct joy *j);
void drain_stats(const struct joy *j, struct joy_stats *out);
const char *drain_error(const struct joy *j);

/* Ends the run and waits for that. */
void drain_free(struct drain *s);

/* What joy_stream() was given. */
struct drain_paths {
	const char *const *paths;
	size_t count;
};

/* A file that is not there is told of before anything is read, unless there are others: then true,
 * with j->error. */
bool drain_missing(struct joy *j, const struct drain_paths *in);

/* --- columns.c --- */

/* Compiles j->columns from what joy_columns() wants; the features that are on, or all. */
bool columns_make(struct joy *j, bool all, bool loose, struct columns **out);
