/* SPDX-License-Identifier: BSD-3-Clause */
/* compact_map.c - the built-in bins of the compact byte distribution, and others from a file. */
#include "feature/compact_map.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/*
 * 0 zero, 1 other control characters, 2 white space, 3 digits, 4 capitals, 5 small vowels, 6 small
 * consonants, 7 the signs of addresses and queries, 8 quotes, brackets, comma, semicolon, 9 other
 * ASCII; then by value: 10 from 0x80, 11 from 0xa0, 12 from 0xc0, 13 from 0xe0, 14 from 0xf0, and
 * 15 is 0xff.
 */
/* clang-format off */
const uint8_t compact_map[256] = {
	0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1, 1, 2, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	2, 9, 8, 9, 9, 7, 7, 8, 8, 8, 9, 7, 8, 7, 7, 7,
	3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 7, 8, 8, 7, 8, 7,
	9, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 8, 9, 8, 9, 7,
	9, 5, 6, 6, 6, 5, 6, 6, 6, 5, 6, 6, 6, 6, 6, 5,
	6, 6, 6, 6, 6, 5, 6, 6, 6, 6, 6, 8, 9, 8, 9, 1,
	10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
	10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
	12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
	12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
	13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13,
	14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 15,
};
/* clang-format on */

static void skip_line(FILE *f)
{
	int c;

	do
		c = getc(f);
	while (c != '\n' && c != EOF);
	ungetc(c, f);
}

/* The next character that is no separator and not in a comment; counts lines. */
static int next_sign(FILE *f, unsigned *line)
{
	for (;;) {
		int c = getc(f);

		if (c == '\n')
			(*line)++;
		else if (c == '#')
			skip_line(f);
		else if (c != ' ' && c != '\t' && c != '\r' && c != ',')
			return c;
	}
}

/* A number whose first character is 'c'; not a number, or far too large: UINT_MAX / 16 or more. */
static unsigned number(FILE *f, int c)
{
	unsigned v = c >= '0' && c <= '9' ? 0 : UINT_MAX / 16;

	for (; c >= '0' && c <= '9'; c = getc(f))
		v = v < UINT_MAX / 16 ? v * 10 + (unsigned)(c - '0') : v;
	ungetc(c, f);
	return v;
}

static bool read_map(FILE *f, const char *path, uint8_t bin[256], struct err *e)
{
	unsigned line = 1, count = 0;

	for (int c = next_sign(f, &line); c != EOF; c = next_sign(f, &line)) {
		unsigned v = number(f, c);

		if (v >= COMPACT_BINS)
			return err_set(e, "%s:%u: a bin is a number from 0 to 15", path, line);
		if (count == 256)
			return err_set(e, "%s:%u: more than 256 numbers", path, line);
		bin[count++] = (uint8_t)v;
	}
	if (ferror(f))
		return err_set(e, "%s: cannot be read", path);
	if (count < 256)
		return err_set(e, "%s: %u numbers, but there are 256 byte values", path, count);
	return true;
}

bool compact_map_load(const char *path, uint8_t bin[256], struct err *e)
{
	FILE *f = fopen(path, "re");
	bool good;

	if (f == NULL)
		return err_set(e, "cdist=%s: %s", path, strerror(errno));
	good = read_map(f, path, bin, e);
	fclose(f);
	return good;
}
