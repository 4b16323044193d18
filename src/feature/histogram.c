/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * histogram.c - counting bytes fast and in little memory.
 *
 * A short payload is counted straight into the flow's counters.  A longer one is counted into four
 * tables of bytes on the stack, so that equal neighbours do not wait for each other's store; these
 * are then folded and added with loops that compilers turn into vector code.
 */
#include "feature/histogram.h"

#include <string.h>

enum {
	VALUES = 256,
	DIRECT = 256, /* up to so many bytes folding costs more than it saves */
	TABLES = 4,
	CHUNK = TABLES * 254, /* bytes until a counter of a local table could pass 255 */
};

static const uint32_t width_limit[] = { 0, UINT8_MAX, UINT16_MAX };

/*
 * Counters of any width.  Callers name the width as a constant and these vanish into them, so that
 * each loop below is compiled once for each width.
 */
static inline uint64_t get(const void *counts, unsigned width, size_t i)
{
	return width == 1   ? ((const uint8_t *)counts)[i]
	       : width == 2 ? ((const uint16_t *)counts)[i]
			    : ((const uint64_t *)counts)[i];
}

static inline void add(void *counts, unsigned width, size_t i, uint16_t more)
{
	if (width == 1)
		((uint8_t *)counts)[i] = (uint8_t)(((uint8_t *)counts)[i] + more);
	else if (width == 2)
		((uint16_t *)counts)[i] = (uint16_t)(((uint16_t *)counts)[i] + more);
	else
		((uint64_t *)counts)[i] += more;
}

/* Counts into the flow's own counters, eight bytes a load. */
static inline void count_into(void *counts, unsigned width, const uint8_t *p, size_t size)
{
	size_t i = 0;

	for (; i + 8 <= size; i += 8) {
		uint64_t v;

		memcpy(&v, p + i, sizeof v);
		for (unsigned shift = 0; shift < 64; shift += 8)
			add(counts, width, v >> shift & 255, 1);
	}
	for (; i < size; i++)
		add(counts, width, p[i], 1);
}

static void count_direct(const struct histogram *h, const uint8_t *p, size_t size)
{
	if (h->width == 1)
		count_into(h->counts, 1, p, size);
	else if (h->width == 2)
		count_into(h->counts, 2, p, size);
	else
		count_into(h->counts, 8, p, size);
}

/* Counts at most CHUNK bytes apart from the flow. */
static void count_local(const uint8_t *p, size_t size, uint16_t sum[VALUES])
{
	uint8_t table[TABLES][VALUES] = { 0 };
	size_t i = 0;

	for (; i + 8 <= size; i += 8) {
		uint64_t v;

		memcpy(&v, p + i, sizeof v);
		for (unsigned k = 0; k < 8; k++)
			table[k % TABLES][v >> 8 * k & 255]++;
	}
	for (; i < size; i++)
		table[i % TABLES][p[i]]++;
	for (i = 0; i < VALUES; i++)
		sum[i] = (uint16_t)(table[0][i] + table[1][i] + table[2][i] + table[3][i]);
}

static inline void merge_into(void *counts, unsigned width, const uint16_t sum[VALUES])
{
	for (size_t i = 0; i < VALUES; i++)
		add(counts, width, i, sum[i]);
}

static void merge(const struct histogram *h, const uint16_t sum[VALUES])
{
	if (h->width == 1)
		merge_into(h->counts, 1, sum);
	else if (h->width == 2)
		merge_into(h->counts, 2, sum);
	else
		merge_into(h->counts, 8, sum);
}

static uint8_t highest8(const uint8_t *c)
{
	uint8_t top = 0;

	for (size_t i = 0; i < VALUES; i++)
		top = c[i] > top ? c[i] : top;
	return top;
}

static uint16_t highest16(const uint16_t *c)
{
	uint16_t top = 0;

	for (size_t i = 0; i < VALUES; i++)
		top = c[i] > top ? c[i] : top;
	return top;
}

/* Moves to counters of the next width. */
static bool widen(struct histogram *h, struct arena *a, struct pool *pool)
{
	unsigned width = h->width == 0 ? 1 : h->width == 1 ? 2 : 8;
	void *wide = arena_zalloc(a, pool, VALUES * width);

	if (wide == NULL)
		return false;
	for (size_t i = 0; h->width > 0 && i < VALUES; i++) {
		uint16_t count = (uint16_t)get(h->counts, h->width, i);

		add(wide, width, i, count);
	}
	arena_drop(a, pool, h->counts);
	h->counts = wide;
	h->width = (uint8_t)width;
	return true;
}

/* Whether each counter can grow by 'more'; brings the bound up to date when that may help. */
static bool fits(struct histogram *h, uint32_t more)
{
	if (h->width == 8 || h->bound + more <= width_limit[h->width])
		return true;
	if (h->width == 1)
		h->bound = highest8(h->counts);
	else if (h->width == 2)
		h->bound = highest16(h->counts);
	return h->bound + more <= width_limit[h->width];
}

/* Counts at most CHUNK bytes. */
static bool add_chunk(struct histogram *h, struct arena *a, struct pool *pool, const uint8_t *p,
		size_t size)
{
	uint32_t more = (uint32_t)size;

	if (h->width == 0 && !widen(h, a, pool))
		return false;
	if (size <= DIRECT && fits(h, more)) {
		count_direct(h, p, size);
	} else {
		uint16_t sum[VALUES];

		count_local(p, size, sum);
		more = highest16(sum);
		while (!fits(h, more))
			if (!widen(h, a, pool))
				return false;
		merge(h, sum);
	}
	h->bound += h->width < 8 ? more : 0;
	return true;
}

bool histogram_add(struct histogram *h, struct arena *a, struct pool *pool, const uint8_t *p,
		size_t size)
{
	while (size > 0) {
		size_t n = size < CHUNK ? size : size < 2 * CHUNK ? size / 2 : CHUNK;

		if (!add_chunk(h, a, pool, p, n))
			return false;
		p += n;
		size -= n;
	}
	return true;
}

static inline void read_from(const void *from, unsigned width, uint64_t counts[VALUES])
{
	for (size_t i = 0; i < VALUES; i++)
		counts[i] = get(from, width, i);
}

static uint64_t highest64(const uint64_t *c)
{
	uint64_t top = 0;

	for (size_t i = 0; i < VALUES; i++)
		top = c[i] > top ? c[i] : top;
	return top;
}

uint64_t histogram_read(const struct histogram *h, uint64_t counts[VALUES], uint64_t *most)
{
	uint64_t total = 0;

	if (h->width == 0) {
		memset(counts, 0, VALUES * sizeof *counts);
		*most = 0;
	} else if (h->width == 1) {
		read_from(h->counts, 1, counts);
		*most = highest8(h->counts);
	} else if (h->width == 2) {
		read_from(h->counts, 2, counts);
		*most = highest16(h->counts);
	} else {
		read_from(h->counts, 8, counts);
		*most = highest64(h->counts);
	}
	for (size_t i = 0; i < VALUES; i++)
		total += counts[i];
	return total;
}
