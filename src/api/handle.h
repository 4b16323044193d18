/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handle.h - what a struct joy holds, for the files of this room.
 *
 * joy.c has options and callbacks, run.c a run from its beginning to its end, text.c the texts.
 */
#pragma once

#include "engine/engine.h"
#include "joy.h"

enum phase {
	PHASE_SETUP, /* options may be set */
	PHASE_FED,   /* the caller gives packets */
	PHASE_OVER,  /* done, or inside joy_run() */
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
	int (*progress)(void *ctx);
	void *progress_ctx;

	/* of a run */
	struct plan *plan;
	struct sink *sink;
	struct engine *engine;
	struct source *source;
	struct buf paths;         /* JSON list of what was given to joy_run() */
	bool begun;               /* the configuration object is written */
	bool warned;              /* of something odd, such as a file in a folder passed over */
	uint64_t damaged, failed; /* inputs that could not be read whole, or at all */
};

/* Hands a line to the caller's log. */
void handle_log(const struct joy *j, enum joy_level level, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* Keeps the words for joy_error() and returns 'status'. */
int handle_fail(struct joy *j, int status, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

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
