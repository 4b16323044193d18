/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_spool.c - hard links in a folder: add, list oldest first, remove.
 *
 * The main process adds, the uploader lists and removes; what one of them does is whole at any
 * moment for the other, because link() and unlink() are.
 */
#include "sink/upload_spool.h"

#include "os/clock.h"
#include "sink/upload_target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 20, ENTRY_SIZE = DIGITS + 1 + LIMIT_UPLOAD_NAME + 1 };

static const char spool_name[] = ".spool", part[] = ".part";

static void entry_text(const struct upload_entry *entry, char out[ENTRY_SIZE])
{
	snprintf(out, ENTRY_SIZE, "%020" PRIu64 "-%s", entry->number, entry->name);
}

/* False for what is no entry. */
static bool entry_parse(const char *text, struct upload_entry *out)
{
	out->number = 0;
	for (size_t i = 0; i < DIGITS; i++) {
		if (text[i] < '0' || text[i] > (i == 0 ? '0' : '9')) /* all others fit 64 bits */
			return false;
		out->number = out->number * 10 + (uint64_t)(text[i] - '0');
	}
	if (text[DIGITS] != '-' || !upload_target_name(text + DIGITS + 1, NULL))
		return false;
	snprintf(out->name, sizeof out->name, "%s", text + DIGITS + 1);
	return true;
}

/* --- opening ------------------------------------------------------------------------------------
 */

