/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_check.h - which fields of written records still hold listed addresses.
 *
 * Knows nothing of records: it walks lines of JSON and looks at every text: for addresses and
 * reverse names; where it is hexadecimal, at the bytes: for an IP header and for addresses as text.
 * Bytes that could be a listed address are counted too; as some are by chance, they are told when
 * there are more than chance would have.  Lines that are no JSON (CSV) are looked at cell by cell.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * 'records': a file, may be gzipped; "-": standard input.  Appends a report, a line for each field
 * that holds some; *found is the number of values that do.  False: a file cannot be read.
 */
bool anon_check(const char *subnets, const char *records, struct buf *report, uint64_t *found,
		struct err *e);
