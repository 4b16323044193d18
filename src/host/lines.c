/* SPDX-License-Identifier: BSD-3-Clause */
/* lines.c - a list file, read whole and cut into lines in place. */
#include "host/lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"

enum { CHUNK = 1 << 20, SHOWN = 80 };

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool read_all(FILE *f, struct buf *out)
{
	for (;;) {
		char *to = buf_reserve(out, CHUNK);

		if (to == NULL)
			return false;

		size_t size = fread(to, 1, CHUNK, f);

		buf_commit(out, size);
		if (size < CHUNK)
			return !ferror(f);
	}
}

/* Opening a pipe that nobody writes to would wait, and a folder opens too. */
static FILE *open_file(const char *path, struct err *e)
{
	struct stat s;
	FILE *f = NULL;

	if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
		errno = EISDIR;
	else
		f = fopen(path, "re");
	if (f == NULL)
		err_set(e, "cannot read %s: %s", path, strerror(errno));
	return f;
}

bool lines_open(struct lines *l, const char *path, struct err *e)
{
	FILE *f = open_file(path, e);
	bool good = false;

	*l = (struct lines){ .path = path, .whole = buf_new((size_t)LIMIT_LIST_BYTES + CHUNK) };
	if (f == NULL)
		return false;
	errno = 0;
	if (read_all(f, &l->whole) && l->whole.size <= LIMIT_LIST_BYTES)
		good = true;
	else if (l->whole.size > LIMIT_LIST_BYTES || l->whole.room >= l->whole.cap)
		err_set(e, "%s: more than %d bytes: no list", path, LIMIT_LIST_BYTES);
	else
		err_set(e, "cannot read %s: %s", path, errno != 0 ? strerror(errno) : "no memory");
	fclose(f);
	if (!good) {
		lines_close(l);
		return false;
	}
	lines_again(l);
	return true;
}

void lines_again(struct lines *l)
{
	l->number = 0;
	l->at = l->whole.p;
	l->end = l->at + l->whole.size;
	if (l->whole.size >= 3 && memcmp(l->at, "\xef\xbb\xbf", 3) == 0)
		l->at += 3;
}

void lines_close(struct lines *l)
{
	buf_free(&l->whole);
}

/* Bytes of the line before a comment. */
static size_t without_comment(const char *line, size_t size, bool whole_lines)
{
	for (size_t i = 0; i < size; i++) {
		bool sign = line[i] == '#' || line[i] == ';';

		if (sign && (i == 0 || (!whole_lines && is_blank(line[i - 1]))))
			return i;
	}
	return size;
}

static bool next(struct lines *l, bool whole_lines)
{
	while (l->at < l->end) {
		const char *newline = memchr(l->at, '\n', (size_t)(l->end - l->at));
		const char *line = l->at, *behind = newline == NULL ? l->end : newline;

		l->at = newline == NULL ? l->end : newline + 1;
		l->number++;
		while (line < behind && is_blank(*line))
			line++;

		size_t size = without_comment(line, (size_t)(behind - line), whole_lines);

		while (size > 0 && is_blank(line[size - 1]))
			size--;
		l->text = line;
		l->size = size;
		if (size > 0)
			return true;
	}
	return false;
}

bool lines_next(struct lines *l)
{
	return next(l, false);
}

bool lines_next_row(struct lines *l)
{
	return next(l, true);
}

/* What is shown of a line is text that cannot do harm on a terminal. */
bool lines_refuse(const struct lines *l, const char *why, struct err *e)
{
	char shown[SHOWN + 1];
	size_t size = l->size < SHOWN ? l->size : SHOWN;

	for (size_t i = 0; i < size; i++)
		shown[i] = (unsigned char)l->text[i] < ' ' || l->text[i] == 0x7f ? '?' : l->text[i];
	return err_set(e, "%s:%lu: %.*s: %s", l->path, l->number, (int)size, shown, why);
}
