/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_check.h - which fields of written records still hold listed addresses.
 *
 * Knows nothing of records: it walks lines of JSON and looks at every text, for addresses, reverse
 * names, and hexadecimal bytes that are an address, begin with an IP header, or hold an address as
 * text.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/*
 * 'records': a file of JSON lines, may be gzipped; "-": standard input.  Appends a report, a line
 * for each field; *found is the number of values that hold a listed address.
 */
bool anon_check(const char *subnets, const char *records, struct buf *report, uint64_t *found,
		struct err *e);
