/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arrow_text.h - a row of Arrow arrays as text, written from the specification for tests: null,
 * true, whole numbers, doubles with 17 digits, "utf8", x'binary', [items], {key:value}.
 *
 * Aborts when an array breaks the rules: offsets that go back or too far, a dictionary without the
 * word.
 */
#pragma once

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "record/arrow.h"

static inline void arrow_must(bool holds)
{
	if (!holds)
		abort();
}

static inline const void *arrow_at(const struct ArrowArray *a, int buffer, size_t offset)
{
	arrow_must(buffer < a->n_buffers && a->buffers[buffer] != NULL);
	return (const char *)a->buffers[buffer] + offset;
}

static inline bool arrow_bit(const struct ArrowArray *a, int buffer, size_t row)
{
	const uint8_t *byte = arrow_at(a, buffer, row / 8);

	return *byte >> row % 8 & 1;
}

static inline bool arrow_is_null(const struct ArrowArray *a, size_t row)
{
	return a->buffers[0] != NULL && !arrow_bit(a, 0, row);
}

/* Two offsets that follow each other. */
static inline void arrow_range(const struct ArrowArray *a, size_t row, int32_t range[2])
{
	memcpy(range, arrow_at(a, 1, 4 * row), 8);
	arrow_must(range[0] >= 0 && range[0] <= range[1]);
}

static inline void arrow_bytes(const struct ArrowArray *a, size_t row, bool utf8, struct buf *to)
{
	int32_t range[2];
	const uint8_t *p;

	arrow_range(a, row, range);
	p = range[1] > range[0] ? arrow_at(a, 2, (size_t)range[0]) : NULL;
	buf_text(to, utf8 ? "\"" : "x'");
	for (int32_t i = 0; i < range[1] - range[0]; i++)
		utf8 ? buf_byte(to, (char)p[i]) : buf_printf(to, "%02x", p[i]);
	buf_text(to, utf8 ? "\"" : "'");
}

static inline void arrow_row(const struct ArrowSchema *s, const struct ArrowArray *a, size_t row,
		struct buf *to);

static inline void arrow_list(
		const struct ArrowSchema *s, const struct ArrowArray *a, size_t row, struct buf *to)
{
	int32_t range[2];

	arrow_range(a, row, range);
	arrow_must(a->n_children == 1 && range[1] <= a->children[0]->length);
	buf_byte(to, '[');
	for (int32_t i = range[0]; i < range[1]; i++) {
		if (i > range[0])
			buf_byte(to, ',');
		arrow_row(s->children[0], a->children[0], (size_t)i, to);
	}
	buf_byte(to, ']');
}

static inline void arrow_struct(
		const struct ArrowSchema *s, const struct ArrowArray *a, size_t row, struct buf *to)
{
	arrow_must(a->n_children == s->n_children);
	buf_byte(to, '{');
	for (int64_t i = 0; i < a->n_children; i++) {
		arrow_must(a->children[i]->length == a->length);
		buf_printf(to, "%s%s:", i > 0 ? "," : "", s->children[i]->name);
		arrow_row(s->children[i], a->children[i], row, to);
	}
	buf_byte(to, '}');
}

static inline void arrow_word(
		const struct ArrowSchema *s, const struct ArrowArray *a, size_t row, struct buf *to)
{
	int32_t index;

	memcpy(&index, arrow_at(a, 1, 4 * row), 4);
	arrow_must(a->dictionary != NULL && index >= 0 && index < a->dictionary->length);
	arrow_row(s->dictionary, a->dictionary, (size_t)index, to);
}

/* Whole numbers by the letter of their type: small ones without sign, large ones with. */
static inline bool arrow_whole(char type, const struct ArrowArray *a, size_t row, struct buf *to)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	if (type == 'C')
		memcpy(&u8, arrow_at(a, 1, row), 1), buf_printf(to, "%u", u8);
	else if (type == 'S')
		memcpy(&u16, arrow_at(a, 1, 2 * row), 2), buf_printf(to, "%u", u16);
	else if (type == 'I' || type == 'i')
		memcpy(&u32, arrow_at(a, 1, 4 * row), 4),
				buf_printf(to, "%" PRId64,
						type == 'i' ? (int32_t)u32 : (int64_t)u32);
	else if (type == 'L')
		memcpy(&u64, arrow_at(a, 1, 8 * row), 8), buf_printf(to, "%" PRIu64, u64);
	else if (type == 'l' || type == 't')
		memcpy(&u64, arrow_at(a, 1, 8 * row), 8), buf_printf(to, "%" PRId64, (int64_t)u64);
	else
		return false;
	return true;
}

static inline void arrow_row(
		const struct ArrowSchema *s, const struct ArrowArray *a, size_t row, struct buf *to)
{
	double d;

	arrow_must(a->offset == 0 && row < (size_t)a->length);
	if (arrow_is_null(a, row))
		buf_text(to, "null");
	else if (s->dictionary != NULL)
		arrow_word(s, a, row, to);
	else if (strcmp(s->format, "+s") == 0)
		arrow_struct(s, a, row, to);
	else if (strcmp(s->format, "+l") == 0)
		arrow_list(s, a, row, to);
	else if (s->format[0] == 'b')
		buf_text(to, arrow_bit(a, 1, row) ? "true" : "false");
	else if (s->format[0] == 'g')
		memcpy(&d, arrow_at(a, 1, 8 * row), 8), buf_printf(to, "%.17g", d);
	else if (s->format[0] == 'u' || s->format[0] == 'z')
		arrow_bytes(a, row, s->format[0] == 'u', to);
	else if (strcmp(s->format, "w:16") == 0)
		for (size_t i = 0; i < 16; i++)
			buf_printf(to, "%02x", *(const uint8_t *)arrow_at(a, 1, 16 * row + i));
	else
		arrow_must(arrow_whole(s->format[0], a, row, to));
}
