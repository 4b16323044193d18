/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * label.h - names for subnets: which labels an address has.
 *
 * A file has a subnet or an address a line (prefix.h); a label may have several files, an address
 * several labels.  Every combination of labels that occurs is made once, when the files are read,
 * so that a look-up is one search and allocates nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct labels;

/* 'option': "NAME:FILE" lines, as OPTION_REPEAT keeps them.  NULL: the error names option, file and
 * line. */
struct labels *labels_load(const char *option, struct err *e);
void labels_free(struct labels *l);

/* The labels of an address, in the order of the option; NULL and 0 without any. */
const char *const *labels_find(
		const struct labels *l, uint8_t version, const uint8_t *address, size_t *count);
