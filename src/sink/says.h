/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * says.h - what the writer has to say, kept until the run's own thread asks.  Private to the room.
 */
#pragma once

#include "sink/sink.h"

#include <pthread.h>

struct says {
	pthread_mutex_t lock;
	struct {
		enum sink_level level;
		char text[512];
	} line[32];
	size_t count;
	uint64_t more; /* for which there was no room */
};

void says_init(struct says *s);

/* Any thread. */
void says_add(struct says *s, enum sink_level level, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* Gives all lines to the target's log. */
void says_tell(struct says *s, const struct sink_target *target);

void says_destroy(struct says *s);
