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

/* 'tables' are in the order of the record's keys; fields with FIELD_REVERSE are left out unless 'both'. */
struct plan *plan_new(const struct field *const *tables, size_t count, bool both, struct err *e);
void plan_free(struct plan *p);
size_t plan_tables(const struct plan *p);

/* Appends one JSON object without newline. data[i] NULL: the keys of table i are left out. */
void plan_json(const struct plan *p, const void *const *data, struct buf *out);

/* Appends the header line, or one line, of RFC 4180 CSV: nested structs as a.b columns, lists as JSON text in a cell. */
void plan_csv_header(const struct plan *p, struct buf *out);
void plan_csv(const struct plan *p, const void *const *data, struct buf *out);

/* doc/schema.json: JSON Schema 2020-12 of a record; doc/fields.md: a table of all fields. */
void plan_schema(const struct field *const *tables, const char *const *names, size_t count, struct buf *out);
void plan_markdown(const struct field *const *tables, const char *const *names, size_t count, struct buf *out);

/* What explain=NAME prints: all fields whose dotted path is NAME, ends in .NAME or begins with NAME.; false: none. */
bool plan_explain(const struct field *const *tables, size_t count, const char *name, struct buf *out);
