/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * from_json.c - the walk of a line along the tree of keys.
 *
 * A record's keys come in the order of its tables, so the next one is compared as it would be
 * written before it is looked for.
 */
#include "record/from_json_internal.h"

enum {
	SMALLS = 64, /* items of a list that are put at once */
	AHEAD = 16,  /* members that may be missing before the next is looked for by its key */
};

static void read_members(struct from_json *f, uint32_t of, uint32_t row);
static void read_value(struct from_json *f, uint32_t of, uint32_t row);

/* What records leave out when it is empty is null then. */
static void read_struct(struct from_json *f, uint32_t at, uint32_t row)
{
	const struct node *n = &f->nodes[at];
	const uint64_t before = f->put;

	read_members(f, at, row);
	if (f->put > before || !(n->flags & FIELD_OPTIONAL))
		batch_struct(f->batch, n->column, row);
}

static bool is_put(const struct cells *at, uint32_t row)
{
	return at->valid != NULL && (at->valid[row >> 3] >> (row & 7) & 1);
}

/* A number that json_read_small() gave. */
static inline void put_small(
		struct from_json *f, uint32_t at, struct cells *cells, uint32_t row, uint64_t v)
{
	const struct column *c = f->nodes[at].column;

	if (is_put(cells, row) || v > UINT64_MAX >> (64 - 8 * c->width)) {
		odd_wrong(f, at);
		return;
	}
	cells_number(c, cells, row, v);
	f->put++;
}

/* Items at the front of a list of counts, as far as they are small. */
static bool read_smalls(struct from_json *f, uint32_t at)
{
	const struct node *list = &f->nodes[at], *item = &f->nodes[at + 1];
	uint64_t v[SMALLS];
	bool any = false;

	for (size_t n; (n = json_read_smalls(&f->j, v, SMALLS)) > 0; any = true) {
		const uint32_t row = batch_items(f->batch, list->column, (uint32_t)n);
		struct cells *cells = batch_cells(f->batch, item->column, row);

		for (uint32_t i = 0; cells != NULL && i < n; i++)
			put_small(f, at + 1, cells, row + i, v[i]);
	}
	return any;
}

static void read_list(struct from_json *f, uint32_t at, uint32_t row)
{
	const struct node *n = &f->nodes[at];
	bool any = f->nodes[at + 1].is_count && read_smalls(f, at);

	for (; json_read_item(&f->j); any = true)
		read_value(f, at + 1, batch_item(f->batch, n->column));
	if (any || !(n->flags & FIELD_OPTIONAL))
		batch_list(f->batch, n->column, row);
}

/* False: the value is of a wrong type; what is left of it is to be passed over. */
static bool put_value(struct from_json *f, uint32_t at, struct cells *cells, uint32_t row,
		const struct json_value *v)
{
	const struct node *n = &f->nodes[at];

	if (is_put(cells, row)) /* a key stands twice: the first is kept */
		return false;
	switch (v->kind) {
	case JSON_OBJECT:
		return n->type == FIELD_STRUCT && (read_struct(f, at, row), true);
	case JSON_LIST:
		return n->type == FIELD_LIST && (read_list(f, at, row), true);
	default:
		return put_scalar(f, n, cells, row, v);
	}
}

/* Any value, by the long way. */
static void read_any(struct from_json *f, uint32_t at, struct cells *cells, uint32_t row)
{
	const struct json_value v = json_read(&f->j);

	if (v.kind == JSON_NULL || v.kind == JSON_BAD)
		return;
	if (cells != NULL && put_value(f, at, cells, row, &v)) {
		f->put++;
		return;
	}
	if (cells != NULL)
		odd_wrong(f, at);
	json_read_pass(&f->j, &v);
}

static void read_value(struct from_json *f, uint32_t at, uint32_t row)
{
	const struct node *n = &f->nodes[at];
	struct cells *cells = n->column == NULL ? NULL : batch_cells(f->batch, n->column, row);
	uint64_t v;

	if (n->is_count && cells != NULL && json_read_small(&f->j, &v))
		put_small(f, at, cells, row, v);
	else
		read_any(f, at, cells, row);
}

static bool is_key(const struct node *n, struct rd key)
{
	return n->key.size == key.left + 3 && memcmp(n->key.text + 1, key.p, key.left) == 0;
}

