/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arrow_kit.h - Arrow arrays looked at from outside, by the specification alone: whether they are
 * sound, and what stands in them, as JSON.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "record/arrow.h"

static inline bool kit_is_valid(const struct ArrowArray *a, int64_t row)
{
	const uint8_t *bits = a->buffers[0];

	return bits == NULL || bits[row / 8] >> row % 8 & 1;
}

/* The child of a struct by its name; NULL: none. */
static inline const struct ArrowArray *kit_child(
		const struct ArrowSchema *s, const struct ArrowArray *a, const char *name)
{
	for (int64_t i = 0; i < s->n_children; i++) {
		if (strcmp(s->children[i]->name, name) == 0)
			return a->children[i];
	}
	return NULL;
}

static inline const struct ArrowSchema *kit_field(const struct ArrowSchema *s, const char *name)
{
	for (int64_t i = 0; i < s->n_children; i++) {
		if (strcmp(s->children[i]->name, name) == 0)
			return s->children[i];
	}
	return NULL;
}

/* A value of the metadata, to be freed; NULL: none. */
static inline char *kit_metadata(const struct ArrowSchema *s, const char *key)
{
	const char *p = s->metadata;
	int32_t count = 0, size;

	if (p == NULL)
		return NULL;
	memcpy(&count, p, 4);
	p += 4;
	for (; count > 0; count--) {
		bool found;

		memcpy(&size, p, 4);
		found = (size_t)size == strlen(key) && memcmp(p + 4, key, (size_t)size) == 0;
		p += 4 + size;
		memcpy(&size, p, 4);
		if (found)
			return strndup(p + 4, (size_t)size);
		p += 4 + size;
	}
	return NULL;
}

static inline void kit_has_metadata(
		const struct ArrowSchema *s, const char *key, const char *expected)
{
	char *value = kit_metadata(s, key);

	if (expected == NULL)
		assert_null(value);
	else
		assert_non_null(value);
	if (expected != NULL)
		assert_string_equal(value, expected);
	free(value);
}

/* --- soundness ----------------------------------------------------------------------------------
 */

static inline void kit_check(const struct ArrowSchema *s, const struct ArrowArray *a);

static inline void kit_check_utf8(const struct ArrowArray *a)
{
	const int32_t *offsets = a->buffers[1];
	const uint8_t *bytes = a->buffers[2];

	for (int64_t i = 0; i < a->length; i++) {
		struct rd r = { bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]) };

		while (rd_more(&r)) {
			const size_t size = json_utf8_size(r);

			assert_true(size > 0);
			rd_bytes(&r, size);
		}
	}
}

static inline void kit_check_offsets(const struct ArrowArray *a, int64_t most)
{
	const int32_t *offsets = a->buffers[1];

	assert_int_equal(offsets[0], 0);
	for (int64_t i = 0; i < a->length; i++) {
		assert_true(offsets[i + 1] >= offsets[i]);
		assert_true(kit_is_valid(a, i) || offsets[i + 1] == offsets[i]);
	}
	assert_true(most < 0 || offsets[a->length] == most);
}

static inline void kit_check_words(const struct ArrowSchema *s, const struct ArrowArray *a)
{
	const int32_t *index = a->buffers[1];

	kit_check(s->dictionary, a->dictionary);
	for (int64_t i = 0; i < a->length; i++)
		assert_true(!kit_is_valid(a, i) ||
				(index[i] >= 0 && index[i] < a->dictionary->length));
}

static inline void kit_check_nulls(const struct ArrowSchema *s, const struct ArrowArray *a)
{
	int64_t nulls = 0;

	for (int64_t i = 0; i < a->length; i++)
		nulls += !kit_is_valid(a, i);
	assert_true(a->null_count == -1 || a->null_count == nulls);
	assert_true(nulls == 0 || (s->flags & ARROW_FLAG_NULLABLE));
}

static inline int64_t kit_buffers(const char *format)
{
	if (strcmp(format, "+s") == 0)
		return 1;
	return *format == 'u' || *format == 'z' ? 3 : 2;
}

static inline void kit_check(const struct ArrowSchema *s, const struct ArrowArray *a)
{
	assert_non_null(s->release);
	assert_non_null(a->release);
	assert_int_equal(a->offset, 0);
	assert_int_equal(a->n_buffers, kit_buffers(s->format));
	assert_int_equal(a->n_children, s->n_children);
	assert_int_equal(a->dictionary != NULL, s->dictionary != NULL);
	for (int64_t i = 1; i < a->n_buffers; i++)
		assert_non_null(a->buffers[i]);
	kit_check_nulls(s, a);
	if (a->n_buffers == 3)
		kit_check_offsets(a, -1);
	if (*s->format == 'u')
		kit_check_utf8(a);
	if (s->dictionary != NULL)
		kit_check_words(s, a);
	if (strcmp(s->format, "+l") == 0)
		kit_check_offsets(a, a->children[0]->length);
	for (int64_t i = 0; i < a->n_children; i++) {
		assert_true(strcmp(s->format, "+l") == 0 || a->children[i]->length == a->length);
		kit_check(s->children[i], a->children[i]);
	}
}

