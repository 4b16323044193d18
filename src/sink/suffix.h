/* SPDX-License-Identifier: BSD-3-Clause */
/* suffix.h - what the end of a file's name says: format and compression.  Private to the room. */
#pragma once

#include "base/err.h"
#include "base/rd.h"
#include "sink/compress.h"
#include "sink/format.h"

struct suffix {
	const struct format *format;
	enum compress_kind compression;
	size_t size; /* bytes of the name's end that say so */
};

/*
 * Reads ".csv.gz" and the like, in any case.  What does not begin with a letter (a date, a version)
 * is part of the name.  An unknown suffix is an error that names the known ones, unless 'lenient':
 * then it means nothing.
 */
bool suffix_parse(const char *path, bool lenient, struct suffix *s, struct err *e);
