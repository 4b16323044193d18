/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_db.h - labels for fingerprints, from a file of JSON lines (doc/fingerprints.md):
 *
 *   {"kind": "ja4", "value": "t13d1516h2_8daaf6152771_e5627efa2ab1", "labels": ["chromium"]}
 *
 * Loaded whole and constant from then on.
 */
#pragma once

#include "base/err.h"
#include "base/rd.h"
#include "record/field.h"

struct fingerprint_db;

/* NULL and an error that names file and line, when it cannot be read. */
struct fingerprint_db *fingerprint_db_load(const char *path, struct err *e);
void fingerprint_db_free(struct fingerprint_db *db); /* NULL is fine */

/* The labels of a fingerprint; *count 0 and NULL without any. */
const struct field_text *fingerprint_db_find(
		const struct fingerprint_db *db, const char *kind, struct rd value, size_t *count);
