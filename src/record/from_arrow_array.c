/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * from_arrow_array.c - the buffers of a batch, checked (Arrow columnar format, "Physical memory
 * layout"), and the pieces of one value.
 *
 * Lengths, counts and offsets are all looked at when a batch comes, but for places in dictionaries
 * and views, which are looked at one by one.
 */
#include "record/from_arrow_internal.h"

#include <stdlib.h>
#include <string.h>

/* Rows of an array, with those before its offset: whatever is multiplied with it fits. */
#define ROWS_MAX ((int64_t)1 << 40)

enum { VIEW = 16, VIEW_INLINE = 12 };

/* --- formats --------------------------------------------------------------------------------- */

static bool lay_number(char letter, struct column_in *c)
{
	static const char letters[] = "cCsSiIlL";
	const char *at = strchr(letters, letter);

	if (letter == '\0' || at == NULL)
		return false;
	c->lay = (at - letters) % 2 == 0 ? LAY_SIGNED : LAY_UNSIGNED;
	c->width = 1 << (at - letters) / 2;
	return true;
}

static bool lay_letter(char letter, struct column_in *c)
{
	switch (letter) {
	case 'n':
		c->lay = LAY_NULL;
		return true;
	case 'b':
		c->lay = LAY_BOOL;
		return true;
	case 'f':
	case 'g':
		c->lay = LAY_FLOAT;
		c->width = letter == 'f' ? 4 : 8;
		return true;
	case 'u':
	case 'z':
	case 'U':
	case 'Z':
		c->lay = LAY_BYTES;
		c->width = letter == 'u' || letter == 'z' ? 4 : 8;
		return true;
	default:
		return lay_number(letter, c);
	}
}

/* "tsu:UTC": seconds, milli-, micro- or nanoseconds, and a zone. */
static bool lay_time(const char *format, struct column_in *c)
{
	static const char units[] = "smun";
	static const int64_t ns[] = { 1000000000, 1000000, 1000, 1 };
	const char *unit = format[2] == '\0' ? NULL : strchr(units, format[2]);

	if (unit == NULL || format[3] != ':')
		return false;
	c->lay = LAY_TIME;
	c->unit_ns = ns[unit - units];
	return true;
}

static bool lay_fixed(const char *format, struct column_in *c)
{
	char *end;
	long width = strtol(format + 2, &end, 10);

	if (*end != '\0' || width < 1 || width > 1 << 20)
		return false;
	c->lay = LAY_FIXED;
	c->width = (int32_t)width;
	return true;
}

bool from_arrow_lay(const char *format, struct column_in *c)
{
	if (strncmp(format, "ts", 2) == 0)
		return lay_time(format, c);
	if (strncmp(format, "w:", 2) == 0)
		return lay_fixed(format, c);
	if (strcmp(format, "+s") == 0)
		c->lay = LAY_STRUCT;
	else if (strcmp(format, "vu") == 0 || strcmp(format, "vz") == 0)
		c->lay = LAY_VIEW;
	else if (strcmp(format, "+l") == 0 || strcmp(format, "+L") == 0)
		c->lay = LAY_LIST;
	else
		return format[0] != '\0' && format[1] == '\0' && lay_letter(format[0], c);
	if (c->lay == LAY_LIST)
		c->width = format[1] == 'l' ? 4 : 8;
	return true;
}

bool from_arrow_suits(const struct column_in *c)
{
	const bool whole = c->lay == LAY_SIGNED || c->lay == LAY_UNSIGNED;
	const bool bytes = c->lay == LAY_BYTES || c->lay == LAY_VIEW;

	if (c->lay == LAY_NULL)
		return true;
	switch (c->type) {
	case FIELD_BOOL:
		return c->lay == LAY_BOOL;
	case FIELD_F64:
	case FIELD_MS:
	case FIELD_S:
		return whole || c->lay == LAY_FLOAT;
	case FIELD_WORD:
	case FIELD_TEXT:
		return bytes;
	case FIELD_HEX:
		return bytes || c->lay == LAY_FIXED;
	case FIELD_ADDRESS:
		return bytes || (c->lay == LAY_FIXED && c->width == 16);
	case FIELD_TIME:
		return c->lay == LAY_TIME;
	case FIELD_STRUCT:
		return c->lay == LAY_STRUCT;
	case FIELD_LIST:
		return c->lay == LAY_LIST;
	default:
		return whole;
	}
}

/* --- a batch --------------------------------------------------------------------------------- */

static bool damaged(const struct column_in *c, const char *what, struct err *e)
{
	return err_set(e, "column %s: the array %s", c->path[0] == '\0' ? "(all)" : c->path, what);
}

static int64_t load(const uint8_t *at, int32_t width)
{
	int32_t v32;
	int64_t v64;

	if (width == 4)
		return memcpy(&v32, at, 4), v32;
	return memcpy(&v64, at, 8), v64;
}

int64_t from_arrow_offset(const struct column_in *c, int64_t row)
{
	return load(c->values + (c->begin + row) * c->width, c->width);
}

/* Offsets begin at 0 or behind it and never go back; *end: the last.  Without rows there need be
 * none. */
static bool offsets_rise(const struct column_in *c, int64_t *end)
{
	int64_t before = 0;

	for (int64_t i = 0; i <= c->length && c->length > 0; i++) {
		int64_t now = from_arrow_offset(c, i);

		if (now < before)
			return false;
		before = now;
	}
	*end = before;
	return true;
}

static int64_t buffers_of(const struct column_in *c)
{
	switch (c->lay) {
	case LAY_NULL:
		return 0;
	case LAY_STRUCT:
		return 1;
	case LAY_BYTES:
		return 3;
	default:
		return 2;
	}
}

/* What every array must have. */
static bool check_head(
		const struct column_in *c, const struct ArrowArray *a, int64_t need, struct err *e)
{
	if (a == NULL || a->release == NULL)
		return damaged(c, "is not there", e);
	if (a->offset < 0 || a->offset > ROWS_MAX || a->length < need || a->length > ROWS_MAX)
		return damaged(c, "has fewer rows than it should", e);
	if (c->lay == LAY_VIEW ? a->n_buffers < 3 : a->n_buffers != buffers_of(c))
		return damaged(c, "has not the buffers of its type", e);
	if ((a->n_buffers > 0 && a->buffers == NULL) || a->n_children != c->children ||
			(a->n_children > 0 && a->children == NULL) ||
			(a->dictionary != NULL) != (c->words != NULL))
		return damaged(c, "does not fit its schema", e);
	if (a->null_count > 0 && c->lay != LAY_NULL && a->buffers[0] == NULL)
		return damaged(c, "has nulls but does not say which", e);
	return true;
}

static bool bind_bytes(struct column_in *c, const struct ArrowArray *a, struct err *e)
{
	int64_t end = 0;

	c->bytes = a->buffers[2];
	if (!offsets_rise(c, &end))
		return damaged(c, "has offsets that go back", e);
	if (c->bytes == NULL && end > 0)
		return damaged(c, "has no bytes", e);
	return true;
}

static bool bind_views(struct column_in *c, const struct ArrowArray *a, struct err *e)
{
	c->view_count = a->n_buffers - 3;
	c->views = (const void *const *)(a->buffers + 2);
	c->view_sizes = a->buffers[a->n_buffers - 1];
	if (c->view_sizes == NULL && c->view_count > 0)
		return damaged(c, "does not say how large its buffers are", e);
	return true;
}

static bool bind_list(struct from_arrow *f, struct column_in *c, const struct ArrowArray *a,
		struct err *e)
{
	int64_t end = 0;

	if (!offsets_rise(c, &end))
		return damaged(c, "has offsets that go back", e);
	return from_arrow_bind(f, c->of, a->children[0], end, e);
}

static bool bind_words(struct from_arrow *f, struct column_in *c, const struct ArrowArray *a,
		struct err *e)
{
	struct column_in *w = c->words;

	if (!from_arrow_bind(f, w, a->dictionary, 0, e))
		return false;
	w->known = NULL;
	if (c->type != FIELD_WORD || w->length == 0)
		return true;
	if ((uint64_t)w->length > (uint64_t)SIZE_MAX / sizeof *w->known)
		return damaged(c, "has too many words", e);
	w->known = arena_zalloc(&f->batch, f->pool, (size_t)w->length * sizeof *w->known);
	return w->known != NULL || err_set(e, "column %s: no memory for its words", c->path);
}

static bool bind_members(struct from_arrow *f, struct column_in *c, const struct ArrowArray *a,
		struct err *e)
{
	for (size_t i = 0; i < c->count; i++)
		if (!from_arrow_bind(f, &c->of[i], a->children[c->of[i].child],
				    a->offset + a->length, e))
			return false;
	return true;
}

bool from_arrow_bind(struct from_arrow *f, struct column_in *c, const struct ArrowArray *a,
		int64_t need, struct err *e)
{
	if (!check_head(c, a, need, e))
		return false;
	c->begin = a->offset;
	c->length = a->length;
	c->valid = c->lay == LAY_NULL || a->null_count == 0 ? NULL : a->buffers[0];
	if (c->lay == LAY_NULL)
		return true;
	if (c->lay == LAY_STRUCT)
		return bind_members(f, c, a, e);
	c->values = a->buffers[1];
	if (c->values == NULL && c->length > 0)
		return damaged(c, "has no values", e);
	if (c->words != NULL)
		return bind_words(f, c, a, e);
	if (c->lay == LAY_BYTES)
		return bind_bytes(c, a, e);
	if (c->lay == LAY_VIEW)
		return bind_views(c, a, e);
	return c->lay != LAY_LIST || bind_list(f, c, a, e);
}

bool from_arrow_batch(struct from_arrow *f, const struct ArrowArray *batch, struct err *e)
{
	arena_free(&f->batch, f->pool);
	f->is_bound = false;
	if (batch == NULL)
		return true;
	for (size_t i = 0; i < f->count; i++) {
		f->tables[i].children = f->children;
		if (!from_arrow_bind(f, &f->tables[i], batch, 0, e))
			return false;
	}
	f->is_bound = true;
	f->rows = batch->length;
	return true;
}

/* --- pieces of a value ----------------------------------------------------------------------- */

bool from_arrow_is_null(const struct column_in *c, int64_t row)
{
	const int64_t at = c->begin + row;

	if (c->lay == LAY_NULL)
		return true;
	return c->valid != NULL && !(c->valid[at / 8] >> at % 8 & 1);
}

static bool view_bytes(const struct column_in *c, int64_t row, struct field_text *out)
{
	const uint8_t *view = c->values + (c->begin + row) * VIEW;
	int32_t head[4]; /* size, first bytes, buffer, place in it */

	memcpy(head, view, VIEW);
	if (head[0] < 0)
		return false;
	*out = (struct field_text){ (const char *)view + 4, (size_t)head[0] };
	if (head[0] <= VIEW_INLINE)
		return true;
	if (head[2] < 0 || head[2] >= c->view_count || head[3] < 0 || c->views[head[2]] == NULL ||
			(int64_t)head[3] + head[0] > c->view_sizes[head[2]])
		return false;
	out->p = (const char *)c->views[head[2]] + head[3];
	return true;
}

bool from_arrow_bytes(const struct column_in *c, int64_t row, struct field_text *out)
{
	int64_t from, end;

	switch (c->lay) {
	case LAY_FIXED:
		*out = (struct field_text){ (const char *)c->values + (c->begin + row) * c->width,
			(size_t)c->width };
		return true;
	case LAY_BYTES:
		from = from_arrow_offset(c, row);
		end = from_arrow_offset(c, row + 1);
		*out = (struct field_text){ from == end ? "" : (const char *)c->bytes + from,
			(size_t)(end - from) };
		return true;
	case LAY_VIEW:
		return view_bytes(c, row, out);
	default:
		return false;
	}
}
