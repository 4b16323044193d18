/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * moments.h - number, sum, least, greatest and spread of unsigned integers, exactly.
 *
 * Sums and sums of squares are integers (64 and 128 bits), so nothing is lost before the final
 * division: the variance is (n * squares - sum^2) / (n * (n - 1)), its numerator worked out in 192
 * bits.  A sum that no longer fits makes mean and std NaN, which records write as null.  Starts as
 * { 0 }.
 */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 moments_wide;

struct moments {
	uint64_t n, sum, min, max;
	uint64_t squares_low, squares_high;
};

enum { MOMENTS_WORD = 64 };

static inline moments_wide moments_squares(const struct moments *m)
{
	return (moments_wide)m->squares_high << MOMENTS_WORD | m->squares_low;
}

/* All ones say that a sum did not fit. */
static inline void moments_add_sums(struct moments *m, uint64_t sum, moments_wide squares)
{
	moments_wide all = moments_squares(m);
	bool lost = __builtin_add_overflow(all, squares, &all);

	lost |= __builtin_add_overflow(m->sum, sum, &m->sum);
	if (lost || !~(moments_squares(m)))
		all = ~(moments_wide)0;
	m->squares_low = (uint64_t)all;
	m->squares_high = (uint64_t)(all >> MOMENTS_WORD);
}

static inline void moments_add(struct moments *m, uint64_t v)
{
	const uint64_t least = m->n++ == 0 ? UINT64_MAX : m->min;

	m->min = v < least ? v : least; /* without branches: which it is cannot be foreseen */
	m->max = v > m->max ? v : m->max;

	moments_wide all = moments_squares(m);
	uint64_t sum;

	if (__builtin_add_overflow(all, (moments_wide)v * v, &all) ||
			__builtin_add_overflow(m->sum, v, &sum) ||
			m->squares_high == UINT64_MAX) { /* maybe one that did not fit before */
		moments_add_sums(m, v, (moments_wide)v * v);
		return;
	}
	m->sum = sum;
	m->squares_low = (uint64_t)all;
	m->squares_high = (uint64_t)(all >> MOMENTS_WORD);
}

/* Both together, as if every number had been added to one. */
static inline struct moments moments_both(const struct moments *a, const struct moments *b)
{
	struct moments m = *a;

	if (b->n > 0 && (m.n == 0 || b->min < m.min))
		m.min = b->min;
	if (b->max > m.max)
		m.max = b->max;
	m.n += b->n;
	moments_add_sums(&m, b->sum, moments_squares(b));
	return m;
}

/*
 * In 'unit's: moments of ns with unit 1e6 give ms. NaN without numbers.  Quotients of 53 bits by 10
 * are so far from what lies between two doubles that one rounding gives the same as two.
 */
static inline double moments_mean(const struct moments *m, double unit)
{
	if (m->n == 0 || !~moments_squares(m))
		return (double)NAN;
	if (unit == 1 && m->n >> 10 == 0 && m->sum >> 53 == 0)
		return (double)m->sum / (double)m->n;
	return (double)((long double)m->sum / (long double)m->n / (long double)unit);
}

/* n * squares - sum^2 */
static inline long double moments_numerator(const struct moments *m)
{
	uint64_t product, square;

	if (m->squares_high == 0 && !__builtin_mul_overflow(m->n, m->squares_low, &product) &&
			!__builtin_mul_overflow(m->sum, m->sum, &square))
		return (long double)(product - square);

	moments_wide low = (moments_wide)m->n * m->squares_low;
	moments_wide high = (moments_wide)m->n * m->squares_high + (low >> MOMENTS_WORD);
	moments_wide wide = (moments_wide)m->sum * m->sum;
	uint64_t low_word = (uint64_t)low - (uint64_t)wide;

	high -= (wide >> MOMENTS_WORD) + ((uint64_t)low < (uint64_t)wide);
	if (high >> MOMENTS_WORD == 0)
		return (long double)(uint64_t)high * 0x1p64L + (long double)low_word;
	return (long double)high * 0x1p64L + (long double)low_word;
}

/* The sample standard deviation; NaN for n < 2. */
static inline double moments_std(const struct moments *m, double unit)
{
	long double numerator, n = (long double)m->n;

	if (m->n < 2 || !~moments_squares(m))
		return (double)NAN;
	numerator = moments_numerator(m);
	if (numerator == 0)
		return 0;
	return (double)(sqrtl(numerator / n / (n - 1)) / (long double)unit);
}

/*
 * Back from what records say.  Of numbers whose sum is below 2^53 'unit's the sum is exact; their
 * spread is as good as 'std' is.  'min', 'max': those of the numbers themselves.
 */
static inline struct moments moments_from(
		uint64_t n, uint64_t min, uint64_t max, double mean, double std, double unit)
{
	struct moments m = { .n = n, .min = n > 0 ? min : 0, .max = n > 0 ? max : 0 };
	const long double sum = (long double)mean * (long double)unit * (long double)n;
	const long double deviation = n > 1 ? (long double)std * (long double)unit : 0;
	const long double spread = deviation * deviation * (long double)(n - 1);

	if (n == 0)
		return m;
	if (!(sum >= 0) || !(sum < 0x1p63L) || !(spread < 0x1p126L)) {
		m.squares_low = m.squares_high = UINT64_MAX; /* not known */
		return m;
	}
	m.sum = (uint64_t)roundl(sum);

	const moments_wide square = (moments_wide)m.sum * m.sum;
	const long double rest = (long double)(uint64_t)(square % n) / (long double)n;
	const moments_wide least = square / n + (square % n != 0); /* of numbers that are equal */
	moments_wide all = square / n + (moments_wide)roundl(spread + rest);

	all = all < least ? least : all;
	m.squares_low = (uint64_t)all;
	m.squares_high = (uint64_t)(all >> MOMENTS_WORD);
	return m;
}
