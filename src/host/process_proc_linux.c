/* SPDX-License-Identifier: BSD-3-Clause */
/* process_proc_linux.c - facts about a process from /proc/PID, and who holds a socket. */
#ifdef __linux__
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/process_cgroup_linux.h"
#include "host/process_poll.h"
#include "host/process_watcher.h"

enum { TEXT = 4096 };

/* A small file of a process's folder. */
static size_t read_at(int dir, const char *name, char *to, size_t room)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, to, room);
	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static int open_process(uint32_t pid)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%u", pid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The folder is that of the process meant: it began when that did, as far as ticks tell. */
static bool read_stat(int dir, struct process_facts *f)
{
	const long ticks = sysconf(_SC_CLK_TCK);
	struct process_facts found = { .start_ns = -1 };
	char text[TEXT];
	size_t n = read_at(dir, "stat", text, sizeof text);

	if (n == 0 || ticks <= 0 || !facts_parse_stat(&found, text, n, ticks))
		return false;
	if (f->start_ns >= 0 &&
			llabs(f->start_ns - found.start_ns) > 2 * INT64_C(1000000000) / ticks)
		return false;
	return facts_parse_stat(f, text, n, ticks);
}

static void read_exe(int dir, struct process_facts *f)
{
	char path[FACTS_PATH];
	struct stat st;
	ssize_t n;

	if (f->path[0] == '\0' && !f->kernel && (n = readlinkat(dir, "exe", path, sizeof path)) > 0)
		facts_copy(f->path, sizeof f->path, path, (size_t)n);
	if (f->inode == 0 && fstatat(dir, "exe", &st, 0) == 0) {
		f->inode = (uint64_t)st.st_ino;
		f->device = (uint32_t)(major(st.st_dev) << 20 | minor(st.st_dev));
	}
}

static void read_parent(struct process_facts *f)
{
	struct process_facts parent = { .start_ns = -1 };
	char text[TEXT];
	int dir;
	size_t n;

	if (f->parent_name[0] != '\0' || f->parent_pid == 0 ||
			(dir = open_process(f->parent_pid)) < 0)
		return;
	n = read_at(dir, "stat", text, sizeof text);
	if (facts_parse_stat(&parent, text, n, 1))
		facts_copy(f->parent_name, sizeof f->parent_name, parent.name, sizeof parent.name);
	close(dir);
}

/* The cgroup outlives the process, mostly. */
static void find_cgroup(struct process_facts *f)
{
	if (f->cgroup == 0 || f->cgroup_path[0] != '\0' ||
			!cgroup_path(f->cgroup, f->cgroup_path, sizeof f->cgroup_path))
		return;
	if (f->container[0] == '\0')
		facts_container(f->cgroup_path, f->container, sizeof f->container);
}

static void read_all(int dir, struct process_facts *f, bool cmdline)
{
	char text[TEXT];

	if (read_stat(dir, f)) {
		if (f->uid == UINT32_MAX)
			facts_parse_status(f, text, read_at(dir, "status", text, sizeof text));
		read_exe(dir, f);
		facts_parse_cgroup(f, text, read_at(dir, "cgroup", text, sizeof text));
		if (cmdline && f->cmdline_size == 0)
			f->cmdline_size = read_at(dir, "cmdline", f->cmdline, sizeof f->cmdline);
	}
}

void system_facts(struct process_facts *f, bool cmdline)
{
	int dir = f->complete ? -1 : open_process(f->pid);

	if (dir >= 0) {
		read_all(dir, f, cmdline);
		close(dir);
	}
	if (!f->complete) {
		read_parent(f);
		find_cgroup(f);
	}
	f->complete = true;
}

/* --- who holds a socket ------------------------------------------------------------------------
 */

static uint64_t socket_inode(int dir, const char *name)
{
	static const char head[] = "socket:[";
	char link[64];
	ssize_t n = readlinkat(dir, name, link, sizeof link - 1);

	if (n <= (ssize_t)sizeof head - 1 || memcmp(link, head, sizeof head - 1) != 0)
		return 0;
	link[n] = '\0';
	return strtoull(link + sizeof head - 1, NULL, 10);
}

static size_t note_holder(struct seen *seen, size_t count, uint64_t inode, uint32_t pid)
{
	size_t low = 0, high = count, found = 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (seen[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && seen[low].inode == inode; low++) {
		if (seen[low].pid == 0) {
			seen[low].pid = pid;
			found++;
		}
	}
	return found;
}

/* Looks through one process's open files; returns how many sockets have found their holder. */
static size_t look_at_files(uint32_t pid, struct seen *seen, size_t count)
{
	char path[32];
	struct dirent *entry;
	size_t found = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%u/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		uint64_t inode = isdigit((unsigned char)entry->d_name[0])
						 ? socket_inode(dirfd(dir), entry->d_name)
						 : 0;

		if (inode != 0)
			found += note_holder(seen, count, inode, pid);
	}
	closedir(dir);
	return found;
}

static int descending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x < y) - (x > y);
}

/* All process ids, the latest first: new sockets are likelier to be theirs. */
static size_t list_processes(uint32_t *to, size_t room)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t n = 0;

	if (dir == NULL)
		return 0;
	while (n < room && (entry = readdir(dir)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			to[n++] = (uint32_t)strtoul(entry->d_name, NULL, 10);
	closedir(dir);
	qsort(to, n, sizeof *to, descending);
	return n;
}

void system_holders(struct seen *seen, size_t count)
{
	static uint32_t pids[LIMIT_PROCESSES]; /* of the watcher, which has one thread */
	size_t processes, missing = 0;

	for (size_t i = 0; i < count; i++)
		missing += seen[i].inode != 0 && seen[i].pid == 0;
	if (missing == 0)
		return;
	processes = list_processes(pids, LIMIT_PROCESSES);
	for (size_t i = 0; i < processes && missing > 0; i++)
		missing -= look_at_files(pids[i], seen, count);
}
#endif
