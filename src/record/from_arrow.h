/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * from_arrow.h - columns back into the structs that the field tables describe.
 *
 * The columns of a stream are matched with the fields by name, once; then each batch is checked and
 * its rows are filled into structs.  A column may have any type that can say what the field says:
 *
 *	numbers   integers of any width (what does not fit makes the record one that cannot be
 *	          read), F64, MS and S also floating point
 *	WORD, TEXT, ADDRESS   utf8, large_utf8, string view, or a dictionary of these
 *	HEX       binary, large_binary, fixed_size_binary, binary view, or a dictionary of these
 *	ADDRESS   also fixed_size_binary[16], in which ::ffff:a.b.c.d is IPv4
 *	TIME      timestamp of any unit; one without zone is UTC
 *	LIST      list, large_list
 *	any       null
 *
 * Nothing is believed of an array: counts of buffers and children, lengths, offsets, places in
 * dictionaries are looked at before they are used.  (How large a buffer is the interface does not
 * say.)  A time has 9 decimals when one in its record is finer than a microsecond.
 */
#pragma once

#include "base/err.h"
#include "base/pool.h"
#include "record/arrow.h"
#include "record/field.h"

struct from_arrow;

/*
 * 'tables' as plan_new() takes them; they are kept, and so is nothing of the schema.  NULL: a
 * column has a type that its field cannot be read from, or there is no memory.
 */
struct from_arrow *from_arrow_new(const struct ArrowSchema *schema,
		const struct field *const *tables, size_t count, struct err *e);
void from_arrow_free(struct from_arrow *f);

/* Of table i the fields that the columns have, as a table; with nothing in it when they have none.
 */
const struct field *from_arrow_fields(const struct from_arrow *f, size_t i);

/* Is there a column of that dotted name? */
bool from_arrow_has(const struct from_arrow *f, const char *path);

/* Columns that no field has the name of, dotted; NULL behind the last. */
const char *from_arrow_unknown(const struct from_arrow *f, size_t i);

/* Checks a batch and takes it for from_arrow_row(); it is to stay until the next one is given, or
 * NULL for none.  False: it contradicts itself or the schema. */
bool from_arrow_batch(struct from_arrow *f, const struct ArrowArray *batch, struct err *e);

/*
 * Fills the structs of a row, 0 to batch->length - 1: structs[i] for table i, and in data[i] the
 * same pointer, or NULL when all columns of the table are null.  Lists and words come from the
 * arena; texts and bytes stay where they are, in the batch.  False: the row has a value that its
 * field cannot hold, or none where one must be; or there is no memory.
 */
bool from_arrow_row(struct from_arrow *f, int64_t row, void *const *structs, const void **data,
		struct arena *arena, struct pool *pool, struct err *why);
