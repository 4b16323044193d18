/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * from_arrow_row.c - a row of a checked batch into the structs of its tables.
 *
 * Numbers must fit their field, and a null stands only where a field may be left out; anything else
 * makes the whole row one that cannot be read, so that nothing is changed on the way.
 */
#include "record/from_arrow_internal.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "record/pick.h"
#include "record/value.h"

#define US_NS      1000
#define EXACT_NS   ((int64_t)1 << 50) /* a double of so many ns in ms still tells each of them */
#define ADDRESS_V4 "\0\0\0\0\0\0\0\0\0\0\xff\xff"

enum { MAPPED = 12, ADDRESS_TEXT = 46 };

struct filler {
	struct arena *arena;
	struct pool *pool;
	size_t left; /* bytes that lists of this row may still take */
	bool fine;   /* a time is no whole number of microseconds */
	struct err *why;
};

static bool fill(struct filler *l, struct column_in *c, int64_t row, uint8_t *at);

static bool misfit(const struct filler *l, const struct column_in *c, const char *what)
{
	return err_set(l->why, "column %s: %s", c->path, what);
}

static void *allocate(struct filler *l, size_t size)
{
	void *to = size > l->left ? NULL : arena_zalloc(l->arena, l->pool, size + (size == 0));

	if (to != NULL)
		l->left -= size;
	return to;
}

/* --- numbers --------------------------------------------------------------------------------- */

static __int128 whole(const struct column_in *c, int64_t row)
{
	const uint64_t v = value_load(c->values + (c->begin + row) * c->width, (size_t)c->width);
	const unsigned free_bits = 64 - 8 * (unsigned)c->width;

	if (c->lay == LAY_UNSIGNED)
		return v;
	return (int64_t)(v << free_bits) >> free_bits;
}

static double floating(const struct column_in *c, int64_t row)
{
	const uint8_t *at = c->values + (c->begin + row) * c->width;
	double v;
	float v32;

	if (c->lay != LAY_FLOAT)
		return (double)whole(c, row);
	if (c->width == 4)
		return memcpy(&v32, at, 4), (double)v32;
	return memcpy(&v, at, 8), v;
}

static bool put_unsigned(const struct filler *l, const struct column_in *c, __int128 v, size_t size,
		void *at)
{
	const uint64_t u = (uint64_t)v;

	if (v < 0 || v > UINT64_MAX >> (64 - 8 * size))
		return misfit(l, c, "a number that does not fit");
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	memcpy(at, (const char *)&u + 8 - size, size);
#else
	memcpy(at, &u, size);
#endif
	return true;
}

static bool put_signed(const struct filler *l, const struct column_in *c, __int128 v, size_t size,
		void *at)
{
	const int64_t i64 = (int64_t)v;
	const int32_t i32 = (int32_t)v;

	if (size == 4 ? v != i32 : v != i64)
		return misfit(l, c, "a number that does not fit");
	if (size == 4)
		memcpy(at, &i32, 4);
	else
		memcpy(at, &i64, 8);
	return true;
}

/* ms or s, as the double nearest to whole ns. */
static bool put_duration(struct filler *l, const struct column_in *c, double v, void *at)
{
	const long double ns = (long double)v * (c->type == FIELD_MS ? 1e6L : 1e9L);
	int64_t whole_ns;

	if (!(ns >= 0) || ns >= 0x1p63L)
		return misfit(l, c, "a duration that is none");
	whole_ns = (int64_t)roundl(ns);
	l->fine |= whole_ns % US_NS != 0 && whole_ns < EXACT_NS;
	memcpy(at, &whole_ns, 8);
	return true;
}

static bool put_time(struct filler *l, const struct column_in *c, int64_t row, void *at)
{
	struct field_time t = { 0, false };
	int64_t v = (int64_t)value_load(c->values + (c->begin + row) * 8, 8);

	if (__builtin_mul_overflow(v, c->unit_ns, &t.ns))
		return misfit(l, c, "a time beyond what fits");
	l->fine |= t.ns % US_NS != 0;
	memcpy(at, &t, sizeof t);
	return true;
}

