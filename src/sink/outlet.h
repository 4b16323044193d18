/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * outlet.h - blocks into outputs: a callback, one file, or a series of files.  Private to the room.
 *
 * One thread at a time.  What returns false has failed and left 'why': to be called again with the
 * same block, when the failure may pass (outlet_is_patient()), or to be given up.
 */
#pragma once

#include "sink/format.h"
#include "sink/says.h"
#include "sink/series.h"
#include "sink/stream.h"

enum ending { ENDING_BODY, ENDING_SUMMARY, ENDING_STREAM, ENDING_SYNCED, ENDING_TOLD };

struct outlet {
	const struct sink_target *target;
	const struct plan *plan;
	const struct format *format;
	struct says *says;
	enum compress_kind compression;
	bool lazy;            /* files are opened when there is something to write */
	bool split;           /* files of the series follow each other */
	struct series series; /* lazy: of them, and of what was there before */
	char *path;           /* lazy, but not split */
	struct stream stream;
	struct buf head, line;
	bool begins;   /* nothing has happened yet */
	bool head_due; /* not lazy: before the next line */
	bool open;     /* a file, or what is written to directly */
	bool turning;  /* the present file is to end */
	bool given_up; /* the present file is cut to what is whole, for good */
	enum ending ending;
	uint64_t begun, finished, deleted; /* files */
	uint64_t whole;                    /* records in finished files, or called back with */
	uint64_t lost;                     /* records, told by the caller */
	uint64_t vanished, lost_told;      /* of files that vanished; of both, in summaries */
	int64_t due_ns, look_ns,
			keep_ns; /* by wait_clock(): end of file, a look for it, retention */
	int why;                 /* errno; 0: a callback asked to stop */
};

bool outlet_open(struct outlet *o, const struct sink_target *target, const struct plan *plan,
		struct says *says, struct err *e);

/* Whether a failure may pass; else it is for good. */
bool outlet_is_patient(const struct outlet *o);

/* The name that errors should say. */
const char *outlet_name(const struct outlet *o);

/* How many bytes a pen should collect before it hands them on. */
size_t outlet_due(const struct outlet *o);

/*
 * What files begin with, as the format made it.  The first time, first of all: what dead runs have
 * left gets its name.
 */
bool outlet_head(struct outlet *o, struct block *b);

/* Records; not 'all': some bytes may stay in the block. */
bool outlet_take(struct outlet *o, struct block *b, bool all);

/* A line that is no record, as the format made it. */
bool outlet_note(struct outlet *o, struct block *b);

/* The present file ends, if there is one. */
bool outlet_turn(struct outlet *o);

/* The run's summary, as the format made it. */
bool outlet_end(struct outlet *o, struct block *b);

/* Live: what time brings, and when it does so next: a file that is due or has vanished, and old
 * ones. */
bool outlet_tick(struct outlet *o);
int64_t outlet_next_tick(const struct outlet *o);

/* The last file gets its name; false: as above, or with the error's words. */
bool outlet_finish(struct outlet *o, struct err *e);

/* Cuts the present file to what is whole and closes it as a part; returns how many records that
 * were taken are not in it. */
uint64_t outlet_give_up(struct outlet *o);

/* Records that are whole in all outputs. */
uint64_t outlet_records(const struct outlet *o);

void outlet_free(struct outlet *o);

/* --- between the files of the room --------------------------------------------------------------
 */

/* Tells who wants to know that a part is whole. */
void outlet_announce(struct outlet *o, const struct file *f);

/* How often a file is looked at, and what failed is tried again. */
int64_t outlet_tick_ns(const struct outlet *o);

/* ns since 1970 */
int64_t outlet_clock(const struct outlet *o);

/* Gives what dead runs have left their names, and notes which names there are. */
void past_recover(struct outlet *o);

/* Deletes finished files beyond what is to be kept; at most once a second unless 'now'. */
void keep_tidy(struct outlet *o, bool now);
