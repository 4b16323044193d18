/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_poll.h - following sockets by looking at all of them again and again.
 *
 * A look shows every socket there is to poll_see(); poll_end() finds the processes of those that
 * are new, and closes those that are no longer there.  What opens and closes between two looks is
 * never seen.
 */
#pragma once

#include "host/process_watcher.h"

struct seen {
	uint64_t cookie; /* names the socket: never given twice while it is open */
	uint64_t inode;  /* by which its holder is found; 0: nobody holds it */
	uint32_t pid;    /* 0: not known yet */
	struct process_tuple tuple;
};

struct poll_look {
	struct watcher *w;
	struct seen *fresh; /* LIMIT_PROCESS_FRESH */
	size_t count;
	int64_t before_ns, now_ns; /* when the last look and this one began; 0: there was none */
};

bool poll_new(struct poll_look *p, struct watcher *w); /* false: no memory */
void poll_free(struct poll_look *p);

void poll_begin(struct poll_look *p);
void poll_see(struct poll_look *p, const struct seen *s);

/* 'whole': every socket of our network namespace was shown, so others are closed. */
void poll_end(struct poll_look *p, bool whole);

/* Finds who holds the sockets: fills in pid where it can. 'seen' is ordered by inode. */
void system_holders(struct seen *seen, size_t count);
