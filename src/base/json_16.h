/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_16.h - sixteen bytes of a text at a time: which stand for themselves, and hexadecimal.
 *
 * Most texts are shorter than that.  Memory is mapped by pages, so what lies in the page of a byte
 * that is ours can be read, whatever it means: a short text is one load and one store, without a
 * look at its size before.  Only where no finer rule checks loads: on x86, not under sanitizers.
 */
#pragma once

#include "base/json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define JSON_CHECKED 1
#elif defined(__has_feature) /* clang */
#define JSON_CHECKED                                                                               \
	(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                    \
			__has_feature(memory_sanitizer))
#else
#define JSON_CHECKED 0
#endif

enum { JSON_SIXTEEN = 16, JSON_PAGE = 4096 /* pages have a multiple of it */ };

/* Whether 'size' bytes can be read at 'p', where one is ours. */
static inline bool json_may_read(const void *p, size_t size)
{
#if defined(__SSE2__) && !JSON_CHECKED
	return ((uintptr_t)p & (JSON_PAGE - 1)) <= JSON_PAGE - size;
#else
	(void)p;
	(void)size;
	return false;
#endif
}

#ifdef __SSE2__
/* Copies sixteen bytes; returns a bit for each of them that is not plain. */
static inline unsigned json_copy_odd(char *to, const void *from)
{
	const __m128i v = _mm_loadu_si128(from);
	const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
	const __m128i control = _mm_cmplt_epi8(v, _mm_set1_epi8(' ')); /* and from 0x80: below 0 */
	const __m128i any = _mm_or_si128(control, _mm_or_si128(quote, backslash));

	_mm_storeu_si128((__m128i *)(void *)to, v);
	return (unsigned)_mm_movemask_epi8(any);
}

/* Copies sixteen bytes; returns how many of them are plain, up to the first that is not. */
static inline size_t json_copy_16(char *to, const void *from)
{
	return (size_t)__builtin_ctz(json_copy_odd(to, from) | 1U << 16);
}

/* Likewise. */
static inline size_t json_copy_32(char *to, const void *from)
{
	const uint64_t first = json_copy_odd(to, from);
	const uint64_t second = json_copy_odd(to + 16, (const char *)from + 16);

	return (size_t)__builtin_ctzll(first | second << 16 | UINT64_C(1) << 32);
}

/* The digits of 16 numbers from 0 to 15. */
static inline __m128i json_hex_of(__m128i nibbles)
{
	const __m128i letter = _mm_cmpgt_epi8(nibbles, _mm_set1_epi8(9));
	const __m128i more = _mm_and_si128(letter, _mm_set1_epi8('a' - 10 - '0'));

	return _mm_add_epi8(_mm_add_epi8(nibbles, _mm_set1_epi8('0')), more);
}

/* Two digits for each of sixteen bytes. */
static inline void json_hex_16(char *to, const void *bytes)
{
	const __m128i low_bits = _mm_set1_epi8(15);
	const __m128i v = _mm_loadu_si128(bytes);
	const __m128i high = json_hex_of(_mm_and_si128(_mm_srli_epi16(v, 4), low_bits));
	const __m128i low = json_hex_of(_mm_and_si128(v, low_bits));

	_mm_storeu_si128((__m128i *)(void *)to, _mm_unpacklo_epi8(high, low));
	_mm_storeu_si128((__m128i *)(void *)(to + 16), _mm_unpackhi_epi8(high, low));
}
#else
/* How many of eight bytes are plain.  A borrow can only spoil bytes above one that is not. */
static inline size_t json_count_plain(const void *from)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t x;

	memcpy(&x, from, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif

	const uint64_t quote = x ^ ones * '"', backslash = x ^ ones * '\\', low = x - ones * ' ';
	const uint64_t any = (x | low | (quote - ones) | (backslash - ones)) & tops;

	return any == 0 ? 8 : (size_t)__builtin_ctzll(any) / 8;
}

static inline size_t json_copy_16(char *to, const void *from)
{
	const size_t plain = json_count_plain(from);

	memcpy(to, from, JSON_SIXTEEN);
	return plain < 8 ? plain : 8 + json_count_plain((const char *)from + 8);
}

static inline size_t json_copy_32(char *to, const void *from)
{
	const size_t plain = json_copy_16(to, from);

	return plain < 16 ? plain : 16 + json_copy_16(to + 16, (const char *)from + 16);
}

static inline void json_hex_16(char *to, const void *bytes)
{
	json_put_hex(to, bytes, JSON_SIXTEEN);
}
#endif
