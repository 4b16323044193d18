/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.c - open, write, cut, sync and rename outputs.
 *
 * A regular file is written beside its final name as PATH.part, under a lock, so that two runs do
 * not mix; where PATH is a symbolic link, beside what it points to.  Pipes, devices and what lies
 * under /dev or /proc are opened as they are, never created or replaced.
 */
#include "sink/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool is_stdout(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
}

enum file_what file_what(const char *path)
{
	struct stat st;

	if (is_stdout(path))
		return FILE_DIRECT;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return FILE_FOLDER;
	if ((begins(path, "/dev/") && !begins(path, "/dev/shm/")) || begins(path, "/proc/"))
		return FILE_DIRECT;
	return stat(path, &st) != 0 || S_ISREG(st.st_mode) ? FILE_REGULAR : FILE_DIRECT;
}

const char *file_name(const struct file *f)
{
	return f->part != NULL ? f->part : f->path;
}

/* --- opening ------------------------------------------------------------------------------------
 */

/* Whether the name still leads to the open file: another run may have renamed it meanwhile. */
static bool is_same(int fd, const char *path)
{
	struct stat open_one, named;

	return fstat(fd, &open_one) == 0 && lstat(path, &named) == 0 &&
	       open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

/* Takes over a part that a dead run left; refuses one that is being written. */
static bool open_part(struct file *f, struct err *e)
{
	struct stat st;

	f->fd = open(f->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
			0666);
	if (f->fd < 0)
		return err_set(e, "cannot write %s: %s", f->part, strerror(errno));
	if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, "cannot write %s: it is there and is no regular file", f->part);
	if (flock(f->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return err_set(e, "cannot write %s: another run is writing it", f->part);
	if (!is_same(f->fd, f->part))
		return err_set(e, "cannot write %s: another run has just finished it", f->part);
	if (ftruncate(f->fd, 0) != 0)
		return err_set(e, "cannot write %s: %s", f->part, strerror(errno));
	f->regular = true;
	return true;
}

/* The name of a part; NULL: no memory. */
static char *part_of(const char *path)
{
	static const char suffix[] = ".part";
	const size_t size = strlen(path);
	char *part = malloc(size + sizeof suffix);

	if (part != NULL) {
		memcpy(part, path, size);
		memcpy(part + size, suffix, sizeof suffix);
	}
	return part;
}

static bool open_regular(struct file *f, const char *path, struct err *e)
{
	char *real = realpath(path, NULL); /* NULL: a new file */

	f->path = real != NULL ? real : strdup(path);
	f->part = f->path != NULL ? part_of(f->path) : NULL;
	if (f->part == NULL)
		return err_set(e, "cannot write %s: no memory", path);
	return open_part(f, e);
}

static bool open_direct(struct file *f, const char *path, struct err *e)
{
	struct stat st;

	f->borrowed = is_stdout(path);
	f->path = strdup(f->borrowed ? "standard output" : path);
	if (f->path == NULL)
		return err_set(e, "cannot write %s: no memory", path);
	f->fd = f->borrowed ? STDOUT_FILENO : open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return err_set(e, "cannot write %s: %s", f->path, strerror(errno));
	f->regular = S_ISREG(st.st_mode);
	f->terminal = isatty(f->fd);
	return true;
}

bool file_open(struct file *f, const char *path, struct err *e)
{
	const enum file_what what = file_what(path);
	bool done = false;

	*f = (struct file){ .fd = -1 };
	if (path[0] == '\0')
		err_set(e, "cannot write: the output's name is empty");
	else if (what == FILE_FOLDER)
		err_set(e, "cannot write %s: it is a folder", path);
	else
		done = what == FILE_DIRECT ? open_direct(f, path, e) : open_regular(f, path, e);
	if (!done)
		file_free(f);
	return done;
}

/* Gives all back, and 'why' to who called. */
static bool give_back(struct file *f, int why)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	file_free(f);
	errno = why;
	return false;
}

/* Takes the lock; EWOULDBLOCK: somebody else has it, or had it and took the name away.  Unless it
 * 'must', a file system without locks will do. */
static bool lock_part(struct file *f, bool must)
{
	if (flock(f->fd, LOCK_EX | LOCK_NB) != 0 && (must || errno == EWOULDBLOCK))
		return give_back(f, errno);
	f->regular = true;
	return is_same(f->fd, f->part) || give_back(f, EWOULDBLOCK);
}

bool file_create(struct file *f, const char *path)
{
	*f = (struct file){ .fd = -1, .path = strdup(path), .part = part_of(path) };
	if (f->path == NULL || f->part == NULL)
		return give_back(f, ENOMEM);
	f->fd = open(f->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (f->fd < 0)
		return give_back(f, errno);
	if (lock_part(f, false))
		return true;
	if (errno == EWOULDBLOCK)
		errno = EEXIST;
	return false;
}

bool file_take(struct file *f, const char *path, const char *part)
{
	struct stat st;

	*f = (struct file){ .fd = -1, .path = strdup(path), .part = strdup(part) };
	if (f->path == NULL || f->part == NULL)
		return give_back(f, ENOMEM);
	f->fd = open(f->part, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return give_back(f, errno);
	return S_ISREG(st.st_mode) ? lock_part(f, true) : give_back(f, EINVAL);
}

/* --- writing ------------------------------------------------------------------------------------
 */

/* Standard output may be set to non-blocking by whom we share it with. */
static bool wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

bool file_direct(struct file *f, bool on)
{
	if (f->part == NULL || (on && f->refused))
		return false;
	if (f->direct == on)
		return true;

	const int flags = fcntl(f->fd, F_GETFL);
	const bool done = flags >= 0 &&
			  fcntl(f->fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;

	f->refused = !done;
	f->direct = done ? on : f->direct;
	return done;
}

/* A file system may say only now that it wants other sizes, or a limit left an odd one. */
static bool give_up_direct(struct file *f)
{
	const bool given_up = f->direct && file_direct(f, false);

	f->refused |= given_up;
	return given_up;
}

/* Whether a write that failed should be tried again. */
static bool may_go_on(struct file *f)
{
	return errno == EINTR || (errno == EAGAIN && wait_writable(f->fd)) ||
	       (errno == EINVAL && give_up_direct(f));
}

size_t file_write(struct file *f, const char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		const ssize_t n = write(f->fd, bytes + done, size - done);

		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0) { /* a device that takes nothing */
			errno = ENOSPC;
			break;
		} else if (!may_go_on(f)) {
			break;
		}
	}
	return done;
}

bool file_cut(struct file *f, size_t size)
{
	struct stat st;

	if (!f->regular || fstat(f->fd, &st) != 0)
		return false;

	const off_t at = lseek(f->fd, 0, SEEK_CUR);

	/* only when what ends the file is ours; a part is */
	if (at < 0 || (at != st.st_size && f->part == NULL) || at < (off_t)size)
		return false;
	return ftruncate(f->fd, at - (off_t)size) == 0 &&
	       lseek(f->fd, at - (off_t)size, SEEK_SET) >= 0;
}

/* --- closing ------------------------------------------------------------------------------------
 */

/* Makes the new name last; a file system that cannot is no failure of ours. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
	const int fd = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

bool file_is_there(const struct file *f)
{
	return f->part == NULL || is_same(f->fd, f->part);
}

bool file_is_taken(const struct file *f)
{
	struct stat st;

	return lstat(f->path, &st) == 0 && !is_same(f->fd, f->path);
}

bool file_sync(struct file *f)
{
	return fsync(f->fd) == 0;
}

/* The part is no more. */
static bool settle(struct file *f)
{
	free(f->part);
	f->part = NULL;
	sync_folder(f->path);
	return true;
}

bool file_rename(struct file *f)
{
	return rename(f->part, f->path) == 0 && settle(f);
}

bool file_change_path(struct file *f, const char *path)
{
	char *copy = strdup(path);

	if (copy == NULL)
		return false;
	free(f->path);
	f->path = copy;
	return true;
}

bool file_change_part(struct file *f, const char *path)
{
	char *part = part_of(path);

	if (part == NULL || rename(f->part, part) != 0) {
		free(part);
		return false;
	}
	free(f->part);
	f->part = part;
	return file_change_path(f, path);
}

/* The lock goes with the descriptor, so the name is given before that. */
static bool finish(struct file *f, struct err *e)
{
	if (f->part == NULL)
		return true;
	if (!file_sync(f))
		return err_set(e, "cannot write %s: %s", f->part, strerror(errno));
	if (!file_rename(f))
		return err_set(e, "cannot rename %s to %s: %s", f->part, f->path, strerror(errno));
	return true;
}

bool file_close(struct file *f, bool whole, struct err *e)
{
	const int fd = f->fd;
	bool done = true;

	if (fd < 0)
		return true;
	if (whole)
		done = finish(f, e);
	else if (f->part != NULL)
		fsync(fd);
	f->fd = -1;
	if (!f->borrowed && close(fd) != 0 && errno != EINTR && done)
		done = err_set(e, "cannot write %s: %s", f->path, strerror(errno));
	return done;
}

void file_free(struct file *f)
{
	file_close(f, false, NULL);
	free(f->path);
	free(f->part);
	*f = (struct file){ .fd = -1 };
}
