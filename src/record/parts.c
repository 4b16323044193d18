/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parts.c - joining two structs by the rules of their table.
 *
 * As deep as the tables, which plan_new() has checked.
 */
#include "record/parts.h"

#include <stdlib.h>
#include <string.h>

#include "record/pick.h"
#include "record/value.h"

struct join {
	uint32_t list_max;
	struct parts_memory *memory;
};

static void *allocate(struct parts_memory *m, size_t size)
{
	void *to = m->failed ? NULL : arena_alloc(m->arena, m->pool, size + (size == 0));

	if (to == NULL)
		m->failed = true;
	return to;
}

static size_t size_of(enum field_type type)
{
	switch (type) {
	case FIELD_BOOL:
		return sizeof(bool);
	case FIELD_U8:
		return 1;
	case FIELD_U16:
		return 2;
	case FIELD_U32:
	case FIELD_I32:
		return 4;
	case FIELD_WORD:
		return sizeof(const char *);
	case FIELD_TEXT:
		return sizeof(struct field_text);
	case FIELD_HEX:
		return sizeof(struct field_hex);
	case FIELD_ADDRESS:
		return sizeof(struct field_address);
	case FIELD_TIME:
		return sizeof(struct field_time);
	default:
		return 8;
	}
}

/* --- copies ---------------------------------------------------------------------------------- */

static void copy_bytes(const char **p, size_t size, struct parts_memory *m)
{
	char *to = *p == NULL ? NULL : allocate(m, size);

	if (to != NULL && size > 0)
		memcpy(to, *p, size);
	*p = to;
}

static void copy_members(const struct field *table, uint8_t *at, struct parts_memory *m);

/* 'at' is a plain copy by now; what it points to is not. */
static void copy_value(
		const struct field *f, enum field_type type, void *at, struct parts_memory *m)
{
	struct field_text *text = at;
	const char **word = at;

	if (type == FIELD_WORD && *word != NULL)
		copy_bytes(word, strlen(*word) + 1, m);
	else if (type == FIELD_TEXT || type == FIELD_HEX)
		copy_bytes(&text->p, text->size, m);
	else if (type == FIELD_STRUCT)
		copy_members(f->sub, at, m);
}

static void copy_list(const struct field *f, struct field_list *list, struct parts_memory *m)
{
	uint8_t *items;

	if (list->count == 0)
		return;
	copy_bytes((const char **)&list->items, list->count * f->item_size, m);
	items = (uint8_t *)(uintptr_t)list->items;
	if (items == NULL)
		list->count = 0;
	for (size_t i = 0; i < list->count; i++)
		copy_value(f, f->sub != NULL ? FIELD_STRUCT : f->item, items + i * f->item_size, m);
}

static void copy_members(const struct field *table, uint8_t *at, struct parts_memory *m)
{
	for (const struct field *f = table; f->key != NULL; f++) {
		if (f->type == FIELD_LIST)
			copy_list(f, (struct field_list *)(void *)(at + f->offset), m);
		else
			copy_value(f, f->type, at + f->offset, m);
	}
}

_Static_assert(offsetof(struct field_hex, size) == offsetof(struct field_text, size),
		"copy_value() and are_equal() take one for the other");

void parts_copy(const struct field *table, const void *from, size_t size, void *to,
		struct parts_memory *m)
{
	memcpy(to, from, size);
	copy_members(table, to, m);
}

/* --- comparing ------------------------------------------------------------------------------- */

static bool are_equal(const struct field *f, enum field_type type, const void *a, const void *b)
{
	const struct field_text *x = a, *y = b;
	const bool null = value_is_null(type, f->flags, a);

	if (type == FIELD_STRUCT)
		return parts_equal(f->sub, a, b);
	if (null || value_is_null(type, f->flags, b))
		return null == value_is_null(type, f->flags, b);
	if (type == FIELD_WORD)
		return strcmp(*(const char *const *)a, *(const char *const *)b) == 0;
	if (type == FIELD_TEXT || type == FIELD_HEX)
		return x->size == y->size && (x->size == 0 || memcmp(x->p, y->p, x->size) == 0);
	if (type == FIELD_TIME)
		return ((const struct field_time *)a)->ns == ((const struct field_time *)b)->ns;
	return memcmp(a, b, size_of(type)) == 0;
}

