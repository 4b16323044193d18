/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lines.h - the lines of a list file: subnets, names, users.
 *
 * The file is read whole.  White space around a line is taken off, and a comment: '#' or ';' at the
 * start or behind white space.  Empty lines are passed over; a byte order mark too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct lines {
	const char *path; /* the caller's; for errors */
	struct buf whole;
	const char *at, *end;
	unsigned long number; /* of the present line, from 1 */
	const char *text;     /* the present line */
	size_t size;
};

/* Errors name the file: not there, no file, larger than LIMIT_LIST_BYTES. */
bool lines_open(struct lines *l, const char *path, struct err *e);
void lines_close(struct lines *l);

/* The next line that has something; false at the end. */
bool lines_next(struct lines *l);

/* The same, with comments only at the start of a line: for CSV, where they may be in values. */
bool lines_next_row(struct lines *l);

/* Begins with the first line again. */
void lines_again(struct lines *l);

/* "FILE:LINE: TEXT: why"; false. */
bool lines_refuse(const struct lines *l, const char *why, struct err *e);
