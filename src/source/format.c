/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * format.c - the list of capture formats, and words that all of them use.
 */
#include "source/format.h"

#include <stdarg.h>
#include <stdio.h>

#define CODING(name)
#define FORMAT(name) extern const struct format format_##name;
#include "source/list.def"
#undef FORMAT

static const struct format *const formats[] = {
#define FORMAT(name) &format_##name,
#include "source/list.def"
#undef FORMAT
};
#undef CODING

const struct format *format_find(struct rd first)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (formats[i]->is(first))
			return formats[i];
	}
	return NULL;
}

bool format_damage(struct format_file *file, uint64_t at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(file->damage.text, sizeof(file->damage.text), format, args);
	va_end(args);
	file->damage_at = (int64_t)at;
	return false;
}

void format_cut(struct format_file *file, const char *what, uint64_t need)
{
	const uint64_t at = input_offset(file->in);

	format_damage(file, at, "ends in the middle of %s at offset %llu (%llu of %llu bytes)",
			what, (unsigned long long)at, (unsigned long long)input_at_hand(file->in),
			(unsigned long long)need);
}
