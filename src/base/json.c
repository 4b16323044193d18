/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.c - JSON values into a buffer: whole numbers, times, addresses, strings (RFC 8259, 5952,
 * 3629).
 *
 * Doubles have a file of their own, json_f64.c.
 */
#include "base/json.h"

#include "base/digits.h"
#include "base/json_16.h"

const char json_pairs[2 * 100 + 1] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";

const bool json_plain[256] = {
	[0x20 ... '"' - 1] = true,
	['"' + 1 ... '\\' - 1] = true,
	['\\' + 1 ... 0x7f] = true,
};

static const char hex_digits[] = "0123456789abcdef";

#define HEX_ROW(high)                                                                              \
	high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high      \
	     "9" high "a" high "b" high "c" high "d" high "e" high "f"

static const char hex_pairs[2 * 256 + 1] = HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3")
		HEX_ROW("4") HEX_ROW("5") HEX_ROW("6") HEX_ROW("7") HEX_ROW("8") HEX_ROW("9")
				HEX_ROW("a") HEX_ROW("b") HEX_ROW("c") HEX_ROW("d") HEX_ROW("e")
						HEX_ROW("f");

/* Rows of json_small: the digits in front, and what stands behind the comma. */
#define TEN(front, rest)                                                                           \
	front "0," rest front "1," rest front "2," rest front "3," rest front "4," rest front      \
	      "5," rest front "6," rest front "7," rest front "8," rest front "9," rest
#define HUNDRED(front)                                                                             \
	TEN(front "0", "\0\0\0\4")                                                                 \
	TEN(front "1", "\0\0\0\4")                                                                 \
	TEN(front "2", "\0\0\0\4")                                                                 \
	TEN(front "3", "\0\0\0\4")                                                                 \
	TEN(front "4", "\0\0\0\4")                                                                 \
	TEN(front "5", "\0\0\0\4")                                                                 \
	TEN(front "6", "\0\0\0\4")                                                                 \
	TEN(front "7", "\0\0\0\4") TEN(front "8", "\0\0\0\4") TEN(front "9", "\0\0\0\4")

/* clang-format off */
const char json_small[8 * JSON_SMALL + 1] =
	TEN("", "\0\0\0\0\0\2")
	TEN("1", "\0\0\0\0\3") TEN("2", "\0\0\0\0\3") TEN("3", "\0\0\0\0\3")
	TEN("4", "\0\0\0\0\3") TEN("5", "\0\0\0\0\3") TEN("6", "\0\0\0\0\3")
	TEN("7", "\0\0\0\0\3") TEN("8", "\0\0\0\0\3") TEN("9", "\0\0\0\0\3")
	HUNDRED("1") HUNDRED("2") HUNDRED("3") HUNDRED("4") HUNDRED("5")
	HUNDRED("6") HUNDRED("7") HUNDRED("8") HUNDRED("9")
	TEN("100", "\0\0\5") TEN("101", "\0\0\5")
	"1020,\0\0\5" "1021,\0\0\5" "1022,\0\0\5" "1023,\0\0\5";
/* clang-format on */

/* "000" to "999", and in the last byte the size of a point and these digits without the zeros
 * behind; 0 for "000". */
/* clang-format off */
#define SIZED(front, last) \
	front "0" last front "1\4" front "2\4" front "3\4" front "4\4" \
	front "5\4" front "6\4" front "7\4" front "8\4" front "9\4"
#define SIZED_TENS(front, last) \
	SIZED(front "0", last) SIZED(front "1", "\3") SIZED(front "2", "\3") \
	SIZED(front "3", "\3") SIZED(front "4", "\3") SIZED(front "5", "\3") \
	SIZED(front "6", "\3") SIZED(front "7", "\3") SIZED(front "8", "\3") SIZED(front "9", "\3")

static const char thousandths[4 * 1000 + 1] =
	SIZED_TENS("0", "\0") SIZED_TENS("1", "\2") SIZED_TENS("2", "\2") SIZED_TENS("3", "\2")
	SIZED_TENS("4", "\2") SIZED_TENS("5", "\2") SIZED_TENS("6", "\2") SIZED_TENS("7", "\2")
	SIZED_TENS("8", "\2") SIZED_TENS("9", "\2");
/* clang-format on */

