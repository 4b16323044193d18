/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_cgroup_linux.c - a cgroup's id is a file handle, so its path is found without a search,
 * also for a process that is gone.
 */
#ifdef __linux__
#include "host/process_cgroup_linux.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH = 1024, HANDLE_KERNFS = 0xfe };

static bool find_mount(char *to, size_t room)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4 * PATH];
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL) {
		char root[PATH], mount[PATH];

		/* ID PARENT DEVICE ROOT MOUNT OPTIONS ... - TYPE SOURCE OPTIONS */
		found = strstr(line, " - cgroup2 ") != NULL &&
			sscanf(line, "%*s %*s %*s %1023s %1023s", root, mount) == 2 &&
			strcmp(root, "/") == 0;
		if (found)
			snprintf(to, room, "%s", mount);
	}
	if (f != NULL)
		fclose(f);
	return found;
}

/*
 * Where nobody has mounted it (a mount namespace of its own, as `ip netns exec` makes): a mount
 * that is at no place, and goes with its descriptor.
 */
static int mount_nowhere(void)
{
	int root = -1;
#ifdef SYS_fsopen
	enum { CREATE = 6 }; /* FSCONFIG_CMD_CREATE */
	int fs = (int)syscall(SYS_fsopen, "cgroup2", 1 /* FSOPEN_CLOEXEC */);

	if (fs >= 0 && syscall(SYS_fsconfig, fs, CREATE, NULL, NULL, 0) == 0)
		root = (int)syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, 0);
	if (fs >= 0)
		close(fs);
#endif
	return root;
}

int cgroup_root(size_t *length)
{
	static int fd = -2; /* for the life of the watcher, which has one thread here */
	static size_t size;
	char path[PATH];

	if (fd == -2 && find_mount(path, sizeof path)) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		size = strlen(path);
	}
	if (fd < 0) {
		fd = mount_nowhere();
		size = 0;
	}
	*length = size;
	return fd;
}

bool cgroup_path(uint64_t id, char *to, size_t room)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = { .handle = { .handle_bytes = sizeof id, .handle_type = HANDLE_KERNFS } };
	char link[64], path[PATH + 512];
	size_t mount;
	int root = cgroup_root(&mount), fd;
	ssize_t n;

	memcpy(h.handle.f_handle, &id, sizeof id);
	fd = root < 0 ? -1 : open_by_handle_at(root, &h.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	close(fd);
	if (n < (ssize_t)mount)
		return false;
	path[n] = '\0';
	snprintf(to, room, "%s", path[mount] == '\0' ? "/" : path + mount);
	return true;
}
#endif
