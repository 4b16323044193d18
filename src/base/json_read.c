/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_read.c - the grammar of RFC 8259, and UTF-8 of RFC 3629 in strings.
 *
 * Brackets are counted, not recursed into.  A string is found sound where it is read, so that
 * taking its escapes off cannot fail.
 */
#include "base/json_read.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"

_Static_assert(LIMIT_JSON_DEPTH <= 64, "a bit for each");

static struct json_value bad(struct json_reader *j, const char *why)
{
	if (j->fault == NULL) {
		j->fault_at = j->size - j->left.left;
		j->fault = why;
	}
	j->left = (struct rd){ NULL, 0 };
	return (struct json_value){ .kind = JSON_BAD };
}

/* The same for a place 'at' bytes ahead. */
static struct json_value bad_at(struct json_reader *j, size_t at, const char *why)
{
	rd_bytes(&j->left, at);
	return bad(j, why);
}

static void pass_space(struct json_reader *j)
{
	struct rd r = j->left;

	while (rd_more(&r) && (*r.p == ' ' || *r.p == '\t' || *r.p == '\n' || *r.p == '\r'))
		rd_bytes(&r, 1);
	j->left = r;
}

/* The next byte that is no white space, not taken; 0 at the end. */
static inline uint8_t peek(struct json_reader *j)
{
	if (rd_more(&j->left) && *j->left.p > ' ')
		return *j->left.p;
	pass_space(j);
	return rd_more(&j->left) ? *j->left.p : 0;
}

/* --- strings ----------------------------------------------------------------------------- */

