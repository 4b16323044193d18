/* SPDX-License-Identifier: BSD-3-Clause */
/* kind.h - words for a file that is not what was expected, so that the user sees at once what was
 * named. */
#pragma once

#include <stdint.h>

#include "source/input.h"

enum { KIND_TEXT = 192 };

/* Writes "text", "a PNG image", "gzip of nothing (0 bytes)" and so on. 'in' is at its start. */
void kind_describe(struct input *in, char text[static KIND_TEXT]);

/* Whether it begins with printable characters and white space. */
bool kind_is_text(struct input *in);