char *json_put_large(char *to, uint64_t v)
{
	if (v >= DIGITS_EIGHT) {
		to = json_put_u64(to, v / DIGITS_EIGHT);
		digits_store(to, digits_eight((uint32_t)(v % DIGITS_EIGHT)) + DIGITS_ASCII);
		return to + 8;
	}

	const uint64_t digits = digits_eight((uint32_t)v);
	const unsigned zeros = digits_before(digits);

	digits_store(to, (digits + DIGITS_ASCII) >> 8 * zeros);
	return to + 8 - zeros;
}

/* A point and 'v' / 10^8, trailing zeros removed; v is not 0. */
static char *put_fraction(char *to, uint32_t v)
{
	const uint64_t digits = digits_eight(v);

	*to = '.';
	digits_store(to + 1, digits + DIGITS_ASCII);
	return to + 1 + 8 - digits_behind(digits);
}

/* The same of 'v' / 1000, by its three digits; nothing when v is 0. */
static inline char *put_thousandths(char *to, size_t v)
{
	*to = '.';
	memcpy(to + 1, thousandths + 4 * v, 4);
	return to + thousandths[4 * v + 3];
}

static inline char *put_whole_ms(char *to, uint64_t v)
{
	if (v >= JSON_SMALL)
		return json_put_u64(to, v);
	return json_put_small(to, v) - 1;
}

char *json_put_ms(char *to, int64_t ns)
{
	uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	const uint64_t us = v / 1000;

	if (ns < 0)
		*to++ = '-';
	to = put_whole_ms(to, us / 1000);
	if (us * 1000 == v)
		return put_thousandths(to, us % 1000);
	return put_fraction(to, (uint32_t)(v % 1000000 * 100));
}

/* Nine digits behind a point, all of them. */
static char *put_nine(char *to, uint32_t v)
{
	to[0] = '.';
	to[1] = (char)('0' + v / DIGITS_EIGHT);
	digits_store(to + 2, digits_eight(v % DIGITS_EIGHT) + DIGITS_ASCII);
	return to + 10;
}

char *json_put_s(char *to, int64_t ns)
{
	uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	if (ns < 0)
		*to++ = '-';
	to = json_put_u64(to, v / 1000000000);
	if (v % 1000000000 == 0)
		return to;
	to = put_nine(to, (uint32_t)(v % 1000000000));
	while (to[-1] == '0')
		to--;
	return to;
}

/* From September 2001 to 2286 they have ten digits. */
static inline char *put_seconds(char *to, uint64_t v)
{
	const uint64_t ten_digits = UINT64_C(1000000000);

	if (v < ten_digits || v >= 10 * ten_digits)
		return json_put_u64(to, v);
	memcpy(to, json_pairs + 2 * (v / DIGITS_EIGHT), 2);
	digits_store(to + 2, digits_eight((uint32_t)(v % DIGITS_EIGHT)) + DIGITS_ASCII);
	return to + 10;
}

char *json_put_time(char *to, int64_t ns, bool nanoseconds)
{
	if (!nanoseconds) { /* towards the past, also before 1970 */
		int64_t rest = ns % 1000;

		ns = rest < 0 ? (ns / 1000 - 1) : ns / 1000;
	}

	const uint32_t unit = nanoseconds ? 1000000000 : 1000000;
	uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	uint32_t part = (uint32_t)(v % unit);

	if (ns < 0)
		*to++ = '-';
	to = put_seconds(to, v / unit);
	if (nanoseconds)
		return put_nine(to, part);
	*to = '.';
	digits_store(to + 1, digits_eight(part * 100) + DIGITS_ASCII);
	return to + 7;
}

char *json_put_hex(char *to, const uint8_t *bytes, size_t size)
{
	const uint8_t *end = bytes + size;

#ifdef __SSE2__
	for (; end - bytes >= JSON_SIXTEEN; bytes += JSON_SIXTEEN, to += 2 * JSON_SIXTEEN)
		json_hex_16(to, bytes);
#endif
	for (; bytes < end; bytes++, to += 2)
		memcpy(to, hex_pairs + 2 * (size_t)*bytes, 2);
	return to;
}

