/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload.h - finished files go to another machine by ssh, and wait in a spool until they are there.
 *
 * The spool is the folder FOLDER/.spool with a hard link to each file that waits.  It is all the
 * state there is, so that files survive restarts and kills.  A child process works it off, oldest
 * first: it starts ssh without a shell, speaks SFTP through it, has size and SHA-256 confirmed, and
 * only then forgets the file.  How: doc/upload.md.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct upload;

/* As the levels of a log. */
enum upload_news {
	UPLOAD_ERROR,   /* a file cannot go up as it is (said once), or the child has ended */
	UPLOAD_WARNING, /* the other side is away, or takes no files, or is back (once each) */
	UPLOAD_INFO,    /* a file is there */
};

struct upload_conf {
	const char *to;          /* [USER@]HOST:FOLDER or sftp://[USER@]HOST[:PORT]/FOLDER */
	const char *keyfile;     /* NULL: what ssh would take */
	const char *known_hosts; /* NULL: what ssh knows */
	bool retain;             /* false: a file is removed once the other side has it */
	const char *folder;      /* files lie right in it; "" or NULL: the working folder */

	/* Whom the main process will become once rights are dropped: the spool is given to this
	 * user, and the child works with that user's rights on files. */
	bool become;
	uid_t uid;
	gid_t gid;

	/* From upload_poll() and upload_stop(): one line without newline. */
	void (*say)(void *ctx, enum upload_news what, const char *text);
	void *ctx;

	/* 0: what is usual */
	uint32_t retry_ms, retry_max_ms; /* waiting after the first and after the nth failure */
	uint32_t stall_ms;               /* a transfer in which nothing moves is given up */
	const char *ssh;                 /* the program */
};

struct upload_counts {
	uint64_t waiting;      /* files in the spool */
	uint64_t done;         /* since the start */
	uint64_t failed_tries; /* connections and files */
	int64_t oldest_ns;     /* for how long the oldest has been waiting */
	bool running;          /* the child is there */
	bool away;             /* the last try failed for a reason that all files share */
};

/*
 * Checks the options, makes the spool and forks the child.  To be called before rights are dropped
 * and before there are threads.
 */
struct upload *upload_start(const struct upload_conf *conf, struct err *e);

/*
 * A file is whole and synced: puts it into the spool and wakes the child.  'path' ends in the
 * file's name in the folder.  Call it before the file gets its final name, with ".part" still
 * behind it (which is not uploaded as part of the name): then no kill in between loses it.  Giving
 * the same file again does nothing while it waits, and no harm when it is there.  Takes a link and
 * the sync of a folder; waits for nobody; any thread.  It must belong to the user that calls: Linux
 * lets nobody link files of others.  On failure the file stays where it is.
 */
bool upload_add(struct upload *u, const char *path, struct err *e);

/* Says what the child has reported.  One thread; a few times a second. */
void upload_poll(struct upload *u);

/* Any thread. */
void upload_counts(const struct upload *u, struct upload_counts *out);

/*
 * Ends the child and frees.  What waits is given another try first, until the spool is empty, a try
 * fails or 'wait_ms' are over (0: at once; UINT32_MAX: no limit).  NULL is fine.
 */
void upload_stop(struct upload *u, uint32_t wait_ms);
