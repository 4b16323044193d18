/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sandbox.h - what a program that has opened all it needs gives up: system calls, and writing
 * anywhere but to a few folders.
 *
 * Linux: an allow-list of system calls by seccomp, and Landlock.  OpenBSD: pledge and unveil.  To
 * be entered while the process has one thread; threads made later are in it too.  It cannot be
 * left.
 *
 * Inside, files may be read, and those of the folders made, written, renamed and removed; memory,
 * threads, clocks, and sockets that are already there go on working.  What is not known to be
 * needed fails with EPERM.  Running programs, new processes, new sockets, tracing, mounting,
 * changing users, loading code into the kernel and the like end the program by SIGSYS, with
 * a line that names the system call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct sandbox {
	const char *const *write; /* folders below which all may be written; NULL-terminated */
	const char *const *tidy;  /* folders in which files may only be removed; NULL-terminated */
	int log;                  /* descriptor for the line about a violation; stays the same */
	const char *prefix;       /* what that line begins with */
};

/* What has come of it. */
struct sandbox_state {
	bool calls;        /* system calls are filtered */
	bool files;        /* writing is bound to folders */
	char missing[256]; /* what is not there, and why; "" when all is */
};

/*
 * Enters.  False: a folder cannot be opened, or the system has what is needed and refuses it.  What
 * this system or build does not have at all is no failure: it stands in 'state'.
 */
bool sandbox_enter(const struct sandbox *s, struct sandbox_state *state, struct err *e);
