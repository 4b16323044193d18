/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * privileges.c - users, who may write where, and becoming one of them.
 *
 * The order matters: groups and bounding set need the rights that setresuid() takes away.
 */
#include "os/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/privileges_system.h"

bool privileges_root(void)
{
	return geteuid() == 0;
}

bool privileges_find(const char *name, struct privileges_user *user, struct err *e)
{
	errno = 0;
	const struct passwd *entry = getpwnam(name);

	if (entry == NULL && errno != 0 && errno != ENOENT && errno != ESRCH)
		return err_set(e, "cannot look up user %s: %s", name, strerror(errno));
	if (entry == NULL)
		return err_set(e, "there is no user %s (make one: useradd --system %s)", name,
				name);
	*user = (struct privileges_user){ .uid = entry->pw_uid, .gid = entry->pw_gid };
	snprintf(user->name, sizeof(user->name), "%s", name);
	return true;
}

/* --- who may write ----------------------------------------------------------------------- */

/* The effective ids only: a way back is left. */
static bool pretend(const struct privileges_user *user)
{
	return setgroups(0, NULL) == 0 && setegid(user->gid) == 0 && seteuid(user->uid) == 0;
}

static bool return_to(uid_t uid, gid_t gid)
{
	return seteuid(uid) == 0 && setegid(gid) == 0;
}

/* 'path' where it is there, else its folder. */
static bool accessible(const char *path)
{
	char folder[PATH_MAX];
	struct stat st;

	if (stat(path, &st) == 0)
		return faccessat(AT_FDCWD, path, S_ISDIR(st.st_mode) ? W_OK | X_OK : W_OK,
				       AT_EACCESS) == 0;
	if (errno != ENOENT || snprintf(folder, sizeof(folder), "%s", path) >= PATH_MAX)
		return false;
	return faccessat(AT_FDCWD, dirname(folder), W_OK | X_OK, AT_EACCESS) == 0;
}

static bool explain(const struct privileges_user *user, const char *path, int why, struct err *e)
{
	if (why == EACCES && user != NULL)
		return err_set(e,
				"user %s cannot write to %s: 'chown %s %s' lets him; or choose "
				"another place, or another user by username=",
				user->name, path, user->name, path);
	return err_set(e, "cannot write to %s: %s", path, strerror(why));
}

bool privileges_may_write(const struct privileges_user *user, const char *path, struct err *e)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (user != NULL && uid == 0 && !pretend(user)) {
		int why = errno;

		return_to(uid, gid);
		return err_set(e, "cannot become user %s: %s", user->name, strerror(why));
	}
	bool good = accessible(path);
	int why = errno;

	if (user != NULL && uid == 0 && !return_to(uid, gid))
		return err_set(e, "cannot become root again: %s", strerror(errno));
	return good || explain(user, path, why, e);
}

/* --- becoming another -------------------------------------------------------------------- */

static bool change_ids(const struct privileges_user *user)
{
	if (setgroups(0, NULL) != 0)
		return false;
#ifdef __APPLE__
	return setgid(user->gid) == 0 && setuid(user->uid) == 0; /* by root: all three */
#else
	return setresgid(user->gid, user->gid, user->gid) == 0 &&
	       setresuid(user->uid, user->uid, user->uid) == 0;
#endif
}

static bool has_changed(const struct privileges_user *user)
{
	if (getuid() != user->uid || geteuid() != user->uid || getgid() != user->gid ||
			getegid() != user->gid)
		return false;
	return user->uid == 0 || (setuid(0) != 0 && seteuid(0) != 0);
}

static bool become(const struct privileges_user *user, struct err *e)
{
	if (geteuid() != 0)
		return user->uid == geteuid() ||
		       err_set(e, "only root can become user %s", user->name);
	privileges_give_parts(user);
	privileges_bound(false);
	if (!change_ids(user))
		return err_set(e, "cannot become user %s: %s", user->name, strerror(errno));
	return has_changed(user) ||
	       err_set(e, "this process could become root again after it became %s", user->name);
}

bool privileges_drop(const struct privileges_user *user, struct err *e)
{
	struct rlimit core = { .rlim_cur = 0 };
	bool stays_root = user == NULL && privileges_root();

	getrlimit(RLIMIT_CORE, &core);
	if (user != NULL && !become(user, e))
		return false;
	if (stays_root)
		privileges_bound(true);
	return privileges_strip(stays_root, core.rlim_cur > 0, e);
}
