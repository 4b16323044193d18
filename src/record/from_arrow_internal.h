/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * from_arrow_internal.h - a matched column, for from_arrow.c (matching), from_arrow_array.c
 * (checking arrays, and one value of them), from_arrow_row.c (filling structs).
 */
#pragma once

#include "record/from_arrow.h"

/* How the values of a column lie in its buffers. */
enum lay {
	LAY_NULL, /* there are none */
	LAY_BOOL,
	LAY_SIGNED, /* integers of 'width' bytes */
	LAY_UNSIGNED,
	LAY_FLOAT,  /* of 4 or 8 bytes */
	LAY_TIME,   /* int64, 'unit_ns' each */
	LAY_FIXED,  /* 'width' bytes */
	LAY_BYTES,  /* behind offsets of 'width' bytes */
	LAY_VIEW,   /* views of 16 bytes */
	LAY_STRUCT, /* children */
	LAY_LIST,   /* one child, behind offsets of 'width' bytes */
};

struct column_in {
	const struct field *field; /* as in its table; NULL: the item of a list, or words */
	const char *path;          /* dotted */
	enum field_type type;      /* what is to be read */
	uint16_t flags;            /* of the field */
	bool required;
	enum lay lay;
	int32_t width;
	int64_t unit_ns;
	uint32_t offset;      /* in its struct */
	size_t item_size;     /* of a list */
	int64_t children;     /* how many the schema says */
	int64_t child;        /* its own place among those of what it lies in */
	struct column_in *of; /* what is matched: members, or the one item */
	size_t count;
	struct column_in *words; /* of a dictionary, whose indices the column holds */

	/* of the present batch */
	const uint8_t *valid; /* NULL: all are */
	const uint8_t *values, *bytes;
	const void *const *views; /* LAY_VIEW: buffers, with their sizes */
	const int64_t *view_sizes;
	int64_t view_count;
	int64_t begin, length;    /* of the array: its offset, and how many rows it has */
	const char **known;       /* words: those that are terminated already, in memory ... */
	struct from_arrow *owner; /* ... of this */
};

struct from_arrow {
	struct column_in *tables; /* one for each, of type FIELD_STRUCT */
	struct field **fields;    /* of those columns */
	size_t count;
	int64_t children; /* of the record */
	struct pool *pool;
	struct arena arena; /* all of the above */
	struct arena batch; /* words of the present batch */
	const char **unknown;
	size_t unknown_count;
	bool is_bound;
	int64_t rows;
};

/* The layout that a format names; false: one that is not read here. */
bool from_arrow_lay(const char *format, struct column_in *c);

/* Whether values of that layout can be read as the column's type. */
bool from_arrow_suits(const struct column_in *c);

/* Checks an array and takes its buffers; 'need': rows that it has to have. */
bool from_arrow_bind(struct from_arrow *f, struct column_in *c, const struct ArrowArray *a,
		int64_t need, struct err *e);

/* One value; 'row' counts from the array's offset.  False: the array is damaged there. */
bool from_arrow_is_null(const struct column_in *c, int64_t row);
bool from_arrow_bytes(const struct column_in *c, int64_t row, struct field_text *out);
int64_t from_arrow_offset(const struct column_in *c, int64_t row);
