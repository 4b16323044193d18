/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * name.h - host names brought to one form, so that equal names are equal bytes.
 *
 * The form: letters in lower case, no dot at the end, labels in ASCII; a label with other
 * characters becomes its A-label (xn--..., RFC 5890) by Punycode (RFC 3492).  Upper case is mapped
 * for Latin, Greek, Cyrillic and Armenian; Unicode normalisation is not done (lists are expected in
 * NFC).  The ideographic full stops count as dots (RFC 3490 section 3.1).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAME_MAX_SIZE = 253, NAME_ROOM = 256 };

/* Writes the form of a name; its size, or 0 when the text is no name (empty label, white space,
 * a label of more than 63 bytes, more than NAME_MAX_SIZE in all).  '*' and '_' may stand in
 * labels. */
size_t name_normal(const char *text, size_t size, char to[static NAME_ROOM]);
