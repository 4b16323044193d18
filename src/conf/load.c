/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * load.c - configuration files: one command a line, "name = value" or "name" alone for name = 1.
 *
 * '#' at the start of a line or behind white space begins a comment.  White space around names and
 * values is free, and lines may end as on any system.
 */
#include <errno.h>
#include <stdlib.h>

#include "conf/set.h"

/* Bytes before the comment. */
static size_t without_comment(const char *line, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
			return i;
	return size;
}

static bool is_empty(const char *line, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r' && line[i] != '\f' &&
				line[i] != '\v')
			return false;
	return true;
}

/* Bytes up to the next line's end, which is \n, \r\n or \r. */
static size_t line_size(const char *text, size_t left)
{
	size_t size = 0;

	while (size < left && text[size] != '\n' && text[size] != '\r')
		size++;
	return size;
}

static size_t line_end_size(const char *text, size_t left)
{
	if (left >= 2 && text[0] == '\r' && text[1] == '\n')
		return 2;
	return left > 0;
}

bool conf_load_text(const struct option_sets *sets, const char *name, const void *bytes,
		size_t size, struct err *e)
{
	const char *text = bytes;
	unsigned number = 0;

	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark of UTF-8 */
		text += 3;
		size -= 3;
	}
	while (size > 0) {
		size_t whole = line_size(text, size), used = without_comment(text, whole);
		struct err why;

		number++;
		if (!is_empty(text, used) && !set_line(sets, text, used, CONF_FILE, &why))
			return err_set(e, "%s:%u: %s", name, number, why.text);
		whole += line_end_size(text + whole, size - whole);
		text += whole;
		size -= whole;
	}
	return true;
}

/* One byte more than the cap, so that a file beyond it shows. */
static bool read_whole(FILE *f, struct buf *out)
{
	char *to = buf_reserve(out, LIMIT_CONF_BYTES + 1);

	if (to == NULL)
		return false;
	buf_commit(out, fread(to, 1, LIMIT_CONF_BYTES + 1, f));
	return !ferror(f);
}

bool conf_load(const struct option_sets *sets, const char *path, struct err *e)
{
	struct buf text = buf_new(LIMIT_CONF_BYTES + 1);
	FILE *f = fopen(path, "re");
	bool good = false;

	if (f == NULL)
		return err_set(e, "cannot read %s: %s", path, strerror(errno));
	if (!read_whole(f, &text))
		err_set(e, "cannot read %s: %s", path, strerror(errno));
	else if (text.size > LIMIT_CONF_BYTES)
		err_set(e, "%s: longer than %d bytes: no configuration file", path,
				LIMIT_CONF_BYTES);
	else
		good = conf_load_text(sets, path, text.p, text.size, e);
	buf_free(&text);
	fclose(f);
	return good;
}
