/* SPDX-License-Identifier: BSD-3-Clause */
/* nearest.h - of many names the one that somebody probably meant. */
#pragma once

#include <stddef.h>

struct nearest {
	const char *typed;
	const char *name;  /* nearest so far; NULL before the first */
	unsigned distance; /* of 'name' */
};

static inline struct nearest nearest_to(const char *typed)
{
	return (struct nearest){ .typed = typed };
}

/* Looks at one more name; of equally near ones the first stays.  'name' is kept, not copied. */
void nearest_try(struct nearest *n, const char *name);

/*
 * Letters to insert, remove, change or swap with their neighbour (each once) to turn 'a' into 'b',
 * whatever their case.  Only the first 64 bytes of each are looked at.
 */
unsigned nearest_distance(const char *a, const char *b);
