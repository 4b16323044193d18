/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * paths.h - what the user named, as a flat list of files: folders are walked at once, each sorted
 * by name bytewise, subfolders in their place.
 *
 * A folder is entered once and a file in folders is listed once, however many names (links) lead
 * there, so no loop of links is endless and no packet counts twice.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct paths_entry {
	char *path;
	uint64_t size;  /* 0 for what is no regular file */
	bool in_folder; /* found, not named */
	char *trouble;  /* why it cannot be read, for the user; NULL: it may be */
};

struct paths {
	struct paths_entry *list;
	size_t count, room;
	uint64_t bytes; /* of all regular files */
	bool endless;   /* pipes are among them, so 'bytes' is not all */
};

/* Makes the list; false only without memory or beyond LIMIT_INPUT_FILES. */
bool paths_expand(struct paths *all, const char *const *named, size_t count, struct err *e);

void paths_destroy(struct paths *all);
