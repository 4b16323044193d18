/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * columns.h - records as columns: the field tables compiled once into a tree of columns, and
 *batches that are filled row by row and handed on as Arrow arrays.
 *
 *	field           column
 *	bool, numbers   of the same width
 *	WORD            dictionary<int32, utf8>; utf8 where it may name a host or its owner
 *	TEXT            utf8; bytes that are none stand for the characters of the same number, as in
 *			JSON
 *	HEX             binary
 *	ADDRESS         utf8, or 16 bytes where that is wanted (IPv4 as ::ffff:a.b.c.d)
 *	TIME            timestamp[ns, UTC]
 *	MS, S           float64 in that unit, the double nearest to the exact number
 *	STRUCT          struct; null when optional and all its members are
 *	LIST            list; null when optional and empty
 *
 * What JSON leaves out is null.  Nothing has to be done for a null: a row that nobody has put a
 * value into is one.  Columns form groups, in which all have the same number of rows: each table is
 * a group, and so are the items of each list.
 *
 * A struct columns is shared by the batches of all workers of a stream; nothing of it changes but
 * the dictionaries, which only grow, under a lock.  A batch belongs to one thread.
 */
#pragma once

#include "base/err.h"
#include "record/arrow.h"
#include "record/field.h"

struct columns;
struct batch;
struct dictionary;

/* A table of fields, and whose it is. */
struct columns_table {
	const struct field *fields;
	const char *feature; /* its name; kept */
	const char *options; /* copied: that switch it on, with commas between; NULL: every record
				has it */
};

struct columns_conf {
	const struct columns_table *tables; /* in the order of the record's keys; fields are kept */
	size_t count;
	bool both;  /* with fields that have FIELD_REVERSE */
	bool loose; /* every column may be null, whatever its field says: records of strangers */
	bool binary_addresses;
	const char *const *names; /* dotted paths, with or without the [] of lists; NULL: all */
	size_t name_count;
	size_t batch_rows;    /* at most so many in a batch; 0: 8192 */
	uint64_t batch_bytes; /* and about so many bytes; 0: 8 MiB */
};

/* A name that is no field, structs too deep, or no memory: NULL. */
struct columns *columns_new(const struct columns_conf *conf, struct err *e);
void columns_free(struct columns *c); /* arrays and schemas that were handed on stay valid */

/* The schema: a struct of all columns.  'configuration': JSON text without newline for the metadata
 * joy.configuration; NULL: none. */
bool columns_schema(const struct columns *c, const char *configuration, size_t size,
		struct ArrowSchema *out, struct err *e);

/* --- the tree -----------------------------------------------------------------------------------
 */

enum column_layout {   /* what lies where in struct cells */
	COLUMN_BITS,   /* bool: a bit for each row */
	COLUMN_FIXED,  /* 'width' bytes for each row */
	COLUMN_WORDS,  /* the same: int32, place in the dictionary */
	COLUMN_BYTES,  /* int32 offsets into bytes: utf8 or binary */
	COLUMN_LIST,   /* int32 offsets into the group 'items' */
	COLUMN_STRUCT, /* nothing */
};

enum column_nulls {
	COLUMN_FULL,     /* never null */
	COLUMN_OF_TABLE, /* null where its table is not in the record */
	COLUMN_NULLS,    /* null where nobody has put a value */
};

/* Columns lie in preorder: a column's first child is the next one. */
struct column {
	const char *key;           /* "item" for those of a list; "" for the record */
	const struct field *field; /* NULL: the record, or an item */
	uint8_t type;              /* enum field_type of a value */
	uint8_t layout, nulls;
	uint8_t width;
	uint16_t flags;           /* of the field; of items: of their list */
	uint16_t table;           /* it lies in */
	uint32_t offset;          /* of the value in the struct of its table, or of its item */
	uint32_t group;           /* of its rows */
	uint32_t items;           /* COLUMN_LIST: the group of its items */
	uint32_t index;           /* its own place */
	uint32_t next;            /* place of the next column that does not lie within this one */
	struct dictionary *words; /* COLUMN_WORDS */
};

/* The column of the whole record is at 0. */
const struct column *columns_at(const struct columns *c, uint32_t index);
uint32_t columns_count(const struct columns *c);

/* The child of a struct by its key; NULL: none, or not wanted. */
const struct column *columns_child(
		const struct columns *c, const struct column *of, const char *key, size_t size);

/* --- batches ------------------------------------------------------------------------------------
 */

struct batch *batch_new(const struct columns *c, struct err *e);
void batch_free(struct batch *b);

/*
 * Appends a record: data[] is as plan_json() takes it, for the tables in conf's order.  False: it
 * is too large (LIMIT_RECORD_BYTES) or there is no memory; then the batch has what it had before.
 */
bool batch_append(struct batch *b, const void *const *data);

uint32_t batch_rows(const struct batch *b);
uint64_t batch_bytes(const struct batch *b); /* of its values */
bool batch_full(const struct batch *b);      /* by batch_rows and batch_bytes */

/* Hands on all rows: no copy, the memory moves into the array.  The batch is empty then, also when
 * this fails for want of memory. */
bool batch_export(struct batch *b, struct ArrowArray *out, struct err *e);
