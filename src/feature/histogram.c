/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * histogram.c - counting bytes fast and in little memory.
 *
 * A short payload is counted straight into the flow's counters.  A longer one is counted into four
 * tables, so that equal neighbours do not wait for each other's store; these are then added up with
 * loops that compilers turn into vector code.  Bytes are loaded one by one: the stores, one for
 * each byte, are what this waits for, and shifts that part a word would only come on top.
 */
#include "feature/histogram.h"

#include <string.h>

enum {
	VALUES = 256,
	KEPT = 168,   /* so many bytes are kept as they are: a pool's block of 176 */
	DIRECT = 256, /* up to so many bytes adding up tables costs more than it saves */
	TABLES = 4,
	CHUNK = 32768, /* bytes in local tables; their sum has 16 bits */
	STEP = 16,     /* bytes for each turn of a loop */
};

/* Counters of 64 bits, and what is not yet in them: the tables of many payloads. */
struct wide {
	uint64_t sum[VALUES];
	uint16_t apart[TABLES][VALUES];
};

static const uint32_t width_limit[] = { 0, UINT8_MAX, UINT16_MAX };

/*
 * Counters of 8 or 16 bits.  Callers name the width as a constant and these vanish into them, so
 * that each loop below is compiled once for each width.
 */
static inline void add(void *counts, unsigned width, size_t i, uint16_t more)
{
	if (width == 1)
		((uint8_t *)counts)[i] = (uint8_t)(((uint8_t *)counts)[i] + more);
	else
		((uint16_t *)counts)[i] = (uint16_t)(((uint16_t *)counts)[i] + more);
}

static inline void count_into(void *counts, unsigned width, const uint8_t *p, size_t size)
{
	for (; size >= STEP; p += STEP, size -= STEP)
		for (unsigned k = 0; k < STEP; k++)
			add(counts, width, p[k], 1);
	for (size_t i = 0; i < size; i++)
		add(counts, width, p[i], 1);
}

static void count_direct(const struct histogram *h, const uint8_t *p, size_t size)
{
	if (h->width == 1)
		count_into(h->counts, 1, p, size);
	else
		count_into(h->counts, 2, p, size);
}

/* Counts bytes in turn into 'count' and the other tables. */
static inline void count_in_turn(
		uint16_t count[VALUES], uint16_t (*more)[VALUES], const uint8_t *p, size_t size)
{
	for (; size >= STEP; p += STEP, size -= STEP) {
		for (unsigned k = 0; k < STEP; k += TABLES) {
			count[p[k]]++;
			more[0][p[k + 1]]++;
			more[1][p[k + 2]]++;
			more[2][p[k + 3]]++;
		}
	}
	for (size_t i = 0; i < size; i++)
		count[p[i]]++;
}

/* Counts at most CHUNK bytes into TABLES tables: 'count', to which the others are added. */
static void count_apart(uint16_t count[VALUES], const uint8_t *p, size_t size)
{
	uint16_t more[TABLES - 1][VALUES];

	memset(more, 0, sizeof more);
	count_in_turn(count, more, p, size);
#pragma GCC unroll 4
	for (size_t i = 0; i < VALUES; i++)
		count[i] = (uint16_t)(count[i] + more[0][i] + more[1][i] + more[2][i]);
}

/* As count_apart(), but 'sum' holds nothing before; returns the highest count. */
static uint16_t count_alone(uint16_t sum[VALUES], const uint8_t *p, size_t size)
{
	uint16_t apart[TABLES][VALUES], top = 0;

	memset(apart, 0, sizeof apart);
	count_in_turn(apart[0], apart + 1, p, size);
#pragma GCC unroll 4
	for (size_t i = 0; i < VALUES; i++) {
		sum[i] = (uint16_t)(apart[0][i] + apart[1][i] + apart[2][i] + apart[3][i]);
		top = sum[i] > top ? sum[i] : top;
	}
	return top;
}

/* Adds the tables to 'sum'. */
static inline void sum_wide(const struct wide *w, uint64_t sum[VALUES])
{
#pragma GCC unroll 4
	for (size_t i = 0; i < VALUES; i++)
		sum[i] = w->sum[i] + w->apart[0][i] + w->apart[1][i] + w->apart[2][i] +
			 w->apart[3][i];
}

/* Counts at most CHUNK bytes; the bound is of the tables. */
static void count_wide(struct histogram *h, const uint8_t *p, size_t size)
{
	struct wide *w = h->counts;

	if (h->bound + size > UINT16_MAX) {
		sum_wide(w, w->sum);
		memset(w->apart, 0, sizeof w->apart);
		h->bound = 0;
	}
	count_in_turn(w->apart[0], w->apart + 1, p, size);
	h->bound += (uint32_t)size;
}

static inline void merge_into(void *counts, unsigned width, const uint16_t sum[VALUES])
{
#pragma GCC unroll 4
	for (size_t i = 0; i < VALUES; i++)
		add(counts, width, i, sum[i]);
}

static void merge(const struct histogram *h, const uint16_t sum[VALUES])
{
	if (h->width == 1)
		merge_into(h->counts, 1, sum);
	else
		merge_into(h->counts, 2, sum);
}

static uint8_t highest8(const uint8_t *c)
{
	uint8_t top = 0;

#pragma GCC unroll 4
	for (size_t i = 0; i < VALUES; i++)
		top = c[i] > top ? c[i] : top;
	return top;
}

