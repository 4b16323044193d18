/* SPDX-License-Identifier: BSD-3-Clause */
/* block.c - room for lines, and how far they are written. */
#include "sink/block.h"

#include "sink/file.h"

#include <stdlib.h>

struct block *block_new(size_t lines, size_t room, size_t cap)
{
	struct block *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	room = (room + FILE_PAGE - 1) / FILE_PAGE * FILE_PAGE;
	*b = (struct block){
		.bytes = { .p = aligned_alloc(FILE_PAGE, room),
				.room = room,
				.cap = cap > room ? cap : room },
		.ends = malloc((lines + 1) * sizeof *b->ends),
		.lines = lines,
	};
	if (b->bytes.p == NULL || b->ends == NULL) {
		block_free(b);
		return NULL;
	}
	return b;
}

void block_free(struct block *b)
{
	if (b == NULL)
		return;
	free(b->bytes.p);
	free(b->ends);
	free(b);
}

void block_shift(struct block *b)
{
	b->records -= b->whole;
	for (size_t i = 0; i < b->records; i++)
		b->ends[i] = b->ends[i + b->whole] - (uint32_t)b->written;
	b->bytes.size -= b->written;
	memmove(b->bytes.p, b->bytes.p + b->written, b->bytes.size);
	b->written = 0;
	b->whole = 0;
}

void block_clear(struct block *b)
{
	buf_clear(&b->bytes);
	b->kind = BLOCK_RECORDS;
	b->records = 0;
	b->written = 0;
	b->whole = 0;
	b->next = NULL;
}

size_t block_advance(struct block *b, size_t size)
{
	const size_t before = b->whole;

	b->written += size;
	while (b->whole < b->records && b->ends[b->whole] <= b->written)
		b->whole++;
	return b->whole - before;
}

void block_rewind(struct block *b)
{
	b->written = b->whole > 0 ? b->ends[b->whole - 1] : 0;
}
