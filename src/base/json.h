/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.h - the only writer of JSON (RFC 8259): digits, doubles, strings, addresses; no printf.
 *
 * The json_* functions append to a struct buf.  The json_put_* functions beneath them write
 * straight to memory and return the place behind; the caller provides the room that JSON_ROOM_*
 * names, since they store in whole words and may touch bytes behind the place they return. The
 * output depends on the value only: no locale, no rounding mode, the same bytes on any machine.
 */
#pragma once

#include "base/buf.h"
#include "base/rd.h"

enum {                          /* bytes that must be writable at 'to' */
	JSON_ROOM_NUMBER = 32,  /* any number, duration or time */
	JSON_ROOM_ADDRESS = 48, /* an address without quotes */
	JSON_ROOM_BYTE = 6,     /* each byte of a text, escaped */
};

#define JSON_OURS __attribute__((visibility("hidden"))) /* so it is read without a detour */

enum { JSON_SMALL = 1024 }; /* a power of two */

/*
 * The numbers below JSON_SMALL with a comma behind, eight bytes each: the text, zeros, and in the
 * last byte the size with the comma.
 */
extern const char JSON_OURS json_small[8 * JSON_SMALL + 1];

/* One of them, with its comma; eight bytes must be writable. */
static inline char *json_put_small(char *to, uint64_t v)
{
	memcpy(to, json_small + 8 * v, 8);
	return to + json_small[8 * v + 7];
}

/* "00", "01" ... "99" */
extern const char JSON_OURS json_pairs[2 * 100 + 1];

/* Numbers of five digits and more. */
char *json_put_large(char *to, uint64_t v);

/* Two digits, the first in the low byte, so that shifts drop zeros in front on any machine. */
static inline uint64_t json_pair(uint32_t v)
{
	uint16_t pair;

	memcpy(&pair, json_pairs + 2 * (size_t)v, sizeof pair);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	pair = __builtin_bswap16(pair);
#endif
	return pair;
}

/* Stores four digits. */
static inline void json_store(char *to, uint64_t digits)
{
	to[0] = (char)digits;
	to[1] = (char)(digits >> 8);
	to[2] = (char)(digits >> 16);
	to[3] = (char)(digits >> 24);
}

static inline char *json_put_u64(char *to, uint64_t v)
{
	if (v >= 10000)
		return json_put_large(to, v);

	const uint32_t n = (uint32_t)v;
	const int zeros = (n < 10) + (n < 100) + (n < 1000);

	json_store(to, (json_pair(n / 100) | json_pair(n % 100) << 16) >> 8 * zeros);
	return to + 4 - zeros;
}

static inline char *json_put_i64(char *to, int64_t v)
{
	if (v >= 0)
		return json_put_u64(to, (uint64_t)v);
	*to = '-';
	return json_put_u64(to + 1, 0 - (uint64_t)v);
}

/*
 * Integers below 2^53 without a point; else 15 significant digits, rounded half to even from the
 * exact value, trailing zeros removed; 1e-5 <= |v| < 1e15 plain, others as d.ddde-NN, d.ddde+NN.
 * NaN and infinities: null.
 */
char *json_put_f64(char *to, double v);

/* Nanoseconds, exactly: in milliseconds with up to 6 decimals, in seconds with up to 9. */
char *json_put_ms(char *to, int64_t ns);
char *json_put_s(char *to, int64_t ns);

/* A moment in seconds with 9 decimals, or with 6 (the time then is the last whole microsecond). */
char *json_put_time(char *to, int64_t ns, bool nanoseconds);

/* Two lower-case digits for each of 'size' bytes. */
char *json_put_hex(char *to, const uint8_t *bytes, size_t size);

/* Without quotes: dotted IPv4 of 4 bytes, or IPv6 of 16 as RFC 5952 (mapped IPv4 as
 * ::ffff:1.2.3.4). */
char *json_put_ipv4(char *to, const uint8_t *bytes);
char *json_put_ipv6(char *to, const uint8_t *bytes);

/* Whether a byte stands for itself in a JSON string, whatever is around it. */
extern const bool json_plain[256];

/* Bytes of the UTF-8 character (RFC 3629) that begins at r.p: 1 to 4; 0 when it is none or cut. */
size_t json_utf8_size(struct rd r);

/*
 * Escapes the first 'size' bytes of 'r', and at most 3 more to finish a character; takes them from
 * 'r'. Valid UTF-8 stays; any other byte becomes \u00XX.  Room: JSON_ROOM_BYTE * (size + 3).
 */
char *json_put_text(char *to, struct rd *r, size_t size);

/* Whole values.  Strings come in quotes. */
void json_u64(struct buf *b, uint64_t v);
void json_i64(struct buf *b, int64_t v);
void json_f64(struct buf *b, double v);
void json_bool(struct buf *b, bool v);
void json_null(struct buf *b);
void json_ms(struct buf *b, int64_t ns);
void json_s(struct buf *b, int64_t ns);
void json_time(struct buf *b, int64_t ns, bool nanoseconds);
void json_hex(struct buf *b, const uint8_t *bytes, size_t size);
void json_ipv4(struct buf *b, const uint8_t *bytes);
void json_ipv6(struct buf *b, const uint8_t *bytes);
void json_string(struct buf *b, const void *bytes, size_t size);
void json_text(struct buf *b, const char *text); /* NULL: null */

/* What json_string() writes between the quotes. */
void json_escaped(struct buf *b, const void *bytes, size_t size);

/*
 * For objects and lists written by hand: a comma unless the byte before opens one ('{' or '['), and
 * with json_key() the key and its colon.  Brackets are buf_byte().
 */
void json_comma(struct buf *b);
void json_key(struct buf *b, const char *key);
