/* SPDX-License-Identifier: BSD-3-Clause */
/* message.h - what the program says besides its records: lines to standard error or a log file. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "cmd/progress.h"
#include "joy.h"

struct messages {
	int fd;                    /* stays the same when the log file is opened anew */
	bool file;                 /* a log file: lines begin with the time */
	bool made;                 /* it was not there before */
	bool journal;              /* lines begin with <3> and the like, sd-daemon(3) */
	unsigned verbosity;        /* levels above it are left out */
	struct progress *progress; /* is taken off the screen first; may be NULL */
};

/* To standard error. */
void message_start(struct messages *m);

void message(struct messages *m, enum joy_level level, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* A text that somebody asked for: one line, whatever the verbosity. */
void message_text(struct messages *m, const char *text);

/* What a line of level error begins with, for those that cannot call message(). */
const char *message_prefix(const struct messages *m);

/* Messages go to the end of that file from now on. False: errno says why, and nothing changed. */
bool message_open(struct messages *m, const char *path);

/* A log file that message_open() made goes to that user. */
void message_give(const struct messages *m, uid_t uid, gid_t gid);
void message_close(struct messages *m);
