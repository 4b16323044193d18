/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.h - questions to a running pcap2flow over its control socket: both ends of it.
 *
 * A question is a word and a newline.  The answer is "ok" or "error: WORDS" on a line of its own,
 * then the text, then the end of the connection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* That the client asks without control=. */
#ifdef __APPLE__
#define CONTROL_PATH "/var/run/joy/control"
#else
#define CONTROL_PATH "/run/joy/control"
#endif

enum control_word {
	CONTROL_STATS,
	CONTROL_FLOWS,
	CONTROL_RELOAD,
	CONTROL_ROTATE,
	CONTROL_HEALTH,
	CONTROL_UNKNOWN,
};

/* False: the question is not whole yet.  Bytes are untrusted. */
bool control_read(const char *bytes, size_t size, enum control_word *word);

/* 'failure' NULL: ok, with the text. */
void control_write(struct buf *answer, const char *failure, const char *text);

/* Asks at 'path' and prints the text to standard output; false: 'e' has the other's words. */
bool control_ask(const char *path, const char *word, struct err *e);
