/* SPDX-License-Identifier: BSD-3-Clause */
/* arguments.h - the command line: options into the handle, files into a list. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "joy.h"

struct arguments {
	const char **files; /* in the order given; the words belong to argv */
	size_t count;
	bool interface; /* option interface was among the words, not only in a file */
};

/* False: wrong usage, and 'e' says how. */
bool arguments_parse(struct arguments *a, struct joy *j, int argc, char **argv, struct err *e);
void arguments_free(struct arguments *a);
