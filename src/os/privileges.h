/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * privileges.h - from root to a user who may do nothing, for good.
 *
 * To be called while the process has one thread: ids are those of the whole process only then.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct privileges_user {
	char name[64];
	uid_t uid;
	gid_t gid;
};

/* Is the effective user root? */
bool privileges_root(void);

/* The user of that name; false: there is none, or the user data base cannot be read. */
bool privileges_find(const char *name, struct privileges_user *user, struct err *e);

/*
 * May that user make files in the folder 'path'?  If it is no folder: may he write the file, or
 * make it?  'user' NULL asks for the caller; only root can ask for another, and loses his
 * supplementary groups by it.  False: the words say what would help.
 */
bool privileges_may_write(const struct privileges_user *user, const char *path, struct err *e);

/*
 * Becomes that user: no supplementary groups, all three ids, no capability and none to be had
 * again (no_new_privs).  It is verified that there is no way back.  'user' NULL: the ids stay, and
 * of root's capabilities only the right to write to folders of others does.  A core is dumped only
 * if its size limit (ulimit -c) is not 0.
 */
bool privileges_drop(const struct privileges_user *user, struct err *e);
