/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * turns.h - records of files that are read side by side, on their way to one sink in the files'
 * order.
 *
 * Workers take files by number, 0 first, and write each file's records and notes (what else there
 * is to say of it) into its turn.  One thread, the writer, hands on what lies there: all of file
 * 0, then of file 1, and so on, so output does not tell how many workers there were.
 *
 * What a file has for later is bounded: LIMIT_OUTPUT_AHEAD bytes of all files but the one whose
 * turn it is, whose worker waits only for the writer.  Files are taken in their order, so somebody
 * always works on that one or has done so, and nobody waits in a circle.
 */
#pragma once

#include "sink/sink.h"

struct turns;
struct turn;

struct turns_conf {
	struct sink *sink; /* not live, not threaded, without a pen */
	size_t files;
	/* In the writer's thread: a note, in its place among the records; 'bytes' has any
	 * alignment. False: it has failed. */
	bool (*note)(void *ctx, unsigned what, const void *bytes, size_t size, struct err *e);
	void *ctx;
	size_t ahead; /* bytes; 0: LIMIT_OUTPUT_AHEAD */
};

struct turns *turns_new(const struct turns_conf *conf, struct err *e);
void turns_free(struct turns *all);

/* --- a worker's side; each has a turn of its own ------------------------------------------------
 */

struct turn *turn_new(struct turns *all, struct err *e);
void turn_free(struct turn *t);

/* The next file that nobody has taken; false: there is none, or no more are to be taken. */
bool turn_take(struct turn *t, size_t *file);

/* One record, as pen_record() takes it, and the time that pen_time() is to know.  Waits for room.
 * False: all is given up. */
bool turn_record(struct turn *t, int64_t time_ns, const void *const *data, struct err *e);

enum { TURN_NOTE = 1 }; /* the first 'what' of a note */
bool turn_note(struct turn *t, unsigned what, const void *bytes, size_t size, struct err *e);

/* The file is done. */
bool turn_end(struct turn *t, struct err *e);

/*
 * Around whatever works on what turns_hold() is to keep still; waits while it is held.  Who waits
 * for room in between counts as still.
 */
void turn_enter(struct turn *t);
void turn_leave(struct turn *t);

/* --- the writer's side --------------------------------------------------------------------------
 */

/*
 * Hands on what there is, and waits for more; returns now and then, after about a tenth of a second
 * at the latest.
 * 'over': all files are done and written.  False: the sink or a note has failed.
 */
bool turns_write(struct turns *all, bool *over, struct err *e);

/* Hands on what the pen holds; when it is over. */
bool turns_flush(struct turns *all, struct err *e);

/* No more files are taken; those that are, are worked off. */
void turns_stop(struct turns *all);
bool turns_stopped(const struct turns *all);

/* Nobody waits for anything any more, and nothing more is written. */
void turns_give_up(struct turns *all);

/* Between these two calls no worker is between turn_enter() and turn_leave(), or it waits there.
 * Calls nest. */
void turns_hold(struct turns *all);
void turns_release(struct turns *all);

/* Bytes that wait, of all files: for tests. */
size_t turns_waiting(struct turns *all);
