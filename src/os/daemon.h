/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * daemon.h - into the background, but not before it is known that all went well.
 *
 * The parent waits for the child's ready word.  Until then the child speaks to the same terminal,
 * so that whoever started it reads its errors and gets its exit status.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum { DAEMON_CHILD = -1 };

/* Descriptors that the child keeps until it is ready; both -1 when nobody waits. */
struct daemon {
	int word; /* to the parent */
	int null; /* /dev/null, which a sandbox would not let it open for writing */
};

/*
 * Forks.  In the child, which is a session of its own: DAEMON_CHILD.  In the parent, which
 * should do nothing but leave with it: the exit status, 0 once the child is ready, else that of
 * the child; 1 with 'e' when there is no child, or a signal ended it.
 */
int daemon_fork(struct daemon *d, struct err *e);

/* Says the word, and lets go of whoever started it: standard input and output are /dev/null, and
 * standard error too unless it is a file. */
void daemon_ready(struct daemon *d);

/*
 * A file with the process id, locked as long as 'fd' is open.  False when it cannot be written or
 * another living process holds it.
 */
bool daemon_pidfile(const char *path, int *fd, struct err *e);

/* Removes the file; where that is not allowed, empties it. */
void daemon_pidfile_remove(const char *path, int fd);
