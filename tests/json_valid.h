/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_valid.h - is a text JSON (RFC 8259, UTF-8 by RFC 3629)?  Written from the grammar for tests,
 * sharing nothing with the writer it judges.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct json_text {
	const uint8_t *p, *end;
	unsigned depth;
};

static inline int json_peek(const struct json_text *t)
{
	return t->p < t->end ? *t->p : -1;
}

static inline bool json_take(struct json_text *t, int c)
{
	if (json_peek(t) != c)
		return false;
	t->p++;
	return true;
}

static inline void json_space(struct json_text *t)
{
	while (json_peek(t) == ' ' || json_peek(t) == '\t' || json_peek(t) == '\n' ||
			json_peek(t) == '\r')
		t->p++;
}

static inline bool json_word(struct json_text *t, const char *word)
{
	const size_t size = strlen(word);

	if ((size_t)(t->end - t->p) < size || memcmp(t->p, word, size) != 0)
		return false;
	t->p += size;
	return true;
}

static inline bool json_digits(struct json_text *t)
{
	const uint8_t *begin = t->p;

	while (json_peek(t) >= '0' && json_peek(t) <= '9')
		t->p++;
	return t->p > begin;
}

static inline bool json_number(struct json_text *t)
{
	json_take(t, '-');
	if (!json_take(t, '0') && !json_digits(t))
		return false;
	if (json_take(t, '.') && !json_digits(t))
		return false;
	if (json_take(t, 'e') || json_take(t, 'E')) {
		if (!json_take(t, '+'))
			json_take(t, '-');
		return json_digits(t);
	}
	return true;
}

static inline bool json_is_hex(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline bool json_escape(struct json_text *t)
{
	const int c = json_peek(t);

	t->p++;
	if (c != 'u')
		return c > 0 && strchr("\"\\/bfnrt", c) != NULL;
	for (int i = 0; i < 4; i++) {
		if (!json_is_hex(json_peek(t)))
			return false;
		t->p++;
	}
	return true;
}

/* One character of more than one byte, by its code point. */
static inline bool json_wide(struct json_text *t)
{
	const uint8_t first = *t->p++;
	const unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t code = first & (0x3fu >> more);

	if (first < 0xc0 || first > 0xf7)
		return false;
	for (unsigned i = 0; i < more; i++) {
		if (json_peek(t) < 0 || (*t->p & 0xc0) != 0x80)
			return false;
		code = code << 6 | (*t->p++ & 0x3fu);
	}
	return code >= least[more] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static inline bool json_valid_string(struct json_text *t)
{
	if (!json_take(t, '"'))
		return false;
	while (!json_take(t, '"')) {
		const int c = json_peek(t);

		if (c < 0x20)
			return false;
		if (c >= 0x80) {
			if (!json_wide(t))
				return false;
			continue;
		}
		t->p++;
		if (c == '\\' && !json_escape(t))
			return false;
	}
	return true;
}

static inline bool json_value(struct json_text *t);

/* What is between the brackets of an object or a list. */
static inline bool json_inside(struct json_text *t, bool object, int close)
{
	json_space(t);
	if (json_take(t, close))
		return true;
	do {
		json_space(t);
		if (object) {
			if (!json_valid_string(t))
				return false;
			json_space(t);
			if (!json_take(t, ':'))
				return false;
		}
		if (!json_value(t))
			return false;
		json_space(t);
	} while (json_take(t, ','));
	return json_take(t, close);
}

static inline bool json_value(struct json_text *t)
{
	bool valid;

	json_space(t);
	switch (json_peek(t)) {
	case '{':
	case '[':
		if (++t->depth > 100)
			return false;
		valid = *t->p++ == '{' ? json_inside(t, true, '}') : json_inside(t, false, ']');
		t->depth--;
		return valid;
	case '"':
		return json_valid_string(t);
	case 't':
		return json_word(t, "true");
	case 'f':
		return json_word(t, "false");
	case 'n':
		return json_word(t, "null");
	default:
		return json_number(t);
	}
}

/* Whether all of the text is one JSON value. */
static inline bool json_is_valid(const char *text, size_t size)
{
	struct json_text t = { (const uint8_t *)text, (const uint8_t *)text + size, 0 };

	if (!json_value(&t))
		return false;
	json_space(&t);
	return t.p == t.end;
}
