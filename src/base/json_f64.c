/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_f64.c - doubles as decimal text with 15 significant digits, exactly rounded.
 *
 * A double is m * 2^e with whole m and e.  From 2e-5 to 5e14 the digits come from one 128-bit
 * product, which is exact; outside that range from an exact expansion in limbs of nine digits.
 * Integer arithmetic only, so no machine's floating point or locale shows.
 */
#include "base/digits.h"
#include "base/json.h"

enum {
	DIGITS = 15,
	LIMBS = 96, /* m * 5^1074 has 767 digits, DBL_MAX has 309 */
};

#define HIDDEN (UINT64_C(1) << 52) /* the bit that is not stored */
#define WHOLE  9007199254740992.0  /* 2^53: below, whole numbers are exact */

struct decimal {         /* d.dddddddddddddd * 10^exponent */
	uint64_t digits; /* exactly DIGITS of them */
	int exponent;
};

static const uint64_t powers[DIGITS + 1] = {
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

/*
 * Digits with a point after the first 'whole' ones, or "0." and -whole zeros in front; without the
 * zeros behind the point.
 */
static inline char *put_pointed(char *to, uint64_t digits, int whole)
{
	const struct digits_sixteen sixteen = digits_sixteen(digits);
	const int count = (int)digits_count(sixteen);

	if (whole <= 0) {
		memcpy(to, "0.000000", 8);
		digits_store_sixteen(to + 2 - whole, sixteen);
		return to + 2 - whole + count;
	}
	digits_store_pointed(to, sixteen, (unsigned)whole);
	return to + (count > whole ? count + 1 : whole);
}

static char *put_decimal(char *to, struct decimal d)
{
	if (d.exponent >= -5 && d.exponent < DIGITS)
		return put_pointed(to, d.digits, d.exponent + 1);
	return put_exponent(put_pointed(to, d.digits, 1), d.exponent);
}

static char *put_any(char *to, uint64_t bits)
{
	const int biased = (int)(bits >> 52 & 2047);
	const uint64_t m = bits & (HIDDEN - 1);

	if (biased == 2047) {
		memcpy(to, "null", 4);
		return to + 4;
	}
	if (bits >> 63 > 0)
		*to++ = '-';
	return put_decimal(to, biased > 0 ? from_limbs(m | HIDDEN, biased - 1075)
					  : from_limbs(m, 1 - 1075));
}

/* --- common sizes: one product ------------------------------------------------------------------
 */

enum { LOG_LEAST = -16, LOG_MOST = 48, EXPONENT_LEAST = -5 };

#ifdef __SIZEOF_INT128__
/* By exponent, from EXPONENT_LEAST: the least double of the next one, and what scales to DIGITS. */
static const struct scale {
	double next;
	uint64_t five; /* 5^(DIGITS - 1 - exponent) */
} scales[] = {
	{ 1e-4, UINT64_C(19073486328125) },
	{ 1e-3, UINT64_C(3814697265625) },
	{ 1e-2, UINT64_C(762939453125) },
	{ 1e-1, UINT64_C(152587890625) },
	{ 1e0, UINT64_C(30517578125) },
	{ 1e1, UINT64_C(6103515625) },
	{ 1e2, UINT64_C(1220703125) },
	{ 1e3, UINT64_C(244140625) },
	{ 1e4, UINT64_C(48828125) },
	{ 1e5, UINT64_C(9765625) },
	{ 1e6, UINT64_C(1953125) },
	{ 1e7, UINT64_C(390625) },
	{ 1e8, UINT64_C(78125) },
	{ 1e9, UINT64_C(15625) },
	{ 1e10, UINT64_C(3125) },
	{ 1e11, UINT64_C(625) },
	{ 1e12, UINT64_C(125) },
	{ 1e13, UINT64_C(25) },
	{ 1e14, UINT64_C(5) },
	{ 1e15, UINT64_C(1) },
};

/*
 * 'v' is m * 2^e, with 2^52 <= m < 2^53.  m * 5^k * 2^(e + k) has 15 digits before the point, and
 * -(e + k) is 3 to 50.  Without branches: which way a number is rounded nothing foretells.
 */
static inline struct decimal from_product(double v, uint64_t m, int log2)
{
	/* floor(log10(v)) or one less: 315653 / 2^20 is just above log10(2) */
	const unsigned low = (unsigned)(log2 * 315653 - EXPONENT_LEAST * 1048576) >> 20;
	const unsigned i = low + (v >= scales[low].next);
	const int exponent = (int)i + EXPONENT_LEAST;
	const unsigned shift = (unsigned)(52 - log2 - (DIGITS - 1 - exponent));
	const unsigned __int128 product = (unsigned __int128)m * scales[i].five;
	const uint64_t low_bits = (uint64_t)product, high_bits = (uint64_t)(product >> 64);
	const uint64_t whole = low_bits >> shift | high_bits << (64 - shift);
	const uint64_t rest = low_bits << (64 - shift); /* in 2^64ths; the last bits are 0 */

	return (struct decimal){ whole + (rest + (whole & 1) > UINT64_C(1) << 63), exponent };
}
#endif

char *json_put_f64(char *to, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
#ifdef __SIZEOF_INT128__
	const int log2 = (int)(bits >> 52 & 2047) - 1023;

	if (log2 >= LOG_LEAST && log2 <= LOG_MOST) {
		const uint64_t m = (bits & (HIDDEN - 1)) | HIDDEN;
		struct decimal d = from_product(v < 0 ? -v : v, m, log2);

		*to = '-';
		to += bits >> 63;
		if (d.digits == powers[DIGITS]) /* rounded up to it */
			d = (struct decimal){ powers[DIGITS - 1], d.exponent + 1 };
		return put_pointed(to, d.digits, d.exponent + 1);
	}
#endif
	if (v > -WHOLE && v < WHOLE && v == (double)(int64_t)v)
		return json_put_i64(to, (int64_t)v);
	return put_any(to, bits);
}
