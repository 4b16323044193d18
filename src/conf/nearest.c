/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nearest.c - edit distance with swaps of neighbours (optimal string alignment), in three rows.
 *
 * A name that begins with what was typed counts as one letter away, since shortening is the
 * commonest way to get a long name wrong.
 */
#include "conf/nearest.h"

#include <string.h>
#include <strings.h>

enum { LONGEST = 64, SHORTEST_PREFIX = 3 };

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned nearest_distance(const char *a, const char *b)
{
	size_t rows = strnlen(a, LONGEST), columns = strnlen(b, LONGEST);
	unsigned table[3][LONGEST + 1] = { 0 };
	unsigned *before = table[0], *above = table[1], *row = table[2];

	for (size_t j = 0; j <= columns; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= rows; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= columns; j++) {
			unsigned change = lower(a[i - 1]) != lower(b[j - 1]);

			row[j] = least(above[j - 1] + change, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
					lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		unsigned *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[columns];
}

void nearest_try(struct nearest *n, const char *name)
{
	size_t typed = strlen(n->typed);
	unsigned distance = nearest_distance(n->typed, name);

	if (typed >= SHORTEST_PREFIX && distance > 0 && strncasecmp(name, n->typed, typed) == 0)
		distance = 1;
	if (n->name == NULL || distance < n->distance) {
		n->name = name;
		n->distance = distance;
	}
}
