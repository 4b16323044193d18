/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * digits.h - eight decimal digits at a time, worked out side by side in one word.
 *
 * A word of digits has the first digit in its low byte, each as a number from 0 to 9, so that on
 * any machine shifts drop digits in front and leading zero bits count digits behind.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { DIGITS_EIGHT = 100000000 }; /* values are below this */

#define DIGITS_ASCII UINT64_C(0x3030303030303030)

/*
 * Halves of four digits, then quarters of two, then digits.  The factors are 2^20/100 and 2^10/10,
 * rounded up: exact for what is divided here.
 */
static inline uint64_t digits_eight(uint32_t v)
{
	uint64_t x = v / 10000 | (uint64_t)(v % 10000) << 32, high;

	high = (x * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
	x = high | (x - high * 100) << 16;
	high = (x * 103 >> 10) & UINT64_C(0x000f000f000f000f);
	return high | (x - high * 10) << 8;
}

/* Zeros in front of a word that is not 0. */
static inline unsigned digits_before(uint64_t digits)
{
	return (unsigned)__builtin_ctzll(digits) / 8;
}

/* Zeros behind the last other digit of a word that is not 0. */
static inline unsigned digits_behind(uint64_t digits)
{
	return (unsigned)__builtin_clzll(digits) / 8;
}

/* Stores eight characters. */
static inline void digits_store(char *to, uint64_t characters)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	characters = __builtin_bswap64(characters);
#endif
	memcpy(to, &characters, sizeof characters);
}

/* --- sixteen digits -----------------------------------------------------------------------------
 */

/* A number of fifteen digits, and a 0 behind it; the first digit is not 0. */
#ifdef __SSE2__
struct digits_sixteen {
	__m128i digits;
};

/* As digits_eight(), both halves side by side. */
static inline struct digits_sixteen digits_sixteen(uint64_t v)
{
	const __m128i eights =
			_mm_set_epi64x((int64_t)(v % 10000000 * 10), (int64_t)(v / 10000000));
	__m128i high = _mm_mul_epu32(eights, _mm_set1_epi32((int)0xd1b71759)), x;

	high = _mm_srli_epi64(high, 45); /* 2^45/10000, rounded up: exact for 32 bits */
	x = _mm_sub_epi64(eights, _mm_mul_epu32(high, _mm_set1_epi32(10000)));
	x = _mm_or_si128(high, _mm_slli_epi64(x, 32));
	high = _mm_srli_epi16(_mm_mulhi_epu16(x, _mm_set1_epi16(10486)), 4);
	x = _mm_sub_epi16(x, _mm_mullo_epi16(high, _mm_set1_epi16(100)));
	x = _mm_or_si128(high, _mm_slli_epi32(x, 16));
	high = _mm_srli_epi16(_mm_mullo_epi16(x, _mm_set1_epi16(103)), 10);
	x = _mm_sub_epi16(x, _mm_mullo_epi16(high, _mm_set1_epi16(10)));
	return (struct digits_sixteen){ _mm_or_si128(high, _mm_slli_epi16(x, 8)) };
}

/* Digits up to the last that is not 0. */
static inline unsigned digits_count(struct digits_sixteen d)
{
	const __m128i zero = _mm_cmpeq_epi8(d.digits, _mm_setzero_si128());

	return 32 - (unsigned)__builtin_clz((unsigned)_mm_movemask_epi8(zero) ^ 0xffff);
}

static inline __m128i digits_text(struct digits_sixteen d)
{
	return _mm_add_epi8(d.digits, _mm_set1_epi8('0'));
}

static inline void digits_store_sixteen(char *to, struct digits_sixteen d)
{
	_mm_storeu_si128((__m128i *)(void *)to, digits_text(d));
}

/* Sixteen characters: the first fifteen with a point behind the first 'whole', 1 to 15. */
static inline void digits_store_pointed(char *to, struct digits_sixteen d, unsigned whole)
{
	static const uint8_t before[32] = { [0 ... 15] = 0xff }, point[32] = { [16] = '.' };
	const __m128i text = digits_text(d);
	const __m128i front = _mm_loadu_si128((const __m128i *)(const void *)(before + 16 - whole));
	const __m128i upto = _mm_loadu_si128((const __m128i *)(const void *)(before + 15 - whole));
	const __m128i dot = _mm_loadu_si128((const __m128i *)(const void *)(point + 16 - whole));
	const __m128i behind = _mm_andnot_si128(upto, _mm_slli_si128(text, 1));

	_mm_storeu_si128((__m128i *)(void *)to,
			_mm_or_si128(_mm_and_si128(front, text), _mm_or_si128(dot, behind)));
}
#else
struct digits_sixteen {
	uint64_t first, second;
};

static inline struct digits_sixteen digits_sixteen(uint64_t v)
{
	return (struct digits_sixteen){ digits_eight((uint32_t)(v / 10000000)),
		digits_eight((uint32_t)(v % 10000000 * 10)) };
}

static inline unsigned digits_count(struct digits_sixteen d)
{
	return d.second > 0 ? 16 - digits_behind(d.second) : 8 - digits_behind(d.first);
}

static inline void digits_store_sixteen(char *to, struct digits_sixteen d)
{
	digits_store(to, d.first + DIGITS_ASCII);
	digits_store(to + 8, d.second + DIGITS_ASCII);
}

static inline void digits_store_pointed(char *to, struct digits_sixteen d, unsigned whole)
{
	char text[16];

	digits_store_sixteen(text, d);
	memcpy(to, text, whole);
	to[whole] = '.';
	memcpy(to + whole + 1, text + whole, 15 - whole);
}
#endif
