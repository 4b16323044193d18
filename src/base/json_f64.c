/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_f64.c - doubles as decimal text with 15 significant digits, exactly rounded.
 *
 * A double is m * 2^e with whole m and e.  From 8e-6 to 5e14 the digits come from one 128-bit
 * product, which is exact; outside that range from an exact expansion in limbs of nine digits.
 * Integer arithmetic only, so no machine's floating point or locale shows.
 */
#include "base/digits.h"
#include "base/json.h"

enum {
	DIGITS = 15,
	LIMBS = 96, /* m * 5^1074 has 767 digits, DBL_MAX has 309 */
};

struct decimal {         /* d.dddddddddddddd * 10^exponent */
	uint64_t digits; /* exactly DIGITS of them */
	int exponent;
};

static const uint64_t powers[20] = {
	UINT64_C(1),
	UINT64_C(10),
	UINT64_C(100),
	UINT64_C(1000),
	UINT64_C(10000),
	UINT64_C(100000),
	UINT64_C(1000000),
	UINT64_C(10000000),
	UINT64_C(100000000),
	UINT64_C(1000000000),
	UINT64_C(10000000000),
	UINT64_C(100000000000),
	UINT64_C(1000000000000),
	UINT64_C(10000000000000),
	UINT64_C(100000000000000),
	UINT64_C(1000000000000000),
	UINT64_C(10000000000000000),
	UINT64_C(100000000000000000),
	UINT64_C(1000000000000000000),
	UINT64_C(10000000000000000000),
};

/* --- any size: limbs ----------------------------------------------------------------------------
 */

struct limbs {
	uint32_t limb[LIMBS]; /* base 1e9, least significant first */
	size_t count;
};

static void multiply(struct limbs *n, uint32_t factor)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < n->count; i++) {
		carry += (uint64_t)n->limb[i] * factor;
		n->limb[i] = (uint32_t)(carry % 1000000000);
		carry /= 1000000000;
	}
	for (; carry > 0; carry /= 1000000000)
		n->limb[n->count++] = (uint32_t)(carry % 1000000000);
}

/* The digits of 'n', most significant first; returns how many. */
static size_t limb_digits(const struct limbs *n, char *digits)
{
	size_t count = 0;

	for (size_t i = n->count; i > 0; i--) {
		for (size_t k = 9; k > 0; k--) {
			char c = (char)(n->limb[i - 1] / powers[k - 1] % 10);

			if (count > 0 || c > 0)
				digits[count++] = c;
		}
	}
	return count;
}

/* Rounds half to even at DIGITS. */
static struct decimal round_digits(const char *digits, size_t count, int exponent)
{
	struct decimal d = { 0, exponent };
	bool beyond = false;

	for (size_t i = 0; i < DIGITS; i++)
		d.digits = d.digits * 10 + (i < count ? (uint64_t)digits[i] : 0);
	for (size_t i = DIGITS + 1; i < count; i++)
		beyond |= digits[i] > 0;
	if (count > DIGITS && (digits[DIGITS] > 5 || (digits[DIGITS] == 5 &&
								     (beyond || d.digits % 2 > 0))))
		d.digits++;
	if (d.digits == powers[DIGITS])
		d = (struct decimal){ powers[DIGITS - 1], exponent + 1 };
	return d;
}

static struct decimal from_limbs(uint64_t m, int e)
{
	struct limbs n = { { (uint32_t)(m % 1000000000), (uint32_t)(m / 1000000000) }, 2 };
	char digits[9 * LIMBS];

	/* m * 2^-k is m * 5^k / 10^k */
	for (int left = e < 0 ? -e : e; left > 0;) {
		const int step = left < 13 ? left : 13;
		uint32_t factor = 1;

		for (int i = 0; i < step; i++)
			factor *= e < 0 ? 5 : 2;
		multiply(&n, factor);
		left -= step;
	}

	const size_t count = limb_digits(&n, digits);

	return round_digits(digits, count, (int)count - 1 + (e < 0 ? e : 0));
}

/* --- common sizes: one product ------------------------------------------------------------------
 */