static enum field_type item_type(const struct field *f)
{
	return f->sub != NULL ? FIELD_STRUCT : f->item;
}

static const void *item_at(const struct field *f, const struct field_list *list, size_t i)
{
	return (const uint8_t *)list->items + i * f->item_size;
}

static bool lists_equal(
		const struct field *f, const struct field_list *a, const struct field_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!are_equal(f, item_type(f), item_at(f, a, i), item_at(f, b, i)))
			return false;
	return true;
}

bool parts_equal(const struct field *table, const void *a, const void *b)
{
	for (const struct field *f = table; f->key != NULL; f++) {
		const void *x = (const uint8_t *)a + f->offset, *y = (const uint8_t *)b + f->offset;

		if (f->type == FIELD_LIST ? !lists_equal(f, x, y) : !are_equal(f, f->type, x, y))
			return false;
	}
	return true;
}

/* --- leaving out ----------------------------------------------------------------------------- */

bool parts_leave_out(const struct field *f, void *at)
{
	bool good = true;

	if (f->type == FIELD_STRUCT) {
		for (const struct field *m = f->sub; m->key != NULL; m++)
			good &= parts_leave_out(m, (uint8_t *)at + m->offset);
		return good;
	}
	if (f->type == FIELD_LIST)
		*(struct field_list *)at = (struct field_list){ NULL, 0 };
	else
		pick_null(f->type, at);
	return f->flags & FIELD_OPTIONAL;
}

static bool has_any(const struct field *table, const void *data)
{
	for (const struct field *f = table; f->key != NULL; f++) {
		const uint8_t *at = (const uint8_t *)data + f->offset;

		if (f->type == FIELD_STRUCT ? has_any(f->sub, at)
				: f->type == FIELD_LIST
						? ((const struct field_list *)(const void *)at)
										  ->count > 0
						: !value_is_null(f->type, f->flags, at))
			return true;
	}
	return false;
}

/* --- numbers --------------------------------------------------------------------------------- */

static bool is_unsigned(enum field_type type)
{
	return type >= FIELD_U8 && type <= FIELD_U64;
}

static int64_t signed_of(enum field_type type, const void *at)
{
	int32_t v32;
	int64_t v;

	if (type == FIELD_I32)
		return memcpy(&v32, at, 4), v32;
	return memcpy(&v, at, 8), v;
}

static double double_of(const void *at)
{
	double v;

	return memcpy(&v, at, 8), v;
}

/* Below, equal or above: -1, 0, 1. */
static int compare(enum field_type type, const void *a, const void *b)
{
	if (is_unsigned(type)) {
		const uint64_t x = value_load(a, size_of(type)), y = value_load(b, size_of(type));

		return (x > y) - (x < y);
	}
	if (type == FIELD_F64)
		return (double_of(a) > double_of(b)) - (double_of(a) < double_of(b));

	const int64_t x = signed_of(type, a), y = signed_of(type, b);

	return (x > y) - (x < y);
}

static bool put_sum(enum field_type type, unsigned flags, __int128 sum, void *at)
{
	const uint64_t u = (uint64_t)sum;
	const size_t size = size_of(type);
	const bool is_signed = !is_unsigned(type);
	const __int128 most = (is_signed ? UINT64_MAX >> (65 - 8 * size)
					 : UINT64_MAX >> (64 - 8 * size)) -
			      (!is_signed && (flags & FIELD_NULLABLE) ? 1 : 0);

	if (sum > most || (is_signed && sum < 0))
		return false;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	memcpy(at, (const char *)&u + 8 - size, size);
#else
	memcpy(at, &u, size);
#endif
	return true;
}

/* Both are there.  False: the sum does not fit, or the type has none. */
static bool add(enum field_type type, unsigned flags, void *whole, const void *next)
{
	double sum;

	switch (type) {
	case FIELD_F64:
		sum = double_of(whole) + double_of(next);
		return memcpy(whole, &sum, 8), true;
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
		return put_sum(type, flags,
				(__int128)value_load(whole, size_of(type)) +
						value_load(next, size_of(type)),
				whole);
	case FIELD_I32:
	case FIELD_I64:
	case FIELD_MS:
	case FIELD_S:
		return put_sum(type, flags,
				(__int128)signed_of(type, whole) + signed_of(type, next), whole);
	default:
		return false;
	}
}

