/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_to.c - the numbers of JSON as integers, durations, times and doubles; see json_read.h.
 *
 * A double whose digits are below 2^53 and whose power of ten is exact takes one operation, which
 * rounds once and so gives the nearest.  Others, which pcap2flow hardly writes, go through the C
 * library's conversion, in its "C" locale.
 */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include "base/json_read.h"
#include "base/limits.h"

enum { DIGITS_MAX = 19, EXPONENT_MAX = 22, EXPONENT_FAR = 10000 };

/* A number taken apart: digits * 10^-decimals, and the rest. */
struct parts {
	uint64_t digits; /* of all before the exponent, without the point */
	unsigned decimals;
	int exponent;
	bool negative;
	bool whole; /* no zeros were cut and nothing is too long: 'digits' are all of them */
};

static bool take(struct rd *r, char c)
{
	return rd_more(r) && *r->p == (uint8_t)c && (rd_bytes(r, 1), true);
}

/* Appends the digits at the front of 'r'; returns how many. */
static unsigned take_digits(struct rd *r, struct parts *n)
{
	size_t at = 0;

	for (; at < r->left && r->p[at] >= '0' && r->p[at] <= '9'; at++) {
		const uint64_t digit = r->p[at] - '0';

		n->whole &= n->digits < UINT64_MAX / 10 ||
			    (n->digits == UINT64_MAX / 10 && digit <= UINT64_MAX % 10);
		n->digits = n->digits * 10 + digit;
	}
	rd_bytes(r, at);
	return (unsigned)at;
}

static int take_exponent(struct rd *r)
{
	const bool negative = take(r, '-');
	int v = 0;

	take(r, '+');
	for (; rd_more(r); rd_bytes(r, 1))
		v = v < EXPONENT_FAR ? v * 10 + (*r->p - '0') : v;
	return negative ? -v : v;
}

/* 'number' is sound, as json_read() gives it. */
static struct parts take_apart(struct rd number)
{
	struct parts n = { .whole = true };

	n.negative = take(&number, '-');
	take_digits(&number, &n);
	if (take(&number, '.'))
		n.decimals = take_digits(&number, &n);
	if (rd_more(&number)) {
		rd_bytes(&number, 1);
		n.exponent = take_exponent(&number);
		n.exponent += n.exponent == 0; /* 1e0 is no whole number either */
	}
	return n;
}

/* --- exact ------------------------------------------------------------------------------- */

/* Brings the digits to 'decimals'; false when some are lost. */
static bool scale(struct parts *n, unsigned decimals)
{
	if (!n->whole || n->exponent != 0)
		return false;
	for (; n->decimals > decimals; n->decimals--) {
		if (n->digits % 10 != 0)
			return false;
		n->digits /= 10;
	}
	for (; n->decimals < decimals; n->decimals++) {
		if (n->digits > UINT64_MAX / 10)
			return false;
		n->digits *= 10;
	}
	return true;
}

bool json_to_u64(struct rd number, uint64_t *v)
{
	struct parts n = take_apart(number);

	if (!scale(&n, 0) || (n.negative && n.digits != 0))
		return false;
	*v = n.digits;
	return true;
}

bool json_to_scaled(struct rd number, unsigned decimals, int64_t *v)
{
	struct parts n = take_apart(number);

	if (!scale(&n, decimals) || n.digits > (uint64_t)INT64_MAX + n.negative)
		return false;
	*v = n.negative ? (int64_t)(0 - n.digits) : (int64_t)n.digits;
	return true;
}

bool json_to_i64(struct rd number, int64_t *v)
{
	return json_to_scaled(number, 0, v);
}

/* --- doubles ----------------------------------------------------------------------------- */

static bool slow_f64(struct rd number, double *v)
{
	char text[LIMIT_JSON_NUMBER + 1];
	locale_t plain;

	if (number.left > LIMIT_JSON_NUMBER)
		return false;
	memcpy(text, number.p, number.left);
	text[number.left] = '\0';
	plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
	if (plain == (locale_t)0)
		return false;
	*v = strtod_l(text, NULL, plain);
	freelocale(plain);
	return isfinite(*v);
}

bool json_to_f64(struct rd number, double *v)
{
	static const double powers[EXPONENT_MAX + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
		1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
		1e22 };
	const struct parts n = take_apart(number);
	const double digits = (double)n.digits;

	if (FLT_EVAL_METHOD != 0 || !n.whole || n.exponent != 0 ||
			n.digits > UINT64_C(1) << DBL_MANT_DIG || n.decimals > EXPONENT_MAX)
		return slow_f64(number, v);
	*v = digits / powers[n.decimals];
	if (n.negative)
		*v = -*v;
	return true;
}
