/* SPDX-License-Identifier: BSD-3-Clause */
/* kind.h - words for a file that is no capture, so that the user sees at once what was named. */
#pragma once

#include <stdint.h>

#include "source/input.h"

/* Writes "text", "a PNG image", "nothing (0 bytes)" and so on. 'in' is at its start. */
void kind_describe(struct input *in, char *text, size_t size);
