/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan.h - the field tables of one run, compiled once into a straight list of steps per format.
 *
 * Compiling puts each key with its punctuation into one prepared text, so that writing a record
 * is memcpy and digits.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "record/field.h"

struct plan;

/*
 * 'tables' are in the order of the record's keys, and are not needed afterwards.
 * Fields with FIELD_REVERSE are left out unless 'both'.  A table that cannot be written (a key
 * twice at one place, a wrong type, structs without end) is an error that names the field.
 */
struct plan *plan_new(const struct field *const *tables, size_t count, bool both, struct err *e);
void plan_free(struct plan *p);
size_t plan_tables(const struct plan *p);

/*
 * Appends one JSON object without newline. data[i] NULL: the keys of table i are left out.  When
 * the buffer fails, it keeps what it had before.
 */
void plan_json(const struct plan *p, const void *const *data, struct buf *out);

/*
 * Appends the header line, or one line, of RFC 4180 CSV, with its CRLF: nested structs as a.b
 * columns, lists as JSON text in a quoted cell; null and absent are empty cells, an empty text is
 * "". Control characters but tab, CR and LF stand as \u00XX.
 */
void plan_csv_header(const struct plan *p, struct buf *out);
void plan_csv(const struct plan *p, const void *const *data, struct buf *out);

/*
 * doc/schema.json: JSON Schema 2020-12 of a record; doc/fields.md: a table of all fields.  The
 * first table is that of the data element that every record has.
 */
void plan_schema(const struct field *const *tables, const char *const *names, size_t count,
		struct buf *out);
void plan_markdown(const struct field *const *tables, const char *const *names, size_t count,
		struct buf *out);

/*
 * What explain=NAME prints: all fields whose dotted path is NAME, ends in .NAME or begins with
 * NAME. with or without the [] of lists; false: none.
 */
bool plan_explain(
		const struct field *const *tables, size_t count, const char *name, struct buf *out);
