/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.c - size-class blocks with an eight-byte header.
 *
 * A block is { header, bytes }.  The header is the next block of the arena (or of the free list);
 * blocks are 16-aligned, so its low four bits hold the size class.
 */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

enum {
	CLASSES = 15,
	LARGE = 15, /* its own malloc; the size stands before the block */
	CHUNK = 256 * 1024,
	LARGE_HEAD = 16,
	HEADER = 8,
};

/* Sizes with header. Chosen so that 8 and a power of two, or a little more, fit without much waste.
 */
static const uint16_t class_size[CLASSES] = { 32, 48, 64, 80, 96, 128, 176, 272, 368, 528, 784,
	1040, 2064, 4112, 8208 };

struct pool_block {
	uintptr_t next; /* | class */
};

struct chunk {
	struct chunk *next;
	char pad[8];
};

struct pool {
	struct pool_head head;
	struct pool_block *free[CLASSES];
	struct chunk *chunks;
	char *fresh, *fresh_end;
	size_t memory, used, limit;
};

static struct pool_block *block_next(const struct pool_block *b)
{
	return (struct pool_block *)(b->next & ~(uintptr_t)15);
}

static unsigned block_class(const struct pool_block *b)
{
	return (unsigned)(b->next & 15);
}

static void block_link(struct pool_block *b, struct pool_block *next, unsigned class)
{
	b->next = (uintptr_t)next | class;
}

static size_t *large_size(struct pool_block *b)
{
	return (size_t *)((char *)b - LARGE_HEAD);
}

struct pool *pool_new(void)
{
	return calloc(1, sizeof(struct pool));
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	while (p->chunks != NULL) {
		struct chunk *c = p->chunks;

		p->chunks = c->next;
		free(c);
	}
	free(p);
}

size_t pool_memory(const struct pool *p)
{
	return p->memory;
}

size_t pool_used(const struct pool *p)
{
	return p->used;
}

void pool_limit(struct pool *p, size_t bytes)
{
	p->limit = bytes;
}

/* May 'bytes' more be had from the system? */
static bool allowed(struct pool *p, size_t bytes)
{
	if (p->limit == 0 || (bytes <= p->limit && p->memory <= p->limit - bytes))
		return true;
	p->head.starved = true;
	return false;
}

static unsigned class_for(size_t size)
{
#ifdef SLAB_MALLOC
	(void)size;
	return LARGE;
#else
	unsigned c = 0;

	if (size > (size_t)class_size[CLASSES - 1] - HEADER)
		return LARGE;
	while ((size_t)class_size[c] - HEADER < size)
		c++;
	return c;
#endif
}

size_t pool_room(size_t size)
{
	unsigned c = class_for(size);

	return c == LARGE ? size : class_size[c] - (size_t)HEADER;
}

static bool more_chunk(struct pool *p)
{
	struct chunk *c = allowed(p, CHUNK) ? aligned_alloc(64, CHUNK) : NULL;

	if (c == NULL)
		return false;
	c->next = p->chunks;
	p->chunks = c;
	p->memory += CHUNK;
	p->fresh = (char *)c + sizeof *c;
	p->fresh_end = (char *)c + CHUNK;
	return true;
}

static struct pool_block *take_large(struct pool *p, size_t size)
{
	size_t all = LARGE_HEAD + HEADER + size;

	if (size > (size_t)1 << 30 || !allowed(p, all))
		return NULL;

	char *m = malloc(all);

	if (m == NULL)
		return NULL;
	*(size_t *)m = all;
	p->memory += all;
	p->used += all;

	struct pool_block *b = (struct pool_block *)(m + LARGE_HEAD);

	b->next = LARGE;
	return b;
}

/* A free block of the class, or of the next larger one; then its class is another. */
static struct pool_block *take_free(struct pool *p, unsigned class)
{
	unsigned c = class;
	struct pool_block *b = p->free[c];

	if (b == NULL && class + 1 < CLASSES)
		b = p->free[c = class + 1];
	if (b == NULL)
		return NULL;
	p->free[c] = block_next(b);
	p->used += class_size[c];
	return b;
}

static struct pool_block *take(struct pool *p, unsigned class, size_t size)
{
	struct pool_block *b;

	if (class == LARGE)
		return take_large(p, size);
	b = take_free(p, class);
	if (b != NULL)
		return b;
	p->used += class_size[class];
	if ((size_t)(p->fresh_end - p->fresh) < class_size[class] && !more_chunk(p)) {
		p->used -= class_size[class];
		return NULL;
	}
	b = (struct pool_block *)p->fresh;
	b->next = class;
	p->fresh += class_size[class];
	return b;
}

static void give(struct pool *p, struct pool_block *b)
{
	unsigned class = block_class(b);

	if (class == LARGE) {
		size_t all = *large_size(b);

		p->memory -= all;
		p->used -= all;
		free(large_size(b));
		return;
	}
	p->used -= class_size[class];
	block_link(b, p->free[class], class);
	p->free[class] = b;
}

void *arena_alloc(struct arena *a, struct pool *p, size_t size)
{
	struct pool_block *b = take(p, class_for(size), size);

	if (b == NULL)
		return NULL;
	block_link(b, a->first, block_class(b));
	a->first = b;
	return (char *)b + HEADER;
}

void *arena_zalloc(struct arena *a, struct pool *p, size_t size)
{
	void *m = arena_alloc(a, p, size);

	return m == NULL ? NULL : memset(m, 0, size);
}

void arena_drop(struct arena *a, struct pool *p, void *old)
{
	if (old == NULL)
		return;

	struct pool_block *b = (struct pool_block *)((char *)old - HEADER);

	if (a->first == b) {
		a->first = block_next(b);
	} else {
		struct pool_block *before = a->first;

		while (block_next(before) != b)
			before = block_next(before);
		block_link(before, block_next(b), block_class(before));
	}
	give(p, b);
}

void *arena_move(struct arena *a, struct pool *p, void *old, size_t keep, size_t size)
{
	void *new = arena_alloc(a, p, size);

	if (new == NULL)
		return NULL;
	if (keep > 0)
		memcpy(new, old, keep);
	arena_drop(a, p, old);
	return new;
}

void arena_free(struct arena *a, struct pool *p)
{
	for (struct pool_block *b = a->first, *next; b != NULL; b = next) {
		next = block_next(b);
		give(p, b);
	}
	a->first = NULL;
}

void *vec_push(struct vec *v, struct arena *a, struct pool *p, size_t item_size, uint32_t cap)
{
	if (v->count >= cap)
		return NULL;
	if (v->count == v->room) {
		size_t used = v->count * item_size;
		size_t room = pool_room(used + used / 2 + 2 * item_size);
		void *items = arena_move(a, p, v->items, used, room);

		if (items == NULL)
			return NULL;
		v->items = items;
		v->room = (uint32_t)(room / item_size);
	}
	return (char *)v->items + item_size * v->count++;
}
