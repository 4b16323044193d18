/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_text.c - replaces what a text may tell: addresses, reverse names, users.
 */
#include <string.h>

#include "base/json.h"
#include "host/anon_internal.h"

enum { USER_BYTES = 8 };

static bool is_letter(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c & 0x80);
}

/* --- addresses --------------------------------------------------------------------------- */

static void keep_bits(uint8_t *bytes, unsigned bits)
{
	if (bits % 8 != 0)
		bytes[bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
	for (unsigned i = (bits + 7) / 8; i < 16; i++)
		bytes[i] = 0;
}

static char *put_v4(char *to, const uint8_t *bytes, char separator)
{
	char *end = json_put_ipv4(to, bytes);

	for (char *p = to; p < end; p++)
		if (*p == '.')
			*p = separator;
	return end;
}

static char *put_reverse(char *to, const struct anon_token *t)
{
	unsigned step = t->version == 4 ? 8 : 4;

	for (unsigned i = t->bits / step; i-- > 0;) {
		if (step == 8)
			to = json_put_u64(to, t->bytes[i]);
		else
			*to++ = "0123456789abcdef"[t->bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
		if (i > 0)
			*to++ = '.';
	}
	return to;
}

static void put_token(const struct anon_token *t, struct buf *out)
{
	char text[JSON_ROOM_ADDRESS + JSON_ROOM_NUMBER + 64], *end;

	switch (t->kind) {
	case ANON_V4:
		end = put_v4(text, t->bytes, t->separator);
		break;
	case ANON_V6:
		end = json_put_ipv6(text, t->bytes);
		break;
	default:
		end = put_reverse(text, t);
		break;
	}
	buf_bytes(out, text, (size_t)(end - text));
}

static enum anon_outcome replace_address(
		const struct anon *a, struct anon_worker *w, struct anon_token *t, struct buf *out)
{
	enum anon_outcome outcome = anon_address(a, w, t->version, t->bytes);

	if (outcome != ANON_CHANGED)
		return outcome;
	keep_bits(t->bytes, t->bits);
	put_token(t, out);
	return ANON_CHANGED;
}

/* --- users ------------------------------------------------------------------------------- */

/* Size of the longest user name that is the word, or the words, at 'at'; 0: none. */
static size_t user_at(const struct anon *a, const char *text, size_t size, size_t at,
		char lower[static UINT8_MAX])
{
	size_t most = size - at < a->user_size ? size - at : a->user_size;

	for (size_t i = 0; i < most; i++) {
		char c = text[at + i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	for (size_t n = most; n > 0; n--)
		if ((at + n == size || !is_letter(text[at + n])) &&
				nameset_find(a->users, lower, n) != NAMESET_NONE)
			return n;
	return 0;
}

static size_t replace_user(
		const struct anon *a, const char *text, size_t size, size_t at, struct buf *out)
{
	char lower[UINT8_MAX];
	uint8_t hash[ANON_HASH];
	size_t n = a->users == NULL || !anon_is_start(text, at) ? 0
								: user_at(a, text, size, at, lower);
	char *to = n > 0 ? buf_reserve(out, 4 * USER_BYTES) : NULL;

	if (to != NULL) {
		anon_hash(a, lower, n, hash);
		buf_commit(out, (size_t)(json_put_hex(to, hash, USER_BYTES) - to));
	}
	return n;
}

/* --- texts ------------------------------------------------------------------------------- */

/* Replaces what begins at *at and steps behind it. */
static enum anon_outcome step(const struct anon *a, struct anon_worker *w, const char *text,
		size_t size, size_t *at, struct buf *out)
{
	size_t user = replace_user(a, text, size, *at, out);
	enum anon_outcome outcome;

	*at += user;
	if (user > 0)
		return ANON_CHANGED;

	struct anon_token t = { .skip = 1 };

	if (a->subnets != NULL)
		t = anon_scan(text, size, *at);
	buf_bytes(out, text + *at, t.skip);
	*at += t.skip;
	if (t.kind == ANON_NO_TOKEN)
		return ANON_SAME;
	outcome = replace_address(a, w, &t, out);
	if (outcome == ANON_SAME) {
		/* of more than four numbers with dashes the next four may be one */
		t.size = t.separator == '-' ? 1 : t.size;
		buf_bytes(out, text + *at, t.size);
	}
	*at += t.size;
	return outcome;
}

static enum anon_outcome replace_all(const struct anon *a, struct anon_worker *w, const char *text,
		size_t size, struct buf *out)
{
	enum anon_outcome outcome = ANON_SAME;

	for (size_t at = 0; at < size;) {
		enum anon_outcome one = step(a, w, text, size, &at, out);

		outcome = one > outcome ? one : outcome;
	}
	return buf_ok(out) ? outcome : ANON_FAILED;
}

/* An address or a subnet: not a name, even where names are hashed. */
static bool is_subnet(const char *text, size_t size)
{
	struct prefix p;

	return prefix_parse(text, size, &p) == NULL;
}

enum anon_outcome anon_text(const struct anon *a, struct anon_worker *w, enum anon_text what,
		const char *text, size_t size, struct buf *out)
{
	if (size == 0)
		return ANON_SAME;
	if (what == ANON_NAME && a->names && !is_subnet(text, size)) {
		anon_name_put(a, text, size, out);
		return buf_ok(out) ? ANON_CHANGED : ANON_FAILED;
	}
	if (a->subnets == NULL && a->users == NULL)
		return ANON_SAME;
	return replace_all(a, w, text, size, out);
}
