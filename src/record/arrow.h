/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arrow.h - the structs by which programs hand each other columns in memory: the C data interface
 * and the C stream interface of Apache Arrow (arrow.apache.org/docs/format/CDataInterface.html).
 *
 * Their layout is an ABI.  Who includes another header with the same structs before or behind this
 * one gets them once, by the guards that the specification names.
 */
#pragma once

#include <stdint.h>

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4

/* What a column is.  Whoever holds it calls release(), which sets release to NULL; a struct whose
 * release is NULL holds nothing. */
struct ArrowSchema {
	const char *format;   /* the type, in a few letters */
	const char *name;     /* NULL or "": none */
	const char *metadata; /* int32 count, then for each key and value an int32 size and bytes */
	int64_t flags;
	int64_t n_children;
	struct ArrowSchema **children;
	struct ArrowSchema *dictionary; /* type of the words; 'format' is that of the indices */
	void (*release)(struct ArrowSchema *schema);
	void *private_data;
};

/* Its values.  The first buffer says in bits which of them are not null; NULL: all. */
struct ArrowArray {
	int64_t length;
	int64_t null_count; /* -1: not counted */
	int64_t offset;
	int64_t n_buffers;
	int64_t n_children;
	const void **buffers;
	struct ArrowArray **children;
	struct ArrowArray *dictionary;
	void (*release)(struct ArrowArray *array);
	void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

/* Batches of the same columns, one after the other; one thread at a time. */
struct ArrowArrayStream {
	/* 0, or an errno; what they give is the caller's, to be released */
	int (*get_schema)(struct ArrowArrayStream *stream, struct ArrowSchema *out);
	/* at the end a released array */
	int (*get_next)(struct ArrowArrayStream *stream, struct ArrowArray *out);
	/* words for the last errno, valid until the next call; NULL: none */
	const char *(*get_last_error)(struct ArrowArrayStream *stream);
	void (*release)(struct ArrowArrayStream *stream);
	void *private_data;
};

#endif
