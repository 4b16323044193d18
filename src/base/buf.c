/* SPDX-License-Identifier: BSD-3-Clause */
/* buf.c - the slow paths of the capped buffer. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_ROOM = 256 };

void buf_free(struct buf *b)
{
	if (b == NULL)
		return;
	free(b->p);
	*b = (struct buf){ .cap = b->cap };
}

bool buf_grow(struct buf *b, size_t n)
{
	if (n > b->cap || b->size > b->cap - n) {
		b->failed = true;
		return false;
	}

	size_t room = b->room > 0 ? b->room : FIRST_ROOM;

	while (room < b->size + n)
		room *= 2;
	if (room > b->cap)
		room = b->cap;

	char *p = realloc(b->p, room);

	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->room = room;
	return true;
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);

	char *to = n < 0 ? NULL : buf_reserve(b, (size_t)n + 1);

	if (to == NULL)
		return;
	va_start(args, format);
	vsnprintf(to, (size_t)n + 1, format, args);
	va_end(args);
	b->size += (size_t)n;
}
