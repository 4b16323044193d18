/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * err.h - why an operation failed, in words for the user: what, where, what to do.
 *
 * Functions that can fail take a struct err as last parameter and return false.
 * The library never prints; whoever called it decides what becomes of the text.
 */
#pragma once

#include <stdbool.h>

struct err {
	char text[512]; /* "" when nothing failed; always terminated */
};

/* Writes the text (cut at the end of the buffer) and returns false. 'e' may be NULL. */
bool err_set(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
