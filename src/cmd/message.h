/* SPDX-License-Identifier: BSD-3-Clause */
/* message.h - what the program says besides its records: lines to standard error or a log file. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cmd/progress.h"
#include "joy.h"

struct messages {
	FILE *to;                  /* standard error until a log file is opened */
	unsigned verbosity;        /* levels above it are left out */
	struct progress *progress; /* is taken off the screen first; may be NULL */
};

void message(struct messages *m, enum joy_level level, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* Messages go to the end of that file from now on. False: errno says why, and nothing changed. */
bool message_open(struct messages *m, const char *path);
void message_close(struct messages *m);
