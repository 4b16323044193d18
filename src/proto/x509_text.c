/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * x509_text.c - ASN.1 strings as UTF-8, ASN.1 times as RFC 3339, and the memory for both.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "proto/x509_internal.h"

/* Blocks are of one small size, or large ones that go back to the system: a pool keeps the others.
 */
enum { BLOCK = 1024, LARGE_BLOCK = 8 * 1024 + 256, UTF8_MOST = 4 };

void *x509_take(struct x509_memory *m, size_t size)
{
	size_t rounded = ((size == 0) + size + 7) & ~(size_t)7;

	if (size > LIMIT_X509_BYTES || rounded > LIMIT_X509_BYTES - m->used) {
		m->cut = true;
		return NULL;
	}
	if (rounded > m->left) {
		size_t most = rounded > LARGE_BLOCK ? rounded : LARGE_BLOCK;
		size_t block = rounded > BLOCK ? most : BLOCK;
		char *fresh = arena_alloc(m->arena, m->pool, block);

		if (fresh == NULL) {
			m->cut = true;
			return NULL;
		}
		m->at = fresh;
		m->left = block;
	}

	void *piece = memset(m->at, 0, rounded);

	m->at += rounded;
	m->left -= rounded;
	m->used += rounded;
	return piece;
}

bool x509_is_utf8(struct rd r)
{
	while (rd_more(&r)) {
		size_t size = json_utf8_size(r);

		if (size == 0)
			return false;
		rd_bytes(&r, size);
	}
	return true;
}

