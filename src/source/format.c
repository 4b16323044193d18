/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * format.c - the list of capture formats, and words that all of them use.
 */
#include "source/format.h"

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

void format_cut(struct format_file *file, const char *what, uint64_t need)
{
	err_set(&file->damage, "ends in the middle of %s at offset %llu (%llu of %llu bytes)", what,
			(unsigned long long)input_offset(file->in),
			(unsigned long long)input_at_hand(file->in), (unsigned long long)need);
}
