/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_confine.h - what the uploader and ssh may not do.  Private to the room.
 *
 * The key has to stay out of reach of the main process, which parses packets, and files have to be
 * reached with no more rights than that process has.  So the uploader keeps the real user id of
 * whoever started the program, works with the effective one of the main process, and gives ssh
 * the first.  Where the system can: no new privileges, no capabilities but to read (the key) for
 * ssh, no writing anywhere but removing files in the folder.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct upload_user {
	bool become;
	uid_t uid;
	gid_t gid;
};

/* For a process that has just been forked by 'parent': it dies with it.  'name' is for ps(1). */
bool upload_confine_child(pid_t parent, const char *name);

/* For good.  'folder' is an open folder in which files may be removed. */
bool upload_confine_uploader(int folder, const struct upload_user *user, struct err *e);

/* Between fork() and exec(); errno says why not. */
bool upload_confine_program(pid_t parent);