char *json_put_ipv4(char *to, const uint8_t *bytes)
{
	for (size_t i = 0; i < 4; i++) {
		memcpy(to, json_small + 8 * (size_t)bytes[i], 4);
		to += json_small[8 * (size_t)bytes[i] + 7];
		to[-1] = '.'; /* in place of the comma */
	}
	return to - 1;
}

/* A group of an IPv6 address: hexadecimal without zeros in front. */
static char *put_group(char *to, uint32_t v)
{
	for (unsigned shift = v >= 0x1000 ? 16 : v >= 0x100 ? 12 : v >= 0x10 ? 8 : 4; shift > 0;) {
		shift -= 4;
		*to++ = hex_digits[v >> shift & 15];
	}
	return to;
}

/* The longest run of two or more zero groups, the first of equals: where it begins and ends; 8, 8
 * without. */
static void longest_zeros(const uint16_t *group, size_t *begin, size_t *end)
{
	size_t run = 0;

	*begin = *end = 8;
	for (size_t i = 0; i < 8; i++) {
		run = group[i] == 0 ? run + 1 : 0;
		if (run >= 2 && (*begin == 8 || run > *end - *begin)) {
			*begin = i + 1 - run;
			*end = i + 1;
		}
	}
}

char *json_put_ipv6(char *to, const uint8_t *bytes)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint16_t group[8];
	size_t begin, end;

	if (memcmp(bytes, mapped, sizeof mapped) == 0) {
		memcpy(to, "::ffff:", 7);
		return json_put_ipv4(to + 7, bytes + 12);
	}
	for (size_t i = 0; i < 8; i++)
		group[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
	longest_zeros(group, &begin, &end);

	for (size_t i = 0; i < 8; i++) {
		if (i == begin) {
			*to++ = ':';
			*to++ = ':';
			i = end;
			if (i == 8)
				break;
		} else if (i > 0) {
			*to++ = ':';
		}
		to = put_group(to, group[i]);
	}
	return to;
}

/* RFC 3629 section 4: by first byte, up to 'last', how many bytes and which second byte. */
static const struct {
	uint8_t last, size, low, high;
} leads[] = {
	{ 0xdf, 2, 0x80, 0xbf },
	{ 0xe0, 3, 0xa0, 0xbf },
	{ 0xec, 3, 0x80, 0xbf },
	{ 0xed, 3, 0x80, 0x9f },
	{ 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 4, 0x90, 0xbf },
	{ 0xf3, 4, 0x80, 0xbf },
	{ 0xf4, 4, 0x80, 0x8f },
};

