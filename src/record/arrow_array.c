/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arrow_array.c - a batch handed on as an ArrowArray: its memory moves, nothing is copied.
 *
 * All arrays of a batch hold the same memory, which is freed with the last of them, for each may be
 * moved out of its parent and live longer.  A table that no record of the batch had, has no memory:
 * its columns are zeros, of which there is one page for all.
 */
#include "record/columns_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { ZEROS = (8192 + 1) * 16 };

static _Alignas(64) uint8_t zeros[ZEROS]; /* never written to */

struct handed {
	atomic_uint holders;
	uint32_t columns, groups;
	struct ArrowArray *arrays; /* of each column; the dictionaries behind them */
	struct ArrowArray **pointers;
	const void **buffers; /* three for each */
	uint8_t **pieces;
	char **texts;
	void *more_zeros;
};

static void handed_free(struct handed *h)
{
	for (uint32_t i = 0; h->pieces != NULL && i < h->groups; i++)
		free(h->pieces[i]);
	for (uint32_t i = 0; h->texts != NULL && i < h->columns; i++)
		free(h->texts[i]);
	free(h->arrays);
	free(h->pointers);
	free(h->buffers);
	free(h->pieces);
	free(h->texts);
	free(h->more_zeros);
	free(h);
}

static void release(struct ArrowArray *array)
{
	struct handed *h = array->private_data;

	for (int64_t i = 0; i < array->n_children; i++) {
		if (array->children[i]->release != NULL)
			array->children[i]->release(array->children[i]);
	}
	if (array->dictionary != NULL && array->dictionary->release != NULL)
		array->dictionary->release(array->dictionary);
	array->release = NULL;
	if (atomic_fetch_sub(&h->holders, 1) == 1)
		handed_free(h);
}

/* Room for all; the memory of the batch is not in it yet. */
static struct handed *handed_new(const struct columns *c)
{
	struct handed *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->columns = c->count;
	h->groups = c->groups;
	h->arrays = calloc((size_t)c->count + c->dictionaries, sizeof *h->arrays);
	h->pointers = calloc(c->count, sizeof(struct ArrowArray *));
	h->buffers = calloc(3 * (size_t)c->count, sizeof(void *));
	h->pieces = calloc(c->groups + 1, sizeof(uint8_t *));
	h->texts = calloc(c->count, sizeof(char *));
	if (h->arrays != NULL && h->pointers != NULL && h->buffers != NULL && h->pieces != NULL &&
			h->texts != NULL)
		return h;
	handed_free(h);
	return NULL;
}

/* --- one column ---------------------------------------------------------------------------------
 */

static uint32_t rows_of(const struct batch *b, uint32_t group)
{
	return group < b->head.columns->table_count ? b->head.rows : b->head.groups[group].rows;
}

/* Bits of who is null; NULL: nobody. */
static const void *valid_of(const struct batch *b, const struct column *col, const void *none)
{
	const struct cells *at = &b->head.cells[col->index];

	if (col->nulls == COLUMN_FULL)
		return NULL;
	if (col->nulls == COLUMN_NULLS)
		return at->valid != NULL ? at->valid : none;
	return b->present[col->table] != NULL ? b->present[col->table] : none;
}

static int64_t buffers_of(const struct column *col)
{
	if (col->layout == COLUMN_STRUCT)
		return 1;
	return col->layout == COLUMN_BYTES ? 3 : 2;
}

static void fill_array(
		struct handed *h, struct batch *b, const struct column *col, const void *none)
{
	struct cells *at = &b->head.cells[col->index];
	struct ArrowArray *array = &h->arrays[col->index];
	const void **buffers = &h->buffers[3 * (size_t)col->index];
	const uint32_t rows = rows_of(b, col->group);

