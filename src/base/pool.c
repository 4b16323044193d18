/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.c - size-class blocks with an eight-byte header, cut from chunks of one class each.
 *
 * A block is { header, bytes }.  The header is the next block of the arena (or of the chunk's free
 * list); blocks are 16-aligned, so its lowest bit says that it is one of no chunk.
 *
 * A chunk whose blocks are all given back serves any class again, so memory does not stay carved
 * into sizes that nobody asks for any more.  Chunks are aligned to their size, which
 * is how a block finds its own, and with it the class.
 *
 * An arena with a desk points to that, which a low bit tells from a block.
 */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

enum {
	CLASSES = 26,
	LARGE = CLASSES, /* its own malloc; the size stands before the block */
	CHUNK = 32 * 1024,
	REGION = 128, /* chunks obtained from the system at a time */
	LARGE_HEAD = 16,
	LARGE_COST = 16, /* what malloc() itself takes */
	HEADER = 8,
	RESERVE = 256 * 1024, /* what should be free before a packet is looked at, or ... */
	RESERVE_SHARE = 16,   /* ... such a share of the limit, if that is less */
};

/*
 * Sizes with header, in grains.  Chosen by what the states of real flows ask for, so that a
 * twentieth is lost; the largest is 8 and 2048 bytes.
 */
enum { GRAIN = 16, LARGEST = 2064 };

static const uint16_t class_size[CLASSES] = { 32, 48, 64, 80, 96, 112, 128, 144, 192, 240, 272, 288,
	320, 336, 352, 400, 448, 528, 608, 656, 736, 848, 976, 1248, 1488, 2064 };

#ifndef SLAB_MALLOC
/* By size with header in grains, rounded up: the first class that is large enough. */
static const uint8_t class_of[LARGEST / GRAIN + 1] = {
	[3] = 1,
	[4] = 2,
	[5] = 3,
	[6] = 4,
	[7] = 5,
	[8] = 6,
	[9] = 7,
	[10 ... 12] = 8,
	[13 ... 15] = 9,
	[16 ... 17] = 10,
	[18] = 11,
	[19 ... 20] = 12,
	[21] = 13,
	[22] = 14,
	[23 ... 25] = 15,
	[26 ... 28] = 16,
	[29 ... 33] = 17,
	[34 ... 38] = 18,
	[39 ... 41] = 19,
	[42 ... 46] = 20,
	[47 ... 53] = 21,
	[54 ... 61] = 22,
	[62 ... 78] = 23,
	[79 ... 93] = 24,
	[94 ... 129] = 25,
};
#endif

struct pool_block {
	uintptr_t next; /* | IS_LARGE */
};

enum { IS_LARGE = 1, IS_DESK = 2 };

/* Where the allocations of an arena lie in a row, as far as they fit. */
struct desk {
	struct pool_block *first; /* those that do not */
	char *at, *end;
	char bytes[];
};

struct chunk {
	struct chunk *next, *prev; /* in the list of its class, if it has room; or of empty ones */
	struct pool_block *free;   /* blocks given back */
	uint32_t used;             /* blocks handed out */
	uint32_t fresh;            /* where blocks never handed out begin */
	unsigned class;
	char pad[64 - 2 * sizeof(struct chunk *) - sizeof(struct pool_block *) - 12];
};

_Static_assert(sizeof(struct chunk) == 64, "what is left of a chunk is 16-aligned");

struct region {
	struct region *next;
	char *chunks;
};

struct pool {
	struct pool_head head;
	struct chunk *room[CLASSES]; /* chunks that have a free block */
	struct chunk *empty;         /* of no class at the moment */
	struct region *regions;
	unsigned unused;    /* chunks of the newest region that were never in use */
	size_t there;       /* bytes of it whose pages exist */
	size_t empty_bytes; /* of 'empty' */
	size_t memory, used, limit;
};

static struct pool_block *block_next(const struct pool_block *b)
{
	return (struct pool_block *)(b->next & ~(uintptr_t)IS_LARGE);
}

/* Keeps what kind it is. */
static void block_link(struct pool_block *b, struct pool_block *next)
{
	b->next = (uintptr_t)next | (b->next & IS_LARGE);
}

static size_t *large_size(struct pool_block *b)
{
	return (size_t *)((char *)b - LARGE_HEAD);
}

struct pool *pool_new(void)
{
	return calloc(1, sizeof(struct pool));
}

static void free_regions(struct region *r)
{
	while (r != NULL) {
		struct region *next = r->next;

		free(r->chunks);
		free(r);
		r = next;
	}
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	free_regions(p->regions);
	free(p);
}

