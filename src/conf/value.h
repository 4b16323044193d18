/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value.h - the value of one option: from text, to text, and in words what it may be.
 *
 * Only the option itself and the struct it is bound to are known here, no sets and no names.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "conf/option.h"

/*
 * Stores what 'text' says.  On error the old value stays and 'e' says what is allowed.
 * "none" is no text; "auto" is reserved and no name of a file or folder to write to.
 */
bool value_parse(const struct option *o, void *base, const char *text, struct err *e);

/* The same for an OPTION_REPEAT, whose values so far stay. */
bool value_add(const struct option *o, void *base, const char *text, struct err *e);

/* The values of an OPTION_REPEAT one by one: *rest is its text at first.  False: no more. */
bool value_next(const char **rest, const char **value, size_t *size);

/* Frees a text and sets the member to zero. */
void value_clear(const struct option *o, void *base);

/* Appends what the option takes: "a number of seconds from 0 to 3600". */
void value_allowed(const struct option *o, struct buf *out);

/* Appends what stands behind the = in help: "0|1", "inner|outer", "SECONDS". */
void value_pattern(const struct option *o, struct buf *out);
