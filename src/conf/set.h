/* SPDX-License-Identifier: BSD-3-Clause */
/* set.h - setting options by name with a rank, for the files of this room. */
#pragma once

#include "conf/conf.h"

/*
 * conf_set() with the rank that the value has: an option whose value has a higher one is left
 * as it is, once the new value has been found good.
 */
bool set_ranked(const struct option_sets *sets, const char *name, const char *value,
		enum conf_rank rank, struct err *e);

/* conf_set_line() for 'size' bytes of text. */
bool set_line(const struct option_sets *sets, const char *text, size_t size, enum conf_rank rank,
		struct err *e);

/* Where an option's rank is kept; NULL when the core is not among the sets. */
uint8_t *set_rank(const struct option_sets *sets, const struct option *o);
