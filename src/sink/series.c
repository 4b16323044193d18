/* SPDX-License-Identifier: BSD-3-Clause */
/* series.c - making, telling apart and finding the names of a series. */
#include "sink/series.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS          INT64_C(1000000000)
#define LAST_SECOND INT64_C(253402300799) /* of the year 9999 */

enum {
	TIME = sizeof "-20260131T235959Z" - 1,
	STAMP = TIME + sizeof "-000000" - 1,
	NUMBERS = 1000000,
};

/* --- the series ---------------------------------------------------------------------------------
 */

static char *folder_of(const char *path, const char *name)
{
	char *text = name == path ? strdup(".") : strndup(path, (size_t)(name - path));
	char *real = text == NULL ? NULL : realpath(text, NULL);

	free(text);
	return real;
}

bool series_init(struct series *s, const char *path, size_t suffix, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	const size_t size = strlen(name) - suffix;

	*s = (struct series){ .folder = NULL };
	if (strlen(name) + STAMP + sizeof ".part" > NAME_MAX)
		return err_set(e, "cannot write %s: %s", path, strerror(ENAMETOOLONG));
	s->folder = folder_of(path, name);
	if (s->folder == NULL)
		return err_set(e, "cannot write %s: %s", path, strerror(errno));
	s->base = strndup(name, size);
	s->suffix = strdup(name + size);
	return (s->base != NULL && s->suffix != NULL) ||
	       err_set(e, "cannot write %s: no memory", path);
}

void series_free(struct series *s)
{
	free(s->folder);
	free(s->base);
	free(s->suffix);
	*s = (struct series){ .folder = NULL };
}

/* --- stamps -------------------------------------------------------------------------------------
 */

static void write_stamp(char stamp[static 64], int64_t second, uint32_t number)
{
	const time_t time = (time_t)second;
	struct tm tm;
	size_t size;

	gmtime_r(&time, &tm);
	size = strftime(stamp, 64, "-%Y%m%dT%H%M%SZ", &tm);
	snprintf(stamp + size, 64 - size, "-%06u", number);
}

static int read_number(const char *text, size_t digits)
{
	int v = 0;

	for (size_t i = 0; i < digits && text[i] >= '0' && text[i] <= '9'; i++)
		v = v * 10 + text[i] - '0';
	return v;
}

/* What is read is a stamp when it would be written like this. */
static bool read_stamp(const char *text, int64_t *second, uint32_t *number)
{
	char again[64];
	struct tm tm = {
		.tm_year = read_number(text + 1, 4) - 1900,
		.tm_mon = read_number(text + 5, 2) - 1,
		.tm_mday = read_number(text + 7, 2),
		.tm_hour = read_number(text + 10, 2),
		.tm_min = read_number(text + 12, 2),
		.tm_sec = read_number(text + 14, 2),
	};

	*second = timegm(&tm);
	*number = (uint32_t)read_number(text + TIME + 1, 6);
	write_stamp(again, *second, *number);
	return strncmp(text, again, STAMP) == 0;
}

/* --- telling apart ------------------------------------------------------------------------------
 */

/* Where the stamp of a name begins, and what is behind its suffix; NULL: it is no name of these. */
static const char *find_stamp(const struct series *s, const char *name, const char **behind)
{
	const size_t base = strlen(s->base), suffix = strlen(s->suffix);
	const char *stamp = name + base;

	if (strncmp(name, s->base, base) != 0 || strlen(stamp) < STAMP + suffix ||
			strncmp(stamp + STAMP, s->suffix, suffix) != 0)
		return NULL;
	*behind = stamp + STAMP + suffix;
	return stamp;
}

enum series_what series_what(const struct series *s, const char *name)
{
	const char *behind, *stamp = find_stamp(s, name, &behind);
	int64_t second;
	uint32_t number;

	if (stamp == NULL || !read_stamp(stamp, &second, &number))
		return SERIES_OTHER;
	if (behind[0] == '\0')
		return SERIES_FILE;
	return strcmp(behind, ".part") == 0 ? SERIES_PART : SERIES_OTHER;
}

void series_note(struct series *s, const char *name)
{
	const char *behind, *stamp = find_stamp(s, name, &behind);
	int64_t second;
	uint32_t number;

	if (stamp == NULL || !read_stamp(stamp, &second, &number))
		return;
	if (s->any && (second < s->second || (second == s->second && number <= s->number)))
		return;
	s->second = second;
	s->number = number;
	s->any = true;
}

/* --- making -------------------------------------------------------------------------------------
 */

static void advance(struct series *s, int64_t ns)
{
	const bool over = s->any && s->number + 1 == NUMBERS;
	const int64_t least = s->any ? s->second + over : 0;

	s->second = ns / NS > least ? ns / NS : least;
	if (s->second > LAST_SECOND)
		s->second = LAST_SECOND;
	s->number = s->any && !over ? s->number + 1 : 0;
	s->any = true;
}

char *series_next(struct series *s, int64_t ns)
{
	char stamp[64], *path = NULL;

	advance(s, ns);
	write_stamp(stamp, s->second, s->number);
	if (asprintf(&path, "%s/%s%s%s", s->folder, s->base, stamp, s->suffix) < 0)
		return NULL;
	return path;
}

char *series_path(const struct series *s, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", s->folder, name) < 0 ? NULL : path;
}

/* --- finding ------------------------------------------------------------------------------------
 */

bool series_scan(const struct series *s,
		void (*call)(void *ctx, const char *name, enum series_what what), void *ctx)
{
	DIR *folder = opendir(s->folder);
	struct dirent *entry;

	if (folder == NULL)
		return false;
	while ((entry = readdir(folder)) != NULL) {
		const enum series_what what = series_what(s, entry->d_name);

		if (what != SERIES_OTHER)
			call(ctx, entry->d_name, what);
	}
	closedir(folder);
	return true;
}
