/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * privileges_linux.c - capabilities(7) without libcap, no_new_privs, and names of open files by
 * /proc.
 */
#ifdef __linux__

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/privileges_system.h"

enum { NAME = 4096 };

/* Is it a regular file open for writing, with such a name? */
static bool is_part(int fd)
{
	static const char suffix[] = ".part";
	char link[64], name[NAME];
	struct stat st;
	int mode = fcntl(fd, F_GETFL);

	if (mode == -1 || (mode & O_ACCMODE) == O_RDONLY || fstat(fd, &st) != 0 ||
			!S_ISREG(st.st_mode))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, name, sizeof(name));

	return size > (ssize_t)sizeof(suffix) &&
	       memcmp(name + size - (sizeof(suffix) - 1), suffix, sizeof(suffix) - 1) == 0;
}

void privileges_give_parts(const struct privileges_user *user)
{
	DIR *folder = opendir("/proc/self/fd");

	if (folder == NULL)
		return;
	for (const struct dirent *d; (d = readdir(folder)) != NULL;) {
		int fd = (int)strtol(d->d_name, NULL, 10);

		if (fd > STDERR_FILENO && is_part(fd) && fchown(fd, user->uid, user->gid) != 0)
			continue; /* what that means shows when the file is to be renamed */
	}
	closedir(folder);
}

void privileges_bound(bool write_anywhere)
{
	for (int c = 0; c < 64; c++)
		if (!write_anywhere || c != CAP_DAC_OVERRIDE)
			prctl(PR_CAPBSET_DROP, c, 0, 0, 0); /* who may not has none to lose */
}

static bool set_capabilities(uint32_t low)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = low, .permitted = low } };

	return syscall(SYS_capset, &head, data) == 0;
}

/* Those below 32; false: others are there, too. */
static bool get_capabilities(uint32_t *low)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	bool good = syscall(SYS_capget, &head, data) == 0;

	*low = data[0].permitted;
	return good && data[1].permitted == 0 && data[0].inheritable == 0 &&
	       data[1].inheritable == 0;
}

bool privileges_strip(bool write_anywhere, bool dump, struct err *e)
{
	uint32_t have = 0, keep = write_anywhere ? UINT32_C(1) << CAP_DAC_OVERRIDE : 0;

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	get_capabilities(&have);
	keep &= have; /* a container may have taken it from root already */
	if (!set_capabilities(keep) || !get_capabilities(&have) || have != keep)
		return err_set(e, "cannot give up capabilities: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(e, "cannot set no_new_privs: %s", strerror(errno));
	prctl(PR_SET_DUMPABLE, dump ? 1 : 0, 0, 0, 0);
	return true;
}

#endif