void pool_renew(struct pool *p)
{
	struct region *kept = p->regions;

	if (kept != NULL) {
		free_regions(kept->next);
		kept->next = NULL;
	}
	*p = (struct pool){ .regions = kept, .unused = kept != NULL ? REGION : 0 };
}

size_t pool_memory(const struct pool *p)
{
	return p->memory;
}

size_t pool_used(const struct pool *p)
{
	return p->used;
}

/* --- the limit ----------------------------------------------------------------------------------
 */

/* Whether less than the reserve could be had. */
static void see_reserve(struct pool *p)
{
	size_t reserve = p->limit / RESERVE_SHARE < RESERVE ? p->limit / RESERVE_SHARE : RESERVE;

	p->head.low = p->limit > 0 && p->memory - p->empty_bytes + reserve > p->limit;
}

void pool_limit(struct pool *p, size_t bytes)
{
	p->limit = bytes;
	see_reserve(p);
}

/* May 'bytes' more be had from the system? */
static bool allowed(struct pool *p, size_t bytes)
{
	if (p->limit == 0 || (bytes <= p->limit && p->memory <= p->limit - bytes))
		return true;
	p->head.refused = true;
	return false;
}

static unsigned class_for(size_t size)
{
#ifdef SLAB_MALLOC
	(void)size;
	return LARGE;
#else
	if (size > LARGEST - HEADER)
		return LARGE;
	return class_of[(size + HEADER + GRAIN - 1) / GRAIN];
#endif
}

size_t pool_room(size_t size)
{
	unsigned c = class_for(size);

	return c == LARGE ? size : class_size[c] - (size_t)HEADER;
}

/* --- chunks -------------------------------------------------------------------------------------
 */

static struct chunk *chunk_of(struct pool_block *b)
{
	return (struct chunk *)((uintptr_t)b & ~(uintptr_t)(CHUNK - 1));
}

static void list_add(struct chunk **list, struct chunk *c)
{
	c->prev = NULL;
	c->next = *list;
	if (*list != NULL)
		(*list)->prev = c;
	*list = c;
}

static void list_remove(struct chunk **list, struct chunk *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		*list = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
}

static bool has_room(const struct chunk *c)
{
	return c->free != NULL || c->fresh + class_size[c->class] <= CHUNK;
}

static bool more_region(struct pool *p)
{
	struct region *r = malloc(sizeof *r);

	if (r == NULL || (r->chunks = aligned_alloc(CHUNK, (size_t)CHUNK * REGION)) == NULL) {
		free(r);
		return false;
	}
	r->next = p->regions;
	p->regions = r;
	p->unused = REGION;
	p->there = 0;
	return true;
}

/* A chunk that was never in use. */
static struct chunk *fresh_chunk(struct pool *p)
{
	const size_t at = (size_t)CHUNK * (REGION - p->unused--);
	const struct region *r = p->regions;

	while (p->there < at + CHUNK)
		p->there = pages_ahead(r->chunks, p->there, r->next != NULL ? PAGES_STEP : p->there,
				(size_t)CHUNK * REGION);
	return (struct chunk *)(void *)(r->chunks + at);
}

static struct chunk *take_chunk(struct pool *p, unsigned class)
{
	struct chunk *c = p->empty;

	if (c != NULL) {
		list_remove(&p->empty, c);
		p->empty_bytes -= CHUNK;
	} else {
		if (!allowed(p, CHUNK) || (p->unused == 0 && !more_region(p)))
			return NULL;
		c = fresh_chunk(p);
		p->memory += CHUNK;
	}
	*c = (struct chunk){ .class = class, .fresh = sizeof *c };
	list_add(&p->room[class], c);
	see_reserve(p);
	return c;
}

/* All blocks of the chunk are free. */
static void give_chunk(struct pool *p, struct chunk *c)
{
	list_remove(&p->room[c->class], c);
	list_add(&p->empty, c);
	p->empty_bytes += CHUNK;
	see_reserve(p);
}

/* --- blocks -------------------------------------------------------------------------------------
 */

static struct pool_block *take_large(struct pool *p, size_t size)
{
	size_t all = LARGE_HEAD + HEADER + size;

	if (size > (size_t)1 << 30 || !allowed(p, all + LARGE_COST))
		return NULL;

	char *m = malloc(all);

	if (m == NULL)
		return NULL;
	*(size_t *)m = all;
	p->memory += all + LARGE_COST;
	p->used += all;
	see_reserve(p);

	struct pool_block *b = (struct pool_block *)(m + LARGE_HEAD);

	b->next = IS_LARGE;
	return b;
}

/* One that has room: of the class, else of the next larger one where a block was given back (what
 * was never handed out there is left to its own class), else one more. */
static struct chunk *find_chunk(struct pool *p, unsigned class)
{
	struct chunk *larger = class + 1 < CLASSES ? p->room[class + 1] : NULL;