	if (at->values != NULL && (col->layout == COLUMN_BYTES || col->layout == COLUMN_LIST))
		batch_fill(at, rows);
	buffers[0] = valid_of(b, col, none);
	buffers[1] = at->values != NULL ? at->values : none;
	buffers[2] = at->bytes != NULL ? at->bytes : none;
	*array = (struct ArrowArray){ .length = rows,
		.null_count = buffers[0] == NULL ? 0 : -1,
		.n_buffers = buffers_of(col),
		.buffers = buffers,
		.release = release,
		.private_data = h };
	h->texts[col->index] = at->bytes;
}

/* Children stand behind each other among the pointers. */
static void link_children(struct handed *h, const struct columns *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->count; i++) {
		struct ArrowArray *array = &h->arrays[i];

		array->children = &h->pointers[n];
		for (uint32_t k = i + 1; k < c->column[i].next; k = c->column[k].next) {
			h->pointers[n++] = &h->arrays[k];
			array->n_children++;
		}
		if (array->n_children == 0)
			array->children = NULL;
	}
}

static bool add_dictionaries(struct handed *h, const struct columns *c)
{
	bool done = true;

	for (uint32_t i = 0; i < c->count; i++) {
		const struct column *col = &c->column[i];
		struct ArrowArray *words;

		if (col->words == NULL)
			continue;
		words = &h->arrays[c->count + dictionary_number(col->words)];
		done = done && dictionary_export(col->words, words);
		h->arrays[i].dictionary = done ? words : NULL;
	}
	return done;
}

/* --- the batch ----------------------------------------------------------------------------------
 */

/* As many zeros as the longest column may ask for. */
static const void *zeros_for(struct handed *h, uint32_t rows)
{
	const size_t size = ((size_t)rows + 1) * 16;

	if (size <= ZEROS)
		return zeros;
	h->more_zeros = calloc(1, size);
	return h->more_zeros;
}

/* A table that the last records did not have has fewer cells than there are rows. */
static bool stretch(struct batch *b)
{
	for (uint32_t i = 0; i < b->head.columns->table_count; i++) {
		if (b->head.groups[i].room > 0 && !batch_room(b, i, b->head.rows))
			return false;
	}
	return true;
}

/* A struct is there where one of its members is.  Inner ones first. */
static void close_structs(struct batch *b)
{
	const struct columns *c = b->head.columns;

	for (uint32_t i = c->count - 1; i > 0; i--) {
		const struct column *of = &c->column[i];
		uint8_t *valid = b->head.cells[i].valid;
		const size_t size = ((size_t)rows_of(b, of->group) + 7) / 8;

		if (of->layout != COLUMN_STRUCT || valid == NULL)
			continue;
		for (uint32_t k = i + 1; k < of->next; k = c->column[k].next) {
			const uint8_t *member = b->head.cells[k].valid;

			for (size_t n = 0; member != NULL && n < size; n++)
				valid[n] |= member[n];
		}
	}
}

static bool fill(struct handed *h, struct batch *b, const void *none, struct ArrowArray *out)
{
	const struct columns *c = b->head.columns;

	close_structs(b);
	for (uint32_t i = 0; i < c->count; i++)
		fill_array(h, b, &c->column[i], none);
	h->arrays[0].length = b->head.rows;
	link_children(h, c);
	memcpy(h->pieces, b->pieces, c->groups * sizeof(uint8_t *));
	batch_reset(b);
	atomic_init(&h->holders, c->count);
	*out = h->arrays[0];
	if (add_dictionaries(h, c))
		return true;
	out->release(out);
	return false;
}

bool batch_export(struct batch *b, struct ArrowArray *out, struct err *e)
{
	struct handed *h = handed_new(b->head.columns);
	const void *none = h != NULL ? zeros_for(h, b->head.rows) : NULL;

	*out = (struct ArrowArray){ 0 };
	if (none != NULL && stretch(b))
		return fill(h, b, none, out) || err_set(e, "no memory for columns");
	if (h != NULL)
		handed_free(h);
	batch_drop(b);
	return err_set(e, "no memory for columns");
}
