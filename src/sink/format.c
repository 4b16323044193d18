/* SPDX-License-Identifier: BSD-3-Clause */
/* format.c - the table of formats, made from list.def. */
#include "sink/format.h"

#define FORMAT(name) extern const struct format format_##name;
#include "sink/list.def"
#undef FORMAT

const struct format *const format_list[] = {
#define FORMAT(name) &format_##name,
#include "sink/list.def"
#undef FORMAT
};

const size_t format_count = sizeof format_list / sizeof format_list[0];
