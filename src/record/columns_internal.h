/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * columns_internal.h - what the makers, fillers and exporters of columns share.  Private to the
 * room.
 */
#pragma once

#include "record/cells.h"

#include <pthread.h>

enum { WORDS_SEEN = 128, WORD_SEEN_BYTES = 52 };

/* A word that a batch has looked up before, by where it lay; what lies there now is compared. */
struct word_seen {
	const char *p;
	uint32_t index;
	char text[WORD_SEEN_BYTES];
};

struct moves; /* to_arrow.c */

struct columns {
	struct column *column;
	uint32_t count, room;
	struct group *group; /* as they are in an empty batch: those of the tables, then the others
			      */
	uint32_t groups, group_room;
	uint32_t dictionaries;
	struct columns_table *tables;
	size_t table_count;
	uint32_t batch_rows;
	uint64_t batch_bytes;
	bool binary_addresses;
	struct moves **moves; /* for each table */
};

struct batch {
	struct batch_head head; /* first: see cells.h */
	uint64_t begun;         /* head.bytes when the open row began */
	uint8_t **present;      /* for each table: a bit for each row that has it */
	uint8_t **pieces;       /* for each group: its cells; for a table's group also 'present' */
	uint32_t *hints;        /* for each group: rows that the batch before had */
	size_t *text_hints;     /* for each column: bytes */
	struct word_seen *seen; /* WORDS_SEEN for each dictionary */
};

/* Whether a column is one of the record's own. */
static inline bool columns_is_outermost(const struct columns *c, const struct column *col)
{
	uint32_t i = 1;

	while (c->column[i].next <= col->index)
		i = c->column[i].next;
	return i == col->index;
}

/* --- to_arrow.c --- */
bool moves_compile(struct columns *c, struct err *e);
void moves_free(struct moves *m);

/* --- batch.c --- */
/* Room for 'rows' rows in a group. */
bool batch_room(struct batch *b, uint32_t group, uint32_t rows);

/* Room for 'size' more bytes of a column's texts. */
bool batch_text_room(struct batch *b, const struct column *c, struct cells *at, size_t size);

/* Offsets of the rows before 'rows' that nobody has put anything into. */
void batch_fill(struct cells *at, uint32_t rows);

/* Empties it without giving any memory back: what was in it has moved. */
void batch_reset(struct batch *b);

/* Empties it. */
void batch_drop(struct batch *b);

/* --- dictionary.c --- */

struct dictionary *dictionary_new(uint32_t number);
void dictionary_free(struct dictionary *d);

/* Which of a stream's dictionaries it is. */
uint32_t dictionary_number(const struct dictionary *d);

/* The place of a word, which is added unless it is there; any thread.  False: no memory. */
bool dictionary_find(struct dictionary *d, const char *p, size_t size, uint32_t *index);

/* All words so far, as an array that stays valid. */
bool dictionary_export(struct dictionary *d, struct ArrowArray *out);

/* --- utf8.c --- */

/* Appends a text as UTF-8 and returns the place behind; room for 2 * size + 8 bytes. */
char *utf8_put(char *to, const char *p, size_t size);