/* One more than the value of a hexadecimal digit; 0: it is none. */
static const uint8_t hex_digit[256] = {
	['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16,
	['A'] = 11,
	['B'] = 12,
	['C'] = 13,
	['D'] = 14,
	['E'] = 15,
	['F'] = 16,
};

static int hex_value(uint8_t c)
{
	return hex_digit[c] - 1;
}

/* The code of the four digits behind \u; -1: there are none. */
static int32_t code_unit(struct rd r)
{
	int32_t code = 0;

	r = rd_bytes(&r, 4);
	if (!rd_ok(&r))
		return -1;
	for (size_t i = 0; i < r.left; i++) {
		const int digit = hex_value(r.p[i]);

		if (digit < 0)
			return -1;
		code = code << 4 | digit;
	}
	return code;
}

static bool is_high(int32_t code)
{
	return code >= 0xd800 && code < 0xdc00;
}

static bool is_low(int32_t code)
{
	return code >= 0xdc00 && code < 0xe000;
}

/* An escape that begins with \u: its character, and its size of 6 or 12 bytes; 0: it is unsound. */
static size_t wide_escape(struct rd r, int32_t *character)
{
	struct rd first = r, second;

	rd_bytes(&first, 2);
	*character = code_unit(first);
	if (*character < 0 || is_low(*character))
		return 0;
	if (!is_high(*character))
		return 6;
	second = first;
	rd_bytes(&second, 4);
	if (second.left < 6 || second.p[0] != '\\' || second.p[1] != 'u')
		return 0;
	rd_bytes(&second, 2);

	const int32_t low = code_unit(second);

	if (!is_low(low))
		return 0;
	*character = 0x10000 + ((*character - 0xd800) << 10 | (low - 0xdc00));
	return 12;
}

/* Bytes of the escape at the beginning of 'r'; 0: it is unsound. */
static size_t escape_size(struct rd r)
{
	int32_t character;

	if (r.left < 2)
		return 0;
	if (r.p[1] == 'u')
		return wide_escape(r, &character);
	return r.p[1] != '\0' && strchr("\"\\/bfnrt", r.p[1]) != NULL ? 2 : 0;
}

/* How many bytes at the front surely stand for themselves; eight at a time. */
static inline size_t plain_bytes(struct rd r)
{
	size_t at = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t ones = UINT64_C(0x0101010101010101);

	for (uint64_t word; r.left - at >= sizeof word; at += sizeof word) {
		memcpy(&word, r.p + at, sizeof word);

		const uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
		/* a high bit for each byte that is a quote, a backslash, below 0x20, above 0x7f;
		 * right for the first of them */
		const uint64_t found =
				((quote - ones) | (slash - ones) | (word - ones * 0x20) | word) &
				ones * 0x80;

		if (found != 0)
			return at + (size_t)__builtin_ctzll(found) / 8;
	}
#endif
	while (at < r.left && json_plain[r.p[at]])
		at++;
	return at;
}

/* What the reader stands before is a quote. */
static struct json_value read_string(struct json_reader *j)
{
	struct json_value v = { .kind = JSON_STRING };
	struct rd r = j->left;

	rd_bytes(&r, 1);
	v.text = r;
	for (;;) {
		size_t size = plain_bytes(r);

		rd_bytes(&r, size);
		if (!rd_more(&r))
			return bad_at(j, j->left.left, "a string does not end");
		if (*r.p == '"')
			break;
		if (json_plain[*r.p])
			size = 1; /* plain_bytes() may stop early */
		else if (*r.p == '\\')
			size = escape_size(r), v.escaped = true;
		else
			size = *r.p < 0x20 ? 0 : json_utf8_size(r);
		if (size == 0)
			return bad_at(j, j->left.left - r.left,
					*r.p == '\\'  ? "an escape is wrong"
					: *r.p < 0x20 ? "a control character stands in a string"
						      : "a string is not UTF-8");
		rd_bytes(&r, size);
	}
	v.text.left -= r.left;
	rd_bytes(&r, 1);
	j->left = r;
	return v;
}

static size_t put_utf8(int32_t c, char *to)
{
	if (c < 0x80)
		return to[0] = (char)c, 1;
	if (c < 0x800)
		return to[0] = (char)(0xc0 | c >> 6), to[1] = (char)(0x80 | (c & 0x3f)), 2;

	const size_t size = c < 0x10000 ? 3 : 4;

	to[0] = (char)(size == 3 ? 0xe0 | c >> 12 : 0xf0 | c >> 18);
	for (size_t i = 1; i < size; i++)
		to[i] = (char)(0x80 | (c >> 6 * (int)(size - 1 - i) & 0x3f));
	return size;
}

/* Takes an escape from 'r', which is sound. */
static size_t put_escape(struct rd *r, char *to)
{
	static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
	const uint8_t letter = r->p[1];
	const char *found = strchr(letters, letter);
	int32_t character = 0;

	if (letter == 'u') {
		rd_bytes(r, wide_escape(*r, &character));
		return put_utf8(character, to);
	}
	rd_bytes(r, 2);
	*to = found != NULL ? controls[found - letters] : (char)letter;
	return 1;
}

size_t json_to_text(const struct json_value *string, char *to)
{
	struct rd r = string->text;
	size_t size = 0;

	while (rd_more(&r)) {
		const uint8_t *slash = string->escaped ? memchr(r.p, '\\', r.left) : NULL;
		const struct rd plain =
				rd_bytes(&r, slash == NULL ? r.left : (size_t)(slash - r.p));

		memcpy(to + size, plain.p, plain.left);
		size += plain.left;
		if (rd_more(&r))
			size += put_escape(&r, to + size);
	}
	return size;
}

bool json_to_hex(struct rd text, uint8_t *to)
{
	int bad = 0;

	if (text.left % 2 != 0)
		return false;
	for (size_t i = 0; i < text.left; i += 2) {
		const int high = hex_value(text.p[i]), low = hex_value(text.p[i + 1]);

		bad |= high | low;
		to[i / 2] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	return bad >= 0;
}

/* --- other values ------------------------------------------------------------------------ */

static size_t pass_digits(struct rd r, size_t at)
{
	while (at < r.left && r.p[at] >= '0' && r.p[at] <= '9')
		at++;
	return at;
}

static bool is_at(struct rd r, size_t at, char c)
{
	return at < r.left && r.p[at] == (uint8_t)c;
}

static struct json_value read_number(struct json_reader *j)
{
	const struct rd r = j->left;
	size_t from = is_at(r, 0, '-'), at = pass_digits(r, from);

	if (at == from)
		return bad(j, "a value is missing");
	if (r.p[from] == '0' && at - from > 1)
		return bad(j, "a number begins with 0");
	if (is_at(r, at, '.')) {
		from = at + 1;
		at = pass_digits(r, from);
		if (at == from)
			return bad_at(j, at, "a digit is missing");
	}
	if (is_at(r, at, 'e') || is_at(r, at, 'E')) {
		from = at + 1;
		from += is_at(r, from, '+') || is_at(r, from, '-');
		at = pass_digits(r, from);
		if (at == from)
			return bad_at(j, at, "a digit is missing");
	}
	return (struct json_value){ .kind = JSON_NUMBER, .text = rd_bytes(&j->left, at) };
}

static struct json_value read_word(struct json_reader *j, const char *word, enum json_kind kind)
{
	const size_t size = strlen(word);

	if (j->left.left < size || memcmp(j->left.p, word, size) != 0)
		return bad(j, "a value is missing");
	rd_bytes(&j->left, size);
	return (struct json_value){ .kind = kind };
}

static struct json_value open_bracket(struct json_reader *j, bool object)
{
	if (j->depth == LIMIT_JSON_DEPTH)
		return bad(j, "brackets lie too deep");
	j->depth++;
	j->objects = j->objects << 1 | object;
	j->place = JSON_BEHIND_BRACKET;
	rd_bytes(&j->left, 1);
	return (struct json_value){ .kind = object ? JSON_OBJECT : JSON_LIST };
}

struct json_value json_read(struct json_reader *j)
{
	j->place = JSON_BEHIND_VALUE;
	switch (peek(j)) {
	case '"':
		return read_string(j);
	case '{':
		return open_bracket(j, true);
	case '[':
		return open_bracket(j, false);
	case 't':
		return read_word(j, "true", JSON_TRUE);
	case 'f':
		return read_word(j, "false", JSON_FALSE);
	case 'n':
		return read_word(j, "null", JSON_NULL);
	default:
		return read_number(j);
	}
}

/* --- what is in brackets ----------------------------------------------------------------- */

static void take_comma(struct json_reader *j)
{
	if (j->place == JSON_BEHIND_VALUE) {
		peek(j); /* passes over white space */
		json_read_comma(j);
	}
}

/* Takes the comma before another member or item, or the bracket behind the last. */
static bool another(struct json_reader *j, char close)
{
	take_comma(j);
	if (j->place == JSON_BEHIND_COMMA)
		return true;
	if (peek(j) == (uint8_t)close) {
		rd_bytes(&j->left, 1);
		j->depth--;
		j->objects >>= 1;
		j->place = JSON_BEHIND_VALUE;
		return false;
	}
	if (j->place == JSON_BEHIND_BRACKET)
		return true;
	bad(j, close == '}' ? "a comma or } is missing" : "a comma or ] is missing");
	return false;
}

bool json_read_member(struct json_reader *j, struct json_value *key)
{
	if (!another(j, '}'))
		return false;
	if (peek(j) != '"') {
		bad(j, "a key is missing");
		return false;
	}
	*key = read_string(j);
	if (key->kind == JSON_BAD)
		return false;
	if (peek(j) != ':') {
		bad(j, "a colon is missing");
		return false;
	}
	rd_bytes(&j->left, 1);
	return true;
}

bool json_key_make(struct json_key *k, const char *key)
{
	const int size = snprintf(k->text, sizeof k->text, "\"%s\":", key);

	if (size < 0 || (size_t)size >= sizeof k->text)
		return false;
	k->size = (size_t)size;
	memset(k->text + k->size, 0, sizeof k->text - k->size);
	memcpy(&k->head, k->text, sizeof k->head);
	k->mask = 0;
	memset(&k->mask, 0xff, k->size < sizeof k->mask ? k->size : sizeof k->mask);
	return true;
}

bool json_read_item(struct json_reader *j)
{
	return another(j, ']');
}

size_t json_read_smalls(struct json_reader *j, uint64_t *v, size_t room)
{
	bool comma = j->place == JSON_BEHIND_VALUE;
	size_t count = 0;

	for (; count < room; count++) {
		struct rd r = j->left;
		size_t size;

		if (comma && (!rd_more(&r) || *r.p != ','))
			break;
		rd_bytes(&r, comma);
		size = json_small_size(r, &v[count]);
		if (size == 0)
			break;
		rd_bytes(&r, size);
		j->left = r;
		comma = true;
	}
	if (count > 0)
		j->place = JSON_BEHIND_VALUE;
	return count;
}

void json_read_pass(struct json_reader *j, const struct json_value *v)
{
	struct json_value key;

	if (v->kind != JSON_OBJECT && v->kind != JSON_LIST)
		return;
	for (const unsigned outer = j->depth - 1; j->depth > outer && j->fault == NULL;) {
		const bool more = j->objects & 1 ? json_read_member(j, &key) : json_read_item(j);

		if (more)
			json_read(j);
	}
}

bool json_read_end(struct json_reader *j)
{
	pass_space(j);
	if (rd_more(&j->left))
		bad(j, "something follows the value");
	return j->fault == NULL;
}