static uint16_t highest16(const uint16_t *c)
{
	uint16_t top = 0;

#pragma GCC unroll 4
	for (size_t i = 0; i < VALUES; i++)
		top = c[i] > top ? c[i] : top;
	return top;
}

/* Makes counters of 8 bits from the bytes that were kept. */
static bool begin(struct histogram *h, struct arena *a, struct pool *pool)
{
	void *counts = arena_zalloc(a, pool, VALUES);

	if (counts == NULL)
		return false;
	count_into(counts, 1, h->counts, h->bound);
	arena_drop(a, pool, h->counts);
	h->counts = counts;
	h->width = 1;
	return true;
}

static void *widen_to_16(const uint8_t *counts, struct arena *a, struct pool *pool)
{
	uint16_t *wide = arena_alloc(a, pool, VALUES * sizeof *wide);

	for (size_t i = 0; wide != NULL && i < VALUES; i++)
		wide[i] = counts[i];
	return wide;
}

static void *widen_to_64(const uint16_t *counts, struct arena *a, struct pool *pool)
{
	struct wide *wide = arena_zalloc(a, pool, sizeof *wide);

	for (size_t i = 0; wide != NULL && i < VALUES; i++)
		wide->sum[i] = counts[i];
	return wide;
}

/* Moves to counters of the next width. */
static bool widen(struct histogram *h, struct arena *a, struct pool *pool)
{
	const bool to_16 = h->width == 1;
	void *wide = to_16 ? widen_to_16(h->counts, a, pool) : widen_to_64(h->counts, a, pool);

	if (wide == NULL)
		return false;
	arena_drop(a, pool, h->counts);
	h->counts = wide;
	h->width = to_16 ? 2 : 8;
	if (!to_16)
		h->bound = 0;
	return true;
}

/* Whether each counter can grow by 'more'; brings the bound up to date when that may help. */
static bool fits(struct histogram *h, uint32_t more)
{
	const uint32_t limit = width_limit[h->width];

	if (h->bound + more <= limit)
		return true;
	if (more > limit)
		return false;
	h->bound = h->width == 1 ? highest8(h->counts) : highest16(h->counts);
	return h->bound + more <= limit;
}

/* Counts at most CHUNK bytes into tables of its own, then adds these to the flow's. */
static bool add_sum(struct histogram *h, struct arena *a, struct pool *pool, const uint8_t *p,
		size_t size)
{
	uint16_t sum[VALUES];
	const uint32_t more = count_alone(sum, p, size);

	while (!fits(h, more)) {
		if (!widen(h, a, pool))
			return false;
		if (h->width == 8) {
			count_wide(h, p, size);
			return true;
		}
	}
	merge(h, sum);
	h->bound += more;
	return true;
}

/* Counts at most CHUNK bytes. */
static bool add_chunk(struct histogram *h, struct arena *a, struct pool *pool, const uint8_t *p,
		size_t size)
{
	uint32_t more = (uint32_t)size;
	bool near = size <= DIRECT;

	if (h->width == 8) {
		count_wide(h, p, size);
		return true;
	}
	if ((!near && h->width != 2) || !fits(h, more))
		return add_sum(h, a, pool, p, size);
	if (near)
		count_direct(h, p, size);
	else
		count_apart(h->counts, p, size);
	h->bound += more;
	return true;
}

/* Keeps at most KEPT bytes in all as they are. */
static bool keep(struct histogram *h, struct arena *a, struct pool *pool, const uint8_t *p,
		size_t size)
{
	size_t all = h->bound + size;

	if (all > h->room) {
		size_t room = pool_room(all);
		void *bytes = arena_move(a, pool, h->counts, h->bound, room);

		if (bytes == NULL)
			return false;
		h->counts = bytes;
		h->room = room < KEPT ? (uint8_t)room : KEPT;
	}
	memcpy((uint8_t *)h->counts + h->bound, p, size);
	h->bound = (uint32_t)all;
	return true;
}

bool histogram_add(struct histogram *h, struct arena *a, struct pool *pool, const uint8_t *p,
		size_t size)
{
	if (size == 0)
		return true;
	if (h->width == 0 && h->bound + size <= KEPT)
		return keep(h, a, pool, p, size);
	if (h->width == 0 && !begin(h, a, pool))
		return false;
	while (size > 0) {
		size_t n = size < CHUNK ? size : CHUNK;

		if (!add_chunk(h, a, pool, p, n))
			return false;
		p += n;
		size -= n;
	}
	return true;
}

void histogram_fetch(const struct histogram *h)
{
	enum { LINE = 64 };
	const char *counts = h->counts;
	const size_t size = h->width == 0   ? h->bound
			    : h->width == 8 ? sizeof(struct wide)
					    : (size_t)VALUES * h->width;

	for (size_t at = LINE; at < size; at += LINE)
		__builtin_prefetch(counts + at);
}

struct value_sums histogram_read(const struct histogram *h, uint64_t counts[VALUES])
{
	uint16_t narrow[VALUES];
	uint32_t bound = h->bound;

	switch (h->width) {
	case 0:
		memset(narrow, 0, sizeof narrow);
		count_into(narrow, 2, h->counts, bound);
		return value_sums_of_16(narrow, bound, counts);
	case 1:
		return value_sums_of_8(h->counts, counts);
	case 2:
		if (bound > INT16_MAX) /* it may be far above the highest */
			bound = highest16(h->counts);
		return value_sums_of_16(h->counts, bound, counts);
	default:
		sum_wide(h->counts, counts);
		return value_sums_of(counts);
	}
}
