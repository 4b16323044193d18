/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * series.h - names of files that follow each other: BASE-20260131T235959Z-000000.SUFFIX.
 * Private to the room.
 *
 * A name is greater than all that were there before it, as text: its time is that of the clock or
 * that of the name before, whichever is later, and its number goes on.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct series {
	char *folder; /* absolute */
	char *base, *suffix;
	int64_t second;  /* of the last name, since 1970 */
	uint32_t number; /* of the last name */
	bool any;        /* there is a last name */
};

/* 'path' ends in 'suffix' bytes of suffix, point included.  False: no such folder, no memory. */
bool series_init(struct series *s, const char *path, size_t suffix, struct err *e);
void series_free(struct series *s);

/* What a name in the folder is to the series. */
enum series_what { SERIES_OTHER, SERIES_FILE, SERIES_PART };
enum series_what series_what(const struct series *s, const char *name);

/* The name is there: later ones are greater. */
void series_note(struct series *s, const char *name);

/* The next name's path, to be freed; 'ns' since 1970.  NULL: no memory. */
char *series_next(struct series *s, int64_t ns);

/* FOLDER/NAME, to be freed; NULL: no memory. */
char *series_path(const struct series *s, const char *name);

/* Calls with each name that is a file or a part of the series, in no order; false: the folder
 * cannot be read, errno says why. */
bool series_scan(const struct series *s,
		void (*call)(void *ctx, const char *name, enum series_what what), void *ctx);
