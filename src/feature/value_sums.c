/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value_sums.c - the sums behind mean, deviation and entropy of byte values.
 *
 * Any counts are summed up in words of 64 bits.  Narrow ones, as nearly all records have them, are
 * on x86 multiplied eight at a time, while they are widened.
 */
#include "feature/value_sums.h"

#include <stddef.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
	VALUES = 256,
	LANES = 4, /* sums at a time, so that additions do not wait for each other */
};

static uint64_t highest(const uint64_t *c)
{
	uint64_t top = 0;

#pragma GCC unroll 4
	for (size_t i = 0; i < VALUES; i++)
		top = c[i] > top ? c[i] : top;
	return top;
}

/*
 * The values stand in rows of LANES: value v is in row r = v / LANES, column c = v % LANES.  Adding
 * up the rows from the last to the first gives, for each column, the sums of count, r count and
 * r (r + 1) / 2 count.
 */
struct value_sums value_sums_of(const uint64_t count[VALUES])
{
	uint64_t tail[LANES] = { 0 }, first[LANES] = { 0 }, triangle[LANES] = { 0 };
	struct value_sums s = { .most = highest(count) };

	for (unsigned v = VALUES - LANES; v > 0; v -= LANES) {
		for (unsigned c = 0; c < LANES; c++) {
			tail[c] += count[v + c];
			first[c] += tail[c];
			triangle[c] += first[c];
		}
	}
	for (unsigned c = 0; c < LANES; c++) {
		tail[c] += count[c];
		s.n += tail[c];
		s.sum += LANES * first[c] + c * tail[c];
		s.squares += LANES * LANES * (2 * triangle[c] - first[c]) +
			     2 * LANES * c * first[c] + c * c * tail[c];
	}
	return s;
}

#ifdef __SSE2__
enum {
	ROW = 8,           /* counts of a vector */
	MIDDLE = 128,      /* squares of what a value is above or below it have 15 bits */
	N_LIMIT = 1 << 18, /* below it lanes of 32 bits hold all of these squares */
};

/* Eight counts of 16 bits. */
static inline __m128i row_of(const void *from, unsigned width, size_t at)
{
	const uint8_t *p = (const uint8_t *)from + at * width;

	if (width == 1)
		return _mm_unpacklo_epi8(_mm_loadl_epi64((const __m128i *)(const void *)p),
				_mm_setzero_si128());
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void widen(uint64_t *to, __m128i row)
{
	const __m128i zero = _mm_setzero_si128();
	const __m128i low = _mm_unpacklo_epi16(row, zero), high = _mm_unpackhi_epi16(row, zero);
	__m128i *v = (__m128i *)(void *)to;

	_mm_storeu_si128(v, _mm_unpacklo_epi32(low, zero));
	_mm_storeu_si128(v + 1, _mm_unpackhi_epi32(low, zero));
	_mm_storeu_si128(v + 2, _mm_unpacklo_epi32(high, zero));
	_mm_storeu_si128(v + 3, _mm_unpackhi_epi32(high, zero));
}

static uint64_t added_up(__m128i sums)
{
	uint32_t s[LANES];

	_mm_storeu_si128((__m128i *)(void *)s, sums);
	return (uint64_t)s[0] + s[1] + s[2] + s[3];
}

static uint16_t highest_of(__m128i tops)
{
	uint16_t top[ROW], most = 0;

	_mm_storeu_si128((__m128i *)(void *)top, tops);
	for (size_t i = 0; i < ROW; i++)
		most = top[i] > most ? top[i] : most;
	return most;
}

/* Of counts below 2^15: products are of signed numbers. */
static inline struct value_sums sums_of(const void *from, unsigned width, uint64_t count[VALUES])
{
	const __m128i one = _mm_set1_epi16(1), step = _mm_set1_epi16(ROW);
	__m128i above = _mm_add_epi16(
			_mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7), _mm_set1_epi16(-MIDDLE));
	__m128i n = _mm_setzero_si128(), sum = n, squares = n, most = n;
	struct value_sums s;

#pragma GCC unroll 2
	for (size_t i = 0; i < VALUES; i += ROW) {
		const __m128i row = row_of(from, width, i);

		widen(count + i, row);
		most = _mm_max_epi16(most, row);
		n = _mm_add_epi32(n, _mm_madd_epi16(row, one));
		sum = _mm_add_epi32(sum, _mm_madd_epi16(row, above));
		squares = _mm_add_epi32(
				squares, _mm_madd_epi16(row, _mm_mullo_epi16(above, above)));
		above = _mm_add_epi16(above, step);
	}
	s.n = added_up(n);
	if (s.n >= N_LIMIT)
		return value_sums_of(count);
	s.most = highest_of(most);
	/* 'sum' may be below 0: what is added makes up for it modulo 2^32, and in all it is less */
	s.sum = (uint32_t)(added_up(sum) + MIDDLE * s.n);
	s.squares = added_up(squares) + 2 * MIDDLE * s.sum - (uint64_t)MIDDLE * MIDDLE * s.n;
	return s;
}
#endif

static inline struct value_sums widened(const void *from, unsigned width, uint64_t count[VALUES])
{
#pragma GCC unroll 4
	for (size_t i = 0; i < VALUES; i++)
		count[i] = width == 1 ? ((const uint8_t *)from)[i] : ((const uint16_t *)from)[i];
	return value_sums_of(count);
}

struct value_sums value_sums_of_8(const uint8_t *from, uint64_t count[VALUES])
{
#ifdef __SSE2__
	return sums_of(from, 1, count);
#else
	return widened(from, 1, count);
#endif
}

struct value_sums value_sums_of_16(const uint16_t *from, uint32_t bound, uint64_t count[VALUES])
{
#ifdef __SSE2__
	if (bound <= INT16_MAX)
		return sums_of(from, 2, count);
#endif
	(void)bound;
	return widened(from, 2, count);
}