/* --- what is in it ------------------------------------------------------------------------------
 */

static inline struct rd kit_bytes(const struct ArrowArray *a, int64_t row)
{
	const int32_t *offsets = a->buffers[1];

	return (struct rd){ (const uint8_t *)a->buffers[2] + offsets[row],
		(size_t)(offsets[row + 1] - offsets[row]) };
}

static inline uint64_t kit_number(const struct ArrowArray *a, int64_t row, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, (const uint8_t *)a->buffers[1] + (size_t)row * size, size); /* little-endian */
	return v;
}

static inline double kit_f64(const struct ArrowArray *a, int64_t row)
{
	double v;

	memcpy(&v, (const uint8_t *)a->buffers[1] + 8 * row, 8);
	return v;
}

static inline void kit_text(struct rd r, struct buf *out)
{
	char *to;

	buf_byte(out, '"');
	to = buf_reserve(out, JSON_ROOM_BYTE * (r.left + 3));
	assert_non_null(to);
	out->size = (size_t)(json_put_text(to, &r, r.left) - out->p);
	buf_byte(out, '"');
}

static inline void kit_json(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t row,
		struct buf *out);

static inline void kit_members(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t row,
		struct buf *out)
{
	buf_byte(out, '{');
	for (int64_t i = 0; i < s->n_children; i++) {
		if (!kit_is_valid(a->children[i], row))
			continue;
		json_key(out, s->children[i]->name);
		kit_json(s->children[i], a->children[i], row, out);
	}
	buf_byte(out, '}');
}

static inline void kit_items(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t row,
		struct buf *out)
{
	const int32_t *offsets = a->buffers[1];

	buf_byte(out, '[');
	for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
		json_comma(out);
		if (kit_is_valid(a->children[0], i))
			kit_json(s->children[0], a->children[0], i, out);
		else
			json_null(out);
	}
	buf_byte(out, ']');
}

static inline void kit_numbers(
		const char *format, const struct ArrowArray *a, int64_t row, struct buf *out)
{
	switch (*format) {
	case 'C':
		json_u64(out, kit_number(a, row, 1));
		break;
	case 'S':
		json_u64(out, kit_number(a, row, 2));
		break;
	case 'I':
		json_u64(out, kit_number(a, row, 4));
		break;
	case 'L':
		json_u64(out, kit_number(a, row, 8));
		break;
	case 'i':
		json_i64(out, (int32_t)kit_number(a, row, 4));
		break;
	case 'l':
		json_i64(out, (int64_t)kit_number(a, row, 8));
		break;
	case 'g':
		json_f64(out, kit_f64(a, row));
		break;
	case 't':
		json_time(out, (int64_t)kit_number(a, row, 8), true);
		break;
	default:
		fail_msg("format %s", format);
	}
}

/* A value that is not null.  Binary as hexadecimal; times with nine decimals. */
static inline void kit_json(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t row,
		struct buf *out)
{
	struct rd r;

	if (s->dictionary != NULL) {
		kit_text(kit_bytes(a->dictionary, (int64_t)kit_number(a, row, 4)), out);
	} else if (strcmp(s->format, "+s") == 0) {
		kit_members(s, a, row, out);
	} else if (strcmp(s->format, "+l") == 0) {
		kit_items(s, a, row, out);
	} else if (*s->format == 'u') {
		kit_text(kit_bytes(a, row), out);
	} else if (*s->format == 'z') {
		r = kit_bytes(a, row);
		json_hex(out, r.p, r.left);
	} else if (*s->format == 'b') {
		json_bool(out, ((const uint8_t *)a->buffers[1])[row / 8] >> row % 8 & 1);
	} else if (*s->format == 'w') {
		json_hex(out, (const uint8_t *)a->buffers[1] + 16 * row, 16);
	} else {
		kit_numbers(s->format, a, row, out);
	}
}

/* A whole row as text, to be freed. */
static inline char *kit_row(const struct ArrowSchema *s, const struct ArrowArray *a, int64_t row)
{
	struct buf out = buf_new(1 << 24);

	kit_members(s, a, row, &out);
	buf_byte(&out, '\0');
	assert_true(buf_ok(&out));
	return out.p;
}
