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
