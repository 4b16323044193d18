/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_read.h - read JSON (RFC 8259) from front to back, value by value: no memory, no copies.
 *
 * Numbers and strings come as the bytes that stand there, so nothing of them is lost; the json_to_*
 * functions make of them what is wanted.  What is not JSON makes a reader fail: it stays failed,
 * gives JSON_BAD and no further members or items, and 'fault' and 'fault_at' say what and where.
 *
 *	struct json_reader j = json_read_begin(bytes);
 *	struct json_value v = json_read(&j), key;
 *
 *	if (v.kind == JSON_OBJECT)
 *		while (json_read_member(&j, &key))
 *			v = json_read(&j), json_read_pass(&j, &v);
 *	if (!json_read_end(&j)) ...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/rd.h"

enum json_kind {
	JSON_BAD, /* the reader has failed */
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_OBJECT, /* its bracket: json_read_member() or json_read_pass() are to follow */
	JSON_LIST,   /* likewise json_read_item() */
};

struct json_value {
	enum json_kind kind;
	bool escaped;   /* a string in which backslashes stand */
	struct rd text; /* of a number; of a string what stands between the quotes, which is sound
			 */
};

/* Inside brackets, what was read last. */
enum json_place { JSON_BEHIND_VALUE, JSON_BEHIND_BRACKET, JSON_BEHIND_COMMA };

struct json_reader {
	struct rd left;
	size_t size;       /* of all bytes */
	const char *fault; /* why it failed, as "a value is missing"; NULL: it has not */
	size_t fault_at;   /* bytes before that place */
	unsigned depth;    /* brackets that are open, at most LIMIT_JSON_DEPTH */
	uint64_t objects;  /* a bit for each of them, the innermost lowest: is it an object? */
	enum json_place place;
};

static inline struct json_reader json_read_begin(struct rd bytes)
{
	return (struct json_reader){ .left = bytes, .size = bytes.left };
}

/* Bytes that were read. */
static inline size_t json_read_at(const struct json_reader *j)
{
	return j->fault != NULL ? j->fault_at : j->size - j->left.left;
}

/* The next value: at the beginning, behind a key, or as an item. */
struct json_value json_read(struct json_reader *j);

/* The key of the next member of the object that is open; false: that was closed, or failed. */
bool json_read_member(struct json_reader *j, struct json_value *key);

/* Whether another item of the list that is open follows. */
bool json_read_item(struct json_reader *j);

/* --- short ways: what programs write that put nothing between ----------------------------- */

enum { JSON_KEY_ROOM = 40 };

/* A key with its quotes and colon. */
struct json_key {
	char text[JSON_KEY_ROOM]; /* zeros behind */
	uint64_t head, mask;      /* its first bytes, eight at most */
	size_t size;
};

/* False: it is longer than JSON_KEY_ROOM has room for. */
bool json_key_make(struct json_key *k, const char *key);

/* Takes the comma before another member or item, if one stands there. */
static inline void json_read_comma(struct json_reader *j)
{
	if (j->place == JSON_BEHIND_VALUE && rd_more(&j->left) && *j->left.p == ',') {
		rd_bytes(&j->left, 1);
		j->place = JSON_BEHIND_COMMA;
	}
}

/* In an object, behind json_read_comma(): takes this key if just it follows; false: nothing was
 * taken. */
static inline bool json_read_expected(struct json_reader *j, const struct json_key *k)
{
	uint64_t head;

	if (j->left.left < sizeof k->text || j->place == JSON_BEHIND_VALUE)
		return false;
	memcpy(&head, j->left.p, sizeof head);
	if ((head ^ k->head) & k->mask)
		return false;
	if (k->size > sizeof head && memcmp(j->left.p + sizeof head, k->text + sizeof head,
						     k->size - sizeof head) != 0)
		return false;
	rd_bytes(&j->left, k->size);
	return true;
}

/* Bytes of the whole number at the front, when it has few digits and a comma or a bracket is right
 * behind it; else 0. */
static inline size_t json_small_size(struct rd r, uint64_t *v)
{
	enum { MOST = 18 };
	uint64_t n = 0;
	size_t at = 0;

	r = rd_first(r, MOST + 1);
	for (; at < r.left && r.p[at] >= '0' && r.p[at] <= '9'; at++)
		n = n * 10 + (r.p[at] - '0');
	if (at == 0 || at == r.left || (r.p[at] != ',' && r.p[at] != ']' && r.p[at] != '}') ||
			(r.p[0] == '0' && at > 1))
		return 0;
	*v = n;
	return at;
}

/* The next value, if it is such a number; false: nothing was taken. */
static inline bool json_read_small(struct json_reader *j, uint64_t *v)
{
	const size_t size = json_small_size(j->left, v);

	if (size == 0)
		return false;
	rd_bytes(&j->left, size);
	j->place = JSON_BEHIND_VALUE;
	return true;
}

/* Takes items of the list that is open as long as they are such numbers, at most 'room'; how many.
 */
size_t json_read_smalls(struct json_reader *j, uint64_t *v, size_t room);

/* --- what values are ----------------------------------------------------------------------- */

/* Passes over what is left of a value that json_read() gave. */
void json_read_pass(struct json_reader *j, const struct json_value *v);

/* Whether all was JSON, and nothing but white space follows. */
bool json_read_end(struct json_reader *j);

/*
 * Numbers.  Exact or refused: false when the number is none of that type or out of its range.  A
 * fraction of zeros is none; powers of ten are for doubles only.
 */
bool json_to_u64(struct rd number, uint64_t *v);
bool json_to_i64(struct rd number, int64_t *v);
/* times 10^decimals (at most 9): seconds with nine decimals are ns */
bool json_to_scaled(struct rd number, unsigned decimals, int64_t *v);
/* The nearest double. */
bool json_to_f64(struct rd number, double *v);

/* Strings.  The characters as UTF-8, at most text.left bytes; how many were written. */
size_t json_to_text(const struct json_value *string, char *to);
/* Bytes written as pairs of hexadecimal digits, text.left / 2 of them; false: it is none such. */
bool json_to_hex(struct rd text, uint8_t *to);