static bool put_bool(const struct column_in *c, int64_t row, void *at)
{
	const int64_t bit = c->begin + row;

	*(bool *)at = c->values[bit / 8] >> bit % 8 & 1;
	return true;
}

static bool put_number(struct filler *l, const struct column_in *c, int64_t row, void *at)
{
	double v;

	switch (c->type) {
	case FIELD_BOOL:
		return put_bool(c, row, at);
	case FIELD_TIME:
		return put_time(l, c, row, at);
	case FIELD_F64:
		v = floating(c, row);
		return memcpy(at, &v, sizeof v), true;
	case FIELD_MS:
	case FIELD_S:
		return put_duration(l, c, floating(c, row), at);
	case FIELD_I32:
	case FIELD_I64:
		return put_signed(l, c, whole(c, row), c->type == FIELD_I32 ? 4 : 8, at);
	default:
		return put_unsigned(l, c, whole(c, row), (size_t)1 << (c->type - FIELD_U8), at);
	}
}

/* --- texts ----------------------------------------------------------------------------------- */

/* A copy with a zero behind; NULL with the reason. */
static const char *terminated(const struct filler *l, const struct column_in *c,
		struct arena *arena, struct pool *pool, struct field_text t)
{
	char *to;

	if (memchr(t.p, '\0', t.size) != NULL || t.size > LIMIT_RECORD_BYTES) {
		misfit(l, c, "a word that is none");
		return NULL;
	}
	to = arena_alloc(arena, pool, t.size + 1);
	if (to == NULL) {
		misfit(l, c, "no memory for a word");
		return NULL;
	}
	memcpy(to, t.p, t.size);
	to[t.size] = '\0';
	return to;
}

static bool put_address(
		const struct filler *l, const struct column_in *c, struct field_text t, void *at)
{
	struct field_address a = { 0 };
	char text[ADDRESS_TEXT];

	if (c->lay == LAY_FIXED) {
		const bool v4 = memcmp(t.p, ADDRESS_V4, MAPPED) == 0;

		a.version = v4 ? 4 : 6;
		memcpy(a.bytes, t.p + (v4 ? MAPPED : 0), v4 ? 4 : 16);
	} else {
		if (t.size >= sizeof text)
			return misfit(l, c, "an address that is none");
		memcpy(text, t.p, t.size);
		text[t.size] = '\0';
		a.version = memchr(text, ':', t.size) != NULL ? 6 : 4;
		if (inet_pton(a.version == 4 ? AF_INET : AF_INET6, text, a.bytes) != 1)
			return misfit(l, c, "an address that is none");
	}
	memcpy(at, &a, sizeof a);
	return true;
}

static bool put_text(
		const struct filler *l, const struct column_in *c, struct field_text t, void *at)
{
	const char *word;

	switch (c->type) {
	case FIELD_WORD:
		word = terminated(l, c, l->arena, l->pool, t);
		memcpy(at, &word, sizeof word);
		return word != NULL;
	case FIELD_HEX:
		*(struct field_hex *)at = (struct field_hex){ (const uint8_t *)t.p, t.size };
		return true;
	case FIELD_TEXT:
		*(struct field_text *)at = t;
		return true;
	default:
		return put_address(l, c, t, at);
	}
}

/* A word of a dictionary is terminated once for a batch. */
static bool put_known(struct filler *l, struct from_arrow *f, struct column_in *words,
		int64_t place, struct field_text t, void *at)
{
	if (words->known[place] == NULL)
		words->known[place] = terminated(l, words, &f->batch, f->pool, t);
	memcpy(at, &words->known[place], sizeof words->known[place]);
	return words->known[place] != NULL;
}

static bool put_indexed(struct filler *l, struct column_in *c, int64_t row, void *at)
{
	const __int128 place = whole(c, row);
	struct field_text t;

	if (place < 0 || place >= c->words->length)
		return misfit(l, c, "a place beyond the dictionary");
	if (from_arrow_is_null(c->words, (int64_t)place))
		return misfit(l, c, "a word that is null");
	if (!from_arrow_bytes(c->words, (int64_t)place, &t))
		return misfit(l, c, "a word beyond its buffer");
	if (c->type == FIELD_WORD)
		return put_known(l, c->words->owner, c->words, (int64_t)place, t, at);
	return put_text(l, c->words, t, at);
}

