/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * past.c - what runs before this one have left in the folder of the output.
 *
 * A part that nobody has locked is that of a run that died: it is cut to what is whole and gets the
 * name it was to have, or is deleted when there is no record in it.  A live run without a series
 * gives the file that stands where its own will stand a name with time and number.
 */
#include "sink/mend.h"
#include "sink/outlet.h"

#include "base/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void cannot(struct outlet *o, const char *part, const char *why)
{
	says_add(o->says, SINK_ERROR, "cannot recover %s: %s", part, why);
}

/* --- one part -----------------------------------------------------------------------------------
 */

static void recover_taken(struct outlet *o, struct file *f)
{
	struct mended m;

	if (!mend(f, o->compression, o->format->quotes, &m)) {
		cannot(o, f->part, strerror(errno));
		return;
	}
	if (m.lines == 0 && m.cut > FILE_PAGE) {
		cannot(o, f->part, "nothing in it is whole");
		return;
	}
	if (m.lines <= m.headed) {
		unlink(f->part);
		return;
	}
	if (file_is_taken(f)) {
		cannot(o, f->part, "its name is taken");
		return;
	}
	if (file_sync(f))
		outlet_announce(o, f);
	if (!file_rename(f)) {
		cannot(o, f->part, strerror(errno));
		return;
	}
	says_add(o->says, SINK_WARNING,
			"recovered %s of a run that died: %" PRIu64 " lines, %" PRIu64
			" bytes cut off",
			f->path, m.lines, m.cut);
}

/* Who writes it now will name it.  'anew': under another name than it had. */
static void recover_part(struct outlet *o, const char *part, const char *path, bool anew)
{
	struct file f;

	if (file_take(&f, path, part)) {
		if (!anew || file_change_part(&f, path))
			recover_taken(o, &f);
		else
			cannot(o, part, strerror(errno));
		file_free(&f);
	} else if (errno != EWOULDBLOCK && errno != ENOENT) {
		cannot(o, part, strerror(errno));
	}
}

/* --- a series -----------------------------------------------------------------------------------
 */

struct parts {
	struct outlet *o;
	char **name;
	size_t count, room;
};

static void add(struct parts *p, const char *name)
{
	if (p->count == p->room) {
		const size_t room = p->room > 0 ? 2 * p->room : 16;
		char **more = room > LIMIT_OUTPUT_PARTS ? NULL
							: realloc(p->name, room * sizeof *more);

		if (more == NULL)
			return;
		p->name = more;
		p->room = room;
	}
	p->name[p->count] = strdup(name);
	p->count += p->name[p->count] != NULL;
}

static void take_name(void *ctx, const char *name, enum series_what what)
{
	struct parts *p = ctx;

	series_note(&p->o->series, name);
	if (what == SERIES_PART)
		add(p, name);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void recover_named(struct outlet *o, char *name)
{
	char *part = series_path(&o->series, name);
	char *path = NULL;

	name[strlen(name) - strlen(".part")] = '\0';
	path = series_path(&o->series, name);
	if (part != NULL && path != NULL)
		recover_part(o, part, path, false);
	free(part);
	free(path);
}

static void recover_series(struct outlet *o)
{
	struct parts p = { .o = o };

	if (!series_scan(&o->series, take_name, &p))
		cannot(o, o->series.folder, strerror(errno));
	if (p.count > 0)
		qsort(p.name, p.count, sizeof *p.name, compare);
	for (size_t i = 0; i < p.count; i++) {
		recover_named(o, p.name[i]);
		free(p.name[i]);
	}
	free(p.name);
}

/* --- one file -----------------------------------------------------------------------------------
 */

/* A name of the series by when the file was last written to, to be freed. */
static char *name_by_age(struct outlet *o, const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return NULL;
	return series_next(&o->series, st.st_mtime * INT64_C(1000000000));
}

static void set_aside(struct outlet *o)
{
	char *name = name_by_age(o, o->path);

	if (name != NULL && rename(o->path, name) != 0)
		says_add(o->says, SINK_ERROR, "cannot rename %s to %s: %s", o->path, name,
				strerror(errno));
	free(name);
}

static void recover_one(struct outlet *o)
{
	char *part = NULL, *name;

	if (asprintf(&part, "%s.part", o->path) < 0)
		return;
	name = name_by_age(o, part);
	if (name != NULL)
		recover_part(o, part, name, true);
	free(name);
	free(part);
}

void past_recover(struct outlet *o)
{
	recover_series(o);
	if (o->split)
		return;
	set_aside(o);
	recover_one(o);
}
