/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * from_json.h - records back from the JSON that to_json.c makes of them: a line becomes a row.
 *
 * Exactly: whole numbers, times and bytes come back as they were, durations as the nearest double,
 * doubles with the 15 digits that JSON has of them.  Members may stand in any order and may be
 * missing; those that no table has are passed over and counted, as are values of another type than
 * their field's, which are null.
 */
#pragma once

#include "base/rd.h"
#include "record/columns.h"

struct from_json;

/* 'c' was made loose, of these tables or some of their fields: what it has no column for is passed
 * over.  Fields with FIELD_REVERSE are strange unless 'both'. */
struct from_json *from_json_new(const struct columns *c, const struct field *const *tables,
		size_t count, bool both, struct err *e);
void from_json_free(struct from_json *f);

enum from_json_line {
	FROM_JSON_RECORD,  /* a row more */
	FROM_JSON_OTHER,   /* a configuration, a summary, drops: no record, and sound */
	FROM_JSON_DAMAGED, /* no JSON, or not that of a record; no row */
};

/* Appends a record.  FROM_JSON_DAMAGED: *why, which begins with a small letter, at the line's byte
 * *at. */
enum from_json_line from_json_line(
		struct from_json *f, struct batch *b, struct rd line, const char **why, size_t *at);

enum { FROM_JSON_NAMES = 256 };

/* What was odd in the records so far. */
struct from_json_odd {
	uint64_t unknown, wrong;             /* members of no table; values of a wrong type, or of a
						member that was there twice */
	char unknown_names[FROM_JSON_NAMES]; /* the first few different ones: dotted paths with
						commas between */
	char wrong_names[FROM_JSON_NAMES];
};
const struct from_json_odd *from_json_odd(const struct from_json *f);
