/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keep.c - retention: finished files of the series are deleted, oldest first, when all together are
 * too large, and when they are too old.
 *
 * Only names of this output's own pattern are looked at.  The newest file always stays.
 */
#include "sink/outlet.h"

#include "base/limits.h"
#include "sink/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS INT64_C(1000000000)

struct entry {
	char *path;
	uint64_t size;
	int64_t ns; /* last written to */
};

struct entries {
	const struct series *series;
	struct entry *entry;
	size_t count, room;
	uint64_t size; /* of all */
};

static bool make_room(struct entries *all)
{
	if (all->count < all->room)
		return true;

	const size_t room = all->room > 0 ? 2 * all->room : 64;
	struct entry *more =
			room > LIMIT_OUTPUT_FILES ? NULL : realloc(all->entry, room * sizeof *more);

	if (more == NULL)
		return false;
	all->entry = more;
	all->room = room;
	return true;
}

static void add(void *ctx, const char *name, enum series_what what)
{
	struct entries *all = ctx;
	struct stat st;
	char *path;

	if (what != SERIES_FILE || !make_room(all))
		return;
	path = series_path(all->series, name);
	if (path == NULL || lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
		free(path);
		return;
	}
	all->entry[all->count++] = (struct entry){ path, (uint64_t)st.st_size, st.st_mtime * NS };
	all->size += (uint64_t)st.st_size;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void delete (struct outlet *o, const struct entry *entry, const char *why)
{
	if (unlink(entry->path) == 0) {
		o->deleted++;
		says_add(o->says, SINK_INFO, "deleted %s: %s", entry->path, why);
	} else if (errno != ENOENT) {
		says_add(o->says, SINK_WARNING, "cannot delete %s: %s", entry->path,
				strerror(errno));
	}
}

static void tidy(struct outlet *o, struct entries *all)
{
	const struct sink_target *t = o->target;
	const int64_t now_ns = outlet_clock(o);

	for (size_t i = 0; i + 1 < all->count; i++) {
		const struct entry *entry = &all->entry[i];

		if (t->keep.size > 0 && all->size > t->keep.size)
			delete (o, entry, "keep_size");
		else if (t->keep.ns > 0 && now_ns - entry->ns > t->keep.ns)
			delete (o, entry, "keep_time");
		else
			continue;
		all->size -= entry->size;
	}
}

void keep_tidy(struct outlet *o, bool now)
{
	const struct sink_target *t = o->target;
	struct entries all = { .series = &o->series };

	if (!o->lazy || (t->keep.size == 0 && t->keep.ns == 0) ||
			(!now && wait_clock() < o->keep_ns))
		return;
	o->keep_ns = wait_clock() + outlet_tick_ns(o);
	if (series_scan(&o->series, add, &all) && all.count > 0) {
		qsort(all.entry, all.count, sizeof *all.entry, compare);
		tidy(o, &all);
	}
	for (size_t i = 0; i < all.count; i++)
		free(all.entry[i].path);
	free(all.entry);
}
