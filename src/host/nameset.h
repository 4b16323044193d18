/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nameset.h - which of a million names is a name, or a domain that it lies in.
 *
 * A hash of whole names: a name is looked up with each of its suffixes that begins behind a dot.
 * Names are in the form of name.h.  Filled once, then read by any number of threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { NAMESET_NONE = UINT32_MAX };

struct nameset;

struct nameset *nameset_new(void);
void nameset_free(struct nameset *s);

/* The same name may be added again, with another value; with the same value it is kept once.
 * False: more than LIMIT_LIST_ENTRIES, or no memory. */
bool nameset_add(struct nameset *s, const char *name, size_t size, uint32_t value, struct err *e);
bool nameset_build(struct nameset *s, struct err *e);

/* The entry that is the whole name; NAMESET_NONE. */
uint32_t nameset_find(const struct nameset *s, const char *name, size_t size);

/* The entries that are the name or a domain around it, the longest first; how many, at most 'max'.
 */
size_t nameset_match(const struct nameset *s, const char *name, size_t size, uint32_t *entries,
		size_t max);

/* The same name once more, with another value; NAMESET_NONE. */
uint32_t nameset_same(const struct nameset *s, uint32_t entry);

uint32_t nameset_value(const struct nameset *s, uint32_t entry);
const char *nameset_text(const struct nameset *s, uint32_t entry, size_t *size);
size_t nameset_count(const struct nameset *s);
size_t nameset_memory(const struct nameset *s);
