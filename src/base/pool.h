/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool.h - memory for what grows inside a flow, and arenas that free it all at once.
 *
 * A pool cuts chunks into blocks of a few sizes and keeps free ones in lists; there is one per
 * worker, so it takes no lock.  An arena is the list of blocks that one flow owns.
 * pool_memory() is what counts against the budget; keeping to it is the owner's business.
 *
 * Built with -DSLAB_MALLOC every block comes from malloc, so that sanitizers see each one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

/* What is asked of a pool for every packet stands at its head. */
struct pool_head {
	bool low;     /* less than a reserve is left below the limit */
	bool refused; /* something was refused */
};

struct arena {
	struct pool_block *first;
};

struct pool *pool_new(void);
void pool_free(struct pool *p);

/* With nothing in use: as if it were new, without a limit; what it got from the system it mostly
 * keeps for itself. */
void pool_renew(struct pool *p);

/* Bytes obtained from the system and not yet returned to it. */
size_t pool_memory(const struct pool *p);

/* Bytes of blocks in use at the moment. */
size_t pool_used(const struct pool *p);

/* From now on pool_memory() stays at or below 'bytes' (0: no limit); what does not fit is refused.
 */
void pool_limit(struct pool *p, size_t bytes);

/*
 * Blocks should be given back: as long as less is left than what a packet may need, and once after
 * a refusal.
 */
static inline bool pool_starved(struct pool *p)
{
	struct pool_head *head = (struct pool_head *)p;
	bool starved = head->low | head->refused;

	head->refused = false;
	return starved;
}

/* 'size' bytes, 8-aligned, not zeroed; NULL without memory or for more than 1 GiB. */
void *arena_alloc(struct arena *a, struct pool *p, size_t size);
void *arena_zalloc(struct arena *a, struct pool *p, size_t size);

/* Moves 'old' (from this arena, or NULL) to a block of at least 'size' bytes; keeps 'keep' bytes.
 */
void *arena_move(struct arena *a, struct pool *p, void *old, size_t keep, size_t size);

/* Gives one block back before its time. */
void arena_drop(struct arena *a, struct pool *p, void *old);

/* Gives back every block. */
void arena_free(struct arena *a, struct pool *p);

/*
 * For an arena that is freed and filled again all the time: what is asked of it comes from these
 * bytes, one behind the other, as long as they last, and is only given back all at once.  False
 * without memory.  The arena ends with arena_desk_free(), which one without a desk survives too.
 */
bool arena_desk(struct arena *a, size_t size);
void arena_desk_free(struct arena *a, struct pool *p);

/* How many bytes a block for 'size' bytes really has. */
size_t pool_room(size_t size);

/* A growing array inside an arena; starts as { 0 }. */
struct vec {
	void *items;
	uint32_t count, room;
};

/* A place for one more item (not zeroed), or NULL when there are 'cap' of them or no memory. */
void *vec_push(struct vec *v, struct arena *a, struct pool *p, size_t item_size, uint32_t cap);
