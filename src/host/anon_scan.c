/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_scan.c - finds addresses in text of any kind.
 *
 * An IPv4 address is four numbers with dots between, no more (object identifiers have more), or
 * four with dashes, as in ip-10-0-0-1.example; an IPv6 address is what reads as one.  Neither has a
 * letter or digit before or behind it.  Reverse names (in-addr.arpa, ip6.arpa) may be those of a
 * zone, with fewer labels, and may have more in front.
 */
#include <string.h>
#include <strings.h>

#include "host/anon_internal.h"

enum { NO_NUMBER = 256, DIGITS = 3, V6_TEXT = 45, NIBBLES = 32 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes beyond ASCII are parts of letters. */
static bool is_letter(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

bool anon_is_start(const char *text, size_t at)
{
	return at == 0 || !is_letter(text[at - 1]);
}

static bool ends_at(const char *text, size_t size, size_t at)
{
	return at == size || !is_letter(text[at]);
}

static bool follows(const char *text, size_t size, size_t at, const char *word)
{
	size_t n = strlen(word);

	return size - at >= n && strncasecmp(text + at, word, n) == 0 &&
	       ends_at(text, size, at + n);
}

/* "10.1.2.0/24": fewer bits are told. */
static void take_length(const char *text, size_t size, struct anon_token *t)
{
	size_t at = t->skip + t->size + 1;
	unsigned v = 0, digits = 0;

	if (at > size || text[at - 1] != '/')
		return;
	for (; at < size && is_digit(text[at]) && digits < DIGITS; at++, digits++)
		v = v * 10 + (unsigned)(text[at] - '0');
	if (digits > 0 && v < t->bits && ends_at(text, size, at))
		t->bits = (uint8_t)v;
}

/* --- numbers ----------------------------------------------------------------------------- */

/* Numbers with the same sign between them, the first four and the last four. */
struct numbers {
	size_t count, end;
	uint16_t first[4], last[4]; /* the last one in last[3]; NO_NUMBER: not of an address */
	size_t first_end, last_start[4];
};

static uint16_t take_number(const char *text, size_t size, size_t *at)
{
	unsigned v = 0;
	size_t start = *at;

	for (; *at < size && is_digit(text[*at]); ++*at)
		if (v < NO_NUMBER)
			v = v * 10 + (unsigned)(text[*at] - '0');
	return v > 255 || *at - start > DIGITS ? NO_NUMBER : (uint16_t)v;
}

static struct numbers take_numbers(const char *text, size_t size, size_t at, char sign)
{
	struct numbers n = { .count = 0 };

	for (;;) {
		size_t start = at;
		uint16_t v = take_number(text, size, &at);

		if (n.count < 4) {
			n.first[n.count] = v;
			n.first_end = at;
		}
		memmove(n.last, n.last + 1, 3 * sizeof n.last[0]);
		memmove(n.last_start, n.last_start + 1, 3 * sizeof n.last_start[0]);
		n.last[3] = v;
		n.last_start[3] = start;
		n.count++;
		if (at + 1 >= size || text[at] != sign || !is_digit(text[at + 1]))
			break;
		at++;
	}
	n.end = at;
	return n;
}

static bool take_bytes(const uint16_t *numbers, struct anon_token *t)
{
	for (unsigned i = 0; i < 4; i++) {
		if (numbers[i] == NO_NUMBER)
			return false;
		t->bytes[i] = (uint8_t)numbers[i];
	}
	t->version = 4;
	t->bits = 32;
	return true;
}

static bool scan_v4(const char *text, size_t size, const struct numbers *n, char sign,
		struct anon_token *t)
{
	bool whole = sign == '.' ? n->count == 4 : n->count >= 4;

	if (!whole || !ends_at(text, size, n->first_end) || !take_bytes(n->first, t))
		return false;
	t->kind = ANON_V4;
	t->separator = sign;
	t->size = n->first_end;
	take_length(text, size, t);
	return true;
}

/* "4.3.2.10.in-addr.arpa", or of a zone "2.10.in-addr.arpa". */
static bool scan_reverse4(
		const char *text, size_t size, const struct numbers *n, struct anon_token *t)
{
	size_t labels = n->count < 4 ? n->count : 4;

	if (!follows(text, size, n->end, ".in-addr.arpa"))
		return false;
	for (size_t i = 0; i < labels; i++) {
		if (n->last[3 - i] == NO_NUMBER)
			return false;
		t->bytes[i] = (uint8_t)n->last[3 - i];
	}
	t->kind = ANON_REVERSE4;
	t->separator = '.';
	t->version = 4;
	t->bits = (uint8_t)(8 * labels);
	t->skip = n->last_start[4 - labels];
	t->size = n->end - t->skip;
	return true;
}

/* --- IPv6 -------------------------------------------------------------------------------- */

static unsigned hex_value(char c)
{
	return is_digit(c) ? (unsigned)(c - '0') : ((unsigned)c & 7) + 9;
}

/* "1.0...8.b.d.0.1.0.0.2.ip6.arpa" */
static bool scan_reverse6(const char *text, size_t size, struct anon_token *t)
{
	size_t at = 0, labels;

	while (at + 1 < size && is_hex(text[at]) && text[at + 1] == '.')
		at += 2;
	if (at == 0 || !follows(text, size, at, "ip6.arpa"))
		return false;
	labels = at / 2 < NIBBLES ? at / 2 : NIBBLES;
	for (size_t i = 0; i < labels; i++)
		t->bytes[i / 2] |= (uint8_t)(hex_value(text[at - 2 - 2 * i]) << (i % 2 ? 0 : 4));
	t->kind = ANON_REVERSE6;
	t->separator = '.';
	t->version = 6;
	t->bits = (uint8_t)(4 * labels);
	t->skip = at - 2 * labels;
	t->size = 2 * labels - 1;
	return true;
}

static bool scan_v6(const char *text, size_t size, struct anon_token *t)
{
	size_t end = 0, colons = 0;
	struct prefix p;

	for (; end < size && (is_hex(text[end]) || text[end] == ':' || text[end] == '.'); end++)
		colons += text[end] == ':';
	if (colons < 2 || !ends_at(text, size, end))
		return false;
	/* a sentence, or a list, goes on behind it */
	while (end > 0 && (end > V6_TEXT || prefix_parse(text, end, &p) != NULL)) {
		if (text[end - 1] != '.' && text[end - 1] != ':')
			return false;
		end--;
	}
	if (end == 0 || p.version != 6)
		return false;
	t->kind = ANON_V6;
	t->version = 6;
	t->bits = 128;
	t->size = end;
	memcpy(t->bytes, p.bytes, sizeof t->bytes);
	take_length(text, size, t);
	return true;
}

/* --- all of them ------------------------------------------------------------------------- */

static struct anon_token scan(const char *text, size_t size)
{
	struct anon_token t = { .kind = ANON_NO_TOKEN };
	struct numbers n;

	if (scan_reverse6(text, size, &t) || scan_v6(text, size, &t))
		return t;
	if (!is_digit(*text))
		return (struct anon_token){ .skip = 1 };
	n = take_numbers(text, size, 0, '-');
	if (n.count > 1) {
		if (!scan_v4(text, size, &n, '-', &t))
			t = (struct anon_token){ .skip = n.count < 4 ? n.end : 1 };
		return t;
	}
	n = take_numbers(text, size, 0, '.');
	if (scan_reverse4(text, size, &n, &t) || scan_v4(text, size, &n, '.', &t))
		return t;
	return (struct anon_token){ .skip = n.end };
}

struct anon_token anon_scan(const char *text, size_t size, size_t at)
{
	char c = text[at];
	bool colon = at > 0 && text[at - 1] == ':' && c == ':';

	if (!(is_hex(c) || c == ':') || colon || !anon_is_start(text, at))
		return (struct anon_token){ .skip = 1 };

	struct anon_token t = scan(text + at, size - at);

	/* what is not told is 0 */
	if (t.kind != ANON_NO_TOKEN) {
		if (t.bits % 8 != 0)
			t.bytes[t.bits / 8] &= (uint8_t)(0xff00 >> t.bits % 8);
		for (unsigned i = (t.bits + 7u) / 8; i < sizeof t.bytes; i++)
			t.bytes[i] = 0;
	}
	return t;
}
