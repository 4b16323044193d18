/* SPDX-License-Identifier: BSD-3-Clause */
/* tell.c - words of a trouble, without what would break a line of the log. */
#include "source/tell.h"

#include <stdio.h>
#include <string.h>

void tell_line(char line[static TELL_LINE], const char *format, va_list args)
{
	vsnprintf(line, TELL_LINE, format, args);
	for (char *c = line; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

const char *tell_name(const struct paths_entry *entry)
{
	return strcmp(entry->path, "-") == 0 ? "standard input" : entry->path;
}