/* --- scalars --------------------------------------------------------------------------------- */

/* Of two values that are there. */
static bool join_numbers(
		const struct field *f, enum field_merge rule, void *whole, const void *next)
{
	const int order = compare(f->type, next, whole);

	if (rule == MERGE_SUM)
		return add(f->type, f->flags, whole, next) || parts_leave_out(f, whole);
	if (rule == MERGE_MIN ? order < 0 : order > 0)
		memcpy(whole, next, size_of(f->type));
	return true;
}

static bool join_scalar(const struct field *f, enum field_merge rule, void *whole, const void *next)
{
	const bool has = !value_is_null(f->type, f->flags, whole);
	const bool adds = !value_is_null(f->type, f->flags, next);

	switch (rule) {
	case MERGE_BEGIN:
	case MERGE_OWN:
		return true;
	case MERGE_END:
		memcpy(whole, next, size_of(f->type));
		return true;
	case MERGE_FIRST:
	case MERGE_LAST:
		if (adds && (!has || rule == MERGE_LAST))
			memcpy(whole, next, size_of(f->type));
		return true;
	case MERGE_SUM:
	case MERGE_MIN:
	case MERGE_MAX:
		if (has && adds)
			return join_numbers(f, rule, whole, next);
		if (adds)
			memcpy(whole, next, size_of(f->type));
		return true;
	default:
		return are_equal(f, f->type, whole, next) || parts_leave_out(f, whole);
	}
}

/* --- lists ----------------------------------------------------------------------------------- */

static bool concat(const struct join *j, const struct field *f, struct field_list *whole,
		const struct field_list *next)
{
	size_t more = whole->count < j->list_max ? j->list_max - whole->count : 0;
	uint8_t *items;

	more = more < next->count ? more : next->count;
	if (more == 0)
		return true;
	items = allocate(j->memory, (whole->count + more) * f->item_size);
	if (items == NULL)
		return true;
	if (whole->count > 0)
		memcpy(items, whole->items, whole->count * f->item_size);
	memcpy(items + whole->count * f->item_size, next->items, more * f->item_size);
	*whole = (struct field_list){ items, whole->count + more };
	return true;
}

/* Item by item; a part without the list adds nothing. */
static bool sum_lists(const struct join *j, const struct field *f, struct field_list *whole,
		const struct field_list *next)
{
	bool good = f->sub == NULL;
	uint8_t *items;

	if (whole->count == 0 || next->count == 0) {
		*whole = whole->count == 0 ? *next : *whole;
		return true;
	}
	if (whole->count != next->count)
		return parts_leave_out(f, whole);
	items = allocate(j->memory, whole->count * f->item_size);
	if (items == NULL)
		return true;
	memcpy(items, whole->items, whole->count * f->item_size);
	for (size_t i = 0; i < whole->count && good; i++)
		good = add(f->item, f->flags, items + i * f->item_size, item_at(f, next, i));
	whole->items = items;
	return good || parts_leave_out(f, whole);
}

/* The place before which an item goes; 'count' for behind all, SIZE_MAX when it is there. */
static size_t place_of(const struct field *f, const struct field_list *in, const void *item)
{
	const bool sorted = f->sub == NULL && is_unsigned(f->item);

	for (size_t i = 0; i < in->count; i++) {
		if (are_equal(f, item_type(f), item_at(f, in, i), item))
			return SIZE_MAX;
		if (sorted && compare(f->item, item, item_at(f, in, i)) < 0)
			return i;
	}
	return in->count;
}

