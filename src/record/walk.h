/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk.h - what documents say about a field: its path, type and null rule in words.  Private to the
 * room.
 */
#pragma once

#include "base/buf.h"
#include "record/field.h"

/* Called for each field, outer before inner; 'path' is dotted, with [] behind each list. */
typedef void walk_visit(void *ctx, const struct field *f, const struct buf *path);

/* Visits a table and all below. */
void walk_fields(const struct field *table, walk_visit *visit, void *ctx);

/* "integer", "list of number" ... */
void walk_type(const struct field *f, struct buf *out);

/* Whether null is written for it now and then. */
bool walk_nullable(const struct field *f);

/* When it is null or left out, in whole sentences; "never" for never. */
void walk_null_rule(const struct field *f, struct buf *out);
