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

/*
 * Forks.  In the child: DAEMON_CHILD, with *ready the descriptor for daemon_ready().  In the parent
 * (which should do nothing but leave with it): the exit status, 0 once the child is ready, else
 * the child's own; 1 with 'e' when there is no child, or a signal killed it.
 */
int daemon_fork(int *ready, struct err *e);

/* Says the word, and lets go of the terminal: standard input, output and error are /dev/null. */
void daemon_ready(int ready);

/*
 * A file with the process id, locked as long as 'fd' is open.  False when it cannot be written or
 * another living process holds it.
 */
bool daemon_pidfile(const char *path, int *fd, struct err *e);

/* Removes the file; where that is not allowed, empties it. */
void daemon_pidfile_remove(const char *path, int fd);