static int open_folder(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Hard links are tried, because it is too late when the first file is finished. */
static bool try_link(const struct upload_spool *s, const char *folder, struct err *e)
{
	static const char one[] = ".try", other[] = ".try.link";

	unlinkat(s->spool, one, 0);
	unlinkat(s->spool, other, 0);
	const int fd = openat(s->spool, one, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, "upload: cannot write to %s/%s: %s", folder, spool_name,
				strerror(errno));
	close(fd);

	const bool done = linkat(s->spool, one, s->spool, other, 0) == 0;
	const int why = errno;
	unlinkat(s->spool, one, 0);
	unlinkat(s->spool, other, 0);
	return done ||
	       err_set(e,
			       "upload: files that wait are hard links in %s/%s, which its file "
			       "system refuses: %s",
			       folder, spool_name, strerror(why));
}

static bool make_spool(
		struct upload_spool *s, const char *folder, const struct stat *owner, struct err *e)
{
	if (mkdirat(s->folder, spool_name, 0700) != 0 && errno != EEXIST)
		return err_set(e, "upload: cannot make %s/%s: %s", folder, spool_name,
				strerror(errno));
	s->spool = openat(s->folder, spool_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->spool < 0)
		return err_set(e, "upload: cannot open %s/%s: %s", folder, spool_name,
				strerror(errno));
	if (!try_link(s, folder, e))
		return false;
	if (owner != NULL && fchown(s->spool, owner->st_uid, owner->st_gid) != 0)
		return err_set(e, "upload: cannot give %s/%s away: %s", folder, spool_name,
				strerror(errno));
	return true;
}

bool upload_spool_open(
		struct upload_spool *s, const char *folder, const struct stat *owner, struct err *e)
{
	*s = (struct upload_spool){ -1, -1 };
	s->folder = open_folder(AT_FDCWD, folder);
	if (s->folder < 0)
		return err_set(e, "upload: cannot open the folder %s: %s", folder, strerror(errno));
	if (make_spool(s, folder, owner, e))
		return true;
	upload_spool_close(s);
	return false;
}

void upload_spool_close(struct upload_spool *s)
{
	if (s->folder >= 0)
		close(s->folder);
	if (s->spool >= 0)
		close(s->spool);
	*s = (struct upload_spool){ -1, -1 };
}

/* --- listing ------------------------------------------------------------------------------------
 */

/* A stream of its own over the open folder, from its beginning. */
static DIR *read_spool(const struct upload_spool *s, struct err *e)
{
	const int fd = open_folder(s->spool, ".");
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL) {
		err_set(e, "upload: cannot read the spool: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return d;
}

/* Keeps the smallest numbers in order; what falls off the end is found by the next call. */
static void keep(struct upload_batch *b, const struct upload_entry *entry)
{
	size_t i = b->count;

	if (i == LIMIT_UPLOAD_BATCH && entry->number > b->entry[i - 1].number)
		return;
	if (i == LIMIT_UPLOAD_BATCH)
		i--;
	else
		b->count++;
	for (; i > 0 && b->entry[i - 1].number > entry->number; i--)
		b->entry[i] = b->entry[i - 1];
	b->entry[i] = *entry;
}

bool upload_spool_list(const struct upload_spool *s, uint64_t after, struct upload_batch *out,
		struct err *e)
{
	DIR *d = read_spool(s, e);
	struct dirent *at;
	struct upload_entry entry;

	out->count = 0;
	out->waiting = out->oldest = 0;
	if (d == NULL)
		return false;
	while ((at = readdir(d)) != NULL) {
		if (!entry_parse(at->d_name, &entry))
			continue;
		out->waiting++;
		if (out->oldest == 0 || entry.number < out->oldest)
			out->oldest = entry.number;
		if (entry.number > after)
			keep(out, &entry);
	}
	closedir(d);
	return true;
}

/* --- adding -------------------------------------------------------------------------------------
 */

/* A file with more than one name may wait already. */
static bool is_waiting(const struct upload_spool *s, const struct stat *st)
{
	DIR *d = st->st_nlink > 1 ? read_spool(s, NULL) : NULL;
	struct dirent *at;
	struct upload_entry entry;
	bool found = false;

	while (d != NULL && !found && (at = readdir(d)) != NULL)
		found = at->d_ino == st->st_ino && entry_parse(at->d_name, &entry);
	if (d != NULL)
		closedir(d);
	return found;
}

static bool set_name(struct upload_entry *entry, const char *name, struct err *e)
{
	const size_t size = strlen(name), end = sizeof part - 1;
	char whole[LIMIT_UPLOAD_NAME + sizeof part];
	const bool strip = size > end && strcmp(name + size - end, part) == 0;

	/* What is longer is cut, and refused as still too long. */
	snprintf(whole, sizeof whole, "%.*s", (int)(strip ? size - end : size), name);
	if (!upload_target_name(whole, e))
		return false;
	memcpy(entry->name, whole, strlen(whole) + 1);
	return true;
}

static uint64_t now_ns(void)
{
	const int64_t now = clock_real_ns();

	return now >= 1000000000 ? (uint64_t)now : 1;
}

bool upload_spool_add(struct upload_spool *s, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	struct upload_entry entry = { .number = now_ns() };
	char text[ENTRY_SIZE];
	struct stat st;

	if (!set_name(&entry, name, e))
		return false;
	if (fstatat(s->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_set(e, "upload: cannot find %s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, "upload: %s is no regular file", name);
	if (is_waiting(s, &st))
		return true;
	for (;; entry.number++) { /* another thread may have been added in the same moment */
		entry_text(&entry, text);
		if (linkat(s->folder, name, s->spool, text, 0) == 0)
			break;
		if (errno != EEXIST)
			return err_set(e, "upload: cannot put %s into the spool: %s", name,
					strerror(errno));
	}
	return fsync(s->spool) == 0 ||
	       err_set(e, "upload: cannot sync the spool: %s", strerror(errno));
}

/* --- reading and removing -----------------------------------------------------------------------
 */

int upload_spool_read(const struct upload_spool *s, const struct upload_entry *entry,
		struct stat *st, struct err *e)
{
	char text[ENTRY_SIZE];

	entry_text(entry, text);
	const int fd = openat(
			s->spool, text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		err_set(e, "cannot read %s: %s", entry->name, strerror(errno));
		return -1;
	}
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	err_set(e, "cannot read %s: it is no regular file", entry->name);
	close(fd);
	return -1;
}

/* Removes a name from the folder if it is the file's; true when there is nothing left to do. */
static bool remove_same(int folder, const char *name, const struct stat *file)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT;
	if (st.st_ino != file->st_ino || st.st_dev != file->st_dev)
		return true;
	return unlinkat(folder, name, 0) == 0 || errno == ENOENT;
}

bool upload_spool_done(const struct upload_spool *s, const struct upload_entry *entry, bool retain,
		struct err *e)
{
	char text[ENTRY_SIZE];
	struct stat st;

	entry_text(entry, text);
	/* The spool's name goes last: as long as it is there, all of this is done again. */
	if (!retain && fstatat(s->spool, text, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			!remove_same(s->folder, entry->name, &st))
		return err_set(e, "%s is uploaded, but cannot be removed: %s", entry->name,
				strerror(errno));
	if (unlinkat(s->spool, text, 0) != 0 && errno != ENOENT)
		return err_set(e, "%s is uploaded, but cannot be removed from the spool: %s",
				entry->name, strerror(errno));
	return true;
}
