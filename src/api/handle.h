/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handle.h - what a struct joy holds, for the files of this room.
 *
 * joy.c has options and callbacks, run.c a run from its beginning to its end, workers.c how many
 * work on it, output.c where it goes, live.c that of a sensor, text.c and status.c the texts.
 */
#pragma once

#include "engine/apart.h"
#include "engine/rewrite.h"
#include "engine/sensor.h"
#include "engine/team.h"
#include "joy.h"
#include "sink/upload.h"

enum phase {
	PHASE_SETUP, /* options may be set */
	PHASE_FED,   /* the caller gives packets */
	PHASE_OVER,  /* done, or inside joy_run() */
};

struct drain;
struct records;

/* What joy_columns() asks for. */
struct wanted {
	char **names; /* NULL: all */
	size_t count;
	size_t batch_rows;
	uint64_t batch_bytes;
	bool binary_addresses;
};

struct joy {
	struct registry *registry;
	struct err error;
	enum phase phase;

	int (*line)(void *ctx, const char *bytes, size_t size);
	void *line_ctx;
	bool line_ended; /* it asked for the end */
	void (*log)(void *ctx, enum joy_level level, const char *text);
	void *log_ctx;
	void (*trouble)(void *ctx, int status, const char *file, int64_t offset, const char *text);
	void *trouble_ctx;
	int (*progress)(void *ctx);
	void *progress_ctx;
	int (*ready)(void *ctx);
	void *ready_ctx;

	struct wanted wanted;
	struct columns *columns; /* of a stream */
	struct drain *stream;    /* NULL: the run's records are lines */
	struct records *records; /* of a run over files of records */

	/* of a run */
	struct plan *plan;
	struct sink *sink;
	struct upload *upload; /* NULL without upload= */
	struct engine *engine; /* of files and of packets that are fed */
	struct team *team;     /* in its place: of files with several threads */
	struct apart *apart;   /* likewise, where each file has flows of its own */
	struct source *source; /* of files */
	struct sensor *sensor; /* of a live capture */
	struct live *live;
	struct ArrowArrayStream input; /* of a rewriting run; released: none */
	struct from_arrow *from;       /* of records that are rewritten */
	struct registry *told; /* and the options they were made with; NULL: as 'registry' */
	struct rewrite *rewrite;
	struct field rewrite_base[REWRITE_FIELDS]; /* see rewrite_settle() */
	struct buf paths;                          /* JSON list of what was given to joy_run() */
	bool begun;                                /* the configuration object is written */
	bool warned;              /* of something odd, such as a file in a folder passed over */
	uint64_t damaged, failed; /* inputs that could not be read whole, or at all */
};

/* Hands a line to the caller's log. */
void handle_log(const struct joy *j, enum joy_level level, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* Keeps the words for joy_error() and returns 'status'. */
int handle_fail(struct joy *j, int status, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* What joy_stats() gives; in the thread of the run. */
void handle_stats(const struct joy *j, struct joy_stats *out);

/* --- output.c --- */
bool output_open(struct joy *j);

/* Behind the last file: what waits is uploaded as far as that can be done. */
void output_upload(struct joy *j);

/* The input that the output would overwrite; NULL: none. */
const char *output_overwrites(const struct joy *j, const char *const *paths, size_t count);

/* --- columns.c --- */
void wanted_free(struct wanted *w);

/* --- run.c, for stream.c: joy_run() in two parts --- */
int run_open(struct joy *j, const char *const *paths, size_t count);
int run_go(struct joy *j);

/* --- run.c, for records.c --- */

/* Counts what went wrong with a file, and tells it. */
void run_trouble(struct joy *j, const struct source_report *r);

/* The output is whole: the run's status by what was wrong with the input; 'nothing' of it could be
 * read. */
int run_judge(struct joy *j, bool nothing);

/* --- workers.c --- */

/* How many workers there are, and whether each reads files of its own. */
unsigned workers_count(const struct joy *j);
bool workers_are_apart(const struct joy *j);

/* Makes those that do; NULL with j->error. */
struct apart *workers_apart(struct joy *j);

/* Reads and writes everything, or until somebody asks for an end; false with j->error. */
bool workers_read_apart(struct joy *j);

/* --- run.c, for workers.c --- */

/* How files are to be read. */
struct source_conf run_source_conf(struct joy *j);

/* Whether the run is to end early; calls the progress callback. */
bool run_ends_early(struct joy *j);

/* --- run.c, for live.c --- */

/* Options whose mistakes show only when all are known; nothing is opened yet. */
int run_check(struct joy *j);

/* Options are fixed, features ready. */
int run_prepare(struct joy *j);

/* The configuration object as it may be shown; 'first' as configuration_write() takes it. */
bool run_configuration(struct joy *j, const struct frame *first, struct buf *out);

/* Writes it. */
bool run_begin(struct joy *j, const struct frame *first);

/* The output cannot be finished. */
int run_give_up(struct joy *j);

/* The last line, and the output's name. */
int run_end(struct joy *j);

/* The packets of the network interfaces: opening, and until somebody asks for the end. */
int live_open(struct joy *j);
int live_go(struct joy *j);

/* The engines of the run, which are not at work; for a sensor between run_hold() and run_release().
 */
struct engine *const *run_engines(const struct joy *j, size_t *count);
void run_hold(const struct joy *j);
void run_release(const struct joy *j);

/* The counters of all engines together; all 0 before there is one. */
struct engine_stats run_stats(const struct joy *j);

/* --- rewrite.c --- */

/* Gives back the input of a rewriting run, if that has not happened yet. */
void rewrite_release(struct joy *j);

/* --- status.c --- */
bool status_write(struct joy *j, enum joy_text what, struct buf *out);

/* Appends the configuration object; 'first' is the first frame or NULL. */
void configuration_write(const struct joy *j, const struct frame *first, struct buf *out);

/* Appends the object that is the last line. */
void configuration_summary(const struct joy *j, struct buf *out);

/* Appends version, compiler and libraries. */
void version_write(struct buf *out);

/* Appends the libraries of live capture. */
void version_live(struct buf *out);

/* The field name nearest to 'name'; false without any field. */
bool explain_nearest(const struct field *const *tables, size_t count, const char *name,
		char nearest[static 256]);
