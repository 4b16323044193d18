/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sandbox.h - what a program that has opened all it needs gives up: system calls, and writing
 * anywhere but to a few folders.
 *
 * Linux: an allow-list of system calls by seccomp, and Landlock.  OpenBSD: pledge and unveil.  To be
 * entered while the process has one thread; threads made later are in it too.  It cannot be left.
 *
 * Inside, files may be read and those of the folders made, written, renamed and removed; memory,
 * threads, clocks, and sockets that are already there go on working.  Refused with EPERM: new TCP
 * or UDP sockets of no use here, and whatever is not known to be needed.  Running programs, new
 * processes, signals to others, tracing, mounting, changing users, loading code into the kernel end
 * the program by SIGSYS, with a line that names the system call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct sandbox {
	const char *const *write; /* folders below which all may be written; NULL-terminated */
	const char *const *tidy;  /* folders in which files may only be removed; NULL-terminated */
	int log;                  /* file descriptor for the line about a violation; -1: none */
};

/* What has come of it. */
struct sandbox_state {
	bool calls;       /* system calls are filtered */
	bool files;       /* writing is bound to folders */
	char missing[200]; /* what is not there, and why; "" when all is */
};

/*
 * Enters.  False: a folder cannot be opened, or the system has what is needed and refuses it.  What
 * this system or build does not have at all is no failure: it stands in 'state'.
 */
bool sandbox_enter(const struct sandbox *s, struct sandbox_state *state, struct err *e);