size_t json_utf8_size(struct rd r)
{
	const uint8_t *p = r.p;
	size_t kind = 0;

	if (r.left == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	while (p[0] > leads[kind].last)
		kind++;

	const size_t size = leads[kind].size;

	if (r.left < size || p[1] < leads[kind].low || p[1] > leads[kind].high)
		return 0;
	for (size_t i = 2; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return size;
}

/* One character that needs care; takes it from 'r'. */
static char *put_special(char *to, struct rd *r)
{
	static const char letter[] = "btn?fr"; /* of 8 to 13 */
	const uint8_t c = *r->p;
	const size_t size = json_utf8_size(*r);
	struct rd character = rd_bytes(r, size > 0 ? size : 1);

	if (size > 1) {
		memcpy(to, character.p, size);
		return to + size;
	}
	*to++ = '\\';
	if (c == '"' || c == '\\') {
		*to++ = (char)c;
	} else if (c >= 8 && c <= 13 && c != 11) {
		*to++ = letter[c - 8];
	} else {
		memcpy(to, "u00", 3);
		to = json_put_hex(to + 3, &c, 1);
	}
	return to;
}

/* Copies up to sixteen of 'left' bytes; returns how many of them are plain, up to the first that is
 * not. */
static inline size_t put_plain(char *to, const uint8_t *p, size_t left)
{
	size_t n = 0;

	if (left >= JSON_SIXTEEN)
		return json_copy_16(to, p);
	if (json_may_read(p, JSON_SIXTEEN)) {
		n = json_copy_16(to, p);
		return n < left ? n : left;
	}
	for (; n < left && json_plain[p[n]]; n++)
		to[n] = (char)p[n];
	return n;
}

char *json_put_text(char *to, struct rd *r, size_t size)
{
	if (size > r->left)
		size = r->left;

	const uint8_t *p = r->p;
	const uint8_t *const end = p + size, *const all = p + r->left;

	while (p < end) {
		const size_t left = (size_t)(end - p), n = put_plain(to, p, left);

		to += n;
		p += n;
		if (n < JSON_SIXTEEN && n < left) {
			*r = (struct rd){ p, (size_t)(all - p) };
			to = put_special(to, r);
			p = r->p;
		}
	}
	*r = (struct rd){ p, (size_t)(all - p) };
	return to;
}

/* --- into a buffer ------------------------------------------------------------------------------
 */

static void commit_to(struct buf *b, const char *end)
{
	b->size = (size_t)(end - b->p);
}

void json_u64(struct buf *b, uint64_t v)
{
	char *to = buf_reserve(b, JSON_ROOM_NUMBER);

	if (to != NULL)
		commit_to(b, json_put_u64(to, v));
}

void json_i64(struct buf *b, int64_t v)
{
	char *to = buf_reserve(b, JSON_ROOM_NUMBER);

	if (to != NULL)
		commit_to(b, json_put_i64(to, v));
}

void json_f64(struct buf *b, double v)
{
	char *to = buf_reserve(b, JSON_ROOM_NUMBER);

	if (to != NULL)
		commit_to(b, json_put_f64(to, v));
}

void json_bool(struct buf *b, bool v)
{
	buf_text(b, v ? "true" : "false");
}

void json_null(struct buf *b)
{
	buf_text(b, "null");
}

void json_ms(struct buf *b, int64_t ns)
{
	char *to = buf_reserve(b, JSON_ROOM_NUMBER);

	if (to != NULL)
		commit_to(b, json_put_ms(to, ns));
}

void json_s(struct buf *b, int64_t ns)
{
	char *to = buf_reserve(b, JSON_ROOM_NUMBER);

	if (to != NULL)
		commit_to(b, json_put_s(to, ns));
}

void json_time(struct buf *b, int64_t ns, bool nanoseconds)
{
	char *to = buf_reserve(b, JSON_ROOM_NUMBER);

	if (to != NULL)
		commit_to(b, json_put_time(to, ns, nanoseconds));
}

void json_hex(struct buf *b, const uint8_t *bytes, size_t size)
{
	char *to = size > SIZE_MAX / 4 ? NULL : buf_reserve(b, 2 * size + 2);

	if (to == NULL) {
		b->failed = true;
		return;
	}
	*to++ = '"';
	to = json_put_hex(to, bytes, size);
	*to++ = '"';
	commit_to(b, to);
}

static void address(
		struct buf *b, char *(*put)(char *to, const uint8_t *bytes), const uint8_t *bytes)
{
	char *to = buf_reserve(b, JSON_ROOM_ADDRESS + 2);

	if (to == NULL)
		return;
	*to++ = '"';
	to = put(to, bytes);
	*to++ = '"';
	commit_to(b, to);
}

void json_ipv4(struct buf *b, const uint8_t *bytes)
{
	address(b, json_put_ipv4, bytes);
}

void json_ipv6(struct buf *b, const uint8_t *bytes)
{
	address(b, json_put_ipv6, bytes);
}

void json_escaped(struct buf *b, const void *bytes, size_t size)
{
	enum { PIECE = 1024 };
	struct rd r = { bytes, size };

	while (rd_more(&r)) {
		size_t piece = r.left < PIECE ? r.left : PIECE;
		char *to = buf_reserve(b, JSON_ROOM_BYTE * (piece + 3));

		if (to == NULL)
			return;
		commit_to(b, json_put_text(to, &r, piece));
	}
}

void json_string(struct buf *b, const void *bytes, size_t size)
{
	buf_byte(b, '"');
	json_escaped(b, bytes, size);
	buf_byte(b, '"');
}

void json_text(struct buf *b, const char *text)
{
	if (text == NULL)
		json_null(b);
	else
		json_string(b, text, strlen(text));
}

void json_comma(struct buf *b)
{
	if (b->size > 0 && b->p[b->size - 1] != '{' && b->p[b->size - 1] != '[')
		buf_byte(b, ',');
}

void json_key(struct buf *b, const char *key)
{
	json_comma(b);
	json_text(b, key);
	buf_byte(b, ':');
}
