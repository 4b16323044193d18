/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disk_kit.h - what the tests of live outputs share: a disk that fails when a test wants it, and
 * ways to wait for what the writer does.
 *
 * The calls that write, sync and rename are replaced for the whole program.
 */
#pragma once

#include <errno.h>
#include <sys/syscall.h>

#include "series_kit.h"

/* --- the disk -----------------------------------------------------------------------------------
 */

static struct {
	_Atomic int64_t room;     /* bytes that it takes */
	_Atomic int sync, rename; /* errno of these, or 0 */
	_Atomic bool slow;
} disk;

static inline void good_disk(void)
{
	disk.room = INT64_MAX;
	disk.sync = disk.rename = 0;
	disk.slow = false;
}

static inline bool refused(int why)
{
	errno = why;
	return why != 0;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	const int64_t room = disk.room;
	ssize_t n;

	if (fd <= STDERR_FILENO)
		return syscall(SYS_write, fd, bytes, size);
	if (room <= 0) {
		errno = ENOSPC;
		return -1;
	}
	if (disk.slow)
		nap();
	n = syscall(SYS_write, fd, bytes, (int64_t)size < room ? size : (size_t)room);
	if (n > 0 && room < INT64_MAX)
		disk.room -= n;
	return n;
}

int fsync(int fd)
{
	return refused(disk.sync) ? -1 : (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	return refused(disk.rename) ? -1
				    : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* --- helpers ------------------------------------------------------------------------------------
 */

enum { MS = 1000000, SECONDS = 20 };

static struct sink_target live_target(const char *name)
{
	struct sink_target target = target_of(name);

	good_disk();
	target.live = true;
	target.tick_ns = 5 * MS;
	return target;
}

static struct sink_counts now; /* as look() has found them */
static const char *wanted;
static time_t patience;

static inline void want(const char *what)
{
	wanted = what;
	patience = time(NULL) + SECONDS;
}

static inline void look(struct sink *s)
{
	struct err why = { "" };

	if (!sink_poll(s, &why))
		fail_msg("%s", why.text);
	sink_counts(s, &now);
}

static inline void wait_more(void)
{
	if (time(NULL) > patience)
		fail_msg("waited in vain for %s", wanted);
	nap();
}

/* Polls until something is true of the counts or of what was said. */
#define await(s, what)                                                                             \
	for (want(#what); look(s), !(what);)                                                       \
	wait_more()

static inline uint64_t finished_files(void)
{
	uint64_t files = 0;

	list();
	for (size_t i = 0; i < names.count; i++)
		files += !ends(names.name[i], ".part");
	return files;
}

static inline void write_some(uint64_t from, uint64_t to)
{
	struct err e = { "" };

	for (uint64_t n = from; n < to; n++)
		assert_true(record(pen, n, &e));
}

static inline void flush(void)
{
	struct err e = { "" };

	assert_true(pen_flush(pen, &e));
}

static inline void finish(struct sink *s)
{
	struct err e = { "" };

	if (!end(s, &e) || !sink_close(s, true, &e))
		fail_msg("%s", e.text);
}

static struct sink *start(const struct sink_target *target)
{
	struct sink *s = open_target(target);
	struct err e = { "" };

	assert_true(begin(s, &e));
	return s;
}
