/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * geo.h - country, autonomous system and organisation of an address, from MaxMind DB files.
 *
 * Through libmaxminddb; without it geo_load() fails and says so.  Of several files the first that
 * knows an item counts.  The texts point into the files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct geo;

struct geo_place {
	const char *country; /* ISO 3166-1 alpha-2; NULL: not known */
	size_t country_size;
	int64_t asn; /* < 0: not known */
	const char *organisation;
	size_t organisation_size;
};

/* 'option': file names, one a line, as OPTION_REPEAT keeps them. */
struct geo *geo_load(const char *option, struct err *e);
void geo_free(struct geo *g);

/* False: nothing is known. */
bool geo_find(const struct geo *g, uint8_t version, const uint8_t *address, struct geo_place *out);
