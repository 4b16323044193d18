/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pick.h - the values of a record that somebody looks for, wherever they lie.
 *
 * A field table is compiled once into a tree of the fields that are wanted, without all others;
 * then a record's struct is walked for them.  Used to match names against lists, and to replace
 * addresses.
 */
#pragma once

#include "base/err.h"
#include "record/field.h"

struct pick;

/* Is a field wanted?  Asked for scalars and lists of scalars. */
typedef bool pick_wants(const struct field *f);

/* NULL without memory, or when structs lie too deep.  A table in which nothing is wanted gives a
 * tree without steps. */
struct pick *pick_new(const struct field *table, pick_wants *wants, struct err *e);
void pick_free(struct pick *p);
bool pick_is_empty(const struct pick *p);

struct pick_walk {
	/* 'at': the value, of type 'type' (of an item where the field is a list).  'path': dotted,
	 * as explain= knows it, without brackets. */
	void (*visit)(void *ctx, const struct field *f, enum field_type type, const char *path,
			void *at);
	/* Not NULL: values are to be changed, and lists are copied to where this says before they
	 * are visited; NULL from it: the list is emptied. */
	void *(*copy)(void *ctx, size_t size);
	void *ctx;
};

/* Visits what is wanted in 'data', the struct that the table describes. */
void pick_visit(const struct pick *p, const struct pick_walk *walk, void *data);

/* Makes a value null, so that its key is left out; 'type' as in visit(). */
void pick_null(enum field_type type, void *at);
