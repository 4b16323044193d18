/* SPDX-License-Identifier: BSD-3-Clause */
/* moves.h - a compiled field: what to_arrow.c does for it.  Private to the room. */
#pragma once

#include "record/columns_internal.h"

enum move_op {
	MOVE_8, /* always there */
	MOVE_16,
	MOVE_32,
	MOVE_64,
	MOVE_BOOL,
	MOVE_TIME,
	MOVE_MS,
	MOVE_S,
	MOVE_SOME_8, /* null when all bits are set */
	MOVE_SOME_16,
	MOVE_SOME_32,
	MOVE_SOME_64,
	MOVE_SOME_F64,
	MOVE_SOME_MS,
	MOVE_SOME_S,
	MOVE_WORD,   /* dictionary */
	MOVE_STRING, /* a word that is none of a dictionary */
	MOVE_TEXT,
	MOVE_HEX,
	MOVE_ADDRESS, /* as text */
	MOVE_16_BYTES,
	MOVE_LIST,
	MOVE_NOTHING, /* a struct in place that is always there */
};

struct move {
	uint8_t op;
	bool null;     /* its column has bits */
	bool optional; /* a list: null when empty */
	bool mark;     /* and the value is never null all the same */
	uint32_t column;
	uint32_t offset;
	uint32_t item_size;        /* of a list */
	uint32_t seen;             /* of a dictionary: first of its words seen */
	const struct moves *items; /* of a list */
};

struct moves {
	size_t count;
	struct move list[];
};
