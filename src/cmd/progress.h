/* SPDX-License-Identifier: BSD-3-Clause */
/* progress.h - one line on the terminal that says how far a long run has come. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "joy.h"

struct progress {
	const struct joy *joy;
	bool on;          /* a terminal is there and nobody turned the line off */
	bool shown;       /* it is on the screen now */
	int64_t start_ns; /* monotonic clock */
	int64_t next_ns;  /* when it is to be drawn next */
};

/* Begins to count time; nothing is shown in the first second. */
void progress_start(struct progress *p, const struct joy *joy, bool wanted);

/* To be called often; draws a few times a second. */
void progress_tick(struct progress *p);

/* Takes the line off the screen. */
void progress_erase(struct progress *p);

/* The line, without colours, of at most 'columns' characters; 'seconds' since the start. */
void progress_line(const struct joy_stats *s, double seconds, unsigned columns, char *out,
		size_t room);
