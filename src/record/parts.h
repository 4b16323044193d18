/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parts.h - the parts of a split flow become one record, field by field, by the rules that the
 * field tables give (enum field_merge).
 *
 * Nothing is guessed: a field whose rule cannot say what the whole flow would have is left out, and
 * where it must not be left out that is an error that names it.
 */
#pragma once

#include "base/pool.h"
#include "record/field.h"

struct parts_memory { /* where lists and texts go; 'failed' once there was none */
	struct arena *arena;
	struct pool *pool;
	bool failed;
};

/* Copies the struct that a table describes, with all that it points to.  'size': of the struct. */
void parts_copy(const struct field *table, const void *from, size_t size, void *to,
		struct parts_memory *m);

/* Whether two structs of a table say the same. */
bool parts_equal(const struct field *table, const void *a, const void *b);

/*
 * 'next' joins 'whole'.  'list_max': items of a MERGE_CONCAT.  Returns NULL, or the field that two
 * parts say differently and that cannot be left out; what else there is in 'whole' is then of no
 * use.  Afterwards 'whole' may point to what 'next' points to.
 */
const struct field *parts_join(const struct field *table, void *whole, const void *next,
		uint32_t list_max, struct parts_memory *m);

/* Makes a field null, or its list empty, or all members of its struct null; false: it must not be.
 */
bool parts_leave_out(const struct field *f, void *at);

/* The number at a dotted path below a table, of a field of type I64; NULL: there is no such. */
const int64_t *parts_number(const struct field *table, const char *path, const void *data);
