/* SPDX-License-Identifier: BSD-3-Clause */
/* tell.h - a trouble as one line for the log.  Private to the room. */
#pragma once

#include <stdarg.h>

#include "source/paths.h"

enum { TELL_LINE = 4096 + 1024 }; /* the longest path, and what is wrong */

/* File names may hold anything: what is no printable character becomes a question mark. */
void tell_line(char line[static TELL_LINE], const char *format, va_list args)
		__attribute__((format(printf, 2, 0)));

/* "standard input" for "-". */
const char *tell_name(const struct paths_entry *entry);