/* Writes a character of up to 4 bytes and says how many; 0 for none that UTF-8 has. */
static size_t put_utf8(uint8_t *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (uint8_t)(0xc0 | c >> 6);
		to[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		if (c >= 0xd800 && c < 0xe000)
			return 0;
		to[0] = (uint8_t)(0xe0 | c >> 12);
		to[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		to[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	if (c > 0x10ffff)
		return 0;
	to[0] = (uint8_t)(0xf0 | c >> 18);
	to[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	to[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	to[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

/* The next character of a string with 'width' bytes for each; two of 2 bytes may be a pair. */
static uint32_t next_wide(struct rd *r, size_t width)
{
	uint32_t c = (uint32_t)rd_uint(r, width);
	struct rd ahead = *r;

	if (width != 2 || c < 0xd800 || c >= 0xdc00 || !rd_more(r))
		return c;

	uint32_t low = rd_u16(&ahead);

	if (low < 0xdc00 || low >= 0xe000)
		return c;
	*r = ahead;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* A string with 'width' bytes for each character as UTF-8; as it stands when it is no such thing.
 */
static struct x509_text convert(struct x509_memory *m, struct rd value, size_t width)
{
	struct x509_text plain = { value, false };
	struct rd r = value;
	size_t size = 0;
	uint8_t *to;

	if (value.left % width != 0)
		return plain;
	/* 1 byte becomes at most 2, 2 become at most 3, 4 at most 4. */
	to = x509_take(m, value.left / width * (width == 1 ? 2 : width == 2 ? 3 : UTF8_MOST));
	if (to == NULL)
		return plain;
	while (rd_more(&r)) {
		size_t one = put_utf8(to + size, next_wide(&r, width));

		if (one == 0)
			return plain;
		size += one;
	}
	return (struct x509_text){ { to, size }, true };
}

static bool is_ascii(struct rd r)
{
	for (size_t i = 0; i < r.left; i++) {
		if (r.p[i] >= 0x80)
			return false;
	}
	return true;
}

struct x509_text x509_text(struct x509_memory *m, uint8_t tag, struct rd value)
{
	switch (tag) {
	case DER_UTF8_STRING:
	case DER_NUMERIC_STRING:
	case DER_PRINTABLE_STRING:
	case DER_IA5_STRING:
	case DER_VISIBLE_STRING:
	case DER_GENERAL_STRING:
		return (struct x509_text){ value, x509_is_utf8(value) };
	case DER_T61_STRING:
		return is_ascii(value) ? (struct x509_text){ value, true } : convert(m, value, 1);
	case DER_BMP_STRING:
		return convert(m, value, 2);
	case DER_UNIVERSAL_STRING:
		return convert(m, value, 4);
	default:
		return (struct x509_text){ value, false };
	}
}

/* --- times -------------------------------------------------------------------------------------
 */
struct moment {
	int year, month, day, hour, minute, second;
};

/* Takes 'n' digits; -1, and 'r' fails, when they are none. */
static int digits(struct rd *r, size_t n)
{
	struct rd d = rd_bytes(r, n);
	int v = 0;

	for (size_t i = 0; i < d.left; i++) {
		if (d.p[i] < '0' || d.p[i] > '9') {
			*r = (struct rd){ NULL, 0 };
			return -1;
		}
		v = v * 10 + (d.p[i] - '0');
	}
	return rd_ok(&d) ? v : -1;
}

static bool starts_with_digit(const struct rd *r)
{
	return rd_more(r) && r->p[0] >= '0' && r->p[0] <= '9';
}

/* Seconds east of UTC: "Z", "+hhmm", "-hhmm"; 'r' fails on anything else. */
static int64_t offset(struct rd *r)
{
	uint8_t sign = rd_u8(r);
	int hours, minutes;

	if (sign == 'Z')
		return 0;
	hours = digits(r, 2);
	minutes = digits(r, 2);
	if ((sign != '+' && sign != '-') || hours > 23 || minutes > 59)
		*r = (struct rd){ NULL, 0 };
	return (sign == '-' ? -1 : 1) * ((int64_t)hours * 3600 + (int64_t)minutes * 60);
}

/* Days since 1970 of a date of the Gregorian calendar, also before it was in use. */
static int64_t days(int year, int month, int day)
{
	int64_t y = month > 2 ? year : (int64_t)year - 1; /* a year that begins in March */
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* 'days' backwards. */
static void date(int64_t since_1970, struct moment *t)
{
	int64_t z = since_1970 + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	t->day = (int)(of_year - (153 * month + 2) / 5 + 1);
	t->month = (int)(month < 10 ? month + 3 : month - 9);
	t->year = (int)(year + era * 400 + (t->month <= 2));
}

static int month_days(int year, int month)
{
	static const int8_t of[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return of[month - 1] + (month == 2 && leap);
}

/* No leap seconds: no certificate may count on one. */
static bool exists(const struct moment *t)
{
	return t->month >= 1 && t->month <= 12 && t->day >= 1 &&
	       t->day <= month_days(t->year, t->month) && t->hour < 24 && t->minute < 60 &&
	       t->second < 60;
}

/* A fraction of a second, which nobody needs. */
static void skip_fraction(struct rd *r)
{
	if (!rd_more(r) || (r->p[0] != '.' && r->p[0] != ','))
		return;
	do
		rd_u8(r);
	while (starts_with_digit(r));
}

/* Reads either type of time; false when it is no moment. */
static bool read_time(const struct der *d, int64_t *seconds)
{
	struct rd r = d->value;
	bool general = d->tag == DER_GENERALIZED_TIME;
	struct moment t = { .year = digits(&r, general ? 4 : 2) };
	int64_t east;

	if (!general)
		t.year += t.year < 50 ? 2000 : 1900; /* RFC 5280 section 4.1.2.5.1 */
	t.month = digits(&r, 2);
	t.day = digits(&r, 2);
	t.hour = digits(&r, 2);
	t.minute = digits(&r, 2);
	t.second = starts_with_digit(&r) ? digits(&r, 2) : 0;
	if (general)
		skip_fraction(&r);
	east = offset(&r);
	if (!rd_ok(&r) || rd_more(&r) || !exists(&t))
		return false;
	*seconds = days(t.year, t.month, t.day) * 86400 + t.hour * 3600 + t.minute * 60 + t.second -
		   east;
	return true;
}

struct x509_time x509_time(struct x509_memory *m, const struct der *d)
{
	enum { DAY = 86400, TEXT = sizeof "2026-01-31T12:00:00Z" };
	struct x509_time out = { .text = d->value };
	struct moment t = { 0 };
	int64_t seconds, of_day;
	char *text;

	if ((d->tag != DER_UTC_TIME && d->tag != DER_GENERALIZED_TIME) || !read_time(d, &seconds))
		return out;
	of_day = (seconds % DAY + DAY) % DAY;
	date((seconds - of_day) / DAY, &t);
	if (t.year < 0 || t.year > 9999) /* by way of its offset */
		return out;
	out.valid = true;
	out.seconds = seconds;
	text = x509_take(m, TEXT);
	if (text == NULL)
		return out;

	int size = snprintf(text, TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.year, t.month, t.day,
			(int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60));

	out.text = (struct rd){ (const uint8_t *)text, (size_t)size };
	return out;
}