	if (p->room[class] != NULL)
		return p->room[class];
	if (larger != NULL && larger->free != NULL)
		return larger;
	return take_chunk(p, class);
}

static struct pool_block *take(struct pool *p, unsigned wanted, size_t size)
{
	struct pool_block *b;
	struct chunk *c;

	if (wanted == LARGE)
		return take_large(p, size);
	c = find_chunk(p, wanted);
	if (c == NULL)
		return NULL;

	const unsigned class = c->class;

	b = c->free;
	if (b != NULL) {
		c->free = block_next(b);
	} else {
		b = (struct pool_block *)(void *)((char *)c + c->fresh);
		c->fresh += class_size[class];
	}
	c->used++;
	p->used += class_size[class];
	if (!has_room(c))
		list_remove(&p->room[class], c);
	b->next = 0;
	return b;
}

static void give_large(struct pool *p, struct pool_block *b)
{
	size_t all = *large_size(b);

	p->memory -= all + LARGE_COST;
	p->used -= all;
	free(large_size(b));
	see_reserve(p);
}

static void give(struct pool *p, struct pool_block *b)
{
	struct chunk *c;

	if (b->next & IS_LARGE) {
		give_large(p, b);
		return;
	}
	c = chunk_of(b);
	if (!has_room(c))
		list_add(&p->room[c->class], c);
	block_link(b, c->free);
	c->free = b;
	p->used -= class_size[c->class];
	if (--c->used == 0)
		give_chunk(p, c);
}

/* --- arenas -------------------------------------------------------------------------------------
 */

static struct desk *desk_of(const struct arena *a)
{
	const uintptr_t first = (uintptr_t)a->first;

	return first & IS_DESK ? (struct desk *)(first - IS_DESK) : NULL;
}

/* Whether it lies there. */
static bool on_desk(const struct desk *d, const void *memory)
{
	const uintptr_t at = (uintptr_t)memory;

	return at >= (uintptr_t)d->bytes && at < (uintptr_t)d->end;
}

bool arena_desk(struct arena *a, size_t size)
{
#ifdef SLAB_MALLOC
	(void)a;
	(void)size;
#else
	struct desk *d = malloc(sizeof *d + size);

	if (d == NULL)
		return false;
	*d = (struct desk){ .first = a->first, .at = d->bytes, .end = d->bytes + size };
	a->first = (struct pool_block *)((uintptr_t)d | IS_DESK);
#endif
	return true;
}

void arena_desk_free(struct arena *a, struct pool *p)
{
	struct desk *d = desk_of(a);

	arena_free(a, p);
	free(d);
	a->first = NULL;
}

static __attribute__((noinline)) void *alloc_block(
		struct pool_block **first, struct pool *p, size_t size)
{
	struct pool_block *b = take(p, class_for(size), size);

	if (b == NULL)
		return NULL;
	block_link(b, *first);
	*first = b;
	return (char *)b + HEADER;
}

static void *alloc_on_desk(struct desk *d, struct pool *p, size_t size)
{
	const size_t rounded = (size + 7) / 8 * 8;
	char *at = d->at;

	if (rounded < size || rounded > (size_t)(d->end - at))
		return alloc_block(&d->first, p, size);
	d->at = at + rounded;
	return at;
}

void *arena_alloc(struct arena *a, struct pool *p, size_t size)
{
	struct desk *d = desk_of(a);

	return d != NULL ? alloc_on_desk(d, p, size) : alloc_block(&a->first, p, size);
}

void *arena_zalloc(struct arena *a, struct pool *p, size_t size)
{
	void *m = arena_alloc(a, p, size);

	return m == NULL ? NULL : memset(m, 0, size);
}

static void drop_block(struct pool_block **first, struct pool *p, struct pool_block *b)
{
	if (*first == b) {
		*first = block_next(b);
	} else {
		struct pool_block *before = *first;

		while (block_next(before) != b)
			before = block_next(before);
		block_link(before, block_next(b));
	}
	give(p, b);
}

void arena_drop(struct arena *a, struct pool *p, void *old)
{
	struct desk *d = desk_of(a);

	if (old == NULL || (d != NULL && on_desk(d, old)))
		return;
	drop_block(d != NULL ? &d->first : &a->first, p,
			(struct pool_block *)((char *)old - HEADER));
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

static void give_all(struct pool_block **first, struct pool *p)
{
	for (struct pool_block *b = *first, *next; b != NULL; b = next) {
		next = block_next(b);
		give(p, b);
	}
	*first = NULL;
}

void arena_free(struct arena *a, struct pool *p)
{
	struct desk *d = desk_of(a);

	give_all(d != NULL ? &d->first : &a->first, p);
	if (d != NULL)
		d->at = d->bytes;
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
