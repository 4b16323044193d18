/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_name.c - host names by keyed hash.
 *
 * Each label becomes 16 digits: the hash of the name from that label on, so that names in one
 * domain end alike and nothing else shows but how many labels there were.  What is no host name is
 * hashed as one; of a mail address both sides of the @.
 */
#include <string.h>

#include "base/json.h"
#include "host/anon_internal.h"
#include "host/name.h"

enum { LABEL_BYTES = 8, WHOLE_BYTES = 16 };

static void put_hash(
		const struct anon *a, const char *text, size_t size, size_t bytes, struct buf *out)
{
	uint8_t hash[ANON_HASH];
	char *to = buf_reserve(out, 2 * WHOLE_BYTES);

	anon_hash(a, text, size, hash);
	if (to != NULL)
		buf_commit(out, (size_t)(json_put_hex(to, hash, bytes) - to));
}

static void put_labels(const struct anon *a, const char *name, size_t size, struct buf *out)
{
	for (size_t at = 0, next; at < size; at = next) {
		const char *dot = memchr(name + at, '.', size - at);

		next = dot == NULL ? size : (size_t)(dot + 1 - name);
		if (name[at] == '*' && (next == at + 2 || next == at + 1))
			buf_byte(out, '*');
		else
			put_hash(a, name + at, size - at, LABEL_BYTES, out);
		if (dot != NULL)
			buf_byte(out, '.');
	}
}

void anon_name_put(const struct anon *a, const char *text, size_t size, struct buf *out)
{
	const char *at = memrchr(text, '@', size);
	char name[NAME_ROOM];
	size_t before = at == NULL ? 0 : (size_t)(at - text);
	size_t length = name_normal(
			text + before + (at != NULL), size - before - (at != NULL), name);

	if (length == 0) {
		put_hash(a, text, size, WHOLE_BYTES, out);
		return;
	}
	if (at != NULL) {
		put_hash(a, text, before, LABEL_BYTES, out);
		buf_byte(out, '@');
	}
	put_labels(a, name, length, out);
}
