/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * textlines.h - the lines of text files, plain or packed, of folders and standard input, as one
 * stream.
 *
 * Who reads them knows what a line must be, and says when one is not that: the file's damage is
 * told, line by line at first, then summed up at the file's end.  It does not end the run.
 */
#pragma once

#include "base/rd.h"
#include "source/source.h"

struct textlines_conf {
	const char *what; /* that files should be, "JSON lines" */
	char opens;       /* what a file of them begins with, as '{' */
	void (*trouble)(void *ctx, const struct source_report *report); /* called for each */
	/* Asked before a file is opened, and at each read and a few times a second while a pipe is
	 * waited for; NULL: never.  Once true it stays so. */
	bool (*stopped)(void *ctx);
	/* Called while a pipe is waited for, a few times a second; NULL: nothing is to be done. */
	void (*idle)(void *ctx);
	void *ctx;
};

struct textline {
	struct rd bytes; /* without its end; valid until the next call */
	uint64_t offset; /* in the file as it is unpacked */
	const char *file;
	bool ended; /* by a newline; the last of a file may not be */
};

struct textlines;

/* As source_new(). */
struct textlines *textlines_new(const char *const *paths, size_t count,
		const struct textlines_conf *conf, struct err *e);
void textlines_free(struct textlines *t);

/* The same for bytes in memory, as source_new_memory(). */
struct textlines *textlines_new_memory(const void *bytes, size_t size, size_t step,
		const struct textlines_conf *conf, struct err *e);

/* Shows the first line of each file, before the first is read.  Files without one, or that cannot
 * be read, have none to show.  Of a pipe it is waited for. */
void textlines_heads(struct textlines *t, void (*head)(void *ctx, struct rd first_line), void *ctx);

/* The next line that is not empty, of any file; false at the end of all. */
bool textlines_next(struct textlines *t, struct textline *line);

/* The line that was read last is none of those that were expected: 'why', at its byte 'at'. */
void textlines_refuse(struct textlines *t, size_t at, const char *why);

/* 'packets' are lines. */
struct source_progress textlines_progress(const struct textlines *t);
