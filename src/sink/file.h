/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.h - one open output: a file that gets its name when whole, or something written to directly.
 * Private to the room.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

struct file {
	int fd;
	bool regular;  /* can be cut */
	bool terminal; /* someone is watching */
	bool borrowed; /* standard output: not closed */
	bool direct;   /* writes go past the page cache */
	bool refused;  /* they cannot */
	char *path;    /* the final name; "standard output" */
	char *part;    /* the name while being written; NULL: written to directly */
};

/* What stands at a path now: nothing or a regular file, something else to write to, a folder. */
enum file_what { FILE_REGULAR, FILE_DIRECT, FILE_FOLDER };
enum file_what file_what(const char *path);

/* Opens PATH.part beside a regular or new PATH, or another kind of PATH itself; "-" is standard
 * output. */
bool file_open(struct file *f, const char *path, struct err *e);

/*
 * Creates PATH.part, which must not be there yet, and locks it; 'path' is a new name.  False: errno
 * says why; EEXIST: somebody else has the name.
 */
bool file_create(struct file *f, const char *path);

/* Opens a part that somebody may have left, to be read, written and cut, and locks it.  False:
 * errno says why; EWOULDBLOCK: it is being written. */
bool file_take(struct file *f, const char *path, const char *part);

/* The name that errors should say. */
const char *file_name(const struct file *f);

/* Addresses, sizes and places in the file of direct writes are multiples of it. */
enum { FILE_PAGE = 4096 };

/*
 * Lets writes to a part go past the page cache, where fresh pages cost more than the writing, or
 * through it again.  False: the file system does not do that, and all goes on as it was.
 */
bool file_direct(struct file *f, bool on);

/* Writes all, or returns how much was written before it failed; errno says why. */
size_t file_write(struct file *f, const char *bytes, size_t size);

/* Removes the last 'size' bytes of a regular file; false if it cannot be done. */
bool file_cut(struct file *f, size_t size);

/* Whether a part's name still leads to it: it may have been deleted, with its folder or without. */
bool file_is_there(const struct file *f);

/* Whether another file has the final name. */
bool file_is_taken(const struct file *f);

/* What file_close() does, singly.  False: errno says why, and it can be tried again. */
bool file_sync(struct file *f);
bool file_rename(struct file *f);

/* Another final name for a part; false: no memory. */
bool file_change_path(struct file *f, const char *path);

/* The same, and the part is renamed too; false: errno says why. */
bool file_change_part(struct file *f, const char *path);

/* Closes.  'whole': syncs and renames a part to its final name; else the part stays. */
bool file_close(struct file *f, bool whole, struct err *e);

void file_free(struct file *f);
