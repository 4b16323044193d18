/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * from_json_internal.h - what the files of from_json share: the tree of keys, a reader's state.
 * Private to the room.
 */
#pragma once

#include "base/buf.h"
#include "base/json_read.h"
#include "record/cells.h"
#include "record/from_json.h"

enum { NODE_WORDS = 8, NODE_WORD_BYTES = 27 };

/* A word that a column has got before. */
struct word {
	uint32_t index;
	uint8_t size; /* 0: none */
	char text[NODE_WORD_BYTES];
};

/* A member, or the items of a list. */
struct node {
	struct json_key key; /* size 0: the record, or an item */
	uint8_t type;        /* enum field_type */
	uint16_t flags;
	const struct column *column; /* NULL: not wanted */
	struct word *words;          /* of a column with a dictionary: NODE_WORDS */
	uint32_t up;                 /* the node it lies in */
	bool is_count;               /* unsigned: most are small */
	uint32_t next;               /* the next that does not lie in this one */
};

struct from_json {
	const struct columns *columns;
	struct node *nodes;
	uint32_t count, room;
	struct buf scratch;
	struct from_json_odd odd;

	/* of the line being read */
	struct json_reader j;
	struct batch *batch;
	uint64_t known; /* members that have a node */
	uint64_t put;   /* values */
	bool other;     /* it has the key of a line that is no record */
};

/* --- from_json_odd.c --- */
void odd_unknown(struct from_json *f, uint32_t of, const struct json_value *key);
void odd_wrong(struct from_json *f, uint32_t at);

/* --- from_json_put.c --- */

/* The characters of a string: where they stand, or unescaped in the scratch buffer.  NULL without
 * memory. */
struct rd put_text_of(struct from_json *f, const struct json_value *v);

/* Puts a value that is no bracket; false: it is of a wrong type. */
bool put_scalar(struct from_json *f, const struct node *n, struct cells *at, uint32_t row,
		const struct json_value *v);
