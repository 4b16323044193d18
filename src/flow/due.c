/* SPDX-License-Identifier: BSD-3-Clause */
/* due.c - heap sort: no memory, and no input makes it slow. */
#include "flow/due.h"

#include <stdbool.h>

static bool due_before(const struct due *a, const struct due *b)
{
	return a->leaves_ns != b->leaves_ns ? a->leaves_ns < b->leaves_ns : a->number < b->number;
}

static void sift(struct due *d, size_t n, size_t i)
{
	struct due moved = d[i];

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && due_before(&d[child], &d[child + 1]))
			child++;
		if (!due_before(&moved, &d[child]))
			break;
		d[i] = d[child];
	}
	d[i] = moved;
}

void due_sort(struct due *d, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift(d, n, i);
	for (size_t i = n; i-- > 1;) {
		struct due last = d[i];

		d[i] = d[0];
		d[0] = last;
		sift(d, i, 0);
	}
}