#ifdef __SIZEOF_INT128__
/* m * 10^k * 2^-shift, rounded half to even; k up to 20, shift 4 to 69. */
static uint64_t scaled(uint64_t m, int k, int shift)
{
	unsigned __int128 product = (unsigned __int128)m * powers[k < 20 ? k : 19];

	if (k == 20)
		product *= 10;

	const unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
	const unsigned __int128 rest = product & (half * 2 - 1);
	const uint64_t whole = (uint64_t)(product >> shift);

	return whole + (rest > half || (rest == half && whole % 2 > 0));
}

/* 2^52 <= m < 2^53, -69 <= e <= -4: 8e-6 to 5e14 */
static struct decimal from_product(uint64_t m, int e)
{
	const int log2 = e + 52;
	/* floor(log10(v)) or one less: 315653 / 2^20 is just above log10(2) */
	int exponent = log2 < 0 ? -((-log2 * 315653 + 1048575) / 1048576) : log2 * 315652 / 1048576;
	uint64_t digits = scaled(m, DIGITS - 1 - exponent, -e);

	if (digits >= powers[DIGITS]) {
		exponent++;
		digits = scaled(m, DIGITS - 1 - exponent, -e);
	}
	return (struct decimal){ digits, exponent };
}
#endif

static struct decimal to_decimal(uint64_t m, int e)
{
#ifdef __SIZEOF_INT128__
	if (m >> 52 == 1 && e >= -69 && e <= -4)
		return from_product(m, e);
#endif
	return from_limbs(m, e);
}

/* --- text ---------------------------------------------------------------------------------------
 */

static char *put_exponent(char *to, int exponent)
{
	*to++ = 'e';
	*to++ = exponent < 0 ? '-' : '+';
	if (exponent < 0)
		exponent = -exponent;
	if (exponent < 10)
		*to++ = '0';
	return json_put_u64(to, (uint64_t)exponent);
}

/* Sixteen characters, the first in the low byte. */
typedef unsigned __int128 characters;

static void store(char *to, characters c)
{
	digits_store(to, (uint64_t)c);
	digits_store(to + 8, (uint64_t)(c >> 64));
}

/*
 * 'count' digits with a point after the first 'whole' ones, or "0." and -whole zeros in front.
 * The digits behind the point are stored once more, one place on.
 */
static char *put_pointed(char *to, characters digits, int count, int whole)
{
	if (whole <= 0) {
		memcpy(to, "0.000000", 8);
		store(to + 2 - whole, digits);
		return to + 2 - whole + count;
	}
	store(to, digits);
	if (count <= whole) /* zeros up to the point are still among the digits */
		return to + whole;
	store(to + whole + 1, digits >> 8 * whole);
	to[whole] = '.';
	return to + count + 1;
}

static char *put_decimal(char *to, struct decimal d)
{
	const uint64_t ten_million = 10000000; /* 15 digits and a 0 are eight and eight */
	const uint64_t first = digits_eight((uint32_t)(d.digits / ten_million));
	const uint64_t second = digits_eight((uint32_t)(d.digits % ten_million * 10));
	const characters digits =
			(characters)(second + DIGITS_ASCII) << 64 | (first + DIGITS_ASCII);
	const int count =
			8 - (int)digits_behind(second > 0 ? second : first) + (second > 0 ? 8 : 0);

	if (d.exponent >= -5 && d.exponent < DIGITS)
		return put_pointed(to, digits, count, d.exponent + 1);
	return put_exponent(put_pointed(to, digits, count, 1), d.exponent);
}

char *json_put_f64(char *to, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);

	const int biased = (int)(bits >> 52 & 2047);
	uint64_t m = bits & ((UINT64_C(1) << 52) - 1);

	if (biased == 2047) {
		memcpy(to, "null", 4);
		return to + 4;
	}
	if (v > -9007199254740992.0 && v < 9007199254740992.0 && v == (double)(int64_t)v)
		return json_put_i64(to, (int64_t)v);
	if (bits >> 63 > 0)
		*to++ = '-';
	if (biased > 0)
		m |= UINT64_C(1) << 52;
	return put_decimal(to, to_decimal(m, (biased > 0 ? biased : 1) - 1075));
}
