/* SPDX-License-Identifier: BSD-3-Clause */
/* upload_confine.c - the part of confining that every system has: user ids. */
#include "sink/upload_confine.h"

#include "sink/upload_confine_os.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

bool upload_confine_child(pid_t parent, const char *name)
{
	return upload_confine_os_child(parent, name) && getppid() == parent;
}

/* Effective ids only; the real ones stay those of the caller, and nobody else can signal us. */
static bool work_as(const struct upload_user *user, struct err *e)
{
	if (!user->become || geteuid() != 0)
		return true;
	if (setgroups(1, &user->gid) == 0 && setegid(user->gid) == 0 && seteuid(user->uid) == 0)
		return true;
	return err_set(e, "cannot work with the rights of user %lu: %s", (unsigned long)user->uid,
			strerror(errno));
}

bool upload_confine_uploader(int folder, const struct upload_user *user, struct err *e)
{
	const pid_t parent = getppid();

	upload_confine_os_begin();
	if (!work_as(user, e))
		return false;
	upload_confine_os_end(folder);
	/* A change of ids has undone this. */
	return upload_confine_os_child(parent, NULL) || err_set(e, "%s", strerror(errno));
}

bool upload_confine_program(pid_t parent)
{
	if (geteuid() != getuid() && seteuid(getuid()) != 0)
		return false;
	if (getegid() != getgid() && setegid(getgid()) != 0)
		return false;
	upload_confine_os_end(-1);
	return upload_confine_child(parent, NULL);
}
