/* SPDX-License-Identifier: BSD-3-Clause */
/* settings.h - options of a handle as the program asks for them. */
#pragma once

#include <stdbool.h>

#include "joy.h"

/* The value of an option, to be freed with joy_text_free(); NULL for none. */
char *settings_text(struct joy *j, const char *name);

/* The value of an option that is a small number or a truth value. */
unsigned settings_number(struct joy *j, const char *name);
