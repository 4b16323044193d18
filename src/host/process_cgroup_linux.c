/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_cgroup_linux.c - a cgroup's id is a file handle, so its path is found without a search,
 * also for a process that is gone.
 *
 * The root may be mounted nowhere that we see (`ip netns exec` covers /sys): then it is mounted
 * without a place.  In a cgroup namespace the root of all is out of reach; its number is 1.
 */
#ifdef __linux__
#include "host/process_cgroup_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mount.h>

enum { PATH = 1024, HANDLE_KERNFS = 0xfe, ROOT = 1 };

struct root {
	int fd;
	size_t length; /* of the mount point's path */
};

/* Of the watcher, where one thread asks. */
static struct root root = { .fd = -1 };

/* ID PARENT DEVICE ROOT MOUNT OPTIONS ... - TYPE SOURCE OPTIONS */
static bool find_mount(char *to, size_t room)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4 * PATH], mount[PATH];
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
		found = strstr(line, " - cgroup2 ") != NULL &&
			sscanf(line, "%*s %*s %*s / %1023s", mount) == 1;
	if (found)
		snprintf(to, room, "%s", mount);
	if (f != NULL)
		fclose(f);
	return found;
}

static int open_mounted(size_t *length)
{
	char path[PATH];

	if (!find_mount(path, sizeof path))
		return -1;
	*length = strlen(path);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int mount_nowhere(size_t *length)
{
	int fs = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC), mount = -1, fd = -1;

	*length = 0;
	if (fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mount >= 0)
		fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs >= 0)
		close(fs);
	if (mount >= 0)
		close(mount);
	return fd;
}

int cgroup_root(struct err *e)
{
	struct stat st;

	if (root.fd >= 0)
		return root.fd;
	root.fd = open_mounted(&root.length);
	if (root.fd < 0)
		root.fd = mount_nowhere(&root.length);
	if (root.fd < 0) {
		err_set(e, "cgroups of version 2 cannot be opened: %s", strerror(errno));
	} else if (fstat(root.fd, &st) != 0 || st.st_ino != ROOT) {
		err_set(e, "the root of the cgroups is not to be seen from this container");
		close(root.fd);
		root.fd = -1;
	}
	return root.fd;
}

bool cgroup_path(uint64_t id, char *to, size_t room)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = { .handle = { .handle_bytes = sizeof id, .handle_type = HANDLE_KERNFS } };
	char link[64], path[2 * PATH];
	ssize_t n;
	int fd;

	memcpy(h.handle.f_handle, &id, sizeof id);
	fd = root.fd < 0 ? -1 : open_by_handle_at(root.fd, &h.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	close(fd);
	if (n < (ssize_t)root.length)
		return false;
	path[n] = '\0';
	snprintf(to, room, "%s", path[root.length] == '\0' ? "/" : path + root.length);
	return true;
}
#endif
