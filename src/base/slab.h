/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slab.h - objects of one size under 32-bit numbers, so that links and tables take four bytes each.
 *
 * The objects lie side by side in one reserved range of addresses whose pages come into being
 * shortly before they are used.  Built with -DSLAB_MALLOC each object is a malloc of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLAB_NONE = UINT32_MAX };

struct slab {
	char *base;        /* the range; with SLAB_MALLOC an array of pointers */
	size_t object;     /* bytes of an object, a multiple of 64 */
	uint32_t capacity; /* objects at most */
	uint32_t fresh;    /* numbers below were in use at some time */
	uint32_t used;
	uint32_t free_first; /* a list through the objects' first four bytes */
	size_t there;        /* bytes of the range whose pages exist */
};

/* Reserves room for 'capacity' objects. */
bool slab_init(struct slab *s, size_t object, uint32_t capacity);
void slab_destroy(struct slab *s);

/* With no object in use: as if none ever had been. */
void slab_renew(struct slab *s);

static inline void *slab_at(const struct slab *s, uint32_t number)
{
#ifdef SLAB_MALLOC
	return ((void **)(void *)s->base)[number];
#else
	return s->base + s->object * number;
#endif
}

/* Whether an object that was given back may still be looked at: it is there, with its first four
 * bytes changed. */
static inline bool slab_stays(void)
{
#ifdef SLAB_MALLOC
	return false;
#else
	return true;
#endif
}

/* A number whose object's content is undefined; SLAB_NONE when there is none left. */
uint32_t slab_take(struct slab *s);
void slab_give(struct slab *s, uint32_t number);

/* Bytes of objects that were ever in use. */
static inline size_t slab_memory(const struct slab *s)
{
	return s->object * s->fresh;
}