/* The member of 'of' with this key, looked for from 'from' on; 0: none. */
static uint32_t find(const struct from_json *f, uint32_t of, uint32_t from, struct rd key)
{
	const uint32_t end = f->nodes[of].next;

	for (uint32_t i = from; i < end; i = f->nodes[i].next)
		if (is_key(&f->nodes[i], key))
			return i;
	for (uint32_t i = of + 1; i < from; i = f->nodes[i].next)
		if (is_key(&f->nodes[i], key))
			return i;
	return 0;
}

/* Lines that are no records, by a key that no record has. */
static bool is_of_other_line(struct rd key)
{
	static const char *const keys[] = { "version", "summary", "drops" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (key.left == strlen(keys[i]) && memcmp(key.p, keys[i], key.left) == 0)
			return true;
	return false;
}

static void pass_unknown(struct from_json *f, uint32_t of, const struct json_value *key)
{
	const struct json_value v = json_read(&f->j);

	if (of == 0 && is_of_other_line(key->text))
		f->other = true;
	odd_unknown(f, of, key);
	json_read_pass(&f->j, &v);
}

/* The next member's node, or 0 when the object is at its end; others are passed over. */
static uint32_t next_member(struct from_json *f, uint32_t of, uint32_t from)
{
	struct json_value key;

	while (json_read_member(&f->j, &key)) {
		const uint32_t at = find(f, of, from, put_text_of(f, &key));

		if (at != 0)
			return at;
		pass_unknown(f, of, &key);
	}
	return 0;
}

/* The member of 'of' that follows, if it is one of the next few as they are written; 0: none. */
static uint32_t expected(struct from_json *f, uint32_t of, uint32_t from)
{
	const uint32_t end = f->nodes[of].next;

	json_read_comma(&f->j);
	for (uint32_t i = from, n = 0; i < end && n < AHEAD; i = f->nodes[i].next, n++)
		if (json_read_expected(&f->j, &f->nodes[i].key))
			return i;
	return 0;
}

static void read_members(struct from_json *f, uint32_t of, uint32_t row)
{
	for (uint32_t at = of + 1, found;; at = f->nodes[found].next) {
		found = expected(f, of, at);
		if (found == 0)
			found = next_member(f, of, at);
		if (found == 0)
			return;
		f->known++;
		read_value(f, found, row);
	}
}

/* What is wrong with the line, of which all was read; NULL: nothing. */
static const char *judge(struct from_json *f, bool object, size_t *at)
{
	*at = 0;
	if (!json_read_end(&f->j)) {
		*at = f->j.fault_at;
		return f->j.fault;
	}
	return object && (f->known > 0 || f->other) ? NULL : "no record of a flow";
}

static enum from_json_line end_line(struct from_json *f, bool object, const char **why, size_t *at)
{
	*why = judge(f, object, at);
	if (*why != NULL || f->other) {
		batch_undo(f->batch);
		return *why != NULL ? FROM_JSON_DAMAGED : FROM_JSON_OTHER;
	}
	if (batch_end_row(f->batch))
		return FROM_JSON_RECORD;
	*why = "no memory for a record, or it is too large,";
	return FROM_JSON_DAMAGED;
}

enum from_json_line from_json_line(
		struct from_json *f, struct batch *b, struct rd line, const char **why, size_t *at)
{
	const struct from_json_odd *odd = &f->odd;
	const uint64_t unknown = odd->unknown, wrong = odd->wrong;
	const size_t names = strlen(odd->unknown_names), wrong_names = strlen(odd->wrong_names);
	enum from_json_line what;
	struct json_value v;

	f->j = json_read_begin(line);
	f->batch = b;
	f->known = f->put = 0;
	f->other = false;
	v = json_read(&f->j);
	if (v.kind == JSON_OBJECT)
		read_members(f, 0, batch_rows(b));
	else
		json_read_pass(&f->j, &v);
	what = end_line(f, v.kind == JSON_OBJECT, why, at);
	if (what != FROM_JSON_RECORD) {
		f->odd.unknown = unknown;
		f->odd.wrong = wrong;
		f->odd.unknown_names[names] = f->odd.wrong_names[wrong_names] = '\0';
	}
	return what;
}
