/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_spool.h - the folder of files that wait to be uploaded.  Private to the room.
 *
 * An entry of FOLDER/.spool is a hard link to a finished file, named
 *
 *     00001764171234567890-NAME     when it was added (ns since 1970, 20 digits), and its name
 *
 * so that names sort by age and two files of one name do not meet.  There is no other state.
 */
#pragma once

#include "base/err.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct upload_spool {
	int folder; /* open folders; -1: closed */
	int spool;
};

struct upload_entry {
	uint64_t number; /* when it was added, in ns; sorts and names it */
	char name[LIMIT_UPLOAD_NAME + 1];
};

/* Up to LIMIT_UPLOAD_BATCH entries, oldest first. */
struct upload_batch {
	struct upload_entry entry[LIMIT_UPLOAD_BATCH];
	size_t count;
	uint64_t waiting; /* all entries of the spool */
	uint64_t oldest;  /* number of the oldest, 0: none */
};

/*
 * Opens both folders, and makes the spool.  'owner' not NULL: it is given to this user and
 * group.  An error for file systems without hard links.
 */
bool upload_spool_open(struct upload_spool *s, const char *folder, const struct stat *owner,
		struct err *e);
void upload_spool_close(struct upload_spool *s);

/* Links the file at the end of 'path' into the spool, if it is not there yet. */
bool upload_spool_add(struct upload_spool *s, const char *path, struct err *e);

/* The first entries whose number is larger than 'after'. */
bool upload_spool_list(const struct upload_spool *s, uint64_t after, struct upload_batch *out,
		struct err *e);

/* Opens an entry for reading; a regular file, else -1. */
int upload_spool_read(const struct upload_spool *s, const struct upload_entry *entry,
		struct stat *st, struct err *e);

/*
 * The other side has it: takes it out of the spool.  'retain' false: also the file in the folder,
 * as long as it is still this one, not another of the same name.
 */
bool upload_spool_done(const struct upload_spool *s, const struct upload_entry *entry, bool retain,
		struct err *e);