/* --- structs and lists ----------------------------------------------------------------------- */

/* Nothing stands where nothing may be left out. */
static bool fill_null(struct filler *l, const struct column_in *c, uint8_t *at)
{
	if (c->type == FIELD_STRUCT) {
		for (size_t i = 0; i < c->count; i++)
			if (!fill_null(l, &c->of[i], at + c->of[i].offset))
				return false;
		return true;
	}
	if (c->required)
		return misfit(l, c, "null where there must be a value");
	if (c->type == FIELD_LIST)
		*(struct field_list *)(void *)at = (struct field_list){ NULL, 0 };
	else
		pick_null(c->type, at);
	return true;
}

/* 'row' counts from the struct's own offset, which its members are behind too. */
static bool fill_members(struct filler *l, const struct column_in *c, int64_t row, uint8_t *at)
{
	for (size_t i = 0; i < c->count; i++)
		if (!fill(l, &c->of[i], c->begin + row, at + c->of[i].offset))
			return false;
	return true;
}

static bool fill_list(struct filler *l, const struct column_in *c, int64_t row, uint8_t *at)
{
	const int64_t from = from_arrow_offset(c, row), end = from_arrow_offset(c, row + 1);
	struct field_list list = { NULL, (size_t)(end - from) };
	uint8_t *items;

	if (list.count > LIMIT_RECORD_BYTES / c->item_size)
		return misfit(l, c, "a list that is too long");
	items = allocate(l, list.count * c->item_size);
	if (items == NULL)
		return misfit(l, c, "no memory for a list");
	for (size_t i = 0; i < list.count; i++)
		if (!fill(l, c->of, from + (int64_t)i, items + i * c->item_size))
			return false;
	list.items = items;
	memcpy(at, &list, sizeof list);
	return true;
}

static bool fill(struct filler *l, struct column_in *c, int64_t row, uint8_t *at)
{
	struct field_text t;

	if (from_arrow_is_null(c, row))
		return fill_null(l, c, at);
	if (c->words != NULL)
		return put_indexed(l, c, row, at);
	switch (c->lay) {
	case LAY_STRUCT:
		return fill_members(l, c, row, at);
	case LAY_LIST:
		return fill_list(l, c, row, at);
	case LAY_FIXED:
	case LAY_BYTES:
	case LAY_VIEW:
		return from_arrow_bytes(c, row, &t) ? put_text(l, c, t, at)
						    : misfit(l, c, "bytes beyond their buffer");
	default:
		return put_number(l, c, row, at);
	}
}

/* --- the row --------------------------------------------------------------------------------- */

/* A data element has nothing to say of a flow: all its columns are null. */
static bool is_absent(const struct column_in *table, int64_t row)
{
	for (size_t i = 0; i < table->count; i++)
		if (!from_arrow_is_null(&table->of[i], table->begin + row))
			return false;
	return true;
}

static void set_nanoseconds(const struct column_in *table, uint8_t *at)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->of[i].type == FIELD_TIME)
			((struct field_time *)(void *)(at + table->of[i].offset))->nanoseconds =
					true;
}

bool from_arrow_row(struct from_arrow *f, int64_t row, void *const *structs, const void **data,
		struct arena *arena, struct pool *pool, struct err *why)
{
	struct filler l = { arena, pool, LIMIT_RECORD_BYTES, false, why };

	if (!f->is_bound || row < 0 || row >= f->rows)
		return err_set(why, "there is no such row");
	for (size_t i = 0; i < f->count; i++) {
		const struct column_in *table = &f->tables[i];

		data[i] = is_absent(table, row) ? NULL : structs[i];
		if (data[i] != NULL && !fill_members(&l, table, row, structs[i]))
			return false;
	}
	for (size_t i = 0; i < f->count && l.fine; i++)
		if (data[i] != NULL)
			set_nanoseconds(&f->tables[i], structs[i]);
	return true;
}
