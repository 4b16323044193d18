/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_db.c - reads the file of labels and finds a fingerprint's.
 *
 * A line is one JSON object.  Its texts are unescaped in place, in one buffer that holds the whole
 * file; the entries point into it and are found by a keyed hash of kind and value.
 */
#include "feature/fingerprint_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"

struct text {
	char *p;
	size_t size;
};

struct entry {
	struct text kind, value;
	struct field_text *labels;
	size_t count;
};

struct fingerprint_db {
	char *bytes;
	struct entry *entries;
	size_t count, room;
	uint32_t *slots;   /* 1 + place in 'entries'; 0: free */
	size_t slot_count; /* a power of two */
	uint64_t seed;
};

/* --- JSON of a line ----------------------------------------------------------------------------
 */

struct line {
	char *p, *end;
	bool bad;
};

static void skip_space(struct line *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t' || *l->p == '\r'))
		l->p++;
}

/* Takes a sign, after white space. */
static bool take(struct line *l, char sign)
{
	skip_space(l);
	if (l->p == l->end || *l->p != sign)
		return false;
	l->p++;
	return true;
}

static unsigned hex_digits(const char *p)
{
	unsigned v = 0;

	for (unsigned i = 0; i < 4; i++) {
		char c = p[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
							: 1u << 16;

		v = v << 4 | digit;
	}
	return v;
}

static char *put_utf8(char *to, unsigned v)
{
	if (v < 0x80) {
		*to++ = (char)v;
	} else if (v < 0x800) {
		*to++ = (char)(0xc0 | v >> 6);
		*to++ = (char)(0x80 | (v & 0x3f));
	} else {
		*to++ = (char)(0xe0 | v >> 12);
		*to++ = (char)(0x80 | (v >> 6 & 0x3f));
		*to++ = (char)(0x80 | (v & 0x3f));
	}
	return to;
}

/* An escape behind its backslash; what it means is never longer than it is. */
static char *unescape(struct line *l, char *to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	char c = *l->p++;
	const char *at = strchr(from, c);

	if (c != '\0' && at != NULL) {
		*to++ = into[at - from];
	} else if (c == 'u' && l->end - l->p > 4 && hex_digits(l->p) < 1u << 16) {
		to = put_utf8(to, hex_digits(l->p));
		l->p += 4;
	} else {
		l->bad = true;
	}
	return to;
}

static struct text take_text(struct line *l)
{
	struct text t = { NULL, 0 };
	char *to;

	if (!take(l, '"')) {
		l->bad = true;
		return t;
	}
	t.p = to = l->p;
	while (l->p < l->end && *l->p != '"' && !l->bad) {
		if (*l->p == '\\' && ++l->p < l->end)
			to = unescape(l, to);
		else if (l->p < l->end)
			*to++ = *l->p++;
	}
	t.size = (size_t)(to - t.p);
	l->bad |= !take(l, '"');
	return t;
}

/* Steps over a value of any type: brackets are counted, so that depth costs nothing. */
static void skip_value(struct line *l)
{
	size_t depth = 0;

	do {
		skip_space(l);
		if (l->p == l->end) {
			l->bad = true;
			return;
		}
		if (*l->p == '"') {
			take_text(l);
		} else {
			depth += *l->p == '{' || *l->p == '[';
			depth -= depth > 0 && (*l->p == '}' || *l->p == ']');
			l->p++;
		}
		skip_space(l);
	} while (!l->bad && (depth > 0 || (l->p < l->end && *l->p != ',' && *l->p != '}')));
}

/* --- entries -----------------------------------------------------------------------------------
 */

static bool add_label(struct entry *e, struct text t)
{
	struct field_text *more = reallocarray(e->labels, e->count + 1, sizeof *more);

	if (more == NULL)
		return false;
	e->labels = more;
	e->labels[e->count++] = (struct field_text){ t.p, t.size };
	return true;
}

/* A list of texts, or one text. */
static void take_labels(struct line *l, struct entry *e)
{
	if (!take(l, '[')) {
		l->bad |= !add_label(e, take_text(l));
		return;
	}
	if (take(l, ']'))
		return;
	do {
		struct text t = take_text(l);

		l->bad |= l->bad || !add_label(e, t);
	} while (!l->bad && take(l, ','));
	l->bad |= !take(l, ']');
}

static bool is_key(struct text key, const char *word)
{
	return key.size == strlen(word) && memcmp(key.p, word, key.size) == 0;
}

static void take_member(struct line *l, struct entry *e)
{
	struct text key = take_text(l);

	if (l->bad || !take(l, ':'))
		l->bad = true;
	else if (is_key(key, "kind"))
		e->kind = take_text(l);
	else if (is_key(key, "value"))
		e->value = take_text(l);
	else if (is_key(key, "labels"))
		take_labels(l, e);
	else
		skip_value(l);
}

static bool take_entry(struct line *l, struct entry *e)
{
	*e = (struct entry){ 0 };
	l->bad = !take(l, '{');
	if (!take(l, '}')) {
		do
			take_member(l, e);
		while (!l->bad && take(l, ','));
		l->bad |= !take(l, '}');
	}
	skip_space(l);
	return !l->bad && l->p == l->end && e->kind.p != NULL && e->value.p != NULL;
}

static uint64_t hash_of(const struct fingerprint_db *db, const char *kind, size_t kind_size,
		struct rd value)
{
	return hash_bytes(value.p, value.left, hash_bytes(kind, kind_size, db->seed));
}

/* The slot of a fingerprint, or the free one where it would go. */
static uint32_t *find_slot(const struct fingerprint_db *db, const char *kind, size_t kind_size,
		struct rd value)
{
	size_t at = (size_t)hash_of(db, kind, kind_size, value);

	for (;; at++) {
		uint32_t *slot = &db->slots[at & (db->slot_count - 1)];
		const struct entry *e = &db->entries[*slot - (*slot > 0)];

		if (*slot == 0 || (e->kind.size == kind_size && e->value.size == value.left &&
						  memcmp(e->kind.p, kind, kind_size) == 0 &&
						  memcmp(e->value.p, value.p, value.left) == 0))
			return slot;
	}
}

static bool add_entry(struct fingerprint_db *db, const struct entry *e)
{
	if (db->count == db->room) {
		size_t room = db->room == 0 ? 64 : 2 * db->room;
		struct entry *more = reallocarray(db->entries, room, sizeof *more);

		if (more == NULL)
			return false;
		db->entries = more;
		db->room = room;
	}
	db->entries[db->count++] = *e;
	return true;
}

/* Lines with the same kind and value: the labels of the later ones are added to the first. */
static bool build_slots(struct fingerprint_db *db)
{
	for (db->slot_count = 64; db->slot_count < 2 * db->count;)
		db->slot_count *= 2;
	db->slots = calloc(db->slot_count, sizeof *db->slots);
	if (db->slots == NULL)
		return false;
	for (size_t i = 0; i < db->count; i++) {
		struct entry *e = &db->entries[i];
		struct rd value = { (const uint8_t *)e->value.p, e->value.size };
		uint32_t *slot = find_slot(db, e->kind.p, e->kind.size, value);

		if (*slot == 0) {
			*slot = (uint32_t)i + 1;
			continue;
		}
		for (size_t k = 0; k < e->count; k++)
			if (!add_label(&db->entries[*slot - 1],
					    (struct text){ (char *)(uintptr_t)e->labels[k].p,
							    e->labels[k].size }))
				return false;
	}
	return true;
}

/* --- the file ----------------------------------------------------------------------------------
 */

static char *read_file(const char *path, size_t *size, struct err *e)
{
	FILE *f = fopen(path, "re");
	char *bytes = NULL;
	long end = -1;

	if (f != NULL && fseek(f, 0, SEEK_END) == 0)
		end = ftell(f);
	if (end >= 0 && end <= LIMIT_FINGERPRINT_DB && fseek(f, 0, SEEK_SET) == 0)
		bytes = malloc((size_t)end + 1);
	if (bytes != NULL && fread(bytes, 1, (size_t)end, f) != (size_t)end) {
		free(bytes);
		bytes = NULL;
	}
	if (bytes == NULL)
		err_set(e, "fingerprint_db=%s: %s", path,
				end > LIMIT_FINGERPRINT_DB ? "too large" : strerror(errno));
	if (f != NULL)
		fclose(f);
	*size = end < 0 ? 0 : (size_t)end;
	return bytes;
}

static bool read_lines(struct fingerprint_db *db, size_t size, const char *path, struct err *e)
{
	char *end = db->bytes + size;
	unsigned number = 1;

	for (char *at = db->bytes, *next; at < end; at = next, number++) {
		char *newline = memchr(at, '\n', (size_t)(end - at));
		struct line l = { at, newline == NULL ? end : newline, false };
		struct entry entry;

		next = newline == NULL ? end : newline + 1;
		skip_space(&l);
		if (l.p == l.end)
			continue;
		if (!take_entry(&l, &entry)) {
			free(entry.labels);
			return err_set(e, "%s:%u: not an object with kind, value and labels", path,
					number);
		}
		if (!add_entry(db, &entry)) {
			free(entry.labels);
			return err_set(e, "fingerprint_db=%s: no memory", path);
		}
	}
	return build_slots(db) || err_set(e, "fingerprint_db=%s: no memory", path);
}

struct fingerprint_db *fingerprint_db_load(const char *path, struct err *e)
{
	struct fingerprint_db *db = calloc(1, sizeof *db);
	size_t size;

	if (db == NULL) {
		err_set(e, "fingerprint_db=%s: no memory", path);
		return NULL;
	}
	db->seed = hash_seed();
	db->bytes = read_file(path, &size, e);
	if (db->bytes == NULL || !read_lines(db, size, path, e)) {
		fingerprint_db_free(db);
		return NULL;
	}
	return db;
}

void fingerprint_db_free(struct fingerprint_db *db)
{
	if (db == NULL)
		return;
	for (size_t i = 0; i < db->count; i++)
		free(db->entries[i].labels);
	free(db->entries);
	free(db->slots);
	free(db->bytes);
	free(db);
}

const struct field_text *fingerprint_db_find(
		const struct fingerprint_db *db, const char *kind, struct rd value, size_t *count)
{
	*count = 0;
	if (db->count == 0)
		return NULL;

	uint32_t slot = *find_slot(db, kind, strlen(kind), value);

	if (slot == 0)
		return NULL;
	*count = db->entries[slot - 1].count;
	return db->entries[slot - 1].labels;
}