static bool unite(const struct join *j, const struct field *f, struct field_list *whole,
		const struct field_list *next)
{
	const size_t size = f->item_size;
	uint8_t *items = allocate(j->memory, (whole->count + next->count) * size);
	struct field_list all = { items, whole->count };

	if (items == NULL)
		return true;
	if (whole->count > 0)
		memcpy(items, whole->items, whole->count * size);
	for (size_t i = 0; i < next->count; i++) {
		const void *item = item_at(f, next, i);
		const size_t at = place_of(f, &all, item);

		if (at == SIZE_MAX)
			continue;
		memmove(items + (at + 1) * size, items + at * size, (all.count - at) * size);
		memcpy(items + at * size, item, size);
		all.count++;
	}
	*whole = all;
	return true;
}

static bool join_list(const struct join *j, const struct field *f, enum field_merge rule,
		struct field_list *whole, const struct field_list *next)
{
	switch (rule) {
	case MERGE_BEGIN:
	case MERGE_OWN:
		return true;
	case MERGE_END:
		*whole = *next;
		return true;
	case MERGE_FIRST:
		*whole = whole->count > 0 ? *whole : *next;
		return true;
	case MERGE_LAST:
		*whole = next->count > 0 ? *next : *whole;
		return true;
	case MERGE_SUM:
		return sum_lists(j, f, whole, next);
	case MERGE_CONCAT:
		return concat(j, f, whole, next);
	case MERGE_UNION:
		return unite(j, f, whole, next);
	default:
		return lists_equal(f, whole, next) || parts_leave_out(f, whole);
	}
}

/* --- structs --------------------------------------------------------------------------------- */

static void take_struct(const struct field *table, uint8_t *to, const uint8_t *from)
{
	for (const struct field *f = table; f->key != NULL; f++) {
		if (f->type == FIELD_STRUCT)
			take_struct(f->sub, to + f->offset, from + f->offset);
		else
			memcpy(to + f->offset, from + f->offset,
					f->type == FIELD_LIST ? sizeof(struct field_list)
							      : size_of(f->type));
	}
}

static const struct field *join_members(const struct join *j, const struct field *table,
		enum field_merge outer, uint8_t *whole, const uint8_t *next);

static const struct field *join_struct(const struct join *j, const struct field *f,
		enum field_merge rule, uint8_t *whole, const uint8_t *next)
{
	if (rule == MERGE_OWN)
		return NULL;
	if (rule != MERGE_WHOLE)
		return join_members(j, f->sub, rule, whole, next);
	if (!has_any(f->sub, whole))
		take_struct(f->sub, whole, next);
	return NULL;
}

static const struct field *join_field(const struct join *j, const struct field *f,
		enum field_merge rule, uint8_t *whole, const uint8_t *next)
{
	bool good;

	if (f->type == FIELD_STRUCT)
		return join_struct(j, f, rule, whole, next);
	if (f->type == FIELD_LIST)
		good = join_list(j, f, rule, (struct field_list *)(void *)whole,
				(const struct field_list *)(const void *)next);
	else
		good = join_scalar(f, rule, whole, next);
	return good ? NULL : f;
}

static const struct field *join_members(const struct join *j, const struct field *table,
		enum field_merge outer, uint8_t *whole, const uint8_t *next)
{
	for (const struct field *f = table; f->key != NULL; f++) {
		enum field_merge rule = f->merge == MERGE_INHERIT ? outer : f->merge;
		const struct field *bad =
				join_field(j, f, rule, whole + f->offset, next + f->offset);

		if (bad != NULL)
			return bad;
	}
	return NULL;
}

const struct field *parts_join(const struct field *table, void *whole, const void *next,
		uint32_t list_max, struct parts_memory *m)
{
	const struct join j = { list_max, m };

	return join_members(&j, table, MERGE_SAME, whole, next);
}

/* --- by name --------------------------------------------------------------------------------- */

const int64_t *parts_number(const struct field *table, const char *path, const void *data)
{
	const size_t size = strcspn(path, ".");

	for (const struct field *f = table; f->key != NULL; f++) {
		const uint8_t *at = (const uint8_t *)data + f->offset;

		if (strncmp(f->key, path, size) != 0 || f->key[size] != '\0')
			continue;
		if (path[size] == '.')
			return f->type == FIELD_STRUCT ? parts_number(f->sub, path + size + 1, at)
						       : NULL;
		return f->type == FIELD_I64 ? (const int64_t *)(const void *)at : NULL;
	}
	return NULL;
}
