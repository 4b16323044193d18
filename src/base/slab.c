/* SPDX-License-Identifier: BSD-3-Clause */
/* slab.c - reserve once, hand out by number, reuse the last one given back. */
#include "base/slab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pages.h"

void slab_renew(struct slab *s)
{
	s->fresh = 0;
	s->free_first = SLAB_NONE;
}

#ifdef SLAB_MALLOC

bool slab_init(struct slab *s, size_t object, uint32_t capacity)
{
	*s = (struct slab){ .object = object, .capacity = capacity, .free_first = SLAB_NONE };
	return true;
}

void slab_destroy(struct slab *s)
{
	/* Objects still in use belong to the owner; only the table of pointers goes. */
	free(s->base);
	*s = (struct slab){ 0 };
}

/* Room for the pointer of one more number: the table doubles. */
static bool more_pointers(struct slab *s)
{
	if (s->fresh >= 64 && (s->fresh & (s->fresh - 1)) != 0)
		return true;

	size_t room = s->fresh < 64 ? 64 : 2 * (size_t)s->fresh;
	void *base = realloc(s->base, room * sizeof(void *));

	if (base == NULL)
		return false;
	s->base = base;
	return true;
}

/* A free number's place in the table holds the next free number instead of a pointer. */
uint32_t slab_take(struct slab *s)
{
	uint32_t number = s->free_first;

	if (number == SLAB_NONE && (s->fresh == s->capacity || !more_pointers(s)))
		return SLAB_NONE;

	void *object = aligned_alloc(64, s->object);

	if (object == NULL)
		return SLAB_NONE;
	if (number != SLAB_NONE)
		s->free_first = (uint32_t)(uintptr_t)slab_at(s, number);
	else
		number = s->fresh++;
	((void **)(void *)s->base)[number] = object;
	s->used++;
	return number;
}

void slab_give(struct slab *s, uint32_t number)
{
	free(slab_at(s, number));
	((void **)(void *)s->base)[number] = (void *)(uintptr_t)s->free_first;
	s->free_first = number;
	s->used--;
}

#else

bool slab_init(struct slab *s, size_t object, uint32_t capacity)
{
	void *base = mmap(NULL, object * capacity, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return false;
#ifdef MADV_NOHUGEPAGE
	madvise(base, object * capacity, MADV_NOHUGEPAGE); /* see base/pages.h */
#endif
	*s = (struct slab){
		.base = base, .object = object, .capacity = capacity, .free_first = SLAB_NONE
	};
	return true;
}

void slab_destroy(struct slab *s)
{
	if (s->base != NULL)
		munmap(s->base, s->object * s->capacity);
	*s = (struct slab){ 0 };
}

/* A number that was never in use. */
static uint32_t take_fresh(struct slab *s)
{
	const uint32_t number = s->fresh;

	if (number == s->capacity)
		return SLAB_NONE;
	s->fresh++;
	if (s->object * s->fresh > s->there)
		s->there = pages_ahead(s->base, s->there, s->there, s->object * s->capacity);
	return number;
}

uint32_t slab_take(struct slab *s)
{
	uint32_t number = s->free_first;

	if (number != SLAB_NONE)
		memcpy(&s->free_first, slab_at(s, number), sizeof s->free_first);
	else if ((number = take_fresh(s)) == SLAB_NONE)
		return SLAB_NONE;
	s->used++;
	return number;
}

void slab_give(struct slab *s, uint32_t number)
{
	memcpy(slab_at(s, number), &s->free_first, sizeof s->free_first);
	s->free_first = number;
	s->used--;
}

#endif
