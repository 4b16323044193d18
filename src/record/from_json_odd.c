/* SPDX-License-Identifier: BSD-3-Clause */
/* from_json_odd.c - counts of what is odd in records that are read, with the first few names. */
#include <stdio.h>

#include "record/from_json_internal.h"

enum { SHOWN = 40 }; /* bytes of a stranger's key */

static void put_path(const struct from_json *f, uint32_t at, struct buf *path)
{
	const struct node *n = &f->nodes[at];

	if (at == 0)
		return;
	put_path(f, n->up, path); /* as deep as the tables */
	if (n->key.size == 0)
		return;
	if (path->size > 0)
		buf_byte(path, '.');
	buf_bytes(path, n->key.text + 1, n->key.size - 3);
}

/* Whether a list with ", " between has a name. */
static bool has_name(const char *names, const struct buf *name)
{
	for (const char *p = names; *p != '\0'; p += p[0] == ',' ? 2 : 0) {
		const size_t size = strcspn(p, ",");

		if (size == name->size && memcmp(p, name->p, size) == 0)
			return true;
		p += size;
	}
	return false;
}

static void add_name(char names[static FROM_JSON_NAMES], const struct buf *name)
{
	const size_t used = strlen(names);

	if (!buf_ok(name) || has_name(names, name) || used + name->size + 3 > FROM_JSON_NAMES)
		return;
	snprintf(names + used, FROM_JSON_NAMES - used, "%s%.*s", used > 0 ? ", " : "",
			(int)name->size, name->p);
}

/* A key of a stranger, as far as it is fit to be shown. */
static void put_key(const struct json_value *key, struct buf *path)
{
	const struct rd text = rd_first(key->text, SHOWN);

	if (path->size > 0)
		buf_byte(path, '.');
	if (text.left == 0)
		buf_text(path, "\"\"");
	for (size_t i = 0; i < text.left; i++) {
		const uint8_t c = text.p[i];

		buf_byte(path, c > ' ' && c < 0x7f && c != ',' ? (char)c : '?');
	}
}

void odd_unknown(struct from_json *f, uint32_t of, const struct json_value *key)
{
	struct buf path = buf_new(FROM_JSON_NAMES);

	f->odd.unknown++;
	put_path(f, of, &path);
	put_key(key, &path);
	add_name(f->odd.unknown_names, &path);
	buf_free(&path);
}

void odd_wrong(struct from_json *f, uint32_t at)
{
	struct buf path = buf_new(FROM_JSON_NAMES);

	f->odd.wrong++;
	put_path(f, at, &path);
	add_name(f->odd.wrong_names, &path);
	buf_free(&path);
}

const struct from_json_odd *from_json_odd(const struct from_json *f)
{
	return &f->odd;
}
